"""Make every slip of one token in right answers, and count what the checkers say to it.

    python tools/mutation_score.py [--slips 12] [--seed 0] [--anew] [EXERCISE ...]

A slip is another operator, another name or number, a missing operand, another axis, a missing
transposition or call. For each style of each exercise the table shows how many slips give a
wrong answer; how many of these are named (a known mistake), how many found to the exact line,
how many to one of two lines, to how many no line is said, and how many are told a line that was
not touched. So many slips are drawn for each style, the same for the same seed; `--slips 0`
makes all of them, which takes hours; twelve take some ten minutes. The last columns are the
computing time of the verdicts in seconds, half of them within the first and all within the second.

A search for the line ends with its time. Here it has five times of it, as in the tests, so that the
counts do not depend on how fast the processor is. They are kept in tests/data/mutation_score.json
after every style; a run that was broken off goes on where it stopped, as long as the checkers, the
styles, slips and seed are the same.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import linecache
import random
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from right_styles import ALSO_RIGHT, STYLES

import saelib
from saelib import exercises
from saelib.exercises import _patience

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "tests" / "data" / "mutation_score.json"

KINDS = ("named", "line", "two", "silent", "wrong")

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
NUMBERS = (0, 1, 2, 3, -1)


@dataclass
class Score:
    """What the checker said to the slips in one style."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    silent: list[tuple[str, str]] = field(default_factory=list)

    @property
    def slips(self) -> int:
        """Number of slips that make the answer wrong."""
        return sum(self.counts.values()) - self.counts["harmless"]

    @property
    def share(self) -> float:
        """Share of the slips that are named or found to the exact line."""
        return (self.counts["named"] + self.counts["line"]) / max(1, self.slips)


def learners_function(source: str, name: str, filename: str) -> Any:
    """Return the function of this name as if it had been typed into a notebook's cell."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope: dict[str, Any] = {"np": np, "saelib": saelib}
    exec(compile(source, filename, "exec"), scope)
    return scope[name]


def slips(source: str) -> Iterator[str]:
    """Yield the source with each slip of one token."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    for change in _changes(tree):
        changed = copy.deepcopy(tree)
        change(changed)
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text not in seen:
            seen.add(text)
            yield text


def _changes(tree: ast.Module) -> Iterator[Callable[[ast.Module], None]]:
    for position, node in enumerate(ast.walk(tree)):
        yield from (_at(position, change) for change in _node_changes(node, tree))


def _at(position: int, change: Callable[[ast.AST], ast.AST]) -> Callable[[ast.Module], None]:
    def apply(tree: ast.Module) -> None:
        target = list(ast.walk(tree))[position]
        new = change(target)
        if new is target:
            return

        class Replace(ast.NodeTransformer):
            def visit(self, node: ast.AST) -> Any:
                return new if node is target else super().generic_visit(node)

        Replace().visit(tree)

    return apply


def _set(name: str, value: Any) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        setattr(node, name, value)
        return node

    return change


def _operator_changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, OPERATORS):
        for operator in OPERATORS:
            if not isinstance(node.op, operator):
                yield _set("op", operator())
    if isinstance(node, ast.BinOp):
        yield lambda node: node.left
        yield lambda node: node.right
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda node: node.operand


def _node_changes(node: ast.AST, tree: ast.Module) -> Iterator[Callable[[ast.AST], ast.AST]]:
    yield from _operator_changes(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        for number in NUMBERS:
            if number != node.value:
                yield _set("value", number)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in _names_before(node, tree):
            if name != node.id:
                yield _set("id", name)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield lambda node: node.value
    if isinstance(node, ast.Call):
        yield from _call_changes(node)


def _call_changes(node: ast.Call) -> Iterator[Callable[[ast.AST], ast.AST]]:
    for word, other in (("mean", "sum"), ("sum", "mean"), ("exp", "log"), ("log", "exp")):
        if isinstance(node.func, ast.Attribute) and node.func.attr == word:
            yield lambda node, other=other: _renamed(node, other)
    if len(node.args) == 1:
        yield lambda node: node.args[0]
    elif isinstance(node.func, ast.Attribute) and not node.args:
        yield lambda node: node.func.value
    for k in range(len(node.keywords)):
        yield lambda node, k=k: _without_keyword(node, k)


def _names_before(node: ast.Name, tree: ast.Module) -> list[str]:
    """Return arguments and names assigned above, if `node` is one of them itself."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and any(n is node for n in ast.walk(function)):
            names = [argument.arg for argument in function.args.args]
            names += [
                n.id
                for n in ast.walk(function)
                if isinstance(n, ast.Name)
                and isinstance(n.ctx, ast.Store)
                and n.lineno < node.lineno
            ]
            return list(dict.fromkeys(names)) if node.id in names else []
    return []


def _renamed(node: Any, other: str) -> ast.AST:
    node.func.attr = other
    return node


def _without_keyword(node: Any, k: int) -> ast.AST:
    del node.keywords[k]
    return node


def touched_lines(source: str, slip: str) -> set[int]:
    """Return the lines in which the two differ."""
    pairs = zip(source.splitlines(), slip.splitlines(), strict=False)
    return {number for number, (mine, other) in enumerate(pairs, start=1) if mine != other}


def score(exercise: str, style: str, *, most: int = 0, seed: int = 0) -> Score:
    """Return what the checker says to slips in one right answer: to all, or to `most` of them."""
    source = ast.unparse(ast.parse(STYLES[exercise][style]))
    checker = getattr(exercises, f"check_{exercise}")
    chosen = list(slips(source))
    if 0 < most < len(chosen):
        chosen = random.Random(seed).sample(chosen, most)
    result = Score()
    for number, slip in enumerate(chosen):
        filename = f"{exercise}-{style}-{number}.py"
        function = learners_function(slip, exercise, filename)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict = checker(function, seed=1, time_limit=2.0)
        result.seconds.append(time.process_time() - start)
        lines = touched_lines(source, slip)
        kind = _kind(exercise, verdict, lines)
        result.counts[kind] += 1
        touched = " | ".join(slip.splitlines()[line - 1].strip() for line in sorted(lines))
        if kind == "wrong":
            result.wrong.append((touched, f"{verdict.line_numbers}: {' '.join(verdict.lines)}"))
        if kind == "silent":
            result.silent.append((touched, " ".join(verdict.lines)))
        linecache.cache.pop(filename, None)
    return result


def _kind(exercise: str, verdict: Any, lines: set[int]) -> str:
    if verdict.correct:
        return "harmless"
    numbers = set(getattr(verdict, "line_numbers", ()))
    if numbers:
        if not numbers & lines:
            # That a line stopped with an error, or gave NaN, is true wherever the slip was made.
            return "silent" if _says_only_what_was_seen(verdict) else "wrong"
        return "line" if len(numbers) == 1 else "two"
    known = {mistake.name for mistake in exercises.catalogue()[exercise]}
    named = bool(verdict.mistakes) and set(verdict.mistakes) & known
    return "named" if named else "silent"


def _says_only_what_was_seen(verdict: Any) -> bool:
    words = " ".join(verdict.lines)
    seen = verdict.mistakes == ("raises",) or "The first of these comes from line" in words
    return seen and "look at" not in words


def refused() -> list[str]:
    """Return the right answers that are not accepted."""
    import jax  # noqa: F401 - its first import takes longer than a checker waits

    bad = []
    for right in (STYLES, ALSO_RIGHT):
        for exercise, styles in right.items():
            checker = getattr(exercises, f"check_{exercise}")
            for style, source in styles.items():
                function = learners_function(source, exercise, f"{exercise}-{style}.py")
                if not all(checker(function, seed=s, time_limit=60).correct for s in range(3)):
                    bad.append(f"{exercise}: {style}")
    return bad


def digest() -> str:
    """Return what changes when the checkers, the styles or the slips do."""
    files = [*sorted((ROOT / "saelib" / "exercises").glob("*.py")), ROOT / "tools/right_styles.py"]
    sources = [path.read_bytes() for path in (*files, Path(__file__).resolve())]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:12]


def kept() -> dict[str, Any]:
    """Return the results of earlier runs."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def total(results: dict[str, Any]) -> tuple[int, float, int]:
    """Return the number of slips, the share of those found, and of those told a wrong line."""
    counts = Counter[str]()
    for row in results.values():
        counts.update({kind: row[kind] for kind in KINDS})
    number = counts.total()
    return number, (counts["named"] + counts["line"]) / max(1, number), counts["wrong"]


def times(seconds: list[float]) -> str:
    """Return the end of a line of the table: it is of this machine, and not kept."""
    return f"{statistics.median(seconds):7.1f}{max(seconds):6.1f}"


def line_of_table(name: str, row: dict[str, Any]) -> str:
    """Return one line of the table."""
    number = sum(row[kind] for kind in KINDS)
    shares = "".join(f"{row[kind] / max(1, number):>8.0%}" for kind in KINDS)
    return f"{name:36}{number:7}{shares}"


def main() -> None:
    """Print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exercises", nargs="*", choices=[[], *STYLES], default=[])
    parser.add_argument("--slips", type=int, default=12, help="how many per style; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--anew", action="store_true", help="forget what was kept")
    parser.add_argument("--verbose", action="store_true", help="show what was not found")
    chosen = parser.parse_args()
    _patience.SECONDS *= 5
    setting = {"drawn": chosen.slips, "seed": chosen.seed, "digest": digest()}
    results = {} if chosen.anew else kept()
    number = sum(len(styles) for right in (STYLES, ALSO_RIGHT) for styles in right.values())
    print(f"right answers refused: {', '.join(refused()) or 'none'} of {number}")
    print(f"{'exercise, style':36}{'slips':>7}{''.join(f'{k:>8}' for k in KINDS)}{'s':>7}{'':6}")
    for exercise in chosen.exercises or STYLES:
        for style in STYLES[exercise]:
            name = f"{exercise}, {style}"
            row = results.get(name, {})
            if any(row.get(key) != value for key, value in setting.items()):
                result = score(exercise, style, most=chosen.slips, seed=chosen.seed)
                row = {kind: result.counts[kind] for kind in (*KINDS, "harmless")}
                results[name] = row = {**row, **setting}
                RESULTS.parent.mkdir(exist_ok=True)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
                if chosen.verbose:
                    for kind in ("silent", "wrong"):
                        for touched, said in getattr(result, kind):
                            print(f"    {kind}: {touched}\n        {said}")
                print(line_of_table(name, row) + times(result.seconds), flush=True)
            else:
                print(line_of_table(name, row), flush=True)
    number, found, wrong = total(results)
    print(f"all: {number} slips, {found:.1%} named or to the line, {wrong} told a wrong line")


if __name__ == "__main__":
    main()
