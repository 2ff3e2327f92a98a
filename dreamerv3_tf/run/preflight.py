"""How large a run will be, before it begins."""

from __future__ import annotations

import math

from dreamerv3_tf.agent import convolutions
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.run.build import replay_spaces
from dreamerv3_tf.run.device import Device

PROGRAM, COMPILER = 6 << 27, 3 << 27  # bytes, measured with the debug preset
ESTIMATES = ("train step", "program")


def text(config: Config, device: Device, agent: Agent) -> str:
    """Device, parameters of each part, and memory, as a table."""
    lines = [f"device        {device.title}, {device.precision}, xla {device.xla}", ""]
    counts = parameters(agent)
    for name, count in {**counts, "together": sum(counts.values())}.items():
        lines.append(f"{name:<14}{count:>14,} parameters")
    lines.append("")
    for name, size in memory(config, device, agent).items():
        note = "   estimate, to a factor of two" if name in ESTIMATES else ""
        lines.append(f"{name:<14}{readable(size):>14}{note}")
    return "\n".join(lines)


def parameters(agent: Agent) -> dict[str, int]:
    """Trained numbers by part."""
    return {name: part.count_params() for name, part in agent.trained.items()}


def memory(config: Config, device: Device, agent: Agent) -> dict[str, int]:
    """Bytes by use.

    Parameters, optimizer and replay are exact. A train step is an estimate of what its
    largest tensors need at the same time, the program what TensorFlow and its compiler
    take whatever the size. Peaks measured on a CPU, in GiB, and the sum of all rows but
    the replay: 1m vector 1.4 (1.4), 1m image 1.6 (1.6), 12m image 3.2 (2.8).
    """
    count = sum(parameters(agent).values())
    optimizer = agent.updater.outer.variables
    return {
        "parameters": sum(nbytes(part.weights) for part in agent.parts.values()),
        "optimizer": nbytes(optimizer),
        "gradients": 4 * count,
        "train step": activations(config, agent, device.xla),
        "program": PROGRAM if device.xla == "off" else PROGRAM + COMPILER,
        "replay (disk)": replay_bytes(config, agent, config.replay.capacity),
    }


def replay_bytes(config: Config, agent: Agent, steps: int) -> int:
    """Bytes on disk of a replay that has seen so many steps."""
    step = sum(space.nbytes for space in replay_spaces(agent).values())
    size = step * min(steps, config.replay.capacity)
    return min(size, config.replay.capacity_bytes or size)


def nbytes(variables: list) -> int:
    """Bytes of variables of four bytes an element."""
    return 4 * sum(math.prod(variable.shape) for variable in variables)


def activations(config: Config, agent: Agent, xla: str) -> int:
    """Bytes that the tensors of a train step take, roughly.

    Counts what the backward pass needs: the imagined features and the hidden layers and
    logits of the heads on them; states and gates of the observed sequence; feature maps
    of the convolutions, of some rows at a time where they are outside of XLA.
    """
    section, replay = config.agent, config.replay
    rows = replay.batch_size * replay.batch_length
    starts = replay.batch_size * agent.objective.starts(replay.batch_length)
    imagined = starts * (section.imag_length + 1)
    feat = section.deter + section.stoch * section.classes
    layers = section.actor.layers + 2 * section.critic.layers + section.reward.layers
    heads = 3 * layers * section.units + 6 * section.critic.bins
    observed = 8 * section.deter + 4 * section.stoch * section.classes
    images = rows
    if agent.model.encoder.images and xla == "split":
        shape = (replay.batch_size, replay.batch_length)
        images = replay.batch_length * convolutions.portion(
            {key: (*shape, *x.shape) for key, x in agent.model.encoder.images.items()}
        )
    total = imagined * (2 * feat + heads) + rows * observed + images * pixels(agent)
    return 4 * total


def pixels(agent: Agent) -> int:
    """Numbers in the feature maps that one image leaves for the backward pass."""
    encoder = agent.model.encoder
    if not encoder.images:
        return 0
    height, width = (side << len(encoder.channels) for side in encoder.grid)
    total, area = 0, height * width
    for channels in encoder.channels:
        total += channels * (2 * area + 3 * area // 4)  # conv, pooled, normed
        area //= 4
    return 2 * total  # the decoder mirrors the encoder


def readable(size: float) -> str:
    """Bytes with a unit."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:,.1f} {unit}"
