"""The checkers hold whatever they are given, and what they advise can be obeyed."""

import io
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from saelib import exercises
from saelib.exercises import check_mean_activation, check_number, check_sigmoid
from saelib.exercises._run import call


def sigmoid(z):
    return 1 / (1 + np.exp(z))


def test_the_call_that_a_verdict_advises_works_as_it_stands():
    text = str(check_sigmoid(sigmoid))
    advice = text.partition("A second hint: ")[2].partition(". In")[0]
    assert advice == "check_sigmoid(sigmoid).hint(2)"
    assert eval(advice).startswith("The exponential must die out")


def test_the_call_names_what_the_learner_typed():
    mine = lambda z: 1 / (1 + np.exp(z))  # noqa: E731
    assert check_sigmoid(mine).call == "check_sigmoid(mine)"
    wrong = exercises.wrong_answer("kl_gradient", "sign")
    advice = exercises.check_kl_gradient(wrong).call
    assert eval(advice, vars(exercises)).mistakes == ("sign",)
    answer = 10000
    assert check_number("parameters-100-50", answer).call == (
        'check_number("parameters-100-50", answer)'
    )
    assert check_number("parameters-100-50", 10150.0).call == (
        'check_number("parameters-100-50", 10150.0)'
    )


def test_a_method_is_named_by_its_object():
    class Network:
        def sigmoid(self, z):
            return 1 / (1 + np.exp(z))

    network = Network()
    assert check_sigmoid(network.sigmoid).call == "check_sigmoid(network.sigmoid)"


def test_no_call_is_invented_for_what_has_no_name():
    verdict = check_sigmoid(lambda z: 1 / (1 + np.exp(z)))
    assert verdict.call == ""
    assert "lambda" not in str(verdict)
    assert "put .hint(2) behind the call" in str(verdict)


def unwritten(z):
    raise NotImplementedError


def test_another_stub_is_named_as_that_stub():
    def mean(A):
        return unwritten(A).mean(axis=0)

    verdict = check_mean_activation(mean)
    assert str(verdict).startswith("○ mean_activation: waits for unwritten.")
    assert "unwritten still raises NotImplementedError" in str(verdict)
    assert not verdict.written


def test_a_library_that_has_not_implemented_something_is_not_a_stub():
    inside = {}
    source = "def refuse(A):\n    raise NotImplementedError('no sparse arrays')\n"
    exec(compile(source, np.__file__, "exec"), inside)
    verdict = check_mean_activation(inside["refuse"])
    assert verdict.mistakes == ("raises",)
    assert "no sparse arrays" in str(verdict)


class Tensor:
    """What a tensor that requires a gradient does when numpy asks it for its numbers."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def detach(self):
        return self.values


def test_a_tensor_that_requires_a_gradient_is_read_all_the_same():
    assert check_mean_activation(lambda A: Tensor(A.mean(axis=0))).correct
    assert check_number("parameters-100-50", Tensor(np.array(10150.0))).correct


def test_whatever_cannot_be_read_is_said_to_be_no_numbers():
    class Odd:
        def __array__(self, dtype=None, copy=None):
            raise KeyError("odd")

    for value in (Odd(), "0.5", 0.5 + 5j, [["a", 1]], np.array(["1.0"]), {1: 2}):
        assert check_mean_activation(lambda A, v=value: v).mistakes == ("not-numbers",)


def test_the_text_of_a_number_is_no_number_and_neither_is_a_complex_one():
    cost = exercises.wrong_answer("cost")
    assert exercises.check_cost(lambda *a: str(cost(*a))).mistakes == ("not-numbers",)
    assert exercises.check_cost(lambda *a: cost(*a) + 5j).mistakes == ("not-numbers",)
    assert "complex number" in str(exercises.check_cost(lambda *a: cost(*a) + 5j))
    assert check_number("parameters-100-50", "10150").mistakes == ("not-numbers",)


def test_an_error_that_cannot_show_itself_is_reported_by_its_kind():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    def function(A):
        raise MuteError

    assert "MuteError" in str(check_mean_activation(function))


def test_a_reused_buffer_is_right():
    buffer = np.empty(100)

    def mean(A):
        out = buffer[: A.shape[1]]
        np.mean(A, axis=0, out=out)
        return out

    assert all(check_mean_activation(mean, seed=seed).correct for seed in range(5))


def test_an_input_that_is_put_back_up_to_rounding_is_not_spoiled():
    def gradient(f, theta, step):
        out = np.empty_like(theta)
        for i in range(len(theta)):
            theta[i] += step
            above = f(theta)
            theta[i] -= 2 * step
            out[i] = (above - f(theta)) / (2 * step)
            theta[i] += step
        return out

    assert all(
        exercises.check_numerical_gradient(gradient, seed=seed).correct for seed in range(20)
    )


@pytest.mark.parametrize("limit", [0, -1, None, "5", np.inf, np.nan, [1]])
def test_a_time_limit_that_is_none_is_refused(limit):
    for checker in (check_mean_activation, exercises.check_sample_patches):
        with pytest.raises(ValueError, match=r"time_limit is .*; it must be a number of seconds"):
            checker(np.mean, time_limit=limit)


def endless(A):
    while True:
        time.sleep(0.001)


def running():
    return [thread for thread in threading.enumerate() if "(work)" in thread.name]


def ended(threads, patience=5.0):
    end = time.monotonic() + patience
    while any(thread.is_alive() for thread in threads) and time.monotonic() < end:
        time.sleep(0.01)
    return not any(thread.is_alive() for thread in threads)


def test_an_endless_function_does_not_run_on_after_its_time():
    assert check_mean_activation(endless, time_limit=0.2).mistakes == ("too-slow",)
    assert ended(running())


def test_an_endless_function_does_not_run_on_after_ctrl_c(monkeypatch):
    seen = []

    def interrupted(self, timeout=None):
        seen.append(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", interrupted)
        with pytest.raises(KeyboardInterrupt):
            check_mean_activation(endless)
    assert ended(seen)


def test_time_is_limited_where_no_thread_can_start(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    tracer = sys.gettrace()
    assert check_mean_activation(endless, time_limit=0.2).mistakes == ("too-slow",)
    assert sys.gettrace() is tracer
    assert check_mean_activation(lambda A: A.mean(axis=0)).correct
    assert call(sigmoid, (0.0,), 1.0) == 0.5


def test_a_verdict_can_be_printed_to_an_encoding_without_greek(monkeypatch):
    verdicts = [
        check_sigmoid(sigmoid),
        exercises.check_sparse_gradient(exercises.wrong_answer("sparse_gradient", "halved")),
        exercises.check_sparse_gradient(exercises.wrong_answer("sparse_gradient", "tanh-slope")),
        exercises.check_sigmoid(exercises.wrong_answer("sigmoid")),
        exercises.check_sigmoid(unwritten),
    ]
    for encoding in ("cp1252", "ascii", "latin-1"):
        pipe = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", pipe)
        for verdict in verdicts:
            print(verdict)
            print(repr(verdict))
        monkeypatch.undo()


def test_a_verdict_can_be_printed_to_a_real_pipe_of_that_encoding():
    program = (
        "from saelib.exercises import *\n"
        "print(check_sparse_gradient(wrong_answer('sparse_gradient', 'output-slope-missing')))"
    )
    result = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program],
        env={"PYTHONIOENCODING": "cp1252", "PYTHONPATH": "."},
        capture_output=True,
        check=True,
    )
    assert b"delta3 lacks the factor" in result.stdout


def test_one_result_is_one_result():
    verdict = exercises.check_gradient(lambda *a: 1.0)
    assert "1 result;" in str(verdict)
    assert "1 results" not in str(verdict)


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_there_is_a_first_word_at_once_for_somebody_who_sits_there(monkeypatch):
    def mean_activation(A):
        total = A.sum(axis=0)
        return total / (len(A) + 1)

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    assert not check_mean_activation(mean_activation, seed=0).correct
    word, _, rest = screen.getvalue().partition("\r")
    assert word == "✗ mean_activation: not right yet. Looking for the line ..."
    assert rest == " " * len(word) + "\r"


def test_nothing_is_said_before_the_verdict_to_a_pipe_or_about_a_known_mistake(monkeypatch):
    def mean_activation(A):
        return A.sum(axis=0) / (len(A) + 1)

    pipe, screen = io.StringIO(), Screen()
    monkeypatch.setattr(sys, "stderr", pipe)
    check_mean_activation(mean_activation, seed=0)
    monkeypatch.setattr(sys, "stderr", screen)
    check_sigmoid(sigmoid, seed=0)
    assert pipe.getvalue() == screen.getvalue() == ""


def test_a_first_word_in_a_notebook_vanishes_and_is_not_said_to_a_program(monkeypatch):
    import IPython

    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    class Shell:
        def __init__(self, person):
            self.person = person

        def get_parent(self):
            return {"content": {"allow_stdin": self.person}}

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    for person in (False, True):
        monkeypatch.setattr(IPython, "get_ipython", lambda person=person: Shell(person))
        check_mean_activation(lambda A: A.sum(axis=0) / (len(A) + 1), seed=0)
        assert len(shown) == (2 if person else 0)
    assert shown[0].endswith("Looking for the line ...")
    assert shown[1] == ""
