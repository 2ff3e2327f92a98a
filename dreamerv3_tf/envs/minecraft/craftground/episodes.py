"""How episodes of CraftGround begin: the settings of the world, and chat commands."""

from __future__ import annotations

from typing import Any

import numpy as np

SPREAD = 200  # blocks around the centre within which a place to stand is looked for
FAR = 1_000_000  # blocks; new centres are drawn from -FAR to FAR
MARGIN = 16.0  # blocks; how far beyond the spread a place may be


def settings(size: int, fov: float, view: int, break_speed: float) -> dict[str, Any]:
    """Keyword arguments of CraftGround's `InitialEnvironmentConfig`.

    Its choices among names are left out; `client.py` adds them.

    Args:
        size: height and width of the picture, pixels.
        fov: field of view, degrees.
        view: how far one sees, chunks.
        break_speed: factor on the speed of breaking blocks.
    """
    return {
        "image_width": size,
        "image_height": size,
        "hud_hidden": True,
        "fov": round(fov),
        "no_fov_effect": True,
        "request_raycast": True,
        "render_distance": view,
        "simulation_distance": view,
        "seed": "",  # empty draws one
        "initial_extra_commands": world_commands(break_speed),
    }


def world_commands(break_speed: float) -> list[str]:
    """What makes a world the task's: the break speed, sunrise and fair weather."""
    return [
        f"attribute @p minecraft:player.block_break_speed base set {break_speed:g}",
        "time set 0",
        "weather clear",
    ]


def episode_commands(centre: tuple[int, int], break_speed: float) -> list[str]:
    """What begins an episode in a world that was played in before.

    Args:
        centre: x and z, around which the player is put somewhere on the ground.
        break_speed: factor on the speed of breaking blocks.
    """
    x, z = centre
    return [
        "clear @p",
        "effect clear @p",
        "item replace entity @p enderchest.0 with minecraft:air",
        *world_commands(break_speed),
        f"spreadplayers {x} {z} 0 {SPREAD} false @p",
        "spawnpoint @p",
    ]


def draw_centre(seed: int, episode: int) -> tuple[int, int]:
    """The place where an episode begins, x and z, from the seed of the run."""
    x, z = np.random.default_rng((seed, episode)).integers(-FAR, FAR, 2).tolist()
    return x, z


def arrived(position: np.ndarray, centre: tuple[int, int]) -> bool:
    """Whether the player is where an episode was to begin."""
    away = np.abs(position[[0, 2]] - centre).max()
    return bool(away <= SPREAD + MARGIN)
