"""Episodes of the oracle, and what there is to say about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs import minecraft
from dreamerv3_tf.envs.base import Env, Obs
from dreamerv3_tf.envs.minecraft.vectors import MILESTONES
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.oracle.oracle import Oracle, find_task

LIMIT = 6000  # steps of an episode

Watch = Callable[[Env, int, Mapping[str, int]], None]
"""Called after the reset and each step: the environment, the number of steps, and the
step of each milestone so far."""


class Story(NamedTuple):
    """What happened in an episode.

    Attributes:
        seed: of the environment.
        score: sum of rewards.
        steps: taken, until the diamond, death, or the limit.
        milestones: step at which each was reached, in their order.
        again: rewards of a milestone's size that came without a new milestone.
        hurt: whether life was lost, at any time.
        reason: of the failure; empty with a diamond.
    """

    seed: int
    score: float
    steps: int
    milestones: dict[str, int]
    again: int
    hurt: bool
    reason: str

    @property
    def has_diamond(self) -> bool:
        return "diamond" in self.milestones


class NoPictures:
    """Stands in for the renderer where nobody looks, which saves most of the time."""

    def __init__(self, size: int):
        self.blank = np.zeros((size, size, 3), np.uint8)

    def image(self, state: st.State) -> np.ndarray:
        """A black picture."""
        del state
        return self.blank


def play(
    seed: int, *, limit: int = LIMIT, pictures: bool = False, watch: Watch | None = None
) -> Story:
    """Plays one episode with the oracle.

    Args:
        seed: of the environment; the episode is its first one.
        limit: most steps.
        pictures: whether observations have pictures, or black ones.
        watch: is told of everything.
    """
    env = minecraft.make("diamond", seed=seed)
    task = find_task(env)
    if not pictures:
        size = task.obs_space["image"].shape[0]
        task.backend.renderer = NoPictures(size)  # type: ignore[attr-defined]
    oracle, obs = Oracle(env), env.reset()
    milestones: dict[str, int] = {}
    score, step, again, hurt = 0.0, 0, 0, False
    while step < limit and not obs["is_last"] and "diamond" not in milestones:
        if watch:
            watch(env, step, milestones)
        obs = env.step({"action": np.asarray(oracle.act(obs), np.int32)})
        step += 1
        new = _new_milestones(obs, milestones)
        milestones |= dict.fromkeys(new, step)
        reward = float(obs["reward"])
        again += round(reward) - len(new)
        score += reward
        hurt |= bool(obs["health"] < 1)
    if watch:
        watch(env, step, milestones)
    reason = "" if "diamond" in milestones else _reason(oracle, obs)
    return Story(seed, score, step, milestones, again, hurt, reason)


def _new_milestones(obs: Obs, known: dict[str, int]) -> list[str]:
    flags = {name: obs[f"log/max/milestone/{name}"] for name in MILESTONES}
    return [name for name, flag in flags.items() if flag and name not in known]


def _reason(oracle: Oracle, obs: Obs) -> str:
    """Why there is no diamond: a death, or what was being done at the end."""
    state = oracle.backend.state
    x, y, z = oracle.limbs.here
    errand = oracle.errand.act or f"looking for {oracle.errand.items[0]}"
    where = f"{errand} at ({x}, {y}, {z})"
    if obs["is_terminal"]:
        return f"killed by {st.CAUSES[int(state.num[st.CAUSE])]} while {where}"
    return f"out of steps while {where}"
