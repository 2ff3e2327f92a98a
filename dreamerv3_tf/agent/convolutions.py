"""The image parts of a train step outside of XLA, a few rows of the batch at a time.

What a convolution leaves behind for its gradient is many times larger than the images.
So the decoder runs forward and backward on some rows before it goes on to the next, and
the encoder forgets what it computed and computes it again for its gradient.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.structs import Latent

from .objective import Objective

PIXELS = 2**19
"""Pixels of an input at a time: 128 images of 64×64."""


class Decoded(NamedTuple):
    """What the image decoder gives.

    Attributes:
        losses: float32 `[B, T]` of each image key.
        gradients: of `total`, for each of its weights.
        pull: the same for the latent states, `[B, T, ...]`.
    """

    losses: dict[str, Any]
    gradients: list
    pull: Latent


class Convolutions:
    """Encoder and decoder of images.

    Args:
        objective: the losses.
        scale: `total loss → number to differentiate`.
    """

    def __init__(self, objective: Objective, scale):
        self.objective, self.model, self.scale = objective, objective.model, scale
        self.encoder_weights = self.model.encoder.image_weights
        self.decoder_weights = self.model.decoder.image_weights

    def encode(self, images: dict):
        """Tokens of images `{key: [B, T, H, W, C]}`, `[B, T, E]`."""
        encoder = self.model.encoder

        def encode(_, some):
            return (), encoder.embed_images(some)

        rows, steps = tf.nest.flatten(images)[0].shape[:2]
        width = encoder.width - (encoder.mlp.units if encoder.vectors else 0)
        like = tf.zeros((rows, steps, width), encoder.compute_dtype)
        return functions.scan_rows(
            encode, (), images, like, portion(shapes_of(images))
        )[1]

    def encoder_gradients(self, images: dict, push) -> list:
        """Gradients of the encoder's weights from that of its tokens, `push`."""
        weights = values(self.encoder_weights)

        def learn(sums, now):
            some, force = now
            with tf.GradientTape() as tape:
                tape.watch(weights)
                tokens = self.model.encoder.embed_images(some)
            return add(sums, tape.gradient(tokens, weights, force)), ()

        zeros = [tf.zeros_like(weight) for weight in weights]
        return functions.scan_rows(
            learn, zeros, (images, push), (), portion(shapes_of(images))
        )[0]

    def decode(self, latent: Latent, images: dict) -> Decoded:
        """Losses of the images, and where they pull weights and latent states."""
        weights = values(self.decoder_weights)
        rows, steps = latent.deter.shape[:2]
        share = portion(shapes_of(images)) / rows  # of a mean over the batch

        def learn(sums, now):
            some, truth = now
            with tf.GradientTape() as tape:
                tape.watch((weights, some))
                losses = self.model.image_losses(some, truth)
                scaled = self.scale(share * self.objective.total(losses))
            found, pull = tape.gradient(
                scaled, (weights, some), unconnected_gradients="zero"
            )
            return add(sums, found), (losses, pull)

        zeros = [tf.zeros_like(weight) for weight in weights]
        like = ({key: tf.zeros((rows, steps)) for key in images}, latent)
        found, (losses, pull) = functions.scan_rows(
            learn, zeros, (latent, images), like, portion(shapes_of(images))
        )
        return Decoded(losses, found, pull)


def portion(shapes: dict) -> int:
    """Rows at a time: the most that divide the batch and stay within `PIXELS`.

    Args:
        shapes: `(B, T, H, W, C)` of each image key.
    """
    rows = next(iter(shapes.values()))[0]
    pixels = max(math.prod(shape[1:4]) for shape in shapes.values())
    fitting = [n for n in range(1, rows + 1) if rows % n == 0 and n * pixels <= PIXELS]
    return max(fitting, default=1)


def shapes_of(images: dict) -> dict:
    """Their shapes."""
    return {key: x.shape for key, x in images.items()}


def add(sums: list, more: list) -> list:
    return [x + y for x, y in zip(sums, more, strict=True)]


def values(variables: list) -> list:
    """What a gradient tape knows the Keras variables by."""
    return [variable.value for variable in variables]
