"""The figures of the book are kept as drawings, for wide pages and for phones, and stay legible."""

import base64
import doctest
import io
import itertools
import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from saelib import plotting
from saelib.plotting import new_axes, plot_filters
from saelib.plotting.style import COLOURS, TEXT_COLOURS

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


def test_every_figure_of_the_book_is_kept_as_a_drawing():
    names = {
        f"{file.stem}/{name}"
        for file in (ROOT / "book" / "_data" / "figures").glob("*.json")
        for name in json.loads(file.read_text(encoding="utf-8"))
    }
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


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_no_mark_is_cut_by_the_edge_of_its_axes(file):
    assert clear_lettering.cut_marks(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_the_numbers_of_neighbouring_axes_stand_apart(file):
    rows = clear_lettering.read(ET.fromstring(file.read_text(encoding="utf-8"))).rows
    numbers = [row for _, row in rows if re.fullmatch(r"[−-]?[\d.,]+", row.text)]
    met = [
        (a.text, b.text)
        for a, b in itertools.permutations(numbers, 2)
        if abs(a.high[1] - b.high[1]) < 2 and 0 < b.low[0] - a.high[0] < 5
    ]
    assert met == []


GROUND = np.full(3, 0x12 / 255)  # of the pages in the dark theme
# What the dark theme does with a colour: invert(1) hue-rotate(180deg).
TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])


def contrast(a, b):
    """Return the contrast of two colours by WCAG; each three shares of full light."""
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (a, b)]
    low, high = sorted(float(c @ [0.2126, 0.7152, 0.0722]) for c in linear)
    return (high + 0.05) / (low + 0.05)


def inks(svg):
    """Return the colours of lettering and of lines, with their opacity."""
    found = set()

    def walk(element, kind, filled):
        if element.attrib.get("id", "").startswith("text_"):
            kind = "fill"
        look = dict(re.findall(r"([\w-]+):\s*([^;]+)", element.attrib.get("style", "")))
        if look.get(kind, "").startswith("#") and not (kind == "fill" and "stroke" in look):
            opacity = float(look.get("opacity", 1)) * float(look.get(f"{kind}-opacity", 1))
            found.add((kind, look[kind], opacity))
        for child in element:
            walk(child, kind, filled)

    walk(ET.fromstring(svg), "stroke", False)
    return found


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_lettering_and_lines_have_enough_contrast_in_both_themes(file):
    for kind, name, opacity in inks(file.read_text(encoding="utf-8")):
        least = 4.5 if kind == "fill" else 3.0
        # Lines of a grid are faint on purpose, and white separates what is filled.
        if (kind == "stroke" and opacity < 0.4) or name == "#ffffff":
            continue
        colour = np.array([int(name[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        shown = opacity * colour + 1 - opacity
        dark = np.maximum(np.clip(TURN @ (1 - shown), 0, 1), GROUND)
        assert contrast(shown, np.ones(3)) >= least, name
        assert contrast(dark, GROUND) >= least, name


def test_white_numbers_stand_on_what_is_dark_enough():
    for patch in plotting.plot_two_passes().patches:
        assert contrast(np.array(patch.get_facecolor()[:3]), np.ones(3)) >= 4.5
    plt.close("all")


def pictures():
    """Return the pictures that the notebooks hold, with the names of chapter and figure."""
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
            for output in cell.get("outputs", []):
                if name and "image/png" in output.get("data", {}):
                    yield path.stem, name, output["data"]["image/png"]


def test_a_picture_has_the_colours_of_its_drawing():
    wrong = []
    for chapter, name, picture in pictures():
        svg = (drawings.FOLDER / chapter / f"{name}.svg").read_text(encoding="utf-8")
        image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
        there = np.unique(np.asarray(image, dtype=int).reshape(-1, 3), axis=0)
        for colour in {*COLOURS.values(), *TEXT_COLOURS.values()}:
            if re.search(rf"(?:fill|stroke): {colour}[;\"]", svg, re.IGNORECASE):
                wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
                if np.abs(there - wanted).max(axis=1).min() > 4:
                    wrong.append((name, colour))
    assert wrong == []


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


@pytest.mark.parametrize(("x", "clip", "cut"), [(10, True, 1), (10, False, 0), (5, True, 0)])
def test_a_mark_at_the_edge_of_the_axes_is_found_if_it_is_cut(x, clip, cut):
    ax = new_axes(width=4.0)
    ax.plot([2, x], [3, 4], "o-", clip_on=clip)
    ax.plot([-5, 20], [9, 9], "o-")  # which lie outside, and are not there at all
    ax.set(xlim=(0, 10), ylim=(0, 10))
    assert len(clear_lettering.cut_marks(drawings.drawing(ax.figure))) == cut


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


def test_for_the_dark_theme_only_the_pixels_of_a_drawing_are_turned_around():
    plot_filters(np.random.default_rng(0).normal(size=(4, 64)))
    svg = drawings.drawing(plt.gcf())
    turned = drawn_figures.negative(svg)
    plt.close("all")

    def pixels(drawing):
        data = drawn_figures.PIXELS.search(drawing)[0]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"), int)

    before, after = pixels(svg), pixels(turned)
    assert (before[..., 3] == after[..., 3]).all()
    assert (before[..., :3] + after[..., :3] == 255).all()
    assert drawn_figures.PIXELS.sub("", svg) == drawn_figures.PIXELS.sub("", turned)


def test_a_drawing_with_pixels_has_another_one_for_the_dark_theme_which_is_hidden_elsewhere():
    body = '<figure id="fig-snapshots">\n<img alt="Tiles." src="x.png" />\n'
    day, night = drawn_figures.replaced(body, "06-training").split("</picture>")[:2]
    assert 'class="drawing" src="_images/fig-snapshots.svg"' in day
    assert "hidden" not in day
    assert 'class="drawing follows-theme" src="_images/fig-snapshots.night.svg"' in night
    assert 'srcset="_images/fig-snapshots.phone.night.svg"' in night
    assert "<picture" in night
    assert "hidden" in night


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
