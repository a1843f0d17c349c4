"""Training: the result, its record, and the ways in which a training can end."""

import io
import re
import sys
import types

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from saelib import Parameters, SparseObjective, _blas, train
from saelib import training as training_module
from saelib.progress import progress_bar, show_cost
from saelib.training import _Recorder

METHODS = ["l-bfgs", "gradient-descent"]


def problem(dtype=np.float64, **options):
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(120, 6)).astype(dtype)
    objective = SparseObjective(X, 3, **{"sparsity_target": 0.1, **options})
    return objective, Parameters.random(6, 3, seed=1).ravel()


def quiet(objective, theta0, **options):
    return train(objective, theta0, progress=False, **options)


# --- the result ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_history_is_what_the_objective_says_at_every_step(method):
    objective, theta0 = problem()
    points = [theta0]
    result = quiet(
        objective, theta0, method=method, max_iter=12,
        callback=lambda iteration, theta: points.append(theta),
    )  # fmt: skip
    assert result.n_iterations == 12 == len(points) - 1
    assert set(result.history) == {
        "total", "reconstruction", "weight_decay", "sparsity", "gradient_norm",
    }  # fmt: skip
    for k, theta in enumerate(points):
        terms, gradient = objective.evaluate(theta)
        assert {name: values[k] for name, values in result.history.items()} == {
            **terms._asdict(),
            "total": terms.total,
            "gradient_norm": np.linalg.norm(gradient),
        }
    assert np.array_equal(result.theta, points[-1])
    assert result.cost == result.history["total"][-1] == objective(result.theta)[0]
    assert np.array_equal(result.parameters.ravel(), result.theta)
    assert result.n_evaluations >= result.n_iterations + 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_cost_falls_at_every_step(method, dtype):
    objective, theta0 = problem(dtype)
    total = quiet(objective, theta0, method=method, max_iter=20).history["total"]
    assert np.all(np.diff(total) < 0)


@pytest.mark.equation("gradient-descent")
def test_gradient_descent_steps_against_the_gradient():
    objective, theta0 = problem()
    result = quiet(objective, theta0, method="gradient-descent", max_iter=2, learning_rate=0.3)
    theta1 = theta0 - 0.3 * objective(theta0)[1]
    theta2 = theta1 - 0.3 * objective(theta1)[1]
    assert result.theta == pytest.approx(theta2, rel=1e-12)
    assert result.n_evaluations == 3
    assert not result.converged


def test_l_bfgs_reaches_a_point_where_the_gradient_vanishes():
    objective, theta0 = problem(weight_decay=0.1)
    result = quiet(objective, theta0, max_iter=2000)
    assert result.converged
    assert "convergence" in result.message
    assert np.linalg.norm(objective(result.theta)[1]) < 1e-4
    assert result.n_iterations < 2000


def test_l_bfgs_gets_further_than_gradient_descent():
    objective, theta0 = problem()
    costs = [quiet(objective, theta0, method=method, max_iter=50).cost for method in METHODS]
    assert costs[0] < costs[1]


@pytest.mark.parametrize("method", METHODS)
def test_running_out_of_iterations_is_not_convergence(method):
    objective, theta0 = problem()
    result = quiet(objective, theta0, method=method, max_iter=3)
    assert (result.n_iterations, result.converged) == (3, False)
    assert "iterations" in result.message
    assert all(len(values) == 4 for values in result.history.values())


def test_examples_in_columns_are_recognized_by_the_length_of_the_start():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(6, 50))
    with pytest.raises(ValueError, match=r"theta0 has .* if they are the columns of X, give X\.T"):
        train(SparseObjective(X, 3), Parameters.random(6, 3, seed=0).ravel())


@pytest.mark.parametrize("method", METHODS)
def test_no_iterations_give_back_the_start(method):
    objective, theta0 = problem()
    result = quiet(objective, theta0, method=method, max_iter=0)
    assert np.array_equal(result.theta, theta0)
    assert (result.n_iterations, result.n_evaluations, result.converged) == (0, 1, False)
    assert result.cost == objective(theta0)[0]
    assert result.message == "no iterations were asked for"


def test_the_starting_point_is_not_changed():
    objective, theta0 = problem()
    before = theta0.copy()
    quiet(objective, theta0, max_iter=5)
    assert np.array_equal(theta0, before)


def test_training_twice_gives_the_same_bits():
    objective, theta0 = problem()
    first, again = (quiet(objective, theta0, max_iter=30) for _ in range(2))
    assert np.array_equal(first.theta, again.theta)


@pytest.mark.parametrize("method", METHODS)
def test_one_thread_and_two_give_the_same_bits(method, monkeypatch):
    """More than 10,000 parameters: from there on OpenBLAS splits the optimizer's dot products."""
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(2600, 120))
    objective = SparseObjective(X, 60, sparsity_target=0.1)
    theta0 = Parameters.random(120, 60, seed=1).ravel()
    monkeypatch.setattr(_blas, "available_cores", lambda: 2)
    results = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            results.append(quiet(objective, theta0, method=method, max_iter=6))
    assert np.array_equal(results[0].theta, results[1].theta)
    for name, values in results[0].history.items():
        assert np.array_equal(values, results[1].history[name])


@pytest.mark.parametrize("method", METHODS)
def test_a_callback_that_changes_its_theta_changes_nothing(method):
    objective, theta0 = problem()

    def callback(iteration, theta):
        theta[:] = 99.0

    plain = quiet(objective, theta0, method=method, max_iter=5)
    meddled = quiet(objective, theta0, method=method, max_iter=5, callback=callback)
    assert np.array_equal(plain.theta, meddled.theta)


def test_gradient_descent_that_diverges_stops_and_says_what_to_do():
    objective, theta0 = problem(output_activation="linear")
    result = quiet(objective, theta0, method="gradient-descent", learning_rate=1e3)
    assert not result.converged
    assert re.search("no longer finite at step .*; lower learning_rate", result.message)
    assert not np.isfinite(result.cost)


# --- ways to end --------------------------------------------------------------------------


def raise_at(n, error):
    calls = []

    def callback(*args):
        calls.append(args)
        if len(calls) == n:
            raise error

    return callback


def assert_stopped_after(result, n, objective):
    assert (result.n_iterations, result.converged) == (n, False)
    assert all(len(values) == n + 1 for values in result.history.values())
    assert result.cost == objective(result.theta)[0] == result.history["total"][-1]


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_in_the_callback_returns_what_there_is(method):
    objective, theta0 = problem()
    result = quiet(
        objective, theta0, method=method, callback=raise_at(4, KeyboardInterrupt)
    )  # fmt: skip
    assert_stopped_after(result, 4, objective)
    assert result.message == "interrupted"


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_during_an_evaluation_returns_what_there_is(method, monkeypatch):
    objective, theta0 = problem()
    evaluate, interrupt = objective.evaluate, raise_at(6, KeyboardInterrupt)

    def interrupted(theta):
        interrupt()
        return evaluate(theta)

    monkeypatch.setattr(objective, "evaluate", interrupted)
    result = quiet(objective, theta0, method=method)
    monkeypatch.undo()
    assert 1 <= result.n_iterations <= 5
    assert_stopped_after(result, result.n_iterations, objective)
    assert result.message == "interrupted"


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_while_a_step_is_recorded_leaves_a_consistent_result(method, monkeypatch):
    objective, theta0 = problem()
    # Called once for the start and once for every step, after the step is in the record.
    monkeypatch.setattr("saelib.training.show_cost", raise_at(5, KeyboardInterrupt))
    assert_stopped_after(quiet(objective, theta0, method=method), 4, objective)


def test_ctrl_c_between_a_row_and_its_point_leaves_a_consistent_result(monkeypatch):
    """The record gets a row first and its point second; whoever strikes between is caught out."""
    objective, theta0 = problem()

    class Rows(list):
        def append(self, row):
            super().append(row)
            if len(self) == 5:
                raise KeyboardInterrupt

    original = _Recorder.__init__

    def with_rows(self, *args):
        original(self, *args)
        self.rows = Rows()

    monkeypatch.setattr(_Recorder, "__init__", with_rows)
    assert_stopped_after(quiet(objective, theta0), 3, objective)


def test_the_blas_limit_of_the_caller_is_restored_after_every_end():
    objective, theta0 = problem()

    def limits():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = limits()
        for error in (KeyboardInterrupt, StopIteration):
            quiet(objective, theta0, callback=raise_at(2, error))
            assert limits() == before
        with pytest.raises(ZeroDivisionError):
            quiet(objective, theta0, callback=raise_at(2, ZeroDivisionError))
        assert limits() == before


@pytest.mark.parametrize("method", METHODS)
def test_stop_iteration_in_the_callback_ends_the_training(method):
    objective, theta0 = problem()
    result = quiet(objective, theta0, method=method, callback=raise_at(3, StopIteration))
    assert_stopped_after(result, 3, objective)
    assert result.message == "stopped by the callback"


@pytest.mark.parametrize("method", METHODS)
def test_other_errors_in_the_callback_are_passed_on(method):
    objective, theta0 = problem()
    with pytest.raises(ZeroDivisionError):
        quiet(objective, theta0, method=method, callback=raise_at(2, ZeroDivisionError))


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "adam"}, ValueError, "method is 'adam'; choose one of 'l-bfgs'"),
        ({"max_iter": -1}, ValueError, "max_iter is -1; it must be at least 0"),
        ({"max_iter": 1.5}, TypeError, r"max_iter is 1\.5 of type float"),
        ({"learning_rate": 0}, ValueError, "learning_rate is 0"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate is 'fast' of type str"),
        ({"theta0": np.zeros(5)}, ValueError, r"theta0 has shape \(5,\); .* needs \(45,\)"),
        ({"theta0": np.full(45, np.nan)}, ValueError, "theta0 holds NaN or infinity"),
    ],
)
def test_bad_input_is_refused(options, error, message):
    objective, theta0 = problem()
    with pytest.raises(error, match=message):
        quiet(objective, **{"theta0": theta0, **options})


# --- the progress bar ---------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def in_a_notebook(monkeypatch):
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)


def last_line(text):
    """Return what is left to see: a carriage return starts the line again."""
    return text.strip().splitlines()[-1].split("\r")[-1]


def test_the_bar_does_not_change_the_result(monkeypatch):
    objective, theta0 = problem()
    monkeypatch.setattr(sys, "stderr", Terminal())
    shown = train(objective, theta0, max_iter=20, progress=True)
    assert np.array_equal(shown.theta, quiet(objective, theta0, max_iter=20).theta)


@pytest.mark.parametrize(
    ("method", "label"), [("l-bfgs", "L-BFGS"), ("gradient-descent", "Gradient descent")]
)
def test_the_bar_in_a_terminal_shows_method_iterations_and_cost(method, label, monkeypatch):
    objective, theta0 = problem()
    monkeypatch.setattr(sys, "stderr", Terminal())
    result = train(objective, theta0, method=method, max_iter=20)
    line = last_line(sys.stderr.getvalue())
    assert line.startswith(f"{label}: 100%")
    assert "20/20" in line
    assert f"J = {result.cost:.2g}" in line


def test_no_bar_is_written_to_a_file(monkeypatch, capsys):
    objective, theta0 = problem()
    train(objective, theta0, max_iter=5)
    assert capsys.readouterr() == ("", "")


def test_no_bar_is_written_when_none_is_wanted(monkeypatch, in_a_notebook, capsys):
    objective, theta0 = problem()
    monkeypatch.setattr(sys, "stderr", Terminal())
    quiet(objective, theta0, max_iter=5)
    assert sys.stderr.getvalue() == capsys.readouterr().out == ""


@pytest.mark.usefixtures("in_a_notebook")
def test_the_bar_in_a_notebook_holds_nothing_that_changes_from_run_to_run(capsys):
    objective, theta0 = problem()
    result = train(objective, theta0, max_iter=20)
    captured = capsys.readouterr()
    bar = "█" * 8
    assert last_line(captured.out) == f"L-BFGS |{bar}| 20 of 20, J = {result.cost:.2g}"
    assert captured.err == ""


@pytest.mark.usefixtures("in_a_notebook")
def test_the_bar_of_an_interrupted_training_stops_where_the_training_did(capsys):
    objective, theta0 = problem()
    train(objective, theta0, max_iter=20, callback=raise_at(5, KeyboardInterrupt))
    assert "| 5 of 20, J = " in last_line(capsys.readouterr().out)


def test_ipython_without_a_notebook_kernel_counts_as_a_terminal(monkeypatch):
    shell = types.SimpleNamespace(config={})
    monkeypatch.setitem(
        sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell)
    )  # fmt: skip
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar("L-BFGS", total=1, enabled=True) as bar:
        show_cost(bar, 0.5)
        bar.update()
    assert "1/1" in last_line(sys.stderr.getvalue())


def test_l_bfgs_gets_our_settings_and_no_evaluation_more_than_it_asks_for(monkeypatch):
    seen, evaluations = [], []
    original = training_module.minimize

    def watched(*args, **options):
        seen.append(options["options"])
        result = original(*args, **options)
        evaluations.append(result.nfev)
        return result

    monkeypatch.setattr(training_module, "minimize", watched)
    objective, theta0 = problem()
    found = quiet(objective, theta0, max_iter=2)
    quiet(objective, theta0, max_iter=2, tol=1e-3)
    assert found.n_evaluations == 1 + evaluations[0]  # the first of them for the history
    assert [options["maxcor"] for options in seen] == [20, 20]
    assert [options["ftol"] for options in seen] == [1e-12, 1e-3]
