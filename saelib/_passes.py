"""The two passes over the data that an evaluation of `J_sparse` takes.

δ2 needs rho_hat, and rho_hat needs every example, so there are two: `sum_activations` and
`backpropagate`. Both go through the rows block by block, in buffers that stay in the processor's
cache, and several threads share the blocks. What happens to the outputs one by one happens in
tiles, parts of a block that fit the cache of one core.

The plain version of all this, without blocks, buffers and threads, is `mini_batch` of
`saelib._minibatch` with ``share=1``; the tests compare the two.

In the comments on shapes, m is the number of rows of the block at hand, or of the tile.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from saelib._parallel import map_in_order, map_in_two_steps
from saelib._rows import Rows, bytes_in_memory, on_disk
from saelib.activations import TANH_AS_SIGMOID, Activation
from saelib.parameters import Parameters

__all__ = [
    "BiasUnitWeights",
    "Buffers",
    "Sums",
    "SumsOfRows",
    "backpropagate",
    "plan_shares",
    "sum_activations",
]

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]
# rho_hat, and β dKL/da of every hidden unit, which the second pass needs.
Middle = tuple[Vector, Array]
Result = TypeVar("Result")

# The inputs, activations and errors of a block fill about this many bytes: long enough for fast
# matrix products, short enough to stay in the cache. Measured by benchmarks/blocks.py.
_BYTES_PER_BLOCK = 2**22
_MIN_ROWS, _MAX_ROWS = 250, 2500
# The outputs of a tile fill at most this many bytes. Beside their slopes and their targets they
# then fit into 2 MiB, which many a core has as a cache of its own.
_BYTES_PER_TILE = 5 * 2**17
# A sum in float32 is rounded to its own size at every step, and of a unit that is nearly always
# on it is the small distance from the number of rows that counts. So longer sums are float64.
_ROWS_PER_SINGLE_SUM = 250
# Vector instructions load so many bytes at once, and take up to twice the time for an array
# that starts in the middle of them.
_ALIGNMENT = 64
# The rows are dealt into at most this many shares whatever the number of threads, and the sums
# over the shares are added in order: the same bits on one core and on many.
_MAX_SHARES = 16
# f of this is 1 to the last bit, for sigmoid and tanh, in float32 and float64.
_SATURATING = 50.0
# The activations are kept for the second pass if they take less memory than this, or than X
# does. Otherwise they are computed twice, which costs a sixth matrix product.
_MAX_BYTES_KEPT = 2**28
# Data on disk are there because memory is short.
_MAX_BYTES_KEPT_BESIDE_DISK = 2**26


class BiasUnitWeights(NamedTuple):
    """The weights of a network as the two passes use them, made once per evaluation.

    Two things save passes over all examples:

    - One hidden unit more, the last, has the activation 1 for every example, and its weights to
      the outputs are b2. So the product with the weights W2 adds b2, and the product that gives
      ∇W2 gives ∇b2.
    - A sigmoid needs exp(-z); the sign goes to the weights, see `Activation.sign`.

    Attributes
    ----------
    to_hidden : ndarray of shape (n_hidden + 1, n_features)
        ± W1, and a row of zeros: no input reaches the bias unit.
    b1 : ndarray of shape (n_hidden + 1,)
        ± b1, and a bias so large that f of it is 1.
    to_output : ndarray of shape (n_hidden + 1, n_features)
        ± W2ᵀ and ± b2.
    W2 : ndarray of shape (n_features, n_hidden + 1)
        W2, and a column of zeros: no error comes back to the bias unit.
    is_tanh : bool
        Whether the activations a are 2 s - 1 of the s that the passes work with, and `to_output`
        is made for s.
    """

    to_hidden: Array
    b1: Array
    to_output: Array
    W2: Array
    is_tanh: bool = False

    @staticmethod
    def of(p: Parameters, f: Activation, f_out: Activation) -> BiasUnitWeights:
        """Return the weights of a network with the parameters `p` and these activations."""
        h, n, dtype = p.n_hidden, p.n_features, p.W1.dtype
        w = BiasUnitWeights(
            to_hidden=np.zeros((h + 1, n), dtype),
            b1=np.full(h + 1, f.sign * _SATURATING, dtype),
            to_output=np.empty((h + 1, n), dtype),
            W2=np.zeros((n, h + 1), dtype),
            is_tanh=f is TANH_AS_SIGMOID,
        )
        np.multiply(p.W1, f.sign, out=w.to_hidden[:h])
        np.multiply(p.b1, f.sign, out=w.b1[:h])
        np.multiply(p.W2.T, f_out.sign, out=w.to_output[:h])
        np.multiply(p.b2, f_out.sign, out=w.to_output[h])
        w.W2[:, :h] = p.W2
        if w.is_tanh:
            # (2 s - 1) W2ᵀ + b2 = s (2 W2ᵀ) + (b2 - the sums of the rows of W2).
            w.to_output[h] -= w.to_output[:h].sum(axis=0)
            w.to_output[:h] *= 2
        return w

    def split(self, sums: Array) -> tuple[Array, Array, Array]:
        """Return the three views of `sums` that take δ2ᵀ X, Aᵀ δ3 and the sum of δ2."""
        size = self.to_hidden.size
        shape = self.to_hidden.shape
        return sums[:size].reshape(shape), sums[size : -shape[0]].reshape(shape), sums[-shape[0] :]

    def gradient(self, sums: Array) -> Array:
        """Return `sums` in the order of theta."""
        of_W1, of_W2_and_b2, of_b1 = self.split(sums)
        if self.is_tanh:
            of_W2_and_b2 = of_W2_and_b2.copy()
            of_W2_and_b2[:-1] *= 2
            of_W2_and_b2[:-1] -= of_W2_and_b2[-1]
        return Parameters(of_W1[:-1], of_W2_and_b2[:-1].T, of_b1[:-1], of_W2_and_b2[-1]).ravel()


class Buffers(NamedTuple):
    """What a thread works in while it goes through blocks of rows: a row for every example.

    Attributes
    ----------
    ones : ndarray of shape (n_rows,)
    A, delta2, slope2 : ndarray of shape (n_rows, n_hidden + 1)
    delta3 : ndarray of shape (n_rows, n_features)
    slope3 : ndarray of shape (n_rows of a tile, n_features)
    """

    ones: Array
    A: Array
    delta2: Array
    slope2: Array
    delta3: Array
    slope3: Array

    @staticmethod
    def of(
        shares: Sequence[Sequence[slice]], n_features: int, n_hidden: int, dtype: Any
    ) -> Buffers:
        """Return buffers that are long enough for every block of the shares."""
        n_rows = max(rows.stop - rows.start for blocks in shares for rows in blocks)
        tile = min(n_rows, max(_BYTES_PER_TILE // (n_features * np.dtype(dtype).itemsize), 1))
        ones = _aligned_empty((n_rows,), dtype)
        ones[:] = 1
        A, delta2, slope2 = (_aligned_empty((n_rows, n_hidden + 1), dtype) for _ in range(3))
        delta3, slope3 = (_aligned_empty((rows, n_features), dtype) for rows in (n_rows, tile))
        return Buffers(ones, A, delta2, slope2, delta3, slope3)

    def of_length(self, n_rows: int) -> Buffers:
        """Return the first `n_rows` rows of the buffers."""
        return Buffers(*(buffer[:n_rows] for buffer in self))


class Sums(Protocol):
    """Where the sums over all rows come from, be they here or on other machines."""

    def activations(self, w: BiasUnitWeights, f: Activation, n_threads: int) -> Vector:
        """Return the sum of the activations, of shape (n_hidden,): the first pass."""

    def two_passes(
        self,
        w: BiasUnitWeights,
        f: Activation,
        f_out: Activation,
        between: Callable[[Vector], Middle],
        n_threads: int,
    ) -> tuple[Vector, float, Array]:
        """Return rho_hat, ‖Y - X‖² and the sums for `w.gradient`.

        `between` makes rho_hat and the slope of the penalty of what the first pass gives.
        """


class SumsOfRows:
    """The sums over the rows of a matrix in memory or on the disk of this machine.

    Parameters
    ----------
    X : ndarray or Rows of shape (n_samples, n_features)
        Floating-point numbers.
    n_hidden : int
        Number of hidden units.
    least_shares : int
        Into how many shares the rows are dealt at least, if there are so many.
    """

    def __init__(self, X: Array | Rows, n_hidden: int, least_shares: int = 1) -> None:
        self._X = X
        self._n_hidden = n_hidden
        self._shares = plan_shares(X, n_hidden, least_shares)
        # Memory of earlier calls: the activations, and the buffers of each thread.
        self._spare: deque[Array] = deque(maxlen=1)
        self._buffers: deque[Buffers] = deque()

    def __getstate__(self) -> dict[str, Any]:
        # The memory of earlier calls is no part of what another process needs.
        return {**vars(self), "_spare": deque(maxlen=1), "_buffers": deque()}

    def activations(self, w: BiasUnitWeights, f: Activation, n_threads: int) -> Vector:
        """Return the sum of the activations, of shape (n_hidden,): the first pass."""
        sums = map_in_order(
            lambda blocks: self._in_buffers(
                lambda buffers: sum_activations(self._X, blocks, w, f, buffers)
            ),
            self._shares,
            n_threads,
        )
        total: Vector = np.sum(sums, axis=0)  # (n_shares, n_hidden) -> (n_hidden,)
        return total

    def two_passes(
        self,
        w: BiasUnitWeights,
        f: Activation,
        f_out: Activation,
        between: Callable[[Vector], Middle],
        n_threads: int,
    ) -> tuple[Vector, float, Array]:
        """Return rho_hat, ‖Y - X‖² and the sums for `w.gradient`, see `Sums`."""
        X, A = self._X, self._memory_for_activations()

        def forward(blocks: list[slice]) -> Vector:
            return self._in_buffers(lambda buffers: sum_activations(X, blocks, w, f, buffers, A))

        def backward(blocks: list[slice], middle: Middle) -> tuple[float, Array]:
            return self._in_buffers(
                lambda buffers: backpropagate(X, blocks, w, f, f_out, middle[1], buffers, A)
            )

        (rho_hat, _), parts = map_in_two_steps(
            forward, lambda sums: between(np.sum(sums, axis=0)), backward, self._shares, n_threads
        )
        if A is not None:
            self._spare.append(A)
        squares, sums = parts[0]
        for more_squares, more_sums in parts[1:]:
            squares += more_squares
            sums += more_sums
        return rho_hat, squares, sums

    def _in_buffers(self, function: Callable[[Buffers], Result]) -> Result:
        """Return `function` of buffers to work in, which the next call may use again."""
        # The last ones put back are most likely in the cache of this thread's core.
        try:
            buffers = self._buffers.pop()
        except IndexError:
            buffers = Buffers.of(self._shares, self._X.shape[1], self._n_hidden, self._X.dtype)
        result = function(buffers)
        self._buffers.append(buffers)
        return result

    def _memory_for_activations(self) -> Array | None:
        """Return an array for the activations of all rows, or None if it would be too large."""
        n_bytes = len(self._X) * self._n_hidden * self._X.itemsize
        limit = _MAX_BYTES_KEPT_BESIDE_DISK if on_disk(self._X) else _MAX_BYTES_KEPT
        if n_bytes > max(limit, bytes_in_memory(self._X)):
            return None
        try:
            return self._spare.pop()
        except IndexError:
            return _aligned_empty((len(self._X), self._n_hidden + 1), self._X.dtype)


def sum_activations(
    X: Array | Rows,
    blocks: Sequence[slice],
    w: BiasUnitWeights,
    f: Activation,
    buffers: Buffers,
    A: Array | None = None,
) -> Vector:
    """Return the sum of the activations over the rows of X in `blocks`: the first pass.

    Eq. (1.4) ``forward-hidden``. If there is an `A` of n_hidden + 1 columns, its rows receive
    the activations.
    """
    sums = np.zeros(len(w.b1))  # (n_hidden + 1,)
    with np.errstate(over="ignore"):
        for rows in blocks:
            x = X[rows]  # (m, n_features)
            a = _hidden_layer(x, w, f, out=buffers.A[: len(x)] if A is None else A[rows])
            # (m,) @ (m, n_hidden + 1) -> (n_hidden + 1,), a few rows at a time
            for part in _tiles(len(a), len(a) if a.itemsize == 8 else _ROWS_PER_SINGLE_SUM):
                sums += buffers.ones[: len(a[part])] @ a[part]
    return sums[:-1]  # without the bias unit


def backpropagate(
    X: Array | Rows,
    blocks: Sequence[slice],
    w: BiasUnitWeights,
    f: Activation,
    f_out: Activation,
    penalty_slope: Array,
    buffers: Buffers,
    A: Array | None = None,
) -> tuple[float, Array]:
    """Return ‖Y - X‖² and the sums for `w.gradient` over the rows of X in `blocks`.

    The second pass, Eqs. (1.5) ``forward-output``, (1.6) ``delta-output``, (5.1)
    ``delta-hidden-sparse`` and (1.7) ``weight-gradients``. Every result is written over one
    that is not needed any more.
    """
    squares, sums = 0.0, np.zeros(2 * w.W2.size + len(w.b1), X.dtype)
    of_block = np.empty_like(sums)
    of_W1, of_W2_and_b2, of_b1 = w.split(of_block)
    with np.errstate(over="ignore"):
        for rows in blocks:
            x = X[rows]  # (m, n_features)
            ones, a, delta2, slope2, delta3, slope3 = buffers.of_length(len(x))
            a = _hidden_layer(x, w, f, out=a) if A is None else A[rows]
            for tile in _tiles(len(x), len(slope3)):
                squares += _output_delta(x[tile], a[tile], w, f_out, delta3[tile], slope3)

            # (m, n_features) @ (n_features, n_hidden + 1) -> (m, n_hidden + 1)
            np.matmul(delta3, w.W2, out=delta2)
            delta2 += penalty_slope
            delta2 *= f.derivative(a, out=slope2)

            # (n_hidden + 1, m) @ (m, n_features) -> (n_hidden + 1, n_features), twice
            np.matmul(delta2.T, x, out=of_W1)
            np.matmul(a.T, delta3, out=of_W2_and_b2)
            np.matmul(ones, delta2, out=of_b1)  # (m,) @ (m, n_hidden + 1) -> (n_hidden + 1,)
            sums += of_block
    return squares, sums


def _output_delta(
    x: Array, a: Array, w: BiasUnitWeights, f_out: Activation, delta3: Array, slope3: Array
) -> float:
    """Write δ3 of a tile over `delta3`, using `slope3`, and return ‖Y - X‖² of its rows.

    Eqs. (1.5) ``forward-output`` and (1.6) ``delta-output``.
    """
    # (m, n_hidden + 1) @ (n_hidden + 1, n_features) -> (m, n_features)
    y = np.matmul(a, w.to_output, out=delta3)
    f_out.of_signed(y, out=y)
    slope3 = f_out.derivative(y, out=slope3[: len(y)])
    error = np.subtract(y, x, out=y)
    squares = float(np.vdot(error, error))
    np.multiply(error, slope3, out=delta3)
    return squares


def _tiles(n_rows: int, most: int) -> list[slice]:
    """Divide the rows of a block into tiles of nearly the same length, at most `most`."""
    n_tiles = -(-n_rows // most)
    length = -(-n_rows // n_tiles)
    return [slice(start, start + length) for start in range(0, n_rows, length)]


def _aligned_empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array as `numpy.empty` does, whose first number vector instructions can load."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def _hidden_layer(x: Array, w: BiasUnitWeights, f: Activation, out: Array) -> Array:
    # (m, n_features) @ (n_features, n_hidden + 1) -> (m, n_hidden + 1)
    z = np.matmul(x, w.to_hidden.T, out=out)
    z += w.b1
    return f.of_signed(z, out=z)


def plan_shares(X: Array | Rows, n_hidden: int, least: int = 1) -> list[list[slice]]:
    """Return the blocks of rows that an evaluation goes through, dealt into shares."""
    rows_per_block = _rows_per_block(X.shape[1], n_hidden, X.itemsize)
    return _shares(len(X), min(rows_per_block, -(-len(X) // least)))


def _rows_per_block(n_features: int, n_hidden: int, itemsize: int) -> int:
    fitting = _BYTES_PER_BLOCK // (itemsize * (n_features + n_hidden))
    return min(max(fitting, _MIN_ROWS), _MAX_ROWS)


def _shares(m: int, rows_per_block: int) -> list[list[slice]]:
    """Deal m rows into consecutive blocks, and the blocks into consecutive shares.

    The number of shares is a power of two, so that 2, 4, 8 or 16 cores get equal shares.
    """
    n_blocks = -(-m // rows_per_block)
    n_shares = min(1 << (n_blocks - 1).bit_length(), _MAX_SHARES)
    blocks_per_share = -(-n_blocks // n_shares)
    edges = [m * k // (n_shares * blocks_per_share) for k in range(n_shares * blocks_per_share + 1)]
    blocks = [slice(start, stop) for start, stop in pairwise(edges)]
    return [blocks[k : k + blocks_per_share] for k in range(0, len(blocks), blocks_per_share)]
