"""The smallest input on which an answer fails, as a small table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import product
from typing import Any

import numpy as np

from saelib.exercises._compare import agree, as_arrays
from saelib.exercises._derivation import IMPOSSIBLE, Exercise
from saelib.exercises._run import Trouble, run

__all__ = ["Example", "smallest_example"]


@dataclass(frozen=True)
class Example:
    """An input on which the answer is wrong, the result that it gives and the right one.

    Attributes
    ----------
    arguments : mapping of str to object
        The arguments by name.
    yours : mapping of str to object
        What the learner's function gives, by the names of the results; or what stopped it.
    right : mapping of str to object
        What it should give.
    """

    arguments: Mapping[str, Any]
    yours: Mapping[str, Any]
    right: Mapping[str, Any]

    def __repr__(self) -> str:
        lines = [f"{name} = {_text(value)}" for name, value in self.arguments.items()]
        for name, value in self.right.items():
            lines.append(f"{name}: yours {_text(self.yours.get(name, ''))}, right {_text(value)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>"
            for name, value in ((name, _text(value)) for name, value in self.arguments.items())
        )
        results = "".join(
            f"<tr><th>{escape(name)}</th><td>yours <code>"
            f"{escape(_text(self.yours.get(name, '')))}</code></td>"
            f"<td>right <code>{escape(_text(value))}</code></td></tr>"
            for name, value in self.right.items()
        )
        return f'<table class="example">{rows}{results}</table>'


def smallest_example(
    exercise: Exercise, function: Callable[..., Any], time_limit: float
) -> Example | None:
    """Return a small input with round numbers on which `function` fails, or None."""
    for case in reversed(exercise.cases(np.random.default_rng(0))):
        found = _shrunk(exercise, function, case.arguments, time_limit)
        if found is not None:
            return found
    return None


def _shrunk(
    exercise: Exercise, function: Callable[..., Any], arguments: tuple[Any, ...], limit: float
) -> Example | None:
    best = _failure(exercise, function, arguments, limit)
    if best is None:
        return None
    for small in _smaller(exercise, arguments):
        failure = _failure(exercise, function, small, limit)
        if failure is not None:
            arguments, best = small, failure
            break
    for digits in (2, 1):
        rounded = tuple(_rounded(argument, digits) for argument in arguments)
        best = _failure(exercise, function, rounded, limit) or best
    return best


def _smaller(exercise: Exercise, arguments: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield smaller inputs, the smallest first."""
    if any(map(callable, arguments)):  # a function of a vector wants its own length
        return
    if not exercise.axes:  # entry by entry: one of them is enough
        for k in range(max(np.size(argument) for argument in arguments)):
            yield tuple(
                argument.ravel()[k : k + 1] if isinstance(argument, np.ndarray) else argument
                for argument in arguments
            )
        return
    letters = sorted(set("".join(exercise.axes.values())))
    for sizes in sorted(product((1, 2, 3), repeat=len(letters)), key=sum):
        yield _cut(exercise, arguments, dict(zip(letters, sizes, strict=True)))


def _cut(exercise: Exercise, arguments: tuple[Any, ...], size: dict[str, int]) -> tuple[Any, ...]:
    small = []
    for name, argument in zip(exercise.arguments, arguments, strict=True):
        axes = exercise.axes.get(name, "")
        whole = np.ndim(argument) != len(axes) or not axes
        small.append(argument if whole else argument[tuple(slice(size[a]) for a in axes)])
    return tuple(small)


def _rounded(argument: Any, digits: int) -> Any:
    has_digits = isinstance(argument, (np.ndarray, float)) and np.asarray(argument).dtype != bool
    return np.round(argument, digits) if has_digits else argument


def _failure(
    exercise: Exercise, function: Callable[..., Any], arguments: tuple[Any, ...], limit: float
) -> Example | None:
    try:
        wanted = exercise.outcome(*arguments)
    except IMPOSSIBLE:  # there are no two largest of one
        return None
    right = as_arrays(wanted)
    # On a tiny input the right result can be 0/0 or all zero, which would explain nothing.
    if not all(np.isfinite(part).all() for part in right) or not any(map(np.any, right)):
        return None
    names = exercise.outputs
    try:
        got = run(function, arguments, len(right), limit, exercise.read)
        if agree(got, wanted, 1e-6):
            return None
        yours: dict[str, Any] = dict(zip(names, got, strict=False))
    except Trouble as trouble:
        yours = dict.fromkeys(names, str(trouble))
    shown = {
        name: argument
        for name, argument in zip(exercise.arguments, arguments, strict=True)
        if not callable(argument)
    }
    return Example(shown, yours, dict(zip(names, right, strict=True)))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    with np.printoptions(precision=4, suppress=True):
        return " ".join(str(np.round(np.asarray(value, dtype=np.float64), 4)).split())
