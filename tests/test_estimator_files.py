"""Files of the estimator: the same model again, whole or not at all, and no code from a file."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from saelib import SparseAutoencoder, storage
from saelib.estimator import _fingerprint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3)) @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(120, 6))


def small(**changes):
    return SparseAutoencoder(**{"n_hidden": 4, "max_iter": 30, "random_state": 0, **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "changes",
    [
        {"random_state": np.int64(3), "weight_decay": np.float32(1e-3)},
        {"activation": "tanh", "output_activation": "tanh", "scaling": "global"},
        {"scaling": None, "tol": 1e-3, "early_stopping": True},
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_loaded_model_is_the_saved_one(path, dtype, changes):
    model = small(**changes).fit(X.astype(dtype))
    model.save(path)
    same = SparseAutoencoder.load(path)
    np.testing.assert_array_equal(same.transform(X), model.transform(X))
    np.testing.assert_array_equal(same.mean_activation_, model.mean_activation_)
    assert same.get_params() == model.get_params()
    for name in ("loss_curve_", "n_iter_", "n_samples_seen_", "converged_", "stop_reason_"):
        assert getattr(same, name) == getattr(model, name)


def test_the_file_holds_arrays_and_json(path):
    model = small().fit(X)
    model.save(path)
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["description"])
        assert {"W1", "W2", "b1", "b2"} <= set(file.keys())
    assert description["hyperparameters"]["n_hidden"] == 4
    assert description["saelib_version"]
    assert description["training"]["n_iter"] == 30
    costs = [description["training"][name] for name in ("initial_cost", "final_cost")]
    assert costs == [model.loss_curve_[0], model.loss_curve_[-1]]


def test_a_unit_that_was_on_or_off_for_every_row_can_be_saved(path):
    model = small(scaling=None).partial_fit(X)
    fitted = replace(model._fitted, mean_activation=np.array([0.0, 1.0, 0.5, 0.5]))
    model._fitted = fitted
    model.save(path)
    assert list(SparseAutoencoder.load(path).mean_activation_[:2]) == [0.0, 1.0]


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


# Each with a word of the message that names it.
CHANGES = {
    "an array is missing": (lambda a, _: a.pop("W2"), "W2"),
    "shapes disagree": (lambda a, _: a.update(b1=np.zeros(9)), r"b1 \(9,\)"),
    "no hidden units": (
        lambda a, _: a.update(W1=np.zeros((0, 6)), W2=np.zeros((6, 0)), b1=np.zeros(0)),
        "number of hidden units is 0",
    ),
    "mean activations of other units": (
        lambda a, _: a.update(mean_activation=np.zeros(9)),
        "mean_activation has shape",
    ),
    "a negative mean activation": (
        lambda a, _: a["mean_activation"].fill(-0.1), r"mean_activation .*outside \[0, 1\]",
    ),
    "NaN": (lambda a, _: a["W1"].fill(np.nan), "NaN or infinity"),
    "a negative scale": (lambda a, _: a["scaling.scale"].fill(-1), "not positive"),
    "no costs": (lambda a, _: a.update(loss_curve=np.zeros(0)), "loss_curve has shape"),
    "offset NaN": (lambda _, d: d["network"].update(offset="NaN"), "offset is 'NaN'"),
    "unknown activation": (lambda _, d: d["network"].update(activation="relu"), "relu"),
    "unknown hyperparameter": (lambda _, d: d["hyperparameters"].update(depth=3), "depth"),
    "bad hyperparameter": (lambda _, d: d["hyperparameters"].update(max_iter=-1), "max_iter is -1"),
    "n_hidden unlike W1": (
        lambda _, d: d["hyperparameters"].update(n_hidden=3),
        "n_hidden is 3, but the network has 4",
    ),
    "no training record": (lambda _, d: d.pop("training"), "training"),
    "no hyperparameters": (lambda _, d: d.pop("hyperparameters"), "hyperparameters"),
    "fewer names than features": (lambda _, d: d.update(feature_names_in=["a"]), "6 features"),
    "names that are none": (lambda _, d: d.update(feature_names_in=[1] * 6), "6 features"),
    "a name twice": (lambda _, d: d.update(feature_names_in=[*"abcde", "a"]), "a name twice"),
    "an activation unlike the network's": (
        lambda _, d: d["hyperparameters"].update(activation="tanh"),
        "activation is 'tanh', but the network has 'sigmoid'",
    ),
    "a weight beyond reason": (lambda a, _: a["W1"].fill(1e21), "a weight exceeds"),
    "a number beyond the range of a float": (
        lambda _, d: d["hyperparameters"].update(weight_decay=10**400), "weight_decay is 1000",
    ),
    "more iterations than there can be": (
        lambda _, d: d["training"].update(n_iter=10**400), "n_iter is 1000",
    ),
    "more steps than there can be": (
        lambda a, d: (
            a.update({"adam.mean": np.zeros(58), "adam.mean_square": np.zeros(58)}),
            d["training"].update(adam_steps=10**400),
        ),
        "adam_steps is 1000",
    ),
    "steps of another network": (
        lambda a, d: (
            a.update({"adam.mean": np.zeros(57), "adam.mean_square": np.zeros(58)}),
            d["training"].update(adam_steps=1),
        ),
        "adam.mean has shape",
    ),
    "squares of another network": (
        lambda a, d: (
            a.update({"adam.mean": np.zeros(58), "adam.mean_square": np.zeros(57)}),
            d["training"].update(adam_steps=1),
        ),
        "adam.mean_square has shape",
    ),
    "a start of another network": (
        lambda a, d: (
            a.update({"resume.theta": np.zeros(57)}),
            d["training"].update(data_fingerprint="x", resume_at=3),
        ),
        "resume.theta has shape",
    ),
    "a shift of other features": (
        lambda a, _: a.update({"scaling.shift": np.zeros(5)}), "scaling.shift has shape",
    ),
    "a scale of other features": (
        lambda a, _: a.update({"scaling.scale": np.ones(5)}), "scaling.scale has shape",
    ),
    "negative iterations": (lambda _, d: d["training"].update(n_iter=-1), "n_iter is -1"),
    "broken iterations": (lambda _, d: d["training"].update(n_iter=1e300), "n_iter is 1e"),
    "negative rows": (lambda _, d: d["training"].update(n_samples_seen=-1), "n_samples_seen is"),
    "negative steps": (
        lambda a, d: (
            a.update({"adam.mean": np.zeros(58), "adam.mean_square": np.zeros(58)}),
            d["training"].update(adam_steps=-1),
        ),
        "adam_steps is -1",
    ),
    "negative squares": (
        lambda a, d: (
            a.update({"adam.mean": np.zeros(58), "adam.mean_square": -np.ones(58)}),
            d["training"].update(adam_steps=1),
        ),
        "adam.mean_square",
    ),
    "resuming beyond the end": (
        lambda _, d: d["training"].update(data_fingerprint="x", resume_at=99), "resume_at is 99",
    ),
    "resuming beyond the costs": (
        lambda _, d: d["training"].update(data_fingerprint="x", n_iter=99, resume_at=31),
        "resume_at is 31",
    ),
    "resuming from nowhere": (
        lambda _, d: d["training"].update(data_fingerprint="x", resume_at=3), "are missing",
    ),
    "converged in words": (lambda _, d: d["training"].update(converged="no"), "converged is 'no'"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_sound_file_with_senseless_content_is_refused(path, change):
    small().fit(X).save(path)
    alter, word = CHANGES[change]
    rewritten(path, alter)
    with pytest.raises(ValueError, match=f"does not hold a consistent SparseAutoencoder.*{word}"):
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


def test_a_loaded_checkpoint_writes_where_it_was_loaded_from(path, tmp_path):
    """Not where the file says, or it could choose what to overwrite."""
    small(checkpoint=path, checkpoint_every=10).fit(X)
    moved = path.rename(tmp_path / "moved.safetensors")
    model = SparseAutoencoder.load(moved)
    assert model.checkpoint == os.fspath(moved)
    model.set_params(max_iter=40).resume(X)
    assert not path.exists()
    assert SparseAutoencoder.load(moved).n_iter_ == 40


def test_a_network_of_another_size_than_n_hidden_is_not_saved(path):
    model = small().fit(X).set_params(n_hidden=9)
    with pytest.raises(ValueError, match="n_hidden is 9, but the fitted network has 4"):
        model.save(path)


def test_the_same_data_means_the_same_shape_and_dtype(path):
    data = np.zeros((60, 4))
    data[:30] = 1
    small(checkpoint=path, checkpoint_every=10, max_iter=10).fit(data)
    for other in (data.astype(np.float32), data[:59]):
        model = SparseAutoencoder.load(path).set_params(max_iter=20)
        with pytest.raises(ValueError, match="is not the data of the interrupted training"):
            model.resume(other)
    assert _fingerprint(np.zeros((2, 3))) != _fingerprint(np.zeros((3, 2)))
    assert _fingerprint(np.zeros(4)[None]) != _fingerprint(np.zeros(8, np.float32)[None])


def test_resuming_needs_the_same_data_and_a_checkpoint(path):
    small(checkpoint=path, checkpoint_every=10).fit(X)
    model = SparseAutoencoder.load(path).set_params(max_iter=60)
    with pytest.raises(ValueError, match="is not the data of the interrupted training"):
        model.resume(X[::-1])
    with pytest.raises(ValueError, match="does not come from a training with checkpoints"):
        small().fit(X).resume(X)
    with pytest.raises(ValueError, match=r"checkpoint is None.*set checkpoint to a path"):
        model.set_params(checkpoint=None).resume(X)


def test_a_finished_training_has_nothing_to_resume(path):
    model = small(checkpoint=path, checkpoint_every=10).fit(X)
    before = model.components_.copy()
    np.testing.assert_array_equal(model.resume(X).components_, before)


def test_after_a_stream_there_is_nothing_to_resume_and_steps_are_counted_on(path):
    seen = []
    model = small(checkpoint=path, max_iter=10, checkpoint_every=5).fit(X)
    again = SparseAutoencoder.load(path)
    again.set_params(max_iter=12, callback=lambda i, theta: seen.append(i)).resume(X)
    assert seen == [11, 12]
    with pytest.raises(ValueError, match="does not come from a training with checkpoints"):
        model.partial_fit(X).resume(X)
