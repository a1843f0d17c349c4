"""The ward: stored runs that show what they should, and a checker that argues from signs."""

import importlib.util
import re
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from saelib.exercises import check_ward, ward_diagnoses, ward_runs
from saelib.exercises._ward import ILLNESSES, LEARNS, PASSES, SIGNS, STOPS
from saelib.features import edge_like

RUNS = ward_runs()
LETTERS = "ABCDEFGH"


def in_every_run(test):
    return pytest.mark.parametrize("letter", LETTERS)(test)


def test_there_are_eight_runs_and_one_at_least_is_healthy():
    assert "".join(RUNS) == "".join(ILLNESSES) == LETTERS
    assert "healthy" in ILLNESSES.values()
    assert len(set(ILLNESSES.values())) == 8
    assert set(ILLNESSES.values()) < set(ward_diagnoses())


@in_every_run
def test_the_stored_check_is_what_the_signs_say(letter):
    signs, check = SIGNS[ILLNESSES[letter]], RUNS[letter].check
    assert (check.max() < 1e-7) == (signs.check == PASSES)
    if signs.check != PASSES:
        assert check[[1, 3]].max() < 1e-7
        assert (check[[0, 2]].max() < 0.01) == ("less than one percent" in signs.check)


@in_every_run
def test_the_stored_cost_is_what_the_signs_say(letter):
    signs, run = SIGNS[ILLNESSES[letter]], RUNS[letter]
    ratio = run.cost[-1] / run.mean_patch
    assert (ratio < 0.95) == (signs.cost != STOPS)
    assert (abs(ratio - 1) < 0.01) == (signs.cost == STOPS)
    if signs.cost not in (STOPS, LEARNS):  # still falling
        assert len(run.cost) < 100
        assert run.cost[-1] < 0.98 * run.cost[-11]


@in_every_run
def test_the_stored_means_and_filters_are_what_the_signs_say(letter):
    signs, run = SIGNS[ILLNESSES[letter]], RUNS[letter]
    assert run.rho_hat.shape == (25,)
    on_target = np.abs(run.rho_hat - 0.01).max() < 0.005
    assert on_target == (signs.means == "end near the target")
    if "begin to form" not in signs.filters:
        assert (edge_like(run.filters).sum() >= 15) == (signs.filters == "show edges")


def test_the_right_diagnoses_are_accepted():
    verdict = check_ward(ILLNESSES)
    assert verdict.correct
    assert "All eight" in str(verdict)


@pytest.mark.parametrize(("seen", "guess"), list(permutations(SIGNS, 2)))
def test_any_two_diagnoses_differ_in_a_sign(seen, guess):
    assert SIGNS[seen][1:] != SIGNS[guess][1:]


@in_every_run
def test_every_wrong_diagnosis_is_answered_by_a_sign_and_not_by_the_solution(letter):
    for guess in set(SIGNS) - {ILLNESSES[letter]}:
        verdict = check_ward({letter: guess})
        assert not verdict.correct
        assert verdict.mistakes == (letter,)
        line = verdict.lines[1]
        assert line.startswith(f"{letter}: its ")
        assert f"with {guess} " in line
        assert f" {ILLNESSES[letter]} " not in line
        seen, expected = re.fullmatch(r".: its .*?; with \S+ (?:it|they) .*", line)[0].split(
            "; with "
        )
        what = expected.split(" ", 2)[2].removesuffix(".")
        assert not seen.endswith(what)


def test_the_checker_counts_what_is_right_and_what_is_open():
    given = {"A": ILLNESSES["A"], "B": "healthy", "C": ..., "D": ILLNESSES["D"]}
    verdict = check_ward(given)
    assert verdict.lines[0] == "2 of 8 are right; 5 are open."
    assert verdict.mistakes == ("B",)
    complete = {**ILLNESSES, "B": "healthy"}
    assert check_ward(complete).lines[0] == "7 of 8 are right."


@pytest.mark.parametrize("given", [{}, {"A": ...}, dict.fromkeys(LETTERS, ...)])
def test_an_open_ward_gets_a_polite_word(given):
    verdict = check_ward(given)
    assert not verdict.written
    assert "There is no diagnosis yet." in str(verdict)


def test_unknown_letters_and_diagnoses_are_refused():
    with pytest.raises(ValueError, match="'Z' is not a run of the ward; they are A, B"):
        check_ward({"Z": "healthy"})
    with pytest.raises(ValueError, match="the diagnosis of A is 'flu'; choose one of healthy"):
        check_ward({"A": "flu"})


def test_the_tool_makes_the_stored_run_again():
    path = Path(__file__).resolve().parents[1] / "tools" / "ward.py"
    if not path.exists():  # the tests are shipped, the tools are not
        pytest.skip("tools/ward.py belongs to the repository")
    specification = importlib.util.spec_from_file_location("ward_tool", path)
    tool = importlib.util.module_from_spec(specification)
    sys.modules["ward_tool"] = tool
    specification.loader.exec_module(tool)
    again = tool.run_of("outside-bracket")
    stored = RUNS["G"]
    # How long it takes to give up depends on rounding, hence on the processor; where, does not.
    assert again.cost[0] == pytest.approx(stored.cost[0], rel=1e-6)
    assert again.cost[-1] == pytest.approx(stored.cost[-1], rel=0.02)
    np.testing.assert_allclose(again.check, stored.check, rtol=1e-4, atol=1e-8)
