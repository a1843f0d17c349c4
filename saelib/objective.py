"""`J_sparse` and its exact gradient: the cost that training a sparse autoencoder minimizes.

For m examples in the rows of X, with A = f(X W1ᵀ + b1), Y = f(A W2ᵀ + b2) and rho_hat the
mean of A over the examples::

    J = 1/(2m) ‖Y - X‖² + λ/2 (‖W1‖² + ‖W2‖²) + β Σ_j KL(ρ ‖ rho_hat_j)

    δ3 = (Y - X) f'(Z2)
    δ2 = (δ3 W2 + β (-ρ/rho_hat + (1-ρ)/(1-rho_hat))) f'(Z1)

    ∇W2 = δ3ᵀ A / m + λ W2      ∇b2 = mean of δ3
    ∇W1 = δ2ᵀ X / m + λ W1      ∇b1 = mean of δ2

δ2 needs rho_hat, and rho_hat needs every example, so there are two passes over the data, and
the sums over the rows come from `saelib._passes`. Here is what is done with them.

The same in plain lines, for data that fit into memory at once, is `mini_batch` of
`saelib._minibatch` with ``share=1``, made of `saelib.network`: it is the specification with which
the tests compare what this module does in blocks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._blas import single_threaded_blas
from saelib._passes import (
    BiasUnitWeights,
    Buffers,  # noqa: F401 - the book shows these three as parts of the objective
    Sums,
    SumsOfRows,
    backpropagate,  # noqa: F401
    sum_activations,  # noqa: F401
)
from saelib._validation import activation_named, data_matrix, real_number, whole_number
from saelib.activations import TANH_AS_SIGMOID, Activation
from saelib.parameters import Parameters
from saelib.sparsity import divergence, divergence_slope

__all__ = ["CostTerms", "SparseObjective"]

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]


class CostTerms(NamedTuple):
    """The three terms of `J_sparse`, each with its weight already applied.

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
        """`J_sparse`, the sum of the three terms."""
        return self.reconstruction + self.weight_decay + self.sparsity


def penalty_slope(
    rho_hat: Vector, f: Activation, sparsity_target: float, sparsity_weight: float
) -> Vector:
    """Return β dKL/da, the second term in the bracket of Eq. (5.1), and 0 for the bias unit.

    Parameters
    ----------
    rho_hat : ndarray of shape (n_hidden,)
        Mean activations, inside (0, 1).
    f : Activation
        That of the hidden units.
    sparsity_target, sparsity_weight : float
        As in `SparseObjective`.
    """
    slope = np.zeros(len(rho_hat) + 1)  # the last for the bias unit
    # rho_hat = (mean - low) / (high - low), so the chain rule divides by the range of f.
    slope[:-1] = sparsity_weight / (f.high - f.low) * divergence_slope(sparsity_target, rho_hat)
    return slope


def mean_terms(
    m: int,
    theta: Array,
    w: BiasUnitWeights,
    rho_hat: Vector,
    squares: float,
    sums: Array,
    *,
    weight_decay: float,
    sparsity_target: float,
    sparsity_weight: float,
) -> tuple[CostTerms, Array]:
    """Return the three terms of the cost and its gradient from the sums over all m rows.

    BLAS must be limited to one thread: it splits long dot products over threads, and so would
    change the last bit of the second term.

    Parameters
    ----------
    m : int
        Number of rows.
    theta : ndarray of shape (size,)
        W1, W2, b1, b2.
    w : BiasUnitWeights
        The same as the two passes use it.
    rho_hat : ndarray of shape (n_hidden,)
        Mean activations, inside (0, 1).
    squares : float
        ‖Y - X‖².
    sums : ndarray
        What the second pass gives for `w.gradient`.
    weight_decay, sparsity_target, sparsity_weight : float
        As in `SparseObjective`.
    """
    gradient = w.gradient(sums)  # (size,)
    gradient /= m
    weights = theta[: 2 * w.W2[:, :-1].size]  # W1 and W2, without the biases
    gradient[: weights.size] += weight_decay * weights
    terms = CostTerms(
        reconstruction=squares / (2 * m),
        weight_decay=weight_decay / 2 * float(np.vdot(weights, weights)),
        sparsity=sparsity_weight * float(divergence(sparsity_target, rho_hat).sum()),
    )
    return terms, gradient


class SparseObjective:
    """The cost `J_sparse` of a sparse autoencoder on fixed data, with its exact gradient.

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
        self.X, self._sums = self._source(X)
        precision = np.finfo(self.X.dtype)
        self._least_mean = float(np.sqrt(precision.tiny))
        self._greatest_mean = float(1 - precision.eps)

    def _source(self, X: Any) -> tuple[Any, Sums]:
        """Return the data, checked, and where the sums over their rows come from."""
        X = data_matrix("X", X, self._output)
        return X, SumsOfRows(X, self.n_hidden)

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

    def __call__(self, theta: ArrayLike) -> tuple[float, Vector]:
        """Return the cost `J_sparse` and its gradient at `theta`.

        Parameters
        ----------
        theta : array_like of shape (size,)
            W1, W2, b1, b2, each row by row.

        Returns
        -------
        cost : float
            `J_sparse`.
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
            return self._mean_activation(self._sums.activations(w, self._unit, n_threads))

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
        p = self._parameters(theta)
        with single_threaded_blas() as n_threads:
            w = BiasUnitWeights.of(p, self._unit, self._output)
            rho_hat, squares, sums = self._sums.two_passes(
                w, self._unit, self._output, self._between_the_passes, n_threads
            )
            return mean_terms(
                len(self.X),
                theta,
                w,
                rho_hat,
                squares,
                sums,
                weight_decay=self.weight_decay,
                sparsity_target=self.sparsity_target,
                sparsity_weight=self.sparsity_weight,
            )

    def _parameters(self, theta: Array) -> Parameters:
        self.refuse_examples_in_columns("theta", theta)
        return Parameters.unravel(theta, self.n_features, self.n_hidden)

    def refuse_examples_in_columns(self, name: str, theta: Array) -> None:
        """Raise ValueError if `theta` has the length that it would have for X transposed."""
        m, n, h = len(self.X), self.n_features, self.n_hidden
        if theta.shape == (2 * h * m + h + m,) and m != n:
            raise ValueError(
                f"{name} has shape {theta.shape}, which belongs to {m} features, but X has {m} "
                f"rows and {n} columns. Examples are rows here: if they are the columns of X, "
                "give X.T"
            )

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

    def _between_the_passes(self, sums: Vector) -> tuple[Vector, Array]:
        rho_hat = self._mean_activation(sums)
        slope = penalty_slope(rho_hat, self._hidden, self.sparsity_target, self.sparsity_weight)
        return rho_hat, slope.astype(self.X.dtype, copy=False)

    def _mean_activation(self, sums: Vector) -> Vector:
        """Return rho_hat in (0, 1) from the sums of the activations over all rows, Eq. (3.2)."""
        rho_hat = sums / len(self.X)
        return np.minimum(np.maximum(rho_hat, self._least_mean), self._greatest_mean)
