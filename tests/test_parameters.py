"""The parameters and the flat vector theta."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import Parameters, encode, sigmoid

sizes = st.integers(1, 12)


@settings(deadline=None, max_examples=50)
@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_ravel_and_unravel_are_inverse(n_features, n_hidden, seed):
    theta = np.random.default_rng(seed).normal(
        size=2 * n_features * n_hidden + n_hidden + n_features
    )
    parameters = Parameters.unravel(theta, n_features, n_hidden)
    assert np.array_equal(parameters.ravel(), theta)
    assert (parameters.n_features, parameters.n_hidden) == (n_features, n_hidden)


def test_the_order_is_W1_W2_b1_b2_row_by_row():
    n, h = 3, 2
    p = Parameters.unravel(np.arange(17.0), n_features=n, n_hidden=h)
    assert p.W1.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert p.W2.tolist() == [[6, 7], [8, 9], [10, 11]]
    assert p.b1.tolist() == [12, 13]
    assert p.b2.tolist() == [14, 15, 16]


def test_ravel_goes_row_by_row_whatever_the_memory_order():
    p = Parameters.random(n_features=3, n_hidden=2, seed=0)
    fortran = Parameters(np.asfortranarray(p.W1), np.asfortranarray(p.W2), p.b1, p.b2)
    assert np.array_equal(fortran.ravel(), p.ravel())


def test_unravel_gives_views_and_ravel_a_copy():
    theta = np.zeros(7)
    p = Parameters.unravel(theta, n_features=2, n_hidden=1)
    p.b2[1] = 5.0
    assert theta.tolist() == [0, 0, 0, 0, 0, 0, 5]
    p.ravel()[0] = 9.0
    assert theta[0] == 0


@pytest.mark.equation("initial-weights")
@settings(deadline=None, max_examples=20)
@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_random_weights_lie_within_the_bound_and_biases_are_zero(n_features, n_hidden, seed):
    p = Parameters.random(n_features, n_hidden, seed)
    r = (6 / (n_features + n_hidden + 1)) ** 0.5
    assert abs(p.W1).max() <= r
    assert abs(p.W2).max() <= r
    assert not p.b1.any()
    assert not p.b2.any()


@pytest.mark.equation("initial-weights")
def test_random_weights_reach_the_bound_and_no_further():
    W = [Parameters.random(1, 1, seed).W1[0, 0] for seed in range(500)]
    assert 0.98 * 2**0.5 < max(W) <= 2**0.5
    assert -0.98 * 2**0.5 > min(W) >= -(2**0.5)


@pytest.mark.equation("initial-weights")
def test_random_weights_are_uniform_over_the_whole_interval():
    p = Parameters.random(n_features=100, n_hidden=200, seed=0)
    r = (6 / 301) ** 0.5
    for W in (p.W1, p.W2):
        counts, _ = np.histogram(W, bins=10, range=(-r, r))
        assert counts.sum() == W.size
        assert counts == pytest.approx(np.full(10, 2000), abs=5 * 2000**0.5)


def test_the_seed_decides_the_weights():
    first, again = (Parameters.random(5, 4, seed=1).ravel() for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, Parameters.random(5, 4, seed=2).ravel())
    generator = np.random.default_rng(1)
    assert np.array_equal(first, Parameters.random(5, 4, seed=generator).ravel())
    assert not np.array_equal(first, Parameters.random(5, 4, seed=generator).ravel())


@pytest.mark.parametrize("length", [0, 6, 8])
def test_unravel_refuses_the_wrong_length_and_says_the_right_one(length):
    with pytest.raises(ValueError, match=rf"theta has shape \({length},\).*need shape \(7,\)"):
        Parameters.unravel(np.zeros(length), n_features=2, n_hidden=1)


def test_unravel_refuses_a_matrix():
    with pytest.raises(ValueError, match=r"theta has shape \(7, 1\)"):
        Parameters.unravel(np.zeros((7, 1)), n_features=2, n_hidden=1)


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({"n_features": 0, "n_hidden": 1}, ValueError, "n_features is 0; it must be at least 1"),
        ({"n_features": 2, "n_hidden": -1}, ValueError, "n_hidden is -1; it must be at least 1"),
        ({"n_features": 2.0, "n_hidden": 1}, TypeError, "n_features is 2.0 of type float"),
        ({"n_features": 2, "n_hidden": True}, TypeError, "n_hidden is True of type bool"),
        ({"n_features": "2", "n_hidden": 1}, TypeError, "n_features is '2' of type str"),
    ],
)
def test_sizes_that_are_not_positive_whole_numbers_are_refused(sizes, error, message):
    with pytest.raises(error, match=message):
        Parameters.random(**sizes, seed=0)
    with pytest.raises(error, match=message):
        Parameters.unravel(np.zeros(7), **sizes)


@pytest.mark.parametrize("swapped", ["W1", "W2", "b1", "b2"])
def test_shapes_that_do_not_belong_together_are_refused(swapped):
    shapes = {"W1": (2, 3), "W2": (3, 2), "b1": (2,), "b2": (3,)}
    shapes[swapped] = (*shapes[swapped][:-1], 7)
    with pytest.raises(ValueError, match="do not belong together"):
        Parameters(**{name: np.zeros(shape) for name, shape in shapes.items()})


def test_weights_that_are_not_matrices_are_refused():
    with pytest.raises(ValueError, match=r"W1 \(6,\).* do not belong together"):
        Parameters(np.zeros(6), np.zeros((3, 2)), np.zeros(2), np.zeros(3))


def test_lists_become_arrays_and_arrays_stay_what_they_are():
    parameters = Parameters([[1, 2]], [[3], [4]], [5], [6, 7])
    assert parameters.n_hidden == 1
    assert parameters.n_features == 2
    np.testing.assert_array_equal(parameters.ravel(), np.arange(1.0, 8.0))
    np.testing.assert_array_equal(encode([[0.0, 0.0]], parameters), sigmoid([[5.0]]))
    W1 = np.ones((1, 2), dtype=np.float32)
    assert Parameters(W1, [[3], [4]], [5], [6, 7]).W1 is W1


@pytest.mark.parametrize("values", [[[1, 2], [3]], "weights", None, [["a", "b"]]])
def test_what_is_no_array_of_numbers_is_refused_by_its_name(values):
    with pytest.raises(TypeError, match=r"^W1 is .* cannot be read as an array of numbers"):
        Parameters(values, [[3], [4]], [5], [6, 7])
