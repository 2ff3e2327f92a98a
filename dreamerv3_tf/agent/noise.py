"""All random numbers of a step, drawn at once, outside the loops.

Inside an XLA loop the same numbers would cost more than the matrix products. Where a
part is `None`, the most likely outcome is taken instead.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.spaces import Space


class Noise(NamedTuple):
    """Noise of a train step.

    Attributes:
        post: uniform `[T, B, S]`, for the posterior.
        prior: uniform `[H, N, S]`, for imagination.
        action: `{key: [H + 1, N, *shape]}`, uniform for discrete entries, standard
            normal for continuous ones.
    """

    post: Any
    prior: Any
    action: dict[str, Any]


def uniform(shape, seed):
    """Uniform numbers in [0, 1), the same in every execution mode.

    Drawn as integers: TensorFlow makes a float of the lowest 23 bits of a draw in a
    graph and of the highest 23 under XLA. These are the numbers of the graph.
    """
    bits = tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )
    return tf.cast(tf.bitwise.bitwise_and(bits, 2**23 - 1), tf.float32) * 2.0**-23


def normal(shape, seed):
    """Standard normal numbers, the same in every execution mode but for rounding.

    `√2 erf⁻¹(2u − 1)` at the middles of the steps of `uniform`, so all are finite.
    """
    middle = uniform(shape, seed) + 2.0**-24
    return tf.math.erfinv(2 * middle - 1) * math.sqrt(2)


def action_noise(spaces: dict[str, Space], lead, seed) -> dict[str, Any]:
    """What the action distributions need to pick: `{key: [*lead, *shape]}`."""
    noise = {}
    for index, key in enumerate(sorted(spaces)):
        space = spaces[key]
        shape = (*lead, *space.shape)
        own = tf.random.experimental.stateless_fold_in(seed, index, alg="philox")
        if space.discrete:
            noise[key] = uniform(shape, own)
        else:
            noise[key] = normal(shape, own)
    return noise


def train_noise(seed, steps, batch, starts, horizon, groups, spaces) -> Noise:
    """Noise of one train step from one seed.

    Args:
        seed: int32 `[2]`.
        steps: trained steps `T`.
        batch: sequences `B`.
        starts: imagined sequences `N`.
        horizon: imagined steps `H`.
        groups: latent groups `S`.
        spaces: action spaces.
    """
    post, prior, action = tf.unstack(
        tf.random.experimental.stateless_split(seed, 3, alg="philox")
    )
    return Noise(
        uniform((steps, batch, groups), post),
        uniform((horizon, starts, groups), prior),
        action_noise(spaces, (horizon + 1, starts), action),
    )


class RandomNoise:
    """Fresh noise from a seed: how an agent samples.

    Args:
        groups: latent groups `S`.
        spaces: action spaces.
    """

    def __init__(self, groups: int, spaces: dict[str, Space]):
        self.groups, self.spaces = groups, spaces

    def train(self, seed, steps: int, batch: int, starts: int, horizon: int) -> Noise:
        """Noise of one train step; see `train_noise`."""
        return train_noise(
            seed, steps, batch, starts, horizon, self.groups, self.spaces
        )

    def policy(self, seed, count):
        """Noise of one policy step for `count` environments: `(post, action)`."""
        post, action = tf.unstack(
            tf.random.experimental.stateless_split(seed, 2, alg="philox")
        )
        noise = action_noise(self.spaces, (count,), action)
        return uniform((count, self.groups), post), noise

    def latents(self, seed, steps: int, batch: int):
        """Uniform numbers for a sequence of latents, `[steps, batch, S]`."""
        return uniform((steps, batch, self.groups), seed)


class FixedNoise(RandomNoise):
    """No chance at all: every choice is the most likely one.

    Args:
        groups: latent groups `S`.
        spaces: action spaces.
        normal: what continuous actions add to their mean, in standard deviations, by
            index of the last axis; `None` takes the mean.
    """

    def __init__(self, groups, spaces, normal=None):
        super().__init__(groups, spaces)
        self.normal = normal

    def train(self, seed, steps, batch, starts, horizon):
        del seed, steps, batch
        return Noise(None, None, self._actions((horizon + 1, starts)))

    def policy(self, seed, count):
        del seed
        return None, self._actions((count,))

    def latents(self, seed, steps, batch):
        del seed, steps, batch

    def _actions(self, lead):
        noise: dict[str, Any] = dict.fromkeys(self.spaces)
        if self.normal is None:
            return noise
        for key, space in self.spaces.items():
            if not space.discrete:
                row = self.normal[: space.shape[-1]] if space.shape else self.normal[0]
                row = tf.constant(row, tf.float32)
                noise[key] = tf.broadcast_to(row, (*lead, *space.shape))
        return noise
