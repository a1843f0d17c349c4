"""Where the pages of the printed book end, by its style and without printing the book."""

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
