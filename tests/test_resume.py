"""However a training ends, what it leaves belongs together, and resuming gives the same bits."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from saelib import Parameters, SparseAutoencoder, SparseObjective, train

pytestmark = pytest.mark.xdist_group("whole-training")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4)) @ RNG.normal(size=(4, 6))
SETTINGS = {"n_hidden": 4, "max_iter": 30, "checkpoint_every": 10, "random_state": 0}


class PowerCutError(Exception):
    """Stands for a process that is gone."""


def ending_at(step, error):
    def callback(iteration, theta):
        if iteration == step:
            raise error

    return callback


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run"
    return SparseAutoencoder(checkpoint=path, **SETTINGS).fit(X)


@pytest.mark.parametrize("error", [StopIteration, KeyboardInterrupt, PowerCutError])
@pytest.mark.parametrize("step", [1, 9, 10, 11, 15, 20, 29])
def test_a_resumed_training_is_the_uninterrupted_one_wherever_it_ended(
    whole, tmp_path, step, error
):
    path = tmp_path / "run"
    model = SparseAutoencoder(checkpoint=path, callback=ending_at(step, error), **SETTINGS)
    if error is StopIteration:
        model.fit(X)
    elif error is KeyboardInterrupt:
        with pytest.warns(ConvergenceWarning, match=f"interrupted after {step} of 30"):
            model.fit(X)
    else:
        with pytest.raises(PowerCutError):
            model.fit(X)
        if step <= 10:
            assert not path.exists()
            return
    resumed = [SparseAutoencoder.load(path)]
    if error is not PowerCutError:
        assert model.n_iter_ == step == len(model.loss_curve_) - 1
        assert resumed[0].n_iter_ == step
        np.testing.assert_array_equal(resumed[0].components_, model.components_)
        resumed.append(model.set_params(callback=None))
    for same in resumed:
        same.resume(X)
        assert same.n_iter_ == 30
        assert same.loss_curve_ == whole.loss_curve_
        np.testing.assert_array_equal(same.parameters_.ravel(), whole.parameters_.ravel())
        np.testing.assert_array_equal(same.mean_activation_, whole.mean_activation_)


def test_a_training_can_be_resumed_twice_and_be_made_longer(whole, tmp_path):
    path = tmp_path / "run"
    model = SparseAutoencoder(checkpoint=path, **{**SETTINGS, "max_iter": 14}).fit(X)
    model = SparseAutoencoder.load(path).set_params(max_iter=23).resume(X)
    assert model.n_iter_ == 23
    model = SparseAutoencoder.load(path).set_params(max_iter=30).resume(X)
    assert model.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(model.parameters_.ravel(), whole.parameters_.ravel())


@pytest.mark.parametrize("error", [StopIteration, KeyboardInterrupt])
def test_a_stop_at_a_checkpoint_is_a_stop(error):
    objective = SparseObjective(np.random.default_rng(0).uniform(0.1, 0.9, size=(50, 4)), 2)
    calls = []
    result = train(
        objective, Parameters.random(4, 2, seed=0).ravel(), max_iter=50, progress=False,
        checkpoint=calls.append, checkpoint_every=10, callback=ending_at(10, error),
    )  # fmt: skip
    assert result.n_iterations == 10
    assert result.reason == {StopIteration: "callback", KeyboardInterrupt: "interrupted"}[error]
    assert calls == []


@pytest.mark.parametrize("method", ["l-bfgs", "gradient-descent"])
def test_checkpoints_get_the_result_so_far_and_lead_to_the_same_end(method):
    objective = SparseObjective(np.random.default_rng(0).uniform(0.1, 0.9, size=(50, 4)), 2)
    options = {"method": method, "progress": False, "checkpoint_every": 5}
    seen = []
    theta0 = Parameters.random(4, 2, seed=0).ravel()
    result = train(objective, theta0, max_iter=14, checkpoint=seen.append, **options)
    assert [(part.n_iterations, part.reason) for part in seen] == [
        (5, "checkpoint"),
        (10, "checkpoint"),
    ]
    assert (result.n_iterations, result.reason) == (14, "max_iter")
    assert len(result.history["total"]) == 15
    for part in seen:
        assert part.cost == result.history["total"][part.n_iterations]
        rest = train(
            objective, part.theta, max_iter=14 - part.n_iterations,
            checkpoint=lambda result: None, **options,
        )  # fmt: skip
        assert np.array_equal(rest.theta, result.theta)


def test_an_interrupt_while_a_checkpoint_is_written_ends_the_training(tmp_path, monkeypatch):
    model = SparseAutoencoder(checkpoint=tmp_path / "run", **SETTINGS)
    saves = []

    def save(path):
        saves.append(path)
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(model, "save", save)
    with pytest.warns(ConvergenceWarning, match="interrupted after 20 of 30"):
        model.fit(X)
    assert model.n_iter_ == 20


@pytest.mark.parametrize("place", ["missing/run", "file/run", "."])
def test_a_place_where_no_checkpoint_can_be_is_an_error_before_the_first_step(tmp_path, place):
    (tmp_path / "file").write_text("")
    steps = []
    model = SparseAutoencoder(
        checkpoint=tmp_path / place, callback=lambda *step: steps.append(step), **SETTINGS
    )
    with pytest.raises((OSError, ValueError), match=r"^checkpoint is '"):
        model.fit(X)
    assert steps == []


def test_a_fit_that_fails_changes_nothing():
    model = SparseAutoencoder(n_hidden=2, max_iter=5, random_state=0).fit(X[:, :3])
    before = vars(model).copy()
    with pytest.raises(ZeroDivisionError):
        model.set_params(callback=ending_at(2, ZeroDivisionError)).fit(X)
    model.set_params(callback=None)
    assert vars(model) == before
    assert model.n_features_in_ == 3
    with pytest.raises(ValueError, match="learning_rate is 1e"):
        model.set_params(learning_rate=1e30).partial_fit(X[:, :3])
    assert (model.n_iter_, len(model.loss_curve_)) == (5, 6)
    assert vars(model)["_fitted"] is before["_fitted"]


def test_a_fit_after_a_stream_starts_the_optimizer_of_streams_afresh():
    model = SparseAutoencoder(n_hidden=3, max_iter=5, random_state=0)
    fresh = SparseAutoencoder(n_hidden=3, max_iter=5, random_state=0).fit(X).partial_fit(X)
    model.partial_fit(X).fit(X).partial_fit(X)
    np.testing.assert_array_equal(model.parameters_.ravel(), fresh.parameters_.ravel())


def test_a_copy_of_a_stream_goes_its_own_way():
    import copy

    first = SparseAutoencoder(n_hidden=3, random_state=0).partial_fit(X)
    second, third = copy.deepcopy(first), copy.copy(first)
    second.partial_fit(X)
    third.partial_fit(X[:5])
    first.partial_fit(X)
    assert len(first.loss_curve_) == first.n_iter_ == 2
    assert first.loss_curve_ == second.loss_curve_
    assert first.loss_curve_[0] == third.loss_curve_[0]
    assert first.loss_curve_[1] != third.loss_curve_[1]


REAL_INTERRUPTS = """
    import faulthandler, random, signal, sys, time, warnings
    import numpy as np
    from threadpoolctl import threadpool_info, threadpool_limits
    from saelib import SparseAutoencoder, _blas

    faulthandler.dump_traceback_later(240, exit=True)
    warnings.simplefilter("ignore")

    def blas_threads():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    class Interrupt(KeyboardInterrupt):
        pass

    def strike(*_):
        raise Interrupt

    _blas.available_cores = lambda: 2
    threadpool_limits(2, user_api="blas")
    X = np.random.default_rng(0).normal(size=(300, 5))
    model = SparseAutoencoder(n_hidden=3, max_iter=8, random_state=0)
    before, rng = blas_threads(), random.Random(0)
    durations = []
    for _ in range(3):
        started = time.perf_counter()
        model.fit(X)
        durations.append(time.perf_counter() - started)
    model = SparseAutoencoder(n_hidden=3, max_iter=8, random_state=0)
    signal.signal(signal.SIGALRM, strike)
    changed = torn = fits = 0
    for k in range(300):
        data = X[:, : 3 + k % 3]
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 2 * min(durations)))
            try:
                (model.partial_fit if k % 3 == k % 2 == 0 else model.fit)(data)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except (Interrupt, ValueError):
            pass
        changed += blas_threads() != before
        if hasattr(model, "network_"):
            fits += 1
            n = model.n_features_in_
            torn += model.components_.shape != (3, n) or len(model.scaling_.shift) != n
            torn += len(model.loss_curve_) not in (model.n_iter_, model.n_iter_ + 1)
            if "partial_fit" not in model.stop_reason_:
                right = model.network_.mean_activation(X[:, :n])
                torn += not np.array_equal(right, model.mean_activation_)
    print(changed, torn, fits > 10)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_interrupts_at_random_moments_leave_no_half_fitted_estimator():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REAL_INTERRUPTS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "0 0 True\n"), done.stderr
