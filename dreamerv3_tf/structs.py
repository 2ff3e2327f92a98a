"""The tuples that travel between the parts of the program, and the timeline.

Letters of axes, used everywhere: `B` batch, `P` context steps, `T` trained steps, `L` =
`P + T` stored steps, `K` imagination starts per row, `H` horizon, `D` deter, `S` latent
groups, `C` classes of a group, `N` environments.

Timeline. At index `t` the environment shows `obs[t]`, then the agent picks `action[t]`:

    index        0          1          2          3
    obs          o0         o1         o2         o3
    reward       0          r1         r2         r3     r[t] was caused by action[t-1]
    is_first     1          0          0          0
    is_last      0          0          0          1      no action is taken any more
    is_terminal  0          0          0          0/1    1: the value beyond is zero
    action       a0         a1         a2         0      a[t] is chosen after obs[t]
    prevact      0          a0         a1         a2     what the world model reads

An episode of `n` actions is stored as `n + 1` steps; the next episode follows in the
same stream with `is_first`. A time limit sets `is_last` alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any  # a numpy array or a tensor, by the part of the program that holds it

FLAGS = ("is_first", "is_last", "is_terminal")
"""Boolean entries of every observation."""

SIGNALS = ("reward", *FLAGS)
"""Entries of every observation that the encoder never sees."""


class Latent(NamedTuple):
    """State of the world model.

    Attributes:
        deter: recurrent units, compute dtype, `[..., D]`.
        stoch: samples of the categorical latents. Inside the model one-hot, compute
            dtype, `[..., S, C]`; in replay class indices, uint8, `[..., S]`.
    """

    deter: Array
    stoch: Array


class Batch(NamedTuple):
    """Sequences from replay, ready for a train step.

    Attributes:
        obs: inputs of the encoder, `{key: [B, L, ...]}`.
        action: `{key: [B, L, ...]}`; `action[t]` follows `obs[t]`.
        reward: float32 `[B, L]`, reward units.
        is_first: bool `[B, L]`.
        is_last: bool `[B, L]`.
        is_terminal: bool `[B, L]`.
        consec: int32 `[B]`, place of this chunk in its sampled sequence; 0 starts from
            `context`, more goes on from the carry of the previous train step.
        context: stored latents of the last context step, indices as in replay.
    """

    obs: dict[str, Array]
    action: dict[str, Array]
    reward: Array
    is_first: Array
    is_last: Array
    is_terminal: Array
    consec: Array
    context: Latent


class PolicyCarry(NamedTuple):
    """What acting remembers between steps.

    Attributes:
        latent: posterior of the previous step, one-hot stoch, `[N, ...]`.
        action: previous action, `{key: [N, ...]}`, as sampled.
    """

    latent: Latent
    action: dict[str, Array]


class Addresses(NamedTuple):
    """Where sampled sequences lie in replay, so that latents can be written back.

    Attributes:
        row: int64 `[B]`, step number within the stream, of the first trained step.
        stream: int64 `[B]`, which stream.
    """

    row: Array
    stream: Array
