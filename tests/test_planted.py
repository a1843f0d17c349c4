"""Planted data are what they are said to be, and the measures know the answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import f1_score

from saelib.planted import planted, spread_directions
from saelib.recovery import dictionary_measures, match_directions


def test_data_are_sums_of_the_planted_directions_and_noise():
    X, S, D = planted(20_000, 16, 24, n_active=2.0, noise=0.1, seed=1)
    assert X.shape == (20_000, 16)
    assert S.shape == (20_000, 24)
    np.testing.assert_allclose(np.linalg.norm(D, axis=1), 1)
    left = X - S @ D
    assert left.std() == pytest.approx(0.1, rel=0.02)
    assert abs(np.corrcoef(left[:, 0], left[:, 1])[0, 1]) < 0.03


def test_as_many_directions_are_on_as_asked_for_and_the_first_most_often():
    S = planted(40_000, n_active=3.0, zipf=0.5, seed=2).S
    assert (S > 0).sum(axis=1).mean() == pytest.approx(3.0, abs=0.05)
    share = (S > 0).mean(axis=0)
    assert share[0] / share[15] == pytest.approx(4.0, rel=0.15)  # 16 to the power of one half
    assert S[S > 0].mean() == pytest.approx(1.0, abs=0.01)
    even = (planted(40_000, n_active=3.0, zipf=0.0, seed=2).S > 0).mean(axis=0)
    assert even.max() < 1.2 * even.min()


def test_directions_are_on_or_off_by_themselves():
    on = planted(40_000, zipf=0.0, n_active=6.0, seed=3).S > 0
    assert abs(np.corrcoef(on[:, 0], on[:, 1])[0, 1]) < 0.03


def test_spread_directions_keep_further_apart_than_random_ones():
    D = spread_directions(64, 32, seed=0)
    random = np.random.default_rng(0).normal(size=(64, 32))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    off = ~np.eye(64, dtype=bool)
    assert np.abs(D @ D.T)[off].max() < 0.7 * np.abs(random @ random.T)[off].max()


def test_the_seed_decides():
    one, same, other = (planted(50, seed=s).X for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.equation("matching")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_dictionary_in_another_order_and_of_other_lengths_is_matched_all_the_same(seed):
    rng = np.random.default_rng(seed)
    D = spread_directions(12, 8, rng)
    order = rng.permutation(15)
    columns = np.concatenate([D, 0.01 * rng.normal(size=(3, 8))])[order].T
    found = match_directions(D, columns * rng.uniform(0.1, 10, size=15))
    np.testing.assert_allclose(found.cosines, 1)
    assert np.array_equal(order[found.units], found.directions)


@pytest.mark.equation("matching")
def test_no_unit_serves_two_directions_although_it_may_be_the_best_for_both():
    D = np.array([[1.0, 0.0], [0.8, 0.6]])
    W2 = np.array([[0.9, -1.0], [0.3, 0.0]])  # one column between both, one far away
    found = match_directions(D, W2)
    assert sorted(found.units) == [0, 1]
    assert found.best.min() > 0.9
    assert found.cosines.min() < 0
    cosines = D @ (W2 / np.linalg.norm(W2, axis=0))
    rows, columns = linear_sum_assignment(-cosines)
    assert found.cosines.sum() == pytest.approx(cosines[rows, columns].sum())


def test_an_opposite_direction_is_not_the_direction():
    assert match_directions([[1.0, 0.0]], [[-1.0], [0.0]]).cosines == [-1]


def test_a_column_of_zeros_and_fewer_units_than_directions_are_no_trouble():
    found = match_directions(np.eye(3), np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    assert found.cosines.tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"D has shape \(3, 3\) and W2 has shape \(2, 3\)"):
        match_directions(np.eye(3), np.ones((2, 3)))


def measured(X, S, D, **changes):
    arguments = {"A": S, "X_hat": X, "W2": D.T} | changes
    return dictionary_measures(X, S, D, **arguments)


DATA = planted(3000, 16, 24, n_active=2.0, seed=4)


def test_the_answer_itself_gets_full_marks():
    found = measured(*DATA)
    assert found.recovered == found.f1 == pytest.approx(1)
    assert found.mcc == found.mmcs == pytest.approx(1)
    assert found.fvu == found.dead == 0
    assert found.l0 == pytest.approx((DATA.S > 0).sum(axis=1).mean())
    assert found.scale == pytest.approx(1)


def test_always_answering_the_mean_leaves_everything_unexplained_however_large_the_offset():
    X, S, D = DATA
    X = X + 100
    mean = np.broadcast_to(X.mean(axis=0), X.shape)
    assert measured(X, S, D, X_hat=mean).fvu == pytest.approx(1)


def test_half_of_the_strength_is_a_scale_of_one_half_and_lowers_nothing_else():
    X, S, D = DATA
    found = measured(X, S, D, A=S / 2)
    assert found.scale == pytest.approx(0.5)
    assert found.f1 == pytest.approx(1)


@pytest.mark.equation("f1-of-a-code")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_f1_is_that_of_scikit_learn_averaged_over_the_directions(seed):
    rng = np.random.default_rng(seed)
    X, S, D = DATA
    A = S * (rng.random(S.shape) < 0.7) + (rng.random(S.shape) < 0.1)
    expected = f1_score(S > 0, A > 0, average="macro", zero_division=0)
    assert measured(X, S, D, A=A).f1 == pytest.approx(expected)


def test_a_direction_without_a_unit_counts_as_not_found():
    X, S, D = DATA
    found = measured(X, S, D, A=S[:, :12], W2=D[:12].T)
    assert found.recovered == pytest.approx(0.5)
    assert found.f1 == pytest.approx(0.5)


def test_dead_units_are_those_that_no_example_makes_active():
    X, S, D = DATA
    A = np.concatenate([S, np.zeros((len(S), 8))], axis=1)
    W2 = np.concatenate([D.T, -D.T[:, :8]], axis=1)
    assert measured(X, S, D, A=A, W2=W2).dead == pytest.approx(0.25)
    assert np.isnan(measured(X, S, D, W2=-D.T).scale)


def test_codes_of_other_examples_are_refused():
    X, S, D = DATA
    with pytest.raises(ValueError, match="S has 3000 rows and A has 10"):
        measured(X, S, D, A=S[:10])
