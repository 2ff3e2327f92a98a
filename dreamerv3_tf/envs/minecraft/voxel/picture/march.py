"""Rays through the voxels: the next cell that isn't open, and what a ray meets in it.

Rays are in local coordinates: x and z less a multiple of 8, so that the eye lies in
[64, 72) and all that a ray can reach is positive (then truncation is floor); y as in
the world. Columns of 8x8 cells are skipped where a ray is above their highest block.
All is float32: a ray is at most 60 blocks long, so an error is below 1/10000 block.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel.blocks import AIR
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import (
    CUBE,
    FACES,
    LAYER_TEXELS,
    LEVEL_AT,
    LIQUID,
    SHAPE,
    TEXELS,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.camera import Real
from dreamerv3_tf.envs.minecraft.voxel.picture.cutouts import meet
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT

# `_nrt` off: no compiled function of the renderer makes an array, and without it Numba
# would count references to arrays for each pixel, which takes ten times the rest.
# `forceinline`: what runs for each pixel is one function, so nothing is copied.
HOT: dict[str, Any] = {"fastmath": True, "_nrt": False, "forceinline": True}
ZERO, ONE, NONE = np.float32(0.0), np.float32(1.0), np.float32(-1.0)
TINY, NOTHING = np.float32(1.7e-8), np.uint8(AIR)


class Grid(NamedTuple):
    """The voxels around an eye.

    Attributes:
        vox: uint8 `[128 * 128 * 128]`, blocks by x, z, y.
        tops: uint8 `[16 * 16]`, 1 + the highest block of 8x8 columns.
        roof: uint8 `[128 * 128]`, 1 + the highest opaque block of a column.
        lows: uint8 `[16 * 16]`, lowest roof of 8x8 columns.
        biome: uint8 `[128 * 128]`.
        x: cell of the window where local x is 0, a multiple of 8.
        z: the same along z.
        highest: 1 + the highest block of all, float32.
    """

    vox: np.ndarray
    tops: np.ndarray
    roof: np.ndarray
    lows: np.ndarray
    biome: np.ndarray
    x: int
    z: int
    highest: Real


class Ray(NamedTuple):
    """Origin, direction, and 1 / direction; float32, none of them 0."""

    ex: Real
    ey: Real
    ez: Real
    dx: Real
    dy: Real
    dz: Real
    nx: Real
    ny: Real
    nz: Real


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

    t: Real
    block: int | np.integer
    face: int | np.integer
    x: int | np.integer
    y: int | np.integer
    z: int | np.integer
    u: Real
    v: Real
    surface: Real
    side: int | np.integer
    wet: Real


@inner(_nrt=False)
def make_grid(s, x, z):
    """The voxels around local coordinates that begin at world cell `(x, z)`."""
    tops, highest = s.tops.reshape(-1), 0
    for top in tops:
        highest = max(highest, np.int64(top))
    return Grid(
        s.vox.reshape(-1),
        tops,
        s.roof.reshape(-1),
        s.lows.reshape(-1),
        s.biome.reshape(-1),
        x & 127,
        z & 127,
        np.float32(highest),
    )


@inner(fastmath=True, _nrt=False)
def make_ray(ex, ey, ez, dx, dy, dz):
    """A ray; so that one may divide, no direction is exactly along an axis."""
    dx, dy, dz = dx + TINY, dy + TINY, dz + TINY
    return Ray(ex, ey, ez, dx, dy, dz, ONE / dx, ONE / dy, ONE / dz)


@inner(_nrt=False)
def local_origin(x):
    """World cell at which local coordinates of an eye at `x` begin."""
    return ((np.int64(math.floor(x)) >> 3) << 3) - 64


@inner(fastmath=True, _nrt=False)
def block_at(grid, x, y, z):
    """Block of a cell in local coordinates; air above the world and below it."""
    if y < 0 or y >= HEIGHT:
        return NOTHING
    i, j = (x + grid.x) & 127, (z + grid.z) & 127
    return grid.vox[(i << 14) | (j << 7) | (y & 127)]


@inner(**HOT)
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
    px, py, pz = np.int64(ray.dx > 0), np.int64(ray.dy > 0), np.int64(ray.dz > 0)
    axis = 1
    while t < reach:
        i, j = ((x + grid.x) & 127) >> 3, ((z + grid.z) & 127) >> 3
        top = np.int64(grid.tops[(i << 4) | j])
        wall_x = (np.float32(((x >> 3) + px) << 3) - ray.ex) * ray.nx
        wall_z = (np.float32(((z >> 3) + pz) << 3) - ray.ez) * ray.nz
        level = (np.float32(top) - ray.ey) * ray.ny  # where the ray is at the top
        if y >= top:
            t, axis, x, y, z = _fly(ray, x, z, top, wall_x, wall_z, level, px, pz)
        else:
            stop = min(min(wall_x, wall_z), reach)
            stop = min(stop, level) if py else stop
            t, axis, x, y, z = _walk(grid, ray, x, y, z, px, py, pz, through, stop)
        block = block_at(grid, x, y, z)
        if block != through and t < reach:
            return t, axis, x, y, z, block
    return reach, axis, x, y, z, NOTHING


@inner(**HOT)
def _walk(grid, ray, x, y, z, px, py, pz, through, stop):
    """Goes cell by cell until the block is not `through`, or until `stop`."""
    sx, sy, sz = 2 * px - 1, 2 * py - 1, 2 * pz - 1
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
            return t, axis, x, y, z


@inner(**HOT)
def _fly(ray, x, z, top, wall_x, wall_z, level, px, pz):
    """Skips the open air above 8x8 columns: to their top or to the next columns.

    The coordinates that do not change columns are kept inside of these: rounding could
    put a ray through a corner back into columns that it has left, again and again.
    """
    t = level
    down = ray.dy < 0 and level < wall_x and level < wall_z
    if not down:
        t = min(wall_x, wall_z)
    to_x = min(max(np.int64(ray.ex + t * ray.dx), x & ~7), x | 7)
    to_z = min(max(np.int64(ray.ez + t * ray.dz), z & ~7), z | 7)
    if down:
        return t, 1, to_x, top - 1, to_z
    y = np.int64(ray.ey + t * ray.dy)
    if wall_x < wall_z:
        return t, 0, (((x >> 3) + px) << 3) + px - 1, y, to_z
    return t, 2, to_x, y, (((z >> 3) + pz) << 3) + pz - 1


@inner(**HOT)
def trace(grid, ray, reach):
    """Follows a ray through air and water to what stops it: a `Hit`."""
    x, y, z = np.int64(ray.ex), np.int64(ray.ey), np.int64(ray.ez)
    t, axis = ZERO, 1
    surface, side, wet, dived = NONE, 3, ZERO, NONE
    block = block_at(grid, x, y, z)
    end = _end(grid, ray, reach)
    while t < end:
        shape, facing = SHAPE[block], _face(ray, axis)
        if shape == LIQUID and dived < 0:
            dived = t
            if surface < 0 and t > 0:
                surface, side = t, facing
        elif shape != LIQUID and dived >= 0:
            wet, dived = wet + t - dived, NONE
        if shape == CUBE:
            u, v = _place(ray, t, axis, x, y, z)
            return Hit(t, block, facing, x, y, z, u, v, surface, side, wet)
        if shape > LIQUID:
            met, face, u, v = meet(grid, ray, x, y, z, t, axis, block)
            if 0 <= met < reach and _opaque(block, u, v):
                return Hit(met, block, face, x, y, z, u, v, surface, side, wet)
        through = block if shape == LIQUID else NOTHING
        t, axis, x, y, z, block = march(grid, ray, x, y, z, t, through, end)
    wet += end - dived if dived >= 0 else ZERO
    return Hit(reach, NOTHING, 3, x, y, z, ZERO, ZERO, surface, side, wet)


@inner(fastmath=True, _nrt=False)
def _end(grid, ray, reach):
    """Where a ray leaves the world: below it or above all that is in it."""
    border = ZERO if ray.dy < 0 else grid.highest
    return min(reach, (border - ray.ey) * ray.ny)


@inner(fastmath=True, _nrt=False)
def _face(ray, axis):
    """Face through which a ray enters a cell."""
    if axis == 0:
        return 0 if ray.dx > 0 else 1
    if axis == 1:
        return 2 if ray.dy > 0 else 3
    return 4 if ray.dz > 0 else 5


@inner(fastmath=True, _nrt=False)
def _place(ray, t, axis, x, y, z):
    """Place on the texture of a cube where a ray enters it."""
    fx = ray.ex + t * ray.dx - np.float32(x)
    fy = ray.ey + t * ray.dy - np.float32(y)
    fz = ray.ez + t * ray.dz - np.float32(z)
    if axis == 1:
        return fx, fz
    return (fz if axis == 0 else fx), ONE - fy


@inner(fastmath=True, _nrt=False)
def _opaque(block, u, v):
    return texel(FACES[block, 4], 0, u, v) >> 24 > 0


@inner(fastmath=True, _nrt=False)
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


@kernel(fastmath=True, error_model="numpy", _nrt=False)
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
    grid = make_grid(s, x0, z0)
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
