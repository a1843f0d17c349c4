"""The pages of the library reference, one a topic, and the list of all names that leads to them.

The names are read from the pages themselves (``api-*.md``), in the order of the book's contents, so
that the list can leave none out. Each keeps the anchor that it has on its page: links to the time
when the reference was a single page still lead to the name.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

BOOK = Path(__file__).resolve().parents[1]
ENTRY = re.compile(r"^\.\. auto(?:function|class|data):: (\S+)\n(?:   :members: (.+)\n)?", re.M)
PLAIN_CLASS = re.compile(r"<class '([\w.]+)'>")
CITED = re.compile(r"\(\d+\.\d+\)\s+``([a-z0-9-]+)``")


class Entry(NamedTuple):
    """A documented name, with the names of those of its members that are described with it."""

    name: str
    members: tuple[str, ...]


class Page(NamedTuple):
    """A page of the reference: its document, its title, and (heading, entries) of each section."""

    docname: str
    title: str
    sections: list[tuple[str, list[Entry]]]


def in_order(book: Path) -> list[str]:
    """Return the documents of the reference as the contents of the book have them."""
    contents = (book.parent / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"file: (api-\S+)", contents)


def entries(text: str) -> list[Entry]:
    """Return the names that a text documents."""
    found = ENTRY.findall(text + "\n")
    return [Entry(name, tuple(re.split(r",\s*", members or ""))) for name, members in found]


def page(path: Path) -> Page:
    """Return what a page documents."""
    text = path.read_text(encoding="utf-8")
    head, *parts = re.split(r"^## ", text, flags=re.M)
    title = re.match(r"# (.+)\n", head)
    if title is None:
        raise ValueError(f"{path.name} does not begin with a title: write '# Title' above its text")
    sections = [(part.partition("\n")[0], entries(part)) for part in parts]
    return Page(path.stem, title[1], sections)


def pages(book: Path = BOOK) -> list[Page]:
    """Return the pages of the reference in the order of the book's contents."""
    return [page(book / f"{docname}.md") for docname in in_order(book)]


def documented(book: Path = BOOK) -> list[Entry]:
    """Return every entry of the reference."""
    return [entry for page in pages(book) for _, section in page.sections for entry in section]


def summary(name: str) -> str:
    """Return the first sentence of what documents a name, as text of a page."""
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    if inspect.isfunction(found) or inspect.isclass(found):
        lines = (inspect.getdoc(found) or "").splitlines()
    else:
        lines = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", attribute), [])
    first = " ".join("\n".join(lines).strip().partition("\n\n")[0].split())
    if not first:
        raise ValueError(f"{name} has no docstring: its first sentence is its line in the list")
    return CITED.sub(r"{eq}`\1`", first).replace("``", "`")


class ApiNames(SphinxDirective):
    """The names of all pages of the reference, each with its first sentence."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each page, and within it one for each of its sections."""
        lines: list[str] = []
        for topic in pages():
            self.env.note_dependency(str(BOOK / f"{topic.docname}.md"))
            lines += [f"## {topic.title}", "", f"In full: {{doc}}`{topic.docname}`.", ""]
            for heading, section in topic.sections:
                if len(topic.sections) > 1:
                    lines += [f"### {heading}", ""]
                lines += [":::{container} api-names", *map(row, section), ":::", ""]
        box = nodes.section()
        box.document = self.state.document
        nested_parse_with_titles(
            self.state, StringList(lines, source="api-names"), box, self.content_offset
        )
        return box.children


def signature(
    app: Sphinx, what: str, name: str, found: Any, options: Any, text: str | None, returns: Any
) -> tuple[str | None, Any] | None:
    """Return the parameters of a name as one would write them in a call."""
    if text is None:
        return None
    if getattr(found, "_is_protocol", False):
        return "", returns  # nobody makes one of it
    for field in dataclasses.fields(found) if dataclasses.is_dataclass(found) else ():
        if field.init and field.default_factory is not dataclasses.MISSING:
            made = repr(field.default_factory())
            text = text.replace(f"{field.name}=<factory>", f"{field.name}={made}")
    return PLAIN_CLASS.sub(r"\1", text), returns


def row(entry: Entry) -> str:
    """Return the line of a name: a link to its entry, and what it is."""
    short = entry.name.removeprefix("saelib.")
    return f"- {{py:obj}}`{short} <{entry.name}>` {summary(entry.name)}"


def rows(box: nodes.Element) -> Iterator[Any]:
    """Yield the lines of the list."""
    for container in box.findall(nodes.container):
        if "api-names" in container["classes"]:
            yield from container.findall(nodes.list_item)


def add_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Give each line of the list the anchors that its name and its members have on their page."""
    lines = list(rows(doctree))
    if not lines:
        return
    for item, entry in zip(lines, documented(), strict=True):
        item["ids"].append(entry.name)
        names = [f"{entry.name}.{member}" for member in entry.members if member]
        item[0].extend(nodes.inline(ids=[name]) for name in names)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("api-names", ApiNames)
    app.connect("doctree-read", add_anchors)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
