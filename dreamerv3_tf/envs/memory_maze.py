"""Memory Maze (Pasukonis et al. 2022): find coloured objects, again and again.

`memory_maze_9x9`, `..._11x11`, `..._13x13` and `..._15x15`: a maze from the first
person, a new one for each episode, with 3 to 6 objects in it. The border of the picture
has the colour of the object to go to; touching it pays 1, and another is asked for. An
agent that remembers where they are finds them faster. Not in the DreamerV3 paper.

Four actions a second; an episode is cut after 1000, 2000, 3000 or 4000 of them, and
nothing is terminal. Rendered by OpenGL, so the rules of `gl.py` hold.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs import gl
from dreamerv3_tf.envs.base import (
    Action,
    Env,
    EnvError,
    Obs,
    require_part,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.dmc import quiet
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count

MAZES = ("9x9", "11x11", "13x13", "15x15")
INSTALL = "memory-maze"
SMALLEST = 64  # pixels: below, the package's border covers the whole picture


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    size: tuple[Count, Count] = (64, 64),
    renderer: gl.Renderer = "auto",
) -> Env:
    """One size of the maze.

    Args:
        name: of `MAZES`.
        seed: of the mazes, a new one for each episode.
        index: not used.
        size: height and width of the picture, pixels; the package draws squares.
        renderer: `egl` or `osmesa`; `auto` is the environment variable `MUJOCO_GL`, or
            what is installed.

    Raises:
        EnvError: unknown maze, a size that can't be drawn, the package is missing, or
            there is no renderer.
    """
    del index
    if name not in MAZES:
        raise EnvError(
            f"Task 'memory_maze_{name}': there is no such maze."
            f"{values.nearest(name, MAZES)} Mazes: {', '.join(MAZES)}."
        )
    height, width = size
    if height != width or height < SMALLEST:
        raise EnvError(
            f"env.size of 'memory_maze' is {list(size)}, expected a square of at least "
            f"{SMALLEST} pixels."
        )
    with gl.renderer(needed=True, asked=renderer), quiet():
        # The package itself would register its tasks with the deprecated `gym`.
        tasks = require_part("memory_maze", "memory_maze.tasks", INSTALL)
        load = getattr(tasks, f"memory_maze_{name}")
        env = load(image_only_obs=True, camera_resolution=height, seed=seed)
    return MemoryMaze(env, size)


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What is needed of this machine; see `hooks.env_requirements`."""
    del settings
    there = importlib.util.find_spec("memory_maze") is not None
    version = importlib.metadata.version(INSTALL) if there else "is not installed"
    advice = f"Install it: pip install {INSTALL}"
    return [Finding(INSTALL, there, f"{INSTALL} {version}", advice)]


class MemoryMaze:
    """Environment of the package as one of ours.

    Args:
        env: environment of the package, with pictures alone.
        size: height and width of the pictures.
    """

    def __init__(self, env: Any, size: tuple[int, int]):
        self.env = env
        self.image: np.ndarray | None = None
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), (*size, 3)),
            **signal_spaces(),
        }
        actions = env.action_spec().num_values
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, actions)}

    def reset(self) -> Obs:
        with quiet():  # each new maze warns of something that does not matter
            return self._observe(self.env.reset(), 0.0)

    def step(self, action: Action) -> Obs:
        time_step = self.env.step(int(action["action"]))
        return self._observe(time_step, time_step.reward)

    def render(self) -> np.ndarray:
        if self.image is None:
            raise EnvError("There is no picture before the first reset().")
        return self.image

    def close(self) -> None:
        self.env.close()

    def _observe(self, time_step: Any, reward: float) -> Obs:
        last = time_step.last()
        # A copy: the simulation draws the next one in the same place.
        self.image = np.array(time_step.observation, np.uint8)
        obs = signals(
            reward,
            first=time_step.first(),
            last=last,
            terminal=last and time_step.discount == 0,
        )
        return {**obs, "image": self.image}
