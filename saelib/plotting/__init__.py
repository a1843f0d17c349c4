"""The figures of the book, for readers to reuse. Each takes ``ax=None`` and returns the axes."""

from saelib.plotting.curves import (
    plot_activation_histogram,
    plot_history,
    plot_kl,
    plot_mean_activations,
)
from saelib.plotting.diagram import plot_network
from saelib.plotting.filters import plot_filters, plot_patches
from saelib.plotting.style import COLOURS, INK, TEXT_COLOURS, new_axes, style, use_style

__all__ = [
    "COLOURS",
    "INK",
    "TEXT_COLOURS",
    "new_axes",
    "plot_activation_histogram",
    "plot_filters",
    "plot_history",
    "plot_kl",
    "plot_mean_activations",
    "plot_network",
    "plot_patches",
    "style",
    "use_style",
]
