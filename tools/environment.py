"""Make or refresh .venv from requirements.lock; needs nothing but Python and a network.

    python3 tools/environment.py

The lock names every file by its hash. uv is taken from the lock too, by pip, and then installs
the rest in seconds. Nothing happens if .venv already is what the lock and pyproject.toml ask for.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "made-from"
LOCK = ROOT / "requirements.lock"
OLDEST, NEWEST = (3, 11), (3, 14)


def main() -> None:
    """Bring .venv up to date, or end with a line that says what is wrong."""
    os.chdir(ROOT)  # relative paths below: the folder's own path may hold spaces
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sorry(
            f"Python {sys.version.split()[0]} at {sys.executable} does not do; Python 3.11 to 3.14 "
            "is needed: make PYTHON=/path/to/python3.12 ..."
        )
    wanted = fingerprint()
    if STAMP.exists() and PYTHON.exists() and STAMP.read_text() == wanted:
        return
    start = time.perf_counter()
    print(f"Installing the locked packages into .venv (Python {sys.version.split()[0]}) ...")
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        sorry(f"python3 -m venv does not work ({error}); on Debian or Ubuntu get python3-venv")
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(pins_of("uv"))
        pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        run([*pip, "--require-hashes", "-r", only_uv])
    # Symbolic or hard links into uv's cache would let one project change another's files.
    uv = [PYTHON, "-m", "uv", "-q", "pip", "install", "--python", PYTHON, "--link-mode", "copy"]
    run([*uv, "--require-hashes", "-r", LOCK])
    run([*uv, "--no-deps", "--no-build-isolation", "-e", "."])
    STAMP.write_text(wanted)
    print(f"Installed in {time.perf_counter() - start:.0f} s.")


def fingerprint() -> str:
    """Return what .venv depends on: the lock, the settings, this Python and this place."""
    digest = hashlib.sha256()
    for part in (LOCK, ROOT / "pyproject.toml"):
        digest.update(part.read_bytes())
    digest.update(f"{sys.version} {ROOT}".encode())
    return digest.hexdigest()


def pins_of(name: str) -> str:
    """Return the lines of the lock that pin one package, with all its hashes."""
    found = re.search(rf"^{name}==[^\n]*\\\n(?:\s+--hash=\S+(?: \\)?\n)+", LOCK.read_text(), re.M)
    if not found:
        sorry(f"requirements.lock does not pin {name}; it must be made anew")
    return found[0]


def run(command: list[str | Path]) -> None:
    """Run a command without a word, or end with what it had to say."""
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        sorry(f"the packages could not be installed{cause(result.stdout + result.stderr)}")


def cause(said: str) -> str:
    """Return the end of what a failed program said, and ask for the network if it missed that."""
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    network = re.search(
        r"connect|resolve host|name resolution|timed? ?out|dns|unreachable", said, re.I
    )
    asked = "; is there a network?" if network else ""
    return f"{asked} ({' '.join(lines[-3:]) or 'no word why'})"


def sorry(what: str) -> NoReturn:
    """End with one line that says what is wrong."""
    raise SystemExit(f"Sorry: {what}")


if __name__ == "__main__":
    main()
