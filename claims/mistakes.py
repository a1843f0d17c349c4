"""Experiments of the chapter *What goes wrong*: trainings and checks with a mistake in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from claims.data import patches
from saelib import (
    CostTerms,
    Parameters,
    SparseObjective,
    TrainingResult,
    encode,
    numerical_gradient,
    relative_error,
    train,
)
from saelib.exercises import wrong_answer
from saelib.features import edge_like

Array = NDArray[np.float64]

AT_ONCE = ("not-averaged", "sparsity-sign", "sparsity-missing", "sparsity-over-m")
ASLEEP = ("outside-bracket", "halved")
SPARSITY = (
    "sparsity-missing",
    "outside-bracket",
    "per-example",
    "sparsity-sign",
    "sparsity-not-averaged",
    "weight-missing",
    "value-for-slope",
    "sparsity-not-in-b1",
    "mean-over-all-units",
    "divergence-swapped",
    "mean-of-first-half",
    "no-complement",
    "sparsity-over-m",
)
DECAY = (
    "decay-missing",
    "decay-doubled",
    "decay-over-m",
    "decay-sign",
    "decay-on-W1-only",
    "decay-on-biases",
)
WAY_BACK = (
    "not-averaged",
    "halved",
    "averaged-over-features",
    "error-sign",
    "output-slope-missing",
    "hidden-slope-missing",
    "slope-of-z",
    "sigmoid-twice",
    "tanh-slope",
    "W1-for-W2",
    "bias-summed",
    "biases-swapped",
    "tied",
)


class WrongObjective(SparseObjective):
    """The right cost with the gradient of somebody's mistakes, or both with the same ones."""

    mistakes: tuple[str, ...] = ()
    also_in_cost = False

    def evaluate(self, theta: Array) -> tuple[CostTerms, Array]:  # type: ignore[override]
        """Return cost terms and gradient."""
        p = Parameters.unravel(theta, self.n_features, self.n_hidden)
        constants = (self.weight_decay, self.sparsity_target, self.sparsity_weight)
        inputs = (p.W1, p.W2, p.b1, p.b2, self.X, *constants)
        parts = wrong_answer("sparse_gradient", *self.mistakes)(*inputs)
        gradient = np.concatenate([part.ravel() for part in parts])
        if self.also_in_cost:
            cost = wrong_answer("cost", *self.mistakes)(*inputs)
            return CostTerms(cost, 0.0, 0.0), gradient
        return super().evaluate(theta)[0], gradient


def learn(
    X: Array,
    seed: int,
    max_iter: int,
    *mistakes: str,
    also_in_cost: bool = False,
    weight_decay: float = 1e-4,
) -> TrainingResult:
    """Train the chapter's network with a mistake."""
    objective = WrongObjective(X, 25, weight_decay=weight_decay)
    objective.mistakes, objective.also_in_cost = mistakes, also_in_cost
    theta0 = Parameters.random(64, 25, seed=seed).ravel()
    return train(objective, theta0, max_iter=max_iter, progress=False)


def mean_patch_cost(X: Array) -> float:
    """Return what it costs to answer always with the mean of all patches."""
    return 0.5 * float(np.sum((X - X.mean(axis=0)) ** 2)) / len(X)


def museum(*, seed: int, effort: int) -> dict[str, float]:
    """Return where trainings with a wrong gradient end, in true cost, and after how many steps."""
    X = patches(3000, 8, seed)
    right = learn(X, seed, 200 * effort)
    asleep = mean_patch_cost(X)
    wrong = {
        name: learn(X, seed, 200 * effort, name)
        for name in (*AT_ONCE, *ASLEEP, "tied", "mean-of-first-half", "W1-for-W2")
    }
    result = {"right-over-mean-patch": right.cost / asleep}
    for name, run in wrong.items():
        result[f"{name}-over-right"] = run.cost / right.cost
        result[f"{name}-over-mean-patch"] = run.cost / asleep
        result[f"{name}-steps"] = run.n_iterations
    at_once = [wrong[name] for name in AT_ONCE]
    asleeps = [wrong[name].cost / asleep for name in ASLEEP]
    return result | {
        "steps-at-once": max(run.n_iterations for run in at_once),
        "cost-at-once": min(run.cost for run in at_once) / right.cost,
        "lowest-asleep": min(asleeps),
        "highest-asleep": max(asleeps),
    }


def unseen(*, seed: int, effort: int) -> dict[str, float]:
    """Return what trainings learn whose gradient check passes: edges of 25, errors, rho_hat."""
    X = patches(3000, 8, seed)
    steps = 200 * effort
    asleep = mean_patch_cost(X)
    result = {"right-edges": float(edge_like(learn(X, seed, steps).parameters.W1).sum())}
    for name in ("per-example", "no-complement", "sparsity-over-m"):
        run = learn(X, seed, steps, name, also_in_cost=True)
        result[f"{name}-edges"] = float(edge_like(run.parameters.W1).sum())
        result[f"{name}-rho-hat"] = float(encode(X, run.parameters).mean())
    heavy = learn(X, seed, steps, weight_decay=1e-3)
    result["heavy-decay-over-mean-patch"] = heavy.history["reconstruction"][-1] / asleep
    result["most-edges"] = max(v for k, v in result.items() if k.endswith("-edges") and k[0] != "r")
    return result


def checks(*, seed: int, effort: int) -> dict[str, float]:
    """Return what the gradient check says of the right gradient and of 32 wrong ones."""
    X = patches(100, 4, seed)
    theta = Parameters.random(16, 16, seed=seed).ravel()
    theta[-32:] = 0.5 * np.random.default_rng(seed).normal(size=32)
    settings = {"none": (0.0, 0.0), "decay": (0.1, 0.0), "both": (0.1, 3.0)}
    errors: dict[str, dict[str, list[float]]] = {name: {} for name in settings}
    against = 0
    for setting, (decay, weight) in settings.items():
        loud = WrongObjective(
            X, 16, weight_decay=decay, sparsity_target=0.1, sparsity_weight=weight
        )
        numeric = _blocks(numerical_gradient(loud, theta))  # type: ignore[arg-type]
        for name in ("", *SPARSITY, *DECAY, *WAY_BACK):
            loud.mistakes = (name,) if name else ()
            pairs = list(zip(_blocks(loud(theta)[1]), numeric, strict=True))  # type: ignore[arg-type]
            errors[setting][name] = [relative_error(a, b) for a, b in pairs]
            against += sum((relative_error(a, b) > 1) != (a @ b < 0) for a, b in pairs)
    both = errors["both"]
    return {
        "right": max(max(errors[setting][""]) for setting in settings),
        "smallest-wrong": min(max(both[name]) for name in (*SPARSITY, *DECAY, *WAY_BACK)),
        "sparsity-beyond-hidden": max(max(both[name][1], both[name][3]) for name in SPARSITY),
        "decay-beyond-weights": max(max(both[n][2:]) for n in DECAY if n != "decay-on-biases"),
        "sparsity-without-it": max(max(errors["decay"][name]) for name in SPARSITY),
        "decay-without-it": max(max(errors["none"][name]) for name in DECAY),
        "way-back-without-penalty": min(max(errors["none"][name]) for name in WAY_BACK),
        "above-one-but-not-against": against,
        "W1-for-W2": max(both["W1-for-W2"]),
        "mean-of-first-half": max(both["mean-of-first-half"]),
        "halved-output-bias": both["halved"][3],
    }


def _blocks(vector: Array) -> list[Array]:
    p = Parameters.unravel(vector, 16, 16)
    return [p.W1.ravel(), p.W2.ravel(), p.b1, p.b2]  # type: ignore[list-item]
