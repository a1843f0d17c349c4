"""The CS294A assignment from end to end: photographs in, edge detectors out."""

import numpy as np
import pytest

from saelib import (
    Parameters,
    SparseObjective,
    encode,
    natural_images,
    normalize_patches,
    numerical_gradient,
    relative_error,
    sample_patches,
    train,
    whiten,
)
from saelib.features import edge_like, unexplained_variance
from saelib.network import decode

pytestmark = pytest.mark.xdist_group("assignment")


@pytest.fixture(scope="module")
def X():
    images = {name: whiten(image) for name, image in natural_images().items()}
    return normalize_patches(sample_patches(images, 10_000, 8, seed=1))


@pytest.fixture(scope="module")
def trained(X):
    objective = SparseObjective(X, 25, weight_decay=1e-4, sparsity_target=0.01, sparsity_weight=3.0)
    return train(objective, Parameters.random(64, 25, seed=1).ravel(), progress=False)


def test_the_warm_up_of_the_assignment_agrees_with_the_published_error():
    gradient = numerical_gradient(lambda x: x[0] ** 2 + 3 * x[0] * x[1], np.array([4.0, 10.0]))
    # The published 2.1452e-12 is what rounding leaves, so its digits are not promised.
    assert relative_error(gradient, np.array([38.0, 12.0])) < 1e-10


def test_the_gradient_is_right_on_real_patches(X):
    objective = SparseObjective(X[:10], 25)
    theta = Parameters.random(64, 25, seed=1).ravel()
    numerical = numerical_gradient(lambda t: objective(t)[0], theta)
    assert relative_error(numerical, objective(theta)[1]) < 1e-8


def test_the_cost_starts_near_the_penalty_of_units_that_are_half_on(trained):
    history = trained.history
    # 25 units with a mean activation of 0.5 cost 47.8, and units that differ cost more.
    assert 47.8 < history["sparsity"][0] < 60
    assert history["total"][0] < 61


def test_the_cost_ends_near_0_39(trained):
    result = trained
    assert 0.375 < result.cost < 0.400
    assert result.n_iterations == 400
    assert np.all(np.diff(result.history["total"]) < 0)


def test_every_unit_is_as_active_as_asked_for(X, trained):
    rho_hat = encode(X, trained.parameters).mean(axis=0)
    assert 0.0098 < rho_hat.min() <= rho_hat.max() < 0.0116


@pytest.mark.equation("whitening", "normalize-patches", "sparse-cost")
def test_nearly_all_units_learn_edges_and_none_has_one_before(trained):
    assert edge_like(Parameters.random(64, 25, seed=1).W1).sum() == 0
    assert edge_like(trained.parameters.W1).sum() >= 23


def test_the_reconstruction_is_better_than_the_mean_patch(X, trained):
    parameters = trained.parameters
    assert 0.6 < unexplained_variance(X, decode(encode(X, parameters), parameters)) < 0.8


def test_the_training_evaluates_the_cost_hardly_more_often_than_it_steps(trained):
    """Published times of the assignment, 1 to 1.5 minutes, are those of 400 steps."""
    assert trained.n_evaluations < 440
