"""The world model: its networks, and what it learns from replayed sequences."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.nn import dists, encoder, functions
from dreamerv3_tf.nn.decoder import Decoder
from dreamerv3_tf.nn.encoder import Encoder
from dreamerv3_tf.nn.heads import BinaryHead, MaskHead, RealHead
from dreamerv3_tf.nn.rssm import RSSM
from dreamerv3_tf.spaces import Space, find_masks
from dreamerv3_tf.structs import Latent


class Sequence(NamedTuple):
    """The trained steps of a batch, after the replay context.

    Attributes:
        obs: `{key: [B, T, ...]}`.
        prevact: encoded previous actions, float32 `[B, T, A]`.
        reward: float32 `[B, T]`, reward units.
        is_first: bool `[B, T]`.
        is_last: bool `[B, T]`.
        is_terminal: bool `[B, T]`.
    """

    obs: dict[str, Any]
    prevact: Any
    reward: Any
    is_first: Any
    is_last: Any
    is_terminal: Any


class WorldModel:
    """Encoder, recurrent model, decoder, reward and continue heads.

    Args:
        encoder: observations → tokens.
        rssm: the recurrent model.
        decoder: states → observations.
        reward: features → distribution of the reward.
        cont: features → logit of going on.
        action_spaces: spaces of the actions that the model reads.
        mask: features → what actions are allowed, where the environment says so.
        horizon: discount horizon in agent steps; `γ = 1 − 1 / horizon`.
        discount_in_cont: the continue head learns `γ (1 − terminal)`, so that
            imagination needs no discount of its own.
        reward_grad: the reward loss shapes the latent states.
        rec_grad: the losses of the observations shape them.
    """

    def __init__(
        self,
        encoder: Encoder,
        rssm: RSSM,
        decoder: Decoder,
        reward: RealHead,
        cont: BinaryHead,
        *,
        action_spaces: dict[str, Space],
        mask: MaskHead | None = None,
        horizon: float,
        discount_in_cont: bool = True,
        reward_grad: bool = True,
        rec_grad: bool = True,
    ):
        self.encoder, self.rssm, self.decoder = encoder, rssm, decoder
        self.reward, self.cont = reward, cont
        self.action_spaces, self.mask = action_spaces, mask
        self.discount = 1 - 1 / horizon
        self.discount_in_cont = discount_in_cont
        self.reward_grad, self.rec_grad = reward_grad, rec_grad
        self._build()

    def _build(self):
        rssm = self.rssm
        action = encoder.vector_width(self.action_spaces)
        self.encoder.build()
        rssm.build(self.encoder.width, action)
        self.decoder.build(Latent((None, rssm.deter), (None, rssm.stoch, rssm.classes)))
        self.feat_width = rssm.deter + rssm.stoch * rssm.classes
        self.reward.build((None, self.feat_width))
        self.cont.build((None, self.feat_width))
        if self.mask:
            self.mask.build((None, self.feat_width))

    @property
    def inputs(self) -> dict[str, Space]:
        """Spaces that the encoder reads."""
        return {**self.encoder.vectors, **self.encoder.images}

    def encode_action(self, action: dict):
        """Actions as the model reads them: one-hot where discrete, `[..., A]`."""
        return encoder.encode_vectors(action, self.action_spaces, tf.float32)

    def allowed(self, feat) -> dict:
        """What the model takes for allowed, bool by action key; see `Actor`."""
        return self.mask.allowed(feat) if self.mask else {}

    def seen_masks(self, obs: dict) -> dict:
        """Which actions an observation allows, bool by action key."""
        masks = find_masks(self.inputs, self.action_spaces)
        return {key: obs[name] for key, (name, _) in masks.items()}

    def tokens(self, obs: dict, image_tokens=None):
        """All tokens `[B, T, E]`; those of the images may have been computed before."""
        parts = [self.encoder.embed_vectors(obs)] if self.encoder.vectors else []
        if self.encoder.images:
            if image_tokens is None:
                image_tokens = self.encoder.embed_images(obs)
            parts.append(image_tokens)
        return tf.concat(parts, -1)

    def learn(self, carry: Latent, tokens, seq: Sequence, noise):
        """Posterior states of a sequence, and all losses but those of the images.

        Args:
            carry: state before the first step.
            tokens: output of the encoder, `[B, T, E]`.
            seq: the sequence.
            noise: see `RSSM.observe`.

        Returns:
            `(Observed, {loss: float32 [B, T]}, {metric: float32 []})`.
        """
        seen = self.rssm.observe(carry, tokens, seq.prevact, seq.is_first, noise)
        losses = {}
        losses["dyn"], losses["rep"], prior = self.rssm.losses(
            seen.latent.deter, seen.logit
        )
        feat, decoded = functions.features(seen.latent), self._decoded(seen.latent)
        if self.decoder.vectors:
            means = self.decoder.vector_means(decoded)
            losses.update(self.decoder.vector_losses(means, seq.obs))
        inputs = feat if self.reward_grad else tf.stop_gradient(feat)
        losses["rew"] = -self.reward(inputs).log_prob(seq.reward)
        goal = 1 - tf.cast(seq.is_terminal, tf.float32)
        goal *= self.discount if self.discount_in_cont else 1.0
        losses["con"] = dists.binary_loss(self.cont(feat), goal)
        if self.mask:
            read = functions.features(decoded)
            losses["mask"] = self.mask.loss(read, self.seen_masks(seq.obs))
        metrics = {
            "world/dyn_ent": tf.reduce_mean(self.rssm.dist(prior).entropy()),
            "world/rep_ent": tf.reduce_mean(self.rssm.dist(seen.logit).entropy()),
        }
        return seen, losses, metrics

    def image_losses(self, latent: Latent, obs: dict):
        """Loss of each image key, float32 `[B, T]`."""
        means = self.decoder.image_means(self._decoded(latent))
        return self.decoder.image_losses(means, obs)

    def _decoded(self, latent: Latent) -> Latent:
        """The states that observations are learned from."""
        if self.rec_grad:
            return latent
        return tf.nest.map_structure(tf.stop_gradient, latent)
