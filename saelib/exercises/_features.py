"""Exercises on what features are: nested dictionaries, and the units that two of them share."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from saelib.exercises._derivation import Case, Exercise, Mistake, Step


def _nested_cases(rng: np.random.Generator) -> list[Case]:
    def case(m: int, n: int, prefixes: tuple[int, ...]) -> tuple[Any, ...]:
        errors = rng.normal(size=(len(prefixes), m, n))
        return errors, rng.normal(size=(n, prefixes[-1])), prefixes

    return [
        Case("for two prefixes", case(7, 4, (2, 6))),
        Case("for three prefixes", case(8, 3, (2, 3, 7))),
        Case("for as many units as inputs", case(6, 6, (1, 3, 6))),
    ]


NESTED_BACK = Exercise(
    name="nested_back",
    axes={"errors": "lmn", "W2": "nh"},
    signature="nested_back(errors, W2, prefixes)",
    chapter="chapter 15, Eq. (15.3)",
    cases=_nested_cases,
    steps=(
        Step("count", "", lambda prefixes: len(prefixes)),
        Step(
            "sums",
            "the errors summed up from the back",
            lambda errors: np.cumsum(errors[::-1], axis=0)[::-1],
        ),
        Step("means", "the error of each block, Eq. (15.3)", lambda sums, count: sums / count),
        Step(
            "block",
            "the block of each unit",
            lambda prefixes, W2: np.searchsorted(prefixes, np.arange(W2.shape[1]), side="right"),
        ),
        Step(
            "result",
            "what is passed back to each unit",
            lambda means, block, W2: np.stack(
                [means[b] @ W2[:, j] for j, b in enumerate(block)], axis=1
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "from-the-front",
            "The errors are summed up from the front.",
            "In which prefixes is a unit of the first block? And one of the last block?",
            "The first block is in all prefixes, the last one only in the last.",
            edits={"sums": lambda errors: np.cumsum(errors, axis=0)},
        ),
        Mistake(
            "own-prefix-only",
            "Each block hears only the error of its own prefix.",
            "Does the last reconstruction change if a unit of the first block does?",
            "A block is part of its own prefix and of all longer ones.",
            edits={"sums": lambda errors: errors},
        ),
        Mistake(
            "last-prefix-only",
            "Every block hears only the error of the last prefix: that is the plain cost.",
            "What forces the first block to do without the others?",
            "A block is part of its own prefix and of all longer ones.",
            edits={"sums": lambda errors: np.broadcast_to(errors[-1], errors.shape)},
        ),
        Mistake(
            "all-prefixes",
            "Every block hears the errors of all prefixes, also of those that it is not in.",
            "Does the first reconstruction change if a unit of the last block does?",
            "A block is part of its own prefix and of all longer ones.",
            edits={"sums": lambda errors: np.broadcast_to(errors.sum(axis=0), errors.shape)},
        ),
        Mistake(
            "longer-only",
            "A block hears the errors of the longer prefixes, but not that of its own.",
            "Is a block part of its own prefix?",
            "The sum begins with the block's own prefix.",
            edits={"sums": lambda value, errors: value - errors},
        ),
        Mistake(
            "not-averaged",
            "The errors are summed, not averaged over the prefixes.",
            "What stands in front of the sum in Eq. (15.2)?",
            "Divide by the number of prefixes, for every block the same.",
            edits={"count": lambda: 1},
        ),
        Mistake(
            "averaged-over-its-own",
            "Each block divides by the number of prefixes that it is in.",
            "What stands in front of the sum in Eq. (15.2)?",
            "The number of all prefixes, for every block the same.",
            edits={
                "means": lambda sums, errors: sums / np.arange(len(errors), 0, -1)[:, None, None],
            },
        ),
        Mistake(
            "sizes-for-ends",
            "The prefixes are read as sizes of blocks; they are where blocks end.",
            "How many units has the second block, if the prefixes are 2 and 6?",
            "The second block reaches from the first prefix to the second.",
            "group sizes, as other programs take them",
            edits={
                "block": lambda prefixes, W2: np.minimum(
                    np.searchsorted(np.cumsum(prefixes), np.arange(W2.shape[1]), side="right"),
                    len(prefixes) - 1,
                ),
            },
        ),
        Mistake(
            "off-by-one",
            "Each block begins one unit too late.",
            "Which is the first unit that is not among the first two, counted from 0?",
            "A prefix of 2 holds the units 0 and 1.",
            edits={
                "block": lambda prefixes, W2: np.searchsorted(
                    prefixes, np.arange(W2.shape[1]), side="left"
                ),
            },
        ),
        Mistake(
            "sign",
            "The sign is wrong.",
            "The errors are reconstruction minus data.",
            "Nothing in Eq. (15.3) turns a sign round.",
            edits={"result": lambda value: -value},
        ),
    ),
)


def _shared_cases(rng: np.random.Generator) -> list[Case]:
    # Some columns are the same, three are turned round, and several want the same partner: more
    # of the second dictionary than of the first, so that it shows from whose side one looks.
    # Where most units of both look for nearly the same, even the worst pairs are close in part: a
    # share of 0 is not theirs alone.
    def case(n: int, h: int, n_same: int, n_alike: int = 0) -> tuple[Any, ...]:
        W2, other = rng.normal(size=(2, n, h))
        other[:, :n_same] = W2[:, :n_same]
        other[:, n_same : n_same + 3] = -W2[:, n_same : n_same + 3]
        W2[:, n_same + 3] = W2[:, 0] + 0.02 * rng.normal(size=n)
        for k in (3, 4):
            other[:, n_same + k] = other[:, 1] + 0.02 * rng.normal(size=n)
        if n_alike:
            alike = rng.normal(size=(n, 1)) + 0.03 * rng.normal(size=(2, n, n_alike))
            W2[:, -n_alike:], other[:, -n_alike:] = alike
        lengths, other_lengths = rng.uniform(0.2, 2, size=h), rng.uniform(1, 4, size=h)
        order = np.append([0, 1], 2 + rng.permutation(h - 2))  # two are at the same place
        return lengths * W2, (other_lengths * other)[:, order]

    return [
        Case("for 20 units in 12 dimensions", case(12, 20, 5)),
        Case("for 24 units in 14 dimensions", case(14, 24, 4, 16)),
        Case("for as many units as dimensions", case(18, 18, 7)),
    ]


SHARED_UNITS = Exercise(
    name="shared_units",
    axes={"W2": "nh", "other": "nh"},
    signature="shared_units(W2, other)",
    chapter="chapter 15, on seeds, and Eq. (12.1)",
    cases=_shared_cases,
    steps=(
        Step("length", "", lambda W2: np.linalg.norm(W2, axis=0)),
        Step("other_length", "", lambda other: np.linalg.norm(other, axis=0)),
        Step("unit", "the columns with norm 1", lambda W2, length: W2 / length),
        Step(
            "other_unit",
            "the other columns with norm 1",
            lambda other, other_length: other / other_length,
        ),
        Step("cosines", "all cosines", lambda unit, other_unit: unit.T @ other_unit),
        Step(
            "pairs",
            "the pairs, Eq. (12.1)",
            lambda cosines: linear_sum_assignment(cosines, maximize=True),
        ),
        Step("matched", "the cosines of the pairs", lambda cosines, pairs: cosines[pairs]),
        Step("close", "which are close", lambda matched: matched > 0.9),
        Step("result", "the share", lambda close: close.mean()),
    ),
    mistakes=(
        Mistake(
            "best-for-each",
            "Each unit takes its best partner, whoever else has taken it.",
            "Can two units of one dictionary be the same unit of the other?",
            "The pairs are one to one.",
            "a maximum along an axis",
            edits={"matched": lambda cosines: cosines.max(axis=1)},
        ),
        Mistake(
            "best-for-each-of-the-other",
            "Each unit of the other dictionary takes its best partner, whoever else has taken it.",
            "Can two units of one dictionary be the same unit of the other?",
            "The pairs are one to one.",
            "a maximum along the other axis",
            edits={"matched": lambda cosines: cosines.max(axis=0)},
        ),
        Mistake(
            "same-place",
            "Units are compared with those at the same place.",
            "Does the order of the hidden units mean anything?",
            "Match them first.",
            edits={"matched": lambda cosines: np.diagonal(cosines)},
        ),
        Mistake(
            "not-normalized",
            "Products of columns are compared with 0.9, not cosines.",
            "Make one dictionary twice as long: should its units agree more?",
            "Divide the columns of both by their norms.",
            edits={"unit": lambda W2: W2, "other_unit": lambda other: other},
        ),
        Mistake(
            "one-normalized",
            "Only one of the two dictionaries is divided by its norms.",
            "Make the other one twice as long: should its units agree more?",
            "A cosine has two norms below the line.",
            edits={"other_unit": lambda other: other},
        ),
        Mistake(
            "rows-normalized",
            "The rows are divided by their norms; a unit's direction is a column.",
            "Which axis of W2 (n_features, n_hidden) holds one direction?",
            "Norms along axis 0.",
            edits={
                "unit": lambda W2: W2 / np.linalg.norm(W2, axis=1, keepdims=True),
                "other_unit": lambda other: other / np.linalg.norm(other, axis=1, keepdims=True),
            },
        ),
        Mistake(
            "worst-pairs",
            "The assignment minimizes the sum of the cosines.",
            "What does the solver minimize, if nothing is said?",
            "Ask for the maximum, or turn the sign round.",
            edits={"pairs": lambda cosines: linear_sum_assignment(cosines)},
        ),
        Mistake(
            "absolute",
            "Opposite directions count as the same.",
            "Activations are not negative. Is a unit that looks for -x the same as one for x?",
            "Leave the sign of the cosines.",
            edits={"cosines": lambda value: np.abs(value)},
        ),
        Mistake(
            "mean-cosine",
            "This is the mean cosine of the pairs, not the share of those that are close.",
            "Asked for is a share.",
            "Compare with 0.9, then average.",
            edits={"result": lambda matched: matched.mean()},
        ),
        Mistake(
            "count",
            "This is a number of units, not a share.",
            "Asked for is a share.",
            "Divide by the number of units.",
            edits={"result": lambda close: close.sum()},
        ),
    ),
)

EXERCISES = (NESTED_BACK, SHARED_UNITS)
