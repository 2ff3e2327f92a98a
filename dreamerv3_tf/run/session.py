"""A run in progress: everything that is built for it, and what a checkpoint keeps."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_episodes, env_facts
from dreamerv3_tf.record.checkpoint import Checkpoint, CheckpointError, Checkpoints
from dreamerv3_tf.record.clock import Timer
from dreamerv3_tf.record.jsonlines import JSONLines
from dreamerv3_tf.record.logger import Logger, Output
from dreamerv3_tf.record.tensorboard import TensorBoard
from dreamerv3_tf.record.terminal import Terminal
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.vector import VectorEnv
from dreamerv3_tf.structs import PolicyCarry

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass
class Progress:
    """How far the run is.

    Attributes:
        step: agent steps over all environments, first observations counted, as in the
            reference.
        updates: train steps.
        frames_per_step: environment frames of an agent step (action repeat).
    """

    frames_per_step: int = 1
    step: int = 0
    updates: int = 0

    @property
    def frames(self) -> int:
        """Environment frames: the x-axis of all logs."""
        return self.step * self.frames_per_step


@dataclasses.dataclass
class Session:
    """The parts that all modes share.

    Attributes:
        config: the settings.
        device: the choices made by the machine.
        logdir: folder of the run.
        agent: the agent.
        progress: how far the run is.
        checkpoints: folder of checkpoints.
        logger: where metrics go.
        notice: says something to the person who watches.
        mark: says it together with how the run stands.
        timer: where the time goes.
        facts: what must stand beside every score, by name; mostly nothing.
    """

    config: Config
    device: Device
    logdir: pathlib.Path
    agent: Agent
    progress: Progress
    checkpoints: Checkpoints
    logger: Logger
    notice: Callable[[str], None]
    mark: Callable[[str], None]
    timer: Timer
    facts: dict[str, str]

    def close(self) -> None:
        """Writes what is left of the logs."""
        self.logger.close()


def open_session(
    config: Config, device: Device, logdir: pathlib.Path, envs: VectorEnv, outputs: bool
) -> Session:
    """Builds the parts of a run.

    Args:
        config: the settings.
        device: of `device.set_up`.
        logdir: folder of the run.
        envs: environments whose spaces the agent gets.
        outputs: write logs; without, `logger` writes nothing.
    """
    progress = Progress(int(config.env.get("repeat", 1)))
    agent = build_agent(config, device, envs.obs_space, envs.act_space)
    writers, notice, mark = (
        build_outputs(config, logdir, progress) if outputs else ([], print, print)
    )
    return Session(
        config,
        device,
        logdir,
        agent,
        progress,
        Checkpoints(logdir / "ckpt", config.log.keep, notice),
        Logger(writers, lambda: progress.frames),
        notice,
        mark,
        Timer(),
        env_facts(config.task, config.env),
    )


def build_outputs(
    config: Config, logdir: pathlib.Path, progress: Progress
) -> tuple[list[Output], Callable[[str], None], Callable[[str], None]]:
    """Outputs of the logger, and functions that show a notice and a mark."""
    outputs: list[Output] = []
    notice: Callable[[str], None] = print
    mark: Callable[[str], None] = print
    facts = env_facts(config.task, config.env)
    if "terminal" in config.log.outputs:
        frames = config.run.steps * progress.frames_per_step
        total = None if env_episodes(config.task, config.env) else frames
        backend = [facts["backend"]] if "backend" in facts else []
        terminal = Terminal(
            lambda: progress.frames,
            lambda: progress.updates,
            total=total,
            title=" · ".join([config.task, *backend, config.size, str(logdir)]),
        )
        notice, mark = terminal.notice, terminal.mark
        outputs.append(terminal)
    if "jsonl" in config.log.outputs:
        outputs.append(JSONLines(logdir, notice, facts))
    if "tensorboard" in config.log.outputs:
        outputs.append(TensorBoard(logdir, config.flatten()))
    return outputs, notice, mark


def agent_state(agent: Agent) -> dict[str, Any]:
    """All variables of the agent by name, to be saved."""
    return dict(agent.variables())


def restore_agent(agent: Agent, saved: dict[str, np.ndarray]) -> None:
    """Gives the agent's variables their saved values.

    Raises:
        CheckpointError: names or shapes differ; nothing is changed then.
    """
    variables = agent.variables()
    missing, unknown = set(variables) - set(saved), set(saved) - set(variables)
    wrong = [
        f"{name}: saved {np.shape(saved[name])}, here {tuple(variable.shape)}"
        for name, variable in variables.items()
        if name in saved and np.shape(saved[name]) != tuple(variable.shape)
    ]
    if missing or unknown or wrong:
        raise CheckpointError(
            "The checkpoint is of another agent. "
            f"Missing there: {sorted(missing)[:3]}, unknown here: "
            f"{sorted(unknown)[:3]}, other shapes: {wrong[:3]}. Use the settings that "
            "the run was made with, see config.yaml in its folder."
        )
    for name, variable in variables.items():
        variable.assign(saved[name])


def load_agent(session: Session) -> Checkpoint:
    """Restores the agent and the progress from the latest checkpoint.

    Raises:
        CheckpointError: there is none, or it does not fit.
    """
    checkpoint = session.checkpoints.load(parts=["agent", "progress"])
    restore_agent(session.agent, checkpoint.state["agent"])
    session.progress.step = checkpoint.state["progress"]["step"]
    session.progress.updates = checkpoint.state["progress"]["updates"]
    return checkpoint


class Acting:
    """The agent as a policy of the driver: numpy in, numpy out.

    Args:
        agent: the agent.
        seed: of all sampling; together with the index of the call.
        mode: `sample`, or `mode` for the most likely actions.
        timer: measures the calls.
    """

    def __init__(self, agent: Agent, seed: int, mode: str, timer: Timer | None = None):
        self.agent, self.seed, self.mode = agent, seed, mode
        self.timer = timer or Timer()
        self.keys = [*agent.model.inputs, "is_first"]

    def __call__(self, carry: PolicyCarry | None, obs: Arrays, index: int):
        with self.timer("policy"):
            if carry is None:
                carry = self.agent.initial_policy(len(obs["is_first"]))
            seen = {key: tf.constant(obs[key]) for key in self.keys}
            seed = tf.constant([self.seed, index], tf.int32)
            action, entries, carry = self.agent.policy(carry, seen, seed, self.mode)
            return to_numpy(action), to_numpy(entries), carry


def to_numpy(tensors: dict) -> Arrays:
    """Fetches tensors by name."""
    return {key: value.numpy() for key, value in tensors.items()}
