"""Functions of tensors that have no weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def symlog(x):
    """`sign(x) ln(1 + |x|)`: squashes large values, identity near zero (eq. 9)."""
    return tf.sign(x) * tf.math.log1p(tf.abs(x))


def symexp(x):
    """`sign(x) (e^|x| - 1)`, the inverse of `symlog`."""
    return tf.sign(x) * tf.math.expm1(tf.abs(x))


def lead(x, tail: int) -> tuple:
    """Sizes of all axes of `x` but the last `tail`: ints, tensors where unknown."""
    count = len(x.shape) - tail
    if None not in x.shape[:count]:
        return tuple(x.shape[:count])
    dynamic = tf.shape(x)
    return tuple(
        dynamic[axis] if size is None else size
        for axis, size in enumerate(x.shape[:count])
    )


def keep_where(keep, x):
    """`x` where the row is kept, else zero; `keep` bool `[...]`, `x [..., F]`."""
    ones = (1,) * (len(x.shape) - len(keep.shape))
    return x * tf.reshape(tf.cast(keep, x.dtype), (*lead(keep, 0), *ones))


def flatten_groups(stoch):
    """Latent groups side by side: `[..., S, C]` → `[..., S·C]`."""
    groups, classes = stoch.shape[-2:]
    return tf.reshape(stoch, (*lead(stoch, 2), groups * classes))


def features(latent):
    """What the heads read: deter and flat stoch side by side, `[..., D + S·C]`."""
    return tf.concat([latent.deter, flatten_groups(latent.stoch)], -1)


def pick_onehot(probs, noise):
    """One-hot choice by inverting the cumulative distribution.

    One uniform number per choice is far cheaper than a Gumbel number per class.

    Args:
        probs: float32 `[..., C]`, sums to one.
        noise: float32 `[...]`, uniform in [0, 1); `None` picks the most likely class,
            the first one on ties.

    Returns:
        float32 `[..., C]`, without gradient.
    """
    probs = tf.stop_gradient(probs)
    if noise is None:
        return tf.one_hot(tf.argmax(probs, -1), probs.shape[-1], dtype=probs.dtype)
    passed = tf.cumsum(probs, axis=-1)[..., :-1] <= noise[..., None]  # 1 .. 1, 0 .. 0
    passed = tf.cast(passed, probs.dtype)
    # A class too unlikely to widen the sum keeps zero width and is never chosen.
    one = tf.ones_like(passed[..., :1])
    return tf.concat([one, passed], -1) - tf.concat([passed, tf.zeros_like(one)], -1)


def pick_index(probs, noise):
    """Like `pick_onehot`, as an int32 class index `[...]`."""
    if noise is None:
        return tf.argmax(probs, -1, output_type=tf.int32)
    passed = tf.cumsum(probs, axis=-1)[..., :-1] <= noise[..., None]
    return tf.reduce_sum(tf.cast(passed, tf.int32), -1)


def scan(step: Callable, state: Any, inputs: Any, like: Any, length: int):
    """Runs `state, output = step(state, input)` over the first axis of `inputs`.

    A `while` loop of fixed length, which both the graph executor and XLA differentiate.

    Args:
        step: function of a state and one slice of the inputs. The new state keeps
            structure, shapes and dtypes of the old one.
        state: nest of tensors.
        inputs: nest of tensors `[length, ...]`.
        like: nest of tensors with the shapes and dtypes of one step's output.
        length: number of steps, a Python int.

    Returns:
        The last state, and the outputs stacked, `[length, ...]`.
    """
    slots = [_array(x[0], length).unstack(x) for x in tf.nest.flatten(inputs)]
    outputs = [_array(x, length) for x in tf.nest.flatten(like)]

    def body(index, state, outputs):
        now = tf.nest.pack_sequence_as(inputs, [slot.read(index) for slot in slots])
        after, output = step(state, now)
        after = tf.nest.map_structure(_keep_shape, after, state)
        pairs = zip(outputs, tf.nest.flatten(output), strict=True)
        return index + 1, after, [slot.write(index, value) for slot, value in pairs]

    _, state, outputs = tf.while_loop(
        lambda index, *_: index < length,
        body,
        (tf.constant(0), state, outputs),
        maximum_iterations=length,
        parallel_iterations=1,
    )
    return state, tf.nest.pack_sequence_as(like, [slot.stack() for slot in outputs])


def scan_rows(step: Callable, state: Any, inputs: Any, like: Any, size: int):
    """Like `scan`, but over a batch, `size` rows at a time.

    Args:
        step: function of a state and some rows of the inputs.
        state: nest of tensors.
        inputs: nest of tensors `[B, ...]`.
        like: nest of tensors with the shapes and dtypes of the output for all rows.
        size: rows of a step; divides `B`.

    Returns:
        The last state, and the outputs of all rows, `[B, ...]`.
    """
    count = tf.nest.flatten(inputs)[0].shape[0] // size

    def divide(x):
        return tf.reshape(x, (count, size, *x.shape[1:]))

    parts, like = (tf.nest.map_structure(divide, x) for x in (inputs, like))
    some = tf.nest.map_structure(lambda x: x[0], like)
    state, outputs = scan(step, state, parts, some, count)
    return state, tf.nest.map_structure(
        lambda x: tf.reshape(x, (count * size, *x.shape[2:])), outputs
    )


def _array(like, length) -> tf.TensorArray:
    return tf.TensorArray(
        like.dtype, length, element_shape=like.shape, clear_after_read=False
    )


def _keep_shape(after, before):
    """Static shapes survive the loop, which its gradient needs under XLA."""
    after.set_shape(before.shape)
    return after


def phase_taps(size: int) -> np.ndarray:
    """Which pixel of an image each tap of a kernel meets in the upsampled image.

    Upsampling makes four equal pixels of one, so the taps of a 5×5 kernel that meet the
    same pixel can be added beforehand: 3×3 taps are left, others for each of the four
    pixels (phases) of the output. The same sums, in 36 products instead of 100.

    Returns:
        0 or 1, `[2, W, size]`: for even and odd rows, which of `W` rows.
    """
    offsets = np.arange(size) - (size - 1) // 2
    meets = (offsets + np.arange(2)[:, None]) // 2  # in rows from its own
    first, last = meets.min(), meets.max()
    assert -first == (last - first) // 2, (size, meets)  # padding stays "same"
    return meets[:, None] == np.arange(first, last + 1)[:, None]
