"""The index of the search: sections, equations, figures, terms, symbols and functions.

Sphinx's own index knows pages only, and neither equations nor their numbers. This one is written
from the same documents, as a script, so that it can be read from a folder as from a server. It is
loaded when somebody begins to search; `_static/js/search.js` does the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from plain_tex import plain

FILE = "_static/search-index.js"
LIST_OF_NAMES = "api"
GENERIC = {
    "goals", "what you need", "the idea in one figure", "what can go wrong", "exercises",
    "what to remember", "where next",
}  # fmt: skip


class Entry(NamedTuple):
    """One place that a search can lead to.

    Attributes
    ----------
    kind : str
        "page", "section", "generic" (a section that every chapter has), "equation", "figure",
        "term", "symbol" or "name" (of the library).
    anchor : str
        The id on its page, empty for the page itself.
    title : str
        What it is called, with its number.
    also : str
        Other names, with ``|`` between them; none for a name of the library, which is its anchor.
    text : str
        Its words.
    code : str
        Names in its code.
    """

    kind: str
    anchor: str
    title: str
    also: str
    text: str
    code: str = ""


SILENT = (nodes.math_block, nodes.literal_block, nodes.raw, nodes.comment)


def words(node: nodes.Node, leave_out: tuple[type[nodes.Node], ...] = ()) -> str:
    """Return the words of a part of a page; equations become letters, code is left out."""
    parts: list[str] = []

    def collect(part: nodes.Node) -> None:
        if isinstance(part, nodes.Text):
            parts.append(part.astext())
        elif isinstance(part, nodes.math):
            parts.append(plain(part.astext()))
        elif not isinstance(part, (*SILENT, *leave_out)):
            for child in part.children:
                collect(child)
            if not isinstance(part, nodes.Inline):
                parts.append(" ")

    for child in getattr(node, "children", []):
        collect(child)
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def names_in_code(node: nodes.Node) -> set[str]:
    """Return the names with an underscore or capitals within that the code of a section uses."""
    found: set[str] = set()
    for block in node.findall(nodes.literal_block):
        if block.get("language", "") in ("ipython3", "python", "ipython"):
            found |= set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", block.astext()))
            found |= set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", block.astext()))
    return found


def number(env: Any, docname: str, kind: str, node: nodes.Element) -> str:
    """Return the number of a figure or an equation, such as 5.1, or an empty string."""
    known = env.toc_fignumbers.get(docname, {}).get(kind, {})
    return ".".join(str(k) for key in node["ids"] for k in known.get(key, ()))


def left_side(tex: str) -> str:
    """Return what an equation defines, without its index, if that is a single symbol."""
    found = re.match(r"(\S{1,3}?)(?:_\S+)?\s*=", plain(tex))
    return found[1] if found else ""


def entries(env: Any, docname: str, doctree: nodes.document) -> Iterator[Entry]:
    """Yield what can be found on a page, in its order."""
    apart = (nodes.section, nodes.figure, nodes.title, addnodes.desc, addnodes.glossary)
    for section in doctree.findall(nodes.section):
        title_node = section.next_node(nodes.title)
        if title_node is None or title_node.parent is not section:
            continue
        title = words(title_node)
        top = section.parent is doctree
        digits = env.toc_secnumbers.get(docname, {}).get("" if top else f"#{section['ids'][0]}")
        label = ".".join(map(str, digits or ()))
        kind = "page" if top else "generic" if title.lower() in GENERIC else "section"
        own = [part for part in section.children if not isinstance(part, nodes.section)]
        code = set().union(*(names_in_code(part) for part in own))
        text = " ".join(filter(None, (words_of(part, apart) for part in own)))
        yield Entry(
            kind,
            "" if top else str(section["ids"][0]),
            f"{label} {title}".strip(),
            label,
            text,
            " ".join(sorted(code)),
        )
        for part in own:
            yield from within(env, docname, part)
        if docname == LIST_OF_NAMES:
            return  # what follows stands on the pages of the names themselves


def words_of(part: nodes.Node, apart: tuple[type[nodes.Node], ...]) -> str:
    """Return the words of a part of a section, unless it has an entry of its own."""
    return "" if isinstance(part, (*SILENT, *apart)) else words(part, apart)


def within(env: Any, docname: str, part: nodes.Node) -> Iterator[Entry]:
    """Yield equations, figures, terms, symbols and names of the library in a part of a section."""
    for node in part.findall():
        if isinstance(node, nodes.math_block) and node.get("number"):
            label = number(env, docname, "displaymath", node) or str(node["number"])
            also = [f"eq {label}", left_side(node.astext())]
            title = f"Eq. ({label}) {node['label'].replace('-', ' ')}"
            anchor = f"equation-{node['label']}"
            yield Entry("equation", anchor, title, "|".join(also), plain(node.astext()))
        elif isinstance(node, nodes.figure) and node["ids"]:
            label = number(env, docname, "figure", node)
            caption = node.next_node(nodes.caption)
            if label and caption is not None:
                text = words(caption)
                title = f"Fig. {label}"
                yield Entry("figure", str(node["ids"][0]), title, f"figure {label}", text)
        elif isinstance(node, nodes.definition_list_item) and "glossary" in str(
            node.parent.get("classes", "")
        ):
            term = node.next_node(nodes.term)
            text = words(node, (nodes.term,))
            yield Entry("term", str(term["ids"][0]), words(term), "", text)
        elif isinstance(node, addnodes.desc) and node.get("domain") == "py":
            signature = node.next_node(addnodes.desc_signature)
            if signature["ids"]:
                name = str(signature["ids"][0])
                content = node.next_node(addnodes.desc_content)
                text = words(content, (addnodes.desc,)) if content is not None else ""
                yield Entry("name", name, name.removeprefix("saelib."), "", text[:600])
        elif isinstance(node, nodes.row) and docname == "notation":
            yield from symbol(node)


def symbol(row: nodes.row) -> Iterator[Entry]:
    """Yield a symbol of the page of notation: a row whose first cell is an equation."""
    first, *others = list(row.findall(nodes.entry))
    found = list(first.findall(nodes.math))
    section = row.parent
    while not isinstance(section, nodes.section):
        section = section.parent
    if found and words(first) == plain(found[0].astext()):
        sign = plain(found[0].astext())
        bare = re.sub(r"_\w+$|[⁽⁾⁰-⁹¹²³]", "", sign.partition(" = ")[0])
        text = "; ".join(filter(None, (words(cell) for cell in others)))
        yield Entry("symbol", str(section["ids"][0]), sign, bare if bare != sign else "", text)


def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep the entries of a page when all its references are known."""
    if app.builder.format == "html":
        kept: dict[str, Any] = app.__dict__.setdefault("section_entries", {})
        kept[docname] = [list(entry) for entry in entries(app.env, docname, doctree)]


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the index and take Sphinx's away, which has no use any more."""
    if exception or app.builder.name != "html":
        return
    for docname in app.env.found_docs - set(app.__dict__.get("section_entries", {})):
        app.env.get_and_resolve_doctree(docname, app.builder)  # an unchanged page
    kept = app.__dict__["section_entries"]
    in_order = [name for name in reading_order(app) if name in kept]
    pages = [[app.builder.get_target_uri(name), kept[name]] for name in in_order]
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
    outdir = Path(app.outdir)
    (outdir / "searchindex.js").unlink(missing_ok=True)
    (outdir / FILE).write_text(f"window.sectionIndex={text};\n", encoding="utf-8")
    for name in ("searchtools.js", "language_data.js", "sphinx_highlight.js", "doctools.js"):
        (outdir / "_static" / name).unlink(missing_ok=True)


def reading_order(app: Sphinx) -> list[str]:
    """Return the pages as the list of chapters has them."""
    found = [app.config.root_doc]
    for name in found:  # which grows
        found += [child for child in app.env.toctree_includes.get(name, []) if child not in found]
    return found


def no_page_index(app: Sphinx) -> None:
    """Keep Sphinx from making an index of pages."""
    if app.builder.format == "html":
        app.builder.search = False


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.add_js_file("js/search.js", priority=910)
    app.connect("builder-inited", no_page_index)
    app.connect("doctree-resolved", collect, priority=990)
    app.connect("build-finished", write, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
