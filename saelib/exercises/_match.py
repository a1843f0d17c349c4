"""Which quantity of the derivation a value is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from saelib.exercises._derivation import Exercise

__all__ = ["Kinship", "Match", "Pool"]


class Kinship(IntEnum):
    """How near a value is to a quantity of the derivation."""

    NONE = 0
    SCALED = 1  # up to sign, or a factor m
    DERIVED = 2  # one minus it, its exponential, its square, a part of it
    EXACT = 3  # the quantity itself, in any layout


class Match(NamedTuple):
    """A quantity of the derivation that a value agrees with."""

    kinship: Kinship
    name: str


class Pool:
    """The values of all steps for one input, in every layout that a program may give them."""

    def __init__(self, exercise: Exercise, arguments: tuple[Any, ...]) -> None:
        self.words = {step.name: step.words for step in exercise.steps}
        self.quantities = {
            name: np.asarray(value, dtype=np.float64)
            for name, value in exercise.quantities(arguments).items()
            if not isinstance(value, (tuple, list))
        }
        given = {
            name: np.asarray(value, dtype=np.float64)
            for name, value in zip(exercise.arguments, arguments, strict=True)
            if isinstance(value, (np.ndarray, float))
        }
        self._by_shape: dict[tuple[int, ...], list[tuple[Match, Any]]] = {}
        lengths = {len(v) for v in given.values() if v.ndim == 2}
        for name, value in {**self.quantities, **given}.items():
            for near, form in _forms(name, value, lengths):
                # That a variable equals an argument as a whole speaks for nothing.
                alias = name in given and form.shape == value.shape
                match = Match(min(near.kinship, Kinship.SCALED), name) if alias else near
                if form.size and np.isfinite(form).all():
                    self._by_shape.setdefault(form.shape, []).append((match, form))

    @property
    def is_finite(self) -> bool:
        """Whether no quantity is NaN or infinite on this input."""
        return all(bool(np.isfinite(value).all()) for value in self.quantities.values())

    def match(self, value: Any) -> Match:
        """Return the nearest quantity that `value` agrees with."""
        best = Match(Kinship.NONE, "")
        # Whole numbers are counts and indices, and agree with too much.
        if isinstance(value, (bool, int, np.integer)):
            return best
        try:
            got = np.asarray(value)
            got = got if got.dtype == np.float32 else got.astype(np.float64)
        except (TypeError, ValueError):
            return best
        tolerance = 5e-5 if got.dtype == np.float32 else 1e-8
        if got.ndim and 1 in got.shape and got.shape not in self._by_shape:
            got = got.squeeze()
        for match, form in self._by_shape.get(got.shape, ()):
            if match.kinship <= best.kinship:
                continue
            # Zeros agree with zeros only, not with everything that is small.
            size = float(np.max(np.abs(form)))
            with np.errstate(invalid="ignore", over="ignore"):
                if np.all(np.abs(got - form) <= tolerance * size):
                    best = match
        return best

    def matches(self, value: Any) -> list[Match]:
        """Return what each of several values agrees with; one value is a list of one."""
        if isinstance(value, (tuple, list)) and any(np.ndim(part) for part in value):
            return [self.match(part) for part in value]
        return [self.match(value)]


def _forms(
    name: str, value: np.ndarray[Any, Any], lengths: set[int]
) -> Iterator[tuple[Match, np.ndarray[Any, Any]]]:
    with np.errstate(all="ignore"):
        for kinship, form in (
            (Kinship.EXACT, value),
            (Kinship.DERIVED, 1 - value),
            (Kinship.DERIVED, value * (1 - value)),
            (Kinship.DERIVED, value**2),
            (Kinship.DERIVED, np.exp(-value)),
            (Kinship.DERIVED, 1 + np.exp(-value)),
            (Kinship.DERIVED, np.log(np.abs(value))),
            (Kinship.DERIVED, 1 / value),
            *((Kinship.SCALED, value * m) for m in lengths),
            *((Kinship.SCALED, value / m) for m in lengths),
            (Kinship.SCALED, 2 * value),
            (Kinship.SCALED, -value),
        ):
            match = Match(kinship, name)
            yield match, form
            if form.ndim == 2:
                yield match, form.T
                if kinship is Kinship.EXACT:
                    for axis in (0, 1):
                        for part in np.moveaxis(form, axis, 0):
                            if part.any():
                                yield match, part
                    yield match, form.ravel()
            if kinship is Kinship.EXACT and form.ndim:
                for entry in form.ravel():
                    if entry:  # a zero agrees with everything that is small
                        yield match, np.asarray(entry)
