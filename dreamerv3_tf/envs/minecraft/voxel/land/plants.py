"""Small plants, cactus, reeds, pumpkins, and snow and ice on top of everything."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land import terrain as te
from dreamerv3_tf.envs.minecraft.voxel.land.noise import draw, hash2, mix, salt, unit
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT, SEA

REED_CHANCE, LILY_CHANCE, CACTUS_CHANCE = 0.18, 0.08, 0.006
PATCH_CHANCE, PUMPKIN_CHANCE = 0.04, 0.04  # of a chunk, and of a column in it
TALL_SHARE = 0.08  # of grass that is two blocks tall

CHANCES = np.zeros((len(cl.BIOMES), 3))
"""Of each biome: share of columns with grass, how much the noise adds to it, and share
of columns with a flower."""
KINDS = np.zeros((len(cl.BIOMES), 4), np.int64)
"""Of each biome: two kinds of grass, and two kinds of flowers."""
_FLOWERS = (b.DANDELION, b.POPPY)
_MUSHROOMS = (b.BROWN_MUSHROOM, b.RED_MUSHROOM)
_GRASS, _FERNS = (b.TALL_GRASS, b.TALL_GRASS), (b.FERN, b.TALL_GRASS)
for _biome, _grass, _noise, _flower, _kinds in (
    (cl.B_PLAINS, 0.18, 0.4, 0.012, _GRASS + _FLOWERS),
    (cl.B_FOREST, 0.07, 0.0, 0.015, _GRASS + _FLOWERS),
    (cl.B_BIRCH_FOREST, 0.07, 0.0, 0.015, _GRASS + _FLOWERS),
    (cl.B_TAIGA, 0.08, 0.1, 0.006, _FERNS + _MUSHROOMS),
    (cl.B_JUNGLE, 0.25, 0.2, 0.006, _FERNS + _FLOWERS),
    (cl.B_SAVANNA, 0.25, 0.4, 0.0, _GRASS + _FLOWERS),
    (cl.B_DESERT, 0.006, 0.0, 0.0, (b.DEAD_BUSH, b.DEAD_BUSH, *_FLOWERS)),
    (cl.B_SNOWY_PLAINS, 0.004, 0.0, 0.0, _GRASS + _FLOWERS),
    (cl.B_SWAMP, 0.08, 0.1, 0.008, _GRASS + _MUSHROOMS),
    (cl.B_EXTREME_HILLS, 0.04, 0.1, 0.003, _GRASS + _FLOWERS),
):
    CHANCES[_biome] = _grass, _noise, _flower
    KINDS[_biome] = _kinds


@kernel()
def place_plants(seed, cx, cz, field, facts, vox):
    """Plants a chunk, each column by a hash of its own, and lays snow and ice.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        field, facts: of its columns, see `terrain.py`.
        vox: uint8 `[16, 16, 128]`, the chunk.
    """
    patch = unit(hash2(salt(seed, 71), cx, cz)) < PATCH_CHANCE
    for i in range(CHUNK):
        for j in range(CHUNK):
            p, q = i + te.MARGIN, j + te.MARGIN
            word = hash2(salt(seed, 72), cx * CHUNK + i, cz * CHUNK + j)
            height, biome = facts[te.TOP_Y, p, q], facts[te.BIOME, p, q]
            if height < SEA:
                shallow = biome == cl.B_SWAMP and height >= SEA - 4
                if shallow and unit(word) < LILY_CHANCE:
                    _stack(vox[i, j], SEA + 1, b.LILY_PAD, 1)
            elif height == SEA and unit(word) < REED_CHANCE and _is_shore(facts, p, q):
                _stack(vox[i, j], SEA + 1, b.REEDS, draw(word, 1, 4))
            else:
                share = unit(mix(word)) - CHANCES[biome, 1] * field[cl.WOOD, p, q]
                _place_small(word, biome, share, patch, height, vox[i, j])
                cactus = biome == cl.B_DESERT and unit(word) < CACTUS_CHANCE
                if cactus and _is_clear(i, height + 1, j, vox):
                    _stack(vox[i, j], height + 1, b.CACTUS, draw(word, 1, 4))
            if facts[te.COLD, p, q]:
                _freeze(vox[i, j])


@inner
def _place_small(word, biome, share, patch, y, cells):
    """Grass where `share` is below its chance, or else a pumpkin or a flower."""
    soil, word = cells[y], mix(word + 1)
    if soil != b.GRASS and soil != b.PODZOL and soil != b.SAND:
        return
    if share < CHANCES[biome, 0]:
        tall = unit(word) < TALL_SHARE and cells[y + 1] == cells[y + 2] == b.AIR
        if tall and soil != b.SAND:
            cells[y + 2] = b.DOUBLE_PLANT_TOP
            _stack(cells, y + 1, b.DOUBLE_PLANT, 1)
        else:
            _stack(cells, y + 1, KINDS[biome, (word >> 50) & 1], 1)
    elif patch and unit(word) < PUMPKIN_CHANCE and soil == b.GRASS:
        _stack(cells, y + 1, b.PUMPKIN, 1)
    elif unit(mix(word)) < CHANCES[biome, 2]:
        _stack(cells, y + 1, KINDS[biome, 2 + ((word >> 50) & 1)], 1)


@inner
def _stack(cells, y, block, count):
    """Puts blocks on top of each other, as far as there is air."""
    while count > 0 and cells[y] == b.AIR:
        cells[y] = block
        y, count = y + 1, count - 1


@inner
def _is_shore(facts, p, q):
    """Whether water is beside a column that is level with it."""
    wet = facts[te.TOP_Y, p - 1, q] < SEA or facts[te.TOP_Y, p + 1, q] < SEA
    wet |= facts[te.TOP_Y, p, q - 1] < SEA or facts[te.TOP_Y, p, q + 1] < SEA
    return wet and not facts[te.MOUTH, p, q] and facts[te.SOIL, p, q] != b.STONE


@inner
def _is_clear(i, y, j, vox):
    """Whether nothing is beside a cactus; never at the border of a chunk."""
    if min(i, j) < 1 or max(i, j) >= CHUNK - 1:
        return False
    return (
        vox[i - 1, j, y] == vox[i + 1, j, y] == vox[i, j - 1, y] == vox[i, j + 1, y]
        and vox[i - 1, j, y] == b.AIR
    )


@inner
def _freeze(cells):
    """Lays snow on what is under the open sky, or freezes the water there."""
    y = HEIGHT - 2
    while cells[y] == b.AIR:
        y -= 1
    if cells[y] == b.WATER:
        cells[y] = b.ICE
    elif b.OPAQUE[cells[y]]:
        cells[y + 1] = b.SNOW_LAYER
