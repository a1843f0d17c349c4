"""A learner's function, and the functions of their own that it calls, taken apart and rebuilt.

The copy runs on its own globals, so that the learner's names stay as they are. One place of
its source may be replaced by a call of `hole`, which decides anew what comes out there.
"""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

from saelib.exercises._learner import is_learners_code

__all__ = ["HOLE", "Alias", "Move", "Place", "Program", "program_of"]

HOLE = "__hole__"

_MOST_MOVED = 5  # statements that have slipped into a loop or out of it together


@dataclass
class Unit:
    """One function of the learner's: the object, and its syntax tree with true line numbers."""

    function: FunctionType
    tree: ast.FunctionDef | ast.Lambda

    @cached_property
    def filled(self) -> ast.FunctionDef | ast.Lambda:
        """The tree with zeros where the learner asks for memory as it is."""
        return _with_zeros(self.tree)


@dataclass(frozen=True)
class Place:
    """An expression in a program, or an update such as ``+=``, with its statement."""

    unit: int
    index: int
    node: ast.expr | ast.AugAssign
    statement: ast.AST

    @property
    def line(self) -> int:
        """Number of the line in the learner's file or cell."""
        return self.node.lineno


@dataclass(frozen=True)
class Move:
    """Statements at the end of a loop that go behind it, or from behind it to its end."""

    unit: int
    loop: ast.For
    number: int
    outwards: bool
    line: int


class Alias(NamedTuple):
    """An assignment that gives an array one more name: ``t = theta``."""

    unit: int
    node: ast.Assign


@dataclass
class Program:
    """A function of the learner's with all others of their own that it reaches."""

    units: list[Unit]
    bound: tuple[Any, ...] = ()
    # Compiled once, by unit and place: a search comes back to the same place several times.
    compiled: dict[tuple[int, int | None], CodeType] = field(default_factory=dict, repr=False)

    def places(self) -> list[Place]:
        """Return every expression that gives a value, from top to bottom."""
        found = []
        for k, unit in enumerate(self.units):
            for index, (node, statement) in enumerate(_expressions(unit.tree)):
                found.append(Place(k, index, node, statement))
        return found

    def source_line(self, place: Place) -> str:
        """Return the text of the line at which `place` stands."""
        return self.text_at(place.unit, place.line)

    def text_at(self, unit: int, line: int) -> str:
        """Return the text of a line of the file or cell in which a unit stands."""
        return linecache.getline(self.units[unit].function.__code__.co_filename, line).strip()

    def counters(self) -> set[str]:
        """Return the names that count the turns of a loop: they are no quantities."""
        nodes = (node for unit in self.units for node in ast.walk(unit.tree))
        return {name for node in nodes if isinstance(node, ast.For) for name in _counted(node)}

    def moves(self) -> list[Move]:
        """Return what slips of the indentation can have put into a loop or behind it."""
        found = []
        for k, unit in enumerate(self.units):
            for block in _blocks(unit.tree):
                for position, loop in enumerate(block):
                    if not isinstance(loop, ast.For):  # another loop might never end
                        continue
                    body, behind = loop.body[1:], block[position + 1 :]
                    found += [
                        Move(k, loop, number, True, statement.lineno)
                        for number, statement in enumerate(body[: -_MOST_MOVED - 1 : -1], start=1)
                    ]
                    found += [
                        Move(k, loop, number, False, behind[0].lineno)
                        for number in range(1, min(len(behind), _MOST_MOVED) + 1)
                    ]
        return found

    def moved(self, move: Move) -> Callable[..., Any]:
        """Return a copy of the function in which statements were moved."""
        unit = self.units[move.unit]
        tree = copy.deepcopy(unit.tree)
        pairs = zip(ast.walk(unit.tree), ast.walk(tree), strict=True)
        loop: Any = next(other for own, other in pairs if own is move.loop)
        block = next(block for block in _blocks(tree) if loop in block)
        position = block.index(loop) + 1
        if move.outwards:
            block[position:position] = loop.body[-move.number :]
            del loop.body[-move.number :]
        else:
            loop.body += block[position : position + move.number]
            del block[position : position + move.number]
        changed = Program(list(self.units), self.bound)
        changed.units[move.unit] = Unit(unit.function, tree)
        return changed.rebuilt()

    def rebuilt(self, place: Place | None = None, hole: Any = None) -> Callable[..., Any]:
        """Return a copy of the function in which `hole` decides what comes out at `place`."""
        worlds: dict[int, dict[str, Any]] = {}
        made: dict[int, Any] = {}
        # What is called comes after what calls it: begin at the end.
        for k in reversed(range(len(self.units))):
            unit = self.units[k]
            key = id(unit.function.__globals__)
            world = worlds.setdefault(
                key, {**unit.function.__globals__, HOLE: hole, "print": _silent}
            )
            index = place.index if place is not None and place.unit == k else None
            made[id(unit.function)] = _made(unit.function, self._code(k, index), world, made)
        for world in worlds.values():
            for name, value in list(world.items()):
                if id(value) in made and name != HOLE:
                    world[name] = made[id(value)]
        function = made[id(self.units[0].function)]
        return partial(function, *self.bound) if self.bound else function

    def aliases(self) -> list[Alias]:
        """Return where an array that is written into got another name, and no copy was made."""
        return [
            Alias(k, node)
            for k, unit in enumerate(self.units)
            for node in ast.walk(unit.tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and _names_of(node) & _written_into(unit.tree)
        ]

    def with_copies(self, aliases: list[Alias]) -> Callable[..., Any]:
        """Return a copy of the function in which each of these names gets an array of its own."""
        changed = Program(list(self.units), self.bound)
        for k in {alias.unit for alias in aliases}:
            own = {id(alias.node) for alias in aliases}
            tree = copy.deepcopy(self.units[k].tree)
            pairs = list(zip(ast.walk(self.units[k].tree), ast.walk(tree), strict=True))
            copied = {id(new) for old, new in pairs if id(old) in own}
            changed.units[k] = Unit(self.units[k].function, _Copies(copied).visit(tree))
        return changed.rebuilt()

    def _code(self, k: int, index: int | None) -> CodeType:
        if (k, index) not in self.compiled:
            unit = self.units[k]
            tree = unit.filled if index is None else _with_hole(unit.filled, index)
            self.compiled[k, index] = _compiled(unit.function, tree)
        return self.compiled[k, index]


def _counted(loop: ast.For) -> Iterator[str]:
    """Yield the name that a loop over range or enumerate counts with."""
    if not (isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Name)):
        return
    target: ast.expr = loop.target
    if loop.iter.func.id == "enumerate" and isinstance(target, ast.Tuple):
        target = target.elts[0]
    elif loop.iter.func.id != "range":
        return
    if isinstance(target, ast.Name):
        yield target.id


def _names_of(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def _written_into(tree: ast.AST) -> set[str]:
    """Return the names into whose entries a function writes."""
    return {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
    }


class _Copies(ast.NodeTransformer):
    def __init__(self, copied: set[int]) -> None:
        self.copied = copied

    def visit_Assign(self, node: ast.Assign) -> Any:
        if id(node) not in self.copied:
            return node
        return [
            ast.copy_location(ast.Assign([target], _copy_of(node.value)), node)
            for target in node.targets
        ]


def _copy_of(value: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(value, "copy", ast.Load()), [], [])


def _blocks(tree: ast.AST) -> Iterator[list[Any]]:
    """Yield the lists of statements in a function."""
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def program_of(function: Any) -> Program | None:
    """Return the program behind `function`, or None if its source cannot be had."""
    bound: tuple[Any, ...] = ()
    if isinstance(function, MethodType):
        bound, function = (function.__self__,), function.__func__
    elif not isinstance(function, FunctionType):
        call = vars(type(function)).get("__call__")
        if not isinstance(call, FunctionType):
            return None
        bound, function = (function,), call
    units: list[Unit] = []
    pending, seen = [function], set()
    while pending and len(units) < 12:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        tree = _tree_of(current)
        if tree is None:
            if current is function:
                return None
            continue
        units.append(Unit(current, tree))
        pending += _reached(current)
    return Program(units, bound)


def _reached(function: FunctionType) -> list[FunctionType]:
    names = set(_names(function.__code__))
    values = [function.__globals__.get(name) for name in sorted(names)]
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    return [v for v in values if isinstance(v, FunctionType) and is_learners_code(v.__code__)]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _tree_of(function: FunctionType) -> ast.FunctionDef | ast.Lambda | None:
    code = function.__code__
    if not is_learners_code(code) or hasattr(function, "__wrapped__"):
        return None
    try:
        lines, first = inspect.getsourcelines(code)
        tree = _parsed("".join(lines))
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    if tree is None:
        return None
    ast.increment_lineno(tree, max(first, 1) - 1)
    if function.__name__ == "<lambda>":
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        found = [
            node
            for node in found
            if [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            == list(code.co_varnames[: code.co_argcount])
        ]
        return found[0] if len(found) == 1 else None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            return None if node.decorator_list else node
    return None


def _parsed(source: str) -> ast.Module | None:
    """Parse the lines of a function; those of a lambda may be only a part of a statement."""
    source = textwrap.dedent(source)
    for text in (source, f"({source.strip()})", source.strip().rstrip(",)") + ")"):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    start = source.find("lambda")
    while start >= 0:
        for end in range(len(source), start, -1):
            try:
                return ast.parse(f"({source[start:end]})")
            except SyntaxError:
                continue
        start = source.find("lambda", start + 1)
    return None


def _compiled(function: FunctionType, tree: ast.FunctionDef | ast.Lambda) -> CodeType:
    """Return the code that defines a factory of this function in a world of its own."""
    own = tree.name if isinstance(tree, ast.FunctionDef) else ""
    result: ast.expr = ast.Name(own, ast.Load()) if own else tree  # type: ignore[assignment]
    body: list[ast.stmt] = [tree] if isinstance(tree, ast.FunctionDef) else []
    # Parsed, since the fields of a function differ from one version of Python to the next.
    source = f"def __factory__({', '.join(_free(function, own))}):\n    return None"
    factory = ast.parse(source).body[0]
    assert isinstance(factory, ast.FunctionDef)
    factory.body = [*body, ast.Return(result)]
    module = ast.fix_missing_locations(ast.Module([factory], []))
    return compile(module, function.__code__.co_filename, "exec", dont_inherit=True)


def _free(function: FunctionType, own: str) -> list[str]:
    return [name for name in function.__code__.co_freevars if name not in (own, "__class__")]


def _made(
    function: FunctionType, code: CodeType, world: dict[str, Any], made: dict[int, Any]
) -> Any:
    own = "" if function.__name__ == "<lambda>" else function.__code__.co_name
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    values = [_contents(cells[name], made) for name in _free(function, own)]
    exec(code, world)
    return world.pop("__factory__")(*values)


def _with_zeros(tree: Any) -> Any:
    """Return a copy that asks for zeros where the learner asks for memory as it is.

    A copy that fills nothing in would give back what the last one has left there.
    """

    class Zeros(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> Any:
            self.generic_visit(node)
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("empty", "empty_like"):
                node.func.attr = node.func.attr.replace("empty", "zeros")
            return node

    return Zeros().visit(copy.deepcopy(tree))


def _silent(*values: Any, **settings: Any) -> None:
    """Stand for print, since a copy may run a thousand times."""


def _contents(cell: CellType, made: dict[int, Any]) -> Any:
    value = cell.cell_contents
    return made.get(id(value), value)


def _expressions(tree: ast.AST) -> list[tuple[ast.expr | ast.AugAssign, ast.AST]]:
    """Return the expressions whose values can be replaced, each with its statement."""
    found: list[tuple[ast.expr | ast.AugAssign, ast.AST]] = []

    def visit(node: ast.AST, statement: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            statement = node
        if isinstance(node, ast.AugAssign):
            found.append((node, node))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "func"):
                if name == "func" and isinstance(value, ast.Attribute):
                    visit_expression(value.value, statement)
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.expr):
                    visit_expression(child, statement)
                elif isinstance(child, ast.AST):
                    visit(child, statement)

    def visit_expression(node: ast.expr, statement: ast.AST) -> None:
        context = getattr(node, "ctx", None)
        if isinstance(node, (ast.Slice, ast.Starred)) or isinstance(context, (ast.Store, ast.Del)):
            visit(node, statement)
            return
        found.append((node, statement))
        visit(node, statement)

    body = tree.body if isinstance(tree, ast.FunctionDef) else [tree.body]  # type: ignore[attr-defined]
    for part in body:
        if isinstance(part, ast.stmt):
            if not _is_docstring(part):
                visit(part, part)
        else:
            visit_expression(part, tree)
    return found


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _with_hole(tree: ast.FunctionDef | ast.Lambda, index: int) -> Any:
    target = _expressions(tree)[index][0]
    scope = ast.Call(ast.Name("locals", ast.Load()), [], [])
    parts: list[ast.expr]
    if isinstance(target, ast.AugAssign):
        read = copy.deepcopy(target.target)
        read.ctx = ast.Load()
        parts = [read, target.value]
    elif isinstance(target, ast.BinOp):
        parts = [target.left, target.right]
    elif isinstance(target, ast.Compare) and len(target.ops) == 1:
        parts = [target.left, target.comparators[0]]
    elif (
        isinstance(target, ast.Call)
        and not any(isinstance(arg, ast.Starred) for arg in target.args)
        and all(word.arg for word in target.keywords)
    ):
        keywords = ast.Dict(
            [ast.Constant(word.arg) for word in target.keywords],
            [word.value for word in target.keywords],
        )
        parts = [target.func, ast.Tuple(list(target.args), ast.Load()), keywords]
    else:
        parts = [target]
    call = ast.Call(ast.Name(HOLE, ast.Load()), [scope, *parts], [])
    new: ast.AST = ast.copy_location(call, target)
    if isinstance(target, ast.AugAssign):
        new = ast.copy_location(ast.Assign([target.target], call), target)

    return _with(tree, target, ast.fix_missing_locations(new))


def _with(node: Any, target: ast.AST, new: ast.AST) -> Any:
    """Return a tree with another node in the place of `target`; all but the way there is shared."""
    if node is target:
        return new
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for k, child in enumerate(children):
            other = _with(child, target, new) if isinstance(child, ast.AST) else child
            if other is not child:
                changed = copy.copy(node)
                rest = [*children[:k], other, *children[k + 1 :]]
                setattr(changed, name, rest if isinstance(value, list) else other)
                return changed
    return node
