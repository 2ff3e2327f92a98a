"""Entities in the image: boxes with textures, drawn before the voxels.

The drawing leaves, for each pixel, how far the nearest entity is and its colour. Rays
then end there, so that blocks, plants and water in front hide or tint it.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import FACES
from dreamerv3_tf.envs.minecraft.voxel.picture.bodies import (
    BALLS,
    BODIES,
    BOXES,
    FALLING_HALF,
    HOVER,
    ITEM_BLOCK,
    ITEM_HALF,
    ITEM_LAYER,
    LIFT,
    SKINS,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.camera import covered, pixel_ray
from dreamerv3_tf.envs.minecraft.voxel.picture.march import NONE, ONE, TINY, ZERO, texel
from dreamerv3_tf.envs.minecraft.voxel.picture.paint import SHADES, unpack
from dreamerv3_tf.envs.minecraft.voxel.picture.shade import brightness

HALF = np.float32(0.5)
FLAT = np.float32(0.012)  # blocks, half the depth of an item that is no block


@inner(fastmath=True, _nrt=False)
def draw_entities(ents, grid, camera, lights, view, depth, paint):
    """Draws all entities in sight.

    Args:
        ents: entities of the state.
        grid: the voxels.
        camera: where the picture is taken from.
        lights: brightness of cells.
        view: how far one sees, blocks.
        depth: float32 `[size * size]`, lowered to the distance of entities.
        paint: float32 `[size * size, 3]`, set to their colours.
    """
    for row in range(st.ENTS):
        kind = np.int64(ents[row, st.E_KIND])
        if kind > 0:
            ent = ents[row]
            x = np.float32(ent[st.E_X] - camera.x)
            y = np.float32(ent[st.E_Y] - camera.y)
            z = np.float32(ent[st.E_Z] - camera.z)
            if x * x + y * y + z * z < view * view:
                _draw(grid, camera, lights, depth, paint, ent, kind, x, y, z)


@inner(fastmath=True, _nrt=False)
def _draw(grid, camera, lights, depth, paint, ent, kind, x, y, z):
    """Draws one entity whose feet are at `(x, y, z)` from the eye."""
    tall, radius = np.float32(st.ENT_TALL[kind]), BALLS[kind, 1]
    middle = y + BALLS[kind, 0]
    left, right, top, bottom = covered(camera, x, middle, z, radius)
    if left > right or top > bottom:
        return
    light = brightness(
        grid,
        lights,
        np.int64(math.floor(ent[st.E_X])),
        np.int64(math.floor(ent[st.E_Y] + 0.5 * tall)),
        np.int64(math.floor(ent[st.E_Z])),
    )
    yaw, lift = _pose(ent, kind, x, z)
    sin, cos = np.float32(math.sin(yaw)), np.float32(math.cos(yaw))
    ox, oz = cos * x + sin * z, sin * x - cos * z  # the eye, seen from the entity
    oy = -y - lift
    angry = ent[st.E_HURT] > 0 and kind >= st.COW
    flash = kind == st.CREEPER and np.int64(ent[st.E_FUSE]) & 4 > 0
    size = camera.lens.size
    outside = x * x + middle * middle + z * z - radius * radius
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            dx, dy, dz = pixel_ray(camera, i, j)
            along = x * dx + middle * dy + z * dz
            pixel = i * size + j
            if along * along < outside or along - radius >= depth[pixel]:
                continue  # the ray misses the ball around the entity
            lx, lz = -cos * dx - sin * dz, -sin * dx + cos * dz
            t, word, shade = _nearest(ent, kind, ox, oy, oz, lx, dy, lz, depth[pixel])
            if t < depth[pixel]:
                depth[pixel] = t
                _set_colour(paint, pixel, word, shade * light, angry, flash)


@inner(fastmath=True, _nrt=False)
def _pose(ent, kind, x, z):
    """Yaw in radians, and how far the entity hovers over its feet."""
    yaw = math.radians(ent[st.E_YAW])
    if kind != st.ITEM:
        return yaw, ZERO
    lift = np.float32(LIFT + HOVER * math.sin(ent[st.E_AGE] * 0.1))
    if ITEM_BLOCK[np.int64(ent[st.E_ITEM])] > 0:
        return yaw + ent[st.E_AGE] * 0.05, lift
    return math.atan2(np.float64(x), np.float64(-z)), lift  # it faces the eye


@inner(fastmath=True, _nrt=False)
def _nearest(ent, kind, ox, oy, oz, dx, dy, dz, reach):
    """Nearest point of an entity on a ray: `(t, texel, shade)`."""
    best, word, shade = reach, np.uint32(0), ONE
    if kind == st.ITEM or kind == st.FALLING:
        item = np.int64(ent[st.E_ITEM])
        block = item if kind == st.FALLING else ITEM_BLOCK[item]
        half = FALLING_HALF if kind == st.FALLING else ITEM_HALF
        if block > 0:
            t, face, u, v = meet_box(
                ox, oy - half, oz, dx, dy, dz, half, half, half, reach
            )
            layer = FACES[block, face]
        else:
            t, face, u, v = meet_box(
                ox, oy - half, oz, dx, dy, dz, half, half, FLAT, reach
            )
            layer = ITEM_LAYER[item]
        if 0 <= t < reach:
            word = texel(layer, 0, u, v)
            return (t if word >> 24 > 0 else reach), word, SHADES[face]
        return reach, word, shade
    for box in range(BODIES[kind, 0], BODIES[kind, 1]):
        t, face, u, v = meet_box(
            ox - BOXES[box, 0], oy - BOXES[box, 1], oz - BOXES[box, 2], dx, dy, dz,
            BOXES[box, 3], BOXES[box, 4], BOXES[box, 5], best,
        )  # fmt: skip
        if 0 <= t < best:
            skin = SKINS[box, 1] if face == 5 else SKINS[box, 0]
            best, word, shade = t, texel(skin, 0, u, v), SHADES[face]
    return best, word, shade


@inner(fastmath=True, _nrt=False)
def meet_box(ox, oy, oz, dx, dy, dz, half_x, half_y, half_z, reach):
    """Where a ray enters a box around the origin: `(t, face, u, v)`; -1 if nowhere."""
    nx, ny, nz = ONE / (dx + TINY), ONE / (dy + TINY), ONE / (dz + TINY)
    in_x, in_y, in_z = -ox * nx, -oy * ny, -oz * nz
    deep_x, deep_y, deep_z = half_x * abs(nx), half_y * abs(ny), half_z * abs(nz)
    t = max(in_x - deep_x, max(in_y - deep_y, in_z - deep_z))
    if t >= min(in_x + deep_x, min(in_y + deep_y, in_z + deep_z)):
        return NONE, 3, ZERO, ZERO
    if t < 0 or t >= reach:
        return NONE, 3, ZERO, ZERO
    x, y, z = (ox + t * dx) / half_x, (oy + t * dy) / half_y, (oz + t * dz) / half_z
    x, y, z = (ONE + x) * HALF, (ONE - y) * HALF, (ONE + z) * HALF
    if t == in_y - deep_y:
        return t, (3 if dy < 0 else 2), x, z
    if t == in_x - deep_x:
        return t, (1 if dx < 0 else 0), z, y
    return t, (5 if dz < 0 else 4), x, y


@inner(fastmath=True, _nrt=False)
def _set_colour(paint, pixel, word, light, angry, flash):
    light = light if not flash else np.float32(1.0)
    colour = unpack(word)
    for channel in range(3):
        value = colour[channel] * light
        if angry and channel > 0:
            value *= np.float32(0.45)
        if flash:
            value = np.float32(0.4) * value + np.float32(150.0)
        paint[pixel, channel] = value
