"""Activation functions, and their derivatives written in terms of the activation itself.

Backpropagation needs f'(z). For the functions used here f'(z) is a simple expression in
a = f(z), which the forward pass has already computed, so nothing has to be evaluated twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "linear",
    "linear_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "tanh",
    "tanh_derivative",
]

Array = NDArray[np.floating[Any]]


def _floating(values: ArrayLike) -> Array:
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def sigmoid(z: ArrayLike, out: Array | None = None) -> Array:
    """Return the logistic function 1 / (1 + exp(-z)).

    Eq. (1.1) ``sigmoid``, CS294A p. 3.

    Parameters
    ----------
    z : array_like of any shape
        Weighted inputs, any real number. Integers are taken as float64; float32 stays float32.
    out : ndarray, optional
        Array of the shape and dtype of `z` that receives the result; it may be `z` itself.

    Returns
    -------
    ndarray
        Activations in [0, 1], of the shape of `z`.

    Examples
    --------
    >>> from saelib.activations import sigmoid
    >>> sigmoid([-2.0, 0.0, 2.0]).round(4)
    array([0.1192, 0.5   , 0.8808])
    """
    # exp(-z) overflows to inf for z below -709 and 1 / inf is the right answer, 0.
    with np.errstate(over="ignore"):
        return _sigmoid_of_minus(np.negative(_floating(z), out=out), out=out)


def _sigmoid_of_minus(minus_z: Array, out: Array | None = None) -> Array:
    a = np.exp(minus_z, out=out)
    a = np.add(a, 1, out=out)
    return np.divide(1, a, out=out)


def sigmoid_derivative(a: ArrayLike, out: Array | None = None) -> Array:
    """Return f'(z) = a (1 - a) of the sigmoid, from its value a = f(z).

    Eq. (1.3) ``activation-derivatives``, CS294A p. 4.

    Parameters
    ----------
    a : array_like of any shape
        Activations, that is values of `sigmoid`, in [0, 1]. Not the weighted inputs z.
    out : ndarray, optional
        Another array of the shape and dtype of `a` that receives the result.

    Returns
    -------
    ndarray
        Derivatives in [0, 0.25], of the shape of `a`.

    Examples
    --------
    >>> from saelib.activations import sigmoid, sigmoid_derivative
    >>> sigmoid_derivative(sigmoid([0.0, 2.0])).round(4)
    array([0.25 , 0.105])
    """
    a = _floating(a)
    derivative = np.subtract(1, a, out=out)
    return np.multiply(derivative, a, out=out)


def tanh(z: ArrayLike, out: Array | None = None) -> Array:
    """Return the hyperbolic tangent (exp(z) - exp(-z)) / (exp(z) + exp(-z)).

    Eq. (1.2) ``tanh``, CS294A p. 3.

    Parameters
    ----------
    z : array_like of any shape
        Weighted inputs, any real number.
    out : ndarray, optional
        Array of the shape and dtype of `z` that receives the result; it may be `z` itself.

    Returns
    -------
    ndarray
        Activations in [-1, 1], of the shape of `z`.

    Examples
    --------
    >>> from saelib.activations import tanh
    >>> tanh([-1.0, 0.0, 1.0]).round(4)
    array([-0.7616,  0.    ,  0.7616])
    """
    return np.tanh(_floating(z), out=out)


def tanh_derivative(a: ArrayLike, out: Array | None = None) -> Array:
    """Return f'(z) = 1 - a² of the hyperbolic tangent, from its value a = f(z).

    Eq. (1.3) ``activation-derivatives``, CS294A p. 4.

    Parameters
    ----------
    a : array_like of any shape
        Activations, that is values of `tanh`, in [-1, 1]. Not the weighted inputs z.
    out : ndarray, optional
        Another array of the shape and dtype of `a` that receives the result.

    Returns
    -------
    ndarray
        Derivatives in [0, 1], of the shape of `a`.

    Examples
    --------
    >>> from saelib.activations import tanh, tanh_derivative
    >>> tanh_derivative(tanh([0.0, 1.0])).round(4)
    array([1.  , 0.42])
    """
    a = _floating(a)
    square = np.multiply(a, a, out=out)
    return np.subtract(1, square, out=out)


def linear(z: ArrayLike, out: Array | None = None) -> Array:
    """Return z itself: the output activation for data that are not confined to an interval.

    Parameters
    ----------
    z : array_like of any shape
        Weighted inputs, any real number.
    out : ndarray, optional
        Array of the shape and dtype of `z` that receives a copy; it may be `z` itself.

    Returns
    -------
    ndarray
        `z` as a floating-point array; not a copy unless `out` is another array.

    Examples
    --------
    >>> from saelib.activations import linear
    >>> linear([-3.0, 5.0])
    array([-3.,  5.])
    """
    z = _floating(z)
    if out is None or out is z:
        return z
    out[...] = z
    return out


def linear_derivative(a: ArrayLike, out: Array | None = None) -> Array:
    """Return f'(z) = 1 for the linear activation.

    Parameters
    ----------
    a : array_like of any shape
        Activations, any real number.
    out : ndarray, optional
        Another array of the shape and dtype of `a` that receives the result.

    Returns
    -------
    ndarray
        Ones of the shape of `a`.

    Examples
    --------
    >>> from saelib.activations import linear_derivative
    >>> linear_derivative([-3.0, 5.0])
    array([1., 1.])
    """
    if out is None:
        return np.ones_like(_floating(a))
    out.fill(1)
    return out


class Activation(NamedTuple):
    """An activation function, its derivative and the closed range of its values.

    Attributes
    ----------
    name : str
        The name under which `ACTIVATIONS` holds it.
    function : callable
        ``function(z, out=None)`` returns a = f(z).
    derivative : callable
        ``derivative(a, out=None)`` returns f'(z) from a = f(z).
    low, high : float
        The ends of the range of f. A unit at `low` is inactive, a unit at `high` active.
    sign : float
        1 or -1, the sign with which `of_signed` wants z.
    of_signed : callable
        ``of_signed(sign * z, out=None)`` returns f(z) as well. Whoever computes z from weights
        can put the sign on them instead, and save a pass over all the z. It may overflow on its way
        to the right result: call it under ``np.errstate(over="ignore")``.
    """

    name: str
    function: Callable[..., Array]
    derivative: Callable[..., Array]
    low: float
    high: float
    sign: float
    of_signed: Callable[..., Array]

    def share_of_range(self, mean: Array) -> Array:
        """Return mean activations on the scale from 0 (inactive) to 1 (active).

        Eq. (3.2) ``mean-activation-tanh`` for the hyperbolic tangent.
        """
        return np.asarray((mean - self.low) / (self.high - self.low))


def _slope_of_tanh_as_sigmoid(s: Array, out: Array | None = None) -> Array:
    slope = sigmoid_derivative(s, out=out)
    return np.multiply(slope, 4, out=slope)


# tanh(z) = 2 s - 1 with s = sigmoid(2 z). Close to its low end a tanh unit is told from -1 only
# to the rounding of 1, but s is told from 0 to the last bit: so s is what a sum of activations,
# whose distance from the low end matters, should be made of.
TANH_AS_SIGMOID = Activation(
    "tanh", sigmoid, _slope_of_tanh_as_sigmoid, 0.0, 1.0, -2.0, _sigmoid_of_minus
)

#: The activation functions that the objective and the estimator know, by name.
ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(
        "sigmoid", sigmoid, sigmoid_derivative, 0.0, 1.0, -1.0, _sigmoid_of_minus
    ),
    "tanh": Activation("tanh", tanh, tanh_derivative, -1.0, 1.0, 1.0, tanh),
    "linear": Activation("linear", linear, linear_derivative, -np.inf, np.inf, 1.0, linear),
}
