"""A first word at once, while a checker is still looking for the line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from saelib._browser import IN_BROWSER

__all__ = ["while_looking"]


@contextmanager
def while_looking(name: str) -> Iterator[None]:
    """Say that the answer is not right while the search goes on, to somebody who sits there.

    What is said vanishes with the verdict. Nothing is said to a file, a pipe or a notebook that is
    executed as a whole, whose stored outputs would depend on it.
    """
    text = f"✗ {name}: not right yet. Looking for the line ..."
    shell = _notebook()
    if shell is not None:
        from IPython.display import display

        shown = display({"text/plain": text}, raw=True, display_id=True)
        try:
            yield
        finally:
            shown.update({"text/plain": ""}, raw=True)
    elif not IN_BROWSER and sys.stderr is not None and sys.stderr.isatty():
        _write(text)
        try:
            yield
        finally:
            _write(f"\r{' ' * len(text)}\r")
    else:
        yield


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, UnicodeEncodeError):  # a terminal without that letter
        pass


def _notebook() -> Any:
    """Return the shell of a notebook in which somebody runs this cell, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "get_parent"):
        return None
    # A program that executes notebooks cannot answer a question; a person can.
    return shell if shell.get_parent().get("content", {}).get("allow_stdin") else None
