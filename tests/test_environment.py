"""Making .venv fails with the cause, and asks for the network only where that was missed."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
specification = importlib.util.spec_from_file_location(
    "environment", ROOT / "tools" / "environment.py"
)
tool = importlib.util.module_from_spec(specification)
specification.loader.exec_module(tool)


def test_a_home_that_cannot_be_written_is_named_and_the_network_is_not_blamed():
    said = (
        "error: Failed to initialize cache at `/proc/nowhere/.cache/uv`\n  Caused by: No such file"
    )
    cause = tool.cause(said)
    assert "network" not in cause
    assert "/proc/nowhere/.cache/uv" in cause
    assert "No such file" in cause


@pytest.mark.parametrize(
    "said",
    [
        "error: Request failed after 3 retries\n  Caused by: error trying to connect: tcp",
        "failed to lookup address information: Temporary failure in name resolution",
        "ReadTimeoutError: Read timed out.",
    ],
)
def test_where_no_host_answers_the_network_is_asked_for(said):
    assert tool.cause(said).startswith("; is there a network?")


def test_a_failure_without_a_word_is_said_to_be_so():
    assert tool.cause("\n") == " (no word why)"


def test_uv_itself_fails_so_where_its_cache_cannot_be_made(monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", "/proc/nowhere/cache")
    with pytest.raises(SystemExit) as end:
        tool.run([tool.PYTHON, "-m", "uv", "pip", "install", "--python", tool.PYTHON, "pip"])
    assert "network" not in str(end.value)
    assert "/proc/nowhere/cache" in str(end.value)
