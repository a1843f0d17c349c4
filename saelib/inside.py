"""What a direction inside a network says, and what the network does without it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import real_number

__all__ = [
    "Readers",
    "best_f1",
    "choose_readers",
    "f1_of_readers",
    "linear_probe",
    "without_unit",
]

Array = NDArray[np.floating[Any]]


def best_f1(scores: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    """Return the best F1 of "the score is above a threshold", Eq. (16.3) ``best-f1``.

    Parameters
    ----------
    scores : array_like of shape (n_samples,)
        One number for each example, such as the activation of a unit.
    truth : array_like of bool, shape (n_samples,)
        Whether the label is true of it.

    Returns
    -------
    f1 : float in [0, 1]
        The best value over all thresholds.
    threshold : float
        The score from which on the answer is yes.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> from saelib.inside import best_f1
    >>> best_f1([0.0, 0.0, 0.3, 2.0, 1.0], [False, True, False, True, True])
    (0.8, 1.0)
    """
    scores, truth = np.asarray(scores), np.asarray(truth, dtype=bool)
    if scores.ndim != 1 or scores.shape != truth.shape or scores.size == 0:
        raise ValueError(
            f"scores has shape {scores.shape} and truth has shape {truth.shape}; give one of each "
            "for every example"
        )
    values, thresholds = _best_of_column(scores, truth[:, None].astype(np.float64))
    return float(values[0]), float(thresholds[0])


def _best_of_column(scores: Array, Y: Array) -> tuple[Array, Array]:
    """Return for each label the best F1 of one column of scores, and where it is reached."""
    # The lowest score says yes to all; a sparse unit has it nearly everywhere.
    above, n_true = np.flatnonzero(scores > scores.min()), Y.sum(axis=0)
    order = above[np.argsort(-scores[above], kind="stable")]
    falling = np.append(scores[order], scores.min())
    hits = np.vstack([np.cumsum(Y[order], axis=0), n_true])
    n_yes = np.append(np.arange(1, len(order) + 1), len(scores)).astype(Y.dtype)
    f1 = 2 * hits / (n_yes[:, None] + n_true)
    # A threshold cannot tell apart examples with one score: only the last of them counts.
    f1[np.flatnonzero(falling[:-1] == falling[1:])] = -1
    best = f1.argmax(axis=0)
    return f1[best, np.arange(Y.shape[1])], falling[best]


class Readers(NamedTuple):
    """For each label the one column that tells it best, and from which value on.

    Attributes
    ----------
    columns : ndarray of int, shape (n_labels,)
        Which column.
    thresholds : ndarray of shape (n_labels,)
        The answer is yes from this value on.
    """

    columns: NDArray[np.intp]
    thresholds: Array


def choose_readers(U: ArrayLike, truth: ArrayLike) -> Readers:
    """Return for each label the column and the threshold with the best F1.

    Parameters
    ----------
    U : array_like of shape (n_samples, n_columns)
        Scores: a code, neurons, or projections on directions. Where a direction may as well be
        turned round, give ``np.hstack([U, -U])``.
    truth : array_like of bool, shape (n_samples, n_labels)
        Whether a label is true of an example.

    Returns
    -------
    Readers
        A column and a threshold for each label.

    Examples
    --------
    >>> from saelib.inside import choose_readers
    >>> choose_readers([[0.1, 2.0], [0.9, 0.0], [0.8, 3.0]], [[False], [True], [True]])
    Readers(columns=array([0]), thresholds=array([0.8]))
    """
    U, Y = np.asarray(U), np.asarray(truth).astype(np.float32)
    if U.ndim != 2 or Y.ndim != 2 or len(U) != len(Y):
        raise ValueError(
            f"U has shape {U.shape} and truth has shape {Y.shape}; give (n_samples, n_columns) "
            "and (n_samples, n_labels) about the same examples"
        )
    found = [_best_of_column(column, Y) for column in U.T]
    values, thresholds = (np.array(part) for part in zip(*found, strict=True))
    best = values.argmax(axis=0)
    return Readers(best, thresholds[best, np.arange(Y.shape[1])])


def f1_of_readers(U: ArrayLike, truth: ArrayLike, readers: Readers) -> Array:
    """Return the F1 of readers, best on other examples than those they were chosen with.

    Parameters
    ----------
    U : array_like of shape (n_samples, n_columns)
        Scores, made as those that the readers were chosen with.
    truth : array_like of bool, shape (n_samples, n_labels)
        Whether a label is true of an example.
    readers : Readers
        A column and a threshold for each label.

    Returns
    -------
    ndarray of shape (n_labels,)
        Twice the hits over the sum of the yesses of both, Eq. (16.3) ``best-f1``; 0 if there is no
        yes at all.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.inside import Readers, f1_of_readers
    >>> readers = Readers(np.array([1]), np.array([0.5]))
    >>> f1_of_readers([[0.0, 0.7], [0.0, 0.5], [0.0, 0.1]], [[True], [False], [False]], readers)
    array([0.66666667])
    """
    Y = np.asarray(truth, dtype=bool)
    yes = np.asarray(U)[:, readers.columns] >= readers.thresholds
    return np.asarray(
        2 * (yes & Y).sum(axis=0) / np.maximum(yes.sum(axis=0) + Y.sum(axis=0), 1), np.float64
    )


def linear_probe(X: ArrayLike, truth: ArrayLike, ridge: float = 1e-3) -> Array:
    """Return one direction per label, found by least squares with the labels at hand.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        Examples, with the mean taken off.
    truth : array_like of bool, shape (n_samples, n_labels)
        Whether a label is true of an example.
    ridge : float, at least 0
        What is added to the mean squares of the features, as a share of their mean.

    Returns
    -------
    ndarray of shape (n_features, n_labels)
        Directions; ``X @ directions`` are scores.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.inside import best_f1, linear_probe
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> truth = X @ [1.0, -2.0, 0.5] > 1
    >>> best_f1(X @ linear_probe(X, truth[:, None])[:, 0], truth)[0] > 0.95
    True
    """
    ridge = real_number("ridge", ridge, low=0.0)
    X, Y = np.asarray(X, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    second = X.T @ X
    second += ridge * np.trace(second) / len(second) * np.eye(len(second))
    return np.asarray(np.linalg.solve(second, X.T @ (Y - Y.mean(axis=0))))


def without_unit(stream: Array, A: Array, W2: Array, unit: int, scale: float = 1.0) -> Array:
    """Return a stream from which what one unit has written is taken away.

    Eq. (16.4) ``without-unit``. Everything else stays, what the dictionary leaves unexplained
    among it.

    Parameters
    ----------
    stream : ndarray of shape (n_samples, n_features)
        Rows of a network.
    A : ndarray of shape (n_samples, n_hidden)
        The code of these rows.
    W2 : ndarray of shape (n_features, n_hidden)
        The dictionary.
    unit : int
        Which unit.
    scale : float, greater than 0
        What the rows were multiplied by before the dictionary read them.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Rows in the units of the network.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.inside import without_unit
    >>> without_unit(np.array([[5.0, 1.0]]), np.array([[4.0, 0.0]]), np.eye(2), 0, scale=2.0)
    array([[3., 1.]])
    """
    scale = real_number("scale", scale, low=0.0, open_ends=True)
    return stream - np.outer(A[:, unit], W2[:, unit]) / stream.dtype.type(scale)
