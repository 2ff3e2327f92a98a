"""All losses of the agent on a sequence: world model, actor and critic."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.structs import Latent

from .actor_critic import ActorCritic, Judged, Learned
from .imagination import Imagined, constant, imagine
from .noise import Noise
from .world_model import Sequence, WorldModel


class Behaved(NamedTuple):
    """Everything that one imagination produced; tests look inside."""

    learned: Learned
    imagined: Imagined
    judged: Judged
    replay_ret: Any


class Outcome(NamedTuple):
    """Result of all losses on a batch.

    Attributes:
        losses: float32 `[B, T]` each (`repval` `[B, K − 1]`; `policy` and `value`
            averaged over the horizon, `[B, K]`).
        metrics: float32 `[]` each.
        latent: posterior states `[B, T, ...]`.
        last: state after the last step, `[B, ...]`.
    """

    losses: dict[str, Any]
    metrics: dict[str, Any]
    latent: Latent
    last: Latent


class Objective:
    """The losses and how they are weighed.

    Args:
        model: the world model.
        behavior: actor and critics.
        scales: factor on each loss; `rec` on every reconstructed key.
        imag_length: imagined steps `H`.
        imag_last: imagination starts from that many last steps of a sequence; 0: all.
        replay_critic: also train the critic on replayed states.
        replay_critic_grad: that loss shapes the latent states.
        actor_critic_grads: the losses of imagination shape their start states.
        first_cont: whether a start state goes on is `predicted`, or `replayed`: 1 but
            for terminal ones.
        imagined_cont: going on in imagined states is the `soft` probability, or `hard`:
            1 where it is above one half.
        in_turn: actor and critic learn after the world model, from states of before and
            weights of after its update.
    """

    def __init__(
        self,
        model: WorldModel,
        behavior: ActorCritic,
        *,
        scales: dict[str, float],
        imag_length: int,
        imag_last: int = 0,
        replay_critic: bool = True,
        replay_critic_grad: bool = True,
        actor_critic_grads: bool = False,
        first_cont: str = "predicted",
        imagined_cont: str = "soft",
        in_turn: bool = False,
    ):
        self.model, self.behavior = model, behavior
        self.scales = dict(scales)
        self.imag_length, self.imag_last = imag_length, imag_last
        self.replay_critic = replay_critic
        self.replay_critic_grad = replay_critic_grad
        self.actor_critic_grads = actor_critic_grads
        self.replayed_cont = first_cont == "replayed"
        self.hard_cont = imagined_cont == "hard"
        self.in_turn = in_turn

    def starts(self, steps: int) -> int:
        """Steps of a sequence of `steps` from which imagination starts."""
        return min(self.imag_last or steps, steps)

    def losses(self, carry: Latent, seq: Sequence, noise: Noise, training: bool):
        """All losses of a sequence; see `Outcome`."""
        outcome = self.joint_losses(carry, seq, noise, training)
        if not self.in_turn:
            return outcome
        behaved, losses = self.behave(outcome.latent, seq, noise, training)
        metrics = {**outcome.metrics, **behaved.learned.metrics}
        return with_losses(outcome._replace(metrics=metrics), losses)

    def joint_losses(self, carry: Latent, seq: Sequence, noise: Noise, training: bool):
        """The losses of the first update: all, or those of the world model alone."""
        encoder = self.model.encoder
        images = encoder.embed_images(seq.obs) if encoder.images else None
        outcome = self.dense_losses(carry, seq, images, noise, training)
        if self.model.decoder.images:
            more = self.model.image_losses(outcome.latent, seq.obs)
            outcome = with_losses(outcome, more)
        return outcome

    def dense_losses(self, carry, seq: Sequence, images, noise: Noise, training: bool):
        """Those of `joint_losses` that have no convolution in them.

        Args:
            carry: state before the first step.
            seq: the sequence; its images are not read.
            images: tokens of the images, `[B, T, ...]`, or `None`.
            noise: noise of a train step.
            training: whether the normalisers learn.
        """
        tokens = self.model.tokens(seq.obs, images)
        seen, losses, metrics = self.model.learn(carry, tokens, seq, noise.post)
        if self.in_turn:
            outcome = Outcome({}, metrics, seen.latent, seen.last)
            return with_losses(outcome, losses)
        behaved, more = self.behave(seen.latent, seq, noise, training)
        metrics.update(behaved.learned.metrics)
        outcome = Outcome({}, metrics, seen.latent, seen.last)
        return with_losses(outcome, {**losses, **more})

    def behave(self, latent: Latent, seq: Sequence, noise: Noise, training: bool):
        """Imagines from posterior states, and learns from that and from replay."""
        rows, steps = seq.reward.shape
        count = self.starts(steps)
        recent = tf.nest.map_structure(lambda x: x[:, steps - count :], latent)
        starts = tf.nest.map_structure(
            lambda x: tf.reshape(x, (rows * count, *x.shape[2:])), recent
        )
        terminal = tf.reshape(seq.is_terminal[:, steps - count :], (rows * count,))
        behavior, model = self.behavior, self.model
        through = bool(behavior.through)
        with self._bystanders() if through else contextlib.nullcontext():
            imagined = imagine(
                model,
                behavior.actor,
                starts,
                (noise.prior, noise.action),
                self.imag_length,
                through,
            )
            feat = functions.features(imagined.latent)
            judged = self._judge(feat, terminal)
        if through:
            feat = tf.stop_gradient(feat)
        if self.actor_critic_grads:
            feat = tf.concat([functions.features(starts)[None], feat[1:]], 0)
        learned = behavior.imagined_losses(
            imagined, feat, judged, behavior.critic(feat), training
        )
        losses = {
            key: tf.reshape(tf.reduce_mean(loss, 1), (rows, count))
            for key, loss in learned.losses.items()
        }
        replay_ret = None
        if self.replay_critic:
            boot = tf.reshape(learned.ret[:, 0], (rows, count))
            losses["repval"], replay_ret = self._replay_loss(
                recent, seq, boot, training
            )
        return Behaved(learned, imagined, judged, replay_ret), losses

    def _bystanders(self):
        """A scope in which the gradient passes, but does not train, what an imagined
        return depends on besides the actor."""
        model, behavior = self.model, self.behavior
        parts = (model.rssm, model.reward, model.cont, behavior.critic, behavior.slow)
        return constant(*parts)

    def _judge(self, feat, terminal) -> Judged:
        """Predictions along imagined features `[H + 1, N, F]` from starts of which
        bool `[N]` are `terminal`."""
        offset, scale = self.behavior.value_norm.stats()
        values = (
            self.model.reward(feat).mean(),
            self._going_on(feat, terminal),
            self.behavior.critic(feat).mean() * scale + offset,
            self.behavior.slow(feat).mean() * scale + offset,
        )
        judged = Judged(*(tf.transpose(value) for value in values))
        if self.behavior.through:
            return judged
        return tf.nest.map_structure(tf.stop_gradient, judged)

    def _going_on(self, feat, terminal):
        """Probability of going on, or the likelier of 0 and 1, `[H + 1, N]`."""
        logit = self.model.cont(feat)
        cont = tf.cast(logit > 0, tf.float32) if self.hard_cont else tf.sigmoid(logit)
        if self.replayed_cont:
            first = 1 - tf.cast(terminal, tf.float32)
            cont = tf.concat([first[None], cont[1:]], 0)
        return cont

    def _replay_loss(self, latent: Latent, seq: Sequence, boot, training: bool):
        feat = functions.features(latent)
        feat = feat if self.replay_critic_grad else tf.stop_gradient(feat)
        slow = tf.stop_gradient(self.behavior.slow(feat).mean())
        count = boot.shape[1]
        signals = (seq.reward, seq.is_last, seq.is_terminal)
        signals = (x[:, x.shape[1] - count :] for x in signals)
        return self.behavior.replay_loss(
            self.behavior.critic(feat), slow, boot, *signals, training
        )

    def total(self, losses: dict):
        """`Σ scale · mean`, the number that is minimised, float32 `[]`."""
        scale = {**dict.fromkeys(self.model.inputs, self.scales["rec"]), **self.scales}
        return tf.add_n([scale[key] * tf.reduce_mean(x) for key, x in losses.items()])


def with_losses(outcome: Outcome, losses: dict) -> Outcome:
    """The outcome with more losses, and their means among the metrics."""
    means = {f"loss/{key}": tf.reduce_mean(loss) for key, loss in losses.items()}
    return outcome._replace(
        losses={**outcome.losses, **losses}, metrics={**outcome.metrics, **means}
    )
