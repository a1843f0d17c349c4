"""Experiments of chapter 11: five features in two numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib.superposition import (
    fit_superposition,
    sparse_inputs,
    superposition_cost,
    superposition_output,
)

Array = NDArray[np.floating[Any]]


def densities(*, seed: int, effort: int) -> dict[str, float]:
    """Fit 5 features to 2 numbers at several densities, with the best of six starts."""
    kept = {}
    for density in (0.03, 0.05, 0.1, 0.3, 0.5):
        X = sparse_inputs(5000, 5, density, seed)
        W, b = fit_superposition(X, 2, seed=seed, n_starts=6, max_iter=500 * effort)
        kept[f"kept_at_{density}"] = float(np.sum(np.linalg.norm(W, axis=0) > 0.5))
        if density in (0.05, 0.5):
            cost = superposition_cost(np.concatenate([W.ravel(), b]), X, 2)[0]
            kept[f"share_of_two_axes_at_{density}"] = cost / _two_axes(X)
        if density == 0.05:
            kept.update(_shape(W, b, X))
    return kept


def _two_axes(X: Array) -> float:
    """Return the cost of keeping two features exactly and answering the mean of the others."""
    return float(X[:, 2:].var(axis=0).sum() / 2)


def _shape(W: Array, b: Array, X: Array) -> dict[str, float]:
    angles = np.sort(np.degrees(np.arctan2(W[1], W[0])) % 360)
    gaps = np.diff(np.append(angles, angles[0] + 360))
    squares = ((superposition_output(X, W, b) - X) ** 2).sum(axis=1)
    n_on = (X > 0).sum(axis=1)
    return {
        "smallest_gap": float(gaps.min()),
        "largest_gap": float(gaps.max()),
        "two_over_one": float(squares[n_on == 2].mean() / squares[n_on == 1].mean()),
        "lost_when_alone": float(squares[n_on == 1].mean() / (X[n_on == 1] ** 2).sum(1).mean()),
        "largest_bias": float(b.max()),
    }


def starts(*, seed: int, effort: int) -> dict[str, float]:
    """Say how many of 20 single starts end with all five features, and at the best cost."""
    X = sparse_inputs(5000, 5, 0.05, seed)
    kept, costs = [], []
    for k in range(20):
        W, b = fit_superposition(X, 2, seed=100 * seed + k, n_starts=1, max_iter=500 * effort)
        kept.append(int(np.sum(np.linalg.norm(W, axis=0) > 0.5)))
        costs.append(superposition_cost(np.concatenate([W.ravel(), b]), X, 2)[0])
    best = np.array(costs) < 1.01 * min(costs)
    return {
        "share_of_best": float(best.mean()),
        "share_with_five": float(np.mean(np.array(kept) == 5)),
    }
