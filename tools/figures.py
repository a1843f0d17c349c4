"""Keep what the figures of the book show as text, and compare it when a notebook runs again.

book/_data/figures/NN-name.json holds, for every figure of a chapter, what `drawn.py` says of it:
a line for every series, so that a comparison of two versions shows what has changed. `make
notebooks` writes these files, and every comparison of notebooks reads them: a figure that differs
is reported with the series, the quantity and the amount.

Another processor adds up in another order, and where a network is trained for hundreds of
iterations that can be seen in a figure. So `make notebooks` runs each chapter twice, the second
time as an older processor computes, and writes to each series how far the two were apart
("varies"). Four times as much is allowed later, and in the whole figure four times as much as
anywhere in it. A third kind of processor may move them further still: on one that is not of the
kind they were stored on ("stored-on.txt"), series, words and colours are compared, and no number.
What differs by more than a twentieth of its range is not compared. If this is so
for two quantities of a figure or more, another processor may move all of them: then only its
series, words and colours are compared, and no number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import drawn
import nbformat

BOOK = Path(__file__).resolve().parent.parent / "book"
FOLDER = BOOK / "_data" / "figures"
STORED_ON = "stored-on.txt"
TOLERANCE = 0.002  # of a quantity's range: what is less cannot be seen
FACTOR, AT_WILL = 4.0, 0.05
NUMBERS, ALL = "numbers", "all"  # what is not compared in a figure
# Times of the machine at hand, and units drawn at random of which each run has others.
FREE = {"fig-speed-steps", "fig-few-rows", "fig-block-times", "fig-drawn-units"}
NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
Figures = dict[str, Any]


class Change(NamedTuple):
    """One quantity of one series that is not as it is stored."""

    figure: str
    series: str
    quantity: str
    by: float  # in units of the range that is stored; infinite if it cannot be compared
    words: str

    def __str__(self) -> str:
        """Say which figure, which series, and by how much."""
        return f"{self.figure}: {self.series}: {self.quantity} {self.words}".replace(":  ", " ")


def names(notebook: Any, known: Mapping[str, str] | None = None) -> dict[str, tuple[str, str]]:
    """Return the digest of each cell that shows a picture, with its id and its figure's name.

    The notebooks that readers get hold no names; there `known` says what the book calls a cell.
    """
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and any(
            "image/png" in output.get("data", {}) for output in cell.outputs
        ):
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            digest = drawn.digest(cell.source)
            name = figure.get("name") or (known or {}).get(digest, cell.id)
            found[digest] = cell.id, str(name)
    return found


def recorded(notebook: Any, folder: Path, known: Mapping[str, str] | None = None) -> Figures:
    """Return the figures of a notebook from what the kernels have left in a folder.

    A kernel does not know the notebook it executes: it is the one whose cells it has run.
    """
    cells = {drawn.digest(c.source) for c in notebook.cells if c.cell_type == "code"}
    best: list[dict[str, Any]] = []
    most = 0
    for file in sorted(folder.glob("*.jsonl")):
        entries = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        shared = len(cells & {entry["cell"] for entry in entries})
        if shared > most:
            best, most = entries, shared
    drawn_by = {entry["cell"]: entry["figures"] for entry in best if entry["figures"]}
    return {
        name: {"cell": cell, "series": [series for figure in drawn_by[key] for series in figure]}
        for key, (cell, name) in names(notebook, known).items()
        if key in drawn_by
    }


def processor() -> str:
    """Return what decides in which order numpy and BLAS add up here."""
    from importlib import import_module

    from threadpoolctl import threadpool_info

    core: Any = import_module("numpy._core._multiarray_umath")
    kernels = {str(lib.get("architecture")) for lib in threadpool_info()}
    features = [name for name, there in core.__cpu_features__.items() if there]
    return " ".join([*sorted(kernels - {"None"}), *sorted(features)])


def is_of_another_kind() -> bool:
    """Return whether the figures were stored on a processor that adds up in another order."""
    file = FOLDER / STORED_ON
    return file.exists() and file.read_text(encoding="utf-8").strip() != processor()


def changes(stored: Figures, found: Figures, words_only: bool = False) -> list[Change]:
    """Return what is different between the figures stored and those found."""
    result = []
    for name, figure in stored.items():
        if name not in found:
            result.append(Change(name, "the figure", "", math.inf, "is not drawn any more"))
        elif figure.get("varies") != ALL:
            result += _changed_series(name, figure, found[name]["series"], words_only)
    new = [name for name in found if name not in stored]
    return result + [Change(n, "the figure", "", math.inf, "is not stored") for n in new]


def _changed_series(
    figure: str, kept: dict[str, Any], found: list[Any], words_only: bool
) -> list[Change]:
    result = []
    there = {series["series"]: series for series in found}
    stored, anywhere = kept["series"], kept.get("varies", 0.0)
    for series in stored:
        name = series["series"]
        if name not in there:
            result.append(Change(figure, name, "", math.inf, "is not drawn any more"))
            continue
        now, varies = there[name], series.get("varies", {})
        for quantity in [q for q in series if q not in ("series", "varies")]:
            if quantity not in now:
                result.append(Change(figure, name, quantity, math.inf, "is missing"))
                continue
            by, words = difference(series[quantity], now[quantity])
            if words_only or anywhere == NUMBERS:
                by = 0.0 if alike(quantity, series[quantity], now[quantity]) else math.inf
                allowed = 0.0
            else:
                allowed = _allowed(varies.get(quantity, 0.0), anywhere)
            if by > allowed:
                result.append(Change(figure, name, quantity, by, words))
        more = [quantity for quantity in now if quantity not in series]
        result += [Change(figure, name, quantity, math.inf, "is new") for quantity in more]
    known = {series["series"] for series in stored}
    new = [name for name in there if name not in known]
    return result + [Change(figure, name, "", math.inf, "is not stored") for name in new]


def _allowed(varies: float, anywhere: float) -> float:
    return math.inf if varies > AT_WILL else max(TOLERANCE, FACTOR * max(varies, anywhere))


def alike(quantity: str, stored: Any, found: Any) -> bool:
    """Return whether two quantities agree in all but their numbers."""
    if quantity in ("colour", "edge"):
        return set(re.findall("#[0-9a-f]+", stored)) == set(re.findall("#[0-9a-f]+", found))
    if isinstance(stored, str) and isinstance(found, str):
        return NUMBER.sub("0", stored) == NUMBER.sub("0", found)
    if isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        pairs = zip(stored, found, strict=True)
        return all(alike("", a, b) for a, b in pairs if isinstance(a, str))
    return True


def difference(stored: Any, found: Any) -> tuple[float, str]:
    """Return how far two quantities are apart, in units of the range of the first, and words."""
    if isinstance(stored, dict) and isinstance(found, dict):
        return _of_many(stored, found)
    if isinstance(stored, str) and isinstance(found, str):
        return _of_texts([stored], [found])
    if not isinstance(stored, list) or not isinstance(found, list):
        return math.inf, f"was {_short(stored)}, is {_short(found)}"
    if any(isinstance(v, str) for v in [*stored, *found]):
        return _of_texts(stored, found)
    return _of_few(stored, found)


def _of_few(stored: list[float | None], found: list[float | None]) -> tuple[float, str]:
    """Compare numbers of which all are kept; None stands for what is not finite."""
    if [v is None for v in stored] != [v is None for v in found]:
        return math.inf, f"was {_short(stored)}, is {_short(found)}"
    pairs = [(a, b) for a, b in zip(stored, found, strict=True) if a is not None and b is not None]
    if not pairs:
        return 0.0, ""
    values = [a for a, _ in pairs]
    size = max(values) - min(values) or max(map(abs, values)) or 1.0
    apart, a, b = max((abs(a - b), a, b) for a, b in pairs)
    return apart / size, f"was {a:g}, is {b:g}: {_share(apart / size)} of its range"


def _of_many(stored: dict[str, Any], found: dict[str, Any]) -> tuple[float, str]:
    """Compare what is kept of many numbers."""
    for key in ("n", "missing"):
        if stored.get(key) != found.get(key):
            return math.inf, f"had {stored.get('n')} values, has {found.get('n')}"
    if "sums" not in stored or "sums" not in found:
        return 0.0, ""
    low, high = stored["range"]
    size = high - low or abs(high) or 1.0
    squares = [(a - b) ** 2 for a, b in zip(stored["sums"], found["sums"], strict=True)]
    mean = math.sqrt(sum(squares) / len(squares)) / size
    ends = max(abs(a - b) for a, b in zip(stored["range"], found["range"], strict=True)) / size
    words = f"differs by about {_share(mean)} of its range (root mean square)"
    if ends > mean:
        was, now = (f"{v['range'][0]:g} to {v['range'][1]:g}" for v in (stored, found))
        words = f"was {was}, is {now}"
    return max(mean, ends), words


def _of_texts(stored: list[str], found: list[str]) -> tuple[float, str]:
    """Compare words letter by letter, and the numbers in them as numbers."""
    if len(stored) != len(found):
        return math.inf, f"was {_short(stored)}, is {_short(found)}"
    most, words = 0.0, ""
    for a, b in zip(stored, found, strict=True):
        if a == b:
            continue
        by = math.inf
        if NUMBER.sub("0", a) == NUMBER.sub("0", b):
            pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
            by = max(_apart(p, q) for p, q in pairs)
        if by >= most:
            most, words = by, f"was {a!r}, is {b!r}"
    return most, words


def _apart(a: str, b: str) -> float:
    """Return how far two numbers in a text are apart, but for one unit of the last digit."""
    p, q = (float(v.replace("−", "-").replace(",", "")) for v in (a, b))
    mantissa = re.split("e", a)[0]
    unit = 10.0 ** (-len(mantissa.partition(".")[2])) if "e" not in a else 0.0
    return max(0.0, abs(p - q) - 1.01 * unit) / max(abs(p), abs(q), unit or 1e-300)


def _share(part: float) -> str:
    return f"{100 * part:.2g} %"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def with_spread(stored: Figures, *runs: Figures) -> Figures:
    """Return the figures stored, with how far those of other runs are from them at most."""
    apart: dict[str, dict[tuple[str, str], float]] = {}
    torn = set()  # figures whose series differ
    for change in (change for run in runs for change in changes(stored, run)):
        if change.quantity:
            by = 1.0 if math.isinf(change.by) else float(f"{change.by:.2g}")
            place = change.series, change.quantity
            known = apart.setdefault(change.figure, {})
            known[place] = max(by, known.get(place, 0.0))
        else:
            torn.add(change.figure)
    torn |= FREE
    return {
        name: _one(figure, apart.get(name, {}), name in torn) for name, figure in stored.items()
    }


def _one(figure: dict[str, Any], apart: dict[tuple[str, str], float], torn: bool) -> dict[str, Any]:
    """Return a figure with what is to be allowed in it."""
    small = [by for by in apart.values() if by <= AT_WILL]
    if torn or len(apart) - len(small) >= 2:
        return {
            "cell": figure["cell"],
            "varies": ALL if torn else NUMBERS,
            "series": figure["series"],
        }
    series = []
    for each in figure["series"]:
        own = {quantity: by for (name, quantity), by in apart.items() if name == each["series"]}
        series.append(each | ({"varies": own} if own else {}))
    return {"cell": figure["cell"], **({"varies": max(small)} if small else {}), "series": series}


def read(chapter: str) -> Figures:
    """Return the figures stored of a chapter; none if there is no file."""
    file = FOLDER / f"{chapter}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write(chapter: str, figures: Figures) -> None:
    """Store the figures of a chapter, a series a line."""
    lines = []
    for name, figure in figures.items():
        head = json.dumps({k: v for k, v in figure.items() if k != "series"})[1:-1]
        series = ",\n".join(
            f"   {json.dumps(s, ensure_ascii=False, separators=(',', ':'))}"
            for s in figure["series"]
        )
        lines.append(f' {json.dumps(name)}: {{{head}, "series": [\n{series}\n ]}}')
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / STORED_ON).write_text(f"{processor()}\n", encoding="utf-8")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (FOLDER / f"{chapter}.json").write_text(text, encoding="utf-8")


def keep(path: Path, folder: Path) -> None:
    """Store the figures of a notebook that has been executed."""
    write(path.stem, recorded(nbformat.read(path, 4), folder))


def keep_spread(path: Path, folder: Path) -> None:
    """Add to the figures stored how far those of another execution are from them."""
    stored = read(path.stem)
    write(path.stem, with_spread(stored, recorded(nbformat.read(path, 4), folder)))


def compared(path: Path, folder: Path) -> list[str]:
    """Return what is different in the figures of a notebook, which may lack some of its cells."""
    notebook, book = nbformat.read(path, 4), BOOK / path.name
    there = names(nbformat.read(book, 4)) if book.exists() else {}
    known = {digest: name for digest, (_, name) in there.items()}
    shown = {name for _, name in names(notebook, known).values()}
    stored = {name: figure for name, figure in read(path.stem).items() if name in shown}
    found = recorded(notebook, folder, known)
    faults = changes(stored, found, is_of_another_kind())
    lost = shown - stored.keys() - found.keys()
    faults += [Change(n, "the figure", "", math.inf, "is neither stored nor drawn") for n in lost]
    return [f"{path.stem}: {change}" for change in faults]


class Comparison:
    """A plugin for pytest that compares the figures when nbval has executed the notebooks."""

    def __init__(self, paths: list[Path], folder: Path, spread: bool) -> None:
        self.paths, self.folder, self.spread = paths, folder, spread
        self.faults: list[str] = []

    def pytest_sessionfinish(self, session: Any) -> None:
        """Compare, and let the session fail if something is different."""
        if self.spread:
            for path in self.paths:
                keep_spread(path, self.folder)
            return
        self.faults = [fault for path in self.paths for fault in compared(path, self.folder)]
        if self.faults and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List what is different."""
        if self.faults:
            terminalreporter.section("figures that are not as they are stored")
            for fault in self.faults:
                terminalreporter.write_line(fault)
            terminalreporter.write_line(
                "If that is meant: make notebooks ONLY=book/NN-name.ipynb stores them anew."
            )


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments after the folder, and compare the figures at its end."""
    import pytest

    folder, *rest = arguments
    spread = rest[:1] == ["--keep-spread"]
    paths = [Path(argument) for argument in rest if argument.endswith(".ipynb")]
    return int(pytest.main(rest[spread:], plugins=[Comparison(paths, Path(folder), spread)]))


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
