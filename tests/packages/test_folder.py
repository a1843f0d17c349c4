"""The repository in a folder as people have them, as a stranger's shell would build it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import clean  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    """Return a copy of what is under version control, in a folder that is hard to spell."""
    if not (ROOT / ".git").exists():
        pytest.skip("the repository has no history here, so what belongs to it is not known")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    place = tmp_path / "Ein Ordner mit Ä, ß und é"
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


def test_make_works_from_elsewhere_in_parallel_with_umlauts_and_without_a_home(folder, tmp_path):
    variables = clean.plain(
        {
            "HOME": "/nonexistent",
            "LIVE": "0",
            # What was downloaded before may be used again; only the home is to be missing.
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        }
    )
    variables.pop("MAKEFLAGS", None)
    variables.pop("MAKELEVEL", None)
    ran = subprocess.run(
        ["make", "-C", str(folder), "-j2", "lint", "book"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert (folder / "_build" / "html" / "index.html").is_file()
    assert "Sorry" not in ran.stdout + ran.stderr
