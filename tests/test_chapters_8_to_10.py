"""The chapters on mistakes, classifiers and speed keep what they promise about their own text."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parents[1] / "book"
CHAPTERS = {
    number: next(BOOK.glob(f"{number:02}-*.ipynb"), BOOK / "missing.ipynb") for number in (8, 9, 10)
}
if not all(path.exists() for path in CHAPTERS.values()):  # the tests are shipped, the book is not
    pytest.skip("the book belongs to the repository", allow_module_level=True)


def source(number, kind):
    cells = nbformat.read(CHAPTERS[number], 4).cells
    return [cell.source for cell in cells if cell.cell_type == kind]


def calls(number, name):
    for cell in source(number, "code"):
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield node


def in_every_chapter(test):
    return pytest.mark.parametrize("number", CHAPTERS)(test)


@in_every_chapter
def test_nothing_is_printed_that_was_not_computed(number):
    """A sentence that is printed whatever happened is no result."""
    for call in calls(number, "print"):
        assert not all(isinstance(argument, ast.Constant) for argument in call.args), ast.unparse(
            call
        )


@in_every_chapter
def test_exercises_are_numbered_and_say_how_long_and_how_important_they_are(number):
    text = "\n".join(source(number, "markdown"))
    titles = len(re.findall(r"^:::\{exercise-start\}", text, re.M))
    heads = re.findall(
        rf"^\*Exercise {number}\.(\d+) · \d+ min · (?:essential|useful)\.\* ", text, re.M
    )
    assert heads == [str(k + 1) for k in range(titles)]
    assert titles >= 6


@in_every_chapter
def test_three_questions_on_the_last_chapter_stand_at_the_head_with_their_answers(number):
    head = source(number, "markdown")[0]
    questions, answers = head.split("Three questions on the last chapter")[1].split("Answers")
    for part in (questions, answers):
        assert re.findall(r"^(\d)\. ", part, re.M) == ["1", "2", "3"]


def test_the_chapter_on_mistakes_names_no_project():
    text = "\n".join(source(8, "markdown"))
    assert not re.search(r"github\.com|\w#\d", text)


def test_the_chapter_on_speed_asserts_no_time():
    cells = source(10, "code")
    assert not any(isinstance(n, ast.Assert) for cell in cells for n in ast.walk(ast.parse(cell)))


def test_the_network_that_is_shown_is_one_of_those_that_compete():
    """The figure of filters and the comparison come from one function and the same settings."""
    cells = source(9, "code")
    assert sum("SparseAutoencoder(\n        n_hidden=200" in cell for cell in cells) == 1
    shown = next(
        re.search(r"first = autoencoder\(([\d.]+), ([\d.]+), 0", c) for c in cells if "first =" in c
    )
    competing = next(re.search(r"sparse = \[(.*)\]", c)[1] for c in cells if "sparse = [" in c)
    assert f"({shown[1]}, {shown[2]})" in competing


def test_the_table_of_the_comparison_is_computed_where_it_is_printed():
    cell = next(c for c in source(9, "code") if "for name, values in accuracy.items()" in c)
    assert not re.search(r"\d\d\.\d", cell)
