"""The repository in a folder as people have them, as a stranger's shell would build it.

Its public address is known there: the pages have links to edit, ask, and run elsewhere.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import clean  # noqa: E402

ADDRESS = "https://github.com/someone/book"
CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("[0-9][0-9]-*.ipynb"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a copy of what is under version control, in a folder that is hard to spell."""
    if not (ROOT / ".git").exists():
        pytest.skip("the repository has no history here, so what belongs to it is not known")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    place = tmp_path_factory.mktemp("elsewhere") / "Ein Ordner mit Ä, ß und é"
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


@pytest.fixture(scope="module")
def made(folder):
    """Return what `make` has said, called from elsewhere, in parallel and without a home."""
    variables = clean.plain(
        {
            "HOME": "/nonexistent",
            "LIVE": "0",
            "SAELIB_REPOSITORY": "git@github.com:someone/book.git",
            # What was downloaded before may be used again; only the home is to be missing.
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        }
    )
    variables.pop("MAKEFLAGS", None)
    variables.pop("MAKELEVEL", None)
    return subprocess.run(
        ["make", "-C", str(folder), "-j2", "lint", "book"],
        cwd=folder.parent,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def pages(folder, made):
    """Return a function that gives a page of the site."""
    site = folder / "_build" / "html"
    return lambda page: BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")


def test_make_works_from_elsewhere_in_parallel_with_umlauts_and_without_a_home(folder, made):
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    assert (folder / "_build" / "html" / "index.html").is_file()
    assert "Sorry" not in made.stdout + made.stderr


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_opens_on_binder_and_says_what_needs_the_network(pages, page):
    chapter = pages(f"{page}.html")
    links = [link["href"] for link in chapter.select("a[href]")]
    assert any(
        link.startswith("https://mybinder.org/v2/gh/someone/book/main?")
        and link.endswith(f"book/{page}.ipynb")
        for link in links
    )
    words = chapter.select_one(".chapter-times").get_text()
    assert "opens it in Binder; that needs the network" in words
    # The notebooks as they are committed do not know where Colab gets saelib from.
    assert not [link for link in links if "colab" in link]


def test_every_page_can_be_edited_and_asked_about(pages):
    for page in ("index.html", f"{CHAPTERS[0]}.html", "glossary.html"):
        links = [link["href"] for link in pages(page).select("a[href]")]
        assert any(link.startswith(f"{ADDRESS}/edit/main/book/") for link in links), page
        assert any(link.startswith(f"{ADDRESS}/issues/new") for link in links), page


def test_every_name_of_the_library_leads_to_its_lines(folder, pages):
    reference = sorted((folder / "_build" / "html").glob("api-*.html"))
    links = [
        link["href"]
        for page in reference
        for link in pages(page.name).select("dt.sig a.viewcode-link, dt.sig a")
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
