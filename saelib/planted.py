"""Data with a known answer: sparse sums of directions that we have chosen ourselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from saelib._validation import real_number, whole_number

__all__ = ["Planted", "planted", "spread_directions"]

Array = NDArray[np.floating[Any]]


class Planted(NamedTuple):
    """Data, and the answer.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The data, X = S D + noise.
    S : ndarray of shape (n_samples, n_directions)
        The true code: 0 or a positive number.
    D : ndarray of shape (n_directions, n_features)
        The planted directions, one per row, of norm 1.
    """

    X: Array
    S: Array
    D: Array


def spread_directions(n_directions: int, n_features: int, seed: int | np.random.Generator) -> Array:
    """Return directions that keep out of each other's way as well as there is room.

    Random directions of norm 1 are pushed apart in 200 small steps.

    Parameters
    ----------
    n_directions : int, at least 1
        How many.
    n_features : int, at least 1
        In how many dimensions.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    ndarray of shape (n_directions, n_features)
        Rows of norm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.planted import spread_directions
    >>> D = spread_directions(64, 32, seed=0)
    >>> float(np.abs(D @ D.T - np.eye(64)).max().round(1))  # cosine of the closest two
    0.3
    """
    rng = np.random.default_rng(seed)
    D = rng.normal(size=(n_directions, n_features))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    for _ in range(200):
        cosines = D @ D.T
        np.fill_diagonal(cosines, 0)
        D -= 0.05 * cosines**3 @ D
        D /= np.linalg.norm(D, axis=1, keepdims=True)
    return D


def planted(
    n_samples: int,
    n_features: int = 32,
    n_directions: int = 64,
    *,
    n_active: float = 3.0,
    zipf: float = 0.5,
    noise: float = 0.02,
    correlation: float = 0.0,
    seed: int | np.random.Generator = 0,
) -> Planted:
    """Return data that are sums of a few of many planted directions.

    Each direction is on or off by itself, unless there is a correlation. Their frequencies fall
    like rank to the power of ``-zipf``. What is on has a strength of about 1 (normal, standard
    deviation 1/4, absolute).

    Parameters
    ----------
    n_samples : int, at least 1
        Examples.
    n_features, n_directions : int, at least 1
        Dimensions, and directions planted in them.
    n_active : float, greater than 0
        Directions that are on in an example, on average. No direction is on in more than 90 % of
        the examples.
    zipf : float, at least 0
        0 makes all directions equally frequent.
    noise : float, at least 0
        Standard deviation of normal noise on every feature.
    correlation : float in [0, 1)
        Whether a direction is on is decided by a normal number. This is the correlation of those
        of directions whose places differ by a multiple of ``max(2, n_directions // 8)``; others
        are independent.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    Planted
        Data, true code and directions.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.planted import planted
    >>> X, S, D = planted(10_000, noise=0.0)
    >>> X.shape, float((S > 0).sum(axis=1).mean().round(1)), bool(np.allclose(X, S @ D))
    ((10000, 32), 3.0, True)
    """
    m = whole_number("n_samples", n_samples, low=1)
    n = whole_number("n_features", n_features, low=1)
    g = whole_number("n_directions", n_directions, low=1)
    n_active = real_number("n_active", n_active, low=0.0, open_ends=True)
    zipf = real_number("zipf", zipf, low=0.0)
    noise = real_number("noise", noise, low=0.0)
    rng = np.random.default_rng(seed)
    D = spread_directions(g, n, rng)
    frequency = np.arange(1, g + 1.0) ** -zipf
    frequency = np.minimum(n_active * frequency / frequency.sum(), 0.9)
    correlation = real_number("correlation", correlation, low=0.0, high=1.0)
    if correlation:
        on = _together((m, g), frequency, correlation, rng)
    else:
        on = rng.random((m, g)) < frequency
    S = np.where(on, np.abs(rng.normal(1.0, 0.25, size=(m, g))), 0.0)
    return Planted(S @ D + noise * rng.normal(size=(m, n)), S, D)


def _together(
    shape: tuple[int, int], frequency: Array, correlation: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return who is on if directions of one group depend on a number that they share."""
    m, g = shape
    n_groups = max(2, g // 8)
    shared = rng.normal(size=(m, n_groups))[:, np.arange(g) % n_groups]
    own = rng.normal(size=shape)
    decides = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return np.asarray(decides < ndtri(frequency))
