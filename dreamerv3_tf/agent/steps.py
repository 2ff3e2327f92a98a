"""One update of all weights, compiled as the machine likes it.

`full` compiles the whole step with XLA: right for accelerators, and for vectors. On a
CPU, XLA's convolutions are several times slower than the kernel library's, so `split`
leaves the convolutions in the graph and compiles the rest. A loop's saved values cannot
cross the border of a compiled function, so the gradient is taken in three pieces:

    image tokens       = encoder(images)                              graph
    latent             = observe(tokens)                              XLA, forward only
    image loss, pull   = decoder(latent), d image loss / d latent     graph
    gradients, push    = of all other losses + Σ pull · latent        XLA
                         push = d / d image tokens
    encoder gradients  = push back through encoder(images)            graph

Where updates come in turn, all of this is the world model's, and then comes

    actor and critic   = of imagination with the new world model      XLA
"""

from __future__ import annotations

import tensorflow as tf

from dreamerv3_tf.structs import Latent

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
    """Gradient and update in one piece.

    Args:
        objective: the losses.
        updater: the optimizer and its variables.
        xla: compile with XLA.
        turns: updaters by the names of `TURNS` where updates come in turn; else empty.

    Call: `(carry, seq, noise)` → `Outcome` whose metrics include `opt/…`.
    """

    def __init__(self, objective: Objective, updater: Updater, xla: bool, turns: dict):
        self.objective, self.updater, self.turns = objective, updater, turns
        self.call = compiled(self._call, True) if xla else self._call

    def __call__(self, carry: Latent, seq: Sequence, noise: Noise) -> Outcome:
        return self.call(carry, seq, noise)

    def _call(self, carry, seq, noise):
        with tf.GradientTape() as tape:
            outcome = self.objective.joint_losses(carry, seq, noise, training=True)
            total = self.objective.total(outcome.losses)
            scaled = self.updater.scale(total)
        gradients = tape.gradient(scaled, values(self.updater.variables))
        outcome = self._update(outcome, total, gradients)
        return self.behave(outcome, seq, noise) if self.turns else outcome

    def _update(self, outcome: Outcome, total, gradients: list) -> Outcome:
        metrics = {**outcome.metrics, **self.apply(gradients), "opt/loss": total}
        return outcome._replace(metrics=metrics)

    def apply(self, gradients: list) -> dict:
        """Updates the weights and then the slow critic; metrics `opt/…`."""
        metrics = self.updater.apply(gradients)
        if not self.turns:
            self.objective.behavior.follow_critic(self.updater.inner.iterations)
        return metrics

    def behave(self, outcome: Outcome, seq: Sequence, noise: Noise) -> Outcome:
        """Updates actor, critic and slow critic after the world model."""
        objective, metrics = self.objective, dict(outcome.metrics)
        latent = tf.nest.map_structure(tf.stop_gradient, outcome.latent)
        totals, scaled = {}, {}
        with tf.GradientTape(persistent=True) as tape:
            behaved, losses = objective.behave(latent, seq, noise, training=True)
            for name, updater in self.turns.items():
                own = {key: losses[key] for key in TURNS[name] if key in losses}
                totals[name] = objective.total(own)
                scaled[name] = updater.scale(totals[name])
        gradients = {
            name: tape.gradient(scaled[name], values(updater.variables))
            for name, updater in self.turns.items()
        }
        metrics.update(behaved.learned.metrics)
        for name, updater in self.turns.items():
            metrics.update(updater.apply(gradients[name]))
            metrics[f"opt/{name}/loss"] = totals[name]
        objective.behavior.follow_critic(self.turns["critic"].inner.iterations)
        return with_losses(outcome._replace(metrics=metrics), losses)


class SplitTrainStep(TrainStep):
    """Like `TrainStep`, with convolutions in the graph and the rest in XLA."""

    def __init__(self, objective: Objective, updater: Updater, turns: dict):
        super().__init__(objective, updater, False, turns)
        model = objective.model
        outside = {id(w) for w in model.encoder.image_weights}
        outside |= {id(w) for w in model.decoder.image_weights}
        self.inside = [v for v in updater.variables if id(v) not in outside]
        self._observe = compiled(self._observe_of, True)
        self._dense = compiled(self._dense_of, True)
        self.apply = compiled(self.apply, True)
        self.behave = compiled(self.behave, True)

    def _call(self, carry, seq, noise):
        model, objective = self.objective.model, self.objective
        light = seq._replace(obs={key: seq.obs[key] for key in model.encoder.vectors})
        with tf.GradientTape() as encoding:
            images = model.encoder.embed_images(seq.obs)
        latent = self._observe(carry, light, images, noise.post)
        with tf.GradientTape() as decoding:
            decoding.watch(latent)
            losses = model.image_losses(latent, seq.obs)
            total = objective.total(losses)
            scaled = self.updater.scale(total)
        weights = model.decoder.image_weights
        decoder, pull = decoding.gradient(scaled, (values(weights), latent))
        found = dict(zip(map(id, weights), decoder, strict=True))
        # The same choices again, so that both passes speak of the same latents.
        noise = noise._replace(post=tf.transpose(latent.stoch, (1, 0, 2, 3)))
        outcome, dense, push = self._dense(carry, light, images, noise, pull)
        found.update(zip(map(id, self.inside), dense, strict=True))
        weights = model.encoder.image_weights
        encoder = encoding.gradient(images, values(weights), output_gradients=push)
        found.update(zip(map(id, weights), encoder, strict=True))
        total += objective.total(outcome.losses)
        gradients = [found[id(v)] for v in self.updater.variables]
        outcome = self._update(with_losses(outcome, losses), total, gradients)
        return self.behave(outcome, light, noise) if self.turns else outcome

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


def values(variables: list) -> list:
    """What a gradient tape knows the Keras variables by."""
    return [variable.value for variable in variables]


def make_train_step(
    objective: Objective, updater: Updater, xla: str, turns: dict[str, Updater]
) -> TrainStep:
    """The step for an `xla` of `off`, `split` or `full`.

    Raises:
        ValueError: `xla` is none of them.
    """
    if xla not in XLA:
        raise ValueError(f"xla is '{xla}', expected one of {', '.join(XLA)}.")
    if xla == "split" and objective.model.encoder.images:
        return SplitTrainStep(objective, updater, turns)
    return TrainStep(objective, updater, xla != "off", turns)
