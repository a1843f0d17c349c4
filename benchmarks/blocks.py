"""Time the objective for several sizes of its blocks of rows, against the five products.

    python benchmarks/blocks.py

The rule in saelib/_passes.py takes about 4 MiB per block and at most 2,500 rows: shorter blocks
pay for numpy's calls, longer ones for memory beyond the cache.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from contenders import floor
from measure import SIZES, alternate, limit_threads, problem

from saelib import SparseObjective
from saelib import _passes as passes

ROWS = (250, 500, 1000, 2500, 5000)


def main() -> None:
    """Print the ratio to the five products for every block size."""
    limit_threads(2)
    rule = passes._rows_per_block
    print(f"{'':>34}" + "".join(f"{rows:>8}" for rows in ROWS) + "    rule")
    for size, (m, n, n_hidden) in SIZES.items():
        for dtype in ("float64", "float32"):
            X, theta = problem(m, n, n_hidden, dtype)
            functions = {"floor": partial(floor(X, n_hidden), theta)}
            for rows in ROWS:
                passes._rows_per_block = lambda *_, rows=rows: rows
                functions[str(rows)] = partial(SparseObjective(X, n_hidden), theta)
            passes._rows_per_block = rule
            times = {name: np.array(t) for name, t in alternate(functions, 4.0).items()}
            ratios = [np.median(times[str(rows)] / times["floor"]) for rows in ROWS]
            print(
                f"{size:>25} {dtype}"
                + "".join(f"{ratio:8.2f}" for ratio in ratios)
                + f"{rule(n, n_hidden, X.itemsize):8d}"
            )


if __name__ == "__main__":
    main()
