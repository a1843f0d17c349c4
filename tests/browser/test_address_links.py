"""The site of a project whose public address is known: links to edit, ask, and run elsewhere."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from test_pages import CHAPTERS, REFERENCE

from conftest import ROOT

ADDRESS = "https://github.com/someone/book"
BUILD = """
import sys
from pathlib import Path
from book import built
sys.exit(not built(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return a function that gives a page of a site built with the address."""
    folder = tmp_path_factory.mktemp("with address")
    source = folder / "book"
    shutil.copytree(ROOT / "book", source)
    subprocess.run(
        [sys.executable, "-c", BUILD, str(source), str(folder)],
        cwd=ROOT / "tools",
        env={**os.environ, "SAELIB_REPOSITORY": "git@github.com:someone/book.git"},
        check=True,
    )
    site = folder / "_build" / "html"
    return lambda page: BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_opens_on_binder_and_says_what_needs_the_network(pages, page):
    chapter = pages(page)
    notebook = page.replace(".html", ".ipynb")
    links = [link["href"] for link in chapter.select("a[href]")]
    assert any(
        link.startswith("https://mybinder.org/v2/gh/someone/book/main?")
        and link.endswith(f"book/{notebook}")
        for link in links
    )
    words = chapter.select_one(".chapter-times").get_text()
    assert "opens it in Binder; that needs the network" in words
    # The notebooks as they are committed do not know where Colab gets saelib from.
    assert not [link for link in links if "colab" in link]


def test_every_page_can_be_edited_and_asked_about(pages):
    for page in ("index.html", CHAPTERS[0], "glossary.html"):
        links = [link["href"] for link in pages(page).select("a[href]")]
        assert any(link.startswith(f"{ADDRESS}/edit/main/book/") for link in links), page
        assert any(link.startswith(f"{ADDRESS}/issues/new") for link in links), page


def test_every_name_of_the_library_leads_to_its_lines(pages):
    links = [
        link["href"]
        for page in REFERENCE
        for link in pages(page).select("dt.sig a.viewcode-link, dt.sig a")
    ]
    lines = [link for link in links if link.startswith(f"{ADDRESS}/blob/main/saelib/")]
    assert len(lines) >= 100
    for link in lines:
        path, first, last = re.fullmatch(rf"{ADDRESS}/blob/main/(\S+)#L(\d+)-L(\d+)", link).groups()
        assert re.match(
            r"\s*(@|(async )?def |class )", (ROOT / path).read_text().splitlines()[int(first) - 1]
        ), link
        assert int(first) < int(last)


def test_the_errata_say_where_to_write(pages):
    links = [link["href"] for link in pages("errata.html").select("article a[href]")]
    assert {ADDRESS, f"{ADDRESS}/issues/new"} <= set(links)


def test_the_page_for_wrong_addresses_takes_its_links_from_the_root_of_the_site(pages):
    assert pages("404.html").select_one("base")["href"] == "/book/"
    card = pages("index.html").select_one("meta[property='og:image']")["content"]
    assert card == "https://someone.github.io/book/_static/card.png"


def test_the_install_page_names_the_address_where_it_is_to_be_typed(pages):
    page = pages("install.html")
    typed = page.select_one("article").get_text()
    assert f'python -m pip install "saelib @ git+{ADDRESS}@main"' in typed
    links = [link["href"] for link in page.select("article a[href]")]
    assert ADDRESS in links
    assert "https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/book" in links
