"""Work in several threads: in order, once, and with the errors where they belong."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from saelib._parallel import map_in_order, map_in_two_steps

pytestmark = pytest.mark.xdist_group("threads")


@pytest.mark.parametrize("n_threads", [1, 2, 4, 40])
def test_map_in_order_keeps_the_order(n_threads):
    assert map_in_order(lambda k: k * k, range(20), n_threads) == [k * k for k in range(20)]
    assert map_in_order(lambda k: k * k, [], n_threads) == []


@pytest.mark.parametrize("n_threads", [1, 2])
def test_after_an_error_no_further_item_is_started(n_threads):
    started = []

    def fail(k):
        started.append(k)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_in_order(fail, range(1000), n_threads)
    assert len(started) <= n_threads


def test_an_error_in_a_helper_reaches_the_caller():
    caller = threading.get_ident()
    helper_failed = threading.Event()

    def fail_elsewhere(k):
        if threading.get_ident() != caller:
            helper_failed.set()
            raise ZeroDivisionError
        helper_failed.wait(timeout=10)

    with pytest.raises(ZeroDivisionError):
        map_in_order(fail_elsewhere, range(3), 2)


def test_map_in_order_may_be_used_by_its_own_helpers():
    def inner(k):
        return sum(map_in_order(lambda j: j, range(k), 2))

    assert map_in_order(inner, range(1, 30), 2) == [k * (k - 1) // 2 for k in range(1, 30)]


@pytest.mark.parametrize("n_threads", [1, 2, 4, 40])
@pytest.mark.parametrize("n_items", [1, 2, 3, 20])
def test_the_second_step_of_two_sees_what_came_between(n_items, n_threads):
    middle, ends = map_in_two_steps(
        lambda k: k * k, list, lambda k, squares: squares[k] - k,
        range(n_items), n_threads,
    )  # fmt: skip
    assert middle == [k * k for k in range(n_items)]
    assert ends == [k * k - k for k in range(n_items)]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_between_two_steps_is_computed_once_and_after_the_first(n_threads):
    done, between = [], []
    for _ in range(200):
        done.clear()
        between.clear()
        map_in_two_steps(
            done.append, lambda firsts: between.append(len(done)), lambda *_: None,
            range(5), n_threads,
        )  # fmt: skip
        assert between == [5]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("where", ["first", "between", "second"])
def test_an_error_in_a_step_ends_both_steps(where, n_threads):
    started = []

    def step(name):
        def function(*arguments):
            started.append(name)
            if name == where:
                raise ZeroDivisionError(name)

        return function

    with pytest.raises(ZeroDivisionError, match=where):
        map_in_two_steps(step("first"), step("between"), step("second"), range(1000), n_threads)
    assert started.count(where) <= n_threads
    if where != "second":
        assert "second" not in started


@pytest.mark.parametrize("step", ["first", "second"])
def test_an_error_of_a_helper_in_either_step_reaches_the_caller(step):
    caller = threading.get_ident()
    helper_failed = threading.Event()

    def fail_elsewhere(*_):
        if threading.get_ident() != caller:
            helper_failed.set()
            raise ZeroDivisionError
        helper_failed.wait(timeout=10)

    def nothing(*_):
        return None

    steps = (fail_elsewhere, nothing) if step == "first" else (nothing, fail_elsewhere)
    with pytest.raises(ZeroDivisionError):
        map_in_two_steps(steps[0], len, steps[1], range(3), 2)


def one_fails_while_the_other_waits():
    caller, started = threading.get_ident(), []
    helper_is_in, release = threading.Event(), threading.Event()

    def item(k, *_):
        started.append(k)
        if threading.get_ident() == caller:
            helper_is_in.wait(10)
            raise ZeroDivisionError
        helper_is_in.set()
        release.wait(10)

    return item, started, release


@pytest.mark.parametrize("step", ["alone", "first", "second"])
def test_a_helper_starts_nothing_more_after_the_caller_failed(step):
    item, started, release = one_fails_while_the_other_waits()
    many = range(100_000)
    call = {
        "alone": lambda: map_in_order(item, many, 2),
        "first": lambda: map_in_two_steps(item, len, lambda *_: None, many, 2),
        "second": lambda: map_in_two_steps(lambda *_: None, len, item, many, 2),
    }[step]
    with pytest.raises(ZeroDivisionError):
        call()
    release.set()
    time.sleep(0.2)
    assert len(started) == 2


def test_an_interrupted_caller_leaves_no_helper_waiting():
    caller = threading.get_ident()

    def interrupted(k):
        if threading.get_ident() == caller:
            caller_started.set()
            raise KeyboardInterrupt
        caller_started.wait(timeout=10)

    for _ in range(20):
        caller_started = threading.Event()
        with pytest.raises(KeyboardInterrupt):
            map_in_two_steps(interrupted, len, lambda *_: None, range(3), 2)
    # All helpers are free again, or this would wait for one for ever.
    assert map_in_order(lambda k: k, range(8), 2) == list(range(8))


def test_two_steps_may_be_used_by_helpers():
    def inner(k):
        return map_in_two_steps(lambda j: j, sum, lambda j, total: total, range(1, k + 1), 2)[0]

    assert map_in_order(inner, range(1, 30), 2) == [k * (k + 1) // 2 for k in range(1, 30)]


def test_no_more_helpers_are_started_than_are_asked_for():
    code = "from saelib import _parallel as p\nfor n in (1, 3, 2): p.map_in_order(abs, range(9), n)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(p._n_helpers)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("2\n", "")


FORK = """
    import os, threading, time
    from saelib._parallel import map_in_order

    def threads_at_work():
        seen = set()

        def wait_for_another(k):
            seen.add(threading.get_ident())
            deadline = time.monotonic() + 20
            while len(seen) < 2 and time.monotonic() < deadline:
                time.sleep(0.001)

        map_in_order(wait_for_another, range(2), 2)
        return len(seen)

    here, pid = threads_at_work(), os.fork()
    if pid == 0:
        os._exit(threads_at_work())
    print(here, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_helpers_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(FORK)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("2 2\n", "")
