"""Number the tables that cells show as tables, and let tables of words be read on a phone.

A cell whose output is a table gets its caption and its name as one with a picture does, by the
`figure` entry of its metadata. What holds no picture then becomes "Table 8.1".

A table of words has too little room on a phone for its columns: there each row becomes a block,
whose cells carry the names of their columns.
"""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LONG = 55  # letters of the longest cells of all columns, from which on a table is one of words


class table_figure(nodes.figure):  # noqa: N801 (docutils finds the visitor by this name)
    """A table with a caption, in what would be a figure if it held a picture."""


class NumberTables(SphinxTransform):
    """Turn figures whose content is an HTML table into what is numbered as a table."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Replace the nodes before they are numbered and referred to."""
        for figure in list(self.document.findall(nodes.figure)):
            if type(figure) is nodes.figure and holds_a_table(figure):
                table = table_figure("", *figure.children, **figure.attributes)
                table.source, table.line = figure.source, figure.line
                figure.replace_self(table)
                for name in table["ids"]:  # references look up there what they lead to
                    self.document.ids[name] = table


def holds_a_table(figure: nodes.figure) -> bool:
    """Tell whether there is a table in a figure, and no picture."""
    raw = [node.astext() for node in figure.findall(nodes.raw)]
    return any("<table" in text for text in raw) and not list(figure.findall(nodes.image))


def name_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Let the cells of tables of words know the names of their columns."""
    for table in doctree.findall(nodes.table):
        names = [cell.astext() for head in table.findall(nodes.thead) for cell in head[0]]
        rows = [list(row) for body in table.findall(nodes.tbody) for row in body]
        longest = [max(len(cell.astext()) for cell in column) for column in zip(*rows, strict=True)]
        if len(names) < 3 or sum(longest) <= LONG:
            continue
        table["classes"].append("stacked")
        for row in rows:
            for cell, name in zip(row, names, strict=True):
                cell["column"] = name


def visit_cell(writer: Any, node: nodes.entry) -> None:
    """Write the beginning of a cell with the name of its column."""
    type(writer).visit_entry(writer, node)
    if "column" in node:
        label = html.escape(node["column"])
        writer.body[-1] = writer.body[-1].replace("<td", f'<td data-column="{label}"', 1)


def depart_cell(writer: Any, node: nodes.entry) -> None:
    """Write the end."""
    type(writer).depart_entry(writer, node)


def caption_of(node: nodes.Node) -> str | None:
    """Return the text that stands beside the number."""
    caption = next(node.findall(nodes.caption), None)
    return caption.astext() if caption is not None else None


def visit(writer: Any, node: table_figure) -> None:
    """Write the beginning as of a figure, with a class of its own."""
    node["classes"] = [*node.get("classes", []), "table-figure"]
    writer.visit_figure(node)


def depart(writer: Any, node: table_figure) -> None:
    """Write the end."""
    writer.depart_figure(node)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.add_enumerable_node(table_figure, "table", caption_of, html=(visit, depart))
    app.add_node(nodes.entry, override=True, html=(visit_cell, depart_cell))
    app.add_transform(NumberTables)
    app.connect("doctree-read", name_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
