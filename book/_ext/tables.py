"""Number the tables that cells show as tables, and not as figures.

A cell whose output is a table gets its caption and its name as one with a picture does, by the
`figure` entry of its metadata. What holds no picture then becomes "Table 8.1".
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


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
    app.add_transform(NumberTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
