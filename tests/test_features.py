import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from saelib.activations import sigmoid
from saelib.features import (
    active_share,
    dead_units,
    edge_like,
    edge_strength,
    feature_kinds,
    fit_gabor,
    gabor,
    gini,
    kurtosis,
    maximal_inputs,
    noise_units,
    tuning_curve,
    unexplained_variance,
)


def smooth_noise(n, side, seed):
    """Patches of white noise without the frequencies that whitening removes."""
    f = np.hypot(np.fft.fftfreq(3 * side)[:, None], np.fft.fftfreq(3 * side))
    white = np.random.default_rng(seed).normal(size=(n, 3 * side, 3 * side))
    smooth = np.fft.ifft2(np.fft.fft2(white) * np.exp(-((f / 0.4) ** 4))).real
    return smooth[:, side : 2 * side, side : 2 * side].reshape(n, -1)


def random_edges(n, side, seed):
    rng = np.random.default_rng(seed)
    middle = (side - 1) / 2
    return np.array(
        [
            gabor(
                side,
                x=rng.uniform(middle - 1.5, middle + 1.5),
                y=rng.uniform(middle - 1.5, middle + 1.5),
                orientation=rng.uniform(0, np.pi),
                frequency=rng.uniform(0.1, 0.3),
                width=rng.uniform(1.2, 2.0),
                length=rng.uniform(1.8, 3.5),
                phase=rng.uniform(0, 2 * np.pi),
            ).ravel()
            for _ in range(n)
        ]
    )


# The input that excites a unit most


@pytest.mark.equation("maximal-input")
def test_no_other_input_of_norm_one_excites_a_unit_more():
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(size=(6, 10)), rng.normal(size=6)
    best = sigmoid(np.sum(W1 * maximal_inputs(W1), axis=1) + b1)
    x = rng.normal(size=(20_000, 10))
    x /= np.maximum(1, np.linalg.norm(x, axis=1, keepdims=True))
    assert np.all(sigmoid(x @ W1.T + b1) <= best)
    # Climbing the gradient and returning to the sphere arrives at the same inputs.
    climber = rng.normal(size=(6, 10))
    for _ in range(2000):
        a = sigmoid(np.sum(W1 * climber, axis=1) + b1)
        climber += 0.5 * (a * (1 - a))[:, None] * W1
        climber /= np.linalg.norm(climber, axis=1, keepdims=True)
    np.testing.assert_allclose(climber, maximal_inputs(W1), atol=1e-6)


@pytest.mark.equation("maximal-input")
@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, (3, 5), elements=st.floats(-1e200, 1e200, allow_subnormal=False)),
)
def test_maximal_inputs_have_norm_one_unless_there_are_no_weights(W1):
    norms = np.linalg.norm(maximal_inputs(W1), axis=1)
    np.testing.assert_allclose(norms, np.any(W1 != 0, axis=1).astype(float), atol=1e-12)


@pytest.mark.parametrize(
    ("W1", "words"),
    [([1.0, 2.0], "W1 has shape (2,)"), ([[np.nan, 1.0]], "W1 holds NaN"), ([[]], "W1 has shape")],
)
def test_weights_that_are_no_finite_matrix_are_named(W1, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        maximal_inputs(W1)
    assert words in str(caught.value)


# Gabor functions


@pytest.mark.equation("gabor")
def test_a_gabor_function_is_the_formula_pixel_by_pixel():
    x, y, angle, f, width, length, phase = 2.2, 3.1, 0.4, 0.21, 1.3, 2.4, 0.7
    expected = np.empty((7, 7))
    for row in range(7):
        for column in range(7):
            # Rotation as a product of complex numbers, independent of the sines in the code.
            turned = complex(column - x, row - y) * np.exp(-1j * angle)
            window = np.exp(-0.5 * ((turned.real / width) ** 2 + (turned.imag / length) ** 2))
            expected[row, column] = window * np.cos(2 * np.pi * f * turned.real + phase)
    np.testing.assert_allclose(gabor(7, x, y, angle, f, width, length, phase), expected, atol=1e-14)


@pytest.mark.equation("gabor")
@pytest.mark.parametrize("side", [8, 10, 13])
def test_the_fit_finds_gabor_functions_again(side):
    edges = random_edges(30, side, seed=side)
    fit = fit_gabor(3.7 * edges + 0.2)  # a constant on top changes nothing
    assert np.mean(fit.r2 > 0.999) >= 0.9
    good = fit.r2 > 0.999
    for k in np.flatnonzero(good):
        *shape, phase, amplitude = (float(value[k]) for value in fit[:-1])
        rebuilt = amplitude * gabor(side, *shape, phase).ravel()
        np.testing.assert_allclose(
            rebuilt - rebuilt.mean(), 3.7 * (edges[k] - edges[k].mean()), atol=0.4
        )
    assert np.all((fit.orientation >= 0) & (fit.orientation < np.pi))


@settings(deadline=None, max_examples=15)
@given(scale=st.floats(1e-8, 1e8), sign=st.sampled_from([-1.0, 1.0]), seed=st.integers(0, 99))
def test_the_share_explained_ignores_the_scale_and_sign_of_the_weights(scale, sign, seed):
    W = np.random.default_rng(seed).normal(size=(1, 64))
    assert fit_gabor(sign * scale * W).r2[0] == pytest.approx(fit_gabor(W).r2[0], abs=1e-3)


def test_the_share_explained_is_that_of_the_returned_gabor_function():
    W = smooth_noise(5, 8, seed=1)
    fit = fit_gabor(W)
    for k, w in enumerate(W):
        *shape, phase, amplitude = (float(value[k]) for value in fit[:-1])
        g = amplitude * gabor(8, *shape, phase).ravel()
        residual = (w - w.mean()) - (g - g.mean())
        expected = 1 - np.sum(residual**2) / np.sum((w - w.mean()) ** 2)
        assert fit.r2[k] == pytest.approx(expected, abs=1e-6)


# Edges and noise


@pytest.mark.parametrize("side", [6, 7, 8, 10])
def test_noise_has_no_edges_whether_white_or_smooth(side):
    white = feature_kinds(np.random.default_rng(side).normal(size=(60, side * side)))
    assert not np.isin(white, ["edge", "cut"]).any()
    assert np.mean(white == "noise") >= 0.97
    # So many that one in a thousand, the rate of the limit, cannot by bad luck look like 1 %.
    smooth = feature_kinds(smooth_noise(400, side, seed=side))
    assert np.isin(smooth, ["edge", "cut"]).mean() <= 0.01
    assert np.mean(smooth == "noise") >= 0.95


@pytest.mark.parametrize("side", [8, 10, 14])
def test_gabor_functions_are_edges_also_with_a_little_noise(side):
    edges = random_edges(40, side, seed=3)
    edges /= edges.std(axis=1, keepdims=True)
    edges += 0.3 * np.random.default_rng(4).normal(size=edges.shape)
    kinds = feature_kinds(edges)
    assert np.isin(kinds, ["edge", "cut"]).mean() >= 0.9
    assert not np.any(kinds == "noise")


def test_a_margin_of_noise_around_an_edge_hardly_changes_its_strength():
    """What R² cannot do: the same stroke in patches of 8, 12 and 16 pixels."""
    rng = np.random.default_rng(0)
    strengths, shares = [], []
    for side in (8, 12, 16):
        noise = smooth_noise(40, side, seed=side)
        noise *= 0.25 / noise.std()
        middle = (side - 1) / 2
        edges = np.array(
            [
                gabor(side, middle, middle, rng.uniform(0, np.pi), 0.15, 1.3, 2.0, 1.0).ravel()
                for _ in range(40)
            ]
        )
        r2 = fit_gabor(edges + noise).r2
        strengths.append(np.median(edge_strength(r2, side)))
        shares.append(np.median(r2))
    assert max(strengths) < 1.35 * min(strengths)
    assert shares[0] > shares[2] + 0.2


def test_the_strength_is_the_f_ratio_of_a_regression():
    # White noise would have side² - 1 independent numbers; smooth noise has about half of them.
    for side in (6, 8, 10, 16):
        n = 8 * edge_strength(0.5, side) + 8
        assert 0.45 * side**2 < n < 0.5 * side**2
    assert edge_strength(0.8, 8) == pytest.approx(4 * edge_strength(0.5, 8))
    assert edge_strength([1.0], 8) == np.inf
    with pytest.raises(ValueError, match="r2 holds"):
        edge_strength([-0.1], 8)
    with pytest.raises(ValueError, match="side is 5"):
        edge_strength([0.1], 5)


def test_every_filter_is_of_one_kind_and_dead_units_are_dead_whatever_they_look_like():
    inside = random_edges(3, 10, seed=0)
    cut = gabor(10, -1.5, 4.5, 0.1, 0.08, 2.0, 3.0, 0.3).ravel()
    row, column = np.mgrid[:10, :10]
    blob = np.exp(-((row - 4.5) ** 2 + (column - 4.5) ** 2) / 6).ravel()
    W = np.vstack([inside, cut, blob, smooth_noise(1, 10, seed=1)])
    assert feature_kinds(W).tolist() == ["edge", "edge", "edge", "cut", "other", "noise"]
    A = np.array([[0.0, 0.01, 0, 0, 0, 0], [1.0, 0.02, 1, 1, 1, 1]])
    assert feature_kinds(W, A).tolist() == ["edge", "dead", "edge", "cut", "other", "noise"]
    kinds = feature_kinds(W)
    np.testing.assert_array_equal(np.isin(kinds, ["edge", "cut"]), edge_like(W))
    np.testing.assert_array_equal(kinds == "noise", noise_units(W))
    with pytest.raises(ValueError, match="A has 2 columns and W 6 rows"):
        feature_kinds(W, A[:, :2])


def test_blobs_flat_filters_single_pixels_and_chessboards_are_no_edges():
    row, column = np.mgrid[:8, :8]
    blob = np.exp(-((row - 3.5) ** 2 + (column - 3.5) ** 2) / 6)
    ring = blob - 2 * np.exp(-((row - 3.5) ** 2 + (column - 3.5) ** 2) / 3)
    pixel = np.zeros((8, 8))
    pixel[2, 5] = 1
    chessboard = (row + column) % 2.0
    flat, nothing = np.full((8, 8), 0.1), np.zeros((8, 8))
    filters = np.array([blob, ring, pixel, chessboard, flat, nothing]).reshape(6, 64)
    assert not edge_like(filters).any()
    assert noise_units(filters)[-2:].all()
    assert fit_gabor(filters).r2[-2:].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("W", "words"),
    [
        (np.zeros((2, 63)), "W has 63 columns"),
        (np.zeros((2, 25)), "at least 6x6"),
        (np.full((2, 64), np.inf), "W holds NaN or infinity"),
    ],
)
@pytest.mark.parametrize("measure", [edge_like, noise_units, fit_gabor])
def test_filters_that_cannot_be_judged_are_named(measure, W, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        measure(W)
    assert words in str(caught.value)


# Tuning


def test_a_unit_prefers_the_grating_it_is_made_of():
    for orientation in (0.0, np.pi / 6, np.pi / 2, 3 * np.pi / 4):
        w = gabor(16, 7.5, 7.5, orientation, 0.2, 4, 4, phase=1.1).ravel()
        tuning = tuning_curve(w, n_orientations=24, n_frequencies=25)
        best, frequency = np.unravel_index(tuning.response.argmax(), tuning.response.shape)
        assert tuning.orientations[best] == pytest.approx(orientation, abs=1e-9)
        assert tuning.frequencies[frequency] == pytest.approx(0.2, abs=0.02)


def test_the_response_is_the_best_over_all_phases():
    w = np.random.default_rng(0).normal(size=64)
    tuning = tuning_curve(w, n_orientations=5, n_frequencies=4)
    row, column = np.mgrid[:8, :8]
    angle, f = tuning.orientations[3], tuning.frequencies[2]
    across = column * np.cos(angle) + row * np.sin(angle)
    phases = np.linspace(0, 2 * np.pi, 2000)[:, None]
    gratings = np.cos(2 * np.pi * f * across.ravel() + phases)
    assert tuning.response[3, 2] == pytest.approx((gratings @ (w - w.mean())).max(), rel=1e-5)


@pytest.mark.parametrize("w", [np.zeros((2, 64)), np.zeros(63)])
def test_weights_of_more_than_one_unit_or_of_no_square_are_named(w):
    with pytest.raises(ValueError, match=r"w has shape|columns"):
        tuning_curve(w)


# Units and codes


def test_a_unit_that_is_always_off_or_always_on_is_dead():
    A = np.array([[0.01, 0.97, 0.00], [0.02, 0.99, 0.40], [0.03, 0.98, 0.02]])
    assert dead_units(A).tolist() == [True, True, False]
    assert dead_units(2 * A - 1, activation="tanh").tolist() == [True, True, False]
    # The range of tanh is twice as wide, and so is what counts as hardly any spread.
    assert dead_units([[0.0], [0.15]], activation="tanh").all()
    assert not dead_units([[0.0], [0.15]]).any()
    assert dead_units(A, threshold=0.5).all()
    assert not dead_units(A, threshold=0.01).any()


def test_what_dead_units_cannot_judge_is_named():
    with pytest.raises(ValueError, match="activation is 'relu'"):
        dead_units([[0.1]], activation="relu")
    with pytest.raises(ValueError, match="threshold is 0"):
        dead_units([[0.1]], threshold=0)
    with pytest.raises(ValueError, match=r"A has shape \(2,\)"):
        dead_units([0.1, 0.2])


@pytest.mark.equation("unexplained-variance")
def test_unexplained_variance_is_that_of_scikit_learn():
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1, 2, 3, 4] + 10
    Y = X + rng.normal(size=X.shape)
    expected = 1 - r2_score(X, Y, multioutput="variance_weighted")
    assert unexplained_variance(X, Y) == pytest.approx(expected)
    assert unexplained_variance(X, X) == 0
    assert unexplained_variance(X, np.tile(X.mean(axis=0), (50, 1))) == pytest.approx(1)


@pytest.mark.parametrize(
    ("X", "Y", "words"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "X has shape (2, 3) and Y has shape (3, 2)"),
        (np.full((3, 2), 0.1), np.zeros((3, 2)), "all rows of X are alike"),
    ],
)
def test_reconstructions_that_cannot_be_compared_are_named(X, Y, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        unexplained_variance(X, Y)
    assert words in str(caught.value)


@pytest.mark.equation("gini")
@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, st.integers(2, 12), elements=st.floats(0.01, 100)))
def test_gini_is_half_the_mean_difference_over_the_mean(a):
    # The textbook definition, over all pairs.
    expected = np.abs(a[:, None] - a).mean() / (2 * a.mean())
    assert gini(a[None, :])[0] == pytest.approx(expected, abs=1e-9)
    assert gini(7 * a[None, ::-1])[0] == pytest.approx(expected, abs=1e-9)
    # Twice the same population is just as unequal.
    assert gini(np.tile(a, 2)[None, :])[0] == pytest.approx(expected, abs=1e-9)


def test_gini_of_nothing_is_zero_and_of_less_than_nothing_an_error():
    assert gini([[0.0, 0.0]]).tolist() == [0.0]
    with pytest.raises(ValueError, match=r"A holds -0\.5"):
        gini([[-0.5, 1.0]])


@pytest.mark.equation("kurtosis")
def test_kurtosis_is_that_of_scipy():
    rng = np.random.default_rng(0)
    A = np.column_stack([rng.normal(size=4000), rng.laplace(size=4000), rng.random(4000)])
    np.testing.assert_allclose(kurtosis(A), stats.kurtosis(A, axis=0), rtol=1e-10)
    np.testing.assert_allclose(kurtosis(1e-90 * A), kurtosis(A), rtol=1e-10)
    assert np.isnan(kurtosis(np.full((5, 1), 0.1)))[0]


def test_active_share_counts_strictly_above_the_threshold():
    A = [[0.5, 0.51, 0.2, 0.9], [0.0, 0.0, 0.0, 0.0]]
    assert active_share(A).tolist() == [0.5, 0.0]
    assert active_share(A, threshold=0.1).tolist() == [1.0, 0.0]
