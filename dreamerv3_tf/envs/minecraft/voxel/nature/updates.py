"""What blocks do when something beside them changes, or when their time has come.

`state.put` has a cell and its six neighbours looked at in the next tick; `state.later`
asks for a look at any other time. A cell at rest does nothing when it is looked at, and
asks for nothing, so a world comes to rest.

Source: Minecraft 1.11.2 (BlockFalling, BlockBush, BlockCactus, BlockReed, BlockLeaves).
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops, fluids
from dreamerv3_tf.envs.minecraft.voxel.nature.fluids import look
from dreamerv3_tf.envs.minecraft.voxel.state import put

LIMIT = 256  # cells looked at in a tick; the others wait
WAIT = 20  # ticks until a cell at the edge of the window is tried again
FAR = 6  # chunks from the middle of the window, beyond which a cell is forgotten
MARGIN = fluids.MARGIN  # columns around a cell that a look may read
SPAN, CHANCE = 300, 0.125  # slow changes: ticks between tries at most, and chance

SLOW = blocks.IS_LEAVES | (np.arange(256) == blocks.GRASS)
FLOWS, FALLS = blocks.WATERY | blocks.FIERY, blocks.FALLS

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
        tuple(np.flatnonzero(blocks.OPAQUE).tolist()): FULL,
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


@inner(_nrt=True)
def tick_updates(s):
    """Looks at the cells of the queue that are due, in order."""
    due = np.zeros((LIMIT, 3), np.int64)
    for i in range(_take_due(s, due)):
        _look(s, due[i, 0], due[i, 1], due[i, 2])


@inner(_nrt=False)
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
            if _is_inside(s.chunks, x, z):
                taken += _add_new(due, taken, x, y, z)
                continue
            off_x = (x >> 4) - s.num[st.CENTRE_X]
            off_z = (z >> 4) - s.num[st.CENTRE_Z]
            if max(abs(off_x), abs(off_z)) > FAR:
                continue
            time = now + WAIT
        cell = s.queue[kept]
        cell[0], cell[1], cell[2], cell[3] = x, y, z, time
        kept += 1
    s.num[st.QUEUED] = kept
    return taken


@inner(_nrt=False)
def _is_inside(chunks, x, z):
    """Whether all columns that a look may read are loaded."""
    for corner in range(4):
        cx = x + MARGIN * (corner // 2 * 2 - 1) >> 4
        cz = z + MARGIN * (corner % 2 * 2 - 1) >> 4
        if chunks[cx & 7, cz & 7, 0] != cx or chunks[cx & 7, cz & 7, 1] != cz:
            return False
    return True


@inner(_nrt=False)
def _add_new(due, taken, x, y, z):
    """Appends a cell unless it is there already; returns 1 if it did."""
    for row in range(taken):
        if due[row, 0] == x and due[row, 1] == y and due[row, 2] == z:
            return 0
    due[taken, 0], due[taken, 1], due[taken, 2] = x, y, z
    return 1


@inner(_nrt=False)
def _look(s, x, y, z):
    """Does what a cell asks for, or has it looked at again when it may be done."""
    block = look(s.vox, x, y, z)
    becomes, changes, wait = _plan(s.vox, x, y, z, block, s.num[st.TIME])
    if changes == 0:
        return
    if SLOW[block] and st.random(s) >= CHANCE:
        wait = 1 + st.below(s, SPAN)
    elif FALLS[block] and not drops.let_fall(s.ents, x, y, z, block):
        wait = WAIT
    if wait > 0:
        st.later(s, x, y, z, wait)
        return
    for way in range(6):
        if changes >> way & 1:
            _change(s, x, y, z, becomes, way)


@inner(_nrt=False)
def _plan(vox, x, y, z, block, time):
    """What a cell becomes, which cells it changes (as `fluids.plan`), and when."""
    if FLOWS[block]:
        return fluids.plan(vox, x, y, z, block, time)
    becomes = _due(vox, x, y, z, block)
    return becomes, fluids.ITSELF if becomes != block else 0, 0


@inner(_nrt=False)
def _change(s, x, y, z, becomes, way):
    """Changes a cell (way 0), or the one into which it flows.

    What pops or is washed off drops; lava burns it.
    """
    x += fluids.WAY_X[way]
    y += fluids.WAY_Y[way]
    z += fluids.WAY_Z[way]
    block = look(s.vox, x, y, z)
    if way > 0:
        becomes = fluids.enter(s.vox, x, y, z, becomes, way == 5)
    put(s, x, y, z, becomes)
    if not FALLS[block] and (becomes == blocks.AIR or blocks.WATERY[becomes]):
        drops.drop_block(s, x, y, z, block)


@inner(_nrt=False)
def _due(vox, x, y, z, block):
    """What a cell turns into, now or by and by; its own block if it is at rest."""
    above, under = look(vox, x, y + 1, z), look(vox, x, y - 1, z)
    if block == blocks.GRASS:
        return blocks.DIRT if blocks.OPAQUE[above] else block
    if FALLS[block]:
        stays = not blocks.REPLACEABLE[under]
    elif blocks.IS_LEAVES[block]:
        stays = _has_log(vox, x, y, z)
    elif block == blocks.VINE:
        stays = above == block or fluids.is_beside(vox, x, y, z, blocks.SOLID, 1)
    else:
        stays = NEEDS[block] == 0 or _can_stand(vox, x, y, z, block, under, above)
    return block if stays else blocks.AIR


@inner(_nrt=False)
def _has_log(vox, x, y, z):
    """Whether a log is within four steps of a cell."""
    for i in range(-4, 5):
        for j in range(-4 + abs(i), 5 - abs(i)):
            tall = 4 - abs(i) - abs(j)
            for k in range(-tall, tall + 1):
                if blocks.IS_LOG[look(vox, x + i, y + k, z + j)]:
                    return True
    return False


@inner(_nrt=False)
def _can_stand(vox, x, y, z, block, under, above):
    """Whether a plant or a layer of snow may stay on what is below."""
    if BASE[under] & NEEDS[block] == 0:
        return False
    if block == blocks.CACTUS:
        return not fluids.is_beside(vox, x, y, z, PRICKED, 0)
    if block == blocks.REEDS:
        return under == block or fluids.is_beside(vox, x, y - 1, z, WET, 0)
    return block != blocks.DOUBLE_PLANT or above == blocks.DOUBLE_PLANT_TOP
