"""The forward pass: from the input to the hidden units, and from there to the output."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saelib._validation import activation_named, plain_array
from saelib.parameters import Parameters

__all__ = ["decode", "encode"]

Array = NDArray[np.floating[Any]]


def encode(X: ArrayLike, parameters: Parameters, activation: str = "sigmoid") -> Array:
    """Return the hidden activations A = f(X W1ᵀ + b1).

    Eq. (1.4) ``forward-hidden``, CS294A p. 6.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_features)
        Inputs, one example per row.
    parameters : Parameters
        Weights and biases; W1 and b1 are used.
    activation : {"sigmoid", "tanh", "linear"}
        The function f.

    Returns
    -------
    ndarray of shape (n_samples, n_hidden)
        Activations, in [0, 1] for sigmoid and in [-1, 1] for tanh.

    Raises
    ------
    ValueError
        If `X` is not 2-D with ``parameters.n_features`` columns or `activation` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters, encode
    >>> encode(np.zeros((2, 3)), Parameters.random(n_features=3, n_hidden=4, seed=0))
    array([[0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5]])
    """
    return _layer("X", X, parameters.W1, parameters.b1, activation)


def decode(A: ArrayLike, parameters: Parameters, activation: str = "sigmoid") -> Array:
    """Return the output Y = f(A W2ᵀ + b2), the reconstruction of the input.

    Eq. (1.5) ``forward-output``, CS294A p. 6.

    Parameters
    ----------
    A : array_like of shape (n_samples, n_hidden)
        Hidden activations, as `encode` returns them.
    parameters : Parameters
        Weights and biases; W2 and b2 are used.
    activation : {"sigmoid", "tanh", "linear"}
        The function f of the output layer.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Reconstructions.

    Raises
    ------
    ValueError
        If `A` is not 2-D with ``parameters.n_hidden`` columns or `activation` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters, decode
    >>> decode(np.zeros((1, 4)), Parameters.random(n_features=3, n_hidden=4, seed=0))
    array([[0.5, 0.5, 0.5]])
    """
    return _layer("A", A, parameters.W2, parameters.b2, activation)


def _layer(name: str, inputs: ArrayLike, W: Array, b: Array, activation: str) -> Array:
    f = activation_named("activation", activation, ("sigmoid", "tanh", "linear"))
    inputs = plain_array(name, inputs)
    if inputs.ndim != 2 or inputs.shape[1] != W.shape[1]:
        raise ValueError(
            f"{name} has shape {inputs.shape}; these parameters need (n_samples, {W.shape[1]})"
        )
    return f.function(inputs @ W.T + b)
