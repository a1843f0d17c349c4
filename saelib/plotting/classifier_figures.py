"""The figure of the chapter on classifiers: gains over the pixels, by labelled examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from saelib.plotting.style import COLOURS, FAINT, FONT_SIZE, INK, align_title, new_figure, style

__all__ = ["plot_gains"]


def plot_gains(
    n_labels: Sequence[int],
    accuracy: Mapping[str, ArrayLike],
    baseline: str = "pixels",
    features: str = "autoencoder",
    title: str | None = None,
) -> Figure:
    """Draw by how many points each contestant is ahead of the baseline, paired within the draws.

    There is a panel for every number of labelled examples and a row for every contestant: a dot
    for the mean of the differences, a bar of two standard errors to each side, and a small mark
    for each draw.

    Parameters
    ----------
    n_labels : sequence of int of length n_sizes
        Numbers of labelled examples.
    accuracy : mapping of str to array_like of shape (n_sizes, n_draws)
        Share of right answers, from 0 to 1, for each contestant; at least two draws.
    baseline : str
        The entry of `accuracy` that the others are compared with, at 0.
    features : str
        The entry drawn in the colour of the hidden layer; all others are grey.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per number of labelled examples.

    Raises
    ------
    ValueError
        If the baseline is missing, or an entry does not have one row for every number of labelled
        examples and at least two draws.

    Examples
    --------
    >>> from saelib.plotting import plot_gains
    >>> accuracy = {"autoencoder": [[0.8, 0.9], [0.95, 0.96]], "pixels": [[0.7, 0.8], [0.9, 0.91]]}
    >>> figure = plot_gains([50, 300], accuracy)
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['50 labels', '300 labels']
    """
    if baseline not in accuracy:
        raise ValueError(f"baseline is {baseline!r}; choose one of {', '.join(accuracy)}")
    points = {name: 100 * np.asarray(values, float) for name, values in accuracy.items()}
    shape = points[baseline].shape
    for name, values in points.items():
        if values.ndim != 2 or values.shape != (len(n_labels), shape[-1]) or shape[-1] < 2:
            raise ValueError(
                f"accuracy[{name!r}] has shape {values.shape}; give one row for each of the "
                f"{len(n_labels)} numbers of labelled examples, and one column per draw, at least "
                "two and as many for all"
            )
    others = [name for name in points if name != baseline]
    gains = {name: points[name] - points[baseline] for name in others}
    figure = new_figure(5.0, (0.55 + 0.25 * len(others)) * math.ceil(len(n_labels) / 2), title)
    figure.set_layout_engine("constrained", wspace=0.08)  # between the numbers of two axes
    with style():
        panels = [
            figure.add_subplot(math.ceil(len(n_labels) / 2), 2, place + 1)
            for place in range(len(n_labels))
        ]
    for place, (ax, n) in enumerate(zip(panels, n_labels, strict=True)):
        ax.axvline(0, color=COLOURS["input"], linewidth=1.6)
        for row, name in enumerate(others):
            draws = gains[name][place]
            colour = COLOURS["hidden"] if name == features else INK
            error = 2 * draws.std(ddof=1) / math.sqrt(len(draws))
            ax.plot(draws, np.full(len(draws), row), "|", color=FAINT, markersize=7)
            ax.errorbar(
                draws.mean(), row, xerr=error, fmt="o", color=colour, markersize=6,
                elinewidth=1.8, capsize=3, zorder=3,
            )  # fmt: skip
        ax.set_ylim(len(others) - 0.4, -0.6)
        ax.set_yticks(range(len(others)), others if place % 2 == 0 else [""] * len(others))
        ax.tick_params(axis="y", length=0)
        ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
        ax.grid(axis="y", color=FAINT, alpha=0.25)
        ax.spines["left"].set_visible(False)
        ax.set_title(f"{n:,} labels", loc="left", fontsize=FONT_SIZE, color=INK)
    figure.supxlabel(f"points ahead of {baseline}", fontsize=FONT_SIZE, color=INK)
    align_title(figure)
    return figure
