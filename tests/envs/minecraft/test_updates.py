"""What blocks do when their surroundings change: sand, plants, leaves, the queue."""

import numpy as np
import pytest
from small_world import FLOOR, SmallWorld, harvest, look_at

from dreamerv3_tf.envs.minecraft.items import NAMES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st


@pytest.fixture
def world():
    return SmallWorld(seed=3)


def column(world, x=0, z=0, low=FLOOR - 4, high=FLOOR + 8):
    return [world.get(x, y, z) for y in range(low, high)]


def test_sand_falls_one_block_in_seven_ticks(world):
    # Speeds 0.04, 0.0792, 0.1176, … (v · 0.98 + 0.04) add up to 0.8126 after six ticks
    # and to 1.0764 after seven. One tick more passes until it starts.
    world.set(0, FLOOR + 1, 0, blocks.SAND)
    world.put(0, FLOOR, 0, blocks.AIR)
    world.run(1)
    assert world.get(0, FLOOR + 1, 0) == blocks.AIR
    assert world.state.ents[0, st.E_KIND] == st.FALLING
    world.run(6)
    assert world.get(0, FLOOR, 0) == blocks.AIR
    world.run(1)
    assert world.get(0, FLOOR, 0) == blocks.SAND
    assert not world.state.ents[:, st.E_KIND].any()


@pytest.mark.parametrize("block", [blocks.SAND, blocks.RED_SAND, blocks.GRAVEL])
def test_a_column_falls_and_lands_as_it_was(world, block):
    for y in range(3):
        world.set(0, FLOOR - 4 + y, 0, blocks.AIR)
    world.set(0, FLOOR - 1, 0, blocks.DIRT)
    for y in range(5):
        world.set(0, FLOOR + y, 0, block)
    world.put(0, FLOOR - 1, 0, blocks.AIR)
    world.run(60)
    assert column(world) == [block] * 5 + [blocks.AIR] * 7
    assert world.items() == {}


def test_sand_falls_from_high_up_without_passing_the_ground(world):
    world.put(0, 120, 0, blocks.SAND)
    world.run(200)
    assert world.get(0, FLOOR, 0) == blocks.SAND and world.items() == {}


def test_sand_falls_through_water_and_takes_the_place_of_what_it_lands_in(world):
    for y in range(3):
        world.set(0, FLOOR - 3 + y, 0, blocks.WATER)
    world.set(3, FLOOR, 0, blocks.TALL_GRASS)
    world.put(0, FLOOR + 2, 0, blocks.SAND)
    world.put(3, FLOOR + 2, 0, blocks.SAND)
    world.run(100)
    assert world.get(0, FLOOR - 3, 0) == blocks.SAND
    assert world.get(3, FLOOR, 0) == blocks.SAND


def test_sand_that_lands_in_a_flower_becomes_an_item(world):
    world.set(0, FLOOR - 1, 0, blocks.GRASS)
    world.set(0, FLOOR, 0, blocks.POPPY)
    world.put(0, FLOOR + 3, 0, blocks.SAND)
    world.run(60)
    assert world.get(0, FLOOR, 0) == blocks.POPPY
    assert world.items() == {"sand": 1}


def test_sand_waits_where_all_rows_are_in_use(world):
    world.state.ents[:, st.E_KIND] = st.COW
    world.put(0, FLOOR + 1, 0, blocks.SAND)
    world.run(30)
    assert world.get(0, FLOOR + 1, 0) == blocks.SAND
    world.state.ents[7, st.E_KIND] = 0
    world.run(40)
    assert world.get(0, FLOOR, 0) == blocks.SAND


@pytest.mark.parametrize(
    "plant, ground, item",
    [
        (blocks.DANDELION, blocks.GRASS, "yellow_flower"),
        (blocks.POPPY, blocks.DIRT, "red_flower"),
        (blocks.SAPLING, blocks.PODZOL, "sapling"),
        (blocks.BROWN_MUSHROOM, blocks.STONE, "brown_mushroom"),
        (blocks.RED_MUSHROOM, blocks.PODZOL, "red_mushroom"),
        (blocks.CACTUS, blocks.SAND, "cactus"),
        (blocks.LILY_PAD, blocks.WATER, "waterlily"),
        (blocks.SNOW_LAYER, blocks.GRASS, None),
        (blocks.DEAD_BUSH, blocks.RED_SAND, "stick"),
        (blocks.TALL_GRASS, blocks.GRASS, "wheat_seeds"),
        (blocks.FERN, blocks.GRASS, "wheat_seeds"),
    ],
)
def test_a_plant_stays_on_its_ground_and_pops_without(world, plant, ground, item):
    chance = blocks.DROP_CHANCE[plant] < 1 or blocks.DROP_LOW[plant] == 0
    for x in range(-28, 29, 2):  # several, since some drop by chance
        world.set(x, FLOOR - 2, 0, blocks.STONE)
        world.set(x, FLOOR - 1, 0, ground)
        world.set(x, FLOOR, 0, plant)
        look_at(world.state, x, FLOOR, 0)
    world.run(2)
    assert all(world.get(x, FLOOR, 0) == plant for x in range(-28, 29, 2))
    for x in range(-28, 29, 2):
        world.put(x, FLOOR - 1, 0, blocks.AIR)
    world.run(2)
    assert all(world.get(x, FLOOR, 0) == blocks.AIR for x in range(-28, 29, 2))
    found = world.items()
    assert found.keys() == ({item} if item else set())
    if item and not chance:
        assert found[item] == 29


def test_a_plant_on_the_wrong_ground_pops_when_it_is_looked_at(world):
    world.set(0, FLOOR, 0, blocks.POPPY)  # on stone
    world.run(5)
    assert world.get(0, FLOOR, 0) == blocks.POPPY
    look_at(world.state, 0, FLOOR, 0)
    world.run(1)
    assert world.get(0, FLOOR, 0) == blocks.AIR


@pytest.mark.parametrize("neighbour", [blocks.DIRT, blocks.PLANKS, blocks.LAVA])
def test_a_cactus_breaks_where_something_stands_beside_it(world, neighbour):
    world.set(0, FLOOR - 1, 0, blocks.SAND)
    for y in range(3):
        world.set(0, FLOOR + y, 0, blocks.CACTUS)
    world.put(1, FLOOR + 3, 0, blocks.DIRT)  # above its top: no matter
    world.run(5)
    assert world.get(0, FLOOR + 2, 0) == blocks.CACTUS
    world.put(1, FLOOR + 1, 0, neighbour)
    world.run(5)
    assert column(world, low=FLOOR, high=FLOOR + 3) == [blocks.CACTUS, 0, 0]
    assert world.items()["cactus"] >= 2


def test_reeds_pop_from_the_cut_upward(world):
    world.set(0, FLOOR - 1, 0, blocks.SAND)
    world.set(1, FLOOR - 1, 0, blocks.WATER)
    for y in range(3):
        world.set(0, FLOOR + y, 0, blocks.REEDS)
        look_at(world.state, 0, FLOOR + y, 0)
    world.run(5)
    assert world.get(0, FLOOR + 2, 0) == blocks.REEDS
    world.put(0, FLOOR + 1, 0, blocks.AIR)
    world.run(5)
    assert column(world, low=FLOOR, high=FLOOR + 3) == [blocks.REEDS, 0, 0]
    assert world.items() == {"reeds": 1}


@pytest.mark.parametrize("half", [0, 1])
def test_neither_half_of_a_double_plant_stays_alone(world, half):
    world.set(0, FLOOR - 1, 0, blocks.GRASS)
    world.set(0, FLOOR, 0, blocks.DOUBLE_PLANT)
    world.set(0, FLOOR + 1, 0, blocks.DOUBLE_PLANT_TOP)
    for y in range(2):
        look_at(world.state, 0, FLOOR + y, 0)
    world.run(3)
    assert world.get(0, FLOOR + 1, 0) == blocks.DOUBLE_PLANT_TOP
    world.put(0, FLOOR + half, 0, blocks.AIR)
    world.run(3)
    assert column(world, low=FLOOR, high=FLOOR + 2) == [0, 0]


def test_vines_hang_from_what_they_cling_to_and_from_each_other(world):
    world.set(1, FLOOR + 5, 0, blocks.DIRT)
    for y in range(1, 6):
        world.set(0, FLOOR + y, 0, blocks.VINE)
        look_at(world.state, 0, FLOOR + y, 0)
    world.run(5)
    assert world.get(0, FLOOR + 1, 0) == blocks.VINE
    world.put(1, FLOOR + 5, 0, blocks.AIR)
    world.run(10)
    assert column(world, low=FLOOR, high=FLOOR + 6) == [0] * 6
    assert world.items() == {}


def plant_tree(world, x, height):
    """A trunk and a canopy of radius 2 over it; returns the cells of the leaves."""
    cells = []
    for y in range(FLOOR + height - 2, FLOOR + height + 1):
        for i in range(-2, 3):
            for j in range(-2, 3):
                world.set(x + i, y, j, blocks.OAK_LEAVES)
                cells.append((x + i, y, j))
    for y in range(FLOOR, FLOOR + height):
        world.set(x, y, 0, blocks.OAK_LOG)
    return [cell for cell in cells if world.get(*cell) == blocks.OAK_LEAVES]


def fell(world, x, height):
    counts = np.zeros((len(NAMES), 16), np.int64)
    for y in range(FLOOR, FLOOR + height):
        world.put(x, y, 0, blocks.AIR)
    # Logs lie around at the foot: `harvest` works at (0, FLOOR, 0).
    harvest(world.state, blocks.OAK_LOG, 1, counts)


def test_leaves_decay_once_their_tree_is_felled_but_not_at_once(world):
    leaves = plant_tree(world, 0, 3)
    fell(world, 0, 3)
    world.run(20)
    left = sum(world.get(*cell) == blocks.OAK_LEAVES for cell in leaves)
    assert len(leaves) * 0.5 < left
    world.run(6000)
    assert not any(world.get(*cell) for cell in leaves)
    assert world.state.num[st.QUEUED] == 0


def test_a_felled_log_that_no_leaf_touches_lets_the_leaves_decay(world):
    world.set(0, FLOOR + 3, 0, blocks.OAK_LEAVES)  # three above the only log
    world.set(0, FLOOR, 0, blocks.OAK_LOG)
    fell(world, 0, 1)
    world.run(6000)
    assert world.get(0, FLOOR + 3, 0) == blocks.AIR


@pytest.mark.parametrize("distance, stays", [(4, True), (5, False)])
def test_leaves_stay_within_four_steps_of_a_log(world, distance, stays):
    world.set(0, FLOOR, 0, blocks.SPRUCE_LOG)
    at = (distance - 2, FLOOR + 1, 1)
    world.set(*at, blocks.SPRUCE_LEAVES)
    look_at(world.state, *at)
    world.run(6000)
    assert (world.get(*at) == blocks.SPRUCE_LEAVES) == stays
    assert world.state.num[st.QUEUED] == 0


def test_grass_turns_to_dirt_under_what_keeps_out_the_light(world):
    for x, cover in ((0, blocks.STONE), (2, blocks.POPPY), (4, blocks.AIR)):
        world.set(x, FLOOR - 1, 0, blocks.GRASS)
        world.put(x, FLOOR, 0, cover)
    world.run(6000)
    grounds = [world.get(x, FLOOR - 1, 0) for x in (0, 2, 4)]
    assert grounds == [blocks.DIRT, blocks.GRASS, blocks.GRASS]


def still_life(world):
    """Lays things that are at rest into the box `x, z` in [-20, 20], `y` around 64."""
    plant_tree(world, -12, 4)
    for x, z in np.ndindex(12, 12):
        world.set(x, FLOOR - 1, z, blocks.WATER)  # a pond of sources
    world.set(13, FLOOR - 1, 3, blocks.SAND)
    world.set(14, FLOOR - 1, 3, blocks.LAVA)
    world.set(12, FLOOR - 1, 5, blocks.SAND)
    world.set(12, FLOOR, 5, blocks.REEDS)
    world.set(5, FLOOR, 5, blocks.LILY_PAD)
    for z in range(-15, -5):
        world.set(0, FLOOR - 1, z, blocks.GRASS)
        world.set(0, FLOOR, z, (blocks.TALL_GRASS, blocks.SNOW_LAYER)[z % 2])
    world.set(-5, FLOOR - 1, 5, blocks.GRAVEL)
    world.set(-5, FLOOR, 5, blocks.RED_SAND)
    world.set(-8, FLOOR - 1, 5, blocks.SAND)
    world.set(-8, FLOOR, 5, blocks.CACTUS)


def test_a_world_at_rest_stays_as_it_is_and_asks_for_nothing(world):
    still_life(world)
    before = world.state.vox.copy()
    for x in range(-16, 16):
        for z in range(-16, 16):
            for y in range(FLOOR - 2, FLOOR + 1):
                look_at(world.state, x, y, z)
    assert world.state.num[st.QUEUED] == 32 * 32 * 3
    world.run(12)  # 3,072 cells, 256 in a tick
    assert world.state.num[st.QUEUED] == 0
    np.testing.assert_array_equal(world.state.vox, before)
    assert not world.state.ents.any()


def test_a_tick_looks_at_256_cells_and_the_others_wait_in_order(world):
    for i in range(600):
        look_at(world.state, i % 40 - 20, 10 + i // 40, 0)
    rows = world.state.queue[:600].copy()
    world.run(1)
    assert world.state.num[st.QUEUED] == 344
    np.testing.assert_array_equal(world.state.queue[:344], rows[256:])


def test_cells_at_the_edge_wait_and_cells_far_away_are_forgotten(world):
    # The window ends at x = 64; 6 chunks from the middle, x = 111, is the limit.
    for x in (62, 70, 111, 112, 300):
        look_at(world.state, x, FLOOR, 0)
    world.run(1)
    assert world.state.queue[: world.state.num[st.QUEUED], 0].tolist() == [62, 70, 111]
    assert world.state.num[st.QUEUED] == 3


def test_the_same_world_does_the_same_again():
    ends = []
    for _ in range(2):
        world = SmallWorld(seed=11)
        plant_tree(world, 0, 3)
        fell(world, 0, 3)
        world.put(8, FLOOR + 5, 0, blocks.GRAVEL)
        world.put(-8, FLOOR, 0, blocks.WATER)
        world.run(700)
        ends.append([array.tobytes() for array in world.state])
    assert ends[0] == ends[1]
