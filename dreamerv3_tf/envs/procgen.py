"""Procgen (Cobbe et al. 2020): sixteen games whose levels are made up as one plays.

`procgen_coinrun` and so on, with the settings of the published results: the hard
levels, as many as there are (about 2^31), 15 actions, every frame.

The end of a level is terminal, the time limit of a game is not. The games show no last
picture: at the end there is already the next level. That would tell the agent that
levels end in random places, so the last picture is the one before, again.

The package can't be an extra: it asks for numpy below 2 and for `gym`, and needs
neither. Installed by the commands in `INSTALL` it works.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import (
    Action,
    Env,
    EnvError,
    Obs,
    require_part,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.envs.wrappers import ResizeImage
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count, Range

LIMITS = {
    "bigfish": 6000,
    "bossfight": 4000,
    "caveflyer": 1000,
    "chaser": 1000,
    "climber": 1000,
    "coinrun": 1000,
    "dodgeball": 1000,
    "fruitbot": 1000,
    "heist": 1000,
    "jumper": 1000,
    "leaper": 500,
    "maze": 500,
    "miner": 1000,
    "ninja": 1000,
    "plunder": 4000,
    "starpilot": 1000,
}
"""The games, and the step at which each of them cuts an episode."""

GAMES = tuple(LIMITS)
INSTALL = "--no-deps procgen-mirror gym3 && pip install cffi imageio"
NATIVE = 64  # pixels of a side, as the games draw for agents
RESET = -1  # the action that gives up a level
FLOAT = np.dtype(np.float32)
Level = Annotated[int, Range(0, 10**9)]  # two of them fit into the games' 31 bits


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    size: tuple[Count, Count] = (NATIVE, NATIVE),
    difficulty: Literal["hard", "easy"] = "hard",
    levels: Level = 0,
    first_level: Level = 0,
) -> Env:
    """One game.

    Args:
        name: of `GAMES`.
        seed: of the choice of levels.
        index: not used.
        size: height and width of the picture, pixels. 64 by 64 is what the games draw
            for agents; any other is what they draw for people, 512 by 512, made
            smaller, which takes about 30 times as long.
        difficulty: of the levels.
        levels: how many there are to choose from; 0 for all.
        first_level: the number of the first one.

    Raises:
        EnvError: unknown game, or the package is missing.
    """
    del index
    if name not in GAMES:
        raise EnvError(
            f"Task 'procgen_{name}': Procgen has no game '{name}'."
            f"{values.nearest(name, GAMES)} Games: {', '.join(GAMES)}."
        )
    # The package itself would register its games with the deprecated `gym`.
    package = require_part("procgen", "procgen.env", INSTALL)
    large = tuple(size) != (NATIVE, NATIVE)
    env = package.ProcgenGym3Env(
        num=1,
        env_name=name,
        distribution_mode=difficulty,
        num_levels=levels,
        start_level=first_level,
        rand_seed=seed,
        num_threads=0,
        render_mode="rgb_array" if large else None,
    )
    return ResizeImage(Procgen(env, LIMITS[name], large), size, "bilinear")


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What is needed of this machine; see `hooks.env_requirements`."""
    del settings
    there = importlib.util.find_spec("procgen") is not None
    found = "is not installed"
    if there:
        names = importlib.metadata.packages_distributions()["procgen"]
        found = f"{names[0]} {importlib.metadata.version(names[0])}"
    advice = f"Install it: pip install {INSTALL}"
    return [Finding("procgen", there, found, advice)]


class Procgen:
    """A game of the package as one of ours.

    Args:
        env: the game, one copy of it.
        limit: steps after which it cuts an episode.
        large: show what it draws for people.
    """

    def __init__(self, env: Any, limit: int, large: bool):
        self.env, self.limit, self.large = env, limit, large
        self.count = 0  # steps of the episode
        self.fresh = True  # whether a new level is waiting
        _, _, self.image = self._look()
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), self.image.shape),
            "log/max/level_complete": Space(FLOAT),
            **signal_spaces(),
        }
        actions = env.ac_space.eltype.n
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, actions)}

    def reset(self) -> Obs:
        if not self.fresh:
            self._act(RESET)
        _, _, self.image = self._look()
        self.count, self.fresh = 0, False
        return self._obs(signals(first=True), complete=False)

    def step(self, action: Action) -> Obs:
        self._act(int(action["action"]))
        self.count += 1
        reward, self.fresh, image = self._look()
        if self.fresh:
            complete = bool(self.env.get_info()[0]["prev_level_complete"])
            cut = self.count >= self.limit and not complete
            obs = signals(reward, last=True, terminal=not cut)
            return self._obs(obs, complete)
        self.image = image
        return self._obs(signals(reward), complete=False)

    def render(self) -> np.ndarray:
        return self.image

    def close(self) -> None:
        self.env.close()

    def _act(self, action: int) -> None:
        self.env.act(np.array([action], np.int32))

    def _look(self) -> tuple[float, bool, np.ndarray]:
        """Reward, whether a new level begins, and the picture."""
        reward, seen, first = self.env.observe()
        image = self.env.get_info()[0]["rgb"] if self.large else seen["rgb"][0]
        return float(reward[0]), bool(first[0]), image

    def _obs(self, obs: Obs, complete: bool) -> Obs:
        obs["log/max/level_complete"] = np.asarray(complete, np.float32)
        return {**obs, "image": self.image}
