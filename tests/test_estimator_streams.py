"""Streams: mini-batches of the estimator, their gradient and their running mean."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from saelib import Parameters, SparseAutoencoder, SparseObjective, _blas, relative_error
from saelib._minibatch import mini_batch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(150, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 30, "random_state": 0, **changes})


def test_a_batch_of_all_rows_has_the_gradient_of_the_objective():
    p = Parameters.random(6, 4, seed=1)
    settings = {"weight_decay": 1e-3, "sparsity_target": 0.1, "sparsity_weight": 2.0}
    for activation in ("sigmoid", "tanh"):
        kinds = {"activation": activation, "output_activation": "linear"}
        cost, gradient, _ = mini_batch(X, p, np.zeros(4), share=1.0, **settings, **kinds)
        right = SparseObjective(X, 4, **settings, **kinds)(p.ravel())
        assert cost == pytest.approx(right[0], rel=1e-12)
        assert relative_error(gradient, right[1]) < 1e-12


def test_a_stream_lowers_the_cost_and_keeps_its_scaling():
    model = small(batch_size=30, learning_rate=0.01, sparsity_window=300).partial_fit(X)
    shift, first = model.scaling_.shift.copy(), model.score(X)
    for _ in range(40):
        model.partial_fit(RNG.permutation(X))
    np.testing.assert_array_equal(model.scaling_.shift, shift)
    assert model.score(X) > first / 2
    assert model.n_iter_ == 41 * 5 == len(model.loss_curve_)
    assert model.n_samples_seen_ == 41 * 150
    np.testing.assert_allclose(model.mean_activation_, model.transform(X).mean(axis=0), atol=0.03)


def test_a_stream_of_mini_batches_learns_what_the_whole_data_teach():
    rng = np.random.default_rng(2)
    mixing = rng.normal(size=(3, 8))
    settings = {"n_hidden": 6, "sparsity_weight": 3.0}
    model = small(max_iter=40, learning_rate=0.02, batch_size=100, **settings)
    for _ in range(240):
        model.partial_fit(rng.normal(size=(500, 3)) @ mixing)
    fresh = rng.normal(size=(2000, 3)) @ mixing
    whole = small(max_iter=400, **settings).fit(fresh)
    assert model.n_samples_seen_ == 240 * 500
    # Predicting the mean of eight standardized columns scores -4. Steps of Adam come far, L-BFGS
    # on the whole data further.
    assert -0.6 < model.score(fresh) < whole.score(fresh) < 0
    assert model.mean_activation_.mean() == pytest.approx(whole.mean_activation_.mean(), rel=0.15)


def test_the_running_mean_has_the_memory_that_the_notes_state():
    model = small(batch_size=10, sparsity_window=50).partial_fit(X[:10])
    start, p = model.mean_activation_.copy(), model.parameters_
    scaled = model.scaling_.apply(X[10:20])
    batch_mean = (1 / (1 + np.exp(-scaled @ p.W1.T - p.b1))).mean(axis=0)
    model.partial_fit(X[10:20])
    share = 1 - (1 - 1 / 50) ** 10
    np.testing.assert_allclose(model.mean_activation_, start + share * (batch_mean - start))


def test_a_stream_of_single_rows_is_fine_after_the_first_call():
    model = small().partial_fit(X)
    for row in X[:5]:
        model.partial_fit(row[None, :])
    assert model.n_samples_seen_ == 155


def test_a_stream_can_follow_a_fit():
    model = small().fit(X)
    before = model.score(X)
    model.set_params(learning_rate=1e-4).partial_fit(X)
    assert model.n_iter_ == 31
    assert model.score(X) > 1.5 * before


def test_a_stream_gives_the_same_bits_on_one_blas_thread_and_two(monkeypatch):
    monkeypatch.setattr(_blas, "available_cores", lambda: 2)
    X = np.random.default_rng(0).normal(size=(6000, 64))  # long enough for BLAS to use two
    found = []
    for n in (1, 2):
        with threadpool_limits(n, user_api="blas"):
            model = SparseAutoencoder(n_hidden=100, batch_size=2000, random_state=0)
            found.append(model.partial_fit(X).parameters_.ravel())
    np.testing.assert_array_equal(*found)
