"""Links from the library reference to the source: in the repository, or else on pages of the site.

Where the public address is known, a link leads to the lines there. Where it is not, as in a copy
that somebody was handed, the site has a page for each file that a documented name comes from.
"""

from __future__ import annotations

import html
import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx
from sphinx.config import Config

import api_pages

ROOT = Path(__file__).resolve().parents[2]
LINES = {
    "gitlab": "{address}/-/blob/{branch}/{path}#L{first}-{last}",
    "bitbucket": "{address}/src/{branch}/{path}#lines-{first}:{last}",
    "github": "{address}/blob/{branch}/{path}#L{first}-L{last}",
}


def lines_of(module: str, name: str) -> tuple[Path, int, int] | None:
    """Return file, first and last line of what defines an object, if that is in the library."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    found = inspect.unwrap(found.fget if isinstance(found, property) else found)
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        return None
    path = Path(inspect.getsourcefile(found) or "").resolve()
    if not path.is_relative_to(ROOT):
        return None
    lines, first = inspect.getsourcelines(found)
    return path.relative_to(ROOT), first, first + len(lines) - 1


def source_of(domain: str, info: dict[str, str], address: str, branch: str) -> str | None:
    """Return the address of the lines that define an object of the library, if there are any."""
    place = lines_of(info["module"], info["fullname"]) if domain == "py" else None
    if place is None:
        return None
    path, first, last = place
    if not address:
        return f"{page_of(path)}.html#line-{first}"
    pattern = next(LINES[host] for host in LINES if host in address or host == "github")
    return pattern.format(
        address=address, branch=branch, path=path.as_posix(), first=first, last=last
    )


def page_of(path: Path) -> str:
    """Return the page that shows a file of the library."""
    return "source-" + "-".join(path.with_suffix("").parts[1:])


def shown(path: Path, names: list[str], references: dict[str, str]) -> str:
    """Return the body of the page of a file: what it documents, and its lines."""
    code = (ROOT / path).read_text(encoding="utf-8")
    drawn = highlight(code, PythonLexer(), HtmlFormatter(linespans="line"))
    links = ", ".join(
        f'<a class="reference internal" href="{references[name]}.html#{name}"><code>'
        f"{html.escape(name.removeprefix('saelib.'))}</code></a>"
        for name in names
    )
    return (
        f"<h1>Source: <code>{path.as_posix()}</code></h1>\n<p>What the reference says of "
        f'{links}.</p>\n<div class="highlight-python notranslate source">{drawn}</div>'
    )


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a page for each file that documented names come from, if no repository shows it."""
    if app.builder.name != "html" or app.config.html_theme_options["repository_url"]:
        return
    names: dict[Path, list[str]] = defaultdict(list)
    references: dict[str, str] = {}
    for topic in api_pages.pages():
        for entry in (entry for _, section in topic.sections for entry in section):
            place = lines_of(*entry.name.rsplit(".", 1))
            if place is not None:
                names[place[0]].append(entry.name)
                references[entry.name] = topic.docname
    for path, documented in sorted(names.items()):
        body = shown(path, documented, references)
        context = {"title": f"Source of {path.as_posix()}", "body": body, "parents": []}
        yield page_of(path), context, "page.html"


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
    app.connect("html-collect-pages", source_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
