"""Four ways down a hill, on any function, so that their paths can be compared.

`saelib.train` is for training; these are for understanding it. Each takes a function that returns
value and gradient, and keeps what it met on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from saelib._validation import real_number, whole_number

__all__ = ["METHODS", "Descent", "descend"]

Array = NDArray[np.float64]
Function = Callable[[Any], tuple[float, Any]]

METHODS = ("gradient-descent", "momentum", "adam", "l-bfgs")


class Descent(NamedTuple):
    """A way down.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        Where it ended.
    costs, gradient_norms : ndarray of shape (n_steps + 1,)
        Value and length of the gradient at the start and after every step.
    path : ndarray of shape (n_steps + 1, size)
        Every point met; of shape (0, size) if it was not to be kept.
    """

    theta: Array
    costs: Array
    gradient_norms: Array
    path: Array


def descend(
    f: Function,
    theta0: ArrayLike,
    method: str = "gradient-descent",
    *,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    n_steps: int = 100,
    keep_path: bool = False,
) -> Descent:
    """Take a fixed number of steps down a function.

    - ``gradient-descent``: θ ← θ - η ∇f, Eq. (6.4) ``gradient-descent``.
    - ``momentum``: v ← μ v - η ∇f, θ ← θ + v (Polyak 1964).
    - ``adam``: the mean of the latest gradients over the root of the mean of their squares,
      number by number, with the factors 0.9 and 0.999 (Kingma & Ba 2015).
    - ``l-bfgs``: scipy's, with the 20 latest steps (Liu & Nocedal 1989); no learning rate.

    Parameters
    ----------
    f : callable
        ``f(theta)`` returns value and gradient.
    theta0 : array_like of shape (size,)
        Where to start; not changed.
    method : {"gradient-descent", "momentum", "adam", "l-bfgs"}
        How to step.
    learning_rate : float, greater than 0
        η; L-BFGS ignores it.
    momentum : float in [0, 1)
        μ, for ``momentum`` only.
    n_steps : int, at least 1
        Number of steps; L-BFGS may end earlier, where nothing is left to gain.
    keep_path : bool
        Whether to keep every point.

    Returns
    -------
    Descent
        End, costs, gradient norms and path.

    Raises
    ------
    ValueError
        If the method is unknown or a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.descent import descend
    >>> def valley(theta):
    ...     slope = np.array([1.0, 10.0])
    ...     return 0.5 * slope @ theta**2, slope * theta
    >>> descend(valley, [1.0, 1.0], learning_rate=0.1, n_steps=50).costs[-1].round(6)
    np.float64(1.3e-05)
    >>> descend(valley, [1.0, 1.0], "l-bfgs", n_steps=50).costs[-1] < 1e-12
    np.True_
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; choose one of {', '.join(map(repr, METHODS))}")
    learning_rate = real_number("learning_rate", learning_rate, low=0.0, open_ends=True)
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum!r}; it must be at least 0 and below 1")
    n_steps = whole_number("n_steps", n_steps, low=1)
    theta = np.array(theta0, dtype=np.float64)
    met: list[tuple[float, float, Array]] = []

    def note(point: Array) -> Array:
        value, slope = f(point)
        gradient = np.asarray(slope, dtype=np.float64)
        kept = point.copy() if keep_path else point[:0]
        met.append((float(value), float(np.linalg.norm(gradient)), kept))
        return gradient

    if method == "l-bfgs":
        theta = _l_bfgs(f, theta, n_steps, note)
    else:
        first, second = np.zeros_like(theta), np.zeros_like(theta)
        gradient = note(theta)
        for k in range(1, n_steps + 1):
            if method == "adam":
                first = 0.9 * first + 0.1 * gradient
                second = 0.999 * second + 0.001 * gradient**2
                scale = np.sqrt(second / (1 - 0.999**k)) + 1e-8
                theta = theta - learning_rate * first / (1 - 0.9**k) / scale
            else:
                keep = momentum if method == "momentum" else 0.0
                first = keep * first - learning_rate * gradient
                theta = theta + first
            gradient = note(theta)
    costs, norms, path = zip(*met, strict=True)
    kept = np.array(path) if keep_path else np.empty((0, theta.size))
    return Descent(theta, np.array(costs), np.array(norms), kept)


def _l_bfgs(f: Function, theta: Array, n_steps: int, note: Callable[[Array], Array]) -> Array:
    note(theta)

    def evaluate(point: Array) -> tuple[float, Array]:
        value, gradient = f(point)
        return float(value), np.asarray(gradient, dtype=np.float64)

    options = {"maxiter": n_steps, "maxfun": np.inf, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-10}
    result = minimize(evaluate, theta, jac=True, method="L-BFGS-B", callback=note, options=options)
    return np.asarray(result.x)
