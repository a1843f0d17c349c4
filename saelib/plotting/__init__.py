"""The figures of the book, for readers to reuse. Each takes ``ax=None`` and returns the axes."""

from saelib._extras import require

require("matplotlib", "saelib.plotting")

from saelib.plotting.board_figures import plot_boards, plot_dots
from saelib.plotting.classifier_figures import plot_gains
from saelib.plotting.compression import plot_best_line, plot_compression, plot_patch_rows
from saelib.plotting.curves import (
    plot_activation_histogram,
    plot_curves,
    plot_history,
    plot_kl,
    plot_mean_activations,
)
from saelib.plotting.descent import (
    plot_batch_slopes,
    plot_cost_slice,
    plot_step_sizes,
    plot_two_roads,
)
from saelib.plotting.diagram import plot_network
from saelib.plotting.dictionary_figures import plot_directions, plot_found, plot_tradeoff
from saelib.plotting.divergence import plot_gaussian_divergence, plot_penalties
from saelib.plotting.filters import plot_filters, plot_patches
from saelib.plotting.mistakes_figures import (
    plot_history_panels,
    plot_tile_panels,
    plot_ward,
)
from saelib.plotting.network_figures import plot_activation_function, plot_worked_network
from saelib.plotting.speed_figures import (
    plot_block_times,
    plot_row_times,
    plot_times,
    plot_two_passes,
)
from saelib.plotting.style import COLOURS, INK, TEXT_COLOURS, new_axes, style, use_style
from saelib.plotting.training_figures import (
    plot_edge_counts,
    plot_normalization,
    plot_optimizers,
    plot_pipeline,
    plot_ravine,
    plot_snapshots,
    plot_spectra,
    plot_sweep,
    plot_yours_and_expected,
    radial_amplitude,
)
from saelib.plotting.visualization_figures import (
    plot_dictionary,
    plot_gabor_fits,
    plot_multiplier,
    plot_scales,
    plot_top_patches,
    plot_tuning,
)

__all__ = [
    "COLOURS",
    "INK",
    "TEXT_COLOURS",
    "new_axes",
    "plot_activation_function",
    "plot_activation_histogram",
    "plot_batch_slopes",
    "plot_best_line",
    "plot_block_times",
    "plot_boards",
    "plot_compression",
    "plot_cost_slice",
    "plot_curves",
    "plot_dictionary",
    "plot_directions",
    "plot_dots",
    "plot_edge_counts",
    "plot_filters",
    "plot_found",
    "plot_gabor_fits",
    "plot_gains",
    "plot_gaussian_divergence",
    "plot_history",
    "plot_history_panels",
    "plot_kl",
    "plot_mean_activations",
    "plot_multiplier",
    "plot_network",
    "plot_normalization",
    "plot_optimizers",
    "plot_patch_rows",
    "plot_patches",
    "plot_penalties",
    "plot_pipeline",
    "plot_ravine",
    "plot_row_times",
    "plot_scales",
    "plot_snapshots",
    "plot_spectra",
    "plot_step_sizes",
    "plot_sweep",
    "plot_tile_panels",
    "plot_times",
    "plot_top_patches",
    "plot_tradeoff",
    "plot_tuning",
    "plot_two_passes",
    "plot_two_roads",
    "plot_ward",
    "plot_worked_network",
    "plot_yours_and_expected",
    "radial_amplitude",
    "style",
    "use_style",
]
