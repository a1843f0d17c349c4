"""Bring the notebooks in line with the public address of the repository, `repository: url:`.

    python tools/address.py

With an address, every notebook of the book begins with a cell that installs `saelib` from there on
Google Colab, which has no copy of it, and does nothing anywhere else. Without one there is no such
cell, and the pages have no link to Colab either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
TAG = "install-on-colab"
SOURCE = """\
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "saelib @ git+{address}@{branch}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)"""


def with_install_cell(notebook: Any, address: str, branch: str) -> Any:
    """Return the notebook with the cell for this address in front, or without if there is none."""
    cells = [c for c in notebook.cells if TAG not in c.metadata.get("tags", [])]
    if address:
        source = SOURCE.format(address=address.rstrip("/"), branch=branch)
        known = [c for c in notebook.cells if c not in cells and c.source == source]
        metadata = {"tags": [TAG, "remove-cell"]}
        cells[:0] = known or [nbformat.v4.new_code_cell(source, id=TAG, metadata=metadata)]
    return nbformat.from_dict({**notebook, "cells": cells})


def repository() -> tuple[str, str]:
    """Return the address and the branch that _config.yml names."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    return config["url"], config["branch"]


def main() -> None:
    """Rewrite the notebooks that are not in line."""
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        wanted = with_install_cell(notebook, *repository())
        if wanted != notebook:
            nbformat.write(wanted, path)
            print(f"{path.name}: changed")


if __name__ == "__main__":
    main()
