"""The figures that readers move compute what saelib computes, by keyboard and by touch."""

import numpy as np
import pytest

from saelib import Parameters, SparseObjective, kl_divergence, kl_gradient

WHERE = {
    "network": ("01-network.html", "forwards and back"),
    "compression": ("02-autoencoder.html", "how many numbers are enough?"),
    "sparsity": ("03-sparsity.html", "one unit of two hundred"),
    "gaussians": ("04-kl-divergence.html", "two bell curves"),
    "roads": ("05-backpropagation.html", "one activation, two roads"),
    "units": ("07-visualization.html", "all units answer"),
    "gains": ("09-features-for-a-classifier.html", "rivals on and off"),
    "kl": ("04-kl-divergence.html", "the penalty of one unit"),
    "train": ("06-training.html", "train it yourself"),
    "training": ("06-training.html", "twenty-five units while they learn"),
    "unit": ("07-visualization.html", "what excites a unit"),
    "descent": ("05-backpropagation.html", "descent on a slice through the cost"),
}


def figure(visit, name, **options):
    page, title = WHERE[name]
    tab = visit(**options)
    opened = tab.to(page)
    opened.evaluate("window.explore.show()")
    box = opened.get_by_role("group", name=f"Move it: {title}")
    box.scroll_into_view_if_needed()
    return tab, opened, box


def moved(opened, start, stop, touch):
    """Drag from one place of the page to another."""
    if not touch:
        opened.mouse.move(*start)
        opened.mouse.down()
        opened.mouse.move(*stop, steps=4)
        opened.mouse.up()
        return
    session = opened.context.new_cdp_session(opened)

    def touch_is(kind, *at):
        points = [{"x": float(x), "y": float(y)} for x, y in at]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    touch_is("Start", start)
    for part in (0.25, 0.5, 0.75, 1.0):
        touch_is("Move", np.add(start, part * np.subtract(stop, start)))
        # A move is handed on with the next frame.
        opened.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")
    touch_is("End")


@pytest.mark.parametrize("name", WHERE)
def test_every_slider_changes_the_words_by_keyboard(visit, name):
    tab, opened, box = figure(visit, name, width=375)
    words = box.locator(".explore-words")
    for slider in box.locator("input[type=range]").all():
        before = (words.text_content(), slider.get_attribute("aria-valuetext"))
        slider.focus()
        value = float(slider.input_value())
        at_end = value >= float(slider.get_attribute("max"))
        opened.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
        assert (words.text_content(), slider.get_attribute("aria-valuetext")) != before
    assert not tab.faults


SEEN = """box => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => rgb(colour).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ground = light(getComputedStyle(box).backgroundColor);
  const texts = [...box.querySelectorAll("p, label, output, button, select, dt, dd, svg text")]
    .filter((node) => node.textContent.trim() && node.getClientRects().length);
  const ink = (node) => getComputedStyle(node)[node instanceof SVGElement ? "fill" : "color"];
  const behind = (node) => {
    const own = getComputedStyle(node).backgroundColor;
    return node.matches("button, select") && rgb(own)[3] !== 0 ? light(own) : ground;
  };
  return {
    ground,
    page: light(getComputedStyle(document.body).backgroundColor),
    faint: texts.filter((node) => contrast(light(ink(node)), behind(node)) < 4.5)
      .map((node) => `${node.tagName}: ${node.textContent} ${ink(node)}`),
    lines: ["input", "hidden", "output", "penalty", "ink"].filter((name) => {
      box.style.outlineColor = `var(--explore-${name})`;
      return contrast(light(getComputedStyle(box).outlineColor), ground) < 3;
    }),
  };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", WHERE)
def test_it_is_at_home_in_both_themes(visit, name, theme):
    _, opened, box = figure(visit, name, theme=theme)
    opened.wait_for_timeout(300)  # data of some are on their way
    seen = box.evaluate(SEEN)
    assert abs(seen["ground"] - seen["page"]) < 0.03
    assert seen["faint"] == []
    assert seen["lines"] == []


def test_what_has_been_drawn_changes_with_the_theme(visit):
    _, opened, box = figure(visit, "kl", theme="light")
    curve = box.locator("path").first
    colours = []
    for theme in ("light", "dark"):
        opened.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        colours.append(curve.evaluate("node => getComputedStyle(node).stroke"))
    assert colours == ["rgb(160, 82, 125)", "rgb(214, 147, 183)"]


def test_the_divergence_and_its_slope_are_those_of_saelib(visit):
    _, opened, _ = figure(visit, "kl")
    for rho, rho_hat in ((0.2, 0.5), (0.01, 0.3), (0.9, 0.05)):
        value, slope = opened.evaluate(
            "([r, q]) => [explore.kl(r, q), explore.klSlope(r, q)]", [rho, rho_hat]
        )
        assert value == pytest.approx(float(kl_divergence(rho, rho_hat)), rel=1e-12)
        assert slope == pytest.approx(float(kl_gradient(rho, rho_hat)), rel=1e-12)


def drag(slider, value):
    slider.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }", value
    )


@pytest.mark.parametrize(("rho", "rho_hat"), [(0.2, 0.5), (0.2, 0.01), (0.01, 0.95), (0.9, 0.05)])
def test_the_tangent_goes_through_the_point_with_the_slope_of_the_penalty(visit, rho, rho_hat):
    _, _, box = figure(visit, "kl")
    for slider, value in zip(box.locator("input[type=range]").all(), (rho, rho_hat), strict=True):
        drag(slider, value)
    ends = box.locator("line[stroke-dasharray]").evaluate(
        "node => ['x1', 'y1', 'x2', 'y2'].map((name) => +node.getAttribute(name))"
    )
    point = box.locator("circle").evaluate(
        "node => [+node.getAttribute('cx'), +node.getAttribute('cy')]"
    )
    (x1, y1, x2, y2), (x, y) = ends, point
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((x, y), abs=0.01)
    # 312 pixels for 1 across, 98 for a nat up.
    slope = -(y2 - y1) / 98 / ((x2 - x1) / 312)
    assert slope == pytest.approx(float(kl_gradient(rho, rho_hat)), rel=1e-3)


@pytest.mark.parametrize("rho", [0.01, 0.2, 0.99])
def test_the_curve_has_a_wall_at_both_ends(visit, rho):
    _, _, box = figure(visit, "kl")
    drag(box.locator("input[type=range]").first, rho)
    path = box.locator("path").first.get_attribute("d")
    corners = [tuple(map(float, pair.split())) for pair in path[1:].split("L")]
    assert corners[0][0] == 38
    assert corners[-1][0] == 350
    assert max(corners[0][1], corners[-1][1]) < 12  # above the frame


def test_the_cost_and_the_gradient_on_the_slice_are_those_of_saelib(visit):
    _, opened, _ = figure(visit, "descent")
    data = opened.evaluate("exploreData.slice")
    objective = SparseObjective(
        np.array(data["X"]),
        n_hidden=2,
        weight_decay=data["weightDecay"],
        sparsity_target=data["sparsityTarget"],
        sparsity_weight=data["sparsityWeight"],
    )
    p = Parameters(*(np.array(data[name]) for name in ("W1", "W2", "b1", "b2")))
    for w, b in ((7.0, 5.0), (-3.0, 1.0), (0.5, -6.0)):
        p.W1[0, 0], p.b1[0] = w, b
        cost, gradient = objective(p.ravel())
        g = Parameters.unravel(gradient, 4, 2)
        found = opened.evaluate(
            "([w, b]) => [explore.slice.cost(w, b), ...explore.slice.gradient(w, b)]", [w, b]
        )
        assert found == pytest.approx([cost, g.W1[0, 0], g.b1[0]], rel=1e-9, abs=1e-12)


def test_the_map_of_the_descent_is_as_long_for_one_across_as_for_one_up(visit):
    _, opened, box = figure(visit, "descent")
    shown = box.locator(".explore-map svg").bounding_box()
    ((w0, w1), (b0, b1)) = opened.evaluate("[explore.slice.range.w, explore.slice.range.b]")
    assert shown["width"] / (w1 - w0) == pytest.approx(shown["height"] / (b1 - b0), rel=0.01)


def test_a_right_angle_stands_between_the_line_of_the_first_cost_and_the_way_down(visit):
    _, opened, box = figure(visit, "descent")
    corner = box.locator(".explore-corner").get_attribute("points")
    along, top, down = (np.array(p.split(","), dtype=float) for p in corner.split())
    start = box.locator(".explore-map circle").first
    at = np.array([float(start.get_attribute(name)) for name in ("cx", "cy")])
    assert (along - at) @ (down - at) == pytest.approx(0, abs=0.05)
    assert top == pytest.approx(along + down - at, abs=0.05)
    gradient = np.array(opened.evaluate("explore.slice.gradient(7, 5)")) * [1, -1]
    cosine = (down - at) @ gradient / np.linalg.norm(down - at) / np.linalg.norm(gradient)
    assert cosine == pytest.approx(-1, abs=1e-3)


def test_a_line_of_equal_cost_has_that_cost(visit):
    _, opened, _ = figure(visit, "descent")
    x, y = np.meshgrid(np.arange(12), np.arange(9))
    values = ((x - 5.0) ** 2 + (y - 4.0) ** 2).ravel().tolist()
    pieces = np.array(opened.evaluate("([v, n]) => explore.contour(v, n, 9)", [values, 12]))
    ends = pieces.reshape(-1, 2)
    assert len(ends) > 20
    assert np.hypot(*(ends - [5, 4]).T) == pytest.approx(3, abs=0.1)


def test_lines_of_the_map_end_before_the_words_upon_it(visit):
    _, _, box = figure(visit, "descent")
    for words in box.locator(".explore-map text").all():
        assert words.evaluate("node => getComputedStyle(node).paintOrder").startswith("stroke")
        rim = words.evaluate("node => parseFloat(getComputedStyle(node).strokeWidth)")
        assert rim >= 1.5


def test_a_tap_on_the_map_starts_the_descent_there(visit):
    _, _opened, box = figure(visit, "descent", width=375, has_touch=True)
    before = box.locator(".explore-words").text_content()
    box.locator(".explore-map svg").tap(position={"x": 30, "y": 60})
    assert box.locator(".explore-words").text_content() != before


def test_the_maximal_input_excites_the_unit_more_than_any_grating(visit):
    _, _opened, box = figure(visit, "unit")
    gratings = []
    for angle in range(0, 180, 45):
        slider = box.get_by_label("orientation")
        slider.fill(str(angle))
        gratings.append(float(box.locator("meter").evaluate("m => m.value")))
    box.get_by_role("button", name="maximal input").click()
    assert float(box.locator("meter").evaluate("m => m.value")) > max(gratings)


@pytest.mark.parametrize("name", WHERE)
def test_without_scripts_and_in_print_the_still_figure_is_what_one_sees(visit, name):
    page, _ = WHERE[name]
    tab = visit(java_script_enabled=False)
    tab.page.goto(f"{tab.site}/{page}")
    assert tab.page.locator(".explore").count() == 0
    assert tab.page.locator("figure img").count() >= 1
    tab, opened, box = figure(visit, name)
    opened.emulate_media(media="print")
    assert not box.is_visible()
