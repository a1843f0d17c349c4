"""Figures are drawings: fit for a phone, at home in both themes, and with sharp pixels."""

import io

import numpy as np
import pytest
from PIL import Image
from test_pages import CHAPTERS, STICKING_OUT

STILL = "article figure img.drawing"
# Bright and dark ends of what is drawn, as relative luminance.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def seen(opened, locator):
    """Return the pixels of a part of the page."""
    locator.scroll_into_view_if_needed()
    locator.evaluate("image => image.decode()")
    opened.wait_for_timeout(150)
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), dtype=float)


def linear(pixels):
    channel = pixels / 255
    return np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    high, low = sorted((linear(a) @ LUMINANCE, linear(b) @ LUMINANCE), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", CHAPTERS)
def test_on_a_phone_the_figures_are_those_drawn_for_it_and_reach_from_edge_to_edge(visit, page):
    tab = visit(width=375)
    opened = tab.to(page)
    images = opened.locator(STILL)
    assert images.count() > 1
    for image in images.all():
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        source = image.evaluate("image => image.currentSrc")
        box = image.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        if source.endswith(".phone.svg") and not image.evaluate("i => !!i.closest('.admonition')"):
            assert box["width"] == pytest.approx(367, abs=1)
    assert opened.evaluate(STICKING_OUT) == []
    assert not tab.faults


def test_on_a_wide_page_they_are_not(visit):
    opened = visit(width=1440).to("05-backpropagation.html")
    sources = opened.locator(STILL).evaluate_all(
        "all => all.map(image => image.currentSrc || image.src)"
    )
    assert sources
    assert not [source for source in sources if source.endswith(".phone.svg")]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("page", "figure"),
    [
        ("01-network.html", "fig-sigmoid"),
        ("04-kl-divergence.html", "fig-penalties"),
        ("05-backpropagation.html", "fig-two-roads"),
    ],
)
def test_curves_stand_on_the_page_itself_with_enough_contrast(visit, page, figure, theme):
    opened = visit(theme=theme).to(page)
    pixels = seen(opened, opened.locator(f"#{figure} img"))
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    ground = np.array([float(v) for v in ground[4:-1].split(",")])
    assert np.abs(pixels[1, 1] - ground).max() <= 2
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    common = colours[(counts > 150) & (np.abs(colours - ground).max(axis=1) > 40)]
    assert len(common)  # the inks of the curves and of the letters
    assert max(contrast(colour, ground) for colour in common) >= 7
    assert min(contrast(colour, ground) for colour in common) >= 1.2


def test_patches_keep_their_light_and_dark_in_the_dark_theme(visit):
    figures = [
        seen(opened, opened.locator("#fig-with-sparsity img"))
        for opened in (visit(theme=theme).to("03-sparsity.html") for theme in ("light", "dark"))
    ]
    light, dark = (figure.mean(axis=2)[40:-40, 40:-40] for figure in figures)
    n = min(len(light), len(dark)), min(light.shape[1], dark.shape[1])
    assert np.corrcoef(light[: n[0], : n[1]].ravel(), dark[: n[0], : n[1]].ravel())[0, 1] > 0


def test_run_in_the_page_or_without_scripts_a_figure_has_its_words(visit):
    opened = visit(width=375, java_script_enabled=False).to("05-backpropagation.html")
    image = opened.locator("#fig-two-roads img")
    assert image.get_attribute("alt").startswith("Three rows")
    assert image.get_attribute("src").endswith(".svg")


@pytest.mark.parametrize("width", [375, 1440])
def test_tables_that_cells_show_are_numbered_as_tables_and_fit_the_page(visit, width):
    tab = visit(width=width)
    opened = tab.to("08-what-goes-wrong.html")
    tables = opened.locator("figure.table-figure")
    numbers = tables.locator("figcaption .caption-number").all_text_contents()
    assert [number.strip() for number in numbers] == ["Table 8.1", "Table 8.2", "Table 8.3"]
    referred = opened.locator('a[href="#tab-check-sparsity"] .std-numref').first
    assert referred.text_content() == "Table 8.1"
    for table in tables.locator("table").all():
        box = table.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    sides = tables.locator("td").evaluate_all(
        "all => all.filter((td) => td.textContent).map((td) => getComputedStyle(td).textAlign)"
    )
    assert set(sides) == {"right"}
    assert opened.evaluate(STICKING_OUT) == []
