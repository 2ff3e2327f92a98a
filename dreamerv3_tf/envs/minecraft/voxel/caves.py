"""Caves: winding tunnels, large caverns, ravines, and the springs in their walls.

Tunnels follow the lines where two noises are both near 0. The noises are computed on
a lattice of 4x4x4 blocks and interpolated in between.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import (
    draw,
    fade,
    hash2,
    mix,
    noise3,
    salt,
    unit,
)
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK
from dreamerv3_tf.envs.minecraft.voxel.terrain import MARGIN, PADDED

FLOOR = 5  # lowest y of a cave: bedrock ends below
LAVA_TOP = 10  # caves are filled with lava up to here
LAYERS = 32  # of the lattice, at most
WIDE, NARROW = 0.0105, 0.0065  # bounds of a² + b² deep down and near the surface
HALL = 0.62  # caverns are where the third noise is above
HALL_TOP = 40

REGION = 128  # blocks; each region holds at most one ravine
REACH = 56  # blocks from its middle to an end of a ravine, at most
WATER_SPRINGS, LAVA_SPRINGS = 40, 16  # places tried in each chunk


@inner
def carve_caves(seed, cx, cz, tops, vox):
    """Opens the tunnels and caverns of a chunk, up to `tops` of each column."""
    layers = min(LAYERS, (tops.max() >> 2) + 2)
    noise = np.empty((3, 5, 5, LAYERS))
    _write_lattice(seed, cx, cz, layers, noise)
    for i in range(4):
        for j in range(4):
            for k in range(1, layers - 1):
                tunnel = _may_be_zero(noise[0], i, j, k) and _may_be_zero(
                    noise[1], i, j, k
                )
                if tunnel or (k <= HALL_TOP >> 2 and _may_be_hall(noise[2], i, j, k)):
                    _carve_cell(noise, i, j, k, tops, vox)


@inner
def _write_lattice(seed, cx, cz, layers, noise):
    first, second, third = salt(seed, 31), salt(seed, 32), salt(seed, 33)
    for i in range(5):
        for j in range(5):
            x, z = np.float64(cx * CHUNK + 4 * i), np.float64(cz * CHUNK + 4 * j)
            for k in range(1, layers):
                y = 4.0 * k
                noise[0, i, j, k] = noise3(first, x / 46.0, y / 30.0, z / 46.0)
                noise[1, i, j, k] = noise3(second, x / 46.0, y / 30.0, z / 46.0)
                noise[2, i, j, k] = -1.0
                if 4 < y <= HALL_TOP + 4:  # fades out towards the top
                    hall = noise3(third, x / 62.0, y / 26.0, z / 62.0)
                    noise[2, i, j, k] = hall - 0.4 * fade((y - 24.0) / 20.0)


@inner
def _range(noise, i, j, k):
    low, high = 9.0, -9.0
    for p in range(i, i + 2):
        for q in range(j, j + 2):
            for r in range(k, k + 2):
                low, high = min(low, noise[p, q, r]), max(high, noise[p, q, r])
    return low, high


@inner
def _may_be_zero(noise, i, j, k):
    low, high = _range(noise, i, j, k)
    return low < 0.103 and high > -0.103  # sqrt(WIDE), rounded up


@inner
def _may_be_hall(noise, i, j, k):
    return _range(noise, i, j, k)[1] > HALL


@inner
def _at(noise, i, j, k, u, v):
    """Noise on the edge of a cell that runs up from layer k, at both of its ends."""
    low = noise[i, j, k] + u * (noise[i + 1, j, k] - noise[i, j, k])
    low += v * (
        noise[i, j + 1, k] + u * (noise[i + 1, j + 1, k] - noise[i, j + 1, k]) - low
    )
    return low


@inner
def _carve_cell(noise, i, j, k, tops, vox):
    for p in range(4):
        for q in range(4):
            x, z, u, v = 4 * i + p, 4 * j + q, p * 0.25, q * 0.25
            top = tops[x, z]
            first, second = _at(noise[0], i, j, k, u, v), _at(noise[1], i, j, k, u, v)
            third = _at(noise[2], i, j, k, u, v)
            rise1 = 0.25 * (_at(noise[0], i, j, k + 1, u, v) - first)
            rise2 = 0.25 * (_at(noise[1], i, j, k + 1, u, v) - second)
            rise3 = 0.25 * (_at(noise[2], i, j, k + 1, u, v) - third)
            for y in range(4 * k, min(4 * k + 4, top + 1)):
                bound = NARROW if y > top - 12 else WIDE
                if first * first + second * second < bound or third > HALL:
                    carve(vox, x, y, z)
                first, second, third = first + rise1, second + rise2, third + rise3


@inner
def carve(vox, x, y, z):
    """Opens one cell of a chunk: air, or lava deep down."""
    if y >= FLOOR:
        vox[x, z, y] = b.LAVA if y <= LAVA_TOP else b.AIR


@inner
def find_ravines(seed, cx, cz, out):
    """Ravines that may reach a chunk or its margin.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        out: float64 `[4, 8]`, gets one row for each: x and z of its middle, cosine
            and sine of its course, half length, half width, y of its middle, half
            height.

    Returns:
        How many rows are filled.
    """
    count = 0
    x, z = cx * CHUNK + 8.0, cz * CHUNK + 8.0
    seed = salt(seed, 41)
    for i in range((cx >> 3) - 1, (cx >> 3) + 2):
        for j in range((cz >> 3) - 1, (cz >> 3) + 2):
            word = hash2(seed, i, j)
            middle_x = i * REGION + unit(mix(word + 1)) * REGION
            middle_z = j * REGION + unit(mix(word + 2)) * REGION
            far = max(abs(middle_x - x), abs(middle_z - z)) > REACH + 20.0
            if far or count == 4 or unit(word) > 0.8:
                continue
            angle = unit(mix(word + 3)) * math.pi
            row = out[count]
            row[0], row[1] = middle_x, middle_z
            row[2], row[3] = math.cos(angle), math.sin(angle)
            row[4] = 28.0 + unit(mix(word + 4)) * (REACH - 28.0)
            row[5] = 1.8 + unit(mix(word + 5)) * 2.2
            row[6] = 24.0 + unit(mix(word + 6)) * 34.0
            row[7] = 12.0 + unit(mix(word + 7)) * 9.0
            count += 1
    return count


@inner
def gap(ravine, x, z):
    """Half width of a ravine at a column, less the distance to its line, in blocks."""
    dx, dz = x + 0.5 - ravine[0], z + 0.5 - ravine[1]
    along = (dx * ravine[2] + dz * ravine[3]) / ravine[4]
    if abs(along) >= 1.0:
        return -1.0
    bend = 5.0 * math.sin(4.0 * along + ravine[0]) + 1.5 * math.sin(11.0 * along)
    across = dz * ravine[2] - dx * ravine[3] - bend
    return ravine[5] * math.sqrt(1.0 - along * along) - abs(across)


@inner
def mark_ravines(cx, cz, ravines, count, columns):
    """Lets a ravine that comes near the surface break it along its whole length."""
    for k in range(count):
        ravine = ravines[k]
        for i in range(PADDED):
            for j in range(PADDED):
                x, z = cx * CHUNK - MARGIN + i, cz * CHUNK - MARGIN + j
                near = ravine[6] + ravine[7] > columns.height[i, j] - 3
                if near and gap(ravine, x, z) > -1.0:
                    columns.mouth[i, j] = 1


@inner
def carve_ravines(cx, cz, ravines, count, tops, vox):
    """Opens the ravines of a chunk: as wide as their gap, narrower at both ends."""
    for k in range(count):
        ravine = ravines[k]
        for i in range(CHUNK):
            for j in range(CHUNK):
                space = gap(ravine, cx * CHUNK + i, cz * CHUNK + j)
                if space <= 0.0:
                    continue
                rise = ravine[7] * math.sqrt(min(1.0, space / 1.2))
                low = max(FLOOR, np.int64(math.floor(ravine[6] - rise)))
                high = min(tops[i, j], np.int64(math.floor(ravine[6] + rise)))
                for y in range(low, high + 1):
                    carve(vox, i, y, j)


@inner
def place_springs(seed, cx, cz, vox):
    """Sets single sources of water and lava into walls of caves."""
    word = hash2(salt(seed, 42), cx, cz)
    for k in range(WATER_SPRINGS + LAVA_SPRINGS):
        word = mix(word + k)
        x, z = draw(word, 1, 15), draw(mix(word + 1), 1, 15)
        y = draw(mix(word + 2), LAVA_TOP + 1, 60 if k < WATER_SPRINGS else 40)
        if is_spring_place(vox, x, y, z):
            vox[x, z, y] = b.WATER if k < WATER_SPRINGS else b.LAVA


@inner
def is_spring_place(vox, x, y, z):
    """Whether a cell is rock with rock above and below and one side open."""
    rock = (
        is_rock(vox[x, z, y]) and is_rock(vox[x, z, y + 1]) and is_rock(vox[x, z, y - 1])
    )
    if not rock:
        return False
    open_sides = (vox[x - 1, z, y] == b.AIR) + (vox[x + 1, z, y] == b.AIR)
    open_sides += (vox[x, z - 1, y] == b.AIR) + (vox[x, z + 1, y] == b.AIR)
    rocks = is_rock(vox[x - 1, z, y]) + is_rock(vox[x + 1, z, y])
    rocks += is_rock(vox[x, z - 1, y]) + is_rock(vox[x, z + 1, y])
    return open_sides == 1 and rocks == 3


@inner
def is_rock(block):
    """Whether a block is stone or one of its kinds."""
    return b.STONE <= block <= b.ANDESITE
