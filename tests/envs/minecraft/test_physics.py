"""How the player moves: walls, steps, jumps, falls, water. One kernel runs them all."""

import itertools

import numpy as np
import pytest

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import physics, survival

FLOOR = 64  # height of the ground of `flat_world`
TRACE = (st.X, st.Y, st.Z, st.GROUND)


@kernel()
def play(s, keys, trace):
    """Holds `keys [T, 3]` (forward, strafe, jump); writes x, y, z, ground."""
    for tick in range(len(keys)):
        s.num[st.TIME] += 1
        physics.move_player(s, keys[tick, 0], keys[tick, 1], keys[tick, 2] > 0)
        survival.live(s)
        for column in range(3):
            trace[tick, column] = s.body[st.X + column]
        trace[tick, 3] = s.body[st.GROUND]


@kernel()
def slide_box(s, place, move, wide, tall):
    dx, dy, dz = physics.slide(
        s, place[0], place[1], place[2], move[0], move[1], move[2], wide, tall
    )
    place[0] += dx
    place[1] += dy
    place[2] += dz
    return physics.is_free(s, place[0], place[1], place[2], wide, tall)


@kernel()
def wander(s, walks, ticks):
    """Ticks in which a player with random keys and speed is inside of a solid cell."""
    inside = 0
    for _ in range(walks):
        s.body[st.X : st.VX] = (0.5, FLOOR + 20.0, 0.5)
        forward, strafe, jump = 1, 0, True
        for _ in range(ticks):
            if st.below(s, 8) == 0:
                forward, strafe = st.below(s, 3) - 1, st.below(s, 3) - 1
                jump = st.below(s, 2) == 0
                s.body[st.YAW] = 15.0 * st.below(s, 24)
            if st.below(s, 40) == 0:  # an explosion
                for axis in range(st.VX, st.YAW):
                    s.body[axis] = 8.0 * (st.random(s) - 0.5)
            physics.move_player(s, forward, strafe, jump)
            x, y, z = s.body[st.X], s.body[st.Y], s.body[st.Z]
            inside += not physics.is_free(s, x, y, z, st.WIDE, st.TALL)
    return inside


def flat_world(height=FLOOR):
    """8x8 chunks around the origin, stone below a height; the player stands on it."""
    state = st.empty_state()
    for x, z in itertools.product(range(-4, 4), repeat=2):
        state.chunks[x & 7, z & 7] = x, z
    fill(state, (-64, 0, -64), (63, height - 1, 63), blocks.STONE)
    state.body[[st.X, st.Y, st.Z, st.GROUND]] = 0.5, height, 0.5, 1
    state.num[st.DIFFICULTY] = 2
    return state


def fill(state, low, high, block):
    """Sets all cells from one corner to another, both included."""
    x, y, z = (np.arange(a, b + 1) for a, b in zip(low, high, strict=True))
    state.vox[np.ix_(x & 127, z & 127, y)] = block


def run(state, ticks, forward=0, strafe=0, jump=0):
    """Holds keys; returns x, y, z, ground after each tick, `[ticks, 4]`."""
    keys = np.tile(np.array([forward, strafe, jump], np.int64), (ticks, 1))
    trace = np.zeros((ticks, len(TRACE)))
    play(state, keys, trace)
    return trace


def drop_from(height, state=None):
    """Damage of a fall from a number of blocks above the ground."""
    state = state or flat_world()
    state.body[[st.Y, st.GROUND]] = FLOOR + height, 0
    state.body[st.FOOD] = 17  # nothing heals
    run(state, 120)
    return 20 - state.body[st.LIFE]


# Walking


def test_walking_covers_4317_metres_in_1000_seconds():
    # v = 0.546 v + 0.098 has its fixed point at 0.21586 blocks a tick, 4.317 m/s.
    trace = run(flat_world(), 60, forward=1)
    assert trace[-1, 2] - trace[-21, 2] == pytest.approx(4.317, rel=1e-3)
    assert trace[-1, 0] == 0.5 and np.all(trace[:, 1] == FLOOR)


@pytest.mark.parametrize(
    "yaw, forward, strafe, way",
    [
        (0, 1, 0, (0, 1)),
        (90, 1, 0, (-1, 0)),
        (180, 1, 0, (0, -1)),
        (-90, 1, 0, (1, 0)),
        (0, -1, 0, (0, -1)),
        (0, 0, 1, (1, 0)),  # left of south is east
        (0, 0, -1, (-1, 0)),
    ],
)
def test_keys_move_along_the_yaw(yaw, forward, strafe, way):
    state = flat_world()
    state.body[st.YAW] = yaw
    trace = run(state, 40, forward, strafe)
    moved = trace[-1, [0, 2]] - 0.5
    np.testing.assert_allclose(moved / np.linalg.norm(moved), way, atol=1e-9)


def test_a_diagonal_is_hardly_faster_than_straight_ahead():
    # Input 0.98 * sqrt(2) is scaled to 1: 0.1 instead of 0.098 a tick.
    trace = run(flat_world(), 60, forward=1, strafe=1)
    step = np.linalg.norm(trace[-1, [0, 2]] - trace[-2, [0, 2]])
    assert step == pytest.approx(0.1 / (1 - 0.546), rel=1e-6)


def test_ice_carries_on():
    slow, state = flat_world(), flat_world()
    fill(state, (-64, FLOOR - 1, -64), (63, FLOOR - 1, 63), blocks.ICE)
    ends = []
    for world in (slow, state):
        world.body[st.VZ] = 0.2
        ends.append(run(world, 40)[-1, 2])
    assert ends[1] > ends[0] + 0.9


# Jumping and steps


def test_a_jump_rises_1_2522_blocks():
    # 0.42, then v -> (v - 0.08) * 0.98: 0.42 + 0.3332 + 0.2481 + 0.1648 + 0.0831 +
    # 0.003 = 1.2522.
    trace = run(flat_world(), 12, jump=1)
    assert trace[:, 1].max() - FLOOR == pytest.approx(1.2522, abs=1e-4)


def test_a_held_jump_repeats_and_a_low_ceiling_lets_it_wait_10_ticks():
    # Under a ceiling 2 blocks high a jump lasts 4 ticks: 0.2, -0.0784, -0.155 lands.
    state = flat_world()
    fill(state, (-3, FLOOR + 2, -3), (3, FLOOR + 2, 3), blocks.STONE)
    starts = np.flatnonzero(np.diff(run(state, 40, jump=1)[:, 1]) > 0)
    assert len(starts) == 3 and set(np.diff(starts)) == {10}


def test_a_full_block_stops_a_walk_but_not_a_jump():
    state = flat_world()
    fill(state, (-5, FLOOR, 3), (5, FLOOR, 20), blocks.STONE)
    trace = run(state, 40, forward=1)
    assert trace[-1, 2] == pytest.approx(2.7) and trace[-1, 1] == FLOOR
    trace = run(state, 20, forward=1, jump=1)
    assert trace[-1, 2] > 3 and trace[:, 1].max() > FLOOR + 1


def test_two_blocks_stop_a_jump_so_a_pit_of_two_holds():
    state = flat_world()
    fill(state, (0, FLOOR - 2, 0), (0, FLOOR - 1, 0), blocks.AIR)
    state.body[st.Y] = FLOOR - 2
    for yaw in range(0, 360, 45):
        state.body[st.YAW] = yaw
        trace = run(state, 60, forward=1, jump=1)
        assert trace[:, 1].max() < FLOOR and 0 < trace[-1, 0] < 1


def test_plants_and_snow_layers_stop_nobody():
    state = flat_world()
    fill(state, (-1, FLOOR, 2), (1, FLOOR, 2), blocks.TALL_GRASS)
    fill(state, (-1, FLOOR, 3), (1, FLOOR, 3), blocks.SNOW_LAYER)
    assert run(state, 40, forward=1)[-1, 2] > 5


# Boxes


def test_nothing_passes_through_a_wall_whatever_its_speed():
    state = flat_world()
    fill(state, (30, FLOOR, -64), (30, 127, 63), blocks.STONE)
    place = np.array([0.5, FLOOR + 9.0, 0.5])
    assert slide_box(state, place, np.array([1000.0, -1000.0, 7.0]), 0.6, 1.8)
    np.testing.assert_allclose(place, [29.7, FLOOR, 7.5])


def test_columns_that_are_not_loaded_are_walls():
    state = flat_world()
    place = np.array([0.5, FLOOR + 9.0, 0.5])
    slide_box(state, place, np.array([-1000.0, 0.0, 1000.0]), 0.6, 1.8)
    np.testing.assert_allclose(place, [-63.7, FLOOR + 9, 63.7])


@pytest.mark.parametrize("wide, tall", [(0.25, 0.25), (0.6, 1.8), (1.4, 0.9)])
def test_boxes_of_any_size_stay_out_of_solid_cells(wide, tall):
    rng = np.random.default_rng(3)
    state = flat_world()
    scatter(state, rng)
    place = np.array([0.5, FLOOR + 40.0, 0.5])
    for _ in range(3000):
        move = rng.normal(0, rng.choice([0.01, 0.3, 4.0]), 3)
        assert slide_box(state, place, move, wide, tall)


def scatter(state, rng):
    """Solid cells everywhere above the ground, one in six."""
    space = state.vox[:, :, FLOOR : FLOOR + 16]
    space[rng.random(space.shape) < 1 / 6] = blocks.STONE


def test_a_player_is_never_inside_of_a_solid_cell():
    state = flat_world()
    scatter(state, np.random.default_rng(7))
    assert wander(state, 300, 200) == 0


def test_a_body_in_a_block_can_leave_it():
    state = flat_world()
    fill(
        state, (0, FLOOR, 0), (0, FLOOR, 0), blocks.SAND
    )  # it has fallen onto the feet
    assert run(state, 20, forward=1)[-1, 2] > 1.3


# Falling


@pytest.mark.parametrize(
    "height, damage", [(1, 0), (3, 0), (4, 1), (5, 2), (10, 7), (22, 19)]
)
def test_a_fall_hurts_by_its_height_less_three(height, damage):
    assert drop_from(height) == damage


def test_a_fall_of_24_blocks_kills():
    state = flat_world()
    assert drop_from(24, state) == 20
    assert state.num[st.DEAD] == 1 and st.CAUSES[state.num[st.CAUSE]] == "fall"


def test_a_jump_hurts_nothing():
    state = flat_world()
    run(state, 60, jump=1)
    assert state.body[st.LIFE] == 20


@pytest.mark.parametrize("deep", [1, 3])
def test_water_breaks_a_fall(deep):
    state = flat_world()
    fill(state, (-2, FLOOR, -2), (2, FLOOR + deep - 1, 2), blocks.WATER)
    assert drop_from(40, state) == 0


# Fluids


def pool(fluid, deep=3):
    """A pool with its surface level with the ground, the player in its middle."""
    state = flat_world()
    fill(state, (-2, FLOOR - deep, -2), (2, FLOOR - 1, 2), fluid)
    state.body[[st.Y, st.GROUND]] = FLOOR - 1.5, 0
    return state


def test_a_body_sinks_slowly_in_water():
    # v = 0.8 v - 0.02 has its fixed point at -0.1 blocks a tick.
    state = pool(blocks.WATER, deep=20)
    trace = run(state, 60)
    assert trace[-1, 1] - trace[-2, 1] == pytest.approx(-0.1, abs=1e-3)


def test_a_held_jump_swims_up_and_keeps_the_head_out():
    # v = 0.8 (v + 0.04) - 0.02 moves by v + 0.04 = 0.1 blocks a tick.
    state = pool(blocks.WATER, deep=20)
    state.body[st.Y] = FLOOR - 15
    trace = run(state, 40, jump=1)
    assert trace[-1, 1] - trace[-2, 1] == pytest.approx(0.1, abs=1e-3)
    eyes = run(state, 300, jump=1)[-100:, 1] + st.EYE
    assert eyes.min() > FLOOR


@pytest.mark.parametrize("yaw", [0, 90, 180, 270])
def test_one_can_swim_out_of_a_pool(yaw):
    state = pool(blocks.WATER)
    state.body[st.YAW] = yaw
    trace = run(state, 200, forward=1, jump=1)
    assert trace[-1, 1] >= FLOOR and abs(trace[-1, [0, 2]] - 0.5).max() > 2.5


def test_a_bank_one_block_above_the_water_is_too_high():
    # In water: feet below FLOOR - 0.4. To climb, 0.6 + v above them must be free, so
    # v > 0.8 to get to FLOOR + 1.
    state = pool(blocks.WATER)
    for x, z in itertools.product(range(-4, 5), repeat=2):
        if max(abs(x), abs(z)) > 2:
            fill(state, (x, FLOOR, z), (x, FLOOR, z), blocks.STONE)
    assert np.abs(run(state, 300, forward=1, jump=1)[:, 2]).max() < 3


def test_lava_slows_more_than_water():
    # Fixed points of v -> f (v + 0.0196): 0.098 blocks a tick and 0.0392.
    speeds = []
    for fluid in (blocks.WATER, blocks.LAVA):
        state = flat_world()
        fill(state, (-1, FLOOR, -1), (1, FLOOR + 2, 60), fluid)
        trace = run(state, 40, forward=1)
        speeds.append(trace[-1, 2] - trace[-2, 2])
    assert speeds == pytest.approx([0.098, 0.0392], rel=1e-2)


def test_a_current_carries_towards_lower_water():
    state = flat_world()
    for distance in range(8):
        z = distance - 1
        fill(state, (-1, FLOOR, z), (1, FLOOR, z), blocks.WATER + distance)
    fill(state, (-2, FLOOR, -3), (-2, FLOOR, 9), blocks.STONE)
    fill(state, (2, FLOOR, -3), (2, FLOOR, 9), blocks.STONE)
    trace = run(state, 100)
    assert trace[-1, 2] > 4 and trace[-1, 0] == pytest.approx(0.5)


def test_still_water_carries_nowhere():
    assert run(pool(blocks.WATER), 100)[-1, 2] == 0.5


def test_jumping_and_swimming_tire_and_walking_does_not():
    state = flat_world()
    run(state, 40, forward=1)
    assert state.body[st.EXHAUSTION] == 0
    run(state, 1, jump=1)
    assert state.body[st.EXHAUSTION] == pytest.approx(0.05)
    state = flat_world()
    fill(state, (-1, FLOOR, -1), (1, FLOOR, 60), blocks.WATER)
    way = run(state, 40, forward=1)[-1, 2] - 0.5
    assert state.body[st.EXHAUSTION] == pytest.approx(0.01 * way)
