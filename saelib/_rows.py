"""Row-wise work on a matrix in blocks that do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._parallel import map_in_order

Array = NDArray[np.floating[Any]]

_ROWS_PER_BLOCK = 1000


def row_edges(n_rows: int) -> list[tuple[int, int]]:
    return list(pairwise([*range(0, n_rows, _ROWS_PER_BLOCK), n_rows]))


def in_blocks(
    function: Callable[[Array], Array], X: Array, n_columns: int, dtype: Any = None
) -> Array:
    """Return `function` of every block of rows, one under the other.

    The blocks do not depend on the number of threads, and so neither does any bit of the result.
    """
    out = np.empty((len(X), n_columns), dtype=X.dtype if dtype is None else dtype)

    def fill(edges: tuple[int, int]) -> None:
        rows = slice(*edges)
        out[rows] = function(X[rows])

    with single_threaded_blas() as n_threads:
        map_in_order(fill, row_edges(len(X)), n_threads)
    return out
