"""An environment of ours as a `PyEnvironment` of TF-Agents.

env = make_py_environment("dmc_walker_walk", seed=0)
env = tf_py_environment.TFPyEnvironment(env)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.base import Env, EnvError, Obs, require
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS

INSTALL = "'tf-agents>=0.19,<0.20', on Python 3.11"

py_environment = require("tf_agents.environments.py_environment", INSTALL)
array_spec = require("tf_agents.specs.array_spec", INSTALL)
time_step = require("tf_agents.trajectories.time_step", INSTALL)


def make_py_environment(task: str, *, seed: int, index: int = 0, **settings):
    """An environment of a task as a `PyEnvironment`; arguments as of `envs.make_env`.

    Raises:
        EnvError: as `make_env`.
    """
    return PyEnvironment(make_env(task, seed=seed, index=index, **settings))


class PyEnvironment(py_environment.PyEnvironment):
    """Shows a dict of all inputs; takes one action, or a dict where there are several.

    The reward and the flags become reward, step type and discount: 0 after a real end,
    else `discount`, also after a time limit. Entries for logging are left out. The
    observation `ACTION_mask`, where there is one, is that of `spaces.find_masks`, for
    an `observation_and_action_constraint_splitter`.

    Args:
        env: wrapped as `make_env` gives it. Its seed was an argument when it was made,
            so `seed()` of TF-Agents is not supported.
        discount: of every step but a real end.
    """

    def __init__(self, env: Env, discount: float = 1.0):
        super().__init__(handle_auto_reset=True)  # a step after the last one
        self._env = env
        self._discount = np.asarray(discount, np.float32)
        self._keys = [k for k in env.obs_space if _is_input(k)]
        self._seen = {k: to_spec(env.obs_space[k], k) for k in self._keys}
        actions = {key: to_spec(space, key) for key, space in env.act_space.items()}
        self._single = next(iter(actions)) if len(actions) == 1 else None
        self._chosen = actions[self._single] if self._single else actions

    def observation_spec(self) -> dict[str, Any]:
        return self._seen

    def action_spec(self) -> Any:
        return self._chosen

    def render(self, mode: str = "rgb_array") -> np.ndarray:
        """Picture of the current state, uint8 `[height, width, 3]`.

        Raises:
            EnvError: another mode, or the environment has no picture.
        """
        if mode != "rgb_array":
            raise EnvError(f"render: mode is '{mode}', expected rgb_array.")
        return self._env.render()

    def close(self) -> None:
        self._env.close()

    def _reset(self) -> Any:
        obs = self._env.reset()
        return time_step.restart(self._observation(obs))

    def _step(self, action: Any) -> Any:
        actions = {self._single: action} if self._single else action
        space = self._env.act_space
        obs = self._env.step(
            {key: np.asarray(value, space[key].dtype) for key, value in actions.items()}
        )
        seen, reward = self._observation(obs), obs["reward"]
        if obs["is_terminal"]:
            return time_step.termination(seen, reward)
        if obs["is_last"]:
            return time_step.truncation(seen, reward, self._discount)
        return time_step.transition(seen, reward, self._discount)

    def _observation(self, obs: Obs) -> dict[str, np.ndarray]:
        return {key: np.asarray(obs[key]) for key in self._keys}


def _is_input(key: str) -> bool:
    return key not in SIGNALS and not key.startswith("log/")


def to_spec(space: Space, name: str) -> Any:
    """The spec of TF-Agents for a space; bounds of theirs are inclusive."""
    if space.dtype == bool:
        return array_spec.ArraySpec(space.shape, space.dtype, name)
    low, high = np.asarray(space.low), np.asarray(space.high)
    if space.discrete or space.image:
        high = high - 1
    elif not (np.isfinite(low).any() or np.isfinite(high).any()):
        return array_spec.ArraySpec(space.shape, space.dtype, name)
    ends = low.astype(space.dtype), high.astype(space.dtype)
    with np.errstate(invalid="ignore"):  # of a cast of its own
        return array_spec.BoundedArraySpec(space.shape, space.dtype, *ends, name)
