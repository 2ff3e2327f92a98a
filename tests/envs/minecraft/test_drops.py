"""Items on the ground: what blocks give, pickup, slots, merging, the end of an item."""

import numpy as np
import pytest
from small_world import FLOOR, SmallWorld, drop, give, harvest

from dreamerv3_tf.envs.minecraft.items import ITEM, NAMES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st


@pytest.fixture
def world():
    return SmallWorld()


def harvested(block, times=20_000):
    """Share of harvests that give each (name, count)."""
    counts = np.zeros((len(NAMES), 16), np.int64)
    harvest(SmallWorld(seed=7).state, block, times, counts)
    where = zip(*np.nonzero(counts), strict=True)
    return {(NAMES[i], int(n)): counts[i, n] / times for i, n in where}


@pytest.mark.parametrize(
    "block, shares",
    [
        (blocks.STONE, {("cobblestone", 1): 1.0}),
        (blocks.GRANITE, {("stone", 1): 1.0}),
        (blocks.GRASS, {("dirt", 1): 1.0}),
        (blocks.CLAY, {("clay_ball", 4): 1.0}),
        (blocks.DIAMOND_ORE, {("diamond", 1): 1.0}),
        (blocks.ACACIA_LOG, {("log2", 1): 1.0}),
        (blocks.ICE, {}),
        (blocks.SNOW_LAYER, {}),
        (blocks.VINE, {}),
        (blocks.GRAVEL, {("gravel", 1): 0.9, ("flint", 1): 0.1}),
        (blocks.REDSTONE_ORE, {("redstone", n): 1 / 2 for n in (4, 5)}),
        (blocks.LAPIS_ORE, {("dye", n): 1 / 5 for n in range(4, 9)}),
        (blocks.OAK_LEAVES, {("sapling", 1): 0.05, ("apple", 1): 0.005}),
        (blocks.BIRCH_LEAVES, {("sapling", 1): 0.05}),
        (blocks.TALL_GRASS, {("wheat_seeds", 1): 0.125}),
        (blocks.DEAD_BUSH, {("stick", n): 1 / 3 for n in (1, 2)}),
    ],
)
def test_a_block_gives_what_it_should_as_often_as_it_should(block, shares):
    # 20,000 harvests: four standard deviations are at most 4 √(¼ / 20,000) = 0.0141,
    # and 4 √(0.005 · 0.995 / 20,000) = 0.002 for apples.
    found = harvested(block)
    assert found.keys() == shares.keys()
    for key, share in shares.items():
        bound = 4 * (share * (1 - share) / 20_000) ** 0.5
        assert abs(found[key] - share) <= bound, key


def test_a_drop_starts_inside_its_cell_and_flies_up(world):
    for _ in range(20):
        drop(world.state, -3, 70, 5, ITEM["coal"], 2)
    ents = world.state.ents[:20]
    for column, low in ((st.E_X, -3), (st.E_Y, 70), (st.E_Z, 5)):
        offset = ents[:, column] - low
        assert (offset >= 0.25).all() and (offset <= 0.75).all()
        assert offset.std() > 0.05
    assert (ents[:, st.E_VY] == 0.2).all()
    assert (np.abs(ents[:, [st.E_VX, st.E_VZ]]) <= 0.1).all()
    assert (ents[:, st.E_DELAY] == 10).all() and (ents[:, st.E_COUNT] == 2).all()


def test_no_pieces_make_no_item(world):
    drop(world.state, 0, 70, 0, ITEM["coal"], 0)
    assert not world.state.ents.any()


def test_an_item_is_picked_up_ten_ticks_after_the_tick_that_laid_it(world):
    # The tick of the last hit counts down to 9 already; 0 is reached at the end of the
    # ninth tick after it, and the tenth picks up: 11 calls in all.
    world.stand(0.5, FLOOR, 0.5)
    drop(world.state, 0, FLOOR, 0, ITEM["log"], 1)
    world.run(10)
    assert world.items() == {"log": 1} and world.held() == {}
    world.run(1)
    assert world.items() == {} and world.held() == {0: ("log", 1)}


@pytest.mark.parametrize(
    "offset, is_near",
    [
        # Sides: 0.3 (player) + 1 + 0.125 (item) = 1.425.
        ((1.42, 0, 0), True),
        ((1.43, 0, 0), False),
        ((0, 0, -1.42), True),
        ((0, 0, -1.43), False),
        ((1.42, 0, 1.42), True),
        # Above: 1.8 + 0.5 = 2.3. Below: 0.5 + 0.25 (item) = 0.75.
        ((0, 2.29, 0), True),
        ((0, 2.31, 0), False),
        ((0, -0.74, 0), True),
        ((0, -0.76, 0), False),
    ],
)
def test_an_item_is_picked_up_where_it_touches_the_players_grown_box(
    world, offset, is_near
):
    world.stand(0.5, 80, 0.5)
    world.lay("log", at=np.add((0.5, 80, 0.5), offset))
    world.run(1)
    assert world.held() == ({0: ("log", 1)} if is_near else {})


def test_the_dead_pick_nothing_up(world):
    world.stand(0.5, FLOOR, 0.5)
    world.state.num[st.DEAD] = 1
    world.lay("log")
    world.run(5)
    assert world.held() == {}


@pytest.mark.parametrize(
    "before, item, count, after, left",
    [
        ({}, "log", 3, {0: ("log", 3)}, 0),
        ({0: ("dirt", 1)}, "log", 3, {0: ("dirt", 1), 1: ("log", 3)}, 0),
        ({2: ("log", 1)}, "log", 3, {2: ("log", 4)}, 0),
        ({1: ("log", 62), 3: ("log", 1)}, "log", 3, {1: ("log", 64), 3: ("log", 2)}, 0),
        ({1: ("log", 63)}, "log", 3, {0: ("log", 2), 1: ("log", 64)}, 0),
        ({}, "log", 130, {0: ("log", 64), 1: ("log", 64), 2: ("log", 2)}, 0),
        ({0: ("snowball", 15)}, "snowball", 2, {0: ("snowball", 16),
                                                1: ("snowball", 1)}, 0),
        ({0: ("iron_pickaxe", 1)}, "iron_pickaxe", 1,
         {0: ("iron_pickaxe", 1), 1: ("iron_pickaxe", 1)}, 0),
        ({i: ("dirt", 64) for i in range(360)}, "dirt", 1,
         {i: ("dirt", 64) for i in range(360)}, 1),
        ({i: ("dirt", 63) for i in range(360)}, "dirt", 361,
         {i: ("dirt", 64) for i in range(360)}, 1),
    ],
)  # fmt: skip
def test_items_go_to_stacks_with_room_and_then_to_the_first_empty_slots(
    world, before, item, count, after, left
):
    for slot, (name, held) in before.items():
        world.state.slots[slot, :2] = ITEM[name], held
    assert give(world.state, ITEM[item], count) == left
    assert world.held() == after


def test_a_new_tool_is_not_worn_by_what_the_slot_held_before(world):
    world.state.slots[0] = ITEM["stone_pickaxe"], 0, 131
    give(world.state, ITEM["wooden_pickaxe"], 1)
    assert world.state.slots[0].tolist() == [ITEM["wooden_pickaxe"], 1, 0]


def test_what_finds_no_room_stays_on_the_ground(world):
    world.state.slots[:360, :2] = ITEM["dirt"], 64
    world.state.slots[5, 1] = 60
    world.stand(0.5, FLOOR, 0.5)
    world.lay("dirt", 10)
    world.run(1)
    assert world.items() == {"dirt": 6}  # 10 - (64 - 60)


def test_an_item_falls_with_gravity_and_drag_and_rests_on_the_ground(world):
    ent = world.lay("log", at=(0.5, FLOOR + 1, 0.5))
    ent[[st.E_VX, st.E_VY]] = 0.1, 0.2
    world.run(1)
    # 0.2 - 0.04 = 0.16 up; then 0.16 · 0.98 = 0.1568 is left, and 0.1 · 0.98 of x.
    assert ent[st.E_Y] == pytest.approx(FLOOR + 1.16)
    assert ent[st.E_VY] == pytest.approx(0.1568)
    assert ent[st.E_VX] == pytest.approx(0.098)
    world.run(40)
    assert ent[st.E_Y] == FLOOR and ent[st.E_VY] == 0 and ent[st.E_GROUND] == 1
    ent[st.E_VX] = 0.1
    world.run(1)
    assert ent[st.E_VX] == pytest.approx(0.0588)  # · 0.98 · 0.6


def test_an_item_does_not_fly_through_a_wall(world):
    world.set(1, FLOOR, 0, blocks.STONE)
    ent = world.lay("log")
    ent[st.E_VX] = 3.0
    world.run(1)
    assert ent[st.E_X] == pytest.approx(1 - 0.125) and ent[st.E_VX] == 0


def test_an_item_vanishes_after_6000_ticks(world):
    world.lay("log")
    world.run(5999)
    assert world.items() == {"log": 1}
    world.run(1)
    assert world.items() == {}


def test_an_item_in_another_land_stays_where_it_is_but_grows_old(world):
    ent = world.lay("log", at=(500.5, 90.0, 0.5), age=5990)
    world.run(9)
    assert ent[st.E_Y] == 90.0
    world.run(1)
    assert world.items() == {}


def test_lava_destroys_items(world):
    world.set(0, FLOOR, 0, blocks.LAVA)
    world.lay("diamond", at=(0.5, FLOOR + 0.9, 0.5))
    world.run(10)
    assert world.items() == {}


def test_flowing_water_carries_items_along(world):
    for x in range(8):
        for z in (-1, 1):
            world.set(x, FLOOR, z, blocks.STONE)
        world.set(x, FLOOR, 0, blocks.WATER + x)
    ent = world.lay("log", at=(2.5, FLOOR, 0.5))
    world.run(1)
    # 0.014 by the current, all of which moves it, · 0.588 kept on the ground.
    assert ent[st.E_X] == pytest.approx(2.514)
    assert ent[st.E_VX] == pytest.approx(0.014 * 0.588)
    world.run(200)
    assert ent[st.E_X] > 6 and ent[st.E_Z] == 0.5


@pytest.mark.parametrize(
    "at, walls, where",
    [
        ((0.3, 0.4), (), (-0.13, 0, 0.4)),  # the near side
        ((0.3, 0.4), ((-1, 0, 0),), (0.3, 0, -0.13)),
        ((0.7, 0.5), ((-1, 0, 0), (0, 0, -1)), (1.13, 0, 0.5)),
    ],
)
def test_a_block_placed_on_an_item_pushes_it_out(world, at, walls, where):
    for x, y, z in ((0, 0, 0), *walls):
        world.set(x, FLOOR + y, z, blocks.DIRT)
    ent = world.lay("log", at=(at[0], FLOOR, at[1]))
    world.run(2)
    # It leaves through the nearest open face by 0.13, a little over half its width.
    np.testing.assert_allclose(
        ent[[st.E_X, st.E_Y, st.E_Z]], np.add(where, (0, FLOOR, 0)), atol=1e-9
    )


def test_an_item_walled_in_on_all_sides_rises_to_the_open(world):
    ent = world.lay("log", at=(0.5, FLOOR - 5, 0.5))
    world.run(20)
    assert ent[st.E_Y] >= FLOOR


def test_equal_items_nearby_become_one(world):
    one = world.lay("log", 2, age=24, row=0)
    world.lay("log", 3, at=(1.2, FLOOR, 0.5), delay=7, age=3, row=5)
    world.lay("dirt", 3, at=(0.6, FLOOR, 0.5), row=6)
    world.lay("log", 4, at=(1.3, FLOOR, 0.5), row=7)  # 0.8 away, 0.75 is the limit
    world.run(1)
    assert one[st.E_COUNT] == 5 and world.state.ents[5, st.E_KIND] == 0
    assert one[st.E_DELAY] == 7 and one[st.E_AGE] == 3
    assert world.items() == {"log": 9, "dirt": 3}


def test_items_merge_no_further_than_one_stack(world):
    for row in range(2):
        world.lay("log", 33, age=24, row=row)
    world.run(60)
    assert (world.state.ents[:2, st.E_COUNT] == 33).all()


def test_a_new_item_takes_the_place_of_the_oldest_where_all_rows_are_in_use(world):
    for row in range(st.ENTS):
        world.lay("dirt", age=100 + row, row=row)
    world.state.ents[90, st.E_AGE] = 5000
    world.state.ents[91, [st.E_KIND, st.E_AGE]] = st.ZOMBIE, 5900
    world.state.ents[92, [st.E_KIND, st.E_AGE]] = st.ARROW, 5900
    drop(world.state, 0, 70, 0, ITEM["diamond"], 1)
    assert world.state.ents[90, st.E_ITEM] == ITEM["diamond"]
    assert world.items() == {"dirt": st.ENTS - 3, "diamond": 1}


def test_mobs_never_give_way_to_items(world):
    world.state.ents[:, st.E_KIND] = st.COW
    world.state.ents[30, st.E_KIND] = st.ARROW
    drop(world.state, 0, 70, 0, ITEM["diamond"], 1)
    assert (world.state.ents[:, st.E_KIND] == st.COW).sum() == st.ENTS - 1
    assert world.items() == {"diamond": 1}
