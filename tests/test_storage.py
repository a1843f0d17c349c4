"""Arrays in a file: whole or not at all, in the right place, and every change noticed."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from saelib import storage
from saelib.storage import read_arrays, write_arrays

ARRAYS = {"A": np.arange(6.0).reshape(2, 3), "B": np.zeros(4)}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    write_arrays(path, ARRAYS, {"k": 1}, kind="t")
    return path


def rewritten(path, change):
    """Let `change` alter the arrays and the metadata of a file in place."""
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(arrays, metadata)
    save_file(arrays, path, metadata)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, _: arrays.update(A=arrays["A"] + 1e-9),
        lambda arrays, _: arrays.update(A=arrays["A"].reshape(3, 2)),
        lambda arrays, _: arrays.update(B=np.zeros(8, np.float32)),
        lambda arrays, _: arrays.update(C=arrays.pop("B")),
        lambda arrays, _: arrays.update(C=np.zeros(0)),
        lambda _, metadata: metadata.update(description=json.dumps({"k": 2})),
        lambda _, metadata: metadata.pop("sha256"),
    ],
    ids=["number", "shape", "dtype", "name", "one more", "description", "no checksum"],
)
def test_a_change_of_anything_is_noticed(saved, change):
    rewritten(saved, change)
    with pytest.raises(ValueError, match="changed after it was saved"):
        read_arrays(saved, kind="t")


def test_a_file_that_names_no_format_is_told_from_one_cut_short(saved):
    rewritten(saved, lambda _, metadata: metadata.pop("format_version"))
    with pytest.raises(ValueError, match="is of format ''"):
        read_arrays(saved, kind="t")


def signed(path, description):
    """Write a file whose checksum is right and whose description is the given text."""
    rewritten(path, lambda _, metadata: metadata.update(description=description))
    with safe_open(path, framework="numpy") as file:
        metadata = {key: value for key, value in file.metadata().items() if key != "sha256"}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(arrays, path, {**metadata, "sha256": storage._checksum(arrays, metadata)})


@pytest.mark.parametrize(
    "description",
    ["[" * 100_000 + "]" * 100_000, '{"k": NaN}', '{"k": -Infinity}', '{"k": ', "[1]", '"k"'],
    ids=["deep", "NaN", "infinity", "cut short", "a list", "text"],
)
def test_a_well_signed_description_that_is_none_is_refused(saved, description):
    signed(saved, description)
    with pytest.raises(ValueError, match="has a description that"):
        read_arrays(saved, kind="t")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_of_json_is_not_written(saved, value):
    before = saved.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_arrays(saved, ARRAYS, {"k": value}, kind="t")
    assert saved.read_bytes() == before


# --- where and how ------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="links and modes as in POSIX")
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_written_through(tmp_path, exists):
    target, link = tmp_path / "target", tmp_path / "link"
    if exists:
        target.write_text("old")
    link.symlink_to("target")
    write_arrays(link, ARRAYS, {}, kind="t")
    assert link.is_symlink()
    assert not target.is_symlink()
    read_arrays(target, kind="t")
    assert {file.name for file in tmp_path.iterdir()} == {"target", "link"}


@pytest.mark.skipif(os.name != "posix", reason="links and modes as in POSIX")
def test_the_checksum_covers_the_dtype():
    digests = [storage._checksum({"B": np.zeros(4, kind)}, {}) for kind in (np.float64, np.int64)]
    assert digests[0] != digests[1]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_the_permissions_of_a_file_are_kept(saved, mode):
    saved.chmod(mode)
    write_arrays(saved, ARRAYS, {"k": 2}, kind="t")
    assert stat.S_IMODE(saved.stat().st_mode) == mode
    assert read_arrays(saved, kind="t")[1] == {"k": 2}


@pytest.mark.skipif(os.name != "posix", reason="links and modes as in POSIX")
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_regular_file_is_left_alone(tmp_path, kind):
    path = tmp_path / "place"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(os.devnull)
    with pytest.raises(ValueError, match="something else than a regular file"):
        write_arrays(path, ARRAYS, {}, kind="t")
    assert not path.is_file()
    assert [file.name for file in tmp_path.iterdir()] == ["place"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing'; make it first"):
        write_arrays(tmp_path / "missing" / "file", ARRAYS, {}, kind="t")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        write_arrays(tmp_path / "file" / "file", ARRAYS, {}, kind="t")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written to"):
        write_arrays(tmp_path / "file", ARRAYS, {}, kind="t")


@pytest.mark.skipif(os.name != "posix", reason="Windows cannot open folders")
def test_the_file_and_then_its_folder_are_flushed_to_the_disk(tmp_path, monkeypatch):
    flushed, opened = [], len(os.listdir("/dev/fd"))
    original = os.fsync

    def fsync(descriptor):
        mode = os.fstat(descriptor).st_mode
        flushed.append(("folder" if stat.S_ISDIR(mode) else "file", (tmp_path / "f").exists()))
        original(descriptor)

    monkeypatch.setattr(storage.os, "fsync", fsync)
    write_arrays(tmp_path / "f", ARRAYS, {}, kind="t")
    assert flushed == [("file", False), ("folder", True)]
    assert len(os.listdir("/dev/fd")) == opened


@pytest.mark.skipif(os.name != "posix", reason="kills a process with SIGKILL")
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.safetensors"
    script = (
        "import sys, numpy as np\n"
        "from saelib.storage import write_arrays\n"
        "k = 0\n"
        "while True:\n"
        "    k += 1\n"
        "    write_arrays(sys.argv[1], {'W': np.full((300, 300), float(k))}, {'k': k}, kind='t')\n"
        "    print(k, flush=True)\n"
    )
    for wait in (0.0, 0.003, 0.011):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        arrays, description = read_arrays(path, kind="t")
        assert np.all(arrays["W"] == description["k"])
