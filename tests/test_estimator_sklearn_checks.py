"""scikit-learn's own conformance suite, in full and with no expected failure."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from saelib.estimator import SparseAutoencoder


@pytest.mark.filterwarnings("default::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        SparseAutoencoder(),
        SparseAutoencoder(n_hidden=5, activation="tanh", output_activation="sigmoid"),
        SparseAutoencoder(n_hidden=3, scaling="global", output_activation="tanh"),
        SparseAutoencoder(n_hidden=4, scaling=None),
    ]
)
def test_estimator_passes_the_check_of_scikit_learn(estimator, check):
    check(estimator)
