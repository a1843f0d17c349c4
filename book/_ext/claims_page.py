"""The role that marks an empirical claim in the text, and the page of what was measured.

``{claim}`label` `` after a sentence becomes a link to the row of the claim on the page *Claims*.
Several in a row become one, whose row leads to those of the others.
What does not fit together between the text, the registers in claims/ and the stored results is a
warning, and so an error of the build.
"""

from __future__ import annotations

import json
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
from sphinx.util.nodes import nested_parse_with_titles

ROOT = Path(__file__).resolve().parents[2]
PAGE = "claims"
KEPT = "\N{NO-BREAK SPACE}"  # within a range, and between a name and its version
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


def is_mark(node: nodes.Node | None) -> bool:
    """Tell whether a node is the mark of a claim."""
    return isinstance(node, addnodes.pending_xref) and node["reftarget"].startswith("claim-")


def join_marks(app: Sphinx, doctree: nodes.document) -> None:
    """Let each mark stand at its word, and the first of several speak for all."""
    for mark in list(doctree.findall(is_mark)):
        siblings, place = mark.parent, mark.parent.index(mark)
        before = siblings[place - 1] if place else None
        if not isinstance(before, nodes.Text):
            continue
        words = before.astext().rstrip()
        if not words and is_mark(siblings[place - 2]):
            del siblings[place - 1 : place + 1]
        else:
            siblings[place - 1] = nodes.Text(words)


class ClaimsTable(SphinxDirective):
    """A section per chapter: the ranges allowed, the ranges measured and the verdicts."""

    def run(self) -> list[nodes.Node]:
        """Return the tables, and warn of what does not fit together."""
        for complaint in register.complaints():
            _log.warning("claims: %s", complaint, location=self.get_location())
        for folder in ("claims", "book/_data/claims"):
            for path in (ROOT / folder).glob("*.*"):
                self.env.note_dependency(str(path))
        claims = register.read_register()
        chapters = list(dict.fromkeys(claim.chapter for claim in claims))
        entries = [list(register.read_results(chapter).values()) for chapter in chapters]
        versions = {_versions([entry]) for used in entries for entry in used}
        shared = len(versions) == 1
        lines = [f"All were run {versions.pop().replace('With', 'with')}", ""] if shared else []
        for chapter in chapters:
            mine = [claim for claim in claims if claim.chapter == chapter]
            lines += [*_lines(chapter, mine, shared), ""]
        box = nodes.section()
        box.document = self.state.document
        nested_parse_with_titles(
            self.state, StringList(lines, source="claims"), box, self.content_offset
        )
        return box.children


def name_rows(app: Sphinx, doctree: nodes.document) -> None:
    """Give the row of every claim an address that the role can link to."""
    if app.env.docname != PAGE:
        return
    labels = app.env.get_domain("std").anonlabels
    titled = app.env.get_domain("std").labels
    others = register.said_together()
    for table in doctree.findall(nodes.table):
        table["classes"].append("claims")
    for row in list(doctree.findall(nodes.row)):
        literal = next(iter(row.findall(nodes.literal)), None)
        if literal is None:
            continue
        label = literal.astext()
        literal.parent["ids"].append(f"claim-{label}")
        literal.parent.extend(_links(others.get(label, [])))
        labels[f"claim-{label}"] = PAGE, f"claim-{label}"
        titled[f"claim-{label}"] = PAGE, f"claim-{label}", label


def _links(labels: list[str]) -> Iterator[nodes.Node]:
    """Yield what leads to the other claims of a sentence."""
    for k, label in enumerate(labels):
        yield nodes.Text(", " if k else " with ")
        name = nodes.literal(text=label)
        yield nodes.reference("", "", name, refid=f"claim-{label}", internal=True)


def _lines(chapter: str, claims: list[register.Claim], shared: bool) -> Iterator[str]:
    """Return the Markdown of a chapter's table, with versions unless all tables share them."""
    results = register.read_results(chapter)
    used = [results[claim.experiment] for claim in claims if claim.experiment in results]
    dates = sorted({entry["date"] for entry in used if entry["date"]})
    days = " to ".join(dict.fromkeys(dates[:1] + dates[-1:]))
    yield from [f"## {_title(chapter)}", ""]
    yield f"In {{doc}}`{chapter}`" + (f", measured {days}." if days else ".")
    yield from ["", "| claim | allowed | measured | verdict |", "|---|---|---|---|"]
    for claim in claims:
        values = register.measured(claim, results)
        numbers = [value for value in values.values() if value is not None]
        found = _range(min(numbers), max(numbers)) if numbers else "nothing yet"
        yield (
            f"| `{claim.label}` | {_allowed(claim)} | {found} {_runs(len(values), claim)} "
            f"| {register.verdict(claim, values)} |"
        )
    versions = _versions(used)
    if versions and not shared:
        yield from ["", versions]


def _versions(used: list[dict[str, Any]]) -> str:
    """Return in words with which versions experiments were run."""
    versions = {name: number for entry in used for name, number in entry["versions"].items()}
    words = ", ".join(f"{name}{KEPT}{v}" for name, v in versions.items())
    return f"With {words}." if words else ""


def _title(chapter: str) -> str:
    notebook = json.loads((ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    titles = (line for cell in notebook["cells"] for line in cell["source"] if line[:2] == "# ")
    return next(titles).removeprefix("# ").strip()


def _runs(stored: int, claim: register.Claim) -> str:
    wanted = len(claim.runs)
    of = "" if stored == wanted else f" of {wanted}"
    return f"in{KEPT}{stored}{of}{KEPT}runs" if wanted > 1 else "in one run" if stored else ""


def readable(value: float) -> str:
    """Return a number with three digits as people write it: 5,040, and 1.15 × 10⁻⁹.

    >>> readable(5044.0), readable(-0.00048), readable(1e-7), readable(0.5)
    ('5,040', '−0.00048', '10⁻⁷', '0.5')
    """
    digits = f"{abs(value):.3g}"
    mantissa, _, exponent = f"{abs(value):.2e}".partition("e")
    if abs(value) >= 1000:
        digits = f"{float(digits):,.0f}"
    elif value and abs(value) < 1e-4:
        power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        factor = f"{float(mantissa):g}"
        digits = power if factor == "1" else f"{factor} × {power}"
    return "−" * (value < 0) + digits


def _range(low: float, high: float) -> str:
    ends = dict.fromkeys([readable(low), readable(high)])
    return f"{KEPT}to{KEPT}".join(ends)


def _allowed(claim: register.Claim) -> str:
    if math.isinf(claim.low):
        return f"at most {readable(claim.high)}"
    if math.isinf(claim.high):
        return f"at least {readable(claim.low)}"
    return _range(claim.low, claim.high)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role and the directive."""
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-table", ClaimsTable)
    app.connect("doctree-read", join_marks)
    app.connect("doctree-read", name_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
