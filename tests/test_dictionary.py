"""One cost and gradient for all rules, columns of norm 1, and training with both."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from saelib import (
    Parameters,
    SparseObjective,
    dictionary_training,
    numerical_gradient,
    relative_error,
)
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, Threshold, TopK
from saelib.dictionary import (
    auxiliary_cost,
    dictionary_cost,
    project_gradient,
    reconstruct,
    unit_columns,
    unit_start,
)
from saelib.dictionary_training import train_dictionary
from saelib.planted import planted

N, H, M = 6, 12, 40
RULES = [KLSigmoid(0.1, 3.0), L1ReLU(0.1), TopK(3), BatchTopK(2.5), Threshold(0.3)]


def problem(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    start = unit_start(N, H, rng)
    theta = start.ravel() + 0.1 * rng.normal(size=start.ravel().size)
    return rng.normal(size=(M, N)).astype(dtype), theta.astype(dtype)


def in_every_rule(test):
    return pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)(test)


def code_by_jax(Z, rule):
    """The code and the penalty, written once more, for automatic differentiation."""
    m = len(Z)
    match rule:
        case KLSigmoid(rho, beta):
            A = jax.nn.sigmoid(Z)
            q = A.mean(axis=0)
            kl = rho * jnp.log(rho / q) + (1 - rho) * jnp.log((1 - rho) / (1 - q))
            return A, beta * kl.sum()
        case L1ReLU(beta):
            A = jax.nn.relu(Z)
            return A, beta * jnp.abs(A).sum() / m
        case TopK(k):
            places = jax.lax.top_k(Z, k)[1]
            mask = jnp.zeros_like(Z).at[jnp.arange(m)[:, None], places].set(1.0)
        case BatchTopK(k):
            places = jax.lax.top_k(Z.ravel(), round(k * m))[1]
            mask = jnp.zeros(Z.size).at[places].set(1.0).reshape(Z.shape)
        case Threshold(threshold):
            mask = jnp.where(threshold <= Z, 1.0, 0.0)
    return jax.nn.relu(Z) * mask, 0.0


def cost_by_jax(theta, X, rule):
    W1, W2 = theta[: H * N].reshape(H, N), theta[H * N : 2 * H * N].reshape(N, H)
    b1, b2 = theta[2 * H * N : 2 * H * N + H], theta[2 * H * N + H :]
    A, penalty = code_by_jax(X @ W1.T + b1, rule)
    return ((A @ W2.T + b2 - X) ** 2).sum() / (2 * len(X)) + penalty


value_and_gradient = jax.jit(jax.value_and_grad(cost_by_jax), static_argnums=2)


@pytest.mark.equation("dictionary-cost", "bracket-and-slope")
@in_every_rule
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_cost_and_gradient_agree_with_automatic_differentiation(rule, seed):
    X, theta = problem(seed)
    cost = dictionary_cost(X, Parameters.unravel(theta, N, H), rule)
    with jax.enable_x64(True):
        value, gradient = value_and_gradient(theta, X, rule)
    assert cost.total == pytest.approx(float(value), rel=1e-13)
    assert relative_error(cost.gradient.ravel(), np.asarray(gradient)) < 1e-13


@pytest.mark.equation("dictionary-cost", "bracket-and-slope")
@in_every_rule
def test_the_gradient_agrees_with_central_differences(rule):
    X, theta = problem(1)

    def cost(theta):
        return dictionary_cost(X, Parameters.unravel(theta, N, H), rule).total

    gradient = dictionary_cost(X, Parameters.unravel(theta, N, H), rule).gradient.ravel()
    # The cost jumps where the choice of units changes; with so small a step it does not, here.
    assert relative_error(numerical_gradient(cost, theta, step=1e-6), gradient) < 1e-8


@in_every_rule
def test_float32_gives_float32_and_nearly_the_same(rule):
    X, theta = problem(2)
    wide = dictionary_cost(X, Parameters.unravel(theta, N, H), rule)
    small = theta.astype(np.float32)
    narrow = dictionary_cost(X.astype(np.float32), Parameters.unravel(small, N, H), rule)
    assert narrow.gradient.ravel().dtype == np.float32
    assert narrow.total == pytest.approx(wide.total, rel=1e-5)
    assert relative_error(narrow.gradient.ravel(), wide.gradient.ravel()) < 1e-5


def test_the_kl_rule_gives_j_sparse_with_linear_output():
    X, theta = problem(3)
    objective = SparseObjective(
        X,
        H,
        weight_decay=0.0,
        sparsity_target=0.1,
        sparsity_weight=3.0,
        output_activation="linear",
    )
    cost, gradient = objective(theta)
    mine = dictionary_cost(X, Parameters.unravel(theta, N, H), KLSigmoid(0.1, 3.0))
    assert mine.total == pytest.approx(cost, rel=1e-12)
    assert relative_error(mine.gradient.ravel(), gradient) < 1e-12


def test_a_rule_of_the_reader_s_own_can_be_put_in():
    def squares(Z):
        """A price on the squares of rectified activations."""
        l1 = L1ReLU(0.0)(Z)
        return l1._replace(penalty=0.1 * float((l1.A**2).sum()) / len(Z), bracket=0.2 * l1.A)

    X, theta = problem(4)

    def cost(theta):
        return dictionary_cost(X, Parameters.unravel(theta, N, H), squares)

    numerical = numerical_gradient(lambda theta: cost(theta).total, theta, step=1e-6)
    assert relative_error(numerical, cost(theta).gradient.ravel()) < 1e-8


@pytest.mark.equation("aux-k")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_aux_k_agrees_with_automatic_differentiation_with_its_target_held_fixed(seed):
    X, theta = problem(seed)
    p, dead = Parameters.unravel(theta, N, H), np.arange(H) > 6
    mine = auxiliary_cost(X, p, TopK(2), dead, k=3, weight=0.5)

    def term(theta):
        W1, W2 = theta[: H * N].reshape(H, N), theta[H * N : 2 * H * N].reshape(N, H)
        Z = X @ W1.T + theta[2 * H * N : 2 * H * N + H]
        left = X - reconstruct(X, p, TopK(2))[1]
        hidden = jnp.where(dead, Z, -1e9)
        A = code_by_jax(hidden, TopK(3))[0]
        squares = ((A @ W2.T - left) ** 2).sum()
        return 0.5 * squares / ((left - left.mean(axis=0)) ** 2).sum()

    with jax.enable_x64(True):
        value, gradient = jax.value_and_grad(term)(theta)
    assert mine.penalty == pytest.approx(float(value), rel=1e-12)
    assert relative_error(mine.gradient.ravel(), np.asarray(gradient)) < 1e-12


def test_aux_k_moves_no_living_unit_and_not_the_bias_of_the_output():
    X, theta = problem(5)
    dead = np.arange(H) > 6
    gradient = auxiliary_cost(X, Parameters.unravel(theta, N, H), TopK(2), dead).gradient
    assert not gradient.W1[~dead].any()
    assert not gradient.W2[:, ~dead].any()
    assert not gradient.b2.any()
    assert gradient.W1[dead].any()
    with pytest.raises(ValueError, match="dead marks no unit"):
        auxiliary_cost(X, Parameters.unravel(theta, N, H), TopK(2), np.zeros(H, bool))


@pytest.mark.equation("project-gradient")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_projected_gradient_changes_no_norm_and_keeps_all_the_rest(seed):
    rng = np.random.default_rng(seed)
    W2, gradient = unit_columns(rng.normal(size=(N, H))), rng.normal(size=(N, H))
    projected = project_gradient(gradient, W2)
    np.testing.assert_allclose(np.sum(projected * W2, axis=0), 0, atol=1e-12)
    left = gradient - projected
    np.testing.assert_allclose(left, W2 * np.sum(left * W2, axis=0), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(unit_columns(3 * gradient), axis=0), 1)


@pytest.mark.equation("project-gradient")
def test_it_is_the_gradient_of_the_cost_in_which_the_columns_are_divided_by_their_norms():
    X, theta = problem(6)
    p = Parameters.unravel(theta, N, H)

    def cost(flat):
        W2 = unit_columns(flat.reshape(N, H))
        return dictionary_cost(X, Parameters(p.W1, W2, p.b1, p.b2), L1ReLU(0.1)).total

    unit = unit_columns(p.W2)
    gradient = dictionary_cost(X, Parameters(p.W1, unit, p.b1, p.b2), L1ReLU(0.1)).gradient.W2
    numerical = numerical_gradient(cost, unit.ravel(), step=1e-6)
    assert relative_error(numerical, project_gradient(gradient, unit).ravel()) < 1e-8


def test_a_column_without_a_direction_is_named():
    with pytest.raises(ValueError, match="column 1 of W2 has the norm 0"):
        unit_columns(np.array([[1.0, 0.0], [1.0, 0.0]]))


SMALL = planted(1500, n_features=8, n_directions=12, n_active=1.5, seed=0).X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@in_every_rule
def test_training_lowers_the_cost_and_keeps_the_columns_at_norm_1(rule, dtype):
    learned = train_dictionary(SMALL, 16, rule, n_steps=250, batch_size=100, dtype=dtype)
    assert learned.costs[-30:].mean() < 0.9 * learned.costs[:3].mean()
    norms = np.linalg.norm(learned.parameters.W2, axis=0)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)
    assert learned.parameters.W1.dtype == dtype


def test_the_seed_decides_and_the_global_generator_is_left_alone():
    settings = {"n_steps": 30, "batch_size": 100}
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, same, other = (
        train_dictionary(SMALL, 16, TopK(2), seed=s, **settings).parameters.ravel()
        for s in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_a_start_of_one_s_own_is_where_it_starts_and_is_left_as_it_was():
    start = unit_start(8, 16, seed=9)
    before = start.ravel()
    learned = train_dictionary(
        SMALL, 16, TopK(2), start=start, n_steps=1, batch_size=100, learning_rate=1e-12
    )
    np.testing.assert_allclose(learned.parameters.ravel(), before, atol=1e-6)
    assert np.array_equal(start.ravel(), before)


def test_without_fixed_norms_the_columns_take_the_length_they_like():
    learned = train_dictionary(SMALL, 16, L1ReLU(0.1), n_steps=300, batch_size=100, fix_norms=False)
    assert np.median(np.linalg.norm(learned.parameters.W2, axis=0)) > 1.05


def test_batch_top_k_is_used_with_a_constant_threshold():
    learned = train_dictionary(SMALL, 16, BatchTopK(1.5), n_steps=200, batch_size=100)
    assert isinstance(learned.rule, Threshold)
    A, X_hat = reconstruct(SMALL.astype(np.float32), learned.parameters, learned.rule)
    assert (A > 0).sum(axis=1).mean() == pytest.approx(1.5, abs=0.05)
    one = reconstruct(SMALL[:1].astype(np.float32), learned.parameters, learned.rule)[1]
    np.testing.assert_allclose(one, X_hat[:1], rtol=1e-5, atol=1e-6)


def test_dead_units_come_back_to_life():
    start = unit_start(8, 32, seed=0)
    start.W1[8:] *= 1e-3  # these are never among the largest
    settings = {"start": start, "n_steps": 400, "batch_size": 100}
    alone = train_dictionary(SMALL, 32, TopK(1), **settings)
    helped = train_dictionary(SMALL, 32, TopK(1), revive_after=20, **settings)
    dead = [
        np.mean(~(reconstruct(SMALL, run.parameters, run.rule)[0] > 0).any(axis=0))
        for run in (alone, helped)
    ]
    assert dead[0] >= 0.5
    assert dead[1] < dead[0]


def test_what_cannot_be_trained_on_is_refused():
    with pytest.raises(ValueError, match="batch_size is 2000, but X has 1500 rows"):
        train_dictionary(SMALL, 16, TopK(2), batch_size=2000)
    with pytest.raises(ValueError, match="every entry must be finite"):
        train_dictionary(np.full((2000, 3), np.nan), 16, TopK(2))


@pytest.mark.parametrize(("worth", "alone"), [(10**9, True), (1, False)])
def test_products_too_small_for_several_threads_get_one(worth, alone, monkeypatch):
    monkeypatch.setattr(dictionary_training, "WORTH_MORE_THREADS", worth)
    limits = []

    def watching(Z):
        limits.append(
            {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
        )
        return L1ReLU(0.1)(Z)

    with threadpool_limits(2, user_api="blas"):
        train_dictionary(SMALL, 16, watching, n_steps=2, batch_size=100)
        after = {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
    assert limits[0] == ({1} if alone else {2})
    assert after == {2}
