"""Notes beside the text: where they come from, in which unit, where more of it is said.

    The paragraph that the note belongs to.

    :::{sidenote}
    The note.
    :::

Where the sentence goes on in an equation, the note waits for its end.

In a window that is wide enough the note stands in the margin, at the height of its paragraph; else,
and on paper, below it in small type. It needs no script, and nothing moves when the page is loaded.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

_log = logging.getLogger(__name__)


class sidenote(nodes.General, nodes.Element):  # noqa: N801 - docutils finds visitors by this name
    """A note to the paragraph before it."""


class Sidenote(SphinxDirective):
    """A note to the paragraph before it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the note."""
        self.assert_has_content()
        note = sidenote("\n".join(self.content))
        self.set_source_info(note)
        self.state.nested_parse(self.content, self.content_offset, note)
        return [note]


def is_text(block: nodes.Node) -> bool:
    """Tell whether a block can be part of a sentence; a target is the label of an equation."""
    return isinstance(block, (nodes.paragraph, nodes.math_block, nodes.target))


def goes_on(block: nodes.Node) -> bool:
    """Tell whether a sentence does not end where a paragraph or an equation does."""
    text = block.astext().rstrip()
    return is_text(block) and text[-1:] not in tuple(".?!)”")


def put_beside(app: Sphinx, doctree: nodes.document) -> None:
    """Put each note and its paragraph into one box, so that both begin at the same height."""
    for note in list(doctree.findall(sidenote)):
        parent = note.parent
        place = parent.index(note)
        before = parent[place - 1] if place else None
        if not isinstance(before, nodes.paragraph):
            _log.warning("a sidenote must follow the paragraph that it belongs to", location=note)
            continue
        parent.remove(note)
        end = place
        while goes_on(parent[end - 1]) and end < len(parent) and is_text(parent[end]):
            end += 1
        blocks = parent[place - 1 : end]
        parent[place - 1 : end] = [nodes.container("", *blocks, note, classes=["noted"])]


def visit(writer: nodes.NodeVisitor, note: nodes.Element) -> None:
    """Open the box of a note, under a name at which the theme does not hide the contents."""
    writer.body.append(writer.starttag(note, "div", CLASS="side-note", role="note"))


def depart(writer: nodes.NodeVisitor, note: nodes.Element) -> None:
    """Close it."""
    writer.body.append("</div>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(sidenote, html=(visit, depart))
    app.add_directive("sidenote", Sidenote)
    app.connect("doctree-read", put_beside, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
