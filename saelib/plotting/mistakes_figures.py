"""Figures about mistakes: where a gradient check fails, and what becomes of the training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from saelib.plotting.filters import plot_filters, plot_patches
from saelib.plotting.style import FAINT, FONT_SIZE, INK, new_axes, new_figure, set_title, style

__all__ = ["plot_gradient_check", "plot_history_panels", "plot_tile_panels"]

BLOCKS = ("W1", "W2", "b1", "b2")
_GREYS = LinearSegmentedColormap.from_list("greys of the check", ["#F2F2F2", "#9E9E9E"])
_ROW_HEIGHT = 0.235


def plot_gradient_check(
    errors: Mapping[str, ArrayLike],
    tolerance: float = 1e-6,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a table of relative errors: a row per gradient, a column per block of parameters.

    Errors up to `tolerance` leave the field empty; the others are written out, on a grey that is
    darker the larger they are.

    Parameters
    ----------
    errors : mapping of str to array_like of shape (4,)
        Name of a gradient to its relative errors in W1, W2, b1 and b2, at least 0.
    tolerance : float, greater than 0
        Largest error that counts as none.
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
        If there is no gradient, or one does not have four errors of at least 0.

    Examples
    --------
    >>> from saelib.plotting import plot_gradient_check
    >>> ax = plot_gradient_check({"right": [1e-10] * 4, "halved": [0.333, 0.333, 1e-3, 2e-10]})
    >>> [text.get_text() for text in ax.texts]
    ['0.33', '0.33', '1e-03']
    """
    if not errors:
        raise ValueError("errors is empty; give the errors of at least one gradient")
    table = np.array([_four(name, row) for name, row in errors.items()])
    ax = new_axes(ax, width=4.6, height=_ROW_HEIGHT * len(table) + 0.7)
    wrong = table > tolerance
    # Two digits tell errors above 1 apart well enough, and would drown the small ones.
    shade = np.ma.masked_where(~wrong, np.log10(np.clip(table, tolerance, 1.0)))
    ax.imshow(shade, cmap=_GREYS, vmin=-4, vmax=0, aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(wrong), strict=True):
        words = _short(table[row, column])
        ax.text(column, row, words, ha="center", va="center", fontsize=FONT_SIZE - 1, color="black")
    ax.set_xticks(range(4), BLOCKS)
    ax.set_yticks(range(len(table)), list(errors))
    ax.set_yticks(np.arange(len(table) + 1) - 0.5, minor=True)
    ax.set_xticks(np.arange(5) - 0.5, minor=True)
    ax.grid(which="minor", color=FAINT, linewidth=0.4)
    ax.tick_params(which="both", length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    set_title(ax, title)
    return ax


def plot_history_panels(
    histories: Mapping[str, ArrayLike],
    reference: ArrayLike,
    ncols: int = 3,
    title: str | None = None,
) -> Figure:
    """Draw the cost of several trainings, one panel each, with the same one in grey behind all.

    Parameters
    ----------
    histories : mapping of str to array_like of shape (n_steps,)
        Name of a training to its cost at every step, greater than 0.
    reference : array_like of shape (n_steps,)
        The cost of the training to compare with.
    ncols : int, at least 1
        Panels per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per training; both scales are logarithmic and shared.

    Raises
    ------
    ValueError
        If there is no training, or a cost is not greater than 0.

    Examples
    --------
    >>> from saelib.plotting import plot_history_panels
    >>> figure = plot_history_panels({"halved": [50, 2, 0.5]}, [50, 1, 0.4, 0.3])
    >>> len(figure.axes[0].lines)
    2
    """
    behind = _positive("reference", reference)
    curves = {name: _positive(name, history) for name, history in histories.items()}
    figure, panels = _panels("histories", len(curves), ncols, 1.45, title)
    longest = max(len(curve) for curve in (behind, *curves.values()))
    lowest = min(float(curve.min()) for curve in (behind, *curves.values()))
    highest = max(float(curve.max()) for curve in (behind, *curves.values()))
    for place, (ax, (name, curve)) in enumerate(zip(panels, curves.items(), strict=True)):
        ax.loglog(np.arange(len(behind)) + 1, behind, color=FAINT, linewidth=1.4)
        steps, last = np.arange(len(curve)) + 1, [len(curve) - 1]
        ax.loglog(steps, curve, color=INK, linewidth=2.2, marker="o", markersize=5, markevery=last)
        ax.set(xlim=(0.8, longest * 1.3), ylim=(lowest / 1.5, highest * 1.8))
        ax.minorticks_off()
        if place + ncols < len(curves):
            ax.set_xticklabels([])
        if place % ncols:
            ax.set_yticklabels([])
        _small_title(ax, name)
    figure.supxlabel("step, counted from 1", fontsize=FONT_SIZE, color=INK)
    figure.supylabel("cost", fontsize=FONT_SIZE, color=INK)
    return figure


def plot_tile_panels(
    tiles: Mapping[str, ArrayLike],
    kind: Literal["filters", "patches"] = "filters",
    ncols: int = 3,
    title: str | None = None,
) -> Figure:
    """Draw several sets of filters or of patches, one panel each.

    Parameters
    ----------
    tiles : mapping of str to array_like of shape (n_tiles, n_pixels)
        Name of a set to its tiles, one per row, as `plot_filters` and `plot_patches` take them.
    kind : {"filters", "patches"}
        Whether every tile has its own scale, or all of one panel have the same.
    ncols : int, at least 1
        Panels per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per set.

    Raises
    ------
    ValueError
        If there is no set, or `kind` is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_tile_panels
    >>> rng = np.random.default_rng(0)
    >>> figure = plot_tile_panels({name: rng.normal(size=(25, 16)) for name in "abc"})
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['a', 'b', 'c']
    """
    if kind not in ("filters", "patches"):
        raise ValueError(f"kind is {kind!r}; choose one of 'filters', 'patches'")
    figure, panels = _panels("tiles", len(tiles), ncols, 1.85, title)
    for ax, (name, values) in zip(panels, tiles.items(), strict=True):
        if kind == "filters":
            plot_filters(values, ax=ax)
        else:
            plot_patches(values, ax=ax)
        _small_title(ax, name)
    return figure


def _panels(
    argument: str, n_panels: int, ncols: int, height: float, title: str | None
) -> tuple[Figure, list[Axes]]:
    if n_panels == 0:
        raise ValueError(f"{argument} is empty; give at least one to draw")
    nrows = math.ceil(n_panels / ncols)
    figure = new_figure(5.0, height * nrows + (0.35 if title else 0.0))
    with style():
        panels = [figure.add_subplot(nrows, ncols, place + 1) for place in range(n_panels)]
        for ax in panels:
            ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
    if title:
        figure.suptitle(title, x=0.02, ha="left", fontsize=FONT_SIZE + 1, color=INK)
    return figure, panels


def _small_title(ax: Axes, name: str) -> None:
    ax.set_title(name, loc="left", fontsize=FONT_SIZE - 1, color=INK)


def _four(name: str, row: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(row, dtype=np.float64)
    if values.shape != (len(BLOCKS),) or not np.all(values >= 0):
        raise ValueError(
            f"errors[{name!r}] is {row!r}; give four errors of at least 0, for {', '.join(BLOCKS)}"
        )
    return values


def _positive(name: str, history: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(history, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.all(values > 0):
        raise ValueError(f"the costs of {name!r} must be a list of numbers greater than 0")
    return values


def _short(error: float) -> str:
    if error >= 10:
        return ">10"
    return f"{error:.2g}" if error >= 0.01 else f"{error:.0e}"
