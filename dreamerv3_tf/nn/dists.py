"""Distributions of latents, actions and predictions.

All compute in float32, whatever the dtype of their parameters. The classes that are
sampled have `pick(noise)`: a sample made from noise drawn beforehand (random numbers
inside an XLA loop are slow, and differ from those outside), or the deterministic choice
where `noise` is `None`.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from . import functions

tfd = tfp.distributions


def mixed_logits(logits, unimix: float, valid=None):
    """Log-probabilities of a softmax mixed with a uniform distribution.

    `ln((1 − u) softmax(l) + u / C)`; source: Hafner et al. 2025, Methods.

    Args:
        logits: `[..., C]`.
        unimix: share `u` of the uniform distribution.
        valid: bool `[..., C]` where not all classes may be chosen; the others get
            probability zero.

    Returns:
        float32 `[..., C]`; the logits themselves where `u` is 0.
    """
    logits = tf.cast(logits, tf.float32)
    if valid is not None:
        logits = tf.where(valid, logits, -1e9)
    if not unimix:
        return logits
    probs = tf.nn.softmax(logits)
    if valid is None:
        return tf.math.log((1 - unimix) * probs + unimix / probs.shape[-1])
    uniform = tf.cast(valid, tf.float32)
    uniform /= tf.reduce_sum(uniform, -1, keepdims=True)
    mixed = (1 - unimix) * probs + unimix * uniform
    return tf.where(valid, tf.math.log(tf.maximum(mixed, 1e-30)), -1e9)


class OneHot(tfd.OneHotCategorical):
    """One-hot latent groups with unimix and straight-through gradients.

    Args:
        logits: `[..., C]`.
        unimix: share of the uniform distribution in the probabilities.
    """

    def __init__(self, logits, unimix: float = 0.01, name: str = "OneHot"):
        parameters = dict(locals())
        super().__init__(
            logits=mixed_logits(logits, unimix), dtype=tf.float32, name=name
        )
        self._parameters = parameters

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        del dtype, num_classes
        return {
            "logits": tfp.util.ParameterProperties(event_ndims=1),
            "unimix": tfp.util.ParameterProperties(),
        }

    def pick(self, noise):
        """`onehot + p − sg(p)`: float32 `[..., C]`.

        `noise` is uniform `[...]`, or the one-hot choice itself, `[..., C]`.
        """
        probs = self.probs_parameter()
        chosen = noise is not None and len(noise.shape) == len(probs.shape)
        onehot = noise if chosen else functions.pick_onehot(probs, noise)
        onehot = tf.stop_gradient(tf.cast(onehot, probs.dtype))
        return onehot + (probs - tf.stop_gradient(probs))


class Categorical(tfd.Categorical):
    """Discrete actions: class indices with unimix.

    Args:
        logits: `[..., C]`.
        unimix: share of the uniform distribution in the probabilities.
        valid: see `mixed_logits`.
    """

    def __init__(self, logits, unimix=0.01, valid=None, name: str = "Categorical"):
        parameters = dict(locals())
        mixed = mixed_logits(logits, unimix, valid)
        super().__init__(logits=mixed, dtype=tf.int32, name=name)
        self._parameters = parameters

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        del dtype, num_classes
        return {
            "logits": tfp.util.ParameterProperties(event_ndims=1),
            "unimix": tfp.util.ParameterProperties(),
            "valid": tfp.util.ParameterProperties(),
        }

    def pick(self, noise):
        """Class index, int32 `[...]`, from uniform `noise [...]`."""
        return functions.pick_index(self.probs_parameter(), noise)


class BoundedNormal(tfd.Normal):
    """Normal with mean `tanh(m)` and deviation `(hi − lo) sigmoid(s + 2) + lo`.

    Samples are neither squashed nor cut; whoever runs the environment clips them.

    Args:
        mean: `m` above, `[..., A]`.
        stddev: `s` above, `[..., A]`.
        low: smallest deviation.
        high: bound of the largest deviation.
    """

    def __init__(self, mean, stddev, low=0.1, high=1.0, name: str = "BoundedNormal"):
        parameters = dict(locals())
        mean = tf.tanh(tf.cast(mean, tf.float32))
        stddev = (high - low) * tf.sigmoid(tf.cast(stddev, tf.float32) + 2.0) + low
        super().__init__(mean, stddev, name=name)
        self._parameters = parameters
        self.bounds = (low, high)

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        del dtype, num_classes
        names = ("mean", "stddev", "low", "high")
        return {name: tfp.util.ParameterProperties() for name in names}

    def pick(self, noise):
        """`mean + noise · stddev` from standard normal `noise`, or the mean."""
        return self.loc if noise is None else self.loc + noise * self.scale


def normal_entropy(stddev: float) -> float:
    """Entropy of one dimension of a normal distribution, in nats."""
    return 0.5 * math.log(2 * math.pi * math.e) + math.log(stddev)


def symlog_bins(count: int) -> np.ndarray:
    """Bins at `linspace(−20, 20)`, exactly antisymmetric, float32 `[count]`."""
    odd = count % 2
    half = np.linspace(-20, 0, count // 2 + odd, dtype=np.float32)
    return np.concatenate([half, -half[::-1][odd:]])


def symexp_bins(count: int) -> np.ndarray:
    """Bins at `symexp(linspace(−20, 20))`, exactly antisymmetric, float32 `[count]`."""
    bins = symlog_bins(count)
    return np.sign(bins) * np.expm1(np.abs(bins))


class TwoHot:
    """Distribution of a real number over fixed bins.

    A number is encoded by weights on its two neighbouring bins, linear in between; the
    loss is the cross-entropy to them. Source: Hafner et al. 2025, eq. 10; with
    `symlog`, Hafner et al. 2023.

    Args:
        logits: `[..., bins]`.
        bins: float32 `[bins]`, ascending and antisymmetric.
        symlog: the bins are in symlog units.
    """

    def __init__(self, logits, bins: np.ndarray, symlog: bool = False):
        self.logits = tf.cast(logits, tf.float32)
        self.bins, self.symlog = bins, symlog

    def mean(self):
        """Expected value, float32 `[...]`; with `symlog`, symexp of the expectation.

        Mirrored bins are combined before the sum: the outer ones are 5e8 apart, and a
        uniform distribution must give exactly zero. A difference of two products would
        not do, since a compiler may fuse one of them into the subtraction.
        """
        probs = tf.nn.softmax(self.logits)
        half = len(self.bins) // 2
        low, high = probs[..., :half], probs[..., len(self.bins) - half :]
        surplus = high - tf.reverse(low, (-1,))
        mean = tf.reduce_sum(surplus * self.bins[len(self.bins) - half :], -1)
        return functions.symexp(mean) if self.symlog else mean

    def log_prob(self, target):
        """Cross-entropy of the two-hot code of `target [...]`, negated, in nats."""
        target = tf.stop_gradient(tf.cast(target, tf.float32))
        target = functions.symlog(target) if self.symlog else target
        last = len(self.bins) - 1
        number = self._number(target)
        below, above = (tf.clip_by_value(number + i, 0, last) for i in (0, 1))
        same = below == above
        to_below = tf.where(same, 1.0, tf.abs(tf.gather(self.bins, below) - target))
        to_above = tf.where(same, 1.0, tf.abs(tf.gather(self.bins, above) - target))
        return two_hot_log_prob(
            self.logits, below, above, to_above / (to_below + to_above)
        )

    def _number(self, target):
        """Number of the last bin that is not above the target, int32; −1 for none.

        The bins are evenly spaced in symlog units, so it is computed and, where
        rounding has hit the neighbour, mended.
        """
        last, width = len(self.bins) - 1, 40 / (len(self.bins) - 1)
        place = target if self.symlog else functions.symlog(target)
        guess = tf.clip_by_value((place + 20) / width, 0.0, last - 1.0)
        guess = tf.clip_by_value(tf.cast(guess, tf.int32), 0, last - 1)  # NaN too
        low, high = (tf.gather(self.bins, guess + i) for i in (0, 1))
        return (
            guess + tf.cast(high <= target, tf.int32) - tf.cast(low > target, tf.int32)
        )


@tf.custom_gradient
def two_hot_log_prob(logits, below, above, share):
    """`share · ln p_below + (1 − share) · ln p_above`, float32 `[...]`.

    Its gradient for the logits, code − p, needs the logits alone; the one that
    TensorFlow would derive keeps three more arrays of their size.

    Args:
        logits: float32 `[..., bins]`.
        below: int32 `[...]`, a bin.
        above: int32 `[...]`, the same bin or the next.
        share: weight of `below`, float32 `[...]`.
    """
    total = tf.reduce_logsumexp(logits, -1)
    place = tf.range(logits.shape[-1])

    def code():
        one = tf.where(place == below[..., None], share[..., None], 0.0)
        return one + tf.where(place == above[..., None], 1 - share[..., None], 0.0)

    def gradient(force):
        probs = tf.exp(logits - total[..., None])
        return force[..., None] * (code() - probs), None, None, None

    return tf.reduce_sum(code() * logits, -1) - total, gradient


class Regression:
    """A real number as one prediction, learned by its distance to the target.

    What `TwoHot` replaces, for ablations. With prediction `m` and target `y`:
    `symlog_mse`: `(m − symlog(y))²`; `mse`: `(m − y)²`; `huber`: `√((m − y)² + 1) − 1`,
    quadratic near the target and linear far from it. Source: Hafner et al. 2025,
    ablation figure ("No symexp twohot (Huber)"); the soft form is the published code's.

    Args:
        output: `m`, `[...]`.
        kind: one of these names.
    """

    def __init__(self, output, kind: str):
        self.output, self.kind = tf.cast(output, tf.float32), kind

    def mean(self):
        """The prediction, float32 `[...]`, in the units of the target."""
        symlog = self.kind == "symlog_mse"
        return functions.symexp(self.output) if symlog else self.output

    def log_prob(self, target):
        """The distance to `target [...]`, negated; no gradient reaches the target."""
        target = tf.stop_gradient(tf.cast(target, tf.float32))
        target = functions.symlog(target) if self.kind == "symlog_mse" else target
        square = tf.square(self.output - target)
        return 1 - tf.sqrt(square + 1) if self.kind == "huber" else -square


def binary_loss(logit, target):
    """`−[y ln p + (1 − y) ln(1 − p)]` with a soft label, float32 `[...]`."""
    logit = tf.cast(logit, tf.float32)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logit)
