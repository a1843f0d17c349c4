"""Exercises on the network: forward pass, cost, gradient without and with the penalty.

The computation below is written on its own, one step after the other and for small inputs, so
that it can be wrong in every way in which a learner's can; it shares no code with
`saelib.objective`, against which the tests compare it.
"""

# ruff: noqa: PLW0108 - a step is a lambda, since the names of its parameters are read

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from saelib.exercises._derivation import Case, Exercise, Mistake, Step
from saelib.exercises._pointwise import running_mean

OUTPUTS = ("the gradient of W1", "the gradient of W2", "the gradient of b1", "the gradient of b2")


def _f(z: Any) -> Any:
    # Wrong gradients can send an optimizer very far out; the limit of 0 is right there.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _weights(rng: np.random.Generator, n: int, h: int) -> tuple[Any, ...]:
    return (
        rng.normal(scale=0.7, size=(h, n)),
        rng.normal(scale=0.7, size=(n, h)),
        rng.normal(scale=0.5, size=h),
        rng.normal(scale=0.5, size=n),
    )


def _inputs(rng: np.random.Generator, m: int, n: int, h: int) -> tuple[Any, ...]:
    return (*_weights(rng, n, h), rng.uniform(0.1, 0.9, size=(m, n)))


def _shape(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return numbers of examples, inputs and hidden units, all different from one another."""
    m, n, h = rng.permutation([3, 4, 5, 6, 7, 8])[:3]
    return int(m), int(n), int(h)


def _more_inputs_than_units(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return numbers of examples, inputs and hidden units; a sum that stops early then shows."""
    m, n, h = _shape(rng)
    return m, max(n, h), min(n, h)


def _cases(rng: np.random.Generator) -> list[Case]:
    decay, target, weight = (
        float(rng.uniform(0.05, 0.3)),
        float(rng.uniform(0.05, 0.2)),
        float(rng.uniform(1.5, 4)),
    )
    return [
        Case(
            "without any penalty", (*_inputs(rng, *_more_inputs_than_units(rng)), 0.0, target, 0.0)
        ),
        Case("with weight decay alone", (*_inputs(rng, *_shape(rng)), decay, target, 0.0)),
        Case("with the sparsity penalty alone", (*_inputs(rng, *_shape(rng)), 0.0, target, weight)),
        Case(
            "with as many hidden units as inputs", (*_inputs(rng, 7, 4, 4), decay, target, weight)
        ),
    ]


AXES = {"W1": "hn", "W2": "nh", "b1": "h", "b2": "n", "X": "mn"}


def _four_blocks(value: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the blocks W1, W2, b1, b2 of a flat vector, a mapping or a `Parameters`."""
    names = ("W1", "W2", "b1", "b2")
    if isinstance(value, Mapping) and all(name in value for name in names):
        return tuple(value[name] for name in names)
    if not isinstance(value, tuple) and all(hasattr(value, name) for name in names):
        return tuple(getattr(value, name) for name in names)
    shapes = [argument.shape for argument in arguments[:4]]
    sizes = [argument.size for argument in arguments[:4]]
    if isinstance(value, np.ndarray) and value.shape == (sum(sizes),):
        parts = np.split(value, np.cumsum(sizes)[:-1])
        return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
    return value


def _read_in_the_order_of_the_task(blocks: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what is read from a flat vector whose blocks are W1, b1, W2, b2."""
    W1, W2, b1, b2 = blocks
    flat = np.concatenate([np.ravel(part) for part in (W1, b1, W2, b2)])
    parts = np.split(flat, np.cumsum([np.size(part) for part in blocks])[:-1])
    return tuple(part.reshape(np.shape(block)) for part, block in zip(parts, blocks, strict=True))


FORWARD_STEPS = (
    Step("XW1", "", lambda X, W1: X @ W1.T),
    Step("z2", "z2, Eq. (1.4)", lambda XW1, b1: XW1 + b1),
    Step("A", "the hidden activations, Eq. (1.4)", lambda z2: _f(z2)),
    Step("AW2", "", lambda A, W2: A @ W2.T),
    Step("z3", "z3, Eq. (1.5)", lambda AW2, b2: AW2 + b2),
    Step("X_hat", "the output, Eq. (1.5)", lambda z3: _f(z3)),
)

COST_STEPS = (
    *FORWARD_STEPS,
    Step("error", "the error, output minus input", lambda X_hat, X: X_hat - X),
    Step("squares", "the sum of the squared errors", lambda error: np.sum(error**2)),
    Step("count", "m, the number of examples", lambda X: len(X)),
    Step(
        "reconstruction",
        "the reconstruction error, Eq. (2.1)",
        lambda squares, count: squares / (2 * count),
    ),
    Step(
        "weights",
        "the sum of the squared weights",
        lambda W1, W2: np.sum(W1**2) + np.sum(W2**2),
    ),
    Step(
        "decay",
        "the weight decay, Eq. (2.2)",
        lambda weight_decay, weights: weight_decay / 2 * weights,
    ),
    Step("rho_hat", "rho_hat, Eq. (3.1)", lambda A: A.mean(axis=0)),
    Step(
        "kl_active",
        "the first term of Eq. (4.1)",
        lambda rho_hat, sparsity_target: sparsity_target * np.log(sparsity_target / rho_hat),
    ),
    Step(
        "kl_inactive",
        "the second term of Eq. (4.1)",
        lambda rho_hat, sparsity_target: (
            (1 - sparsity_target) * np.log((1 - sparsity_target) / (1 - rho_hat))
        ),
    ),
    Step(
        "kl",
        "the divergence of each unit, Eq. (4.1)",
        lambda kl_active, kl_inactive: kl_active + kl_inactive,
    ),
    Step("kl_sum", "the sum of the divergences", lambda kl: np.sum(kl)),
    Step(
        "penalty",
        "the sparsity penalty, Eq. (4.3)",
        lambda sparsity_weight, kl_sum: sparsity_weight * kl_sum,
    ),
    # Many add one term after the other.
    Step("decay1", "", lambda weight_decay, W1: weight_decay / 2 * np.sum(W1**2)),
    Step("decay2", "", lambda weight_decay, W2: weight_decay / 2 * np.sum(W2**2)),
    Step("with_decay1", "", lambda reconstruction, decay1: reconstruction + decay1),
    Step("with_decay", "", lambda reconstruction, decay: reconstruction + decay),
    Step("with_penalty", "", lambda reconstruction, penalty: reconstruction + penalty),
    Step("penalties", "", lambda decay, penalty: decay + penalty),
    Step(
        "result",
        "J_sparse, Eq. (4.3)",
        lambda reconstruction, decay, penalty: reconstruction + decay + penalty,
    ),
)

_UP_TO_DELTA3 = (
    *FORWARD_STEPS,
    Step("error", "the error, output minus input", lambda X_hat, X: X_hat - X),
    Step("slope3", "f'(z3), Eq. (1.3)", lambda X_hat: X_hat * (1 - X_hat)),
    Step("slope2", "f'(z2), Eq. (1.3)", lambda A: A * (1 - A)),
    Step("delta3", "delta3, Eq. (1.6)", lambda error, slope3: error * slope3),
    Step("back", "the error passed back", lambda delta3, W2: delta3 @ W2),
)

_FROM_DELTA2 = (
    Step("count", "m, the number of examples", lambda X: len(X)),
    Step("sumW1", "", lambda delta2, X: delta2.T @ X),
    Step("sumW2", "", lambda delta3, A: delta3.T @ A),
    Step("dataW1", "the part of W1's gradient without decay", lambda sumW1, count: sumW1 / count),
    Step("dataW2", "the part of W2's gradient without decay", lambda sumW2, count: sumW2 / count),
    Step("decayW1", "the decay of W1", lambda weight_decay, W1: weight_decay * W1),
    Step("decayW2", "the decay of W2", lambda weight_decay, W2: weight_decay * W2),
    Step("gW1", "the gradient of W1", lambda dataW1, decayW1: dataW1 + decayW1),
    Step("gW2", "the gradient of W2", lambda dataW2, decayW2: dataW2 + decayW2),
    Step("sumb1", "", lambda delta2: delta2.sum(axis=0)),
    Step("sumb2", "", lambda delta3: delta3.sum(axis=0)),
    Step("gb1", "the gradient of b1", lambda sumb1, count: sumb1 / count),
    Step("gb2", "the gradient of b2", lambda sumb2, count: sumb2 / count),
    Step("result", "", lambda gW1, gW2, gb1, gb2: (gW1, gW2, gb1, gb2)),
)

GRADIENT_STEPS = (
    *_UP_TO_DELTA3,
    Step("delta2", "delta2, Eq. (1.6)", lambda back, slope2: back * slope2),
    *_FROM_DELTA2,
)

SPARSE_GRADIENT_STEPS = (
    *_UP_TO_DELTA3,
    Step("rho_hat", "rho_hat, Eq. (3.1)", lambda A: A.mean(axis=0)),
    Step(
        "slope_active",
        "the first term of Eq. (4.2)",
        lambda sparsity_target, rho_hat: -sparsity_target / rho_hat,
    ),
    Step(
        "slope_inactive",
        "the second term of Eq. (4.2)",
        lambda sparsity_target, rho_hat: (1 - sparsity_target) / (1 - rho_hat),
    ),
    Step(
        "slope",
        "the slope of the divergence, Eq. (4.2)",
        lambda slope_active, slope_inactive: slope_active + slope_inactive,
    ),
    Step("push", "the sparsity term", lambda sparsity_weight, slope: sparsity_weight * slope),
    Step("bracket", "the bracket of Eq. (5.1)", lambda back, push: back + push),
    Step("delta2", "delta2, Eq. (5.1)", lambda bracket, slope2: bracket * slope2),
    *_FROM_DELTA2,
)


def _penalty_W1(known: Mapping[str, Any]) -> Any:
    return (known["push"] * known["slope2"]).T @ known["X"] / len(known["X"])


def _data_W1(known: Mapping[str, Any]) -> Any:
    return (known["back"] * known["slope2"]).T @ known["X"] / len(known["X"])


TERMS = (
    (
        ("the reconstruction's part", _data_W1),
        ("the sparsity part", _penalty_W1),
        ("the weight decay", lambda known: known["decayW1"]),
    ),
    (
        ("the reconstruction's part", lambda known: known["dataW2"]),
        ("the weight decay", lambda known: known["decayW2"]),
    ),
    (
        (
            "the reconstruction's part",
            lambda known: (known["back"] * known["slope2"]).mean(axis=0),
        ),
        ("the sparsity part", lambda known: (known["push"] * known["slope2"]).mean(axis=0)),
    ),
    (("the reconstruction's part", lambda known: known["gb2"]),),
)


def _kl(rho: Any, q: Any) -> Any:
    return rho * np.log(rho / q) + (1 - rho) * np.log((1 - rho) / (1 - q))


def _forward_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a few examples", _inputs(rng, *_shape(rng))),
        Case("with more hidden units than inputs", _inputs(rng, 3, 2, 6)),
        Case("with as many hidden units as inputs", _inputs(rng, 6, 4, 4)),
    ]


WRONG_FORWARD = (
    Mistake(
        "hidden-bias-missing",
        "b1 is missing from the hidden layer.",
        "With X = 0 every hidden unit of yours answers one half. Should it?",
        "Compare z of the hidden layer with Eq. (1.4), term by term.",
        edits={"z2": lambda XW1: XW1},
    ),
    Mistake(
        "output-bias-missing",
        "b2 is missing from the output layer.",
        "With all hidden activations 0 every output of yours is one half. Should it be?",
        "Compare z of the output layer with Eq. (1.5), term by term.",
        edits={"z3": lambda AW2: AW2},
    ),
    Mistake(
        "no-activation-at-output",
        "The output is the weighted sum: its activation function is missing.",
        "Which values can the output take? With a sigmoid it stays between 0 and 1.",
        "Both layers apply f, Eq. (1.5) too.",
        edits={"X_hat": lambda z3: z3},
    ),
    Mistake(
        "hidden-linear",
        "The hidden layer passes on its weighted sum: its activation function is missing.",
        "Without f in between, the two layers collapse into one matrix.",
        "Eq. (1.4) has an f around the bracket.",
        edits={"A": lambda z2: z2},
    ),
    Mistake(
        "bias-after-activation",
        "b1 is added after the activation function instead of before it.",
        "Can a hidden activation of yours be larger than 1?",
        "The bias belongs inside the bracket of Eq. (1.4).",
        edits={"A": lambda XW1, b1: _f(XW1) + b1},
    ),
    Mistake(
        "tanh-hidden",
        "The hidden units use tanh; the task says sigmoid.",
        "Can a hidden activation of yours be negative?",
        "Use Eq. (1.1), not Eq. (1.2).",
        edits={"A": lambda z2: np.tanh(z2)},
    ),
    Mistake(
        "tied",
        "The output layer uses W1 again instead of W2.",
        "Change W2: does your output change?",
        "W2 has shape (n_features, n_hidden); W1 transposed has it too, which hides the slip.",
        edits={"AW2": lambda A, W1: A @ W1},
    ),
    Mistake(
        "relu-hidden",
        "The hidden units are rectifiers; the task says sigmoid.",
        "Can a hidden activation of yours be larger than 1?",
        "Use Eq. (1.1).",
        "today's habits",
        edits={"A": lambda z2: np.maximum(z2, 0)},
    ),
    Mistake(
        "softmax-hidden",
        "The hidden units share a softmax; each should have a sigmoid of its own.",
        "Do the hidden activations of one example add up to 1 in yours?",
        "Eq. (1.4) looks at one unit at a time.",
        edits={"A": lambda z2: np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)},
    ),
    Mistake(
        "tanh-output",
        "The output units use tanh; the task says sigmoid.",
        "Can an output of yours be negative?",
        "Use Eq. (1.1), not Eq. (1.2).",
        edits={"X_hat": lambda z3: np.tanh(z3)},
    ),
    Mistake(
        "relu-output",
        "The output units are rectifiers; the task says sigmoid.",
        "Can an output of yours be exactly 0, or larger than 1?",
        "Use Eq. (1.1).",
        edits={"X_hat": lambda z3: np.maximum(z3, 0)},
    ),
    Mistake(
        "softmax-output",
        "The output units share a softmax; each should have a sigmoid of its own.",
        "Do the outputs of one example add up to 1 in yours?",
        "Eq. (1.5) looks at one output at a time.",
        "classifiers, whose outputs are the probabilities of classes",
        edits={"X_hat": lambda z3: np.exp(z3) / np.exp(z3).sum(axis=1, keepdims=True)},
    ),
    Mistake(
        "sigmoid-of-data",
        "The sigmoid is applied to the data before the first weights.",
        "What enters Eq. (1.4) on the right: the inputs, or something made of them?",
        "The inputs are the activations of the first layer as they are.",
        edits={"XW1": lambda X, W1: _f(X) @ W1.T},
    ),
)

# In the longer exercises the name is taken for mixed gradients.
_IN_THE_FORWARD_PASS = tuple(
    replace(mistake, name="tied-forward") if mistake.name == "tied" else mistake
    for mistake in WRONG_FORWARD
)

FORWARD = Exercise(
    name="forward",
    signature="forward(W1, W2, b1, b2, X)",
    chapter="chapter 1, Eqs. (1.4) and (1.5)",
    cases=_forward_cases,
    steps=FORWARD_STEPS,
    axes=AXES,
    mistakes=WRONG_FORWARD,
)


SHARED_SPARSITY = (
    Mistake(
        "mean-over-all-units",
        "There is one mean activation for all units together; each unit needs its own.",
        "With one number for all, a unit that is always on can hide behind one that never is.",
        "rho_hat has one entry per hidden unit: take the mean along axis 0 alone.",
        edits={"rho_hat": lambda A: np.full(A.shape[1], A.mean())},
    ),
    Mistake(
        "divergence-swapped",
        "rho and rho_hat have changed places in the divergence.",
        "KL is not symmetric. Which of the two comes first?",
        "In Eq. (4.1) the factor before each logarithm belongs to the target.",
        edits={
            "kl_active": lambda rho_hat, sparsity_target: (
                rho_hat * np.log(rho_hat / sparsity_target)
            ),
            "kl_inactive": lambda rho_hat, sparsity_target: (
                (1 - rho_hat) * np.log((1 - rho_hat) / (1 - sparsity_target))
            ),
            "slope_active": lambda rho_hat, sparsity_target: np.log(rho_hat / sparsity_target),
            "slope_inactive": lambda rho_hat, sparsity_target: (
                -np.log((1 - rho_hat) / (1 - sparsity_target))
            ),
        },
    ),
    Mistake(
        "no-complement",
        "The divergence has only the term of the active state.",
        "A Bernoulli variable has two outcomes. You counted one.",
        "The second term of Eq. (4.1), or its derivative, is missing.",
        edits={"kl_inactive": lambda value: 0 * value, "slope_inactive": lambda value: 0 * value},
    ),
    Mistake(
        "sparsity-over-m",
        "The sparsity term is divided by the number of examples once too often.",
        "rho_hat is a mean already. Where does the 1/m of the penalty go?",
        "In J_sparse the penalty stands outside the mean over the examples.",
        "a frequent reading of J as one big mean",
        edits={"penalty": lambda value, X: value / len(X), "push": lambda value, X: value / len(X)},
    ),
    Mistake(
        "mean-of-first-half",
        "rho_hat is taken from a part of the examples only.",
        "Compute the activations of all examples before anything else.",
        "The mean of a mini-batch is a noisy stand-in for the mean of the data.",
        "mini-batches: the mean of the last one",
        edits={"rho_hat": lambda A: A[: len(A) // 2].mean(axis=0)},
    ),
    Mistake(
        "rho-hat-summed",
        "rho_hat is a sum over the examples, not their mean.",
        "Can a mean activation of a sigmoid unit be larger than 1?",
        "How many examples went into the sum?",
        "a sum over the examples where the division is forgotten",
        edits={"rho_hat": lambda A: A.sum(axis=0)},
    ),
    Mistake(
        "rho-hat-over-units",
        "rho_hat is the mean over the units of each example.",
        "rho_hat has one entry per hidden unit. How many has yours?",
        "axis=0 runs over the examples, axis=1 over the units.",
        "a change from columns to rows",
        edits={"rho_hat": lambda A: A.mean(axis=1, keepdims=True)},
    ),
    Mistake(
        "rho-hat-of-last",
        "rho_hat is the activation of the last example.",
        "A value that is overwritten in a loop holds what came last.",
        "Add up over all examples first, then divide.",
        "programs that go example by example",
        edits={"rho_hat": lambda A: A[-1]},
    ),
    Mistake(
        "rho-hat-sigmoid-twice",
        "The sigmoid is applied once more inside the mean activation.",
        "What are the activations already: z or f(z)?",
        "rho_hat is the plain mean of the activations.",
        edits={"rho_hat": lambda A: _f(A).mean(axis=0)},
    ),
    Mistake(
        "rho-hat-softmax",
        "A softmax is applied to the activations inside rho_hat.",
        "Do the entries of your rho_hat add up to 1, whatever the activations are?",
        "rho_hat is the plain mean of the activations.",
        "divergences of other libraries, which compare distributions over units",
        edits={
            "rho_hat": lambda A: (np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)).mean(axis=0)
        },
    ),
    Mistake(
        "rho-hat-softmax-of-mean",
        "rho_hat goes through a softmax.",
        "Do the entries of your rho_hat add up to 1, whatever the activations are?",
        "rho_hat is the plain mean of the activations.",
        "divergences of other libraries, which compare distributions over units",
        edits={"rho_hat": lambda value: np.exp(value) / np.exp(value).sum()},
    ),
    Mistake(
        "rho-hat-sigmoid-of-mean",
        "rho_hat goes through the sigmoid once more.",
        "What are the activations already: z or f(z)?",
        "rho_hat is the plain mean of the activations.",
        edits={"rho_hat": lambda value: _f(value)},
    ),
    Mistake(
        "rho-hat-running",
        "rho_hat is a running mean, in which the last examples count most.",
        "Turn the order of the examples round: does your rho_hat change?",
        "Every example has the same weight in a mean.",
        "training example by example, with 0.9 of the old mean and 0.1 of the new",
        edits={"rho_hat": lambda A: running_mean(A)},
    ),
    Mistake(
        "rho-hat-shifted",
        "A small number is added to rho_hat, which moves it from the mean.",
        "A sigmoid is never exactly 0 or 1 here. What is the small number for?",
        "If you must guard the logarithm, clip; do not shift.",
        "a small number against log(0)",
        edits={"rho_hat": lambda value: value + 1e-5},
    ),
    Mistake(
        "rho-hat-mapped",
        "rho_hat is mapped as for tanh units; these are sigmoid.",
        "Sigmoid activations lie in [0, 1] already.",
        "Eq. (3.2) is for tanh; here Eq. (3.1) is asked for.",
        edits={"rho_hat": lambda value: (1 + value) / 2},
    ),
)

# Means outside of (0, 1) make the whole cost NaN, which does not tell one cause from another.
_NAN_IN_THE_COST = (
    "hidden-linear",
    "tanh-hidden",
    "relu-hidden",
    "bias-after-activation",
    "rho-hat-summed",
)

COST = Exercise(
    name="cost",
    signature="cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)",
    chapter="chapter 4, Eq. (4.3)",
    cases=_cases,
    steps=COST_STEPS,
    axes=AXES,
    outputs=("the cost",),
    mistakes=(
        Mistake(
            "not-averaged",
            "The squared errors are summed but not divided by the number of examples.",
            "Give every example twice: the cost should not change. Does yours?",
            "Look for the 1/m of Eq. (2.1).",
            edits={"reconstruction": lambda squares: squares / 2},
        ),
        Mistake(
            "not-halved",
            "The factor 1/2 of the squared error is missing.",
            "The gradient formulas count on a factor that cancels the 2 of the square.",
            "Look for the 1/2 of Eq. (2.1).",
            "1/(2m) written as 1/m",
            edits={"reconstruction": lambda value: value * 2},
        ),
        Mistake(
            "mean-over-entries",
            "The squared error is averaged over the pixels as well as over the examples.",
            "np.mean divides by the number of all entries.",
            "Sum over the features, average over the examples.",
            "np.mean((Y - X)**2)",
            edits={"reconstruction": lambda value, X: value / X.shape[1]},
        ),
        Mistake(
            "norm-not-squared",
            "The norm of the error is not squared.",
            "np.linalg.norm takes a square root.",
            "Eq. (2.1) has a square on the norm.",
            edits={"reconstruction": lambda squares, X: np.sqrt(squares) / (2 * len(X))},
        ),
        Mistake(
            "decay-not-halved",
            "The factor 1/2 of the weight decay is missing.",
            "The gradient of the decay is λW, without a 2.",
            "Look for the 1/2 of Eq. (2.2).",
            edits={"decay": lambda value: value * 2},
        ),
        Mistake(
            "decay-on-W1-only",
            "The weight decay leaves out W2.",
            "Both layers have weights.",
            "Eq. (2.2) adds two squared norms.",
            edits={"weights": lambda W1: np.sum(W1**2)},
        ),
        Mistake(
            "decay-on-biases",
            "The biases decay too; only weights should.",
            "A large bias does no harm: it moves a unit's threshold, it does not amplify inputs.",
            "Eq. (2.2) names two matrices and no vector.",
            "programs that take the norm of the whole theta",
            edits={"weights": lambda value, b1, b2: value + np.sum(b1**2) + np.sum(b2**2)},
        ),
        Mistake(
            "decay-over-m",
            "The weight decay is divided by the number of examples.",
            "The mean belongs to the reconstruction error alone.",
            "Eq. (2.2) has no m.",
            "other courses define J that way",
            edits={"decay": lambda value, X: value / len(X)},
        ),
        Mistake(
            "decay-missing",
            "The weight decay is missing.",
            "Double all weights: does the cost know?",
            "J has three terms.",
            edits={"decay": lambda value: 0.0 * value},
        ),
        Mistake(
            "sparsity-missing",
            "The sparsity penalty is missing.",
            "Does your cost change with the sparsity weight?",
            "J_sparse has three terms.",
            edits={"penalty": lambda value: 0.0 * value},
        ),
        Mistake(
            "mean-over-units",
            "The divergences are averaged over the hidden units; they have to be summed.",
            "The penalty of ten equal units is ten times that of one.",
            "Eq. (4.3) has a sum over j.",
            edits={"penalty": lambda value, b1: value / len(b1)},
        ),
        Mistake(
            "per-example",
            "The divergence is taken of each activation, and then averaged.",
            "The order matters: first the mean over the examples, then the divergence.",
            "KL(rho ‖ rho_hat) needs one rho_hat per unit, not one per unit and example.",
            "programs that process one example at a time",
            edits={"rho_hat": lambda A: A, "penalty": lambda value, X: value / len(X)},
        ),
        Mistake(
            "sparsity-halved",
            "The sparsity penalty has a factor 1/2 that does not belong there.",
            "Only squares carry a half, to cancel the 2 of their derivative.",
            "Eq. (4.3): β times the sum.",
            edits={"penalty": lambda value: value / 2},
        ),
        Mistake(
            "sparsity-sign",
            "The sparsity penalty is subtracted.",
            "A penalty makes the cost larger.",
            "Check the sign before β, and the ratios in the logarithms.",
            edits={"penalty": lambda value: -value},
        ),
        Mistake(
            "base-two",
            "The divergence uses the logarithm to base 2.",
            "Which logarithm does the derivative of Eq. (4.2) belong to?",
            "np.log is the natural logarithm, np.log2 is not.",
            edits={"penalty": lambda value: value / np.log(2)},
        ),
        Mistake(
            "cross-entropy",
            "The reconstruction error is a cross entropy; squares are asked for.",
            "Is the error 0 when the output equals the input?",
            "Eq. (2.1) has a squared norm and no logarithm.",
            "the cost of a classifier",
            edits={
                "reconstruction": lambda X, X_hat: (
                    -np.sum(X * np.log(X_hat) + (1 - X) * np.log(1 - X_hat)) / len(X)
                )
            },
        ),
        Mistake(
            "square-of-the-sum",
            "The errors are summed first and squared then.",
            "Errors of both signs cancel in a sum.",
            "Eq. (2.1): square each error, then add.",
            edits={"squares": lambda error: np.sum(error) ** 2},
        ),
        Mistake(
            "absolute-penalty",
            "The penalty is the sum of the mean activations, not their divergence.",
            "Is your penalty least where rho_hat equals rho?",
            "Eq. (4.3) has the divergence of Eq. (4.1) in it.",
            "L1 penalties of later methods",
            edits={"kl_sum": lambda rho_hat: np.sum(rho_hat)},
        ),
        Mistake(
            "sparsity-weight-missing",
            "The sparsity penalty is there, but without its weight β.",
            "Double the sparsity weight: does the penalty double?",
            "Eq. (4.3): β times the sum.",
            edits={"penalty": lambda kl_sum, sparsity_weight: kl_sum * (sparsity_weight > 0)},
        ),
        Mistake(
            "decay-halved",
            "The weight decay has one factor 1/2 too many.",
            "Count the factors 1/2 in Eq. (2.2).",
            "There is one, before the sum of all squares.",
            edits={"decay": lambda value: value / 2},
        ),
        Mistake(
            "decay-not-squared",
            "The weight decay adds norms; it should add squared norms.",
            "np.linalg.norm takes a square root.",
            "Eq. (2.2) has a square on each norm.",
            edits={"weights": lambda W1, W2: np.sqrt(np.sum(W1**2)) + np.sqrt(np.sum(W2**2))},
        ),
        Mistake(
            "decay-absolute",
            "The weight decay adds absolute values; it should add squares.",
            "A weight of 0.1 should cost a hundredth of a weight of 1.",
            "Eq. (2.2) has squares.",
            edits={"weights": lambda W1, W2: np.sum(np.abs(W1)) + np.sum(np.abs(W2))},
        ),
        *(m for m in _IN_THE_FORWARD_PASS if m.name not in _NAN_IN_THE_COST),
        *(m for m in SHARED_SPARSITY if m.name not in _NAN_IN_THE_COST),
    ),
)


def _gradient_cases(rng: np.random.Generator) -> list[Case]:
    decay = float(rng.uniform(0.05, 0.3))
    return [
        Case("without weight decay", (*_inputs(rng, *_more_inputs_than_units(rng)), 0.0)),
        Case("with weight decay", (*_inputs(rng, *_shape(rng)), decay)),
        Case("with as many hidden units as inputs", (*_inputs(rng, 7, 4, 4), decay)),
    ]


BACKPROPAGATION = (
    Mistake(
        "not-averaged",
        "Everything but the weight decay is m times too large: the sums over the examples are "
        "not divided by their number.",
        "The cost is a mean over the examples, so its gradient is one too.",
        "Look for the 1/m of Eq. (1.7).",
        edits={"count": lambda: 1},
    ),
    Mistake(
        "halved",
        "Everything but the weight decay is half of what it should be.",
        "The 1/2 of the cost cancels with the 2 that the square gives when differentiated.",
        "Eq. (1.7) divides by m, not by 2m.",
        edits={"count": lambda X: 2 * len(X)},
    ),
    Mistake(
        "averaged-over-features",
        "The gradients are divided by the number of pixels too.",
        "np.mean without axis divides by the number of all entries.",
        "Sum over the features, average over the examples.",
        edits={"count": lambda X: X.size},
    ),
    Mistake(
        "error-sign",
        "The error has the wrong sign: X - Y for Y - X.",
        "If an output is too large, must the gradient of its bias be positive or negative?",
        "CS294A writes -(y - a); that is the output minus the target.",
        "CS294A p. 9 read without its leading minus",
        edits={"error": lambda value: -value},
    ),
    Mistake(
        "output-slope-missing",
        "δ3 lacks the factor f'(z3).",
        "The error has to pass back through the output's activation function first.",
        "Eq. (1.6) has two factors.",
        "formulas of the cross-entropy cost, where this factor cancels",
        edits={"slope3": lambda value: np.ones_like(value)},
    ),
    Mistake(
        "hidden-slope-missing",
        "δ2 lacks the factor f'(z2).",
        "A saturated hidden unit cannot be moved. Does your δ2 know?",
        "The chain rule passes through the hidden units' activation function.",
        edits={"slope2": lambda value: np.ones_like(value)},
    ),
    Mistake(
        "slope-of-z",
        "a(1 - a) is computed with z in the place of a.",
        "Is your slope ever negative? That of the sigmoid is not.",
        "Eq. (1.3) wants the activation, not the weighted sum.",
        "a derivative written for a, called with z",
        edits={"slope3": lambda z3: z3 * (1 - z3), "slope2": lambda z2: z2 * (1 - z2)},
    ),
    Mistake(
        "sigmoid-twice",
        "f' is applied to the activation: the sigmoid acts twice.",
        "A function that expects z got a.",
        "Either f'(z) with an exponential or a(1 - a) without one, not a mixture.",
        "a derivative written for z, called with a",
        edits={
            "slope3": lambda X_hat: _f(X_hat) * (1 - _f(X_hat)),
            "slope2": lambda A: _f(A) * (1 - _f(A)),
        },
    ),
    Mistake(
        "tanh-slope",
        "The slope is 1 - a², which belongs to tanh; these units are sigmoid.",
        "Look at Eq. (1.3): which of its two lines did you take?",
        "The slope of the sigmoid is at most one quarter.",
        edits={"slope3": lambda X_hat: 1 - X_hat**2, "slope2": lambda A: 1 - A**2},
    ),
    Mistake(
        "W1-for-W2",
        "The error is passed back through W1 instead of W2.",
        "Along which connections did the hidden activations reach the output?",
        "δ3 travels back over the weights that carried A forward.",
        edits={"back": lambda delta3, W1: delta3 @ W1.T},
    ),
    Mistake(
        "bias-summed",
        "The bias gradients are summed over the examples and not averaged.",
        "Weights and biases belong to the same mean.",
        "Divide the sums of the error terms by m, or use mean(axis=0).",
        edits={
            "gb1": lambda value, count: value * count,
            "gb2": lambda value, count: value * count,
        },
    ),
    Mistake(
        "biases-swapped",
        "The gradients of b1 and b2 have changed places.",
        "With different layer sizes their lengths would differ. Which length does each need?",
        "δ2 belongs to b1, δ3 to b2.",
        "the order in a flat vector",
        edits={
            "result": lambda value: (
                *value[:2],
                *(value[:1:-1] if len(value[2]) == len(value[3]) else value[2:]),
            )
        },
    ),
    Mistake(
        "tied",
        "The two weight gradients are mixed, as if W2 were W1 transposed.",
        "Here the two matrices are free of each other.",
        "Only for tied weights do the two gradient paths add up.",
        "tied-weight autoencoders",
        edits={"result": lambda value: (value[0] + value[1].T, value[1] + value[0].T, *value[2:])},
    ),
    Mistake(
        "decay-missing",
        "The weight decay is missing from the gradient.",
        "It is right without weight decay and wrong with it.",
        "The derivative of λ/2 W² is λW.",
        edits={"decayW1": lambda value: 0 * value, "decayW2": lambda value: 0 * value},
    ),
    Mistake(
        "decay-doubled",
        "The weight decay is twice too large.",
        "The 1/2 of the cost takes care of the 2 of the square.",
        "The derivative of λ/2 W² is λW.",
        edits={"decayW1": lambda value: 2 * value, "decayW2": lambda value: 2 * value},
    ),
    Mistake(
        "decay-over-m",
        "The weight decay is divided by the number of examples.",
        "Divide by m first, add the decay then.",
        "λW belongs to the weights, not to the examples: it stands outside the mean over them.",
        "λW added before the division by m",
        edits={
            "decayW1": lambda value, X: value / len(X),
            "decayW2": lambda value, X: value / len(X),
        },
    ),
    Mistake(
        "decay-sign",
        "The weight decay has the wrong sign.",
        "A penalty on large weights has a gradient that points away from 0.",
        "The step, not the gradient, carries the minus.",
        "mixing up the gradient with the update",
        edits={"decayW1": lambda value: -value, "decayW2": lambda value: -value},
    ),
    Mistake(
        "decay-on-W1-only",
        "The weight decay reaches W1 but not W2.",
        "Both layers have weights.",
        "Compare the two lines of Eq. (1.7).",
        edits={"decayW2": lambda value: 0 * value},
    ),
    Mistake(
        "decay-on-biases",
        "The biases decay too; only weights should.",
        "The cost has no term for the biases.",
        "Eq. (1.7): the bias gradients are plain means of the error terms.",
        "programs that add λθ to the whole vector",
        edits={
            "gb1": lambda value, b1, weight_decay: value + weight_decay * b1,
            "gb2": lambda value, b2, weight_decay: value + weight_decay * b2,
        },
    ),
    Mistake(
        "divided-by-features",
        "The sums are divided by the number of pixels instead of the number of examples.",
        "Which of the two lengths of X counts the examples?",
        "Here every row is one example: len(X).",
        "a change from columns to rows",
        edits={"count": lambda X: X.shape[1]},
    ),
    Mistake(
        "divided-by-units",
        "The sums are divided by the number of hidden units instead of that of the examples.",
        "Over what do the sums in Eq. (1.7) run?",
        "Here every row of X is one example: len(X).",
        edits={"count": lambda b1: len(b1)},
    ),
    Mistake(
        "minus-gradient",
        "This is minus the gradient: the direction in which to go, not the slope.",
        "Is it the slope, or the step that you give back?",
        "The step, not the gradient, carries the minus.",
        "mixing up the gradient with the update",
        edits={"result": lambda value: tuple(-part for part in value)},
    ),
    Mistake(
        "twice-gradient",
        "Everything is twice what it should be, the weight decay too.",
        "The 1/2 of the cost cancels with the 2 that a square gives when differentiated.",
        "Look for a factor 2 that is left in all four blocks.",
        edits={"result": lambda value: tuple(2 * part for part in value)},
    ),
    Mistake(
        "error-doubled",
        "What comes from the reconstruction error is twice what it should be.",
        "The 1/2 of the cost cancels with the 2 of the square.",
        "Eq. (1.6) has no 2.",
        "d/dy (y - x)² without the 1/2 of the cost",
        edits={"error": lambda value: 2 * value},
    ),
    Mistake(
        "decay-halved",
        "The weight decay is half of what it should be.",
        "Differentiating the square brings a 2 that cancels the 1/2 of the cost.",
        "The derivative of λ/2 W² is λW.",
        edits={"decayW1": lambda value: value / 2, "decayW2": lambda value: value / 2},
    ),
    Mistake(
        "decay-of-the-sign",
        "The weight decay takes the signs of the weights, which belongs to absolute values.",
        "A large weight should be pulled harder than a small one.",
        "The derivative of λ/2 W² is λW.",
        edits={
            "decayW1": lambda weight_decay, W1: weight_decay * np.sign(W1),
            "decayW2": lambda weight_decay, W2: weight_decay * np.sign(W2),
        },
    ),
    Mistake(
        "sum-stops-early",
        "The sum over the outputs stops at the number of hidden units, so errors are lost.",
        "Over what does the sum in the error term of a hidden unit run?",
        "It runs over all outputs, of which there are as many as inputs.",
        "the upper limit s2 in CS294A",
        edits={"back": lambda delta3, W2: delta3[:, : W2.shape[1]] @ W2[: W2.shape[1]]},
    ),
    Mistake(
        "linear-output",
        "The output units are linear, with slope 1; the task says sigmoid.",
        "Which values can your output take?",
        "Both layers apply f, and both error terms have its slope.",
        "linear decoders of the follow-up assignment",
        edits={"X_hat": lambda z3: z3, "slope3": lambda value: np.ones_like(value)},
    ),
    Mistake(
        "tanh-units",
        "The units are tanh, with its slope; the task says sigmoid.",
        "Can an activation of yours be negative?",
        "Use Eq. (1.1) and the first line of Eq. (1.3).",
        edits={
            "A": lambda z2: np.tanh(z2),
            "X_hat": lambda z3: np.tanh(z3),
            "slope2": lambda A: 1 - A**2,
            "slope3": lambda X_hat: 1 - X_hat**2,
        },
    ),
    Mistake(
        "tanh-hidden-units",
        "The hidden units are tanh, with its slope; the task says sigmoid.",
        "Can a hidden activation of yours be negative?",
        "Use Eq. (1.1) and the first line of Eq. (1.3) in the hidden layer too.",
        edits={"A": lambda z2: np.tanh(z2), "slope2": lambda A: 1 - A**2},
    ),
    Mistake(
        "linear-units",
        "All units are linear, with slope 1; the task says sigmoid.",
        "Without f in between, what do two layers collapse into?",
        "Both layers apply f, and both error terms have its slope.",
        edits={
            "A": lambda z2: z2,
            "X_hat": lambda z3: z3,
            "slope2": lambda value: np.ones_like(value),
            "slope3": lambda value: np.ones_like(value),
        },
    ),
    Mistake(
        "relu-hidden-units",
        "The hidden units are rectifiers, with their slope; the task says sigmoid.",
        "Can a hidden activation of yours be larger than 1?",
        "Use Eq. (1.1) and the first line of Eq. (1.3) in the hidden layer too.",
        "today's habits",
        edits={"A": lambda z2: np.maximum(z2, 0), "slope2": lambda A: 1.0 * (A > 0)},
    ),
    Mistake(
        "relu-units",
        "All units are rectifiers, with their slope; the task says sigmoid.",
        "Can an output of yours be larger than 1?",
        "Use Eq. (1.1) and the first line of Eq. (1.3).",
        "today's habits",
        edits={
            "A": lambda z2: np.maximum(z2, 0),
            "X_hat": lambda z3: np.maximum(z3, 0),
            "slope2": lambda A: 1.0 * (A > 0),
            "slope3": lambda X_hat: 1.0 * (X_hat > 0),
        },
    ),
    Mistake(
        "flat-by-layer",
        "In the flat vector the blocks are in the order W1, b1, W2, b2.",
        "Which block of the flat vector begins where the weights W1 end?",
        "The order is W1, W2, b1, b2.",
        "programs that keep the parameters layer by layer",
        edits={"result": lambda value: _read_in_the_order_of_the_task(value)},
    ),
)

GRADIENT = Exercise(
    name="gradient",
    signature="gradient(W1, W2, b1, b2, X, weight_decay)",
    chapter="chapter 1, Eq. (1.7)",
    cases=_gradient_cases,
    steps=GRADIENT_STEPS,
    axes=AXES,
    read=_four_blocks,
    mistakes=(*BACKPROPAGATION, *_IN_THE_FORWARD_PASS),
    outputs=OUTPUTS,
)


def _sparse_gradient_cases(rng: np.random.Generator) -> list[Case]:
    *first, last = _cases(rng)
    # A program that takes its examples in blocks of 16 meets a block that is not full.
    many = Case("for 37 examples", (*_inputs(rng, 37, 5, 3), *last.arguments[5:]))
    return [*first, many, last]


SPARSE_GRADIENT = Exercise(
    name="sparse_gradient",
    signature="sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)",
    chapter="chapter 5, Eq. (5.1)",
    cases=_sparse_gradient_cases,
    steps=SPARSE_GRADIENT_STEPS,
    axes=AXES,
    read=_four_blocks,
    terms=TERMS,
    outputs=OUTPUTS,
    mistakes=(
        Mistake(
            "sparsity-missing",
            "The sparsity term is missing from δ2; W2 and b2 are right.",
            "Does your gradient change with the sparsity weight?",
            "Compare δ2 with Eq. (5.1).",
            edits={"push": lambda value: 0 * value},
        ),
        Mistake(
            "outside-bracket",
            "The gradients of W1 and b1 are off because β(…) is added after the factor f'(z) "
            "instead of inside the bracket.",
            "The penalty depends on the weights through the activations, hence through f.",
            "In Eq. (5.1) one f'(z) multiplies both terms of the bracket.",
            edits={"delta2": lambda back, slope2, push: back * slope2 + push},
        ),
        Mistake(
            "factor-on-penalty-only",
            "The factor f'(z) multiplies the sparsity term alone, not the error passed back.",
            "In Eq. (5.1) one f'(z) multiplies both terms of the bracket. Where is your bracket?",
            "Python multiplies before it adds.",
            "brackets that are missing around a sum",
            edits={"delta2": lambda back, slope2, push: back + push * slope2},
        ),
        Mistake(
            "per-example",
            "Each example's own activation is taken for rho_hat.",
            "rho_hat is one number per unit: the mean over all examples.",
            "The means have to be known before the first error term is computed.",
            "programs that go example by example",
            edits={"rho_hat": lambda A: A},
        ),
        Mistake(
            "sparsity-sign",
            "The sparsity term has the wrong sign.",
            "A unit that is active too often should get a positive push in its gradient.",
            "Check Eq. (4.2) at a rho_hat above rho.",
            edits={"push": lambda value: -value},
        ),
        Mistake(
            "sparsity-not-averaged",
            "The sparsity term is m times too large.",
            "One example changes rho_hat by 1/m of the change of its activation.",
            "Inside δ2 the term is not multiplied by m: the mean over the rows supplies the 1/m.",
            edits={"push": lambda value, X: value * len(X)},
        ),
        Mistake(
            "weight-missing",
            "The sparsity term is there, but without β.",
            "Double the sparsity weight: does the sparsity part of your gradient double?",
            "The term in Eq. (5.1) starts with β.",
            edits={"push": lambda slope, sparsity_weight: slope * (sparsity_weight > 0)},
        ),
        Mistake(
            "value-for-slope",
            "The divergence itself stands where its slope belongs.",
            "Backpropagation passes on derivatives.",
            "Use Eq. (4.2), not Eq. (4.1).",
            edits={"slope": lambda rho_hat, sparsity_target: _kl(sparsity_target, rho_hat)},
        ),
        Mistake(
            "sparsity-not-in-b1",
            "The sparsity term reaches W1 but not b1.",
            "Both gradients come from the same δ2.",
            "Add the term to δ2 once, then compute both gradients from it.",
            edits={"gb1": lambda back, slope2, count: (back * slope2).sum(axis=0) / count},
        ),
        Mistake(
            "kl-first-sign",
            "The first term of the slope of the divergence has the wrong sign.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq of log(p/q) = log p - log q is negative.",
            edits={"slope_active": lambda value: -value},
        ),
        Mistake(
            "kl-second-sign",
            "The second term of the slope of the divergence has the wrong sign: an inner "
            "derivative was lost.",
            "At rho_hat = rho the slope is 0. Is yours?",
            "d/dq log(1 - q) has a minus that the chain rule brings in.",
            edits={"slope_inactive": lambda value: -value},
        ),
        Mistake(
            "kl-upside-down",
            "Both fractions in the slope of the divergence are upside down.",
            "What should happen to the slope when rho_hat comes near 0?",
            "rho_hat stands below the line.",
            edits={
                "slope_active": lambda rho_hat, sparsity_target: -rho_hat / sparsity_target,
                "slope_inactive": lambda rho_hat, sparsity_target: (
                    (1 - rho_hat) / (1 - sparsity_target)
                ),
            },
        ),
        Mistake(
            "absolute-penalty",
            "The sparsity term is β alone: the slope of a sum of activations, not of the "
            "divergence.",
            "Does your push change its sign where rho_hat crosses rho?",
            "Use Eq. (4.2).",
            "L1 penalties of later methods",
            edits={"slope": lambda rho_hat: np.ones_like(rho_hat)},
        ),
        *SHARED_SPARSITY,
        *BACKPROPAGATION,
        *_IN_THE_FORWARD_PASS,
    ),
)
