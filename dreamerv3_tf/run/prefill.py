"""Random actions until the replay is full enough to train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.run.driver import Arrays, Policy


class RandomFirst:
    """A policy whose actions are uniformly random at first.

    The agent looks on: its latents, which replay may store, are those of the random
    actions. Masked actions are drawn from those that are allowed. Source: Hafner et al.
    2023, published code.

    Args:
        policy: of the agent.
        agent: the agent.
        seed: of the random actions; together with the index of the call.
        over: whether the policy acts from here on.
    """

    def __init__(
        self, policy: Policy, agent: Agent, seed: int, over: Callable[[], bool]
    ):
        self.policy, self.agent, self.seed, self.over = policy, agent, seed, over

    def __call__(self, carry: Any, obs: Arrays, index: int):
        action, entries, carry = self.policy(carry, obs, index)
        if self.over():
            return action, entries, carry
        rng = np.random.default_rng([self.seed, index])
        count, masks = len(obs["is_first"]), self.agent.model.seen_masks(obs)
        for key, space in self.agent.act_space.items():
            if key in masks:
                action[key] = draw_allowed(masks[key], rng).astype(space.dtype)
            else:
                action[key] = np.stack([space.sample(rng) for _ in range(count)])
        taken = {key: tf.constant(value) for key, value in action.items()}
        return action, entries, carry._replace(action=taken)


def draw_allowed(allowed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One class of those that are allowed, uniformly; any where none is.

    `allowed` bool `[..., C]` → int64 `[...]`.
    """
    some = allowed.any(-1, keepdims=True)
    return np.argmax(rng.random(allowed.shape) * (allowed | ~some), -1)
