"""Segment files: memory-mapped steps of all streams, one array per key.

Layout of a file `segment-ROW.dv3`, little-endian:

    bytes 0..8      magic
    bytes 8..16     committed rows, int64, the only number that changes
    bytes 16..24    length of the JSON, int64
    bytes 24..      JSON: Layout
    then            one array per key, [streams, rows, ...], each at a multiple of 64

A *row* is one step of every stream. Arrays are stream-major, so a sequence is one
contiguous piece per key. A row is committed by raising the count after its data: the
pages belong to the kernel from then on, and a killed process loses the row under way
at most. (A power cut may lose what the kernel has not written back yet.)
"""

from __future__ import annotations

import dataclasses
import json
import math
import mmap
import os
import pathlib
import struct
from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.spaces import Space

MAGIC = b"DV3SEG01"
HEAD = struct.Struct("<8sqq")
PATTERN = "segment-{:015d}.dv3"
PAGE = 4096
ALIGN = 64


class ReplayError(ValueError):
    """Something a person can mend: a capacity, spaces, a damaged file, no data yet."""


def describe(space: Space) -> dict:
    """JSON-able description of what must not change while a replay is in use."""
    bounds = None
    if space.discrete:
        bounds = [
            int(np.min(np.asarray(space.low))),
            int(np.max(np.asarray(space.high))),
        ]
    shape = list(space.shape)
    return {"dtype": space.dtype.str, "shape": shape, "range": bounds}


def show(entry: Mapping | None) -> str:
    """A description as a person reads it, such as `float32 [24]`."""
    if entry is None:
        return "absent"
    text = f"{np.dtype(entry['dtype']).name} {entry['shape']}"
    if entry["range"]:
        text += " in [{}, {})".format(*entry["range"])
    return text


@dataclasses.dataclass(frozen=True)
class Layout:
    """What one segment file holds.

    Attributes:
        spaces: description of each key (see `describe`).
        streams: number `N` of streams.
        rows: rows that fit.
        first_row: number of the first row, counted over the whole run.
        first_step: number of the first step (row 0, stream 0), counted likewise.
    """

    spaces: dict[str, dict]
    streams: int
    rows: int
    first_row: int = 0
    first_step: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of all streams."""
        sizes = [
            math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize
            for entry in self.spaces.values()
        ]
        return self.streams * sum(sizes)

    def head(self) -> bytes:
        """The beginning of the file, with no row committed."""
        text = json.dumps(dataclasses.asdict(self)).encode()
        return HEAD.pack(MAGIC, 0, len(text)) + text

    def arrays(self) -> tuple[dict[str, tuple[int, tuple[int, ...], np.dtype]], int]:
        """Offset, shape and dtype of each key's array, and the bytes of the file."""
        offset = round_up(len(self.head()), PAGE)
        places = {}
        for key, entry in self.spaces.items():
            dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
            shape = (self.streams, self.rows, *shape)
            places[key] = (offset, shape, dtype)
            offset = round_up(offset + math.prod(shape) * dtype.itemsize, ALIGN)
        return places, round_up(offset, PAGE)


class Segment:
    """A segment file; its pages are mapped when `arrays` is first used.

    Args:
        path: the file.
        layout: what it holds.
        committed: rows that are complete.
        writable: map the file for writing.

    Attributes:
        disk_bytes: bytes that the file takes on disk.
    """

    def __init__(
        self, path: pathlib.Path, layout: Layout, committed: int, writable: bool = True
    ):
        self.path = path
        self.layout = layout
        self.committed = committed
        self.writable = writable
        stat = path.stat()
        # Some file systems count blocks late, so the size is a floor.
        self.disk_bytes = max(stat.st_blocks * 512, stat.st_size)
        self._arrays: dict[str, np.ndarray] = {}
        self._count: np.ndarray | None = None

    @classmethod
    def create(cls, directory: pathlib.Path, layout: Layout) -> Segment:
        """A new segment with all its space on disk reserved.

        Reserving makes a full disk an error here, where it can be reported; a sparse
        file would end the process with SIGBUS at some later row.

        Raises:
            ReplayError: there is no space left for it.
        """
        path = directory / PATTERN.format(layout.first_row)
        draft = path.with_name("." + path.name)
        _, size = layout.arrays()
        try:
            with open(draft, "wb") as file:
                file.write(layout.head())
                file.flush()
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise ReplayError(
                f"{directory}: cannot reserve {size / 1e6:.0f} MB for the next replay "
                f"segment ({error.strerror}). Free some space there, or set "
                "replay.capacity_bytes below what the disk can give."
            ) from error
        draft.rename(path)
        return cls(path, layout, 0)

    @classmethod
    def open(cls, path: pathlib.Path, writable: bool = True) -> Segment:
        """An existing segment; reads its head only.

        Raises:
            ReplayError: the file is no segment, or is damaged.
        """
        if not path.is_file():
            raise foreign(path)
        with open(path, "rb") as file:
            head = file.read(PAGE)
            if len(head) < HEAD.size or not head.startswith(MAGIC):
                raise foreign(path)
            _, committed, size = HEAD.unpack_from(head)
            file.seek(HEAD.size)
            text = file.read(min(max(size, 0), 1 << 24))
        try:
            layout = Layout(**json.loads(text))
            expected = layout.arrays()[1]
        except (ValueError, TypeError, KeyError) as error:
            raise damaged(path, f"its header cannot be read ({error})") from error
        actual = path.stat().st_size
        if actual != expected:
            raise damaged(path, f"it has {actual} bytes, its header says {expected}")
        if not 0 <= committed <= layout.rows:
            raise damaged(path, f"{committed} of {layout.rows} rows are committed")
        if path.name != PATTERN.format(layout.first_row):
            raise damaged(path, f"its header says that row {layout.first_row} is first")
        return cls(path, layout, committed, writable)

    @property
    def first_row(self) -> int:
        return self.layout.first_row

    @property
    def end_row(self) -> int:
        return self.layout.first_row + self.committed

    @property
    def full(self) -> bool:
        return self.committed == self.layout.rows

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays `[streams, rows, ...]` by key, views of the file."""
        if not self._arrays:
            self._map()
        return self._arrays

    def append(self, values: Mapping[str, np.ndarray]) -> None:
        """Write and commit one row.

        Args:
            values: `[streams, ...]` by key, of the dtypes of the layout.
        """
        slot = self.committed
        assert slot < self.layout.rows, (self.path, slot)
        for key, array in self.arrays.items():
            array[:, slot] = values[key]
        assert self._count is not None
        self._count[0] = self.committed = slot + 1

    def delete(self) -> None:
        """Remove the file; arrays that somebody still holds stay readable."""
        self.path.unlink()

    def _map(self) -> None:
        access = mmap.ACCESS_WRITE if self.writable else mmap.ACCESS_READ
        with open(self.path, "r+b" if self.writable else "rb") as file:
            pages = mmap.mmap(file.fileno(), 0, access=access)
        places, _ = self.layout.arrays()
        self._count = np.ndarray((1,), "<i8", pages, 8)
        self._arrays = {
            key: np.ndarray(shape, dtype, pages, offset)
            for key, (offset, shape, dtype) in places.items()
        }


def open_segments(directory: pathlib.Path, writable: bool = True) -> list[Segment]:
    """All segments of a replay folder, oldest first, without reading their data.

    Files whose name begins with a dot are not ours to judge (file systems and editors
    leave some), except drafts of a segment that a killed process had not named yet:
    they hold nothing, and go away if the folder is opened for writing.

    Raises:
        ReplayError: a file is damaged or foreign, or rows between two are missing.
    """
    segments = []
    for path in sorted(directory.iterdir()):
        if writable and path.name.startswith(".segment-"):
            path.unlink()
        if path.name.startswith(".") or path.name == "priorities.dv3":
            continue
        segments.append(Segment.open(path, writable))
    for left, right in zip(segments, segments[1:], strict=False):
        if left.end_row != right.first_row:
            raise damaged(
                right.path,
                f"it begins with row {right.first_row}, but {left.path.name} ends "
                f"before row {left.end_row}; a file is missing or is from another run",
            )
    return segments


def check_spaces(segment: Segment, wanted: Mapping[str, dict]) -> None:
    """Compare what a segment holds with what this run stores.

    Raises:
        ReplayError: a key differs.
    """
    found = segment.layout.spaces
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise ReplayError(
                f"{segment.path}: key '{key}' is {show(found.get(key))} on disk, "
                f"but this run needs it {show(wanted.get(key))}. Use another --logdir, "
                f"or delete {segment.path.parent} to start with an empty replay."
            )


def foreign(path: pathlib.Path) -> ReplayError:
    return ReplayError(
        f"{path}: it is no replay segment of version {MAGIC.decode()}. Move it to "
        "another place; only segments may lie here."
    )


def damaged(path: pathlib.Path, what: str) -> ReplayError:
    return ReplayError(
        f"{path}: {what}. Restore the file from a copy, or delete it together with all "
        "older segments of its folder; newer ones stay usable without them."
    )


def round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
