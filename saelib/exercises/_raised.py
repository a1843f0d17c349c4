"""What stopped a function: the line, the expression, and the shapes of what stands in it."""

from __future__ import annotations

import ast
import linecache
import re
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from saelib.exercises._learner import is_learners_code

__all__ = ["explain"]


def explain(error: BaseException) -> tuple[str, str, int | None]:
    """Return in words what was raised where, a hint that leads to the cause, and the line."""
    name, text = type(error).__name__, _text(error)
    place = _place(error.__traceback__)
    if place is None:
        return f"The function stopped with {name}: {text}", _hint(error, text, []), None
    frame, line, node = place
    where = f"Line {line}"
    if node is None:
        return f"{where} stopped with {name}: {text}", _hint(error, text, []), line
    operands = _operands(node, frame)
    where += f", `{_short(ast.unparse(node))}`,"
    shapes = "; ".join(f"`{source}` {what}" for source, what in operands)
    hint = _hint(error, text, operands)
    if isinstance(error, IndexError) and _picks_rows(node, dict(operands)):
        hint = (
            "A single array in square brackets picks along the first axis, whole rows of a matrix. "
            "Do its numbers stand for rows here, or for places within each row?"
        )
    return (
        f"{where} stopped with {name}: {text}" + (f" Here {shapes}." if shapes else ""),
        hint,
        line,
    )


def _picks_rows(node: ast.expr, operands: dict[str, str]) -> bool:
    """Return whether a matrix, or more, is indexed by one array alone."""
    if not isinstance(node, ast.Subscript):
        return False
    of, by = (operands.get(_short(ast.unparse(part)), "") for part in (node.value, node.slice))
    return of.count(",") > 0 and "(," not in of and ",)" not in of and by.startswith("has shape (")


def _text(error: BaseException) -> str:
    try:
        text = (str(error).splitlines() or [""])[0]
    except Exception:  # an error whose own __str__ raises
        return "(its message cannot be shown)"
    # The signature of the generalized ufunc behind @ says nothing to a learner.
    text = re.sub(r", with gufunc signature .*?\(size", " (size", text)
    text = text.rstrip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def _place(traceback: TracebackType | None) -> tuple[FrameType, int, ast.expr | None] | None:
    """Return frame, line and expression of the innermost line of the learner's own."""
    found = None
    while traceback is not None:
        if is_learners_code(traceback.tb_frame.f_code):
            found = traceback
        traceback = traceback.tb_next
    if found is None:
        return None
    code = found.tb_frame.f_code
    start, end, column, end_column = list(code.co_positions())[found.tb_lasti // 2]
    if None in (start, end, column, end_column):
        return found.tb_frame, found.tb_lineno, None
    lines = [linecache.getline(code.co_filename, k) for k in range(start or 0, (end or 0) + 1)]
    raw = "".join(lines).encode()
    tail = len(lines[-1].encode()) - (end_column or 0) if lines else 0
    piece = raw[column : len(raw) - tail].decode(errors="replace")
    try:
        tree = ast.parse(f"({piece})", mode="eval").body
    except SyntaxError:
        return found.tb_frame, start or found.tb_lineno, None
    return found.tb_frame, start or found.tb_lineno, tree


def _operands(node: ast.expr, frame: FrameType) -> list[tuple[str, str]]:
    """Return the parts of the expression with their shapes, where they can be had safely."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call):
        parts = list(node.args)
        if isinstance(node.func, ast.Attribute):
            parts = [node.func.value, *parts]
    elif isinstance(node, ast.Subscript):
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        parts = [node.value, *(part for part in index if not isinstance(part, ast.Slice))]
    seen: dict[str, str] = {}
    for part in parts:
        # Nothing is called here: the line has run once already, and may do something on its way.
        if any(isinstance(inner, (ast.Call, ast.Await, ast.NamedExpr)) for inner in ast.walk(part)):
            continue
        try:
            code = compile(ast.Expression(part), "<part>", "eval")
            with np.errstate(all="ignore"):
                value = eval(code, frame.f_globals, frame.f_locals)
        except Exception:
            continue
        if isinstance(value, np.ndarray):
            seen[_short(ast.unparse(part))] = f"has shape {value.shape}"
        elif isinstance(value, (list, tuple)):
            seen[_short(ast.unparse(part))] = f"is a {type(value).__name__} of {len(value)}"
        elif value is None:
            seen[_short(ast.unparse(part))] = "is None"
    return list(seen.items())


def _short(source: str) -> str:
    return source if len(source) <= 60 else f"{source[:57]}..."


def _hint(error: BaseException, text: str, operands: list[Any]) -> str:
    if isinstance(error, ValueError) and text.startswith("The truth value of an array"):
        return (
            "A comparison with an array has one answer per entry, and if, and, or, not need a "
            "single one. What should happen to each entry by itself?"
        )
    if isinstance(error, ValueError) and re.search("shape|dimension|matmul|align", text):
        if "matmul" in text or "align" in text or "core dimension" in text:
            return (
                "In a product A @ B the last axis of A must be as long as the first of B: which "
                "axis is to be summed over here? Write the shape of every factor under the formula."
            )
        if "broadcast" in text:
            return (
                "Arrays that are added or multiplied entry by entry need axes of the same length, "
                "or of length 1. A mean or a norm per row keeps its axis with keepdims=True."
            )
        if "reshape" in text:
            return "Count the entries: reshaping can only arrange them anew, not add or drop any."
        return "Write the shape of every array under the formula, and compare it with what comes."
    if isinstance(error, UnboundLocalError):
        return "The name gets its value further down, or in a branch that was not taken."
    if isinstance(error, NameError):
        return "Is the name spelled as where it got its value, and has that cell been run?"
    if isinstance(error, TypeError) and "argument" in text:
        return "Compare the arguments of your function with those in the task, in their order."
    if isinstance(error, TypeError) and "NoneType" in text:
        return "Something gave None: a function without return, or a method that works in place."
    if isinstance(error, TypeError):
        return "Look at the type of each part: a function without its brackets, or a list?"
    if isinstance(error, IndexError):
        return "Which is the largest index that is still inside? It is one less than the length."
    if isinstance(error, AttributeError):
        return "Which kind of object is it, and has it a method or attribute of this name?"
    if isinstance(error, RecursionError):
        return "A function that calls itself needs a case in which it does not."
    return "Call the function on a small example of your own and read the last line of the error."
