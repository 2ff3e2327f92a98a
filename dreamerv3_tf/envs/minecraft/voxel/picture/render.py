"""First-person images of the voxel world: one ray for each pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.picture.camera import (
    make_camera,
    make_lens,
    pixel_ray,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.march import (
    block_at,
    local_origin,
    make_grid,
    make_ray,
    trace,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.paint import (
    block_colour,
    draw_inside,
    under_water,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.shade import (
    Lights,
    begin_lights,
    haze,
    make_lights,
)
from dreamerv3_tf.envs.minecraft.voxel.picture.sky import blend, make_sky, sky_colour
from dreamerv3_tf.envs.minecraft.voxel.picture.sprites import draw_entities
from dreamerv3_tf.envs.minecraft.voxel.state import State

LONGEST = 48  # blocks; so far the world is in memory
BURIED, LIT, HALF = np.float32(0.1), np.float32(1.0), np.float32(0.5)
AIR = np.uint8(blocks.AIR)


class Canvas(NamedTuple):
    """What drawing an image needs besides the world.

    Attributes:
        lens: see `Camera`.
        scale: see `Camera`.
        depth: float32 `[size * size]`, distance of the nearest entity.
        paint: float32 `[size * size, 3]`, its colour.
    """

    lens: np.ndarray
    scale: np.ndarray
    depth: np.ndarray
    paint: np.ndarray


class Renderer:
    """Images of a world as the player sees it, without any display on them.

    Args:
        size: height and width, pixels.
        fov: field of view, degrees, up and sideways alike.
        view: how far one sees, blocks, at most 48.
        gamma: brightness setting of the game, 0 to 5; 5 shows everything.
        entities: whether animals, monsters and items are drawn.

    Raises:
        EnvError: a setting is out of its range.
    """

    def __init__(
        self,
        size: int = 64,
        fov: float = 130.0,
        view: int = LONGEST,
        gamma: float = 5.0,
        entities: bool = True,
    ):
        _check("size", size, 2, 4096)
        _check("fov", fov, 10, 170)
        _check("view", view, 8, LONGEST)
        _check("gamma", gamma, 0, 5)
        self.size, self.entities = size, bool(entities)
        self.view, self.gamma = float(view), float(gamma)
        self.lights: Lights = make_lights()
        self.canvas = Canvas(
            *make_lens(size, fov),
            np.empty(size * size, np.float32),
            np.empty((size * size, 3), np.float32),
        )

    def image(self, state: State) -> np.ndarray:
        """What the player sees now, uint8 `[size, size, 3]`; a new array."""
        out = np.empty((self.size, self.size, 3), np.uint8)
        draw(state, self.canvas, self.lights, self.view, self.gamma, self.entities, out)
        return out


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise EnvError(f"env.{name} is {value}, expected {low} to {high}.")


@kernel(fastmath=True, error_model="numpy", _nrt=False)
def draw(s, canvas, lights, view, gamma, entities, out):
    """Draws an image.

    Args:
        s: the state.
        canvas: rays of the pixels, and room to draw in.
        lights: memory of the brightness of cells.
        view: how far one sees, blocks.
        gamma: brightness setting.
        entities: whether they are drawn.
        out: uint8 `[size, size, 3]`, the image.
    """
    time, view = s.num[st.TIME], np.float32(view)
    camera = make_camera(s, canvas.lens, canvas.scale)
    x0, z0 = local_origin(camera.x), local_origin(camera.z)
    grid = make_grid(s, x0, z0)
    eye = np.float32(camera.x - x0), np.float32(camera.y), np.float32(camera.z - z0)
    around = block_at(grid, np.int64(eye[0]), np.int64(eye[1]), np.int64(eye[2]))
    if blocks.SOLID[around] or blocks.FIERY[around]:
        draw_inside(around, LIT if blocks.FIERY[around] else BURIED, out)
        return
    sky = make_sky(time)
    begin_lights(lights, time, gamma)
    canvas.depth[:] = view
    if entities:
        draw_entities(s.ents, grid, camera, lights, view, canvas.depth, canvas.paint)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            colour = _pixel(canvas, lights, camera, grid, sky, eye, view, i, j)
            for channel in range(3):
                out[i, j, channel] = np.uint8(colour[channel] + HALF)


@inner(fastmath=True, _nrt=False, forceinline=True)
def _pixel(canvas, lights, camera, grid, sky, eye, view, i, j):
    """Colour of a pixel: of a block, an entity or the sky, through fog and water."""
    dx, dy, dz = pixel_ray(camera, i, j)
    ray = make_ray(eye[0], eye[1], eye[2], dx, dy, dz)
    pixel = i * camera.lens.size + j
    hit = trace(grid, ray, canvas.depth[pixel])
    thin = (camera.lens[1] - camera.lens[0]) * camera.scale[i, j]
    if hit.block != AIR:
        colour = block_colour(grid, lights, ray, hit, thin * hit.t)
        colour = blend(colour, sky.fog, haze(hit.t, view))
    elif hit.t < view and hit.t >= canvas.depth[pixel]:
        row = canvas.paint[pixel]
        colour = (row[0], row[1], row[2])
        colour = blend(colour, sky.fog, haze(hit.t, view))
    else:
        colour = sky_colour(sky, dx, dy, dz)
    if hit.wet > 0:
        colour = under_water(colour, ray, hit, sky.fog, view, thin)
    return colour
