"""Join the style sheets of the theme and of every extension into one, without unused rules.

The theme alone brings 400 kB of rules, of which the pages use a quarter. A rule stays if every
class and id of one of its selectors is a word somewhere in a page or a script of the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

LINK = re.compile(r'\s*<link\b[^>]*\brel="stylesheet"[^>]*>')
HREF = re.compile(r'href="((?:\.\./)*)_static/([^"?]+\.css)[^"]*"')
APART = ("katex/",)  # its own sheet, only on pages with equations
BUNDLE = "site.css"
UNUSED = ("scripts/fontawesome.js", "sphinx-thebe.js", "sphinx-thebe.css", "vendor")
Rule = tuple[str, str | None]  # what stands before the braces, and what within them


def rules(css: str) -> Iterator[Rule]:
    """Take a style sheet apart at its outermost braces."""
    token = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|url\([^)"\']*\)|[{};]', re.S)
    start, depth, prelude = 0, 0, ""
    for match in token.finditer(css):
        mark = match[0]
        if mark == "{":
            if depth == 0:
                prelude, start = css[start : match.start()].strip(), match.end()
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                yield prelude, css[start : match.start()].strip()
                start = match.end()
        elif mark == ";" and depth == 0:
            yield css[start : match.start()].strip(), None
            start = match.end()


def is_used(selector: str, words: set[str]) -> bool:
    """Tell whether all classes and ids of a selector occur, whatever it says they must not be."""
    positive = re.sub(r":not\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]", "", selector)
    if re.search(r":(?:is|where|has)\(", positive):
        return True
    names = re.findall(r"[.#](-?[A-Za-z_](?:[\w-]|\\.)*)", positive)
    return all(name.replace("\\", "") in words for name in names)


def split(selectors: str) -> list[str]:
    """Split at commas outside brackets."""
    return re.split(r",(?![^()]*\)|[^\[\]]*\])", selectors)


def pruned(css: str, words: set[str]) -> str:
    """Return a style sheet without rules that no element can match, and without white space."""
    parts = []
    for prelude, body in rules(css):
        if body is None:
            if not prelude.startswith("@charset"):
                parts.append(prelude + ";")
        elif prelude.startswith(("@media", "@supports", "@layer", "@container")):
            inner = pruned(body, words)
            if inner:
                parts.append(f"{prelude}{{{inner}}}")
        elif prelude.startswith("@font-face") and "fontawesome" in body.lower():
            continue
        elif prelude.startswith("@"):
            parts.append(f"{prelude}{{{body}}}")
        else:
            kept = [part.strip() for part in split(prelude) if is_used(part, words)]
            if kept and body:
                parts.append(f"{','.join(kept)}{{{body}}}")
    return "".join(parts)


def read(static: Path, name: str) -> str:
    """Return a sheet with what it imports, its addresses taken from the folder of all."""
    css = (static / name).read_text(encoding="utf-8")
    folder = posixpath.dirname(name)

    def imported(match: re.Match[str]) -> str:
        return read(static, posixpath.normpath(posixpath.join(folder, match[1])))

    def moved(match: re.Match[str]) -> str:
        if re.match(r"data:|https?:|#|/", match[1]):
            return match[0]
        return f"url({posixpath.normpath(posixpath.join(folder, match[1]))})"

    css = re.sub(r'@import\s+(?:url\()?"([^"]+)"\)?\s*;', imported, css)
    return re.sub(r'url\(["\']?([^"\')]+)["\']?\)', moved, css)


def compact(css: str) -> str:
    """Return a sheet without comments, except those that name a licence, and without indents."""
    notes = [note for note in re.findall(r"/\*.*?\*/", css, re.S) if note.startswith("/*!")]
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return "\n".join(notes) + re.sub(r"\s*\n\s*", "\n", css)


def join(app: Sphinx, exception: Exception | None) -> None:
    """Write the one sheet and let every page use it."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    static = site / "_static"
    pages = {path: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    names: dict[str, None] = {}
    for page in pages.values():
        for tag in LINK.findall(page):
            found = HREF.search(tag)
            if found and not found[2].startswith((*APART, BUNDLE)):
                names[found[2]] = None
    if len(names) < 2:
        return
    # The book's own sheets have the last word.
    order = sorted(names, key=lambda name: (name == "book.css", name == "explore.css"))
    for name in UNUSED:
        remove(static / name)
    for path in static.rglob("*.map"):
        path.unlink()
    scripts = [path.read_text(encoding="utf-8") for path in static.rglob("*.js")]
    words = {w for text in [*pages.values(), *scripts] for w in re.findall(r"[\w-]+", text)}
    sheets = [compact(read(static, name)) for name in order]
    notes = "\n".join(dict.fromkeys(re.findall(r"/\*!.*?\*/", "".join(sheets), re.S)))
    body = pruned(re.sub(r"/\*!.*?\*/", "", "\n".join(sheets), flags=re.S), words)
    (static / BUNDLE).write_text(f"{notes}\n{body}\n", encoding="utf-8")
    for path, page in pages.items():
        path.write_text(linked(page), encoding="utf-8")


def linked(page: str) -> str:
    """Return a page that uses the one sheet, and that of the equations if it has any."""
    sheets = [f'<link rel="stylesheet" href="_static/{BUNDLE}" />']
    if 'class="katex"' in page:
        sheets.insert(0, '<link rel="stylesheet" href="_static/katex/katex.min.css" />')
    first = LINK.search(page)
    if not first:
        return page
    head, rest = page[: first.start()], page[first.start() :]
    return head + "\n    " + "\n    ".join(sheets) + LINK.sub("", rest)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Join the sheets after everything has been written."""
    app.connect("build-finished", join, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
