"""The figures of the chapter on speed."""

import matplotlib.pyplot as plt
import pytest

from saelib.plotting import plot_block_times, plot_row_times, plot_times, plot_two_passes


def test_every_version_has_its_dot_and_its_ratio_to_the_floor():
    ax = plot_times({"loop": 0.5, "blocks": 0.012, "threads": 0.005}, floor=0.01, title="Faster")
    assert [line.get_xdata()[0] for line in ax.lines[:3]] == [0.5, 0.012, 0.005]
    assert not ax.patches  # a logarithmic axis has no 0 for a bar to start from
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["500 ms, 50x", "12 ms, 1.2x", "5 ms, 0.5x", "the five products"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["loop", "blocks", "threads"]
    assert ax.get_title(loc="left") == "Faster"
    low, high = ax.get_xlim()
    assert low < 0.005 < 0.5 < high


def test_times_are_drawn_on_the_axes_given():
    _, axes = plt.subplots(2)
    assert plot_times({"a": 1.0}, floor=0.5, ax=axes[0]) is axes[0]
    assert plot_block_times([1, 2], [0.1, 0.2], floor=0.05, ax=axes[1]) is axes[1]


@pytest.mark.parametrize(("seconds", "floor"), [({}, 1.0), ({"a": 0.0}, 1.0), ({"a": 1.0}, -1.0)])
def test_times_that_are_not_positive_are_refused(seconds, floor):
    with pytest.raises(ValueError, match="give positive times"):
        plot_times(seconds, floor)


def test_block_times_are_drawn_in_milliseconds_above_the_floor():
    ax = plot_block_times([10, 100, 1000], [0.05, 0.02, 0.015], floor=0.01, title="Not too short")
    assert ax.lines[0].get_ydata() == pytest.approx([50, 20, 15])
    assert ax.lines[1].get_ydata()[0] == 10
    assert ax.get_xscale() == "log"
    assert ax.get_title(loc="left") == "Not too short"


def test_every_block_is_worked_on_once_in_each_pass():
    ax = plot_two_passes(n_blocks=6, title="Shared")
    numbers = [text.get_text() for text in ax.texts if text.get_text().isdigit()]
    assert numbers == ["1", "2", "3", "4", "5", "6"] * 2
    assert len(ax.patches) == 12
    assert ax.get_title(loc="left") == "Shared"


@pytest.mark.parametrize("n_blocks", [0, 1, 5])
def test_blocks_that_two_cores_cannot_share_evenly_are_refused(n_blocks):
    with pytest.raises(ValueError, match=f"n_blocks is {n_blocks}; give an even number"):
        plot_two_passes(n_blocks)


def test_the_block_that_the_library_takes_has_a_ring():
    ax = plot_block_times([10, 100, 1000], [0.05, 0.02, 0.015], floor=0.01, chosen=100)
    ring = ax.lines[1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (100, 20)
    assert ring.get_fillstyle() == "none"
    with pytest.raises(ValueError, match="chosen is 7; choose one of the rows"):
        plot_block_times([10, 100], [0.05, 0.02], floor=0.01, chosen=7)


def test_versions_are_compared_over_the_number_of_examples():
    times = {"plain": [1e-4, 1e-3], "saelib": [2e-4, 5e-4]}
    ax = plot_row_times([100, 1000], times, title="Few rows")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.1, 1.0], [0.2, 0.5]]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_title(loc="left") == "Few rows"
    with pytest.raises(ValueError, match="'plain' has 1 times for 2 numbers of rows"):
        plot_row_times([100, 1000], {"plain": [1.0]})
    with pytest.raises(ValueError, match="seconds has 3 versions; give one or two"):
        plot_row_times([1], {name: [1.0] for name in "abc"})
