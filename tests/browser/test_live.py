"""The code of the pages, run in the browser: the book's outputs, a learner's visit, offline."""

import configparser
import functools
import gzip
import http.server
import json
import os
import platform
import re
import threading

import firefox
import nbformat
import processor
import pytest
from serve import Quiet
from test_pages import CHAPTERS as ALL_CHAPTERS
from test_pages import STICKING_OUT, WCAG, soup, violations

from conftest import ROOT, SITE, Visit

# The third part trains what a browser takes minutes for.
CHAPTERS = [page for page in ALL_CHAPTERS if page < "11-"]
MINUTES = 60_000
RUN = """async (index) => {
  const cell = liveSession.cells[index];
  let outcome;
  const began = performance.now();
  const nobody = setInterval(() => {  // is there to be asked, or to press Stop
    if (liveSession.asking) outcome = document.querySelector(".live-question").textContent;
    liveSession.asking?.();
    if (performance.now() - began > 300_000) liveSession.stop();
  }, 200);
  const done = await liveSession.run(cell).finally(() => clearInterval(nobody));
  return { done, outcome: outcome ?? cell.outcome, ms: cell.ms,
           kinds: cell.kinds.map(([kind, text]) => [kind, kind === "png" ? "" : text]) };
}"""
SANITIZE = configparser.RawConfigParser()
SANITIZE.read(ROOT / "tools" / "nbval-sanitize.cfg")

# Where `make live-times` wants what these tests measure; see "Run times and versions".
TIMES = ROOT / "book" / "_data" / "live-times.json"
MEASURE = os.environ.get("SAELIB_LIVE_TIMES") == "1"

if not (SITE / "_static" / "live" / "page.js").exists():
    message = "the site was built without code that runs in the page"
    if os.environ.get("CI") == "true" and os.environ.get("LIVE") != "0":
        pytest.fail(message, pytrace=False)
    pytest.skip(message, allow_module_level=True)


def starting(tab, page):
    """Open a chapter and have its Python started."""
    tab.page.set_default_timeout(4 * MINUTES)
    opened = tab.to(page)
    opened.get_by_role("button", name="Run the code on this page").click()
    return opened


def ready(opened):
    """Wait until the Python of a page is ready."""
    # Not by a function in the page: a strict policy would not let Playwright make one of a text.
    opened.locator(".live-status", has_text=re.compile("is ready|could not")).wait_for()
    assert opened.evaluate("liveSession.times"), opened.inner_text(".live-status")
    return opened


def started(tab, page):
    """Open a chapter and wait until its Python is ready."""
    return ready(starting(tab, page))


@pytest.fixture(scope="module")
def chapter(browser, site):
    """Return a function that visits a chapter whose Python is ready, and starts that of the next.

    A start takes as long as the cells of most chapters: one processor does the one, one the other.
    """
    begun = {}

    def begin(page):
        if page not in begun:
            begun[page] = Visit(browser.new_context(), site)
            starting(begun[page], page)

    def visited(page):
        begin(page)
        ready(begun[page].page)
        following = CHAPTERS.index(page) + 1
        if following < len(CHAPTERS) and not MEASURE:
            begin(CHAPTERS[following])
        return begun.pop(page)

    yield visited
    for tab in begun.values():
        tab.page.context.close()


def sanitized(text):
    for section in SANITIZE.sections():
        text = re.sub(SANITIZE[section]["regex"], SANITIZE[section]["replace"], text)
    return text


def joined(pairs):
    """Return what a reader sees in the end: streams in one piece, pictures without their bytes."""
    found = []
    for kind, text in pairs:
        if kind in ("stdout", "stderr") and found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return [(kind, re.sub(r"[^\n]*\r(?!\n)", "", sanitized(text)).strip()) for kind, text in found]


def stored(cell):
    kinds = {"text/html": "html", "image/png": "png", "text/plain": "result"}
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, output.text))
        else:
            shown = next(name for name in kinds if name in output.data)
            found.append((kinds[shown], "" if shown == "image/png" else output.data[shown]))
    return joined(found)


def compared(cell, outputs):
    """Return what must be the same everywhere: of cells so tagged only the kinds of output."""
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return [kind for kind, _ in outputs]
    return outputs


def code_cells(page):
    notebook = nbformat.read(ROOT / "book" / page.replace(".html", ".ipynb"), as_version=4)
    hidden = {"remove-cell", "remove-input"}
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and not hidden & set(cell.metadata.get("tags", []))
    ]


def answers(opened):
    """Return stub, check and solution of the first exercise, with an answer that is wrong."""
    found = opened.evaluate(
        """() => {
          const of = (name) => liveSession.cells.find((c) => c.box.classList.contains(name));
          const cells = ["tag_stub", "tag_check", "tag_solution"].map(of);
          return [...cells.map((c) => c.index), cells[0].editor.original, cells[2].editor.original];
        }"""
    )
    stub, check, _, written, right = found
    if "NotImplementedError" in written:
        return stub, check, right, written.replace("raise NotImplementedError", "return 0.123")
    return (
        stub,
        check,
        right,
        re.sub(r"= \.\.\.", "= -987.25", written),
    )


def write(opened, index, text):
    opened.locator(f"#{opened.evaluate('i => liveSession.cells[i].box.id', index)} textarea").fill(
        text
    )


@pytest.mark.xdist_group("chapters")  # each starts the next
@pytest.mark.parametrize("page", CHAPTERS)
def test_every_cell_shows_in_the_page_what_the_book_has_stored(chapter, page):
    tab = chapter(page)
    opened = tab.page
    cells = code_cells(page)
    ids = opened.evaluate("liveSession.cells.map((cell) => cell.box.id)")
    assert ids == [f"code-{cell.id}" for cell in cells]
    began = processor.worker_seconds()
    same = 0
    for index, cell in enumerate(cells):
        found = opened.evaluate(RUN, index)
        if found["outcome"] == "stored":
            continue
        assert found["done"], (cell.source, found["outcome"], found["kinds"])
        assert compared(cell, joined(found["kinds"])) == compared(cell, stored(cell)), cell.source
        same += 1
    assert same > len(cells) / 2
    if MEASURE:
        row = {"cells": len(cells), "same": same, "stored": len(cells) - same}
        row["seconds"] = round(processor.worker_seconds() - began, 1)
        row["heap"] = round(opened.evaluate("liveSession.heap") / 1e6)
        row["page"] = processor.megabytes()
        note(chapters={page.removesuffix(".html"): row})
    assert opened.locator(".live-output img").count() == sum(
        kind == "png" for k in _shown(opened) for kind, _ in stored(cells[k])
    )
    stub, check, right, wrong = answers(opened)
    for text, verdict in ((wrong, "wrong"), (right, "right")):
        write(opened, stub, text)
        assert opened.evaluate(RUN, check)["outcome"] == verdict, text
    assert not tab.faults
    opened.context.close()


def note(**news):
    """Write down what was measured, beside what is known."""
    known = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    for key, value in news.items():
        known[key] = {**known.get(key, {}), **value} if isinstance(value, dict) else value
    TIMES.write_text(json.dumps(known, indent=2) + "\n")


@pytest.mark.skipif(not MEASURE, reason="make live-times measures")
def test_what_is_loaded_and_how_long_a_start_takes_is_written_down(browser, site):
    live = SITE / "_static" / "live"
    runtime = next(live.glob("runtime/*"))
    pins = json.loads((ROOT / "tools" / "runtime.json").read_text())

    def packages(*names):
        return sum(pins["packages"][name]["size"] for name in names)

    core = [(runtime / name).read_bytes() for name in pins["core"]]
    late = ("scikit-learn", "joblib", "pandas", "pytz")
    rest = pins["packages"].keys() - {"numpy", "scipy", "openblas", *late} | {"pytz"}
    steps = {
        "Python, as a server compresses it": sum(len(gzip.compress(b, 6)) for b in core),
        "numpy": packages("numpy"),
        "scipy with OpenBLAS": packages("scipy", "openblas"),
        "matplotlib and what it needs": packages(*rest),
        "saelib and the scripts": sum(
            path.stat().st_size for path in live.glob("*") if path.suffix in (".whl", ".js", ".py")
        ),
        "the photographs, where they are used": (live / "photographs.zip").stat().st_size,
        "scikit-learn, in two chapters": packages("scikit-learn", "joblib"),
        "pandas, in one chapter": packages("pandas"),
    }
    start = {}
    context = browser.new_context()
    for name in ("first visit", "second visit"):
        tab = Visit(context, site)
        began = processor.page_seconds()
        started(tab, FIVE)
        start[name] = round(processor.page_seconds() - began, 1)
        tab.page.close()
    context.close()
    note(
        megabytes={name: round(size / 1e6, 1) for name, size in steps.items()},
        start=start,
        browser=f"Chromium {browser.version}",
        machine=f"{platform.system()} {platform.machine()}",
    )


def _shown(opened):
    return opened.evaluate(
        "liveSession.cells.filter((c) => c.outcome !== 'stored').map((c) => c.index)"
    )


WRONG = """\
def my_sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    A = sigmoid(X @ W1.T + b1)
    Y = sigmoid(A @ W2.T + b2)
    rho_hat = A.mean(axis=0)
    slope = -sparsity_target / rho_hat + (1 - sparsity_target) / (1 - rho_hat)
    delta3 = (Y - X) * Y * (1 - Y)
    delta2 = (delta3 @ W2) * A * (1 - A) + sparsity_weight * slope
    grad_W1 = delta2.T @ X / m + weight_decay * W1
    grad_W2 = delta3.T @ A / m + weight_decay * W2
    return grad_W1, grad_W2, delta2.mean(axis=0), delta3.mean(axis=0)
"""
RIGHT = WRONG.replace(
    "(delta3 @ W2) * A * (1 - A) + sparsity_weight * slope",
    "(delta3 @ W2 + sparsity_weight * slope) * A * (1 - A)",
)
FIVE = "05-backpropagation.html"


def test_a_learner_writes_checks_stops_comes_back_and_takes_the_work_along(visit, tmp_path):
    """One visit, on a phone and at a desk, by keyboard too."""
    tab = visit(width=375)
    opened = started(tab, FIVE)
    sources = opened.evaluate("liveSession.cells.map((cell) => cell.source)")
    stub = next(k for k, s in enumerate(sources) if "my_sparse_gradient" in s and "NotImpl" in s)
    name = opened.evaluate("i => liveSession.cells[i].box.id", stub)
    exercise = opened.locator(".exercise", has=opened.locator(f"#{name}"))
    check = exercise.get_by_role("button", name=re.compile("^Check"))

    # Only what the check needs is run, and no solution.
    write(opened, stub, WRONG)
    check.click()
    opened.wait_for_function("i => liveSession.cells[i].outcome", arg=stub + 1)
    verdict = exercise.locator(".live-output .verdict")
    assert "instead of inside the bracket" in verdict.inner_text()
    assert not opened.evaluate("liveSession.cells.some((c) => c.isSolution && c.outcome)")
    assert opened.evaluate("liveSession.cells.filter((c) => c.outcome).length") < 12
    assert opened.evaluate(STICKING_OUT) == []
    faults = list(tab.faults)
    assert not violations(opened, "article", {"type": "tag", "values": WCAG}, {})
    opened.set_viewport_size({"width": 1280, "height": 900})
    assert opened.evaluate(STICKING_OUT) == []

    # By keyboard alone: Tab walks through the field, and indents once one writes.
    area = exercise.locator("textarea").first
    exercise.get_by_role("button", name=re.compile("^Run")).first.focus()
    opened.keyboard.press("Shift+Tab")  # the button that copies
    opened.keyboard.press("Shift+Tab")
    assert area.evaluate("a => a === document.activeElement")
    opened.keyboard.press("Tab")
    assert not area.evaluate("a => a === document.activeElement")
    opened.keyboard.press("Shift+Tab")
    assert area.evaluate("a => a === document.activeElement")
    opened.keyboard.press("Control+a")
    opened.keyboard.type("def f(x):\nreturn x")
    assert area.input_value() == "def f(x):\n    return x"
    opened.keyboard.press("Tab")
    assert area.input_value() == "def f(x):\n    return x    "
    opened.keyboard.press("Escape")
    opened.keyboard.press("Tab")
    assert not area.evaluate("a => a === document.activeElement")

    area.fill(RIGHT)
    area.focus()
    opened.keyboard.press("Shift+Enter")
    opened.wait_for_function("i => liveSession.running === null", arg=stub)
    check.focus()
    opened.keyboard.press("Enter")
    opened.wait_for_function("i => liveSession.cells[i].outcome === 'right'", arg=stub + 1)
    assert "✓ solved" in exercise.locator(".admonition-title").first.inner_text()
    assert "✓ 1 of" in opened.locator(".bd-sidebar-primary .current .live-tick").first.inner_text()

    # An error shows the learner's own line; an endless loop is stopped and its text kept.
    plain = opened.evaluate("liveSession.cells.find((c) => !c.box.querySelector('details')).index")
    write(opened, plain, "import numpy as np\nnp.ones(3) @ np.ones(4)")
    assert opened.evaluate(RUN, plain)["outcome"] == "failed"
    told = opened.locator(".live-error").first.inner_text()
    assert "np.ones(3) @ np.ones(4)" in told
    assert "runner.py" not in told
    write(opened, plain, "print('wide ' * 100)")
    assert opened.evaluate(RUN, plain)["done"]
    wide = "i => liveSession.cells[i].output.querySelector('pre').tabIndex"
    assert opened.evaluate(wide, plain) == 0  # at once, before anything is clicked
    write(opened, plain, "while True:\n    pass")
    box = opened.locator(f"#{opened.evaluate('i => liveSession.cells[i].box.id', plain)}")
    box.get_by_role("button", name="Run").click()
    opened.wait_for_function("liveSession.running !== null")
    opened.wait_for_timeout(300)
    box.get_by_role("button", name="Stop").click()
    opened.wait_for_function("liveSession.running === null")
    assert "stopped" in box.locator(".live-note").inner_text()
    box.get_by_role("button", name="Put back").click()

    # What was written is there after a reload, and can be taken along and cleared.
    opened.reload()
    assert opened.evaluate("i => liveSession.cells[i].source", stub) == RIGHT
    assert opened.evaluate("i => liveSession.cells[i].source", plain) == sources[plain]
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="Save as notebook").click()
    waiting.value.save_as(tmp_path / "mine.ipynb")
    mine = nbformat.read(tmp_path / "mine.ipynb", as_version=4)
    nbformat.validate(mine)
    assert RIGHT in [cell.source for cell in mine.cells]
    assert waiting.value.suggested_filename == "05-backpropagation-mine.ipynb"
    opened.once("dialog", lambda dialog: dialog.accept())
    opened.get_by_role("button", name="Clear what I wrote").click()
    assert opened.evaluate("i => liveSession.cells[i].source", stub) == sources[stub]
    assert opened.locator(".live-tick").count() == 0
    assert not faults


def test_a_figure_to_move_outlives_the_code_above_it(visit):
    """Whether it was made before the cell is run, or comes near only afterwards."""
    tab = visit()
    opened = started(tab, "04-kl-divergence.html")
    place = "div.cell:has(#fig-kl-curve)"
    cell = opened.evaluate(
        "place => liveSession.cells.findIndex((cell) => cell.box.matches(place))", place
    )
    below = opened.locator(f"{place} + .explore")
    for _ in range(2):
        assert opened.evaluate(RUN, cell)["done"]
        assert opened.locator(f"{place} .live-output figure#fig-kl-curve img").count() == 1
        opened.evaluate("window.explore.show()")
        assert below.count() == 1
    words = below.locator(".explore-words")
    before = words.text_content()
    slider = below.locator("input[type=range]").first
    slider.focus()
    opened.keyboard.press("End")
    assert words.text_content() != before
    opened.locator("#fig-kl-curve img").click()
    picture = opened.locator("dialog.enlarged img")
    assert picture.get_attribute("src").startswith("data:")
    assert picture.evaluate("image => image.naturalWidth") > 300
    assert not tab.faults


def test_a_result_that_no_longer_holds_is_not_used_and_minutes_are_not_spent_unasked(visit):
    tab = visit(theme="dark")
    opened = started(tab, "03-sparsity.html")
    heavy = opened.evaluate("liveSession.cells.find((c) => c.heavy).index")
    code = opened.evaluate("i => liveSession.cells[i].source", heavy)
    assert opened.evaluate(RUN, heavy)["outcome"] == "stored"
    write(opened, heavy, f"{code}\nmine = 1")
    opened.evaluate("i => { liveSession.run(liveSession.cells[i]); }", heavy)
    question = opened.locator(".live-question")
    question.wait_for()
    assert re.search(r"takes about \d+ (minutes|seconds)", question.inner_text())
    faults = list(tab.faults)
    assert not violations(opened, "article", {"type": "tag", "values": WCAG}, {})
    question.get_by_role("button", name="Leave it").click()
    opened.wait_for_function("liveSession.running === null")
    assert opened.locator(".live-question").count() == 0
    write(opened, heavy, code)
    assert opened.evaluate(RUN, heavy)["outcome"] == "stored"
    assert not faults


POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' {wasm}; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self'; connect-src 'self'"
)


class Strict(Quiet):
    """A server whose pages may run nothing but their own scripts and WebAssembly."""

    wasm = "'wasm-unsafe-eval'"

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY.format(wasm=self.wasm))
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


class WithoutWasm(Strict):
    wasm = ""


@pytest.fixture
def strict_site():
    """Return a function that serves the site by a handler and gives its address and its end."""
    servers = []

    def begin(handler):
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(handler, directory=str(SITE))
        )
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)

        def end():
            server.shutdown()
            server.server_close()

        return f"http://127.0.0.1:{server.server_port}", end

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_second_visit_needs_no_network_and_the_first_nothing_but_webassembly(
    browser, strict_site
):
    address, end = strict_site(Strict)
    context = browser.new_context()
    tab = Visit(context, address)
    opened = started(tab, FIVE)
    assert opened.evaluate(RUN, 2)["done"]
    assert not tab.faults
    end()
    opened.reload()
    opened.get_by_role("button", name="Run the code on this page").click()
    opened.locator(".live-status", has_text="is ready").wait_for()
    assert opened.evaluate(RUN, 2)["done"]
    context.close()


def test_where_webassembly_is_not_allowed_one_line_says_so(browser, strict_site):
    address, _ = strict_site(WithoutWasm)
    context = browser.new_context()
    opened = Visit(context, address).to(FIVE)
    assert "do not allow WebAssembly" in opened.inner_text(".live-start")
    assert opened.locator(".live-start button").count() == 0
    context.close()


def test_without_scripts_or_from_a_file_one_line_says_what_to_do(visit, browser):
    tab = visit(java_script_enabled=False)
    tab.page.goto(f"{tab.site}/{FIVE}")
    assert "make serve" in tab.page.inner_text(".live-start")
    context = browser.new_context()
    opened = context.new_page()
    opened.goto((SITE / FIVE).as_uri())
    assert "make serve" in opened.inner_text(".live-start")
    assert opened.locator(".live-start button").count() == 0
    context.close()


def test_nothing_of_python_is_fetched_before_the_reader_asks(visit):
    tab = visit()
    tab.to(FIVE).wait_for_load_state("networkidle")
    fetched = [url for url in tab.requests if "/live/" in url]
    assert {url.rpartition("/")[2].partition("?")[0] for url in fetched} == {
        "page.js",
        "editor.js",
        "solved.js",
    }
    assert not tab.faults


def test_the_page_holds_the_code_once_and_stored_results_for_its_own_cells():
    for page in CHAPTERS:
        data = json.loads(soup(page).select_one("#live-data").string)
        for anchor, heavy in data["heavy"].items():
            assert soup(page).select_one(f"#{anchor}"), (page, anchor)
            assert (SITE / "_static" / "live" / heavy["file"]).exists()
        assert "import numpy" not in soup(page).select_one("#live-data").string


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox was found")
def test_firefox_runs_a_chapter_and_checks_an_answer_too(site, tmp_path):
    with firefox.opened(firefox.executable(), tmp_path) as tab:
        tab.to(f"{site}/{FIVE}")
        tab.evaluate("document.querySelector('.live-start button').click()")
        assert tab.evaluate("liveSession.start().then(() => liveSession.times.ready)") > 0
        texts = tab.evaluate("liveSession.cells.map((cell) => cell.source)")
        stub = next(k for k, s in enumerate(texts) if "my_sparse_gradient" in s and "NotImpl" in s)
        for text, verdict in ((WRONG, "wrong"), (RIGHT, "right")):
            tab.evaluate(f"void (liveSession.cells[{stub}].editor.code = {json.dumps(text)})")
            check = f"liveSession.cells[{stub + 1}]"
            tab.evaluate(f"liveSession.run({check})")
            assert tab.evaluate(f"{check}.outcome") == verdict
        shown = tab.evaluate(f"{check}.box.querySelector('.verdict').innerText")
        assert "✓" in shown
        assert not tab.errors
        assert all(url.startswith((site, "data:", "blob:")) for url in tab.requests)
