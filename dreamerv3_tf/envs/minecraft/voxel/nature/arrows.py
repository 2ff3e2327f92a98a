"""Arrows: skeletons shoot them, they fly, and hit the player or break on a block."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.nature import drops
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell

SPEED = 1.6  # blocks per tick at the start
SPREAD = 0.018  # of its direction, for each of 14 - 4 * difficulty
GRAVITY, DRAG, DRAG_WATER = 0.05, 0.99, 0.6
BOW = 1.7  # height of a skeleton's bow over its feet, blocks
MARGIN = 0.3  # around the player's box, the arrow's own thickness
WEAKEST, STRONGEST = 2.0, 5.0  # half hearts
LONGEST = 1200  # ticks in flight


@inner(_nrt=False)
def shoot(s, archer):
    """A skeleton shoots at the player's chest, less straight on low difficulty."""
    arrow, body, hard = s.ents[drops.free_row(s)], s.body, s.num[st.DIFFICULTY]
    x, y, z = archer[st.E_X], archer[st.E_Y] + BOW, archer[st.E_Z]
    dx, dz = body[st.X] - x, body[st.Z] - z
    dy = body[st.Y] + st.TALL / 3 - y
    dy += 0.2 * math.sqrt(dx * dx + dz * dz)  # it will fall on its way
    far = math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6
    arrow[st.E_KIND] = st.ARROW
    arrow[st.E_X], arrow[st.E_Y], arrow[st.E_Z] = x, y, z
    arrow[st.E_VX], arrow[st.E_VY], arrow[st.E_VZ] = dx / far, dy / far, dz / far
    for column in range(st.E_VX, st.E_VZ + 1):
        arrow[column] += SPREAD * (14 - 4 * hard) * (st.random(s) - st.random(s))
        arrow[column] *= SPEED
    arrow[st.E_YAW] = math.degrees(math.atan2(-dx, dz))
    arrow[st.E_DAMAGE] = 2 + 0.11 * hard + 0.6 * (st.random(s) - st.random(s))


@inner(_nrt=False)
def fly(s, arrow):
    """Moves an arrow by a tick; returns whether it hits the player.

    What it hits, player or block, ends it; `E_DAMAGE` is then what it takes from the
    player, half hearts.
    """
    body, reach = s.body, st.WIDE / 2 + MARGIN
    vx, vy, vz = arrow[st.E_VX], arrow[st.E_VY], arrow[st.E_VZ]
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    arrow[st.E_AGE] += 1
    steps, block = np.int64(speed * 4) + 1, blocks.AIR
    for _ in range(steps):
        arrow[st.E_X] += vx / steps
        arrow[st.E_Y] += vy / steps
        arrow[st.E_Z] += vz / steps
        x, z = cell(arrow[st.E_X]), cell(arrow[st.E_Z])
        block = st.get(s, x, cell(arrow[st.E_Y]), z)
        if blocks.SOLID[block] or arrow[st.E_AGE] > LONGEST or not st.loaded(s, x, z):
            arrow[st.E_KIND] = 0.0
            return False
        if (
            abs(arrow[st.E_X] - body[st.X]) < reach
            and abs(arrow[st.E_Z] - body[st.Z]) < reach
            and -MARGIN < arrow[st.E_Y] - body[st.Y] < st.TALL + MARGIN
        ):
            harm = np.ceil(speed * arrow[st.E_DAMAGE])
            arrow[st.E_DAMAGE] = min(STRONGEST, max(WEAKEST, harm))
            arrow[st.E_KIND] = 0.0
            return True
    drag = DRAG_WATER if blocks.WATERY[block] else DRAG
    arrow[st.E_VX] = vx * drag
    arrow[st.E_VY] = vy * drag - GRAVITY
    arrow[st.E_VZ] = vz * drag
    return False
