"""The training in the page of chapter 6 computes what saelib computes, and does as it is told."""

import base64

import numpy as np
import pytest
from skimage import data
from skimage.io import imsave
from test_explore import drag, figure

from conftest import SITE
from saelib import (
    Parameters,
    SparseObjective,
    natural_images,
    normalize_patches,
    sample_patches,
    whiten,
)
from saelib.features import edge_like, edge_strength, fit_gabor

COST = """([X, n, h, settings, theta]) => {
  const objective = exploreTrain.sparseObjective(Float64Array.from(X), n, h, settings);
  const gradient = new Float64Array(objective.size);
  const terms = objective.evaluate(Float64Array.from(theta), gradient);
  return [terms.reconstruction, terms.decay, terms.sparsity, terms.cost, ...gradient];
}"""

ROSENBROCK = """() => {
  const valley = { size: 2, evaluate([x, y], g) {
    g.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]);
    return { cost: (1 - x) ** 2 + 100 * (y - x * x) ** 2 };
  } };
  let last;
  for (last of exploreTrain.lbfgs(valley, Float64Array.from([-1.2, 1])))
    if (last.iteration >= 60) break;
  return [...last.theta];
}"""

TRAINED = """async () => {
  const { X, edgeR2 } = await exploreTrain.patches();
  const settings = { rho: 0.01, beta: 3, lambda: 1e-4 };
  const objective = exploreTrain.sparseObjective(X, 64, 25, settings);
  let last;
  for (last of exploreTrain.lbfgs(objective, exploreTrain.start(64, 25, 1)))
    if (last.iteration >= 400) break;
  const counted = exploreTrain.edgeCounter(8, edgeR2).count(last.theta, 25);
  return [counted, last.terms.cost, ...last.theta];
}"""


# Seven examples are no multiple of the four that the script takes at a time.
@pytest.mark.parametrize("m", [1, 7, 8])
@pytest.mark.parametrize("beta", [0.0, 3.0])
def test_cost_and_gradient_are_those_of_saelib(visit, m, beta):
    _, opened, _ = figure(visit, "train")
    rng = np.random.default_rng(m)
    X = rng.uniform(0.1, 0.9, size=(m, 9))
    theta = rng.normal(size=Parameters.random(9, 5, seed=0).ravel().size)
    objective = SparseObjective(X, 5, weight_decay=0.01, sparsity_target=0.2, sparsity_weight=beta)
    settings = {"rho": 0.2, "beta": beta, "lambda": 0.01}
    found = opened.evaluate(COST, [X.ravel().tolist(), 9, 5, settings, theta.tolist()])
    terms, (_, gradient) = objective.terms(theta), objective(theta)
    wanted = [terms.reconstruction, terms.weight_decay, terms.sparsity, terms.total, *gradient]
    assert found == pytest.approx(wanted, rel=1e-10, abs=1e-12)


def test_its_l_bfgs_follows_a_bent_valley_to_the_bottom(visit):
    _, opened, _ = figure(visit, "train")
    assert opened.evaluate(ROSENBROCK) == pytest.approx([1, 1], abs=1e-4)


def test_whitening_and_normalizing_are_those_of_saelib(visit):
    _, opened, _ = figure(visit, "train")
    image = np.random.default_rng(0).uniform(size=(40, 57))
    found = opened.evaluate(
        "([image, h, w]) => [...exploreTrain.whiten(Float64Array.from(image), h, w)]",
        [image.ravel().tolist(), *image.shape],
    )
    assert found == pytest.approx(whiten(image).ravel().tolist(), abs=1e-10)
    patches = np.random.default_rng(1).normal(size=(30, 64))
    found = opened.evaluate(
        "p => [...exploreTrain.normalize(Float64Array.from(p), 64)]", patches.ravel().tolist()
    )
    assert found == pytest.approx(normalize_patches(patches).ravel().tolist(), abs=1e-12)


def test_the_patches_are_those_of_the_chapter(visit):
    _, opened, _ = figure(visit, "train")
    found = opened.evaluate("async () => [...(await exploreTrain.patches()).X]")
    images = {name: whiten(image) for name, image in natural_images().items()}
    X = normalize_patches(sample_patches(images, 2000, 8, seed=0))
    assert np.abs(np.reshape(found, X.shape) - X).max() < 0.5001 * 0.8 / 255
    assert (SITE / "_static/js/explore-patches.js").stat().st_size < 200_000


def test_while_the_units_learn_one_is_told_how_many_are_edges(visit):
    _, opened, box = figure(visit, "training")
    for step in (0, 5, 11):
        drag(box.locator("input[type=range]"), step)
        now = opened.evaluate(f"exploreData.assignment.steps[{step}]")
        raw = np.frombuffer(base64.b64decode(now["W1"]["bytes"]), np.int8).reshape(25, 64)
        edges = edge_like(raw * np.array(now["W1"]["scale"])[:, None]).sum()
        told = box.locator(".explore-words").text_content()
        assert f"{edges} of 25 units are edge-like" in told


def test_what_counts_as_an_edge_is_what_saelib_counts(visit):
    _, opened, _ = figure(visit, "train")
    filters = []
    for step in opened.evaluate("exploreData.assignment.steps"):
        raw = np.frombuffer(base64.b64decode(step["W1"]["bytes"]), np.int8).reshape(25, 64)
        filters.append(raw * np.array(step["W1"]["scale"])[:, None] / 127)
    W = np.vstack(filters[::2])
    r2, edges = opened.evaluate(
        """async (W) => {
          const { edgeR2 } = await exploreTrain.patches();
          const counter = exploreTrain.edgeCounter(8, edgeR2);
          return [W.map((w) => counter.r2(w)), W.map((w) => counter.isEdge(w))];
        }""",
        W.tolist(),
    )
    fit = fit_gabor(W)
    # On noise two searches end in different places; where there is an edge they must not.
    found = fit.r2 > 0.74
    assert found.sum() > 50
    assert np.abs(r2 - fit.r2)[found].max() < 0.005
    clear = np.abs(edge_strength(fit.r2, 8) - 8) > 0.8
    assert clear.mean() > 0.8
    assert np.array_equal(np.array(edges)[clear], edge_like(W)[clear])


def test_a_whole_training_ends_as_those_of_saelib_do(visit):
    """Cost and edges are computed again by saelib from the weights that the page ends with."""
    _, opened, _ = figure(visit, "train")
    edges, cost, *theta = opened.evaluate(TRAINED)
    X = np.reshape(opened.evaluate("async () => [...(await exploreTrain.patches()).X]"), (-1, 64))
    assert float(SparseObjective(X, 25)(np.array(theta))[0]) == pytest.approx(cost, rel=1e-9)
    assert 0.36 < cost < 0.39
    counted = int(edge_like(Parameters.unravel(np.array(theta), 64, 25).W1).sum())
    assert counted >= 18
    assert abs(edges - counted) <= 1


def iteration(box):
    return int(box.locator(".explore-numbers dd").first.text_content())


@pytest.mark.parametrize("by", ["touch", "mouse", "keys"])
def test_training_starts_pauses_goes_on_and_starts_anew(visit, by):
    tab, opened, box = figure(visit, "train", width=375, has_touch=by == "touch")

    def press(name):
        button = box.get_by_role("button", name=name, exact=True)
        if by == "keys":
            button.focus()
            opened.keyboard.press("Enter")
        else:
            (button.tap if by == "touch" else button.click)()

    canvas = box.locator("canvas")
    before = canvas.evaluate("c => c.toDataURL()")
    press("Train")
    opened.wait_for_function(
        "() => +document.querySelector('.explore-numbers dd').textContent >= 20", timeout=300_000
    )
    assert canvas.evaluate("c => c.toDataURL()") != before
    press("Pause")
    opened.wait_for_timeout(500)
    stopped = iteration(box)
    opened.wait_for_timeout(500)
    assert iteration(box) == stopped
    press("Go on")
    opened.wait_for_function(
        "n => +document.querySelector('.explore-numbers dd').textContent > n",
        arg=stopped,
        timeout=300_000,
    )
    press("New start")
    opened.wait_for_timeout(500)  # nothing of the old run may come in
    assert box.locator(".explore-numbers dd").first.text_content() == "–"
    box.get_by_role("button", name="Train", exact=True).wait_for()
    assert canvas.evaluate("c => c.toDataURL()") != before
    assert not tab.faults


def test_a_run_that_has_ended_is_listed_and_goes_on_until_no_step_helps(visit):
    tab, _, box = figure(visit, "train", width=375)
    for k in (3, 0):  # nine hidden units, seldom active, are at a minimum soonest
        drag(box.locator("input[type=range]").nth(k), 0)
    box.get_by_role("button", name="Train", exact=True).click()
    more = box.get_by_role("button", name="Go on for 400 more")
    more.wait_for(timeout=300_000)
    assert "After 400 iterations" in box.locator(".explore-words").text_content()
    cells = box.locator(".explore-runs td").all_text_contents()
    assert cells[:4] == ["0.005", "3", "10⁻⁴", "400"]
    more.click()
    box.get_by_text("No step lowers the cost further.").wait_for(timeout=300_000)
    assert box.get_by_role("button", name="Train", exact=True).is_disabled()
    assert 400 < int(box.locator(".explore-runs td").nth(3).text_content()) < 800
    assert box.locator(".explore-runs tr").count() == 2
    assert not tab.faults


def test_a_picture_of_ones_own_is_trained_on_and_stays_on_the_device(visit, tmp_path):
    tab, opened, box = figure(visit, "train", width=375)
    mine = tmp_path / "mine.png"
    imsave(mine, data.camera()[:300, ::2], check_contrast=False)
    box.locator("input[type=file]").set_input_files(mine)
    box.get_by_text("Your picture, 256×300 pixels of grey; it stays on this device.").wait_for()
    tab.requests.clear()
    box.get_by_role("button", name="Train", exact=True).click()
    opened.wait_for_function(
        "() => +document.querySelector('.explore-numbers dd').textContent >= 20", timeout=300_000
    )
    sent = [url for url in tab.requests if "explore-patches.js" not in url]
    assert all(url.startswith("blob:") for url in sent)  # the worker itself
    box.get_by_role("button", name="Back to the photographs of the book").click()
    assert "your picture" not in box.locator(".explore-words").text_content()
    assert not tab.faults


def test_a_file_that_is_no_picture_or_an_empty_one_is_refused_in_words(visit, tmp_path):
    tab, _, box = figure(visit, "train")
    for name, picture, words in (
        ("flat.png", np.full((60, 60), 9, np.uint8), "one colour only"),
        ("thin.png", np.arange(2000, dtype=np.uint8).reshape(10, 200), "too small or too narrow"),
        ("words.png", None, "cannot read this file as a picture"),
    ):
        file = tmp_path / name
        if picture is None:
            file.write_text("no picture")
        else:
            imsave(file, picture, check_contrast=False)
        box.locator("input[type=file]").set_input_files(file)
        box.get_by_text(words).wait_for()
    assert not tab.faults


def test_no_figure_to_move_has_more_than_30_kb_of_script():
    scripts = [
        p
        for p in (SITE / "_static/js").glob("explore*.js")
        if not p.stem.endswith(("data", "patches"))
    ]
    assert scripts
    for script in scripts:
        assert script.stat().st_size < 30_000, script.name
