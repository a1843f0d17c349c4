"""A step of training a dictionary: the plain one, and one in blocks for large batches.

`plain_step` is the specification, in a few lines made of `saelib.dictionary` and `Adam`; the tests
compare `BlockedStep` with it. The blocked step has two rounds. The first, in
`saelib._dictionary_passes`, goes through the rows of the batch. The second, here, goes through the
units in blocks: the gradient by their weights is a product over all rows, and Adam takes it up
while it is still in the cache. So nothing has to be added up over threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._dictionary_passes import FirstRound, can_be_tiled
from saelib._minibatch import Adam, adam_step_into
from saelib._parallel import map_in_order
from saelib.codes import Rule
from saelib.dictionary import auxiliary_cost, dictionary_cost, project_gradient, unit_columns
from saelib.parameters import Parameters

__all__ = ["BlockedStep", "Moment", "Settings", "can_be_tiled", "plain_step"]

Array = NDArray[np.floating[Any]]
_UNITS_PER_BLOCK = 512


class Moment(NamedTuple):
    """What changes from step to step."""

    theta: Any
    adam: Adam
    silent: NDArray[np.intp]

    @property
    def n_done(self) -> int:
        """Number of steps taken."""
        return self.adam.n_steps


class Settings(NamedTuple):
    """What stays the same from step to step."""

    prefixes: Sequence[int] | None = None
    revive_after: int | None = None
    fix_norms: bool = True


def plain_step(
    now: Moment, X: Array, rule: Rule, settings: Settings, learning_rate: float
) -> tuple[float, Moment]:
    """Return the cost of a mini-batch, and what a step of Adam makes of it."""
    p = _parameters(now.theta, X, len(now.silent))
    cost = dictionary_cost(X, p, rule, prefixes=settings.prefixes)
    gradient, silent = cost.gradient, now.silent
    if settings.revive_after is not None:
        silent = _silent(now, gradient.b1)
        dead = silent > settings.revive_after
        if dead.any():
            extra = auxiliary_cost(X, p, rule, dead).gradient
            gradient = Parameters(
                gradient.W1 + extra.W1,
                gradient.W2 + extra.W2,
                gradient.b1 + extra.b1,
                gradient.b2,
            )
    if settings.fix_norms:
        gradient.W2[...] = project_gradient(gradient.W2, p.W2)
    slopes: Any = np.concatenate([gradient.ravel(), cost.own]).astype(now.theta.dtype, copy=False)
    adam, theta = now.adam.step(now.theta, slopes, learning_rate)
    if settings.fix_norms:
        W2 = _parameters(theta, X, len(p.b1)).W2
        W2[...] = unit_columns(W2)
    return cost.total, Moment(theta, adam, silent)


class BlockedStep:
    """`plain_step` for large batches of one shape and the rules of this library.

    Parameters
    ----------
    n_rows, n_features, n_hidden : int
        Sizes.
    dtype : numpy dtype
        float32 or float64.
    """

    def __init__(self, n_rows: int, n_features: int, n_hidden: int, dtype: Any) -> None:
        self._first_round = FirstRound(n_rows, n_features, n_hidden, dtype)
        edges = range(0, n_hidden, _UNITS_PER_BLOCK)
        self._blocks = [slice(k, min(k + _UNITS_PER_BLOCK, n_hidden)) for k in edges]
        # theta, mean and mean_square of the moment before the last: the next one is written there.
        self._before: tuple[Array, ...] | None = None
        self._spare: deque[tuple[Array, ...]] = deque()

    def __call__(
        self, now: Moment, X: Array, rule: Rule, settings: Settings, learning_rate: float
    ) -> tuple[float, Moment]:
        """Return the cost of a mini-batch, and what a step of Adam makes of it.

        The moment before `now` is overwritten; `now` is not.
        """
        h = len(now.silent)
        p = _parameters(now.theta, X, h)
        with single_threaded_blas() as n_threads:
            half = self._first_round(X, p, rule, n_threads, settings.prefixes)
            silent, extra = now.silent, None
            if settings.revive_after is not None:
                silent = _silent(now, half.b1)
                dead = silent > settings.revive_after
                if dead.any():
                    extra = self._first_round.revive(X, p, dead, n_threads)
        old = now.theta, now.adam.mean, now.adam.mean_square
        new = self._before
        if new is None or new[0] is now.theta:
            new = tuple(np.empty_like(array) for array in old)
        n_steps, rest = now.adam.n_steps + 1, slice(2 * p.W1.size, None)
        b1 = half.b1 if extra is None else half.b1 + extra.b1
        slopes: Any = np.concatenate([b1, half.b2, half.own])
        adam_step_into(_at(rest, old), _at(rest, new), slopes, learning_rate, n_steps)
        old_W1, new_W1, old_W2, new_W2 = (
            tuple(getattr(_parameters(array, X, h), name) for array in arrays)
            for name in ("W1", "W2")
            for arrays in (old, new)
        )

        def update(units: slice) -> Array:
            memory = self._memory(X.shape[1], now.theta.dtype)
            by_W1, by_W2 = (part[: units.stop - units.start] for part in memory)
            by_W2 = by_W2.reshape(X.shape[1], -1)
            half.of_units(units, by_W1, by_W2)
            if extra is not None:
                by_W1 += extra.W1[units]
                by_W2 += extra.W2[:, units]
            columns = (slice(None), units)
            if settings.fix_norms:
                by_W2 = project_gradient(by_W2, p.W2[columns])
            adam_step_into(_at(units, old_W1), _at(units, new_W1), by_W1, learning_rate, n_steps)
            adam_step_into(
                _at(columns, old_W2), _at(columns, new_W2), by_W2, learning_rate, n_steps
            )
            W2 = new_W2[0][columns]
            norms = np.linalg.norm(W2, axis=0)
            if settings.fix_norms and np.all(norms > 0):
                W2 /= norms
            self._spare.append(memory)
            return norms

        with single_threaded_blas() as n_threads:
            norms = map_in_order(update, self._blocks, n_threads)
        if settings.fix_norms and not np.all(np.concatenate(norms) > 0):
            unit_columns(new_W2[0])  # says which column it is
        self._before = old
        theta, mean, mean_square = cast(tuple[Any, ...], new)
        adam = Adam(mean, mean_square, n_steps)
        return half.reconstruction + half.penalty, Moment(theta, adam, silent)

    def _memory(self, n_features: int, dtype: Any) -> tuple[Array, ...]:
        """Return memory for the gradients of a block that nobody else has now."""
        try:
            return self._spare.pop()
        except IndexError:
            return tuple(np.empty((self._blocks[0].stop, n_features), dtype) for _ in range(2))


def _at(place: Any, arrays: Iterable[Array]) -> tuple[Array, ...]:
    return tuple(array[place] for array in arrays)


def _parameters(theta: Array, X: Array, n_hidden: int) -> Parameters:
    """Return the weights and biases at the beginning of `theta`, as views."""
    n_weights = 2 * X.shape[1] * n_hidden + X.shape[1] + n_hidden
    return Parameters.unravel(theta[:n_weights], X.shape[1], n_hidden)


def _silent(now: Moment, gradient_b1: Array) -> NDArray[np.intp]:
    """Return for how many steps each unit has not been active, this one included."""
    # A unit that took part has a gradient by its bias, unless by a rare accident.
    return np.where(gradient_b1 != 0, 0, now.silent + 1)
