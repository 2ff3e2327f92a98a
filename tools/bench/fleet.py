"""Many environments: what driving them costs beside their own steps.

*Driven* is what the program does: actions out, one step of all environments, and their
observations together in one place. *Alone* is the same number of the same environments
stepped in plain loops without anything else, divided over as many processes as there
are cores, all at the same time. The overhead is how much longer the first one takes.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing as mp
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import psutil

from dreamerv3_tf import presets
from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.base import Action, EnvError
from dreamerv3_tf.run.workers import make_envs

from . import setups
from .stopwatch import Skip, Stopwatch

POOL = 64
"""Random actions that are taken in turn."""


def fleet(case: dict, watch: Stopwatch) -> None:
    """Seconds of a step of all environments, driven and alone, in turn."""
    task, num = case["task"], case["num"]
    settings, steps = presets.load(task).env, case["steps"]
    cores = len(psutil.Process().cpu_affinity() or [1]) if psutil.LINUX else 1
    with contextlib.ExitStack() as stack:
        try:
            group = make_envs(task, num=num, seed=0, **settings)
        except EnvError as error:
            raise Skip(str(error)) from error
        stack.callback(group.close)
        alone = Alone(task, num, min(cores, num), settings)
        stack.callback(alone.close)
        rng = np.random.default_rng(0)
        pool = [setups.random_step(rng, group.act_space, num) for _ in range(POOL)]
        group.recv()
        driven_times, alone_times = [], []
        for _ in range(case["repeats"] + 1):  # the first one warms up
            start = time.perf_counter()
            for index in range(steps):
                group.send(pool[index % POOL])
                group.recv()
            driven_times.append((time.perf_counter() - start) / steps)
            alone_times.append(alone.step(steps) / steps)
        driven_times, alone_times = driven_times[1:], alone_times[1:]
        pairs = zip(driven_times, alone_times, strict=True)
        watch.values("driven", driven_times, "s", "low")
        watch.values("alone", alone_times, "s", "low")
        watch.values("overhead", [x / y - 1 for x, y in pairs], "of alone", "low")
        watch.memory()


class Alone:
    """Environments that step themselves in a few processes.

    Args:
        task: of the environments.
        num: how many.
        workers: processes.
        settings: keyword arguments of the suite's `make`.
    """

    def __init__(self, task: str, num: int, workers: int, settings: dict[str, Any]):
        context = mp.get_context("spawn")
        make = functools.partial(make_env, task, seed=0, **settings)
        self.pipes, self.processes = [], []
        for index in range(workers):
            ours, theirs = context.Pipe()
            places = list(range(num))[index::workers]
            process = context.Process(
                target=work, args=(theirs, make, places), daemon=True
            )
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        self.step(1)

    def step(self, steps: int) -> float:
        """Seconds until all environments have taken so many steps."""
        start = time.perf_counter()
        for pipe in self.pipes:
            pipe.send(steps)
        for pipe in self.pipes:
            pipe.recv()
        return time.perf_counter() - start

    def close(self) -> None:
        """Ends the processes."""
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join()


def work(pipe: Connection, make, places: list[int]) -> None:
    """What a process does: so many steps of its environments, whenever asked."""
    envs = [make(index=place) for place in places]
    rng = np.random.default_rng(0)
    pool: list[Action] = [
        {key: setups.draw(rng, space) for key, space in envs[0].act_space.items()}
        for _ in range(POOL)
    ]
    over = [True] * len(envs)
    with contextlib.suppress(EOFError):  # the other end is closed: nothing left to do
        while steps := pipe.recv():
            for index in range(steps):
                for place, env in enumerate(envs):
                    obs = env.reset() if over[place] else env.step(pool[index % POOL])
                    over[place] = bool(obs["is_last"])
            pipe.send(None)
    for env in envs:
        env.close()
