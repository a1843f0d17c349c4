"""Execute the notebooks of the book from top to bottom and store their outputs.

    python tools/notebooks.py [book/NN-name.ipynb ...]     all of them by default

Metadata are brought to one form, so that a change of a notebook shows as little else as possible,
and the seconds that each one took are written to book/_data/run-times.json.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import drawings
import drawn
import figures
import nbformat
import results
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
TIMES = BOOK / "_data" / "run-times.json"
PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-image", "matplotlib")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path, keep_results: bool = False, keep_figures: bool = False) -> float:
    """Execute a notebook in a fresh kernel, store it in place, return the seconds it took.

    The results of its heavy cells and the data and drawings of its figures are kept on request, see
    `tools/results.py`, `tools/figures.py` and `tools/drawings.py`.
    """
    notebook = nbformat.read(path, as_version=4)
    arguments = ["--log-level=ERROR"]
    with tempfile.TemporaryDirectory() as folder:
        watching = (drawn, drawings) if keep_figures else ()
        lines = [each.in_kernel(Path(folder)) for each in watching]
        lines += [results.in_kernel(path)] if keep_results else []
        if lines:
            arguments.append(f"--IPKernelApp.exec_lines={lines!r}")
        start, moment = time.perf_counter(), time.time()
        NotebookClient(
            notebook,
            timeout=600,
            startup_timeout=600,
            kernel_name="python3",
            extra_arguments=arguments,
            resources={"metadata": {"path": str(path.parent)}},
        ).execute()
        seconds = time.perf_counter() - start
        nbformat.write(normalized(notebook), path)
        if keep_results:
            results.forget_before(path.stem, moment)
        if keep_figures:
            figures.keep(path, Path(folder))
            drawings.keep(path, Path(folder))
    return seconds


def normalized(notebook: Any) -> Any:
    """Return the notebook with stable cell ids and without what changes from run to run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken: set[str] = set()
    for cell in notebook.cells:
        cell["id"] = stable_id(cell, taken)
        taken.add(cell["id"])
        kept = {name: cell.metadata[name] for name in ("mystnb", "tags") if name in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            output.pop("transient", None)
            if "metadata" in output:
                output["metadata"] = nbformat.from_dict({})
            if output.output_type == "stream":
                output.text = "\n".join(map(last_state, output.text.split("\n")))
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = lighter(output.data["image/png"])
    return notebook


def stable_id(cell: Any, taken: set[str]) -> str:
    """Return the cell's own id, or one made of its text where it has none or another has it.

    Ids that count the cells would change behind every new one, and with them every later line of
    a comparison of two versions.
    """
    if cell.get("id") and cell["id"] not in taken:
        return str(cell["id"])
    text, salt = str(cell.source), 0
    while (name := hashlib.sha256(f"{text}{salt}".encode()).hexdigest()[:8]) in taken:
        salt += 1
    return name


def joined(outputs: list[Any]) -> list[Any]:
    """Return outputs with neighbouring pieces of one stream in one piece."""
    kept: list[Any] = []
    for output in outputs:
        if kept and output.output_type == "stream" and output.get("name") == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def last_state(line: str) -> str:
    """Return what a terminal shows of a line that was written over: the end of a progress bar."""
    return line.rstrip("\r").rpartition("\r")[2]


def lighter(picture: str) -> str:
    """Return a picture with at most 192 colours, if that makes it smaller; no eye can tell.

    Sixty-five greys are enough for patches. The other colours are the most frequent ones as they
    are: an average of two would lend one word the hue of another.
    """
    content = base64.b64decode(picture)
    file = io.BytesIO()
    image = Image.open(io.BytesIO(content)).convert("RGB")
    counts = sorted(image.getcolors(image.width * image.height) or [], reverse=True)
    hues = [colour for _, colour in counts if max(colour) - min(colour) > 8][:127]
    palette = [(v, v, v) for v in (*range(0, 256, 4), 255)] + hues
    table = Image.new("P", (1, 1))
    table.putpalette([channel for colour in palette for channel in colour])
    few = image.quantize(palette=table, dither=Image.Dither.NONE)
    few.save(file, format="PNG", optimize=True)
    smaller = min(content, file.getvalue(), key=len)
    return base64.b64encode(smaller).decode()


def record(seconds: dict[str, float]) -> None:
    """Write down how long each notebook took, where and with which versions."""
    known = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    known["seconds"] = dict(sorted({**known.get("seconds", {}), **seconds}.items()))
    known["machine"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    known["versions"] = {"python": platform.python_version()} | {
        name: version(name) for name in PACKAGES
    }
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps(known, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """Execute the notebooks named, or all; return 1 if a cell failed."""
    paths = [Path(name).resolve() for name in arguments] or sorted(BOOK.glob("*.ipynb"))
    times: dict[str, float] = {}
    for path in paths:
        try:
            # The code of the third part is not run in the page, see book/_ext/live.py.
            seconds = execute(path, keep_results=path.stem < "11-", keep_figures=True)
        except CellExecutionError as error:
            print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
            return 1
        times[path.stem] = round(seconds, 1)
        print(f"{path.name}: {seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB", flush=True)
    record(times)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
