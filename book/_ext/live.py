"""Let the reader run the code of a chapter in the page, with Python served by this site.

SAELIB_LIVE in the environment names the folder that `tools/live_files.py` has filled with Python
for the browser, `saelib` and the photographs. Without it the pages are as they always were.

A chapter gets a line under its title that starts Python, and its cells get anchors; the code and
the outputs on the page are the only ones there are. Nothing is loaded before the reader asks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parents[1]
SCRIPTS = BOOK / "_live"
RESULTS = BOOK / "_data" / "results"
TIMES = BOOK / "_data" / "live-times.json"
PINS = BOOK.parent / "tools" / "runtime.json"
PAGE_MODULES = ("cells.py", "results_format.py", "faster.py", "runner.py")
PACKAGES = ("numpy", "scipy", "matplotlib", "pillow", "tqdm", "threadpoolctl")
# Loaded at the start in chapters that name them; elsewhere when a cell turns out to need them.
# scikit-learn does not find a pandas that comes after it.
BY_NAME = {"sklearn": ("scikit-learn", "joblib"), "pandas": ("pandas", "pytz")}
CANNOT = (
    "The code on this page can be run in the browser where scripts are allowed and the page comes "
    "from a web server (make serve); the notebook above runs in Jupyter."
)
# Processor seconds in a browser for one of the machine that stored the results: measured 5 for
# training with 25 hidden units, 10 with 200.
SLOWER = 10

sys.path.insert(0, str(SCRIPTS))

from results_format import read
from saelib.images import IMAGE_CREDITS


def prepared() -> Path | None:
    """Return the folder of files for the browser, if this site is to have them."""
    named = os.environ.get("SAELIB_LIVE")
    return Path(named) if named else None


def is_chapter(docname: str) -> bool:
    """Tell whether the code of a page can be run in it: the chapters of the first two parts.

    What the third part trains is no plain data that could be stored for the page, and takes minutes
    in a browser.
    """
    return bool(re.match(r"(0\d|10)-", docname))


def anchor(cell_id: str) -> str:
    """Return the name of a cell within its page."""
    return f"code-{cell_id}"


def heavy_cells(docname: str) -> dict[str, dict[str, Any]]:
    """Return the cells whose stored result the page reads: file, code and time."""
    found = {}
    for path in sorted(RESULTS.glob(f"{docname}.*.safetensors")):
        _, description = read(path.read_bytes())
        found[anchor(path.name.split(".")[1])] = {
            "file": f"results/{path.name}",
            "code": description["code"],
            "seconds": round(SLOWER * description["seconds"]),
        }
    return found


def add_line(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the line under the title, and an anchor at every cell."""
    place = prepared()
    if place is None or app.builder.format != "html" or not is_chapter(docname):
        return
    notebook = nbformat.read(app.env.doc2path(docname), as_version=4)
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["ids"].append(anchor(notebook.cells[node["cell_index"]].id))
    known = json.loads((place / "live.json").read_text(encoding="utf-8"))
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    more = [name for word, names in BY_NAME.items() if word in code for name in names]
    data = {
        "boot": {
            "runtime": known["runtime"],
            "wheel": known["wheel"],
            "packages": [*PACKAGES, *more],
            "modules": PAGE_MODULES,
        },
        "megabytes": round(known["megabytes"] + sum(known["late"][name] for name in more)),
        "heavy": heavy_cells(docname),
    }
    text = json.dumps(data).replace("<", "\\u003c")
    line = (
        f'<div class="live-start">{CANNOT}</div>'
        f'<script type="application/json" id="live-data">{text}</script>'
    )
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is not None:
        section = title.parent
        at = section.index(title) + 1
        if at < len(section) and "chapter-times" in section[at].get("classes", []):
            at += 1
        section.insert(at, nodes.raw("", line, format="html"))


def add_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the scripts of the line in chapters, and the ticks of solved exercises everywhere."""
    if prepared() is None or app.builder.format != "html":
        return
    script = "live/page.js" if is_chapter(pagename) and doctree is not None else "live/solved.js"
    app.add_js_file(script, type="module")


def copy_files(app: Sphinx, exception: Exception | None) -> None:
    """Put Python, `saelib`, the photographs and the stored results beside the scripts."""
    place = prepared()
    if exception or app.builder.name != "html":
        return
    target = Path(app.outdir) / "_static" / "live"
    # What an earlier build has left would still be there, for no page to use.
    shutil.rmtree(target, ignore_errors=True)
    (Path(app.outdir) / "live-cache.js").unlink(missing_ok=True)
    if place is None:
        return
    skip = shutil.ignore_patterns("ruff.toml", "__pycache__", "live.json")
    for source in (place, SCRIPTS):
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=skip)
    shutil.copytree(RESULTS, target / "results", dirs_exist_ok=True)
    # What a service worker keeps lies at or below its own address.
    (target / "cache.js").replace(Path(app.outdir) / "live-cache.js")


class Tables(SphinxDirective):
    """A table from Markdown rows."""

    def rows(self) -> list[str]:
        """Return the lines."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the nodes that the lines make."""
        box = nodes.container()
        box.document = self.state.document
        lines = StringList(self.rows(), source=self.name)
        self.state.nested_parse(lines, self.content_offset, box)
        return box.children


class LiveTimes(Tables):
    """What the last `make live-times` measured: bytes, start, memory, chapters."""

    def rows(self) -> list[str]:
        """Return three tables, one under the other."""
        self.env.note_dependency(str(TIMES))
        known = json.loads(TIMES.read_text(encoding="utf-8"))
        native = json.loads((BOOK / "_data" / "run-times.json").read_text())["seconds"]
        rows = [
            "What the network brings, once:",
            "",
            "| what is loaded | MB | in all |",
            "|---|---:|---:|",
        ]
        total = 0.0
        for name, megabytes in known["megabytes"].items():
            total += megabytes
            rows.append(f"| {name} | {megabytes:.1f} | {total:.1f} |")
        rows += ["", "What a start takes:", "", "| start | processor seconds |", "|---|---:|"]
        rows += [f"| {name} | {value:.1f} |" for name, value in known["start"].items()]
        rows += [
            "",
            "A chapter can take fewer seconds here than as a notebook: the cells whose results "
            "were taken, which are the long ones, were not run in the page.",
            "",
            "| chapter | cells run | results taken | seconds in the page | seconds as a notebook "
            "| MB of Python | MB of the page |",
        ]
        rows += ["|---|---:|---:|---:|---:|---:|---:|"]
        for page, row in sorted(known["chapters"].items()):
            rows.append(
                f"| {{doc}}`{page}` | {row['same']} | {row['stored']} "
                f"| {row['seconds']:.0f} | {native[page]:.0f} | {row['heap']:.0f} | {row['page']} |"
            )
        return [*rows, "", f"Measured in {known['browser']} on {known['machine']}."]


class LiveParts(Tables):
    """What Python in the page is made of, and under which licences."""

    def rows(self) -> list[str]:
        """Return two tables, one under the other."""
        self.env.note_dependency(str(PINS))
        known = json.loads(PINS.read_text(encoding="utf-8"))
        rows = [
            "What Python in the page is made of:",
            "",
            "| part | version | licence |",
            "|---|---|---|",
        ]
        rows.append(f"| Pyodide | {known['info']['version']} | MPL-2.0 |")
        rows.append(f"| Python | {known['info']['python']} | PSF-2.0 |")
        rows += [
            f"| {name} | {entry['version']} | {entry['licence']} |"
            for name, entry in known["packages"].items()
        ]
        rows += ["", "The photographs, and who made them:", "", "| photograph | by |", "|---|---|"]
        return rows + [f"| {name} | {credit} |" for name, credit in IMAGE_CREDITS.items()]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    if prepared() is not None:
        app.tags.add("live")
        app.add_css_file("live/live.css", priority=910)
    app.add_directive("live-times", LiveTimes)
    app.add_directive("live-parts", LiveParts)
    app.connect("doctree-resolved", add_line, priority=600)
    app.connect("html-page-context", add_scripts, priority=900)
    app.connect("build-finished", copy_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
