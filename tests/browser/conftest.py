"""The built site, served on this machine, and a browser to visit it with."""

import functools
import http.server
import os
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("SAELIB_SITE", ROOT / "_build" / "html"))
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tools")]

import chromium  # noqa: E402
from serve import Quiet  # noqa: E402


def pytest_sessionstart(session):
    """In CI a missing browser is a failure, said once and not by every worker."""
    if os.environ.get("CI") == "true" and not hasattr(session.config, "workerinput"):
        with sync_playwright() as playwright:
            if chromium.executable(playwright) is None:
                pytest.exit(f"no browser was found; {chromium.HOW}", returncode=1)


@pytest.fixture(scope="session")
def site():
    """Return the address of the built site."""
    if not (SITE / "index.html").exists():
        pytest.fail(f"there is no site in {SITE}: run make book first")
    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def pytest_terminal_summary(terminalreporter):
    """Say in one line why tests were skipped; pytest has a line for every one of them."""
    reasons = {report.longrepr[2] for report in terminalreporter.getreports("skipped")}
    for reason in sorted(reasons):
        terminalreporter.write_line(reason)


@pytest.fixture(scope="session")
def browser():
    """Return a running Chromium; without one the tests are skipped."""
    with sync_playwright() as playwright:
        if chromium.executable(playwright) is None:
            pytest.skip(f"no browser was found; {chromium.HOW}")
        with chromium.launch(playwright) as running:
            yield running


class Visit:
    """An open page with everything that went wrong while it was loaded."""

    def __init__(self, context, site):
        self.site, self.page, self.faults, self.requests = site, context.new_page(), [], []
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("pageerror", lambda e: self.faults.append(f"error in a script: {e}"))
        self.page.on("console", self._console)

    def _request(self, request):
        self.requests.append(request.url)
        if not request.url.startswith((self.site, "data:", "blob:")):
            self.faults.append(f"request to another host: {request.url}")

    def _failed(self, request):
        if "ERR_ABORTED" not in str(request.failure):  # which is what going elsewhere does
            self.faults.append(f"failed request: {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.faults.append(f"answer {response.status}: {response.url}")

    def _console(self, message):
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def to(self, name):
        self.page.goto(f"{self.site}/{name}", wait_until="load")
        self.page.evaluate("document.fonts.ready")
        return self.page


@pytest.fixture
def visit(browser, site):
    """Return a function that opens a context of the given kind and gives a visit in it."""
    contexts = []

    def opened(width=1280, theme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, **options
        )
        context.add_init_script(
            f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}');"
        )
        contexts.append(context)
        return Visit(context, site)

    yield opened
    for context in contexts:
        context.close()
