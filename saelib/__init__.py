"""Sparse autoencoders in numpy: the objective, its exact gradient, training and pictures.

The names below are imported when they are first used, so that ``import saelib`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from saelib._version import __version__

_MODULE_OF = {
    "Parameters": "parameters",
    "SparseAutoencoder": "estimator",
    "SparseDictionary": "sparse_dictionary",
    "SparseObjective": "objective",
    "CostTerms": "objective",
    "DaskObjective": "distributed",
    "TrainingResult": "training",
    "train": "training",
    "encode": "network",
    "decode": "network",
    "sigmoid": "activations",
    "tanh": "activations",
    "kl_divergence": "sparsity",
    "kl_gradient": "sparsity",
    "mean_activation": "sparsity",
    "numerical_gradient": "gradient_check",
    "relative_error": "gradient_check",
    "natural_images": "images",
    "load_images": "images",
    "whiten": "images",
    "sample_patches": "images",
    "normalize_patches": "images",
    "maximal_inputs": "features",
}

__all__ = ["__version__", *_MODULE_OF]  # noqa: PLE0604 - the keys are strings

if TYPE_CHECKING:
    from saelib.activations import sigmoid as sigmoid
    from saelib.activations import tanh as tanh
    from saelib.distributed import DaskObjective as DaskObjective
    from saelib.estimator import SparseAutoencoder as SparseAutoencoder
    from saelib.features import maximal_inputs as maximal_inputs
    from saelib.gradient_check import numerical_gradient as numerical_gradient
    from saelib.gradient_check import relative_error as relative_error
    from saelib.images import load_images as load_images
    from saelib.images import natural_images as natural_images
    from saelib.images import normalize_patches as normalize_patches
    from saelib.images import sample_patches as sample_patches
    from saelib.images import whiten as whiten
    from saelib.network import decode as decode
    from saelib.network import encode as encode
    from saelib.objective import CostTerms as CostTerms
    from saelib.objective import SparseObjective as SparseObjective
    from saelib.parameters import Parameters as Parameters
    from saelib.sparse_dictionary import SparseDictionary as SparseDictionary
    from saelib.sparsity import kl_divergence as kl_divergence
    from saelib.sparsity import kl_gradient as kl_gradient
    from saelib.sparsity import mean_activation as mean_activation
    from saelib.training import TrainingResult as TrainingResult
    from saelib.training import train as train


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"saelib.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'saelib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
