"""Shapes inside a cell: crosses of plants, layers of snow, lily pads, vines.

Each function returns `(t, face, u, v)`: where the ray meets the shape, the face for
shading, and the place on the texture; `t` is -1 where the ray passes by.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.blocks import SOLID
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import CROSS, LAYER, PAD, SHAPE
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT

SNOW_TALL = np.float32(0.125)
PAD_TALL = np.float32(1 / 64)
NONE, ZERO, ONE = np.float32(-1.0), np.float32(0.0), np.float32(1.0)


@inner(fastmath=True, _nrt=False)
def meet(grid, ray, x, y, z, t, axis, block):
    """Where a ray that enters a cell at `t` through `axis` meets the shape in it."""
    fx, fy, fz = ray.ex - np.float32(x), ray.ey - np.float32(y), ray.ez - np.float32(z)
    shape = SHAPE[block]
    if shape == CROSS:
        return _cross(ray, fx, fy, fz, t)
    if shape == LAYER:
        return _plate(ray, fx, fy, fz, t, axis, SNOW_TALL)
    if shape == PAD:
        return _plate(ray, fx, fy, fz, t, 1, PAD_TALL)
    return _vines(grid, ray, x, y, z, fx, fy, fz)


@inner(fastmath=True, _nrt=False)
def _cross(ray, fx, fy, fz, t):
    """Two upright planes through the diagonals of the cell: x = z and x = 1 - z.

    Only the nearer one: where it has a hole one seldom sees the other.
    """
    first = (fz - fx) / (ray.dx - ray.dz)
    second = (ONE - fx - fz) / (ray.dx + ray.dz)
    if not _on_cell(ray, fx, fy, fz, first, t):
        first = second
    elif _on_cell(ray, fx, fy, fz, second, t):
        first = min(first, second)
    if not _on_cell(ray, fx, fy, fz, first, t):
        return NONE, 3, ZERO, ZERO
    return first, 3, fx + first * ray.dx, ONE - fy - first * ray.dy


@inner(fastmath=True, _nrt=False)
def _on_cell(ray, fx, fy, fz, t, start):
    x, y, z = fx + t * ray.dx, fy + t * ray.dy, fz + t * ray.dz
    return t >= start and min(x, min(y, z)) >= ZERO and max(x, max(y, z)) < ONE


@inner(fastmath=True, _nrt=False)
def _plate(ray, fx, fy, fz, t, axis, tall):
    """A plate on the ground, seen from above or, where `axis` isn't 1, from a side."""
    if axis != 1 and fy + t * ray.dy < tall:
        u = fz + t * ray.dz if axis == 0 else fx + t * ray.dx
        face = 2 * axis + (ray.dx < 0 if axis == 0 else ray.dz < 0)
        return t, face, u, ONE - fy - t * ray.dy
    over = (tall - fy) * ray.ny
    if _on_cell(ray, fx, fy, fz, over, t):
        return over, 3, fx + over * ray.dx, fz + over * ray.dz
    return NONE, 3, ZERO, ZERO


@inner(fastmath=True, _nrt=False)
def _vines(grid, ray, x, y, z, fx, fy, fz):
    """Vines on the side where the ray leaves the cell, if they can hang there.

    They hang on solid blocks; where no side of the cell has one, on every side.
    """
    leave_x = (np.float32(ray.dx > 0) - fx) * ray.nx
    leave_y = (np.float32(ray.dy > 0) - fy) * ray.ny
    leave_z = (np.float32(ray.dz > 0) - fz) * ray.nz
    t = min(leave_x, leave_z)
    if leave_y < t:
        return NONE, 3, ZERO, ZERO
    step_x, step_z = 0, 0
    if leave_x < leave_z:
        step_x = 1 if ray.dx > 0 else -1
    else:
        step_z = 1 if ray.dz > 0 else -1
    if not _solid(grid, x + step_x, y, z + step_z) and _held(grid, x, y, z):
        return NONE, 3, ZERO, ZERO
    u = fz + t * ray.dz if step_x else fx + t * ray.dx
    return t, (1 if step_x else 4), u, ONE - fy - t * ray.dy


@inner(fastmath=True, _nrt=False)
def _held(grid, x, y, z):
    west_east = _solid(grid, x - 1, y, z) or _solid(grid, x + 1, y, z)
    return west_east or _solid(grid, x, y, z - 1) or _solid(grid, x, y, z + 1)


@inner(fastmath=True, _nrt=False)
def _solid(grid, x, y, z):
    i, j = (x + grid.x) & 127, (z + grid.z) & 127
    return y < HEIGHT and SOLID[grid.vox[(i << 14) | (j << 7) | (y & 127)]]
