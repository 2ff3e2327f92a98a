"""What the crosshair is on, and what the attack button does to it.

Source: Minecraft 1.11.2, where each tick with the button is a click and a hold.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops
from dreamerv3_tf.envs.minecraft.voxel.nature.fighting import USES, strike
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell, eyes_under_water
from dreamerv3_tf.envs.minecraft.voxel.state import get, put

PAUSE = 5  # ticks after a block that took more than one, before the next such block
MISS_PAUSE = 10  # ticks after a click into the air
DONE = 1.0 - 1e-9  # damage that breaks; sums of 1/15 end a little below 1

MET = ~(blocks.WATERY | blocks.FIERY)
MET[blocks.AIR] = False
"""Cells that the crosshair stops at."""

TIER = np.full(len(items.NAMES), -1, np.int64)
for _tier, _kind in enumerate(("wooden", "stone", "iron")):
    TIER[items.ITEM[f"{_kind}_pickaxe"]] = _tier
"""0 wooden, 1 stone, 2 iron pickaxe; -1 for any other item."""

TOOL_SPEED = np.array([1.0, 2.0, 4.0, 6.0])
"""Speed on rock by 1 + tier."""


@inner(_nrt=False)
def target(s):
    """Block under the crosshair.

    Returns:
        Whether there is one within reach, its cell x, y, z, and the face.
    """
    hit, x, y, z, face, _ = cast(s)
    return hit, x, y, z, face


@inner(_nrt=False)
def target_mob(s):
    """Row of the mob under the crosshair, within reach and before any block, or -1."""
    return mob_before(s, cast(s)[5])


@inner(_nrt=False)
def look(body):
    """Unit vector of where the player looks."""
    yaw, pitch = math.radians(body[st.YAW]), math.radians(body[st.PITCH])
    flat = math.cos(pitch)
    return -math.sin(yaw) * flat, -math.sin(pitch), math.cos(yaw) * flat


@inner(_nrt=False)
def cast(s):
    """First block on the ray from the eye; plants count as full cells.

    Where the eye is inside of such a cell, that is hit, on the face of the far side.

    Returns:
        Whether there is one, its cell x, y, z, the face, and the distance, which is
        the reach where there is none.
    """
    eye_x, eye_y, eye_z = s.body[st.X], s.body[st.Y] + st.EYE, s.body[st.Z]
    dx, dy, dz = look(s.body)
    x, y, z = cell(eye_x), cell(eye_y), cell(eye_z)
    step_x, next_x, gap_x = _crossings(eye_x, x, dx)
    step_y, next_y, gap_y = _crossings(eye_y, y, dy)
    step_z, next_z, gap_z = _crossings(eye_z, z, dz)
    inside = MET[get(s, x, y, z)]
    while True:
        was_x, was_y, was_z = x, y, z
        if next_x <= next_y and next_x <= next_z:
            far, face = next_x, np.int64(step_x < 0)
            x += step_x
            next_x += gap_x
        elif next_y <= next_z:
            far, face = next_y, 2 + np.int64(step_y < 0)
            y += step_y
            next_y += gap_y
        else:
            far, face = next_z, 4 + np.int64(step_z < 0)
            z += step_z
            next_z += gap_z
        if inside:
            return True, was_x, was_y, was_z, face ^ 1, 0.0
        if far > st.REACH:
            return False, x, y, z, face, st.REACH
        if MET[get(s, x, y, z)]:
            return True, x, y, z, face, far


@inner(_nrt=False)
def _crossings(start, low, slope):
    """Step between cells along an axis, distance of the first, and from one to one."""
    if slope > 0.0:
        return 1, (low + 1 - start) / slope, 1.0 / slope
    if slope < 0.0:
        return -1, (low - start) / slope, -1.0 / slope
    return 0, np.inf, np.inf


@inner(_nrt=False)
def mob_before(s, limit):
    """Row of the nearest mob on the ray from the eye, nearer than a limit, or -1."""
    dx, dy, dz = look(s.body)
    body, found = s.body, -1
    best = min(limit, st.REACH_MOB)
    for row in range(st.ENTS):
        ent = s.ents[row]
        kind = np.int64(ent[st.E_KIND])
        if kind >= st.COW:
            half = 0.5 * st.ENT_WIDE[kind]
            x, y, z = ent[st.E_X], ent[st.E_Y], ent[st.E_Z]
            enter, leave = slab(body[st.X], dx, x - half, x + half, 0.0, best)
            eye = body[st.Y] + st.EYE
            enter, leave = slab(eye, dy, y, y + st.ENT_TALL[kind], enter, leave)
            enter, leave = slab(body[st.Z], dz, z - half, z + half, enter, leave)
            if enter < leave:
                best, found = enter, row
    return found


@inner(_nrt=False)
def slab(start, slope, low, high, enter, leave):
    """Part of a ray's interval that lies between two planes; empty: enter >= leave."""
    if abs(slope) < 1e-12:
        return (enter, leave) if low < start < high else (1.0, 0.0)
    one, two = (low - start) / slope, (high - start) / slope
    return max(enter, min(one, two)), min(leave, max(one, two))


@inner(_nrt=False)
def mine(s, attack):
    """One tick of the attack button: hits a mob, digs a block, or misses.

    Args:
        s: the world.
        attack: whether the button is held, which is a fresh click as well.
    """
    body = s.body
    _look_at_hand(body, s.slots[0])
    body[st.CHARGE] += 1.0
    body[st.MISS] = max(0.0, body[st.MISS] - 1.0)
    if not attack:
        body[st.MISS] = body[st.MINE] = 0.0
    elif body[st.MISS] == 0.0:
        hit, x, y, z, _, far = cast(s)
        row = mob_before(s, far)
        if row >= 0:
            body[st.MINE] = 0.0
            strike(s, row)
        elif not hit:
            body[st.MISS] = MISS_PAUSE
            body[st.MINE] = body[st.CHARGE] = 0.0
        elif _dig(body, x, y, z, damage_of_tick(s, get(s, x, y, z))):
            _break(s, x, y, z)


@inner(_nrt=False)
def _look_at_hand(body, slot):
    """Another thing in the hand begins anew: the block and the swing."""
    hand = slot[0] + 1 if slot[1] > 0 else 0
    if hand != body[st.HAND]:
        body[st.HAND] = hand
        body[st.MINE] = body[st.CHARGE] = 0.0


@inner(_nrt=False)
def tier_in_hand(slot):
    """Tier of the pickaxe in slot 0, -1 for anything else."""
    return TIER[slot[0]] if slot[1] > 0 else -1


@inner(_nrt=False)
def damage_of_tick(s, block):
    """Share of a block that one tick breaks.

    `speed · factor / hardness / (30 if it can be harvested, else 100)`; a fifth with
    the eyes under water, a fifth off the ground.
    """
    hardness = blocks.HARDNESS[block]
    if hardness <= 0.0:
        return 0.0 if hardness < 0.0 else np.inf
    tier = tier_in_hand(s.slots[0])
    speed = TOOL_SPEED[tier + 1] if blocks.TOOL[block] == blocks.PICKAXE else 1.0
    if eyes_under_water(s):
        speed /= 5.0
    if s.body[st.GROUND] == 0.0:
        speed /= 5.0
    effort = 30.0 if tier >= blocks.LEVEL[block] else 100.0
    return speed * s.conf[st.BREAK_SPEED] / hardness / effort


@inner(_nrt=False)
def _dig(body, x, y, z, damage):
    """Adds the damage of a tick to a cell; returns whether it breaks."""
    if body[st.MINE_X] != x or body[st.MINE_Y] != y or body[st.MINE_Z] != z:
        body[st.MINE_X], body[st.MINE_Y], body[st.MINE_Z] = x, y, z
        body[st.MINE] = 0.0
    if damage >= DONE:
        return True
    if body[st.MINE_DELAY] > 0.0:
        body[st.MINE_DELAY] -= 1.0
        return False
    body[st.MINE] += damage
    if body[st.MINE] < DONE:
        return False
    body[st.MINE_DELAY] = PAUSE
    return True


@inner(_nrt=False)
def _break(s, x, y, z):
    """Takes a block away: drops, wear, hunger; ice melts where it lies on something."""
    block = get(s, x, y, z)
    under = get(s, x, y - 1, z)
    melts = block == blocks.ICE and (blocks.SOLID[under] or blocks.WATERY[under])
    put(s, x, y, z, blocks.WATER if melts else blocks.AIR)
    if tier_in_hand(s.slots[0]) >= blocks.LEVEL[block]:
        drops.drop_block(s, x, y, z, block)
    if blocks.HARDNESS[block] > 0.0:
        _wear(s.slots[0])
    s.body[st.MINE] = 0.0
    s.body[st.EXHAUSTION] += 0.005
    s.num[st.BLOCKS_BROKEN] += 1


@inner(_nrt=False)
def _wear(slot):
    """Takes one use off a tool; the last one leaves the slot empty."""
    if slot[1] > 0 and USES[slot[0]] > 0:
        slot[2] += 1
        if slot[2] >= USES[slot[0]]:
            slot[0], slot[1], slot[2] = 0, 0, 0
