import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Circle

from saelib.plotting import (
    COLOURS,
    plot_batch_slopes,
    plot_cost_slice,
    plot_step_sizes,
    plot_two_roads,
)

GRID = np.linspace(-2, 2, 41)
BOWL = GRID**2 + 4 * GRID[:, None] ** 2
PATHS = {"with the term": [[1.5, 1.0], [0.5, 0.2], [0, 0]], "without": [[1.5, 1.0], [1.0, 0.9]]}
FIGURES = {
    "two roads": plot_two_roads,
    "steps": lambda **k: plot_step_sizes(
        np.logspace(-10, -1, 10), [1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-10, 1e-9, 1e-8, 1e-6, 1e-4],
        **k,
    ),
    "slopes": lambda **k: plot_batch_slopes(0.2, (0.06, 0.4), **k),
    "slice": lambda **k: plot_cost_slice(GRID, GRID, BOWL, PATHS, ("u", "v"), **k),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_on_the_axes_given_and_on_new_ones(name):
    figure, ax = plt.subplots()
    assert FIGURES[name](ax=ax) is ax
    assert len(figure.axes) == 1
    own = FIGURES[name](title="What it says")
    assert own.figure is not figure
    assert own.get_title(loc="left") == "What it says"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_light_and_its_letters_are_large_enough(name):
    ax = FIGURES[name]()
    file = io.BytesIO()
    ax.figure.savefig(file, format="png", bbox_inches="tight")
    assert file.tell() < 60_000
    texts = [*ax.texts, ax.title]
    if ax.axison:
        texts += [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    width_on_a_phone = 343 / ax.figure.get_size_inches()[0]
    for text in texts:
        assert text.get_fontsize() / 72 * width_on_a_phone >= 9, text


def test_the_second_road_alone_has_the_colour_of_the_penalty():
    ax = plot_two_roads()
    labels = {text.get_text(): text for text in ax.texts}
    edges = {
        tuple(np.round(patch.center, 2)): patch.get_edgecolor()
        for patch in ax.patches
        if isinstance(patch, Circle)
    }
    penalty = plt.matplotlib.colors.to_rgba(COLOURS["penalty"])
    for label in (r"$\hat\rho$", "KL"):
        assert edges[tuple(np.round(labels[label].get_position(), 2))] == penalty
    assert sum(edge == penalty for edge in edges.values()) == 2


def test_the_guides_of_the_step_sizes_have_slopes_of_minus_one_and_two():
    steps = np.array([1e-2, 1e-8, 1e-4, 1e-6])
    ax = plot_step_sizes(steps, [1e-5, 1e-8, 1e-9, 1e-10])
    lines = [line.get_xydata() for line in ax.lines]
    slopes = sorted(float(np.diff(np.log(xy[[0, -1]]), axis=0).ravel() @ [0, 1] / np.log(1e6))
                    for xy in lines[:2])  # fmt: skip
    assert slopes == pytest.approx([-1, 2])
    assert lines[2][:, 0].tolist() == sorted(steps)
    assert lines[2][:, 1].tolist() == [1e-8, 1e-10, 1e-9, 1e-5]


def test_the_stars_are_the_slope_at_the_mean_and_the_mean_of_the_slopes():
    ax = plot_batch_slopes(0.2, (0.5, 0.1))
    stars = [line.get_xydata().ravel().tolist() for line in ax.lines if line.get_marker() == "*"]
    of_the_mean, of_the_slopes = -0.2 / 0.3 + 0.8 / 0.7, (-2 + 0.8 / 0.9 - 0.4 + 1.6) / 2
    assert np.array(stars) == pytest.approx(np.array([[0.3, of_the_mean], [0.3, of_the_slopes]]))


def test_right_angles_look_right_on_the_slice_and_each_path_ends_at_its_star():
    ax = FIGURES["slice"]()
    assert ax.get_aspect() == 1.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "v")
    stars = [line.get_xydata().ravel().tolist() for line in ax.lines if line.get_marker() == "*"]
    assert stars == [[0, 0], [1.0, 0.9]]
    assert [text.get_text() for text in ax.texts] == list(PATHS)
    assert np.diff(ax.collections[0].levels, 2).min() > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_step_sizes([1, 2], [1]), r"steps \(2,\), errors \(1,\)"),
        (lambda: plot_step_sizes([1, 2], [1, 0]), "errors holds 0"),
        (lambda: plot_batch_slopes(0.2, (0.3, 0.3)), "both 0.3"),
        (lambda: plot_batch_slopes(0.2, (0.0, 0.3)), "batch_means is 0"),
        (lambda: plot_cost_slice([0, 1], [0, 1, 2], np.ones((2, 3)), {}), "one row for each v"),
        (lambda: plot_cost_slice(GRID, GRID, BOWL, {"p": [1.0, 2.0]}), "path 'p' has shape"),
    ],
)
def test_numbers_that_cannot_be_drawn_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
