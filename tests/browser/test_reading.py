"""What helps to read: previews of references, figures that fill the window, pages to turn."""

import pytest
from test_pages import CHAPTERS, STICKING_OUT, WCAG, violations
from test_use import at_each_width

CHAPTER = "05-backpropagation.html"
# A link of each kind, and words of what it leads to, in this page or in another one.
LEADS_TO = {
    "an equation of this page": ("a.reference[href='#equation-central-difference']", "(5.2)"),
    "an equation of another page": (
        "a.reference[href='03-sparsity.html#equation-mean-activation']",
        "(3.1)",
    ),
    "a figure": ("a.reference[href='#fig-two-roads']", "Fig. 5.1"),
    "a term": ("a.reference[href='glossary.html#term-mini-batch']", "mini-batch"),
    "a cited work": (".bibtex-citation a", "Andrew Ng"),
}
OUTSIDE = """() => {
  const box = document.querySelector(".preview").getBoundingClientRect();
  const room = [box.left, innerWidth - box.right, box.top, innerHeight - box.bottom];
  return room.some((side) => side < -0.5);
}"""


def long_press(opened, locator, until):
    """Hold a finger on something until that is there."""
    session = opened.context.new_cdp_session(opened)
    # A link may stand in two lines, and then there is nothing of it in the middle.
    point = locator.evaluate(
        """link => {
          const { x, y, width, height } = link.getClientRects()[0];
          return { x: x + width / 2, y: y + height / 2 };
        }"""
    )
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    until.wait_for()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@at_each_width
@pytest.mark.parametrize("kind", LEADS_TO)
def test_a_reference_shows_what_it_leads_to(visit, kind, width):
    selector, words = LEADS_TO[kind]
    tab = visit(width=width, has_touch=width < 992)
    opened = tab.to(CHAPTER)
    link = opened.locator(selector).first
    link.scroll_into_view_if_needed()
    preview = opened.locator(".preview")
    if width < 992:
        long_press(opened, link, preview)
    else:
        link.hover()
    preview.wait_for()
    opened.wait_for_timeout(200)  # a picture may come a moment later
    assert words in preview.inner_text()
    assert link.get_attribute("aria-describedby") == "preview"
    assert not opened.evaluate(OUTSIDE)
    assert opened.evaluate(STICKING_OUT) == []
    opened.keyboard.press("Escape")
    preview.wait_for(state="detached")
    assert link.get_attribute("aria-describedby") is None
    assert opened.url.endswith(CHAPTER)
    assert not tab.faults


@pytest.mark.parametrize("kind", LEADS_TO)
def test_the_focus_of_the_keyboard_shows_it_too_and_takes_it_away(visit, kind):
    selector, words = LEADS_TO[kind]
    opened = visit().to(CHAPTER)
    link = opened.locator(selector).first
    link.scroll_into_view_if_needed()
    opened.keyboard.press("Tab")  # the keyboard is in use from here on
    link.focus()
    preview = opened.locator(".preview")
    preview.wait_for()
    assert words in preview.inner_text()
    opened.keyboard.press("Tab")
    assert opened.locator(".preview", has_text=words).count() == 0


def test_a_preview_may_be_entered_and_goes_when_the_pointer_does(visit):
    opened = visit().to(CHAPTER)
    link = opened.locator("a.reference[href='#fig-two-roads']").first
    link.hover()
    preview = opened.locator(".preview")
    preview.wait_for()
    assert preview.locator("[id]").count() == 0  # every name of the page is there once
    preview.hover()
    opened.wait_for_timeout(500)
    assert preview.is_visible()
    opened.mouse.move(2, 2)
    preview.wait_for(state="detached")


@pytest.mark.parametrize("touch", [False, True])
def test_a_link_with_a_preview_leads_where_it_did(visit, touch):
    opened = visit(width=375 if touch else 1280, has_touch=touch).to(CHAPTER)
    link = opened.locator("a.reference[href='03-sparsity.html#equation-mean-activation']").first
    link.scroll_into_view_if_needed()
    (link.tap if touch else link.click)()
    opened.wait_for_url("**/03-sparsity.html#equation-mean-activation")


def test_an_equation_is_drawn_on_a_page_that_has_none_itself(visit):
    tab = visit()
    opened = tab.to("errata.html")
    opened.evaluate(
        """() => {
          const link = document.createElement("a");
          link.className = "reference internal";
          link.href = "05-backpropagation.html#equation-central-difference";
          link.textContent = "(5.2)";
          document.querySelector(".bd-article p").append(link);
        }"""
    )
    opened.locator("a.reference[href$='#equation-central-difference']").hover()
    opened.locator(".preview .katex-html").wait_for()
    opened.wait_for_timeout(300)
    assert opened.evaluate("document.querySelector('link[href*=katex]').sheet.cssRules.length") > 9
    assert not tab.faults


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_previews_and_enlarged_figures_keep_the_rules_of_wcag(visit, theme):
    opened = visit(theme=theme).to(CHAPTER)
    opened.locator("a.reference[href='#fig-two-roads']").first.hover()
    opened.locator(".preview img").wait_for()
    assert violations(opened, ".preview", WCAG, {}) == []
    opened.keyboard.press("Escape")
    opened.locator("figure img").first.click()
    assert violations(opened, "dialog.enlarged", WCAG, {}) == []


@at_each_width
@pytest.mark.parametrize("page", CHAPTERS)
def test_a_tap_enlarges_a_figure_and_another_puts_it_back(visit, page, width):
    tab = visit(width=width, has_touch=width < 992)
    opened = tab.to(page)
    image = opened.locator("article figure img").first
    image.scroll_into_view_if_needed()
    before = image.bounding_box()["width"]
    (image.tap if width < 992 else image.click)()
    large = opened.locator("dialog.enlarged[open] img")
    large.wait_for()
    opened.wait_for_timeout(100)
    natural = large.evaluate("image => image.naturalWidth")
    assert large.bounding_box()["width"] >= max(natural, before)
    assert large.get_attribute("alt") == image.get_attribute("alt")
    (large.tap if width < 992 else large.click)()
    opened.locator("dialog.enlarged").wait_for(state="detached")
    assert opened.evaluate(STICKING_OUT) == []
    assert not tab.faults


def test_a_figure_that_is_enlarged_before_it_has_been_loaded_is_seen_once_it_has(visit):
    tab = visit(width=375)
    held = []

    def hold(route):
        held.append(route)

    tab.page.route("**/_images/**", hold)
    opened = tab.page
    opened.goto(f"{tab.site}/{CHAPTER}", wait_until="domcontentloaded")
    opened.get_by_role("button", name="Enlarge Fig. 5.1").focus()
    opened.keyboard.press("Enter")
    opened.locator("dialog.enlarged[open]").wait_for()
    for route in held.copy():
        route.continue_()
    opened.unroute("**/_images/**")
    large = opened.locator("dialog.enlarged[open] img")
    opened.wait_for_function("() => document.querySelector('dialog.enlarged img').naturalWidth > 0")
    assert large.bounding_box()["width"] >= large.evaluate("image => image.naturalWidth")


def test_the_keyboard_enlarges_a_figure_moves_it_and_comes_back(visit):
    opened = visit(width=375).to(CHAPTER)
    button = opened.get_by_role("button", name="Enlarge Fig. 5.1")
    button.focus()
    opened.keyboard.press("Enter")
    dialog = opened.get_by_role("dialog", name="Fig. 5.1, enlarged")
    dialog.wait_for()
    box = dialog.get_by_role("group")
    box.focus()
    opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(300)
    assert box.evaluate("box => box.scrollLeft") > 0
    assert opened.url.endswith(CHAPTER)  # no page was turned
    opened.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")


def test_the_arrow_keys_turn_the_pages_of_the_whole_book(visit):
    tab = visit()
    opened = tab.to("index.html")
    for page in ("install.html", *CHAPTERS[:2]):
        opened.keyboard.press("ArrowRight")
        opened.wait_for_url(f"**/{page}")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_url(f"**/{CHAPTERS[0]}")
    assert not tab.faults


def test_arrow_keys_do_not_turn_the_page_where_they_are_wanted(visit):
    opened = visit().to("04-kl-divergence.html")
    opened.evaluate("window.explore.show()")
    opened.locator(".explore input[type=range]").first.focus()
    opened.keyboard.press("ArrowRight")
    opened.locator("body").press("Shift+ArrowRight")
    opened.locator("body").press("Alt+ArrowDown")
    opened.keyboard.press("Control+k")
    opened.keyboard.type("kl")
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_timeout(300)
    assert opened.url.endswith("04-kl-divergence.html")


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_contents_follow_the_reader_down_and_up_and_to_the_end(visit, page):
    opened = visit(width=1440).to(page)
    links = opened.locator("#pst-page-toc-nav a[href^='#']")
    names = [name for name in links.evaluate_all("all => all.map(a => a.hash)") if len(name) > 1]
    marked = opened.locator("#pst-page-toc-nav a[aria-current]")
    for name in (names[5], names[1], names[3]):
        opened.evaluate("name => { location.hash = name; }", name)
        opened.wait_for_timeout(250)
        assert marked.evaluate_all("all => all.map(a => a.hash)") == [name]
        opened.evaluate("scrollBy({top: -innerHeight / 4, behavior: 'instant'})")  # a little up
        opened.wait_for_timeout(250)
        before = names[names.index(name) - 1]
        assert marked.evaluate_all("all => all.map(a => a.hash)") == [before]
    opened.evaluate("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
    opened.wait_for_timeout(250)
    assert marked.evaluate_all("all => all.map(a => a.hash)") == [names[-1]]
    assert opened.evaluate(
        """() => {
          const box = document.querySelector("#pst-page-toc-nav a[aria-current]");
          const { top, bottom } = box.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }"""
    )
