"""The contract between an environment and the rest of the program."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol

import numpy as np

from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import FLAGS

Obs = dict[str, np.ndarray]
Action = dict[str, np.ndarray]
State = dict[str, np.ndarray]

RESERVED = ("deter", "stoch", "consec")
"""Names that replay gives to entries of its own."""


class EnvError(Exception):
    """An environment can't be made, or breaks its contract; the text says why."""


class Env(Protocol):
    """One environment; `structs.py` has the timeline of a transition.

    `reset` starts an episode and must come first and after each `is_last`; `step` after
    `is_last` is an error. Returned arrays are never changed afterwards. Seeds are
    arguments of the constructor: same seed, same actions, same observations, in any
    process. Two methods more are optional: `snapshot()` returns all that is needed to
    go on from here as a flat dict of arrays, `restore(state)` goes on from it, in this
    process or another; wrappers pass both through and add their own (`wrapper.py`).

    Where something counts over all episodes of a run, as in `bsuite`, `save_progress()`
    returns it as it was when the last episode ended, and `load_progress(state)` counts
    on from there; `reset` comes next. Checkpoints keep it.

    Attributes:
        obs_space: space of each observation key. Holds `reward` (float32, scalar) and
            the flags `is_first`, `is_last` and `is_terminal` (bool, scalar); keys that
            start with `log/` are for logging and never reach the agent or replay. The
            largest value in an episode of `log/max/NAME` is logged as `episode/NAME`.
        act_space: space of each action key. Where not every class of a discrete action
            is allowed at all times, the observation `ACTION_mask` says which are; see
            `spaces.find_masks`.
    """

    @property
    def obs_space(self) -> dict[str, Space]: ...

    @property
    def act_space(self) -> dict[str, Space]: ...

    def reset(self) -> Obs:
        """First observation of a new episode."""
        ...

    def step(self, action: Action) -> Obs:
        """Observation that follows `action`."""
        ...

    def render(self) -> np.ndarray:
        """Picture of the current state, uint8 `[height, width, 3]`.

        Raises:
            EnvError: the environment has no picture.
        """
        ...

    def close(self) -> None:
        """Frees what the environment holds; calling it twice is fine."""
        ...


def signal_spaces() -> dict[str, Space]:
    """Spaces of the reward and the flags, which every observation has."""
    scalars: dict[str, Space] = {"reward": Space(np.dtype(np.float32))}
    return scalars | {key: Space(np.dtype(bool)) for key in FLAGS}


def signals(
    reward: float = 0.0,
    *,
    first: bool = False,
    last: bool = False,
    terminal: bool = False,
) -> Obs:
    """Reward and flags of one observation, as arrays of the contract's dtypes."""
    return {
        "reward": np.asarray(reward, np.float32),
        "is_first": np.asarray(first, bool),
        "is_last": np.asarray(last, bool),
        "is_terminal": np.asarray(terminal, bool),
    }


def random_action(
    act_space: Mapping[str, Space], obs: Obs, rng: np.random.Generator
) -> Action:
    """A uniformly random action of those that the observation allows.

    Args:
        act_space: spaces of the actions.
        obs: what the environment showed; its masks count, see `spaces.find_masks`.
        rng: random numbers.
    """
    action = {key: space.sample(rng) for key, space in act_space.items()}
    for key, space in act_space.items():
        mask = obs.get(f"{key}_mask")
        if mask is not None and space.discrete:
            scores = np.where(mask, rng.random(np.shape(mask)), -1.0)
            action[key] = np.asarray(scores.argmax(-1), space.dtype)
    return action


def require(module: str, install: str) -> ModuleType:
    """Imports an optional package.

    Raises:
        EnvError: it is missing; the text says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EnvError(
            f"The package '{error.name}' is missing; install it with: "
            f"pip install {install}"
        ) from error


def require_part(package: str, module: str, install: str) -> ModuleType:
    """Imports a module of an optional package, but not the package's own `__init__`.

    For packages whose `__init__` asks for more than the module needs, or changes the
    process. A later `import` of the package runs it as ever.

    Args:
        package: its name.
        module: full name of a module in it.
        install: what to give to pip.

    Raises:
        EnvError: something is missing; the text says what to install.
    """
    if package in sys.modules:
        return require(module, install)
    spec = importlib.util.find_spec(package)
    if spec is None:
        return require(package, install)  # says that it is missing
    bare = sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        return require(module, install)
    finally:
        if sys.modules.get(package) is bare:
            del sys.modules[package]
