"""The capstone: your own functions of all chapters, checked one after the other, then trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from saelib.exercises._verdict import Verdict
from saelib.gradient_check import relative_error
from saelib.images import Images
from saelib.parameters import Parameters

STAGES = ("sample_patches", "normalize_patches", "cost", "sparse_gradient", "numerical_gradient")
_SETTINGS = (1e-4, 0.01, 3.0)  # weight decay, sparsity target, sparsity weight
Stages = Mapping[str, Callable[..., Any]]


def check_pipeline(stages: Stages, *, seed: int | None = None) -> Verdict:
    """Check the functions of a whole training run, in the order in which they are needed.

    Each is judged by the checker of its own exercise, and the first that is wrong ends the check.
    Then your gradient is compared with your numerical gradient of your cost.

    Parameters
    ----------
    stages : mapping of str to callable
        Your functions under the names ``sample_patches``, ``normalize_patches``, ``cost``,
        ``sparse_gradient`` and ``numerical_gradient``.
    seed : int, optional
        Seed of the checkers' inputs; by default they are different each time.

    Returns
    -------
    verdict : Verdict
        Right, or what the checker of the first wrong stage says.

    Examples
    --------
    >>> from saelib.exercises import check_pipeline
    >>> print(check_pipeline({}))
    ○ pipeline: to be written.
      There is no sample_patches yet.
      Hint: Put your functions into the dictionary under their names.
      (In the book: chapter 7, the capstone.)
    """
    from saelib import exercises

    where = "chapter 7, the capstone"
    for name in STAGES:
        if not callable(stages.get(name)):
            line = f"There is no {name} yet."
            hint = "Put your functions into the dictionary under their names."
            return Verdict("pipeline", False, ("not-written",), (line,), (hint,), where)
        verdict: Verdict = getattr(exercises, f"check_{name}")(stages[name], seed=seed)
        if not verdict.correct:
            return verdict
    error = _difference(stages, 0 if seed is None else seed)
    if not error < 1e-6:
        line = f"Your gradient and your numerical gradient differ by {error:.0e}."
        hint = "Each agrees with the book's. Do both get the same settings and the same order?"
        return Verdict("pipeline", False, (), (line,), (hint,), where)
    lines = (
        f"{len(STAGES)} stages of {len(STAGES)} are right.",
        "Your gradient agrees with your numerical gradient of your cost.",
    )
    return Verdict("pipeline", True, (), lines, (), where)


def _difference(stages: Stages, seed: int) -> float:
    """Return the relative error between the learner's two gradients, on a small network."""
    X = np.random.default_rng(seed).uniform(0.1, 0.9, size=(12, 6))
    theta = Parameters.random(6, 4, seed=seed).ravel()
    evaluate = _objective(stages, X, 4)
    numeric = stages["numerical_gradient"](lambda point: evaluate(point)[0], theta, 1e-4)
    return float(relative_error(evaluate(theta)[1], numeric))


def _objective(
    stages: Stages, X: NDArray[np.float64], n_hidden: int
) -> Callable[[Any], tuple[float, NDArray[np.float64]]]:
    """Return the learner's cost and gradient as a function of the flat vector."""

    def evaluate(theta: Any) -> tuple[float, NDArray[np.float64]]:
        p = Parameters.unravel(theta, X.shape[1], n_hidden)
        blocks = (p.W1, p.W2, p.b1, p.b2)
        gradients = stages["sparse_gradient"](*blocks, X, *_SETTINGS)
        flat = np.concatenate([np.ravel(block) for block in gradients])
        return float(stages["cost"](*blocks, X, *_SETTINGS)), flat

    return evaluate


def train_pipeline(
    stages: Stages, images: Images, *, n_patches: int = 1000, max_iter: int = 300
) -> NDArray[np.float64]:
    """Train the assignment's network with your own functions and return its weights.

    Parameters
    ----------
    stages : mapping of str to callable
        As for `check_pipeline`, all of them right.
    images : dict or list of 2-D arrays
        Whitened grey images.
    n_patches : int
        Number of patches of 8x8 pixels.
    max_iter : int
        Iterations of L-BFGS.

    Returns
    -------
    ndarray of shape (25, 64)
        W1, one hidden unit per row.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import normalize_patches, sample_patches
    >>> from saelib.exercises import train_pipeline
    >>> stages = {
    ...     "sample_patches": sample_patches,
    ...     "normalize_patches": normalize_patches,
    ...     "cost": lambda W1, W2, b1, b2, *others: 0.5 * float(np.sum(W1**2)),
    ...     "sparse_gradient": lambda W1, W2, b1, b2, *others: (W1, 0 * W2, 0 * b1, 0 * b2),
    ... }
    >>> image = np.random.default_rng(0).normal(size=(20, 20))
    >>> W1 = train_pipeline(stages, [image], n_patches=10, max_iter=3)
    >>> W1.shape, float(np.abs(W1).max().round(6))
    ((25, 64), 0.0)
    """
    pictures = list(images.values()) if isinstance(images, Mapping) else list(images)
    X = stages["normalize_patches"](stages["sample_patches"](pictures, n_patches, 8, 0))
    theta0 = Parameters.random(64, 25, seed=0).ravel()
    result = minimize(
        _objective(stages, np.asarray(X, dtype=np.float64), 25),
        theta0,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iter, "maxfun": np.inf, "maxcor": 20, "ftol": 1e-12},
    )
    return np.asarray(Parameters.unravel(result.x, 64, 25).W1, dtype=np.float64)
