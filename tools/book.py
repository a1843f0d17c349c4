"""Build the site into _build/html; warnings are errors, and nothing is done twice.

python tools/book.py
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import live_files
import runtime

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
STAMP = ROOT / "_build" / "made-from"
LOG = ROOT / "_build" / "build.log"
SOURCES = ("_config.yml", "_toc.yml", "requirements.lock", "book", "saelib", "tests", "tools")


def main() -> int:
    """Build if a source has changed; return 0 if the site is there and without a warning."""
    os.chdir(ROOT)
    try:
        for_browser = found_for_browser()
    except runtime.Missing as error:
        print(f"Sorry: {error}")
        return 1
    wanted = fingerprint(with_live=for_browser)
    if STAMP.exists() and STAMP.read_text() == wanted and (SITE / "index.html").exists():
        print(f"The book is up to date: {SITE / 'index.html'}")
        return 0
    start = time.perf_counter()
    print("Building the book ...", flush=True)
    STAMP.unlink(missing_ok=True)
    os.environ.pop("SAELIB_LIVE", None)
    if for_browser:
        os.environ["SAELIB_LIVE"] = str(live_files.gather())
    if not built(ROOT / "book", ROOT):
        return 1
    # What readers download: without solutions, and with them.
    notebooks = [sys.executable, "tools/learner.py", str(SITE / "notebooks")]
    subprocess.run(notebooks, check=True, stdout=subprocess.DEVNULL)
    STAMP.write_text(wanted)
    print(f"Built in {time.perf_counter() - start:.0f} s: {SITE / 'index.html'}")
    return 0


def found_for_browser() -> bool:
    """Tell whether the pages can run their code, and say it if they cannot but should.

    For a public site that is an error: it would silently lose what its readers know.
    """
    if not live_files.wanted():
        return False
    try:
        runtime.fetch(runtime.folder())
    except runtime.Missing as error:
        if os.environ.get("CI") == "true":
            raise
        print(f"The pages will not run their code in the browser: {error}", flush=True)
        return False
    return True


def built(source: Path, output: Path) -> bool:
    """Build the folder `source` into _build/html below `output`; tell whether it went well."""
    LOG.parent.mkdir(exist_ok=True)
    main = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", main, "build", str(source), "--config", "_config.yml"]
    command += ["--toc", str(ROOT / "_toc.yml"), "--path-output", str(output)]
    command += ["-W", "-n", "--keep-going", "--all"]
    with LOG.open("w") as log:
        code = subprocess.run(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False
        ).returncode
    text = re.sub(r"\x1b\[[0-9;]*m", "", LOG.read_text())
    complaints = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|Error:", line)]
    if code or complaints or not (output / "_build" / "html" / "index.html").exists():
        print("\n".join(complaints[:40]) or text[-3000:])
        print(f"The book was not built; the whole log is in {LOG.relative_to(ROOT)}")
        return False
    return True


def fingerprint(with_live: bool) -> str:
    """Return a digest of everything that the pages are made from."""
    digest = hashlib.sha256(f"{ROOT} {with_live}".encode())
    for name in SOURCES:
        path = ROOT / name
        files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
        for file in files:
            if "__pycache__" in file.parts or "_build" in file.parts:
                continue
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
