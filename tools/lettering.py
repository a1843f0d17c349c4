"""Find lettering in a drawing that touches a line, other lettering, or the end of the drawing.

Marks that the edge of their axes cuts are found, too.

    python tools/lettering.py book/_data/drawings/*/*.svg

A drawing is an SVG as matplotlib writes it: every text is a group of outlines. What counts is the
box around the outlines of each row of letters, not the room that a font leaves around them. Lines
are all that has a stroke or an edge: curves, axes, arrows, circles, and the borders of bars. What
lies below a ground of the text's own does not touch it, nor does a filled shape that lies wholly
behind it.
"""

from __future__ import annotations

import functools
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Points between the outlines of letters and the rim of a line, and to other words beside and below.
TO_LINES, TO_WORDS = 0.8, (2.0, 1.0)
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
STEP = re.compile(r"(\w+)\(([^)]*)\)")
CURVE = np.linspace(0, 1, 9)[1:, None]


@dataclass
class Row:
    """One row of letters: its box, and whether a ground was painted behind it."""

    text: str
    low: Array
    high: Array
    ground: bool

    def grown(self, gap: float | tuple[float, float]) -> tuple[Array, Array]:
        """Return the corners of the box with a margin."""
        return self.low - np.array(gap), self.high + np.array(gap)


@dataclass
class Line:
    """The points along a stroke, half its width, and the part of the picture it is seen in."""

    points: Array
    half: float
    clip: tuple[Array, Array] | None
    name: str
    mark: bool = False  # such as the dot of a point, which is wanted whole


@dataclass
class Drawing:
    """What is to be seen, in the order in which it is painted."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    lines: list[tuple[int, Line]] = field(default_factory=list)
    covers: list[tuple[int, Array]] = field(default_factory=list)
    painted: int = 0

    def next(self) -> int:
        """Return a number that is larger the later something is painted."""
        self.painted += 1
        return self.painted


def touching(
    svg: str, to_lines: float = TO_LINES, to_words: tuple[float, float] = TO_WORDS
) -> list[str]:
    """Return a line for each row of letters that comes too close to something.

    Parameters
    ----------
    svg : str
        A drawing as `tools/drawings.py` keeps it.
    to_lines : float
        Points that must be free between the outlines of letters and lines.
    to_words : (float, float)
        Points that must be free to other letters, beside and below.

    Returns
    -------
    list of str
        What touches what, and where; empty if the lettering is clear.
    """
    root = ET.fromstring(svg)
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    drawing = read(root)
    found = []
    for k, (when, row) in enumerate(drawing.rows):
        covered = max(
            (n for n, cover in drawing.covers if n < when and within(row, cover)), default=0
        )
        place = f"at {row.low[0]:.0f}, {row.low[1]:.0f}"
        if (row.low < -0.5).any() or (row.high > (width + 0.5, height + 0.5)).any():
            found.append(f"{row.text!r} {place} is cut off by the end of the drawing")
        found += [
            f"{row.text!r} {place} touches {other.text!r}"
            for _, other in drawing.rows[k + 1 :]
            if overlap(row.grown(to_words), (other.low, other.high))
        ]
        found += sorted(
            {
                f"{row.text!r} {place} touches {line.name}"
                for painted, line in drawing.lines
                if painted >= covered and meets(row, line, to_lines, behind=painted < when)
            }
        )
    return found


def cut_marks(svg: str) -> list[str]:
    """Return a line for each mark of a point within its axes that the edge of the axes cuts.

    Parameters
    ----------
    svg : str
        A drawing as `tools/drawings.py` keeps it.

    Returns
    -------
    list of str
        Which marks, and where; empty if all are whole.
    """
    found = []
    for _, line in read(ET.fromstring(svg)).lines:
        if not line.mark or line.clip is None:
            continue
        (low, high), (first, last) = line.clip, (line.points.min(axis=0), line.points.max(axis=0))
        middle = (first + last) / 2
        inside = (middle >= low - 0.5).all() and (middle <= high + 0.5).all()
        if inside and ((first < low - 0.5).any() or (last > high + 0.5).any()):
            found.append(f"a mark of {line.name} at {middle[0]:.0f}, {middle[1]:.0f} is cut")
    return found


def overlap(a: tuple[Array, Array], b: tuple[Array, Array]) -> bool:
    """Tell whether two boxes, each given by its corners, have a part in common."""
    return bool((a[0] < b[1]).all() and (b[0] < a[1]).all())


def meets(row: Row, line: Line, gap: float, behind: bool) -> bool:
    """Tell whether a stroke enters the box of a row of letters, where it can be seen."""
    low, high = row.grown(gap + line.half)
    if line.clip is not None:  # what is outside is not painted
        low, high = np.maximum(low, line.clip[0]), np.minimum(high, line.clip[1])
    if row.ground and behind:
        return False
    return bool((low < high).all()) and enters(line.points, low, high)


def within(row: Row, cover: Array) -> bool:
    """Tell whether a box lies wholly inside of a filled shape."""
    (left, top), (right, bottom) = row.low, row.high
    low, high = cover.min(axis=0), cover.max(axis=0)
    if (row.low < low).any() or (row.high > high).any():
        return False
    corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
    return bool(Outline(cover).contains_points(corners).all())


def enters(points: Array, low: Array, high: Array) -> bool:
    """Tell whether one of the pieces between consecutive points passes through the box."""
    if len(points) == 1:
        return bool(((points >= low) & (points <= high)).all(axis=1).any())
    start, step = points[:-1], np.diff(points, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (low - start) / step, (high - start) / step
    still = step == 0
    inside = (start >= low) & (start <= high)
    first = np.where(still, np.where(inside, -np.inf, np.inf), np.minimum(one, two)).max(axis=1)
    last = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(one, two)).min(axis=1)
    return bool(((first <= last) & (first <= 1) & (last >= 0)).any())


def read(root: ET.Element) -> Drawing:
    """Return the rows of letters and the lines of a drawing."""
    defined = {e.attrib["id"]: e for e in root.iter() if "id" in e.attrib}
    drawing = Drawing()
    _walk(root, np.eye(3), defined, drawing, name="")
    return drawing


def _walk(
    element: ET.Element,
    turn: Array,
    defined: dict[str, ET.Element],
    drawing: Drawing,
    name: str,
) -> None:
    tag = element.tag.removeprefix(SVG)
    if tag in ("defs", "clipPath", "style", "metadata"):
        return
    turn = turn @ _matrix(element.attrib.get("transform", ""))
    own = element.attrib.get("id", "")
    if own.startswith("text_"):
        _text(element, turn, defined, drawing)
        return
    if re.match(r"[A-Za-z]\w*_\d+$", own):
        name = own
    if tag == "path":
        _stroke(element, element.attrib.get("style", ""), turn, defined, drawing, name)
    elif tag == "use":
        marker = defined[element.attrib[LINK][1:]]
        style = marker.attrib.get("style", "") + ";" + element.attrib.get("style", "")
        place = _matrix(f"translate({element.attrib.get('x', 0)} {element.attrib.get('y', 0)})")
        clip = element.attrib.get("clip-path")
        _stroke(marker, style, turn @ place, defined, drawing, name, clip, mark=True)
    for child in element:
        clip = element.attrib.get("clip-path")
        if clip and "clip-path" not in child.attrib:  # matplotlib clips the group of markers
            child.set("clip-path", clip)
        _walk(child, turn, defined, drawing, name)


def _stroke(
    path: ET.Element,
    style: str,
    turn: Array,
    defined: dict[str, ET.Element],
    drawing: Drawing,
    name: str,
    clip: str | None = None,
    mark: bool = False,
) -> None:
    look = dict(re.findall(r"([\w-]+):\s*([^;]+)", style))
    stroked = look.get("stroke", "none") != "none"
    filled = look.get("fill", "black") != "none"
    if not (stroked or filled) or name.startswith("figure") or name == "patch_1":
        return
    half = float(look.get("stroke-width", 1)) / 2 if stroked else 0.0
    clip = clip or path.attrib.get("clip-path")
    box = None
    if clip:
        rectangle = defined[clip[5:-1]].find(f"{SVG}rect")
        if rectangle is not None:
            x, y, w, h = (float(rectangle.attrib[k]) for k in ("x", "y", "width", "height"))
            box = np.array([x, y]), np.array([x + w, y + h])
    opaque = filled and not {"opacity", "fill-opacity"} & set(look)
    number = drawing.next()
    for piece in outlines(path.attrib.get("d", ""), closed=filled):
        points = _moved(piece, turn)
        drawing.lines.append((number, Line(points, half, box, name, mark)))
        if opaque and len(points) > 2:
            drawing.covers.append((number, points))


def _text(group: ET.Element, turn: Array, defined: dict[str, ET.Element], drawing: Drawing) -> None:
    """Add the rows of a text: every innermost group with letters is one."""
    ground = any(
        "fill: none" not in path.attrib.get("style", "")
        for child in group
        if child.attrib.get("id", "").startswith("patch_")
        for path in child.iter(f"{SVG}path")
    )
    for row in group:
        if row.attrib.get("id", "").startswith("patch_"):
            continue
        points, letters = [], []
        for outline, letter in _glyphs(row, turn, defined):
            points.append(outline)
            letters.append(letter)
        if points:
            every = np.concatenate(points)
            low, high = every.min(axis=0), every.max(axis=0)
            row_of_letters = Row("".join(letters), low, high, ground)
            drawing.rows.append((drawing.next(), row_of_letters))


def _glyphs(
    element: ET.Element, turn: Array, defined: dict[str, ET.Element]
) -> Iterator[tuple[Array, str]]:
    tag = element.tag.removeprefix(SVG)
    if tag == "defs":
        return
    turn = turn @ _matrix(element.attrib.get("transform", ""))
    if tag == "path":  # such as the rule of a fraction or a root
        for piece in outlines(element.attrib["d"], closed=False):
            yield _moved(piece, turn), ""
    if tag == "use":
        name = element.attrib[LINK][1:]
        glyph = defined[name]
        inner = turn @ _matrix(glyph.attrib.get("transform", ""))
        pieces = [_moved(p, inner) for p in outlines(glyph.attrib.get("d", ""), closed=False)]
        if pieces:
            yield np.concatenate(pieces), _letter(name)
        else:
            yield np.empty((0, 2)), " "
    for child in element:
        yield from _glyphs(child, turn, defined)


def _letter(name: str) -> str:
    """Return the letter that an outline shows, if its name tells."""
    font, _, code = name.rpartition("-")
    return _letters(font).get(int(code, 16), "?")


@functools.cache
def _letters(font: str) -> dict[int, str]:
    style, weight = ("oblique" in font.lower()), ("bold" in font.lower())
    looks = font_manager.FontProperties(
        family="DejaVu Sans",  # the font of all figures
        style="oblique" if style else "normal",
        weight="bold" if weight else "normal",
    )
    table = font_manager.get_font(font_manager.findfont(looks)).get_charmap()
    return {glyph: chr(letter) for letter, glyph in table.items()}


def outlines(d: str, closed: bool) -> list[Array]:
    """Return the points along each part of a path; curves as short straight pieces."""
    tokens = TOKEN.findall(d)
    parts: list[list[Array]] = []
    k, command = 0, "M"
    needed = {"M": 1, "L": 1, "Q": 2, "C": 3}
    while k < len(tokens):
        if tokens[k].isalpha():
            command, k = tokens[k].upper(), k + 1
        if command == "Z":
            if parts:
                parts[-1].append(parts[-1][0][:1])
            continue
        n = needed[command]
        stops = np.array(tokens[k : k + 2 * n], dtype=float).reshape(n, 2)
        k += 2 * n
        if command == "M":
            parts.append([stops])
            command = "L"
        elif command == "L":
            parts[-1].append(stops)
        else:
            start, t = parts[-1][-1][-1], CURVE
            if n == 2:
                curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * stops[0] + t**2 * stops[1]
            else:
                curve = (1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * stops[0]
                curve = curve + 3 * t**2 * (1 - t) * stops[1] + t**3 * stops[2]
            parts[-1].append(curve)
    whole = [np.concatenate(part) for part in parts]
    return [np.vstack([part, part[:1]]) for part in whole] if closed else whole


def _matrix(words: str) -> Array:
    matrix = np.eye(3)
    for name, numbers in STEP.findall(words):
        v = [float(n) for n in re.split(r"[\s,]+", numbers.strip())]
        step: Any = np.eye(3)
        if name == "translate":
            step[:2, 2] = v[0], v[1] if len(v) > 1 else 0.0
        elif name == "scale":
            step[0, 0], step[1, 1] = v[0], v[-1]
        elif name == "rotate":
            c, s = np.cos(np.radians(v[0])), np.sin(np.radians(v[0]))
            step[:2, :2] = [[c, -s], [s, c]]
        elif name == "matrix":
            step[:2] = np.array(v).reshape(3, 2).T
        matrix = matrix @ step
    return matrix


def _moved(points: Array, turn: Array) -> Array:
    return points @ turn[:2, :2].T + turn[:2, 2]


def main(paths: list[str]) -> int:
    """Print what touches or is cut in these files, and return whether there was something."""
    found = [
        f"{Path(path).parent.name}/{Path(path).name}: {words}"
        for path in paths
        for svg in (Path(path).read_text(encoding="utf-8"),)
        for words in touching(svg) + cut_marks(svg)
    ]
    print("\n".join(found))
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
