"""The figures of the chapter on speed."""

import matplotlib.pyplot as plt
import pytest

from saelib.plotting import plot_block_times, plot_times, plot_two_passes


def test_every_version_has_its_bar_and_its_ratio_to_the_floor():
    ax = plot_times({"loop": 0.5, "blocks": 0.012, "threads": 0.005}, floor=0.01, title="Faster")
    assert [bar.get_width() for bar in ax.patches] == [0.5, 0.012, 0.005]
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
