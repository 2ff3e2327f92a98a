"""Ground of a chunk: heights, biomes and layers of its columns.

Columns are computed for a margin of 4 around the chunk too, since trees rooted there
reach into it. Index `[i, j]` of a padded array is the column `(x, z)` with
`x = 16 cx - 4 + i` and `z = 16 cz - 4 + j`.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land.noise import hash2
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, SEA

MARGIN = 4
PADDED = CHUNK + 2 * MARGIN
POINTS = PADDED // 4 + 1  # of the lattice
SNOW_LINE = 93  # above it snow lies in every climate
ROOF = 5  # blocks of ground that caves keep above them


# Rows of `facts`, int64 `[FACTS, 24, 24]`: what is known of each column.
TOP_Y = 0  # height of the topmost block of ground; water fills up to SEA
BIOME = 1
COLD = 2  # 1 where snow lies and water freezes
MOUTH = 3  # 1 where caves may break the surface, and nothing is planted
SOIL = 4  # the topmost block
CAVE_Y = 5  # highest cell that a cave may open; not in the margin
FACTS = 6

# What lies below a topmost block: a block, down to which depth, then another. Rock
# follows.
LAYERS = np.zeros((256, 4), np.int64)
LAYERS[:] = (b.STONE, 0, b.STONE, 0)
LAYERS[[b.GRASS, b.PODZOL, b.DIRT]] = (b.DIRT, 3, b.DIRT, 3)
LAYERS[b.SAND] = (b.SAND, 3, b.SANDSTONE, 6)
LAYERS[b.GRAVEL] = (b.GRAVEL, 2, b.GRAVEL, 2)
LAYERS[b.CLAY] = (b.CLAY, 1, b.DIRT, 3)


@kernel()
def write_columns(seed, cx, cz, lattice, field, facts):
    """Computes the columns of a chunk and its margin.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        lattice: float64 `[NOISES, 7, 7]`, room to work in.
        field: float64 `[FIELDS, 24, 24]`, gets the fields of `climate.py`.
        facts: int64 `[FACTS, 24, 24]`, gets all rows but `CAVE_Y`.
    """
    x0, z0 = cx * CHUNK - MARGIN, cz * CHUNK - MARGIN
    for i in range(POINTS):
        for j in range(POINTS):
            cl.write_fields(seed, x0 + 4 * i, z0 + 4 * j, lattice, i, j)
    for k in range(cl.FIELDS):
        _interpolate(lattice[k], field[k])
    for i in range(PADDED):
        for j in range(PADDED):
            _write_facts(field[:, i, j], facts[:, i, j])


@inner
def _interpolate(points, out):
    for i in range(PADDED):
        for j in range(PADDED):
            u, w, p, q = (i & 3) * 0.25, (j & 3) * 0.25, i >> 2, j >> 2
            low = points[p, q] + u * (points[p + 1, q] - points[p, q])
            high = points[p, q + 1] + u * (points[p + 1, q + 1] - points[p, q + 1])
            out[i, j] = low + w * (high - low)


@inner
def _write_facts(field, facts):
    spot = field[cl.SPOT]
    height = cl.ground(field)
    biome = cl.pick_biome(field, height)
    facts[TOP_Y], facts[BIOME] = height, biome
    facts[COLD] = height + 5.0 * spot > SNOW_LINE or cl.warmth(field) < cl.COLD
    facts[MOUTH] = field[cl.MOUTH] > 0.34
    facts[SOIL] = _soil(biome, height, spot) if height >= SEA else _bed(height, spot)


@inner
def _soil(biome, height, spot):
    if biome == cl.B_DESERT or biome == cl.B_BEACH:
        return b.SAND
    if biome == cl.B_EXTREME_HILLS and height > 84 + 12.0 * spot:
        return b.GRAVEL if spot > 0.45 else b.STONE
    return b.PODZOL if biome == cl.B_TAIGA and spot > 0.35 else b.GRASS


@inner
def _bed(height, spot):
    """Ground under water."""
    if spot > 0.42 and height > 50:
        return b.CLAY
    if height > 55:
        return b.SAND if spot > -0.25 else b.DIRT
    return b.GRAVEL if spot > -0.3 else b.SAND


@kernel()
def fill_ground(seed, cx, cz, facts, vox):
    """Writes the layers of a chunk, without caves, ores and plants."""
    _limit_caves(facts)
    for i in range(CHUNK):
        for j in range(CHUNK):
            word = hash2(seed, cx * CHUNK + i, cz * CHUNK + j)
            p, q = i + MARGIN, j + MARGIN
            _fill_column(vox[i, j], word, facts[SOIL, p, q], facts[TOP_Y, p, q])


@inner
def _fill_column(cells, word, top, height):
    """Writes the layers of one column: bedrock, stone, soil, water, air."""
    layers = LAYERS[top]
    cells[:height] = b.STONE
    cells[height] = top
    cells[height + 1 :] = b.AIR
    thin = (word >> 40) & 1
    for depth in range(1, 8 - thin):
        if depth + thin <= layers[3]:
            upper = depth + thin <= layers[1]
            cells[height - depth] = layers[0] if upper else layers[2]
    for y in range(height + 1, SEA + 1):
        cells[y] = b.WATER
    for y in range(5):  # a chance of 1 at the bottom, falling to 1/5
        if (word & 0xFF) * 5 < (5 - y) * 256:
            cells[y] = b.BEDROCK
        word >>= 8


@inner
def _limit_caves(facts):
    """Finds how high caves may reach.

    Ground stays between caves and all water beside or above them, so none of it can
    ever run into one.
    """
    for i in range(MARGIN, MARGIN + CHUNK):
        for j in range(MARGIN, MARGIN + CHUNK):
            height = lowest = facts[TOP_Y, i, j]
            for k in range(9):
                lowest = min(lowest, facts[TOP_Y, i + k // 3 - 1, j + k % 3 - 1])
            if lowest < SEA:
                facts[CAVE_Y, i, j] = lowest - ROOF - 2
            else:
                facts[CAVE_Y, i, j] = height - ROOF * (1 - facts[MOUTH, i, j])
