"""The sparse autoencoder as a scikit-learn transformer.

`SparseAutoencoder` puts around the objective of this library what a pipeline needs: scaling of
the data, names of the features, mini-batches for streams, files. The mathematics stays where
it is: training calls `saelib.train` on a `SparseObjective`.
"""

from __future__ import annotations

import hashlib
import numbers
import os
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from saelib._blas import single_threaded_blas
from saelib._minibatch import Adam, mini_batch
from saelib._rows import in_blocks, row_edges
from saelib._validation import activation_named, real_number, whole_number
from saelib.activations import ACTIVATIONS
from saelib.network import decode, encode
from saelib.objective import SparseObjective
from saelib.parameters import Parameters
from saelib.scaling import Scaling, check_magnitude, fit_scaling
from saelib.storage import read_arrays, write_arrays
from saelib.training import Callback, TrainingResult, train

__all__ = ["SparseAutoencoder"]

Array = NDArray[np.floating[Any]]

_KIND = "SparseAutoencoder"
# Beyond this the products with scaled data could overflow; sound weights are below 1000.
_LARGEST_WEIGHT = 1e20


class SparseAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sparse features learned without labels, as a scikit-learn transformer.

    A network with one hidden layer learns to reproduce its input while each hidden unit is
    kept inactive most of the time. `transform` returns the activations of the hidden units.
    Training minimizes J_sparse, Eq. (4.3) ``sparse-cost``, CS294A pp. 7 and 16, over the scaled
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
        File to which `fit` saves its state every `checkpoint_every` iterations and at the end.
    checkpoint_every : int, at least 1
        Number of iterations between checkpoints.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden, n_features)
        The weights W1; row i is what hidden unit i looks at, in units of the scaled data.
    parameters_ : Parameters
        All weights and biases, for scaled data, as float64.
    scaling_ : Scaling
        The map from the data to the scaled data and back.
    mean_activation_ : ndarray of shape (n_hidden,)
        rho_hat, the mean activation of every hidden unit, from 0 to 1: over the training data
        after `fit`, a running mean after `partial_fit`.
    loss_curve_ : list of float
        J_sparse at the start and after every iteration of `fit`; after `partial_fit` that of
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
    *New data outside the training range.* The scaling is affine and nothing is clipped. Such
    values drive the hidden units further than training did, `inverse_transform` can reach them
    with a linear output, and with a bounded output only up to the ends of its range, which lie
    12.5 % of the training range beyond it on both sides; `score` shows the loss. Values so far
    out that computing would overflow are an error.

    *Columns that do not vary* are centred and not divided.

    *Determinism.* With the same int as `random_state`, data, machine and library versions, the
    results are the same to the last bit, whatever the number of threads. All cores are used
    unless BLAS is limited to fewer threads, by ``threadpoolctl``, by ``OMP_NUM_THREADS``, or by
    joblib, which divides the cores among its worker processes.

    *Mini-batches.* J_sparse needs the mean activations over all examples, which a stream does
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
    A. Ng, *Sparse autoencoder*, CS294A lecture notes, Stanford University, 2011.

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

    def __init__(
        self,
        n_hidden: int = 32,
        *,
        weight_decay: float = 1e-4,
        sparsity_target: float = 0.1,
        sparsity_weight: float = 1.0,
        activation: str = "sigmoid",
        output_activation: str = "linear",
        scaling: str | None = "feature",
        max_iter: int = 400,
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
        goes_on = self.warm_start and hasattr(self, "parameters_")
        X = self._validate(X, reset=not goes_on, min_rows=2)
        if goes_on:
            self._check_unchanged_network("fit with warm_start=True")
            scaling, start = self.scaling_, self.parameters_
        else:
            scaling = fit_scaling(X, self.scaling, self.output_activation)
            start = Parameters.random(X.shape[1], self.n_hidden, self._seed())
        return self._train(X, scaling, start, n_done=0, losses=[])

    def resume(self, X: ArrayLike, y: Any = None) -> Self:
        """Go on with a training that was interrupted, from its last checkpoint.

        Load the checkpoint with `load`, then call this with the data of the interrupted `fit`.
        The result is that of the uninterrupted run, to the last bit on the same machine.

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
        fingerprint = getattr(self, "_data_fingerprint", None)
        if fingerprint is None:
            raise ValueError(
                "this estimator does not come from a training with checkpoints; set checkpoint to "
                "a path before fit, or use warm_start=True to train on from these weights"
            )
        X = self._validate(X, reset=False, min_rows=2)
        if _fingerprint(X) != fingerprint:
            raise ValueError(
                f"X, of shape {X.shape} and dtype {X.dtype}, is not the data of the interrupted "
                "training; give the same rows in the same order and dtype, or call fit"
            )
        if self.converged_ or self.n_iter_ >= self.max_iter:
            return self
        losses = self.loss_curve_[:-1]
        return self._train(X, self.scaling_, self.parameters_, self.n_iter_, losses)

    def _train(
        self, X: Array, scaling: Scaling, start: Parameters, n_done: int, losses: list[float]
    ) -> Self:
        scaled = _scaled(X, scaling)
        objective = SparseObjective(
            scaled,
            self.n_hidden,
            weight_decay=self.weight_decay,
            sparsity_target=self.sparsity_target,
            sparsity_weight=self.sparsity_weight,
            activation=self.activation,
            output_activation=self.output_activation,
        )
        has_checkpoints = self.checkpoint is not None
        self._data_fingerprint = _fingerprint(X) if has_checkpoints else None
        leg = self.checkpoint_every if has_checkpoints else self.max_iter
        theta = start.ravel()
        while True:
            n_leg = min(leg - n_done % leg, self.max_iter - n_done)
            result = self._one_leg(objective, theta, n_leg, n_done)
            theta = result.theta
            n_done += result.n_iterations
            losses = [*losses, *result.history["total"].tolist()]
            self.parameters_ = result.parameters
            self.scaling_ = scaling
            self.activation_ = self.activation
            self.output_activation_ = self.output_activation
            self.mean_activation_ = self._mean_activation(scaled)
            self.loss_curve_ = losses
            self.n_iter_ = n_done
            self.n_samples_seen_ = len(X)
            self.converged_ = result.converged
            self.stop_reason_ = result.message
            self._adam: Adam | None = None
            if self.checkpoint is not None:
                self.save(self.checkpoint)
            if n_done >= self.max_iter or result.n_iterations < n_leg or result.converged:
                return self
            losses = losses[:-1]

    def _one_leg(
        self, objective: SparseObjective, theta: Array, n_leg: int, n_done: int
    ) -> TrainingResult:
        callback = self.callback
        shifted = None if callback is None else lambda k, theta: callback(n_done + k, theta)
        # scipy's L-BFGS calls BLAS too, whose sums depend on its number of threads.
        with single_threaded_blas():
            result = train(
                objective, theta, max_iter=n_leg, progress=bool(self.verbose), callback=shifted
            )
        if result.message.startswith("interrupted"):
            warnings.warn(
                f"training was interrupted after {n_done + result.n_iterations} of {self.max_iter} "
                "iterations; the estimator holds the weights reached so far",
                ConvergenceWarning,
                stacklevel=4,
            )
        return result

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
        is_first = not hasattr(self, "parameters_")
        X = self._validate(X, reset=is_first, min_rows=2 if is_first else 1)
        if is_first:
            scaling = fit_scaling(X, self.scaling, self.output_activation)
            X = _scaled(X, scaling)
            self.scaling_ = scaling
            self.activation_ = self.activation
            self.output_activation_ = self.output_activation
            self.parameters_ = Parameters.random(X.shape[1], self.n_hidden, self._seed())
            self.mean_activation_ = self._mean_activation(X[: self.batch_size])
            self.loss_curve_ = []
            self.n_iter_ = self.n_samples_seen_ = 0
            self._adam = None
        else:
            self._check_unchanged_network("partial_fit")
            X = _scaled(X, self.scaling_)
        self.converged_, self.stop_reason_ = False, "partial_fit ends with the rows it is given"
        self._data_fingerprint = None
        with single_threaded_blas():
            for start in range(0, len(X), self.batch_size):
                self._mini_batch_step(X[start : start + self.batch_size])
        return self

    def _mini_batch_step(self, X: Array) -> None:
        cost, gradient, running = mini_batch(
            X,
            self.parameters_,
            self.mean_activation_,
            share=1 - (1 - 1 / self.sparsity_window) ** len(X),
            weight_decay=self.weight_decay,
            sparsity_target=self.sparsity_target,
            sparsity_weight=self.sparsity_weight,
            activation=self.activation_,
            output_activation=self.output_activation_,
        )
        theta = self.parameters_.ravel().astype(np.float64, copy=False)
        if self._adam is None:
            self._adam = Adam(np.zeros_like(theta), np.zeros_like(theta))
        theta = self._adam.step(theta, gradient, self.learning_rate)
        if not np.all(np.abs(theta) < _LARGEST_WEIGHT):
            raise ValueError(
                f"a weight exceeds {_LARGEST_WEIGHT:g} at step {self.n_iter_ + 1}; learning_rate "
                f"is {self.learning_rate:g}, give a smaller one and fit anew"
            )
        self.parameters_ = Parameters.unravel(theta, X.shape[1], self.n_hidden)
        self.mean_activation_ = running
        self.loss_curve_.append(cost)
        self.n_iter_ += 1
        self.n_samples_seen_ += len(X)

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
        return self._encode(_scaled(self._validate(X, reset=False), self.scaling_))

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
        A = check_array(X, dtype=[np.float64, np.float32], input_name="X", estimator=self)
        if A.shape[1] != self.parameters_.n_hidden:
            raise ValueError(
                f"X has {A.shape[1]} columns; inverse_transform needs the activations of the "
                f"{self.parameters_.n_hidden} hidden units, as transform returns them"
            )
        check_magnitude(A, A)
        X = in_blocks(
            lambda a: self.scaling_.invert(decode(a, self._in(a), self.output_activation_)),
            A,
            self.n_features_in_,
        )
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
        scaled = _scaled(self._validate(X, reset=False), self.scaling_)

        def squares(x: Array) -> Array:
            p = self._in(x)
            y = decode(encode(x, p, self.activation_), p, self.output_activation_)
            return np.asarray(np.sum(np.square(y - x, dtype=np.float64), axis=1, keepdims=True))

        return -float(np.sum(in_blocks(squares, scaled, 1, np.float64))) / (2 * len(scaled))

    @property
    def components_(self) -> Any:
        """The weights W1, of shape (n_hidden, n_features)."""
        if not hasattr(self, "parameters_"):
            raise AttributeError("components_ exists only after fit")
        return self.parameters_.W1

    @property
    def _n_features_out(self) -> int:
        return int(self.parameters_.n_hidden)

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted estimator to one safetensors file, atomically.

        The file holds arrays and JSON, never code: weights, scaling, the state of training, the
        hyperparameters and the version of saelib. Of the hyperparameters `callback`, and a
        `random_state` that is neither an int nor None, cannot be saved and come back as None.

        Parameters
        ----------
        path : str or path-like
            Where to write; an existing file is replaced as a whole.

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
        from saelib import __version__

        p, scaling = self.parameters_, self.scaling_
        arrays = {
            "W1": p.W1,
            "W2": p.W2,
            "b1": p.b1,
            "b2": p.b2,
            "scaling.shift": scaling.shift,
            "scaling.scale": scaling.scale,
            "mean_activation": self.mean_activation_,
            "loss_curve": np.array(self.loss_curve_),
        }
        if self._adam is not None:
            arrays |= {"adam.mean": self._adam.mean, "adam.mean_square": self._adam.mean_square}
        names = getattr(self, "feature_names_in_", None)
        description = {
            "saelib_version": __version__,
            "hyperparameters": _plain_hyperparameters(self.get_params(deep=False)),
            "network": {
                "activation": self.activation_,
                "output_activation": self.output_activation_,
                "offset": scaling.offset,
            },
            "feature_names_in": None if names is None else list(names),
            "training": {
                "n_iter": self.n_iter_,
                "n_samples_seen": self.n_samples_seen_,
                "initial_cost": self.loss_curve_[0],
                "final_cost": self.loss_curve_[-1],
                "converged": self.converged_,
                "stop_reason": self.stop_reason_,
                "adam_steps": None if self._adam is None else self._adam.n_steps,
                "data_fingerprint": self._data_fingerprint,
            },
        }
        write_arrays(path, arrays, description, kind=_KIND)

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
        arrays, description = read_arrays(path, kind=_KIND)
        try:
            return cls._restored(path, arrays, description)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{os.fspath(path)!r} does not hold a consistent SparseAutoencoder: {error}. "
                "Restore it from a copy or save the model again"
            ) from None

    @classmethod
    def _restored(
        cls, path: str | os.PathLike[str], loaded: dict[str, Array], description: dict[str, Any]
    ) -> Self:
        hyperparameters = description["hyperparameters"]
        if hyperparameters["checkpoint"] is not None:
            hyperparameters["checkpoint"] = os.fspath(path)
        model = cls(**hyperparameters)
        model._check_parameters()
        arrays = {name: array.astype(np.float64) for name, array in loaded.items()}
        if not all(np.all(np.isfinite(array)) for array in arrays.values()):
            raise ValueError("an array holds NaN or infinity")
        network, training = description["network"], description["training"]
        p = Parameters(*(arrays[name] for name in ("W1", "W2", "b1", "b2")))
        size = len(p.ravel())
        shapes = {
            "scaling.shift": (p.n_features,),
            "scaling.scale": (p.n_features,),
            "mean_activation": (p.n_hidden,),
            "adam.mean": (size,),
            "adam.mean_square": (size,),
        }
        for name, shape in shapes.items():
            if name in arrays and arrays[name].shape != shape:
                raise ValueError(f"{name} has shape {arrays[name].shape} instead of {shape}")
        model.parameters_ = p
        model.scaling_ = Scaling(
            arrays["scaling.shift"], arrays["scaling.scale"], float(network["offset"])
        )
        model.activation_ = ACTIVATIONS[network["activation"]].name
        model.output_activation_ = ACTIVATIONS[network["output_activation"]].name
        model.mean_activation_ = arrays["mean_activation"]
        model.loss_curve_ = arrays["loss_curve"].tolist()
        model.n_iter_ = int(training["n_iter"])
        model.n_samples_seen_ = int(training["n_samples_seen"])
        model.converged_ = bool(training["converged"])
        model.stop_reason_ = str(training["stop_reason"])
        model._data_fingerprint = training["data_fingerprint"]
        model._adam = None
        if training["adam_steps"] is not None:
            model._adam = Adam(
                arrays["adam.mean"], arrays["adam.mean_square"], int(training["adam_steps"])
            )
        model.n_features_in_ = p.n_features
        if description["feature_names_in"] is not None:
            model.feature_names_in_ = np.array(description["feature_names_in"], dtype=object)
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
        if not _is_random_state(self.random_state):
            raise ValueError(
                f"random_state is {self.random_state!r}; give a whole number of at least 0, a "
                "numpy Generator or RandomState, or None"
            )
        for name in ("warm_start", "verbose"):
            value = getattr(self, name)
            if not isinstance(value, (bool, np.bool_, numbers.Integral)):
                raise TypeError(f"{name} is {value!r}; give True or False")
        if self.callback is not None and not callable(self.callback):
            raise TypeError(
                f"callback is {self.callback!r}; give a function of (iteration, theta), or None"
            )
        if self.checkpoint is not None and not isinstance(self.checkpoint, (str, os.PathLike)):
            raise TypeError(f"checkpoint is {self.checkpoint!r}; give the path of a file, or None")

    def _check_unchanged_network(self, action: str) -> None:
        fitted = {
            "n_hidden": self.parameters_.n_hidden,
            "activation": self.activation_,
            "output_activation": self.output_activation_,
        }
        for name, value in fitted.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, but the fitted network has {value!r}; "
                    f"{action} cannot change it. Set it back, or clone the estimator and fit anew"
                )

    def _validate(self, X: Any, *, reset: bool, min_rows: int = 1) -> Array:
        _refuse_dates(X)
        X = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=min_rows
        )
        return np.asarray(X)

    def _seed(self) -> int | np.random.Generator:
        state = self.random_state
        if isinstance(state, np.random.Generator):
            return state
        if isinstance(state, numbers.Integral):
            return int(state)
        return int(check_random_state(state).randint(np.iinfo(np.int32).max))

    def _in(self, data: Array) -> Parameters:
        """Return the parameters in the dtype of `data`."""
        p = self.parameters_
        return Parameters(
            *(part.astype(data.dtype, copy=False) for part in (p.W1, p.W2, p.b1, p.b2))
        )

    def _encode(self, scaled: Array) -> Array:
        return in_blocks(
            lambda x: encode(x, self._in(x), self.activation_), scaled, self.parameters_.n_hidden
        )

    def _mean_activation(self, scaled: Array) -> NDArray[np.float64]:
        f = ACTIVATIONS[self.activation_]
        mean = self._encode(scaled).mean(axis=0, dtype=np.float64)
        return np.asarray((mean - f.low) / (f.high - f.low))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _scaled(X: Array, scaling: Scaling) -> Array:
    scaled = X if scaling.is_identity else in_blocks(scaling.apply, X, X.shape[1])
    check_magnitude(X, scaled)
    return scaled


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


def _fingerprint(X: Array) -> str:
    digest = hashlib.sha256(f"{X.shape} {X.dtype.str}".encode())
    for start, stop in row_edges(len(X)):
        digest.update(np.ascontiguousarray(X[start:stop]).data)
    return digest.hexdigest()


def _plain_hyperparameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as JSON can hold them."""
    plain = {**parameters, "callback": None}
    if not isinstance(plain["random_state"], numbers.Integral):
        plain["random_state"] = None
    if plain["checkpoint"] is not None:
        plain["checkpoint"] = os.fspath(plain["checkpoint"])
    for name, value in plain.items():
        if isinstance(value, np.generic):
            plain[name] = value.item()
        elif isinstance(value, numbers.Integral) and not isinstance(value, bool):
            plain[name] = int(value)
        elif isinstance(value, numbers.Real) and not isinstance(value, bool | int):
            plain[name] = float(value)
    return plain
