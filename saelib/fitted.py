"""A fitted network: weights, scaling and activations as one frozen value, used on raw data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._rows import Rows, in_blocks, sum_over_blocks
from saelib.activations import ACTIVATIONS
from saelib.network import decode, encode
from saelib.parameters import Parameters
from saelib.scaling import Scaling, check_magnitude

__all__ = ["FittedNetwork", "Report"]

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]


class Report(NamedTuple):
    """What a network does with some data, in three numbers.

    Attributes
    ----------
    share_active : float
        Share of the activations above the middle of their range, which is how many units an
        example switches on, divided by their number.
    share_dead : float
        Share of the hidden units that are above the middle for none of the examples.
    explained_variance : float
        1 - ‖X_hat - X‖² / ‖X - mean of X‖² on the scaled data: 1 is a perfect reconstruction, 0
        is as good as predicting the mean of every column.
    """

    share_active: float
    share_dead: float
    explained_variance: float


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """Weights, scaling and activations that belong together, for data in their own units.

    All methods go through the rows in blocks that do not depend on the number of threads: what
    they take in memory, beyond what they return, does not grow with the number of rows.

    Attributes
    ----------
    parameters : Parameters
        All weights and biases, for scaled data, as float64.
    scaling : Scaling
        The map from the data to the scaled data and back.
    activation, output_activation : str
        Names of the activations of the two layers.
    """

    parameters: Parameters
    scaling: Scaling
    activation: str
    output_activation: str

    def encode(self, X: Any) -> Array:
        """Return the hidden activations, Eq. (1.4) ``forward-hidden``, on the scaled data.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Finite floating-point numbers in the units of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_hidden)
            In the dtype of `X`.
        """
        return in_blocks(self._encode, self.scaled(X), self.parameters.n_hidden)

    def decode(self, A: Array) -> Array:
        """Return the outputs, Eq. (1.5) ``forward-output``, in the units of the data.

        Parameters
        ----------
        A : ndarray of shape (n_samples, n_hidden)
            Hidden activations.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the dtype of `A`; infinite where its range does not suffice.
        """

        def decoded(a: Array) -> Array:
            x_hat = decode(a, _in(self.parameters, a), self.output_activation)
            return self.scaling.invert(x_hat)

        return in_blocks(decoded, A, self.parameters.n_features)

    def reconstruction_cost(self, X: Any) -> float:
        """Return 1/(2m) ‖X_hat - X‖², Eq. (2.1) ``reconstruction-cost``, on the scaled data.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Finite floating-point numbers in the units of the training data.

        Returns
        -------
        float
            At least 0.
        """
        return float(sum_over_blocks(self._squares, self.scaled(X))) / (2 * X.shape[0])

    def mean_activation(self, X: Any) -> Vector:
        """Return rho_hat, Eqs. (3.1) ``mean-activation`` and (3.2) ``mean-activation-tanh``.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Finite floating-point numbers in the units of the training data.

        Returns
        -------
        ndarray of shape (n_hidden,)
            From 0 to 1.
        """

        def sums(x: Array) -> Vector:
            return np.sum(self._encode(x), axis=0, dtype=np.float64)

        mean = sum_over_blocks(sums, self.scaled(X)) / X.shape[0]
        return ACTIVATIONS[self.activation].share_of_range(mean).astype(np.float64)

    def report(self, X: Any) -> Report:
        """Return how sparse and how faithful the network is on `X`.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Finite floating-point numbers in the units of the training data.

        Returns
        -------
        Report
            ``share_active``, ``share_dead`` and ``explained_variance``.
        """
        f = ACTIVATIONS[self.activation]
        rows, m = self.scaled(X), X.shape[0]
        mean = sum_over_blocks(lambda x: np.sum(x, axis=0, dtype=np.float64), rows) / m
        totals = sum_over_blocks(
            lambda x: np.concatenate(
                [
                    [self._squares(x), np.sum(np.square(x - mean))],
                    np.sum(self._encode(x) > (f.low + f.high) / 2, axis=0),
                ]
            ),
            rows,
        )
        squares, variation, n_active = totals[0], totals[1], totals[2:]
        explained = 1 - squares / variation if variation > 0 else float(squares == 0)
        return Report(
            share_active=float(n_active.sum() / (m * len(n_active))),
            share_dead=float(np.mean(n_active == 0)),
            explained_variance=float(explained),
        )

    def scaled(self, X: Any) -> Rows:
        """Return the rows of `X`, scaled when they are asked for, if none is too large for it."""
        rows = Rows(X, self.scaling)
        check_magnitude(rows)
        return rows

    def _encode(self, x: Array) -> Array:
        return encode(x, _in(self.parameters, x), self.activation)

    def _squares(self, x: Array) -> float:
        p = _in(self.parameters, x)
        x_hat = decode(encode(x, p, self.activation), p, self.output_activation)
        return float(np.sum(np.square(x_hat - x, dtype=np.float64)))


def _in(p: Parameters, data: Array) -> Parameters:
    """Return the parameters in the dtype of `data`."""
    return Parameters(*(part.astype(data.dtype, copy=False) for part in (p.W1, p.W2, p.b1, p.b2)))
