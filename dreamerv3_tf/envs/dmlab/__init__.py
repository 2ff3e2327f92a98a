"""DMLab-30 (Beattie et al. 2016): thirty first-person tasks, four of them with text.

A task is `dmlab_LEVEL`, such as `dmlab_explore_goal_locations_small`. The runtime is
`deepmind_lab`, driven directly, or `dmlab_gym`; neither is in the package index, so
docs/dmlab.md says how to get them. Levels of the group `language` show the instruction
as a vector `instr` (`text.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.dmlab import actions as action_sets
from dreamerv3_tf.envs.dmlab import engine
from dreamerv3_tf.envs.dmlab.levels import find_level, has_instructions
from dreamerv3_tf.envs.dmlab.runtimes import open_runtime
from dreamerv3_tf.envs.dmlab.task import DMLab
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.values import Count

DEFAULT = "native"


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    evaluation: bool = False,
    runtime: Literal["native", "dmlab_gym"] = DEFAULT,
    python: str = "",
    size: tuple[Count, Count] = (64, 64),
    repeat: Count = 4,
    actions: Literal["popart", "impala"] = "popart",
    held_out: bool = True,
    episodic: bool = True,
    renderer: Literal["software", "hardware"] = "software",
    cache: str = "",
) -> Env:
    """One level.

    Args:
        name: of the level; those ending in `_test` are trained on as `_train`.
        seed: of the seeds of episodes.
        index: not used.
        evaluation: whether the environment is for evaluation.
        runtime: `native` is the module `deepmind_lab`, `dmlab_gym` the package of that
            name, which draws every frame and so is slower.
        python: interpreter that has DMLab; empty takes our own, and this process.
        size: height and width of the picture, pixels.
        repeat: frames of an action, of 60 in a second; rewards are summed.
        actions: set of actions: 15 of PopArt (2025 paper), or 9 of IMPALA (2023 paper).
        held_out: evaluate on what training never shows: the `_test` levels, and the
            layouts that the others hold out.
        episodic: whether the end of an episode is terminal, as in the published code;
            levels end by their time limit.
        renderer: `software` is OSMesa, `hardware` EGL or GLX, as DMLab was built.
        cache: native only: folder for compiled maps; empty keeps none. It helps where
            the same seeds come again, and grows without a limit.

    Raises:
        EnvError: unknown level, a setting not for this runtime, or DMLab isn't there.
    """
    del index
    if cache and runtime != "native":
        raise EnvError(
            f"env.cache is '{cache}', but only the runtime 'native' has a cache; leave "
            "it out, or set env.runtime=native."
        )
    level, holds = find_level(name, evaluation and held_out)
    instructions = has_instructions(name)
    config = {"height": str(size[0]), "width": str(size[1]), "logLevel": "WARN"}
    settings = {
        "runtime": runtime,
        "level": level,
        "names": [engine.IMAGE, *([engine.TEXT] if instructions else [])],
        "config": {**config, **holds},
        "renderer": renderer,
        "cache": cache,
    }
    return DMLab(
        open_runtime(python, settings),
        seed=seed,
        size=size,
        repeat=repeat,
        controls=action_sets.table(actions),
        instructions=instructions,
        episodic=episodic,
    )


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `hooks.env_facts`."""
    held_out = str(settings.get("held_out", True)).lower() == "true"
    return {
        "runtime": settings.get("runtime", DEFAULT),
        "evaluation": "on held-out levels; published scores are of training episodes"
        if held_out
        else "on the levels of training, as published scores",
    }


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What the runtime needs of this machine; see `hooks.env_requirements`."""
    from dreamerv3_tf.envs.dmlab import needs

    return needs.find(settings.get("runtime", DEFAULT), settings)
