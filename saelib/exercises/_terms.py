"""How much of each term of the derivation a result holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from saelib.exercises._compare import Arrays
from saelib.exercises._derivation import Case, Exercise

__all__ = ["describe"]


def describe(
    exercise: Exercise, cases: Sequence[Case], results: Sequence[Arrays]
) -> dict[int, str]:
    """Return for each output that is a sum of the right terms, in wrong sizes, what is off."""
    found = {}
    for k, terms in enumerate(exercise.terms):
        sizes: dict[str, list[tuple[float, dict[str, float]]]] = {}
        if all(
            _fit(exercise, case, result[k], terms, sizes)
            for case, result in zip(cases, results, strict=True)
        ):
            off = [
                f"{words} {size}"
                for words, values in sizes.items()
                if (size := _size_in_words(values)) is not None
            ]
            if off and not any(size.endswith("?") for size in off):
                found[k] = "has its terms in wrong sizes: " + ", ".join(off)
    return found


def _fit(
    exercise: Exercise,
    case: Case,
    got: np.ndarray[Any, Any],
    terms: Sequence[tuple[str, Any]],
    sizes: dict[str, list[tuple[float, dict[str, float]]]],
) -> bool:
    """Write `got` as a combination of the terms; add the coefficients to `sizes`."""
    quantities = exercise.quantities(case.arguments)
    known = dict(zip(exercise.arguments, case.arguments, strict=True)) | quantities
    values = {words: np.asarray(compute(known), dtype=np.float64) for words, compute in terms}
    values = {words: value for words, value in values.items() if value.any()}
    if got.size <= len(values) or not np.isfinite(got).all():
        return False
    matrix = np.stack([value.ravel() for value in values.values()], axis=1)
    coefficients, *_ = np.linalg.lstsq(matrix, got.ravel(), rcond=None)
    if np.linalg.norm(matrix @ coefficients - got.ravel()) > 1e-8 * np.linalg.norm(got):
        return False
    m, n = np.shape(known["X"])
    lengths = {"m": float(m), "n": float(n), "s2": float(len(known["b1"]))}
    for words, coefficient in zip(values, coefficients, strict=True):
        sizes.setdefault(words, []).append((float(coefficient), lengths))
    return True


def _size_in_words(values: Sequence[tuple[float, dict[str, float]]]) -> str | None:
    """Return the common size of a term in words, None if it is right, or '?' if there is none."""

    def always(size: Any) -> bool:
        return all(abs(value - size(lengths)) < 1e-6 for value, lengths in values)

    if always(lambda lengths: 1.0):
        return None
    if always(lambda lengths: 0.0):
        return "is missing"
    if always(lambda lengths: -1.0):
        return "has the wrong sign"
    for sign, what in ((1.0, ""), (-1.0, " and has the wrong sign")):
        if always(lambda lengths, s=sign: 2.0 * s):
            return f"is doubled{what}"
        if always(lambda lengths, s=sign: 0.5 * s):
            return f"is halved{what}"
        for name in ("m", "n", "s2"):
            if always(lambda lengths, s=sign, name=name: s * lengths[name]):
                return f"comes in at {name} times its size{what}"
            if always(lambda lengths, s=sign, name=name: s / lengths[name]):
                return f"comes in at 1/{name} of its size{what}"
    first = values[0][0]
    return f"comes in times {first:.4g}" if always(lambda lengths: first) else "?"
