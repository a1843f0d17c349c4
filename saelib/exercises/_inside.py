"""Exercises on a real network: what a unit says, and what happens without it."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from typing import Any

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step
from saelib.exercises._numbers import Question

INSIDE_QUESTIONS: dict[str, Question] = {
    "f1-of-always-yes": Question(
        chapter="chapter 16, Eq. (16.3)",
        right=lambda: 2 * 0.25 / (1 + 0.25),
        wrong={
            "share": (
                lambda: 0.25,
                "That is the precision of always saying yes; its recall is 1.",
            ),
            "recall": (lambda: 1.0, "That is the recall; three of four yesses are wrong."),
            "mean": (
                lambda: (0.25 + 1) / 2,
                "That is the mean of precision and recall; F1 is the harmonic one, closer to the "
                "smaller of the two.",
            ),
            "accuracy": (lambda: 0.75, "That is how often always saying *no* is right."),
            "two-missing": (
                lambda: 0.25 / (1 + 0.25),
                "The hits count twice in Eq. (16.3).",
            ),
        },
        hints=(
            "Take a hundred examples: how many hits, how many yesses, how many true ones?",
            "Twice the hits, over the sum of the other two.",
        ),
    )
}


def _f1_cases(rng: np.random.Generator) -> list[Case]:
    # Many scores are equal, as a silent unit's are, and where they are the true ones come first.
    def case(m: int, n_silent: int, gain: float = 1.2) -> tuple[Any, ...]:
        truth = rng.random(m) < 0.35
        truth[:3], truth[3:6] = True, False
        scores = np.round(rng.normal(size=m) + gain * truth + max(0.0, -gain), 0) + 0.25
        scores[rng.permutation(m)[:n_silent]] = 0.0
        scores = np.where(scores < 0, 0.0, scores)
        order = np.lexsort((~truth, scores))
        return scores[order], truth[order]

    return [
        Case("for 40 examples", case(40, 6)),
        Case("for a unit that is mostly silent", case(60, 25)),
        Case("for a unit that is against it", case(90, 2, gain=-1.8)),
    ]


BEST_F1 = Exercise(
    name="best_f1",
    axes={"scores": "m", "truth": "m"},
    signature="best_f1(scores, truth)",
    chapter="chapter 16, Eq. (16.3)",
    cases=_f1_cases,
    steps=(
        Step(
            "order",
            "the examples, highest score first",
            lambda scores: np.argsort(-scores, kind="stable"),
        ),
        Step("falling", "the scores in that order", lambda scores, order: scores[order]),
        Step("hits", "the hits", lambda truth, order: np.cumsum(truth[order])),
        Step("n_yes", "the number of yesses", lambda scores: np.arange(1, len(scores) + 1)),
        Step("n_true", "the number of true ones", lambda truth: truth.sum()),
        Step(
            "f1",
            "F1 at every place where one can cut",
            lambda hits, n_yes, n_true: 2 * hits / (n_yes + n_true),
        ),
        Step(
            "cuts",
            "where one can cut: between different scores",
            lambda falling: np.append(falling[:-1] != falling[1:], True),
        ),
        Step("result", "the best of them", lambda f1, cuts: f1[cuts].max()),
    ),
    mistakes=(
        Mistake(
            "ties-cut",
            "Examples with the same score are told apart.",
            "Which threshold says yes to one of two equal scores, and no to the other?",
            "Only where the next score is a different one is there a threshold.",
            "silent units, whose scores are all 0",
            edits={"cuts": lambda falling: np.ones(len(falling), dtype=bool)},
        ),
        Mistake(
            "lowest-first",
            "The yesses go to the lowest scores.",
            "Does a unit that is strong say yes or no?",
            "Sort so that the highest score comes first.",
            edits={"order": lambda scores: np.argsort(scores, kind="stable")},
        ),
        Mistake(
            "precision",
            "This is the best precision: hits over yesses.",
            "What does a unit that says yes only once, and rightly, get?",
            "F1 asks for the true ones that were missed as well.",
            edits={"f1": lambda hits, n_yes: hits / n_yes},
        ),
        Mistake(
            "accuracy",
            "This is the best accuracy: how often the answer is right.",
            "What does always saying no get where the label is rare?",
            "In Eq. (16.3) examples that are rightly called no do not count.",
            edits={
                "f1": lambda hits, n_yes, n_true: (
                    (2 * hits + len(hits) - n_yes - n_true) / len(hits)
                ),
            },
        ),
        Mistake(
            "arithmetic-mean",
            "Precision and recall are averaged; F1 is their harmonic mean.",
            "What does always saying yes get, with one true example in a hundred?",
            "Twice the hits, over yesses plus true ones.",
            edits={
                "f1": lambda hits, n_yes, n_true: (hits / n_yes + hits / n_true) / 2,
            },
        ),
        Mistake(
            "two-missing",
            "All is half of what it should be.",
            "What should a perfect unit get?",
            "The hits count twice: they are among the yesses and among the true ones.",
            edits={"f1": lambda hits, n_yes, n_true: hits / (n_yes + n_true)},
        ),
        Mistake(
            "overlap",
            "This is the overlap, hits over all that are in either of the two.",
            "F1 counts hits twice, above and below the line.",
            "Below the line stand yesses plus true ones, hits in both.",
            edits={"f1": lambda hits, n_yes, n_true: hits / (n_yes + n_true - hits)},
        ),
        Mistake(
            "at-zero-only",
            "Only one threshold is tried: yes wherever the unit is active.",
            "Could a higher threshold do better?",
            "Try every threshold, and take the best.",
            edits={
                "result": lambda scores, truth: (
                    2 * ((scores > 0) & truth).sum() / ((scores > 0).sum() + truth.sum())
                ),
            },
        ),
        Mistake(
            "always-yes",
            "This is F1 with a yes for every example.",
            "Which entry of the running sums did you take?",
            "The best threshold is seldom the lowest.",
            edits={"result": lambda f1: f1[-1]},
        ),
        Mistake(
            "mean-of-all",
            "The values of all thresholds are averaged.",
            "Who chooses the threshold?",
            "Take the best of them.",
            edits={"result": lambda f1, cuts: f1[cuts].mean()},
        ),
    ),
)


def _without_cases(rng: np.random.Generator) -> list[Case]:
    def case(m: int, n: int, h: int) -> tuple[Any, ...]:
        A = np.where(rng.random((m, h)) < 0.6, rng.uniform(0.5, 2, size=(m, h)), 0.0)
        A[:2, 1] = 0.0, 1.5
        W2 = rng.normal(size=(n, h))
        W2 /= np.linalg.norm(W2, axis=0)
        return rng.normal(size=(m, n)), A, W2, 1, float(rng.uniform(2.0, 4.0))

    return [
        Case("for 6 units in 4 dimensions", case(7, 4, 6)),
        Case("for 9 units in 5 dimensions", case(8, 5, 9)),
        Case("for as many units as dimensions", case(9, 6, 6)),
    ]


WITHOUT_UNIT = Exercise(
    name="without_unit",
    axes={"stream": "mn", "A": "mh", "W2": "nh"},
    signature="without_unit(stream, A, W2, unit, scale)",
    chapter="chapter 16, Eq. (16.4)",
    cases=_without_cases,
    steps=(
        Step("strength", "the activations of the unit", lambda A, unit: A[:, unit]),
        Step("direction", "its column", lambda W2, unit: W2[:, unit]),
        Step(
            "written",
            "what the unit writes",
            lambda strength, direction: np.outer(strength, direction),
        ),
        Step("in_units", "that in units of the network", lambda written, scale: written / scale),
        Step("result", "the stream without it", lambda stream, in_units: stream - in_units),
    ),
    mistakes=(
        Mistake(
            "scale-missing",
            "What is taken away is in the units of the dictionary, not of the network.",
            "By what were the rows multiplied before the dictionary saw them?",
            "Divide by the scale.",
            edits={"in_units": lambda written: written},
        ),
        Mistake(
            "scale-twice",
            "What is taken away was multiplied by the scale, which has to be undone.",
            "The dictionary saw the rows times the scale. How does one get back?",
            "Divide by the scale.",
            edits={"in_units": lambda written, scale: written * scale},
        ),
        Mistake(
            "sign",
            "The unit is added once more, not taken away.",
            "What should be left if the unit was all there is?",
            "Subtract what it writes.",
            edits={"result": lambda stream, in_units: stream + in_units},
        ),
        Mistake(
            "all-units",
            "All units are taken away, not one.",
            "What does this show about a single unit?",
            "One column of the code, and one of the dictionary.",
            edits={"written": lambda A, W2: A @ W2.T},
        ),
        Mistake(
            "only-this-unit",
            "This is what the unit writes; asked for is the stream without it.",
            "What has the network written besides?",
            "Subtract it from the stream.",
            edits={"result": lambda in_units: in_units},
        ),
        Mistake(
            "projected-out",
            "All that lies along the direction is taken away, whoever has written it.",
            "Other units are not at right angles to this one. Do they lose something?",
            "The unit has written its activation times its column, no more.",
            "projections, as they are common for probes",
            edits={
                "in_units": lambda stream, direction: np.outer(stream @ direction, direction),
            },
        ),
        Mistake(
            "reconstruction",
            "The stream is replaced by the reconstruction; what that leaves out is lost as well.",
            "Take away a unit that is silent: does the stream change?",
            "Start from the stream and subtract.",
            "programs that put the reconstruction in place of the stream",
            edits={
                "result": lambda A, W2, written, scale: (A @ W2.T - written) / scale,
            },
        ),
        Mistake(
            "mean-strength",
            "Every row loses the same, the unit's mean activation.",
            "What should a row lose in which the unit is silent?",
            "Each row has an activation of its own.",
            edits={"strength": lambda value: np.full_like(value, value.mean())},
        ),
        Mistake(
            "strength-missing",
            "Every row loses one whole column, however strong the unit is.",
            "What should a row lose in which the unit is silent?",
            "The column times the activation.",
            edits={"strength": lambda value: np.ones_like(value)},
        ),
    ),
)

EXERCISES = (BEST_F1, WITHOUT_UNIT)
