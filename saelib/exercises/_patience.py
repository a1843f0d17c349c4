"""How long a checker looks for its words: a verdict should come at once."""

from __future__ import annotations

from saelib._browser import thread_time

__all__ = ["deadline"]

SECONDS = 1.2  # of computing, for each of the searches after a mistake


def deadline() -> float:
    """Return the reading of this thread's own clock at which a search that starts now ends."""
    return thread_time() + SECONDS
