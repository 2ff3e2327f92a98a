"""A game of the emulator as one of our environments."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from dreamerv3_tf.envs.atari.roms import INSTALL
from dreamerv3_tf.envs.base import (
    Action,
    EnvError,
    Obs,
    State,
    require,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.wrappers import resize as resized
from dreamerv3_tf.spaces import Space

STICKINESS = 0.25
"""Probability that a frame repeats the action of the frame before."""

LUMINANCE = (0.299, 0.587, 1 - (0.299 + 0.587))
"""Weights of red, green and blue (ITU-R BT.601)."""

NOOP = 0
"""The action that does nothing, in the numbers of the emulator."""


class Atari:
    """A game of the emulator as one of our environments; other arguments as in `make`.

    Actions stick by our own random numbers. The emulator has the same option, but its
    saved states lack the action that a frame would repeat, so games would not go on
    from a snapshot as they had.

    Args:
        emulator: an `ale_py.ALEInterface` with the game loaded.

    Attributes:
        action_meanings: names of the actions, such as `UPFIRE`.
    """

    def __init__(
        self,
        emulator: Any,
        *,
        seed: int,
        repeat: int,
        size: tuple[int, int],
        gray: bool,
        sticky: bool,
        actions: str,
        noops: int,
        pooling: int,
        aggregate: str,
        resize: str,
        lives: str,
        length: int,
        clip_reward: bool,
    ):
        self.emulator = emulator
        self.rng = np.random.default_rng(seed)
        self.repeat, self.pooling, self.noops = repeat, pooling, noops
        self.size, self.gray = size, gray
        self.sticky, self.lives, self.clip_reward = sticky, lives, clip_reward
        self.aggregate, self.resize = aggregate, resize
        self.limit = length or math.inf
        chosen = {
            "all": emulator.getLegalActionSet,
            "needed": emulator.getMinimalActionSet,
        }[actions]()
        self.actions = [action.value for action in chosen]
        self.action_meanings = tuple(action.name for action in chosen)
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), (*size, 1 if gray else 3)),
            **signal_spaces(),
        }
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, len(chosen))}
        self.frames = np.zeros((pooling, *emulator.getScreenDims(), 3), np.uint8)
        self.oldest = 0  # which of the frames is overwritten next
        self.applied = NOOP  # action of the last frame
        self.duration = 0
        self.left = 0  # lives
        self.goes_on = False  # the next episode is in the same game

    def reset(self) -> Obs:
        if not self.goes_on:
            self._new_game()
        self.goes_on = False
        return signals(first=True) | {"image": self._image()}

    def step(self, action: Action) -> Obs:
        chosen, reward = self.actions[int(action["action"])], 0
        over = lost = cut = False
        for number in range(self.repeat):
            if not self.sticky or self.rng.random() >= STICKINESS:
                self.applied = chosen
            reward += self.emulator.act(self.applied)
            self.duration += 1
            # As in the published code, an end before these shows older frames.
            if number >= self.repeat - self.pooling:
                self._look()
            over, lost = self.emulator.game_over(), self._lost_life()
            cut = self.duration >= self.limit
            if over or lost or cut:
                break
        self.goes_on = lost and self.lives == "discount" and not over and not cut
        terminal = over or lost
        obs = signals(
            float(np.sign(reward) if self.clip_reward else reward),
            last=terminal or cut,
            terminal=terminal,
        )
        obs["image"] = self._image()
        return obs

    def render(self) -> np.ndarray:
        return self._pooled()

    def close(self) -> None:
        pass

    def snapshot(self) -> State:
        """See `base.Env`."""
        emulator = self.emulator.cloneState(include_rng=True).serialize()
        rng = json.dumps(self.rng.bit_generator.state).encode()
        counts = [self.oldest, self.applied, self.duration, self.left]
        return {
            "atari/emulator": np.frombuffer(emulator, np.uint8),
            "atari/rng": np.frombuffer(rng, np.uint8),
            "atari/frames": self.frames.copy(),
            "atari/counts": np.array(counts),
        }

    def restore(self, state: State) -> None:
        """See `base.Env`.

        Raises:
            EnvError: the emulator doesn't take the state.
        """
        package = require("ale_py", INSTALL)
        try:
            emulator = package.ALEState(state["atari/emulator"].tobytes())
            self.emulator.restoreState(emulator)
        except (RuntimeError, SystemError) as error:
            raise EnvError(
                "This snapshot is damaged, or of another game or version of ale-py; "
                "begin a new episode instead."
            ) from error
        self.rng.bit_generator.state = json.loads(state["atari/rng"].tobytes())
        self.frames = state["atari/frames"].copy()
        counts = (int(count) for count in state["atari/counts"])
        self.oldest, self.applied, self.duration, self.left = counts
        self.goes_on = False

    def _new_game(self) -> None:
        self.emulator.reset_game()
        for _ in range(self.rng.integers(self.noops + 1)):
            self.emulator.act(NOOP)
            if self.emulator.game_over():
                self.emulator.reset_game()
        self._look()
        self.frames[:] = self.frames[self.oldest - 1]
        self.applied, self.duration = NOOP, 0
        self.left = self.emulator.lives()

    def _lost_life(self) -> bool:
        """Whether it counts that a life was lost which was not the last."""
        if self.lives == "unused":
            return False
        before, self.left = self.left, self.emulator.lives()
        return 0 < self.left < before

    def _look(self) -> None:
        self.emulator.getScreenRGB(self.frames[self.oldest])
        self.oldest = (self.oldest + 1) % self.pooling

    def _pooled(self) -> np.ndarray:
        """The last frames in one, uint8 `[H, W, 3]`; a new array."""
        if self.aggregate == "max":
            return np.maximum.reduce(self.frames)
        total = np.add.reduce(self.frames, dtype=np.uint32)
        return (total // self.pooling).astype(np.uint8)

    def _image(self) -> np.ndarray:
        image = resized(self._pooled(), self.size, self.resize)
        return luminance(image) if self.gray else image


def luminance(image: np.ndarray) -> np.ndarray:
    """Brightness of a picture uint8 `[H, W, 3]`, rounded down, uint8 `[H, W, 1]`."""
    red, green, blue = LUMINANCE
    # By planes, since a sum over an axis of 3 takes six times as long.
    grey = image[..., 0] * red
    grey += image[..., 1] * green
    grey += image[..., 2] * blue
    return grey.astype(np.uint8)[..., None]
