"""The figures about mistakes show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from saelib.exercises import ward_runs
from saelib.plotting import (
    plot_history_panels,
    plot_tile_panels,
    plot_ward,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_every_training_has_its_panel_before_the_same_reference():
    histories = {"a": [9, 3, 1], "b": [9, 8], "c": [9], "d": [9, 1, 0.5, 0.2]}
    figure = plot_history_panels(histories, [9, 2, 0.1], level=0.5, title="T")
    assert len(figure.axes) == 4
    for ax, (name, curve) in zip(figure.axes, histories.items(), strict=True):
        assert ax.get_title(loc="left").splitlines()[0] == name
        assert ax.lines[0].get_ydata()[0] == 0.5
        np.testing.assert_array_equal(ax.lines[1].get_ydata(), [9, 2, 0.1])
        np.testing.assert_array_equal(ax.lines[2].get_ydata(), curve)
        assert ax.get_ylim() == figure.axes[0].get_ylim()
        assert ax.get_ylim()[0] < 0.1
    assert figure.get_suptitle() == "T"


def test_the_end_of_a_training_is_seen_even_if_it_lies_above_the_panel():
    figure = plot_history_panels({"high": [9, 8], "low": [9, 0.5, 0.4]}, [9, 0.3], level=0.5)
    high, low = (ax.lines[3] for ax in figure.axes)
    bottom, top = figure.axes[0].get_ylim()
    assert (high.get_marker(), high.get_xdata()[0]) == ("^", 2)
    assert 0.1 > (top - high.get_ydata()[0]) / (top - bottom) > 0.05  # whole within the panel
    assert (low.get_marker(), low.get_xdata()[0], low.get_ydata()[0]) == ("o", 3, 0.4)
    ends = [ax.get_title(loc="left").splitlines()[1] for ax in figure.axes]
    assert ends == ["8.00, step 1", "0.40, step 2"]


def test_a_cost_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="costs of 'a' must be"):
        plot_history_panels({"a": [1, -1]}, [1, 2], level=1)
    with pytest.raises(ValueError, match="costs of 'reference' must be"):
        plot_history_panels({"a": [1, 1]}, [], level=1)
    with pytest.raises(ValueError, match="costs of 'level' must be"):
        plot_history_panels({"a": [1, 1]}, [1], level=0)


def test_the_ward_shows_check_cost_means_and_filters_of_every_run():
    runs = dict(list(ward_runs().items())[:2])
    figure = plot_ward(runs, title="Who is ill?")
    assert len(figure.axes) == 6
    for (name, run), row, axes in zip(
        runs.items(), figure.subfigs, np.reshape(figure.axes, (2, 3)), strict=True
    ):
        assert row.get_suptitle().startswith(f"{name}   check ")
        np.testing.assert_array_equal(axes[0].lines[1].get_ydata(), run.cost)
        np.testing.assert_array_equal(axes[1].lines[1].get_ydata(), np.sort(run.rho_hat))
        assert axes[1].lines[0].get_ydata()[0] == 0.01
        assert len(axes[2].images) == 1
    assert [row.get_suptitle()[4:] for row in figure.subfigs] == [
        "check passes",
        "check fails: W1 0.0033, b1 0.0032",
    ]
    assert figure.get_suptitle() == "Who is ill?"


@pytest.mark.parametrize("kind", ["filters", "patches"])
def test_every_set_of_tiles_has_its_panel(kind):
    rng = np.random.default_rng(0)
    figure = plot_tile_panels({name: rng.normal(size=(9, 16)) for name in "abcd"}, kind=kind)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list("abcd")
    assert all(ax.images[0].get_array().shape == (14, 14) for ax in figure.axes)


def test_filters_have_each_their_own_scale_and_patches_a_common_one():
    tiles = np.array([[1.0, -1.0, 0.0, 0.5], [0.1, -0.1, 0.0, 0.05]])
    filters = plot_tile_panels({"a": tiles}).axes[0].images[0].get_array()
    assert np.nanmax(filters[:, 3:]) == 1.0
    patches = plot_tile_panels({"a": tiles}, kind="patches").axes[0].images[0].get_array()
    assert np.nanmax(patches[:, 3:]) < 0.2


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="histories is empty"):
        plot_history_panels({}, [1.0], level=1.0)
    with pytest.raises(ValueError, match="runs is empty"):
        plot_ward({})
    with pytest.raises(ValueError, match="tiles is empty"):
        plot_tile_panels({})
    with pytest.raises(ValueError, match="kind is 'odd'; choose one of"):
        plot_tile_panels({"a": np.eye(4)}, kind="odd")
