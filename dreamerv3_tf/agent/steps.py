"""One update of all weights, compiled as the machine likes it.

`full` compiles the whole train step with XLA: right for accelerators. `split`, for
CPUs, compiles the gradients, and leaves to the graph what XLA is bad at: the updates of
many small weights, which it takes long to compile, and convolutions, which are several
times faster in the kernel library. A loop's saved values cannot cross the border of a
compiled function, so with images the gradient is taken in pieces:

    image tokens       = encoder(images)                              graph
    latent             = observe(tokens)                              XLA, forward only
    image loss, pull   = decoder(latent), d image loss / d latent     graph
    gradients, push    = of all other losses + Σ pull · latent        XLA
                         push = d / d image tokens
    encoder gradients  = push back through encoder(images)            graph
    updates                                                           graph

Where updates come in turn, all of this is the world model's, and then comes

    actor and critic   = of imagination with the new world model      XLA
    updates                                                           graph
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from dreamerv3_tf.structs import Latent

from .convolutions import Convolutions, values
from .noise import Noise
from .objective import Objective, Outcome, with_losses
from .optimizers import Updater
from .world_model import Sequence

XLA = ("off", "split", "full")


def compiled(function, jit: bool):
    """The function as a graph, or compiled by XLA."""
    return tf.function(function, jit_compile=jit, autograph=False)


TURNS = {"actor": ("policy",), "critic": ("value", "repval")}
"""Losses of the parts that are updated after the world model."""


class TrainStep:
    """Gradients, and the updates that they ask for.

    Args:
        objective: the losses.
        updater: the optimizer and its variables.
        turns: updaters by the names of `TURNS` where updates come in turn; else empty.
        jit: compile the gradients with XLA.

    Call: `(carry, seq, noise)` → `Outcome` whose metrics include `opt/…`.
    """

    def __init__(self, objective: Objective, updater: Updater, turns: dict, jit: bool):
        self.objective, self.updater, self.turns = objective, updater, turns
        self._joint, self._later = self._joint_of, self._later_of
        if jit:
            self._joint = compiled(self._joint_of, True)
            self._later = compiled(self._later_of, True)

    def __call__(self, carry: Latent, seq: Sequence, noise: Noise) -> Outcome:
        outcome, total, gradients = self.gradients(carry, seq, noise)
        metrics = {**outcome.metrics, **self.updater.apply(gradients)}
        outcome = outcome._replace(metrics={**metrics, "opt/loss": total})
        if self.turns:
            return self._behave(outcome, seq, noise)
        self.objective.behavior.follow_critic(self.updater.inner.iterations)
        return outcome

    def gradients(self, carry, seq, noise):
        """Of the first update, with its outcome and total loss."""
        return self._joint(carry, seq, noise)

    def _joint_of(self, carry, seq, noise):
        with tf.GradientTape() as tape:
            outcome = self.objective.joint_losses(carry, seq, noise, training=True)
            total = self.objective.total(outcome.losses)
            scaled = self.updater.scale(total)
        gradients = tape.gradient(scaled, values(self.updater.variables))
        return outcome, total, gradients

    def _behave(self, outcome: Outcome, seq: Sequence, noise: Noise) -> Outcome:
        """Updates actor, critic and slow critic after the world model."""
        light = seq._replace(obs={})
        found, losses, totals, gradients = self._later(outcome.latent, light, noise)
        metrics = {**outcome.metrics, **found}
        for name, updater in self.turns.items():
            metrics.update(updater.apply(gradients[name]))
            metrics[f"opt/{name}/loss"] = totals[name]
        critic = self.turns["critic"].inner
        self.objective.behavior.follow_critic(critic.iterations)
        return with_losses(outcome._replace(metrics=metrics), losses)

    def _later_of(self, latent: Latent, seq, noise):
        latent = tf.nest.map_structure(tf.stop_gradient, latent)
        totals, scaled = {}, {}
        with tf.GradientTape(persistent=True) as tape:
            behaved, losses = self.objective.behave(latent, seq, noise, training=True)
            for name, updater in self.turns.items():
                own = {key: losses[key] for key in TURNS[name] if key in losses}
                totals[name] = self.objective.total(own)
                scaled[name] = updater.scale(totals[name])
        gradients = {
            name: tape.gradient(scaled[name], values(updater.variables))
            for name, updater in self.turns.items()
        }
        return behaved.learned.metrics, losses, totals, gradients


class SplitTrainStep(TrainStep):
    """Like `TrainStep`, with convolutions in the graph and the rest in XLA."""

    def __init__(self, objective: Objective, updater: Updater, turns: dict):
        super().__init__(objective, updater, turns, True)
        self.convolutions = Convolutions(objective, updater.scale)
        outside = set(map(id, self.convolutions.encoder_weights))
        outside |= set(map(id, self.convolutions.decoder_weights))
        self.inside = [v for v in updater.variables if id(v) not in outside]
        self._observe = compiled(self._observe_of, True)
        self._dense = compiled(self._dense_of, True)

    def gradients(self, carry, seq, noise):
        encoder, parts = self.objective.model.encoder, self.convolutions
        light = seq._replace(obs={key: seq.obs[key] for key in encoder.vectors})
        images = {key: seq.obs[key] for key in encoder.images}
        tokens = parts.encode(images)
        latent = self._observe(carry, light, tokens, noise.post)
        decoded = parts.decode(latent, images)
        # The same choices again, so that both passes speak of the same latents.
        noise = noise._replace(post=tf.transpose(latent.stoch, (1, 0, 2, 3)))
        outcome, dense, push = self._dense(carry, light, tokens, noise, decoded.pull)
        found = {
            id(weight): gradient
            for weights, gradients in (
                (self.inside, dense),
                (parts.decoder_weights, decoded.gradients),
                (parts.encoder_weights, parts.encoder_gradients(images, push)),
            )
            for weight, gradient in zip(weights, gradients, strict=True)
        }
        outcome = with_losses(outcome, decoded.losses)
        total = self.objective.total(outcome.losses)
        return outcome, total, [found[id(v)] for v in self.updater.variables]

    def _observe_of(self, carry, seq, images, noise):
        model = self.objective.model
        tokens = model.tokens(seq.obs, images)
        return model.rssm.observe(
            carry, tokens, seq.prevact, seq.is_first, noise
        ).latent

    def _dense_of(self, carry, seq, images, noise, pull):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outcome = self.objective.dense_losses(carry, seq, images, noise, True)
            loss = self.updater.scale(self.objective.total(outcome.losses))
            for force, x in zip(pull, outcome.latent, strict=True):
                loss += tf.reduce_sum(tf.cast(force * x, loss.dtype))
        gradients, push = tape.gradient(loss, (values(self.inside), images))
        return outcome, gradients, push


def make_train_step(
    objective: Objective, updater: Updater, xla: str, turns: dict[str, Updater]
) -> Callable[..., Outcome]:
    """The step for an `xla` of `off`, `split` or `full`.

    Raises:
        ValueError: `xla` is none of them.
    """
    if xla not in XLA:
        raise ValueError(f"xla is '{xla}', expected one of {', '.join(XLA)}.")
    if xla == "full":
        for each in (updater, *turns.values()):
            each.unpack()
        return compiled(TrainStep(objective, updater, turns, False), True)
    if xla == "split" and objective.model.encoder.images:
        return SplitTrainStep(objective, updater, turns)
    return TrainStep(objective, updater, turns, xla == "split")
