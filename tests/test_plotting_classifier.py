"""The figure of the chapter on classifiers."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from saelib.plotting import COLOURS, INK, plot_label_curves

ACCURACY = {
    "pixels": np.array([[0.6, 0.8], [0.9, 0.9]]),
    "PCA": np.array([[0.6, 0.8], [0.9, 0.9]]),
    "autoencoder": np.array([[0.8, 0.8], [0.96, 0.98]]),
}


def test_errors_are_drawn_in_percent_with_their_spread():
    ax = plot_label_curves([20, 1000], ACCURACY, title="Fewer labels")
    lines = [container.lines[0] for container in ax.containers]
    np.testing.assert_allclose(lines[0].get_ydata(), [30, 10])
    np.testing.assert_allclose(lines[2].get_ydata(), [20, 3])
    bars = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(bars[0][:, 1], [20, 40])
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_title(loc="left") == "Fewer labels"


def test_colours_keep_their_meaning():
    ax = plot_label_curves([20, 1000], ACCURACY)
    colours = [to_hex(container.lines[0].get_color()).upper() for container in ax.containers]
    assert colours == [COLOURS["input"], INK, COLOURS["hidden"]]


def test_names_at_the_ends_of_the_curves_do_not_overlap():
    ax = plot_label_curves([20, 1000], ACCURACY)
    ax.figure.canvas.draw()
    boxes = sorted(text.get_window_extent().extents[[1, 3]].tolist() for text in ax.texts)
    assert len(boxes) == 3
    for below, above in pairwise(boxes):
        assert below[1] <= above[0] + 1


def test_the_curves_go_on_the_axes_given():
    _, axes = plt.subplots(2)
    assert plot_label_curves([20, 1000], ACCURACY, ax=axes[1]) is axes[1]


def test_a_row_too_few_is_refused():
    with pytest.raises(ValueError, match=r"accuracy\['PCA'\] has shape \(1, 2\); give one row"):
        plot_label_curves([20, 1000], {"PCA": [[0.5, 0.6]]})


def test_more_curves_than_there_are_looks_are_refused():
    with pytest.raises(ValueError, match="accuracy has 7 entries; give at most 8"):
        plot_label_curves([20], {str(k): [[0.5]] for k in range(7)})
