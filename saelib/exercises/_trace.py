"""The values of a learner's variables, line by line, while their function runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from saelib.exercises._learner import is_learners_code

__all__ = ["NUMBER", "Trace", "traced"]

_MOST_EVENTS = 20_000  # a loop over everything would otherwise cost more than it tells

NUMBER = (np.ndarray, float, int, np.number)  # the types that are followed


@dataclass
class Trace:
    """What was seen: the places in the order of their first execution, and their last values.

    Attributes
    ----------
    order : list of (code, int)
        Code and line, each once, in the order in which they were first executed.
    values : dict
        For each of them the values that it gave last, by the name of the variable; a value
        that was returned goes by ``"return"``.
    given : dict
        For each function the arguments of its last call, by name.
    """

    order: list[tuple[CodeType, int]] = field(default_factory=list)
    values: dict[tuple[CodeType, int], dict[str, Any]] = field(default_factory=dict)
    given: dict[CodeType, dict[str, Any]] = field(default_factory=dict)


def traced(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Trace:
    """Run ``function(*arguments)`` and return what its own lines did; an error ends it early."""
    trace, events = Trace(), 0
    # Per frame: the line that is being executed, and copies of the variables before it.
    running: dict[FrameType, tuple[int, dict[str, Any]]] = {}

    def finish(frame: FrameType) -> None:
        line, before = running[frame]
        now = _numbers(frame.f_locals)
        key = frame.f_code, line
        for name, value in now.items():
            if name not in before or not _same(before[name], value):
                trace.values.setdefault(key, {})[name] = value

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal events
        events += 1
        if events > _MOST_EVENTS:
            return None
        if event in ("line", "return") and frame in running:
            finish(frame)
        if event == "line":
            key = frame.f_code, frame.f_lineno
            if key not in trace.values:
                trace.values[key] = {}
                trace.order.append(key)
            running[frame] = frame.f_lineno, _numbers(frame.f_locals)
        elif event == "return":
            line = running.pop(frame, (frame.f_lineno, {}))[0]
            name = frame.f_code.co_name
            if argument is not None and (name == "<lambda>" or not name.startswith("<")):
                trace.values.setdefault((frame.f_code, line), {})["return"] = argument
        return watch

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not is_learners_code(frame.f_code):
            return None
        running[frame] = frame.f_lineno, _numbers(frame.f_locals)
        trace.given[frame.f_code] = running[frame][1]
        return watch

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        function(*arguments)
    except Exception:  # what was seen up to there is what is wanted
        pass
    finally:
        sys.settrace(before)
    return trace


def _numbers(scope: dict[str, Any]) -> dict[str, Any]:
    """Return copies, since a later line may write into the same array."""
    found: dict[str, Any] = {}
    for name, value in scope.items():
        if isinstance(value, np.ndarray):
            found[name] = value.copy()
        elif isinstance(value, (float, int, np.number)):
            found[name] = value
        elif isinstance(value, list) and value and isinstance(value[0], NUMBER):
            try:
                found[name] = np.array(value, dtype=np.float64)
            except (TypeError, ValueError):  # rows of different lengths
                continue
    return found


def _same(before: Any, now: Any) -> bool:
    return np.shape(before) == np.shape(now) and bool(np.all((before == now) | (before != before)))
