"""Climate: smooth fields over the plane, and the biome that they make.

The fields are computed every 4 blocks and interpolated in between (`terrain.py`).
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.land.noise import fade, noise2, salt
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT, SEA

BIOMES = ("ocean", "river", "beach", "plains", "forest", "birch_forest", "taiga",
          "jungle", "savanna", "desert", "snowy_plains", "swamp",
          "extreme_hills")  # fmt: skip
"""Names of the biomes; a biome is its index."""

(B_OCEAN, B_RIVER, B_BEACH, B_PLAINS, B_FOREST, B_BIRCH_FOREST, B_TAIGA, B_JUNGLE,
 B_SAVANNA, B_DESERT, B_SNOWY_PLAINS, B_SWAMP, B_EXTREME_HILLS) = range(13)  # fmt: skip

SPAWN_LANDS = 4
SPAWN_LAND = np.full(len(BIOMES), -1)
SPAWN_LAND[[B_PLAINS, B_FOREST, B_BIRCH_FOREST, B_TAIGA, B_JUNGLE]] = 0, 1, 1, 2, 3
"""Kind of land of each biome, of those where an episode may begin; else -1. Birch
forest is a kind of forest."""

LENGTHS = np.array(
    [15, 310, 430, 520, 420, 330, 34, 220, 18, 90, 140, 130, 110, 100, 42], np.float64
)
"""Blocks from feature to feature, of each noise that is drawn for a column."""

NOISES = len(LENGTHS)

# The first of them become the fields of a column. Those without a unit have mean 0 and
# a standard deviation of about 1/3.
LAND = 0  # height of the ground before rivers cut it, blocks
COURSE = 1  # rivers run where it is 0
COAST = 2  # below OCEAN_COAST is ocean
WARMTH, WET = 3, 4
PEAK = 5  # 0 to 1, how much of a mountain
MOUTH = 6  # caves may break the surface where it is high
WOOD = 7  # density of trees, and of grass
SPOT = 8  # patches of other ground, and ragged edges
FIELDS = 9

OCEAN_COAST = -0.25
COLD, MILD, HOT = -0.32, -0.13, 0.23  # bounds of WARMTH


@inner
def write_fields(seed, x, z, out, i, j):
    """Computes the fields of the column at `(x, z)`.

    Args:
        seed: of the world.
        x, z: int64, the column.
        out: float64 `[NOISES, n, n]`; `out[:FIELDS, i, j]` gets the fields, what
            follows them is only used on the way.
        i, j: where to write.
    """
    for k in range(NOISES):
        out[k, i, j] = noise2(salt(seed, k), x / LENGTHS[k], z / LENGTHS[k])
    n = out[:, i, j]
    n[COURSE] += 0.3 * n[9]
    n[COAST] = 0.8 * n[COAST] + 0.3 * n[10] + 0.16
    n[WARMTH] += 0.25 * n[11]
    n[WET] += 0.25 * n[12]
    relief = 0.75 * n[13] + 0.35 * n[14]
    swell = fade((n[PEAK] + 0.35) / 0.6)
    n[PEAK] = fade((n[PEAK] - 0.24) / 0.32) * fade((n[COAST] + 0.12) / 0.25)
    detail = 0.9 * n[LAND] * (1.0 + n[PEAK])
    n[LAND] = detail + _land(n[COAST], swell, n[PEAK], relief, _bog(n))


@inner
def _land(coast, swell, peak, relief, bog):
    """Height of the ground: shelf by the coast, swell by roughness, then mountains."""
    inland = coast - OCEAN_COAST
    height = 60.0 + 5.5 * fade(inland / 0.14) + 3.0 * fade((inland - 0.15) / 0.6)
    height += max(-20.0, min(0.0, 90.0 * inland))
    near = 0.35 + 0.65 * fade(inland / 0.2)
    height += (1.2 + 6.5 * swell) * near * relief + peak * (17.0 + 26.0 * relief)
    return height + bog * (SEA + 0.4 + 1.6 * relief - height)


@inner
def _bog(field):
    """How far a column is in a swamp, 0 to 1."""
    mild = min(field[WARMTH] - MILD, HOT - field[WARMTH])
    inside = min(min(mild, field[WET] - 0.28), field[COAST] + 0.1)
    return fade(inside / 0.05) * (1.0 - field[PEAK])


@inner
def ground(field):
    """Height of the topmost block of a column, after rivers cut it.

    In mountains it is dry valleys that are cut.
    """
    land, peak = field[LAND], field[PEAK]
    bed = 57.5 + 24.0 * fade(peak * 2.0)
    if land > bed:
        bank = (abs(field[COURSE]) - 0.018) / (0.09 + 0.15 * peak)
        land = bed + (land - bed) * fade(bank)
    return min(HEIGHT - 12, np.int64(math.floor(land)))


@inner
def warmth(field):
    """Warmth of a column; the patches make the edges of biomes ragged."""
    return field[WARMTH] + 0.035 * field[SPOT]


@inner
def pick_biome(field, height):
    """Biome of a column from its fields and its height."""
    inland = field[COAST] - OCEAN_COAST
    if inland < 0.1 and height < SEA + 3:
        return B_OCEAN if inland < 0.0 and height < SEA else B_BEACH
    if _bog(field) > 0.5:
        return B_SWAMP
    if height < SEA:
        return B_RIVER
    if field[PEAK] > 0.35:
        return B_EXTREME_HILLS
    return _pick_by_climate(warmth(field), field[WET] + 0.03 * field[SPOT])


@inner
def _pick_by_climate(warm, wet):
    if warm < COLD:
        return B_SNOWY_PLAINS if wet < 0.2 else B_TAIGA
    if warm < MILD:
        return B_TAIGA if wet > -0.16 else B_PLAINS
    if warm > HOT and wet < 0.12:
        return B_DESERT if wet < -0.16 else B_SAVANNA
    if warm > HOT:
        return B_JUNGLE
    if wet < -0.1:
        return B_PLAINS
    return B_BIRCH_FOREST if wet > 0.12 else B_FOREST
