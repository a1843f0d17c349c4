"""Gather what the pages need to run their code in the browser, in _build/live.

    python tools/live_files.py

Python for the browser (see tools/runtime.py), the wheel of `saelib` and the ten photographs of
`saelib.natural_images`, whose pixels are those of the installed packages.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import runtime

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "_build" / "live"
# What a first visit loads: neither what only some chapters ask for nor what a server compresses.
ON_DEMAND = ("scikit-learn", "joblib", "pandas", "pytz")
COMPRESSED = {"pyodide.asm.wasm": 0.32, "pyodide.asm.js": 0.2, "pyodide.js": 0.35}


def gather() -> Path:
    """Fill the folder and return it; raise `runtime.Missing` if there is no Python to be had."""
    store = runtime.folder()
    runtime.fetch(store)
    known = runtime.pins()
    files = runtime.wanted(known)
    shutil.rmtree(TARGET, ignore_errors=True)
    folder = f"runtime/{known['info']['version']}/"
    (TARGET / folder).mkdir(parents=True)
    for name in files:
        shutil.copyfile(store / name, TARGET / folder / name)
    (TARGET / folder / "pyodide-lock.json").write_text(runtime.lock(known), encoding="utf-8")
    photographs(TARGET / "photographs.zip")
    late = {known["packages"][name]["file_name"] for name in ON_DEMAND}
    size = sum(pin["size"] * COMPRESSED.get(n, 1) for n, pin in files.items() if n not in late)
    size += (TARGET / "photographs.zip").stat().st_size
    sizes = {name: entry["size"] / 1e6 for name, entry in known["packages"].items()}
    words = {
        "late": {name: sizes[name] for name in ON_DEMAND},
        "runtime": folder,
        "wheel": wheel(),
        "megabytes": round(size / 1e6),
    }
    (TARGET / "live.json").write_text(json.dumps(words), encoding="utf-8")
    return TARGET


def wheel() -> str:
    """Build the wheel of `saelib` into the folder and return its name."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(TARGET)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(TARGET.glob("saelib-*.whl")).name


def photographs(path: Path) -> None:
    """Write the ten photographs and who took them."""
    import numpy as np
    from PIL import Image
    from skimage import data
    from sklearn.datasets import load_sample_image

    from saelib.images import IMAGE_CREDITS

    with zipfile.ZipFile(path, "w") as archive:
        for name, credit in IMAGE_CREDITS.items():
            if "scikit-learn" in credit:
                picture = load_sample_image(f"{name}.jpg")
            elif name == "motorcycle":
                picture = data.stereo_motorcycle()[0]
            else:
                picture = getattr(data, name)()
            file = io.BytesIO()
            Image.fromarray(np.asarray(picture)).save(file, "png", optimize=True)
            archive.writestr(f"{name}.png", file.getvalue())
        lines = [f"{name}: {credit}" for name, credit in IMAGE_CREDITS.items()]
        archive.writestr("credits.txt", "\n".join(lines) + "\n")


def wanted() -> bool:
    """Tell whether the site is to have code that runs; LIVE=0 asks for a site without."""
    return os.environ.get("LIVE") != "0"


if __name__ == "__main__":
    try:
        print(f"For the browser: {gather()}")
    except runtime.Missing as error:
        raise SystemExit(f"Sorry: {error}") from None
