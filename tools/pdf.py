"""Print the whole book to _build/sparse-autoencoders.pdf: contents, page numbers, bookmarks.

    python tools/pdf.py

For print, the pages are built once more, without what only runs on a screen, unless that has been
done since their sources changed. Each chapter is set by itself (tools/page_breaks.py); then they
are joined into one document, which Chromium prints. The page numbers of the contents and of the
links come from a printing before it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from bs4 import BeautifulSoup
from bs4.element import Tag
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
    "/Creator": "saelib",
    "/Subject": "A book whose equations, numbers and figures are computed by its own library",
    "/Keywords": "sparse autoencoder, backpropagation, KL divergence, feature learning, numpy",
}
# What a reader on paper does not look up there: the site has it, with links to every line.
NOT_PRINTED = re.compile(r"(api(-.+)?|claims|run-times|errata)\Z")
PREFACE = "Preface"
FACES = {  # the serif faces that come with matplotlib
    "STIXGeneral.ttf": "",
    "STIXGeneralBol.ttf": "font-weight: bold;",
    "STIXGeneralItalic.ttf": "font-style: italic;",
    "STIXGeneralBolIta.ttf": "font-weight: bold; font-style: italic;",
}
STYLE = """
@page {
  size: A4; margin: 20mm 22mm 19mm;
  @bottom-center { content: counter(page); font: 8.5pt Book; }
}
@page cover { margin: 0; @bottom-center { content: none; } }
html { font-size: 9.5pt; text-rendering: geometricPrecision; }  /* no advance in whole pixels */
body { background: white; color: black; display: block; min-height: 0; }
main.printed { max-width: none; padding: 0; margin: 0; }
main.printed, main.printed :is(p, li, dd, dt, td, th, figcaption, h1, h2, h3, h4) {
  font-family: Book, serif; line-height: calc(1.32 * var(--leading, 1));
}
main.printed.bd-article { font-size: 9.8pt; }
main.printed .katex { font-size: 1.08em; }  /* digits as high as those of the text */
.chapter { break-before: page; }
.chapter h1 { font-size: 21pt; }
.chapter h2 { font-size: 14pt; margin: 1.2em 0 0.4em; }
.chapter h3 { font-size: 11.5pt; margin: 1em 0 0.35em; }
.chapter p { hyphens: auto; margin-bottom: 0.55em; orphans: 2; widows: 2; }
main.printed *:not(#none):not(#never) { box-shadow: none !important; }
.headerlink, .copybtn, button, .explore, .toggle-button, .no-print { display: none !important; }
h1, h2, h3, h4, dt, .admonition-title, .with-next { break-after: avoid; }
figcaption:not(:first-child) { break-before: avoid; }
figcaption:first-child:not(:only-child) { break-after: avoid; }
figcaption:only-child > p { break-after: avoid; }  /* with its table in it */
figure, .katex-display, div.math, tr, .equation-card, .whole { break-inside: avoid; }
tbody tr:last-child { break-before: avoid; }
.bd-article div.admonition { break-inside: auto; margin: 0.6em 0; padding-bottom: 0; }
.bd-article div.admonition > :last-child { margin-bottom: 0.4em; }
/* The frames of words of code are higher than a line, and would begin on the page before. */
main.printed code.literal { background: none; border: 0; color: inherit; padding: 0; }
.bd-article div.admonition.solution { font-size: 9.2pt; }
.bd-article div.cell { margin: 0.5em 0; }
.bd-article pre { font-size: 7.2pt; line-height: 1.28; padding: 0.3em 0.7em; margin: 0.3em 0; }
pre { white-space: pre-wrap; orphans: 4; widows: 4; }
.bd-article :is(div.highlight, div.notranslate) { break-inside: auto; display: block; }
.bd-article .cell_output:not(:has(figure)) { break-before: avoid; }
.bd-article div.math { margin: 0.5em 0; }
.bd-article figure { margin: 0.7em 0; }
.bd-article figure figcaption { font-size: 8.8pt; margin-top: 0.3em; max-width: 13cm; }
img { max-width: 100%; height: auto; }
.bd-article figure img {  /* at half its size at least, so that its letters can be read */
  max-width: 12cm; object-fit: contain;
  max-height: max(6.3cm * var(--figures, 1), attr(height px, 0px) / 2);
}
.bd-article table, .bd-article table :is(td, th) { font-size: 8.6pt; }
.bd-article table :is(td, th) { padding-block: 0.15em; }
.bd-article .side-note {
  border-left: 1.5pt solid #999; break-before: avoid; break-inside: avoid; color: #333;
  font-size: 8.8pt; margin: -0.2em 0 0.7em; padding-left: 0.8em;
}
details > summary { display: none; }
.remark { color: #444; font-size: 0.9em; white-space: nowrap; }
#bibliography, #glossary, #equations, #notation, #sources { font-size: 9pt; }
nav.printed ol { list-style: none; margin: 0; padding: 0; }
nav.printed li { break-inside: avoid; display: flex; gap: 0.6em; margin: 0 0 0 1.6em; }
main.printed nav.printed li { font-size: 8.4pt; line-height: 1.25; }
main.printed nav.printed li.page {
  break-after: avoid; font-size: 9.6pt; font-weight: bold; margin: 0.4em 0 0;
}
nav.printed > ol { columns: 2; column-gap: 1.2cm; }
main.printed nav.printed a { color: inherit; flex: 1; text-decoration: none; }
header.printed { page: cover; height: 296mm; position: relative; text-align: center; }
header.printed h1 { font-size: 40pt; margin: 0; padding-top: 52mm; }
header.printed p { font-size: 15pt; margin-top: 8mm; }
header.printed img { bottom: 0; left: 0; position: absolute; width: 100%; }
"""


def build() -> None:
    """Build the pages, unless they are there."""
    from book import built, fingerprint

    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT / "book", COPY / "book")
    if not built(COPY / "book", COPY):
        raise SystemExit(1)
    STAMP.write_text(wanted)


def contents() -> list[tuple[str, str]]:
    """Return the pages in the order of the book, as (file name, title)."""
    index = soup_of("index")
    pages = [("index", PREFACE)]
    for link in index.select("nav.bd-links a.reference.internal"):
        name = str(link["href"]).removesuffix(".html")
        known = ("#", *(page for page, _ in pages))
        if name not in known and not NOT_PRINTED.match(name):
            pages.append((name, link.get_text(" ", strip=True)))
    return pages


def soup_of(page: str) -> BeautifulSoup:
    """Return a built page."""
    return BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def chapter(page: str, known: set[str], address: str = "") -> str:
    """Return the article of a page; its ids carry the page's name, and its links follow."""
    article = soup_of(page).select_one("article.bd-article")
    if article is None:
        raise SystemExit(f"Sorry: {page}.html has no article; the theme must have changed")
    if page == "index":
        article.h1.string = PREFACE  # type: ignore[union-attr]  # the cover has the title
    for node in article.select("[id]"):
        node["id"] = f"{page}--{node['id']}"
    relink(article, page, known, address)
    for node in article.select("img[loading]"):
        del node["loading"]  # what is not on the screen is printed as well
    # Drawings for phones; imports and long assertions, which the site folds.
    for node in article.select("picture source, details.above-input"):
        node.decompose()
    for node in article.select("details"):
        node["open"] = ""
    for node in article.select(".dropdown, .toggle, .toggle-hidden"):
        node["class"] = [
            c for c in node["class"] if c not in ("dropdown", "toggle", "toggle-hidden")
        ]
    # Two claims of one sentence have two links, and on paper one mark.
    inside = re.sub(r'(<span class="remark">.*?</span>)(\s+\1)+', r"\1", article.decode_contents())
    return f'<section class="chapter" id="{page}" style="page: {named(page)}">{inside}</section>'


def relink(article: Tag, page: str, known: set[str], address: str) -> None:
    """Let the links of a page lead to where their targets are in the document.

    What is on the site only gets its full address if that is known, and else is no link. Behind a
    link to another chapter is room for the number of the page.
    """
    for node in article.select("a[href]"):
        target, _, anchor = str(node["href"]).partition("#")
        other = target.removesuffix(".html") or page
        if re.match(r"\w+:", target):
            continue
        if other in known:
            place = f"{other}--{anchor}" if anchor else other
            node["href"] = f"#{place}"
            if anchor and other != page and other[0].isdigit():
                number = remark("")
                number["data-place"] = place
                node.insert_after(number)
        elif address:
            node["href"] = address + str(node["href"])
        else:
            unlink(node)


def unlink(node: Tag) -> None:
    """Take away a link to what is on the site only."""
    if "#claim-" in str(node["href"]):
        node.replace_with(remark(f"[{node.get_text()}]"))  # no word of the sentence
    elif "sd-stretched-link" in node.get_attribute_list("class"):
        node.decompose()  # a card was the link, and this its hidden name
    else:
        node.unwrap()  # a file beside the page, which who reads on paper does not have


def remark(text: str) -> Tag:
    """Return what stands in the place of a link or behind it, set apart from the sentence."""
    tag = BeautifulSoup("", "html.parser").new_tag("span", attrs={"class": "remark"})
    tag.string = text
    return tag


def numbered(html: str, numbers: dict[str, int]) -> str:
    """Return the document with the numbers of the pages behind its links."""
    return re.sub(
        r'(<span class="remark" data-place="([^"]+)">)[^<]*',
        lambda found: f"{found[1]} [p. {numbers.get(found[2], 100)}]",
        html,
    )


def named(page: str) -> str:
    """Return the name of the pages of a chapter, from which they have their running head."""
    return "p-" + re.sub(r"\W", "-", page)


def heads(pages: list[tuple[str, str]]) -> str:
    """Return the rules that put the title of the chapter above each of its pages."""
    head = "font: italic 8.5pt Book; vertical-align: bottom; padding-bottom: 4mm;"
    return "\n".join(
        f"@page {named(name)}:left {{ @top-left {{ content: {quoted(title)}; {head} }} }}\n"
        f"@page {named(name)}:right {{ @top-right {{ content: {quoted(title)}; {head} }} }}"
        for name, title in pages
    )


def quoted(text: str) -> str:
    """Return a text as CSS writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def faces() -> str:
    """Return the rules that load the text face."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return "\n".join(
        f'@font-face {{ font-family: Book; src: url("{(folder / file).as_uri()}"); {more} }}'
        for file, more in FACES.items()
    )


def sections(page: str) -> list[tuple[str, str]]:
    """Return the sections of a page as (name in the document, title)."""
    found = []
    for title in soup_of(page).select("article.bd-article section > section > h2"):
        for link in title.select(".headerlink"):
            link.decompose()
        for drawn in title.select(".katex-html, annotation"):
            drawn.decompose()
        words = " ".join(title.get_text(" ").split())
        found.append((f"{page}--{title.parent['id']}", words))  # type: ignore[index]
    return found


def listed(pages: list[tuple[str, str]], numbers: dict[str, int]) -> list[str]:
    """Return the lines of the contents: chapters, and the sections of each."""
    lines = []
    for name, title in pages:
        entries = [("page", name, title)]
        if name[0].isdigit():
            entries += [("section", place, words) for place, words in sections(name)]
        lines += [
            f'<li class="{kind}"><a href="#{place}">{escape(words)}</a>'
            f"<span>{numbers.get(place, '')}</span></li>"
            for kind, place, words in entries
        ]
    return lines


def document(body: list[str], pages: list[tuple[str, str]], numbers: dict[str, int]) -> str:
    """Return a page of HTML, with the style of the book and the numbers of its pages."""
    sheets = [
        f'<link rel="stylesheet" href="{escape(str(link["href"]))}">'
        for link in soup_of("01-network").select('link[rel="stylesheet"]')
    ]
    return "\n".join(
        [
            '<!doctype html><html lang="en" data-theme="light" data-mode="light"><head>',
            '<meta charset="utf-8"><title>Sparse autoencoders</title>',
            *sheets,
            f"<style>{faces()}{STYLE}{heads(pages)}</style></head>",
            "<body><main class='printed bd-article'>",
            *[numbered(part, numbers) for part in body],
            "</main></body></html>",
        ]
    )


def front(pages: list[tuple[str, str]], numbers: dict[str, int]) -> list[str]:
    """Return the cover and the contents."""
    return [
        "<header class='printed'><h1>Sparse autoencoders</h1><p>The saelib authors</p>",
        "<img src='_static/cover.png' alt=''></header>",
        "<nav class='printed chapter'><h1>Contents</h1><ol>",
        *listed(pages, numbers),
        "</ol></nav>",
    ]


def all_pages(pdf: Path) -> dict[str, int]:
    """Return the number of the page on which each named place is."""
    reader = PdfReader(pdf)
    places: dict[str, Any] = reader.named_destinations
    numbers = {page.indirect_reference.idnum: k for k, page in enumerate(reader.pages, 1)}  # type: ignore[union-attr]
    return {
        name.removeprefix("/"): numbers[place.page.idnum]
        for name, place in places.items()
        if place.page is not None and place.page.idnum in numbers
    }


def opened(browser: Any, html: str) -> Any:
    """Return a page of the browser that shows some HTML, as wide as the text on paper."""
    file = SITE / "printed.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 627, "height": 900})
    page.emulate_media(media="print")
    page.goto(file.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready")
    file.unlink()
    return page


def printed(browser: Any, html: str) -> dict[str, int]:
    """Print some HTML to the target, and return the number of the page of each named place."""
    page = opened(browser, html)
    page.pdf(path=str(TARGET), prefer_css_page_size=True, outline=True, tagged=True)
    page.close()
    return all_pages(TARGET)


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
    """Print for the page numbers, set each chapter with them, and print twice more."""
    from chromium import launch
    from page_breaks import settle
    from public_address import public_address, site_address

    from book import repository

    known = os.environ.get("SAELIB_REPOSITORY") or repository()[0]
    address = site_address(public_address(known))
    build()
    pages = contents()
    names = {name for name, _ in pages}
    body = {name: chapter(name, names, address) for name, _ in pages}
    faults = []
    with sync_playwright() as playwright, launch(playwright) as browser:

        def whole(numbers: dict[str, int]) -> dict[str, int]:
            parts = [*front(pages, numbers), *body.values()]
            return printed(browser, document(parts, pages, numbers))

        numbers = whole({})
        for name, title in pages:
            page = opened(browser, document([body[name]], pages, numbers))
            setting = settle(page)
            page.close()
            body[name] = setting.html
            faults += [f"{title}: {fault}" for fault in setting.faults]
        numbers = whole(whole(numbers))
    describe(TARGET)
    missing = [name for name in names if name not in numbers]
    if missing:
        raise SystemExit(f"Sorry: no page number was found for {', '.join(missing)}")
    n_pages = len(PdfReader(TARGET).pages)
    print("\n".join([*faults, f"{TARGET}: {n_pages} pages, {TARGET.stat().st_size / 1e6:.1f} MB"]))


if __name__ == "__main__":
    main()
