"""Training a dictionary: Adam on mini-batches, with the columns kept at norm 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._minibatch import Adam
from saelib._validation import data_matrix, real_number, whole_number
from saelib.activations import ACTIVATIONS
from saelib.codes import BatchTopK, LearningRule, Rule
from saelib.dictionary import (
    auxiliary_cost,
    dictionary_cost,
    project_gradient,
    unit_columns,
    unit_start,
)
from saelib.parameters import Parameters

__all__ = ["LearnedDictionary", "train_dictionary"]

Array = NDArray[np.floating[Any]]
ROWS_FOR_THRESHOLD = 20_000
WORTH_MORE_THREADS = 50_000_000  # multiplications in one product


class LearnedDictionary(NamedTuple):
    """What a training gives.

    Attributes
    ----------
    parameters : Parameters
        Weights and biases; the columns of W2 are the dictionary.
    rule : callable
        The rule for use. It is the one trained with, with the numbers it has learned, except for
        `BatchTopK`: there it is the constant `Threshold` that keeps as many.
    costs : ndarray of shape (n_steps,)
        The cost of each mini-batch.
    """

    parameters: Parameters
    rule: Rule
    costs: NDArray[np.float64]


def train_dictionary(
    X: Array,
    n_hidden: int,
    rule: Rule,
    *,
    seed: int = 0,
    n_steps: int = 2500,
    batch_size: int = 1024,
    learning_rate: float = 3e-3,
    fix_norms: bool = True,
    start: Parameters | None = None,
    revive_after: int | None = None,
    prefixes: Sequence[int] | None = None,
    dtype: Any = np.float32,
) -> LearnedDictionary:
    """Learn a dictionary by Adam on mini-batches.

    After each step the columns of W2 are brought back to norm 1, and the gradient loses its
    part along them before it, Eq. (12.6) ``project-gradient``. The learning rate rises over the
    first 200 steps and falls over the last fifth.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data, best with the mean taken off; at least `batch_size` rows.
    n_hidden : int, at least 1
        Number of hidden units, which is the number of columns of the dictionary.
    rule : callable
        One of `saelib.codes` or `saelib.thresholds`.
    seed : int
        Moves the start and the order of the examples.
    n_steps, batch_size : int, at least 1
        Steps, and examples per step.
    learning_rate : float, greater than 0
        The highest learning rate.
    fix_norms : bool
        Whether the columns are kept at norm 1.
    start : Parameters, optional
        Where to start; `unit_start` by default.
    revive_after : int, optional
        Steps without being active after which a unit counts as dead and learns by
        `auxiliary_cost`; by default dead units are left alone.
    prefixes : sequence of int, optional
        Numbers of units that must reconstruct by themselves, Eq. (15.2) ``nested-cost``; rising,
        the last one `n_hidden`.
    dtype : numpy dtype
        float32 or float64, for everything.

    Returns
    -------
    LearnedDictionary
        Parameters, the rule for use, and the costs on the way.

    Raises
    ------
    ValueError
        If there are fewer examples than a mini-batch has, or entries that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import TopK
    >>> from saelib.dictionary_training import train_dictionary
    >>> from saelib.planted import planted
    >>> X = planted(2000, n_features=8, n_directions=12, n_active=1).X
    >>> learned = train_dictionary(X - X.mean(axis=0), 24, TopK(2), n_steps=400, batch_size=200)
    >>> bool(learned.costs[-20:].mean() < 0.5 * learned.costs[0])
    True
    """
    X = data_matrix("X", X, ACTIVATIONS["linear"]).astype(dtype, copy=False)
    n_hidden = whole_number("n_hidden", n_hidden, low=1)
    n_steps = whole_number("n_steps", n_steps, low=1)
    batch_size = whole_number("batch_size", batch_size, low=1)
    if batch_size > len(X):
        raise ValueError(
            f"batch_size is {batch_size}, but X has {len(X)} rows; take smaller batches"
        )
    rate = real_number("learning_rate", learning_rate, low=0.0, open_ends=True)
    n = X.shape[1]
    weights = (start or unit_start(n, n_hidden, seed)).ravel()
    own = rule.own_numbers(n_hidden) if isinstance(rule, LearningRule) else np.empty(0)
    theta: Any = np.concatenate([weights, own]).astype(dtype)
    adam: Any = Adam(np.zeros_like(theta), np.zeros_like(theta))
    silent, costs = np.zeros(n_hidden, dtype=int), np.empty(n_steps)
    batches = _batches(len(X), batch_size, np.random.default_rng([seed, 1]))
    # Products as small as these take longer on several threads, many times so on a busy machine.
    small = batch_size * n * n_hidden < WORTH_MORE_THREADS
    with single_threaded_blas() if small else nullcontext():
        for step in range(n_steps):
            x, p = X[next(batches)], Parameters.unravel(theta[: weights.size], n, n_hidden)
            if isinstance(rule, LearningRule):
                rule = rule.with_own_numbers(theta[weights.size :])
            cost = dictionary_cost(x, p, rule, prefixes=prefixes)
            gradient, costs[step] = cost.gradient, cost.total
            if revive_after is not None:
                # A unit that took part has a gradient by its bias, unless by a rare accident.
                silent = np.where(gradient.b1 != 0, 0, silent + 1)
                dead = silent > revive_after
                if dead.any():
                    extra = auxiliary_cost(x, p, rule, dead).gradient
                    gradient = Parameters(
                        gradient.W1 + extra.W1,
                        gradient.W2 + extra.W2,
                        gradient.b1 + extra.b1,
                        gradient.b2,
                    )
            if fix_norms:
                gradient.W2[...] = project_gradient(gradient.W2, p.W2)
            now = rate * min(1.0, (step + 1) / 200, (n_steps - step) / (0.2 * n_steps))
            slopes = np.concatenate([gradient.ravel(), cost.own]).astype(dtype, copy=False)
            adam, theta = adam.step(theta, slopes, now)
            if fix_norms:
                W2 = Parameters.unravel(theta[: weights.size], n, n_hidden).W2
                W2[...] = unit_columns(W2)
    learned = Parameters.unravel(theta[: weights.size], n, n_hidden)
    if isinstance(rule, LearningRule):
        rule = rule.with_own_numbers(theta[weights.size :])
    if isinstance(rule, BatchTopK):
        rule = rule.threshold(X[:ROWS_FOR_THRESHOLD] @ learned.W1.T + learned.b1)
    return LearnedDictionary(learned, rule, costs)


def _batches(n_samples: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield rows for ever, each example once before any comes twice; what is left over is new."""
    while True:
        order = rng.permutation(n_samples)
        for first in range(0, n_samples - size + 1, size):
            yield order[first : first + size]
