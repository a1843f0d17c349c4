"""Figures are drawings: fit for a phone, at home in both themes, and with sharp pixels."""

import io

import numpy as np
import pytest
from PIL import Image
from test_pages import CHAPTERS, STICKING_OUT

STILL = "article figure img.drawing:visible"
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


def ground_of(opened):
    """Return the colour of the page."""
    colour = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    return np.array([float(v) for v in colour[4:-1].split(",")])


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
    ground = ground_of(opened)
    assert np.abs(pixels[1, 1] - ground).max() <= 2
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    common = colours[(counts > 150) & (np.abs(colours - ground).max(axis=1) > 40)]
    assert len(common)  # the inks of the curves and of the letters
    assert max(contrast(colour, ground) for colour in common) >= 7
    assert min(contrast(colour, ground) for colour in common) >= 1.2


@pytest.mark.parametrize(
    ("page", "figure"),
    [
        ("01-network.html", "fig-worked-forward"),
        ("02-autoencoder.html", "fig-autoencoder"),
        ("05-backpropagation.html", "fig-two-roads"),
        ("05-backpropagation.html", "fig-cost-slice"),
        ("07-visualization.html", "fig-multiplier"),
        ("10-how-fast.html", "fig-two-passes"),
    ],
)
def test_in_the_dark_theme_the_grounds_of_labels_are_that_of_the_page(visit, page, figure):
    opened = visit(theme="dark").to(page)
    pixels = seen(opened, opened.locator(f"#{figure} img:visible"))
    assert pixels.min() >= ground_of(opened).min() - 2


@pytest.mark.parametrize(
    ("page", "figure"),
    [
        ("03-sparsity.html", "fig-with-sparsity"),
        ("06-training.html", "fig-pipeline"),
        ("06-training.html", "fig-normalization"),
        ("16-inside-a-real-network.html", "fig-must-block"),
    ],
)
def test_patches_look_the_same_in_the_dark_theme_and_stand_on_its_ground(visit, page, figure):
    shown = {}
    for theme in ("light", "dark"):
        opened = visit(theme=theme).to(page)
        shown[theme] = seen(opened, opened.locator(f"#{figure} img:visible"))
        assert np.abs(shown[theme][1, 1] - ground_of(opened)).max() <= 2
    light, dark = shown["light"], shown["dark"]
    assert light.shape == dark.shape
    # Greys that are neither ink nor ground nor an edge between them.
    grey = (np.ptp(light, axis=2) == 0) & (light[..., 0] > 110) & (light[..., 0] < 150)
    grey &= np.roll(grey, 1, 0) & np.roll(grey, -1, 0) & np.roll(grey, 1, 1) & np.roll(grey, -1, 1)
    assert grey.sum() > 500
    assert np.median(np.abs(light - dark)[grey]) <= 3


def test_on_paper_a_drawing_with_patches_is_that_of_the_light_theme(visit):
    opened = visit(theme="dark").to("06-training.html")
    opened.emulate_media(media="print")
    figure = opened.locator("#fig-snapshots")
    assert figure.locator(".by-day img").is_visible()
    assert not figure.locator(".by-night img").is_visible()


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
