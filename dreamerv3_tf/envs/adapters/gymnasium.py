"""An environment of gymnasium as one of ours.

A time limit (`truncated`) ends an episode and is never terminal. `leaves.py` says what
becomes of each kind of space; Text, Graph, Sequence, OneOf and the like have no fixed
shape and are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamerv3_tf.envs import gl
from dreamerv3_tf.envs.adapters import leaves as nested
from dreamerv3_tf.envs.adapters import masks
from dreamerv3_tf.envs.adapters.leaves import Entry
from dreamerv3_tf.envs.base import (
    RESERVED,
    Action,
    EnvError,
    Obs,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.finding import Finding
from dreamerv3_tf.structs import SIGNALS


class Gymnasium:
    """Environment of gymnasium as one of ours.

    Args:
        env: with a `step` of five results.
        seed: of the first reset; later episodes go on from there.
        mask: where masks of actions come from, see `masks.py`.
        limit: bound of actions that have none.

    Raises:
        EnvError: a space has no counterpart here.
    """

    def __init__(
        self, env: Any, seed: int, mask: masks.Source = "auto", limit: float = 1.0
    ):
        self.env, self.limit = env, limit
        self.offered = False  # whether the info had a mask
        kind = type(getattr(env, "unwrapped", env)).__name__
        self.name = getattr(getattr(env, "spec", None), "id", None) or kind
        self.seed: int | None = seed
        self.nest = plain(env.action_space)
        taken = (*SIGNALS, *RESERVED)
        seen = nested.flatten(
            plain(env.observation_space),
            describe,
            "observation",
            taken,
            observed=True,
        )
        self.act_leaves = nested.flatten(
            self.nest,
            describe,
            "action",
            (*taken, *seen),
            observed=False,
            limit=limit,
        )
        self.obs_leaves = masks.adopt(seen, self.act_leaves, mask)
        self.masks = (
            masks.InfoMasks(self.act_leaves, self.name) if mask == "info" else None
        )
        self.obs_space = {key: leaf.space for key, leaf in self.obs_leaves.items()}
        self.obs_space |= self.masks.spaces if self.masks else {}
        self.obs_space |= signal_spaces()
        self.act_space = {key: leaf.space for key, leaf in self.act_leaves.items()}

    def reset(self) -> Obs:
        found = self.env.reset(seed=self.seed)
        if not isinstance(found, tuple) or len(found) != 2:
            raise EnvError(
                f"reset() of {self.name} returned {_kind(found)}; expected observation "
                "and info, as gymnasium has it since 0.26."
            )
        self.seed = None  # later resets continue the generator of the environment
        obs, info = found
        self.offered = masks.INFO in info
        return self._observe(obs, info, "reset()", signals(first=True))

    def step(self, action: Action) -> Obs:
        found = self.env.step(nested.decode(self.nest, self.act_leaves, action))
        if not isinstance(found, tuple) or len(found) != 5:
            raise EnvError(
                f"step() of {self.name} returned {_kind(found)}; expected observation, "
                "reward, terminated, truncated and info, as gymnasium has it since "
                "0.26. A time limit is truncated, and not terminated."
            )
        obs, reward, terminated, truncated, info = found
        last, terminal = bool(terminated or truncated), bool(terminated)
        flags = signals(float(reward), last=last, terminal=terminal)
        return self._observe(obs, info, "step()", flags)

    def render(self) -> np.ndarray:
        if getattr(self.env, "render_mode", None) != "rgb_array":
            raise EnvError(
                f"{self.name} has no pictures: it was not made with "
                "render_mode='rgb_array'."
            )
        bare = getattr(self.env, "unwrapped", self.env)
        with gl.renderer(needed=hasattr(bare, "mujoco_renderer")):
            return np.asarray(self.env.render())

    def close(self) -> None:
        self.env.close()

    def findings(self) -> list[Finding]:
        """What is worth knowing about the translation; `check_env` shows it."""
        found = nested.limit_findings(self.act_leaves, self.limit)
        if self.offered and not self.masks:
            text = f"the info has '{masks.INFO}', which is not used"
            advice = "Set env.mask=info, and the agent only does what is allowed."
            found.append(Finding("masks", False, text, advice, needed=False))
        return found

    def _observe(self, obs: Any, info: Any, where: str, flags: Obs) -> Obs:
        found = nested.encode(self.obs_leaves, obs) | flags
        if self.masks:
            found |= self.masks.read(info, where, last=bool(flags["is_last"]))
        return found


def _kind(found: Any) -> str:
    if isinstance(found, tuple):
        return f"{len(found)} values"
    return f"a {type(found).__name__}"


def plain(space: Any) -> Any:
    """Dict and Tuple spaces as dicts and tuples of the spaces inside."""
    kind = type(space).__name__
    if kind == "Dict":
        return {key: plain(inner) for key, inner in space.spaces.items()}
    if kind == "Tuple":
        return tuple(plain(inner) for inner in space.spaces)
    return space


def describe(space: Any) -> Entry:
    """What gymnasium says about a space that is neither Dict nor Tuple.

    Raises:
        ValueError: it has no fixed shape.
    """
    kind = type(space).__name__
    if kind == "Discrete":
        return Entry(np.dtype(np.int64), (), *_ends(space.start, space.n), int)
    if kind == "MultiDiscrete":
        return Entry(space.dtype, space.shape, *_ends(space.start, space.nvec))
    if kind == "MultiBinary":
        ends = np.zeros(space.shape, np.int64), np.ones(space.shape, np.int64)
        return Entry(space.dtype, space.shape, *ends)
    if kind == "Box":
        return Entry(space.dtype, space.shape, space.low, space.high)
    raise ValueError(
        f"a {kind} has no fixed shape and no counterpart here. Wrap the environment so "
        "that it gives a Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple "
        "of these."
    )


def _ends(start: Any, count: Any) -> tuple[np.ndarray, np.ndarray]:
    low = np.asarray(start, np.int64)
    return low, low + np.asarray(count, np.int64) - 1
