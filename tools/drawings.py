"""Keep the figures of the book as drawings: one for wide pages, and one for phones.

A notebook holds its figures as pictures, which every program shows. The site shows drawings (SVG)
in their place: sharp at any size, and of the colours that the theme asks for. Both are saved in the
kernel that executes the notebook, from the very figure that it shows. On a phone the same figure is
drawn anew on less width, with letters as large as before, and not shrunk until nobody reads them.

book/_data/drawings/NN-name/fig-name.svg and fig-name.phone.svg are written by `make notebooks`.
"""

from __future__ import annotations

import io
import itertools
import re
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "book" / "_data" / "drawings"
# Inches on a phone, where a figure reaches from edge to edge, 367 dots: letters of 10 points are 12
# high, and 11 in diagrams, whose letters must fit between lines that come closer together.
PHONE, PHONE_DIAGRAM = 4.2, 4.5
LARGEST = 200_000  # bytes; what is larger, such as ten thousand dots, stays a picture
DOTS = 120 / 72  # of the page for each point, so that a drawing is as large as its picture
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
NUMBER = re.compile(r"-?\d+\.\d{2,}")
SIZE = re.compile(r'(\b(?:width|height)=")([\d.]+)pt(")')
NAME = re.compile(r'(?<=[#"])[pm][0-9a-f]{10}(?=[")])')
PATH, OPERATOR = re.compile(r'(?<= d=")[^"]*'), re.compile(r"\s*([A-Za-z])\s*")


def in_kernel(folder: Path) -> str:
    """Return the line that makes a kernel draw there; an expression, which leaves no name."""
    return f"__import__('runpy').run_path({__file__!r})['watch']({str(folder)!r})"


def watch(folder: str) -> None:
    """Save the figures of this kernel after every cell, before Jupyter shows and closes them."""
    from IPython import get_ipython

    sys.path.insert(0, str(HERE))
    try:
        import drawn
    finally:
        sys.path.remove(str(HERE))
    cell: list[str] = []

    def before(info: Any) -> None:
        cell[:] = [info.raw_cell or ""]

    def after() -> None:
        source = cell.pop() if cell else ""
        for figure in drawn.open_figures():
            save(figure, Path(folder) / drawn.digest(source))

    events = get_ipython().events  # type: ignore[no-untyped-call]
    events.register("pre_run_cell", before)
    events.register("post_execute", after)


def save(figure: Any, path: Path) -> None:
    """Write both drawings of a figure: path.svg and path.phone.svg."""
    width, height = figure.get_size_inches()
    path.with_suffix(".svg").write_text(drawing(figure), encoding="utf-8")
    narrow, low = phone_size(figure)
    if narrow < width:
        axes = [ax.xaxis.get_major_locator() for ax in figure.axes]
        automatic = [locator for locator in axes if type(locator).__name__ == "AutoLocator"]
        try:
            figure.set_size_inches(narrow, low)
            for locator in automatic:  # or else the numbers below an axis touch each other
                locator.set_params(nbins=5)
            while titles_touch(figure) and narrow < PHONE_DIAGRAM:
                narrow += 0.1
                figure.set_size_inches(narrow, low)
            path.with_suffix(".phone.svg").write_text(drawing(figure), encoding="utf-8")
        finally:
            figure.set_size_inches(width, height)
            for locator in automatic:
                locator.set_params(nbins="auto")


def phone_size(figure: Any) -> tuple[float, float]:
    """Return the size on a phone: as high as it is, unless its parts have to keep their shape."""
    width, height = figure.get_size_inches()
    shaped = [ax for ax in figure.axes if ax.get_aspect() != "auto"]
    narrow = PHONE_DIAGRAM if any(not ax.images for ax in shaped) else PHONE
    return narrow, height * narrow / width if shaped else height


def titles_touch(figure: Any) -> bool:
    """Tell whether a title reaches into that of the axes beside it."""
    figure.canvas.draw()
    titles = [title for ax in figure.axes for title in (ax.title, ax._left_title)]
    boxes = [title.get_window_extent().padded(2) for title in titles if title.get_text()]
    return any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def drawing(figure: Any) -> str:
    """Return a figure as SVG on a transparent ground, letters as outlines, pixels as they are."""
    import matplotlib as mpl

    images = [image for ax in figure.axes for image in ax.images]
    smoothed = [image.get_interpolation() for image in images]
    file = io.StringIO()
    try:
        for image in images:
            image.set_interpolation("none")  # one dot for each number, which no browser smooths
        with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "saelib"}):
            figure.savefig(
                file, format="svg", bbox_inches="tight", transparent=True, metadata=NO_METADATA
            )
    finally:
        for image, kind in zip(images, smoothed, strict=True):
            image.set_interpolation(kind)
    return lighter(file.getvalue())


def lighter(svg: str) -> str:
    """Return a drawing without what no eye can tell: comments, and digits below a hundredth."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
    svg = SIZE.sub(lambda size: f"{size[1]}{round(float(size[2]) * DOTS)}{size[3]}", svg, count=2)
    names: dict[str, str] = {}  # which matplotlib makes of places in memory
    svg = NAME.sub(lambda name: names.setdefault(name[0], f"{name[0][0]}{len(names)}"), svg)
    parts = re.split(r"(base64,[^\"]*|scale\([^)]*\))", svg)
    parts[::2] = [
        NUMBER.sub(lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), p) for p in parts[::2]
    ]
    svg = re.sub(r"\s*\n\s*", "\n", "".join(parts))
    return PATH.sub(lambda path: OPERATOR.sub(r"\1", path[0]).rstrip(), svg)


def keep(path: Path, folder: Path) -> None:
    """Store the drawings of a notebook that has been executed, under the names of its figures."""
    import figures
    import nbformat

    target = FOLDER / path.stem
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for digest, (_, name) in figures.names(nbformat.read(path, 4)).items():
        for ending in (".svg", ".phone.svg"):
            file = folder / f"{digest}{ending}"
            if file.exists() and file.stat().st_size <= LARGEST:
                shutil.copy(file, target / f"{name}{ending}")
