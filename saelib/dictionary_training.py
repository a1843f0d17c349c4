"""Training a dictionary: Adam on mini-batches, with the columns kept at norm 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._dictionary_step import BlockedStep, Moment, Settings, can_be_tiled, plain_step
from saelib._minibatch import Adam
from saelib._validation import data_matrix, real_number, whole_number
from saelib.activations import ACTIVATIONS
from saelib.codes import BatchTopK, LearningRule, Rule
from saelib.dictionary import unit_start
from saelib.parameters import Parameters
from saelib.progress import progress_bar, show_cost

__all__ = ["DictionaryState", "LearnedDictionary", "train_dictionary"]

Array = NDArray[np.floating[Any]]
ROWS_FOR_THRESHOLD = 20_000
WORTH_MORE_THREADS = 50_000_000  # multiplications in one product


class DictionaryState(NamedTuple):
    """Where a training has got to: all that it needs to go on, to the last bit.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        Weights, biases, and the numbers that the rule learns, in one vector.
    mean, mean_square : ndarray of shape (size,)
        Adam's running means of the gradient and of its square.
    silent : ndarray of shape (n_hidden,)
        For how many steps each unit has not been active; counted if units are revived.
    costs : ndarray of shape (n_done,)
        The cost of each mini-batch so far; there are as many as steps taken.
    """

    theta: Array
    mean: Array
    mean_square: Array
    silent: Array
    costs: NDArray[np.float64]


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
        The cost of each mini-batch; fewer if the training was interrupted.
    state : DictionaryState
        From here an interrupted training goes on.
    """

    parameters: Parameters
    rule: Rule
    costs: NDArray[np.float64]
    state: DictionaryState


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
    progress: bool = False,
    checkpoint: Callable[[DictionaryState], None] | None = None,
    checkpoint_every: int = 500,
    resume: DictionaryState | None = None,
) -> LearnedDictionary:
    """Learn a dictionary by Adam on mini-batches.

    After each step the columns of W2 are brought back to norm 1, and the gradient loses its
    part along them before it, Eq. (12.6) ``project-gradient``. The learning rate rises over the
    first 200 steps and falls over the last fifth.

    Interrupting the training (Ctrl-C, the stop button of a notebook) is not an error: you get
    the result reached so far, and its `state` goes on where it stopped.

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
    progress : bool
        Whether to show a progress bar.
    checkpoint : callable, optional
        ``checkpoint(state)`` is called after every `checkpoint_every` steps but the last.
    checkpoint_every : int, at least 1
        Number of steps between checkpoints; without `checkpoint` it has no effect.
    resume : DictionaryState, optional
        Where to go on. With the same data and all other arguments as before, the result is that of
        a training that was never interrupted, to the last bit. `start` then has no effect.

    Returns
    -------
    LearnedDictionary
        Parameters, the rule for use, and the costs on the way.

    Raises
    ------
    ValueError
        If there are fewer examples than a mini-batch has, or entries that are not finite, or the
        state to go on from is of another training.

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

    A training whose state was kept half way goes on from there:

    >>> X, states, settings = X - X.mean(axis=0), [], {"n_steps": 400, "batch_size": 200}
    >>> _ = train_dictionary(
    ...     X, 24, TopK(2), checkpoint=states.append, checkpoint_every=200, **settings
    ... )
    >>> resumed = train_dictionary(X, 24, TopK(2), resume=states[0], **settings)
    >>> len(states[0].costs), bool(np.all(resumed.costs == learned.costs))
    (200, True)
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
    checkpoint_every = whole_number("checkpoint_every", checkpoint_every, low=1)
    n, costs = X.shape[1], np.empty(n_steps)
    weights = (start or unit_start(n, n_hidden, seed)).ravel()
    own = rule.own_numbers(n_hidden) if isinstance(rule, LearningRule) else np.empty(0)
    theta: Any = np.concatenate([weights, own]).astype(dtype)
    now = Moment(theta, Adam(np.zeros_like(theta), np.zeros_like(theta)), np.zeros(n_hidden, int))
    if resume is not None:
        now = _moment_of(resume, now, n_steps)
        costs[: now.n_done] = resume.costs
    first, n_weights = now.n_done, weights.size
    batches = islice(_batches(len(X), batch_size, np.random.default_rng([seed, 1])), first, None)
    # Products as small as these take longer on several threads, many times so on a busy machine.
    small = batch_size * n * n_hidden < WORTH_MORE_THREADS
    step: Callable[..., tuple[float, Moment]] = plain_step
    if not small and can_be_tiled(rule, n_hidden, prefixes):
        step = BlockedStep(batch_size, n, n_hidden, theta.dtype)
    settings = Settings(prefixes, revive_after, fix_norms)
    with (
        single_threaded_blas() if small else nullcontext(),
        progress_bar("Adam", n_steps, progress) as bar,
    ):
        bar.update(first)
        try:
            while now.n_done < n_steps:
                done = now.n_done
                if checkpoint is not None and done > first and done % checkpoint_every == 0:
                    checkpoint(_state_of(now, costs))
                if isinstance(rule, LearningRule):
                    rule = rule.with_own_numbers(now.theta[n_weights:])
                decay = min(1.0, (done + 1) / 200, (n_steps - done) / (0.2 * n_steps))
                # Assigned in one go: whenever Ctrl-C strikes, all parts are of one step.
                costs[done], now = step(now, X[next(batches)], rule, settings, rate * decay)
                show_cost(bar, costs[done])
                bar.update()
        except KeyboardInterrupt:
            pass
    learned = Parameters.unravel(now.theta[:n_weights], n, n_hidden)
    if isinstance(rule, LearningRule):
        rule = rule.with_own_numbers(now.theta[n_weights:])
    if isinstance(rule, BatchTopK):
        rule = rule.threshold(X[:ROWS_FOR_THRESHOLD] @ learned.W1.T + learned.b1)
    return LearnedDictionary(learned, rule, costs[: now.n_done], _state_of(now, costs))


def _state_of(now: Moment, costs: NDArray[np.float64]) -> DictionaryState:
    means = now.adam.mean.copy(), now.adam.mean_square.copy()
    return DictionaryState(
        now.theta.copy(), *means, now.silent.astype(np.float64), costs[: now.n_done].copy()
    )


def _moment_of(state: DictionaryState, start: Moment, n_steps: int) -> Moment:
    """Return the moment that a state was made of, if it can be one of this training."""
    n_done = len(state.costs)
    shapes = {name: getattr(state, name).shape for name in ("theta", "mean", "mean_square")}
    for name, shape in {**shapes, "silent": state.silent.shape}.items():
        wanted = start.silent.shape if name == "silent" else start.theta.shape
        if shape != wanted:
            raise ValueError(
                f"resume.{name} has shape {shape} where this training needs {wanted}; give the "
                "state of a training with the same n_hidden, rule and features"
            )
    if n_done > n_steps:
        raise ValueError(
            f"resume has {n_done} steps behind it and n_steps is {n_steps}; give the n_steps of "
            "the training that is to go on"
        )
    dtype = start.theta.dtype
    adam: Any = Adam(state.mean.astype(dtype), state.mean_square.astype(dtype), n_done)
    return Moment(state.theta.astype(dtype), adam, state.silent.astype(int))


def _batches(n_samples: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield rows for ever, each example once before any comes twice; what is left over is new."""
    while True:
        order = rng.permutation(n_samples)
        for first in range(0, n_samples - size + 1, size):
            yield order[first : first + size]
