"""The figure of the chapter on classifiers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from saelib.plotting import COLOURS, INK, plot_gains


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


ACCURACY = {
    "autoencoder": np.array([[0.8, 0.9], [0.96, 0.98]]),
    "pixels": np.array([[0.6, 0.8], [0.9, 0.9]]),
    "PCA": np.array([[0.5, 0.7], [0.9, 0.9]]),
}


def test_gains_are_differences_within_the_draws_with_two_standard_errors():
    figure = plot_gains([20, 1000], ACCURACY, title="Fewer labels")
    few = figure.axes[0].containers
    assert [container.lines[0].get_xdata()[0] for container in few] == pytest.approx([15, -10])
    # The accuracies vary by 10 points from draw to draw, the differences by 5 and by nothing.
    bars = [container.lines[2][0].get_segments()[0][:, 0] for container in few]
    np.testing.assert_allclose(bars, [[5, 25], [-10, -10]])
    assert figure.get_suptitle() == "Fewer labels"


def test_every_draw_has_its_mark_and_every_contestant_its_row():
    ax = plot_gains([20, 1000], ACCURACY).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["autoencoder", "PCA"]
    marks = [line for line in ax.lines if line.get_markersize() == 7]
    np.testing.assert_allclose([line.get_xdata() for line in marks], [[20, 10], [-10, -10]])


def test_colours_keep_their_meaning():
    ax = plot_gains([20, 1000], ACCURACY).axes[1]
    colours = [to_hex(container.lines[0].get_color()).upper() for container in ax.containers]
    assert colours == [COLOURS["hidden"], INK]
    assert to_hex(ax.lines[0].get_color()).upper() == COLOURS["input"]


def test_a_row_or_a_draw_too_few_is_refused():
    with pytest.raises(ValueError, match=r"accuracy\['PCA'\] has shape \(1, 2\); give one row"):
        plot_gains([20, 1000], ACCURACY | {"PCA": [[0.5, 0.6]]})
    with pytest.raises(ValueError, match="one column per draw, at least two"):
        plot_gains([20], {"pixels": [[0.5]], "PCA": [[0.5]]})


def test_a_baseline_that_does_not_compete_is_refused():
    with pytest.raises(ValueError, match="baseline is 'mice'; choose one of autoencoder, pixels"):
        plot_gains([20, 1000], ACCURACY, baseline="mice")
