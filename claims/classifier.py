"""The contestants of the chapter on classifiers, each tuned on the labelled examples alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, FastICA, MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from saelib import Parameters, SparseAutoencoder, encode

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

N_LABELS = (20, 100, 300, 1000)
C = {"C": [0.1, 1, 10]}
KERNEL = {"C": [1, 10], "gamma": [0.01, 0.03, 0.1]}


def unit_scale(train: Array, other: Array) -> Pair:
    """Return both parts centred and scaled by one number: variances that add up to 64."""
    mean = train.mean(axis=0)
    scale = 8 / np.sqrt(train.var(axis=0).sum())
    return scale * (train - mean), scale * (other - mean)


def autoencoders(train: Array, test: Array, seed: int, effort: int) -> Iterator[Pair]:
    """Sparse autoencoders, the contestant of the book."""
    for target, decay in ((0.05, 0.01), (0.1, 0.003)):
        learner = SparseAutoencoder(
            200,
            sparsity_target=target,
            sparsity_weight=3.0,
            weight_decay=decay,
            scaling="global",
            max_iter=200 * effort,
            random_state=seed,
        ).fit(train)
        yield learner.transform(train), learner.transform(test)


def dictionaries(train: Array, test: Array, seed: int, effort: int) -> Iterator[Pair]:
    """Dictionaries with thresholds."""
    for alpha in (1.2, 2.4):
        learner = MiniBatchDictionaryLearning(
            200,
            alpha=alpha,
            batch_size=100,
            max_iter=10 * effort,
            random_state=seed,
            transform_algorithm="threshold",
            transform_alpha=alpha,
        ).fit(train)
        yield learner.transform(train), learner.transform(test)


def principal_components(train: Array, test: Array, seed: int, effort: int) -> Iterator[Pair]:
    """Principal components."""
    for n in (15, 30):
        learner = PCA(n, svd_solver="full").fit(train)
        yield learner.transform(train), learner.transform(test)


def independent_components(train: Array, test: Array, seed: int, effort: int) -> Iterator[Pair]:
    """Independent components."""
    # Some pixels never vary: without the principal components first, ICA divides by nothing.
    for n in (15, 30):
        rotation = FastICA(whiten="unit-variance", tol=0.01, max_iter=500, random_state=seed)
        learner = make_pipeline(PCA(n, svd_solver="full"), rotation).fit(train)
        yield learner.transform(train), learner.transform(test)


def random_units(train: Array, test: Array, seed: int, effort: int) -> Iterator[Pair]:
    """Units that have learned nothing, of two sizes and with two kinds of biases."""
    for scale, on in product((1.0, 2.0), (0.5, 0.1)):
        W1 = np.random.default_rng(seed).normal(scale=scale / 8, size=(1000, train.shape[1]))
        # Each unit is above one half for the share `on` of the training images.
        b1 = -np.quantile(train @ W1.T, 1 - on, axis=0)
        units = Parameters(W1, W1.T, b1, np.zeros(train.shape[1]))
        yield encode(train, units), encode(test, units)  # type: ignore[misc]


LEARNERS: dict[str, Callable[[Array, Array, int, int], Iterator[Pair]]] = {
    "autoencoder": autoencoders,
    "dictionary": dictionaries,
    "random": random_units,
    "pca": principal_components,
    "ica": independent_components,
}


def tuned_accuracy(
    classifier: Any,
    grid: Mapping[str, Sequence[float]],
    candidates: Sequence[Pair],
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    labelled: NDArray[np.int64],
    seed: int,
) -> float:
    """Return the test accuracy, in percent, of what does best in cross-validation.

    Features and settings of the classifier are chosen together, by the labelled rows alone.
    """
    y_train, y_test = labels
    folds = StratifiedKFold(min(3, len(labelled) // 10), shuffle=True, random_state=seed)
    searches = []
    for train, _ in candidates:
        search = GridSearchCV(classifier, dict(grid), cv=folds)
        searches.append(search.fit(train[labelled], y_train[labelled]))
    best = int(np.argmax([search.best_score_ for search in searches]))
    return 100 * float(searches[best].score(candidates[best][1], y_test))


def draw(y: NDArray[np.int64], n_labels: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows of `n_labels` examples, equally many of every digit."""
    rows = [np.flatnonzero(y == digit) for digit in range(10)]
    return np.concatenate([rng.choice(r, n_labels // 10, replace=False) for r in rows])


def comparison(*, seed: int, effort: int) -> dict[str, float]:
    """Return accuracies in percent and points gained, by contestant and labels.

    The seed draws the 500 test images, the labelled examples and all first weights; the effort
    multiplies the iterations of the autoencoders and the dictionaries.
    """
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=500, stratify=y, random_state=seed
    )
    pixels = unit_scale(X_train, X_test)
    with threadpool_limits(1), warnings.catch_warnings():
        # A rival that stops at its limit of iterations is compared as it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        features = {
            name: [unit_scale(*pair) for pair in learner(*pixels, seed, effort)]
            for name, learner in LEARNERS.items()
        }
        regression = LogisticRegression(max_iter=2000)
        contestants: dict[str, tuple[Any, Any, list[Pair]]] = {
            name: (regression, C, candidates) for name, candidates in features.items()
        }
        contestants["pixels"] = (regression, C, [pixels])
        contestants["svm"] = (SVC(), KERNEL, [pixels])
        contestants["neighbour"] = (KNeighborsClassifier(1), {"n_neighbors": [1]}, [pixels])
        rng = np.random.default_rng(seed)
        result: dict[str, float] = {}
        for n in N_LABELS:
            rows = draw(y_train, n, rng)
            for name, (classifier, grid, candidates) in contestants.items():
                result[f"{name}-{n}"] = tuned_accuracy(
                    classifier, grid, candidates, (y_train, y_test), rows, seed
                )
    for n, name in product(N_LABELS, contestants):
        if name != "autoencoder":
            result[f"gain-over-{name}-{n}"] = result[f"autoencoder-{n}"] - result[f"{name}-{n}"]
            result[f"{name}-over-pixels-{n}"] = result[f"{name}-{n}"] - result[f"pixels-{n}"]
    return result
