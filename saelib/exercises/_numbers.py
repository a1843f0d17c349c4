"""Questions whose answer is one number: predicted or computed, then checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saelib.exercises._verdict import Verdict
from saelib.sparsity import kl_divergence, kl_gradient

__all__ = ["QUESTIONS", "Question", "check_number"]


@dataclass(frozen=True)
class Question:
    """A question and what is needed to judge an answer to it.

    Attributes
    ----------
    chapter : str
        Where the book explains it.
    right : callable
        Computes the right answer.
    wrong : mapping of str to (callable, str)
        Answers that people give: name, what computes it, and what it shows.
    hints : tuple of str
        From the gentle to the plain.
    tolerance : float
        How far off an answer may be, relative to the right one; 1 % lets it be rounded.
    """

    chapter: str
    right: Callable[[], float]
    wrong: Mapping[str, tuple[Callable[[], float], str]] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    tolerance: float = 0.01


QUESTIONS: dict[str, Question] = {}


def check_number(question: str, answer: Any) -> Verdict:
    """Check the answer to one of the book's questions that ask for a number.

    Parameters
    ----------
    question : str
        Name of the question, as the exercise gives it.
    answer : float
        Your answer; rounding to three digits is fine.

    Returns
    -------
    Verdict
        Right or wrong and, for wrong answers that are common, what went wrong.

    Raises
    ------
    ValueError
        If there is no question of this name.

    Examples
    --------
    >>> from saelib.exercises import check_number
    >>> check_number("parameters-100-50", 10150)
    ✓ parameters-100-50: right.
      It agrees with an independent computation.
    >>> check_number("parameters-100-50", 10000).mistakes
    ('biases-forgotten',)
    """
    if question not in QUESTIONS:
        raise ValueError(
            f"question is {question!r}; the questions are {', '.join(sorted(QUESTIONS))}"
        )
    q = QUESTIONS[question]
    if answer is None or answer is Ellipsis:
        return Verdict(
            question,
            False,
            ("not-written",),
            ("There is no answer yet.",),
            ("Put a number in place of the three dots.",),
            q.chapter,
        )
    try:
        value = float(np.asarray(answer))
    except (TypeError, ValueError):
        word = f"The answer is a {type(answer).__name__}; one number is asked for."
        return Verdict(
            question, False, ("not-numbers",), (word,), ("Give a plain number.",), q.chapter
        )
    if _close(value, q.right(), q.tolerance):
        return Verdict(question, True, (), ("It agrees with an independent computation.",))
    for name, (computed, word) in q.wrong.items():
        if _close(value, computed(), q.tolerance):
            return Verdict(question, False, (name,), (word,), q.hints, q.chapter)
    return Verdict(
        question,
        False,
        (),
        (f"{value:.6g} is not the answer, and none of the usual wrong ones.",),
        q.hints,
        q.chapter,
    )


def _close(value: float, other: float, tolerance: float) -> bool:
    return bool(abs(value - other) <= tolerance * abs(other) + 1e-12)


QUESTIONS["parameters-100-50"] = Question(
    chapter="chapter 2",
    right=lambda: 100 * 50 + 50 * 100 + 50 + 100,
    wrong={
        "biases-forgotten": (
            lambda: 2 * 100 * 50,
            "That counts the weights alone.",
        ),
        "one-layer": (
            lambda: 100 * 50 + 50,
            "That counts the encoder alone; the decoder has weights and biases of its own.",
        ),
    },
    hints=(
        "Which numbers does training change? Go through the layers one by one.",
        "Every weight matrix has rows times columns entries, and every unit that computes has one "
        "number more.",
    ),
    tolerance=0.0,
)

# Chapter 5: rho = 0.05 and beta = 3 on a fresh network, whose units have rho_hat of about 0.5.
QUESTIONS["sparsity-push"] = Question(
    chapter="chapter 5, Eq. (5.1)",
    right=lambda: 3 * (-0.05 / 0.5 + 0.95 / 0.5),
    wrong={
        "weight-missing": (
            lambda: -0.05 / 0.5 + 0.95 / 0.5,
            "That is the slope of the divergence; its weight β is missing.",
        ),
        "slope-included": (
            lambda: 3 * (-0.05 / 0.5 + 0.95 / 0.5) / 4,
            "That is the term after the multiplication with f'(z); the term in the bracket is "
            "asked for.",
        ),
        "divergence": (
            lambda: 3 * float(kl_divergence(0.05, 0.5)),
            "That is the penalty, not its slope.",
        ),
        "sign": (
            lambda: -3 * (-0.05 / 0.5 + 0.95 / 0.5),
            "The sign is turned round: these units are active too often.",
        ),
    },
    hints=(
        "Which of the two fractions in the bracket is the larger one?",
        "The term has two fractions; both denominators are the same here.",
    ),
)
QUESTIONS["sparsity-push-tanh"] = Question(
    chapter="chapter 5, the section on tanh",
    right=lambda: 3 / 2 * (-0.05 / 0.2 + 0.95 / 0.8),
    wrong={
        "half-missing": (
            lambda: 3 * (-0.05 / 0.2 + 0.95 / 0.8),
            "That would be a sigmoid unit: moving a tanh activation by 1 moves the mean on the "
            "scale from 0 to 1 by less.",
        ),
        "mean-not-mapped": (
            lambda: 3 / 2 * (-0.05 / -0.6 + 0.95 / 1.6),
            "The mean of the tanh values went into the divergence as it is; it is not on the "
            "scale from 0 to 1.",
        ),
        "mean-not-mapped-half-missing": (
            lambda: 3 * (-0.05 / -0.6 + 0.95 / 1.6),
            "The mean of the tanh values went into the divergence as it is; it is not on the "
            "scale from 0 to 1.",
        ),
    },
    hints=(
        "What is rho_hat on the scale from 0 to 1?",
        "The chain rule has one factor more than for the sigmoid.",
    ),
)
QUESTIONS["relative-error-of-twice"] = Question(
    chapter="chapter 5, Eq. (5.3)",
    right=lambda: 1 / 3,
    wrong={
        "over-the-right-one": (
            lambda: 1.0,
            "That is the distance divided by the right gradient; Eq. (5.3) divides by something "
            "else.",
        ),
        "over-the-wrong-one": (
            lambda: 0.5,
            "That is the distance divided by the wrong gradient; Eq. (5.3) divides by something "
            "else.",
        ),
        "over-the-mean": (
            lambda: 2 / 3,
            "That is the distance divided by the mean of the two; Eq. (5.3) has no factor 1/2.",
        ),
    },
    hints=(
        "Put a = 2b into Eq. (5.3).",
        "The length of b cancels.",
    ),
)
QUESTIONS["slope-of-batches-of-one"] = Question(
    chapter="chapter 5, the section on mini-batches",
    right=lambda: float(np.mean(kl_gradient(0.2, [0.1, 0.5]))),
    wrong={
        "slope-of-the-mean": (
            lambda: float(kl_gradient(0.2, 0.3)),
            "That is the slope at the mean of both examples, which full batches use; the mean of "
            "the two slopes is asked for.",
        ),
        "summed": (
            lambda: float(np.sum(kl_gradient(0.2, [0.1, 0.5]))),
            "That is the sum of the two slopes, not their mean.",
        ),
    },
    hints=(
        "With one example in a batch, what is the mean activation of the batch?",
        "Two slopes, one negative and one positive, then their mean.",
    ),
)
