"""The gradient by central differences, against which every formula can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._magnitude import magnitude
from saelib._validation import plain_array, real_number

__all__ = ["ErrorTable", "numerical_gradient", "relative_error"]

BLOCKS = ("W1", "W2", "b1", "b2")


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


class ErrorTable:
    """Relative errors of several gradients, block by block, to be read as a table.

    Errors up to `tolerance` leave the field empty, so that the pattern of the wrong blocks is seen.
    A notebook shows the table as HTML, everything else as text.

    Parameters
    ----------
    errors : mapping of str to array_like of shape (4,)
        Name of a gradient to its relative errors in W1, W2, b1 and b2, Eq. (5.3)
        ``relative-error``, at least 0.
    tolerance : float, greater than 0
        Largest error that counts as none.
    title : str, optional
        What the table says.

    Raises
    ------
    ValueError
        If there is no gradient, or one does not have four errors of at least 0.

    Examples
    --------
    >>> from saelib.gradient_check import ErrorTable
    >>> ErrorTable({"right": [1e-10] * 4, "halved": [1 / 3, 1 / 3, 1e-4, 2e-10]})
                W1      W2      b1      b2
    right
    halved   0.333   0.333  <0.001
    """

    def __init__(
        self, errors: Mapping[str, ArrayLike], tolerance: float = 1e-6, title: str | None = None
    ) -> None:
        if not errors:
            raise ValueError("errors is empty; give the errors of at least one gradient")
        limit = real_number("tolerance", tolerance, low=0.0, open_ends=True)
        self.rows = {
            name: [_in_words(error) if error > limit else "" for error in _four(name, row)]
            for name, row in errors.items()
        }
        self.title = title

    def __repr__(self) -> str:
        """Return the table as text, the numbers below each other."""
        width = max(map(len, self.rows))
        lines = [self.title] if self.title else []
        for name, fields in {"": list(BLOCKS), **self.rows}.items():
            lines.append(f"{name:{width}}" + "".join(f"{field:>8}" for field in fields))
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        # Grey that lets the ground through fits a light page and a dark one.
        right, wrong = "text-align: right", "text-align: right; background: rgba(128,128,128,0.22)"
        head = "".join(f'<th scope="col" style="{right}">{block}</th>' for block in BLOCKS)
        body = "".join(
            f'<tr><th scope="row" style="text-align: left">{escape(name)}</th>'
            + "".join(
                f'<td style="{wrong if field else right}">{escape(field)}</td>' for field in fields
            )
            + "</tr>"
            for name, fields in self.rows.items()
        )
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return (
            f'<table class="error-table">{caption}<thead><tr><td></td>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )


def _four(name: str, row: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(row, dtype=np.float64)
    if values.shape != (len(BLOCKS),) or not np.all(values >= 0):
        raise ValueError(
            f"errors[{name!r}] is {row!r}; give four errors of at least 0, for {', '.join(BLOCKS)}"
        )
    return values


def _in_words(error: float) -> str:
    """Return three digits after the point; what is larger than 100 is as good as infinite."""
    if error > 100:
        return "\N{INFINITY}"
    return f"{error:.3f}" if error >= 0.0005 else "<0.001"
