"""The estimator computes what the book defines, and keeps scikit-learn's promises."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from saelib import Parameters, SparseAutoencoder, SparseObjective, train
from saelib._minibatch import mini_batch

RNG = np.random.default_rng(0)
MIXED = RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 8)) + 0.1 * RNG.normal(size=(200, 8))
X = MIXED * [1, 10, 0.1, 1, 5, 1, 100, 1] + [0, 3, 0, -50, 0, 1, 0, 0]


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 5, "max_iter": 60, "random_state": 0, **changes})


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_fit_is_the_training_of_the_library_on_standardized_data():
    model = small(weight_decay=1e-3, sparsity_target=0.2, sparsity_weight=2.0).fit(X)
    objective = SparseObjective(
        (X - X.mean(axis=0)) / X.std(axis=0),
        5,
        weight_decay=1e-3,
        sparsity_target=0.2,
        sparsity_weight=2.0,
        output_activation="linear",
    )
    theta0 = Parameters.random(8, 5, seed=0).ravel()
    result = train(objective, theta0, max_iter=60, progress=False)
    np.testing.assert_allclose(model.loss_curve_, result.history["total"], rtol=1e-6)
    np.testing.assert_allclose(model.components_, result.parameters.W1, atol=1e-4)


@pytest.mark.equation("forward-hidden", "forward-output")
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("output_activation", ["linear", "sigmoid", "tanh"])
def test_transform_and_inverse_are_the_two_layers(activation, output_activation):
    model = small(activation=activation, output_activation=output_activation).fit(X)
    f = {"sigmoid": sigmoid, "tanh": np.tanh, "linear": lambda z: z}
    p, scaling = model.parameters_, model.scaling_
    scaled = (X - scaling.shift) / scaling.scale + scaling.offset
    A = f[activation](scaled @ p.W1.T + p.b1)
    np.testing.assert_allclose(model.transform(X), A, atol=1e-12)
    Y = f[output_activation](A @ p.W2.T + p.b2)
    expected = (Y - scaling.offset) * scaling.scale + scaling.shift
    np.testing.assert_allclose(model.inverse_transform(A), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.equation("reconstruction-cost")
def test_score_is_minus_the_reconstruction_cost_on_scaled_data():
    model = small(weight_decay=0.0, sparsity_weight=0.0).fit(X)
    # Without the two penalties the cost is the reconstruction cost alone.
    assert model.score(X) == pytest.approx(-model.loss_curve_[-1], rel=1e-10)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    back = (model.inverse_transform(model.transform(X)) - X.mean(axis=0)) / X.std(axis=0)
    assert model.score(X) == pytest.approx(-np.sum((back - scaled) ** 2) / 400, rel=1e-10)


@pytest.mark.equation("mean-activation", "mean-activation-tanh")
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_mean_activations_end_near_the_target(activation):
    model = small(activation=activation, sparsity_weight=10.0, max_iter=300).fit(X)
    A = model.transform(X)
    mean = A.mean(axis=0) if activation == "sigmoid" else (1 + A.mean(axis=0)) / 2
    np.testing.assert_allclose(model.mean_activation_, mean, rtol=1e-10)
    np.testing.assert_allclose(mean, 0.1, atol=0.02)


def test_the_features_hold_the_structure_of_the_data():
    # Three directions make up the data, and five units are enough to find them.
    model = small(max_iter=300, sparsity_weight=0.1).fit(X)
    unexplained = -2 * model.score(X) / X.shape[1]
    assert unexplained < 0.05


@pytest.mark.parametrize(
    ("output_activation", "scaling", "ends"),
    [
        ("sigmoid", "feature", (0.1, 0.9)),
        ("tanh", "feature", (-0.8, 0.8)),
        ("sigmoid", "global", (0.1, 0.9)),
    ],
)
def test_bounded_outputs_get_data_in_the_middle_of_their_range(output_activation, scaling, ends):
    model = small(output_activation=output_activation, scaling=scaling, max_iter=1).fit(X)
    scaled = model.scaling_.apply(X)
    axis = 0 if scaling == "feature" else None
    np.testing.assert_allclose(scaled.min(axis=axis), ends[0], atol=1e-12)
    np.testing.assert_allclose(scaled.max(axis=axis), ends[1], atol=1e-12)


def test_global_scaling_with_a_linear_output_has_one_shift_and_one_scale():
    scaling = small(scaling="global", max_iter=1).fit(X).scaling_
    np.testing.assert_allclose(scaling.shift, X.mean(), rtol=1e-10)
    np.testing.assert_allclose(scaling.scale, X.std(), rtol=1e-10)


def test_without_scaling_the_data_are_taken_as_they_are():
    model = small(scaling=None).fit(MIXED)
    assert model.scaling_.apply(MIXED) is not None
    np.testing.assert_array_equal(model.scaling_.apply(MIXED), MIXED)


def test_values_outside_the_training_range_are_not_clipped():
    for output_activation in ("linear", "sigmoid"):
        model = small(output_activation=output_activation).fit(X)
        further = X.max(axis=0) + np.outer([1.0, 2.0, 3.0], np.ptp(X, axis=0))
        scaled = model.scaling_.apply(further)
        np.testing.assert_allclose(model.scaling_.invert(scaled), further)
        assert (np.diff(scaled, axis=0) > 0).all()
        assert (np.diff(model.transform(further), axis=0) != 0).any()
        # A bounded output cannot follow them, and the score says so.
        assert model.score(further) < 10 * model.score(X)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    for seed in (3, np.random.RandomState(3), np.random.default_rng(3)):
        model = small(random_state=seed, max_iter=10)
        assert np.isfinite(model.fit(X).components_).all()
    first, second, other = (small(random_state=s).fit(X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.components_, second.components_)
    assert not np.array_equal(first.components_, other.components_)


def test_no_seed_follows_the_global_state_of_numpy():
    state = np.random.get_state()  # noqa: NPY002 - scikit-learn's convention for None
    try:
        results = []
        for _ in range(2):
            np.random.seed(5)  # noqa: NPY002
            results.append(small(random_state=None, max_iter=5).fit(X).components_)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    np.testing.assert_array_equal(*results)


def test_warm_start_goes_on_from_the_weights_and_the_scaling():
    cold = small(max_iter=30).fit(X)
    warm = clone(cold).set_params(warm_start=True).fit(X)
    shift = warm.scaling_.shift.copy()
    before = warm.loss_curve_[-1]
    warm.fit(X[:150])
    np.testing.assert_array_equal(warm.scaling_.shift, shift)
    warm.fit(X)
    assert warm.loss_curve_[0] < cold.loss_curve_[0] / 2
    assert warm.loss_curve_[-1] < before
    assert cold.fit(X).loss_curve_[0] > before


def test_callback_sees_every_iteration_and_can_stop_the_training():
    seen = []

    def stop_at_seven(iteration, theta):
        seen.append((iteration, theta.shape))
        if iteration == 7:
            raise StopIteration

    model = small(callback=stop_at_seven).fit(X)
    assert [iteration for iteration, _ in seen] == list(range(1, 8))
    assert seen[0][1] == (2 * 5 * 8 + 5 + 8,)
    assert model.n_iter_ == 7
    assert len(model.loss_curve_) == 8
    assert not model.converged_


def test_an_interruption_keeps_what_was_learned_and_warns():
    def interrupt(iteration, theta):
        if iteration == 4:
            raise KeyboardInterrupt

    with pytest.warns(ConvergenceWarning, match="interrupted after 4 of 60 iterations"):
        model = small(callback=interrupt).fit(X)
    assert model.n_iter_ == 4
    assert not model.converged_
    assert "interrupted" in model.stop_reason_
    assert model.transform(X).shape == (200, 5)


def test_convergence_is_told_apart_from_running_out_of_iterations():
    assert not small(max_iter=3).fit(X).converged_
    model = small(n_hidden=1, max_iter=5000).fit(X)
    assert model.converged_
    assert model.n_iter_ < 5000


def test_verbose_shows_a_bar_and_quiet_shows_nothing(capsys, monkeypatch):
    small(max_iter=3).fit(X)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    small(max_iter=3, verbose=1).fit(X)
    assert "L-BFGS" in capsys.readouterr().err


def test_feature_names_number_the_units():
    names = small(max_iter=2).fit(X).get_feature_names_out()
    assert list(names) == [f"sparseautoencoder{k}" for k in range(5)]


def test_changed_hyperparameters_do_not_change_a_fitted_network():
    model = small().fit(X)
    before = model.transform(X)
    model.set_params(activation="tanh", output_activation="sigmoid", scaling=None, n_hidden=9)
    np.testing.assert_array_equal(model.transform(X), before)


# --- when to stop -------------------------------------------------------------------------


def test_tol_ends_the_training_when_little_changes_and_warns_when_it_does_not():
    model = small(tol=1e-3, max_iter=400).fit(X)
    assert model.converged_
    assert 3 < model.n_iter_ < 400
    # The step that ends it lowers the cost by less, all those before it by more.
    assert (-np.diff(model.loss_curve_) / model.loss_curve_[:-1]).min() > 1e-3
    assert small(tol=1e-4, max_iter=400).fit(X).n_iter_ > model.n_iter_
    with pytest.warns(ConvergenceWarning, match=r"not converged to tol=1e-12 after max_iter=5"):
        small(tol=1e-12, max_iter=5).fit(X)
    small(max_iter=5).fit(X)  # the iterations are a budget, and no warning is given


def test_early_stopping_keeps_the_weights_that_were_best_on_held_out_rows():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(40, 30))  # there is nothing in it to learn but by heart
    fresh = rng.normal(size=(2000, 30))
    settings = {"n_hidden": 15, "sparsity_weight": 0.0, "weight_decay": 0.0, "random_state": 0}
    whole = SparseAutoencoder(max_iter=300, **settings).fit(noise)
    seen = []
    model = SparseAutoencoder(
        max_iter=300, early_stopping=True, validation_fraction=0.25, n_iter_no_change=7,
        callback=lambda iteration, theta: seen.append(theta), **settings,
    ).fit(noise)  # fmt: skip
    assert model.converged_
    assert model.n_samples_seen_ == 30
    assert model.score(fresh) > whole.score(fresh)
    best = model.n_iter_ - 7
    np.testing.assert_array_equal(model.parameters_.ravel(), seen[best - 1])
    assert f"at iteration {best}, was not lower in 7 more" in model.stop_reason_


def test_early_stopping_holds_out_the_same_rows_for_the_same_seed_and_needs_some():
    first, again = (small(early_stopping=True, random_state=3).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.components_, again.components_)
    with pytest.raises(ValueError, match="takes 0 of 200 rows; at least 1 must be held out"):
        small(early_stopping=True, validation_fraction=0.001).fit(X)


def test_early_stopping_and_a_checkpoint_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match="leave out one of the two"):
        small(early_stopping=True, checkpoint=tmp_path / "run").fit(X)


def test_the_report_counts_what_is_active_and_what_is_explained():
    model = small(max_iter=200).fit(X)
    A = model.transform(X)
    scaled = model.scaling_.apply(X)
    back = model.scaling_.apply(model.inverse_transform(A))
    report = model.report(X)
    assert report.share_active == pytest.approx(np.mean(A > 0.5))
    assert report.share_dead == np.mean(A.max(axis=0) <= 0.5)
    unexplained = np.sum((back - scaled) ** 2) / np.sum((scaled - scaled.mean(axis=0)) ** 2)
    assert report.explained_variance == pytest.approx(1 - unexplained, rel=1e-9)
    dead = model.parameters_.b1.copy()
    model.parameters_.b1[:2] = -1e3
    assert model.report(X).share_dead >= 0.4
    model.parameters_.b1[:] = dead


# --- mini-batches, step by step -----------------------------------------------------------


def test_five_steps_of_a_stream_are_five_steps_of_adam():
    """Adam as in Algorithm 1 of Kingma & Ba (2015), written out number by number."""
    penalties = {"weight_decay": 1e-4, "sparsity_target": 0.1, "sparsity_weight": 1.0}
    settings = {"batch_size": 40, "learning_rate": 0.02, "sparsity_window": 300}
    model = small(**settings, **penalties).partial_fit(X[:40])
    scaled = model.scaling_.apply(X)
    p = Parameters.random(8, 5, seed=0)
    theta, m, v = p.ravel(), np.zeros(p.ravel().size), np.zeros(p.ravel().size)
    running = sigmoid(scaled[:40] @ p.W1.T + p.b1).mean(axis=0)
    for t in range(1, 6):
        batch = scaled[40 * (t - 1) : 40 * t]
        _, gradient, running = mini_batch(
            batch, Parameters.unravel(theta, 8, 5), running, share=1 - (1 - 1 / 300) ** 40,
            activation="sigmoid", output_activation="linear", **penalties,
        )  # fmt: skip
        m = 0.9 * m + (1 - 0.9) * gradient
        v = 0.999 * v + (1 - 0.999) * gradient**2
        theta = theta - 0.02 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    model.partial_fit(X[40:])
    np.testing.assert_allclose(model.parameters_.ravel(), theta, rtol=1e-9, atol=1e-12)
