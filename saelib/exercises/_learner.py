"""Which code is the learner's own, and what the learner calls it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ["as_typed", "call_as_typed", "is_learners_code", "name_in_scope", "name_of_answer"]

_LIBRARY = Path(__file__).resolve().parents[1]


@cache
def _is_installed(filename: str) -> bool:
    if filename.startswith(("<frozen", "<__array_function__")):
        return True
    if filename.startswith("<"):
        return False
    if filename.endswith((".pyx", ".pxd", ".pxi")):  # numpy's own compiled code
        return True
    folders = [str(_LIBRARY)]
    folders += [sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return any(filename.startswith(str(folder)) for folder in folders)


def is_learners_code(code: CodeType) -> bool:
    """Return whether code is neither of this library nor of an installed package."""
    return not _is_installed(code.co_filename)


def call_as_typed(checker: str, answer: Any, more: str = "") -> str:
    """Return the call of `checker` as the learner typed it, or '' if that cannot be known.

    The text works as it stands where the checker was called: ``check_sigmoid(sigmoid)``.
    """
    name = name_in_scope(answer, _calling_frame())
    return f"{checker}({name}{more})" if name else ""


def name_of_answer(answer: Any) -> str:
    """Return the name of the variable that holds `answer` where the checker was called, or ''."""
    frame = _calling_frame()
    own = {} if frame is None else {**frame.f_globals, **frame.f_locals}
    # Small integers are shared by many names: only the usual one is believed.
    return "answer" if "answer" in own and own["answer"] is answer else ""


def _calling_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_of_the_checkers(frame.f_code):
        frame = frame.f_back
    return frame


def _is_of_the_checkers(code: CodeType) -> bool:
    return str(Path(code.co_filename).parent) == str(Path(__file__).parent)


def name_in_scope(answer: Any, frame: FrameType | None) -> str:
    """Return an expression for `answer` that can be typed in `frame`, or ''."""
    source = getattr(answer, "typed_as", "")
    if source or frame is None:
        return str(source)
    scope = {**frame.f_globals, **frame.f_locals}
    own = getattr(answer, "__name__", "")
    if scope.get(own) is answer:
        return str(own)
    for name, value in scope.items():
        if value is answer and name.isidentifier() and not name.startswith("_"):
            return str(name)
    owner = getattr(answer, "__self__", None)
    if owner is not None and own and not isinstance(answer, partial):
        of = name_in_scope(owner, frame)
        return f"{of}.{own}" if of else ""
    return ""


def as_typed(function: Callable[..., Any], text: str) -> Callable[..., Any]:
    """Return `function` with the expression that made it, for `name_in_scope`."""
    function.typed_as = text  # type: ignore[attr-defined]
    return function
