"""Trees: at most one in each cell of 4x4 columns of the world, decided by a hash.

A chunk draws the trees of the cells around it too, clipped to itself, in the same order
as its neighbours do. So no tree is cut at a border, and the order in which chunks load
does not matter. What a tree looks like depends on its own column only.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land import terrain as te
from dreamerv3_tf.envs.minecraft.voxel.land.noise import draw, hash2, mix, salt, unit
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, SEA

CELL = 4
HIGHEST = 106  # y of the ground above which nothing grows
OAK, SWAMP_OAK, BIRCH, SPRUCE, PINE, JUNGLE, BUSH, ACACIA = range(8)

TREES = np.array(
    [
        # log, leaves, least and greatest height of the trunk, blocks that it bends
        (b.OAK_LOG, b.OAK_LEAVES, 4, 6, 0),
        (b.OAK_LOG, b.OAK_LEAVES, 5, 7, 0),
        (b.BIRCH_LOG, b.BIRCH_LEAVES, 5, 7, 0),
        (b.SPRUCE_LOG, b.SPRUCE_LEAVES, 7, 9, 0),
        (b.SPRUCE_LOG, b.SPRUCE_LEAVES, 6, 10, 0),
        (b.JUNGLE_LOG, b.JUNGLE_LEAVES, 5, 12, 0),
        (b.JUNGLE_LOG, b.OAK_LEAVES, 1, 1, 0),
        (b.ACACIA_LOG, b.ACACIA_LEAVES, 5, 7, 1),
    ]
)
NONE, WHOLE, TORN, ROUND = 0, 10, 20, 30
CROWNS = np.array(
    [
        # Layers of leaves, from one above the trunk downwards: how far they reach, and
        # whether their corners are whole, torn by chance or round.
        (ROUND + 1, TORN + 1, TORN + 2, TORN + 2, NONE, NONE, NONE),
        (ROUND + 1, TORN + 2, TORN + 3, ROUND + 3, NONE, NONE, NONE),
        (ROUND + 1, TORN + 1, TORN + 2, TORN + 2, NONE, NONE, NONE),
        (WHOLE + 0, ROUND + 1, WHOLE + 0, ROUND + 1, ROUND + 2, ROUND + 1, ROUND + 2),
        (WHOLE + 0, ROUND + 1, ROUND + 1, ROUND + 2, ROUND + 1, NONE, NONE),
        (ROUND + 1, TORN + 1, TORN + 2, TORN + 2, NONE, NONE, NONE),
        (TORN + 1, TORN + 2, NONE, NONE, NONE, NONE, NONE),
        (WHOLE + 1, ROUND + 3, NONE, NONE, NONE, NONE, NONE),
    ]
)

GROWTH = np.zeros((len(cl.BIOMES), 4))
"""Of each biome: chance of a tree in a cell, how much the noise adds to it, the least
chance, and the share of its first kind of tree.

Woods are groves and clearings, since their noise mostly leads to 1 or to the least."""
KINDS = np.zeros((len(cl.BIOMES), 2), np.int64)
for _biome, _chance, _noise, _least, _share, _kinds in (
    (cl.B_PLAINS, 0.025, 0.0, 0.0, 1.0, (OAK, OAK)),
    (cl.B_FOREST, 0.5, 4.0, 0.02, 0.8, (OAK, BIRCH)),
    (cl.B_BIRCH_FOREST, 0.5, 4.0, 0.02, 1.0, (BIRCH, BIRCH)),
    (cl.B_TAIGA, 0.5, 4.0, 0.02, 0.7, (SPRUCE, PINE)),
    (cl.B_JUNGLE, 0.5, 4.0, 0.02, 0.6, (JUNGLE, BUSH)),
    (cl.B_SAVANNA, 0.1, 0.0, 0.0, 0.9, (ACACIA, OAK)),
    (cl.B_SNOWY_PLAINS, 0.02, 0.0, 0.0, 1.0, (SPRUCE, SPRUCE)),
    (cl.B_SWAMP, 0.14, 0.2, 0.0, 1.0, (SWAMP_OAK, OAK)),
    (cl.B_EXTREME_HILLS, 0.04, 0.2, 0.0, 0.6, (SPRUCE, OAK)),
):
    GROWTH[_biome] = _chance, _noise, _least, _share
    KINDS[_biome] = _kinds


@kernel()
def place_trees(seed, cx, cz, field, facts, vox):
    """Draws all trees that reach into a chunk.

    Args:
        seed: of the world.
        cx, cz: the chunk.
        field, facts: of its columns, see `terrain.py`.
        vox: uint8 `[16, 16, 128]`, the chunk.
    """
    for i in range(te.PADDED // CELL):
        for j in range(te.PADDED // CELL):
            word = hash2(salt(seed, 61), cx * 4 - 1 + i, cz * 4 - 1 + j)
            p, q = CELL * i + draw(word, 0, 4), CELL * j + draw(mix(word), 0, 4)
            biome = facts[te.BIOME, p, q]
            chance = density(biome, field[cl.WOOD, p, q])
            if unit(word) < chance and _can_root(facts, p, q):
                second = unit(mix(word + 1)) >= GROWTH[biome, 3]
                kind = KINDS[biome, np.int64(second)]
                x, z, y = p - te.MARGIN, q - te.MARGIN, facts[te.TOP_Y, p, q]
                _put(vox, x, y, z, b.DIRT, True)
                _draw_tree(mix(word + 2), kind, x, y + 1, z, vox)


@inner
def density(biome, wood):
    """Chance of a tree in a cell, above 1 in a thicket; clearings have lone ones."""
    return max(GROWTH[biome, 2], GROWTH[biome, 0] + GROWTH[biome, 1] * wood)


@inner
def _can_root(facts, p, q):
    soil = facts[te.SOIL, p, q]
    dry = SEA <= facts[te.TOP_Y, p, q] <= HIGHEST
    return dry and not facts[te.MOUTH, p, q] and (soil == b.GRASS or soil == b.PODZOL)


@inner
def _put(vox, x, y, z, block, force):
    """Sets a cell of the chunk that is free, or in the way of a trunk."""
    if 0 <= x < CHUNK and 0 <= z < CHUNK:
        old = vox[x, z, y]
        if old == b.AIR or (force and (b.IS_LEAVES[old] or block == b.DIRT)):
            vox[x, z, y] = block


@inner
def _draw_tree(word, kind, x, y, z, vox):
    tree = TREES[kind]
    tall = draw(word, tree[2], tree[3] + 1)
    bent_x = tree[4] * draw(mix(word + 1), -1, 2)
    bent_z = tree[4] * draw(mix(word + 2), -1, 2)
    for k in range(tall):
        if 2 * k == (tall & 2) + 4:  # acacias bend at a height of 2 or 3
            x, z = x + bent_x, z + bent_z
        _put(vox, x, y + k, z, tree[0], True)
    for k in range(CROWNS.shape[1]):
        layer = CROWNS[kind, k]
        if layer != NONE:
            torn = mix(word + 3 + k) if layer < ROUND else -1
            torn = 0 if layer < TORN else torn
            _draw_leaves(torn, layer % 10, x, y + tall - k, z, tree[1], vox)


@inner
def _draw_leaves(torn, wide, x, y, z, leaves, vox):
    """Square of leaves without the corners whose bits are set in `torn`."""
    for i in range(-wide, wide + 1):
        for j in range(-wide, wide + 1):
            corner = 2 * (i > 0) + (j > 0)
            inside = abs(i) < wide or abs(j) < wide or not wide
            if inside or not torn & (1 << corner):
                _put(vox, x + i, y, z + j, leaves, False)
