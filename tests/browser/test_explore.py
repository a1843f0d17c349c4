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
