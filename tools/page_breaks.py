"""Set the pages of a printed chapter: figures where there is room, and no end of a few lines.

Chromium leaves a figure where it stands and, if it does not fit there, the rest of the page empty.
So a chapter is printed, the places of its parts are read from the PDF, and a figure behind a gap
is made a little smaller or moves behind the next paragraphs, as in any book; then it is printed
again. If the chapter ends with a few lines on a page, or a gap is left, it is tried with leading
and figures that are a little larger or smaller, and the best is kept.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pypdf import PdfReader

PX = 0.75  # of a CSS pixel in points
TOP = 842.0  # of the text of a page; Chromium counts places from there, without the margin above
BOTTOM = TOP - (297 - 20 - 19) / 25.4 * 72
PAGE = (TOP - BOTTOM) / PX
GAP = 0.15  # of a page: what may be empty below the text before something is done about it
EMPTY = 0.2  # of a page: a fault
FEW = 0.18  # of a page: less than this at the end of a chapter is a few lines
ROUNDS = 24
REACH = 1.2 * PAGE  # how far a figure may go from the words that speak of it
# Leading and size of the figures, in the order in which they are tried.
VARIANTS = (
    (1.0, 1.0),
    (0.985, 1.0),
    (1.02, 1.05),
    (0.985, 0.93),
    (1.01, 1.0),
    (1.0, 0.95),
    (1.005, 1.06),
    (0.97, 0.9),
    (1.035, 1.08),
    (0.95, 0.9),
)

# Every part that cannot be divided into smaller ones gets a name, and a hidden link to it: then
# the PDF says on which page it is. Short paragraphs are not divided, since Chromium would leave
# one line of three behind: 2 and 2 do not fit into them.
MARK = """([leading, figures]) => {
  const section = document.querySelector(".chapter");
  section.style.setProperty("--leading", leading);
  section.style.setProperty("--figures", figures);
  const kinds = "h1, h2, h3, h4, p, li, dt, dd, pre, tr, img, .katex-display";
  const links = document.createElement("div");
  links.hidden = true;
  const parts = [...section.querySelectorAll(kinds)].filter(
    (part) => part.getClientRects().length && !part.querySelector(kinds)
  );
  const found = parts.map((part, k) => {
    if (!part.id) part.id = `part-${k}`;
    const link = document.createElement("a");
    link.href = "#" + part.id;
    links.append(link);
    const lines = part.clientHeight / parseFloat(getComputedStyle(part).lineHeight);
    if (lines < (part.matches("pre") ? 8.6 : 3.6)) part.classList.add("whole");
    const following = part.nextElementSibling;
    if (following && part.matches("p") && /:$/.test(part.textContent.trim())) {
      if (!following.querySelector("figure")) part.classList.add("with-next");
    }
    const cell = part.matches("pre") && lines < 3.6 ? part.closest(".admonition .cell") : null;
    if (cell?.nextElementSibling?.matches(".cell")) cell.classList.add("with-next");
    const kind = part.matches("h1, h2, h3, h4") ? "heading" : (part.closest("figure")?.id ?? "");
    return [part.id, part.getBoundingClientRect().height, kind];
  });
  document.body.append(links);
  return found;
}"""

# Blocks behind a figure: whether a figure may stand behind it, and its height without figures.
STEP = """
  const start = (figure) =>
    figure.parentElement.matches("section") ? figure : figure.closest("section > *");
  const next = (node) => {
    while (!node.nextElementSibling) {
      node = node.parentElement;
      if (node.matches(".chapter")) return null;
    }
    node = node.nextElementSibling;
    while (node.matches("section")) node = node.firstElementChild;
    return node;
  };
"""
FOLLOWING = (
    "(id) => {"
    + STEP
    + """
  const blocks = [];
  let node = start(document.getElementById(id));
  if (node.matches(".admonition")) return [];
  for (node = next(node); node && blocks.length < 40; node = next(node)) {
    let height = node.offsetHeight;
    for (const inside of node.querySelectorAll("figure")) height -= inside.offsetHeight;
    // A sentence goes on behind an equation, and its figure does not stand in between.
    const end = node.matches("p") ? /[.?!”’)\\]]$/.test(node.textContent.trim()) : true;
    const after = next(node);
    const open = after && (after.matches("p") ? /^[a-z]/.test(after.textContent.trim())
      : node.matches(".math") && after.matches(".math"));
    blocks.push([end && !open && !node.matches("h1, h2, h3, h4, .target, span"), height + 8]);
  }
  return blocks;
}"""
)

# Those figures that are passed go with it, so that they stay in the order of their numbers.
MOVE = (
    "([id, blocks]) => {"
    + STEP
    + """
  const queue = [document.getElementById(id)];
  let node = start(queue[0]);
  for (let k = 0; k < blocks; k += 1) {
    node = next(node);
    queue.push(...(node.matches("figure") ? [node] : node.querySelectorAll("figure")));
  }
  node.after(...queue.filter((moved) => moved !== node));
}"""
)

SHRINK = """([id, missing]) => {
  const image = document.querySelector(`#${CSS.escape(id)} img`);
  if (!image) return false;
  const height = image.getBoundingClientRect().height - missing;
  const least = Math.max(image.getAttribute("height") / 2, 0.8 * (height + missing));
  if (height < least) return false;
  image.style.maxHeight = `${height}px`;
  return true;
}"""


@dataclass
class Part:
    """What is not divided further: where it begins, in points, and how high it is."""

    page: int
    top: float
    height: float
    kind: str  # "heading", the name of its figure, or nothing

    @property
    def bottom(self) -> float:
        """Return where it ends, or the end of the page on which it begins."""
        return max(self.top - self.height, BOTTOM)


@dataclass
class Setting:
    """A chapter as it was printed: the share of each page that is empty, and what comes next."""

    html: str = ""
    empty: list[float] = field(default_factory=list)
    next_figures: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Return what a reader would see, in words."""
        found = [
            f"page {k} is empty by {share:.0%}"
            for k, share in enumerate(self.empty[:-1], 1)
            if share > EMPTY
        ]
        if len(self.empty) > 1 and self.empty[-1] > 1 - FEW:
            found.append(f"the last page is filled by {1 - self.empty[-1]:.0%} only")
        return found

    @property
    def rank(self) -> tuple[int, float]:
        """Return a number for each setting that is smaller for a better one."""
        return len(self.faults), sum(share for share in self.empty[:-1] if share > GAP)


def read(pdf: bytes, marked: list[tuple[str, float, str]]) -> Setting:
    """Return how full the pages are, from a printing and the parts that were marked in it."""
    reader = PdfReader(io.BytesIO(pdf))
    numbers = {page.indirect_reference.idnum: k for k, page in enumerate(reader.pages)}  # type: ignore[union-attr]
    places: dict[str, Any] = reader.named_destinations
    places = {name.removeprefix("/"): place for name, place in places.items()}
    parts = [
        Part(numbers[place.page.idnum], float(place["/Top"]), height * PX, kind)
        for name, height, kind in marked
        if (place := places.get(name)) is not None and place.page.idnum in numbers
    ]
    parts.sort(key=lambda part: (part.page, -part.top))  # figures have moved
    by_page = {page: list(those) for page, those in groupby(parts, key=lambda part: part.page)}
    setting = Setting()
    for page in range(len(reader.pages)):
        low = min((part.bottom for part in by_page.get(page, [])), default=BOTTOM)
        following = [part.kind for part in by_page.get(page + 1, []) if part.kind != "heading"]
        setting.empty.append((low - BOTTOM) / (TOP - BOTTOM))
        setting.next_figures.append(following[0] if following else "")
    return setting


def settle(page: Any) -> Setting:
    """Return the best setting of the chapter that a page shows."""
    original = page.evaluate("document.querySelector('.chapter').outerHTML")
    best: Setting | None = None
    for variant in VARIANTS:
        page.evaluate("html => document.querySelector('.chapter').outerHTML = html", original)
        setting = floated(page, variant)
        if best is None or setting.rank < best.rank:
            best = setting
        if not best.faults:
            break
    assert best is not None
    return best


def floated(page: Any, variant: tuple[float, float]) -> Setting:
    """Return the chapter with one leading and one size of figures, after figures have moved."""
    marked = page.evaluate(MARK, list(variant))
    stuck: set[tuple[int, str]] = set()
    reach: dict[str, float] = {}
    best: Setting | None = None
    for _ in range(ROUNDS):
        setting = read(page.pdf(prefer_css_page_size=True), marked)
        html = page.evaluate("document.querySelector('.chapter').outerHTML")
        setting.html = re.sub(r' id="part-\d+"', "", html)
        if best is None or setting.rank < best.rank:
            best = setting
        gaps = zip(setting.empty[:-1], setting.next_figures, strict=False)
        found = [
            (k, figure)
            for k, (share, figure) in enumerate(gaps)
            if share > GAP and figure and (k, figure) not in stuck
        ]
        if not found:
            break
        k, figure = found[0]
        left = reach.get(figure, REACH)
        moved = placed(page, figure, setting.empty[k] * PAGE, left)
        if moved is None:
            stuck.add((k, figure))
        else:
            reach[figure] = left - moved
    assert best is not None
    return best


def placed(page: Any, figure: str, room: float, reach: float) -> float | None:
    """Make a figure fit into the room before it, or move it behind what fits; return how far."""
    need = page.evaluate("id => document.getElementById(id).offsetHeight", figure) + 24
    if need > room and page.evaluate(SHRINK, [figure, need - room]):
        return 0.0
    following = page.evaluate(FOLLOWING, figure)
    blocks = behind(following, need, room, reach)
    if not blocks:
        return None
    page.evaluate(MOVE, [figure, blocks])
    return sum(height for _, height in following[:blocks])


def behind(
    following: list[tuple[bool, float]], need: float, room: float, reach: float = REACH
) -> int:
    """Return the number of blocks behind which a figure leaves the smallest gap; 0 if none does.

    A block that does not fit into the room goes on at the top of the next page.
    """
    best, least, filled = 0, room - PAGE / 20, 0.0
    for k, (may_end, height) in enumerate(following, 1):
        filled += height
        if filled > reach:
            break
        left = (room - filled) % PAGE if filled > room else room - filled
        gap = 0.0 if left >= need and filled > room else left
        if may_end and gap + 4 * k < least:
            best, least = k, gap + 4 * k
    return best
