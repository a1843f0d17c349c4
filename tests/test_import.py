"""What ``import saelib`` offers and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import saelib

HEAVY = ("matplotlib", "sklearn", "skimage", "scipy", "pandas", "dask", "tqdm", "safetensors")


def modules_after(code):
    program = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy():
    loaded = modules_after("import saelib; dir(saelib)")
    assert "saelib" in loaded
    assert not loaded & {*HEAVY, "numpy"}


def test_the_objective_needs_neither_plotting_nor_learning_libraries():
    loaded = modules_after("from saelib import SparseObjective, train")
    assert not loaded & {"matplotlib", "sklearn", "skimage", "pandas", "dask"}


@pytest.mark.parametrize("name", saelib.__all__)
def test_every_public_name_is_there(name):
    assert getattr(saelib, name) is not None
    assert name in dir(saelib)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'saelib' has no attribute 'nothing'"):
        saelib.nothing


def _taken_from_the_top(path):
    """What a module takes from the package itself, which is no module of it."""
    inside = {entry.stem for entry in Path(saelib.__file__).parent.iterdir()}
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "saelib" and node.level == 0
        for alias in node.names
        if alias.name not in inside
    }


def test_no_module_imports_upwards_from_the_top_of_the_package():
    """The top knows its modules; if they knew the top, too, none could be read alone."""
    folder = Path(saelib.__file__).parent
    upwards = {
        path.relative_to(folder).as_posix(): names
        for path in sorted(folder.rglob("*.py"))
        if (names := _taken_from_the_top(path))
    }
    assert upwards == {}
