"""From a wrong result to the mistake behind it.

A learner's results are compared with the right ones first, then with those of each mistake of
the catalogue, then with those of each pair. What matches on all inputs is the diagnosis. If
nothing matches, the learner's own values are followed: up to where do they agree with the
derivation, and which one change in which line would make everything right? Larger sets of
mistakes come next; at last the result is taken apart: which output, which term, which factor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from saelib.exercises._compare import Arrays, agree, as_arrays, close
from saelib.exercises._derivation import Case, Exercise, Mistake
from saelib.exercises._example import smallest_example
from saelib.exercises._first_word import while_looking
from saelib.exercises._follow import Finding, changing_line, follow, not_finite_line
from saelib.exercises._habits import early_return, kept_names, lost_result
from saelib.exercises._layout import arrange
from saelib.exercises._learner import call_as_typed
from saelib.exercises._run import Trouble, run, valid_time_limit
from saelib.exercises._search import explaining_mistakes, explaining_sets
from saelib.exercises._terms import describe
from saelib.exercises._verdict import Verdict

__all__ = ["check"]

_MOST_DRAWS = 3  # of new inputs, when two diagnoses explain the first ones


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
    if not verdict.correct and _arguments_exchanged(exercise, function):
        verdict = replace(
            verdict,
            mistakes=("arguments-exchanged",),
            lines=(
                "The arguments of your function are those of the task, but in another order; they "
                f"come as {exercise.signature.partition(')')[0]}).",
            ),
            hints=("Write the arguments in the order of the task, then check again.",),
            line_numbers=(),
        )
    known = {mistake.name for mistake in exercise.mistakes}
    if not verdict.correct and not known & {*verdict.mistakes} and verdict.written:
        verdict = _with_habits(verdict, function)
    shrink = partial(smallest_example, exercise, function, time_limit)
    return replace(verdict, call=call_as_typed(f"check_{exercise.name}", function), shrink=shrink)


def _with_habits(verdict: Verdict, function: Callable[..., Any]) -> Verdict:
    """Return the verdict with a word on what is seen in the program as it is written."""
    too_soon, lost = early_return(function), lost_result(function)
    if too_soon is not None:
        words = "The return of line {} ends the loop of line {} in its first turn."
        verdict = replace(verdict, lines=(*verdict.lines, words.format(*too_soon)))
    if lost is not None:
        line, text = lost
        text = text if len(text) <= 60 else f"{text[:57]}..."
        word = f"What line {line} computes, `{text}`, is kept nowhere: it changes nothing."
        numbers = tuple(dict.fromkeys((line, *verdict.line_numbers)))
        hint = "What should hold the result? A function such as np.append gives a new array."
        verdict = replace(
            verdict,
            lines=(word, *verdict.lines),
            hints=(hint, *verdict.hints),
            line_numbers=numbers,
        )
    return verdict


def _arguments_exchanged(exercise: Exercise, function: Callable[..., Any]) -> bool:
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # what is no function, or a compiled one
        return False
    return names != exercise.arguments and sorted(names) == sorted(exercise.arguments)


def _judge(
    exercise: Exercise, function: Callable[..., Any], seed: int | None, time_limit: float
) -> Verdict:
    cases = exercise.cases(np.random.default_rng(seed))
    rights = [as_arrays(exercise.outcome(*case.arguments)) for case in cases]
    results: list[Arrays] = []
    for case in cases:
        try:
            results.append(run(function, case.arguments, len(rights[0]), time_limit, exercise.read))
        except Trouble as trouble:
            found = None
            if trouble.kind == "raises":
                memory = _memory(exercise, function, cases, results, time_limit)
                if memory is not None:
                    return _in_trouble(exercise, cases[0], memory, None)
            if trouble.kind in ("raises", "not-numbers"):
                with while_looking(exercise.name):
                    found = follow(exercise, function, cases)
            if trouble.kind == "input-changed":
                trouble.where = _changed_at(exercise, function, case)
            return _in_trouble(exercise, case, trouble, found)
    if _explained(exercise, cases, results, ()):
        return _right(exercise, function, cases, time_limit)
    if any(_explained(exercise, cases, results, (edits,)) for edits in exercise.accepted):
        return _right(exercise, function, cases, time_limit)
    sets = explaining_sets(exercise, cases, results, (1,), most=3)
    if sets:
        return _known(exercise, *_decided(exercise, function, sets, time_limit))
    memory = _memory(exercise, function, cases, results, time_limit)
    if memory is not None:
        return _in_trouble(exercise, cases[0], memory, None)
    with while_looking(exercise.name):
        try:
            results, layout = arrange(exercise, results, rights)
        except Trouble as trouble:
            found = follow(exercise, function, cases)
            return _in_trouble(exercise, cases[0], trouble, found)
        return _not_right(exercise, function, cases, results, rights, layout, time_limit)


def _not_right(
    exercise: Exercise,
    function: Callable[..., Any],
    cases: Sequence[Case],
    results: Sequence[Arrays],
    rights: Sequence[Arrays],
    layout: Trouble | None,
    time_limit: float,
) -> Verdict:
    if layout and all(map(partial(agree, tolerance=exercise.tolerance), results, rights)):
        return _in_trouble(exercise, cases[0], layout, follow(exercise, function, cases))
    sets = explaining_sets(exercise, cases, results, (1, 2), most=1 if layout else 3)
    if sets:
        known, rivals = _decided(exercise, function, sets, time_limit)
        return _known(exercise, known, rivals, layout)
    found = follow(exercise, function, cases)
    if found is None or not found.certain:
        known = explaining_mistakes(exercise, cases, results, (3, 4))
        if known:
            return _known(exercise, known, layout=layout)
    if found is not None:
        lines = (
            *found.lines,
            *_where_right(exercise, cases, results, rights),
            *_not_finite(exercise, results, rights),
        )
        return Verdict(
            exercise.name,
            False,
            (),
            lines,
            found.hints,
            exercise.chapter,
            line_numbers=found.numbers,
        )
    return _unknown(exercise, function, cases, results, rights, layout)


def _memory(
    exercise: Exercise,
    function: Callable[..., Any],
    cases: Sequence[Case],
    results: Sequence[Arrays],
    time_limit: float,
) -> Trouble | None:
    """Return what is to be said if the first call, made again, does not give what it gave."""
    names = kept_names(function) if results else ()
    if not names:
        return None
    case, n_results = cases[0], len(exercise.outputs)
    try:
        again = run(function, case.arguments, n_results, time_limit, exercise.read)
    except Trouble:
        again = ()
    if agree(again, results[0], exercise.tolerance):
        return None
    listed = _join([f"`{name}`" for name in names])
    keeps = "keeps its value" if len(names) == 1 else "keep their values"
    return Trouble(
        "remembers",
        "Called again with the same input, the function does not give the same result. "
        f"{listed} {keeps} from one call to the next.",
        "Everything that a call needs should begin anew inside of the function.",
    )


def _changed_at(exercise: Exercise, function: Callable[..., Any], case: Case) -> tuple[int, ...]:
    found = (changing_line(function, case.arguments, name) for name in exercise.arguments)
    return next(filter(None, found), ())


def _explained(
    exercise: Exercise, cases: Sequence[Case], results: Sequence[Arrays], edits: Sequence[Any]
) -> bool:
    return all(
        agree(result, exercise.edited(case.arguments, edits), exercise.tolerance)
        for case, result in zip(cases, results, strict=True)
    )


def _right(
    exercise: Exercise, function: Callable[..., Any], cases: Sequence[Case], time_limit: float
) -> Verdict:
    def call(*arguments: Any) -> Any:
        return run(function, arguments, len(exercise.outputs), time_limit, exercise.read)

    name = exercise.probe(call) if exercise.probe else None
    if name:
        return _known(exercise, tuple(m for m in exercise.mistakes if m.name == name))
    praise = f"It agrees with an independent computation on {len(cases)} fresh random inputs."
    return Verdict(exercise.name, True, (), (praise,))


def _in_trouble(exercise: Exercise, case: Case, trouble: Trouble, found: Finding | None) -> Verdict:
    seen = "" if trouble.kind == "not-written" else f" (Seen {case.label}.)"
    lines: tuple[str, ...] = (f"{trouble}{seen}",)
    hints: tuple[str, ...] = (trouble.hint,)
    numbers: tuple[int, ...]
    numbers = trouble.where[:1]
    if trouble.kind == "input-changed" and len(trouble.where) == 1:
        lines = (*lines, f"It is line {numbers[0]} that does it.")
    if trouble.kind == "input-changed" and len(trouble.where) == 2:
        first, last = trouble.where
        lines = (
            *lines,
            f"Line {last} writes into it: since line {first} it is the argument itself, or a part "
            "of it, not a copy.",
        )
    if found is not None:
        lines, hints, numbers = (*lines, *found.lines), (*hints, *found.hints), found.numbers
    return Verdict(
        exercise.name,
        False,
        (trouble.kind,),
        lines,
        hints,
        exercise.chapter,
        waits_for=trouble.waits_for,
        line_numbers=numbers,
    )


def _decided(
    exercise: Exercise,
    function: Callable[..., Any],
    sets: Sequence[tuple[Mistake, ...]],
    time_limit: float,
) -> tuple[tuple[Mistake, ...], list[tuple[Mistake, ...]]]:
    """Return the mistakes that were made, and others that give the same on every input.

    If two sets of mistakes explain all results, new inputs are drawn, on which they may differ.
    """
    left = list(sets)
    for seed in range(_MOST_DRAWS):
        if len(left) == 1:
            break
        cases = exercise.cases(np.random.default_rng([seed, len(sets)]))
        n = len(exercise.outputs)
        try:
            results = [run(function, c.arguments, n, time_limit, exercise.read) for c in cases]
        except Trouble:  # what is known of the first inputs is known all the same
            break
        left = [
            known
            for known in left
            if _explained(exercise, cases, results, [mistake.edits for mistake in known])
        ] or left[:1]
    return left[0], left[1:]


def _known(
    exercise: Exercise,
    mistakes: tuple[Mistake, ...],
    rivals: Sequence[tuple[Mistake, ...]] = (),
    layout: Trouble | None = None,
) -> Verdict:
    words = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}
    lines = tuple(mistake.explanation for mistake in mistakes)
    hints = tuple(mistake.hint for mistake in mistakes)
    names = tuple(mistake.name for mistake in mistakes)
    if len(mistakes) == 1:
        hints = (mistakes[0].hint, mistakes[0].second_hint)
    if layout is not None:
        lines, names, hints = (*lines, str(layout)), (*names, layout.kind), (*hints, layout.hint)
    if len(lines) > 1:
        lines = (f"{words[len(lines)]} things at once:", *lines)
    for rival in rivals:
        own = " ".join(m.explanation for m in mistakes if m not in rival)
        other = " ".join(m.explanation for m in rival if m not in mistakes)
        lines = (*lines, f'Instead of "{own}" it may be "{other}": the results are the same.')
    return Verdict(exercise.name, False, names, lines, hints, exercise.chapter)


def _where_right(
    exercise: Exercise,
    cases: Sequence[Case],
    results: Sequence[Arrays],
    rights: Sequence[Arrays],
) -> list[str]:
    """Return a line on which inputs the answer is right and on which wrong, if on some of both."""
    right = [
        agree(got, want, exercise.tolerance) for got, want in zip(results, rights, strict=True)
    ]
    if not any(right) or all(right):
        return []
    labels = [
        [c.label for c, ok in zip(cases, right, strict=True) if ok is state]
        for state in (True, False)
    ]
    return [f"It is right {_join(labels[0])}, and wrong {_join(labels[1])}."]


def _not_finite(
    exercise: Exercise, results: Sequence[Arrays], rights: Sequence[Arrays]
) -> list[str]:
    """Return a line for each output that holds NaN or infinity where it should not."""
    lines = []
    for k, name in enumerate(exercise.outputs):
        got, wanted = [result[k] for result in results], [right[k] for right in rights]
        finding = _finding(got, wanted, exercise.tolerance)
        if finding.startswith("holds"):
            lines.append(f"{name[:1].upper()}{name[1:]} {finding}.")
    return lines


def _unknown(
    exercise: Exercise,
    function: Callable[..., Any],
    cases: Sequence[Case],
    results: Sequence[Arrays],
    rights: Sequence[Arrays],
    layout: Trouble | None,
) -> Verdict:
    lines = ["This mistake is not one of those I know. What can be said:"]
    if layout is not None:
        lines.append(str(layout))
    lines += _where_right(exercise, cases, results, rights)
    sizes = describe(exercise, cases, results)
    for k, name in enumerate(exercise.outputs):
        got, wanted = [result[k] for result in results], [right[k] for right in rights]
        finding = sizes.get(k) or _finding(got, wanted, exercise.tolerance)
        if finding and not (finding == "is right" and len(exercise.outputs) == 1):
            lines.append(f"{name[:1].upper()}{name[1:]} {finding}.")
    numbers = _where_not_finite(function, cases, results, rights)
    if numbers:
        lines.append(f"The first of these comes from line {numbers[0]}.")
    hints = (
        "Work through the smallest input by hand, or print every intermediate value, and compare "
        "line by line with the formula.",
    )
    return Verdict(
        exercise.name, False, (), tuple(lines), hints, exercise.chapter, line_numbers=numbers
    )


def _where_not_finite(
    function: Callable[..., Any],
    cases: Sequence[Case],
    results: Sequence[Arrays],
    rights: Sequence[Arrays],
) -> tuple[int, ...]:
    """Return the first line that gives NaN or infinity for an input whose answer is finite."""
    for case, result, right in zip(cases, results, rights, strict=True):
        if all(np.isfinite(w).all() for w in right) and not all(
            np.isfinite(g).all() for g in result
        ):
            return not_finite_line(function, case.arguments)
    return ()


def _finding(
    got: Sequence[np.ndarray[Any, Any]], wanted: Sequence[np.ndarray[Any, Any]], tolerance: float
) -> str:
    pairs = list(zip(got, wanted, strict=True))
    findings = {
        "is 0 everywhere": all(not g.any() and w.any() for g, w in pairs),
        "is right": all(close(g, w, tolerance) for g, w in pairs),
        "holds NaN, which comes from 0/0, inf - inf or the logarithm of a negative number": any(
            np.isnan(g).any() and not np.isnan(w).any() for g, w in pairs
        ),
        "holds infinity, which comes from a division by 0, log(0) or an overflow of exp": any(
            np.isinf(g).any() and not np.isinf(w).any() for g, w in pairs
        ),
        "is the transpose of the right one": all(
            g.ndim == 2 and close(g.T, w, tolerance) for g, w in pairs
        ),
    }
    for finding, applies in findings.items():
        if applies:
            return finding
    factors = {_factor(g, w, tolerance) for g, w in pairs if w.any()}
    rounded = {round(factor, 6) for factor in factors if factor is not None}
    if None not in factors and len(rounded) == 1:
        return f"is the right one times {rounded.pop():.6g}"
    line = _straight_line(pairs, tolerance)
    if line:
        return line
    # Any single number is the right one times something: only an array shows a common factor.
    if None not in factors and rounded and all(w.size > 1 for w in wanted):
        return "is the right one times a factor that changes from input to input"
    off = max(_relative(g, w) for g, w in pairs)
    if off < 0.02:
        return (
            f"is near the right one, but off by up to {off:.1g} of its size, as rounding in single "
            "precision makes it"
        )
    return "is wrong, and not by a constant factor"


def _relative(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> float:
    """Return the largest difference, measured by the largest entry of the right one."""
    size = float(np.max(np.abs(wanted), initial=0.0))
    if not size or got.shape != wanted.shape or not np.isfinite(got).all():
        return np.inf
    return float(np.max(np.abs(got - wanted))) / size


def _straight_line(
    pairs: Sequence[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], tolerance: float
) -> str:
    """Return in words the straight line that takes the right results to these, if there is one."""
    lines = set()
    for got, wanted in pairs:
        if wanted.size < 4 or np.ptp(wanted) == 0 or not np.isfinite(got).all():
            return ""
        factor, shift = np.polynomial.polynomial.polyfit(wanted.ravel(), got.ravel(), 1)[::-1]
        if not close(got, factor * wanted + shift, tolerance):
            return ""
        lines.add((round(float(factor), 6), round(float(shift), 6)))
    if len(lines) != 1:
        return ""
    factor, shift = lines.pop()
    if not factor or not shift:
        return ""
    return (
        f"is the right one times {factor:.6g}, {'plus' if shift > 0 else 'minus'} {abs(shift):.6g}"
    )


def _factor(
    got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float
) -> float | None:
    size = float(np.vdot(wanted, wanted))
    if size == 0 or not np.isfinite(got).all():
        return None
    factor = float(np.vdot(wanted, got)) / size
    return factor if factor != 0 and close(got, factor * wanted, tolerance) else None


def _join(labels: Sequence[str]) -> str:
    unique = list(dict.fromkeys(labels))
    return unique[0] if len(unique) == 1 else ", ".join(unique[:-1]) + " and " + unique[-1]
