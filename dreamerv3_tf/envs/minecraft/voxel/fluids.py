"""How water and lava flow: what feeds a cell, where it runs to, and what they make.

A fluid is a source (level 0), flows (1 to 7 of water, 1 to 3 of lava, each step away
from its source one more), or falls. Sources stay; what flows lives on what feeds it.

Cells act only at ticks that are multiples of the fluid's pace, so that a cell needs no
memory of when it was first disturbed: the queue of `state.py` is all there is.

Source: Minecraft 1.11.2 (BlockDynamicLiquid, BlockLiquid), in the overworld.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks, drops
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import get, put

PACE_WATER, PACE_LAVA = 5, 30  # ticks per step
MOST_WATER, MOST_LAVA = 7, 3  # last level that flows; one more is what falls
SEARCH_WATER, SEARCH_LAVA = 5, 3  # steps within which an edge draws the flow
MARGIN = 5  # columns around a cell that `stream` reads

# Four ways: -x, +x, -z, +z, as bits 0 to 3; bit 4 is down.
WAY_X = np.array((-1, 1, 0, 0), np.int64)
WAY_Z = np.array((0, 0, -1, 1), np.int64)
DOWN = 16

BLOCKS_FLOW = blocks.SOLID.copy()
BLOCKS_FLOW[blocks.REEDS] = True


@inner
def stream(s, x, y, z, block):
    """Does what a cell of fluid asks for; nothing where it is at rest."""
    hot = blocks.FIERY[block]
    if hot and _meets_water(s, x, y, z):
        put(s, x, y, z, blocks.OBSIDIAN if block == blocks.LAVA else blocks.COBBLESTONE)
        return
    base = blocks.LAVA if hot else blocks.WATER
    most = MOST_LAVA if hot else MOST_WATER
    level = np.int64(block) - base
    fed = level if level == 0 else feed(s, x, y, z, base, most)
    ways = exits(s, x, y, z, base, most, fed) if fed >= 0 else 0
    if fed == level and ways == 0:
        return
    pace = PACE_LAVA if hot else PACE_WATER
    wait = pace - s.num[st.TIME] % pace
    if wait < pace:
        st.later(s, x, y, z, wait)
        return
    if fed != level:
        put(s, x, y, z, base + fed if fed >= 0 else blocks.AIR)
    if ways == DOWN:
        _enter(s, x, y - 1, z, base, most + 1, True)
        return
    for k in range(4):
        if ways >> k & 1:
            next_level = 1 if fed > most else fed + 1
            _enter(s, x + WAY_X[k], y, z + WAY_Z[k], base, next_level, False)


@inner
def _meets_water(s, x, y, z):
    """Whether water is above or beside a cell."""
    for k in range(4):
        if blocks.WATERY[get(s, x + WAY_X[k], y, z + WAY_Z[k])]:
            return True
    return blocks.WATERY[get(s, x, y + 1, z)]


@inner
def feed(s, x, y, z, base, most):
    """Level that the cells around give to one of fluid; -1 if it dries up.

    Two sources of water beside it, over something solid or a source, make a source.
    """
    level, sources = most + 1, 0
    for k in range(4):
        near = np.int64(get(s, x + WAY_X[k], y, z + WAY_Z[k])) - base
        if 0 <= near <= most + 1:
            level = min(level, near % (most + 1))
            sources += near == 0
    under = get(s, x, y - 1, z)
    if base == blocks.WATER and sources >= 2:
        if blocks.SOLID[under] or under == base:
            return 0
    if 0 <= np.int64(get(s, x, y + 1, z)) - base <= most + 1:
        return most + 1
    return level + 1 if level < most else -1


@inner
def exits(s, x, y, z, base, most, level):
    """Ways by which a cell of fluid runs on, as bits; 0 if nowhere.

    Down where it can; else, if it is a source or lies on something solid, sideways,
    but only towards the nearest edges.
    """
    under = get(s, x, y - 1, z)
    if takes(under, base):
        return DOWN
    if level == most or (level != 0 and not BLOCKS_FLOW[under]):
        return 0
    ways = 0
    for k in range(4):
        if takes(get(s, x + WAY_X[k], y, z + WAY_Z[k]), base):
            ways |= 1 << k
    return ways & _drawn(s, x, y, z, base, most) if ways else 0


@inner
def takes(block, base):
    """Whether a block gives way to water, or to lava, by `base`."""
    if BLOCKS_FLOW[block] or blocks.FIERY[block]:
        return False
    return base == blocks.LAVA or not blocks.WATERY[block]


@inner
def _drawn(s, x, y, z, base, most):
    """Ways that lead to the nearest edge; all open ways if there is none near.

    A search by breadth in the square of 11 columns around: `ways` holds by which first
    steps a column is reached on a shortest path, `steps` 1 more than its length.
    """
    ways, steps = np.zeros((11, 11), np.int64), np.zeros((11, 11), np.int64)
    todo, size = np.zeros((121, 2), np.int64), 1
    todo[0] = MARGIN
    steps[MARGIN, MARGIN] = 1
    limit = SEARCH_LAVA if most == MOST_LAVA else SEARCH_WATER
    found, every, at = 0, 0, 0
    while at < size:
        i, j = todo[at, 0], todo[at, 1]
        at += 1
        if steps[i, j] > limit + 1:
            break
        every |= ways[i, j]
        under = get(s, x + i - MARGIN, y - 1, z + j - MARGIN)
        if at > 1 and not BLOCKS_FLOW[under]:
            found |= ways[i, j]
            limit = steps[i, j] - 1  # farther edges draw nothing
        if steps[i, j] <= limit:
            size = _spread(s, x, y, z, base, i, j, ways, steps, todo, size)
    return found if found else every


@inner
def _spread(s, x, y, z, base, i, j, ways, steps, todo, size):
    """Goes from one column of `_drawn` to those beside it; returns the new `size`."""
    for k in range(4):
        to_i, to_j = i + WAY_X[k], j + WAY_Z[k]
        if steps[to_i, to_j] == 0:
            block = get(s, x + to_i - MARGIN, y, z + to_j - MARGIN)
            if BLOCKS_FLOW[block] or block == base:
                continue
            steps[to_i, to_j] = steps[i, j] + 1
            todo[size, 0], todo[size, 1] = to_i, to_j
            size += 1
        if steps[to_i, to_j] == steps[i, j] + 1:
            ways[to_i, to_j] |= 1 << k if steps[i, j] == 1 else ways[i, j]
    return size


@inner
def _enter(s, x, y, z, base, level, is_below):
    """Lets a fluid into a cell: water washes plants off, lava burns them.

    Lava that falls on water makes stone; beside water, it flows in, and `stream` makes
    cobblestone of it.
    """
    block = get(s, x, y, z)
    if base == blocks.WATER:
        drops.drop_block(s, x, y, z, np.int64(block))
    elif is_below and blocks.WATERY[block]:
        put(s, x, y, z, blocks.STONE)
        return
    put(s, x, y, z, base + level)
