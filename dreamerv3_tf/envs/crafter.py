"""Crafter (Hafner 2021): a survival game in two dimensions with 22 achievements.

`crafter_reward` pays +1 for an achievement that is new in the episode (once per step,
even for several) and 0.1 for each point of health won or lost; `crafter_noreward` pays
nothing. Death is terminal, the end after `length` steps is not.

The score of the paper comes from the success rates `s_i` (in percent) of the
achievements: `exp(mean ln(1 + s_i)) - 1`, where an episode succeeds if its count
`log/achievement_NAME` gets above 0. `episode/achieved/NAME` is 1 for those, so its mean
over episodes is the success rate, and evaluations report the score, `crafter_score`.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import (
    Action,
    Env,
    EnvError,
    Obs,
    require,
    signal_spaces,
    signals,
)
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count, Natural

FLOAT = np.dtype(np.float32)
ACHIEVED = "log/max/achieved/"


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    size: tuple[Count, Count] = (64, 64),
    length: Natural = 10000,
    logs: bool = True,
) -> Env:
    """`crafter_reward` or `crafter_noreward`.

    Args:
        name: whether the agent sees the reward; `log/reward` has it in any case.
        seed: of the worlds, a new one for each episode.
        index: not used.
        size: height and width of the picture, pixels.
        length: steps after which an episode is cut; 0 sets no limit.
        logs: count the achievements of the episode in `log/achievement_NAME`.

    Raises:
        EnvError: unknown name, or the package is missing.
    """
    del index
    if name not in ("reward", "noreward"):
        raise EnvError(
            f"Task 'crafter_{name}': expected crafter_reward or crafter_noreward."
        )
    package = load_package()
    # The package counts the image as width and height, and transposes at the end.
    env = package.Env(
        size=(size[1], size[0]), length=length, seed=seed, reward=name == "reward"
    )
    env._world.__class__ = _reproducible(package.engine.World)
    return Crafter(env, size, package.constants.achievements if logs else ())


def summary(rates: Mapping[str, float]) -> dict[str, float]:
    """The Crafter score in percent, from the success rates of all achievements.

    `exp(mean ln(1 + 100 s)) - 1`, 0 to 100; source: Hafner 2021, eq. 1.
    """
    part = ACHIEVED.removeprefix("log/max/")
    found = [100 * rate for name, rate in rates.items() if name.startswith(part)]
    return {"crafter_score": float(np.expm1(np.mean(np.log1p(found))))} if found else {}


def load_package() -> ModuleType:
    """The package, without the deprecated `gym` that it imports where it can.

    Raises:
        EnvError: it is missing.
    """
    if "crafter" in sys.modules or "gym" in sys.modules:
        return require("crafter", "crafter numba")
    sys.modules["gym"] = None  # type: ignore[assignment]  (makes its import fail)
    try:
        return require("crafter", "crafter numba")
    finally:
        del sys.modules["gym"]


class Ordered(dict):
    """A set that remembers the order in which its elements came."""

    def add(self, item: Any) -> None:
        self[item] = True

    def remove(self, item: Any) -> None:
        del self[item]


def _reproducible(base: type) -> type:
    """The world with creatures in the order of their arrival.

    The package keeps them in sets, whose order depends on memory addresses; so the same
    seed gave another game in each process.
    """

    class World(base):
        def reset(self, seed=None):
            super().reset(seed)
            self._chunks = collections.defaultdict(Ordered)

    return World


class Crafter:
    """Environment of the package as one of ours.

    Args:
        env: environment of the package.
        size: height and width of the picture.
        achievements: names of the counts to log.
    """

    def __init__(self, env: Any, size: tuple[int, int], achievements: Any):
        self.env = env
        self.keys = {f"log/achievement_{name}": name for name in sorted(achievements)}
        self.flags = {f"{ACHIEVED}{name}": name for name in sorted(achievements)}
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), (*size, 3)),
            "log/reward": Space(FLOAT),
            **{key: Space(FLOAT) for key in (*self.keys, *self.flags)},
            **signal_spaces(),
        }
        self.act_space = {
            "action": Space(np.dtype(np.int32), (), 0, env.action_space.n)
        }

    def reset(self) -> Obs:
        return self._observe(self.env.reset(), {}, signals(first=True))

    def step(self, action: Action) -> Obs:
        image, reward, done, info = self.env.step(int(action["action"]))
        dead = info["discount"] == 0
        return self._observe(image, info, signals(reward, last=done, terminal=dead))

    def render(self) -> np.ndarray:
        return self.env.render()

    def close(self) -> None:
        pass

    def _observe(self, image: np.ndarray, info: dict, obs: Obs) -> Obs:
        counts = info.get("achievements", {})
        obs["image"] = image
        obs["log/reward"] = np.asarray(info.get("reward", 0.0), np.float32)
        for key, name in self.keys.items():
            obs[key] = np.asarray(counts.get(name, 0), np.float32)
        for key, name in self.flags.items():
            obs[key] = np.asarray(counts.get(name, 0) > 0, np.float32)
        return obs
