"""Where to look: directions, in the agent's steps of 15 degrees, that serve a purpose.

The agent has 24 yaws and the 9 pitches from -60 to 60. All of them are tried, and the
one that is reached with the fewest actions is taken.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.nature.mining import MET, slab
from dreamerv3_tf.envs.minecraft.voxel.nature.physics import cell
from dreamerv3_tf.envs.minecraft.voxel.nature.tick import is_occupied
from dreamerv3_tf.envs.minecraft.voxel.oracle.passage import NEVER, clear_cost, is_among
from dreamerv3_tf.envs.minecraft.voxel.state import get, loaded

ANGLE = 15  # degrees
YAWS, HIGHEST = 24, 4  # number of yaws; pitches are -4 to 4 steps
THROUGH = 2  # blocks that may be broken on the way to the one that is meant
RAY = 32  # cells that a ray of 4.5 blocks passes, at most


@kernel()
def aim_at(s, cells, keep, margin):
    """Where to look to break one of some blocks, through others if need be.

    Args:
        s: the world.
        cells: int64 `[n, 3]`, blocks to break.
        keep: int64 `[m, 3]`, blocks that must stay.
        margin: distance within the reach that the block must lie, blocks.

    Returns:
        Actions that it takes, `NEVER` where it can't be done; yaw and pitch in steps.
    """
    best, best_yaw, best_pitch = NEVER, 0, 0
    ray = np.empty((RAY, 3), np.int64)
    for yaw in range(YAWS):
        for pitch in range(-HIGHEST, HIGHEST + 1):
            cost = _turns(s, yaw, pitch)
            if cost < best:
                count = _follow_ray(s, yaw, pitch, st.REACH - margin, ray)
                cost += _breaking(s, ray, count, cells, keep)
                if cost < best:
                    best, best_yaw, best_pitch = cost, yaw, pitch
    return best, best_yaw, best_pitch


@kernel()
def aim_for_placing(s):
    """Where to look to place a block: actions, yaw and pitch in steps.

    The cell must be free of bodies and of water, lie on something, and be near enough
    for the table to serve.
    """
    best, best_yaw, best_pitch = NEVER, 0, 0
    ray = np.empty((RAY, 3), np.int64)
    for yaw in range(YAWS):
        for pitch in range(-HIGHEST, HIGHEST + 1):
            cost = _turns(s, yaw, pitch)
            if cost < best:
                count = _follow_ray(s, yaw, pitch, st.REACH - 0.1, ray)
                cost += _placing(s, ray, count)
                if cost < best:
                    best, best_yaw, best_pitch = cost, yaw, pitch
    return best, best_yaw, best_pitch


@kernel()
def aim_at_mob(s, row):
    """Where to look to hit a mob: actions, yaw and pitch in steps; see `aim_at`."""
    best, best_yaw, best_pitch = NEVER, 0, 0
    ray = np.empty((RAY, 3), np.int64)
    mob = s.ents[row]
    kind = np.int64(mob[st.E_KIND])
    half, tall = 0.5 * st.ENT_WIDE[kind], st.ENT_TALL[kind]
    for yaw in range(YAWS):
        for pitch in range(-HIGHEST, HIGHEST + 1):
            cost = _turns(s, yaw, pitch)
            if cost < best and _meets(s, yaw, pitch, mob, half, tall, ray):
                best, best_yaw, best_pitch = cost, yaw, pitch
    return best, best_yaw, best_pitch


@inner
def _meets(s, yaw, pitch, mob, half, tall, ray):
    """Whether a ray meets a mob within reach, before any block."""
    dx, dy, dz = _direction(yaw, pitch)
    x, y, z = mob[st.E_X], mob[st.E_Y], mob[st.E_Z]
    eye = s.body[st.Y] + st.EYE
    near, far = slab(s.body[st.X], dx, x - half, x + half, 0.0, st.REACH_MOB)
    near, far = slab(eye, dy, y, y + tall, near, far)
    near, far = slab(s.body[st.Z], dz, z - half, z + half, near, far)
    if near >= far:
        return False
    count = _follow_ray(s, yaw, pitch, near, ray)
    for row in range(count):
        if MET[get(s, ray[row, 0], ray[row, 1], ray[row, 2])]:
            return False
    return True


@inner
def _direction(yaw, pitch):
    """Unit vector of a direction in steps."""
    turn, tilt = math.radians(yaw * 15.0), math.radians(pitch * 15.0)
    flat = math.cos(tilt)
    return -math.sin(turn) * flat, -math.sin(tilt), math.cos(turn) * flat


@inner
def _turns(s, yaw, pitch):
    """Actions that a turn takes; a yaw that is no side costs the way back."""
    from_yaw = np.int64(round(s.body[st.YAW] / ANGLE))
    from_pitch = np.int64(round(s.body[st.PITCH] / ANGLE))
    around = (yaw - from_yaw) % YAWS
    around = min(around, YAWS - around)
    aside = yaw % 6
    return float(around + abs(pitch - from_pitch) + min(aside, 6 - aside))


@inner
def _follow_ray(s, yaw, pitch, reach, ray):
    """Cells on a ray from the eye, up to a reach; stored in `ray`, returns how many."""
    dx, dy, dz = _direction(yaw, pitch)
    ex, ey, ez = s.body[st.X], s.body[st.Y] + st.EYE, s.body[st.Z]
    x, y, z = cell(ex), cell(ey), cell(ez)
    far, count = 0.0, 0
    while far <= reach and count < ray.shape[0]:
        ray[count, 0], ray[count, 1], ray[count, 2] = x, y, z
        count += 1
        far_x, far_y = _crossing(ex, x, dx), _crossing(ey, y, dy)
        far_z = _crossing(ez, z, dz)
        far = min(far_x, far_y, far_z)
        if far_x == far:
            x += 1 if dx > 0.0 else -1
        elif far_y == far:
            y += 1 if dy > 0.0 else -1
        else:
            z += 1 if dz > 0.0 else -1
    return count


@inner
def _crossing(start, low, slope):
    """Distance at which a ray leaves a cell along one axis."""
    if abs(slope) < 1e-9:
        return np.inf
    return ((low + 1.0 if slope > 0.0 else float(low)) - start) / slope


@inner
def _breaking(s, ray, count, cells, keep):
    """Actions that breaking takes, with all that is before; `NEVER` if it can't be."""
    before = 0
    for row in range(count):
        x, y, z = ray[row, 0], ray[row, 1], ray[row, 2]
        if not MET[get(s, x, y, z)]:
            continue
        if is_among(cells, x, y, z):
            return 1.0 + 2.0 * before
        if before == THROUGH or is_among(keep, x, y, z):
            break
        if clear_cost(s.vox, x, y, z, 0) >= NEVER:
            break
        before += 1
    return NEVER


@inner
def _placing(s, ray, count):
    """Cost of a block's being placed where a ray ends: far or high ones are lost."""
    for row in range(1, count):
        block = get(s, ray[row, 0], ray[row, 1], ray[row, 2])
        if MET[block]:
            x, y, z = ray[row - 1, 0], ray[row - 1, 1], ray[row - 1, 2]
            good = (
                blocks.SOLID[block]
                and loaded(s, x, z)
                and not blocks.WATERY[get(s, x, y, z)]
                and blocks.SOLID[get(s, x, y - 1, z)]
                and not is_occupied(s, x, y, z)
            )
            return row + 4.0 * abs(y - cell(s.body[st.Y])) if good else NEVER
    return NEVER
