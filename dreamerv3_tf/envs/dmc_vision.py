"""DeepMind Control Suite from pictures alone: `dmc_vision_walker_walk`."""

from __future__ import annotations

from dreamerv3_tf.envs import dmc
from dreamerv3_tf.envs.base import Env
from dreamerv3_tf.envs.dmc import facts
from dreamerv3_tf.values import Count

__all__ = ["TASKS", "facts", "make"]

TASKS = tuple(sorted([*dmc.TASKS, "quadruped_run", "quadruped_walk"]))
"""The 20 tasks of the published results."""


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 1,
    size: tuple[Count, Count] = (64, 64),
    camera: int = -1,
    renderer: dmc.Renderer = "auto",
) -> Env:
    """As `dmc.make`, with `image` for the only observation.

    Raises:
        EnvError: unknown task, or no renderer for the pictures.
    """
    return dmc.make(
        name,
        seed=seed,
        index=index,
        repeat=repeat,
        size=size,
        camera=camera,
        image=True,
        proprio=False,
        renderer=renderer,
    )
