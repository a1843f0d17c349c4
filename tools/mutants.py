"""Break the core of the library in small ways, one at a time, and see whether a test notices.

    python tools/mutants.py [--share 0.1] [objective estimator ...]

mutmut makes the changes, in an environment and a copy of the repository of its own, in
.versions/mutants, and runs the tests that reach the changed function. With --share only so many of
the mutants are tried, drawn at random but the same ones every time. What was tried before is not
tried again unless the function changed. A mutant that survives is shown as a change of lines;
those in which only the words of a message differ are counted apart, since tests ask for the parts
of a message that matter and not for its every letter.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import clean

FOLDER = clean.ROOT / ".versions" / "mutants"
VERSION = "mutmut==3.8.1"
# What is broken, and the tests that are to notice.
ROOMS = {
    "objective": (
        ("activations", "sparsity", "parameters", "network", "objective", "_passes", "_rows"),
        ("activations", "sparsity", "parameters", "network", "objective", "rows"),
    ),
    "training": (
        ("training", "descent", "_minibatch"),
        ("training", "resume", "descent", "estimator_streams", "rows"),
    ),
    "estimator": (
        ("estimator", "fitted", "scaling"),
        ("estimator", "estimator_inputs", "estimator_streams", "resume", "rows"),
    ),
    "dictionary": (
        ("codes", "thresholds", "dictionary", "_dictionary_passes", "_dictionary_step"),
        ("codes", "thresholds", "dictionary", "dictionary_step", "families"),
    ),
    "storage": (("storage", "_model_file"), ("storage", "estimator_files")),
    "parallel": (("_parallel", "_blas"), ("parallel", "blas")),
}
COPIED = ("saelib", "tests", "conftest.py", "pyproject.toml", "hatch_build.py", "_config.yml")


def environment() -> Path:
    """Return the Python of the environment with the locked packages and mutmut."""
    folder = FOLDER / "env"
    python = folder / "bin" / "python"
    if not python.exists():
        python = clean.environment(folder, "-r", str(clean.LOCK), VERSION, pins=None)
    return python


def copy_of(room: str) -> Path:
    """Bring the copy of the repository in which a room's mutants are tried up to date."""
    modules, tests = ROOMS[room]
    folder = FOLDER / room
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = clean.ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    settings = {
        "source_paths": ["saelib"],
        "only_mutate": [f"saelib/{name}.py" for name in modules],
        "also_copy": ["tests", "conftest.py"],
        "pytest_add_cli_args": ["-q", "-p", "no:cacheprovider", "-W", "ignore"],
        "pytest_add_cli_args_test_selection": [f"tests/test_{name}.py" for name in tests],
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    with (folder / "pyproject.toml").open("a") as file:
        file.writelines(["\n[tool.mutmut]\n", *lines])
    return folder


def mutmut(folder: Path, *arguments: str) -> str:
    """Run mutmut in a copy, on one core, and return what it prints."""
    command = [str(FOLDER / "env" / "bin" / "mutmut"), *arguments]
    environment = clean.plain({"OMP_NUM_THREADS": "1", "PYTHONPATH": ""})
    environment["PATH"] = f"{FOLDER / 'env' / 'bin'}{os.pathsep}{environment['PATH']}"
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return run.stdout + run.stderr


def verdicts(folder: Path) -> dict[str, int | None]:
    """Return the exit code of the tests for every mutant, None for those not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants" / "saelib").rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def only_words(change: list[str]) -> bool:
    """Return whether the two sides of a change differ in nothing but texts."""

    def code(sign: str) -> list[str]:
        lines = "\n".join(line[1:].strip() for line in change if line.startswith(sign))
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(lines).readline))
        except (tokenize.TokenError, IndentationError):
            return [lines]
        return ["" if t.type == tokenize.STRING else t.string for t in tokens]

    return code("-") == code("+")


def try_room(room: str, share: float) -> tuple[int, int, int]:
    """Try the mutants of a room, print the survivors, and return tried, words and survived."""
    folder = copy_of(room)
    said = mutmut(folder, "run", "--max-children", "1", "no.such.mutant")
    names = sorted(verdicts(folder))
    if not names:
        sys.exit(said[-3000:])
    drawn = sorted(random.Random(0).sample(names, round(share * len(names))))
    known = verdicts(folder)
    for start in range(0, len(drawn), 20):
        batch = [name for name in drawn[start : start + 20] if known[name] is None]
        if batch:
            mutmut(folder, "run", "--max-children", "1", *batch)
        print(f"\r{room}: {min(start + 20, len(drawn))} of {len(drawn)}", end="", flush=True)
    print()
    codes = verdicts(folder)
    words = survived = 0
    for name in drawn:
        if codes[name] not in (0, 33):  # 33: no test reaches the function
            continue
        lines = mutmut(folder, "show", name).splitlines()
        change = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        if only_words(change):
            words += 1
            continue
        survived += 1
        print("\n".join([f"  {name}", *(f"    {line}" for line in change)]), flush=True)
    return len(drawn), words, survived


def main() -> int:
    """Try them all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], default=[])
    parser.add_argument("--share", type=float, default=1.0)
    asked = parser.parse_args()
    environment()
    table = {room: try_room(room, asked.share) for room in asked.rooms or ROOMS}
    print(f"{'':>12}{'tried':>8}{'words':>8}{'survive':>9}{'noticed':>9}")
    for room, (tried, words, survived) in table.items():
        of_code = max(tried - words, 1)
        share = 100 * (of_code - survived) / of_code
        print(f"{room:>12}{tried:>8}{words:>8}{survived:>9}{share:>8.0f}%")
    return 0


if __name__ == "__main__":
    sys.exit(main())
