"""A picture of the book cannot change unseen: what it shows is stored and compared."""

import copy
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from saelib.plotting import plot_filters, plot_history

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import drawn  # noqa: E402
import figures  # noqa: E402


def stored(figure=None):
    return {"fig": {"cell": "c", "series": drawn.described(figure or plt.gcf())}}


def faults(before, after):
    return [str(change) for change in figures.changes(before, after)]


def bars(heights=(1, 2, 3), **look):
    figure, ax = plt.subplots()
    ax.bar(["a", "b", "c"], heights, label="counts", **look)
    ax.set_title("How many", loc="left")
    ax.annotate("most: 3.00", (2, 3), arrowprops={"arrowstyle": "->"})
    return stored(figure)


def test_the_same_drawing_is_the_same():
    assert faults(bars(), bars()) == []


def test_a_bar_of_another_height_is_reported_with_figure_series_and_amount():
    report = faults(bars(), bars((1, 2.5, 3)))
    assert report == ["fig: axes 1, bars 1 (counts): top was 2, is 2.5: 25 % of its range"]


def relabelled(ax):
    ax.set_xticks(range(3), ["a", "b", "d"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ax: ax.patches[0].set_facecolor("red"), "bars 1 (counts): colour was"),
        (lambda ax: ax.set_title("How few", loc="left"), "title was 'How many', is 'How few'"),
        (lambda ax: ax.texts[0].set_text("most: 4.00"), "text was 'most: 3.00', is 'most: 4.00'"),
        (lambda ax: ax.texts[0].set_position((0, 1)), "texts: x was 2, is 0"),
        (lambda ax: ax.set_ylim(0, 9), "axes 1: y limits was"),
        (lambda ax: ax.set_ylabel("rate"), "y label was '', is 'rate'"),
        (lambda ax: ax.plot([0, 1], [0, 1]), "axes 1, line 1 is not stored"),
        (lambda ax: ax.patches[0].remove(), "bars 1 (counts): colour was"),
        (lambda ax: ax.set_yscale("log"), "y scale was 'linear', is 'log'"),
        (relabelled, "x ticks was 'c', is 'd'"),
    ],
)
def test_every_other_change_is_seen_too(change, words):
    before = bars()
    figure, ax = plt.subplots()
    ax.bar(["a", "b", "c"], (1, 2, 3), label="counts")
    ax.set_title("How many", loc="left")
    ax.annotate("most: 3.00", (2, 3), arrowprops={"arrowstyle": "->"})
    change(ax)
    if ax.containers[0].patches[0] not in ax.patches:
        ax.containers[0].patches[0].set_facecolor("none")
    assert any(words in fault for fault in faults(before, stored(figure)))


@pytest.mark.parametrize("change", ["one tile turned", "one pixel", "two units exchanged"])
def test_a_small_change_in_a_picture_of_many_pixels_is_seen(change):
    W = np.random.default_rng(0).normal(size=(25, 64))
    before = stored(plot_filters(W).figure)
    if change == "one tile turned":
        W[7] = W[7].reshape(8, 8)[:, ::-1].ravel()
    elif change == "one pixel":
        W[7, 3] = -W[7, 3]
    else:
        W[[3, 4]] = W[[4, 3]]
    (fault,) = faults(before, stored(plot_filters(W).figure))
    assert "image 1: pixels differs by about" in fault


def test_signed_sums_differ_by_as_much_as_the_values():
    rng = np.random.default_rng(0)
    a = rng.normal(size=5000)
    ratios = []
    for change in (rng.normal(size=5000), np.ones(5000), np.eye(5000)[17]):
        apart = drawn.signed_sums(a + change) - drawn.signed_sums(a)
        ratios.append(np.sqrt((apart**2).mean() / (change**2).mean()))
    assert np.all((np.array(ratios) > 0.5) & (np.array(ratios) < 2))


def test_a_small_value_on_a_logarithmic_axis_counts_as_it_is_seen():
    costs = np.geomspace(1, 1e-8, 30)
    ax = plot_history({"total": costs})
    before = stored(ax.figure)
    costs[-1] *= 10
    ax = plot_history({"total": costs})
    assert any("log10 y" in fault for fault in faults(before, stored(ax.figure)))


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("cost 0.374", "cost 0.375", True),  # one unit of the last digit
        ("cost 0.374", "cost 0.38", False),
        ("1,024 units", "1,024 units", True),
        ("−3.0 nats", "3.0 nats", False),
        ("2 of 25", "2 of 25 units", False),
    ],
)
def test_numbers_in_words_are_compared_as_numbers(before, after, same):
    assert (figures.difference(before, after)[0] <= figures.TOLERANCE) is same


def test_four_times_what_another_processor_changes_is_allowed():
    before, nearby = bars(), bars((1, 2.02, 3))
    kept = figures.with_spread(before, nearby)
    assert faults(kept, nearby) == []
    assert faults(kept, bars((1, 2.06, 3))) == []
    assert len(faults(kept, bars((1, 2.2, 3)))) == 1
    # The colours, which did not vary, are compared as before.
    assert len(faults(kept, bars((1, 2.02, 3), color="red"))) == 1


def test_of_what_depends_on_the_processor_the_rest_is_compared():
    kept = figures.with_spread(bars(), bars((1, 1.2, 3)))
    assert faults(kept, bars((1, 1.9, 3))) == []
    assert len(faults(kept, bars((1, 1.9, 3), color="red"))) == 1


def test_of_a_figure_that_moves_all_over_no_number_is_compared_but_all_else():
    def marks(heights, words="most", **look):
        figure, ax = plt.subplots()
        ax.plot([1, 2, 3], heights, **look)
        ax.text(2, heights[1], f"{words}: {heights[1]:.2f}")
        return stored(figure)

    kept = figures.with_spread(marks((1, 2, 3)), marks((1, 8, 3)))
    assert kept["fig"]["varies"] == "numbers"
    assert faults(kept, marks((5, 6, 7))) == []
    assert len(faults(kept, marks((5, 6, 7), "least"))) == 1
    assert len(faults(kept, marks((5, 6, 7), color="red"))) == 1
    assert len(faults(kept, marks((5, 6, 7), linestyle=":"))) == 1


def test_what_is_stored_reads_back_and_a_series_is_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    kept = figures.with_spread(bars(), bars((1, 2.02, 3)))
    figures.write("01-it", kept)
    assert figures.read("01-it") == kept
    lines = (tmp_path / "01-it.json").read_text().splitlines()
    assert len(lines) == len(kept["fig"]["series"]) + 4


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return a notebook with two figures and what a kernel has written down of them."""
    folder = tmp_path_factory.mktemp("executed")
    sources = [
        "from saelib.plotting import plot_kl",
        "plot_kl(rho=0.2);",
        "import matplotlib.pyplot as plt\n_, axes = plt.subplots(1, 2)\naxes[1].plot([1, 3]);",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.cells[1].metadata["mystnb"] = {"figure": {"name": "fig-kl"}}
    seen = folder / "seen"
    lines = f"--IPKernelApp.exec_lines={[drawn.in_kernel(seen)]!r}"
    NotebookClient(notebook, kernel_name="python3", timeout=120, extra_arguments=[lines]).execute()
    path = folder / "01-it.ipynb"
    nbformat.write(notebook, path)
    return path, seen


def test_a_kernel_writes_down_each_figure_that_it_shows(executed):
    path, seen = executed
    found = figures.recorded(nbformat.read(path, 4), seen)
    assert len(found) == 2
    assert any(s["series"] == "axes 2, line 1" for s in list(found.values())[1]["series"])
    (curve,) = (s for s in found["fig-kl"]["series"] if s["series"] == "axes 1, line 1")
    assert curve["colour"] == "#cc79a7"


def test_a_comparison_fails_when_a_figure_has_changed_and_says_which(
    executed, tmp_path, monkeypatch
):
    path, seen = executed
    monkeypatch.setattr(figures, "FOLDER", tmp_path)

    def outcome():
        plugin, session = figures.Comparison([path], seen, False), SimpleNamespace(exitstatus=0)
        plugin.pytest_sessionfinish(session)
        return session.exitstatus, plugin.faults

    assert outcome()[0] == 1  # nothing is stored yet
    figures.keep(path, seen)
    assert outcome() == (0, [])
    changed = copy.deepcopy(figures.read("01-it"))
    changed["fig-kl"]["series"][0]["title"] = "Another title"
    figures.write("01-it", changed)
    code, report = outcome()
    assert code == 1
    assert len(report) == 1
    assert report[0].startswith("01-it: fig-kl: axes 1: title was 'Another title', is '")
    del changed["fig-kl"]
    figures.write("01-it", changed)
    assert outcome() == (1, ["01-it: fig-kl: the figure is not stored"])


CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_figure_of_a_chapter_is_stored(path):
    shown = {name for _, name in figures.names(nbformat.read(path, 4)).values()}
    assert shown == figures.read(path.stem).keys(), f"run: make notebooks ONLY=book/{path.name}"


def test_figures_of_readers_notebooks_which_hold_no_names_are_called_as_in_the_book():
    notebook = nbformat.read(sorted(figures.BOOK.glob("0*.ipynb"))[0], 4)
    named = figures.names(notebook)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        cell["id"] = "another"
    known = {digest: name for digest, (_, name) in named.items()}
    found = figures.names(notebook, known)
    assert {key: name for key, (_, name) in found.items()} == known


def test_on_a_processor_of_another_kind_numbers_are_left_out_and_words_are_not(monkeypatch):
    stored = {"fig": {"cell": "a", "series": [{"series": "line 1", "title": "22 edges", "y": [1]}]}}
    moved, renamed = copy.deepcopy(stored), copy.deepcopy(stored)
    moved["fig"]["series"][0] |= {"title": "23 edges", "y": [2]}
    renamed["fig"]["series"][0] |= {"title": "22 corners"}
    assert figures.changes(stored, moved)
    assert not figures.changes(stored, moved, words_only=True)
    assert figures.changes(stored, renamed, words_only=True)
    monkeypatch.setattr(figures, "processor", lambda: "one of tomorrow")
    assert figures.is_of_another_kind()
