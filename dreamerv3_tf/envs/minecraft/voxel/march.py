"""Rays through the voxels: the next cell that isn't open, and what a ray meets in it.

Rays are in local coordinates: x and z less a multiple of 8, so that the eye lies in
[64, 72) and all that a ray can reach is positive (then truncation is floor); y as in
the world. Columns of 8x8 cells are skipped where a ray is above their highest block.
All is float32: a ray is at most 60 blocks long, so an error is below 1/10000 block.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.atlas import (
    CUBE,
    FACES,
    LAYER_TEXELS,
    LEVEL_AT,
    LIQUID,
    SHAPE,
    TEXELS,
)
from dreamerv3_tf.envs.minecraft.voxel.blocks import AIR
from dreamerv3_tf.envs.minecraft.voxel.cutouts import meet
from dreamerv3_tf.envs.minecraft.voxel.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT


class Grid(NamedTuple):
    """The voxels around an eye.

    Attributes:
        vox: uint8 `[128 * 128 * 128]`, blocks by x, z, y.
        tops: uint8 `[16 * 16]`, 1 + the highest block of 8x8 columns.
        x: cell of the window where local x is 0, a multiple of 8.
        z: the same along z.
    """

    vox: np.ndarray
    tops: np.ndarray
    x: int
    z: int


class Ray(NamedTuple):
    """Origin, direction, and 1 / direction; float32, none of them 0."""

    ex: float
    ey: float
    ez: float
    dx: float
    dy: float
    dz: float
    nx: float
    ny: float
    nz: float


class Hit(NamedTuple):
    """What a ray meets.

    Attributes:
        t: where, in lengths of the direction; the reach where it meets nothing.
        block: what; `AIR` where it meets nothing.
        face: which face, see `state.py`; 3 (no shade) for plants.
        x: cell, local.
        y: cell.
        z: cell, local.
        u: place on the texture, 0 to 1, from the left.
        v: the same from the top.
        surface: where the ray went from air into water for the first time, or -1.
        side: face of the water there.
        wet: length of the ray in water.
    """

    t: float
    block: int
    face: int
    x: int
    y: int
    z: int
    u: float
    v: float
    surface: float
    side: int
    wet: float


@inner(fastmath=True)
def make_ray(ex, ey, ez, dx, dy, dz):
    """A ray; a direction of 0 along an axis becomes a tiny one."""
    tiny = np.float32(1e-7)
    dx = tiny if abs(dx) < tiny else dx
    dy = tiny if abs(dy) < tiny else dy
    dz = tiny if abs(dz) < tiny else dz
    one = np.float32(1.0)
    return Ray(ex, ey, ez, dx, dy, dz, one / dx, one / dy, one / dz)


@inner
def local_origin(x):
    """World cell at which local coordinates of an eye at `x` begin."""
    return ((np.int64(math.floor(x)) >> 3) << 3) - 64


@inner(fastmath=True)
def block_at(grid, x, y, z):
    """Block of a cell in local coordinates; air above the world and below it."""
    if y < 0 or y >= HEIGHT:
        return np.uint8(AIR)
    i, j = (x + grid.x) & 127, (z + grid.z) & 127
    return grid.vox[(i << 14) | (j << 7) | (y & 127)]


@inner(fastmath=True)
def march(grid, ray, x, y, z, t, through, reach):
    """Walks to the next cell whose block is not `through`.

    Args:
        grid: the voxels.
        ray: the ray.
        x: cell where the ray is, local.
        y: cell.
        z: cell, local.
        t: where on the ray.
        through: block that the ray passes.
        reach: where the ray ends.

    Returns:
        `(t, axis, x, y, z, block)`; `t >= reach` where there is no such cell.
    """
    up, east, south = ray.dy > 0, ray.dx > 0, ray.dz > 0
    px, py, pz = np.int64(east), np.int64(up), np.int64(south)
    sx, sy, sz = 2 * px - 1, 2 * py - 1, 2 * pz - 1
    axis = 1
    while t < reach:
        i, j = ((x + grid.x) & 127) >> 3, ((z + grid.z) & 127) >> 3
        top = np.int64(grid.tops[(i << 4) | j])
        wall_x = (np.float32(((x >> 3) + px) << 3) - ray.ex) * ray.nx
        wall_z = (np.float32(((z >> 3) + pz) << 3) - ray.ez) * ray.nz
        level = (np.float32(top) - ray.ey) * ray.ny  # where the ray is at the top
        if y >= top:
            t, axis, x, y, z = _fly(ray, x, z, top, wall_x, wall_z, level, px, pz)
            if y < HEIGHT:
                i, j = (x + grid.x) & 127, (z + grid.z) & 127
                block = grid.vox[(i << 14) | (j << 7) | (y & 127)]
                if block != through:
                    return t, axis, x, y, z, block
            continue
        stop = min(min(wall_x, wall_z), reach)
        stop = min(stop, level) if up else stop
        tx = (np.float32(x + px) - ray.ex) * ray.nx
        ty = (np.float32(y + py) - ray.ey) * ray.ny
        tz = (np.float32(z + pz) - ray.ez) * ray.nz
        while True:
            if tx < ty and tx < tz:
                t, axis = tx, 0
                x += sx
                tx += abs(ray.nx)
            elif ty < tz:
                t, axis = ty, 1
                y += sy
                ty += abs(ray.ny)
            else:
                t, axis = tz, 2
                z += sz
                tz += abs(ray.nz)
            i, j = (x + grid.x) & 127, (z + grid.z) & 127
            block = grid.vox[(i << 14) | (j << 7) | (y & 127)]
            if block != through or t >= stop:
                break
        if block != through and t < reach:
            block = block_at(grid, x, y, z)
            if block != through:
                return t, axis, x, y, z, block
    return reach, axis, x, y, z, np.uint8(AIR)


@inner(fastmath=True)
def _fly(ray, x, z, top, wall_x, wall_z, level, px, pz):
    """Skips the open air above 8x8 columns: to their top or to the next columns."""
    if ray.dy < 0 and level < wall_x and level < wall_z:
        t = level
        return t, 1, _cell(ray.ex + t * ray.dx), top - 1, _cell(ray.ez + t * ray.dz)
    if wall_x < wall_z:
        t = wall_x
        x = (((x >> 3) + px) << 3) + px - 1
        return t, 0, x, _cell(ray.ey + t * ray.dy), _cell(ray.ez + t * ray.dz)
    t = wall_z
    z = (((z >> 3) + pz) << 3) + pz - 1
    return t, 2, _cell(ray.ex + t * ray.dx), _cell(ray.ey + t * ray.dy), z


@inner(fastmath=True)
def _cell(position):
    return np.int64(position)


@inner(fastmath=True)
def trace(grid, ray, reach):
    """Follows a ray through air and water to what stops it: a `Hit`."""
    none = np.float32(-1.0)
    x, y, z = _cell(ray.ex), _cell(ray.ey), _cell(ray.ez)
    t, axis = np.float32(0.0), 1
    surface, side, wet, dived = none, 3, np.float32(0.0), none
    block = block_at(grid, x, y, z)
    if ray.dy < 0:  # below the world is nothing
        reach = min(reach, -ray.ey * ray.ny)
    while t < reach:
        shape = SHAPE[block]
        facing = _face(ray, axis)
        if shape == CUBE:
            u, v = _place(ray, t, axis, x, y, z)
            if dived >= 0:
                wet += t - dived
            return Hit(t, block, facing, x, y, z, u, v, surface, side, wet)
        if shape == LIQUID:
            if dived < 0:
                dived = t
                if surface < 0 and t > 0:
                    surface, side = t, facing
        elif dived >= 0:
            wet, dived = wet + t - dived, none
        if shape > LIQUID:
            met, face, u, v = meet(grid, ray, x, y, z, t, axis, block)
            if 0 <= met < reach and _opaque(block, u, v):
                return Hit(met, block, face, x, y, z, u, v, surface, side, wet)
        through = block if shape == LIQUID else np.uint8(AIR)
        t, axis, x, y, z, block = march(grid, ray, x, y, z, t, through, reach)
    if dived >= 0:
        wet += reach - dived
    zero = np.float32(0.0)
    return Hit(reach, np.uint8(AIR), 3, x, y, z, zero, zero, surface, side, wet)


@inner(fastmath=True)
def _face(ray, axis):
    """Face through which a ray enters a cell."""
    if axis == 0:
        return 0 if ray.dx > 0 else 1
    if axis == 1:
        return 2 if ray.dy > 0 else 3
    return 4 if ray.dz > 0 else 5


@inner(fastmath=True)
def _place(ray, t, axis, x, y, z):
    """Place on the texture of a cube where a ray enters it."""
    fx = ray.ex + t * ray.dx - np.float32(x)
    fy = ray.ey + t * ray.dy - np.float32(y)
    fz = ray.ez + t * ray.dz - np.float32(z)
    if axis == 1:
        return fx, fz
    return (fz if axis == 0 else fx), np.float32(1.0) - fy


@inner(fastmath=True)
def _opaque(block, u, v):
    return texel(FACES[block, 4], 0, u, v) >> 24 > 0


@inner(fastmath=True)
def texel(layer, level, u, v):
    """Texel of a texture: red, green, blue and tint in a uint32, 8 bits each.

    Args:
        layer: number of the texture.
        level: 0 for 16x16 texels to 4 for one.
        u: 0 to 1 from the left.
        v: 0 to 1 from the top.
    """
    wide = 16 >> level
    last = wide - 1
    i = min(max(np.int64(u * np.float32(wide)), 0), last)
    j = min(max(np.int64(v * np.float32(wide)), 0), last)
    return TEXELS[layer * LAYER_TEXELS + LEVEL_AT[level] + j * wide + i]


@kernel(fastmath=True)
def cast(s, x, y, z, dx, dy, dz, reach):
    """First thing that a ray meets; water is passed, plants are met.

    Args:
        s: the state.
        x: where the ray begins, blocks.
        y: height.
        z: along z.
        dx: direction, of any length.
        dy: the same along y.
        dz: the same along z.
        reach: end of the ray, in lengths of the direction, at most 48 blocks away.

    Returns:
        `(t, block, face, x, y, z)`; block 0 where the ray meets nothing.
    """
    x0, z0 = local_origin(x), local_origin(z)
    grid = Grid(s.vox.reshape(-1), s.tops.reshape(-1), x0 & 127, z0 & 127)
    ray = make_ray(
        np.float32(x - x0),
        np.float32(y),
        np.float32(z - z0),
        np.float32(dx),
        np.float32(dy),
        np.float32(dz),
    )
    hit = trace(grid, ray, np.float32(reach))
    return hit.t, hit.block, hit.face, hit.x + x0, hit.y, hit.z + z0
