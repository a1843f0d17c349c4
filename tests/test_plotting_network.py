"""The figures of the first chapters: activation functions, the worked network, compression."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from saelib import Parameters, SparseObjective, decode, encode
from saelib.plotting import (
    plot_activation_function,
    plot_best_line,
    plot_compression,
    plot_curves,
    plot_patch_rows,
    plot_worked_network,
)
from saelib.plotting.curves import _apart

WORKED = Parameters(
    W1=np.array([[2.0, -1.0], [1.0, 1.0]]),
    W2=np.array([[1.0, 2.0], [-1.0, 1.0]]),
    b1=np.array([-0.4, -1.0]),
    b2=np.array([-1.0, 0.0]),
)
INPUT = np.array([0.8, 0.2])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def numbers_in_circles(ax):
    """The numbers that stand in the units, input first, each layer from the top."""
    lines = [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]
    return [float(line.split("\n")[1]) for line in lines if "\n" in line]


def curve(ax, style):
    (line,) = [line for line in ax.lines if line.get_linestyle() == style]
    return line.get_xdata(), line.get_ydata()


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_the_broken_line_is_the_slope_of_the_full_one(activation):
    ax = plot_activation_function(activation)
    z, a = curve(ax, "-")
    _, slope = curve(ax, "--")
    np.testing.assert_allclose(np.gradient(a, z)[1:-1], slope[1:-1], atol=2e-3)


def test_an_activation_function_is_named_by_its_ends():
    low, high = plot_activation_function("tanh").get_ylim()
    assert low < -1
    assert high > 1
    low, high = plot_activation_function("sigmoid").get_ylim()
    assert -1 < low < 0
    assert 1 < high < 2


def test_an_unknown_activation_function_is_refused():
    with pytest.raises(ValueError, match="activation is 'relu'"):
        plot_activation_function("relu")


def test_forwards_the_units_hold_their_activations():
    A = encode(INPUT[None, :], WORKED)
    Y = decode(A, WORKED)
    drawn = numbers_in_circles(plot_worked_network(WORKED, INPUT))
    np.testing.assert_allclose(drawn, [*INPUT, *A[0], *Y[0]], atol=6e-5)


def test_backwards_the_units_hold_the_gradients_of_the_biases():
    objective = SparseObjective(INPUT[None, :], 2, weight_decay=0, sparsity_weight=0)
    gradient = Parameters.unravel(objective(WORKED.ravel())[1], 2, 2)
    drawn = numbers_in_circles(plot_worked_network(WORKED, INPUT, backward=True))
    np.testing.assert_allclose(drawn, [*INPUT, *gradient.b1, *gradient.b2], atol=6e-5)


def test_every_weight_and_bias_is_written_once():
    texts = [text.get_text() for text in plot_worked_network(WORKED, INPUT).texts]
    weights = [text.replace("\N{MINUS SIGN}", "-") for text in texts if "\n" not in text]
    drawn = sorted(float(text.removeprefix("bias ")) for text in weights if text[-1].isdigit())
    assert drawn == sorted(WORKED.ravel())


def test_backwards_the_lines_carry_the_gradients_of_the_weights():
    objective = SparseObjective(INPUT[None, :], 2, weight_decay=0, sparsity_weight=0)
    gradient = Parameters.unravel(objective(WORKED.ravel())[1], 2, 2)
    texts = [text.get_text() for text in plot_worked_network(WORKED, INPUT, backward=True).texts]
    plain = [text.replace("\N{MINUS SIGN}", "-") for text in texts if "\n" not in text]
    drawn = sorted(float(text) for text in plain if text[-1:].isdigit())
    expected = sorted([*gradient.W1.ravel(), *gradient.W2.ravel()])
    np.testing.assert_allclose(drawn, expected, atol=6e-5)


def test_layers_of_different_sizes_are_drawn():
    parameters = Parameters.random(n_features=3, n_hidden=1, seed=0)
    assert len(numbers_in_circles(plot_worked_network(parameters, [0.1, 0.2, 0.3]))) == 7


def test_a_network_too_large_to_read_is_refused():
    with pytest.raises(ValueError, match="a layer of 4 units"):
        plot_worked_network(Parameters.random(n_features=2, n_hidden=4, seed=0), INPUT)


def test_an_input_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="shape"):
        plot_worked_network(WORKED, [0.1, 0.2, 0.3])


def test_compression_draws_dots_for_networks_and_a_line_for_pca():
    ax = plot_compression([1, 2, 4], {"noise": [0.9, 0.8, 0.5]}, {"noise": [0.8, 0.7, 0.4]})
    assert curve(ax, "-")[1].tolist() == [0.8, 0.7, 0.4]
    assert curve(ax, "None")[1].tolist() == [0.9, 0.8, 0.5]


def test_every_data_set_carries_its_name():
    values = {"noise": [0.9, 0.8], "patches": [0.3, 0.1]}
    texts = [text.get_text() for text in plot_compression([1, 2], values, values).texts]
    assert texts[:2] == ["noise", "patches"]


@pytest.mark.parametrize(
    ("pca", "message"),
    [({"other": [1.0, 0.5]}, "data sets"), ({"noise": [1.0]}, "there are 2 sizes")],
)
def test_curves_that_do_not_belong_together_are_refused(pca, message):
    with pytest.raises(ValueError, match=message):
        plot_compression([1, 2], {"noise": [1.0, 0.5]}, pca)


def test_every_row_of_patches_has_its_name_beside_it_and_its_own_contrast():
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=(5, 16)), 0.01 * rng.normal(size=(5, 16))
    ax = plot_patch_rows({"strong": strong, "weak": weak}, title="Two rows")
    assert ax.get_title(loc="left") == "Two rows"
    assert [text.get_text() for text in ax.texts] == ["strong", "weak"]
    assert [text.xy[1] for text in ax.texts] == [1.5, 6.5]
    picture = np.abs(ax.images[0].get_array())
    assert np.nanmax(picture[:4]) == np.nanmax(picture[5:]) == 1.0


@pytest.mark.parametrize("rows", [{}, {"a": np.ones((2, 4)), "b": np.ones((3, 4))}])
def test_rows_that_do_not_fit_together_are_refused(rows):
    with pytest.raises(ValueError, match="rows has the shapes"):
        plot_patch_rows(rows)


def test_curves_are_named_at_their_ends_from_the_highest_down_and_apart():
    x = np.linspace(0, 1, 11)
    curves = {"low": x, "high": 2 * x, "nearly as high": 1.99 * x}
    ax = plot_curves(x, curves, ("time", "cost"), colours={"low": "penalty"})
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert sorted(heights, key=heights.get) == ["low", "nearly as high", "high"]
    assert heights["high"] - heights["nearly as high"] > 0.07
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time", "cost")
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", "-."]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


@pytest.mark.parametrize(
    ("curves", "message"),
    [({}, "curves is empty"), ({"a": [1.0]}, "the curve 'a' has shape")],
)
def test_curves_without_one_value_for_each_x_are_refused(curves, message):
    with pytest.raises(ValueError, match=message):
        plot_curves([0, 1], curves)


def test_the_best_line_leaves_only_what_is_at_right_angles_to_it():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + [3.0, -1.0]
    ax = plot_best_line(points, ("one", "two"))
    line, *joins, _, feet = ax.lines
    direction = np.diff(line.get_xydata(), axis=0)[0]
    assert all(abs(np.diff(j.get_xydata(), axis=0)[0] @ direction) < 1e-9 for j in joins)
    lost = np.sum((points - feet.get_xydata()) ** 2)
    assert lost == pytest.approx(np.linalg.eigvalsh(np.cov(points.T) * 39)[0])


def test_points_that_are_not_in_a_plane_are_refused():
    with pytest.raises(ValueError, match="points has shape"):
        plot_best_line(np.ones((4, 3)))


@pytest.mark.parametrize(
    ("ends", "places"),
    [
        ([0.9, 0.5], [0.9, 0.5]),
        ([0.5, 0.5, 0.5], [0.6, 0.5, 0.4]),  # around the place that they share
        ([1.0, 0.99], [1.0, 0.9]),
        ([0.05, 0.0], [0.1, 0.0]),
        ([0.3, 0.24, 0.12], [0.32, 0.22, 0.12]),  # the first two make way for each other only
    ],
)
def test_names_make_way_for_each_other_and_stay_beside_the_axes(ends, places):
    np.testing.assert_allclose(_apart(ends, 0.1), places)


def test_a_name_is_joined_to_its_line_in_the_look_of_the_line():
    ax = plot_curves([0, 1], {"a": [0, 1], "b": [1, 1], "c": [0, 0.99]}, colours={"b": "hidden"})
    for line, name in zip(ax.lines, ax.texts, strict=True):
        joint = name.arrow_patch
        assert to_hex(joint.get_edgecolor()) == to_hex(line.get_color())
        assert joint.get_linestyle() == line.get_linestyle()
    ax.figure.canvas.draw()
    boxes = sorted((Text.get_window_extent(name) for name in ax.texts), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))
