"""Each suite whose package is here trains for real, from the command line."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

TASKS = {
    "dmc_walker_walk": "dm_control",
    "dmc_vision_walker_walk": "dm_control",
    "atari_pong": "ale_py",
    "atari100k_pong": "ale_py",
    "bsuite_catch/0": "bsuite",
    "crafter_reward": "crafter",
    "vizdoom_basic": "vizdoom",
    "memory_maze_9x9": "memory_maze",
    "procgen_coinrun": "procgen",
    "minecraft_diamond": "numba",
    "gym_CartPole-v1": "gymnasium",
}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_suite_trains_for_real_for_a_few_hundred_steps(task, root, tmp_path):
    package = TASKS[task]
    if not importlib.util.find_spec(package):
        pytest.skip(f"{package} is not installed")
    settings = ("run.steps=300", "run.envs=1", "log.every=1", "log.video=false")
    command = [sys.executable, "-m", "dreamerv3_tf.main", "--task", task]
    command += ["--preset", "debug", "--logdir", str(tmp_path), *settings]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    points = [json.loads(line) for line in lines]
    losses = [
        value
        for point in points
        for key, value in point.items()
        if key.startswith("loss/")
    ]
    assert losses and np.isfinite(losses).all()
    assert max(point["step"] for point in points) >= 300
