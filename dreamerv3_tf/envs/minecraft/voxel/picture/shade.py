"""How bright a cell is on the screen: light from the sky, time of day, gamma."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner

ZERO, ONE = np.float32(0.0), np.float32(1.0)
NEAR, FOUR = np.float32(0.75), np.float32(4.0)
MEMO = 4096
"""Cells whose brightness is kept during one image; a power of 2."""


class Lights(NamedTuple):
    """Brightness of what is under a roof.

    Attributes:
        curve: float32 `[16]`, brightness by light from the sky.
        enough: int64 `[1]`, distance of an open column that still gives full light.
        cells: int64 `[MEMO]`, cell and image of each entry of the memory.
        values: float32 `[MEMO]`, its brightness.
        image: int64 `[1]`, number of the image.
    """

    curve: np.ndarray
    enough: np.ndarray
    cells: np.ndarray
    values: np.ndarray
    image: np.ndarray


def make_lights() -> Lights:
    """Lights that know nothing yet."""
    return Lights(
        np.ones(16, np.float32),
        np.zeros(1, np.int64),
        np.full(MEMO, -1, np.int64),
        np.ones(MEMO, np.float32),
        np.zeros(1, np.int64),
    )


@inner(_nrt=False)
def begin_lights(lights, time, gamma):
    """Sets the curve of a time of day and forgets the last image.

    Light `l` of 15 gives b = (l / 15) / (4 - 3 l / 15); the sun takes its share; then
    come a floor of 0.03 and gamma, which mixes in 1 - (1 - b)⁴ and may be above 1.
    """
    lights.image[0] += 1
    share = st.day_light(time) * 0.95 + 0.05
    enough = 15
    for level in range(16):
        value = level / 15.0
        value = value / (4.0 - 3.0 * value) * share * 0.96 + 0.03
        dark = (1.0 - value) * (1.0 - value)
        value = value * (1.0 - gamma) + (1.0 - dark * dark) * gamma
        value = min(1.0, max(0.0, value * 0.96 + 0.03))
        lights.curve[level] = value
        if value >= 1.0 and enough == 15:
            enough = 15 - level
    lights.enough[0] = 0 if enough == 15 else enough


@inner(fastmath=True, _nrt=False)
def brightness(grid, lights, x, y, z):
    """Brightness of a cell, 0 to 1; as `state.sky_light`, but quick.

    Args:
        grid: the voxels.
        lights: what is known in this image.
        x: cell, of the world or the window.
        y: cell.
        z: cell.
    """
    i, j = x & 127, z & 127
    if y >= grid.roof[(i << 7) | j]:
        return lights.curve[15]
    cell = (i << 14) | (j << 7) | (y & 127)
    place = (cell ^ (cell >> 9)) & (MEMO - 1)
    key = (lights.image[0] << 21) | cell
    if lights.cells[place] != key:
        lights.cells[place] = key
        near = _open_distance(grid, i, y, j, lights.enough[0])
        lights.values[place] = lights.curve[max(0, 15 - near)]
    return lights.values[place]


@inner(_nrt=False)
def _open_distance(grid, x, y, z, enough):
    """Distance to the nearest column that is open at a height, at most 16.

    Any distance up to `enough` will do, as it gives full light.
    """
    best, tile_x, tile_z = 16, x >> 3, z >> 3
    for ring in range(3):
        for i in range(tile_x - ring, tile_x + ring + 1):
            for j in range(tile_z - ring, tile_z + ring + 1):
                outer = max(abs(i - tile_x), abs(j - tile_z)) == ring
                if (
                    outer
                    and grid.lows[((i & 15) << 4) | (j & 15)] <= y
                    and best > enough
                ):
                    best = _search_tile(grid, x, y, z, i, j, best)
    return best


@inner(_nrt=False)
def _search_tile(grid, x, y, z, tile_x, tile_z, best):
    for i in range(tile_x * 8, tile_x * 8 + 8):
        for j in range(tile_z * 8, tile_z * 8 + 8):
            if grid.roof[((i & 127) << 7) | (j & 127)] <= y:
                best = min(best, max(abs(i - x), abs(j - z)))
    return best


@inner(fastmath=True, _nrt=False)
def haze(t, view):
    """Share of fog at a distance: none up to 75 % of the view, all at its end."""
    return min(ONE, max(ZERO, (t / view - NEAR) * FOUR))


@inner(fastmath=True, _nrt=False)
def murk(depth, density):
    """Share of what a fluid hides over a length, 1 - exp(-density · length)."""
    return ONE - math.exp(-density * depth)
