"""Experiments of the chapter *Training*: the assignment's network, on fewer patches.

The long descents use 1,000 patches: with all 10,000 they would take hours.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import Parameters, SparseObjective, encode, train
from saelib.descent import Descent, descend
from saelib.features import edge_like

Array = NDArray[np.float64]
LEARNING_RATES = {
    "gradient-descent": (1.0, 3.0),
    "momentum": (0.1, 1.0),
    "adam": (0.003, 0.01, 0.03),
}


def _problem(seed: int) -> tuple[SparseObjective, Array, Any]:
    """Return the cost, a start, and the data."""
    X = patches(1_000, 8, seed).astype(np.float32)
    theta0: Array = Parameters.random(64, 25, seed=seed).ravel().astype(np.float64)
    return SparseObjective(X, 25), theta0, X


def _cost_of_the_mean(X: Any) -> float:
    """Return the reconstruction cost of answering every patch with the mean patch."""
    return float(0.5 * ((X - X.mean(axis=0)) ** 2).sum(axis=1).mean())


def common_offset(*, seed: int, effort: int) -> dict[str, float]:
    """Return what keeps the hidden units silent on the plain, at input 1/2 in every pixel.

    Gradient descent with a step of 1 is on the plain after 400 iterations.
    """
    objective, theta0, _ = _problem(seed)
    end = descend(objective, theta0, learning_rate=1.0, n_steps=400 * effort).theta
    plain = Parameters.unravel(end, 64, 25)
    from_weights, from_biases = 0.5 * plain.W1.sum(axis=1).mean(), plain.b1.mean()
    return {
        "from_weights": float(from_weights),
        "from_biases": float(from_biases),
        "offset_share": float(from_weights / (from_weights + from_biases)),
    }


def saddle(*, seed: int, effort: int) -> dict[str, float]:
    """Return how gradient descent with a step of 1 crosses the plain, and when."""
    objective, theta0, X = _problem(seed)
    n_steps = 12_000 * effort
    way = descend(objective, theta0, learning_rate=1.0, n_steps=n_steps)
    flattest = 500 + int(np.argmin(way.gradient_norms[500:]))
    mean = _cost_of_the_mean(X)
    W1 = Parameters.unravel(way.theta, 64, 25).W1
    return {
        "flattest_step": float(flattest),
        "norm_at_flattest": float(way.gradient_norms[flattest]),
        "norm_at_end_over_flattest": float(
            way.gradient_norms[-500:].max() / way.gradient_norms[flattest]
        ),
        "cost_at_400_over_mean": float(way.costs[400] / mean),
        "cost_at_flattest_over_mean": float(way.costs[flattest] / mean),
        "cost_at_end_over_mean": float(way.costs[-1] / mean),
        "edges_at_end": float(edge_like(W1).sum()),
    }


def optimizers(*, seed: int, effort: int) -> dict[str, float]:
    """Return where four optimizers are after as many steps, each with its best learning rate."""
    objective, theta0, X = _problem(seed)
    n_steps, mean = 400 * effort, _cost_of_the_mean(X)
    best = {
        method: min(_final_costs(objective, theta0, method, rates, n_steps))
        for method, rates in LEARNING_RATES.items()
    }
    ours = descend(objective, theta0, "l-bfgs", n_steps=n_steps)
    passed = np.flatnonzero(ours.costs < 0.98 * mean)
    found = {f"{method}_over_l_bfgs": cost / ours.costs[-1] for method, cost in best.items()}
    found |= {f"{method}_over_mean": cost / mean for method, cost in best.items()}
    found |= {
        "l_bfgs_over_mean": ours.costs[-1] / mean,
        "l_bfgs_leaves_at": passed[0] if len(passed) else np.nan,
        "smallest_over_l_bfgs": min(best.values()) / ours.costs[-1],
    }
    return {name: float(value) for name, value in found.items()}


def _final_costs(
    objective: Any, theta0: Array, method: str, rates: tuple[float, ...], n_steps: int
) -> list[float]:
    """Return the last cost for every learning rate, and for momentum with two factors."""
    factors = (0.9, 0.99) if method == "momentum" else (0.9,)
    ways: list[Descent] = [
        descend(objective, theta0, method, learning_rate=rate, momentum=factor, n_steps=n_steps)
        for rate in rates
        for factor in factors
    ]
    return [float(way.costs[-1]) for way in ways if np.isfinite(way.costs[-1])]


def healthy_run(*, seed: int, effort: int) -> dict[str, float]:
    """Return the numbers of the assignment's run, on all 10,000 patches."""
    X = patches(10_000, 8, seed).astype(np.float32)
    theta0 = Parameters.random(64, 25, seed=seed).ravel()
    result = train(SparseObjective(X, 25), theta0, max_iter=400 * effort, progress=False)
    rho_hat = encode(X, result.parameters).mean(axis=0)
    return {
        "cost": result.cost,
        "smallest_rho_hat": float(rho_hat.min()),
        "largest_rho_hat": float(rho_hat.max()),
        "edges": float(edge_like(result.parameters.W1).sum()),
        "cost_at_10": float(result.history["total"][10]),
    }


SETTINGS: dict[str, dict[str, Any]] = {
    "assignment": {},
    "rho_0.05": {"sparsity_target": 0.05},
    "rho_0.2": {"sparsity_target": 0.2},
    "beta_0": {"sparsity_weight": 0.0},
    "beta_0.3": {"sparsity_weight": 0.3},
    "lambda_0": {"weight_decay": 0.0},
    "lambda_0.01": {"weight_decay": 1e-2},
    "patches_200": {"n_patches": 200},
    "side_6": {"patch_size": 6},
    "side_12": {"patch_size": 12},
}


def knobs(*, seed: int, effort: int) -> dict[str, float]:
    """Return the edge-like units of 25 for every setting, after 250 and 500 iterations.

    With twice the effort after 500 and 1,000.
    """
    found: dict[str, float] = {}
    for name, setting in SETTINGS.items():
        early, late = _counts(seed, effort, **setting)
        found |= {name: late, f"{name}_early": early}
    found["gain_0.05"] = found["rho_0.05"] - found["rho_0.05_early"]
    found["rho_0.01_less_0.05"] = found["assignment"] - found["rho_0.05"]
    found["beta_3_less_0"] = found["assignment"] - found["beta_0"]
    found["beta_3_less_0.3"] = found["assignment"] - found["beta_0.3"]
    found["patches_2000_less_200"] = found["assignment"] - found["patches_200"]
    found["side_8_less_12"] = found["assignment"] - found["side_12"]
    found["side_8_less_6"] = found["assignment"] - found["side_6"]
    return found


@cache
def _counts(
    seed: int, effort: int, n_patches: int = 2_000, patch_size: int = 8, **knobs: Any
) -> tuple[float, float]:
    X = patches(n_patches, patch_size, seed).astype(np.float32)
    theta0 = Parameters.random(patch_size**2, 25, seed=seed).ravel()
    halfway: list[Any] = []

    def keep(iteration: int, theta: Any) -> None:
        if iteration == 250 * effort:
            halfway.append(Parameters.unravel(theta, patch_size**2, 25).W1)

    result = train(
        SparseObjective(X, 25, **knobs),
        theta0,
        max_iter=500 * effort,
        progress=False,
        callback=keep,
    )
    last = float(edge_like(result.parameters.W1).sum())
    # A run that has converged early stays as it is.
    return float(edge_like(halfway[0]).sum()) if halfway else last, last
