"""Pieces of generated worlds, for tests of the generator."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.land import worldgen
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT

LOGS = np.isin(range(256), b.LOGS)


def chunk(seed, cx, cz):
    vox, biome = np.empty((16, 16, HEIGHT), np.uint8), np.empty((16, 16), np.uint8)
    worldgen.generate(seed, cx, cz, vox, biome)
    return vox, biome


def region(seed, cx, cz, size, order=None):
    """`size` by `size` chunks, loaded in some order into one array."""
    vox = np.zeros((16 * size, 16 * size, HEIGHT), np.uint8)
    biome = np.zeros((16 * size, 16 * size), np.uint8)
    for k in range(size * size) if order is None else order:
        i, j = divmod(int(k), size)
        place = np.s_[16 * i : 16 * i + 16, 16 * j : 16 * j + 16]
        worldgen.generate(seed, cx + i, cz + j, vox[place], biome[place])
    return vox, biome


def count_trees(vox):
    """Trunks that stand on the ground, in each chunk of `[..., 16, 16, 128]`."""
    trunk, soil = LOGS[vox], vox == b.DIRT
    return (trunk[..., 1:] & soil[..., :-1]).sum(axis=(-3, -2, -1))
