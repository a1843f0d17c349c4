import numpy as np
import pytest

from saelib import Parameters, SparseObjective, descent, train
from saelib.descent import METHODS, descend

SLOPES = np.array([1.0, 20.0])


def ravine(theta):
    return 0.5 * SLOPES @ theta**2, SLOPES * theta


@pytest.mark.equation("gradient-descent")
def test_gradient_descent_shrinks_every_axis_by_its_own_factor():
    way = descend(ravine, [3.0, 1.0], learning_rate=0.09, n_steps=7, keep_path=True)
    expected = np.outer(np.ones(8), [3.0, 1.0]) * (1 - 0.09 * SLOPES) ** np.arange(8)[:, None]
    np.testing.assert_allclose(way.path, expected, rtol=1e-12)
    np.testing.assert_allclose(way.costs, 0.5 * expected**2 @ SLOPES, rtol=1e-12)
    np.testing.assert_allclose(way.gradient_norms, np.linalg.norm(SLOPES * expected, axis=1))


@pytest.mark.parametrize("method", ["gradient-descent", "momentum", "adam"])
def test_the_steps_are_those_of_another_library(method):
    import jax.numpy as jnp
    from jax.example_libraries import optimizers

    make = {
        "gradient-descent": optimizers.sgd(0.05),
        "momentum": optimizers.momentum(0.05, mass=0.8),
        "adam": optimizers.adam(0.05, b1=0.9, b2=0.999, eps=1e-8),
    }
    start, update, point = make[method]
    state, expected = start(jnp.array([3.0, 1.0])), []
    for k in range(10):
        state = update(k, jnp.asarray(SLOPES) * point(state), state)
        expected.append(np.asarray(point(state)))
    way = descend(
        ravine, [3.0, 1.0], method, learning_rate=0.05, momentum=0.8, n_steps=10, keep_path=True
    )
    np.testing.assert_allclose(way.path[1:], expected, rtol=2e-4, atol=1e-5)


def test_curvature_makes_short_work_of_a_ravine():
    steps = {
        method: descend(ravine, [3.0, 1.0], method, learning_rate=0.09, n_steps=60).costs
        for method in METHODS
    }
    reached = {method: int(np.sum(costs > 1e-6)) for method, costs in steps.items()}
    assert reached["l-bfgs"] < 12 < reached["gradient-descent"]


def test_it_goes_the_way_of_train():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(80, 9))
    objective = SparseObjective(X, 4, sparsity_target=0.1)
    theta0 = Parameters.random(9, 4, seed=0).ravel()
    before = theta0.copy()
    for method in ("gradient-descent", "l-bfgs"):
        known = train(
            objective, theta0, method=method, max_iter=15, learning_rate=0.3, progress=False
        )
        way = descend(objective, theta0, method, learning_rate=0.3, n_steps=15)
        np.testing.assert_allclose(way.costs, known.history["total"], rtol=1e-8)
        assert way.path.shape == (0, theta0.size) or way.path.size == 0
    np.testing.assert_array_equal(theta0, before)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"method": "newton"}, "method is 'newton'"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate is 0"),
        ({"n_steps": 0}, "n_steps is 0"),
    ],
)
def test_what_cannot_be_is_named(wrong, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        descend(ravine, [1.0, 1.0], **wrong)
    assert words in str(caught.value)


def test_l_bfgs_remembers_twenty_steps_as_training_does(monkeypatch):
    seen, original = [], descent.minimize

    def watched(*arguments, **more):
        seen.append(more["options"])
        return original(*arguments, **more)

    monkeypatch.setattr(descent, "minimize", watched)
    descend(lambda theta: (float(theta @ theta), 2 * theta), [1.0, 2.0], "l-bfgs", n_steps=3)
    assert [(options["maxcor"], options["maxiter"]) for options in seen] == [(20, 3)]
