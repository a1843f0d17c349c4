"""Exercises on dictionaries: L1, the projected gradient, TopK, the unexplained share, sharing."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from typing import Any

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step

BLOCKS = ("the gradient of W1", "the gradient of W2", "the gradient of b1", "the gradient of b2")


def _blocks(rng: np.random.Generator, m: int, n: int, h: int) -> tuple[Any, ...]:
    return (
        rng.normal(size=(h, n)),
        rng.normal(size=(n, h)),
        rng.normal(scale=0.5, size=h),
        rng.normal(size=n),
        rng.normal(size=(m, n)),
    )


def _l1_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("without a price", (*_blocks(rng, 9, 4, 3), 0.0)),
        Case("with a price", (*_blocks(rng, 11, 4, 6), float(rng.uniform(0.3, 0.8)))),
        Case(
            "with as many units as inputs",
            (*_blocks(rng, 10, 5, 5), float(rng.uniform(0.3, 0.8))),
        ),
    ]


L1_GRADIENT = Exercise(
    name="l1_gradient",
    axes={"W1": "hn", "W2": "nh", "b1": "h", "b2": "n", "X": "mn"},
    signature="l1_gradient(W1, W2, b1, b2, X, sparsity_weight)",
    chapter="chapter 12, Eq. (12.4)",
    cases=_l1_cases,
    outputs=BLOCKS,
    steps=(
        Step("XW1", "", lambda X, W1: X @ W1.T),
        Step("Z", "the weighted inputs", lambda XW1, b1: XW1 + b1),
        Step("A", "the code, relu(Z)", lambda Z: np.maximum(Z, 0)),
        Step("AW2", "", lambda A, W2: A @ W2.T),
        Step("X_hat", "the reconstruction", lambda AW2, b2: AW2 + b2),
        Step("delta3", "δ3, the error of the output", lambda X_hat, X: X_hat - X),
        Step("slope", "the slope of the code", lambda Z: np.where(Z > 0, 1.0, 0.0)),
        Step("back", "the error passed back, δ3 W2", lambda delta3, W2: delta3 @ W2),
        Step("bracket", "", lambda sparsity_weight: sparsity_weight * 1.0),
        Step("inside", "the bracket of Eq. (12.4)", lambda back, bracket: back + bracket),
        Step("delta2", "δ2, Eq. (12.4)", lambda inside, slope: inside * slope),
        Step("count", "", lambda X: len(X)),
        Step("gW1", "the gradient of W1", lambda delta2, X, count: delta2.T @ X / count),
        Step("gW2", "the gradient of W2", lambda delta3, A, count: delta3.T @ A / count),
        Step("gb1", "the gradient of b1", lambda delta2, count: delta2.sum(axis=0) / count),
        Step("gb2", "the gradient of b2", lambda delta3, count: delta3.sum(axis=0) / count),
        Step("result", "the four gradients", lambda gW1, gW2, gb1, gb2: (gW1, gW2, gb1, gb2)),
    ),
    mistakes=(
        Mistake(
            "price-missing",
            "The price is missing from δ2; W2 and b2 are right.",
            "Does your gradient change with the sparsity weight?",
            "Compare δ2 with Eq. (12.4): what stands beside δ3 W2?",
            edits={"bracket": lambda value: 0 * value},
        ),
        Mistake(
            "price-outside",
            "The price is added behind the slope, so silent units pay it, too.",
            "What does a unit pay for that is off, and stays off if you move it a little?",
            "In Eq. (12.4) the slope multiplies both terms of the bracket.",
            edits={"delta2": lambda back, slope, bracket: back * slope + bracket},
        ),
        Mistake(
            "price-sign",
            "The price has the wrong sign: it pays units for being active.",
            "Should the gradient make an activation larger or smaller?",
            "The derivative of β a with respect to a is β.",
            edits={"bracket": lambda value: -value},
        ),
        Mistake(
            "price-summed",
            "The price is m times too large: it is summed over the examples, not averaged.",
            "Take every example twice: the gradient should stay the same.",
            "The 1/m is supplied when δ2 becomes a gradient.",
            edits={"bracket": lambda value, X: value * len(X)},
        ),
        Mistake(
            "price-averaged-twice",
            "The price is divided by the number of examples twice.",
            "Where does the 1/m of the mean come in: in δ2, or when δ2 becomes a gradient?",
            "δ2 is m times the derivative, so its bracket holds β and no 1/m.",
            edits={"bracket": lambda value, X: value / len(X)},
        ),
        Mistake(
            "price-times-activation",
            "The price grows with the activation: that is the slope of a sum of squares.",
            "What is the derivative of |a| where a is positive?",
            "The price of one more unit of activation is the same however large it is.",
            "squared penalties",
            edits={"bracket": lambda sparsity_weight, A: sparsity_weight * A},
        ),
        Mistake(
            "price-not-in-b1",
            "The price reaches W1 but not b1.",
            "Both gradients come from the same δ2.",
            "Add the price to δ2 once, then compute both gradients from it.",
            edits={"gb1": lambda back, slope, count: (back * slope).sum(axis=0) / count},
        ),
        Mistake(
            "weight-missing",
            "The price is there, but always 1, not the weight that is given.",
            "Double the sparsity weight: does the price double?",
            "The bracket of Eq. (12.4) holds β.",
            edits={"bracket": lambda sparsity_weight: float(sparsity_weight > 0)},
        ),
        Mistake(
            "slope-missing",
            "δ2 lacks the slope of the code: silent units learn as if they were active.",
            "What happens to the cost if a unit with z = -1 gets z = -0.9?",
            "relu has slope 0 on one side.",
            edits={"slope": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "slope-is-the-code",
            "The activation stands where its slope belongs.",
            "What is the slope of relu at z = 2, and what at z = 3?",
            "The slope is 1 or 0.",
            edits={"slope": lambda A: A},
        ),
        Mistake(
            "sigmoid-slope",
            "The slope is a(1 - a), which belongs to the sigmoid; these units are rectified.",
            "Is your slope ever negative? That of relu is not.",
            "The slope of relu is 1 or 0.",
            "code kept from chapter 5",
            edits={"slope": lambda A: A * (1 - A)},
        ),
        Mistake(
            "not-rectified",
            "The units are not rectified: negative weighted inputs pass.",
            "Can an activation of yours be negative?",
            "The code is relu(Z).",
            edits={"A": lambda Z: Z, "slope": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "error-sign",
            "The error has the wrong sign: X minus reconstruction.",
            "If an output is too large, must the gradient of its bias be positive or negative?",
            "The error is what came out minus what should have.",
            edits={"delta3": lambda value: -value},
        ),
        Mistake(
            "not-averaged",
            "Everything is m times too large: the sums are not divided by the number of examples.",
            "The cost is a mean over the examples, so its gradient is one too.",
            "Divide by the number of rows of X.",
            edits={"count": lambda: 1},
        ),
        Mistake(
            "W1-for-W2",
            "The error is passed back through W1 instead of W2.",
            "Along which connections did the code reach the output?",
            "δ3 travels back over the weights that carried A forward.",
            edits={"back": lambda delta3, W1: delta3 @ W1.T},
        ),
        Mistake(
            "output-bias-missing",
            "b2 is not added to the output.",
            "Set W2 to 0: what should come out?",
            "A reconstruction is b2 plus a sum of columns.",
            edits={"X_hat": lambda AW2: AW2},
        ),
        Mistake(
            "hidden-bias-missing",
            "b1 is not added to the weighted inputs.",
            "What decides how large X W1ᵀ must be for a unit to be on?",
            "Z is X W1ᵀ plus b1.",
            edits={"Z": lambda XW1: XW1},
        ),
        Mistake(
            "error-doubled",
            "The error counts twice, while the price does not.",
            "The 1/2 of the cost cancels with the 2 of the square.",
            "δ3 has no 2.",
            "a cost without the 1/2",
            edits={"delta3": lambda value: 2 * value},
        ),
    ),
)


def _projection_cases(rng: np.random.Generator) -> list[Case]:
    def case(n: int, h: int) -> tuple[Any, ...]:
        W2 = rng.normal(size=(n, h))
        return rng.normal(size=(n, h)), W2 / np.sqrt(np.sum(W2**2, axis=0))

    return [
        Case("for a dictionary of 5 columns in 3 dimensions", case(3, 5)),
        Case("for as many columns as dimensions", case(4, 4)),
    ]


PROJECT_GRADIENT = Exercise(
    name="project_gradient",
    axes={"gradient": "nh", "W2": "nh"},
    signature="project_gradient(gradient, W2)",
    chapter="chapter 12, Eq. (12.6)",
    cases=_projection_cases,
    steps=(
        Step("products", "", lambda gradient, W2: gradient * W2),
        Step(
            "shares",
            "the part along each column, one number per column",
            lambda products: products.sum(axis=0),
        ),
        Step("along", "the part along the columns", lambda W2, shares: W2 * shares),
        Step("result", "the projected gradient", lambda gradient, along: gradient - along),
    ),
    mistakes=(
        Mistake(
            "rows",
            "The parts are taken along the rows of W2; each column has norm 1, not each row.",
            "Which axis of W2 (n_features, n_hidden) holds one direction?",
            "A sum over the features leaves one number per unit.",
            "programs that keep the dictionary as (n_hidden, n_features)",
            edits={
                "shares": lambda products: products.sum(axis=1, keepdims=True),
            },
        ),
        Mistake(
            "one-share-for-all",
            "One number is used for all columns; each column has its own.",
            "Every column of the result should be at right angles to that of W2.",
            "Sum along axis 0.",
            edits={"shares": lambda products: products.sum()},
        ),
        Mistake(
            "along-instead",
            "This is the part that has to go, not what is left.",
            "Take the product of your result with the columns: is it 0?",
            "What remains is the gradient minus this.",
            edits={"result": lambda along: along},
        ),
        Mistake(
            "not-projected",
            "This is the gradient as it came.",
            "Take the product of your result with the columns: is it 0?",
            "A step along a column changes nothing but its length.",
            edits={"result": lambda gradient: gradient * 1.0},
        ),
        Mistake(
            "added",
            "The part along the columns is added instead of taken off.",
            "Take the product of your result with the columns: has it doubled?",
            "Eq. (12.6) has a minus.",
            edits={"result": lambda gradient, along: gradient + along},
        ),
        Mistake(
            "share-not-times-column",
            "A plain number is taken off each column, not a multiple of the column.",
            "What is taken off must point along the column.",
            "Multiply the share with the column it belongs to.",
            edits={"along": lambda shares, W2: shares + 0 * W2},
        ),
        Mistake(
            "twice",
            "The part along the columns is taken off twice: that is a reflection.",
            "Take the product of your result with the columns: is it 0?",
            "A projection applied a second time changes nothing.",
            edits={"along": lambda value: 2 * value},
        ),
        Mistake(
            "gradient-for-column",
            "Multiples of the gradient are taken off, not of the columns.",
            "Along which direction must nothing be left?",
            "The share multiplies the column of W2.",
            edits={"along": lambda gradient, shares: gradient * shares},
        ),
        Mistake(
            "norm-for-share",
            "The length of the gradient is taken for its part along the column.",
            "What is the part of a vector along a direction at right angles to it?",
            "A product of the two, summed over the features.",
            edits={"shares": lambda gradient: np.sqrt(np.sum(gradient**2, axis=0))},
        ),
        Mistake(
            "absolute",
            "The sign of the part along the column is lost.",
            "A gradient may point along a column or against it.",
            "The share of each column has a sign.",
            edits={"shares": lambda value: np.abs(value)},
        ),
    ),
)


def _unexplained_cases(rng: np.random.Generator) -> list[Case]:
    def case(m: int, n: int, offset: float) -> tuple[Any, ...]:
        X = rng.normal(size=(m, n)) * rng.uniform(0.5, 2, size=n) + offset * rng.normal(size=n)
        return X, X + 0.4 * rng.normal(size=(m, n)) + 0.1

    X = rng.normal(size=(8, 3)) + np.array([3.0, -2.0, 1.0])
    return [
        Case("for data with a small mean", case(9, 4, 0.3)),
        Case("for data with a large mean", case(7, 5, 4.0)),
        Case(
            "for always answering the mean, which leaves 1",
            (X, np.broadcast_to(X.mean(axis=0), X.shape).copy()),
        ),
    ]


UNEXPLAINED = Exercise(
    name="unexplained",
    axes={"X": "mn", "X_hat": "mn"},
    signature="unexplained(X, X_hat)",
    chapter="chapter 2, Eq. (2.3)",
    cases=_unexplained_cases,
    steps=(
        Step("error", "the error", lambda X, X_hat: X - X_hat),
        Step("squares", "", lambda error: error**2),
        Step("left", "the sum of the squared errors", lambda squares: squares.sum()),
        Step("mean", "the mean of every feature", lambda X: X.mean(axis=0)),
        Step("around", "the distances from the mean", lambda X, mean: X - mean),
        Step("spread", "", lambda around: around**2),
        Step("variance", "the sum of the squared distances", lambda spread: spread.sum()),
        Step("result", "the unexplained share", lambda left, variance: left / variance),
    ),
    mistakes=(
        Mistake(
            "about-zero",
            "The variance is taken about 0, not about the mean: with a large mean everything "
            "looks explained.",
            "What does your function give for always answering the mean? It should be 1.",
            "Eq. (2.3) takes the mean off below the line.",
            "norms of X in the place of its variance",
            edits={"around": lambda X: X},
        ),
        Mistake(
            "one-mean-for-all",
            "One mean is taken over all features; each feature has its own.",
            "What does your function give for always answering the mean of every feature?",
            "The mean runs over the examples, axis 0.",
            edits={"mean": lambda X: X.mean()},
        ),
        Mistake(
            "mean-of-each-example",
            "The mean of each example is taken off, not that of each feature.",
            "Who predicts without looking, predicts the same for all examples.",
            "The mean runs over the examples, axis 0.",
            edits={"mean": lambda X: X.mean(axis=1, keepdims=True)},
        ),
        Mistake(
            "explained",
            "This is the explained share, one minus the one asked for.",
            "What should a perfect reconstruction get here?",
            "0 is perfect, 1 is no better than the mean.",
            edits={"result": lambda value: 1 - value},
        ),
        Mistake(
            "upside-down",
            "The fraction is upside down.",
            "What should a perfect reconstruction get?",
            "The errors stand above the line.",
            edits={"result": lambda value: 1 / value},
        ),
        Mistake(
            "root",
            "A square root is too many: this is a share of the spread, not of the variance.",
            "Variances are squares.",
            "Eq. (2.3) has no root.",
            edits={"result": lambda value: np.sqrt(value)},
        ),
        Mistake(
            "mean-of-shares",
            "Each feature gets a share of its own, and the shares are averaged.",
            "A feature that hardly varies should hardly count.",
            "Sum over everything above the line and below, then divide once.",
            "the mean of R² over the outputs",
            edits={
                "result": lambda squares, spread: np.mean(squares.sum(axis=0) / spread.sum(axis=0))
            },
        ),
        Mistake(
            "variance-of-the-reconstruction",
            "The variance is that of the reconstruction.",
            "What is to be explained: the data, or what came out?",
            "Below the line stands X alone.",
            edits={"around": lambda X_hat: X_hat - X_hat.mean(axis=0)},
        ),
        Mistake(
            "not-divided",
            "The squared errors are not compared with anything.",
            "Give the data in other units: a share should not change.",
            "Eq. (2.3) has a denominator.",
            edits={"variance": lambda: 1.0},
        ),
        Mistake(
            "variance-of-the-error",
            "The mean of the errors is taken off: a constant error goes unnoticed.",
            "Add 1 to every reconstruction: should that be for free?",
            "Above the line no mean is taken off.",
            "np.var of the error",
            edits={"squares": lambda error: (error - error.mean(axis=0)) ** 2},
        ),
    ),
)


def _top_cases(rng: np.random.Generator) -> list[Case]:
    few = -np.abs(rng.normal(size=(4, 6)))
    few[:, 2] = np.abs(rng.normal(size=4)) + 0.1
    return [
        Case("for 5 examples and 7 units", (rng.normal(size=(5, 7)) + 0.8, 2)),
        Case("with fewer positive ones than k", (few, 3)),
        Case("for as many examples as units", (rng.normal(size=(6, 6)), 2)),
    ]


def _largest(Z: Any, k: int) -> Any:
    return np.sort(Z, axis=1)[:, -k, None] <= Z


TOP_K_CODE = Exercise(
    name="top_k",
    axes={"Z": "mh"},
    signature="top_k(Z, k)",
    chapter="chapter 13, Eq. (13.2)",
    cases=_top_cases,
    outputs=("the code", "its slope"),
    steps=(
        Step("sorted", "", lambda Z: np.sort(Z, axis=1)),
        Step("least", "", lambda sorted, k: sorted[:, -k, None]),
        Step("large", "who is among the k largest", lambda Z, least: least <= Z),
        Step("positive", "who is positive", lambda Z: Z > 0),
        Step("mask", "who stays", lambda large, positive: large & positive),
        Step("A", "the code", lambda Z, mask: np.where(mask, Z, 0.0)),
        Step("slope", "the slope of the code", lambda mask: np.where(mask, 1.0, 0.0)),
        Step("result", "the code and its slope", lambda A, slope: (A, slope)),
    ),
    mistakes=(
        Mistake(
            "smallest",
            "The k smallest stay, not the k largest.",
            "Who should stay: the units that are excited most, or least?",
            "Sorted upwards, the largest are at the end.",
            edits={"large": lambda Z, k: np.sort(Z, axis=1)[:, k - 1, None] >= Z},
        ),
        Mistake(
            "per-unit",
            "The k largest examples of each unit stay, not the k largest units of each example.",
            "How many units does your first example use?",
            "Sort along axis 1: one row is one example.",
            edits={"large": lambda Z, k: np.sort(Z, axis=0)[-k] <= Z},
        ),
        Mistake(
            "absolute",
            "The k largest in size stay, so that a very negative unit takes a place.",
            "A unit with z = -5 does not find what it looks for.",
            "Sort Z itself, not its absolute value.",
            edits={"large": lambda Z, k: _largest(np.abs(Z), k)},
        ),
        Mistake(
            "negative-survivors",
            "Negative units stay where fewer than k are positive.",
            "Can an activation of yours be negative?",
            "Two conditions must hold: among the k largest, and positive.",
            edits={"positive": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "k-plus-one",
            "One unit too many stays.",
            "Count the units of your first example.",
            "With k = 1, which place counted from the end is the largest?",
            edits={"large": lambda Z, k: _largest(Z, k + 1)},
        ),
        Mistake(
            "k-minus-one",
            "One unit too few stays: the k-th itself belongs to the k largest.",
            "Count the units of your first example.",
            "Is your comparison strict?",
            "> for >=",
            edits={"large": lambda Z, least: least < Z},
        ),
        Mistake(
            "slope-of-relu",
            "The code is right, but its slope is that of relu: 1 for every positive unit.",
            "A unit that was not chosen has the activation 0. Does a small push change that?",
            "The slope is the mask.",
            edits={"slope": lambda Z: np.where(Z > 0, 1.0, 0.0)},
        ),
        Mistake(
            "slope-one",
            "The code is right, but its slope is 1 everywhere: errors flow into silent units.",
            "A unit that was not chosen has the activation 0. Does a small push change that?",
            "The slope is the mask.",
            "a mask that the backward pass forgets",
            edits={"slope": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "slope-is-the-code",
            "The code stands where its slope belongs.",
            "By how much does an activation grow if its weighted input grows by a little?",
            "The slope is 1 or 0.",
            edits={"slope": lambda A: A},
        ),
        Mistake(
            "binary",
            "The code only says who is on, not how strongly.",
            "Which value does an activation have that stays?",
            "What stays, stays as it is.",
            edits={"A": lambda mask: np.where(mask, 1.0, 0.0)},
        ),
        Mistake(
            "threshold-subtracted",
            "The threshold is taken off what stays: that is how L1 shrinks.",
            "Which value does an activation have that stays?",
            "What stays, stays as it is.",
            edits={"A": lambda Z, least, mask: np.where(mask, Z - np.maximum(least, 0), 0.0)},
        ),
        Mistake(
            "whole-batch",
            "The k largest of the whole batch stay, not k of each example.",
            "How many units does your first example use?",
            "Each row has a threshold of its own.",
            "BatchTopK with too small a k",
            edits={"large": lambda Z, k: np.sort(Z, axis=None)[-k] <= Z},
        ),
    ),
)


def _sharing_cases(rng: np.random.Generator) -> list[Case]:
    def case(m: int, n: int, h: int) -> tuple[Any, ...]:
        X = rng.uniform(0, 1, size=(m, n)) * (rng.uniform(size=(m, n)) < 0.6)
        return rng.normal(size=(h, n)), 0.3 * rng.normal(size=n), X

    return [
        Case("for 5 features in 2 numbers", case(9, 5, 2)),
        Case("for as many numbers as features", case(8, 3, 3)),
    ]


SUPERPOSITION_GRADIENT = Exercise(
    name="superposition_gradient",
    axes={"W": "hn", "b": "n", "X": "mn"},
    signature="superposition_gradient(W, b, X)",
    chapter="chapter 11, Eq. (11.2)",
    cases=_sharing_cases,
    outputs=("the gradient of W", "the gradient of b"),
    steps=(
        Step("H", "the numbers in the middle, X Wᵀ", lambda X, W: X @ W.T),
        Step("HW", "", lambda H, W: H @ W),
        Step("Z", "the weighted inputs of the output", lambda HW, b: HW + b),
        Step("X_hat", "the output, Eq. (11.1)", lambda Z: np.maximum(Z, 0)),
        Step("error", "the error", lambda X_hat, X: X_hat - X),
        Step("slope", "the slope of the output", lambda Z: np.where(Z > 0, 1.0, 0.0)),
        Step("delta", "δ, the error term of the output", lambda error, slope: error * slope),
        Step("count", "", lambda X: len(X)),
        Step("reading", "the path through reading, Hᵀ δ", lambda H, delta: H.T @ delta),
        Step("back", "", lambda delta, W: delta @ W.T),
        Step("writing", "the path through writing, W δᵀ X", lambda back, X: back.T @ X),
        Step("both", "", lambda reading, writing: reading + writing),
        Step("gW", "the gradient of W, Eq. (11.2)", lambda both, count: both / count),
        Step("gb", "the gradient of b", lambda delta, count: delta.sum(axis=0) / count),
        Step("result", "both gradients", lambda gW, gb: (gW, gb)),
    ),
    mistakes=(
        Mistake(
            "writing-missing",
            "The path through writing is missing: W also decides what the middle holds.",
            "In how many places of Eq. (11.1) does W stand?",
            "Let W change in one place at a time and add up what both bring.",
            edits={"writing": lambda value: 0 * value},
        ),
        Mistake(
            "reading-missing",
            "The path through reading is missing: W also reads the middle.",
            "In how many places of Eq. (11.1) does W stand?",
            "Let W change in one place at a time and add up what both bring.",
            edits={"reading": lambda value: 0 * value},
        ),
        Mistake(
            "reading-twice",
            "The path through reading is counted twice, as if both paths were the same.",
            "For the square of one number both would be the same. Here H and X differ.",
            "The second path goes back through W to the input.",
            edits={"writing": lambda reading: reading},
        ),
        Mistake(
            "paths-subtracted",
            "The two paths are subtracted, not added.",
            "What comes back on two roads adds up.",
            "Eq. (11.2) has a plus.",
            edits={"both": lambda reading, writing: reading - writing},
        ),
        Mistake(
            "mask-missing",
            "δ lacks the slope of the output: outputs that are cut off at 0 still learn.",
            "What happens to an output at z = -1 if z becomes -0.9?",
            "relu has slope 0 on one side.",
            edits={"slope": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "not-rectified",
            "The output is not rectified.",
            "Can an output of yours be negative?",
            "Eq. (11.1) has a relu around everything.",
            edits={"X_hat": lambda Z: Z, "slope": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "bias-missing",
            "b is not added before the output is rectified.",
            "What makes a small disturbance disappear?",
            "Eq. (11.1) has b inside the relu.",
            edits={"Z": lambda HW: HW},
        ),
        Mistake(
            "error-sign",
            "The error has the wrong sign.",
            "If an output is too large, must the gradient of its bias be positive or negative?",
            "The error is what came out minus what should have.",
            edits={"error": lambda value: -value},
        ),
        Mistake(
            "not-averaged",
            "The sums are not divided by the number of examples.",
            "The cost is a mean over the examples, so its gradient is one too.",
            "Divide by the number of rows of X.",
            edits={"count": lambda: 1},
        ),
        Mistake(
            "doubled",
            "Everything is twice what it should be.",
            "The 1/2 of the cost cancels with the 2 of the square.",
            "δ has no 2.",
            edits={"error": lambda value: 2 * value},
        ),
    ),
)

EXERCISES = (SUPERPOSITION_GRADIENT, L1_GRADIENT, PROJECT_GRADIENT, UNEXPLAINED, TOP_K_CODE)
