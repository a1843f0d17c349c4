"""Rules in which every unit learns a threshold of its own: JumpReLU and Gated.

Both keep a weighted input as it is if it is above the threshold of its unit, Eq. (14.1)
``own-threshold``. They differ in how the threshold learns, since the cost as a function of it is
a staircase, whose derivative is 0 wherever there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import real_number
from saelib.codes import Code, Lesson, kept
from saelib.parameters import Parameters

__all__ = [
    "Gated",
    "JumpReLU",
    "in_window",
    "straight_through",
    "threshold_difference",
    "threshold_of_gate",
]

Array = NDArray[np.floating[Any]]


def in_window(Z: Array, threshold: ArrayLike, bandwidth: float) -> NDArray[np.bool_]:
    """Tell which weighted inputs a threshold passes when it moves across a window.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_hidden)
        Weighted inputs.
    threshold : array_like of shape (n_hidden,), or float
        Middle of the window.
    bandwidth : float, greater than 0
        Its width.

    Returns
    -------
    within : ndarray of bool, of the shape of `Z`
        Those that are on with the threshold at the lower edge and off with it at the upper one.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.thresholds import in_window
    >>> in_window(np.array([[0.3, 0.45, 0.6, 0.7]]), threshold=0.5, bandwidth=0.2)
    array([[False,  True,  True, False]])
    """
    t, half = np.asarray(threshold, Z.dtype), Z.dtype.type(bandwidth / 2)
    return (t - half < Z) & (t + half >= Z)


def straight_through(
    Z: Array, back: Array, threshold: ArrayLike, sparsity_weight: float, bandwidth: float
) -> Array:
    """Return the estimate in place of the derivative by the thresholds.

    Eq. (14.5) ``straight-through``, the rule of JumpReLU.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_hidden)
        Weighted inputs.
    back : ndarray of the shape of `Z`
        ``n_samples`` times the derivatives of the squared error by the activations: the error
        of the output times W2.
    threshold : array_like of shape (n_hidden,), or float
        Thresholds.
    sparsity_weight : float
        Price of an active unit, beta.
    bandwidth : float, greater than 0
        Width of the window, two steps of a central difference.

    Returns
    -------
    ndarray of shape (n_hidden,)
        One number per threshold.

    Examples
    --------
    One example of two lies in the window; the error wants the unit on, by -1 per activation:

    >>> import numpy as np
    >>> from saelib.thresholds import straight_through
    >>> Z, back = np.array([[0.45], [2.0]]), np.array([[-1.0], [0.3]])
    >>> straight_through(Z, back, 0.5, sparsity_weight=0.1, bandwidth=0.2).round(12)
    array([1.])
    """
    t = np.asarray(threshold, Z.dtype)
    window = in_window(Z, t, bandwidth)
    terms = np.where(window, t * back + Z.dtype.type(sparsity_weight), 0)
    return np.asarray(-terms.sum(axis=0) / (len(Z) * Z.dtype.type(bandwidth)))


def threshold_difference(
    X: Array,
    parameters: Parameters,
    threshold: ArrayLike,
    sparsity_weight: float,
    bandwidth: float,
) -> Array:
    """Return the central differences of the cost by the thresholds, without moving any.

    Eq. (14.4) ``threshold-difference``. The squared error is a parabola in each activation, so
    the mean of its slopes at both ends, times the distance, is the exact difference.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        A batch.
    parameters : Parameters
        Weights and biases.
    threshold : array_like of shape (n_hidden,), or float
        Thresholds; at least half of `bandwidth`, since nothing negative is ever on.
    sparsity_weight : float
        Price of an active unit, beta.
    bandwidth : float, greater than 0
        Twice the step of the difference.

    Returns
    -------
    ndarray of shape (n_hidden,)
        For each threshold what moving it alone by half of `bandwidth` up and down gives.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters
    >>> from saelib.thresholds import threshold_difference
    >>> unit = Parameters(W1=[[1.0]], W2=[[1.0]], b1=[0.0], b2=[0.0])
    >>> X = np.array([[0.45], [2.0]])  # without the first: 0.45² / 2 / 2 more, 0.1 / 2 saved
    >>> threshold_difference(X, unit, 0.5, sparsity_weight=0.1, bandwidth=0.2).round(6)
    array([0.003125])
    >>> round((0.45**2 / 2 - 0.1) / 2 / 0.2, 6)
    0.003125
    """
    p, t = parameters, np.asarray(threshold)
    Z = X @ p.W1.T + p.b1
    A = kept(Z, (t < Z) & (Z > 0)).A
    back = (A @ p.W2.T + p.b2 - X) @ p.W2
    mean_slope = back + (Z / 2 - A) * np.sum(p.W2**2, axis=0)
    terms = np.where(in_window(Z, t, bandwidth), Z * mean_slope + sparsity_weight, 0)
    return np.asarray(-terms.sum(axis=0) / (len(X) * bandwidth))


@dataclass(frozen=True, eq=False)
class JumpReLU:
    """A threshold per unit, learned by an estimate: Rajamanoharan et al. (2024b).

    The code is Eq. (14.1) ``own-threshold``, the price is one per active unit, and the
    thresholds, kept positive by their logarithm, learn by Eq. (14.5) ``straight-through``.

    Parameters
    ----------
    sparsity_weight : float, at least 0
        Price of an active unit, beta.
    bandwidth : float, greater than 0
        Width of the window in which an example moves a threshold.
    threshold : float or ndarray of shape (n_hidden,), greater than 0
        The thresholds, at the start or as learned.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.thresholds import JumpReLU
    >>> rule = JumpReLU(0.05, threshold=np.array([1.0, 0.1]))
    >>> code = rule(np.array([[0.9, 0.9], [1.2, 0.05]]))
    >>> code.A
    array([[0. , 0.9],
           [1.2, 0. ]])
    >>> code.penalty  # one unit per example
    0.05
    """

    sparsity_weight: float
    bandwidth: float = 0.2
    threshold: float | Array = 0.1

    def __post_init__(self) -> None:
        real_number("sparsity_weight", self.sparsity_weight, low=0.0)
        real_number("bandwidth", self.bandwidth, low=0.0, open_ends=True)
        if not np.all(np.asarray(self.threshold) > 0):
            raise ValueError(
                f"threshold holds {np.min(self.threshold)}; its logarithm is learned, so give "
                "thresholds greater than 0"
            )

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        code = kept(Z, np.asarray(self.threshold, Z.dtype) < Z)
        n_active = float(code.slope.sum(dtype=np.float64)) / len(Z)
        return code._replace(penalty=self.sparsity_weight * n_active)

    def own_numbers(self, n_hidden: int) -> Array:
        """Return the logarithms of the thresholds."""
        return np.log(np.broadcast_to(np.asarray(self.threshold), n_hidden))

    def with_own_numbers(self, own: Array) -> JumpReLU:
        """Return the rule with other logarithms of the thresholds."""
        return replace(self, threshold=np.exp(own))

    def learn(self, X: Array, parameters: Parameters, Z: Array, back: Array) -> Lesson:
        """Return the estimates by the logarithms of the thresholds."""
        t = np.asarray(self.threshold, Z.dtype)
        estimate = straight_through(Z, back, t, self.sparsity_weight, self.bandwidth)
        return Lesson(own=t * estimate)


@dataclass(frozen=True, eq=False)
class Gated:
    """A threshold per unit, learned by a network beside: Rajamanoharan et al. (2024a).

    The code is Eq. (14.1) ``own-threshold``. The gate, Eq. (14.2) ``gate``, makes a code of its
    own by a rectifier. That pays L1 and reconstructs by itself, with the dictionary held fixed:
    Eq. (14.3) ``gate-cost``. What is used is not the gate's code, so that the
    price shrinks nothing.

    Parameters
    ----------
    sparsity_weight : float, at least 0
        Price of one unit of the gate's activation, beta.
    threshold : float or ndarray of shape (n_hidden,)
        The thresholds, at the start or as learned.
    scale : float or ndarray of shape (n_hidden,), greater than 0
        How much a weighted input has to be above its threshold for the gate to answer 1.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.thresholds import Gated
    >>> Gated(0.1, threshold=0.5)(np.array([[0.4, 0.6, 2.0]])).A
    array([[0. , 0.6, 2. ]])
    """

    sparsity_weight: float
    threshold: float | Array = 0.0
    scale: float | Array = 1.0

    def __post_init__(self) -> None:
        real_number("sparsity_weight", self.sparsity_weight, low=0.0)
        if not np.all(np.asarray(self.scale) > 0):
            raise ValueError(
                f"scale holds {np.min(self.scale)}; a gate with a negative scale would open where "
                "it should close: give scales greater than 0"
            )

    def __call__(self, Z: Array) -> Code:
        """Return the code of a batch."""
        return kept(Z, (np.asarray(self.threshold, Z.dtype) < Z) & (Z > 0))

    def own_numbers(self, n_hidden: int) -> Array:
        """Return the thresholds, then the logarithms of the scales."""
        t, log_scale = np.asarray(self.threshold), np.log(np.asarray(self.scale))
        return np.concatenate([np.broadcast_to(t, n_hidden), np.broadcast_to(log_scale, n_hidden)])

    def with_own_numbers(self, own: Array) -> Gated:
        """Return the rule with other thresholds and logarithms of the scales."""
        threshold, log_scale = np.split(own, 2)
        return replace(self, threshold=threshold, scale=np.exp(log_scale))

    def learn(self, X: Array, parameters: Parameters, Z: Array, back: Array) -> Lesson:
        """Return the cost of the gate's own reconstruction, and its gradients."""
        p, m = parameters, len(X)
        scale = np.asarray(self.scale, Z.dtype)
        G = np.maximum((Z - np.asarray(self.threshold, Z.dtype)) / scale, 0)
        error = G @ p.W2.T + p.b2 - X
        delta = (error @ p.W2 + Z.dtype.type(self.sparsity_weight)) * (G > 0)
        delta2 = delta / scale
        cost = float(np.vdot(error, error)) / 2 + self.sparsity_weight * float(G.sum())
        own = np.concatenate([-delta2.mean(axis=0), -(delta * G).mean(axis=0)])
        return Lesson(own=own, delta2=delta2, penalty=cost / m)


def threshold_of_gate(
    log_gain: ArrayLike, gate_bias: ArrayLike, magnitude_bias: ArrayLike
) -> NDArray[np.float64]:
    """Return the threshold to which the three numbers of a gated unit amount, Eq. (14.2) ``gate``.

    In the paper, both the gate and the magnitude look along the same row w of weights:
    on if ``w·x + gate_bias > 0``, and then ``exp(log_gain) w·x + magnitude_bias``, if positive.

    Parameters
    ----------
    log_gain, gate_bias, magnitude_bias : array_like of shape (n_hidden,)
        The numbers of the units.

    Returns
    -------
    ndarray of shape (n_hidden,)
        The magnitude above which a unit is on.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.thresholds import threshold_of_gate
    >>> float(threshold_of_gate(np.log(2.0), -0.3, -0.1))  # on from w·x = 0.3 on: 2 · 0.3 - 0.1
    0.5
    """
    at_gate = np.asarray(magnitude_bias) - np.exp(log_gain) * np.asarray(gate_bias)
    return np.maximum(at_gate, 0.0)[()]
