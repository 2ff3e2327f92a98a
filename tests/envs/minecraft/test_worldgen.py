"""The generator: pure chunks, ores, caves, water, trees, plants."""

from __future__ import annotations

import numpy as np
import pytest
from land import LOGS, chunk, count_trees, region

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land import worldgen
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT, SEA

SAMPLES = 1500
WOODS = (cl.B_FOREST, cl.B_BIRCH_FOREST, cl.B_TAIGA, cl.B_JUNGLE)
LEAVES = np.isin(range(256), b.LEAVES)
ROOTED = b.SOLID & ~LOGS & ~LEAVES  # ground, and what stands on it

# Average number in a chunk, and heights: Minecraft 1.11.2, default settings.
ORES = {
    b.COAL_ORE: (140, 0, 127),
    b.IRON_ORE: (77, 0, 63),
    b.GOLD_ORE: (8, 0, 31),
    b.REDSTONE_ORE: (25, 0, 15),
    b.LAPIS_ORE: (3.4, 0, 31),
    b.DIAMOND_ORE: (3.1, 0, 15),
}


def ground_height(vox):
    """Height of the topmost solid block of each column that is no tree."""
    return HEIGHT - 1 - ROOTED[vox][..., ::-1].argmax(axis=-1)


@pytest.fixture(scope="module")
def sample():
    """Chunks of many worlds, far apart: vox `[n, 16, 16, 128]`, biome `[n, 16, 16]`."""
    rng = np.random.default_rng(0)
    chunks = [
        chunk(int(rng.integers(2**62)), *map(int, rng.integers(-2000, 2000, 2)))
        for _ in range(SAMPLES)
    ]
    return np.stack([c[0] for c in chunks]), np.stack([c[1] for c in chunks])


@pytest.fixture(scope="module")
def regions():
    """Six windows of 6x6 chunks, around the spawns of six worlds."""
    found = []
    for seed in range(6):
        x, z = worldgen.find_spawn(seed)
        found.append(region(seed, (x >> 4) - 3, (z >> 4) - 3, 6))
    return found


def whole(sample, biome):
    """Chunks of the sample that lie in one biome altogether."""
    return sample[0][(sample[1] == biome).all(axis=(1, 2))]


@pytest.mark.parametrize("corner", [(-2, -3), (2**20, -(2**20))])
def test_chunks_are_the_same_in_whatever_order_they_load(corner):
    rng = np.random.default_rng(1)
    first = region(7, *corner, 4)
    second = region(7, *corner, 4, rng.permutation(16))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    alone = chunk(7, corner[0] + 2, corner[1] + 1)
    np.testing.assert_array_equal(alone[0], first[0][32:48, 16:32])


def test_another_seed_makes_another_world():
    assert (chunk(1, 0, 0)[0] != chunk(2, 0, 0)[0]).mean() > 0.02
    assert (chunk(1, 0, 0)[0] != chunk(1 + 2**40, 0, 0)[0]).mean() > 0.02


@pytest.mark.parametrize("ore", ORES, ids=b.NAMES.get)
def test_ores_are_as_frequent_as_in_minecraft_and_at_their_heights(sample, ore):
    mean, low, high = ORES[ore]
    count, height = (sample[0] == ore).sum() / SAMPLES, np.nonzero(sample[0] == ore)[3]
    assert count == pytest.approx(mean, rel=0.15)
    assert low <= height.min() and height.max() <= high


def test_emeralds_are_in_extreme_hills_only(sample):
    held = (sample[0] == b.EMERALD_ORE).any(axis=(1, 2, 3))
    hills = (sample[1] == cl.B_EXTREME_HILLS).any(axis=(1, 2))
    assert held[hills].mean() > 0.5
    assert not held[~hills].any()


def test_bedrock_is_closed_and_thin(sample):
    is_bedrock = sample[0] == b.BEDROCK
    assert is_bedrock[..., 0].all()
    assert not is_bedrock[..., 5:].any()
    # A chance of 4/5 at y = 1, then 3/5, 2/5, 1/5 at y = 4.
    share = is_bedrock[..., 1:5].mean(axis=(0, 1, 2))
    np.testing.assert_allclose(share, [0.8, 0.6, 0.4, 0.2], atol=0.02)


def test_the_land_has_plains_hills_and_oceans_and_seldom_passes_110(sample):
    height = ground_height(sample[0])
    assert (height > 110).mean() < 0.01
    assert (height > 85).mean() > 0.01
    assert (height < 50).mean() > 0.03
    spread = np.ptp(height[(sample[1] == cl.B_PLAINS).all(axis=(1, 2))], axis=(1, 2))
    assert np.median(spread) <= 6  # blocks from the lowest to the highest column


def test_all_biomes_exist_and_none_is_most_of_the_world(sample):
    share = np.bincount(sample[1].ravel(), minlength=len(worldgen.BIOMES)) / (
        SAMPLES * 256
    )
    assert len(share) == len(worldgen.BIOMES)
    assert share.min() > 0.01, dict(zip(worldgen.BIOMES, share, strict=True))
    assert share.max() < 0.25, dict(zip(worldgen.BIOMES, share, strict=True))


def test_one_can_walk_nearly_everywhere_outside_of_mountains(regions):
    for vox, biome in regions:
        height = ground_height(vox).astype(int)
        gentle = (biome[1:] != cl.B_EXTREME_HILLS) & (height[1:] >= SEA)
        step = np.abs(np.diff(height, axis=0))[gentle]
        assert (step <= 1).mean() > 0.9


def open_to_water(vox):
    """Cells of water, away from the edge, with air below or beside them."""
    water, air = vox == b.WATER, vox == b.AIR
    beside = air[:-2, 1:-1] | air[2:, 1:-1] | air[1:-1, :-2] | air[1:-1, 2:]
    beside[..., 1:] |= air[1:-1, 1:-1, :-1]
    return water[1:-1, 1:-1] & beside


def test_lakes_and_oceans_are_enclosed(regions):
    for vox, _ in regions:
        x, z, y = np.nonzero(open_to_water(vox))
        for i, j, k in zip(x + 1, z + 1, y, strict=True):  # each is a spring: alone
            around = vox[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]
            assert (around == b.WATER).sum() == 1
        assert (vox[..., SEA + 1 :] == b.WATER).sum() == 0


def test_springs_are_single_sources_in_walls_of_caves(sample):
    count = sum(open_to_water(vox).sum() for vox in sample[0][:300])
    assert 0.2 < count / 300 < 10


def test_caves_hold_lava_up_to_ten_and_air_above(sample):
    assert not np.isin(sample[0][..., :5], (b.AIR, b.LAVA)).any()
    assert not (sample[0][..., :11] == b.AIR).any()
    assert (sample[0][..., 5:11] == b.LAVA).mean() > 0.02
    # Above there are springs of lava only, at most a few in a chunk.
    assert (sample[0][..., 11:] == b.LAVA).sum() / SAMPLES < 5
    share = (sample[0][..., 11:45] == b.AIR).mean()
    assert 0.03 < share < 0.12


def test_caves_reach_the_surface_in_places(regions):
    below = 0
    for vox, _ in regions:
        air = ~b.SOLID[vox] & ~b.WATERY[vox] & ~b.FIERY[vox]
        seen = np.zeros_like(air)
        seen[..., -1] = True
        count = 0
        while seen.sum() != count:  # flood from the sky
            count = seen.sum()
            for axis in range(3):
                for at in (np.s_[1:], np.s_[:-1]):
                    to = np.moveaxis(seen, axis, 0)
                    other = np.s_[:-1] if at == np.s_[1:] else np.s_[1:]
                    grown = to[other] & np.moveaxis(air, axis, 0)[at]
                    to[at] |= grown
        below += seen[..., :50].sum() > 500
    assert below >= 3


@kernel()
def biome_at(seed, x, z, room):
    cl.write_fields(seed, x, z, room, 0, 0)
    return cl.pick_biome(room[:, 0, 0], cl.ground(room[:, 0, 0]))


@pytest.fixture(scope="module")
def woods():
    """Number of trees in chunks that lie in one kind of wood altogether, by biome."""
    rng, room = np.random.default_rng(2), np.empty((cl.NOISES, 1, 1))
    trees = {biome: [] for biome in WOODS}
    while min(map(len, trees.values())) < 200:
        seed, (cx, cz) = int(rng.integers(2**62)), rng.integers(-2000, 2000, 2)
        found = biome_at(seed, 16 * cx + 8, 16 * cz + 8, room)
        if len(trees.get(found, range(200))) < 200:
            vox, biome = chunk(seed, int(cx), int(cz))
            if (biome == found).all():
                trees[found].append(count_trees(vox))
    return {biome: np.array(counts) for biome, counts in trees.items()}


@pytest.mark.parametrize("biome", WOODS, ids=worldgen.BIOMES.__getitem__)
def test_woods_have_6_to_10_trees_in_a_chunk_as_groves_and_clearings(woods, biome):
    # The mean of 200 chunks has a standard error of 0.5 trees.
    assert 5.5 <= woods[biome].mean() <= 10
    assert (woods[biome] <= 2).mean() > 0.3
    assert (woods[biome] >= 10).mean() > 0.25


def test_woods_have_6_to_10_trees_in_a_chunk_on_average(woods):
    assert 6 <= np.mean(list(woods.values())) <= 10


def test_open_land_has_few_trees_or_none(sample):
    trees = count_trees(sample[0])
    inside = {
        biome: trees[(sample[1] == biome).all(axis=(1, 2))]
        for biome in range(len(worldgen.BIOMES))
    }
    assert 1 <= inside[cl.B_SAVANNA].mean() <= 2
    assert 0 < inside[cl.B_PLAINS].mean() <= 1
    for biome in (cl.B_DESERT, cl.B_OCEAN, cl.B_BEACH):
        assert not inside[biome].any()


def test_no_tree_is_cut_at_a_border_and_none_floats(regions):
    for vox, _ in regions:
        log, leaf = LOGS[vox], LEAVES[vox]
        tip = log[..., :-1] & leaf[..., 1:]
        x, z, y = np.nonzero(tip[1:-1, 1:-1])
        assert len(x)
        x, z = x + 1, z + 1
        for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1)):  # every crown has a cross here
            assert (vox[x + i, z + j, y] != b.AIR).all()
        x, z, y = np.nonzero(log[1:-1, 1:-1])
        for i, j, k in zip(x + 1, z + 1, y, strict=True):
            below = vox[i - 1 : i + 2, j - 1 : j + 2, k - 1]  # acacias bend
            assert LOGS[below].any() or vox[i, j, k - 1] == b.DIRT
        x, z, y = np.nonzero(leaf[4:-4, 4:-4])
        for i, j, k in zip(x[::7] + 4, z[::7] + 4, y[::7], strict=True):
            assert log[i - 4 : i + 5, j - 4 : j + 5, k - 4 : k + 5].any()


def below(vox, block):
    """What lies under all blocks of one kind."""
    at = np.nonzero(vox == block)
    return vox[(*at[:-1], at[-1] - 1)]


def test_plants_stand_on_what_they_need(sample):
    vox = sample[0]
    soils = (b.GRASS, b.PODZOL, b.SAND, b.DIRT)
    for plant in (b.TALL_GRASS, b.FERN, b.DANDELION, b.POPPY, b.BROWN_MUSHROOM):
        assert np.isin(below(vox, plant), soils).all(), b.NAMES[plant]
    assert (below(vox, b.LILY_PAD) == b.WATER).all()
    assert (below(vox, b.DEAD_BUSH) == b.SAND).all()
    assert np.isin(below(vox, b.CACTUS), (b.SAND, b.CACTUS)).all()
    assert np.isin(below(vox, b.REEDS), (*soils, b.REEDS)).all()
    assert (below(vox, b.DOUBLE_PLANT_TOP) == b.DOUBLE_PLANT).all()
    halves = (b.DOUBLE_PLANT, b.DOUBLE_PLANT_TOP)
    assert (vox == halves[0]).sum() == (vox == halves[1]).sum()
    kinds = (*b.PLANTS, b.CACTUS, b.PUMPKIN, b.CLAY, b.ICE, b.SNOW_LAYER)
    missing = set(kinds) - set(np.unique(vox).tolist()) - {b.SAPLING, b.VINE}
    assert not missing, [b.NAMES[block] for block in missing]


def test_reeds_grow_beside_water_and_cactus_in_the_open(regions, sample):
    for vox, _ in regions:
        lowest = (vox == b.REEDS) & (np.roll(vox, 1, axis=2) != b.REEDS)
        for i, j, k in zip(*np.nonzero(lowest[1:-1, 1:-1]), strict=True):
            sides = vox[[i, i + 2, i + 1, i + 1], [j + 1, j + 1, j, j + 2], k - 1]
            assert np.isin(sides, (b.WATER, b.ICE)).any()
    for n, i, j, k in zip(*np.nonzero(sample[0] == b.CACTUS), strict=True):
        vox = sample[0][n]
        sides = vox[[i - 1, i + 1, i, i], [j, j, j - 1, j + 1], k]
        assert not b.SOLID[sides].any()


def test_snow_lies_where_it_is_cold_or_high(sample):
    snowy = whole(sample, cl.B_SNOWY_PLAINS)
    filled = snowy != b.AIR
    top = HEIGHT - 1 - filled[..., ::-1].argmax(axis=-1)
    block = np.take_along_axis(snowy, top[..., None], axis=-1)
    assert not (block == b.WATER).any()
    assert (block == b.SNOW_LAYER).mean() > 0.9
    x = np.nonzero(sample[0] == b.SNOW_LAYER)
    high = x[-1][np.isin(sample[1][x[:3]], (cl.B_EXTREME_HILLS,))]
    assert (high > 90).sum() > 100
    assert not (whole(sample, cl.B_DESERT) == b.SNOW_LAYER).any()
