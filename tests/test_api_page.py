"""The reference page leaves no public name out, and names nothing that does not exist."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import saelib

PAGE = Path(__file__).parent.parent / "book" / "api.md"
ENTRIES = re.findall(r"^\.\. auto(?:function|class|data):: (\S+)$", PAGE.read_text("utf-8"), re.M)
MODULES = sorted(
    module.name for module in pkgutil.iter_modules(saelib.__path__) if module.name[0] != "_"
)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_its_entry(module):
    home = importlib.import_module(f"saelib.{module}")
    for name in home.__all__:
        value = getattr(home, name)
        if not callable(value):
            continue
        entry = f"saelib.{name}" if name in saelib._MODULE_OF else f"saelib.{module}.{name}"
        assert entry in ENTRIES, f"{entry} is missing from book/api.md"


def test_no_entry_stands_twice_and_each_exists():
    assert len(ENTRIES) == len(set(ENTRIES))
    for entry in ENTRIES:
        home, _, name = entry.rpartition(".")
        assert hasattr(importlib.import_module(home), name), entry
