"""Arrows: skeletons shoot them, they fly, and hit the player or break on a block."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks, drops
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.fighting import hit_player
from dreamerv3_tf.envs.minecraft.voxel.jit import inner

CAUSE = st.CAUSES.index("arrow")
SPEED = 1.6  # blocks per tick at the start
GRAVITY, DRAG, DRAG_WATER = 0.05, 0.99, 0.6
BOW = 1.7  # height of a skeleton's bow over its feet, blocks
MARGIN = 0.3  # around the player's box, the arrow's own thickness
WEAKEST, STRONGEST = 2.0, 5.0  # half hearts
LONGEST = 1200  # ticks in flight


@inner
def shoot(s, row):
    """The mob of a row shoots at the player's chest, less straight on low difficulty."""
    free = drops.spare_row(s)
    if free < 0:
        return
    archer, arrow = s.ents[row], s.ents[free]
    arrow[st.E_KIND] = st.ARROW
    x, y, z = archer[st.E_X], archer[st.E_Y] + BOW, archer[st.E_Z]
    arrow[st.E_X], arrow[st.E_Y], arrow[st.E_Z] = x, y, z
    dx, dz = s.body[st.X] - x, s.body[st.Z] - z
    dy = s.body[st.Y] + st.TALL / 3 - y
    dy += 0.2 * math.sqrt(dx * dx + dz * dz)  # it will fall on its way
    far = max(1e-3, math.sqrt(dx * dx + dy * dy + dz * dz))
    spread = 0.018 * (14 - 4 * s.num[st.DIFFICULTY])
    arrow[st.E_VX] = SPEED * (dx / far + spread * (st.random(s) - st.random(s)))
    arrow[st.E_VY] = SPEED * (dy / far + spread * (st.random(s) - st.random(s)))
    arrow[st.E_VZ] = SPEED * (dz / far + spread * (st.random(s) - st.random(s)))
    arrow[st.E_YAW] = math.degrees(math.atan2(-dx, dz))
    arrow[st.E_DAMAGE] = (
        2 + 0.11 * s.num[st.DIFFICULTY] + 0.6 * (st.random(s) - st.random(s))
    )


@inner
def tick_arrow(s, row):
    """Flies on for a tick; a block or the player ends it."""
    arrow = s.ents[row]
    vx, vy, vz = arrow[st.E_VX], arrow[st.E_VY], arrow[st.E_VZ]
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    arrow[st.E_AGE] += 1
    steps = np.int64(speed * 4) + 1
    block = blocks.AIR
    for _ in range(steps):
        arrow[st.E_X] += vx / steps
        arrow[st.E_Y] += vy / steps
        arrow[st.E_Z] += vz / steps
        i = np.int64(math.floor(arrow[st.E_X]))
        j = np.int64(math.floor(arrow[st.E_Y]))
        k = np.int64(math.floor(arrow[st.E_Z]))
        block = st.get(s, i, j, k)
        if blocks.SOLID[block] or arrow[st.E_AGE] > LONGEST or not st.loaded(s, i, k):
            arrow[st.E_KIND] = 0.0
            return
        if _meets_player(s, arrow):
            amount = np.ceil(speed * arrow[st.E_DAMAGE])
            arrow[st.E_KIND] = 0.0
            hit_player(s, min(STRONGEST, max(WEAKEST, amount)), CAUSE, vx, vz)
            return
    drag = DRAG_WATER if blocks.WATERY[block] else DRAG
    arrow[st.E_VX] = vx * drag
    arrow[st.E_VY] = vy * drag - GRAVITY
    arrow[st.E_VZ] = vz * drag


@inner
def _meets_player(s, arrow):
    reach = st.WIDE / 2 + MARGIN
    up = arrow[st.E_Y] - s.body[st.Y]
    return (
        abs(arrow[st.E_X] - s.body[st.X]) < reach
        and abs(arrow[st.E_Z] - s.body[st.Z]) < reach
        and -MARGIN < up < st.TALL + MARGIN
    )
