"""Work on blocks of rows in several threads, with results that do not depend on how many.

numpy releases the interpreter lock inside its loops and matrix products, so plain threads
keep all cores busy. Each thread then runs single-threaded BLAS, see `saelib._blas`: many small
products side by side beat one product split up, and the result no longer depends on how BLAS
would split it.

The helpers are threads of our own that wait at a queue, rather than a pool of the standard
library: Ctrl-C strikes between any two steps of the main thread, and inside such a pool it can
leave a lock locked, at which the next call waits for ever. Here all that passes between the
threads goes through `SimpleQueue` and `deque`, whose methods no interrupt can divide.
"""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["map_in_order", "map_in_two_steps"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Middle = TypeVar("Middle")
End = TypeVar("End")

_lock = threading.RLock()
_jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
_n_helpers = 0


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
    # What came between, in a tuple, or None if it will never come.
    middle: SimpleQueue[tuple[Middle] | None] = SimpleQueue()

    def work() -> None:
        try:
            for index, item in _taken_from(waiting):
                firsts[index] = first(item)
                if ranks.popleft() == len(items):
                    middle.put((between([firsts[k] for k in range(len(items))]),))
        except BaseException:
            give_up()
            raise
        value = middle.get()
        middle.put(value)  # for the next one who waits
        if value is not None:
            for index, item in _taken_from(waiting_for_second):
                ends[index] = second(item, *value)

    def give_up() -> None:
        middle.put(None)  # first of all, or whoever waits for it would wait for ever
        waiting.clear()
        waiting_for_second.clear()

    try:
        _work_together(work, min(n_threads, len(items)))
    except BaseException:
        give_up()
        raise
    value = middle.get()
    assert value is not None
    return value[0], [ends[index] for index in range(len(items))]


def _taken_from(waiting: deque[Item]) -> Iterator[Item]:
    while True:
        try:
            item = waiting.popleft()
        except IndexError:
            return
        yield item


def _work_together(work: Callable[[], None], n_threads: int) -> None:
    """Call `work` in this thread and in helpers, `n_threads` in all if so many are free.

    After an error in this thread nobody waits for the helpers: each ends when it is through
    with what it has in hand.
    """
    n_helpers = n_threads - 1
    places = deque(range(n_helpers))
    reports: SimpleQueue[BaseException | None] = SimpleQueue()

    def help_out() -> None:
        try:
            places.pop()
        except IndexError:
            return  # the caller is done already
        try:
            work()
        except BaseException as error:
            reports.put(error)
        else:
            reports.put(None)

    if n_helpers > 0:
        _have_helpers(n_helpers)
    try:
        for _ in range(n_helpers):
            _jobs.put(help_out)
        work()
        n_helping = n_helpers - sum(1 for _ in _taken_from(places))
        errors = [reports.get() for _ in range(n_helping)]
    finally:
        places.clear()
    for error in errors:
        if error is not None:
            raise error


def _have_helpers(n_helpers: int) -> None:
    """See that so many helpers wait at the queue, or are at work for others."""
    global _n_helpers  # noqa: PLW0603 - the threads belong to the process
    if _n_helpers < n_helpers:
        with _lock:
            while _n_helpers < n_helpers:
                # Thread.start waits for the thread, and an interrupt there can lose it.
                start_new_thread(_help_for_ever, (_jobs,))
                _n_helpers += 1


def _help_for_ever(jobs: SimpleQueue[Any]) -> None:
    while True:
        jobs.get()()


def _start_afresh() -> None:
    """Go on in a forked child, which has none of the helpers of its parent."""
    global _jobs, _lock, _n_helpers
    _jobs, _lock, _n_helpers = SimpleQueue(), threading.RLock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)
