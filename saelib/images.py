"""Natural images, whitened, cut into patches and brought into the range of a sigmoid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dctn, idctn

from saelib._browser import IN_BROWSER, photographs
from saelib._extras import require
from saelib._magnitude import magnitude
from saelib._validation import no_masked_entries, plain_array, whole_number

__all__ = [
    "IMAGE_CREDITS",
    "load_images",
    "natural_images",
    "normalize_patches",
    "sample_patches",
    "whiten",
]

Image = NDArray[np.float64]
Images = Mapping[str, ArrayLike] | Sequence[ArrayLike] | NDArray[Any]

#: Who made each image that comes with the packages, the licence stated for it, and its package.
IMAGE_CREDITS = {
    "astronaut": "NASA (a portrait of Eileen Collins), public domain (in scikit-image)",
    "camera": "Lav Varshney, CC0 (in scikit-image)",
    "chelsea": "Stéfan van der Walt, CC0 (in scikit-image)",
    "coffee": "Rachel Michetti, CC0 (in scikit-image)",
    "grass": "linolafett (DeviantArt), CC0 (in scikit-image)",
    "gravel": "CC0Textures, CC0 (in scikit-image)",
    "motorcycle": "Scharstein et al. 2014, Middlebury, no licence stated (in scikit-image)",
    "rocket": "SpaceX, public domain (in scikit-image)",
    "china": "danielbuechele (Flickr), CC BY 2.0 (in scikit-learn)",
    "flower": "vultilion (Flickr), CC BY 2.0 (in scikit-learn)",
}


def _grey(name: str, image: ArrayLike) -> Image:
    require("skimage", "reading photographs")
    from skimage.color import rgb2gray
    from skimage.util import img_as_float64

    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] in (1, 2):
        array = array[..., 0]  # grey, perhaps with a layer of transparency
    if array.ndim == 3 and array.shape[2] in (3, 4):
        return np.asarray(rgb2gray(img_as_float64(array[..., :3])), dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}; give a grey image (height, width) or a colour image "
            "(height, width, 3)"
        )
    return np.asarray(img_as_float64(array), dtype=np.float64)


def natural_images() -> dict[str, Image]:
    """Return ten grey photographs that come with scikit-image and scikit-learn.

    Nothing is downloaded: the files lie in the installed packages. `IMAGE_CREDITS` says who
    took them and under which licence they may be used.

    They keep the size in which they are shipped, from 300x451 to 500x741 pixels, much like the
    512x512 of Olshausen & Field. Bringing them all to one size would blur some by interpolation,
    and `whiten` works in cycles per pixel, so it asks for no common size.

    Returns
    -------
    images : dict of str to ndarray of shape (height, width)
        Brightness from 0 (black) to 1 (white), float64.

    Examples
    --------
    >>> from saelib import natural_images
    >>> images = natural_images()
    >>> len(images), images["camera"].shape
    (10, (512, 512))
    """
    if IN_BROWSER:
        return photographs(IMAGE_CREDITS)
    require("skimage", "natural_images")

    from skimage import data
    from sklearn.datasets import load_sample_image

    pictures = {
        "astronaut": data.astronaut(),
        "camera": data.camera(),
        "chelsea": data.chelsea(),
        "coffee": data.coffee(),
        "grass": data.grass(),
        "gravel": data.gravel(),
        "motorcycle": data.stereo_motorcycle()[0],
        "rocket": data.rocket(),
        "china": load_sample_image("china.jpg"),
        "flower": load_sample_image("flower.jpg"),
    }
    return {name: _grey(name, picture) for name, picture in pictures.items()}


def load_images(folder: str | Path) -> dict[str, Image]:
    """Return the pictures in a folder as grey images, to train on images of your own.

    Parameters
    ----------
    folder : str or Path
        A folder with picture files (png, jpg, tif, bmp, gif, webp), in grey or colour.

    Returns
    -------
    images : dict of str to ndarray of shape (height, width)
        File name to brightness in [0, 1], in the order of the names. Colours are turned into
        grey, transparency is left out; files that hold floating-point numbers keep them. Of a file
        with several pages the first is taken.

    Raises
    ------
    ValueError
        If the folder does not exist, holds no pictures, or a picture cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skimage.io import imsave
    >>> from saelib import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     imsave(Path(folder) / "mine.png", np.zeros((20, 30), np.uint8), check_contrast=False)
    ...     load_images(folder)["mine.png"].shape
    (20, 30)
    """
    require("skimage", "load_images")
    from skimage.io import imread

    path = Path(folder)
    if not path.is_dir():
        raise ValueError(f"folder is {str(folder)!r}, which is not a folder; check the path")
    endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"}
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in endings)
    if not files:
        raise ValueError(
            f"folder {str(folder)!r} holds no pictures; files with one of the endings "
            f"{', '.join(sorted(endings))} are read"
        )
    images = {}
    for file in files:
        try:
            # Opened here, since the reader leaves a file open that it cannot make sense of.
            with file.open("rb") as stream:
                picture = imread(stream)
        except Exception as error:
            raise ValueError(
                f"the image file {str(file)!r} cannot be read ({type(error).__name__}: {error}); "
                "remove it from the folder or save it again as PNG"
            ) from error
        images[file.name] = _grey(file.name, picture)
    return images


def whiten(image: ArrayLike) -> Image:
    """Return an image whose power is spread evenly over the spatial frequencies.

    Eq. (6.1) ``whitening``, Olshausen & Field (1997): the amplitude of natural images falls
    as 1/f, so the spectrum is multiplied by R(f) = f exp(-(f / f0)^4) with f0 = 0.4 cycles per
    pixel. The ramp f undoes the fall; the second factor leaves out the highest frequencies,
    where there is mostly noise and where the corners of the spectrum lie. In a picture of
    512x512 pixels f0 is the 200 cycles per picture of the original, to the rounding.

    Parameters
    ----------
    image : array_like of shape (height, width)
        A grey image, any size, finite, not constant.

    Returns
    -------
    ndarray of shape (height, width)
        The whitened image, mean about 0, standard deviation 1, so that every image has the
        same say in the patches. The picture is taken to go on as its mirror image beyond the
        borders; a bare Fourier transform would let it go on with the opposite border, and
        find an edge between the two.

    Raises
    ------
    ValueError
        If `image` is not 2-D, holds NaN or infinity, or is constant.

    Examples
    --------
    >>> from saelib import natural_images, whiten
    >>> whitened = whiten(natural_images()["camera"])
    >>> whitened.shape, round(float(whitened.std()), 6)
    ((512, 512), 1.0)
    """
    array = plain_array("image", image, np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"image has shape {array.shape}; give a grey image (height, width)")
    if not np.all(np.isfinite(array)):
        raise ValueError("image holds NaN or infinity; every pixel must be a finite number")
    if np.ptp(array) == 0:
        raise ValueError(f"image is constant, {array.flat[0]:g} everywhere; there is nothing in it")
    array = np.ldexp(array, -magnitude(array))  # the result has no unit
    # The cosine transform is the Fourier transform of the picture and its mirror images; its
    # k-th wave has k half periods along the side.
    height, width = array.shape
    frequency = np.hypot(
        np.arange(height)[:, None] / (2 * height), np.arange(width)[None, :] / (2 * width)
    )
    gain = frequency * np.exp(-((frequency / 0.4) ** 4))
    whitened: Image = idctn(dctn(array - array.mean(), norm="ortho") * gain, norm="ortho")
    return whitened / whitened.std()


def sample_patches(
    images: Images, n_patches: int, patch_size: int, seed: int | np.random.Generator
) -> NDArray[np.float64]:
    """Return square patches cut from random places of randomly chosen images.

    First an image is drawn, each with the same probability, then a position in it, each with
    the same probability, the last row and column included. CS294A assignment, step 1.

    Parameters
    ----------
    images : dict, list or array of 2-D arrays, or one 2-D array
        Grey images; their sizes may differ. In an array of three dimensions the first counts the
        images. Their numbers are taken as they are, whole numbers from 0 to 255 too.
    n_patches : int, at least 1
        Number of patches.
    patch_size : int, at least 1
        Side of a patch in pixels; no image may be smaller.
    seed : int or numpy.random.Generator
        Source of the random numbers; the same int gives the same patches.

    Returns
    -------
    ndarray of shape (n_patches, patch_size**2)
        One patch per row, its pixels row by row.

    Raises
    ------
    ValueError
        If there is no image, an image is not 2-D, not finite, masked or smaller than a patch, if
        the images lie along the last axis, or if only some of them hold whole numbers.
    TypeError
        If `images` is not a collection of images, or a number has the wrong type.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import sample_patches
    >>> sample_patches([np.arange(12.0).reshape(3, 4)], n_patches=2, patch_size=2, seed=0)
    array([[ 5.,  6.,  9., 10.],
           [ 4.,  5.,  8.,  9.]])
    """
    n_patches = whole_number("n_patches", n_patches, low=1)
    patch_size = whole_number("patch_size", patch_size, low=1)
    named = _named(images)
    for name, image in named.items():
        if image.ndim != 2:
            raise ValueError(
                f"{name} has shape {image.shape}; give grey images (height, width). Of a colour "
                "image, (height, width, 3), image.mean(axis=2) is one"
            )
        if min(image.shape) < patch_size:
            raise ValueError(
                f"patch_size is {patch_size}, but {name} has only {image.shape[0]}x"
                f"{image.shape[1]} pixels; choose a smaller patch or leave that image out"
            )
        if not np.all(np.isfinite(image)):
            raise ValueError(f"{name} holds NaN or infinity; every pixel must be a finite number")
    rng = np.random.default_rng(seed)
    pictures = list(named.values())
    chosen = rng.integers(len(pictures), size=n_patches)
    free = np.array([picture.shape for picture in pictures]) - patch_size + 1
    top, left = rng.integers(free[chosen].T)
    patches = np.empty((n_patches, patch_size**2))
    for k, picture in enumerate(pictures):
        mine = np.flatnonzero(chosen == k)
        windows = np.lib.stride_tricks.sliding_window_view(picture, (patch_size, patch_size))
        patches[mine] = windows[top[mine], left[mine]].reshape(len(mine), patch_size**2)
    return patches


def _named(images: Images) -> dict[str, NDArray[np.float64]]:
    if isinstance(images, np.ndarray) and images.ndim == 3 and _looks_image_last(images.shape):
        height, width, number = images.shape
        raise ValueError(
            f"images has shape {images.shape}, which looks like {number} images of "
            f"{height}x{width} pixels along the last axis, as in the IMAGES of the CS294A "
            f"assignment; give np.moveaxis(images, -1, 0). If these are {height} images of "
            f"{width}x{number} pixels, give list(images)"
        )
    if isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] in (3, 4):
        raise ValueError(
            f"images has shape {images.shape}, which looks like one colour image; turn it into a "
            "grey image (height, width) first, or give a list if these are several grey images"
        )
    if isinstance(images, str) or not hasattr(images, "__len__"):
        raise TypeError(
            f"images is of type {type(images).__name__}; give a dict, list or array of grey "
            "images, for instance natural_images() or load_images(folder)"
        )
    if isinstance(images, Mapping):
        pairs = [(f"image {name!r}", image) for name, image in images.items()]
    elif isinstance(images, np.ndarray) and images.ndim == 2:
        pairs = [("image 0", images)]
    else:
        pairs = [(f"image {k}", image) for k, image in enumerate(images)]
    if not pairs:
        raise ValueError("images is empty; give at least one image")
    for name, image in pairs:
        no_masked_entries(name, image)
    arrays = {name: np.asarray(image) for name, image in pairs}
    kinds = {"whole" if array.dtype.kind in "biu" else "real" for array in arrays.values()}
    if len(kinds) == 2:
        name = next(name for name, array in arrays.items() if array.dtype.kind in "biu")
        raise ValueError(
            f"{name} holds whole numbers and others hold real ones; images of 0 to 255 beside some "
            "of 0 to 1 would drown them. Bring them to one scale first, for example image / 255"
        )
    return {name: array.astype(np.float64, copy=False) for name, array in arrays.items()}


def _looks_image_last(shape: tuple[int, ...]) -> bool:
    # Few pictures in a stack, or pictures of one pixel's width by hundreds: the former is likely.
    height, width, last = shape
    is_square = height == width != last  # so many pictures, as high as they are many, are rare
    return last not in (3, 4) and (is_square or 4 * last <= min(height, width))


def normalize_patches(patches: ArrayLike) -> NDArray[np.float64]:
    """Return patches without their means, clipped at 3 standard deviations, in [0.1, 0.9].

    Eq. (6.2) ``normalize-patches``, CS294A assignment (normalizeData). A sigmoid output can
    reach values between 0 and 1 only; keeping away from both ends spares it huge weights.

    Parameters
    ----------
    patches : array_like of shape (n_patches, n_pixels)
        One patch per row, finite.

    Returns
    -------
    ndarray of shape (n_patches, n_pixels)
        Each patch's own mean is at 0.5 before clipping; one standard deviation, taken over all
        patches and pixels after the means are removed, is 0.4 / 3.

    Raises
    ------
    ValueError
        If `patches` is not 2-D, is empty, holds NaN or infinity, or every patch is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from saelib import normalize_patches
    >>> normalize_patches(np.array([[0.0, 2.0], [10.0, 12.0]])).round(3)
    array([[0.367, 0.633],
           [0.367, 0.633]])
    """
    X = plain_array("patches", patches, np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"patches has shape {X.shape}; give (n_patches, n_pixels), not empty")
    if not np.all(np.isfinite(X)):
        raise ValueError("patches holds NaN or infinity; every pixel must be a finite number")
    largest = float(np.abs(X).max())
    if not 1e-100 < largest < 1e100:
        # Squares would vanish or overflow; a common factor changes nothing in the result.
        X = X / (largest or 1.0)
        largest = float(np.abs(X).max())
    X = X - X.mean(axis=1, keepdims=True)
    limit = 3 * X.std()
    if limit <= 1e-12 * largest:
        raise ValueError(
            "every patch is constant, so nothing is left when its mean is removed; take patches "
            "from images that are not flat"
        )
    return (np.clip(X, -limit, limit) / limit + 1) * 0.4 + 0.1
