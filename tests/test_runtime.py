"""Python for the browser: had from whoever has it, and accepted by its hash alone."""

import functools
import hashlib
import http.server
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import live_files  # noqa: E402
import runtime  # noqa: E402

import book  # noqa: E402

CONTENT = {"one.wasm": b"one", "two-1.0-py3-none-any.whl": b"two"}


def pin(content):
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.fixture(autouse=True)
def few_pins(monkeypatch):
    """Two small files in place of twenty-four."""
    known = {
        "info": {"version": "0.0.1"},
        "core": {"one.wasm": pin(b"one")},
        "packages": {
            "two": {
                "name": "two",
                "version": "1.0",
                "file_name": "two-1.0-py3-none-any.whl",
                **pin(b"two"),
            }
        },
    }
    real = runtime.pins()
    monkeypatch.setattr(runtime, "pins", lambda: known)
    return real


def giving(**content):
    """Return a source that hands over these files, whatever was asked for."""
    files = {name.replace("_", "."): data for name, data in content.items()}
    return lambda wanted, scratch: iter(files.items())


def gone(wanted, scratch):
    raise OSError("not found")
    yield


def everything(wanted, scratch):
    yield from ((name, CONTENT[name]) for name in wanted)


def test_a_file_with_another_hash_is_refused_and_not_kept(tmp_path):
    with pytest.raises(runtime.Missing, match=r"bad: one\.wasm is not the file that was pinned"):
        runtime.fetch(tmp_path, {"bad": giving(one_wasm=b"0ne"), "gone": gone})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_when_a_source_disappears_the_next_one_serves(tmp_path, absent):
    sources = [giving(one_wasm=b"one"), everything, everything]
    sources[absent] = gone
    runtime.fetch(tmp_path, dict(zip("abc", sources, strict=True)))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == CONTENT


def test_what_is_there_is_not_asked_for_again_unless_it_was_damaged(tmp_path):
    runtime.fetch(tmp_path, {"all": everything})
    runtime.fetch(tmp_path, {})
    (tmp_path / "one.wasm").write_bytes(b"0ne")
    with pytest.raises(runtime.Missing, match=r"1 of 2 files .*one\.wasm.* no source was asked"):
        runtime.fetch(tmp_path, {})
    runtime.fetch(tmp_path, {"all": everything})
    assert (tmp_path / "one.wasm").read_bytes() == b"one"


def test_the_official_release_is_asked_file_by_file(tmp_path, monkeypatch):
    (tmp_path / "v0.0.1").mkdir()
    for name, content in CONTENT.items():
        (tmp_path / "v0.0.1" / name).write_bytes(content)
    handler = functools.partial(
        type("Q", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *a: None}),
        directory=str(tmp_path),
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("SAELIB_PYODIDE", f"http://127.0.0.1:{server.server_port}/v{{version}}/")
        target = tmp_path / "here"
        target.mkdir()
        runtime.fetch(target, {"official": runtime.official})
        server.shutdown()
    assert (target / "one.wasm").read_bytes() == b"one"


def test_where_the_cache_cannot_be_written_the_build_folder_serves(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.delenv("SAELIB_RUNTIME", raising=False)
    monkeypatch.setattr(runtime, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert runtime.folder() == tmp_path / "cache" / "saelib-runtime"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert runtime.folder() == tmp_path / "_build" / "runtime"


def test_without_python_the_book_is_built_without_and_says_so_but_not_in_ci(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("SAELIB_RUNTIME", str(tmp_path))
    monkeypatch.setattr(runtime, "SOURCES", {"somebody": gone})
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("LIVE", raising=False)
    assert book.found_for_browser() is False
    assert "will not run their code in the browser" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(runtime.Missing, match="somebody: not found"):
        book.found_for_browser()
    monkeypatch.setenv("LIVE", "0")
    assert book.found_for_browser() is False
    assert not live_files.wanted()


def test_the_pins_are_complete(few_pins):
    packages = few_pins["packages"]
    for name, entry in packages.items():
        assert {dependency.lower() for dependency in entry["depends"]} <= packages.keys(), name
        assert len(entry["sha256"]) == 64
        assert entry["size"] > 0
    assert {"numpy", "scipy", "matplotlib", "scikit-learn", "pandas", "tqdm"} <= packages.keys()
    assert set(live_files.ON_DEMAND) <= packages.keys()
    assert len(few_pins["core"]) == 4
