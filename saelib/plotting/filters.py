"""Pictures of weights and patches, as tiles."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from saelib._validation import whole_number
from saelib.plotting.style import COLOURS, DPI, new_axes, set_title

__all__ = ["plot_filters", "plot_patches"]

Array = NDArray[np.float64]

_WIDTH_IN_DOTS = 520
_TITLE_HEIGHT = 0.35


def plot_filters(
    W: ArrayLike,
    patch_shape: tuple[int, int] | None = None,
    ncols: int | None = None,
    ax: Axes | None = None,
    order: ArrayLike | None = None,
    highlight: ArrayLike | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the weights of hidden units as tiles: bright is positive, dark negative, grey 0.

    Every tile has its own scale, so that weak units can be seen as well as strong ones; the
    tiles say what a unit looks for, not how strongly it answers.

    Parameters
    ----------
    W : array_like of shape (n_hidden, n_features)
        One unit per row: W1, the maximal inputs, or the transpose of W2.
    patch_shape : (int, int), optional
        Height and width of a tile; needed if n_features is not a square number.
    ncols : int, optional
        Tiles per row; by default as many as make the whole nearly square.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    order : array_like of int, optional
        The units to show, in this order; all of them by default.
    highlight : array_like of bool of shape (n_hidden,) or of int, optional
        Units to frame, as a mask or as their numbers.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If `W` is not 2-D and finite, `patch_shape` does not fit, or a unit does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_filters
    >>> W1 = np.random.default_rng(0).normal(size=(25, 64))
    >>> ax = plot_filters(W1, order=np.arange(10), ncols=5, title="Ten units before training")
    >>> ax.images[0].get_array().shape
    (17, 44)
    """
    tiles = _tiles("W", W, patch_shape)
    units = np.arange(len(tiles)) if order is None else _units("order", order, len(tiles))
    framed = np.array([], int) if highlight is None else _units("highlight", highlight, len(tiles))
    largest = np.abs(tiles).max(axis=(1, 2), keepdims=True)
    tiles = np.divide(tiles, largest, out=np.zeros_like(tiles), where=largest > 0)
    ncols = _columns(ncols, len(units))
    ax = _show(_mosaic(tiles[units], ncols), 1.0, ax, title)
    height, width = tiles.shape[1:]
    for place in np.flatnonzero(np.isin(units, framed)):
        row, column = divmod(int(place), ncols)
        corner = (column * (width + 1) - 0.75, row * (height + 1) - 0.75)
        frame = Rectangle(corner, width + 0.5, height + 0.5, fill=False, clip_on=False, snap=True)
        frame.set(edgecolor=COLOURS["hidden"], linewidth=2.0)
        ax.add_patch(frame)
    return ax


def plot_patches(
    patches: ArrayLike,
    patch_shape: tuple[int, int] | None = None,
    ncols: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw patches as tiles on one common scale, their overall mean in the middle grey.

    Parameters
    ----------
    patches : array_like of shape (n_patches, n_pixels)
        One patch per row.
    patch_shape : (int, int), optional
        Height and width of a patch; needed if n_pixels is not a square number.
    ncols : int, optional
        Patches per row; by default as many as make the whole nearly square.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If `patches` is not 2-D and finite, or `patch_shape` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_patches
    >>> ax = plot_patches(np.random.default_rng(0).normal(size=(12, 64)), ncols=6)
    >>> ax.images[0].get_array().shape
    (17, 53)
    """
    tiles = _tiles("patches", patches, patch_shape)
    tiles = tiles - tiles.mean()
    # A few bright pixels should not make everything else grey.
    limit = float(np.quantile(np.abs(tiles), 0.995)) or float(np.abs(tiles).max()) or 1.0
    return _show(_mosaic(tiles, _columns(ncols, len(tiles))), limit, ax, title)


def _tiles(name: str, values: ArrayLike, patch_shape: tuple[int, int] | None) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; give one tile per row, not empty")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds NaN or infinity; every entry must be finite")
    n_pixels = array.shape[1]
    if patch_shape is None:
        side = math.isqrt(n_pixels)
        if side * side != n_pixels:
            raise ValueError(
                f"{name} has rows of {n_pixels} numbers, which do not fill a square; pass "
                "patch_shape=(height, width)"
            )
        patch_shape = (side, side)
    height, width = (whole_number("patch_shape", length, low=1) for length in patch_shape)
    if height * width != n_pixels:
        raise ValueError(
            f"patch_shape is {(height, width)}, which has {height * width} pixels, but {name} has "
            f"rows of {n_pixels} numbers; the product must be equal to that"
        )
    return array.reshape(-1, height, width)


def _units(name: str, values: ArrayLike, n_units: int) -> NDArray[np.int_]:
    array = np.asarray(values)
    if array.dtype == bool and array.shape == (n_units,):
        return np.flatnonzero(array)
    if array.size == 0:
        return np.array([], dtype=int)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} is an array of {array.dtype} with shape {array.shape}; give numbers of units, "
            f"or a mask of {n_units} truth values"
        )
    if array.min() < 0 or array.max() >= n_units:
        raise ValueError(
            f"{name} names units from {array.min()} to {array.max()}; there are {n_units}, "
            f"counted from 0 to {n_units - 1}"
        )
    return array.astype(int)


def _columns(ncols: int | None, n_tiles: int) -> int:
    if n_tiles == 0:
        raise ValueError("order is empty; there is no unit to draw")
    if ncols is None:
        return math.ceil(math.sqrt(n_tiles))
    return min(whole_number("ncols", ncols, low=1), n_tiles)


def _mosaic(tiles: Array, ncols: int) -> Array:
    """Return the tiles side by side with gaps of one pixel, which are NaN."""
    n, height, width = tiles.shape
    nrows = -(-n // ncols)
    picture = np.full((nrows * ncols, height + 1, width + 1), np.nan)
    picture[:n, :height, :width] = tiles
    picture = picture.reshape(nrows, ncols, height + 1, width + 1).transpose(0, 2, 1, 3)
    return picture.reshape(nrows * (height + 1), ncols * (width + 1))[:-1, :-1]


def _show(picture: Array, limit: float, ax: Axes | None, title: str | None) -> Axes:
    if ax is None:
        # A whole number of dots for every pixel, so that all are of one size and the file small.
        rows, columns = picture.shape
        dots = max(1, round(_WIDTH_IN_DOTS / columns))
        width, tall = columns * dots / DPI, rows * dots / DPI
        height = tall + (_TITLE_HEIGHT if title else 0.0)
        ax = new_axes(width=width, height=height, layout="none")
        ax.set_position((0, 0, 1, tall / height))
    # 64 greys look the same as 256 and make the file a third smaller.
    ax.imshow(
        picture, cmap=plt.get_cmap("gray", 64), vmin=-limit, vmax=limit, interpolation="nearest"
    )
    ax.set_axis_off()
    set_title(ax, title)
    return ax
