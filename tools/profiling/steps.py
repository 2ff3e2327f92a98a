"""Running steps of an agent under TensorFlow's profiler."""

from __future__ import annotations

import contextlib
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from bench import setups
from bench.setups import Setup

from dreamerv3_tf.config import Config

from . import parts
from .timeline import Breakdown, break_down
from .trace import FETCH, STEP, Trace, read_trace


class Profile(NamedTuple):
    """What was measured.

    Attributes:
        plain: wall seconds of steps without the profiler, just before.
        breakdown: where the time went with it.
    """

    plain: list[float]
    breakdown: Breakdown


def load_setup(config: Config, kind: str | None) -> Setup:
    """An agent for made-up inputs of a kind of `setups.INPUTS`, or for the task's."""
    from dreamerv3_tf.run import build as building
    from dreamerv3_tf.run import device as devices

    device = devices.set_up(config.compute)
    if kind:
        obs, act = setups.INPUTS[kind]
        obs = {**obs, **setups.SIGNAL_SPACES}
    else:
        one = config.task, config.seed, config.env
        obs, act = task_spaces(*one)
    return Setup(config, device, building.build_agent(config, device, obs, act))


def task_spaces(task: str, seed: int, settings: dict[str, Any]):
    """Spaces of a task's observations and actions."""
    from dreamerv3_tf.run.workers import make_envs

    envs = make_envs(task, num=1, seed=seed, parallel="none", **settings)
    with contextlib.closing(envs):
        return envs.obs_space, envs.act_space


def train_step(setup: Setup) -> Callable[[], None]:
    """A train step on one batch of random data, with its results as numpy arrays."""
    import tensorflow as tf

    agent = setup.agent
    with tf.device(setup.device.name):
        batch = tf.nest.map_structure(tf.constant, setups.random_batch(setup))
    carry, number = agent.initial_train(batch.reward.shape[0]), 0

    def step() -> None:
        nonlocal carry, number
        seed = np.array([0, number], np.int32)
        number += 1
        with region(STEP):
            carry, entries, metrics = agent.train(carry, batch, seed)
            with region(FETCH):
                tf.nest.map_structure(lambda x: x.numpy(), (entries, metrics))

    return step


def policy_step(setup: Setup, count: int) -> Callable[[], None]:
    """A policy step of so many environments as the driver asks for it."""
    from dreamerv3_tf.run import session

    agent, rng = setup.agent, np.random.default_rng(0)
    spaces = {key: s for key, s in agent.obs_space.items() if key[:4] != "log/"}
    pool = [setups.random_step(rng, spaces, count) for _ in range(16)]
    act = session.Acting(agent, setup.config.seed, "sample")
    carry, index = None, 0

    def step() -> None:
        nonlocal carry, index
        with region(STEP), parts.replaced(session, "to_numpy", fetching):
            _, _, carry = act(carry, pool[index % len(pool)], index)
        index += 1

    return step


def fetching(function):
    """The function in the region that says that results are fetched."""

    def call(*args):
        with region(FETCH):
            return function(*args)

    return call


def region(name: str):
    """A context manager; what happens in it has this name in the profile."""
    import tensorflow as tf

    return tf.profiler.experimental.Trace(name)


def profile(setup: Setup, step: Callable[[], None], kind: str, count: int) -> Profile:
    """Traces and compiles a step, runs it `count` times, and as often with a profiler.

    Args:
        setup: the agent.
        step: of `train_step` or `policy_step`.
        kind: `train` or `policy`.
        count: steps to profile.

    Raises:
        AttributeError: the project has no function any more that `parts` names.
    """
    with parts.marked(setup.agent, kind) as origins:
        step()
    step()  # buffers and thread pools grow here
    plain = [timed(step) for _ in range(count)]
    return Profile(plain, break_down(record(step, count, origins)))


def timed(step: Callable[[], None]) -> float:
    """Wall seconds of one step."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def record(step: Callable[[], None], count: int, origins: dict[str, str]) -> Trace:
    """What happens in `count` steps; `origins` is of `parts.marked`."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            for _ in range(count):
                step()
        finally:
            tf.profiler.experimental.stop()
        return read_trace(pathlib.Path(folder), origins)


def slowdown(found: Profile) -> float:
    """How much longer steps take with the profiler; 1.02 is two per cent."""
    return statistics.median(found.breakdown.steps) / statistics.median(found.plain)
