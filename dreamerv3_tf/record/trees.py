"""Nested state as two files: the structure as JSON, the arrays as raw bytes.

A tree is a dict with string keys, a list, an array, a number, a bool, a string or
`None`. Nothing else is taken, so that reading a file can never run code. Structure and
scalars are in `<name>.json`; where an array stands, that file has

    {"$": "array", "dtype": "<f4", "shape": [8, 3], "offset": 128, "scalar": false}

and the bytes, in C order, are in `<name>.bin` at that offset. Arrays are written
and read one by one: neither direction holds the state twice.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import pathlib
from typing import Any, BinaryIO, NamedTuple

import numpy as np

PIECE = 1 << 24  # bytes that are read and hashed at a time

# Any: the type is recursive, and a leaf may be anything with `__array__`.
Tree = Any


class FileSum(NamedTuple):
    """Size and checksum of a file.

    Attributes:
        size: bytes.
        sha256: of the content, hexadecimal, as `sha256sum` prints it.
    """

    size: int
    sha256: str


class DamagedFile(Exception):
    """A file is missing, cut off or changed; the message names it."""


def write_tree(folder: pathlib.Path, name: str, tree: Tree) -> dict[str, FileSum]:
    """Writes `<name>.json` and `<name>.bin` into `folder` and syncs them to the disk.

    Args:
        folder: exists, and has no such files yet.
        name: of the files, without ending.
        tree: see above. An object with `__array__`, such as a variable on a device, is
            fetched when its turn comes, and reads back as numpy array.

    Returns:
        Size and checksum of both files by file name.

    Raises:
        TypeError: the tree holds something else; says where.
    """
    with open(folder / f"{name}.bin", "xb") as file:
        sink = _Sink(file)
        structure = _encode(tree, sink, name)
        _sync(file)
    text = json.dumps(structure, allow_nan=False, separators=(",", ":"))
    return {
        f"{name}.bin": FileSum(sink.size, sink.hash.hexdigest()),
        f"{name}.json": write_file(folder / f"{name}.json", text.encode()),
    }


def read_tree(folder: pathlib.Path, name: str, sums: dict[str, FileSum]) -> Tree:
    """Reads what `write_tree` wrote, after checking it against `sums`.

    Raises:
        DamagedFile: a file is missing, or is not the one that was written.
    """
    text = read_file(folder / f"{name}.json", sums[f"{name}.json"])
    path, expected = folder / f"{name}.bin", sums[f"{name}.bin"]
    check_size(path, expected.size)
    with open(path, "rb") as file:
        source = _Source(file, path)
        tree = _decode(json.loads(text), source)
        source.skip_to(expected.size)
    check_hash(path, source.hash.hexdigest(), expected)
    return tree


def write_file(path: pathlib.Path, data: bytes) -> FileSum:
    """Writes a new file and syncs it to the disk."""
    with open(path, "xb") as file:
        file.write(data)
        _sync(file)
    return FileSum(len(data), hashlib.sha256(data).hexdigest())


def read_file(path: pathlib.Path, expected: FileSum) -> bytes:
    """Content of a file that has the expected checksum.

    Raises:
        DamagedFile: it is missing or another.
    """
    check_size(path, expected.size)
    data = path.read_bytes()
    check_hash(path, hashlib.sha256(data).hexdigest(), expected)
    return data


def check_size(path: pathlib.Path, size: int) -> None:
    """Makes sure that a file exists and has so many bytes.

    Raises:
        DamagedFile: it does not.
    """
    if not path.is_file():
        raise DamagedFile(f"{path} is missing.")
    found = path.stat().st_size
    if found != size:
        raise DamagedFile(f"{path} has {found:,} bytes, {size:,} were written.")


def check_hash(path: pathlib.Path, found: str, expected: FileSum) -> None:
    """Compares a checksum.

    Raises:
        DamagedFile: they differ.
    """
    if found != expected.sha256:
        raise DamagedFile(
            f"{path} is not what was written: sha256 {found[:12]}…, "
            f"expected {expected.sha256[:12]}…"
        )


class _Sink:
    """Appends arrays to a file and hashes what goes by."""

    def __init__(self, file: BinaryIO):
        self.hash = hashlib.sha256()
        self.size = 0
        self._file = file

    def add(self, array: np.ndarray) -> int:
        """Returns the offset of the array in the file."""
        offset = self.size
        if array.nbytes:  # in C order; one array at a time may be copied for that
            flat = np.asarray(array, order="C").reshape(-1).view(np.uint8)
            for start in range(0, flat.size, PIECE):
                self._write(flat[start : start + PIECE].data)
        return offset

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.hash.update(data)
        self.size += len(data)


class _Source:
    """Reads arrays in the order in which they were written, hashing everything."""

    def __init__(self, file: io.BufferedReader, path: pathlib.Path):
        self.hash = hashlib.sha256()
        self._file = file
        self._path = path
        self._position = 0

    def read(self, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        self.skip_to(offset)
        array = np.empty(shape, dtype)
        if array.nbytes:
            flat = array.reshape(-1).view(np.uint8)
            for start in range(0, flat.size, PIECE):
                self._fill(flat[start : start + PIECE].data)
        return array

    def skip_to(self, offset: int) -> None:
        while self._position < offset:
            self._fill(memoryview(bytearray(min(PIECE, offset - self._position))))

    def _fill(self, piece: memoryview) -> None:
        view = piece
        while view:
            count = self._file.readinto(view)
            if not count:
                raise DamagedFile(f"{self._path} ends at byte {self._position:,}.")
            view = view[count:]
        self.hash.update(piece)
        self._position += len(piece)


def _encode(tree: Tree, sink: _Sink, where: str) -> Any:
    if isinstance(tree, np.generic) or hasattr(tree, "__array__"):
        return _encode_array(tree, sink, where)
    if tree is None or isinstance(tree, (bool, int, str)):
        return tree
    if isinstance(tree, float):
        return tree if math.isfinite(tree) else {"$": "float", "value": repr(tree)}
    if type(tree) is list:
        return [_encode(x, sink, f"{where}[{i}]") for i, x in enumerate(tree)]
    if isinstance(tree, dict):
        bad = [key for key in tree if not isinstance(key, str)]
        if bad:
            raise TypeError(f"{where} has the key {bad[0]!r}; keys must be strings.")
        items = {k: _encode(x, sink, f"{where}.{k}") for k, x in tree.items()}
        return {"$": "dict", "value": items} if "$" in items else items
    raise TypeError(
        f"{where} is a {type(tree).__name__}, which a checkpoint cannot hold. It takes "
        "dicts, lists, numpy arrays, numbers, bools, strings and None."
    )


def _encode_array(tree: Tree, sink: _Sink, where: str) -> dict[str, Any]:
    array = np.asarray(tree)
    return {
        "$": "array",
        "dtype": _dtype_name(array.dtype, where),
        "shape": list(array.shape),
        "offset": sink.add(array),
        "scalar": isinstance(tree, np.generic),
    }


def _decode(node: Any, source: _Source) -> Tree:
    if isinstance(node, list):
        return [_decode(x, source) for x in node]
    if not isinstance(node, dict):
        return node
    match node.get("$"):
        case None:
            return {key: _decode(x, source) for key, x in node.items()}
        case "dict":
            return {key: _decode(x, source) for key, x in node["value"].items()}
        case "float":
            return float(node["value"])
        case _:
            dtype = _dtype(node["dtype"])
            array = source.read(node["offset"], tuple(node["shape"]), dtype)
            return array[()] if node["scalar"] else array


def _dtype_name(dtype: np.dtype, where: str) -> str:
    if dtype.type.__module__ == "ml_dtypes":
        return dtype.name
    if dtype.kind not in "biufcSUmM":
        raise TypeError(
            f"{where} is an array of dtype {dtype}, which a checkpoint cannot hold. It "
            "takes numbers, bools and strings of fixed width."
        )
    return dtype.str  # with byte order and unit


def _dtype(name: str) -> np.dtype:
    if name[0] in "<>|=":
        return np.dtype(name)
    import ml_dtypes  # comes with TensorFlow; only such arrays need it

    return np.dtype(getattr(ml_dtypes, name))


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
