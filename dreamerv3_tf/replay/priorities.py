"""Priorities of steps, kept in a file, and what they make of a sequence."""

from __future__ import annotations

import mmap
import os
import pathlib

import numpy as np

from dreamerv3_tf.replay.index import Index
from dreamerv3_tf.replay.segments import ReplayError

NAME = "priorities.dv3"
MAGIC = int.from_bytes(b"DV3PRI01", "little")
HEAD = 16  # magic and the id after the last step with a priority, int64 each
FRESH = 1e100  # weight of a sequence with an infinite priority


class PriorityFile:
    """One float32 per step, in a ring: the step with id `i` is at `i % capacity`.

    Steps that were added while no file was kept begin with the initial priority, and a
    file of another capacity is converted.

    Args:
        directory: folder of the replay.
        capacity: length of the ring, at least the steps held at any time.
        index: the steps held now.
        initial: priority of new steps.

    Attributes:
        values: float32 `[capacity]`, mapped.

    Raises:
        ReplayError: the file is damaged or foreign.
    """

    def __init__(
        self, directory: pathlib.Path, capacity: int, index: Index, initial: float
    ):
        self.path = directory / NAME
        self.capacity = capacity
        self.initial = initial
        known, old = (
            self._read() if self.path.exists() else (0, np.zeros(1, np.float32))
        )
        if len(old) == capacity:
            self.values, self._head = self._map(self.path)
        else:
            self._replace()
        if known > index.end_step:  # the file is from a replay that was deleted
            known = 0
        kept = np.arange(max(index.first_step, known - len(old)), known)
        self.values[kept % capacity] = old[kept % len(old)].copy()
        start = kept[0] if len(kept) else index.end_step
        self._fill(index.first_step, start)
        self._head[1] = max(known, start)
        self.extend(index.end_step)

    def extend(self, end: int) -> None:
        """Give all steps up to the id `end` a priority."""
        self._fill(self._head[1], end)
        self._head[1] = end

    def _fill(self, start: int, end: int) -> None:
        self.values[np.arange(start, end) % self.capacity] = self.initial

    def _read(self) -> tuple[int, np.ndarray]:
        size = self.path.stat().st_size
        head = np.fromfile(self.path, "<i8", 2)
        if size < HEAD + 4 or (size - HEAD) % 4 or head[0] != MAGIC:
            raise ReplayError(
                f"{self.path}: it is no priority file of this version. Delete it; all "
                "steps then get the initial priority."
            )
        return int(head[1]), np.memmap(self.path, "<f4", "r", HEAD)

    def _replace(self) -> None:
        draft = self.path.with_name("." + NAME)
        with open(draft, "wb") as file:
            file.write(np.array([MAGIC, 0], "<i8").tobytes())
            file.flush()
            os.posix_fallocate(file.fileno(), 0, HEAD + 4 * self.capacity)
        self.values, self._head = self._map(draft)
        draft.rename(self.path)

    def _map(self, path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
        with open(path, "r+b") as file:
            pages = mmap.mmap(file.fileno(), 0)
        values = np.ndarray((self.capacity,), "<f4", pages, HEAD)
        return values, np.ndarray((2,), "<i8", pages, 0)


def sequence_weight(
    priority: np.ndarray, length: int, exponent: float, max_fraction: float
) -> np.ndarray:
    """Weights of all sequences of `length` steps, float64 `[B, count - length + 1]`.

    Args:
        priority: float32 `[B, count]`, not negative; may be infinite.
        length: steps of a sequence.
        exponent: of the priorities.
        max_fraction: share of the maximum; the rest is that of the mean.
    """
    fresh = np.isinf(priority)
    power = np.where(fresh, 0.0, priority).astype(np.float64) ** exponent
    windows = np.lib.stride_tricks.sliding_window_view
    power = windows(power, length, -1)
    weight = max_fraction * power.max(-1) + (1 - max_fraction) * power.mean(-1)
    weight[windows(fresh, length, -1).any(-1)] = FRESH
    return weight
