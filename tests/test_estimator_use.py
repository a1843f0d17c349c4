"""The estimator where people use it: pipelines, searches, data frames, streams, several cores."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from saelib import Parameters, SparseAutoencoder, SparseObjective, relative_error
from saelib._minibatch import mini_batch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(150, 6))
DIGITS, LABELS = (part[:400] for part in load_digits(return_X_y=True))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 30, "random_state": 0, **changes})


def chain():
    features = small(n_hidden=20, scaling="global", weight_decay=1e-2, max_iter=40)
    return make_pipeline(features, LogisticRegression(max_iter=2000))


def test_a_pipeline_learns_the_digits():
    assert cross_val_score(chain(), DIGITS, LABELS, cv=3).min() > 0.75


@pytest.mark.parametrize("load", [load_digits, load_wine, load_breast_cancer])
def test_the_defaults_give_a_linear_model_more_than_the_raw_columns_do(load):
    X, y = load(return_X_y=True)
    splits = StratifiedShuffleSplit(3, test_size=0.5, random_state=0)
    plain = LogisticRegression(max_iter=10_000)
    chain = make_pipeline(SparseAutoencoder(random_state=0), plain)
    means = [cross_val_score(model, X, y, cv=splits).mean() for model in (plain, chain)]
    assert means[0] < means[1]


def test_a_grid_search_goes_over_units_and_target():
    grid = {
        "sparseautoencoder__n_hidden": [2, 20],
        "sparseautoencoder__sparsity_target": [0.1, 0.2],
    }
    search = GridSearchCV(chain(), grid, cv=2).fit(DIGITS, LABELS)
    assert search.best_params_["sparseautoencoder__n_hidden"] == 20


def test_a_search_without_labels_uses_the_score():
    search = GridSearchCV(small(sparsity_weight=0.1), {"n_hidden": [1, 4]}, cv=2).fit(X)
    assert search.best_params_ == {"n_hidden": 4}
    assert search.best_score_ < 0


def test_a_column_transformer_names_the_features():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    columns = ColumnTransformer(
        [("sae", small(n_hidden=2), list("abcde"))], remainder="passthrough"
    ).set_output(transform="pandas")
    out = columns.fit_transform(frame)
    assert list(out.columns) == [
        "sae__sparseautoencoder0",
        "sae__sparseautoencoder1",
        "remainder__f",
    ]
    np.testing.assert_array_equal(out["remainder__f"], frame["f"])


@pytest.mark.parametrize(("library", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_data_frames_go_in_and_come_out(library, frame):
    data = frame({name: X[:, k] for k, name in enumerate("abcdef")})
    model = small().set_output(transform=library)
    out = model.fit_transform(data)
    assert isinstance(out, frame)
    assert list(out.columns) == list(model.get_feature_names_out())
    assert list(model.feature_names_in_) == list("abcdef")
    # Frames keep columns together, so sums are rounded in another order.
    np.testing.assert_allclose(out.to_numpy(), small().fit(X).transform(X), atol=1e-9)


def test_a_clone_has_the_settings_and_not_the_weights():
    model = small(callback=len, checkpoint="somewhere").set_params(n_hidden=3)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "parameters_")


def test_float32_stays_float32_and_agrees_with_float64():
    model = small().fit(X.astype(np.float32))
    A = model.transform(X.astype(np.float32))
    assert A.dtype == np.float32
    assert model.inverse_transform(A).dtype == np.float32
    assert model.transform(X).dtype == np.float64
    np.testing.assert_allclose(A, model.transform(X), atol=1e-5)
    assert model.score(X) == pytest.approx(small().fit(X).score(X), rel=0.05)


def read_only(data):
    data = data.copy()
    data.setflags(write=False)
    return data


@pytest.mark.parametrize("form", [np.asfortranarray, read_only, lambda X: np.repeat(X, 2, 0)[::2]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", ["feature", None])
def test_the_form_of_an_array_does_not_matter(form, dtype, scaling):
    data = X.astype(dtype)
    before = data.copy()
    expected = small(scaling=scaling).fit(data).transform(data)
    formed = form(data)
    np.testing.assert_allclose(
        small(scaling=scaling).fit(formed).transform(formed), expected, atol=1e-4
    )
    np.testing.assert_array_equal(data, before)


def test_a_memory_map_gives_the_same_bits_and_is_left_alone(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = small().fit(X)
    model = small().fit(mapped)
    np.testing.assert_array_equal(model.components_, expected.components_)
    np.testing.assert_array_equal(model.transform(mapped), expected.transform(X))


FIT = """
    import sys
    import numpy as np
    from saelib import SparseAutoencoder

    X = np.random.default_rng(0).normal(size=(6000, 30))
    model = SparseAutoencoder(n_hidden=40, max_iter=15, random_state=0).fit(X)
    streamed = SparseAutoencoder(n_hidden=40, random_state=0).partial_fit(X)
    for array in (model.parameters_.ravel(), model.transform(X), streamed.parameters_.ravel()):
        sys.stdout.buffer.write(array.tobytes())
    sys.stdout.buffer.write(np.float64(model.score(X)).tobytes())
    sys.stdout.buffer.write(model.partial_fit(X).parameters_.ravel().tobytes())
"""


def test_one_thread_and_two_give_the_same_bits():
    results = []
    for n_threads in (1, 2):
        code = f"import os; os.environ['OMP_NUM_THREADS'] = '{n_threads}'\n" + textwrap.dedent(FIT)
        code = code.replace(
            "import sys", f"import sys; os.environ['OPENBLAS_NUM_THREADS'] = '{n_threads}'", 1
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        results.append(done.stdout)
    assert len(results[0]) > 1_000_000
    assert results[0] == results[1]


def test_a_limit_on_threads_is_kept_and_put_back():
    with threadpool_limits(2):
        before = [library["num_threads"] for library in threadpool_info()]
        small().fit(X).transform(X)
        assert [library["num_threads"] for library in threadpool_info()] == before


def test_workers_of_joblib_share_the_cores():
    def fitted(seed, model, X):  # inside, so that a worker need not import this file
        from saelib._blas import single_threaded_blas

        with single_threaded_blas() as n_threads:
            pass
        return n_threads, model.set_params(random_state=seed).fit(X).components_

    tasks = (joblib.delayed(fitted)(seed, small(), X) for seed in range(2))
    for seed, (n_threads, components) in enumerate(joblib.Parallel(n_jobs=2)(tasks)):
        assert n_threads <= max(1, joblib.cpu_count() // 2)
        np.testing.assert_array_equal(components, small(random_state=seed).fit(X).components_)


# ---------------------------------------------------------------------- streams


def test_a_batch_of_all_rows_has_the_gradient_of_the_objective():
    p = Parameters.random(6, 4, seed=1)
    settings = {"weight_decay": 1e-3, "sparsity_target": 0.1, "sparsity_weight": 2.0}
    for activation in ("sigmoid", "tanh"):
        kinds = {"activation": activation, "output_activation": "linear"}
        cost, gradient, _ = mini_batch(X, p, np.zeros(4), share=1.0, **settings, **kinds)
        right = SparseObjective(X, 4, **settings, **kinds)(p.ravel())
        assert cost == pytest.approx(right[0], rel=1e-12)
        assert relative_error(gradient, right[1]) < 1e-12


def test_a_stream_lowers_the_cost_and_keeps_its_scaling():
    model = small(batch_size=30, learning_rate=0.01, sparsity_window=300).partial_fit(X)
    shift, first = model.scaling_.shift.copy(), model.score(X)
    for _ in range(40):
        model.partial_fit(RNG.permutation(X))
    np.testing.assert_array_equal(model.scaling_.shift, shift)
    assert model.score(X) > first / 2
    assert model.n_iter_ == 41 * 5 == len(model.loss_curve_)
    assert model.n_samples_seen_ == 41 * 150
    np.testing.assert_allclose(model.mean_activation_, model.transform(X).mean(axis=0), atol=0.03)


def test_the_running_mean_has_the_memory_that_the_notes_state():
    model = small(batch_size=10, sparsity_window=50).partial_fit(X[:10])
    start, p = model.mean_activation_.copy(), model.parameters_
    scaled = model.scaling_.apply(X[10:20])
    batch_mean = (1 / (1 + np.exp(-scaled @ p.W1.T - p.b1))).mean(axis=0)
    model.partial_fit(X[10:20])
    share = 1 - (1 - 1 / 50) ** 10
    np.testing.assert_allclose(model.mean_activation_, start + share * (batch_mean - start))


def test_a_stream_of_single_rows_is_fine_after_the_first_call():
    model = small().partial_fit(X)
    for row in X[:5]:
        model.partial_fit(row[None, :])
    assert model.n_samples_seen_ == 155


def test_a_stream_can_follow_a_fit():
    model = small().fit(X)
    before = model.score(X)
    model.set_params(learning_rate=1e-4).partial_fit(X)
    assert model.n_iter_ == 31
    assert model.score(X) > 1.5 * before
