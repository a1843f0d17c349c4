"""The network of chapter 1 that readers move computes what saelib computes, step by step."""

import re

import numpy as np
import pytest
from test_explore import drag, figure, moved

from saelib import Parameters, SparseObjective, decode, encode, numerical_gradient

COMPUTED = """(network) => {
  const c = exploreNetwork.compute(network);
  return [c.cost, c.a, c.xHat, c.gradient.W1, c.gradient.W2, c.gradient.b1, c.gradient.b2];
}"""
FIRST = Parameters(
    np.array([[2.0, -1.0], [1.0, 1.0]]),
    np.array([[1.0, 2.0], [-1.0, 1.0]]),
    np.array([-0.4, -1.0]),
    np.array([-1.0, 0.0]),
)
x = np.array([[0.8, 0.2]])


def plain(p, row):
    named = {name: getattr(p, name).tolist() for name in ("W1", "W2", "b1", "b2")}
    return {"x": row.tolist(), **named}


def objective_of(X):
    return SparseObjective(X, n_hidden=2, weight_decay=0.0, sparsity_weight=0.0)


@pytest.mark.parametrize("seed", range(3))
def test_forward_pass_cost_and_gradient_are_those_of_saelib(visit, seed):
    _, opened, _ = figure(visit, "network")
    rng = np.random.default_rng(seed)
    X, theta = rng.uniform(size=(1, 2)), rng.normal(size=12)
    p = Parameters.unravel(theta, 2, 2)
    cost, a, x_hat, *gradient = opened.evaluate(COMPUTED, plain(p, X[0]))
    wanted_cost, wanted = objective_of(X)(theta)
    assert cost == pytest.approx(wanted_cost, rel=1e-12)
    assert np.concatenate([np.ravel(g) for g in gradient]) == pytest.approx(wanted, rel=1e-10)
    A = encode(X, p)
    X_hat = decode(A, p)
    assert [*a, *x_hat] == pytest.approx([*A[0], *X_hat[0]], rel=1e-12)


def test_the_wiggle_is_the_central_difference_of_saelib(visit):
    _, opened, _ = figure(visit, "network")
    objective = objective_of(x)
    wanted = Parameters.unravel(
        numerical_gradient(lambda theta: objective(theta)[0], FIRST.ravel(), step=0.1), 2, 2
    )
    for name, row, column in (("W1", 0, 1), ("W2", 1, 0), ("b1", 1, None), ("b2", 0, None)):
        at = {"name": name, "row": row} | ({} if column is None else {"column": column})
        found = opened.evaluate(
            "([n, at]) => exploreNetwork.wiggle(n, at, 0.1).slope", [plain(FIRST, x[0]), at]
        )
        entry = getattr(wanted, name)[row if column is None else (row, column)]
        assert found == pytest.approx(entry, rel=1e-9)


def presser(opened, box, by):
    def press(name):
        button = box.get_by_role("button", name=name, exact=True)
        if by == "keys":
            button.focus()
            opened.keyboard.press("Enter")
        else:
            (button.tap if by == "touch" else button.click)()

    return press


@pytest.mark.parametrize("by", ["touch", "mouse", "keys"])
def test_each_step_shows_its_number_and_where_it_comes_from(visit, by):
    tab, opened, box = figure(visit, "network", width=375, has_touch=by == "touch")
    press, words = presser(opened, box, by), box.locator(".explore-words")
    circles = box.locator("circle[fill='var(--explore-chosen)']")
    said = []
    for _ in range(10):
        press("Step")
        said.append(words.text_content())
        # A step that computes a unit marks this unit, and thickens what goes into it.
        assert circles.count() == (0 if "The" in said[-1][:4] else 1)
    assert (
        "z⁽²⁾₁ = 2.00 · 0.80 − 1.00 · 0.20 − 0.40 = 1.0000, and a₁ = f(1.0000) = 0.7311" in said[0]
    )
    assert "= 0.4425" in said[3]
    assert "J = ½ (−0.1250)² + ½ (0.2425)² = 0.0372" in said[4]
    assert "δ⁽³⁾₁ = (0.6750 − 0.80) · 0.6750 · (1 − 0.6750) = −0.0274" in said[5]
    assert "= −0.0172: the errors come back" in said[7]
    assert box.get_by_role("button", name="Step", exact=True).is_disabled()
    shown = box.locator(".explore-handle text").all_text_contents()
    # Inputs, then the gradients of the eight weights, as they stand in the chapter.
    assert shown[2:6] == ["−0.0137", "−0.0034", "0.0010", "0.0002"]
    press("Back")
    assert words.text_content() == said[8]
    assert not tab.faults


def test_a_step_computes_from_the_numbers_that_it_lights_up(visit):
    _, opened, box = figure(visit, "network")
    press = presser(opened, box, "mouse")
    press("Step")
    assert box.locator("line[stroke-width='3']").count() == 2
    assert box.locator("text[font-weight='700']").count() >= 3  # two weights and the bias


@pytest.mark.parametrize("touch", [False, True])
def test_a_number_is_dragged_and_all_that_follows_moves(visit, touch):
    tab, opened, box = figure(visit, "network", width=375, has_touch=touch)
    presser(opened, box, "mouse")("All")
    handle = box.locator(".explore-handle").nth(2)  # the weight from the first input to unit 1
    handle.scroll_into_view_if_needed()
    place = handle.bounding_box()
    at = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    cost = box.locator(".explore-numbers dd").nth(3)
    before = float(cost.text_content())
    moved(opened, at, (at[0], at[1] - 30), touch)
    if not touch:
        opened.mouse.move(at[0], at[1] + 200)  # let go: nothing follows any more
    assert box.locator("output").first.text_content() == "4.00"  # 30 pixels are two
    W1 = FIRST.W1.copy()
    W1[0, 0] = 4.0
    changed = Parameters(W1, FIRST.W2, FIRST.b1, FIRST.b2)
    assert float(cost.text_content()) == pytest.approx(
        objective_of(x)(changed.ravel())[0], abs=1e-6
    )
    assert float(cost.text_content()) < before  # as the negative gradient has said
    assert not tab.faults


def test_by_keys_any_number_is_chosen_and_its_gradient_compared(visit):
    tab, opened, box = figure(visit, "network", width=375)
    choice = box.get_by_label("move and wiggle")
    gradient, measured = (box.locator(".explore-numbers dd").nth(k) for k in (4, 2))
    _, wanted = objective_of(x)(FIRST.ravel())
    order = np.r_[wanted[:8], wanted[8:]]
    for k in range(12):
        choice.select_option(str(k + 2))  # the first two are the inputs, which have none
        found = [float(cell.text_content().replace("−", "-")) for cell in (gradient, measured)]
        assert found[0] == pytest.approx(order[k], abs=6e-7)
        assert found[1] == pytest.approx(order[k], abs=2e-6)
    choice.select_option("0")
    assert gradient.text_content() == "–"
    before = box.locator(".explore-numbers dd").nth(3).text_content()
    box.get_by_label("its value").focus()
    opened.keyboard.press("ArrowRight")
    assert box.locator(".explore-numbers dd").nth(3).text_content() != before
    assert not tab.faults


def test_a_long_wiggle_measures_another_slope(visit):
    _, _, box = figure(visit, "network")
    apart = box.locator(".explore-numbers dd").nth(5)

    def gap():
        return float(re.sub("−", "-", apart.text_content()))

    drag(box.get_by_label("wiggle ε"), -2)
    short = gap()
    drag(box.get_by_label("wiggle ε"), 0)
    assert gap() > 1000 * short
