"""Small changes to one expression: another operator, name, number or axis, one call more or less.

They are the slips of a keyboard turned round. A change gets the parts of the expression as they
were computed, and the names in scope, and returns what the expression would have given.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from saelib.exercises._trace import NUMBER

__all__ = ["Change", "as_written", "insertions", "of_one_name", "replacements", "slips"]

Change = Callable[[Sequence[Any], Mapping[str, Any]], Any]

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
    ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _power(base: Any, exponent: Any) -> Any:
    """Return a power, but none of whole numbers that would take for ever."""
    if isinstance(base, int) and isinstance(exponent, int) and abs(exponent) > 64:
        raise OverflowError("too large a power")
    return base**exponent


_ARITHMETIC = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.matmul,
    _power,
    operator.floordiv,
)
_IN_PLACE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.iadd,
    ast.Sub: operator.isub,
    ast.Mult: operator.imul,
    ast.Div: operator.itruediv,
    ast.Pow: operator.ipow,
    ast.MatMult: operator.imatmul,
    ast.FloorDiv: operator.ifloordiv,
    ast.Mod: operator.imod,
}
_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
_NUMBERS = (0, 1, 2, 3, 4, -1, 0.5, 0.1, 0.2, 0.4, 0.8, 0.9, 10, None)
_REDUCTIONS = ("mean", "sum", "std", "max", "min", "prod")
_ELEMENTWISE = ("exp", "log", "sqrt", "abs", "sin", "tanh", "square", "negative")


def as_written(node: ast.expr | ast.AugAssign) -> Change:
    """Return the change that changes nothing."""
    if isinstance(node, ast.BinOp):
        apply = _OPERATORS.get(type(node.op))
        if apply is not None:
            return lambda parts, scope: apply(*parts)
    if isinstance(node, ast.AugAssign):
        update = _IN_PLACE[type(node.op)]
        return lambda parts, scope: update(*parts)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        compare = _OPERATORS.get(type(node.ops[0]))
        if compare is not None:
            return lambda parts, scope: compare(*parts)
        return _membership(node)
    if _is_taken_apart(node):
        return lambda parts, scope: parts[0](*parts[1], **parts[2])
    if isinstance(node, ast.BinOp):
        raise ValueError("this operator is not known")
    return lambda parts, scope: parts[0]


def _membership(node: ast.Compare) -> Change:
    tests: dict[type, Callable[[Any, Any], Any]] = {
        ast.Is: operator.is_,
        ast.IsNot: operator.is_not,
        ast.In: lambda a, b: a in b,
        ast.NotIn: lambda a, b: a not in b,
    }
    test = tests[type(node.ops[0])]
    return lambda parts, scope: test(*parts)


def _is_taken_apart(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
        and all(word.arg for word in node.keywords)
    )


def slips(node: ast.expr | ast.AugAssign, scope: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of one token: what a slip could have put there instead."""
    if isinstance(node, ast.BinOp):
        for apply in _ARITHMETIC:
            yield _of_both(apply)
        for apply in (operator.sub, operator.truediv, operator.matmul, _power):
            yield _of_both(apply, turned=True)
        yield lambda parts, scope: parts[0]
        yield lambda parts, scope: parts[1]
    elif isinstance(node, ast.AugAssign):
        yield from map(_of_both, _IN_PLACE.values())
        yield lambda parts, scope: parts[1]
        return
    elif isinstance(node, ast.Compare):
        for apply in _COMPARISONS:
            yield _of_both(apply)
    elif _is_taken_apart(node):
        yield from _calls()
    if isinstance(node, (ast.Name, ast.Attribute, ast.Constant, ast.UnaryOp, ast.Subscript)):
        own = _things_in(scope) if isinstance(node, ast.Name) else _numbers_in(scope)
        yield from map(_from_scope, own)
        if isinstance(node, (ast.Constant, ast.UnaryOp, ast.Name)):
            yield from map(_constant, _NUMBERS)
        yield lambda parts, scope: parts[0] + 1
        yield lambda parts, scope: parts[0] - 1
    plain = as_written(node)
    for function in _ONE_CALL:
        yield _after(plain, function)
    for name, value in scope.items():
        if isinstance(value, list):
            yield _appended(plain, name)
        # A sigmoid, or another function of the learner's own, that was not called here.
        if callable(value) and not isinstance(value, type):
            yield _by_name(plain, name)


def _of_both(apply: Callable[[Any, Any], Any], turned: bool = False) -> Change:
    if turned:
        return lambda parts, scope: apply(parts[1], parts[0])
    return lambda parts, scope: apply(parts[0], parts[1])


def _from_scope(name: str) -> Change:
    return lambda parts, scope: scope[name]


def _constant(number: Any) -> Change:
    return lambda parts, scope: number


def _after(plain: Change, function: Callable[[Any], Any]) -> Change:
    return lambda parts, scope: function(plain(parts, scope))


def _by_name(plain: Change, name: str) -> Change:
    # By its name, since on another input another function may go by it.
    return lambda parts, scope: scope[name](plain(parts, scope))


def _appended(plain: Change, name: str) -> Change:
    def change(parts: Sequence[Any], scope: Mapping[str, Any]) -> None:
        value = plain(parts, scope)
        if isinstance(value, list):  # which may be the list itself
            raise TypeError("a list is not appended to a list")
        scope[name].append(value)

    return change


def _reduction(word: str, axis: int | None, keep: bool) -> Callable[[Any], Any]:
    function, more = getattr(np, word), {"keepdims": True} if keep else {}
    return lambda value: function(value, axis=axis, **more)


def _logistic(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


_ONE_CALL: tuple[Callable[[Any], Any], ...] = (
    operator.neg,
    np.transpose,
    lambda value: 1 - value,
    *(getattr(np, word) for word in _ELEMENTWISE),
    *(
        _reduction(word, axis, keep)
        for word in _REDUCTIONS
        for axis, keep in ((None, False), (0, False), (1, False), (0, True), (1, True))
    ),
    len,
    np.linalg.norm,
    np.ravel,
    lambda value: value[:, None],
    np.copy,
    np.zeros_like,
    np.ones_like,
    np.array,
    np.concatenate,
    _logistic,
)


def _calls() -> Iterator[Change]:
    """Yield other calls with the same arguments, and the same call with other arguments."""
    yield lambda parts, scope: parts[1][0]
    yield lambda parts, scope: parts[0].__self__
    yield lambda parts, scope: parts[0](*parts[1][::-1], **parts[2])
    yield lambda parts, scope: parts[0](*parts[1])
    axes: list[dict[str, Any]] = [{"axis": axis} for axis in (None, 0, 1, -1)]
    kept = [{**words, "keepdims": keep} for words in axes for keep in (True, False)]
    for words in (*axes, *kept, {"keepdims": True}, {"keepdims": False}, {"ddof": 0}):
        yield from _with_words(words)
    for word in (*_REDUCTIONS, *_ELEMENTWISE, "zeros_like", "ones_like", "outer", "dot", "ravel"):
        yield from _by_word(word)


def _with_words(words: Mapping[str, Any]) -> Iterator[Change]:
    yield lambda parts, scope: parts[0](*parts[1], **{**parts[2], **words})
    yield lambda parts, scope: parts[0](*parts[1][:1], **{**parts[2], **words})
    yield lambda parts, scope: parts[0](**{**parts[2], **words})


def _by_word(word: str) -> Iterator[Change]:
    function = getattr(np, word)
    yield lambda parts, scope: function(*parts[1], **parts[2])
    yield lambda parts, scope: getattr(parts[0].__self__, word)(*parts[1], **parts[2])


def insertions(node: ast.expr | ast.AugAssign, scope: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes that bring back an operand: ``... * name``, ``... / (1 - name)``, ..."""
    if isinstance(node, ast.AugAssign):
        return
    plain = as_written(node)
    operands = [*map(_constant, (1, 2, 3, 0.1, 0.4))]
    for name in _numbers_in(scope):
        if isinstance(scope[name], list):
            continue
        own = _from_scope(name)
        operands += [own, _after(own, lambda value: 1 - value)]
        if isinstance(scope[name], np.ndarray):
            operands += [_after(own, np.transpose), _after(own, len)]
    for operand in operands:
        for apply in _ARITHMETIC[:6]:
            yield _of_two(apply, plain, operand)
        for apply in (operator.sub, operator.truediv, operator.matmul):
            yield _of_two(apply, operand, plain)


def of_one_name(node: ast.expr | ast.AugAssign, scope: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what a helper function most often makes of its argument."""
    for name in _numbers_in(scope):
        for function in (_logistic, lambda value: value * (1 - value), np.square):
            yield _after(_from_scope(name), function)


def _of_two(apply: Callable[[Any, Any], Any], left: Change, right: Change) -> Change:
    return lambda parts, scope: apply(left(parts, scope), right(parts, scope))


def replacements(value: Any) -> Iterator[Callable[[Any, int], Any]]:
    """Yield the layouts in which a quantity of the derivation can stand in a program.

    Each is a function of the quantity and of how often the place was reached before: in a loop
    over the examples, or over units, the place asks for one row or one column after the other.
    """
    yield lambda q, turn: q
    if np.ndim(value) == 2:
        yield lambda q, turn: q.T
        yield lambda q, turn: q[turn % len(q)]
        yield lambda q, turn: q.T[turn % len(q.T)]
    if np.ndim(value) == 1:
        yield lambda q, turn: q[:, None]
        yield lambda q, turn: q[None, :]
    if np.ndim(value):
        yield lambda q, turn: np.ravel(q)[turn % np.size(q)]


def _numbers_in(scope: Mapping[str, Any]) -> list[str]:
    """Return the names of numbers, arrays and lists of them; not those of conditions."""
    return [
        name
        for name, value in scope.items()
        if isinstance(value, (*NUMBER, list)) and not isinstance(value, bool)
    ]


def _things_in(scope: Mapping[str, Any]) -> list[str]:
    """Return the names of everything but functions: numbers, generators, other objects."""
    return [name for name, value in scope.items() if not callable(value)]
