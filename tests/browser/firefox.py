"""Drive Firefox by the protocol that it speaks itself (WebDriver BiDi), without a driver."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import websocket

SECONDS = 300


def executable() -> str | None:
    """Return the path of the system's Firefox, or None."""
    return next((path for name in ("firefox-esr", "firefox") if (path := shutil.which(name))), None)


class Tab:
    """An open tab, with the address of every request and every error on the console."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(
            f"{address}/session", suppress_origin=True, timeout=SECONDS
        )
        self.asked, self.requests, self.errors = 0, [], []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command and return its result; events that come meanwhile are noted."""
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer["type"] == "event":
                self._note(answer["method"], answer["params"])
            elif answer["id"] == self.asked:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "network.beforeRequestSent":
            self.requests.append(params["request"]["url"])
        elif params["level"] == "error":
            self.errors.append(params["text"])

    def to(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of the page, awaited if it is a promise."""
        answer = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] != "success":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])


@contextmanager
def opened(path: str, profile: Path) -> Iterator[Tab]:
    """Start Firefox with an empty profile, and end it afterwards."""
    command = [path, "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", "0"]
    said = profile / "said.txt"  # a pipe that nobody empties would stop the browser
    with said.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        tab = Tab(_address(said))
        with closing(tab.socket):
            yield tab
    finally:
        process.terminate()
        process.wait()


def _address(said: Path) -> str:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := re.search(r"BiDi listening on (ws://\S+)\n", said.read_text()):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"Firefox did not start within {SECONDS} s: {said.read_text()[-1000:]}")
