"""Exercises on functions of one or two numbers: the sigmoid, its slope, KL and its slope."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saelib.exercises._derivation import Case, Exercise, Mistake, Step


def _sigmoid_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a vector", (rng.normal(size=6),)),
        Case("for a matrix", (rng.normal(scale=3.0, size=(4, 3)),)),
        Case("for very large and very small z", (np.array([-1000.0, -30.0, 0.0, 30.0, 1000.0]),)),
    ]


SIGMOID = Exercise(
    name="sigmoid",
    signature="sigmoid(z)",
    chapter="chapter 1, Eq. (1.1)",
    cases=_sigmoid_cases,
    steps=(
        Step("power", "the exponential", lambda z: np.exp(-z)),
        Step("below", "the denominator of Eq. (1.1)", lambda power: 1 + power),
        Step("half", "", lambda z: np.tanh(z / 2)),
        Step("small", "the exponential of -|z|", lambda z: np.exp(-np.abs(z))),
        Step("large", "the sigmoid of |z|", lambda small: 1 / (1 + small)),
        Step("result", "the sigmoid, Eq. (1.1)", lambda below: 1 / below),
    ),
    mistakes=(
        Mistake(
            "sign-of-exponent",
            "The curve is mirrored: large inputs give 0 and small ones give 1.",
            "What should a very excited unit, z = 10, answer: near 0 or near 1?",
            "The exponential must die out for large positive z. Compare exp(z) and exp(-z) at "
            "z = 5.",
            edits={"power": lambda z: np.exp(z)},
        ),
        Mistake(
            "overflow",
            "It is right in the middle, but gives NaN for very large z.",
            "What is exp(1000) in floating point, and what is infinity divided by infinity?",
            "Divide numerator and denominator by exp(z) on paper; which form never has infinity "
            "above the line?",
            "the form exp(z)/(1+exp(z)) of many first drafts",
            edits={"result": lambda z: np.exp(z) / (1 + np.exp(z))},
        ),
        Mistake(
            "tanh",
            "This is the hyperbolic tangent; it runs from -1 to 1.",
            "Which values can the answer take? A sigmoid stays between 0 and 1.",
            "At z = 0 the sigmoid is one half.",
            edits={"result": lambda z: np.tanh(z)},
        ),
        Mistake(
            "no-one",
            "The 1 in the denominator is missing, so the result grows without bound.",
            "What is your function at z = 0? It should be one half.",
            "Count the terms below the fraction line of Eq. (1.1).",
            edits={"below": lambda power: power},
        ),
        Mistake(
            "minus",
            "The denominator has a minus where a plus belongs.",
            "Your function divides by zero at z = 0.",
            "Read the denominator of Eq. (1.1) once more, sign by sign.",
            edits={"below": lambda power: 1 - power},
        ),
        Mistake(
            "derivative",
            "This is the slope of the sigmoid, not the sigmoid.",
            "A slope is small at both ends; what should the value be at z = 10?",
            "You multiplied by one factor more than Eq. (1.1) has.",
            edits={"result": lambda value: value * (1 - value)},
        ),
        Mistake(
            "not-inverted",
            "This is one over the sigmoid: the denominator without the fraction.",
            "Your values are all above 1.",
            "The exponential belongs below the fraction line.",
            edits={"result": lambda below: below},
        ),
        Mistake(
            "times-z",
            "This is z times the sigmoid.",
            "What should the value be at z = 0? One half.",
            "Above the line of Eq. (1.1) stands a 1.",
            "x / (1 + exp(-x))",
            edits={"result": lambda z, below: z / below},
        ),
        Mistake(
            "rectifier",
            "This is a rectifier, max(0, z).",
            "Which values can a sigmoid take?",
            "Eq. (1.1) has an exponential in it.",
            edits={"result": lambda z: np.maximum(z, 0)},
        ),
        Mistake(
            "linear",
            "The input comes out unchanged.",
            "Which values can a sigmoid take?",
            "Eq. (1.1) has an exponential in it.",
            edits={"result": lambda z: z * 1.0},
        ),
    ),
)


def _slope_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a vector of activations", (rng.uniform(0.05, 0.95, size=6),)),
        Case("for a matrix of activations", (rng.uniform(0.05, 0.95, size=(4, 3)),)),
    ]


SIGMOID_DERIVATIVE = Exercise(
    name="sigmoid_derivative",
    signature="sigmoid_derivative(a), where a = f(z) is the activation",
    chapter="chapter 1, Eq. (1.3)",
    cases=_slope_cases,
    steps=(
        Step("rest", "one of the two factors of Eq. (1.3)", lambda a: 1 - a),
        Step("square", "", lambda a: a * a),
        Step("result", "the slope, Eq. (1.3)", lambda a, rest: a * rest),
    ),
    mistakes=(
        Mistake(
            "of-z",
            "The sigmoid is applied once more: a is taken for z.",
            "The argument of this function is the activation a = f(z), already squashed.",
            "Eq. (1.3) has no exponential in it; everything is said in terms of a.",
            "a derivative written for z, called with a",
            edits={"result": lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2},
        ),
        Mistake(
            "plus",
            "There is a plus where a minus belongs.",
            "At both ends, a = 0 and a = 1, the sigmoid is flat. Is your slope 0 at a = 1?",
            "Differentiate 1/(1+exp(-z)) again and watch the sign of the inner derivative.",
            edits={"rest": lambda a: 1 + a},
        ),
        Mistake(
            "tanh-slope",
            "This is the slope of tanh.",
            "The two functions have different slopes at the middle: 1 for tanh, 1/4 here.",
            "Eq. (1.3) has two lines; this is the other one.",
            edits={"result": lambda a: 1 - a * a},
        ),
        Mistake(
            "one-factor",
            "One of the two factors is missing.",
            "Is your slope 0 at a = 0, where the curve is flat?",
            "The slope must vanish at both ends of the range, so it needs a factor for each.",
            edits={"result": lambda rest: rest},
        ),
        Mistake(
            "only-a",
            "One of the two factors is missing.",
            "Is your slope 0 at a = 1, where the curve is flat?",
            "The slope must vanish at both ends of the range, so it needs a factor for each.",
            edits={"result": lambda a: a * 1.0},
        ),
        Mistake(
            "negative",
            "The sign is turned round.",
            "The sigmoid rises everywhere. Can its slope be negative?",
            "The inner derivative of exp(-z) brings one minus, the power -1 another.",
            edits={"result": lambda value: -value},
        ),
        Mistake(
            "squared",
            "One factor appears twice.",
            "The slope is the same at a and at 1 - a. Is yours?",
            "Each end of the range asks for one factor, not for two.",
            edits={"result": lambda value, rest: value * rest},
        ),
    ),
)


def _kl_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for one unit", (float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.45, 0.9)))),
        Case("for a vector of units", (float(rng.uniform(0.05, 0.45)), rng.uniform(0.02, 0.98, 5))),
        Case("for a large target", (float(rng.uniform(0.6, 0.9)), rng.uniform(0.02, 0.98, 4))),
    ]


KL_DIVERGENCE = Exercise(
    name="kl_divergence",
    signature="kl_divergence(rho, rho_hat)",
    chapter="chapter 4, Eq. (4.1)",
    cases=_kl_cases,
    steps=(
        Step("ratio", "the first ratio of Eq. (4.1)", lambda rho, rho_hat: rho / rho_hat),
        Step(
            "rest_ratio",
            "the second ratio of Eq. (4.1)",
            lambda rho, rho_hat: (1 - rho) / (1 - rho_hat),
        ),
        Step("log", "the first logarithm of Eq. (4.1)", lambda ratio: np.log(ratio)),
        Step(
            "rest_log", "the second logarithm of Eq. (4.1)", lambda rest_ratio: np.log(rest_ratio)
        ),
        Step("active", "the first term of Eq. (4.1)", lambda rho, log: rho * log),
        Step(
            "inactive", "the second term of Eq. (4.1)", lambda rho, rest_log: (1 - rho) * rest_log
        ),
        Step(
            "cross",
            "",
            lambda rho, rho_hat: -rho * np.log(rho_hat) - (1 - rho) * np.log(1 - rho_hat),
        ),
        Step("entropy", "", lambda rho: -rho * np.log(rho) - (1 - rho) * np.log(1 - rho)),
        Step("result", "the divergence, Eq. (4.1)", lambda active, inactive: active + inactive),
    ),
    mistakes=(
        Mistake(
            "swapped",
            "rho and rho_hat have changed places: this is KL(rho_hat ‖ rho).",
            "KL is not symmetric. Which of the two is the reference that comes first?",
            "In Eq. (4.1) the factor before each logarithm belongs to the target.",
            "KL(q‖p) for KL(p‖q) is the commonest slip with this formula",
            edits={
                "ratio": lambda rho, rho_hat: rho_hat / rho,
                "rest_ratio": lambda rho, rho_hat: (1 - rho_hat) / (1 - rho),
                "active": lambda rho_hat, log: rho_hat * log,
                "inactive": lambda rho_hat, rest_log: (1 - rho_hat) * rest_log,
            },
        ),
        Mistake(
            "no-complement",
            "Only the term of the active state is there; that of the inactive state is missing.",
            "A Bernoulli variable has two outcomes. You counted one.",
            "With one term the result can be negative, and it is not least at rho_hat = rho.",
            edits={"inactive": lambda value: 0 * value},
        ),
        Mistake(
            "base-two",
            "The logarithm is to base 2: the result is in bits, not in nats.",
            "Which logarithm does the derivative of Eq. (4.2) belong to?",
            "np.log is the natural logarithm, np.log2 is not.",
            edits={"result": lambda value: value / np.log(2)},
        ),
        Mistake(
            "sign",
            "The sign is turned round: the penalty would reward units far from the target.",
            "A divergence is never negative. Is yours?",
            "log(a/b) = -log(b/a): check which one stands above the line, in both terms.",
            edits={"result": lambda value: -value},
        ),
        Mistake(
            "ratio-upside-down",
            "The first ratio is upside down.",
            "Set rho_hat = rho / 2: should the first logarithm be positive or negative?",
            "In each logarithm the target stands above the line.",
            edits={"active": lambda value: -value},
        ),
        Mistake(
            "second-ratio-upside-down",
            "The second ratio is upside down, or the two terms are subtracted, which is the same.",
            "Compare the two logarithms: in the first the target stands above the line.",
            "In each logarithm the target stands above the line.",
            edits={"inactive": lambda value: -value},
        ),
        Mistake(
            "weights-missing",
            "The factors before the logarithms are missing.",
            "The logarithms are averaged, each with the probability of its outcome.",
            "Each of the two terms of Eq. (4.1) starts with a probability.",
            edits={"active": lambda log: log, "inactive": lambda rest_log: rest_log},
        ),
    ),
)


KL_GRADIENT = Exercise(
    name="kl_gradient",
    signature="kl_gradient(rho, rho_hat)",
    chapter="chapter 4, Eq. (4.2)",
    cases=_kl_cases,
    steps=(
        Step("ratio", "", lambda rho, rho_hat: rho / rho_hat),
        Step("active", "the first term of Eq. (4.2)", lambda rho, rho_hat: -rho / rho_hat),
        Step(
            "inactive",
            "the second term of Eq. (4.2)",
            lambda rho, rho_hat: (1 - rho) / (1 - rho_hat),
        ),
        Step("difference", "", lambda rho, rho_hat: rho_hat - rho),
        Step("variance", "", lambda rho_hat: rho_hat * (1 - rho_hat)),
        Step("result", "the slope, Eq. (4.2)", lambda active, inactive: active + inactive),
    ),
    mistakes=(
        Mistake(
            "sign",
            "The sign is turned round: the result is exactly minus the right one.",
            "Should the slope be negative or positive when rho_hat lies below rho?",
            "Below the target the penalty falls as rho_hat grows.",
            edits={"result": lambda value: -value},
        ),
        Mistake(
            "inner-derivative",
            "The second term has the wrong sign: the inner derivative of 1 - rho_hat was lost.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq log(1 - q) has a minus that the chain rule brings in.",
            edits={"inactive": lambda value: -value},
        ),
        Mistake(
            "first-sign",
            "The first term has the wrong sign.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq of log(p/q) = log p - log q is negative.",
            edits={"active": lambda value: -value},
        ),
        Mistake(
            "no-complement",
            "Only the first term is there.",
            "With one term the slope never changes sign, so there is no minimum.",
            "Differentiate both terms of Eq. (4.1).",
            edits={"inactive": lambda value: 0 * value},
        ),
        Mistake(
            "derivative-in-rho",
            "This is the derivative with respect to rho, which is a constant in training.",
            "Which of the two depends on the weights, rho or rho_hat?",
            "Logarithms vanish when you differentiate with respect to rho_hat.",
            edits={
                "active": lambda rho, rho_hat: np.log(rho / rho_hat),
                "inactive": lambda rho, rho_hat: -np.log((1 - rho) / (1 - rho_hat)),
            },
        ),
        Mistake(
            "swapped",
            "This is the slope of KL(rho_hat ‖ rho), the divergence the other way round.",
            "Which of the two comes first in the penalty?",
            "The slope of Eq. (4.1) has no logarithm in it.",
            edits={
                "active": lambda rho, rho_hat: np.log(rho_hat / rho),
                "inactive": lambda rho, rho_hat: -np.log((1 - rho_hat) / (1 - rho)),
            },
        ),
        Mistake(
            "value",
            "This is the divergence itself, not its slope.",
            "Below the target the divergence is positive, but its slope is not.",
            "Differentiate Eq. (4.1) with respect to rho_hat, term by term.",
            edits={
                "active": lambda rho, rho_hat: rho * np.log(rho / rho_hat),
                "inactive": lambda rho, rho_hat: (1 - rho) * np.log((1 - rho) / (1 - rho_hat)),
            },
        ),
        Mistake(
            "upside-down",
            "Both fractions are upside down.",
            "What should happen to the slope when rho_hat comes near 0?",
            "rho_hat stands below the line: that is what makes the penalty blow up at the ends.",
            edits={
                "active": lambda rho, rho_hat: -rho_hat / rho,
                "inactive": lambda rho, rho_hat: (1 - rho_hat) / (1 - rho),
            },
        ),
    ),
)


def running_mean(A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the running mean that keeps nine tenths of itself at each example."""
    mean: NDArray[np.float64] = A[0]
    for row in A[1:]:
        mean = 0.9 * mean + 0.1 * row
    return mean


def _mean_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for few examples", (rng.uniform(size=(4, 3)),)),
        Case("for as many examples as units", (rng.uniform(size=(5, 5)),)),
        Case("for many examples", (rng.uniform(size=(40, 6)),)),
    ]


MEAN_ACTIVATION = Exercise(
    name="mean_activation",
    axes={"A": "mh"},
    signature="mean_activation(A), one row per example, one column per unit",
    chapter="chapter 3, Eq. (3.1)",
    cases=_mean_cases,
    steps=(
        Step("sum", "the sum over the examples", lambda A: A.sum(axis=0)),
        Step("count", "m, the number of examples", lambda A: len(A)),
        Step("result", "rho_hat, Eq. (3.1)", lambda sum, count: sum / count),
    ),
    mistakes=(
        Mistake(
            "wrong-axis",
            "The mean runs over the units of each example instead of over the examples.",
            "rho_hat has one entry per hidden unit. How long is yours?",
            "axis=0 runs down a column, axis=1 along a row.",
            "a change from columns to rows",
            edits={"result": lambda A: A.mean(axis=1)},
        ),
        Mistake(
            "over-all",
            "There is one mean over everything; each unit needs its own.",
            "With one number for all, a unit that is always on can hide behind one that never is.",
            "np.mean without axis takes all entries together.",
            edits={"result": lambda A: A.mean()},
        ),
        Mistake(
            "sum",
            "The sum is not divided by the number of examples.",
            "A mean activation of a sigmoid unit lies between 0 and 1. Does yours?",
            "How many examples went into the sum?",
            edits={"result": lambda sum: sum},
        ),
        Mistake(
            "divided-by-units",
            "The sum over the examples is divided by the number of units.",
            "Divide by how many numbers you added.",
            "A.shape is (n_samples, n_hidden); which of the two did you add over?",
            edits={"count": lambda A: A.shape[1]},
        ),
        Mistake(
            "share-active",
            "This is the share of examples on which the unit is above one half.",
            "A share jumps when an activation crosses one half, so it has no useful gradient.",
            "rho_hat averages the activations themselves.",
            edits={"result": lambda A: (A > 0.5).mean(axis=0)},
        ),
        Mistake(
            "tanh-scale",
            "The map from tanh's range to [0, 1] is applied to sigmoid units.",
            "Sigmoid activations lie in [0, 1] already.",
            "Eq. (3.2) is for tanh; here Eq. (3.1) is asked for.",
            edits={"result": lambda value: (1 + value) / 2},
        ),
        Mistake(
            "sample-mean",
            "The sum is divided by one less than the number of examples.",
            "That divisor belongs to a sample variance.",
            "A mean of m numbers divides by m.",
            edits={"count": lambda value: value - 1},
        ),
        Mistake(
            "median",
            "This is the median.",
            "A median does not change when the largest activation does.",
            "Add, then divide.",
            edits={"result": lambda A: np.median(A, axis=0)},
        ),
        Mistake(
            "sigmoid-twice",
            "The sigmoid is applied once more before the mean.",
            "What are the activations already: z or f(z)?",
            "rho_hat is the plain mean of the activations.",
            edits={"result": lambda A: (1 / (1 + np.exp(-A))).mean(axis=0)},
        ),
        Mistake(
            "last-example",
            "These are the activations of the last example.",
            "A value that is overwritten in a loop holds what came last.",
            "Add up over all examples first, then divide.",
            edits={"result": lambda A: A[-1]},
        ),
        Mistake(
            "running-mean",
            "This is a running mean, in which the last examples count most.",
            "Turn the order of the examples round: does your result change?",
            "Every example has the same weight in a mean.",
            "training example by example, with 0.9 of the old mean and 0.1 of the new",
            edits={"result": lambda A: running_mean(A)},
        ),
        Mistake(
            "share-above-zero",
            "This is the share of examples on which the unit is above zero: a sigmoid always is.",
            "rho_hat averages the activations themselves.",
            "Do not compare, add.",
            edits={"result": lambda A: (A > 0).mean(axis=0)},
        ),
    ),
)
