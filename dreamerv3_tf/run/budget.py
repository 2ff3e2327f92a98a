"""How much a run acts and learns, by its settings alone."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

from dreamerv3_tf.config import Config
from dreamerv3_tf.record.clock import Ratio

ENDLESS = 10**9
"""Agent steps from which on a run is meant to be stopped by hand."""

SAMPLE = 10**6
"""Agent steps whose cost is told instead, where a run has no end of its own."""


class Budget(NamedTuple):
    """How much a run does.

    Attributes:
        agent_steps: over all environments, first observations counted.
        frames: steps of the environments, after action repeat.
        turns: of the loop; each is an action in every environment.
        train_steps: updates.
        replayed_steps: steps that these are computed from.
    """

    agent_steps: int
    frames: int
    turns: int
    train_steps: int
    replayed_steps: int


def batch_steps(config: Config) -> int:
    """Trained steps of a batch."""
    return config.replay.batch_size * config.replay.batch_length


def train_clock(config: Config) -> Ratio:
    """Tells the trainer how many train steps are due at an agent step."""
    return Ratio(config.run.train_ratio / batch_steps(config))


def enough(config: Config) -> int:
    """Start positions that have to be in the replay before training begins."""
    return max(config.run.prefill, 1)


def first_training(config: Config) -> int:
    """Agent step at which training begins.

    A stream of `t` steps has `t - length + 1` start positions of sequences of `length`.
    """
    length = config.replay.batch_length + config.replay.context
    turns = length - 1 + math.ceil(enough(config) / config.run.envs)
    return turns * config.run.envs


def budget(config: Config) -> Budget:
    """What a run of `run.steps` does, of which evaluations are no part."""
    envs = config.run.envs
    turns = math.ceil(config.run.steps / envs)
    steps, first, clock = turns * envs, first_training(config), train_clock(config)
    updates = clock(first) + clock(steps) if steps >= first else 0
    return Budget(
        steps,
        steps * int(config.env.get("repeat", 1)),
        turns,
        updates,
        updates * batch_steps(config),
    )


def without_end(config: Config) -> bool:
    """Whether somebody or the task has to end the run."""
    return config.run.steps >= ENDLESS


def cut(config: Config) -> Config:
    """The same run, of `SAMPLE` agent steps."""
    run = dataclasses.replace(config.run, steps=SAMPLE)
    return dataclasses.replace(config, run=run)
