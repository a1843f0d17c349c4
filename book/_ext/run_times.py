"""The table of how long each notebook takes, from what the last execution wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

TIMES = Path(__file__).resolve().parents[1] / "_data" / "run-times.json"


class RunTimes(SphinxDirective):
    """Two tables: seconds per chapter, and versions."""

    def run(self) -> list[nodes.Node]:
        """Return the tables."""
        self.env.note_dependency(str(TIMES))
        known = json.loads(TIMES.read_text(encoding="utf-8"))
        rows = ["Seconds of each notebook:", "", "| chapter | seconds |", "|---|---:|"]
        rows += [f"| {{doc}}`{page}` | {round(s)} |" for page, s in known["seconds"].items()]
        rows += [f"| all | {sum(round(s) for s in known['seconds'].values())} |", ""]
        rows += [f"Measured on {known['machine']}, with", ""]
        rows += ["| package | version |", "|---|---|"]
        rows += [f"| {name} | {number} |" for name, number in known["versions"].items()]
        box = nodes.container()
        box.document = self.state.document
        self.state.nested_parse(StringList(rows, source="run-times"), self.content_offset, box)
        return box.children


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("run-times", RunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
