"""The agent: acting, learning and reporting, each one `tf.function`."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS, Batch, Latent, PolicyCarry

from .actor_critic import ActorCritic, Judged, Learned
from .imagination import Imagined, choose, imagine
from .noise import Noise, RandomNoise
from .optimizers import Updater
from .report import openloop_grid
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


class Agent:
    """DreamerV3.

    Three functions sample, and take their seed as an argument: `policy`, `train` and
    `report`. Given the same weights, inputs and seed they return the same values.

    Args:
        obs_space: spaces of the observation entries, signals included; `log/` keys are
            ignored.
        act_space: spaces of the action entries.
        model: the world model.
        behavior: actor and critics; built here.
        optimizer: trains all of it by one summed loss.
        scales: factor on each loss; `rec` on every reconstructed key.
        imag_length: imagined steps `H`.
        imag_last: imagination starts from that many last steps of a sequence; 0: all.
        context: replayed steps before the trained ones; 0 starts from zeros.
        replay_critic: also train the critic on replayed states.
        replay_critic_grad: that loss shapes the latent states.
        actor_critic_grads: the losses of imagination shape their start states.
        xla: `full` compiles a whole train step, `split` all but convolutions, `off`
            nothing.
        loss_scaling: needed for float16.
        deter_bytes: bytes of a stored deter unit, 4 or 2 (bfloat16).
    """

    def __init__(
        self,
        obs_space: dict[str, Space],
        act_space: dict[str, Space],
        model: WorldModel,
        behavior: ActorCritic,
        optimizer: keras.optimizers.Optimizer,
        *,
        scales: dict[str, float],
        imag_length: int,
        imag_last: int = 0,
        context: int = 1,
        replay_critic: bool = True,
        replay_critic_grad: bool = True,
        actor_critic_grads: bool = False,
        xla: str = "off",
        loss_scaling: bool = False,
        deter_bytes: int = 4,
    ):
        self.obs_space, self.act_space = obs_space, act_space
        self.model, self.behavior = model, behavior
        self.scales = dict(scales)
        self.imag_length, self.imag_last = imag_length, imag_last
        self.context = context
        self.replay_critic = replay_critic
        self.replay_critic_grad = replay_critic_grad
        self.actor_critic_grads = actor_critic_grads
        self.deter_dtype = tf.bfloat16 if deter_bytes == 2 else tf.float32
        behavior.build(model.feat_width)
        self.noise = RandomNoise(model.rssm.stoch, act_space)
        weights = [w for part in self.trained.values() for w in part.trainable_weights]
        self.updater = Updater(optimizer, weights, loss_scaling)
        self._compile(xla)

    @property
    def trained(self) -> dict[str, keras.layers.Layer]:
        """Parts with weights that the optimizer trains, by name."""
        model, behavior = self.model, self.behavior
        return {
            "encoder": model.encoder,
            "rssm": model.rssm,
            "decoder": model.decoder,
            "reward": model.reward,
            "cont": model.cont,
            "actor": behavior.actor,
            "critic": behavior.critic,
        }

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """All parts that hold state, by name; the optimizer aside."""
        behavior = self.behavior
        return {
            **self.trained,
            "slow_critic": behavior.slow,
            "return_norm": behavior.return_norm,
            "value_norm": behavior.value_norm,
            "advantage_norm": behavior.advantage_norm,
        }

    @property
    def inputs(self) -> dict[str, Space]:
        """Spaces that the encoder reads."""
        model = self.model
        return {**model.encoder.vectors, **model.encoder.images}

    @property
    def latent_spaces(self) -> dict[str, Space]:
        """What replay stores of the state at each step: `deter` and `stoch`.

        With two bytes a unit, deter is the bit pattern of its bfloat16.
        """
        rssm = self.model.rssm
        wide = self.deter_dtype == tf.float32
        deter = (
            Space(np.dtype(np.float32), (rssm.deter,))
            if wide
            else Space(np.dtype(np.uint16), (rssm.deter,), 0, 2**16)
        )
        stoch = Space(np.dtype(np.uint8), (rssm.stoch,), 0, rssm.classes)
        return {"deter": deter, "stoch": stoch}

    def variables(self) -> dict[str, keras.Variable]:
        """All state of the agent by name: weights, averages, optimizer.

        A flat dict on purpose: automatic tracking overlooks layers held in lists.
        """
        named = {w.path: w for part in self.parts.values() for w in part.weights}
        expected = sum(len(part.weights) for part in self.parts.values())
        assert len(named) == expected, "two variables share a path"
        for variable in self.updater.outer.variables:
            named[f"optimizer/{variable.path}"] = variable
        return named

    def _compile(self, xla: str):
        if xla not in ("off", "split", "full"):
            raise ValueError(f"xla is '{xla}', expected off, split or full.")
        if xla == "split" and not self.model.encoder.images:
            xla = "full"  # there is no convolution to leave out
        self.xla = xla

        def graph(function, jit=False):
            return tf.function(function, jit_compile=jit, autograph=False)

        whole, inner = xla == "full", xla == "split"
        self._step = graph(self._step_of, True) if whole else self._step_of
        self._learn = graph(self._learn_of, True) if inner else self._learn_of
        self._apply = graph(self._apply_of, True) if inner else self._apply_of
        self._act = graph(self._act_of, True) if whole or inner else self._act_of
        self.train = graph(self._train)
        self.policy = graph(self._policy)
        self.report = graph(self._report)
        self.traces = {"train": 0, "policy": 0, "report": 0}

    # Acting

    def initial_policy(self, count: int) -> PolicyCarry:
        """Carry before the first step of `count` environments."""
        action = {
            key: tf.zeros((count, *space.shape), space.dtype)
            for key, space in self.act_space.items()
        }
        return PolicyCarry(self.model.rssm.initial(count), action)

    def _policy(self, carry: PolicyCarry, obs: dict, seed, mode: str = "sample"):
        """Picks actions.

        Args:
            carry: from `initial_policy` or the call before.
            obs: `{key: [N, *shape]}` with `is_first`; other signals may be absent.
            seed: int32 `[2]`.
            mode: `sample`, or `mode` for the most likely action; the latent states are
                sampled in either case.

        Returns:
            `(action {key: [N, *shape]}, entries {deter, stoch}, carry)`.
        """
        self.traces["policy"] += 1
        first = obs["is_first"]
        post, action = self.noise.policy(seed, tf.shape(first)[0])
        if mode == "mode":
            action = dict.fromkeys(action)
        vectors, images = self._embed_step(obs)
        return self._act(carry, vectors, images, first, post, action)

    def _embed_step(self, obs: dict):
        encoder = self.model.encoder
        vectors = {key: obs[key] for key in encoder.vectors}
        return vectors, encoder.embed_images(obs) if encoder.images else None

    def _act_of(self, carry: PolicyCarry, vectors, images, first, post, noise):
        tokens = self.model.tokens(vectors, images)
        prevact = self.model.encode_action(carry.action)
        latent, _ = self.model.rssm.observe_step(
            carry.latent, tokens, prevact, first, post
        )
        policy = self.behavior.actor(functions.features(latent))
        action = choose(policy, noise)
        return action, self.entries(latent), PolicyCarry(latent, action)

    def entries(self, latent: Latent) -> dict:
        """What replay keeps of states, in the dtypes of `latent_spaces`."""
        deter = tf.cast(latent.deter, self.deter_dtype)
        if self.deter_dtype == tf.bfloat16:
            deter = tf.bitcast(deter, tf.uint16)
        return {"deter": deter, "stoch": tf.cast(tf.argmax(latent.stoch, -1), tf.uint8)}

    def from_entries(self, stored: Latent) -> Latent:
        """States from what replay kept of them."""
        rssm, dtype = self.model.rssm, self.model.rssm.compute_dtype
        deter = stored.deter
        if deter.dtype == tf.uint16:
            deter = tf.bitcast(deter, tf.bfloat16)
        stoch = tf.one_hot(tf.cast(stored.stoch, tf.int32), rssm.classes, dtype=dtype)
        return Latent(tf.cast(deter, dtype), stoch)

    # Learning

    def initial_train(self, batch: int) -> Latent:
        """Carry before the first train step."""
        return self.model.rssm.initial(batch)

    def _train(self, carry: Latent, batch: Batch, seed):
        """One step of learning: all losses, one gradient, one update.

        Args:
            carry: from `initial_train` or the call before.
            batch: see `Batch`.
            seed: int32 `[2]`.

        Returns:
            `(carry, entries {deter, stoch} [B, T, ...] to write back, metrics)`.
        """
        self.traces["train"] += 1
        rows, length = batch.reward.shape
        steps = length - self.context
        starts = rows * self._starts(steps)
        noise = self.noise.train(seed, steps, rows, starts, self.imag_length)
        return self._step(carry, batch, noise)

    def _step_of(self, carry: Latent, batch: Batch, noise: Noise):
        carry, seq = self.after_context(carry, batch)
        with tf.GradientTape() as tape:
            outcome = self.losses(carry, seq, noise, training=True)
            total = self.total(outcome.losses)
            scaled = self.updater.scale(total)
        gradients = tape.gradient(scaled, [v.value for v in self.updater.variables])
        metrics = self._apply(gradients)
        metrics.update(outcome.metrics)
        metrics["opt/loss"] = total
        return outcome.last, self.entries(outcome.latent), metrics

    def _apply_of(self, gradients: list) -> dict:
        metrics = self.updater.apply(gradients)
        self.behavior.follow_critic(self.updater.inner.iterations)
        return metrics

    def after_context(self, carry: Latent, batch: Batch) -> tuple[Latent, Sequence]:
        """Splits off the replay context: the state to start from, and what to train on.

        Rows that start a sampled sequence begin at the stored latents of the last
        context step, the others where the previous train step ended.
        """
        skip = self.context
        action = {key: x[:, : x.shape[1] - 1] for key, x in batch.action.items()}
        prevact = self.model.encode_action(action)
        if skip:
            fresh = tf.equal(batch.consec, 0)
            stored = self.from_entries(batch.context)
            carry = tf.nest.map_structure(
                lambda x, y: functions.keep_where(fresh, x)
                + functions.keep_where(tf.logical_not(fresh), y),
                stored,
                carry,
            )
            prevact = prevact[:, skip - 1 :]
        else:
            prevact = tf.pad(prevact, [(0, 0), (1, 0), (0, 0)])
        seq = Sequence(
            {key: batch.obs[key][:, skip:] for key in self.inputs},
            prevact,
            *(getattr(batch, key)[:, skip:] for key in SIGNALS),
        )
        return tf.nest.map_structure(tf.stop_gradient, carry), seq

    def losses(self, carry: Latent, seq: Sequence, noise: Noise, training: bool):
        """All losses of a sequence; see `Outcome`."""
        encoder, images = self.model.encoder, None
        if encoder.images:
            images = encoder.embed_images(seq.obs)
        vectors = {key: seq.obs[key] for key in encoder.vectors}
        inner = self._learn if training else self._learn_of
        outcome = inner(carry, seq._replace(obs=vectors), images, noise, training)
        if self.model.decoder.images:
            losses = self.model.image_losses(outcome.latent, seq.obs)
            outcome.losses.update(losses)
            for key, loss in losses.items():
                outcome.metrics[f"loss/{key}"] = tf.reduce_mean(loss)
        return outcome

    def _learn_of(self, carry, seq, images, noise, training):
        """Losses of everything that has no convolution in it."""
        tokens = self.model.tokens(seq.obs, images)
        seen, losses, metrics = self.model.learn(carry, tokens, seq, noise.post)
        behaved, more = self.behave(seen.latent, seq, noise, training)
        losses.update(more)
        metrics.update(behaved.learned.metrics)
        metrics.update({f"loss/{key}": tf.reduce_mean(x) for key, x in losses.items()})
        return Outcome(losses, metrics, seen.latent, seen.last)

    def _starts(self, steps: int) -> int:
        return min(self.imag_last or steps, steps)

    def behave(self, latent: Latent, seq: Sequence, noise: Noise, training: bool):
        """Imagines from posterior states, and learns from that and from replay."""
        rows, steps = seq.reward.shape
        count = self._starts(steps)
        recent = tf.nest.map_structure(lambda x: x[:, steps - count :], latent)
        starts = tf.nest.map_structure(
            lambda x: tf.reshape(x, (rows * count, *x.shape[2:])), recent
        )
        behavior, model = self.behavior, self.model
        imagined = imagine(
            model, behavior.actor, starts, (noise.prior, noise.action), self.imag_length
        )
        feat = functions.features(imagined.latent)
        judged = self._judge(feat)
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
            losses["repval"], replay_ret = self._replay_loss(recent, seq, boot)
        return Behaved(learned, imagined, judged, replay_ret), losses

    def _judge(self, feat) -> Judged:
        """Predictions along imagined features `[H + 1, N, F]`, without gradient."""
        offset, scale = self.behavior.value_norm.stats()
        values = (
            self.model.reward(feat).mean(),
            tf.sigmoid(self.model.cont(feat)),
            self.behavior.critic(feat).mean() * scale + offset,
            self.behavior.slow(feat).mean() * scale + offset,
        )
        return Judged(*(tf.stop_gradient(tf.transpose(value)) for value in values))

    def _replay_loss(self, latent: Latent, seq: Sequence, boot):
        feat = functions.features(latent)
        feat = feat if self.replay_critic_grad else tf.stop_gradient(feat)
        offset, scale = self.behavior.value_norm.stats()
        slow = tf.stop_gradient(self.behavior.slow(feat).mean()) * scale + offset
        count = boot.shape[1]
        signals = (seq.reward, seq.is_last, seq.is_terminal)
        return self.behavior.replay_loss(
            self.behavior.critic(feat), slow, boot, *(x[:, -count:] for x in signals)
        )

    def total(self, losses: dict):
        """`Σ scale · mean`, the number that is minimised, float32 `[]`."""
        scale = {**dict.fromkeys(self.inputs, self.scales["rec"]), **self.scales}
        return tf.add_n([scale[key] * tf.reduce_mean(x) for key, x in losses.items()])

    # Reporting

    def _report(self, carry: Latent, batch: Batch, seed):
        """Losses without learning, and what the model foresees.

        Args:
            carry: as in `train`.
            batch: a batch of at least two trained steps.
            seed: int32 `[2]`.

        Returns:
            `(metrics float32 [], videos {key: uint8 [T + 10, H, W, C]})`.
        """
        self.traces["report"] += 1
        rows, length = batch.reward.shape
        steps = length - self.context
        carry, seq = self.after_context(carry, batch)
        starts = rows * self._starts(steps)
        noise = self.noise.train(seed, steps, rows, starts, self.imag_length)
        outcome = self.losses(carry, seq, noise, training=False)
        videos = {}
        if self.model.encoder.images:
            latents = self.noise.latents(seed, steps, rows)
            predicted = self.openloop(carry, seq, latents)
            for key, pred in predicted.items():
                videos[key] = openloop_grid(seq.obs[key][: pred.shape[0]], pred)
        return outcome.metrics, videos

    def openloop(self, carry: Latent, seq: Sequence, noise, rows: int = 6):
        """Reconstructs the first half of sequences and predicts the rest.

        Returns:
            `{key: float32 [rows, T, H, W, C]}` with values in [0, 1].
        """
        model, steps = self.model, seq.reward.shape[1]
        rows, half = min(rows, seq.reward.shape[0]), steps // 2
        carry, seq = tf.nest.map_structure(lambda x: x[:rows], (carry, seq))
        before = tf.nest.map_structure(lambda x: x[:, :half], seq)
        first, second = (), ()
        if noise is not None:
            first, second = noise[:half, :rows], noise[half:, :rows]
        seen = model.rssm.observe(
            carry,
            model.tokens(before.obs),
            before.prevact,
            before.is_first,
            first if noise is not None else None,
        )
        actions = tf.transpose(seq.prevact[:, half:], (1, 0, 2))
        last, (states, _) = model.rssm.imagine(
            seen.last,
            lambda _, action: (action, ()),
            (second, actions),
            (),
            steps - half,
        )
        # Imagination returns the states before each step; here those after count.
        ahead = tf.nest.map_structure(
            lambda x, y: tf.concat([x[1:], y[None]], 0), states, last
        )
        ahead = tf.nest.map_structure(
            lambda x: tf.transpose(x, (1, 0, *range(2, len(x.shape)))), ahead
        )
        latent = tf.nest.map_structure(
            lambda x, y: tf.concat([x, y], 1), seen.latent, ahead
        )
        return model.decoder.image_means(latent)
