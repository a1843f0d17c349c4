"""Settings for the tests and the examples in the docstrings."""

import os
import sys
from collections.abc import Iterator

import matplotlib as mpl
import pytest

from saelib.exercises import _patience

mpl.use("Agg")
# What a child process prints waits in its buffer, as it does in a plain shell.
os.environ.pop("PYTHONUNBUFFERED", None)
# What a checker says must not depend on how fast the processor is, how busy, or whether coverage
# is measured, which alone makes the search in a learner's lines several times slower.
_patience.SECONDS *= 30


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test has drawn: matplotlib warns, and tests fail, at more than 20 figures."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
