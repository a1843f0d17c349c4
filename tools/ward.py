"""Make the eight runs of the diagnosis ward anew: ``python tools/ward.py``.

Each run is the training of a small network by somebody who may have made one mistake, and the
gradient check of the same program. What the exercise shows of them, rounded, goes to
saelib/exercises/ward.npz; which run has which mistake is in saelib/exercises/_ward.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import saelib
from saelib import CostTerms, Parameters, SparseObjective, numerical_gradient, relative_error
from saelib.exercises import wrong_answer
from saelib.exercises._ward import ILLNESSES, Run

Array = NDArray[np.float64]
FILE = Path(__file__).resolve().parent.parent / "saelib" / "exercises" / "ward.npz"
N_HIDDEN, SIDE, SEED = 25, 8, 3


class Program(SparseObjective):
    """Somebody's cost and gradient, with the same mistakes in the gradient, or in both."""

    mistakes: tuple[str, ...] = ()
    also_in_cost = False

    def evaluate(self, theta: Array) -> tuple[CostTerms, Array]:
        """Return cost terms and gradient as the program computes them."""
        p = Parameters.unravel(theta, self.n_features, self.n_hidden)
        constants = (self.weight_decay, self.sparsity_target, self.sparsity_weight)
        inputs = (p.W1, p.W2, p.b1, p.b2, self.X, *constants)
        parts = wrong_answer("sparse_gradient", *self.mistakes)(*inputs)
        gradient = np.concatenate([part.ravel() for part in parts])
        if not self.also_in_cost:
            return super().evaluate(theta)[0], gradient
        return CostTerms(wrong_answer("cost", *self.mistakes)(*inputs), 0.0, 0.0), gradient


def patches(illness: str) -> Array:
    """Return what somebody with this illness trains on."""
    photographs = saelib.natural_images()
    if illness == "brightness-left":
        raw = saelib.sample_patches(photographs, 3000, SIDE, seed=SEED)
        centred = raw - raw.mean()
        limit = 3 * centred.std()
        return (np.clip(centred, -limit, limit) / limit + 1) * 0.4 + 0.1
    white = {name: saelib.whiten(image) for name, image in photographs.items()}
    if illness == "pixels-mixed":
        rng = np.random.default_rng(SEED)
        many = saelib.sample_patches(white, 3000 * SIDE**2, SIDE, seed=SEED)
        pixel = np.tile(np.arange(SIDE**2), 3000)
        mixed = rng.permutation(many)[np.arange(len(many)), pixel].reshape(3000, -1)
        return saelib.normalize_patches(mixed)
    return saelib.normalize_patches(saelib.sample_patches(white, 3000, SIDE, seed=SEED))


def gradient_check(program: type[Program], mistakes: tuple[str, ...], both: bool) -> Array:
    """Return the relative errors of W1, W2, b1 and b2 at a random point, with large constants."""
    X = np.random.default_rng(SEED).uniform(0.1, 0.9, size=(60, 16))
    objective = program(X, 16, weight_decay=0.1, sparsity_target=0.1, sparsity_weight=3.0)
    theta = Parameters.random(16, 16, seed=SEED).ravel()
    theta[-32:] = 0.5 * np.random.default_rng(SEED).normal(size=32)
    objective.mistakes, objective.also_in_cost = mistakes, both
    pair = objective(theta)[1], numerical_gradient(objective, theta)
    analytic, numeric = (Parameters.unravel(vector, 16, 16) for vector in pair)
    return np.array(
        [
            relative_error(getattr(analytic, k).ravel(), getattr(numeric, k).ravel())
            for k in ("W1", "W2", "b1", "b2")
        ]
    )


def run_of(illness: str) -> Run:
    """Train as somebody with this illness does."""
    gradient_only = {"outside-bracket": "outside-bracket", "wrong-matrix": "W1-for-W2"}
    shared = {"no-penalty": "sparsity-missing"}
    mistakes = tuple({**gradient_only, **shared}.get(illness, "").split())
    X = patches(illness)
    objective = Program(X, N_HIDDEN, weight_decay=1e-3 if illness == "heavy-decay" else 1e-4)
    objective.mistakes, objective.also_in_cost = mistakes, illness in shared
    theta0 = Parameters.random(SIDE**2, N_HIDDEN, seed=SEED).ravel()
    steps = 60 if illness == "impatience" else 400
    result = saelib.train(objective, theta0, max_iter=steps, progress=False)
    return Run(
        cost=np.asarray(result.history["total"], dtype=float),
        mean_patch=0.5 * float(np.sum((X - X.mean(axis=0)) ** 2)) / len(X),
        rho_hat=saelib.encode(X, result.parameters).mean(axis=0),
        filters=result.parameters.W1,
        check=gradient_check(Program, mistakes, illness in shared),
    )


def main() -> int:
    """Train all eight, store what is shown of them, print where they end."""
    stored: dict[str, Any] = {}
    for name, illness in ILLNESSES.items():
        run = run_of(illness)
        for field, value in run._asdict().items():
            stored[f"{name}_{field}"] = np.asarray(value, dtype=np.float32)
        scale = np.abs(run.filters).max()
        stored[f"{name}_filters"] = np.round(127 * run.filters / scale).astype(np.int8)
        stored[f"{name}_scale"] = np.float32(scale / 127)
        print(f"{name}: {len(run.cost)} costs, last {run.cost[-1]:.3f}", flush=True)
    np.savez_compressed(FILE, **stored)
    print(f"{FILE.name}: {FILE.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
