"""What wears the player down and heals it. One kernel runs them all."""

import numpy as np
import pytest

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import physics, survival

FLOOR = 64
PEACEFUL, EASY, NORMAL, HARD = range(4)


@kernel()
def live(s, ticks, trace, columns, still):
    """Lives on; writes columns of the body after each tick."""
    for tick in range(ticks):
        s.num[st.TIME] += 1
        if not still:
            physics.move_player(s, 0, 0, False)
        survival.live(s)
        for i in range(len(columns)):
            trace[tick, i] = s.body[columns[i]]


@kernel()
def hurt(s, amount, cause):
    return survival.hurt(s, amount, cause)


def world(cell=blocks.AIR, **body):
    """The player on a floor of stone, feet and head in cells of one kind."""
    state = st.empty_state()
    for x in (-1, 0):
        for z in (-1, 0):
            state.chunks[x & 7, z & 7] = x, z
    state.vox[:, :, :FLOOR] = blocks.STONE
    state.vox[0, 0, FLOOR : FLOOR + 2] = cell
    state.body[[st.X, st.Y, st.Z, st.GROUND]] = 0.5, FLOOR, 0.5, 1
    state.body[st.FOOD] = 17  # neither heals nor starves
    state.num[st.DIFFICULTY] = NORMAL
    for name, value in body.items():
        state.body[getattr(st, name)] = value
    return state


def run(state, ticks, *columns, still=True):
    """Lives on, without moving unless told; returns columns after each tick."""
    trace = np.zeros((ticks, len(columns)))
    live(state, ticks, trace, np.array(columns, np.int64), still)
    return trace[:, 0] if len(columns) == 1 else trace


def losses(state, ticks):
    """Ticks, from 1, in which life was lost, and how much."""
    life = np.concatenate([[state.body[st.LIFE]], run(state, ticks, st.LIFE)])
    (when,) = np.nonzero(np.diff(life))
    return [(int(tick) + 1, float(life[tick] - life[tick + 1])) for tick in when]


def cause(state):
    return st.CAUSES[state.num[st.CAUSE]]


# Being hit


def test_within_ten_ticks_of_a_hit_only_the_excess_counts():
    state = world()
    mob = st.CAUSES.index("mob")
    assert hurt(state, 3.0, mob) and state.body[st.LIFE] == 17
    assert not hurt(state, 3.0, mob) and not hurt(state, 2.0, mob)
    assert hurt(state, 5.0, mob) and state.body[st.LIFE] == 15  # 5 - 3
    assert not hurt(state, 5.0, mob)
    run(state, 9, st.LIFE)
    assert not hurt(state, 5.0, mob)
    run(state, 1, st.LIFE)
    assert hurt(state, 1.0, mob) and state.body[st.LIFE] == 14
    assert state.body[st.EXHAUSTION] == pytest.approx(0.3)  # 0.1 a hit


def test_life_never_falls_below_zero_and_death_is_noted_once():
    state = world()
    assert hurt(state, 50.0, st.CAUSES.index("explosion"))
    assert (state.body[st.LIFE], state.num[st.DEAD]) == (0, 1)
    assert cause(state) == "explosion"
    assert not hurt(state, 99.0, st.CAUSES.index("mob"))
    assert cause(state) == "explosion"


def test_nothing_happens_to_one_who_just_stands():
    assert losses(world(FOOD=20), 500) == []


# Air, fire, blocks


def test_air_lasts_320_ticks_and_then_each_20_take_two():
    # 300 - 320 = -20: the first loss, and air starts from 0 again.
    state = world(blocks.WATER)
    assert losses(state, 365) == [(320, 2), (340, 2), (360, 2)]
    assert cause(state) == "drowning" and state.body[st.BREATH] == -5


def test_air_comes_back_at_once():
    state = world(blocks.WATER)
    assert run(state, 100, st.BREATH)[-1] == 200
    state.vox[0, 0, FLOOR + 1] = blocks.AIR
    assert run(state, 1, st.BREATH)[-1] == 300


def test_shallow_flowing_water_leaves_the_eyes_free():
    # Eyes at 0.62 of the head's cell; water of level 3 stands 1 - 3/9 = 0.67 high, of
    # level 4 0.56.
    for level, air in ((3, 290), (4, 300)):
        state = world(blocks.WATER)
        state.vox[0, 0, FLOOR + 1] = blocks.WATER + level
        assert run(state, 10, st.BREATH)[-1] == air


def test_lava_takes_four_each_ten_ticks():
    state = world(blocks.LAVA)
    assert losses(state, 40) == [(1, 4), (11, 4), (21, 4), (31, 4)]
    assert cause(state) == "lava" and state.body[st.FIRE] == 300


def test_fire_after_lava_takes_one_a_second_for_15_seconds():
    # It burns at 300, 280, ... 20: 15 times. The first falls into the ten ticks after
    # the lava's last hit.
    state = world(FIRE=300)
    assert losses(state, 400) == [(1 + 20 * i, 1) for i in range(15)]
    assert cause(state) == "fire"


def test_water_puts_out_a_fire():
    state = world(FIRE=299)
    state.vox[0, 0, FLOOR] = blocks.WATER
    assert losses(state, 100) == [] and state.body[st.FIRE] == 0


@pytest.mark.parametrize(
    "block, hurts",
    [(blocks.SAND, True), (blocks.STONE, True), (blocks.TALL_GRASS, False)],
)
def test_a_head_in_a_block_takes_one_each_ten_ticks(block, hurts):
    state = world()
    state.vox[0, 0, FLOOR + 1] = block
    expected = [(1, 1), (11, 1), (21, 1)] if hurts else []
    assert losses(state, 30) == expected
    assert cause(state) == ("suffocation" if hurts else "nothing")


@pytest.mark.parametrize("where", [(1, 0), (0, 1), (-1, 0)])
def test_a_cactus_pricks_whom_it_touches(where):
    state = world()
    x, z = where
    state.vox[x, z, FLOOR] = blocks.CACTUS
    assert losses(state, 20) == []  # 0.2 away
    state.body[[st.X, st.Z]] += 0.2 * np.array(where)
    assert losses(state, 20) == [(1, 1), (11, 1)]
    assert cause(state) == "cactus"


def test_the_worst_of_a_tick_counts_alone():
    state = world(blocks.LAVA)
    state.vox[1, 0, FLOOR] = blocks.CACTUS
    state.body[st.X] += 0.2
    assert losses(state, 10) == [(1, 4)]


def test_the_void_kills():
    state = world(Y=-10.5)
    run(state, 1, st.LIFE)
    assert state.num[st.DEAD] == 1 and cause(state) == "void"


def test_a_fall_is_paid_on_the_ground_once():
    state = world(FALL=8.2)
    assert losses(state, 30) == [(1, 6)]  # ceil(8.2 - 3)
    assert cause(state) == "fall" and state.body[st.FALL] == 0


# Food


def test_exhaustion_eats_saturation_then_food():
    state = world(FOOD=20, SATURATION=1, EXHAUSTION=12.5)
    trace = run(state, 4, st.EXHAUSTION, st.SATURATION, st.FOOD)
    # Exactly 4 is not enough: 12.5, 8.5, 4.5, 0.5.
    assert trace.tolist() == [[8.5, 0, 20], [4.5, 0, 19], [0.5, 0, 18], [0.5, 0, 18]]


def test_a_full_bar_with_saturation_heals_a_sixth_of_it_each_ten_ticks():
    # min(5, 6) / 6 = 0.8333 after 10 ticks, and 5 of exhaustion: -1 saturation.
    # After 20: 4 / 6 = 0.6667.
    life = run(world(FOOD=20, LIFE=10), 20, st.LIFE)
    assert life[8] == 10
    assert life[9] == pytest.approx(10 + 5 / 6)
    assert life[19] == pytest.approx(10 + 5 / 6 + 4 / 6)


@pytest.mark.parametrize("food, gain", [(20, 2), (18, 1), (17, 0)])
def test_food_of_18_heals_one_each_80_ticks(food, gain):
    # Each costs 6 of exhaustion, 4 of which is one food: 18 heals once.
    state = world(FOOD=food, SATURATION=0, LIFE=10)
    life = run(state, 160, st.LIFE)
    assert life[78] == 10 and life[-1] == 10 + gain


@pytest.mark.parametrize("level, rest", [(EASY, 10), (NORMAL, 1), (HARD, 0)])
def test_hunger_takes_one_each_80_ticks_down_to_a_rest(level, rest):
    state = world(FOOD=0, SATURATION=0)
    state.num[st.DIFFICULTY] = level
    assert losses(state, 170) == [(80, 1), (160, 1)]
    assert run(state, 2000, st.LIFE)[-1] == rest
    assert (state.num[st.DEAD] == 1) == (level == HARD)
    assert cause(state) == "starvation"


def test_peace_feeds_and_heals():
    # +1 life each 20 ticks, +1 food each 10; and from 20 food on saturation heals too.
    state = world(FOOD=5, SATURATION=0, LIFE=10, EXHAUSTION=4.5)
    state.num[st.DIFFICULTY] = PEACEFUL
    run(state, 100, st.LIFE)
    assert (state.body[st.LIFE], state.body[st.FOOD]) == (15, 15)


def test_the_dead_stay_dead():
    state = world(FOOD=20)
    hurt(state, 20.0, st.CAUSES.index("mob"))
    assert run(state, 200, st.LIFE)[-1] == 0
