"""Atari 2600 games (Bellemare et al. 2013) with the protocol of 200M frames.

`atari_pong` and so on, for any game of ale-py; `GAMES` are the 57 of the paper. Sticky
actions, all 18 actions, grey pictures of 96 by 96 pixels, the raw reward, and episodes
that are whole games of at most 108000 frames (half an hour). `atari100k` is the same
environment with other defaults.

The published code marks the end by the limit of frames as terminal. That is a mistake,
as the game would go on, and here it is not: only a game that is over is terminal.

Sources: Machado et al. 2018 for sticky actions; Hafner et al. 2025 and the published
code for the rest.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from typing import Any, Literal

from dreamerv3_tf import envs
from dreamerv3_tf.envs.atari.game import Atari
from dreamerv3_tf.envs.atari.roms import GAMES, INSTALL, load
from dreamerv3_tf.envs.base import Env
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.values import Count, Natural

__all__ = ["GAMES", "changes", "facts", "make", "requirements"]


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 4,
    size: tuple[Count, Count] = (96, 96),
    gray: bool = True,
    sticky: bool = True,
    actions: Literal["all", "needed"] = "all",
    noops: Natural = 30,
    pooling: Count = 2,
    aggregate: Literal["max", "mean"] = "max",
    resize: Literal["bilinear", "box", "nearest"] = "bilinear",
    lives: Literal["unused", "discount", "reset"] = "unused",
    length: Natural = 108000,
    clip_reward: bool = False,
) -> Env:
    """One game.

    Args:
        name: of the game, as in `GAMES`; case, spaces and underscores don't matter.
        seed: of the sticky actions and the no-ops; the games themselves are not random.
        index: not used.
        repeat: frames of an action; rewards are summed.
        size: height and width of the picture, pixels.
        gray: show luminance, one channel, instead of colours.
        sticky: let each frame repeat the action before with probability 0.25.
        actions: all 18 actions (Skiing allows 9), or only those that do something in
            this game.
        noops: a game starts with 0 to this many frames of no action, uniformly.
        pooling: last frames of an action that are shown in one picture, since many
            games draw an object only every other frame.
        aggregate: how they are, elementwise.
        resize: the filter; `bilinear` and `box` take all pixels into account.
        lives: what the loss of a life means that is not the last one. `unused`:
            nothing. `discount`: the episode ends as terminal, and the next one goes on
            with the same game. `reset`: it ends, and the next one is a new game.
        length: frames after which a game is cut, without those of the no-ops; 0 sets
            no limit.
        clip_reward: keep the sign of the reward only.

    Raises:
        EnvError: unknown game, the package is missing, or the file of the game is.
    """
    del index
    emulator = load(name, seed)
    return Atari(
        emulator,
        seed=seed,
        repeat=repeat,
        size=size,
        gray=gray,
        sticky=sticky,
        actions=actions,
        noops=noops,
        pooling=pooling,
        aggregate=aggregate,
        resize=resize,
        lives=lives,
        length=length,
        clip_reward=clip_reward,
    )


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `hooks.env_facts`."""
    return changes("atari", settings)


def changes(suite: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Where settings leave the protocol of the published scores, if they do."""
    known = envs.env_settings(suite)
    given = envs.check_settings(suite, settings)
    changed = [
        f"env.{key}={str(value).lower()}"
        for key, value in sorted(given.items())
        if value != known[key].default
    ]
    if changed:
        return {"protocol": f"not the published one, {', '.join(changed)}"}
    return {}


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What is needed of this machine; see `hooks.env_requirements`."""
    del settings
    there = importlib.util.find_spec("ale_py") is not None
    version = importlib.metadata.version("ale-py") if there else "is not installed"
    advice = f"Install it: pip install {INSTALL}"
    return [Finding("ale-py", there, f"ale-py {version}", advice)]
