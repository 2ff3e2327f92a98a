"""Rolling the policy forward inside the world model."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.nn.heads import Actor
from dreamerv3_tf.structs import Latent

from .world_model import WorldModel


class Imagined(NamedTuple):
    """A rollout, without gradient unless it was asked for.

    Index 0 is the replayed start. `N` starts.

    Attributes:
        latent: states, `[H + 1, N, ...]`.
        action: actions taken in them, `{key: [H + 1, N, ...]}`.
        allowed: what the model took for allowed there, bool `{key: [H + 1, N, ...,
            C]}` of the actions that have masks.
    """

    latent: Latent
    action: dict[str, Any]
    allowed: dict[str, Any]


def imagine(
    model: WorldModel,
    actor: Actor,
    starts: Latent,
    noise,
    length: int,
    through: bool = False,
) -> Imagined:
    """Follows the policy through the prior for `length` steps.

    Args:
        model: the world model.
        actor: the policy.
        starts: states `[N, ...]`.
        noise: `(prior, action)`: uniform `[H, N, S]`, and `{key: [H + 1, N, ...]}` as
            `Actor` distributions want it; `None` in their place for the most likely.
        length: steps `H`.
        through: let the gradient go from states to the actions before them. What the
            policy reads is constant, so it reaches each action by its effects alone.

    Returns:
        States and actions, with all gradients stopped unless `through`. The last action
        is taken in the last state and leads nowhere; only its probability is of use.
    """
    starts = tf.nest.map_structure(tf.stop_gradient, starts)
    prior, given = noise
    clock = tf.zeros((length,))  # so that a loop without noise still has an input

    def decide(latent, given):
        feat = functions.features(latent)
        feat = tf.stop_gradient(feat) if through else feat
        allowed = model.allowed(feat)
        return choose(actor(feat, allowed), given), allowed

    def act(latent, given):
        action, allowed = decide(latent, given[0])
        return model.encode_action(action), (action, allowed)

    like = decide(starts, _at(given, 0))
    inputs = (
        () if prior is None else prior,
        (tf.nest.map_structure(lambda x: x[:length], _dense(given)), clock),
    )
    last, (latent, acted) = model.rssm.imagine(starts, act, inputs, like, length)
    before, after = (latent, *acted), (last, *decide(last, _at(given, length)))
    joined = tf.nest.map_structure(
        lambda x, y: tf.concat([x, y[None]], 0), before, after
    )
    if not through:
        joined = tf.nest.map_structure(tf.stop_gradient, joined)
    return Imagined(*joined)


def constant(*parts: keras.layers.Layer) -> keras.StatelessScope:
    """A scope in which no gradient reaches the weights of these parts.

    A loss that goes through the world model to the actor must not train it.
    """
    weights = [weight for part in parts for weight in part.weights]
    return keras.StatelessScope([(w, tf.stop_gradient(w.value)) for w in weights])


def choose(policy: dict, noise: dict) -> dict:
    """One action of each entry; see `pick` of the distributions."""
    return {key: dist.pick(noise.get(key)) for key, dist in policy.items()}


def _dense(noise: dict) -> dict:
    return {key: value for key, value in noise.items() if value is not None}


def _at(noise: dict, index: int) -> dict:
    return {key: value[index] for key, value in _dense(noise).items()}
