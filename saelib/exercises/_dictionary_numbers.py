"""The questions of the chapters on dictionaries whose answer is one number."""

from __future__ import annotations

import numpy as np

from saelib.exercises._numbers import Question

__all__ = ["DICTIONARY_QUESTIONS"]

DICTIONARY_QUESTIONS: dict[str, Question] = {}

DICTIONARY_QUESTIONS["neighbours-in-a-pentagon"] = Question(
    chapter="chapter 11",
    right=lambda: float(np.cos(2 * np.pi / 5)),
    wrong={
        "degrees-for-radians": (
            lambda: float(np.cos(72)),
            "The cosine was given degrees; numpy wants radians.",
        ),
        "sine": (lambda: float(np.sin(2 * np.pi / 5)), "That is the sine of the angle."),
        "next-but-one": (
            lambda: float(np.cos(4 * np.pi / 5)),
            "That is the corner next but one, which pulls the output below 0.",
        ),
        "inner-angle": (
            lambda: float(np.cos(np.deg2rad(108))),
            "108 degrees is the angle inside of the pentagon, at a corner; the directions start "
            "in the middle.",
        ),
    },
    hints=(
        "Five directions share the full circle evenly.",
        "What a reading picks up of another feature is the product of the two directions.",
    ),
)
DICTIONARY_QUESTIONS["two-at-once"] = Question(
    chapter="chapter 11",
    right=lambda: 1 - 0.95**5 - 5 * 0.05 * 0.95**4,
    wrong={
        "one-pair": (
            lambda: 0.05**2,
            "That is one pair; there are ten, and more than two may be on.",
        ),
        "ten-pairs": (
            lambda: 10 * 0.05**2,
            "Close, but probabilities of events that may happen together do not add up.",
        ),
        "exactly-two": (
            lambda: 10 * 0.05**2 * 0.95**3,
            "That is exactly two; three or more crowd each other, too.",
        ),
        "at-least-one": (lambda: 1 - 0.95**5, "That is at least one; a single one is alone."),
    },
    hints=(
        "It is easier to count the opposite: none, or exactly one.",
        "One minus both probabilities; exactly one can be any of the five.",
    ),
)
DICTIONARY_QUESTIONS["scale-that-l1-leaves"] = Question(
    chapter="chapter 12",
    right=lambda: 1 - 0.3 / 1.0,
    wrong={
        "price": (lambda: 0.3, "That is how much is missing, not what is left."),
        "price-of-the-square": (
            lambda: 1 / 1.3,
            "That is the answer of a squared penalty; the price of L1 does not grow with a.",
        ),
        "hard": (
            lambda: 1.0,
            "Nothing shrinks where the number of units has the price, but not with L1.",
        ),
    },
    hints=(
        "Set the derivative of (a - 1)²/2 + 0.3 a by a to 0.",
        "The price is taken off every activation, however large it is.",
    ),
)
DICTIONARY_QUESTIONS["bracket-of-kl-at-target-zero"] = Question(
    chapter="chapter 12, Eq. (12.4)",
    right=lambda: 0.2 / (1 - 0.25),
    wrong={
        "l1": (
            lambda: 0.2,
            "That is the bracket of L1. With the KL penalty a busy unit pays a little more.",
        ),
        "upside-down": (lambda: 0.2 * (1 - 0.25), "1 - ρ̂ stands below the line."),
        "mean": (lambda: 0.2 / 0.25, "The term with ρ̂ below the line has gone with ρ."),
        "weight-missing": (lambda: 1 / (1 - 0.25), "The bracket has the weight β in front."),
    },
    hints=(
        "Put ρ = 0 into the bracket of the KL penalty.",
        "One of the two fractions disappears.",
    ),
)
DICTIONARY_QUESTIONS["threshold-of-a-price-per-unit"] = Question(
    chapter="chapter 13, Eq. (13.1)",
    right=lambda: float(np.sqrt(2 * 0.18)),
    wrong={
        "no-root": (
            lambda: 2 * 0.18,
            "Compare the price with half of the *square* of z.",
        ),
        "root-of-the-price": (
            lambda: float(np.sqrt(0.18)),
            "The cost has a half before the square.",
        ),
        "price": (
            lambda: 0.18,
            "That is where a price per unit of activation stops; here the price is per unit that "
            "is on.",
        ),
        "half": (lambda: float(np.sqrt(0.09)), "The 2 belongs into the numerator: 2 times price."),
    },
    hints=(
        "Compare two costs: being off, and being on with a = z.",
        "Off costs z²/2, on costs the price.",
    ),
)
DICTIONARY_QUESTIONS["places-of-a-rich-example"] = Question(
    chapter="chapter 13, on BatchTopK",
    right=lambda: 5.0,
    wrong={
        "per-example": (
            lambda: 2.0,
            "That is what TopK gives each example; a batch shares its places.",
        ),
        "all": (lambda: 6.0, "Those are the places of the whole batch."),
        "other-example": (lambda: 1.0, "That is another example of the batch."),
    },
    hints=(
        "Three examples with two places each on average: how many places in all?",
        "Sort the weighted inputs of all examples together.",
    ),
)
DICTIONARY_QUESTIONS["threshold-of-a-gated-unit"] = Question(
    chapter="chapter 14, Eq. (14.2)",
    right=lambda: 0.1 + 1.5 * 0.4,
    wrong={
        "gate-only": (
            lambda: 0.4,
            "That is where the gate opens, on w·x. The threshold is the magnitude there.",
        ),
        "magnitude-bias-missing": (lambda: 1.5 * 0.4, "The bias of the magnitude is missing."),
        "gain-missing": (lambda: 0.1 + 0.4, "The magnitude is w·x times the gain, plus its bias."),
        "sign": (
            lambda: 0.1 - 1.5 * 0.4,
            "The gate opens at w·x = +0.4: its bias is negative.",
        ),
        "gain-of-all": (lambda: 1.5 * (0.4 + 0.1), "The gain multiplies w·x only, not the bias."),
    },
    hints=(
        "At which w·x does the gate open?",
        "Put that w·x into the formula of the magnitude.",
    ),
)
DICTIONARY_QUESTIONS["pull-of-the-price"] = Question(
    chapter="chapter 14, Eq. (14.5)",
    right=lambda: -0.05 * 60 / (1000 * 0.2),
    wrong={
        "sign": (
            lambda: 0.05 * 60 / (1000 * 0.2),
            "A higher threshold makes the unit cheaper, so this derivative is negative.",
        ),
        "width-missing": (lambda: -0.05 * 60 / 1000, "The width of the window is missing."),
        "half-width": (
            lambda: -0.05 * 60 / (1000 * 0.1),
            "The width stands below the line, not half of it.",
        ),
        "not-averaged": (lambda: -0.05 * 60 / 0.2, "The cost is a mean over all 1,000 examples."),
        "mean-over-the-window": (
            lambda: -0.05 / 0.2,
            "The mean is over all examples, not over those in the window.",
        ),
    },
    hints=(
        "Put g = 0 into the rule: what is left?",
        "Sixty terms, each the price over the width; then the mean over 1,000, and the minus.",
    ),
)
DICTIONARY_QUESTIONS["saved-by-absorption"] = Question(
    chapter="chapter 15",
    right=lambda: 0.125 * 0.7 * 16,
    wrong={
        "one-family": (lambda: 0.125 * 0.7, "That is one family; there are sixteen."),
        "all-parents": (
            lambda: 0.125 * 16,
            "Those are the parents that are on. A parent is silenced only where a child is on.",
        ),
        "of-all-active": (
            lambda: 0.7 / 1.7,
            "That is a share of the active units; asked for is their number per example.",
        ),
        "without-child": (
            lambda: 0.125 * 0.3 * 16,
            "Alone, the parent has to speak; the places are saved where a child is on.",
        ),
    },
    hints=(
        "In which examples can the parent's unit stay silent?",
        "For one family: the probability that a child is on. Then sixteen of them.",
    ),
)
