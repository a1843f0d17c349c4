"""The sparse autoencoder as a scikit-learn transformer.

`SparseAutoencoder` puts around the objective of this library what a pipeline needs: scaling of
the data, names of the features, mini-batches for streams, files. The mathematics stays where
it is: training calls `saelib.train` on a `SparseObjective`.
"""

from __future__ import annotations

import copy
import hashlib
import numbers
import os
import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from saelib._minibatch import Adam, Stream, follow
from saelib._model_file import (
    Fit,
    ResumePoint,
    read_model,
    write_model,
)
from saelib._rows import Rows, bytes_in_memory, in_blocks, is_sparse, row_edges
from saelib._validation import activation_named, no_masked_entries, real_number, whole_number
from saelib.fitted import FittedNetwork, Report
from saelib.objective import SparseObjective
from saelib.parameters import Parameters
from saelib.scaling import check_magnitude, fit_scaling
from saelib.storage import not_consistent, place_for_file
from saelib.training import Callback, TrainingResult, train

__all__ = ["SparseAutoencoder"]

Array = NDArray[np.floating[Any]]

# A scaled copy of the data is kept, rather than scaled again in every pass, if it takes no more
# memory than this.
_MAX_BYTES_COPIED = 2**27
# What `Fit` holds, under the names that scikit-learn wants.
_FITTED = frozenset(
    f"{name}_"
    for name in (
        "network", "parameters", "scaling", "activation", "output_activation", "mean_activation",
        "loss_curve", "n_iter", "n_samples_seen", "converged", "stop_reason", "n_features_in",
        "feature_names_in",
    )
)  # fmt: skip


class SparseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sparse features learned without labels, as a scikit-learn transformer.

    A network with one hidden layer learns to reproduce its input while each hidden unit is
    held to a small mean activation. `transform` returns the activations of the hidden units.
    Training minimizes `J_sparse`, Eq. (4.3) ``sparse-cost``, CS294A pp. 7 and 16, over the scaled
    data.

    Parameters
    ----------
    n_hidden : int, at least 1
        Number of hidden units, the number of features that `transform` returns.
    weight_decay : float, at least 0
        λ, the weight of the squared weights.
    sparsity_target : float in (0, 1)
        ρ, the mean activation wanted of every hidden unit.
    sparsity_weight : float, at least 0
        β, the weight of the sparsity penalty.
    activation : {"sigmoid", "tanh"}
        Activation of the hidden units.
    output_activation : {"linear", "sigmoid", "tanh"}
        Activation of the output units. ``"linear"`` suits real-valued data; the two others suit
        data between two fixed ends, such as pixels.
    scaling : {"feature", "global"} or None
        How the data are brought into the range of the output. ``"feature"`` treats every column
        by itself, so that columns in different units count alike; ``"global"`` treats all
        columns alike, so that a pixel which hardly varies stays one that hardly varies; with
        None the data are taken as they are. For a linear output the data get mean 0 and
        standard deviation 1; for a bounded one the smallest and largest value go to 10 % and
        90 % of its range.
    max_iter : int, at least 1
        Number of L-BFGS iterations of `fit` at most. Fewer iterations also regularize.
    tol : float, at least 0, or None
        `fit` has converged when an iteration lowers the cost by less than this share of it (of 1,
        if the cost is less than 1); if it has not after `max_iter` iterations, it warns. With
        None the iterations are a budget, which is not a reason to warn.
    early_stopping : bool
        Whether `fit` holds out rows, stops when their reconstruction no longer gets better, and
        keeps the weights that reconstructed them best. The rows of each kind are copied.
    validation_fraction : float in (0, 1)
        Share of the rows that `early_stopping` holds out.
    n_iter_no_change : int, at least 1
        Number of iterations without a better reconstruction after which `early_stopping` ends.
    batch_size : int, at least 1
        Rows per step of `partial_fit`.
    learning_rate : float, greater than 0
        Step size of `partial_fit`, about the change of a weight in one step.
    sparsity_window : int, at least 1
        Number of rows over which `partial_fit` averages the mean activations; see the notes.
    warm_start : bool
        Whether `fit` starts from the weights and the scaling of the previous fit.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None
        Source of the initial weights. An int gives ``Parameters.random(..., seed=random_state)``
        and so the same result in every run.
    verbose : bool or int
        Whether `fit` shows a progress bar.
    callback : callable, optional
        ``callback(iteration, theta)`` is called after every iteration of `fit`, with the flat
        parameter vector. Raising StopIteration in it ends the training.
    checkpoint : str or path-like, optional
        File to which `fit` saves its state every `checkpoint_every` iterations and at the end,
        also when it is interrupted.
    checkpoint_every : int, at least 1
        Number of iterations between checkpoints.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden, n_features)
        The weights W1; row i is what hidden unit i looks at, in units of the scaled data.
    network_ : FittedNetwork
        All that it takes to encode and decode data, as one frozen value.
    parameters_ : Parameters
        All weights and biases, for scaled data, as float64.
    scaling_ : Scaling
        The map from the data to the scaled data and back.
    mean_activation_ : ndarray of shape (n_hidden,)
        rho_hat, the mean activation of every hidden unit, from 0 to 1: over the training data
        after `fit`, a running mean after `partial_fit`.
    loss_curve_ : list of float
        `J_sparse` at the start and after every iteration of `fit`; after `partial_fit` that of
        every mini-batch, at the weights before the step.
    n_iter_ : int
        Iterations of the last `fit`, plus steps of `partial_fit` after it.
    n_samples_seen_ : int
        Rows of the last `fit`, plus rows of `partial_fit` after it.
    converged_ : bool
        Whether the optimizer met its own criterion before the iterations ran out.
    stop_reason_ : str
        Why the training stopped, in words.
    n_features_in_ : int
        Number of columns of the training data.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the training data had names that are all strings.

    See Also
    --------
    saelib.SparseObjective : The cost and its gradient.
    saelib.train : The training without scaling.

    Notes
    -----
    *The defaults* are made for features that a linear model works with: in front of a logistic
    regression they beat the raw columns of scikit-learn's digits, wine and breast-cancer data, and
    are within a hundredth of what standardized columns give. For pictures of what the units have
    learned, take a lower `sparsity_target`, a `sparsity_weight` of 1 to 3 and less `weight_decay`.

    *New data outside the training range.* The scaling is affine and nothing is clipped. Such
    values drive the hidden units further than training did, `inverse_transform` can reach them
    with a linear output, and with a bounded output only up to the ends of its range, which lie
    12.5 % of the training range beyond it on both sides; `score` shows the loss. Values so far
    out that computing would overflow are an error.

    *Columns that do not vary*, or only by rounding, are centred and not divided.

    *Sparse matrices* of scipy, in CSR format, give what the dense array would give. Only blocks of
    rows become dense at a time, as only blocks of rows of a large memory map are scaled.

    *Weights of rows.* There is no `sample_weight`: `J_sparse` is made of means over rows, so a row
    that shall count k times can stand in the data k times.

    *Forks.* A fork (``multiprocessing`` with ``"fork"``) waits for OpenBLAS, and that waits for
    the products of matrices that another thread computes: beside a thread that trains on large
    data without a pause it can wait long. Prefer ``"forkserver"`` or ``"spawn"`` there.

    *Determinism.* With the same int as `random_state`, data, machine and library versions, the
    results are the same to the last bit, whatever the number of threads. All cores are used
    unless BLAS is limited to fewer threads, by ``threadpoolctl``, by ``OMP_NUM_THREADS``, or by
    joblib, which divides the cores among its worker processes.

    *Mini-batches.* `J_sparse` needs the mean activations over all examples, which a stream does
    not give. `partial_fit` puts in their place a running mean r, updated with every mini-batch
    of B rows to r + α (rho_hat_B - r) with α = 1 - (1 - 1/w)^B, so that w = `sparsity_window` is
    its memory counted in rows; it starts from the first batch. The gradient takes β KL'(ρ ‖ r)
    as the slope and lets rho_hat_B carry the dependence on the weights. This estimate is biased
    in two ways. r lags behind the weights by about w rows. And r is noisy while KL' is curved:
    the mean activations settle above ρ by a share of about Var(r)/ρ², for units that are either
    on or off roughly 1/(2wρ): 0.5 % for w = 1000 and ρ = 0.1. The mean of one batch of 32 rows
    instead of r would make that 30 %. Steps are those of Adam.

    *Checkpoints.* scipy's L-BFGS cannot be restarted with its memory of earlier steps. With
    `checkpoint` set, every training therefore forgets that memory every `checkpoint_every`
    iterations, interrupted or not, so that `resume` gives the same bits as a run that was never
    interrupted. The price is a few slower iterations after every checkpoint: use hundreds, not
    tens, of iterations between them.

    References
    ----------
    Andrew Ng, *Sparse autoencoder*, CS294A lecture notes, Stanford University, 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from saelib import SparseAutoencoder
    >>> X = load_breast_cancer().data
    >>> autoencoder = SparseAutoencoder(n_hidden=10, max_iter=50, random_state=0)
    >>> autoencoder.fit_transform(X).shape
    (569, 10)
    >>> bool(autoencoder.loss_curve_[-1] < autoencoder.loss_curve_[0])
    True
    """

    _fitted: Fit

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        weight_decay: float = 3e-3,
        sparsity_target: float = 0.1,
        sparsity_weight: float = 0.1,
        activation: str = "sigmoid",
        output_activation: str = "linear",
        scaling: str | None = "feature",
        max_iter: int = 200,
        tol: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        sparsity_window: int = 1000,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        verbose: bool | int = False,
        callback: Callback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 200,
    ) -> None:
        self.n_hidden = n_hidden
        self.weight_decay = weight_decay
        self.sparsity_target = sparsity_target
        self.sparsity_weight = sparsity_weight
        self.activation = activation
        self.output_activation = output_activation
        self.scaling = scaling
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.sparsity_window = sparsity_window
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    # ------------------------------------------------------------------ training

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn the features of `X` by L-BFGS on all rows together.

        An interruption (Ctrl-C, the stop button of a notebook) keeps the weights reached so
        far, warns, and leaves ``converged_`` False.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            At least two rows of finite numbers. float32 data are computed in float32, all else
            in float64.
        y : None
            Ignored; it is there for pipelines.

        Returns
        -------
        self : SparseAutoencoder
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described; the message says which and why.
        """
        self._check_parameters()
        if self.warm_start and self.__sklearn_is_fitted__():
            data, names = self._validate(X, min_rows=2), self._fitted.feature_names_in
            self._check_unchanged_network("fit with warm_start=True")
            network = self._fitted.network
        else:
            data, names = self._validate_first(X)
            network = self._first_network(data)
        self._fitted = self._trained(data, network, names)
        return self

    def resume(self, X: ArrayLike, y: Any = None) -> Self:
        """Go on with a training that was interrupted, from its last checkpoint.

        Load the checkpoint with `load`, then call this with the data of the interrupted `fit`.
        The result is that of the uninterrupted run, to the last bit on the same machine, wherever
        the run was interrupted: it starts from the last multiple of `checkpoint_every` iterations,
        which the file holds beside the weights reached, if these are others.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            The same data as in the interrupted `fit`.
        y : None
            Ignored.

        Returns
        -------
        self : SparseAutoencoder
            The estimator after `max_iter` iterations in all, or after convergence.

        Raises
        ------
        ValueError
            If `X` is not the data of the interrupted training, or this estimator does not come
            from a training with `checkpoint` set.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from saelib import SparseAutoencoder
        >>> X = np.random.default_rng(0).normal(size=(100, 5))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "run.safetensors")
        ...     half = SparseAutoencoder(
        ...         n_hidden=3, max_iter=20, random_state=0, checkpoint=path, checkpoint_every=10
        ...     ).fit(X)
        ...     whole = SparseAutoencoder.load(path).set_params(max_iter=40).resume(X)
        >>> half.n_iter_, whole.n_iter_
        (20, 40)
        """
        check_is_fitted(self)
        self._check_parameters()
        self._check_unchanged_network("resume")
        point = self._fitted.resume_point
        if point is None:
            raise ValueError(
                "this estimator does not come from a training with checkpoints; set checkpoint to "
                "a path before fit, or use warm_start=True to train on from these weights"
            )
        if self.checkpoint is None:
            raise ValueError(
                "checkpoint is None; the training goes on as if it had never stopped only with its "
                "checkpoints, so set checkpoint to a path before resume"
            )
        data = self._validate(X)
        if _fingerprint(data) != point.data:
            raise ValueError(
                f"X, of shape {data.shape} and dtype {data.dtype}, is not the data of the "
                "interrupted training; give the same rows in the same order and dtype, or call fit"
            )
        if self.converged_ or self.n_iter_ >= self.max_iter:
            return self
        fitted = self._fitted
        p = Parameters.unravel(point.theta, data.shape[1], self.n_hidden)
        network, names = replace(fitted.network, parameters=p), fitted.feature_names_in
        self._fitted = self._trained(
            data, network, names, point.n_iter, fitted.losses[: point.n_iter]
        )
        return self

    def _trained(
        self,
        X: Any,
        start: FittedNetwork,
        names: Any,
        n_done: int = 0,
        losses: list[float] | None = None,
    ) -> Fit:
        """Return what training from `start` gives; `losses` are those before it."""
        data = _fingerprint(X) if self.checkpoint is not None else None
        X, held_out = self._without_held_out_rows(X)
        objective = SparseObjective(
            _scaled(X, start),
            self.n_hidden,
            weight_decay=self.weight_decay,
            sparsity_target=self.sparsity_target,
            sparsity_weight=self.sparsity_weight,
            activation=start.activation,
            output_activation=start.output_activation,
        )
        point = None if data is None else ResumePoint(data, _theta(start), n_done)

        def fit_of(result: TrainingResult, parameters: Parameters, point: Any) -> Fit:
            network = replace(start, parameters=parameters)
            curve = [*(losses or []), *result.history["total"].tolist()]
            return Fit(
                network=network,
                mean_activation=network.mean_activation(X),
                losses=curve,
                n_losses=len(curve),
                n_iter=n_done + result.n_iterations,
                n_samples_seen=X.shape[0],
                converged=result.converged,
                stop_reason=result.message,
                feature_names_in=names,
                resume_point=point,
            )

        def save_checkpoint(result: TrainingResult) -> None:
            nonlocal point
            assert data is not None
            point = ResumePoint(data, result.theta, n_done + result.n_iterations)
            self._fitted = fit_of(result, result.parameters, point)
            self.save(self.checkpoint)  # type: ignore[arg-type]

        best = None if held_out is None else _Best(held_out, start, self.n_iter_no_change)

        def callback(iteration: int, theta: NDArray[np.float64]) -> None:
            if self.callback is not None:
                self.callback(n_done + iteration, theta)
            if best is not None:
                best.look_at(theta)

        result = train(
            objective,
            _theta(start),
            max_iter=self.max_iter - n_done,
            tol=1e-12 if self.tol is None else self.tol,
            progress=bool(self.verbose),
            callback=callback,
            checkpoint=save_checkpoint if data is not None else None,
            checkpoint_every=self.checkpoint_every,
        )
        parameters = result.parameters
        if best is not None:
            parameters = best.parameters or parameters
            if best.has_stopped:
                result = replace(result, converged=True, reason="converged", message=best.message())
        self._warn_of_the_end(result, n_done)
        if data is not None and result.n_iterations % self.checkpoint_every == 0:
            point = ResumePoint(data, result.theta, n_done + result.n_iterations)
        fit = fit_of(result, parameters, point)
        if self.checkpoint is not None:
            self._fitted = fit
            self.save(self.checkpoint)
        return fit

    def _without_held_out_rows(self, X: Any) -> tuple[Any, Any]:
        """Return the rows to train on and those to stop early by, or None for the latter."""
        if not self.early_stopping:
            return X, None
        m = X.shape[0]
        n_held_out = round(self.validation_fraction * m)
        if not 1 <= n_held_out <= m - 2:
            raise ValueError(
                f"validation_fraction is {self.validation_fraction!r}, which takes {n_held_out} of "
                f"{m} rows; at least 1 must be held out and 2 be left"
            )
        order = np.random.default_rng(self._seed()).permutation(m)
        return X[np.sort(order[n_held_out:])], X[np.sort(order[:n_held_out])]

    def _warn_of_the_end(self, result: TrainingResult, n_done: int) -> None:
        n_iter = n_done + result.n_iterations
        if result.reason == "interrupted":
            text = (
                f"training was interrupted after {n_iter} of {self.max_iter} iterations; the "
                "estimator holds the weights reached so far"
            )
        elif result.reason == "max_iter" and self.tol is not None:
            text = (
                f"training has not converged to tol={self.tol:g} after max_iter={self.max_iter} "
                "iterations; increase max_iter, or set tol=None if the iterations are a budget"
            )
        else:
            return
        warnings.warn(text, ConvergenceWarning, stacklevel=4)

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Go once through the rows of `X` in mini-batches, with a step of Adam for each.

        For streams and for data that do not fit in memory. The first call (if no `fit` came
        before) draws the weights and sets the scaling from its rows, for good: let it have as
        many rows as you can, in random order. Later calls may bring any number of rows. Rows
        that resemble each other should not come together; shuffle them.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            The next rows of the stream; at least two in the first call.
        y : None
            Ignored.

        Returns
        -------
        self : SparseAutoencoder
            The estimator after these steps.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described, or if the cost is no longer finite
            because `learning_rate` is too large.

        Examples
        --------
        >>> import numpy as np
        >>> from saelib import SparseAutoencoder
        >>> rng = np.random.default_rng(0)
        >>> autoencoder = SparseAutoencoder(n_hidden=3, batch_size=50, random_state=0)
        >>> for _ in range(4):
        ...     autoencoder = autoencoder.partial_fit(rng.normal(size=(100, 5)))
        >>> autoencoder.n_iter_, autoencoder.n_samples_seen_
        (8, 400)
        """
        self._check_parameters()
        if self.__sklearn_is_fitted__():
            data, before = self._validate(X), self._fitted
            self._check_unchanged_network("partial_fit")
        else:
            data, names = self._validate_first(X)
            before = self._before_the_stream(data, names)
        rows = before.network.scaled(data)
        theta = _theta(before.network)
        adam = before.adam or Adam(np.zeros_like(theta), np.zeros_like(theta))
        after, costs = follow(
            Stream(theta, before.mean_activation, adam),
            rows,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            sparsity_window=self.sparsity_window,
            weight_decay=self.weight_decay,
            sparsity_target=self.sparsity_target,
            sparsity_weight=self.sparsity_weight,
            activation=before.activation,
            output_activation=before.output_activation,
        )
        parameters = Parameters.unravel(after.theta, data.shape[1], self.n_hidden)
        # Streams are long, so the list grows in place, unless a copy of this estimator, or a call
        # that was interrupted, has made it longer already.
        is_ours = len(before.losses) == before.n_losses
        losses = before.losses if is_ours else before.loss_curve
        losses.extend(costs)
        self._fitted = replace(
            before,
            network=replace(before.network, parameters=parameters),
            mean_activation=after.running_mean,
            losses=losses,
            n_losses=before.n_losses + len(costs),
            n_iter=before.n_iter + len(costs),
            n_samples_seen=before.n_samples_seen + len(rows),
            converged=False,
            stop_reason="partial_fit ends with the rows it is given",
            adam=after.adam,
            resume_point=None,
        )
        return self

    def _before_the_stream(self, X: Any, names: Any) -> Fit:
        network = self._first_network(X)
        return Fit(
            network=network,
            mean_activation=network.mean_activation(X[: self.batch_size]),
            losses=[],
            n_losses=0,
            n_iter=0,
            n_samples_seen=0,
            converged=False,
            stop_reason="",
            feature_names_in=names,
        )

    # ------------------------------------------------------------------ use

    def transform(self, X: ArrayLike) -> Any:
        """Return the activations of the hidden units.

        Eq. (1.4) ``forward-hidden``, CS294A p. 6, on the scaled data.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data in the units of the training data.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_hidden)
            Activations, in [0, 1] for sigmoid units and in [-1, 1] for tanh units; float32 for
            float32 data, else float64. `set_output` chooses the container.
        """
        check_is_fitted(self)
        return self._fitted.network.encode(self._validate(X))

    def inverse_transform(self, X: ArrayLike) -> Array:
        """Return the data that activations stand for: the output, in the units of the data.

        Eq. (1.5) ``forward-output``, CS294A p. 6, followed by the inverse of the scaling. The
        network compresses, so ``inverse_transform(transform(X))`` resembles `X` and is not it.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_hidden)
            Activations, as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions in the units of the training data.
        """
        check_is_fitted(self)
        no_masked_entries("X", X)
        A = check_array(X, dtype=[np.float64, np.float32], input_name="X", estimator=self)
        if A.shape[1] != self.parameters_.n_hidden:
            raise ValueError(
                f"X has {A.shape[1]} columns; inverse_transform needs the activations of the "
                f"{self.parameters_.n_hidden} hidden units, as transform returns them"
            )
        check_magnitude(Rows(A))
        X = self._fitted.network.decode(A)
        if not np.all(np.isfinite(X)):
            raise ValueError(
                f"the reconstruction is too large for {X.dtype}; activations are "
                f"{self.activation_} outputs, but X runs from {A.min():g} to {A.max():g}. "
                "Give activations as transform returns them, in float64"
            )
        return X

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return minus the reconstruction cost, so that more is better and 0 is perfect.

        Eq. (2.1) ``reconstruction-cost``, CS294A p. 7: -1/(2m) ‖Y - X‖², on the scaled data, so
        that the units of the columns do not matter. Scores of different `scaling` or
        `output_activation` are on different scales.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data in the units of the training data.
        y : None
            Ignored.

        Returns
        -------
        float
            At most 0.
        """
        check_is_fitted(self)
        return -self._fitted.network.reconstruction_cost(self._validate(X))

    def report(self, X: ArrayLike) -> Report:
        """Return how sparse and how faithful the features of `X` are.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data in the units of the training data, best such as training has not seen.

        Returns
        -------
        Report
            ``share_active``, the share of activations above the middle of their range;
            ``share_dead``, the share of units that are there for no example; and
            ``explained_variance``, 1 for a perfect reconstruction and 0 for one no better than
            the mean of every column.

        Examples
        --------
        >>> import numpy as np
        >>> from saelib import SparseAutoencoder
        >>> X = np.random.default_rng(0).normal(size=(100, 2)) @ [[1, 2, 3], [3, 2, 1]]
        >>> report = SparseAutoencoder(n_hidden=6, random_state=0).fit(X).report(X)
        >>> report.explained_variance > 0.9, report.share_active < 0.3
        (True, True)
        """
        check_is_fitted(self)
        return self._fitted.network.report(self._validate(X))

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __getattr__(self, name: str) -> Any:
        # The fitted attributes are parts of one value, so that they always belong together.
        if name in _FITTED and "_fitted" in vars(self):
            value = getattr(vars(self)["_fitted"], name[:-1])
            if value is not None:
                return value
        missing = f"{type(self).__name__!r} object has no attribute {name!r}"
        is_fitted_name = name in _FITTED or name == "components_"
        raise AttributeError(f"{missing}; it exists only after fit" if is_fitted_name else missing)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in _FITTED if hasattr(self, name))]

    @property
    def components_(self) -> Any:
        """The weights W1, of shape (n_hidden, n_features)."""
        return self.parameters_.W1

    @property
    def _n_features_out(self) -> int:
        return int(self._fitted.parameters.n_hidden)

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted estimator to one safetensors file, atomically.

        The file holds arrays and JSON, never code: weights, scaling, the state of training, the
        hyperparameters and the version of saelib. Of the hyperparameters `callback`, and a
        `random_state` that is neither an int nor None, cannot be saved and come back as None.

        Parameters
        ----------
        path : str or path-like
            Where to write; an existing file is replaced as a whole and keeps its permissions. A
            symbolic link is followed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from saelib import SparseAutoencoder
        >>> X = np.random.default_rng(0).normal(size=(100, 5))
        >>> autoencoder = SparseAutoencoder(n_hidden=3, max_iter=20, random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     autoencoder.save(Path(folder, "model.safetensors"))
        ...     same = SparseAutoencoder.load(Path(folder, "model.safetensors"))
        >>> np.array_equal(same.transform(X), autoencoder.transform(X))
        True
        """
        check_is_fitted(self)
        self._check_unchanged_network("save")
        write_model(path, self.get_params(deep=False), self._fitted)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the estimator that `save`, or a checkpoint, wrote.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        SparseAutoencoder
            A fitted estimator. If it was saved with `checkpoint` set, then its `checkpoint` is
            now `path`: a file does not choose where else to write.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is cut short, changed, foreign, or of a later format.
        """
        hyperparameters, fit = read_model(path)
        try:
            if hyperparameters["checkpoint"] is not None:
                hyperparameters["checkpoint"] = os.fspath(path)
            model = cls(**hyperparameters)
            model._check_parameters()
        except (KeyError, TypeError, ValueError) as error:
            raise not_consistent(path, "SparseAutoencoder", error) from None
        model._fitted = fit
        return model

    # ------------------------------------------------------------------ helpers

    def _check_parameters(self) -> None:
        whole_number("n_hidden", self.n_hidden, low=1)
        real_number("weight_decay", self.weight_decay, low=0.0)
        real_number("sparsity_target", self.sparsity_target, low=0.0, high=1.0, open_ends=True)
        real_number("sparsity_weight", self.sparsity_weight, low=0.0)
        activation_named("activation", self.activation, ("sigmoid", "tanh"))
        activation_named("output_activation", self.output_activation, ("linear", "sigmoid", "tanh"))
        if self.scaling not in ("feature", "global", None):
            raise ValueError(f"scaling is {self.scaling!r}; choose 'feature', 'global' or None")
        whole_number("max_iter", self.max_iter, low=1)
        whole_number("batch_size", self.batch_size, low=1)
        real_number("learning_rate", self.learning_rate, low=0.0, open_ends=True)
        whole_number("sparsity_window", self.sparsity_window, low=1)
        whole_number("checkpoint_every", self.checkpoint_every, low=1)
        if self.tol is not None:
            real_number("tol", self.tol, low=0.0)
        whole_number("n_iter_no_change", self.n_iter_no_change, low=1)
        real_number(
            "validation_fraction", self.validation_fraction, low=0.0, high=1.0, open_ends=True
        )
        if not _is_random_state(self.random_state):
            raise ValueError(
                f"random_state is {self.random_state!r}; give a whole number of at least 0, a "
                "numpy Generator or RandomState, or None"
            )
        for name in ("warm_start", "verbose", "early_stopping"):
            value = getattr(self, name)
            if not isinstance(value, (bool, np.bool_, numbers.Integral)):
                raise TypeError(f"{name} is {value!r}; give True or False")
        if self.callback is not None and not callable(self.callback):
            raise TypeError(
                f"callback is {self.callback!r}; give a function of (iteration, theta), or None"
            )
        if self.checkpoint is not None and not isinstance(self.checkpoint, (str, os.PathLike)):
            raise TypeError(f"checkpoint is {self.checkpoint!r}; give the path of a file, or None")
        if self.checkpoint is not None:
            if self.early_stopping:
                raise ValueError(
                    "early_stopping is True and checkpoint is set; a checkpoint does not hold what "
                    "the held-out rows have said so far, so leave out one of the two"
                )
            place_for_file("checkpoint", self.checkpoint)

    def _check_unchanged_network(self, action: str) -> None:
        fitted = {
            "n_hidden": self._fitted.parameters.n_hidden,
            "activation": self._fitted.activation,
            "output_activation": self._fitted.output_activation,
        }
        for name, value in fitted.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, but the fitted network has {value!r}; "
                    f"{action} cannot change it. Set it back, or clone the estimator and fit anew"
                )

    def _validate(self, X: Any, *, reset: bool = False, min_rows: int = 1) -> Any:
        """Return `X` as floating-point numbers: an array, or a sparse matrix in CSR format."""
        _refuse_dates(X)
        no_masked_entries("X", X)
        X = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=min_rows,
        )
        return X if is_sparse(X) else np.asarray(X)

    def _validate_first(self, X: Any) -> tuple[Any, Any]:
        """Return `X` and the names of its columns; this estimator does not change by it."""
        door = copy.copy(self)
        door.__dict__.pop("_fitted", None)
        X = door._validate(X, reset=True, min_rows=2)
        return X, vars(door).get("feature_names_in_")

    def _first_network(self, X: Any) -> FittedNetwork:
        return FittedNetwork(
            parameters=Parameters.random(X.shape[1], self.n_hidden, self._seed()),
            scaling=fit_scaling(X, self.scaling, self.output_activation),
            activation=self.activation,
            output_activation=self.output_activation,
        )

    def _seed(self) -> int | np.random.Generator:
        state = self.random_state
        if isinstance(state, np.random.Generator):
            return state
        if isinstance(state, numbers.Integral):
            return int(state)
        return int(check_random_state(state).randint(np.iinfo(np.int32).max))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = True
        return tags


class _Best:
    """The parameters that reconstruct held-out rows best, and when to give up on better ones."""

    def __init__(self, held_out: Any, network: FittedNetwork, patience: int) -> None:
        self.held_out, self.network, self.patience = held_out, network, patience
        self.parameters: Parameters | None = None
        self.cost = np.inf
        self.n_looks = self.n_in_vain = 0

    @property
    def has_stopped(self) -> bool:
        return self.n_in_vain >= self.patience

    def message(self) -> str:
        return (
            f"the cost of the held-out rows, {self.cost:.4g} at iteration "
            f"{self.n_looks - self.n_in_vain}, was not lower in {self.patience} more iterations"
        )

    def look_at(self, theta: NDArray[np.float64]) -> None:
        """Remember `theta` if it is the best; raise StopIteration if there was none for long."""
        p = self.network.parameters
        parameters = Parameters.unravel(theta, p.n_features, p.n_hidden)
        cost = replace(self.network, parameters=parameters).reconstruction_cost(self.held_out)
        self.n_looks += 1
        self.n_in_vain += 1
        if cost < self.cost:
            self.parameters, self.cost, self.n_in_vain = parameters, cost, 0
        if self.has_stopped:
            raise StopIteration


def _theta(network: FittedNetwork) -> NDArray[np.float64]:
    return network.parameters.ravel().astype(np.float64, copy=False)


def _scaled(X: Any, network: FittedNetwork) -> Any:
    """Return `X` scaled: as an array if that is small enough, else block by block when asked."""
    rows = network.scaled(X)
    if is_sparse(X) or (bytes_in_memory(X) or X.nbytes) > _MAX_BYTES_COPIED:
        return rows
    return X if network.scaling.is_identity else in_blocks(lambda x: x, rows, X.shape[1])


def _is_random_state(value: object) -> bool:
    if isinstance(value, numbers.Integral):
        return not isinstance(value, bool) and int(value) >= 0
    # scikit-learn allows the module numpy.random too, for the global state.
    return value in (None, np.random) or isinstance(
        value, np.random.RandomState | np.random.Generator
    )


def _refuse_dates(X: Any) -> None:
    # numpy turns dates into numbers without a word: days, or nanoseconds, since 1970.
    dtypes = X.dtypes if hasattr(X, "dtypes") else [getattr(X, "dtype", None)]
    if any(getattr(dtype, "kind", "") in {"m", "M"} or "Date" in str(dtype) for dtype in dtypes):
        raise TypeError(
            "X holds dates or times; turn them into numbers first, for example days since the "
            "first date"
        )


def _fingerprint(X: Any) -> str:
    digest = hashlib.sha256(f"{X.shape} {X.dtype.str}".encode())
    if is_sparse(X):
        for part in (X.data, X.indices, X.indptr):
            digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()
    for start, stop in row_edges(X.shape[0]):
        digest.update(np.ascontiguousarray(X[start:stop]).data)
    return digest.hexdigest()
