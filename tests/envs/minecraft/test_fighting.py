"""Fights: the player's blows, what monsters do to the player, arrows, explosions."""

import numpy as np
import pytest
from meadow import (
    GROUND,
    NIGHT,
    NOON,
    add,
    count,
    field,
    fill,
    hold,
    live,
    lying,
    strike,
)

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st

# The player's blows


@pytest.mark.parametrize(
    "tool, power",
    [("dirt", 1), ("wooden_pickaxe", 2), ("stone_pickaxe", 3), ("iron_pickaxe", 4)],
)
def test_a_full_blow_takes_what_the_tool_says(tool, power):
    s = field(NOON)
    cow = add(s, st.COW, 10.5, GROUND, 8.5)
    hold(s, tool)
    s.body[st.CHARGE] = 100
    assert strike(s, 0)
    assert cow[st.E_LIFE] == 10 - power
    assert s.body[st.CHARGE] == 0
    assert s.body[st.EXHAUSTION] == pytest.approx(0.1)
    assert s.num[st.DAMAGE_DEALT] == 10 * power
    assert s.slots[0].tolist() == [ITEM[tool], 1, 2 if power > 1 else 0]
    assert cow[st.E_VX] == pytest.approx(0.4)  # pushed away, and up
    assert cow[st.E_VY] == pytest.approx(0.4)


def test_for_10_ticks_after_a_hit_only_the_excess_counts():
    s = field(NOON)
    cow = add(s, st.COW, 10.5, GROUND, 8.5)
    s.body[st.CHARGE] = 100
    assert strike(s, 0)  # 1 with the fist
    live(s, 9, False)
    s.body[st.CHARGE] = 100
    assert not strike(s, 0)  # as much again
    hold(s, "iron_pickaxe")
    s.body[st.CHARGE] = 100
    assert strike(s, 0)  # 4, of which 3 exceed
    assert cow[st.E_LIFE] == 10 - 1 - 3
    live(s, 1, False)
    s.slots[:] = 0
    s.body[st.CHARGE] = 100
    assert strike(s, 0)
    assert cow[st.E_LIFE] == 10 - 1 - 3 - 1


@pytest.mark.parametrize(
    "tool, speed, power", [("iron_pickaxe", 1.2, 4), ("dirt", 4.0, 1)]
)
def test_clicking_every_tick_does_little(tool, speed, power):
    # f = 1.5 · 1.2 / 20 = 0.09: 0.2065 of 4 every 10 ticks; fist 0.3: 0.272 of 1.
    s = field(NOON)
    cow = add(s, st.COW, 10.5, GROUND, 8.5)
    hold(s, tool)
    s.body[st.CHARGE] = 0
    hits = 0
    for _ in range(40):
        s.body[st.CHARGE] += 1  # as `mining.mine` does
        hits += strike(s, 0)
        live(s, 1, False)
    factor = 0.2 + 0.8 * (1.5 * speed / 20) ** 2
    assert hits == 4
    assert cow[st.E_LIFE] == pytest.approx(10 - 4 * power * factor)


def test_a_pickaxe_breaks_on_mobs_after_half_its_uses():
    s = field(NOON)
    add(s, st.COW, 10.5, GROUND, 8.5)
    hold(s, "wooden_pickaxe")
    s.slots[0, 2] = 57  # of 59 that it bears
    s.body[st.CHARGE] = 100
    strike(s, 0)
    assert s.slots[0, 1] == 1
    live(s, 10, False)
    strike(s, 0)
    assert s.slots[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "kind, low, high",
    [
        (st.COW, {"beef": 1}, {"beef": 3, "leather": 2}),
        (st.PIG, {"porkchop": 1}, {"porkchop": 3}),
        (st.SHEEP, {"mutton": 1, "wool": 1}, {"mutton": 2, "wool": 1}),
        (st.CHICKEN, {"chicken": 1}, {"chicken": 1, "feather": 2}),
        (st.ZOMBIE, {}, {"rotten_flesh": 2}),
        (st.SPIDER, {}, {"string": 2}),
        (st.SKELETON, {}, {"bone": 2, "arrow": 2}),
        (st.CREEPER, {}, {"gunpowder": 2}),
    ],
)
def test_a_dead_mob_leaves_what_its_kind_does(kind, low, high):
    seen = {name: set() for name in high}
    s = field(NOON)
    for _ in range(60):
        add(s, kind, 30.5, GROUND, 8.5, life=0)
        live(s, 1, False)
        loot = lying(s)
        assert set(loot) <= set(high)
        for name in high:
            seen[name].add(loot.get(name, 0))
        assert count(s, kind, kind) == 0
        s.ents[:] = 0
    for name, most in high.items():
        assert seen[name] == set(range(low.get(name, 0), most + 1))


# Monsters' bites, arrows and explosions


@pytest.mark.parametrize(
    "kind, difficulty, harm",
    [
        (st.ZOMBIE, 1, 2.5),
        (st.ZOMBIE, 2, 3),
        (st.ZOMBIE, 3, 4.5),
        (st.SPIDER, 1, 2),
        (st.SPIDER, 2, 2),
        (st.SPIDER, 3, 3),
    ],
)
def test_a_bite_takes_life_by_difficulty_and_pushes(kind, difficulty, harm):
    s = field(NIGHT, difficulty)
    add(s, kind, 9.5, GROUND, 8.5, angry=60)
    live(s, 1, False)
    assert s.body[st.LIFE] == 20 - harm
    assert st.CAUSES[s.num[st.CAUSE]] == "mob"
    assert s.body[st.VX] == pytest.approx(-0.4)


def test_a_zombie_bites_every_20_ticks():
    s = field(NIGHT)
    add(s, st.ZOMBIE, 9.5, GROUND, 8.5, angry=400)
    live(s, 20, False)
    assert s.body[st.LIFE] == 17
    live(s, 1, False)
    assert s.body[st.LIFE] == 14


def test_a_zombie_does_not_bite_through_a_wall():
    s = field(NIGHT)
    fill(s, 9, slice(GROUND, GROUND + 3), slice(None), blocks.STONE)
    add(s, st.ZOMBIE, 10.3, GROUND, 8.5, angry=400)
    s.body[st.X] = 8.9
    live(s, 100, False)
    assert s.body[st.LIFE] == 20


@pytest.mark.parametrize("time, hunts", [(NOON, False), (NIGHT, True)])
def test_a_spider_hunts_in_the_dark_only(time, hunts):
    s = field(time)
    spider = add(s, st.SPIDER, 14.5, GROUND, 8.5)
    live(s, 100, False)
    assert (spider[st.E_ANGRY] > 0) == hunts


def test_an_arrow_of_a_skeleton_takes_2_to_5_half_hearts():
    s = field(NIGHT)
    add(s, st.SKELETON, 16.5, GROUND, 8.5, angry=60)
    losses = []
    for _ in range(2000):
        live(s, 1, False)
        if s.body[st.LIFE] < 20:
            assert st.CAUSES[s.num[st.CAUSE]] == "arrow"
            losses.append(20 - s.body[st.LIFE])
            s.body[st.LIFE] = 20
    assert 10 < len(losses) <= 2000 / 60 + 1  # one every 60 ticks, most of them hit
    assert 2 <= min(losses) < max(losses) <= 5
    assert s.body[st.VX] < 0


def test_a_skeleton_shoots_no_one_behind_a_wall():
    s = field(NIGHT)
    fill(s, 12, slice(GROUND, GROUND + 3), slice(None), blocks.STONE)
    add(s, st.SKELETON, 16.5, GROUND, 8.5, angry=400)
    for _ in range(300):
        live(s, 1, False)
        assert count(s, st.ARROW, st.ARROW) == 0


def test_an_arrow_ends_in_a_block():
    s = field(NIGHT)
    fill(s, 12, slice(GROUND, GROUND + 9), slice(None), blocks.STONE)
    add(s, st.ARROW, 16.5, GROUND + 1, 8.5, vx=-1.6, damage=2)
    live(s, 5, False)
    assert count(s, st.ARROW, st.ARROW) == 0
    assert s.body[st.LIFE] == 20


def test_a_creeper_explodes_30_ticks_after_it_came_near():
    s = field(NOON)
    creeper = add(s, st.CREEPER, 10.5, GROUND, 8.5, angry=60)
    live(s, 29, False)
    assert (creeper[st.E_FUSE], s.body[st.LIFE]) == (29, 20)
    live(s, 1, False)
    assert count(s, st.CREEPER, st.CREEPER) == 0
    # 2 of 6 blocks away: (4/9 + 2/3) / 2 · 42 + 1 = 24
    assert s.num[st.DEAD] == 1
    assert st.CAUSES[s.num[st.CAUSE]] == "explosion"


def test_a_creeper_gives_up_when_the_player_is_7_blocks_away():
    s = field(NOON)
    creeper = add(s, st.CREEPER, 10.5, GROUND, 8.5, angry=400)
    live(s, 20, False)
    s.body[st.X] = creeper[st.E_X] - 6.5
    live(s, 5, False)
    assert creeper[st.E_FUSE] == 25
    s.body[st.X] = creeper[st.E_X] - 7.5
    live(s, 5, False)
    assert creeper[st.E_FUSE] == 20


def explode(s, x, z):
    add(s, st.CREEPER, x, GROUND, z, angry=60, fuse=29)
    live(s, 1, False)
    assert count(s, st.CREEPER, st.CREEPER) == 0


def test_an_explosion_makes_a_hole_and_a_third_of_the_blocks_drop():
    broken = pieces = 0
    for seed in range(10):
        s = field(NOON)
        s.rng[0] = seed
        before = s.vox.copy()
        s.body[st.X] = 5.5
        explode(s, 8.5, 8.5)
        assert s.vox.max() < 128
        changed = np.argwhere(s.vox != before)
        assert s.vox[s.vox != before].tolist() == [blocks.AIR] * len(changed)
        assert np.abs(changed - (8, 8, GROUND)).max() <= 6
        assert s.num[st.LOGGED] == len(changed)
        broken += len(changed)
        pieces += sum(lying(s).values())
        assert s.roof[8, 8] < GROUND
    assert 5 <= broken / 10 <= 60
    assert abs(pieces / broken - 1 / 3) < 0.1


def test_obsidian_bears_an_explosion():
    s = field(NOON)
    fill(s, slice(None), slice(60, GROUND), slice(None), blocks.OBSIDIAN)
    before = s.vox.copy()
    explode(s, 10.5, 8.5)
    np.testing.assert_array_equal(s.vox, before)


def test_cover_and_distance_lessen_an_explosion():
    def life(distance, wall):
        s = field(NOON)
        s.vox[:, :, GROUND - 1] = blocks.OBSIDIAN
        if wall:  # one block high, right before the player
            fill(s, 9, GROUND, slice(None), blocks.OBSIDIAN)
        s.body[st.X] = 8.5
        add(s, st.CREEPER, 8.5 + distance, GROUND, 8.5, angry=60, fuse=29)
        live(s, 1, False)
        return s.body[st.LIFE]

    # 5 of 6 blocks away: (1/36 + 1/6) / 2 · 42 + 1 = 5.08, whole half hearts.
    assert life(5, False) == 20 - 5
    assert life(4, False) == 20 - 10  # (1/9 + 1/3) / 2 · 42 + 1 = 10.3
    assert 20 - 10 < life(4, True) < 20


def test_an_explosion_hurts_other_mobs():
    s = field(NOON)
    cow = add(s, st.COW, 14.5, GROUND, 8.5)
    explode(s, 10.5, 8.5)
    # 4 of 6 blocks away: 10, as much as a cow has.
    assert cow[st.E_LIFE] == 0
