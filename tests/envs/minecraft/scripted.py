"""A backend that does what a test tells it, and remembers what it was told."""

import numpy as np

from dreamerv3_tf.envs.minecraft.backend import Raw
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY


class Scripted:
    """Shows the moments of a script, one after the other; the last one stays.

    A moment is a dict of what differs from a healthy player with empty pockets at y 64:
    counts by item name, `hand`, and fields of `Raw`.
    """

    name = "scripted"

    def __init__(self, *moments, start=None):
        self.start, self.moments = start or {}, moments
        self.commands, self.resets, self.at = [], 0, 0

    def reset(self):
        self.resets += 1
        self.at = 0
        return raw(**self.start)

    def step(self, command):
        self.commands.append(command)
        self.at += 1
        if not self.moments:
            return raw()
        return raw(**self.moments[min(self.at, len(self.moments)) - 1])

    def picture(self, size):
        return np.full((size, size, 3), self.at, np.uint8)

    def snapshot(self):
        return {"at": np.array(self.at)}

    def restore(self, state):
        self.at = int(state["at"])

    def close(self):
        self.commands.clear()


def raw(*, hand="air", y=64.0, size=64, life=20, food=20, air=300, **other):
    flags = {key: other.pop(key) for key in ("dead", "lost") if key in other}
    counts = np.zeros(len(INVENTORY), np.int32)
    counts[INVENTORY.index("air")] = 365 - len(other)
    for name, count in other.items():
        counts[INVENTORY.index(name)] = count
    return Raw(
        np.zeros((size, size, 3), np.uint8),
        counts,
        EQUIPPED.index(hand),
        life,
        food,
        air,
        np.array([0.5, y, 0.5, 0.0, 0.0]),
        **flags,
    )
