import numpy as np
import pytest

from saelib import SparseObjective, normalize_patches, numerical_gradient, sample_patches
from saelib.exercises import check_pipeline, train_pipeline
from saelib.exercises._capstone import STAGES
from saelib.parameters import Parameters


def evaluate(W1, W2, b1, b2, X, decay, rho, beta):
    objective = SparseObjective(
        X, len(W1), weight_decay=decay, sparsity_target=rho, sparsity_weight=beta
    )
    return objective(Parameters(W1, W2, b1, b2).ravel())


def cost(*arguments):
    return evaluate(*arguments)[0]


def gradient(W1, W2, *others):
    flat = evaluate(W1, W2, *others)[1]
    p = Parameters.unravel(flat, W1.shape[1], len(W1))
    return p.W1, p.W2, p.b1, p.b2


RIGHT = {
    "sample_patches": sample_patches,
    "normalize_patches": normalize_patches,
    "cost": cost,
    "sparse_gradient": gradient,
    "numerical_gradient": numerical_gradient,
}


def test_a_run_whose_stages_are_all_right_is_right():
    verdict = check_pipeline(RIGHT, seed=0)
    assert verdict.correct, str(verdict)
    assert "5 stages of 5" in str(verdict)


@pytest.mark.parametrize("missing", STAGES)
def test_the_first_missing_stage_is_named(missing):
    stages = {name: function for name, function in RIGHT.items() if name != missing}
    verdict = check_pipeline(stages, seed=0)
    assert not verdict.correct
    assert not verdict.written
    assert f"no {missing} yet" in str(verdict)


def test_the_first_wrong_stage_speaks_through_its_own_checker():
    wrong = RIGHT | {"cost": lambda *a: 2 * cost(*a), "sparse_gradient": lambda *a: None}
    verdict = check_pipeline(wrong, seed=0)
    assert not verdict.correct
    assert verdict.exercise == "cost"


def test_it_trains_what_it_is_given():
    calls = []

    def counted(*arguments):
        calls.append(arguments[4].shape)
        return gradient(*arguments)

    image = np.random.default_rng(0).normal(size=(40, 40))
    W1 = train_pipeline(
        RIGHT | {"sparse_gradient": counted}, {"noise": image}, n_patches=30, max_iter=4
    )
    assert W1.shape == (25, 64)
    assert set(calls) == {(30, 64)}
    start = Parameters.random(64, 25, seed=0).W1
    assert np.abs(W1 - start).max() > 1e-3
