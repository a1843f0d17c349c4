"""The computations that are compared: each returns a function from theta to (cost, gradient).

All of them compute J_sparse of a sigmoid autoencoder with the same data, weights and constants,
and give back a float and a numpy array, as an optimizer of scipy asks for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from saelib import Parameters, SparseObjective

DECAY, TARGET, WEIGHT = 1e-4, 0.01, 3.0

Evaluate = Callable[[np.ndarray], Any]


def floor(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return the five matrix products of one evaluation and nothing else, into ready arrays."""
    m, n = X.shape
    A, D2 = np.full((2, m, n_hidden), 0.01, X.dtype)
    Y, D3 = np.full((2, m, n), 0.01, X.dtype)
    G1, G2 = np.empty((n_hidden, n), X.dtype), np.empty((n, n_hidden), X.dtype)

    def products(theta: np.ndarray) -> None:
        p = Parameters.unravel(theta, n, n_hidden)
        np.matmul(X, p.W1.T, out=A)
        np.matmul(A, p.W2.T, out=Y)
        np.matmul(D3, p.W2, out=D2)
        np.matmul(D3.T, A, out=G2)
        np.matmul(D2.T, X, out=G1)

    return products


def saelib(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return the objective of this package."""
    return SparseObjective(
        X, n_hidden, weight_decay=DECAY, sparsity_target=TARGET, sparsity_weight=WEIGHT
    )


def textbook(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return the formulas of the book written down in numpy, one line each."""
    m, n = X.shape

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        p = Parameters.unravel(theta, n, n_hidden)
        A = sigmoid(X @ p.W1.T + p.b1)
        Y = sigmoid(A @ p.W2.T + p.b2)
        rho_hat = A.mean(axis=0)
        kl = TARGET * np.log(TARGET / rho_hat) + (1 - TARGET) * np.log((1 - TARGET) / (1 - rho_hat))
        cost = (
            np.sum((Y - X) ** 2) / (2 * m)
            + DECAY / 2 * (np.sum(p.W1**2) + np.sum(p.W2**2))
            + WEIGHT * np.sum(kl)
        )
        delta3 = (Y - X) * Y * (1 - Y)
        penalty = WEIGHT * (-TARGET / rho_hat + (1 - TARGET) / (1 - rho_hat))
        delta2 = (delta3 @ p.W2 + penalty) * A * (1 - A)
        gradient = Parameters(
            W1=delta2.T @ X / m + DECAY * p.W1,
            W2=delta3.T @ A / m + DECAY * p.W2,
            b1=delta2.mean(axis=0),
            b2=delta3.mean(axis=0),
        )
        return float(cost), gradient.ravel()

    return evaluate


def _torch_cost(X: Any, n_hidden: int) -> Callable[[Any], Any]:
    import torch

    m, n = X.shape
    k = n_hidden * n

    def cost(theta: Any) -> Any:
        W1, W2 = theta[:k].view(n_hidden, n), theta[k : 2 * k].view(n, n_hidden)
        b1, b2 = theta[2 * k : 2 * k + n_hidden], theta[2 * k + n_hidden :]
        A = torch.sigmoid(torch.nn.functional.linear(X, W1, b1))
        Y = torch.sigmoid(torch.nn.functional.linear(A, W2, b2))
        rho_hat = A.mean(dim=0)
        kl = TARGET * torch.log(TARGET / rho_hat) + (1 - TARGET) * torch.log(
            (1 - TARGET) / (1 - rho_hat)
        )
        return (
            ((Y - X) ** 2).sum() / (2 * m)
            + DECAY / 2 * ((W1**2).sum() + (W2**2).sum())
            + WEIGHT * kl.sum()
        )

    return cost


def torch_cost(X: np.ndarray, n_hidden: int) -> Callable[[Any], Any]:
    """Return the cost as a function of a tensor, for the optimizers of PyTorch."""
    import torch

    return _torch_cost(torch.from_numpy(X), n_hidden)


def torch_autograd(X: np.ndarray, n_hidden: int, compiled: bool = False) -> Evaluate:
    """Return PyTorch's cost with the gradient by its automatic differentiation."""
    import torch

    cost = _torch_cost(torch.from_numpy(X), n_hidden)
    if compiled:
        cost = torch.compile(cost)

    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        tensor = torch.from_numpy(theta).requires_grad_()
        value = cost(tensor)
        (gradient,) = torch.autograd.grad(value, tensor)
        return value.item(), gradient.numpy()

    return evaluate


def torch_compiled(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return the same after torch.compile, which needs a C++ compiler."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate = torch_autograd(X, n_hidden, compiled=True)
        size = 2 * X.shape[1] * n_hidden + X.shape[1] + n_hidden
        evaluate(np.zeros(size, X.dtype))  # fails here where there is no compiler
    return evaluate


def jax_jit(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return JAX's value and gradient, compiled by XLA."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    m, n = X.shape
    k = n_hidden * n

    def cost(theta: Any, X: Any) -> Any:
        W1, W2 = theta[:k].reshape(n_hidden, n), theta[k : 2 * k].reshape(n, n_hidden)
        b1, b2 = theta[2 * k : 2 * k + n_hidden], theta[2 * k + n_hidden :]
        A = jax.nn.sigmoid(X @ W1.T + b1)
        Y = jax.nn.sigmoid(A @ W2.T + b2)
        rho_hat = A.mean(axis=0)
        kl = TARGET * jnp.log(TARGET / rho_hat) + (1 - TARGET) * jnp.log(
            (1 - TARGET) / (1 - rho_hat)
        )
        return (
            ((Y - X) ** 2).sum() / (2 * m)
            + DECAY / 2 * ((W1**2).sum() + (W2**2).sum())
            + WEIGHT * kl.sum()
        )

    both = jax.jit(jax.value_and_grad(cost))
    data = jnp.asarray(X)

    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = both(theta, data)
        return float(value), np.asarray(gradient)

    return evaluate


CONTENDERS: dict[str, Callable[[np.ndarray, int], Evaluate]] = {
    "five products": floor,
    "saelib": saelib,
    "textbook numpy": textbook,
    "PyTorch": torch_autograd,
    "PyTorch compiled": torch_compiled,
    "jax.jit": jax_jit,
}
