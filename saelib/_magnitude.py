"""The magnitude of numbers: taken out before they are squared, and the largest of a weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_WEIGHT", "magnitude"]

# Beyond this the products with scaled data could overflow; sound weights are below 1000.
LARGEST_WEIGHT = 1e20


def magnitude(*arrays: NDArray[np.float64]) -> int:
    """Return the exponent e of the power of two just above every number in `arrays`.

    With ``np.ldexp(array, -e)`` the largest becomes one between 1/2 and 1, whose square neither
    overflows nor vanishes, and nothing is rounded on the way.
    """
    return int(np.frexp(max(float(np.abs(array).max(initial=0.0)) for array in arrays))[1])
