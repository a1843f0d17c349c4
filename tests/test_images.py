import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.io import imsave

from saelib.images import (
    IMAGE_CREDITS,
    load_images,
    natural_images,
    normalize_patches,
    sample_patches,
    whiten,
)

pytestmark = pytest.mark.xdist_group("photographs")


@pytest.fixture(scope="module")
def photographs():
    return natural_images()


def test_ten_grey_photographs_in_zero_to_one_each_with_its_credit(photographs):
    assert len(photographs) == 10
    assert set(photographs) == set(IMAGE_CREDITS)
    for name, image in photographs.items():
        assert image.ndim == 2, name
        assert image.dtype == np.float64
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.std() > 0.05


def test_photographs_are_found_without_a_network_or_a_home_folder(tmp_path):
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network used')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from saelib import natural_images\n"
        "print(len(natural_images()))\n"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "10", done.stderr
    assert not any(path.suffix in {".png", ".jpg"} for path in tmp_path.rglob("*"))


# Whitening


@pytest.mark.equation("whitening")
@pytest.mark.parametrize(("kx", "ky"), [(4, 0), (0, 9), (12, 5), (20, 20), (1, 30)])
def test_a_wave_is_multiplied_by_the_gain_of_its_frequency(kx, ky):
    # Two cosines that are even about the borders survive mirroring as they are, so the ratio of
    # their amplitudes must change by exactly the ratio of the gains.
    n = 64
    row, column = np.mgrid[:n, :n] + 0.5

    def wave(p, q):
        return np.cos(np.pi * p * column / n) * np.cos(np.pi * q * row / n)

    def gain(p, q):
        f = np.hypot(p, q) / (2 * n)
        return f * np.exp(-((f / 0.4) ** 4))

    result = whiten(wave(kx, ky) + wave(7, 3))
    first, second = (np.sum(result * w) / np.sum(w * w) for w in (wave(kx, ky), wave(7, 3)))
    assert first / second == pytest.approx(gain(kx, ky) / gain(7, 3), rel=1e-9)


def test_whitening_levels_the_spectrum_of_a_photograph(photographs):
    def slope(image):
        window = np.hanning(image.shape[0])[:, None] * np.hanning(image.shape[1])
        amplitude = np.abs(np.fft.fft2((image - image.mean()) * window))
        f = np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1]))
        band = (f > 0.02) & (f < 0.25)
        return np.polyfit(np.log(f[band]), np.log(amplitude[band] + 1e-12), 1)[0]

    slopes = [slope(image) for image in photographs.values()]
    flattened = [slope(whiten(image)) for image in photographs.values()]
    assert -2 < np.mean(slopes) < -0.8  # Field (1987): about -1
    assert abs(np.mean(flattened)) < 0.5 * abs(np.mean(slopes))
    np.testing.assert_array_less(0.5, np.subtract(flattened, slopes))


def test_opposite_borders_of_different_brightness_make_no_edge():
    # Dark sky above, bright ground below, and a bare Fourier transform for comparison.
    slope = np.tanh(np.linspace(-3, 3, 95))[:, None] * np.ones(70)
    image = slope + 0.01 * np.random.default_rng(0).normal(size=slope.shape)
    f = np.hypot(np.fft.fftfreq(95)[:, None], np.fft.fftfreq(70))
    wrapped = np.fft.ifft2(np.fft.fft2(image) * f * np.exp(-((f / 0.4) ** 4))).real

    def excess(whitened):
        return np.abs(whitened[[0, -1]]).mean() / np.abs(whitened[20:-20]).mean()

    assert excess(wrapped) > 20
    assert excess(whiten(image)) < 2


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(1, 70),
    width=st.integers(2, 70),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-10, 10),
)
def test_whitening_keeps_any_shape_and_ignores_brightness_and_contrast(height, width, scale, shift):
    image = np.random.default_rng(height * 100 + width).random((height, width))
    result = whiten(image)
    assert result.shape == (height, width)
    assert result.std() == pytest.approx(1)
    np.testing.assert_allclose(whiten(scale * image + shift), result, atol=1e-7)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((3, 4, 5)), "image has shape (3, 4, 5)"),
        (np.zeros((0, 4)), "image has shape (0, 4)"),
        (np.full((8, 8), 0.3), "image is constant, 0.3"),
        (np.array([[0.0, np.nan], [1.0, 2.0]]), "image holds NaN or infinity"),
    ],
)
def test_what_cannot_be_whitened_is_named(image, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        whiten(image)
    assert words in str(caught.value)


# Patches


def test_every_position_is_reached_also_the_last_and_none_beyond():
    image = np.arange(5 * 7.0).reshape(5, 7)
    patches = sample_patches([image], n_patches=2000, patch_size=3, seed=0)
    corners, counts = np.unique(patches[:, 0], return_counts=True)
    expected = image[:3, :5].ravel()
    np.testing.assert_array_equal(corners, expected)
    # 15 places with 2000 draws: a mean of 133, a standard deviation of 11.
    assert np.all(np.abs(counts - 2000 / 15) < 5 * 11.2)


def test_every_patch_is_a_window_of_one_image():
    rng = np.random.default_rng(1)
    images = {"a": rng.random((9, 6)), "b": rng.random((5, 12)), "c": rng.random((4, 4))}
    windows = {
        image[top : top + 4, left : left + 4].tobytes(): name
        for name, image in images.items()
        for top in range(image.shape[0] - 3)
        for left in range(image.shape[1] - 3)
    }
    patches = sample_patches(images, n_patches=3000, patch_size=4, seed=2)
    origin = [windows[patch.tobytes()] for patch in patches]
    # Images have equal shares, however many positions they have: 18, 18 and 1.
    for name in images:
        assert abs(origin.count(name) - 1000) < 5 * np.sqrt(3000 * 2 / 9)


def test_the_seed_decides_and_nothing_else(photographs):
    first = sample_patches(photographs, 50, 8, seed=3)
    np.random.seed(99)  # noqa: NPY002 - the global state must not matter
    np.testing.assert_array_equal(first, sample_patches(photographs, 50, 8, seed=3))
    assert not np.array_equal(first, sample_patches(photographs, 50, 8, seed=4))


def test_ten_thousand_patches_take_no_more_python_than_ten(photographs):
    """The five seconds that the assignment allows are none if no loop goes over the patches."""

    def calls(n_patches):
        count = 0

        def called(frame, event, argument):
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(called)
        try:
            patches = sample_patches(photographs, n_patches, 8, seed=0)
        finally:
            sys.setprofile(None)
        assert patches.shape == (n_patches, 64)
        return count

    calls(10)  # what is computed once is computed here
    assert abs(calls(10_000) - calls(10)) < 100


def test_images_may_come_as_dict_list_stack_or_alone():
    image = np.random.default_rng(0).random((10, 12))
    expected = sample_patches([image], 20, 4, seed=5)
    for images in ({"mine": image}, (image,), image[None], image, [image.tolist()]):
        np.testing.assert_array_equal(sample_patches(images, 20, 4, seed=5), expected)


def test_a_patch_may_be_as_large_as_the_image():
    image = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(
        sample_patches(image, 2, 3, seed=0), np.tile(np.arange(9.0), (2, 1))
    )


@pytest.mark.parametrize(
    ("images", "size", "error", "words"),
    [
        (
            {"tiny": np.zeros((5, 20))},
            8,
            ValueError,
            "patch_size is 8, but image 'tiny' has only 5x20",
        ),
        ([], 8, ValueError, "images is empty"),
        ([np.zeros(20)], 8, ValueError, "image 0 has shape (20,)"),
        ([np.full((9, 9), np.inf)], 8, ValueError, "image 0 holds NaN or infinity"),
        (np.zeros((90, 90, 3)), 2, ValueError, "looks like one colour image"),
        (7, 8, TypeError, "images is of type int"),
        ("photos", 8, TypeError, "images is of type str"),
        ([np.zeros((9, 9))], 0, ValueError, "patch_size is 0"),
        ([np.zeros((9, 9))], 2.5, TypeError, "patch_size is 2.5"),
    ],
)
def test_what_cannot_be_sampled_is_named(images, size, error, words):
    with pytest.raises(error) as caught:
        sample_patches(images, 10, size, seed=0)
    assert words in str(caught.value)


# Normalizing


def _normalize_data(patches):
    """The assignment's normalizeData, in loops."""
    removed = [[value - sum(row) / len(row) for value in row] for row in patches.tolist()]
    everything = [value for row in removed for value in row]
    mean = sum(everything) / len(everything)
    limit = 3 * (sum((value - mean) ** 2 for value in everything) / len(everything)) ** 0.5
    return [[(max(min(v, limit), -limit) / limit + 1) * 0.4 + 0.1 for v in row] for row in removed]


@pytest.mark.equation("normalize-patches")
@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 9)), elements=st.floats(-50, 50))
)
def test_patches_are_normalized_as_the_assignment_says(patches):
    if np.ptp(patches, axis=1).max() < 1e-3:
        return
    result = normalize_patches(patches)
    np.testing.assert_allclose(result, _normalize_data(patches), rtol=0, atol=1e-9)
    assert result.min() >= 0.1 - 1e-12
    assert result.max() <= 0.9 + 1e-12


@pytest.mark.equation("normalize-patches")
def test_each_patch_loses_its_own_mean():
    pattern = np.array([-1.0, 0.0, 1.0])
    result = normalize_patches(np.array([pattern, pattern + 100]))
    np.testing.assert_allclose(result[0], result[1], atol=1e-12)
    np.testing.assert_allclose(result.mean(axis=1), 0.5)


def test_outliers_are_clipped_at_three_standard_deviations():
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(500, 10))
    patches[0, 0] = 1e3
    result = normalize_patches(patches)
    assert result.max() == pytest.approx(0.9)
    assert np.sum(result > 0.9 - 1e-9) == 1


def test_normalizing_leaves_its_input_alone():
    patches = np.random.default_rng(0).random((5, 4))
    copy = patches.copy()
    normalize_patches(patches)
    np.testing.assert_array_equal(patches, copy)


@pytest.mark.parametrize(
    ("patches", "words"),
    [
        (np.zeros(5), "patches has shape (5,)"),
        (np.zeros((0, 5)), "patches has shape (0, 5)"),
        (np.array([[1.0, np.nan]]), "patches holds NaN"),
        (np.array([[0.1] * 7, [0.7] * 7]), "every patch is constant"),
    ],
)
def test_what_cannot_be_normalized_is_named(patches, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are checked below
        normalize_patches(patches)
    assert words in str(caught.value)


# Images of one's own


def test_a_folder_of_pictures_is_read_as_grey_whatever_their_kind(tmp_path):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (12, 15), dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about low contrast
        imsave(tmp_path / "b grey.png", grey)
        imsave(tmp_path / "deep.png", grey.astype(np.uint16) * 257)
        imsave(tmp_path / "colour.PNG", np.repeat(grey[..., None], 3, axis=2))
        layers = [grey] * 3 + [np.full_like(grey, 9)]
        imsave(tmp_path / "clear.png", np.stack(layers, axis=2))
        imsave(tmp_path / "layer.png", np.stack([grey, np.full_like(grey, 9)], axis=2))
        imsave(tmp_path / "a.jpg", np.full((12, 15), 128, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    images = load_images(tmp_path)
    assert list(images) == sorted(images)
    assert len(images) == 6
    for name, image in images.items():
        assert image.dtype == np.float64
        if name != "a.jpg":
            np.testing.assert_allclose(image, grey / 255, atol=1e-6, err_msg=name)
    assert sample_patches(images, 5, 4, seed=0).shape == (5, 16)


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"this is not a picture")
    with pytest.raises(ValueError, match=r"broken\.png' cannot be read"):
        load_images(tmp_path)


def test_a_picture_cut_short_is_named(tmp_path):
    imsave(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8))
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"whole\.png' cannot be read"):
        load_images(tmp_path)


def test_of_a_file_with_several_pages_the_first_is_taken(tmp_path):
    pages = np.random.default_rng(0).integers(0, 256, (7, 9, 11), np.uint8)
    imsave(tmp_path / "pages.tif", pages, check_contrast=False)
    np.testing.assert_allclose(load_images(tmp_path)["pages.tif"], pages[0] / 255)


def test_a_film_is_no_picture(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 9, 11, 3), np.uint8)
    imsave(tmp_path / "film.gif", frames, check_contrast=False)
    with pytest.raises(ValueError, match=r"film\.gif has shape"):
        load_images(tmp_path)


def test_a_folder_without_pictures_and_no_folder_at_all_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        load_images(tmp_path)
    with pytest.raises(ValueError, match="not a folder"):
        load_images(tmp_path / "missing")


# --- images as people have them -----------------------------------------------------------


def test_images_along_the_last_axis_are_not_taken_for_rows_of_one_photograph():
    """The IMAGES of the CS294A assignment is such an array, 512 x 512 x 10."""
    stack = np.arange(10.0) + np.zeros((64, 64, 10))
    with pytest.raises(ValueError, match=r"10 images of 64x64 .* np\.moveaxis\(images, -1, 0\)"):
        sample_patches(stack, 5, 8, seed=0)
    patches = sample_patches(np.moveaxis(stack, -1, 0), 50, 8, seed=0)
    assert np.all(np.ptp(patches, axis=1) == 0)  # no patch mixes two images
    assert len(np.unique(patches)) == 10
    assert sample_patches(list(stack), 5, 8, seed=0).shape == (5, 64)
    for shape in ((64, 64, 20), (512, 512, 1)):
        with pytest.raises(ValueError, match=r"along the last axis.*np\.moveaxis"):
            sample_patches(np.zeros(shape), 5, 8, seed=0)
    assert sample_patches(np.zeros((100, 20, 20)), 5, 8, seed=0).shape == (5, 64)


def test_whole_numbers_are_taken_as_they_are_but_not_beside_real_ones():
    image = np.arange(144, dtype=np.uint8).reshape(12, 12)
    whole = sample_patches([image], 5, 4, seed=0)
    assert np.array_equal(whole, sample_patches([image.astype(float)], 5, 4, seed=0))
    with pytest.raises(ValueError, match="image 1 holds whole numbers and others hold real ones"):
        sample_patches([image / 255, image], 5, 4, seed=0)


def test_colour_images_and_masked_ones_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"image 0 has shape \(9, 9, 3\).*mean\(axis=2\)"):
        sample_patches([np.zeros((9, 9, 3))], 5, 4, seed=0)
    masked = np.ma.masked_array(np.eye(9), np.eye(9) > 0)
    for function in (whiten, normalize_patches, lambda image: sample_patches([image], 5, 4, 0)):
        with pytest.raises(ValueError, match="masked array with masked entries"):
            function(masked)


@pytest.mark.parametrize("factor", [1e-300, 1e-13, 1.0, 1e200, 1e300])
def test_the_unit_of_the_patches_does_not_matter(factor):
    patches = np.random.default_rng(0).normal(size=(20, 9))
    expected = normalize_patches(patches)
    assert normalize_patches(patches * factor) == pytest.approx(expected, rel=1e-9)
