"""Follow a learner's own values to the line that does not agree.

Three questions are asked of every statement, in the order in which they are executed. Is the
value that it gives a quantity of the derivation? If not, would one small change in it make the
whole function right, on all inputs? Or would the function be right if the statement gave a
certain quantity of the derivation? A statement of which the second or third is true is the
one to look at, whatever the style of the program; nothing is guessed.
"""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saelib.exercises._changes import Change, as_written, insertions, replacements, slips
from saelib.exercises._compare import agree
from saelib.exercises._derivation import Case, Exercise
from saelib.exercises._match import Kinship, Match, Pool
from saelib.exercises._run import Trouble, call
from saelib.exercises._source import Place, Program, program_of
from saelib.exercises._trace import Trace, traced

__all__ = ["Finding", "follow"]

# What a hole gives, from the parts of its expression, the names in scope and how often it was
# reached; made anew for each input, since a quantity of the derivation is another one there.
Make = Callable[[Pool], Callable[[Sequence[Any], Mapping[str, Any], int], Any]]


@dataclass(frozen=True)
class Finding:
    """What following the values has shown.

    Attributes
    ----------
    lines, hints : tuple of str
        As in a verdict.
    line : int or None
        The line that does not agree.
    certain : bool
        Whether one change in this line has been seen to make the function right.
    """

    lines: tuple[str, ...]
    hints: tuple[str, ...]
    line: int | None
    certain: bool


@dataclass
class Statement:
    """A statement of the learner's, its expressions, and what its values agree with."""

    node: ast.AST
    filename: str
    places: list[Place]
    turn: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    matches: list[Match] = field(default_factory=list)
    reached: bool = False

    @property
    def kinship(self) -> Kinship:
        return min((match.kinship for match in self.matches), default=Kinship.NONE)


@dataclass(frozen=True)
class Success:
    """A change that makes the function right."""

    statement: Statement
    place: Place
    change: Make
    quantity: str = ""


class _Hole:
    """Stands in the place of an expression and decides what comes out of it."""

    def __init__(self, node: ast.expr) -> None:
        self.written = as_written(node)
        self.change: Callable[..., Any] | None = None
        self.turn = 0
        self.scope: dict[str, Any] | None = None
        self.value: Any = None

    def __call__(self, scope: dict[str, Any], *parts: Any) -> Any:
        if self.scope is None:
            self.scope = dict(scope)
        if self.change is None:
            self.value = self.written(parts, scope)
        else:
            self.value = self.change(parts, scope, self.turn)
        self.turn += 1
        return self.value


def follow(
    exercise: Exercise, function: Callable[..., Any], cases: Sequence[Case], deadline: float
) -> Finding | None:
    """Return what can be said of the learner's own lines, or None."""
    if not exercise.steps:
        return None
    search = _Search(exercise, function, cases, deadline)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(search.run, (), max(0.1, deadline - time.monotonic()) + 0.3)
    except Trouble:  # a changed program that never ends; what was found so far stands
        pass
    return search.finding()


class _Search:
    """One search; what it has found stays if it has to be broken off."""

    def __init__(
        self,
        exercise: Exercise,
        function: Callable[..., Any],
        cases: Sequence[Case],
        deadline: float,
    ) -> None:
        self.exercise, self.function, self.cases = exercise, function, cases
        self.deadline = deadline
        self.pools = [Pool(exercise, case.arguments) for case in cases]
        self.rights = [exercise.outcome(*case.arguments) for case in cases]
        self.wrong = 0
        self.trace: Trace | None = None
        self.program: Program | None = None
        self.statements: list[Statement] = []
        self.success: Success | None = None
        self.first: tuple[Statement, Place, str] | None = None
        self.repaired: Callable[..., Any] | None = None

    def run(self) -> None:
        """Look for one change that makes everything right; then for the first wrong value."""
        self.wrong = next(
            (k for k in range(len(self.cases)) if not self._is_right(self.function, k)), 0
        )
        self.trace = traced(self.function, _copies(self.cases[self.wrong].arguments))
        self.program = program_of(self.function)
        if self.program is None:
            return
        try:
            faithful = self.program.rebuilt()
        except Exception:  # a function that cannot be rebuilt is not followed
            self.program = None
            return
        if self._outcome(faithful, self.wrong) != self._outcome(self.function, self.wrong):
            self.program = None
            return
        self.statements = self._order()
        suspects = sorted(self.statements, key=lambda s: (s.kinship > Kinship.SCALED, s.turn))
        for attempt in (self._slips, self._replacements):
            for statement in suspects:
                if self._try(statement, attempt(statement)):
                    return
        self._first_wrong_value()

    def _outcome(self, function: Callable[..., Any], k: int) -> str:
        try:
            return repr(function(*_copies(self.cases[k].arguments)))
        except Exception as error:
            return type(error).__name__

    def _is_right(self, function: Callable[..., Any], k: int) -> bool:
        arguments = self.cases[k].arguments
        try:
            value = self.exercise.read(function(*_copies(arguments)), arguments)
            n = len(self.exercise.outputs)
            parts = tuple(value) if isinstance(value, (tuple, list)) and n > 1 else (value,)
            return agree(tuple(map(_numbers, parts)), self.rights[k], self.exercise.tolerance)
        except Exception:  # a changed program may do anything
            return False

    def _order(self) -> list[Statement]:
        assert self.program is not None
        assert self.trace is not None
        found: dict[int, Statement] = {}
        for place in self.program.places():
            filename = self.program.units[place.unit].function.__code__.co_filename
            key = id(place.statement)
            found.setdefault(key, Statement(place.statement, filename, [])).places.append(place)
        pool = self.pools[self.wrong]
        turns = {(code.co_filename, line): k for k, (code, line) in enumerate(self.trace.order)}
        for statement in found.values():
            lines = _lines(statement)
            seen = [turns[statement.filename, n] for n in lines if (statement.filename, n) in turns]
            statement.reached = bool(seen)
            statement.turn = min(seen, default=len(turns))
            for (code, line), values in self.trace.values.items():
                if code.co_filename == statement.filename and line in lines:
                    statement.values.update(values)
            for value in statement.values.values():
                if isinstance(value, np.ndarray) and value.size and not value.any():
                    continue  # zeros, to be filled or added to
                statement.matches += pool.matches(value)
        reached = [statement for statement in found.values() if statement.reached]
        return reached or list(found.values())

    def _slips(self, statement: Statement) -> Iterator[Any]:
        for generate in (slips, insertions):
            for place in statement.places:
                yield place, generate, None

    def _replacements(self, statement: Statement) -> Iterator[Any]:
        for place in statement.places:
            yield place, None, self.pools[self.wrong].quantities

    def _try(self, statement: Statement, attempts: Iterator[Any]) -> bool:
        for place, generate, quantities in attempts:
            if time.monotonic() > self.deadline:
                return False
            for success in self._successes(statement, place, generate, quantities):
                self.success = success
                return True
        return False

    def _successes(
        self, statement: Statement, place: Place, generate: Any, quantities: Any
    ) -> Iterator[Success]:
        assert self.program is not None
        try:
            hole = _Hole(place.node)
            changed = self.program.rebuilt(place, hole)
        except Exception:  # an expression that cannot be replaced
            return
        self._is_right(changed, self.wrong)
        scope = hole.scope
        if scope is None:
            return
        candidates: Iterator[tuple[Make, str]]
        if generate is not None:
            candidates = ((_changing(change), "") for change in generate(place.node, scope))
        else:
            candidates = (
                (_giving(name, layout), name)
                for name, value in quantities.items()
                for layout in replacements(value)
            )
        for make, quantity in candidates:
            if time.monotonic() > self.deadline:
                return
            if all(
                self._right_with(changed, hole, make, k)
                for k in (self.wrong, *range(len(self.cases)))
            ):
                hole.change, hole.turn = make(self.pools[self.wrong]), 0
                self.repaired = changed
                yield Success(statement, place, make, quantity)

    def _right_with(self, changed: Callable[..., Any], hole: _Hole, make: Any, k: int) -> bool:
        hole.change, hole.turn = make(self.pools[k]), 0
        return self._is_right(changed, k)

    def _first_wrong_value(self) -> None:
        """Find a first assignment that one change turns into a quantity of the derivation."""
        pool = self.pools[self.wrong]
        had = {m.name for s in self.statements for m in s.matches if m.kinship is Kinship.EXACT}
        for statement in sorted(self.statements, key=lambda s: s.turn):
            if statement.kinship is Kinship.EXACT or not statement.matches:
                continue
            node = statement.node
            if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
                return
            for place in statement.places:
                name = self._local_change(place, node, pool, had)
                if name:
                    self.first = (statement, place, name)
                    return
            if statement.kinship is not Kinship.DERIVED:
                return

    def _local_change(self, place: Place, statement: ast.Assign, pool: Pool, had: set[str]) -> str:
        assert self.program is not None
        target = statement.targets[0]
        assert isinstance(target, ast.Name)
        try:
            hole = _Hole(place.node)
            changed = self.program.rebuilt(place, hole)
            arguments = self.cases[self.wrong].arguments
            self._is_right(changed, self.wrong)
        except Exception:
            return ""
        scope = hole.scope
        if scope is None:
            return ""
        for generate in (slips, insertions):
            for change in generate(place.node, scope):
                if time.monotonic() > self.deadline:
                    return ""
                hole.change, hole.turn = _changing(change)(pool), 0
                value = _value_of(changed, _copies(arguments), target.id, place.line)
                match = pool.match(value)
                if (
                    match.kinship is Kinship.EXACT
                    and pool.words.get(match.name)
                    and match.name not in had
                    and np.shape(value) in {pool.quantities[match.name].shape}
                ):
                    return match.name
        return ""

    def finding(self) -> Finding | None:
        """Return in words what was found."""
        if self.success is not None:
            return self._one_change(self.success)
        if self.first is not None:
            statement, place, name = self.first
            text = self._text(place)
            words = self.pools[self.wrong].words[name]
            target = statement.node.targets[0].id  # type: ignore[attr-defined]
            lines = (
                f"{self._agreement(statement)}Line {place.line}, `{text}`, is the first that does "
                f"not: `{target}` should be {words}.",
                "It is not the only one: with this line right, the result is still wrong.",
            )
            hints = (f"Compare line {place.line} with the book, then check again.",)
            return Finding(lines, hints, place.line, certain=False)
        return None

    def _one_change(self, success: Success) -> Finding:
        place, pool = success.place, self.pools[self.wrong]
        text = self._text(place)
        lines = [
            f"{self._agreement(success.statement)}Line {place.line}, `{text}`, is the one to look "
            "at: with one change there everything is right."
        ]
        words = self._should_be(success, pool)
        if words:
            lines.append(words)
        hints = [f"Read line {place.line} aloud, sign by sign, beside {self._equation(success)}."]
        part = _short(ast.unparse(place.node))
        if part != text:
            hints.append(f"In line {place.line} look at `{part}`.")
        return Finding(tuple(lines), tuple(hints), place.line, certain=True)

    def _text(self, place: Place) -> str:
        assert self.program is not None
        return _short(self.program.source_line(place))

    def _agreement(self, statement: Statement) -> str:
        names = []
        for other in sorted(self.statements, key=lambda s: s.turn):
            if other.turn < statement.turn and other.kinship is Kinship.EXACT:
                names += [name for name in other.values if name != "return"]
        shown = [f"`{name}`" for name in dict.fromkeys(names)][-4:]
        if not shown:
            return ""
        verb = "agrees" if len(shown) == 1 else "agree"
        listed = shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
        return f"Up to there {listed} {verb} with the book. "

    def _should_be(self, success: Success, pool: Pool) -> str:
        """Return by name what the statement, or the part of it, should give."""
        if success.quantity and pool.words[success.quantity]:
            part = _short(ast.unparse(success.place.node))
            return f"`{part}` should be {pool.words[success.quantity]}."
        assert self.repaired is not None
        trace = traced(self.repaired, _copies(self.cases[self.wrong].arguments))
        for (code, line), values in trace.values.items():
            if code.co_filename != success.statement.filename:
                continue
            if line not in _lines(success.statement):
                continue
            for name, value in values.items():
                match = pool.match(value)
                if match.kinship is Kinship.EXACT and pool.words.get(match.name):
                    what = "the result" if name == "return" else f"`{name}`"
                    return f"Then {what} is {pool.words[match.name]}."
        return ""

    def _equation(self, success: Success) -> str:
        return self.exercise.chapter


def _changing(change: Change) -> Make:
    return lambda pool: lambda parts, scope, turn: change(parts, scope)


def _giving(name: str, layout: Callable[[Any, int], Any]) -> Make:
    return lambda pool: lambda parts, scope, turn: layout(pool.quantities[name], turn)


def _value_of(function: Callable[..., Any], arguments: Any, name: str, line: int) -> Any:
    trace = traced(function, arguments)
    for (_, at), values in trace.values.items():
        if at == line and name in values:
            return values[name]
    return None


def _lines(statement: Statement) -> range:
    node = statement.node
    first = node.lineno  # type: ignore[attr-defined]
    last = max((place.node.end_lineno or first for place in statement.places), default=first)
    return range(first, last + 1)


def _numbers(part: Any) -> Any:
    array = np.asarray(part)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)


def _short(source: str) -> str:
    return source if len(source) <= 90 else f"{source[:87]}..."
