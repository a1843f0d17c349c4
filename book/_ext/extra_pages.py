"""The pages without a source: the search, and what one sees where there is no page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

FIELD = """
<form class="bd-search d-flex align-items-center" role="search" action="search.html" method="get">
<i class="fa-solid fa-magnifying-glass"></i>
<input type="search" class="form-control" name="q" placeholder="Search this book..."
 aria-label="Search this book..." autocomplete="off" autocorrect="off" autocapitalize="off"
 spellcheck="false"/></form>
<noscript><p>The search needs JavaScript. The <a href="genindex.html">index</a> lists terms and
functions without it.</p></noscript>
"""
SEARCH = f"<h1>Search</h1>{FIELD}"
NOT_FOUND = f"""
<h1>There is no such page</h1>
<p>The address may have a slip in it, or the page has another name now. Search for it, or begin at
the <a href="index.html">first page</a>.</p>{FIELD}
"""


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield both pages."""
    if app.builder.name == "html":
        yield "search", {"title": "Search", "body": SEARCH}, "page.html"
        yield "404", {"title": "There is no such page", "body": NOT_FOUND}, "page.html"


def from_anywhere(page: str, address: str) -> str:
    """Return a page whose links hold wherever it is shown: a server shows it in any folder.

    They are taken from the root of the site; where its address is not known, from that of the host.
    """
    if "<head>" not in page:
        return page  # a part of a page, which the theme renders on its own
    root = urlsplit(address).path or "/"
    page = page.replace("<head>", f'<head>\n    <base href="{root}" />', 1)
    # What leads to a place within the page would lead away from it.
    start = page.find('<div id="pst-skip-link"')
    return page[:start] + page[page.index("</div>", start) + len("</div>") :]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
