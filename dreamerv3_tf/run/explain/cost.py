"""What a run costs: steps, bytes and hours, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_episodes
from dreamerv3_tf.run import budget, preflight
from dreamerv3_tf.run.build import Spaces, build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.explain.probe import Speed

HOUR = 3600.0


class Plan:
    """An agent that is planned but not made: its weights take no memory.

    Args:
        config: the settings.
        device: of `device.set_up`.
        obs: spaces of the observations.
        act: spaces of the actions.

    Raises:
        ConfigError: the spaces do not fit the networks.
    """

    def __init__(self, config: Config, device: Device, obs: Spaces, act: Spaces):
        self.config, self.device = config, device
        with tf.Graph().as_default():  # variables in a graph are names and shapes only
            self.agent: Agent = build_agent(config, device, obs, act)
            self.memory = preflight.memory(config, device, self.agent)
        self.parameters = sum(preflight.parameters(self.agent).values())
        self.checkpoint = self.memory["parameters"] + self.memory["optimizer"]


def step_lines(config: Config, paper: Config) -> Iterator[str]:
    """How much the run does, beside the paper's."""
    if budget.without_end(config):
        config, paper = budget.cut(config), budget.cut(paper)
    yield f"{'':<20}{'here':>16}{'the paper':>16}"
    pairs = zip(budget.budget(config), budget.budget(paper), strict=True)
    for name, (here, there) in zip(ROWS, pairs, strict=True):
        yield f"{name:<20}{here:>16,}{there:>16,}"


ROWS = ("agent steps", "environment frames", "turns of the loop", "train steps")
ROWS += ("replayed steps",)


def end_line(config: Config, made: bool) -> str:
    """When the run ends, where that is not by its steps; else empty.

    Args:
        config: the settings.
        made: whether the task's environment is there.
    """
    if not budget.without_end(config):
        return ""
    episodes = env_episodes(config.task, config.env) if made else None
    end = f"after {episodes:,} episodes" if episodes else "when it is stopped"
    return (
        f"run.steps is {config.run.steps:,}: the run ends {end}. "
        f"The figures are for every {budget.SAMPLE:,} agent steps."
    )


def size_lines(plan: Plan, speed: Speed | None) -> Iterator[str]:
    """Bytes on disk and in memory."""
    config = budget.cut(plan.config) if budget.without_end(plan.config) else plan.config
    steps, keep = budget.budget(config).agent_steps, config.log.keep
    size = preflight.replay_bytes(config, plan.agent, steps)
    yield row("replay", size, f"on disk, of at most {config.replay.capacity:,} steps")
    kept = f"on disk, {keep} of {preflight.readable(plan.checkpoint)}"
    yield row("checkpoints", keep * plan.checkpoint, kept)
    if speed is None:
        total = sum(size for name, size in plan.memory.items() if "disk" not in name)
        yield row("memory", total, "estimate, to a factor of two")
        return
    yield row("memory", speed.memory, "measured, with environments")
    if speed.device_memory:
        yield row("of the accelerator", speed.device_memory, "measured")


def row(name: str, size: int, remark: str) -> str:
    """A line of the table with a number of bytes."""
    return f"{name:<20}{preflight.readable(size):>16}   {remark}"


def time_lines(config: Config, speed: Speed) -> Iterator[str]:
    """Hours in all and by what they are spent on."""
    if budget.without_end(config):
        config = budget.cut(config)
    plan = budget.budget(config)
    learning = plan.train_steps * speed.learning
    acting, waiting = plan.turns * speed.acting, plan.turns * speed.waiting
    hidden = plan.turns * max(0.0, speed.environments - speed.waiting)
    yield f"{'time':<20}{span(learning + acting + waiting):>16}"
    each = f"{1000 * speed.learning:,.0f} ms a train step"
    yield f"{'  learning':<20}{span(learning):>16}   {each}"
    each = f"{1000 * speed.acting:,.1f} ms for {config.run.envs} environments"
    yield f"{'  acting':<20}{span(acting):>16}   {each}"
    beside = f"and about {span(hidden)} beside the learning"
    yield f"{'  environments':<20}{span(waiting):>16}   waited for, {beside}"


def remark(device: Device, speed: Speed, load: float) -> str:
    """How the time was measured and what it is worth.

    Args:
        device: of `device.set_up`.
        speed: what was measured.
        load: programs that wanted to run before the measurement, on the average.
    """
    cores = psutil.cpu_count() or 1
    busy = (
        f" The machine was busy before ({load:.1f} programs on {cores} cores): alone "
        "it is faster."
        if load > cores / 4
        else ""
    )
    steps = "1 train step" if speed.updates == 1 else f"{speed.updates:,} train steps"
    return (
        f"Measured over {steps} of a training on {device.title} in {device.precision}, "
        f"xla {device.xla}; reports, checkpoints and evaluations come on top. Machines "
        f"that are shared vary.{busy}"
    )


def span(seconds: float) -> str:
    """A time in the unit that suits it."""
    for size, name in ((1.0, "s"), (60.0, "min"), (HOUR, "hours")):
        if seconds < 100 * size or name == "hours":
            break
    if name == "hours" and seconds > 100 * HOUR:
        return f"{seconds / (24 * HOUR):,.1f} days"
    return f"{seconds / size:,.1f} {name}"
