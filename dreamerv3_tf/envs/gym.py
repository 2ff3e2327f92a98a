"""Any environment of gymnasium: `gym_CartPole-v1`, or `gym_my_module:MyEnv-v0`.

`adapters/` says what becomes of its spaces, its time limit and its masks.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dreamerv3_tf.envs import gl
from dreamerv3_tf.envs.adapters import Gymnasium, Source
from dreamerv3_tf.envs.base import Env, EnvError, require
from dreamerv3_tf.envs.wrappers import ActionRepeat, ResizeImage
from dreamerv3_tf.values import Count, Natural, Positive


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 1,
    size: tuple[Count, ...] = (),
    length: Natural = 0,
    mask: Source = "auto",
    limit: Positive = 1.0,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Env:
    """One environment by its id.

    Args:
        name: id, as `gymnasium.make` takes it; `module:id` imports the module first.
        seed: of the first reset; later episodes go on from there.
        index: not used.
        repeat: how often each action is taken; rewards are summed.
        size: height and width that pictures are resized to; empty leaves them.
        length: steps after which an episode is cut; 0 takes the limit of the id.
        mask: where masks of actions come from: `auto`, a fitting observation
            `action_mask`; `info`, the `action_mask` of every info; `off`, nowhere.
        limit: bound of actions that have none of their own.
        options: keyword arguments of the environment itself.

    Raises:
        EnvError: no such id, something is not installed, or a space has no counterpart.
    """
    del index
    if len(size) not in (0, 2):
        raise EnvError(f"env.size of 'gym' is {size}, expected height and width.")
    gymnasium = require("gymnasium", "gymnasium")
    cut = {"max_episode_steps": length} if length else {}
    try:
        with gl.renderer(needed=False):
            module, _, name_there = name.rpartition(":")
            if module:
                importlib.import_module(module)  # registers its environments
            spec = gymnasium.spec(name_there)
            arguments = {**_render_mode(gymnasium, spec), **cut, **options}
            env = gymnasium.make(name_there, disable_env_checker=True, **arguments)
    except (gymnasium.error.Error, ImportError, TypeError) as error:
        text = " ".join(str(error).split())
        raise EnvError(f"Task 'gym_{name}': {type(error).__name__}: {text}") from error
    result: Env = Gymnasium(env, seed, mask, limit)
    result = ActionRepeat(result, repeat) if repeat > 1 else result
    return ResizeImage(result, (size[0], size[1]), "box") if size else result


def _render_mode(gymnasium: Any, spec: Any) -> dict[str, str]:
    """Asks for pictures where the environment offers them; most cost nothing so."""
    creator = spec.entry_point
    if isinstance(creator, str):
        creator = gymnasium.envs.registration.load_env_creator(creator)
    modes = (getattr(creator, "metadata", None) or {}).get("render_modes") or ()
    return {"render_mode": "rgb_array"} if "rgb_array" in modes else {}
