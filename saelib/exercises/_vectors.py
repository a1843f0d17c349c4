"""Exercises on vectors: the flat parameter vector, the numerical gradient, the maximal input."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step


def _flatten_cases(rng: np.random.Generator) -> list[Case]:
    def parameters(n: int, h: int) -> tuple[Any, ...]:
        return (
            rng.normal(size=(h, n)),
            rng.normal(size=(n, h)),
            rng.normal(size=h),
            rng.normal(size=n),
        )

    return [
        Case("for 4 inputs and 3 hidden units", parameters(4, 3)),
        Case("for 3 and 5", parameters(3, 5)),
    ]


FLATTEN = Exercise(
    name="flatten",
    axes={"W1": "hn", "W2": "nh", "b1": "h", "b2": "n"},
    signature="flatten(W1, W2, b1, b2)",
    chapter="chapter 1",
    cases=_flatten_cases,
    steps=(
        Step("w1", "W1, row by row", lambda W1: W1.ravel()),
        Step("w2", "W2, row by row", lambda W2: W2.ravel()),
        Step("order", "", lambda w1, w2, b1, b2: [w1, w2, b1, b2]),
        Step("result", "the flat vector", lambda order: np.concatenate(order)),
    ),
    mistakes=(
        Mistake(
            "column-major",
            "The matrices are read column by column.",
            "In which order does ravel go through a matrix if you say nothing?",
            "This book reads row by row; MATLAB, and order='F', column by column.",
            "theta = [W1(:) ; W2(:) ; ...] in MATLAB",
            edits={"w1": lambda W1: W1.ravel("F"), "w2": lambda W2: W2.ravel("F")},
        ),
        Mistake(
            "layer-by-layer",
            "The order is W1, b1, W2, b2.",
            "The weights come first, then the biases.",
            "The order of the arguments is the order in the vector.",
            edits={"order": lambda value: [value[0], value[2], value[1], value[3]]},
        ),
        Mistake(
            "weights-exchanged",
            "W2 comes before W1.",
            "Both have the same number of entries, so no error is raised.",
            "The order of the arguments is the order in the vector.",
            edits={"order": lambda value: [value[1], value[0], *value[2:]]},
        ),
        Mistake(
            "biases-exchanged",
            "b2 comes before b1.",
            "The order of the arguments is the order in the vector.",
            "Look at the end of the vector.",
            edits={"order": lambda value: [*value[:2], value[3], value[2]]},
        ),
        Mistake(
            "biases-first",
            "The biases come before the weights.",
            "The weights come first, then the biases.",
            "The order of the arguments is the order in the vector.",
            edits={"order": lambda value: [*value[2:], *value[:2]]},
        ),
        Mistake(
            "W1-transposed",
            "W1 is transposed before it is read out.",
            "Its first row should fill the first places of the vector.",
            "W1 has one row per hidden unit.",
            "programs that keep W1 as (n_features, n_hidden)",
            edits={"w1": lambda W1: W1.T.ravel()},
        ),
        Mistake(
            "W2-transposed",
            "W2 is transposed before it is read out.",
            "Its first row should follow right after W1.",
            "W2 has one row per output.",
            "programs that keep W2 as (n_hidden, n_features)",
            edits={"w2": lambda W2: W2.T.ravel()},
        ),
    ),
)


def _difference_cases(rng: np.random.Generator) -> list[Case]:
    c = rng.uniform(0.5, 2.0, size=4)

    def warm_up(x: Any) -> Any:
        return x[0] ** 2 + 3 * x[0] * x[1]

    def cubic(x: Any) -> Any:
        return np.sum(c * x**3) + np.prod(x[:2])

    return [
        Case("for x1² + 3 x1 x2", (warm_up, rng.uniform(2, 10, size=2), 1e-4)),
        Case("for a cubic in four variables", (cubic, rng.uniform(1, 3, size=4), 1e-3)),
    ]


def _points(theta: Any, moves: Any, drift: float = 0.0) -> list[tuple[Any, Any, Any]]:
    """Return above, below and at theta for each component; `drift` stays behind after its turn."""
    at, points = np.array(theta, dtype=np.float64), []
    for i, move in enumerate(moves):
        points.append((at + move, at - move, at.copy()))
        at[i] += drift
    return points


def _probe_step(call: Callable[..., Any]) -> str | None:
    """Look where f is evaluated, since the results hardly show which step was taken."""
    theta, step, seen = np.array([1.0, -2.0, 0.5]), 0.25, []

    def f(point: Any) -> float:
        seen.append(float(np.max(np.abs(np.asarray(point) - theta))))
        return float(np.sum(np.asarray(point) ** 2))

    call(f, theta, step)
    moved = [distance / step for distance in seen if distance > 1e-12]
    usual = any(np.isclose(moved, share).any() for share in (0.5, 1.0, 2.0))
    return None if usual or not moved else "step-ignored"


NUMERICAL_GRADIENT = Exercise(
    name="numerical_gradient",
    probe=_probe_step,
    signature="numerical_gradient(f, theta, step)",
    chapter="chapter 5, Eq. (5.2)",
    cases=_difference_cases,
    steps=(
        Step(
            "moves", "the step along each component", lambda theta, step: step * np.eye(len(theta))
        ),
        Step("places", "", lambda theta, moves: theta + moves),
        Step("opposite", "", lambda theta, moves: theta - moves),
        Step("points", "", lambda theta, step: _points(theta, step * np.eye(len(theta)))),
        Step("above", "f at theta + step", lambda f, points: np.array([f(p[0]) for p in points])),
        Step("below", "f at theta - step", lambda f, points: np.array([f(p[1]) for p in points])),
        Step("here", "f at theta", lambda f, points: np.array([f(p[2]) for p in points])),
        Step("change", "the numerator of Eq. (5.2)", lambda above, below: above - below),
        Step("width", "the denominator of Eq. (5.2)", lambda step: 2 * step),
        Step("result", "the gradient, Eq. (5.2)", lambda change, width: change / width),
    ),
    tolerance=3e-6,
    mistakes=(
        Mistake(
            "forward",
            "This is the one-sided difference; its error falls with step, not with step².",
            "The slope to the right is not the slope at the point. What about both sides?",
            "Eq. (5.2) never evaluates f at theta itself.",
            "the definition of the derivative taken literally",
            edits={"change": lambda above, here: above - here, "width": lambda step: step},
        ),
        Mistake(
            "backward",
            "This is the one-sided difference to the left; its error falls with step only.",
            "The slope to the left is not the slope at the point. What about both sides?",
            "Eq. (5.2) never evaluates f at theta itself.",
            edits={"change": lambda here, below: here - below, "width": lambda step: step},
        ),
        Mistake(
            "half-width",
            "The result is twice too large: the two points are 2 steps apart.",
            "How far is theta + step from theta - step?",
            "Look at the denominator of Eq. (5.2).",
            edits={"width": lambda value: value / 2},
        ),
        Mistake(
            "double-width",
            "The result is half of what it should be.",
            "How far apart are the two points at which you evaluate f?",
            "Numerator and denominator must speak of the same distance.",
            edits={"width": lambda value: value * 2},
        ),
        Mistake(
            "not-divided",
            "The difference is not divided by the distance of the two points.",
            "Halve the step: your result halves too, and a slope should not.",
            "Look at the denominator of Eq. (5.2).",
            edits={"width": lambda: 1.0},
        ),
        Mistake(
            "all-at-once",
            "All components are moved at the same time.",
            "A partial derivative moves one component and leaves the others alone.",
            "Make a vector that is 1 in one place and 0 elsewhere.",
            edits={
                "points": lambda theta, step: _points(
                    theta, step * np.ones((len(theta), len(theta)))
                )
            },
        ),
        Mistake(
            "not-restored",
            "A component is not put back after its turn: it stays one step below.",
            "Print the point before each component: is it always theta?",
            "Keep the original value and write it back, or work on a fresh copy.",
            edits={"points": lambda theta, step: _points(theta, step * np.eye(len(theta)), -step)},
        ),
        Mistake(
            "left-above",
            "A component is not put back after its turn: it stays one step above.",
            "Print the point before each component: is it always theta?",
            "Keep the original value and write it back, or work on a fresh copy.",
            edits={"points": lambda theta, step: _points(theta, step * np.eye(len(theta)), step)},
        ),
        Mistake(
            "sign",
            "The sign is turned round.",
            "For f(x) = x² at x = 3 the slope is positive.",
            "Which of the two values is subtracted from which?",
            edits={"change": lambda value: -value},
        ),
        Mistake(
            "added",
            "The two values of f are added, not subtracted.",
            "For a constant function the slope is 0. What does yours say?",
            "A slope is a difference of values over a difference of places.",
            "f(x + e) + f(x - e)",
            edits={"change": lambda above, below: above + below},
        ),
        Mistake(
            "times-step",
            "The difference is multiplied with the step: / 2 * step divides by 2 only.",
            "Halve the step: a slope should hardly change. Does yours?",
            "Brackets: what stands below the line in Eq. (5.2)?",
            "/ 2 * step for / (2 * step)",
            edits={"width": lambda step: 2 / step},
        ),
        Mistake(
            "step-ignored",
            "The argument step is not used: f is evaluated at another distance.",
            "Call your function with two very different steps: is the result the same to the last "
            "digit?",
            "Is there a number in your code where step should stand?",
            edits={
                "points": lambda theta: _points(theta, 1e-5 * np.eye(len(theta))),
                "width": lambda: 2e-5,
            },
        ),
    ),
)


def _maximal_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for four units", (rng.normal(size=(4, 6)),)),
        Case("for as many units as inputs", (rng.normal(scale=3.0, size=(5, 5)),)),
    ]


MAXIMAL_INPUTS = Exercise(
    name="maximal_inputs",
    axes={"W1": "hn"},
    signature="maximal_inputs(W1), one unit per row",
    chapter="chapter 7, Eq. (7.1)",
    cases=_maximal_cases,
    steps=(
        Step("squares", "the squared weights", lambda W1: W1**2),
        Step(
            "sum",
            "the sum of the squares of each unit",
            lambda squares: squares.sum(axis=1, keepdims=True),
        ),
        Step("norm", "the norm of each unit's weights", lambda sum: np.sqrt(sum)),
        Step("result", "the maximal input, Eq. (7.1)", lambda W1, norm: W1 / norm),
    ),
    mistakes=(
        Mistake(
            "raw",
            "These are the raw weights; their norm is not 1.",
            "The input may have norm 1 at most. What is the norm of yours?",
            "Eq. (7.1) has a denominator.",
            edits={"norm": lambda: 1.0},
        ),
        Mistake(
            "squared-norm",
            "The weights are divided by the squared norm: a square root is missing.",
            "What is the norm of your rows? It should be 1.",
            "Eq. (7.1) has a root below the line.",
            edits={"norm": lambda value: value**2},
        ),
        Mistake(
            "columns",
            "The norms run over the units instead of over the inputs of each unit.",
            "Each unit has its own maximal input, and each of them has norm 1.",
            "Which axis holds the weights of one unit?",
            edits={"norm": lambda W1: np.sqrt(np.sum(W1**2, axis=0))},
        ),
        Mistake(
            "largest-entry",
            "Each row is divided by its largest entry; that is good for a picture, not for a norm.",
            "Which constraint did the derivation use: on each pixel, or on the sum of squares?",
            "The norm of Eq. (7.1) is the Euclidean one.",
            edits={"norm": lambda W1: np.abs(W1).max(axis=1, keepdims=True)},
        ),
        Mistake(
            "sum-of-absolute-values",
            "Each row is divided by the sum of its absolute values.",
            "The constraint is on the sum of squares.",
            "The norm of Eq. (7.1) is the Euclidean one.",
            edits={"norm": lambda W1: np.abs(W1).sum(axis=1, keepdims=True)},
        ),
        Mistake(
            "sum",
            "Each row is divided by its plain sum, which can be 0 or negative.",
            "Weights of both signs cancel in a sum.",
            "The norm of Eq. (7.1) is the Euclidean one.",
            edits={"norm": lambda W1: W1.sum(axis=1, keepdims=True)},
        ),
        Mistake(
            "one-norm-for-all",
            "One norm is used for all units; each unit has its own.",
            "Each of the rows must have norm 1.",
            "Sum along axis 1 and keep the dimension.",
            edits={"norm": lambda W1: np.sqrt(np.sum(W1**2))},
        ),
        Mistake(
            "sign-pattern",
            "Only the signs of the weights are used.",
            "That is the answer to another constraint: every pixel at most 1 in size.",
            "The constraint here is on the sum of squares.",
            edits={"result": lambda W1: np.sign(W1) / np.sqrt(W1.shape[1])},
        ),
        Mistake(
            "minimal",
            "The sign is turned round: this input excites the unit least.",
            "Multiply your input with the weights: is the result as large as possible?",
            "Of the two stationary points of the Lagrangian, take the maximum.",
            edits={"result": lambda value: -value},
        ),
        Mistake(
            "absolute",
            "The signs of the weights are lost.",
            "A negative weight is excited by a dark pixel.",
            "A norm needs squares or absolute values, but only below the line.",
            edits={"result": lambda value: np.abs(value)},
        ),
        Mistake(
            "mean-removed",
            "The mean of the weights is taken off first.",
            "Is your input proportional to the weights?",
            "Eq. (7.1) has the weights as they are above the line.",
            edits={
                "result": lambda W1: (
                    (W1 - W1.mean(axis=1, keepdims=True))
                    / np.sqrt(
                        np.sum((W1 - W1.mean(axis=1, keepdims=True)) ** 2, axis=1, keepdims=True)
                    )
                )
            },
        ),
        Mistake(
            "mean-removed-largest-entry",
            "The mean is taken off and the largest entry set to 1: that makes a picture, not an "
            "input of norm 1.",
            "What is the norm of your rows? It should be 1.",
            "Eq. (7.1): the weights over their norm, nothing else.",
            "display functions of the assignment",
            edits={
                "result": lambda W1: (
                    (W1 - W1.mean(axis=1, keepdims=True))
                    / np.abs(W1 - W1.mean(axis=1, keepdims=True)).max(axis=1, keepdims=True)
                )
            },
        ),
    ),
)
