"""Checkers for the exercises of the book: right or wrong, and if wrong, which mistake it is.

Each checker runs your function on fresh random inputs, compares the results with an
independent computation and, if they differ, with those of a catalogue of mistakes. A mistake
that is in no catalogue is looked for in your own lines: up to where do your values agree with the
derivation, and in which line would one change make everything right? It never shows the solution.

>>> from saelib import exercises
>>> exercises.check_sigmoid(lambda z: 1 / (1 + 2.718281828459045 ** -z))
✓ sigmoid: right.
  It agrees with an independent computation on 3 fresh random inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from saelib.exercises import (
    _dictionary,
    _features,
    _inside,
    _network,
    _patches,
    _pointwise,
    _thresholds,
    _turned,
    _vectors,
)
from saelib.exercises._capstone import check_pipeline, train_pipeline
from saelib.exercises._derivation import Exercise, Mistake
from saelib.exercises._dictionary_numbers import DICTIONARY_QUESTIONS
from saelib.exercises._engine import check
from saelib.exercises._learner import as_typed
from saelib.exercises._numbers import QUESTIONS, check_number
from saelib.exercises._stages import check_stage
from saelib.exercises._verdict import Verdict
from saelib.exercises._ward import check_ward, ward_diagnoses, ward_runs

__all__ = [
    "QUESTIONS",
    "Mistake",
    "Verdict",
    "catalogue",
    "check_best_f1",
    "check_cost",
    "check_flatten",
    "check_forward",
    "check_gradient",
    "check_gradient_check",
    "check_kl_divergence",
    "check_kl_gradient",
    "check_l1_gradient",
    "check_maximal_inputs",
    "check_mean_activation",
    "check_nested_back",
    "check_normalize_patches",
    "check_number",
    "check_numerical_gradient",
    "check_pipeline",
    "check_project_gradient",
    "check_sample_patches",
    "check_sampler_tests",
    "check_shared_units",
    "check_sigmoid",
    "check_sigmoid_derivative",
    "check_sparse_gradient",
    "check_straight_through",
    "check_superposition_gradient",
    "check_top_k",
    "check_unexplained",
    "check_ward",
    "check_without_unit",
    "train_pipeline",
    "ward_diagnoses",
    "ward_runs",
    "wrong_answer",
]

QUESTIONS.update(DICTIONARY_QUESTIONS)
QUESTIONS.update(_inside.INSIDE_QUESTIONS)

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        _pointwise.SIGMOID,
        _pointwise.SIGMOID_DERIVATIVE,
        _network.FORWARD,
        _network.COST,
        _network.GRADIENT,
        _pointwise.MEAN_ACTIVATION,
        _pointwise.KL_DIVERGENCE,
        _pointwise.KL_GRADIENT,
        _network.SPARSE_GRADIENT,
        _vectors.NUMERICAL_GRADIENT,
        _vectors.FLATTEN,
        _patches.NORMALIZE_PATCHES,
        _vectors.MAXIMAL_INPUTS,
        *_dictionary.EXERCISES,
        *_thresholds.EXERCISES,
        *_features.EXERCISES,
        *_inside.EXERCISES,
    )
}


def catalogue() -> dict[str, tuple[Mistake, ...]]:
    """Return the mistakes that the checkers know, for each exercise.

    Returns
    -------
    dict of str to tuple of Mistake
        Name of the exercise to its mistakes.

    Examples
    --------
    >>> from saelib.exercises import catalogue
    >>> [mistake.name for mistake in catalogue()["kl_gradient"]][:2]
    ['sign', 'inner-derivative']
    """
    known = {name: exercise.mistakes for name, exercise in EXERCISES.items()}
    return known | {"sample_patches": _patches.SAMPLING_MISTAKES}


def wrong_answer(exercise: str, *mistakes: str) -> Callable[..., Any]:
    """Return the function of somebody who makes the given mistakes, to look at what follows.

    Parameters
    ----------
    exercise : str
        Name of an exercise, one of the keys of `catalogue` other than ``"sample_patches"``.
    *mistakes : str
        Names of mistakes of that exercise; none of them gives the right answer.

    Returns
    -------
    callable
        A function with the arguments and results of the exercise.

    Raises
    ------
    ValueError
        If the exercise or a mistake is not known.

    Examples
    --------
    >>> from saelib.exercises import wrong_answer
    >>> round(wrong_answer("kl_gradient", "sign")(0.2, 0.5), 4)
    -1.2
    """
    if exercise not in EXERCISES:
        raise ValueError(f"exercise is {exercise!r}; choose one of {', '.join(EXERCISES)}")
    known = [mistake.name for mistake in EXERCISES[exercise].mistakes]
    for mistake in mistakes:
        if mistake not in known:
            raise ValueError(
                f"{mistake!r} is not a mistake of {exercise}; choose from {', '.join(known)}"
            )
    names = ", ".join(f'"{name}"' for name in (exercise, *mistakes))
    wrong = partial(EXERCISES[exercise].outcome, mistakes=frozenset(mistakes))
    return as_typed(wrong, f"wrong_answer({names})")


def check_sample_patches(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``sample_patches(images, n_patches, patch_size, seed)``.

    Parameters
    ----------
    function : callable
        Takes a list of 2-D arrays, the number of patches, their side in pixels and a seed;
        returns an array of shape (n_patches, patch_size**2), each row one patch row by row.
        All images, and all positions in an image, must be possible.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_sample_patches
    >>> check_sample_patches(saelib.sample_patches).correct
    True
    """
    return _patches.check_sampling(function, seed=seed, time_limit=time_limit)


def check_sigmoid(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``sigmoid(z)``.

    Parameters
    ----------
    function : callable
        Takes an array of any shape and returns 1 / (1 + exp(-z)), Eq. (1.1), elementwise.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_sigmoid
    >>> check_sigmoid(saelib.sigmoid).correct
    True
    """
    return check(EXERCISES["sigmoid"], function, seed=seed, time_limit=time_limit)


def check_sigmoid_derivative(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``sigmoid_derivative(a)``.

    Parameters
    ----------
    function : callable
        Takes activations a = f(z) and returns f'(z), Eq. (1.3), elementwise.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_sigmoid_derivative
    >>> check_sigmoid_derivative(lambda a: a - a**2).correct
    True
    """
    return check(EXERCISES["sigmoid_derivative"], function, seed=seed, time_limit=time_limit)


def check_forward(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``forward(W1, W2, b1, b2, X)``.

    Parameters
    ----------
    function : callable
        Returns the output Y of a sigmoid network, Eqs. (1.4) and (1.5), shape
        (n_samples, n_features).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib import Parameters, decode, encode
    >>> from saelib.exercises import check_forward
    >>> def forward(W1, W2, b1, b2, X):
    ...     p = Parameters(W1, W2, b1, b2)
    ...     return decode(encode(X, p), p)
    >>> check_forward(forward).correct
    True
    """
    return check(EXERCISES["forward"], function, seed=seed, time_limit=time_limit)


def check_cost(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)``.

    Parameters
    ----------
    function : callable
        Returns `J_sparse`, Eq. (4.3), of a sigmoid autoencoder as a float.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib import Parameters, SparseObjective
    >>> from saelib.exercises import check_cost
    >>> def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    ...     objective = SparseObjective(
    ...         X,
    ...         len(W1),
    ...         weight_decay=weight_decay,
    ...         sparsity_target=sparsity_target,
    ...         sparsity_weight=sparsity_weight,
    ...     )
    ...     return objective(Parameters(W1, W2, b1, b2).ravel())[0]
    >>> check_cost(cost).correct
    True
    """
    return check(EXERCISES["cost"], function, seed=seed, time_limit=time_limit)


def check_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``gradient(W1, W2, b1, b2, X, weight_decay)``.

    Parameters
    ----------
    function : callable
        Returns the gradients of W1, W2, b1, b2, in this order, of the cost without sparsity
        penalty, Eq. (1.7) with weight decay.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_gradient
    >>> check_gradient(lambda W1, W2, b1, b2, X, weight_decay: (W1, W2, b1, b2)).correct
    False
    """
    return check(EXERCISES["gradient"], function, seed=seed, time_limit=time_limit)


def check_mean_activation(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``mean_activation(A)``.

    Parameters
    ----------
    function : callable
        Takes sigmoid activations (n_samples, n_hidden); returns rho_hat, Eq. (3.1), shape
        (n_hidden,).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_mean_activation
    >>> check_mean_activation(saelib.mean_activation).correct
    True
    """
    return check(EXERCISES["mean_activation"], function, seed=seed, time_limit=time_limit)


def check_kl_divergence(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``kl_divergence(rho, rho_hat)``.

    Parameters
    ----------
    function : callable
        Takes a target in (0, 1) and mean activations in (0, 1), a float or a vector; returns
        KL(rho ‖ rho_hat), Eq. (4.1), elementwise.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_kl_divergence
    >>> check_kl_divergence(saelib.kl_divergence).correct
    True
    """
    return check(EXERCISES["kl_divergence"], function, seed=seed, time_limit=time_limit)


def check_kl_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``kl_gradient(rho, rho_hat)``.

    Parameters
    ----------
    function : callable
        Takes a target in (0, 1) and mean activations in (0, 1), a float or a vector; returns
        the derivative with respect to rho_hat, Eq. (4.2), elementwise.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_kl_gradient
    >>> check_kl_gradient(saelib.kl_gradient).correct
    True
    """
    return check(EXERCISES["kl_gradient"], function, seed=seed, time_limit=time_limit)


def check_sparse_gradient(
    function: Callable[..., Any],
    *,
    stage: str | None = None,
    seed: int | None = None,
    time_limit: float = 10.0,
) -> Verdict:
    """Check ``sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)``.

    Parameters
    ----------
    function : callable
        Returns the gradients of W1, W2, b1, b2, in this order, of `J_sparse`; the error term of
        the hidden layer is Eq. (5.1).
    stage : {"rho_hat", "delta3", "delta2"}, optional
        How far the function goes: it then returns this quantity alone, one row per example
        for the error terms. Each verdict leads to the next stage.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib import Parameters, SparseObjective
    >>> from saelib.exercises import check_sparse_gradient
    >>> def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    ...     objective = SparseObjective(
    ...         X,
    ...         len(W1),
    ...         weight_decay=weight_decay,
    ...         sparsity_target=sparsity_target,
    ...         sparsity_weight=sparsity_weight,
    ...     )
    ...     gradient = objective(Parameters(W1, W2, b1, b2).ravel())[1]
    ...     g = Parameters.unravel(gradient, W1.shape[1], W1.shape[0])
    ...     return g.W1, g.W2, g.b1, g.b2
    >>> check_sparse_gradient(sparse_gradient).correct
    True
    """
    if stage is not None:
        return check_stage(
            EXERCISES["sparse_gradient"],
            ("rho_hat", "delta3", "delta2"),
            stage,
            function,
            seed=seed,
            time_limit=time_limit,
        )
    return check(EXERCISES["sparse_gradient"], function, seed=seed, time_limit=time_limit)


def check_numerical_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``numerical_gradient(f, theta, step)``.

    Parameters
    ----------
    function : callable
        Takes a function of a vector, a vector and the step; returns the gradient by central
        differences, Eq. (5.2).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_numerical_gradient
    >>> check_numerical_gradient(saelib.numerical_gradient).correct
    True
    """
    return check(EXERCISES["numerical_gradient"], function, seed=seed, time_limit=time_limit)


def check_gradient_check(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check your own gradient check: it is tried on a right gradient and on twelve wrong ones.

    Parameters
    ----------
    function : callable
        Takes a cost J(theta), its supposed gradient g(theta) and a point theta; returns True if
        the gradient passes and False if not.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong; ``mistakes`` are the wrong gradients that it lets through.

    Examples
    --------
    >>> from saelib import numerical_gradient, relative_error
    >>> from saelib.exercises import check_gradient_check
    >>> def passes(J, gradient, theta):
    ...     return relative_error(numerical_gradient(J, theta), gradient(theta)) < 1e-6
    >>> check_gradient_check(passes)
    ✓ gradient_check: right.
      It accepts the right gradient and refuses 12 wrong ones.
    """
    return _turned.judge_gradient_check(
        function,
        EXERCISES["sparse_gradient"],
        EXERCISES["cost"],
        seed=seed,
        time_limit=time_limit,
    )


def check_sampler_tests(function: Callable[..., Any], *, time_limit: float = 10.0) -> Verdict:
    """Check your own tests of a sampler: they are tried on a right one and on ten wrong ones.

    Parameters
    ----------
    function : callable
        Takes a function ``sample_patches(images, n_patches, patch_size, seed)``; returns True if
        it passes your tests and False if not.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong; ``mistakes`` are the wrong samplers that your tests let through.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.exercises import check_sampler_tests
    >>> def passes(sample_patches):
    ...     return sample_patches([np.eye(9)], 5, 3, 0).shape == (5, 9)
    >>> check_sampler_tests(passes).mistakes[:2]
    ('last-position-missing', 'first-position-missing')
    """
    return _turned.judge_sampler_tests(function, _patches.SAMPLING_MISTAKES, time_limit=time_limit)


def check_flatten(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``flatten(W1, W2, b1, b2)``.

    Parameters
    ----------
    function : callable
        Returns the flat parameter vector: W1, W2, b1, b2, each row by row.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib import Parameters
    >>> from saelib.exercises import check_flatten
    >>> check_flatten(lambda *parts: Parameters(*parts).ravel()).correct
    True
    """
    return check(EXERCISES["flatten"], function, seed=seed, time_limit=time_limit)


def check_normalize_patches(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``normalize_patches(patches)``.

    Parameters
    ----------
    function : callable
        Takes patches (n_patches, n_pixels); removes each patch's own mean, clips at three
        standard deviations and maps to [0.1, 0.9], Eq. (6.2).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_normalize_patches
    >>> check_normalize_patches(saelib.normalize_patches).correct
    True
    """
    return check(EXERCISES["normalize_patches"], function, seed=seed, time_limit=time_limit)


def check_maximal_inputs(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``maximal_inputs(W1)``.

    Parameters
    ----------
    function : callable
        Takes weights (n_hidden, n_features); returns for every unit the input of norm 1 that
        excites it most, Eq. (7.1).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import saelib
    >>> from saelib.exercises import check_maximal_inputs
    >>> check_maximal_inputs(saelib.maximal_inputs).correct
    True
    """
    return check(EXERCISES["maximal_inputs"], function, seed=seed, time_limit=time_limit)


def check_superposition_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``superposition_gradient(W, b, X)``.

    Parameters
    ----------
    function : callable
        Returns the gradients by W and b of the cost of the toy model of superposition,
        Eq. (11.2).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.exercises import check_superposition_gradient
    >>> from saelib.superposition import superposition_cost
    >>> def gradient(W, b, X):
    ...     g = superposition_cost(np.concatenate([W.ravel(), b]), X, len(W))[1]
    ...     return g[: W.size].reshape(W.shape), g[W.size :]
    >>> check_superposition_gradient(gradient).correct
    True
    """
    return check(EXERCISES["superposition_gradient"], function, seed=seed, time_limit=time_limit)


def check_l1_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``l1_gradient(W1, W2, b1, b2, X, sparsity_weight)``.

    Parameters
    ----------
    function : callable
        Returns the gradients of W1, W2, b1, b2, in this order, of the cost with rectified units,
        linear output and an L1 penalty; the error term of the hidden layer is Eq. (12.4).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib import Parameters
    >>> from saelib.codes import L1ReLU
    >>> from saelib.dictionary import dictionary_cost
    >>> from saelib.exercises import check_l1_gradient
    >>> def gradient(W1, W2, b1, b2, X, sparsity_weight):
    ...     g = dictionary_cost(X, Parameters(W1, W2, b1, b2), L1ReLU(sparsity_weight)).gradient
    ...     return g.W1, g.W2, g.b1, g.b2
    >>> check_l1_gradient(gradient).correct
    True
    """
    return check(EXERCISES["l1_gradient"], function, seed=seed, time_limit=time_limit)


def check_project_gradient(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``project_gradient(gradient, W2)``.

    Parameters
    ----------
    function : callable
        Takes derivatives by W2 (n_features, n_hidden), and W2 with columns of norm 1; returns
        the derivatives without their part along each column, Eq. (12.6).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.dictionary import project_gradient
    >>> from saelib.exercises import check_project_gradient
    >>> check_project_gradient(project_gradient).correct
    True
    """
    return check(EXERCISES["project_gradient"], function, seed=seed, time_limit=time_limit)


def check_unexplained(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``unexplained(X, X_hat)``.

    Parameters
    ----------
    function : callable
        Takes data and their reconstructions (n_samples, n_features); returns the share of the
        variance that is left unexplained, Eq. (2.3).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_unexplained
    >>> from saelib.features import unexplained_variance
    >>> check_unexplained(unexplained_variance).correct
    True
    """
    return check(EXERCISES["unexplained"], function, seed=seed, time_limit=time_limit)


def check_top_k(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``top_k(Z, k)``.

    Parameters
    ----------
    function : callable
        Takes weighted inputs (n_samples, n_hidden) and a number; returns the code in which the
        k largest of each example stay, if positive, and the slope of the code, Eq. (13.2).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.codes import TopK
    >>> from saelib.exercises import check_top_k
    >>> check_top_k(lambda Z, k: TopK(k)(Z)[:2]).correct
    True
    """
    return check(EXERCISES["top_k"], function, seed=seed, time_limit=time_limit)


def check_straight_through(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``straight_through(Z, back, threshold, sparsity_weight, bandwidth)``.

    Parameters
    ----------
    function : callable
        Takes weighted inputs and the error passed back, both (n_samples, n_hidden), a threshold
        for each unit, the price of an active unit and the width of the window; returns one
        estimate for each threshold, Eq. (14.5).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_straight_through
    >>> from saelib.thresholds import straight_through
    >>> check_straight_through(straight_through).correct
    True
    """
    return check(EXERCISES["straight_through"], function, seed=seed, time_limit=time_limit)


def check_nested_back(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``nested_back(errors, W2, prefixes)``.

    Parameters
    ----------
    function : callable
        Takes the error of each prefix (n_prefixes, n_samples, n_features), the dictionary
        (n_features, n_hidden) and where the prefixes end; returns what is passed back to each
        unit, (n_samples, n_hidden): the error of its block, Eq. (15.3), times its column.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib.exercises import check_nested_back
    >>> def back(errors, W2, prefixes):
    ...     edges, columns = [0, *prefixes], []
    ...     for first, (low, high) in enumerate(zip(edges, edges[1:])):
    ...         columns.append(errors[first:].sum(axis=0) @ W2[:, low:high] / len(prefixes))
    ...     return np.hstack(columns)
    >>> check_nested_back(back).correct
    True
    """
    return check(EXERCISES["nested_back"], function, seed=seed, time_limit=time_limit)


def check_shared_units(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``shared_units(W2, other)``.

    Parameters
    ----------
    function : callable
        Takes two dictionaries (n_features, n_hidden); returns the share of the pairs made by
        Eq. (12.1) whose cosine is above 0.9.
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_shared_units
    >>> from saelib.recovery import shared_units
    >>> check_shared_units(shared_units).correct
    True
    """
    return check(EXERCISES["shared_units"], function, seed=seed, time_limit=time_limit)


def check_best_f1(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``best_f1(scores, truth)``.

    Parameters
    ----------
    function : callable
        Takes the scores (n_samples,) and whether a label is true (n_samples,); returns the best
        F1 of "the score is above a threshold", Eq. (16.3).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_best_f1
    >>> from saelib.inside import best_f1
    >>> check_best_f1(lambda scores, truth: best_f1(scores, truth)[0]).correct
    True
    """
    return check(EXERCISES["best_f1"], function, seed=seed, time_limit=time_limit)


def check_without_unit(
    function: Callable[..., Any], *, seed: int | None = None, time_limit: float = 10.0
) -> Verdict:
    """Check ``without_unit(stream, A, W2, unit, scale)``.

    Parameters
    ----------
    function : callable
        Takes rows of a network (n_samples, n_features), their code (n_samples, n_hidden), the
        dictionary (n_features, n_hidden), the number of a unit, and what the rows were multiplied
        by before the dictionary read them; returns the rows without the unit, Eq. (16.4).
    seed : int, optional
        Seed of the checker's own inputs; by default they are different each time.
    time_limit : float, greater than 0
        Seconds after which a call is given up.

    Returns
    -------
    verdict : Verdict
        Right or wrong, and why.

    Examples
    --------
    >>> from saelib.exercises import check_without_unit
    >>> from saelib.inside import without_unit
    >>> check_without_unit(without_unit).correct
    True
    """
    return check(EXERCISES["without_unit"], function, seed=seed, time_limit=time_limit)
