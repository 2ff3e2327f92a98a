"""Ores, and pockets of dirt, gravel and other rock.

Each is a small ellipsoid that lies at a slant, clipped at the borders of the chunk.
The radii are chosen so that the average count in a chunk is Minecraft's.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land.caves import is_rock
from dreamerv3_tf.envs.minecraft.voxel.land.climate import B_EXTREME_HILLS
from dreamerv3_tf.envs.minecraft.voxel.land.noise import draw, hash2, mix, salt, unit
from dreamerv3_tf.envs.minecraft.voxel.land.terrain import BIOME, PADDED
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK

VEINS = np.array(
    [
        # block, veins, lowest y, highest y + 1, length and radius in 1/100 blocks
        (b.DIRT, 10, 0, 128, 330, 190),
        (b.GRAVEL, 8, 0, 128, 330, 190),
        (b.GRANITE, 10, 0, 80, 330, 200),
        (b.DIORITE, 10, 0, 80, 330, 200),
        (b.ANDESITE, 10, 0, 80, 330, 200),
        (b.COAL_ORE, 20, 0, 128, 250, 130),
        (b.IRON_ORE, 20, 0, 64, 140, 92),
        (b.GOLD_ORE, 2, 0, 32, 140, 94),
        (b.REDSTONE_ORE, 8, 0, 16, 130, 92),
        (b.DIAMOND_ORE, 1, 0, 16, 130, 92),
        (b.LAPIS_ORE, 1, 0, 32, 130, 87),
    ],
    np.int64,
)
EMERALD_LOW, EMERALD_TOP = 4, 32
MIDDLE = PADDED // 2


@kernel()
def place_ores(seed, cx, cz, facts, vox):
    """Writes all pockets and veins of a chunk into its rock.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        facts: of its columns, see `terrain.py`.
        vox: uint8 `[16, 16, 128]`, the chunk.
    """
    word = hash2(salt(seed, 51), cx, cz)
    for kind in range(len(VEINS)):
        for _ in range(VEINS[kind, 1]):
            word = mix(word + kind)
            _place_vein(word, VEINS[kind], vox)
    if facts[BIOME, MIDDLE, MIDDLE] == B_EXTREME_HILLS:
        for _ in range(draw(mix(word + 77), 3, 9)):
            word = mix(word + 7)
            x, z = draw(word, 0, CHUNK), draw(mix(word + 1), 0, CHUNK)
            y = draw(mix(word + 2), EMERALD_LOW, EMERALD_TOP)
            if is_rock(vox[x, z, y]):
                vox[x, z, y] = b.EMERALD_ORE


@inner
def _place_vein(word, vein, vox):
    low, top = vein[2], vein[3]
    second = mix(word + 1)
    third = mix(word + 2)
    x, z = unit(word) * CHUNK, unit(second) * CHUNK
    y = low + unit(third) * (top - low)
    if vein[0] == b.LAPIS_ORE:  # most at the middle of its range
        y = low + 0.5 * (unit(third) + unit(mix(word + 3))) * (top - low)
    turn = np.float64((word >> 24) & 0xFFFF) * (math.pi / 65536.0)
    size = 0.8 + 0.4 * np.float64((second >> 24) & 0xFFFF) / 65536.0
    slant = np.float64((third >> 24) & 0xFFFF) / 65536.0 - 0.5
    length, radius = vein[4] * 0.01 * size, vein[5] * 0.01 * size
    _fill_ellipsoid(
        vein[0], low, top, (x, y, z), (math.cos(turn), math.sin(turn), slant),
        (length, radius), vox
    )  # fmt: skip


@inner
def _fill_ellipsoid(block, low, top, middle, course, sizes, vox):
    """Turns rock into `block` within an ellipsoid, between two heights."""
    x, y, z = middle
    cos, sin, slant = course
    length, radius = sizes
    reach_x = math.sqrt((length * cos) ** 2 + (radius * sin) ** 2)
    reach_z = math.sqrt((length * sin) ** 2 + (radius * cos) ** 2)
    first_x = max(0, np.int64(math.ceil(x - reach_x - 0.5)))
    first_z = max(0, np.int64(math.ceil(z - reach_z - 0.5)))
    last_x = min(CHUNK - 1, np.int64(math.floor(x + reach_x - 0.5)))
    last_z = min(CHUNK - 1, np.int64(math.floor(z + reach_z - 0.5)))
    for i in range(first_x, last_x + 1):
        for j in range(first_z, last_z + 1):
            dx, dz = i + 0.5 - x, j + 0.5 - z
            along, across = dx * cos + dz * sin, dz * cos - dx * sin
            rest = 1.0 - (along / length) ** 2 - (across / radius) ** 2
            if rest > 0.0:
                half = radius * math.sqrt(rest)
                centre = y + slant * along - 0.5
                bottom = max(low, np.int64(math.ceil(centre - half)))
                upper = min(top - 1, np.int64(math.floor(centre + half)))
                for k in range(bottom, upper + 1):
                    if is_rock(vox[i, j, k]):
                        vox[i, j, k] = block
