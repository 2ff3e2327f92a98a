"""The sky by the time of day: its colours, the sun, the moon, and fog.

Colours are red, green and blue, 0 to 255, as float32.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.jit import inner

DAY = 24000  # ticks
SUN_SIDE, MOON_SIDE = np.float32(0.11), np.float32(0.08)  # tangent of half their width
HAZE = np.float32(1 / 6)  # sine of the elevation below which all is fog: 16 / 96 blocks
ZERO, ONE = np.float32(0.0), np.float32(1.0)


class Sky(NamedTuple):
    """The sky at a time.

    Attributes:
        zenith: colour overhead.
        fog: colour of the horizon and of what is far away.
        glow: strength of sunrise or sunset, 0 to 1.
        glow_green: share of green in it, 0 to 1; red is full where it is 1.
        sun_x: direction of the sun along x, east.
        sun_y: the same upward.
        night: 1 where the sky is black, 0 by day.
    """

    zenith: tuple[float, float, float]
    fog: tuple[float, float, float]
    glow: float
    glow_green: float
    sun_x: float
    sun_y: float
    night: float


@inner
def celestial_angle(time):
    """Turn of the sky, 0 to 1: 0 at noon, 0.5 at midnight."""
    share = (time / DAY - 0.25) % 1.0
    return share + ((1.0 - (math.cos(math.pi * share) + 1.0) / 2.0) - share) / 3.0


@inner
def make_sky(time):
    """The sky at a time in ticks."""
    angle = celestial_angle(time) * 2.0 * math.pi
    height = math.cos(angle)
    day = min(1.0, max(0.0, 2.0 * height + 0.5))
    zenith = _colour(120.0 * day, 167.0 * day, 255.0 * day)
    fog = _colour(
        192.0 * (0.94 * day + 0.06),
        216.0 * (0.94 * day + 0.06),
        255.0 * (0.91 * day + 0.09),
    )
    glow, green = 0.0, 0.0
    if abs(height) < 0.4:  # the sun is near the horizon
        phase = height / 0.8 + 0.5
        glow = (1.0 - (1.0 - math.sin(phase * math.pi)) * 0.99) ** 2
        green = phase * phase
    return Sky(
        zenith,
        fog,
        np.float32(glow),
        np.float32(green),
        np.float32(-math.sin(angle)),
        np.float32(height),
        np.float32(1.0 - day),
    )


@inner
def _colour(red, green, blue):
    return np.float32(red), np.float32(green), np.float32(blue)


@inner(fastmath=True)
def blend(below, above, share):
    """Mixture of two colours: `share` of the one above."""
    return (
        below[0] + (above[0] - below[0]) * share,
        below[1] + (above[1] - below[1]) * share,
        below[2] + (above[2] - below[2]) * share,
    )


@inner(fastmath=True)
def sky_colour(sky, dx, dy, dz):
    """Colour of the sky in a direction of length 1."""
    colour = sky.fog
    if dy > HAZE:
        colour = blend(sky.zenith, sky.fog, HAZE / dy)
    if sky.glow > 0:
        colour = _glowing(sky, colour, dx, dy)
    if dy > np.float32(-0.1):
        colour = _sun_and_moon(sky, colour, dx, dy, dz)
    return colour


@inner(fastmath=True)
def _glowing(sky, colour, dx, dy):
    toward = dx if sky.sun_x > 0 else -dx
    low = ONE - abs(dy) * np.float32(1.8)
    if toward <= 0 or low <= 0:
        return colour
    phase = math.sqrt(sky.glow_green)
    warm = (
        np.float32(255.0) * (np.float32(0.3) * phase + np.float32(0.7)),
        np.float32(255.0) * (np.float32(0.7) * sky.glow_green + np.float32(0.2)),
        np.float32(51.0),
    )
    return blend(colour, warm, sky.glow * low * toward * toward)


@inner(fastmath=True)
def _sun_and_moon(sky, colour, dx, dy, dz):
    """The sun is a bright square, the moon, across from it, a pale one."""
    along = dx * sky.sun_x + dy * sky.sun_y
    across = abs(dx * sky.sun_y - dy * sky.sun_x)
    off = max(across, abs(dz))
    if off < SUN_SIDE * along:
        return np.float32(255.0), np.float32(252.0), np.float32(214.0)
    if off < np.float32(2.0) * SUN_SIDE * along:  # its halo
        return blend(colour, _pale(), np.float32(0.35))
    if off < -MOON_SIDE * along:
        return blend(colour, _pale(), np.float32(0.25) + np.float32(0.6) * sky.night)
    return colour


@inner
def _pale():
    return np.float32(244.0), np.float32(246.0), np.float32(255.0)
