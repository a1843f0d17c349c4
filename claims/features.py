"""Experiments of chapter 15: families of directions, the wrong number, and other seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib.codes import BatchTopK, L1ReLU, Rule, TopK
from saelib.dictionary import reconstruct
from saelib.dictionary_training import train_dictionary
from saelib.families import Families, absorption, planted_families
from saelib.features import unexplained_variance
from saelib.planted import planted
from saelib.recovery import dictionary_measures, match_directions, shared_units
from saelib.thresholds import JumpReLU

Array = NDArray[np.floating[Any]]
N_TEST = 8000
NESTED = (16, 32, 64)


def _family(
    data: Families, rule: Rule, seed: int, effort: int, name: str, **settings: Any
) -> dict[str, float]:
    X, S = data.X - data.X.mean(axis=0), data.S[:N_TEST]
    learned = train_dictionary(X[N_TEST:], 64, rule, seed=seed, n_steps=2500 * effort, **settings)
    A, X_hat = reconstruct(X[:N_TEST], learned.parameters, learned.rule)
    W2 = learned.parameters.W2
    found = dictionary_measures(X[:N_TEST], S, data.D, A, X_hat, W2)
    taken = absorption(S, A, data.D, W2, data.parent)
    values = {"l0": found.l0, "fvu": found.fvu, "recovered": found.recovered, "f1": found.f1}
    return {f"{key}_{name}": value for key, value in (values | taken._asdict()).items()}


def families(*, seed: int, effort: int) -> dict[str, float]:
    """Train BatchTopK with and without nested prefixes, and others, on families."""
    data = planted_families(N_TEST + 32_000, seed=seed)
    values = _family(data, BatchTopK(3.4), seed, effort, "plain")
    values |= _family(data, BatchTopK(3.4), seed, effort, "nested", prefixes=NESTED)
    values |= _family(data, JumpReLU(0.03), seed, effort, "jump")
    values |= _family(data, TopK(3), seed, effort, "top")
    values |= _family(data, L1ReLU(0.2), seed, effort, "l1")
    return values | {
        "recovered_gain": values["recovered_nested"] - values["recovered_plain"],
        "fvu_nested_over_plain": values["fvu_nested"] / values["fvu_plain"],
        "absorbed_plain": values["silent_with_child_plain"] - values["silent_alone_plain"],
        "absorbed_nested": values["silent_with_child_nested"] - values["silent_alone_nested"],
        "least_silent_of_others": min(
            values[f"silent_with_child_{name}"] for name in ("plain", "jump", "top", "l1")
        ),
    }


def first_prefix(*, seed: int, effort: int) -> dict[str, float]:
    """Move the first prefix away from the number of parents, and make children frequent."""
    data = planted_families(N_TEST + 32_000, seed=seed)
    values: dict[str, float] = {}
    for first in (8, 16, 32):
        prefixes = (first, 64)
        values |= _family(data, BatchTopK(3.4), seed, effort, f"from_{first}", prefixes=prefixes)
    always = planted_families(N_TEST + 32_000, child_share=0.95, seed=seed)
    values |= _family(always, BatchTopK(3.9), seed, effort, "always")
    return values | _family(always, BatchTopK(3.9), seed, effort, "always_nested", prefixes=NESTED)


def wrong_number(*, seed: int, effort: int) -> dict[str, float]:
    """Train BatchTopK with too few, the right and too many units on correlated directions."""
    X, S, D = planted(N_TEST + 32_000, n_active=4, zipf=0, correlation=0.6, seed=seed)
    X = X - X.mean(axis=0)
    values: dict[str, float] = {}
    for k in (2, 4, 8, 12):
        learned = train_dictionary(
            *(X[N_TEST:], 64, BatchTopK(k)), seed=seed, n_steps=1500 * effort, batch_size=512
        )
        W2 = learned.parameters.W2
        A, X_hat = reconstruct(X[:N_TEST], learned.parameters, learned.rule)
        values[f"fvu_{k}"] = unexplained_variance(X[:N_TEST], X_hat)
        values[f"clean_{k}"] = float(np.mean(match_directions(W2.T, D.T).best > 0.9))
        values[f"l0_{k}"] = float((A > 0).sum(axis=1).mean())
    values["true_l0"] = float((S > 0).sum(axis=1).mean())
    return values | {
        "fvu_12_over_4": values["fvu_12"] / values["fvu_4"],
        "lost_at_8": values["clean_4"] - values["clean_8"],
        "lost_at_2": values["clean_4"] - values["clean_2"],
    }


def other_seeds(*, seed: int, effort: int) -> dict[str, float]:
    """Train twice on the same data from two starts, with 1 and 4 units per direction."""
    X, _, D = planted(40_000, seed=seed)
    X = X - X.mean(axis=0)
    values: dict[str, float] = {}
    for width in (64, 256):
        pair = [
            train_dictionary(
                *(X, width, BatchTopK(3)), seed=start, n_steps=1500 * effort, batch_size=512
            ).parameters.W2
            for start in (2 * seed, 2 * seed + 1)
        ]
        values[f"shared_{width}"] = shared_units(*pair)
        values[f"found_{width}"] = float(
            min(np.mean(match_directions(D, W2).best > 0.9) for W2 in pair)
        )
    return values
