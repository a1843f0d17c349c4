"""A mistake that is in no catalogue is followed to its line, in any style of program."""

import ast
import contextlib
import inspect
import re
import subprocess
import sys

import numpy as np
import pytest

from saelib import exercises
from saelib.exercises import (
    _follow,
    _patience,
    check_mean_activation,
    check_sparse_gradient,
    wrong_answer,
)
from saelib.exercises._changes import slips
from saelib.exercises._derivation import Case, Exercise, Mistake, Step
from saelib.exercises._engine import check
from saelib.exercises._follow import _Hole, _Search
from saelib.exercises._source import program_of
from saelib.exercises._trace import traced


def line_of(function, words):
    lines, first = inspect.getsourcelines(function)
    return next(first + k for k, line in enumerate(lines) if words in line)


def f(z):
    return 1 / (1 + np.exp(-z))


def in_matrices(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    A = f(X @ W1.T + b1)
    Y = f(A @ W2.T + b2)
    rho_hat = A.mean(axis=0)
    delta3 = (Y - X) * Y * (1 - Y)
    push = sparsity_weight * (-sparsity_target / rho_hat + (1 - sparsity_target) / (1 - rho_hat))
    back = delta3 @ W2
    delta2 = (back * push) * A * (1 - A)  # slip
    gW1 = delta2.T @ X / m + weight_decay * W1
    gW2 = delta3.T @ A / m + weight_decay * W2
    return gW1, gW2, delta2.mean(axis=0), delta3.mean(axis=0)


def in_columns(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    data, m = X.T, len(X)
    a2 = f(W1 @ data + b1[:, None])
    a3 = f(W2 @ a2 + b2[:, None])
    rho = a2.mean(axis=1)
    d3 = -(data - a3) * a3 * (1 + a3)  # slip
    sp = sparsity_weight * (-sparsity_target / rho + (1 - sparsity_target) / (1 - rho))
    d2 = (W2.T @ d3 + sp[:, None]) * a2 * (1 - a2)
    g1 = d2 @ data.T / m + weight_decay * W1
    g2 = d3 @ a2.T / m + weight_decay * W2
    return g1, g2, d2.mean(axis=1), d3.mean(axis=1)


def in_a_loop(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    rho = f(X @ W1.T + b1).mean(axis=0)
    push = sparsity_weight * (rho - sparsity_target) / (rho * (1 - rho))
    G1, G2, h1, h2 = 0 * W1, 0 * W2, 0 * b1, 0 * b2
    for x in X:
        a = f(W1 @ x + b1)
        y = f(W2 @ a + b2)
        d3 = (y - x) * y * (1 - y)
        d2 = (W2.T @ d3 + push) * a * (1 - a)
        G1 += np.outer(d2, x)
        G2 += np.outer(d3, d2)  # slip
        h1 += d2
        h2 += d3
    return G1 / m + weight_decay * W1, G2 / m + weight_decay * W2, h1 / m, h2 / m


def kl_slope(p, q):
    return (q - p) / (q * (1 + q))


def with_a_helper(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    A = f(X @ W1.T + b1)
    Y = f(A @ W2.T + b2)
    delta3 = (Y - X) * Y * (1 - Y)
    push = sparsity_weight * kl_slope(sparsity_target, A.mean(axis=0))
    delta2 = (delta3 @ W2 + push) * A * (1 - A)
    gW1 = delta2.T @ X / m + weight_decay * W1
    gW2 = delta3.T @ A / m + weight_decay * W2
    return gW1, gW2, delta2.mean(axis=0), delta3.mean(axis=0)


def with_a_closure():
    power = 3

    def gradient(W1, W2, b1, b2, X, weight_decay):
        A, m = f(X @ W1.T + b1), len(X)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) ** power * Y * (1 - Y)  # slip
        d2 = d3 @ W2 * A * (1 - A)
        g1, g2 = d2.T @ X / m + weight_decay * W1, d3.T @ A / m + weight_decay * W2
        return g1, g2, d2.mean(0), d3.mean(0)

    return gradient


@pytest.mark.parametrize(
    ("function", "where", "words"),
    [
        (in_matrices, in_matrices, "# slip"),
        (in_columns, in_columns, "# slip"),
        (in_a_loop, in_a_loop, "# slip"),
        (with_a_helper, kl_slope, "return"),
    ],
)
def test_the_line_of_an_unknown_slip_is_named(function, where, words):
    for seed in (0, 1):
        verdict = check_sparse_gradient(function, seed=seed)
        assert not verdict.correct
        assert verdict.line_numbers == (line_of(where, words),)
        assert f"Line {line_of(where, words)}, `" in str(verdict)


def test_a_closure_is_followed():
    function = with_a_closure()
    verdict = exercises.check_gradient(function, seed=0)
    assert verdict.line_numbers == (line_of(function, "# slip"),)


def test_what_agrees_is_named_and_what_a_line_should_give_but_not_how():
    text = str(check_sparse_gradient(in_matrices, seed=0))
    assert "agree with the book" in text
    assert "Then `delta2` is delta2, Eq. (5.1)." in text
    assert "back + push" not in text


def test_a_part_of_one_line_is_pointed_at():
    def mean(A):
        return np.sum(A, axis=0) / (len(A) + 3)

    verdict = check_mean_activation(mean, seed=0)
    assert verdict.line_numbers == (line_of(mean, "return"),)
    assert "`" in verdict.hint(2)


def test_a_comprehension_is_followed():
    def mean(A):
        return np.array([np.sum(A[:, j] ** 3) / len(A) for j in range(A.shape[1])])

    assert check_mean_activation(mean, seed=0).line_numbers == (line_of(mean, "return"),)


def test_an_update_in_place_is_followed():
    def mean(A):
        total = np.zeros(A.shape[1])
        for row in A:
            total -= row
        total /= len(A)
        return total

    verdict = check_mean_activation(mean, seed=0)
    assert verdict.line_numbers != (line_of(mean, "zeros"),)


def test_the_cause_of_an_error_is_named_with_the_shapes_where_it_was_raised():
    def mean(A):
        total = A.sum(axis=1)
        return total / A[0] + np.ones(7)

    verdict = check_mean_activation(mean, seed=0)
    assert verdict.mistakes == ("raises",)
    assert re.search(r"Line \d+, `total / A\[0\]`, stopped with ValueError", str(verdict))
    assert "has shape (4,)" in str(verdict)


def test_without_source_nothing_is_named_and_nothing_breaks():
    scope = {"np": np}
    source = "def mean(A):\n    return A.mean(axis=0) + A[0] / 9"
    exec(compile(source, "<nowhere>", "exec"), scope)
    verdict = check_mean_activation(scope["mean"], seed=0)
    assert verdict.line_numbers == ()
    assert "not one of those I know" in str(verdict)


def test_the_learners_names_are_not_touched_by_the_search():
    before = dict(globals())
    calls = []

    def mean(A):
        calls.append(1)
        return A.mean(axis=0) * 1.5

    check_mean_activation(mean, seed=0)
    assert {name: value for name, value in globals().items() if name in before} == before


def test_nothing_that_a_learner_prints_is_printed_by_the_search(capsys):
    def mean(A):
        print("here")
        return A.mean(axis=0) * 1.5

    check_mean_activation(mean, seed=0)
    assert capsys.readouterr().out.count("here") < 20


def rho_hat_only(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    return f(X @ W1.T + b1).mean(axis=0)


def test_the_big_exercise_can_be_checked_in_stages_that_lead_on():
    verdict = check_sparse_gradient(rho_hat_only, stage="rho_hat")
    assert verdict.correct
    assert 'stage="delta3"' in str(verdict)

    def one_mean(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        return np.full(len(b1), f(X @ W1.T + b1).mean())

    verdict = check_sparse_gradient(one_mean, stage="rho_hat")
    assert verdict.mistakes == ("mean-over-all-units",)
    assert verdict.call == 'check_sparse_gradient(one_mean, stage="rho_hat")'

    def delta3(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        Y = f(f(X @ W1.T + b1) @ W2.T + b2)
        return (Y - X) * Y * (1 - Y)

    assert check_sparse_gradient(delta3, stage="delta3").correct
    assert not check_sparse_gradient(delta3, stage="delta2").correct
    with pytest.raises(ValueError, match="stage is 'last'; choose one of rho_hat, delta3, delta2"):
        check_sparse_gradient(delta3, stage="last")


def test_a_smallest_failing_input_can_be_had():
    verdict = check_sparse_gradient(wrong_answer("sparse_gradient", "halved"), seed=0)
    example = verdict.example()
    assert example.arguments["X"].size <= 4
    assert "right" in repr(example)
    assert "<table" in example._repr_html_()
    assert check_mean_activation(lambda A: A.mean(axis=0)).example() is None


@pytest.mark.parametrize("name", exercises.EXERCISES)
def test_every_exercise_can_show_an_input_on_which_an_answer_fails(name):
    mistake = exercises.catalogue()[name][0].name
    verdict = getattr(exercises, f"check_{name}")(wrong_answer(name, mistake), seed=0)
    example = verdict.example()
    assert example is not None
    assert "yours" in repr(example)


def test_one_entry_is_enough_to_show_a_failure_of_what_works_entry_by_entry():
    example = exercises.check_kl_gradient(wrong_answer("kl_gradient", "sign"), seed=0).example()
    assert np.size(example.arguments["rho_hat"]) == 1


def test_three_mistakes_at_once_are_named():
    three = {"not-averaged", "error-sign", "decay-doubled"}
    verdict = exercises.check_gradient(wrong_answer("gradient", *three), seed=1)
    assert set(verdict.mistakes) == three
    assert "Three things at once" in str(verdict)


def test_results_in_another_form_are_read():
    right = wrong_answer("sparse_gradient")
    names = ("W1", "W2", "b1", "b2")
    flat = lambda *a: np.concatenate([g.ravel() for g in right(*a)])  # noqa: E731
    assert check_sparse_gradient(flat).correct
    assert check_sparse_gradient(lambda *a: dict(zip(names, right(*a), strict=True))).correct


def test_right_numbers_in_another_shape_are_said_to_be_just_that():
    right = wrong_answer("gradient")

    def columns(*arguments):
        gW1, gW2, gb1, gb2 = right(*arguments)
        return gW1, gW2, gb1[:, None], gb2[:, None]

    verdict = exercises.check_gradient(columns)
    assert verdict.mistakes == ("wrong-shape",)
    assert "an axis of length 1 too many" in str(verdict)


def test_another_order_and_a_mistake_are_both_said():
    wrong = wrong_answer("gradient", "not-averaged")

    def by_layer(*arguments):
        gW1, gW2, gb1, gb2 = wrong(*arguments)
        return gW1, gb1, gW2, gb2

    verdict = exercises.check_gradient(by_layer, seed=0)
    assert verdict.mistakes == ("not-averaged", "outputs-swapped")


def test_with_no_time_a_verdict_says_less_and_nothing_wrong(monkeypatch):
    def kl_divergence(rho, rho_hat):
        first = rho * np.log(rho / rho_hat)
        second = (1 - rho) * np.log((1 - rho) / (1 - rho_hat * rho_hat))
        return first + second

    monkeypatch.setattr(_patience, "SECONDS", 0.0)
    hurried = exercises.check_kl_divergence(kl_divergence, seed=0)
    assert not hurried.correct
    assert hurried.line_numbers == ()
    monkeypatch.undo()
    patient = exercises.check_kl_divergence(kl_divergence, seed=0)
    assert "second" in str(patient)
    assert len(patient.line_numbers) == 1


def test_the_first_line_that_gives_nan_is_named_without_a_search(monkeypatch):
    def kl_divergence(rho, rho_hat):
        below = rho_hat - 1
        second = (1 - rho) * np.log((1 - rho) / below)
        return rho * np.log(rho / rho_hat) + second

    monkeypatch.setattr(_patience, "SECONDS", 0.0)
    verdict = exercises.check_kl_divergence(kl_divergence, seed=0)
    first = kl_divergence.__code__.co_firstlineno
    assert verdict.line_numbers == (first + 2,)
    assert f"comes from line {first + 2}" in str(verdict)


def test_the_line_that_has_lost_an_operand_is_named_though_no_token_brings_it_back():
    def in_columns(W1, W2, b1, b2, X):
        data = X.T  # noqa: F841 - a learner leaves such things behind
        z2 = b1[:, None]  # slip
        a2 = f(z2)
        return f(W2 @ a2 + b2[:, None]).T

    verdict = exercises.check_forward(in_columns, seed=0)
    assert verdict.line_numbers == (line_of(in_columns, "# slip"),)
    assert "should be z2, Eq. (1.4)." in str(verdict)


def test_what_is_handed_to_append_is_looked_at_as_well():
    def slopes(f, theta, step):
        found = []
        for e in np.eye(len(theta)):
            above = f(theta + step * e)  # noqa: F841
            below = f(theta - step * e)  # noqa: F841
            found.append(2 * step)  # slip
        return np.array(found)

    verdict = exercises.check_numerical_gradient(slopes, seed=0)
    assert verdict.line_numbers == (line_of(slopes, "# slip"),)


def test_quantities_stay_as_they_are_when_a_learners_line_writes_into_what_it_gets():
    def in_a_copy(f, theta, step):
        gradient = np.empty(len(theta))
        for i in range(len(theta)):
            t = theta.copy()
            t[i] = theta[i] + step
            high = f(t)  # noqa: F841
            t[i] = theta[i] - step
            low = f(t)  # noqa: F841
            gradient[i] = step / 2  # slip
        return gradient

    verdict = exercises.check_numerical_gradient(in_a_copy, seed=0)
    assert verdict.line_numbers == (line_of(in_a_copy, "# slip"),)


def test_memory_that_was_right_once_is_no_right_answer():
    def unfilled(A):
        return np.empty(A.shape[1])

    for _ in range(20):
        left_behind = np.full(3, 7.0)
        del left_behind
        assert program_of(unfilled).rebuilt()(np.ones((2, 3))).tolist() == [0, 0, 0]


def test_a_wrong_result_that_has_the_shape_of_a_transposed_one_is_followed():
    def in_columns(W1, W2, b1, b2, X):
        a2 = f(W1 @ X.T + b1[:, None])
        z3 = W2 @ a2 + b2[:, None]  # noqa: F841
        a3 = f(-X)  # slip
        return a3.T

    verdict = exercises.check_forward(in_columns, seed=0)
    assert verdict.line_numbers == (line_of(in_columns, "# slip"),)
    assert "transposed" not in str(verdict)


def test_a_line_that_gives_a_quantity_of_the_book_is_not_asked_for_another():
    def slope(a):
        square = a**2
        return square  # noqa: RET504

    # The square may be the wrong value, or what is done with it.
    verdict = exercises.check_sigmoid_derivative(slope, seed=0)
    assert verdict.line_numbers == (line_of(slope, "square ="), line_of(slope, "return"))

    def scaled(patches):
        X = patches - patches.mean(axis=1)[:, None]
        s = 3 * X.std()
        X = s  # slip
        return 0.5 + 0.4 * X

    verdict = exercises.check_normalize_patches(scaled, seed=0)
    assert verdict.line_numbers == (line_of(scaled, "# slip"),)


def test_a_list_in_the_place_of_one_vector_is_followed_to_its_line():
    def flatten(W1, W2, b1, b2):
        weights = np.concatenate((W1.ravel(), W2.ravel()))
        return (weights, np.concatenate((b1, b2)))

    verdict = exercises.check_flatten(flatten, seed=0)
    assert verdict.mistakes == ("wrong-count",)
    assert verdict.line_numbers == (line_of(flatten, "return"),)


def test_a_list_is_never_put_into_itself():
    """It would make an array that no memory is enough for, and end the whole notebook."""

    def in_a_loop(W1, W2, b1, b2, X):
        outputs = []
        for x in X:
            y = f(W2 @ f(W1 @ x + b1) + b2)  # noqa: F841
            outputs.append(x)  # slip
        return np.array(outputs)

    verdict = exercises.check_forward(in_a_loop, seed=0)
    assert verdict.line_numbers == (line_of(in_a_loop, "# slip"),)

    node = ast.parse("outputs", mode="eval").body
    hole, outputs = _Hole(node), [1.0, 2.0]
    hole.close()
    hole.begin(lambda parts, scope, turn: outputs, 3)
    assert hole({}, None) == outputs
    assert hole({}, None) is not outputs
    outputs *= 100_000
    with pytest.raises(MemoryError, match="grows too fast"):
        hole({}, None)
    for change in slips(node, {"outputs": outputs}):
        with contextlib.suppress(Exception):
            change([outputs], {"outputs": outputs})
    assert not any(entry is outputs for entry in outputs)


def test_a_term_that_an_input_makes_zero_speaks_for_no_line():
    def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        A = f(X @ W1.T + b1)
        J = 0.5 * np.sum((f(A @ W2.T + b2) - X) ** 2) / len(X)
        J += weight_decay / 2 * ((W1**2).sum() + (W2**2).sum())
        for r in A.mean(axis=0):
            kl = sparsity_target * np.log(sparsity_target / r)
            kl = kl + (1 - sparsity_target) * np.log((1 - sparsity_target) / (1 - r))
            J += kl  # slip
        return J

    verdict = exercises.check_cost(cost, seed=1)
    assert verdict.line_numbers == (line_of(cost, "# slip"),)
    assert "weight decay" not in str(verdict)


def test_lines_on_which_a_right_output_depends_are_looked_at_last(monkeypatch):
    def gradient(W1, W2, b1, b2, X, weight_decay):
        m = len(X)
        A = f(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        delta3 = (Y - X) * Y * (1 - Y)
        delta2 = (delta3 @ W2) * A * (1 - A)
        gW1 = delta2.T @ X / m + weight_decay * W1
        gW2 = delta3.T @ A + weight_decay * W2 * m  # slip
        return gW1, gW2, delta2.mean(axis=0), delta3.mean(axis=0)

    tried = []
    attempt = _Search._at

    def noted(search, statement, *what):
        tried.append(statement.node.lineno)
        return attempt(search, statement, *what)

    monkeypatch.setattr(_Search, "_at", noted)
    assert not exercises.check_gradient(gradient, seed=0).correct
    assert line_of(gradient, "# slip") in tried
    for words in ("A = ", "delta3 = ", "delta2 = ", "gW1 = "):
        if line_of(gradient, words) in tried:
            before = tried.index(line_of(gradient, words))
            assert tried.index(line_of(gradient, "# slip")) < before


def test_a_result_that_is_transposed_is_led_back_to_its_line():
    def maximal_inputs(W1):
        squares = np.einsum("ij,ij->i", W1, W1)
        return W1.T / np.sqrt(squares)

    verdict = exercises.check_maximal_inputs(maximal_inputs, seed=0)
    assert verdict.mistakes == ("transposed",)
    assert verdict.line_numbers == (line_of(maximal_inputs, "return"),)


def test_of_two_diagnoses_a_new_input_is_drawn_on_which_they_differ():
    drawn = []

    def cases(rng):
        drawn.append(2.0 if not drawn else float(rng.uniform(3, 5)))
        return [Case("for one number", (drawn[-1],))]

    def mistake(name, change):
        return Mistake(name, f"It is {name}.", "A hint?", "A hint.", edits={"result": change})

    same = Exercise(
        name="same",
        signature="same(x)",
        chapter="chapter 1",
        cases=cases,
        steps=(Step("result", "x itself", lambda x: x),),
        mistakes=(
            mistake("squared", lambda x: x**2),
            mistake("doubled", lambda x: 2 * x),
        ),
    )
    # At 2 the two are the same.
    verdict = check(same, lambda x: 2 * x)
    assert verdict.mistakes == ("doubled",)
    assert "squared" not in str(verdict)
    assert len(drawn) == 2


def test_two_diagnoses_that_are_the_same_on_every_input_are_both_said():
    # 1 / exp(z), whichever way it came about.
    verdict = exercises.check_sigmoid(lambda z: np.exp(-z), seed=0)
    assert set(verdict.mistakes) == {"no-one", "sign-of-exponent"}
    rival = next(m for m in exercises.catalogue()["sigmoid"] if m.name == "not-inverted")
    assert f'it may be "{rival.explanation}"' in str(verdict)


def test_a_line_after_one_that_may_be_wrong_is_not_called_the_first():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        data, m = X.T, len(X)
        a2 = f(W1 @ data + b1[:, None])
        a3 = f(W2 @ a2 + b2[:, None])
        d3 = (a3 - data) * a3 * (1 - a3)
        d2 = 1 - a2  # slip: all that came before the slope is gone
        g1 = d2 @ data.T / m + weight_decay * W1
        g2 = d3 @ a2.T / m + weight_decay * W2
        return g1, g2, d2.mean(axis=1), d3.mean(axis=1)

    verdict = exercises.check_gradient(gradient, seed=1)
    assert not verdict.correct
    assert line_of(gradient, "g1 =") not in verdict.line_numbers


MEMORY = """
import resource
import numpy as np
from saelib.exercises import check_forward

def forward(W1, W2, b1, b2, X):
    outputs = []
    for x in X:
        a = 1 / (1 + np.exp(-(W1 @ x + b1)))
        y = 1 / (1 + np.exp(-(W2 @ a + b2)))
        outputs.append(x)
    return np.array(outputs)

resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
print(check_forward(forward, seed=1).line_numbers)
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_no_search_makes_a_list_that_holds_itself_or_a_loop_that_only_grows(tmp_path):
    program = tmp_path / "program.py"  # a file, since the lines of a string cannot be followed
    program.write_text(MEMORY)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    numbers, kilobytes = done.stdout.splitlines()
    assert numbers == "(11,)"
    assert int(kilobytes) < 500_000


def test_a_helper_that_comes_last_is_not_asked_for_the_result():
    def logistic(z):
        return 1 / (1 + np.exp(-z))

    def forward(W1, W2, b1, b2, X):
        hidden = logistic(X @ W1.T + b1)  # noqa: F841
        output = logistic(b2)  # slip
        return output  # noqa: RET504

    verdict = exercises.check_forward(forward, seed=1)
    assert verdict.line_numbers == (line_of(forward, "# slip"),)


def test_a_helper_that_has_lost_its_argument_is_found():
    def logistic(z):
        return 1 / 1  # slip

    def forward(W1, W2, b1, b2, X):
        hidden = logistic(X @ W1.T + b1)
        return logistic(hidden @ W2.T + b2)

    verdict = exercises.check_forward(forward, seed=1)
    assert verdict.line_numbers == (line_of(logistic, "# slip"),)


def test_zeros_of_the_wrong_shape_are_to_blame_and_not_what_is_made_of_them():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        m, g1, g2, h1 = len(X), np.zeros_like(W1), np.zeros_like(W2), np.zeros_like(b1)
        h2 = np.zeros_like(W1)  # slip
        for x in X:
            a = f(W1 @ x + b1)
            y = f(W2 @ a + b2)
            d3 = (y - x) * y * (1 - y)
            d2 = (W2.T @ d3) * a * (1 - a)
            g1 += np.outer(d2, x)
            g2 += np.outer(d3, a)
            h1 += d2
            h2 += d3
        return g1 / m + weight_decay * W1, g2 / m + weight_decay * W2, h1 / m, h2 / m

    verdict = exercises.check_gradient(gradient, seed=1)
    assert verdict.line_numbers == (line_of(gradient, "# slip"),)


def test_one_of_several_results_that_are_returned_at_once_is_pointed_at():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        m = len(X)
        A = f(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) * Y * (1 - Y)
        d2 = (d3 @ W2) * A * (1 - A)
        G1, G2 = d2.T @ X, d3.T @ A
        return G1 / m, G2 / m + weight_decay * W2, d2.mean(0), d3.mean(0)  # slip

    verdict = exercises.check_gradient(gradient, seed=1)
    assert verdict.line_numbers == (line_of(gradient, "# slip"),)
    assert "`G1 / m` should be the gradient of W1." in str(verdict)


def test_a_name_that_stands_for_an_argument_is_known():
    def kl_divergence(rho, rho_hat):
        p, q = rho, rho_hat
        first = p  # slip
        second = (1 - p) * (np.log(1 - p) - np.log(1 - q))
        return first + second

    verdict = exercises.check_kl_divergence(kl_divergence, seed=1)
    assert verdict.line_numbers == (line_of(kl_divergence, "# slip"),)
    assert "should be the first term of Eq. (4.1)" in str(verdict)


def test_a_number_of_examples_that_is_none_is_found_where_it_got_its_value():
    def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        m = X  # slip
        A = f(X @ W1.T + b1)
        error = np.sum((f(A @ W2.T + b2) - X) ** 2) / (2 * m)
        decay = weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2))
        p, q = sparsity_target, A.mean(axis=0)
        kl = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        return error + decay + sparsity_weight * kl.sum()

    verdict = exercises.check_cost(cost, seed=1)
    assert verdict.line_numbers == (line_of(cost, "# slip"),)


def test_what_another_line_has_written_over_is_said_with_both_lines():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        m = len(X)
        A = f(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) * Y * (1 - Y)
        d2 = d3 @ W2
        A *= 1 - A  # slip
        d2 *= A
        g1 = d2.T @ X / m + weight_decay * W1
        g2 = d3.T @ A / m + weight_decay * W2
        return g1, g2, d2.mean(axis=0), d3.mean(axis=0)

    verdict = exercises.check_gradient(gradient, seed=1)
    assert verdict.line_numbers == (line_of(gradient, "# slip"), line_of(gradient, "g2 ="))
    assert "should be the hidden activations, Eq. (1.4). It was, until line" in str(verdict)


def test_an_argument_that_is_changed_under_another_name_is_led_to_that_name():
    def maximal_inputs(W1):
        inputs = W1  # slip
        for i in range(len(W1)):
            inputs[i] = W1[i] / np.sqrt(W1[i] @ W1[i])
        return inputs

    verdict = exercises.check_maximal_inputs(maximal_inputs, seed=0)
    assert verdict.mistakes == ("input-changed",)
    assert verdict.line_numbers == (line_of(maximal_inputs, "# slip"),)
    assert f"Line {line_of(maximal_inputs, 'inputs[i] =')} writes into it" in str(verdict)


def test_a_long_loop_is_followed_on_all_inputs(monkeypatch):
    def sample_patches(images, n_patches, patch_size, seed):
        rng = np.random.default_rng(seed)
        patches = []
        for _ in range(n_patches):
            k = rng.integers(0, len(images))
            height, width = images[k].shape
            r = rng.integers(0, height - patch_size + 1)
            c = rng.integers(0, width - patch_size + 1)
            patches.append(images[k][height : r + patch_size, c : c + patch_size].ravel())  # slip
        return np.array(patches)

    traces = []
    monkeypatch.setattr(_follow, "traced", lambda *a: traces.append(a) or traced(*a))
    verdict = exercises.check_sample_patches(sample_patches, seed=0)
    assert verdict.line_numbers == (line_of(sample_patches, "# slip"),)
    # Thousands of patches would take seconds to trace, for quantities that there are not.
    assert max(n_patches for _, (_, n_patches, *_) in traces) <= 200


def test_a_list_that_was_collected_may_be_what_should_be_returned():
    def flatten(W1, W2, b1, b2):
        theta = []
        for part in (W1, W2, b1, b2):
            theta.extend(np.ravel(part))
        return np.array(part)  # slip

    verdict = exercises.check_flatten(flatten, seed=0)
    assert verdict.line_numbers == (line_of(flatten, "# slip"),)


def test_what_a_line_goes_on_from_is_not_what_it_should_be():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        A = np.tanh(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) * Y * (1 + Y)
        d2 = (d3 @ W2) * A * (1 - A) / 3
        m = len(X)
        return d2.T @ X / m, d3.T @ A / m + weight_decay * W2, d2.mean(0), d3.mean(0)

    assert "should be z2" not in str(exercises.check_gradient(gradient, seed=1))


def test_a_wrong_sign_in_a_helper_is_not_made_good_where_its_result_is_used():
    def logistic(z):
        return 1 / (1 + np.exp(z))  # slip

    def forward(W1, W2, b1, b2, X):
        hidden = logistic(X @ W1.T + b1)
        output = logistic(hidden @ W2.T + b2)
        return output  # noqa: RET504

    verdict = exercises.check_forward(forward, seed=1)
    assert verdict.line_numbers == (line_of(logistic, "# slip"),)


def test_a_sum_that_was_begun_anew_is_found_where_it_was():
    def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        A = f(X @ W1.T + b1)
        J = 0.5 * np.mean(np.sum((f(A @ W2.T + b2) - X) ** 2, axis=1))
        J = 0.5 * weight_decay * np.sum(W1**2)  # slip
        J = J + 0.5 * weight_decay * np.sum(W2**2)
        p, q = sparsity_target, A.mean(axis=0)
        return J + sparsity_weight * np.sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))

    verdict = exercises.check_cost(cost, seed=1)
    # the next line, with the same form, may be named beside it
    assert verdict.line_numbers[0] == line_of(cost, "# slip")


def test_a_single_ratio_is_known_and_its_line_found():
    def kl_gradient(rho, rho_hat):
        active = rho  # slip
        inactive = (1 - rho) / (1 - rho_hat)
        return inactive - active

    verdict = exercises.check_kl_gradient(kl_gradient, seed=1)
    assert verdict.line_numbers == (line_of(kl_gradient, "# slip"),)


def test_a_name_that_is_returned_is_not_blamed_for_the_line_that_made_it():
    def gradient(W1, W2, b1, b2, X, weight_decay):
        m = len(X)
        A = f(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) * Y * (1 - Y)
        d2 = (d3 @ W2) * A * (1 - A)
        g1 = d2.T @ X / m + weight_decay * W1
        g2 = d3.T @ A / m + weight_decay * b1  # slip
        return g1, g2, d2.mean(axis=0), d3.mean(axis=0)

    verdict = exercises.check_gradient(gradient, seed=1)
    assert verdict.line_numbers == (line_of(gradient, "# slip"),)


def test_a_line_that_slipped_into_a_loop_is_said_to_belong_behind_it():
    def mean_activation(A):
        total = np.zeros(A.shape[1])
        for row in A:
            total += row
            total /= len(A)  # slip
        return total

    verdict = exercises.check_mean_activation(mean_activation, seed=0)
    assert verdict.line_numbers == (line_of(mean_activation, "# slip"),)
    assert "belongs behind the loop" in str(verdict)

    def too_early(f, theta, step):  # noqa: RET503
        gradient = np.zeros(len(theta))
        for i, e in enumerate(np.eye(len(theta))):
            gradient[i] = (f(theta + step * e) - f(theta - step * e)) / (2 * step)
            return gradient  # slip

    verdict = exercises.check_numerical_gradient(too_early, seed=0)
    assert verdict.line_numbers == (line_of(too_early, "# slip"),)


def test_a_line_that_slipped_out_of_a_loop_is_said_to_belong_into_it():
    def forward(W1, W2, b1, b2, X):
        outputs = []
        for x in X:
            a = f(W1 @ x + b1)
        outputs.append(f(W2 @ a + b2))  # slip
        return np.array(outputs)

    verdict = exercises.check_forward(forward, seed=0)
    assert verdict.line_numbers == (line_of(forward, "# slip"),)
    assert "belongs into the loop" in str(verdict)


def test_what_is_right_is_not_asked_for_what_a_later_line_makes_of_it():
    def sigmoid(z):
        small = np.exp(-np.abs(z))
        right = 1 / (1 / small)  # slip
        return np.where(z >= 0, right, 1 - right)

    verdict = exercises.check_sigmoid(sigmoid, seed=1)
    assert verdict.line_numbers == (line_of(sigmoid, "# slip"),)

    def slope(a):
        square = a**2
        return a * square  # slip

    verdict = exercises.check_sigmoid_derivative(slope, seed=1)
    assert verdict.line_numbers == (line_of(slope, "# slip"),)


def test_a_last_line_that_has_lost_its_terms_is_found_if_all_else_is_right(monkeypatch):
    def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        m = len(X)
        A = f(X @ W1.T + b1)
        error = np.sum((f(A @ W2.T + b2) - X) ** 2) / (2 * m)  # noqa: F841
        decay = weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2))  # noqa: F841
        p, q = sparsity_target, A.mean(axis=0)
        kl = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        return sparsity_weight * kl.sum()  # slip

    verdict = exercises.check_cost(cost, seed=1)
    assert verdict.line_numbers == (line_of(cost, "# slip"),)
    monkeypatch.setattr(_patience, "SECONDS", 0.5)  # less than the search takes
    hurried = exercises.check_cost(cost, seed=1)
    assert hurried.line_numbers == verdict.line_numbers


def test_no_turn_of_a_loop_is_asked_for_the_total():
    def mean_activation(A):
        total, n = np.zeros(A.shape[1]), 0
        for row in A:
            total += row
            total /= len(A)
            n += 1
        return total * n / n

    verdict = exercises.check_mean_activation(mean_activation, seed=0)
    assert line_of(mean_activation, "total += row") not in verdict.line_numbers


def test_a_gradient_of_nothing_but_zeros_is_said_to_be_that():
    def slopes(f, theta, step):
        g = np.zeros(len(theta))
        for i in range(len(theta)):
            above = below = theta
            above[i] += step
            below[i] -= step
            g[i] = (f(above) - f(below)) / (2 * step)
        return g

    scope = {"slopes": slopes}
    exec(compile("def hidden(*a):\n    return slopes(*a)\n", "<none>", "exec"), scope)
    assert "is 0 everywhere" in str(exercises.check_numerical_gradient(scope["hidden"], seed=0))


def test_names_that_should_have_been_copies_are_found():
    def slopes(f, theta, step):
        g = np.zeros(len(theta))
        for i in range(len(theta)):
            above = theta  # slip
            above[i] += step
            below = theta  # another
            below[i] -= step
            g[i] = (f(above) - f(below)) / (2 * step)
        return g

    verdict = exercises.check_numerical_gradient(slopes, seed=0)
    assert verdict.line_numbers == (line_of(slopes, "# slip"), line_of(slopes, "# another"))
    assert "and not a copy" in str(verdict)

    def chained(f, theta, step):
        g = np.zeros(len(theta))
        for i in range(len(theta)):
            above = below = theta  # slip
            above[i] += step
            below[i] -= step
            g[i] = (f(above) - f(below)) / (2 * step)
        return g

    verdict = exercises.check_numerical_gradient(chained, seed=0)
    assert verdict.line_numbers == (line_of(chained, "# slip"),)


def test_an_input_with_infinities_speaks_for_no_line():
    def sigmoid(z):
        power = np.exp(-z)
        below = 3 + power  # slip
        return 1 / below

    verdict = exercises.check_sigmoid(sigmoid, seed=1)
    assert verdict.line_numbers == (line_of(sigmoid, "# slip"),)


def test_an_argument_that_is_written_into_by_its_name_is_changed_in_that_line():
    def maximal_inputs(W1):
        inputs = np.zeros_like(W1)
        for i in range(len(W1)):
            w = W1[i]
            W1[i] = w / np.sqrt(w @ w)  # slip
        return inputs

    verdict = exercises.check_maximal_inputs(maximal_inputs, seed=0)
    assert verdict.mistakes == ("input-changed",)
    assert verdict.line_numbers == (line_of(maximal_inputs, "# slip"),)


def test_a_helper_that_got_the_wrong_argument_is_not_to_blame():
    def slope(p, q):
        return (q - p) / (q * (1 - q))

    def gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        m = len(X)
        A = f(X @ W1.T + b1)
        Y = f(A @ W2.T + b2)
        d3 = (Y - X) * Y * (1 - Y)
        push = sparsity_weight * slope(weight_decay, np.mean(A, axis=0))  # slip
        d2 = (d3 @ W2 + push) * A * (1 - A)
        g1 = d2.T @ X / m + weight_decay * W1
        g2 = d3.T @ A / m + weight_decay * W2
        return g1, g2, d2.mean(axis=0), d3.mean(axis=0)

    verdict = check_sparse_gradient(gradient, seed=1)
    assert verdict.line_numbers == (line_of(gradient, "# slip"),)


def test_room_for_the_result_alone_is_not_to_blame_for_what_is_read_from_it():
    def maximal_inputs(W1):
        inputs = np.zeros_like(W1)
        for i in range(len(W1)):
            w = inputs[i]  # slip
            inputs[i] = w / np.sqrt(w @ w)
        return inputs

    verdict = exercises.check_maximal_inputs(maximal_inputs, seed=1)
    assert line_of(maximal_inputs, "# slip") in verdict.line_numbers
