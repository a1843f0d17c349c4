"""The site used as a person uses it, on a phone, a tablet and a desktop: all is acted out."""

import re
import urllib.parse

import pytest
from test_pages import CHAPTERS, PAGES

from conftest import SITE, Visit

WIDTHS = [375, 768, 1440]
WIDE = 992  # from here on the list of chapters stands beside the text
FIRST, SECOND = CHAPTERS[3], CHAPTERS[5]

MOVING = [page for page in CHAPTERS if "js/explore-kit.js" in (SITE / page).read_text("utf-8")]

# What a reader types, and where the first result may lead: page and, where it matters, place.
QUESTIONS = {
    "KL": r"04-kl-divergence\.html$",
    "rho hat": r"03-sparsity\.html#equation-mean-activation$",
    "ρ̂": r"03-sparsity\.html#equation-mean-activation$",
    "eq 5.1": r"05-backpropagation\.html#equation-delta-hidden-sparse$",
    "(5.1)": r"05-backpropagation\.html#equation-delta-hidden-sparse$",
    "fig 4.1": r"04-kl-divergence\.html#fig-",
    "dead units": r"glossary\.html#term-dead-unit$|#\S*dead",
    "SparseAutoencoder": r"api-estimator\.html#saelib\.SparseAutoencoder$",
    "kl_divergence": r"api-network\.html#saelib\.kl_divergence$",
    "gradient check": r"05-backpropagation\.html#the-gradient-check$",
    "whiten": r"06-training\.html#whitening$",
    "lambda": r"notation\.html#|02-autoencoder\.html#|glossary\.html#term-weight-decay$",
    "install": r"install\.html$",
}

# Every entry of the contents is clicked, to and fro; what is returned did not land within 100 px
# of the top, or was moved by what was laid out later.
FOLLOW_ALL = """async () => {
  const root = document.documentElement;
  root.style.scrollBehavior = "auto";
  window.explore?.show();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const frames = () => frame().then(frame);
  const links = [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")]
    .filter((link) => link.hash.length > 1);
  const target = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
  await frames();
  const places = links.map((link) => target(link).getBoundingClientRect().top + scrollY);
  const missed = [];
  for (const link of [...links].reverse()) {
    link.click();
    await frames();
    const top = target(link).getBoundingClientRect().top;
    const atEnd = scrollY + innerHeight >= root.scrollHeight - 2 && top < innerHeight;
    if ((top < 0 || top > 100) && !atEnd) missed.push(`${link.hash} ${top.toFixed(0)} px`);
  }
  links.forEach((link, k) => {
    const moved = target(link).getBoundingClientRect().top + scrollY - places[k];
    if (Math.abs(moved) > 3) missed.push(`${link.hash} moved by ${moved.toFixed(0)} px`);
  });
  return missed;
}"""

TOP_OF = "id => document.getElementById(id).getBoundingClientRect().top"


@pytest.fixture(scope="module")
def at(browser, site):
    """Return a function that gives the one tab of a width, as on a device with its pointer."""
    tabs = {}

    def tab(width):
        if width not in tabs:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                has_touch=width < WIDE,
                permissions=["clipboard-read", "clipboard-write"],
            )
            tabs[width] = Visit(context, site)
        tabs[width].faults.clear()
        return tabs[width]

    yield tab
    for opened in tabs.values():
        opened.page.context.close()


def entries(page):
    """Return the ids that the contents of the open page lead to."""
    links = page.locator("#pst-page-toc-nav a").evaluate_all("all => all.map(a => a.hash.slice(1))")
    return [urllib.parse.unquote(link) for link in links if link]


def at_each_width(test):
    return pytest.mark.parametrize("width", WIDTHS)(test)


@at_each_width
def test_the_menu_leads_to_another_chapter(at, width):
    tab = at(width)
    opened = tab.to(FIRST)
    chapter = opened.locator(f".bd-docs-nav a[href='{SECOND}']:visible")
    toggle = opened.get_by_role("button", name="Chapters")
    if width < WIDE:
        assert chapter.count() == 0
        toggle.click()
        chapter.wait_for()
        opened.keyboard.press("Escape")
        chapter.wait_for(state="hidden")
        toggle.click()
    else:
        toggle.click()
        chapter.wait_for(state="hidden")
        toggle.click()
    chapter.click()
    opened.wait_for_url(f"**/{SECOND}")
    assert not tab.faults


@at_each_width
def test_the_pages_of_the_reference_unfold_in_the_menu(at, width):
    """Nine more lines in the list of chapters would be a screen of a phone."""
    tab = at(width)
    opened = tab.to(FIRST)
    topic = opened.locator(".bd-docs-nav a[href='api-training.html']:visible")
    if width < WIDE:
        opened.get_by_role("button", name="Chapters").click()
        opened.locator(".bd-docs-nav a[href='api.html']:visible").wait_for()
    assert topic.count() == 0
    unfold = opened.locator(".bd-docs-nav li:has(> a[href='api.html']) > details > summary")
    assert unfold.first.get_attribute("aria-label")
    unfold.locator(".toctree-toggle:visible").click()
    topic.click()
    opened.wait_for_url("**/api-training.html")
    if width >= WIDE:
        # Where one is, the menu is unfolded; the page itself is no link to this address there.
        opened.locator(".bd-docs-nav a[href='api-network.html']:visible").wait_for()
    assert not tab.faults


@at_each_width
def test_the_contents_open_and_give_way_to_what_was_chosen(at, width):
    tab = at(width)
    opened = tab.to(FIRST)
    link = opened.locator("#pst-page-toc-nav a:visible").nth(4)
    if width < 1200:
        opened.get_by_role("button", name="Contents of this page").click()
    link.wait_for()
    place = link.get_attribute("href")[1:]
    link.click()
    opened.wait_for_timeout(100)
    assert opened.locator("dialog[open]").count() == 0
    assert 0 <= opened.evaluate(TOP_OF, place) <= 100
    assert not tab.faults


@pytest.mark.parametrize("page", PAGES)
def test_every_entry_of_the_contents_lands_at_its_heading(visit, page):
    tab = visit(width=WIDTHS[0])
    opened = tab.to(page)
    for width in WIDTHS:
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate(FOLLOW_ALL) == [], width
    assert not tab.faults


def deep(page):
    """Return places from the deepest list of the contents: one in its middle, and its last."""
    levels = ["li li li", "li li", "li"]
    inner = [page.locator(f"#pst-page-toc-nav {level} > a") for level in levels]
    links = next(
        (found for found in inner if found.count() > 3), page.locator("#pst-page-toc-nav a")
    )
    places = links.evaluate_all("all => all.map(a => a.hash.slice(1)).filter(hash => hash)")
    return [urllib.parse.unquote(places[k]) for k in (len(places) // 2, -1)] if places else []


# At the top, or as far up as the end of the page lets it come.
LANDED = """id => {
  const { top } = document.getElementById(id).getBoundingClientRect();
  const room = document.documentElement.scrollHeight - innerHeight - scrollY;
  return top >= 0 && (top <= 100 || (room <= 2 && top < innerHeight));
}"""


def at_rest(opened, place):
    """Return where a place is in the window once it does not move any more."""
    seen = [opened.evaluate(TOP_OF, place)]
    while len(seen) < 3 or len(set(seen[-3:])) > 1:
        opened.wait_for_timeout(150)
        seen.append(opened.evaluate(TOP_OF, place))
    return seen[-1]


def is_kept(opened, place, before):
    """Return whether a place comes to rest where it was before, and how far it is from there."""
    for _ in range(5):  # a busy machine may lay out late what stands above
        apart = abs(at_rest(opened, place) - before)
        if apart <= 3:
            break
    return apart <= 3, f"{apart:.0f} px from where it was"


@pytest.mark.parametrize("page", PAGES)
def test_a_place_is_kept_on_direct_load_reload_and_back(at, page):
    """On a phone one in the middle, on a desktop the last."""
    for width, which in ((WIDTHS[0], 0), (WIDTHS[-1], -1)):
        tab = at(width)
        for place in deep(tab.to(page))[which:][:1]:
            where = f"{place} at {width} px"
            tab.to("404.html")  # so that the next address is loaded, not only scrolled to
            opened = tab.to(f"{page}#{urllib.parse.quote(place)}")
            assert opened.evaluate(LANDED, place), where
            opened.evaluate("scrollBy({ top: 333, behavior: 'instant' })")
            before = at_rest(opened, place)
            opened.reload()
            kept, words = is_kept(opened, place, before)
            assert kept, f"{where}, reloaded: {words}"
            opened.goto(f"{tab.site}/404.html")
            opened.go_back()
            kept, words = is_kept(opened, place, before)
            assert kept, f"{where}, come back to: {words}"
        assert not tab.faults


# Where everything in the text begins. The figures to move are made where one reads, and their
# room is not counted.
BEGINS = """() => [...document.querySelectorAll(
    ".bd-article :is(h1, h2, h3, p, pre, figure, table, div.math, div.cell, div.admonition)")]
  .filter((box) => !box.closest(".explore, .explore-room, .live-start"))
  .filter((box) => !box.closest(".dropdown > :not(.admonition-title)"))
  .map((box) => [box.textContent.trim().slice(0, 60), box.getBoundingClientRect().top + scrollY])"""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in ("404.html", "search.html")]
)
def test_scripts_move_nothing_in_the_text(visit, page):
    """They come late on a slow phone: a browser that has put a place back would lose it again.

    The line in the head of each page runs, which says that there are scripts; what their files hold
    comes to one of the two visits only.
    """
    early, late = visit(width=WIDTHS[0]), visit(width=WIDTHS[0])
    empty = {"body": "", "content_type": "text/javascript"}
    early.page.route(re.compile(r"\.m?js(\?|$)"), lambda route: route.fulfill(**empty))
    for tab in (early, late):
        tab.to(page)
        tab.page.add_style_tag(content=".explore, .explore-room { display: none !important; }")
    for width in (WIDTHS[0], WIDTHS[-1]):
        for tab in (early, late):
            tab.page.set_viewport_size({"width": width, "height": 900})
        before, after = (tab.page.evaluate(BEGINS) for tab in (early, late))
        assert len(before) == len(after) > 0
        moved = [
            f"{text!r} by {then - now:.0f} px"
            for (text, now), (_, then) in zip(before, after, strict=True)
            if abs(then - now) > 1
        ]
        assert not moved, f"{width} px: {moved[:3]}"


def asked(opened, question):
    """Type a question into the search as it opens by its keys, and return the results."""
    box = opened.locator("#pst-search-dialog")
    if not box.is_visible():
        opened.keyboard.press("Control+k")
    field = box.locator("input")
    field.fill("")
    field.press_sequentially(question)
    found = box.get_by_role("option")
    found.first.wait_for()
    return found


def known_questions():
    return [q for q in QUESTIONS if q != "install" or (SITE / "install.html").exists()]


@at_each_width
def test_the_search_finds_the_right_section_first(at, width):
    tab = at(width)
    opened = tab.to(FIRST)
    for question in known_questions():
        first = asked(opened, question).first
        href = first.get_attribute("href")
        assert re.search(QUESTIONS[question], href), f"{question!r} leads to {href}"
        words = first.text_content()
        assert first.locator("mark").count(), f"{question!r}: no hit is marked in {words!r}"
        assert not re.search(r"\\[a-z]+|Contents", words), words
    assert not tab.faults


@at_each_width
def test_a_result_leads_to_its_place(at, width):
    tab = at(width)
    opened = tab.to(FIRST)
    asked(opened, "eq 5.1")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/05-backpropagation.html#*")
    place = urllib.parse.urlsplit(opened.url).fragment
    assert 0 <= opened.evaluate(TOP_OF, place) <= 100
    found = asked(opened, "gradient check")
    wanted = found.nth(2).get_attribute("href")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        opened.keyboard.press(key)
    assert found.nth(2).get_attribute("aria-selected") == "true"
    opened.keyboard.press("Enter")
    opened.wait_for_url(f"**/{wanted.removeprefix('./')}")
    asked(opened, "whiten").first.click()
    opened.wait_for_url("**/06-training.html#whitening")
    asked(opened, "lambda")
    opened.keyboard.press("Escape")
    assert not opened.locator("#pst-search-dialog").is_visible()
    assert not tab.faults


@at_each_width
def test_no_icon_lies_on_what_is_typed(at, width):
    opened = at(width).to("search.html")
    in_page = opened.locator("article form.bd-search")
    in_dialog = opened.locator("#pst-search-dialog form")
    for form in (in_page, in_dialog):
        if form is in_dialog:
            opened.evaluate("document.getElementById('pst-search-dialog').showModal()")
        icon, field = (form.locator(kind).bounding_box() for kind in ("svg", "input"))
        padding = form.locator("input").evaluate("i => parseFloat(getComputedStyle(i).paddingLeft)")
        assert icon["x"] + icon["width"] <= field["x"] + padding


def test_the_page_of_the_search_answers_the_question_in_its_address(at):
    tab = at(375)
    opened = tab.to("search.html?q=gradient+check")
    first = opened.locator("article").get_by_role("option").first
    first.wait_for()
    assert first.get_attribute("href").endswith("05-backpropagation.html#the-gradient-check")
    opened.locator("article input").fill("nosuchwordanywhere")
    opened.get_by_text("Nothing was found").wait_for()
    assert not tab.faults


def test_the_search_works_from_a_folder_without_a_server(browser):
    opened = browser.new_page()
    opened.goto((SITE / "search.html").as_uri() + "?q=whiten")
    opened.locator("article").get_by_role("option").first.wait_for()
    opened.close()


def test_the_index_of_the_search_is_loaded_only_when_somebody_asks_and_is_small(at):
    tab = at(375)
    tab.requests.clear()
    opened = tab.to(FIRST)
    assert not [url for url in tab.requests if "search-index" in url]
    asked(opened, "KL")
    assert [url for url in tab.requests if "search-index" in url]
    assert (SITE / "_static" / "search-index.js").stat().st_size < 500_000


@at_each_width
def test_the_theme_changes_by_its_button_and_stays(at, width):
    tab = at(width)
    opened = tab.to(FIRST)
    seen, grounds = [], []
    for _ in range(3):
        opened.locator(".theme-switch-button:visible").first.click()
        seen.append(opened.evaluate("document.documentElement.dataset.theme"))
        grounds.append(opened.evaluate("getComputedStyle(document.body).backgroundColor"))
        if seen[-1] == "dark":
            assert tab.to(SECOND).evaluate("document.documentElement.dataset.theme") == "dark"
    assert set(seen) == {"light", "dark"}
    assert len(set(grounds)) == 2
    opened.evaluate("localStorage.clear()")
    assert not tab.faults


@at_each_width
def test_what_is_folded_opens_and_closes_again(at, width):
    tab = at(width)
    opened = tab.to(CHAPTERS[4])
    recall = opened.locator(".admonition.dropdown").first
    # The answers are folded inside of the questions.
    for box in (recall, recall.locator(".admonition.dropdown").first):
        inside = box.locator(":scope > :not(.admonition-title, button)").first
        for shown in (True, False, True):
            box.locator("button.toggle-button").first.click()
            inside.wait_for(state="visible" if shown else "hidden")
    for cell in opened.locator("article details").all()[:1]:
        summary = cell.locator("summary").first
        for state in ("", None):
            summary.click()
            assert cell.get_attribute("open") == state
    assert not tab.faults


def copied(opened, block):
    """Press the button of a block of code and return what is in the clipboard."""
    block.scroll_into_view_if_needed()
    block.hover()
    block.locator("button.copybtn").click()
    return opened.evaluate("navigator.clipboard.readText()")


@at_each_width
def test_code_is_copied_without_prompts(at, width):
    tab = at(width)
    opened = tab.to(CHAPTERS[0])
    cell = opened.locator("div.cell_input div.highlight").locator("visible=true").first
    assert copied(opened, cell) == cell.locator("pre").text_content().rstrip("\n")
    opened = tab.to("api-network.html")
    example = opened.locator("div.highlight", has_text=">>>").first
    shown = example.locator("pre").text_content()
    wanted = [line[4:] for line in shown.splitlines() if line.startswith((">>> ", "... "))]
    assert copied(opened, example).split("\n") == wanted
    assert not tab.faults


@at_each_width
@pytest.mark.parametrize("page", MOVING)
def test_each_figure_moves_by_mouse_touch_and_keys(at, page, width):
    tab = at(width)
    opened = tab.to(page)
    opened.evaluate("window.explore.show()")
    boxes = opened.locator(".explore").all()
    assert boxes
    for box in boxes:
        for slider in box.locator("input[type=range]").all():
            slider.scroll_into_view_if_needed()
            words = box.locator(".explore-words")
            before = (words.text_content(), slider.input_value())
            place = slider.bounding_box()
            low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
            far = 0.2 if float(slider.input_value()) > (low + high) / 2 else 0.8
            x, y = place["x"] + far * place["width"], place["y"] + place["height"] / 2
            (opened.touchscreen.tap if width < WIDE else opened.mouse.click)(x, y)
            moved = (words.text_content(), slider.input_value())
            assert moved[1] != before[1]
            slider.focus()
            opened.keyboard.press("Home" if far > 0.5 else "End")
            assert slider.input_value() != moved[1]
            assert (words.text_content(), slider.input_value()) != moved
    assert not tab.faults


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_button_in_the_header_gives_the_notebook_to_fill_in(at, page):
    opened = at(1440).to(page)
    opened.get_by_role("button", name="Download this page").click()
    with opened.expect_download() as given:
        opened.get_by_role("link", name="Notebook to fill in").click()
    text = given.value.path().read_text(encoding="utf-8")
    assert "Your copy of this chapter" in text
    assert "-start}" not in text


def test_a_wrong_address_shows_a_page_with_its_style_from_any_depth(at):
    tab = at(375)
    for wrong in ("nothing.html", "a/b/c/nothing.html"):
        answer = tab.page.goto(f"{tab.site}/{wrong}")
        assert answer.status == 404
        tab.page.get_by_role("heading", name="There is no such page").wait_for()
        assert tab.page.evaluate("document.styleSheets.length") >= 1
        assert tab.page.evaluate("[...document.styleSheets].every(s => s.cssRules.length > 9)")
        tab.page.get_by_role("link", name="first page").click()
        tab.page.wait_for_url(f"{tab.site}/index.html")
    mine = [fault for fault in tab.faults if "nothing.html" not in fault and "404" not in fault]
    assert not mine
