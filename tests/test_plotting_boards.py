"""The figures of the chapter on a real network."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from saelib.plotting import COLOURS, plot_boards, plot_dots


def test_boards_are_drawn_row_by_row_on_one_scale():
    figure = plot_boards(np.arange(18).reshape(2, 9) / 20, ["one", "two\nlines"], title="Boards")
    first, second = figure.axes
    np.testing.assert_allclose(first.images[0].get_array(), np.arange(9).reshape(3, 3) / 20)
    assert second.images[0].get_clim() == (-1, 1)
    assert second.get_title() == "two\nlines"
    assert figure.get_suptitle() == "Boards"


def test_boards_fill_one_row_after_another():
    figure = plot_boards(np.zeros((7, 9)), list("abcdefg"), ncols=3)
    places = [ax.get_subplotspec().rowspan.start for ax in figure.axes]
    assert places == [0, 0, 0, 1, 1, 1, 2]


def test_boards_without_nine_squares_or_names_are_refused():
    with pytest.raises(ValueError, match=r"boards has shape \(1, 8\) and there are 1 names"):
        plot_boards(np.zeros((1, 8)), ["a"])
    with pytest.raises(ValueError, match="there are 1 names"):
        plot_boards(np.zeros((2, 9)), ["a"])


def test_every_way_has_a_mark_of_its_own_in_every_row():
    ax = plot_dots(
        {"theirs": [0.2, 0.4], "mine": [0.9, 0.1], "other": [0.5, 0.5]},
        ["up", "down"], "F1", features="mine", title="Who says it",
    )  # fmt: skip
    drawn = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    np.testing.assert_allclose(drawn["mine"].get_xdata(), [0.9, 0.1])
    np.testing.assert_allclose(drawn["mine"].get_ydata(), [0, -1])
    assert to_hex(drawn["mine"].get_color()).upper() == COLOURS["hidden"]
    assert len({line.get_marker() for line in drawn.values()}) == 3
    assert [label.get_text() for label in ax.get_yticklabels()] == ["up", "down"]
    assert ax.get_title(loc="left") == "Who says it"
    with pytest.raises(ValueError, match=r"values\['a'\] has shape \(3,\) for 2 rows"):
        plot_dots({"a": [1, 2, 3]}, ["up", "down"], "F1")


def test_no_mark_lies_on_another_one():
    values = {"a": [0.2, 0.9], "b": [0.21, 0.5], "c": [0.19, 0.1], "d": [0.6, 0.52]}
    ax = plot_dots(values, ["up", "down"], "F1", features="a")
    ax.figure.canvas.draw()
    marks = [line for line in ax.lines if line.get_label() in values]
    places = [ax.transData.transform(line.get_xydata()) for line in marks]
    for row in zip(*places, strict=True):
        apart = [np.hypot(*(p - q)) for p, q in itertools.combinations(row, 2)]
        assert min(apart) > 6 * ax.figure.dpi / 72
    np.testing.assert_allclose(marks[0].get_ydata(), [0, -1])
