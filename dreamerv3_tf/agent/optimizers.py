"""LaProp and Adam, clipping, and what a step amounts to."""

from __future__ import annotations

import keras
import tensorflow as tf

from .packs import SMALL, Pack, join, packs, square_sum
from .schedule import Schedule


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
        pack: variables with at most that many elements are updated as one vector, see
            `Pack`; 0 for none.
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
        pack: int = SMALL,
        name: str = "laprop",
    ):
        super().__init__(learning_rate=learning_rate, name=name)
        self.agc, self.clip = agc, clip
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon, self.momentum = epsilon, momentum
        self.nesterov, self.decay, self.pack = nesterov, decay, pack
        self.nu, self.mu = [], []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.nu = [self.add_variable_from_reference(v, "nu") for v in variables]
        self.mu = [self.add_variable_from_reference(v, "mu") for v in variables]
        self.update_square = self.add_variable((), "zeros", name="update_square")

    def apply(self, grads, trainable_variables=None):
        """Updates the variables.

        Args:
            grads: a gradient for each variable.
            trainable_variables: those of `build`, all or some, in any order; all where
                there are none.
        """
        variables = list(trainable_variables or self._trainable_variables)
        self.build(variables)
        grads = [tf.cast(gradient, tf.float32) for gradient in grads]
        if self.clip:
            norm = tf.sqrt(square_sum(grads, self.pack))
            factor = tf.where(norm < self.clip, 1.0, self.clip / norm)
            grads = [gradient * factor for gradient in grads]
        if self.agc:
            grads = self.clip_each(grads, [variable.value for variable in variables])
        step = tf.cast(self.iterations + 1, tf.float32)
        rate = tf.cast(self.learning_rate, tf.float32)
        squares = []
        for members in packs(variables, self.pack):
            theirs = [variables[i] for i in members]
            slots = [self._get_variable_index(variable) for variable in theirs]
            delta = join([grads[i] for i in members])
            delta = rate * (self._direct(delta, slots, step) + self._shrink(theirs))
            Pack(theirs).subtract(delta)
            squares.append(delta)
        self.update_square.assign(square_sum(squares))
        self.iterations.assign_add(1)

    def clip_each(self, gradients: list, values: list) -> list:
        """The gradients, none longer than `agc` times its tensor."""
        length, size = (
            tf.sqrt(tf.stack([tf.reduce_sum(tf.square(x)) for x in tensors]))
            for tensors in (gradients, values)
        )
        limit = self.agc * tf.maximum(self.SMALLEST_NORM, size)
        excess = tf.unstack(tf.maximum(1.0, length / limit))
        return [x / factor for x, factor in zip(gradients, excess, strict=True)]

    def _shrink(self, variables: list):
        """`wd · θ` of kernels, zero for the other variables of a pack."""
        if not self.decay:
            return 0.0
        kernel = [variable.path.endswith("kernel") for variable in variables]
        values = [variable.value for variable in variables]
        pairs = zip(kernel, values, strict=True)
        return self.decay * join(
            [x if is_one else tf.zeros_like(x) for is_one, x in pairs]
        )

    def _direct(self, gradient, slots: list[int], step):
        """Direction of the update of a pack of variables with these numbers."""
        nu, mu = (Pack([moments[i] for i in slots]) for moments in (self.nu, self.mu))
        delta = self.normalize(gradient, nu, step)
        return self.smooth(delta, mu, step) if self.momentum else delta

    def normalize(self, gradient, nu, step):
        """`s` above, where `nu` is a variable or a `Pack` of them, which it updates."""
        return gradient / self._root(gradient, nu, step)

    def _root(self, gradient, nu, step):
        """Root of the mean square, with the newest gradient in it, plus ε."""
        now = self.beta2 * nu.value + (1 - self.beta2) * tf.square(gradient)
        nu.assign(now)
        fixed = now / (1 - tf.pow(self.beta2, step))
        return tf.sqrt(fixed) + self.epsilon

    def smooth(self, delta, mu, step):
        """`m` above, where `mu` is a variable or a `Pack`, which it updates."""
        now = self.beta1 * mu.value + (1 - self.beta1) * delta
        mu.assign(now)
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
            "pack",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class Adam(LaProp):
    """RMS normalisation and momentum of the gradient at the same time.

        μ ← β₁ μ + (1 − β₁) g         ν ← β₂ ν + (1 − β₂) g²
        θ ← θ − lr_t (μ / (1 − β₁ᵗ) / (√(ν / (1 − β₂ᵗ)) + ε) + wd · θ)

    with g clipped as in `LaProp`. Keras' own Adam has ε in another place. Source:
    Kingma and Ba 2015; Hafner et al. 2023.
    """

    def _direct(self, gradient, slots, step):
        nu, mu = (Pack([moments[i] for i in slots]) for moments in (self.nu, self.mu))
        root = self._root(gradient, nu, step)
        if self.momentum:
            gradient = self.smooth(gradient, mu, step)
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
        self.pack = optimizer.pack if isinstance(optimizer, LaProp) else 0

    def unpack(self) -> None:
        """Updates each variable by itself from now on, as XLA wants it."""
        self.pack = 0
        if isinstance(self.inner, LaProp):
            self.inner.pack = 0

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
        squares = square_sum(gradients, self.pack)
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
        params = square_sum([v.value for v in self.variables], self.pack)
        metrics["param_rms"] = tf.sqrt(params / count)
        if isinstance(self.inner, LaProp):
            updates = self.inner.update_square.value
            metrics["update_rms"] = tf.sqrt(updates / count)
        return {self.prefix + key: value for key, value in metrics.items()}
