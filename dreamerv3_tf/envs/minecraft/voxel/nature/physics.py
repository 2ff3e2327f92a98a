"""How bodies move: boxes against solid cells, and the player's walk, jump and swim.

Source: Minecraft 1.11.2; speeds in blocks per tick, see `state.py` for conventions.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import get, loaded

EPS = 1e-7  # overlaps up to this are rounding, and count as touching
WALK, GLIDE = 0.1, 0.02  # acceleration on ground, and in air or a fluid
DRAG, GRIP, GRIP_ICE = 0.91, 0.6, 0.98  # factors on speed: in air, and of the ground
JUMP, JUMP_PAUSE = 0.42, 10  # blocks/tick; ticks before a held jump repeats
FLOW = 0.014  # blocks/tick^2 by which a current pushes

FULL = blocks.SOLID | blocks.WATERY | blocks.FIERY
"""Cells that leave no room to climb out of a fluid."""


@inner(_nrt=False)
def cell(value):
    """Whole number at or below a coordinate."""
    return np.int64(math.floor(value))


@inner(_nrt=False)
def is_blocked(s, x0, x1, y0, y1, z0, z1):
    """Whether a box of cells, bounds included, has a solid one or leaves the window."""
    for x in range(x0, x1 + 1):
        for z in range(z0, z1 + 1):
            if not loaded(s, x, z):
                return True
            for y in range(y0, y1 + 1):
                if blocks.SOLID[get(s, x, y, z)]:
                    return True
    return False


@inner(_nrt=False)
def is_free(s, x, y, z, wide, tall):
    """Whether a body with its feet centre at a point overlaps nothing solid."""
    half = 0.5 * wide - EPS
    return not is_blocked(
        s, cell(x - half), cell(x + half), cell(y + EPS), cell(y + tall - EPS),
        cell(z - half), cell(z + half),
    )  # fmt: skip


@inner(_nrt=False)
def _sweep(s, axis, x, y, z, move, wide, tall):
    """Part of a move along one axis (0 x, 1 y, 2 z) up to the first solid layer.

    Layers of cells are looked at one by one, so no speed passes through a wall. A cell
    that the body is already in does not hold it.
    """
    half = 0.5 * wide - EPS
    x0, x1 = cell(x - half), cell(x + half)
    y0, y1 = cell(y + EPS), cell(y + tall - EPS)
    z0, z1 = cell(z - half), cell(z + half)
    low, high = y, y + tall
    if axis != 1:
        centre = x if axis == 0 else z
        low, high = centre - 0.5 * wide, centre + 0.5 * wide
    step = 1 if move > 0 else -1
    layer = cell(math.ceil(high - EPS)) if move > 0 else cell(low + EPS) - 1
    last = cell(math.ceil(high + move)) - 1 if move > 0 else cell(low + move)
    while (last - layer) * step >= 0:
        if axis == 0:
            x0 = x1 = layer
        elif axis == 1:
            y0 = y1 = layer
        else:
            z0 = z1 = layer
        if is_blocked(s, x0, x1, y0, y1, z0, z1):
            return max(0.0, layer - high) if move > 0 else min(0.0, layer + 1 - low)
        layer += step
    return move


@inner(_nrt=False)
def slide(s, x, y, z, dx, dy, dz, wide, tall):
    """How far a box gets on the way `(dx, dy, dz)`: first y, then x, then z.

    Solid cells and columns outside of the window stop it; a part that comes back
    smaller than it was has hit something.

    Args:
        s: the world.
        x, y, z: feet centre of the box.
        dx, dy, dz: the move, of any length.
        wide, tall: size of the box; the width is that of both x and z.

    Returns:
        The three parts of the move that are possible.
    """
    if dy != 0.0:
        dy = _sweep(s, 1, x, y, z, dy, wide, tall)
        y += dy
    if dx != 0.0:
        dx = _sweep(s, 0, x, y, z, dx, wide, tall)
        x += dx
    if dz != 0.0:
        dz = _sweep(s, 2, x, y, z, dz, wide, tall)
    return dx, dy, dz


@inner(_nrt=False)
def holds(s, table, x0, x1, y0, y1, z0, z1):
    """Whether a box (its corners, not cells) touches a cell whose `table` is true."""
    for x in range(cell(x0), cell(x1) + 1):
        for z in range(cell(z0), cell(z1) + 1):
            for y in range(cell(y0), cell(y1) + 1):
                if table[get(s, x, y, z)]:
                    return True
    return False


@inner(_nrt=False)
def touches_water(s, x, y, z, wide, tall):
    """Whether a body swims: water in its middle, 0.4 at its top and feet left out."""
    half, rim = 0.5 * wide - 0.001, min(0.5 * tall, 0.401)
    return holds(
        s, blocks.WATERY, x - half, x + half, y + rim, y + tall - rim, z - half,
        z + half,
    )  # fmt: skip


@inner(_nrt=False)
def touches_lava(s, x, y, z, wide, tall):
    """Whether a body is in lava; its rim, 0.4 at top and feet, 0.1 around, left out."""
    half, rim = max(0.0, 0.5 * wide - 0.1), min(0.5 * tall, 0.4)
    return holds(
        s, blocks.FIERY, x - half, x + half, y + rim, y + tall - rim, z - half,
        z + half,
    )  # fmt: skip


@inner(_nrt=False)
def eyes_under_water(s):
    """Whether the player's eyes are under the surface; flowing water stands lower."""
    body = s.body
    x, y, z = cell(body[st.X]), body[st.Y] + st.EYE, cell(body[st.Z])
    depth = _depth(get(s, x, cell(y), z))
    return depth >= 0 and y < cell(y) + 1 - depth / 9.0


@inner(_nrt=False)
def _depth(block):
    """How far below the top water stands, 0 to 7 ninths; -1 for no water."""
    if not blocks.WATERY[block]:
        return -1
    return 0 if block == blocks.WATER_FALL else np.int64(block) - blocks.WATER


@inner(_nrt=False)
def push_of_water(s, x, y, z, wide, tall):
    """Speed that currents add to a body in a tick, `(vx, vz)`.

    Each cell of water pulls towards lower water and over edges; the sum of all cells
    that the body touches has a fixed length.
    """
    half, rim = 0.5 * wide - 0.001, min(0.5 * tall, 0.401)
    vx, vz = 0.0, 0.0
    for i in range(cell(x - half), cell(x + half) + 1):
        for k in range(cell(z - half), cell(z + half) + 1):
            for j in range(cell(y + rim), cell(y + tall - rim) + 1):
                depth = _depth(get(s, i, j, k))
                for side in range(4 if depth >= 0 else 0):
                    east = 1 - side if side % 2 == 0 else 0
                    south = 2 - side if side % 2 == 1 else 0
                    slope = _slope(s, i + east, j, k + south, depth)
                    vx += east * slope
                    vz += south * slope
    length = math.hypot(vx, vz)
    if length < 1e-4:
        return 0.0, 0.0
    return FLOW * vx / length, FLOW * vz / length


@inner(_nrt=False)
def _slope(s, x, y, z, depth):
    """By how many ninths the water of a cell lies lower than `depth`, 0 at walls."""
    there = get(s, x, y, z)
    if blocks.WATERY[there]:
        return _depth(there) - depth
    if not blocks.SOLID[there]:
        under = _depth(get(s, x, y - 1, z))
        if under >= 0:
            return under + 8 - depth
    return 0


@inner(_nrt=False)
def move_player(s, forward, strafe, jump):
    """Moves the player by one tick: keys, gravity, drag, fluids, walls.

    `FALL` sums the way down of all ticks but the one that lands; `survival.live` turns
    it into damage and clears it. Water clears it here.

    Args:
        s: the world.
        forward: 1 ahead, -1 back, 0 neither.
        strafe: 1 to the left, -1 to the right, 0 neither.
        jump: whether the key is held.
    """
    body = s.body
    x, y, z = body[st.X], body[st.Y], body[st.Z]
    wet = touches_water(s, x, y, z, st.WIDE, st.TALL)
    hot = not wet and touches_lava(s, x, y, z, st.WIDE, st.TALL)
    if wet:
        push = push_of_water(s, x, y, z, st.WIDE, st.TALL)
        body[st.VX] += push[0]
        body[st.VZ] += push[1]
        body[st.FALL] = 0.0
    elif hot:
        body[st.FALL] *= 0.5
    for axis in range(st.VX, st.VZ + 1):
        if abs(body[axis]) < 0.003:
            body[axis] = 0.0
    _jump(body, jump, wet or hot)
    drag, gain = _grip(s, wet, hot)
    _accelerate(body, forward, strafe, gain)
    bumped = _advance(s)
    _slow_down(body, wet or hot, drag)
    if (wet or hot) and bumped and _bank_is_near(s, y):
        body[st.VY] = 0.3
    _swim(s, wet, x, y, z)


@inner(_nrt=False)
def _jump(body, jump, floats):
    body[st.JUMP_DELAY] = max(0.0, body[st.JUMP_DELAY] - 1.0)
    if not jump:
        body[st.JUMP_DELAY] = 0.0
    elif floats:
        body[st.VY] += 0.04
    elif body[st.GROUND] > 0.0 and body[st.JUMP_DELAY] == 0.0:
        body[st.VY] = JUMP
        body[st.JUMP_DELAY] = JUMP_PAUSE
        body[st.EXHAUSTION] += 0.05


@inner(_nrt=False)
def _grip(s, wet, hot):
    """Factor that slows the walk, and acceleration of the keys."""
    body = s.body
    if wet:
        return 0.8, GLIDE
    if hot:
        return 0.5, GLIDE
    if body[st.GROUND] == 0.0:
        return DRAG, GLIDE
    under = get(s, cell(body[st.X]), cell(body[st.Y]) - 1, cell(body[st.Z]))
    grip = DRAG * (GRIP_ICE if under == blocks.ICE else GRIP)
    return grip, WALK * 0.16277136 / (grip * grip * grip)


@inner(_nrt=False)
def _accelerate(body, forward, strafe, gain):
    ahead, aside = 0.98 * forward, 0.98 * strafe
    gain /= max(1.0, math.hypot(ahead, aside))
    yaw = math.radians(body[st.YAW])
    sin, cos = math.sin(yaw), math.cos(yaw)
    body[st.VX] += gain * (cos * aside - sin * ahead)
    body[st.VZ] += gain * (cos * ahead + sin * aside)


@inner(_nrt=False)
def _advance(s):
    """Moves by the speed, stops what hits; True if a wall was hit."""
    body = s.body
    vx, vy, vz = body[st.VX], body[st.VY], body[st.VZ]
    dx, dy, dz = slide(
        s, body[st.X], body[st.Y], body[st.Z], vx, vy, vz, st.WIDE, st.TALL
    )
    body[st.X] += dx
    body[st.Y] += dy
    body[st.Z] += dz
    if dx != vx:
        body[st.VX] = 0.0
    if dz != vz:
        body[st.VZ] = 0.0
    if dy != vy:
        body[st.VY] = 0.0
    body[st.GROUND] = 1.0 if dy != vy and vy < 0.0 else 0.0
    if touches_water(s, body[st.X], body[st.Y], body[st.Z], st.WIDE, st.TALL):
        body[st.FALL] = 0.0
    elif body[st.GROUND] == 0.0:
        body[st.FALL] += max(0.0, -dy)
    return dx != vx or dz != vz


@inner(_nrt=False)
def _slow_down(body, floats, drag):
    body[st.VX] *= drag
    body[st.VZ] *= drag
    if floats:
        body[st.VY] = body[st.VY] * drag - 0.02
    else:
        body[st.VY] = (body[st.VY] - 0.08) * 0.98


@inner(_nrt=False)
def _bank_is_near(s, y):
    """Whether 0.6 above where the tick began there is room without fluid."""
    body = s.body
    x, y, z = body[st.X] + body[st.VX], y + 0.6 + body[st.VY], body[st.Z] + body[st.VZ]
    half = 0.5 * st.WIDE - EPS
    return not holds(
        s, FULL, x - half, x + half, y + EPS, y + st.TALL, z - half, z + half
    )


@inner(_nrt=False)
def _swim(s, wet, x, y, z):
    """Swimming tires: 0.01 per block, up and down too with the eyes under water."""
    body = s.body
    if wet:
        dx, dy, dz = body[st.X] - x, body[st.Y] - y, body[st.Z] - z
        if not eyes_under_water(s):
            dy = 0.0
        body[st.EXHAUSTION] += 0.01 * math.sqrt(dx * dx + dy * dy + dz * dz)
