"""The site of a project whose public address is known: links to edit, ask, and run elsewhere."""

import os
import shutil
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from test_pages import CHAPTERS

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
        env={**os.environ, "SAELIB_REPOSITORY": ADDRESS + "/"},
        check=True,
    )
    site = folder / "_build" / "html"
    return lambda page: BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_opens_on_colab_and_binder_and_says_what_needs_the_network(pages, page):
    chapter = pages(page)
    notebook = page.replace(".html", ".ipynb")
    links = [link["href"] for link in chapter.select("a[href]")]
    assert (
        f"https://colab.research.google.com/github/someone/book/blob/main/book/{notebook}" in links
    )
    assert any(
        link.startswith("https://mybinder.org/v2/gh/someone/book/main?")
        and link.endswith(f"book/{notebook}")
        for link in links
    )
    assert "need the network" in chapter.select_one(".chapter-times").get_text()


def test_every_page_can_be_edited_and_asked_about(pages):
    for page in ("index.html", CHAPTERS[0], "glossary.html"):
        links = [link["href"] for link in pages(page).select("a[href]")]
        assert any(link.startswith(f"{ADDRESS}/edit/main/book/") for link in links), page
        assert any(link.startswith(f"{ADDRESS}/issues/new") for link in links), page


def test_the_install_page_names_the_address_where_it_is_to_be_typed(pages):
    page = pages("install.html")
    typed = page.select_one("article").get_text()
    assert f'python -m pip install "saelib @ git+{ADDRESS}@main"' in typed
    links = [link["href"] for link in page.select("article a[href]")]
    assert ADDRESS in links
    assert "https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/book" in links
