"""The reference leaves no public name out, and names nothing that does not exist."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import saelib

BOOK = Path(__file__).parent.parent / "book"
sys.path.insert(0, str(BOOK / "_ext"))
import api_pages  # noqa: E402

DOCSTRINGS = [
    (f"{path.stem}.{getattr(node, 'name', '')}", text)
    for path in sorted(Path(saelib.__path__[0]).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    if (text := ast.get_docstring(node))
]
PAGES = sorted(BOOK.glob("api-*.md"))
ENTRIES = [
    name
    for page in PAGES
    for name in re.findall(
        r"^\.\. auto(?:function|class|data):: (\S+)$", page.read_text("utf-8"), re.M
    )
]
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
        assert entry in ENTRIES, f"{entry} is on none of the pages book/api-*.md"


def test_no_entry_stands_twice_and_each_exists():
    assert len(ENTRIES) == len(set(ENTRIES))
    for entry in ENTRIES:
        home, _, name = entry.rpartition(".")
        assert hasattr(importlib.import_module(home), name), entry


def test_every_page_is_in_the_contents_and_in_the_list_of_all_names():
    assert sorted(page.docname for page in api_pages.pages()) == [page.stem for page in PAGES]
    assert sorted(entry.name for entry in api_pages.documented()) == sorted(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_name_has_a_line_in_the_list(name):
    text = api_pages.summary(name)
    assert 10 < len(text) < 200
    assert text.endswith(".")


def test_the_line_of_what_is_no_function_is_its_comment():
    text = api_pages.summary("saelib.activations.ACTIVATIONS")
    assert text.startswith("The activation functions")


def test_a_page_without_a_title_is_an_error_that_says_what_to_do(tmp_path):
    page = tmp_path / "api-none.md"
    page.write_text("No title.\n")
    with pytest.raises(ValueError, match=r"api-none\.md .* write '# Title'"):
        api_pages.page(page)


def test_the_cost_is_marked_as_a_symbol_in_every_docstring():
    for name, text in DOCSTRINGS:
        assert not re.search(r"(?<!`)\bJ_sparse\b(?!`)", text), name


def test_what_is_returned_without_a_name_is_plain_text():
    """The parts of such a line stand side by side on the page, without the spaces between them."""
    for name, text in DOCSTRINGS:
        section = re.search(r"^(?:Returns|Yields)\n-+\n(.+?)(?:\n\n\w|\Z)", text, re.M | re.S)
        for line in re.findall(r"^\S.*$", section[1] if section else "", re.M):
            assert " : " in line or "`" not in line, f"{name}: {line}"
