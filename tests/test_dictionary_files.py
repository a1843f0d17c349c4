"""Files of `SparseDictionary`, and trainings that stop and go on."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from saelib.codes import BatchTopK, Code, KLSigmoid, L1ReLU, TopK
from saelib.dictionary_training import train_dictionary
from saelib.planted import planted
from saelib.sparse_dictionary import SparseDictionary
from saelib.storage import read_arrays, write_arrays
from saelib.thresholds import Gated, JumpReLU

X = planted(600, n_features=8, n_directions=12, n_active=1.5, seed=0).X
QUICK = {"n_steps": 60, "batch_size": 100}
RULES = [
    KLSigmoid(0.1, 0.5),
    L1ReLU(0.1),
    TopK(2),
    BatchTopK(1.5),
    JumpReLU(0.05, threshold=np.linspace(0.1, 0.2, 12)),
    Gated(0.3),
]
of_every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dictionary.safetensors"


@of_every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loaded_dictionary_is_the_saved_one(path, rule, dtype):
    model = SparseDictionary(12, rule, prefixes=(4, 12), random_state=np.int64(3), **QUICK)
    model.fit(X.astype(dtype)).save(path)
    same = SparseDictionary.load(path)
    np.testing.assert_array_equal(same.transform(X), model.transform(X))
    np.testing.assert_array_equal(same.loss_curve_, model.loss_curve_)
    assert same.components_.dtype == dtype
    assert type(same.rule) is type(rule)
    ours, theirs = model.get_params(), same.get_params()
    assert {**ours, "rule": 0, "prefixes": [4, 12]} == {**theirs, "rule": 0}
    for name, value in vars(rule).items():
        np.testing.assert_array_equal(getattr(same.rule, name), value)
    same.fit(X.astype(dtype))  # and is trained anew as it was
    np.testing.assert_array_equal(same.components_, model.components_)


def test_names_of_features_come_back(path):
    names = [f"number {k}" for k in range(8)]
    SparseDictionary(6, TopK(1), **QUICK).fit(pd.DataFrame(X, columns=names)).save(path)
    assert list(SparseDictionary.load(path).feature_names_in_) == names


def test_a_rule_that_is_code_of_the_user_s_is_not_saved(path):
    def rule(Z):
        return Code(np.maximum(Z, 0), (Z > 0).astype(Z.dtype), 0.0, 0.0)

    model = SparseDictionary(6, rule, **QUICK).fit(X)
    with pytest.raises(ValueError, match="a file holds no code"):
        model.save(path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, _: a.update(W1=a["W1"][:5]), "W2 has shape|n_hidden is 12|b1"),
        (lambda a, _: a.update(mean=a["mean"][:3]), "mean has shape"),
        (lambda a, _: a["b1"].fill(np.nan), "NaN or infinity"),
        (lambda a, _: a.update({"rule_for_use.threshold": np.ones(3)}), "for 12 hidden units"),
        (lambda _, d: d["rule"].update(name="os.system"), "os.system"),
        (lambda _, d: d["rule"]["numbers"].update(sparsity_weight=-1.0), "sparsity_weight is -1"),
        (lambda _, d: d["hyperparameters"].update(n_hidden=3), "n_hidden is 3"),
        (lambda _, d: d["hyperparameters"].update(callback=1), "callback"),
        (lambda _, d: d.update(feature_names_in=["one"]), "does not name the 8 features"),
        (lambda a, _: a.update(loss_curve=a["W1"]), "loss_curve has shape"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(path, change, message):
    SparseDictionary(12, JumpReLU(0.05), random_state=0, **QUICK).fit(X).save(path)
    arrays, description = read_arrays(path, kind="SparseDictionary")
    change(arrays, description)
    write_arrays(path, arrays, description, kind="SparseDictionary")
    with pytest.raises(ValueError, match=rf"consistent SparseDictionary.*({message})"):
        SparseDictionary.load(path)


def test_the_file_holds_arrays_and_json(path):
    SparseDictionary(6, BatchTopK(1.5), **QUICK).fit(X).save(path)
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["description"])
    assert description["rule"] == {"name": "BatchTopK", "numbers": {"k": 1.5}}
    assert description["rule_for_use"]["name"] == "Threshold"


@of_every_rule
@pytest.mark.parametrize("revive_after", [None, 5])
def test_a_training_goes_on_from_a_checkpoint_to_the_last_bit(rule, revive_after):
    states, settings = [], {**QUICK, "seed": 4, "revive_after": revive_after}
    whole = train_dictionary(X, 12, rule, **settings)
    kept = train_dictionary(X, 12, rule, checkpoint=states.append, checkpoint_every=20, **settings)
    np.testing.assert_array_equal(kept.parameters.ravel(), whole.parameters.ravel())
    assert [len(state.costs) for state in states] == [20, 40]
    for state in states:
        resumed = train_dictionary(X, 12, rule, resume=state, **settings)
        np.testing.assert_array_equal(resumed.parameters.ravel(), whole.parameters.ravel())
        np.testing.assert_array_equal(resumed.costs, whole.costs)
        for mine, other in zip(resumed.state, whole.state, strict=True):
            np.testing.assert_array_equal(mine, other)


class Stopping:
    """A rule that is interrupted in its n-th step."""

    def __init__(self, rule, step):
        self.rule, self.left = rule, step

    def __call__(self, Z):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.rule(Z)


def test_an_interrupted_training_returns_what_it_has_and_can_go_on():
    whole = train_dictionary(X, 12, TopK(2), **QUICK)
    stopped = train_dictionary(X, 12, Stopping(TopK(2), 25), **QUICK)
    np.testing.assert_array_equal(stopped.costs, whole.costs[:24])
    resumed = train_dictionary(X, 12, TopK(2), resume=stopped.state, **QUICK)
    np.testing.assert_array_equal(resumed.parameters.ravel(), whole.parameters.ravel())


def test_a_state_goes_through_a_file(path):
    states = []
    whole = train_dictionary(X, 12, TopK(2), checkpoint=states.append, checkpoint_every=30, **QUICK)
    write_arrays(path, states[0]._asdict(), {}, kind="state")
    arrays, _ = read_arrays(path, kind="state")
    resumed = train_dictionary(X, 12, TopK(2), resume=type(states[0])(**arrays), **QUICK)
    np.testing.assert_array_equal(resumed.parameters.ravel(), whole.parameters.ravel())


def test_a_state_of_another_training_is_refused():
    state = train_dictionary(X, 12, TopK(2), **QUICK).state
    with pytest.raises(ValueError, match=r"resume.theta has shape \(212,\)"):
        train_dictionary(X, 16, TopK(2), resume=state, **QUICK)
    with pytest.raises(ValueError, match="60 steps behind it and n_steps is 30"):
        train_dictionary(X, 12, TopK(2), resume=state, batch_size=100, n_steps=30)
    short = state._replace(silent=state.silent[:3])
    with pytest.raises(ValueError, match=r"resume.silent has shape \(3,\)"):
        train_dictionary(X, 12, TopK(2), resume=short, **QUICK)


def test_progress_is_shown_on_demand(capsys, monkeypatch):
    monkeypatch.setattr("saelib.progress._in_notebook", lambda: True)
    train_dictionary(X, 12, TopK(2), **QUICK)
    assert capsys.readouterr().out == ""
    SparseDictionary(12, TopK(2), verbose=True, **QUICK).fit(X)
    assert "60 of 60" in capsys.readouterr().out
