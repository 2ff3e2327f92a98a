"""Where an episode begins, and what is near."""

from __future__ import annotations

import numpy as np
import pytest
from land import LOGS, chunk, count_trees, region

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land import worldgen
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT, SEA


@pytest.fixture(scope="module")
def spawns():
    return [(seed, *worldgen.find_spawn(seed)) for seed in range(200)]


def test_an_episode_begins_on_dry_free_ground_in_a_spawn_biome(spawns):
    counts = np.zeros(len(worldgen.BIOMES), int)
    for seed, x, z in spawns:
        vox, biome = chunk(seed, x >> 4, z >> 4)
        column, here = vox[x & 15, z & 15], biome[x & 15, z & 15]
        top = HEIGHT - 1 - b.SOLID[column][::-1].argmax()
        assert top >= SEA
        assert column[top] in (b.GRASS, b.DIRT, b.PODZOL, b.SAND)
        assert not b.WATERY[column[top + 1 :]].any()
        counts[here] += 1
    # 200 spawns over 4 lands: 50 each, with a standard deviation of 6.1.
    lands = [counts[land == cl.SPAWN_LAND].sum() for land in range(cl.SPAWN_LANDS)]
    assert sum(lands) == 200
    assert min(lands) > 30
    assert min(counts[[cl.B_FOREST, cl.B_BIRCH_FOREST]]) > 5


def test_an_episode_begins_in_a_clearing_with_wood_within_40_blocks(spawns):
    trees, nearest = [], []
    for seed, x, z in spawns[:100]:
        cx, cz = (x >> 4) - 3, (z >> 4) - 3
        vox, _ = region(seed, cx, cz, 7)
        trees.append(count_trees(vox[48:64, 48:64]))
        i, j, _ = np.nonzero(LOGS[vox])
        away = np.hypot(16 * cx + i - x, 16 * cz + j - z)
        nearest.append(away.min(initial=np.inf))
    assert np.mean(trees) < 1
    assert np.mean(np.array(nearest) > 40) <= 0.03


def test_a_diamond_lies_within_48_blocks_of_every_spawn(spawns):
    for seed, x, z in spawns:
        assert any(
            has_diamond_near(seed, x, z, (x >> 4) + i, (z >> 4) + j)
            for i in (0, -1, 1, -2, 2)
            for j in (0, -1, 1, -2, 2)
        ), f"seed {seed}"


def has_diamond_near(seed, x, z, cx, cz):
    i, j, _ = np.nonzero(chunk(seed, cx, cz)[0] == b.DIAMOND_ORE)
    return bool(np.any(np.hypot(16 * cx + i - x, 16 * cz + j - z) <= 48))
