"""The voxel world as a whole: determinism, snapshots, the window, placing, speed."""

import concurrent.futures
import hashlib
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft import items
from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.nature.tick import aim, block_at
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend


def new_env(seed=3, **settings):
    return make_env("minecraft_diamond", seed=seed, **settings)


def actions(count, seed=0):
    return np.random.default_rng(seed).integers(25, size=count).astype(np.int32)


def walk(env, obs, chosen):
    """Checksum of everything seen while these actions are taken."""
    digest = hashlib.sha256()
    for action in chosen:
        obs = env.reset() if obs["is_last"] else env.step({"action": action})
        for key in sorted(obs):
            digest.update(np.ascontiguousarray(obs[key]).tobytes())
    return digest.hexdigest()


def walk_alone(seed, count):
    env = new_env(seed)
    return walk(env, env.reset(), actions(count))


@pytest.fixture
def world():
    """A backend in its first episode, nobody else about."""
    backend = VoxelBackend(seed=11, difficulty=0, entities=False)
    backend.reset()
    return backend


def command(**changes):
    return {**NOOP, **changes}


def hold(backend, name, count=1, slot=None):
    """Puts an item into a slot, the first empty one where none is named."""
    slots = backend.state.slots
    slot = int(np.argmax(slots[:, 1] == 0)) if slot is None else slot
    slots[slot] = items.ITEM[name], count, 0


def platform(backend):
    """Puts the player on a stone floor in the open, facing +z; returns the cell."""
    body = backend.state.body
    x, y, z = (int(np.floor(body[i])) for i in (st.X, st.Y, st.Z))
    y = 100
    for i in range(x - 6, x + 7):
        for k in range(z - 6, z + 7):
            backend.state.vox[i & 127, k & 127, y - 1] = blocks.STONE
            backend.state.vox[i & 127, k & 127, y : y + 8] = blocks.AIR
            backend.state.roof[i & 127, k & 127] = y
    backend.state.tops[:] = 110
    body[[st.X, st.Y, st.Z]] = x + 0.5, y, z + 0.5
    body[[st.VX, st.VY, st.VZ, st.YAW, st.PITCH, st.FALL]] = 0
    body[st.GROUND] = 1
    return x, y, z


# Determinism (group 20)


def test_same_seed_and_actions_give_the_same_bytes_in_any_process():
    here = walk_alone(5, 400)
    folder, name = pathlib.Path(__file__).parent, pathlib.Path(__file__).stem
    code = f"import {name}; print({name}.walk_alone(5, 400))"
    command = [sys.executable, "-c", code]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    there = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert there.stdout.strip() == here, there.stderr
    assert here != walk_alone(6, 400)


def test_two_worlds_in_turn_or_in_threads_do_not_touch_each_other():
    alone = [walk_alone(seed, 200) for seed in (7, 8)]
    envs = [new_env(seed) for seed in (7, 8)]
    seen = [env.reset() for env in envs]
    digests = [hashlib.sha256(), hashlib.sha256()]
    for action in actions(200):
        for i, env in enumerate(envs):
            last = seen[i]["is_last"]
            seen[i] = env.reset() if last else env.step({"action": action})
            for key in sorted(seen[i]):
                digests[i].update(np.ascontiguousarray(seen[i][key]).tobytes())
    assert [digest.hexdigest() for digest in digests] == alone
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(walk_alone, (7, 8), (200, 200))) == alone


@pytest.mark.parametrize("before", [1, 37, 250])
def test_a_snapshot_goes_on_bit_by_bit(before):
    env = new_env(9)
    obs = env.reset()
    walk(env, obs, actions(before))
    saved = {key: value.copy() for key, value in env.snapshot().items()}
    expected = walk(env, {"is_last": False}, actions(300, seed=1))
    # Somewhere else, in another episode, of an environment with another seed.
    other = new_env(1)
    walk(other, other.reset(), actions(50))
    other.restore(saved)
    assert walk(other, {"is_last": False}, actions(300, seed=1)) == expected


def test_a_snapshot_is_small_and_of_plain_arrays():
    env = new_env(9)
    walk(env, env.reset(), actions(100))
    saved = env.snapshot()
    assert all(isinstance(value, np.ndarray) for value in saved.values())
    assert all(value.dtype != object for value in saved.values())
    assert sum(value.nbytes for value in saved.values()) < 200_000


def test_a_snapshot_of_another_version_is_refused(world):
    saved = world.snapshot() | {"version": np.array(999)}
    with pytest.raises(EnvError, match="version 999.*begin a new episode"):
        world.restore(saved)


def test_each_episode_is_in_another_world():
    backend = VoxelBackend(seed=2)
    first, second = backend.reset(), backend.reset()
    assert not np.array_equal(first.image, second.image)
    again = VoxelBackend(seed=2)
    assert np.array_equal(again.reset().image, first.image)
    assert np.array_equal(again.reset().image, second.image)


# Begin of an episode


@pytest.mark.parametrize("seed", range(8))
def test_an_episode_begins_on_dry_ground_with_nothing_in_hand(seed):
    backend = VoxelBackend(seed=seed)
    raw = backend.reset()
    x, y, z = (int(np.floor(v)) for v in raw.position[:3])
    assert blocks.SOLID[block_at(backend.state, x, y - 1, z)]
    for height in (y, y + 1):
        block = block_at(backend.state, x, height, z)
        assert not blocks.SOLID[block] and not blocks.WATERY[block]
    assert (raw.life, raw.food, raw.air) == (20, 20, 300)
    assert raw.inventory[items.INVENTORY.index("air")] == 365
    assert raw.inventory.sum() == 365
    assert items.EQUIPPED[raw.equipped] == "air"


def test_air_counts_the_slots_that_are_empty(world):
    hold(world, "dirt", 64)
    hold(world, "dirt", 3)
    hold(world, "log2", 2)
    hold(world, "log", 5)
    raw = world.step(command())
    counts = dict(zip(items.INVENTORY, raw.inventory.tolist(), strict=True))
    assert counts["air"] == 365 - 4
    assert (counts["dirt"], counts["log"]) == (67, 7)
    assert items.EQUIPPED[raw.equipped] == "dirt"


# Placing (group 11)


def test_a_block_is_placed_on_the_face_under_the_crosshair(world):
    x, y, z = platform(world)
    hold(world, "dirt", 2)
    world.state.body[st.PITCH] = 45.0  # eyes 1.62 up: meets the floor 1.62 ahead
    hit, i, j, k, face = aim(world.state)
    assert hit and (i, j, k) == (x, y - 1, z + 2) and face == 3
    world.step(command(place="dirt"))
    assert block_at(world.state, x, y, z + 2) == blocks.DIRT
    assert world.state.slots[0, 1] == 1


def test_nothing_is_placed_without_the_item_or_out_of_reach(world):
    x, y, z = platform(world)
    world.state.body[st.PITCH] = 45.0
    world.step(command(place="dirt"))
    assert block_at(world.state, x, y, z + 2) == blocks.AIR
    hold(world, "dirt")
    world.state.body[st.PITCH] = 15.0  # meets the floor 6 ahead: beyond 4.5
    assert not aim(world.state)[0]
    world.step(command(place="dirt"))
    assert world.state.slots[0, 1] == 1


def test_nothing_is_placed_into_ones_own_body(world):
    x, y, z = platform(world)
    hold(world, "dirt")
    world.state.body[st.PITCH] = 85.0  # the floor one stands on
    assert aim(world.state)[1:4] == (x, y - 1, z)
    world.step(command(place="dirt"))
    assert block_at(world.state, x, y, z) == blocks.AIR
    assert world.state.slots[0, 1] == 1


@pytest.mark.parametrize("there", [blocks.WATER, blocks.TALL_GRASS])
def test_what_is_in_the_cell_is_overwritten(world, there):
    x, y, z = platform(world)
    hold(world, "dirt")
    # A wall two ahead; the cell before it holds water or grass.
    for height in (y, y + 1):
        world.state.vox[x & 127, (z + 2) & 127, height] = blocks.STONE
    world.state.vox[x & 127, (z + 1) & 127, y + 1] = there
    hit, i, j, k, face = aim(world.state)
    if there == blocks.WATER:  # the crosshair passes through
        assert hit and (i, j, k, face) == (x, y + 1, z + 2, 4)
        world.step(command(place="dirt"))
        assert block_at(world.state, x, y + 1, z + 1) == blocks.DIRT
    else:  # it meets the grass; the cell in front of that is the body's
        assert hit and (i, j, k) == (x, y + 1, z + 1)
        world.step(command(place="dirt"))
        assert world.state.slots[0, 1] == 1


# Tables and furnaces (the parts of group 7 that need a world)


def test_only_a_table_that_was_placed_and_still_stands_serves(world):
    x, y, z = platform(world)
    hold(world, "planks", 10)
    hold(world, "stick", 10)
    pickaxe = command(nearbyCraft="wooden_pickaxe")
    count = items.INVENTORY.index("wooden_pickaxe")
    world.state.vox[x & 127, (z + 2) & 127, y] = blocks.CRAFTING_TABLE  # a village's
    assert world.step(pickaxe).inventory[count] == 0
    world.state.vox[x & 127, (z + 2) & 127, y] = blocks.AIR
    hold(world, "crafting_table")
    world.state.body[st.PITCH] = 45.0
    world.step(command(place="crafting_table"))
    assert block_at(world.state, x, y, z + 2) == blocks.CRAFTING_TABLE
    assert world.step(pickaxe).inventory[count] == 1
    world.state.body[st.YAW] = 180.0  # behind the back
    assert world.step(pickaxe).inventory[count] == 1
    world.state.body[st.YAW] = 0.0
    for _ in range(3):
        world.step(command(attack=1))
    assert block_at(world.state, x, y, z + 2) == blocks.AIR
    assert world.step(pickaxe).inventory[count] == 1


# The window (group 18)


def test_edits_outlive_the_window(world):
    x, y, z = platform(world)
    hold(world, "dirt")
    world.state.body[st.PITCH] = 45.0
    world.step(command(place="dirt"))
    for step in (208, -208):  # 13 chunks: one of those around takes the old one's place
        world.state.body[st.X] += step
        world.world.follow()
        if step > 0:
            assert block_at(world.state, x, y, z + 2) == -1  # out of the window
    assert block_at(world.state, x, y, z + 2) == blocks.DIRT


def test_the_window_holds_the_chunks_around_the_player_and_no_stale_ones(world):
    state = world.state
    rng = np.random.default_rng(0)
    for _ in range(20):
        state.body[[st.X, st.Z]] += rng.integers(-60, 60, 2)
        world.world.follow()
        cx, cz = int(state.body[st.X] // 16), int(state.body[st.Z] // 16)
        for i in range(cx - 3, cx + 4):
            for k in range(cz - 3, cz + 4):
                assert state.chunks[i & 7, k & 7].tolist() == [i, k]
    fresh = VoxelBackend(seed=11, difficulty=0, entities=False)
    fresh.reset()
    fresh.state.body[[st.X, st.Z]] = state.body[[st.X, st.Z]]
    fresh.world.follow()
    at = int(state.body[st.X]) & 127, int(state.body[st.Z]) & 127
    np.testing.assert_array_equal(state.vox[at], fresh.state.vox[at])
    np.testing.assert_array_equal(state.roof[at], fresh.state.roof[at])


def test_heights_stay_true_while_the_world_changes():
    env = new_env(4)
    walk(env, env.reset(), actions(600))
    inside = env
    while not hasattr(inside, "backend"):
        inside = inside.env
    state = inside.backend.state
    opaque = blocks.OPAQUE[state.vox]
    top = np.where(opaque.any(-1), 128 - np.argmax(opaque[..., ::-1], -1), 0)
    held = np.repeat(np.repeat(state.chunks[..., 0] != st.NOWHERE, 16, 0), 16, 1)
    np.testing.assert_array_equal(state.roof[held], top[held])
    filled = state.vox != blocks.AIR
    high = np.where(filled.any(-1), 128 - np.argmax(filled[..., ::-1], -1), 0)
    tiles = high.reshape(16, 8, 16, 8).max((1, 3))
    held_tiles = held.reshape(16, 8, 16, 8).all((1, 3))
    assert (state.tops >= tiles)[held_tiles].all()
    lowest = top.reshape(16, 8, 16, 8).min((1, 3))
    assert (state.lows <= lowest)[held_tiles].all()


# Speed and memory, with a wide margin (group 21; the figures are in tools/bench.py)


def test_it_is_not_slow_and_not_large():
    env = new_env(0)
    obs = env.reset()
    walk(env, obs, actions(50))
    begin = time.process_time()
    env.reset()
    assert time.process_time() - begin < 0.5
    begin = time.process_time()
    walk(env, env.reset(), actions(300))
    assert 300 / (time.process_time() - begin) > 300
    before = psutil.Process().memory_info().rss
    many = [new_env(seed) for seed in range(8)]
    for other in many:
        other.reset()
    grown = psutil.Process().memory_info().rss - before
    assert grown / len(many) < 8 * 2**20
