"""How fresh kernels are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf

CUT = 0.87962566  # standard deviation of a unit normal truncated at ±2


class FanIn(keras.initializers.Initializer):
    """Truncated normal of standard deviation `scale / √fan_in`, cut at two sigmas.

    The fan is all axes but the last: for a block-diagonal kernel `[blocks, in, out]`
    that counts the inputs of all blocks, as the reference does, so each block starts
    `√blocks` smaller than one would choose for it alone.

    Args:
        scale: factor on the weights; 0 starts at zero.
    """

    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def __call__(self, shape, dtype=None):
        sigma = self.scale / math.sqrt(math.prod(shape[:-1])) / CUT
        if not sigma:
            return tf.zeros(shape, dtype)
        return keras.random.truncated_normal(shape, 0.0, sigma, dtype=dtype)

    def get_config(self):
        return {"scale": self.scale}


class FanAvg(keras.initializers.Initializer):
    """Truncated normal of variance `scale / fan`, the mean of inputs and outputs.

    Source: Hafner et al. 2023, published code (hidden layers).

    Args:
        scale: factor on the variance of the weights; 0 starts at zero.
    """

    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def __call__(self, shape, dtype=None):
        if not self.scale:
            return tf.zeros(shape, dtype)
        sigma = math.sqrt(self.scale / mean_fan(shape))
        return keras.random.truncated_normal(shape, 0.0, sigma / CUT, dtype=dtype)

    def get_config(self):
        return {"scale": self.scale}


class UniformAvg(FanAvg):
    """Uniform of variance `scale / fan`, the mean of inputs and outputs.

    Source: Hafner et al. 2023, published code (output layers).

    Args:
        scale: factor on the variance of the weights; 0 starts at zero.
    """

    def __call__(self, shape, dtype=None):
        if not self.scale:
            return tf.zeros(shape, dtype)
        limit = math.sqrt(3 * self.scale / mean_fan(shape))
        return keras.random.uniform(shape, -limit, limit, dtype=dtype)


def mean_fan(shape) -> float:
    """Mean of inputs and outputs of a kernel `[..., in, out]`."""
    return math.prod(shape[:-2]) * (shape[-2] + shape[-1]) / 2


INITS: dict[str, Callable] = {
    "fan_in": FanIn,
    "fan_avg": FanAvg,
    "uniform_avg": UniformAvg,
}
"""Initialisers by the name that the configuration uses; each takes a scale."""
