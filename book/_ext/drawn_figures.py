"""Show the figures of the chapters as drawings, one for wide pages and one for phones.

A notebook holds its figures as pictures; `make notebooks` keeps them as drawings, too, in
book/_data/drawings. In the pages the drawings take the place of the pictures. What holds no pixels
follows the theme: such a drawing gets a class by which the dark theme turns its light and dark
around. Patches and filters must not be turned around, and keep a light ground.
"""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

FOLDER = Path(__file__).resolve().parents[1] / "_data" / "drawings"
NARROW = "screen and (max-width: 600px)"
FIGURE = re.compile(
    r'<figure\b[^>]*\bid="(?P<name>[\w-]+)"[^>]*>\s*(?:<a\b[^>]*>\s*)?(?P<img><img\b[^>]*>)'
)


@cache
def size_of(file: Path) -> tuple[int, int]:
    """Return width and height in dots of the page."""
    width, height = re.findall(r'\b(?:width|height)="(\d+)"', file.read_text(encoding="utf-8"))[:2]
    return int(width), int(height)


@cache
def has_pixels(file: Path) -> bool:
    """Tell whether there are pictures in the drawing, such as patches."""
    return "<image" in file.read_text(encoding="utf-8")


def replaced(body: str, page: str) -> str:
    """Return the page's text with drawings in place of pictures, where there are any."""

    def drawing(match: re.Match[str]) -> str:
        wide = FOLDER / page / f"{match['name']}.svg"
        if not wide.exists():
            return match[0]
        phone = wide.with_suffix(".phone.svg")
        width, height = size_of(wide)
        shape, source = f"--wide: {width} / {height}", ""
        if phone.exists():
            across, down = size_of(phone)
            shape += f"; --phone: {across} / {down}"
            source = (
                f'<source media="{NARROW}" srcset="_images/{phone.name}" '
                f'width="{across}" height="{down}">'
            )
        look = "drawing" if has_pixels(wide) else "drawing follows-theme"
        alt = re.search(r'\balt="[^"]*"', match["img"])
        image = (
            f'<img class="{look}" src="_images/{wide.name}" {alt[0] if alt else ""} '
            f'width="{width}" height="{height}" style="{shape}">'
        )
        if source:
            image = f"<picture>{source}{image}</picture>"
        return match[0].replace(match["img"], image)

    return FIGURE.sub(drawing, body)


def show(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the drawings into a page."""
    if app.builder.format == "html" and "body" in context and (FOLDER / pagename).is_dir():
        context["body"] = replaced(context["body"], pagename)


def write(app: Sphinx, error: Exception | None) -> None:
    """Lay the drawings beside the pictures when the pages have been written."""
    if error is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_images"
    target.mkdir(exist_ok=True)
    for file in FOLDER.glob("*/*.svg"):
        shutil.copy(file, target / file.name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.connect("html-page-context", show)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
