"""What a direction says about a label, and a stream without one unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score

from saelib.inside import (
    Readers,
    best_f1,
    choose_readers,
    f1_of_readers,
    linear_probe,
    without_unit,
)


@pytest.mark.equation("best-f1")
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), decimals=st.integers(0, 3))
def test_no_threshold_does_better_and_the_one_given_does_as_well(seed, decimals):
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < rng.uniform(0.1, 0.9)
    scores = np.round(np.maximum(rng.normal(size=60) + truth, 0), decimals)
    value, threshold = best_f1(scores, truth)
    by_sklearn = [f1_score(truth, scores >= cut, zero_division=0) for cut in np.unique(scores)]
    assert value == pytest.approx(max(by_sklearn))
    assert f1_score(truth, scores >= threshold, zero_division=0) == pytest.approx(value)


def test_readers_are_the_best_columns_and_hold_on_other_examples():
    rng = np.random.default_rng(0)
    truth = rng.random((300, 4)) < 0.3
    U = np.hstack([rng.normal(size=(300, 3)), truth[:, ::-1] + 0.3 * rng.normal(size=(300, 4))])
    readers = choose_readers(U[:150], truth[:150])
    assert list(readers.columns) == [6, 5, 4, 3]
    for label in range(4):
        values = [best_f1(column, truth[:150, label]) for column in U[:150].T]
        assert readers.thresholds[label] == max(values)[1]
    by_sklearn = [
        f1_score(truth[150:, k], U[150:, readers.columns[k]] >= readers.thresholds[k])
        for k in range(4)
    ]
    np.testing.assert_allclose(f1_of_readers(U[150:], truth[150:], readers), by_sklearn)


def test_a_label_that_is_never_true_gets_0_and_no_warning():
    readers = Readers(np.array([0]), np.array([5.0]))
    assert f1_of_readers(np.zeros((3, 1)), np.zeros((3, 1), bool), readers) == [0.0]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"scores has shape \(3,\) and truth has shape \(2,\)"):
        best_f1([1, 2, 3], [True, False])
    with pytest.raises(ValueError, match=r"U has shape \(3, 1\) and truth has shape \(2, 1\)"):
        choose_readers(np.zeros((3, 1)), np.zeros((2, 1)))


def test_a_probe_is_a_ridge_regression_on_the_labels():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 5))
    X -= X.mean(axis=0)
    truth = X @ rng.normal(size=(5, 3)) > 0.4
    penalty = 0.01 * np.trace(X.T @ X) / 5
    by_sklearn = Ridge(alpha=penalty).fit(X, truth.astype(float)).coef_.T
    np.testing.assert_allclose(linear_probe(X, truth, ridge=0.01), by_sklearn, rtol=1e-9)


@pytest.mark.equation("without-unit")
def test_one_unit_s_part_goes_and_all_else_stays():
    rng = np.random.default_rng(2)
    A = np.maximum(rng.normal(size=(6, 5)), 0)
    W2, rest = rng.normal(size=(3, 5)), rng.normal(size=(6, 3))
    stream = A @ W2.T / 2.5 + rest
    found = without_unit(stream, A, W2, 3, scale=2.5)
    A[:, 3] = 0
    np.testing.assert_allclose(found, A @ W2.T / 2.5 + rest)
    with pytest.raises(ValueError, match="scale is 0"):
        without_unit(stream, A, W2, 3, scale=0.0)
