"""Clean environments: a folder with its own Python, holding what is asked for and nothing else.

Notebooks and tests run in them as at a reader's, who has the wheel and not the repository. What
compares and reports, nbval and pytest's plugins for notebooks, stays outside, in this Python.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import drawn

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TOOLS = ROOT / "tools"
KERNEL = "clean"
DRAWN = "drawn"
SECONDS_PER_CELL = 900
_FEATURES = """
import numpy._core._multiarray_umath as core
print(*[name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)])
"""


def environment(folder: Path, *packages: str, pins: Path | None = LOCK) -> Path:
    """Make a virtual environment with these packages, and return its Python.

    Parameters
    ----------
    folder : Path
        Where to make it.
    *packages : str
        What to install: requirements, or the path of a wheel, with or without extras.
    pins : Path or None
        A file of pins that says which versions to take; None for the newest.
    """
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "-q"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(folder)], check=True)
    if packages:
        install = [*uv, "pip", "install", "--python", str(python), "--link-mode", "copy"]
        install += ["--no-verify-hashes"] + (["--constraint", str(pins)] if pins else [])
        subprocess.run([*install, *packages], check=True)
    return python


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a source archive; the first Pythons 3.11 know no filter, and need none for our own."""
    with tarfile.open(archive) as held:
        if hasattr(tarfile, "data_filter"):
            held.extractall(folder, filter="data")
        else:
            held.extractall(folder)


def plain(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables without those that would let the repository in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.pop("VIRTUAL_ENV", None)
    return kept | dict(extra or {})


def other_processor(python: Path | str = sys.executable) -> dict[str, str]:
    """Return variables that make numpy and scipy of this Python compute as an older processor does.

    OpenBLAS takes the kernels that it has for Haswell, of 2013, and numpy leaves out what is made
    for AVX-512. Where a processor has no AVX-512, or is no x86 at all, there is less to leave out
    or nothing.
    """
    found = subprocess.run(
        [str(python), "-c", _FEATURES], capture_output=True, text=True, check=True, env=plain()
    )
    wide = [n for n in found.stdout.split() if n.startswith("AVX512") or n == "X86_V4"]
    variables = {"OPENBLAS_CORETYPE": "Haswell"} if _is_x86() else {}
    return variables | ({"NPY_DISABLE_CPU_FEATURES": " ".join(wide)} if wide else {})


def _is_x86() -> bool:
    return os.uname().machine.lower() in ("x86_64", "amd64")


def kernel(folder: Path, python: Path | str, variables: Mapping[str, str] | None = None) -> Path:
    """Describe a kernel that runs in another environment; return the folder for JUPYTER_PATH.

    It leaves in the folder `DRAWN` what the figures of its notebook show.
    """
    place = folder / "kernels" / KERNEL
    place.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    command += [f"--IPKernelApp.exec_lines={[drawn.in_kernel(folder / DRAWN)]!r}"]
    described = {"argv": command, "display_name": KERNEL, "language": "python"}
    (place / "kernel.json").write_text(json.dumps({**described, "env": dict(variables or {})}))
    return folder


def comparison(
    notebooks: Iterable[Path], kernels: Path, log: Path, keep_spread: bool = False
) -> subprocess.Popen[bytes]:
    """Start to execute notebooks with a kernel and to compare them with what they store.

    Parameters
    ----------
    notebooks : iterable of Path
        Notebooks with stored outputs.
    kernels : Path
        A folder that `kernel` has returned.
    log : Path
        Where the report goes.
    keep_spread : bool
        Whether to store how far the figures are from those stored, and not to compare them.

    Returns
    -------
    subprocess.Popen
        A running process; it ends with 0 if all is well.
    """
    command = [sys.executable, str(TOOLS / "figures.py"), str(kernels / DRAWN)]
    command += ["--keep-spread"] if keep_spread else []
    command += ["-q", "-c", str(TOOLS / "nbval.ini")]
    command += ["--rootdir", str(log.parent), "--nbval", f"--nbval-kernel-name={KERNEL}"]
    command += [f"--nbval-cell-timeout={SECONDS_PER_CELL}"]
    command += ["--nbval-sanitize-with", str(TOOLS / "nbval-sanitize.cfg")]
    with log.open("wb") as report:
        return subprocess.Popen(
            [*command, *map(str, notebooks)],
            cwd=log.parent,
            env=plain({"JUPYTER_PATH": str(kernels)}),
            stdout=report,
            stderr=subprocess.STDOUT,
        )


def verdict(log: Path) -> str:
    """Return the last line of a report, which counts what has passed and failed."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]) if lines else "no report"
