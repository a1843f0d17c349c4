"""Experiments of chapters 12 and 13: what each method finds of a planted dictionary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib import Parameters, SparseObjective, train
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, Rule, TopK
from saelib.dictionary import reconstruct
from saelib.dictionary_training import train_dictionary
from saelib.planted import Planted, planted
from saelib.recovery import DictionaryMeasures, dictionary_measures

Array = NDArray[np.floating[Any]]
N_TEST = 8000
KL = KLSigmoid(0.03, 0.3)


def _data(n_train: int, seed: int, offset: float = 0.0) -> Planted:
    X, S, D = planted(N_TEST + n_train, seed=seed)
    return Planted(X - X.mean(axis=0) + offset, S, D)


def _measure(
    data: Planted, parameters: Parameters, rule: Rule, active_above: float = 0.0
) -> DictionaryMeasures:
    X, S = data.X[:N_TEST], data.S[:N_TEST]
    A, X_hat = reconstruct(X, parameters, rule)
    return dictionary_measures(X, S, data.D, A, X_hat, parameters.W2, active_above=active_above)


def _learn(
    data: Planted, rule: Rule, seed: int, effort: int, **settings: Any
) -> DictionaryMeasures:
    learned = train_dictionary(
        data.X[N_TEST:], 96, rule, seed=seed, n_steps=2500 * effort, **settings
    )
    return _measure(data, learned.parameters, learned.rule)


def _named(found: DictionaryMeasures, name: str) -> dict[str, float]:
    return {f"{key}_{name}": float(value) for key, value in found._asdict().items()}


def j_sparse(*, seed: int, effort: int) -> dict[str, float]:
    """Train J_sparse by L-BFGS on planted data at four weight decays."""
    data = _data(12_000, seed)
    values: dict[str, float] = {}
    for decay in (1e-4, 3e-4, 1e-3, 3e-3):
        objective = SparseObjective(
            data.X[N_TEST:],
            96,
            weight_decay=decay,
            sparsity_target=KL.sparsity_target,
            sparsity_weight=KL.sparsity_weight,
            output_activation="linear",
        )
        start = Parameters.random(32, 96, seed).ravel()
        learned = train(objective, start, max_iter=400 * effort, progress=False).parameters
        values |= _named(_measure(data, learned, KL, active_above=0.3), f"{decay:g}")
        values[f"norm_{decay:g}"] = float(np.median(np.linalg.norm(learned.W2, axis=0)))
    return values


def l1(*, seed: int, effort: int) -> dict[str, float]:
    """Train L1 at four prices, and once without fixed norms."""
    data = _data(40_000, seed)
    values: dict[str, float] = {}
    for price in (0.05, 0.1, 0.2, 0.4):
        values |= _named(_learn(data, L1ReLU(price), seed, effort), f"{price:g}")
    values |= _named(_learn(data, L1ReLU(0.2), seed, effort, fix_norms=False), "free")
    return values


def keep_k(*, seed: int, effort: int) -> dict[str, float]:
    """Train TopK and BatchTopK around the true number, and L1 beside them."""
    data = _data(40_000, seed)
    values: dict[str, float] = {}
    for k in (2, 3, 4, 6):
        values |= _named(_learn(data, TopK(k), seed, effort), f"top_{k}")
        values |= _named(_learn(data, BatchTopK(k), seed, effort), f"batch_{k}")
    for price in (0.2, 0.4):
        values |= _named(_learn(data, L1ReLU(price), seed, effort), f"l1_{price:g}")
    before = (values["fvu_batch_2"] - values["fvu_batch_3"]) / (
        values["l0_batch_3"] - values["l0_batch_2"]
    )
    after = (values["fvu_batch_3"] - values["fvu_batch_4"]) / (
        values["l0_batch_4"] - values["l0_batch_3"]
    )
    return values | {
        "knee": after / before,
        "l1_over_top": values["fvu_l1_0.2"] / values["fvu_top_6"],
        "top_over_batch": values["fvu_top_3"] / values["fvu_batch_3"],
        "f1_gain": values["f1_batch_3"] - values["f1_top_3"],
    }


def dead_units(*, seed: int, effort: int) -> dict[str, float]:
    """Train TopK with and without a common offset, with and without AuxK."""
    values: dict[str, float] = {}
    for name, offset in (("centred", 0.0), ("offset", 1.0)):
        data = _data(40_000, seed, offset)
        values |= _named(_learn(data, TopK(3), seed, effort), name)
        revived = _learn(data, TopK(3), seed, effort, revive_after=200)
        values |= _named(revived, f"{name}_revived")
    return values | {
        "moved_centred": abs(values["dead_centred"] - values["dead_centred_revived"]),
        "moved_offset": values["dead_offset"] - values["dead_offset_revived"],
        "fvu_gain_offset": values["fvu_offset"] - values["fvu_offset_revived"],
        "extra_dead_with_offset": values["dead_offset"] - values["dead_centred"],
    }


def room(*, seed: int, effort: int) -> dict[str, float]:
    """Say by how much the scale is below one less the price where directions do not crowd."""
    X, S, D = planted(N_TEST + 20_000, 64, 64, seed=seed)
    data = Planted(X - X.mean(axis=0), S, D)
    values: dict[str, float] = {}
    for price in (0.1, 0.4):
        found = _learn(data, L1ReLU(price), seed, effort)
        values[f"scale_{price:g}"] = found.scale
        values[f"below_{price:g}"] = 1 - price - found.scale
    return values
