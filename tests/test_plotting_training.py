"""The figures of the chapter on training show what they are given."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from saelib.plotting import (
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

RNG = np.random.default_rng(0)
W1 = RNG.normal(size=(25, 64))
FIGURES = {
    "pipeline": lambda: plot_pipeline(RNG.random((90, 120)), RNG.random((90, 120)), W1, W1, "t"),
    "normalization": lambda: plot_normalization({"a": W1, "b": W1 / 2}, title="t"),
    "snapshots": lambda: plot_snapshots({0: W1, 10: W1, 400: W1}, title="t"),
    "ravine": lambda: plot_ravine({"a": [[3, 1], [1, -1], [0, 0]]}, slopes=(1, 50), title="t"),
    "yours": lambda: plot_yours_and_expected(W1, -W1, title="t"),
    "sweep": lambda: plot_sweep({"rho": [("0.01", W1, "24 edges"), ("0.2", W1, "0")]}, title="t"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_its_message_and_is_light(name):
    figure = FIGURES[name]()
    assert figure.get_suptitle() == "t"
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.tell() < 70_000


def test_noise_has_a_level_spectrum_and_its_running_sum_a_falling_one():
    noise = RNG.normal(size=(256, 256))
    f, level = radial_amplitude(noise)
    assert level.max() < 1.5 * level.min()
    summed = np.cumsum(np.cumsum(noise, axis=0), axis=1)
    _, falling = radial_amplitude(summed)
    assert falling[0] > 5 * falling[-1]
    assert 0.02 < f[0] < f[-1] < 0.5


def test_spectra_are_drawn_per_image_with_their_mean():
    images = {name: RNG.normal(size=(64, 64)) for name in "abc"}
    ax = plot_spectra(images, images, title="t")
    assert len(ax.lines) == 2 * (3 + 1) + 1
    assert {text.get_text() for text in ax.texts} == {"photographs", "whitened", "1/f"}


def test_optimizers_are_named_at_their_ends_from_high_to_low():
    _, given = plt.subplots()
    ax = plot_optimizers({"fast": [9, 1, 0.5], "slow": [9, 8, 7]}, plateau=0.6, ax=given)
    assert ax is given
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert heights["slow"] > heights["the mean patch"] > heights["fast"]


def test_a_snapshot_says_after_how_many_iterations_it_was_taken():
    figure = plot_snapshots({0: W1, 7: W1})
    assert [ax.get_title() for ax in figure.axes] == ["start", "7 iterations"]


def test_optimizers_can_be_looked_at_closely():
    runs = {"leaves": [50, 1.0, 0.8], "stays": [50, 1.1, 1.01]}
    ax = plot_optimizers(runs, plateau=1.0, limits=(0.7, 1.3))
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim() == (0.7, 1.3)
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert heights["stays"] > heights["the mean patch"] > heights["leaves"]


def test_edge_counts_are_drawn_as_given_and_named_at_their_ends():
    counts = {"early": {10: 2, 50: 20}, "late": {10: 0, 50: 3}}
    ax = plot_edge_counts(counts, n_units=25, title="t")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2, 20], [0, 3]]
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert heights["early"] > heights["late"]
    assert "of 25" in ax.get_ylabel()


def test_a_ravine_shows_every_point_of_a_path():
    path = np.array([[3.0, 1.0], [1.0, -1.0], [0.0, 0.0]])
    figure = plot_ravine({"way": path}, slopes=(1, 50))
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), path)
