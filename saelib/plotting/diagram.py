"""The diagram of an autoencoder."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from saelib._validation import whole_number
from saelib.plotting.style import (
    COLOURS,
    FAINT,
    FONT_SIZE,
    INK,
    TEXT_COLOURS,
    new_axes,
    set_title,
)

__all__ = ["plot_network"]

_RADIUS = 0.5
_COLUMN = 3.0


class _Unit(NamedTuple):
    y: float
    label: str


def plot_network(
    sizes: tuple[int, int, int] = (100, 50, 100), ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw an autoencoder with its layers, a few units of each, and the bias units.

    Parameters
    ----------
    sizes : (int, int, int)
        Units in the input, hidden and output layer. Of a layer with more than four, the first
        two and the last are shown.
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
        If `sizes` has not three entries, or one is less than 1.

    Examples
    --------
    >>> from saelib.plotting import plot_network
    >>> ax = plot_network((100, 50, 100))
    >>> [", ".join(text.get_text().splitlines()) for text in ax.texts][-3:]
    ['input, 100 units', 'hidden, 50 units', 'output, 100 units']
    """
    if len(sizes) != 3:
        raise ValueError(f"sizes is {sizes!r}; give the units of three layers, as (100, 50, 100)")
    counts = [whole_number("sizes", size, low=1) for size in sizes]
    ax = new_axes(ax, width=3.18, height=2.94)
    names = ("input", "hidden", "output")
    columns = [_units(letter, n) for letter, n in zip(("x", "a", r"\hat x"), counts, strict=True)]
    # Below its units each layer but the last has a unit that is always 1: its weights are b.
    top = max(unit.y for units in columns for unit in units)
    lowest = min(unit.y for units in columns for unit in units)
    bias_y = lowest - 1.5
    for k in (0, 1):
        left, right = k * _COLUMN, (k + 1) * _COLUMN
        for end in columns[k + 1]:
            for start in columns[k]:
                ax.plot([left, right], [start.y, end.y], color=FAINT, linewidth=0.8, zorder=1)
            ax.plot([left, right], [bias_y, end.y], color=FAINT, lw=0.8, ls=(0, (3, 2)), zorder=1)
        _circle(ax, left, _Unit(bias_y, "$+1$"), INK, INK)
        step = f"({k + 1})"
        for x, y, letter in (
            (left + _COLUMN / 2, top + 0.34, "W"),
            (left + 0.97, bias_y - 0.33, "b"),
        ):
            ax.text(x, y, f"${letter}^{{{step}}}$", ha="center", fontsize=FONT_SIZE + 1)
    for k, (name, units) in enumerate(zip(names, columns, strict=True)):
        for unit in units:
            _circle(ax, k * _COLUMN, unit, COLOURS[name], TEXT_COLOURS[name])
        if len(units) < counts[k]:
            middle = (units[-2].y + units[-1].y) / 2
            for dot in (-0.2, 0.0, 0.2):
                ax.add_patch(Circle((k * _COLUMN, middle + dot), 0.05, color=COLOURS[name]))
    for k, (name, n) in enumerate(zip(names, counts, strict=True)):
        ax.text(
            k * _COLUMN,
            top + 0.85,
            f"{name}\n{n} unit{'s' if n > 1 else ''}",
            ha="center",
            color=TEXT_COLOURS[name],
            fontsize=FONT_SIZE + 1,
        )
    ax.set(xlim=(-0.75, 2 * _COLUMN + 0.75), ylim=(bias_y - 0.65, top + 1.95), aspect="equal")
    ax.set_axis_off()
    set_title(ax, title)
    return ax


def _units(letter: str, n: int) -> list[_Unit]:
    shown = list(range(1, n + 1)) if n <= 4 else [1, 2, n]
    heights = [-1.22 * k for k in range(len(shown))]
    if n > 4:
        heights[-1] -= 0.6  # room for the dots
    centre = (heights[0] + heights[-1]) / 2
    labels = [f"${letter}_{{{number}}}$" for number in shown]
    return [_Unit(y - centre, label) for y, label in zip(heights, labels, strict=True)]


def _circle(ax: Axes, x: float, unit: _Unit, colour: str, ink: str) -> None:
    ax.add_patch(Circle((x, unit.y), _RADIUS, facecolor="white", edgecolor=colour, lw=2, zorder=2))
    size = FONT_SIZE - 2 if sum(map(str.isdigit, unit.label)) > 2 else FONT_SIZE
    ax.text(x, unit.y, unit.label, color=ink, ha="center", va="center", fontsize=size)
