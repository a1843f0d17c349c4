"""The page that maps every numbered equation to its function and to the tests that check it.

Equations are found in the notebooks (``$$ ... $$ (label)``), functions by their docstrings
(``Eq. (4.1) ``kl-bernoulli``) and tests by their marks (``@pytest.mark.equation("kl-bernoulli")``).
What is missing on one of the three sides is a warning, and so an error of the build.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

import api_pages

ROOT = Path(__file__).resolve().parents[2]
LABELLED = re.compile(r"\$\$((?:(?!\$\$).)+)\$\$\s*\(([a-z][a-z0-9-]*)\)", re.S)
CITED = re.compile(r"\((\d+\.\d+)\)\s+``([a-z0-9-]+)``")
BARE = re.compile(r"(?<=Eq\.\s)\((\d+\.\d+)\)")
_log = logging.getLogger(__name__)


class Equation(NamedTuple):
    """A numbered equation: number as text, label, chapter that derives it, and its source."""

    number: str
    label: str
    chapter: str
    tex: str


def equations() -> list[Equation]:
    """Return the labelled equations of all chapters in the order of the book."""
    found = []
    for path in sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        heading = re.search(r"^# (.+)$", text, re.M)
        title = f"Chapter {int(path.name[:2])}: {heading[1] if heading else path.stem}"
        found += [
            Equation(f"{int(path.name[:2])}.{k}", label, title, tex.strip().rstrip(".,; "))
            for k, (tex, label) in enumerate(LABELLED.findall(text), start=1)
        ]
    return found


def functions() -> dict[str, list[tuple[str, str]]]:
    """Return label -> (qualified name, number) of everything whose docstring cites it."""
    cited: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "saelib").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for name, docstring in _docstrings(ast.parse(path.read_text(encoding="utf-8")), module):
            for number, label in CITED.findall(docstring):
                if name not in [known for known, _ in cited[label]]:
                    cited[label].append((name, number))
    return dict(cited)


def tests() -> dict[str, list[str]]:
    """Return label -> tests that carry it as a mark, as ``file::name``."""
    marked: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if ast.unparse(decorator).startswith("pytest.mark.equation("):
                        for argument in getattr(decorator, "args", []):
                            marked[argument.value].append(f"{path.relative_to(ROOT)}::{node.name}")
    return dict(marked)


def complaints() -> list[str]:
    """Return what does not fit together between the book, the functions and the tests."""
    known = {equation.label: equation for equation in equations()}
    cited, marked = functions(), tests()
    found = []
    for label, equation in known.items():
        if label not in cited:
            found.append(f"no docstring of saelib names Eq. ({equation.number}) ``{label}``")
        if label not in marked:
            found.append(f"no test is marked with equation({label!r})")
    for label, places in cited.items():
        for name, number in places:
            if label not in known:
                found.append(f"the docstring of {name} names ``{label}``, which no chapter has")
            elif number != known[label].number:
                found.append(
                    f"the docstring of {name} calls ``{label}`` Eq. ({number}), but the book "
                    f"numbers it ({known[label].number})"
                )
    found += [
        f"{places[0]} is marked with {label!r}, which no chapter has"
        for label, places in marked.items()
        if label not in known
    ]
    return found


def _docstrings(tree: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = f"{prefix}.{node.name}"
            if not node.name.startswith("_"):
                yield name, ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from _docstrings(node, name)


def _public(name: str, described: set[str]) -> str:
    """Return the name under which a function is documented as a link, or else a literal."""
    import saelib

    module, _, rest = name.removeprefix("saelib.").partition(".")
    if saelib._MODULE_OF.get(rest.partition(".")[0]) == module:
        name = f"saelib.{rest}"
    short = name.removeprefix("saelib.")
    return f"{{py:obj}}`{short} <{name}>`" if name in described else f"`{short}`"


def _described() -> set[str]:
    """Return the names that the pages of the reference describe."""
    return {
        name
        for entry in api_pages.documented()
        for name in (entry.name, *(f"{entry.name}.{member}" for member in entry.members))
    }


def link_equations(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Make links of the equations that a docstring cites."""
    lines[:] = linked("\n".join(lines), labels()).split("\n")


@cache
def labels() -> dict[str, str]:
    """Return number -> label of every equation."""
    return {equation.number: equation.label for equation in equations()}


def linked(docstring: str, known: dict[str, str]) -> str:
    """Return a docstring with links for the equations it cites, with a label or by number alone.

    What an example prints stays as it is.
    """
    parts = re.split(r"(\n\s*\n)", CITED.sub(r":eq:`\2`", docstring))
    return "".join(
        part if part.lstrip().startswith(">>>") else BARE.sub(partial(link, known), part)
        for part in parts
    )


def link(known: dict[str, str], match: re.Match[str]) -> str:
    """Return the link for the number of an equation, or the number if there is no such equation."""
    return f":eq:`{known[match[1]]}`" if match[1] in known else match[0]


def checks(tests: list[str]) -> Iterator[str]:
    """Yield the lines of a list: each file once, and below it those of its tests that are given."""
    files: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        path, _, name = test.partition("::")
        files[path].append(name)
    for path, names in files.items():
        yield f"- `{path}`"
        yield from (f"  - `{name}`" for name in names)


class EquationMap(SphinxDirective):
    """A card for every equation: the equation, its functions and its tests, chapter by chapter."""

    def run(self) -> list[nodes.Node]:
        """Return the table, and warn of whatever is missing."""
        for complaint in complaints():
            _log.warning("equation map: %s", complaint, location=self.get_location())
        for folder in ("saelib", "tests"):
            for path in (ROOT / folder).rglob("*.py"):
                self.env.note_dependency(str(path))
        cited, marked, described = functions(), tests(), _described()
        lines: list[str] = []
        chapter = ""
        for equation in equations():
            if equation.chapter != chapter:
                chapter = equation.chapter
                lines += [f"## {chapter}", ""]
            by = [
                _public(name, described)
                for name, _ in cited.get(equation.label, [])
                if not name.startswith("saelib.plotting")
            ]
            lines += [
                *("::::{container} equation-card", f"{{eq}}`{equation.label}` `{equation.label}`"),
                *("", "$$", *equation.tex.splitlines(), "$$", ""),
                *(f"computed by {', '.join(by)}", "", "checked by", ""),
                *checks(marked.get(equation.label, [])),
                *("::::", ""),
            ]
        box = nodes.section()
        box.document = self.state.document
        nested_parse_with_titles(
            self.state, StringList(lines, source="equation-map"), box, self.content_offset
        )
        return box.children


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("equation-map", EquationMap)
    app.connect("autodoc-process-docstring", link_equations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
