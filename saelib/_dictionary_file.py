"""What `SparseDictionary.save` writes, and the checks that `load` makes of it.

A rule is written as its name and its numbers; only the rules of this library can be written, since
no file holds code. As in `saelib._model_file`, nothing in a file is taken on trust.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib._validation import whole_number
from saelib._version import __version__
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, Rule, Threshold, TopK
from saelib.parameters import Parameters
from saelib.storage import not_consistent, read_arrays, write_arrays
from saelib.thresholds import Gated, JumpReLU

Array = NDArray[np.floating[Any]]

KIND = "SparseDictionary"
RULES: dict[str, Any] = {
    rule.__name__: rule for rule in (KLSigmoid, L1ReLU, TopK, BatchTopK, Threshold, JumpReLU, Gated)
}


class FittedDictionary(NamedTuple):
    """All that a fit leaves behind; the names are those of the estimator, without the underscore.

    Attributes
    ----------
    parameters : Parameters
        Weights and biases.
    rule : callable
        The rule for use.
    mean : ndarray of shape (n_features,)
        Mean of the training data.
    loss_curve : ndarray of shape (n_steps,)
        The cost of each mini-batch.
    feature_names_in : ndarray of str, or None
        Names of the columns of the training data, if they had any.
    """

    parameters: Parameters
    rule: Rule
    mean: Array
    loss_curve: Array
    feature_names_in: NDArray[Any] | None


def write_dictionary(
    path: str | os.PathLike[str], hyperparameters: Mapping[str, Any], fitted: FittedDictionary
) -> None:
    """Write an estimator to one file, atomically."""
    p = fitted.parameters
    arrays: dict[str, Any] = {
        "W1": p.W1,
        "W2": p.W2,
        "b1": p.b1,
        "b2": p.b2,
        "mean": fitted.mean,
        "loss_curve": np.asarray(fitted.loss_curve),
    }
    plain = {name: _plain(value) for name, value in hyperparameters.items() if name != "rule"}
    names = fitted.feature_names_in
    description = {
        "saelib_version": __version__,
        "hyperparameters": plain,
        "rule": _taken_apart("rule", hyperparameters["rule"], arrays),
        "rule_for_use": _taken_apart("rule_for_use", fitted.rule, arrays),
        "feature_names_in": None if names is None else list(names),
    }
    write_arrays(path, arrays, description, kind=KIND)


def read_dictionary(path: str | os.PathLike[str]) -> tuple[dict[str, Any], FittedDictionary]:
    """Return the hyperparameters and the fit that a file holds, or raise ValueError."""
    arrays, description = read_arrays(path, kind=KIND)
    try:
        return _restored(arrays, description)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise not_consistent(path, KIND, error) from None


def _plain(value: Any) -> Any:
    """Return a hyperparameter as JSON can hold it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, np.random.RandomState):
        return None
    return [int(edge) for edge in value]  # prefixes


def _taken_apart(key: str, rule: Rule, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return a rule's name and numbers; numbers of which each unit has its own go to `arrays`."""
    name = type(rule).__name__
    if RULES.get(name) is not type(rule):
        raise ValueError(
            f"rule is {rule!r}, which is code of yours, and a file holds no code; save the arrays "
            f"by saelib.storage.write_arrays, or use one of {sorted(RULES)}"
        )
    kept: dict[str, Any] = {}
    for field in fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        if np.ndim(value) == 0:
            kept[field.name] = int(value) if isinstance(value, numbers.Integral) else float(value)
        else:
            arrays[f"{key}.{field.name}"] = np.asarray(value)
    return {"name": name, "numbers": kept}


def _put_together(key: str, apart: Mapping[str, Any], arrays: Mapping[str, Array], h: int) -> Rule:
    own = {k.removeprefix(f"{key}."): a for k, a in arrays.items() if k.startswith(f"{key}.")}
    for name, array in own.items():
        if array.shape != (h,):
            raise ValueError(f"{key}.{name} has shape {array.shape} for {h} hidden units")
    rule: Rule = RULES[apart["name"]](**apart["numbers"], **own)
    return rule


def _restored(
    arrays: Mapping[str, Array], description: Mapping[str, Any]
) -> tuple[dict[str, Any], FittedDictionary]:
    if not all(np.all(np.isfinite(array)) for array in arrays.values()):
        raise ValueError("an array holds NaN or infinity")
    p = Parameters(*(arrays[name] for name in ("W1", "W2", "b1", "b2")))
    h = whole_number("the number of hidden units", p.n_hidden, low=1)
    hyperparameters = dict(description["hyperparameters"])
    if hyperparameters["n_hidden"] != h:
        raise ValueError(f"n_hidden is {hyperparameters['n_hidden']}, but W1 has {h} rows")
    if arrays["mean"].shape != (p.n_features,):
        raise ValueError(f"mean has shape {arrays['mean'].shape} for {p.n_features} features")
    if arrays["loss_curve"].ndim != 1:
        raise ValueError(f"loss_curve has shape {arrays['loss_curve'].shape}")
    hyperparameters["rule"] = _put_together("rule", description["rule"], arrays, h)
    names = description["feature_names_in"]
    if names is not None:
        if len(names) != p.n_features or not all(isinstance(name, str) for name in names):
            raise ValueError(f"feature_names_in does not name the {p.n_features} features")
        names = np.array(names, dtype=object)
    fitted = FittedDictionary(
        parameters=p,
        rule=_put_together("rule_for_use", description["rule_for_use"], arrays, h),
        mean=arrays["mean"],
        loss_curve=np.asarray(arrays["loss_curve"], dtype=np.float64),
        feature_names_in=names,
    )
    return hyperparameters, fitted
