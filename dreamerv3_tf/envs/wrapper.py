"""The wrapper that changes nothing, and states of environments in mid-episode."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.base import Action, Env, EnvError, Obs, State
from dreamerv3_tf.spaces import Space


class Wrapper:
    """Passes everything on; base of the others.

    A wrapper that remembers something between steps adds it to `snapshot` and takes it
    back in `restore`.
    """

    def __init__(self, env: Env):
        self.env = env

    @property
    def obs_space(self) -> dict[str, Space]:
        return self.env.obs_space

    @property
    def act_space(self) -> dict[str, Space]:
        return self.env.act_space

    def reset(self) -> Obs:
        return self.env.reset()

    def step(self, action: Action) -> Obs:
        return self.env.step(action)

    def render(self) -> np.ndarray:
        return self.env.render()

    def close(self) -> None:
        self.env.close()

    def snapshot(self) -> State:
        return take_snapshot(self.env)

    def restore(self, state: State) -> None:
        give_snapshot(self.env, state)

    def save_progress(self) -> State:
        return take_progress(self.env)

    def load_progress(self, state: State) -> None:
        give_progress(self.env, state)


def take_snapshot(env: Env) -> State:
    """All that an environment remembers; see `base.Env`.

    Raises:
        EnvError: it can't say.
    """
    if not hasattr(env, "snapshot"):
        raise EnvError(
            f"{type(env).__name__} has no snapshot(): its state in the middle of an "
            "episode can't be saved. Begin a new episode instead."
        )
    return env.snapshot()  # type: ignore[attr-defined]  (an optional method)


def give_snapshot(env: Env, state: State) -> None:
    """Lets an environment go on from a snapshot.

    Raises:
        EnvError: it can't.
    """
    if not hasattr(env, "restore"):
        raise EnvError(
            f"{type(env).__name__} has no restore(): it can't go on in the middle of "
            "an episode. Begin a new episode instead."
        )
    env.restore(state)  # type: ignore[attr-defined]  (an optional method)


def take_progress(env: Env) -> State:
    """What an environment keeps over episodes; nothing for most, see `base.Env`."""
    if not hasattr(env, "save_progress"):
        return {}
    return env.save_progress()  # type: ignore[attr-defined]  (an optional method)


def give_progress(env: Env, state: State) -> None:
    """Lets an environment count on from `take_progress`."""
    if state:
        env.load_progress(state)  # type: ignore[attr-defined]  (it gave the state)
