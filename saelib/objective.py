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
stay in the processor's cache, and several threads share the blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._parallel import map_in_order, single_threaded_blas
from saelib._validation import activation_named, data_matrix, real_number, whole_number
from saelib.activations import Activation
from saelib.parameters import Parameters
from saelib.sparsity import kl_divergence, kl_gradient

__all__ = ["CostTerms", "SparseObjective"]

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

# The inputs, activations and errors of a block fill about this many bytes: long enough for fast
# matrix products, short enough to stay in the cache. Measured by benchmarks/blocks.py.
_BYTES_PER_BLOCK = 2**22
_MIN_ROWS, _MAX_ROWS = 250, 2500
# The rows are dealt into at most this many shares whatever the number of threads, and the sums
# over the shares are added in order: the same bits on one core and on many.
_MAX_SHARES = 16
# The activations are kept for the second pass if they take less memory than this, or than X
# does. Otherwise they are computed twice, which costs a sixth matrix product.
_MAX_BYTES_KEPT = 2**28


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
    X : array_like of shape (n_samples, n_features)
        The examples, one per row, finite, within the range of the output activation: [0, 1]
        for sigmoid, [-1, 1] for tanh. float32 data are computed in float32, all else in
        float64. A float array is used in place: do not change it while the objective lives.
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
        self._take(X)

    def _take(self, X: ArrayLike) -> None:
        """Check the data and plan the work on them."""
        self.X = data_matrix("X", X, self._output)
        self._shares = plan_shares(self.X, self.n_hidden)
        # The activations of an earlier call, to spare the system finding fresh memory.
        self._spare: deque[Array] = deque(maxlen=1)

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
            f"SparseObjective({n}-{self.n_hidden}-{n} {self.activation} on {m} examples, "
            f"weight_decay={self.weight_decay:g}, sparsity_target={self.sparsity_target:g}, "
            f"sparsity_weight={self.sparsity_weight:g})"
        )

    def __call__(self, theta: ArrayLike) -> tuple[float, Array]:
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
            Its gradient in the order of `theta`, in the dtype of X.
        """
        terms, gradient = self.evaluate(theta)
        return terms.total, gradient

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
        p = Parameters.unravel(theta, self.n_features, self.n_hidden)
        with single_threaded_blas() as n_threads:
            sums, A = self._forward(p, n_threads)
            rho_hat = self._mean_activation(sums / m)
            squares, gradient = self._backward(p, self._penalty_slope(rho_hat), A, n_threads)
            # BLAS splits long dot products over threads too, and so would change the last bit.
            squared_weights = _sum_of_squares(p.W1, p.W2)

        gradient /= m
        g = Parameters.unravel(gradient, self.n_features, self.n_hidden)
        g.W1[...] += self.weight_decay * p.W1
        g.W2[...] += self.weight_decay * p.W2
        terms = CostTerms(
            reconstruction=squares / (2 * m),
            weight_decay=self.weight_decay / 2 * squared_weights,
            sparsity=self.sparsity_weight
            * float(np.sum(kl_divergence(self.sparsity_target, rho_hat))),
        )
        return terms, gradient

    def _forward(self, p: Parameters, n_threads: int) -> tuple[Vector, Array | None]:
        """Return the sum of the activations over all rows, and the activations if kept."""
        A = self._memory_for_activations()
        sums = map_in_order(
            lambda blocks: sum_activations(self.X, blocks, p, self._hidden, A),
            self._shares,
            n_threads,
        )
        return np.sum(sums, axis=0), A

    def _backward(
        self, p: Parameters, penalty_slope: Array, A: Array | None, n_threads: int
    ) -> tuple[float, Array]:
        """Return ‖Y - X‖² and m times the gradient, both without the weight decay."""
        parts = map_in_order(
            lambda blocks: backpropagate(
                self.X, blocks, p, self._hidden, self._output, penalty_slope, A
            ),
            self._shares,
            n_threads,
        )
        if A is not None:
            self._spare.append(A)
        squares, gradient = parts[0]
        for more_squares, part in parts[1:]:
            squares += more_squares
            gradient += part
        return squares, gradient

    def _memory_for_activations(self) -> Array | None:
        """Return an array for the activations of all rows, or None if it would be too large."""
        n_bytes = len(self.X) * self.n_hidden * self.X.itemsize
        if n_bytes > max(_MAX_BYTES_KEPT, 0 if _on_disk(self.X) else self.X.nbytes):
            return None
        try:
            return self._spare.pop()
        except IndexError:
            return np.empty((len(self.X), self.n_hidden), dtype=self.X.dtype)

    def _checked(self, theta: ArrayLike) -> Array:
        """Return `theta` in the dtype of X if its entries are finite there."""
        with np.errstate(over="ignore"):
            checked = np.asarray(theta).astype(self.X.dtype, copy=False)
        if not np.all(np.isfinite(checked)):
            raise ValueError(
                f"theta holds NaN, infinity or a number too large for {self.X.dtype}; if an "
                "optimizer produced it, let it take smaller steps"
            )
        return checked

    def _mean_activation(self, mean: Vector) -> Vector:
        """Return rho_hat in (0, 1) from the plain mean of the activations, Eq. (3.2)."""
        f = self._hidden
        rho_hat = (mean - f.low) / (f.high - f.low)
        precision = np.finfo(self.X.dtype)
        return np.clip(rho_hat, np.sqrt(precision.tiny), 1 - precision.eps)

    def _penalty_slope(self, rho_hat: Vector) -> Array:
        """Return β dKL/da, the second term in the bracket of Eq. (5.1), for every unit."""
        f = self._hidden
        slope = self.sparsity_weight * kl_gradient(self.sparsity_target, rho_hat)
        # rho_hat = (mean - low) / (high - low), so the chain rule divides by the range of f.
        return np.asarray(slope / (f.high - f.low), dtype=self.X.dtype)


def _sum_of_squares(*arrays: Array) -> float:
    return float(sum(np.vdot(array, array) for array in arrays))


def sum_activations(
    X: Array, blocks: Sequence[slice], p: Parameters, f: Activation, A: Array | None = None
) -> Vector:
    """Return the sum of the activations over the rows of X in `blocks`: the first pass.

    Eq. (1.4) ``forward-hidden``. If there is an `A`, its rows receive the activations.
    """
    longest = max(rows.stop - rows.start for rows in blocks)
    ones = np.ones(longest, X.dtype)
    A_block = np.empty((longest, p.n_hidden), X.dtype)
    sums = np.zeros(p.n_hidden)
    for rows in blocks:
        x = X[rows]
        k = len(x)
        a = _layer(x, p.W1, p.b1, f, out=A_block[:k] if A is None else A[rows])
        sums += ones[:k] @ a
    return sums


def backpropagate(
    X: Array,
    blocks: Sequence[slice],
    p: Parameters,
    f: Activation,
    f_out: Activation,
    penalty_slope: Array,
    A: Array | None = None,
) -> tuple[float, Array]:
    """Return ‖Y - X‖² and m times the gradient over the rows of X in `blocks`: the second pass.

    Eqs. (1.5) ``forward-output``, (1.6) ``delta-output``, (5.1) ``delta-hidden-sparse`` and
    (1.7) ``weight-gradients``; every result is written over one that is not needed any more.
    """
    longest = max(rows.stop - rows.start for rows in blocks)
    ones = np.ones(longest, X.dtype)
    Y_block, slope3_block = np.empty((2, longest, p.n_features), X.dtype)
    A_block, delta2_block, slope2_block = np.empty((3, longest, p.n_hidden), X.dtype)
    squares, gradient = 0.0, np.zeros_like(p.ravel())
    of_block = np.empty_like(gradient)
    g = Parameters.unravel(of_block, p.n_features, p.n_hidden)
    for rows in blocks:
        x = X[rows]
        k = len(x)
        a = _layer(x, p.W1, p.b1, f, out=A_block[:k]) if A is None else A[rows]
        y = _layer(a, p.W2, p.b2, f_out, out=Y_block[:k])

        slope3 = f_out.derivative(y, out=slope3_block[:k])
        error = np.subtract(y, x, out=y)
        squares += float(np.vdot(error, error))
        delta3 = np.multiply(error, slope3, out=error)

        delta2 = np.matmul(delta3, p.W2, out=delta2_block[:k])
        delta2 += penalty_slope
        delta2 *= f.derivative(a, out=slope2_block[:k])

        np.matmul(delta3.T, a, out=g.W2)
        np.matmul(delta2.T, x, out=g.W1)
        np.matmul(ones[:k], delta3, out=g.b2)
        np.matmul(ones[:k], delta2, out=g.b1)
        gradient += of_block
    return squares, gradient


def _layer(inputs: Array, W: Array, b: Array, f: Activation, out: Array) -> Array:
    z = np.matmul(inputs, W.T, out=out)
    z += b
    return f.function(z, out=z)


def plan_shares(X: Array, n_hidden: int) -> list[list[slice]]:
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


def _on_disk(X: Array) -> bool:
    """Return whether X is a memory map or a view of one."""
    base: Any = X
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False
