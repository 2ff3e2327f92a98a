"""The steps of a replay on disk: a folder of segments within a capacity."""

from __future__ import annotations

import bisect
import fcntl
import os
import pathlib
import weakref
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.replay.index import Index
from dreamerv3_tf.replay.segments import (
    ALIGN,
    PAGE,
    Layout,
    ReplayError,
    Segment,
    check_spaces,
    describe,
    open_segments,
)
from dreamerv3_tf.spaces import Space

SEGMENT_BYTES = 32 << 20
"""Aim for a segment: few files at 100 GB, and small next to the capacity."""

SEGMENTS = 16
"""A segment, which is what one eviction takes, is at most this part of the capacity."""


class Piece(NamedTuple):
    """Part of a sequence that lies in one segment.

    Attributes:
        arrays: `[N, rows, ...]` by key.
        start: first row there.
        stop: row after the last there.
        offset: place of the first row in the sequence.
    """

    arrays: dict[str, np.ndarray]
    start: int
    stop: int
    offset: int


class Store:
    """Rows of `streams` steps on disk, oldest segments evicted.

    Args:
        directory: folder of the segments, opened without reading their data.
        spaces: of the keys to store.
        streams: number of streams of new rows.
        length: steps of a sequence.
        capacity: steps over all streams, never exceeded; 0 for no such limit.
        capacity_bytes: bytes of disk, never exceeded; 0 for no such limit.
        side_bytes: bytes that others keep on disk for each step of the capacity.

    Attributes:
        index: which steps there are.
        capacity: steps held at most, whichever limit is tighter.
        segments: oldest first.

    Raises:
        ReplayError: a capacity is too small, a file is damaged, the spaces differ from
            those on disk, or another process uses the folder.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        spaces: Mapping[str, Space],
        *,
        streams: int,
        length: int,
        capacity: int,
        capacity_bytes: int = 0,
        side_bytes: int = 0,
    ):
        self.directory = directory
        self.index = Index(length)
        self.streams = streams
        described = {key: describe(spaces[key]) for key in sorted(spaces)}
        self._layout = Layout(described, streams, 1)
        self.capacity = step_limit(
            self._layout, length, capacity, capacity_bytes, side_bytes
        )
        self._side_bytes = PAGE + side_bytes * self.capacity if side_bytes else 0
        self._byte_limit = capacity_bytes - self._side_bytes if capacity_bytes else 0
        self._rows = segment_rows(self._layout, length, self.capacity, self._byte_limit)
        directory.mkdir(parents=True, exist_ok=True)
        # Released when closed, or when an error below leaves no store behind.
        self._unlock = weakref.finalize(self, os.close, lock(directory))
        self.segments: list[Segment] = []
        self._firsts: list[int] = []
        self._segment_bytes = 0
        for segment in open_segments(directory):
            check_spaces(segment, described)
            if segment.committed:
                self._append(segment)
            else:
                segment.delete()
        self._evict(0, 0)

    @property
    def disk_bytes(self) -> int:
        """Bytes of disk taken by the folder."""
        return self._segment_bytes + self._side_bytes

    def make_room(self) -> bool:
        """Make sure that one more row fits, and say whether something was evicted.

        Raises:
            ReplayError: the disk is full.
        """
        evicted = self._evict(self.streams, 0)
        last = self.segments[-1].layout if self.segments else None
        # A segment of an earlier run goes on if it is as this run would make it.
        fits = last and last.streams == self.streams and last.rows <= self._rows
        if not fits or self.segments[-1].full:
            layout = Layout(
                self._layout.spaces,
                self.streams,
                self._rows,
                self.index.end_row,
                self.index.end_step,
            )
            evicted |= self._evict(self.streams, layout.arrays()[1])
            self._append(Segment.create(self.directory, layout))
        return evicted

    def append(self, values: Mapping[str, np.ndarray]) -> None:
        """Write a row `[N, ...]` by key, for which there is room."""
        self.segments[-1].append(values)
        self.index.append(self.streams)

    def pieces(self, row: int, count: int) -> list[Piece]:
        """Where `count` rows from `row` on lie; evicted ones are left out."""
        end = row + count
        place = max(0, bisect.bisect_right(self._firsts, row) - 1)
        pieces = []
        while place < len(self.segments):
            segment = self.segments[place]
            first = segment.first_row
            start, stop = max(row, first), min(end, segment.end_row)
            if start >= stop:
                break
            piece = Piece(segment.arrays, start - first, stop - first, start - row)
            pieces.append(piece)
            place += 1
        return pieces

    def close(self) -> None:
        """Release the folder; everything is on disk already."""
        self._unlock()
        self.segments.clear()

    def _append(self, segment: Segment) -> None:
        layout = segment.layout
        if not self.index.groups:
            self.index.begin(layout.first_row, layout.first_step, layout.streams)
        self.index.append(layout.streams, segment.committed)
        self.segments.append(segment)
        self._firsts.append(segment.first_row)
        self._segment_bytes += segment.disk_bytes

    def _evict(self, steps: int, size: int) -> bool:
        """Remove the oldest segments until so many more steps and bytes fit."""
        evicted = False
        while self.segments and (
            self.index.steps + steps > self.capacity
            or self._byte_limit
            and self._segment_bytes + size > self._byte_limit
        ):
            segment = self.segments.pop(0)
            self._firsts.pop(0)
            self._segment_bytes -= segment.disk_bytes
            self.index.evict(segment.end_row)
            segment.delete()
            evicted = True
        return evicted


def step_limit(
    row: Layout, length: int, capacity: int, capacity_bytes: int, side_bytes: int
) -> int:
    """Steps that the tighter of the two capacities allows.

    Raises:
        ReplayError: there is no capacity, or too little for two sequences per stream.
    """
    limits = []
    if capacity:
        limits.append(capacity)
    if capacity_bytes:
        step_bytes = row.row_bytes // row.streams + side_bytes
        limits.append(capacity_bytes // step_bytes)
    if not limits:
        raise ReplayError(
            "replay.capacity and replay.capacity_bytes are both 0; set one of them."
        )
    least = 2 * length * row.streams
    if min(limits) < least:
        raise ReplayError(
            f"The replay holds {min(limits)} steps, but {row.streams} streams with "
            f"sequences of {length} steps need at least {least}. Raise replay.capacity "
            "or replay.capacity_bytes, or use fewer environments."
        )
    return min(limits)


def segment_rows(row: Layout, length: int, capacity: int, byte_limit: int) -> int:
    """Rows of a segment: about 32 MiB, several sequences, 1/16 of the capacity.

    Raises:
        ReplayError: the bytes are too few for segments at all.
    """
    rows = max(SEGMENT_BYTES // row.row_bytes, 4 * length)
    rows = max(1, min(rows, capacity // row.streams // SEGMENTS))
    if not byte_limit:
        return rows
    beside = 2 * PAGE + len(row.head()) + ALIGN * len(row.spaces)
    rows = min(rows, (byte_limit // SEGMENTS - beside) // row.row_bytes)
    if rows * (SEGMENTS - 1) < length:
        least = SEGMENTS * (beside + row.row_bytes * (1 + length // (SEGMENTS - 1)))
        raise ReplayError(
            f"replay.capacity_bytes leaves {byte_limit / 1e6:.1f} MB for segments, but "
            f"{row.streams} streams with sequences of {length} steps need at least "
            f"{least / 1e6:.1f} MB."
        )
    return rows


def lock(directory: pathlib.Path) -> int:
    """A file descriptor that keeps other processes out of the folder until closed.

    Raises:
        ReplayError: another process uses the folder.
    """
    file = os.open(directory / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise ReplayError(
            f"{directory} is in use by another process. Stop that run, or use another "
            "--logdir."
        ) from error
    return file
