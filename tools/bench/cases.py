"""The cases: what is measured, each in a process of its own."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import setups
from .stopwatch import Stopwatch
from .voxel import voxel

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 900.0
"""Seconds that a training run has for its first step."""


class Skip(Exception):
    """The case cannot be measured here; the message says why."""


def train(case: dict, watch: Stopwatch) -> None:
    """A train step: batch on the device → updated weights, latents as numpy arrays."""
    setup = watch.once("build", lambda: setups.build(case))
    import tensorflow as tf

    agent, numbers = setup.agent, iter(range(10**9))
    with tf.device(setup.device.name):
        batch = tf.nest.map_structure(tf.constant, setups.random_batch(setup))
    carry = agent.initial_train(batch.reward.shape[0])

    def step():
        nonlocal carry
        seed = np.array([0, next(numbers)], np.int32)
        carry, entries, metrics = agent.train(carry, batch, seed)
        return tf.nest.map_structure(lambda x: x.numpy(), (entries, metrics))

    watch.once("first_call", step)
    step()  # buffers and thread pools grow here
    watch.seconds("step", step)
    assert agent.traces["train"] == 1, f"traced {agent.traces['train']} times"
    watch.memory()
    if setup.device.accelerated:
        used = tf.config.experimental.get_memory_info(setup.device.name)
        watch.memory("device_memory", used["peak"])


def policy(case: dict, watch: Stopwatch) -> None:
    """A policy step as the driver asks for it: numpy observation → numpy action."""
    setup = setups.build(case)
    from dreamerv3_tf.run.session import Acting

    agent, rng = setup.agent, np.random.default_rng(0)
    for count in case["batches"]:
        pool = [setups.random_step(rng, agent.obs_space, count) for _ in range(16)]
        act = Acting(agent, setup.config.seed, "sample")
        carry, index = None, 0

        def step(act=act, pool=pool):
            nonlocal carry, index
            action, entries, carry = act(carry, pool[index % len(pool)], index)
            index += 1

        watch.once(f"first_call_{count}", step)
        watch.seconds(f"batch_{count}", step, "ms")
    watch.memory()


def replay(case: dict, watch: Stopwatch) -> None:
    """Inserts of all environments at once, draws, write-back, and the loader."""
    setup = setups.build(case)
    from dreamerv3_tf.run import build as building

    config, agent = setup.config, setup.agent
    rng, streams = np.random.default_rng(0), config.run.envs
    spaces = building.replay_spaces(agent)
    pool = [setups.random_step(rng, spaces, streams) for _ in range(16)]
    numbers = iter(range(10**9))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        memory = building.build_replay(config, agent, pathlib.Path(folder))
        stack.callback(memory.close)

        def insert():
            memory.add(pool[next(numbers) % len(pool)])

        watch.rate("insert", insert, "steps", streams)
        for _ in range(config.replay.capacity // streams):
            insert()
        measure_draws(watch, setup, memory, stack)
    watch.memory()


def measure_draws(watch: Stopwatch, setup, memory, stack) -> None:
    """Reading from a filled replay, in batches; the online queue is emptied first."""
    from dreamerv3_tf.run import build as building

    config, agent = setup.config, setup.agent
    section, rng = config.replay, np.random.default_rng(1)
    rows = section.batch_size
    for _ in range(len(memory) // (section.batch_length * rows) + 1):
        memory.draw(rows)
    watch.rate("sample", lambda: memory.gather(memory.draw(rows)), "batches")
    addresses, lead = memory.draw(rows).addresses, (rows, section.batch_length)
    entries = {k: setups.draw(rng, s, *lead) for k, s in agent.latent_spaces.items()}
    watch.rate("update", lambda: memory.update(addresses, entries), "batches")
    loader = building.build_loader(config, agent, memory, setup.device)
    stack.callback(loader.close)
    watch.rate("loader", loader.next, "batches")


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


def start(case: dict, watch: Stopwatch) -> None:
    """From the shell to the first train step, and imports alone."""
    programs = {
        "import_main": "import dreamerv3_tf.main",
        "import_worker": "import dreamerv3_tf.run.worker",
        "import_agent": "import dreamerv3_tf.run.build",
    }
    repeats = case["repeats"]
    for figure, code in programs.items():
        command = [sys.executable, "-c", code]
        watch.laps(figure, lambda command=command: run_quietly(command), repeats)
    preset = f"size{case['size']}" if case["size"][:1].isdigit() else case["size"]
    watch.laps("first_step", lambda: train_one_step(preset, case["settings"]), repeats)


def run_quietly(command: list[str]) -> None:
    """Runs a command from the checkout.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = (done.stdout + done.stderr)[-2000:]
        raise RuntimeError(f"{command} ended with {done.returncode}: {tail}")


def train_one_step(preset: str, settings: list[str]) -> None:
    """Trains until the metrics of the first train step are in `metrics.jsonl`.

    Raises:
        RuntimeError: the program ends or takes too long before that.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        command = [
            *(sys.executable, "-m", "dreamerv3_tf.main", "--task"),
            *("dmc_cartpole_balance", "--preset", preset, "--logdir", folder),
            *("log.every=0.01", "log.outputs=[jsonl]", *settings),
        ]
        with (path / "output.txt").open("w") as output:
            program = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            wait_for_metrics(path / "metrics.jsonl", program)
        except RuntimeError as error:
            tail = (path / "output.txt").read_text()[-2000:]
            raise RuntimeError(f"{' '.join(command)}: {error}\n{tail}") from error
        finally:
            program.kill()
            program.wait()


def wait_for_metrics(path: pathlib.Path, program: subprocess.Popen) -> None:
    """Returns when a line of the file holds the loss of a train step.

    Raises:
        RuntimeError: the program ends or takes too long before that.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if path.exists() and '"opt/loss"' in path.read_text():
            return
        if program.poll() is not None:
            raise RuntimeError(f"it ended with {program.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"no train step after {PATIENCE:.0f} s")


KINDS: dict[str, Callable[[dict, Stopwatch], Any]] = {
    "train": train,
    "start": start,
    "policy": policy,
    "replay": replay,
    "envs": envs,
    "voxel": voxel,
}
"""The function of each kind of case."""
