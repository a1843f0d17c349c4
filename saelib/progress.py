"""A progress bar that reads well in a terminal and on the page of a stored notebook.

A terminal shows tqdm's usual bar, which vanishes into nothing when the output goes to a file.
A notebook stores what the bar wrote last, so there the bar carries nothing that changes from
run to run: no times, no rates, and the cost to two digits.
"""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from saelib._browser import IN_BROWSER

__all__ = ["progress_bar"]


class _Bar(tqdm):  # type: ignore[misc]
    # The monitor is a thread that wakes up bars which skip too many updates. Ours skip none.
    monitor_interval = 0


def _in_notebook() -> bool:
    if IN_BROWSER:
        return True
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def progress_bar(description: str, total: int, enabled: bool) -> tqdm[Any]:
    """Return a tqdm bar for `total` iterations, fitting for where the program runs.

    Parameters
    ----------
    description : str
        What is going on, in a word.
    total : int
        Number of iterations at most.
    enabled : bool
        Whether to show anything.

    Returns
    -------
    tqdm.tqdm
        The bar; close it after use, best by a ``with`` statement.

    Examples
    --------
    >>> from saelib.progress import progress_bar
    >>> with progress_bar("L-BFGS", total=3, enabled=False) as bar:
    ...     for _ in range(3):
    ...         _ = bar.update()
    """
    if not enabled:
        return _Bar(total=total, disable=True)
    if _in_notebook():
        return _Bar(
            desc=description,
            total=total,
            miniters=1,
            file=sys.stdout,
            bar_format="{desc} |{bar:8}| {n_fmt} of {total_fmt}{postfix}",
        )
    return _Bar(desc=description, total=total, miniters=1, unit=" iterations", disable=None)


def show_cost(bar: tqdm[Any], cost: float) -> None:
    """Write the cost behind the bar, in a fixed number of characters.

    Parameters
    ----------
    bar : tqdm.tqdm
        A bar made by `progress_bar`.
    cost : float
        The cost J.

    Examples
    --------
    >>> from saelib.progress import progress_bar, show_cost
    >>> show_cost(progress_bar("L-BFGS", total=3, enabled=False), 0.387)
    """
    bar.set_postfix_str(f"J = {cost:<8.2g}", refresh=False)
