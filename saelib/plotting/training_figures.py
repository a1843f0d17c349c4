"""Figures of the chapter *Training*: from photographs to filters, and what the knobs do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from saelib.plotting.curves import End, name_ends
from saelib.plotting.filters import plot_filters
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

__all__ = [
    "plot_edge_counts",
    "plot_normalization",
    "plot_optimizers",
    "plot_pipeline",
    "plot_ravine",
    "plot_snapshots",
    "plot_spectra",
    "plot_sweep",
    "plot_yours_and_expected",
    "radial_amplitude",
]

_LOWEST, _HIGHEST = 0.02, 0.5


def radial_amplitude(
    image: ArrayLike, n_bands: int = 12
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the amplitude spectrum of an image, averaged over all orientations.

    Parameters
    ----------
    image : array_like of shape (height, width)
        A grey image, at least 64 pixels high and wide, so that no band is empty.
    n_bands : int
        Number of frequency bands, spaced evenly on a logarithmic axis.

    Returns
    -------
    frequency : ndarray of shape (n_bands,)
        Centres of the bands, from 0.02 to 0.5 cycles per pixel.
    amplitude : ndarray of shape (n_bands,)
        Root mean square amplitude in every band, relative to the mean over the bands.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import radial_amplitude
    >>> noise = np.random.default_rng(0).normal(size=(256, 256))
    >>> frequency, amplitude = radial_amplitude(noise)
    >>> bool(amplitude.max() < 1.5 * amplitude.min())
    True
    """
    pixels = np.asarray(image, dtype=np.float64)
    height, width = pixels.shape
    # Without the window the jump from one border to the opposite one would add a 1/f cross.
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((pixels - pixels.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    edges = np.geomspace(_LOWEST, _HIGHEST, n_bands + 1)
    band = np.digitize(radius, edges)
    amplitude = np.sqrt([power[band == k + 1].mean() for k in range(n_bands)])
    return np.sqrt(edges[1:] * edges[:-1]), amplitude / amplitude.mean()


def plot_spectra(
    images: Mapping[str, ArrayLike],
    whitened: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the amplitude spectra of images before and after whitening, Eq. (6.1) ``whitening``.

    Parameters
    ----------
    images, whitened : mapping of str to array_like of shape (height, width)
        The same images before and after.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: thin lines for the images, thick ones for their means.

    Examples
    --------
    >>> from saelib import natural_images, whiten
    >>> from saelib.plotting import plot_spectra
    >>> camera = natural_images()["camera"]
    >>> plot_spectra({"camera": camera}, {"camera": whiten(camera)}).get_xscale()
    'log'
    """
    ax = new_axes(ax, height=3.6)
    groups = (
        ("photographs", images, 10.0, INK, INK),
        ("whitened", whitened, 1.0, COLOURS["input"], TEXT_COLOURS["input"]),
    )
    for label, group, shift, colour, ink in groups:
        spectra = [radial_amplitude(image) for image in group.values()]
        f = spectra[0][0]
        for _, amplitude in spectra:
            ax.loglog(f, shift * amplitude, color=colour, linewidth=0.6, alpha=0.75)
        mean = shift * np.exp(np.mean([np.log(amplitude) for _, amplitude in spectra], axis=0))
        ax.loglog(f, mean, color=colour, linewidth=2.5)
        bundle = shift * np.array([amplitude for _, amplitude in spectra])
        if label == "photographs":
            ax.loglog(f, 0.35 * mean[0] * f[0] / f, color=INK, linestyle="--", linewidth=1.2)
            ax.annotate(
                "1/f", (f[2], 0.35 * mean[0] * f[0] / f[2]), (-22, -12), textcoords="offset points"
            )
            # Above all that falls to the right of it, and below all that lies level beside it.
            ax.text(f[5], 1.12 * bundle[:, 5:].max(), label, color=ink, va="bottom")
        else:
            ax.text(f[0], bundle[:, :6].min() / 1.15, label, color=ink, va="top")
    ax.set(xlabel="spatial frequency (cycles per pixel)", ylabel="amplitude (shifted apart)")
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    ax.set_xticks([], minor=True)
    ax.set_yticks([])
    ax.set_yticks([], minor=True)
    set_title(ax, title)
    return ax


def plot_pipeline(
    image: ArrayLike,
    whitened: ArrayLike,
    patches: ArrayLike,
    W1: ArrayLike,
    title: str | None = None,
) -> Figure:
    """Draw the way from a photograph to learned weights in four pictures.

    Parameters
    ----------
    image, whitened : array_like of shape (height, width)
        One photograph before and after whitening.
    patches : array_like of shape (25, side * side)
        Patches to show, each on a scale of its own around its mean.
    W1 : array_like of shape (25, side * side)
        Weights into the hidden layer.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, four panels.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_pipeline
    >>> noise = np.random.default_rng(0).normal(size=(25, 64))
    >>> len(plot_pipeline(noise, noise, noise, noise).axes)
    4
    """
    figure, axes = _panels(2, 2, 5.0, 5.2, title)
    pictures = (("1  a photograph", image), ("2  whitened", whitened))
    for ax, (name, picture) in zip(axes[0], pictures, strict=True):
        # Every second pixel is enough at this size and keeps the page light.
        small = np.asarray(picture)[::2, ::2]
        low, high = np.percentile(small, [1, 99])
        ax.imshow(small, cmap=plt.get_cmap("gray", 32), vmin=low, vmax=high)
        ax.set_axis_off()
        ax.set_title(name, color=TEXT_COLOURS["input"], fontsize=FONT_SIZE)
    centred = np.asarray(patches, dtype=np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    plot_filters(centred, ncols=5, ax=axes[1, 0])
    axes[1, 0].set_title("3  patches", color=TEXT_COLOURS["input"], fontsize=FONT_SIZE)
    plot_filters(W1, ncols=5, ax=axes[1, 1])
    axes[1, 1].set_title(
        "4  what the units learn", color=TEXT_COLOURS["hidden"], fontsize=FONT_SIZE
    )
    return figure


def plot_normalization(
    steps: Mapping[str, ArrayLike], n_patches: int = 5, title: str | None = None
) -> Figure:
    """Draw a few patches and the histogram of all pixels after every step.

    Eq. (6.2) ``normalize-patches`` in pictures.

    Parameters
    ----------
    steps : mapping of str to array_like of shape (n, side * side)
        The patches after every step, by the name of the step.
    n_patches : int
        Number of patches to show in every row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one row of two panels per step.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_normalization
    >>> noise = np.random.default_rng(0).normal(size=(50, 16))
    >>> len(plot_normalization({"as sampled": noise, "halved": noise / 2}).axes)
    4
    """
    figure, axes = _panels(len(steps), 2, 5.0, 1.3 * len(steps) + 0.3, title)
    for (name, patches), (left, right) in zip(steps.items(), axes, strict=True):
        values = np.asarray(patches)
        side = round(values.shape[1] ** 0.5)
        low, high = np.percentile(values, [0.5, 99.5])
        tiles = values[:n_patches].reshape(-1, side, side)
        strip = np.pad(tiles, ((0, 0), (0, 0), (0, 1)), constant_values=np.nan)
        left.imshow(np.hstack(list(strip))[:, :-1], cmap="gray", vmin=low, vmax=high)
        left.set_axis_off()
        left.set_title(name, loc="left", fontsize=FONT_SIZE)
        right.hist(values.ravel(), bins=61, color=COLOURS["input"], density=True)
        right.set_yticks([])
        right.spines["left"].set_visible(False)
    return figure


def plot_optimizers(
    runs: Mapping[str, ArrayLike],
    plateau: float,
    ax: Axes | None = None,
    title: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw the cost of several runs over their iterations, each named at its end.

    Parameters
    ----------
    runs : mapping of str to array_like of shape (n_iterations + 1,)
        Cost at the start and after every iteration, by the name of the run; at most five.
    plateau : float
        A cost to mark by a dotted line: that of answering every input with the mean.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.
    limits : (float, float), optional
        Lowest and highest cost of a linear axis, to look at a part of it; by default the axis is
        logarithmic and shows everything.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from saelib.plotting import plot_optimizers
    >>> plot_optimizers({"fast": [9, 1, 0.5], "slow": [9, 8, 7]}, plateau=0.6).get_yscale()
    'log'
    """
    ax = new_axes(ax, height=3.8)
    dashes = ["-", (0, (5, 1)), "--", "-.", (0, (1, 1))]
    costs = {name: np.asarray(cost, dtype=np.float64) for name, cost in runs.items()}
    low, high = limits or (
        0.7 * min(cost.min() for cost in costs.values()),
        1.5 * max(cost.max() for cost in costs.values()),
    )
    last = max(map(len, costs.values())) - 1
    ends = [End(plateau, "the mean patch", COLOURS["output"], TEXT_COLOURS["output"], ":", 1.4)]
    for k, (line, (name, cost)) in enumerate(zip(dashes, costs.items(), strict=False)):
        colour, ink = (COLOURS["hidden"], TEXT_COLOURS["hidden"]) if k == 0 else (INK, INK)
        width = 2.4 if k == 0 else 1.6
        # A run that ends early stays where it is.
        whole = np.append(cost, np.full(last + 1 - len(cost), cost[-1]))
        ax.plot(whole, linestyle=line, color=colour, linewidth=width)
        ends.append(End(cost[-1], name.replace(", ", "\n"), colour, ink, line, width))
    ax.set_yscale("linear" if limits else "log")
    ax.plot([0, last], [plateau, plateau], ":", color=COLOURS["output"], linewidth=1.4)
    # All but the end happens within the first hundred iterations.
    ax.set_xscale("log")
    ax.set(ylim=(low, high), xlim=(1, max(last, 2)), xlabel="iteration")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.set_ylabel(r"cost $J_{\mathrm{sparse}}$")
    name_ends(ax, ends, gap=0.15 if any("\n" in end.name for end in ends) else 0.08)
    set_title(ax, title)
    return ax


def plot_ravine(
    paths: Mapping[str, ArrayLike], slopes: tuple[float, float], title: str | None = None
) -> Figure:
    """Draw ways down a ravine in two dimensions, one panel for each.

    Parameters
    ----------
    paths : mapping of str to array_like of shape (n_steps + 1, 2)
        The points met, by the name of the way.
    slopes : (float, float)
        a and b of the ravine (a x² + b y²) / 2.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, one panel above the other.

    Examples
    --------
    >>> from saelib.plotting import plot_ravine
    >>> len(plot_ravine({"straight": [[9, 1], [0, 0]]}, slopes=(1, 20)).axes)
    1
    """
    figure, axes = _panels(len(paths), 1, 5.0, 1.35 * len(paths) + 0.6, title)
    routes = {name: np.asarray(path, dtype=np.float64) for name, path in paths.items()}
    points = np.concatenate(list(routes.values()))
    right, top = 1.1 * np.abs(points).max(axis=0)
    left = -0.15 * right
    highest = 0.5 * (slopes[0] * right**2 + slopes[1] * top**2)
    # The contours are ellipses; those of a grid would have corners where they are sharp.
    turn = np.linspace(0, 2 * np.pi, 241)
    axes_of = np.sqrt(2 * highest / np.array(slopes)) * np.linspace(0.02, 1, 9)[:, None]
    contours = axes_of[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for ax, (name, path) in zip(axes[:, 0], routes.items(), strict=True):
        ax.add_collection(LineCollection(list(contours), colors=FAINT, linewidths=0.8))
        ax.plot(*path.T, "o-", color=COLOURS["hidden"], markersize=3, linewidth=1.4)
        ax.plot(0, 0, "+", color=INK, markersize=10)
        ax.set(xticks=[], yticks=[], xlim=(left, right), ylim=(-top, top))
        ax.set_title(name, loc="left", fontsize=FONT_SIZE)
    return figure


def plot_edge_counts(
    counts: Mapping[str, Mapping[int, float]],
    n_units: int,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the number of edge-like units over the iterations, a line for every setting.

    Parameters
    ----------
    counts : mapping of str to mapping of int to float
        For every setting, by its name, the count by the iteration; at most five.
    n_units : int
        Number of units in all, the top of the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from saelib.plotting import plot_edge_counts
    >>> len(plot_edge_counts({"early": {10: 2, 50: 9}, "late": {10: 0, 50: 3}}, 25).lines)
    2
    """
    ax = new_axes(ax, height=3.4)
    last = max(max(line) for line in counts.values())
    dashes = ("-", "--", "-.", ":", (0, (5, 1)))
    ends = []
    for (name, line), dash in zip(counts.items(), dashes, strict=False):
        steps = sorted(line)
        ax.plot(steps, [line[k] for k in steps], "o", linestyle=dash, color=COLOURS["hidden"])
        look = (COLOURS["hidden"], TEXT_COLOURS["hidden"], dash, 2.0)
        ends.append(End(line[steps[-1]], name, *look))
    ax.set(xlim=(0, 1.03 * last), ylim=(-0.04 * n_units, 1.02 * n_units))
    ax.set(xlabel="iteration", ylabel=f"edge-like units of {n_units}")
    name_ends(ax, ends, x=last)
    set_title(ax, title)
    return ax


def plot_yours_and_expected(
    yours: ArrayLike, expected: ArrayLike, title: str | None = None
) -> Figure:
    """Draw the weights that somebody learned beside those that were expected.

    Parameters
    ----------
    yours, expected : array_like of shape (n_hidden, side * side)
        Weights, one unit per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_yours_and_expected
    >>> noise = np.random.default_rng(0).normal(size=(9, 16))
    >>> [ax.get_title(loc="left") for ax in plot_yours_and_expected(noise, noise).axes]
    ['yours', 'expected']
    """
    figure, axes = _panels(1, 2, 5.0, 2.7 + (0.2 if title else 0.0), title)
    for ax, W1, name in zip(axes.flat, (yours, expected), ("yours", "expected"), strict=True):
        plot_filters(W1, ax=ax)
        ax.set_title(name, loc="left", fontsize=FONT_SIZE)
    return figure


def plot_snapshots(snapshots: Mapping[int, ArrayLike], title: str | None = None) -> Figure:
    """Draw the weights of the hidden units after several numbers of iterations.

    Parameters
    ----------
    snapshots : mapping of int to array_like of shape (n_hidden, side * side)
        W1 by the iteration after which it was taken.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, two panels per row.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_snapshots
    >>> noise = np.random.default_rng(0).normal(size=(9, 16))
    >>> len(plot_snapshots({0: noise, 100: noise}).axes)
    2
    """
    n_rows = -(-len(snapshots) // 2)
    figure, axes = _panels(n_rows, 2, 5.0, 2.6 * n_rows + 0.2, title)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (iteration, W1) in zip(axes.flat, snapshots.items(), strict=False):
        plot_filters(W1, ax=ax)
        name = "start" if iteration == 0 else f"{iteration} iterations"
        ax.set_title(name, color=TEXT_COLOURS["hidden"], fontsize=FONT_SIZE)
    return figure


def plot_sweep(
    rows: Mapping[str, Sequence[tuple[str, ArrayLike, str]]], title: str | None = None
) -> Figure:
    """Draw small multiples of learned weights: one knob per row, one setting per picture.

    Parameters
    ----------
    rows : mapping of str to sequence of (str, array_like of shape (n, side * side), str)
        For every knob its settings: label, weights to show, and the caption below.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_sweep
    >>> W1 = np.random.default_rng(0).normal(size=(16, 16))
    >>> len(plot_sweep({"target": [("0.01", W1, "100 %"), ("0.2", W1, "0 %")]}).axes)
    2
    """
    n_columns = max(len(settings) for settings in rows.values())
    figure, axes = _panels(len(rows), n_columns, 5.0, 2.15 * len(rows) + 0.2, title)
    for ax in axes.flat:
        ax.set_axis_off()
    for line, (knob, settings) in zip(axes, rows.items(), strict=True):
        for k, (ax, (label, W1, note)) in enumerate(zip(line, settings, strict=False)):
            plot_filters(W1, ax=ax)
            name = f"{knob} = {label}" if k == 0 else label
            ax.set_title(name, fontsize=FONT_SIZE, loc="left")
            ax.text(
                0.0,
                -0.04,
                note,
                transform=ax.transAxes,
                va="top",
                fontsize=FONT_SIZE,
                color=TEXT_COLOURS["hidden"],
            )
    return figure


def _panels(
    n_rows: int, n_columns: int, width: float, height: float, title: str | None
) -> tuple[Figure, NDArray[Any]]:
    figure = new_figure(width, height, title)
    with style():
        axes = figure.subplots(n_rows, n_columns, squeeze=False)
        for ax in axes.flat:
            ax.tick_params(labelsize=FONT_SIZE - 1, colors=INK)
    align_title(figure)
    return figure, axes
