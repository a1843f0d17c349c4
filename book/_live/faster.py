"""Matrix products by scipy's BLAS, where numpy was built without one.

Pyodide's numpy multiplies matrices in plain loops; its scipy brings OpenBLAS, which is several
times faster when a factor is transposed. `numpy.matmul`, which saelib calls with `out=`, is
replaced by one that hands large products of two matrices to it. The operator ``@`` stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas

FROM = 20_000  # multiplications; smaller products are over before BLAS has been called
_by_numpy = np.matmul
_GEMM = {np.dtype(np.float64): blas.dgemm, np.dtype(np.float32): blas.sgemm}


def matmul(a: Any, b: Any, out: Any = None, **options: Any) -> Any:
    """Return the product of two matrices as `numpy.matmul` does."""
    gemm = _GEMM.get(getattr(out, "dtype", None))
    if gemm is None or options or not _fits(a, b, out):
        return (
            _by_numpy(a, b, out=out, **options) if out is not None else _by_numpy(a, b, **options)
        )
    # BLAS counts along columns: in its eyes this is out' = b' a', into the memory of `out`.
    first, turn_first = _column_wise(b.T)
    second, turn_second = _column_wise(a.T)
    gemm(1.0, first, second, 0.0, out.T, trans_a=turn_first, trans_b=turn_second, overwrite_c=True)
    return out


def _fits(a: Any, b: Any, out: Any) -> bool:
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and a.ndim == b.ndim == out.ndim == 2
        and a.dtype == b.dtype == out.dtype
        and a.shape[1] == b.shape[0]
        and out.shape == (a.shape[0], b.shape[1])
        and out.flags.c_contiguous
        and a.size * b.shape[1] >= FROM
        and (a.flags.c_contiguous or a.flags.f_contiguous)
        and (b.flags.c_contiguous or b.flags.f_contiguous)
    )


def _column_wise(matrix: Any) -> tuple[Any, bool]:
    """Return the matrix as BLAS wants it, and whether it has to be turned."""
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)


def install() -> None:
    """Let `numpy.matmul` be this one."""
    np.matmul = matmul  # type: ignore[assignment]
