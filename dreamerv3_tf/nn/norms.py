"""Norm layers; they compute in float32."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


class RMSNorm(keras.layers.Layer):
    """`x / √(mean(x²) + ε) · scale` over the last axis, in float32.

    Args:
        epsilon: ε above.

    Call: `x [..., F]` → the same shape and dtype.
    """

    def __init__(self, epsilon: float = 1e-4, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.scale = self.add_weight(
            (input_shape[-1],), "ones", name="scale", autocast=False
        )

    def call(self, x):
        wide = tf.cast(x, tf.float32)
        square = tf.reduce_mean(tf.square(wide), -1, keepdims=True)
        return tf.cast(
            wide * tf.math.rsqrt(square + self.epsilon) * self.scale, x.dtype
        )


class LayerNorm(keras.layers.Layer):
    """`(x − mean) / √(var + ε) · scale + shift` over the last axis, in float32.

    Args:
        epsilon: ε above.

    Call: `x [..., F]` → the same shape and dtype.
    """

    def __init__(self, epsilon: float = 1e-4, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.scale = self.add_weight(shape, "ones", name="scale", autocast=False)
        self.shift = self.add_weight(shape, "zeros", name="shift", autocast=False)

    def call(self, x):
        wide = tf.cast(x, tf.float32)
        mean, variance = tf.nn.moments(wide, -1, keepdims=True)
        wide = (wide - mean) * tf.math.rsqrt(variance + self.epsilon)
        return tf.cast(wide * self.scale + self.shift, x.dtype)


NORMS: dict[str, Callable] = {"rms": RMSNorm, "layer": LayerNorm}
"""Norm layers by the name that the configuration uses."""
