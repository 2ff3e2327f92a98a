"""The sky by the time of day: its colours, the sun, the moon, and fog.

Colours are red, green and blue, 0 to 255, as float32.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.picture.camera import Real

DAY = 24000  # ticks
SUN_SIDE, MOON_SIDE = np.float32(0.11), np.float32(0.08)  # tangent of half their width
HAZE = np.float32(1 / 6)  # sine of the elevation below which all is fog: 16 / 96 blocks
HALO, MOONLIGHT = np.float32(0.35), np.float32(0.6)
HORIZON, LOW = np.float32(-0.1), np.float32(1.8)
ONE, TWO, QUARTER = np.float32(1.0), np.float32(2.0), np.float32(0.25)
BLUE = (np.float32(120.0), np.float32(167.0), np.float32(255.0))
PALE = (np.float32(192.0), np.float32(216.0), np.float32(255.0))
WHITE = (np.float32(244.0), np.float32(246.0), np.float32(255.0))
SUN = (np.float32(255.0), np.float32(252.0), np.float32(214.0))
FLOOR, FLOOR_BLUE = np.float32(0.06), np.float32(0.09)  # of the horizon, at night


class Sky(NamedTuple):
    """The sky at a time.

    Attributes:
        zenith: colour overhead.
        fog: colour of the horizon and of what is far away.
        glow: strength of sunrise or sunset, 0 to 1.
        warm: its colour.
        sun_x: direction of the sun along x, east.
        sun_y: the same upward.
        night: 1 where the sky is black, 0 by day.
    """

    zenith: tuple[Real, Real, Real]
    fog: tuple[Real, Real, Real]
    glow: Real
    warm: tuple[Real, Real, Real]
    sun_x: Real
    sun_y: Real
    night: Real


@inner(_nrt=False)
def celestial_angle(time):
    """Turn of the sky, 0 to 1: 0 at noon, 0.5 at midnight."""
    share = time / DAY - 0.25
    share -= math.floor(share)
    return share + ((1.0 - (math.cos(math.pi * share) + 1.0) / 2.0) - share) / 3.0


@inner(_nrt=False)
def make_sky(time):
    """The sky at a time in ticks."""
    angle = celestial_angle(time) * 2.0 * math.pi
    height = math.cos(angle)
    day = min(1.0, max(0.0, 2.0 * height + 0.5))
    bright = np.float32(day)
    zenith = (BLUE[0] * bright, BLUE[1] * bright, BLUE[2] * bright)
    fog = (
        PALE[0] * (FLOOR + (ONE - FLOOR) * bright),
        PALE[1] * (FLOOR + (ONE - FLOOR) * bright),
        PALE[2] * (FLOOR_BLUE + (ONE - FLOOR_BLUE) * bright),
    )
    glow, phase = 0.0, 0.0
    if abs(height) < 0.4:  # the sun is near the horizon
        phase = height / 0.8 + 0.5
        glow = 1.0 - (1.0 - math.sin(phase * math.pi)) * 0.99
    return Sky(
        zenith,
        fog,
        np.float32(glow * glow),
        (
            np.float32(76.5 * phase + 178.5),
            np.float32(178.5 * phase * phase + 51.0),
            np.float32(51.0),
        ),
        np.float32(-math.sin(angle)),
        np.float32(height),
        np.float32(1.0 - day),
    )


@inner(fastmath=True, _nrt=False)
def blend(below, above, share):
    """Mixture of two colours: `share` of the one above."""
    return (
        below[0] + (above[0] - below[0]) * share,
        below[1] + (above[1] - below[1]) * share,
        below[2] + (above[2] - below[2]) * share,
    )


@inner(fastmath=True, _nrt=False, forceinline=True)
def sky_colour(sky, dx, dy, dz):
    """Colour of the sky in a direction of length 1."""
    colour = sky.fog
    if dy > HAZE:
        colour = blend(sky.zenith, sky.fog, HAZE / dy)
    if sky.glow > 0:
        colour = _glowing(sky, colour, dx, dy)
    if dy > HORIZON:
        colour = _sun_and_moon(sky, colour, dx, dy, dz)
    return colour


@inner(fastmath=True, _nrt=False)
def _glowing(sky, colour, dx, dy):
    toward = dx if sky.sun_x > 0 else -dx
    low = ONE - abs(dy) * LOW
    if toward <= 0 or low <= 0:
        return colour
    return blend(colour, sky.warm, sky.glow * low * toward * toward)


@inner(fastmath=True, _nrt=False)
def _sun_and_moon(sky, colour, dx, dy, dz):
    """The sun is a bright square, the moon, across from it, a pale one."""
    along = dx * sky.sun_x + dy * sky.sun_y
    across = abs(dx * sky.sun_y - dy * sky.sun_x)
    off = max(across, abs(dz))
    if off < SUN_SIDE * along:
        return SUN
    if off < TWO * SUN_SIDE * along:  # its halo
        return blend(colour, WHITE, HALO)
    if off < -MOON_SIDE * along:
        return blend(colour, WHITE, QUARTER + MOONLIGHT * sky.night)
    return colour
