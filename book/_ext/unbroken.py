"""Keep together what must not end a line: a number and its unit, L-BFGS, 1e-3.

The sources hold plain spaces and hyphens, so that they can be typed, searched and copied.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

SPACE = re.compile(r"(?<=\d) (?=(?:%|min|ms|s|px|[kMG]i?B|nats?|bits?)(?!\w))")
HYPHEN = re.compile(r"(\b(?:L-BFGS|\d+(?:\.\d+)?e-\d+)\b)")
LEFT_ALONE = (
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.comment,
    nodes.title,
)


def alone(node: nodes.Node) -> bool:
    """Return whether a text stands where it has to stay as it is."""
    while node is not None:
        if isinstance(node, LEFT_ALONE):
            return True
        node = node.parent
    return False


class Unbroken(SphinxPostTransform):
    """Put a space that does not break before units, and a box around hyphens that must not."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Go through all texts of the page."""
        for text in list(self.document.findall(nodes.Text)):
            if alone(text):
                continue
            joined = SPACE.sub("\N{NO-BREAK SPACE}", str(text))
            parts = HYPHEN.split(joined)
            if len(parts) > 1:
                new: list[nodes.Node] = [
                    nodes.inline("", part, classes=["unbroken"]) if k % 2 else nodes.Text(part)
                    for k, part in enumerate(parts)
                    if part
                ]
                text.parent.replace(text, new)
            elif joined != text:
                text.parent.replace(text, nodes.Text(joined))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(Unbroken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
