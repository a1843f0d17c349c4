"""What the book claims, where it says so, what was measured, and whether the two agree.

A register, ``claims/<NN-chapter>.toml``, has one table per claim::

    [plain-is-a-common-offset]            # in the text: {claim}`plain-is-a-common-offset`
    experiment = "training:common_offset" # a function in claims/training.py
    quantity = "offset_share"             # a key of the dict that it returns
    low = 0.8                             # the range that the sentence allows; one end may be
    high = 1.0                            # left out
    seeds = [0, 1, 2, 3, 4]               # the default
    efforts = [1, 2]                      # the default is [1]; 2 trains twice as long
    holds_in = 9                          # only if it holds in some runs, and the sentence says so

The functions read files and nothing else, so that the book's build and the tests can use them.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import math
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROLE = re.compile(r"\{claim\}`([^`]+)`")
KEYS = {"experiment", "quantity", "low", "high", "seeds", "efforts", "holds_in"}


@dataclass(frozen=True)
class Claim:
    """One entry of a register.

    Attributes
    ----------
    label, chapter : str
        The name of the claim, and that of the register and of the chapter's file.
    experiment : str
        ``module:function`` in claims/.
    quantity : str
        Which of the returned numbers the claim is about.
    low, high : float
        What the sentence allows.
    seeds, efforts : tuple of int
        The runs are all their pairs.
    holds_in : int
        The number of runs in which the quantity is within the range, by what the sentence says.
    """

    label: str
    chapter: str
    experiment: str
    quantity: str
    low: float
    high: float
    seeds: tuple[int, ...]
    efforts: tuple[int, ...]
    holds_in: int

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Seed and effort of every run."""
        return list(product(self.seeds, self.efforts))

    def within(self, value: float | None) -> bool:
        """Tell whether a value is what the sentence allows; NaN is not."""
        return value is not None and self.low <= value <= self.high


def read_register(root: Path = ROOT) -> list[Claim]:
    """Return all claims, in the order of the chapters and of the registers.

    Raises
    ------
    ValueError
        If an entry is not as described at the top, or a label is there twice.
    """
    claims: list[Claim] = []
    for path in sorted((root / "claims").glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        claims += [_claim(label, path.stem, entry) for label, entry in entries.items()]
    labels = [claim.label for claim in claims]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"the claim {label!r} is in two registers; give one another label")
    return claims


def _claim(label: str, chapter: str, entry: dict[str, Any]) -> Claim:
    where = f"claims/{chapter}.toml, {label!r}:"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", label):
        raise ValueError(f"{where} a label has lower-case letters, digits and hyphens")
    if unknown := set(entry) - KEYS:
        raise ValueError(f"{where} {sorted(unknown)} unknown; allowed are {sorted(KEYS)}")
    if missing := {"experiment", "quantity"} - set(entry):
        raise ValueError(f"{where} {sorted(missing)} missing")
    if not {"low", "high"} & set(entry):
        raise ValueError(f"{where} needs low, high or both; otherwise nothing is claimed")
    low, high = float(entry.get("low", -math.inf)), float(entry.get("high", math.inf))
    if not low <= high:
        raise ValueError(f"{where} low is {low:g} and high {high:g}; low must not be above high")
    seeds = tuple(entry.get("seeds", range(5)))
    efforts = tuple(entry.get("efforts", (1,)))
    n_runs = len(seeds) * len(efforts)
    holds_in = entry.get("holds_in", n_runs)
    if not 0 <= holds_in <= n_runs:
        raise ValueError(f"{where} holds_in is {holds_in}; there are {n_runs} runs")
    return Claim(
        label, chapter, entry["experiment"], entry["quantity"], low, high, seeds, efforts, holds_in
    )


# ---------------------------------------------------------------- what was measured


def results_path(chapter: str, root: Path = ROOT) -> Path:
    """Return where the results of a chapter are stored."""
    return root / "book" / "_data" / "claims" / f"{chapter}.json"


def read_results(chapter: str, root: Path = ROOT) -> dict[str, Any]:
    """Return what is stored by experiment: digest, date, versions and runs."""
    path = results_path(chapter, root)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def measured(claim: Claim, results: dict[str, Any]) -> dict[tuple[int, int], float | None]:
    """Return the claim's quantity by seed and effort, for the runs that are stored."""
    runs = {
        (run["seed"], run["effort"]): run["values"].get(claim.quantity)
        for run in results.get(claim.experiment, {}).get("runs", [])
    }
    return {run: runs[run] for run in claim.runs if run in runs}


def marked(claim: Claim, values: dict[tuple[int, int], float | None]) -> str:
    """Return the mark that the text carries: how many of the runs that it wants are stored."""
    if len(values) == len(claim.runs):
        return "measured"
    return "measured in part" if values else "to be measured"


def verdict(claim: Claim, values: dict[tuple[int, int], float | None]) -> str:
    """Return whether the claim holds, in words: everywhere, in some runs only, or nowhere."""
    if not values:
        return "not run yet"
    good = [run for run, value in values.items() if claim.within(value)]
    if len(good) == len(values):
        return "holds"
    if not good:
        return "fails"
    bad = [f"seed {s}" + (f", effort {e}" if len(claim.efforts) > 1 else "") for s, e in values]
    bad = [name for name, run in zip(bad, values, strict=True) if run not in good]
    return f"holds only for {len(good)} of {len(values)} runs (not {'; '.join(bad)})"


def digest(experiment: str, root: Path = ROOT) -> str:
    """Return a digest of an experiment's source: the function and all that it uses of claims/.

    Comments, docstrings and layout do not count, and neither does what it uses of the library:
    the versions are stored with the results.

    Raises
    ------
    ValueError
        If there is no such function.
    """
    module, _, function = experiment.partition(":")
    pieces: dict[str, str] = {}
    if not _collect(module, function, root, pieces):
        raise ValueError(f"experiment is {experiment!r}; claims/{module}.py has no {function!r}")
    text = "\n".join(pieces[name] for name in sorted(pieces))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _statements(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


def _collect(module: str, name: str, root: Path, pieces: dict[str, str]) -> bool:
    """Put the definition of a name, and of what it uses in turn, into `pieces`."""
    key = f"{module}:{name}"
    if key in pieces:
        return True
    path = root / "claims" / f"{module}.py"
    if not path.exists():
        return False
    for node in _statements(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.ImportFrom) and name in [a.asname or a.name for a in node.names]:
            source = (node.module or "").removeprefix("claims.")
            original = next(a.name for a in node.names if (a.asname or a.name) == name)
            found = (node.module or "").startswith("claims.") and _collect(
                source, original, root, pieces
            )
            pieces[key] = "" if found else ast.unparse(node)
            return True
        if name in _binds(node):
            pieces[key] = ast.unparse(_WithoutDocstrings().visit(copy.deepcopy(node)))
            for used in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}:
                _collect(module, used, root, pieces)
            return True
    return False


def _binds(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    if isinstance(node, ast.Import):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return []


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node


# ---------------------------------------------------------------- where it is said


def said(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the labels that the pages refer to, with the pages' names."""
    places: dict[str, list[str]] = {}
    for path in sorted((root / "book").glob("*.*")):
        if path.suffix not in (".ipynb", ".md"):
            continue
        for label in ROLE.findall(_prose(path)):
            places.setdefault(label, []).append(path.stem)
    return places


def said_together(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the labels whose marks stand in a row, each with the others of its row."""
    beside: dict[str, dict[str, None]] = {}
    for path in sorted((root / "book").glob("*.*")):
        if path.suffix not in (".ipynb", ".md"):
            continue
        for row in re.finditer(r"(?:\{claim\}`[^`]+`\s*){2,}", _prose(path)):
            labels = ROLE.findall(row[0])
            for label in labels:
                beside.setdefault(label, {}).update(dict.fromkeys(labels))
    return {label: [name for name in others if name != label] for label, others in beside.items()}


def _prose(path: Path) -> str:
    """Return the text of a page: that of a notebook's cells and of the captions of its figures."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    cells = json.loads(text)["cells"]
    words = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    figures = [cell["metadata"].get("mystnb", {}).get("figure", {}) for cell in cells]
    return "\n".join(words + [figure.get("caption", "") for figure in figures])


def complaints(root: Path = ROOT) -> list[str]:
    """Return what does not fit together between the text, the register and the results."""
    claims, places, found = read_register(root), said(root), []
    known = {claim.label for claim in claims}
    found += [
        f"{pages[0]} refers to the claim {label!r}, which no register has"
        for label, pages in places.items()
        if label not in known
    ]
    for claim in claims:
        where = f"claims/{claim.chapter}.toml, {claim.label!r}:"
        if claim.chapter not in places.get(claim.label, []):
            found.append(f"{where} the chapter does not refer to it")
        try:
            wanted = digest(claim.experiment, root)
        except ValueError as error:
            found.append(f"{where} {error}")
            continue
        again = f"run make claims ONLY={claim.chapter}"
        results = read_results(claim.chapter, root)
        values = measured(claim, results)
        if results.get(claim.experiment, {"digest": wanted})["digest"] != wanted:
            found.append(f"{where} the experiment has changed since it was run; {again}")
        elif None in values.values():
            found.append(f"{where} the experiment returns no finite number {claim.quantity!r}")
        else:
            n_good = sum(map(claim.within, values.values()))
            # Runs that are not stored yet may still turn out either way; the page counts them.
            n_to_come = len(claim.runs) - len(values)
            if not n_good <= claim.holds_in <= n_good + n_to_come:
                found.append(
                    f"{where} the text says that it holds in {claim.holds_in} of {len(values)} "
                    f"runs, but it holds in {n_good}; change the sentence and holds_in"
                )
    return found
