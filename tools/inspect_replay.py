"""Print what a replay folder holds: segments, keys, bytes and episodes.

    python tools/inspect_replay.py LOGDIR/replay

It only reads, so it can look at the replay of a run that is going on.
"""

from __future__ import annotations

import pathlib
import sys
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.replay.segments import ReplayError, Segment, open_segments, show


class Episodes(NamedTuple):
    """What the flags and rewards say.

    Attributes:
        returns: float64 `[E]`, reward units, of episodes that are there from `is_first`
            to `is_last`.
        lengths: int64 `[E]`, stored steps of each (actions + 1).
        terminal: how many of them ended with `is_terminal`.
        cut: further episodes whose begin or end is missing.
    """

    returns: np.ndarray
    lengths: np.ndarray
    terminal: int
    cut: int


def groups(segments: list[Segment]) -> list[list[Segment]]:
    """Adjacent segments with the same number of streams."""
    found: list[list[Segment]] = []
    for segment in segments:
        if not found or found[-1][-1].layout.streams != segment.layout.streams:
            found.append([])
        found[-1].append(segment)
    return found


def read(segments: list[Segment], key: str) -> np.ndarray:
    """All committed rows of a key, `[streams, rows, ...]`."""
    parts = [segment.arrays[key][:, : segment.committed] for segment in segments]
    return np.concatenate(parts, 1)


def find_episodes(segments: list[Segment]) -> Episodes:
    """Statistics of the episodes in all segments."""
    returns, lengths, terminal, cut = [], [], 0, 0
    for group in groups(segments):
        keys = ("reward", "is_first", "is_last", "is_terminal")
        for reward, first, last, term in zip(
            *(read(group, key) for key in keys), strict=True
        ):
            # A piece begins with the stream and at each is_first.
            begins = np.union1d([0], np.flatnonzero(first))
            ends = np.append(begins[1:], len(first)) - 1
            whole = first[begins] & last[ends]
            scores = np.add.reduceat(reward.astype(np.float64), begins)
            returns.append(scores[whole])
            lengths.append((ends - begins + 1)[whole])
            terminal += int(term[ends][whole].sum())
            cut += int((~whole).sum())
    empty = np.zeros(0)
    return Episodes(
        np.concatenate([empty, *returns]),
        np.concatenate([empty.astype(np.int64), *lengths]),
        terminal,
        cut,
    )


def segment_table(segments: list[Segment]) -> str:
    """One line per group of segments with the same streams."""
    lines = [f"{'rows':>25} {'streams':>8} {'steps':>12} {'segments':>9} {'MB':>10}"]
    for group in groups(segments):
        first, end = group[0].first_row, group[-1].end_row
        streams = group[0].layout.streams
        size = sum(segment.disk_bytes for segment in group) / 1e6
        lines.append(
            f"{f'{first:,} to {end:,}':>25} {streams:>8} {(end - first) * streams:>12,}"
            f" {len(group):>9} {size:>10,.1f}"
        )
    return "\n".join(lines)


def key_table(segment: Segment) -> str:
    """One line per key."""
    lines = [f"{'key':<20} {'entry':<32} {'bytes a step':>12}"]
    places, _ = segment.layout.arrays()
    for key, entry in segment.layout.spaces.items():
        _, shape, dtype = places[key]
        size = int(np.prod(shape[2:], dtype=np.int64)) * dtype.itemsize
        lines.append(f"{key:<20} {show(entry):<32} {size:>12,}")
    return "\n".join(lines)


def episode_table(episodes: Episodes) -> str:
    """Count, returns and lengths of episodes."""
    count = len(episodes.returns)
    lines = [
        f"{count} whole episodes, {episodes.terminal} of them terminal; "
        f"{episodes.cut} more without their begin or end"
    ]
    for name, values in (("return", episodes.returns), ("length", episodes.lengths)):
        if count:
            low, middle, high = np.percentile(values, [0, 50, 100])
            lines.append(
                f"{name:<8} mean {values.mean():.2f}, median {middle:.2f}, "
                f"from {low:.2f} to {high:.2f}"
            )
    return "\n".join(lines)


def describe_replay(directory: pathlib.Path) -> str:
    """All tables of a folder.

    Raises:
        ReplayError: a file there is damaged or foreign.
    """
    segments = [s for s in open_segments(directory, writable=False) if s.committed]
    if not segments:
        return f"{directory} holds no steps."
    tables = [segment_table(segments), key_table(segments[-1])]
    if {"reward", "is_terminal"} <= segments[-1].layout.spaces.keys():
        tables.append(episode_table(find_episodes(segments)))
    return "\n\n".join([str(directory), *tables])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not pathlib.Path(arguments[0]).is_dir():
        print("usage: python tools/inspect_replay.py REPLAY_FOLDER", file=sys.stderr)
        return 2
    try:
        print(describe_replay(pathlib.Path(arguments[0])))
    except ReplayError as error:
        print(error, file=sys.stderr)
        return 2
    except FileNotFoundError as error:
        print(f"{error.filename} was evicted meanwhile; try again.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
