"""How much of a planted dictionary was found, and how well the codes tell who is on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from saelib._validation import real_number
from saelib.features import unexplained_variance

__all__ = [
    "DictionaryMeasures",
    "Matching",
    "dictionary_measures",
    "match_directions",
    "shared_units",
]

Array = NDArray[np.floating[Any]]


class Matching(NamedTuple):
    """Pairs of a planted direction and a unit, each in one pair at most.

    Attributes
    ----------
    directions, units : ndarray of int, of shape (n_pairs,)
        The pairs; ``n_pairs`` is the smaller of the two numbers.
    cosines : ndarray of shape (n_pairs,)
        Cosine of the angle between planted direction and column, in [-1, 1].
    best : ndarray of shape (n_directions,)
        For every direction its largest cosine with any unit, whoever else that unit serves.
    """

    directions: NDArray[np.intp]
    units: NDArray[np.intp]
    cosines: Array
    best: Array


def match_directions(D: ArrayLike, W2: ArrayLike) -> Matching:
    """Return the pairs of directions and units with the largest sum of cosines.

    The Hungarian method, Eq. (12.1) ``matching``.

    Parameters
    ----------
    D : array_like of shape (n_directions, n_features)
        Planted directions, one per row.
    W2 : array_like of shape (n_features, n_hidden)
        A learned dictionary, one column per unit. Lengths do not matter; a column of zeros has
        the cosine 0 with everything.

    Returns
    -------
    Matching
        The pairs and their cosines.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from saelib.recovery import match_directions
    >>> found = match_directions([[1, 0], [0, 1]], [[0, 3, 1], [2, 0, 1]])
    >>> found.units, found.cosines
    (array([1, 0]), array([1., 1.]))
    """
    D, W2 = np.asarray(D, dtype=np.float64), np.asarray(W2, dtype=np.float64)
    if D.ndim != 2 or W2.ndim != 2 or D.shape[1] != W2.shape[0]:
        raise ValueError(
            f"D has shape {D.shape} and W2 has shape {W2.shape}; give (n_directions, n_features) "
            "and (n_features, n_hidden)"
        )
    cosines = _unit(D, axis=1) @ _unit(W2, axis=0)
    directions, units = linear_sum_assignment(cosines, maximize=True)
    return Matching(directions, units, cosines[directions, units], cosines.max(axis=1))


def _unit(vectors: Array, axis: int) -> Array:
    norms = np.linalg.norm(vectors, axis=axis, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


class DictionaryMeasures(NamedTuple):
    """What `dictionary_measures` returns; all are means or shares.

    Attributes
    ----------
    l0 : float
        Active units per example.
    fvu : float
        Share of the variance that is left unexplained; 1 for always answering the mean.
    recovered : float in [0, 1]
        Share of the planted directions whose matched unit has a cosine above 0.9.
    mcc : float in [-1, 1]
        Mean cosine of the matched pairs.
    mmcs : float in [-1, 1]
        Mean over the planted directions of the largest cosine with any unit.
    f1 : float in [0, 1]
        How well the activity of the matched units tells which directions are on: the harmonic
        mean of precision and recall, averaged over the planted directions.
    dead : float in [0, 1]
        Share of the units that are never active.
    scale : float
        Median over recovered directions of learned over true strength, where both are on;
        NaN if none is recovered.
    """

    l0: float
    fvu: float
    recovered: float
    mcc: float
    mmcs: float
    f1: float
    dead: float
    scale: float


def dictionary_measures(
    X: ArrayLike,
    S: ArrayLike,
    D: ArrayLike,
    A: ArrayLike,
    X_hat: ArrayLike,
    W2: ArrayLike,
    *,
    active_above: float = 0.0,
) -> DictionaryMeasures:
    """Measure a learned dictionary and its codes against the planted ones.

    The unexplained share is Eq. (2.3) ``unexplained-variance``, pairs are made by Eq. (12.1)
    ``matching``, and who is on is judged by Eq. (12.2) ``f1-of-a-code``.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        Data, best those that were not trained on.
    S : array_like of shape (n_samples, n_directions)
        The true code.
    D : array_like of shape (n_directions, n_features)
        The planted directions.
    A : array_like of shape (n_samples, n_hidden)
        The learned code of `X`.
    X_hat : array_like of shape (n_samples, n_features)
        The reconstructions.
    W2 : array_like of shape (n_features, n_hidden)
        The learned dictionary.
    active_above : float, at least 0
        A unit counts as active above this value. Sigmoid units, never exactly 0, need more
        than 0.

    Returns
    -------
    DictionaryMeasures
        Numbers by name.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from saelib.planted import planted
    >>> from saelib.recovery import dictionary_measures
    >>> X, S, D = planted(2000, noise=0.0)
    >>> true = dictionary_measures(X, S, D, 0.5 * S, X, D.T)  # the answer, at half its size
    >>> true.recovered, true.f1, true.fvu, true.scale
    (1.0, 1.0, 0.0, 0.5)
    """
    S, A = np.asarray(S), np.asarray(A)
    active_above = real_number("active_above", active_above, low=0.0)
    if len(S) != len(A):
        raise ValueError(
            f"S has {len(S)} rows and A has {len(A)}; both are about the same examples"
        )
    pairs = match_directions(D, W2)
    is_on, fires = S > 0, active_above < A
    on, active = is_on[:, pairs.directions], fires[:, pairs.units]
    both = on & active
    f1 = np.zeros(S.shape[1])
    f1[pairs.directions] = 2 * both.sum(axis=0) / np.maximum(on.sum(axis=0) + active.sum(axis=0), 1)
    found = np.zeros(S.shape[1], dtype=bool)
    found[pairs.directions] = pairs.cosines > 0.9
    scales = [
        A[rows, unit].sum() / S[rows, direction].sum()
        for direction, unit, rows in zip(pairs.directions, pairs.units, both.T, strict=True)
        if found[direction] and rows.any()
    ]
    return DictionaryMeasures(
        l0=float(fires.sum(axis=1).mean()),
        fvu=unexplained_variance(X, X_hat),
        recovered=float(found.mean()),
        mcc=float(pairs.cosines.mean()),
        mmcs=float(pairs.best.mean()),
        f1=float(f1.mean()),
        dead=float(1 - fires.any(axis=0).mean()),
        scale=float(np.median(scales)) if scales else float("nan"),
    )


def shared_units(W2: ArrayLike, other: ArrayLike) -> float:
    """Return which share of the units of two dictionaries is the same, Eq. (12.1) ``matching``.

    Parameters
    ----------
    W2, other : array_like of shape (n_features, n_hidden)
        Two dictionaries with as many columns.

    Returns
    -------
    float in [0, 1]
        Share of the pairs with a cosine above 0.9.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.recovery import shared_units
    >>> shared_units(np.eye(4), np.eye(4)[:, [1, 0, 3, 2]])  # the order does not matter
    1.0
    """
    return float(np.mean(match_directions(np.asarray(W2).T, other).cosines > 0.9))
