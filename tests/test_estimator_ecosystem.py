"""The estimator works with what people use around it: pipelines, frames, files, processes."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from saelib import SparseAutoencoder

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4)) @ RNG.normal(size=(4, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 40, "random_state": 0, **changes})


def test_a_grid_search_over_a_pipeline_finds_features_that_classify():
    data = load_breast_cancer()
    pipeline = make_pipeline(small(n_hidden=8), LogisticRegression(max_iter=1000))
    grid = {
        "sparseautoencoder__n_hidden": [4, 12],
        "sparseautoencoder__sparsity_target": [0.1, 0.3],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(data.data, data.target)
    assert search.best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 4


def test_cross_validation_scores_the_reconstruction():
    scores = cross_val_score(small(n_hidden=6, max_iter=100), X, cv=3)
    assert np.all(scores < 0)
    assert np.all(scores > -3)  # predicting the mean of six standardized columns costs 3


def test_a_column_transformer_takes_its_columns_and_names_its_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    both = ColumnTransformer(
        [("units", small(), ["a", "b", "c"]), ("rest", StandardScaler(), ["d"])]
    ).set_output(transform="pandas")
    out = both.fit_transform(frame)
    assert list(out.columns) == [f"units__sparseautoencoder{k}" for k in range(4)] + ["rest__d"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_go_in_and_come_out(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({name: X[:, k] for k, name in enumerate("abcdef")})
    model = small().fit(frame)
    assert model.feature_names_in_.tolist() == list("abcdef")
    out = model.set_output(transform=library).transform(frame)
    assert isinstance(out, frames.DataFrame)
    assert list(out.columns) == list(model.get_feature_names_out())
    np.testing.assert_allclose(out.to_numpy(), small().fit(X).transform(X))


def test_float32_stays_float32_and_is_nearly_float64():
    model = small().fit(X.astype(np.float32))
    A = model.transform(X.astype(np.float32))
    assert A.dtype == np.float32
    assert model.inverse_transform(A).dtype == np.float32
    assert model.transform(X).dtype == np.float64
    np.testing.assert_allclose(A, model.transform(X), atol=1e-5)


def test_the_order_in_memory_and_a_write_protection_do_not_matter(tmp_path):
    expected = small().fit(X).transform(X)
    locked = X.copy()
    locked.setflags(write=False)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for given in (np.asfortranarray(X), locked, mapped, np.repeat(X, 2, axis=0)[::2]):
        before = given.copy()
        # Means are summed in the order of memory, so the last bits may differ.
        np.testing.assert_allclose(small().fit(given).transform(given), expected, rtol=1e-8)
        np.testing.assert_array_equal(given, before)


def test_a_stream_of_mini_batches_learns_what_the_whole_data_teach():
    rng = np.random.default_rng(2)
    mixing = rng.normal(size=(3, 8))
    settings = {"n_hidden": 6, "sparsity_weight": 3.0}
    model = small(learning_rate=0.02, batch_size=100, **settings)
    for _ in range(240):
        model.partial_fit(rng.normal(size=(500, 3)) @ mixing)
    fresh = rng.normal(size=(2000, 3)) @ mixing
    whole = small(max_iter=400, **settings).fit(fresh)
    assert model.n_samples_seen_ == 240 * 500
    # Predicting the mean of eight standardized columns scores -4. Steps of Adam come far, L-BFGS
    # on the whole data further.
    assert -0.6 < model.score(fresh) < whole.score(fresh) < 0
    assert model.mean_activation_.mean() == pytest.approx(whole.mean_activation_.mean(), rel=0.15)
