"""How the pages of the printed book are set, by its style and without printing the book."""

import io

from page_breaks import GAP, Setting, behind, floated, read, settle
from pdf import STYLE
from pypdf import PdfReader

TABLE = (
    "<div class='cell'><figure><figcaption><p>A table</p></figcaption>"
    "<div style='height: 60mm'></div></figure></div>"
)


def pages(browser, body):
    """Return the text of each page on which some HTML is printed."""
    opened = browser.new_page()
    opened.set_content(f"<style>{STYLE}</style><main class='printed bd-article'>{body}</main>")
    printed = opened.pdf(prefer_css_page_size=True)
    opened.close()
    return [page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages]


def test_tables_under_their_captions_do_not_hold_the_text_before_them(browser):
    """Three of them leave no room on a page, so none may be tied to the one before it."""
    text = f"<p>{'Some words before the tables. ' * 6}</p>"
    found = pages(browser, f"<div style='height: 160mm'></div>{text}{TABLE * 3}")
    assert "before the tables" in found[0]
    assert len(found) == 2


def test_tables_in_their_captions_are_whole(browser):
    """Each was tied to the next one, and the three, higher than a page, were cut in a table."""
    rows = "".join(f"<tr><td>row {k}</td></tr>" for k in range(14))
    table = (
        f"<figure><figcaption><p>A table</p><div><table>{rows}</table></div></figcaption></figure>"
    )
    found = pages(browser, f"<div style='height: 20mm'></div>{table * 4}")
    assert len(found) > 1
    assert all(text.count("row 0") == text.count("row 13") for text in found)
    assert all(text.count("A table") == text.count("row 13") for text in found)


def test_a_tall_figure_is_printed_at_half_its_size_and_no_figure_wider_than_its_caption(browser):
    """At the height of the others a column of eight pictures had letters of a point."""
    drawing = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}'/>"
    sizes = [(600, 1700), (614, 422), (614, 186)]
    body = "".join(
        f'<figure><img width="{w}" height="{h}" src="{drawing.format(w, h)}"></figure>'
        for w, h in sizes
    )
    opened = browser.new_page()
    opened.set_content(f"<style>{STYLE}</style><main class='printed bd-article'>{body}</main>")
    boxes = [image.bounding_box() for image in opened.query_selector_all("img")]
    opened.close()
    cm = 96 / 2.54
    assert abs(boxes[0]["height"] - 850) < 1
    assert abs(boxes[1]["height"] - 6.3 * cm) < 1
    assert boxes[2]["width"] <= 12 * cm + 1


def test_no_last_row_of_a_table_is_alone_on_its_page(browser):
    """The row before it goes with it; 12 fit on a page with the head of the table."""
    rows = "".join(f"<tr><td><div style='height: 20mm'>row {k}</div></td></tr>" for k in range(13))
    table = f"<table><thead><tr><th>head</th></tr></thead><tbody>{rows}</tbody></table>"
    found = pages(browser, table)
    assert len(found) == 2
    assert "row 10" in found[0]
    assert "row 11" in found[1]
    assert "row 12" in found[1]


WORDS = "Words " + " ".join(f"and word {k}" for k in range(60)) + "."
FIGURE = (
    "<figure id='f'><p style='height: 70mm'>Drawn</p><figcaption>A figure</figcaption></figure>"
)


def chapter_of(browser, body):
    """Return a page that shows a chapter as it is set for print."""
    opened = browser.new_page(viewport={"width": 627, "height": 900})
    opened.emulate_media(media="print")
    inside = f"<section class='chapter'><section>{body}</section></section>"
    opened.set_content(f"<style>{STYLE}</style><main class='printed bd-article'>{inside}</main>")
    return opened


def test_a_figure_without_room_lets_the_text_behind_it_fill_the_page(browser):
    """It left more than a fifth of the page empty, and stays on the next page and in its order."""
    other = FIGURE.replace("'f'", "'g'").replace("A figure", "Another")
    body = f"<p style='height: 200mm'>Before</p>{FIGURE}"
    page = chapter_of(browser, f"{body}{f'<p>{WORDS}</p>' * 6}{other}<h2>Next</h2><p>{WORDS}</p>")
    setting = settle(page)
    page.close()
    assert setting.faults == []
    assert setting.empty[0] < GAP
    assert setting.html.index("A figure") < setting.html.index("Another")
    assert "part-" not in setting.html  # the names by which its parts were found
    assert 'hidden=""' not in setting.html


def test_no_page_begins_with_the_last_of_three_lines(browser):
    """Chromium leaves it there, since neither two and two lines nor one can stay together."""
    text = f"<p>{' '.join(f'wording{k}' for k in range(25))}</p>"
    begun = set()
    for height in range(225, 258, 3):
        page = chapter_of(browser, f"<div style='height: {height}mm'>x</div>{text}")
        floated(page, (1, 1))
        found = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
        begun.add(sum("wording" in line for line in found[-1].extract_text().splitlines()))
        page.close()
    assert begun == {3}


def test_the_emptiness_of_a_page_is_measured_where_its_text_ends(browser):
    page = chapter_of(
        browser, "<p style='height: 129mm'>half</p><p style='height: 240mm'>and more</p>"
    )
    marked = [("a", 129 / 25.4 * 96, ""), ("b", 240 / 25.4 * 96, "")]
    page.evaluate(
        """() => document.querySelectorAll("p").forEach((p, k) => {
          p.id = "ab"[k];
          p.style.breakInside = "avoid";
          document.body.insertAdjacentHTML("beforeend", `<a hidden href="#${p.id}"></a>`);
        })"""
    )
    found = read(page.pdf(prefer_css_page_size=True), marked)
    page.close()
    assert [round(share, 1) for share in found.empty] == [0.5, 0.1]
    assert [fault.startswith("page 1 is empty by") for fault in found.faults] == [True]


def test_a_chapter_that_ends_with_a_few_lines_has_a_fault():
    assert Setting(empty=[0.1, 0.9]).faults == ["the last page is filled by 10% only"]
    assert Setting(empty=[0.9]).faults == []


def test_a_figure_moves_no_further_than_it_has_to_and_never_behind_a_heading():
    assert behind([(True, 100), (True, 150), (True, 300)], need=400, room=240) == 2
    assert behind([(True, 100), (False, 140), (True, 20)], need=400, room=230) == 3
    assert behind([], need=400, room=230) == 0
    assert behind([(True, 700), (True, 700)], need=400, room=900) == 1  # not too far from its words
    # A page of its own does not follow on what a block leaves on the next page.
    assert behind([(True, 500), (True, 450)], need=940, room=450) == 0


def test_words_with_a_colon_are_on_the_page_of_what_they_announce(browser):
    """They were the last line of a page, and the list was on the next."""
    steps = "<ul>" + "<li>A step</li>" * 3 + "</ul>"
    for height in range(225, 258, 4):
        body = f"<p style='height: {height}mm'>Before</p><p>The steps:</p>{steps}"
        page = chapter_of(browser, body)
        floated(page, (1, 1))
        printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        found = [sheet.extract_text() for sheet in printed.pages]
        page.close()
        assert not [text for text in found if "The steps:" in text and "A step" not in text]


def test_no_figure_is_put_into_a_sentence(browser):
    """A sentence that goes on behind an equation was cut by two figures."""
    equation = "<div class='math'><p class='katex-display'>x = 1,</p></div>"
    sentence = f"<p>{WORDS}, hence</p>{equation}<p>that is, {WORDS}.</p>"
    page = chapter_of(browser, f"<p style='height: 215mm'>Before.</p>{FIGURE}{sentence * 3}")
    html = settle(page).html
    page.close()
    assert html.index("A figure") > html.index("hence")  # it has moved
    assert "<figure" not in html[html.index("hence") : html.index("that is")]
