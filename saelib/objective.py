"""J_sparse and its exact gradient: the cost that training a sparse autoencoder minimizes.

For m examples in the rows of X, with A = f(X W1ᵀ + b1), Y = f(A W2ᵀ + b2) and rho_hat the
mean of A over the examples::

    J = 1/(2m) ‖Y - X‖² + λ/2 (‖W1‖² + ‖W2‖²) + β Σ_j KL(ρ ‖ rho_hat_j)

    δ3 = (Y - X) f'(Z2)
    δ2 = (δ3 W2 + β (-ρ/rho_hat + (1-ρ)/(1-rho_hat))) f'(Z1)

    ∇W2 = δ3ᵀ A / m + λ W2      ∇b2 = mean of δ3
    ∇W1 = δ2ᵀ X / m + λ W1      ∇b1 = mean of δ2

δ2 needs rho_hat, and rho_hat needs every example, so there are two passes over the data:
`sum_activations` and `backpropagate`. Both go through the rows block by block, in buffers that
stay in the processor's cache, and several threads share the blocks. What happens to the outputs
one by one happens in tiles, parts of a block that fit the cache of one core.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._blas import single_threaded_blas
from saelib._parallel import map_in_order, map_in_two_steps
from saelib._rows import Rows, bytes_in_memory, on_disk
from saelib._validation import activation_named, data_matrix, real_number, whole_number
from saelib.activations import TANH_AS_SIGMOID, Activation
from saelib.parameters import Parameters
from saelib.sparsity import divergence, divergence_slope

__all__ = ["CostTerms", "SparseObjective"]

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]
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


class CostTerms(NamedTuple):
    """The three terms of J_sparse, each with its weight already applied.

    Attributes
    ----------
    reconstruction : float
        1/(2m) ‖Y - X‖², Eq. (2.1) ``reconstruction-cost``.
    weight_decay : float
        λ/2 (‖W1‖² + ‖W2‖²), Eq. (2.2) ``weight-decay``.
    sparsity : float
        β Σ_j KL(ρ ‖ rho_hat_j).
    """

    reconstruction: float
    weight_decay: float
    sparsity: float

    @property
    def total(self) -> float:
        """J_sparse, the sum of the three terms."""
        return self.reconstruction + self.weight_decay + self.sparsity


class SparseObjective:
    """The cost J_sparse of a sparse autoencoder on fixed data, with its exact gradient.

    Eq. (4.3) ``sparse-cost``, CS294A pp. 7 and 16. Calling the objective with a flat
    parameter vector gives the cost and the gradient, ready for `train` or for any optimizer of
    scipy with ``jac=True``.

    Parameters
    ----------
    X : array_like or scipy sparse matrix of shape (n_samples, n_features)
        The examples, one per row, finite, within the range of the output activation: [0, 1]
        for sigmoid, [-1, 1] for tanh. float32 data are computed in float32, all else in
        float64. A float array is used in place: do not change it while the objective lives. Of
        a memory map or a sparse matrix only blocks of rows ever become arrays in memory, and the
        results are those of the dense array to the last bit.
    n_hidden : int, at least 1
        Number of hidden units.
    weight_decay : float, at least 0
        λ, the weight of the squared weights. Biases do not decay.
    sparsity_target : float in (0, 1)
        ρ, the mean activation wanted of every hidden unit.
    sparsity_weight : float, at least 0
        β, the weight of the sparsity penalty.
    activation : {"sigmoid", "tanh"}
        Activation of the hidden units. The mean activation of tanh units is taken on the
        scale from 0 (inactive, at -1) to 1 (active, at 1).
    output_activation : {"sigmoid", "tanh", "linear"}, optional
        Activation of the output units; by default that of the hidden units.

    Attributes
    ----------
    size : int
        Length of the flat parameter vector, 2 n_hidden n_features + n_hidden + n_features.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described above; the message says which and why.

    Notes
    -----
    Mean activations of exactly 0 or 1, where the divergence is infinite, are moved inside by
    less than the rounding of the dtype, so that an optimizer that tries a far too long step
    gets a large finite cost instead of infinity.

    The gradient is exact to the rounding of the dtype, with one limit: a unit is told from its
    upper end, 1, only to the rounding of 1. A sigmoid unit whose every z is beyond 18 (float32)
    or 38 (float64), and a tanh unit beyond half of that, has the gradient 0, and mean activations
    closer to 1 than 1e-7 or 2e-16 count as that far away. At the lower end means count down to
    1e-19 (float32) or 1e-154 (float64).

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters, SparseObjective
    >>> X = np.random.default_rng(0).uniform(0.1, 0.9, size=(500, 16))
    >>> objective = SparseObjective(X, n_hidden=4, sparsity_target=0.05)
    >>> theta = Parameters.random(n_features=16, n_hidden=4, seed=0).ravel()
    >>> cost, gradient = objective(theta)
    >>> gradient.shape == theta.shape
    True
    >>> objective.terms(theta).total == cost
    True
    """

    def __init__(
        self,
        X: ArrayLike,
        n_hidden: int,
        *,
        weight_decay: float = 1e-4,
        sparsity_target: float = 0.01,
        sparsity_weight: float = 3.0,
        activation: str = "sigmoid",
        output_activation: str | None = None,
    ) -> None:
        self.n_hidden = whole_number("n_hidden", n_hidden, low=1)
        self.weight_decay = real_number("weight_decay", weight_decay, low=0.0)
        self.sparsity_target = real_number(
            "sparsity_target", sparsity_target, low=0.0, high=1.0, open_ends=True
        )
        self.sparsity_weight = real_number("sparsity_weight", sparsity_weight, low=0.0)
        self._hidden = activation_named("activation", activation, ("sigmoid", "tanh"))
        self._output = activation_named(
            "output_activation",
            activation if output_activation is None else output_activation,
            ("sigmoid", "tanh", "linear"),
        )
        # What the passes work with, from 0 to 1, so that its mean is rho_hat.
        self._unit = TANH_AS_SIGMOID if activation == "tanh" else self._hidden
        self._take(X)
        precision = np.finfo(self.X.dtype)
        self._least_mean = float(np.sqrt(precision.tiny))
        self._greatest_mean = float(1 - precision.eps)

    def _take(self, X: ArrayLike) -> None:
        """Check the data and plan the work on them."""
        self.X = data_matrix("X", X, self._output)
        self._shares = plan_shares(self.X, self.n_hidden)
        # Memory of earlier calls: the activations, and the buffers of each thread.
        self._spare: deque[Array] = deque(maxlen=1)
        self._buffers: deque[Buffers] = deque()

    @property
    def activation(self) -> str:
        """Name of the activation of the hidden units."""
        return self._hidden.name

    @property
    def output_activation(self) -> str:
        """Name of the activation of the output units."""
        return self._output.name

    @property
    def n_features(self) -> int:
        """Number of inputs, which is also the number of outputs."""
        return int(self.X.shape[1])

    @property
    def size(self) -> int:
        """Length of the flat parameter vector."""
        return 2 * self.n_hidden * self.n_features + self.n_hidden + self.n_features

    def __repr__(self) -> str:
        m, n = self.X.shape
        return (
            f"{type(self).__name__}({n}-{self.n_hidden}-{n} {self.activation} on {m} examples, "
            f"weight_decay={self.weight_decay:g}, sparsity_target={self.sparsity_target:g}, "
            f"sparsity_weight={self.sparsity_weight:g})"
        )

    def __getstate__(self) -> dict[str, Any]:
        # The memory of earlier calls is no part of what another process needs.
        return {**vars(self), "_spare": deque(maxlen=1), "_buffers": deque()}

    def __call__(self, theta: ArrayLike) -> tuple[float, Vector]:
        """Return the cost J_sparse and its gradient at `theta`.

        Parameters
        ----------
        theta : array_like of shape (size,)
            W1, W2, b1, b2, each row by row.

        Returns
        -------
        cost : float
            J_sparse.
        gradient : ndarray of shape (size,)
            Its gradient in the order of `theta`, in float64 also for data in float32, as the
            optimizers of scipy want it; `evaluate` gives it in the dtype of X.
        """
        terms, gradient = self.evaluate(theta)
        return terms.total, gradient.astype(np.float64, copy=False)

    def terms(self, theta: ArrayLike) -> CostTerms:
        """Return the three terms of the cost at `theta`; their sum is ``.total``.

        Parameters
        ----------
        theta : array_like of shape (size,)
            W1, W2, b1, b2, each row by row.

        Returns
        -------
        CostTerms
            ``reconstruction``, ``weight_decay``, ``sparsity`` and their sum ``total``.
        """
        return self.evaluate(theta)[0]

    def mean_activation(self, theta: ArrayLike) -> Vector:
        """Return rho_hat, the mean activation of every hidden unit at `theta`.

        Eqs. (3.1) ``mean-activation`` and (3.2) ``mean-activation-tanh``, CS294A p. 14.

        Parameters
        ----------
        theta : array_like of shape (size,)
            W1, W2, b1, b2, each row by row.

        Returns
        -------
        ndarray of shape (n_hidden,)
            From 0 to 1, without the two ends.
        """
        p = self._parameters(self._checked(theta))
        with single_threaded_blas() as n_threads:
            w = BiasUnitWeights.of(p, self._unit, self._output)
            return self._first_pass(w, n_threads)

    def evaluate(self, theta: ArrayLike) -> tuple[CostTerms, Array]:
        """Return the three terms of the cost and the gradient at `theta`.

        Eqs. (1.4) ``forward-hidden``, (1.5) ``forward-output``, (1.6) ``delta-output``,
        (5.1) ``delta-hidden-sparse`` and (1.7) ``weight-gradients``, CS294A pp. 6-9 and 16.

        Parameters
        ----------
        theta : array_like of shape (size,)
            W1, W2, b1, b2, each row by row.

        Returns
        -------
        terms : CostTerms
            ``reconstruction``, ``weight_decay``, ``sparsity`` and their sum ``total``.
        gradient : ndarray of shape (size,)
            Gradient of the total in the order of `theta`, in the dtype of X.

        Raises
        ------
        ValueError
            If `theta` does not have shape (size,) or is not finite.
        """
        theta = self._checked(theta)
        m = len(self.X)
        p = self._parameters(theta)
        with single_threaded_blas() as n_threads:
            w = BiasUnitWeights.of(p, self._unit, self._output)
            rho_hat, squares, sums = self._two_passes(w, n_threads)
            gradient = w.gradient(sums)
            gradient /= m
            weights = theta[: p.W1.size + p.W2.size]
            gradient[: weights.size] += self.weight_decay * weights
            # BLAS splits long dot products over threads too, and so would change the last bit.
            squared_weights = float(np.vdot(weights, weights))

        terms = CostTerms(
            reconstruction=squares / (2 * m),
            weight_decay=self.weight_decay / 2 * squared_weights,
            sparsity=self.sparsity_weight * float(divergence(self.sparsity_target, rho_hat).sum()),
        )
        return terms, gradient

    def _parameters(self, theta: Array) -> Parameters:
        m, n, h = len(self.X), self.n_features, self.n_hidden
        if theta.shape == (2 * h * m + h + m,) and m != n:
            raise ValueError(
                f"theta has shape {theta.shape}, which belongs to {m} features, but X has {m} rows "
                f"and {n} columns. Examples are rows here: if they are the columns of X, give X.T"
            )
        return Parameters.unravel(theta, n, h)

    def _first_pass(self, w: BiasUnitWeights, n_threads: int) -> Vector:
        """Return rho_hat."""
        sums = map_in_order(
            lambda blocks: self._in_buffers(
                lambda buffers: sum_activations(self.X, blocks, w, self._unit, buffers)
            ),
            self._shares,
            n_threads,
        )
        return self._mean_activation(np.sum(sums, axis=0))

    def _two_passes(self, w: BiasUnitWeights, n_threads: int) -> tuple[Vector, float, Array]:
        """Return rho_hat, ‖Y - X‖² and the sums for `w.gradient` over all rows."""
        X, f, f_out = self.X, self._unit, self._output
        A = self._memory_for_activations()

        def forward(blocks: list[slice]) -> Vector:
            return self._in_buffers(lambda buffers: sum_activations(X, blocks, w, f, buffers, A))

        def between(sums: list[Vector]) -> tuple[Vector, Array]:
            rho_hat = self._mean_activation(np.sum(sums, axis=0))
            return rho_hat, self._penalty_slope(rho_hat)

        def backward(blocks: list[slice], middle: tuple[Vector, Array]) -> tuple[float, Array]:
            return self._in_buffers(
                lambda buffers: backpropagate(X, blocks, w, f, f_out, middle[1], buffers, A)
            )

        (rho_hat, _), parts = map_in_two_steps(forward, between, backward, self._shares, n_threads)
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
            buffers = Buffers.of(self._shares, self.n_features, self.n_hidden, self.X.dtype)
        result = function(buffers)
        self._buffers.append(buffers)
        return result

    def _memory_for_activations(self) -> Array | None:
        """Return an array for the activations of all rows, or None if it would be too large."""
        n_bytes = len(self.X) * self.n_hidden * self.X.itemsize
        limit = _MAX_BYTES_KEPT_BESIDE_DISK if on_disk(self.X) else _MAX_BYTES_KEPT
        if n_bytes > max(limit, bytes_in_memory(self.X)):
            return None
        try:
            return self._spare.pop()
        except IndexError:
            return _aligned_empty((len(self.X), self.n_hidden + 1), self.X.dtype)

    def _checked(self, theta: ArrayLike) -> Array:
        """Return `theta` in the dtype of X if its entries are finite there."""
        checked = np.asarray(theta)
        if checked.dtype != self.X.dtype:
            with np.errstate(over="ignore"):
                checked = checked.astype(self.X.dtype)
        if not np.isfinite(checked).all():
            raise ValueError(
                f"theta holds NaN, infinity or a number too large for {self.X.dtype}; if an "
                "optimizer produced it, let it take smaller steps"
            )
        return checked

    def _mean_activation(self, sums: Vector) -> Vector:
        """Return rho_hat in (0, 1) from the sums of the activations over all rows, Eq. (3.2)."""
        rho_hat = sums / len(self.X)
        return np.minimum(np.maximum(rho_hat, self._least_mean), self._greatest_mean)

    def _penalty_slope(self, rho_hat: Vector) -> Array:
        """Return β dKL/da, the second term in the bracket of Eq. (5.1), and 0 for the bias unit."""
        f = self._hidden
        slope = np.zeros(self.n_hidden + 1, dtype=self.X.dtype)
        # rho_hat = (mean - low) / (high - low), so the chain rule divides by the range of f.
        weight = self.sparsity_weight / (f.high - f.low)
        slope[:-1] = weight * divergence_slope(self.sparsity_target, rho_hat)
        return slope


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
    sums = np.zeros(len(w.b1))
    with np.errstate(over="ignore"):
        for rows in blocks:
            x = X[rows]
            a = _hidden_layer(x, w, f, out=buffers.A[: len(x)] if A is None else A[rows])
            for part in _tiles(len(a), len(a) if a.itemsize == 8 else _ROWS_PER_SINGLE_SUM):
                sums += buffers.ones[: len(a[part])] @ a[part]
    return sums[:-1]


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
            x = X[rows]
            ones, a, delta2, slope2, delta3, slope3 = buffers.of_length(len(x))
            a = _hidden_layer(x, w, f, out=a) if A is None else A[rows]
            for tile in _tiles(len(x), len(slope3)):
                squares += _output_delta(x[tile], a[tile], w, f_out, delta3[tile], slope3)

            np.matmul(delta3, w.W2, out=delta2)
            delta2 += penalty_slope
            delta2 *= f.derivative(a, out=slope2)

            np.matmul(delta2.T, x, out=of_W1)
            np.matmul(a.T, delta3, out=of_W2_and_b2)
            np.matmul(ones, delta2, out=of_b1)
            sums += of_block
    return squares, sums


def _output_delta(
    x: Array, a: Array, w: BiasUnitWeights, f_out: Activation, delta3: Array, slope3: Array
) -> float:
    """Write δ3 of a tile over `delta3`, using `slope3`, and return ‖Y - X‖² of its rows.

    Eqs. (1.5) ``forward-output`` and (1.6) ``delta-output``.
    """
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
    z = np.matmul(x, w.to_hidden.T, out=out)
    z += w.b1
    return f.of_signed(z, out=z)


def plan_shares(X: Array | Rows, n_hidden: int) -> list[list[slice]]:
    """Return the blocks of rows that an evaluation goes through, dealt into shares."""
    return _shares(len(X), _rows_per_block(X.shape[1], n_hidden, X.itemsize))


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
