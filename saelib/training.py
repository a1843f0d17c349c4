"""Training: let an optimizer walk down J_sparse, and keep a record of the way."""

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
        J_sparse at `theta`.
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
    """

    theta: Vector
    parameters: Parameters
    cost: float
    history: dict[str, Vector]
    n_iterations: int
    n_evaluations: int
    converged: bool
    message: str


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


def train(
    objective: SparseObjective,
    theta0: ArrayLike,
    *,
    method: str = "l-bfgs",
    max_iter: int = 400,
    learning_rate: float = 0.1,
    progress: bool = True,
    callback: Callback | None = None,
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
    progress : bool
        Whether to show a progress bar.
    callback : callable, optional
        ``callback(iteration, theta)`` is called after every step, the first being 1. Raising
        StopIteration in it ends the training.

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
    """
    if method not in ("l-bfgs", "gradient-descent"):
        raise ValueError(f"method is {method!r}; choose one of 'l-bfgs', 'gradient-descent'")
    max_iter = whole_number("max_iter", max_iter, low=0)
    learning_rate = real_number("learning_rate", learning_rate, low=0.0, open_ends=True)
    theta = np.array(theta0, dtype=np.float64)
    if theta.shape != (objective.size,):
        raise ValueError(
            f"theta0 has shape {theta.shape}; this objective needs ({objective.size},), as "
            f"Parameters.random({objective.n_features}, {objective.n_hidden}, seed).ravel() gives"
        )
    if not np.all(np.isfinite(theta)):
        raise ValueError("theta0 holds NaN or infinity; start from finite numbers")

    label = "L-BFGS" if method == "l-bfgs" else "Gradient descent"
    # The optimizer's own dot products run on one BLAS thread too: split over several they would
    # change in the last bit, and the idle threads would spin on cores that the objective needs.
    with single_threaded_blas(), progress_bar(label, max_iter, progress) as bar:
        recorder = _Recorder(objective, bar, callback)
        recorder.accept(theta)
        try:
            if max_iter == 0:
                converged, message = False, "no iterations were asked for"
            elif method == "l-bfgs":
                converged, message = _l_bfgs(recorder, theta, max_iter)
            else:
                converged, message = _gradient_descent(recorder, max_iter, learning_rate)
        except _StoppedByCallbackError:
            converged, message = False, "stopped by the callback"
        except KeyboardInterrupt:
            converged, message = False, "interrupted"

    n_points, theta, _ = recorder.reached
    history = np.array(recorder.rows[:n_points]).T
    return TrainingResult(
        theta=theta,
        parameters=Parameters.unravel(theta, objective.n_features, objective.n_hidden),
        cost=float(history[0, -1]),
        history=dict(zip(HISTORY_KEYS, history, strict=True)),
        n_iterations=n_points - 1,
        n_evaluations=recorder.n_evaluations,
        converged=converged,
        message=message,
    )


def _l_bfgs(recorder: _Recorder, theta: Vector, max_iter: int) -> tuple[bool, str]:
    def step(intermediate_result: OptimizeResult) -> None:
        recorder.accept(intermediate_result.x)

    result = minimize(
        recorder.evaluate,
        theta,
        jac=True,
        method="L-BFGS-B",
        callback=step,
        # The iterations are the budget: the tolerances end the run only when nothing moves.
        options={"maxiter": max_iter, "maxfun": np.inf, "maxcor": 20, "ftol": 1e-12, "gtol": 1e-7},
    )
    return bool(result.success), str(result.message).lower()


def _gradient_descent(recorder: _Recorder, max_iter: int, learning_rate: float) -> tuple[bool, str]:
    for iteration in range(1, max_iter + 1):
        _, theta, gradient = recorder.reached
        recorder.accept(theta - learning_rate * gradient)
        if not np.isfinite(recorder.rows[-1][0]):
            return False, (
                f"the cost is no longer finite at step {iteration}; lower learning_rate "
                "(for other causes see the chapter What goes wrong)"
            )
    return False, "the number of iterations reached max_iter"
