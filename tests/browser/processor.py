"""Processor time and memory of the browser's processes, which another program does not change."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = _parent(pid)
    return False


def renderers() -> list[Path]:
    """Return the folders in /proc of the pages that this process has opened."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"--type=renderer" in words and _is_ours(int(folder.name)):
            found.append(folder)
    return found


def _ticks(folder: Path) -> int:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def page_seconds() -> float:
    """Return the processor seconds of all open pages so far, compilation of Python included."""
    return sum(_ticks(folder) for folder in renderers()) / TICK


def worker_seconds() -> float:
    """Return the processor seconds of all dedicated workers so far."""
    total = 0
    for folder in renderers():
        for task in folder.glob("task/*"):
            try:
                if "DedicatedWorker" in (task / "comm").read_text():
                    total += _ticks(task)
            except OSError:
                continue
    return total / TICK


def megabytes() -> int:
    """Return the memory that the pages take, Python in them included."""
    total = 0
    for folder in renderers():
        try:
            words = (folder / "status").read_text().split()
        except OSError:
            continue
        total += int(words[words.index("VmRSS:") + 1])
    return round(total / 1000)
