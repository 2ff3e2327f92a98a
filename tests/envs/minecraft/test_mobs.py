"""Animals and monsters: where they come from, what wears them down, how they walk."""

import numpy as np
import pytest
from meadow import (
    GROUND,
    NIGHT,
    NOON,
    add,
    count,
    distance,
    field,
    fill,
    live,
    monsters,
    settle,
    strike,
)

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.nature import spawning

# Coming and going


def test_no_monster_appears_on_the_surface_by_day():
    s = field(1000)
    for _ in range(10):
        live(s, 1000, True)
        assert monsters(s) == 0


def test_monsters_appear_on_the_surface_at_night_24_to_48_blocks_away():
    s = field(NIGHT)
    while not monsters(s):
        live(s, 1, True)
        assert s.num[st.TIME] < NIGHT + 1000
    for mob in s.ents[s.ents[:, st.E_KIND] >= st.ZOMBIE]:
        assert 24 <= distance(s, mob) <= 48
        assert mob[st.E_Y] == GROUND


def test_monsters_appear_in_the_dark_by_day():
    s = field(NOON)
    fill(s, slice(None), slice(50, 53), slice(None), blocks.AIR)
    live(s, 1000, True)
    wild = s.ents[s.ents[:, st.E_KIND] >= st.ZOMBIE]
    assert len(wild) > 0
    assert (wild[:, st.E_Y] < 53).all()


def test_there_are_never_more_than_12_monsters_and_10_animals():
    s = field(NOON)
    most = 0
    for _ in range(200):
        live(s, 100, True)
        s.body[st.LIFE] = 20
        most = max(most, monsters(s))
        assert monsters(s) <= spawning.MONSTERS == 12
        assert count(s, st.COW, st.CHICKEN) <= spawning.ANIMALS == 10
    assert most == 12
    assert count(s, st.COW, st.CHICKEN) == 10


def test_a_peaceful_world_has_no_monsters():
    s = field(NIGHT, difficulty=0)
    add(s, st.ZOMBIE, 30, GROUND, 8)
    live(s, 500, True)
    assert monsters(s) == 0


def test_the_first_animals_stand_on_grass_at_least_8_blocks_away():
    s = field(0)
    settle(s)
    herd = s.ents[s.ents[:, st.E_KIND] > 0]
    assert 4 <= len(herd) <= 10
    assert set(herd[:, st.E_KIND]) <= {st.COW, st.PIG, st.SHEEP, st.CHICKEN}
    assert all(8 <= distance(s, mob) <= 48 for mob in herd)
    s = field(0)
    s.vox[:, :, GROUND - 1] = blocks.SAND
    settle(s)
    assert count(s, 1, 99) == 0


def test_a_monster_beyond_60_blocks_vanishes_at_once_and_an_animal_does_not():
    s = field(NOON)
    s.body[st.Y] = GROUND + 61
    add(s, st.CREEPER, 8.5, GROUND, 8.5)
    add(s, st.COW, 8.5, GROUND, 8.5)
    live(s, 1, True)
    assert monsters(s) == 0
    assert count(s, st.COW, st.COW) == 1


def test_a_mob_outside_of_the_window_vanishes():
    s = field(NOON)
    s.body[st.X] = 50
    add(s, st.COW, 63.5, GROUND, 8.5)
    add(s, st.COW, 64.5, GROUND, 8.5)  # chunks -3 to 3 are x from -48 to 63
    live(s, 1, True)
    assert s.ents[s.ents[:, st.E_KIND] == st.COW, st.E_X].tolist() == [63.5]


def test_beyond_32_blocks_a_monster_vanishes_by_chance_after_30_seconds():
    s = field(NOON)
    far = add(s, st.CREEPER, 48.5, GROUND, 8.5)
    near = add(s, st.CREEPER, 34.5, GROUND, 8.5)
    ticks = 0
    while far[st.E_KIND]:
        far[[st.E_X, st.E_Z]], near[[st.E_X, st.E_Z]] = (48.5, 8.5), (34.5, 8.5)
        s.num[st.TIME] = NOON
        live(s, 1, True)
        ticks += 1
    assert 600 < ticks < 8600  # (1 - 1/800)^8000 = e^-10
    assert near[st.E_KIND] == st.CREEPER


# Light and place


@pytest.mark.parametrize("kind", [st.ZOMBIE, st.SKELETON])
def test_at_dawn_zombies_and_skeletons_burn_to_death(kind):
    s = field(23300)
    mob = add(s, kind, -30.5, GROUND, 8.5)
    live(s, 100, False)  # the light is 7 or less until about 23,500
    assert (mob[st.E_FIRE], mob[st.E_LIFE]) == (0, 20)
    live(s, 300, False)  # it catches fire in one of 25 ticks
    assert mob[st.E_LIFE] < 20
    live(s, 500, False)  # 20 half hearts, one each second
    assert mob[st.E_KIND] == 0


def test_daylight_burns_neither_creepers_nor_zombies_under_a_roof():
    s = field(NOON)
    fill(s, slice(90, 110), 70, slice(0, 20), blocks.STONE)  # x -38 to -19
    inside = add(s, st.ZOMBIE, -28.5, GROUND, 8.5)
    outside = add(s, st.CREEPER, 40.5, GROUND, 8.5)
    live(s, 300, False)
    assert inside[st.E_LIFE] == 20
    assert outside[st.E_LIFE] == 20


def test_a_mob_that_falls_10_blocks_loses_7_half_hearts():
    # It falls 10 blocks; those of the tick that lands don't count: ceil(9.x - 3) = 7.
    s = field(NOON)
    cow = add(s, st.COW, 20.5, GROUND + 10, 8.5, ground=0)
    hen = add(s, st.CHICKEN, 24.5, GROUND + 10, 8.5, ground=0)
    live(s, 100, False)
    assert cow[st.E_Y] == GROUND
    assert cow[st.E_LIFE] == 10 - 7
    assert hen[st.E_LIFE] == 4


def test_a_mob_swims_and_does_not_drown():
    s = field(NOON)
    fill(s, slice(16, 24), slice(54, 64), slice(4, 12), blocks.WATER)
    cow = add(s, st.COW, 20.5, 55, 8.5)
    live(s, 400, False)
    assert cow[st.E_LIFE] == 10
    assert cow[st.E_Y] > 62


def test_lava_kills_a_mob():
    # 4 half hearts every 10 ticks: 10 - 4 - 4 - 4 < 0 in the 21st tick.
    s = field(NOON)
    fill(s, slice(16, 24), slice(60, 64), slice(4, 12), blocks.LAVA)
    cow = add(s, st.COW, 20.5, 61, 8.5)
    live(s, 20, False)
    assert cow[st.E_LIFE] == 2
    live(s, 2, False)
    assert cow[st.E_KIND] == 0


# Walking


def test_a_zombie_walks_2_3_blocks_per_second_to_a_player_it_sees():
    # 0.98 · 0.23² per tick gained, 0.546 kept: 0.05184 / 0.454 = 0.1142 per tick.
    s = field(NIGHT)
    zombie = add(s, st.ZOMBIE, 22.5, GROUND, 8.5, angry=60)
    live(s, 30, False)
    before = zombie[st.E_X]
    live(s, 50, False)
    np.testing.assert_allclose((before - zombie[st.E_X]) / 50, 0.1142, rtol=0.02)
    assert abs((zombie[st.E_YAW] - 90) % 360) < 1  # looks along -x


@pytest.mark.parametrize(
    "kind, sight",
    [(st.ZOMBIE, 35), (st.SPIDER, 16), (st.SKELETON, 16), (st.CREEPER, 16)],
)
def test_a_monster_notices_the_player_from_so_many_blocks(kind, sight):
    for away, notices in ((sight - 0.5, True), (sight + 0.5, False)):
        s = field(NIGHT)
        mob = add(s, kind, 8.5 + away, GROUND, 8.5)
        for _ in range(100):
            mob[[st.E_X, st.E_Z, st.E_TIMER]] = 8.5 + away, 8.5, 0
            live(s, 1, False)
        assert (mob[st.E_ANGRY] > 0) == notices


def test_a_zombie_does_not_notice_the_player_behind_a_wall():
    s = field(NIGHT)
    fill(s, 12, slice(GROUND, GROUND + 4), slice(None), blocks.STONE)
    zombie = add(s, st.ZOMBIE, 28.5, GROUND, 8.5)
    for _ in range(100):
        zombie[[st.E_X, st.E_Z, st.E_TIMER]] = 28.5, 8.5, 0
        live(s, 1, False)
    assert zombie[st.E_ANGRY] == 0


@pytest.mark.parametrize("height, passes", [(1, True), (2, False)])
def test_a_zombie_jumps_over_one_block_and_not_over_two(height, passes):
    s = field(NIGHT)
    fill(s, 13, slice(GROUND, GROUND + height), slice(None), blocks.STONE)
    zombie = add(s, st.ZOMBIE, 16.5, GROUND, 8.5, angry=400)
    live(s, 200, False)
    assert (zombie[st.E_X] < 13) == passes


def test_animals_wander_but_not_over_a_cliff():
    s = field(NOON)
    fill(s, slice(16, 32), slice(GROUND, GROUND + 8), slice(0, 16), blocks.GRASS)
    sheep = [add(s, st.SHEEP, 18 + 4 * i, GROUND + 8, 8.5) for i in range(3)]
    start = [mob[st.E_X] for mob in sheep]
    live(s, 4000, False)
    assert [mob[st.E_Y] for mob in sheep] == [GROUND + 8] * 3
    assert [mob[st.E_X] for mob in sheep] != start


def test_an_animal_that_was_hit_runs_away():
    s = field(NOON)
    pig = add(s, st.PIG, 10.5, GROUND, 8.5)
    live(s, 40, False)
    pig[[st.E_X, st.E_Z]] = 10.5, 8.5
    s.body[st.CHARGE] = 100
    assert strike(s, 0)
    way = 0.0
    for _ in range(60):
        x, z = pig[[st.E_X, st.E_Z]]
        live(s, 1, False)
        way += np.hypot(pig[st.E_X] - x, pig[st.E_Z] - z)
    # 0.98 · (1.25 · 0.25)² / 0.454 = 0.21 per tick, less while it turns.
    assert way > 60 * 0.12
