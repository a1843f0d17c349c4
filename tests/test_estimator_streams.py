"""Streams: mini-batches of the estimator, their gradient and their running mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from saelib import Parameters, SparseAutoencoder, SparseObjective, _blas, _minibatch, relative_error
from saelib._minibatch import Adam, adam_in_blocks, mini_batch, mini_batch_in_blocks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(150, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 30, "random_state": 0, **changes})


def test_a_batch_of_all_rows_has_the_gradient_of_the_objective():
    p = Parameters.random(6, 4, seed=1)
    chosen = {"weight_decay": 1e-3, "sparsity_target": 0.1, "sparsity_weight": 2.0}
    for activation in ("sigmoid", "tanh"):
        kinds = {"activation": activation, "output_activation": "linear"}
        cost, gradient, _ = mini_batch(X, p, np.zeros(4), share=1.0, **chosen, **kinds)
        right = SparseObjective(X, 4, **chosen, **kinds)(p.ravel())
        assert cost == pytest.approx(right[0], rel=1e-12)
        assert relative_error(gradient, right[1]) < 1e-12


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    m=st.integers(1, 60),
    h=st.integers(1, 9),
    share=st.floats(0.01, 1.0),
    activation=st.sampled_from(["sigmoid", "tanh"]),
    output=st.sampled_from(["sigmoid", "tanh", "linear"]),
    worth=st.sampled_from([1, 10**9]),
)
def test_a_mini_batch_in_blocks_is_the_plain_one_but_for_the_rounding(
    seed, m, h, share, activation, output, worth
):
    rng = np.random.default_rng(seed)
    p = Parameters.unravel(rng.normal(size=12 * h + h + 6), 6, h)
    X, running = rng.uniform(0.1, 0.9, size=(m, 6)), rng.uniform(0.01, 0.99, size=h)
    kinds = {"share": share, "weight_decay": 0.3, "sparsity_target": 0.1, "sparsity_weight": 2.0}
    kinds |= {"activation": activation, "output_activation": output}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_minibatch, "_WORTH_TWO_SHARES", worth)
        blocked = mini_batch_in_blocks(X, p.ravel(), running, 2, **kinds)
    plain = mini_batch(X, p, running, **kinds)
    assert blocked[0] == pytest.approx(plain[0], rel=1e-11)
    assert relative_error(blocked[1], plain[1]) < 1e-11
    np.testing.assert_allclose(blocked[2], plain[2], rtol=1e-12)


def test_units_that_are_always_or_never_on_have_a_finite_cost_in_a_stream():
    p = Parameters(np.zeros((2, 6)), np.zeros((6, 2)), np.array([-800.0, 800.0]), np.zeros(6))
    kinds = {"share": 1.0, "weight_decay": 0.3, "sparsity_target": 0.1, "sparsity_weight": 2.0}
    kinds |= {"activation": "sigmoid", "output_activation": "linear"}
    blocked, plain = (
        step(X, weights, np.full(2, 0.5), *n, **kinds)
        for step, weights, n in ((mini_batch_in_blocks, p.ravel(), [1]), (mini_batch, p, []))
    )
    assert np.isfinite(blocked[0])
    assert blocked[0] == pytest.approx(plain[0], rel=1e-12)
    np.testing.assert_allclose(blocked[1], plain[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [5, 40, 41])
def test_adam_in_blocks_and_threads_gives_the_bits_of_adam(size, monkeypatch):
    monkeypatch.setattr(_minibatch, "_NUMBERS_PER_BLOCK", 8)
    rng = np.random.default_rng(size)
    theta, mean, slopes = rng.normal(size=(3, size))
    adam = Adam(mean, rng.uniform(size=size), 7)
    kept = theta.copy()
    for one, two in zip(
        adam_in_blocks(adam, theta, slopes, 1e-2, 2), adam.step(theta, slopes, 1e-2), strict=True
    ):
        for of_one, of_two in zip(one, two, strict=True):
            assert np.array_equal(of_one, of_two)
    assert np.array_equal(theta, kept)


def test_a_large_mini_batch_is_shared_by_two_threads_and_a_small_one_is_not(monkeypatch):
    lengths = []

    class Watched(_minibatch.SumsOfRows):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, **more)
            lengths.append([rows.stop - rows.start for share in self._shares for rows in share])

    monkeypatch.setattr(_minibatch, "SumsOfRows", Watched)
    rng = np.random.default_rng(0)
    for n, h in ((100, 200), (64, 25)):
        SparseAutoencoder(h, batch_size=256).partial_fit(rng.normal(size=(256, n)))
    assert lengths == [[128, 128], [256]]


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
    chosen = {"n_hidden": 6, "sparsity_weight": 3.0}
    model = small(max_iter=40, learning_rate=0.02, batch_size=100, **chosen)
    for _ in range(240):
        model.partial_fit(rng.normal(size=(500, 3)) @ mixing)
    fresh = rng.normal(size=(2000, 3)) @ mixing
    whole = small(max_iter=400, **chosen).fit(fresh)
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
    assert not model.converged_
    assert model.stop_reason_ == "partial_fit ends with the rows it is given"
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
