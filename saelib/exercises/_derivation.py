"""What an exercise is: its inputs, the right computation step by step, and its mistakes.

There is one description only. The right result, the results of all mistakes and the values
with which those of a learner's variables are compared are derived from it.

A step computes one quantity of the book from quantities before it. It is written as a
function whose parameters are named like them::

    Step("z2", "z2, Eq. (1.4)", lambda XW1, b1: XW1 + b1)

A mistake replaces steps. Its functions may ask for `value` as well, which is what the step
gives otherwise; so that several mistakes in one step act one after the other::

    edits={"push": lambda value: -value}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

__all__ = ["IMPOSSIBLE", "Case", "Edits", "Exercise", "Mistake", "Step"]

Edits = Mapping[str, Callable[..., Any]]


class Step(NamedTuple):
    """One quantity of the derivation.

    The words are those of the book, with the equation if it has one; a step without words is
    an intermediate value that a learner may well have, too, but that the book does not name.
    """

    name: str
    words: str
    compute: Callable[..., Any]

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the quantities and arguments that it is computed from."""
        return _parameters(self.compute)


# What a computation raises on inputs, or with edits, for which it has no result.
IMPOSSIBLE = (ArithmeticError, IndexError, TypeError, ValueError)


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make, with the words that help out of it.

    Attributes
    ----------
    name : str
        Short name, unique within the exercise.
    explanation : str
        What the result shows, in one sentence.
    hint, second_hint : str
        A nudge, and a stronger one; neither is the solution.
    seen : str
        The habit or the kind of program that leads to it; empty if it is a plain slip.
    edits : mapping of str to callable
        The steps of the right computation that the mistake replaces, and by what.
    """

    name: str
    explanation: str
    hint: str
    second_hint: str
    seen: str = ""
    edits: Edits = field(default_factory=dict, repr=False, compare=False)


class Case(NamedTuple):
    """One set of arguments and a few words on what is special about it."""

    label: str
    arguments: tuple[Any, ...]


def _as_it_is(value: Any, arguments: tuple[Any, ...]) -> Any:
    return value


@dataclass(frozen=True)
class Exercise:
    """A programming exercise and all that is needed to judge an answer to it.

    Attributes
    ----------
    name : str
        Name of the exercise.
    signature : str
        How the function is called.
    chapter : str
        Where the book explains it.
    cases : callable
        ``cases(rng)`` draws fresh inputs, those that show least first.
    steps : tuple of Step
        The right computation; the last step is the result.
    mistakes : tuple of Mistake
        The catalogue.
    outputs : tuple of str
        Names of the results, in order.
    tolerance : float
        Relative error up to which a float64 result counts as right.
    accepted : tuple of Edits
        Other readings of the task that are right as well.
    read : callable
        Brings a result that is given in another form to that of the task.
    probe : callable, optional
        ``probe(call)`` calls a function that seems right once more and returns the name of a
        mistake that its results do not show, or None.
    terms : tuple
        For each output the terms that it is the sum of: words, and a function of all
        quantities by name.
    axes : mapping of str to str
        For each array among the arguments one letter per axis, the same for the same length.
    judge : callable, optional
        Where there is not one right result: whether a function does the right thing in a case.
    """

    name: str
    signature: str
    chapter: str
    cases: Callable[[np.random.Generator], list[Case]]
    steps: tuple[Step, ...]
    mistakes: tuple[Mistake, ...]
    outputs: tuple[str, ...] = ("the result",)
    tolerance: float = 1e-7
    accepted: tuple[Edits, ...] = ()
    read: Callable[[Any, tuple[Any, ...]], Any] = _as_it_is
    probe: Callable[[Callable[..., Any]], str | None] | None = None
    terms: tuple[tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...], ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    judge: Callable[[Callable[..., Any], Case], bool] | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments."""
        inside = self.signature.partition("(")[2].partition(")")[0]
        return tuple(name.strip() for name in inside.split(","))

    def outcome(self, *arguments: Any, mistakes: frozenset[str] = frozenset()) -> Any:
        """Return the right result, or the one to which the mistakes of these names lead."""
        edits = [mistake.edits for mistake in self.mistakes if mistake.name in mistakes]
        return self.edited(arguments, edits)

    def edited(self, arguments: Sequence[Any], edits: Sequence[Edits]) -> Any:
        """Return the result if steps are replaced as `edits` say."""
        return self.quantities(arguments, edits)[self.steps[-1].name]

    def quantities(self, arguments: Sequence[Any], edits: Sequence[Edits] = ()) -> dict[str, Any]:
        """Return the value of every step, by its name."""
        known = dict(zip(self.arguments, arguments, strict=True))
        steps = {}
        with np.errstate(all="ignore"):
            for step in self.steps:
                value = _apply(step.compute, known)
                for edit in edits:
                    if step.name in edit:
                        value = _apply(edit[step.name], {**known, "value": value})
                known[step.name] = steps[step.name] = value
        return steps


def _apply(function: Callable[..., Any], known: Mapping[str, Any]) -> Any:
    return function(*[known[name] for name in _parameters(function)])


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount]
