"""Exercises on the network: forward pass, cost, gradient without and with the penalty.

The computation below is written on its own, one step after the other and for small inputs, so
that it can be wrong in every way in which a learner's can; it shares no code with
`saelib.objective`, against which the tests compare it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from saelib.exercises._engine import Case, Exercise, Mistake

NONE: frozenset[str] = frozenset()

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


def _cases(rng: np.random.Generator) -> list[Case]:
    decay, target, weight = (
        float(rng.uniform(0.05, 0.3)),
        float(rng.uniform(0.05, 0.2)),
        float(rng.uniform(1.5, 4)),
    )
    return [
        Case("without any penalty", (*_inputs(rng, *_shape(rng)), 0.0, target, 0.0)),
        Case("with weight decay alone", (*_inputs(rng, *_shape(rng)), decay, target, 0.0)),
        Case("with the sparsity penalty alone", (*_inputs(rng, *_shape(rng)), 0.0, target, weight)),
        Case(
            "with as many hidden units as inputs", (*_inputs(rng, 7, 4, 4), decay, target, weight)
        ),
    ]


def _forward_outcome(
    W1: Any, W2: Any, b1: Any, b2: Any, X: Any, mistakes: frozenset[str] = NONE
) -> Any:
    z2 = X @ W1.T
    if "hidden-bias-missing" not in mistakes:
        z2 = z2 + b1
    a = z2 if "hidden-linear" in mistakes else _f(z2)
    if "bias-after-activation" in mistakes:
        a = _f(X @ W1.T) + b1
    if "tanh-hidden" in mistakes:
        a = np.tanh(z2)
    z3 = a @ (W1 if "tied" in mistakes else W2.T)
    if "output-bias-missing" not in mistakes:
        z3 = z3 + b2
    if "no-activation-at-output" in mistakes:
        return z3
    return _f(z3)


def _forward_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("for a few examples", _inputs(rng, *_shape(rng))),
        Case("with more hidden units than inputs", _inputs(rng, 3, 2, 6)),
        Case("with as many hidden units as inputs", _inputs(rng, 6, 4, 4)),
    ]


FORWARD = Exercise(
    name="forward",
    signature="forward(W1, W2, b1, b2, X)",
    chapter="chapter 1, Eqs. (1.4) and (1.5)",
    cases=_forward_cases,
    outcome=_forward_outcome,
    mistakes=(
        Mistake(
            "hidden-bias-missing",
            "b1 is missing from the hidden layer.",
            "With X = 0 every hidden unit of yours answers one half. Should it?",
            "Compare z of the hidden layer with Eq. (1.4), term by term.",
        ),
        Mistake(
            "output-bias-missing",
            "b2 is missing from the output layer.",
            "With all hidden activations 0 every output of yours is one half. Should it be?",
            "Compare z of the output layer with Eq. (1.5), term by term.",
        ),
        Mistake(
            "no-activation-at-output",
            "The output is the weighted sum: its activation function is missing.",
            "Which values can the output take? With a sigmoid it stays between 0 and 1.",
            "Both layers apply f, Eq. (1.5) too.",
        ),
        Mistake(
            "hidden-linear",
            "The hidden layer passes on its weighted sum: its activation function is missing.",
            "Without f in between, the two layers collapse into one matrix.",
            "Eq. (1.4) has an f around the bracket.",
        ),
        Mistake(
            "bias-after-activation",
            "b1 is added after the activation function instead of before it.",
            "Can a hidden activation of yours be larger than 1?",
            "The bias belongs inside the bracket of Eq. (1.4).",
        ),
        Mistake(
            "tanh-hidden",
            "The hidden units use tanh; the task says sigmoid.",
            "Can a hidden activation of yours be negative?",
            "Use Eq. (1.1), not Eq. (1.2).",
        ),
        Mistake(
            "tied",
            "The output layer uses W1 again instead of W2.",
            "Change W2: does your output change?",
            "W2 has shape (n_features, n_hidden); W1 transposed has it too, which hides the slip.",
        ),
    ),
)


def _rho_hat(A: Any, mistakes: frozenset[str]) -> Any:
    if "mean-over-all-units" in mistakes:
        return np.full(A.shape[1], A.mean())
    if "mean-of-first-half" in mistakes:
        return A[: len(A) // 2].mean(axis=0)
    return A.mean(axis=0)


def _kl(rho: Any, q: Any, mistakes: frozenset[str]) -> Any:
    if "divergence-swapped" in mistakes:
        return q * np.log(q / rho) + (1 - q) * np.log((1 - q) / (1 - rho))
    second = (1 - rho) * np.log((1 - rho) / (1 - q))
    return rho * np.log(rho / q) + (0 if "no-complement" in mistakes else second)


def _kl_slope(rho: Any, q: Any, mistakes: frozenset[str]) -> Any:
    if "divergence-swapped" in mistakes:
        return np.log(q / rho) - np.log((1 - q) / (1 - rho))
    if "value-for-slope" in mistakes:
        return _kl(rho, q, NONE)
    return -rho / q + (0 if "no-complement" in mistakes else (1 - rho) / (1 - q))


def _cost_outcome(
    W1: Any,
    W2: Any,
    b1: Any,
    b2: Any,
    X: Any,
    weight_decay: Any,
    sparsity_target: Any,
    sparsity_weight: Any,
    mistakes: frozenset[str] = NONE,
) -> Any:
    m, n = X.shape
    A = _f(X @ W1.T + b1)
    Y = _f(A @ W2.T + b2)
    squares = np.sum((Y - X) ** 2)
    error = squares / (2 * m)
    if "not-averaged" in mistakes:
        error = squares / 2
    if "not-halved" in mistakes:
        error = squares / m
    if "mean-over-entries" in mistakes:
        error = squares / (2 * m * n)
    if "norm-not-squared" in mistakes:
        error = np.sqrt(squares) / (2 * m)
    decay = weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2))
    if "decay-not-halved" in mistakes:
        decay = decay * 2
    if "decay-on-W1-only" in mistakes:
        decay = weight_decay / 2 * np.sum(W1**2)
    if "decay-on-biases" in mistakes:
        decay = decay + weight_decay / 2 * (np.sum(b1**2) + np.sum(b2**2))
    if "decay-over-m" in mistakes:
        decay = decay / m
    if "decay-missing" in mistakes:
        decay = 0.0
    penalty = np.sum(_kl(sparsity_target, _rho_hat(A, mistakes), mistakes))
    if "per-example" in mistakes:
        penalty = np.sum(_kl(sparsity_target, A, mistakes)) / m
    if "mean-over-units" in mistakes:
        penalty = penalty / A.shape[1]
    if "sparsity-over-m" in mistakes:
        penalty = penalty / m
    if "sparsity-halved" in mistakes:
        penalty = penalty / 2
    if "sparsity-sign" in mistakes:
        penalty = -penalty
    if "base-two" in mistakes:
        penalty = penalty / np.log(2)
    if "sparsity-missing" in mistakes:
        penalty = 0.0
    return error + decay + sparsity_weight * penalty


SHARED_SPARSITY = (
    Mistake(
        "mean-over-all-units",
        "There is one mean activation for all units together; each unit needs its own.",
        "With one number for all, a unit that is always on can hide behind one that never is.",
        "rho_hat has one entry per hidden unit: take the mean along axis 0 alone.",
    ),
    Mistake(
        "divergence-swapped",
        "rho and rho_hat have changed places in the divergence.",
        "KL is not symmetric. Which of the two comes first?",
        "In Eq. (4.1) the factor before each logarithm belongs to the target.",
    ),
    Mistake(
        "no-complement",
        "The divergence has only the term of the active state.",
        "A Bernoulli variable has two outcomes. You counted one.",
        "The second term of Eq. (4.1), or its derivative, is missing.",
        "handson-ml2 issue 561",
    ),
    Mistake(
        "sparsity-over-m",
        "The sparsity term is divided by the number of examples once too often.",
        "rho_hat is a mean already. Where does the 1/m of the penalty go?",
        "In J_sparse the penalty stands outside the mean over the examples.",
        "a frequent reading of J as one big mean",
    ),
    Mistake(
        "mean-of-first-half",
        "rho_hat is taken from a part of the examples only.",
        "Compute the activations of all examples before anything else.",
        "The mean of a mini-batch is a noisy stand-in for the mean of the data.",
        "mini-batch ports of the assignment",
    ),
)

COST = Exercise(
    name="cost",
    signature="cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)",
    chapter="chapter 4, Eq. (4.3)",
    cases=_cases,
    outcome=_cost_outcome,
    outputs=("the cost",),
    mistakes=(
        Mistake(
            "not-averaged",
            "The squared errors are summed but not divided by the number of examples.",
            "Give every example twice: the cost should not change. Does yours?",
            "Look for the 1/m of Eq. (2.1).",
            "UFLDL ports: 1/m missing",
        ),
        Mistake(
            "not-halved",
            "The factor 1/2 of the squared error is missing.",
            "The gradient formulas count on a factor that cancels the 2 of the square.",
            "Look for the 1/2 of Eq. (2.1).",
            "UFLDL ports: 1/(2m) written as 1/m",
        ),
        Mistake(
            "mean-over-entries",
            "The squared error is averaged over the pixels as well as over the examples.",
            "np.mean divides by the number of all entries.",
            "Sum over the features, average over the examples.",
            "np.mean((Y - X)**2) in many ports",
        ),
        Mistake(
            "norm-not-squared",
            "The norm of the error is not squared.",
            "np.linalg.norm takes a square root.",
            "Eq. (2.1) has a square on the norm.",
        ),
        Mistake(
            "decay-not-halved",
            "The factor 1/2 of the weight decay is missing.",
            "The gradient of the decay is λW, without a 2.",
            "Look for the 1/2 of Eq. (2.2).",
        ),
        Mistake(
            "decay-on-W1-only",
            "The weight decay leaves out W2.",
            "Both layers have weights.",
            "Eq. (2.2) adds two squared norms.",
        ),
        Mistake(
            "decay-on-biases",
            "The biases decay too; only weights should.",
            "A large bias does no harm: it moves a unit's threshold, it does not amplify inputs.",
            "Eq. (2.2) names two matrices and no vector.",
            "ports that take the norm of the whole theta",
        ),
        Mistake(
            "decay-over-m",
            "The weight decay is divided by the number of examples.",
            "The mean belongs to the reconstruction error alone.",
            "Eq. (2.2) has no m.",
            "other courses define J that way",
        ),
        Mistake(
            "decay-missing",
            "The weight decay is missing.",
            "Double all weights: does the cost know?",
            "J has three terms.",
        ),
        Mistake(
            "sparsity-missing",
            "The sparsity penalty is missing.",
            "Does your cost change with the sparsity weight?",
            "J_sparse has three terms.",
        ),
        Mistake(
            "mean-over-units",
            "The divergences are averaged over the hidden units; they have to be summed.",
            "The penalty of ten equal units is ten times that of one.",
            "Eq. (4.3) has a sum over j.",
        ),
        Mistake(
            "per-example",
            "The divergence is taken of each activation, and then averaged.",
            "The order matters: first the mean over the examples, then the divergence.",
            "KL(rho ‖ rho_hat) needs one rho_hat per unit, not one per unit and example.",
            "rho_hat per example, in ports that process one example at a time",
        ),
        Mistake(
            "sparsity-halved",
            "The sparsity penalty has a factor 1/2 that does not belong there.",
            "Only squares carry a half, to cancel the 2 of their derivative.",
            "Eq. (4.3): β times the sum.",
        ),
        Mistake(
            "sparsity-sign",
            "The sparsity penalty is subtracted.",
            "A penalty makes the cost larger.",
            "Check the sign before β, and the ratios in the logarithms.",
        ),
        Mistake(
            "base-two",
            "The divergence uses the logarithm to base 2.",
            "Which logarithm does the derivative of Eq. (4.2) belong to?",
            "np.log is the natural logarithm, np.log2 is not.",
        ),
        *SHARED_SPARSITY,
    ),
)


def _sparse_gradient_outcome(
    W1: Any,
    W2: Any,
    b1: Any,
    b2: Any,
    X: Any,
    weight_decay: Any,
    sparsity_target: Any,
    sparsity_weight: Any,
    mistakes: frozenset[str] = NONE,
) -> Any:
    m, n = X.shape
    z2 = X @ W1.T + b1
    A = _f(z2)
    z3 = A @ W2.T + b2
    Y = _f(z3)

    slope3, slope2 = Y * (1 - Y), A * (1 - A)
    if "slope-of-z" in mistakes:
        slope3, slope2 = z3 * (1 - z3), z2 * (1 - z2)
    if "sigmoid-twice" in mistakes:
        slope3, slope2 = _f(Y) * (1 - _f(Y)), _f(A) * (1 - _f(A))
    if "tanh-slope" in mistakes:
        slope3, slope2 = 1 - Y**2, 1 - A**2
    if "output-slope-missing" in mistakes:
        slope3 = np.ones_like(Y)
    if "hidden-slope-missing" in mistakes:
        slope2 = np.ones_like(A)

    delta3 = ((X - Y) if "error-sign" in mistakes else (Y - X)) * slope3
    back = delta3 @ (W1.T if "W1-for-W2" in mistakes else W2)

    rho_hat = A if "per-example" in mistakes else _rho_hat(A, mistakes)
    weight = 1.0 * (sparsity_weight > 0) if "weight-missing" in mistakes else sparsity_weight
    push = weight * _kl_slope(sparsity_target, rho_hat, mistakes)
    if "sparsity-missing" in mistakes:
        push = push * 0
    if "sparsity-sign" in mistakes:
        push = -push
    if "sparsity-over-m" in mistakes:
        push = push / m
    if "sparsity-not-averaged" in mistakes:
        push = push * m
    delta2 = (back + push) * slope2
    if "outside-bracket" in mistakes:
        delta2 = back * slope2 + push
    delta2_bias = back * slope2 if "sparsity-not-in-b1" in mistakes else delta2

    divisor = {"not-averaged": 1, "halved": 2 * m, "averaged-over-features": m * n}
    count = next((value for name, value in divisor.items() if name in mistakes), m)
    gW1, gW2 = delta2.T @ X / count, delta3.T @ A / count
    gb1, gb2 = delta2_bias.sum(axis=0) / count, delta3.sum(axis=0) / count
    if "bias-summed" in mistakes:
        gb1, gb2 = gb1 * count, gb2 * count

    decay = weight_decay
    if "decay-missing" in mistakes:
        decay = 0.0
    if "decay-doubled" in mistakes:
        decay = 2 * decay
    if "decay-over-m" in mistakes:
        decay = decay / m
    if "decay-sign" in mistakes:
        decay = -decay
    gW1 = gW1 + decay * W1
    gW2 = gW2 + (0 if "decay-on-W1-only" in mistakes else decay * W2)
    if "decay-on-biases" in mistakes:
        gb1, gb2 = gb1 + decay * b1, gb2 + decay * b2
    if "tied" in mistakes:
        gW1, gW2 = gW1 + gW2.T, gW2 + gW1.T
    if "biases-swapped" in mistakes and len(gb1) == len(gb2):
        gb1, gb2 = gb2, gb1
    return gW1, gW2, gb1, gb2


def _gradient_cases(rng: np.random.Generator) -> list[Case]:
    decay = float(rng.uniform(0.05, 0.3))
    return [
        Case("without weight decay", (*_inputs(rng, *_shape(rng)), 0.0)),
        Case("with weight decay", (*_inputs(rng, *_shape(rng)), decay)),
        Case("with as many hidden units as inputs", (*_inputs(rng, 7, 4, 4), decay)),
    ]


def _gradient_outcome(
    W1: Any,
    W2: Any,
    b1: Any,
    b2: Any,
    X: Any,
    weight_decay: Any,
    mistakes: frozenset[str] = NONE,
) -> Any:
    return _sparse_gradient_outcome(W1, W2, b1, b2, X, weight_decay, 0.5, 0.0, mistakes)


BACKPROPAGATION = (
    Mistake(
        "not-averaged",
        "Everything but the weight decay is m times too large: the sums over the examples are "
        "not divided by their number.",
        "The cost is a mean over the examples, so its gradient is one too.",
        "Look for the 1/m of Eq. (1.7).",
        "UFLDL ports: 1/m missing",
    ),
    Mistake(
        "halved",
        "Everything but the weight decay is half of what it should be.",
        "The 1/2 of the cost cancels with the 2 that the square gives when differentiated.",
        "Eq. (1.7) divides by m, not by 2m.",
        "UFLDL ports: 1/(2m) carried over from the cost",
    ),
    Mistake(
        "averaged-over-features",
        "The gradients are divided by the number of pixels too.",
        "np.mean without axis divides by the number of all entries.",
        "Sum over the features, average over the examples.",
    ),
    Mistake(
        "error-sign",
        "The error has the wrong sign: X - Y for Y - X.",
        "If an output is too large, must the gradient of its bias be positive or negative?",
        "CS294A writes -(y - a); that is the output minus the target.",
        "CS294A p. 9 read without its leading minus",
    ),
    Mistake(
        "output-slope-missing",
        "δ3 lacks the factor f'(z3).",
        "The error has to pass back through the output's activation function first.",
        "Eq. (1.6) has two factors.",
        "formulas of the cross-entropy cost, where this factor cancels",
    ),
    Mistake(
        "hidden-slope-missing",
        "δ2 lacks the factor f'(z2).",
        "A saturated hidden unit cannot be moved. Does your δ2 know?",
        "The chain rule passes through the hidden units' activation function.",
    ),
    Mistake(
        "slope-of-z",
        "a(1 - a) is computed with z in the place of a.",
        "Is your slope ever negative? That of the sigmoid is not.",
        "Eq. (1.3) wants the activation, not the weighted sum.",
        "ports of the assignment: z instead of a",
    ),
    Mistake(
        "sigmoid-twice",
        "f' is applied to the activation: the sigmoid acts twice.",
        "A function that expects z got a.",
        "Either f'(z) with an exponential or a(1 - a) without one, not a mixture.",
        "ports of the assignment: f'(z) applied to a",
    ),
    Mistake(
        "tanh-slope",
        "The slope is 1 - a², which belongs to tanh; these units are sigmoid.",
        "Look at Eq. (1.3): which of its two lines did you take?",
        "The slope of the sigmoid is at most one quarter.",
    ),
    Mistake(
        "W1-for-W2",
        "The error is passed back through W1 instead of W2.",
        "Along which connections did the hidden activations reach the output?",
        "δ3 travels back over the weights that carried A forward.",
    ),
    Mistake(
        "bias-summed",
        "The bias gradients are summed over the examples and not averaged.",
        "Weights and biases belong to the same mean.",
        "Divide the sums of the error terms by m, or use mean(axis=0).",
    ),
    Mistake(
        "biases-swapped",
        "The gradients of b1 and b2 have changed places.",
        "With different layer sizes their lengths would differ. Which length does each need?",
        "δ2 belongs to b1, δ3 to b2.",
        "ports of the assignment: b1grad and b2grad swapped",
    ),
    Mistake(
        "tied",
        "The two weight gradients are mixed, as if W2 were W1 transposed.",
        "Here the two matrices are free of each other.",
        "Only for tied weights do the two gradient paths add up.",
        "tied-weight autoencoders",
    ),
    Mistake(
        "decay-missing",
        "The weight decay is missing from the gradient.",
        "It is right without weight decay and wrong with it.",
        "The derivative of λ/2 W² is λW.",
    ),
    Mistake(
        "decay-doubled",
        "The weight decay is twice too large.",
        "The 1/2 of the cost takes care of the 2 of the square.",
        "The derivative of λ/2 W² is λW.",
    ),
    Mistake(
        "decay-over-m",
        "The weight decay is divided by the number of examples.",
        "Divide by m first, add the decay then.",
        "Eq. (1.7): λW stands outside the mean.",
        "λW added before the division by m",
    ),
    Mistake(
        "decay-sign",
        "The weight decay has the wrong sign.",
        "A penalty on large weights has a gradient that points away from 0.",
        "The step, not the gradient, carries the minus.",
        "mixing up the gradient with the update",
    ),
    Mistake(
        "decay-on-W1-only",
        "The weight decay reaches W1 but not W2.",
        "Both layers have weights.",
        "Compare the two lines of Eq. (1.7).",
    ),
    Mistake(
        "decay-on-biases",
        "The biases decay too; only weights should.",
        "The cost has no term for the biases.",
        "Eq. (1.7): the bias gradients are plain means of the error terms.",
        "ports that add λθ to the whole vector",
    ),
)

GRADIENT = Exercise(
    name="gradient",
    signature="gradient(W1, W2, b1, b2, X, weight_decay)",
    chapter="chapter 1, Eq. (1.7)",
    cases=_gradient_cases,
    outcome=_gradient_outcome,
    mistakes=BACKPROPAGATION,
    outputs=OUTPUTS,
)

SPARSE_GRADIENT = Exercise(
    name="sparse_gradient",
    signature="sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight)",
    chapter="chapter 5, Eq. (5.1)",
    cases=_cases,
    outcome=_sparse_gradient_outcome,
    outputs=OUTPUTS,
    mistakes=(
        Mistake(
            "sparsity-missing",
            "The sparsity term is missing from δ2; W2 and b2 are right.",
            "Does your gradient change with the sparsity weight?",
            "Compare δ2 with Eq. (5.1).",
            "ufldl_tutorial issue 9; neuron issue 7",
        ),
        Mistake(
            "outside-bracket",
            "The gradients of W1 and b1 are off because β(…) is added after the factor f'(z) "
            "instead of inside the bracket.",
            "The penalty depends on the weights through the activations, hence through f.",
            "In Eq. (5.1) one f'(z) multiplies both terms of the bracket.",
            "ufldl_tutorial issue 9",
        ),
        Mistake(
            "per-example",
            "Each example's own activation is taken for rho_hat.",
            "rho_hat is one number per unit: the mean over all examples.",
            "The means have to be known before the first error term is computed.",
            "tensorflow_stacked_denoising_autoencoder issue 1; ports that go example by example",
        ),
        Mistake(
            "sparsity-sign",
            "The sparsity term has the wrong sign.",
            "A unit that is active too often should get a positive push in its gradient.",
            "Check Eq. (4.2) at a rho_hat above rho.",
        ),
        Mistake(
            "sparsity-not-averaged",
            "The sparsity term is m times too large.",
            "One example changes rho_hat by 1/m of the change of its activation.",
            "Inside δ2 the term is not multiplied by m: the mean over the rows supplies the 1/m.",
        ),
        Mistake(
            "weight-missing",
            "The sparsity term is there, but without β.",
            "Double the sparsity weight: does the sparsity part of your gradient double?",
            "The term in Eq. (5.1) starts with β.",
        ),
        Mistake(
            "value-for-slope",
            "The divergence itself stands where its slope belongs.",
            "Backpropagation passes on derivatives.",
            "Use Eq. (4.2), not Eq. (4.1).",
        ),
        Mistake(
            "sparsity-not-in-b1",
            "The sparsity term reaches W1 but not b1.",
            "Both gradients come from the same δ2.",
            "Add the term to δ2 once, then compute both gradients from it.",
        ),
        *SHARED_SPARSITY,
        *BACKPROPAGATION,
    ),
)
