"""One cost with its exact gradient for all rules of `saelib.codes`, and columns of norm 1.

The output of these networks is linear: a reconstruction is b2 plus a sum of columns of W2, the
dictionary, weighted by the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._validation import real_number, whole_number
from saelib.codes import LearningRule, Rule, TopK
from saelib.parameters import Parameters

__all__ = [
    "DictionaryCost",
    "auxiliary_cost",
    "dictionary_cost",
    "project_gradient",
    "reconstruct",
    "unit_columns",
    "unit_start",
]

Array = NDArray[np.floating[Any]]
AUXILIARY_K, AUXILIARY_WEIGHT = 16, 1 / 32


class DictionaryCost(NamedTuple):
    """The two terms of a cost, and its gradient.

    Attributes
    ----------
    reconstruction : float
        Half of the mean squared error of an example, summed over the features.
    penalty : float
        The sparsity penalty, with its weight.
    gradient : Parameters
        Derivatives of the sum of both.
    own : ndarray of shape (n_own,)
        Derivatives by the numbers that the rule itself learns; empty if there are none.
    """

    reconstruction: float
    penalty: float
    gradient: Parameters
    own: Array = np.empty(0)

    @property
    def total(self) -> float:
        """The cost: the sum of both terms."""
        return self.reconstruction + self.penalty


def dictionary_cost(
    X: Array, parameters: Parameters, rule: Rule, *, prefixes: Sequence[int] | None = None
) -> DictionaryCost:
    """Return the cost of a sparse autoencoder with linear output, and its exact gradient.

    Eq. (12.3) ``dictionary-cost`` is the cost. The error term of the hidden layer is
    Eq. (12.4) ``bracket-and-slope``: whatever the rule, it is made of the slope of the code
    and of what the penalty adds inside the bracket.

    With `prefixes`, the reconstruction is that of Eq. (15.2) ``nested-cost``: the first units
    alone must do, too. Then the error of each block of units is a sum from the back,
    Eq. (15.3) ``nested-error``.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        A batch, float32 or float64; all is computed in its dtype.
    parameters : Parameters
        Weights and biases; the columns of W2 are the dictionary.
    rule : callable
        One of `saelib.codes`, or any function of the weighted inputs that returns a `Code`.
    prefixes : sequence of int, optional
        Numbers of units, rising, the last one all of them; by default all of them only.

    Returns
    -------
    DictionaryCost
        Both terms and the gradient.

    Raises
    ------
    ValueError
        If the prefixes do not rise to the number of units.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters
    >>> from saelib.codes import L1ReLU
    >>> from saelib.dictionary import dictionary_cost
    >>> unit = Parameters(W1=[[1.0, 0.0]], W2=[[1.0], [0.0]], b1=[-0.5], b2=[0.0, 0.0])
    >>> cost = dictionary_cost(np.array([[2.0, 1.0]]), unit, L1ReLU(sparsity_weight=0.1))
    >>> cost.reconstruction, round(cost.penalty, 6)  # (0.5² + 1²) / 2 and 0.1 · 1.5
    (0.625, 0.15)
    >>> cost.gradient.b1  # the activation should grow by 0.5, less the price
    array([-0.4])
    """
    p, m = parameters, len(X)
    Z = X @ p.W1.T + p.b1
    code = rule(Z)
    reconstruction, back, gradient_W2, gradient_b2 = _reconstruction(X, code.A, p, prefixes)
    delta2 = (back + code.bracket) * code.slope
    penalty, own = code.penalty, np.empty(0, X.dtype)
    if isinstance(rule, LearningRule):
        lesson = rule.learn(X, p, Z, back)
        delta2, penalty, own = delta2 + lesson.delta2, penalty + lesson.penalty, lesson.own
    gradient = Parameters(
        W1=delta2.T @ X / m,
        W2=gradient_W2,
        b1=delta2.mean(axis=0),
        b2=gradient_b2,
    )
    return DictionaryCost(reconstruction, penalty, gradient, own)


def _reconstruction(
    X: Array, A: Array, p: Parameters, prefixes: Sequence[int] | None
) -> tuple[float, Array, Array, Array]:
    """Return half the mean squared error, what it passes back, and its gradients by W2 and b2."""
    m = len(X)
    if prefixes is None:
        delta3 = A @ p.W2.T + p.b2 - X
        half = float(np.vdot(delta3, delta3)) / (2 * m)
        return half, delta3 @ p.W2, delta3.T @ A / m, delta3.mean(axis=0)
    blocks = blocks_of_units(prefixes, A.shape[1])
    X_hat, errors = np.broadcast_to(p.b2, X.shape), []
    for block in blocks:
        X_hat = X_hat + A[:, block] @ p.W2[:, block].T
        errors.append(X_hat - X)
    half = sum(float(np.vdot(error, error)) for error in errors) / (2 * m * len(blocks))
    back, gradient_W2, delta3 = np.empty_like(A), np.empty_like(p.W2), np.zeros_like(X)
    for block, error in zip(reversed(blocks), reversed(errors), strict=True):
        delta3 = delta3 + error / len(blocks)  # what is in this prefix is in all longer ones
        back[:, block] = delta3 @ p.W2[:, block]
        gradient_W2[:, block] = delta3.T @ A[:, block] / m
    return half, back, gradient_W2, delta3.mean(axis=0)


def blocks_of_units(prefixes: Sequence[int], n_hidden: int) -> list[slice]:
    """Return the units that each prefix adds to the one before it."""
    edges = [0, *prefixes]
    if edges[-1] != n_hidden or min(high - low for low, high in pairwise(edges)) <= 0:
        raise ValueError(
            f"prefixes is {list(prefixes)}; they must rise from above 0 to the number of units, "
            f"{n_hidden}, which includes all"
        )
    return [slice(low, high) for low, high in pairwise(edges)]


def auxiliary_cost(
    X: Array,
    parameters: Parameters,
    rule: Rule,
    dead: NDArray[np.bool_],
    *,
    k: int = AUXILIARY_K,
    weight: float = AUXILIARY_WEIGHT,
) -> DictionaryCost:
    """Return AuxK: what the dead units alone leave of the others' error, and its gradient.

    Eq. (13.4) ``aux-k``. The k dead units with the largest weighted inputs reconstruct what the
    living ones have left over, which is held fixed: no derivative flows into the living ones.
    The squared error is divided by the variance of that target.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        A batch.
    parameters : Parameters
        Weights and biases.
    rule : callable
        The rule with which the living units make their code.
    dead : ndarray of bool, shape (n_hidden,)
        Which units are dead; at least one.
    k : int, at least 1
        Dead units that an example may use; all of them if there are fewer.
    weight : float, at least 0
        Weight of the term.

    Returns
    -------
    DictionaryCost
        The term stands in `penalty`; `reconstruction` is 0. The gradient by b2 is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import TopK
    >>> from saelib.dictionary import auxiliary_cost, unit_start
    >>> X = np.random.default_rng(0).normal(size=(50, 4))
    >>> dead = np.array([False] * 6 + [True] * 2)
    >>> extra = auxiliary_cost(X, unit_start(4, 8, seed=0), TopK(1), dead, k=2)
    >>> np.flatnonzero(extra.gradient.b1)
    array([6, 7])
    """
    weight = real_number("weight", weight, low=0.0)
    k = min(whole_number("k", k, low=1), int(np.sum(dead)))
    if k == 0:
        raise ValueError("dead marks no unit; there is nothing to revive, so leave the term out")
    p, m = parameters, len(X)
    Z = X @ p.W1.T + p.b1
    left = X - rule(Z).A @ p.W2.T - p.b2
    helper = TopK(k)(np.where(dead, Z, -np.inf * np.ones(1, Z.dtype)))
    A = np.where(helper.slope > 0, Z, 0)  # where -inf stood, a product with 0 would give NaN
    variance = float(np.sum((left - left.mean(axis=0)) ** 2)) / m
    scale = weight / max(variance, float(np.finfo(X.dtype).tiny))
    delta3 = 2 * scale * (A @ p.W2.T - left)
    delta2 = (delta3 @ p.W2) * helper.slope
    gradient = Parameters(
        W1=delta2.T @ X / m,
        W2=delta3.T @ A / m,
        b1=delta2.mean(axis=0),
        b2=np.zeros_like(p.b2),
    )
    return DictionaryCost(0.0, float(np.sum(delta3**2)) / (4 * scale * m), gradient)


def reconstruct(X: Array, parameters: Parameters, rule: Rule) -> tuple[Array, Array]:
    """Return the code of some examples, and their reconstructions.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Examples.
    parameters : Parameters
        Weights and biases.
    rule : callable
        One of `saelib.codes`.

    Returns
    -------
    A : ndarray of shape (n_samples, n_hidden)
        The code.
    X_hat : ndarray of shape (n_samples, n_features)
        b2 plus the columns of W2, weighted by the code.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.codes import TopK
    >>> from saelib.dictionary import reconstruct, unit_start
    >>> A, X_hat = reconstruct(np.eye(4), unit_start(4, 8, seed=0), TopK(1))
    >>> A.shape, X_hat.shape, (A > 0).sum(axis=1)
    ((4, 8), (4, 4), array([1, 1, 1, 1]))
    """
    p = parameters
    A = rule(X @ p.W1.T + p.b1).A
    return A, A @ p.W2.T + p.b2


def unit_columns(W2: Array) -> Array:
    """Return the dictionary with every column divided by its norm.

    Parameters
    ----------
    W2 : ndarray of shape (n_features, n_hidden)
        A dictionary without a column of zeros.

    Returns
    -------
    ndarray of shape (n_features, n_hidden)
        Columns of norm 1.

    Raises
    ------
    ValueError
        If a column is 0, and so has no direction.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.dictionary import unit_columns
    >>> unit_columns(np.array([[3.0, 0.0], [4.0, 2.0]]))
    array([[0.6, 0. ],
           [0.8, 1. ]])
    """
    norms = np.linalg.norm(W2, axis=0)
    if not np.all(norms > 0):
        raise ValueError(
            f"column {int(np.argmin(norms > 0))} of W2 has the norm {norms.min():g}; a column "
            "without a direction cannot be given norm 1"
        )
    return W2 / norms


def project_gradient(gradient: Array, W2: Array) -> Array:
    """Return a gradient without its part along each column, Eq. (12.6) ``project-gradient``.

    That part would only change the lengths of the columns, which are fixed at 1.

    Parameters
    ----------
    gradient : ndarray of shape (n_features, n_hidden)
        Derivatives by W2.
    W2 : ndarray of shape (n_features, n_hidden)
        The dictionary; its columns have norm 1.

    Returns
    -------
    ndarray of shape (n_features, n_hidden)
        Every column at right angles to that of W2.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.dictionary import project_gradient
    >>> project_gradient(np.array([[5.0], [2.0]]), np.array([[1.0], [0.0]]))
    array([[0.],
           [2.]])
    """
    return gradient - W2 * np.sum(gradient * W2, axis=0)


def unit_start(n_features: int, n_hidden: int, seed: int | np.random.Generator) -> Parameters:
    """Return a start: random columns of norm 1, W1 their transpose, biases 0.

    A unit then looks for what it writes.

    Parameters
    ----------
    n_features, n_hidden : int, at least 1
        Sizes of the network.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    start : Parameters
        In float64.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.dictionary import unit_start
    >>> start = unit_start(n_features=4, n_hidden=8, seed=0)
    >>> bool(np.all(start.W1 == start.W2.T)), np.linalg.norm(start.W2, axis=0).round(12)
    (True, array([1., 1., 1., 1., 1., 1., 1., 1.]))
    """
    n_features = whole_number("n_features", n_features, low=1)
    n_hidden = whole_number("n_hidden", n_hidden, low=1)
    W2 = unit_columns(np.random.default_rng(seed).normal(size=(n_features, n_hidden)))
    return Parameters(W2.T.copy(), W2, np.zeros(n_hidden), np.zeros(n_features))
