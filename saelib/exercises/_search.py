"""Which set of known mistakes leads to a learner's results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import numpy as np

from saelib._browser import thread_time
from saelib.exercises._compare import Arrays, agree, as_arrays, close
from saelib.exercises._derivation import IMPOSSIBLE, Case, Exercise, Mistake
from saelib.exercises._patience import deadline

__all__ = ["explaining_mistakes", "explaining_sets"]


def explaining_mistakes(
    exercise: Exercise,
    cases: Sequence[Case],
    results: Sequence[Arrays],
    sizes: Sequence[int],
) -> tuple[Mistake, ...]:
    """Return the smallest set of mistakes that explains all results, or an empty one."""
    return next(iter(explaining_sets(exercise, cases, results, sizes, most=1)), ())


def explaining_sets(
    exercise: Exercise,
    cases: Sequence[Case],
    results: Sequence[Arrays],
    sizes: Sequence[int],
    *,
    most: int,
    share: float = 0.4,
) -> list[tuple[Mistake, ...]]:
    """Return at most so many sets of mistakes that explain all results, of the smallest size.

    A set is built case by case: on the first cases few terms take part, so few mistakes show
    there. Only sets that explain them are extended by mistakes that show from the next case on.
    A mistake that spoils a result which is right is left out; two that cancel are not looked for.
    """
    # NaN alone tells no cause from another, and neither does 0.
    parts = [part for result in results for part in result]
    if all(np.isnan(part).all() for part in parts) or not any(part.any() for part in parts):
        return []
    end = deadline(share)
    showing = _first_shown(exercise, cases, results)
    for size in sizes:
        found = list(islice(_sets(exercise, cases, results, showing, size, end), most))
        if found:
            return found
    return []


def _first_shown(
    exercise: Exercise, cases: Sequence[Case], results: Sequence[Arrays]
) -> list[list[Mistake]]:
    """Return for each case the mistakes that show there first."""
    left = list(exercise.mistakes)
    showing: list[list[Mistake]] = []
    for case, result in zip(cases, results, strict=True):
        right = as_arrays(exercise.outcome(*case.arguments))
        here = []
        for mistake in list(left):
            wrong = as_arrays(exercise.edited(case.arguments, [mistake.edits]))
            spoiled = [
                len(wrong) != len(right) or not close(wrong[k], right[k], exercise.tolerance)
                for k in range(len(right))
            ]
            if not any(spoiled):
                continue
            left.remove(mistake)
            if len(result) == len(right) and any(
                bad and close(result[k], right[k], exercise.tolerance)
                for k, bad in enumerate(spoiled)
            ):
                continue
            here.append(mistake)
        showing.append(here)
    return showing


def _sets(
    exercise: Exercise,
    cases: Sequence[Case],
    results: Sequence[Arrays],
    showing: Sequence[Sequence[Mistake]],
    size: int,
    end: float,
) -> Iterator[tuple[Mistake, ...]]:
    order = {mistake.name: k for k, mistake in enumerate(exercise.mistakes)}

    def extend(chosen: tuple[Mistake, ...], k: int) -> Iterator[tuple[Mistake, ...]]:
        if k == len(cases):
            if len(chosen) == size:
                yield chosen
            return
        last = not any(showing[k + 1 :])
        for more in range(size - len(chosen) + 1):
            if last and more < size - len(chosen):
                continue
            for added in combinations(showing[k], more):
                if thread_time() > end:
                    return
                together = sorted((*chosen, *added), key=lambda mistake: order[mistake.name])
                edits = [mistake.edits for mistake in together]
                try:
                    outcome = exercise.edited(cases[k].arguments, edits)
                except IMPOSSIBLE:  # after one has changed a shape, the other may not fit
                    continue
                if agree(results[k], outcome, exercise.tolerance):
                    yield from extend(tuple(together), k + 1)

    yield from extend((), 0)
