"""What blocks do when something beside them changes, or when their time has come.

`state.put` has a cell and its six neighbours looked at in the next tick; `state.later`
asks for a look at any other time. A cell at rest does nothing when it is looked at, and
asks for nothing, so a world comes to rest.

Source: Minecraft 1.11.2 (BlockFalling, BlockBush, BlockCactus, BlockReed, BlockLeaves).
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks, drops, fluids
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import get, loaded, put

LIMIT = 256  # cells looked at in a tick; the others wait
WAIT = 20  # ticks until a cell at the edge of the window is tried again
FAR = 6  # chunks from the middle of the window, beyond which a cell is forgotten
MARGIN = fluids.MARGIN  # columns around a cell that a look may read
SLOW, SLOW_CHANCE = 300, 0.125  # what happens at random: ticks between tries, chance

# What a plant needs below, as bits: it stands where `BASE[ground] & NEEDS[plant]`.
SOIL, SANDY, CLAYEY, FULL, POND, REED, SPINE, STEM = (1 << bit for bit in range(8))


def _bits(entries: dict[tuple[int, ...], int]) -> np.ndarray:
    table = np.zeros(256, np.int64)
    for names, bits in entries.items():
        table[list(names)] |= bits
    table.setflags(write=False)
    return table


BASE = _bits(
    {
        tuple(np.flatnonzero(blocks.OPAQUE)): FULL,
        (blocks.DIRT, blocks.GRASS, blocks.PODZOL): SOIL,
        (blocks.SAND, blocks.RED_SAND): SANDY,
        (blocks.HARDENED_CLAY,): CLAYEY,
        (blocks.WATER, blocks.ICE): POND,
        (blocks.REEDS,): REED,
        (blocks.CACTUS,): SPINE,
        (blocks.DOUBLE_PLANT,): STEM,
    }
)
NEEDS = _bits(
    {
        (blocks.TALL_GRASS, blocks.FERN, blocks.DANDELION, blocks.POPPY): SOIL,
        (blocks.SAPLING, blocks.DOUBLE_PLANT): SOIL,
        (blocks.DEAD_BUSH,): SOIL | SANDY | CLAYEY,
        (blocks.BROWN_MUSHROOM, blocks.RED_MUSHROOM, blocks.SNOW_LAYER): FULL,
        (blocks.REEDS,): SOIL | SANDY | REED,
        (blocks.CACTUS,): SANDY | SPINE,
        (blocks.LILY_PAD,): POND,
        (blocks.DOUBLE_PLANT_TOP,): STEM,
    }
)
PRICKED = blocks.SOLID | blocks.FIERY  # beside a cactus, breaks it
WET = blocks.WATERY | (np.arange(256) == blocks.ICE)  # beside the ground of reeds


@inner
def tick_updates(s):
    """Looks at the cells of the queue that are due, in order."""
    due = np.empty((LIMIT, 3), np.int64)
    for i in range(_take_due(s, due)):
        _look(s, due[i, 0], due[i, 1], due[i, 2])


@inner
def _take_due(s, due):
    """Moves due cells from the queue to `due`, each once; returns how many.

    The others stay in the queue, in order. Cells near or beyond the edge of the window
    wait; those too far away are forgotten.
    """
    now, kept, taken = s.num[st.TIME], 0, 0
    for row in range(s.num[st.QUEUED]):
        cell = s.queue[row]
        x, y, z, time = cell[0], cell[1], cell[2], cell[3]
        if time <= now and taken < LIMIT:
            if _is_inside(s, x, z):
                taken += _add_new(due, taken, x, y, z)
                continue
            if _is_far(s, x, z):
                continue
            time = now + WAIT
        into = s.queue[kept]
        into[0], into[1], into[2], into[3] = x, y, z, time
        kept += 1
    s.num[st.QUEUED] = kept
    return taken


@inner
def _is_inside(s, x, z):
    """Whether all columns that a look may read are loaded."""
    return (
        loaded(s, x - MARGIN, z - MARGIN)
        and loaded(s, x - MARGIN, z + MARGIN)
        and loaded(s, x + MARGIN, z - MARGIN)
        and loaded(s, x + MARGIN, z + MARGIN)
    )


@inner
def _is_far(s, x, z):
    cx, cz = x >> 4, z >> 4
    return max(abs(cx - s.num[st.CENTRE_X]), abs(cz - s.num[st.CENTRE_Z])) > FAR


@inner
def _add_new(due, taken, x, y, z):
    """Appends a cell unless it is there already; returns 1 if it did."""
    for row in range(taken - 1, -1, -1):
        if due[row, 0] == x and due[row, 1] == y and due[row, 2] == z:
            return 0
    due[taken, 0], due[taken, 1], due[taken, 2] = x, y, z
    return 1


@inner
def _look(s, x, y, z):
    """Does what a cell asks for."""
    block = np.int64(get(s, x, y, z))
    if blocks.WATERY[block] or blocks.FIERY[block]:
        fluids.stream(s, x, y, z, block)
    elif blocks.FALLS[block]:
        if blocks.REPLACEABLE[get(s, x, y - 1, z)]:
            drops.let_fall(s, x, y, z, block)
    elif blocks.IS_LEAVES[block]:
        if not _has_log(s, x, y, z) and _has_come(s, x, y, z):
            put(s, x, y, z, blocks.AIR)
            drops.drop_block(s, x, y, z, block)
    elif block == blocks.GRASS:
        if blocks.OPAQUE[get(s, x, y + 1, z)] and _has_come(s, x, y, z):
            put(s, x, y, z, blocks.DIRT)
    elif NEEDS[block] != 0 or block == blocks.VINE:
        if not _can_stay(s, x, y, z, block):
            put(s, x, y, z, blocks.AIR)
            drops.drop_block(s, x, y, z, block)


@inner
def _has_come(s, x, y, z):
    """Whether the time of a slow change has come; if not, has the cell tried again."""
    if st.random(s) < SLOW_CHANCE:
        return True
    st.later(s, x, y, z, 1 + st.below(s, SLOW))
    return False


@inner
def _has_log(s, x, y, z):
    """Whether a log is within four steps of a cell."""
    for i in range(-4, 5):
        for j in range(-4 + abs(i), 5 - abs(i)):
            tall = 4 - abs(i) - abs(j)
            for k in range(-tall, tall + 1):
                if blocks.IS_LOG[get(s, x + i, y + k, z + j)]:
                    return True
    return False


@inner
def _can_stay(s, x, y, z, block):
    """Whether a plant or a layer of snow has what it stands on or hangs from."""
    above, under = get(s, x, y + 1, z), get(s, x, y - 1, z)
    if block == blocks.VINE:
        held = blocks.SOLID[above] or above == blocks.VINE
        return held or _is_beside(s, x, y, z, blocks.SOLID)
    if BASE[under] & NEEDS[block] == 0:
        return False
    if block == blocks.CACTUS:
        return not _is_beside(s, x, y, z, PRICKED)
    if block == blocks.REEDS:
        return under == blocks.REEDS or _is_beside(s, x, y - 1, z, WET)
    return block != blocks.DOUBLE_PLANT or above == blocks.DOUBLE_PLANT_TOP


@inner
def _is_beside(s, x, y, z, table):
    """Whether one of the four cells beside is in a table."""
    for k in range(4):
        if table[get(s, x + fluids.WAY_X[k], y, z + fluids.WAY_Z[k])]:
            return True
    return False
