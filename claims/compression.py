"""Experiments of chapter 2: what a code of a given length gets through."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from sklearn.decomposition import PCA

from saelib import (
    Parameters,
    SparseObjective,
    decode,
    encode,
    natural_images,
    sample_patches,
    train,
    whiten,
)
from saelib.features import unexplained_variance

Array = NDArray[np.floating[Any]]
_M = 3000
_DATA = ("noise", "whitened", "photographs")


def _halves(images: list[Array], seed: int) -> tuple[Array, Array]:
    left = [image[:, : image.shape[1] // 2] for image in images]
    right = [image[:, image.shape[1] // 2 :] for image in images]
    return (
        sample_patches(left, _M, 10, seed=2 * seed),
        sample_patches(right, _M, 10, seed=2 * seed + 1),
    )


def _standardized(learn: Array, test: Array) -> tuple[Array, Array]:
    mean, sd = learn.mean(axis=0), learn.std()
    return (learn - mean) / sd, (test - mean) / sd


@cache
def _images(kind: str) -> list[Array]:
    photos = natural_images().values()
    return [whiten(photo) if kind == "whitened" else photo for photo in photos]


def _data(kind: str, seed: int) -> tuple[Array, Array]:
    if kind == "noise":
        rng = np.random.default_rng(seed)
        return _standardized(rng.normal(size=(_M, 100)), rng.normal(size=(_M, 100)))
    return _standardized(*_halves(_images(kind), seed))


def _autoencoder(
    X: Array, n_hidden: int, seed: int, max_iter: int, weight_decay: float = 1e-5
) -> Parameters:
    objective = SparseObjective(
        X, n_hidden, weight_decay=weight_decay, sparsity_weight=0, output_activation="linear"
    )
    theta0 = Parameters.random(X.shape[1], n_hidden, seed=seed).ravel()
    return train(objective, theta0, max_iter=max_iter, progress=False).parameters


def _by_network(X: Array, parameters: Parameters) -> float:
    return unexplained_variance(X, decode(encode(X, parameters), parameters, "linear"))


def _by_pca(learn: Array, test: Array, n_components: int) -> float:
    pca = PCA(n_components).fit(learn)
    return unexplained_variance(test, pca.inverse_transform(pca.transform(test)))


def codes_of_three_lengths(*, seed: int, effort: int) -> dict[str, float]:
    """Train networks with 1, 25 and 50 units on all three data sets, and set them beside PCA."""
    found: dict[str, float] = {}
    margins = []
    for kind in _DATA:
        learn, test = _data(kind, seed)
        for size in (1, 25, 50):
            network = _autoencoder(learn, size, seed, 200 * effort)
            unexplained, line = _by_network(test, network), _by_pca(learn, test, size)
            margins.append(unexplained - line)
            found[f"{kind}_{size}"] = unexplained
            found[f"{kind}_{size}_over_pca"] = unexplained / line
            if (kind, size) == ("photographs", 1):
                code, brightness = encode(test, network)[:, 0], test.mean(axis=1)
                found["brightness_correlation"] = abs(np.corrcoef(code, brightness)[0, 1])
    found["smallest_margin_over_pca"] = min(margins)
    return found


def weight_decay(*, seed: int, effort: int) -> dict[str, float]:
    """Train twins on whitened patches, one with a hundred times the weight decay."""
    learn, test = _data("whitened", seed)
    weak = _autoencoder(learn, 50, seed, 200 * effort)
    strong = _autoencoder(learn, 50, seed, 200 * effort, weight_decay=1e-3)
    squares = [np.sum(p.W1**2) + np.sum(p.W2**2) for p in (weak, strong)]
    return {
        "squares_ratio": float(squares[1] / squares[0]),
        "weak_unseen": _by_network(test, weak),
        "strong_unseen": _by_network(test, strong),
        "unseen_increase": _by_network(test, strong) - _by_network(test, weak),
        "weak_own": _by_network(learn, weak),
    }


def where_structure_is(*, seed: int, effort: int) -> dict[str, float]:
    """Measure by PCA with 50 components what the correlation and what the low-pass give."""
    del effort  # nothing is trained
    rng = np.random.default_rng(seed)
    learn, test = (rng.permuted(part, axis=0) for part in _data("photographs", seed))
    ramp = [_filtered(photo, low_pass=False) for photo in _images("photographs")]
    cloud = [_filtered(_pink(rng, photo.shape)) for photo in _images("photographs")]
    learn400, test400 = (part[:400] for part in _data("noise", seed))
    return {
        "shuffled": _by_pca(learn, test, 50),
        "whitened": _by_pca(*_data("whitened", seed), 50),
        "without_low_pass": _by_pca(*_standardized(*_halves(ramp, seed)), 50),
        "noise_through_the_filter": _by_pca(*_standardized(*_halves(cloud, seed)), 50),
        "own_25_of_400": _by_pca(learn400, learn400, 25),
        "unseen_25_of_400": _by_pca(learn400, test400, 25),
    }


def sigmoid_output(*, seed: int, effort: int) -> dict[str, float]:
    """Ask noise of a network whose output surface is bent, and of PCA."""
    learn, test = (0.5 + 0.4 * np.clip(part, -3, 3) / 3 for part in _data("noise", seed))
    objective = SparseObjective(learn, 50, weight_decay=1e-6, sparsity_weight=0)
    theta0 = Parameters.random(100, 50, seed=seed).ravel()
    p = train(objective, theta0, max_iter=300 * effort, progress=False).parameters
    bent, flat = unexplained_variance(test, decode(encode(test, p), p)), _by_pca(learn, test, 50)
    return {"bent": bent, "bent_minus_pca": bent - flat}


def _frequency(shape: tuple[int, ...]) -> Array:
    height, width = shape
    return np.hypot(
        np.arange(height)[:, None] / (2 * height), np.arange(width)[None, :] / (2 * width)
    )


def _filtered(image: Array, low_pass: bool = True) -> Array:
    """Whiten an image, with or without the factor that leaves out high frequencies."""
    if low_pass:
        return whiten(image)
    ramp = _frequency(image.shape)
    flat: Array = idctn(dctn(image - image.mean(), norm="ortho") * ramp, norm="ortho")
    return flat / flat.std()


def _pink(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return Gaussian noise whose amplitude falls as 1/f, as that of photographs: no edges."""
    fall = 1 / np.maximum(_frequency(shape), 1e-9)
    fall[0, 0] = 0
    noise: Array = idctn(rng.normal(size=shape) * fall, norm="ortho")
    return noise
