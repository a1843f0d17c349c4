"""Run the cells of a chapter inside the page: what a notebook's kernel does, as far as needed.

The worker sets `emit`, a function of the kind of an output and of its text, and calls `plan` and
`run`. Everything else that a cell shows goes through `emit`.
"""

from __future__ import annotations

import ast
import base64
import builtins
import io
import linecache
import sys
import time
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import cells
import results_format

SECONDS_BETWEEN_FLUSHES = 0.1
HIDDEN = (__file__,)  # whose lines no reader wants to see in a traceback


def emit(kind: str, text: str) -> None:
    """Hand on an output; the worker puts its own function here."""


namespace: dict[str, Any] = {}
done = cells.Plan()


class Stream(io.TextIOBase):
    """A standard stream that hands on what is written to it, many small pieces together."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.last = 0.0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Take some text, and hand it on unless that was done just before."""
        self.pieces.append(text)
        if time.monotonic() - self.last > SECONDS_BETWEEN_FLUSHES:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Hand on what is waiting."""
        if self.pieces:
            emit(self.kind, "".join(self.pieces))
        self.pieces, self.last = [], time.monotonic()


def display(value: Any) -> None:
    """Show a value as a notebook does: as HTML if it knows how, else as text."""
    sys.stdout.flush()
    as_html = getattr(value, "_repr_html_", None)
    html = as_html() if callable(as_html) else None
    if html is None:
        emit("result", repr(value))
    else:
        emit("html", html)


def start() -> None:
    """Begin with an empty namespace, and show what is written from now on."""
    namespace.clear()
    namespace.update({"__name__": "__main__", "__builtins__": builtins})
    builtins.display = display  # type: ignore[attr-defined]
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    done.done.clear()
    done.maker.clear()


def plan(target: int, sources: Sequence[str], skip: Sequence[int]) -> list[tuple[int, str]]:
    """Return the cells to run for `target`, in order, each with the name of its code.

    The name, see `cells.Chapter.digest`, tells whether a stored result holds for it.
    """
    chapter = cells.Chapter(sources, skip)
    return [(index, chapter.digest(index)) for index in done.order(target, chapter)]


def run(
    index: int,
    source: str,
    name: str,
    stored: bytes | None = None,
    loadable: Sequence[str] = (),
) -> str:
    """Run a cell, or read its stored result; return "ok", "failed", "right" or "wrong".

    The last two are for a cell whose value is the verdict on an exercise. If one of the modules
    in `loadable` turns out to be missing, that is "missing NAME", and the cell is to be run again.
    """
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        if stored is not None:
            _run_from(stored, source, filename)
            outcome = "ok"
        else:
            outcome = _verdict(_run_all(source, filename))
        _flush()
        _show_figures()
    except BaseException as error:
        module = missing_module(error)
        if module in loadable:
            return f"missing {module}"
        _flush()
        emit("error", told(error))
        outcome = "failed"
    finally:
        _close_figures()
    done.note(index, source, outcome != "failed")
    return outcome


def _run_all(source: str, filename: str) -> Any:
    tree = ast.parse(source, filename)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        exec(compile(tree, filename, "exec"), namespace)
        return None
    tree.body.pop()
    exec(compile(tree, filename, "exec"), namespace)
    value = eval(compile(ast.Expression(last.value), filename, "eval"), namespace)
    if value is not None:
        display(value)
    return value


def _run_from(stored: bytes, source: str, filename: str) -> None:
    """Take what a cell left behind, and run only what makes names that were not kept.

    A statement whose names were kept must not be run: it may change them a second time.
    """
    kept, description = results_format.values(stored)
    left_out = set(description["statements"])
    namespace.update(kept)
    for k, statement in enumerate(ast.parse(source, filename).body):
        own = cells.names_in([statement])
        if k not in left_out and (own.sets | own.changes) - kept.keys():
            exec(compile(ast.Module([statement], []), filename, "exec"), namespace)
    namespace.update(kept)


def _verdict(value: Any) -> str:
    correct = getattr(value, "correct", None)
    return "ok" if not isinstance(correct, bool) else "right" if correct else "wrong"


def missing_module(error: BaseException | None) -> str:
    """Return the outermost module whose absence an error is about, or nothing."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name.partition(".")[0]
        error = error.__cause__ or error.__context__
    return ""


def told(error: BaseException) -> str:
    """Return a traceback that begins in the reader's own code."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in HIDDEN:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _show_figures() -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        file = io.BytesIO()
        pyplot.figure(number).savefig(file, format="png", bbox_inches="tight")
        emit("png", base64.b64encode(file.getvalue()).decode())


def _close_figures() -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
