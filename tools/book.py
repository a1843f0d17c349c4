"""Build the site into _build/html; warnings are errors, and nothing is done twice.

python tools/book.py
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]
import live_files  # noqa: E402
import runtime  # noqa: E402
from bundle import downloads  # noqa: E402
from public_address import public_address  # noqa: E402

SITE = ROOT / "_build" / "html"
STAMP = ROOT / "_build" / "made-from"
LOG = ROOT / "_build" / "build.log"
PDF = ROOT / "_build" / "sparse-autoencoders.pdf"
SOURCES = (
    "_config.yml",
    "_toc.yml",
    "requirements.lock",
    "book",
    "claims",
    "saelib",
    "tests",
    "tools",
)
SOURCES += ("pyproject.toml", "hatch_build.py", "LICENSE", "LICENSE-text")
# What the pages derive links from, beside _config.yml.
ADDRESSES = ("SAELIB_REPOSITORY", "SAELIB_SITE_ADDRESS")


def main() -> int:
    """Build if a source has changed; return 0 if the site is there and without a warning."""
    os.chdir(ROOT)
    try:
        public_address(os.environ.get("SAELIB_REPOSITORY") or repository()[0])
    except ValueError as error:
        print(f"Sorry: {error}")
        return 1
    try:
        for_browser = found_for_browser()
    except runtime.Missing as error:
        print(f"Sorry: {error}")
        return 1
    pdf = printed()
    wanted = fingerprint(with_live=for_browser) + (" with a PDF" if pdf else "")
    if STAMP.exists() and STAMP.read_text() == wanted and (SITE / "index.html").exists():
        print(f"The book is up to date: {SITE / 'index.html'}")
        return 0
    start = time.perf_counter()
    print("Building the book ...", flush=True)
    STAMP.unlink(missing_ok=True)
    os.environ["SAELIB_PDF"] = "1" if pdf else ""
    os.environ.pop("SAELIB_LIVE", None)
    if for_browser:
        os.environ["SAELIB_LIVE"] = str(live_files.gather())
    if not built(ROOT / "book", ROOT):
        return 1
    # What readers download: notebooks without solutions and with them, and all in one.
    notebooks = [sys.executable, "tools/learner.py", str(SITE / "notebooks")]
    subprocess.run(notebooks, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(SITE / "downloads", ignore_errors=True)
    downloads(SITE / "downloads", SITE / "notebooks")
    if pdf:
        shutil.copy(PDF, SITE / "downloads" / PDF.name)
    STAMP.write_text(wanted)
    print(f"Built in {time.perf_counter() - start:.0f} s: {SITE / 'index.html'}")
    return 0


def repository() -> tuple[str, str]:
    """Return the address and the branch that _config.yml names."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    return config["url"] or "", config["branch"]


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


def printed() -> bool:
    """Tell whether there is a PDF, made by tools/pdf.py from these very sources."""
    stamp = ROOT / "_build" / "print" / "made-from"
    return (
        PDF.exists()
        and stamp.exists()
        and stamp.read_text() == fingerprint()
        and PDF.stat().st_mtime >= stamp.stat().st_mtime
    )


def fingerprint(with_live: bool = False) -> str:
    """Return a digest of everything that the pages are made from."""
    digest = hashlib.sha256(f"{ROOT} {with_live}".encode())
    digest.update(repr([os.environ.get(name, "") for name in ADDRESSES]).encode())
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
