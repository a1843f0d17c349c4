"""Experiments of the chapter *Visualization*."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import Parameters, SparseObjective, encode, maximal_inputs, sigmoid, train
from saelib.features import (
    active_share,
    dead_units,
    edge_like,
    feature_kinds,
    fit_gabor,
    gabor,
    gini,
    kurtosis,
    tuning_curve,
)

Array = NDArray[np.float64]


def two_hundred_units(*, seed: int, effort: int) -> dict[str, float]:
    """Return what the 100-200-100 network of the chapter is like after 700 iterations."""
    X = patches(5_000, 10, seed).astype(np.float32)
    objective = SparseObjective(X, 200, sparsity_target=0.02, sparsity_weight=5.0)
    theta0 = Parameters.random(100, 200, seed=seed).ravel()
    early: dict[int, NDArray[Any]] = {}

    def remember(iteration: int, theta: Array) -> None:
        if iteration in (100, 400):
            early[iteration] = Parameters.unravel(theta, 100, 200).W1

    result = train(objective, theta0, max_iter=700 * effort, progress=False, callback=remember)
    net, costs = result.parameters, result.history["total"]
    A, D = encode(X, net), X - 0.5
    fit, shapes, dead = fit_gabor(net.W1), feature_kinds(net.W1), dead_units(A)
    kinds = np.where(dead, "dead", shapes)
    shaped, edges = (np.isin(k, ["edge", "cut"]) for k in (shapes, kinds))
    grey = net.b1 + 0.5 * net.W1.sum(axis=1)
    norms = np.linalg.norm(net.W1, axis=1)
    means = 10 * np.abs(net.W1.mean(axis=1))
    busy = np.linalg.norm(D, axis=1)
    busy_A = A[busy > np.quantile(busy, 0.9)]
    ordered = np.sort(A, axis=0)
    noise = np.random.default_rng(seed).normal(size=(200, 100))
    learned_tails = np.median(kurtosis(D @ maximal_inputs(net.W1).T))
    random_tails = np.median(kurtosis(D @ maximal_inputs(noise).T))
    return {
        "edges": float(np.sum(kinds == "edge")),
        "cut": float(np.sum(kinds == "cut")),
        "dead": float(np.sum(kinds == "dead")),
        "dead_that_look_like_edges": float(np.sum(shaped & dead)),
        "noise": float(np.sum(kinds == "noise")),
        "share_of_living": float(edges.sum() / np.sum(kinds != "dead")),
        "edge_like_at_100": float(edge_like(early[100]).sum()),
        "edge_like_at_400": float(edge_like(early[400]).sum()),
        "edge_like_at_end": float(shaped.sum()),
        "edges_after_400": float(shaped.sum() - edge_like(early[400]).sum()),
        "cost_400_over_end": float(costs[400] / costs[-1]),
        "half_width": float(np.median([_half_width(w) for w in net.W1[edges]])),
        "single_strokes": float(np.sum(fit.frequency[edges] < 0.03)),
        "norm_ratio": float(norms.max() / norms.min()),
        "largest_mean_part": float(np.max(means / norms)),
        "median_mean_part": float(np.median(means / norms)),
        "at_grey": float(sigmoid(grey).mean()),
        "at_best": float(np.median(sigmoid(np.sqrt(norms**2 - means**2) + grey))),
        "gini": float(np.median(gini(A))),
        "gini_busy": float(np.median(gini(busy_A))),
        "kurtosis": float(np.median(kurtosis(A)[kinds != "dead"])),
        "active": float(200 * active_share(A).mean()),
        "active_busy": float(200 * active_share(busy_A).mean()),
        "awake": float(200 * active_share(A, 0.1).mean()),
        "quiet_share": float(ordered[:4_500].sum() / ordered.sum()),
        "silent_patches": float(np.mean(A.max(axis=1) < 0.1)),
        "tails_random": float(random_tails),
        "tails_learned_over_random": float(learned_tails / random_tails),
    }


def _half_width(w: Array) -> float:
    """Return the range of orientations with more than half the best answer, in degrees."""
    response = tuning_curve(w).response
    at_best = response[:, np.argmax(response.max(axis=0))]
    return float(180 * np.mean(at_best > 0.5 * at_best.max()))


def calibration(*, seed: int, effort: int) -> dict[str, float]:
    """Return how often smooth noise passes for an edge, and an edge with noise does not."""
    rng = np.random.default_rng(seed)
    found = {}
    for side in (6, 8, 10, 12):
        noise = partial(_smooth_noise, side=side, rng=rng)
        found[f"false_{side}"] = float(edge_like(noise(120 * effort)).mean())
        edges = np.array([_random_edge(side, rng) for _ in range(30)])
        for level in (0.25, 0.5):
            noisy = edges + level * noise(30)
            found[f"missed_{side}_at_{level}"] = float(1 - edge_like(noisy).mean())
    return found | {
        "false_largest": max(v for k, v in found.items() if k.startswith("false")),
        "missed_largest_at_0.25": max(v for k, v in found.items() if k.endswith("at_0.25")),
    }


def _smooth_noise(n: int, side: int, rng: np.random.Generator) -> Array:
    """Return patches of whitened noise, standard deviation 1."""
    f = np.hypot(np.fft.fftfreq(3 * side)[:, None], np.fft.fftfreq(3 * side))
    white = rng.normal(size=(n, 3 * side, 3 * side))
    smooth = np.fft.ifft2(np.fft.fft2(white) * np.exp(-((f / 0.4) ** 4))).real
    smooth = smooth[:, side : 2 * side, side : 2 * side].reshape(n, -1)
    return np.asarray(smooth / smooth.std())


def _random_edge(side: int, rng: np.random.Generator) -> Array:
    """Return a Gabor function like those that are learned, its largest pixel 1."""
    place = (side - 1) / 2 + rng.uniform(-1.5, 1.5, size=2)
    shape = rng.uniform([0, 0.1, 1.2, 1.8, 0], [np.pi, 0.25, 2.0, 3.0, 2 * np.pi])
    edge = gabor(side, *place, *shape).ravel()
    return np.asarray(edge / np.abs(edge).max())
