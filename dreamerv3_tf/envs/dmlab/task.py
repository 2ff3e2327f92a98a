"""A level of DMLab as one of our environments."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs import text
from dreamerv3_tf.envs.base import Action, EnvError, Obs, signal_spaces, signals
from dreamerv3_tf.envs.dmlab.runtimes import Runtime, View
from dreamerv3_tf.spaces import Space

SEEDS = 2**31 - 1  # of episodes; the engine takes a C int


class DMLab:
    """A level; each episode has a seed of its own, drawn from `seed`.

    The engine shows nothing of the state after the last step, so its observation
    repeats the one before.

    Args:
        runtime: the engine with the level.
        seed: of the seeds of episodes.
        size: height and width of the picture, pixels.
        repeat: frames of an action.
        controls: settings of the controls `np.intc [A, 7]` for each action.
        instructions: whether the level says what to do.
        episodic: whether the end of an episode is terminal.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        seed: int,
        size: tuple[int, int],
        repeat: int,
        controls: np.ndarray,
        instructions: bool,
        episodic: bool,
    ):
        self.runtime, self.repeat, self.controls = runtime, repeat, controls
        self.instructions, self.episodic = instructions, episodic
        self.rng = np.random.default_rng(seed)
        self.view: View | None = None
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), (*size, 3)),
            **({"instr": text.SPACE} if instructions else {}),
            **signal_spaces(),
        }
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, len(controls))}

    def reset(self) -> Obs:
        self.view = self.runtime.reset(int(self.rng.integers(SEEDS)))
        return self._observe(self.view, signals(first=True))

    def step(self, action: Action) -> Obs:
        assert self.view is not None, "an episode begins with reset()"
        controls = self.controls[int(action["action"])]
        reward, view = self.runtime.step(controls, self.repeat)
        over = view is None
        self.view = view or self.view
        flags = signals(reward, last=over, terminal=over and self.episodic)
        return self._observe(self.view, flags)

    def render(self) -> np.ndarray:
        if self.view is None:
            raise EnvError("DMLab has no picture before the first episode.")
        return self.view.image

    def close(self) -> None:
        self.runtime.close()

    def _observe(self, view: View, obs: Obs) -> Obs:
        obs["image"] = view.image
        if self.instructions:
            obs["instr"] = text.embed(view.text)
        return obs
