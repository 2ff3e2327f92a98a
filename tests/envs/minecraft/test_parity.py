"""The published diamond_env, and MineRL's real pipe, agree with our task everywhere.

All of them play over the voxel world: diamond_env 1.0.3 on a fake MineRL, our backend
`minerl` on the same fake in a process of its own, and our task on the world itself.
"""

import sys

import numpy as np
import pytest

from dreamerv3_tf.envs.minecraft import actions
from dreamerv3_tf.envs.minecraft.minerl.backend import MineRLBackend
from dreamerv3_tf.envs.minecraft.task import Minecraft
from dreamerv3_tf.envs.wrappers import TimeLimit

LENGTH = 200  # steps of an episode


@pytest.fixture
def diamond_env(diamond_env_folder):
    """Makes a function from a game to the published environment, on a fake MineRL.

    The package replaces names of NumPy when it is imported; one of them, `bool`, breaks
    Numba, so they are put back.
    """
    import fake_minerl

    kept = {
        name: vars(np)[name] for name in ("bool", "int", "float") if name in vars(np)
    }

    def restore_names():
        for name in ("bool", "int", "float"):
            if name in kept:
                setattr(np, name, kept[name])
            elif name in vars(np):
                delattr(np, name)

    def make(game, **settings):
        sys.path.insert(0, str(diamond_env_folder))
        try:
            with fake_minerl.installed(game):
                import diamond_env

                restore_names()
                return diamond_env.DiamondEnv(restart_on_exception=False, **settings)
        finally:
            sys.path.remove(str(diamond_env_folder))
            restore_names()

    return make


def ours(game, **settings):
    """Our task over a game, with the time limit."""
    return TimeLimit(Minecraft(game, "diamond", **settings), LENGTH)


def choices(count, seed=0):
    """Actions: a few, then all that is crafted, then any, attacks or steps forward."""
    from worlds import CRAFTING

    rng = np.random.default_rng(seed)
    any_of = rng.integers(len(actions.NAMES), size=count)
    kind = rng.integers(3, size=count)
    chosen = np.where(kind == 0, any_of, np.where(kind == 1, 1, 6)).astype(np.int32)
    crafting = [actions.NAMES.index(name) for name in CRAFTING.split()]
    chosen[:20] = 0
    chosen[20 : 20 + len(crafting)] = crafting
    return chosen


def test_diamond_env_has_our_spaces_and_actions(diamond_env, capsys):
    import still

    theirs, mine = diamond_env(still.Still), ours(still.Still())
    printed = capsys.readouterr().out
    assert printed.strip().endswith(", ".join(actions.NAMES))
    assert theirs.act_space["action"].high == 25 == mine.act_space["action"].high
    for key, space in mine.obs_space.items():
        if not key.startswith("log/"):
            assert space.shape == theirs.obs_space[key].shape, key
            assert space.dtype == theirs.obs_space[key].dtype, key


@pytest.mark.parametrize(
    "steps, speed",
    [
        pytest.param(400, 100.0, id="100x"),
        pytest.param(150, 1.0, id="1x"),
        pytest.param(3000, 100.0, id="long", marks=pytest.mark.slow),
    ],
)
def test_diamond_env_agrees_in_every_observation_and_reward(diamond_env, steps, speed):
    from worlds import EVENTFUL, Accidents

    def world(size=64, break_speed=100.0):
        return Accidents(size=size, break_speed=break_speed, **EVENTFUL)

    theirs = diamond_env(world, timelimit=LENGTH, break_speed=speed)
    mine = ours(world(break_speed=speed), sticky_attack=30 if speed == 1 else 0)
    counts = {"deaths": 0, "limits": 0, "firsts": 0, "milestones": 0.0}
    # The first action resets theirs; after an end any action does.
    left, right = theirs.step({"action": 0, "reset": True}), mine.reset()
    compare(left, right)
    for action in choices(steps):
        left = theirs.step({"action": action, "reset": False})
        over = bool(right["is_last"])
        right = mine.reset() if over else mine.step({"action": action})
        compare(left, right)
        if right["is_first"] and not over:
            # The one difference on purpose: after a loss our episode has all its steps,
            # theirs only what the lost one had left.
            theirs.env._step = 0
        counts["deaths"] += bool(right["is_terminal"])
        counts["limits"] += bool(right["is_last"]) and not right["is_terminal"]
        counts["firsts"] += bool(right["is_first"])
        counts["milestones"] += max(0.0, round(float(right["reward"])))
    if steps >= 400:
        assert counts["deaths"] >= 1 and counts["limits"] >= 1
        losses = sum(step <= steps for step in EVENTFUL["losses"])
        assert counts["firsts"] == counts["deaths"] + counts["limits"] + losses
        assert counts["milestones"] >= 12


def compare(theirs, mine):
    """Every key of both, and the counts that ours logs."""
    for key, value in mine.items():
        if key.startswith("log/inventory/"):
            value_there = theirs[f"log_inventory/{key[14:]}"]
        elif key.startswith("log/"):
            continue  # our milestones, which theirs doesn't log
        else:
            value_there = np.asarray(theirs[key])
            assert key == "reward" or value_there.dtype == value.dtype, key
        np.testing.assert_array_equal(value, value_there, key)
    shared = {key for key in theirs if not key.startswith("log_")}
    assert shared <= set(mine)


def test_the_backend_minerl_agrees_with_the_world_itself(minerl_interpreter):
    from worlds import EVENTFUL, Accidents

    minerl_interpreter(
        "lambda **k: __import__('worlds').Accidents(**k, **__import__('worlds')."
        "EVENTFUL)"
    )
    game = MineRLBackend(seed=0)
    left, right = ours(game), ours(Accidents(**EVENTFUL))
    one, other = left.reset(), right.reset()
    try:
        for action in choices(400):
            for key in other:
                np.testing.assert_array_equal(one[key], other[key], key)
            if other["is_last"]:
                one, other = left.reset(), right.reset()
                continue
            one, other = left.step({"action": action}), right.step({"action": action})
    finally:
        game.close()
