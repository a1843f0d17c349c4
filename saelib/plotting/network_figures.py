"""An activation function with its slope, and a network small enough to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from saelib._validation import activation_named
from saelib.network import decode, encode
from saelib.parameters import Parameters
from saelib.plotting.style import (
    COLOURS,
    FAINT,
    FONT_SIZE,
    INK,
    TEXT_COLOURS,
    new_axes,
    set_title,
)

__all__ = ["plot_activation_function", "plot_worked_network"]

_MOST_UNITS = 3
_RADIUS = 0.54
_COLUMN = 2.4
_ROW = 1.7
_LABEL = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}


def plot_activation_function(
    activation: str = "sigmoid", ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw an activation function and its slope over the weighted input z.

    The function, Eq. (1.1) ``sigmoid`` or Eq. (1.2) ``tanh``, is a full line and its slope,
    Eq. (1.3) ``activation-derivatives``, a broken one; both carry their names.

    Parameters
    ----------
    activation : {"sigmoid", "tanh"}
        The function.
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
        If `activation` is neither of the two.

    Examples
    --------
    >>> from saelib.plotting import plot_activation_function
    >>> ax = plot_activation_function("tanh")
    >>> [text.get_text() for text in ax.texts]
    ['active', 'inactive', '$f(z)$', "slope $f'(z)$"]
    """
    f = activation_named("activation", activation, ("sigmoid", "tanh"))
    ax = new_axes(ax, height=3.0)
    z = np.linspace(-6, 6, 241)
    a = f.function(z)
    height = f.high - f.low
    for level, word, x, align in (
        (f.high, "active", 5.9, "right"),
        (f.low, "inactive", -5.9, "left"),
    ):
        ax.axhline(level, color=FAINT, linewidth=0.8, linestyle=":")
        above = 0.03 * height if level == f.high else -0.03 * height
        ax.text(
            x,
            level + above,
            word,
            ha=align,
            va="bottom" if above > 0 else "top",
            fontsize=FONT_SIZE,
        )
    ax.plot(z, a, color=COLOURS["hidden"], linewidth=2.4)
    ax.plot(z, f.derivative(a), color=INK, linewidth=1.8, linestyle="--")
    top = float(f.derivative(f.function(0.0)))
    ax.text(
        2.7,
        f.high - 0.1 * height,
        "$f(z)$",
        color=TEXT_COLOURS["hidden"],
        va="top",
        fontsize=FONT_SIZE + 1,
    )
    # Beside the flank of the bell, clear of the curve and of the dotted line through its top.
    x, y = (-1.7, top) if top < f.high else (-1.2, 0.6 * top)
    ax.text(x, y, "slope $f'(z)$", ha="right", va="center", fontsize=FONT_SIZE + 1)
    ax.set(xlabel="weighted input $z$", xlim=(-6, 6), yticks=np.linspace(f.low, f.high, 5))
    ax.set_ylim(f.low - 0.14 * height, f.high + 0.14 * height)
    set_title(ax, title)
    return ax


def plot_worked_network(
    parameters: Parameters,
    x: ArrayLike,
    backward: bool = False,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    r"""Draw a small sigmoid network with all its numbers, forwards or backwards.

    Forwards, the weights stand on the connections and the biases below the units; in the units
    stand the activations, Eq. (1.4) ``forward-hidden`` and Eq. (1.5) ``forward-output``.
    Backwards, with arrows to the left, the units hold the error terms, Eq. (1.6)
    ``delta-output``, which are the gradients of their biases too, for the input as the target;
    on the connections stand the gradients of the weights, Eq. (1.7) ``weight-gradients``.

    Parameters
    ----------
    parameters : Parameters
        A network with at most 3 units in each layer; the numbers of a larger one would overlap.
    x : array_like of shape (n_features,)
        One input.
    backward : bool
        Whether to write error terms into the units that have one, and gradients on the lines.
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
        If a layer has more than 3 units or `x` does not fit the network.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters
    >>> from saelib.plotting import plot_worked_network
    >>> zero = Parameters(np.zeros((1, 2)), np.zeros((2, 1)), np.zeros(1), np.zeros(2))
    >>> ax = plot_worked_network(zero, [0.9, 0.1])
    >>> [text.get_text() for text in ax.texts if "0.9" in text.get_text()]
    ['$x_1$\n0.9']
    """
    largest = max(parameters.n_features, parameters.n_hidden)
    if largest > _MOST_UNITS:
        raise ValueError(
            f"parameters has a layer of {largest} units; draw a network with at most "
            f"{_MOST_UNITS}, or its numbers would overlap"
        )
    row = np.asarray(x, dtype=np.float64).reshape(1, -1)
    A = encode(row, parameters)
    X_hat = decode(A, parameters)
    units = [("x", row[0], ".4g"), ("a", A[0], ".4f"), (r"\hat x", X_hat[0], ".4f")]
    on_lines = [parameters.W1, parameters.W2]
    if backward:
        delta3 = (X_hat - row) * X_hat * (1 - X_hat)
        delta2 = (delta3 @ parameters.W2) * A * (1 - A)
        units[1:] = [
            (r"\delta^{(2)}", delta2[0], ".4f"),
            (r"\delta^{(3)}", delta3[0], ".4f"),
        ]
        on_lines = [np.outer(delta2, row), np.outer(delta3, A)]

    ax = new_axes(ax, width=5.0, height=1.0 + 1.3 * largest)
    heights = [_heights(len(values)) for _, values, _ in units]
    for layer, values in enumerate(on_lines):
        _connect(ax, layer, heights[layer], heights[layer + 1], values, backward)
    top = max(map(max, heights))
    nothing = np.array([])
    biases = (nothing,) * 3 if backward else (nothing, parameters.b1, parameters.b2)
    for k, (name, (symbol, values, digits)) in enumerate(
        zip(("input", "hidden", "output"), units, strict=True)
    ):
        ax.text(
            k * _COLUMN,
            top + 0.75,
            name,
            ha="center",
            color=TEXT_COLOURS[name],
            fontsize=FONT_SIZE + 1,
        )
        for unit, (y, value) in enumerate(zip(heights[k], values, strict=True)):
            label = f"${symbol}_{unit + 1}$\n{_minus(format(value, digits))}"
            _unit(ax, k * _COLUMN, y, label, name)
            if biases[k].size:
                bias = _minus(f"bias {biases[k][unit]:g}")
                ax.text(k * _COLUMN, y - 0.84, bias, ha="center", fontsize=FONT_SIZE)
    ax.set(
        xlim=(-0.65, 2 * _COLUMN + 0.65),
        ylim=(-top - 0.92, top + 1.05),
        aspect="equal",
    )
    ax.set_axis_off()
    set_title(ax, title)
    return ax


def _minus(text: str) -> str:
    """Return the text with minus signs as long as those of the axes."""
    return text.replace("-", "\N{MINUS SIGN}")


def _heights(n_units: int) -> list[float]:
    return [_ROW * ((n_units - 1) / 2 - unit) for unit in range(n_units)]


def _unit(ax: Axes, x: float, y: float, label: str, layer: str) -> None:
    ax.add_patch(
        Circle((x, y), _RADIUS, facecolor="white", edgecolor=COLOURS[layer], lw=2, zorder=3)
    )
    ax.text(
        x, y, label, ha="center", va="center", fontsize=FONT_SIZE - 1, linespacing=1.3, zorder=4
    )


def _connect(
    ax: Axes,
    layer: int,
    starts: list[float],
    ends: list[float],
    values: NDArray[np.floating[Any]],
    backward: bool,
) -> None:
    for end, row in zip(ends, values, strict=True):
        for start, value in zip(starts, row, strict=True):
            left, right = np.array([layer * _COLUMN, start]), np.array([(layer + 1) * _COLUMN, end])
            if backward:
                arrow = {"arrowstyle": "-|>", "color": FAINT, "shrinkA": 0, "shrinkB": 0}
                rim = left + (_RADIUS + 0.06) * (right - left) / np.linalg.norm(right - left)
                ax.annotate("", tuple(rim), tuple(right), arrowprops=arrow, zorder=1)
            else:
                ax.plot(*np.stack([left, right]).T, color=FAINT, linewidth=1.0, zorder=1)
            # Where the lines to different units are apart, and long numbers clear of the circles.
            place = (0.51 if start == end else 0.64) if backward else 0.32
            x, y = left + place * (right - left)
            ax.text(
                x,
                y,
                _minus(f"{value:.4f}" if backward else f"{value:g}"),
                ha="center",
                va="center",
                fontsize=FONT_SIZE - (1 if backward else 0),
                bbox=_LABEL,
                zorder=2,
            )
