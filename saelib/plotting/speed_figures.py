"""The figures of the chapter on speed: two passes, the gain of each step, the length of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullFormatter

from saelib.plotting.style import COLOURS, FAINT, INK, TEXT_COLOURS, new_axes, set_title

__all__ = ["plot_block_times", "plot_row_times", "plot_times", "plot_two_passes"]


def plot_two_passes(n_blocks: int = 8, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw how two cores share the blocks of rows in the two passes of an evaluation.

    Parameters
    ----------
    n_blocks : int, even and at least 2
        Number of blocks.
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
        If `n_blocks` is odd or less than 2.

    Examples
    --------
    >>> from saelib.plotting import plot_two_passes
    >>> ax = plot_two_passes(n_blocks=4)
    >>> len(ax.patches)
    8
    """
    if n_blocks < 2 or n_blocks % 2:
        raise ValueError(f"n_blocks is {n_blocks}; give an even number of at least 2")
    ax = new_axes(ax, height=2.5)
    columns, gap = n_blocks // 2, 1.1
    start = 0.0
    for name, width, colour in (("pass 1", 0.5, "hidden"), ("pass 2", 1.1, "output")):
        for block in range(n_blocks):
            core, column = block % 2, block // 2
            # The second core is a little behind: whoever is done takes the next block.
            left = start + column * width + 0.16 * core
            box = Rectangle((left, core), width, 0.8, edgecolor="white", lw=2)
            box.set_facecolor(TEXT_COLOURS[colour])  # dark enough for white numbers
            ax.add_patch(box)
            ax.text(
                left + width / 2, core + 0.42, str(block + 1),
                ha="center", va="center", color="white", weight="bold",
            )  # fmt: skip
        end = start + columns * width + 0.16
        ax.text((start + end) / 2, -0.15, name, ha="center", color=TEXT_COLOURS[colour])
        at = end + gap / 2
        sign = r"$\hat\rho$" if name == "pass 1" else r"$\nabla J$"
        ax.axvline(at, 0.08, 0.8, color=COLOURS["penalty"] if name == "pass 1" else INK, lw=2)
        ax.text(at + 0.12, 0.9, sign, va="center", fontsize=14)
        start = end + gap
    ax.set(xlim=(0, start + 0.4), ylim=(1.95, -0.5), xlabel="time", xticks=[])
    ax.set_yticks([0.4, 1.4], ["core 1", "core 2"])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    set_title(ax, title)
    return ax


def _time(seconds: float) -> str:
    milliseconds = 1e3 * seconds
    return f"{milliseconds:.2g} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def plot_times(
    seconds: Mapping[str, float], floor: float, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw a dot for every version, on a logarithmic axis, and the floor as a line across.

    Dots and not bars: a logarithmic axis has no 0 from which a bar could start.

    Parameters
    ----------
    seconds : mapping of str to float
        The time of each version, greater than 0, in the order from top to bottom.
    floor : float, greater than 0
        The time, in seconds, under which no version on as many cores can get.
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
        If there is nothing to draw or a time is not positive.

    Examples
    --------
    >>> from saelib.plotting import plot_times
    >>> ax = plot_times({"loop": 0.4, "vectorized": 0.02}, floor=0.01)
    >>> [text.get_text() for text in ax.texts]
    ['400 ms, 40x', '20 ms, 2.0x', 'the five products']
    """
    if not seconds or min(floor, *seconds.values()) <= 0:
        raise ValueError(f"seconds is {dict(seconds)} and floor {floor}; give positive times")
    ax = new_axes(ax, height=0.9 + 0.42 * len(seconds))
    longest = max(seconds.values())
    low = min(floor, *seconds.values()) / 2
    for row, value in enumerate(seconds.values()):
        ax.plot(value, row, "o", color=COLOURS["hidden"], markersize=8)
        ratio = value / floor
        label = f"{_time(value)}, {ratio:.0f}x" if ratio >= 9.5 else f"{_time(value)}, {ratio:.1f}x"
        ax.text(
            1.02, row, label, va="center", ha="left", color=TEXT_COLOURS["hidden"],
            transform=ax.get_yaxis_transform(),
        )  # fmt: skip
    ax.axvline(floor, color=INK, linewidth=1.6)
    ax.annotate(
        "the five products", (floor, -0.62), (5, 0), textcoords="offset points", va="bottom",
        color=INK,
    )  # fmt: skip
    ax.set(xscale="log", xlim=(low, 1.6 * longest), xlabel="time of one evaluation")
    ax.set_ylim(len(seconds) - 0.5, -1.1)
    ax.set_yticks(range(len(seconds)), list(seconds))
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{1e3 * value:,g} ms"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="y", color=FAINT, alpha=0.25)
    ax.spines["left"].set_visible(False)
    set_title(ax, title)
    return ax


def plot_block_times(
    rows: Sequence[int],
    seconds: Sequence[float],
    floor: float,
    chosen: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the time of an evaluation over the number of rows in a block, and the floor.

    Parameters
    ----------
    rows : sequence of int
        Rows per block, at least 1.
    seconds : sequence of float
        The times that belong to them.
    floor : float
        The time of the matrix products alone, in seconds.
    chosen : int, optional
        One of `rows`, that the library takes; gets a ring.
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
        If `chosen` is not one of `rows`.

    Examples
    --------
    >>> from saelib.plotting import plot_block_times
    >>> ax = plot_block_times([10, 100, 1000], [0.05, 0.02, 0.015], floor=0.01)
    >>> ax.get_xlabel()
    'rows in a block'
    """
    if chosen is not None and chosen not in rows:
        raise ValueError(f"chosen is {chosen}; choose one of the rows, {list(rows)}")
    ax = new_axes(ax, height=3.2)
    ax.plot(rows, [1e3 * value for value in seconds], "o-", color=COLOURS["hidden"])
    if chosen is not None:
        at = 1e3 * seconds[list(rows).index(chosen)]
        ax.plot(chosen, at, "o", markersize=14, fillstyle="none", color=INK, markeredgewidth=1.6)
        ax.annotate(
            "saelib takes", (chosen, at), (-8, 14), textcoords="offset points", ha="right",
            color=INK,
        )  # fmt: skip
    ax.axhline(1e3 * floor, color=INK, linewidth=1.6)
    ax.text(
        1.02, 1e3 * floor, "the five\nproducts", va="center", color=INK,
        transform=ax.get_yaxis_transform(),
    )  # fmt: skip
    ax.set(xscale="log", ylim=(0, None), xlabel="rows in a block", ylabel="milliseconds")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(axis="y", color=FAINT, alpha=0.3)
    set_title(ax, title)
    return ax


def plot_row_times(
    rows: Sequence[int],
    seconds: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the time of an evaluation over the number of examples, a line for each version.

    Parameters
    ----------
    rows : sequence of int
        Numbers of examples, ascending, at least 1.
    seconds : mapping of str to sequence of float
        Name of a version to its times, greater than 0, one for each of `rows`; one or two
        versions.
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
        If there are no or more than two versions, or one does not have as many times as `rows`.

    Examples
    --------
    >>> from saelib.plotting import plot_row_times
    >>> ax = plot_row_times([100, 1000], {"plain": [1e-4, 1e-3], "saelib": [2e-4, 5e-4]})
    >>> [text.get_text() for text in ax.texts]
    ['plain', 'saelib']
    """
    if not 1 <= len(seconds) <= 2:
        raise ValueError(f"seconds has {len(seconds)} versions; give one or two")
    ax = new_axes(ax, height=3.2)
    looks = (("s--", INK, INK), ("o-", COLOURS["hidden"], TEXT_COLOURS["hidden"]))
    for (name, times), (form, colour, dark) in zip(seconds.items(), looks, strict=False):
        if len(times) != len(rows):
            raise ValueError(f"{name!r} has {len(times)} times for {len(rows)} numbers of rows")
        # The last mark stands on the edge of the axes, and is whole.
        ax.plot(rows, [1e3 * value for value in times], form, color=colour, clip_on=False)
        ax.annotate(
            name, (rows[-1], 1e3 * times[-1]), (8, 0), textcoords="offset points", va="center",
            color=dark, annotation_clip=False,
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="examples", ylabel="milliseconds")
    ax.set_xlim(rows[0] / 1.3, rows[-1])  # the names stand outside of the grid
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.grid(color=FAINT, alpha=0.3)
    set_title(ax, title)
    return ax
