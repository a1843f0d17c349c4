"""What a divergence measures: beside other penalties, and between two bell curves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from saelib._validation import real_number
from saelib.plotting.style import COLOURS, FONT_SIZE, INK, TEXT_COLOURS, new_axes, set_title
from saelib.sparsity import kl_divergence

__all__ = ["plot_gaussian_divergence", "plot_penalties"]


def plot_penalties(rho: float = 0.2, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the divergence beside the squared and the absolute distance from the target.

    Each is divided by its value at a mean activation of 1/2, where training starts, so that
    their shapes can be compared. Eq. (4.1) ``kl-bernoulli`` is the divergence.

    Parameters
    ----------
    rho : float in (0, 1), not 1/2
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
        If `rho` is not between 0 and 1, or is 1/2.

    Examples
    --------
    >>> from saelib.plotting import plot_penalties
    >>> ax = plot_penalties(0.2)
    >>> [text.get_text() for text in ax.texts]
    ['KL', 'squared', 'absolute']
    """
    rho = real_number("rho", rho, low=0.0, high=1.0, open_ends=True)
    if rho == 0.5:
        raise ValueError(
            "rho is 0.5, where all penalties are 0 at a mean of 1/2 and cannot be scaled to be "
            "equal there; take another target, such as 0.2"
        )
    ax = new_axes(ax)
    rho_hat = np.union1d(1 / (1 + np.exp(-np.linspace(-30, 30, 1201))), [rho, 0.5])
    half = int(np.flatnonzero(rho_hat == 0.5)[0])
    top = 5.0
    for name, values, dashes, ink, where in (
        ("KL", kl_divergence(rho, rho_hat), "-", COLOURS["penalty"], (0.79, 4.6, "right")),
        ("squared", (rho_hat - rho) ** 2, "--", INK, (0.83, 3.9, "left")),
        ("absolute", np.abs(rho_hat - rho), ":", INK, (0.98, 1.65, "right")),
    ):
        ax.plot(rho_hat, values / values[half], dashes, color=ink)
        words = TEXT_COLOURS["penalty"] if name == "KL" else INK
        x, y, side = where
        ax.text(x, y, name, color=words, ha=side, fontsize=FONT_SIZE)
    ax.plot(0.5, 1, "o", color=INK, markersize=6, zorder=3)
    ax.set(xlim=(0, 1), ylim=(0, top), xlabel=r"mean activation $\hat\rho$")
    ax.set_ylabel(r"penalty, 1 at $\hat\rho = 0.5$")
    set_title(ax, title)
    return ax


def plot_gaussian_divergence(
    mean_q: float,
    sd_q: float = 1.0,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a standard Gaussian p, another Gaussian q, and the integrand p log(p/q).

    The area between the integrand and zero, counted negative below it, is KL(p ‖ q).

    Parameters
    ----------
    mean_q : float
        Mean of q; that of p is 0.
    sd_q : float, greater than 0
        Standard deviation of q; that of p is 1.
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
        If `sd_q` is not greater than 0.

    Examples
    --------
    >>> from saelib.plotting import plot_gaussian_divergence
    >>> ax = plot_gaussian_divergence(0.8)
    >>> [text.get_text() for text in ax.texts]
    ['p', 'q', 'p log(p/q)']
    """
    mean_q = real_number("mean_q", mean_q, low=-np.inf)
    sd_q = real_number("sd_q", sd_q, low=0.0, open_ends=True)
    ax = new_axes(ax)
    x = np.linspace(min(-4.0, mean_q - 3 * sd_q), max(4.0, mean_q + 3 * sd_q), 801)
    log_p = -(x**2) / 2 - np.log(2 * np.pi) / 2
    log_q = -(((x - mean_q) / sd_q) ** 2) / 2 - np.log(2 * np.pi) / 2 - np.log(sd_q)
    p, q = np.exp(log_p), np.exp(log_q)
    integrand = p * (log_p - log_q)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.fill_between(x, integrand, color=COLOURS["penalty"], alpha=0.35, linewidth=0)
    ax.plot(x, integrand, color=COLOURS["penalty"])
    ax.plot(x, p, color=INK)
    ax.plot(x, q, color=INK, linestyle="--")
    # Labels stand outside, clear of the integrand: p left of its top, q on the right flank.
    left = int(np.searchsorted(x, -0.35))
    right = int(np.searchsorted(x, mean_q + 1.3 * sd_q))
    low = int(np.argmin(integrand))
    ax.text(x[left], p[left] + 0.02, "p", color=INK, ha="right", fontsize=FONT_SIZE)
    ax.text(x[right] + 0.12, q[right] + 0.02, "q", color=INK, ha="left", fontsize=FONT_SIZE)
    ax.text(
        x[low],
        integrand[low] - 0.02,
        "p log(p/q)",
        color=TEXT_COLOURS["penalty"],
        ha="center",
        va="top",
        fontsize=FONT_SIZE,
    )
    ax.set(xlim=(-4, 4), ylim=(integrand.min() - 0.09, 0.47), xlabel="x")
    set_title(ax, title)
    return ax
