"""Exercises turned round: your own check is tried on one right answer and a dozen wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from saelib.exercises._derivation import Exercise, Mistake
from saelib.exercises._learner import call_as_typed
from saelib.exercises._run import Trouble, call, valid_time_limit
from saelib.exercises._verdict import Verdict

__all__ = ["judge_gradient_check", "judge_sampler_tests"]

_WRONG_GRADIENTS = (
    "not-averaged",
    "halved",
    "error-sign",
    "output-slope-missing",
    "sigmoid-twice",
    "biases-swapped",
    "tied",
    "decay-missing",
    "decay-over-m",
    "outside-bracket",
    "per-example",
    "sparsity-missing",
)


def judge_gradient_check(
    function: Callable[..., Any],
    gradients: Exercise,
    costs: Exercise,
    *,
    seed: int | None = None,
    time_limit: float = 10.0,
) -> Verdict:
    """Return which of the wrong gradients of `J_sparse` a gradient check lets through."""
    rng = np.random.default_rng(seed)
    arguments = gradients.cases(rng)[-1].arguments
    shapes = [block.shape for block in arguments[:4]]
    theta = np.concatenate([block.ravel() for block in arguments[:4]])

    def cost(theta: Any) -> float:
        return float(costs.outcome(*_blocks(theta, shapes), *arguments[4:]))

    def gradient_with(*mistakes: str) -> Callable[[Any], Any]:
        def gradient(theta: Any) -> Any:
            blocks = gradients.outcome(
                *_blocks(theta, shapes), *arguments[4:], mistakes=frozenset(mistakes)
            )
            return np.concatenate([np.ravel(block) for block in blocks])

        return gradient

    known = {mistake.name: mistake for mistake in gradients.mistakes}
    tries = [("", gradient_with())] + [(name, gradient_with(name)) for name in _WRONG_GRADIENTS]
    return _judge(
        "gradient_check",
        "chapter 5, Eq. (5.2)",
        function,
        [(name, (cost, gradient, theta.copy())) for name, gradient in tries],
        known,
        time_limit,
        "the right gradient",
        "Compare every entry with a difference of costs; one that is off must be enough.",
    )


def _blocks(theta: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    parts = np.split(np.asarray(theta, dtype=np.float64), ends)
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


_WRONG_SAMPLERS = (
    "last-position-missing",
    "first-position-missing",
    "columns-first",
    "one-image",
    "same-patch",
    "seed-ignored",
    "seed-fixed",
    "row-equals-column",
    "turned",
    "values-changed",
)


def judge_sampler_tests(
    function: Callable[..., Any], mistakes: tuple[Mistake, ...], *, time_limit: float = 10.0
) -> Verdict:
    """Return which of the wrong samplers a learner's tests let through."""
    known = {mistake.name: mistake for mistake in mistakes}
    return _judge(
        "sampler_tests",
        "chapter 6",
        function,
        [(name, (_sampler(name),)) for name in ("", *_WRONG_SAMPLERS)],
        known,
        time_limit,
        "a right sampler",
        "An image whose pixels are all different tells from where each pixel of a patch comes.",
    )


def _sampler(mistake: str) -> Callable[..., Any]:
    """Return ``sample_patches`` as somebody writes it who makes this mistake."""

    def sample_patches(images: Any, n_patches: int, patch_size: int, seed: Any) -> Any:
        rng = np.random.default_rng({"seed-ignored": None, "seed-fixed": 7}.get(mistake, seed))
        patches = np.empty((n_patches, patch_size**2))
        for i in range(n_patches):
            if mistake == "same-patch":
                rng = np.random.default_rng(seed)
            image = np.asarray(images[0 if mistake == "one-image" else rng.integers(len(images))])
            lengths = [length - patch_size + 1 for length in image.shape]
            lowest = 1 if mistake == "first-position-missing" else 0
            cut = 1 if mistake == "last-position-missing" else 0
            row, column = (
                rng.integers(lowest, max(length - cut, lowest + 1)) for length in lengths
            )
            if mistake == "row-equals-column":
                row = column = rng.integers(min(lengths))
            patch = image[row : row + patch_size, column : column + patch_size]
            patch = patch[::-1] if mistake == "turned" else patch
            patch = patch / 255 if mistake == "values-changed" else patch
            patches[i] = (patch.T if mistake == "columns-first" else patch).ravel()
        return patches

    return sample_patches


def _judge(
    name: str,
    chapter: str,
    function: Callable[..., Any],
    tries: list[tuple[str, tuple[Any, ...]]],
    known: dict[str, Mistake],
    time_limit: float,
    right: str,
    hint: str,
) -> Verdict:
    time_limit = valid_time_limit(time_limit)
    passed = []
    typed = call_as_typed(f"check_{name}", function)
    for _, arguments in tries:
        try:
            if not callable(function):
                raise Trouble(
                    "not-a-function",
                    f"You passed a {type(function).__name__}, not a function.",
                    "Write the name of the function without brackets.",
                )
            answer = call(function, arguments, time_limit)
            if not isinstance(answer, (bool, np.bool_)):
                raise Trouble(
                    "not-a-verdict",
                    f"The function gives back a {type(answer).__name__}; True or False is asked "
                    "for: does it pass?",
                    "End with return, and a comparison.",
                )
        except Trouble as trouble:
            verdict = Verdict(
                name, False, (trouble.kind,), (str(trouble),), (trouble.hint,), chapter
            )
            return replace(verdict, call=typed, waits_for=trouble.waits_for)
        passed.append(bool(answer))
    if not passed[0]:
        line = f"It refuses {right}."
        hints = ("Rounding and the step leave a small difference; how small must it be?",)
        return Verdict(name, False, ("right-refused",), (line,), hints, chapter, call=typed)
    through = [mistake for (mistake, _), ok in zip(tries[1:], passed[1:], strict=True) if ok]
    if not through:
        line = f"It accepts {right} and refuses {len(tries) - 1} wrong ones."
        return Verdict(name, True, (), (line,), call=typed)
    lines = [f"It accepts {right}, but lets {len(through)} of {len(tries) - 1} wrong ones through:"]
    lines += [f"{mistake}: {known[mistake].explanation}" for mistake in through[:3]]
    return Verdict(name, False, tuple(through), tuple(lines), (hint,), chapter, call=typed)
