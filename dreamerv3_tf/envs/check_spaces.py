"""The wrapper that checks all that passes between an environment and the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import Action, Env, EnvError, Obs, State
from dreamerv3_tf.envs.contract import space_problems
from dreamerv3_tf.envs.wrapper import Wrapper
from dreamerv3_tf.spaces import Space


class CheckSpaces(Wrapper):
    """Checks each action and observation against its space, and the order of calls.

    Raises:
        EnvError: the spaces break the contract, a value doesn't fit its space, or
            `step` came without the `reset` that is due.
    """

    def __init__(self, env: Env):
        super().__init__(env)
        if problems := space_problems(env):
            raise EnvError(" ".join(problems))
        self.over: str | None = "before the first reset()"
        self.obs_checks = [_Check(key, s) for key, s in env.obs_space.items()]
        self.act_checks = [_Check(key, s) for key, s in env.act_space.items()]

    def reset(self) -> Obs:
        return self._checked(self.env.reset(), "reset()")

    def step(self, action: Action) -> Obs:
        if self.over:
            raise EnvError(f"step() {self.over}; call reset() first.")
        _check_all(self.act_checks, action, "The action")
        return self._checked(self.env.step(action), "step()")

    def snapshot(self) -> State:
        if self.over:
            raise EnvError(f"snapshot() {self.over}: there is no episode to save.")
        return super().snapshot()

    def restore(self, state: State) -> None:
        super().restore(state)
        self.over = None

    def _checked(self, obs: Obs, where: str) -> Obs:
        _check_all(self.obs_checks, obs, f"The observation of {where}")
        if obs["is_terminal"] and not obs["is_last"]:
            raise EnvError(
                f"The observation of {where} is_terminal and not is_last; an episode "
                "that ended for good is over, set both."
            )
        self.over = "after is_last" if obs["is_last"] else None
        return obs


class _Check:
    """Check of one key; the common case takes a fraction of a microsecond.

    Attributes:
        key: the key.
        fits: whether a value surely has the right type, shape and range.
    """

    def __init__(self, key: str, space: Space):
        self.key, self.space = key, space
        # Bounds of all elements; the upper one of a discrete space is exclusive.
        low = space.low.min().item()
        high = space.high.max().item() - space.discrete
        even = low == space.low.max() and space.high.min() == space.high.max()
        if space.image or space.dtype == bool:
            self.fits = _fits_always(space)
        elif not even:
            self.fits = _fits_never
        elif space.shape:
            self.fits = _fits_array(space, low, high)
        else:
            self.fits = _fits_number(space, low, high)

    def problem(self, value) -> str | None:
        if not isinstance(value, np.ndarray | np.generic):
            return f"it is a Python {type(value).__name__}, expected a numpy array"
        return None if self.fits(value) else self.space.problem(value)


Fits = Callable[[Any], bool]
"""Quick check of a numpy array or number; `False` means: look closer."""


def _fits_never(_: Any) -> bool:
    return False


def _fits_always(space: Space) -> Fits:
    dtype, shape = space.dtype, space.shape
    return lambda value: value.dtype == dtype and value.shape == shape


def _fits_number(space: Space, low: float, high: float) -> Fits:
    # Comparisons with NaN are false.
    dtype = space.dtype
    return lambda value: (
        value.dtype == dtype and value.shape == () and low <= value.item() <= high
    )


def _fits_array(space: Space, low: float, high: float) -> Fits:
    # A NaN anywhere makes the extremes NaN. No value is above infinity.
    dtype, shape = space.dtype, space.shape
    least, greatest = np.minimum.reduce, np.maximum.reduce

    def fits(value) -> bool:
        same = value.dtype == dtype and value.shape == shape
        above_low = same and low <= least(value, axis=None)
        return above_low and (high == np.inf or greatest(value, axis=None) <= high)

    return fits


def _check_all(checks: list[_Check], values: dict, what: str) -> None:
    for check in checks:
        value = values.get(check.key)
        if value is None and check.key not in values:
            raise EnvError(f"{what} lacks the key '{check.key}' of its space.")
        if problem := check.problem(value):
            raise EnvError(f"{what} has a bad entry '{check.key}': {problem}.")
    if len(values) != len(checks):
        extra = sorted(set(values) - {check.key for check in checks})
        raise EnvError(f"{what} has keys that its space lacks: {', '.join(extra)}.")
