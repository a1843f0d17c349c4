"""The checkers accept what is right, in any style, and name the mistake in what is wrong."""

import time

import numpy as np
import pytest

from saelib import Parameters, SparseObjective, exercises
from saelib.exercises import EXERCISES, catalogue
from saelib.exercises._engine import check
from saelib.exercises._verdict import Verdict

SEEDS = range(4)
MISTAKES = [
    (name, mistake.name) for name, exercise in EXERCISES.items() for mistake in exercise.mistakes
]


def check_of(name):
    return getattr(exercises, f"check_{name}")


def answer(name, *mistakes):
    """Return the function of a learner who makes the given mistakes."""
    return lambda *arguments: EXERCISES[name].outcome(*arguments, mistakes=frozenset(mistakes))


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_every_mistake_of_the_catalogue_is_diagnosed_as_itself(name, mistake):
    found = {check_of(name)(answer(name, mistake), seed=seed).mistakes for seed in SEEDS}
    assert found == {(mistake,)}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_computation_passes_on_many_inputs(name):
    assert all(check_of(name)(answer(name), seed=seed).correct for seed in range(25))


def test_the_catalogue_is_large_and_every_entry_leads_on():
    entries = [mistake for mistakes in catalogue().values() for mistake in mistakes]
    assert len(entries) >= 60
    assert sum(bool(mistake.seen) for mistake in entries) >= 14
    for mistake in entries:
        assert mistake.explanation.endswith(".")
        assert mistake.hint[-1] in ".?"
        assert mistake.second_hint[-1] in ".?"
    for mistakes in catalogue().values():
        assert len({mistake.name for mistake in mistakes}) == len(mistakes)


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("sparse_gradient", ("not-averaged", "outside-bracket")),
        ("sparse_gradient", ("decay-on-biases", "sparsity-missing")),
        ("gradient", ("decay-doubled", "biases-swapped")),
        ("cost", ("not-halved", "decay-on-biases")),
        ("kl_divergence", ("swapped", "sign")),
        ("normalize_patches", ("global-mean", "not-clipped")),
        ("forward", ("hidden-bias-missing", "no-activation-at-output")),
    ],
)
def test_two_mistakes_at_once_are_both_named(name, pair):
    verdict = check_of(name)(answer(name, *pair), seed=1)
    assert set(verdict.mistakes) == set(pair)
    assert "Two things at once" in str(verdict)


def sigmoid_by_halves(z):
    z = np.asarray(z)
    positive = 1 / (1 + np.exp(-np.abs(z)))
    return np.where(z >= 0, positive, 1 - positive)


def sigmoid_by_loop(z):
    out = np.empty(np.shape(z))
    for index, value in np.ndenumerate(z):
        out[index] = 1 / (1 + np.exp(-value)) if value > -700 else 0.0
    return out


def kl_in_float32(rho, rho_hat):
    p, q = np.float32(rho), np.asarray(rho_hat, dtype=np.float32)
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))


def kl_expanded(rho, rho_hat):
    entropy = rho * np.log(rho) + (1 - rho) * np.log(1 - rho)
    return entropy - rho * np.log(rho_hat) - (1 - rho) * np.log(1 - rho_hat)


def kl_slope_as_one_fraction(rho, rho_hat):
    return (rho_hat - rho) / (rho_hat * (1 - rho_hat))


def sparse_gradient_by_loops(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    def f(z):
        return 1 / (1 + np.exp(-z))

    m = len(X)
    rho_hat = sum(f(W1 @ x + b1) for x in X) / m
    push = sparsity_weight * (-sparsity_target / rho_hat + (1 - sparsity_target) / (1 - rho_hat))
    gW1, gW2, gb1, gb2 = weight_decay * W1, weight_decay * W2, 0 * b1, 0 * b2
    for x in X:
        a = f(W1 @ x + b1)
        y = f(W2 @ a + b2)
        delta3 = -(x - y) * y * (1 - y)
        delta2 = (W2.T @ delta3 + push) * a * (1 - a)
        gW2 = gW2 + np.outer(delta3, a) / m
        gW1 = gW1 + np.outer(delta2, x) / m
        gb1, gb2 = gb1 + delta2 / m, gb2 + delta3 / m
    return [gW1, gW2, gb1, gb2]


def sparse_gradient_by_saelib(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    objective = SparseObjective(
        X,
        len(W1),
        weight_decay=weight_decay,
        sparsity_target=sparsity_target,
        sparsity_weight=sparsity_weight,
    )
    gradient = objective(Parameters(W1, W2, b1, b2).ravel())[1]
    g = Parameters.unravel(gradient, W1.shape[1], len(W1))
    return g.W1, g.W2, g.b1, g.b2


def sparse_gradient_in_columns(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    D, m = X.T.astype(np.float32), len(X)
    A = 1 / (1 + np.exp(-(W1 @ D + b1[:, None])))
    Y = 1 / (1 + np.exp(-(W2 @ A + b2[:, None])))
    r = np.mean(A, 1, keepdims=True)
    d3 = (Y - D) * Y * (1 - Y)
    d2 = (W2.T @ d3 + sparsity_weight * (r - sparsity_target) / (r * (1 - r))) * A * (1 - A)
    gW1, gW2 = d2 @ D.T / m + weight_decay * W1, d3 @ A.T / m + weight_decay * W2
    return tuple(part.astype(np.float32) for part in (gW1, gW2, d2.mean(1), d3.mean(1)))


def gradient_without_penalty(W1, W2, b1, b2, X, weight_decay):
    return sparse_gradient_by_saelib(W1, W2, b1, b2, X, weight_decay, 0.5, 0.0)


def numerical_gradient_of_fourth_order(f, theta, step):
    gradient = []
    for i in range(len(theta)):
        e = step * np.eye(len(theta))[i]
        near, far = f(theta + e) - f(theta - e), f(theta + 2 * e) - f(theta - 2 * e)
        gradient.append((8 * near - far) / (12 * step))
    return gradient


def normalize_as_in_matlab(patches):
    X = np.array([patch - patch.mean() for patch in patches])
    limit = 3 * X.std(ddof=1)
    return (np.maximum(np.minimum(X, limit), -limit) / limit + 1) * 0.4 + 0.1


def maximal_by_loop(W1):
    return [list(row / np.linalg.norm(row)) for row in W1]


def mean_by_matrix_product(A):
    return np.full(len(A), 1 / len(A)) @ A


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid", sigmoid_by_halves),
        ("sigmoid", sigmoid_by_loop),
        ("sigmoid", lambda z: 0.5 * (1 + np.tanh(z / 2))),
        ("sigmoid_derivative", lambda a: 0.25 - (np.asarray(a) - 0.5) ** 2),
        ("kl_divergence", kl_in_float32),
        ("kl_divergence", kl_expanded),
        ("kl_gradient", kl_slope_as_one_fraction),
        ("sparse_gradient", sparse_gradient_by_loops),
        ("sparse_gradient", sparse_gradient_by_saelib),
        ("sparse_gradient", sparse_gradient_in_columns),
        ("gradient", gradient_without_penalty),
        ("numerical_gradient", numerical_gradient_of_fourth_order),
        ("normalize_patches", normalize_as_in_matlab),
        ("maximal_inputs", maximal_by_loop),
        ("mean_activation", mean_by_matrix_product),
        ("flatten", lambda W1, W2, b1, b2: [*W1.flat, *W2.flat, *b1, *b2]),
    ],
)
def test_a_right_answer_in_any_style_is_accepted(name, function):
    verdicts = [check_of(name)(function, seed=seed) for seed in range(10)]
    assert all(verdict.correct for verdict in verdicts), verdicts[0]


def draw(images, n_patches, patch_size, seed, *, mistake=None):
    """Sample patches by a plain loop, with one of the known mistakes if asked for."""
    rng = np.random.default_rng({"seed-ignored": None, "seed-fixed": 7}.get(mistake, seed))
    p, patches = patch_size, []
    shared = np.random.default_rng(seed + 1).uniform(size=n_patches)
    for _ in range(n_patches):
        if mistake == "same-patch":
            rng = np.random.default_rng(seed)
        k = rng.integers(len(images) - (mistake == "last-image-missing"))
        k = 0 if mistake == "one-image" else k
        if mistake == "images-missing":
            k = 2 * rng.integers(2)
        if mistake == "images-unequal":
            sizes = np.array([(a - p + 1) * (b - p + 1) for a, b in map(np.shape, images)])
            k = rng.choice(len(images), p=sizes / sizes.sum())
        rows, columns = images[k].shape
        end, start = 0 if mistake == "last-position-missing" else 1, 0
        if mistake == "first-position-missing":
            start = 1
        r = rng.integers(start, rows - p + end)
        c = rng.integers(start, columns - p + end)
        if mistake == "row-equals-column":
            r = c = rng.integers(min(rows, columns) - p + 1)
        if mistake == "corners-only":
            r, c = rng.choice([0, rows - p]), rng.choice([0, columns - p])
        if mistake == "row-follows-column":
            r, c = (
                int(shared[len(patches)] * (rows - p + 1)),
                int(shared[len(patches)] * (columns - p + 1)),
            )
        if mistake == "every-second-place":
            r = 2 * rng.integers((rows - p) // 2 + 1)
        if mistake == "places-unequal":
            c = c if (r, c) != (2, 2) else c + 1
        patch = images[k][r : r + p, c : c + p]
        if mistake == "image-redrawn-per-pixel":
            chosen = rng.integers(len(images), size=(p, p))
            small = [image[:6, :6] for image in images]
            patch = np.array([[small[chosen[i, j]][i, j] for j in range(p)] for i in range(p)])
        if mistake == "position-redrawn-per-pixel":
            patch = rng.choice(images[k].ravel(), size=(p, p))
        if mistake == "values-changed":
            patch = patch / 255
        patch = patch[::-1] if mistake == "turned" else patch
        patches.append(patch.T.ravel() if mistake == "columns-first" else patch.ravel())
    if mistake == "squares":
        return np.array(patches).reshape(-1, p, p)
    return np.array(patches).T if mistake == "examples-in-columns" else np.array(patches)


@pytest.mark.parametrize("mistake", [m.name for m in catalogue()["sample_patches"]])
def test_every_sampling_mistake_is_diagnosed_as_itself(mistake):
    def function(*arguments):
        return draw(*arguments, mistake=mistake)

    assert exercises.check_sample_patches(function, seed=0).mistakes == (mistake,)


def test_a_plain_loop_samples_patches_rightly():
    assert exercises.check_sample_patches(draw, seed=3).correct


def in_place(rho, rho_hat):
    rho_hat *= 2
    return rho_hat


def endless(A):
    while True:
        time.sleep(0.01)


def wrong_shape(A):
    return np.ones(17)


def unwritten(W1, W2, b1, b2, X, weight_decay):
    raise NotImplementedError


def mixed_shapes(W1, W2, b1, b2, X, weight_decay):
    return X @ W1


def swapped_outputs(*arguments):
    gW1, gW2, gb1, gb2 = answer("gradient")(*arguments)
    return gW1, gW2, gb2, gb1


def transposed_output(*arguments):
    gW1, gW2, gb1, gb2 = answer("gradient")(*arguments)
    return gW1.T, gW2, gb1, gb2


@pytest.mark.parametrize(
    ("name", "function", "kind", "words"),
    [
        ("mean_activation", lambda A: None, "nothing-returned", "return"),
        ("mean_activation", lambda A: ..., "nothing-returned", "return"),
        ("mean_activation", wrong_shape, "wrong-shape", "(17,)"),
        ("mean_activation", lambda A: "high", "not-numbers", "str"),
        ("mean_activation", endless, "too-slow", "still running"),
        ("mean_activation", lambda: 1, "raises", "TypeError"),
        ("mean_activation", lambda A: A[99], "raises", "IndexError"),
        ("mean_activation", 3.0, "not-a-function", "float"),
        ("gradient", unwritten, "not-written", "NotImplementedError"),
        ("gradient", mixed_shapes, "raises", "ValueError"),
        ("gradient", lambda *a: (1.0, 2.0), "wrong-count", "4"),
        ("gradient", swapped_outputs, "outputs-swapped", "order"),
        ("gradient", transposed_output, "transposed", "transposed"),
    ],
)
def test_a_function_in_trouble_gets_a_clear_word(name, function, kind, words):
    verdict = check_of(name)(function, seed=0, time_limit=0.5)
    assert not verdict.correct
    assert verdict.mistakes == (kind,)
    assert words in str(verdict)
    assert "Hint:" in str(verdict)


def test_a_stub_as_it_came_is_neither_right_nor_wrong():
    for verdict in (check_of("gradient")(unwritten), exercises.check_number("gini-of-four", ...)):
        assert not verdict.correct
        assert not verdict.written
        assert str(verdict).startswith("○")
        assert "What goes wrong" not in str(verdict)
        assert "verdict-open" in verdict._repr_html_()
    assert exercises.check_mean_activation(lambda A: None).written


def test_a_function_that_spoils_its_input_is_told_so():
    def spoil(A):
        A -= A.mean(axis=0)
        return A.mean(axis=0)

    verdict = exercises.check_mean_activation(spoil)
    assert verdict.mistakes == ("input-changed",)
    assert "argument number 1" in str(verdict)


def without_source(source, name):
    """Return a function whose source cannot be read, so that its lines cannot be named."""
    scope = {"answer": answer, "np": np}
    exec(compile(source, "<nowhere>", "exec"), scope)
    return scope[name]


def test_an_unknown_mistake_is_said_to_be_unknown_with_what_is_known_of_it():
    seven_fold = without_source(
        """
def seven_fold(*arguments):
    gW1, gW2, gb1, gb2 = answer("gradient")(*arguments)
    return gW1, 7 * gW2, gb1, gb2
""",
        "seven_fold",
    )
    verdict = exercises.check_gradient(seven_fold, seed=0)
    assert verdict.mistakes == ()
    assert "not one of those I know" in str(verdict)
    assert "The gradient of W2 is the right one times 7." in verdict.lines
    assert "The gradient of W1 is right." in verdict.lines


def test_an_unknown_mistake_that_needs_a_penalty_to_show_is_traced_to_it():
    def odd_decay(W1, W2, b1, b2, X, weight_decay):
        gW1, gW2, gb1, gb2 = answer("gradient")(W1, W2, b1, b2, X, weight_decay)
        return gW1 + weight_decay * W1**2, gW2, gb1, gb2

    text = str(exercises.check_gradient(odd_decay, seed=0))
    assert "right without weight decay, and wrong with weight decay" in text


def test_nan_and_infinity_in_a_result_are_named():
    text = str(exercises.check_mean_activation(lambda A: A.mean(axis=0) * np.nan))
    assert "holds NaN" in text
    text = str(exercises.check_mean_activation(lambda A: A.mean(axis=0) + np.inf))
    assert "holds infinity" in text


def test_fresh_inputs_are_drawn_each_time():
    seen = []
    for _ in range(2):
        exercises.check_mean_activation(lambda A: seen.append(A.copy()) or A.mean(axis=0))
    assert not np.array_equal(seen[0], seen[3])


def test_the_right_gradients_agree_with_an_independent_autograd():
    import jax
    import jax.numpy as jnp

    def cost(W1, W2, b1, b2, X, decay, rho, beta):
        A = jax.nn.sigmoid(X @ W1.T + b1)
        Y = jax.nn.sigmoid(A @ W2.T + b2)
        q = A.mean(axis=0)
        kl = rho * jnp.log(rho / q) + (1 - rho) * jnp.log((1 - rho) / (1 - q))
        squares = ((Y - X) ** 2).sum() / (2 * len(X))
        return squares + decay / 2 * ((W1**2).sum() + (W2**2).sum()) + beta * kl.sum()

    with jax.enable_x64(True):
        for case in EXERCISES["sparse_gradient"].cases(np.random.default_rng(0)):
            expected = jax.grad(cost, argnums=(0, 1, 2, 3))(*case.arguments)
            for mine, theirs in zip(
                answer("sparse_gradient")(*case.arguments), expected, strict=True
            ):
                np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(answer("cost")(*case.arguments), cost(*case.arguments))


def test_a_verdict_reads_well_in_a_notebook_and_never_shows_more_than_the_first_hint():
    verdict = exercises.check_kl_gradient(answer("kl_gradient", "sign"))
    html = verdict._repr_html_()
    assert 'class="verdict verdict-wrong"' in html
    assert verdict.hint() in html
    assert verdict.hint(2) not in html
    assert verdict.hint(9) == verdict.hint(2)
    right = exercises.check_sigmoid(answer("sigmoid"))
    assert 'class="verdict verdict-right"' in right._repr_html_()
    assert right.hint() == "There is no hint for this one."


def test_a_verdict_on_a_page_shows_code_as_code():
    verdict = Verdict("kl_gradient", False, (), ("Line 4, `a < b`, is the one.",))
    assert "Line 4, <code>a &lt; b</code>, is the one." in verdict._repr_html_()
    assert "`a < b`" in repr(verdict)


def test_hints_and_explanations_do_not_give_the_formula_away():
    for name in ("sparse_gradient", "gradient"):
        for mistake in EXERCISES[name].mistakes:
            assert " @ " not in mistake.hint + mistake.second_hint


def test_check_runs_an_exercise_by_itself():
    assert check(EXERCISES["sigmoid"], answer("sigmoid")).correct


def test_a_wrong_answer_can_be_had_by_name_and_only_by_a_known_one():
    wrong = exercises.wrong_answer("kl_gradient", "sign")
    np.testing.assert_allclose(wrong(0.2, 0.5), -exercises.wrong_answer("kl_gradient")(0.2, 0.5))
    with pytest.raises(ValueError, match="exercise is 'kl'; choose one of sigmoid"):
        exercises.wrong_answer("kl")
    with pytest.raises(ValueError, match="'odd' is not a mistake of kl_gradient; choose from sign"):
        exercises.wrong_answer("kl_gradient", "odd")
