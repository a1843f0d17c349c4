"""Results of a cell as plain arrays and JSON, to be read where the cell would take too long.

Numbers, texts, arrays, lists, dicts and what `saelib` returns are kept; anything else is not. The
file is of the safetensors format, a header of JSON followed by the numbers, so that reading it
runs no code.
"""

from __future__ import annotations

import importlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

LONG = 1000  # so many numbers or more are kept in single precision
MOST = 200_000  # and so many are not kept at all: they are data, which a cell makes quickly


class NotPlainError(TypeError):
    """A value is not of a kind that is kept."""


def pack(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """Return a value as JSON in which arrays are named, and put these into `arrays`."""
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays)
    if isinstance(value, np.generic):
        return {"number": value.dtype.str, "value": value.item()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {"dict": [[pack(k, arrays), pack(v, arrays)] for k, v in value.items()]}
    if isinstance(value, list):
        return {"list": [pack(item, arrays) for item in value]}
    kind = type(value)
    name = f"{kind.__module__}:{kind.__qualname__}"
    own = kind.__module__.startswith("saelib.")
    if isinstance(value, tuple) and (own or kind is tuple):
        items = [pack(item, arrays) for item in value]
        return {"tuple": items} if kind is tuple else {"tuple": items, "class": name}
    if own and not callable(value) and hasattr(value, "__dict__"):
        state = {key: pack(item, arrays) for key, item in vars(value).items()}
        return {"object": name, "state": state}
    raise NotPlainError(f"a {kind.__name__} is not kept")


def _pack_array(value: np.ndarray[Any, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if value.dtype.kind not in "fiub":
        raise NotPlainError(f"an array of {value.dtype} is not kept")
    if value.size > MOST:
        raise NotPlainError(f"an array of {value.size:,} numbers is data")
    kept = value
    if value.dtype == np.float64 and value.size >= LONG:
        kept = value.astype(np.float32)
    for name, other in arrays.items():
        if other.dtype == kept.dtype and np.array_equal(other, kept):
            return {"array": name, "dtype": value.dtype.str}
    name = str(len(arrays))
    arrays[name] = np.ascontiguousarray(kept)
    return {"array": name, "dtype": value.dtype.str}


def unpack(tree: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    """Return the value of which `pack` made `tree`."""
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]].astype(tree["dtype"])
    if "number" in tree:
        return np.dtype(tree["number"]).type(tree["value"])
    if "dict" in tree:
        return {unpack(k, arrays): unpack(v, arrays) for k, v in tree["dict"]}
    if "list" in tree:
        return [unpack(item, arrays) for item in tree["list"]]
    if "tuple" in tree:
        items = [unpack(item, arrays) for item in tree["tuple"]]
        return _class(tree["class"])(*items) if "class" in tree else tuple(items)
    made = object.__new__(_class(tree["object"]))
    for key, item in tree["state"].items():
        object.__setattr__(made, key, unpack(item, arrays))
    return made


def _class(name: str) -> Any:
    module, _, qualified = name.partition(":")
    if not module.startswith("saelib."):
        raise NotPlainError(f"{name} is not of saelib")
    found: Any = importlib.import_module(module)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found


def read(content: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Return the arrays of a safetensors file, and what its description says."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    data = memoryview(content)[8 + length :]
    description = json.loads(header.pop("__metadata__")["description"])
    types = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
    arrays = {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        flat = np.frombuffer(data[start:stop], types[entry["dtype"]])
        arrays[name] = flat.reshape(entry["shape"])
    return arrays, description


def values(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the names that a file holds with their values, and its description."""
    arrays, description = read(content)
    kept = {name: unpack(tree, arrays) for name, tree in description["names"].items()}
    return kept, description
