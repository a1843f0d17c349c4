"""The figures of the chapters on dictionaries: shared directions, what was found, what it costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

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

__all__ = ["plot_directions", "plot_found", "plot_tradeoff"]

MARKERS = "osD^v"
DASHES = ("-", "--", ":", "-.")


def plot_directions(matrices: Mapping[str, ArrayLike], title: str | None = None) -> Figure:
    """Draw the directions that features have been given in two numbers, a panel for each matrix.

    Parameters
    ----------
    matrices : mapping of str to array_like of shape (2, n_features)
        Heading of each panel, and a matrix with one column per feature.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per matrix.

    Raises
    ------
    ValueError
        If there is no matrix, or one does not have two rows.

    Examples
    --------
    >>> from saelib.plotting import plot_directions
    >>> figure = plot_directions({"two of three": [[1, 0, 0], [0, 1, 0]]})
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['1', '2', '3']
    """
    if not matrices:
        raise ValueError("matrices is empty; give at least one")
    columns = {name: np.asarray(W, dtype=float) for name, W in matrices.items()}
    for name, W in columns.items():
        if W.ndim != 2 or len(W) != 2:
            raise ValueError(
                f"matrices[{name!r}] has shape {W.shape}; only two numbers can be drawn in a "
                "plane: give (2, n_features)"
            )
    figure = new_figure(5.0, 5.0 / len(columns) + 0.75, title)
    reach = 1.5 * max(1.0, *(np.linalg.norm(W, axis=0).max() for W in columns.values()))
    turn = np.linspace(0, 2 * np.pi, 200)
    for place, (name, W) in enumerate(columns.items(), start=1):
        with style():
            ax = figure.add_subplot(1, len(columns), place)
        ax.plot(np.cos(turn), np.sin(turn), color=FAINT, linewidth=0.8)
        for r, (x, y) in enumerate(W.T, start=1):
            length = float(np.hypot(x, y))
            if length > 0.05:
                ax.annotate(
                    "", (x, y), (0, 0),
                    arrowprops={"arrowstyle": "-|>", "color": COLOURS["hidden"], "linewidth": 1.8,
                                "shrinkA": 0, "shrinkB": 0},
                )  # fmt: skip
            else:
                ax.plot(x, y, "o", color=COLOURS["hidden"], markersize=5)
            # Outside of the circle, also where the arrow ends within it.
            beyond = max(1 + 0.25 / length, 1.28 / length) if length > 0.05 else 0.0
            aside, up = (0.0, 0.0) if length > 0.05 else _free_direction(W)
            ax.text(
                x * beyond + 0.4 * aside, y * beyond + 0.4 * up, str(r), ha="center", va="center",
                color=TEXT_COLOURS["hidden"], fontsize=FONT_SIZE,
            )  # fmt: skip
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.set_title(name, loc="center", fontsize=FONT_SIZE, color=INK)
    align_title(figure)
    return figure


def _free_direction(W: NDArray[np.float64]) -> tuple[float, float]:
    """Return the direction in the middle of the widest gap between the arrows."""
    arrows = W[:, np.hypot(*W) > 0.05]
    angles = np.sort(np.arctan2(arrows[1], arrows[0])) if arrows.size else np.zeros(1)
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    middle = angles[gaps.argmax()] + gaps.max() / 2
    return float(np.cos(middle)), float(np.sin(middle))


def plot_found(
    cosines: Mapping[str, ArrayLike],
    features: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw how close the matched units come to the planted directions, from best to worst.

    Parameters
    ----------
    cosines : mapping of str to array_like of shape (n_directions,)
        Name of each training, and the cosines of its matched pairs, Eq. (12.1) ``matching``.
    features : str, optional
        The entry drawn in the colour of the hidden layer; all others are grey.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, with a line at 0.9, above which a direction counts as recovered.

    Raises
    ------
    ValueError
        If there is no training.

    Examples
    --------
    >>> from saelib.plotting import plot_found
    >>> ax = plot_found({"good": [1.0, 0.95], "bad": [0.3, 0.5]}, features="good")
    >>> [text.get_text() for text in ax.texts]
    ['good', 'bad', 'recovered']
    """
    if not cosines:
        raise ValueError("cosines is empty; give at least one training")
    ax = new_axes(ax)
    others = [name for name in cosines if name != features]
    for name, values in cosines.items():
        found = np.sort(np.asarray(values, dtype=float))[::-1]
        rank = np.arange(1, len(found) + 1)
        main = name == features
        ax.plot(
            rank, found, "-" if main else DASHES[(others.index(name) + 1) % len(DASHES)],
            color=COLOURS["hidden"] if main else INK,
        )  # fmt: skip
        # Most lines end at nearly the same height at the left, so that the right end is named.
        ax.text(
            len(found) * 1.02, found[-1], name, va="center", fontsize=FONT_SIZE,
            color=TEXT_COLOURS["hidden"] if main else INK,
        )  # fmt: skip
    ax.axhline(0.9, color=FAINT, linewidth=0.8)
    most = max(map(np.size, cosines.values()))
    ax.text(most / 2, 0.885, "recovered", va="top", fontsize=FONT_SIZE - 1, color=INK)
    ax.set(ylim=(min(0.0, ax.get_ylim()[0]), 1.03), xlabel="planted directions, best first")
    ax.set_ylabel("cosine with the matched unit")
    set_title(ax, title)
    return ax


def plot_tradeoff(
    points: Mapping[str, ArrayLike],
    true_l0: float,
    features: str | None = None,
    left_names: Collection[str] = (),
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the unexplained share against the number of active units, a line for each method.

    Parameters
    ----------
    points : mapping of str to array_like of shape (n_trainings, 2)
        Name of each method; active units per example and unexplained share, greater than 0, of
        each training.
    true_l0 : float
        Directions that are on in the data on average; a vertical line.
    features : str, optional
        The entry drawn in the colour of the hidden layer; all others are grey.
    left_names : collection of str
        Methods named at the left end of their lines, as all others are at the right one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the unexplained share is on a logarithmic scale.

    Raises
    ------
    ValueError
        If there is no method, or the points of one do not have two numbers each.

    Examples
    --------
    >>> from saelib.plotting import plot_tradeoff
    >>> ax = plot_tradeoff({"TopK": [[2, 0.3], [3, 0.17]], "L1": [[5, 0.23]]}, true_l0=3)
    >>> [text.get_text() for text in ax.texts]
    ['TopK', 'L1', 'truth']
    """
    if not points:
        raise ValueError("points is empty; give at least one method")
    ax = new_axes(ax)
    ends = {}
    others = [name for name in points if name != features]
    for name, values in points.items():
        pairs = np.asarray(values, dtype=float)
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(
                f"points[{name!r}] has shape {pairs.shape}; give an (n_trainings, 2) array of "
                "active units and unexplained share"
            )
        pairs = pairs[np.argsort(pairs[:, 0])]
        main = name == features
        place = 0 if main else others.index(name) + 1
        ax.plot(
            *pairs.T, DASHES[place % len(DASHES)], marker=MARKERS[place % len(MARKERS)],
            color=COLOURS["hidden"] if main else INK, markersize=6,
        )  # fmt: skip
        ends[name] = pairs[0] if name in left_names else pairs[-1]
    ax.set_yscale("log")
    across = np.ptp(np.concatenate([np.asarray(v, dtype=float)[:, 0] for v in points.values()]))
    for name, end in ends.items():
        at_left = name in left_names
        # Where another line ends right behind it, the name stands above the line.
        close = not at_left and any(
            0 < other[0] - end[0] < 0.25 * across and abs(np.log(other[1] / end[1])) < 0.1
            for other in ends.values()
        )
        ax.annotate(
            name, end, (-7, -5) if at_left else (-2, 9) if close else (7, 2),
            textcoords="offset points", ha="right" if at_left else "left", fontsize=FONT_SIZE,
            color=TEXT_COLOURS["hidden"] if name == features else INK,
        )  # fmt: skip
    ax.axvline(true_l0, color=COLOURS["input"], linewidth=1.2)
    ax.annotate(
        "truth", (true_l0, 0.99), (5, 0), xycoords=ax.get_xaxis_transform(), va="top",
        textcoords="offset points", fontsize=FONT_SIZE, color=TEXT_COLOURS["input"],
    )  # fmt: skip
    ax.margins(x=0.18, y=0.12)
    ticks = [t for t in (0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0) if _within(t, ax.get_ylim())]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.set_xlabel("active units per example")
    ax.set_ylabel("unexplained share")
    set_title(ax, title)
    return ax


def _within(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= value <= ends[1]
