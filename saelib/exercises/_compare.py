"""When two results are the same, up to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Arrays", "agree", "as_arrays", "close"]

Arrays = tuple[np.ndarray[Any, Any], ...]


def as_arrays(value: Any) -> Arrays:
    """Return the results of a right or wrong computation as float64 arrays."""
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(np.asarray(part, dtype=np.float64) for part in parts)


def close(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float) -> bool:
    """Return whether two arrays have the same shape and, up to rounding, the same entries."""
    if got.shape != wanted.shape:
        return False
    if got.dtype != np.float64:
        # Rounding of single precision, a few operations long; a forward difference is farther off.
        tolerance = max(tolerance, 200 * float(np.finfo(got.dtype).eps))
    # Both NaN, or both the same infinity, agree as well: some mistakes show just there.
    with np.errstate(invalid="ignore"):
        near = np.abs(got - wanted) <= tolerance * (_scale(wanted) or 1.0)
        if near.all():
            return True
        return bool(np.all(near | (got == wanted) | (np.isnan(got) & np.isnan(wanted))))


def _scale(wanted: np.ndarray[Any, Any]) -> float:
    size = float(np.max(np.abs(wanted), initial=0.0))
    if np.isfinite(size):
        return size
    return float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))


def agree(result: Arrays, outcome: Any, tolerance: float) -> bool:
    """Return whether all results agree with what a computation gave."""
    wanted = as_arrays(outcome)
    return len(result) == len(wanted) and all(
        close(mine, right, tolerance) for mine, right in zip(result, wanted, strict=True)
    )
