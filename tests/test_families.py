"""Nested dictionaries, families of directions, and the measures of what happens to parents."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import Parameters, numerical_gradient, relative_error
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, TopK
from saelib.dictionary import dictionary_cost, reconstruct, unit_start
from saelib.dictionary_training import train_dictionary
from saelib.families import absorption, planted_families
from saelib.planted import planted, spread_directions
from saelib.recovery import match_directions, shared_units
from saelib.thresholds import JumpReLU

N, H, M = 5, 9, 30
PREFIXES = (2, 5, 9)
RULES = [KLSigmoid(0.1, 1.0), L1ReLU(0.1), TopK(3), BatchTopK(2.5), JumpReLU(0.05, 0.3, 0.4)]


def problem(seed):
    rng = np.random.default_rng(seed)
    start = unit_start(N, H, rng)
    theta = start.ravel() + 0.1 * rng.normal(size=start.ravel().size)
    return rng.normal(size=(M, N)), theta


def in_every_rule(test):
    return pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)(test)


def nested_by_hand(X, p, rule, prefixes=PREFIXES):
    """The mean of the costs of the dictionaries that are cut off after each prefix."""
    A = rule(X @ p.W1.T + p.b1).A
    errors = [A[:, :n] @ p.W2[:, :n].T + p.b2 - X for n in prefixes]
    return np.mean([np.sum(error**2) / (2 * len(X)) for error in errors])


@pytest.mark.equation("nested-cost")
@in_every_rule
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_prefix_reconstructs_by_itself(rule, seed):
    X, theta = problem(seed)
    p = Parameters.unravel(theta, N, H)
    nested = dictionary_cost(X, p, rule, prefixes=PREFIXES)
    assert nested.reconstruction == pytest.approx(nested_by_hand(X, p, rule), rel=1e-12)
    assert nested.penalty == dictionary_cost(X, p, rule).penalty


@pytest.mark.equation("nested-error")
@in_every_rule
def test_its_gradient_agrees_with_central_differences(rule):
    X, theta = problem(1)

    def cost(theta):
        return dictionary_cost(X, Parameters.unravel(theta, N, H), rule, prefixes=PREFIXES)

    # The cost jumps where the choice of units changes; with so small a step it does not, here.
    numerical = numerical_gradient(lambda theta: cost(theta).total, theta, step=1e-6)
    assert relative_error(numerical, cost(theta).gradient.ravel()) < 1e-8


@pytest.mark.equation("nested-error")
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_its_gradient_agrees_with_automatic_differentiation(seed):
    X, theta = problem(seed)

    def by_jax(theta):
        W1, W2 = theta[: H * N].reshape(H, N), theta[H * N : 2 * H * N].reshape(N, H)
        b1, b2 = theta[2 * H * N : 2 * H * N + H], theta[2 * H * N + H :]
        A = jax.nn.relu(X @ W1.T + b1)
        errors = [A[:, :n] @ W2[:, :n].T + b2 - X for n in PREFIXES]
        return sum((e**2).sum() for e in errors) / (2 * M * len(PREFIXES)) + 0.1 * A.sum() / M

    p = Parameters.unravel(theta, N, H)
    mine = dictionary_cost(X, p, L1ReLU(0.1), prefixes=PREFIXES)
    with jax.enable_x64(True):
        value, gradient = jax.value_and_grad(by_jax)(theta)
    assert mine.total == pytest.approx(float(value), rel=1e-13)
    assert relative_error(mine.gradient.ravel(), np.asarray(gradient)) < 1e-13


@in_every_rule
def test_a_single_prefix_of_all_units_changes_nothing(rule):
    X, theta = problem(2)
    p = Parameters.unravel(theta, N, H)
    plain, nested = dictionary_cost(X, p, rule), dictionary_cost(X, p, rule, prefixes=(H,))
    assert nested.total == pytest.approx(plain.total, rel=1e-13)
    assert relative_error(nested.gradient.ravel(), plain.gradient.ravel()) < 1e-13


@pytest.mark.parametrize("prefixes", [(2, 5), (5, 2, 9), (0, 9), (9, 9), (2, 12)])
def test_prefixes_that_are_none_are_refused(prefixes):
    X, theta = problem(0)
    with pytest.raises(ValueError, match="must rise from above 0 to the number of units, 9"):
        dictionary_cost(X, Parameters.unravel(theta, N, H), TopK(2), prefixes=prefixes)


def test_training_with_prefixes_makes_the_first_units_do_more():
    X = planted(1500, n_features=8, n_directions=12, n_active=1.5, seed=0).X
    run = {"n_steps": 400, "batch_size": 100}
    plain = train_dictionary(X, 16, TopK(2), **run)
    nested = train_dictionary(X, 16, TopK(2), prefixes=(4, 16), **run)
    first = [nested_by_hand(X, found.parameters, TopK(2), (4,)) for found in (plain, nested)]
    assert first[1] < 0.9 * first[0]


def test_children_come_only_with_their_parents_one_at_a_time():
    X, S, D, parent = planted_families(
        20_000, n_parents=4, n_children=2, child_share=0.6, noise=0.0, seed=1
    )
    assert np.array_equal(parent, [-1, -1, -1, -1, 0, 0, 1, 1, 2, 2, 3, 3])
    np.testing.assert_allclose(X, S @ D)
    on = S > 0
    assert on[:, :4].sum(axis=1).mean() == pytest.approx(2.0, abs=0.03)
    for r in range(4):
        children = on[:, parent == r].sum(axis=1)
        assert not children[~on[:, r]].any()
        assert children.max() == 1
        assert children[on[:, r]].mean() == pytest.approx(0.6, abs=0.02)


def test_with_a_correlation_directions_of_one_group_are_on_together_as_often_as_before():
    on = planted(60_000, zipf=0.0, n_active=6.0, correlation=0.6, seed=3).S > 0
    assert on.mean(axis=0) == pytest.approx(np.full(64, 6 / 64), abs=0.01)
    assert np.corrcoef(on[:, 0], on[:, 8])[0, 1] > 0.2
    assert abs(np.corrcoef(on[:, 0], on[:, 1])[0, 1]) < 0.03


@pytest.mark.equation("absorption")
def test_absorption_counts_silence_with_and_without_a_child():
    """Two parents with a child each, in four dimensions; the first parent is absorbed half."""
    D, parent = np.eye(4), np.array([-1, -1, 0, 1])
    S = np.array([[1, 0, 1, 0]] * 4 + [[1, 0, 0, 0]] * 5 + [[0, 1, 0, 1]] * 2 + [[0, 1, 0, 0]] * 2)
    A = S.copy()
    A[:2, 0] = 0  # with the child: silent in 2 of 4
    A[4, 0] = 0  # alone: silent in 1 of 5
    W2 = np.eye(4)
    W2[:, 2] = [0.6, 0, 0.8, 0]  # the child's unit holds 0.6 of the parent
    found = absorption(S, A, D, W2, parent)
    assert found.silent_with_child == pytest.approx((2 / 4 + 0 / 2) / 2)
    assert found.silent_alone == pytest.approx((1 / 5 + 0 / 2) / 2)
    assert found.leak == pytest.approx((0.6 + 0.0) / 2)
    with pytest.raises(ValueError, match="holds no row of a parent"):
        absorption(S, A, D, W2, [-1, -1, -1, -1])


@pytest.mark.equation("absorption")
def test_the_unit_of_a_parent_is_the_closest_one_whatever_its_pair_is():
    """Unit 0 is closest to the parent, but the pairs give it to the child, and unit 1 to it."""
    D, parent = np.eye(3), np.array([-1, 0, -1])
    W2 = np.array([[0.8, 0.75, 0.0], [0.6, 0.0, 0.0], [0.0, -0.66, 1.0]])
    pairs = match_directions(D, W2)
    assert list(pairs.units[:2]) == [1, 0]
    S = np.array([[1, 1, 0], [1, 0, 0]])
    A = np.array([[1, 0, 0], [1, 0, 0]])  # unit 0 speaks for the parent, always
    found = absorption(S, A, D, W2, parent)
    assert (found.silent_with_child, found.silent_alone) == (0, 0)


def test_shared_units_are_counted_one_to_one():
    W2 = spread_directions(20, 10, seed=0).T
    other = W2[:, np.random.default_rng(0).permutation(20)] * 3.0
    assert shared_units(W2, other) == 1.0
    other[:, :5] = spread_directions(5, 10, seed=9).T
    assert shared_units(W2, other) == pytest.approx(0.75)
    one = np.repeat(W2[:, :1], 20, axis=1)
    assert shared_units(W2, one) == shared_units(one, W2) == pytest.approx(0.05)


@pytest.mark.parametrize("seed", range(2))
def test_nesting_helps_parents_to_be_heard(seed):
    """Small: 4 parents with 3 children each in 8 dimensions."""
    data = planted_families(
        6000, 12, n_parents=4, n_children=3, n_active=1.0, child_share=0.7, seed=seed
    )
    X = data.X - data.X.mean(axis=0)
    silent = []
    for prefixes in (None, (4, 16)):
        learned = train_dictionary(
            X, 16, BatchTopK(1.7), seed=seed, n_steps=800, batch_size=400, prefixes=prefixes
        )
        A, _ = reconstruct(X, learned.parameters, learned.rule)
        found = absorption(data.S, A, data.D, learned.parameters.W2, data.parent)
        silent.append(found.silent_with_child)
    assert silent[1] < silent[0]
