"""The first cell of every notebook: silent where saelib is there, one clear line elsewhere."""

import copy
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import address as tool  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
ADDRESS = "https://github.com/someone/book"


def chapter():
    return nbformat.read(CHAPTERS[0], 4)


def first_cell(address):
    return tool.with_first_cell(chapter(), address, "main").cells[0]


def missing(monkeypatch, *names):
    """Make some packages look as if they were not installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in names else name)


def run(source, monkeypatch):
    """Run a cell and return the programs that it started."""
    started = []
    monkeypatch.setattr("subprocess.run", lambda command, check: started.append(command))
    exec(compile(source, "cell", "exec"), {})
    return started


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_notebooks_are_in_line_with_the_configuration(path):
    notebook = nbformat.read(path, 4)
    wanted = tool.with_first_cell(copy.deepcopy(notebook), *tool.repository())
    assert wanted == notebook, "run: make address"


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_cell_is_the_first_and_hidden_from_the_pages(address):
    cell = first_cell(address)
    assert cell.cell_type == "code"
    assert "remove-cell" in cell.metadata["tags"]
    if not address:
        assert max(map(len, cell.source.splitlines())) <= 80


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_cell_does_nothing_where_all_is_there(address, monkeypatch):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    assert run(first_cell(address).source, monkeypatch) == []


@pytest.mark.parametrize("name", ["saelib", "matplotlib", "skimage", "pandas"])
@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("", "python -m pip install -r requirements.txt"),
        (ADDRESS, f"python -m pip install 'saelib[book] @ git+{ADDRESS}@main'"),
    ],
)
def test_the_error_ends_in_one_line_that_can_be_typed(address, way, name, monkeypatch):
    missing(monkeypatch, name)
    with pytest.raises(ModuleNotFoundError) as error:
        run(first_cell(address).source, monkeypatch)
    assert str(error.value).endswith(way)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("typed", [ADDRESS, ADDRESS + "/", "git@github.com:someone/book.git"])
def test_on_colab_the_cell_installs_the_package_from_the_address(typed, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    missing(monkeypatch, "saelib")
    source = first_cell(typed).source.partition("if not all")[0]
    (command,) = run(source, monkeypatch)
    assert command[1:4] == ["-m", "pip", "install"]
    assert command[-1] == f"saelib[images,plot] @ git+{ADDRESS}@main"


def test_in_a_python_without_the_package_the_cell_says_what_to_do():
    done = subprocess.run(
        [sys.executable, "-S", "-c", first_cell("").source],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("ModuleNotFoundError: saelib or what")


def test_the_counts_of_an_executed_notebook_go_on_from_the_cell():
    notebook = tool.with_first_cell(chapter(), ADDRESS, "main")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.get("execution_count", cell.execution_count) == cell.execution_count


def test_a_notebook_that_was_not_executed_stays_so():
    notebook = chapter()
    notebook.cells[-1:] = [nbformat.v4.new_code_cell("1 + 1")]
    counts = [c.execution_count for c in tool.with_first_cell(notebook, "", "main").cells[1:]
              if c.cell_type == "code"]  # fmt: skip
    assert counts[-1] is None


def test_twice_is_once_and_a_new_address_takes_the_place_of_the_old():
    none = tool.with_first_cell(chapter(), "", "main")
    assert tool.with_first_cell(copy.deepcopy(none), "", "main") == none
    old = tool.with_first_cell(copy.deepcopy(none), "https://github.com/someone/old", "main")
    new = tool.with_first_cell(old, ADDRESS, "main")
    assert len(new.cells) == len(none.cells)
    assert ADDRESS in new.cells[0].source
    assert "old" not in new.cells[0].source
    nbformat.validate(new)
    assert tool.with_first_cell(new, "", "main") == none


def test_the_cell_of_an_older_book_makes_room():
    notebook = tool.with_first_cell(chapter(), "", "main")
    older = copy.deepcopy(notebook)
    older.cells[0].metadata["tags"] = ["install-on-colab", "remove-cell"]
    older.cells[0].source = "import subprocess"
    assert tool.with_first_cell(older, "", "main") == notebook
