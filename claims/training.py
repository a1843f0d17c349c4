"""Experiments of the chapter *Training*."""

from __future__ import annotations

from claims.data import patches
from saelib import Parameters, SparseObjective, train


def common_offset(*, seed: int, effort: int) -> dict[str, float]:
    """Return what keeps the hidden units silent on the plain, at input 1/2 in every pixel.

    Gradient descent with a step of 1 is on the plain after 400 iterations.
    """
    objective = SparseObjective(patches(10_000, 8, seed), 25)
    theta0 = Parameters.random(64, 25, seed=seed).ravel()
    plain = train(
        objective,
        theta0,
        method="gradient-descent",
        learning_rate=1.0,
        max_iter=400 * effort,
        progress=False,
    ).parameters
    from_weights = 0.5 * plain.W1.sum(axis=1).mean()
    from_biases = plain.b1.mean()
    return {
        "from_weights": float(from_weights),
        "from_biases": float(from_biases),
        "offset_share": float(from_weights / (from_weights + from_biases)),
    }
