"""The stages of a long derivation, each an exercise of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from saelib.exercises._derivation import Exercise, Step
from saelib.exercises._engine import check
from saelib.exercises._learner import call_as_typed
from saelib.exercises._verdict import Verdict

__all__ = ["check_stage"]


def check_stage(
    exercise: Exercise,
    stages: tuple[str, ...],
    stage: str,
    function: Callable[..., Any],
    *,
    seed: int | None = None,
    time_limit: float = 10.0,
) -> Verdict:
    """Return the verdict on a function that goes only as far as `stage` and returns that."""
    if stage not in stages:
        raise ValueError(
            f"stage is {stage!r}; choose one of {', '.join(stages)}, or leave it out for the "
            "whole exercise"
        )
    verdict = check(_up_to(exercise, stage), function, seed=seed, time_limit=time_limit)
    if verdict.correct:
        following = stages[stages.index(stage) + 1 :]
        onwards = (
            f'Next: go on to {following[0]}, return it, and check with stage="{following[0]}".'
            if following
            else "Next: the gradients of the four blocks, and the check without a stage."
        )
        verdict = replace(verdict, lines=(*verdict.lines, onwards))
    typed = call_as_typed(f"check_{exercise.name}", function, f', stage="{stage}"')
    return replace(verdict, call=typed)


def _up_to(exercise: Exercise, stage: str) -> Exercise:
    names = [step.name for step in exercise.steps]
    kept = exercise.steps[: names.index(stage) + 1]
    last = kept[-1]
    known = {step.name for step in kept}
    # The quantity keeps its name, so that a learner's variable is matched with it.
    steps = (*kept, Step("result", last.words, _identity(last.name)))
    return replace(
        exercise,
        steps=steps,
        mistakes=tuple(m for m in exercise.mistakes if known & m.edits.keys()),
        outputs=(stage,),
        read=lambda value, arguments: value,
        terms=(),
        probe=None,
    )


def _identity(name: str) -> Callable[..., Any]:
    # A step is a function whose parameters are named like the quantities that it needs.
    scope: dict[str, Any] = {}
    exec(f"def result({name}):\n    return {name}", scope)
    return scope["result"]
