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
    ("5: the factor on one term only", "sparse_gradient", "factor-on-penalty-only"),
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
    ("9: every pixel is scaled by itself", "normalize_patches", "sd-per-pixel"),
    ("ports: a softmax in the mean", "cost", "rho-hat-softmax"),
    ("ports: a softmax of the mean", "sparse_gradient", "rho-hat-softmax-of-mean"),
    ("ports: the sigmoid of the mean", "cost", "rho-hat-sigmoid-of-mean"),
    ("ports: a running mean", "sparse_gradient", "rho-hat-running"),
    ("ports: a running mean", "mean_activation", "running-mean"),
    ("ports: a small number added to the mean", "cost", "rho-hat-shifted"),
    ("ports: linear units", "sparse_gradient", "linear-units"),
    ("ports: a linear output", "sparse_gradient", "linear-output"),
    ("ports: rectifiers", "gradient", "relu-units"),
    ("ports: rectifiers", "sparse_gradient", "relu-hidden-units"),
    ("ports: tanh units", "gradient", "tanh-units"),
    ("ports: tanh units", "sparse_gradient", "tanh-hidden-units"),
    ("ports: softmax outputs", "forward", "softmax-output"),
    ("ports: cross entropy", "cost", "cross-entropy"),
    ("ports: absolute values for the divergence", "cost", "absolute-penalty"),
    ("ports: the mean over everything", "cost", "mean-over-entries"),
    ("ports: the square of the sum", "cost", "square-of-the-sum"),
    ("ports: one side of the divergence", "cost", "no-complement"),
    ("ports: z times the sigmoid", "sigmoid", "times-z"),
    ("ports: f(x+e) + f(x-e)", "numerical_gradient", "added"),
    ("ports: the share above zero", "mean_activation", "share-above-zero"),
    ("ports: [0, 1] for [0.1, 0.9]", "normalize_patches", "range-zero-to-one"),
    ("ports: + 1", "normalize_patches", "range-shifted-only"),
    ("ports: smallest and largest value", "normalize_patches", "smallest-and-largest"),
    ("ports: mean removed, largest entry 1", "maximal_inputs", "mean-removed-largest-entry"),
    ("ports: a flat vector layer by layer", "sparse_gradient", "flat-by-layer"),
    ("ports: the number of features for that of examples", "gradient", "divided-by-features"),
    ("ports: rho_hat as a sum", "sparse_gradient", "rho-hat-summed"),
    ("ports: rho_hat of the last example", "cost", "rho-hat-of-last"),
    ("ports: the signs of the slope", "sparse_gradient", "kl-second-sign"),
    ("ports: half the decay", "cost", "decay-halved"),
    ("ports: the norm for its square", "cost", "decay-not-squared"),
    ("11: the path of the matrix that writes", "superposition_gradient", "writing-missing"),
    ("11: the path of the matrix that reads", "superposition_gradient", "reading-missing"),
    ("11: the mask forgotten", "superposition_gradient", "mask-missing"),
    ("12: norms along the wrong axis", "project_gradient", "rows"),
    ("12: the gradient is not projected", "project_gradient", "not-projected"),
    ("12: L1 summed over the examples", "l1_gradient", "price-summed"),
    ("12: the price outside of the bracket", "l1_gradient", "price-outside"),
    ("12: the share about zero", "unexplained", "about-zero"),
    ("12: one mean for all features", "unexplained", "one-mean-for-all"),
    ("12: the best column for each direction", "shared_units", "best-for-each"),
    ("12: the best column for each", "shared_units", "best-for-each-of-the-other"),
    ("13: the K smallest", "top_k", "smallest"),
    ("13: the K largest in size", "top_k", "absolute"),
    ("13: negative survivors", "top_k", "negative-survivors"),
    ("13: the top K of a column", "top_k", "per-unit"),
    ("13: the slope of the rectifier", "top_k", "slope-of-relu"),
    ("13: one cut for the whole batch", "top_k", "whole-batch"),
    ("14: half of the window", "straight_through", "window-twice-as-wide"),
    ("14: the derivative by the logarithm", "straight_through", "log-space"),
    ("14: z in the place of the threshold", "straight_through", "weighted-input-for-threshold"),
    ("14: the slope of the code for the window", "straight_through", "active-for-window"),
    ("15: only its own prefix", "nested_back", "own-prefix-only"),
    ("15: sizes read as ends", "nested_back", "sizes-for-ends"),
    ("15: cosines without norms", "shared_units", "not-normalized"),
    ("15: the solver minimizes", "shared_units", "worst-pairs"),
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


def test_arguments_in_the_order_of_the_layers_are_said_to_be_exchanged():
    def forward(W1, b1, W2, b2, X):
        return 1 / (1 + np.exp(-(1 / (1 + np.exp(-(X @ W1.T + b1))) @ W2.T + b2)))

    verdict = exercises.check_forward(forward, seed=0)
    assert verdict.mistakes == ("arguments-exchanged",)
    assert "forward(W1, W2, b1, b2, X)" in str(verdict)


def test_results_that_are_exchanged_are_not_said_to_be_transposed():
    right = wrong_answer("sparse_gradient")

    def exchanged(*arguments):
        W1, W2, b1, b2 = right(*arguments)
        return W2, W1, b1, b2

    for seed in range(3):
        verdict = exercises.check_sparse_gradient(exchanged, seed=seed)
        assert verdict.mistakes == ("outputs-swapped",)
        assert "transposed" not in str(verdict)


def test_blocks_of_sixteen_rows_must_reach_the_last_row():
    right = wrong_answer("sparse_gradient")

    def first_block(W1, W2, b1, b2, X, *more):
        return right(W1, W2, b1, b2, X[:16], *more)

    def full_blocks(W1, W2, b1, b2, X, *more):
        return right(W1, W2, b1, b2, X[: len(X) // 16 * 16] if len(X) > 16 else X, *more)

    for function in (first_block, full_blocks):
        verdict = exercises.check_sparse_gradient(function, seed=0)
        assert not verdict.correct
        assert "wrong for 37 examples" in str(verdict)


def test_another_range_is_said_in_numbers():
    def normalize(patches):
        centred = patches - patches.mean(axis=1, keepdims=True)
        limit = 3 * centred.std()
        return np.clip(centred, -limit, limit) / limit * 0.45 + 0.5

    scope = {"np": np, "normalize": normalize}
    exec(compile("def hidden(patches):\n    return normalize(patches)\n", "<none>", "exec"), scope)
    verdict = exercises.check_normalize_patches(scope["hidden"], seed=0)
    assert "the right one times 1.125, minus 0.0625" in str(verdict)


def test_rounding_is_told_from_a_mistake():
    def slopes(f, theta, step):
        t, single = theta.astype(np.float32), np.float32
        rises = [single(f(t + step * e)) - single(f(t - step * e)) for e in np.eye(len(t))]
        return np.array(rises) / (2 * step)

    for seed in range(5):
        verdict = exercises.check_numerical_gradient(slopes, seed=seed)
        assert not verdict.correct
        assert "as rounding in single precision makes it" in str(verdict)


def test_height_and_width_exchanged_are_found_in_their_line():
    def sample_patches(images, n_patches, patch_size, seed):
        rng = np.random.default_rng(seed)
        patches = np.empty((n_patches, patch_size**2))
        for i in range(n_patches):
            image = images[rng.integers(len(images))]
            width, height = image.shape  # slip
            row = rng.integers(height - patch_size + 1)
            column = rng.integers(width - patch_size + 1)
            patches[i] = image[row : row + patch_size, column : column + patch_size].ravel()
        return patches

    verdict = exercises.check_sample_patches(sample_patches, seed=0)
    assert verdict.line_numbers
    assert "width" in str(verdict) or "height" in str(verdict)


def test_blocks_that_are_stacked_and_not_joined_are_found_in_their_line():
    def flatten(W1, W2, b1, b2):
        weights = np.concatenate([W1.ravel(), W2.ravel()])
        return np.stack([weights, np.concatenate([b1, b2])])  # slip

    verdict = exercises.check_flatten(flatten, seed=0)
    first = flatten.__code__.co_firstlineno
    assert verdict.mistakes == ("raises",)
    assert verdict.line_numbers == (first + 2,)
