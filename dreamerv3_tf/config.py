"""Every setting of the program: type, meaning, unit. The values are in `configs/`.

Fields have no defaults here: `configs/defaults.yaml` names exactly these keys. Units:
"agent steps" are decisions of the agent, after action repeat; "train steps" updates.
The section `agent` is in `agent_config.py`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, Literal

from dreamerv3_tf import values
from dreamerv3_tf.agent_config import Agent
from dreamerv3_tf.values import (
    Bytes,
    Count,
    Fraction,
    Natural,
    NonNegative,
    Positive,
    Unbounded,
)


@dataclasses.dataclass(frozen=True)
class Compute:
    """Where and how numbers are computed."""

    precision: Literal["auto", "float32", "bfloat16", "float16"]  # auto: 16 bit if fast
    half: Literal["bfloat16", "float16"]  # which 16 bits those are; loss scale: float16
    xla: Literal[
        "auto", "full", "split", "off"
    ]  # split: gradients but for convolutions (for CPUs)
    device: Literal["auto", "cpu", "gpu"]  # auto: the accelerator where there is one
    threads: Natural  # of TensorFlow on the CPU; 0: as many as there are cores
    deterministic: bool  # same seed, same numbers, bit by bit


@dataclasses.dataclass(frozen=True)
class Priority:
    """Prioritised sampling."""

    exponent: NonNegative  # priority is signal ** exponent
    max_fraction: Fraction  # of the largest step in a sequence's priority, rest is mean
    initial: Unbounded  # priority of new steps
    zero_on_sample: bool  # a sampled step has priority 0 until it is updated


@dataclasses.dataclass(frozen=True)
class Replay:
    """Stored steps and how they are drawn."""

    capacity: Count  # start positions of sequences
    capacity_bytes: Bytes  # disk space instead, as in 20GB; 0: only `capacity` counts
    batch_size: Count  # sequences of a batch
    batch_length: Count  # trained steps of a sequence
    context: typing.Annotated[
        int, values.Range(0, 1)
    ]  # steps before, whose stored latents begin a sequence; 0: each begins an episode
    online: bool  # every fresh sequence is drawn once, before the others
    mixture: dict[str, Fraction]  # share of each way of sampling; together 1
    recency_exponent: NonNegative  # weight of a sequence is age ** -exponent
    priority: Priority
    deter_bytes: Literal["auto", 2, 4]  # of a stored unit; auto: as in `precision`


@dataclasses.dataclass(frozen=True)
class Run:
    """The loop."""

    steps: Count  # agent steps of the run, over all environments
    train_ratio: Positive  # replayed steps per agent step
    envs: Count  # training environments
    eval_envs: Count  # evaluation environments
    prefill: Count  # start positions in the replay before training begins
    prefill_policy: Literal["agent", "random"]  # who acts until then
    parallel: Literal[
        "auto", "process", "thread", "none"
    ]  # how environments run side by side; auto: as suits the suite


@dataclasses.dataclass(frozen=True)
class Log:
    """What is written, and when."""

    every: Positive  # seconds between metrics
    report_every: Positive  # seconds between open-loop reports
    save_every: Positive  # seconds between checkpoints
    keep: Count  # checkpoints that stay
    video: bool  # write videos of reports and episodes
    outputs: tuple[Literal["terminal", "jsonl", "tensorboard"], ...]  # where it goes
    report_batches: Natural  # batches of a report
    report_length: typing.Annotated[int, values.Range(2)]  # steps of its sequences


@dataclasses.dataclass(frozen=True)
class Eval:
    """Evaluation: `--mode eval` and the evaluations of `--mode train_eval`."""

    episodes: Count  # of an evaluation
    every: Count  # agent steps between evaluations in train_eval
    mode: Literal[
        "sample", "mode"
    ]  # sample actions (as the paper does) or take the mode
    video: bool  # write a video of the episodes


@dataclasses.dataclass(frozen=True)
class Export:
    """`--mode export`."""

    mode: Literal["sample", "mode"]  # what the default signature of the policy does
    tf_agents: bool  # also write it as a policy of TF-Agents, beside the other


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run.

    Attributes:
        sources: file or flag that set each key, by its full name `section.key`.
    """

    task: str  # suite_name, such as dmc_walker_walk
    seed: Natural  # of everything random
    size: str  # name of a size file, or custom; never auto once loaded
    paper_size: (
        str  # size of the paper for this task; `auto` takes it on an accelerator
    )
    cpu_size: str  # size that `auto` takes on a CPU
    agent: Agent
    compute: Compute
    replay: Replay
    run: Run
    env: dict[str, Any]  # arguments of the suite's `make`, checked against them there
    log: Log
    eval: Eval
    export: Export
    sources: Mapping[str, str] = dataclasses.field(compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Nested dict of all values, without the sources."""
        tree = dataclasses.asdict(dataclasses.replace(self, sources={}))
        del tree["sources"]
        return tree

    def flatten(self) -> dict[str, Any]:
        """Values by their full names: `{"agent.encoder.kernel": 5, ...}`."""
        return dict(walk(self.to_dict()))

    def to_yaml(self, sources: bool = False) -> str:
        """The configuration as a file that can be loaded again.

        Args:
            sources: end each line with a comment that tells who set the value.
        """
        lines = list(self._lines(self.to_dict(), "", sources))
        return "\n".join(lines) + "\n"

    def _lines(self, tree: dict, prefix: str, sources: bool):
        indent = "  " * prefix.count(".")
        for name, value in tree.items():
            if isinstance(value, dict) and value:
                yield f"{indent}{name}:"
                yield from self._lines(value, f"{prefix}{name}.", sources)
                continue
            line = f"{indent}{name}: {values.to_text(value)}"
            source = self.sources.get(prefix + name) if sources else None
            yield f"{line:<40}  # {source}" if source else line


def walk(tree: Mapping[str, Any], prefix: str = ""):
    """Pairs of full name and value of all leaves."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from walk(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
