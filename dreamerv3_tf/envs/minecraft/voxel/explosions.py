"""A creeper's explosion: it breaks blocks, hurts and pushes whoever is near."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks, drops, survival
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.fighting import hurt_mob, sees
from dreamerv3_tf.envs.minecraft.voxel.jit import inner

CAUSE = st.CAUSES.index("explosion")
POWER = 3.0
STEP = 0.3  # blocks between two looks along a ray
FADE = 0.225  # of a ray's strength, per step
BOX = 7  # cells on each side of the middle that a ray can reach
EYES = 0.85  # height of a mob's eyes, share of its height


def _resistance() -> np.ndarray:
    """What a block takes from a ray, in the unit of hardness."""
    table = np.maximum(blocks.HARDNESS, 0.0)
    for found in (blocks.STONE, blocks.GRANITE, blocks.DIORITE, blocks.ANDESITE):
        table[found] = 6.0
    table[[blocks.COBBLESTONE, blocks.MOSSY_COBBLESTONE]] = 6.0
    table[blocks.PLANKS], table[blocks.HARDENED_CLAY] = 3.0, 4.2
    table[list(blocks.FLUIDS)] = 100.0
    table[blocks.OBSIDIAN], table[blocks.BEDROCK] = 1200.0, 3.6e6
    return table


RESISTANCE = _resistance()


@inner
def explode(s, row):
    """The mob of a row explodes and is gone."""
    mob = s.ents[row]
    x, y, z = mob[st.E_X], mob[st.E_Y], mob[st.E_Z]
    broken = _reached(s, x, y, z)
    _hurt_player(s, x, y, z)  # before blocks vanish, which give cover
    for other in range(st.ENTS):
        if other != row and s.ents[other, st.E_KIND] >= st.COW:
            _hurt_other(s, other, x, y, z)
    _break(s, x, y, z, broken)
    mob[st.E_KIND] = 0.0


@inner
def _reached(s, x, y, z):
    """Cells around the middle that the explosion breaks, bool `[15, 15, 15]`.

    Rays go to all cells on the surface of a 16x16x16 cube. Each begins with 0.7 to 1.3
    of the power, and air and blocks wear it down.
    """
    broken = np.zeros((2 * BOX + 1, 2 * BOX + 1, 2 * BOX + 1), np.bool_)
    for i in range(16):
        for j in range(16):
            inside = 0 < i < 15 and 0 < j < 15
            for k in range(0, 16, 15 if inside else 1):
                _follow_ray(s, x, y, z, i / 7.5 - 1, j / 7.5 - 1, k / 7.5 - 1, broken)
    return broken


@inner
def _follow_ray(s, x, y, z, dx, dy, dz, broken):
    far = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / far * STEP, dy / far * STEP, dz / far * STEP
    base_x = np.int64(math.floor(x)) - BOX
    base_y = np.int64(math.floor(y)) - BOX
    base_z = np.int64(math.floor(z)) - BOX
    strength = POWER * (0.7 + 0.6 * st.random(s))
    while strength > 0:
        i, j = np.int64(math.floor(x)), np.int64(math.floor(y))
        k = np.int64(math.floor(z))
        block = st.get(s, i, j, k)
        if block != blocks.AIR:
            strength -= (RESISTANCE[block] + 0.3) * STEP
            if strength > 0:
                broken[i - base_x, j - base_y, k - base_z] = True
        x, y, z = x + dx, y + dy, z + dz
        strength -= FADE


@inner
def _break(s, x, y, z, broken):
    """Turns cells into air; a third of them drop what they hold."""
    base_x = np.int64(math.floor(x)) - BOX
    base_y = np.int64(math.floor(y)) - BOX
    base_z = np.int64(math.floor(z)) - BOX
    for i in range(2 * BOX + 1):
        for j in range(2 * BOX + 1):
            for k in range(2 * BOX + 1):
                if broken[i, j, k]:
                    at_x, at_y, at_z = base_x + i, base_y + j, base_z + k
                    block = st.get(s, at_x, at_y, at_z)
                    st.put(s, at_x, at_y, at_z, blocks.AIR)
                    if st.random(s) * POWER < 1:
                        drops.drop_block(s, at_x, at_y, at_z, block)


@inner
def _hurt_player(s, x, y, z):
    body = s.body
    impact = _impact(s, x, y, z, body[st.X], body[st.Y], body[st.Z], st.WIDE, st.TALL)
    if impact > 0:
        survival.hurt(s, _damage(impact), CAUSE)
        _push(body, st.X, st.VX, st.EYE, x, y, z, impact)


@inner
def _hurt_other(s, row, x, y, z):
    mob = s.ents[row]
    kind = np.int64(mob[st.E_KIND])
    wide, tall = st.ENT_WIDE[kind], st.ENT_TALL[kind]
    impact = _impact(s, x, y, z, mob[st.E_X], mob[st.E_Y], mob[st.E_Z], wide, tall)
    if impact > 0:
        _push(mob, st.E_X, st.E_VX, EYES * tall, x, y, z, impact)
        hurt_mob(s, row, _damage(impact))


@inner
def _damage(impact):
    """Half hearts: 43 in the middle, 1 at the edge."""
    return np.floor((impact * impact + impact) / 2 * 7 * 2 * POWER + 1)


@inner
def _push(body, place, velocity, eye, x, y, z, impact):
    """Pushes a body away; `place` and `velocity` are its first columns of these."""
    dx, dy, dz = body[place] - x, body[place + 1] + eye - y, body[place + 2] - z
    far = max(1e-3, math.sqrt(dx * dx + dy * dy + dz * dz))
    body[velocity] += dx / far * impact
    body[velocity + 1] += dy / far * impact
    body[velocity + 2] += dz / far * impact


@inner
def _impact(s, x, y, z, to_x, to_y, to_z, wide, tall):
    """0 to 1: less with the distance, and by the share of the body that has cover."""
    dx, dy, dz = to_x - x, to_y - y, to_z - z
    far = math.sqrt(dx * dx + dy * dy + dz * dz) / (2 * POWER)
    if far >= 1:
        return 0.0
    seen = 0
    for i in range(3):
        for j in range(4):
            for k in range(3):
                at_x = to_x + (i - 1) * 0.49 * wide
                at_y = to_y + (0.01 + 0.32 * j) * tall
                at_z = to_z + (k - 1) * 0.49 * wide
                seen += sees(s, at_x, at_y, at_z, x, y, z)
    return (1 - far) * seen / 36
