"""Imagination from a person's observations and actions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent import foresight
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.api.conventions import Conventions
from dreamerv3_tf.envs.base import Action, Obs
from dreamerv3_tf.values import ConfigError


class Imagination(NamedTuple):
    """What an agent expects; entry `t` of everything follows `actions[t]`.

    Attributes:
        actions: `H` actions as the environment takes them.
        observations: what it expects to see, `{key: [H, *shape]}` by the agent's keys:
            pictures uint8 `[H, height, width, channels]`, vectors float32 in the
            environment's units, integers int32.
        rewards: of each action, float32 `[H]`, reward units.
        continues: probability that the episode is not over after it, float32 `[H]`.
        values: expected discounted sum of the rewards after it, float32 `[H]`.
    """

    actions: Any
    observations: dict[str, np.ndarray]
    rewards: np.ndarray
    continues: np.ndarray
    values: np.ndarray


class Context(NamedTuple):
    """What is known before imagination begins.

    Attributes:
        obs: the first `T` observations of an episode, `{key: [T, *shape]}`.
        between: actions taken between them, `{key: [T - 1, *shape]}`.
        future: actions to imagine, `{key: [H, *shape]}`; empty where the policy
            chooses.
    """

    obs: Obs
    between: Action
    future: Action


def read_context(conventions: Conventions, observation: Any, actions: Any) -> Context:
    """Observations and actions as the agent sees them.

    Args:
        conventions: of the environment.
        observation: see `Dreamer.imagine`.
        actions: see `Dreamer.imagine`.

    Raises:
        ConfigError: they do not fit the environment's, or their numbers each other.
    """
    if isinstance(observation, list):
        seen = [conventions.observe(one) for one in observation]
        if not seen or not all(single for _, single in seen):
            raise ConfigError("imagine: expected a list of single observations.")
        obs = {key: np.concatenate([x[key] for x, _ in seen]) for key in seen[0][0]}
    else:
        obs, _ = conventions.observe(observation)
    obs = {key: value for key, value in obs.items() if key in conventions.leaves}
    count = len(next(iter(obs.values())))
    given = conventions.read_actions([] if actions is None else actions)
    known = len(next(iter(given.values())))
    if known < count - 1:
        raise ConfigError(
            f"imagine: {count} observations have {count - 1} actions between them, but "
            f"{known} are given."
        )
    between = {key: value[: count - 1] for key, value in given.items()}
    future = {key: value[count - 1 :] for key, value in given.items()}
    return Context(obs, between, future if known >= count else {})


def imagine(
    agent: Agent, context: Context, length: int, mode: str, seed: int
) -> foresight.Foreseen:
    """What comes after the context, as arrays without the axis of rows.

    Args:
        agent: the agent.
        context: what is known.
        length: steps, where the policy chooses.
        mode: `sample` or `mode`.
        seed: of the sampling.
    """
    known, ahead = (tf.constant([seed, index], tf.int32) for index in (0, 1))
    obs, between = tf.nest.map_structure(tf.constant, (context.obs, context.between))
    start = foresight.follow(agent, obs, between, known, mode)
    if context.future:
        future = {key: tf.constant(x[:, None]) for key, x in context.future.items()}
        found = foresight.foresee_actions(agent, start, future, ahead, mode)
    else:
        found = foresight.foresee_policy(agent, start, length, ahead, mode)
    return tf.nest.map_structure(lambda x: x[:, 0].numpy(), found)
