"""Which steps a replay holds and where sequences can start, by arithmetic alone.

Every step has a *row* (its number within the stream) and a *stream*. Both follow from
its *id*, which counts steps over the whole run, row by row. Rows written with the same
number of streams form a *group*; sequences never run across groups.

    row      0        1        2    |  3     4          N = 3, then N = 2
    id       0 1 2    3 4 5    6 7 8 | 9 10  11 12
"""

from __future__ import annotations

import dataclasses

import numpy as np

from dreamerv3_tf.replay.segments import ReplayError


@dataclasses.dataclass
class Group:
    """Adjacent rows with the same number of streams.

    Attributes:
        first: first row that is still there.
        end: row after the last.
        streams: number of streams.
        step: id of the step (`first`, stream 0).
    """

    first: int
    end: int
    streams: int
    step: int


class Index:
    """Groups of rows, oldest first.

    Args:
        length: steps of a sequence, `L`.
    """

    def __init__(self, length: int):
        self.length = length
        self.groups: list[Group] = []

    @property
    def end_row(self) -> int:
        """Number of the next row."""
        return self.groups[-1].end if self.groups else 0

    @property
    def end_step(self) -> int:
        """Id of the next step."""
        if not self.groups:
            return 0
        last = self.groups[-1]
        return last.step + (last.end - last.first) * last.streams

    @property
    def first_row(self) -> int:
        """Oldest row."""
        return self.groups[0].first if self.groups else 0

    @property
    def first_step(self) -> int:
        """Id of the oldest step."""
        return self.groups[0].step if self.groups else 0

    @property
    def steps(self) -> int:
        """Steps held, of all streams."""
        return self.end_step - self.first_step

    @property
    def items(self) -> int:
        """Start positions of sequences."""
        return sum(self._starts(group) for group in self.groups)

    def append(self, streams: int, rows: int = 1) -> None:
        """Count new rows at the end."""
        if not self.groups or self.groups[-1].streams != streams:
            end = self.end_row
            self.groups.append(Group(end, end, streams, self.end_step))
        self.groups[-1].end += rows

    def begin(self, row: int, step: int, streams: int) -> None:
        """Say where the first row stands that will be appended to an empty index."""
        assert not self.groups, self.groups
        self.groups.append(Group(row, row, streams, step))

    def evict(self, row: int) -> None:
        """Forget all rows before `row`."""
        while len(self.groups) > 1 and self.groups[0].end <= row:
            self.groups.pop(0)
        group = self.groups[0]
        assert row <= group.end, (row, group)
        group.step += max(0, row - group.first) * group.streams
        group.first = max(group.first, row)

    def require_items(self) -> int:
        """Number of start positions.

        Raises:
            ReplayError: there is none.
        """
        items = self.items
        if not items:
            rows = self.groups[-1].end - self.groups[-1].first if self.groups else 0
            raise ReplayError(
                f"Nothing to draw from replay: a sequence has {self.length} steps, "
                f"each stream holds {rows}. Collect more steps before training."
            )
        return items

    def pick(self, ranks: np.ndarray) -> np.ndarray:
        """Ids of start positions, given how many older ones there are, int64 `[B]`."""
        table = self._table()
        counts = table[:, 4]
        ends = np.cumsum(counts)
        place = np.searchsorted(ends, ranks, "right")
        return ranks - (ends - counts)[place] + table[place, 3]

    def locate(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and stream of steps that are held, int64 `[B]` each."""
        table = self._table()
        place = np.searchsorted(table[:, 3], ids, "right") - 1
        first, _, streams, step, _ = table[place].T
        return first + (ids - step) // streams, (ids - step) % streams

    def bounds(self, row: np.ndarray) -> np.ndarray:
        """`first, end, streams, step` of the groups of rows, int64 `[B, 4]`.

        Rows before the oldest get the oldest group.
        """
        table = self._table()
        place = np.searchsorted(table[:, 0], row, "right") - 1
        return table[np.maximum(place, 0), :4]

    def _starts(self, group: Group) -> int:
        return max(0, group.end - group.first - self.length + 1) * group.streams

    def _table(self) -> np.ndarray:
        rows = [
            (g.first, g.end, g.streams, g.step, self._starts(g)) for g in self.groups
        ]
        return np.array(rows, np.int64)  # [groups, 5]
