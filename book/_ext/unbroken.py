"""Keep together what must not be parted: a number and its unit, at least 1, L-BFGS, 1e-3.

The sources hold plain spaces and hyphens, so that they can be typed, searched and copied.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

SPACE = re.compile(r"(?<=\d) (?=(?:%|min|ms|s|px|[kMG]i?B|nats?|bits?)(?!\w))")
BOUND = re.compile(r"\b(at least|at most|greater than|less than) (?=[−-]?\d)")
POWER = re.compile(r"(?<=\d) × (?=10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])")
HYPHEN = re.compile(r"(\b(?:L-BFGS|l-bfgs|\d{4}-\d\d-\d\d|\d+(?:\.\d+)?e-\d+)\b)")
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


def kept_together(text: str) -> str:
    """Return a text whose spaces do not break within a number, its unit and its bound."""
    kept = "\N{NO-BREAK SPACE}"
    text = SPACE.sub(kept, text)
    text = BOUND.sub(rf"\1{kept}", text)
    return POWER.sub(f"{kept}×{kept}", text)


class Unbroken(SphinxPostTransform):
    """Put a space that does not break before units, and a box around hyphens that must not."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Go through all texts of the page."""
        for text in list(self.document.findall(nodes.Text)):
            if alone(text):
                continue
            joined = kept_together(str(text))
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
