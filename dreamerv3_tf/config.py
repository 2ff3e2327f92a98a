"""Every setting of the program: type, meaning, unit. The values are in `configs/`.

Fields have no defaults here: `configs/defaults.yaml` names exactly these keys. Units:
"agent steps" are decisions of the agent, after action repeat; "train steps" updates.
Source of the algorithm's settings: Hafner et al. 2025, tables of hyperparameters, and
the code that its authors published; where the two differ the comment says so.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, Literal

from dreamerv3_tf import values
from dreamerv3_tf.values import (
    Bins,
    Bytes,
    Count,
    Fraction,
    Natural,
    NonNegative,
    Percent,
    Positive,
    Unbounded,
)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """From observations to tokens."""

    layers: Count  # hidden layers of the vector part
    mults: tuple[Count, ...]  # channels of each image stage, in multiples of `depth`
    kernel: Count  # width of the convolutions, pixels
    symlog: bool  # squash vector inputs with symlog


@dataclasses.dataclass(frozen=True)
class Decoder:
    """From latents back to observations."""

    layers: Count  # hidden layers of the vector part
    mults: tuple[Count, ...]  # as in the encoder, in the same order
    kernel: Count  # width of the convolutions, pixels
    blocks: Natural  # groups of the first image layer (block-diagonal); 0: dense


@dataclasses.dataclass(frozen=True)
class Reward:
    """Reward head: symexp two-hot."""

    layers: Count  # hidden layers
    bins: Bins  # classes at symexp(-20 ... 20); odd, so that one of them is zero
    outscale: NonNegative  # factor on the initial output weights; 0 predicts 0 at first


@dataclasses.dataclass(frozen=True)
class Cont:
    """Head that predicts whether the episode goes on."""

    layers: Count  # hidden layers
    outscale: NonNegative  # factor on the initial output weights


@dataclasses.dataclass(frozen=True)
class Mask:
    """Head that predicts which actions are allowed, where observations say so."""

    layers: Count  # hidden layers
    outscale: NonNegative  # factor on the initial output weights


@dataclasses.dataclass(frozen=True)
class Actor:
    """Policy head."""

    layers: Count  # hidden layers
    outscale: NonNegative  # factor on the initial output weights
    unimix: Fraction  # uniform share of discrete actions; the published code forgets it
    min_std: Positive  # least standard deviation of continuous actions, range [-1, 1]
    max_std: Positive  # largest one


@dataclasses.dataclass(frozen=True)
class Critic:
    """Value head: symexp two-hot."""

    layers: Count  # hidden layers
    bins: Bins  # as in the reward head
    outscale: NonNegative  # factor on the initial output weights


@dataclasses.dataclass(frozen=True)
class SlowCritic:
    """Moving average of the critic."""

    rate: Fraction  # share of the critic mixed in at an update
    every: Count  # train steps between updates
    regularizer: NonNegative  # weight of the loss that holds the critic to the slow one
    bootstrap: bool  # compute returns with the slow critic; the paper uses the fast one


@dataclasses.dataclass(frozen=True)
class Normalizer:
    """Running offset and scale of a signal."""

    kind: Literal["none", "perc", "meanstd"]  # statistic: none, percentiles, moments
    rate: Fraction  # share of the new batch in the moving average
    limit: Positive  # least scale, so that small signals are not blown up
    low: Percent  # lower percentile
    high: Percent  # upper percentile
    debias: bool  # correct the moving average for its start at zero


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """LaProp: AGC, then RMS, then momentum."""

    lr: NonNegative  # learning rate after the warm-up
    agc: NonNegative  # largest gradient norm, in weight norms; 0: no clipping
    eps: NonNegative  # added to the RMS of the gradient
    beta1: Fraction  # decay of the momentum
    beta2: Fraction  # decay of the squared gradients
    momentum: bool  # use momentum at all
    nesterov: bool  # look ahead by one step of momentum
    weight_decay: NonNegative  # on kernels only, times the learning rate
    schedule: Literal[
        "const", "linear", "cosine"
    ]  # after the warm-up; the two end at lr/10
    warmup: Natural  # train steps of linear warm-up; the first one has learning rate 0
    anneal: Natural  # train steps of the linear and cosine schedules


@dataclasses.dataclass(frozen=True)
class Agent:
    """World model, actor and critic."""

    deter: Count  # recurrent units, a multiple of `blocks`
    hidden: Count  # width of the RSSM's layers
    stoch: Count  # groups of categorical latents
    classes: Count  # classes of a group, at most 256
    blocks: Count  # groups of the block-diagonal GRU
    units: Count  # width of all MLPs
    depth: Count  # channels of the CNNs, times their `mults`
    act: Literal["silu", "relu", "gelu", "none"]  # activation of all nets
    unimix: Fraction  # uniform share of the latents' probabilities
    free_nats: NonNegative  # KL below this many nats is not trained
    dyn_layers: Count  # layers of the GRU before its gates
    prior_layers: Count  # hidden layers of the prior
    post_layers: Count  # hidden layers of the posterior
    encoder: Encoder
    decoder: Decoder
    reward: Reward
    cont: Cont
    mask: Mask
    actor: Actor
    critic: Critic
    slow_critic: SlowCritic
    imag_length: Count  # imagined steps
    imag_last: Natural  # start states of a sequence, its last ones; 0: all of them
    horizon: Positive  # of the discount, agent steps: gamma = 1 - 1 / horizon
    discount_in_cont: bool  # the continue head learns gamma too; returns leave it out
    lam: Fraction  # lambda of the returns
    entropy: NonNegative  # weight of the policy's entropy
    replay_critic: bool  # train the critic on replayed sequences too
    replay_critic_grad: bool  # that loss shapes the latents
    reward_grad: bool  # the reward loss shapes the latents
    actor_critic_grads: bool  # actor and critic losses reach the start states
    return_norm: Normalizer  # of the returns; only its scale is used
    value_norm: Normalizer  # of the critic's targets
    advantage_norm: Normalizer  # of the advantages
    scales: dict[
        str, NonNegative
    ]  # weight of each loss; `rec` is for every observation
    optimizer: Optimizer


@dataclasses.dataclass(frozen=True)
class Compute:
    """Where and how numbers are computed."""

    precision: Literal["auto", "float32", "bfloat16", "float16"]  # auto: 16 bit if fast
    xla: Literal[
        "auto", "full", "split", "off"
    ]  # split: all but convolutions (for CPUs)
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
    context: typing.Annotated[int, values.Range(0, 1)]  # steps before, to warm up from
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
