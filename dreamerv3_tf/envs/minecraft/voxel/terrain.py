"""Ground of a chunk: heights, biomes and layers of its columns.

Columns are computed for a margin of 4 around the chunk too, since trees rooted there
reach into it. Index `[i, j]` of a padded array is the column `(x, z)` with
`x = 16 cx - 4 + i` and `z = 16 cz - 4 + j`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import fade, hash2
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT, SEA

MARGIN = 4
PADDED = CHUNK + 2 * MARGIN
STEP = 4  # blocks between points of the lattice
POINTS = PADDED // STEP + 1
SNOW_LINE = 93  # above it snow lies in every climate
ROOF = 5  # blocks of ground that caves keep above them


class Columns(NamedTuple):
    """Columns of a chunk and its margin, each `[24, 24]`.

    Attributes:
        height: int64, y of the topmost block of ground; water fills up to `SEA`.
        biome: uint8, index of `climate.BIOMES`.
        cold: uint8, 1 where snow lies and water freezes.
        mouth: uint8, 1 where caves may break the surface and nothing is planted.
        wood: float64, noise that trees and grass follow.
        spot: float64, noise that patches of ground follow.
    """

    height: np.ndarray
    biome: np.ndarray
    cold: np.ndarray
    mouth: np.ndarray
    wood: np.ndarray
    spot: np.ndarray


@inner
def make_columns(seed, cx, cz):
    """Columns of a chunk and its margin."""
    lattice = np.empty((cl.FIELDS, POINTS, POINTS))
    x0, z0 = cx * CHUNK - MARGIN, cz * CHUNK - MARGIN
    for i in range(POINTS):
        for j in range(POINTS):
            cl.write_fields(seed, x0 + STEP * i, z0 + STEP * j, lattice, i, j)
    columns = Columns(
        np.empty((PADDED, PADDED), np.int64),
        np.empty((PADDED, PADDED), np.uint8),
        np.empty((PADDED, PADDED), np.uint8),
        np.empty((PADDED, PADDED), np.uint8),
        np.empty((PADDED, PADDED)),
        np.empty((PADDED, PADDED)),
    )
    field = np.empty(cl.FIELDS)
    for i in range(PADDED):
        for j in range(PADDED):
            _interpolate(lattice, i, j, field)
            _write_column(columns, i, j, field)
    return columns


@inner
def _interpolate(lattice, i, j, out):
    u, w = (i & 3) * 0.25, (j & 3) * 0.25
    i, j = i >> 2, j >> 2
    for k in range(cl.FIELDS):
        low = lattice[k, i, j] + u * (lattice[k, i + 1, j] - lattice[k, i, j])
        high = lattice[k, i, j + 1]
        high += u * (lattice[k, i + 1, j + 1] - high)
        out[k] = low + w * (high - low)


@inner
def cut_river(land, course, peak):
    """Height of the ground after rivers and, in mountains, dry valleys cut it."""
    bed = 57.5 + 24.0 * fade(peak * 2.0)
    if land <= bed:
        return land
    return bed + (land - bed) * fade((abs(course) - 0.022) / (0.1 + 0.15 * peak))


@inner
def _write_column(columns, i, j, field):
    peak = field[cl.PEAK]
    land = cut_river(field[cl.LAND], field[cl.COURSE], peak)
    height = min(HEIGHT - 12, np.int64(math.floor(land)))
    biome = cl.pick_biome(
        height, field[cl.COURSE], field[cl.COAST], field[cl.WARMTH], field[cl.WET], peak
    )
    columns.height[i, j] = height
    columns.biome[i, j] = biome
    high = height + 4.0 * field[cl.SPOT] > SNOW_LINE
    columns.cold[i, j] = high or field[cl.WARMTH] < cl.COLD
    columns.mouth[i, j] = field[cl.MOUTH] > 0.34
    columns.wood[i, j] = field[cl.WOOD]
    columns.spot[i, j] = field[cl.SPOT]


@inner
def top_block(biome, height, spot):
    """Block on top of the ground."""
    if height < SEA:
        return _bed_block(biome, height, spot)
    if biome == cl.B_DESERT or biome == cl.B_BEACH:
        return b.SAND
    if biome == cl.B_EXTREME_HILLS and height > 84 + 12.0 * spot:
        return b.GRAVEL if spot > 0.45 else b.STONE
    if biome == cl.B_TAIGA and spot > 0.3:
        return b.PODZOL
    return b.GRASS


@inner
def _bed_block(biome, height, spot):
    if biome == cl.B_DESERT:
        return b.SAND
    if spot > 0.42 and height > 50:
        return b.CLAY
    if biome == cl.B_SWAMP:
        return b.DIRT
    if height > 55:
        return b.SAND if spot > -0.25 else b.DIRT
    return b.GRAVEL if spot > -0.3 else b.SAND


@inner
def under_block(top, depth):
    """Block some cells below a top block, or stone once the soil ends."""
    if top == b.GRASS or top == b.PODZOL or top == b.DIRT:
        return b.DIRT if depth <= 3 else b.STONE
    if top == b.SAND:
        if depth <= 3:
            return b.SAND
        return b.SANDSTONE if depth <= 6 else b.STONE
    if top == b.STONE:
        return b.STONE
    return top if depth <= 2 else b.STONE


@inner
def fill_column(cells, word, top, height):
    """Writes the layers of one column: bedrock, stone, soil, water, air."""
    for y in range(height - 7):
        cells[y] = b.STONE
    for y in range(height + 1, HEIGHT):
        cells[y] = b.AIR
    thin = (word >> 40) & 1
    for depth in range(1, 8):
        cells[height - depth] = under_block(top, depth + thin)
    cells[height] = top
    for y in range(height + 1, SEA + 1):
        cells[y] = b.WATER
    cells[0] = b.BEDROCK
    for y in range(1, 5):  # the chance falls from 4/5 to 1/5
        if (word & 0xFF) * 5 < (5 - y) * 256:
            cells[y] = b.BEDROCK
        word >>= 8


@inner
def fill_ground(seed, cx, cz, columns, vox):
    """Writes the layers of a chunk, without caves, ores and plants."""
    for i in range(CHUNK):
        for j in range(CHUNK):
            p, q = i + MARGIN, j + MARGIN
            height = columns.height[p, q]
            top = top_block(columns.biome[p, q], height, columns.spot[p, q])
            word = hash2(seed, cx * CHUNK + i, cz * CHUNK + j)
            fill_column(vox[i, j], word, top, height)


@inner
def cave_tops(columns):
    """Highest y that a cave may open, int64 `[16, 16]`.

    Ground stays between caves and all water beside or above them, so none of it can
    ever run into one.
    """
    tops = np.empty((CHUNK, CHUNK), np.int64)
    for i in range(CHUNK):
        for j in range(CHUNK):
            p, q = i + MARGIN, j + MARGIN
            lowest = HEIGHT
            for r in range(p - 1, p + 2):
                for s in range(q - 1, q + 2):
                    lowest = min(lowest, columns.height[r, s])
            if lowest < SEA:
                tops[i, j] = lowest - ROOF - 2
            elif columns.mouth[p, q]:
                tops[i, j] = columns.height[p, q]
            else:
                tops[i, j] = columns.height[p, q] - ROOF
    return tops
