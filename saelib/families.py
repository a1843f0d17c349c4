"""Directions that come only with another one, and what a sparse code makes of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import real_number, whole_number
from saelib.planted import spread_directions
from saelib.recovery import match_directions

__all__ = ["Absorption", "Families", "absorption", "planted_families"]

Array = NDArray[np.floating[Any]]


class Families(NamedTuple):
    """Data in which some directions come only with another one, and the answer.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The data, X = S D + noise.
    S : ndarray of shape (n_samples, n_directions)
        The true code: 0 or a positive number.
    D : ndarray of shape (n_directions, n_features)
        The planted directions, one per row, of norm 1: first the parents, then the children of
        the first parent, of the second, and so on.
    parent : ndarray of int, shape (n_directions,)
        Row of each direction's parent; -1 for those that have none.
    """

    X: Array
    S: Array
    D: Array
    parent: NDArray[np.intp]


def planted_families(
    n_samples: int,
    n_features: int = 32,
    n_parents: int = 16,
    n_children: int = 3,
    *,
    n_active: float = 2.0,
    child_share: float = 0.7,
    noise: float = 0.02,
    seed: int | np.random.Generator = 0,
) -> Families:
    """Return data with directions that are on only together with their parent.

    Parents are on or off by themselves, all equally often. Where a parent is on, one of its
    children is on as well with the probability `child_share`, each equally often. Strengths are
    as in `planted`.

    Parameters
    ----------
    n_samples, n_features : int, at least 1
        Examples, and their dimensions.
    n_parents, n_children : int, at least 1
        Directions without a parent, and children of each.
    n_active : float, greater than 0, at most `n_parents`
        Parents that are on in an example, on average.
    child_share : float in [0, 1]
        Probability of a child where its parent is on.
    noise : float, at least 0
        Standard deviation of normal noise on every feature.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    Families
        Data, true code, directions, and who belongs to whom.

    Examples
    --------
    >>> from saelib.families import planted_families
    >>> X, S, D, parent = planted_families(10_000)
    >>> D.shape, parent[16:22]
    ((64, 32), array([0, 0, 0, 1, 1, 1]))
    >>> bool((S[:, 16] > 0)[S[:, 0] == 0].any())  # never without the parent
    False
    """
    m = whole_number("n_samples", n_samples, low=1)
    n = whole_number("n_features", n_features, low=1)
    n_parents = whole_number("n_parents", n_parents, low=1)
    n_children = whole_number("n_children", n_children, low=1)
    n_active = real_number("n_active", n_active, low=0.0, high=float(n_parents))
    child_share = real_number("child_share", child_share, low=0.0, high=1.0)
    noise = real_number("noise", noise, low=0.0)
    rng = np.random.default_rng(seed)
    g = n_parents * (1 + n_children)
    D = spread_directions(g, n, rng)
    parents_on = rng.random((m, n_parents)) < n_active / n_parents
    with_child = parents_on & (rng.random((m, n_parents)) < child_share)
    which = rng.integers(0, n_children, size=(m, n_parents))
    children_on = with_child[:, :, None] & (which[:, :, None] == np.arange(n_children))
    on = np.concatenate([parents_on, children_on.reshape(m, -1)], axis=1)
    S = np.where(on, np.abs(rng.normal(1.0, 0.25, size=(m, g))), 0.0)
    parent = np.concatenate([np.full(n_parents, -1), np.repeat(np.arange(n_parents), n_children)])
    return Families(S @ D + noise * rng.normal(size=(m, n)), S, D, parent)


class Absorption(NamedTuple):
    """How far the units of children have taken over the work of their parents' units.

    Attributes
    ----------
    silent_with_child : float in [0, 1]
        Share of the examples with parent and child on in which the parent's unit is silent.
    silent_alone : float in [0, 1]
        The same for examples in which only the parent is on.
    leak : float in [-2, 2]
        By how much the cosine of the child's unit with the parent is above that of the child.
    """

    silent_with_child: float
    silent_alone: float
    leak: float


def absorption(
    S: ArrayLike, A: ArrayLike, D: ArrayLike, W2: ArrayLike, parent: ArrayLike
) -> Absorption:
    """Measure whether parents are absorbed by their children, Eq. (15.1) ``absorption``.

    The unit of a parent is the one with the largest cosine, that of a child the one of its pair
    by Eq. (12.1) ``matching``. All three numbers are means over the parents or the children.

    Parameters
    ----------
    S : array_like of shape (n_samples, n_directions)
        The true code.
    A : array_like of shape (n_samples, n_hidden)
        The learned code of the same examples.
    D : array_like of shape (n_directions, n_features)
        The planted directions.
    W2 : array_like of shape (n_features, n_hidden)
        The learned dictionary, with at least as many columns as there are directions.
    parent : array_like of int, shape (n_directions,)
        Row of each direction's parent; -1 for those that have none.

    Returns
    -------
    Absorption
        Numbers by name; NaN where no example shows it.

    Raises
    ------
    ValueError
        If no direction has a parent.

    Examples
    --------
    The truth, and a dictionary in which the children's columns hold their parents' as well:

    >>> import numpy as np
    >>> from saelib.families import absorption, planted_families
    >>> X, S, D, parent = planted_families(5000)
    >>> truth = absorption(S, S, D, D.T, parent)
    >>> truth.silent_with_child, truth.silent_alone, round(abs(truth.leak), 6)
    (0.0, 0.0, 0.0)
    >>> S_taken, D_taken = S.copy(), D.copy()
    >>> for child in range(16, 64):
    ...     S_taken[S[:, child] > 0, parent[child]] = 0
    ...     D_taken[child] += D[parent[child]]
    >>> taken = absorption(S, S_taken, D, D_taken.T, parent)
    >>> taken.silent_with_child, taken.silent_alone, taken.leak > 0.5
    (1.0, 0.0, True)
    """
    parent = np.asarray(parent)
    children = np.flatnonzero(parent >= 0)
    if children.size == 0:
        raise ValueError("parent holds no row of a parent; absorption is about children")
    pairs = match_directions(D, W2)
    planted, learned = np.asarray(D, dtype=np.float64), np.asarray(W2, dtype=np.float64)
    planted = planted / np.linalg.norm(planted, axis=1, keepdims=True)
    lengths = np.linalg.norm(learned, axis=0)
    cosines = planted @ (learned / np.where(lengths > 0, lengths, 1))
    unit = dict(zip(pairs.directions, pairs.units, strict=True))
    leaks = [
        cosines[parent[child], unit[child]] - planted[parent[child]] @ planted[child]
        for child in children
        if child in unit
    ]
    is_on, fires = np.asarray(S) > 0, np.asarray(A) > 0
    silent: dict[bool, list[float]] = {True: [], False: []}
    for r in np.unique(parent[children]):
        silent_unit = ~fires[:, cosines[r].argmax()]
        child_on = is_on[:, parent == r].any(axis=1)
        for with_child in (True, False):
            rows = is_on[:, r] & (child_on == with_child)
            if rows.any():
                silent[with_child].append(float(silent_unit[rows].mean()))
    means = {key: float(np.mean(rates)) if rates else np.nan for key, rates in silent.items()}
    return Absorption(means[True], means[False], float(np.mean(leaks)))
