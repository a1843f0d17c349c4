"""Pages on a phone: nothing is cut without a sign that it goes on, and tables can be read."""

import pytest
from test_pages import CHAPTERS, PAGES, REFERENCE

WITH_TABLES = ["errata.html", "claims.html", "notation.html", CHAPTERS[12]]
SCROLLING = [CHAPTERS[1], CHAPTERS[7], "run-times.html", "api-truth.html"]

# Equations that are wider than their box, and numbers of equations that leave the screen.
CUT_EQUATIONS = """() => [...document.querySelectorAll(".math-box, .eqno")]
  .filter((box) => box.checkVisibility({ visibilityProperty: true }))
  .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.matches(".math-box")
    || box.getBoundingClientRect().right > innerWidth)
  .map((box) => box.parentElement.textContent.slice(-80))"""

# The lines of code in the text that end beyond the block that they stand in.
CODE_OUTSIDE = """() => [...document.querySelectorAll("article code")]
  .filter((code) => !code.closest("pre") && code.checkVisibility({ visibilityProperty: true }))
  .filter((code) => {
    const block = code.parentElement.closest("p, li, td, th, dd, dt, div, figcaption");
    const right = block.getBoundingClientRect().right + 1;
    return [...code.getClientRects()].some((line) => line.right > right);
  }).map((code) => code.textContent)"""

# All that can be scrolled sideways, at its beginning and at its end: where is the sign?
SIGNS = """async () => {
  const boxes = [...document.querySelectorAll(
    "article :is(.math-box, pre, .pst-scrollable-table-container, .table-figure, .output)")]
    .filter((box) => box.checkVisibility({ visibilityProperty: true }))
    .filter((box) => box.scrollWidth > box.clientWidth + 2);
  const signs = (box) => {
    const inset = getComputedStyle(box).boxShadow.match(/-?[\\d.]+(?=px 0px 0px 0px inset)/g) || [];
    return inset.map((x) => (parseFloat(x) > 0 ? "left" : "right")).join();
  };
  const soon = async (box, wanted) => {
    for (let k = 0; k < 40 && signs(box) !== wanted; k += 1) {
      await new Promise((done) => setTimeout(done, 50));
    }
    return signs(box);
  };
  const found = [];
  for (const box of boxes) {
    const height = box.offsetHeight, seen = [signs(box)];
    const far = box.scrollWidth - box.clientWidth;
    for (const [place, wanted] of [[far / 2, "left,right"], [far, "left"], [0, "right"]]) {
      box.scrollLeft = place;
      seen.push(far > 6 || place !== far / 2 ? await soon(box, wanted) : wanted);
    }
    found.push([...seen, box.offsetHeight - height]);
  }
  return found;
}"""

# The least contrast of the line at an edge with the ground, and of letters with the shade on it.
CONTRASTS = """() => {
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const mixed = (...layers) => {
    pixel.clearRect(0, 0, 1, 1);
    for (const colour of layers) {
      pixel.fillStyle = colour;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const found = { line: 99, letters: 99 };
  for (const box of document.querySelectorAll("article .more-right:not(span)")) {
    const grounds = ["white"];
    for (let node = box; node; node = node.parentElement) {
      grounds.splice(1, 0, getComputedStyle(node).backgroundColor);
    }
    const [line, shade] = getComputedStyle(box).boxShadow.split(/, (?=rgb|color)/)
      .map((part) => part.replace(/ (-?[\\d.]+px ?)+inset.*$/, ""));
    const ground = mixed(...grounds), under = mixed(...grounds, shade);
    found.line = Math.min(found.line, contrast(ground, mixed(...grounds, line)));
    for (const word of box.matches("pre") ? [box, ...box.querySelectorAll("span")] : [box]) {
      const letters = contrast(mixed(getComputedStyle(word).color), under);
      found.letters = Math.min(found.letters, letters);
    }
  }
  return found;
}"""

# Cells whose words have less room than a short word needs, and cells beyond the screen.
NARROW = """() => [...document.querySelectorAll("table.stacked td > *")]
  .filter((words) => words.checkVisibility() && words.textContent)
  .map((words) => [words.textContent.slice(0, 40), words.getBoundingClientRect()])
  .filter(([, box]) => box.width < 150 || box.right > innerWidth)
  .map(([words, box]) => `${words}: ${box.width} px`)"""


@pytest.mark.parametrize("page", [*CHAPTERS, "equations.html"])
def test_every_equation_and_its_number_fit_a_phone(visit, page):
    assert visit(width=375).to(page).evaluate(CUT_EQUATIONS) == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_an_equation_is_not_small_on_a_phone_where_it_need_not_be(visit, page):
    opened = visit(width=375).to(page)
    sizes = opened.locator(".math-box").evaluate_all(
        "all => all.map((box) => parseFloat(getComputedStyle(box).fontSize))"
    )
    assert min(sizes) > 12.5
    assert max(sizes) == 17


@pytest.mark.parametrize("page", PAGES)
def test_no_inline_code_leaves_its_place_on_a_phone(visit, page):
    assert visit(width=375).to(page).evaluate(CODE_OUTSIDE) == []


def measured(visit, page, theme):
    """Return a page on a phone when its script has looked for what scrolls sideways."""
    opened = visit(width=375, theme=theme).to(page)
    opened.wait_for_selector("html[data-measured]")
    return opened


@pytest.mark.parametrize("page", SCROLLING)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_scrolls_sideways_shows_at_which_edge_more_lies(visit, page, theme):
    found = measured(visit, page, theme).evaluate(SIGNS)
    assert found
    assert all(seen == ["right", "left,right", "left", "right", 0] for seen in found), found


@pytest.mark.parametrize("page", SCROLLING)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_at_the_edge_is_seen_and_letters_on_it_can_be_read(visit, page, theme):
    contrasts = measured(visit, page, theme).evaluate(CONTRASTS)
    assert 3 <= contrasts["line"] < 99
    assert contrasts["letters"] >= 4.5


@pytest.mark.parametrize("page", WITH_TABLES)
def test_on_a_phone_the_rows_of_tables_of_words_are_blocks_with_named_cells(visit, page):
    opened = visit(width=375).to(page)
    assert opened.evaluate(NARROW) == []
    first = opened.locator("table.stacked tbody tr").first
    names = first.locator("td").evaluate_all(
        "all => all.map((cell) => getComputedStyle(cell, '::before').content)"
    )
    heads = (
        opened.locator("table.stacked")
        .first.locator("th")
        .evaluate_all(
            """all => all.map((head) => {
          head.querySelectorAll(".katex").forEach((equation) => {
            equation.replaceWith(equation.querySelector("annotation").textContent);
          });
          return head.textContent.trim();
        })"""
        )
    )
    assert [name.strip('"') for name in names][1:] == heads[1:]
    opened.set_viewport_size({"width": 1440, "height": 900})
    assert first.evaluate("row => getComputedStyle(row).display") == "table-row"


@pytest.mark.parametrize("page", REFERENCE)
def test_names_and_type_of_a_parameter_are_one_line_of_text(visit, page):
    """In two columns, narrow ones on a phone, they were torn within words."""
    opened = visit(width=375).to(page)
    torn = opened.locator("dl.py dl.field-list dl > dt").evaluate_all(
        """all => all.filter((dt) => getComputedStyle(dt).display !== "block"
          || getComputedStyle(dt).overflowWrap === "anywhere").map((dt) => dt.textContent)"""
    )
    assert torn == []
    behind = opened.locator("dt.sig:has(.viewcode-link)").evaluate_all(
        """all => all.filter((dt) => {
          const link = dt.querySelector(".viewcode-link").getBoundingClientRect();
          return link.bottom > dt.nextElementSibling.getBoundingClientRect().top + 2;
        }).map((dt) => dt.id)"""
    )
    assert behind == []


@pytest.mark.parametrize("page", [*WITH_TABLES, CHAPTERS[11]])
@pytest.mark.parametrize("width", [768, 1440])
def test_beside_a_phone_no_date_breaks_and_no_table_of_words_is_cut(visit, page, width):
    opened = visit(width=width).to(page)
    assert (
        opened.evaluate(
            """() => [...document.querySelectorAll(".pst-scrollable-table-container")]
          .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"""
        )
        == []
    )
    assert (
        opened.evaluate(
            """() => [...document.querySelectorAll("td p")]
          .filter((date) => /^\\d{4}-\\d\\d-\\d\\d$/.test(date.textContent))
          .filter((date) => date.offsetHeight > 1.5 * parseFloat(getComputedStyle(date).lineHeight))
          .map((date) => date.textContent)"""
        )
        == []
    )


@pytest.mark.parametrize("page", [CHAPTERS[11], CHAPTERS[12]])
@pytest.mark.parametrize("width", [375, 768, 1440])
def test_no_equation_of_a_table_breaks_in_its_brackets(visit, page, width):
    opened = visit(width=width).to(page)
    broken = opened.locator("table.table td .katex-html").evaluate_all(
        """all => all.filter((equation) => {
          const parts = [...equation.querySelectorAll(":scope > .base")];
          const lefts = parts.map((part) => part.getBoundingClientRect().left);
          return lefts.some((left, k) => k > 0 && left < lefts[k - 1]);
        }).map((equation) => equation.textContent)"""
    )
    assert broken == []


@pytest.mark.parametrize("width", [375, 640, 768, 1440])
def test_the_room_of_the_line_that_runs_code_is_that_of_its_words(visit, width):
    opened = visit(width=width).to(CHAPTERS[0])
    opened.locator(".live-start button").first.wait_for()
    spare = opened.locator(".live-start").evaluate(
        """line => {
          const words = document.createRange();
          words.selectNodeContents(line);
          return line.offsetHeight - words.getBoundingClientRect().height;
        }"""
    )
    assert 0 <= spare < 12
