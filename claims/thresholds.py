"""Experiments of chapter 14: thresholds that are learned, and what their estimate is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claims.dictionaries import N_TEST
from saelib import Parameters
from saelib.codes import BatchTopK, L1ReLU, Rule, TopK
from saelib.dictionary import dictionary_cost, reconstruct
from saelib.dictionary_training import train_dictionary
from saelib.planted import Planted, planted
from saelib.recovery import dictionary_measures
from saelib.thresholds import (
    Gated,
    JumpReLU,
    in_window,
    straight_through,
    threshold_difference,
)

Array = NDArray[np.floating[Any]]


def _measured(
    data: Planted, n_hidden: int, rule: Rule, seed: int, n_steps: int, name: str
) -> dict[str, float]:
    X = data.X - data.X.mean(axis=0)
    learned = train_dictionary(X[N_TEST:], n_hidden, rule, seed=seed, n_steps=n_steps)
    A, X_hat = reconstruct(X[:N_TEST], learned.parameters, learned.rule)
    found = dictionary_measures(X[:N_TEST], data.S[:N_TEST], data.D, A, X_hat, learned[0].W2)
    values = {f"{key}_{name}": float(value) for key, value in found._asdict().items()}
    if isinstance(learned.rule, JumpReLU):
        alive = (A > 0).any(axis=0)
        values[f"threshold_{name}"] = float(np.median(np.asarray(learned.rule.threshold)[alive]))
    return values


def own_thresholds(*, seed: int, effort: int) -> dict[str, float]:
    """Train JumpReLU and Gated at three prices each, and BatchTopK and TopK beside them."""
    data = planted(N_TEST + 40_000, seed=seed)
    rules: dict[str, Rule] = {
        **{f"jump_{price:g}": JumpReLU(price) for price in (0.02, 0.05, 0.1)},
        **{f"gated_{price:g}": Gated(price) for price in (0.4, 0.6, 1.0)},
        "batch_3": BatchTopK(3),
        "top_3": TopK(3),
    }
    values: dict[str, float] = {}
    for name, rule in rules.items():
        values |= _measured(data, 96, rule, seed, 2500 * effort, name)
    return values | {
        "top_over_jump": values["fvu_top_3"] / values["fvu_jump_0.05"],
        "top_over_gated": values["fvu_top_3"] / values["fvu_gated_0.6"],
        "jump_over_batch": values["fvu_jump_0.05"] / values["fvu_batch_3"],
        "gated_over_batch": values["fvu_gated_0.6"] / values["fvu_batch_3"],
        "f1_jump_less_batch": values["f1_jump_0.05"] - values["f1_batch_3"],
        "f1_gated_less_batch": values["f1_gated_0.6"] - values["f1_batch_3"],
        "dead_jump_less_gated": values["dead_jump_0.05"] - values["dead_gated_0.6"],
        **{
            f"threshold_over_alone_{price:g}": values[f"threshold_jump_{price:g}"]
            / np.sqrt(2 * price)
            for price in (0.02, 0.05, 0.1)
        },
    }


def hard(*, seed: int, effort: int) -> dict[str, float]:
    """Train all methods on 128 directions in 32 dimensions that are on together."""
    data = planted(
        *(N_TEST + 40_000, 32, 128), n_active=4, zipf=0.7, noise=0.05, correlation=0.3, seed=seed
    )
    rules: dict[str, Rule] = {
        "top": TopK(4),
        "batch": BatchTopK(4),
        "jump": JumpReLU(0.05),
        "gated": Gated(0.6),
        "l1": L1ReLU(0.4),
        "top_6": TopK(6),
    }
    values: dict[str, float] = {}
    for name, rule in rules.items():
        values |= _measured(data, 192, rule, seed, 3000 * effort, name)
    others = max(values[f"recovered_{name}"] for name in ("batch", "jump", "gated", "l1"))
    return values | {
        "top_finds_more": values["recovered_top"] - others,
        "jump_less_batch": values["recovered_jump"] - values["recovered_batch"],
        "fvu_gated_over_top_6": values["fvu_gated"] / values["fvu_top_6"],
        "fvu_top_over_batch": values["fvu_top"] / values["fvu_batch"],
    }


def widths(*, seed: int, effort: int) -> dict[str, float]:
    """Train JumpReLU with windows of several widths."""
    data = planted(N_TEST + 40_000, seed=seed)
    values: dict[str, float] = {}
    for width in (0.01, 0.05, 0.2, 0.5, 1.0):
        rule = JumpReLU(0.05, width)
        values |= _measured(data, 96, rule, seed, 2500 * effort, f"{width:g}")
    return values | {
        "widest_over_narrowest": values["fvu_0.2"] / values["fvu_0.05"],
        "too_wide_over_good": values["fvu_1"] / values["fvu_0.2"],
    }


def estimate(*, seed: int, effort: int) -> dict[str, float]:
    """Compare the estimate of trained thresholds with the exact differences."""
    X = planted(20_000, 16, 32, n_active=2.5, zipf=0.3, noise=0.05, seed=seed).X
    X = X - X.mean(axis=0)
    rule = JumpReLU(0.03, 0.2, 0.15)
    learned = train_dictionary(
        *(X, 32, rule), seed=seed, n_steps=700 * effort, batch_size=512, dtype=np.float64
    )
    p, t = learned.parameters, np.asarray(learned.rule.threshold)  # type: ignore[attr-defined]
    Z = X @ p.W1.T + p.b1
    X_hat = reconstruct(X, p, learned.rule)[1]
    back = (X_hat - X) @ p.W2
    values: dict[str, float] = {}
    for width in (0.4, 0.2, 0.1, 0.05):
        exact = threshold_difference(X, p, t, 0.0, width)
        published = straight_through(Z, back, t, 0.0, width)
        own_z = -np.where(in_window(Z, t, width), Z * back, 0).mean(axis=0) / width
        values[f"off_by_{width:g}"] = _off(published, exact)
        values[f"off_by_with_z_{width:g}"] = _off(own_z, exact)
    values["with_z_over_published"] = values["off_by_with_z_0.2"] / values["off_by_0.2"]
    moved = _moved(X, p, t, 0.2, range(8))
    formula = threshold_difference(X, p, t, 0.03, 0.2)[:8]
    values["formula_off_by"] = float(np.abs(formula - moved).max() / np.abs(moved).max())
    values["true_derivative"] = float(np.abs(_moved(X, p, t, 1e-7, range(8))).max())
    return values


def _off(estimate: Array, exact: Array) -> float:
    return float(np.linalg.norm(estimate - exact) / np.linalg.norm(exact))


def _moved(X: Array, p: Parameters, t: Array, width: float, units: range) -> Array:
    """Return central differences by moving thresholds, one at a time."""
    differences = []
    for j in units:
        step = np.zeros_like(t)
        step[j] = width / 2
        up, down = (dictionary_cost(X, p, JumpReLU(0.03, 0.2, t + s * step)).total for s in (1, -1))
        differences.append((up - down) / width)
    return np.array(differences)
