"""Data that the experiments share: patches of the book's photographs, other ones for each seed."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from saelib import natural_images, normalize_patches, sample_patches, whiten

Array = NDArray[np.float64]


@cache
def whitened() -> dict[str, Array]:
    """Return the ten photographs, whitened."""
    return {name: whiten(image) for name, image in natural_images().items()}


def patches(n_patches: int, side: int, seed: int) -> Array:
    """Return normalized patches, one per row."""
    return normalize_patches(sample_patches(whitened(), n_patches, side, seed=seed))
