"""An environment of the suite as one of ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import Action, Obs, State, require, signal_spaces, signals
from dreamerv3_tf.envs.bsuite import state
from dreamerv3_tf.envs.bsuite.log import Log
from dreamerv3_tf.spaces import Space

SIDE = 192
"""Pixels of the longer side of a picture, about."""


class Behaviour:
    """One configuration; the observation, `[rows, columns]`, is flat.

    The suite's own `Logging` wrapper counts steps, episodes and returns, and decides
    when a row is due. What counts over all episodes outlives a process in
    `save_progress`: it was taken when the last episode ended, so an episode that was
    broken off leaves no trace, and the one that follows begins just as that one did.

    Args:
        env: environment of the package.
        log: gets the rows.
    """

    def __init__(self, env: Any, log: Log):
        wrappers = require("bsuite.utils.wrappers", "bsuite")
        self.log = log
        self.env = wrappers.Logging(env, log)
        spec, actions = env.observation_spec(), env.action_spec()
        self.obs_space = {
            "observation": Space(np.dtype(np.float32), (int(np.prod(spec.shape)),)),
            **signal_spaces(),
        }
        self.act_space = {"action": Space(actions.dtype, (), 0, actions.num_values)}
        self.seen = np.zeros(spec.shape, np.float32)
        self.progress = self._state()

    def reset(self) -> Obs:
        return self._observe(self.env.reset())

    def step(self, action: Action) -> Obs:
        time_step = self.env.step(int(action["action"]))
        if time_step.last():
            self.progress = self._state()
        return self._observe(time_step)

    def render(self) -> np.ndarray:
        """The observation as grey cells: black is the least value, or 0 if less."""
        low, high = min(0.0, self.seen.min()), max(1.0, self.seen.max())
        cells = np.round(255 * (self.seen - low) / (high - low)).astype(np.uint8)
        side = max(SIDE // max(cells.shape), 1)
        grey = cells.repeat(side, axis=0).repeat(side, axis=1)
        return np.stack([grey] * 3, axis=-1)

    def close(self) -> None:
        pass

    def snapshot(self) -> State:
        last = {f"last/{key}": value for key, value in self.progress.items()}
        return self._state() | last | {"seen": self.seen.copy()}

    def restore(self, saved: State) -> None:
        self._go_back(saved)
        self.seen = np.array(saved["seen"], np.float32)
        pairs = [(key.partition("/"), value) for key, value in saved.items()]
        self.progress = {rest: value for (to, _, rest), value in pairs if to == "last"}

    def save_progress(self) -> State:
        return self.progress

    def load_progress(self, saved: State) -> None:
        self._go_back(saved)
        self.progress = dict(saved)

    def _state(self) -> State:
        return state.collect(self.env) | {"rows": self.log.state()}

    def _go_back(self, saved: State) -> None:
        state.give(self.env, saved)
        self.log.restore(saved["rows"])

    def _observe(self, time_step: Any) -> Obs:
        last = bool(time_step.last())
        obs = signals(
            time_step.reward or 0.0,
            first=bool(time_step.first()),
            last=last,
            terminal=last and time_step.discount == 0,
        )
        self.seen = np.array(time_step.observation, np.float32)
        return obs | {"observation": self.seen.reshape(-1)}
