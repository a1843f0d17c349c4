"""Python inside a web page: the one place that knows of it, and what is different there.

Pyodide is CPython for WebAssembly. It starts no threads, has numpy, scipy, scikit-learn and
matplotlib but not scikit-image, and shows the outputs of cells as a notebook does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["IN_BROWSER", "photographs", "thread_time"]

IN_BROWSER = sys.platform == "emscripten"
# The processor's time of this thread, in seconds. Where there are no threads there is no such time.
thread_time: Callable[[], float] = getattr(time, "thread_time", time.monotonic)
# Where the page that starts Python lays the photographs of `natural_images`, as PNG files.
PHOTOGRAPHS = Path("/photographs")
# The weights of red, green and blue in scikit-image's rgb2gray.
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721])


def photographs(names: Iterable[str], folder: Path = PHOTOGRAPHS) -> dict[str, NDArray[np.float64]]:
    """Return photographs in grey as `natural_images` does with scikit-image, bit for bit.

    Parameters
    ----------
    names : iterable of str
        The names of the files, without their ending.
    folder : Path
        Where they are: 8-bit PNG files, in grey or in colour.

    Returns
    -------
    images : dict of str to ndarray of shape (height, width)
        Brightness from 0 (black) to 1 (white), float64.
    """
    from PIL import Image

    pictures = {}
    for name in names:
        with Image.open(folder / f"{name}.png") as file:
            array = np.multiply(np.asarray(file), 1 / 255, dtype=np.float64)
        pictures[name] = array @ _LUMINANCE if array.ndim == 3 else array
    return pictures
