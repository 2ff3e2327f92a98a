"""Lets a policy act in N environments and passes on what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dreamerv3_tf.run.vector import VectorEnv

Arrays = dict[str, np.ndarray]
Policy = Callable[[Any, Arrays, int], tuple[Arrays, Arrays, Any]]
"""`policy(carry, obs, index) -> (action, entries, carry)`; `index` counts the calls."""

OnStep = Callable[[Arrays], object]


class Driver:
    """Steps environments with a policy; the callbacks run while environments work.

    One `step`, where o[t] are the observations of all N environments:

        wait for o[t] → policy → action[t], zero where is_last → send → callbacks(t)

    While the callbacks of index `t` run (the replay stores, the agent trains), the
    environments compute o[t+1] already. The order of everything is fixed, so results
    don't depend on how fast anything is.

    Args:
        envs: the environments; the driver is the only one to step them.
        policy: gets the observations without `log/` keys. `entries` are stored next to
            the transition (the latents); `carry` is handed to the next call.
        on_step: called in this order, each with the transition `{key: [N, ...]}`:
            observation with its `log/` keys, masked action, entries.
        carry: of the first call of the policy.
        index: number of the first call of the policy.
    """

    def __init__(
        self,
        envs: VectorEnv,
        policy: Policy,
        on_step: Sequence[OnStep] = (),
        *,
        carry: Any = None,
        index: int = 0,
    ):
        self.envs = envs
        self.policy = policy
        self.on_step = list(on_step)
        self.carry = carry
        self.index = index

    def step(self) -> Arrays:
        """One step of all environments; returns the transition."""
        obs = self.envs.recv()
        seen = {key: value for key, value in obs.items() if key[:4] != "log/"}
        action, entries, self.carry = self.policy(self.carry, seen, self.index)
        self.index += 1
        action = mask(action, ~obs["is_last"])
        self.envs.send(action)
        transition = {**obs, **action, **entries}
        assert len(transition) == len(obs) + len(action) + len(entries), (
            f"A key is used twice: {sorted(obs)}, {sorted(action)}, {sorted(entries)}"
        )
        for function in self.on_step:
            function(transition)
        return transition


def mask(action: Arrays, keep: np.ndarray) -> Arrays:
    """Actions `{key: [N, ...]}`, zero in the rows where `keep`, bool `[N]`, isn't."""
    masked = {}
    for key, value in action.items():
        rows = keep.reshape(keep.shape + (1,) * (value.ndim - 1))
        masked[key] = np.where(rows, value, np.zeros((), value.dtype))
    return masked
