"""Animals, monsters and items in the image, and what hides them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scenes import FLOOR, entity, fill, lake, meadow, measure, stand

from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.picture import atlas, bodies, camera
from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer

EYE = FLOOR + st.EYE
RENDERER = Renderer()


def image(state):
    return RENDERER.image(state).astype(int)


def silhouette(kind, offset, yaw):
    """Pixels whose rays meet a box of a mob with its feet `offset` from the eye, which
    looks along +z; bool `[64, 64]`."""
    lens, scale = camera.make_lens(64, 130.0)
    rays = np.stack(
        [-lens[None].repeat(64, 0), -lens[:, None].repeat(64, 1), np.ones((64, 64))], -1
    )
    rays = rays * scale[..., None]
    sin, cos = math.sin(math.radians(yaw)), math.cos(math.radians(yaw))
    axes = np.array([(-cos, 0, -sin), (0, 1, 0), (-sin, 0, cos)])  # right, up, ahead
    origin, rays = axes @ -np.asarray(offset), rays @ axes.T
    met = np.zeros((64, 64), bool)
    for box in bodies.BOXES[slice(*bodies.BODIES[kind])].astype(float):
        walls = ((box[:3] - origin)[:, None] + np.outer(box[3:], [-1, 1])).T
        times = walls[:, None, None] / rays
        enters, leaves = times.min(0).max(-1), times.max(0).min(-1)
        met |= (enters < leaves) & (enters > 0)
    return met


@pytest.mark.parametrize("kind", range(st.COW, len(st.KINDS)))
def test_a_mob_is_drawn_where_rays_meet_its_boxes_and_nowhere_else(kind):
    # In empty air, ahead, beside, above, under the feet and around the eye.
    rng = np.random.default_rng(kind)
    bare = stand(measure(st.empty_state()), y=100.0)
    bare.chunks[:] = 0
    sky = image(bare)
    for _ in range(40):
        offset = rng.uniform(-1, 1, 3) * rng.choice([1.5, 4, 20])
        yaw = rng.uniform(0, 360)
        x, y, z = offset + (0.5, 100 + st.EYE, 0.5)
        drawn = (image(entity(bare, 0, kind, x, y, z, yaw)) != sky).any(-1)
        expected = silhouette(kind, offset, yaw)
        # A pixel at an edge may go to either side, and a colour may be the sky's.
        assert (drawn != expected).sum() <= 2 + 0.01 * expected.sum(), (offset, yaw)


@pytest.mark.parametrize("kind", range(st.ITEM, len(st.KINDS)))
def test_entities_show_and_walls_hide_them(kind):
    item = b.SAND if kind == st.FALLING else ITEM["diamond"]
    empty, state = meadow(), meadow()
    entity(state, 5, kind, 0.5, EYE - 0.6, 1.8, 60, item=item)
    assert (image(state) != image(empty)).any(-1).sum() >= 4
    np.testing.assert_array_equal(Renderer(entities=False).image(state), image(empty))
    for world in (empty, state):
        stand(world, z=-1.5)
        fill(world, (-2, FLOOR, 0), (2, FLOOR + 4, 0), b.STONE)
    np.testing.assert_array_equal(image(state), image(empty))


def test_an_entity_hides_what_is_behind_it_and_half_a_wall_hides_half_of_it():
    def shown(state):
        pixels = image(entity(state, 0, st.COW, 0.5, FLOOR, 4.0)) != image(bare(state))
        return set(map(tuple, np.argwhere(pixels.any(-1))))

    def bare(state):
        state.ents[0] = 0
        return state

    whole = shown(meadow())
    half = shown(fill(meadow(), (-3, FLOOR, 2), (0, FLOOR, 2), b.STONE))
    behind = shown(fill(meadow(), (-9, FLOOR, 7), (9, FLOOR + 9, 7), b.SNOW))
    assert half < whole and 0.2 < len(half) / len(whole) < 0.8
    assert len(behind) >= len(whole) > 20


def test_an_entity_under_water_is_seen_through_the_water():
    state = stand(lake(3), z=2.6, pitch=30)
    bare = image(state)
    entity(state, 0, st.SHEEP, 0.5, 61.0, 5.5)
    wet = image(state)
    changed = (wet != bare).any(-1)
    assert changed.sum() > 5
    assert wet[changed][:, 2].mean() > wet[changed][:, 0].mean() + 10


def test_entities_beside_and_around_the_eye_do_no_harm():
    state = meadow()
    for row, (x, z) in enumerate([(0.5, -0.4), (0.5, 0.6), (1.2, 0.5), (0.5, 47.9)]):
        entity(state, row, st.SPIDER, x, FLOOR, z)
    for yaw in range(0, 360, 15):
        assert image(stand(state, yaw=yaw)).shape == (64, 64, 3)


def test_hurt_mobs_turn_red():
    calm, hurt = meadow(), meadow()
    entity(calm, 0, st.SHEEP, 0.5, FLOOR, 2.5)
    entity(hurt, 0, st.SHEEP, 0.5, FLOOR, 2.5, hurt=5)
    one, two = image(calm)[36:44, 30:34], image(hurt)[36:44, 30:34]
    assert one[..., 1].mean() > two[..., 1].mean() + 20


def test_every_item_that_blocks_drop_has_a_look():
    dropped = {int(item) for item in b.DROP_ITEM if item >= 0}
    dropped |= {ITEM[name] for name in (*b.PLACES, *items.USES, "flint", "apple")}
    unknown = atlas.LAYERS["item/unknown"]
    for item in dropped:
        assert bodies.ITEM_BLOCK[item] or bodies.ITEM_LAYER[item] != unknown, item
