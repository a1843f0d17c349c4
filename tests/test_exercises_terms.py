"""What a result holds of each term of the derivation, in sizes, when no line can be shown."""

import numpy as np
import pytest

from saelib.exercises._compare import as_arrays
from saelib.exercises._network import SPARSE_GRADIENT
from saelib.exercises._terms import describe

CASES = SPARSE_GRADIENT.cases(np.random.default_rng(0))
RIGHT = [as_arrays(SPARSE_GRADIENT.outcome(*case.arguments)) for case in CASES]


def decay(case):
    known = dict(zip(SPARSE_GRADIENT.arguments, case.arguments, strict=True))
    return known["weight_decay"] * known["W1"], len(known["X"])


def described(change):
    """Return what is said when the gradient of W1 is changed."""
    results = [
        (change(result[0], *decay(case)), *result[1:])
        for case, result in zip(CASES, RIGHT, strict=True)
    ]
    return describe(SPARSE_GRADIENT, CASES, results)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g, decay, m: g - decay, "is missing"),
        (lambda g, decay, m: g - 2 * decay, "has the wrong sign"),
        (lambda g, decay, m: g + decay, "is doubled"),
        (lambda g, decay, m: g - decay / 2, "is halved"),
        (lambda g, decay, m: g - decay + m * decay, "comes in at m times its size"),
        (lambda g, decay, m: g - decay + decay / m, "comes in at 1/m of its size"),
        (lambda g, decay, m: g + 2 * decay, "comes in times 3"),
    ],
)
def test_the_size_of_a_term_is_said_in_words(change, words):
    said = described(change)
    assert list(said) == [0]
    assert said[0].endswith(words), said


@pytest.mark.parametrize(
    "change",
    [
        lambda g, decay, m: g,
        lambda g, decay, m: g**2,
        lambda g, decay, m: np.full_like(g, np.nan),
        lambda g, decay, m: g + np.linspace(0, 1, g.size).reshape(g.shape),
    ],
)
def test_of_what_is_no_sum_of_the_terms_nothing_is_said(change):
    assert described(change) == {}
