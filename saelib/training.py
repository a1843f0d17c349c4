"""Training: let an optimizer walk down `J_sparse`, and keep a record of the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeResult, minimize

from saelib._blas import single_threaded_blas
from saelib._validation import real_number, whole_number
from saelib.objective import CostTerms, SparseObjective
from saelib.parameters import Parameters
from saelib.progress import progress_bar, show_cost

__all__ = ["TrainingResult", "train"]

Vector = NDArray[np.float64]
Callback = Callable[[int, Vector], None]

HISTORY_KEYS = ("total", "reconstruction", "weight_decay", "sparsity", "gradient_norm")

# A unit whose mean activation is as close to 0 or 1 as this gives the same for every example.
_SATURATED = 1e-6


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training run found and how it got there.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        The flat parameter vector reached.
    parameters : Parameters
        The same numbers as W1, W2, b1, b2.
    cost : float
        `J_sparse` at `theta`.
    history : dict of str to ndarray of shape (n_iterations + 1,)
        ``total``, ``reconstruction``, ``weight_decay``, ``sparsity`` (the cost and its terms)
        and ``gradient_norm``; entry 0 belongs to the starting point.
    n_iterations : int
        Steps taken.
    n_evaluations : int
        How often cost and gradient were computed; a step can take several.
    converged : bool
        Whether the optimizer met its own criterion, rather than running out of iterations or
        being interrupted.
    message : str
        Why the training stopped, in words.
    reason : {"converged", "max_iter", "callback", "interrupted", "diverged", "stuck", "checkpoint"}
        Why the training stopped, for programs. ``"diverged"``: the cost is higher than at the
        start or no longer finite; ``"stuck"``: the line search of L-BFGS found no lower cost;
        ``"checkpoint"``: it has not stopped, this is what a checkpoint gets.
    """

    theta: Vector
    parameters: Parameters
    cost: float
    history: dict[str, Vector]
    n_iterations: int
    n_evaluations: int
    converged: bool
    message: str
    reason: str


class _StoppedByCallbackError(Exception):
    """The callback raised StopIteration, which scipy would swallow."""


class _Recorder:
    """Evaluates the objective for an optimizer and records every accepted step."""

    def __init__(self, objective: SparseObjective, bar: Any, callback: Callback | None) -> None:
        self.objective = objective
        self.bar = bar
        self.callback = callback
        self.n_evaluations = 0
        self.rows: list[tuple[float, ...]] = []
        # Point and gradient after the given number of rows. Being assigned in one go, they
        # belong together at whatever moment Ctrl-C strikes.
        self.reached: tuple[int, Vector, Vector] = (0, np.empty(0), np.empty(0))
        self._latest: tuple[Vector, CostTerms, Vector] | None = None

    @property
    def n_steps(self) -> int:
        return self.reached[0] - 1

    def evaluate(self, theta: Vector) -> tuple[float, Vector]:
        terms, gradient = self.objective.evaluate(theta)
        self.n_evaluations += 1
        self._latest = theta.copy(), terms, gradient.astype(np.float64)
        return terms.total, self._latest[2]

    def accept(self, theta: Vector) -> None:
        # An optimizer accepts the point it evaluated last, save after a line search that failed.
        if self._latest is None or not np.array_equal(theta, self._latest[0]):
            self.evaluate(theta)
        assert self._latest is not None
        point, terms, gradient = self._latest
        self.rows.append((terms.total, *terms, float(np.linalg.norm(gradient))))
        self.reached = len(self.rows), point, gradient
        show_cost(self.bar, terms.total)
        iteration = len(self.rows) - 1
        if iteration > 0:
            self.bar.update()
            if self.callback is not None:
                try:
                    self.callback(iteration, point.copy())
                except StopIteration:
                    raise _StoppedByCallbackError from None

    def result(self, reason: str, message: str) -> TrainingResult:
        n_points, theta, _ = self.reached
        history = np.array(self.rows[:n_points]).T
        n_features, n_hidden = self.objective.n_features, self.objective.n_hidden
        return TrainingResult(
            theta=theta,
            parameters=Parameters.unravel(theta, n_features, n_hidden),
            cost=float(history[0, -1]),
            history=dict(zip(HISTORY_KEYS, history, strict=True)),
            n_iterations=n_points - 1,
            n_evaluations=self.n_evaluations,
            converged=reason == "converged",
            message=message,
            reason=reason,
        )


def train(
    objective: SparseObjective,
    theta0: ArrayLike,
    *,
    method: str = "l-bfgs",
    max_iter: int = 400,
    learning_rate: float = 0.1,
    tol: float = 1e-12,
    progress: bool = True,
    callback: Callback | None = None,
    checkpoint: Callable[[TrainingResult], None] | None = None,
    checkpoint_every: int = 200,
) -> TrainingResult:
    """Minimize a sparse autoencoder's cost, starting from `theta0`.

    L-BFGS is scipy's, as the CS294A assignment recommends. Gradient descent,
    Eq. (6.4) ``gradient-descent``, CS294A p. 8, takes steps of a fixed size and is here to be
    understood and compared with.

    Interrupting the training (Ctrl-C, the stop button of a notebook) is not an error: you get
    the result reached so far, marked as not converged.

    Parameters
    ----------
    objective : SparseObjective
        The cost and its gradient.
    theta0 : array_like of shape (objective.size,)
        Where to start, for example ``Parameters.random(...).ravel()``; not changed.
    method : {"l-bfgs", "gradient-descent"}
        The optimizer.
    max_iter : int, at least 0
        Number of steps at most.
    learning_rate : float, greater than 0
        Step size of gradient descent; L-BFGS finds its own steps and ignores it.
    tol : float, at least 0
        L-BFGS has converged when a step lowers the cost by less than this share of it (of 1, if
        the cost is less than 1). The default is so small that the iterations decide; gradient
        descent ignores it.
    progress : bool
        Whether to show a progress bar.
    callback : callable, optional
        ``callback(iteration, theta)`` is called after every step, the first being 1. Raising
        StopIteration in it ends the training.
    checkpoint : callable, optional
        ``checkpoint(result)`` is called with the result so far after every `checkpoint_every`
        steps but the last. L-BFGS then forgets its earlier steps and starts afresh from there,
        so that whoever starts from the theta of a checkpoint goes the same way, to the last bit.
    checkpoint_every : int, at least 1
        Number of steps between checkpoints; without `checkpoint` it has no effect.

    Returns
    -------
    TrainingResult
        Parameters, cost, history and the reason why the training stopped.

    Raises
    ------
    ValueError
        If `theta0` has the wrong length or is not finite, or another argument is not as
        described above.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import Parameters, SparseObjective, train
    >>> X = np.random.default_rng(0).uniform(0.1, 0.9, size=(200, 16))
    >>> objective = SparseObjective(X, n_hidden=4, sparsity_target=0.05)
    >>> theta0 = Parameters.random(n_features=16, n_hidden=4, seed=0).ravel()
    >>> result = train(objective, theta0, max_iter=30, progress=False)
    >>> bool(result.cost < result.history["total"][0])
    True
    >>> result.reason
    'max_iter'
    """
    if method not in ("l-bfgs", "gradient-descent"):
        raise ValueError(f"method is {method!r}; choose one of 'l-bfgs', 'gradient-descent'")
    max_iter = whole_number("max_iter", max_iter, low=0)
    learning_rate = real_number("learning_rate", learning_rate, low=0.0, open_ends=True)
    tol = real_number("tol", tol, low=0.0)
    checkpoint_every = whole_number("checkpoint_every", checkpoint_every, low=1)
    theta = np.array(theta0, dtype=np.float64)
    objective.refuse_examples_in_columns("theta0", theta)
    if theta.shape != (objective.size,):
        raise ValueError(
            f"theta0 has shape {theta.shape}; this objective needs ({objective.size},), as "
            f"Parameters.random({objective.n_features}, {objective.n_hidden}, seed).ravel() gives"
        )
    if not np.all(np.isfinite(theta)):
        raise ValueError("theta0 holds NaN or infinity; start from finite numbers")

    label = "L-BFGS" if method == "l-bfgs" else "Gradient descent"
    leg = max_iter if checkpoint is None else checkpoint_every
    # The optimizer's own dot products run on one BLAS thread too: split over several they would
    # change in the last bit, and the idle threads would spin on cores that the objective needs.
    with single_threaded_blas(), progress_bar(label, max_iter, progress) as bar:
        recorder = _Recorder(objective, bar, callback)
        recorder.accept(theta)
        reason, message = "max_iter", "no iterations were asked for"
        try:
            while reason == "max_iter" and recorder.n_steps < max_iter:
                if recorder.n_steps > 0 and checkpoint is not None:
                    checkpoint(recorder.result("checkpoint", "a checkpoint on the way"))
                n_steps = min(leg, max_iter - recorder.n_steps)
                if method == "l-bfgs":
                    reason, message = _l_bfgs(recorder, n_steps, tol)
                else:
                    reason, message = _gradient_descent(recorder, n_steps, learning_rate)
        except _StoppedByCallbackError:
            reason, message = "callback", "stopped by the callback"
        except KeyboardInterrupt:
            reason, message = "interrupted", "interrupted"
        if reason in ("converged", "stuck"):
            message += _about_saturation(objective, recorder.reached[1])
    return recorder.result(reason, message)


def _l_bfgs(recorder: _Recorder, n_steps: int, tol: float) -> tuple[str, str]:
    def step(intermediate_result: OptimizeResult) -> None:
        recorder.accept(intermediate_result.x)

    result = minimize(
        recorder.evaluate,
        recorder.reached[1],
        jac=True,
        method="L-BFGS-B",
        callback=step,
        # The iterations are the budget: the tolerances end the run only when nothing moves.
        options={"maxiter": n_steps, "maxfun": np.inf, "maxcor": 20, "ftol": tol, "gtol": 1e-7},
    )
    reason = {0: "converged", 1: "max_iter"}.get(result.status, "stuck")
    return reason, str(result.message).lower()


def _gradient_descent(recorder: _Recorder, n_steps: int, learning_rate: float) -> tuple[str, str]:
    for _ in range(n_steps):
        _, theta, gradient = recorder.reached
        recorder.accept(theta - learning_rate * gradient)
        if not np.isfinite(recorder.rows[-1][0]):
            return "diverged", (
                f"the cost is no longer finite at step {recorder.n_steps}; lower learning_rate "
                "(for other causes see the chapter What goes wrong)"
            )
    first, last = recorder.rows[0][0], recorder.rows[-1][0]
    if last > first:
        return "diverged", (
            f"the cost rose from {first:.3g} to {last:.3g} in {recorder.n_steps} steps; lower "
            "learning_rate (for other causes see the chapter What goes wrong)"
        )
    return "max_iter", "the number of iterations reached max_iter"


def _about_saturation(objective: SparseObjective, theta: Vector) -> str:
    """Return what to add to the message if there are units that have nothing left to learn from."""
    mean = objective.mean_activation(theta)
    n_low, n_high = int(np.sum(mean < _SATURATED)), int(np.sum(mean > 1 - _SATURATED))
    if n_low + n_high == 0:
        return ""
    return (
        f"; but {n_low + n_high} of {len(mean)} hidden units are saturated ({n_low} at 0, {n_high} "
        "at 1 for every example) and learn nothing: start from smaller weights, or bring the data "
        "to a smaller scale"
    )
