"""A dictionary with any rule for its code, as a scikit-learn transformer."""

from __future__ import annotations

import numbers
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from saelib._dictionary_file import (
    FittedDictionary,
    read_dictionary,
    write_dictionary,
)
from saelib._validation import no_masked_entries, whole_number
from saelib.codes import BatchTopK, Rule, Threshold
from saelib.dictionary import reconstruct
from saelib.dictionary_training import train_dictionary
from saelib.features import unexplained_variance
from saelib.parameters import Parameters
from saelib.storage import not_consistent

__all__ = ["SparseDictionary"]

Array = NDArray[np.floating[Any]]


class SparseDictionary(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sparse codes over a learned dictionary, as a scikit-learn transformer.

    `fit` takes the mean off the data and trains by `train_dictionary`: Adam on mini-batches, with
    columns of norm 1. `transform` returns the code. The cost is Eq. (12.3) ``dictionary-cost``.

    Parameters
    ----------
    n_hidden : int, at least 1
        Number of hidden units: columns of the dictionary, and features that `transform` returns.
    rule : callable
        How the code is made, and at which price: one of `saelib.codes` or `saelib.thresholds`.
    n_steps : int, at least 1
        Steps of training.
    batch_size : int, at least 1
        Examples per step; all of them, if there are fewer.
    learning_rate : float, greater than 0
        The highest learning rate.
    prefixes : sequence of int, optional
        Numbers of units that must reconstruct by themselves; rising, the last one `n_hidden`.
    revive_after : int, optional
        Steps without being active after which a unit learns from what the others leave over.
    verbose : bool
        Whether `fit` shows a progress bar.
    random_state : int, numpy.random.RandomState or None
        Moves the start and the order of the examples. An int gives the same result in every run.

    Attributes
    ----------
    parameters_ : Parameters
        Weights and biases, for data with the mean taken off.
    rule_ : callable
        The rule for use: with the numbers it has learned; after BatchTopK a constant threshold.
    components_ : ndarray of shape (n_hidden, n_features)
        The dictionary, one direction of norm 1 per row.
    mean_ : ndarray of shape (n_features,)
        Mean of the training data.
    loss_curve_ : ndarray of shape (n_steps,)
        The cost of each mini-batch.
    n_features_in_ : int
        Number of features seen in `fit`.

    See Also
    --------
    SparseAutoencoder : The model of 2011, with `J_sparse` and L-BFGS.

    Examples
    --------
    >>> from saelib.codes import TopK
    >>> from saelib.planted import planted
    >>> from saelib.sparse_dictionary import SparseDictionary
    >>> X = planted(2000, n_features=8, n_directions=12, n_active=1).X
    >>> model = SparseDictionary(24, TopK(2), n_steps=400, batch_size=200, random_state=0)
    >>> A = model.fit_transform(X)
    >>> A.shape, int((A > 0).sum(axis=1).max()), bool(model.score(X) > 0.8)
    ((2000, 24), 2, True)
    """

    def __init__(
        self,
        n_hidden: int = 64,
        rule: Rule = BatchTopK(3),  # noqa: B008 - it is frozen
        *,
        n_steps: int = 2500,
        batch_size: int = 1024,
        learning_rate: float = 3e-3,
        prefixes: Sequence[int] | None = None,
        revive_after: int | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_hidden = n_hidden
        self.rule = rule
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.prefixes = prefixes
        self.revive_after = revive_after
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn a dictionary.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data; at least two rows.
        y : ignored
            Part of scikit-learn's interface.

        Returns
        -------
        SparseDictionary
            Itself.
        """
        data = self._validate(X, reset=True, min_rows=2)
        mean = data.mean(axis=0, dtype=np.float64).astype(data.dtype)
        learned = train_dictionary(
            data - mean,
            self.n_hidden,
            self.rule,
            seed=self._seed(),
            n_steps=self.n_steps,
            batch_size=min(whole_number("batch_size", self.batch_size, low=1), len(data)),
            learning_rate=self.learning_rate,
            prefixes=self.prefixes,
            revive_after=self.revive_after,
            dtype=data.dtype,
            progress=bool(self.verbose),
        )
        rule = learned.rule
        if isinstance(rule, Threshold):
            # One weighted input lies exactly on the threshold; rounding must not decide about it.
            rule = replace(rule, threshold=rule.threshold * (1 - 1e-5))
        self._take(learned.parameters, rule, mean, learned.costs)
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the code.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data in the units of the training data.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_hidden)
            Activations, 0 or positive; float32 for float32 data, else float64.
        """
        check_is_fitted(self)
        data = self._validate(X)
        return reconstruct(data - self.mean_.astype(data.dtype), self._as(data), self.rule_)[0]

    def inverse_transform(self, X: ArrayLike) -> Array:
        """Return the data that a code stands for, in the units of the training data.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_hidden)
            Codes, as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions.
        """
        check_is_fitted(self)
        no_masked_entries("X", X)
        A = check_array(X, dtype=[np.float64, np.float32], input_name="X", estimator=self)
        if A.shape[1] != len(self.components_):
            raise ValueError(
                f"X has {A.shape[1]} columns; inverse_transform needs codes of the "
                f"{len(self.components_)} hidden units, as transform returns them"
            )
        p = self._as(A)
        return np.asarray(A @ p.W2.T + p.b2 + self.mean_.astype(A.dtype))

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the explained share of the variance, 1 at best; 0 is no better than the mean.

        Parameters
        ----------
        X : array_like or data frame of shape (n_samples, n_features)
            Data.
        y : ignored
            Part of scikit-learn's interface.

        Returns
        -------
        float
            One minus Eq. (2.3) ``unexplained-variance``.
        """
        check_is_fitted(self)
        data = self._validate(X)
        code = reconstruct(data - self.mean_.astype(data.dtype), self._as(data), self.rule_)[0]
        return 1 - unexplained_variance(data, self.inverse_transform(code))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted estimator to one safetensors file, atomically.

        The file holds arrays and JSON, never code, so that the rule must be one of this library's.
        A `random_state` that is neither an int nor None comes back as None.

        Parameters
        ----------
        path : str or path-like
            Where to write; an existing file is replaced as a whole.

        Raises
        ------
        ValueError
            If the rule is not of `saelib.codes` or `saelib.thresholds`.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from saelib.codes import TopK
        >>> from saelib.sparse_dictionary import SparseDictionary
        >>> X = np.random.default_rng(0).normal(size=(100, 5))
        >>> model = SparseDictionary(8, TopK(2), n_steps=20, random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(Path(folder, "dictionary.safetensors"))
        ...     same = SparseDictionary.load(Path(folder, "dictionary.safetensors"))
        >>> np.array_equal(same.transform(X), model.transform(X)), same.rule_
        (True, TopK(k=2))
        """
        check_is_fitted(self)
        fitted = FittedDictionary(
            parameters=self.parameters_,
            rule=self.rule_,
            mean=self.mean_,
            loss_curve=self.loss_curve_,
            feature_names_in=getattr(self, "feature_names_in_", None),
        )
        hyperparameters = {**self.get_params(deep=False), "n_hidden": len(self.components_)}
        write_dictionary(path, hyperparameters, fitted)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the estimator that `save` wrote.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        SparseDictionary
            A fitted estimator.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is cut short, changed, foreign, or of a later format.
        """
        hyperparameters, fitted = read_dictionary(path)
        try:
            model = cls(**hyperparameters)
        except TypeError as error:
            raise not_consistent(path, "SparseDictionary", error) from None
        model._take(fitted.parameters, fitted.rule, fitted.mean, fitted.loss_curve)
        model.n_features_in_ = fitted.parameters.n_features
        if fitted.feature_names_in is not None:
            model.feature_names_in_ = fitted.feature_names_in
        return model

    def _take(self, parameters: Parameters, rule: Rule, mean: Array, costs: Array) -> None:
        self.parameters_, self.rule_ = parameters, rule
        self.mean_, self.loss_curve_ = mean, costs
        self.components_ = parameters.W2.T.copy()

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def _as(self, data: Array) -> Any:
        """Return the parameters in the type of some data."""
        p = self.parameters_
        blocks = (b.astype(data.dtype, copy=False) for b in (p.W1, p.W2, p.b1, p.b2))
        return type(p)(*blocks)

    def _validate(self, X: Any, *, reset: bool = False, min_rows: int = 1) -> Array:
        no_masked_entries("X", X)
        data = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=min_rows
        )
        return np.asarray(data)

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, numbers.Integral):
            return int(state)
        return int(check_random_state(state).randint(np.iinfo(np.int32).max))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
