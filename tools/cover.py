"""Draw the cover of the book: two hundred units, trained longer than a chapter has time for.

python tools/cover.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage.io import imsave
from skimage.transform import resize

from saelib import (
    Parameters,
    SparseObjective,
    natural_images,
    normalize_patches,
    sample_patches,
    train,
    whiten,
)
from saelib.features import fit_gabor

TARGET = Path(__file__).resolve().parent.parent / "book" / "_static" / "cover.png"
COLUMNS, TILE, GAP = 20, 52, 4


def learned_weights() -> np.ndarray:
    """Return W1 of a network with 100 inputs and 200 hidden units, trained on photographs."""
    images = {name: whiten(image) for name, image in natural_images().items()}
    patches = sample_patches(images, n_patches=50_000, patch_size=10, seed=0)
    X = normalize_patches(patches).astype(np.float32)
    objective = SparseObjective(X, n_hidden=200, sparsity_target=0.02, sparsity_weight=5.0)
    theta0 = Parameters.random(n_features=100, n_hidden=200, seed=0).ravel()
    return train(objective, theta0, max_iter=700).parameters.W1


def picture(W1: np.ndarray) -> np.ndarray:
    """Return the units as smooth tiles, from coarse to fine, between 0 and 255."""
    fit = fit_gabor(W1)
    tiles = W1[np.argsort(fit.frequency)].reshape(-1, 10, 10)
    tiles = tiles / np.abs(tiles).max(axis=(1, 2), keepdims=True)
    rows = -(-len(tiles) // COLUMNS)
    step = TILE + GAP
    canvas = np.ones((rows * step - GAP, COLUMNS * step - GAP))
    for k, tile in enumerate(tiles):
        top, left = k // COLUMNS * step, k % COLUMNS * step
        smooth = resize(tile, (TILE, TILE), order=3, mode="edge")
        canvas[top : top + TILE, left : left + TILE] = smooth
    # Sixteen levels of grey are enough for the eye, and halve the file.
    grey = np.clip(canvas / 2 + 0.5, 0, 1)
    return (np.round(grey * 31) * 255 / 31).astype(np.uint8)


if __name__ == "__main__":
    imsave(TARGET, picture(learned_weights()), check_contrast=False)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")
