"""The role that marks an empirical claim in the text, and the page of what was measured.

``{claim}`label` `` after a sentence becomes a link to the row of the claim on the page *Claims*.
What does not fit together between the text, the registers in claims/ and the stored results is a
warning, and so an error of the build.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

import claim_register as register

_log = logging.getLogger(__name__)


class ClaimRole(SphinxRole):
    """A link that says that the sentence before it was measured, and leads to how."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the reference, to be resolved once all pages are read."""
        claims = {claim.label: claim for claim in register.read_register()}
        mark = "measured"
        if claim := claims.get(self.text):
            results = register.read_results(claim.chapter)
            mark = register.marked(claim, register.measured(claim, results))
            self.env.note_dependency(str(register.results_path(claim.chapter)))
        reference = addnodes.pending_xref(
            "",
            nodes.inline("", mark),
            refdomain="std",
            reftype="ref",
            reftarget=f"claim-{self.text}",
            refexplicit=True,
            refdoc=self.env.docname,
            refwarn=True,
        )
        reference.source, reference.line = self.get_source_info()
        return [reference], []


class ClaimsTable(SphinxDirective):
    """A table per chapter, with the range allowed, the range measured and the verdict."""

    def run(self) -> list[nodes.Node]:
        """Return the tables, and warn of what does not fit together."""
        for complaint in register.complaints():
            _log.warning("claims: %s", complaint, location=self.get_location())
        for folder in ("claims", "book/_data/claims"):
            for path in (ROOT / folder).glob("*.*"):
                self.env.note_dependency(str(path))
        claims = register.read_register()
        lines = []
        for chapter in dict.fromkeys(claim.chapter for claim in claims):
            mine = [claim for claim in claims if claim.chapter == chapter]
            lines += [*_lines(chapter, mine), ""]
        box = nodes.container()
        box.document = self.state.document
        self.state.nested_parse(StringList(lines, source="claims"), self.content_offset, box)
        for table in box.findall(nodes.table):
            table["classes"].append("claims")
        self._name_rows(box)
        return box.children

    def _name_rows(self, box: nodes.Element) -> None:
        """Give the row of every claim an address that the role can link to."""
        labels = self.env.get_domain("std").anonlabels
        titled = self.env.get_domain("std").labels
        for row in box.findall(nodes.row):
            literal = next(iter(row.findall(nodes.literal)), None)
            if literal is None:
                continue
            name = f"claim-{literal.astext()}"
            literal.parent["ids"].append(name)
            labels[name] = self.env.docname, name
            titled[name] = self.env.docname, name, literal.astext()


def _lines(chapter: str, claims: list[register.Claim]) -> Iterator[str]:
    """Return the Markdown of a chapter's table."""
    results = register.read_results(chapter)
    used = [results[claim.experiment] for claim in claims if claim.experiment in results]
    dates = sorted({entry["date"] for entry in used if entry["date"]})
    days = " to ".join(dict.fromkeys(dates[:1] + dates[-1:]))
    yield f"{{doc}}`{chapter}`" + (f", measured {days}" if days else "")
    yield from ["", "| claim | allowed | measured | verdict |", "|---|---|---|---|"]
    for claim in claims:
        values = register.measured(claim, results)
        numbers = [value for value in values.values() if value is not None]
        found = f"{min(numbers):.3g} to {max(numbers):.3g}" if numbers else "nothing yet"
        runs = f"{len(values)} of {len(claim.runs)} runs"
        yield (
            f"| `{claim.label}` | {_allowed(claim)} | {found} ({runs}) "
            f"| {register.verdict(claim, values)} |"
        )
    versions = {name: number for entry in used for name, number in entry["versions"].items()}
    if versions:
        yield from ["", "With " + ", ".join(f"{n} {v}" for n, v in versions.items()) + "."]


def _allowed(claim: register.Claim) -> str:
    if math.isinf(claim.low):
        return f"at most {claim.high:g}"
    if math.isinf(claim.high):
        return f"at least {claim.low:g}"
    return f"{claim.low:g} to {claim.high:g}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role and the directive."""
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-table", ClaimsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
