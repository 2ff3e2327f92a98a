"""Small plants, cactus, reeds, pumpkins, and snow and ice on top of everything."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel import terrain as te
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import draw, hash2, mix, salt, unit
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


@inner
def place_plants(seed, cx, cz, columns, vox):
    """Plants a chunk: each column by a hash of its own, where there is room."""
    patch = unit(hash2(salt(seed, 71), cx, cz)) < PATCH_CHANCE
    for i in range(CHUNK):
        for j in range(CHUNK):
            p, q = i + te.MARGIN, j + te.MARGIN
            word = hash2(salt(seed, 72), cx * CHUNK + i, cz * CHUNK + j)
            facts, cells = columns.facts[:, p, q], vox[i, j]
            y, soil = max(facts[te.TOP_Y], SEA), cells[facts[te.TOP_Y]]
            if cells[y + 1] != b.AIR:
                continue
            if cells[y] == b.WATER:
                _place_lily(word, facts, cells)
            elif y == SEA and unit(word) < REED_CHANCE and _is_shore(columns, p, q):
                _stack(cells, y + 1, b.REEDS, draw(word, 1, 4))
            elif soil == b.SAND or soil == b.GRASS or soil == b.PODZOL:
                wood = columns.field[cl.WOOD, p, q]
                _place_small(mix(word), facts[te.BIOME], wood, y, cells)
                if patch and soil == b.GRASS and unit(mix(word + 1)) < PUMPKIN_CHANCE:
                    cells[y + 1], cells[y + 2] = b.PUMPKIN, b.AIR
                cactus = facts[te.BIOME] == cl.B_DESERT and unit(word) < CACTUS_CHANCE
                if cactus and soil == b.SAND and _is_clear(i, y + 1, j, vox):
                    _stack(cells, y + 1, b.CACTUS, draw(word, 1, 4))


@inner
def _place_lily(word, facts, cells):
    shallow = facts[te.TOP_Y] >= SEA - 4
    if facts[te.BIOME] == cl.B_SWAMP and shallow and unit(word) < LILY_CHANCE:
        cells[SEA + 1] = b.LILY_PAD


@inner
def _stack(cells, y, block, count):
    while count > 0 and cells[y] == b.AIR:
        cells[y] = block
        y, count = y + 1, count - 1


@inner
def _is_shore(columns, p, q):
    """Whether water is beside a column that is level with it."""
    near = columns.facts[te.TOP_Y]
    lowest = min(
        min(near[p - 1, q], near[p + 1, q]), min(near[p, q - 1], near[p, q + 1])
    )
    return lowest < SEA and columns.facts[te.SOIL, p, q] != b.STONE


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
def _place_small(word, biome, wood, y, cells):
    chances, kinds = CHANCES[biome], KINDS[biome]
    if unit(word) < chances[0] + chances[1] * wood:
        cells[y + 1] = kinds[(word >> 50) & 1]
        tall = unit(mix(word)) < TALL_SHARE and cells[y + 2] == b.AIR
        if tall and kinds[0] != b.DEAD_BUSH:
            cells[y + 1], cells[y + 2] = b.DOUBLE_PLANT, b.DOUBLE_PLANT_TOP
    elif unit(mix(word + 1)) < chances[2]:
        cells[y + 1] = kinds[2 + ((word >> 50) & 1)]


@inner
def freeze(columns, vox):
    """Lays snow on what is under the open sky, and ice on water, where it is cold."""
    for i in range(CHUNK):
        for j in range(CHUNK):
            if columns.facts[te.COLD, i + te.MARGIN, j + te.MARGIN]:
                cells = vox[i, j]
                y = HEIGHT - 2
                while cells[y] == b.AIR:
                    y -= 1
                if cells[y] == b.WATER:
                    cells[y] = b.ICE
                elif b.OPAQUE[cells[y]]:
                    cells[y + 1] = b.SNOW_LAYER
