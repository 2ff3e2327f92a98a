"""The draws of a replay: fresh windows first, the rest mixed from several samplers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.replay.samplers import Sampler
from dreamerv3_tf.replay.segments import ReplayError


class Mixture:
    """Online windows first, the rest from several samplers by fractions.

    Args:
        samplers: by name; `online` is the queue, the others are mixed.
        fractions: weight of each sampler but `online`; scaled to sum to 1.

    Raises:
        ReplayError: a weight is negative, or all are 0.
    """

    def __init__(self, samplers: dict[str, Sampler], fractions: Mapping[str, float]):
        self.samplers = samplers
        self.names = [name for name in samplers if name != "online"]
        shares = np.array([fractions[name] for name in self.names], np.float64)
        if not len(shares) or (shares < 0).any() or not shares.sum() > 0:
            raise ReplayError(
                f"replay.mixture is {dict(fractions)}; expected weights that are not "
                "negative and not all 0."
            )
        self.shares = shares / shares.sum()

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Ids of start positions, int64 `[count]`.

        Raises:
            ReplayError: the replay holds no sequence.
        """
        ids = np.zeros(0, np.int64)
        if "online" in self.samplers:
            ids = self.samplers["online"].draw(count, rng)
        if len(ids) == count:
            return ids
        rest = np.empty(count - len(ids), np.int64)
        choice = np.zeros(len(rest), np.int64)
        if len(self.names) > 1:
            choice = rng.choice(len(self.names), len(rest), p=self.shares)
        for number in np.unique(choice):
            places = choice == number
            sampler = self.samplers[self.names[number]]
            rest[places] = sampler.draw(int(places.sum()), rng)
        return np.concatenate([ids, rest])
