"""Find a Chromium and start it in a way that works as root and reaches nothing but the site."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The first draws the same without the parts of a browser around the page: a quarter less work.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
HOW = "install Chromium: apt install chromium, or .venv/bin/python -m playwright install chromium"


def executable(playwright: Any) -> str | None:
    """Return the path of Playwright's own Chromium or of the system's, or None."""
    own = playwright.chromium.executable_path
    if own and Path(own).exists():
        return str(own)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Any) -> Any:
    """Start the browser, or end with a line that says what to install."""
    path = executable(playwright)
    if path is None:
        raise SystemExit(f"Sorry: no browser was found; {HOW}")
    return playwright.chromium.launch(executable_path=path, args=list(FLAGS))
