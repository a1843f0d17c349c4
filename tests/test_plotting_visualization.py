"""The figures of the chapter on visualization show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from saelib.features import fit_gabor, gabor, tuning_curve
from saelib.plotting import (
    COLOURS,
    plot_dictionary,
    plot_gabor_fits,
    plot_multiplier,
    plot_scales,
    plot_top_patches,
    plot_tuning,
)

RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def edge(x, y, orientation, frequency=0.15):
    return gabor(10, x, y, orientation, frequency, width=1.8, length=2.5, phase=1.0).ravel()


def pixels(ax):
    return np.ma.filled(ax.images[0].get_array().astype(float), np.nan)


def test_the_patch_that_is_like_the_weights_comes_first():
    W1 = np.stack([edge(3, 4, 0.2), edge(6, 5, 1.4)])
    X = 0.5 + 0.05 * RNG.normal(size=(40, 100))
    X[17] = 0.9 + W1[1]  # brighter than all others, too: that must not be shown
    weights, patches = plot_top_patches(W1, X, units=[1], n_patches=3).axes
    first = pixels(patches)[:10, :10]
    expected = W1[1].reshape(10, 10) - W1[1].mean()
    np.testing.assert_allclose(first, expected / np.abs(expected).max(), atol=1e-12)
    assert pixels(patches).shape == (10, 32)
    assert pixels(weights).shape == (10, 10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"units": [5]}, r"units are \[5\]; there are 5"),
        ({"units": [-1]}, r"units are \[-1\]"),
        ({"units": [0], "n_patches": 9}, "X has 8 patches; n_patches is 9"),
    ],
)
def test_units_and_patches_that_do_not_exist_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        plot_top_patches(RNG.normal(size=(5, 36)), RNG.normal(size=(8, 36)), **arguments)


def test_only_one_of_the_two_scales_shows_which_unit_is_weak():
    strong = edge(4, 5, 0.3)
    common, own = plot_scales(np.stack([strong, strong / 10]), ncols=2).axes

    def contrast(ax, column):
        tile = pixels(ax)[:, column : column + 10]
        return np.ptp(tile) / np.ptp(np.array(ax.images[0].get_clim()))

    assert contrast(common, 0) > 8 * contrast(common, 11)
    assert contrast(own, 0) == pytest.approx(contrast(own, 11))


def test_nothing_is_left_of_a_gabor_function_and_much_of_noise():
    W = np.stack([3 * edge(4, 5, 0.3), RNG.normal(size=100)])
    figure = plot_gabor_fits(W, fit_gabor(W), units=[0, 1])
    axes = np.array(figure.axes).reshape(3, 2)
    rest = [np.abs(pixels(axes[2, k])).max() for k in range(2)]
    assert rest[0] < 0.02
    assert rest[1] > 0.5
    whole = pixels(axes[1, 1]) + pixels(axes[2, 1])
    np.testing.assert_allclose(whole, pixels(axes[0, 1]), atol=1e-12)
    assert axes[2, 0].get_xlabel() == "cos 1.00"


def test_the_tuning_peaks_at_the_orientation_of_the_edge():
    angle, frequency = plot_tuning([tuning_curve(edge(4.5, 4.5, np.radians(60)))]).axes
    degrees, share = angle.lines[0].get_data()
    assert degrees[np.argmax(share)] == pytest.approx(60)
    assert degrees[-1] == 180
    assert share[0] == share[-1]
    assert max(frequency.lines[0].get_ydata()) == 1


@pytest.mark.parametrize("number", [0, 4])
def test_more_curves_than_can_be_told_apart_are_refused(number):
    tuning = tuning_curve(edge(4, 5, 0.3))
    with pytest.raises(ValueError, match=f"tunings has {number} curves; give one to three"):
        plot_tuning([tuning] * number)


def test_the_dictionary_draws_a_line_along_the_stripes_at_the_place_of_the_unit():
    W = np.stack([edge(3, 6, 0.0), RNG.normal(size=100)])
    place, angle = plot_dictionary(fit_gabor(W), side=10, units=[True, False]).axes
    (line,) = place.lines
    x, y = line.get_data()
    assert np.mean(x) == pytest.approx(3, abs=0.1)
    assert np.mean(y) == pytest.approx(6, abs=0.1)
    # Orientation 0 is across: the stripes are upright.
    assert np.ptp(x) == pytest.approx(0, abs=0.05)
    assert np.ptp(y) == pytest.approx(0.9, abs=0.05)
    assert line.get_color() == COLOURS["hidden"]
    assert len(angle.lines[0].get_xdata()) == 1


def test_a_title_stands_above_all_panels():
    figure = plot_scales(RNG.normal(size=(4, 36)), title="What it says")
    assert figure.get_suptitle() == "What it says"


def test_the_multiplier_s_picture_has_the_best_input_on_the_circle_along_the_weights():
    ax = plot_multiplier([3.0, 4.0], title="t")
    points = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    np.testing.assert_allclose(points[0], [0.6, 0.8])
    assert points[1] @ [0.6, 0.8] < 0.9
    with pytest.raises(ValueError, match="give two weights"):
        plot_multiplier([0.0, 0.0])


def test_edges_cut_by_the_border_have_no_place_in_the_dictionary():
    inside = gabor(8, 3.5, 3.5, 0.5, 0.15, 1.5, 2.5).ravel()
    cut = gabor(8, -1.0, 3.5, 0.2, 0.1, 1.5, 2.5).ravel()
    figure = plot_dictionary(fit_gabor([inside, cut]), side=8)
    place, angle = figure.axes
    assert len(place.lines) == 1
    assert len(angle.lines[0].get_xdata()) == 2
