"""The recurrent state-space model: what the world model remembers and foresees.

    h_t = core(h_{t−1}, z_{t−1}, a_{t−1})        deter
    z_t ~ posterior(h_t, tokens_t)               stoch, when there is an observation
    z_t ~ prior(h_t)                             stoch, in imagination

Loops over time touch only what depends on the recurrence. Whatever can be computed for
all steps at once (projections of actions and tokens, the prior) is, before or after.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from dreamerv3_tf.structs import Latent

from . import dists, functions, layers
from .gru import BlockGRU, DenseGRU
from .style import STYLE, Style

tfd = tfp.distributions


class Observed(NamedTuple):
    """Posterior states of a sequence.

    Attributes:
        latent: `[B, T, ...]`.
        logit: raw logits of the posterior, float32 `[B, T, S, C]`.
        last: state after the last step, `[B, ...]`.
    """

    latent: Latent
    logit: Any
    last: Latent


class RSSM(keras.layers.Layer):
    """Recurrent state-space model with categorical latents.

    Args:
        deter: units `D` of the core.
        hidden: width of its projections and of prior and posterior.
        stoch: latent groups `S`.
        classes: classes `C` of each group.
        blocks: blocks of the core, where its cell has any.
        dyn_layers: hidden layers of the core.
        prior_layers: hidden layers of the prior.
        post_layers: hidden layers of the posterior, at least 1.
        unimix: share of the uniform distribution in the latents.
        free_nats: KL below which the KL losses have no gradient, in nats.
        style: how layers are made.
        outscale: scale of the initial weights of the logits.
        cell: core, `block` (`BlockGRU`) or `dense` (`DenseGRU`).
        initial: state at the start of an episode. `zeros`, or `learned`: deter is the
            tanh of a parameter, stoch the most likely one of the prior there.

    Call: see `observe`, `step` and `imagine`.

    Raises:
        ValueError: there is no such `cell` or `initial`.
    """

    def __init__(
        self,
        deter: int,
        hidden: int,
        stoch: int,
        classes: int,
        blocks: int,
        dyn_layers: int = 1,
        prior_layers: int = 2,
        post_layers: int = 1,
        unimix: float = 0.01,
        free_nats: float = 1.0,
        style: Style = STYLE,
        outscale: float = 1.0,
        cell: str = "block",
        initial: str = "zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if initial not in ("zeros", "learned"):
            raise ValueError(f"initial is '{initial}', expected zeros or learned.")
        policy = self.dtype_policy
        options = {"style": style, "dtype": policy}
        self.deter, self.stoch, self.classes = deter, stoch, classes
        self.unimix, self.free_nats = unimix, free_nats
        self.learned = initial == "learned"
        self.core = make_core(
            cell, deter, hidden, blocks, layers=dyn_layers, name="core", **options
        )
        self.prior_mlp = layers.MLP(prior_layers, hidden, name="prior", **options)
        self.post_mlp = layers.MLP(post_layers, hidden, name="post", **options)
        self.prior_out, self.post_out = (
            layers.Linear(
                stoch * classes, outscale, style.out_init, name=name, dtype=policy
            )
            for name in ("prior_logit", "post_logit")
        )

    def build(self, tokens: int, action: int):
        """Makes the weights for so many tokens and encoded action entries."""
        hidden = self.post_mlp.units
        self.core.build(self.deter, self.stoch * self.classes, action)
        self.prior_mlp.build((None, self.deter))
        self.post_mlp.build((None, self.deter + tokens))
        self.prior_out.build((None, hidden))
        self.post_out.build((None, hidden))
        if self.learned:
            self.start = self.add_weight(
                (self.deter,), "zeros", name="start", autocast=False
            )

    def initial(self, batch) -> Latent:
        """The state before any observation, `[batch, ...]`; see `initial` above."""
        dtype = self.compute_dtype
        if self.learned:
            deter = tf.cast(tf.tanh(self.start), dtype)
            deter = tf.repeat(deter[None], batch, 0)
            return Latent(deter, tf.stop_gradient(self.pick(self.prior(deter), None)))
        return Latent(
            tf.zeros((batch, self.deter), dtype),
            tf.zeros((batch, self.stoch, self.classes), dtype),
        )

    def dist(self, logit):
        """Distribution of the latent groups of one state, of batch shape `[...]`."""
        return tfd.Independent(dists.OneHot(logit, self.unimix), 1)

    def pick(self, logit, noise):
        """Straight-through sample from raw logits, compute dtype `[..., S, C]`."""
        sample = dists.OneHot(logit, self.unimix).pick(noise)
        return tf.cast(sample, self.compute_dtype)

    def prior(self, deter):
        """Raw logits of the prior, float32 `[..., S, C]`."""
        return self._logit(self.prior_out, self.prior_mlp(deter))

    def posterior(self, deter, tokens):
        """Raw logits of the posterior, float32 `[..., S, C]`."""
        return self._posterior_stepper()(deter, self._read_tokens(tokens))

    def _logit(self, out, x):
        logit = tf.cast(out(x), tf.float32)
        return tf.reshape(logit, (*functions.lead(x, 1), self.stoch, self.classes))

    def _read_tokens(self, tokens):
        """What the tokens add to the first layer of the posterior, bias included."""
        first = self.post_mlp.linears[0]
        kernel = tf.cast(first.kernel[self.deter :], self.compute_dtype)
        tokens = tf.cast(tokens, self.compute_dtype)
        x = layers.unrows(tf.matmul(layers.rows(tokens), kernel), tokens)
        return x + layers.cast_bias(first)

    def _posterior_stepper(self):
        kernel = self.post_mlp.linears[0].kernel[: self.deter]
        kernel = tf.cast(kernel, self.compute_dtype)

        def posterior(deter, seen):
            x = layers.unrows(tf.matmul(layers.rows(deter), kernel), deter) + seen
            x = self.post_mlp.act(self.post_mlp.norms[0](x))
            return self._logit(self.post_out, self.post_mlp.after(x, 1))

        return posterior

    def _beginner(self):
        """The state before a step as a function `(state, keep)`: where the row is not
        kept, an episode begins."""
        first = self.initial(1) if self.learned else None

        def begin(latent, keep):
            kept = Latent(*(functions.keep_where(keep, x) for x in latent))
            if first is None:
                return kept
            fresh = tf.logical_not(keep)
            pairs = zip(kept, first, strict=True)
            return Latent(*(x + functions.keep_where(fresh, y) for x, y in pairs))

        return begin

    def observe(self, carry: Latent, tokens, action, reset, noise) -> Observed:
        """Follows observations through time.

        Args:
            carry: state before the first step, `[B, ...]`.
            tokens: output of the encoder, `[B, T, E]`.
            action: encoded previous actions, `[B, T, A]`.
            reset: bool `[B, T]`; an episode starts here, nothing before it counts.
            noise: uniform `[T, B, S]`, `None` for the most likely latents, or the
                latents themselves, one-hot `[T, B, S, C]`.

        Returns:
            Posterior states and their raw logits.
        """
        length = tokens.shape[1]
        keep = tf.logical_not(reset)
        drive = self.core.driver()(functions.keep_where(keep, action))
        inputs = [_swap(x) for x in (self._read_tokens(tokens), drive, keep)]
        if noise is not None:
            inputs.append(noise)
        core, posterior = self.core.stepper(), self._posterior_stepper()
        begin = self._beginner()

        def step(latent, now):
            seen, drive, keep, *noise = now
            latent = begin(latent, keep)
            deter = core(latent.deter, functions.flatten_groups(latent.stoch), drive)
            logit = posterior(deter, seen)
            after = Latent(deter, self.pick(logit, noise[0] if noise else None))
            return after, (after, logit)

        like = (carry, tf.cast(carry.stoch, tf.float32))
        last, outputs = functions.scan(step, carry, inputs, like, length)
        latent, logit = tf.nest.map_structure(_swap, outputs)
        return Observed(latent, logit, last)

    def observe_step(self, carry: Latent, tokens, action, reset, noise):
        """One step of `observe` without the time axis.

        Returns:
            The new state, and the raw logits of its posterior.
        """
        keep = tf.logical_not(reset)
        drive = self.core.driver()(functions.keep_where(keep, action))
        carry = self._beginner()(carry, keep)
        stoch = functions.flatten_groups(carry.stoch)
        deter = self.core.stepper()(carry.deter, stoch, drive)
        logit = self.posterior(deter, tokens)
        return Latent(deter, self.pick(logit, noise)), logit

    def imagine(self, carry: Latent, act, inputs, like, length: int):
        """Lets the prior go on from a state, actions chosen along the way.

        Args:
            carry: start, `[N, ...]`.
            act: function `(latent, input) → (encoded action [N, A], output)`.
            inputs: nest of `[length, ...]`, one slice a step: `(noise, input)`, where
                `noise` is uniform `[length, N, S]` or an empty tuple.
            like: shapes and dtypes of one output of `act`.
            length: steps.

        Returns:
            The last state, and `(states before each step, outputs)`, time first.
        """
        core, drive = self.core.stepper(), self.core.driver()

        def step(latent, now):
            noise, given = now
            action, output = act(latent, given)
            stoch = functions.flatten_groups(latent.stoch)
            deter = core(latent.deter, stoch, drive(action))
            noise = None if isinstance(noise, tuple) else noise
            after = Latent(deter, self.pick(self.prior(deter), noise))
            return after, (latent, output)

        return functions.scan(step, carry, inputs, (carry, like), length)

    def losses(self, deter, post):
        """KL losses, each float32 `[B, T]` in nats, and the prior's raw logits.

        `dyn = max(n, KL[sg(post) ‖ prior])`, `rep = max(n, KL[post ‖ sg(prior)])`, the
        KL summed over groups and then clipped (eq. 3).
        """
        prior = self.prior(deter)
        stop = tf.stop_gradient
        dyn = tfd.kl_divergence(self.dist(stop(post)), self.dist(prior))
        rep = tfd.kl_divergence(self.dist(post), self.dist(stop(prior)))
        free = self.free_nats
        return tf.maximum(dyn, free), tf.maximum(rep, free), prior


def make_core(cell, deter, hidden, blocks, **kwargs) -> keras.layers.Layer:
    """The deterministic core of a `cell`.

    Raises:
        ValueError: there is no such cell.
    """
    if cell == "block":
        return BlockGRU(deter, hidden, blocks, **kwargs)
    if cell == "dense":
        return DenseGRU(deter, hidden, **kwargs)
    raise ValueError(f"cell is '{cell}', expected block or dense.")


def _swap(x):
    """Batch and time exchanged: `[B, T, ...]` ↔ `[T, B, ...]`."""
    return tf.transpose(x, (1, 0, *range(2, len(x.shape))))
