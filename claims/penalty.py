"""Experiments of chapter 4: the three terms of the cost while a network learns."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from saelib import (
    Parameters,
    SparseObjective,
    encode,
    mean_activation,
    natural_images,
    normalize_patches,
    sample_patches,
    train,
    whiten,
)
from saelib.features import edge_like

Array = NDArray[np.float64]


@cache
def _whitened() -> list[Array]:
    return [whiten(image) for image in natural_images().values()]


def three_terms(*, seed: int, effort: int) -> dict[str, float]:
    """Train 64-25-64 on 3,000 patches and say when each term has its fall."""
    del effort  # the question is when, not how well
    X = normalize_patches(sample_patches(_whitened(), 3000, 8, seed=seed))
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
    plain = np.abs(reconstruction - 1) < 0.03
    on_it = np.flatnonzero(plain & (sparsity < 0.1))
    last = int(on_it[-1]) if len(on_it) else 0
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
        "plateau_from": float(on_it[0]) if len(on_it) else np.nan,
        "plateau_until": float(last),
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
