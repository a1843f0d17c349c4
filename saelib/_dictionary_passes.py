"""The first round of a step on a large batch: codes, errors, and what the gradients are made of.

It goes through the rows of the batch in tiles that stay in the cache of a core, and several
threads share the tiles. The tiles depend on sizes alone, and what they give is added up in their
order: the same bits for every number of threads.

A rule that keeps few units of each example makes a code of which nearly all is 0. There the
products with the code are taken over what is kept, as sparse matrices; two of five stay as they
are. The plain version of all this is `saelib.dictionary.dictionary_cost`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._parallel import map_in_order
from saelib.codes import BatchTopK, L1ReLU, Rule, Threshold, TopK
from saelib.dictionary import AUXILIARY_K, AUXILIARY_WEIGHT, blocks_of_units
from saelib.parameters import Parameters
from saelib.thresholds import Gated, JumpReLU, in_window

__all__ = ["FirstRound", "Halfway", "can_be_tiled"]

Array = NDArray[np.floating[Any]]

# The weighted inputs of a tile fill about this many bytes, with so many rows at least and at most:
# shorter tiles pay for the products, longer ones for memory beyond the cache.
_BYTES_PER_TILE = 2**22
_MIN_ROWS, _MAX_ROWS = 128, 512
# What is done number by number is done in pieces of a tile, so that several arrays of a piece fit
# the second-level cache of a core.
_BYTES_PER_PIECE = 2**19
# Sums in float32 lose digits with their length; these many rows are added up in one go.
_ROWS_PER_SUM = 256
# Rules of which each example's code depends on that example alone.
_BY_ROWS = (L1ReLU, TopK, Threshold, JumpReLU, Gated)
# From one active unit in so many on, sparse products are faster.
_SPARSE_FROM = 16
# Of so many weighted inputs one is looked at to guess where the largest begin, and so many times
# as many as are wanted should lie above the guess.
_SAMPLED, _SLACK = 61, 1.5


class Halfway(NamedTuple):
    """What the first round gives.

    Attributes
    ----------
    reconstruction, penalty : float
        The two terms of the cost.
    b1, b2, own : ndarray
        Gradients by the biases and by the numbers that the rule itself gated.
    of_units : callable
        ``of_units(units, by_W1, by_W2)`` writes the gradients by the weights of a slice of units
        into arrays of shape (n_units, n_features) and (n_features, n_units).
    """

    reconstruction: float
    penalty: float
    b1: Array
    b2: Array
    own: Array
    of_units: Callable[[slice, Array, Array], None]


def can_be_tiled(rule: Rule, n_hidden: int, prefixes: Sequence[int] | None = None) -> bool:
    """Return whether the first round knows how to compute a rule in tiles."""
    # A class derived from one of these may do anything.
    sparse = type(rule) is BatchTopK and _keeps_few(rule, n_hidden) and prefixes is None
    return sparse or type(rule) in _BY_ROWS


def _keeps_few(rule: Rule, n_hidden: int) -> bool:
    """Return whether the products with the code are worth to be sparse."""
    return isinstance(rule, TopK | BatchTopK) and rule.k * _SPARSE_FROM <= n_hidden


def tiles(n_rows: int, n_hidden: int, itemsize: int) -> list[slice]:
    """Divide the rows of a batch into tiles."""
    length = min(max(_BYTES_PER_TILE // (itemsize * n_hidden), _MIN_ROWS), _MAX_ROWS)
    return [slice(start, min(start + length, n_rows)) for start in range(0, n_rows, length)]


class _Part(NamedTuple):
    """What one tile gives; `kept` only where the code is sparse."""

    squares: float
    penalty: float
    of_b1: Any
    of_b2: Any
    of_own: Any = np.empty(0)
    kept: Any = None


class _Kept(NamedTuple):
    """The units that the examples of a tile keep, example by example.

    Attributes
    ----------
    units : ndarray of shape (n_kept,)
    counts : ndarray of shape (n_rows,)
        How many of them each example keeps.
    activations, delta2 : ndarray of shape (n_kept,)
    """

    units: NDArray[np.int32]
    counts: NDArray[np.intp]
    activations: Array
    delta2: Array


class FirstRound:
    """The first round, with its memory, for batches of one shape.

    Parameters
    ----------
    n_rows, n_features, n_hidden : int
        Sizes.
    dtype : numpy dtype
        float32 or float64.
    """

    def __init__(self, n_rows: int, n_features: int, n_hidden: int, dtype: Any) -> None:
        self._shape, self._dtype = (n_rows, n_features, n_hidden), np.dtype(dtype)
        self._tiles = tiles(n_rows, n_hidden, self._dtype.itemsize)
        self._n_prefixes = 1
        self._memory: dict[str, Array] = {}
        self._spare: deque[list[Any]] = deque()

    def __call__(
        self,
        X: Array,
        p: Parameters,
        rule: Rule,
        n_threads: int,
        prefixes: Sequence[int] | None = None,
    ) -> Halfway:
        """Return what the first round gives for a batch; BLAS must be limited to one thread."""
        few = _keeps_few(rule, p.n_hidden) and prefixes is None
        self._n_prefixes = 1 if prefixes is None else len(prefixes)
        if few and isinstance(rule, TopK | BatchTopK):
            return self._sparse(X, p, rule, n_threads)
        blocks = blocks_of_units((p.n_hidden,) if prefixes is None else prefixes, p.n_hidden)
        return self._dense(X, p, rule, blocks, n_threads)

    # ------------------------------------------------------------------ dense codes

    def _dense(
        self, X: Array, p: Parameters, rule: Rule, blocks: list[slice], n_threads: int
    ) -> Halfway:
        m, n, h = self._shape
        A, delta2 = self._array("A", h), self._array("delta2", h)
        # The errors that the units of each block see; all see those of the last.
        delta3s = [
            self._array(name, n) for name in ("delta3", *(f"delta3 {k}" for k in blocks[:-1]))
        ]
        delta3s = [*delta3s[1:], delta3s[0]]
        n_buffers = 0 if isinstance(rule, L1ReLU) else 2 if isinstance(rule, Gated) else 1

        def compute(rows: slice) -> _Part:
            x, a, d2 = X[rows], A[rows], delta2[rows]
            penalty, of_b1 = 0.0, np.zeros(h)
            of_own = np.zeros(h if isinstance(rule, JumpReLU) else 0)
            with self._buffers(n_buffers, len(x)) as (mask, *memory):
                # A rectifier can write its code over the weighted inputs.
                z = memory[0] if memory else a
                np.matmul(x, p.W1.T, out=z)
                for part in self._pieces(x):
                    z[part] += p.b1
                    penalty += _code_into(a[part], mask[part], z[part], rule)
                d3s = [delta3[rows] for delta3 in delta3s]
                squares = _nested_into(d3s, d2, a, x, p, blocks)
                if isinstance(rule, Gated):
                    of_gate, of_own = self._gate_into(memory[1], x, z, p, rule)
                    penalty += of_gate
                for part in self._pieces(x):
                    d = d2[part]
                    if isinstance(rule, L1ReLU):
                        d += rule.sparsity_weight
                    if isinstance(rule, JumpReLU):
                        of_own = of_own + _jump_own(z[part], d, rule)
                    d *= mask[part]
                    if isinstance(rule, Gated):
                        d += memory[1][part]
                    of_b1 += _column_sums(d)
            return _Part(squares, penalty, of_b1, _column_sums(d3s[0]), of_own)

        def of_units(units: slice, by_W1: Array, by_W2: Array) -> None:
            np.matmul(delta2[:, units].T, X, out=by_W1)
            for block, delta3 in zip(blocks, delta3s, strict=True):
                low, high = max(block.start, units.start), min(block.stop, units.stop)
                if low < high:
                    columns = slice(low - units.start, high - units.start)
                    np.matmul(delta3.T, A[:, low:high], out=by_W2[:, columns])
            by_W1 /= m
            by_W2 /= m

        return self._halfway(map_in_order(compute, self._tiles, n_threads), of_units)

    def _gate_into(
        self, g: Array, x: Array, z: Array, p: Parameters, rule: Gated
    ) -> tuple[float, NDArray[np.float64]]:
        """Write what the gate adds to the errors of a tile over `g`; as `Gated.learn`.

        Return its cost and its gradient by the rule's own numbers, both summed over the rows.
        `z` is used up.
        """
        t, scale = np.asarray(rule.threshold, z.dtype), np.asarray(rule.scale, z.dtype)
        total, by_threshold, by_scale = 0.0, np.zeros(z.shape[1]), np.zeros(z.shape[1])
        for part in self._pieces(x):
            G = np.subtract(z[part], t, out=z[part])
            G /= scale
            np.maximum(G, 0, out=G)
            total += rule.sparsity_weight * float(_column_sums(G).sum())
        error = z @ p.W2.T
        total += _delta3_into(error, error, x, p.b2) / 2
        np.matmul(error, p.W2, out=g)
        for part in self._pieces(x):
            G, delta = z[part], g[part]
            delta += rule.sparsity_weight
            delta *= G > 0
            G *= delta
            by_scale -= _column_sums(G)
            delta /= scale
            by_threshold -= _column_sums(delta)
        return total, np.concatenate([by_threshold, by_scale])

    # ------------------------------------------------------------------ sparse codes

    def _sparse(self, X: Array, p: Parameters, rule: TopK | BatchTopK, n_threads: int) -> Halfway:
        from scipy.sparse import csr_array

        m, n, h = self._shape
        delta3, to_output = self._array("delta3", n), np.ascontiguousarray(p.W2.T)

        def finish(rows: slice, places: NDArray[np.intp], values: Array, back: Array) -> _Part:
            """Go on from what the examples of a tile keep; `back` is memory."""
            x, d3 = X[rows], delta3[rows]
            edges = np.searchsorted(places, np.arange(0, (len(x) + 1) * h, h))
            counts = np.diff(edges)
            units = (places - np.repeat(np.arange(0, len(x) * h, h), counts)).astype(np.int32)
            code = csr_array((values, units, edges.astype(np.int32)), shape=(len(x), h))
            squares = _delta3_into(d3, code @ to_output, x, p.b2)
            kept = np.matmul(d3, p.W2, out=back).ravel()[places]
            of_b1 = np.bincount(units, kept, minlength=h)
            return _Part(
                squares, 0.0, of_b1, _column_sums(d3), kept=_Kept(units, counts, values, kept)
            )

        if isinstance(rule, TopK):
            parts = self._by_example(X, p, rule, finish, n_threads)
        else:
            parts = self._by_batch(X, p, rule, finish, n_threads)
        counts = np.concatenate([[0], *(part.kept.counts for part in parts)])
        edges, units = np.cumsum(counts, dtype=np.int32), _joined(parts, "units")
        # Turned around, unit by unit: then a slice of units is a slice of rows.
        by_unit = [
            csr_array((_joined(parts, name), units, edges), shape=(m, h)).T.tocsr()
            for name in ("activations", "delta2")
        ]

        def of_units(units: slice, by_W1: Array, by_W2: Array) -> None:
            A, delta2 = (matrix[units] for matrix in by_unit)
            np.divide(delta2 @ X, m, out=by_W1)
            np.divide((A @ delta3).T, m, out=by_W2)

        return self._halfway(parts, of_units)

    def _by_example(
        self, X: Array, p: Parameters, rule: TopK, finish: Callable[..., _Part], n_threads: int
    ) -> list[_Part]:
        """Keep the largest of every example."""

        def compute(rows: slice) -> _Part:
            x = X[rows]
            with self._buffers(1, len(x)) as (_, z):
                np.matmul(x, p.W1.T, out=z)
                places = []
                for part in self._pieces(x):
                    z[part] += p.b1
                    mask = z[part] >= _edge_of_largest(z[part], rule.k)
                    places.append(np.flatnonzero(mask) + part.start * z.shape[1])
                where = np.concatenate(places)
                return finish(rows, where, z.ravel()[where], z)

        return map_in_order(compute, self._tiles, n_threads)

    def _by_batch(
        self, X: Array, p: Parameters, rule: BatchTopK, finish: Callable[..., _Part], n_threads: int
    ) -> list[_Part]:
        """Keep the largest of the whole batch.

        First a sample says where they may begin, a little too low; then only what lies above that
        has to be looked at. If the sample has misled, the whole batch is.
        """
        Z = self._array("A", p.n_hidden)

        def weigh(rows: slice) -> Array:
            z = np.matmul(X[rows], p.W1.T, out=Z[rows])
            for part in self._pieces(z):
                z[part] += p.b1
            return z.ravel()[::_SAMPLED].copy()

        def candidates(rows: slice) -> tuple[NDArray[np.intp], Array]:
            z = Z[rows].ravel()
            places = np.flatnonzero(z >= guess)
            return places, z[places]

        def compute(index: int) -> _Part:
            places, values = found[index]
            stay = values >= least
            rows = self._tiles[index]
            with self._buffers(1, rows.stop - rows.start) as (_, back):
                return finish(rows, places[stay], values[stay], back)

        sample = np.concatenate(map_in_order(weigh, self._tiles, n_threads))
        n_kept = rule._n_kept(Z)
        rank = min(int(_SLACK * n_kept / _SAMPLED) + 10, len(sample))
        guess = _smallest_kept(np.partition(sample, -rank)[-rank])
        found = map_in_order(candidates, self._tiles, n_threads)
        above = np.concatenate([values for _, values in found])
        if len(above) >= n_kept:
            least = _smallest_kept(np.partition(above, -n_kept)[-n_kept])
        else:
            least = _smallest_kept(Z.dtype.type(rule._least(Z)))
            guess = least
            found = map_in_order(candidates, self._tiles, n_threads)
        return map_in_order(compute, range(len(self._tiles)), n_threads)

    # ------------------------------------------------------------------ dead units

    def revive(
        self, X: Array, p: Parameters, dead: NDArray[np.bool_], n_threads: int
    ) -> Parameters:
        """Return the gradient of `auxiliary_cost` for the batch of the last call.

        What the others leave over is known from there, and only the dead units have a gradient, so
        all products are with these alone.
        """
        m, n, h = self._shape
        # Of nested prefixes all units together are one, whose error counts by its share.
        left, units = self._array("delta3", n) * self._n_prefixes, np.flatnonzero(dead)
        W1, W2, b1 = p.W1[units], np.ascontiguousarray(p.W2[:, units]), p.b1[units]
        A, delta2 = (np.empty((m, len(units)), self._dtype) for _ in range(2))
        own_delta3 = np.empty_like(left)
        sums: Any = sum(map_in_order(_column_sums, self._cut(left), n_threads))
        mean = (sums / m).astype(X.dtype)
        squares = map_in_order(lambda d3: _squares(d3 - mean), self._cut(left), n_threads)
        scale = AUXILIARY_WEIGHT / max(sum(squares) / m, float(np.finfo(self._dtype).tiny))

        def compute(rows: slice) -> Array:
            z = np.matmul(X[rows], W1.T, out=A[rows])
            z += b1
            mask = z >= _edge_of_largest(z, min(AUXILIARY_K, len(units)))
            z *= mask
            d3 = np.matmul(z, W2.T, out=own_delta3[rows])
            d3 += left[rows]
            d3 *= 2 * scale
            d2 = np.matmul(d3, W2, out=delta2[rows])
            d2 *= mask
            return _column_sums(d2)

        gradient = Parameters(
            *(np.zeros(shape, self._dtype) for shape in ((h, n), (n, h), (h,), (n,)))
        )
        gradient.b1[units] = sum(map_in_order(compute, self._tiles, n_threads)) / m

        def gradients(k: int) -> tuple[Array, Array]:
            block = slice(k, k + _MAX_ROWS)
            return delta2[:, block].T @ X / m, own_delta3.T @ A[:, block] / m

        starts = range(0, len(units), _MAX_ROWS)
        for k, (by_W1, by_W2) in zip(
            starts, map_in_order(gradients, starts, n_threads), strict=True
        ):
            gradient.W1[units[k : k + _MAX_ROWS]] = by_W1
            gradient.W2[:, units[k : k + _MAX_ROWS]] = by_W2
        return gradient

    def _cut(self, array: Array) -> list[Array]:
        return [array[rows] for rows in self._tiles]

    # ------------------------------------------------------------------ both

    def _halfway(
        self, parts: Sequence[_Part], of_units: Callable[[slice, Array, Array], None]
    ) -> Halfway:
        m = self._shape[0]
        squares, penalty, *sums = (
            sum(column[1:], column[0]) for column in zip(*(part[:5] for part in parts), strict=True)
        )
        b1, b2, own = ((total / m).astype(self._dtype) for total in sums)
        return Halfway(squares / (2 * m), penalty / m, b1, b2, own, of_units)

    def _array(self, name: str, width: int) -> Array:
        """Return memory for a number per example and column, the same at every call."""
        if name not in self._memory:
            self._memory[name] = np.empty((self._shape[0], width), self._dtype)
        return self._memory[name]

    def _pieces(self, rows: Array) -> list[slice]:
        """Divide the rows of a tile into pieces for what is done number by number."""
        n_bytes = self._shape[2] * self._dtype.itemsize
        length = max(_BYTES_PER_PIECE // n_bytes, 1)
        return [
            slice(start, min(start + length, len(rows))) for start in range(0, len(rows), length)
        ]

    @contextmanager
    def _buffers(self, number: int, n_rows: int) -> Iterator[list[Any]]:
        """Lend a mask and arrays for a tile that nobody else has now."""
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = [np.empty((self._tiles[0].stop, self._shape[2]), bool)]
        while len(memory) <= number:
            memory.append(np.empty(memory[0].shape, self._dtype))
        yield [array[:n_rows] for array in memory[: number + 1]]
        self._spare.append(memory)


def _code_into(a: Array, mask: NDArray[np.bool_], z: Array, rule: Rule) -> float:
    """Write code and slope of some rows, and return their penalty, summed."""
    if isinstance(rule, L1ReLU):
        np.maximum(z, 0, out=a)
        np.greater(a, 0, out=mask)
        return rule.sparsity_weight * float(_column_sums(a).sum())
    if isinstance(rule, JumpReLU | Gated):
        np.greater(z, np.maximum(np.asarray(rule.threshold, z.dtype), 0), out=mask)
    elif isinstance(rule, TopK):
        np.greater_equal(z, _edge_of_largest(z, rule.k), out=mask)
    elif isinstance(rule, Threshold):
        np.greater_equal(z, _smallest_kept(z.dtype.type(rule.threshold)), out=mask)
    np.multiply(z, mask, out=a)
    if isinstance(rule, JumpReLU):
        return rule.sparsity_weight * np.count_nonzero(mask)
    return 0.0


def _jump_own(z: Array, back: Array, rule: JumpReLU) -> NDArray[np.float64]:
    """Return what `JumpReLU.learn` does, summed over some rows; `z` is used up."""
    t = np.asarray(rule.threshold, z.dtype)
    window = in_window(z, t, rule.bandwidth)
    np.multiply(back, t, out=z)
    z += rule.sparsity_weight
    z *= window
    return -t * _column_sums(z) / rule.bandwidth


def _edge_of_largest(z: Array, k: int) -> Array:
    """Return, as a column, what the k largest positive numbers of every row are at least."""
    return _smallest_kept(TopK(k)._least(z))


def _smallest_kept(least: Any) -> Any:
    """Return `least`, or the smallest positive number if that is more: only positive ones stay."""
    return np.maximum(least, np.finfo(least.dtype).smallest_subnormal)


def _delta3_into(d3: Array, y: Array, x: Array, b2: Array) -> float:
    """Write the errors of the outputs y + b2 of a tile, and return the sum of their squares."""
    np.add(y, b2, out=d3)
    d3 -= x
    return _squares(d3)


def _nested_into(
    d3s: list[Array], d2: Array, a: Array, x: Array, p: Parameters, blocks: list[slice]
) -> float:
    """Write the errors that each block of units sees, and what they pass back, for a tile.

    Eq. (15.3) ``nested-error``, and for one block Eq. (12.4) ``bracket-and-slope``. Return the mean
    of the sums of squares.
    """
    squares, so_far, nested = 0.0, p.b2, len(blocks) > 1
    for block, d3 in zip(blocks, d3s, strict=True):
        y = np.matmul(a[:, block], p.W2[:, block].T, out=d3)
        squares += _delta3_into(d3, y, x, so_far)
        so_far = d3 + x if nested else so_far
    for k in reversed(range(len(blocks))):
        if nested:
            d3s[k] /= len(blocks)
        if k + 1 < len(blocks):
            d3s[k] += d3s[k + 1]  # what is in this prefix is in all longer ones
        np.matmul(d3s[k], p.W2[:, blocks[k]], out=d2[:, blocks[k]])
    return squares / len(blocks)


def _squares(array: Array) -> float:
    return float(np.vdot(array, array))


def _column_sums(array: Array) -> NDArray[np.float64]:
    ones = np.ones(min(len(array), _ROWS_PER_SUM), array.dtype)
    parts = (array[start : start + len(ones)] for start in range(0, len(array), len(ones)))
    total = np.zeros(array.shape[1])
    for part in parts:
        total += ones[: len(part)] @ part
    return total


def _joined(parts: Sequence[_Part], name: str) -> Any:
    return np.concatenate([getattr(part.kept, name) for part in parts])
