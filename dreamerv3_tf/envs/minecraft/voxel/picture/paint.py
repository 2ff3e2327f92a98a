"""Colours of what rays meet: textures, tints, light; under water, inside of blocks."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.picture.atlas import (
    FACES,
    SNOWY_SIDE,
    TINT,
    TINTS,
    UNTINTED,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.march import block_at, texel
from dreamerv3_tf.envs.minecraft.voxel.picture.shade import brightness, haze, murk
from dreamerv3_tf.envs.minecraft.voxel.picture.sky import blend

ONE = np.float32(1.0)
PER_TINT = np.float32(1 / 254)
TEXELS_2, FLATTEST = np.float32(256.0), np.float32(0.02)
LIMITS = (np.float32(2.0), np.float32(8.0), np.float32(32.0), np.float32(128.0))
"""Squares of texels per pixel from which on the next smaller version serves."""

DEEP = (np.float32(16.0), np.float32(40.0), np.float32(122.0))
"""Colour of deep water."""

BLACK = (np.float32(0.0), np.float32(0.0), np.float32(0.0))

CLEAR, MURKY = np.float32(0.14), np.float32(0.09)
"""What a block of water hides, seen from above and from within."""

SURFACE = np.float32(0.5)  # share that the surface of water hides by itself
WASHED = np.float32(0.25)  # share that water before the eye hides
SHADES = np.array([0.6, 0.6, 0.5, 1.0, 0.8, 0.8], np.float32)
"""Share of the light that each face gets."""


@inner(fastmath=True, _nrt=False, forceinline=True)
def block_colour(grid, lights, ray, hit, foot):
    """Colour of a block where a ray meets it.

    Args:
        grid: the voxels, local.
        lights: brightness of cells.
        ray: the ray.
        hit: what it meets.
        foot: width of the pixel there, blocks.
    """
    layer, face = FACES[hit.block, hit.face], hit.face
    if hit.block == blocks.GRASS and face != 3 and _snowy(grid, hit):
        layer = SNOWY_SIDE
    level = mip_level(foot, _slant(ray, face))
    word = texel(layer, level, hit.u, hit.v)
    light = ONE
    if not blocks.FIERY[hit.block]:
        x, y, z = _in_front(hit)
        light = SHADES[face] * brightness(grid, lights, x + grid.x, y, z + grid.z)
    red, green, blue = unpack(word)
    tint = TINT[hit.block]
    if tint == UNTINTED:
        return red * light, green * light, blue * light
    share = np.float32((word >> 24) - 1) * PER_TINT
    i, j = (hit.x + grid.x) & 127, (hit.z + grid.z) & 127
    factors = TINTS[grid.biome[(i << 7) | j], tint]
    return (
        red * light * (ONE + (factors[0] - ONE) * share),
        green * light * (ONE + (factors[1] - ONE) * share),
        blue * light * (ONE + (factors[2] - ONE) * share),
    )


@inner(fastmath=True, _nrt=False)
def unpack(word):
    """Red, green and blue of a texel, 0 to 255, float32."""
    return (
        np.float32(word & 255),
        np.float32((word >> 8) & 255),
        np.float32((word >> 16) & 255),
    )


@inner(fastmath=True, _nrt=False)
def mip_level(foot, slant):
    """Version of a texture for a pixel, 0 to 4.

    Args:
        foot: width of the pixel, blocks.
        slant: cosine of the angle at which the ray meets the face. It counts by its
            root: fully, the ground would be a blur; not at all, it would be noise.
    """
    texels = foot * foot * TEXELS_2 / max(slant, FLATTEST)
    level = 0
    for limit in LIMITS:
        level += limit < texels
    return level


@inner(fastmath=True, _nrt=False)
def _slant(ray, face):
    if face < 2:
        return abs(ray.dx)
    return abs(ray.dy) if face < 4 else abs(ray.dz)


@inner(fastmath=True, _nrt=False)
def _snowy(grid, hit):
    above = block_at(grid, hit.x, hit.y + 1, hit.z)
    return hit.face != 2 and (above == blocks.SNOW_LAYER or above == blocks.SNOW)


@inner(fastmath=True, _nrt=False)
def _in_front(hit):
    """Cell before the face of a cube; the cell itself for what does not fill it."""
    x, y, z = hit.x, hit.y, hit.z
    if blocks.SOLID[hit.block]:
        step = 2 * (hit.face & 1) - 1
        axis = hit.face >> 1
        x += step if axis == 0 else 0
        y += step if axis == 1 else 0
        z += step if axis == 2 else 0
    return x, y, z


@inner(fastmath=True, _nrt=False)
def under_water(colour, ray, hit, fog, view, thin):
    """Colour of what is seen through water.

    Args:
        colour: what is behind the water.
        ray: the ray.
        hit: what it meets, and how far it goes through water.
        fog: colour of what is far away.
        view: how far one sees, blocks.
        thin: width of the pixel at a distance of 1.
    """
    if hit.surface < 0:  # the eye is in it
        colour = blend(colour, DEEP, WASHED)
        return blend(colour, DEEP, murk(hit.wet, MURKY))
    t = hit.surface
    u, v = _on_surface(ray, hit.side, t)
    level = mip_level(thin * t, _slant(ray, hit.side))
    water = unpack(texel(FACES[blocks.WATER, 3], level, u, v))
    water = blend(BLACK, water, SHADES[hit.side])
    colour = blend(colour, water, SURFACE)
    colour = blend(colour, water, murk(hit.wet, CLEAR))
    return blend(colour, fog, haze(t, view))


@inner(fastmath=True, _nrt=False)
def _on_surface(ray, side, t):
    x, y, z = ray.ex + t * ray.dx, ray.ey + t * ray.dy, ray.ez + t * ray.dz
    u, v = x, z
    if side < 2:
        u, v = z, -y
    elif side >= 4:
        u, v = x, -y
    return u - np.floor(u), v - np.floor(v)


@inner(fastmath=True, _nrt=False)
def draw_inside(block, light, out):
    """Fills an image with the texture of the block around one's head."""
    size = out.shape[0]
    for i in range(size):
        for j in range(size):
            u, v = np.float32(j) / np.float32(size), np.float32(i) / np.float32(size)
            colour = unpack(texel(FACES[block, 0], 0, u, v))
            for channel in range(3):
                out[i, j, channel] = np.uint8(colour[channel] * light)
