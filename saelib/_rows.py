"""The rows of a matrix, wherever they lie: in blocks, dense, and scaled when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._parallel import map_in_order

Array = NDArray[np.floating[Any]]

_MOST_ROWS_PER_BLOCK = 1000
_MOST_NUMBERS_PER_BLOCK = 2**22


class Rows:
    """A matrix of which only the rows that are asked for become a dense, scaled array.

    So neither a sparse matrix nor a memory map is ever copied as a whole. It stands in for an
    array wherever only ``X[start:stop]``, ``len(X)``, ``shape`` and ``dtype`` are used.

    Parameters
    ----------
    X : ndarray or scipy sparse matrix in CSR format, of shape (n_samples, n_features)
        Floating-point numbers.
    scaling : Scaling, optional
        Its ``apply`` is called on every block.
    """

    def __init__(self, X: Any, scaling: Any = None) -> None:
        self._X = X
        self._scaling = None if scaling is None or scaling.is_identity else scaling
        self.shape: tuple[int, int] = X.shape
        self.dtype = X.dtype
        self.itemsize: int = X.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Array:
        block = self.unscaled(rows)
        return block if self._scaling is None else np.ascontiguousarray(self._scaling.apply(block))

    def unscaled(self, rows: slice) -> Array:
        """Return the rows as a dense array in the units of the data."""
        return dense(self._X[rows])

    @property
    def bytes_in_memory(self) -> int:
        """Memory that the matrix takes as it is."""
        return bytes_in_memory(self._X)

    @property
    def on_disk(self) -> bool:
        """Whether the matrix is a memory map or a view of one."""
        return on_disk(self._X)


def is_sparse(X: Any) -> bool:
    """Return whether `X` is a sparse matrix or array of scipy, without importing it."""
    return hasattr(X, "tocsr") and hasattr(X, "nnz")


def dense(block: Any) -> Array:
    """Return a block of rows as a dense array; of a dense array itself."""
    return block.toarray() if is_sparse(block) else block


def on_disk(X: Any) -> bool:
    """Return whether `X` is a memory map or a view of one."""
    if isinstance(X, Rows):
        return X.on_disk
    base: Any = X
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def bytes_in_memory(X: Any) -> int:
    """Return the memory that `X` takes; a memory map takes none."""
    if isinstance(X, Rows):
        return X.bytes_in_memory
    if is_sparse(X):
        return int(X.data.nbytes + X.indices.nbytes + X.indptr.nbytes)
    return 0 if on_disk(X) else int(X.nbytes)


def row_edges(n_rows: int, n_columns: int = 1) -> list[tuple[int, int]]:
    """Return where blocks of rows start and stop; each is small enough to be made dense."""
    length = min(max(_MOST_NUMBERS_PER_BLOCK // n_columns, 1), _MOST_ROWS_PER_BLOCK)
    return list(pairwise([*range(0, n_rows, length), n_rows]))


def in_blocks(
    function: Callable[[Array], Array], X: Any, n_columns: int, dtype: Any = None
) -> Array:
    """Return `function` of every block of rows, one under the other.

    The blocks do not depend on the number of threads, and so neither does any bit of the result.
    """
    out = np.empty((len(X), n_columns), dtype=X.dtype if dtype is None else dtype)

    def fill(edges: tuple[int, int]) -> None:
        rows = slice(*edges)
        out[rows] = function(X[rows])

    with single_threaded_blas() as n_threads:
        map_in_order(fill, row_edges(*X.shape), n_threads)
    return out


def sum_over_blocks(function: Callable[[Array], Any], X: Any) -> Any:
    """Return the sum of `function` over the blocks of rows, added in their order."""
    with single_threaded_blas() as n_threads:
        parts = map_in_order(
            lambda edges: function(X[slice(*edges)]), row_edges(*X.shape), n_threads
        )
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
