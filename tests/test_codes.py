"""The rules that make a code of weighted inputs: what stays, its slope and what it costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import kl_divergence, kl_gradient
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, Threshold, TopK

RULES = [KLSigmoid(0.1, 3.0), L1ReLU(0.2), TopK(3), BatchTopK(2.5), Threshold(0.4)]
KEEPING = [TopK(3), BatchTopK(2.5), Threshold(0.4)]


def weighted_inputs(seed, shape=(20, 8)):
    return np.random.default_rng(seed).normal(size=shape)


def in_every_rule(test):
    return pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)(test)


@in_every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_code_has_the_dtype_of_its_weighted_inputs(rule, dtype):
    code = rule(weighted_inputs(0).astype(dtype))
    assert code.A.dtype == code.slope.dtype == dtype
    assert np.result_type(code.A, code.bracket) == dtype


@in_every_rule
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_slope_is_that_of_the_code_and_the_bracket_that_of_the_penalty(rule, seed):
    """Central differences, in a direction that moves every weighted input a little."""
    Z, step = weighted_inputs(seed), 1e-6
    direction = np.random.default_rng(seed + 1).normal(size=Z.shape)
    code, above, below = (rule(Z + s * direction) for s in (0, step, -step))
    if not np.array_equal(above.slope > 0, below.slope > 0):
        return  # a unit went on or off between the two points
    moved = (above.A - below.A) / (2 * step)
    np.testing.assert_allclose(moved, code.slope * direction, rtol=1e-5, atol=1e-8)
    change = (above.penalty - below.penalty) / (2 * step)
    assert change == pytest.approx(np.sum(code.bracket * moved) / len(Z), rel=1e-5, abs=1e-7)


@pytest.mark.equation("l1-penalty")
def test_the_price_of_l1_is_that_of_the_mean_sum_of_activations():
    Z = weighted_inputs(1)
    code = L1ReLU(0.3)(Z)
    assert code.penalty == pytest.approx(0.3 * np.maximum(Z, 0).sum() / 20)
    doubled = L1ReLU(0.3)(np.concatenate([Z, Z]))
    assert doubled.penalty == pytest.approx(code.penalty)
    assert np.array_equal(code.A, np.maximum(Z, 0))


def test_the_kl_rule_is_the_penalty_of_part_one():
    code = KLSigmoid(0.1, 3.0)(weighted_inputs(2))
    rho_hat = code.A.mean(axis=0)
    assert code.penalty == pytest.approx(3 * kl_divergence(0.1, rho_hat).sum())
    np.testing.assert_allclose(code.bracket, 3 * kl_gradient(0.1, rho_hat))


@pytest.mark.parametrize("rho_hat", [0.03, 0.3])
def test_with_a_target_of_0_the_bracket_of_kl_is_that_of_l1_over_one_minus_the_mean(rho_hat):
    Z = np.full((4, 2), np.log(rho_hat / (1 - rho_hat)))
    kl, l1 = KLSigmoid(1e-9, 0.2)(Z), L1ReLU(0.2)(Z)
    np.testing.assert_allclose(kl.bracket, l1.bracket / (1 - rho_hat), rtol=1e-6)


def test_a_unit_that_is_always_on_in_float32_has_a_finite_penalty():
    code = KLSigmoid(0.1, 3.0)(np.full((3, 2), 200, dtype=np.float32))
    assert np.isfinite(code.penalty)
    assert np.all(np.isfinite(code.bracket))


@pytest.mark.equation("top-k")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 8))
def test_top_k_keeps_the_largest_positive_ones_of_each_row(seed, k):
    Z = weighted_inputs(seed)
    A = TopK(k)(Z).A
    for z, a in zip(Z, A, strict=True):
        largest = [value for value in sorted(z)[::-1][:k] if value > 0]
        assert sorted(a[a > 0])[::-1] == largest
        assert np.all((a == z) | (a == 0))


@pytest.mark.equation("batch-top-k")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.sampled_from([0.5, 1.0, 2.5]))
def test_batch_top_k_keeps_the_largest_of_the_batch_whoever_they_belong_to(seed, k):
    Z = weighted_inputs(seed)
    A = BatchTopK(k)(Z).A
    largest = np.sort(Z.ravel())[::-1][: round(20 * k)]
    np.testing.assert_array_equal(np.sort(A[A > 0])[::-1], largest[largest > 0])


def test_batch_top_k_lets_examples_have_different_numbers_and_top_k_does_not():
    Z = np.abs(weighted_inputs(3))
    assert len(set((BatchTopK(2)(Z).A > 0).sum(axis=1))) > 1
    assert set((TopK(2)(Z).A > 0).sum(axis=1)) == {2}


def test_the_threshold_for_use_keeps_what_the_batch_kept_and_needs_no_batch():
    Z, rule = weighted_inputs(4, (500, 8)), BatchTopK(1.5)
    constant = rule.threshold(Z)
    np.testing.assert_array_equal(constant(Z).A, rule(Z).A)
    np.testing.assert_array_equal(constant(Z[7:8]).A, rule(Z).A[7:8])
    assert not np.array_equal(rule(Z[7:11]).A, rule(Z).A[7:11])


@pytest.mark.equation("hard-threshold")
@settings(max_examples=30, deadline=None)
@given(z=st.floats(-3, 3), price=st.floats(0.01, 2))
def test_a_price_per_active_unit_leads_to_a_threshold_at_the_root_of_twice_the_price(z, price):
    edge = np.sqrt(2 * price)
    if abs(z - edge) < 1e-2:
        return
    a = np.concatenate([[0.0], np.linspace(0, 3.5, 70_001)])
    cost = (a - z) ** 2 / 2 + price * (a > 0)
    best = a[np.argmin(cost)]
    assert Threshold(edge)(np.array([[z]])).A[0, 0] == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("rule", KEEPING, ids=lambda rule: type(rule).__name__)
def test_what_is_negative_never_stays(rule):
    code = rule(-np.abs(weighted_inputs(5)))
    assert not code.A.any()
    assert not code.slope.any()
    assert not np.signbit(code.A).any()


def test_all_of_several_equal_ones_at_the_edge_stay():
    assert TopK(2)(np.array([[1.0, 2.0, 1.0, 0.5]])).A.tolist() == [[1, 2, 1, 0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TopK(0), "k is 0"),
        (lambda: TopK(9)(weighted_inputs(0)), "k is 9; it must be between 1 and 8"),
        (lambda: BatchTopK(0.0), "k is 0.0"),
        (lambda: BatchTopK(9)(weighted_inputs(0)), "keeps 180 of the 160"),
        (lambda: L1ReLU(-1.0), "sparsity_weight is -1.0"),
        (lambda: KLSigmoid(0.0, 1.0), "sparsity_target is 0.0"),
        (lambda: Threshold(-0.1), "threshold is -0.1"),
    ],
)
def test_settings_without_a_meaning_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
