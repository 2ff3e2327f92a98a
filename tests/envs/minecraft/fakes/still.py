"""A game without a world, for tests of what lies between the game and us."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.backend import Raw
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY


class Still:
    """Tells in its picture and counts which episode and step it is.

    Args:
        size: height and width of the picture.
        break_speed: shown as the count of `stick`.
        events: what happens at a step of an episode: `dead`, `lost`, `raise`, `exit`,
            `hang`, or `noise` on the standard output; steps count from 1.
    """

    name = "still"

    def __init__(self, size=64, break_speed=100.0, events=None):
        self.size, self.break_speed = size, break_speed
        self.events = events or {}
        self.episode = self.time = 0

    def reset(self):
        self.episode, self.time = self.episode + 1, 0
        return self.see()

    def step(self, command):
        self.time += 1
        event = self.events.get(self.time)
        if event == "raise":
            raise ConnectionResetError("the game hung up")
        if event == "exit":
            import os
            import sys

            print("A fatal error has been detected", file=sys.stderr, flush=True)
            os._exit(3)
        if event == "hang":
            import time

            time.sleep(60)
        if event == "noise":
            import os

            os.write(1, b"[Render thread/INFO]: \x00\xff\n" * 50)
            print("printed by a library")
        raw = self.see()
        raw.image[0, 0] = np.abs(command["camera"]).max(), command["forward"], 0
        return raw._replace(dead=event == "dead", lost=event == "lost")

    def see(self):
        image = np.full((self.size, self.size, 3), self.episode, np.uint8)
        image[-1, -1] = self.time % 256
        counts = np.zeros(len(INVENTORY), np.int32)
        counts[INVENTORY.index("log")] = self.time
        counts[INVENTORY.index("stick")] = self.break_speed
        counts[INVENTORY.index("air")] = 365 - (self.time > 0)
        position = np.array([0.1 + self.time, 64.0, -1 / 3, 90.0, -15.0])
        held = EQUIPPED.index("air" if not self.time else "log")
        return Raw(image, counts, held, 19.5, 17.0, 299.0 - self.time, position)

    def close(self):
        pass
