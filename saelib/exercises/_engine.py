"""From a wrong result to the mistake behind it.

Every exercise brings one function ``outcome(*arguments, mistakes)`` that computes the right
result, or, with the names of mistakes switched on, the wrong result that these mistakes lead
to. A learner's result is compared with the right one first, then with that of each mistake,
then with that of each pair; what matches on all inputs is the diagnosis. If nothing matches,
the result is taken apart: which output, which term, which factor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from saelib.exercises._learner import call_as_typed
from saelib.exercises._run import Trouble, run, valid_time_limit
from saelib.exercises._verdict import Verdict

__all__ = ["Case", "Exercise", "Mistake", "check"]

Arrays = tuple[np.ndarray[Any, Any], ...]


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
        Where the mistake was seen, or an empty string if it is merely plausible.
    """

    name: str
    explanation: str
    hint: str
    second_hint: str
    seen: str = ""


class Case(NamedTuple):
    """One set of arguments and a few words on what is special about it."""

    label: str
    arguments: tuple[Any, ...]


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
        ``cases(rng)`` draws fresh inputs.
    outcome : callable
        ``outcome(*arguments, mistakes=frozenset())`` gives the right or the wrong result.
    mistakes : tuple of Mistake
        The catalogue.
    outputs : tuple of str
        Names of the results, in order.
    tolerance : float
        Relative error up to which a float64 result counts as right.
    accepted : tuple of str
        Other ways of `outcome` to read the task that are right as well.
    """

    name: str
    signature: str
    chapter: str
    cases: Callable[[np.random.Generator], list[Case]]
    outcome: Callable[..., Any]
    mistakes: tuple[Mistake, ...]
    outputs: tuple[str, ...] = ("the result",)
    tolerance: float = 1e-7
    accepted: tuple[str, ...] = ()


def check(
    exercise: Exercise,
    function: Callable[..., Any],
    *,
    seed: int | None = None,
    time_limit: float = 10.0,
) -> Verdict:
    """Return the verdict on `function` as an answer to `exercise`, on fresh random inputs."""
    time_limit = valid_time_limit(time_limit)
    verdict = _judge(exercise, function, seed, time_limit)
    return replace(verdict, call=call_as_typed(f"check_{exercise.name}", function))


def _judge(
    exercise: Exercise, function: Callable[..., Any], seed: int | None, time_limit: float
) -> Verdict:
    cases = exercise.cases(np.random.default_rng(seed))
    results: list[Arrays] = []
    for case in cases:
        try:
            results.append(run(function, case.arguments, len(exercise.outputs), time_limit))
        except Trouble as trouble:
            return _in_trouble(exercise, case, trouble)

    def explained_by(*mistakes: str) -> bool:
        with np.errstate(all="ignore"):
            return all(
                _agree(
                    result,
                    exercise.outcome(*case.arguments, mistakes=frozenset(mistakes)),
                    exercise,
                )
                for case, result in zip(cases, results, strict=True)
            )

    if explained_by() or any(explained_by(variant) for variant in exercise.accepted):
        return Verdict(exercise.name, True, (), (_praise(cases),))
    for mistake in exercise.mistakes:
        if explained_by(mistake.name):
            return _known(exercise, (mistake,))
    for pair in combinations(exercise.mistakes, 2):
        if explained_by(*(mistake.name for mistake in pair)):
            return _known(exercise, pair)
    for case, result in zip(cases, results, strict=True):
        try:
            _require_shapes(exercise, result, _as_arrays(exercise.outcome(*case.arguments)))
        except Trouble as trouble:
            return _in_trouble(exercise, case, trouble)
    return _unknown(exercise, cases, results)


def _in_trouble(exercise: Exercise, case: Case, trouble: Trouble) -> Verdict:
    seen = "" if trouble.kind == "not-written" else f" (Seen {case.label}.)"
    lines = (f"{trouble}{seen}",)
    return Verdict(
        exercise.name,
        False,
        (trouble.kind,),
        lines,
        (trouble.hint,),
        exercise.chapter,
        waits_for=trouble.waits_for,
    )


def _as_arrays(value: Any) -> Arrays:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(np.asarray(part, dtype=np.float64) for part in parts)


def _require_shapes(exercise: Exercise, result: Arrays, right: Arrays) -> None:
    if len(result) != len(right):
        raise Trouble(
            "wrong-count",
            f"The function gives back {_count(len(result))}; the task asks for {len(right)}: "
            f"{', '.join(exercise.outputs)}.",
            f"The call is {exercise.signature}.",
        )
    for k, (name, got, wanted) in enumerate(zip(exercise.outputs, result, right, strict=True)):
        if got.shape == wanted.shape:
            continue
        for other, candidate in zip(exercise.outputs, right, strict=True):
            if other != name and _close(got, candidate, exercise.tolerance):
                raise Trouble(
                    "outputs-swapped",
                    f"Where {name} is asked for, the function gives back {other}: the numbers are "
                    "right, their order is not.",
                    f"The order is {', '.join(exercise.outputs)}.",
                )
        if got.ndim == 2 and _close(got.T, right[k], exercise.tolerance):
            raise Trouble(
                "transposed",
                f"{name} is right but transposed: it has shape {got.shape} instead of "
                f"{wanted.shape}.",
                "A gradient always has the shape of the thing it is the gradient of.",
            )
        raise Trouble(
            "wrong-shape",
            f"{name} has shape {got.shape}; with these inputs it must be {wanted.shape}.",
            "Write the shape of every factor under the formula, then of every sum: over which "
            "axis does it run?",
        )


def _count(number: int) -> str:
    return f"{number} result" if number == 1 else f"{number} results"


def _close(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float) -> bool:
    if got.shape != wanted.shape:
        return False
    # Rounding of single precision, a few operations long; a forward difference is farther off.
    tolerance = max(tolerance, 200 * float(np.finfo(got.dtype).eps))
    # Both NaN, or both the same infinity, agree as well: some mistakes show just there.
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(wanted)
        scale = float(np.max(np.abs(wanted[finite]), initial=0.0))
        near = np.abs(got - wanted) <= tolerance * (scale if scale > 0 else 1.0)
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    return bool(np.all(near | same))


def _agree(result: Arrays, outcome: Any, exercise: Exercise) -> bool:
    wanted = _as_arrays(outcome)
    return len(result) == len(wanted) and all(
        _close(mine, right, exercise.tolerance) for mine, right in zip(result, wanted, strict=True)
    )


def _praise(cases: Sequence[Case]) -> str:
    return f"It agrees with an independent computation on {len(cases)} fresh random inputs."


def _known(exercise: Exercise, mistakes: tuple[Mistake, ...]) -> Verdict:
    lines = tuple(mistake.explanation for mistake in mistakes)
    if len(mistakes) == 2:
        lines = ("Two things at once:", *lines)
    first = mistakes[0]
    hints = (
        (first.hint, first.second_hint)
        if len(mistakes) == 1
        else tuple(mistake.hint for mistake in mistakes)
    )
    names = tuple(mistake.name for mistake in mistakes)
    return Verdict(exercise.name, False, names, lines, hints, exercise.chapter)


def _unknown(exercise: Exercise, cases: Sequence[Case], results: Sequence[Arrays]) -> Verdict:
    rights = [_as_arrays(exercise.outcome(*case.arguments)) for case in cases]
    wrong_cases = [
        case.label
        for case, result, right in zip(cases, results, rights, strict=True)
        if not all(_close(g, w, exercise.tolerance) for g, w in zip(result, right, strict=True))
    ]
    lines = ["This mistake is not one of those I know. What can be said:"]
    right_cases = [case.label for case in cases if case.label not in wrong_cases]
    if right_cases:
        lines.append(f"It is right {_join(right_cases)}, and wrong {_join(wrong_cases)}.")
    for k, name in enumerate(exercise.outputs):
        got = [result[k] for result in results]
        wanted = [right[k] for right in rights]
        finding = _finding(got, wanted, exercise.tolerance)
        if finding and not (finding == "is right" and len(exercise.outputs) == 1):
            lines.append(f"{name[:1].upper()}{name[1:]} {finding}.")
    hints = (
        "Work through the smallest input by hand, or print every intermediate value, and compare "
        "line by line with the formula.",
    )
    return Verdict(exercise.name, False, (), tuple(lines), hints, exercise.chapter)


def _finding(
    got: Sequence[np.ndarray[Any, Any]], wanted: Sequence[np.ndarray[Any, Any]], tolerance: float
) -> str:
    pairs = list(zip(got, wanted, strict=True))
    findings = {
        "is right": all(_close(g, w, tolerance) for g, w in pairs),
        "holds NaN, which comes from 0/0, inf - inf or the logarithm of a negative number": any(
            np.isnan(g).any() and not np.isnan(w).any() for g, w in pairs
        ),
        "holds infinity, which comes from a division by 0, log(0) or an overflow of exp": any(
            np.isinf(g).any() and not np.isinf(w).any() for g, w in pairs
        ),
        "is the transpose of the right one": all(
            g.ndim == 2 and _close(g.T, w, tolerance) for g, w in pairs
        ),
    }
    for finding, applies in findings.items():
        if applies:
            return finding
    factors = {_factor(g, w, tolerance) for g, w in pairs if w.any()}
    if None in factors or not factors:
        return "is wrong, and not by a constant factor"
    rounded = {round(factor, 6) for factor in factors if factor is not None}
    if len(rounded) == 1:
        return f"is the right one times {rounded.pop():.6g}"
    return "is the right one times a factor that changes from input to input"


def _factor(
    got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float
) -> float | None:
    size = float(np.vdot(wanted, wanted))
    if size == 0 or not np.isfinite(got).all():
        return None
    factor = float(np.vdot(wanted, got)) / size
    return factor if factor != 0 and _close(got, factor * wanted, tolerance) else None


def _join(labels: Sequence[str]) -> str:
    unique = list(dict.fromkeys(labels))
    return unique[0] if len(unique) == 1 else ", ".join(unique[:-1]) + " and " + unique[-1]
