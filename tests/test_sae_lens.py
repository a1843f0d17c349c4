"""Folders of SAELens: what is read computes what SAELens computes, by the formulas of its docs.

The package itself is not among those of the tests. Tried by hand, release 6.54.12 agreed in both
directions, for all four architectures, to 1e-14 in float64 and 1e-5 in float32.
"""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from saelib import Parameters
from saelib.codes import BatchTopK, KLSigmoid, L1ReLU, Threshold, TopK
from saelib.dictionary import reconstruct, unit_start
from saelib.sae_lens import read_sae_lens, write_sae_lens
from saelib.thresholds import Gated, JumpReLU

D_IN, D_SAE = 5, 9
X = np.random.default_rng(0).normal(size=(40, D_IN))


def weights(seed, architecture, dtype=np.float64):
    rng = np.random.default_rng(seed)
    own = {
        "standard": ["b_enc"],
        "topk": ["b_enc"],
        "jumprelu": ["b_enc", "threshold"],
        "gated": ["b_gate", "b_mag", "r_mag"],
    }[architecture]
    arrays = {
        "W_enc": rng.normal(size=(D_IN, D_SAE)),
        "W_dec": rng.normal(size=(D_SAE, D_IN)),
        "b_dec": rng.normal(size=D_IN),
        **{name: 0.4 * rng.normal(size=D_SAE) for name in own},
    }
    return {name: array.astype(dtype) for name, array in arrays.items()}


def write(folder, architecture, arrays, **settings):
    config = {"architecture": architecture, "d_in": D_IN, "d_sae": D_SAE} | settings
    config = {"metadata": {"sae_lens_version": "6.1.0", "model_name": "toy"}} | config
    (folder / "cfg.json").write_text(json.dumps(config))
    save_file(arrays, folder / "sae_weights.safetensors")


def by_sae_lens(architecture, a, x, *, from_input=True, by_length=False, k=3, scale=1.0):
    """Encode and decode as SAELens does, step by step."""
    x = x * scale
    x = x - a["b_dec"] if from_input else x
    lengths = np.linalg.norm(a["W_dec"], axis=1)
    if architecture == "gated":
        gate = x @ a["W_enc"] + a["b_gate"]
        magnitude = x @ (a["W_enc"] * np.exp(a["r_mag"])) + a["b_mag"]
        code = (gate > 0) * np.maximum(magnitude, 0)
    else:
        before = x @ a["W_enc"] + a["b_enc"]
        before = before * lengths if by_length else before
        code = np.maximum(before, 0)
        if architecture == "topk":
            least = np.sort(before, axis=1)[:, -k, None]
            code = np.where(before >= least, code, 0)
        if architecture == "jumprelu":
            code = code * (before > a["threshold"])
    out = (code / lengths if by_length else code) @ a["W_dec"] + a["b_dec"]
    return code, out / scale


@pytest.mark.parametrize("from_input", [True, False])
@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated"])
def test_what_is_read_makes_the_same_code_and_reconstruction(architecture, from_input, tmp_path):
    arrays = weights(1, architecture)
    write(tmp_path, architecture, arrays, k=3, apply_b_dec_to_input=from_input)
    found = read_sae_lens(tmp_path)
    code, out = by_sae_lens(architecture, arrays, X, from_input=from_input)
    A, X_hat = reconstruct(X, found.parameters, found.rule)
    assert (code > 0).any()
    assert (code == 0).any()
    np.testing.assert_allclose(A, code, atol=1e-12)
    np.testing.assert_allclose(X_hat, out, atol=1e-12)
    assert found.config["metadata"]["model_name"] == "toy"


def test_lengths_of_the_directions_are_folded(tmp_path):
    arrays = weights(2, "topk")
    write(tmp_path, "topk", arrays, k=3, rescale_acts_by_decoder_norm=True)
    found = read_sae_lens(tmp_path)
    code, out = by_sae_lens("topk", arrays, X, by_length=True)
    A, X_hat = reconstruct(X, found.parameters, found.rule)
    np.testing.assert_allclose(A, code, atol=1e-12)
    np.testing.assert_allclose(X_hat, out, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.parameters.W2, axis=0), 1)


@pytest.mark.parametrize("architecture", ["standard", "jumprelu", "gated"])
def test_a_scale_of_the_inputs_is_folded(architecture, tmp_path):
    arrays = weights(3, architecture)
    write(tmp_path, architecture, arrays, normalize_activations="expected_average_only_in")
    with pytest.raises(ValueError, match="give scaling_factor"):
        read_sae_lens(tmp_path)
    found = read_sae_lens(tmp_path, scaling_factor=0.3)
    code, out = by_sae_lens(architecture, arrays, X, scale=0.3)
    A, X_hat = reconstruct(X, found.parameters, found.rule)
    np.testing.assert_allclose(A, code, atol=1e-12)
    np.testing.assert_allclose(X_hat, out, atol=1e-12)


def test_topk_of_older_versions_is_an_activation_function(tmp_path):
    arrays = weights(4, "topk")
    older = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 2}, "metadata": {}}
    write(tmp_path, "standard", arrays, normalize_activations=False, **older)
    found = read_sae_lens(tmp_path)
    assert found.rule == TopK(2)
    code, _ = by_sae_lens("topk", arrays, X, k=2)
    np.testing.assert_allclose(reconstruct(X, found.parameters, found.rule)[0], code, atol=1e-12)


RULES = [
    L1ReLU(0.1),
    TopK(3),
    JumpReLU(0.05, threshold=np.linspace(0.1, 0.8, D_SAE)),
    Threshold(0.4),
    Gated(0.3, threshold=np.linspace(-0.2, 0.6, D_SAE), scale=np.linspace(0.5, 2, D_SAE)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_what_is_written_is_read_again_and_computes_the_same_by_sae_lens(rule, dtype, tmp_path):
    rng = np.random.default_rng(5)
    start = unit_start(D_IN, D_SAE, rng)
    theta = start.ravel() + 0.1 * rng.normal(size=start.ravel().size)
    p = Parameters.unravel(theta.astype(dtype), D_IN, D_SAE)
    write_sae_lens(tmp_path / "new" / "folder", p, rule, metadata={"hook_name": "middle"})
    found = read_sae_lens(tmp_path / "new" / "folder")
    config, x = found.config, X.astype(dtype)
    assert config["dtype"] == np.dtype(dtype).name
    assert config["metadata"]["hook_name"] == "middle"
    A, X_hat = reconstruct(x, p, rule)
    close = {"atol": 1e-12} if dtype == np.float64 else {"atol": 2e-6}
    for again in (
        reconstruct(x, found.parameters, found.rule),
        by_sae_lens(
            config["architecture"],
            load_file(tmp_path / "new" / "folder" / "sae_weights.safetensors"),
            x,
            from_input=config["apply_b_dec_to_input"],
            k=config.get("k", 3),
        ),
    ):
        np.testing.assert_allclose(again[0], A, **close)
        np.testing.assert_allclose(again[1], X_hat, **close)


def test_what_reaches_a_threshold_exactly_stays_after_writing(tmp_path):
    p = Parameters(np.eye(2), np.eye(2), np.zeros(2), np.zeros(2))
    write_sae_lens(tmp_path, p, Threshold(0.5))
    found = read_sae_lens(tmp_path)
    A, _ = reconstruct(np.array([[0.5, 0.4]]), found.parameters, found.rule)
    assert A.tolist() == [[0.5, 0.0]]


@pytest.mark.parametrize(
    ("architecture", "settings", "words"),
    [
        ("temporal", {}, "architecture is 'temporal'; known are standard, topk"),
        ("standard", {"normalize_activations": "layer_norm"}, "every input has a scale of its own"),
        ("standard", {"d_sae": 8}, r"W_enc has shape \(5, 9\) .* must be of shape \(5, 8\)"),
        ("jumprelu", {}, "threshold is missing"),
        ("topk", {}, "k is None"),
        ("standard", {"activation_fn": "tanh-relu"}, "the activation function is 'tanh-relu'"),
    ],
)
def test_what_cannot_be_read_says_why(architecture, settings, words, tmp_path):
    write(tmp_path, architecture, weights(6, "standard"), **settings)
    with pytest.raises((ValueError, TypeError), match=words):
        read_sae_lens(tmp_path)


def test_files_that_are_none_say_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sae_lens(tmp_path)
    (tmp_path / "cfg.json").write_text("{")
    with pytest.raises(ValueError, match=r"cfg\.json is not JSON"):
        read_sae_lens(tmp_path)
    (tmp_path / "cfg.json").write_text("[]")
    with pytest.raises(ValueError, match="holds a list"):
        read_sae_lens(tmp_path)
    (tmp_path / "cfg.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="there is no sae_weights"):
        read_sae_lens(tmp_path)
    (tmp_path / "sae_weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read by numpy"):
        read_sae_lens(tmp_path)


@pytest.mark.parametrize("rule", [BatchTopK(3), KLSigmoid(0.1, 1.0)])
def test_rules_that_sae_lens_does_not_know_are_refused(rule, tmp_path):
    with pytest.raises(TypeError, match="for which SAELens has no architecture"):
        write_sae_lens(tmp_path, unit_start(D_IN, D_SAE, seed=0), rule)
