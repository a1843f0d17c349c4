"""scikit-learn's own conformance suite, in full and with no expected failure."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from saelib.estimator import SparseAutoencoder


# The suite looks at the interface, for which a few iterations do as well as the default of 400.
@pytest.mark.filterwarnings("default::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        SparseAutoencoder(max_iter=20),
        SparseAutoencoder(n_hidden=5, activation="tanh", output_activation="sigmoid", max_iter=20),
        SparseAutoencoder(n_hidden=3, scaling="global", output_activation="tanh", max_iter=20),
        SparseAutoencoder(n_hidden=4, scaling=None, max_iter=20),
    ]
)
def test_estimator_passes_the_check_of_scikit_learn(estimator, check):
    check(estimator)
