"""Every trap that the chapters warn of is known to the checker of the exercise it belongs to."""

import json
from pathlib import Path

import numpy as np
import pytest

import saelib
from saelib import exercises
from saelib.exercises import check_number, wrong_answer

# Chapter and trap, as "What can go wrong" and the exercises tell them; exercise; what is named.
TRAPS = [
    ("1: f' of a instead of f' of z", "gradient", "sigmoid-twice"),
    ("1: b1 and b2 swapped", "gradient", "biases-swapped"),
    ("1: 1/m forgotten", "gradient", "not-averaged"),
    ("1: decay and the number of examples", "gradient", "decay-over-m"),
    ("1: the order in the flat vector", "flatten", "layer-by-layer"),
    ("3: the mean over the wrong axis", "mean_activation", "wrong-axis"),
    ("3: the map of a tanh unit", "mean_activation", "tanh-scale"),
    ("4: target and mean exchanged", "kl_divergence", "swapped"),
    ("4: target and mean exchanged", "cost", "divergence-swapped"),
    ("4: the mean of the penalties", "cost", "per-example"),
    ("4: another base", "kl_divergence", "base-two"),
    ("4: another base", "cost", "base-two"),
    ("5: the term after the factor", "sparse_gradient", "outside-bracket"),
    ("5: the sum stops at s2", "sparse_gradient", "sum-stops-early"),
    ("5: the sum stops at s2", "gradient", "sum-stops-early"),
    ("5: one example at a time", "sparse_gradient", "per-example"),
    ("5: rho_hat over the units", "sparse_gradient", "rho-hat-over-units"),
    ("5: twice the error", "sparse_gradient", "error-doubled"),
    ("5: minus the gradient", "sparse_gradient", "minus-gradient"),
    ("5: twice the gradient", "sparse_gradient", "twice-gradient"),
    ("5: / 2 * step", "numerical_gradient", "times-step"),
    ("5: theta is not put back", "numerical_gradient", "not-restored"),
    ("6: one mean for all patches", "normalize_patches", "global-mean"),
    ("7: the columns instead of the rows", "maximal_inputs", "columns"),
    ("8: weights tied by mistake", "sparse_gradient", "tied"),
]


@pytest.mark.parametrize(("trap", "exercise", "mistake"), TRAPS)
def test_the_trap_is_recognised(trap, exercise, mistake):
    checker = getattr(exercises, f"check_{exercise}")
    for seed in range(3):
        assert checker(wrong_answer(exercise, mistake), seed=seed).mistakes == (mistake,)


def test_a_forgotten_keepdims_is_led_to_keepdims():
    def norms(W1):
        return W1 / np.sqrt(np.sum(W1**2, axis=1))

    def centred(patches):
        return patches - patches.mean(axis=1)

    for checker, function in (
        (exercises.check_maximal_inputs, norms),
        (exercises.check_normalize_patches, centred),
    ):
        verdict = checker(function)
        assert "keepdims" in verdict.hint()
        assert "has shape" in str(verdict)
        assert ".T" not in verdict.hint()


def test_means_of_tanh_units_give_a_word_on_nan():
    def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        A = np.tanh(X @ W1.T + b1)
        Y = 1 / (1 + np.exp(-(A @ W2.T + b2)))
        q, p = A.mean(axis=0), sparsity_target
        kl = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        decay = weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2))
        return np.sum((Y - X) ** 2) / 2 / len(X) + decay + sparsity_weight * kl.sum()

    verdict = exercises.check_cost(cost, seed=0)
    assert not verdict.correct
    assert "NaN" in str(verdict)
    assert verdict.line_numbers


BOOK = Path(__file__).parent.parent / "book"


def stub_of(chapter, word):
    """Return the wrong program that an exercise of a chapter hands out."""
    cells = json.loads((BOOK / chapter).read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        source = "".join(cell["source"])
        if "stub" in cell["metadata"].get("tags", []) and f"def {word}(" in source:
            scope = {"np": np, "saelib": saelib}
            exec(compile(source, f"{word}.py", "exec"), scope)
            return scope[word]
    return pytest.skip("the exercise is not in the book any more")


@pytest.mark.skipif(not BOOK.exists(), reason="the book is not here")
def test_the_programs_to_be_mended_get_names_for_what_is_wrong_with_them():
    name = "08-what-goes-wrong.ipynb"
    verdict = exercises.check_normalize_patches(stub_of(name, "my_normalize"), seed=0)
    assert set(verdict.mistakes) == {"global-mean", "not-clipped"}
    verdict = exercises.check_sparse_gradient(stub_of(name, "mended"), seed=0)
    assert set(verdict.mistakes) == {"per-example", "decay-over-m"}
    verdict = exercises.check_sample_patches(stub_of(name, "my_sampler"), seed=0)
    assert verdict.mistakes == ("image-redrawn-per-pixel",)


def test_a_share_in_percent_and_a_turned_sign_are_named():
    assert check_number("relative-error-of-twice", 33.333).mistakes == ("in-percent",)
    assert check_number("sparsity-push-tanh", -1.40625).mistakes == ("opposite-sign",)


def test_a_numerical_gradient_that_ignores_its_step_is_not_accepted():
    def fixed(f, theta, step):
        return saelib.numerical_gradient(f, theta, step=1e-5)

    assert exercises.check_numerical_gradient(fixed).mistakes == ("step-ignored",)


def test_a_forward_difference_in_single_precision_is_not_accepted():
    def forward(f, theta, step):
        eye = np.eye(len(theta))
        return np.array([(f(theta + step * e) - f(theta)) / step for e in eye], dtype=np.float32)

    for seed in range(5):
        assert not exercises.check_numerical_gradient(forward, seed=seed).correct


def test_results_that_are_off_by_four_parts_in_ten_thousand_are_wrong_in_any_precision():
    right = wrong_answer("sparse_gradient")
    off = lambda *a: tuple((1.0004 * g).astype(np.float32) for g in right(*a))  # noqa: E731
    assert not exercises.check_sparse_gradient(off, seed=0).correct


def test_a_scalar_is_not_said_to_be_right_up_to_a_factor():
    scope = {"right": wrong_answer("cost")}
    exec(compile("def cost(*a):\n    return right(*a) + 1\n", "<nowhere>", "exec"), scope)
    assert "times a factor" not in str(exercises.check_cost(scope["cost"], seed=0))
