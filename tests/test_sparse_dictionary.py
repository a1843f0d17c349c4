"""The scikit-learn face of the dictionaries."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from saelib.codes import BatchTopK, L1ReLU, Threshold, TopK
from saelib.dictionary import reconstruct
from saelib.dictionary_training import train_dictionary
from saelib.planted import planted
from saelib.sparse_dictionary import SparseDictionary
from saelib.thresholds import Gated, JumpReLU

X, S, D = planted(1500, n_features=8, n_directions=12, n_active=1.5, seed=0)
X = X + 3.0
QUICK = {"n_steps": 200, "batch_size": 100, "random_state": 0}


@pytest.mark.filterwarnings("default::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        SparseDictionary(n_steps=20),
        SparseDictionary(8, TopK(2), n_steps=20),
        SparseDictionary(6, L1ReLU(0.1), n_steps=20, revive_after=5),
        SparseDictionary(5, JumpReLU(0.05), n_steps=20),
        SparseDictionary(5, Gated(0.4), n_steps=20, prefixes=(2, 5)),
    ]
)
def test_it_passes_the_check_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_trains_as_train_dictionary_does_on_data_without_their_mean():
    model = SparseDictionary(16, TopK(2), **QUICK).fit(X)
    learned = train_dictionary(
        X - X.mean(axis=0), 16, TopK(2), seed=0, n_steps=200, batch_size=100, dtype=np.float64
    )
    np.testing.assert_array_equal(model.parameters_.ravel(), learned.parameters.ravel())
    A, X_hat = reconstruct(X - X.mean(axis=0), learned.parameters, TopK(2))
    np.testing.assert_allclose(model.transform(X), A)
    np.testing.assert_allclose(model.inverse_transform(A), X_hat + X.mean(axis=0))
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1)


def test_after_batch_top_k_one_example_at_a_time_has_the_same_code():
    model = SparseDictionary(16, BatchTopK(1.5), **QUICK).fit(X)
    assert isinstance(model.rule_, Threshold)
    A = model.transform(X)
    assert (A > 0).sum(axis=1).mean() == pytest.approx(1.5, abs=0.02)
    p = model.parameters_
    Z = (X - model.mean_) @ p.W1.T + p.b1
    # None lies where rounding would decide.
    assert np.abs(Z - model.rule_.threshold).min() > 1e-9
    alone = np.concatenate([model.transform(x[None]) for x in X[:300]])
    np.testing.assert_allclose(alone, A[:300], atol=1e-12)


def test_the_score_is_the_explained_share():
    model = SparseDictionary(16, TopK(2), **QUICK).fit(X)
    left = np.sum((X - model.inverse_transform(model.transform(X))) ** 2)
    assert model.score(X) == pytest.approx(1 - left / np.sum((X - X.mean(axis=0)) ** 2))
    assert model.score(X) > 0.5


def test_it_works_in_pipelines_and_searches_over_rules():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SparseDictionary(16, **QUICK)),
        {"sparsedictionary__rule": [TopK(1), TopK(3)]},
        cv=2,
    ).fit(X)
    assert search.best_params_["sparsedictionary__rule"] == TopK(3)
    names = search.best_estimator_.get_feature_names_out()
    assert names[0] == "sparsedictionary0"
    assert len(names) == 16
    assert clone(search.best_estimator_)[-1].rule == TopK(3)


def test_codes_of_another_width_are_refused():
    model = SparseDictionary(16, TopK(2), **QUICK).fit(X)
    with pytest.raises(
        ValueError, match="X has 3 columns; inverse_transform needs codes of the 16"
    ):
        model.inverse_transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="batch_size is 0"):
        SparseDictionary(16, TopK(2), n_steps=1, batch_size=0).fit(X)
