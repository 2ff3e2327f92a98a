"""Climate: smooth fields over the plane, and the biome that they make.

The fields are computed every 4 blocks and interpolated in between (`terrain.py`).
"""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import fade, noise2, salt
from dreamerv3_tf.envs.minecraft.voxel.state import SEA

BIOMES = ("ocean", "river", "beach", "plains", "forest", "birch_forest", "taiga",
          "jungle", "savanna", "desert", "snowy_plains", "swamp",
          "extreme_hills")  # fmt: skip
"""Names of the biomes; a biome is its index."""

(B_OCEAN, B_RIVER, B_BEACH, B_PLAINS, B_FOREST, B_BIRCH_FOREST, B_TAIGA, B_JUNGLE,
 B_SAVANNA, B_DESERT, B_SNOWY_PLAINS, B_SWAMP, B_EXTREME_HILLS) = range(13)  # fmt: skip

SPAWN_BIOMES = (B_PLAINS, B_FOREST, B_BIRCH_FOREST, B_TAIGA, B_JUNGLE)
"""Where an episode may begin."""

# Fields of a column. Those without a unit are noises: mean 0, deviation about 1/3.
LAND = 0  # height of the ground before rivers cut it, blocks
COURSE = 1  # rivers run where it is 0
COAST = 2  # below -0.25 is ocean
WARMTH, WET = 3, 4
PEAK = 5  # 0 to 1, how much of a mountain
MOUTH = 6  # caves may break the surface where it is high
WOOD = 7  # density of trees, and of grass
SPOT = 8  # patches of other ground
FIELDS = 9

OCEAN_COAST = -0.25
COLD, MILD, HOT = -0.3, -0.1, 0.2  # bounds of WARMTH


@inner
def write_fields(seed, x, z, out, i, j):
    """Computes all fields of the column at `(x, z)` into `out[:, i, j]`."""
    coast = 0.8 * noise2(salt(seed, 1), x, z, 430.0)
    coast += 0.3 * noise2(salt(seed, 2), x, z, 140.0) + 0.16
    warmth = noise2(salt(seed, 3), x, z, 520.0)
    warmth += 0.25 * noise2(salt(seed, 4), x, z, 130.0)
    wet = noise2(salt(seed, 5), x, z, 420.0)
    wet += 0.25 * noise2(salt(seed, 6), x, z, 110.0)
    rough = noise2(salt(seed, 7), x, z, 330.0)
    peak = fade((rough - 0.16) / 0.35) * fade((coast + 0.12) / 0.25)
    relief = 0.75 * noise2(salt(seed, 8), x, z, 100.0)
    relief += 0.35 * noise2(salt(seed, 9), x, z, 42.0)
    out[LAND, i, j] = _land(coast, warmth, wet, rough, peak, relief)
    out[LAND, i, j] += 0.9 * noise2(salt(seed, 10), x, z, 15.0) * (1.0 + peak)
    course = noise2(salt(seed, 11), x, z, 310.0)
    out[COURSE, i, j] = course + 0.3 * noise2(salt(seed, 12), x, z, 90.0)
    out[COAST, i, j], out[WARMTH, i, j], out[WET, i, j] = coast, warmth, wet
    out[PEAK, i, j] = peak
    out[MOUTH, i, j] = noise2(salt(seed, 13), x, z, 34.0)
    out[WOOD, i, j] = noise2(salt(seed, 14), x, z, 30.0)
    out[SPOT, i, j] = noise2(salt(seed, 15), x, z, 18.0)


@inner
def _land(coast, warmth, wet, rough, peak, relief):
    """Height of the ground: shelf by the coast, swell by roughness, then mountains."""
    if coast < OCEAN_COAST:
        base = max(40.0, 60.0 + (coast - OCEAN_COAST) * 90.0)
    else:
        base = 60.0 + 5.5 * fade((coast - OCEAN_COAST) / 0.14)
        base += 3.0 * fade((coast + 0.1) / 0.6)
    swell = 1.2 + 6.5 * fade((rough + 0.35) / 0.6)
    swell *= 0.35 + 0.65 * fade((coast + 0.25) / 0.2)
    height = base + swell * relief + peak * (17.0 + 26.0 * relief)
    bog = swampiness(warmth, wet) * fade((coast + 0.2) / 0.15) * (1.0 - peak)
    return height + bog * (SEA + 0.2 + 1.6 * relief - height)


@inner
def swampiness(warmth, wet):
    """How far a climate is a swamp's, 0 to 1."""
    inside = min(min(warmth - MILD, HOT - warmth), wet - 0.28)
    return fade(inside / 0.05)


@inner
def pick_biome(height, course, coast, warmth, wet, peak):
    """Biome of a column from its height and its fields."""
    if coast < OCEAN_COAST and height < SEA:
        return B_OCEAN
    if height < SEA and abs(course) < 0.09 and swampiness(warmth, wet) < 0.5:
        return B_RIVER
    if coast < OCEAN_COAST + 0.1 and height < SEA + 3:
        return B_BEACH
    if peak > 0.35:
        return B_EXTREME_HILLS
    return _biome_of_climate(coast, warmth, wet)


@inner
def _biome_of_climate(coast, warmth, wet):
    if warmth < COLD:
        return B_SNOWY_PLAINS if wet < 0.2 else B_TAIGA
    if warmth < MILD:
        return B_TAIGA if wet > -0.18 else B_PLAINS
    if warmth > HOT:
        return _biome_of_heat(wet)
    if wet < -0.12:
        return B_PLAINS
    if swampiness(warmth, wet) > 0.5:
        return B_SWAMP
    return B_BIRCH_FOREST if wet > 0.1 else B_FOREST


@inner
def _biome_of_heat(wet):
    if wet < -0.16:
        return B_DESERT
    return B_SAVANNA if wet < 0.12 else B_JUNGLE
