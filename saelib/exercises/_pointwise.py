"""Exercises on functions of one or two numbers: the sigmoid, its slope, KL and its slope."""

from __future__ import annotations

from typing import Any

import numpy as np

from saelib.exercises._engine import Case, Exercise, Mistake

NONE: frozenset[str] = frozenset()


def _sigmoid_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a vector", (rng.normal(size=6),)),
        Case("for a matrix", (rng.normal(scale=3.0, size=(4, 3)),)),
        Case("for very large and very small z", (np.array([-1000.0, -30.0, 0.0, 30.0, 1000.0]),)),
    ]


def _sigmoid(z: Any, mistakes: frozenset[str] = NONE) -> Any:
    sign = 1.0 if "sign-of-exponent" in mistakes else -1.0
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.exp(sign * z)
        if "tanh" in mistakes:
            return np.tanh(z)
        if "no-one" in mistakes:
            return 1 / power
        if "overflow" in mistakes:
            return np.exp(z) / (1 + np.exp(z))
        if "minus" in mistakes:
            return 1 / (1 - power)
        if "derivative" in mistakes:
            return 1 / (1 + power) * (1 - 1 / (1 + power))
        if "not-inverted" in mistakes:
            return 1 + power
        return 1 / (1 + power)


SIGMOID = Exercise(
    name="sigmoid",
    signature="sigmoid(z)",
    chapter="chapter 1, Eq. (1.1)",
    cases=_sigmoid_cases,
    outcome=_sigmoid,
    mistakes=(
        Mistake(
            "sign-of-exponent",
            "The curve is mirrored: large inputs give 0 and small ones give 1.",
            "What should a very excited unit, z = 10, answer: near 0 or near 1?",
            "The exponential must die out for large positive z. Compare exp(z) and exp(-z) at "
            "z = 5.",
        ),
        Mistake(
            "overflow",
            "It is right in the middle, but gives NaN for very large z.",
            "What is exp(1000) in floating point, and what is infinity divided by infinity?",
            "Divide numerator and denominator by exp(z) on paper; which form never has infinity "
            "above the line?",
            "the form exp(z)/(1+exp(z)) of many first drafts",
        ),
        Mistake(
            "tanh",
            "This is the hyperbolic tangent; it runs from -1 to 1.",
            "Which values can the answer take? A sigmoid stays between 0 and 1.",
            "At z = 0 the sigmoid is one half.",
        ),
        Mistake(
            "no-one",
            "The 1 in the denominator is missing, so the result grows without bound.",
            "What is your function at z = 0? It should be one half.",
            "Count the terms below the fraction line of Eq. (1.1).",
        ),
        Mistake(
            "minus",
            "The denominator has a minus where a plus belongs.",
            "Your function divides by zero at z = 0.",
            "Read the denominator of Eq. (1.1) once more, sign by sign.",
        ),
        Mistake(
            "derivative",
            "This is the slope of the sigmoid, not the sigmoid.",
            "A slope is small at both ends; what should the value be at z = 10?",
            "You multiplied by one factor more than Eq. (1.1) has.",
        ),
        Mistake(
            "not-inverted",
            "This is one over the sigmoid: the denominator without the fraction.",
            "Your values are all above 1.",
            "The exponential belongs below the fraction line.",
        ),
    ),
)


def _slope_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a vector of activations", (rng.uniform(0.05, 0.95, size=6),)),
        Case("for a matrix of activations", (rng.uniform(0.05, 0.95, size=(4, 3)),)),
    ]


def _slope(a: Any, mistakes: frozenset[str] = NONE) -> Any:
    if "of-z" in mistakes:
        s = 1 / (1 + np.exp(-a))
        return s * (1 - s)
    if "plus" in mistakes:
        return a * (1 + a)
    if "tanh-slope" in mistakes:
        return 1 - a * a
    if "one-factor" in mistakes:
        return 1 - a
    if "only-a" in mistakes:
        return a * 1.0
    if "negative" in mistakes:
        return -a * (1 - a)
    if "squared" in mistakes:
        return a * (1 - a) ** 2
    return a * (1 - a)


SIGMOID_DERIVATIVE = Exercise(
    name="sigmoid_derivative",
    signature="sigmoid_derivative(a), where a = f(z) is the activation",
    chapter="chapter 1, Eq. (1.3)",
    cases=_slope_cases,
    outcome=_slope,
    mistakes=(
        Mistake(
            "of-z",
            "The sigmoid is applied once more: a is taken for z.",
            "The argument of this function is the activation a = f(z), already squashed.",
            "Eq. (1.3) has no exponential in it; everything is said in terms of a.",
            "public ports of the assignment: f'(z) called with a",
        ),
        Mistake(
            "plus",
            "There is a plus where a minus belongs.",
            "At both ends, a = 0 and a = 1, the sigmoid is flat. Is your slope 0 at a = 1?",
            "Differentiate 1/(1+exp(-z)) again and watch the sign of the inner derivative.",
        ),
        Mistake(
            "tanh-slope",
            "This is the slope of tanh.",
            "The two functions have different slopes at the middle: 1 for tanh, 1/4 here.",
            "Eq. (1.3) has two lines; this is the other one.",
        ),
        Mistake(
            "one-factor",
            "One of the two factors is missing.",
            "Is your slope 0 at a = 0, where the curve is flat?",
            "The slope must vanish at both ends of the range, so it needs a factor for each.",
        ),
        Mistake(
            "only-a",
            "One of the two factors is missing.",
            "Is your slope 0 at a = 1, where the curve is flat?",
            "The slope must vanish at both ends of the range, so it needs a factor for each.",
        ),
        Mistake(
            "negative",
            "The sign is turned round.",
            "The sigmoid rises everywhere. Can its slope be negative?",
            "The inner derivative of exp(-z) brings one minus, the power -1 another.",
        ),
        Mistake(
            "squared",
            "One factor appears twice.",
            "The slope is the same at a and at 1 - a. Is yours?",
            "Each end of the range asks for one factor, not for two.",
        ),
    ),
)


def _kl_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for one unit", (float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.45, 0.9)))),
        Case("for a vector of units", (float(rng.uniform(0.05, 0.45)), rng.uniform(0.02, 0.98, 5))),
        Case("for a large target", (float(rng.uniform(0.6, 0.9)), rng.uniform(0.02, 0.98, 4))),
    ]


def _kl(rho: Any, rho_hat: Any, mistakes: frozenset[str] = NONE) -> Any:
    p, q = (rho_hat, rho) if "swapped" in mistakes else (rho, rho_hat)
    active = p * np.log(p / q)
    inactive = (1 - p) * np.log((1 - p) / (1 - q))
    if "ratio-upside-down" in mistakes:
        active = p * np.log(q / p)
    if "second-ratio-upside-down" in mistakes:
        inactive = (1 - p) * np.log((1 - q) / (1 - p))
    if "no-complement" in mistakes:
        inactive = inactive * 0
    if "weights-missing" in mistakes:
        active, inactive = active / p, inactive / (1 - p)
    total = active + inactive
    if "base-two" in mistakes:
        total = total / np.log(2)
    if "sign" in mistakes:
        total = -total
    return total


KL_DIVERGENCE = Exercise(
    name="kl_divergence",
    signature="kl_divergence(rho, rho_hat)",
    chapter="chapter 4, Eq. (4.1)",
    cases=_kl_cases,
    outcome=_kl,
    mistakes=(
        Mistake(
            "swapped",
            "rho and rho_hat have changed places: this is KL(rho_hat ‖ rho).",
            "KL is not symmetric. Which of the two is the reference that comes first?",
            "In Eq. (4.1) the factor before each logarithm belongs to the target.",
            "KL(q‖p) for KL(p‖q) is the commonest slip with this formula",
        ),
        Mistake(
            "no-complement",
            "Only the term of the active state is there; that of the inactive state is missing.",
            "A Bernoulli variable has two outcomes. You counted one.",
            "With one term the result can be negative, and it is not least at rho_hat = rho.",
        ),
        Mistake(
            "base-two",
            "The logarithm is to base 2: the result is in bits, not in nats.",
            "Which logarithm does the derivative of Eq. (4.2) belong to?",
            "np.log is the natural logarithm, np.log2 is not.",
        ),
        Mistake(
            "sign",
            "The sign is turned round: the penalty would reward units far from the target.",
            "A divergence is never negative. Is yours?",
            "log(a/b) = -log(b/a): check which one stands above the line, in both terms.",
        ),
        Mistake(
            "ratio-upside-down",
            "The first ratio is upside down.",
            "Set rho_hat = rho / 2: should the first logarithm be positive or negative?",
            "In each logarithm the target stands above the line.",
        ),
        Mistake(
            "second-ratio-upside-down",
            "The second ratio is upside down, or the two terms are subtracted, which is the same.",
            "Compare the two logarithms: in the first the target stands above the line.",
            "In each logarithm the target stands above the line.",
        ),
        Mistake(
            "weights-missing",
            "The factors before the logarithms are missing.",
            "The logarithms are averaged, each with the probability of its outcome.",
            "Each of the two terms of Eq. (4.1) starts with a probability.",
        ),
    ),
)


def _kl_slope(rho: Any, rho_hat: Any, mistakes: frozenset[str] = NONE) -> Any:
    active, inactive = -rho / rho_hat, (1 - rho) / (1 - rho_hat)
    if "derivative-in-rho" in mistakes:
        return np.log(rho / rho_hat) - np.log((1 - rho) / (1 - rho_hat))
    if "swapped" in mistakes:
        return np.log(rho_hat / rho) - np.log((1 - rho_hat) / (1 - rho))
    if "value" in mistakes:
        return _kl(rho, rho_hat)
    if "inner-derivative" in mistakes:
        inactive = -inactive
    if "no-complement" in mistakes:
        inactive = inactive * 0
    if "first-sign" in mistakes:
        active = -active
    if "upside-down" in mistakes:
        active, inactive = -rho_hat / rho, (1 - rho_hat) / (1 - rho)
    return -(active + inactive) if "sign" in mistakes else active + inactive


KL_GRADIENT = Exercise(
    name="kl_gradient",
    signature="kl_gradient(rho, rho_hat)",
    chapter="chapter 4, Eq. (4.2)",
    cases=_kl_cases,
    outcome=_kl_slope,
    mistakes=(
        Mistake(
            "sign",
            "The sign is turned round: the result is exactly minus the right one.",
            "Should the slope be negative or positive when rho_hat lies below rho?",
            "Below the target the penalty falls as rho_hat grows.",
        ),
        Mistake(
            "inner-derivative",
            "The second term has the wrong sign: the inner derivative of 1 - rho_hat was lost.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq log(1 - q) has a minus that the chain rule brings in.",
        ),
        Mistake(
            "first-sign",
            "The first term has the wrong sign.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq of log(p/q) = log p - log q is negative.",
        ),
        Mistake(
            "no-complement",
            "Only the first term is there.",
            "With one term the slope never changes sign, so there is no minimum.",
            "Differentiate both terms of Eq. (4.1).",
        ),
        Mistake(
            "derivative-in-rho",
            "This is the derivative with respect to rho, which is a constant in training.",
            "Which of the two depends on the weights, rho or rho_hat?",
            "Logarithms vanish when you differentiate with respect to rho_hat.",
        ),
        Mistake(
            "swapped",
            "This is the slope of KL(rho_hat ‖ rho), the divergence the other way round.",
            "Which of the two comes first in the penalty?",
            "The slope of Eq. (4.1) has no logarithm in it.",
        ),
        Mistake(
            "value",
            "This is the divergence itself, not its slope.",
            "Below the target the divergence is positive, but its slope is not.",
            "Differentiate Eq. (4.1) with respect to rho_hat, term by term.",
        ),
        Mistake(
            "upside-down",
            "Both fractions are upside down.",
            "What should happen to the slope when rho_hat comes near 0?",
            "rho_hat stands below the line: that is what makes the penalty blow up at the ends.",
        ),
    ),
)


def _mean_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for few examples", (rng.uniform(size=(4, 3)),)),
        Case("for as many examples as units", (rng.uniform(size=(5, 5)),)),
        Case("for many examples", (rng.uniform(size=(40, 6)),)),
    ]


def _mean(A: Any, mistakes: frozenset[str] = NONE) -> Any:
    if "wrong-axis" in mistakes:
        return A.mean(axis=1)
    if "over-all" in mistakes:
        return A.mean()
    if "sum" in mistakes:
        return A.sum(axis=0)
    if "divided-by-units" in mistakes:
        return A.sum(axis=0) / A.shape[1]
    if "share-active" in mistakes:
        return (A > 0.5).mean(axis=0)
    if "tanh-scale" in mistakes:
        return (1 + A.mean(axis=0)) / 2
    if "sample-mean" in mistakes:
        return A.sum(axis=0) / (len(A) - 1)
    if "median" in mistakes:
        return np.median(A, axis=0)
    return A.mean(axis=0)


MEAN_ACTIVATION = Exercise(
    name="mean_activation",
    signature="mean_activation(A), one row per example, one column per unit",
    chapter="chapter 3, Eq. (3.1)",
    cases=_mean_cases,
    outcome=_mean,
    mistakes=(
        Mistake(
            "wrong-axis",
            "The mean runs over the units of each example instead of over the examples.",
            "rho_hat has one entry per hidden unit. How long is yours?",
            "axis=0 runs down a column, axis=1 along a row.",
            "ports from column to row convention",
        ),
        Mistake(
            "over-all",
            "There is one mean over everything; each unit needs its own.",
            "With one number for all, a unit that is always on can hide behind one that never is.",
            "np.mean without axis takes all entries together.",
        ),
        Mistake(
            "sum",
            "The sum is not divided by the number of examples.",
            "A mean activation of a sigmoid unit lies between 0 and 1. Does yours?",
            "How many examples went into the sum?",
        ),
        Mistake(
            "divided-by-units",
            "The sum over the examples is divided by the number of units.",
            "Divide by how many numbers you added.",
            "A.shape is (n_samples, n_hidden); which of the two did you add over?",
        ),
        Mistake(
            "share-active",
            "This is the share of examples on which the unit is above one half.",
            "A share jumps when an activation crosses one half, so it has no useful gradient.",
            "rho_hat averages the activations themselves.",
        ),
        Mistake(
            "tanh-scale",
            "The map from tanh's range to [0, 1] is applied to sigmoid units.",
            "Sigmoid activations lie in [0, 1] already.",
            "Eq. (3.2) is for tanh; here Eq. (3.1) is asked for.",
        ),
        Mistake(
            "sample-mean",
            "The sum is divided by one less than the number of examples.",
            "That divisor belongs to a sample variance.",
            "A mean of m numbers divides by m.",
        ),
        Mistake(
            "median",
            "This is the median.",
            "A median does not change when the largest activation does.",
            "Add, then divide.",
        ),
    ),
)
