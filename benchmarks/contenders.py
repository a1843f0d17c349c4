"""The computations that are compared: each returns a function from theta to (cost, gradient).

All of them compute J_sparse of a sigmoid autoencoder with the same data, weights and constants,
and give back a float and a numpy array, as an optimizer of scipy asks for.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
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


def _jax_cost(m: int, n: int, n_hidden: int) -> Callable[[Any, Any], Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
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

    return cost


def jax_jit(X: np.ndarray, n_hidden: int) -> Evaluate:
    """Return JAX's value and gradient, compiled by XLA."""
    import jax
    import jax.numpy as jnp

    both = jax.jit(jax.value_and_grad(_jax_cost(*X.shape, n_hidden)))
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


# ---------------------------------------------------------------- whole trainings

# From first weights to a goal, within a limit of seconds; returns the cost reached.
Training = Callable[[np.ndarray, float, float], float]


def train_saelib(X: np.ndarray, n_hidden: int, n_steps: int) -> Training:
    """Return the training of this package, scipy's L-BFGS."""
    from saelib import train

    objective = saelib(X, n_hidden)

    def run(theta0: np.ndarray, goal: float, limit: float) -> float:
        return train(objective, theta0, max_iter=n_steps, progress=False).cost

    return run


def train_torch(
    X: np.ndarray, n_hidden: int, make: Callable[[Any], Any], compiled: bool = True
) -> Training:
    """Return a training by one of PyTorch's optimizers."""
    import torch

    cost = _torch_cost(torch.from_numpy(X), n_hidden)
    if compiled:
        cost = torch.compile(cost)

    def run(theta0: np.ndarray, goal: float, limit: float) -> float:
        theta = torch.from_numpy(theta0.copy()).requires_grad_()
        optimizer = make([theta])
        best = np.inf

        def closure() -> Any:
            nonlocal best
            optimizer.zero_grad()
            value = cost(theta)
            value.backward()
            best = min(best, value.item())
            return value

        begin = time.perf_counter()
        while True:
            optimizer.step(closure)
            if best <= goal or time.perf_counter() - begin > limit:
                return float(best)

    return run


def train_torch_lbfgs(
    X: np.ndarray, n_hidden: int, n_steps: int, compiled: bool = True
) -> Training:
    """Return the training by PyTorch's L-BFGS with a strong Wolfe line search."""
    import torch

    def make(parameters: Any) -> Any:
        return torch.optim.LBFGS(
            parameters, max_iter=10, history_size=20, line_search_fn="strong_wolfe",
            tolerance_change=0, tolerance_grad=0,
        )  # fmt: skip

    return train_torch(X, n_hidden, make, compiled)


def train_torch_adam(X: np.ndarray, n_hidden: int, n_steps: int) -> Training:
    """Return the training by PyTorch's Adam, all examples in every step."""
    import torch

    return train_torch(X, n_hidden, lambda parameters: torch.optim.Adam(parameters, lr=0.01))


def train_optax(X: np.ndarray, n_hidden: int, n_steps: int) -> Training:
    """Return the training by optax's L-BFGS, compiled as a whole: ten steps a call."""
    import jax
    import jax.numpy as jnp
    import optax

    cost, data = _jax_cost(*X.shape, n_hidden), jnp.asarray(X)
    optimizer = optax.lbfgs(memory_size=20)

    def ten_steps(theta: Any, state: Any, X: Any) -> Any:
        def of_theta(theta: Any) -> Any:
            return cost(theta, X)

        value_and_grad = optax.value_and_grad_from_state(of_theta)

        def step(carry: Any, _: None) -> Any:
            theta, state = carry
            value, gradient = value_and_grad(theta, state=state)
            updates, state = optimizer.update(
                gradient, state, theta, value=value, grad=gradient, value_fn=of_theta
            )
            return (optax.apply_updates(theta, updates), state), value

        (theta, state), values = jax.lax.scan(step, (theta, state), None, length=10)
        return theta, state, values.min()

    compiled = jax.jit(ten_steps)

    def run(theta0: np.ndarray, goal: float, limit: float) -> float:
        theta = jnp.asarray(theta0)
        state, begin = optimizer.init(theta), time.perf_counter()
        while True:
            theta, state, value = compiled(theta, state, data)
            if float(value) <= goal or time.perf_counter() - begin > limit:
                return float(value)

    return run


TRAININGS: dict[str, Callable[[np.ndarray, int, int], Training]] = {
    "saelib": train_saelib,
    "torch.optim.LBFGS": partial(train_torch_lbfgs, compiled=False),
    "torch.optim.LBFGS, compiled": train_torch_lbfgs,
    "optax.lbfgs, compiled": train_optax,
    "torch.optim.Adam, compiled": train_torch_adam,
}


# ---------------------------------------------------------------- steps on mini-batches


STEPS = 10


def steps_saelib(X: np.ndarray, n_hidden: int, calls: int) -> Callable[[], Any]:
    """Return ten steps of `partial_fit`, in so many calls, without scaling, as PyTorch's are."""
    from saelib import SparseAutoencoder

    model = SparseAutoencoder(
        n_hidden, scaling=None, output_activation="sigmoid", batch_size=len(X), weight_decay=DECAY,
        sparsity_target=TARGET, sparsity_weight=WEIGHT, random_state=0,
    )  # fmt: skip
    rows = np.tile(X, (STEPS // calls, 1))

    def steps() -> None:
        for _ in range(calls):
            model.partial_fit(rows)

    return steps


def steps_torch(X: np.ndarray, n_hidden: int, compiled: bool = False) -> Callable[[], Any]:
    """Return ten steps of Adam in PyTorch on a batch whose own means the penalty takes."""
    import torch

    from saelib import Parameters

    cost = _torch_cost(torch.from_numpy(X), n_hidden)
    if compiled:
        cost = torch.compile(cost)
    theta = Parameters.random(X.shape[1], n_hidden, seed=0).ravel().astype(X.dtype)
    tensor = torch.from_numpy(theta).requires_grad_()
    optimizer = torch.optim.Adam([tensor], lr=1e-3)

    def steps() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad()
            cost(tensor).backward()
            optimizer.step()

    return steps


STREAMS: dict[str, Callable[[np.ndarray, int], Callable[[], Any]]] = {
    "saelib, partial_fit of ten batches": partial(steps_saelib, calls=1),
    "saelib, partial_fit of each batch": partial(steps_saelib, calls=STEPS),
    "PyTorch, Adam": steps_torch,
    "PyTorch, Adam, compiled": partial(steps_torch, compiled=True),
}


# ---------------------------------------------------------------- steps of a dictionary

PRICE, K_ACTIVE, RATE = 0.1, 32, 1e-3
EDGE, WINDOW = 0.1, 0.2  # of JumpReLU
RULES = ("L1", "TopK", "BatchTopK", "JumpReLU", "Gated")


def dictionary_products(X: np.ndarray, n_hidden: int) -> Callable[[], Any]:
    """Return the five matrix products of a step and nothing else."""
    from saelib.dictionary import unit_start

    theta = unit_start(X.shape[1], n_hidden, seed=0).ravel().astype(X.dtype)
    return partial(floor(X, n_hidden), theta)


def dictionary_saelib(X: np.ndarray, n_hidden: int, rule: str) -> Callable[[], float]:
    """Return a step of `train_dictionary` on a batch: cost, gradient, Adam, columns of norm 1."""
    from saelib._dictionary_step import BlockedStep, Moment, Settings
    from saelib._minibatch import Adam
    from saelib.codes import BatchTopK, L1ReLU, LearningRule, TopK
    from saelib.dictionary import unit_start
    from saelib.thresholds import Gated, JumpReLU

    chosen: Any = {
        "L1": L1ReLU(PRICE),
        "TopK": TopK(K_ACTIVE),
        "BatchTopK": BatchTopK(K_ACTIVE),
        "JumpReLU": JumpReLU(PRICE, WINDOW, EDGE),
        "Gated": Gated(PRICE),
    }[rule]
    own = chosen.own_numbers(n_hidden) if isinstance(chosen, LearningRule) else np.empty(0)
    weights = unit_start(X.shape[1], n_hidden, seed=0).ravel()
    theta: Any = np.concatenate([weights, own]).astype(X.dtype)
    now = Moment(theta, Adam(np.zeros_like(theta), np.zeros_like(theta)), np.zeros(n_hidden, int))
    in_blocks = BlockedStep(*X.shape, n_hidden, X.dtype)

    def step() -> float:
        nonlocal now, chosen
        if len(own):
            chosen = chosen.with_own_numbers(now.theta[-len(own) :])
        cost, now = in_blocks(now, X, chosen, Settings(), RATE)
        return cost

    return step


def dictionary_torch(X: np.ndarray, n_hidden: int, rule: str) -> Callable[[], float]:
    """Return the same step in PyTorch, by its automatic differentiation and its Adam."""
    import torch

    from saelib.dictionary import unit_start

    m = len(X)
    p = unit_start(X.shape[1], n_hidden, seed=0)
    W1, W2, b1, b2 = parameters = [
        torch.from_numpy(block.astype(X.dtype)).requires_grad_()
        for block in (p.W1, p.W2, p.b1, p.b2)
    ]
    data = torch.from_numpy(X)
    linear, jump = torch.nn.functional.linear, _torch_jump()
    if rule == "JumpReLU":
        parameters.append(torch.full((n_hidden,), np.log(EDGE), dtype=data.dtype))
    if rule == "Gated":
        parameters += [torch.zeros(n_hidden, dtype=data.dtype) for _ in range(2)]
    own = [tensor.requires_grad_() for tensor in parameters[4:]]
    optimizer = torch.optim.Adam(parameters, lr=RATE)

    def squares(A: Any, W2: Any, b2: Any) -> Any:
        return ((linear(A, W2, b2) - data) ** 2).sum() / (2 * m)

    def cost() -> Any:
        Z = linear(data, W1, b1)
        if rule == "JumpReLU":
            A, on = jump(Z, own[0].exp())
            return squares(A, W2, b2) + PRICE * on.sum() / m
        if rule == "Gated":
            threshold, log_scale = own
            gate = torch.relu((Z - threshold) * torch.exp(-log_scale))
            A = torch.where((threshold < Z) & (Z > 0), Z, 0)
            beside = squares(gate, W2.detach(), b2.detach()) + PRICE * gate.sum() / m
            return squares(A, W2, b2) + beside
        A = torch.relu(Z)
        if rule == "L1":
            return squares(A, W2, b2) + PRICE * A.sum() / m
        if rule == "TopK":
            values, places = A.topk(K_ACTIVE, dim=1, sorted=False)
            A = torch.zeros_like(A).scatter(1, places, values)
        else:
            values, places = A.flatten().topk(K_ACTIVE * m, sorted=False)
            A = torch.zeros_like(A).flatten().scatter(0, places, values).view_as(A)
        return squares(A, W2, b2)

    def step() -> float:
        optimizer.zero_grad()
        value = cost()
        value.backward()
        with torch.no_grad():
            assert W2.grad is not None
            W2.grad.sub_(W2 * (W2.grad * W2).sum(dim=0))
            optimizer.step()
            W2.div_(W2.norm(dim=0))
        return float(value)

    return step


def _torch_jump() -> Any:
    """Return JumpReLU with its published backward, as a function of z and the thresholds."""
    import torch

    class Jump(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, z: Any, threshold: Any) -> Any:
            on = (z > threshold).to(z.dtype)
            context.save_for_backward(z, threshold, on)
            return z * on, on

        @staticmethod
        def backward(context: Any, of_a: Any, of_on: Any) -> Any:
            z, threshold, on = context.saved_tensors
            window = (z - threshold).abs() < WINDOW / 2
            by_threshold = torch.where(window, threshold * of_a + of_on, 0).sum(dim=0)
            return of_a * on, -by_threshold / WINDOW

    return Jump.apply


DICTIONARIES: dict[str, Callable[[np.ndarray, int], Callable[[], Any]]] = {
    "five products": dictionary_products,
    **{
        f"{who}, {rule}": partial(make, rule=rule)
        for rule in RULES
        for who, make in (("saelib", dictionary_saelib), ("PyTorch", dictionary_torch))
    },
}
