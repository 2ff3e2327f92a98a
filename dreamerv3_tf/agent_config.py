"""The settings of the algorithm: the section `agent` of the configuration.

The values are in `configs/`. Source: Hafner et al. 2025 (`configs/paper2025.yaml`) and
2023 (`configs/paper2023.yaml`), tables of hyperparameters, and the code that the
authors published; where they differ the comment says so.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from dreamerv3_tf.values import (
    Bins,
    Count,
    Fraction,
    Natural,
    NonNegative,
    Percent,
    Positive,
)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """From observations to tokens."""

    layers: Count  # hidden layers of the vector part
    units: Natural  # their width; 0: `agent.units`
    mults: tuple[Count, ...]  # channels of each image stage, in multiples of `depth`
    kernel: Count  # width of the convolutions, pixels
    symlog: bool  # squash vector inputs with symlog


@dataclasses.dataclass(frozen=True)
class Decoder:
    """From latents back to observations."""

    layers: Count  # hidden layers of the vector part
    units: Natural  # their width; 0: `agent.units`
    mults: tuple[Count, ...]  # as in the encoder, in the same order
    kernel: Count  # width of the convolutions, pixels
    blocks: Natural  # groups of the first image layer (block-diagonal); 0: dense
    grid_norm: bool  # norm and activation behind that layer
    output: Literal["sigmoid", "linear"]  # of images; linear: the last layer plus 0.5
    tolerance: NonNegative  # squared errors of vectors below this count as zero
    symlog: bool  # predict continuous vectors in symlog units


@dataclasses.dataclass(frozen=True)
class Reward:
    """Reward head, see `agent.bins`."""

    layers: Count  # hidden layers
    bins: Bins  # classes if two-hot; odd, so that one of them is zero
    outscale: NonNegative  # scale of the initial output weights; 0 predicts 0 at first


@dataclasses.dataclass(frozen=True)
class Cont:
    """Head that predicts whether the episode goes on."""

    layers: Count  # hidden layers
    outscale: NonNegative  # scale of the initial output weights, see `out_init`


@dataclasses.dataclass(frozen=True)
class Mask:
    """Head that predicts which actions are allowed, where observations say so."""

    layers: Count  # hidden layers
    outscale: NonNegative  # scale of the initial output weights, see `out_init`


@dataclasses.dataclass(frozen=True)
class Actor:
    """Policy head."""

    layers: Count  # hidden layers
    outscale: NonNegative  # scale of the initial output weights, see `out_init`
    unimix: Fraction  # uniform share of discrete actions; the published code forgets it
    min_std: Positive  # least standard deviation of continuous actions, range [-1, 1]
    max_std: Positive  # largest one


@dataclasses.dataclass(frozen=True)
class Critic:
    """Value head, see `agent.bins`."""

    layers: Count  # hidden layers
    bins: Bins  # as in the reward head
    outscale: NonNegative  # scale of the initial output weights, see `out_init`


@dataclasses.dataclass(frozen=True)
class SlowCritic:
    """Moving average of the critic."""

    first: Fraction  # share of the critic mixed in at the first update
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
    """What trains all weights, or those of the world model; see `agent.updates`.

    `laprop`: AGC, then RMS, then momentum. `adam`: RMS and momentum at the same time.
    """

    kind: Literal["laprop", "adam"]  # order of RMS and momentum
    lr: NonNegative  # learning rate after the warm-up
    agc: NonNegative  # largest gradient norm, in weight norms; 0: no clipping
    clip: NonNegative  # largest norm of all gradients together; 0: no clipping
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
    max_loss_scale: Positive  # bound of the factor on the loss, with float16 only


@dataclasses.dataclass(frozen=True)
class PartOptimizer:
    """What actor and critic have different from `agent.optimizer`, updated in turn."""

    lr: NonNegative  # learning rate after the warm-up
    clip: NonNegative  # largest norm of all gradients together; 0: no clipping
    eps: NonNegative  # added to the RMS of the gradient


@dataclasses.dataclass(frozen=True)
class Agent:
    """World model, actor and critic."""

    deter: Count  # recurrent units; `cell` block: a multiple of `blocks`
    hidden: Count  # width of the RSSM's layers
    stoch: Count  # groups of categorical latents
    classes: Count  # classes of a group, at most 256
    blocks: Count  # groups of the block-diagonal GRU; `cell` dense has none
    units: Count  # width of all MLPs
    depth: Count  # channels of the CNNs, times their `mults`
    act: Literal["silu", "relu", "gelu", "none"]  # activation of all nets
    norm: Literal["rms", "layer"]  # norm of all nets: scale only, or mean and shift too
    norm_eps: Positive  # added to the variance
    norm_bias: bool  # layers in front of a norm have a bias
    init: Literal[
        "fan_in", "fan_avg"
    ]  # hidden kernels: normal, variance 1 / inputs or 2 / (inputs + outputs)
    out_init: Literal[
        "fan_in", "fan_avg", "uniform_avg"
    ]  # output kernels; outscale: of the weights for fan_in, else of the variance
    cell: Literal["block", "dense"]  # GRU: block-diagonal, or dense with normed gates
    initial: Literal["zeros", "learned"]  # state at the start of an episode
    image_net: Literal["pool", "stride"]  # pooling and upsampling, or strided convs
    bins: Literal[
        "symexp", "symlog", "symlog_mse", "mse", "huber"
    ]  # rewards, values: two-hot, linear in value or symlog; or a number, by distance
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
    first_cont: Literal["predicted", "replayed"]  # whether start states are terminal
    imagined_cont: Literal["soft", "hard"]  # going on: a probability, or yes or no
    lam: Fraction  # lambda of the returns
    actor_gradient: Literal[
        "reinforce", "dynamics"
    ]  # of continuous actions: by their probability, or through the world model
    entropy: NonNegative  # weight of the policy's entropy
    replay_critic: bool  # train the critic on replayed sequences too
    replay_critic_grad: bool  # that loss shapes the latents
    reward_grad: bool  # the reward loss shapes the latents
    rec_grad: bool  # the losses of the observations shape the latents
    actor_critic_grads: bool  # actor and critic losses reach the start states
    return_norm: Normalizer  # of the returns; only its scale is used
    value_norm: Normalizer  # of the critic's targets
    advantage_norm: Normalizer  # of the advantages
    scales: dict[
        str, NonNegative
    ]  # weight of each loss; `rec` is for every observation
    updates: Literal[
        "together", "in_turn"
    ]  # one of all weights, or first the world model and then actor and critic
    optimizer: Optimizer  # of all weights, or of the world model
    actor_optimizer: PartOptimizer  # of the actor, in turn
    critic_optimizer: PartOptimizer  # of the critic, in turn
