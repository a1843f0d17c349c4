"""The figures of the chapters on dictionaries."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from saelib.plotting import COLOURS, plot_directions, plot_found, plot_tradeoff


def test_every_feature_has_an_arrow_or_a_dot_and_its_number():
    W = np.array([[1.0, 0.0, 0.0], [0.0, 1.1, 0.01]])
    figure = plot_directions({"two of three": W, "turned": W[::-1]}, title="Left out")
    assert [ax.get_title() for ax in figure.axes] == ["two of three", "turned"]
    ax = figure.axes[0]
    numbers = [text for text in ax.texts if text.get_text()]
    assert [text.get_text() for text in numbers] == ["1", "2", "3"]
    arrows = [text.xy for text in ax.texts if not text.get_text()]
    assert arrows == [(1.0, 0.0), (0.0, 1.1)]
    assert len(ax.lines) == 2  # the circle of radius 1, and the feature that is left out
    assert figure.get_suptitle() == "Left out"


def test_all_arrows_lie_inside_of_their_panels():
    for ax in plot_directions({"long": [[3.0, 0.0], [0.0, -2.0]]}).axes:
        assert ax.get_xlim()[1] > 3
        assert ax.get_ylim()[0] < -2


def test_what_cannot_be_drawn_in_a_plane_is_refused():
    with pytest.raises(ValueError, match=r"matrices\['deep'\] has shape \(3, 4\)"):
        plot_directions({"deep": np.ones((3, 4))})
    with pytest.raises(ValueError, match="matrices is empty"):
        plot_directions({})


def test_cosines_run_from_the_best_to_the_worst_and_the_marked_training_is_green():
    ax = plot_found({"a": [0.2, 0.9, 0.5], "b": [1.0, 0.99, 0.98]}, features="b", title="Found")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.9, 0.5, 0.2])
    assert to_hex(ax.lines[1].get_color()).upper() == COLOURS["hidden"]
    assert ax.lines[2].get_ydata()[0] == 0.9
    assert ax.get_title(loc="left") == "Found"
    with pytest.raises(ValueError, match="cosines is empty"):
        plot_found({})


def test_each_method_is_a_line_from_few_to_many_active_units():
    ax = plot_tradeoff({"L1": [[6, 0.1], [5, 0.2]], "TopK": [[3, 0.17]]}, 3, features="TopK")
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [5, 6])
    assert to_hex(ax.lines[1].get_color()).upper() == COLOURS["hidden"]
    assert ax.lines[2].get_xdata()[0] == 3
    assert ax.get_yscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0.1", "0.2"]
    assert ax.lines[0].get_marker() != ax.lines[1].get_marker()


def test_points_that_are_no_pairs_are_refused():
    with pytest.raises(ValueError, match=r"points\['L1'\] has shape \(2,\)"):
        plot_tradeoff({"L1": [1.0, 2.0]}, 3)
    with pytest.raises(ValueError, match="points is empty"):
        plot_tradeoff({}, 3)


def test_a_name_at_the_left_end_stands_before_its_first_point():
    points = {"A": [[2, 0.3], [3, 0.17]], "B": [[2, 0.2], [3, 0.1]]}
    ax = plot_tradeoff(points, true_l0=2.5, left_names=["B"])
    ax.figure.canvas.draw()
    boxes = {
        t.get_text(): ax.transData.inverted().transform(t.get_window_extent()) for t in ax.texts
    }
    assert boxes["A"][0, 0] > 3
    assert boxes["B"][1, 0] < 2


def test_a_name_makes_way_for_a_line_that_ends_right_behind_it_only():
    points = {
        "a": [[1, 0.3], [3.6, 0.07]],
        "b": [[1, 0.4], [4, 0.068]],
        "c": [[1, 0.2], [3.9, 0.04]],
    }
    heights = {text.get_text(): text.xyann[1] for text in plot_tradeoff(points, 3).texts}
    assert heights["a"] > 5  # points above the end of its line
    assert heights["b"] == heights["c"] < 5
