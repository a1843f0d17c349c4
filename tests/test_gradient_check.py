"""Central differences and the relative error between two gradients."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saelib import Parameters, SparseObjective, numerical_gradient, relative_error
from saelib.gradient_check import ErrorTable


@pytest.mark.equation("central-difference", "relative-error")
def test_the_warm_up_of_the_assignment_gives_its_published_difference():
    def h(x):
        return x[0] ** 2 + 3 * x[0] * x[1]

    analytic = [2 * 4 + 3 * 10, 3 * 4]
    difference = relative_error(numerical_gradient(h, [4.0, 10.0], step=1e-4), analytic)
    assert difference == pytest.approx(2.1452e-12, rel=1e-4)


@pytest.mark.equation("central-difference")
@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(0, 9999))
def test_quadratic_functions_are_differentiated_up_to_rounding(n, seed):
    rng = np.random.default_rng(seed)
    H, b, theta = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=n)
    H += H.T
    gradient = numerical_gradient(lambda x: x @ H @ x / 2 + b @ x, theta)
    assert gradient == pytest.approx(H @ theta + b, abs=1e-9)


@pytest.mark.equation("central-difference")
def test_the_error_falls_with_the_square_of_the_step():
    errors = [abs(numerical_gradient(lambda x: math.exp(x[0]), [1.0], step)[0] - math.e)
              for step in (1e-1, 1e-2)]  # fmt: skip
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.equation("central-difference", "sparse-cost")
def test_an_objective_can_be_passed_as_it_is():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(30, 5))
    objective = SparseObjective(X, 3, sparsity_target=0.05)
    theta = Parameters.random(5, 3, seed=1).ravel()
    assert relative_error(numerical_gradient(objective, theta), objective(theta)[1]) < 1e-9


def test_a_list_will_do_and_an_array_is_left_alone():
    theta = np.array([1.0, 2.0])
    numerical_gradient(np.sum, theta)
    assert theta.tolist() == [1.0, 2.0]
    assert numerical_gradient(np.sum, [1, 2]) == pytest.approx([1.0, 1.0])
    assert numerical_gradient(np.sum, []).shape == (0,)


@pytest.mark.parametrize("step", [0.0, -1e-4, math.nan, math.inf])
def test_a_step_that_is_not_positive_is_refused(step):
    with pytest.raises(ValueError, match="step is"):
        numerical_gradient(np.sum, [1.0], step)


@pytest.mark.parametrize("theta", [1.0, [[1.0, 2.0]]])
def test_theta_that_is_not_flat_is_refused(theta):
    with pytest.raises(ValueError, match=r"theta has shape .*flat vector"):
        numerical_gradient(np.sum, theta)


vectors = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3)


@pytest.mark.equation("relative-error")
@settings(deadline=None, max_examples=50)
@given(vectors, vectors)
def test_relative_error_is_the_ratio_of_the_norms_and_symmetric(a, b):
    value = relative_error(a, b)
    above = math.dist(a, b)
    below = math.hypot(*(x + y for x, y in zip(a, b, strict=True)))
    assert value == relative_error(b, a)
    if above > 1e-9 and below > 1e-9:
        assert value == pytest.approx(above / below, rel=1e-9)


@pytest.mark.equation("relative-error")
def test_relative_error_at_its_ends():
    assert relative_error([1.0, 2.0], [1.0, 2.0]) == 0
    assert relative_error([0.0], [0.0]) == 0
    assert relative_error([1.0, 2.0], [-1.0, -2.0]) == math.inf
    assert relative_error([3.0, 4.0], [0.0, 0.0]) == 1


@pytest.mark.equation("relative-error")
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_relative_error_does_not_depend_on_the_scale(factor):
    a, b = np.array([1.0, 2.0]), np.array([1.1, 1.9])
    assert relative_error(factor * a, factor * b) == pytest.approx(relative_error(a, b))


def test_gradients_of_different_shape_are_refused():
    with pytest.raises(ValueError, match=r"a has shape \(2,\) and b has shape \(3,\)"):
        relative_error([1, 2], [1, 2, 3])


ODD = {"right": [1e-10] * 4, "odd": [26.34, 2e-9, 4e-4, np.inf]}


def test_a_table_of_errors_writes_out_what_is_wrong_the_numbers_below_each_other():
    lines = repr(ErrorTable(ODD, title="T")).splitlines()
    assert lines == [
        "T",
        "           W1      W2      b1      b2",
        "right",
        "odd    26.340          <0.001       ∞",
    ]


def test_in_a_notebook_a_table_of_errors_is_a_table_with_headers():
    html = ErrorTable(ODD | {"<b>": [1.0] * 4}, title="T")._repr_html_()
    table = ElementTree.fromstring(html)
    assert table.findtext("caption") == "T"
    assert [cell.text for cell in table.findall("thead/tr/th")] == ["W1", "W2", "b1", "b2"]
    rows = {row.findtext("th"): row.findall("td") for row in table.findall("tbody/tr")}
    assert [cell.text for cell in rows["odd"]] == ["26.340", None, "<0.001", "∞"]
    assert list(rows) == ["right", "odd", "<b>"]
    assert all("text-align: right" in cell.get("style") for cell in rows["odd"])
    grey = ["background" in cell.get("style") for cell in rows["odd"]]
    assert grey == [True, False, True, True]


def test_a_table_of_errors_takes_a_tolerance():
    assert "0.0" not in repr(ErrorTable({"a": [1e-3] * 4}, tolerance=0.01))


@pytest.mark.parametrize("row", [[1, 2, 3], [1, 2, 3, -1], [1, 2, 3, np.nan]])
def test_a_table_of_errors_refuses_what_is_not_four_errors(row):
    with pytest.raises(ValueError, match=r"errors\['a'\] .* give four errors of at least 0"):
        ErrorTable({"a": row})


def test_a_table_of_no_errors_is_refused():
    with pytest.raises(ValueError, match="errors is empty"):
        ErrorTable({})
