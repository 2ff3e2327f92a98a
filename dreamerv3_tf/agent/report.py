"""Pictures of what the world model foresees."""

from __future__ import annotations

from collections.abc import Sequence as Names

import tensorflow as tf

from dreamerv3_tf.structs import Latent

from .world_model import Sequence, WorldModel

BORDER = 2  # pixels
PAUSE = 10  # black frames at the end of a video
GREEN, RED = (0.0, 255.0, 0.0), (255.0, 0.0, 0.0)


def openloop(
    model: WorldModel,
    carry: Latent,
    seq: Sequence,
    noise,
    rows: int = 6,
    vectors: Names[str] = (),
):
    """Reconstructs the first half of sequences and predicts the rest.

    Args:
        model: the world model.
        carry: state before the sequences.
        seq: the sequences, `[B, T, ...]`.
        noise: for sampling latents, `[T, B, ...]`, or `None` for the most likely ones.
        rows: sequences at most.
        vectors: continuous observation keys to predict besides the images.

    Returns:
        `{key: float32 [rows, T, H, W, C]}` with values in [0, 1] for each image, and
        `{key: float32 [rows, T, *shape]}` in its own units for each of `vectors`.
    """
    steps = seq.reward.shape[1]
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
    predicted = model.decoder.image_means(latent)
    if vectors:
        decoder, means = model.decoder, model.decoder.vector_means(latent)
        predicted |= {key: decoder.vector_value(key, means[key]) for key in vectors}
    return predicted


def openloop_grid(truth, predicted):
    """Video of truth, prediction and error, one above the other, rows side by side.

    A green border marks reconstructions of what was seen, a red one predictions; black
    frames end the video. Source: the reference's open-loop report.

    Args:
        truth: uint8 `[B, T, H, W, C]`.
        predicted: float32 `[B, T, H, W, C]`, values in [0, 1]; the first half of the
            time are reconstructions.

    Returns:
        uint8 `[T + 10, 3·H + 4, B·(W + 4), C]`; `C` is 3 where it was 1.
    """
    pixels = tf.cast(
        tf.cast(tf.clip_by_value(predicted * 255, 0, 255), tf.uint8), tf.float32
    )
    truth = tf.cast(truth, tf.float32)
    error = (pixels - truth + 255) / 2
    video = tf.concat([truth, pixels, error], 2)  # [B, T, 3H, W, C]
    if video.shape[-1] == 1:
        video = tf.repeat(video, 3, axis=-1)
    video = _framed(video, video.shape[1] // 2)
    rows, steps, height, width, channels = video.shape
    video = tf.pad(video, [(0, 0), (0, PAUSE), (0, 0), (0, 0), (0, 0)])
    video = tf.transpose(video, (1, 2, 0, 3, 4))
    video = tf.reshape(video, (steps + PAUSE, height, rows * width, channels))
    return tf.cast(video, tf.uint8)


def _framed(video, seen: int):
    """A border around each frame: green for the first `seen` frames, then red."""
    steps, channels = video.shape[1], video.shape[-1]
    colors = tf.constant([GREEN] * seen + [RED] * (steps - seen))
    if channels != 3:
        colors = tf.reduce_max(colors, -1, keepdims=True) * tf.ones((1, channels))
    pads = [(0, 0), (0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0)]
    inside = tf.pad(tf.ones_like(video), pads)
    return tf.pad(video, pads) + (1 - inside) * colors[None, :, None, None, :]
