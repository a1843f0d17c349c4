"""Test with other versions of the packages than the lock's.

    python tools/versions.py newest     what can be had today, within what pyproject.toml allows
    python tools/versions.py lowest     the oldest that pyproject.toml allows for what it names

makes .versions/WHICH anew, and runs the unit tests and the notebooks in it. With --unit or
--notebooks only one of the two.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import clean

ROOT = clean.ROOT
RESOLUTION = {"newest": "highest", "lowest": "lowest-direct"}
# What these are about is the lock and the archives, not the versions installed.
LEFT_OUT = ("tests/browser", "tests/packages", "tests/test_project.py")


def environment(which: str) -> Path:
    """Make the environment, and return its Python."""
    folder = ROOT / ".versions" / which
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pins = folder / "versions.txt"
    uv = [sys.executable, "-m", "uv", "-q", "pip"]
    resolve = [*uv, "compile", "--resolution", RESOLUTION[which], "-o", str(pins)]
    resolve += ["--python", sys.executable, "--only-binary", ":all:", "--no-emit-index-url"]
    for extra in ("book", "dask"):
        resolve += ["--extra", extra]
    for group in ("test", "book"):
        resolve += ["--group", f"pyproject.toml:{group}"]
    subprocess.run([*resolve, "pyproject.toml"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    python = clean.environment(folder / "env", "-r", str(pins), pins=None)
    # Not the wheel: coverage, doctests and the tests of the book's extensions want the sources.
    install = [*uv, "install", "--python", str(python), "--no-deps", "-e", str(ROOT)]
    subprocess.run(install, check=True)
    named = ("numpy", "scipy", "scikit-learn", "scikit-image", "matplotlib", "pandas")
    pinned = dict(
        line.split(" ")[0].split("==") for line in pins.read_text().splitlines() if "==" in line
    )
    print(f"{which}: " + ", ".join(f"{name} {pinned[name]}" for name in named), flush=True)
    return python


def unit(which: str, python: Path) -> int:
    """Run the unit tests; old packages warn of new ones, which is not the library's fault."""
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [f"--ignore={path}" for path in LEFT_OUT]
    if which == "lowest":
        command += ["-o", "filterwarnings=default"]
    return subprocess.run(command, cwd=ROOT, env=clean.plain(), check=False).returncode


def notebooks(python: Path) -> int:
    """Execute the notebooks and compare their outputs with the stored ones."""
    with tempfile.TemporaryDirectory() as folder:
        kernels = clean.kernel(Path(folder) / "jupyter", python)
        log = Path(folder) / "report.txt"
        paths = sorted((ROOT / "book").glob("*.ipynb"))
        code = clean.comparison(paths, kernels, log).wait()
        print(log.read_text(errors="replace")[-20_000:] if code else clean.verdict(log))
    return code


def main(which: str, *only: str) -> int:
    """Run both; return 0 if both pass."""
    python = environment(which)
    codes = []
    if "--notebooks" not in only:
        codes.append(unit(which, python))
    if "--unit" not in only:
        codes.append(notebooks(python))
    return int(any(codes))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in RESOLUTION:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
