"""The Bernoulli divergence, its slope and the mean activation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from saelib.sparsity import kl_divergence, kl_gradient, mean_activation

inside = st.floats(1e-3, 1 - 1e-3)


@pytest.mark.equation("kl-bernoulli")
@settings(deadline=None, max_examples=50)
@given(inside, inside)
def test_divergence_is_the_sum_over_both_outcomes(rho, rho_hat):
    p, q = (rho, 1 - rho), (rho_hat, 1 - rho_hat)
    expected = sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))
    assert float(kl_divergence(rho, rho_hat)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.equation("kl-bernoulli")
@settings(deadline=None, max_examples=50)
@given(inside, inside)
def test_divergence_is_cross_entropy_minus_entropy(rho, rho_hat):
    cross_entropy = -xlogy(rho, rho_hat) - xlogy(1 - rho, 1 - rho_hat)
    entropy = -xlogy(rho, rho) - xlogy(1 - rho, 1 - rho)
    assert float(kl_divergence(rho, rho_hat)) == pytest.approx(cross_entropy - entropy, abs=1e-13)


@pytest.mark.equation("kl-bernoulli")
@settings(deadline=None, max_examples=50)
@given(inside, inside)
def test_divergence_is_never_negative_and_zero_at_the_target(rho, rho_hat):
    assert kl_divergence(rho, rho_hat) >= 0
    assert kl_divergence(rho, np.nextafter(rho, 1)) >= 0
    assert kl_divergence(rho, rho) == 0


@pytest.mark.equation("kl-bernoulli", "kl-gradient")
def test_both_ends_are_infinite_without_a_warning():
    assert kl_divergence(0.2, [0.0, 1.0]).tolist() == [math.inf, math.inf]
    assert kl_gradient(0.2, [0.0, 1.0]).tolist() == [-math.inf, math.inf]


@pytest.mark.equation("kl-bernoulli")
def test_divergence_is_not_symmetric():
    assert kl_divergence(0.2, 0.5) != pytest.approx(kl_divergence(0.5, 0.2), rel=0.05)


@pytest.mark.equation("kl-gradient")
@settings(deadline=None, max_examples=50)
@given(inside, st.floats(0.05, 0.95))
def test_gradient_is_the_slope_of_the_divergence(rho, rho_hat):
    step = 1e-5
    slope = (kl_divergence(rho, rho_hat + step) - kl_divergence(rho, rho_hat - step)) / (2 * step)
    assert float(kl_gradient(rho, rho_hat)) == pytest.approx(slope, abs=1e-5)


@pytest.mark.equation("kl-gradient")
@settings(deadline=None, max_examples=50)
@given(inside, inside)
def test_gradient_points_away_from_the_target(rho, rho_hat):
    assert np.sign(np.round(kl_gradient(rho, rho_hat), 9)) in (0, np.sign(rho_hat - rho))
    assert kl_gradient(rho, rho) == pytest.approx(0, abs=1e-12)


def test_both_work_elementwise_and_broadcast():
    rho = np.array([[0.1], [0.2]])
    rho_hat = np.array([0.1, 0.2, 0.3])
    for function in (kl_divergence, kl_gradient):
        table = function(rho, rho_hat)
        assert table.shape == (2, 3)
        assert table[1, 2] == function(0.2, 0.3)
        assert np.ndim(function(0.2, 0.3)) == 0


@pytest.mark.parametrize("function", [kl_divergence, kl_gradient])
@pytest.mark.parametrize("rho", [0.0, 1.0, -0.1, 1.5, math.nan, [0.2, 0.0]])
def test_target_outside_the_open_interval_is_refused(function, rho):
    with pytest.raises(ValueError, match=r"rho is .* strictly between 0 and 1"):
        function(rho, 0.2)


@pytest.mark.parametrize("function", [kl_divergence, kl_gradient])
@pytest.mark.parametrize("rho_hat", [-0.1, 1.5, math.nan, [0.2, -0.5]])
def test_mean_outside_the_closed_interval_is_refused_with_a_hint_at_tanh(function, rho_hat):
    with pytest.raises(ValueError, match=r"rho_hat holds .* \[0, 1\].*tanh"):
        function(0.2, rho_hat)


@pytest.mark.equation("mean-activation")
def test_mean_activation_averages_over_the_examples():
    A = np.array([[0.0, 0.2], [1.0, 0.4], [0.5, 0.9]])
    assert mean_activation(A) == pytest.approx([0.5, 0.5])


@pytest.mark.equation("mean-activation-tanh")
def test_mean_activation_of_tanh_units_runs_from_0_to_1():
    A = np.array([[-1.0, -1.0, 1.0, 0.0], [-1.0, 1.0, 1.0, -0.5]])
    expected = ((1 + A) / 2).mean(axis=0)
    assert mean_activation(A, activation="tanh") == pytest.approx(expected)
    assert expected == pytest.approx([0.0, 0.5, 1.0, 0.375])


@pytest.mark.equation("mean-activation")
def test_activations_of_tanh_units_are_not_taken_for_those_of_sigmoid_units():
    A = np.array([[-0.5, 0.2], [0.9, 0.4]])  # both means lie in [0, 1]
    with pytest.raises(ValueError, match=r"A holds values from -0.5 to 0.9.*check activation"):
        mean_activation(A)


def test_mean_activation_of_float32_is_summed_in_float64():
    A = np.full((1_000_000, 1), 0.1, dtype=np.float32)
    assert mean_activation(A)[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("A", [np.zeros(3), np.zeros((0, 3)), 0.5])
def test_mean_activation_refuses_what_is_not_a_table_of_activations(A):
    with pytest.raises(ValueError, match="A has shape"):
        mean_activation(A)


def test_mean_activation_refuses_an_unknown_activation():
    with pytest.raises(ValueError, match="activation is 'relu'; choose one of 'sigmoid', 'tanh'"):
        mean_activation(np.zeros((2, 2)), activation="relu")
