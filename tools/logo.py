"""Make logo, icon and preview card of the book from features on its cover.

python tools/logo.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage.io import imread, imsave
from skimage.transform import resize

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
TILE, PITCH = 52, 56
# Rows and columns of nine well-shaped edges on the cover, by their angles.
CHOSEN = [(4, 13), (9, 2), (8, 12), (7, 1), (6, 14), (7, 15), (9, 12), (6, 17), (9, 1)]


def tiles() -> list[np.ndarray]:
    """Return the chosen features, grey from 0 to 1."""
    cover = imread(STATIC / "cover.png", as_gray=True).astype(float)
    cover = cover / cover.max()
    corners = [(PITCH * row, PITCH * column) for row, column in CHOSEN]
    return [cover[y : y + TILE, x : x + TILE] for y, x in corners]


def rounded(picture: np.ndarray, radius: float) -> np.ndarray:
    """Return grey as colours that fade out at the corners."""
    side = len(picture)
    distance = np.abs(np.arange(side) - (side - 1) / 2) - (side / 2 - radius)
    outside = np.hypot(*np.meshgrid(*[np.clip(distance, 0, None)] * 2))
    alpha = np.clip(radius - outside + 0.5, 0, 1)
    grey = (np.repeat(picture[..., None], 3, axis=2), alpha[..., None])
    return np.round(255 * np.concatenate(grey, axis=2)).astype(np.uint8)


def mosaic(parts: list[np.ndarray], side: int, gap: int) -> np.ndarray:
    """Return nine features as three rows, with corners of their own."""
    step = side + gap
    page = np.zeros((3 * step - gap, 3 * step - gap, 4), dtype=np.uint8)
    for number, part in enumerate(parts):
        y, x = divmod(number, 3)
        page[y * step :, x * step :][:side, :side] = rounded(
            np.clip(resize(part, (side, side), order=3), 0, 1), side / 8
        )
    return page


def card() -> None:
    """Draw what is shown where somebody links to the book."""
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="#16181d")
    ax = figure.add_axes((0, 0, 1, 0.585))
    ax.imshow(imread(STATIC / "cover.png")[4 * PITCH : 10 * PITCH - 4], cmap="gray", aspect="auto")
    ax.set_axis_off()
    figure.text(0.05, 0.8, "Sparse autoencoders", color="white", fontsize=52, weight="bold")
    words = "From the first equation to two hundred learned features"
    figure.text(0.05, 0.685, words, color="#c9ced6", fontsize=25)
    figure.savefig(STATIC / "card.png", facecolor=figure.get_facecolor())


def main() -> None:
    """Write the three pictures."""
    parts = tiles()
    imsave(STATIC / "logo.png", mosaic(parts, side=64, gap=8), check_contrast=False)
    icon = np.clip(resize(parts[1], (64, 64), order=3), 0, 1)
    imsave(STATIC / "favicon.png", rounded(icon, 12), check_contrast=False)
    card()


if __name__ == "__main__":
    main()
