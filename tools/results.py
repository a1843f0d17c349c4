"""Keep the results of the cells that a browser would take too long for.

Called inside the kernel while `tools/notebooks.py` executes a chapter:

    import results; results.watch("book/03-sparsity.ipynb")

A cell that keeps the processor busy for longer than `HEAVY` seconds leaves a file in
book/_data/results: the values of the names that later cells take from it, which of its statements
took the time, and where the numbers come from. The page reads it instead of running those
statements, until the reader asks for the real run or changes the code. The file says for which
code it holds, and a test asks whether that is still the code of the chapter.
"""

from __future__ import annotations

import ast
import builtins
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
LIVE = ROOT / "book" / "_live"
FOLDER = ROOT / "book" / "_data" / "results"
sys.path.insert(0, str(LIVE))

import cells  # noqa: E402
from results_format import NotPlainError, pack  # noqa: E402

HEAVY = 1.5  # processor seconds here; a browser takes ten times as long, and more
LONG_STATEMENT = 0.3
STAYS_HEAVY = 0.7  # a cell that has a file keeps it down to here, whatever the day's speed
PACKAGES = ("numpy", "scipy", "scikit-learn", "saelib")


def visible_code(notebook: Any) -> list[Any]:
    """Return the code cells that the page of a chapter shows, in order."""
    hidden = {"remove-cell", "remove-input"}
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and not hidden & set(cell.metadata.get("tags", []))
    ]


def chapter_of(notebook: Any) -> cells.Chapter:
    """Return what the cells of a chapter need of each other."""
    code = visible_code(notebook)
    skip = [k for k, cell in enumerate(code) if "solution" in cell.metadata.get("tags", [])]
    return cells.Chapter([cell.source for cell in code], skip)


def file_of(chapter: str, cell_id: str) -> Path:
    """Return where the result of a cell is kept."""
    return FOLDER / f"{chapter}.{cell_id}.safetensors"


class Clock:
    """The processor seconds of this process and of those that it has started, so far."""

    SECONDS = 0.2  # between two looks at other processes, which cost milliseconds

    def __init__(self) -> None:
        self.looked, self.others = time.monotonic(), self._others()

    def __call__(self) -> float:
        """Return the seconds."""
        if time.monotonic() - self.looked > self.SECONDS:
            self.looked, self.others = time.monotonic(), self._others()
        return time.process_time() + self.others

    def _others(self) -> float:
        import psutil

        this = psutil.Process()
        ended = this.cpu_times()
        total = ended.children_user + ended.children_system
        for other in this.children(recursive=True):
            try:
                spent = other.cpu_times()
            except psutil.Error:  # it has ended since
                continue
            total += spent.user + spent.system + spent.children_user + spent.children_system
        return float(total)


class Laps(ast.NodeTransformer):
    """Note the processor's time before every statement of a cell."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Put a call before each statement; the last one stays the last, and is displayed."""
        body: list[ast.stmt] = []
        for statement in node.body:
            body += [ast.copy_location(ast.parse("__lap__()").body[0], statement), statement]
        return ast.fix_missing_locations(ast.Module(body, node.type_ignores))


def watch(path: str) -> None:
    """Keep what the heavy cells of a notebook leave behind, while this kernel executes it."""
    from IPython import get_ipython

    from saelib import natural_images

    place = Path(path)
    notebook = nbformat.read(place, as_version=4)
    code, chapter = visible_code(notebook), chapter_of(notebook)
    laps: list[float] = []
    waiting = list(range(len(code)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    natural_images()  # what takes time only once, the import of scikit-image, is over before
    shell = get_ipython()
    clock = Clock()
    builtins.__lap__ = lambda: laps.append(clock())  # type: ignore[attr-defined]

    def after(result: Any) -> None:
        end = clock()
        seconds = np.diff([*laps, end])
        laps.clear()
        index = next((k for k in waiting if code[k].source == result.info.raw_cell), None)
        if index is None or not result.success:
            return
        waiting.remove(index)
        target = file_of(place.stem, code[index].id)
        if seconds.sum() < (STAYS_HEAVY if target.exists() else HEAVY):
            return
        keep(target, chapter, index, seconds, shell.user_ns)

    shell.ast_transformers.append(Laps())
    shell.events.register("post_run_cell", after)


def keep(
    target: Path, chapter: cells.Chapter, index: int, seconds: Any, namespace: dict[str, Any]
) -> None:
    """Write the result of a heavy cell, if later cells can do with what can be written."""
    from safetensors.numpy import save_file

    statements = cells.parsed(chapter.sources[index])
    own = [cells.names_in([statement]) for statement in statements]
    wanted, plain = chapter.wanted_later(index), packable(chapter.names[index], namespace)
    left_out = [
        k
        for k, spent in enumerate(seconds)
        if spent > LONG_STATEMENT
        and not isinstance(statements[k], cells.DEFINITIONS)
        and _used(own, k, wanted) <= plain
    ]
    if not left_out:
        return
    needed = set().union(*(_used(own, k, wanted) for k in left_out)) | (wanted & plain)
    arrays: dict[str, Any] = {}
    names = {name: pack(namespace[name], arrays) for name in sorted(needed)}
    description = {
        "code": chapter.digest(index),
        "statements": left_out,
        "seconds": round(float(seconds.sum()), 1),
        "names": names,
        "made": {
            "by": "make notebooks",
            "on": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }
    save_file(arrays, target, {"description": json.dumps(description)})
    target.chmod(0o644)  # it is for everybody, as it lies on a server


def packable(names: cells.Names, namespace: dict[str, Any]) -> set[str]:
    """Return those of the names that a cell sets or changes which a file can hold."""
    found = set()
    for name in (names.sets | names.changes) & namespace.keys():
        try:
            pack(namespace[name], {})
        except NotPlainError:
            continue
        found.add(name)
    return found


def _used(own: list[cells.Names], index: int, wanted: frozenset[str]) -> frozenset[str]:
    """Return what a statement sets or changes and other statements or later cells take."""
    others = [names.reads | names.changes for k, names in enumerate(own) if k != index]
    return (own[index].sets | own[index].changes) & wanted.union(*others)


def in_kernel(path: Path) -> str:
    """Return the line that makes a kernel keep the results of this notebook.

    It is an expression, so that it leaves no name behind for the cells to find.
    """
    tools = str(Path(__file__).parent)
    return f"__import__('sys').path.append({tools!r}) or __import__('results').watch({str(path)!r})"


def forget_before(chapter: str, moment: float) -> None:
    """Remove the files of a chapter that its last execution did not write."""
    for path in FOLDER.glob(f"{chapter}.*.safetensors"):
        if path.stat().st_mtime < moment:
            path.unlink()
