"""The voxel world of the Minecraft task: speed, memory, and how long it takes to start.

Steps are full environment steps: world, picture, observation, checks. Their actions are
uniformly random and resets are part of them.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Literal

import numpy as np

from .stopwatch import Stopwatch

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASK = "minecraft_diamond"
START = """
from dreamerv3_tf.envs import hooks, make_env
hooks.prepare_env("minecraft_diamond", {}, print)
env = make_env("minecraft_diamond", seed=0)
env.reset()
env.step({key: space.sample(np.random.default_rng(0))
          for key, space in env.act_space.items()})
"""
BATCH = 16


def voxel(case: dict, watch: Stopwatch) -> None:
    """All figures of the voxel world."""
    measure_starts(watch, case["repeats"])
    from dreamerv3_tf.envs import make_env

    env = make_env(TASK, seed=0)
    env.reset()
    measure_parts(watch, env)
    rng = np.random.default_rng(0)
    count = int(np.asarray(env.act_space["action"].high))
    obs = env.reset()

    def steps():
        nonlocal obs
        for action in rng.integers(count, size=1000).astype(np.int32):
            obs = env.reset() if obs["is_last"] else env.step({"action": action})

    steps()
    watch.rate("random_steps", steps, "steps", 1000)
    measure_batch(watch, f"threads_{BATCH}", "thread")
    measure_batch(watch, f"processes_{BATCH}", "process")


def measure_parts(watch: Stopwatch, env) -> None:
    """A reset, a picture, a tick, a snapshot, and the memory of one world."""
    from dreamerv3_tf.envs.minecraft.voxel.nature.tick import tick

    backend = inside(env)
    watch.seconds("reset", env.reset, "ms")
    watch.seconds("picture", lambda: backend.renderer.image(backend.state), "ms")
    watch.seconds("tick", lambda: tick(backend.state, 0, 0, False, False), "ms")
    watch.seconds("snapshot", env.snapshot, "ms")
    size = sum(array.nbytes for array in backend.state)
    watch.memory("world_memory", size)


def inside(env):
    """The backend under the wrappers."""
    while not hasattr(env, "backend"):
        env = env.env
    return env.backend


def measure_starts(watch: Stopwatch, repeats: int) -> None:
    """From the start of Python to the first step, with and without compiled code."""
    command = [sys.executable, "-c", "import numpy as np" + START]

    def run(folder: str) -> None:
        environ = os.environ | {"DREAMERV3_TF_CACHE": folder, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environ, check=True, capture_output=True)

    def cold() -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(folder)

    watch.laps("cold_start", cold, min(repeats, 3))
    with tempfile.TemporaryDirectory() as folder:
        run(folder)
        watch.laps("warm_start", lambda: run(folder), repeats)


def measure_batch(
    watch: Stopwatch, label: str, parallel: Literal["thread", "process"]
) -> None:
    """Steps of many environments at once, and the memory of the whole process tree."""
    from dreamerv3_tf.run.workers import make_envs

    rng = np.random.default_rng(0)
    with contextlib.closing(
        make_envs(TASK, num=BATCH, seed=0, parallel=parallel)
    ) as group:
        group.recv()

        def step():
            actions = rng.integers(25, size=BATCH).astype(np.int32)
            group.send({"action": actions})
            group.recv()

        for _ in range(10):
            step()
        watch.rate(label, step, "steps", BATCH)
        watch.memory(f"peak_memory_{label}")
