"""Learning rates over time."""

from __future__ import annotations

import math

import keras
import tensorflow as tf


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from zero, then constant, or linear or cosine decay.

    The first update has a learning rate of 0, as in the reference. `linear` ends at a
    tenth of the rate. `cosine` ends at `0.1 · rate²`, practically zero: the reference
    gives the final rate where a share of the rate is asked for, and we follow it.

    Args:
        rate: full learning rate.
        warmup: updates until the full rate.
        decay: `const`, `linear` or `cosine`.
        anneal: updates over which `linear` and `cosine` decay, warm-up included.
    """

    def __init__(self, rate: float, warmup: int = 0, decay="const", anneal: int = 0):
        if decay not in ("const", "linear", "cosine"):
            raise ValueError(f"Schedule '{decay}' is none of const, linear, cosine.")
        if decay != "const" and anneal <= warmup:
            raise ValueError(f"Schedule '{decay}' needs anneal above {warmup}.")
        self.rate, self.warmup, self.decay, self.anneal = rate, warmup, decay, anneal

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rate = self._decayed(tf.maximum(step - self.warmup, 0.0))
        if self.warmup:
            # This form, and not rate · step / warmup, rounds like the reference.
            rising = self.rate - self.rate * (1 - step / self.warmup)
            rate = tf.where(step < self.warmup, rising, rate)
        return rate

    def _decayed(self, step):
        if self.decay == "const":
            return tf.constant(self.rate, tf.float32)
        share = tf.minimum(step / (self.anneal - self.warmup), 1.0)
        if self.decay == "linear":
            return self.rate * (1 - 0.9 * share)
        end = 0.1 * self.rate  # as a share of the rate; see above
        return self.rate * (end + (1 - end) * 0.5 * (1 + tf.cos(math.pi * share)))

    def get_config(self):
        return {
            "rate": self.rate,
            "warmup": self.warmup,
            "decay": self.decay,
            "anneal": self.anneal,
        }
