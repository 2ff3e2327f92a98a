"""A first task from pixels: move a paddle to where a ball comes down.

    python -m dreamerv3_tf.main --task tools.pixel_catch:make_env --preset size1m,quick

The world of BSuite's `catch`, drawn as a picture of 64x64: 3 actions (left, stay,
right), 8 columns, episodes of 9 steps, and +1 or -1 with the last. Random actions
have a score of about -0.6. Small enough that an agent learns it in minutes.
"""

from __future__ import annotations

import gymnasium
import numpy as np

ROWS, COLUMNS, CELL = 10, 8, 6
BALL, PADDLE = (255, 160, 0), (0, 160, 255)


class PixelCatch(gymnasium.Env):
    """See the module; `reset(seed=...)` makes it repeatable, as Gymnasium asks."""

    observation_space = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed, options=options)
        self.row, self.paddle = 0, COLUMNS // 2
        self.ball = int(self.np_random.integers(COLUMNS))
        return self.draw(), {}

    def step(self, action: int):
        self.paddle = int(np.clip(self.paddle + int(action) - 1, 0, COLUMNS - 1))
        self.row += 1
        done = self.row == ROWS - 1
        caught = self.paddle == self.ball
        reward = (1.0 if caught else -1.0) if done else 0.0
        return self.draw(), reward, done, False, {}

    def draw(self) -> np.ndarray:
        """The picture, uint8 `[64, 64, 3]`."""
        picture = np.zeros((64, 64, 3), np.uint8)
        for row, column, color in (
            (self.row, self.ball, BALL),
            (ROWS - 1, self.paddle, PADDLE),
        ):
            top, left = 2 + row * CELL, 8 + column * CELL
            picture[top : top + CELL, left : left + CELL] = color
        return picture


def make_env() -> gymnasium.Env:
    """The environment, for `--task tools.pixel_catch:make_env`."""
    return PixelCatch()
