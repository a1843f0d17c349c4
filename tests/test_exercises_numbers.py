"""The checker of answers that are one number knows the right ones and the usual wrong ones."""

import time

import numpy as np
import pytest

from saelib.exercises import QUESTIONS, check_number

WRONG = [(name, wrong) for name, question in QUESTIONS.items() for wrong in question.wrong]


def in_every_question(test):
    return pytest.mark.parametrize("name", QUESTIONS)(test)


@in_every_question
def test_the_right_answer_passes_in_any_type_of_number(name):
    right = QUESTIONS[name].right()
    for answer in (right, np.float64(right), np.array(right), np.array([right])[0]):
        assert check_number(name, answer).correct


@in_every_question
def test_rounding_to_three_digits_is_allowed_where_the_task_allows_it(name):
    question = QUESTIONS[name]
    if question.tolerance >= 0.005:
        assert check_number(name, float(f"{question.right():.3g}")).correct
    if question.tolerance > 0:
        assert not check_number(name, question.right() * (1 + 3 * question.tolerance)).correct


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_every_usual_wrong_answer_is_diagnosed_as_itself(name, wrong):
    computed, word = QUESTIONS[name].wrong[wrong]
    verdict = check_number(name, computed())
    assert not verdict.correct
    # Two ways that lead to the same number cannot be told apart, and then say the same.
    assert word in verdict.lines
    assert word.endswith(".")
    same = [
        other
        for other, (value, words) in QUESTIONS[name].wrong.items()
        if words == word and value() == pytest.approx(computed(), rel=0.02)
    ]
    assert verdict.mistakes[0] in same


SLIPS = {
    "in percent": lambda right: 100 * right,
    "the other sign": lambda right: -right,
    "a half forgotten": lambda right: 2 * right,
    "a double forgotten": lambda right: right / 2,
    "a square forgotten": lambda right: abs(right) ** 0.5,
    "a root forgotten": lambda right: right**2,
    "upside down": lambda right: 1 / right,
    "the others": lambda right: 1 - right,
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_that_any_question_allows_are_diagnosed(slip):
    diagnosed = 0
    for name, question in QUESTIONS.items():
        right = question.right()
        small = abs(right) <= 1
        if question.tolerance == 0 or (slip in ("in percent", "the others") and not small):
            continue
        if right < 0 and slip in ("a root forgotten", "a square forgotten", "the others"):
            continue
        verdict = check_number(name, SLIPS[slip](right))
        if not verdict.correct:  # the root of 1 is 1
            assert verdict.mistakes != (), name
            diagnosed += 1
    assert diagnosed >= 20


def test_half_of_a_count_is_no_diagnosis():
    assert check_number("bug-line-backpropagation", 2.5).mistakes == ()
    assert check_number("weights-of-the-classifier", 1005).mistakes == ()


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [
        ("unexplained-4-2-1-1", 25, "in-percent"),
        ("price-of-forgetting", 0.2, "not-in-percent"),
        ("uncertainty-of-an-accuracy", 0.00975, "not-in-points"),
        ("splits-for-half-a-point", 6, "not-squared"),
        ("penalty-after-whitening", 5, "not-squared"),
        ("kurtosis-of-a-switch", 48.02, "not-excess"),
        ("kurtosis-of-a-switch", -2.0588, "variance-not-squared"),
        ("relative-error-of-twice", 0.5, "over-the-wrong-one"),
        ("bytes-of-the-activations", 44.86, "mebibytes"),
        ("kl-in-bits", 0.1927, "nats"),
        ("reverse-divergence-of-silence", 0.0145, "bits"),
        ("parameters-100-50", 10100, "biases-of-one-layer"),
    ],
)
def test_other_units_conventions_and_forgotten_squares_are_named(name, answer, mistake):
    assert check_number(name, answer).mistakes == (mistake,)


@in_every_question
def test_an_unknown_answer_is_said_to_be_unknown_and_not_given_away(name):
    question = QUESTIONS[name]
    odd = 1234.5 + 17 * abs(question.right())
    verdict = check_number(name, odd)
    assert not verdict.correct
    assert verdict.mistakes == ()
    assert f"{question.right():.4g}" not in str(verdict).replace(f"{odd:.6g}", "")


@in_every_question
def test_every_question_says_where_it_is_explained_and_has_a_hint(name):
    question = QUESTIONS[name]
    assert question.chapter.startswith("chapter ")
    assert question.hints
    assert all(hint[-1] in ".?" for hint in question.hints)


@in_every_question
def test_a_question_is_answered_at_once(name):
    start = time.perf_counter()
    QUESTIONS[name].right()
    assert time.perf_counter() - start < 1.0


@in_every_question
def test_an_answer_that_is_not_there_yet_gets_a_polite_word(name):
    for answer in (..., None):
        verdict = check_number(name, answer)
        assert verdict.mistakes == ("not-written",)
        assert "Put a number in place of the three dots." in str(verdict)


@pytest.mark.parametrize("answer", ["a third", [1, 2], {}, np.zeros(3)])
def test_what_is_not_a_number_is_refused_politely(answer):
    verdict = check_number("parameters-100-50", answer)
    assert verdict.mistakes == ("not-numbers",)
    assert type(answer).__name__ in str(verdict)


def test_nan_and_infinity_are_wrong_answers():
    for answer in (np.nan, np.inf, -np.inf):
        assert not check_number("parameters-100-50", answer).correct


def test_an_unknown_question_is_refused():
    with pytest.raises(ValueError, match="question is 'life'; the questions are "):
        check_number("life", 42)
