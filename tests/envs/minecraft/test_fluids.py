"""How water and lava spread, fall, dry up, and meet."""

import pytest
from small_world import FLOOR, SmallWorld

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st


@pytest.fixture
def world():
    return SmallWorld(seed=3)


def dig(world, *cells):
    for x, y, z in cells:
        world.set(x, FLOOR + y, z, blocks.AIR)


def steps(world, kind, most):
    """Level of each cell of fluid on the floor within 9 of the origin."""
    found = {}
    for x in range(-9, 10):
        for z in range(-9, 10):
            block = world.get(x, FLOOR, z)
            if kind <= block <= kind + most:
                found[x, z] = block - kind
    return found


@pytest.mark.parametrize(
    "kind, most, pace", [(blocks.WATER, 7, 5), (blocks.LAVA, 3, 30)]
)
def test_a_source_spreads_by_a_step_at_each_pace_and_dries_up_without(
    world, kind, most, pace
):
    world.put(0, FLOOR, 0, kind)
    everything = {
        (x, z): abs(x) + abs(z)
        for x in range(-9, 10)
        for z in range(-9, 10)
        if abs(x) + abs(z) <= most
    }
    for step in range(most + 3):
        inside = {cell: level for cell, level in everything.items() if level <= step}
        assert steps(world, kind, most) == inside
        world.run(pace)
    assert world.state.num[st.QUEUED] == 0
    world.put(0, FLOOR, 0, blocks.AIR)
    world.run(pace * (most + 3))
    assert steps(world, kind, most) == {}
    world.run(1)
    assert world.state.num[st.QUEUED] == 0


def test_water_falls_and_spreads_anew_below(world):
    for y in range(4):
        world.set(0, FLOOR + y, 0, blocks.STONE)
    world.put(0, FLOOR + 4, 0, blocks.WATER)
    world.run(200)
    assert world.get(1, FLOOR + 4, 0) == blocks.WATER_1
    assert [world.get(1, FLOOR + y, 0) for y in range(4)] == [blocks.WATER_FALL] * 4
    assert [world.get(2 + x, FLOOR, 0) for x in range(8)] == [
        *range(blocks.WATER_1, blocks.WATER_7 + 1),
        blocks.AIR,
    ]
    assert world.get(2, FLOOR + 1, 0) == blocks.AIR  # nothing leaves the fall aside


def test_two_sources_make_a_third_over_solid_ground_only(world):
    for x in range(3):
        dig(world, (x, -1, 0), (x, -3, 0))
    world.put(0, FLOOR - 1, 0, blocks.WATER)
    world.put(2, FLOOR - 1, 0, blocks.WATER)
    world.run(30)
    assert world.get(1, FLOOR - 1, 0) == blocks.WATER
    dig(world, (1, -2, 0))
    world.put(1, FLOOR - 1, 0, blocks.AIR)
    world.run(60)
    assert world.get(1, FLOOR - 1, 0) in range(blocks.WATER_1, blocks.WATER_7 + 1)


def test_lava_makes_no_new_sources(world):
    dig(world, *((x, -1, 0) for x in range(3)))
    world.put(0, FLOOR - 1, 0, blocks.LAVA)
    world.put(2, FLOOR - 1, 0, blocks.LAVA)
    world.run(100)
    assert world.get(1, FLOOR - 1, 0) == blocks.LAVA_1


@pytest.mark.parametrize("distance, is_drawn", [(5, True), (6, False)])
def test_water_runs_to_an_edge_within_five_steps_and_nowhere_else(
    world, distance, is_drawn
):
    dig(world, (distance, -1, 0))
    world.put(0, FLOOR, 0, blocks.WATER)
    world.run(7)
    assert world.get(1, FLOOR, 0) == blocks.WATER_1
    others = [world.get(x, FLOOR, z) for x, z in ((-1, 0), (0, 1), (0, -1))]
    assert others == [blocks.AIR if is_drawn else blocks.WATER_1] * 3


def test_water_runs_towards_an_edge_around_a_corner(world):
    # A wall in the way: the hole at (2, 0) is reached by z = 1 in 4 steps.
    for z in range(-4, 1):
        world.set(1, FLOOR, z, blocks.STONE)
    dig(world, (2, -1, 0))
    world.put(0, FLOOR, 0, blocks.WATER)
    world.run(7)
    ways = [world.get(x, FLOOR, z) for x, z in ((-1, 0), (0, 1), (0, -1))]
    assert ways == [blocks.AIR, blocks.WATER_1, blocks.AIR]


@pytest.mark.parametrize(
    "lava, hard",
    [
        (blocks.LAVA, blocks.OBSIDIAN),
        (blocks.LAVA_1, blocks.COBBLESTONE),
        (blocks.LAVA_3, blocks.COBBLESTONE),
    ],
)
@pytest.mark.parametrize("side", [(1, 0, 0), (0, 0, -1), (0, 1, 0)])
def test_lava_hardens_where_water_comes_beside_or_above(world, lava, hard, side):
    dig(world, (0, -3, 0), (side[0], side[1] - 3, side[2]))
    world.set(0, FLOOR - 3, 0, lava)
    world.put(side[0], FLOOR - 3 + side[1], side[2], blocks.WATER)
    world.run(2)
    assert world.get(0, FLOOR - 3, 0) == hard


def test_lava_that_falls_on_water_makes_stone(world):
    dig(world, (0, -1, 0))
    world.set(0, FLOOR - 1, 0, blocks.WATER)
    world.put(0, FLOOR + 1, 0, blocks.LAVA)
    world.run(100)
    assert world.get(0, FLOOR - 1, 0) == blocks.STONE


def test_lava_over_water_only_looks_down_to_it(world):
    # Water below lava does not harden it: it runs down and makes stone instead.
    dig(world, (0, -1, 0), (0, -2, 0))
    world.set(0, FLOOR - 2, 0, blocks.WATER)
    world.put(0, FLOOR - 1, 0, blocks.LAVA)
    world.run(40)
    assert world.get(0, FLOOR - 1, 0) == blocks.LAVA
    assert world.get(0, FLOOR - 2, 0) == blocks.STONE


@pytest.mark.parametrize(
    "kind, left", [(blocks.WATER, {"red_flower": 1}), (blocks.LAVA, {})]
)
def test_water_washes_plants_off_and_lava_burns_them(world, kind, left):
    world.set(1, FLOOR - 1, 0, blocks.GRASS)
    world.set(1, FLOOR, 0, blocks.POPPY)
    world.put(0, FLOOR, 0, kind)
    world.run(40)
    assert world.get(1, FLOOR, 0) == kind + 1
    assert world.items() == left


def test_reeds_and_walls_stop_water(world):
    world.set(1, FLOOR - 1, 0, blocks.SAND)
    world.set(1, FLOOR, 0, blocks.REEDS)
    world.set(-1, FLOOR, 0, blocks.OAK_LEAVES)
    world.set(-1, FLOOR, 1, blocks.OAK_LOG)
    for z in (-1, 1):
        world.set(0, FLOOR, z, blocks.STONE)
    world.put(0, FLOOR, 0, blocks.WATER)
    world.set(0, FLOOR - 1, 0, blocks.WATER)  # beside the ground of the reeds
    world.run(60)
    assert world.get(1, FLOOR, 0) == blocks.REEDS
    assert world.get(-1, FLOOR, 0) == blocks.OAK_LEAVES
    assert world.get(2, FLOOR, 0) == blocks.AIR


def test_a_breach_empties_nothing_from_the_sea_but_fills_the_cave(world):
    for x in range(-6, 0):
        for z in range(-3, 4):
            for y in range(-3, 0):
                world.set(x, FLOOR + y, z, blocks.WATER)
    dig(world, *((x, -3, 0) for x in range(1, 6)))
    world.put(0, FLOOR - 3, 0, blocks.AIR)
    world.run(120)
    assert [world.get(x, FLOOR - 3, 0) for x in range(-1, 6)] == [
        blocks.WATER,
        *range(blocks.WATER_1, blocks.WATER_1 + 6),
    ]
    assert all(
        world.get(x, FLOOR - 1 - y, z) == blocks.WATER
        for x in range(-6, 0)
        for y in range(3)
        for z in range(-3, 4)
    )
    assert world.state.num[st.QUEUED] == 0
