"""Thresholds that units learn: what they keep, and what is put in place of a derivative."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import Parameters, relative_error
from saelib.codes import L1ReLU
from saelib.dictionary import dictionary_cost, reconstruct, unit_start
from saelib.dictionary_training import train_dictionary
from saelib.planted import planted
from saelib.thresholds import (
    Gated,
    JumpReLU,
    in_window,
    straight_through,
    threshold_difference,
    threshold_of_gate,
)

N, H, M = 5, 9, 60
BETA, WIDTH = 0.07, 0.3


def problem(seed, m=M):
    rng = np.random.default_rng(seed)
    start = unit_start(N, H, rng)
    p = Parameters.unravel(start.ravel() + 0.1 * rng.normal(size=start.ravel().size), N, H)
    return rng.normal(size=(m, N)), p, rng.uniform(0.2, 0.9, size=H)


def cost(X, p, t, beta=BETA):
    return dictionary_cost(X, p, JumpReLU(beta, WIDTH, t)).total


def brute_force(X, p, t, beta, bandwidth):
    """Move one threshold at a time."""
    steps = bandwidth / 2 * np.eye(H)
    up, down = (np.array([cost(X, p, t + sign * e, beta) for e in steps]) for sign in (1, -1))
    return (up - down) / bandwidth


@pytest.mark.equation("own-threshold")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_above_the_threshold_of_its_own_unit_stays(seed):
    X, p, t = problem(seed)
    Z = X @ p.W1.T + p.b1
    for rule in (JumpReLU(BETA, WIDTH, t), Gated(BETA, t)):
        A = rule(Z).A
        for z, a, threshold in zip(Z.T, A.T, t, strict=True):
            assert a.tolist() == [value if value > threshold else 0 for value in z]
    assert JumpReLU(BETA, WIDTH, t)(Z).penalty == pytest.approx(BETA * (t < Z).sum() / M)


@pytest.mark.parametrize("seed", range(5))
def test_the_derivative_by_a_threshold_is_0_and_the_estimate_is_not(seed):
    X, p, t = problem(seed)
    assert not brute_force(X, p, t, BETA, 1e-7).any()
    Z = X @ p.W1.T + p.b1
    assert np.all(in_window(Z, t, WIDTH).any(axis=0))
    assert np.abs(dictionary_cost(X, p, JumpReLU(BETA, WIDTH, t)).own).min() > 1e-4


@pytest.mark.equation("threshold-difference")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), bandwidth=st.sampled_from([0.4, 0.1, 0.02]))
def test_the_exact_difference_is_that_of_moving_every_threshold(seed, bandwidth):
    X, p, t = problem(seed)
    formula = threshold_difference(X, p, t, BETA, bandwidth)
    np.testing.assert_allclose(formula, brute_force(X, p, t, BETA, bandwidth), atol=1e-12)


@pytest.mark.equation("straight-through")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), bandwidth=st.sampled_from([0.4, 0.1, 0.02]))
def test_the_estimate_of_the_price_is_exactly_its_central_difference(seed, bandwidth):
    X, p, t = problem(seed)
    Z = X @ p.W1.T + p.b1
    nothing = np.zeros_like(Z)
    estimate = straight_through(Z, nothing, t, BETA, bandwidth)
    both = brute_force(X, p, t, BETA, bandwidth) - brute_force(X, p, t, 0.0, bandwidth)
    np.testing.assert_allclose(estimate, both, atol=1e-12)


@pytest.mark.equation("straight-through")
@pytest.mark.parametrize("seed", range(5))
def test_where_on_and_off_are_in_balance_the_estimate_of_the_error_is_close(seed):
    X, p, t = problem(seed, 200_000)
    Z = X @ p.W1.T + p.b1
    X_hat = reconstruct(X, p, JumpReLU(0.0, 0.1, t))[1]
    estimate = straight_through(Z, (X_hat - X) @ p.W2, t, 0.0, 0.1)
    exact = threshold_difference(X, p, t, 0.0, 0.1)
    assert relative_error(estimate, exact) < 0.1
    # With the sign of one of its parts changed, or half of the window, it is not.
    assert relative_error(-estimate, exact) > 0.5
    assert relative_error(estimate / 2, exact) > 0.3


def jump_by_jax(Z, t, bandwidth):
    """The rule as it is published, for automatic differentiation: a jump with its own backward."""

    @jax.custom_vjp
    def jump(z, t):
        return z * (z > t)

    def backward(saved, g):
        z, t = saved
        window = (jnp.abs(z - t) < bandwidth / 2) / bandwidth
        return g * (z > t), jnp.sum(-t * window * g, axis=0)

    jump.defvjp(lambda z, t: (jump(z, t), (z, t)), backward)

    @jax.custom_vjp
    def is_on(z, t):
        return (z > t) * 1.0

    def on_backward(saved, g):
        z, t = saved
        window = (jnp.abs(z - t) < bandwidth / 2) / bandwidth
        return jnp.zeros_like(z), jnp.sum(-window * g, axis=0)

    is_on.defvjp(lambda z, t: (is_on(z, t), (z, t)), on_backward)
    return jump(Z, t), is_on(Z, t)


def unravel(theta):
    W1, W2 = theta[: H * N].reshape(H, N), theta[H * N : 2 * H * N].reshape(N, H)
    return W1, W2, theta[2 * H * N : 2 * H * N + H], theta[2 * H * N + H : 2 * H * N + H + N]


@pytest.mark.equation("straight-through")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_jump_relu_agrees_with_automatic_differentiation_that_carries_the_same_rule(seed):
    X, p, t = problem(seed)

    def by_jax(theta):
        W1, W2, b1, b2 = unravel(theta)
        log_t = theta[-H:]
        A, on = jump_by_jax(X @ W1.T + b1, jnp.exp(log_t), WIDTH)
        return ((A @ W2.T + b2 - X) ** 2).sum() / (2 * M) + BETA * on.sum() / M

    mine = dictionary_cost(X, p, JumpReLU(BETA, WIDTH, t))
    with jax.enable_x64(True):
        theta = np.concatenate([p.ravel(), np.log(t)])
        value, gradient = jax.value_and_grad(by_jax)(theta)
    assert mine.total == pytest.approx(float(value), rel=1e-13)
    assert relative_error(np.append(mine.gradient.ravel(), mine.own), np.asarray(gradient)) < 1e-13


@pytest.mark.equation("gate-cost")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_gated_agrees_with_automatic_differentiation(seed):
    X, p, t = problem(seed)
    log_scale = np.random.default_rng(seed).normal(scale=0.3, size=H)

    def by_jax(theta):
        W1, W2, b1, b2 = unravel(theta)
        t, log_scale = theta[-2 * H : -H], theta[-H:]
        Z = X @ W1.T + b1
        A = jnp.where((t < Z) & (Z > 0), Z, 0)
        G = jax.nn.relu((Z - t) * jnp.exp(-log_scale))
        fixed_W2, fixed_b2 = jax.lax.stop_gradient(W2), jax.lax.stop_gradient(b2)
        squares = ((A @ W2.T + b2 - X) ** 2).sum() + ((G @ fixed_W2.T + fixed_b2 - X) ** 2).sum()
        return squares / (2 * M) + BETA * G.sum() / M

    mine = dictionary_cost(X, p, Gated(BETA, t, np.exp(log_scale)))
    with jax.enable_x64(True):
        theta = np.concatenate([p.ravel(), t, log_scale])
        value, gradient = jax.value_and_grad(by_jax)(theta)
    assert mine.total == pytest.approx(float(value), rel=1e-13)
    assert relative_error(np.append(mine.gradient.ravel(), mine.own), np.asarray(gradient)) < 1e-13


@pytest.mark.equation("gate")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_gated_unit_of_the_paper_is_a_threshold_with_rescaled_rows(seed):
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(M, N)), rng.normal(size=(H, N))
    log_gain, gate_bias, magnitude_bias = rng.normal(scale=0.5, size=(3, H))
    magnitude = np.exp(log_gain) * (X @ w.T) + magnitude_bias
    of_the_paper = np.where(X @ w.T + gate_bias > 0, np.maximum(magnitude, 0), 0)
    t = threshold_of_gate(log_gain, gate_bias, magnitude_bias)
    rows = Parameters(np.exp(log_gain)[:, None] * w, np.zeros((N, H)), magnitude_bias, np.zeros(N))
    A, _ = reconstruct(X, rows, Gated(0.1, t))
    np.testing.assert_allclose(A, of_the_paper, atol=1e-12)


def test_the_gate_s_own_cost_is_that_of_l1_with_the_dictionary_held_fixed():
    X, p, t = problem(3)
    scale = np.linspace(0.5, 2, H)
    gate = Parameters(p.W1 / scale[:, None], p.W2, (p.b1 - t) / scale, p.b2)
    l1 = dictionary_cost(X, gate, L1ReLU(BETA))
    Z = X @ p.W1.T + p.b1
    lesson = Gated(BETA, t, scale).learn(X, p, Z, np.zeros_like(Z))
    assert lesson.penalty == pytest.approx(l1.total, rel=1e-12)
    np.testing.assert_allclose(-lesson.own[:H] * scale, l1.gradient.b1, rtol=1e-10)


SMALL = planted(1500, n_features=8, n_directions=12, n_active=1.5, seed=0).X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", [JumpReLU(0.05), Gated(0.4)], ids=["JumpReLU", "Gated"])
def test_thresholds_are_learned_with_the_weights(rule, dtype):
    learned = train_dictionary(SMALL, 16, rule, n_steps=400, batch_size=100, dtype=dtype)
    t = np.asarray(learned.rule.threshold)
    assert t.shape == (16,)
    assert t.dtype == dtype
    assert np.ptp(t) > 0.05
    assert learned.costs[-30:].mean() < 0.9 * learned.costs[:3].mean()
    np.testing.assert_allclose(np.linalg.norm(learned.parameters.W2, axis=0), 1, rtol=1e-5)
    one = reconstruct(SMALL[:1].astype(dtype), learned.parameters, learned.rule)[0]
    all_of_them = reconstruct(SMALL.astype(dtype), learned.parameters, learned.rule)[0]
    np.testing.assert_allclose(one, all_of_them[:1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", [JumpReLU(0.05, 0.2, 0.4), Gated(0.4, 0.3, 1.5)])
def test_its_own_numbers_go_out_and_come_back(rule):
    own = rule.own_numbers(4)
    again = rule.with_own_numbers(own)
    np.testing.assert_allclose(again.threshold, np.full(4, rule.threshold))
    np.testing.assert_allclose(again.own_numbers(4), own)


@pytest.mark.parametrize("rule", [JumpReLU(0.05, 0.2, 0.4), Gated(0.4, 0.3, 1.5)])
def test_float32_stays_float32(rule):
    X, p, _ = problem(2)
    small = Parameters(*(block.astype(np.float32) for block in (p.W1, p.W2, p.b1, p.b2)))
    cost = dictionary_cost(X.astype(np.float32), small, rule)
    wide = dictionary_cost(X, p, rule)
    assert cost.gradient.ravel().dtype == cost.own.dtype == np.float32
    assert cost.total == pytest.approx(wide.total, rel=1e-4)
    assert relative_error(cost.own, wide.own) < 0.05


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JumpReLU(-1.0), "sparsity_weight is -1.0"),
        (lambda: JumpReLU(0.1, 0.0), "bandwidth is 0.0"),
        (lambda: JumpReLU(0.1, threshold=np.array([0.1, 0.0])), "threshold holds 0.0"),
        (lambda: Gated(0.1, scale=-2.0), "scale holds -2.0"),
        (lambda: Gated(-0.1), "sparsity_weight is -0.1"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
