"""The figures of the book are kept as drawings, for wide pages and for phones, and stay legible."""

import base64
import doctest
import io
import json
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from saelib import plotting
from saelib.plotting import new_axes, plot_filters

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]

import drawings  # noqa: E402
import drawn_figures  # noqa: E402
import lettering as clear_lettering  # noqa: E402

KEPT = sorted(drawings.FOLDER.glob("*/*.svg"))
PHONES = [file for file in KEPT if file.name.endswith(".phone.svg")]
# From edge to edge a figure has 367 of the 375 dots of a phone.
ROOM, LEAST = 367, 11


def lettering(svg, room):
    """Return the sizes of the letters, in dots, when a drawing is shown in that room."""
    wide, width = re.search(r'width="(\d+)".*?viewBox="0 0 ([\d.]+)', svg, re.DOTALL).groups()
    scale = min(1, room / float(wide)) * float(wide) / float(width)
    points = [100 * float(s) for s in re.findall(r"scale\((0\.\d+) -0\.\d+\)", svg)]
    return [size * scale for size in points]


def curve(width=5.0):
    ax = new_axes(width=width)
    ax.plot([0, 1, 2], [0, 1, 4])
    ax.set_xlabel("example")
    ax.set_title("a title")
    return ax.figure


def test_every_figure_of_the_book_but_photographs_is_kept_as_a_drawing():
    names = {
        f"{file.stem}/{name}"
        for file in (ROOT / "book" / "_data" / "figures").glob("*.json")
        for name in json.loads(file.read_text(encoding="utf-8"))
    }
    names -= drawings.AS_PICTURES
    kept = {f"{file.parent.name}/{file.name.split('.')[0]}" for file in KEPT}
    assert kept == names
    wide = {f"{file.parent.name}/{file.stem}" for file in KEPT if file not in PHONES}
    assert wide == names


@pytest.mark.parametrize("file", PHONES, ids=lambda file: file.name)
def test_letters_are_at_least_11_dots_high_on_a_phone(file):
    sizes = lettering(file.read_text(encoding="utf-8"), ROOM)
    assert not sizes or min(sizes) >= LEAST - 0.05


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_no_lettering_touches_a_line_or_other_lettering(file):
    assert clear_lettering.touching(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", [name for name in plotting.__all__ if name.startswith("plot_")])
def test_no_lettering_touches_in_the_example_of_a_plotting_function(name):
    names = {}
    for example in doctest.DocTestParser().get_examples(getattr(plotting, name).__doc__):
        exec(example.source, names)  # an expression may be the value of a doctest
    found = [
        words
        for number in plt.get_fignums()
        for words in clear_lettering.touching(drawings.drawing(plt.figure(number)))
    ]
    plt.close("all")
    assert found == []


def touching(draw, **more):
    """Return what touches in a figure on which `draw` has written and drawn."""
    ax = new_axes(width=4.0)
    ax.set(xlim=(0, 10), ylim=(0, 10), **more)
    draw(ax)
    return clear_lettering.touching(drawings.drawing(ax.figure))


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda ax: ax.plot([0, 10], [5.2, 5.2]), "line2d"),
        (lambda ax: ax.plot([4.5], [5.2], "o"), "line2d"),
        (lambda ax: ax.text(5, 5, "other"), "'other'"),
        (lambda ax: ax.axvspan(4.6, 20), "patch"),
        (lambda ax: ax.annotate("", (9, 5), (1, 5.5), arrowprops={"arrowstyle": "->"}), "patch"),
        (lambda ax: ax.contour([[0, 1], [0, 1]], [0.45], extent=(0, 10, 0, 10)), "Contour"),
    ],
)
def test_lettering_that_touches_something_is_found(draw, told):
    def both(ax):
        ax.text(4, 5, "words")
        draw(ax)

    assert any("words" in found and told in found for found in touching(both))


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ax.plot([0, 10], [6.5, 6.5]),
        lambda ax: ax.plot([0, 10], [50, 50]),  # outside of the axes, where it is not painted
        lambda ax: ax.text(4, 6, "other"),
        lambda ax: ax.axvspan(3, 9),  # the words lie wholly on it
    ],
)
def test_lettering_that_touches_nothing_is_left_alone(draw):
    def both(ax):
        draw(ax)
        ax.text(4, 5, "words")

    assert touching(both) == []


def test_lettering_on_a_ground_of_its_own_touches_no_line_behind_it():
    def behind(ax):
        ax.plot([0, 10], [5.2, 5.2])
        ax.text(4, 5, "words", bbox={"facecolor": "white", "edgecolor": "none"})

    assert touching(behind) == []


def test_lettering_that_is_cut_off_is_found():
    svg = drawings.drawing(curve())
    cut = re.sub(r'viewBox="0 0 [\d.]+', 'viewBox="0 0 200', svg)
    assert any("cut off" in found for found in clear_lettering.touching(cut))


def test_all_drawings_together_are_small():
    sizes = [file.stat().st_size for file in KEPT]
    notebooks = [file.stat().st_size for file in (ROOT / "book").glob("*.ipynb")]
    assert max(sizes) <= drawings.LARGEST
    assert sum(sizes) + sum(notebooks) < 8_000_000
    assert sum(notebooks) < 6_000_000


def test_a_drawing_has_outlines_for_letters_and_the_size_of_its_picture():
    figure = curve()
    svg = drawings.drawing(figure)
    assert "<text" not in svg
    assert min(lettering(svg, 10_000)) == pytest.approx(10 * 120 / 72, rel=0.01)
    file = io.BytesIO()
    figure.savefig(file, bbox_inches="tight")
    assert int(re.search(r'width="(\d+)"', svg)[1]) == pytest.approx(Image.open(file).width, abs=2)


def test_a_figure_is_put_back_as_it_was_and_drawn_twice_alike(tmp_path):
    figure = curve()
    drawings.save(figure, tmp_path / "a")
    assert tuple(figure.get_size_inches()) == (5.0, 3.4)
    drawings.save(figure, tmp_path / "b")
    for ending in (".svg", ".phone.svg"):
        first = (tmp_path / f"a{ending}").read_text(encoding="utf-8")
        assert first == (tmp_path / f"b{ending}").read_text(encoding="utf-8")


def test_what_is_narrow_already_has_no_drawing_for_phones(tmp_path):
    drawings.save(curve(width=4.0), tmp_path / "a")
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]


def test_pixels_are_kept_as_they_are_and_never_smoothed():
    W = np.random.default_rng(0).normal(size=(4, 64))
    ax = plot_filters(W)
    svg = drawings.drawing(ax.figure)
    (image,) = ax.images
    assert image.get_interpolation() == "nearest"
    assert "image-rendering:pixelated" in svg.replace(" ", "")
    data = re.search(r"base64,\s*([^\"]+)", svg)[1]
    height, width = Image.open(io.BytesIO(base64.b64decode(data))).size[::-1]
    assert (height, width) == image.get_array().shape[:2]
    plt.close("all")


@pytest.mark.parametrize(
    ("name", "words"), [("fig-kl-curve", "drawing follows-theme"), ("fig-nowhere", "x.png")]
)
def test_the_page_shows_the_drawing_where_there_is_one_and_keeps_the_words(name, words):
    body = f'<figure class="align-default" id="{name}">\n<img alt="A curve." src="x.png" />\n'
    found = drawn_figures.replaced(body, "04-kl-divergence")
    assert words in found
    assert found.count('alt="A curve."') == 1
    if "drawing" in words:
        assert 'srcset="_images/fig-kl-curve.phone.svg"' in found
        assert "x.png" not in found
