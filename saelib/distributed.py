"""`J_sparse` over a Dask array: more data than one machine holds, or more machines than one.

Every chunk's partial sums are computed where the chunk is. rho_hat needs all examples before
any error can be sent back, so an evaluation is two rounds over the cluster, and each round
sends the weights once to every worker. No state stays on the workers between the rounds: one
that dies loses nothing that Dask cannot compute again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from saelib._blas import single_threaded_blas
from saelib._extras import require
from saelib._passes import (
    Array,
    BiasUnitWeights,
    Buffers,
    Middle,
    Vector,
    backpropagate,
    plan_shares,
    sum_activations,
)
from saelib._validation import data_matrix
from saelib.activations import Activation
from saelib.objective import SparseObjective

require("dask.array", "saelib.distributed")

import dask.array as da
from dask.base import compute
from dask.delayed import delayed

__all__ = ["DaskObjective"]

# Partial sums are added on the workers, so many at a time, and only the total travels.
_PARTS_PER_SUM = 8


class DaskObjective(SparseObjective):
    """The cost `J_sparse` and its gradient over a Dask array, for `train` like any other objective.

    Eq. (4.3) ``sparse-cost``, CS294A pp. 7 and 16. The work is done by the Dask client that is
    active when the objective is called, or by Dask's local scheduler if there is none.

    Parameters
    ----------
    X : dask.array.Array of shape (n_samples, n_features)
        The examples, one per row, of known shape. Chunks hold whole rows, or are rechunked so.
        Two passes over X are made per evaluation: if it fits the memory of the cluster, call
        ``X.persist()`` first; if not, each pass loads it chunk by chunk.
    n_hidden : int, at least 1
        Number of hidden units.
    **options
        ``weight_decay``, ``sparsity_target``, ``sparsity_weight``, ``activation`` and
        ``output_activation``, as for `SparseObjective`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described above; the message says which and why.

    Notes
    -----
    The result equals that of `SparseObjective` up to the order in which numbers are added. It
    does not depend on the number of workers, nor on which of them computed what.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from saelib import DaskObjective, Parameters, SparseObjective
    >>> X = np.random.default_rng(0).uniform(0.1, 0.9, size=(600, 16))
    >>> theta = Parameters.random(n_features=16, n_hidden=4, seed=0).ravel()
    >>> there, _ = DaskObjective(da.from_array(X, chunks=(200, 16)), n_hidden=4)(theta)
    >>> here, _ = SparseObjective(X, n_hidden=4)(theta)
    >>> bool(np.isclose(there, here, rtol=1e-12))
    True
    """

    def _source(self, X: Any) -> tuple[Any, SumsOfChunks]:
        if not isinstance(X, da.Array):
            raise TypeError(
                f"X is {type(X).__name__}; give a dask.array.Array, or use SparseObjective for "
                "data on this machine"
            )
        if X.ndim != 2 or not all(np.isfinite(X.shape)) or 0 in X.shape:
            raise ValueError(
                f"X has shape {X.shape}; give 2 dimensions of known size, (n_samples, n_features), "
                "neither of them 0. X.compute_chunk_sizes() finds out unknown sizes"
            )
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        X = X.rechunk({1: -1})
        chunks = X.to_delayed().ravel().tolist()
        first_rows = np.cumsum([0, *X.chunks[0][:-1]]).tolist()
        check = delayed(_check)
        compute(
            [
                check(chunk, self._output, first_row)
                for chunk, first_row in zip(chunks, first_rows, strict=True)
            ]
        )
        return X, SumsOfChunks(chunks)


class SumsOfChunks:
    """The sums over the rows of a Dask array, computed where its chunks are.

    Parameters
    ----------
    chunks : list of delayed ndarray of shape (n_rows, n_features)
        All rows, in chunks.
    """

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = chunks

    def activations(self, w: BiasUnitWeights, f: Activation, n_threads: int) -> Vector:
        """Return the sum of the activations, see `saelib._passes.Sums`."""
        (sums,) = self._sum_over_chunks(_activations_of_chunk, w, f)
        return sums

    def two_passes(
        self,
        w: BiasUnitWeights,
        f: Activation,
        f_out: Activation,
        between: Callable[[Vector], Middle],
        n_threads: int,
    ) -> tuple[Vector, float, Array]:
        """Return rho_hat, ‖Y - X‖² and the sums for `w.gradient`, see `saelib._passes.Sums`."""
        rho_hat, penalty_slope = between(self.activations(w, f, n_threads))
        of_all = self._sum_over_chunks(_gradient_of_chunk, (w, penalty_slope), f, f_out)
        return rho_hat, *of_all

    def _sum_over_chunks(self, function: Any, weights: Any, *activations: Activation) -> Any:
        """Return the sum over all chunks of the tuples that `function` gives."""
        # As the result of a task, the weights travel once to every worker, not once per chunk.
        weights = delayed(_hand_over, pure=False)(weights)
        of_chunk, add = delayed(function, pure=False), delayed(_add, pure=False)
        parts = [of_chunk(chunk, weights, *activations) for chunk in self._chunks]
        while len(parts) > 1:
            groups = range(0, len(parts), _PARTS_PER_SUM)
            parts = [add(parts[start : start + _PARTS_PER_SUM]) for start in groups]
        return parts[0].compute()


def _hand_over(weights: Any) -> Any:
    return weights


def _add(parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(sum(values) for values in zip(*parts, strict=True))


def _check(chunk: Any, output: Activation, first_row: int) -> None:
    data_matrix("X", chunk, output, first_row)


def _blocks_and_buffers(X: Array, w: BiasUnitWeights) -> tuple[list[slice], Buffers]:
    n_hidden = len(w.b1) - 1
    shares = plan_shares(X, n_hidden)
    blocks = [rows for share in shares for rows in share]
    return blocks, Buffers.of(shares, X.shape[1], n_hidden, X.dtype)


def _activations_of_chunk(X: Any, w: BiasUnitWeights, f: Activation) -> tuple[Vector]:
    X = np.asarray(X)
    blocks, buffers = _blocks_and_buffers(X, w)
    with single_threaded_blas():
        return (sum_activations(X, blocks, w, f, buffers),)


def _gradient_of_chunk(
    X: Any, weights: tuple[BiasUnitWeights, Array], f: Activation, f_out: Activation
) -> tuple[float, Array]:
    X = np.asarray(X)
    w, penalty_slope = weights
    blocks, buffers = _blocks_and_buffers(X, w)
    with single_threaded_blas():
        return backpropagate(X, blocks, w, f, f_out, penalty_slope, buffers)
