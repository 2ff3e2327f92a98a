"""Caves: winding tunnels, large caverns, ravines, and the springs in their walls.

Tunnels follow the lines where two noises are both near 0. The noises are computed on
a lattice of 4x4x4 blocks and interpolated in between.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land.noise import (
    draw,
    fade,
    hash2,
    mix,
    noise3,
    salt,
    unit,
)
from dreamerv3_tf.envs.minecraft.voxel.land.terrain import (
    CAVE_Y,
    MARGIN,
    MOUTH,
    PADDED,
    TOP_Y,
)
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK

FLOOR = 5  # lowest y of a cave: bedrock ends below
LAVA_TOP = 10  # caves are filled with lava up to here
LAYERS = 32  # of the lattice
WIDE, NARROW = 0.0105, 0.0065  # bounds of a² + b² deep down and near the surface
WIDEST = 0.1025  # square root of WIDE, rounded up
HALL = 0.62  # caverns are where the third noise is above
HALL_TOP = 40
LENGTHS = np.array([(46.0, 30.0), (46.0, 30.0), (62.0, 26.0)])
"""Features of the three noises, along x and z and along y, in blocks."""

REGION = 128  # blocks; each region holds at most one ravine
REACH = 56  # blocks from its middle to an end of a ravine, at most
RAVINES = 4  # that may reach one chunk
WATER_SPRINGS, LAVA_SPRINGS = 40, 16  # places tried in each chunk


@kernel()
def carve_caves(seed, cx, cz, noise, facts, vox):
    """Opens the tunnels and caverns of a chunk.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        noise: float64 `[3, 5, 5, LAYERS]`, room to work in.
        facts: int64 `[FACTS, 24, 24]`, see `terrain.py`.
        vox: uint8 `[16, 16, 128]`, the chunk.
    """
    highest = 0
    for i in range(CHUNK):
        for j in range(CHUNK):
            highest = max(highest, facts[CAVE_Y, i + MARGIN, j + MARGIN])
    for k in range(1, (highest >> 2) + 2):
        _write_layer(seed, cx, cz, k, noise)
    for k in range(1, (highest >> 2) + 1):
        for i in range(4):
            for j in range(4):
                tunnel = _crosses(noise[0], i, j, k, -WIDEST, WIDEST)
                tunnel = tunnel and _crosses(noise[1], i, j, k, -WIDEST, WIDEST)
                if tunnel or _crosses(noise[2], i, j, k, HALL, 9.0):
                    _carve_cell(noise, i, j, k, facts, vox)


@inner
def _write_layer(seed, cx, cz, k, noise):
    y = 4.0 * k
    for kind in range(3 if y < HALL_TOP + 8 else 2):
        wide, high = LENGTHS[kind]
        for i in range(5):
            for j in range(5):
                x, z = (cx * CHUNK + 4 * i) / wide, (cz * CHUNK + 4 * j) / wide
                noise[kind, i, j, k] = noise3(salt(seed, 30 + kind), x, y / high, z)
    fall = 0.4 * fade((y - HALL_TOP + 16.0) / 20.0)  # caverns end towards their top
    for i in range(5):
        for j in range(5):
            noise[2, i, j, k] = noise[2, i, j, k] - fall if y < HALL_TOP + 8 else -1.0


@inner
def _crosses(noise, i, j, k, low, high):
    """Whether a noise may be between two bounds somewhere in a cell of the lattice."""
    least, most = noise[i, j, k], noise[i, j, k]
    for corner in range(1, 8):
        value = noise[i + (corner & 1), j + ((corner >> 1) & 1), k + (corner >> 2)]
        least, most = min(least, value), max(most, value)
    return least < high and most > low


@inner
def _at(noise, i, j, k, u, v):
    low = noise[i, j, k] + u * (noise[i + 1, j, k] - noise[i, j, k])
    high = noise[i, j + 1, k] + u * (noise[i + 1, j + 1, k] - noise[i, j + 1, k])
    return low + v * (high - low)


@inner
def _carve_cell(noise, i, j, k, facts, vox):
    for column in range(16):
        p, q = column >> 2, column & 3
        x, z = 4 * i + p, 4 * j + q
        top = facts[CAVE_Y, x + MARGIN, z + MARGIN]
        for y in range(4 * k, min(4 * k + 4, top + 1)):
            share = (y & 3) * 0.25
            square, hall = 0.0, 0.0
            for kind in range(3):
                low = _at(noise[kind], i, j, k, p * 0.25, q * 0.25)
                high = _at(noise[kind], i, j, k + 1, p * 0.25, q * 0.25)
                hall = low + share * (high - low)
                square += hall * hall if kind < 2 else 0.0
            if hall > HALL or square < (NARROW if y > top - 12 else WIDE):
                _carve(vox, x, y, z)


@inner
def _carve(vox, x, y, z):
    if y >= FLOOR:
        vox[x, z, y] = b.LAVA if y <= LAVA_TOP else b.AIR


@kernel()
def find_ravines(seed, cx, cz, out, facts):
    """Number of ravines that may reach a chunk or its margin.

    Where one comes near the surface, it may break it along its whole length.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        out: float64 `[RAVINES, 8]`, gets one row for each: x and z of its middle, its
            course in radians, half length, half width, y of its middle, half height.
        facts: int64 `[FACTS, 24, 24]`; `MOUTH` is set where one breaks the surface.
    """
    count = 0
    for k in range(9):
        i, j = (cx >> 3) + k // 3 - 1, (cz >> 3) + k % 3 - 1
        word = hash2(salt(seed, 41), i, j)
        row = out[min(count, RAVINES - 1)]
        for column in range(8):
            word = mix(word + 1)
            row[column] = unit(word)
        row[0], row[1] = (i + row[0]) * REGION, (j + row[1]) * REGION
        row[2] *= math.pi
        row[3] = REACH * (0.5 + 0.5 * row[3])
        row[4] = 1.8 + 2.2 * row[4]
        row[5] = 24.0 + 34.0 * row[5]
        row[6] = 12.0 + 9.0 * row[6]
        away = max(abs(row[0] - cx * CHUNK - 8.0), abs(row[1] - cz * CHUNK - 8.0))
        if away < REACH + 24.0 and row[7] < 0.8 and count < RAVINES:
            _mark_ravine(cx, cz, row, facts)
            count += 1
    return count


@inner
def _gap(ravine, x, z):
    """Half width of a ravine at a column, less the distance to its line, in blocks."""
    dx, dz = x + 0.5 - ravine[0], z + 0.5 - ravine[1]
    cos, sin = math.cos(ravine[2]), math.sin(ravine[2])
    along = (dx * cos + dz * sin) / ravine[3]
    if abs(along) >= 1.0:
        return -9.0
    bend = 5.0 * math.sin(4.0 * along + ravine[0]) + 1.5 * math.sin(11.0 * along)
    across = dz * cos - dx * sin - bend
    return ravine[4] * math.sqrt(1.0 - along * along) - abs(across)


@inner
def _mark_ravine(cx, cz, ravine, facts):
    for i in range(PADDED):
        for j in range(PADDED):
            x, z = cx * CHUNK - MARGIN + i, cz * CHUNK - MARGIN + j
            near = ravine[5] + ravine[6] > facts[TOP_Y, i, j] - 3
            if near and _gap(ravine, x, z) > -1.0:
                facts[MOUTH, i, j] = 1


@kernel()
def carve_ravines(cx, cz, ravines, count, facts, vox):
    """Opens the ravines of a chunk, which narrow upwards and downwards."""
    for k in range(count):
        for i in range(CHUNK):
            for j in range(CHUNK):
                space = _gap(ravines[k], cx * CHUNK + i, cz * CHUNK + j)
                if space > 0.0:
                    rise = ravines[k, 6] * math.sqrt(min(1.0, space / 1.2))
                    low = np.int64(math.floor(ravines[k, 5] - rise))
                    high = np.int64(math.floor(ravines[k, 5] + rise))
                    high = min(high, facts[CAVE_Y, i + MARGIN, j + MARGIN])
                    for y in range(max(low, FLOOR), high + 1):
                        _carve(vox, i, y, j)


@kernel()
def place_springs(seed, cx, cz, vox):
    """Sets single sources of water and lava into walls of caves."""
    word = hash2(salt(seed, 42), cx, cz)
    for k in range(WATER_SPRINGS + LAVA_SPRINGS):
        word = mix(word + k)
        x, z = draw(word, 1, 15), draw(mix(word + 1), 1, 15)
        y = draw(mix(word + 2), LAVA_TOP + 1, 60 if k < WATER_SPRINGS else 40)
        if _is_spring_place(vox, x, y, z):
            vox[x, z, y] = b.WATER if k < WATER_SPRINGS else b.LAVA


@inner
def _is_spring_place(vox, x, y, z):
    """Whether a cell is rock with rock above and below and one side open."""
    if not is_rock(vox[x, z, y - 1]) or not is_rock(vox[x, z, y + 1]):
        return False
    rocks, gaps = 0, 0
    for k in range(5):  # the cell itself, then its sides
        block = vox[x + (k == 1) - (k == 2), z + (k == 3) - (k == 4), y]
        rocks += is_rock(block)
        gaps += block == b.AIR
    return rocks == 4 and gaps == 1 and is_rock(vox[x, z, y])


@inner
def is_rock(block):
    """Whether a block is stone or one of its kinds."""
    return b.STONE <= block <= b.ANDESITE
