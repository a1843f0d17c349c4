"""What hidden units look for, and how good a learned dictionary and its codes are."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from saelib._magnitude import magnitude
from saelib._validation import activation_named, plain_array, real_number, whole_number

__all__ = [
    "GaborFit",
    "TuningCurve",
    "active_share",
    "dead_units",
    "edge_like",
    "edge_strength",
    "feature_kinds",
    "fit_gabor",
    "gabor",
    "gini",
    "kurtosis",
    "maximal_inputs",
    "noise_units",
    "tuning_curve",
    "unexplained_variance",
]

Array = NDArray[np.float64]

# A function of eight numbers fits small patches of noise better than one might think, so the
# share of variance explained cannot be compared across patch sizes; `edge_strength` can. The null
# is noise without the highest frequencies, like that of whitened images, since what training
# does not determine in a filter is noise of this kind; white noise is fitted much less well.
# Limits for the strength: the second keeps out all but three in a thousand patches of such noise
# at every size from 6x6 on, the first all but one or two in a hundred.
_NOISE_STRENGTH, _EDGE_STRENGTH = 5.5, 8.0
_FITTED_NUMBERS = 8
_MIN_SIDE = 6


def _matrix(name: str, values: ArrayLike, shape: str) -> Array:
    array = plain_array(name, values, np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; give {shape}, not empty")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds NaN or infinity; every entry must be finite")
    return array


def _side(W: Array) -> int:
    side = round(W.shape[1] ** 0.5)
    if side * side != W.shape[1] or side < _MIN_SIDE:
        raise ValueError(
            f"W has {W.shape[1]} columns; filters must be squares of at least {_MIN_SIDE}x"
            f"{_MIN_SIDE} pixels, since smaller ones are too few numbers to tell an edge from noise"
        )
    return side


def maximal_inputs(W1: ArrayLike) -> Array:
    """Return, for every hidden unit, the input of norm 1 that excites it most.

    Eq. (7.1) ``maximal-input``, CS294A p. 18: x_k = W_jk / sqrt(Σ_k' W_jk'²). The activation is
    f(W_j · x + b_j) with a rising f, so it is greatest where x points along W_j.

    Parameters
    ----------
    W1 : array_like of shape (n_hidden, n_features)
        Weights into the hidden layer, one unit per row.

    Returns
    -------
    ndarray of shape (n_hidden, n_features)
        Rows of norm 1. A unit whose weights are all 0 answers the same to every input; its row
        stays 0.

    Raises
    ------
    ValueError
        If `W1` is not 2-D, is empty or holds NaN or infinity.

    Examples
    --------
    >>> from saelib import maximal_inputs
    >>> maximal_inputs([[3.0, 4.0], [0.0, -2.0]])
    array([[ 0.6,  0.8],
           [ 0. , -1. ]])
    """
    W1 = _matrix("W1", W1, "(n_hidden, n_features)")
    # Scaling by the largest entry first keeps the squares from over- or underflowing.
    largest = np.abs(W1).max(axis=1, keepdims=True)
    scaled = np.divide(W1, largest, out=np.zeros_like(W1), where=largest > 0)
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.divide(scaled, norm, out=np.zeros_like(W1), where=norm > 0)


def gabor(
    side: int,
    x: float,
    y: float,
    orientation: float,
    frequency: float,
    width: float,
    length: float,
    phase: float = 0.0,
) -> Array:
    """Return a Gabor function: a grating under a Gaussian window, the textbook edge detector.

    Eq. (7.2) ``gabor``, Jones & Palmer (1987)::

        u =  (column - x) cos(orientation) + (row - y) sin(orientation)
        v = -(column - x) sin(orientation) + (row - y) cos(orientation)
        g = exp(-u² / (2 width²) - v² / (2 length²)) cos(2π frequency u + phase)

    Parameters
    ----------
    side : int
        Side of the patch in pixels.
    x, y : float
        Centre, column and row in pixels counted from 0.
    orientation : float
        Direction across the stripes, in radians.
    frequency : float
        Stripes per pixel, 0 to 0.5.
    width, length : float
        Standard deviations of the window across and along the stripes, in pixels.
    phase : float
        In radians; 0 puts a bright stripe in the centre, π/2 an edge.

    Returns
    -------
    ndarray of shape (side, side)
        Values in [-1, 1].

    Examples
    --------
    >>> from saelib.features import gabor
    >>> gabor(3, x=1, y=1, orientation=0, frequency=0.5, width=9, length=9).round(1)
    array([[-1.,  1., -1.],
           [-1.,  1., -1.],
           [-1.,  1., -1.]])
    """
    row, column = np.mgrid[:side, :side].astype(np.float64)
    u = (column - x) * np.cos(orientation) + (row - y) * np.sin(orientation)
    v = -(column - x) * np.sin(orientation) + (row - y) * np.cos(orientation)
    window = np.exp(-(u**2) / (2 * width**2) - v**2 / (2 * length**2))
    wave: Array = np.cos(2 * np.pi * frequency * u + phase)
    return window * wave


class GaborFit(NamedTuple):
    """Gabor functions fitted to filters; every attribute has shape (n_hidden,).

    Attributes
    ----------
    x, y, orientation, frequency, width, length, phase : ndarray
        The parameters of `gabor`; orientation in [0, π).
    amplitude : ndarray
        Factor of the Gabor function.
    r2 : ndarray
        Share of the filter's variance about its mean that the fit explains, 0 to 1.
    """

    x: Array
    y: Array
    orientation: Array
    frequency: Array
    width: Array
    length: Array
    phase: Array
    amplitude: Array
    r2: Array


def _shape_pair(side: int, shape: ArrayLike) -> tuple[Array, Array]:
    """Return the Gabor function in cosine and in sine phase, flat and without their means.

    The same as two calls of `gabor`, but quick: it is called some 100 times for every filter.
    """
    x, y, orientation, frequency, log_width, log_length = np.asarray(shape).tolist()
    row, column = _pixels(side)
    cosine, sine = math.cos(orientation), math.sin(orientation)
    u = (column - x) * cosine + (row - y) * sine
    v = (row - y) * cosine - (column - x) * sine
    window = np.exp(-(u**2) / (2 * math.exp(2 * log_width)) - v**2 / (2 * math.exp(2 * log_length)))
    angle = 2 * math.pi * frequency * u
    even, odd = window * np.cos(angle), window * np.sin(angle)
    return even - even.mean(), odd - odd.mean()


@lru_cache(maxsize=8)
def _pixels(side: int) -> tuple[Array, Array]:
    row, column = np.mgrid[:side, :side].reshape(2, -1).astype(np.float64)
    return row, column


def _orthonormal(even: Array, odd: Array) -> tuple[Array, Array]:
    """Return an orthonormal pair with the same span; a vector of zeros where there is none."""
    first = even / (math.sqrt(even @ even) or 1.0)
    second = odd - first * (first @ odd)
    norm = math.sqrt(second @ second)
    # Very low frequencies make the sine nearly nothing, or nearly the cosine again.
    usable = norm > 1e-9 * max(1.0, math.sqrt(odd @ odd))
    return first, second / norm if usable else np.zeros_like(second)


@lru_cache(maxsize=2)
def _coarse_grid(side: int) -> tuple[Array, NDArray[np.float32], NDArray[np.float32]]:
    """Return shapes on a grid, and for each an orthonormal pair that spans all its phases."""
    centres = np.linspace(0, side - 1, min(side, 8))
    shapes = [
        (x, y, orientation, frequency, np.log(width), np.log(aspect * width))
        for orientation in np.arange(8) * np.pi / 8
        for frequency in (0.06, 0.1, 0.16, 0.24, 0.34)
        for width in (side / 8, side / 5, side / 3)
        for aspect in (1.0, 1.8)
        for x in centres
        for y in centres
    ]
    first = np.empty((len(shapes), side * side), dtype=np.float32)
    second = np.empty_like(first)
    for k, shape in enumerate(shapes):
        first[k], second[k] = _orthonormal(*_shape_pair(side, shape))
    return np.array(shapes), first, second


def fit_gabor(W: ArrayLike) -> GaborFit:
    """Fit a Gabor function to every filter.

    A grid of shapes finds the starting point, least squares over centre, orientation,
    frequency and window refine it. Amplitude and phase enter linearly, and are solved for
    exactly at every step; a constant is fitted along, since training fixes it only weakly.

    Parameters
    ----------
    W : array_like of shape (n_hidden, side * side)
        One square filter per row, at least 6x6 pixels.

    Returns
    -------
    fit : GaborFit
        Parameters and the share of variance explained.

    Raises
    ------
    ValueError
        If the filters are not square, smaller than 6x6 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import fit_gabor, gabor
    >>> w = gabor(8, x=3, y=4, orientation=1.0, frequency=0.2, width=1.5, length=2.5, phase=0.7)
    >>> fit = fit_gabor(w.reshape(1, -1))
    >>> round(float(fit.r2[0]), 4), round(float(fit.orientation[0]), 3)
    (1.0, 1.0)
    """
    W = _matrix("W", W, "(n_hidden, side * side)")
    side, exponent = _side(W), magnitude(W)
    W = np.ldexp(W, -exponent)
    centred = W - W.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    # What is left of a flat filter is rounding, which must not be blown up into a pattern.
    norm[norm <= 1e-12 * np.linalg.norm(W, axis=1, keepdims=True)] = 0
    unit = np.divide(centred, norm, out=np.zeros_like(W), where=norm > 0)
    shapes, first, second = _coarse_grid(side)
    single = unit.astype(np.float32)
    power = (single @ first.T) ** 2 + (single @ second.T) ** 2
    starts = shapes[power.argmax(axis=1)]
    rows = [_refine(side, w, start) for w, start in zip(unit, starts, strict=True)]
    fit = GaborFit(*np.array(rows).T)
    return fit._replace(
        amplitude=np.ldexp(fit.amplitude * norm[:, 0], exponent),
        r2=np.where(norm[:, 0] > 0, fit.r2, 0),
    )


def _refine(side: int, w: Array, start: Array) -> tuple[float, ...]:
    low = np.array([-1.0, -1.0, -np.inf, 0.01, np.log(0.5), np.log(0.5)])
    high = np.array([side, side, np.inf, 0.5, np.log(2 * side), np.log(2 * side)])

    def residual_of(shape: Array) -> Array:
        first, second = _orthonormal(*_shape_pair(side, shape))
        return w - first * (first @ w) - second * (second @ w)

    result = least_squares(
        residual_of,
        np.clip(start, low + 1e-6, high - 1e-6),
        bounds=(low, high),
        max_nfev=30,
        xtol=1e-6,
        ftol=1e-6,
    )
    even, odd = np.linalg.lstsq(np.stack(_shape_pair(side, result.x), axis=1), w, rcond=None)[0]
    residual = residual_of(result.x)
    x, y, orientation, frequency, log_width, log_length = result.x
    amplitude, phase = np.hypot(even, odd), np.arctan2(-odd, even)
    if orientation % (2 * np.pi) >= np.pi:
        phase = -phase  # a grating seen from the other side runs backwards
    r2 = 1.0 - float(residual @ residual)
    return (
        x,
        y,
        orientation % np.pi,
        frequency,
        float(np.exp(log_width)),
        float(np.exp(log_length)),
        phase,
        amplitude,
        r2,
    )


class TuningCurve(NamedTuple):
    """How strongly a unit answers to gratings of every orientation and frequency.

    Attributes
    ----------
    orientations : ndarray of shape (n_orientations,)
        Directions across the stripes, in radians, from 0 up to but without π.
    frequencies : ndarray of shape (n_frequencies,)
        Stripes per pixel.
    response : ndarray of shape (n_orientations, n_frequencies)
        Amplitude of w · grating at the best phase, for gratings of contrast 1.
    """

    orientations: Array
    frequencies: Array
    response: Array


def tuning_curve(w: ArrayLike, n_orientations: int = 36, n_frequencies: int = 24) -> TuningCurve:
    """Return a unit's answer to gratings, as physiologists measure it for neurons.

    Parameters
    ----------
    w : array_like of shape (side * side,)
        The unit's weights, at least 6x6 pixels.
    n_orientations, n_frequencies : int
        How finely to sample the half circle, and the frequencies from 0.02 to 0.5.

    Returns
    -------
    tuning : TuningCurve
        Orientations, frequencies and the response to each pair.

    Raises
    ------
    ValueError
        If `w` is not the weights of a square filter of at least 6x6 pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import gabor, tuning_curve
    >>> w = gabor(12, x=5.5, y=5.5, orientation=np.pi / 4, frequency=0.2, width=3, length=3)
    >>> tuning = tuning_curve(w.ravel())
    >>> best, _ = np.unravel_index(tuning.response.argmax(), tuning.response.shape)
    >>> round(float(np.degrees(tuning.orientations[best])))
    45
    """
    weights = plain_array("w", w, np.float64)
    if weights.ndim != 1:
        raise ValueError(f"w has shape {weights.shape}; give the weights of one unit, (side**2,)")
    weights = _matrix("w", weights[None, :], "(side * side,)")
    _side(weights)
    n_orientations = whole_number("n_orientations", n_orientations, low=1)
    n_frequencies = whole_number("n_frequencies", n_frequencies, low=1)
    orientations = np.arange(n_orientations) * np.pi / n_orientations
    frequencies = np.linspace(0.02, 0.5, n_frequencies)
    return TuningCurve(orientations, frequencies, _responses(weights, orientations, frequencies)[0])


def _responses(W: Array, orientations: Array, frequencies: Array) -> Array:
    """Return the amplitudes of w · grating, (n_hidden, n_orientations, n_frequencies)."""
    side = _side(W)
    row, column = np.mgrid[:side, :side].reshape(2, -1)
    across = np.outer(np.cos(orientations), column) + np.outer(np.sin(orientations), row)
    waves = np.exp(2j * np.pi * frequencies[None, :, None] * across[:, None, :])
    centred = W - W.mean(axis=1, keepdims=True)
    return np.moveaxis(np.abs(waves @ centred.T), -1, 0)


def _selectivity(W: Array) -> Array:
    """Return 1 - (answer at right angles) / (best answer), both at the best frequency."""
    n = 36
    response = _responses(W, np.arange(n) * np.pi / n, np.linspace(0.02, 0.5, 24))
    best, frequency = np.divmod(response.reshape(len(W), -1).argmax(axis=1), response.shape[2])
    unit = np.arange(len(W))
    highest = response[unit, best, frequency]
    orthogonal = response[unit, (best + n // 2) % n, frequency]
    return 1 - np.divide(orthogonal, highest, out=np.ones(len(W)), where=highest > 0)


@lru_cache(maxsize=32)
def _independent_pixels(side: int) -> float:
    """Return how many independent numbers a patch of smooth noise holds, its mean apart.

    The effective number of degrees of freedom, (trace C)² / trace C² for the covariance C of the
    noise that the filter of `whiten` leaves of white noise (Satterthwaite 1946): 17 for 6x6
    pixels, 30 for 8x8, 47 for 10x10.
    """
    n = 8 * side  # large enough for opposite borders not to meet
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(n))
    similarity = np.fft.ifft2(np.exp(-2 * (frequency / 0.4) ** 4)).real
    row, column = np.mgrid[:side, :side].reshape(2, -1)
    C = similarity[(row[:, None] - row) % n, (column[:, None] - column) % n]
    C = C - C.mean(axis=0) - C.mean(axis=1)[:, None] + C.mean()
    return float(np.trace(C) ** 2 / np.sum(C * C))


def edge_strength(r2: ArrayLike, side: int) -> Array:
    """Return by how much a Gabor function stands out from what it leaves unexplained.

    The F ratio of a regression: the variance explained per fitted number, of which there are 8,
    over the variance left per independent number that is left. Smooth noise is taken as the rest;
    neighbouring pixels of it go together, so that 8x8 pixels hold only 30 independent numbers.

    Unlike R², the ratio compares patches of different sizes: a wider margin of noise around the
    same edge leaves it as it was, and noise alone reaches the same values at every size (1 in 100
    of its patches 5.1 to 5.9).

    Parameters
    ----------
    r2 : array_like of shape (n_hidden,)
        Share of the variance that the fit explains, 0 to 1: ``fit_gabor(W).r2``.
    side : int, at least 6
        Side of the patch in pixels.

    Returns
    -------
    ndarray of shape (n_hidden,)
        0 for nothing explained, infinite for everything.

    Raises
    ------
    ValueError
        If `side` is below 6 or `r2` not within 0 and 1.

    Examples
    --------
    >>> from saelib.features import edge_strength
    >>> edge_strength([0.5, 0.75], side=8).round(1)
    array([2.8, 8.4])
    >>> edge_strength([0.5, 0.75], side=12).round(1)
    array([ 7.4, 22.1])
    """
    side = whole_number("side", side, low=_MIN_SIDE)
    explained = np.asarray(r2, dtype=np.float64)
    if not np.all((explained >= 0) & (explained <= 1 + 1e-9)):
        raise ValueError(f"r2 holds {explained.min():g} to {explained.max():g}; it must be 0 to 1")
    explained = np.minimum(explained, 1)
    per_number = (_independent_pixels(side) - _FITTED_NUMBERS) / _FITTED_NUMBERS
    left = 1 - explained
    return per_number * np.divide(
        explained, left, out=np.full_like(explained, np.inf), where=left > 0
    )


def edge_like(W: ArrayLike) -> NDArray[np.bool_]:
    """Return which filters are edge detectors.

    A filter counts if a Gabor function stands out from the rest of it, `edge_strength` at least
    8, and if its answer to gratings at right angles to the best ones is at most half the best
    answer. Gabor functions describe the receptive fields of simple cells (Jones & Palmer 1987;
    Ringach 2002); the second condition keeps out round blobs, which a Gabor function can fit as
    well.

    The limit is the same for all patch sizes; in terms of R² it is 0.87 for 6x6 pixels, 0.74 for
    8x8, 0.62 for 10x10 and 0.52 for 12x12. It lets pass at most three in a thousand patches of
    smooth noise; the chapter *Visualization* says how many edges it misses.

    Only the shape of the weights is judged. `feature_kinds` sets apart units that are never
    active, and edges of which the patch shows only a part.

    Parameters
    ----------
    W : array_like of shape (n_hidden, side * side)
        One square filter per row, at least 6x6 pixels.

    Returns
    -------
    ndarray of bool of shape (n_hidden,)
        True for edge-like units.

    Raises
    ------
    ValueError
        If the filters are not square, smaller than 6x6 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import edge_like, gabor
    >>> edge = gabor(8, x=3.5, y=3.5, orientation=0.5, frequency=0.15, width=2, length=3)
    >>> noise = np.random.default_rng(0).normal(size=(8, 8))
    >>> edge_like([edge.ravel(), noise.ravel()])
    array([ True, False])
    """
    W = _matrix("W", W, "(n_hidden, side * side)")
    return _is_edge(W, fit_gabor(W))


def _is_edge(W: Array, fit: GaborFit) -> NDArray[np.bool_]:
    strong = edge_strength(fit.r2, _side(W)) >= _EDGE_STRENGTH
    return np.asarray(strong & (_selectivity(W) >= 0.5))


def feature_kinds(
    W: ArrayLike, A: ArrayLike | None = None, activation: str = "sigmoid"
) -> NDArray[np.str_]:
    """Return what every filter is, in one word.

    Parameters
    ----------
    W : array_like of shape (n_hidden, side * side)
        One square filter per row, at least 6x6 pixels.
    A : array_like of shape (n_samples, n_hidden), optional
        Activations of the units; without them no unit is called dead.
    activation : {"sigmoid", "tanh"}
        The activation function of `A`.

    Returns
    -------
    ndarray of str of shape (n_hidden,)
        ``"dead"`` where the activations hardly change (`dead_units`), whatever the weights look
        like. Else ``"edge"`` or ``"cut"`` for edge-like filters (`edge_like`): the centre of the
        fitted Gabor function lies within the patch, or outside of it, so that the border cuts the
        stroke and its place is only guessed. Else ``"noise"`` (`noise_units`), or ``"other"``
        for what is neither edge nor noise.

    Raises
    ------
    ValueError
        If the filters are not square, smaller than 6x6 or not finite, or `A` has not one column
        per filter.

    Examples
    --------
    >>> from collections import Counter
    >>> import numpy as np
    >>> from saelib.features import feature_kinds, gabor
    >>> shape = {"orientation": 0.5, "frequency": 0.15, "width": 2, "length": 3}
    >>> edge = gabor(8, x=3.5, y=3.5, **shape)
    >>> cut = gabor(8, x=-1.0, y=3.5, **shape)
    >>> noise = np.random.default_rng(0).normal(size=(8, 8))
    >>> feature_kinds([edge.ravel(), cut.ravel(), noise.ravel()]).tolist()
    ['edge', 'cut', 'noise']
    """
    W = _matrix("W", W, "(n_hidden, side * side)")
    side, fit = _side(W), fit_gabor(W)
    inside = (np.minimum(fit.x, fit.y) >= -0.5) & (np.maximum(fit.x, fit.y) <= side - 0.5)
    kinds = np.full(len(W), "other", dtype="<U5")
    kinds[edge_strength(fit.r2, side) < _NOISE_STRENGTH] = "noise"
    edges = _is_edge(W, fit)
    kinds[edges & inside] = "edge"
    kinds[edges & ~inside] = "cut"
    if A is not None:
        dead = dead_units(A, activation)
        if len(dead) != len(W):
            raise ValueError(
                f"A has {len(dead)} columns and W {len(W)} rows; give the activations of the units "
                "of W, one per column"
            )
        kinds[dead] = "dead"
    return kinds


def noise_units(W: ArrayLike) -> NDArray[np.bool_]:
    """Return which filters no Gabor function fits better than it fits noise.

    The limit is an `edge_strength` of 5.5, which all but one or two in a hundred patches of smooth
    noise stay below, at every size. Between noise and edges there is room for filters that are
    neither.

    Parameters
    ----------
    W : array_like of shape (n_hidden, side * side)
        One square filter per row, at least 6x6 pixels.

    Returns
    -------
    ndarray of bool of shape (n_hidden,)
        True for units without structure, those with weights of 0 included.

    Raises
    ------
    ValueError
        If the filters are not square, smaller than 6x6 or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import noise_units
    >>> bool(noise_units(np.random.default_rng(0).normal(size=(20, 100))).all())
    True
    """
    W = _matrix("W", W, "(n_hidden, side * side)")
    return np.asarray(edge_strength(fit_gabor(W).r2, _side(W)) < _NOISE_STRENGTH)


def dead_units(
    A: ArrayLike, activation: str = "sigmoid", threshold: float = 0.1
) -> NDArray[np.bool_]:
    """Return which hidden units answer the same to everything, or nearly so.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Hidden activations.
    activation : {"sigmoid", "tanh"}
        The activation function, which sets the range.
    threshold : float in (0, 1)
        A unit is dead if its activations spread over less than this share of the range.

    Returns
    -------
    ndarray of bool of shape (n_hidden,)
        True for dead units, whether they are always off or always on. With the default
        threshold a sigmoid unit that never rises above 0.1 is dead.

    Raises
    ------
    ValueError
        If `A` is not 2-D or an argument is out of its range.

    Examples
    --------
    >>> from saelib.features import dead_units
    >>> dead_units([[0.01, 0.0], [0.02, 0.9]])
    array([ True, False])
    """
    f = activation_named("activation", activation, ("sigmoid", "tanh"))
    threshold = real_number("threshold", threshold, low=0.0, high=1.0, open_ends=True)
    A = _matrix("A", A, "(n_samples, n_hidden)")
    return np.asarray(np.ptp(A, axis=0) < threshold * (f.high - f.low))


def unexplained_variance(X: ArrayLike, Y: ArrayLike) -> float:
    """Return the fraction of the variance of X that its reconstruction Y leaves unexplained.

    Eq. (2.3) ``unexplained-variance``: Σ ‖x - y‖² / Σ ‖x - mean‖².

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        The data, not all rows alike.
    Y : array_like of shape (n_samples, n_features)
        Their reconstructions.

    Returns
    -------
    float
        0 for a perfect reconstruction, 1 for one no better than the mean, more for a worse one.

    Raises
    ------
    ValueError
        If the shapes differ or X does not vary.

    Examples
    --------
    >>> from saelib.features import unexplained_variance
    >>> unexplained_variance([[0.0], [2.0]], [[1.0], [1.0]])
    1.0
    """
    X, Y = _matrix("X", X, "(n_samples, n_features)"), _matrix("Y", Y, "(n_samples, n_features)")
    if X.shape != Y.shape:
        raise ValueError(f"X has shape {X.shape} and Y has shape {Y.shape}; they must be equal")
    if not np.any(np.ptp(X, axis=0)):
        raise ValueError("all rows of X are alike; there is no variance to explain")
    # The share has no unit, so the squares may be those of numbers near 1.
    exponent = magnitude(X)
    with np.errstate(over="ignore"):  # what is then infinite is too large a share for a float
        X, Y = np.ldexp(X, -exponent), np.ldexp(Y, -exponent)
        return float(np.sum((X - Y) ** 2) / np.sum((X - X.mean(axis=0)) ** 2))


def gini(A: ArrayLike) -> Array:
    """Return the Gini index of every row: how unequally the activity is shared out.

    Eq. (7.3) ``gini``, Hurley & Rickard (2009): with the n values of a row sorted upwards,
    G = 1 - 2 Σ_k (a_(k) / Σ a) (n - k + 1/2) / n.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Activations, at least 0, as those of sigmoid units are.

    Returns
    -------
    ndarray of shape (n_samples,)
        0 if all units are equally active, 1 - 1/n if one alone is; 0 for a row of zeros.

    Raises
    ------
    ValueError
        If `A` is not 2-D or holds negative numbers.

    Examples
    --------
    >>> from saelib.features import gini
    >>> gini([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 2.0]])
    array([0.  , 0.75])
    """
    A = _matrix("A", A, "(n_samples, n_hidden)")
    if A.min() < 0:
        raise ValueError(
            f"A holds {A.min():.6g}; the Gini index is for activity of at least 0. Map tanh "
            "activations to (1 + A) / 2 first"
        )
    n = A.shape[1]
    weight = (n - np.arange(1, n + 1) + 0.5) / n
    total = A.sum(axis=1)
    share = np.divide(np.sort(A, axis=1) @ weight, total, out=np.full(len(A), 0.5), where=total > 0)
    return 1 - 2 * share


def kurtosis(A: ArrayLike) -> Array:
    """Return the excess kurtosis of every unit's activations: how heavy their tails are.

    Eq. (7.4) ``kurtosis``, Field (1994): mean of ((a - mean) / sd)^4, minus 3.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Activations.

    Returns
    -------
    ndarray of shape (n_hidden,)
        0 for a Gaussian, large for a unit that is silent most of the time and strong rarely;
        NaN for a unit that never changes.

    Raises
    ------
    ValueError
        If `A` is not 2-D, empty or not finite.

    Examples
    --------
    >>> from saelib.features import kurtosis
    >>> kurtosis([[0.0], [0.0], [0.0], [0.0], [1.0]]).round(3)
    array([0.25])
    """
    A = _matrix("A", A, "(n_samples, n_hidden)")
    deviation = A - A.mean(axis=0)
    varies = np.ptp(A, axis=0) > 0
    # Kurtosis has no unit; scaling first keeps fourth powers of tiny numbers from vanishing.
    largest = np.abs(deviation).max(axis=0)
    deviation = np.divide(deviation, largest, out=np.zeros_like(A), where=varies)
    variance = np.mean(deviation**2, axis=0)
    fourth = np.mean(deviation**4, axis=0)
    return np.divide(fourth, variance**2, out=np.full(A.shape[1], np.nan), where=varies) - 3


def active_share(A: ArrayLike, threshold: float = 0.5) -> Array:
    """Return the share of hidden units above a threshold, for every example.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Activations.
    threshold : float
        A unit is on if its activation is greater than this.

    Returns
    -------
    ndarray of shape (n_samples,)
        Shares from 0 to 1.

    Raises
    ------
    ValueError
        If `A` is not 2-D, empty or not finite.

    Examples
    --------
    >>> from saelib.features import active_share
    >>> active_share([[0.9, 0.1, 0.0, 0.2], [0.6, 0.7, 0.1, 0.0]])
    array([0.25, 0.5 ])
    """
    return np.asarray(np.mean(_matrix("A", A, "(n_samples, n_hidden)") > threshold, axis=1))
