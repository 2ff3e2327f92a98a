"""Where an image is taken from, and the ray of each of its pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner

Real = float | np.floating
"""A number in compiled code, mostly float32."""


class Camera(NamedTuple):
    """An eye that looks somewhere.

    Attributes:
        x: the eye, blocks.
        y: its height.
        z: along z.
        ahead: direction in which it looks, of length 1.
        right: direction to the right on the image; level.
        up: direction upward on the image.
        lens: float32 `[size]`, tangent of the angle of each column, and of each row.
        scale: float32 `[size, size]`, 1 / length of `(1, lens, lens)`.
    """

    x: Real
    y: Real
    z: Real
    ahead: tuple[Real, Real, Real]
    right: tuple[Real, Real, Real]
    up: tuple[Real, Real, Real]
    lens: np.ndarray
    scale: np.ndarray


def make_lens(size: int, fov: float) -> tuple[np.ndarray, np.ndarray]:
    """`lens` and `scale` of a camera for a size in pixels and a view in degrees."""
    middle = (np.arange(size) + 0.5) * 2 / size - 1
    lens = middle * math.tan(math.radians(fov) / 2)
    scale = 1 / np.sqrt(1 + lens[:, None] ** 2 + lens[None] ** 2)
    return lens.astype(np.float32), scale.astype(np.float32)


@inner(_nrt=False)
def make_camera(s, lens, scale):
    """The camera in the player's eye."""
    yaw, pitch = math.radians(s.body[st.YAW]), math.radians(s.body[st.PITCH])
    sin, cos = math.sin(yaw), math.cos(yaw)
    low, level = math.sin(pitch), math.cos(pitch)
    return Camera(
        s.body[st.X],
        s.body[st.Y] + st.EYE,
        s.body[st.Z],
        (np.float32(-sin * level), np.float32(-low), np.float32(cos * level)),
        (np.float32(-cos), np.float32(0.0), np.float32(-sin)),
        (np.float32(-sin * low), np.float32(level), np.float32(cos * low)),
        lens,
        scale,
    )


@inner(fastmath=True, _nrt=False)
def pixel_ray(camera, i, j):
    """Direction of length 1 of the pixel in row `i` and column `j`."""
    ahead, right, up = camera.ahead, camera.right, camera.up
    a, b, scale = camera.lens[j], -camera.lens[i], camera.scale[i, j]
    return (
        (ahead[0] + a * right[0] + b * up[0]) * scale,
        (ahead[1] + b * up[1]) * scale,
        (ahead[2] + a * right[2] + b * up[2]) * scale,
    )


@inner(fastmath=True, _nrt=False)
def covered(camera, x, y, z, radius):
    """Pixels that a ball may cover: first and last column, first and last row.

    Args:
        camera: the camera.
        x: middle of the ball from the eye, blocks.
        y: the same along y.
        z: the same along z.
        radius: of the ball, blocks.
    """
    ahead, right, up = camera.ahead, camera.right, camera.up
    far = x * ahead[0] + y * ahead[1] + z * ahead[2]
    aside = x * right[0] + z * right[2]
    above = x * up[0] + y * up[1] + z * up[2]
    left, end = _span(aside, far, radius, camera.lens)
    top, bottom = _span(-above, far, radius, camera.lens)
    return left, end, top, bottom


@inner(fastmath=True, _nrt=False)
def _span(middle, far, radius, lens):
    """Pixels between the two tangents from the eye to a circle; 1 to 0 for none."""
    last, half, step = lens.size - 1, lens[-1], lens[1] - lens[0]
    apart = math.sqrt(middle * middle + far * far)
    if apart <= radius:
        return 0, last
    turn, wide = math.atan2(middle, far), math.asin(radius / apart)
    edge = math.atan(half + step)
    low, high = max(turn - wide, -edge), min(turn + wide, edge)
    if low >= high:
        return 1, 0
    first = np.int64(math.floor((math.tan(low) + half) / step))
    final = np.int64(math.ceil((math.tan(high) + half) / step))
    return max(0, first), min(last, final)
