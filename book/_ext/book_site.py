"""Make the pages light, self-contained and informative: scripts, icons, pictures, descriptions.

What the theme loads on every page and this book does not use is left out; icons become small
drawings within the page; pictures get their size and load when they come into view; every page
gets a description, a preview for links to it and, if it is a chapter, the time it takes.
Links that need the public address of the repository are there only if the address is known: it is
`repository: url:` in _config.yml, or SAELIB_REPOSITORY in the environment.
"""

from __future__ import annotations

import html
import json
import os
import re
import struct
from functools import cache, partial
from pathlib import Path
from typing import Any

import pydata_sphinx_theme
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.osutil import relative_uri

from extra_pages import from_anywhere
from public_address import public_address, site_address

WORDS_PER_MINUTE = 200
TIMES = Path(__file__).resolve().parents[1] / "_data" / "run-times.json"
CARD = "_static/card.png"
UNUSED_FILES = ("sphinx-thebe", "thebe.", "design-tabs.js", "doctools.js", "sphinx_highlight")
LICENCE = (
    "<p>© {year} {author}. Text and figures: CC BY 4.0, code: BSD 3-Clause; "
    '<a href="licence.html">what you may do with them</a>.</p>'
)
BUTTONS = {  # what the theme calls them, and what they do
    "Toggle primary sidebar": "Chapters",
    "Toggle secondary sidebar": "Contents of this page",
}
# Scripts of the figures that readers move, in their order, and the chapters that load them.
EXPLORABLES = {
    "explore-kit.js": ("01-", "02-", "03-", "04-", "05-", "06-", "07-", "09-"),
    "explore-slices.js": ("05-",),
    "explore-weights.js": ("06-", "07-"),
    "explore.js": ("04-", "05-", "06-", "07-"),
    "explore-network.js": ("01-",),
    "explore-compression.js": ("02-",),
    "explore-sparsity.js": ("03-",),
    "explore-gaussians.js": ("04-",),
    "explore-roads.js": ("05-",),
    "explore-engine.js": ("06-",),
    "explore-train.js": ("06-",),
    "explore-units.js": ("07-",),
    "explore-gains.js": ("09-",),
}
FONTAWESOME = (
    Path(pydata_sphinx_theme.__file__).parent
    / "theme/pydata_sphinx_theme/static/scripts/fontawesome.js"
)


def configure(app: Sphinx, config: Config) -> None:
    """Choose what depends on whether the public address is known."""
    options = config.html_theme_options
    options["pygments_light_style"] = "a11y-high-contrast-light"
    options["pygments_dark_style"] = "a11y-high-contrast-dark"
    configured = public_address(options.get("repository_url") or "")
    address = public_address(os.environ.get("SAELIB_REPOSITORY") or "") or configured
    options["repository_url"] = address
    options["footer_content_items"] = ["extra-footer.html"]
    options["extra_footer"] = LICENCE.format(year=config.copyright, author=config.author)
    known = bool(address)
    for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
        options[button] = known
    options["path_to_docs"] = "book"
    config.html_context.setdefault("default_mode", "auto")
    options["launch_buttons"] = {}
    if known:
        options["launch_buttons"] = {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
        }
    # There is no saelib on Colab: the first cell of a notebook brings it, if it knows from where.
    if known and address == configured:
        options["launch_buttons"]["colab_url"] = "https://colab.research.google.com"
        app.tags.add("colab")
    config.myst_substitutions["how_to_report"] = (
        f"Open an [issue]({address}/issues/new) in the [repository]({address}), or send a change."
        if known
        else "Write to those who gave you this copy; if you have it from a repository, open an "
        "issue there or send a change."
    )
    config.html_baseurl = site_address(address) or config.html_baseurl


# ---------------------------------------------------------------- what is read from the text


def first_sentences(doctree: nodes.document, limit: int = 155) -> str:
    """Return the beginning of the first paragraph, cut at the end of a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = [
            "" if isinstance(part.parent, nodes.math) else part.astext()
            for part in paragraph.findall(nodes.Text)
        ]
        text = re.sub(r"\s+", " ", "".join(words)).strip()
        if len(text) > 60:
            return (
                text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0].rstrip(",;:") + " …"
            )
    return ""


def is_chapter(docname: str) -> bool:
    """Tell whether a page is a chapter, which starts with its number."""
    return bool(re.match(r"\d\d-", docname))


def add_keywords(app: Sphinx, doctree: nodes.document) -> None:
    """Let the search find equations by their labels and functions by their names."""
    words = {node["label"] for node in doctree.findall(nodes.math_block) if node.get("label")}
    words |= {
        node["reftarget"].rsplit(".", 1)[-1]
        for node in doctree.findall(addnodes.pending_xref)
        if node.get("refdomain") == "py"
    }
    for block in doctree.findall(nodes.literal_block):
        words |= set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", block.astext()))
    if words:
        meta = nodes.meta("", name="keywords", content=", ".join(sorted(words)))
        doctree.insert(0, meta)


def add_times(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Say below the title of a chapter how long it takes to read and to run."""
    if app.builder.format != "html":
        return
    app.env.metadata[docname]["description"] = first_sentences(doctree)
    title = next(iter(doctree.findall(nodes.title)), None)
    if not is_chapter(docname) or title is None:
        return
    count = sum(len(p.astext().split()) for p in doctree.findall(nodes.paragraph))
    words = f"About {max(1, round(count / WORDS_PER_MINUTE))} minutes to read"
    seconds = json.loads(TIMES.read_text())["seconds"] if TIMES.exists() else {}
    if docname in seconds:
        words += f", {max(1, round(seconds[docname])):.0f} seconds to run"
    line = nodes.paragraph("", words + ". Notebook to download: ", classes=["chapter-times"])
    for kind, label in (("learner", "with gaps to fill"), ("solved", "with solutions")):
        # tools/learner.py puts these files beside the built pages.
        target = f"notebooks/{kind}/{docname}.ipynb"
        line += [nodes.reference("", label, refuri=target), nodes.Text(", ")]
    line[-1] = nodes.Text(".")
    if app.config.html_theme_options["repository_url"]:
        places = "Colab or Binder" if app.tags.has("colab") else "Binder"
        line += nodes.Text(
            f" The rocket above opens it in {places}; that needs the network, the page and the "
            "downloads do not."
        )
    title.parent.insert(title.parent.index(title) + 1, line)


# ---------------------------------------------------------------- what is written to a page


@cache
def icon(name: str) -> str:
    """Return an icon of the theme as a drawing to be put into the page."""
    kept = icons()
    name = {"pencil-alt": "pencil"}.get(name, name)  # an old name that the theme still uses
    found = re.search(
        rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]', kept
    )
    if not found:
        raise KeyError(f"the theme has no icon {name!r}")
    width, height, path = found.groups()
    return (
        f'<svg class="icon" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )


@cache
def icons() -> str:
    """Return the script that draws the icons of the theme: 1.5 MB, which no page shall load."""
    return FONTAWESOME.read_text(encoding="utf-8")


def drawn(match: re.Match[str]) -> str:
    """Return the drawing for an element that the icon script would have replaced."""
    classes = match["classes"].split()
    names = [c[3:] for c in classes if c.startswith("fa-")]
    for name in names:
        if name not in {"solid", "regular", "brands", "lg", "fw", "sm"}:
            kept = " ".join(["icon", *(c for c in classes if not c.startswith("fa"))])
            return icon(name).replace('class="icon"', f'class="{kept}"{match["rest"]}', 1)
    return match[0]


def size_of(path: Path) -> tuple[int, int] | None:
    """Return width and height of a PNG file."""
    with path.open("rb") as file:
        head = file.read(24)
    return struct.unpack(">II", head[16:24]) if head[:4] == b"\x89PNG" else None


def with_size(match: re.Match[str], files: dict[str, str], eager: bool) -> str:
    """Return a picture's element with its size, so that nothing moves when it arrives."""
    tag = match[0]
    source = files.get(Path(match["src"]).name)
    if source and " width=" not in tag:
        size = size_of(Path(source))
        if size:
            tag = tag.replace("<img", f'<img width="{size[0]}" height="{size[1]}"', 1)
    if not eager and "loading=" not in tag:
        tag = tag.replace("<img", '<img loading="lazy" decoding="async"', 1)
    return tag


def in_lines(match: re.Match[str]) -> str:
    """Return a signature whose parameters stand in lines of their own, as simple boxes."""
    signature = match[0].replace("<dl>", '<div class="sig-lines">').replace("</dl>", "</div>")
    return signature.replace("<dd>", "<div>").replace("</dd>", "</div>")


PLACES = r"(?<=[^\W_]_)(?=[^\W_])|(?<=[\w)\]]{3}\.)(?!py\b)(?=[^\W\d])"
LONG_NAME = r"[^<>\s]{25,}(?=[^<>]*<)"
ANY_NAME = r'(?<=<span class="pre">)[^<>]+'


def breakable(match: re.Match[str]) -> str:
    """Return a piece of code in a line of text whose long names may break at dots and underscores.

    Not within a number, not behind the underscores that a name begins with or behind np., and not
    before the end of a file's name.
    """
    whole = re.sub(r"\bl-bfgs\b", '<span class="unbroken">l-bfgs</span>', match[0])
    return re.sub(LONG_NAME, lambda name: re.sub(PLACES, "<wbr>", name[0]), whole)


def breakable_entry(match: re.Match[str]) -> str:
    """Return the contents of a page, whose column is narrow: each name may break there."""
    return re.sub(ANY_NAME, lambda name: re.sub(PLACES, "<wbr>", name[0]), match[0])


def plain_words(match: re.Match[str]) -> str:
    """Return a block of code without the boxes around words that have the colour of the block.

    In a chapter with much code they are a fifth of all elements, and each has to be laid out.
    """
    return re.sub(r'<span class="(?:n|nn|p|w)">([^<]*)</span>', r"\1", match[0])


def polished(page: str, pagename: str, files: dict[str, str]) -> str:
    """Return a page without what it does not need."""
    drop = [
        r'\s*<script defer src="[^"]*fontawesome\.js[^"]*"></script>',
        r"\s*<!-- So that users can add custom icons -->",
        r'\s*<div class="sidebar-primary-item">\s*<div id="ethical-ad[^>]*>\s*</div></div>',
        r'(?<=initial-scale=1.0" />)<meta name="viewport"[^>]*>',
        r'\s*<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        r'\s*<meta name="docsearch:[^>]*>',
        r'\s*<link rel="preload" as="script"[^>]*>',  # they would compete with text and style
        r"\s*<!-- Pre-loaded scripts[^>]*-->",
    ]
    for pattern in (
        r'\s*<script type="text/x-thebe-config">.*?</script>',
        r"\s*<script>kernelName = '[^']*'</script>",
    ):
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    drop.append(
        r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
    )
    for pattern in drop:
        page = re.sub(pattern, "", page)
    page = re.sub(
        r'<(?P<tag>i|span) class="(?P<classes>[^"]*\bfa[sbr]?[ -][^"]*)"(?P<rest>[^>]*)>'
        r"\s*</(?P=tag)>",
        drawn,
        page,
    )
    # The theme binds the first menu button of a page, which would be that of a header that this
    # book does not show; its script wants the header itself.
    page = re.sub(
        r'(<header id="pst-header"[^>]*)>.*?</header>',
        r"\1 hidden></header>",
        page,
        flags=re.DOTALL,
    )
    for title, words in BUTTONS.items():
        page = page.replace(f'title="{title}"', f'title="{words}" aria-label="{words}"')
    # The theme is known before the first paint, and there is one without scripts.
    page = page.replace('<html lang="en" ', '<html lang="en" data-theme="light" ', 1).replace(
        'localStorage.getItem("theme") || "auto"',
        'localStorage.getItem("theme") || '
        '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    )
    # Roles that were withdrawn (doc-biblioentry), and a list whose children are not its items.
    page = page.replace(' role="doc-biblioentry"', "").replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )
    # Parameters one below the other are no list of definitions.
    page = re.sub(r'<dt class="sig .*?</dt>', in_lines, page, flags=re.DOTALL)
    # What unfolds a part of the list of chapters is but a drawing.
    toggle = '<summary><span class="toctree-toggle"'
    page = page.replace(toggle, toggle.replace("<summary", '<summary aria-label="Its pages"'))
    page = re.sub(r"<pre\b.*?</pre>", plain_words, page, flags=re.DOTALL)
    page = re.sub(r'<code class="[^"]*literal[^>]*>.*?</code>', breakable, page, flags=re.DOTALL)
    contents = r'<nav id="pst-page-toc-nav".*?</nav>'
    page = re.sub(contents, breakable_entry, page, flags=re.DOTALL)
    page = re.sub(
        r'<a class="reference internal" href="(?P<to>[^"]*#claim-[^"]*)">'
        r'<span class="std std-ref">(?P<mark>[^<]*)</span></a>',
        r'<a class="reference internal measured" href="\g<to>" title="\g<mark>: see the register"'
        r' aria-label="\g<mark>: see the register" data-mark="\g<mark>">'
        r"<span>\g<mark></span></a>",
        page,
    )
    # The space before a link is not part of it.
    page = re.sub(r'(<a class="reference internal" href="[^"]*">) ', r" \1", page)
    # Style folds boxes from the first moment and a script opens them: without it none is folded.
    page = re.sub(
        r"(<script\b[^>]*togglebutton\.js[^>]*?)>",
        r"""\1 onerror="document.documentElement.classList.add('unfolded')">""",
        page,
    )
    # A notebook is kept, not shown as text.
    page = re.sub(
        r'(<a\b[^>]*href="notebooks/[^"]+\.ipynb")(?: target="_blank")?', r"\1 download", page
    )
    eager = pagename == "index"
    return re.sub(
        r'<img\b[^>]*\bsrc="(?P<src>[^"]+)"[^>]*>',
        partial(with_size, files=files, eager=eager),
        page,
    )


def offer_downloads(context: dict[str, Any], pagename: str) -> None:
    """Let the button in the header give what readers can use: not the source of the page."""
    for button in context.get("header_buttons", []):
        if button.get("label") != "download-buttons":
            continue
        kept = [b for b in button["buttons"] if b["label"] == "download-pdf-button"]
        for printing in kept:
            printing |= {"text": "Print this page", "tooltip": "Print, or save as PDF"}
        if is_chapter(pagename):
            kept[:0] = [
                {
                    "type": "link",
                    "url": f"notebooks/{kind}/{pagename}.ipynb",
                    "text": text,
                    "tooltip": f"Notebook of this chapter, {tooltip}",
                    "icon": f"fas fa-{drawing}",
                    "label": f"download-{kind}-button",
                }
                for kind, text, tooltip, drawing in (
                    ("learner", "Notebook to fill in", "with gaps to fill", "code"),
                    ("solved", "Notebook with solutions", "with solutions and outputs", "file"),
                )
            ]
        button["buttons"] = kept


def prepare_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Choose the scripts and styles of a page and describe it."""
    offer_downloads(context, pagename)
    context["script_files"] = chosen_scripts(
        context["script_files"], pagename, context.get("body", "")
    )
    sheets = {str(sheet.filename): sheet for sheet in context["css_files"]}
    context["css_files"] = [
        sheet for name, sheet in sheets.items() if not any(word in name for word in UNUSED_FILES)
    ]
    description = app.env.metadata.get(pagename, {}).get("description") or (
        f"{app.config.html_title}: a book on sparse autoencoders."
    )
    title = re.sub(r"<[^>]+>", "", context.get("title") or "")
    base = app.config.html_baseurl
    card = (
        f"{base.rstrip('/')}/{CARD}"
        if base
        else relative_uri(app.builder.get_target_uri(pagename), CARD)
    )
    tags = {
        'name="description"': description,
        'property="og:title"': html.unescape(title),
        'property="og:description"': description,
        'property="og:type"': "article" if is_chapter(pagename) else "website",
        'property="og:site_name"': app.config.html_title,
        'property="og:image"': card,
        'property="og:image:alt"': "Edge detectors learned from photographs",
        'name="twitter:card"': "summary_large_image",
    }
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n<meta {name} content="{html.escape(str(value))}" />' for name, value in tags.items()
    )


def position(order: list[str], script: Any) -> int:
    """Return the place of a script in a list of names, -1 if it is not in it."""
    name = Path(str(script.filename)).name
    return order.index(name) if name in order else -1


def chosen_scripts(scripts: list[Any], pagename: str, body: str) -> list[Any]:
    """Return the scripts a page needs, each once, loaded without holding up the page."""
    kept, seen = [], set()
    order = list(EXPLORABLES)
    # Figures that readers move need their scripts in this order; all others stay as they are.
    for script in sorted(scripts, key=lambda s: position(order, s)):
        name = str(script.filename or "")
        inline = script.attributes.get("body") or ""
        if any(word in name for word in UNUSED_FILES) or "THEBE" in inline or "thebe" in inline:
            continue
        if ("clipboard" in name or "copybutton" in name) and "<pre>" not in body:
            continue
        if "js/explore" in name and not pagename.startswith(EXPLORABLES[Path(name).name]):
            continue
        if (name or inline) in seen:
            continue
        seen.add(name or inline)
        if name:
            script.attributes.setdefault("defer", "defer")
        elif inline.startswith("DOCUMENTATION_OPTIONS."):
            script.attributes["body"] = f"addEventListener('DOMContentLoaded', () => {{{inline}}});"
        kept.append(script)
    return kept


def hook_templates(app: Sphinx) -> None:
    """Have every page polished after the theme has rendered it."""
    if app.builder.format != "html":
        return
    render = app.builder.templates.render

    def render_polished(template: str, context: dict[str, Any]) -> str:
        page = render(template, context)
        if not template.endswith(".html") or "pagename" not in context:
            return page
        files = {
            name: str(Path(app.srcdir) / source) for source, name in app.builder.images.items()
        }
        page = polished(page, context["pagename"], files)
        return (
            from_anywhere(page, app.config.html_baseurl) if context["pagename"] == "404" else page
        )

    app.builder.templates.render = render_polished  # type: ignore[method-assign]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the parts."""
    app.add_css_file("book.css", priority=900)
    app.add_js_file("js/book.js", priority=900)
    app.add_js_file("js/previews.js", priority=905)
    app.connect("config-inited", configure, priority=900)
    app.connect("builder-inited", hook_templates)
    app.connect("doctree-read", add_keywords)
    app.connect("doctree-resolved", add_times)
    app.connect("html-page-context", prepare_page, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
