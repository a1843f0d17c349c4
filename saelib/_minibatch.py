"""Mini-batches: cost, gradient with a running mean activation, a step of Adam, a stream of them.

The first three are here twice. `Adam.step` and `mini_batch` are the plain lines, the specification
with which the tests compare the other two: `adam_in_blocks` gives the same bits, and
`mini_batch_in_blocks` goes through the two passes that `SparseObjective` takes. Those two share
their work among threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._blas import single_threaded_blas
from saelib._magnitude import LARGEST_WEIGHT
from saelib._parallel import map_in_order
from saelib._passes import BiasUnitWeights, SumsOfRows
from saelib.activations import ACTIVATIONS, TANH_AS_SIGMOID
from saelib.network import decode, encode
from saelib.objective import mean_terms, penalty_slope
from saelib.parameters import Parameters
from saelib.sparsity import kl_divergence, kl_gradient

Array = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

# Adam's three vectors and what it computes from them fit the cache of a core in blocks as long.
_NUMBERS_PER_BLOCK = 2**15
# From so many multiplications in one product on, two threads are worth waking one up.
_WORTH_TWO_SHARES = 2**21


class Adam(NamedTuple):
    """The optimizer Adam, Kingma & Ba (2015), Algorithm 1, with their default decay rates.

    Attributes
    ----------
    mean, mean_square : ndarray of shape (size,)
        Running means of the gradient and of its square.
    n_steps : int
        Steps taken.
    """

    mean: Vector
    mean_square: Vector
    n_steps: int = 0

    def step(self, theta: Vector, gradient: Vector, learning_rate: float) -> tuple[Adam, Vector]:
        """Return the optimizer and `theta` after one step."""
        adam = Adam(
            0.9 * self.mean + 0.1 * gradient,
            0.999 * self.mean_square + 0.001 * gradient**2,
            self.n_steps + 1,
        )
        # Both start from 0; the divisions undo the pull of that start.
        mean = adam.mean / (1 - 0.9**adam.n_steps)
        mean_square = adam.mean_square / (1 - 0.999**adam.n_steps)
        return adam, theta - learning_rate * mean / (np.sqrt(mean_square) + 1e-8)


def adam_step_into(
    old: Iterable[Any], new: Iterable[Any], gradient: Array, learning_rate: float, n_steps: int
) -> None:
    """Write over `new` what `Adam.step` gives for a part of theta, to the last bit.

    Parameters
    ----------
    old, new : iterable of three ndarrays of one shape
        theta, `mean` and `mean_square` before the step, and memory for them after it.
    gradient : ndarray
        Derivatives by this part of theta.
    learning_rate : float
        The step size.
    n_steps : int
        Steps taken, this one included.
    """
    (theta, mean, mean_square), (new_theta, new_mean, new_square) = old, new
    step = np.multiply(gradient, 0.1)
    np.multiply(mean, 0.9, out=new_mean)
    new_mean += step
    np.square(gradient, out=step)
    step *= 0.001
    np.multiply(mean_square, 0.999, out=new_square)
    new_square += step
    np.divide(new_mean, 1 - 0.9**n_steps, out=step)
    step *= learning_rate
    root = np.divide(new_square, 1 - 0.999**n_steps)
    np.sqrt(root, out=root)
    root += 1e-8
    step /= root
    np.subtract(theta, step, out=new_theta)


def adam_in_blocks(
    adam: Adam, theta: Vector, gradient: Vector, learning_rate: float, n_threads: int
) -> tuple[Adam, Vector]:
    """Return what ``adam.step(theta, gradient, learning_rate)`` returns, to the last bit."""
    old, n_steps = (theta, adam.mean, adam.mean_square), adam.n_steps + 1
    new = tuple(np.empty_like(array) for array in old)

    def step(start: int) -> None:
        part = slice(start, start + _NUMBERS_PER_BLOCK)
        old_part, new_part = ([array[part] for array in arrays] for arrays in (old, new))
        adam_step_into(old_part, new_part, gradient[part], learning_rate, n_steps)

    map_in_order(step, range(0, len(theta), _NUMBERS_PER_BLOCK), n_threads)
    theta, mean, mean_square = new
    return Adam(mean, mean_square, n_steps), theta


def mini_batch(
    X: Array,
    parameters: Parameters,
    running_mean: Vector,
    *,
    share: float,
    weight_decay: float,
    sparsity_target: float,
    sparsity_weight: float,
    activation: str,
    output_activation: str,
) -> tuple[float, Vector, Vector]:
    """Return the cost of a mini-batch, its gradient, and the updated running mean activation.

    Eqs. (1.6) ``delta-output``, (5.1) ``delta-hidden-sparse`` and (1.7) ``weight-gradients``
    with the running mean in place of rho_hat. With ``share=1`` the running mean is that of the
    batch, and the result is that of `SparseObjective` on the batch.
    """
    f, f_out, p = ACTIVATIONS[activation], ACTIVATIONS[output_activation], parameters
    m = len(X)
    X = X.astype(np.float64, copy=False)
    A = encode(X, p, activation)
    Y = decode(A, p, output_activation)

    mean = f.share_of_range(A.mean(axis=0))
    running = running_mean + share * (mean - running_mean)
    rho_hat = np.clip(running, np.sqrt(np.finfo(float).tiny), 1 - np.finfo(float).eps)
    penalty_slope = sparsity_weight * kl_gradient(sparsity_target, rho_hat) / (f.high - f.low)

    delta3 = (Y - X) * f_out.derivative(Y)
    delta2 = (delta3 @ p.W2 + penalty_slope) * f.derivative(A)
    gradient = Parameters(
        W1=delta2.T @ X / m + weight_decay * p.W1,
        W2=delta3.T @ A / m + weight_decay * p.W2,
        b1=delta2.mean(axis=0),
        b2=delta3.mean(axis=0),
    )
    cost = (
        np.sum((Y - X) ** 2) / (2 * m)
        + weight_decay / 2 * (np.sum(p.W1**2) + np.sum(p.W2**2))
        + sparsity_weight * np.sum(kl_divergence(sparsity_target, rho_hat))
    )
    return float(cost), gradient.ravel().astype(np.float64, copy=False), running


def mini_batch_in_blocks(
    X: Array,
    theta: Vector,
    running_mean: Vector,
    n_threads: int,
    *,
    share: float,
    weight_decay: float,
    sparsity_target: float,
    sparsity_weight: float,
    activation: str,
    output_activation: str,
) -> tuple[float, Vector, Vector]:
    """Return what `mini_batch` returns of the parameters in `theta`, but for the rounding.

    BLAS must be limited to one thread. It depends on the sizes alone how the rows are divided, and
    so no bit on the number of threads.
    """
    f, f_out, m = ACTIVATIONS[activation], ACTIVATIONS[output_activation], len(X)
    p = Parameters.unravel(theta, X.shape[1], len(running_mean))
    X = X.astype(np.float64, copy=False)
    unit = TANH_AS_SIGMOID if activation == "tanh" else f
    least, greatest = np.sqrt(np.finfo(float).tiny), 1 - np.finfo(float).eps

    def between(sums: Vector) -> tuple[Vector, Vector]:
        running = running_mean + share * (sums / m - running_mean)
        rho_hat = np.clip(running, least, greatest)
        return running, penalty_slope(rho_hat, f, sparsity_target, sparsity_weight)

    worth_two = X.size * p.n_hidden >= _WORTH_TWO_SHARES
    sums_of_rows = SumsOfRows(X, p.n_hidden, least_shares=2 if worth_two else 1)
    w = BiasUnitWeights.of(p, unit, f_out)
    running, squares, sums = sums_of_rows.two_passes(w, unit, f_out, between, n_threads)
    gradient: Any
    terms, gradient = mean_terms(
        m,
        theta,
        w,
        np.clip(running, least, greatest),
        squares,
        sums,
        weight_decay=weight_decay,
        sparsity_target=sparsity_target,
        sparsity_weight=sparsity_weight,
    )
    return terms.total, gradient, running


class Stream(NamedTuple):
    """Where a training on mini-batches stands.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        W1, W2, b1, b2, as float64.
    running_mean : ndarray of shape (n_hidden,)
        The running mean activation, from 0 to 1.
    adam : Adam
        The optimizer.
    """

    theta: Vector
    running_mean: Vector
    adam: Adam


def follow(
    stream: Stream,
    X: Any,
    *,
    batch_size: int,
    learning_rate: float,
    sparsity_window: int,
    **settings: Any,
) -> tuple[Stream, list[float]]:
    """Return the stream after a step of Adam on every mini-batch of `X`, and their costs.

    Parameters
    ----------
    stream : Stream
        Where the training stands; it stays as it is.
    X : Rows or ndarray of shape (n_samples, n_features)
        The next rows.
    batch_size, learning_rate, sparsity_window
        As in `SparseAutoencoder`.
    **settings
        Those of `mini_batch`, without `share`.

    Raises
    ------
    ValueError
        If a weight is no longer of a size that a weight can have.
    """
    theta, running, adam = stream
    costs = []
    with single_threaded_blas() as n_threads:
        for start in range(0, len(X), batch_size):
            batch = X[start : start + batch_size]
            share = 1 - (1 - 1 / sparsity_window) ** len(batch)
            cost, gradient, running = mini_batch_in_blocks(
                batch, theta, running, n_threads, share=share, **settings
            )
            costs.append(cost)
            adam, theta = adam_in_blocks(adam, theta, gradient, learning_rate, n_threads)
            if not np.all(np.abs(theta) < LARGEST_WEIGHT):
                raise ValueError(
                    f"a weight exceeds {LARGEST_WEIGHT:g} after step {adam.n_steps} of the "
                    f"stream; learning_rate is {learning_rate:g}, give a smaller one and fit anew"
                )
    return Stream(theta, running, adam), costs
