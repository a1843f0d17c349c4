"""What has no unit is the same in every unit, however large or small the numbers in it are."""

import numpy as np
import pytest

from saelib import maximal_inputs, normalize_patches, relative_error, whiten
from saelib._magnitude import magnitude
from saelib.features import (
    feature_kinds,
    fit_gabor,
    gabor,
    gini,
    kurtosis,
    unexplained_variance,
)

RNG = np.random.default_rng(0)
X = RNG.random((40, 36))
Y = X + 0.1 * RNG.normal(size=X.shape)
W = np.stack(
    [
        gabor(6, x=2.5, y=2, orientation=1, frequency=0.2, width=1.5, length=2, phase=0).ravel(),
        RNG.normal(size=36),
    ]
)

WITHOUT_A_UNIT = {
    "unexplained_variance": lambda s: unexplained_variance(X * s, Y * s),
    "relative_error": lambda s: relative_error(X * s, Y * s),
    "fit_gabor": lambda s: np.stack(fit_gabor(W * s)._replace(amplitude=np.zeros(2))),
    "feature_kinds": lambda s: feature_kinds(W * s) == np.array(["edge", "noise"]),
    "maximal_inputs": lambda s: maximal_inputs(W * s),
    "gini": lambda s: gini(X * s),
    "kurtosis": lambda s: kurtosis(X * s),
    "whiten": lambda s: whiten(X * s),
    "normalize_patches": lambda s: normalize_patches(X * s),
}


# Powers of two, by which nothing is rounded.
@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-600, 2.0**600, 2.0**1000])
@pytest.mark.parametrize("function", WITHOUT_A_UNIT.values(), ids=WITHOUT_A_UNIT)
def test_what_has_no_unit_is_the_same_in_every_unit(function, scale):
    np.testing.assert_allclose(function(scale), function(1.0), rtol=1e-12)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**600])
def test_the_amplitude_of_a_filter_has_the_unit_of_its_weights(scale):
    np.testing.assert_array_equal(fit_gabor(W * scale).amplitude, fit_gabor(W).amplitude * scale)


def test_a_share_too_large_for_a_float_is_infinite():
    assert unexplained_variance([[0.0], [1e-200]], [[1e200], [1e200]]) == np.inf


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_gradients_that_are_not_finite_are_infinitely_far_apart(wrong):
    assert relative_error([1.0, wrong], [1.0, 2.0]) == np.inf
    assert relative_error([1.0, 2.0], [1.0, wrong]) == np.inf
    assert relative_error([1.0, wrong], [1.0, wrong]) == np.inf


def test_the_magnitude_is_that_of_the_largest_of_all_numbers():
    assert magnitude(np.array([0.25, -0.75])) == 0
    assert magnitude(np.array([1.0]), np.array([[-8.0]])) == 4
    assert magnitude(np.zeros(3)) == magnitude(np.empty(0)) == 0
