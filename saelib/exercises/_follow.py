"""Follow a learner's own values to the line that does not agree.

Three questions are asked of every statement, in the order in which they are executed. Is the
value that it gives a quantity of the derivation? If not, would one small change in it make the
whole function right, on all inputs? Or would the function be right if the statement gave a
certain quantity of the derivation? A statement of which the second or third is true is the
one to look at, whatever the style of the program; nothing is guessed.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from saelib._browser import thread_time
from saelib.exercises import _patience
from saelib.exercises._changes import (
    Change,
    as_written,
    insertions,
    of_one_name,
    replacements,
    slips,
)
from saelib.exercises._compare import Arrays, agree, as_arrays, close
from saelib.exercises._derivation import Case, Exercise
from saelib.exercises._match import Kinship, Match, Pool
from saelib.exercises._run import Trouble, call
from saelib.exercises._source import Alias, Move, Place, program_of
from saelib.exercises._trace import Trace, traced

__all__ = ["Finding", "changing_line", "follow", "not_finite_line"]

# What a hole gives, from the parts of its expression, the names in scope and how often it was
# reached; made anew for each input, since a quantity of the derivation is another one there.
Make = Callable[[Pool], Callable[[Sequence[Any], Mapping[str, Any], int], Any]]

# How much speaks for a change: it gives a named quantity, or the result itself, out of values
# that are right.
_A_QUANTITY, _THE_RESULT = 3, 2

_EXACT = 1e-7  # the tolerance of all exercises but those that are approximate by their nature

_FOR_THE_LAST_LINE = 0.2  # of the time of the search, once that is up

_MOST_VISITS = 12  # in a loop, so many values tell one change from another

_MOST_TURNS = 1_000  # in the same loop

_MOST_ENTRIES = 100_000  # of a list or an array: a changed loop may double one at every turn

_MAKE_ROOM = ("zeros", "zeros_like", "empty", "empty_like", "ones", "ones_like", "full", "eye")


@dataclass(frozen=True)
class Finding:
    """What following the values has shown.

    Attributes
    ----------
    lines, hints : tuple of str
        As in a verdict.
    numbers : tuple of int
        The line that does not agree; or two, of which one does not.
    certain : bool
        Whether one change in this line has been seen to make the function right.
    """

    lines: tuple[str, ...]
    hints: tuple[str, ...]
    numbers: tuple[int, ...]
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
    repaired: Callable[..., Any]
    hole: _Hole
    make: Make
    quantity: str = ""
    overwritten_by: Statement | None = None


class _Visit(NamedTuple):
    """What was there when a place was reached: the names, the parts and the value as written."""

    scope: dict[str, Any]
    parts: tuple[Any, ...]
    value: Any


class _Hole:
    """Stands in the place of an expression and decides what comes out of it."""

    def __init__(self, node: ast.expr | ast.AugAssign, written_into: bool = False) -> None:
        self.written = as_written(node)
        self.written_into = written_into
        self.change: Callable[..., Any] | None = None
        self.turn = 0
        self.visits: list[_Visit] = []
        self.closed = False
        # How often the place is reached as it is written, for each input.
        self.turns: dict[int, int] = {}
        self.most_turns = 0

    def close(self) -> None:
        """Look no more at what is there, but put something else in its place."""
        self.closed = True

    def begin(self, change: Callable[..., Any] | None, turns: int) -> None:
        """Start anew with a change, which may take more turns, but not go on for ever."""
        self.change, self.turn, self.most_turns = change, 0, 20 * turns + 100

    def __call__(self, scope: dict[str, Any], *parts: Any) -> Any:
        turn, self.turn = self.turn, self.turn + 1
        if not self.closed and len(self.visits) < _MOST_VISITS:
            # Copies, since what comes after may write into the same arrays.
            own = {name: _copied(value) for name, value in scope.items()}
            value = self.written(parts, scope)
            self.visits.append(_Visit(own, tuple(map(_copied, parts)), _copied(value)))
            return value
        if self.change is None:
            return self.written(parts, scope)
        if turn > self.most_turns:
            raise RecursionError("the changed loop does not end")
        value = self.change(parts, scope, turn)
        if isinstance(value, (list, np.ndarray)) and _entries(value) > _MOST_ENTRIES:
            raise MemoryError("what a change gives grows too fast")
        # A copy, since a list that holds itself makes an array that no memory is enough for.
        return list(value) if isinstance(value, list) and not self.written_into else value


def follow(
    exercise: Exercise, function: Callable[..., Any], cases: Sequence[Case]
) -> Finding | None:
    """Return what can be said of the learner's own lines in the time there is, or None."""
    search = _Search(exercise, function, cases)
    try:
        with _quiet():
            # The search itself looks at the time of computing that it has had. A changed loop may
            # never end, but on a busy machine, too, a search may take long by the clock.
            call(search.run, (), 20 * _patience.SECONDS + 5)
    except Trouble:  # a changed program that never ends; what was found so far stands
        pass
    with _quiet():
        return search.finding()


class _Search:
    """One search; what it has found stays if it has to be broken off."""

    def __init__(
        self,
        exercise: Exercise,
        function: Callable[..., Any],
        cases: Sequence[Case],
    ) -> None:
        self.exercise, self.function = exercise, function
        self.steps = {step.name: step for step in exercise.steps}
        # What mends a function mends it to the last digit; a tiny number added to 0 does not.
        self.tolerance = exercise.tolerance if exercise.tolerance > _EXACT else _EXACT / 1000
        self.deadline = 0.0
        self.cases: list[Case] = []
        self.pools: list[Pool] = []
        self.rights: list[Any] = []
        for case in cases:
            self._add(case)
        self.wrong = 0
        # The last input with finite quantities: no weight is 0 there, no two quantities are one.
        finite = [k for k, pool in enumerate(self.pools) if pool.is_finite]
        self.clearest = max(finite, default=len(cases) - 1)
        self.trace: Trace | None = None
        self.program = program_of(function)
        self.statements: list[Statement] = []
        self.successes: list[Success] = []
        self.ranks: dict[int, tuple[Success, int]] = {}
        self.moved: Move | None = None
        self.aliases: list[Alias] = []
        self.safe: set[int] = set()
        self.later = False
        self.first: tuple[Statement, Place, str] | None = None

    def run(self) -> None:
        """Look for one change that makes everything right; then for the first wrong value."""
        self.deadline = _patience.deadline()
        self.wrong = next(
            (k for k in range(len(self.cases)) if not self._is_right(self.function, k)), 0
        )
        self._make_small()
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
        self.trace = traced(self.function, _copies(self.cases[self.wrong].arguments))
        self.statements = self._order()
        suspects = sorted(self.statements, key=lambda s: (s.kinship > Kinship.SCALED, s.turn))
        if not self.exercise.steps:  # no values to compare: what stopped it is most often near
            suspects = suspects[::-1]
        self.moved, self.aliases = self._moved_statement(), self._missing_copies()
        if self.moved is not None or self.aliases:
            return
        self.safe = self._behind_right_outputs(suspects)
        for later in (False, True):
            self.later = later
            if self._found(suspects):
                return
        if thread_time() > self.deadline:  # a slow machine; what is quick to try comes last above
            self.deadline = _patience.deadline(_FOR_THE_LAST_LINE)
            self.later = False
            self.successes += self._successes(self._last_line, suspects)
        if self.exercise.steps and not self.successes:
            self._first_wrong_value()

    def _moved_statement(self) -> Move | None:
        """Return the statements that slipped into a loop, or behind it, if that is all."""
        assert self.program is not None
        for move in self.program.moves():
            if thread_time() > self.deadline:
                return None
            try:
                changed = self.program.moved(move)
            except Exception:  # a return that is in no function any more
                continue
            if all(self._is_right(changed, k) for k in (self.wrong, *range(len(self.cases)))):
                return move
        return None

    def _missing_copies(self) -> list[Alias]:
        """Return the assignments that should have made copies, if that is all."""
        assert self.program is not None
        aliases = self.program.aliases()
        for some in [*([alias] for alias in aliases), aliases]:
            try:
                changed = self.program.with_copies(some)
            except Exception:  # a function that cannot be rebuilt so
                continue
            if some and all(self._is_right(changed, k) for k in range(len(self.cases))):
                return some
        return []

    def _no_copies(self, aliases: Sequence[Alias]) -> Finding:
        assert self.program is not None
        lines = []
        for unit, node in aliases:
            text = _short(self.program.text_at(unit, node.lineno))
            source = ast.unparse(node.value)
            lines.append(
                f"Line {node.lineno}, `{text}`, makes one more name for the array `{source}`, and "
                "not a copy: what is written into one of them is written into both."
            )
        hints = ("An array of its own is what .copy() gives.",)
        return Finding(tuple(lines), hints, tuple(node.lineno for _, node in aliases), certain=True)

    def _in_or_out(self, move: Move) -> Finding:
        assert self.program is not None
        text = self.program.text_at(move.unit, move.line)
        if move.outwards:
            what = "is done at every turn of the loop; it belongs behind the loop"
            hint = f"How often should line {move.line} be executed? Look at its indentation."
        else:
            what = "is done once, behind the loop; it belongs into the loop"
            hint = f"How often should line {move.line} be executed? Look at its indentation."
        lines = (f"Line {move.line}, `{_short(text)}`, {what}: then everything is right.",)
        return Finding(lines, (hint,), (move.line,), certain=True)

    def _found(self, suspects: Sequence[Statement]) -> bool:
        """Try changes in these statements, the likeliest first, until one speaks for itself."""
        by_value = self._successes(self._values, suspects)
        by_value += self._successes(self._lost, suspects)
        likely = [s for s in by_value if self._evidence(s) >= _A_QUANTITY]
        if likely:  # which token in them it is; their value alone says enough
            named = [success.statement for success in likely]
            for attempt in (self._slips, self._insertions):
                self.successes += self._successes(attempt, named)
            self.successes += likely
            return True
        for attempt in (
            self._slips,
            self._overwritten,
            self._insertions,
            self._parts,
            self._last_line,
        ):
            self.successes += self._successes(attempt, suspects)
            if attempt == self._insertions:
                self.successes += by_value
            # A line that was right before may be mended in vain: another may be found yet. And
            # where the result is missing, the next line may be the one to make it.
            if any(self._evidence(success) >= 1 for success in self.successes):
                return True
        return False

    def _successes(self, attempt: Callable[..., Any], suspects: Sequence[Statement]) -> list[Any]:
        """Return the first change in each statement that makes everything right."""
        tried = (self._try(statement, attempt(statement)) for statement in suspects)
        found = [success for success in tried if success is not None]
        if attempt == self._overwritten:
            return [self._with_writer(success) for success in found]
        return found

    def _with_writer(self, success: Success) -> Success:
        name = success.place.node.id  # type: ignore[union-attr]
        return replace(success, overwritten_by=self._givers(name, success.statement)[-1])

    def _behind_right_outputs(self, statements: Sequence[Statement]) -> set[int]:
        """Return the ids of the expressions on which an output depends that is right.

        Any other value there would spoil that output, so that these come last.
        """
        right = set(range(len(self.exercise.outputs)))
        for k in range(len(self.cases)):
            right &= self._right_outputs(self.function, k)
        behind: set[int] = set()
        for place in (place for statement in statements for place in statement.places):
            # A part of an expression changes the whole of it.
            if right and (id(place.node) in behind or self._spoils(place, right)):
                behind |= {id(node) for node in ast.walk(place.node)}
        return behind

    def _right_outputs(self, function: Callable[..., Any], k: int) -> set[int]:
        try:
            got = self._results(function, k)
            return {
                n
                for n, (part, right) in enumerate(zip(got, as_arrays(self.rights[k]), strict=True))
                if close(part, right, self.tolerance)
            }
        except Exception:  # a changed program may do anything
            return set()

    def _spoils(self, place: Place, right: set[int]) -> bool:
        """Return whether another number at this place makes an output wrong that is right."""
        assert self.program is not None
        if thread_time() > self.deadline:
            return False
        try:
            hole = _Hole(place.node)
            changed = self.program.rebuilt(place, hole)
        except Exception:  # an expression that cannot be replaced
            return False
        hole.close()
        written = hole.written
        for k in range(len(self.cases)):
            turns = self._turns(changed, hole, k)
            hole.begin(lambda parts, scope, turn: _shaken(written(parts, scope)), turns)
            if not right <= self._right_outputs(changed, k):
                return True
        return False

    def _make_small(self) -> None:
        """Search on two examples if the answer is wrong on two as well: that takes less time."""
        if not self.exercise.axes:
            return
        case = self.cases[self.wrong]
        few = [
            argument[:2] if self.exercise.axes.get(name, "").startswith("m") else argument
            for name, argument in zip(self.exercise.arguments, case.arguments, strict=True)
        ]
        small = Case(case.label, tuple(few))
        self._add(small)
        if self._is_right(self.function, len(self.cases) - 1):
            self.cases.pop()
        else:
            self.wrong = len(self.cases) - 1

    def _add(self, case: Case) -> None:
        self.cases.append(case)
        self.pools.append(Pool(self.exercise, case.arguments))
        judged = self.exercise.judge is not None
        self.rights.append(None if judged else self.exercise.outcome(*case.arguments))

    def _outcome(self, function: Callable[..., Any], k: int) -> str:
        try:
            return repr(function(*_copies(self.cases[k].arguments)))
        except Exception as error:
            return type(error).__name__

    def _is_right(self, function: Callable[..., Any], k: int) -> bool:
        arguments = self.cases[k].arguments
        if self.exercise.judge is not None:
            own = Case(self.cases[k].label, _copies(arguments))
            return self.exercise.judge(function, own)
        try:
            return agree(self._results(function, k), self.rights[k], self.tolerance)
        except Exception:  # a changed program may do anything
            return False

    def _results(self, function: Callable[..., Any], k: int) -> Arrays:
        arguments = self.cases[k].arguments
        value = self.exercise.read(function(*_copies(arguments)), arguments)
        n = len(self.exercise.outputs)
        parts = tuple(value) if isinstance(value, (tuple, list)) and n > 1 else (value,)
        return tuple(map(_numbers, parts))

    def _order(self) -> list[Statement]:
        assert self.program is not None
        assert self.trace is not None
        found: dict[int, Statement] = {}
        for place in self.program.places():
            filename = self.program.units[place.unit].function.__code__.co_filename
            key = id(place.statement)
            found.setdefault(key, Statement(place.statement, filename, [])).places.append(place)
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
                if not _is_not_zero(value):  # room to be filled, or a term that a weight of 0 kills
                    continue
                statement.matches += self._matches(value)
            if self._gives_the_result(statement):
                statement.matches = [Match(Kinship.NONE, "")]
        reached = [statement for statement in found.values() if statement.reached]
        return reached or list(found.values())

    def _gives_the_result(self, statement: Statement) -> bool:
        """Return whether it is the statement whose value is the wrong result, and nothing else."""
        assert self.program is not None
        main = statement.places[0].unit == 0 if statement.places else False
        single = len(self.exercise.outputs) == 1
        return main and single and isinstance(statement.node, (ast.Return, ast.Lambda))

    def _slips(self, statement: Statement) -> Iterator[Any]:
        return ((place, slips, None) for place in statement.places)

    def _insertions(self, statement: Statement) -> Iterator[Any]:
        return ((place, insertions, None) for place in statement.places)

    def _values(self, statement: Statement) -> Iterator[Any]:
        """Replace what the whole statement gives, if all that went into it is right."""
        place = _whole(statement)
        if place is not None and _read(statement) and self._inputs_are_right(statement):
            yield place, None, self._within_reach(statement)

    def _parts(self, statement: Statement) -> Iterator[Any]:
        if _whole(statement) is None or not self._inputs_are_right(statement):
            return
        quantities, written = self._within_reach(statement), _written(statement)
        for place in statement.places:
            if not _only_makes_room(place.node) and id(place.node) not in written:
                yield place, None, quantities

    def _lost(self, statement: Statement) -> Iterator[Any]:
        """Replace a value that something is missing from, so that it cannot be had any more."""
        place = _given_to_a_call(statement) or _whole(statement) or self._only_number(statement)
        own = _read(statement) & set().union(*(_stored(other) for other in self.statements))
        enough = 0 if self._gives_the_result(statement) else 1
        helper = any(place.unit for place in statement.places)
        quantities = self.pools[self.wrong].quantities
        quantities = self._for_a_helper(statement) if helper else quantities
        if place is not None and len(own) <= enough and self._inputs_are_right(statement):
            yield place, None, quantities
        if place is not None and helper:
            yield place, of_one_name, None
        if not helper and self._inputs_are_right(statement):
            for part in _returned_parts(statement):
                yield part, None, quantities

    def _last_line(self, statement: Statement) -> Iterator[Any]:
        """Ask the last line for the result, which it could always give, if all others are right."""
        place, name = _whole(statement), self.exercise.steps[-1].name if self.steps else ""
        right = all(
            self._is_known(value)
            for other in self.statements
            if other is not statement
            for value in other.values.values()
            if _is_not_zero(value)
        )
        if place is not None and name and right and self._gives_the_result(statement):
            yield place, None, {name: self.pools[self.wrong].quantities[name]}

    def _overwritten(self, statement: Statement) -> Iterator[Any]:
        """Ask for what a variable was, if another line has written over it meanwhile."""
        pool = self.pools[self.wrong]
        for place in statement.places:
            if not isinstance(place.node, ast.Name) or id(place.node) in _written(statement):
                continue
            for earlier in self._givers(place.node.id, statement)[:-1]:
                match = pool.match(earlier.values[place.node.id])
                if match.kinship is Kinship.EXACT and match.name in pool.quantities:
                    yield place, None, {match.name: pool.quantities[match.name]}

    def _givers(self, name: str, statement: Statement) -> list[Statement]:
        """Return the statements before one that give this variable a value, in their order."""
        others = [s for s in self.statements if s is not statement and name in s.values]
        before = [s for s in others if s.turn < statement.turn and s.filename == statement.filename]
        return sorted(before, key=lambda s: s.turn)

    def _only_number(self, statement: Statement) -> Place | None:
        """Return the place of a number that is all that a variable is ever given."""
        value = getattr(statement.node, "value", None)
        stored = [name for other in self.statements for name in _stored(other)]
        once = all(stored.count(name) == 1 for name in _stored(statement))
        if isinstance(statement.node, ast.AugAssign) or not once:
            return None
        number = isinstance(value, ast.Constant) and isinstance(value.value, (int, float))
        return next((p for p in statement.places if number and p.node is value), None)

    def _within_reach(self, statement: Statement) -> dict[str, Any]:
        """Return the quantities that can be had from what the statement reads.

        A sum of squares that was not multiplied by the weight decay is a quantity, too, but the
        line that adds it to the rest is not to blame for what is missing before.
        """
        pool = self.pools[self.wrong]
        if any(place.unit for place in statement.places):  # a helper has names of its own
            return self._for_a_helper(statement)
        read = _read(statement)
        had = read & set(self.exercise.arguments)
        for name in read:
            for value in self._last_values(name, statement):
                matches = self._matches(value)
                had |= {m.name for m in matches if m.kinship >= Kinship.DERIVED}
                had |= self._arguments_like(value)
        return {name: v for name, v in pool.quantities.items() if self._follows(name, had)}

    def _for_a_helper(self, statement: Statement) -> dict[str, Any]:
        """Return all quantities but the result, which any helper that comes last could give.

        What is called in two places gives two quantities, so that it can be asked for none.
        """
        if len(self._calls(statement)) > 1:
            return {}
        return dict(list(self.pools[self.wrong].quantities.items())[:-1])

    def _calls(self, statement: Statement) -> list[ast.Name]:
        """Return where the function is called to which a statement belongs."""
        assert self.program is not None
        name = self.program.units[statement.places[0].unit].function.__name__
        return [
            node
            for unit in self.program.units
            for node in ast.walk(unit.tree)
            if isinstance(node, ast.Name) and node.id == name
        ]

    def _last_values(self, name: str, statement: Statement) -> list[Any]:
        """Return what a variable held before a statement; all its values if that is not known."""
        before = self._givers(name, statement)
        others = [s for s in self.statements if s is not statement and name in s.values]
        return [s.values[name] for s in before[-1:] or others]

    def _follows(self, name: str, had: set[str]) -> bool:
        """Return whether a step can be taken from what is had, through other steps if need be."""
        return name in self.steps and all(
            parent in had or self._follows(parent, had) for parent in self.steps[name].parents
        )

    def _inputs_are_right(self, statement: Statement) -> bool:
        """Return whether all variables that a statement reads agree with the derivation."""
        read = _read(statement) - set(self.exercise.arguments) - self._counters()
        own = set().union(*(_stored(other) for other in self.statements))
        for name in read & own:
            given = [v for v in self._last_values(name, statement) if not _is_empty_room(v)]
            if not given or not all(map(self._is_known, given)):
                return False
        return all(self._is_known(value) for value in self._handed_over(statement, read - own))

    def _handed_over(self, statement: Statement, names: set[str]) -> list[Any]:
        """Return what a helper function of the learner's got as its arguments, if it is in one."""
        if self.trace is None or not any(place.unit for place in statement.places):
            return []
        line = statement.node.lineno  # type: ignore[attr-defined]
        return [
            value
            for code, given in self.trace.given.items()
            if code.co_filename == statement.filename and (code, line) in self.trace.values
            for name, value in given.items()
            if name in names
        ]

    def _is_known(self, value: Any) -> bool:
        if self._kinship(value) >= Kinship.DERIVED:
            return True
        return bool(self._arguments_like(value))

    def _arguments_like(self, value: Any) -> set[str]:
        """Return the names of the arguments that a value is, as a whole."""
        arguments = self.cases[self.wrong].arguments
        return {
            name
            for name, given in zip(self.exercise.arguments, arguments, strict=True)
            if not callable(given) and np.array_equal(value, given)
        }

    def _counters(self) -> set[str]:
        """Return the names that count: what ``for i in range(...)`` gives is no quantity."""
        assert self.program is not None
        return {
            node.target.id
            for unit in self.program.units
            for node in ast.walk(unit.tree)
            if isinstance(node, ast.For)
            and isinstance(node.target, ast.Name)
            and isinstance(node.iter, ast.Call)
            and isinstance(node.iter.func, ast.Name)
            and node.iter.func.id == "range"
        }

    def _matches(self, value: Any, k: int | None = None) -> list[Match]:
        """Return what a value agrees with; a whole number is the number of examples, or nothing."""
        pool = self.pools[self.wrong if k is None else k]
        if isinstance(value, (int, np.integer)):
            count = pool.quantities.get("count")
            return [Match(Kinship.EXACT, "count")] if count is not None and value == count else []
        return pool.matches(value)

    def _kinship(self, value: Any) -> Kinship:
        if isinstance(value, (int, np.integer)):
            return Kinship.EXACT if self._matches(value) else Kinship.NONE
        return self.pools[self.wrong].match(value).kinship

    def _try(self, statement: Statement, attempts: Iterator[Any]) -> Success | None:
        for place, generate, quantities in attempts:
            if thread_time() > self.deadline:
                return None
            if (id(place.node) in self.safe) != self.later:
                continue
            for success in self._at(statement, place, generate, quantities):
                if success.quantity and not self._may_become(statement, success.quantity):
                    continue
                return success
        return None

    def _at(
        self, statement: Statement, place: Place, generate: Any, quantities: Any
    ) -> Iterator[Success]:
        assert self.program is not None
        # Of two arrays with the same entries, one may be the right one to write into.
        target = id(place.node) in _written(statement)
        try:
            hole = _Hole(place.node, target)
            changed = self.program.rebuilt(place, hole)
        except Exception:  # an expression that cannot be replaced
            return
        self._is_right(changed, self.wrong)
        if not hole.visits:
            return
        hole.close()
        first = hole.visits[0]
        candidates: Iterator[tuple[Make, str]]
        if generate is not None:
            candidates = ((_changing(change), "") for change in generate(place.node, first.scope))
        else:
            candidates = (
                (_giving(name, layout), name)
                for name, value in quantities.items()
                for layout in replacements(value)
            )
        pool, seen = self.pools[self.wrong], {_digests(v.value for v in hole.visits)}
        last = self.exercise.steps[-1].name if self.exercise.steps else None
        for make, quantity in candidates:
            if thread_time() > self.deadline:
                return
            # What cannot be computed, or comes out as something else did, need not be run.
            try:
                change = make(pool)
                value = change(first.parts, first.scope, 0)
                if _is_far_larger(value, first.value) or _goes_astray(place, value, first):
                    continue
                if quantity == last and _leaves_nothing_to_sum(place, value, first):
                    continue
                digest = _digests(
                    change(visit.parts, visit.scope, turn) for turn, visit in enumerate(hole.visits)
                )
            except Exception:
                continue
            if digest and digest in seen and not target:
                continue
            if quantity and self._adds_up(statement, place, hole):
                return
            # What gives the same here may still be right elsewhere, if this input allows both.
            if not self._right_with(changed, hole, make, self.wrong):
                if hole.turn <= len(hole.visits):
                    seen.add(digest)
            elif all(self._right_with(changed, hole, make, k) for k in range(len(self.cases))):
                yield Success(statement, place, changed, hole, make, quantity)

    def _adds_up(self, statement: Statement, place: Place, hole: _Hole) -> bool:
        """Return whether a place is what a loop adds to itself: no turn of it gives the total."""
        node = statement.node
        whole = isinstance(node, ast.AugAssign) and place.node is node
        return whole and len(hole.visits) > 1

    def _right_with(self, changed: Callable[..., Any], hole: _Hole, make: Make, k: int) -> bool:
        hole.begin(make(self.pools[k]), self._turns(changed, hole, k))
        return self._is_right(changed, k)

    def _turns(self, changed: Callable[..., Any], hole: _Hole, k: int) -> int:
        """Return how often a place is reached on an input, as it is written."""
        if k not in hole.turns:
            hole.begin(None, 0)
            try:
                changed(*_copies(self.cases[k].arguments))
                hole.turns[k] = hole.turn
            except Exception:  # how often it would be reached, if nothing stopped it
                hole.turns[k] = max(hole.turn, _MOST_TURNS)
        return hole.turns[k]

    def _first_wrong_value(self) -> None:
        """Find what turns the first assignment that is none into a quantity of the derivation.

        What comes after it may be wrong because of it, and would not be the first.
        """
        pool = self.pools[self.wrong]
        had = {m.name for s in self.statements for m in s.matches if m.kinship is Kinship.EXACT}
        open_ones = [s for s in self.statements if s.matches and s.kinship is not Kinship.EXACT]
        statement = min(open_ones, key=lambda s: s.turn, default=None)
        node = statement.node if statement else None
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            return
        assert statement is not None
        had |= self._inside(statement)
        for place in statement.places:
            name = self._local_change(place, node, pool, had)
            if name:
                self.first = (statement, place, name)
                return

    def _inside(self, statement: Statement) -> set[str]:
        """Return the quantities that the parts of a statement give: it goes on from them."""
        assert self.program is not None
        found = set()
        for place in statement.places:
            hole = _Hole(place.node)
            try:
                self._is_right(self.program.rebuilt(place, hole), self.wrong)
            except Exception:  # an expression that cannot be replaced
                continue
            found |= {self.pools[self.wrong].match(visit.value).name for visit in hole.visits}
        return found

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
        if not hole.visits:
            return ""
        hole.close()
        turns, scope = self._turns(changed, hole, self.wrong), hole.visits[0].scope
        for generate in (slips, insertions):
            for change in generate(place.node, scope):
                if thread_time() > self.deadline:
                    return ""
                hole.begin(_changing(change)(pool), turns)
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
        if self.moved is not None:
            return self._in_or_out(self.moved)
        if self.aliases:
            return self._no_copies(self.aliases)
        best = self._best()
        if len(best) == 1:
            return self._one_change(best[0])
        if len(best) == 2:
            return self._one_of_two(best)
        if self.first is not None and not best:
            statement, place, name = self.first
            words = self.pools[self.wrong].words[name]
            target = statement.node.targets[0].id  # type: ignore[attr-defined]
            lines = (
                f"{self._agreement(statement)}Line {place.line}, `{self._text(place)}`, is the "
                f"first that does not: `{target}` should be {words}.",
                "It is not the only one: with this line right, the result is still wrong.",
            )
            hints = (f"Compare line {place.line} with the book, then check again.",)
            return Finding(lines, hints, (place.line,), certain=False)
        return None

    def _best(self) -> list[Success]:
        """Return the changes for which most speaks: usually one.

        Nearly every slip can be made good in a second place. The first place is where the
        repaired statement gives a quantity of the derivation, out of quantities that are right.
        """
        if len(self.successes) < 2:
            return self.successes
        first = {id(success.statement): success for success in reversed(self.successes)}
        if not all(success.quantity for success in first.values()):
            # That a value would do says less than that a change of one token does.
            first = {
                key: success
                for key, success in first.items()
                if not success.quantity or self._evidence(success) >= _A_QUANTITY
            }
        ranks = {key: self._evidence(success) for key, success in first.items()}
        best = max(ranks.values())
        # That the last line can be mended says little, if another speaks for itself as well.
        enough = 1 if best == _THE_RESULT else best
        left = [success for key, success in first.items() if ranks[key] >= enough]
        return [one for one in left if not any(self._goes_through(one, other) for other in left)]

    def _goes_through(self, one: Success, other: Success) -> bool:
        """Return whether one is mended by value only, and other by a token in what it calls.

        Or the other way round: in how it is called.
        """
        if not one.quantity or other.quantity:
            return False
        assert self.program is not None
        names = [self.program.units[s.place.unit].function.__name__ for s in (one, other)]
        called = {
            node.func.id
            for success in (one, other)
            for node in ast.walk(success.statement.node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        return names[0] != names[1] and bool(called & set(names))

    def _evidence(self, success: Success) -> int:
        if id(success) not in self.ranks:
            self.ranks[id(success)] = success, self._rank(success)
        return self.ranks[id(success)][1]

    def _rank(self, success: Success) -> int:
        if isinstance(success.statement.node, ast.For) or not self.exercise.steps:
            return 0
        right_inputs = self._inputs_are_right(success.statement)
        last = self.exercise.steps[-1].name
        k = self.clearest
        room = _only_makes_room(getattr(success.statement.node, "value", success.statement.node))
        ranks = [0]
        for _, value in self._values_after(success, k):
            for match in self._matches(value, k):
                exact = match.kinship is Kinship.EXACT and match.name in self.steps
                if exact and isinstance(value, (int, np.integer)):
                    ranks.append(_A_QUANTITY)
                elif exact and match.name != last:
                    ranks.append(_A_QUANTITY if right_inputs else 1)
                elif exact and not room:
                    ranks.append(_THE_RESULT if right_inputs else 0)
                elif match.kinship is Kinship.EXACT and not room:  # a part of an argument
                    ranks.append(1 if right_inputs else 0)
        # What gave a quantity may be asked for the one that arguments alone make of it.
        was_right = self._was_right(success.statement)
        less = 2 if was_right and not success.quantity else 0
        # One that the book does not name, but that is a step of another style, was right as well.
        less += int(success.statement.kinship is Kinship.EXACT and not was_right)
        # A name that stands for an argument as a whole may have got the wrong value before, and
        # one minus a quantity may have come about by a wrong sign.
        less += int(self._is_an_alias(success.place.node) or self._goes_on(success.statement))
        return max(ranks) - less

    def _goes_on(self, statement: Statement) -> bool:
        """Return whether a statement reads what is only derived from a quantity."""
        return any(
            self._kinship(value) is Kinship.DERIVED
            for name in _read(statement) - set(self.exercise.arguments)
            for value in self._last_values(name, statement)
            if not _is_empty_room(value)
        )

    def _is_an_alias(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Name):
            return False
        values = [s.values[node.id] for s in self.statements if node.id in s.values]
        return bool(values) and all(
            not isinstance(value, (int, np.integer))
            and self._kinship(value) < Kinship.DERIVED
            and self._is_known(value)
            for value in values
        )

    def _may_become(self, statement: Statement, quantity: str) -> bool:
        """Return whether a statement may be asked for a quantity.

        What gives a quantity of the book need not give another one, unless only arguments are
        missing, or what is made of nothing else: the sum of squares becomes the decay by its
        weight, and the sum over the examples a gradient by the decay. And nothing is what is made
        of a quantity that comes later.
        """
        made_of = self._ancestors(quantity)
        for other in self.statements:
            later = other.turn > statement.turn and other.kinship is Kinship.EXACT
            if later and any(match.name in made_of for match in other.matches):
                return False
        if not self._was_right(statement):
            return True
        parents, given = self.steps[quantity].parents, {m.name for m in statement.matches}
        arguments = set(self.exercise.arguments)
        simple = {name for name, step in self.steps.items() if set(step.parents) <= arguments}
        missing = set(parents) - given
        return bool(missing) and missing <= arguments | simple and bool(given & set(parents))

    def _ancestors(self, quantity: str) -> set[str]:
        """Return the quantities that one is made of, directly or through others."""
        found = set(self.steps[quantity].parents) & set(self.steps)
        return found.union(*(self._ancestors(name) for name in found))

    def _was_right(self, statement: Statement) -> bool:
        """Return whether a statement computes a quantity that the book names, as it is written."""
        last, pool = self.exercise.steps[-1].name, self.pools[self.wrong]
        alias = isinstance(getattr(statement.node, "value", None), ast.Name)
        # What gives the result before the result is asked for was not right.
        return (
            not alias
            and statement.kinship is Kinship.EXACT
            and all(
                match.name != last and pool.words.get(match.name) for match in statement.matches
            )
        )

    def _values_after(self, success: Success, k: int) -> list[tuple[str, Any]]:
        """Return what the changed statement gives in the function that is right, on one input.

        Nothing but zeros is left out: a weight that is 0 makes a zero of any term. Of a statement
        that only makes room it is what the room is filled with.
        """
        turns = self._turns(success.repaired, success.hole, k)
        success.hole.begin(success.make(self.pools[k]), turns)
        trace = traced(success.repaired, _copies(self.cases[k].arguments))
        lines = _lines(success.statement)
        own = _stored(success.statement)
        room = _only_makes_room(getattr(success.statement.node, "value", success.statement.node))
        return [
            (name, value)
            for (code, line), values in trace.values.items()
            if code.co_filename == success.statement.filename
            for name, value in values.items()
            if (line in lines or (room and name in own)) and _is_not_zero(value)
        ]

    def _one_change(self, success: Success) -> Finding:
        if success.overwritten_by is not None:
            return self._written_over(success, success.overwritten_by)
        place = success.place
        text = self._text(place)
        what = "the right value" if success.quantity else "one change"
        lines = [
            f"{self._agreement(success.statement)}Line {place.line}, `{text}`, is the one to look "
            f"at: with {what} there everything is right."
        ]
        words = self._should_be(success)
        if words:
            lines.append(words)
        hints = [f"Read line {place.line} sign by sign, beside {self.exercise.chapter}."]
        part = _short(ast.unparse(place.node))
        if part not in (text, text.removeprefix("return ")):
            hints.append(f"In line {place.line} look at `{part}`.")
        return Finding(tuple(lines), tuple(hints), (place.line,), certain=True)

    def _written_over(self, success: Success, by: Statement) -> Finding:
        name, pool = ast.unparse(success.place.node), self.pools[self.wrong]
        writer = by.places[0]
        words = pool.words[success.quantity] or "what it was before"
        lines = (
            f"In line {success.place.line}, `{self._text(success.place)}`, `{name}` should be "
            f"{words}. It was, until line {writer.line}, `{self._text(writer)}`, wrote over it.",
        )
        hints = (f"Give what line {writer.line} makes a name of its own.",)
        return Finding(lines, hints, (writer.line, success.place.line), certain=True)

    def _one_of_two(self, successes: Sequence[Success]) -> Finding:
        first, second = sorted(successes, key=lambda success: success.statement.turn)
        numbers = first.place.line, second.place.line
        lines = (
            f"Line {numbers[0]}, `{self._text(first.place)}`, and line {numbers[1]}, "
            f"`{self._text(second.place)}`, do not go together: with one change in one of them "
            "everything is right.",
        )
        hints = (f"Read the two lines sign by sign, beside {self.exercise.chapter}.",)
        return Finding(lines, hints, numbers, certain=True)

    def _text(self, place: Place) -> str:
        assert self.program is not None
        return _short(self.program.source_line(place))

    def _agreement(self, statement: Statement) -> str:
        assert self.program is not None
        counters = {"return", *self.program.counters()}
        names = []
        for other in sorted(self.statements, key=lambda s: s.turn):
            if other.turn < statement.turn and other.kinship is Kinship.EXACT:
                names += [name for name in other.values if name not in counters]
        shown = [f"`{name}`" for name in dict.fromkeys(names)][-4:]
        if not shown:
            return ""
        verb = "agrees" if len(shown) == 1 else "agree"
        listed = shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
        return f"Up to there {listed} {verb} with the book. "

    def _should_be(self, success: Success) -> str:
        """Return by name what the statement, or the part of it, should give."""
        if not self.steps:
            return ""
        pool = self.pools[self.wrong]
        if success.quantity and pool.words[success.quantity]:
            part = _short(ast.unparse(success.place.node))
            return f"`{part}` should be {pool.words[success.quantity]}."
        k = self.clearest
        if success.place.unit and len(self._calls(success.statement)) > 1:
            return ""
        for name, value in self._values_after(success, k):
            match = self.pools[k].match(value)
            if match.kinship is Kinship.EXACT and pool.words.get(match.name):
                what = "what it returns" if success.place.unit else "the result"
                what = what if name == "return" else f"`{name}`"
                return f"Then {what} is {pool.words[match.name]}."
        return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep silent about what a changed program may do."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def _digests(values: Iterator[Any]) -> bytes:
    """Return what tells one list of values from another, or nothing where that is not known."""
    digests = [_digest(value) for value in values]
    return b"|".join(digests) if all(digests) else b""


def _digest(value: Any) -> bytes:
    """Return what tells values from one another, or nothing where that is not known."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return hashlib.blake2b(value.tobytes()).digest() + repr(value.shape).encode()
    return repr(value).encode() if isinstance(value, (bool, int, float, np.number)) else b""


def _changing(change: Change) -> Make:
    return lambda pool: lambda parts, scope, turn: change(parts, scope)


def _giving(name: str, layout: Callable[[Any, int], Any]) -> Make:
    # A copy, since the lines after it may write into what they get.
    return lambda pool: lambda parts, scope, turn: _copied(layout(pool.quantities[name], turn))


def _value_of(function: Callable[..., Any], arguments: Any, name: str, line: int) -> Any:
    trace = traced(function, arguments)
    for (_, at), values in trace.values.items():
        if at == line and name in values:
            return values[name]
    return None


def _is_far_larger(value: Any, first: Any) -> bool:
    """Return whether a change would make a loop or an array that takes too long, or too much."""
    if isinstance(value, (int, np.integer)) and isinstance(first, (int, np.integer)):
        return abs(int(value)) > 20 * max(10, abs(int(first)))
    return isinstance(value, np.ndarray) and value.size > 20 * max(1000, _size(first))


def _shaken(value: Any) -> Any:
    """Return other numbers than these; what is no real number stays."""
    if isinstance(value, (float, np.floating)):
        return value * 1.25 + 0.0625
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * 1.25 + 0.0625
    return value


def _is_not_zero(value: Any) -> bool:
    parts = value if isinstance(value, (tuple, list)) else (value,)
    return any(bool(np.any(part)) for part in parts)


def _entries(value: Any) -> int:
    return value.size if isinstance(value, np.ndarray) else len(value)


def _goes_astray(place: Place, value: Any, first: _Visit) -> bool:
    """Return whether a change gives a list that may end in itself, or in a loop without end.

    A loop over a list to which it appends never ends, and numpy spends minutes and gigabytes on
    a list that was appended to itself. What is returned is appended to nothing any more.
    """
    in_a_loop = isinstance(place.statement, ast.For)
    last = isinstance(place.statement, ast.Return)
    return isinstance(value, list) and (in_a_loop or not (last or isinstance(first.value, list)))


def _leaves_nothing_to_sum(place: Place, value: Any, first: _Visit) -> bool:
    """Return whether the result is smaller than what stands there, and is not returned there.

    Then what comes after, which adds up along some axis, would have nothing to do: that it makes
    the result right says that the result is right, and nothing about this line.
    """
    whole = place.node is getattr(place.statement, "value", None)
    last = isinstance(place.statement, ast.Return)
    return whole and not last and np.size(value) < np.size(first.value)


def _size(value: Any) -> int:
    return value.size if isinstance(value, np.ndarray) else 1


def _is_empty_room(value: Any) -> bool:
    """Return whether a value is zeros, to be filled or added to."""
    return isinstance(value, np.ndarray) and value.size > 0 and not value.any()


def _whole(statement: Statement) -> Place | None:
    """Return the place of the value that a statement gives, if it does more than make room."""
    node = getattr(statement.node, "value", getattr(statement.node, "body", None))
    for place in statement.places:
        if place.node is node:
            return None if _only_makes_room(node) else place
    return None


def _returned_parts(statement: Statement) -> list[Place]:
    """Return the places of several results that are returned at once."""
    value = getattr(statement.node, "value", None)
    if not isinstance(statement.node, ast.Return) or not isinstance(value, ast.Tuple):
        return []
    elements = [part for part in value.elts if not isinstance(part, ast.Name)]
    return [place for place in statement.places if place.node in elements]


def _given_to_a_call(statement: Statement) -> Place | None:
    """Return the place of what a statement such as ``rows.append(...)`` hands over."""
    call = statement.node.value if isinstance(statement.node, ast.Expr) else None
    given = call.args[-1] if isinstance(call, ast.Call) and call.args else None
    return next((place for place in statement.places if place.node is given), None)


def _only_makes_room(node: ast.AST) -> bool:
    """Return whether an expression is an array to be filled, an empty list or a number."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _MAKE_ROOM
    return isinstance(node, (ast.Constant, ast.List, ast.Tuple)) and not any(
        isinstance(inner, ast.Name) for inner in ast.walk(node)
    )


def _written(statement: Statement) -> set[int]:
    """Return the ids of the names into whose entries a statement writes, or to which it appends."""
    written = {
        id(node.value)
        for node in ast.walk(statement.node)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    call = statement.node.value if isinstance(statement.node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        written.add(id(call.func.value))
    return written


def _read(statement: Statement) -> set[str]:
    """Return the names that a statement reads or calls, those in comprehensions aside."""
    written = _written(statement)
    nodes = [place.node for place in statement.places]
    nodes += [node.func for node in nodes if isinstance(node, ast.Call)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in written}


def _stored(statement: Statement) -> set[str]:
    """Return the names to which a statement gives a value, those in the body of a loop aside."""
    node = statement.node
    return {
        inner.id
        for inner in ast.walk(node.target if isinstance(node, ast.For) else node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }


def _lines(statement: Statement) -> range:
    node = statement.node
    first = node.lineno  # type: ignore[attr-defined]
    last = max((place.node.end_lineno or first for place in statement.places), default=first)
    return range(first, last + 1)


def _numbers(part: Any) -> Any:
    array = np.asarray(part)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(_copied, arguments))


def _short(source: str) -> str:
    return source if len(source) <= 90 else f"{source[:87]}..."


def changing_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], name: str
) -> tuple[int, ...]:
    """Return the number of the line that changes the argument of this name, if it was seen.

    If it does so through another name, the line comes first that made this one the same array.
    """
    code = getattr(function, "__code__", None)
    trace = traced(function, _copies(arguments))
    own = {line: values for (at, line), values in trace.values.items() if at is code}
    for line, values in own.items():
        if name in values:
            others = values.keys() - {name}
            if _is_written_by_name(code, line, name):
                return (line,)
            first = (at for at, given in own.items() if others & given.keys() and at != line)
            return (*list(first)[:1], line)
    return ()


def _is_written_by_name(code: CodeType | None, line: int, name: str) -> bool:
    """Return whether a line writes into a variable by its own name, not through another."""
    text = linecache.getline(code.co_filename, line).strip() if code else ""
    return text.startswith((f"{name}[", f"{name} ")) or f" {name}[" in text.partition("=")[0]


def not_finite_line(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the number of the first line that gives NaN or infinity, if it was seen."""
    with _quiet():
        trace = traced(function, _copies(arguments))
    return next(
        (
            (line,)
            for code, line in trace.order
            for value in trace.values[code, line].values()
            if np.asarray(value).dtype.kind == "f" and not np.isfinite(value).all()
        ),
        (),
    )
