"""Render equations with KaTeX while the site is built: pages need neither a script nor a network.

Each equation of its own says how wide it is, in units of its letters, so that a phone can choose
letters at which it fits before anything is drawn. KaTeX itself comes with the package
djangocms-katex and runs in quickjs, a small JavaScript interpreter for Python. An equation that
KaTeX does not understand is a warning that names its page.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from shutil import copyfile
from typing import Any

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
OPTIONS = {"throwOnError": True, "strict": "error", "output": "htmlAndMathml"}
# The width of what KaTeX is about to draw. It knows that of every letter, though not of a word.
WIDTH = r"""
const SIZES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.44, 1.728, 2.074, 2.488];
const em = (length) => parseFloat(length) || 0;
const step = (classes, kind) => classes.map((name) => kind.exec(name)).find(Boolean)?.[1];
const tree = (tex, displayMode) => katex.__renderToHTMLTree(tex, { displayMode });
const letter = (sign, face) => /[A-Za-z0-9]/.test(sign) ? width(tree(`${face}{${sign}}`)) : 0.33;

function width(node) {
  const { classes = [], style = {}, children = [], text } = node;
  const has = (...names) => names.some((name) => classes.includes(name));
  if (has("vlist-s", "llap", "rlap", "clap")) return 0;
  const inner = children.map(width);
  let own = has("vlist", "vlist-t") ? Math.max(0, ...inner) : inner.reduce((a, b) => a + b, 0);
  if (has("nulldelimiter")) own = 0.12;
  const face = has("mathnormal") ? "" : "\\mathrm";
  if (text?.length > 1) own = [...text].reduce((sum, sign) => sum + letter(sign, face), 0);
  else if (text) own = node.width + (node.italic || 0);
  own = Math.max(own + em(style.width), em(style.minWidth));
  for (const side of ["marginLeft", "marginRight", "paddingLeft", "paddingRight"]) {
    own += em(style[side]);
  }
  const [size, from] = [step(classes, /^size(\d+)$/), step(classes, /^reset-size(\d+)$/)];
  return size && from ? own * SIZES[size - 1] / SIZES[from - 1] : own;
}
"""


def folder() -> Path:
    """Return where the files of KaTeX are."""
    inside = "djangocms_katex/static/djangocms_katex/vendor/katex"
    return Path(str(distribution("djangocms-katex").locate_file(inside)))


@cache
def renderer() -> Any:
    """Return a JavaScript function of an equation and of whether it stands on its own.

    It returns JSON, because quickjs cannot hand over strings that were made from many parts.
    """
    context = quickjs.Context()
    context.eval((folder() / "katex.min.js").read_text(encoding="utf-8") + "; 0")
    context.eval(
        f"{WIDTH} function render(tex, displayMode) {{ return JSON.stringify([katex.renderToString("
        f"tex, Object.assign({{displayMode}}, {json.dumps(OPTIONS)})), "
        "displayMode ? width(tree(tex, true)) : 0]); }; 0"
    )
    return context.get("render")


@cache
def rendered(tex: str, display: bool) -> tuple[str, float]:
    """Return the HTML of an equation, with MathML in it for who cannot see it, and its width.

    The width counts in the size of the letters, and is that of an equation of its own only.
    """
    drawn, width = json.loads(renderer()(tex, display))
    return str(drawn), float(width)


def markup(node: nodes.Element, display: bool) -> tuple[str, float]:
    """Return the HTML of an equation and its width, or its source and a warning if KaTeX fails."""
    tex = node.astext()
    if display and "\\\\" in tex and "\\begin" not in tex:
        tex = rf"\begin{{gathered}}{tex}\end{{gathered}}"
    try:
        return rendered(tex, display)
    except quickjs.JSException as error:
        message = re.sub(r"\s+", " ", str(error)).strip()
        logger.warning("KaTeX cannot render %r: %s", tex, message, location=node)
        return f'<code class="katex-error">{html.escape(tex)}</code>', 0


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write an equation within a line."""
    self.body.append(f'<span class="math notranslate">{markup(node, display=False)[0]}</span>')
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.math_block) -> None:
    """Write an equation of its own: a box that scrolls, and the number beside it."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    drawn, width = markup(node, display=True)
    self.body.append(f'<div class="math-box" style="--letters: {width:.1f}">{drawn}</div>')
    if node["number"]:
        number = get_node_equation_number(self, node)
        link = f'<a class="headerlink" href="#{node["ids"][0]}" title="Link to this equation">#</a>'
        self.body.append(f'<span class="eqno">({number}){link}</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def keep_together(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep a short equation and the comma behind it on one line: browsers would part them."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(nodes.math)):
        siblings, place = node.parent, node.parent.index(node)
        after = siblings[place + 1] if place + 1 < len(siblings) else None
        stop = (
            re.match(r"[,.;:!?)\]’”]+", after.astext()) if isinstance(after, nodes.Text) else None
        )
        if stop and len(node.astext()) <= 30:
            both = nodes.inline("", "", node.deepcopy(), nodes.Text(stop[0]), classes=["math-stop"])
            siblings[place : place + 2] = [both, nodes.Text(after.astext()[stop.end() :])]


def copy_files(app: Sphinx, exception: Exception | None) -> None:
    """Put style, fonts and licence of KaTeX into the site; every browser reads woff2."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for font in (folder() / "fonts").glob("*.woff2"):
        copyfile(font, target / "fonts" / font.name)
    copyfile(folder() / "LICENSE", target / "LICENSE")
    style = (folder() / "katex.min.css").read_text(encoding="utf-8")
    style = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", style)
    (target / "katex.min.css").write_text(style, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; `html_math_renderer = "katex"` makes Sphinx use it."""
    app.add_html_math_renderer(
        "katex", inline_renderers=(visit_inline, None), block_renderers=(visit_display, None)
    )
    app.add_css_file("katex/katex.min.css", priority=300)
    app.connect("doctree-resolved", keep_together)
    app.connect("build-finished", copy_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
