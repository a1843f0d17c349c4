"""Run a learner's function with a watch on it: errors, time, changed inputs, odd results."""

from __future__ import annotations

import ctypes
import inspect
import math
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from saelib.exercises._learner import is_learners_code
from saelib.exercises._raised import explain

__all__ = ["Trouble", "call", "run", "valid_time_limit"]


class Trouble(Exception):  # noqa: N818 - not an error of the program but a finding about the function
    """The function did not give a usable result; the text says why."""

    def __init__(
        self, kind: str, text: str, hint: str, *, waits_for: str = "", where: tuple[int, ...] = ()
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.hint = hint
        self.waits_for = waits_for
        self.where = where


class _TimeIsUp(BaseException):
    pass


def valid_time_limit(time_limit: Any) -> float:
    """Return the time limit in seconds, or raise ValueError if it is none."""
    try:
        seconds = float(time_limit) if not isinstance(time_limit, str) else math.nan
    except (TypeError, ValueError):
        seconds = math.nan
    # A thread cannot be waited for longer than threading.TIMEOUT_MAX.
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ValueError(
            f"time_limit is {time_limit!r}; it must be a number of seconds greater than 0, such "
            "as time_limit=10"
        )
    return seconds


def run(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    n_results: int,
    time_limit: float,
    read: Callable[[Any, tuple[Any, ...]], Any] = lambda value, arguments: value,
) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the results of ``function(*arguments)`` as a tuple of arrays, or raise Trouble.

    `read` may bring a result that is given in another form, such as a flat vector, to that of
    the task before it is looked at.
    """
    if not callable(function):
        raise Trouble(
            "not-a-function",
            f"You passed a {type(function).__name__}, not a function.",
            "Write the name of the function without brackets: check(f), not check(f(x)).",
        )
    given = tuple(_copy(argument) for argument in arguments)
    value = call(function, given, time_limit)
    for position, (before, after) in enumerate(zip(arguments, given, strict=True), start=1):
        if not _same(before, after):
            raise Trouble(
                "input-changed",
                f"The function changes its argument number {position}"
                f"{_name_of_argument(function, position)} in place, so the caller's "
                "data are spoiled after the call.",
                "Operations such as x -= ... and x[...] = ... write into the array that you were "
                "given; work on a new array instead.",
            )
    return _arrays(read(value, arguments), n_results)


def _name_of_argument(function: Callable[..., Any], position: int) -> str:
    try:
        arguments = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a compiled function
        return ""
    named = all(argument.kind is not argument.VAR_POSITIONAL for argument in arguments)
    return f", `{arguments[position - 1].name}`," if named and position <= len(arguments) else ""


def call(function: Callable[..., Any], arguments: tuple[Any, ...], time_limit: float) -> Any:
    """Return ``function(*arguments)``; raise Trouble if it raises or takes too long."""
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
        try:
            thread.join(time_limit)
        except BaseException:  # Ctrl-C: the learner's function must not run on for ever
            _stop(thread)
            raise
        if thread.is_alive():
            _stop(thread)
            outcome["late"] = True
    if "late" in outcome:
        raise Trouble(
            "too-slow",
            f"The function was still running after {time_limit:g} seconds and was stopped.",
            "Look for a loop that never ends. If it only is slow: whole-array operations such as "
            "X @ W.T do in one line what loops over examples and units do one number at a time.",
        )
    if "error" in outcome:
        raise _trouble_of(outcome["error"], function)
    return outcome["value"]


def _stop(thread: threading.Thread) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TimeIsUp)
    )
    # Its next line raises; wait for that, so that two threads do not compile at the same time.
    threading.Thread.join(thread, 1.0)


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
    except _TimeIsUp:  # raised before the first line of the function
        pass
    finally:
        sys.settrace(before)


def _trouble_of(error: BaseException, function: Callable[..., Any]) -> Trouble:
    code = _code_at_the_end(error.__traceback__)
    if isinstance(error, NotImplementedError) and (code is None or is_learners_code(code)):
        own = getattr(function, "__code__", None)
        if code is None or own is None or code is own:
            return Trouble(
                "not-written",
                "The function still raises NotImplementedError.",
                "Replace the last line of the stub by your own code.",
            )
        stub = code.co_name
        return Trouble(
            "not-written",
            f"It calls {stub}, and {stub} still raises NotImplementedError.",
            f"Write {stub} first: replace the last line of its stub by your own code, and run "
            "its cell again.",
            waits_for=stub,
        )
    text, hint, line = explain(error)
    return Trouble("raises", text, hint, where=() if line is None else (line,))


def _code_at_the_end(traceback: TracebackType | None) -> CodeType | None:
    code = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        traceback = traceback.tb_next
    return code


def _arrays(value: Any, n_results: int) -> tuple[np.ndarray[Any, Any], ...]:
    if value is None or value is Ellipsis:
        raise Trouble(
            "nothing-returned",
            "The function gives back nothing (None).",
            "Does it end with return? A function without it gives None.",
        )
    several = isinstance(value, tuple) or (n_results > 1 and isinstance(value, list))
    return tuple(_array(part) for part in (tuple(value) if several else (value,)))


def _array(part: Any) -> np.ndarray[Any, Any]:
    """Return a copy, since a function may write its next result into the same array."""
    try:
        # The values of a tensor that requires a gradient are right values all the same.
        array = np.asarray(part.detach() if hasattr(part, "detach") else part)
        if array.dtype.kind == "O" and not any(
            isinstance(entry, (str, bytes, complex)) for entry in array.flat
        ):
            array = array.astype(np.float64)
        if array.dtype.kind in "biu":
            array = array.astype(np.float64)
    except Exception:  # whatever the object's own conversion raises
        array = np.asarray("no numbers")
    if array.dtype.kind == "f":
        return array.copy()
    kind = "complex number" if array.dtype.kind == "c" else type(part).__name__
    raise Trouble(
        "not-numbers",
        f"The function gives back a {kind} where numbers are asked for.",
        "Return a number, an array, or a tuple of them as the task says.",
    )


def _copy(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return argument.copy()
    if isinstance(argument, list):
        return [_copy(item) for item in argument]
    return argument


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        # t += h; t -= 2 * h; t += h gives t back up to rounding, which spoils nobody's data.
        return before.shape == np.shape(after) and np.allclose(
            before, after, rtol=1e-12, atol=1e-12, equal_nan=True
        )
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return True
