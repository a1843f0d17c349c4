"""The gradient by central differences, against which every formula can be checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._magnitude import magnitude
from saelib._validation import plain_array, real_number

__all__ = ["numerical_gradient", "relative_error"]


def numerical_gradient(
    f: Callable[[NDArray[np.float64]], Any], theta: ArrayLike, step: float = 1e-4
) -> NDArray[np.float64]:
    """Return the gradient of `f` at `theta` by central differences.

    Eq. (5.2) ``central-difference``, CS294A p. 11: one component at a time,
    (f(theta + step e_i) - f(theta - step e_i)) / (2 step). The error of the formula falls
    with step², the rounding error grows with 1 / step; 1e-4 balances the two in float64.

    Parameters
    ----------
    f : callable
        ``f(theta)`` returns the cost as a float, or a pair whose first entry is the cost, so
        that a `SparseObjective` can be passed as it is. It is called ``2 * len(theta)`` times.
    theta : array_like of shape (n,)
        Where to take the gradient; not changed.
    step : float, greater than 0
        Half the distance between the two points compared.

    Returns
    -------
    ndarray of shape (n,), float64
        The numerical gradient.

    Raises
    ------
    ValueError
        If `theta` is not 1-D or `step` is not positive.

    Examples
    --------
    The warm-up of the CS294A assignment: h(x) = x1² + 3 x1 x2 at (4, 10).

    >>> from saelib import numerical_gradient
    >>> numerical_gradient(lambda x: x[0] ** 2 + 3 * x[0] * x[1], [4.0, 10.0]).round(6)
    array([38., 12.])
    """
    step = real_number("step", step, low=0.0, open_ends=True)
    point = plain_array("theta", theta, np.float64).copy()
    if point.ndim != 1:
        raise ValueError(
            f"theta has shape {point.shape}; give a flat vector, such as Parameters.ravel returns"
        )

    def cost(at: NDArray[np.float64]) -> float:
        value = f(at)
        return float(value[0] if isinstance(value, tuple) else value)

    gradient = np.empty_like(point)
    for i, original in enumerate(point):
        point[i] = original + step
        above = cost(point)
        point[i] = original - step
        below = cost(point)
        point[i] = original
        gradient[i] = (above - below) / (2 * step)
    return gradient


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """Return ‖a - b‖ / ‖a + b‖, the measure by which two gradients are compared.

    Eq. (5.3) ``relative-error``, CS294A assignment: below about 1e-9 the analytic gradient
    is right; above 1e-4 it is wrong.

    Parameters
    ----------
    a, b : array_like of the same shape
        The two gradients.

    Returns
    -------
    float
        At least 0; 0 if both are zero, infinite if ``a == -b`` otherwise, and wherever a
        number is not finite.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> from saelib import relative_error
    >>> relative_error([1.0, 0.0], [1.0, 0.0])
    0.0
    >>> round(relative_error([3.0], [1.0]), 3)
    0.5
    """
    first, second = plain_array("a", a, np.float64), plain_array("b", b, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f"a has shape {first.shape} and b has shape {second.shape}; they must be equal"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("inf")
    exponent = magnitude(first, second)
    first, second = np.ldexp(first, -exponent), np.ldexp(second, -exponent)
    difference = float(np.linalg.norm(first - second))
    total = float(np.linalg.norm(first + second))
    if difference == 0.0:
        return 0.0
    return difference / total if total > 0 else float("inf")
