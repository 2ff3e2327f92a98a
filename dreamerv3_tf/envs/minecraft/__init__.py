"""Minecraft: from an empty inventory to a diamond, after Hafner et al. 2023.

`minecraft_diamond` (or just `minecraft`) pays for twelve milestones, `minecraft_wood`
for logs, `minecraft_climb` for height; `task.py` says it exactly. Below the task runs a
backend: `voxel`, an embedded world that needs nothing else and is *not* Minecraft,
`minerl`, the paper's game, or `craftground`, a modern one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.envs.minecraft.backends import BACKENDS, Name, open_backend
from dreamerv3_tf.envs.minecraft.task import Goal, Minecraft
from dreamerv3_tf.envs.minecraft.vectors import INDEX, MILESTONES
from dreamerv3_tf.envs.wrappers import TimeLimit
from dreamerv3_tf.values import Count, Natural, NonNegative, Number, Positive

DEFAULT: Name = "voxel"


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    backend: Literal["voxel", "minerl", "craftground"] = DEFAULT,
    size: tuple[Count, Count] = (64, 64),
    length: Natural = 36000,
    break_speed: Positive = 100.0,
    sticky_attack: Natural = 30,
    sticky_jump: Natural = 10,
    pitch_limit: tuple[Number, Number] = (-60, 60),
    repeat: Count = 1,
    logs: bool = True,
    fov: Positive = 130.0,
    view: Count = 48,
    gamma: NonNegative = 5.0,
    difficulty: Natural = 2,
    entities: bool = True,
    minerl_python: str = "",
    minerl_options: Mapping[str, Any] = MappingProxyType({}),
    craftground_runtime: str = "",
    craftground_episodes: Natural = 0,
) -> Env:
    """`minecraft_diamond`, `minecraft_wood` or `minecraft_climb`.

    Args:
        name: the goal; none is `diamond`.
        seed: of the worlds, a new one for each episode.
        index: not used.
        backend: the game; `minerl` is the paper's.
        size: height and width of the picture, pixels; the games need a square.
        length: steps after which an episode is cut; 0 sets no limit.
        break_speed: factor on the speed of breaking blocks.
        sticky_attack: steps that an attack holds its key; with a `break_speed` other
            than 1 it never does.
        sticky_jump: steps that a jump holds its keys.
        pitch_limit: how far one may look up and down, degrees, down is positive.
        repeat: ticks of an action.
        logs: log counts of some items, and the milestones.
        fov: voxel and craftground: field of view, degrees.
        view: voxel only: how far one sees, blocks.
        gamma: voxel only: brightness, 5 as in the paper's game.
        difficulty: voxel and craftground: 0 peaceful to 3 hard; the paper's game has 2.
        entities: voxel only: whether animals, monsters and items are in the picture.
        minerl_python: minerl only: interpreter that has MineRL; empty takes our own.
        minerl_options: minerl only: entries of Minecraft's options.txt, by name.
        craftground_runtime: craftground only: folder of its mod; empty takes the
            installed package.
        craftground_episodes: craftground only: episodes in one world, each at another
            place; 0 never leaves it.

    Raises:
        EnvError: unknown name, a setting out of range or not for this backend, or
            something that the backend needs is missing.
    """
    del index
    goal = _goal(name)
    if size[0] != size[1]:
        raise EnvError(f"env.size is {size}, expected a square such as (64, 64).")
    options = {
        "fov": fov,
        "view": view,
        "gamma": gamma,
        "difficulty": difficulty,
        "entities": entities,
        "minerl_python": minerl_python,
        "minerl_options": minerl_options,
        "craftground_runtime": craftground_runtime,
        "craftground_episodes": craftground_episodes,
    }
    game = open_backend(
        backend,
        defaults=_defaults(),
        options=options,
        seed=seed,
        size=size[0],
        break_speed=break_speed,
    )
    task = Minecraft(
        game,
        goal,
        size=size,
        sticky_attack=sticky_attack if break_speed == 1 else 0,
        sticky_jump=sticky_jump,
        pitch_limit=pitch_limit,
        repeat=repeat,
        logs=logs,
    )
    return TimeLimit(task, length)


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `envs.env_facts`."""
    name = settings.get("backend", DEFAULT)
    return {"backend": name, "note": BACKENDS[name].note}


def parallel(settings: Mapping[str, Any]) -> str:
    """How environments run side by side; see `envs.env_parallel`."""
    return BACKENDS[settings.get("backend", DEFAULT)].parallel


def prepare(settings: Mapping[str, Any], notice: Callable[[str], None]) -> None:
    """Compiles the voxel world, where it is asked for and was not compiled before.

    Raises:
        EnvError: it could not be compiled.
    """
    if settings.get("backend", DEFAULT) != "voxel":
        return
    from dreamerv3_tf.envs.minecraft.voxel.compiler import warmup

    if not warmup.ready():
        notice("Compiling the voxel world, once for this machine ...")
        warmup.prepare()


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What the backend needs of this machine; see `hooks.env_requirements`."""
    from dreamerv3_tf.envs.minecraft import needs

    return needs.find(settings.get("backend", DEFAULT), settings)


def legend() -> dict[str, dict[str, int]]:
    """What is written beside the pictures of a report; see `envs.env_legend`."""
    return {"inventory": {name: INDEX[name] for name in MILESTONES}}


def _defaults() -> dict[str, Any]:
    parameters = inspect.signature(make).parameters
    return {key: value.default for key, value in parameters.items()}


def _goal(name: str) -> Goal:
    """The goal that a task names.

    Raises:
        EnvError: it names none.
    """
    for goal in get_args(Goal):
        if goal == (name or "diamond"):
            return goal
    names = ", ".join(f"minecraft_{goal}" for goal in get_args(Goal))
    close = values.nearest(name, get_args(Goal))
    raise EnvError(f"Task 'minecraft_{name}': expected one of {names}.{close}")
