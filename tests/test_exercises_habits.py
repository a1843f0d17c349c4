"""Answers whose trouble lies in the program rather than in the formula get a word on just that."""

import numpy as np
import pytest

from saelib.exercises import (
    EXERCISES,
    check_flatten,
    check_mean_activation,
    check_normalize_patches,
    check_shared_units,
    check_sigmoid,
    check_straight_through,
    check_top_k,
)
from saelib.exercises._compare import as_arrays
from saelib.exercises._search import explaining_sets

total = 0.0


def remembers(A):
    global total  # noqa: PLW0603 - the mistake
    for row in A:
        total = total + row
    return total / len(A)


def collects(A, seen=[]):  # noqa: B006 - the mistake
    seen.extend(A)
    return sum(seen) / len(seen)


def counter():
    calls = 0

    def mean_activation(A):
        nonlocal calls
        calls += 1
        return A.mean(axis=0) * calls

    return mean_activation


@pytest.mark.parametrize(
    ("function", "name"), [(remembers, "total"), (collects, "seen"), (counter(), "calls")]
)
def test_what_is_kept_from_one_call_to_the_next_is_named(function, name):
    verdict = check_mean_activation(function, seed=1)
    assert verdict.mistakes == ("remembers",)
    assert f"`{name}` keeps its value from one call to the next" in str(verdict)
    assert "keepdims" not in verdict.hint()


def test_a_global_name_that_begins_anew_in_each_call_is_not_to_blame():
    def function(A):
        global total  # noqa: PLW0603 - a habit, and no mistake here
        total = A.sum(axis=0)
        return total / (len(A) + 1)

    verdict = check_mean_activation(function, seed=1)
    assert not verdict.correct
    assert "remembers" not in verdict.mistakes
    assert "from one call to the next" not in str(verdict)


def test_a_return_that_ends_a_loop_in_its_first_turn_is_pointed_at():
    def function(A):
        for row in A:
            return row.mean()
        return None

    assert "ends the loop of line" in str(check_mean_activation(function, seed=1))


def test_a_return_under_an_if_is_not_said_to_end_the_loop():
    def function(A):
        for row in A:
            if row.any():
                return row
        return A[0]

    assert "ends the loop" not in str(check_mean_activation(function, seed=1))


def test_a_right_answer_that_returns_from_a_loop_is_right():
    def function(A):
        while True:
            return A.mean(axis=0)

    assert check_mean_activation(function, seed=1).correct


def test_an_index_of_places_in_rows_that_is_used_for_rows_is_asked_about():
    def function(Z, k):
        chosen = np.argpartition(Z, -k, axis=1)[:, -k:]
        A = np.zeros_like(Z)
        A[chosen] = Z[chosen]
        return A, A > 0

    verdict = check_top_k(function, seed=1)
    assert "`chosen` has shape (5, 2)" in str(verdict)
    assert "within each row" in verdict.hint()


def test_a_number_that_is_too_large_for_an_index_is_not_called_an_array():
    def function(A):
        return np.array([A[i].sum() for i in range(len(A) + 1)])

    verdict = check_mean_activation(function, seed=1)
    assert "IndexError" in str(verdict)
    assert "largest index" in verdict.hint()


def test_an_if_on_an_array_is_told_what_an_if_needs():
    def function(z):
        if z >= 0:
            return 1 / (1 + np.exp(-z))
        return np.exp(z) / (1 + np.exp(z))

    hint = check_sigmoid(function, seed=1).hint()
    assert "one answer per entry" in hint


def test_the_argument_that_is_changed_is_called_by_its_name():
    def function(patches):
        patches -= patches.mean(axis=1, keepdims=True)
        return patches

    assert "argument number 1, `patches`, in place" in str(check_normalize_patches(function))


def test_results_that_are_missing_are_listed_and_not_the_arguments():
    def function(Z, k):
        return Z * (np.sort(Z, axis=1)[:, -k, None] <= Z)

    assert check_top_k(function, seed=1).hint() == "Return, in this order: the code, its slope."


def test_what_is_computed_and_kept_nowhere_is_pointed_at():
    def function(W1, W2, b1, b2):
        theta = np.array([])
        for part in (W1, W2, b1, b2):
            np.append(theta, part)
        return theta

    verdict = check_flatten(function, seed=1)
    assert "`np.append(theta, part)`, is kept nowhere" in str(verdict)
    assert verdict.line_numbers[0] == function.__code__.co_firstlineno + 3
    assert verdict.hint().startswith("What should hold the result?")


def test_a_statement_that_writes_into_an_array_is_not_said_to_keep_nothing():
    def function(A):
        total = np.zeros(A.shape[1])
        for row in A:
            np.add(total, row, out=total)
        return total

    assert "kept nowhere" not in str(check_mean_activation(function, seed=1))


def test_an_unknown_answer_on_which_two_known_mistakes_cannot_meet_gets_a_verdict():
    def last_of_the_window(Z, back, threshold, sparsity_weight, bandwidth):
        estimates = []
        for j in range(len(threshold)):
            total = 0
            for i in range(len(Z)):
                if abs(Z[i, j] - threshold[j]) < bandwidth / 2:
                    total = threshold[j] * back[i, j] + sparsity_weight
            estimates.append(-total / bandwidth / len(Z))
        return estimates

    verdict = check_straight_through(last_of_the_window, seed=1)
    assert not verdict.correct
    # What counts the turns of a loop is no quantity of the book, whatever its value.
    assert "`j` agrees" not in str(verdict)


def test_norms_of_whole_matrices_are_not_taken_for_the_worst_pairs():
    def function(W2, other):
        cosines = W2.T @ other / (np.linalg.norm(W2) * np.linalg.norm(other))
        return np.mean(cosines.max(axis=1) > 0.9)

    verdict = check_shared_units(function, seed=1)
    assert not verdict.correct
    assert "worst-pairs" not in verdict.mistakes


@pytest.mark.parametrize("name", EXERCISES)
def test_a_result_that_is_always_zero_is_not_taken_for_a_known_mistake_by_chance(name):
    exercise = EXERCISES[name]
    cases = exercise.cases(np.random.default_rng(0))
    for mistake in exercise.mistakes:
        results = [exercise.edited(case.arguments, [mistake.edits]) for case in cases]
        assert any(part.any() for result in results for part in as_arrays(result)), mistake.name


@pytest.mark.parametrize("name", EXERCISES)
def test_no_two_mistakes_of_an_exercise_stop_the_search_when_they_cannot_meet(name):
    exercise = EXERCISES[name]
    cases = exercise.cases(np.random.default_rng(0))
    results = [
        tuple(part + 7.5 for part in as_arrays(exercise.outcome(*case.arguments))) for case in cases
    ]
    assert isinstance(explaining_sets(exercise, cases, results, (1, 2), most=3), list)
