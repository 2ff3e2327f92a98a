"""Items on the ground and blocks in the air: made, moved, merged, picked up.

Source: Minecraft 1.11.2 (EntityItem, EntityFallingBlock, InventoryPlayer).
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import physics
from dreamerv3_tf.envs.minecraft.voxel.nature.fluids import look
from dreamerv3_tf.envs.minecraft.voxel.state import get, put

MAIN = items.SLOTS - 5  # armour and the off-hand take nothing up by themselves
STACK = np.array([items.STACK.get(name, 64) for name in items.NAMES], np.int64)
FLINT, APPLE = items.ITEM["flint"], items.ITEM["apple"]

DELAY = 10  # ticks until a dropped item can be picked up
LASTS = 6000  # ticks until it vanishes
GRAVITY, DRAG, DRAG_GROUND = 0.04, 0.98, 0.98 * 0.6
BOX = 0.25  # width and height of an item, blocks
MERGE_EVERY = 25  # ticks
REST = 4  # ticks after which what lies still is asked if it still lies on something
LEAVES_WAIT = 300  # ticks, at most, until a leaf without its log is looked at
SIDES = np.array(((-1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)), np.int64)


@inner(_nrt=False)
def free_row(s):
    """Index of a row of `ents` for something new, cleared.

    If all are in use, it is that of the oldest item, or else of the oldest arrow or
    falling block. Mobs never give way (there are fewer of them than rows).
    """
    return _clear_row(s.ents, st.FALLING)


@inner(_nrt=False)
def _clear_row(ents, last):
    """Clears a free row, or else the oldest of a kind up to `last`, items first."""
    found, oldest = -1, -1.0
    for row in range(st.ENTS):
        kind, rank = ents[row, st.E_KIND], ents[row, st.E_AGE]
        if kind == 0.0:
            rank = 1e12
        elif kind == st.ITEM:
            rank += 1e9
        if kind <= last and rank > oldest:
            found, oldest = row, rank
    if found >= 0:
        for column in range(st.ENT):
            ents[found, column] = 0.0
    return found


@inner(_nrt=False)
def drop(s, x, y, z, item, count):
    """Lays an item at a random place of a cell, with a small upward throw.

    Args:
        s: the world.
        x: cell, whole numbers; likewise y, z.
        y: see x.
        z: see x.
        item: index of `items.NAMES`.
        count: pieces; nothing happens for 0.
    """
    if count <= 0:
        return
    row = free_row(s)
    ent = s.ents[row]
    ent[st.E_KIND] = st.ITEM
    ent[st.E_X] = x + 0.25 + 0.5 * st.random(s)
    ent[st.E_Y] = y + 0.25 + 0.5 * st.random(s)
    ent[st.E_Z] = z + 0.25 + 0.5 * st.random(s)
    ent[st.E_VX] = 0.2 * st.random(s) - 0.1
    ent[st.E_VY] = 0.2
    ent[st.E_VZ] = 0.2 * st.random(s) - 0.1
    ent[st.E_YAW] = 360.0 * st.random(s)
    ent[st.E_ITEM], ent[st.E_COUNT] = item, count
    ent[st.E_DELAY] = DELAY


@inner(_nrt=False)
def drop_block(s, x, y, z, block):
    """Lays down what a block gives when it is harvested, by chance where so.

    A log also makes the leaves around it be looked at later (see `updates.py`).
    """
    if blocks.IS_LOG[block]:
        _loosen_leaves(s, x, y, z)
    item, chance = np.int64(blocks.DROP_ITEM[block]), blocks.DROP_CHANCE[block]
    if item < 0:
        return
    if block == blocks.GRAVEL and st.random(s) < blocks.DROP_FLINT:
        item = FLINT
    if chance == 1.0 or st.random(s) < chance:
        count, high = np.int64(blocks.DROP_LOW[block]), blocks.DROP_HIGH[block]
        if high > count:
            count += st.below(s, high - count + 1)
        drop(s, x, y, z, item, count)
    if block == blocks.OAK_LEAVES and st.random(s) < blocks.DROP_APPLE:
        drop(s, x, y, z, APPLE, 1)


@inner(_nrt=False)
def _loosen_leaves(s, x, y, z):
    for i in range(-4, 5):
        for j in range(-4 + abs(i), 5 - abs(i)):
            tall = 4 - abs(i) - abs(j)
            for k in range(-tall, tall + 1):
                if blocks.IS_LEAVES[get(s, x + i, y + k, z + j)]:
                    st.later(s, x + i, y + k, z + j, 1 + st.below(s, LEAVES_WAIT))


@inner(_nrt=False)
def give(s, item, count):
    """Puts items into the player's slots; returns how many found no room.

    They go to stacks of the same item first, then to empty slots, from slot 0 on.
    """
    most = STACK[item]
    if most > 1:
        for slot in range(MAIN):
            if s.slots[slot, 0] == item and s.slots[slot, 1] > 0:
                part = min(count, most - s.slots[slot, 1])
                if part > 0:
                    s.slots[slot, 1] += part
                    count -= part
    for slot in range(MAIN):
        if count <= 0:
            break
        if s.slots[slot, 1] == 0:
            part = min(count, most)
            s.slots[slot, 0], s.slots[slot, 1], s.slots[slot, 2] = item, part, 0
            count -= part
    return count


@inner(_nrt=False)
def let_fall(ents, x, y, z, block):
    """Makes a falling block; False if all rows of `ents` are in use."""
    row = _clear_row(ents, 0)
    if row < 0:
        return False
    ent = ents[row]
    ent[st.E_KIND], ent[st.E_ITEM] = st.FALLING, block
    ent[st.E_X], ent[st.E_Y], ent[st.E_Z] = x + 0.5, y, z + 0.5
    return True


@inner(_nrt=False)
def tick_items(s):
    """Moves all items and falling blocks by a tick, and lets the player pick up.

    What lies outside of the window stays where it is, but grows old.
    """
    for row in range(st.ENTS):
        kind = s.ents[row, st.E_KIND]
        if kind != st.ITEM and kind != st.FALLING:
            continue
        ent = s.ents[row]
        ent[st.E_AGE] += 1
        x, z = physics.cell(ent[st.E_X]), physics.cell(ent[st.E_Z])
        if ent[st.E_AGE] >= LASTS:
            ent[st.E_KIND] = 0
        elif st.loaded(s, x, z):
            if kind == st.ITEM:
                _tick_item(s, row, x, z)
            else:
                _tick_falling(s, row, x, z)


@inner(_nrt=False)
def _tick_item(s, row, x, z):
    ent = s.ents[row]
    if ent[st.E_DELAY] > 0:
        ent[st.E_DELAY] -= 1
    elif s.num[st.DEAD] == 0 and _touches(ent, s.body):
        ent[st.E_COUNT] = give(s, np.int64(ent[st.E_ITEM]), np.int64(ent[st.E_COUNT]))
    y = physics.cell(ent[st.E_Y] + BOX / 2)
    block = get(s, x, y, z)
    if ent[st.E_COUNT] == 0 or blocks.FIERY[block]:
        ent[st.E_KIND] = 0
        return
    if blocks.SOLID[block]:
        _push_out(s.vox, ent, x, y, z)
    elif blocks.WATERY[block] or ent[st.E_AGE] % REST == 0 or not _lies_still(ent):
        _move(s, ent, blocks.WATERY[block])
    if ent[st.E_AGE] % MERGE_EVERY == 0:
        _merge(s.ents, row)


@inner(_nrt=False)
def _lies_still(ent):
    speed = abs(ent[st.E_VX]) + abs(ent[st.E_VZ])
    return ent[st.E_GROUND] > 0.0 and speed < 1e-3


@inner(_nrt=False)
def _touches(ent, body):
    """Whether an item touches the player's box grown by (1, 0.5, 1)."""
    reach = (BOX + st.WIDE) / 2 + 1.0
    return (
        abs(ent[st.E_X] - body[st.X]) < reach
        and abs(ent[st.E_Z] - body[st.Z]) < reach
        and ent[st.E_Y] < body[st.Y] + st.TALL + 0.5
        and ent[st.E_Y] + BOX > body[st.Y] - 0.5
    )


@inner(_nrt=False)
def _move(s, ent, is_wet):
    x, y, z = ent[st.E_X], ent[st.E_Y], ent[st.E_Z]
    vx, vy, vz = ent[st.E_VX], ent[st.E_VY] - GRAVITY, ent[st.E_VZ]
    if is_wet:
        push_x, push_z = physics.push_of_water(s, x, y, z, BOX, BOX)
        vx += push_x
        vz += push_z
    dx, dy, dz = physics.slide(s, x, y, z, vx, vy, vz, BOX, BOX)
    ent[st.E_X], ent[st.E_Y], ent[st.E_Z] = x + dx, y + dy, z + dz
    on_ground = vy < 0 and dy != vy
    drag = DRAG_GROUND if on_ground else DRAG
    ent[st.E_GROUND] = 1.0 if on_ground else 0.0
    ent[st.E_VX] = vx * drag if dx == vx else 0.0
    ent[st.E_VY] = vy * DRAG if dy == vy else 0.0
    ent[st.E_VZ] = vz * drag if dz == vz else 0.0


@inner(_nrt=False)
def _push_out(vox, ent, x, y, z):
    """Takes an item out of a solid cell, through the nearest open side or the top."""
    best, step = 2, 9.0
    for side in range(5):
        i, j, k = SIDES[side, 0], SIDES[side, 1], SIDES[side, 2]
        off = i * (ent[st.E_X] - x - 0.5) + k * (ent[st.E_Z] - z - 0.5)
        gap = 0.5 - off - j * (ent[st.E_Y] + BOX / 2 - y - 0.5)
        if gap < step and not blocks.SOLID[look(vox, x + i, y + j, z + k)]:
            best, step = side, gap
    step = 1.0 if step == 9.0 else step + 0.13
    ent[st.E_X] += SIDES[best, 0] * step
    ent[st.E_Y] += SIDES[best, 1] * step
    ent[st.E_Z] += SIDES[best, 2] * step
    ent[st.E_VX], ent[st.E_VY], ent[st.E_VZ] = 0.0, 0.0, 0.0


@inner(_nrt=False)
def _merge(ents, row):
    """Takes equal items that lie near into this one, as far as one stack goes."""
    ent = ents[row]
    most = STACK[np.int64(ent[st.E_ITEM])]
    for other in range(st.ENTS):
        its = ents[other]
        if (
            other != row
            and its[st.E_KIND] == st.ITEM
            and its[st.E_ITEM] == ent[st.E_ITEM]
            and its[st.E_COUNT] + ent[st.E_COUNT] <= most
            and abs(its[st.E_Y] - ent[st.E_Y]) < BOX
            and abs(its[st.E_X] - ent[st.E_X]) < 0.5 + BOX
            and abs(its[st.E_Z] - ent[st.E_Z]) < 0.5 + BOX
        ):
            ent[st.E_COUNT] += its[st.E_COUNT]
            ent[st.E_DELAY] = max(ent[st.E_DELAY], its[st.E_DELAY])
            ent[st.E_AGE] = min(ent[st.E_AGE], its[st.E_AGE])
            its[st.E_KIND] = 0


@inner(_nrt=False)
def _tick_falling(s, row, x, z):
    ent = s.ents[row]
    vy = ent[st.E_VY] - GRAVITY
    cell, end = physics.cell(ent[st.E_Y]), physics.cell(ent[st.E_Y] + vy)
    while cell > end and not blocks.SOLID[get(s, x, cell - 1, z)]:
        cell -= 1
    if cell == end:
        ent[st.E_Y] += vy
        ent[st.E_VY] = vy * DRAG
        return
    block = np.int64(ent[st.E_ITEM])
    ent[st.E_KIND] = 0
    if blocks.REPLACEABLE[get(s, x, cell, z)]:
        put(s, x, cell, z, block)
    else:
        drop(s, x, cell, z, np.int64(blocks.DROP_ITEM[block]), 1)
