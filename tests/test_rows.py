"""Data as people have them: sparse, in other layouts, masked; right, or refused with the cause."""

import inspect
import pickle

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from saelib import (
    Parameters,
    SparseAutoencoder,
    SparseObjective,
    decode,
    encode,
    kl_divergence,
    mean_activation,
    normalize_patches,
    numerical_gradient,
    relative_error,
    train,
    whiten,
)
from saelib import _rows as rows_module
from saelib import estimator as estimator_module
from saelib._rows import Rows, row_edges
from saelib.features import maximal_inputs, unexplained_variance
from saelib.sparse_dictionary import SparseDictionary

WEIGHTS = Parameters.random(2, 1, seed=0)
FITTED = SparseAutoencoder(n_hidden=1, max_iter=2, random_state=0).fit(np.eye(4)[:, :2])


def sparse_data(m=300, n=20, dtype=np.float64, seed=0):
    X = scipy.sparse.random(m, n, density=0.1, random_state=seed, dtype=dtype)
    return scipy.sparse.csr_array(X)


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_array, "csc_array"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_a_sparse_matrix_gives_the_bits_of_the_dense_one(make, dtype):
    X = (sparse_data() * (5 if dtype is np.int64 else 1)).astype(dtype)
    make = scipy.sparse.csc_array if make == "csc_array" else make
    dense = SparseObjective(X.toarray(), 4, output_activation="linear")
    sparse = SparseObjective(make(X), 4, output_activation="linear")
    theta = Parameters.random(20, 4, seed=1).ravel()
    terms, gradient = dense.evaluate(theta)
    same_terms, same_gradient = sparse.evaluate(theta)
    assert terms == same_terms
    assert np.array_equal(gradient, same_gradient)
    assert np.array_equal(dense.mean_activation(theta), sparse.mean_activation(theta))


@pytest.mark.parametrize("scaling", ["feature", "global", None])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_estimator_gives_the_bits_of_the_dense_matrix(scaling, method):
    X = sparse_data(m=2100)
    models = []
    for data in (X, X.toarray()):
        model = SparseAutoencoder(n_hidden=3, max_iter=5, scaling=scaling, random_state=0)
        models.append(getattr(model, method)(data))
    sparse, dense = models
    assert np.array_equal(sparse.parameters_.ravel(), dense.parameters_.ravel())
    assert np.array_equal(sparse.transform(X), dense.transform(X.toarray()))
    assert sparse.score(X) == dense.score(X.toarray())
    assert sparse.report(X) == dense.report(X.toarray())


def test_repeated_entries_of_a_sparse_matrix_are_added():
    X = scipy.sparse.csr_array(
        (np.array([0.25, 0.25, 0.5]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2)
    )
    theta = Parameters.random(2, 1, seed=0).ravel()
    assert SparseObjective(X, 1)(theta)[0] == SparseObjective([[0, 0.5], [0.5, 0]], 1)(theta)[0]


def test_only_blocks_of_a_sparse_matrix_become_dense(monkeypatch):
    """A matrix that would take 80 GB as an array."""
    m, n = 100_000, 100_000
    X = scipy.sparse.csr_array((np.full(m, 0.5), np.arange(m) % n, np.arange(m + 1)), shape=(m, n))
    longest = 0
    original = rows_module.dense

    def watched(block):
        nonlocal longest
        longest = max(longest, block.shape[0])
        if longest > 2000:
            raise MemoryError
        return original(block)

    monkeypatch.setattr(rows_module, "dense", watched)
    rows = Rows(X)
    assert rows[10:12].shape == (2, n)
    assert rows[10:12].sum() == 1.0
    assert max(stop - start for start, stop in row_edges(m, n)) * n <= 2**22
    assert rows.bytes_in_memory < 4_000_000


def test_words_can_be_learned_from_their_frequencies():
    """The docstrings of two packages; the features tell one from the other."""
    modules = [scipy.optimize, sklearn.feature_extraction.text, scipy.sparse, sklearn.base]
    texts, labels = [], []
    for k, module in enumerate(modules):
        for _, thing in inspect.getmembers(module):
            if callable(thing) and len(thing.__doc__ or "") > 400:
                texts.append(thing.__doc__)
                labels.append(k % 2)
    model = make_pipeline(
        TfidfVectorizer(max_features=300),
        SparseAutoencoder(n_hidden=15, scaling=None, max_iter=60, random_state=0),
        LogisticRegression(C=100),
    ).fit(texts, labels)
    chance = max(np.mean(labels), 1 - np.mean(labels))
    assert model.score(texts, labels) > chance + 0.05


def test_sparse_data_outside_the_range_or_not_finite_are_refused_with_their_place():
    X = sparse_data()
    with pytest.raises(ValueError, match=r"X has values from 0 to .*sigmoid output reaches"):
        SparseObjective(X * 3, 2)
    X.data[0] = np.nan
    row, column = (int(index[0]) for index in X.nonzero())
    with pytest.raises(ValueError, match=f"X holds nan at row {row}, column {column}"):
        SparseObjective(X, 2)
    with pytest.raises(TypeError, match="sparse matrix of complex128"):
        SparseObjective(X * 1j, 2)


@settings(deadline=None, max_examples=40)
@given(m=st.integers(1, 3000), n=st.integers(1, 10**7))
def test_blocks_cover_every_row_once_and_stay_small(m, n):
    edges = row_edges(m, n)
    assert [start for start, _ in edges] == [0, *(stop for _, stop in edges[:-1])]
    assert edges[-1][1] == m
    assert all(0 < stop - start <= 1000 for start, stop in edges)
    assert all((stop - start) * n <= 2**22 or stop - start == 1 for start, stop in edges)


def test_no_sparse_matrix_becomes_dense_as_a_whole(monkeypatch):
    m, n, lengths, given = 40_000, 50, [], []
    X = scipy.sparse.csr_array((np.full(m, 0.5), np.arange(m) % n, np.arange(m + 1)), shape=(m, n))
    original, objective = scipy.sparse.csr_array.toarray, estimator_module.SparseObjective

    def toarray(self, *args, **options):
        lengths.append(self.shape[0])
        return original(self, *args, **options)

    def with_a_look(data, *args, **options):
        given.append(type(data))
        return objective(data, *args, **options)

    monkeypatch.setattr(scipy.sparse.csr_array, "toarray", toarray)
    monkeypatch.setattr(estimator_module, "SparseObjective", with_a_look)
    SparseObjective(X, 2)(Parameters.random(n, 2, seed=0).ravel())
    model = SparseAutoencoder(n_hidden=2, max_iter=1, random_state=0).fit(X)
    model.transform(X), model.score(X), model.report(X)
    assert given == [Rows]
    assert 0 < max(lengths) <= 2500


# --- examples in columns, masked entries, constant columns --------------------------------


def test_examples_in_columns_are_recognized_by_the_length_of_theta():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(64, 1000))
    objective = SparseObjective(X, 25)
    with pytest.raises(ValueError, match=r"if they are the columns of X, give X\.T"):
        objective(Parameters.random(64, 25, seed=0).ravel())
    with pytest.raises(ValueError, match=r"n_features=1000 and n_hidden=25"):
        objective(np.zeros(7))


def test_masked_entries_are_refused_everywhere():
    A = np.ma.masked_array(np.full((4, 2), 0.5), [[True, False]] * 4)
    for function in (
        lambda: mean_activation(A),
        lambda: SparseObjective(A, 1),
        lambda: SparseAutoencoder(n_hidden=1).fit(A),
        lambda: SparseAutoencoder(n_hidden=1).partial_fit(A),
        lambda: FITTED.inverse_transform(A[:, :1]),
        lambda: SparseDictionary(2, n_steps=1).fit(A),
        lambda: encode(A, WEIGHTS),
        lambda: decode(A[:, :1], WEIGHTS),
        lambda: unexplained_variance(A, A),
        lambda: maximal_inputs(A),
        lambda: kl_divergence(0.1, A),
        lambda: numerical_gradient(np.sum, A[0]),
        lambda: relative_error(A, A),
    ):
        with pytest.raises(ValueError, match="is a masked array with masked entries"):
            function()
    unmasked = np.ma.masked_array(np.random.default_rng(0).normal(size=(9, 2)))
    SparseAutoencoder(n_hidden=1, max_iter=2).fit(unmasked)


def test_sparse_matrices_are_refused_by_name_where_only_arrays_will_do():
    A = scipy.sparse.csr_array(np.full((4, 2), 0.5))
    for function in (
        lambda: mean_activation(A),
        lambda: encode(A, WEIGHTS),
        lambda: decode(A[:, :1], WEIGHTS),
        lambda: normalize_patches(A),
        lambda: whiten(A),
        lambda: unexplained_variance(A, A),
    ):
        with pytest.raises(TypeError, match=r"is a sparse matrix; .* give \w+\.toarray\(\)"):
            function()


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_steps", [1, 3, 20])
@pytest.mark.parametrize("m", [50, 1000])
def test_a_column_that_varies_by_rounding_only_is_constant(output, dtype, n_steps, m):
    rng = np.random.default_rng(0)
    nearly = dtype(0.3) + np.spacing(dtype(0.3)) * rng.integers(-n_steps, n_steps + 1, size=m)
    X = np.column_stack([nearly, rng.normal(size=m)]).astype(dtype)
    model = SparseAutoencoder(n_hidden=2, max_iter=20, output_activation=output, random_state=0)
    model.fit(X)
    assert model.scaling_.scale[0] == 1
    X[:, 0] = 0.31
    assert model.score(X) > -100


def test_a_column_that_varies_a_little_is_not_constant():
    X = np.column_stack([1 + 1e-12 * np.arange(50), np.arange(50.0)])
    scaling = SparseAutoencoder(n_hidden=2, max_iter=1).fit(X).scaling_
    assert scaling.scale[0] == pytest.approx(np.std(X[:, 0]), rel=1e-3)


def test_means_outside_the_range_of_the_activation_are_refused():
    A = np.tanh(np.random.default_rng(0).normal(size=(50, 3)) - 1)
    with pytest.raises(ValueError, match=r"sigmoid activations lie in .*check activation"):
        mean_activation(A)
    assert np.all(mean_activation(A, activation="tanh") > 0)


# --- optimizers and processes -------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "CG", "BFGS", "trust-constr"])
def test_any_optimizer_of_scipy_takes_the_objective(method, dtype):
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(80, 4)).astype(dtype)
    objective = SparseObjective(X, 2, sparsity_target=0.1)
    theta0 = Parameters.random(4, 2, seed=0).ravel()
    result = scipy.optimize.minimize(
        objective, theta0, jac=True, method=method, options={"maxiter": 15}
    )
    assert result.fun < objective(theta0)[0]


def test_a_pickled_objective_leaves_its_scratch_memory_behind():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(500, 4))
    objective = SparseObjective(X, 50)
    theta = Parameters.random(4, 50, seed=0).ravel()
    expected = objective(theta)
    pickled = pickle.dumps(objective)
    assert len(pickled) < 2 * X.nbytes
    cost, gradient = pickle.loads(pickled)(theta)
    assert cost == expected[0]
    assert np.array_equal(gradient, expected[1])


# --- what training says at its end --------------------------------------------------------


def test_gradient_descent_that_rises_says_so():
    X = np.random.default_rng(0).uniform(-3, 3, size=(80, 4))
    objective = SparseObjective(X, 2, output_activation="linear")
    theta0 = Parameters.random(4, 2, seed=0).ravel()
    result = train(
        objective, theta0, method="gradient-descent", learning_rate=5.0, max_iter=12,
        progress=False,
    )  # fmt: skip
    assert result.reason == "diverged"
    assert not result.converged
    assert result.cost > result.history["total"][0]
    assert "cost rose from" in result.message
    assert "lower learning_rate" in result.message


@pytest.mark.parametrize(
    ("bias", "end"),
    [(60.0, "0 at 0, 2 at 1"), (-60.0, "2 at 0, 0 at 1"), ([-60.0, 60.0], "1 at 0, 1 at 1")],
)
def test_a_training_that_starts_saturated_says_so(bias, end):
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(80, 4))
    objective = SparseObjective(X, 2, sparsity_weight=0.0, weight_decay=0.0)
    theta0 = Parameters.random(4, 2, seed=0)
    theta0.b1[:] = bias
    result = train(objective, theta0.ravel(), max_iter=300, progress=False)
    assert result.reason in ("converged", "stuck")
    assert f"2 of 2 hidden units are saturated ({end}" in result.message
    sound = train(objective, Parameters.random(4, 2, seed=0).ravel(), max_iter=3, progress=False)
    assert "saturated" not in sound.message
