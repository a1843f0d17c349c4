"""The figures of the chapter on a real network: boards, and numbers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from saelib._validation import whole_number
from saelib.plotting.style import (
    COLOURS,
    FAINT,
    FONT_SIZE,
    INK,
    TEXT_COLOURS,
    align_title,
    new_axes,
    new_figure,
    set_title,
    style,
)

__all__ = ["plot_boards", "plot_dots"]

MARKERS = "sD^vP"
_MARK = 0.045  # the width of a mark on a phone, as a share of the axis


def plot_boards(
    boards: ArrayLike, names: Sequence[str], ncols: int = 5, title: str | None = None
) -> Figure:
    """Draw boards of three by three squares, bright for +1, dark for -1, grey for 0.

    Parameters
    ----------
    boards : array_like of shape (n_boards, 9)
        A number in [-1, 1] for each square, row by row.
    names : sequence of str
        What to write above each board, in one or two lines.
    ncols : int, at least 1
        Boards per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per board.

    Raises
    ------
    ValueError
        If a board does not have nine squares, or there is not one name for each.

    Examples
    --------
    >>> from saelib.plotting import plot_boards
    >>> figure = plot_boards([[1, 0, 0, 0, -1, 0, 0, 0, 0]], ["after two moves"])
    >>> [ax.get_title() for ax in figure.axes]
    ['after two moves']
    """
    squares = np.asarray(boards, dtype=float)
    ncols = whole_number("ncols", ncols, low=1)
    if squares.ndim != 2 or squares.shape[1] != 9 or len(squares) != len(names):
        raise ValueError(
            f"boards has shape {squares.shape} and there are {len(names)} names; give "
            "(n_boards, 9) and a name for each"
        )
    ncols = min(ncols, len(squares))
    nrows = -(-len(squares) // ncols)
    n_lines = 1 + max(name.count("\n") for name in names)
    height = nrows * (5.0 / max(ncols, 3) * 0.82 + 0.2 * n_lines) + 0.4 * (title is not None)
    figure = new_figure(5.0, height, title)
    for place, (board, name) in enumerate(zip(squares, names, strict=True), start=1):
        with style():
            ax = figure.add_subplot(nrows, ncols, place)
        ax.imshow(board.reshape(3, 3), vmin=-1, vmax=1, cmap="gray")
        for edge in (0.5, 1.5):
            ax.axhline(edge, color=FAINT, linewidth=0.8)
            ax.axvline(edge, color=FAINT, linewidth=0.8)
        ax.set(xticks=[], yticks=[])
        for side in ("left", "bottom", "right", "top"):
            ax.spines[side].set(visible=True, color=FAINT)
        ax.set_title(name, loc="center", fontsize=FONT_SIZE - 1.5, color=INK)
    align_title(figure)
    return figure


def plot_dots(
    values: Mapping[str, ArrayLike],
    rows: Sequence[str],
    xlabel: str,
    features: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw numbers between 0 and 1 as dots, a row for each thing and a mark for each way.

    Parameters
    ----------
    values : mapping of str to array_like of shape (n_rows,)
        Name of each way, and its number for each row.
    rows : sequence of str
        What the rows are, from the top down.
    xlabel : str
        What the numbers are.
    features : str, optional
        The entry drawn in the colour of the hidden layer; all others are grey.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; a legend stands below.

    Raises
    ------
    ValueError
        If an entry does not have one number for each row.

    Examples
    --------
    >>> from saelib.plotting import plot_dots
    >>> ax = plot_dots({"a": [0.9, 0.2], "b": [0.5, 0.4]}, ["first", "second"], "share")
    >>> [text.get_text() for text in ax.figure.legends[0].get_texts()]
    ['a', 'b']
    """
    numbers = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    for name, value in numbers.items():
        if value.shape != (len(rows),):
            raise ValueError(
                f"values[{name!r}] has shape {value.shape} for {len(rows)} rows; give one number "
                "for each"
            )
    ax = new_axes(ax, height=1.5 + 0.33 * len(rows))
    heights = [-float(row) for row in range(len(rows))]
    others = [name for name in numbers if name != features]
    lanes = np.array(heights)[:, None] + _lanes(np.column_stack(list(numbers.values())))
    for (name, value), heights_of in zip(numbers.items(), lanes.T, strict=True):
        if name == features:
            ax.plot(value, heights_of, "o", color=COLOURS["hidden"], markersize=9, label=name)
        else:
            marker = MARKERS[others.index(name) % len(MARKERS)]
            ax.plot(
                value, heights_of, marker, color=INK, markersize=6, markerfacecolor="none",
                label=name,
            )  # fmt: skip
    for height in heights:
        ax.axhline(height, color=FAINT, linewidth=0.4, zorder=0)
    ax.set_yticks(heights, rows)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(-0.03, 1.03), ylim=(heights[-1] - 0.5, 0.5), xlabel=xlabel)
    below = ax.figure.legend(
        frameon=False, ncols=3, loc="outside lower center", fontsize=FONT_SIZE - 1,
        handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
    for text in below.get_texts():
        text.set_color(TEXT_COLOURS["hidden"] if text.get_text() == features else INK)
    set_title(ax, title)
    return ax


def _lanes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far above its row each mark stands: aside if one before it stands too near."""
    above = np.zeros(values.shape)
    for row, heights in zip(values, above, strict=True):
        for k, value in enumerate(row):
            near = heights[:k][np.abs(row[:k] - value) < _MARK]
            heights[k] = next((lane for lane in (0.0, 0.3, -0.3) if lane not in near), 0.0)
    return above
