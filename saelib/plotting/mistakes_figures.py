"""Figures about mistakes: what becomes of the training when a gradient is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from saelib.gradient_check import BLOCKS
from saelib.plotting.filters import plot_filters, plot_patches
from saelib.plotting.style import (
    COLOURS,
    FAINT,
    FONT_SIZE,
    INK,
    align_title,
    new_figure,
    style,
)

__all__ = ["plot_history_panels", "plot_tile_panels", "plot_ward"]


def plot_history_panels(
    histories: Mapping[str, ArrayLike],
    reference: ArrayLike,
    level: float,
    ncols: int = 3,
    title: str | None = None,
) -> Figure:
    r"""Draw how several trainings end, one panel each, with the same one in grey behind all.

    The costs are drawn on a linear scale around `level`, where wrong trainings stop; those above
    it come in from the top. Above every panel stand the last cost and the last step.

    Parameters
    ----------
    histories : mapping of str to array_like of shape (n_steps + 1,)
        Name of a training to its cost at the start and after every step, greater than 0.
    reference : array_like of shape (n_steps + 1,)
        The cost of the training to compare with.
    level : float, greater than 0
        A cost to compare with, as that of answering always with the mean patch; a dashed line.
    ncols : int, at least 1
        Panels per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes per training; both scales are shared.

    Raises
    ------
    ValueError
        If there is no training, or a cost is not greater than 0.

    Examples
    --------
    >>> from saelib.plotting import plot_history_panels
    >>> figure = plot_history_panels({"halved": [50, 2, 0.5]}, [50, 1, 0.4, 0.3], level=0.5)
    >>> figure.axes[0].get_title(loc="left")
    'halved\n0.50, step 2'
    """
    behind = _positive("reference", reference)
    curves = {name: _positive(name, history) for name, history in histories.items()}
    _positive("level", [level])
    figure, panels = _panels("histories", len(curves), ncols, 1.45, title)
    figure.set_layout_engine("constrained", wspace=0.08)  # between the numbers of two axes
    longest = max(len(curve) for curve in (behind, *curves.values()))
    lowest = min(level, *(float(curve.min()) for curve in (behind, *curves.values())))
    bottom, top = lowest - 0.15 * level, level + (level - lowest) + 0.15 * level
    for place, (ax, (name, curve)) in enumerate(zip(panels, curves.items(), strict=True)):
        ax.axhline(level, color=FAINT, linewidth=1.0, linestyle=(0, (4, 3)))
        ax.semilogx(np.arange(len(behind)) + 1, behind, color=FAINT, linewidth=1.4)
        ax.semilogx(np.arange(len(curve)) + 1, curve, color=INK, linewidth=2.2)
        above = curve[-1] > top
        # A triangle that points out of the panel, and lies within it.
        ax.plot(
            [len(curve)], [top - 0.07 * (top - bottom) if above else curve[-1]], color=INK,
            marker="^" if above else "o", markersize=8 if above else 7, clip_on=False,
        )  # fmt: skip
        ax.set(xlim=(0.8, longest * 1.3), ylim=(bottom, top))
        ax.set_yticks([level], [f"{level:.2f}"])
        ax.minorticks_off()
        if place + ncols < len(curves):
            ax.set_xticklabels([])
        if place % ncols:
            ax.set_yticklabels([])
        _small_title(ax, f"{name}\n{_three(curve[-1])}, step {len(curve) - 1}")
    figure.supxlabel("step, counted from 1", fontsize=FONT_SIZE, color=INK)
    figure.supylabel("cost", fontsize=FONT_SIZE, color=INK)
    return figure


def plot_ward(
    runs: Mapping[str, Any], target: float = 0.01, tolerance: float = 1e-6, title: str | None = None
) -> Figure:
    """Draw what is known of several runs, one row each: check, cost, mean activations, filters.

    Parameters
    ----------
    runs : mapping of str to object
        Name of a run to what has the attributes `cost`, `mean_patch`, `rho_hat`, `filters` and
        `check`, as the values of `saelib.exercises.ward_runs` have.
    target : float in (0, 1)
        Sparsity target rho.
    tolerance : float, greater than 0
        Largest error of the check that counts as none.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with three axes per run: cost over the steps, mean activations in ascending
        order, filters.

    Raises
    ------
    ValueError
        If there is no run.

    Examples
    --------
    >>> from saelib.exercises import ward_runs
    >>> from saelib.plotting import plot_ward
    >>> figure = plot_ward({"A": ward_runs()["A"]})
    >>> len(figure.axes)
    3
    """
    if not runs:
        raise ValueError("runs is empty; give at least one to draw")
    figure = new_figure(5.0, 1.72 * len(runs) + (0.35 if title else 0.0))
    rows = figure.subfigures(len(runs), 1, squeeze=False)[:, 0]
    longest = max(len(run.cost) for run in runs.values())
    for row, (name, run) in zip(rows, runs.items(), strict=True):
        wrong = [
            f"{block} {error:.2g}"
            for block, error in zip(BLOCKS, run.check, strict=True)
            if error > tolerance
        ]
        check = f"check fails: {', '.join(wrong)}" if wrong else "check passes"
        row.suptitle(f"{name}   {check}", x=0.01, ha="left", fontsize=FONT_SIZE, color=INK)
        with style():
            cost, means, tiles = row.subplots(1, 3, width_ratios=[1.25, 1, 1])
        cost.axhline(run.mean_patch, color=FAINT, linewidth=1.0, linestyle=(0, (4, 3)))
        cost.semilogx(np.arange(len(run.cost)) + 1, run.cost, color=INK, linewidth=2.0)
        cost.plot([len(run.cost)], run.cost[-1:], "o", color=INK, markersize=6)
        cost.set(xlim=(0.8, 1.4 * longest), ylim=(0, 2 * run.mean_patch), xlabel="step")
        cost.set_yticks([0, run.mean_patch], ["0", f"{run.mean_patch:.2f}"])
        cost.text(0.97, 0.86, "cost", transform=cost.transAxes, ha="right", color=INK)
        means.axhline(target, color=COLOURS["penalty"], linewidth=1.4)
        means.semilogy(np.sort(run.rho_hat), "o", color=COLOURS["hidden"], markersize=3.5)
        means.set(ylim=(target / 3, 1.3), xlabel="unit", xticks=[])
        means.set_yticks([target, 0.1, 1.0], [f"{target:g}", "0.1", "1"])
        means.text(0.5, 0.45, r"$\hat\rho$", transform=means.transAxes, ha="center", color=INK)
        plot_filters(run.filters, ax=tiles)
        for ax in (cost, means):
            ax.minorticks_off()
            ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
            ax.xaxis.label.set_fontsize(FONT_SIZE - 1)
            ax.xaxis.labelpad = 1
        means.xaxis.labelpad = 4
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=FONT_SIZE + 1, color=INK)
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
    figure = new_figure(5.0, height * nrows + (0.35 if title else 0.0), title)
    with style():
        panels = [figure.add_subplot(nrows, ncols, place + 1) for place in range(n_panels)]
        for ax in panels:
            ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
    align_title(figure)
    return figure, panels


def _small_title(ax: Axes, name: str) -> None:
    ax.set_title(name, loc="left", fontsize=FONT_SIZE - 1, color=INK)


def _positive(name: str, history: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(history, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.all(values > 0):
        raise ValueError(f"the costs of {name!r} must be a list of numbers greater than 0")
    return values


def _three(cost: float) -> str:
    return f"{cost:.0f}" if cost >= 10 else f"{cost:.2f}"
