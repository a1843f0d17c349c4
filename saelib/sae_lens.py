"""Folders of SAELens: sparse autoencoders of language models, read into this library and back.

SAELens keeps a dictionary in a folder with two files, ``cfg.json`` and
``sae_weights.safetensors``. Its matrices are turned round: one row of ``W_dec``
(d_sae, d_in) is one direction. What is done to the weights here changes no activation and no
reconstruction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from saelib._validation import real_number, whole_number
from saelib.codes import L1ReLU, Rule, Threshold, TopK
from saelib.parameters import Parameters
from saelib.thresholds import Gated, JumpReLU

__all__ = ["SaeLensFolder", "read_sae_lens", "write_sae_lens"]

Array = NDArray[np.floating[Any]]
CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
OWN = {
    "standard": ("b_enc",),
    "topk": ("b_enc",),
    "jumprelu": ("b_enc", "threshold"),
    "gated": ("b_gate", "b_mag", "r_mag"),
}


class SaeLensFolder(NamedTuple):
    """A dictionary that was read from a folder.

    Attributes
    ----------
    parameters : Parameters
        Weights and biases, for `saelib.dictionary.reconstruct`.
    rule : callable
        How its code is made.
    config : dict
        What ``cfg.json`` says, among it under "metadata" the model and the place in it.
    """

    parameters: Parameters
    rule: Rule
    config: dict[str, Any]


def read_sae_lens(folder: str | Path, *, scaling_factor: float | None = None) -> SaeLensFolder:
    """Read a sparse autoencoder of one of SAELens' architectures standard, topk, jumprelu, gated.

    Three things are folded into weights and biases: the bias of the output, if it is taken off
    the input first; the lengths of the directions, if activations are measured in them; and a
    scale of the inputs. What SAELens has trained as BatchTopK it writes as jumprelu.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where ``cfg.json`` and ``sae_weights.safetensors`` lie.
    scaling_factor : float, greater than 0, optional
        What inputs have to be multiplied by before they go in. It is needed if the folder says
        that inputs are expected to be normalized on average, since it does not say by what.

    Returns
    -------
    SaeLensFolder
        Parameters, rule and configuration.

    Raises
    ------
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If the files hold something else, or what cannot be folded into weights.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from saelib.codes import TopK
    >>> from saelib.dictionary import reconstruct, unit_start
    >>> from saelib.sae_lens import read_sae_lens, write_sae_lens
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sae_lens(folder, unit_start(4, 8, seed=0), TopK(2))
    ...     found = read_sae_lens(folder)
    >>> found.rule, reconstruct(np.eye(4), found.parameters, found.rule)[0].shape
    (TopK(k=2), (4, 8))
    """
    folder = Path(folder)
    config, arrays = _config(folder / CONFIG), _arrays(folder / WEIGHTS)
    architecture = _architecture(config)
    d_in, d_sae = (whole_number(name, config.get(name, 0), low=1) for name in ("d_in", "d_sae"))
    shapes = {"W_enc": (d_in, d_sae), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    shapes |= dict.fromkeys(OWN[architecture], (d_sae,))
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            there = f"has shape {arrays[name].shape}" if name in arrays else "is missing"
            raise ValueError(
                f"{name} {there} in {WEIGHTS}; by {CONFIG} it must be of shape {shape}"
            )
    _fold_scale(arrays, config, scaling_factor)
    if config.get("rescale_acts_by_decoder_norm", False):
        lengths = np.linalg.norm(arrays["W_dec"], axis=1)
        arrays["W_enc"], arrays["b_enc"] = arrays["W_enc"] * lengths, arrays["b_enc"] * lengths
        arrays["W_dec"] = arrays["W_dec"] / np.where(lengths > 0, lengths, 1)[:, None]
    parameters, rule = _from_arrays(architecture, arrays, config)
    return SaeLensFolder(parameters, rule, config)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{path.name} holds a {type(config).__name__}; it must be an object")
    return config


def _arrays(path: Path) -> dict[str, Array]:
    if not path.exists():
        raise FileNotFoundError(f"there is no {path.name} in {path.parent}")
    try:
        return dict(load_file(path))
    except (SafetensorError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path.name} cannot be read by numpy ({error}); of floating-point numbers it knows "
            "float16, float32 and float64: save it in one of these"
        ) from None


def _architecture(config: Mapping[str, Any]) -> str:
    architecture = config.get("architecture", "standard")
    # Before version 6, topk was an activation function of the standard architecture.
    activation = config.get("activation_fn", config.get("activation_fn_str", "relu"))
    if architecture == "standard" and activation == "topk":
        architecture = "topk"
    elif activation not in ("relu", "topk"):
        raise ValueError(f"the activation function is {activation!r}; only relu and topk are known")
    if architecture not in OWN:
        raise ValueError(
            f"architecture is {architecture!r}; known are {', '.join(OWN)} (BatchTopK is written "
            "as jumprelu when training has ended)"
        )
    return str(architecture)


def _fold_scale(
    arrays: dict[str, Array], config: Mapping[str, Any], scaling_factor: float | None
) -> None:
    normalize = config.get("normalize_activations") or "none"
    if normalize is True:  # before version 6
        normalize = "expected_average_only_in"
    if normalize not in ("none", "expected_average_only_in"):
        raise ValueError(
            f"normalize_activations is {normalize!r}; every input has a scale of its own then, "
            "which no weights can hold: normalize the inputs, and set it to 'none'"
        )
    if normalize != "none" and scaling_factor is None:
        raise ValueError(
            "normalize_activations is 'expected_average_only_in', and the folder does not say by "
            "what inputs are multiplied; give scaling_factor, or 1.0 if yours are scaled already"
        )
    if scaling_factor is not None:
        scale = real_number("scaling_factor", scaling_factor, low=0.0, open_ends=True)
        arrays["W_enc"] = arrays["W_enc"] * scale
        arrays["W_dec"], arrays["b_dec"] = arrays["W_dec"] / scale, arrays["b_dec"] / scale


def _from_arrays(
    architecture: str, arrays: Mapping[str, Array], config: Mapping[str, Any]
) -> tuple[Parameters, Rule]:
    W1, W2, b2 = arrays["W_enc"].T, arrays["W_dec"].T, arrays["b_dec"]
    rule: Rule
    if architecture == "gated":
        scale = np.exp(arrays["r_mag"])
        W1, b1 = scale[:, None] * W1, arrays["b_mag"]
        rule = Gated(0.0, threshold=b1 - scale * arrays["b_gate"], scale=scale)
    else:
        b1 = arrays["b_enc"]
        if architecture == "topk":
            older = config.get("activation_fn_kwargs") or {}
            rule = TopK(whole_number("k", config.get("k", older.get("k")), low=1))
        elif architecture == "jumprelu":
            # Below 0 nothing is on whatever the threshold, and ours are positive.
            least = np.finfo(arrays["threshold"].dtype).tiny
            rule = JumpReLU(0.0, threshold=np.maximum(arrays["threshold"], least))
        else:
            rule = L1ReLU(0.0)
    if config.get("apply_b_dec_to_input", True):
        b1 = b1 - W1 @ b2
    copies = (np.ascontiguousarray(block) for block in (W1, W2, b1, b2))
    return Parameters(*copies), rule


def write_sae_lens(
    folder: str | Path,
    parameters: Parameters,
    rule: Rule,
    *,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a dictionary into a folder from which SAELens reads it.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made if it does not exist; files of the two names are replaced.
    parameters : Parameters
        Weights and biases.
    rule : callable
        `L1ReLU` is written as standard, `TopK` as topk, `JumpReLU` and `Threshold` as jumprelu,
        `Gated` as gated. Prices, and the window of `JumpReLU`, are of no use to a code and are
        not written.
    metadata : mapping, optional
        What SAELens is told about it, such as "model_name" and "hook_name"; JSON.

    Raises
    ------
    TypeError
        If SAELens has no architecture for the rule.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from saelib.codes import Threshold
    >>> from saelib.dictionary import unit_start
    >>> from saelib.sae_lens import write_sae_lens
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sae_lens(folder, unit_start(4, 8, seed=0), Threshold(0.5))
    ...     config = json.loads((pathlib.Path(folder) / "cfg.json").read_text())
    >>> config["architecture"], config["d_in"], config["d_sae"]
    ('jumprelu', 4, 8)
    """
    p, d_sae, extra = parameters, len(parameters.b1), {}
    arrays = {"W_enc": p.W1.T, "W_dec": p.W2.T, "b_dec": p.b2}
    if isinstance(rule, Gated):
        architecture = "gated"
        scale = np.broadcast_to(np.asarray(rule.scale, p.b1.dtype), d_sae)
        gate = (p.b1 - np.asarray(rule.threshold, p.b1.dtype)) / scale
        arrays |= {"W_enc": p.W1.T / scale, "b_mag": p.b1, "b_gate": gate, "r_mag": np.log(scale)}
    elif isinstance(rule, JumpReLU | Threshold):
        architecture = "jumprelu"
        # What reaches a `Threshold` stays; for SAELens it has to be above it.
        least = np.asarray(rule.threshold, p.b1.dtype)
        if isinstance(rule, Threshold):
            least = np.nextafter(least, -np.inf, dtype=p.b1.dtype)
        arrays |= {"b_enc": p.b1, "threshold": np.broadcast_to(least, d_sae)}
    elif isinstance(rule, TopK | L1ReLU):
        architecture = "topk" if isinstance(rule, TopK) else "standard"
        arrays |= {"b_enc": p.b1}
        extra = {"k": rule.k} if isinstance(rule, TopK) else {}
    else:
        raise TypeError(
            f"rule is {rule!r}, for which SAELens has no architecture; of BatchTopK write the "
            "Threshold for use, `rule.threshold(Z)`, which training returns"
        )
    config = {
        "architecture": architecture,
        "d_in": len(p.b2),
        "d_sae": d_sae,
        "dtype": str(p.W1.dtype),
        "device": "cpu",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        **extra,
        "metadata": {"sae_lens_version": "6.0.0", **(metadata or {})},
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
