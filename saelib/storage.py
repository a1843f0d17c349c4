"""Arrays and their description in one safetensors file, written whole or not at all.

safetensors is a header of JSON followed by plain numbers, so reading a file runs no code of
the file's author, unlike unpickling. On top of that format a file of ours holds a checksum,
which reveals damage; it is not a signature, and says nothing about who wrote the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_arrays", "write_arrays"]

FORMAT_VERSION = 1

Arrays = Mapping[str, NDArray[np.floating[Any]]]


def write_arrays(
    path: str | os.PathLike[str], arrays: Arrays, description: Mapping[str, Any], *, kind: str
) -> None:
    """Write arrays and a description of them to one safetensors file, atomically.

    The bytes go to a new file in the same folder, are flushed to the disk, and only then take
    the name `path`. Whoever reads `path` finds the old file or the new one, complete, even if
    the program or the machine stops in between.

    Parameters
    ----------
    path : str or path-like
        Where to write; an existing file is replaced and its permissions are kept. A symbolic
        link is followed.
    arrays : mapping of str to ndarray
        float32 or float64 arrays of any shape.
    description : mapping
        Whatever JSON can hold: numbers (finite), strings, lists, mappings, None.
    kind : str
        What the file holds, such as ``"SparseAutoencoder"``; `read_arrays` asks for it.

    Raises
    ------
    TypeError
        If JSON cannot hold `description`.
    ValueError
        If `description` holds NaN or infinity, or something that is no regular file is at `path`.
    OSError
        If the folder does not exist or cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from saelib.storage import read_arrays, write_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "weights.safetensors")
    ...     write_arrays(path, {"W": np.eye(2)}, {"n_iter": 3}, kind="example")
    ...     arrays, description = read_arrays(path, kind="example")
    >>> arrays["W"]
    array([[1., 0.],
           [0., 1.]])
    >>> description
    {'n_iter': 3}
    """
    from safetensors.numpy import save as to_bytes

    # safetensors writes the memory of an array as it lies there, whatever its strides say.
    contiguous = {
        name: np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    metadata = {
        "format": f"saelib.{kind}",
        "format_version": str(FORMAT_VERSION),
        "description": json.dumps(description, allow_nan=False),
    }
    metadata["sha256"] = _checksum(contiguous, metadata)
    _replace_file(place_for_file("path", path), to_bytes(contiguous, metadata))


def place_for_file(name: str, path: str | os.PathLike[str]) -> Path:
    """Return the file behind the links of `path` if a regular file is there or can be made.

    Parameters
    ----------
    name : str
        What the argument is called, for messages.
    path : str or path-like
        Where somebody wants to write.

    Returns
    -------
    Path
        The place, which is no symbolic link.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder is missing, is none, or cannot be written to.
    ValueError
        If there is something at `path` that is no regular file, such as a folder or a device.
    """
    given, place = os.fspath(path), Path(os.path.realpath(path))
    folder = place.parent
    if not folder.exists():
        raise FileNotFoundError(
            f"{name} is {given!r}, but there is no folder {str(folder)!r}; make it first"
        )
    if not folder.is_dir():
        raise NotADirectoryError(f"{name} is {given!r}, but {str(folder)!r} is not a folder")
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"{name} is {given!r}, but the folder {str(folder)!r} cannot be written to; choose "
            "another one"
        )
    if place.exists() and not place.is_file():
        raise ValueError(
            f"{name} is {given!r}, where there is something else than a regular file; choose "
            "another place"
        )
    return place


def read_arrays(
    path: str | os.PathLike[str], *, kind: str
) -> tuple[dict[str, NDArray[np.floating[Any]]], dict[str, Any]]:
    """Read what `write_arrays` wrote, and check that it is complete and unchanged.

    Parameters
    ----------
    path : str or path-like
        The file.
    kind : str
        What the file should hold.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays, writable copies in memory.
    description : dict
        Their description.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no safetensors file, is cut short, was not written by saelib, holds
        something else than `kind`, was changed since, or is of a later format.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; check the path")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_origin(path, metadata, kind)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, AttributeError, TypeError, KeyError) as error:
        # numpy knows no bfloat16 and the like: foreign dtypes surface as the other three.
        raise ValueError(
            f"{str(path)!r} is not a complete safetensors file ({error}); it was cut short, "
            "damaged, or is of another format. Restore it from a copy or save the model again"
        ) from None
    unsigned = {key: value for key, value in metadata.items() if key != "sha256"}
    if metadata.get("sha256") != _checksum(arrays, unsigned):
        raise ValueError(
            f"{str(path)!r} was changed after it was saved: its checksum does not fit its content. "
            "Restore it from a copy or save the model again"
        )
    try:
        description = json.loads(metadata["description"], parse_constant=_refuse_constant)
    except (ValueError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{str(path)!r} has a description that cannot be read ({error}); save the model again"
        ) from None
    if not isinstance(description, dict):
        raise ValueError(f"{str(path)!r} has a description that is no mapping; save it again")
    return arrays, description


def not_consistent(path: str | os.PathLike[str], kind: str, error: Exception) -> ValueError:
    """Return the error for a sound file whose parts do not make what it should hold."""
    return ValueError(
        f"{os.fspath(path)!r} does not hold a consistent {kind}: {error}. "
        "Restore it from a copy or save the model again"
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _check_origin(path: Path, metadata: Mapping[str, str], kind: str) -> None:
    found = metadata.get("format", "a file of another program")
    if found != f"saelib.{kind}":
        raise ValueError(
            f"{str(path)!r} holds {found}; give a file that saelib saved from a {kind}"
        )
    version = metadata.get("format_version", "")
    if not version.isdecimal() or int(version) > FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} is of format {version!r}; this saelib reads formats up to "
            f"{FORMAT_VERSION}. Install a newer saelib to read it"
        )


def _checksum(arrays: Arrays, metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _replace_file(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            if path.exists():  # who may read the old file may read the new one, and nobody else
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    # The new name is on the disk only once its folder is. Windows cannot open folders.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
