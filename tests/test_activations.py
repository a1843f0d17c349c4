"""The activation functions and their derivatives."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib.activations import (
    ACTIVATIONS,
    linear,
    linear_derivative,
    sigmoid,
    sigmoid_derivative,
    tanh,
    tanh_derivative,
)

moderate = st.floats(-700, 700)


@pytest.mark.equation("sigmoid")
@settings(deadline=None, max_examples=50)
@given(moderate)
def test_sigmoid_is_the_logistic_function(z):
    assert float(sigmoid(z)) == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-14)


@pytest.mark.equation("sigmoid")
@settings(deadline=None, max_examples=50)
@given(st.floats(-30, 30))
def test_sigmoid_is_symmetric_about_one_half(z):
    assert float(sigmoid(z) + sigmoid(-z)) == pytest.approx(1.0, abs=1e-15)


def with_sixty_digits(name, z):
    with localcontext(prec=60):
        exact = Decimal(float(z))
        if name == "sigmoid":
            return 1 / (1 + (-exact).exp())
        return ((2 * exact).exp() - 1) / ((2 * exact).exp() + 1)


@pytest.mark.parametrize(
    ("dtype", "furthest"), [(np.float32, 85), (np.float64, 700)], ids=["float32", "float64"]
)
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_are_exact_to_the_last_digits_out_to_where_numbers_end(name, dtype, furthest):
    z = np.concatenate([np.geomspace(1e-30, furthest, 60), [45, 1, 0.5]]).astype(dtype)
    z = np.concatenate([-z, z])
    found = ACTIVATIONS[name].function(z)
    with localcontext(prec=60):
        exact = [with_sixty_digits(name, number) for number in z]
        errors = [abs(Decimal(float(a)) / b - 1) for a, b in zip(found, exact, strict=True)]
    assert max(errors) < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturated_inputs_give_the_ends_of_the_range_without_a_warning(name, dtype):
    f = ACTIVATIONS[name]
    a = f.function(np.array([-np.inf, -1e30, 1e30, np.inf], dtype=dtype))
    assert a.tolist() == [f.low, f.low, f.high, f.high]
    assert f.derivative(a).tolist() == [0, 0, 0, 0]


@pytest.mark.equation("tanh")
@settings(deadline=None, max_examples=50)
@given(st.floats(-300, 300))
def test_tanh_is_the_ratio_of_exponentials(z):
    expected = (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z))
    assert float(tanh(z)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.equation("sigmoid", "tanh")
@settings(deadline=None, max_examples=50)
@given(st.floats(-15, 15))
def test_tanh_is_a_stretched_sigmoid(z):
    assert float(tanh(z)) == pytest.approx(2 * float(sigmoid(2 * z)) - 1, abs=1e-14)


@pytest.mark.equation("activation-derivatives")
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "linear"])
@settings(deadline=None, max_examples=30)
@given(z=st.floats(-15, 15))
def test_derivative_of_the_activation_is_the_slope_of_the_function(name, z):
    f, step = ACTIVATIONS[name], 1e-5
    slope = (float(f.function(z + step)) - float(f.function(z - step))) / (2 * step)
    assert float(f.derivative(f.function(z))) == pytest.approx(slope, abs=1e-9)


@pytest.mark.equation("activation-derivatives")
def test_derivatives_are_functions_of_the_activation_not_of_its_input():
    assert float(sigmoid_derivative(0.5)) == 0.25
    assert float(tanh_derivative(0.0)) == 1.0
    assert linear_derivative([3.0, 4.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", list(ACTIVATIONS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_types_are_kept(name, dtype):
    f, z = ACTIVATIONS[name], np.linspace(-2, 2, 5, dtype=dtype)
    assert f.function(z).dtype == dtype
    assert f.derivative(f.function(z)).dtype == dtype


@pytest.mark.parametrize("function", [sigmoid, tanh, linear])
def test_integers_are_taken_as_float64(function):
    assert function([0, 1]).dtype == np.float64


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_derivatives_write_where_they_are_told(name):
    derivative, a = ACTIVATIONS[name].derivative, np.linspace(0, 1, 5)
    original, out = a.copy(), np.empty(5)
    assert derivative(a, out=out) is out
    assert np.array_equal(out, derivative(a))
    assert np.array_equal(a, original)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_input_is_left_alone_unless_it_is_the_output(name):
    f, z = ACTIVATIONS[name].function, np.linspace(-2, 2, 5)
    original = z.copy()
    expected = f(z).copy()
    assert np.array_equal(z, original)

    other = np.empty(5)
    assert f(z, out=other) is other
    assert np.array_equal(other, expected)
    assert np.array_equal(z, original)

    assert f(z, out=z) is z
    assert np.array_equal(z, expected)
