"""Experiments of chapter 5: what mini-batches do to the penalty, and where training ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import Parameters, SparseObjective, encode, kl_gradient, mean_activation, train

Array = NDArray[np.floating[Any]]
_N_HIDDEN = 5
_DECAY, _TARGET, _WEIGHT = 1e-4, 0.05, 3.0


def _objective(X: Array) -> SparseObjective:
    return SparseObjective(
        X,
        _N_HIDDEN,
        weight_decay=_DECAY,
        sparsity_target=_TARGET,
        sparsity_weight=_WEIGHT,
    )


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _gradient(theta: Array, X: Array, rho_hat: Array | None, weight: float = _WEIGHT) -> Array:
    """Return the gradient on a batch, Eq. (5.1), with its own means or with those given."""
    p = Parameters.unravel(theta, X.shape[1], _N_HIDDEN)
    A = _sigmoid(X @ p.W1.T + p.b1)
    X_hat = _sigmoid(A @ p.W2.T + p.b2)
    push = weight * kl_gradient(_TARGET, A.mean(axis=0) if rho_hat is None else rho_hat)
    delta3 = (X_hat - X) * X_hat * (1 - X_hat)
    delta2 = (delta3 @ p.W2 + push) * A * (1 - A)
    return Parameters(
        W1=delta2.T @ X / len(X) + _DECAY * p.W1,
        W2=delta3.T @ A / len(X) + _DECAY * p.W2,
        b1=delta2.mean(axis=0),
        b2=delta3.mean(axis=0),
    ).ravel()


def _penalty_part(theta: Array, X: Array) -> Array:
    return _gradient(theta, X, None) - _gradient(theta, X, None, weight=0.0)


def bias_and_end(*, seed: int, effort: int) -> dict[str, float]:
    """Measure the systematic error of batch gradients, and descend in batches to the end."""
    X = patches(2000, 4, seed + 1)
    start = Parameters.random(X.shape[1], _N_HIDDEN, seed=seed + 1).ravel()
    trained = train(_objective(X), start, max_iter=100, progress=False).theta
    rng = np.random.default_rng(seed)
    full = _objective(X)(trained)[0]
    found = {"full": full}
    for place, theta in (("start", start), ("trained", trained)):
        exact = _penalty_part(theta, X)
        found[f"exact_{place}"] = float(np.linalg.norm(exact))
        for size in (5, 20):
            batches = rng.permutation(len(X)).reshape(-1, size)
            average = np.mean([_penalty_part(theta, X[rows]) for rows in batches], axis=0)
            error = float(np.linalg.norm(average - exact))
            found[f"systematic_{size}_{place}"] = error
            found[f"systematic_{size}_{place}_share"] = error / found[f"exact_{place}"]
    for size, mean in ((5, "own"), (20, "own"), (2000, "own"), (5, "running")):
        end = _descend(X, trained, size, mean, 60 * effort, rng)
        found[f"excess_{size}_{mean}"] = end / full - 1
    A = encode(X, Parameters.unravel(trained, X.shape[1], _N_HIDDEN))
    found["busiest_tenth"] = float(np.sort(A, axis=0)[-len(X) // 10 :].sum() / A.sum())
    return found


def _descend(
    X: Array, theta: Array, size: int, mean: str, epochs: int, rng: np.random.Generator
) -> float:
    """Return J_sparse of all examples after plain steps of 0.05 with batches of `size`."""
    theta = theta.copy()
    running = mean_activation(encode(X, Parameters.unravel(theta, X.shape[1], _N_HIDDEN)))
    share = size / len(X)
    for _ in range(epochs):
        for rows in rng.permutation(len(X)).reshape(-1, size):
            if mean == "running":
                p = Parameters.unravel(theta, X.shape[1], _N_HIDDEN)
                own = mean_activation(_sigmoid(X[rows] @ p.W1.T + p.b1))
                running = (1 - share) * running + share * own
            theta -= 0.05 * _gradient(theta, X[rows], running if mean == "running" else None)
    return _objective(X)(theta)[0]
