"""Questions whose answer is one number: predicted or computed, then checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from saelib.exercises._learner import name_of_answer
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
    verdict = _judge(question, answer)
    return replace(verdict, call=_call_as_typed(question, answer))


def _call_as_typed(question: str, answer: Any) -> str:
    # A number, unlike an array, can be typed as it is.
    typed = name_of_answer(answer) or (repr(answer) if isinstance(answer, (int, float)) else "")
    return f'check_number("{question}", {typed})' if typed else ""


def _judge(question: str, answer: Any) -> Verdict:
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
        if isinstance(answer, (str, bytes)):
            raise TypeError
        value = float(np.asarray(answer.detach() if hasattr(answer, "detach") else answer))
    except Exception:  # whatever the object's own conversion raises
        word = f"The answer is a {type(answer).__name__}; one number is asked for."
        return Verdict(
            question, False, ("not-numbers",), (word,), ("Give a plain number.",), q.chapter
        )
    if _close(value, q.right(), q.tolerance):
        return Verdict(question, True, (), ("It agrees with an independent computation.",))
    for name, (computed, word) in q.wrong.items():
        if _close(value, computed(), q.tolerance):
            return Verdict(question, False, (name,), (word,), q.hints, q.chapter)
    for name, (computed_value, word) in _near_relatives(q.right(), q.tolerance).items():
        if _close(value, computed_value, q.tolerance):
            return Verdict(question, False, (name,), (word,), q.hints, q.chapter)
    return Verdict(
        question,
        False,
        (),
        (f"{value:.6g} is not the answer, and none of the usual wrong ones.",),
        q.hints,
        q.chapter,
    )


def _near_relatives(right: float, tolerance: float) -> dict[str, tuple[float, str]]:
    """Return what a slip that any question allows makes of the right answer, and its words.

    An answer that is exact is a count or the number of a line: half of it shows nothing there.
    """
    near = {"opposite-sign": (-right, "The size is right, the sign is not.")}
    if abs(right) <= 1:
        near["in-percent"] = (100 * right, "That is in percent; a plain number is asked for.")
    if tolerance == 0 or right == 0:
        return near
    if 0 < right < 1:
        near["complement"] = (1 - right, "That and the right answer add up to 1.")
    two = "There is a factor of 2 between that and the right answer: look for a half, or a double."
    near["doubled"], near["halved"] = (2 * right, two), (right / 2, two)
    if right > 0:
        square = "There is a square, or a root, between that and the right answer."
        near["squared"], near["root"] = (right**2, square), (float(np.sqrt(right)), square)
    near["upside-down"] = (
        1 / right,
        "The fraction is upside down: that times the right answer is 1.",
    )
    return near


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
        "biases-of-one-layer": (
            lambda: 100 * 50 + 50 * 100 + 100,
            "The biases of one of the two layers are missing.",
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
QUESTIONS["activation-at-the-maximal-input"] = Question(
    chapter="chapter 7, Eq. (7.1)",
    right=lambda: 1 / (1 + np.exp(-(np.hypot(0.3, 0.4) - 1))),
    wrong={
        "before-activation": (
            lambda: np.hypot(0.3, 0.4) - 1,
            "That is z; the unit gives f(z).",
        ),
        "bias-forgotten": (
            lambda: 1 / (1 + np.exp(-np.hypot(0.3, 0.4))),
            "The bias is missing.",
        ),
        "raw-weights": (
            lambda: 1 / (1 + np.exp(-(0.25 - 1))),
            "That is the answer to the raw weights as input; their norm is not 1.",
        ),
    },
    hints=(
        "Which input is it, and what is w · x for it?",
        "By Cauchy-Schwarz w · x is the norm of w. Then come the bias and the sigmoid.",
    ),
)
QUESTIONS["activation-in-the-box"] = Question(
    chapter="chapter 7, the section on the bound",
    right=lambda: 1 / (1 + np.exp(-(0.7 - 1))),
    wrong={
        "ball": (
            lambda: 1 / (1 + np.exp(-(0.5 - 1))),
            "That is the answer for the ball; the corners of the box are farther away.",
        ),
        "before-activation": (lambda: 0.7 - 1, "That is z; the unit gives f(z)."),
        "signs-ignored": (
            lambda: 1 / (1 + np.exp(-(0.3 - 0.4 - 1))),
            "That is the answer to (1, 1), whose second pixel has the wrong sign.",
        ),
    },
    hints=(
        "Here the pixels do not share a budget: choose each by itself.",
        "A pixel with a positive weight should be as large as it may, one with a negative weight "
        "as small.",
    ),
)
QUESTIONS["gini-of-four"] = Question(
    chapter="chapter 7, Eq. (7.3)",
    right=lambda: 1 - 2 * (0.25 * 1.5 + 0.75 * 0.5) / 4,
    wrong={
        "sorted-downwards": (
            lambda: 1 - 2 * (0.75 * 3.5 + 0.25 * 2.5) / 4,
            "That comes out negative: the activations were sorted from large to small.",
        ),
        "half-forgotten": (
            lambda: 1 - 2 * (0.25 * 1.0 + 0.75 * 0.0) / 4,
            "The 1/2 in the weights n - k + 1/2 is missing.",
        ),
        "two-forgotten": (
            lambda: 1 - (0.25 * 1.5 + 0.75 * 0.5) / 4,
            "The factor 2 before the sum is missing.",
        ),
    },
    hints=(
        "Sort upwards, divide each activation by the sum of all four.",
        "Only the last two shares are not 0. What are n, k and the weights for them?",
    ),
)
QUESTIONS["kurtosis-of-a-switch"] = Question(
    chapter="chapter 7, Eq. (7.4)",
    right=lambda: (0.98 * 0.02**4 + 0.02 * 0.98**4) / (0.02 * 0.98) ** 2 - 3,
    wrong={
        "not-excess": (
            lambda: (0.98 * 0.02**4 + 0.02 * 0.98**4) / (0.02 * 0.98) ** 2,
            "Eq. (7.4) subtracts 3, the value of a Gaussian.",
        ),
        "variance-not-squared": (
            lambda: (0.98 * 0.02**4 + 0.02 * 0.98**4) / (0.02 * 0.98) - 3,
            "The fourth powers are divided by the variance; Eq. (7.4) has its square.",
        ),
        "not-centred": (
            lambda: 0.02 / 0.02**2 - 3,
            "The powers are those of a itself; Eq. (7.4) takes the mean activation off first.",
        ),
    },
    hints=(
        "The mean is 0.02, so the deviations are 0.98 and -0.02. How often does each come?",
        "Average the squares, average the fourth powers, divide the second by the square of the "
        "first.",
    ),
)
QUESTIONS["weights-of-the-classifier"] = Question(
    chapter="chapter 9",
    right=lambda: 10 * (200 + 1),
    wrong={
        "biases-forgotten": (lambda: 10 * 200, "Each digit has a constant of its own as well."),
        "on-pixels": (
            lambda: 10 * (64 + 1),
            "That is the classifier on the 64 pixels; this one gets the 200 features.",
        ),
        "one-digit": (lambda: 200 + 1, "That is the score of one digit; there are ten."),
    },
    hints=(
        "One score per digit, and each score is a weighted sum plus a constant.",
        "How many weights does one score have if there are 200 features?",
    ),
    tolerance=0.0,
)
QUESTIONS["uncertainty-of-an-accuracy"] = Question(
    chapter="chapter 9",
    right=lambda: 100 * float(np.sqrt(0.95 * 0.05 / 500)),
    wrong={
        "variance": (
            lambda: 100 * 0.95 * 0.05 / 500,
            "That is the variance; the standard deviation is its square root.",
        ),
        "not-in-points": (
            lambda: float(np.sqrt(0.95 * 0.05 / 500)),
            "That is right as a share; the answer is asked in percentage points.",
        ),
        "one-image": (
            lambda: 100 * float(np.sqrt(0.95 * 0.05)),
            "That is the spread of a single image, right or wrong; the mean of 500 varies less.",
        ),
    },
    hints=(
        "Each test image is right with probability 0.95, a Bernoulli variable. What is its "
        "variance?",
        "The variance of the mean of 500 independent variables is that of one, divided by 500.",
    ),
)
QUESTIONS["penalty-after-whitening"] = Question(
    chapter="chapter 9",
    right=lambda: 1 / 0.04,
    wrong={
        "not-squared": (
            lambda: 1 / 0.04**0.5,
            "That is the factor between the weights; the penalty has their squares.",
        ),
        "squared-twice": (
            lambda: 1 / 0.04**2,
            "0.04 is a variance, so the square is in it already.",
        ),
        "upside-down": (
            lambda: 0.04,
            "The other way round: after whitening, the weak direction is cheaper to use.",
        ),
    },
    hints=(
        "Whitening divides the component by its standard deviation. What happens to the weight "
        "that gives the same score?",
        "Write the same score with both features, compare the two weights, then their squares.",
    ),
)


def _two_rows() -> tuple[np.ndarray, np.ndarray]:
    """Return the accuracies of the task "paired-difference", in percent."""
    return np.array([88.0, 83.4, 90.2, 85.8, 87.6]), np.array([85.2, 81.6, 87.0, 84.2, 85.0])


def _paired_ratio(ddof: int) -> float:
    first, second = _two_rows()
    difference = first - second
    return float(difference.mean() / (difference.std(ddof=ddof) / len(difference) ** 0.5))


def _unpaired_ratio() -> float:
    first, second = _two_rows()
    variance = (first.var(ddof=1) + second.var(ddof=1)) / len(first)
    return float((first.mean() - second.mean()) / variance**0.5)


QUESTIONS["paired-difference"] = Question(
    chapter="chapter 9",
    right=lambda: _paired_ratio(ddof=1),
    wrong={
        "of-one-draw": (
            lambda: _paired_ratio(ddof=1) / 5**0.5,
            "The mean of five draws varies less than one draw: divide by the square root of 5.",
        ),
        "spread-too-small": (
            lambda: _paired_ratio(ddof=0),
            "The mean is estimated from the same five numbers, so divide their squared "
            "deviations by 4, not by 5.",
        ),
        "not-paired": (
            _unpaired_ratio,
            "That takes the two rows as if they came from different labelled examples. They "
            "share the luck of the draw, which cancels in the difference of each pair.",
        ),
    },
    hints=(
        "Take the difference within each draw first, and forget the two rows.",
        "Mean of the differences, divided by their standard deviation over the square root of "
        "their number.",
    ),
)


QUESTIONS["operations-of-the-products"] = Question(
    chapter="chapter 10",
    right=lambda: 5 * 2 * 60_000 * 784 * 196,
    wrong={
        "additions-forgotten": (
            lambda: 5 * 60_000 * 784 * 196,
            "Each entry of a product sums as many terms as it multiplies: count both.",
        ),
        "forward-only": (
            lambda: 2 * 2 * 60_000 * 784 * 196,
            "Those are the two products of the forward pass; three more lead back.",
        ),
        "one-product": (lambda: 2 * 60_000 * 784 * 196, "That is one of the five products."),
    },
    hints=(
        "Which five products are there, and what are the shapes of their factors?",
        "A product of shapes (a, b) and (b, c) takes a·b·c multiplications and as many additions.",
    ),
)
QUESTIONS["bytes-of-the-activations"] = Question(
    chapter="chapter 10",
    right=lambda: 60_000 * 196 * 4 / 1e6,
    wrong={
        "float64": (lambda: 60_000 * 196 * 8 / 1e6, "That is float64; float32 has half of it."),
        "outputs": (
            lambda: 60_000 * 784 * 4 / 1e6,
            "Those are the outputs, as large as X; the hidden activations are asked for.",
        ),
        "mebibytes": (
            lambda: 60_000 * 196 * 4 / 2**20,
            "That is in mebibytes, of 2 to the 20 bytes; a megabyte here is a million.",
        ),
        "bits": (lambda: 60_000 * 196 * 32 / 1e6, "Those are bits; a byte has eight of them."),
    },
    hints=(
        "What is the shape of A?",
        "A float32 number takes 4 bytes, and a megabyte has a million of them.",
    ),
)
QUESTIONS["price-of-forgetting"] = Question(
    chapter="chapter 10",
    right=lambda: 20.0,
    wrong={
        "one-in-six": (
            lambda: 100 / 6,
            "That is the share of the six products; the question is how much is added to five.",
        ),
        "not-in-percent": (
            lambda: 0.2,
            "That is right as a share; the answer is asked in percent.",
        ),
        "all-six": (
            lambda: 120.0,
            "That is what all of it costs; the question is how much is added.",
        ),
        "whole-forward-pass": (
            lambda: 40.0,
            "Only the hidden activations are computed again; the outputs were never computed in "
            "the first pass.",
        ),
    },
    hints=(
        "How many products does an evaluation take if A is kept, and how many if not?",
        "All five products take the same number of operations.",
    ),
)
QUESTIONS["sixteen-cores"] = Question(
    chapter="chapter 10",
    right=lambda: 1 / (0.1 + 0.9 / 16),
    wrong={
        "all-of-it": (lambda: 16.0, "Only nine tenths of the work can be shared."),
        "share-of-sixteen": (
            lambda: 0.1 + 0.9 * 16,
            "The tenth that cannot be shared takes as long as ever; add up times, not speeds.",
        ),
        "time": (
            lambda: 0.1 + 0.9 / 16,
            "That is the time it takes; the gain is the old time divided by the new one.",
        ),
        "infinitely-many": (lambda: 10.0, "That is the limit for more and more cores."),
    },
    hints=(
        "Take the time on one core as 1. How long does each of the two parts take on 16 cores?",
        "The gain is the old time divided by the new time.",
    ),
)

QUESTIONS["unexplained-by-constant"] = Question(
    chapter="chapter 2, Eq. (2.3)",
    right=lambda: 1.0,
    wrong={
        "explained": (
            lambda: 0.0,
            "That is a perfect reconstruction; this network gives every input the same answer.",
        ),
    },
    hints=(
        "Which constant has the smallest squared error?",
        "Put that constant in the place of the reconstruction in Eq. (2.3).",
    ),
)

QUESTIONS["weight-decay-worked"] = Question(
    chapter="chapter 2, Eq. (2.2)",
    right=lambda: 0.1 / 2 * 14,
    wrong={
        "not-halved": (lambda: 0.1 * 14, "The factor 1/2 is missing."),
        "biases-decay": (
            lambda: 0.1 / 2 * (14 + 0.16 + 1 + 1),
            "The biases are counted too; they do not decay.",
        ),
        "over-m": (
            lambda: 0.1 / 2 * 14 / 10,
            "It is divided by the number of examples; only the reconstruction error is a mean.",
        ),
        "one-matrix": (lambda: 0.1 / 2 * 7, "One of the two matrices is left out."),
        "not-squared": (
            lambda: 0.1 / 2 * 10,
            "The absolute values of the weights are added, and not their squares.",
        ),
    },
    hints=(
        "Go through Eq. (2.2) symbol by symbol.",
        "Add the squares of all entries of both matrices first.",
    ),
)

QUESTIONS["unexplained-4-2-1-1"] = Question(
    chapter="chapter 2",
    right=lambda: (1 + 1) / (4 + 2 + 1 + 1),
    wrong={
        "equal-variances": (
            lambda: 1 - 2 / 4,
            "1 - k/n holds for inputs of equal variance; these differ.",
        ),
        "explained": (
            lambda: (4 + 2) / (4 + 2 + 1 + 1),
            "That is the fraction that the code explains, not the one it leaves.",
        ),
        "standard-deviations": (
            lambda: 2 / (2 + 2**0.5 + 1 + 1),
            "The standard deviations are added; it is the variances that add up.",
        ),
        "first-two": (
            lambda: (1 + 2) / (4 + 2 + 1 + 1),
            "The first two inputs are kept; others are worth more.",
        ),
    },
    hints=(
        "If you may keep two of the four inputs, which two do you keep?",
        "Divide what is lost by what there was.",
    ),
)

QUESTIONS["unexplained-two-pixels"] = Question(
    chapter="chapter 2",
    right=lambda: float(np.linalg.eigvalsh([[1.0, 0.8], [0.8, 1.0]])[0]) / 2,
    wrong={
        "one-pixel-kept": (
            lambda: (1 - 0.8**2) / 2,
            "That keeps one pixel and predicts the other from it. A better direction lies between.",
        ),
        "not-a-fraction": (
            lambda: 1 - 0.8,
            "That is a variance; the fraction compares it with the variance of both pixels.",
        ),
        "independent": (lambda: 1 / 2, "That is for pixels without correlation."),
        "explained": (
            lambda: (1 + 0.8) / 2,
            "That is the fraction that the code explains, not the one it leaves.",
        ),
        "regression": (
            lambda: 1 - 0.8**2,
            "That is what one pixel leaves unexplained of the other; the question is about both.",
        ),
    },
    hints=(
        "Which direction in the plane of the two pixels varies most?",
        "What is the variance along the direction at right angles to it?",
    ),
)
QUESTIONS["error-of-a-forgotten-mean"] = Question(
    chapter="chapter 8",
    right=lambda: (50 - 1) / (50 + 1),
    wrong={
        "over-the-right-one": (
            lambda: 50.0 - 1,
            "That is the distance divided by the right gradient; Eq. (5.3) divides by the length "
            "of the sum.",
        ),
        "factor": (
            lambda: 50.0,
            "That is the factor between the two gradients; put it into Eq. (5.3).",
        ),
        "over-the-wrong-one": (
            lambda: (50 - 1) / 50,
            "That is the distance divided by the wrong gradient; Eq. (5.3) divides by the length "
            "of the sum.",
        ),
        "sign": (
            lambda: (50 + 1) / (50 - 1),
            "That is the fraction upside down.",
        ),
    },
    hints=(
        "The wrong gradient is c times the right one. Put a = c b into Eq. (5.3).",
        "The length of b cancels; what is left has c - 1 above the line.",
    ),
    tolerance=0.002,
)
QUESTIONS["error-of-a-forgotten-term"] = Question(
    chapter="chapter 8",
    right=lambda: 1 / 5**0.5,
    wrong={
        "half": (
            lambda: 0.5,
            "That would need a sum twice as long as the forgotten term; draw how long it is.",
        ),
        "over-the-right-one": (
            lambda: 1 / 2**0.5,
            "That is the distance divided by the right gradient; Eq. (5.3) divides by the length "
            "of the sum.",
        ),
        "parallel": (
            lambda: 1 / 3,
            "That is for two terms in the same direction; these are at right angles.",
        ),
        "forgotten-as-zero": (
            lambda: 1.0,
            "That would be so if both terms were forgotten: one of them is still there.",
        ),
    },
    hints=(
        "Draw two arrows of length 1 at right angles. Which vectors are the two gradients?",
        "The difference is the forgotten term; the sum has the other one twice.",
    ),
)
QUESTIONS["places-for-a-patch"] = Question(
    chapter="chapter 6",
    right=lambda: (512 - 8 + 1) ** 2,
    wrong={
        "off-by-one": (
            lambda: (512 - 8) ** 2,
            "One row and one column of places are missing: the last ones.",
        ),
        "every-pixel": (
            lambda: 512**2,
            "That counts every pixel as a corner, also those where the patch would stick out.",
        ),
        "one-direction": (
            lambda: 512 - 8 + 1,
            "That is the number in one direction; there are two.",
        ),
        "side-by-side": (
            lambda: (512 // 8) ** 2,
            "That counts patches that do not overlap; they may.",
        ),
    },
    hints=(
        "The top left corner of the patch decides. In which row can it lie lowest?",
        "Try a patch as large as the image: there is one place, not none.",
    ),
    tolerance=1e-4,
)
QUESTIONS["penalty-at-the-start"] = Question(
    chapter="chapter 4, Eq. (4.1)",
    right=lambda: 3 * 25 * float(kl_divergence(0.01, 0.5)),
    wrong={
        "one-unit": (
            lambda: 3 * float(kl_divergence(0.01, 0.5)),
            "That is the penalty of one unit; there are 25.",
        ),
        "weight-forgotten": (
            lambda: 25 * float(kl_divergence(0.01, 0.5)),
            "The weight β is missing.",
        ),
        "exchanged": (
            lambda: 3 * 25 * float(kl_divergence(0.5, 0.01)),
            "The two means are exchanged: the target comes first.",
        ),
        "bits": (
            lambda: 3 * 25 * float(kl_divergence(0.01, 0.5)) / np.log(2),
            "That is in bits; the cost takes natural logarithms.",
        ),
    },
    hints=(
        "All units are alike: compute the divergence once, then count.",
        "KL(0.01 ‖ 0.5) has two terms, one for active and one for inactive.",
    ),
)
QUESTIONS["kl-in-bits"] = Question(
    chapter="chapter 4, Eq. (4.1)",
    right=lambda: float(kl_divergence(0.2, 0.5)) / np.log(2),
    wrong={
        "nats": (
            lambda: float(kl_divergence(0.2, 0.5)),
            "That is in nats, the unit of the natural logarithm.",
        ),
        "multiplied": (
            lambda: float(kl_divergence(0.2, 0.5)) * np.log(2),
            "A bit is smaller than a nat, so the number of bits is larger.",
        ),
        "exchanged": (
            lambda: float(kl_divergence(0.5, 0.2)) / np.log(2),
            "The two means are exchanged: the target comes first.",
        ),
    },
    hints=(
        "A nat uses the natural logarithm, a bit the logarithm to base 2.",
        "How many nats is the outcome of a fair coin worth? And how many bits?",
    ),
)
QUESTIONS["kl-two-gaussians"] = Question(
    chapter="chapter 4, on two bell curves",
    right=lambda: float(np.log(2) + (1 + 1) / 8 - 0.5),
    wrong={
        "exchanged": (
            lambda: float(-np.log(2) + (4 + 1) / 2 - 0.5),
            "That is KL(q ‖ p); p comes first here.",
        ),
        "variance-taken-for-deviation": (
            lambda: float(np.log(2) / 2 + (1 + 1) / 4 - 0.5),
            "You took 2 for the variance of q; it is the standard deviation.",
        ),
        "half-forgotten": (
            lambda: float(np.log(2) + (1 + 1) / 8),
            "The one half is missing: for p = q your formula would not give 0.",
        ),
        "means-forgotten": (
            lambda: float(np.log(2) + 1 / 8 - 0.5),
            "The means are different, too, and that adds to the divergence.",
        ),
    },
    hints=(
        "Find the closed form in the chapter and name its four ingredients first.",
        "Check your formula on two equal curves: it must give 0.",
    ),
)
QUESTIONS["mean-of-a-tanh-unit"] = Question(
    chapter="chapter 3, Eq. (3.2)",
    right=lambda: float(np.mean((1 + np.array([-1.0] * 9 + [0.6])) / 2)),
    wrong={
        "plain-mean": (
            lambda: float(np.mean([-1.0] * 9 + [0.6])),
            "That is the plain mean, on the scale from -1 to 1.",
        ),
        "not-mapped": (
            lambda: 0.06,
            "The silent examples were counted as 0, but the active ones were not mapped.",
        ),
        "not-halved": (
            lambda: float(np.mean(1 + np.array([-1.0] * 9 + [0.6]))),
            "The sum 1 + a runs from 0 to 2; it is not halved yet.",
        ),
    },
    hints=(
        "To what does (1 + a)/2 map -1, and to what 0.6?",
        "Nine examples of ten add nothing.",
    ),
)
QUESTIONS["units-that-are-on"] = Question(
    chapter="chapter 3",
    right=lambda: 200 * 0.02,
    wrong={
        "share": (lambda: 0.02, "That is the share of the units; their number is asked for."),
        "of-the-inputs": (lambda: 100 * 0.02, "There are 200 units; 100 is the number of pixels."),
        "off": (lambda: 200 * 0.98, "That is how many are off."),
    },
    hints=(
        "The mean of a sum is the sum of the means, independent or not.",
        "Each unit adds its own share of the time.",
    ),
)

# Chapter 1: the worked network, its input as its target.
QUESTIONS["cost-change-predicted"] = Question(
    chapter="chapter 1, Eq. (1.7)",
    right=lambda: 0.1 * -0.0137211,
    wrong={
        "sign": (
            lambda: 0.1 * 0.0137211,
            "The sign is turned round: a negative derivative means that more of the weight lowers "
            "the cost.",
        ),
        "bias-instead": (
            lambda: 0.1 * -0.0171513,
            "That is what the bias of this unit would do; the weight acts through its input.",
        ),
        "derivative": (
            lambda: -0.0137211,
            "That is the derivative, the change for each whole unit of the weight.",
        ),
    },
    hints=(
        "Which entry of which gradient belongs to this weight?",
        "Near a point, a function changes by its derivative times the change of its argument.",
    ),
    tolerance=0.02,
)
QUESTIONS["delta-linear-output"] = Question(
    chapter="chapter 1, Eq. (1.6)",
    right=lambda: -0.231059 - 0.2,
    wrong={
        "slope-kept": (
            lambda: (-0.231059 - 0.2) * 0.442492 * 0.557508,
            "There is a slope of a sigmoid in it, but this layer has no sigmoid.",
        ),
        "sign": (lambda: 0.231059 + 0.2, "The sign is turned round: output minus target."),
        "sigmoid-output": (
            lambda: 0.442492 - 0.2,
            "The output still went through the sigmoid.",
        ),
    },
    hints=(
        "What is the output of the second unit, if nothing is done to its weighted input?",
        "What is the slope of f(z) = z?",
    ),
)
QUESTIONS["bug-line-backpropagation"] = Question(
    chapter="chapter 1, What can go wrong",
    right=lambda: 5,
    wrong={
        "output-line": (
            lambda: 4,
            "All four blocks are made of the output's error term. If it were wrong, W2 and b2 "
            "would be off as well.",
        ),
        "forward": (
            lambda: 2,
            "A wrong activation would spoil the gradient of W2, which is multiplied by it.",
        ),
        "last-line": (
            lambda: 7,
            "b1 is the plain mean of the hidden error terms, and it is off too. So the fault is "
            "further up.",
        ),
    },
    hints=(
        "Which lines do only W1 and b1 depend on?",
        "Say for each of these lines what it would be for a single example, with a pencil.",
    ),
    tolerance=0.0,
)
# Chapter 2.
QUESTIONS["cost-at-half-contrast"] = Question(
    chapter="chapter 2, Eqs. (2.1) and (2.3)",
    right=lambda: 0.30 / 4,
    wrong={
        "halved": (lambda: 0.15, "The errors are halved, and the cost has them squared."),
        "unchanged": (lambda: 0.30, "That would be right for U, which is a ratio."),
    },
    hints=("What happens to each difference of output and input?", "And to its square?"),
)
QUESTIONS["best-line-of-four-points"] = Question(
    chapter="chapter 2, on the best flat code",
    right=lambda: (7 - np.sqrt(13)) / 14,
    wrong={
        "along-the-axis": (
            lambda: 4 / 14,
            "That line is the first axis. A slanted one comes closer to the points.",
        ),
        "standard-deviations": (
            lambda: (
                (7 - np.sqrt(13)) ** 0.5 / ((7 - np.sqrt(13)) ** 0.5 + (7 + np.sqrt(13)) ** 0.5)
            ),
            "Those are standard deviations; Eq. (2.3) adds up squares.",
        ),
        "explained": (
            lambda: (7 + np.sqrt(13)) / 14,
            "That is the fraction explained; the rest is asked for.",
        ),
    },
    hints=(
        "The mean is zero. What is the covariance matrix?",
        "Its two eigenvalues are the variances along the best direction and across it.",
    ),
)
QUESTIONS["unexplained-about-zero"] = Question(
    chapter="chapter 2, Eq. (2.3)",
    right=lambda: 0.02 * (3**2 + 1),
    wrong={
        "mean-alone": (
            lambda: 0.02 * 3**2,
            "The sum of squares about zero holds the square of the mean *and* the variance.",
        ),
        "reported": (lambda: 0.02, "That is what the program reports."),
        "mean-not-squared": (lambda: 0.02 * (3 + 1), "The mean enters by its square."),
    },
    hints=(
        "By what does the program divide, and by what should it?",
        "The mean of x squared is the variance of x plus the square of its mean.",
    ),
)
# Chapter 3.
QUESTIONS["share-of-the-hum"] = Question(
    chapter="chapter 3, Eq. (3.1)",
    right=lambda: (0.02 - 0.01 * 0.9) / 0.02,
    wrong={
        "strong-answers": (
            lambda: 0.01 * 0.9 / 0.02,
            "That is the share of the strong answers; the others are asked for.",
        ),
        "amount": (
            lambda: 0.02 - 0.01 * 0.9,
            "That much of the mean is left for the weak answers; its share is asked for.",
        ),
        "level": (
            lambda: (0.02 - 0.01 * 0.9) / 0.99,
            "That is the level of the weak answers; their share of the whole is asked for.",
        ),
    },
    hints=(
        "How much of the mean of 0.02 do the strong answers use up?",
        "What is left over is the hum.",
    ),
)
QUESTIONS["gini-of-four-switches"] = Question(
    chapter="chapter 3, How sparse is it really",
    right=lambda: 1 - 4 / 200,
    wrong={
        "share-on": (lambda: 4 / 200, "That is the share that is on; few on means a large index."),
        "largest": (lambda: 1.0, "One is reached only if a single one of very many is on."),
    },
    hints=(
        "Write the 200 numbers as an array, and ask `gini`.",
        "Try 1 of 4 and 2 of 4 first, and look for the rule.",
    ),
    tolerance=0.002,
)
QUESTIONS["penalty-of-unequal-units"] = Question(
    chapter="chapter 3, What can go wrong",
    right=lambda: 100 * float(np.sum(kl_divergence(0.02, np.array([0.035, 0.005])))),
    wrong={
        "one-mean": (
            lambda: 0.0,
            "That is what the faulty program sees: the mean over all units, which is on target.",
        ),
        "two-units": (
            lambda: float(np.sum(kl_divergence(0.02, np.array([0.035, 0.005])))),
            "That is the penalty of two units, one of each kind.",
        ),
    },
    hints=(
        "Each unit pays for its own mean. How many pay which price?",
        "`kl_divergence` takes both means at once.",
    ),
)
# Chapter 4.
QUESTIONS["reverse-divergence-of-silence"] = Question(
    chapter="chapter 4, on its direction",
    right=lambda: -np.log(0.99),
    wrong={
        "other-end": (
            lambda: -np.log(0.01),
            "That is the price of a unit that is always on.",
        ),
        "sign": (lambda: np.log(0.99), "A divergence is never negative."),
        "bits": (
            lambda: -np.log2(0.99),
            "That is in bits; the divergence of Eq. (4.1) takes natural logarithms.",
        ),
    },
    hints=(
        "One of the two terms has a factor 0 in front of it.",
        "0 log 0 is 0: the limit of t log t as t goes to 0.",
    ),
)
QUESTIONS["least-curved-target"] = Question(
    chapter="chapter 4, on the parabola near the target",
    right=lambda: 0.5,
    wrong={
        "curvature": (
            lambda: 4.0,
            "That is the curvature there; the target itself is asked for.",
        ),
    },
    hints=(
        "When is a fraction with a fixed numerator smallest?",
        "Where is the parabola rho (1 - rho) highest?",
    ),
)
QUESTIONS["fingerprint-of-base-2"] = Question(
    chapter="chapter 4, What can go wrong, and Eq. (5.3)",
    right=lambda: (1 / np.log(2) - 1) / (1 / np.log(2) + 1),
    wrong={
        "factor": (
            lambda: 1 / np.log(2),
            "That is the factor between the two; the relative error is asked for.",
        ),
        "over-the-right-one": (
            lambda: 1 / np.log(2) - 1,
            "That is the distance divided by the right gradient; Eq. (5.3) divides by the length "
            "of the sum.",
        ),
    },
    hints=(
        "By which factor is a logarithm to base 2 larger than the natural one?",
        "A factor c gives the relative error |c - 1| / (c + 1).",
    ),
)
# Chapter 5.
QUESTIONS["two-roads-by-pencil"] = Question(
    chapter="chapter 5, on two examples",
    right=lambda: (-0.045 + 0.6 * float(kl_gradient(0.2, 0.5))) * 0.8 * 0.2,
    wrong={
        "road-1-only": (lambda: -0.045 * 0.8 * 0.2, "That is road 1 alone."),
        "outside-bracket": (
            lambda: -0.045 * 0.8 * 0.2 + 0.6 * float(kl_gradient(0.2, 0.5)),
            "The second road joins the first before f' is applied to both.",
        ),
        "slope-missing": (
            lambda: -0.045 + 0.6 * float(kl_gradient(0.2, 0.5)),
            "That is the bracket; the slope f' is still to come.",
        ),
        "weight-missing": (
            lambda: (-0.045 + float(kl_gradient(0.2, 0.5))) * 0.8 * 0.2,
            "The weight of the penalty is missing.",
        ),
        "own-activation": (
            lambda: (-0.045 + 0.6 * float(kl_gradient(0.2, 0.8))) * 0.8 * 0.2,
            "The slope is taken at the activation of this example; it belongs at the mean.",
        ),
        "over-m": (
            lambda: (-0.045 + 0.6 * float(kl_gradient(0.2, 0.5)) / 2) * 0.8 * 0.2,
            "One of the two factors 1/m was not undone.",
        ),
    },
    hints=(
        "What is the mean activation of the unit?",
        "Add the two roads first, then go through the activation function.",
    ),
)
QUESTIONS["bug-line-sparse-gradient"] = Question(
    chapter="chapter 5, What can go wrong",
    right=lambda: 4,
    wrong={
        "push": (
            lambda: 6,
            "If the slope itself were wrong, a network with one hidden unit would show it too.",
        ),
        "bracket": (
            lambda: 7,
            "A term outside of the bracket would show with one hidden unit as well.",
        ),
        "output-line": (
            lambda: 5,
            "With beta = 0 everything is right, and this line does not know of beta.",
        ),
    },
    hints=(
        "Which lines matter only if beta is not 0?",
        "Which of them could be right by chance if there is only one hidden unit?",
    ),
    tolerance=0.0,
)
QUESTIONS["activations-read-per-step"] = Question(
    chapter="chapter 5, on two passes",
    right=lambda: 2 * 10_000 * 200,
    wrong={
        "one-pass": (
            lambda: 10_000 * 200,
            "That is one pass. The first one ends when the means are known; what has not been "
            "kept must be computed again.",
        ),
    },
    hints=(
        "How many activations are there for one pass over the data?",
        "How often is each computed, if none is kept between the passes?",
    ),
    tolerance=0.0,
)
QUESTIONS["splits-for-half-a-point"] = Question(
    chapter="chapter 9",
    right=lambda: (1.2 / 0.2) ** 2,
    wrong={
        "not-squared": (
            lambda: 1.2 / 0.2,
            "The standard error falls with the square root of the number of draws, not with the "
            "number.",
        ),
        "one-standard-error": (
            lambda: (1.2 / 0.4) ** 2,
            "That makes one standard error as large as the difference divided by 1; two of them "
            "should fit into it.",
        ),
        "upside-down": (
            lambda: (0.2 / 1.2) ** 2,
            "Upside down: a smaller standard error takes more draws.",
        ),
    },
    hints=(
        "What must the standard error be, so that 0.4 points are two of them?",
        "The standard error of k draws is 1.2 over the square root of k.",
    ),
)
QUESTIONS["luck-of-the-best-of-many"] = Question(
    chapter="chapter 9",
    right=lambda: 1 - 0.975**20,
    wrong={
        "added-up": (
            lambda: 20 * 0.025,
            "Probabilities of events that may happen together do not add up.",
        ),
        "none": (
            lambda: 0.975**20,
            "That is the probability that none of the twenty looks better.",
        ),
        "one": (lambda: 0.025, "That is one setting; there are twenty."),
    },
    hints=(
        "What is the probability that none of the twenty looks that good?",
        "They are independent: multiply.",
    ),
)
QUESTIONS["crossing-of-two-versions"] = Question(
    chapter="chapter 10",
    right=lambda: 60 / (2.0 - 1.4),
    wrong={
        "fixed-cost-over-slope": (
            lambda: 60 / 2.0,
            "That is where the plain version alone has used up the fixed time; the other one "
            "needs time for its rows as well.",
        ),
        "other-slope": (
            lambda: 60 / 1.4,
            "That divides by the time per row of one version; it is the difference that counts.",
        ),
    },
    hints=(
        "Write the time of each version as a function of the number of rows.",
        "Set the two equal: the fixed part against the difference per row.",
    ),
)
# Chapters 6 and 7.
QUESTIONS["largest-step-in-a-ravine"] = Question(
    chapter="chapter 6, Eq. (6.4)",
    right=lambda: 2 / 50,
    wrong={
        "best-for-the-steep-axis": (
            lambda: 1 / 50,
            "With that step the steep coordinate is 0 at once. Larger ones still come closer.",
        ),
        "the-flat-axis": (lambda: 2.0, "That is the limit of the flat coordinate alone."),
        "best-of-all": (
            lambda: 2 / 51,
            "That is the step with which the slower coordinate is quickest.",
        ),
        "curvature": (lambda: 50.0, "That is the curvature, not a step."),
    },
    hints=(
        "Write down what a step makes of each coordinate: a factor.",
        "A factor between -1 and 1 shrinks. Which of the two leaves that range first?",
    ),
    tolerance=0.002,
)
QUESTIONS["steps-to-leave-a-saddle"] = Question(
    chapter="chapter 6, Eq. (6.4)",
    right=lambda: float(np.log(1000) / np.log(1.001)),
    wrong={
        "straight-line": (
            lambda: 999.0 / 0.001,
            "Steps of equal length would take so long; these grow with y.",
        ),
        "one-over-the-curvature": (
            lambda: 1000.0,
            "In so many steps y grows by a factor e only.",
        ),
        "logarithm-to-ten": (
            lambda: 3 / np.log(1.001),
            "The logarithms must be of one kind: ln 1000 is not 3.",
        ),
    },
    hints=(
        "The slope along y is -0.001 y: by which factor does a step with η = 1 change y?",
        "After k steps the factor is its k-th power, and it has to be 1000.",
    ),
)
