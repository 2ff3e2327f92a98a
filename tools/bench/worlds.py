"""Cases of environments: single ones, and many at once."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import numpy as np

from . import setups
from .stopwatch import Skip, Stopwatch


def envs(case: dict, watch: Stopwatch) -> None:
    """Steps of environments with random actions, in this process and in workers."""
    from dreamerv3_tf import presets
    from dreamerv3_tf.envs.base import EnvError
    from dreamerv3_tf.run.workers import make_envs

    task, rng = case["task"], np.random.default_rng(0)
    settings = presets.load(task).env
    groups: dict[str, dict[str, Any]] = {
        "local_1": {"num": 1, "parallel": "none"},
        "processes_4": {"num": 4, "parallel": "process"},
    }
    for label, form in groups.items():
        make = functools.partial(make_envs, task, seed=0, **form, **settings)
        try:
            group = watch.once(f"start_{label}", make)
        except EnvError as error:
            raise Skip(str(error)) from error
        with contextlib.closing(group):
            spaces, num = group.act_space, group.num
            actions = [setups.random_step(rng, spaces, num) for _ in range(64)]
            measure_steps(watch, label, group, actions)


def measure_steps(watch: Stopwatch, label: str, group, actions: list[dict]) -> None:
    """Rate of one group of environments."""
    numbers = iter(range(10**9))

    def step():
        group.send(actions[next(numbers) % len(actions)])
        group.recv()

    group.recv()
    for _ in range(10):
        step()
    watch.rate(label, step, "steps", group.num)
    watch.memory(f"peak_memory_{label}")
