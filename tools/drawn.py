"""Write down what the figures of a notebook show: the data of every artist, as text.

Called inside the kernel that executes a notebook, whatever that Python has installed:

    import drawn; drawn.watch("a/folder")

After every cell a line goes to a file of this kernel's own: a digest of the cell, and one entry
for each figure that it shows. An entry is a list of series, and a series a plain dictionary: what
kind of artist, its label and colours, and its numbers. Up to `SHORT` numbers are all kept. Of more
than that, such as the pixels of a picture, there are some, the range, and sums with random signs:
those of two versions differ by as much as the numbers do, root mean square, whichever changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

SHORT, SOME, SUMS = 40, 9, 12
WORDS = ("FixedFormatter", "FuncFormatter", "StrCategoryFormatter")  # ticks that somebody named
Series = dict[str, Any]


def digest(source: str) -> str:
    """Return what a cell is recognized by."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def in_kernel(folder: Path) -> str:
    """Return the line that makes a kernel write there; an expression, which leaves no name."""
    return f"__import__('runpy').run_path({__file__!r})['watch']({str(folder)!r})"


def watch(folder: str) -> None:
    """Write down the figures of this kernel after every cell, before Jupyter shows them."""
    from IPython import get_ipython

    target = Path(folder) / f"{os.getpid()}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    cell: list[str] = []

    def before(info: Any) -> None:
        cell[:] = [info.raw_cell or ""]

    def after() -> None:
        if not cell:
            return
        entry = {"cell": digest(cell.pop()), "figures": [described(f) for f in open_figures()]}
        with target.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    events = get_ipython().events  # type: ignore[no-untyped-call]
    events.register("pre_run_cell", before)
    # Registered before matplotlib is imported, and so called before its figures are closed.
    events.register("post_execute", after)


def open_figures() -> list[Any]:
    """Return the figures that are to be shown."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    from matplotlib._pylab_helpers import Gcf

    return [manager.canvas.figure for manager in Gcf.get_all_fig_managers()]


def described(figure: Any) -> list[Series]:
    """Return the series of a figure: what belongs to no axes, then axes after axes."""
    series = []
    loose = [*figure.texts, *([figure._suptitle] if getattr(figure, "_suptitle", None) else [])]
    series += _texts("figure", list(dict.fromkeys(loose)))
    series += _patches("figure", list(figure.patches)) + _lines(
        "figure", list(figure.lines), "", ""
    )
    for number, ax in enumerate(figure.axes, start=1):
        series += _axes(f"axes {number}", ax)
    return series


def _axes(place: str, ax: Any) -> list[Series]:
    x_scale, y_scale = ax.get_xscale(), ax.get_yscale()
    frame: Series = {"series": place, "title": ax.get_title("left") or ax.get_title()}
    for name, axis, scale in (("x", ax.xaxis, x_scale), ("y", ax.yaxis, y_scale)):
        frame |= {f"{name} label": axis.get_label_text(), f"{name} scale": scale}
        low, high = axis.get_view_interval()
        frame |= numbers(f"{name} limits", [low, high], scale)
        if type(axis.get_major_formatter()).__name__ in WORDS:
            frame[f"{name} ticks"] = [tick.get_text() for tick in axis.get_ticklabels()]
    if not ax.axison:
        frame["axis"] = "off"
    bars, held = [], set()
    for k, container in enumerate(ax.containers):
        rectangles = [p for p in getattr(container, "patches", []) if hasattr(p, "get_height")]
        if rectangles:
            held |= set(rectangles)
            bars.append(_bars(f"{place}, bars {k + 1}", container, rectangles, x_scale, y_scale))
    series = [frame, *_lines(place, list(ax.lines), x_scale, y_scale), *bars]
    series += _patches(place, [patch for patch in ax.patches if patch not in held])
    for k, collection in enumerate(ax.collections, start=1):
        series.append(_collection(f"{place}, collection {k}", collection, x_scale, y_scale))
    for k, image in enumerate(ax.images, start=1):
        series.append(_image(f"{place}, image {k}", image))
    legend = ax.get_legend()
    if legend is not None:
        texts = [text.get_text() for text in legend.get_texts()]
        series.append({"series": f"{place}, legend", "text": texts})
    return series + _texts(place, list(ax.texts))


def _label(artist: Any) -> str:
    """Return the label in brackets, if it is one that somebody gave."""
    label = str(artist.get_label())
    return "" if label.startswith("_") or not label else f" ({label})"


def _lines(place: str, lines: list[Any], x_scale: str, y_scale: str) -> list[Series]:
    """Describe lines; short ones that look alike, such as those of a diagram, in one series."""
    groups: dict[Any, list[Any]] = {}
    for k, line in enumerate(lines, start=1):
        look = {
            "colour": _hex(line.get_color()),
            "style": f"{line.get_linestyle()} {line.get_linewidth():g} {line.get_marker()}",
        }
        alike = len(line.get_xdata()) <= 2 and not _label(line)
        key = (*look.values(), "" if alike else k)
        groups.setdefault(key, [f"{place}, line {k}{_label(line)}", look, []])[2].append(line)
    return [
        {"series": name, **look}
        | numbers("x", [v for line in held for v in line.get_xdata(orig=False)], x_scale)
        | numbers("y", [v for line in held for v in line.get_ydata(orig=False)], y_scale)
        for name, look, held in groups.values()
    ]


def _bars(name: str, container: Any, bars: list[Any], x_scale: str, y_scale: str) -> Series:
    series: Series = {"series": name + _label(container)}
    series["colour"] = _counted(bar.get_facecolor() for bar in bars)
    left, right = ([bar.get_x() + k * bar.get_width() for bar in bars] for k in (0, 1))
    low, high = ([bar.get_y() + k * bar.get_height() for bar in bars] for k in (0, 1))
    series |= numbers("left", left, x_scale) | numbers("right", right, x_scale)
    return series | numbers("bottom", low, y_scale) | numbers("top", high, y_scale)


def _patches(place: str, patches: list[Any]) -> list[Series]:
    """Describe shapes by the boxes around them, those that look alike in one series."""
    groups: dict[Any, list[Any]] = {}
    for k, patch in enumerate(patches, start=1):
        look = {"colour": _hex(patch.get_facecolor()), "edge": _hex(patch.get_edgecolor())}
        kind, label = type(patch).__name__, _label(patch)
        name = f"{place}, {kind.lower()} {k}{label}"
        groups.setdefault((kind, label, *look.values()), [name, look, []])[2].append(_box(patch))
    return [
        {"series": name, **look}
        | numbers("x", [x for box in boxes for x in box[0]])
        | numbers("y", [y for box in boxes for y in box[1]])
        for name, look, boxes in groups.values()
    ]


def _box(patch: Any) -> tuple[list[float], list[float]]:
    ends = getattr(patch, "_posA_posB", None)
    if ends is not None:  # an arrow, whose path is made when it is drawn
        return [float(p[0]) for p in ends], [float(p[1]) for p in ends]
    corners = patch.get_path().transformed(patch.get_patch_transform()).vertices
    return [corners[:, 0].min(), corners[:, 0].max()], [corners[:, 1].min(), corners[:, 1].max()]


def _collection(name: str, collection: Any, x_scale: str, y_scale: str) -> Series:
    kind = type(collection).__name__.removeprefix("FillBetween")  # which is as new as 3.10
    series: Series = {"series": name + _label(collection), "kind": kind}
    if hasattr(collection, "levels"):  # contours: how they are cut depends on the version
        reach = [p.get_extents() for p in collection.get_paths() if len(p.vertices)]
        series |= numbers("levels", collection.levels)
        series |= numbers("x", [v for box in reach for v in (box.x0, box.x1)], x_scale)
        return series | numbers("y", [v for box in reach for v in (box.y0, box.y1)], y_scale)
    series["colour"] = _counted(collection.get_facecolor())
    series["edge"] = _counted(collection.get_edgecolor())
    offsets: Any = np.ma.filled(np.ma.asarray(collection.get_offsets(), float), np.nan)
    if hasattr(collection, "U"):  # arrows
        series |= numbers("across", collection.U) | numbers("up", collection.V)
        offsets = collection.XY
    if len(offsets) and not (len(offsets) == 1 and not offsets.any()):
        places = offsets
    else:
        vertices = [path.vertices for path in collection.get_paths()]
        places = np.concatenate(vertices) if vertices else np.empty((0, 2))
    series |= numbers("x", places[:, 0], x_scale) | numbers("y", places[:, 1], y_scale)
    if hasattr(collection, "get_sizes") and len(collection.get_sizes()):
        series |= numbers("size", collection.get_sizes())
    if collection.get_array() is not None:
        series |= numbers("value", collection.get_array())
    return series


def _image(name: str, image: Any) -> Series:
    pixels: Any = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
    series: Series = {"series": name, "shape": "x".join(map(str, pixels.shape))}
    series |= {"map": image.get_cmap().name, "smoothed": str(image.get_interpolation())}
    series |= numbers("extent", image.get_extent()) | numbers("grey", image.get_clim())
    return series | numbers("pixels", pixels)


def _texts(place: str, texts: list[Any]) -> list[Series]:
    shown = [text for text in texts if text.get_text()]
    arrows = [text for text in texts if getattr(text, "arrow_patch", None) is not None]
    series = []
    if shown:
        words: Series = {"series": f"{place}, texts", "text": [text.get_text() for text in shown]}
        words["colour"] = _counted(text.get_color() for text in shown)
        places = [text.get_position() for text in shown]
        words |= numbers("x", [p[0] for p in places]) | numbers("y", [p[1] for p in places])
        series.append(words)
    if arrows:
        tips: Series = {"series": f"{place}, arrows"}
        tips["colour"] = _counted(text.arrow_patch.get_edgecolor() for text in arrows)
        tips |= numbers("x", [text.xy[0] for text in arrows])
        series.append(tips | numbers("y", [text.xy[1] for text in arrows]))
    return series


def _hex(colour: Any) -> str:
    from matplotlib.colors import to_hex, to_rgba

    alpha = to_rgba(colour)[3]
    return "none" if alpha == 0 else to_hex(colour, keep_alpha=alpha < 1)


def _counted(colours: Any) -> str:
    """Return the colours with how often each occurs, or how many there are, if they are many."""
    found = Counter(_hex(colour) for colour in colours)
    if len(found) > 8:
        return f"{len(found)} colours"
    return ", ".join(name + (f" x{n}" if n > 1 else "") for name, n in found.items())


def numbers(name: str, values: Any, scale: str = "linear") -> dict[str, Any]:
    """Return numbers to store; on a logarithmic axis their logarithms, as they are seen."""
    flat = np.asarray(values, dtype=float).ravel()
    if scale == "log":
        name = f"log10 {name}"
        flat = np.log10(flat, where=flat > 0, out=np.full_like(flat, np.nan))
    finite = np.isfinite(flat)
    kept = flat[finite]
    if not kept.size:
        return {name: [None] * flat.size if flat.size <= SHORT else {"n": flat.size}}
    low, high = float(kept.min()), float(kept.max())
    size = high - low or abs(high) or 1.0
    decimals = 4 - math.floor(math.log10(size))

    def rounded(v: float) -> float | None:
        return round(float(v), decimals) + 0.0 if math.isfinite(v) else None

    if flat.size <= SHORT:
        return {name: [rounded(v) for v in flat]}
    some = flat[np.linspace(0, flat.size - 1, SOME).round().astype(int)]
    sums = [float(v) for v in signed_sums(np.where(finite, flat, 0.0))]
    return {
        name: {
            "n": flat.size,
            "missing": int((~finite).sum()),
            "range": [rounded(low), rounded(high)],
            "some": [rounded(v) for v in some],
            "sums": [rounded(v) for v in sums],
        }
    }


def signed_sums(values: Any) -> Any:
    """Return sums with random signs, divided by the root of how many there are.

    For independent signs the mean square of such sums is that of the values; so is the mean square
    of their differences. The signs are bits of SplitMix64, which no version of numpy changes.
    """
    n = len(values)
    with np.errstate(over="ignore"):
        bits = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    signs = 1.0 - 2.0 * ((bits >> np.arange(SUMS, dtype=np.uint64)[:, None]) & np.uint64(1))
    return signs @ values / math.sqrt(n)
