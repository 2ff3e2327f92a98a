"""Environments of other libraries as ours; none of those libraries is imported here.

`obs_space`, `act_space`              one of ours, returned as it is
`gymnasium.Env`                       `gymnasium.py`
`dm_env.Environment`, TF-Agents       `time_steps.py`
"""

from __future__ import annotations

import sys
from typing import Any

from dreamerv3_tf.envs.adapters.gymnasium import Gymnasium
from dreamerv3_tf.envs.adapters.masks import Source
from dreamerv3_tf.envs.adapters.time_steps import TimeSteps
from dreamerv3_tf.envs.base import Env, EnvError

__all__ = ["Gymnasium", "Source", "TimeSteps", "adapt", "is_env"]

OURS = ("obs_space", "act_space", "reset", "step")
GYMNASIUM = ("observation_space", "action_space", "reset", "step")
TIME_STEPS = ("observation_spec", "action_spec", "reset", "step")


def adapt(env: Any, seed: int = 0, *, mask: Source = "auto", limit: float = 1.0) -> Env:
    """Any environment as one of ours, as the `make` of a suite gives it.

    `envs.wrap` does the rest: actions from -1 to 1, dtypes, and checks.

    Args:
        env: of ours, gymnasium, dm_env or TF-Agents.
        seed: of its first episode, where it can be seeded after it was made.
        mask: `auto` takes a fitting observation `action_mask` as the mask of the
            action, `info` the `action_mask` of every info, `off` none.
        limit: bound of actions that have none of their own.

    Raises:
        EnvError: it is none of these, or something in it has no counterpart here.
    """
    if _has(env, OURS):
        return env
    if reason := _refused(env):
        raise EnvError(f"{_name(env)} can't be used: {reason}")
    if _has(env, TIME_STEPS):
        return TimeSteps(env, seed, mask, limit)
    if _has(env, GYMNASIUM):
        return Gymnasium(env, seed, mask, limit)
    raise EnvError(
        f"{_name(env)} is no environment that is known here; expected one of "
        "gymnasium, dm_env or TF-Agents, or an object with obs_space, act_space, "
        "reset and step (dreamerv3_tf/envs/base.py)."
    )


def is_env(env: Any) -> bool:
    """Whether it is an environment, rather than what makes one."""
    kinds = (OURS, GYMNASIUM, TIME_STEPS)
    return not isinstance(env, type) and any(_has(env, kind) for kind in kinds)


def _has(env: Any, names: tuple[str, ...]) -> bool:
    return not isinstance(env, type) and all(hasattr(env, name) for name in names)


def _name(env: Any) -> str:
    if isinstance(env, type) or callable(env) and not is_env(env):
        return f"The function or class {getattr(env, '__name__', env)}"
    return f"The {type(env).__name__}"


def _refused(env: Any) -> str:
    """Why something that looks like an environment is not one for us."""
    if isinstance(env, type) or (callable(env) and not is_env(env)):
        return "call it, and give what it returns."
    if hasattr(env, "possible_agents"):
        return "it has several agents; wrap it into a gymnasium.Env for one of them."
    if hasattr(env, "num_envs"):
        return (
            "it is a vector of environments; give the function that makes a single "
            "one, run.envs says how many there are."
        )
    if _is(env, "tf_agents.environments.tf_environment", "TFEnvironment"):
        return "it works on tensors; give the PyEnvironment inside."
    if _is(env, "gym", "Env") and not _is(env, "gymnasium", "Env"):
        return (
            "it is of the old package gym, whose step() has other results; port it to "
            "gymnasium, or use gymnasium.make('GymV21Environment-v0', env=...) of the "
            "package shimmy."
        )
    return ""


def _is(env: Any, module: str, name: str) -> bool:
    """Whether it is of a class of a module, without importing the module."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(env, getattr(loaded, name))
