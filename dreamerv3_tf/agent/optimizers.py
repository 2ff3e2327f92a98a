"""LaProp and Adam, clipping, schedules, and what a step amounts to."""

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


class LaProp(keras.optimizers.Optimizer):
    """RMS normalisation before momentum, behind adaptive gradient clipping.

    For each tensor θ with gradient g, at update t = 1, 2, …:

        g ← g / max(1, ‖g‖ / (agc · max(1e-3, ‖θ‖)))       norms of whole tensors
        ν ← β₂ ν + (1 − β₂) g²        s = g / (√(ν / (1 − β₂ᵗ)) + ε)
        μ ← β₁ μ + (1 − β₁) s         m = μ / (1 − β₁ᵗ)
        θ ← θ − lr_t (m + wd · θ)                            decay of kernels only

    Source: Ziyin et al. 2020 (LaProp), Brock et al. 2021 (AGC, here per tensor),
    Hafner et al. 2025, Methods.

    Args:
        learning_rate: a number or a `Schedule`.
        agc: largest ratio of gradient norm to weight norm; 0 for no clipping.
        clip: largest norm of all gradients together, before anything else; 0 for no
            clipping.
        beta1: decay β₁ of the momentum.
        beta2: decay β₂ of the squared gradient.
        epsilon: ε above.
        momentum: use the momentum line; else `m = s`.
        nesterov: look one momentum step ahead, `μ ← β₁ μ + (1 − β₁) s` once more in m.
        decay: `wd` above.
    """

    SMALLEST_NORM = 1e-3

    def __init__(
        self,
        learning_rate: float | Schedule = 4e-5,
        agc: float = 0.3,
        clip: float = 0.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-20,
        momentum: bool = True,
        nesterov: bool = False,
        decay: float = 0.0,
        name: str = "laprop",
    ):
        super().__init__(learning_rate=learning_rate, name=name)
        self.agc, self.clip = agc, clip
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon, self.momentum = epsilon, momentum
        self.nesterov, self.decay = nesterov, decay
        self.nu, self.mu = [], []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.nu = [self.add_variable_from_reference(v, "nu") for v in variables]
        self.mu = [self.add_variable_from_reference(v, "mu") for v in variables]
        self.is_kernel = [v.path.endswith("kernel") for v in variables]
        self.update_square = self.add_variable((), "zeros", name="update_square")

    def apply(self, grads, trainable_variables=None):
        if self.built:
            self.assign(self.update_square, tf.zeros(()))
        if self.clip:
            norm = tf.sqrt(_square_sum(grads))
            factor = tf.where(norm < self.clip, 1.0, self.clip / norm)
            grads = [gradient * factor for gradient in grads]
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        value = tf.convert_to_tensor(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        delta = self._clip(tf.cast(gradient, tf.float32), value)
        delta = self._direct(delta, index, step)
        if self.decay and self.is_kernel[index]:
            delta += self.decay * value
        delta *= tf.cast(learning_rate, tf.float32)
        self.assign_sub(variable, delta)
        self.assign_add(self.update_square, tf.reduce_sum(tf.square(delta)))

    def _clip(self, gradient, value):
        if not self.agc:
            return gradient
        limit = self.agc * tf.maximum(self.SMALLEST_NORM, tf.norm(value))
        return gradient / tf.maximum(1.0, tf.norm(gradient) / limit)

    def _direct(self, gradient, index: int, step):
        """Direction of the update of variable `index`."""
        delta = self._normalize(gradient, self.nu[index], step)
        return self._smooth(delta, self.mu[index], step) if self.momentum else delta

    def _normalize(self, gradient, nu, step):
        return gradient / self._root(gradient, nu, step)

    def _root(self, gradient, nu, step):
        """Root of the mean square, with the newest gradient in it, plus ε."""
        now = self.beta2 * nu.value + (1 - self.beta2) * tf.square(gradient)
        self.assign(nu, now)
        fixed = now / (1 - tf.pow(self.beta2, step))
        return tf.sqrt(fixed) + self.epsilon

    def _smooth(self, delta, mu, step):
        now = self.beta1 * mu.value + (1 - self.beta1) * delta
        self.assign(mu, now)
        if self.nesterov:
            now = self.beta1 * now + (1 - self.beta1) * delta
        return now / (1 - tf.pow(self.beta1, step))

    def get_config(self):
        names = (
            "agc",
            "clip",
            "beta1",
            "beta2",
            "epsilon",
            "momentum",
            "nesterov",
            "decay",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class Adam(LaProp):
    """RMS normalisation and momentum of the gradient at the same time.

        μ ← β₁ μ + (1 − β₁) g         ν ← β₂ ν + (1 − β₂) g²
        θ ← θ − lr_t (μ / (1 − β₁ᵗ) / (√(ν / (1 − β₂ᵗ)) + ε) + wd · θ)

    with g clipped as in `LaProp`. Keras' own Adam has ε in another place. Source:
    Kingma and Ba 2015; Hafner et al. 2023.
    """

    def _direct(self, gradient, index, step):
        root = self._root(gradient, self.nu[index], step)
        if self.momentum:
            gradient = self._smooth(gradient, self.mu[index], step)
        return gradient / root


class Updater:
    """One optimizer over a group of variables, with loss scaling where it is needed.

    Args:
        optimizer: any Keras optimizer; `LaProp` adds its own statistics.
        variables: the Keras variables that it trains.
        loss_scaling: multiply the loss so that float16 gradients do not vanish, halve
            the factor and skip the update where a gradient is not finite, double it
            after 1000 updates.
        max_scale: bound of the factor.
        name: the group, in the names of the metrics; none where it is all variables.
    """

    MIN_SCALE = 1e-4

    def __init__(
        self,
        optimizer,
        variables: list,
        loss_scaling: bool = False,
        max_scale: float = 1e5,
        name: str = "",
    ):
        self.variables = variables
        self.max_scale = max_scale
        self.prefix = f"opt/{name}/" if name else "opt/"
        self.inner = optimizer
        self.outer = optimizer
        if loss_scaling:
            self.outer = keras.optimizers.LossScaleOptimizer(
                optimizer, initial_scale=1e4, dynamic_growth_steps=1000
            )
        self.outer.build(variables)

    def scale(self, loss):
        """The loss to differentiate."""
        return self.outer.scale_loss(loss)

    def apply(self, gradients: list) -> dict:
        """Updates the variables by gradients of the scaled loss.

        Returns:
            Scalars `opt/…` or `opt/group/…`, float32 `[]`; norms are of the raw
            gradients, before clipping, in units of the unscaled loss.
        """
        rate = tf.cast(self.inner.learning_rate, tf.float32)
        count = sum(variable.value.shape.num_elements() for variable in self.variables)
        squares = _square_sum(gradients)
        metrics = {"lr": rate, "param_count": tf.constant(float(count))}
        scaled = self.outer is not self.inner
        if scaled:
            scale = self.outer.scale_loss(tf.constant(1.0))
            squares /= tf.square(scale)
            metrics["loss_scale"] = scale
        self.outer.apply(gradients, self.variables)
        if scaled:
            scale = self.outer.dynamic_scale
            scale.assign(tf.clip_by_value(scale.value, self.MIN_SCALE, self.max_scale))
        metrics["updates"] = tf.cast(self.inner.iterations, tf.float32)
        metrics["grad_norm"] = tf.sqrt(squares)
        metrics["grad_rms"] = tf.sqrt(squares / count)
        params = _square_sum([variable.value for variable in self.variables])
        metrics["param_rms"] = tf.sqrt(params / count)
        if isinstance(self.inner, LaProp):
            updates = self.inner.update_square.value
            metrics["update_rms"] = tf.sqrt(updates / count)
        return {self.prefix + key: value for key, value in metrics.items()}


def _square_sum(tensors: list):
    return tf.add_n([tf.reduce_sum(tf.square(tf.cast(x, tf.float32))) for x in tensors])
