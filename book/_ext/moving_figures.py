"""Lay out what the figures need that readers move: their scripts, and the patches of chapter 6.

The scripts lose indentation and comments on the way, a sixth of their size. The patches are cut
from the photographs of the installed packages whenever the book is built, so the repository holds
no copy of them. They are a script, not JSON, since a page that was opened from a folder may load
scripts but not fetch files. The page asks for it when somebody presses Train, and not before.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
from saelib import natural_images, normalize_patches, sample_patches, whiten
from saelib.features import edge_strength
from saelib.images import IMAGE_CREDITS
from sphinx.application import Sphinx

FILE = "explore-patches.js"
N_PATCHES, SIDE = 2_000, 8
EDGE_STRENGTH = 8  # the limit of `saelib.features.edge_like`


def edge_r2(side: int) -> float:
    """Return the share of variance explained from which on `edge_like` sees an edge."""
    per_number = float(edge_strength([0.5], side)[0])
    return EDGE_STRENGTH / (EDGE_STRENGTH + per_number)


def script() -> str:
    """Return the patches of the chapter's experiments, a byte for every pixel, as a script."""
    images = {name: whiten(image) for name, image in natural_images().items()}
    X = normalize_patches(sample_patches(images, N_PATCHES, SIDE, seed=0))
    pixels = np.rint((X - 0.1) / 0.8 * 255).astype(np.uint8)  # X lies in 0.1 to 0.9
    data = {"bytes": base64.b64encode(pixels.tobytes()).decode(), "edgeR2": edge_r2(SIDE)}
    credits = "; ".join(f"{name}: {credit}" for name, credit in IMAGE_CREDITS.items())
    return f"/* Patches of photographs. {credits} */\nwindow.explorePatches = {json.dumps(data)};\n"


def stripped(source: str) -> str:
    """Return a script without indentation and without comments that have lines of their own."""
    source = re.sub(r"^ *(/\*.*?\*/|//[^\n]*)$", "", source, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\n\s*", "\n", source).lstrip()


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the scripts when the pages have been."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "js"
    for file in folder.glob("explore*.js"):
        file.write_text(stripped(file.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / FILE).write_text(script(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the part."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
