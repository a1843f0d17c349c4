"""J_sparse and its exact gradient: the cost that training a sparse autoencoder minimizes.

For m examples in the rows of X, with A = f(X W1ᵀ + b1), Y = f(A W2ᵀ + b2) and rho_hat the
mean of A over the examples::

    J = 1/(2m) ‖Y - X‖² + λ/2 (‖W1‖² + ‖W2‖²) + β Σ_j KL(ρ ‖ rho_hat_j)

    δ3 = (Y - X) f'(Z2)
    δ2 = (δ3 W2 + β (-ρ/rho_hat + (1-ρ)/(1-rho_hat))) f'(Z1)

    ∇W2 = δ3ᵀ A / m + λ W2      ∇b2 = mean of δ3
    ∇W1 = δ2ᵀ X / m + λ W1      ∇b1 = mean of δ2

δ2 needs rho_hat, and rho_hat needs every example, so there are two passes over the data.
Both work on blocks of rows that fit the processor's cache, several blocks at a time.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._parallel import map_in_order, single_threaded_blas
from saelib._validation import activation_named, data_matrix, real_number, whole_number
from saelib.parameters import Parameters
from saelib.sparsity import kl_divergence, kl_gradient

__all__ = ["CostTerms", "SparseObjective"]

Array = NDArray[np.floating[Any]]

_ROWS_PER_BLOCK = 1000
# The rows are dealt into at most this many sums, whatever the number of threads; the sums are
# then added in order. So the result is the same to the last bit on one core and on many.
_MAX_PARTIAL_SUMS = 16


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
        self.X = data_matrix("X", X, self._output)

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
        X = self.X
        m = len(X)
        theta = self._checked(theta)
        p = Parameters.unravel(theta, self.n_features, self.n_hidden)
        f, f_out = self._hidden, self._output
        A = np.empty((m, self.n_hidden), dtype=X.dtype)

        def forward(blocks: list[slice]) -> NDArray[np.float64]:
            sums = np.zeros(self.n_hidden)
            for rows in blocks:
                a = np.matmul(X[rows], p.W1.T, out=A[rows])
                a += p.b1
                f.function(a, out=a)
                sums += a.sum(axis=0)
            return sums

        def backward(blocks: list[slice]) -> tuple[float, Array]:
            squares = 0.0
            gradient = np.zeros_like(theta)
            g = Parameters.unravel(gradient, self.n_features, self.n_hidden)
            for rows in blocks:
                x, a = X[rows], A[rows]
                y = a @ p.W2.T
                y += p.b2
                f_out.function(y, out=y)
                slope = f_out.derivative(y)
                error = np.subtract(y, x, out=y)
                squares += float(np.vdot(error, error))
                delta3 = np.multiply(error, slope, out=error)
                delta2 = delta3 @ p.W2
                delta2 += penalty_slope
                delta2 *= f.derivative(a)
                g.W2[...] += delta3.T @ a
                g.W1[...] += delta2.T @ x
                g.b2[...] += delta3.sum(axis=0)
                g.b1[...] += delta2.sum(axis=0)
            return squares, gradient

        shares = _shares(m)
        with single_threaded_blas() as n_threads:
            sums = map_in_order(forward, shares, n_threads)
            rho_hat = self._mean_activation(np.sum(sums, axis=0) / m)
            penalty_slope = self._penalty_slope(rho_hat)
            parts = map_in_order(backward, shares, n_threads)
            # BLAS splits long dot products over threads too, and so would change the last bit.
            squared_weights = _sum_of_squares(p.W1, p.W2)

        gradient = np.sum([part for _, part in parts], axis=0)
        gradient /= m
        g = Parameters.unravel(gradient, self.n_features, self.n_hidden)
        g.W1[...] += self.weight_decay * p.W1
        g.W2[...] += self.weight_decay * p.W2
        terms = CostTerms(
            reconstruction=sum(squares for squares, _ in parts) / (2 * m),
            weight_decay=self.weight_decay / 2 * squared_weights,
            sparsity=self.sparsity_weight
            * float(np.sum(kl_divergence(self.sparsity_target, rho_hat))),
        )
        return terms, gradient

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

    def _mean_activation(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rho_hat in (0, 1) from the plain mean of the activations, Eq. (3.2)."""
        f = self._hidden
        rho_hat = (mean - f.low) / (f.high - f.low)
        precision = np.finfo(self.X.dtype)
        return np.clip(rho_hat, np.sqrt(precision.tiny), 1 - precision.eps)

    def _penalty_slope(self, rho_hat: NDArray[np.float64]) -> Array:
        """Return β dKL/da, the second term in the bracket of Eq. (5.1), for every unit."""
        f = self._hidden
        slope = self.sparsity_weight * kl_gradient(self.sparsity_target, rho_hat)
        # rho_hat = (mean - low) / (high - low), so the chain rule divides by the range of f.
        return np.asarray(slope / (f.high - f.low), dtype=self.X.dtype)


def _sum_of_squares(*arrays: Array) -> float:
    return float(sum(np.vdot(array, array) for array in arrays))


def _shares(m: int) -> list[list[slice]]:
    """Deal m rows into consecutive blocks, and the blocks into consecutive shares."""
    edges = [*range(0, m, _ROWS_PER_BLOCK), m]
    blocks = [slice(start, stop) for start, stop in pairwise(edges)]
    n_shares = min(len(blocks), _MAX_PARTIAL_SUMS)
    cuts = [len(blocks) * k // n_shares for k in range(n_shares + 1)]
    return [blocks[start:stop] for start, stop in pairwise(cuts)]
