"""What the cells of a chapter need of each other, told by the names in their code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.Lambda, *COMPREHENSIONS)


class Names(NamedTuple):
    """The names that a piece of code takes from before it, sets, and changes in place."""

    reads: frozenset[str]
    sets: frozenset[str]
    changes: frozenset[str]


def names_in(statements: Sequence[ast.stmt]) -> Names:
    """Return the names of some statements, one after the other.

    A name that an earlier statement has set is not read from before. Whatever is assigned to in
    part (``x[0] = ...``, ``x.y = ...``, ``x += ...``) is changed, and so it is read as well.
    """
    reads: set[str] = set()
    sets: set[str] = set()
    changes: set[str] = set()
    for statement in statements:
        loaded = _loaded(statement, frozenset())
        new, changed = _bound(statement)
        taken = loaded | changed
        if isinstance(statement, (ast.For, ast.With)):
            taken -= _targets(statement) - _loaded_in_head(statement)
        reads |= taken - sets
        changes |= changed - sets
        sets |= new
    return Names(frozenset(reads), frozenset(sets), frozenset(changes))


def _loaded(node: ast.AST, own: frozenset[str]) -> set[str]:
    """Return the names that are read and are not in `own`, those of the scopes around."""
    if isinstance(node, ast.Name):
        return {node.id} - own if isinstance(node.ctx, ast.Load) else set()
    outside: list[ast.AST] = []  # what a scope evaluates before it begins
    inside: list[ast.AST] = list(ast.iter_child_nodes(node))
    inner = own
    if isinstance(node, COMPREHENSIONS):
        inner |= frozenset().union(*(_bound(part.target)[0] for part in node.generators))
        outside = [node.generators[0].iter]
        inside.remove(node.generators[0])
        inside += [*node.generators[0].ifs]
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        arguments = node.args
        inner |= {argument.arg for argument in ast.walk(arguments) if isinstance(argument, ast.arg)}
        body = node.body if isinstance(node.body, list) else []
        inner |= frozenset().union(*(_bound(statement)[0] for statement in body))
        outside = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
        outside += getattr(node, "decorator_list", [])
        inside = body or [node.body]  # type: ignore[list-item]
    found = set().union(*(_loaded(part, own) for part in outside))
    return found.union(*(_loaded(part, inner) for part in inside))


def _bound(node: ast.AST) -> tuple[set[str], set[str]]:
    """Return the names that a statement sets, and those that it changes in place."""
    sets: set[str] = set()
    changes: set[str] = set()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}, changes
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}, changes
    if isinstance(node, SCOPES):
        return sets, changes
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        sets.add(node.id)
    if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
        changes |= _root(node)
    if isinstance(node, ast.AugAssign):
        changes |= _root(node.target)
    for child in ast.iter_child_nodes(node):
        inner_sets, inner_changes = _bound(child)
        sets |= inner_sets
        changes |= inner_changes
    return sets, changes


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _targets(node: ast.For | ast.With) -> set[str]:
    if isinstance(node, ast.For):
        return _bound(node.target)[0]
    targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    return set().union(*(_bound(target)[0] for target in targets))


def _loaded_in_head(node: ast.For | ast.With) -> set[str]:
    heads = [node.iter] if isinstance(node, ast.For) else [i.context_expr for i in node.items]
    walked = (inner for head in heads for inner in ast.walk(head))
    return {inner.id for inner in walked if isinstance(inner, ast.Name)}


def parsed(source: str) -> list[ast.stmt]:
    """Return the statements of a cell, none if it is not Python (yet)."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def needs(names: Sequence[Names], skip: Collection[int]) -> list[set[int]]:
    """Return for every cell the earlier cells whose names it takes.

    A name comes from the last cell above that sets it, and from all between that change it.
    Cells in `skip`, the solutions, serve only each other.
    """
    found: list[set[int]] = []
    for index, own in enumerate(names):
        mine: set[int] = set()
        for name in own.reads | own.changes:
            for earlier in range(index - 1, -1, -1):
                if earlier in skip and index not in skip:
                    continue
                if name in names[earlier].sets:
                    mine.add(earlier)
                    break
                if name in names[earlier].changes:
                    mine.add(earlier)
        found.append(mine)
    return found


def closure(target: int, edges: Sequence[set[int]]) -> list[int]:
    """Return `target` and all that it needs, directly or not, in order."""
    wanted, waiting = set(), [target]
    while waiting:
        index = waiting.pop()
        if index not in wanted:
            wanted.add(index)
            waiting += edges[index]
    return sorted(wanted)


def digest(sources: Sequence[str]) -> str:
    """Return a short name for some code, the same wherever it is computed."""
    return hashlib.sha256("\n\n".join(s.strip() for s in sources).encode()).hexdigest()[:16]


class Chapter:
    """The cells of a chapter, what they need, and which of them have been run.

    Parameters
    ----------
    sources : sequence of str
        The code of the cells, in order.
    skip : collection of int
        The cells that no other cell waits for: the solutions of the exercises.
    """

    def __init__(self, sources: Sequence[str], skip: Collection[int] = ()) -> None:
        self.sources = list(sources)
        self.names = [names_in(parsed(source)) for source in self.sources]
        self.edges = needs(self.names, skip)
        self.makers = [self._makers(index) for index in range(len(self.sources))]

    def _makers(self, index: int) -> dict[str, int]:
        """Return the names that a cell takes, each with the cell that it comes from."""
        own = self.names[index]
        return {
            name: max(k for k in self.edges[index] if name in self.names[k].sets)
            for name in own.reads | own.changes
            if any(name in self.names[k].sets for k in self.edges[index])
        }

    def digest(self, index: int) -> str:
        """Return a name for the code of a cell together with all that it needs."""
        return digest([self.sources[k] for k in closure(index, self.edges)])

    def wanted_later(self, index: int) -> frozenset[str]:
        """Return the names that later cells take from this one."""
        mine = self.names[index].sets | self.names[index].changes
        later = [own.reads | own.changes for k, own in enumerate(self.names)
                 if index in self.edges[k]]  # fmt: skip
        return mine & frozenset().union(*later)


class Plan:
    """Which cells have to be run before one, when some have been run already."""

    def __init__(self) -> None:
        self.done: dict[int, tuple[int, str]] = {}
        self.maker: dict[str, int] = {}  # the cell that has set a name last
        self.clock = 0

    def order(self, target: int, chapter: Chapter) -> list[int]:
        """Return the cells to run, in order; the last is `target` itself."""
        needed = closure(target, chapter.edges)
        again = {target}
        while True:
            order = self._stale(needed, again, chapter)
            lost = self._lost(order, chapter)
            if lost <= again:
                return order
            again |= lost

    def _stale(self, needed: list[int], again: set[int], chapter: Chapter) -> list[int]:
        """Return those of the cells that are in `again`, are new, or follow from such a cell."""
        stale: set[int] = set()
        for index in needed:
            stamp, source = self.done.get(index, (0, ""))
            before = [self.done.get(k, (0, ""))[0] for k in chapter.edges[index]]
            fresh = (
                stamp > 0
                and source == chapter.sources[index]
                and not chapter.edges[index] & stale
                and all(other < stamp for other in before)
            )
            if not fresh or index in again:
                stale.add(index)
        return sorted(stale)

    def _lost(self, order: list[int], chapter: Chapter) -> set[int]:
        """Return the cells of which a name is wanted that another, a solution, has set since."""
        maker, lost = dict(self.maker), set()
        for index in order:
            wanted = chapter.makers[index].items()
            lost |= {other for name, other in wanted if maker.get(name, other) != other}
            maker.update(dict.fromkeys(chapter.names[index].sets, index))
        return lost

    def note(self, index: int, source: str, ok: bool) -> None:
        """Remember that a cell has been run, and whether it went well."""
        self.clock += 1
        # Even a cell that failed may have set what stands before the error.
        self.maker.update(dict.fromkeys(names_in(parsed(source)).sets, index))
        if ok:
            self.done[index] = (self.clock, source)
        else:
            self.done.pop(index, None)
