"""Readers with other settings: forced colours, more contrast, no fonts."""

import pytest
from test_pages import CHAPTERS, STICKING_OUT, violations

SAMPLE = ["index.html", CHAPTERS[3], CHAPTERS[4], "api-network.html", "equations.html"]

# Boxes whose only sign is a background, which forced colours take away.
WITHOUT_BORDER = """() => [...document.querySelectorAll("article .admonition, article pre")]
  .filter((box) => box.offsetParent !== null)
  .filter((box) => {
    for (let node = box; node && node.tagName !== "SECTION"; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.borderLeftStyle !== "none" && parseFloat(style.borderLeftWidth) > 0) return false;
    }
    return true;
  }).map((box) => box.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("page", SAMPLE)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_with_forced_colours_boxes_keep_a_border_and_text_its_contrast(visit, page, theme):
    tab = visit(theme=theme, forced_colors="active")
    opened = tab.to(page)
    assert opened.evaluate("matchMedia('(forced-colors: active)').matches")
    assert opened.evaluate(WITHOUT_BORDER) == []
    for control in opened.locator(".bd-header-article button svg").all():
        if control.is_visible():
            fill, back = control.evaluate(
                "(icon) => [getComputedStyle(icon.querySelector('path')).fill, "
                "getComputedStyle(document.body).backgroundColor]"
            )
            assert fill != back
    assert not tab.faults


@pytest.mark.parametrize("page", SAMPLE)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_who_asks_for_more_contrast_gets_the_enhanced_contrast_of_wcag(visit, page, theme):
    opened = visit(theme=theme, contrast="more").to(page)
    assert opened.evaluate("matchMedia('(prefers-contrast: more)').matches")
    rule = "color-contrast-enhanced"
    found = violations(opened, "article", [rule], {rule: {"enabled": True}})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", SAMPLE)
def test_without_the_fonts_all_is_readable_and_nothing_sticks_out(visit, page):
    tab = visit(width=375)
    refused = []
    tab.page.route("**/*.woff*", lambda route: (refused.append(1), route.abort()))
    opened = tab.to(page)
    assert opened.evaluate(STICKING_OUT) == []
    for equation in opened.locator("article .math .katex-html").all()[:20]:
        if equation.is_visible():
            assert equation.bounding_box()["width"] > 0
    assert all("failed request" in f or "ERR_FAILED" in f for f in tab.faults), tab.faults
    if page in CHAPTERS:
        assert refused, "no font was asked for: the test has lost its object"
