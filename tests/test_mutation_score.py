"""The score of the checkers does not sink: slips of one token in right answers of many styles."""

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"

pytestmark = pytest.mark.skipif(
    not (TOOLS / "mutation_score.py").exists(), reason="the repository's tools are not here"
)


@pytest.fixture(scope="module")
def tool():
    """Return the tool; it imports its table of styles from the folder that it lies in."""
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location("mutation_score", TOOLS / "mutation_score.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["mutation_score"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(TOOLS))
        sys.modules.pop("mutation_score", None)
        sys.modules.pop("right_styles", None)


def test_right_answers_in_all_styles_are_accepted(tool):
    assert sum(len(styles) for styles in tool.STYLES.values()) >= 30
    assert all(len(styles) >= 3 for styles in tool.STYLES.values())
    assert tool.refused() == []


@pytest.mark.parametrize(
    ("exercise", "style"),
    [
        ("sigmoid", "plain"),
        ("sigmoid_derivative", "in steps"),
        ("forward", "helper"),
        ("cost", "plain"),
        ("gradient", "plain"),
        ("kl_divergence", "in steps"),
        ("kl_gradient", "plain"),
        ("sparse_gradient", "plain"),
        ("sparse_gradient", "columns"),
        ("normalize_patches", "plain"),
        ("flatten", "plain"),
    ],
)
def test_a_sample_of_slips_is_named_or_found_to_the_line_and_none_told_a_wrong_one(
    tool, exercise, style
):
    result = tool.score(exercise, style, most=6)
    assert result.wrong == []
    # One in six may be told two lines, or none; of all that were tried it is one in thirty.
    assert result.share >= 0.8, result.silent


def test_the_stored_score_is_of_all_styles_and_what_is_promised(tool):
    results = tool.kept()
    assert results.keys() == {
        f"{exercise}, {style}" for exercise, styles in tool.STYLES.items() for style in styles
    }
    number, found, wrong = tool.total(results)
    assert number >= 400
    assert found >= 0.95
    assert wrong == 0


def test_the_stored_score_is_of_one_run_of_the_slips_that_are_drawn_by_default(tool):
    rows = tool.kept().values()
    assert {(row["drawn"], row["seed"]) for row in rows} == {(12, 0)}
    assert len({row["digest"] for row in rows}) == 1
    assert all(sum(row[kind] for kind in tool.KINDS) + row["harmless"] <= 12 for row in rows)


def test_the_stored_score_says_nothing_of_a_day_or_a_machine(tool):
    for row in tool.kept().values():
        assert row.keys() == {*tool.KINDS, "harmless", "drawn", "seed", "digest"}
