"""Checks at the door: each error names the argument, its value, what is allowed, what to do."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib._rows import Rows, is_sparse, row_edges
from saelib.activations import ACTIVATIONS, Activation


def real_number(
    name: str, value: object, *, low: float, high: float = np.inf, open_ends: bool = False
) -> float:
    """Return `value` as a float if it is a finite real number between `low` and `high`."""
    left, right = ("(", ")") if open_ends else ("[", "]")
    allowed = f"{left}{low:g}, {high:g}{right if np.isfinite(high) else ')'}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} is {value!r} of type {type(value).__name__}; give a real number in {allowed}"
        )
    try:
        number = float(value)
    except OverflowError:  # a whole number or a fraction beyond the largest float
        number = np.inf
    inside = low < number < high if open_ends else low <= number <= high
    if not (np.isfinite(number) and inside):
        raise ValueError(f"{name} is {value!r}; it must be a finite number in {allowed}")
    return number


def whole_number(name: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` as an int if it is a whole number of at least `low` and at most `high`."""
    allowed = f"at least {low}" if high is None else f"between {low} and {high}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name} is {value!r} of type {type(value).__name__}; give a whole number, {allowed}"
        )
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} is {number}; it must be {allowed}")
    return number


def activation_named(name: str, value: object, allowed: tuple[str, ...]) -> Activation:
    """Return the `Activation` called `value` if that is one of the names in `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{name} is {value!r}; choose one of {choices}")
    return ACTIVATIONS[value]


def no_masked_entries(name: str, X: object) -> None:
    """Raise ValueError if `X` has masked entries, which numpy would pass on as plain numbers."""
    if np.ma.is_masked(X):
        raise ValueError(
            f"{name} is a masked array with masked entries; fill them in or remove those rows first"
        )


def plain_array(name: str, values: Any, dtype: Any = None) -> NDArray[Any]:
    """Return `values` as a numpy array unless numpy would misread them: masked or sparse."""
    no_masked_entries(name, values)
    if is_sparse(values):
        raise TypeError(
            f"{name} is a sparse matrix; this function takes dense arrays, give {name}.toarray(). "
            "Sparse data as they are suit SparseAutoencoder and SparseObjective"
        )
    return np.asarray(values, dtype=dtype)


def data_matrix(name: str, X: Any, output: Activation, first_row: int = 0) -> Any:
    """Return `X` as a 2-D float array, or `Rows`, whose entries `output` can reproduce.

    A float32 or float64 array is not copied, so that a memory map stays on disk. Of a sparse
    matrix only blocks of rows ever become dense. `first_row` is the number of its first row for
    messages, if `X` is a part of a larger matrix.
    """
    array = _as_matrix(name, X)
    if len(array.shape) != 2:
        raise ValueError(
            f"{name} has shape {array.shape}; give 2 dimensions, (n_samples, n_features). "
            "A single example is X.reshape(1, -1), a single feature X.reshape(-1, 1)"
        )
    if 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}; give at least one example and one feature"
        )
    low, high = _finite_range(name, array, first_row)
    if low < output.low or high > output.high:
        raise ValueError(
            f"{name} has values from {low:.6g} to {high:.6g}, but the {output.name} output reaches "
            f"only [{output.low:g}, {output.high:g}]. Rescale {name} into that range (for image "
            'patches saelib.normalize_patches does it) or use output_activation="linear"'
        )
    return array


def _as_matrix(name: str, X: Any) -> Any:
    if isinstance(X, Rows):
        return X
    no_masked_entries(name, X)
    if is_sparse(X):
        if X.dtype.kind not in "biuf":
            raise TypeError(f"{name} is a sparse matrix of {X.dtype}; give one of real numbers")
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        return Rows(X.tocsr())
    return float_array(name, X, "biufO", "give an array of shape (n_samples, n_features)")


def float_array(name: str, values: Any, kinds: str, advice: str) -> Any:
    """Return `values` as a float array, float32 and float64 kept, if of one of numpy's `kinds`."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in kinds:
            raise TypeError(f"its entries are of type {array.dtype}")
        return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} is {type(values).__name__} and cannot be read as an array of numbers "
            f"({error}); {advice}"
        ) from None


def _finite_range(name: str, array: Any, first_row: int) -> tuple[float, float]:
    """Return the least and the greatest entry if all are finite."""
    low, high = np.inf, -np.inf
    for start, stop in row_edges(*array.shape):
        rows = array[start:stop]
        # min and max are NaN as soon as one entry is NaN, and infinite if one is infinite.
        block_low, block_high = float(rows.min()), float(rows.max())
        if not (np.isfinite(block_low) and np.isfinite(block_high)):
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ValueError(
                f"{name} holds {rows[row, column]} at row {first_row + start + row}, column "
                f"{column}; every entry must be finite. Remove or fill in such entries first"
            )
        low, high = min(low, block_low), max(high, block_high)
    return low, high
