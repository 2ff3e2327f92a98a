"""Wrappers that change one thing about an environment each.

`wrap` puts these around every environment, from the inside out: NormalizeAction,
UnifyDtypes, CheckSpaces, ClipAction. The others are for suites to use in their `make`.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from dreamerv3_tf.envs.base import Action, Env, Obs, State
from dreamerv3_tf.envs.check_spaces import CheckSpaces
from dreamerv3_tf.envs.wrapper import Wrapper
from dreamerv3_tf.spaces import Space


def wrap(env: Env) -> Env:
    """The environment as the rest of the program expects it.

    Continuous actions reach from -1 to 1, dtypes are float32, int32, uint8 and bool,
    and everything that passes is checked.

    Raises:
        EnvError: the spaces of `env` break the contract.
    """
    return ClipAction(CheckSpaces(UnifyDtypes(NormalizeAction(env))))


class TimeLimit(Wrapper):
    """Ends episodes after `duration` steps: `is_last` is set, `is_terminal` is not.

    An `is_first` in the middle, of a game that was lost, starts the count anew.

    Args:
        env: the environment.
        duration: steps of this wrapper after the reset; 0 sets no limit.
    """

    def __init__(self, env: Env, duration: int):
        super().__init__(env)
        self.duration = duration
        self.count = 0

    def reset(self) -> Obs:
        self.count = 0
        return self.env.reset()

    def step(self, action: Action) -> Obs:
        obs = self.env.step(action)
        self.count = 0 if obs["is_first"] else self.count + 1
        if self.duration and self.count >= self.duration:
            obs = {**obs, "is_last": np.asarray(True)}
        return obs

    def snapshot(self) -> State:
        return super().snapshot() | {"time_limit/count": np.asarray(self.count)}

    def restore(self, state: State) -> None:
        super().restore(state)
        self.count = int(state["time_limit/count"])


class ActionRepeat(Wrapper):
    """Takes each action `repeat` times, stops at `is_last`, and sums the rewards."""

    def __init__(self, env: Env, repeat: int):
        super().__init__(env)
        self.repeat = repeat

    def step(self, action: Action) -> Obs:
        obs = self.env.step(action)
        reward = float(obs["reward"])
        for _ in range(self.repeat - 1):
            if obs["is_last"]:
                break
            obs = self.env.step(action)
            reward += float(obs["reward"])
        return {**obs, "reward": np.asarray(reward, np.float32)}


class NormalizeAction(Wrapper):
    """Lets continuous actions reach from -1 to 1 where both bounds are finite.

    `inner = (a + 1) / 2 · (high - low) + low`, for each element by itself; elements
    without finite bounds pass through as they are.
    """

    def __init__(self, env: Env):
        super().__init__(env)
        self.spaces = dict(env.act_space)
        self.ranges = {}
        for key, space in env.act_space.items():
            if not np.issubdtype(space.dtype, np.floating):
                continue
            lower, upper = np.asarray(space.low), np.asarray(space.high)
            finite = np.isfinite(lower) & np.isfinite(upper)
            low = np.where(finite, lower, -1.0)
            high = np.where(finite, upper, 1.0)
            if (low == -1).all() and (high == 1).all():
                continue  # the map would be the identity
            self.ranges[key] = finite, low, high
            self.spaces[key] = dataclasses.replace(
                space,
                low=np.where(finite, -1.0, lower),
                high=np.where(finite, 1.0, upper),
            )

    @property
    def act_space(self) -> dict[str, Space]:
        return self.spaces

    def step(self, action: Action) -> Obs:
        action = dict(action)
        for key, (finite, low, high) in self.ranges.items():
            value = action[key]
            inner = (value + 1) / 2 * (high - low) + low
            # Rounding may leave the range by a bit.
            inner = np.minimum(np.maximum(inner, low), high)
            inner = np.where(finite, inner, value)
            action[key] = inner.astype(self.env.act_space[key].dtype)
        return self.env.step(action)


class ClipAction(Wrapper):
    """Clips continuous actions to [-1, 1], also where the space inside is unbounded."""

    def __init__(self, env: Env):
        super().__init__(env)
        self.spaces = dict(env.act_space)
        self.keys = []
        for key, space in env.act_space.items():
            if np.issubdtype(space.dtype, np.floating):
                self.keys.append(key)
                self.spaces[key] = dataclasses.replace(space, low=-1.0, high=1.0)

    @property
    def act_space(self) -> dict[str, Space]:
        return self.spaces

    def step(self, action: Action) -> Obs:
        clipped = {k: np.clip(action[k], -1, 1, dtype=np.float32) for k in self.keys}
        return self.env.step({**action, **clipped})


class UnifyDtypes(Wrapper):
    """Floats become float32 and integers int32; uint8 and bool stay.

    Actions are cast back to what the environment inside asks for.
    """

    def __init__(self, env: Env):
        super().__init__(env)
        self.obs_spaces = {key: _unified(s) for key, s in env.obs_space.items()}
        self.act_spaces = {key: _unified(s) for key, s in env.act_space.items()}
        self.casts = {
            key: space.dtype
            for key, space in env.act_space.items()
            if space.dtype != self.act_spaces[key].dtype
        }
        self.dtypes = {key: space.dtype for key, space in self.obs_spaces.items()}

    @property
    def obs_space(self) -> dict[str, Space]:
        return self.obs_spaces

    @property
    def act_space(self) -> dict[str, Space]:
        return self.act_spaces

    def reset(self) -> Obs:
        return self._cast(self.env.reset())

    def step(self, action: Action) -> Obs:
        if self.casts:
            cast = {key: action[key].astype(to) for key, to in self.casts.items()}
            action = {**action, **cast}
        return self._cast(self.env.step(action))

    def _cast(self, obs: Obs) -> Obs:
        for key, dtype in self.dtypes.items():
            value = obs.get(key)
            fits = isinstance(value, np.ndarray | np.generic) and value.dtype == dtype
            if not fits and value is not None:
                obs = {**obs, key: np.asarray(value, dtype)}
        return obs


def _unified(space: Space) -> Space:
    if np.issubdtype(space.dtype, np.floating):
        with np.errstate(over="ignore"):  # the largest float64 becomes infinite
            low = np.asarray(space.low).astype(np.float32)
            high = np.asarray(space.high).astype(np.float32)
        return Space(np.dtype(np.float32), space.shape, low, high)
    if space.dtype in (np.uint8, bool):
        return space
    return dataclasses.replace(space, dtype=np.dtype(np.int32))


class ResizeImage(Wrapper):
    """Brings all pictures to one size.

    Args:
        env: the environment.
        size: height and width in pixels.
        method: a filter of Pillow.
    """

    def __init__(
        self,
        env: Env,
        size: tuple[int, int],
        method: Literal["nearest", "bilinear", "box"] = "nearest",
    ):
        super().__init__(env)
        self.size, self.method = size, method
        self.spaces = dict(env.obs_space)
        self.keys = []
        for key, space in env.obs_space.items():
            if space.image and space.shape[:2] != self.size:
                self.keys.append(key)
                shape = (*self.size, space.shape[2])
                self.spaces[key] = Space(np.dtype(np.uint8), shape)

    @property
    def obs_space(self) -> dict[str, Space]:
        return self.spaces

    def reset(self) -> Obs:
        return self._resized(self.env.reset())

    def step(self, action: Action) -> Obs:
        return self._resized(self.env.step(action))

    def _resized(self, obs: Obs) -> Obs:
        pictures = {k: resize(obs[k], self.size, self.method) for k in self.keys}
        return {**obs, **pictures}


def resize(image: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """A picture uint8 `[H, W, C]`, any number of channels, in another size."""
    from PIL import Image

    resample = Image.Resampling[method.upper()]
    height, width = size
    if image.shape[2] == 3:
        return np.asarray(Image.fromarray(image).resize((width, height), resample))
    planes = [Image.fromarray(image[:, :, c]) for c in range(image.shape[2])]
    resized = [np.asarray(p.resize((width, height), resample)) for p in planes]
    return np.stack(resized, axis=-1)
