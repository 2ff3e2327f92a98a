"""Replay: steps of all streams on disk, sequences for training out of it.

Example:
    replay = Replay(logdir / "replay", spaces, streams=16, length=65, context=1,
                    capacity=5_000_000)
    replay.add(transition)                # {key: [N, ...]}
    positions = replay.draw(16)           # cheap, uses the random numbers
    data = replay.gather(positions)       # {key: [B, L, ...]}, from any thread
    replay.update(positions.addresses, {"deter": deter, "stoch": stoch})
"""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.replay import priorities
from dreamerv3_tf.replay.mixture import Mixture
from dreamerv3_tf.replay.samplers import SAMPLERS
from dreamerv3_tf.replay.segments import ReplayError
from dreamerv3_tf.replay.store import Piece, Store
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Addresses


class Positions(NamedTuple):
    """Sequences drawn. They stay readable when replay evicts them meanwhile.

    Attributes:
        row: int64 `[B]`, first row of the sequence (its first context step).
        stream: int64 `[B]`.
        pieces: where each sequence lies.
        addresses: of the first trained steps, for `Replay.update`.
    """

    row: np.ndarray
    stream: np.ndarray
    pieces: list[list[Piece]]
    addresses: Addresses


class Replay:
    """Steps of `streams` environments, on disk at once, the oldest evicted.

    One thread adds, draws and updates; `gather` may run in another one meanwhile.

    Args:
        directory: folder of the segments; opened without reading their data.
        spaces: what `add` gets, latents included; keys `log/...` are never stored.
        streams: environments of this run, `N`; may differ from the last run's.
        length: steps of a sequence, `L = P + T`.
        context: steps at its beginning that are not trained on, `P`; with 0 no latents
            are stored.
        capacity: steps over all streams, never exceeded; 0 for no such limit.
        capacity_bytes: bytes of disk, never exceeded; 0 for no such limit.
        online: give each fresh sequence once before anything else.
        mixture: weight of each other sampler, see `SAMPLERS`.
        options: keyword arguments of samplers, by name.
        seed: of the draws.
        latents: keys of the latents.

    Raises:
        ReplayError: a capacity is too small, a file is damaged, the spaces differ from
            those on disk, or another process uses the folder.
    """

    def __init__(
        self,
        directory: str | pathlib.Path,
        spaces: Mapping[str, Space],
        *,
        streams: int,
        length: int,
        context: int,
        capacity: int,
        capacity_bytes: int = 0,
        online: bool = True,
        mixture: Mapping[str, float] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 0,
        latents: Sequence[str] = ("deter", "stoch"),
    ):
        assert 0 <= context < length, (context, length)
        self.directory = pathlib.Path(directory)
        self.spaces = {k: v for k, v in spaces.items() if not k.startswith("log/")}
        self.streams = streams
        self.length = length
        self.context = context
        self.latents = tuple(key for key in latents if key in spaces)
        dropped = () if context else self.latents
        self.stored = {k: v for k, v in self.spaces.items() if k not in dropped}
        self._checked: set[str] = set()
        self._rng = np.random.default_rng(seed)
        self._report_rng = np.random.default_rng([seed, 1])
        self._counts = dict(inserts=0, samples=0, updates=0, skipped=0)
        shares = dict(mixture or {"uniform": 1.0})
        names = sampler_names(shares, online)
        self._store = Store(
            self.directory,
            self.stored,
            streams=streams,
            length=length,
            capacity=capacity,
            capacity_bytes=capacity_bytes,
            side_bytes=sum(SAMPLERS[name].step_bytes for name in names),
        )
        self._index = self._store.index
        if "priority" not in names:
            (self.directory / priorities.NAME).unlink(missing_ok=True)
        place = (self._index, self.directory, self._store.capacity)
        options = options or {}
        self._samplers = {n: SAMPLERS[n](*place, **options.get(n, {})) for n in names}
        self._mixture = Mixture(self._samplers, shares)

    def __len__(self) -> int:
        """Number of start positions."""
        return self._index.items

    def add(self, transition: Mapping[str, np.ndarray]) -> None:
        """Store one step of every stream.

        Args:
            transition: `[N, ...]` by key, exactly the keys of the spaces; keys
                `log/...`, and with context 0 the latents, are ignored.

        Raises:
            ReplayError: a key is missing, unknown or of another shape or dtype, or the
                disk is full.
        """
        if transition.keys() != self._checked:
            self._check_keys(transition)
        for key, space in self.stored.items():
            value = transition[key]
            if (
                value.shape != (self.streams, *space.shape)
                or value.dtype != space.dtype
            ):
                raise ReplayError(
                    f"replay.add: '{key}' is {value.dtype} {value.shape}, expected "
                    f"{space.dtype} {(self.streams, *space.shape)}."
                )
        if self._store.make_room():
            for sampler in self._samplers.values():
                sampler.evicted()
        self._store.append(transition)
        for sampler in self._samplers.values():
            sampler.added()
        self._counts["inserts"] += self.streams

    def draw(self, batch: int) -> Positions:
        """Choose sequences to train on.

        Raises:
            ReplayError: there is no sequence yet.
        """
        self._counts["samples"] += batch
        return self._locate(self._mixture.draw(batch, self._rng))

    def gather(self, positions: Positions) -> dict[str, np.ndarray]:
        """The data of drawn sequences.

        `is_first[:, 0]` is set, and `is_last[t]` where `is_first[t + 1]` is: that
        episode was abandoned by a restart. `consec` is 0, int32 `[B]`.

        Returns:
            `[B, L, ...]` by key, in fresh arrays; latents `[B, ...]`, of step `P - 1`
            (zeros where the context is 0).
        """
        count = len(positions.row)
        out = {}
        for key, space in self.spaces.items():
            if key in self.latents:
                out[key] = np.zeros((count, *space.shape), space.dtype)
            else:
                out[key] = np.empty((count, self.length, *space.shape), space.dtype)
        whole = [(k, v) for k, v in out.items() if k not in self.latents]
        last = self.context - 1
        for i, stream in enumerate(positions.stream.tolist()):
            for arrays, start, stop, offset in positions.pieces[i]:
                end = offset + stop - start
                for key, target in whole:
                    target[i, offset:end] = arrays[key][stream, start:stop]
                if offset <= last < end:
                    for key in self.latents:
                        out[key][i] = arrays[key][stream, start + last - offset]
        out["is_first"][:, 0] = True
        out["is_last"][:, :-1] |= out["is_first"][:, 1:]
        out["consec"] = np.zeros(count, np.int32)
        return out

    def sample(self, batch: int) -> tuple[dict[str, np.ndarray], Addresses]:
        """Uniform sequences for a report; leaves the draws for training as they are.

        Raises:
            ReplayError: there is no sequence yet.
        """
        items = self._index.require_items()
        ranks = self._report_rng.integers(0, items, batch)
        positions = self._locate(self._index.pick(ranks))
        return self.gather(positions), positions.addresses

    def update(self, addresses: Addresses, entries: Mapping[str, np.ndarray]) -> None:
        """Write latents back; steps that were evicted meanwhile are skipped.

        Args:
            addresses: first steps, as in `Positions.addresses`.
            entries: `[B, T, ...]` for each latent. Nothing happens with context 0.
        """
        if not self.context:
            return
        for key in self.latents:
            value, space = entries[key], self.spaces[key]
            assert value.shape[2:] == space.shape, (key, value.shape, space)
            assert value.dtype == space.dtype, (key, value.dtype, space)
        steps = entries[self.latents[0]].shape[1]
        for i, (row, stream) in enumerate(
            zip(addresses.row.tolist(), addresses.stream.tolist(), strict=True)
        ):
            for arrays, start, stop, offset in self._store.pieces(row, steps):
                end = offset + stop - start
                for key in self.latents:
                    arrays[key][stream, start:stop] = entries[key][i, offset:end]
            self._counts["skipped"] += min(steps, max(0, self._index.first_row - row))
        self._counts["updates"] += len(addresses.row)

    def prioritize(self, addresses: Addresses, priority: np.ndarray) -> None:
        """Set priorities `[B, T]` of trained steps, for a mixture with `priority`."""
        for sampler in self._samplers.values():
            sampler.prioritize(addresses.row, addresses.stream, priority)

    def stats(self) -> dict[str, float]:
        """Size now, and counts since the last call.

        Keys: `items` start positions, `steps`, `segments`, `bytes` on disk; since the
        last call `inserts` steps, `samples` sequences, `updates` sequences, `skipped`
        steps whose update came too late, `replay_ratio` trained per inserted step (0
        without inserts).
        """
        counts = dict(self._counts)
        self._counts = dict.fromkeys(counts, 0)
        trained = counts["samples"] * (self.length - self.context)
        return {
            "items": len(self),
            "steps": self._index.steps,
            "segments": len(self._store.segments),
            "bytes": self._store.disk_bytes,
            **counts,
            "replay_ratio": trained / counts["inserts"] if counts["inserts"] else 0.0,
        }

    def state(self) -> dict[str, Any]:
        """JSON-able state; with the folder as it is now, `restore` goes on here."""
        return {
            "rows": self._index.end_row,
            "rng": self._rng.bit_generator.state,
            "report_rng": self._report_rng.bit_generator.state,
            "counts": dict(self._counts),
            "samplers": {name: s.state() for name, s in self._samplers.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Where the folder is ahead, because the process was killed after the state was
        saved, its further rows are kept: they are good experience, also for the online
        queue. Where it is behind (deleted, say), the draws go on with what there is.

        Warns:
            UserWarning: the folder holds fewer rows than were there.
        """
        if self._index.end_row < state["rows"]:
            warnings.warn(
                f"{self.directory} ends at row {self._index.end_row}, the checkpoint "
                f"knew {state['rows']}; training goes on with what is there.",
                stacklevel=2,
            )
        self._rng.bit_generator.state = state["rng"]
        self._report_rng.bit_generator.state = state["report_rng"]
        self._counts = dict(state["counts"])
        for name, sampler in self._samplers.items():
            if name in state["samplers"]:
                sampler.restore(state["samplers"][name])

    def close(self) -> None:
        """Release the folder; everything is on disk already."""
        self._store.close()

    def locate(self, addresses: Addresses) -> Positions | None:
        """Positions of addresses from an earlier draw; `None` if any is evicted."""
        if not len(self):
            return None
        row = np.asarray(addresses.row, np.int64) - self.context
        stream = np.asarray(addresses.stream, np.int64)
        first, end, streams, _ = self._index.bounds(row).T
        held = (row >= first) & (row + self.length <= end) & (stream < streams)
        return self._positions(row, stream) if held.all() else None

    def _locate(self, ids: np.ndarray) -> Positions:
        return self._positions(*self._index.locate(ids))

    def _positions(self, row: np.ndarray, stream: np.ndarray) -> Positions:
        pieces = [self._store.pieces(first, self.length) for first in row.tolist()]
        return Positions(row, stream, pieces, Addresses(row + self.context, stream))

    def _check_keys(self, transition: Mapping[str, np.ndarray]) -> None:
        given = {key for key in transition if not key.startswith("log/")}
        missing = self.stored.keys() - given
        unknown = given - self.spaces.keys()
        if missing or unknown:
            raise ReplayError(
                f"replay.add: missing keys {sorted(missing)}, unknown keys "
                f"{sorted(unknown)}; expected exactly {sorted(self.stored)}."
            )
        self._checked = set(transition)


def sampler_names(shares: Mapping[str, float], online: bool) -> list[str]:
    """Samplers in use, the online queue first.

    Raises:
        ReplayError: a name is none of a sampler that can be mixed.
    """
    known = [name for name in SAMPLERS if name != "online"]
    for name in shares:
        if name not in known:
            raise ReplayError(
                f"replay.mixture: no sampler '{name}'. Samplers: {', '.join(known)}."
            )
    return ["online"] * online + [name for name, share in shares.items() if share]
