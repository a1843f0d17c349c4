"""The figure of the chapter on classifiers: errors over the number of labelled examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from numpy.typing import ArrayLike

from saelib.plotting.curves import _apart
from saelib.plotting.style import COLOURS, FONT_SIZE, INK, TEXT_COLOURS, new_axes, set_title

__all__ = ["plot_label_curves"]

_PERCENT = (1, 2, 3, 5, 10, 20, 30, 50, 70, 100)
_OTHERS = (("s", "-"), ("^", "--"), ("v", ":"), ("x", "-."), ("D", "--"), ("+", ":"))


def plot_label_curves(
    n_labels: Sequence[int],
    accuracy: Mapping[str, ArrayLike],
    features: str = "autoencoder",
    data: str = "pixels",
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the test error of classifiers over the number of labelled examples they learn from.

    Both axes are logarithmic. Each curve is the mean over the draws of labelled examples, with
    bars of one standard deviation, and is named at its right end.

    Parameters
    ----------
    n_labels : sequence of int of length n_sizes
        Numbers of labelled examples, ascending.
    accuracy : mapping of str to array_like of shape (n_sizes, n_draws)
        Share of right answers, from 0 to 1, for each kind of features.
    features : str
        The entry of `accuracy` drawn in the colour of the hidden layer.
    data : str
        The entry drawn in the colour of the input. All others are grey.
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
        If an entry does not have one row for every number of labelled examples, or if there
        are more than eight entries.

    Examples
    --------
    >>> from saelib.plotting import plot_label_curves
    >>> accuracy = {"autoencoder": [[0.8, 0.9], [0.95, 0.96]], "pixels": [[0.7, 0.8], [0.9, 0.91]]}
    >>> ax = plot_label_curves([50, 300], accuracy)
    >>> [text.get_text() for text in ax.texts]
    ['pixels 9.5', 'autoencoder 4.5']
    """
    curves = {name: np.asarray(values, float) for name, values in accuracy.items()}
    for name, values in curves.items():
        if values.ndim != 2 or len(values) != len(n_labels):
            raise ValueError(
                f"accuracy[{name!r}] has shape {values.shape}; give one row for each of the "
                f"{len(n_labels)} numbers of labelled examples, one column per draw"
            )
    looks = {
        features: ("o", "-", COLOURS["hidden"], TEXT_COLOURS["hidden"], 2.6),
        data: ("o", "-", COLOURS["input"], TEXT_COLOURS["input"], 2.0),
    }
    others = [name for name in curves if name not in looks]
    if len(others) > len(_OTHERS):
        raise ValueError(f"accuracy has {len(curves)} entries; give at most {len(_OTHERS) + 2}")
    looks |= {
        name: (marker, dashes, INK, INK, 1.4)
        for name, (marker, dashes) in zip(others, _OTHERS, strict=False)
    }
    ax = new_axes(ax, width=4.8, height=3.6)
    last = {}
    for name, values in curves.items():
        marker, dashes, colour, _, width = looks[name]
        error = 100 * (1 - values)
        ax.errorbar(
            n_labels, error.mean(axis=1), error.std(axis=1), color=colour, marker=marker,
            linestyle=dashes, linewidth=width, elinewidth=1, capsize=2, markersize=5,
            zorder=3 if name == features else 2,
        )  # fmt: skip
        last[name] = float(error[-1].mean())
    ax.set(xscale="log", yscale="log", xlabel="labelled examples", ylabel="errors in percent")
    ax.set_xticks(n_labels, [f"{n:,}" for n in n_labels])
    ax.yaxis.set_major_locator(FixedLocator(_PERCENT))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()
    low, high = np.log(ax.get_ylim())
    names = sorted(last, key=lambda name: last[name], reverse=True)
    heights = (np.log([last[name] for name in names]) - low) / (high - low)
    for name, height in zip(names, _apart(heights, 0.07), strict=True):
        label = f"{name} {last[name]:.2g}"
        # Beside the axes, at heights that are shares of theirs, so that no two names overlap.
        ax.annotate(
            label, (1.03, height), xycoords="axes fraction", va="center",
            color=looks[name][3], fontsize=FONT_SIZE, annotation_clip=False,
        )  # fmt: skip
    set_title(ax, title)
    return ax
