"""How the pages of the printed book are set, by its style and without printing the book."""

import io

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
    """The row before it goes with it; 13 fit on the first page, whose margins are the cover's."""
    rows = "".join(f"<tr><td><div style='height: 20mm'>row {k}</div></td></tr>" for k in range(14))
    table = f"<table><thead><tr><th>head</th></tr></thead><tbody>{rows}</tbody></table>"
    found = pages(browser, table)
    assert len(found) == 2
    assert "row 11" in found[0]
    assert "row 12" in found[1]
    assert "row 13" in found[1]
