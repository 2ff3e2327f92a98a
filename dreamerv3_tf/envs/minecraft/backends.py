"""Which game runs below the task."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft.backend import Backend

Name = Literal["voxel", "minerl", "craftground"]


class Entry(NamedTuple):
    """What there is to know about a backend before it is made.

    Attributes:
        module: where it is, below this package.
        kind: name of the class there.
        parallel: how several of them run side by side, a value of `run.parallel`.
        note: what must stand beside each of its scores.
        options: settings that this backend has and some other one has not.
    """

    module: str
    kind: str
    parallel: str
    note: str
    options: tuple[str, ...] = ()


BACKENDS: dict[str, Entry] = {
    "voxel": Entry(
        "voxel.sim",
        "VoxelBackend",
        # Compiled code runs without the interpreter's lock: measured faster than
        # processes, which copy every observation, and 150 MB a process cheaper.
        "thread",
        "an embedded world of our own: its scores are not Minecraft scores",
        ("fov", "view", "gamma", "difficulty", "entities"),
    ),
    "minerl": Entry(
        "minerl.backend",
        "MineRLBackend",
        "process",
        "Minecraft 1.11.2 by MineRL 0.4.4, as in the paper",
        ("minerl_python", "minerl_options"),
    ),
    "craftground": Entry(
        "craftground.backend",
        "CraftGroundBackend",
        "process",
        "Minecraft 1.21 by CraftGround: its scores are not those of MineRL",
        ("fov", "difficulty", "craftground_runtime", "craftground_episodes"),
    ),
}


def open_backend(
    name: Name, *, defaults: Mapping[str, Any], options: Mapping[str, Any], **common
) -> Backend:
    """A backend.

    Args:
        name: which.
        defaults: values of all `options` that nobody has set.
        options: settings that not every backend has.
        **common: settings of all backends.

    Raises:
        EnvError: something it needs is missing, or a setting is not for it.
    """
    entry = BACKENDS[name]
    for key, value in options.items():
        if key not in entry.options and value != defaults[key]:
            owners = [other for other, e in BACKENDS.items() if key in e.options]
            raise EnvError(
                f"env.{key} is {value!r}, but that is a setting of the backend "
                f"{' and '.join(owners)}, not of '{name}'; leave it out."
            )
    module = importlib.import_module(f"{__package__}.{entry.module}")
    own = {key: value for key, value in options.items() if key in entry.options}
    return getattr(module, entry.kind)(**common, **own)
