"""What a checker says: a few lines that read well in a terminal and in a notebook."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

__all__ = ["Verdict"]

# For a terminal or a file whose encoding has no Greek: the letters by their names.
_PLAIN = str.maketrans(
    {
        "✓": "ok:",
        "✗": "x",
        "○": "o",
        "α": "alpha",
        "β": "beta",
        "δ": "delta",
        "ε": "epsilon",
        "λ": "lambda",
        "ρ": "rho",
        "Σ": "sum",
        "‖": "||",
        "²": "^2",
        "−": "-",
        "→": "->",
    }
)


def _marked(line: str) -> str:
    """Return a line for a page, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line))


@dataclass(frozen=True)
class Verdict:
    """The answer of a checker; show it by leaving it as the last line of a cell.

    Attributes
    ----------
    exercise : str
        Name of the exercise.
    correct : bool
        Whether the function does what the exercise asks for.
    mistakes : tuple of str
        Names of the mistakes that were recognized, as in `saelib.exercises.catalogue`; empty if
        the function is right or the mistake is not a known one.
    lines : tuple of str
        What was found, in two or three lines.
    hints : tuple of str
        From the gentle to the plain; none of them is the solution.
    chapter : str
        Where the book explains it.
    call : str
        The call that gave this verdict, as it was typed, for the advice on a second hint.
    waits_for : str
        Another function that has to be written first, or an empty string.
    line_numbers : tuple of int
        Number of the line of the learner's own that does not agree, in its file or cell; two
        if it is one of these two.

    Examples
    --------
    >>> from saelib.exercises import check_kl_gradient
    >>> def slope(rho, rho_hat):
    ...     return rho / rho_hat - (1 - rho) / (1 - rho_hat)
    >>> verdict = check_kl_gradient(slope)
    >>> verdict.correct, verdict.mistakes
    (False, ('sign',))
    >>> print(verdict)
    ✗ kl_gradient: not right yet.
      The sign is turned round: the result is exactly minus the right one.
      Hint: Should the slope be negative or positive when rho_hat lies below rho?
      (A second hint: check_kl_gradient(slope).hint(2).
       In the book: chapter 4, Eq. (4.2), and What goes wrong.)
    """

    exercise: str
    correct: bool
    mistakes: tuple[str, ...]
    lines: tuple[str, ...]
    hints: tuple[str, ...] = ()
    chapter: str = ""
    call: str = ""
    waits_for: str = ""
    line_numbers: tuple[int, ...] = ()
    shrink: Callable[[], Any] | None = field(default=None, repr=False, compare=False)

    def hint(self, number: int = 1) -> str:
        """Return hint `number`, counted from 1; the last one if there are not so many.

        Parameters
        ----------
        number : int, at least 1
            Which hint.

        Returns
        -------
        str
            The hint, or a word that there is none.

        Examples
        --------
        >>> from saelib.exercises import check_sigmoid
        >>> check_sigmoid(lambda z: 1 / (1 + __import__("numpy").exp(z))).hint(2)
        'The exponential must die out for large positive z. Compare exp(z) and exp(-z) at z = 5.'
        """
        if not self.hints:
            return "There is no hint for this one."
        return self.hints[max(0, min(number, len(self.hints)) - 1)]

    def example(self) -> Any:
        """Return a smallest input on which the answer fails, with its result and the right one.

        Returns
        -------
        Example or None
            Shows itself as a small table; None if the answer is right, not there yet, or if no
            small input shows the failure.

        Examples
        --------
        >>> from saelib.exercises import check_mean_activation
        >>> check_mean_activation(lambda A: A.sum(axis=0)).example()
        A = [[0.9] [0.3]]
        the result: yours [1.2], right [0.6]
        """
        return self.shrink() if self.shrink is not None and not self.correct else None

    @property
    def written(self) -> bool:
        """Whether there is an answer to judge; a stub as it came is neither right nor wrong."""
        return self.mistakes != ("not-written",)

    def _headline(self) -> str:
        if self.waits_for:
            return f"○ {self.exercise}: waits for {self.waits_for}."
        if not self.written:
            return f"○ {self.exercise}: to be written."
        word = "✓ {}: right." if self.correct else "✗ {}: not right yet."
        return word.format(self.exercise)

    def _body(self) -> list[str]:
        body = list(self.lines)
        if self.hints:
            body.append(f"Hint: {self.hints[0]}")
        further = []
        if len(self.hints) > 1:
            how = f"{self.call}.hint(2)" if self.call else "put .hint(2) behind the call"
            further.append(f"A second hint: {how}.")
        if not self.correct and self.chapter:
            mistakes = ", and What goes wrong" if self.written else ""
            further.append(f"In the book: {self.chapter}{mistakes}.")
        if further:
            body.append(f"({' '.join(further)})")
        return body

    def __repr__(self) -> str:
        text = "\n  ".join([self._headline(), *self._body()])
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            text = text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
        return text

    def _repr_html_(self) -> str:
        state = ("right" if self.correct else "wrong") if self.written else "open"
        rows = "".join(f"<div>{_marked(line)}</div>" for line in self._body())
        return (
            f'<div class="verdict verdict-{state}"><strong>{escape(self._headline())}</strong>'
            f"{rows}</div>"
        )
