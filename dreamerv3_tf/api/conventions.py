"""Between what a person's environment shows and takes, and what the agent does.

An agent sees flat dicts of float32, int32, uint8 and bool, and acts between -1 and 1.
A person's environment may nest, count from 5 and want 30 newton. What lies between is
done by the environment's adapter and wrappers; the same ones translate here, with a
mirror in place of the environment: it shows what it was told to show, and keeps what it
was told to do.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs import given, make_env, suite_of
from dreamerv3_tf.envs.adapters import leaves as nested
from dreamerv3_tf.envs.adapters.leaves import Entry, Leaf, Leaves
from dreamerv3_tf.envs.adapters.masks import INFO
from dreamerv3_tf.envs.base import Action, Env, EnvError, Obs, signals
from dreamerv3_tf.envs.wrapper import Wrapper
from dreamerv3_tf.envs.wrappers import NormalizeAction, wrap
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import FLAGS, SIGNALS
from dreamerv3_tf.values import ConfigError


class Mirror:
    """An environment that shows and keeps what it is told.

    Args:
        obs_space: spaces of one observation.
        act_space: spaces of one action.

    Attributes:
        shown: the observation to show next.
        done: the last action.
    """

    def __init__(self, obs_space: dict[str, Space], act_space: dict[str, Space]):
        self.obs_space, self.act_space = obs_space, act_space
        self.shown: Obs = {}
        self.done: Action = {}

    def reset(self) -> Obs:
        return self.shown

    def step(self, action: Action) -> Obs:
        self.done = action
        return self.shown

    def render(self) -> np.ndarray:
        raise AssertionError("nothing to see")

    def close(self) -> None:
        pass


class Conventions:
    """How a person's environment writes observations and actions.

    Args:
        env: one of their environments, wrapped as the agent needs it. It is not used
            afterwards, so it may be closed.

    Attributes:
        leaves: entries of their observations, by the agent's keys.
        actions: entries of their actions, likewise.
    """

    def __init__(self, env: Env):
        chain: list[Wrapper] = []
        while isinstance(env, Wrapper):
            chain.append(env)
            env = env.env
        inputs = {k: s for k, s in env.obs_space.items() if k not in SIGNALS}
        logs = {k: s for k, s in inputs.items() if k.startswith("log/")}
        seen = {k: s for k, s in inputs.items() if k not in logs}
        self.leaves: Leaves = getattr(env, "obs_leaves", None) or plain_leaves(seen)
        self.actions: Leaves = getattr(env, "act_leaves", None) or plain_leaves(
            env.act_space
        )
        self.nest = getattr(env, "nest", env.act_space)
        self.masks = getattr(env, "masks", None)
        self.unseen = signals(first=True) | {k: lowest(s) for k, s in logs.items()}
        self.mirror = Mirror(env.obs_space, env.act_space)
        self.ranges = [x.ranges for x in chain[::-1] if isinstance(x, NormalizeAction)]
        self.top: Env = self.mirror
        for wrapper in reversed(chain):
            wrapper = copy.copy(wrapper)
            wrapper.env, self.top = self.top, wrapper

    def observe(self, observation: Any, info: Any = None) -> tuple[Obs, bool]:
        """Observations as the agent sees them.

        Args:
            observation: one, or several with one axis more at the front of each entry.
            info: what came with it, where the masks of actions are there.

        Returns:
            `{key: [N, *shape]}` without signals, but for flags that were given; and
            whether it was one observation, `N` is 1 then.

        Raises:
            ConfigError: it is no observation of the environment.
        """
        entries = pick(self.leaves, observation, "observation")
        single, count = extent(self.leaves, entries)
        rows = []
        for index in range(count):
            row = {k: x if single else x[index] for k, x in entries.items()}
            try:
                coded = {k: self.leaves[k].encode(x) for k, x in row.items()}
                coded |= self._masks(info, single, index)
                self.mirror.shown = self.unseen | coded
                shown = self.top.reset()
            except (EnvError, TypeError, ValueError) as error:
                text = str(error).replace("The observation of reset()", "It", 1)
                raise ConfigError(f"The observation can't be used. {text}") from error
            rows.append({key: shown[key] for key in coded})
        seen = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
        return seen | self._flags(observation, single, count), single

    def _masks(self, info: Any, single: bool, index: int) -> Obs:
        """Masks of one row of an info, where they are there."""
        if self.masks is None:
            return {}
        if not single and isinstance(info, Mapping):
            info = {key: value[index] for key, value in info.items() if key == INFO}
        elif not single:
            info = (info or {})[index]
        return self.masks.read(info or {}, "act()")

    def _flags(self, observation: Any, single: bool, count: int) -> Obs:
        """Flags among the observations, where the environment has them there."""
        if not isinstance(observation, Mapping):
            return {}
        shape, flags = () if single else (count,), {}
        for flag in FLAGS:
            if flag in observation and (flag,) not in self.paths:
                value = np.asarray(observation[flag], bool)
                if value.shape != shape:
                    raise ConfigError(
                        f"The observation's '{flag}' has shape {value.shape}, expected "
                        f"{shape}."
                    )
                flags[flag] = value.reshape(count)
        return flags

    @property
    def paths(self) -> list[tuple]:
        """Places of the entries of an observation."""
        return [leaf.path for leaf in self.leaves.values()]

    def act(self, action: Action, single: bool) -> Any:
        """The agent's actions as the environment takes them; after an `observe`.

        Args:
            action: `{key: [N, *shape]}`.
            single: without the axis of `N`, which is 1.

        Returns:
            One action, or all with one axis more at the front of each entry.
        """
        done = []
        for index in range(len(next(iter(action.values())))):
            self.top.reset()  # a short time limit may be over
            self.top.step({key: value[index] for key, value in action.items()})
            done.append(nested.decode(self.nest, self.actions, self.mirror.done))
        return done[0] if single else stack(done)

    def read_actions(self, actions: Any) -> Action:
        """A sequence of the environment's actions as the agent takes them.

        Args:
            actions: a list of actions, or all of them with one axis more at the front
                of each entry.

        Returns:
            `{key: [T, *shape]}`.

        Raises:
            ConfigError: they are no actions of the environment.
        """
        if isinstance(actions, list):
            rows = [pick(self.actions, action, "action") for action in actions]
        else:
            entries = pick(self.actions, actions, "action")
            count = len(next(iter(entries.values())))
            rows = [{k: x[i] for k, x in entries.items()} for i in range(count)]
        spaces = self.top.act_space
        read: dict[str, list] = {key: [] for key in spaces}
        for row in rows:
            for key, value in self._inward(row).items():
                if problem := spaces[key].problem(value):
                    raise ConfigError(f"The action's '{key}' can't be used: {problem}.")
                read[key].append(value)
        return {
            key: np.asarray(values, spaces[key].dtype).reshape(-1, *spaces[key].shape)
            for key, values in read.items()
        }

    def _inward(self, row: dict[str, np.ndarray]) -> Action:
        """An action of the environment, between -1 and 1 where it is continuous."""
        action = {key: self.actions[key].encode(value) for key, value in row.items()}
        for ranges in self.ranges:
            for key, (finite, low, high) in ranges.items():
                scaled = 2 * (action[key] - low) / (high - low) - 1
                action[key] = np.where(finite, scaled, action[key])
        for key, space in self.top.act_space.items():
            if not space.discrete:
                action[key] = np.clip(action[key], space.low, space.high)
            action[key] = np.asarray(action[key], space.dtype)
        return action


def plain_leaves(spaces: Mapping[str, Space]) -> Leaves:
    """Leaves of an environment that has flat dicts already."""

    def same(value: Any) -> Any:
        return value

    return {
        key: Leaf((key,), space, np.asarray, same, plain_entry(space))
        for key, space in spaces.items()
    }


def plain_entry(space: Space) -> Entry:
    """What a space of ours says about its array."""
    whole = space.discrete or space.image
    high = space.high - 1 if whole else space.high
    return Entry(space.dtype, space.shape, space.low, high)


def lowest(space: Space) -> np.ndarray:
    """An entry of a space, zero where that is one."""
    entry = plain_entry(space)
    return np.clip(np.zeros(space.shape), entry.low, entry.high).astype(space.dtype)


def pick(leaves: Leaves, value: Any, what: str) -> dict[str, np.ndarray]:
    """Entries of a nested value, as arrays by the agent's keys.

    Where there is one entry only, it may stand alone.

    Raises:
        ConfigError: an entry is not there.
    """
    if len(leaves) == 1 and not isinstance(value, Mapping | tuple):
        return {key: np.asarray(value) for key in leaves}
    entries = {}
    for key, leaf in leaves.items():
        try:
            entries[key] = np.asarray(nested.find(value, leaf.path))
        except (KeyError, IndexError, TypeError) as error:
            place = " -> ".join(map(repr, leaf.path))
            raise ConfigError(
                f"The {what} is a {type(value).__name__} without the entry {place}; "
                f"expected all of {', '.join(map(repr, leaves))}."
            ) from error
    return entries


def extent(leaves: Leaves, entries: dict[str, np.ndarray]) -> tuple[bool, int]:
    """Whether these are entries of one observation, and how many there are.

    Raises:
        ConfigError: they are neither one observation nor several.
    """
    counts = set()
    for key, value in entries.items():
        shape = leaves[key].entry.shape
        if value.shape == shape:
            counts.add(0)
        elif value.ndim and value.shape[1:] == shape and len(value):
            counts.add(len(value))
        else:
            raise ConfigError(
                f"The observation's '{key}' has shape {value.shape}, expected {shape}, "
                "or that of several observations with their number before it."
            )
    if len(counts) > 1:
        shapes = ", ".join(f"'{key}' {value.shape}" for key, value in entries.items())
        raise ConfigError(
            f"The entries of the observation differ in their number: {shapes}."
        )
    count = counts.pop()
    return not count, count or 1


def stack(values: Sequence[Any]) -> Any:
    """Nested values of one structure as one, with an axis more at the front."""
    first = values[0]
    if isinstance(first, Mapping):
        return {key: stack([value[key] for value in values]) for key in first}
    if isinstance(first, list | tuple):
        parts = [stack(part) for part in zip(*values, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    return np.stack(values)


def task_of(config: Config, env_fn: Callable[..., Any] | str | None) -> Config:
    """The settings with the task of the environments that `env_fn` makes."""
    if env_fn is None:
        return config
    task = env_fn if isinstance(env_fn, str) else given.register(env_fn)
    return dataclasses.replace(config, task=task)


def conventions_of(
    config: Config, agent: Agent, env_fn: Callable[..., Any] | None
) -> Conventions:
    """How the environments of a run write observations and actions.

    Args:
        config: of the run.
        agent: of the run.
        env_fn: what made the environments, `None` where the task names them.
    """
    config = task_of(config, env_fn)
    if suite_of(config.task)[0] not in ("own", "given"):
        return Conventions(wrap(Mirror(agent.obs_space, agent.act_space)))
    env = make_env(config.task, seed=config.seed, **config.env)
    env.close()
    return Conventions(env)
