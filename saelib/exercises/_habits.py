"""What is seen in the learner's program as it is written: memory, and a loop that ends too soon."""

from __future__ import annotations

import ast
import dis
from typing import Any

import numpy as np

from saelib.exercises._source import program_of

__all__ = ["early_return", "kept_names", "lost_result"]

# Functions of numpy whose only effect is what they return.
# fmt: off
_RETURNING = {
    "abs", "add", "append", "clip", "concatenate", "delete", "divide", "dot", "exp",
    "hstack", "insert", "log", "matmul", "maximum", "mean", "minimum", "multiply", "outer",
    "ravel", "reshape", "sort", "sqrt", "square", "stack", "subtract", "sum", "transpose",
    "vstack", "where",
}
# fmt: on


def kept_names(function: Any) -> tuple[str, ...]:
    """Return the names whose values last from one call of `function` to the next.

    These are global names and names of an enclosing function that it gives a value to, and
    arguments whose default is a list, a dictionary, a set or an array.
    """
    program = program_of(function)
    if program is None:
        return ()
    names: list[str] = []
    for unit in program.units:
        code = unit.function.__code__
        for step in dis.get_instructions(code):
            outside = step.opname == "STORE_DEREF" and step.argval in code.co_freevars
            if step.opname == "STORE_GLOBAL" or outside:
                names.append(str(step.argval))
        given = unit.function.__defaults__ or ()
        last = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
        mutable = (list, dict, set, np.ndarray)
        names += [
            name for name, value in zip(last, given, strict=True) if isinstance(value, mutable)
        ]
    return tuple(dict.fromkeys(names))


def early_return(function: Any) -> tuple[int, int] | None:
    """Return the lines of a `return` that is reached in the first turn of a loop, and of the loop.

    Only a return that stands in the loop itself is meant: under an `if` it may be what is wanted.
    """
    program = program_of(function)
    if program is None:
        return None
    for node in ast.walk(program.units[0].tree):
        if not isinstance(node, (ast.For, ast.While)):
            continue
        if any(isinstance(inner, (ast.Continue, ast.Break)) for inner in ast.walk(node)):
            continue
        for statement in node.body:
            if isinstance(statement, ast.Return):
                return statement.lineno, node.lineno
    return None


def lost_result(function: Any) -> tuple[int, str] | None:
    """Return the line and the text of a statement that computes something and keeps nothing."""
    program = program_of(function)
    if program is None:
        return None
    for unit in program.units:
        for node in ast.walk(unit.tree):
            if isinstance(node, ast.Expr) and _keeps_nothing(node.value, unit.function):
                return node.lineno, ast.unparse(node)
    return None


def _keeps_nothing(node: ast.expr, function: Any) -> bool:
    if isinstance(node, (ast.BinOp, ast.Compare)):
        return True
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and function.__globals__.get(node.func.value.id) is np
        and node.func.attr in _RETURNING
        and not any(keyword.arg == "out" for keyword in node.keywords)
    )
