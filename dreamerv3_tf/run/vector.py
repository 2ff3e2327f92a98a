"""N environments that step together: the protocol, and the simple way to do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from dreamerv3_tf.envs.base import Action, Env, EnvError, Obs, State
from dreamerv3_tf.envs.wrapper import give_progress, take_progress
from dreamerv3_tf.spaces import Space

Spaces = dict[str, Space]
MakeEnv = Callable[..., Env]
"""Called as `make(index=i)`."""


class WorkerError(EnvError):
    """An environment failed in a step, or its process died."""


class VectorEnv(Protocol):
    """N environments; `recv` and `send` alternate, beginning with `recv`.

    The first `recv` gives the observations of the first reset. Afterwards each
    environment takes the action that was sent, or is reset if its last observation was
    `is_last` (its action is then ignored).

    Attributes:
        num: N.
        obs_space: spaces of one observation, `log/` keys included.
        act_space: spaces of one action.
    """

    num: int
    obs_space: Spaces
    act_space: Spaces

    def recv(self) -> Obs:
        """Waits for all environments; `{key: [N, ...]}`, arrays of the caller's own.

        Raises:
            WorkerError: an environment failed; all are closed by then.
        """
        ...

    def send(self, action: Action) -> None:
        """Starts the next step with actions `{key: [N, ...]}`; does not wait."""
        ...

    def render(self, index: int) -> np.ndarray:
        """Picture of one environment, uint8 `[H, W, 3]`, after what was sent last.

        Raises:
            EnvError: it has no picture; it goes on stepping all the same.
        """
        ...

    def close(self) -> None:
        """Ends all environments and their processes; calling it twice is fine."""
        ...


class LocalEnvs:
    """All environments in this process, one after the other; see `VectorEnv`."""

    def __init__(self, make: MakeEnv, num: int, name: str = "environment"):
        self.num, self.name = num, name
        self._count = 0
        self._envs: list[Episodic] = []
        self._action: Action | None = None
        self._waiting = True
        for index in range(num):
            try:
                self._envs.append(Episodic(make(index=index)))
            except EnvError:
                self.close()
                raise
            except Exception as error:
                self.close()
                text = f"{label(index, name)} could not be made: {error}"
                raise WorkerError(text) from error
        self.obs_space = self._envs[0].env.obs_space
        self.act_space = self._envs[0].env.act_space

    def recv(self) -> Obs:
        assert self._waiting, "recv() needs a send() before it."
        self._waiting = False
        self._count += 1
        rows = []
        for index, env in enumerate(self._envs):
            action = {k: v[index].copy() for k, v in (self._action or {}).items()}
            try:
                rows.append(env.advance(action))
            except Exception as error:
                self.close()
                where = failure(index, self.name, self._count, action)
                raise WorkerError(f"{where}: {error}") from error
        return {key: np.stack([row[key] for row in rows]) for key in self.obs_space}

    def send(self, action: Action) -> None:
        assert not self._waiting, "send() needs a recv() before it."
        check_actions(self.act_space, self.num, action)
        self._action = {key: value.copy() for key, value in action.items()}
        self._waiting = True

    def render(self, index: int) -> np.ndarray:
        return self._envs[index].env.render()

    def save_progress(self) -> list[State]:
        """What each environment keeps over episodes, nothing for most; see `Env`."""
        return [take_progress(env.env) for env in self._envs]

    def load_progress(self, states: list[State]) -> None:
        """Lets environments that were just made count on from `save_progress`."""
        for env, state in zip(self._envs, states, strict=True):
            give_progress(env.env, state)

    def close(self) -> None:
        for env in self._envs:
            env.env.close()
        self._envs = []


class Episodic:
    """An environment that is reset by itself when an episode is over."""

    def __init__(self, env: Env):
        self.env = env
        self.over = True

    def advance(self, action: Action) -> Obs:
        obs = self.env.reset() if self.over else self.env.step(action)
        self.over = bool(obs["is_last"])
        return obs


def label(index: int, name: str) -> str:
    """What an environment is called in messages."""
    return f"Environment {index} ({name})"


def failure(index: int, name: str, count: int, action: Action) -> str:
    """Where a step failed: the beginning of an error message."""
    shown = ", ".join(f"{k}={np.asarray(v).tolist()}" for k, v in action.items())
    after = f" after the action {shown}" if shown else ""
    return f"{label(index, name)} failed in step {count}{after}"


def check_actions(spaces: Spaces, num: int, action: Action) -> None:
    """Asserts that actions have the keys, dtypes and shapes of the spaces."""
    assert set(action) == set(spaces), (sorted(action), sorted(spaces))
    for key, space in spaces.items():
        found = action[key].dtype, action[key].shape
        assert found == (space.dtype, (num, *space.shape)), (key, found, space, num)


def require_same_spaces(spaces: list[tuple[Spaces, Spaces]], name: str) -> None:
    """Makes sure that all environments have the spaces of the first one.

    Args:
        spaces: of observations and actions, by environment.
        name: what the environments are called in messages.

    Raises:
        EnvError: one of them has not.
    """
    for index, other in enumerate(spaces):
        if _facts(other) != _facts(spaces[0]):
            raise EnvError(
                f"{label(index, name)} has other spaces than environment 0: "
                f"{other} instead of {spaces[0]}."
            )


def _facts(spaces: tuple[Spaces, Spaces]) -> list:
    """What must be the same for all environments."""
    return [
        (key, s.dtype, s.shape, np.asarray(s.low).tolist(), np.asarray(s.high).tolist())
        for both in spaces
        for key, s in both.items()
    ]


class TimedEnvs:
    """Environments whose waiting time is measured, as section `environment`.

    Args:
        envs: the environments.
        timer: called with the name of a section, a context manager.
    """

    def __init__(self, envs: VectorEnv, timer: Callable):
        self.envs, self.timer = envs, timer
        self.num = envs.num
        self.obs_space, self.act_space = envs.obs_space, envs.act_space

    def recv(self) -> Obs:
        """See `VectorEnv`."""
        with self.timer("environment"):
            return self.envs.recv()

    def send(self, action: Action) -> None:
        """See `VectorEnv`."""
        with self.timer("environment"):
            self.envs.send(action)

    def render(self, index: int) -> np.ndarray:
        """See `VectorEnv`."""
        return self.envs.render(index)

    def close(self) -> None:
        """See `VectorEnv`."""
        self.envs.close()
