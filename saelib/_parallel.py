"""Work on blocks of rows in several threads, with results that do not depend on how many.

numpy releases the interpreter lock inside its loops and matrix products, so plain threads
keep all cores busy. Each thread then runs single-threaded BLAS: many small products side by
side beat one product split up, and the result no longer depends on how BLAS would split it.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from saelib._browser import IN_BROWSER

__all__ = ["available_cores", "map_in_order", "map_in_two_steps", "single_threaded_blas"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Middle = TypeVar("Middle")
End = TypeVar("End")

_lock = threading.Lock()
_holders = 0
_allowed: list[int] = []


@cache
def _blas_libraries() -> list[Any]:
    # Finding them takes milliseconds, far longer than a small evaluation.
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def single_threaded_blas() -> Iterator[int]:
    """Limit BLAS to one thread inside the block and restore the caller's setting after it.

    Yields the number of threads that BLAS was allowed before, and at most the number of cores:
    so many threads may work inside the block. A limit that the caller has set, by
    threadpoolctl, by OMP_NUM_THREADS or by joblib in its workers, therefore holds here too.

    The setting belongs to the process, not to the thread. The first of several overlapping
    calls sets it and the last one restores it, so that none of them leaves it changed.
    """
    global _holders, _allowed  # noqa: PLW0603 - the BLAS setting is global too
    with _lock:
        if _holders == 0:
            _allowed = [library.num_threads for library in _blas_libraries()]
            _set_threads([1] * len(_allowed))
        _holders += 1
    try:
        yield min(available_cores(), max(_allowed, default=available_cores()))
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _set_threads(_allowed)


def _set_threads(numbers: Sequence[int]) -> None:
    for library, number in zip(_blas_libraries(), numbers, strict=True):
        library.set_num_threads(number)


def available_cores() -> int:
    """Return the number of cores this process may run on."""
    if IN_BROWSER:
        return 1  # whatever the machine has, no second thread can be started
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(process_id: int, n_threads: int) -> ThreadPoolExecutor:
    # A forked child has no threads of its parent's pool, hence the process in the key.
    return ThreadPoolExecutor(n_threads, thread_name_prefix="saelib")


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], n_threads: int
) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed by up to `n_threads` threads.

    The calling thread works too. Whoever is done with an item takes the next one, so that a
    core that other programs keep busy does not hold up the rest.
    """
    results: dict[int, Result] = {}
    waiting = deque(enumerate(items))

    def work() -> None:
        for index, item in _taken_from(waiting):
            results[index] = function(item)

    try:
        _work_together(work, min(n_threads, len(items)))
    finally:
        waiting.clear()  # after an error, Ctrl-C included, nobody starts another item
    return [results[index] for index in range(len(items))]


def map_in_two_steps(
    first: Callable[[Item], Result],
    between: Callable[[list[Result]], Middle],
    second: Callable[[Item, Middle], End],
    items: Sequence[Item],
    n_threads: int,
) -> tuple[Middle, list[End]]:
    """Return ``middle = between([first(item) for item in items])`` and every second(item, middle).

    Two calls of `map_in_order` would give the same. Here the threads stay together in between:
    whoever finishes the last first step computes `between` and goes on, so that no core has to
    be woken up for a thread that only starts others. There must be at least one item.
    """
    firsts: dict[int, Result] = {}
    ends: dict[int, End] = {}
    waiting, waiting_for_second = deque(enumerate(items)), deque(enumerate(items))
    ranks = deque(range(1, len(items) + 1))  # safe without the interpreter lock, too
    middle: Future[Middle] = Future()

    def work() -> None:
        try:
            for index, item in _taken_from(waiting):
                firsts[index] = first(item)
                if ranks.popleft() == len(items):
                    middle.set_result(between([firsts[k] for k in range(len(items))]))
        except BaseException as error:
            waiting.clear()
            with suppress(InvalidStateError):  # another thread has failed before
                middle.set_exception(error)  # or whoever waits for it would wait for ever
            raise
        value = middle.result()
        for index, item in _taken_from(waiting_for_second):
            ends[index] = second(item, value)

    try:
        _work_together(work, min(n_threads, len(items)))
    finally:
        waiting.clear()
        waiting_for_second.clear()
        middle.cancel()  # after Ctrl-C nobody may wait for it
    return middle.result(), [ends[index] for index in range(len(items))]


def _taken_from(waiting: deque[Item]) -> Iterator[Item]:
    while True:
        try:
            item = waiting.popleft()
        except IndexError:
            return
        yield item


def _work_together(work: Callable[[], None], n_threads: int) -> None:
    """Call `work` in this thread and in helpers, `n_threads` in all if so many are free."""
    helpers = [_pool(os.getpid(), n_threads).submit(work) for _ in range(n_threads - 1)]
    work()
    for helper in helpers:
        # A helper that never found a free thread is not needed any more.
        if not helper.cancel():
            helper.result()
