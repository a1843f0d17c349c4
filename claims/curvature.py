"""Which way the cost curves where gradient descent is slowest: the plain of *Training*."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.training import _problem
from saelib import SparseObjective
from saelib.descent import descend

Array = NDArray[np.float64]


def on_the_plain(*, seed: int, effort: int) -> dict[str, float]:
    """Return the curvatures where the gradient of a long descent is smallest."""
    objective, theta0, X = _problem(seed)
    way = descend(objective, theta0, learning_rate=1.0, n_steps=12_000 * effort)
    flattest = 500 + int(np.argmin(way.gradient_norms[500:]))
    theta = descend(objective, theta0, learning_rate=1.0, n_steps=flattest).theta
    # float64, since the curvatures are differences of gradients.
    curvatures = np.linalg.eigvalsh(_hessian(SparseObjective(X.astype(np.float64), 25), theta))
    return {
        "steepest_down": float(curvatures[0]),
        "directions_down": float(np.sum(curvatures < -1e-6)),
        "steepest_up": float(curvatures[-1]),
    }


def _hessian(objective: Any, theta: Array, step: float = 1e-5) -> Array:
    """Return the matrix of second derivatives by central differences of the exact gradient."""
    rows = [
        (objective(theta + e)[1] - objective(theta - e)[1]) / (2 * step)
        for e in step * np.eye(theta.size)
    ]
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2
