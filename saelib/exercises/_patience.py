"""How long a checker looks for its words: a verdict should come at once."""

from __future__ import annotations

from saelib._browser import thread_time

__all__ = ["deadline"]

SECONDS = 1.0  # of computing, for the search in the learner's lines; others get a share of it


def deadline(share: float = 1.0) -> float:
    """Return the reading of this thread's own clock at which a search that starts now ends.

    A search that needs but a share of the time gets no more.
    """
    return thread_time() + share * SECONDS
