"""Figures about the gradient: the two roads to the cost, its check, mini-batches and descent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from saelib._validation import real_number
from saelib.plotting.style import COLOURS, FAINT, FONT_SIZE, INK, TEXT_COLOURS, new_axes, set_title
from saelib.sparsity import kl_gradient

__all__ = [
    "plot_batch_slopes",
    "plot_cost_slice",
    "plot_step_sizes",
    "plot_two_roads",
]

_RADIUS = 0.3
# Deep is light, so that the ink of the paths stands out where they end.
_GREYS = LinearSegmentedColormap.from_list("greys of the book", ["#FFFFFF", "#A8A8A8"])


def plot_two_roads(ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the two roads by which a hidden activation reaches the cost `J_sparse`.

    One leads through the output of its own example, the other through the mean activation,
    which all examples share.

    Parameters
    ----------
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
    >>> from saelib.plotting import plot_two_roads
    >>> ax = plot_two_roads()
    >>> [text.get_text() for text in ax.texts if "road" in text.get_text()]
    ['road 1: its own output', 'road 2: the mean of all examples']
    """
    ax = new_axes(ax, width=4.0, height=3.6)
    rows = {"example 1": 3.0, "example 2": 2.0, "example $m$": 0.6}
    columns = {"$x$": (0.0, "input"), "$a$": (1.3, "hidden"), r"$\hat x$": (2.6, "output")}
    cost, mean, divergence = (3.9, 1.0), (1.3, -0.8), (2.6, -0.8)
    for name, y in rows.items():
        ax.text(-0.45, y, name, ha="right", va="center", color=INK, fontsize=FONT_SIZE)
        for label, (x, colour) in columns.items():
            _node(ax, (x, y), label, colour)
        _arrow(ax, (0.0, y), (1.3, y), INK)
        _arrow(ax, (1.3, y), (2.6, y), COLOURS["output"])
        _arrow(ax, (2.6, y), cost, COLOURS["output"])
        # Bowed more the farther they come, so that three arrows into one unit stay apart.
        _arrow(ax, (1.3, y), mean, COLOURS["penalty"], bow=0.13 * (y - 0.6))
    ax.text(0.0, 1.3, "⋮", ha="center", va="center", color=INK, fontsize=FONT_SIZE + 3)
    _node(ax, mean, r"$\hat\rho$", "penalty")
    _node(ax, divergence, "KL", "penalty")
    _node(ax, cost, "$J$", None)
    _arrow(ax, mean, divergence, COLOURS["penalty"])
    _arrow(ax, divergence, cost, COLOURS["penalty"])
    for at, words, colour, side in (
        ((2.05, 3.5), "road 1: its own output", "output", "center"),
        ((2.05, -1.35), "road 2: the mean of all examples", "penalty", "center"),
    ):
        ax.text(*at, words, color=TEXT_COLOURS[colour], ha=side, va="center", fontsize=FONT_SIZE)
    ax.set(xlim=(-1.75, 4.3), ylim=(-1.6, 3.75), aspect="equal")
    ax.set_axis_off()
    set_title(ax, title)
    return ax


def _node(ax: Axes, at: tuple[float, float], label: str, colour: str | None) -> None:
    edge, ink = (COLOURS[colour], TEXT_COLOURS[colour]) if colour else (INK, INK)
    ax.add_patch(Circle(at, _RADIUS, facecolor="white", edgecolor=edge, linewidth=2, zorder=3))
    ax.text(*at, label, color=ink, ha="center", va="center", fontsize=FONT_SIZE + 1, zorder=4)


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    stop: tuple[float, float],
    colour: str,
    bow: float = 0.0,
) -> None:
    ax.annotate(
        "",
        stop,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 1.6,
            "shrinkA": 14,
            "shrinkB": 14,
            "connectionstyle": f"arc3,rad={bow}",
        },
        zorder=2,
    )


def plot_step_sizes(
    steps: ArrayLike, errors: ArrayLike, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw the relative error of a numerical gradient over the step it was taken with.

    Eq. (5.2) ``central-difference`` errs by truncation, which falls with the square of the
    step, and by rounding, which grows with its inverse. A line of each slope is drawn through
    the error of the longest and of the shortest step.

    Parameters
    ----------
    steps : array_like of shape (n,)
        Step sizes, greater than 0, in any order.
    errors : array_like of shape (n,)
        Relative error at each step, as `relative_error` measures it, greater than 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, both of them logarithmic.

    Raises
    ------
    ValueError
        If the two have different lengths, or a number is not greater than 0.

    Examples
    --------
    >>> from saelib.plotting import plot_step_sizes
    >>> ax = plot_step_sizes([1e-6, 1e-4, 1e-2], [1e-9, 1e-10, 1e-6])
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    step, error = _positive(steps=steps, errors=errors)
    order = np.argsort(step)
    step, error = step[order], error[order]
    ax = new_axes(ax, height=3.5)
    for line in (error[-1] * (step / step[-1]) ** 2, error[0] * step[0] / step):
        ax.loglog(step, line, color=FAINT, linewidth=1.4, linestyle="--")
    ax.loglog(step, error, color=INK, marker="o", markersize=5)
    ax.set_ylim(error.min() / 30, error.max() * 30)
    left, right = step[len(step) // 4], step[-1 - len(step) // 4]
    for x, y, words, side in (
        (left, error[0] * step[0] / left, "rounding\n∝ 1/step", "left"),
        (right, error[-1] * (right / step[-1]) ** 2, "truncation\n∝ step²", "right"),
    ):
        ax.text(x, 5 * y, words, color=INK, ha=side, fontsize=FONT_SIZE)
    ax.set(xlabel="step", ylabel="relative error")
    set_title(ax, title)
    return ax


def plot_batch_slopes(
    rho: float, batch_means: tuple[float, float], ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw why two mini-batches see another slope of the penalty than all examples together.

    Eq. (4.2) ``kl-gradient`` is curved, so the mean of its values at two batch means is not its
    value at the mean of the two.

    Parameters
    ----------
    rho : float in (0, 1)
        The sparsity target.
    batch_means : (float, float), in (0, 1)
        Mean activation of a unit in each of two batches of the same size.
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
        If a mean is not between 0 and 1, or the two are equal.

    Examples
    --------
    >>> from saelib.plotting import plot_batch_slopes
    >>> ax = plot_batch_slopes(0.2, (0.06, 0.4))
    >>> len(ax.lines)
    5
    """
    left, right = sorted(
        real_number("batch_means", mean, low=0.0, high=1.0, open_ends=True) for mean in batch_means
    )
    if left == right:
        raise ValueError(f"batch_means are both {left:g}; give two different ones")
    ax = new_axes(ax, height=3.6)
    margin = min(0.15 * (right - left), 0.3 * left, 0.3 * (1 - right))
    curve = np.linspace(left - margin, right + margin, 300)
    ends = np.array([left, right])
    middle, slopes = ends.mean(), kl_gradient(rho, ends)
    ax.axhline(0.0, color=FAINT, linewidth=1, linestyle=":")
    ax.plot(curve, kl_gradient(rho, curve), color=COLOURS["penalty"], linewidth=2.4)
    ax.plot(ends, slopes, "o--", color=INK, linewidth=1.4, markersize=7, zorder=3)
    for height, words, colour, above in (
        (kl_gradient(rho, middle), "slope at the mean:\nall examples", "penalty", True),
        (slopes.mean(), "mean of the slopes:\ntwo batches", None, False),
    ):
        dot, ink = (COLOURS[colour], TEXT_COLOURS[colour]) if colour else (INK, INK)
        ax.plot(middle, height, "*", color=dot, markersize=16, zorder=4)
        ax.annotate(
            words,
            (middle, height),
            xytext=(-2, 12) if above else (8, -8),
            textcoords="offset points",
            ha="center" if above else "left",
            va="bottom" if above else "top",
            color=ink,
            fontsize=FONT_SIZE,
        )
    ax.set(xlabel=r"mean activation $\hat\rho$", ylabel="slope of the divergence")
    set_title(ax, title)
    return ax


def plot_cost_slice(
    u: ArrayLike,
    v: ArrayLike,
    cost: ArrayLike,
    paths: Mapping[str, ArrayLike],
    labels: tuple[str, str] = ("", ""),
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the contours of a cost over two parameters, and descent paths upon them.

    Parameters
    ----------
    u, v : array_like of shape (n,) and (k,)
        The grid: horizontal and vertical parameter, ascending.
    cost : array_like of shape (k, n)
        Cost at every point of the grid.
    paths : mapping of str to array_like of shape (n_steps + 1, 2)
        Label and points of every path, from the start, a dot, to the end, a star. The first
        path is drawn in the penalty's purple, the others in ink and dashed.
    labels : (str, str)
        What the horizontal and the vertical parameter are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, both parameters on the same scale, so that right angles look right.

    Raises
    ------
    ValueError
        If the shape of `cost` does not fit the grid, or a path does not have two columns.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_cost_slice
    >>> u = np.linspace(-1, 1, 21)
    >>> path = [[0.8, 0.8], [0.4, 0.4], [0.0, 0.0]]
    >>> ax = plot_cost_slice(u, u, u**2 + u[:, None] ** 2, {"descent": path})
    >>> ax.texts[0].get_text()
    'descent'
    """
    across, up, heights = (np.asarray(part, dtype=np.float64) for part in (u, v, cost))
    if heights.shape != (up.size, across.size):
        raise ValueError(
            f"cost has shape {heights.shape}; u with {across.size} and v with {up.size} points "
            f"need ({up.size}, {across.size}): one row for each v"
        )
    tracks = {label: np.asarray(points, dtype=np.float64) for label, points in paths.items()}
    for label, track in tracks.items():
        if track.ndim != 2 or track.shape[1] != 2:
            raise ValueError(
                f"path {label!r} has shape {track.shape}; give one row (u, v) for each step"
            )
    ax = new_axes(ax, width=4.2, height=4.0)
    low, high = heights.min(), heights.max()
    # Levels closer together near the bottom, where the slope is small.
    levels = low + (high - low) * np.linspace(0, 1, 11) ** 2
    # Smooth edges would make the file of the picture three times as large.
    ax.contourf(across, up, heights, levels, cmap=_GREYS, antialiased=False)
    ax.contour(across, up, heights, levels[1:-2], colors=FAINT, linewidths=0.5)
    for number, (label, track) in enumerate(tracks.items()):
        colour, ink, dashes = (
            (COLOURS["penalty"], TEXT_COLOURS["penalty"], "-") if number == 0 else (INK, INK, "--")
        )
        ax.plot(*track.T, color=colour, linewidth=2.6, linestyle=dashes, zorder=3)
        ax.plot(*track[0], marker="o", color=INK, markersize=7, zorder=4)
        ax.plot(*track[-1], marker="*", color=colour, markersize=15, zorder=5)
        # Towards the middle, so that no name leaves the axes.
        inwards = -1 if track[-1, 0] > (across[0] + 3 * across[-1]) / 4 else 1
        ax.annotate(
            label,
            track[-1],
            xytext=(9 * inwards, -4 if number == 0 else 4),
            textcoords="offset points",
            ha="left" if inwards > 0 else "right",
            va="top" if number == 0 else "bottom",
            color=ink,
            fontsize=FONT_SIZE,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
        )
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]), aspect="equal")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    set_title(ax, title)
    return ax


def _positive(**series: ArrayLike) -> list[NDArray[np.float64]]:
    """Return the series as arrays of one length that can be drawn on a logarithmic axis."""
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in series.items()}
    lengths = {name: array.shape for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or any(array.ndim != 1 for array in arrays.values()):
        found = ", ".join(f"{name} {shape}" for name, shape in lengths.items())
        raise ValueError(f"the shapes are {found}; give flat lists of the same length")
    for name, array in arrays.items():
        if not np.all(array > 0):
            raise ValueError(
                f"{name} holds {array[~(array > 0)][0]:g}; a logarithmic axis has room for numbers "
                "greater than 0 only"
            )
    return list(arrays.values())
