"""Pictures of what hidden units look for: Gabor fits, tuning, and the patches that excite them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from saelib._validation import whole_number
from saelib.features import GaborFit, TuningCurve, gabor
from saelib.plotting.filters import plot_filters, plot_patches
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
)

__all__ = [
    "plot_dictionary",
    "plot_gabor_fits",
    "plot_multiplier",
    "plot_scales",
    "plot_top_patches",
    "plot_tuning",
]

Array = NDArray[np.float64]


def _panel(figure: Figure, place: tuple[int, int, int], title: str) -> Axes:
    ax = figure.add_subplot(*place)
    ax.set_title(title, loc="left", fontsize=FONT_SIZE, color=INK)
    return ax


def plot_top_patches(
    W1: ArrayLike,
    X: ArrayLike,
    units: Sequence[int],
    n_patches: int = 8,
    title: str | None = None,
) -> Figure:
    """Draw what each unit looks for, and beside it the patches that excite it most.

    Parameters
    ----------
    W1 : array_like of shape (n_hidden, side * side)
        Weights into the hidden layer.
    X : array_like of shape (n_samples, side * side)
        Patches to choose from; biases do not change which of them are best.
    units : sequence of int
        The units to show, one per row of tiles.
    n_patches : int, at least 1
        Patches per unit.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: the weights, and the patches, each tile on a scale of its own.

    Raises
    ------
    ValueError
        If a unit does not exist or there are fewer patches than asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_top_patches
    >>> X = np.random.default_rng(0).normal(size=(50, 36))
    >>> len(plot_top_patches(X[:3], X, units=[0, 2], n_patches=4).axes)
    2
    """
    W1, X = np.asarray(W1, dtype=np.float64), np.asarray(X, dtype=np.float64)
    n_patches = whole_number("n_patches", n_patches, low=1)
    if len(X) < n_patches:
        raise ValueError(f"X has {len(X)} patches; n_patches is {n_patches}, give that many")
    if min(units) < 0 or max(units) >= len(W1):
        raise ValueError(f"units are {list(units)}; there are {len(W1)}, counted from 0")
    chosen = W1[list(units)]
    best = np.argsort(-(X @ chosen.T), axis=0, kind="stable")[:n_patches].T
    # About their own means: the grey of a patch is not what these units look at.
    patches = X[best.ravel()] - X[best.ravel()].mean(axis=1, keepdims=True)
    figure = new_figure(5.0, 0.2 + 5.0 * (len(units) / (n_patches + 1.6)) + 0.45, title)
    # As wide as their pixels, gaps included: both are then equally high.
    side = round(W1.shape[1] ** 0.5)
    across = [side, n_patches * (side + 1) - 1]
    grid = figure.add_gridspec(1, 2, width_ratios=across)
    for cell, tiles, ncols, name in (
        (grid[0], chosen, 1, "unit"),
        (grid[1], patches, n_patches, "the patches that excite it most"),
    ):
        ax = figure.add_subplot(cell)
        plot_filters(tiles, ncols=ncols, ax=ax)
        ax.set_title(name, loc="left", fontsize=FONT_SIZE, color=INK)
    align_title(figure)
    return figure


def plot_multiplier(w: ArrayLike, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the circle of inputs of norm 1, and why the best of them points along the weights.

    Parameters
    ----------
    w : array_like of shape (2,)
        Weights of a unit on two pixels, not both 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The circle, lines of equal w · x, and at two points the weights as an arrow, with the part
        of them that runs along the circle.

    Raises
    ------
    ValueError
        If `w` is not two numbers of which one is not 0.

    Examples
    --------
    >>> from saelib.plotting import plot_multiplier
    >>> plot_multiplier([0.6, 0.8]).get_aspect()
    1.0
    """
    w = np.asarray(w, dtype=np.float64)
    if w.shape != (2,) or not np.any(w):
        raise ValueError(f"w is {w!r}; give two weights, not both 0")
    ax = new_axes(ax, width=5.0, height=4.4)
    best = w / np.linalg.norm(w)
    along = np.array([-best[1], best[0]])
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(turn), np.sin(turn), color=INK, linewidth=1.4)
    for level in (-0.5, 0.0, 0.5, 1.0):
        ends = level * best + np.outer([-1.7, 1.7], along)
        ax.plot(*ends.T, ":", color=FAINT, linewidth=1.2)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    arrow = {"arrowstyle": "-|>", "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    elsewhere = np.cos(-1.0) * best + np.sin(-1.0) * along
    tangent = np.array([-elsewhere[1], elsewhere[0]])
    for point, name in ((best, "here nothing is\nleft along the circle"), (elsewhere, "")):
        ax.plot(*point, "o", color=COLOURS["input"])
        tip = point + 0.7 * best
        ax.annotate("", tip, point, arrowprops=arrow | {"color": COLOURS["hidden"]})
        ax.text(tip[0] + 0.06, tip[1] + 0.06, "$w$", color=TEXT_COLOURS["hidden"])
        ax.text(
            point[0] - 0.1, point[1] + 0.36, name, ha="right", fontsize=FONT_SIZE - 1, bbox=ground
        )
    tip = elsewhere + 0.7 * (best @ tangent) * tangent
    ax.annotate("", tip, elsewhere, arrowprops=arrow | {"color": COLOURS["output"]})
    words = "a step this way\nraises $w^T x$"
    ax.text(
        elsewhere[0] - 0.62,
        elsewhere[1] - 0.15,
        words,
        color=TEXT_COLOURS["output"],
        ha="center",
        bbox=ground,
    )
    ax.set(xlim=(-1.75, 1.75), ylim=(-1.3, 1.75), aspect="equal")
    ax.set(xlabel="first pixel $x_1$", ylabel="second pixel $x_2$")
    set_title(ax, title)
    return ax


def plot_scales(W1: ArrayLike, ncols: int = 10, title: str | None = None) -> Figure:
    """Draw the same weights twice: on one scale for all, and each unit on its own scale.

    Parameters
    ----------
    W1 : array_like of shape (n_hidden, side * side)
        One unit per row.
    ncols : int, at least 1
        Tiles per row.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, one below the other.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_scales
    >>> len(plot_scales(np.random.default_rng(0).normal(size=(20, 36))).axes)
    2
    """
    W1 = np.asarray(W1, dtype=np.float64)
    nrows = -(-len(W1) // ncols)
    figure = new_figure(5.0, 2 * (5.0 * nrows / ncols + 0.3) + (0.3 if title else 0.0), title)
    plot_patches(W1, ncols=ncols, ax=_panel(figure, (2, 1, 1), "raw weights, one scale for all"))
    plot_filters(W1, ncols=ncols, ax=_panel(figure, (2, 1, 2), "each unit on its own scale"))
    align_title(figure)
    return figure


def _gabor_images(fit: GaborFit, side: int) -> Array:
    """Return the fitted Gabor functions, flat and without their means, which are free."""
    numbers = zip(
        fit.x,
        fit.y,
        fit.orientation,
        fit.frequency,
        fit.width,
        fit.length,
        fit.phase,
        strict=True,
    )
    images = np.array([gabor(side, *row).ravel() for row in numbers]) * fit.amplitude[:, None]
    return images - images.mean(axis=1, keepdims=True)


def plot_gabor_fits(
    W: ArrayLike, fit: GaborFit, units: Sequence[int], title: str | None = None
) -> Figure:
    """Draw filters above the Gabor functions fitted to them, and what the fit leaves over.

    Parameters
    ----------
    W : array_like of shape (n_hidden, side * side)
        One square filter per row.
    fit : GaborFit
        What `fit_gabor(W)` returned.
    units : sequence of int
        The units to show, one per column.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        Three rows of tiles on one scale per unit. Under each column stands the cosine of the angle
        between filter and fit, the root of R².

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import fit_gabor
    >>> from saelib.plotting import plot_gabor_fits
    >>> W = np.random.default_rng(0).normal(size=(3, 64))
    >>> len(plot_gabor_fits(W, fit_gabor(W), units=[0, 2]).axes)
    6
    """
    W = np.asarray(W, dtype=np.float64)
    side = round(W.shape[1] ** 0.5)
    centred = W - W.mean(axis=1, keepdims=True)
    fitted = _gabor_images(fit, side)
    figure = new_figure(5.0, 3 * 4.3 / len(units) + 0.5 + (0.3 if title else 0.0), title)
    axes = figure.subplots(3, len(units), squeeze=False)
    rows = (("unit", centred), ("Gabor", fitted), ("rest", centred - fitted))
    for line, (name, tiles) in zip(axes, rows, strict=True):
        for ax, unit in zip(line, units, strict=True):
            limit = np.abs(centred[unit]).max()
            ax.imshow(tiles[unit].reshape(side, side), cmap="gray", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(name, fontsize=FONT_SIZE)
    for ax, unit in zip(axes[-1], units, strict=True):
        ax.set_xlabel(f"cos {np.sqrt(fit.r2[unit]):.2f}", fontsize=FONT_SIZE)
    align_title(figure)
    return figure


def plot_tuning(tunings: Sequence[TuningCurve], title: str | None = None) -> Figure:
    """Draw tuning curves over orientation and over frequency, as shares of the best answer.

    Parameters
    ----------
    tunings : sequence of TuningCurve
        What `tuning_curve` returned, one for each unit; at most three can be told apart.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        Over orientation at the best frequency, and over frequency at the best orientation.

    Raises
    ------
    ValueError
        If there are no curves or more than three.

    Examples
    --------
    >>> from saelib.features import gabor, tuning_curve
    >>> from saelib.plotting import plot_tuning
    >>> w = gabor(10, x=4, y=5, orientation=1.0, frequency=0.2, width=2, length=3)
    >>> len(plot_tuning([tuning_curve(w.ravel())]).axes)
    2
    """
    if not 1 <= len(tunings) <= 3:
        raise ValueError(f"tunings has {len(tunings)} curves; give one to three")
    figure = new_figure(5.0, 2.9 + (0.3 if title else 0.0), title)
    angle, frequency = figure.subplots(1, 2, sharey=True)
    for tuning, line in zip(tunings, ("-", "--", ":"), strict=False):
        highest = tuning.response.max() or 1.0
        o, f = np.unravel_index(tuning.response.argmax(), tuning.response.shape)
        look = {"color": COLOURS["hidden"], "linestyle": line}
        # Once more at 180 degrees, where the stripes are the same again.
        degrees = np.append(np.degrees(tuning.orientations), 180.0)
        around = np.append(tuning.response[:, f], tuning.response[0, f])
        angle.plot(degrees, around / highest, **look)
        frequency.plot(tuning.frequencies, tuning.response[o] / highest, **look)
    angle.set(xlabel="orientation, degrees", ylabel="share of best answer")
    angle.set(xlim=(0, 180), xticks=(0, 45, 90, 135, 180), ylim=(0, 1.05))
    frequency.set(xlabel="stripes per pixel", xlim=(0, 0.5), xticks=(0.1, 0.2, 0.3, 0.4, 0.5))
    align_title(figure)
    return figure


def plot_dictionary(
    fit: GaborFit, side: int, units: ArrayLike | None = None, title: str | None = None
) -> Figure:
    """Draw where the edges of a dictionary lie, and which angles and frequencies they have.

    Parameters
    ----------
    fit : GaborFit
        What `fit_gabor` returned.
    side : int
        Side of the patch in pixels.
    units : array_like of bool or int, optional
        The units to draw, all by default; best those that are edge-like.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.figure.Figure
        A patch with a short line along the stripes of every unit whose fitted centre lies within
        it, and orientation against frequency.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.features import fit_gabor
    >>> from saelib.plotting import plot_dictionary
    >>> W = np.random.default_rng(0).normal(size=(5, 64))
    >>> len(plot_dictionary(fit_gabor(W), side=8).axes)
    2
    """
    if units is not None:
        fit = GaborFit(*(values[np.asarray(units)] for values in fit))
    figure = new_figure(5.0, 2.45 + (0.3 if title else 0.0), title)
    place, angle = figure.subplots(1, 2)
    # The stripes run at right angles to the orientation; rows count downwards.
    along, down = -np.sin(fit.orientation), np.cos(fit.orientation)
    half = 0.45
    for x, y, dx, dy in zip(fit.x, fit.y, along, down, strict=True):
        if min(x, y) < -0.5 or max(x, y) > side - 0.5:
            continue  # cut by the border: the fit only guesses where the centre lies
        place.plot(
            [x - half * dx, x + half * dx],
            [y - half * dy, y + half * dy],
            color=COLOURS["hidden"],
            linewidth=1.2,
        )
    place.set(xlim=(-1, side), ylim=(side, -1), aspect="equal")
    angle.set_box_aspect(1)  # as large as the panel beside it, whose shape is that of the patch
    place.set(xlabel="column", ylabel="row")
    for axis in (place.xaxis, place.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True))
    angle.plot(
        np.degrees(fit.orientation), fit.frequency, "o", color=COLOURS["hidden"], markersize=3
    )
    angle.set(xlim=(-5, 185), xticks=(0, 45, 90, 135, 180), ylim=(0, 0.52))
    angle.set(xlabel="orientation, degrees", ylabel="stripes per pixel")
    align_title(figure)
    return figure
