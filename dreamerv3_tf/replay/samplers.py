"""Which sequences to train on; all samplers are listed in `SAMPLERS` at the foot.

A sampler sees the `Index` of a replay and draws ids of start positions. It keeps no
object per sequence, so a draw costs the same at 1e4 and at 1e7 steps.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamerv3_tf.replay.index import Index
from dreamerv3_tf.replay.priorities import PriorityFile, sequence_weight
from dreamerv3_tf.replay.segments import ReplayError
from dreamerv3_tf.replay.weighted import SumTree, zipf


class Sampler:
    """Draws start positions; the base of all samplers.

    Args:
        index: the steps of the replay, kept up to date by the replay.
        directory: folder of the replay, for what a sampler must remember per step.
        capacity: bound of the steps held at any time.
    """

    step_bytes = 0  # that the sampler keeps on disk for each step of the capacity

    def __init__(self, index: Index, directory: pathlib.Path, capacity: int):
        self.index = index
        self.directory = directory
        self.capacity = capacity

    def added(self) -> None:
        """One row was appended to the index."""

    def evicted(self) -> None:
        """Rows were removed at the front of the index."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Ids of start positions, int64 `[count]` (the online queue may give fewer).

        Raises:
            ReplayError: the replay holds no sequence.
        """
        raise NotImplementedError

    def prioritize(
        self, row: np.ndarray, stream: np.ndarray, priority: np.ndarray
    ) -> None:
        """New priorities `[B, T]` of the steps from `row`, `stream` `[B]` on."""

    def state(self) -> dict[str, Any]:
        """JSON-able state that is neither in the index nor on disk."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


class Uniform(Sampler):
    """Every start position of every stream with the same probability."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        items = self.index.require_items()
        return self.index.pick(rng.integers(0, items, count))


class Recency(Sampler):
    """New sequences more often: the weight of age `a` is `1/a^exponent`.

    The newest start position has age 1, the one before 2, and so on, as in the
    reference; but the streams of a row share its weight equally, where ranks alone
    would favour the last stream.

    Args:
        exponent: not negative; 0 is uniform.

    Raises:
        ReplayError: the exponent is negative.
    """

    def __init__(
        self,
        index: Index,
        directory: pathlib.Path,
        capacity: int,
        exponent: float = 1.0,
    ):
        super().__init__(index, directory, capacity)
        if exponent < 0:
            raise ReplayError(f"replay.recency_exponent is {exponent}, expected >= 0.")
        self.exponent = exponent

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        items = self.index.require_items()
        ids = self.index.pick(items - zipf(items, self.exponent, count, rng))
        row, stream = self.index.locate(ids)
        streams = self.index.bounds(row)[:, 2]
        return ids - stream + rng.integers(0, streams)


class Online(Sampler):
    """Fresh sequences, each once: the non-overlapping windows of what is added.

    Every `length` rows each stream completes a window, and the windows queue up, so
    that each step is trained on about once soon after it was collected. The queue is a
    cursor; it is as long as what replay still holds. It starts with the rows of this
    run, and anew when the number of streams or the length changes.

    Source: ALGORITHM 9.1 (the reference leaves out step 0 of every stream).
    """

    def __init__(self, index: Index, directory: pathlib.Path, capacity: int):
        super().__init__(index, directory, capacity)
        self.group = index.groups[-1] if index.groups else None
        self.anchor = index.end_row
        self.cursor = 0

    @property
    def waiting(self) -> int:
        """Windows in the queue."""
        if not self.index.groups:
            return 0
        group = self.index.groups[-1]
        done = max(0, group.end - self.anchor) // self.index.length * group.streams
        return max(0, done - self.cursor)

    def added(self) -> None:
        group = self.index.groups[-1]
        if group is not self.group:
            self.group, self.anchor, self.cursor = group, group.first, 0

    def evicted(self) -> None:
        group = self.index.groups[-1]
        gone = -(-max(0, group.first - self.anchor) // self.index.length)
        self.cursor = max(self.cursor, gone * group.streams)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        self.index.require_items()
        places = self.cursor + np.arange(min(count, self.waiting), dtype=np.int64)
        if not len(places):
            return places
        self.cursor += len(places)
        group = self.index.groups[-1]
        row = self.anchor + places // group.streams * self.index.length
        return group.step + (row - group.first) * group.streams + places % group.streams

    def state(self) -> dict[str, Any]:
        return {
            "anchor": self.anchor,
            "cursor": self.cursor,
            "length": self.index.length,
            "streams": self.group.streams if self.group else 0,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; it is ignored where it does not fit the replay."""
        now = self.state()
        if not self.group:
            return
        if any(state[key] != now[key] for key in ("length", "streams")):
            return
        if state["anchor"] <= self.index.end_row:
            self.anchor, self.cursor = int(state["anchor"]), int(state["cursor"])
            self.evicted()


class Priority(Sampler):
    """Sequences in proportion to the priorities of their steps.

        weight = m·max_t p_t^α + (1 − m)·mean_t p_t^α

    over the `L` steps of the sequence, `p_t` set by `prioritize`, `α` the exponent and
    `m` the maximum's share. A sequence with an infinite priority comes before all that
    have none. Where all weights are 0 the draw is uniform.

    Priorities are a file in the folder of the replay, so a resumed run has them.

    Source: ALGORITHM 9.1.

    Args:
        exponent: `α`, not negative.
        max_fraction: `m`, in [0, 1].
        initial: priority of a new step; may be infinite.
        zero_on_sample: set the priorities of all steps of a drawn sequence to 0.

    Raises:
        ReplayError: an argument is out of range.
    """

    step_bytes = 4

    def __init__(
        self,
        index: Index,
        directory: pathlib.Path,
        capacity: int,
        exponent: float = 0.8,
        max_fraction: float = 0.5,
        initial: float = float("inf"),
        zero_on_sample: bool = True,
    ):
        super().__init__(index, directory, capacity)
        if exponent < 0 or not 0 <= max_fraction <= 1 or not initial >= 0:
            raise ReplayError(
                f"replay.priority has exponent {exponent}, max_fraction {max_fraction} "
                f"and initial {initial}; expected >= 0, 0 to 1 and >= 0."
            )
        self.exponent = exponent
        self.max_fraction = max_fraction
        self.zero_on_sample = zero_on_sample
        self.file = PriorityFile(directory, capacity, index, initial)
        self.tree = SumTree(capacity)
        self.first_step = index.first_step
        for group in index.groups:
            stream = np.arange(group.streams)
            for row in range(group.first, group.end, 4096):
                self._refresh(np.full(group.streams, row), stream, 4096)

    def added(self) -> None:
        self.file.extend(self.index.end_step)
        group = self.index.groups[-1]
        stream = np.arange(group.streams)
        row = np.full(group.streams, group.end - 1)
        self._refresh(row, stream, 1)

    def evicted(self) -> None:
        gone = np.arange(self.first_step, self.index.first_step)
        self.tree.set(gone % self.capacity, 0.0)
        self.first_step = self.index.first_step

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        items = self.index.require_items()
        if self.tree.total > 0:
            slots = self.tree.draw(rng.random(count))
            first = self.first_step
            ids = first + (slots - first) % self.capacity
        else:
            ids = self.index.pick(rng.integers(0, items, count))
        if self.zero_on_sample:
            row, stream = self.index.locate(ids)
            self.prioritize(row, stream, np.zeros((count, self.index.length)))
        return ids

    def prioritize(
        self, row: np.ndarray, stream: np.ndarray, priority: np.ndarray
    ) -> None:
        if not (priority >= 0).all():
            raise ReplayError("A replay priority is negative or NaN; expected >= 0.")
        slots, held = self._slots(row, stream, 0, priority.shape[1])
        self.file.values[slots[held]] = priority[held]
        self._refresh(row, stream, priority.shape[1])

    def _slots(
        self, row: np.ndarray, stream: np.ndarray, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places of the steps `row + start` to `row + stop`, and which are held.

        Both are `[B, stop - start]`. Held means: in replay, in the group of `row`.
        """
        first, end, streams, step = self.index.bounds(row).T[..., None]
        rows = row[:, None] + np.arange(start, stop)
        slots = (step + (rows - first) * streams + stream[:, None]) % self.capacity
        return slots, (rows >= first) & (rows < end)

    def _refresh(self, row: np.ndarray, stream: np.ndarray, count: int) -> None:
        """Weigh the sequences anew that contain one of `count` steps from `row` on."""
        more = self.index.length - 1
        slots, held = self._slots(row, stream, -more, count + more)
        values = np.where(held, self.file.values[slots], 0)
        weight = sequence_weight(values, more + 1, self.exponent, self.max_fraction)
        starts = held[:, : count + more] & held[:, more:]
        self.tree.set(slots[:, : count + more][starts], weight[starts])


SAMPLERS: dict[str, type[Sampler]] = {
    "uniform": Uniform,
    "recency": Recency,
    "online": Online,
    "priority": Priority,
}
