"""Who hurts whom: the player's blows, what mobs lose and leave, and being pushed."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops, survival
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell

LIFE = np.array([0, 0, 0, 0, 10, 10, 8, 4, 20, 16, 20, 20], np.float64)
"""Half hearts of a healthy mob, by kind."""

INVULNERABLE = 10  # ticks after a hit in which only the excess of a harder one counts
ANGER = 100  # ticks that a mob flees, or hunts, after the player has hit it
KNOCK = 0.4  # blocks per tick that a hit pushes, and the most that it lifts

_LOOT = {
    st.COW: (("beef", 1, 3), ("leather", 0, 2)),
    st.PIG: (("porkchop", 1, 3),),
    st.SHEEP: (("mutton", 1, 2), ("wool", 1, 1)),
    st.CHICKEN: (("chicken", 1, 1), ("feather", 0, 2)),
    st.ZOMBIE: (("rotten_flesh", 0, 2),),
    st.SPIDER: (("string", 0, 2),),
    st.SKELETON: (("bone", 0, 2), ("arrow", 0, 2)),
    st.CREEPER: (("gunpowder", 0, 2),),
}


def _loot_table() -> np.ndarray:
    table = np.zeros((len(st.KINDS), 2, 3), np.int64)
    for kind, entries in _LOOT.items():
        for place, (name, low, high) in enumerate(entries):
            table[kind, place] = items.ITEM[name], low, high
    return table


def _by_item(default: float, entries: dict) -> np.ndarray:
    table = np.full(len(items.NAMES), default, np.float64)
    for name, value in entries.items():
        table[items.ITEM[name]] = value
    return table


LOOT = _loot_table()
"""What a dead mob leaves: by kind, two times item, fewest, most."""

POWER = _by_item(1, {"wooden_pickaxe": 2, "stone_pickaxe": 3, "iron_pickaxe": 4})
"""Half hearts that a full blow takes, by item in the hand; 1 with the fist."""

USES = _by_item(0, items.USES)
"""Uses of a tool, 0 for what is none."""

FIST_SPEED, PICKAXE_SPEED = 4.0, 1.2  # full blows per second


@inner(_nrt=False)
def strike(s, row):
    """The player hits a mob with what slot 0 holds; returns whether it took life.

    A blow has `0.2 + 0.8 f²` of its power, `f` being the share of the time between two
    full blows that has passed since the last one. So clicking every tick does little.
    """
    slot, mob, body = s.slots[0], s.ents[row], s.body
    item = slot[0]
    tool = slot[1] > 0 and POWER[item] > 1
    power = POWER[item] if tool else 1.0
    speed = PICKAXE_SPEED if tool else FIST_SPEED
    charge = min(1.0, (body[st.CHARGE] + 0.5) * speed / 20.0)
    body[st.CHARGE] = 0.0
    before, fresh = mob[st.E_LIFE], mob[st.E_HURT] <= 0
    if not hurt_mob(mob, power * (0.2 + 0.8 * charge * charge)):
        return False
    body[st.EXHAUSTION] += 0.1
    s.num[st.DAMAGE_DEALT] += np.int64(10 * (before - mob[st.E_LIFE]) + 0.5)
    mob[st.E_ANGRY] = ANGER
    mob[st.E_TIMER] = 0.0  # forget where it was going
    if tool:
        slot[2] += 2
        if slot[2] >= USES[item]:
            slot[:] = 0
    if fresh:
        dx, dz = mob[st.E_X] - body[st.X], mob[st.E_Z] - body[st.Z]
        knock(mob, st.E_VX, mob[st.E_GROUND], dx, dz)
    return True


@inner(_nrt=False)
def hurt_mob(mob, amount):
    """Takes half hearts from a mob; returns whether the hit counted.

    `mobs.tick_mobs` buries those that have no life left.

    Args:
        mob: its row of `ents`.
        amount: half hearts, a float.
    """
    loss = amount
    if mob[st.E_HURT] > 0:
        loss -= mob[st.E_HIT]
    else:
        mob[st.E_HURT] = INVULNERABLE
    if loss <= 0:
        return False
    mob[st.E_HIT] = amount
    mob[st.E_LIFE] -= loss
    return True


@inner(_nrt=False)
def leave_loot(s, mob):
    """Drops what a dead mob of this kind leaves."""
    x, y, z = cell(mob[st.E_X]), cell(mob[st.E_Y]), cell(mob[st.E_Z])
    loot = LOOT[np.int64(mob[st.E_KIND])]
    for place in range(2):
        low, high = loot[place, 1], loot[place, 2]
        drops.drop(s, x, y, z, loot[place, 0], low + st.below(s, high - low + 1))


@inner(_nrt=False)
def hit_player(s, amount, cause, dx, dz):
    """Hurts the player, and pushes them along `(dx, dz)` if no hit was just taken."""
    fresh = s.body[st.HURT] <= 0
    if survival.hurt(s, amount, cause) and fresh:
        knock(s.body, st.VX, s.body[st.GROUND], dx, dz)


@inner(_nrt=False)
def knock(body, first, grounded, dx, dz):
    """Pushes a body along `(dx, dz)`; `first` is its first column of the velocity."""
    far = math.sqrt(dx * dx + dz * dz) + 1e-6
    body[first] = body[first] / 2 + dx / far * KNOCK
    body[first + 2] = body[first + 2] / 2 + dz / far * KNOCK
    if grounded > 0:
        body[first + 1] = min(KNOCK, body[first + 1] / 2 + KNOCK)


@inner(_nrt=False)
def sees(s, x, y, z, to_x, to_y, to_z):
    """Whether no solid block lies between two points; looks every quarter block."""
    dx, dy, dz = to_x - x, to_y - y, to_z - z
    steps = np.int64(4 * math.sqrt(dx * dx + dy * dy + dz * dz)) + 1
    for step in range(1, steps):
        part = step / steps
        i, j, k = cell(x + dx * part), cell(y + dy * part), cell(z + dz * part)
        if blocks.SOLID[st.get(s, i, j, k)]:
            return False
    return True
