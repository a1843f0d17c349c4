"""What runs the cells inside a page: needs between cells, outputs, stored results."""

import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import numpy as np
import pytest

import saelib
from saelib._browser import photographs
from saelib.exercises import check_sigmoid, wrong_answer

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_live")]

import cells  # noqa: E402
import faster  # noqa: E402
import live_files  # noqa: E402
import results  # noqa: E402
import results_format  # noqa: E402
import runner  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb"))


@pytest.mark.parametrize(
    ("code", "reads", "sets", "changes"),
    [
        ("y = x + 1", {"x"}, {"y"}, set()),
        ("a = 1\nb = a", set(), {"a", "b"}, set()),
        ("x[0] = y", {"x", "y"}, set(), {"x"}),
        ("x.part = 2", {"x"}, set(), {"x"}),
        ("n += 1", {"n"}, {"n"}, {"n"}),
        ("def f(v):\n    return v + w", {"w"}, {"f"}, set()),
        ("import numpy.linalg as la, scipy.fft", set(), {"la", "scipy"}, set()),
        ("for k in ks:\n    t[k] = g(k)", {"ks", "t", "g"}, {"k"}, {"t"}),
        ("a = k\nfor k in ks:\n    k", {"k", "ks"}, {"a", "k"}, set()),
        ("c = [q for q in qs if q < r]", {"qs", "r"}, {"c"}, set()),
        ("c = {a: b for a, b in a.items() for x in b}", {"a"}, {"c"}, set()),
        ("g = lambda u, v=w: u + v + t", {"w", "t"}, {"g"}, set()),
        ("def f(a, b=c):\n    k = a + d\n    return [k for e in b]", {"c", "d"}, {"f"}, set()),
        ("if:", set(), set(), set()),
    ],
)
def test_the_names_that_a_cell_takes_sets_and_changes(code, reads, sets, changes):
    assert cells.names_in(cells.parsed(code)) == (reads, sets, changes)


SOURCES = [
    "x = [1]",
    "def f():\n    return x",
    "x.append",
    "x[0] = 2",
    "y = f() + x",
    "y = 3",
    "z = y",
]


def test_a_cell_needs_the_last_cells_that_set_and_change_its_names():
    assert cells.Chapter(SOURCES).edges == [set(), {0}, {0}, {0}, {0, 1, 3}, set(), {5}]


def test_no_cell_waits_for_a_solution_but_a_solution_does():
    chapter = cells.Chapter(["y = 1", "y = 2", "z = y", "w = y"], skip=[1, 3])
    assert chapter.edges == [set(), set(), {0}, {1}]


def test_only_what_is_new_or_follows_from_it_is_run_again():
    plan, chapter = cells.Plan(), cells.Chapter(SOURCES)
    assert plan.order(4, chapter) == [0, 1, 3, 4]
    for index in [0, 1, 3, 4]:
        plan.note(index, SOURCES[index], True)
    assert plan.order(4, chapter) == [4]
    changed = cells.Chapter(["x = [5]", *SOURCES[1:]])
    assert plan.order(4, changed) == [0, 1, 3, 4]
    plan.note(3, SOURCES[3], False)
    assert plan.order(4, chapter) == [3, 4]


def test_a_name_that_a_solution_has_set_since_is_made_anew():
    sources = ["answer = ...", "check(answer)", "answer = 3", "check(answer)"]
    plan, chapter = cells.Plan(), cells.Chapter(sources, skip=[2, 3])
    for index in range(4):
        plan.note(index, sources[index], True)
    assert plan.order(1, chapter) == [0, 1]
    assert plan.order(3, chapter) == [3]
    plan.note(0, sources[0], True)
    assert plan.order(1, chapter) == [1]


def test_a_check_that_a_solution_takes_an_import_from_does_not_undo_the_solution():
    first = "from saelib.exercises import check_number\ncheck_number('x', answer)"
    sources = ["answer = ...", first, "answer = 3", "check_number('x', answer)"]
    plan, chapter = cells.Plan(), cells.Chapter(sources, skip=[2, 3])
    for index in range(3):
        plan.note(index, sources[index], True)
    assert plan.order(3, chapter) == [3]
    assert cells.Plan().order(3, chapter) == [0, 1, 2, 3]


def test_a_cell_has_another_digest_if_one_that_it_needs_has_changed():
    before = cells.Chapter(SOURCES)
    after = cells.Chapter(["x = [7]", *SOURCES[1:]])
    assert before.digest(4) != after.digest(4)
    assert before.digest(6) == after.digest(6)


# ---------------------------------------------------------------- the runner


@pytest.fixture
def shown(monkeypatch):
    """Return the list of what the runner hands on, in a fresh namespace."""
    found = []
    monkeypatch.setattr(runner, "emit", lambda kind, text: found.append((kind, text)))
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    runner.start()
    return found


def test_text_the_last_value_and_figures_are_shown(shown, monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # pytest has put its own since
    runner.start()
    assert runner.run(0, "print('a')\nprint('b')\n1 + 1", "cell 1") == "ok"
    assert "".join(text for kind, text in shown if kind == "stdout") == "a\nb\n"
    assert shown[-1] == ("result", "2")
    shown.clear()
    drawing = "import matplotlib.pyplot as plt\nax = plt.figure().add_subplot()"
    assert runner.run(1, drawing, "cell 2") == "ok"
    assert [kind for kind, _ in shown] == ["png"]
    assert runner.run(2, "2;", "cell 3") == "ok"
    assert len(shown) == 1


def test_a_verdict_is_shown_as_html_and_told_apart(shown):
    code = "from saelib.exercises import check_sigmoid\ncheck_sigmoid({})"
    assert runner.run(0, code.format("lambda z: 1 / (1 + 2.718281828459045 ** -z)"), "c") == "right"
    assert runner.run(0, code.format("lambda z: z"), "c") == "wrong"
    assert {kind for kind, _ in shown} == {"html"}


def test_an_error_begins_in_the_readers_own_code(shown):
    assert runner.run(0, "def f(x):\n    return x / 0\n\nf(1)", "cell 9") == "failed"
    kind, text = shown[-1]
    assert kind == "error"
    assert text.index("<cell 9>") < text.index("return x / 0")
    assert "runner.py" not in text
    assert runner.run(1, "if:", "cell 10") == "failed"
    assert "SyntaxError" in shown[-1][1]
    assert runner.done.done == {}


def test_a_missing_module_is_named_if_it_can_be_loaded(shown):
    code = "import not_installed.part"
    assert runner.run(0, code, "c", None, ["not_installed"]) == "missing not_installed"
    assert shown == []
    assert runner.run(0, code, "c") == "failed"
    wrapped = (
        "try:\n    import not_installed\nexcept ImportError as e:\n    raise ImportError from e"
    )
    assert runner.run(0, wrapped, "c", None, ["not_installed"]) == "missing not_installed"


# ---------------------------------------------------------------- stored results


def network():
    return saelib.Parameters.random(n_features=40, n_hidden=30, seed=0)


def test_values_of_the_book_survive_being_packed():
    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(50, 4))
    objective = saelib.SparseObjective(X, 3)
    theta = saelib.Parameters.random(4, 3, seed=0).ravel()
    values = {
        "result": saelib.train(objective, theta, max_iter=3, progress=False),
        "nested": {("a", 1): [network(), None, True, "text", 2.5], 3: np.float64(0.25)},
        "whole": np.arange(3),
    }
    arrays = {}
    trees = {name: results_format.pack(value, arrays) for name, value in values.items()}
    back = {name: results_format.unpack(tree, arrays) for name, tree in trees.items()}
    assert back["result"].history["total"] == pytest.approx(
        values["result"].history["total"], 1e-15
    )
    assert type(back["result"]) is saelib.TrainingResult
    np.testing.assert_array_equal(back["result"].parameters.W1, values["result"].parameters.W1)
    first = back["nested"]["a", 1]
    np.testing.assert_allclose(first[0].W1, network().W1, rtol=1e-6)
    assert first[0].W1.dtype == np.float64
    assert first[1:] == [None, True, "text", 2.5]
    assert back["nested"][3] == 0.25
    assert back["whole"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [lambda x: x, object(), np.zeros(300_000), np.array(["a"])])
def test_what_is_no_plain_result_is_not_packed(value):
    with pytest.raises(results_format.NotPlainError):
        results_format.pack(value, {})


def test_a_file_cannot_name_a_class_from_elsewhere():
    with pytest.raises(results_format.NotPlainError, match=r"os:system is not of saelib"):
        results_format.unpack({"object": "os:system", "state": {}}, {})


def test_the_long_statement_of_a_cell_is_left_out_and_the_rest_is_run(tmp_path, shown):
    source = "n = 5\nlong = list(range(n))\ntwice = [2 * k for k in long]"
    chapter = cells.Chapter([source, "print(long, twice)"])
    target = tmp_path / "x.safetensors"
    results.keep(target, chapter, 0, np.array([0, 9.0, 0]), {"n": 5, "long": [7], "twice": [14]})
    kept, description = results_format.values(target.read_bytes())
    assert description["statements"] == [1]
    assert description["code"] == chapter.digest(0)
    assert kept["long"] == [7]
    assert runner.run(0, source, "c", target.read_bytes()) == "ok"
    assert runner.namespace["twice"] == [14]


def test_the_work_of_other_processes_that_a_cell_waits_for_is_counted():
    clock = results.Clock()
    began = clock()
    busy = "while time.process_time() < 0.6: pass"
    code = f"import sys, time\n{busy}\nprint(flush=True)\nsys.stdin.read()"
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:
        other.stdout.readline()
        assert clock() - began > 0.5  # still there, as the workers of joblib are
        other.communicate(b"")
    clock.looked -= 1
    assert clock() - began > 0.5


def test_a_kept_value_is_not_changed_a_second_time(tmp_path, shown):
    source = "def f():\n    return 2\n\nt = {'a': 1, 'b': 2}\nassert t.pop('a') == 1"
    chapter = cells.Chapter([source, "print(t, f)"])
    target = tmp_path / "x.safetensors"
    results.keep(target, chapter, 0, np.array([0, 9.0, 0]), {"t": {"b": 2}, "f": print})
    assert runner.run(0, source, "c", target.read_bytes()) == "ok"
    assert runner.namespace["t"] == {"b": 2}
    assert runner.namespace["f"]() == 2


def test_nothing_is_kept_if_what_later_cells_take_cannot_be(tmp_path):
    chapter = cells.Chapter(["f = open('x')", "print(f)"])
    target = tmp_path / "x.safetensors"
    results.keep(target, chapter, 0, np.array([9.0]), {"f": object()})
    assert not target.exists()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_stored_results_are_of_the_code_that_stands_in_the_chapter(path):
    notebook = nbformat.read(path, as_version=4)
    chapter, code = results.chapter_of(notebook), results.visible_code(notebook)
    ids = [cell.id for cell in code]
    for file in results.FOLDER.glob(f"{path.stem}.*.safetensors"):
        kept, description = results_format.values(file.read_bytes())
        index = ids.index(file.name.split(".")[1])
        assert description["code"] == chapter.digest(index), f"{file.name}: make notebooks"
        own = chapter.names[index]
        assert kept.keys() <= own.sets | own.changes
        assert {"by", "numpy", "python"} <= description["made"].keys()


def test_the_stored_results_are_small():
    assert sum(file.stat().st_size for file in results.FOLDER.glob("*")) < 6_000_000


# ---------------------------------------------------------------- as in a browser


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_products_by_blas_are_those_of_numpy(dtype, turned, monkeypatch):
    monkeypatch.setattr(faster, "_by_numpy", None)  # or it would not be what is tested
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(70, 40)).astype(dtype), rng.normal(size=(40, 30)).astype(dtype)
    expected = a @ b
    a = a.T.copy().T if turned[0] else a
    b = b.T.copy().T if turned[1] else b
    out = np.empty((70, 30), dtype)
    assert faster.matmul(a, b, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_products_that_blas_does_not_fit_are_left_to_numpy(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(70, 80)), rng.normal(size=(80, 30))
    wide, halves = np.empty((70, 60))[:, ::2], np.empty((70, 30))
    left = []
    by_numpy = faster._by_numpy
    monkeypatch.setattr(
        faster, "_by_numpy", lambda *args, **kw: left.append(1) or by_numpy(*args, **kw)
    )
    faster.matmul(a, b)
    faster.matmul(a[:, ::2], b[::2], out=halves)
    faster.matmul(a, b, out=wide)
    assert faster.matmul(a, b[:, 0]).shape == (70,)
    assert len(left) == 4
    np.testing.assert_allclose(wide, a @ b, atol=1e-12)
    np.testing.assert_allclose(halves, a[:, ::2] @ b[::2], atol=1e-12)


def test_the_photographs_of_the_page_are_those_of_scikit_image_bit_for_bit(tmp_path):
    live_files.photographs(tmp_path / "photographs.zip")
    import zipfile

    with zipfile.ZipFile(tmp_path / "photographs.zip") as archive:
        archive.extractall(tmp_path)
        assert "public domain" in archive.read("credits.txt").decode()
    found = photographs(saelib.images.IMAGE_CREDITS, tmp_path)
    for name, image in saelib.natural_images().items():
        np.testing.assert_array_equal(found[name], image)


def test_without_threads_a_checker_still_gives_up_an_endless_loop(monkeypatch):
    def cannot(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", cannot)

    def endless(z):
        while True:
            pass

    trace = sys.gettrace()
    verdict = check_sigmoid(endless, time_limit=0.2)
    assert not verdict.correct
    assert "still running" in str(verdict)
    assert check_sigmoid(wrong_answer("sigmoid")).correct
    assert sys.gettrace() is trace


def test_where_threads_have_no_time_of_their_own_the_line_is_still_named():
    """As in a browser: Python is started anew, since the clock is chosen once."""
    code = """
import sys, threading, time
del time.thread_time
def cannot(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = cannot
sys.path.insert(0, sys.argv[1])
import runner
runner.emit = lambda kind, text: sys.__stdout__.write(text)
source = '''from saelib.exercises import check_kl_gradient

check_kl_gradient(
    lambda rho, rho_hat: 3 * ((1 - rho) / (1 - rho_hat) - rho / rho_hat)
)'''
runner.start()
runner.run(0, source, "cell 1")
"""
    command = [sys.executable, "-c", code, str(ROOT / "book" / "_live")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Line 4" in said
