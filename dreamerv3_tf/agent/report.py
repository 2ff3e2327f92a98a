"""Pictures of what the world model foresees."""

from __future__ import annotations

import tensorflow as tf

BORDER = 2  # pixels
PAUSE = 10  # black frames at the end of a video
GREEN, RED = (0.0, 255.0, 0.0), (255.0, 0.0, 0.0)


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
    pixels = tf.cast(tf.cast(tf.clip_by_value(predicted * 255, 0, 255), tf.uint8), tf.float32)
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
