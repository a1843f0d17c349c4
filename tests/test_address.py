"""The cell that installs the package on Colab: there if there is an address, and only for Colab."""

import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import address as tool  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
ADDRESS = "https://example.org/someone/book"


def install_cell():
    notebook = tool.with_install_cell(nbformat.read(CHAPTERS[0], 4), ADDRESS + "/", "main")
    return notebook.cells[0]


def run(source, monkeypatch):
    """Run a cell and return the programs that it started."""
    started = []
    monkeypatch.setattr("subprocess.run", lambda command, check: started.append(command))
    exec(compile(source, "cell", "exec"), {})
    return started


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_notebooks_are_in_line_with_the_configuration(path):
    notebook = nbformat.read(path, 4)
    assert tool.with_install_cell(notebook, *tool.repository()) == notebook, "run: make address"


def test_the_cell_is_the_first_and_hidden_from_the_pages():
    cell = install_cell()
    assert cell.cell_type == "code"
    assert "remove-cell" in cell.metadata["tags"]


def test_on_colab_the_cell_installs_the_package_from_the_address(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    (command,) = run(install_cell().source, monkeypatch)
    assert command[1:] == ["-m", "pip", "install", "-q", f"saelib @ git+{ADDRESS}@main"]


def test_elsewhere_the_cell_does_nothing(monkeypatch):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    assert run(install_cell().source, monkeypatch) == []


def test_an_executed_cell_stays_as_it_is():
    notebook = tool.with_install_cell(nbformat.read(CHAPTERS[0], 4), ADDRESS, "main")
    notebook.cells[0].execution_count = 1
    assert tool.with_install_cell(notebook, ADDRESS, "main").cells[0].execution_count == 1


def test_a_new_address_takes_the_place_of_the_old_and_none_takes_it_away():
    before = tool.with_install_cell(nbformat.read(CHAPTERS[0], 4), "", "main")
    once = tool.with_install_cell(before, "https://example.org/old", "main")
    twice = tool.with_install_cell(once, ADDRESS, "main")
    assert len(twice.cells) == len(before.cells) + 1
    assert ADDRESS in twice.cells[0].source
    nbformat.validate(twice)
    assert tool.with_install_cell(twice, "", "main") == before
