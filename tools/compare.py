"""Execute notebooks as an older processor would compute, and compare with what they store.

    python tools/compare.py [book/NN-name.ipynb ...]     all of them by default

Another processor, or another build of BLAS, adds up in another order. What a notebook prints must
not depend on it; see `other_processor` in clean.py for what is switched off. How far its figures
do is stored with them; see figures.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import clean

BOOK = clean.ROOT / "book"


def main(arguments: list[str]) -> int:
    """Compare the notebooks named, or all; return 0 if they print what they store."""
    paths = [Path(name).resolve() for name in arguments] or sorted(BOOK.glob("*.ipynb"))
    variables = clean.other_processor()
    print(" ".join(f"{name}={value}" for name, value in variables.items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        kernels = clean.kernel(Path(folder) / "jupyter", sys.executable, variables)
        log = Path(folder) / "report.txt"
        code = clean.comparison(paths, kernels, log, keep_spread=True).wait()
        print(log.read_text(errors="replace")[-20_000:] if code else clean.verdict(log))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
