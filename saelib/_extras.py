"""Packages that only some of saelib needs; where one is missing, the error says which extra it is.

The core is numpy, scipy, scikit-learn, threadpoolctl, safetensors and tqdm. Photographs, pictures
and clusters are the extras ``images``, ``plot`` and ``dask`` of pyproject.toml: whoever trains on
tables, on a server or in a browser needs none of them, and with what they depend on they take half
as much room again as the core.
"""

from __future__ import annotations

from importlib import import_module

# What to import, what it is called where packages are installed from, the extra that brings it.
_EXTRAS = {
    "skimage": ("scikit-image", "images"),
    "matplotlib": ("matplotlib", "plot"),
    "dask.array": ("Dask with arrays", "dask"),
}


def require(module: str, what: str) -> None:
    """Import a package of an extra, or say how to install it.

    Parameters
    ----------
    module : {"skimage", "matplotlib", "dask.array"}
        The module that is about to be imported.
    what : str
        What needs it, for the message.

    Raises
    ------
    ModuleNotFoundError
        If the package, or one that it needs itself, is not installed.

    Examples
    --------
    >>> from saelib._extras import require
    >>> require("matplotlib", "saelib.plotting")
    """
    package, extra = _EXTRAS[module]
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} needs {package} ({error}); install it by: pip install 'saelib[{extra}]'",
            name=error.name,
        ) from None
