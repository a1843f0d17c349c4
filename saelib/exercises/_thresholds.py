"""The exercise on thresholds that are learned: the straight-through rule."""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from typing import Any

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step


def _cases(rng: np.random.Generator) -> list[Case]:
    def case(m: int, h: int, price: float) -> tuple[Any, ...]:
        threshold = rng.uniform(0.4, 0.9, size=h)
        bandwidth = float(rng.uniform(0.15, 0.35))
        # A third of the examples lie in the window of each unit, some beyond twice its width.
        Z = threshold + bandwidth * rng.uniform(-1.5, 1.5, size=(m, h))
        return Z, rng.normal(size=(m, h)), threshold, price, bandwidth

    return [
        Case("without a price", case(24, 3, 0.0)),
        Case("with a price", case(30, 4, float(rng.uniform(0.3, 0.8)))),
        Case("for as many examples as units", case(12, 12, float(rng.uniform(0.3, 0.8)))),
    ]


STRAIGHT_THROUGH = Exercise(
    name="straight_through",
    axes={"Z": "mh", "back": "mh", "threshold": "h"},
    signature="straight_through(Z, back, threshold, sparsity_weight, bandwidth)",
    chapter="chapter 14, Eq. (14.5)",
    cases=_cases,
    steps=(
        Step("distance", "the distances from the thresholds", lambda Z, threshold: Z - threshold),
        Step("half", "half of the width", lambda bandwidth: bandwidth / 2),
        Step(
            "window",
            "who is in the window",
            lambda distance, half: np.where(np.abs(distance) < half, 1.0, 0.0),
        ),
        Step("pull", "the pull of the error, t g", lambda threshold, back: threshold * back),
        Step("bracket", "", lambda sparsity_weight: sparsity_weight * 1.0),
        Step("both", "the error and the price together", lambda pull, bracket: pull + bracket),
        Step("terms", "what each example adds", lambda window, both: window * both),
        Step("sums", "the sums over the examples", lambda terms: terms.sum(axis=0)),
        Step("count", "", lambda Z: len(Z)),
        Step("means", "the means over the examples", lambda sums, count: sums / count),
        Step("density", "", lambda means, bandwidth: means / bandwidth),
        Step("result", "the estimate, Eq. (14.5)", lambda density: -density),
    ),
    mistakes=(
        Mistake(
            "sign",
            "The sign is wrong.",
            "Raise a threshold: are more examples on, or fewer?",
            "Eq. (14.5) has a minus in front of everything.",
            edits={"result": lambda value: -value},
        ),
        Mistake(
            "window-twice-as-wide",
            "The window reaches a full width to both sides.",
            "How far apart are the two edges of your window?",
            "Half of the width lies on each side of the threshold.",
            "|z - t| < width",
            edits={"half": lambda bandwidth: bandwidth},
        ),
        Mistake(
            "not-divided",
            "The width is missing below the line.",
            "Twice as wide a window holds twice as many examples. Should the estimate double?",
            "K is 1 over the width in the window, so that it stands for a density.",
            edits={"density": lambda means: means},
        ),
        Mistake(
            "divided-by-half",
            "It is divided by half of the width: everything is doubled.",
            "By what does a central difference divide, by one step or by two?",
            "The thresholds of the difference are a whole width apart.",
            edits={"density": lambda means, bandwidth: means / (bandwidth / 2)},
        ),
        Mistake(
            "threshold-missing",
            "The threshold is missing in front of the error.",
            "By how much does the activation jump when a unit goes on?",
            "What is lost or won is about t times the slope.",
            edits={"pull": lambda back: back},
        ),
        Mistake(
            "weighted-input-for-threshold",
            "The weighted input stands in front of the error, where the rule has the threshold.",
            "Compare the two formulas of the chapter: what does the published one put for Z?",
            "In Eq. (14.5), t is in front of g.",
            "half of the exact difference, which makes it worse",
            edits={"pull": lambda Z, back: Z * back},
        ),
        Mistake(
            "price-missing",
            "The price is missing.",
            "Does your estimate change with the sparsity weight?",
            "Who goes off saves the price.",
            edits={"bracket": lambda value: 0 * value},
        ),
        Mistake(
            "price-sign",
            "The price has the wrong sign.",
            "Does a higher price make thresholds rise or fall?",
            "Error and price stand in one bracket, with a plus.",
            edits={"bracket": lambda value: -value},
        ),
        Mistake(
            "price-outside",
            "The price does not depend on who is in the window.",
            "Who saves something if the threshold moves a little?",
            "K multiplies both terms.",
            edits={"terms": lambda window, pull, bracket: window * pull + bracket},
        ),
        Mistake(
            "price-times-threshold",
            "The price is multiplied with the threshold, too.",
            "Does an active unit cost more if its threshold is higher?",
            "Only the error has t in front.",
            edits={"both": lambda threshold, back, bracket: threshold * (back + bracket)},
        ),
        Mistake(
            "price-averaged-twice",
            "The price is divided by the number of examples twice.",
            "Take every example twice: the estimate should stay the same.",
            "The mean comes at the end, once, for both terms.",
            edits={"bracket": lambda value, Z: value / len(Z)},
        ),
        Mistake(
            "log-space",
            "This is the derivative by the logarithm of the threshold.",
            "Asked for is the derivative by the threshold itself.",
            "One factor t is too many; the chain rule of the logarithm brings it in.",
            "implementations that learn log t",
            edits={"result": lambda value, threshold: value * threshold},
        ),
        Mistake(
            "not-averaged",
            "The sums are not divided by the number of examples.",
            "Take every example twice: the estimate should stay the same.",
            "The cost is a mean over the examples.",
            edits={"count": lambda: 1},
        ),
        Mistake(
            "mean-over-the-window",
            "The mean is taken over the examples in the window only.",
            "If few examples are in the window, does the threshold matter as much?",
            "Divide by the number of all examples.",
            edits={"means": lambda sums, window: sums / np.maximum(window.sum(axis=0), 1)},
        ),
        Mistake(
            "above-only",
            "Only examples above the threshold count.",
            "Who is off and close to the threshold would go on if it sank.",
            "The window lies on both sides.",
            edits={"window": lambda value, distance: np.where(distance > 0, value, 0.0)},
        ),
        Mistake(
            "below-only",
            "Only examples below the threshold count.",
            "Who is on and close to the threshold would go off if it rose.",
            "The window lies on both sides.",
            edits={"window": lambda value, distance: np.where(distance < 0, value, 0.0)},
        ),
        Mistake(
            "active-for-window",
            "All active examples count, not those close to the threshold.",
            "Does an example far above the threshold notice if it moves a little?",
            "The window is narrow; beyond it nothing changes.",
            "the slope of the code, used here as well",
            edits={"window": lambda distance: np.where(distance > 0, 1.0, 0.0)},
        ),
        Mistake(
            "everybody",
            "All examples count, wherever they are.",
            "Does an example far from the threshold notice if it moves a little?",
            "K is 0 outside of the window.",
            edits={"window": lambda value: np.ones_like(value)},
        ),
        Mistake(
            "per-example",
            "The sums run over the units, not over the examples.",
            "How many numbers should come out: one per unit.",
            "Sum along axis 0.",
            edits={"sums": lambda terms: terms.sum(axis=1)},
        ),
    ),
)

EXERCISES = (STRAIGHT_THROUGH,)
