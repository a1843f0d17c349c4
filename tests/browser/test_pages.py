"""Every built page: nothing foreign, nothing broken, readable on a phone and for everybody."""

import functools
import itertools
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from conftest import ROOT, SITE

NOT_PAGES = ("_static", "_sources", "_downloads", "notebooks")
ALL = sorted(
    str(path.relative_to(SITE))
    for path in SITE.rglob("*.html")
    if path.relative_to(SITE).parts[0] not in NOT_PAGES
)
# The pages that show the files of the library are made alike: two of them stand for all.
OF_SOURCE = [page for page in ALL if page.startswith("source-")]
PAGES = [page for page in ALL if page not in OF_SOURCE[1:-1]]
REFERENCE = [page for page in ALL if page.startswith("api-")]
CHAPTERS = [page for page in PAGES if re.match(r"\d\d-", page)]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Equations that were not drawn, and source of equations in the text.
UNRENDERED = r"""() => {
  const found = [...document.querySelectorAll(".math")].filter((box) => {
    const drawn = box.querySelector(".katex-html");
    return !drawn || (box.offsetParent !== null && drawn.getBoundingClientRect().width === 0);
  }).map((box) => box.textContent);
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const code = text.parentElement.closest("pre, code, script, annotation, .katex");
    const tex = /\\[()\[\]]|\$\$|\\(frac|sum|begin|hat|rho)\b/;
    if (!code && tex.test(text.data)) found.push(text.data);
  }
  return found.map((words) => words.slice(0, 80));
}"""

# What makes the page scroll sideways: boxes that end beyond it and do not scroll on their own.
STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const kept = (node) => node && node !== document.body
    && (getComputedStyle(node).overflowX !== "visible" || kept(node.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > width + 0.5 && !kept(node))
    .map((node) => node.outerHTML.slice(0, 120)).slice(0, 5)
    .concat([`${document.documentElement.scrollWidth} px`]);
}"""


# Text of the chapter that lies under the list of contents at its right.
UNDER_THE_CONTENTS = """() => {
  const aside = document.querySelector(".bd-sidebar-secondary");
  if (!aside || aside.offsetParent === null) return [];
  if (getComputedStyle(aside).position === "fixed") return [];
  const left = aside.getBoundingClientRect().left;
  return [...document.querySelectorAll("article p, article pre, article figure")]
    .filter((box) => box.getBoundingClientRect().right > left + 1)
    .map((box) => box.outerHTML.slice(0, 120));
}"""


def axe():
    """Return the source of axe-core, from the package that brings it."""
    found = [f for f in files("axe_playwright_python").iterdir() if f.name == "axe.min.js"]
    return found[0].read_text(encoding="utf-8")


def violations(opened, where, run_only, rules):
    """Return what axe-core finds fault with in the elements that `where` selects.

    The drawings of the equations, thousands of boxes in the colour of the text around them, are
    hidden from screen readers, who get the MathML beside them: they are left out.
    """
    opened.evaluate(axe())
    result = opened.evaluate(
        "([where, options]) => axe.run({include: [where], exclude: ['.katex-html']}, options)",
        [where, {"runOnly": run_only, "resultTypes": ["violations"], "rules": rules}],
    )
    return [
        f"{violation['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ]


@functools.cache
def soup(page):
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


@functools.cache
def anchors(page):
    return {str(node["id"]) for node in soup(page).select("[id]")} | {
        str(node["name"]) for node in soup(page).select("a[name]")
    }


def test_the_site_was_built_with_all_its_pages():
    assert (SITE / "index.html").exists(), "run make book first"
    assert len(CHAPTERS) == 16
    assert {"index.html", "search.html", "glossary.html", "api.html"} <= set(PAGES)
    assert len(REFERENCE) == 9


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_pages_and_anchors_that_exist(page):
    broken = []
    base = soup(page).select_one("base")
    for node in soup(page).select("a[href], link[href], img[src], script[src]"):
        target = str(node.get("href") or node.get("src"))
        if re.match(r"(https?:)?//|mailto:|data:|javascript:", target):
            continue
        path, _, anchor = urljoin("" if base else page, target).partition("#")
        path = unquote(urlsplit(path).path) or page
        if not (SITE / path).exists() or (
            anchor and path.endswith(".html") and unquote(anchor) not in anchors(path)
        ):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES)
def test_equations_are_rendered_headings_in_order_and_pictures_described(page):
    article = soup(page).select_one("article") or soup(page)
    for equation in article.select(".math"):
        assert equation.select_one(".katex, mjx-container, math"), equation.get_text()[:80]
    assert not article.select(".katex-error")
    levels = [int(h.name[1]) for h in article.select("h1, h2, h3, h4, h5, h6")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for picture in article.select("img"):
        assert picture.get("alt") is not None, picture
        assert picture.get("alt") != picture.get("src")
    for figure in article.select("figure img"):
        assert figure.get("width"), figure
        assert figure.get("height"), figure
        assert figure.get("loading") == "lazy" or page == "index.html", figure
    for table in article.select("table.table, table.docutils"):
        assert table.select("th") or "footnote" in table.get("class", []), table


@pytest.mark.parametrize("page", [page for page in PAGES if page != "genindex.html"])
def test_no_line_can_end_before_a_unit_or_within_a_name_with_a_hyphen(page):
    apart = re.compile(r"\d (?:%|min|[kM]i?B)(?!\w)|L-BFGS|\de-\d")
    for text in (soup(page).select_one("article") or soup(page)).find_all(string=apart):
        assert text.find_parent(
            ["pre", "code", "annotation", "h1", "h2", "h3", "h4", "script", "style"]
        ) or text.find_parent(
            class_=["unbroken", "verdict", "sig", "admonition-title", "drawing", "output"]
        ), text


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_without_fault_and_keeps_the_rules_of_wcag_in_both_themes(visit, page):
    tab = visit(width=1280, reduced_motion="reduce")  # no colour caught half way
    opened = tab.to(page)
    assert opened.evaluate("document.documentElement.dataset.theme") == "light"
    assert opened.evaluate(UNRENDERED) == []
    # Everything is to be loaded, not only what is near the window.
    opened.evaluate("document.querySelectorAll('img').forEach(img => (img.loading = 'eager'))")
    opened.evaluate("window.explore?.show()")
    opened.wait_for_load_state("networkidle")
    opened.wait_for_selector("html[data-measured]")
    faults = list(tab.faults)  # axe-core itself asks for style sheets at wrong addresses
    rules = {"target-size": {"enabled": True}}
    found = violations(opened, "html", {"type": "tag", "values": WCAG}, rules)
    assert not found, "\n".join(found)
    # The other theme has other colours, and nothing else.
    opened.evaluate("document.documentElement.dataset.theme = 'dark'")
    found = violations(opened, "html", ["color-contrast"], {})
    assert not found, "\n".join(found)
    assert not faults


@pytest.mark.parametrize("page", PAGES)
def test_nothing_sticks_out_or_lies_on_other_things_at_any_width(visit, page):
    tab = visit(width=375)
    opened = tab.to(page)
    for width in (375, 640, 768, 992, 1100, 1200, 1440):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate(STICKING_OUT) == [], width
        assert opened.evaluate(UNDER_THE_CONTENTS) == [], width
    assert not tab.faults


# At the end of a page: arrows that are squeezed, and links that leave the screen.
NOT_WHOLE = """() => [...document.querySelectorAll(".prev-next-area :is(.icon, .prev-next-title)")]
  .filter((box) => box.getBoundingClientRect().right > innerWidth
    || box.getBoundingClientRect().width < 8 || box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.parentElement.textContent.trim())"""

# Closed boxes that are higher than their title.
HALF_OPEN = """() => [...document.querySelectorAll(".admonition.toggle-hidden")]
  .filter((box) => box.checkVisibility({ visibilityProperty: true }))
  .filter((box) => box.offsetHeight > box.querySelector(".admonition-title").offsetHeight + 4)
  .map((box) => box.textContent.trim().slice(0, 60))"""


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_ways_on_are_whole_on_a_phone_and_closed_boxes_are_closed(visit, page):
    opened = visit(width=375).to(page)
    assert opened.evaluate(NOT_WHOLE) == []
    assert opened.evaluate(HALF_OPEN) == []


@pytest.mark.parametrize("page", REFERENCE)
def test_no_entry_of_the_contents_leaves_its_column(visit, page):
    opened = visit(width=1440).to(page)
    beyond = """() => {
      const list = document.querySelector("#pst-page-toc-nav");
      const right = list.closest(".bd-sidebar-secondary").getBoundingClientRect().right;
      list.querySelectorAll("ul").forEach((inner) => { inner.style.display = "block"; });
      return [...list.querySelectorAll("a, code")]
        .filter((entry) => entry.getBoundingClientRect().right > right)
        .map((entry) => entry.textContent);
    }"""
    assert opened.evaluate(beyond) == []


# Entries with a line that ends within a word, each marked as the place where the reader is.
TORN_ENTRIES = """() => {
  const list = document.querySelector("#pst-page-toc-nav");
  list.querySelectorAll("ul").forEach((inner) => { inner.style.display = "block"; });
  list.querySelectorAll("a").forEach((entry) => entry.classList.add("active"));
  return [...list.querySelectorAll("a")].filter((entry) => {
    const texts = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let [before, bottom] = [" ", Infinity];
    while (texts.nextNode()) {
      for (let k = 0; k < texts.currentNode.length; k++) {
        range.setStart(texts.currentNode, k);
        range.setEnd(texts.currentNode, k + 1);
        const box = range.getBoundingClientRect();
        const torn = box.width && box.top >= bottom - 2;
        if (torn && !/[\\s_.\\-\u2013\u2014]/.test(before)) return true;
        before = range.toString();
        if (box.width) bottom = box.bottom;
      }
    }
    return false;
  }).map((entry) => entry.textContent);
}"""


@pytest.mark.parametrize("page", [*REFERENCE, *CHAPTERS, "claims.html"])
def test_no_word_of_the_contents_is_torn_where_the_reader_is(visit, page):
    assert visit(width=1440).to(page).evaluate(TORN_ENTRIES) == []


def test_the_underline_of_a_name_lies_below_its_underscores(visit):
    opened = visit(width=1440).to("equations.html")
    offsets = opened.locator(".equation-card a:has(code)").evaluate_all(
        "all => all.map((link) => parseFloat(getComputedStyle(link).textUnderlineOffset)"
        " / parseFloat(getComputedStyle(link).fontSize))"
    )
    assert min(offsets) >= 0.29


@pytest.mark.parametrize("width", [375, 1440])
def test_examples_of_the_reference_are_no_smaller_than_the_letters_beside_them(visit, width):
    opened = visit(width=width).to("api-network.html")
    sizes = opened.locator("dl.py pre").evaluate_all(
        "all => all.map((box) => parseFloat(getComputedStyle(box).fontSize))"
    )
    assert min(sizes) >= 12.5


@pytest.mark.parametrize("width", [768, 1440])
def test_no_name_of_the_reference_runs_into_what_is_said_of_it(visit, width):
    """The name is taken out of the line at its left, where nothing pushes the text away."""
    found = (
        visit(width=width)
        .to("api.html")
        .evaluate("""() =>
      [...document.querySelectorAll(".api-names li > p > a:first-child")].filter((link) => {
        const text = document.createRange();
        text.setStartAfter(link);
        text.setEndAfter(link.parentElement.lastChild);
        return link.firstElementChild.getBoundingClientRect().right
          > text.getBoundingClientRect().left;
      }).map((link) => link.textContent)""")
    )
    assert found == []


# Lines of code, or of what it prints, that are longer than their box.
CUT_LINES = """() => [...document.querySelectorAll("div.cell pre")]
  .filter((box) => box.offsetParent && box.scrollWidth > box.clientWidth + 1)
  .filter((box) => box.textContent.split("\\n").every((line) => line.length <= 80))
  .map((box) => `${box.scrollWidth - box.clientWidth} px: ${box.textContent.slice(0, 80)}`)"""


@pytest.mark.parametrize("page", [*REFERENCE, "run-times.html"])
def test_examples_and_tables_of_the_reference_fit_the_column_on_a_desktop(visit, page):
    wide = """() => [...document.querySelectorAll(
      "article :is(dl.py pre, [class*=table-container])")]
      .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
      .map((box) => `${box.scrollWidth - box.clientWidth} px: ${box.textContent.slice(0, 80)}`)"""
    assert visit(width=1440).to(page).evaluate(wide) == []


@pytest.mark.parametrize("page", REFERENCE)
def test_signatures_show_what_one_writes_in_a_call(page):
    text = " ".join(entry.get_text() for entry in soup(page).select("dt.sig"))
    assert not re.findall(r"\*args|\*\*kwargs|<factory>|<class", text)


def test_cards_are_as_wide_as_the_text(visit):
    for width in (375, 1440):
        opened = visit(width=width).to("index.html")
        edges = """all => [Math.min(...all.map((box) => box.getBoundingClientRect().left)),
          Math.max(...all.map((box) => box.getBoundingClientRect().right))]"""
        cards = opened.locator("article .sd-card").evaluate_all(edges)
        assert cards == pytest.approx(
            opened.locator("article > section > p").evaluate_all(edges), abs=1
        )


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_link_begins_with_the_space_before_it(page):
    links = [link.get_text() for link in soup(page).select("article a.reference.internal")]
    assert [text for text in links if text != text.lstrip()] == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_marks_of_claims_are_no_words_and_stand_alone(page):
    marks = soup(page).select("article a[href*='#claim-']")
    for mark in marks:
        assert mark["aria-label"] == "measured: see the register"
        before = mark.previous_sibling
        assert before is None or str(before) == str(before).rstrip(), mark.parent.get_text()
        assert "#claim-" not in str(getattr(before, "attrs", {}).get("href", ""))


def test_the_page_of_claims_has_a_section_for_each_chapter_and_numbers_as_people_write_them():
    article = soup("claims.html").select_one("article")
    linked = {
        urljoin("", str(mark["href"]))
        for page in CHAPTERS
        for mark in soup(page).select("article a[href*='#claim-']")
    }
    chapters = [page for page in CHAPTERS if soup(page).select("article a[href*='#claim-']")]
    assert len(article.select("h2")) == len(chapters)
    assert soup("claims.html").select("#pst-page-toc-nav a[href='#training']")
    assert not re.search(r"\de[+-]\d|of \d+ runs\)|(?<!\S)(\S+)\sto\s\1\s", article.get_text())
    # What is said of several with one mark is reached from the row of the first.
    rows = {str(row.p["id"]): row for row in article.select("td:has(> p[id^=claim-])")}
    reached = {link.partition("#")[2] for link in linked}
    reached |= {str(a["href"])[1:] for name in reached for a in rows[name].select("a[href^='#']")}
    assert reached == set(rows)


def test_the_page_of_claims_says_once_what_its_tables_share_and_what_an_effort_is():
    article = soup("claims.html").select_one("article")
    assert article.get_text().count("numpy") == 1
    introduction = " ".join(p.get_text() for p in article.section.find_all("p", recursive=False))
    assert "effort 2 for twice" in " ".join(introduction.split())
    assert "numpy" in introduction
    assert "Holds" in introduction
    columns = "td:is([data-column=allowed], [data-column=measured])"
    cells = " ".join(cell.get_text() for cell in article.select(columns))
    assert not re.search(r"at (?:least|most) |\d to [\d−]| × |\d runs", cells)


def test_the_sum_of_the_run_times_is_that_of_the_numbers_above_it():
    tables = soup("run-times.html").select("article table")
    *seconds, total = [int(row.select("td")[1].get_text()) for row in tables[0].select("tbody tr")]
    assert sum(seconds) == total
    for table in tables:
        assert table.parent.find_previous_sibling().name == "p"


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_note_parts_a_sentence_from_its_equation(page):
    for note in soup(page).select(".side-note"):
        following = note.parent.find_next_sibling()
        if following is not None and "math" in following.get("class", []):
            assert note.find_previous_sibling().get_text().rstrip()[-1] in ".?!)", note


def test_boxes_are_open_where_the_script_that_opens_them_does_not_come(visit):
    tab = visit(width=375)
    tab.page.route("**/togglebutton.js*", lambda route: route.abort())
    opened = tab.to(CHAPTERS[2])
    inside = opened.locator(".solution.admonition > section").first
    assert inside.is_visible()
    assert inside.bounding_box()["height"] > 20


@pytest.mark.parametrize("page", CHAPTERS)
def test_eighty_letters_of_code_fit_the_column_on_a_desktop(visit, page):
    assert visit(width=1440).to(page).evaluate(CUT_LINES) == []


@pytest.mark.parametrize("page", [*CHAPTERS[:1], "index.html"])
def test_a_page_is_complete_without_scripts(visit, page):
    tab = visit(java_script_enabled=False)
    opened = tab.page
    opened.goto(f"{tab.site}/{page}")
    assert opened.locator("article h1").first.is_visible()
    for details in opened.locator("article details").all()[:3]:
        details.locator("summary").first.click()
        assert details.get_attribute("open") is not None
    for shown in opened.locator("figure img, .solution section, .hint > p").all():
        assert shown.is_visible()


# Letters of the theme's font of icons, which is not loaded: they would be shown as empty boxes.
OF_THE_ICON_FONT = """() => [...document.querySelectorAll("body *")].flatMap((box) =>
  ["::before", "::after"].map((which) => [box, getComputedStyle(box, which)]))
  .filter(([box, style]) => box.offsetParent && style.display !== "none"
    && /^"[\\ue000-\\uf8ff]/.test(style.content))
  .map(([box]) => box.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("page", ["index.html", "install.html", "api.html", CHAPTERS[1]])
def test_no_letter_is_of_a_font_that_is_not_there(visit, page):
    opened = visit(width=1440).to(page)
    assert opened.evaluate(OF_THE_ICON_FONT) == []


def test_the_first_page_is_light(visit):
    tab = visit(width=375)
    sizes = []
    tab.page.on("response", lambda r: sizes.append((r.url, len(r.body()) if r.ok else 0)))
    tab.to("index.html")
    weight = sum(size for url, size in sizes if not re.search(r"\.(png|svg|jpg|webp)(\?|$)", url))
    assert weight < 1_500_000  # before compression, which a server adds
    assert all("MathJax" not in url for url, _ in sizes)


def test_compressed_as_a_server_sends_it_the_first_page_is_below_500_kb():
    """By `make serve`, over the wire, apart from pictures."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "serve.py"), "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            address = server.stdout.readline().split()[0]
            files = {"index.html"} | {
                str(node.get("src") or node.get("href")).partition("?")[0]
                for node in soup("index.html").select("script[src], link[rel=stylesheet]")
            }
            weight = 0
            for name in files:
                wanted = urllib.request.Request(
                    f"{address}/{name}", headers={"Accept-Encoding": "gzip"}
                )
                with urllib.request.urlopen(wanted, timeout=10) as answer:
                    assert answer.headers["Content-Encoding"] == "gzip"
                    weight += len(answer.read())
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}/nothing.html", timeout=10)
        finally:
            server.terminate()
    assert 20_000 < weight < 500_000


def test_the_keyboard_reaches_the_text_first_and_opens_the_search(visit):
    opened = visit().to(CHAPTERS[0])
    opened.keyboard.press("Tab")
    assert "skip" in opened.evaluate("document.activeElement.textContent").lower()
    opened.keyboard.press("Control+k")
    opened.wait_for_timeout(300)
    assert opened.evaluate("document.activeElement.tagName") == "INPUT"


def test_the_keyboard_opens_a_folded_solution(visit):
    opened = visit().to(CHAPTERS[4])
    solution = opened.locator(".solution.admonition").first
    inside = solution.locator(":scope > :not(.admonition-title, button)").first
    assert not inside.is_visible()
    solution.locator("button.toggle-button").focus()
    opened.keyboard.press("Enter")
    assert inside.is_visible()


NOTED = [page for page in CHAPTERS if soup(page).select(".side-note")]
# Where each note is beside its paragraph, and what lies on it.
NOTES = """() => [...document.querySelectorAll(".side-note")].map((note) => {
  const box = note.getBoundingClientRect();
  const host = note.previousElementSibling.getBoundingClientRect();
  const touches = (other) => {
    const { left, right, top, bottom } = other.getBoundingClientRect();
    return left < box.right && right > box.left && top < box.bottom && bottom > box.top;
  };
  const kinds = ["side-note", "math-box", "admonition"].map((name) => `article .${name}`);
  kinds.push("article p", "article figure", "article pre", ".bd-sidebar-secondary");
  const others = document.querySelectorAll(kinds.join());
  return {
    beside: box.left >= host.right && box.top < host.bottom,
    below: box.top >= host.bottom - 6 && box.left >= host.left,
    under: [...others].filter((other) => other !== note && other.checkVisibility()
      && !note.contains(other) && !other.contains(note) && touches(other))
      .map((other) => other.outerHTML.slice(0, 90)),
  };
})"""


def test_most_chapters_of_the_later_parts_have_notes():
    assert len(NOTED) >= 10


@pytest.mark.parametrize("page", ["errata.html", CHAPTERS[4]])
@pytest.mark.parametrize("width", [768, 900, 1100])
def test_without_a_column_beside_it_the_text_is_in_the_middle(visit, page, width):
    opened = visit(width=width).to(page)
    left, right = opened.locator(".bd-main .bd-content").evaluate(
        """all => {
          const whole = all.getBoundingClientRect();
          const text = all.querySelector(".bd-article").getBoundingClientRect();
          return [text.left - whole.left, whole.right - text.right];
        }"""
    )
    assert left == pytest.approx(right, abs=1)


@pytest.mark.parametrize("page", NOTED)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_note_stands_beside_its_paragraph_or_below_it(visit, page, scripts):
    opened = visit(java_script_enabled=scripts).page
    opened.goto((SITE / page).as_uri())
    for width in (375, 768, 1280, 1340, 1440, 1920):
        place = "beside" if width >= 1340 else "below"
        opened.set_viewport_size({"width": width, "height": 900})
        for note in opened.evaluate(NOTES):
            assert note[place], (width, note)
            assert not note["under"], (width, note["under"])
    opened.locator(".side-note").first.scroll_into_view_if_needed()
    assert opened.locator("#pst-page-toc-nav li").first.is_visible()  # the contents stay


def test_print_shows_the_text_without_what_only_screens_need(visit):
    opened = visit(width=794).to(CHAPTERS[4])
    opened.emulate_media(media="print")
    assert opened.locator("article .math .katex-html").first.is_visible()
    for selector in (".bd-sidebar-primary", ".bd-header-article", ".headerlink", ".copybtn"):
        assert not opened.locator(selector).first.is_visible(), selector
    assert opened.evaluate(STICKING_OUT) == []


def test_the_address_of_the_repository_is_used_nowhere_or_everywhere():
    links = soup(CHAPTERS[0]).select("a[href*='colab'], a[href*='binder']")
    assert all(link["href"].startswith("https://") for link in links)


def test_files_to_download_are_there():
    for chapter in CHAPTERS:
        assert soup(chapter).select("a[href$='.ipynb']"), chapter
    assert Path(SITE / "_static" / "cover.png").exists() or Path(SITE / "_images").exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_names_the_licences_and_leads_to_them(page):
    footer = soup(page).select_one("footer.bd-footer-content")
    assert "CC BY 4.0" in footer.get_text()
    assert "BSD 3-Clause" in footer.get_text()
    assert footer.select_one("a[href='licence.html']")


def test_without_an_address_the_errata_name_none_and_still_say_what_to_do():
    article = soup("errata.html").select_one("article")
    assert not article.select("a[href*='//']")
    assert "Write to those who gave you this copy" in article.get_text()
    assert "{{" not in article.get_text()


def test_the_bibliography_leads_to_the_papers():
    links = [link["href"] for link in soup("bibliography.html").select("article a[href^='http']")]
    assert sum(link.startswith("https://doi.org/10.") for link in links) >= 15
    assert sum(link.startswith("https://arxiv.org/abs/") for link in links) >= 3
    text = soup("bibliography.html").select_one("article").get_text()
    named = re.findall(r"arXiv:(\d{4}\.\d{4,5})", text)
    assert {f"https://arxiv.org/abs/{number}" for number in named} <= set(links)


def test_the_page_of_equations_shows_each_with_its_number_and_leads_to_it():
    cards = soup("equations.html").select(".equation-card")
    assert len(cards) >= 26
    for card in cards:
        assert card.select_one(".math-box .katex")
        link = card.select_one("a[href*='#equation-']")
        page, _, place = link["href"].partition("#")
        shown = soup(page).find(id=place).select_one("annotation").get_text()
        bare = [re.sub(r"[\s.,;]", "", tex) for tex in (card.annotation.get_text(), shown)]
        assert bare[0] == bare[1]
        assert link.get_text() in soup(page).find(id=place).get_text()


def test_each_equation_names_a_file_once_with_its_tests_below_it():
    for card in soup("equations.html").select(".equation-card"):
        files = [
            line.p.get_text() if line.p else line.code.get_text()
            for line in card.select("div > ul > li")
        ]
        assert files
        assert len(files) == len(set(files))
        assert all(line.select("ul code") for line in card.select("div > ul > li"))


def test_equations_in_the_reference_of_the_library_are_links():
    linked = set()
    for page in REFERENCE:
        text = soup(page).select_one("article")
        printed = "".join(
            block.get_text() for block in text.select("pre")
        )  # such as a checker's words
        links = {link.get_text() for link in text.select("a[href*='#equation-']")}
        named = Counter(re.findall(r"Eq\. (\(\d+\.\d+\))", text.get_text()))
        assert set(named - Counter(re.findall(r"Eq\. (\(\d+\.\d+\))", printed))) <= links
        linked |= links
    assert len(linked) >= 20


def test_every_equation_leads_to_an_entry_that_leads_back():
    entries = {
        str(entry["id"]): entry.parent
        for page in REFERENCE
        for entry in soup(page).select("dl.py > dt[id]")
    }
    cards = soup("equations.html").select(".equation-card")
    described = 0
    for card in cards:
        label = card.select_one("a[href*='#equation-']")["href"].partition("#")[2]
        for link in card.select("a[href^='api-']"):
            described += 1
            entry = entries[unquote(link["href"].partition("#")[2])]
            assert entry.select(f"a[href$='#{label}']"), f"{link['href']} names no {label}"
    assert described >= len(cards) * 3 // 4


def test_the_list_of_all_names_leads_to_each_and_keeps_the_places_that_were_linked_to():
    listed = {str(line["id"]): line for line in soup("api.html").select(".api-names li")}
    entries = {
        str(entry["id"]): page
        for page in REFERENCE
        for entry in soup(page).select("section > dl.py > dt[id]")
    }
    assert len(entries) >= 190
    assert set(listed) == set(entries)
    for name, line in listed.items():
        assert line.select_one("a")["href"] == f"{entries[name]}#{name}"
        assert len(line.get_text()) > len(name) - len("saelib.") + 10
    members = {anchor for page in REFERENCE for anchor in anchors(page) if "saelib." in anchor}
    assert members <= anchors("api.html")


def test_every_entry_leads_to_the_lines_that_define_it():
    for page in REFERENCE:
        for entry in soup(page).select("dl.py.function > dt, dl.py.class > dt"):
            link = entry.select_one("a:has(.viewcode-link)")
            file, _, line = link["href"].partition("#")
            shown = soup(file).find(id=line).get_text()
            assert re.match(r"\s*(@|(async )?def |class )", shown), link


@pytest.mark.parametrize("page", REFERENCE)
def test_no_signature_is_wider_than_a_phone(visit, page):
    opened = visit(width=375).to(page)
    wide = opened.locator("dt.sig, dt.sig *, .field-list dt").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML)"
    )
    assert not wide
