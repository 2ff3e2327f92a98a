"""How water and lava flow: what feeds a cell, where it runs to, and what it becomes.

A fluid is a source (level 0), flows (1 to 7 of water, 1 to 3 of lava, each step away
from its source one more), or falls. Sources stay; what flows lives on what feeds it.
Nothing is changed here: `updates.py` does what `plan` says.

Source: Minecraft 1.11.2 (BlockDynamicLiquid, BlockLiquid), in the overworld.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT

WATER, LAVA = 0, 1  # kinds; they index the tables below
SOURCE = np.array((blocks.WATER, blocks.LAVA))
PACE = np.array((5, 30))  # ticks per step
MOST = np.array((7, 3))  # last level that flows; one more is what falls
SEARCH = np.array((5, 3))  # steps within which an edge draws the flow
MARGIN = 5  # columns around a cell that `plan` reads
SIDE = 2 * MARGIN + 1

# What a cell may change, as bits of `changes`: itself, -x, +x, -z, +z, down.
WAY_X, WAY_Z = np.array((0, -1, 1, 0, 0, 0)), np.array((0, 0, 0, -1, 1, 0))
WAY_Y = np.array((0, 0, 0, 0, 0, -1))
ITSELF, DOWN = 1, 1 << 5

DAMS = blocks.SOLID | (np.arange(256) == blocks.REEDS)
"""Stops a fluid."""

TAKES = np.stack([~(DAMS | blocks.FIERY | blocks.WATERY), ~(DAMS | blocks.FIERY)])
"""Whether water, or lava, flows into a block."""


@inner(_nrt=False)
def look(vox, x, y, z):
    """What `state.get` says; passing one array compiles faster than passing all."""
    if y >= HEIGHT:
        return blocks.AIR
    return np.int64(vox[x & 127, z & 127, y]) if y >= 0 else blocks.BEDROCK


@inner(_nrt=False)
def plan(vox, x, y, z, block, time):
    """What a cell of fluid asks for; nothing if it is at rest.

    Cells act only at ticks that are multiples of their pace, so that a cell needs no
    memory of when it was first disturbed.

    Returns:
        What it becomes; bits of the cells that it changes; ticks until it may do so.
    """
    kind = LAVA if blocks.FIERY[block] else WATER
    if kind == LAVA and is_beside(vox, x, y, z, blocks.WATERY, 1):
        hard = blocks.OBSIDIAN if block == blocks.LAVA else blocks.COBBLESTONE
        return hard, ITSELF, 0
    level = feed(vox, x, y, z, block, kind)
    becomes = SOURCE[kind] + level if level >= 0 else blocks.AIR
    changes = exits(vox, x, y, z, level, kind) if level >= 0 else 0
    if becomes != block:
        changes |= ITSELF
    return becomes, changes, -time % PACE[kind] if changes else 0


@inner(_nrt=False)
def enter(vox, x, y, z, becomes, is_down):
    """What a cell becomes into which a fluid flows from a cell that is `becomes`.

    Lava that falls on water makes stone. Beside water it flows in, and is made
    cobblestone when it is looked at next.
    """
    kind = LAVA if blocks.FIERY[becomes] else WATER
    if is_down:
        if kind == LAVA and blocks.WATERY[look(vox, x, y, z)]:
            return blocks.STONE
        return SOURCE[kind] + MOST[kind] + 1
    level = becomes - SOURCE[kind]
    return SOURCE[kind] + (1 if level > MOST[kind] else level + 1)


@inner(_nrt=False)
def is_beside(vox, x, y, z, table, above):
    """Whether a table holds one of the four blocks beside; or, if `above`, on top."""
    for way in range(1, 5):
        if table[look(vox, x + WAY_X[way], y, z + WAY_Z[way])]:
            return True
    return above == 1 and table[look(vox, x, y + 1, z)]


@inner(_nrt=False)
def feed(vox, x, y, z, block, kind):
    """Level that the cells around give to one of fluid; -1 if it dries up.

    Two sources of water beside it, over something solid or a source, make a source.
    """
    source, falls = SOURCE[kind], MOST[kind] + 1
    if block == source:
        return 0
    level, sources = falls, 0
    for way in range(1, 5):
        near = look(vox, x + WAY_X[way], y, z + WAY_Z[way]) - source
        if near == 0:
            sources += 1
        if near == falls:
            near = 0
        if 0 <= near < level:
            level = near
    under, above = look(vox, x, y - 1, z), look(vox, x, y + 1, z) - source
    if kind == WATER and sources >= 2 and (blocks.SOLID[under] or under == source):
        return 0
    if 0 <= above <= falls:
        return falls
    return level + 1 if level + 1 < falls else -1


@inner(_nrt=False)
def exits(vox, x, y, z, level, kind):
    """Cells into which one of fluid runs on, as bits; 0 if nowhere.

    Down where it can; else, if it is a source or lies on something solid, sideways,
    but only towards the nearest edges.
    """
    under = look(vox, x, y - 1, z)
    if TAKES[kind, under]:
        return DOWN
    if level == MOST[kind] or (level != 0 and not DAMS[under]):
        return 0
    ways = 0
    for way in range(1, 5):
        if TAKES[kind, look(vox, x + WAY_X[way], y, z + WAY_Z[way])]:
            ways |= 1 << way
    return ways & _drawn(vox, x, y, z, kind) if ways else 0


@inner(_nrt=True)
def _drawn(vox, x, y, z, kind):
    """Ways that lead to the nearest edge, as bits; all where there is none near.

    A search by breadth in a square of columns around; for each it keeps one more than
    the length of the shortest path there, and the first steps of such paths.
    """
    steps, ways = np.zeros((SIDE, SIDE), np.int64), np.zeros((SIDE, SIDE), np.int64)
    steps[MARGIN, MARGIN] = 1
    for step in range(1, SEARCH[kind] + 1):
        found = 0
        for column in range(SIDE * SIDE):
            i, j = column // SIDE, column % SIDE
            if steps[i, j] != step:
                continue
            for way in range(1, 5):
                to_i, to_j = i + WAY_X[way], j + WAY_Z[way]
                to_x, to_z = x + to_i - MARGIN, z + to_j - MARGIN
                block = look(vox, to_x, y, to_z)
                if (
                    DAMS[block]
                    or block == SOURCE[kind]
                    or 0 < steps[to_i, to_j] <= step
                ):
                    continue
                steps[to_i, to_j] = step + 1
                ways[to_i, to_j] |= ways[i, j] if step > 1 else 1 << way
                if not DAMS[look(vox, to_x, y - 1, to_z)]:
                    found |= ways[to_i, to_j]
        if found:
            return found
    return DOWN - 1
