"""Rays against a slow caster in float64; blocks; golden images."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scenes
from scenes import FLOOR, fill, lake, meadow

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.land.climate import B_JUNGLE, B_SAVANNA
from dreamerv3_tf.envs.minecraft.voxel.picture import atlas, march
from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer

EYE = FLOOR + st.EYE
RENDERER = Renderer()


def image(state):
    return RENDERER.image(state).astype(int)


def far(one, other):
    """Mean difference of two images, 0 to 255."""
    return np.abs(one - other).mean()


def oracle(state, origin, direction, reach):
    """First solid cell on a ray: `(t, block, face, cell)`, by plain float64 steps."""
    cell, axis, t = [math.floor(value) for value in origin], 1, 0.0
    while t < reach:
        if cell[1] < 0:
            break
        block = b.AIR
        if cell[1] < st.HEIGHT:
            block = int(state.vox[cell[0] & 127, cell[2] & 127, cell[1]])
        if b.SOLID[block]:
            return t, block, 2 * axis + int(direction[axis] < 0), tuple(cell)
        times = [
            (cell[k] + (direction[k] > 0) - origin[k]) / direction[k] for k in range(3)
        ]
        axis = int(np.argmin(times))
        t = times[axis]
        cell[axis] += 1 if direction[axis] > 0 else -1
    return reach, b.AIR, 3, None


def scatter(rng, share, high):
    """Hills of stone, with cubes of three kinds and water in the air above."""
    state = st.empty_state()
    hills = rng.integers(20, 30, (16, 16)).repeat(8, 0).repeat(8, 1)
    state.vox[np.arange(st.HEIGHT) < hills[..., None]] = b.STONE
    there = rng.random(state.vox.shape) < share
    there[..., high:] = False
    kinds = np.array([b.DIRT, b.OAK_LOG, b.SAND, b.WATER], np.uint8)
    state.vox[there] = rng.choice(kinds, int(there.sum()))
    return scenes.measure(state)


@pytest.mark.parametrize(("share", "high"), [(0.002, 60), (0.02, 45), (0.15, 100)])
def test_999_of_1000_rays_meet_what_a_slow_caster_meets(share, high):
    rng = np.random.default_rng(high)
    state, right, rays = scatter(rng, share, high), 0, 700
    for _ in range(rays):
        x, z = rng.uniform(-500, 500, 2)
        origin = x, rng.uniform(5, 75), z
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        t, block, face, cell = oracle(state, origin, direction, 48.0)
        dx, dy, dz = direction
        found = march.cast(state, x, origin[1], z, dx, dy, dz, 48.0)
        same = found[1] == block and abs(found[0] - t) < 1e-3
        if block != b.AIR and t > 0:
            same = same and found[2] == face and found[3:] == cell
        right += same
    assert right >= 0.999 * rays


def test_a_ray_meets_thin_things_where_they_are():
    state = meadow()
    fill(state, (0, FLOOR, 2), (0, FLOOR, 2), b.SNOW_LAYER)
    fill(state, (0, FLOOR, 4), (0, FLOOR, 4), b.REEDS)
    fill(state, (0, FLOOR, 6), (0, FLOOR, 6), b.VINE)
    fill(state, (0, FLOOR, 7), (0, FLOOR, 7), b.STONE)
    fill(state, (0, FLOOR, 9), (0, FLOOR, 9), b.LILY_PAD)

    def meet(x, y, z, dx, dy, dz):
        t, block = march.cast(state, x, y, z, dx, dy, dz, 20.0)[:2]
        return block, t

    # From 67 down to a layer 1/8 high, and to a pad 1/64 high.
    assert meet(0.5, 67.0, 2.5, 0.0, -1.0, 0.0) == (b.SNOW_LAYER, 2.875)
    assert meet(0.25, 67.0, 9.5, 0.0, -1.0, 0.0) == (b.LILY_PAD, 2.984375)
    # Over the snow, but not through its edge: reeds stand on the diagonals of a cell,
    # so a ray along z at x = 0.375 meets one at z = 4.375.
    assert meet(0.375, 64.2, 1.0, 0.0, 0.0, 1.0) == (b.REEDS, 3.375)
    assert meet(0.375, 64.1, 1.0, 0.0, 0.0, 1.0) == (b.SNOW_LAYER, 1.0)
    # A vine hangs on the stone behind it; beside it, where it has a hole, is stone.
    met = {meet(x, 64.5, 5.5, 0.0, 0.0, 1.0) for x in np.linspace(0.05, 0.95, 16)}
    assert met == {(b.VINE, 1.5), (b.STONE, 1.5)}


def test_rays_pass_water_and_end_below_the_world():
    state = lake(deep=3)
    # The ground of the lake is at 61, its water from there to 64.
    t, block, face, x, y, z = march.cast(state, 0.5, 66.0, 9.5, 0.0, -1.0, 0.0, 20.0)
    assert (t, block, face, x, y, z) == (5.0, b.SAND, 3, 0, 60, 9)
    state.vox[0, 0] = b.AIR
    assert march.cast(state, 0.5, 20.0, 0.5, 0.0, -1.0, 0.0, 48.0)[1] == b.AIR


def test_pixels_lie_where_the_conventions_say():
    # Facing +z, the left is +x (east), so red is on the left and gold on the right.
    state = meadow()
    fill(state, (1, FLOOR, 4), (9, FLOOR + 20, 4), b.RED_SAND)
    fill(state, (-9, FLOOR, 4), (0, FLOOR + 20, 4), b.SNOW)
    got = image(state)
    assert got[20, 10, 2] < 80 and got[20, 53, 2] > 150
    fill(state, (-9, FLOOR, 4), (0, FLOOR + 20, 4), b.AIR)
    fill(state, (-6, FLOOR + 1, 5), (-6, FLOOR + 1, 5), b.COAL_ORE)
    dark = image(state)[32, 33:].sum(-1) < 330
    # x from -6 to -5 is 5.5 to 6.5 right of the eye; the block is 4.5 to 5.5 ahead; at
    # the edge of the image are tan 65° = 2.1445. So its columns are from
    # 32 + 32 · 5.5 / (5.5 · 2.1445) = 46.9 to 32 + 32 · 6.5 / (4.5 · 2.1445) = 53.6.
    assert set(np.flatnonzero(dark) + 33) == set(range(47, 54))


def test_turning_24_times_15_degrees_comes_back_to_the_same_image():
    state = scenes.garden()
    first = last = RENDERER.image(state)
    for _ in range(24):
        state.body[st.YAW] = (state.body[st.YAW] + 15.0) % 360.0
        before, last = last, RENDERER.image(state)
        assert far(before.astype(int), last.astype(int)) > 1
    np.testing.assert_array_equal(first, last)


def test_an_image_is_new_and_leaves_the_world_alone():
    state = scenes.herd()
    before = [array.copy() for array in state]
    one, two = RENDERER.image(state), RENDERER.image(state)
    assert one is not two and one.flags.c_contiguous and one.flags.owndata
    assert one.shape == (64, 64, 3) and one.dtype == np.uint8
    np.testing.assert_array_equal(one, two)
    for array, old in zip(state, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize(
    "wrong", [{"size": 1}, {"fov": 180.0}, {"view": 64}, {"gamma": 9.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(EnvError, match=f"env.{name} is .*, expected"):
        Renderer(**wrong)


def test_every_block_has_a_texture_of_its_own():
    looks = {}
    for block, name in b.NAMES.items():
        if block == b.AIR or b.WATERY[block] or b.FIERY[block]:
            continue
        faces = tuple(atlas.FACES[block])
        others = looks.setdefault(faces, [])
        others.append(name)
    shared = {tuple(names) for names in looks.values() if len(names) > 1}
    assert shared == {("snow", "snow_layer")}


@pytest.mark.parametrize("view", [2, 3])
def test_ores_differ_in_an_image_from_three_blocks_away(view):
    pictures = []
    for ore in (b.STONE, *range(b.COAL_ORE, b.EMERALD_ORE + 1)):
        state = fill(meadow(), (-9, FLOOR, view + 1), (9, FLOOR + 9, view + 1), b.STONE)
        fill(state, (0, FLOOR + 1, view + 1), (0, FLOOR + 1, view + 1), ore)
        pictures.append(image(state)[30:34, 30:34].mean((0, 1)))
    for one, other in itertools.combinations(pictures, 2):
        assert np.abs(one - other).max() > 10


def test_biomes_tint_grass_but_not_dirt():
    green, dry = meadow(biome=B_JUNGLE), meadow(biome=B_SAVANNA)
    one, two = image(green)[45:].mean((0, 1)), image(dry)[45:].mean((0, 1))
    assert two[0] > one[0] + 30
    bare = [meadow(b.DIRT, biome) for biome in (B_JUNGLE, B_SAVANNA)]
    one, two = map(image, bare)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", scenes.golden_views())
def test_images_are_as_they_were(name):
    # Compilers round differently from one CPU to another, hence the tolerance.
    with np.load(scenes.GOLDEN) as golden:
        expected = golden[name].astype(int)
    off = np.abs(image(scenes.golden_views()[name]) - expected).max(-1)
    assert (off <= 2).mean() >= 0.99
    assert off.mean() < 0.5


@pytest.mark.parametrize("yaw", [0, 90, 180, 270])
@pytest.mark.parametrize("pitch", [-90, 90])
def test_one_can_look_straight_up_and_down(yaw, pitch):
    # Directions are exactly along an axis there, so 1 / direction is infinite.
    straight = image(scenes.stand(meadow(b.SNOW), yaw=yaw, pitch=pitch))
    almost = image(scenes.stand(meadow(b.SNOW), yaw=yaw, pitch=pitch * 0.999))
    assert far(straight, almost) < 1
