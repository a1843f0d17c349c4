"""What every kind of bad or degenerate input gets: a right result, or an error that helps.

pytest turns warnings into errors here, so each row also proves that numpy warned of nothing.
"""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.exceptions import NotFittedError

from saelib import SparseAutoencoder
from saelib._rows import Rows
from saelib.scaling import check_magnitude

RNG = np.random.default_rng(0)
GOOD = RNG.normal(size=(30, 4))


def small(**changes):
    settings = {"n_hidden": 3, "max_iter": 20, "random_state": 0, **changes}
    return SparseAutoencoder(**settings)


def with_entry(value, row=7, column=2):
    X = GOOD.copy()
    X[row, column] = value
    return X


BAD_PARAMETERS = [
    ({"n_hidden": 0}, ValueError, "n_hidden is 0; it must be at least 1"),
    ({"n_hidden": -3}, ValueError, "n_hidden is -3"),
    ({"n_hidden": 2.5}, TypeError, "n_hidden is 2.5 of type float; give a whole number"),
    ({"n_hidden": True}, TypeError, "n_hidden is True"),
    ({"n_hidden": "many"}, TypeError, "n_hidden is 'many'"),
    ({"n_hidden": None}, TypeError, "n_hidden is None"),
    ({"weight_decay": -1e-4}, ValueError, "weight_decay is -0.0001; it must be a finite number"),
    ({"weight_decay": np.inf}, ValueError, "weight_decay is inf"),
    ({"weight_decay": "small"}, TypeError, "weight_decay is 'small'"),
    ({"sparsity_target": 0.0}, ValueError, r"sparsity_target is 0.0; .* in \(0, 1\)"),
    ({"sparsity_target": 1.0}, ValueError, "sparsity_target is 1.0"),
    ({"sparsity_target": -0.1}, ValueError, "sparsity_target is -0.1"),
    ({"sparsity_target": np.nan}, ValueError, "sparsity_target is nan"),
    ({"sparsity_weight": -1}, ValueError, "sparsity_weight is -1"),
    ({"sparsity_weight": None}, TypeError, "sparsity_weight is None"),
    ({"activation": "relu"}, ValueError, "activation is 'relu'; choose one of 'sigmoid', 'tanh'"),
    ({"activation": "linear"}, ValueError, "activation is 'linear'"),
    ({"output_activation": "softmax"}, ValueError, "output_activation is 'softmax'; choose one"),
    ({"output_activation": None}, ValueError, "output_activation is None"),
    ({"scaling": "minmax"}, ValueError, "scaling is 'minmax'; choose 'feature', 'global' or None"),
    ({"scaling": ["feature"]}, ValueError, "scaling is .'feature'.; choose"),
    ({"max_iter": 0}, ValueError, "max_iter is 0"),
    ({"max_iter": 1e3}, TypeError, "max_iter is 1000.0"),
    ({"batch_size": 0}, ValueError, "batch_size is 0"),
    ({"learning_rate": 0.0}, ValueError, "learning_rate is 0.0"),
    ({"learning_rate": np.nan}, ValueError, "learning_rate is nan"),
    ({"sparsity_window": 0}, ValueError, "sparsity_window is 0"),
    ({"warm_start": "yes"}, TypeError, "warm_start is 'yes'; give True or False"),
    ({"verbose": None}, TypeError, "verbose is None"),
    ({"random_state": "seed"}, ValueError, "random_state is 'seed'; give a whole number"),
    ({"random_state": True}, ValueError, "random_state is True"),
    ({"random_state": -1}, ValueError, "random_state is -1"),
    ({"callback": 3}, TypeError, "callback is 3; give a function"),
    ({"checkpoint": 3}, TypeError, "checkpoint is 3; give the path"),
    ({"checkpoint_every": 0}, ValueError, "checkpoint_every is 0"),
    ({"tol": -1e-3}, ValueError, "tol is -0.001"),
    ({"tol": "small"}, TypeError, "tol is 'small'"),
    ({"early_stopping": "yes"}, TypeError, "early_stopping is 'yes'; give True or False"),
    ({"validation_fraction": 1.0}, ValueError, "validation_fraction is 1.0"),
    ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change is 0"),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("changes", "error", "message"), BAD_PARAMETERS, ids=[str(row[0]) for row in BAD_PARAMETERS]
)
def test_bad_parameter_is_named_with_its_value(changes, error, message, method):
    with pytest.raises(error, match=message):
        getattr(small(**changes), method)(GOOD)


BAD_DATA = {
    "NaN": (with_entry(np.nan), ValueError, "contains NaN"),
    "infinity": (with_entry(np.inf), ValueError, "contains infinity"),
    "minus infinity": (with_entry(-np.inf), ValueError, "contains infinity"),
    "NaN in float32": (with_entry(np.nan).astype(np.float32), ValueError, "contains NaN"),
    "None among numbers": ([[1.0, None]] * 5, ValueError, "NaN"),
    "pandas missing value": (
        pd.DataFrame({"a": [1, None, 3], "b": [1.0, 2, 3]}),
        ValueError,
        "NaN",
    ),
    "one dimension": (GOOD[0], ValueError, r"Reshape your data"),
    "three dimensions": (GOOD.reshape(5, 6, 4), ValueError, "dim 3"),
    "a number": (3.0, ValueError, "scalar"),
    "no rows": (GOOD[:0], ValueError, "0 sample"),
    "no columns": (GOOD[:, :0], ValueError, "0 feature"),
    "one row": (GOOD[:1], ValueError, "minimum of 2 is required"),
    "text": ([["a", "b"], ["c", "d"]], ValueError, "could not convert string to float"),
    "text among objects": (
        np.array([[1, "b"], [2, "d"]], dtype=object),
        ValueError,
        "could not convert",
    ),
    "dictionaries": (np.array([[{}, {}], [{}, {}]]), TypeError, "dict"),
    "ragged rows": ([[1.0, 2.0], [3.0]], ValueError, "inhomogeneous"),
    "complex numbers": (GOOD + 1j, ValueError, "Complex data not supported"),
    "NaN in a sparse matrix": (
        scipy.sparse.csr_matrix(with_entry(np.nan)),
        ValueError,
        "contains NaN",
    ),
    "masked": (np.ma.masked_array(GOOD, GOOD > 0), ValueError, "X is a masked array"),
    "nothing": (None, ValueError, "scalar"),
    "range beyond float64": (
        with_entry(1.7e308) - with_entry(1.7e308, row=8),
        ValueError,
        "Divide the column",
    ),
    "dates in pandas": (
        pd.DataFrame({"day": pd.to_datetime(["2020-01-01"] * 5), "x": 1.0}),
        TypeError,
        "dates or times",
    ),
    "dates in polars": (
        pl.DataFrame({"day": [datetime.date(2020, 1, 1)] * 5}),
        TypeError,
        "dates or times",
    ),
    "dates": (np.full((5, 2), np.datetime64("2020-01-01")), TypeError, "dates or times"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_transform"])
@pytest.mark.parametrize("fault", BAD_DATA)
def test_bad_data_is_refused_with_a_reason(fault, method):
    X, error, message = BAD_DATA[fault]
    with pytest.raises(error, match=message):
        getattr(small(), method)(X)


@pytest.mark.parametrize("method", ["transform", "score", "inverse_transform"])
def test_use_before_fit_is_refused(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(small(), method)(GOOD)


def test_components_before_fit_do_not_exist():
    with pytest.raises(AttributeError, match="only after fit"):
        _ = small().components_


@pytest.mark.parametrize("method", ["transform", "score", "partial_fit"])
def test_another_number_of_columns_is_refused(method):
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4"):
        getattr(small().fit(GOOD), method)(GOOD[:, :3])


def test_activations_of_another_number_of_units_are_refused():
    with pytest.raises(ValueError, match=r"X has 4 columns; .* activations of the 3 hidden units"):
        small().fit(GOOD).inverse_transform(GOOD)


def test_other_column_names_are_refused():
    model = small().fit(pd.DataFrame(GOOD, columns=list("abcd")))
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(pd.DataFrame(GOOD, columns=list("abce")))


def test_unscaled_data_outside_a_bounded_output_are_refused():
    with pytest.raises(ValueError, match=r"X has values from .* reaches only \[0, 1\]"):
        small(scaling=None, output_activation="sigmoid").fit(GOOD)


@pytest.mark.parametrize(("dtype", "value"), [(np.float64, 1e200), (np.float32, 1e30)])
def test_new_value_beyond_all_reason_is_refused_with_its_place(dtype, value):
    model = small().fit(GOOD)
    with pytest.raises(ValueError, match=r"at row 7, column 2; .* Check the units"):
        model.transform(with_entry(value).astype(dtype))


def test_the_place_of_a_far_out_value_counts_all_rows():
    model = small().fit(GOOD)
    with pytest.raises(ValueError, match="at row 2507, column 2"):
        model.transform(np.vstack([np.zeros((2500, 4)), with_entry(1e200)]))


def test_a_far_too_large_learning_rate_is_named():
    with pytest.raises(ValueError, match="learning_rate is 1e\\+30, give a smaller one"):
        small(learning_rate=1e30).partial_fit(GOOD)


def test_activations_that_no_unit_has_are_refused_before_they_overflow():
    model = small().fit(GOOD.astype(np.float32) * 1e30)
    with pytest.raises(ValueError, match="X holds 1e\\+300"):
        model.inverse_transform(np.full((1, 3), 1e300))
    with pytest.raises(ValueError, match="too large for float32"):
        model.inverse_transform(np.full((1, 3), 4e9, dtype=np.float32))


def test_changing_the_network_of_a_fitted_estimator_is_refused():
    model = small(warm_start=True).fit(GOOD)
    with pytest.raises(ValueError, match="n_hidden is 5, but the fitted network has 3"):
        model.set_params(n_hidden=5).fit(GOOD)
    with pytest.raises(ValueError, match=r"activation is 'tanh', but .* partial_fit cannot"):
        model.set_params(n_hidden=3, activation="tanh").partial_fit(GOOD)


DEGENERATE = {
    "two rows": GOOD[:2],
    "more columns than rows": RNG.normal(size=(3, 20)),
    "one column": GOOD[:, :1],
    "one constant column": np.column_stack([GOOD, np.full(30, 7.0)]),
    "all columns constant": np.tile([1.0, -2.0, 3e5], (20, 1)),
    "all zeros": np.zeros((20, 3)),
    "duplicated rows": np.repeat(GOOD[:2], 15, axis=0),
    "identical columns": np.repeat(GOOD[:, :1], 4, axis=1),
    "one outlier": with_entry(1e12),
    "huge scale": GOOD * 1e300,
    "tiny scale": GOOD * 1e-300,
    "subnormal numbers": np.round(GOOD * 10) * 5e-324,
    "one unit in the last place": 1.0 + np.finfo(float).eps * RNG.integers(0, 2, size=(30, 3)),
    "columns of very different scale": GOOD * [1e-200, 1e-5, 1, 1e200],
    "far from zero": GOOD + 1e8,
    "integers": RNG.integers(-5, 5, size=(30, 4)),
    "unsigned bytes": RNG.integers(0, 255, size=(30, 4)).astype(np.uint8),
    "largest integers": np.array([[2**63 - 1, -(2**63)], [0, 1]]),
    "booleans": RNG.random((30, 4)) > 0.5,
    "float16": GOOD.astype(np.float16),
    "float32": GOOD.astype(np.float32),
    "float32, huge": (GOOD * 1e37).astype(np.float32),
    "float32, tiny": (GOOD * 1e-40).astype(np.float32),
    "long double": GOOD.astype(np.longdouble),
    "big-endian": GOOD.astype(">f8"),
    "numbers as objects": GOOD.astype(object),
    "lists": GOOD.tolist(),
    "Fortran order": np.asfortranarray(GOOD),
    "every second row, backwards": np.repeat(GOOD, 2, axis=0)[::-2],
    "pandas with integers": pd.DataFrame(RNG.integers(0, 9, size=(30, 3)), columns=list("abc")),
    "pandas nullable": pd.DataFrame({"a": [1, 2, 3], "b": [True, False, True]}).astype("Int64"),
}


@pytest.mark.parametrize("output_activation", ["linear", "sigmoid", "tanh"])
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_data_get_a_right_result(case, output_activation):
    X = DEGENERATE[case]
    values = np.asarray(X, dtype=np.float64)
    for scaling in ("feature", "global"):
        model = small(output_activation=output_activation, scaling=scaling).fit(X)
        A = model.transform(X)
        assert A.shape == (len(values), 3)
        assert ((A >= 0) & (A <= 1)).all()
        back = model.inverse_transform(A)
        assert np.isfinite(back).all()
        # The training lowers the cost, and the reconstruction stays near the range of the data.
        assert model.loss_curve_[-1] <= model.loss_curve_[0]
        low, high = values.min(axis=0), values.max(axis=0)
        slack = model.scaling_.scale * 2 + 1e-6 * np.abs(values).max(axis=0)
        assert (back >= low - slack).all()
        assert (back <= high + slack).all()
        np.testing.assert_allclose(model.mean_activation_, A.mean(axis=0), rtol=1e-3, atol=1e-6)
        assert -np.inf < model.score(X) <= 0


@pytest.mark.parametrize("output_activation", ["linear", "sigmoid"])
def test_constant_data_are_reproduced(output_activation):
    X = np.tile([1.0, -2.0, 3e5], (20, 1))
    model = small(output_activation=output_activation, max_iter=200).fit(X)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-3)


@settings(deadline=None, max_examples=50)
@given(
    X=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    output_activation=st.sampled_from(["linear", "sigmoid", "tanh"]),
    scaling=st.sampled_from(["feature", "global", None]),
)
def test_any_finite_matrix_is_fitted_or_refused_with_a_reason(X, output_activation, scaling):
    model = small(output_activation=output_activation, scaling=scaling, max_iter=5)
    try:
        A = model.fit_transform(X)
        back = model.inverse_transform(A)
    except ValueError as error:
        assert "X " in str(error)  # noqa: PT017 - either outcome is allowed
        return
    assert np.isfinite(A).all()
    assert np.isfinite(back).all()
    assert np.isfinite(model.score(X))


@settings(deadline=None, max_examples=50)
@given(
    X=arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
        elements=st.floats(-1e150, 1e150),
    ),
    output_activation=st.sampled_from(["linear", "sigmoid", "tanh"]),
    scaling=st.sampled_from(["feature", "global"]),
)
def test_scaling_stays_in_the_range_of_the_output_and_is_inverted(X, output_activation, scaling):
    model = small(output_activation=output_activation, scaling=scaling, max_iter=1).fit(X)
    scaled = model.scaling_.apply(X)
    if output_activation != "linear":
        ends = {"sigmoid": (0.1, 0.9), "tanh": (-0.8, 0.8)}[output_activation]
        assert scaled.min() >= ends[0] - 1e-12
        assert scaled.max() <= ends[1] + 1e-12
    span = np.ptp(X, axis=0) if scaling == "feature" else np.full(X.shape[1], np.ptp(X))
    tolerance = 1e-12 * (span + np.abs(X).max()) + np.finfo(float).tiny
    assert (np.abs(model.scaling_.invert(scaled) - X) <= tolerance).all()


@pytest.mark.parametrize(("dtype", "value"), [(np.float64, 1e90), (np.float32, 1e12)])
def test_numbers_whose_products_could_overflow_are_refused_with_their_place(dtype, value):
    X = GOOD.astype(dtype)
    model = small().fit(X)
    X[7, 2] = value
    with pytest.raises(ValueError, match=r"X holds 1e\+\d+ at row 7, column 2"):
        model.transform(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_entry_allowed_is_the_fourth_root_of_the_largest_number(dtype):
    """Two squares, one of them of a sum over many rows and columns, must not overflow."""
    limit = float(np.finfo(dtype).max) ** 0.25
    just_below = np.array([[1.0, -0.99 * limit]], dtype)
    check_magnitude(Rows(just_below))
    for far_out in (1.01 * limit, -1.01 * limit):
        with pytest.raises(ValueError, match="at row 1, column 0"):
            check_magnitude(Rows(np.array([[1.0, 2.0], [far_out, 0.0]], dtype)))


def test_the_names_of_what_exists_after_fit_are_listed_after_fit_only():
    model = SparseAutoencoder(2, max_iter=2, tol=None)
    assert "n_iter_" not in dir(model)
    assert "fit" in dir(model)
    model.fit(np.random.default_rng(0).normal(size=(20, 3)))
    assert {"n_iter_", "parameters_", "fit"} <= set(dir(model))
    assert "feature_names_in_" not in dir(model)  # the columns had no names


@pytest.mark.parametrize(("fraction", "held_out"), [(0.95, 9.5), (0.01, 0)])
def test_a_fraction_that_leaves_too_few_rows_on_either_side_is_refused(fraction, held_out):
    model = SparseAutoencoder(2, early_stopping=True, validation_fraction=fraction)
    words = f"takes {round(held_out)} of 10 rows; at least 1 must be held out and 2 be left"
    with pytest.raises(ValueError, match=words):
        model.fit(np.random.default_rng(0).normal(size=(10, 3)))


def test_activations_that_cannot_be_inverted_are_blamed_on_the_estimator_s_input():
    model = SparseAutoencoder(2, max_iter=2, tol=None)
    model.fit(np.random.default_rng(0).normal(size=(20, 3)))
    with pytest.raises(ValueError, match=r"(?s)Input X contains NaN.*SparseAutoencoder"):
        model.inverse_transform([[np.nan, 0.5]])


def test_sparse_data_are_told_apart_when_a_training_is_resumed(tmp_path):
    X = scipy.sparse.random_array((40, 5), density=0.5, rng=np.random.default_rng(0), format="csr")
    chosen = {"max_iter": 4, "tol": None, "scaling": None, "random_state": 0}
    path = tmp_path / "run.safetensors"
    SparseAutoencoder(2, checkpoint=path, checkpoint_every=2, **chosen).fit(X)
    other = X.copy()
    other.data[3] += 0.25
    with pytest.raises(ValueError, match="is not the data of the interrupted training"):
        SparseAutoencoder.load(path).set_params(max_iter=6).resume(other)
    resumed = SparseAutoencoder.load(path).set_params(max_iter=6).resume(X)
    assert resumed.n_iter_ == 6
