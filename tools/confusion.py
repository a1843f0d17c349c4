"""Count how often the checkers name the mistake that was made.

    python tools/confusion.py [SEEDS]

prints, for every exercise, its mistakes, the checks made with each of them and how many of the
diagnoses were that mistake alone; wrong diagnoses are listed below.
"""

from __future__ import annotations

import sys
from collections import Counter

from saelib import exercises
from saelib.exercises import EXERCISES, QUESTIONS, check_number, wrong_answer


def confusion(n_seeds: int) -> Counter[tuple[str, str, str]]:
    """Return how often each mistake of each exercise got each diagnosis."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for name, exercise in EXERCISES.items():
        checker = getattr(exercises, f"check_{name}")
        for made in ("", *(mistake.name for mistake in exercise.mistakes)):
            function = wrong_answer(name, made) if made else wrong_answer(name)
            for seed in range(n_seeds):
                verdict = checker(function, seed=seed)
                found = "" if verdict.correct else " + ".join(verdict.mistakes) or "unknown"
                counts[name, made, found] += 1
    for name, question in QUESTIONS.items():
        for made, answer in [("", question.right), *((k, w[0]) for k, w in question.wrong.items())]:
            verdict = check_number(name, answer())
            found = "" if verdict.correct else " + ".join(verdict.mistakes) or "unknown"
            counts["the questions for a number", f"{name}: {made}" if made else "", found] += 1
            if found == made and made:
                counts["the questions for a number", f"{name}: {made}", found] -= 1
                counts["the questions for a number", f"{name}: {made}", f"{name}: {made}"] += 1
    return +counts


def main(n_seeds: int) -> None:
    """Print the matrix, summed up by exercise, and what is off its diagonal."""
    counts = confusion(n_seeds)
    print(
        f"{'exercise':28}{'mistakes':>9}{'checks':>8}{'named':>8}{'right ones':>12}{'accepted':>10}"
    )
    for name in dict.fromkeys(key[0] for key in counts):
        mine = {key[1:]: n for key, n in counts.items() if key[0] == name}
        wrong = {key: n for key, n in mine.items() if key[0]}
        print(
            f"{name:28}{len({made for made, _ in wrong}):9}{sum(wrong.values()):8}"
            f"{sum(n for (made, found), n in wrong.items() if made == found):8}"
            f"{sum(n for (made, _), n in mine.items() if not made):12}{mine.get(('', ''), 0):10}"
        )
    for (name, made, found), n in counts.items():
        if made != found:
            print(
                f"off the diagonal: {name}: {made or 'right'} was called {found or 'right'}, {n}x"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
