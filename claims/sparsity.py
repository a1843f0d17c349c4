"""Experiments of chapter 3: the same network without and with the sparsity penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import (
    Parameters,
    SparseObjective,
    decode,
    encode,
    mean_activation,
    train,
)
from saelib.features import edge_like, gini, kurtosis, unexplained_variance

Array = NDArray[np.floating[Any]]


def _measures(name: str, X: Array, p: Parameters) -> dict[str, float]:
    A = encode(X, p)
    active = A > 0.5
    found = {
        "unexplained": unexplained_variance(X, decode(A, p)),
        "edges": edge_like(p.W1).sum(),
        "gini": np.median(gini(A)),
        "kurtosis": np.median(kurtosis(A)),
        "active": active.mean(),
        "silent_patches": np.mean(~active.any(axis=1)),
        "never_active": np.sum(~active.any(axis=0)),
        "below_a_twentieth": A[A < 0.05].sum() / A.sum(),
        "rho_hat_min": mean_activation(A).min(),
        "rho_hat_max": mean_activation(A).max(),
        "off_target": np.abs(mean_activation(A) / 0.02 - 1).max(),
        "median_over_mean": np.median(A) / A.mean(),
    }
    return {f"{name}_{key}": float(value) for key, value in found.items()}


def free_and_sparse(*, seed: int, effort: int) -> dict[str, float]:
    """Train 100-200-100 with beta 0 and beta 5 from one start, and measure both."""
    X = patches(10_000, 10, seed).astype(np.float32)
    start = Parameters.random(100, 200, seed=seed)
    found: dict[str, float] = {}
    for name, beta in (("free", 0.0), ("sparse", 5.0)):
        objective = SparseObjective(X, 200, sparsity_target=0.02, sparsity_weight=beta)
        result = train(objective, start.ravel(), max_iter=250 * effort, progress=False)
        found |= _measures(name, X, result.parameters)
        pairs = zip(start.W1, result.parameters.W1, strict=True)
        found[f"{name}_start"] = float(np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
    found["unexplained_ratio"] = found["sparse_unexplained"] / found["free_unexplained"]
    return found


def tanh_twins(*, seed: int, effort: int) -> dict[str, float]:
    """Train 64-25-64 with sigmoid, and with tanh at the same and at the scaled settings."""
    X = patches(5000, 8, seed)
    start = Parameters.random(64, 25, seed=seed).ravel()
    runs = {
        "sigmoid": SparseObjective(X, 25, sparsity_target=0.01),
        "unscaled": SparseObjective(2 * X - 1, 25, sparsity_target=0.01, activation="tanh"),
        "scaled": SparseObjective(
            2 * X - 1,
            25,
            sparsity_target=0.01,
            activation="tanh",
            sparsity_weight=4 * 3.0,
            weight_decay=64 * 1e-4,
        ),
    }
    return {
        f"{name}_edges": float(
            edge_like(
                train(objective, start, max_iter=250 * effort, progress=False).parameters.W1
            ).sum()
        )
        for name, objective in runs.items()
    }
