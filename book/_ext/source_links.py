"""Links from the library reference to the lines of the source, where its address is known."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).resolve().parents[2]
LINES = {
    "gitlab": "{address}/-/blob/{branch}/{path}#L{first}-{last}",
    "bitbucket": "{address}/src/{branch}/{path}#lines-{first}:{last}",
    "github": "{address}/blob/{branch}/{path}#L{first}-L{last}",
}


def source_of(domain: str, info: dict[str, str], address: str, branch: str) -> str | None:
    """Return the address of the lines that define an object of the library, if there are any."""
    if domain != "py" or not address:
        return None
    found: Any = importlib.import_module(info["module"])
    for name in info["fullname"].split("."):
        found = getattr(found, name, None)
    found = inspect.unwrap(found.fget if isinstance(found, property) else found)
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        return None
    path = Path(inspect.getsourcefile(found) or "").resolve()
    if not path.is_relative_to(ROOT):
        return None
    lines, first = inspect.getsourcelines(found)
    pattern = next(LINES[host] for host in LINES if host in address or host == "github")
    return pattern.format(
        address=address,
        branch=branch,
        path=path.relative_to(ROOT).as_posix(),
        first=first,
        last=first + len(lines) - 1,
    )


def configure(app: Sphinx, config: Config) -> None:
    """Tell Sphinx where the sources are."""
    options = config.html_theme_options
    address = options["repository_url"]
    branch = options.get("repository_branch") or "main"

    def resolve(domain: str, info: dict[str, str]) -> str | None:
        return source_of(domain, info, address, branch)

    config.linkcode_resolve = resolve


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.setup_extension("sphinx.ext.linkcode")
    app.connect("config-inited", configure, priority=950)  # when the address is in its one form
    return {"parallel_read_safe": True, "parallel_write_safe": True}
