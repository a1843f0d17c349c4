"""A saved model comes back bit for bit; a damaged or foreign file gives a clear error."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from saelib import SparseAutoencoder
from saelib.storage import read_arrays, write_arrays

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4)) @ RNG.normal(size=(4, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 40, "random_state": 0, **changes})


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    small().fit(X).save(path)
    return path


def rewritten(path, change):
    """Let `change` alter the arrays and the metadata of a file in place."""
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(arrays, metadata)
    save_file(arrays, path, metadata)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation": "tanh", "output_activation": "tanh", "scaling": "global"},
        {"scaling": None, "random_state": np.int64(3), "weight_decay": np.float32(1e-3)},
    ],
)
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, changes):
    model = small(**changes).fit(X)
    model.save(tmp_path / "model")
    same = SparseAutoencoder.load(tmp_path / "model")
    np.testing.assert_array_equal(same.transform(X), model.transform(X))
    assert same.get_params() == model.get_params()
    for name in ("loss_curve_", "n_iter_", "n_samples_seen_", "converged_", "stop_reason_"):
        assert getattr(same, name) == getattr(model, name)
    np.testing.assert_array_equal(same.mean_activation_, model.mean_activation_)


def test_a_stream_goes_on_after_loading_as_if_nothing_had_happened(tmp_path):
    straight = small(batch_size=50)
    for _ in range(4):
        straight.partial_fit(X)
    first = small(batch_size=50).partial_fit(X).partial_fit(X)
    first.save(tmp_path / "model")
    second = SparseAutoencoder.load(tmp_path / "model").partial_fit(X).partial_fit(X)
    np.testing.assert_array_equal(second.components_, straight.components_)


def test_names_of_columns_are_kept(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    small().fit(frame).save(tmp_path / "model")
    same = SparseAutoencoder.load(tmp_path / "model")
    assert same.feature_names_in_.tolist() == list("abcdef")


def test_the_file_holds_plain_numbers_and_json(saved):
    with safe_open(saved, framework="numpy") as file:
        description = json.loads(file.metadata()["description"])
        assert set(file.keys()) >= {"W1", "W2", "b1", "b2"}
    assert description["hyperparameters"]["n_hidden"] == 4
    assert description["training"]["n_iter"] > 0
    assert b"pickle" not in saved.read_bytes()


def test_a_file_cut_short_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    for length in (0, 1, 7, 8, 20, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a complete safetensors file"):
            SparseAutoencoder.load(saved)


def test_a_changed_weight_is_noticed(saved):
    def change(arrays, metadata):
        arrays["W1"] = arrays["W1"].copy()
        arrays["W1"][0, 0] += 1e-9

    rewritten(saved, change)
    with pytest.raises(ValueError, match="changed after it was saved"):
        SparseAutoencoder.load(saved)


def test_any_flipped_byte_is_noticed(saved):
    whole = saved.read_bytes()
    for place in RNG.integers(len(whole), size=60):
        broken = bytearray(whole)
        broken[place] ^= 0x01
        saved.write_bytes(bytes(broken))
        with pytest.raises(ValueError, match="safetensors"):
            SparseAutoencoder.load(saved)


def test_a_foreign_file_a_pickle_and_another_kind_are_refused(tmp_path):
    path = tmp_path / "file"
    save_file({"W": np.eye(2)}, path)
    with pytest.raises(ValueError, match="another program"):
        SparseAutoencoder.load(path)
    ran = tmp_path / "ran"
    # A pickle that would make a file if anything unpickled it.
    path.write_bytes(f"cos\nmkdir\n(V{ran}\ntR.".encode())
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        SparseAutoencoder.load(path)
    assert not ran.exists()
    write_arrays(path, {"W": np.eye(2)}, {}, kind="Other")
    with pytest.raises(ValueError, match=r"saelib\.Other"):
        SparseAutoencoder.load(path)
    with pytest.raises(FileNotFoundError, match="check the path"):
        SparseAutoencoder.load(tmp_path / "nothing")


def test_a_later_format_asks_for_a_newer_saelib(saved):
    rewritten(saved, lambda arrays, metadata: metadata.update(format_version="99"))
    with pytest.raises(ValueError, match="Install a newer saelib"):
        SparseAutoencoder.load(saved)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda a, d: a.update(b1=np.zeros(9)), "consistent"),
        (lambda a, d: a.update(mean_activation=np.zeros(9)), "mean_activation has shape"),
        (lambda a, d: a.update(b2=np.full(6, np.nan)), "NaN or infinity"),
        (lambda a, d: a.pop("W2"), "consistent"),
        (lambda a, d: d["hyperparameters"].update(n_hidden=-1), "n_hidden is -1"),
        (lambda a, d: d["network"].update(activation="relu"), "consistent"),
        (lambda a, d: d.pop("training"), "consistent"),
    ],
)
def test_a_well_signed_file_of_nonsense_is_refused(saved, change, word):
    arrays, description = read_arrays(saved, kind="SparseAutoencoder")
    change(arrays, description)
    write_arrays(saved, arrays, description, kind="SparseAutoencoder")
    with pytest.raises(ValueError, match=word):
        SparseAutoencoder.load(saved)


def test_a_failed_save_leaves_the_old_file_and_no_litter(saved, monkeypatch):
    before = saved.read_bytes()

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        small(n_hidden=3).fit(X).save(saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


@pytest.mark.skipif(os.name != "posix", reason="kills a process with SIGKILL")
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.safetensors"
    script = (
        "import sys, numpy as np\n"
        "from saelib.storage import write_arrays\n"
        "k = 0\n"
        "while True:\n"
        "    k += 1\n"
        "    write_arrays(sys.argv[1], {'W': np.full((300, 300), float(k))}, {'k': k}, kind='t')\n"
        "    print(k, flush=True)\n"
    )
    for wait in (0.0, 0.003, 0.011):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        arrays, description = read_arrays(path, kind="t")
        assert np.all(arrays["W"] == description["k"])


def test_a_resumed_training_ends_with_the_same_bits_as_an_uninterrupted_one(tmp_path):
    settings = {"max_iter": 60, "checkpoint_every": 15}
    straight = small(checkpoint=tmp_path / "straight", **settings).fit(X)

    # What a crash after iteration 37 leaves is the checkpoint of iteration 30.
    early = tmp_path / "early"

    def crash(iteration, theta):
        if iteration == 37:
            early.write_bytes((tmp_path / "crashed").read_bytes())
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        small(checkpoint=tmp_path / "crashed", callback=crash, **settings).fit(X)
    resumed = SparseAutoencoder.load(early)
    assert resumed.n_iter_ == 30
    resumed.resume(X)
    assert resumed.n_iter_ == straight.n_iter_
    np.testing.assert_array_equal(resumed.parameters_.ravel(), straight.parameters_.ravel())
    assert resumed.loss_curve_ == straight.loss_curve_
