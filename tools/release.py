"""Build both archives into dist/, say what is in them, and check them as a package index would.

    python tools/release.py

All the tests of the unpacked source archive run with the wheel, in a clean environment. twine runs
in an environment of its own, which uv makes for the moment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import bundle
import clean

DIST = clean.ROOT / "dist"


def contents(wheel: Path, source: Path) -> None:
    """Print what is in the archives, file by file."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(archive.namelist())
    with tarfile.open(source) as archive:
        others = sorted(member.name for member in archive.getmembers() if member.isfile())
    for path, held in ((wheel, names), (source, others)):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {len(held)} files", flush=True)
        print("".join(f"    {name}\n" for name in held), end="")


def tests_of(wheel: Path, source: Path) -> None:
    """Run every test and every example of the source archive, with the wheel installed."""
    with tempfile.TemporaryDirectory() as folder:
        clean.unpack(source, Path(folder))
        (place,) = Path(folder).iterdir()
        wanted = ["pytest", "hypothesis", "jax", "polars", "nbclient"]
        python = clean.environment(place / "env", f"{wheel}[book,dask]", *wanted)
        command = [str(python.with_name("pytest")), "-q", "-p", "no:cacheprovider", "tests"]
        subprocess.run(command, cwd=place, env=clean.plain(), check=True)


def main() -> int:
    """Do all three; return 0 if the archives can be published."""
    shutil.rmtree(DIST, ignore_errors=True)
    wheel, source = bundle.archives(DIST)
    contents(wheel, source)
    try:
        twine = [sys.executable, "-m", "uv", "-q", "tool", "run", "twine", "check", "--strict"]
        subprocess.run([*twine, str(wheel), str(source)], check=True)
        tests_of(wheel, source)
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"Ready to publish: {wheel} and {source.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
