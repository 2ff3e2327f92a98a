"""What the world model expects to come, in the units of the environment."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.spaces import find_masks
from dreamerv3_tf.structs import Latent

from .agent import Agent
from .imagination import imagine


class Foreseen(NamedTuple):
    """A rollout inside of the world model; entry `t` follows `action[t]`. `N` rows.

    Attributes:
        action: `{key: [H, N, *shape]}`, as the agent takes them.
        observation: what the decoder shows, `{key: [H, N, *shape]}` in the dtypes and
            units of the observation spaces.
        reward: reward for `action[t]`, float32 `[H, N]`, reward units.
        cont: probability that the episode goes on after it, float32 `[H, N]`.
        value: expected discounted return from there on, float32 `[H, N]`, reward units.
    """

    action: dict[str, Any]
    observation: dict[str, Any]
    reward: Any
    cont: Any
    value: Any


def follow(agent: Agent, obs: dict, action: dict, seed, mode: str) -> Latent:
    """The state after an episode's first observations.

    Args:
        agent: the agent.
        obs: its first `T` observations, `{key: [T, *shape]}`, without signals.
        action: what was done between them, `{key: [T - 1, *shape]}`.
        seed: int32 `[2]`.
        mode: `sample` the latent states, or `mode` for the most likely ones.

    Returns:
        The last state, `[1, ...]`.
    """
    model = agent.model
    length = len(next(iter(obs.values())))
    zero = agent.initial_policy(1).action
    before = {key: tf.concat([zero[key], action[key]], 0) for key in zero}
    seen = tf.nest.map_structure(lambda x: x[None], obs)
    noise = agent.noise.latents(seed, length, 1) if mode == "sample" else None
    return model.rssm.observe(
        model.rssm.initial(1),
        model.tokens(seen),
        model.encode_action(before)[None],
        tf.constant([[True] + [False] * (length - 1)]),
        noise,
    ).last


def foresee_actions(
    agent: Agent, start: Latent, action: dict, seed, mode: str
) -> Foreseen:
    """What given actions lead to.

    Args:
        agent: the agent.
        start: states `[N, ...]`.
        action: `{key: [H, N, *shape]}`.
        seed: int32 `[2]`.
        mode: `sample` the latent states, or `mode` for the most likely ones.
    """
    rssm, encoded = agent.model.rssm, agent.model.encode_action(action)
    length, rows = encoded.shape[:2]
    noise = agent.noise.latents(seed, length, rows) if mode == "sample" else ()
    last, (states, _) = rssm.imagine(
        start, lambda _, given: (given, ()), (noise, encoded), (), length
    )
    states = tf.nest.map_structure(
        lambda x, y: tf.concat([x, y[None]], 0), states, last
    )
    return describe(agent, states, action)


def foresee_policy(
    agent: Agent, start: Latent, length: int, seed, mode: str
) -> Foreseen:
    """What the policy would do, and what that leads to.

    Args:
        agent: the agent.
        start: states `[N, ...]`.
        length: steps `H`.
        seed: int32 `[2]`.
        mode: `sample` actions and latent states, or `mode` for the most likely ones.
    """
    rows = len(start.deter)
    noise = agent.noise.train(seed, 1, 1, rows, length)
    prior, action = noise.prior, noise.action
    if mode == "mode":
        prior, action = None, dict.fromkeys(action)
    imagined = imagine(
        agent.model, agent.behavior.actor, start, (prior, action), length
    )
    return describe(
        agent, imagined.latent, {key: x[:-1] for key, x in imagined.action.items()}
    )


def describe(agent: Agent, states: Latent, action: dict) -> Foreseen:
    """Decodes and judges states `[H + 1, N, ...]`, the first one left out."""
    model, behavior = agent.model, agent.behavior
    latent = tf.nest.map_structure(lambda x: x[1:], states)
    feat = functions.features(latent)
    offset, scale = behavior.value_norm.stats()
    cont = tf.sigmoid(model.cont(feat))
    if model.discount_in_cont:
        cont = tf.minimum(cont / model.discount, 1.0)
    actions = {
        key: tf.cast(value, agent.act_space[key].dtype) for key, value in action.items()
    }
    return Foreseen(
        actions,
        decode(agent, latent),
        model.reward(feat).mean(),
        cont,
        behavior.critic(feat).mean() * scale + offset,
    )


def decode(agent: Agent, latent: Latent) -> dict:
    """Observations that states stand for, `{key: [H, N, *shape]}`; masks included."""
    model, found = agent.model, {}
    lead = latent.deter.shape[:2]
    if model.decoder.images:
        means = model.decoder.image_means(latent)
        found |= {k: tf.cast(tf.round(255 * x), tf.uint8) for k, x in means.items()}
    if model.decoder.vectors:
        means = model.decoder.vector_means(latent)
        for key, space in model.decoder.vectors.items():
            value = model.decoder.vector_value(key, means[key])
            value = tf.reshape(value, (*lead, *space.shape))
            found[key] = tf.cast(value, space.dtype)
    allowed = model.allowed(functions.features(latent))
    masks = find_masks(model.inputs, model.action_spaces)
    return found | {masks[key][0]: value for key, value in allowed.items()}
