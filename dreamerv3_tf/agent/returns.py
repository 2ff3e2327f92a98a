"""λ-returns, and the scale by which advantages are divided."""

from __future__ import annotations

import keras
import tensorflow as tf
import tensorflow_probability as tfp


def lambda_return(reward, live, boot, going, lam: float):
    """Returns that mix bootstraps over all horizons (eq. 7).

    `R_t = r_{t+1} + live_{t+1} [(1 − λ g_{t+1}) v_{t+1} + λ g_{t+1} R_{t+1}]`, with
    `R = v` at the last index.

    Args:
        reward: `[B, T]`; `reward[t]` arrived with state `t`.
        live: `[B, T]`, discount times the probability that state `t` is not terminal.
        boot: `[B, T]`, value `v` to bootstrap from.
        going: `[B, T]` or scalar, 0 where the sequence is cut after `t`, else 1.
        lam: λ.

    Returns:
        `[B, T − 1]`, reward units.
    """
    boot, last = boot[:, 1:], boot[:, -1:]
    reward, live = reward[:, 1:], live[:, 1:]
    going = lam * (going[:, 1:] if len(tf.convert_to_tensor(going).shape) else going)
    now = tf.concat([reward + live * (1 - going) * boot, last], 1)
    later = tf.pad(live * going, [(0, 0), (0, 1)])
    return solve_backward(now, later)[:, :-1]


def solve_backward(now, later):
    """`R_t = now_t + later_t R_{t+1}` from the last index, where `R = now`.

    In `log₂ T` rounds, each of which puts the solution of as many steps into one as the
    rounds before it did together: less to compile than a step after the other, and no
    loop. All of shape `[B, T]`.
    """
    reach, length = 1, now.shape[1]
    while reach < length:
        ahead, far = (tf.pad(x[:, reach:], [(0, 0), (0, reach)]) for x in (now, later))
        now, later = now + later * ahead, later * far
        reach *= 2
    return now


class Normalizer(keras.layers.Layer):
    """Running offset and scale of a quantity.

    `perc`: averages of two percentiles; offset is the low one, scale their distance,
    at least `limit`. `meanstd`: averages of mean and mean square. `none`: 0 and 1.
    Averages start at 0 without correction unless `debias`, so that early scales are
    small and then cut at `limit`. Source: Hafner et al. 2025, eq. 8.

    Args:
        kind: `perc`, `meanstd` or `none`.
        rate: share of the newest batch in the averages.
        limit: smallest scale.
        low: lower percentile, in percent.
        high: upper percentile, in percent.
        debias: correct for the start at 0.

    Call: `x`, any shape → updates the averages, then `(offset, scale)`, float32 `[]`.
    """

    STATS = {"perc": ("lo", "hi"), "meanstd": ("mean", "sqrs"), "none": ()}

    def __init__(
        self,
        kind="perc",
        rate=0.01,
        limit=1.0,
        low=5.0,
        high=95.0,
        debias=False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.kind, self.rate, self.limit = kind, rate, limit
        self.percentiles = (low, high)
        self.debias = debias and bool(self.STATS[kind])
        names = self.STATS[kind] + (("corr",) if self.debias else ())
        for name in names:
            weight = self.add_weight((), "zeros", name=name, dtype="float32")
            setattr(self, name, weight)
        self.built = True

    def call(self, x):
        self.update(x)
        return self.stats()

    def update(self, x):
        """Moves the averages towards the statistics of `x`."""
        x = tf.stop_gradient(tf.cast(x, tf.float32))
        for name, value in zip(self.STATS[self.kind], self._measure(x), strict=True):
            self._mix(getattr(self, name), value)
        if self.debias:
            self._mix(self.corr, 1.0)

    def _measure(self, x):
        if self.kind == "perc":
            q = list(self.percentiles)
            return tf.unstack(
                tfp.stats.percentile(tf.reshape(x, [-1]), q, interpolation="linear")
            )
        if self.kind == "meanstd":
            return tf.reduce_mean(x), tf.reduce_mean(tf.square(x))
        return ()

    def _mix(self, average, value):
        average.assign((1 - self.rate) * average.value + self.rate * value)

    def stats(self):
        """Offset and scale now, without an update, float32 `[]` each."""
        fix = 1.0
        if self.debias:
            fix = 1 / tf.maximum(self.rate, self.corr.value)
        if self.kind == "perc":
            low, high = self.lo.value * fix, self.hi.value * fix
            return low, tf.maximum(self.limit, high - low)
        if self.kind == "meanstd":
            mean = self.mean.value * fix
            spread = tf.nn.relu(self.sqrs.value * fix - tf.square(mean))
            return mean, tf.maximum(self.limit, tf.sqrt(spread))
        return tf.constant(0.0), tf.constant(1.0)
