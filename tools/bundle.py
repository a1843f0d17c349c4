"""Make what readers download: wheel, source archive, and a bundle of wheel and notebooks.

    python tools/bundle.py FOLDER

writes saelib-VERSION-py3-none-any.whl, saelib-VERSION.tar.gz and sparse-autoencoders.zip. From the
same sources come the same bytes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "sparse-autoencoders"
DATE = (2020, 2, 2, 0, 0, 0)  # the one that hatchling gives to what is in a wheel
HOW_TO = """\
Sparse autoencoders: the notebooks of the book, and saelib, the library behind them

You need Python 3.11 to 3.14. In this folder, type

    python3 -m venv .venv
    source .venv/bin/activate              (on Windows: .venv\\Scripts\\activate)
    python -m pip install -r requirements.txt
    jupyter lab

and open a notebook of learner/, where the exercises wait for you, or of solved/, where they are
done and the outputs are stored.

requirements.txt asks for the wheel beside it, and for what the notebooks import. If newer packages
than the book's print something else one day, take the versions that printed the book:

    python -m pip install -r requirements.txt -c constraints.txt

The library alone: python -m pip install {wheel}
Code: BSD 3-Clause (LICENSE). Text and figures: CC BY 4.0 (LICENSE-text).
"""


def archives(folder: Path) -> tuple[Path, Path]:
    """Build the wheel and the source archive into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("saelib-*.whl"), *folder.glob("saelib-*.tar.gz")]:
        old.unlink()
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder.resolve())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"Sorry: the archives could not be built\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("saelib-*.whl")
    (source,) = folder.glob("saelib-*.tar.gz")
    return wheel, source


def constraints() -> str:
    """Return the versions that the lock pins, without their hashes."""
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([A-Za-z0-9_.-]+==[^\\\n]+?) *\\?$", lock, re.M)
    return "\n".join(pins) + "\n"


def bundle(wheel: Path, notebooks: Path, target: Path) -> None:
    """Put the wheel, the notebooks below `notebooks` and a how-to into one archive."""
    files = {
        "README.txt": HOW_TO.format(wheel=wheel.name).encode(),
        "requirements.txt": f"./{wheel.name}[book]\n".encode(),
        "constraints.txt": constraints().encode(),
        wheel.name: wheel.read_bytes(),
    }
    files |= {name: (ROOT / name).read_bytes() for name in ("LICENSE", "LICENSE-text")}
    for variant in ("learner", "solved"):
        for path in sorted((notebooks / variant).glob("*.ipynb")):
            files[f"{variant}/{path.name}"] = path.read_bytes()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name])


def downloads(folder: Path, notebooks: Path | None = None) -> None:
    """Make all three in a folder; the notebooks may lie somewhere already."""
    wheel, _ = archives(folder)
    with tempfile.TemporaryDirectory() as place:
        if notebooks is None:
            notebooks = Path(place)
            make = [sys.executable, str(ROOT / "tools" / "learner.py"), place]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        bundle(wheel, notebooks, folder / f"{NAME}.zip")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    downloads(Path(sys.argv[1]))
