"""Make the notebooks that readers download, from the chapters of the book.

    python tools/learner.py FOLDER

writes FOLDER/learner, where the stubs of the exercises wait to be filled in and there are no
solutions and no outputs, and FOLDER/solved, with both. Directives and roles of Sphinx, which
Jupyter does not know, become plain Markdown in both.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parent))
from address import public, with_first_cell

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"

_OPENING = re.compile(r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:.-]+)\}[ ]*(?P<title>.*)$")
_OPTION = re.compile(r"^:(?P<name>[\w-]+):[ ]*(?P<value>.*)$")
_EQUATION = re.compile(r"^\$\$[ ]*\((?P<label>[\w-]+)\)[ ]*$", re.M)
_ROLE = re.compile(
    r"\{(?P<role>[\w:]+)\}`(?:(?P<text>[^`<]+?)\s*<(?P<target>[^`>]+)>|(?P<only>[^`]+))`"
)
_CODE_ROLES = ("func", "class", "meth", "mod", "attr", "data", "exc", "obj")


@dataclass
class Exercise:
    """The parts of one exercise, as they were found in a notebook.

    Attributes
    ----------
    label : str
        Its name, the same at its task and at its solution.
    title : str
        What it is called.
    stub, check, solution : list
        Its code cells with these tags.
    other : list
        Code cells without one of these tags, of which there should be none.
    task, folded : str
        Markdown of the task with its hints, and of the solution.
    """

    label: str
    title: str
    stub: list[Any] = field(default_factory=list)
    check: list[Any] = field(default_factory=list)
    solution: list[Any] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)
    task: str = ""
    folded: str = ""
    has_solution: bool = False

    @property
    def hints(self) -> int:
        """Number of folded hints."""
        return len(re.findall(r"^:::+\{admonition\} Hint", self.task, re.M))

    def add(self, cell: Any, part: str) -> None:
        """Keep a code cell of the task or of the solution where its tag says."""
        tags = cell.metadata.get("tags", [])
        allowed = ("stub", "check") if part == "task" else ("solution",)
        named = next((tag for tag in tags if tag in allowed), "other")
        getattr(self, named).append(cell)


def exercises(notebook: Any) -> list[Exercise]:
    """Return the exercises of a notebook, each with its parts.

    Raises
    ------
    ValueError
        If a task or a solution is opened twice, or closed without having been opened.
    """
    found: list[Exercise] = []
    for part, cell, text in _stream(notebook):
        if part == "exercise-start":
            found.append(Exercise(_label(text), _opening(text)["title"].strip()))
        elif part == "solution-start":
            label = _opening(text)["title"].strip()
            if not found or found[-1].label != label or found[-1].has_solution:
                raise ValueError(f"the solution {label!r} does not follow its exercise")
            found[-1].has_solution = True
        elif part in ("task", "solution") and cell.cell_type == "code":
            found[-1].add(cell, part)
        elif part == "task":
            found[-1].task += text + "\n"
        elif part == "solution":
            found[-1].folded += text + "\n"
    return found


def learner(notebook: Any, book: Book) -> Any:
    """Return the notebook with stubs, without solutions and outputs, readable in Jupyter."""
    kept: list[Any] = []
    for part, cell, text in _stream(notebook):
        if part in ("solution", "solution-start", "solution-end"):
            continue
        if cell.cell_type == "code":
            kept.append(nbformat.v4.new_code_cell(cell.source, metadata=_tags(cell)))
            kept.extend(book.caption(cell))
        else:
            kept.append(nbformat.v4.new_markdown_cell(text))
    words = (
        "*Your copy of this chapter. Run the cells from top to bottom; at the exercises, fill in "
        "the cell that raises `NotImplementedError` or holds `...`, then run the one below it.*"
    )
    return _notebook([nbformat.v4.new_markdown_cell(words), *kept], book)


def solved(notebook: Any, book: Book) -> Any:
    """Return the notebook with solutions and outputs, readable in Jupyter."""
    kept: list[Any] = []
    for _, cell, text in _stream(notebook):
        if cell.cell_type == "code":
            kept.append(
                nbformat.v4.new_code_cell(
                    cell.source,
                    metadata=_tags(cell),
                    outputs=cell.outputs,
                    execution_count=cell.execution_count,
                )
            )
            kept.extend(book.caption(cell))
        else:
            kept.append(nbformat.v4.new_markdown_cell(text))
    return _notebook(kept, book)


def _stream(notebook: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield the part of the chapter, the cell and, for Markdown, a piece of its text.

    The parts are "text", "task" and "solution", and the gates between them by their names. A
    Markdown cell is cut at the gates, so that a solution may end in the middle of one.
    """
    part = "text"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield part, cell, ""
            continue
        piece: list[str] = []
        lines = iter(cell.source.splitlines())
        for line in lines:
            gate = re.match(r"^(:{3,})\{((exercise|solution)-(start|end))\}", line)
            if gate is None:
                piece.append(line)
                continue
            if "\n".join(piece).strip():
                yield part, cell, "\n".join(piece)
            piece = []
            start = gate[4] == "start"
            wanted = "text" if start else {"exercise": "task", "solution": "solution"}[gate[3]]
            if part != wanted:
                raise ValueError(f"{line!r} stands inside a part of kind {part!r}")
            part = {"exercise": "task", "solution": "solution"}[gate[3]] if start else "text"
            yield gate[2], cell, "\n".join([line, *_until(lines, gate[1]), gate[1]])
        if "\n".join(piece).strip():
            yield part, cell, "\n".join(piece)
    if part != "text":
        raise ValueError(f"the notebook ends inside a part of kind {part!r}")


def _until(lines: Iterator[str], fence: str) -> list[str]:
    """Return the lines before the one that closes the directive, and go past that."""
    body = []
    for line in lines:
        if line.strip() == fence:
            return body
        body.append(line)
    raise ValueError(f"a directive that begins with {fence} is never closed")


def _opening(text: str) -> re.Match[str]:
    match = _OPENING.match(text.splitlines()[0])
    assert match is not None
    return match


def _label(text: str) -> str:
    match = re.search(r"^:label:\s*(\S+)", text, re.M)
    return match[1] if match else ""


def _tags(cell: Any) -> dict[str, Any]:
    return {"tags": list(cell.metadata["tags"])} if "tags" in cell.metadata else {}


def _notebook(cells: list[Any], book: Book) -> Any:
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "markdown":
            cell.source = book.readable(cell.source)
    cells = [cell for cell in cells if cell.source.strip()]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


class Book:
    """Titles, numbers and authors that the chapters refer to.

    Parameters
    ----------
    folder : Path
        Where the chapters and references.bib are.
    """

    def __init__(self, folder: Path = BOOK) -> None:
        self.titles: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.exercises: dict[str, str] = {}
        self.sources: dict[str, tuple[str, str]] = {}
        for path in sorted(folder.glob("*.md")):
            self._read_titles(path.stem, path.read_text())
        for path in chapters(folder):
            self._read_chapter(path.stem, nbformat.read(path, as_version=4))
        bibliography = folder / "references.bib"
        if bibliography.exists():
            self._read_sources(bibliography.read_text())

    def _read_titles(self, name: str, text: str) -> None:
        title = re.search(r"^# (.+)$", text, re.M)
        self.titles[name] = title[1] if title else name

    def _read_chapter(self, name: str, notebook: Any) -> None:
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        self._read_titles(name, text)
        chapter = int(name[:2])
        for number, label in enumerate(_EQUATION.findall(text), start=1):
            self.numbers[label] = f"{chapter}.{number}"
        figures = (_figure(cell).get("name") for cell in notebook.cells)
        for number, label in enumerate(filter(None, figures), start=1):
            self.numbers[label] = f"{chapter}.{number}"
        for title, label in re.findall(r"^:::+\{exercise-start\} (.+)\n:label: *(\S+)", text, re.M):
            self.exercises[label] = title

    def _read_sources(self, text: str) -> None:
        for key, body in re.findall(r"^@\w+\{([^,\s]+),(.*?)^\}", text, re.M | re.S):
            author = re.search(r"author\s*=\s*[{\"](.+?)[}\"],?\s*$", body, re.M)
            year = re.search(r"year\s*=\s*[{\"]?(\d{4})", body)
            names = [
                part.split(",")[0].strip(" {}")
                for part in re.split(r"\s+and\s+", author[1] if author else key)
            ]
            who = names[0] if len(names) == 1 else " and ".join(names[:2])
            who = f"{names[0]} et al." if len(names) > 2 else who
            self.sources[key] = (who, year[1] if year else "")

    def caption(self, cell: Any) -> list[Any]:
        """Return a cell with the caption of the cell's figure, if it draws one."""
        figure = _figure(cell)
        if "caption" not in figure:
            return []
        number = self.numbers.get(figure.get("name", ""), "")
        return [nbformat.v4.new_markdown_cell(f"**Fig. {number}** {figure['caption']}")]

    def readable(self, text: str) -> str:
        """Return Markdown of the book as plain Markdown that Jupyter can show."""
        text = "\n".join(self._blocks(text.splitlines()))
        text = _EQUATION.sub(lambda m: f"\\tag{{{self.numbers.get(m['label'], '?')}}}\n$$", text)
        text = re.sub(r"^\([\w-]+\)=[ ]*\n?", "", text, flags=re.M)
        text = re.sub(r"\[([^\]]*)\]\{[#.][^}]*\}", r"\1", text)
        text = _ROLE.sub(self._role, text)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _blocks(self, lines: Iterable[str]) -> Iterator[str]:
        rest = iter(lines)
        for line in rest:
            opening = _OPENING.match(line)
            if opening is None:
                yield line
                continue
            body = _until(rest, opening["fence"])
            options: dict[str, str] = {}
            while body and (option := _OPTION.match(body[0])):
                options[option["name"]] = option["value"]
                body.pop(0)
            yield from self._directive(
                opening["name"], opening["title"].strip(), options, list(self._blocks(body))
            )

    def _directive(
        self, name: str, title: str, options: dict[str, str], body: list[str]
    ) -> Iterator[str]:
        if name in ("exercise-end", "solution-end"):
            return
        if name == "exercise-start":
            yield from [f"### Exercise: {title}", ""]
        elif name == "solution-start":
            yield from ["#### Solution", ""]
        elif name == "math":
            tag = [f"\\tag{{{self.numbers[options['label']]}}}"] if "label" in options else []
            yield from ["$$", *body, *tag, "$$"]
        elif name == "sidenote":
            yield from (f"> {line}".rstrip() for line in body)
        elif name in ("figure", "image"):
            yield f"*{options.get('alt', title)}*"
            yield from body
        elif "dropdown" in options.get("class", "").split():
            summary = title or name.capitalize()
            yield from [f"<details><summary>{summary}</summary>", "", *body, "", "</details>"]
        else:
            heading = title or name.capitalize()
            yield from [f"> **{heading}**", ">", *(f"> {line}".rstrip() for line in body)]

    def _role(self, match: re.Match[str]) -> str:
        role, text = match["role"], match["text"]
        target = match["target"] or match["only"]
        if role in ("eq", "numref", "claim"):
            kind = {"eq": "({})", "numref": "Fig. {}", "claim": "(measured: *{}*)"}[role]
            return kind.format(target if role == "claim" else self.numbers.get(target, "?"))
        if role == "doc":
            title = text or self.titles.get(target, target)
            return f"[{title}]({target}.ipynb)" if target[:2].isdigit() else f"*{title}*"
        if role.startswith("cite"):
            who = [self.sources.get(key.strip(), (key.strip(), "")) for key in target.split(",")]
            if role.endswith(":t"):
                return ", ".join(f"{name} ({year})" for name, year in who)
            return "(" + "; ".join(f"{name}, {year}" for name, year in who) + ")"
        if role.split(":")[-1] in _CODE_ROLES:
            return f"`{text or target.removeprefix('~saelib.').lstrip('~')}`"
        return text or self.exercises.get(target) or self.titles.get(target) or target


def _figure(cell: Any) -> dict[str, str]:
    return dict(cell.metadata.get("mystnb", {}).get("figure", {}))


def chapters(folder: Path = BOOK) -> list[Path]:
    """Return the notebooks of the chapters, in order."""
    return sorted(folder.glob("[0-9][0-9]-*.ipynb"))


def main(folder: Path) -> None:
    """Write both variants of every chapter below `folder`."""
    book = Book()
    for variant in (learner, solved):
        target = folder / variant.__name__
        target.mkdir(parents=True, exist_ok=True)
        for path in chapters():
            notebook = with_first_cell(nbformat.read(path, as_version=4), *public())
            nbformat.write(variant(notebook, book), target / path.name)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
