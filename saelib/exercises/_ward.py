"""The diagnosis ward: eight stored runs, one of them healthy, and a checker of diagnoses.

`tools/ward.py` made the runs. An answer is judged by what each illness does to the four things
that are shown of a run, its signs; a wrong answer is told which sign speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saelib.exercises._verdict import Verdict

__all__ = ["ILLNESSES", "SIGNS", "Run", "Signs", "check_ward", "ward_diagnoses", "ward_runs"]

Array = NDArray[np.float64]
NAME = "ward"
CHAPTER = "chapter 8"


class Run(NamedTuple):
    """What is known of a run of the ward.

    Attributes
    ----------
    cost : ndarray of shape (n_steps + 1,)
        The cost, as the program itself computes it, at the start and after every step.
    mean_patch : float
        What it would cost to answer always with the mean of the patches.
    rho_hat : ndarray of shape (25,)
        Mean activations of the hidden units at the end; the target is 0.01.
    filters : ndarray of shape (25, 64)
        The rows of W1 at the end.
    check : ndarray of shape (4,)
        Relative errors of W1, W2, b1 and b2 in a gradient check of the same program.
    """

    cost: Array
    mean_patch: float
    rho_hat: Array
    filters: Array
    check: Array


class Signs(NamedTuple):
    """What a run with one illness looks like, as ends of sentences.

    Attributes
    ----------
    words : str
        What the illness is.
    check, cost, means, filters : str
        What the gradient check, the cost, the mean activations and the filters do.
    """

    words: str
    check: str
    cost: str
    means: str
    filters: str


PASSES = "passes in all four blocks"
LEARNS = "ends below that of the mean patch"
STOPS = "stops at that of the mean patch"
ON_TARGET = "end near the target"
EDGES = "show edges"

SIGNS: dict[str, Signs] = {
    "healthy": Signs("nothing is wrong", PASSES, LEARNS, ON_TARGET, EDGES),
    "outside-bracket": Signs(
        "the sparsity term of the gradient stands after the factor f'",
        "fails by far in W1 and b1",
        STOPS,
        ON_TARGET,
        "are blotches",
    ),
    "wrong-matrix": Signs(
        "the error goes back through W1 in place of W2",
        "fails in W1 and b1 by less than one percent",
        LEARNS,
        ON_TARGET,
        EDGES,
    ),
    "halved": Signs(
        "the gradient of the error has a factor 1/2 too many",
        "reads 0.33 in the biases",
        STOPS,
        ON_TARGET,
        "are blotches",
    ),
    "error-sign": Signs(
        "the error is target minus output",
        "reads infinity in b2",
        STOPS,
        ON_TARGET,
        "are noise",
    ),
    "decay-over-m": Signs(
        "the gradient of the weight decay is divided by the number of patches",
        "fails in the weights and passes in the biases",
        LEARNS,
        ON_TARGET,
        EDGES,
    ),
    "no-penalty": Signs(
        "cost and gradient leave the sparsity penalty out",
        PASSES,
        LEARNS,
        "end near one half",
        "are texture without edges",
    ),
    "heavy-decay": Signs(
        "the weight decay is ten times too large",
        PASSES,
        STOPS,
        ON_TARGET,
        "are blank or smooth tiles with weights of nearly 0",
    ),
    "brightness-left": Signs(
        "one mean was taken off all patches of the raw photographs",
        PASSES,
        LEARNS,
        ON_TARGET,
        "are copies of one dark tile",
    ),
    "pixels-mixed": Signs(
        "every pixel of a patch comes from another place",
        PASSES,
        STOPS,
        ON_TARGET,
        "are noise in which neighbours do not hang together",
    ),
    "impatience": Signs(
        "training was stopped too early",
        PASSES,
        "is still falling at its last step",
        ON_TARGET,
        "are edges that begin to form",
    ),
}

ILLNESSES: dict[str, str] = {
    "A": "heavy-decay",
    "B": "wrong-matrix",
    "C": "brightness-left",
    "D": "impatience",
    "E": "no-penalty",
    "F": "healthy",
    "G": "outside-bracket",
    "H": "pixels-mixed",
}


def ward_diagnoses() -> dict[str, str]:
    """Return the diagnoses to choose from in the ward.

    Returns
    -------
    dict of str to str
        Name of the diagnosis to what is wrong, in a few words.

    Examples
    --------
    >>> from saelib.exercises import ward_diagnoses
    >>> ward_diagnoses()["healthy"]
    'nothing is wrong'
    """
    return {name: signs.words for name, signs in SIGNS.items()}


def ward_runs() -> dict[str, Run]:
    """Return the eight runs of the ward.

    Returns
    -------
    dict of str to Run
        A letter to what is known of the run: `cost`, `mean_patch`, `rho_hat`, `filters`, `check`.

    Examples
    --------
    >>> from saelib.exercises import ward_runs
    >>> runs = ward_runs()
    >>> "".join(runs), runs["A"].filters.shape
    ('ABCDEFGH', (25, 64))
    """
    with (
        files("saelib.exercises").joinpath("ward.npz").open("rb") as file,
        np.load(file) as stored,
    ):
        return {
            name: Run(
                cost=stored[f"{name}_cost"].astype(np.float64),
                mean_patch=float(stored[f"{name}_mean_patch"]),
                rho_hat=stored[f"{name}_rho_hat"].astype(np.float64),
                filters=float(stored[f"{name}_scale"]) * stored[f"{name}_filters"],
                check=stored[f"{name}_check"].astype(np.float64),
            )
            for name in ILLNESSES
        }


def check_ward(answers: Mapping[str, str | Any]) -> Verdict:
    """Check the diagnoses of the eight runs of the ward.

    Parameters
    ----------
    answers : mapping of str to str
        The letter of a run, A to H, to a diagnosis, one of the names of `ward_diagnoses`. Three
        dots stand for a run that has not been looked at yet.

    Returns
    -------
    verdict : Verdict
        How many are right and, for every wrong one, a sign that speaks against it.

    Raises
    ------
    ValueError
        If a letter or a diagnosis is not known.

    Examples
    --------
    >>> from saelib.exercises import check_ward
    >>> check_ward({"A": "healthy"})
    ✗ ward: not right yet.
      0 of 8 are right; 7 are open.
      A: its cost stops at that of the mean patch; with healthy it ends below that of the mean patch.
      Hint: The check first, the cost next, then rho_hat; the filters last.
      (A second hint: put .hint(2) behind the call. In the book: chapter 8, and What goes wrong.)
    """  # noqa: E501
    given = dict(answers)
    for letter, diagnosis in given.items():
        if letter not in ILLNESSES:
            raise ValueError(
                f"{letter!r} is not a run of the ward; they are {', '.join(ILLNESSES)}"
            )
        if diagnosis is not Ellipsis and diagnosis not in SIGNS:
            raise ValueError(
                f"the diagnosis of {letter} is {diagnosis!r}; choose one of {', '.join(SIGNS)}"
            )
    judged = {letter: d for letter, d in given.items() if d is not Ellipsis}
    if not judged:
        return Verdict(
            NAME,
            False,
            ("not-written",),
            ("There is no diagnosis yet.",),
            ("Put a name from ward_diagnoses() in place of three dots.",),
            CHAPTER,
        )
    wrong = {letter: d for letter, d in judged.items() if d != ILLNESSES[letter]}
    n_open = len(ILLNESSES) - len(judged)
    if not wrong and not n_open:
        return Verdict(NAME, True, (), ("All eight diagnoses are those of the doctors.",))
    count = f"{len(judged) - len(wrong)} of {len(ILLNESSES)} are right"
    return Verdict(
        NAME,
        False,
        tuple(wrong),
        (
            f"{count}; {n_open} are open." if n_open else f"{count}.",
            *(_objection(letter, diagnosis) for letter, diagnosis in sorted(wrong.items())),
        ),
        (
            "The check first, the cost next, then rho_hat; the filters last.",
            "A check that passes leaves the data, the constants and what cost and gradient share.",
        ),
        CHAPTER,
    )


def _objection(letter: str, diagnosis: str) -> str:
    """Return the first sign of a run that its diagnosis does not explain."""
    seen, expected = SIGNS[ILLNESSES[letter]], SIGNS[diagnosis]
    subjects = {
        "check": "its check",
        "cost": "its cost",
        "means": "its mean activations",
        "filters": "its filters",
    }
    sign = next(name for name in subjects if getattr(seen, name) != getattr(expected, name))
    pronoun = "it" if sign in ("check", "cost") else "they"
    return (
        f"{letter}: {subjects[sign]} {getattr(seen, sign)}; with {diagnosis} {pronoun} "
        f"{getattr(expected, sign)}."
    )
