"""What `SparseAutoencoder.save` writes, and the checks that `load` makes of it.

Whoever can write a file can sign it, too, so nothing in it is taken on trust: every number is
checked as an argument would be.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._magnitude import LARGEST_WEIGHT
from saelib._minibatch import Adam
from saelib._validation import activation_named, real_number, whole_number
from saelib._version import __version__
from saelib.fitted import FittedNetwork
from saelib.parameters import Parameters
from saelib.scaling import Scaling
from saelib.storage import not_consistent, read_arrays, write_arrays

Vector = NDArray[np.float64]

KIND = "SparseAutoencoder"
# No training takes so many steps; a float holds every whole number up to here.
_MOST_STEPS = 2**53


class ResumePoint(NamedTuple):
    """Where a training with checkpoints goes on: the last place where L-BFGS started afresh.

    Attributes
    ----------
    data : str
        Fingerprint of the training data.
    theta : ndarray of shape (size,)
        The flat parameter vector there.
    n_iter : int
        Iterations up to there.
    """

    data: str
    theta: Vector
    n_iter: int


@dataclass(frozen=True, eq=False)
class Fit:
    """All that a fit leaves behind, as one value, so that no part of it can belong to another.

    The attributes are those of `SparseAutoencoder`, without the underscore at the end. Of
    `losses`, which a stream only ever makes longer, the first `n_losses` belong to this fit.
    """

    network: FittedNetwork
    mean_activation: Vector
    losses: list[float]
    n_losses: int
    n_iter: int
    n_samples_seen: int
    converged: bool
    stop_reason: str
    feature_names_in: NDArray[Any] | None
    adam: Adam | None = None
    resume_point: ResumePoint | None = None

    @property
    def loss_curve(self) -> list[float]:
        return self.losses[: self.n_losses]

    @property
    def parameters(self) -> Parameters:
        return self.network.parameters

    @property
    def scaling(self) -> Scaling:
        return self.network.scaling

    @property
    def activation(self) -> str:
        return self.network.activation

    @property
    def output_activation(self) -> str:
        return self.network.output_activation

    @property
    def n_features_in(self) -> int:
        return self.network.parameters.n_features


def write_model(path: str | os.PathLike[str], hyperparameters: Mapping[str, Any], fit: Fit) -> None:
    """Write an estimator to one file, atomically."""
    p, scaling = fit.parameters, fit.scaling
    arrays = {
        "W1": p.W1,
        "W2": p.W2,
        "b1": p.b1,
        "b2": p.b2,
        "scaling.shift": scaling.shift,
        "scaling.scale": scaling.scale,
        "mean_activation": fit.mean_activation,
        "loss_curve": np.array(fit.loss_curve),
    }
    if fit.adam is not None:
        arrays |= {"adam.mean": fit.adam.mean, "adam.mean_square": fit.adam.mean_square}
    resume = fit.resume_point
    # Mostly the training stopped where it would go on, and the weights are there once.
    if resume is not None and resume.n_iter != fit.n_iter:
        arrays["resume.theta"] = resume.theta
    names = fit.feature_names_in
    description = {
        "saelib_version": __version__,
        "hyperparameters": _plain(hyperparameters),
        "network": {
            "activation": fit.activation,
            "output_activation": fit.output_activation,
            "offset": scaling.offset,
        },
        "feature_names_in": None if names is None else list(names),
        "training": {
            "n_iter": fit.n_iter,
            "n_samples_seen": fit.n_samples_seen,
            "initial_cost": fit.losses[0],
            "final_cost": fit.loss_curve[-1],
            "converged": fit.converged,
            "stop_reason": fit.stop_reason,
            "adam_steps": None if fit.adam is None else fit.adam.n_steps,
            "data_fingerprint": None if resume is None else resume.data,
            "resume_at": None if resume is None else resume.n_iter,
        },
    }
    write_arrays(path, arrays, description, kind=KIND)


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Fit]:
    """Return the hyperparameters and the fit that a file holds, or raise ValueError."""
    arrays, description = read_arrays(path, kind=KIND)
    try:
        return _restored(arrays, description)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise not_consistent(path, KIND, error) from None


def _restored(
    loaded: Mapping[str, Any], description: Mapping[str, Any]
) -> tuple[dict[str, Any], Fit]:
    hyperparameters = dict(description["hyperparameters"])
    arrays = {name: array.astype(np.float64) for name, array in loaded.items()}
    if not all(np.all(np.isfinite(array)) for array in arrays.values()):
        raise ValueError("an array holds NaN or infinity")
    network, training = _restored_network(arrays, description), description["training"]
    p = network.parameters
    size = len(p.ravel())
    shapes = {
        "mean_activation": (p.n_hidden,),
        "adam.mean": (size,),
        "adam.mean_square": (size,),
        "resume.theta": (size,),
    }
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape} instead of {shape}")
    mean = arrays["mean_activation"]
    if not np.all((mean >= 0) & (mean <= 1)):
        raise ValueError("mean_activation holds a number outside [0, 1]")
    adam, resume_point = _restored_progress(arrays, training, p)
    losses = arrays["loss_curve"]
    if losses.ndim != 1 or len(losses) == 0:
        raise ValueError(f"loss_curve has shape {losses.shape}; a training has a cost")
    n_iter = whole_number("n_iter", training["n_iter"], low=0, high=_MOST_STEPS)
    if not isinstance(training["converged"], bool):
        raise TypeError(f"converged is {training['converged']!r}")
    fit = Fit(
        network=network,
        mean_activation=mean,
        losses=losses.tolist(),
        n_losses=len(losses),
        n_iter=n_iter,
        n_samples_seen=whole_number("n_samples_seen", training["n_samples_seen"], low=0),
        converged=training["converged"],
        stop_reason=str(training["stop_reason"]),
        feature_names_in=_restored_names(description["feature_names_in"], p.n_features),
        adam=adam,
        resume_point=resume_point,
    )
    return hyperparameters, fit


def _restored_network(
    arrays: Mapping[str, NDArray[Any]], description: Mapping[str, Any]
) -> FittedNetwork:
    said, hyperparameters = description["network"], description["hyperparameters"]
    p = Parameters(*(arrays[name] for name in ("W1", "W2", "b1", "b2")))
    whole_number("the number of hidden units", p.n_hidden, low=1)
    whole_number("the number of features", p.n_features, low=1)
    if np.abs(p.ravel()).max() > LARGEST_WEIGHT:
        raise ValueError(f"a weight exceeds {LARGEST_WEIGHT:g}")
    outputs = ("linear", "sigmoid", "tanh")
    names = {
        name: activation_named(name, said[name], allowed).name
        for name, allowed in (("activation", outputs[1:]), ("output_activation", outputs))
    }
    for name, found in {**names, "n_hidden": p.n_hidden}.items():
        if hyperparameters[name] != found:
            raise ValueError(f"{name} is {hyperparameters[name]!r}, but the network has {found!r}")
    for name in ("scaling.shift", "scaling.scale"):
        if arrays[name].shape != (p.n_features,):
            raise ValueError(f"{name} has shape {arrays[name].shape} instead of {(p.n_features,)}")
    if not np.all(arrays["scaling.scale"] > 0):
        raise ValueError("scaling.scale holds a number that is not positive")
    offset = real_number("offset", said["offset"], low=-1.0, high=1.0)
    scaling = Scaling(arrays["scaling.shift"], arrays["scaling.scale"], offset)
    return FittedNetwork(parameters=p, scaling=scaling, **names)


def _restored_names(names: Any, n_features: int) -> NDArray[Any] | None:
    if names is None:
        return None
    if len(names) != n_features or not all(isinstance(name, str) for name in names):
        raise ValueError(f"feature_names_in does not name the {n_features} features")
    if len(set(names)) < len(names):
        raise ValueError("feature_names_in holds a name twice")
    return np.array(names, dtype=object)


def _restored_progress(
    arrays: Mapping[str, Any], training: Mapping[str, Any], p: Parameters
) -> tuple[Adam | None, ResumePoint | None]:
    adam, resume_point = None, None
    n_iter = whole_number("n_iter", training["n_iter"], low=0, high=_MOST_STEPS)
    if training["adam_steps"] is not None:
        if not np.all(arrays["adam.mean_square"] >= 0):
            raise ValueError("adam.mean_square holds a negative number")
        steps = whole_number("adam_steps", training["adam_steps"], low=1, high=_MOST_STEPS)
        adam = Adam(arrays["adam.mean"], arrays["adam.mean_square"], steps)
    if training["data_fingerprint"] is not None:
        most = min(n_iter, arrays["loss_curve"].size - 1)
        resume_at = whole_number("resume_at", training["resume_at"], low=0, high=most)
        theta = arrays["resume.theta"] if "resume.theta" in arrays else p.ravel()
        if resume_at != n_iter and "resume.theta" not in arrays:
            raise ValueError("the weights to resume from are missing")
        resume_point = ResumePoint(
            str(training["data_fingerprint"]), np.asarray(theta, np.float64), resume_at
        )
    return adam, resume_point


def _plain(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as JSON can hold them."""
    plain = {**hyperparameters, "callback": None}
    if not isinstance(plain["random_state"], numbers.Integral):
        plain["random_state"] = None
    if plain["checkpoint"] is not None:
        plain["checkpoint"] = os.fspath(plain["checkpoint"])
    for name, value in plain.items():
        if isinstance(value, np.generic):
            plain[name] = value.item()
        elif isinstance(value, numbers.Integral) and not isinstance(value, bool):
            plain[name] = int(value)
        elif isinstance(value, numbers.Real) and not isinstance(value, bool | int):
            plain[name] = float(value)
    return plain
