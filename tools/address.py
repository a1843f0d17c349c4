"""Give every notebook its first cell: what to do where `saelib` is missing.

    python tools/address.py

The cell does nothing where all is there. Elsewhere it ends in one line that says what to type. If
the public address of the repository, `repository: url:` in _config.yml, is known, the line names
it, and on Google Colab, which has no copy of `saelib`, the cell installs it from there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from public_address import public_address  # noqa: E402

TAG = "needs-saelib"
OLD_TAGS = ("install-on-colab",)
FIRST = """\
from importlib.util import find_spec
"""
COLAB = """\
import subprocess
import sys
from importlib.util import find_spec

REPOSITORY = "git+{address}@{branch}"
if "google.colab" in sys.modules and not find_spec("saelib"):
    package = f"saelib[images,plot] @ {{REPOSITORY}}"
    pip = [sys.executable, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, package], check=True)
"""
CHECK = """\
if not all(map(find_spec, ("saelib", "matplotlib", "skimage", "pandas"))):
    raise ModuleNotFoundError(
        {way}
    )"""
BUNDLE = """\
"saelib or what it needs is missing. Get sparse-autoencoders.zip "
        "from the book's page 'Install and run', unpack it, and in its "
        "folder type: python -m pip install -r requirements.txt\""""
FROM_ADDRESS = """\
"saelib or what it needs is missing. Type: "
        f"python -m pip install 'saelib[book] @ {REPOSITORY}'\""""


def source_for(address: str, branch: str) -> str:
    """Return the code of the cell."""
    if not address:
        return FIRST + "\n" + CHECK.format(way=BUNDLE)
    address = public_address(address)
    return COLAB.format(address=address, branch=branch) + CHECK.format(way=FROM_ADDRESS)


def with_first_cell(notebook: Any, address: str, branch: str) -> Any:
    """Return the notebook with the cell for this address in front; the counts go on from it."""
    source, tags = source_for(address, branch), {TAG, *OLD_TAGS}
    cells = [c for c in notebook.cells if not tags & set(c.metadata.get("tags", []))]
    first = nbformat.v4.new_code_cell(source, id=TAG, metadata={"tags": [TAG, "remove-cell"]})
    code = [first, *(cell for cell in cells if cell.cell_type == "code")]
    if all(cell.execution_count for cell in code[1:]):
        for number, cell in enumerate(code, start=1):
            cell.execution_count = number
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
    return nbformat.from_dict({**notebook, "cells": [first, *cells]})


def repository() -> tuple[str, str]:
    """Return the address and the branch that _config.yml names."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    return config["url"], config["branch"]


def public() -> tuple[str, str]:
    """Return the address and the branch that one build is for: SAELIB_REPOSITORY wins."""
    address, branch = repository()
    return os.environ.get("SAELIB_REPOSITORY") or address, branch


def main() -> None:
    """Rewrite the notebooks that are not in line."""
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        wanted = with_first_cell(nbformat.reads(before, as_version=4), *repository())
        if nbformat.writes(wanted) + "\n" != before:
            nbformat.write(wanted, path)
            print(f"{path.name}: changed")


if __name__ == "__main__":
    main()
