"""Print the whole book to _build/sparse-autoencoders.pdf: contents, page numbers, bookmarks.

    python tools/pdf.py

For print, a copy of the book is executed with drawings (SVG) as figures, unless that has been done
since its sources changed. The built pages are joined into one document, which Chromium prints. The
page numbers of the contents come from a first printing, so that the second one can show them.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "_build" / "print"
SITE = COPY / "_build" / "html"
STAMP = COPY / "made-from"
TARGET = ROOT / "_build" / "sparse-autoencoders.pdf"
sys.path[:0] = [str(ROOT / folder) for folder in ("tools", "tests/browser", "book/_ext")]
ABOUT = {
    "/Title": "Sparse autoencoders",
    "/Author": "The saelib authors",
    "/Subject": "A book whose equations, numbers and figures are computed by its own library",
    "/Keywords": "sparse autoencoder, backpropagation, KL divergence, feature learning, numpy",
}
STYLE = """
@page { size: A4; margin: 20mm 18mm 22mm; }
html { font-size: 10.5pt; }
body { background: white; color: black; display: block; }
main.printed { max-width: none; padding: 0; margin: 0; }
.chapter { break-before: page; }
main.printed *:not(#none):not(#never) { box-shadow: none !important; }
.headerlink, .copybtn, button, .explore, .toggle-button, .no-print { display: none !important; }
h1, h2, h3, figcaption, dt { break-after: avoid; }
figure, pre, table, .admonition, .katex-display, div.math { break-inside: avoid; }
.equation-card { break-inside: avoid; }
pre { white-space: pre-wrap; }
img { max-width: 100%; height: auto; }
figure img { max-width: 12cm; }
details > summary { list-style: none; }
nav.printed ol { list-style: none; padding: 0; }
nav.printed li { display: flex; margin: 0.25em 0; }
nav.printed li.part { font-weight: 600; margin-top: 1em; }
nav.printed a { flex: 1; color: inherit; text-decoration: none; }
header.printed { text-align: center; margin: 4cm 0 2cm; }
header.printed h1 { font-size: 32pt; }
header.printed img { width: 100%; margin-top: 2cm; }
"""


def draw() -> None:
    """Make the pages with drawings as figures, unless they are there."""
    from notebooks import execute

    from book import built, fingerprint

    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT / "book", COPY / "book")
    for notebook in sorted((COPY / "book").glob("*.ipynb")):
        print(f"{notebook.name} with drawings: {execute(notebook, 'svg'):.0f} s", flush=True)
    if not built(COPY / "book", COPY):
        raise SystemExit(1)
    STAMP.write_text(wanted)


def contents() -> list[tuple[str, str]]:
    """Return the pages in the order of the book, as (file name, title)."""
    index = soup_of("index")
    pages = [("index", "Preface")]
    for link in index.select("nav.bd-links a.reference.internal"):
        name = str(link["href"]).removesuffix(".html")
        if name not in ("#", "index") and name not in [known for known, _ in pages]:
            pages.append((name, link.get_text(" ", strip=True)))
    return pages


def soup_of(page: str) -> BeautifulSoup:
    """Return a built page."""
    return BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def chapter(page: str, known: set[str], address: str = "") -> str:
    """Return the article of a page; its ids carry the page's name, and its links follow.

    What is on the site only gets its full address if that is known, and else is no link.
    """
    article = soup_of(page).select_one("article.bd-article")
    if article is None:
        raise SystemExit(f"Sorry: {page}.html has no article; the theme must have changed")
    for node in article.select("[id]"):
        node["id"] = f"{page}--{node['id']}"
    for node in article.select("a[href]"):
        target, _, anchor = str(node["href"]).partition("#")
        other = target.removesuffix(".html") or page
        if re.match(r"\w+:", target):
            continue
        if other in known:
            node["href"] = f"#{other}--{anchor}" if anchor else f"#{other}"
        elif address:
            node["href"] = address + str(node["href"])
        else:
            node.unwrap()  # a file beside the page, which who reads on paper does not have
    for node in article.select("img[loading]"):
        del node["loading"]  # what is not on the screen is printed as well
    for node in article.select("details"):
        node["open"] = ""
    for node in article.select(".dropdown, .toggle, .toggle-hidden"):
        node["class"] = [
            c for c in node["class"] if c not in ("dropdown", "toggle", "toggle-hidden")
        ]
    return f'<section class="chapter" id="{page}">{article.decode_contents()}</section>'


def document(pages: list[tuple[str, str]], numbers: dict[str, int], address: str) -> str:
    """Return the whole book as one page of HTML."""
    known = {name for name, _ in pages}
    sheets = [
        f'<link rel="stylesheet" href="{escape(str(link["href"]))}">'
        for link in soup_of("01-network").select('link[rel="stylesheet"]')
    ]
    lines = [
        f'<li><a href="#{name}">{escape(title)}</a><span>{numbers.get(name, "")}</span></li>'
        for name, title in pages
    ]
    return "\n".join(
        [
            '<!doctype html><html lang="en" data-theme="light" data-mode="light"><head>',
            '<meta charset="utf-8"><title>Sparse autoencoders</title>',
            *sheets,
            f"<style>{STYLE}</style></head><body><main class='printed bd-article'>",
            "<header class='printed'><h1>Sparse autoencoders</h1><p>The saelib authors</p>",
            "<img src='_static/cover.png' alt=''></header>",
            "<nav class='printed chapter'><h1>Contents</h1><ol>",
            *lines,
            "</ol></nav>",
            *[chapter(name, known, address) for name, _ in pages],
            "</main></body></html>",
        ]
    )


def first_pages(pdf: Path, pages: list[tuple[str, str]]) -> dict[str, int]:
    """Return the number of the page on which each chapter begins, from the named places."""
    reader = PdfReader(pdf)
    places: dict[str, Any] = reader.named_destinations
    found = {}
    for name, _ in pages:
        place = places.get(name) or places.get(f"/{name}")
        if place is not None:
            found[name] = reader.get_destination_page_number(place) + 1
    return found


def print_to(browser: Any, html: Path) -> None:
    """Print a page of HTML to the target."""
    page = browser.new_page()
    page.goto(html.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready")
    page.pdf(
        path=str(TARGET),
        prefer_css_page_size=True,
        outline=True,
        tagged=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template="<div style='font:8pt sans-serif;width:100%;text-align:center'>"
        "<span class='pageNumber'></span></div>",
    )
    page.close()


def describe(pdf: Path) -> None:
    """Say in the file what it is and who wrote it, and make sure that it names no local file."""
    writer = PdfWriter(clone_from=pdf)
    writer.add_metadata(ABOUT)
    writer.write(pdf)
    local = [target for target in targets(pdf) if target.startswith("file:")]
    if local:
        raise SystemExit(f"Sorry: the PDF has links to files of this machine: {local[:3]}")


def targets(pdf: Path) -> list[str]:
    """Return the addresses outside the file that its links lead to."""
    found = []
    for page in PdfReader(pdf).pages:
        for link in page.get("/Annots") or []:
            action: Any = link.get_object().get("/A") or {}
            if "/URI" in action:
                found.append(str(action["/URI"]))
    return found


def main() -> None:
    """Print twice: the second time with the page numbers of the first."""
    from chromium import launch
    from public_address import public_address, site_address

    from book import repository

    known = os.environ.get("SAELIB_REPOSITORY") or repository()[0]
    address = site_address(public_address(known))
    draw()
    pages = contents()
    html = SITE / "printed.html"
    with sync_playwright() as playwright, launch(playwright) as browser:
        numbers: dict[str, int] = {}
        for _ in range(2):
            html.write_text(document(pages, numbers, address), encoding="utf-8")
            print_to(browser, html)
            numbers = first_pages(TARGET, pages)
    html.unlink()
    describe(TARGET)
    missing = [name for name, _ in pages if name not in numbers]
    if missing:
        raise SystemExit(f"Sorry: no page number was found for {', '.join(missing)}")
    n_pages = len(PdfReader(TARGET).pages)
    print(f"{TARGET}: {n_pages} pages, {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
