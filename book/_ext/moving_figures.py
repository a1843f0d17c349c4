"""Lay out what the figures need that readers move: their scripts, and the data of the large ones.

The scripts lose indentation and comments on the way, a sixth of their size. The data are made when
the book is built, of what the repository holds already: the photographs of the installed packages,
the networks that the chapters have stored, and the numbers of the figures. They are scripts, not
JSON, since a page that was opened from a folder may load scripts but not fetch files. A page asks
for them when it shows the figure, or when somebody presses Train, and not before.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from saelib import natural_images, normalize_patches, sample_patches, whiten
from saelib.features import edge_strength, unexplained_variance
from saelib.images import IMAGE_CREDITS
from saelib.plotting.style import FAINT
from safetensors.numpy import load_file
from sklearn.decomposition import PCA
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "book" / "_data"
sys.path.append(str(ROOT / "tools"))

from explorables import packed, rounded

N_PATCHES, SIDE = 2_000, 8
EDGE_STRENGTH = 8  # the limit of `saelib.features.edge_like`


def edge_r2(side: int) -> float:
    """Return the share of variance explained from which on `edge_like` sees an edge."""
    per_number = float(edge_strength([0.5], side)[0])
    return EDGE_STRENGTH / (EDGE_STRENGTH + per_number)


def as_bytes(X: np.ndarray) -> str:
    """Return patches that lie in 0.1 to 0.9 as a byte for every pixel, in base64."""
    return base64.b64encode(np.rint((X - 0.1) / 0.8 * 255).astype(np.uint8).tobytes()).decode()


def whitened() -> dict[str, np.ndarray]:
    """Return the photographs of the book, whitened."""
    return {name: whiten(image) for name, image in natural_images().items()}


def patches() -> dict[str, Any]:
    """Return the patches of chapter 6, and when a filter counts as an edge."""
    X = normalize_patches(sample_patches(whitened(), N_PATCHES, SIDE, seed=0))
    return {"bytes": as_bytes(X), "edgeR2": edge_r2(SIDE)}


def sparsity() -> dict[str, Any]:
    """Return the two networks of chapter 3, as it has stored them, and patches to show them."""
    stored = load_file(DATA / "results" / "03-sparsity.cell-003.safetensors")
    patches = sample_patches(list(whitened().values()), n_patches=10_000, patch_size=10, seed=2)
    networks = {
        name: {
            "W1": packed(stored[str(first)]),
            "W2": packed(stored[str(first + 1)].T),
            "b1": rounded(stored[str(first + 2)]),
            "b2": rounded(stored[str(first + 3)]),
        }
        for name, first in (("free", 0), ("sparse", 4))
    }
    return {**networks, "patches": as_bytes(normalize_patches(patches)[:1_000])}


def compression() -> list[dict[str, Any]]:
    """Return for noise and pictures the directions of PCA, what they leave, and examples."""
    rng = np.random.default_rng(0)
    photographs = natural_images()
    whole = {
        "noise": rng.normal(size=(8_000, 100)),
        "whitened": sample_patches(whitened(), 8_000, 10, seed=0),
        "photographs": sample_patches(photographs, 8_000, 10, seed=0),
    }
    kinds = []
    for name, X in whole.items():
        learn, test = X[::2], X[1::2]
        learn, test = ((part - learn.mean(axis=0)) / learn.std() for part in (learn, test))
        pca = PCA(100).fit(learn)
        codes = pca.transform(test)
        left = [
            unexplained_variance(test, pca.mean_ + codes[:, :k] @ pca.components_[:k])
            for k in range(101)
        ]
        strong = np.argsort(whole["whitened"][1::2].std(axis=1))[-600::120]  # of some contrast
        kinds.append(
            {
                "name": name,
                "V": packed(pca.components_),
                "mean": rounded(pca.mean_),
                "unexplained": rounded(np.array(left)),
                "examples": packed(test[strong]),
            }
        )
    return kinds


def gains() -> dict[str, Any]:
    """Return the numbers of the figure of chapter 9: points ahead of the pixels, split by split."""
    text = (DATA / "figures" / "09-features-for-a-classifier.json").read_text(encoding="utf-8")
    series = json.loads(text)["fig-label-gains"]["series"]
    panels = [s for s in series if re.fullmatch(r"axes \d+", s["series"])]
    names = panels[0]["y ticks"]
    draws = [  # the small marks, one for each split
        [
            s["x"]
            for s in series
            if s["series"].startswith(f"{panel['series']}, line") and s["colour"] == FAINT.lower()
        ]
        for panel in panels
    ]
    return {
        "labels": [int(re.sub(r"\D", "", panel["title"])) for panel in panels],
        "names": [*names, "pixels"],
        "gains": {name: [panel[row] for panel in draws] for row, name in enumerate(names)},
    }


MADE = {
    "explore-patches.js": ("explorePatches", patches),
    "explore-sparsity-data.js": ("exploreSparsityData", sparsity),
    "explore-compression-data.js": ("exploreCompressionData", compression),
}
WITHIN = {"explore-gains.js": ("exploreGainsData", gains)}  # a kilobyte, which needs no file


def script(name: str, data: Any) -> str:
    """Return data as a script that gives them a name in the page."""
    credits = "; ".join(f"{title}: {credit}" for title, credit in IMAGE_CREDITS.items())
    return f"/* Patches of photographs. {credits} */\n{assigned(name, data)}"


def assigned(name: str, data: Any) -> str:
    """Return the line of a script that gives data a name."""
    return f"window.{name} = {json.dumps(data, separators=(',', ':'))};\n"


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
    for name, (variable, make) in MADE.items():
        (folder / name).write_text(script(variable, make()), encoding="utf-8")
    for name, (variable, make) in WITHIN.items():
        code = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(assigned(variable, make()) + code, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the part."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
