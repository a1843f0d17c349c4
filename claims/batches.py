"""Experiments of chapter 5: what mini-batches do to the penalty, and where training ends."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from saelib import (
    Parameters,
    SparseObjective,
    encode,
    natural_images,
    normalize_patches,
    sample_patches,
    train,
    whiten,
)

Array = NDArray[np.float64]
_N_HIDDEN = 5
_SETTINGS = {"weight_decay": 1e-4, "sparsity_target": 0.05, "sparsity_weight": 3.0}


@cache
def _whitened() -> list[Array]:
    return [whiten(image) for image in natural_images().values()]


def _objective(X: Array, beta: float = 3.0) -> SparseObjective:
    settings = _SETTINGS | {"sparsity_weight": beta}
    return SparseObjective(X, _N_HIDDEN, **settings)


def _penalty_part(X: Array, theta: Array) -> Array:
    return _objective(X)(theta)[1] - _objective(X, beta=0.0)(theta)[1]


def bias_and_end(*, seed: int, effort: int) -> dict[str, float]:
    """Measure the systematic error of batch gradients, and descend in batches to the end."""
    X = normalize_patches(sample_patches(_whitened(), 2000, 4, seed=seed + 1))
    start = Parameters.random(16, _N_HIDDEN, seed=seed + 1).ravel()
    whole = _objective(X)
    trained = train(whole, start, max_iter=100, progress=False).theta
    found = {"full": whole(trained)[0]}
    rng = np.random.default_rng(seed)
    for place, theta in (("start", start), ("trained", trained)):
        exact = _penalty_part(X, theta)
        found[f"exact_{place}"] = float(np.linalg.norm(exact))
        for size in (5, 20):
            rows = rng.permutation(2000).reshape(-1, size)
            average = np.mean([_penalty_part(X[batch], theta) for batch in rows], axis=0)
            error = float(np.linalg.norm(average - exact))
            found[f"systematic_{size}_{place}"] = error
            found[f"systematic_{size}_{place}_share"] = error / found[f"exact_{place}"]
    for size in (5, 20, 2000):
        found[f"end_{size}"] = _descend(X, trained, size, 60 * effort, rng)
    A = encode(X, Parameters.unravel(trained, 16, _N_HIDDEN))
    found["busiest_tenth"] = float(np.sort(A, axis=0)[-200:].sum() / A.sum())
    return found


def _descend(X: Array, theta: Array, size: int, epochs: int, rng: np.random.Generator) -> float:
    """Return J_sparse of all examples, after plain steps of 0.05 with batches of `size`."""
    theta = theta.copy()
    for _ in range(epochs):
        for rows in rng.permutation(len(X)).reshape(-1, size):
            theta -= 0.05 * _objective(X[rows])(theta)[1]
    return _objective(X)(theta)[0]
