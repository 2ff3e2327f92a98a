"""A short training that is thrown away, to measure how fast the real one will be."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dreamerv3_tf.config import Config
from dreamerv3_tf.record.clock import Timer
from dreamerv3_tf.record.usage import GIGA
from dreamerv3_tf.run import budget
from dreamerv3_tf.run.build import build_envs
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.session import open_session
from dreamerv3_tf.run.train import Trainer

SECONDS = 20.0
"""How long the loop is measured; imports, compilation and first steps come on top."""

LEARNING = ("batch", "train", "write_back")
WAITING = ("environment",)
"""Sections of the trainer's timer."""


class Speed(NamedTuple):
    """Seconds of a training, by what it does.

    Attributes:
        learning: of a train step, with its batch and what is written back.
        acting: of a turn of the loop: policy, replay and the bookkeeping.
        environments: that all environments need for a step while nothing learns.
        waiting: of a turn, for environments: what learning does not hide.
        updates: train steps that were measured.
        memory: largest memory of this process and its workers, bytes.
        device_memory: that of the accelerator, bytes; 0 without one.
    """

    learning: float
    acting: float
    environments: float
    waiting: float
    updates: int
    memory: int
    device_memory: int


def probe(
    config: Config,
    device: Device,
    notice: Callable[[str], None],
    seconds: float = SECONDS,
) -> Speed:
    """Trains as a run would, in a folder that is deleted, and measures it.

    The loop is the trainer's own, so environments work beside it as they will. A train
    step is never broken off: where one takes long, so does this.

    Args:
        config: the settings.
        device: of `device.set_up`.
        notice: told what takes long.
        seconds: to measure for.

    Raises:
        EnvError: the task cannot be made.
    """
    log = dataclasses.replace(config.log, outputs=(), video=False)
    run = dataclasses.replace(config.run, prefill=1)
    config = dataclasses.replace(config, log=log, run=run)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        logdir = pathlib.Path(folder)
        envs = build_envs(config, logdir=logdir)
        stack.callback(envs.close)
        session = open_session(config, device, logdir, envs, outputs=False)
        trainer = Trainer(dataclasses.replace(session, mark=notice), envs)
        stack.callback(trainer.close)
        return measure(trainer, seconds)


def measure(trainer: Trainer, seconds: float) -> Speed:
    """Measures a trainer that has not begun.

    First it acts until a batch can be drawn, then it learns twice, once to compile;
    then it does both, as often as its train ratio says. Where train steps are so slow
    that this would take more than `seconds`, the environments are hidden behind them,
    and one train step has to do.

    Args:
        trainer: the trainer.
        seconds: to measure for.
    """
    driver, timer = trainer.driver, trainer.timer
    learn = driver.on_step.pop()  # what the trainer does last in a turn
    driver.step()  # compiles the policy
    alone = turns(trainer, 0.0, trainer.prefilled)
    trainer.train_step()  # compiles
    timer.sections()
    trainer.train_step()
    learning, updates = spent(timer, LEARNING), 1
    environments = typical([turn.waiting for turn in alone])
    acting = typical([turn.acting for turn in alone])
    due = trainer.config.run.envs * budget.train_clock(trainer.config).ratio
    waiting = max(0.0, environments - due * learning)
    if max(due, 1) * learning < seconds / 2:
        driver.on_step.append(learn)
        start = trainer.progress.updates
        both = turns(trainer, seconds, lambda: trainer.progress.updates > start)
        updates = trainer.progress.updates - start
        learning = typical([t.learning / t.updates for t in both if t.updates])
        waiting = typical([turn.waiting for turn in both])
        acting = typical([turn.acting for turn in both])
    usage = trainer.usage.metrics()
    memory = usage["ram_peak_gb"] + usage["workers_ram_gb"]
    device_memory = usage.get("gpu_peak_gb", 0.0)
    return Speed(
        learning,
        acting,
        environments,
        waiting,
        updates,
        round(memory * GIGA),
        round(device_memory * GIGA),
    )


class Turn(NamedTuple):
    """A turn of the loop.

    Attributes:
        learning: seconds of all its train steps.
        updates: how many these were.
        waiting: seconds, for environments.
        acting: seconds of the rest.
    """

    learning: float
    updates: int
    waiting: float
    acting: float


def turns(trainer: Trainer, seconds: float, enough: Callable[[], bool]) -> list[Turn]:
    """Turns the loop at least once, for `seconds`, and until it is `enough`."""
    timer, found = trainer.timer, []
    begin = time.perf_counter()
    while not found or time.perf_counter() - begin < seconds or not enough():
        timer.sections()
        start, before = time.perf_counter(), trainer.progress.updates
        trainer.driver.step()
        passed = time.perf_counter() - start
        learning, waiting = (spent(timer, names) for names in (LEARNING, WAITING))
        updates = trainer.progress.updates - before
        found.append(Turn(learning, updates, waiting, passed - learning - waiting))
    return found


def typical(times: Sequence[float]) -> float:
    """Mean of times of which none counts more than ten times their median.

    Machines that are shared stop for a moment now and then, and in so short a
    measurement that would look like a habit.
    """
    limit = 10 * statistics.median(times)
    return statistics.fmean(min(some, limit) for some in times)


def spent(timer: Timer, names: Sequence[str]) -> float:
    """Seconds in these sections since the timer was reset."""
    sections = timer.sections(reset=False)
    return sum(
        sections[name].mean * sections[name].visits
        for name in names
        if name in sections
    )
