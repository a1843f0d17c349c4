"""Build the pages with the newest plain Sphinx and MyST-NB, without Jupyter Book.

    python tools/plain_sphinx.py

Version 1 of Jupyter Book is Sphinx with settings and asks for an old one. Should it end, this is
the way on: the settings that it derives from _config.yml, as a conf.py, with the same sources and
extensions. The site is in _build/sphinx/html; warnings are errors.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import clean

ROOT = clean.ROOT
PLACE = ROOT / "_build" / "sphinx"
ENVIRONMENT = ROOT / ".versions" / "sphinx"
# What Jupyter Book 1 adds of its own, and what it loads although this book does not use it.
NOT_NEEDED = ("jupyter_book", "sphinx_jupyterbook_latex", "sphinx_thebe", "sphinx_comments")
PACKAGES = (
    "sphinx",
    "myst-nb",
    "sphinx-book-theme",
    "sphinx-copybutton",
    "sphinx-design",
    "sphinx-exercise",
    "sphinx-external-toc",
    "sphinx-multitoc-numbering",
    "sphinx-proof",
    "sphinx-togglebutton",
    "sphinxcontrib-bibtex",
    "numpydoc",
    "quickjs-ng",
    "beautifulsoup4",
    "pyyaml",
)
AFTER = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = [name for name in extensions if name not in {NOT_NEEDED}]
del use_jupyterbook_latex
"""


def settings() -> None:
    """Copy the sources, and put the settings that Jupyter Book derives beside them."""
    shutil.rmtree(PLACE, ignore_errors=True)
    source = PLACE / "source"
    shutil.copytree(ROOT / "book", source)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source)
    derive = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", derive, "config", "sphinx", str(source)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with (source / "conf.py").open("a") as conf:
        conf.write(AFTER)


def environment() -> Path:
    """Make an environment with the newest packages, and return its Python."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    saelib = f"saelib[images,plot,dask] @ {ROOT.as_uri()}"
    python = clean.environment(ENVIRONMENT, *PACKAGES, saelib, pins=None)
    only_its_files = ["djangocms-katex", "--no-deps"]
    uv = [sys.executable, "-m", "uv", "-q", "pip", "install", "--python", str(python)]
    subprocess.run([*uv, *only_its_files], check=True)
    return python


def main() -> int:
    """Build, and return 0 if that went without a warning."""
    settings()
    python = environment()
    program = "import sphinx, myst_nb; print(sphinx.__version__, myst_nb.__version__)"
    subprocess.run([str(python), "-c", program], check=True)
    command = [str(python), "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html"]
    folders = [str(PLACE / "source"), str(PLACE / "html")]
    return subprocess.run([*command, *folders], cwd=ROOT, env=clean.plain(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
