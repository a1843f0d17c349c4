"""Experiments of the chapter on speed: ratios of times, each the best of many turns."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from saelib import Parameters, SparseObjective, sigmoid

DECAY, TARGET, WEIGHT = 1e-4, 0.01, 3.0


def best_times(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the shortest time of each function, called in turns, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: min(values) for name, values in times.items()}


def steps(*, seed: int, effort: int) -> dict[str, float]:
    """Return how many times longer one way takes than another, on one core.

    The effort multiplies the number of turns.
    """
    n, h = 64, 25
    p = Parameters.random(n, h, seed=seed)
    theta = p.ravel()
    X = np.random.default_rng(seed).uniform(0.1, 0.9, size=(10_000, n))

    def slope(rho_hat: np.ndarray) -> np.ndarray:
        return WEIGHT * (-TARGET / rho_hat + (1 - TARGET) / (1 - rho_hat))

    def loop(data: np.ndarray) -> np.ndarray:
        rho_hat = sum(sigmoid(p.W1 @ x + p.b1) for x in data) / len(data)
        W1, W2, b1, b2 = np.zeros((h, n)), np.zeros((n, h)), np.zeros(h), np.zeros(n)
        for x in data:
            a2 = sigmoid(p.W1 @ x + p.b1)
            a3 = sigmoid(p.W2 @ a2 + p.b2)
            delta3 = (a3 - x) * a3 * (1 - a3)
            delta2 = (p.W2.T @ delta3 + slope(rho_hat)) * a2 * (1 - a2)  # type: ignore[arg-type]
            W1 += np.outer(delta2, x) / len(data)
            W2 += np.outer(delta3, a2) / len(data)
            b1 += delta2 / len(data)
            b2 += delta3 / len(data)
        return Parameters(W1 + DECAY * p.W1, W2 + DECAY * p.W2, b1, b2).ravel()

    def vectorized(data: np.ndarray) -> np.ndarray:
        A = sigmoid(data @ p.W1.T + p.b1)
        X_hat = sigmoid(A @ p.W2.T + p.b2)
        delta3 = (X_hat - data) * X_hat * (1 - X_hat)
        delta2 = (delta3 @ p.W2 + slope(A.mean(axis=0))) * A * (1 - A)
        W1 = delta2.T @ data / len(data) + DECAY * p.W1
        W2 = delta3.T @ A / len(data) + DECAY * p.W2
        return Parameters(W1, W2, delta2.mean(axis=0), delta3.mean(axis=0)).ravel()

    few = X[:100]
    large, small = SparseObjective(X, h), SparseObjective(few, h)
    single = SparseObjective(X.astype(np.float32), h)
    with threadpool_limits(1):
        slow = best_times({"loop": lambda: loop(X)}, 2)
        fast = best_times(
            {
                "vectorized": lambda: vectorized(X),
                "library": lambda: large(theta),
                "float32": lambda: single(theta),
            },
            40 * effort,
        )
        tiny = best_times(
            {"vectorized": lambda: vectorized(few), "library": lambda: small(theta)}, 300 * effort
        )
    return {
        "loop-over-vectorized": slow["loop"] / fast["vectorized"],
        "vectorized-over-library": fast["vectorized"] / fast["library"],
        "float64-over-float32": fast["library"] / fast["float32"],
        "library-over-vectorized-at-100": tiny["library"] / tiny["vectorized"],
    }
