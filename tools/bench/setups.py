"""Agents and data to measure with; random data, so that no branch is idle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf import presets
from dreamerv3_tf.config import Config
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Batch, Latent

FLOAT, BOOL = np.dtype(np.float32), np.dtype(bool)
EPISODE = 100
"""Mean length of an episode, steps."""

STEPS_KEPT = 32_768
"""Steps that the measured replay holds; inserts go on for longer, so it evicts too."""

SIGNAL_SPACES = {
    "reward": Space(FLOAT),
    "is_first": Space(BOOL),
    "is_last": Space(BOOL),
    "is_terminal": Space(BOOL),
}

INPUTS = {
    "vector": (
        {"vector": Space(FLOAT, (24,))},
        {"action": Space(FLOAT, (6,), -1.0, 1.0)},
    ),
    "image": (
        {"image": Space(np.dtype(np.uint8), (64, 64, 3))},
        {"action": Space(np.dtype(np.int32), (), 0, 18)},
    ),
}
"""Observation and action spaces by name; the sizes of dmc_walker_walk and of Atari."""


class Setup(NamedTuple):
    """What the cases with an agent need.

    Attributes:
        config: the configuration.
        device: `run.device.Device`.
        agent: `agent.agent.Agent`.
    """

    config: Config
    device: Any
    agent: Any


def load_config(case: dict, task: str = "dummy_disc") -> Config:
    """The defaults, those of the task, and the size and the settings of the case."""
    size = case["size"]
    names = [f"size{size}" if size[:1].isdigit() else size]
    asked = [f"compute.{key}={case[key]}" for key in ("xla", "precision")]
    asked += ["run.envs=16", f"replay.capacity={STEPS_KEPT}"]
    return presets.load(task, names, [*asked, *case["settings"]])


def build(case: dict) -> Setup:
    """The agent of a case; imports TensorFlow."""
    config = load_config(case)  # before the slow import, as it may be wrong
    from dreamerv3_tf.run import build as building
    from dreamerv3_tf.run import device as devices

    device = devices.set_up(config.compute)
    obs, act = INPUTS[case["input"]]
    agent = building.build_agent(config, device, {**obs, **SIGNAL_SPACES}, act)
    return Setup(config, device, agent)


def draw(rng: np.random.Generator, space: Space, *lead: int) -> np.ndarray:
    """Random values of a space, `[*lead, *shape]`; normal where it has no bounds."""
    shape = (*lead, *space.shape)
    if space.dtype == bool:
        return rng.random(shape) < 1 / EPISODE
    low = np.broadcast_to(space.low, space.shape)
    high = np.broadcast_to(space.high, space.shape)
    if space.discrete or space.image:
        return rng.integers(low, high, shape).astype(space.dtype)
    if np.isfinite(low).all() and np.isfinite(high).all():
        return rng.uniform(low, high, shape).astype(space.dtype)
    return rng.normal(size=shape).astype(space.dtype)


def random_step(rng: np.random.Generator, spaces: dict[str, Space], count: int) -> dict:
    """One transition of `count` environments, `{key: [N, ...]}`."""
    return {key: draw(rng, space, count) for key, space in spaces.items()}


def random_batch(setup: Setup, seed: int = 0) -> Batch:
    """A batch for a train step, arrays of numpy.

    Episodes end at random, and half of the ends are terminal. Stored deter lies in
    [-1, 1], as the GRU makes it.
    """
    rng, agent, replay = np.random.default_rng(seed), setup.agent, setup.config.replay
    rows, length = replay.batch_size, replay.batch_length + replay.context
    first = draw(rng, SIGNAL_SPACES["is_first"], rows, length)
    last = np.roll(first, -1, 1)
    last[:, -1] = False
    latent = {key: draw(rng, space, rows) for key, space in agent.latent_spaces.items()}
    if latent["deter"].dtype == np.float32:
        latent["deter"] = np.tanh(latent["deter"])
    spaces = {**agent.model.inputs, **agent.act_space}
    data = {key: draw(rng, space, rows, length) for key, space in spaces.items()}
    return Batch(
        obs={key: data[key] for key in agent.model.inputs},
        action={key: data[key] for key in agent.act_space},
        reward=draw(rng, SIGNAL_SPACES["reward"], rows, length),
        is_first=first,
        is_last=last,
        is_terminal=last & (rng.random(last.shape) < 0.5),
        consec=np.zeros(rows, np.int32),
        context=Latent(**latent),
    )
