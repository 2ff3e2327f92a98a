"""Batches for the train step, the next one made ready in a background thread."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.replay.replay import Positions, Replay
from dreamerv3_tf.structs import Addresses, Batch, Latent

Future = concurrent.futures.Future


class Job(NamedTuple):
    """A batch under way.

    Attributes:
        positions: drawn in the main thread.
        data: of `Replay.gather`.
        batch: what `place` made of it.
    """

    positions: Positions
    data: Future
    batch: Future


class Loader:
    """Has the next batch ready on the device, in an order that never varies.

        main         next k: draw k+1 │ train k │ update k: wait ┐ write │ next k+1
        background              gather k+1, place k+1 ───────────┘

    The positions of a batch are drawn when the batch before is handed out, and its
    data are read before the latents of that batch are written back. So a run does not
    depend on how fast the threads are.

    Args:
        replay: to draw from.
        batch_size: sequences of a batch, `B`.
        obs_keys: inputs of the encoder.
        action_keys: keys of the actions.
        place: brings a `Batch` of numpy arrays where it is needed; runs in the
            background thread.
    """

    def __init__(
        self,
        replay: Replay,
        batch_size: int,
        obs_keys: Sequence[str],
        action_keys: Sequence[str],
        place: Callable[[Batch], Any],
    ):
        self.replay = replay
        self.batch_size = batch_size
        self.obs_keys = tuple(obs_keys)
        self.action_keys = tuple(action_keys)
        self.place = place
        self._pool = concurrent.futures.ThreadPoolExecutor(1, "loader")
        self._job: Job | None = None

    def next(self) -> tuple[Any, Addresses]:
        """The next batch, placed, and the addresses of its first trained steps.

        Raises:
            ReplayError: there is no sequence to draw.
            Exception: whatever `place` raised.
        """
        job = self._job or self._start(self.replay.draw(self.batch_size))
        self._job = job
        batch = job.batch.result()
        self._job = self._start(self.replay.draw(self.batch_size))
        return batch, job.positions.addresses

    def update(self, addresses: Addresses, entries: Mapping[str, np.ndarray]) -> None:
        """Write latents `[B, T, ...]` back, after the gather under way."""
        if self._job:
            concurrent.futures.wait([self._job.data])
        self.replay.update(addresses, entries)

    def report(self, batch_size: int, length: int) -> Any:
        """A batch for a report: uniform, the first `length` trained steps, placed.

        It does not change what is drawn for training.

        Raises:
            ReplayError: there is no sequence to draw.
        """
        data, _ = self.replay.sample(batch_size)
        return self.place(self._batch(data, self.replay.context + length))

    def state(self) -> dict[str, Any]:
        """State of the replay and of the batch that waits: numbers, lists and arrays.

        The latents of that batch are part of it: it was read before the last latents
        were written back, and what is in replay now may differ.
        """
        pending = None
        if self._job:
            data, addresses = self._job.data.result(), self._job.positions.addresses
            latents = {key: data[key] for key in self.replay.latents}
            pending = {**addresses._asdict(), "latents": latents}
        return {"replay": self.replay.state(), "pending": pending}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state: the next batch is the one that waited.

        Only if it is not in replay any more, another one is drawn.
        """
        self.replay.restore(state["replay"])
        self._job = None
        pending = state["pending"]
        if pending:
            addresses = Addresses(pending["row"], pending["stream"])
            positions = self.replay.locate(addresses)
            self._job = (
                self._start(positions, pending["latents"]) if positions else None
            )

    def close(self) -> None:
        """Stop the thread; the replay stays open."""
        self._pool.shutdown(cancel_futures=True)

    def _start(
        self, positions: Positions, latents: Mapping[str, np.ndarray] | None = None
    ) -> Job:
        gather, known = self.replay.gather, dict(latents or {})
        data = self._pool.submit(lambda: gather(positions) | known)
        batch = self._pool.submit(lambda: self.place(self._batch(data.result())))
        return Job(positions, data, batch)

    def _batch(self, data: dict[str, np.ndarray], length: int | None = None) -> Batch:
        cut = slice(None, length)
        none = np.zeros((len(data["consec"]), 0), np.float32)  # without replay context
        return Batch(
            obs={key: data[key][:, cut] for key in self.obs_keys},
            action={key: data[key][:, cut] for key in self.action_keys},
            reward=data["reward"][:, cut],
            is_first=data["is_first"][:, cut],
            is_last=data["is_last"][:, cut],
            is_terminal=data["is_terminal"][:, cut],
            consec=data["consec"],
            context=Latent(*(data.get(key, none) for key in Latent._fields)),
        )
