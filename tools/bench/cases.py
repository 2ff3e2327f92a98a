"""The cases: what is measured, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import agents, loop, programs, scale, storage, worlds
from .stopwatch import Stopwatch
from .voxel import voxel

KINDS: dict[str, Callable[[dict, Stopwatch], Any]] = {
    "train": agents.train,
    "start": programs.start,
    "policy": agents.policy,
    "replay": storage.replay,
    "envs": worlds.envs,
    "loop": loop.loop,
    "voxel": voxel,
    "learning": loop.learning,
    "scale": scale.scale,
}
"""The function of each kind of case."""

ON_REQUEST = ("learning", "scale")
"""Kinds that take long, and are measured where `--only` names them."""
