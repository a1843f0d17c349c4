"""Show the figures of the chapters as drawings, one for wide pages and one for phones.

A notebook holds its figures as pictures; `make notebooks` keeps them as drawings, too, in
book/_data/drawings. In the pages the drawings take the place of the pictures. What holds no pixels
follows the theme: such a drawing gets a class by which the dark theme turns its light and dark
around. Patches and filters must not be turned around. Where there are some, a second drawing, whose
pixels are negatives, takes the place of the first in the dark theme, and is turned around as well.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from sphinx.application import Sphinx

FOLDER = Path(__file__).resolve().parents[1] / "_data" / "drawings"
PIXELS = re.compile(r"(?<=data:image/png;base64,)[^\"]*")
NARROW = "screen and (max-width: 600px)"
NIGHT = ".night.svg"
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


def negative(svg: str) -> str:
    """Return a drawing with light and dark exchanged in its pixels, and in nothing else."""

    def turned(match: re.Match[str]) -> str:
        image = Image.open(io.BytesIO(base64.b64decode(match[0]))).convert("RGBA")
        *colours, opacity = image.split()
        file = io.BytesIO()
        Image.merge("RGBA", [*map(ImageOps.invert, colours), opacity]).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    return PIXELS.sub(turned, svg)


def replaced(body: str, page: str) -> str:
    """Return the page's text with drawings in place of pictures, where there are any."""

    def drawing(match: re.Match[str]) -> str:
        wide = FOLDER / page / f"{match['name']}.svg"
        if not wide.exists():
            return match[0]
        phone = wide.with_suffix(".phone.svg")
        width, height = size_of(wide)
        alt = re.search(r'\balt="[^"]*"', match["img"])

        def image(look: str, ending: str) -> str:
            shape, source = f"--wide: {width} / {height}", ""
            if phone.exists():
                across, down = size_of(phone)
                shape += f"; --phone: {across} / {down}"
                source = (
                    f'<source media="{NARROW}" srcset="_images/{phone.stem}{ending}" '
                    f'width="{across}" height="{down}">'
                )
            return (
                f'{source}<img class="{look}" src="_images/{wide.stem}{ending}" '
                f'{alt[0] if alt else ""} width="{width}" height="{height}" style="{shape}">'
            )

        if has_pixels(wide):
            # Hidden wherever no style sheet knows of a dark theme.
            day, night = image("drawing", ".svg"), image("drawing follows-theme", NIGHT)
            both = f'<picture class="by-day">{day}</picture>'
            both += f'<picture class="by-night" hidden>{night}</picture>'
            return match[0].replace(match["img"], both)
        shown = image("drawing follows-theme", ".svg")
        if phone.exists():
            shown = f"<picture>{shown}</picture>"
        return match[0].replace(match["img"], shown)

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
        if has_pixels(file):
            turned = negative(file.read_text(encoding="utf-8"))
            (target / f"{file.stem}{NIGHT}").write_text(turned, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.connect("html-page-context", show)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
