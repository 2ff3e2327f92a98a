"""A creeper's explosion: it breaks blocks, hurts and pushes whoever is near."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops, survival
from dreamerv3_tf.envs.minecraft.voxel.nature.fighting import hurt_mob, sees
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell

CAUSE = st.CAUSES.index("explosion")
POWER = 3.0
STEP = 0.3  # blocks between two looks along a ray
FADE = 0.225  # of a ray's strength, per step
BOX = 7  # cells on each side of the middle that a ray can reach
EYES = 0.85  # height of the eyes, share of the whole
MARK = 128  # added to a block that will break; all numbers of blocks are smaller


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


@inner(_nrt=False)
def explode(s, row):
    """The mob of a row explodes and is gone."""
    mob = s.ents[row]
    x, y, z = mob[st.E_X], mob[st.E_Y], mob[st.E_Z]
    mob[st.E_KIND] = 0.0
    _hurt_all(s, x, y, z)  # before blocks vanish, which give cover
    for i in range(16):
        for j in range(16):
            inside = 0 < i < 15 and 0 < j < 15
            for k in range(0, 16, 15 if inside else 1):
                _follow_ray(s, x, y, z, i / 7.5 - 1, j / 7.5 - 1, k / 7.5 - 1)
    _break(s, cell(x), cell(y), cell(z))


@inner(_nrt=False)
def _follow_ray(s, x, y, z, dx, dy, dz):
    """Marks the blocks that a ray breaks, with `MARK`.

    Rays go to all cells on the surface of a 16x16x16 cube. Each begins with 0.7 to 1.3
    of the power; the way and the blocks on it wear it down.
    """
    far = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / far * STEP, dy / far * STEP, dz / far * STEP
    strength = POWER * (0.7 + 0.6 * st.random(s))
    while strength > 0:
        i, j, k = cell(x) & 127, cell(y), cell(z) & 127
        if j < 0 or j >= st.HEIGHT or not st.loaded(s, cell(x), cell(z)):
            return
        block = s.vox[i, k, j] & ~MARK
        if block != blocks.AIR:
            strength -= (RESISTANCE[block] + 0.3) * STEP
            if strength > 0:
                s.vox[i, k, j] = block | MARK
        x, y, z = x + dx, y + dy, z + dz
        strength -= FADE


@inner(_nrt=False)
def _break(s, x, y, z):
    """Turns marked cells into air; a third of them drop what they hold."""
    for i in range(x - BOX, x + BOX + 1):
        for j in range(max(0, y - BOX), min(st.HEIGHT, y + BOX + 1)):
            for k in range(z - BOX, z + BOX + 1):
                block = s.vox[i & 127, k & 127, j]
                if block & MARK:
                    st.put(s, i, j, k, blocks.AIR)
                    if st.random(s) * POWER < 1:
                        drops.drop_block(s, i, j, k, np.int64(block & ~MARK))


@inner(_nrt=False)
def _hurt_all(s, x, y, z):
    """Hurts and pushes the player, as row -1, and all mobs."""
    for row in range(-1, st.ENTS):
        kind = 0 if row < 0 else np.int64(s.ents[row, st.E_KIND])
        if row >= 0 and kind < st.COW:
            continue
        body = s.body if row < 0 else s.ents[row]
        first = st.X if row < 0 else st.E_X
        wide = st.WIDE if row < 0 else st.ENT_WIDE[kind]
        tall = st.TALL if row < 0 else st.ENT_TALL[kind]
        dx, dy, dz = body[first] - x, body[first + 1] - y, body[first + 2] - z
        far = math.sqrt(dx * dx + dy * dy + dz * dz) / (2 * POWER)
        if far < 1:
            impact = (1 - far) * _exposure(s, x, y, z, dx, dy, dz, wide, tall)
            _push(body, first + 3, dx, dy + EYES * tall, dz, impact)
            harm = np.floor((impact * impact + impact) * 7 * POWER + 1)
            if row < 0 and impact > 0:
                survival.hurt(s, harm, CAUSE)
            elif impact > 0:
                hurt_mob(body, harm)


@inner(_nrt=False)
def _push(body, first, dx, dy, dz, impact):
    """Adds to a velocity, which begins at column `first`, along a direction."""
    far = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6
    body[first] += dx / far * impact
    body[first + 1] += dy / far * impact
    body[first + 2] += dz / far * impact


@inner(_nrt=False)
def _exposure(s, x, y, z, dx, dy, dz, wide, tall):
    """Share of a body, with its feet centre at an offset, that has no cover."""
    seen = 0
    for point in range(36):
        i, j, k = point % 3 - 1, point // 9, point // 3 % 3 - 1
        at_x = x + dx + i * 0.49 * wide
        at_y = y + dy + (0.01 + 0.32 * j) * tall
        at_z = z + dz + k * 0.49 * wide
        seen += sees(s, at_x, at_y, at_z, x, y, z)
    return seen / 36
