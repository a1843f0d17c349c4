"""What the page *Install and run* depends on: the public address, and whether there is a PDF.

Text inside of ``{only} address`` is there if the address of the repository is known, and
``{only} pdf`` if tools/book.py found a PDF of the same sources. Words in capitals stand for the
addresses, also in blocks of code, and the role ``{download-link}`` for a link to a file that
tools/book.py puts beside the pages.
"""

from __future__ import annotations

import os
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config


def configure(app: Sphinx, config: Config) -> None:
    """Set the tags."""
    address = str(config.html_theme_options.get("repository_url") or "")
    if address:
        app.tags.add("address")
    if os.environ.get("SAELIB_PDF"):
        app.tags.add("pdf")


def fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the addresses where the page has words for them."""
    if docname != "install":
        return
    # Without an address these parts are left out, but their links are looked at before.
    address = str(app.config.html_theme_options.get("repository_url") or "https://unknown.invalid")
    branch = str(app.config.html_theme_options.get("repository_branch") or "main")
    place = address.partition("://")[2].partition("/")[2]
    words = {
        "ADDRESS-OF-THE-REPOSITORY": address,
        "BRANCH-OF-THE-REPOSITORY": branch,
        "ADDRESS-ON-BINDER": f"https://mybinder.org/v2/gh/{place}/{branch}?urlpath=lab/tree/book",
    }
    for word, meant in words.items():
        source[0] = source[0].replace(word, meant)


def download_link(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, **_: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return a link to a file of the folder ``downloads`` of the site."""
    link = nodes.reference(rawtext, text, refuri=f"downloads/{text}", classes=["download"])
    return [link], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts; the address is known after book_site has read it."""
    app.add_role("download-link", download_link)
    app.connect("config-inited", configure, priority=950)
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
