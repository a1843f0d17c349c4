"""More features than numbers to keep them in: the toy model of superposition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from saelib._validation import real_number, whole_number

__all__ = [
    "fit_superposition",
    "sparse_inputs",
    "superposition_cost",
    "superposition_output",
]

Array = NDArray[np.floating[Any]]


def sparse_inputs(
    n_samples: int, n_features: int, density: float, seed: int | np.random.Generator
) -> Array:
    """Return examples whose features are uniform in [0, 1] with probability `density`, else 0.

    Parameters
    ----------
    n_samples, n_features : int, at least 1
        Examples, and features that are on or off by themselves.
    density : float in (0, 1]
        Probability that a feature is on.
    seed : int or numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Entries in [0, 1].

    Examples
    --------
    >>> from saelib.superposition import sparse_inputs
    >>> X = sparse_inputs(10_000, 5, density=0.1, seed=0)
    >>> float((X > 0).mean().round(2)), float(X.max().round(2))
    (0.1, 1.0)
    """
    m = whole_number("n_samples", n_samples, low=1)
    n = whole_number("n_features", n_features, low=1)
    if real_number("density", density, low=0.0, high=1.0) == 0:
        raise ValueError("density is 0; features that are never on cannot be learned")
    rng = np.random.default_rng(seed)
    return rng.random((m, n)) * (rng.random((m, n)) < density)


def superposition_output(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> Array:
    """Return what the model reads back, Eq. (11.1) ``superposition-model``.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        Features.
    W : array_like of shape (n_hidden, n_features)
        Column r is where feature r is written to, and from where it is read.
    b : array_like of shape (n_features,)
        Biases of the outputs.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        relu(x Wᵀ W + b), each entry at least 0.

    Examples
    --------
    >>> from saelib.superposition import superposition_output
    >>> W = [[1.0, -1.0]]  # two features in one number: opposite directions
    >>> superposition_output([[0.7, 0.0], [0.0, 0.4], [0.7, 0.4]], W, [0.0, 0.0]).round(2)
    array([[0.7, 0. ],
           [0. , 0.4],
           [0.3, 0. ]])
    """
    W = np.asarray(W)
    return np.maximum(np.asarray(X) @ W.T @ W + np.asarray(b), 0)


def superposition_cost(theta: ArrayLike, X: Array, n_hidden: int) -> tuple[float, Array]:
    """Return the cost of the toy model and its exact gradient.

    Half of the mean squared error; the gradient is Eq. (11.2) ``superposition-gradient``. W
    writes and reads, so two paths lead to it.

    Parameters
    ----------
    theta : array_like of shape (n_hidden * n_features + n_features,)
        W row by row, then b.
    X : ndarray of shape (n_samples, n_features)
        Features.
    n_hidden : int, at least 1
        Numbers that the features are kept in.

    Returns
    -------
    cost : float
        The cost.
    gradient : ndarray of the shape of `theta`
        Its derivatives.

    Raises
    ------
    ValueError
        If `theta` has another length.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.superposition import superposition_cost
    >>> X = np.array([[0.7, 0.0], [0.0, 0.4]])
    >>> cost, gradient = superposition_cost([1.0, -1.0, 0.0, 0.0], X, n_hidden=1)
    >>> cost, gradient
    (0.0, array([0., 0., 0., 0.]))
    """
    m, n = X.shape
    theta = np.asarray(theta, dtype=np.float64)
    if theta.shape != (n_hidden * n + n,):
        raise ValueError(
            f"theta has shape {theta.shape}; W of {n_hidden} x {n} and b of {n} need "
            f"({n_hidden * n + n},)"
        )
    W, b = theta[: n_hidden * n].reshape(n_hidden, n), theta[n_hidden * n :]
    H = X @ W.T
    X_hat = np.maximum(H @ W + b, 0)
    delta = (X_hat - X) * (X_hat > 0)
    gradient_W = (H.T @ delta + W @ delta.T @ X) / m
    gradient = np.concatenate([gradient_W.ravel(), delta.mean(axis=0)])
    return float(np.sum((X_hat - X) ** 2) / (2 * m)), gradient


def fit_superposition(
    X: Array, n_hidden: int, *, seed: int = 0, n_starts: int = 4, max_iter: int = 500
) -> tuple[Array, Array]:
    """Return the best W and b of several starts by L-BFGS.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    n_hidden : int, at least 1
        Numbers to keep them in.
    seed : int
        Moves the starts.
    n_starts : int, at least 1
        How many; the cost has poor local minima.
    max_iter : int, at least 1
        Iterations of each at most.

    Returns
    -------
    W : ndarray of shape (n_hidden, n_features)
        Directions, one column per feature.
    b : ndarray of shape (n_features,)
        Biases.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.superposition import fit_superposition, sparse_inputs
    >>> W, b = fit_superposition(sparse_inputs(2000, 2, density=0.1, seed=0), n_hidden=1)
    >>> bool(W[0, 0] * W[0, 1] < 0)  # two features, one number: opposite signs
    True
    """
    n = X.shape[1]
    rng = np.random.default_rng(seed)
    runs = [
        minimize(
            superposition_cost,
            np.concatenate([rng.normal(scale=0.5, size=n_hidden * n), np.zeros(n)]),
            args=(X, n_hidden),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iter},
        )
        for _ in range(n_starts)
    ]
    best = min(runs, key=lambda run: run.fun).x
    return best[: n_hidden * n].reshape(n_hidden, n), best[n_hidden * n :]
