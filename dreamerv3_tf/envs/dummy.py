"""A tiny environment with observations and actions of every kind, for tests.

The reward is 1 for the right action: a discrete action should equal `token` (modulo the
number of classes), a continuous one the first elements of `vector`. So a random policy
scores low, and whatever learns at all gets better fast.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import Action, Env, EnvError, Obs, signal_spaces, signals
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)

VECTORS = {
    "vector": Space(FLOAT, (7,)),
    "token": Space(INT, (), 0, 256),
    "count": Space(FLOAT, (), 0.0, np.inf),
    "float2d": Space(FLOAT, (4, 5)),
    "int2d": Space(INT, (2, 3), 0, 4),
    "flag": Space(np.dtype(bool)),
}

ACTIONS = {
    "disc": {"act_disc": Space(INT, (), 0, 5)},
    "cont": {"act_cont": Space(FLOAT, (6,), -1.0, 1.0)},
    "multi": {"act_multi": Space(INT, (3,), 0, np.array([2, 3, 4]))},
    "image": {"act_disc": Space(INT, (), 0, 5)},
    "mask": {"act_disc": Space(INT, (), 0, 5)},
}
ACTIONS["mixed"] = ACTIONS["disc"] | ACTIONS["cont"] | ACTIONS["multi"]


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    size: tuple[Count, Count] = (64, 64),
    length: Count = 100,
    terminal: bool = True,
) -> Env:
    """`dummy_disc`, `_cont`, `_multi`, `_mixed`, `_image` or `_mask`.

    Args:
        name: kind of the actions. `image` shows a picture and nothing else, `mixed` has
            all actions and shows all observations, the others show no picture. `mask`
            allows the right action and the next one, and raises for the others.
        seed: of the observations.
        index: not used.
        size: height and width of the picture.
        length: steps of an episode.
        terminal: whether the end of an episode is a real one, or a time limit.

    Raises:
        EnvError: unknown name.
    """
    del index
    if name not in ACTIONS:
        raise EnvError(
            f"Task 'dummy_{name}': no such name.{values.nearest(name, ACTIONS)} "
            f"Names: {', '.join(ACTIONS)}."
        )
    return Dummy(name, seed, size, length, terminal)


class Dummy:
    """Contextual bandit with random observations; see the module."""

    def __init__(
        self,
        name: str,
        seed: int,
        size: tuple[int, int],
        length: int,
        terminal: bool,
    ):
        picture = {"image": Space(np.dtype(np.uint8), (*size, 3))}
        seen = {"image": picture, "mixed": picture | VECTORS}.get(name, VECTORS)
        if name == "mask":
            seen = seen | {"act_disc_mask": Space(np.dtype(bool), (5,))}
        self.obs_space = seen | {"log/steps": Space(FLOAT)} | signal_spaces()
        self.act_space = ACTIONS[name]
        self.rng = np.random.default_rng(seed)
        self.length, self.terminal = length, terminal
        self.count = 0
        self.token = 0
        self.vector = np.zeros(7, np.float32)

    def reset(self) -> Obs:
        self.count = 0
        return self._observe(0.0)

    def step(self, action: Action) -> Obs:
        if "act_disc_mask" in self.obs_space and not self._mask()[action["act_disc"]]:
            raise EnvError(f"The action {action['act_disc']} is not allowed now.")
        reward = self._reward(action)
        self.count += 1
        return self._observe(reward)

    def render(self) -> np.ndarray:
        """Grey picture as bright as the token is large."""
        shape = self.obs_space["image"].shape if "image" in self.obs_space else ()
        return np.full(shape or (64, 64, 3), self.token, np.uint8)

    def close(self) -> None:
        pass

    def _reward(self, action: Action) -> float:
        scores = []
        for key, value in action.items():
            space = self.act_space[key]
            if space.discrete:
                classes = np.reshape(space.classes, space.shape)
                right = value == self.token % classes
                scores.append(float(np.mean(right)))
            else:
                distance = np.abs(value - np.clip(self.vector[:6], -1, 1))
                scores.append(1 - float(distance.mean()))
        return float(np.mean(scores))

    def _mask(self) -> np.ndarray:
        return np.isin(np.arange(5), [self.token % 5, (self.token + 1) % 5])

    def _observe(self, reward: float) -> Obs:
        last = self.count >= self.length
        self.vector = self.rng.normal(size=7).astype(np.float32) / 2
        self.token = int(self.rng.integers(256))
        obs = signals(
            reward, first=not self.count, last=last, terminal=last and self.terminal
        )
        obs["log/steps"] = np.asarray(self.count, np.float32)
        if "image" in self.obs_space:
            obs["image"] = self.render()
        if "act_disc_mask" in self.obs_space:
            obs["act_disc_mask"] = self._mask()
        if "vector" in self.obs_space:
            obs |= {
                "vector": self.vector,
                "token": np.asarray(self.token, np.int32),
                "count": np.asarray(self.count, np.float32),
                "float2d": self.rng.normal(size=(4, 5)).astype(np.float32),
                "int2d": self.rng.integers(4, size=(2, 3)).astype(np.int32),
                "flag": np.asarray(self.token % 2 == 0),
            }
        return obs
