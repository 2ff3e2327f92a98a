"""Every suite keeps the contract; suites are found by listing the files of envs/."""

import subprocess
import sys

import numpy as np
import pytest

from dreamerv3_tf import envs
from dreamerv3_tf.envs.contract import find_problems

TASKS = {
    "atari": ["atari_pong"],
    "atari100k": ["atari100k_breakout"],
    "bsuite": [],  # all of it in test_bsuite.py
    "crafter": ["crafter_reward", "crafter_noreward"],
    "dmc": ["dmc_cartpole_balance", "dmc_cup_catch", "dmc_quadruped_walk"],
    "dmc_vision": [],  # rendered in a process of its own, in test_dmc.py
    "dmlab": [],  # over a fake, in test_dmlab.py
    "dummy": [f"dummy_{name}" for name in ("disc", "cont", "multi", "mixed", "image")],
    "minecraft": [f"minecraft_{goal}" for goal in ("diamond", "wood", "climb")],
    "memory_maze": [],  # rendered likewise, in test_memory_maze.py
    "procgen": [],  # all of it in test_procgen.py
    "given": [],  # functions of a program, in test_api.py
    "own": ["gymnasium.envs.classic_control:CartPoleEnv"],
    "gym": ["gym_CartPole-v1", "gym_Pendulum-v1", "gym_Blackjack-v1"],
    "vizdoom": [],  # all of it in test_vizdoom.py
}
ALL = [task for tasks in TASKS.values() for task in tasks]


def actions(env, count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {key: space.sample(rng) for key, space in env.act_space.items()}
        for _ in range(count)
    ]


def play(env, count):
    """Observations of `count` random steps, with a reset wherever one is due."""
    trace = [env.reset()]
    for action in actions(env, count):
        trace.append(env.reset() if trace[-1]["is_last"] else env.step(action))
    return trace


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        assert set(one) == set(other)
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], key)


def test_every_suite_has_tasks_here():
    assert sorted(TASKS) == envs.suites()


@pytest.mark.parametrize("task", ALL)
def test_the_contract_holds(task):
    env = envs.make_env(task, seed=1)
    assert find_problems(env, steps=150) == []
    env.close()


@pytest.mark.parametrize("task", ALL)
def test_same_seed_same_episode_and_other_index_another(task):
    one = play(envs.make_env(task, seed=3), 30)
    same = play(envs.make_env(task, seed=3), 30)
    other = play(envs.make_env(task, seed=3, index=1), 30)
    assert_same(one, same)
    assert any(
        not np.array_equal(a[key], b[key])
        for a, b in zip(one, other, strict=True)
        for key in a
    )


@pytest.mark.parametrize("task", ["dmc_cartpole_balance", "dummy_mixed"])
def test_actions_reach_from_minus_one_to_one(task):
    env = envs.make_env(task, seed=0)
    for space in env.act_space.values():
        if not space.discrete:
            assert (np.asarray(space.low) == -1).all()
            assert (np.asarray(space.high) == 1).all()


def test_importing_environments_and_workers_loads_nothing_heavy():
    # Settings of a task are checked before its package is needed.
    code = (
        "import sys\n"
        "import dreamerv3_tf.run.workers, dreamerv3_tf.run.driver\n"
        "from dreamerv3_tf import envs\n"
        "[envs.env_settings(suite) for suite in envs.suites()]\n"
        "heavy = 'tensorflow keras dm_control mujoco crafter gymnasium PIL'.split()\n"
        "heavy += ['ale_py']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
