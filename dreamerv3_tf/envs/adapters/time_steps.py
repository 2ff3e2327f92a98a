"""Environments that answer with time steps: those of dm_env and of TF-Agents.

The two libraries have the same methods and the same specs under other names. A discount
of 0 in the last step is a real end; any other discount there is a time limit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
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

FIRST, LAST = 0, 2
"""Values of `step_type` in both libraries."""

SIZE = (240, 320)
"""Height and width of pictures of a simulation that draws any size."""


class TimeSteps:
    """Environment of dm_env or TF-Agents as one of ours.

    Args:
        env: with `observation_spec`, `action_spec`, `reset` and `step`.
        seed: given to `env.seed`, which only TF-Agents has. A `dm_env.Environment` gets
            its seed from whoever makes it.
        mask: where masks of actions come from, see `masks.py`.
        limit: bound of actions that have none.

    Raises:
        EnvError: a spec has no counterpart here, or it is a batch of environments.
    """

    def __init__(
        self, env: Any, seed: int, mask: masks.Source = "auto", limit: float = 1.0
    ):
        self.env, self.limit = env, limit
        self.name = type(env).__name__
        _refuse(env, self.name, mask)
        if hasattr(env, "seed"):
            with contextlib.suppress(NotImplementedError):  # it has nothing to seed
                env.seed(seed)
        self.nest = env.action_spec()
        taken = (*SIGNALS, *RESERVED)
        seen = nested.flatten(
            env.observation_spec(), describe, "observation", taken, observed=True
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
        self.obs_space = {key: leaf.space for key, leaf in self.obs_leaves.items()}
        self.obs_space |= signal_spaces()
        self.act_space = {key: leaf.space for key, leaf in self.act_leaves.items()}

    def reset(self) -> Obs:
        return self._observe(self.env.reset())

    def step(self, action: Action) -> Obs:
        chosen = nested.decode(self.nest, self.act_leaves, action)
        return self._observe(self.env.step(chosen))

    def render(self) -> np.ndarray:
        if hasattr(self.env, "physics"):  # an environment of dm_control
            with gl.renderer(needed=True):
                return np.asarray(self.env.physics.render(*SIZE), np.uint8)
        if not hasattr(self.env, "render"):
            raise EnvError(f"{self.name} has no pictures: it has no method render().")
        try:
            return np.asarray(self.env.render("rgb_array"))
        except NotImplementedError as error:
            raise EnvError(f"{self.name} has no pictures.") from error

    def close(self) -> None:
        self.env.close()

    def findings(self) -> list[Finding]:
        """What is worth knowing about the translation; `check_env` shows it."""
        return nested.limit_findings(self.act_leaves, self.limit)

    def _observe(self, time_step: Any) -> Obs:
        kind, reward = int(time_step.step_type), time_step.reward
        last = kind == LAST
        flags = signals(
            0.0 if reward is None or kind == FIRST else float(reward),
            first=kind == FIRST,
            last=last,
            terminal=last and time_step.discount == 0,
        )
        return nested.encode(self.obs_leaves, time_step.observation) | flags


def _refuse(env: Any, name: str, mask: str) -> None:
    """Makes sure that it is one environment with one reward, and its masks are seen.

    Raises:
        EnvError: it isn't.
    """
    if getattr(env, "batched", False):
        raise EnvError(
            f"{name} is a batch of environments; give the function that makes a single "
            "one, run.envs says how many there are."
        )
    rewards = env.reward_spec() if hasattr(env, "reward_spec") else None
    shape = getattr(rewards, "shape", ())
    if isinstance(rewards, Mapping | list | tuple) or tuple(shape) not in ((), (1,)):
        raise EnvError(f"{name} has the rewards {rewards}; expected a single number.")
    if mask == "info":
        raise EnvError(
            f"env.mask is 'info', but {name} has time steps and no info; let its "
            "observation have an entry 'action_mask' and leave env.mask 'auto'."
        )


def describe(spec: Any) -> Entry:
    """What a spec says: Array, BoundedArray, DiscreteArray, or those of TF-Agents.

    Raises:
        ValueError: it is of text.
    """
    dtype, shape = np.dtype(spec.dtype), tuple(spec.shape)
    if dtype.kind not in "biuf":
        raise ValueError(
            "text and objects have no counterpart here. Wrap the environment so that "
            "it gives numbers, such as an embedding of the text or the number of a "
            "word, or leave the entry out."
        )
    low, high = _bounds(spec, dtype)
    return Entry(
        dtype,
        shape,
        np.broadcast_to(low, shape),
        np.broadcast_to(high, shape),
        lambda value: value[()],  # a number where there are no axes
    )


def _bounds(spec: Any, dtype: np.dtype) -> tuple[Any, Any]:
    if hasattr(spec, "minimum"):
        return np.asarray(spec.minimum), np.asarray(spec.maximum)
    if dtype.kind == "b":
        return np.asarray(0), np.asarray(1)
    if dtype.kind == "f":
        return np.asarray(-np.inf), np.asarray(np.inf)
    info = np.iinfo(dtype)
    return np.asarray(info.min), np.asarray(info.max)
