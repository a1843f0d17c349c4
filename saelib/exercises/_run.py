"""Run a learner's function with a watch on it: errors, time, changed inputs, odd results."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

__all__ = ["Trouble", "run"]


class Trouble(Exception):  # noqa: N818 - not an error of the program but a finding about the function
    """The function did not give a usable result; the text says why."""

    def __init__(self, kind: str, text: str, hint: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.hint = hint


class _TimeIsUp(BaseException):
    pass


def run(
    function: Callable[..., Any], arguments: tuple[Any, ...], n_results: int, time_limit: float
) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the results of ``function(*arguments)`` as a tuple of arrays, or raise Trouble."""
    if not callable(function):
        raise Trouble(
            "not-a-function",
            f"You passed a {type(function).__name__}, not a function.",
            "Write the name of the function without brackets: check(f), not check(f(x)).",
        )
    given = tuple(_copy(argument) for argument in arguments)
    value = _call(function, given, time_limit)
    for position, (before, after) in enumerate(zip(arguments, given, strict=True), start=1):
        if not _same(before, after):
            raise Trouble(
                "input-changed",
                f"The function changes its argument number {position} in place, so the caller's "
                "data are spoiled after the call.",
                "Operations such as x -= ... and x[...] = ... write into the array that you were "
                "given; work on a new array instead.",
            )
    return _arrays(value, n_results)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], time_limit: float) -> Any:
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            with np.errstate(all="ignore"):
                outcome["value"] = function(*arguments)
        except _TimeIsUp:
            outcome["late"] = True
        except BaseException as error:
            outcome["error"] = error

    # A thread can be given up on any system; signals exist only on some, in the main thread only.
    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # Python in a browser has no threads
        _with_deadline(work, time.monotonic() + time_limit)
    else:
        thread.join(time_limit)
        if thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TimeIsUp)
            )
            outcome["late"] = True
    if "late" in outcome:
        raise Trouble(
            "too-slow",
            f"The function was still running after {time_limit:g} seconds and was stopped.",
            "Look for a loop that never ends. If it only is slow: whole-array operations such as "
            "X @ W.T do in one line what loops over examples and units do one number at a time.",
        )
    if "error" in outcome:
        raise _trouble_of(outcome["error"])
    return outcome["value"]


def _with_deadline(work: Callable[[], None], deadline: float) -> None:
    """Do `work`, and raise _TimeIsUp inside of it at its first line after the deadline."""

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TimeIsUp
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        work()
    finally:
        sys.settrace(before)


def _trouble_of(error: BaseException) -> Trouble:
    if isinstance(error, NotImplementedError):
        return Trouble(
            "not-written",
            "The function still raises NotImplementedError.",
            "Replace the last line of the stub by your own code.",
        )
    name, text = type(error).__name__, str(error).splitlines()[0] if str(error) else ""
    hint = "Call the function on a small example of your own and read the last line of the error."
    if isinstance(error, ValueError) and ("shape" in text or "matmul" in text or "align" in text):
        hint = "Write the shape of every factor under the formula; one of them needs a .T."
    if isinstance(error, TypeError) and "argument" in text:
        hint = "Compare the arguments of your function with those in the task, in their order."
    if isinstance(error, IndexError):
        hint = "Which is the largest index that is still inside? It is one less than the length."
    return Trouble("raises", f"The function stopped with {name}: {text}", hint)


def _arrays(value: Any, n_results: int) -> tuple[np.ndarray[Any, Any], ...]:
    if value is None or value is Ellipsis:
        raise Trouble(
            "nothing-returned",
            "The function gives back nothing (None).",
            "Does it end with return? A function without it gives None.",
        )
    several = isinstance(value, tuple) or (n_results > 1 and isinstance(value, list))
    parts = tuple(value) if several else (value,)
    arrays = []
    for part in parts:
        try:
            array = np.asarray(part)
            array = array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
        except (TypeError, ValueError):
            raise Trouble(
                "not-numbers",
                f"The function gives back a {type(part).__name__} where numbers are asked for.",
                "Return a number, an array, or a tuple of them as the task says.",
            ) from None
        arrays.append(array)
    return tuple(arrays)


def _copy(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.copy()
    if isinstance(argument, list):
        return [_copy(item) for item in argument]
    return argument


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return before.shape == np.shape(after) and np.array_equal(before, after, equal_nan=True)
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return True
