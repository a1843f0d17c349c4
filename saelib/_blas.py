"""One BLAS thread for as long as there is work on blocks: the limit, forks and interrupts.

The number of threads of BLAS is a setting of the whole process, which this module changes for
a while and puts back. Three things may come in between, and none of them may leave it changed:

- Other threads, which want the same at the same time. Everybody who wants the limit is a holder;
  it is set while there are holders and lifted when there are none.
- A fork. The child has only the thread that forked, so the holders of the other threads are
  struck off there, and the lock, which another thread might have held, is a new one.
- Ctrl-C, which strikes between any two steps of the main thread. So `_settle` does not count on
  what was done before: it brings BLAS in line with whether there are holders, and may be called
  again at any time. A holder leaves by a single call that no interrupt can divide.

A fork waits for the fork handler of OpenBLAS, too, and that one waits for products of matrices
which another thread computes: beside a thread that multiplies large matrices without a pause,
it can wait for a long time. Prefer "forkserver" or "spawn" there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from saelib._browser import IN_BROWSER

__all__ = ["available_cores", "single_threaded_blas"]

# Reentrant, so that a signal handler that forks, or garbage that is collected, may enter again.
_lock = threading.RLock()
# Every holder, with the thread it belongs to.
_holders: dict[object, int] = {}
# What BLAS was allowed before the first holder came; empty while nobody holds.
_allowed: list[int] = []
_is_limited = False


@contextmanager
def single_threaded_blas() -> Iterator[int]:
    """Limit BLAS to one thread inside the block and restore the caller's setting after it.

    Yields the number of threads that may work inside the block: as many as BLAS was allowed
    before, at most the number of cores, divided by the number of threads that are in such a
    block now. A limit that the caller has set, by threadpoolctl, by OMP_NUM_THREADS or by joblib
    in its workers, therefore holds here too, and a pool of threads shares the cores.
    """
    holder = object()
    try:
        _holders[holder] = threading.get_ident()
        _settle()
        callers = len(set(_holders.copy().values()))
        cores = available_cores()
        yield max(min(cores, max(_allowed, default=cores)) // max(callers, 1), 1)
    finally:
        try:
            _holders.pop(holder, None)
            _settle()
        except BaseException:
            # Ctrl-C came in between; what it left half done is done now.
            _holders.pop(holder, None)
            _settle()
            raise


def _settle() -> None:
    """Bring the setting of BLAS in line with whether there are holders."""
    global _allowed, _is_limited  # noqa: PLW0603 - the setting of BLAS is global too
    with _lock:
        if _holders and not _is_limited:
            _allowed = _allowed or [library.num_threads for library in _blas_libraries()]
            _set_threads([1] * len(_allowed))
            _is_limited = True
        elif not _holders:
            _set_threads(_allowed)
            _is_limited, _allowed = False, []


@cache
def _blas_libraries() -> list[Any]:
    # Finding them takes milliseconds, far longer than a small evaluation.
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set_threads(numbers: Sequence[int]) -> None:
    for library, number in zip(_blas_libraries(), numbers, strict=False):
        _let_any_thread_set(library)
        library.set_num_threads(number)
        _let_any_thread_set(library)


def _let_any_thread_set(library: Any) -> None:
    # From 3.8 on threadpoolctl listens to one thread and ignores the others, without a word,
    # until that one is cleared; earlier versions listen to all.
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


def available_cores() -> int:
    """Return the number of cores this process may use, by affinity and by container quota."""
    if IN_BROWSER:
        return 1  # whatever the machine has, no second thread can be started
    if hasattr(os, "sched_getaffinity"):
        return max(min(len(os.sched_getaffinity(0)), _granted_cores()), 1)
    return _granted_cores()


@cache
def _granted_cores() -> int:
    from joblib import cpu_count  # reads files, and takes long to import

    return int(cpu_count())


def _forget_other_threads() -> None:
    """Go on in a forked child, where no thread of the parent lives but the one that forked."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()
    here = threading.get_ident()
    for holder, thread in list(_holders.items()):
        if thread != here:
            del _holders[holder]
    _settle()


def _acquire() -> None:
    _lock.acquire()


def _release() -> None:
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_acquire, after_in_parent=_release, after_in_child=_forget_other_threads
    )
