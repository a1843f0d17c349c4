"""The figures to move of chapters 2 to 5, 7 and 9 compute what saelib computes, and obey."""

import json
import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.decomposition import PCA
from test_explore import drag, figure, moved

from conftest import ROOT
from saelib import (
    Parameters,
    SparseObjective,
    decode,
    encode,
    kl_divergence,
    kl_gradient,
    mean_activation,
    natural_images,
    normalize_patches,
    sample_patches,
    whiten,
)
from saelib.features import unexplained_variance


def said(box):
    return box.locator(".explore-words").text_content().replace("−", "-")


def when_loaded(opened, box, words):
    box.get_by_text(words).first.wait_for(timeout=60_000)
    return opened, box


def centre(locator):
    place = locator.bounding_box()
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


# Chapter 2 ---------------------------------------------------------------------------------------


def test_what_k_numbers_keep_is_what_pca_keeps(visit):
    _, opened, box = figure(visit, "compression")
    when_loaded(opened, box, "unexplained in unseen examples")
    kinds = opened.evaluate(
        """() => exploreCompressionData.map((kind) => {
          const V = explore.unpack(kind.V), examples = explore.unpack(kind.examples);
          const kept = (k) => examples.map((x) => exploreCompression.nearest(V, kind.mean, x, k));
          return { ...kind, examples, ten: kept(10), all: kept(100) };
        })"""
    )
    photographs = natural_images()
    white = {name: whiten(image) for name, image in photographs.items()}
    for kind in kinds:
        if kind["name"] == "noise":  # whose bound is known
            assert np.allclose(kind["unexplained"], 1 - np.arange(101) / 100, atol=0.01)
            continue
        images = photographs if kind["name"] == "photographs" else white
        X = sample_patches(images, 8_000, 10, seed=0)
        learn, test = ((part - X[::2].mean(axis=0)) / X[::2].std() for part in (X[::2], X[1::2]))
        for k in (1, 10, 50):
            pca = PCA(k).fit(learn)
            left = unexplained_variance(test, pca.inverse_transform(pca.transform(test)))
            assert kind["unexplained"][k] == pytest.approx(left, abs=2e-4)
        pca, examples = PCA(10).fit(learn), np.array(kind["examples"])
        wanted = pca.inverse_transform(pca.transform(examples))
        assert np.abs(kind["ten"] - wanted).max() < 0.02 * np.abs(examples).max()
    for kind in kinds:
        apart = np.abs(np.subtract(kind["all"], kind["examples"])).max()
        assert apart < 0.03 * np.abs(kind["examples"]).max()


@pytest.mark.parametrize("by", ["mouse", "touch", "keys"])
def test_fewer_numbers_keep_less_of_the_pictures(visit, by):
    tab, opened, box = figure(visit, "compression", width=375, has_touch=by == "touch")
    when_loaded(opened, box, "unexplained in unseen examples")
    pictures = box.locator(".explore-strip").nth(1).locator("canvas").first
    before = pictures.evaluate("c => c.toDataURL()")
    assert "With 10 of 100 numbers" in said(box)
    slider = box.locator("input[type=range]")
    slider.scroll_into_view_if_needed()
    place = slider.bounding_box()
    at = place["x"] + 0.5 * place["width"], place["y"] + place["height"] / 2
    if by == "keys":
        slider.focus()
        opened.keyboard.press("End")
        assert "noise 0.0 %, whitened 0.0 %, photographs 0.0 %" in said(box)
    else:
        (opened.touchscreen.tap if by == "touch" else opened.mouse.click)(*at)
        share = re.search(r"noise (\d+) %, whitened (\d\.\d) %", said(box))
        assert 40 < int(share[1]) < 60
    assert pictures.evaluate("c => c.toDataURL()") != before
    assert not tab.faults


# Chapter 3 ---------------------------------------------------------------------------------------

NETWORK = """([name, i]) => {
  const net = exploreSparsity.network(exploreSparsityData[name]);
  const bytes = atob(exploreSparsityData.patches).slice(100 * i, 100 * i + 100);
  const x = Array.from(bytes, (c) => 0.1 + 0.8 * c.charCodeAt(0) / 255);
  const a = exploreSparsity.code(net, x);
  const [y, less] = [-1, 6].map((but) => exploreSparsity.output(net, a, but));
  return { ...net, x, a, y, less };
}"""


@pytest.mark.parametrize("name", ["sparse", "free"])
def test_codes_and_outputs_are_those_of_the_networks_of_the_chapter(visit, name):
    from safetensors.numpy import load_file

    _, opened, box = figure(visit, "sparsity")
    when_loaded(opened, box, "with the penalty: mean activation")
    found = opened.evaluate(NETWORK, [name, 17])
    p = Parameters(
        np.array(found["W1"]), np.array(found["W2"]).T, np.array(found["b1"]), np.array(found["b2"])
    )
    x = np.array([found["x"]])
    A = encode(x, p)
    assert found["a"] == pytest.approx(A[0], rel=1e-9)
    assert found["y"] == pytest.approx(decode(A, p)[0], rel=1e-9)
    A[0, 6] = 0  # the unit is switched off
    assert found["less"] == pytest.approx(decode(A, p)[0], rel=1e-9)
    # And the weights, a byte each, are those that the chapter has stored.
    stored = load_file(ROOT / "book" / "_data" / "results" / "03-sparsity.cell-003.safetensors")
    W1 = stored["4" if name == "sparse" else "0"]
    assert np.abs(p.W1 - W1).max() <= 0.52 * np.abs(W1).max() / 127
    images = [whiten(image) for image in natural_images().values()]
    X = normalize_patches(sample_patches(images, n_patches=10_000, patch_size=10, seed=2))
    assert np.abs(x - X[17]).max() < 0.0016


@pytest.mark.parametrize("touch", [False, True])
def test_a_tap_chooses_a_unit_and_the_penalty_is_switched_off(visit, touch):
    tab, opened, box = figure(visit, "sparsity", width=375, has_touch=touch)
    when_loaded(opened, box, "with the penalty: mean activation")
    svg = box.locator(".explore-map svg")
    svg.scroll_into_view_if_needed()
    place = svg.bounding_box()
    at = {"x": 0.55 * place["width"], "y": 0.35 * place["height"]}  # sixth in the fourth row
    (svg.tap if touch else svg.click)(position=at)
    assert said(box).startswith("Unit 71, with the penalty")
    mean = float(re.search(r"mean activation ([\d.]+)", said(box))[1])
    assert mean < 0.1
    before = box.locator(".explore-map canvas").evaluate("c => c.toDataURL()")
    tick = box.get_by_role("checkbox", name="with penalty")
    tick.scroll_into_view_if_needed()
    if touch:
        tick.tap()
    else:
        tick.focus()
        opened.keyboard.press("Space")
    assert said(box).startswith("Unit 71, without the penalty")
    mean = float(re.search(r"mean activation ([\d.]+)", said(box))[1])
    assert mean > 0.2
    assert box.locator(".explore-map canvas").evaluate("c => c.toDataURL()") != before
    assert not tab.faults


def test_the_patches_shown_are_those_that_excite_the_unit_most(visit):
    _, opened, box = figure(visit, "sparsity")
    when_loaded(opened, box, "with the penalty: mean activation")
    found = opened.evaluate("exploreSparsity.largest([0.1, 0.9, 0.3, 0.8], 3)")
    assert found == [1, 3, 2]
    activations = []
    for k in range(1, 9):
        drag(box.get_by_label("which patch"), k)
        activations.append(float(re.search(r"Here it says ([\d.]+)", said(box))[1]))
    assert activations == sorted(activations, reverse=True)


# Chapter 4 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [(0.8, 1.0), (0.0, 2.0), (-1.5, 0.6)])
def test_the_divergence_of_two_bell_curves_is_the_integral(visit, q):
    _, opened, _ = figure(visit, "gaussians")
    value, parts = opened.evaluate(
        """([mean, sd]) => {
          const p = { mean: 0.3, sd: 1.2 }, q = { mean, sd };
          return [exploreGaussians.divergence(p, q), exploreGaussians.areas(p, q)];
        }""",
        list(q),
    )
    p, other = norm(0.3, 1.2), norm(*q)
    wanted, _ = quad(lambda x: p.pdf(x) * (p.logpdf(x) - other.logpdf(x)), -12, 12, limit=200)
    assert value == pytest.approx(wanted, rel=1e-7)
    assert parts["above"] + parts["below"] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("touch", [False, True])
def test_means_and_widths_are_dragged(visit, touch):
    tab, opened, box = figure(visit, "gaussians", width=375, has_touch=touch)
    svg = box.locator("svg")
    svg.scroll_into_view_if_needed()
    grips, unit = box.locator(".explore-grip"), svg.bounding_box()["width"] / 360 * 348 / 8
    at = centre(grips.nth(2))  # the top of q
    moved(opened, at, (at[0] - 0.8 * unit, at[1]), touch)
    assert float(box.get_by_label("mean of q").input_value()) == pytest.approx(0, abs=0.06)
    at = centre(grips.nth(3))  # its flank
    moved(opened, at, (at[0] + unit, at[1]), touch)
    width = float(box.get_by_label("width of q").input_value())
    assert width == pytest.approx(2, abs=0.06)
    value = float(re.search(r"= ([\d.]+) nats", said(box))[1])
    assert value == pytest.approx(np.log(width) + 1 / (2 * width**2) - 0.5, abs=0.002)
    assert not tab.faults


def test_exchanged_the_divergence_of_bell_curves_is_another(visit):
    _, opened, box = figure(visit, "gaussians")
    drag(box.get_by_label("width of q"), 2)
    first, turned = (float(v) for v in re.findall(r"(?:= |it is )(\d+\.\d+)", said(box)))
    box.get_by_label("q comes first").focus()
    opened.keyboard.press("Space")
    assert said(box).startswith("KL(q ‖ p)")
    again, back = (float(v) for v in re.findall(r"(?:= |it is )(\d+\.\d+)", said(box)))
    assert (again, back) == (turned, first)
    assert again != first


@pytest.mark.parametrize(("width_of_p", "width_of_q"), [(1, 1), (0.5, 3), (3, 0.5), (2, 2)])
def test_bell_curves_fill_the_height_of_their_picture(visit, width_of_p, width_of_q):
    _, _, box = figure(visit, "gaussians")
    drag(box.get_by_label("width of p"), width_of_p)
    drag(box.get_by_label("width of q"), width_of_q)
    heights = [
        float(pair.split()[1])
        for path in box.locator("svg path").all()
        for pair in path.get_attribute("d")[1:].rstrip("Z").split("L")
    ]
    tallest = min(width_of_p, width_of_q)
    assert max(heights) <= 236  # above the numbers
    if tallest < 2:
        assert min(heights) < 60
        assert max(heights) > 190


def test_the_reverse_divergence_is_drawn_beside_the_penalty(visit):
    _, _, box = figure(visit, "kl")
    curve = box.locator("path").nth(1)
    assert not curve.get_attribute("d")
    box.get_by_label("the mean first (dots)").check()
    corners = [tuple(map(float, c.split())) for c in curve.get_attribute("d")[1:].split("L")]
    means = np.array([(x - 38) / 312 for x, _ in corners])
    values = np.array([(208 - y) / 98 for _, y in corners])
    assert values == pytest.approx(kl_divergence(means, 0.2), abs=2e-3)
    assert "The mean first" in said(box)


# Chapter 5 ---------------------------------------------------------------------------------------


def test_both_terms_of_the_bracket_are_those_of_saelib(visit):
    _, opened, _ = figure(visit, "roads")
    d = opened.evaluate("exploreData.roads")
    X, beta = np.array(d["X"]), 0.07
    p = Parameters(*(np.array(d[name]) for name in ("W1", "W2", "b1", "b2")))
    objective = SparseObjective(
        X, 2, weight_decay=0.0, sparsity_target=d["sparsityTarget"], sparsity_weight=beta
    )
    A = encode(X, p)
    found = opened.evaluate(
        """(beta) => {
          const A = exploreRoads.code();
          return A.map((a, i) => a.map((v, j) => exploreRoads.bracket(A, i, j, v, beta)));
        }""",
        beta,
    )
    both = np.array([[each["first"] + each["second"] for each in row] for row in found])
    gradient = Parameters.unravel(objective(p.ravel())[1], 4, 2)
    assert (both * A * (1 - A)).mean(axis=0) == pytest.approx(gradient.b1, rel=1e-9)
    second = beta * kl_gradient(d["sparsityTarget"], mean_activation(A))
    assert [each["second"] for each in found[3]] == pytest.approx(second, rel=1e-9)


def test_the_terms_are_the_slopes_of_the_two_curves(visit):
    _, opened, _ = figure(visit, "roads")
    for i, j, a in ((0, 0, 0.3), (7, 1, 0.8), (39, 0, 0.05)):
        low, at, high = (
            opened.evaluate(
                "([i, j, a]) => exploreRoads.bracket(exploreRoads.code(), i, j, a, 0.05)",
                [i, j, a + step],
            )
            for step in (-1e-5, 0, 1e-5)
        )
        assert (high["error"] - low["error"]) / 2e-5 == pytest.approx(at["first"], rel=1e-5)
        assert (high["penalty"] - low["penalty"]) / 2e-5 == pytest.approx(at["second"], rel=1e-5)


def test_another_patch_brings_its_own_activation_and_the_bars_add_up(visit):
    tab, opened, box = figure(visit, "roads", width=375)
    slider = box.get_by_label("patch", exact=True)
    slider.focus()
    for _ in range(3):
        opened.keyboard.press("ArrowRight")
        own = re.search(r"a = ([\d.]+) \(the network itself says ([\d.]+)\)", said(box))
        assert own[1] == own[2]
    drag(box.get_by_label("activation a"), 0.9)
    first, sign, second, total = re.search(
        r"Bracket: (-?[\d.]+) ([+-]) ([\d.]+) = (-?\d+\.\d+)", said(box)
    ).groups()
    assert float(first) + float(sign + second) == pytest.approx(float(total), abs=0.0011)
    assert not tab.faults


# Chapter 7 ---------------------------------------------------------------------------------------


def test_the_answers_to_a_grating_are_those_of_saelib(visit):
    _, opened, _ = figure(visit, "units")
    found = opened.evaluate(
        """() => {
          const { side, steps, flat, length } = exploreData.assignment;
          const W = explore.unpack(steps.at(-1).W1), x = exploreUnits.grating(side, 30, 0.2, 45);
          return { W, flat, length, x, a: exploreUnits.answers(W, flat, x, 1.5 * length),
            near: exploreUnits.neighbours(W, 4) };
        }"""
    )
    W, x = np.array(found["W"]), np.array(found["x"])
    rows, columns = np.mgrid[:8, :8] - 3.5
    turn = np.deg2rad(30)
    wave = np.sin(0.4 * np.pi * (columns * np.cos(turn) + rows * np.sin(turn)) + np.pi / 4).ravel()
    wave -= wave.mean()
    assert x == pytest.approx(wave / np.linalg.norm(wave), abs=1e-12)
    b1 = np.array(found["flat"]) - 0.5 * W.sum(axis=1)
    p = Parameters(W, np.zeros((64, 25)), b1, np.zeros(64))
    wanted = encode(0.5 + 1.5 * found["length"] * x[None], p)[0]
    assert found["a"] == pytest.approx(wanted, rel=1e-9)
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    cosines = unit @ unit[4]
    order = [j for j in np.argsort(-cosines) if j != 4]
    assert [each["j"] for each in found["near"]] == order
    assert [each["cos"] for each in found["near"]] == pytest.approx(cosines[order], abs=1e-9)


@pytest.mark.parametrize("touch", [False, True])
def test_a_tap_on_a_unit_frames_it_and_its_three_neighbours(visit, touch):
    tab, _, box = figure(visit, "units", width=375, has_touch=touch)
    svg = box.locator("svg.explore-units")
    svg.scroll_into_view_if_needed()
    place = svg.bounding_box()
    at = {"x": 0.5 * place["width"], "y": 0.7 * place["height"]}  # third in the fourth row
    (svg.tap if touch else svg.click)(position=at)
    assert box.get_by_label("unit", exact=True).input_value() == "18"
    assert "Unit 18 says" in said(box)
    assert svg.locator("rect[stroke='var(--explore-output)']").count() == 4
    assert svg.locator("rect[stroke-dasharray='1.2 0.8']").count() == 3
    assert not tab.faults


def test_turning_the_grating_wakes_other_units(visit):
    _, _, box = figure(visit, "units")
    best = set()
    for angle in range(0, 180, 15):
        drag(box.get_by_label("orientation"), angle)
        best.add(re.search(r"says unit (\d+)", said(box))[1])
    assert len(best) >= 4
    drag(box.get_by_label("contrast"), 0)
    assert said(box).startswith("0 of 25 units")


def test_frames_lie_within_their_tiles_and_the_picture(visit):
    _, _, box = figure(visit, "units")
    for unit in (1, 5, 21, 25):
        drag(box.get_by_label("unit", exact=True), unit)
        for frame in box.locator("rect[stroke='var(--explore-output)']").all():
            x, y, width, stroke = (
                float(frame.get_attribute(name)) for name in ("x", "y", "width", "stroke-width")
            )
            assert min(x % 9, y % 9) >= stroke / 2 - 1e-9
            assert max(x % 9, y % 9) + width + stroke / 2 <= 8 + 1e-9


# Chapter 9 ---------------------------------------------------------------------------------------


def gains():
    text = (ROOT / "book/_data/figures/09-features-for-a-classifier.json").read_text("utf-8")
    series = json.loads(text)["fig-label-gains"]["series"]
    names = next(s for s in series if s["series"] == "axes 1")["y ticks"]
    panel = [s for s in series if s["series"].startswith("axes 3, line")]
    draws = [s["x"] for s in panel if len(s["x"]) == 4 and s["style"].endswith("|")]
    return dict(zip(names, map(np.array, draws), strict=True))  # with 300 labels


def test_means_and_errors_are_those_of_the_figure(visit):
    _, opened, box = figure(visit, "gains")
    when_loaded(opened, box, "in points ahead of pixels")
    found = gains()
    names = ("autoencoder", "dictionary", "PCA", "ICA", "random", "SVM", "neighbour")
    assert set(found) == set(names)
    for one, other in (("autoencoder", None), ("random", "autoencoder"), ("SVM", "PCA")):
        apart = found[one] - (found[other] if other else 0)
        ahead = opened.evaluate(
            "([one, other]) => exploreGains.ahead(exploreGainsData.gains, one, other, 2)",
            [one, other or "pixels"],
        )
        assert ahead["mean"] == pytest.approx(apart.mean(), abs=1e-9)
        assert ahead["error"] == pytest.approx(2 * apart.std(ddof=1) / 2, abs=1e-9)


@pytest.mark.parametrize("touch", [False, True])
def test_rivals_are_switched_off_and_the_line_at_0_is_chosen(visit, touch):
    tab, opened, box = figure(visit, "gains", width=375, has_touch=touch)
    when_loaded(opened, box, "in points ahead of pixels")
    lines = box.locator("polyline")
    assert lines.count() == 7
    for name in ("ICA", "SVM"):
        tick = box.get_by_label(name, exact=True)
        if touch:
            tick.tap()
        else:
            tick.focus()
            opened.keyboard.press("Space")
        assert f"{name} " not in said(box)
    assert lines.count() == 5
    box.get_by_label("the line at 0").select_option("autoencoder")
    assert "in points ahead of autoencoder" in said(box)
    assert "autoencoder -" not in said(box)
    found = gains()
    wanted = -found["autoencoder"].mean()
    shown = float(re.search(r"pixels (-?[\d.]+)", said(box))[1])
    assert shown == pytest.approx(wanted, abs=0.051)
    assert not tab.faults


def test_every_rival_has_dashes_and_a_mark_of_its_own_and_no_bar_ends_at_the_frame(visit):
    _, box = when_loaded(*figure(visit, "gains")[1:], "in points ahead of pixels")
    looks = box.locator("svg g:has(polyline)").evaluate_all(
        """groups => groups.map((group) => {
          const line = group.querySelector("polyline");
          const mark = group.querySelector("path:not(.explore-leader)");
          return [line.getAttribute("stroke"), line.getAttribute("stroke-dasharray"),
            mark.getAttribute("d") + mark.getAttribute("fill")].map(String);
        })"""
    )
    assert len(looks) == 7
    assert len({mark for *_, mark in looks}) == 7
    assert len({(stroke, dashes) for stroke, dashes, _ in looks}) == 7
    bars = box.locator("svg g[data-name] line").evaluate_all(
        "lines => lines.flatMap((l) => [l.y1.baseVal.value, l.y2.baseVal.value])"
    )
    assert min(bars) > 12
    assert max(bars) < 206


def test_a_name_that_is_pointed_at_or_focused_shows_its_line_alone(visit):
    opened, box = when_loaded(*figure(visit, "gains")[1:], "in points ahead of pixels")

    def bright():
        return box.locator("svg g[data-name]").evaluate_all(
            "all => all.filter((g) => g.style.opacity === '1').map((g) => g.dataset.name)"
        )

    assert len(bright()) == 8
    box.locator("svg text", has_text="SVM").hover()
    assert bright() == ["SVM"]
    opened.mouse.move(0, 0)
    assert len(bright()) == 8
    box.get_by_label("ICA", exact=True).focus()
    assert bright() == ["ICA"]
    opened.keyboard.press("Space")  # it is switched off: there is nothing to follow
    assert len(bright()) == 7


@pytest.mark.parametrize("width", [375, 1440])
def test_a_box_is_nearer_to_its_own_name_than_to_any_other(visit, width):
    _, box = when_loaded(*figure(visit, "gains", width=width)[1:], "in points ahead of pixels")
    rows = box.locator(".explore-ticks .explore-row")
    boxes = [row.locator("input").bounding_box() for row in rows.all()]
    names = [
        row.locator("label").evaluate(
            """label => { const range = document.createRange(); range.selectNodeContents(label);
              const { x, y, width, height } = range.getBoundingClientRect();
              return { x, y, width, height }; }"""
        )
        for row in rows.all()
    ]

    def gap(a, b):
        across = max(a["x"], b["x"]) - min(a["x"] + a["width"], b["x"] + b["width"])
        down = max(a["y"], b["y"]) - min(a["y"] + a["height"], b["y"] + b["height"])
        return np.hypot(max(across, 0), max(down, 0))

    for k, place in enumerate(boxes):
        distances = [gap(place, name) for name in names]
        assert np.argmin(distances) == k
        assert sorted(distances)[1] > 1.5 * distances[k]
