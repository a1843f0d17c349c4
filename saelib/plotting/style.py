"""The look of every figure in the book: colours, sizes and type.

Figures have an opaque white ground and dark ink. A transparent ground with an ink between black
and white was tried first: no grey has a contrast of 4.5 both on white and on the #121212 of the
dark theme (4.3 on each is the best there is), and the lighter lines get lost on white. The pages of
the book show drawings of the same figures without a ground, whose ink follows the theme.

They are 5 inches wide with type of 11 points at 120 dots per inch: 600 pixels on a desktop. What is
set in points keeps its size when a figure is drawn on less width, as it is for phones.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

__all__ = ["COLOURS", "INK", "TEXT_COLOURS", "new_axes", "style", "use_style"]

# Okabe & Ito (2008), colours that colour-blind readers can tell apart. Each has one meaning.
COLOURS = {"input": "#0072B2", "hidden": "#009E73", "output": "#D55E00", "penalty": "#CC79A7"}
# The same hues, dark enough for letters on white (contrast of at least 4.5).
TEXT_COLOURS = {"input": "#0069A3", "hidden": "#007A58", "output": "#B34F00", "penalty": "#A0527D"}
INK = "#404040"
FAINT = "#8C8C8C"
FONT_SIZE = 11.0
DPI = 120

_STYLE: dict[Any, Any] = {
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "figure.figsize": (5.0, 3.4),
    "savefig.dpi": DPI,
    "savefig.facecolor": "white",
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE + 1,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[*COLOURS.values(), "#E69F00", "#56B4E9", INK]),
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.0,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
}


def use_style() -> None:
    """Give every figure made from now on the look of the book.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from saelib.plotting import style, use_style
    >>> with style():  # put back afterwards
    ...     use_style()
    ...     plt.rcParams["font.size"]
    11.0
    """
    mpl.rcParams.update(_STYLE)
    _show_in_notebook()


def _show_in_notebook() -> None:
    """Have a notebook show figures, also where MPLBACKEND asks for files only.

    Jupyter chooses its own backend unless that variable is set, as it is on many machines without
    a screen; figures would then appear nowhere.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "IPKernelApp" not in shell.config:
        return
    if os.environ.get("MPLBACKEND", "").lower() == "agg" and mpl.get_backend().lower() == "agg":
        shell.enable_matplotlib("inline")


def style() -> AbstractContextManager[None]:
    """Return a context in which figures have the look of the book.

    Returns
    -------
    context manager
        Leaving it puts matplotlib's settings back.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from saelib.plotting import style
    >>> with style():
    ...     figure, ax = plt.subplots()
    >>> ax.spines["top"].get_visible()
    False
    """
    return mpl.rc_context(_STYLE)


def set_title(ax: Axes, title: str | None) -> None:
    """Write the title, if there is one, above the left end of the axes."""
    if title:
        ax.set_title(title, loc="left", fontsize=FONT_SIZE + 1, color=INK)


def new_axes(
    ax: Axes | None = None,
    width: float = 5.0,
    height: float = 3.4,
    layout: Literal["constrained", "none"] = "constrained",
) -> Axes:
    """Return `ax`, or the axes of a new figure in the style of the book.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Axes that exist already; returned as they are.
    width, height : float
        Size of the new figure in inches.
    layout : {"constrained", "none"}
        Whether matplotlib makes room for labels, or the axes stay where they are put.

    Returns
    -------
    matplotlib.axes.Axes
        The axes to draw on.

    Examples
    --------
    >>> from saelib.plotting import new_axes
    >>> ax = new_axes(width=4, height=3)
    >>> new_axes(ax) is ax
    True
    """
    if ax is not None:
        return ax
    figure = new_figure(width, height, layout=layout)
    with style():
        ax = figure.add_subplot()
        # Ticks are made when they are first asked for, which should happen in this style.
        ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
    return ax


def new_figure(
    width: float,
    height: float,
    title: str | None = None,
    layout: Literal["constrained", "none"] = "constrained",
) -> Figure:
    """Return a new, empty figure in the style of the book, its title above the left end."""
    # A notebook's backend turns the interactive mode on when it is first loaded. Inside of the
    # context that would be undone at its end, and no later figure would appear.
    plt.draw_if_interactive()
    with style():
        figure = plt.figure(figsize=(width, height), layout=layout)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=FONT_SIZE + 1, color=INK)
    return figure


def align_title(figure: Figure) -> None:
    """Move the title of a figure above the left end of its first axes, whatever their size."""
    words = figure.get_suptitle()
    place = blended_transform_factory(figure.axes[0].transAxes, figure.transFigure)
    for text in figure.texts:
        if words and text.get_text() == words:
            text.set(transform=place, x=0.0)
