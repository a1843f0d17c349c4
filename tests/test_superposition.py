"""The toy model of superposition: its gradient, and what it makes of more features than numbers."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import numerical_gradient, relative_error
from saelib.superposition import (
    fit_superposition,
    sparse_inputs,
    superposition_cost,
    superposition_output,
)


def problem(seed, n=5, h=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=h * n + n), sparse_inputs(40, n, 0.5, rng)


@pytest.mark.equation("superposition-gradient", "superposition-model")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_cost_and_gradient_agree_with_automatic_differentiation(seed):
    theta, X = problem(seed)

    def cost(theta):
        W, b = theta[:10].reshape(2, 5), theta[10:]
        return ((jax.nn.relu(X @ W.T @ W + b) - X) ** 2).sum() / (2 * len(X))

    with jax.enable_x64(True):
        value, expected = jax.value_and_grad(cost)(theta)
    mine, gradient = superposition_cost(theta, X, 2)
    assert mine == pytest.approx(float(value), rel=1e-13)
    assert relative_error(gradient, np.asarray(expected)) < 1e-13
    X_hat = superposition_output(X, theta[:10].reshape(2, 5), theta[10:])
    assert mine == pytest.approx(np.sum((X_hat - X) ** 2) / 80)


@pytest.mark.equation("superposition-gradient")
def test_the_gradient_agrees_with_central_differences():
    theta, X = problem(3)
    numerical = numerical_gradient(lambda t: superposition_cost(t, X, 2)[0], theta, step=1e-6)
    assert relative_error(numerical, superposition_cost(theta, X, 2)[1]) < 1e-8


def kept(density, seed=0):
    X = sparse_inputs(3000, 5, density, seed)
    return int(np.sum(np.linalg.norm(fit_superposition(X, 2, seed=seed)[0], axis=0) > 0.5))


@pytest.mark.parametrize(("density", "n_kept"), [(0.05, 5), (0.4, 4)])
def test_rare_features_share_two_numbers_and_frequent_ones_leave_one_out(density, n_kept):
    assert kept(density) == n_kept


def test_the_best_of_several_starts_is_returned():
    X = sparse_inputs(2000, 5, 0.05, 0)
    costs = []
    for n_starts in (1, 3, 6):
        W, b = fit_superposition(X, 2, seed=4, n_starts=n_starts)
        costs.append(superposition_cost(np.concatenate([W.ravel(), b]), X, 2)[0])
    assert costs == sorted(costs, reverse=True)


def test_wrong_sizes_and_features_that_are_never_on_are_refused():
    with pytest.raises(ValueError, match=r"theta has shape \(3,\)"):
        superposition_cost(np.zeros(3), np.ones((4, 5)), 2)
    with pytest.raises(ValueError, match="density is 0"):
        sparse_inputs(10, 5, 0.0, 0)
