"""Any environment of gymnasium: `gym_CartPole-v1`, or `gym_my_module:MyEnv-v0`.

A time limit (`truncated`) ends an episode and is never terminal. Nested observations
and actions become flat dicts with keys joined by underscores; `gym_spaces` says what
becomes of each kind of space.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dreamerv3_tf.envs import gl, gym_spaces
from dreamerv3_tf.envs.base import (
    RESERVED,
    Action,
    Env,
    EnvError,
    Obs,
    require,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.wrappers import ActionRepeat, ResizeImage
from dreamerv3_tf.structs import SIGNALS
from dreamerv3_tf.values import Count, Natural


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 1,
    size: tuple[Count, ...] = (),
    length: Natural = 0,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Env:
    """One environment by its id.

    Args:
        name: id, as `gymnasium.make` takes it; `module:id` imports the module first.
        seed: of the first reset; later episodes go on from there.
        index: not used.
        repeat: how often each action is taken; rewards are summed.
        size: height and width that pictures are resized to; empty leaves them.
        length: steps after which an episode is cut; 0 takes the limit of the id.
        options: keyword arguments of the environment itself.

    Raises:
        EnvError: no such id, something is not installed, or a space has no counterpart.
    """
    del index
    if len(size) not in (0, 2):
        raise EnvError(f"env.size of 'gym' is {size}, expected height and width.")
    gymnasium = require("gymnasium", "gymnasium")
    limit = {"max_episode_steps": length} if length else {}
    try:
        with gl.renderer(needed=False):
            module, _, name_there = name.rpartition(":")
            if module:
                importlib.import_module(module)  # registers its environments
            spec = gymnasium.spec(name_there)
            arguments = {**_render_mode(gymnasium, spec), **limit, **options}
            env = gymnasium.make(name_there, disable_env_checker=True, **arguments)
    except (gymnasium.error.Error, ImportError, TypeError) as error:
        text = " ".join(str(error).split())
        raise EnvError(f"Task 'gym_{name}': {type(error).__name__}: {text}") from error
    result: Env = Gymnasium(env, seed)
    result = ActionRepeat(result, repeat) if repeat > 1 else result
    return ResizeImage(result, (size[0], size[1]), "box") if size else result


def _render_mode(gymnasium: Any, spec: Any) -> dict[str, str]:
    """Asks for pictures where the environment offers them; most cost nothing so."""
    creator = spec.entry_point
    if isinstance(creator, str):
        creator = gymnasium.envs.registration.load_env_creator(creator)
    modes = (getattr(creator, "metadata", None) or {}).get("render_modes") or ()
    return {"render_mode": "rgb_array"} if "rgb_array" in modes else {}


class Gymnasium:
    """Environment of gymnasium as one of ours.

    Args:
        env: with the API of five results.
        seed: of the first reset.

    Raises:
        EnvError: a space has no counterpart here.
    """

    def __init__(self, env: Any, seed: int):
        self.env = env
        self.seed: int | None = seed
        taken = (*SIGNALS, *RESERVED)
        self.obs_leaves = gym_spaces.flatten(
            env.observation_space, "observation", taken, observed=True
        )
        self.act_leaves = gym_spaces.flatten(
            env.action_space, "action", (*taken, *self.obs_leaves), observed=False
        )
        seen = {key: leaf.space for key, leaf in self.obs_leaves.items()}
        self.obs_space = seen | signal_spaces()
        self.act_space = {key: leaf.space for key, leaf in self.act_leaves.items()}

    def reset(self) -> Obs:
        obs, _ = self.env.reset(seed=self.seed)
        self.seed = None  # later resets continue the generator of the environment
        return gym_spaces.encode(self.obs_leaves, obs) | signals(first=True)

    def step(self, action: Action) -> Obs:
        chosen = gym_spaces.decode(self.env.action_space, self.act_leaves, action)
        obs, reward, terminated, truncated, _ = self.env.step(chosen)
        flags = signals(
            float(reward), last=bool(terminated or truncated), terminal=bool(terminated)
        )
        return gym_spaces.encode(self.obs_leaves, obs) | flags

    def render(self) -> np.ndarray:
        if self.env.render_mode != "rgb_array":
            raise EnvError(f"{self.env.unwrapped} has no pictures (mode rgb_array).")
        with gl.renderer(needed=hasattr(self.env.unwrapped, "mujoco_renderer")):
            return np.asarray(self.env.render(), np.uint8)

    def close(self) -> None:
        self.env.close()
