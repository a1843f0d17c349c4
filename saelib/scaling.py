"""Scaling: from the units of the data into the range of the output layer, and back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._rows import Rows, dense, row_edges
from saelib.activations import ACTIVATIONS

__all__ = ["Scaling"]

Array = NDArray[np.floating[Any]]

# The middle 80 % of a bounded output: its ends 0 and 1 are reached by infinite weights only.
_MARGIN = 0.1
_LARGEST_VALUE = 1e304
# What differs by rounding only, as 0.3 and 3 * 0.1 do, is constant: the smallest and the largest
# value may be some 30 of the dtype's steps apart. They are read, not computed, so this does not
# grow with the number of rows as scikit-learn's bound for a variance does.
_ROUNDING_STEPS = 64


class Scaling(NamedTuple):
    """An affine map of the data into the range of the output layer, and back.

    Scaled data are ``(X - shift) / scale + offset``.

    Attributes
    ----------
    shift : ndarray of shape (n_features,)
        In units of the data.
    scale : ndarray of shape (n_features,)
        In units of the data, greater than 0.
    offset : float
        Where `shift` goes to.
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    offset: float

    def apply(self, X: Array) -> Array:
        """Return the scaled data, in the dtype of `X`.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Data in their own units, finite.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Scaled data. Values outside the range seen in training are mapped like all others,
            to values outside the range of the training data; nothing is clipped.

        """
        # What overflows here is caught, with its place in the data, by check_magnitude.
        with np.errstate(over="ignore"):
            scaled = (X - self.shift) / self.scale + self.offset
            return scaled.astype(X.dtype, copy=False)

    def invert(self, Y: Array) -> Array:
        """Return scaled data in their own units again, the inverse of `apply`.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_features)
            Scaled data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Data in their own units, in the dtype of `Y`.
        """
        with np.errstate(over="ignore"):
            X = (Y - self.offset) * self.scale + self.shift
            return X.astype(Y.dtype, copy=False)

    @property
    def is_identity(self) -> bool:
        """Whether scaled data are the data."""
        return self.offset == 0 and bool(np.all(self.shift == 0) and np.all(self.scale == 1))


def check_magnitude(scaled: Rows) -> None:
    """Raise ValueError if an entry of `scaled` is so large that computing with it may overflow."""
    limit = np.finfo(scaled.dtype).max ** 0.25
    for start, stop in row_edges(*scaled.shape):
        block = scaled[start:stop]
        far_out = ~(np.abs(block) < limit)
        if far_out.any():
            row, column = np.argwhere(far_out)[0]
            value = scaled.unscaled(slice(start, stop))[row, column]
            raise ValueError(
                f"X holds {value:g} at row {start + row}, column {column}; that is "
                f"{block[row, column]:.3g} after scaling, and computing in {scaled.dtype} allows "
                f"numbers up to {limit:.1g}. Check the units of this column against those of the "
                "training data, or rescale it"
            )


def fit_scaling(X: Any, scaling: str | None, output_activation: str) -> Scaling:
    """Return the map of `X` into the range of the output that `scaling` asks for."""
    n_features = X.shape[1]
    output = ACTIVATIONS[output_activation]
    if scaling is None:
        return Scaling(np.zeros(n_features), np.ones(n_features), 0.0)
    edges = row_edges(*X.shape)

    def blocks() -> Iterator[Array]:
        return (dense(X[start:stop]) for start, stop in edges)

    low = reduce(np.minimum, (block.min(axis=0) for block in blocks())).astype(np.float64)
    high = reduce(np.maximum, (block.max(axis=0) for block in blocks())).astype(np.float64)
    if scaling == "global":
        low, high = np.full(n_features, low.min()), np.full(n_features, high.max())
    largest = np.maximum(np.abs(low), np.abs(high))
    if largest.max() > _LARGEST_VALUE:
        column = int(np.argmax(largest))
        raise ValueError(
            f"X runs from {low[column]:g} to {high[column]:g} in column {column}; scaling such "
            f"numbers overflows, {_LARGEST_VALUE:g} is the most. Divide the column by a constant "
            "first"
        )
    span = high - low
    varies = span > _ROUNDING_STEPS * np.finfo(X.dtype).eps * largest
    span = np.where(varies, span, 1.0)
    if np.isfinite(output.high):
        width = output.high - output.low
        scale = np.where(varies, span / ((1 - 2 * _MARGIN) * width), 1.0)
        return Scaling(low, np.maximum(scale, np.finfo(float).tiny), output.low + _MARGIN * width)
    # Mean and spread are taken as shares of the range, so that no square overflows or vanishes.
    mean = sum(((block - low) / span).sum(axis=0) for block in blocks()) / X.shape[0]
    if scaling == "global":
        mean = np.full(n_features, np.mean(mean))
    variance = (
        sum((((block - low) / span - mean) ** 2).sum(axis=0) for block in blocks()) / X.shape[0]
    )
    if scaling == "global":
        variance = np.full(n_features, np.mean(variance))
    scale = np.where(varies, np.sqrt(variance) * span, 1.0)
    return Scaling(low + mean * span, np.maximum(scale, np.finfo(float).tiny), 0.0)
