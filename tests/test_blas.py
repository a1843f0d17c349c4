"""The limit of BLAS beside other threads, forks and interrupts: right results, and as before.

The arrays of `LARGE` are long enough for BLAS to use several threads, which would change the
last bits, so that equal bits prove the limit and not only that nothing failed.
"""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections import deque

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from saelib import Parameters, SparseAutoencoder, SparseObjective, _blas
from saelib import _passes as passes
from saelib import objective as objective_module
from saelib._blas import single_threaded_blas

pytestmark = pytest.mark.xdist_group("threads")

LARGE = (5000, 64, 100)
SMALL = (60, 6, 4)


def problem(m, n, h, seed=0):
    X = np.random.default_rng(seed).uniform(0.1, 0.9, size=(m, n))
    return SparseObjective(X, h, sparsity_target=0.1), Parameters.random(n, h, seed=1).ravel()


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def in_a_thread(function):
    """Return what `function` returns in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


@pytest.fixture
def two_cores(monkeypatch):
    """As on a machine with two cores, which BLAS may use."""
    monkeypatch.setattr(_blas, "available_cores", lambda: 2)
    with threadpool_limits(2, user_api="blas"):
        yield


# --- one thread after the other -----------------------------------------------------------


@pytest.mark.usefixtures("two_cores")
def test_the_callers_blas_limit_decides_the_number_of_threads():
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"), single_threaded_blas() as n_threads:
            assert n_threads == limit
            assert set(blas_threads()) == {1}


@pytest.mark.usefixtures("two_cores")
def test_of_overlapping_limits_the_first_sets_and_the_last_restores():
    before = blas_threads()
    first, second = single_threaded_blas(), single_threaded_blas()
    assert first.__enter__() == second.__enter__() == 2
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_no_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr(_blas, "available_cores", lambda: 1)
    with threadpool_limits(2, user_api="blas"), single_threaded_blas() as n_threads:
        assert n_threads == 1


def test_without_a_known_blas_every_core_is_used(monkeypatch):
    monkeypatch.setattr(_blas, "available_cores", lambda: 3)
    monkeypatch.setattr(_blas, "_blas_libraries", list)
    with single_threaded_blas() as n_threads:
        assert n_threads == 3


@pytest.mark.parametrize(
    ("affinity", "granted", "expected"), [(8, 2, 2), (2, 8, 2), (None, 5, 5), (1, 1, 1)]
)
def test_cores_are_what_affinity_and_the_quota_of_a_container_leave(
    monkeypatch, affinity, granted, expected
):
    monkeypatch.setattr(_blas, "_granted_cores", lambda: granted)
    if affinity is None:
        monkeypatch.delattr(_blas.os, "sched_getaffinity", raising=False)
    else:
        monkeypatch.setattr(
            _blas.os, "sched_getaffinity", lambda pid: set(range(affinity)), raising=False
        )
    assert _blas.available_cores() == expected


def test_the_quota_is_the_one_that_joblib_finds(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 3)
    assert _blas._granted_cores.__wrapped__() == 3


@pytest.mark.parametrize("limit", [1, 2])
def test_the_blas_limit_of_the_caller_is_left_as_it_was(limit):
    objective, theta = problem(*SMALL)
    with threadpool_limits(limit, user_api="blas"):
        before = blas_threads()
        objective(theta)
        assert blas_threads() == before


@pytest.mark.usefixtures("two_cores")
def test_the_blas_limit_is_restored_when_the_evaluation_fails(monkeypatch):
    objective, theta = problem(*SMALL)

    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(objective_module, "divergence_slope", fail)
    before = blas_threads()
    with pytest.raises(MemoryError):
        objective(theta)
    assert blas_threads() == before


# --- threads ------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_cores")
def test_the_limit_holds_in_every_thread_whichever_came_first():
    def limits():
        with single_threaded_blas():
            return blas_threads()

    before = blas_threads()
    for _ in range(2):
        assert set(limits()) == {1}  # this thread comes first, and must not keep the others out
        assert set(in_a_thread(limits)) == {1}
        assert blas_threads() == before == in_a_thread(blas_threads)


@pytest.mark.usefixtures("two_cores")
def test_after_an_evaluation_the_limits_of_users_hold_in_every_thread():
    def limited_by_the_user():
        with threadpool_limits(1, user_api="blas"):
            return blas_threads()

    with threadpool_limits(2, user_api="blas"):
        pass
    objective, theta = problem(*SMALL)
    objective(theta)
    assert set(in_a_thread(limited_by_the_user)) == {1}
    in_a_thread(lambda: objective(theta))
    assert set(limited_by_the_user()) == {1}


@pytest.mark.usefixtures("two_cores")
def test_a_thread_computes_the_same_bits_as_the_main_thread():
    X = np.random.default_rng(0).normal(size=(3000, 60))

    def fitted():
        model = SparseAutoencoder(n_hidden=100, max_iter=5, random_state=0).fit(X)
        return model.parameters_.ravel(), model.transform(X), model.score(X)

    for here, there in zip(fitted(), in_a_thread(fitted), strict=True):
        assert np.array_equal(here, there)


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_overlapping_calls_from_several_threads_agree_and_restore_the_blas_limit(size):
    problems = [problem(*size, seed=seed) for seed in range(4)]
    expected = [objective(theta) for objective, theta in problems]
    failures = []

    def work(k):
        # Own objectives and a shared one, evaluated at the same time.
        for _ in range(20 if size is SMALL else 3):
            for i in (k, 0):
                objective, theta = problems[i]
                cost, gradient = objective(theta)
                if cost != expected[i][0] or not np.array_equal(gradient, expected[i][1]):
                    failures.append(i)

    before = blas_threads()
    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blas_threads() == before
    assert not failures


@pytest.mark.usefixtures("two_cores")
def test_threads_that_work_at_the_same_time_share_the_cores():
    def n_threads():
        with single_threaded_blas() as n_threads:
            return n_threads

    assert n_threads() == 2
    with single_threaded_blas():
        assert n_threads() == 2  # a block inside a block of the same thread
        assert in_a_thread(n_threads) == 1


@pytest.mark.usefixtures("two_cores")
def test_a_grid_search_in_threads_does_the_work_of_one_after_the_other(monkeypatch):
    """As many passes over the data, each on one BLAS thread, and the same bits."""
    X = np.random.default_rng(0).normal(size=(3000, 60))
    libraries, original = _blas._blas_libraries(), passes.sum_activations
    seen = deque()

    def watched(*arguments):
        seen.extend(library.num_threads for library in libraries)
        return original(*arguments)

    monkeypatch.setattr(passes, "sum_activations", watched)
    model = SparseAutoencoder(n_hidden=40, max_iter=4, random_state=0)
    grid = {"sparsity_target": [0.05, 0.2], "weight_decay": [0.0, 1e-3]}
    found, n_passes = [], []
    for n_jobs in (1, 2):
        seen.clear()
        with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
            search = GridSearchCV(model, grid, cv=2).fit(X)
        n_passes.append(len(seen))
        assert set(seen) == {1}
        found.append(
            [search.best_estimator_.parameters_.ravel(), search.cv_results_["mean_test_score"]]
        )
    assert n_passes[0] == n_passes[1] > 8 * 5 * len(libraries)
    for one_after_the_other, in_threads in zip(*found, strict=True):
        assert np.array_equal(one_after_the_other, in_threads)


class EarlyLibrary:
    """A library of BLAS as threadpoolctl 3.5 shows it: every thread may set its number."""

    num_threads = 4

    def set_num_threads(self, number):
        self.num_threads = number


class LateLibrary(EarlyLibrary):
    """As threadpoolctl shows it from 3.8 on: whoever came first keeps the others out."""

    controlling = None

    def set_num_threads(self, number):
        self.controlling = self.controlling or threading.get_ident()
        if self.controlling == threading.get_ident():
            super().set_num_threads(number)

    def clear_controlling_thread(self, force=False):
        if force or self.controlling == threading.get_ident():
            self.controlling = None


@pytest.mark.parametrize("kind", [EarlyLibrary, LateLibrary])
def test_every_version_of_threadpoolctl_lets_every_thread_set_the_limit(monkeypatch, kind):
    library = kind()
    monkeypatch.setattr(_blas, "_blas_libraries", lambda: [library])

    def inside():
        with single_threaded_blas():
            return library.num_threads

    for _ in range(2):
        assert inside() == 1
        assert library.num_threads == 4
        assert in_a_thread(inside) == 1
        assert library.num_threads == 4
    in_a_thread(lambda: library.set_num_threads(3))
    assert inside() == 1  # though that thread came first
    assert library.num_threads == 3
    library.set_num_threads(2)
    assert library.num_threads == 2  # and nobody is kept out afterwards


# --- forks --------------------------------------------------------------------------------

FORKS = """
    import os, sys, threading, time
    import numpy as np
    from threadpoolctl import threadpool_info, threadpool_limits
    from saelib import Parameters, SparseObjective, _blas

    def blas_threads():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    _blas.available_cores = lambda: 2
    threadpool_limits(2, user_api="blas")
    objective = SparseObjective(np.random.default_rng(0).uniform(0.1, 0.9, size=(600, 6)), 4)
    theta = Parameters.random(6, 4, seed=1).ravel()
    expected, before = objective(theta)[0], blas_threads()
    stop = threading.Event()

    def evaluate():
        while not stop.is_set():
            objective(theta)

    others = [threading.Thread(target=evaluate, daemon=True) for _ in range(2)]
    for other in others:
        other.start()
    failures = 0
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            right = blas_threads() == before and objective(theta)[0] == expected
            os._exit(0 if right and blas_threads() == before else 1)
        deadline = time.monotonic() + 60
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                failures += status != 0
                break
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                sys.exit("a child hangs")
            time.sleep(0.001)
    stop.set()
    for other in others:
        other.join()
    assert blas_threads() == before, blas_threads()
    print(failures)
"""


def run(program, timeout=300):
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_200_forks_beside_evaluations_neither_hang_nor_keep_the_limit():
    done = run(FORKS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


FORK_INSIDE = """
    import os
    from threadpoolctl import threadpool_info, threadpool_limits
    from saelib import _blas

    def blas_threads():
        return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}

    import numpy
    threadpool_limits(2, user_api="blas")
    with _blas.single_threaded_blas():
        pid = os.fork()
        assert blas_threads() == {1}
    assert blas_threads() == {2}
    if pid:
        print(os.waitpid(pid, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_inside_the_limit_is_limited_until_its_own_end_of_the_block():
    done = run(FORK_INSIDE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


# --- interrupts ---------------------------------------------------------------------------

INTERRUPTS = """
    import faulthandler, random, signal, sys
    import numpy as np
    from threadpoolctl import threadpool_info, threadpool_limits
    from saelib import Parameters, SparseObjective, _blas

    faulthandler.dump_traceback_later(240, exit=True)

    def blas_threads():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    class Interrupt(KeyboardInterrupt):
        pass

    def strike(*_):
        raise Interrupt

    _blas.available_cores = lambda: 2
    threadpool_limits(2, user_api="blas")
    # Two shares, so that a helper works too.
    objective = SparseObjective(np.random.default_rng(0).uniform(0.1, 0.9, size=(2600, 4)), 3)
    theta = Parameters.random(4, 3, seed=1).ravel()
    expected, before = objective(theta), blas_threads()
    rng = random.Random(0)
    signal.signal(signal.SIGALRM, strike)
    struck = changed = wrong = 0
    while struck < 2000:
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 2e-3))
            while True:
                cost, gradient = objective(theta)
                wrong += cost != expected[0] or not np.array_equal(gradient, expected[1])
        except Interrupt:
            struck += 1
        changed += blas_threads() != before
    print(struck, changed, wrong)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_2000_interrupts_at_random_moments_neither_hang_nor_keep_the_limit():
    done = run(INTERRUPTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2000 0 0\n", "")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_an_interpreter_ends_at_once_after_an_interrupt():
    program = INTERRUPTS.replace("struck < 2000", "struck < 20")
    done = run(program, timeout=120)  # and no longer
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("step", range(4))
def test_an_interrupt_in_any_step_of_the_limit_leaves_it_as_it_was(monkeypatch, step):
    """Strike at each place where BLAS is read or set, for certain rather than by chance."""
    before = blas_threads()
    original, calls = _blas._set_threads, []

    def struck(numbers):
        calls.append(numbers)
        if len(calls) == 1 + step // 2:
            if step % 2:
                original(numbers)
            raise KeyboardInterrupt
        original(numbers)

    monkeypatch.setattr(_blas, "_set_threads", struck)
    with pytest.raises(KeyboardInterrupt), single_threaded_blas():
        pass
    assert blas_threads() == before
    monkeypatch.undo()
    with single_threaded_blas():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before
