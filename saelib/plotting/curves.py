"""Curves and histograms: the cost while training, the KL divergence, the activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from saelib._validation import activation_named, real_number
from saelib.plotting.style import COLOURS, FONT_SIZE, INK, TEXT_COLOURS, new_axes, set_title
from saelib.sparsity import kl_divergence

__all__ = [
    "plot_activation_histogram",
    "plot_curves",
    "plot_history",
    "plot_kl",
    "plot_mean_activations",
]

_DASHES = ("-", "--", "-.", ":")


def plot_history(
    history: Mapping[str, ArrayLike], ax: Axes | None = None, title: str | None = None
) -> Axes:
    r"""Draw the cost and its terms over the iterations, each named at its end.

    Parameters
    ----------
    history : mapping of str to array_like of shape (n_iterations + 1,)
        As `TrainingResult.history` has it: "total", "reconstruction", "weight_decay" and
        "sparsity". A term that is 0 all along is left out, as is any other entry.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, both logarithmic, the horizontal one from the first iteration on.

    Raises
    ------
    ValueError
        If `history` has none of the four entries.

    Examples
    --------
    >>> from saelib.plotting import plot_history
    >>> ax = plot_history({"total": [9.0, 2.0, 1.0], "reconstruction": [4.0, 1.0, 0.6]})
    >>> [text.get_text() for text in ax.texts]
    ['total\n1.00', 'reconstruction\n0.600']
    """
    looks = {
        "total": (INK, INK, "-", 2.6),
        "reconstruction": (COLOURS["output"], TEXT_COLOURS["output"], "-", 2.0),
        "sparsity": (COLOURS["penalty"], TEXT_COLOURS["penalty"], "-", 2.0),
        "weight_decay": (INK, INK, ":", 2.0),
    }
    curves = {name: np.asarray(history[name], float) for name in looks if name in history}
    curves = {name: values for name, values in curves.items() if np.any(values > 0)}
    if not curves:
        raise ValueError(
            f"history has the entries {sorted(history)}; at least one of {sorted(looks)} is needed"
        )
    ax = new_axes(ax, height=3.6)
    for name, values in curves.items():
        colour, _, dashes, width = looks[name]
        # The sparsity term is 0 at rho_hat = rho, which has no place on this axis.
        ax.plot(np.where(values > 0, values, np.nan), dashes, color=colour, linewidth=width)
    ax.set_yscale("log")
    ax.set(xlabel="iteration", ylabel="cost")
    last = {name: values[values > 0][-1] for name, values in curves.items()}
    # The sparsity term crosses 0 on its way, which would take up most of a logarithmic axis.
    low, high = min(last.values()) / 8, 2 * max(values.max() for values in curves.values())
    ax.set_ylim(low, high)
    name_ends(
        ax,
        [
            End(
                last[name],
                f"{name.replace('_', ' ')}\n{_short(last[name])}",
                *looks[name],
            )
            for name in curves
        ],
        gap=0.15,
    )
    # Most happens within the first iterations, which a linear axis would hide at its left end.
    longest = max(len(values) for values in curves.values()) - 1 or 1
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlim=(0, longest))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    set_title(ax, title)
    return ax


def plot_curves(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    labels: tuple[str, str] = ("", ""),
    colours: Mapping[str, str] | None = None,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw curves over one axis, each named at its right end.

    Parameters
    ----------
    x : array_like of shape (n,)
        The common axis, ascending.
    curves : mapping of str to array_like of shape (n,)
        Name and values of every curve; NaN leaves a gap.
    labels : (str, str)
        What the horizontal and the vertical axis show.
    colours : mapping of str to {"input", "hidden", "output", "penalty"}, optional
        The meaning of a curve, for its colour. The others are drawn in ink and told apart by
        their dashes.
    ylim : (float, float), optional
        Range of the vertical axis; by default that of the curves.
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
        If there is no curve, or one has not one value for each x.

    Examples
    --------
    >>> from saelib.plotting import plot_curves
    >>> ax = plot_curves([0, 1, 2], {"up": [0, 1, 2], "down": [2, 1, 0]})
    >>> [text.get_text() for text in ax.texts]
    ['up', 'down']
    """
    across = np.asarray(x, dtype=np.float64)
    series = {name: np.asarray(values, dtype=np.float64) for name, values in curves.items()}
    for name, values in series.items():
        if values.shape != across.shape:
            raise ValueError(
                f"the curve {name!r} has shape {values.shape}; x has {across.size} values, so "
                f"give {across.size}"
            )
    if not series:
        raise ValueError("curves is empty; give at least one")
    ax = new_axes(ax)
    meaning = dict(colours or {})
    for number, (name, values) in enumerate(series.items()):
        role = meaning.get(name)
        dashes = _DASHES[number % len(_DASHES)]
        ax.plot(across, values, dashes, color=COLOURS[role] if role else INK)
    every = np.concatenate(list(series.values()))
    low, high = ylim or (np.nanmin(every), np.nanmax(every))
    margin = 0.0 if ylim else 0.05 * ((high - low) or 1.0)
    ax.set_ylim(low - margin, high + margin)
    ax.set_xlim(*_rounded_ends(across[0], across[-1]))
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ends = []
    for line, (name, values) in zip(ax.lines[-len(series) :], series.items(), strict=True):
        role = meaning.get(name)
        ink = TEXT_COLOURS[role] if role else INK
        look = (str(line.get_color()), ink, line.get_linestyle(), line.get_linewidth())
        ends.append(End(values[np.isfinite(values)][-1], name, *look))
    name_ends(ax, ends)
    set_title(ax, title)
    return ax


def _rounded_ends(low: float, high: float) -> tuple[float, float]:
    """Return the ends to a thousandth of the range: beside its tick by a hair, an end has none."""
    step = 10.0 ** np.floor(np.log10(high - low) - 3) if high > low else 0.0
    return (round(low / step) * step, round(high / step) * step) if step else (low, high)


def _short(value: float) -> str:
    """Return three significant digits without an exponent, if that is short enough."""
    if not 1e-4 <= value < 1000:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - int(np.floor(np.log10(value))))}f}"


class End(NamedTuple):
    """Where a line ends, in data units, what it is called there, and how it looks."""

    y: float
    name: str
    colour: str
    ink: str
    dashes: Any
    width: float


def name_ends(ax: Axes, ends: Sequence[End], gap: float = 0.08, x: float | None = None) -> None:
    """Write names to the right of the axes, each joined to the end of its line.

    The piece that joins them looks as the line does, so that names which had to make way for each
    other, and lines of one colour, are still told apart.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes, with their final limits and scales.
    ends : sequence of End
        One for each line.
    gap : float
        Least distance of two names, as a share of the height of the axes.
    x : float, optional
        Where the lines end, if not at the right end of the axes.
    """
    scale = ax.transScale.transform
    (left, bottom), (right, top) = (
        scale(corner) for corner in zip(ax.get_xlim(), ax.get_ylim(), strict=True)
    )

    def share(end: End) -> float:
        return float(np.clip((scale((1.0, end.y))[1] - bottom) / (top - bottom), 0.0, 1.0))

    across = 1.0 if x is None else (scale((x, ax.get_ylim()[0]))[0] - left) / (right - left)
    ordered = sorted(ends, key=share, reverse=True)
    # Not as high as the title, which may be as long as the axes are wide.
    heights = _apart([min(share(end), 0.96) for end in ordered], gap)
    placed = dict(zip([end.name for end in ordered], heights, strict=True))
    aside = ax.transAxes + ScaledTranslation(17 / 72, 0, ax.figure.dpi_scale_trans)
    for end in ends:
        ax.annotate(
            end.name,
            (across, share(end)),
            (across, placed[end.name]),
            xycoords="axes fraction",
            textcoords=aside,
            ha="left",
            va="center",
            color=end.ink,
            fontsize=FONT_SIZE,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.colour,
                "linestyle": end.dashes,
                "linewidth": min(end.width, 2.0),
                "shrinkA": 1.5,
                "shrinkB": 4,  # a gap, so that the piece is not taken for data
                "relpos": (0, 0.5),
            },
        )


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """Return descending heights as near as they can stay while at least a gap lies between two.

    Names that would meet share their place around the mean of where they belong; none comes to lie
    below 0 or above 1 as long as there is room.
    """
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _top(groups[-1], gap) > _low(groups[-2], gap) - gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_top(group, gap) - gap * k for group in groups for k in range(len(group))]


def _top(group: list[float], gap: float) -> float:
    reach = gap * (len(group) - 1)
    return max(min(sum(group) / len(group) + reach / 2, 1.0), reach)


def _low(group: list[float], gap: float) -> float:
    return _top(group, gap) - gap * (len(group) - 1)


def plot_kl(rho: float = 0.2, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the penalty of a hidden unit over its mean activation.

    Eq. (4.1) ``kl-bernoulli``: KL(rho ‖ rho_hat) is 0 at rho_hat = rho and grows without bound
    towards both ends.

    Parameters
    ----------
    rho : float in (0, 1)
        The sparsity target.
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
        If `rho` is not between 0 and 1.

    Examples
    --------
    >>> from saelib.plotting import plot_kl
    >>> ax = plot_kl(0.2, title="Only the target costs nothing")
    """
    rho = real_number("rho", rho, low=0.0, high=1.0, open_ends=True)
    ax = new_axes(ax)
    # Crowded towards both ends, where the curve is steep.
    rho_hat = 1 / (1 + np.exp(-np.linspace(-30, 30, 1201)))
    ax.plot(rho_hat, kl_divergence(rho, rho_hat), color=COLOURS["penalty"], linewidth=2.4)
    top = 1.15 * float(kl_divergence(rho, 0.5 + 0.48 * np.sign(0.5 - rho) if rho != 0.5 else 0.98))
    ax.plot(rho, 0, "o", color=COLOURS["penalty"], markersize=8, clip_on=False, zorder=3)
    ax.annotate(
        rf"0 at $\hat\rho=\rho={rho:g}$",
        (rho, 0),
        xytext=(6 if rho < 0.5 else -6, 60),
        textcoords="offset points",
        ha="left" if rho < 0.5 else "right",
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkB": 7},
        color=TEXT_COLOURS["penalty"],
        fontsize=FONT_SIZE,
    )
    ax.set(xlim=(0, 1), ylim=(0, top), xlabel=r"mean activation $\hat\rho$")
    ax.set_ylabel(r"$\mathrm{KL}(\rho\,\|\,\hat\rho)$")
    set_title(ax, title)
    return ax


def plot_activation_histogram(
    A: ArrayLike, activation: str = "sigmoid", ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw how often hidden units take which activation, and how many are active.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Hidden activations.
    activation : {"sigmoid", "tanh"}
        The activation function; a unit counts as active in the upper half of its range.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the vertical axis is logarithmic, since rare high activations are
        what matters in a sparse code.

    Raises
    ------
    ValueError
        If `A` is empty, not finite or outside the range of the activation function.

    Examples
    --------
    >>> from saelib.plotting import plot_activation_histogram
    >>> ax = plot_activation_histogram([[0.01, 0.02], [0.9, 0.02]])
    >>> ax.texts[0].get_text()
    'active: 25 %'
    """
    f = activation_named("activation", activation, ("sigmoid", "tanh"))
    values = np.asarray(A, dtype=np.float64).ravel()
    if values.size == 0 or not np.all((values >= f.low) & (values <= f.high)):
        raise ValueError(
            f"A has {values.size} entries, not all of them in [{f.low:g}, {f.high:g}], the range "
            f"of {activation}; pass hidden activations, as encode returns them"
        )
    ax = new_axes(ax)
    middle = (f.low + f.high) / 2
    edges = np.linspace(f.low, f.high, 51)
    counts, _ = np.histogram(values, edges)
    share = counts / values.size
    width = edges[1] - edges[0]
    ax.bar(edges[:-1], share, width, align="edge", color=COLOURS["hidden"])
    ax.set_yscale("log")
    ax.set_ylim(0.5 * share[share > 0].min(), 2.5)
    ax.axvline(middle, color=INK, linewidth=1, linestyle=":")
    ax.text(
        middle + width,
        1.2,
        f"active: {100 * np.mean(values > middle):.2g} %",
        color=TEXT_COLOURS["hidden"],
        fontsize=FONT_SIZE,
        va="center",
    )
    ax.set(xlim=(f.low, f.high), xlabel="activation", ylabel="share of all activations")
    set_title(ax, title)
    return ax


def plot_mean_activations(
    rho_hat: ArrayLike,
    target: float | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the mean activation of every hidden unit, from low to high, beside the target.

    Parameters
    ----------
    rho_hat : array_like of shape (n_hidden,)
        Mean activations, as `mean_activation` returns them, between 0 and 1.
    target : float, optional
        The sparsity target, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What the figure says.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on, the vertical axis from 0.

    Raises
    ------
    ValueError
        If `rho_hat` is not 1-D or holds values outside [0, 1].

    Examples
    --------
    >>> from saelib.plotting import plot_mean_activations
    >>> ax = plot_mean_activations([0.012, 0.009, 0.010], target=0.01)
    >>> ax.lines[0].get_ydata().tolist()
    [0.009, 0.01, 0.012]
    """
    values = np.sort(np.asarray(rho_hat, dtype=np.float64))
    if values.ndim != 1 or values.size == 0 or not np.all((values >= 0) & (values <= 1)):
        raise ValueError(
            f"rho_hat has shape {values.shape}; give one mean activation in [0, 1] per unit"
        )
    ax = new_axes(ax)
    number = np.arange(1, len(values) + 1)
    ax.plot(number, values, "o", color=COLOURS["hidden"], markersize=5 if len(values) < 60 else 3)
    top = 1.25 * max(float(values[-1]), target or 0.0) or 1.0
    if target is not None:
        low = target < 0.12 * top  # no room below the line
        ax.axhline(target, color=COLOURS["penalty"], linewidth=2)
        ax.annotate(
            rf"target $\rho={target:g}$",
            (1.0, target),
            xytext=(0, 4 if low else -4),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom" if low else "top",
            color=TEXT_COLOURS["penalty"],
            fontsize=FONT_SIZE,
        )
    ax.set_ylim(0, top)
    ax.set(xlabel="hidden unit, sorted", ylabel=r"mean activation $\hat\rho_j$")
    set_title(ax, title)
    return ax
