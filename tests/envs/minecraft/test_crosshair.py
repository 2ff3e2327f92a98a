"""What the crosshair meets, and what a click does to a mob."""

import numpy as np
import pytest
from digging import FLOOR, HEAD, ahead, aim, attack, release, world

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st

# The crosshair


@pytest.mark.parametrize(
    "yaw, pitch, cell, face",
    [
        (0, 0, (0, HEAD, 2), 4),
        (180, 0, (0, HEAD, -2), 5),
        (90, 0, (-2, HEAD, 0), 1),
        (-90, 0, (2, HEAD, 0), 0),
        (0, 60, (0, FLOOR - 1, 1), 3),
        (0, -60, (0, HEAD + 2, 1), 2),
    ],
)
def test_the_crosshair_meets_cells_and_faces(yaw, pitch, cell, face):
    # Down by 60 degrees: 1.62 / tan 60 = 0.935, so z = 1.435 on the ground. Up: the
    # ceiling at 67 is 1.38 above the eyes, 1.38 / tan 60 = 0.797, so z = 1.297.
    state = world()
    for x, z in ((0, 2), (0, -2), (2, 0), (-2, 0)):
        state.vox[x, z, HEAD] = blocks.DIRT
    state.vox[0, 1, HEAD + 2] = blocks.DIRT
    state.body[[st.YAW, st.PITCH]] = yaw, pitch
    assert aim(state)[0] == (True, *cell, face)


@pytest.mark.parametrize("away, hit", [(4.49, True), (4.51, False)])
def test_the_reach_is_4_5_blocks(away, hit):
    state = world()
    ahead(state, blocks.DIRT, 6)
    state.body[st.Z] = 6 - away
    assert aim(state)[0][0] == hit


def test_the_crosshair_passes_fluids_and_meets_plants_and_snow():
    for block, distance in (
        (blocks.WATER, 3),
        (blocks.LAVA_FALL, 3),
        (blocks.TALL_GRASS, 2),
        (blocks.SNOW_LAYER, 2),
    ):
        state = world()
        ahead(state, block, 2)
        ahead(state, blocks.STONE, 3)
        assert aim(state)[0][1:4] == (0, HEAD, distance)


def test_a_plant_around_the_eyes_is_met_on_its_far_side():
    state = world(speed=100.0)
    ahead(state, blocks.DOUBLE_PLANT_TOP, 0)
    ahead(state, blocks.DIRT, 1)
    assert aim(state)[0] == (True, 0, HEAD, 0, 5)
    assert attack(state, 2) == [1, 2]


def test_every_direction_meets_the_cell_that_small_steps_find():
    state = world()
    rng = np.random.default_rng(5)
    space = state.vox[:, :, FLOOR : FLOOR + 8]
    space[rng.random(space.shape) < 0.15] = blocks.DIRT
    state.vox[0, 0, FLOOR : HEAD + 1] = blocks.AIR
    found = 0
    for yaw, pitch in rng.uniform((-180, -89), (180, 89), (300, 2)):
        state.body[[st.YAW, st.PITCH]] = yaw, pitch
        a, b = np.radians((yaw, pitch))
        look = np.array([-np.sin(a) * np.cos(b), -np.sin(b), np.cos(a) * np.cos(b)])
        steps = np.linspace(0, 4.5, 45_001)[:, None]
        cells = np.floor([0.5, FLOOR + st.EYE, 0.5] + steps * look).astype(int)
        solid = state.vox[cells[:, 0] & 127, cells[:, 2] & 127, cells[:, 1]] > 0
        hit, *cell, _ = aim(state)[0]
        assert hit == solid.any()
        if hit:
            found += 1
            assert cell == cells[solid.argmax()].tolist()
    assert found > 200


# Mobs


def put_mob(state, distance, kind=st.ZOMBIE):
    """A mob southward whose near side is at a distance; in row 3."""
    mob = state.ents[3]
    mob[[st.E_KIND, st.E_X, st.E_Y]] = kind, 0.5, FLOOR
    mob[[st.E_Z, st.E_LIFE]] = 0.5 + distance + st.ENT_WIDE[kind] / 2, 20
    return mob


@pytest.mark.parametrize("distance, row", [(0.5, 3), (2.99, 3), (3.01, -1)])
def test_mobs_are_reached_within_three_blocks(distance, row):
    state = world()
    put_mob(state, distance)
    assert aim(state)[1] == row


def test_a_block_hides_a_mob_and_a_mob_hides_a_block():
    state = world(speed=100.0)
    put_mob(state, 1.8)
    ahead(state, blocks.DIRT, 3)
    assert aim(state)[1] == 3 and attack(state, 1) == []
    ahead(state, blocks.DIRT, 1)
    assert aim(state)[1] == -1 and attack(state, 1) == [1]


def test_a_mob_beside_the_ray_and_an_item_on_it_are_missed():
    state = world()
    mob = put_mob(state, 1.5)
    mob[st.E_X] = 0.5 + 0.31
    assert aim(state)[1] == -1
    mob[[st.E_X, st.E_KIND]] = 0.5, st.ITEM
    assert aim(state)[1] == -1


def test_the_nearest_mob_is_hit():
    state = world()
    put_mob(state, 2.5)
    state.ents[7] = state.ents[3]
    state.ents[7, st.E_Z] -= 1
    assert aim(state)[1] == 7


def test_a_hit_takes_two_uses_and_life():
    state = world("stone_pickaxe")
    mob = put_mob(state, 1.5)
    state.body[st.CHARGE] = 100
    attack(state, 1)
    # A full blow of a stone pickaxe is 3.
    assert mob[st.E_LIFE] == pytest.approx(17) and state.slots[0, 2] == 2
    assert state.body[st.EXHAUSTION] == pytest.approx(0.1)


def test_clicking_every_tick_does_next_to_nothing():
    # Each click starts the swing anew: f = 1.5 * 1.2 / 20 = 0.09, 3 * 0.2065 = 0.62
    # each ten ticks of invulnerability, after a first full blow.
    state = world("stone_pickaxe")
    state.body[st.CHARGE] = 100
    mob = put_mob(state, 1.5)
    for _ in range(40):
        mob[st.E_HURT] = max(0, mob[st.E_HURT] - 1)
        attack(state, 1)
    assert 17 - mob[st.E_LIFE] == pytest.approx(3 * 3 * (0.2 + 0.8 * 0.09**2))


def test_a_miss_and_another_thing_in_the_hand_restart_the_swing():
    state = world()
    state.body[st.CHARGE] = 100
    attack(state, 1)
    assert state.body[st.CHARGE] == 0
    release(state, 5)
    assert state.body[st.CHARGE] == 5
    state.slots[0] = ITEM["stone_pickaxe"], 1, 0
    release(state)
    assert state.body[st.CHARGE] == 1
