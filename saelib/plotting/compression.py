"""How much a code of a given length leaves unexplained, in numbers and in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import ArrayLike

from saelib.plotting.filters import plot_patches
from saelib.plotting.style import COLOURS, FAINT, FONT_SIZE, INK, TEXT_COLOURS, new_axes, set_title

__all__ = ["plot_best_line", "plot_compression", "plot_patch_rows"]

_NOTHING = 1e-6  # a share of the variance that is rounding error


def plot_compression(
    sizes: Sequence[int],
    autoencoder: Mapping[str, ArrayLike],
    pca: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the variance that codes of several lengths leave unexplained, for several data.

    Dots are autoencoders, lines the linear codes of the same length; `unexplained_variance`,
    Eq. (2.3) ``unexplained-variance``, gives the numbers.

    Parameters
    ----------
    sizes : sequence of int
        Lengths of the code, growing.
    autoencoder, pca : mapping of str to array_like of shape (len(sizes),)
        Name of a data set to the fractions of its variance left unexplained.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, the vertical one logarithmic: where little is left, it is factors that
        count.

    Raises
    ------
    ValueError
        If the two mappings name different data sets, or a curve has not one value per size.

    Examples
    --------
    >>> from saelib.plotting import plot_compression
    >>> ax = plot_compression([1, 2], {"noise": [0.8, 0.5]}, {"noise": [0.7, 0.4]})
    >>> [text.get_text() for text in ax.texts]
    ['noise', 'dots: autoencoder', 'lines: PCA']
    """
    if set(autoencoder) != set(pca):
        raise ValueError(
            f"autoencoder names the data sets {sorted(autoencoder)} and pca {sorted(pca)}; give "
            "one curve of each for every data set"
        )
    x = np.asarray(sizes, dtype=np.float64)
    ax = new_axes(ax, height=3.7)
    for k, name in enumerate(autoencoder):
        dots, line = np.asarray(autoencoder[name], float), np.asarray(pca[name], float)
        if dots.shape != x.shape or line.shape != x.shape:
            raise ValueError(
                f"the curves of {name!r} have shapes {dots.shape} and {line.shape}; there are "
                f"{len(x)} sizes, so give {len(x)} values"
            )
        # A code as long as the data leaves nothing, for which a logarithmic axis has no place.
        ax.plot(x, np.where(line > _NOTHING, line, np.nan), color=INK, linewidth=1.5)
        shown = np.where(dots > _NOTHING, dots, np.nan)
        ax.plot(x, shown, "o", color=COLOURS["output"], markersize=7)
        # The first name stands at the end of its line, the last below its own, and those between
        # beside the slope: curves that fall early meet at the end.
        last = np.append(0, np.flatnonzero(line > _NOTHING))[-1]
        place, seen = max(len(x) // 2 - 1, 0), np.maximum(line, _NOTHING)
        slope = x[place : place + 2].mean(), np.exp(np.log(seen[place : place + 2]).mean())
        at, offset, side, level = slope, (9, 1), "left", "center"
        if k == 0:
            at, offset = (x[last], seen[last]), (10, 0)
        elif k == len(autoencoder) - 1:
            at, offset, side, level = slope, (0, -5), "right", "top"
        ax.annotate(
            name, at, offset, textcoords="offset points", ha=side, va=level, fontsize=FONT_SIZE
        )
    for height, words, ink in (
        (0.08, "dots: autoencoder", TEXT_COLOURS["output"]),
        (0.015, "lines: PCA", INK),
    ):
        ax.text(0.02, height, words, transform=ax.transAxes, color=ink, fontsize=FONT_SIZE)
    ax.set(xlabel="length of the code", ylabel="variance unexplained")
    ax.set_yscale("log")
    ax.set_ylim(ax.get_ylim()[0] / 1.6, 1.35)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    set_title(ax, title)
    return ax


def plot_patch_rows(
    rows: Mapping[str, ArrayLike], ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw rows of patches, each with its name on the left and a grey scale of its own.

    Parameters
    ----------
    rows : mapping of str to array_like of shape (n_patches, n_pixels)
        The same number of square patches under every name.
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
        If there is no row, or they differ in their number of patches or pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.plotting import plot_patch_rows
    >>> patches = np.random.default_rng(0).normal(size=(6, 16))
    >>> ax = plot_patch_rows({"input": patches, "output": patches / 2})
    >>> [text.get_text() for text in ax.texts]
    ['input', 'output']
    """
    patches = {name: np.asarray(values, dtype=np.float64) for name, values in rows.items()}
    shapes = {values.shape for values in patches.values()}
    if len(shapes) != 1:
        found = ", ".join(f"{name} {values.shape}" for name, values in patches.items())
        raise ValueError(
            f"rows has the shapes {found or '()'}; give rows of one shape, at least one"
        )
    n_patches, n_pixels = shapes.pop()
    # One contrast for all would leave the rows of weak patches plain grey.
    scaled = [v - v.mean() for v in patches.values()]
    scaled = [v / (np.abs(v).max() or 1.0) for v in scaled]
    ax = new_axes(ax, width=5.0, height=0.45 + len(patches) * 4.1 / n_patches)
    plot_patches(np.vstack(scaled), ncols=n_patches, ax=ax)
    side = round(n_pixels**0.5) + 1
    for k, name in enumerate(patches):
        ax.annotate(
            name,
            (-0.5, k * side + (side - 2) / 2),
            xytext=(-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=FONT_SIZE,
            annotation_clip=False,
        )
    set_title(ax, title)
    return ax


def plot_best_line(
    points: ArrayLike,
    labels: tuple[str, str] = ("", ""),
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw points in the plane, the line that comes closest to them, and what it misses.

    The line goes through the mean, along the direction in which the points vary most. Each
    point is joined to the place on the line that stands for it.

    Parameters
    ----------
    points : array_like of shape (n_points, 2)
        At least two different points; some dozens can be told apart.
    labels : (str, str)
        What the two axes are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, both on the same scale, so that right angles look right.

    Raises
    ------
    ValueError
        If `points` has not two columns and at least two rows.

    Examples
    --------
    >>> from saelib.plotting import plot_best_line
    >>> ax = plot_best_line([[0, 0], [1, 1], [2, 1]])
    >>> ax.get_aspect()
    1.0
    """
    cloud = np.asarray(points, dtype=np.float64)
    if cloud.ndim != 2 or cloud.shape[1] != 2 or len(cloud) < 2:
        raise ValueError(f"points has shape {cloud.shape}; give two columns, at least two rows")
    mean = cloud.mean(axis=0)
    direction = np.linalg.svd(cloud - mean, full_matrices=False)[2][0]
    along = (cloud - mean) @ direction
    feet = mean + along[:, None] * direction
    ends = mean + 1.1 * np.array([[along.min()], [along.max()]]) * direction
    ax = new_axes(ax, width=4.0, height=3.8)
    ax.plot(*ends.T, color=COLOURS["hidden"], linewidth=2.4, zorder=2)
    for point, foot in zip(cloud, feet, strict=True):
        ax.plot(*np.stack([point, foot]).T, color=FAINT, linewidth=1, zorder=1)
    ax.plot(*cloud.T, "o", color=COLOURS["input"], markersize=5, zorder=3)
    ax.plot(*feet.T, "o", color=COLOURS["output"], markersize=3, zorder=3)
    ax.set(xlabel=labels[0], ylabel=labels[1], aspect="equal")
    set_title(ax, title)
    return ax
