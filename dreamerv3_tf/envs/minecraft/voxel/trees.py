"""Trees: at most one in each cell of 4x4 columns of the world, decided by a hash.

A chunk draws the trees of the cells around it too, clipped to itself, in the same order
as its neighbours do. So no tree is cut at a border, and the order in which chunks load
does not matter. What a tree looks like depends on its own column only.
"""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import draw, hash2, mix, salt, unit
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT, SEA
from dreamerv3_tf.envs.minecraft.voxel.terrain import MARGIN, PADDED, top_block

CELL = 4
HIGHEST = 106  # y of the ground above which nothing grows


@inner
def tree_chance(biome, wood):
    """Chance that a cell of 4x4 columns holds a tree; noise `wood` makes clearings."""
    if biome == cl.B_FOREST or biome == cl.B_BIRCH_FOREST or biome == cl.B_TAIGA:
        return min(0.85, max(0.0, 0.52 + 1.5 * wood))
    if biome == cl.B_JUNGLE:
        return min(0.85, max(0.0, 0.58 + 1.2 * wood))
    if biome == cl.B_SWAMP:
        return 0.14
    if biome == cl.B_SAVANNA:
        return 0.1
    if biome == cl.B_EXTREME_HILLS:
        return 0.05 if wood > 0.0 else 0.0
    if biome == cl.B_PLAINS or biome == cl.B_SNOWY_PLAINS:
        return 0.025
    return 0.0


@inner
def place_trees(seed, cx, cz, columns, vox):
    """Draws all trees that reach into a chunk."""
    seed = salt(seed, 61)
    for i in range(PADDED // CELL):
        for j in range(PADDED // CELL):
            word = hash2(seed, cx * 4 - 1 + i, cz * 4 - 1 + j)
            p, q = CELL * i + draw(word, 0, 4), CELL * j + draw(mix(word + 1), 0, 4)
            if unit(word) < _chance_at(columns, p, q):
                x, z = p - MARGIN, q - MARGIN
                biome, y = columns.biome[p, q], columns.height[p, q]
                if 0 <= x < CHUNK and 0 <= z < CHUNK:
                    vox[x, z, y] = b.DIRT
                _draw_tree(mix(word + 2), biome, x, y + 1, z, vox)


@inner
def _chance_at(columns, p, q):
    """Chance of a tree at a column: none where its ground does not let it grow."""
    height, biome = columns.height[p, q], columns.biome[p, q]
    if columns.mouth[p, q] or height < SEA or height > HIGHEST:
        return 0.0
    top = top_block(biome, height, columns.spot[p, q])
    if top != b.GRASS and top != b.PODZOL:
        return 0.0
    return tree_chance(biome, columns.wood[p, q])


@inner
def _draw_tree(word, biome, x, y, z, vox):
    kind = unit(mix(word + 1))
    if biome == cl.B_TAIGA or biome == cl.B_SNOWY_PLAINS:
        _draw_spruce(word, x, y, z, vox)
    elif biome == cl.B_EXTREME_HILLS and kind < 0.6:
        _draw_spruce(word, x, y, z, vox)
    elif biome == cl.B_SAVANNA:
        _draw_acacia(word, x, y, z, vox)
    elif biome == cl.B_BIRCH_FOREST or (biome == cl.B_FOREST and kind < 0.2):
        _draw_round(word, draw(word, 5, 8), 2, b.BIRCH_LOG, b.BIRCH_LEAVES, x, y, z, vox)
    elif biome == cl.B_JUNGLE:
        if kind < 0.4:
            _draw_bush(word, x, y, z, vox)
        else:
            tall = draw(word, 5, 13)
            _draw_round(word, tall, 2, b.JUNGLE_LOG, b.JUNGLE_LEAVES, x, y, z, vox)
    else:
        wide = 3 if biome == cl.B_SWAMP else 2
        _draw_round(word, draw(word, 4, 7), wide, b.OAK_LOG, b.OAK_LEAVES, x, y, z, vox)


@inner
def _put_log(vox, x, y, z, block):
    if 0 <= x < CHUNK and 0 <= z < CHUNK and y < HEIGHT:
        old = vox[x, z, y]
        if not b.SOLID[old] or b.OAK_LEAVES <= old <= b.ACACIA_LEAVES:
            vox[x, z, y] = block


@inner
def _draw_trunk(vox, x, y, z, tall, block):
    for k in range(tall):
        _put_log(vox, x, y + k, z, block)


@inner
def _draw_disc(word, vox, x, y, z, wide, trim, block):
    """Square of leaves; `trim` takes its corners: 0 none, 1 by chance, 2 all."""
    if y >= HEIGHT:
        return
    for i in range(-wide, wide + 1):
        for j in range(-wide, wide + 1):
            corner = wide > 0 and abs(i) == wide and abs(j) == wide
            if corner and (trim == 2 or (trim == 1 and word & (1 << (y & 7)))):
                continue
            p, q = x + i, z + j
            if 0 <= p < CHUNK and 0 <= q < CHUNK and vox[p, q, y] == b.AIR:
                vox[p, q, y] = block
            word = (word >> 1) ^ (word << 9)


@inner
def _draw_round(word, tall, wide, log, leaves, x, y, z, vox):
    """Oak, birch and jungle: two wide layers of leaves below two narrow ones."""
    top = y + tall - 1
    _draw_trunk(vox, x, y, z, tall, log)
    _draw_disc(mix(word + 3), vox, x, top - 2, z, wide, 1, leaves)
    _draw_disc(mix(word + 4), vox, x, top - 1, z, wide, 1, leaves)
    _draw_disc(mix(word + 5), vox, x, top, z, wide - 1, 1, leaves)
    _draw_disc(mix(word + 6), vox, x, top + 1, z, wide - 1, 2, leaves)


@inner
def _draw_spruce(word, x, y, z, vox):
    """A cone: layers of leaves that grow wider, and narrow again, down the trunk."""
    tall = draw(word, 6, 10)
    bare = draw(mix(word + 3), 1, 3)
    limit = draw(mix(word + 4), 2, 4)
    _draw_trunk(vox, x, y, z, tall, b.SPRUCE_LOG)
    wide, most, least = 0, 1, 0
    for k in range(tall - bare + 1):
        _draw_disc(word, vox, x, y + tall - k, z, wide, 2, b.SPRUCE_LEAVES)
        if wide >= most:
            wide, least, most = least, 1, min(limit, most + 1)
        else:
            wide += 1


@inner
def _draw_acacia(word, x, y, z, vox):
    """A trunk that bends once, with a flat crown."""
    low, high = draw(mix(word + 3), 2, 4), draw(mix(word + 4), 2, 4)
    step_x, step_z = draw(mix(word + 5), -1, 2), draw(mix(word + 6), -1, 2)
    _draw_trunk(vox, x, y, z, low, b.ACACIA_LOG)
    x, y, z = x + step_x, y + low, z + step_z
    _draw_trunk(vox, x, y, z, high, b.ACACIA_LOG)
    _draw_disc(word, vox, x, y + high - 1, z, 3, 2, b.ACACIA_LEAVES)
    _draw_disc(word, vox, x, y + high, z, 1, 0, b.ACACIA_LEAVES)


@inner
def _draw_bush(word, x, y, z, vox):
    """One log under a heap of leaves, the undergrowth of a jungle."""
    _draw_trunk(vox, x, y, z, 1, b.JUNGLE_LOG)
    _draw_disc(mix(word + 3), vox, x, y, z, 2, 1, b.OAK_LEAVES)
    _draw_disc(mix(word + 4), vox, x, y + 1, z, 1, 1, b.OAK_LEAVES)
