"""Compute the data behind the figures that readers move, into scripts of book/_static/js.

    python tools/explorables.py

A script, not JSON: pages opened from a folder may load scripts but not fetch files.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from saelib import (
    Parameters,
    SparseObjective,
    encode,
    natural_images,
    normalize_patches,
    sample_patches,
    train,
    whiten,
)
from saelib.features import edge_like

FOLDER = Path(__file__).resolve().parent.parent / "book" / "_static" / "js"
SNAPSHOTS = (0, 2, 10, 20, 40, 60, 80, 100, 150, 200, 300, 400)


def packed(W: np.ndarray) -> dict[str, Any]:
    """Return weights as signed bytes in base64, each row with a scale of its own."""
    scale = np.abs(W).max(axis=1)
    rows = np.round(W / scale[:, None] * 127).astype(np.int8)
    return {
        "bytes": base64.b64encode(rows.tobytes()).decode(),
        "scale": [float(f"{s:.4g}") for s in scale],
    }


def rounded(values: np.ndarray, digits: int = 4) -> Any:
    """Return nested lists of rounded numbers."""
    return np.round(values, digits).tolist()


def assignment(images: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the weights of the 64-25-64 network while it is trained, and how it ends."""
    X = normalize_patches(sample_patches(images, n_patches=10_000, patch_size=8, seed=0))
    objective = SparseObjective(X, n_hidden=25, sparsity_target=0.01, sparsity_weight=3.0)
    theta0 = Parameters.random(n_features=64, n_hidden=25, seed=0).ravel()
    kept = {0: theta0}

    def keep(iteration: int, theta: np.ndarray) -> None:
        if iteration in SNAPSHOTS:
            kept[iteration] = theta

    result = train(objective, theta0, max_iter=400, callback=keep)
    steps = []
    for iteration, theta in kept.items():
        p = Parameters.unravel(theta, 64, 25)
        steps.append(
            {
                "iteration": iteration,
                "cost": float(f"{objective.terms(theta).total:.4g}"),
                "meanActivation": float(f"{encode(X, p).mean():.3g}"),
                "edges": int(edge_like(p.W1).sum()),
                "W1": packed(p.W1),
            }
        )
    p = result.parameters
    return {
        "side": 8,
        "steps": steps,
        # What the units get from a flat grey patch, and how far from flat one patch in ten is.
        "flat": rounded(p.W1.sum(axis=1) * 0.5 + p.b1),
        "length": float(np.round(np.quantile(np.linalg.norm(X - 0.5, axis=1), 0.9), 3)),
    }


def two_parameters(images: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a problem small enough to compute in the page: a cost, and a minimum to cut it at."""
    return _trained(images, weight_decay=1e-3, sparsity_target=0.1, sparsity_weight=0.2)


def roads(images: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return such a network whose two units have learned something: the decay is small."""
    return _trained(images, weight_decay=1e-5, sparsity_target=0.2, sparsity_weight=0.02)


def _trained(images: dict[str, np.ndarray], **settings: float) -> dict[str, Any]:
    """Return 40 patches of 2x2 and a network with two hidden units, trained on them."""
    X = normalize_patches(sample_patches(images, n_patches=40, patch_size=2, seed=4)).round(3)
    objective = SparseObjective(X, n_hidden=2, **settings)
    theta0 = Parameters.random(n_features=4, n_hidden=2, seed=1).ravel()
    p = train(objective, theta0, max_iter=400, progress=False).parameters
    return {
        "X": rounded(X, 3),
        "W1": rounded(p.W1),
        "b1": rounded(p.b1),
        "W2": rounded(p.W2),
        "b2": rounded(p.b2),
        "weightDecay": settings["weight_decay"],
        "sparsityTarget": settings["sparsity_target"],
        "sparsityWeight": settings["sparsity_weight"],
    }


def main() -> None:
    """Write the files: one for chapter 5, and one for the two that show the same weights."""
    images = {name: whiten(image) for name, image in natural_images().items()}
    files = {
        "explore-slices.js": {"slice": two_parameters, "roads": roads},
        "explore-weights.js": {"assignment": assignment},
    }
    for name, made in files.items():
        text = json.dumps({key: make(images) for key, make in made.items()}, separators=(",", ":"))
        target = FOLDER / name
        target.write_text(
            "// Made by tools/explorables.py.\n"
            f"window.exploreData = Object.assign(window.exploreData ?? {{}}, {text});\n"
        )
        print(f"{name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
