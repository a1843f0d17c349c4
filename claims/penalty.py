"""Experiments of chapter 4: the three terms of the cost while a network learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import (
    Parameters,
    SparseObjective,
    encode,
    mean_activation,
    train,
)
from saelib.features import edge_like

Array = NDArray[np.floating[Any]]


def three_terms(*, seed: int, effort: int) -> dict[str, float]:
    """Train 64-25-64 on 3,000 patches and say when each term has its fall."""
    del effort  # the question is when, not how well
    X = patches(3000, 8, seed)
    objective = SparseObjective(X, 25, sparsity_target=0.01, sparsity_weight=3)
    start = Parameters.random(64, 25, seed=seed)
    kept: dict[int, Array] = {0: start.ravel()}
    result = train(
        objective,
        start.ravel(),
        max_iter=200,
        progress=False,
        callback=lambda step, theta: kept.__setitem__(step, theta.copy()),
    )
    mean_only = float(np.sum((X - X.mean(axis=0)) ** 2) / (2 * len(X)))
    history = result.history
    reconstruction, sparsity = history["reconstruction"] / mean_only, history["sparsity"]
    A = encode(X, start)
    plain = np.flatnonzero((np.abs(reconstruction - 1) < 0.03) & (sparsity < 0.1))
    return {
        "mean_only": mean_only,
        "sparsity_share_at_start": sparsity[0] / history["total"][0],
        "start_rho_hat_min": float(mean_activation(A).min()),
        "start_rho_hat_max": float(mean_activation(A).max()),
        "start_spread_over_patches": float(np.median(A.std(axis=0))),
        "start_constant_units": float(
            np.mean((np.mean(A > 0.5, axis=0) > 0.99) | (np.mean(A > 0.5, axis=0) < 0.01))
        ),
        "penalty_gone_at": float(np.argmax(sparsity < 0.01 * sparsity[0])),
        "plateau_from": float(plain[0]) if len(plain) else np.nan,
        "plateau_until": float(plain[-1]) if len(plain) else np.nan,
        "unexplained_at_10": float(reconstruction[10]),
        "unexplained_at_20": float(reconstruction[20]),
        "unexplained_at_60": float(reconstruction[60]),
        "unexplained_at_200": float(reconstruction[-1]),
        "edges_at_20": _edges(kept[20]),
        "edges_at_60": _edges(kept[60]),
        "edges_at_200": _edges(kept[max(kept)]),
    }


def _edges(theta: Array) -> float:
    return float(edge_like(Parameters.unravel(theta, 64, 25).W1).sum())
