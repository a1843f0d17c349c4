"""One spelling throughout: in the chapters with their captions, the pages and the docstrings."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"

REFUSED = {
    r"learnt\b": "learned",
    r"per cent\b": "percent",
    r"floating point (?:number|array)": "floating-point",
    r"(?:recogn|optim|minim|maxim|normal|visual|vector|initial|general|standard|penal)is"
    r"(?:e|ed|es|ing|ation)\b": "-ize",
    r"(?:colors?|gray|centers?|neighbors?|behavior|labeled|forever)\b": "British spelling",
}


def texts_of_a_notebook(path):
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        settings = cell.metadata.get("mystnb", {})
        yield settings.get("figure", {}).get("caption", "")
        yield settings.get("image", {}).get("alt", "")


def docstrings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node) or ""
            yield re.sub(r"^(?:>>>|\.\.\.).*$", "", text.partition("Examples\n---")[0], flags=re.M)


def without_code_and_formulas(text):
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.S)
    return re.sub(r"``[^`]+``|`[^`]+`|\$[^$]+\$|\S+://\S+", " x ", text)


def read():
    for path in sorted(BOOK.glob("*.ipynb")):
        yield from ((path, text) for text in texts_of_a_notebook(path))
    for path in sorted(BOOK.glob("*.md")):
        yield path, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "saelib").rglob("*.py")):
        yield from ((path, text) for text in docstrings(path))


TEXTS = [(path, without_code_and_formulas(text)) for path, text in read()]
PAGES = [(path, text) for path, text in TEXTS if path.suffix != ".py"]


def found(pattern, texts):
    pattern = re.compile(pattern, re.M)
    return [f"{path.name}: {m.group()}" for path, text in texts for m in pattern.finditer(text)]


@pytest.mark.parametrize("refused", REFUSED)
def test_every_word_has_one_spelling(refused):
    assert not found(rf"(?i)\b{refused}", TEXTS), f"write {REFUSED[refused]}"


def test_who_asks_and_whoever_tells():
    assert not found(r"(?:^|[.!?:] )Who\b[^?.]*\.|\bby who\b|: who (?!\w+ \?)", TEXTS)


def test_thousands_have_a_comma():
    numbers = found(r"(?<![\w.,/=#-])[1-9]\d{3,}(?![\w.,/-]\d|\w)", PAGES)
    years = re.compile(r": (?:19|20)\d\d$")
    assert [number for number in numbers if not years.search(number)] == []
    for path, text in filter(lambda entry: entry[0].suffix != ".py", read()):
        for formula in re.findall(r"\$\$.*?\$\$|\$[^$]+\$", text, re.S):
            assert not re.search(r"(?<![\d.#\w])[1-9]\d{3,}(?!\w)", formula), (
                f"{path.name}: {formula}"
            )


def test_a_sentence_that_begins_with_a_term_begins_with_a_capital():
    texts = [(path, text) for path, text in read() if path.suffix != ".py"]
    assert not found(r"[.!?]\s+\{term\}`[a-z][^`]*`", texts)


def test_a_number_and_its_percent_sign_stand_apart():
    assert not found(r"\d%(?!\n```)", PAGES)


def test_the_cost_is_a_formula_in_texts_and_titles():
    assert not found(r"\bJ_sparse\b", PAGES)


def test_an_edition_in_the_bibliography_has_its_ordinal():
    editions = re.findall(
        r"edition\s*=\s*\{(.+?)\}", (BOOK / "references.bib").read_text(encoding="utf-8")
    )
    assert editions
    assert all(re.fullmatch(r"\d+(?:st|nd|rd|th)", edition) for edition in editions)
