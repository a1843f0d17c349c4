"""The forward pass."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import Parameters, decode, encode

FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "linear": lambda z: z,
}


def one_layer(inputs, W, b, f):
    """The layer as the lecture notes write it: one example and one unit at a time."""
    outputs = np.empty((len(inputs), len(W)))
    for i, example in enumerate(inputs):
        for j, (row, bias) in enumerate(zip(W, b, strict=True)):
            outputs[i, j] = f(sum(w * x for w, x in zip(row, example, strict=True)) + bias)
    return outputs


def random_network(n_features, n_hidden, seed):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=2 * n_features * n_hidden + n_hidden + n_features)
    return Parameters.unravel(theta, n_features, n_hidden), rng


@pytest.mark.equation("forward-hidden", "forward-output")
@pytest.mark.parametrize("activation", list(FUNCTIONS))
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 999))
def test_both_layers_agree_with_loops_over_examples_and_units(activation, m, n, h, seed):
    p, rng = random_network(n, h, seed)
    X, f = rng.normal(size=(m, n)), FUNCTIONS[activation]
    A = encode(X, p, activation)
    assert A.shape == (m, h)
    assert pytest.approx(one_layer(X, p.W1, p.b1, f), rel=1e-12, abs=1e-14) == A
    Y = decode(A, p, activation)
    assert Y.shape == (m, n)
    assert pytest.approx(one_layer(A, p.W2, p.b2, f), rel=1e-12, abs=1e-14) == Y


def test_inputs_and_parameters_are_left_alone():
    p, rng = random_network(3, 2, 0)
    X = rng.normal(size=(4, 3))
    before = X.copy(), p.ravel()
    encode(X, p, "linear")
    assert np.array_equal(X, before[0])
    assert np.array_equal(p.ravel(), before[1])


def test_whole_numbers_are_welcome_everywhere():
    p = Parameters(np.array([[1, 1]]), np.array([[1], [2]]), np.array([0]), np.array([0, 0]))
    assert encode([[1, -1]], p).tolist() == [[0.5]]
    assert decode([[0]], p, "tanh").tolist() == [[0.0, 0.0]]


def test_float32_stays_float32():
    p, _ = random_network(3, 2, 0)
    p = Parameters.unravel(p.ravel().astype(np.float32), 3, 2)
    assert encode(np.zeros((1, 3), np.float32), p).dtype == np.float32


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((2, 4)), np.zeros((1, 2, 3))])
def test_inputs_of_another_width_are_refused(X):
    p, _ = random_network(3, 2, 0)
    with pytest.raises(ValueError, match=r"X has shape .* need \(n_samples, 3\)"):
        encode(X, p)


def test_activations_of_another_width_are_refused():
    p, _ = random_network(3, 2, 0)
    with pytest.raises(ValueError, match=r"A has shape \(2, 3\).* need \(n_samples, 2\)"):
        decode(np.zeros((2, 3)), p)


@pytest.mark.parametrize("function", [encode, decode])
@pytest.mark.parametrize("activation", ["relu", "Sigmoid", None, 3])
def test_unknown_activations_are_refused_with_the_choices(function, activation):
    p, _ = random_network(2, 2, 0)
    with pytest.raises(ValueError, match="choose one of 'sigmoid', 'tanh', 'linear'"):
        function(np.zeros((1, 2)), p, activation)
