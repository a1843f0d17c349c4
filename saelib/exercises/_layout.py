"""Results that are given in another order or shape than the task asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np

from saelib.exercises._compare import Arrays, agree
from saelib.exercises._derivation import Exercise
from saelib.exercises._run import Trouble

__all__ = ["arrange"]


def arrange(
    exercise: Exercise, results: Sequence[Arrays], rights: Sequence[Arrays]
) -> tuple[list[Arrays], Trouble | None]:
    """Return the results in the order and shapes of the task, and what had to be changed.

    Raises Trouble if their number or their shapes do not allow it.
    """
    n = len(rights[0])
    for result in results:
        if len(result) != n:
            number = "1 result" if len(result) == 1 else f"{len(result)} results"
            raise Trouble(
                "wrong-count",
                f"The function gives back {number}; the task asks for {n}: "
                f"{', '.join(exercise.outputs)}.",
                f"Return, in this order: {', '.join(exercise.outputs)}."
                if len(exercise.outputs) > 1
                else f"The call is {exercise.signature}.",
            )
    found = list(_fits(results, rights))
    for fit in found:
        if all(map(partial(agree, tolerance=exercise.tolerance), fit.results, rights)):
            return fit.results, _finding(exercise, fit.order, fit.reshape, results[0], rights[0])
    for fit in found:
        return fit.results, _finding(exercise, fit.order, fit.reshape, results[0], rights[0])
    for name, got, wanted in _misfits(exercise, results[0], rights[0]):
        raise Trouble(
            "wrong-shape",
            f"{name[:1].upper()}{name[1:]} has shape {got.shape}; with these inputs it must be "
            f"{wanted.shape}.",
            "Write the shape of every factor under the formula, then of every sum: over which "
            "axis does it run?",
        )
    raise Trouble(
        "wrong-shape",
        "The result has another shape than the task asks for on some of the inputs.",
        "Which number in the shape is written into your code as a constant?",
    )


class _Fit(NamedTuple):
    """Results that have the shapes of the right ones, and how they were brought to them."""

    results: list[Arrays]
    order: tuple[int, ...]
    reshape: Any


def _fits(results: Sequence[Arrays], rights: Sequence[Arrays]) -> Iterator[_Fit]:
    """Yield the ways to bring the results to the right shapes, the least change first."""
    n = len(rights[0])
    for reshape, order in product((_unchanged, _without_ones, _transposed), permutations(range(n))):
        # A square matrix hides that it is transposed; what one input shows holds for all.
        odd = [
            any(
                result[order[k]].shape != right[k].shape
                for result, right in zip(results, rights, strict=True)
            )
            for k in range(n)
        ]
        arranged = [
            tuple(reshape(result[order[k]]) if odd[k] else result[order[k]] for k in range(n))
            for result in results
        ]
        if all(
            part.shape == wanted.shape
            for parts, right in zip(arranged, rights, strict=True)
            for part, wanted in zip(parts, right, strict=True)
        ):
            yield _Fit(arranged, order, reshape)


def _misfits(exercise: Exercise, result: Arrays, right: Arrays) -> list[tuple[str, Any, Any]]:
    rows = zip(exercise.outputs, result, right, strict=True)
    return [(name, got, wanted) for name, got, wanted in rows if got.shape != wanted.shape]


def _unchanged(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return part


def _without_ones(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return part.squeeze()


def _transposed(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return part.T


def _finding(
    exercise: Exercise, order: tuple[int, ...], reshape: Any, result: Arrays, right: Arrays
) -> Trouble | None:
    if order != tuple(range(len(order))):
        given = ", ".join(exercise.outputs[order.index(k)] for k in range(len(order)))
        return Trouble(
            "outputs-swapped",
            f"The results are in another order than the one asked for: {given}.",
            f"The order is {', '.join(exercise.outputs)}.",
        )
    misfits = _misfits(exercise, result, right)
    if not misfits:
        return None
    name, got, wanted = misfits[0]
    name = f"{name[:1].upper()}{name[1:]}"
    if reshape is _transposed:
        return Trouble(
            "transposed",
            f"{name} is transposed: it has shape {got.shape} instead of {wanted.shape}.",
            "A gradient always has the shape of the thing it is the gradient of.",
        )
    return Trouble(
        "wrong-shape",
        f"{name} has shape {got.shape} instead of {wanted.shape}: an axis of length 1 too many.",
        "keepdims=True keeps such an axis, and so does an index like [:, None]; ravel, or a sum "
        "without keepdims, drops it.",
    )
