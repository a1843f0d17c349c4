"""Text, registers, results and page of the book's empirical claims belong together."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]


def module_of(path, name):
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up there
    specification.loader.exec_module(module)
    return module


register = module_of(ROOT / "tools" / "claim_register.py", "claim_register")
runner = module_of(ROOT / "tools" / "claims.py", "claims_runner")
learner = module_of(ROOT / "tools" / "learner.py", "learner_of_claims")
claims_page = module_of(ROOT / "book" / "_ext" / "claims_page.py", "claims_page")

EXPERIMENT = '''
"""Experiments."""
import math

FACTOR = 2.0


def helper(x):
    """Return twice x."""
    return FACTOR * x  # doubled


def unrelated():
    return 1


def half(*, seed, effort):
    return {"value": helper(0.25), "other": math.nan}
'''
ENTRY = """
[a-claim]
experiment = "topic:half"
quantity = "value"
low = 0.4
high = 0.6
seeds = [0, 1]
efforts = [1, 2]
"""


@pytest.fixture
def book(tmp_path):
    """Return the folder of a book with one claim, whose text, register and results agree."""
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "topic.py").write_text(EXPERIMENT)
    (tmp_path / "claims" / "06-it.toml").write_text(ENTRY)
    (tmp_path / "book" / "_data" / "claims").mkdir(parents=True)
    store(tmp_path, value=0.5)
    say(tmp_path, "It is one half {claim}`a-claim`.")
    return tmp_path


def store(root, **values):
    pairs = [(0, 1), (0, 2), (1, 1), (1, 2)]
    runs = [{"seed": s, "effort": e, "seconds": 1.0, "values": values} for s, e in pairs]
    entry = {"digest": register.digest("topic:half", root), "date": "2026-01-01", "runs": runs}
    register.results_path("06-it", root).write_text(json.dumps({"topic:half": entry}))


def say(root, text, caption=""):
    figure = {"mystnb": {"figure": {"caption": caption}}}
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("x", metadata=figure)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "book" / "06-it.ipynb")


def change(root, old, new, file="claims/06-it.toml"):
    path = root / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_book_s_text_registers_and_results_agree():
    assert register.complaints() == []
    assert len(register.read_register()) >= 1


def test_the_page_of_claims_is_in_the_contents():
    assert "- file: claims\n" in (ROOT / "_toc.yml").read_text()
    assert "```{claims-table}" in (ROOT / "book" / "claims.md").read_text()


def test_a_book_whose_parts_agree_is_not_complained_of(book):
    assert register.complaints(book) == []


def test_a_mark_in_the_text_without_an_entry_is_found(book):
    say(book, "One half {claim}`a-claim`, two {claim}`no-such-claim`.")
    assert register.complaints(book) == [
        "06-it refers to the claim 'no-such-claim', which no register has"
    ]


def test_an_entry_that_its_chapter_does_not_mention_is_found(book):
    say(book, "It is one half.")
    (complaint,) = register.complaints(book)
    assert "does not refer to it" in complaint


def test_a_mark_in_a_caption_counts(book):
    say(book, "It is one half.", caption="One half {claim}`a-claim`.")
    assert register.complaints(book) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("FACTOR = 2.0", "FACTOR = 3.0"), ("FACTOR * x", "x * FACTOR"), ("0.25", "0.5")],
)
def test_results_of_another_source_are_stale_however_deep_the_change(book, old, new):
    change(book, old, new, "claims/topic.py")
    (complaint,) = register.complaints(book)
    assert "has changed since it was run" in complaint
    assert "make claims ONLY=06-it" in complaint


@pytest.mark.parametrize(
    ("old", "new"),
    [("  # doubled", ""), ("Return twice x", "Double x"), ("return 1\n", "return 2\n")],
)
def test_comments_docstrings_and_other_functions_make_nothing_stale(book, old, new):
    change(book, old, new, "claims/topic.py")
    assert register.complaints(book) == []


def test_what_is_imported_from_another_module_of_the_folder_counts(book):
    change(book, "FACTOR = 2.0", "from claims.shared import FACTOR", "claims/topic.py")
    (book / "claims" / "shared.py").write_text("FACTOR = 2.0\n")
    store(book, value=0.5)
    assert register.complaints(book) == []
    (book / "claims" / "shared.py").write_text("FACTOR = 2.5\n")
    assert "has changed" in register.complaints(book)[0]


def test_a_result_out_of_range_that_is_worded_as_holding_is_found(book):
    store(book, value=0.7)
    (complaint,) = register.complaints(book)
    assert "holds in 4 of 4 runs, but it holds in 0" in complaint


def test_a_claim_that_holds_in_some_runs_has_to_say_in_how_many(book):
    path = register.results_path("06-it", book)
    results = json.loads(path.read_text())
    results["topic:half"]["runs"][3]["values"] = {"value": 0.7}
    path.write_text(json.dumps(results))
    assert "but it holds in 3" in register.complaints(book)[0]
    change(book, "seeds", "holds_in = 3\nseeds")
    assert register.complaints(book) == []


def test_runs_to_come_are_counted_and_may_turn_out_either_way(book):
    change(book, "seeds = [0, 1]", "seeds = [0, 1, 2]\nholds_in = 5")
    assert register.complaints(book) == []
    (claim,) = register.read_register(book)
    values = register.measured(claim, register.read_results("06-it", book))
    assert register.marked(claim, values) == "measured in part"
    assert register.marked(claim, {}) == "to be measured"
    change(book, "holds_in = 5", "holds_in = 3")
    assert "but it holds in 4" in register.complaints(book)[0]


def test_a_missing_number_and_a_missing_function_are_found(book):
    store(book, value=None)
    assert "no finite number 'value'" in register.complaints(book)[0]
    change(book, "topic:half", "topic:third")
    assert "has no 'third'" in register.complaints(book)[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("low = 0.4\nhigh = 0.6\n", "", "needs low, high or both"),
        ("low = 0.4", "low = 0.9", "low must not be above high"),
        ('quantity = "value"\n', "", "'quantity'"),
        ("low = 0.4", "lowest = 0.4", "'lowest'"),
        ("[a-claim]", "[A_claim]", "lower-case"),
        ("seeds", "holds_in = 5\nseeds", "there are 4 runs"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(book, old, new, words):
    change(book, old, new)
    with pytest.raises(ValueError, match=r"06-it\.toml") as caught:
        register.read_register(book)
    assert words in str(caught.value)


def test_a_label_stands_in_one_register_only(book):
    (book / "claims" / "07-more.toml").write_text(ENTRY)
    with pytest.raises(ValueError, match="in two registers"):
        register.read_register(book)


def test_the_verdict_names_the_runs_that_do_not_hold(book):
    (claim,) = register.read_register(book)
    values = dict.fromkeys(claim.runs, 0.5)
    assert register.verdict(claim, values) == "holds"
    values[1, 2] = 0.7
    assert register.verdict(claim, values) == ("holds only for 3 of 4 runs (not seed 1, effort 2)")
    assert register.verdict(claim, dict.fromkeys(claim.runs, None)) == "fails"


def test_the_ends_of_the_range_belong_to_it_and_nan_does_not(book):
    (claim,) = register.read_register(book)
    assert claim.within(0.4)
    assert claim.within(0.6)
    assert not claim.within(0.61)
    assert not claim.within(float("nan"))
    assert not claim.within(None)


def in_the_folder(function, root):
    return lambda *a: function(*a) if root in a else function(*a, root=root)


def test_what_is_stored_from_the_same_source_is_not_run_again(book, monkeypatch, capsys):
    for name in ("read_register", "read_results", "results_path", "digest"):
        function = getattr(register, name)
        monkeypatch.setattr(register, name, in_the_folder(function, book))
    monkeypatch.setattr(runner, "register", register)
    done = []

    def run_all(missing, jobs, results):
        done.append(len(missing))
        for experiment, seed, effort in missing:
            run = {"seed": seed, "effort": effort, "seconds": 1.0, "values": {"value": 0.5}}
            results["06-it"][experiment]["runs"].append(run)
        runner.write("06-it", results["06-it"])
        return 0

    monkeypatch.setattr(runner, "_run_all", run_all)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert runner.main(["06-it"]) == 0  # stored with other versions
    assert runner.main(["06-it"]) == 0  # all there
    assert done == [4]
    assert "measured 0.5 to 0.5: holds" in capsys.readouterr().out
    assert runner.main(["--fresh"]) == 0
    change(book, "0.25", "0.24", "claims/topic.py")
    assert runner.main([]) == 0
    assert done == [4, 4, 4]
    change(book, "seeds = [0, 1]", "seeds = [1, 5]")
    assert runner.main([]) == 0
    assert done == [4, 4, 4, 2]
    stored = json.loads((book / "book/_data/claims/06-it.json").read_text())["topic:half"]
    assert [(r["seed"], r["effort"]) for r in stored["runs"]] == [(1, 1), (1, 2), (5, 1), (5, 2)]
    with pytest.raises(SystemExit):
        runner.main(["99-none"])


def test_an_experiment_is_run_with_its_seed_and_effort(monkeypatch):
    topic = ModuleType("claims.topic")
    topic.echo = lambda *, seed, effort: {"sum": seed + 10 * effort, "undefined": float("nan")}
    monkeypatch.setitem(sys.modules, "claims.topic", topic)
    values, seconds = runner.run(("topic:echo", 3, 2))
    assert values == {"sum": 23.0, "undefined": None}
    assert seconds >= 0


def test_labels_whose_marks_stand_in_a_row_know_each_other(book):
    say(book, "One half {claim}`a-claim` {claim}`b-claim`, and {claim}`c-claim`.")
    assert register.said_together(book) == {"a-claim": ["b-claim"], "b-claim": ["a-claim"]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5044.0, "5,040"),
        (-0.00048, "−0.00048"),
        (1e-7, "10⁻⁷"),
        (1.151e-9, "1.15 × 10⁻⁹"),
        (0, "0"),
    ],
)
def test_numbers_of_claims_are_written_as_people_write_them(value, words):
    assert claims_page.readable(value) == words


def test_readers_of_a_notebook_see_that_a_sentence_was_measured():
    book = learner.Book()
    text = book.readable("It is so {claim}`plain-is-a-common-offset`.")
    assert text == "It is so (measured: *plain-is-a-common-offset*)."
