"""Run a command, saying what it is for, how it ended and how long it took.

python tools/step.py "Checking types" mypy ...
"""

from __future__ import annotations

import subprocess
import sys
import time


def main(title: str, *command: str) -> int:
    """Run the command and return its exit code."""
    print(f"== {title} ...", flush=True)
    start = time.perf_counter()
    try:
        code = subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        code = 130
    word = "done" if code == 0 else "FAILED"
    print(f"== {title}: {word} in {time.perf_counter() - start:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
