"""Files of the estimator: the same model again, whole or not at all, and no code from a file."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from saelib import SparseAutoencoder, storage

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(120, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 30, "random_state": 0, **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_loaded_model_is_the_saved_one(path, dtype, activation):
    model = small(activation=activation, random_state=np.int64(3)).fit(X.astype(dtype))
    model.save(path)
    same = SparseAutoencoder.load(path)
    np.testing.assert_array_equal(same.transform(X), model.transform(X))
    np.testing.assert_array_equal(same.mean_activation_, model.mean_activation_)
    assert same.get_params() == model.get_params()
    for name in ("loss_curve_", "n_iter_", "n_samples_seen_", "converged_", "stop_reason_"):
        assert getattr(same, name) == getattr(model, name)


def test_the_file_holds_arrays_and_json(path):
    small().fit(X).save(path)
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["description"])
        assert {"W1", "W2", "b1", "b2"} <= set(file.keys())
    assert description["hyperparameters"]["n_hidden"] == 4
    assert description["saelib_version"]
    assert description["training"]["n_iter"] == 30


def test_what_a_file_cannot_hold_comes_back_as_none(path):
    small(callback=lambda *_: None, random_state=RNG).fit(X).save(path)
    same = SparseAutoencoder.load(path)
    assert same.callback is None
    assert same.random_state is None


def test_names_of_columns_survive(path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    small().fit(frame).save(path)
    same = SparseAutoencoder.load(path)
    assert list(same.feature_names_in_) == list("abcdef")
    with pytest.raises(ValueError, match="feature names should match"):
        same.transform(frame.rename(columns={"a": "z"}))


def test_a_stream_goes_on_where_it_was_saved(path):
    whole = small(batch_size=20).partial_fit(X[:60])
    whole.save(path)
    halves = SparseAutoencoder.load(path).partial_fit(X[60:])
    whole.partial_fit(X[60:])
    np.testing.assert_array_equal(halves.components_, whole.components_)
    np.testing.assert_array_equal(halves.mean_activation_, whole.mean_activation_)


def test_an_unfitted_model_is_not_saved(path):
    with pytest.raises(ValueError, match="not fitted yet"):
        small().save(path)
    assert not path.exists()


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*model.safetensors"):
        SparseAutoencoder.load(path)


def test_a_file_cut_short_anywhere_is_refused(path):
    small().fit(X).save(path)
    content = path.read_bytes()
    for length in (0, 1, 7, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="not a complete safetensors file"):
            SparseAutoencoder.load(path)


def test_one_changed_byte_anywhere_is_noticed(path):
    small().fit(X).save(path)
    content = path.read_bytes()
    for place in range(8, len(content), len(content) // 60):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            SparseAutoencoder.load(path)


class Bomb:
    """Pickled code that leaves a trace if it is run."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def test_a_pickle_is_refused_and_not_run(path, tmp_path):
    trace = tmp_path / "ran"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        SparseAutoencoder.load(path)
    assert not trace.exists()


def test_files_of_others_are_refused(path):
    save_file({"W1": np.eye(3)}, path)
    with pytest.raises(ValueError, match="holds a file of another program"):
        SparseAutoencoder.load(path)
    storage.write_arrays(path, {"W1": np.eye(3)}, {}, kind="Something")
    with pytest.raises(ValueError, match=r"holds saelib.Something; give a file"):
        SparseAutoencoder.load(path)


def test_a_later_format_asks_for_a_newer_saelib(path, monkeypatch):
    monkeypatch.setattr(storage, "FORMAT_VERSION", 2)
    small().fit(X).save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="Install a newer saelib"):
        SparseAutoencoder.load(path)


def rewritten(path, change):
    """Write the file again, with a sound checksum, after a change of its content."""
    arrays, description = storage.read_arrays(path, kind="SparseAutoencoder")
    change(arrays, description)
    storage.write_arrays(path, arrays, description, kind="SparseAutoencoder")


CHANGES = {
    "an array is missing": lambda arrays, _: arrays.pop("W2"),
    "shapes disagree": lambda arrays, _: arrays.update(b1=np.zeros(9)),
    "mean activations of other units": lambda a, _: a.update(mean_activation=np.zeros(9)),
    "NaN": lambda arrays, _: arrays["W1"].fill(np.nan),
    "unknown activation": lambda _, d: d["network"].update(activation="relu"),
    "unknown hyperparameter": lambda _, d: d["hyperparameters"].update(depth=3),
    "bad hyperparameter": lambda _, d: d["hyperparameters"].update(n_hidden=-1),
    "no training record": lambda _, d: d.pop("training"),
    "no hyperparameters": lambda _, d: d.pop("hyperparameters"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_sound_file_with_senseless_content_is_refused(path, change):
    small().fit(X).save(path)
    rewritten(path, CHANGES[change])
    with pytest.raises(ValueError, match="does not hold a consistent SparseAutoencoder"):
        SparseAutoencoder.load(path)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_crash_while_saving_leaves_the_old_file(path, monkeypatch, failing):
    small().fit(X).save(path)
    before = path.read_bytes()

    def crash(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(storage.os, failing, crash)
    with pytest.raises(OSError, match="the disk is full"):
        small(random_state=1).fit(X).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_resumed_training_equals_the_uninterrupted_one(path, tmp_path):
    settings = {"max_iter": 60, "checkpoint_every": 20}
    whole = small(checkpoint=tmp_path / "whole.safetensors", **settings).fit(X)

    class Killed(Exception):  # noqa: N818 - stands for a process that is gone
        pass

    def kill(iteration, theta):
        if iteration == 47:
            raise Killed

    with pytest.raises(Killed):
        small(checkpoint=path, callback=kill, **settings).fit(X)
    loaded = SparseAutoencoder.load(path)
    assert loaded.n_iter_ == 40
    assert loaded.checkpoint == os.fspath(path)
    resumed = loaded.resume(X)
    assert resumed.n_iter_ == whole.n_iter_ == 60
    assert resumed.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(resumed.components_, whole.components_)
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))


def test_resuming_needs_the_same_data_and_a_checkpoint(path):
    small(checkpoint=path, checkpoint_every=10).fit(X)
    model = SparseAutoencoder.load(path).set_params(max_iter=60)
    with pytest.raises(ValueError, match="is not the data of the interrupted training"):
        model.resume(X[::-1])
    with pytest.raises(ValueError, match="does not come from a training with checkpoints"):
        small().fit(X).resume(X)


def test_a_finished_training_has_nothing_to_resume(path):
    model = small(checkpoint=path, checkpoint_every=10).fit(X)
    before = model.components_.copy()
    np.testing.assert_array_equal(model.resume(X).components_, before)
