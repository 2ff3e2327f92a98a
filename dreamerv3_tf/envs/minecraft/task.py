"""The task: what the agent sees, does and is paid for, whatever game lies below.

Observations (float32 where not said otherwise):

    image          uint8 [H, W, 3], first person, without any display on it
    inventory      [391], counts in the order of items.INVENTORY, as they are
    inventory_max  [391], largest counts since the episode began
    equipped       [393], one-hot, what the hand holds, in the order of items.EQUIPPED
    health         life / 20
    hunger         food / 20, 1 is full
    breath         air / 300

The action is one of `actions.NAMES`, all 25 for `diamond`, the first 12 otherwise.

Rewards: `diamond` pays 1 for each of the twelve `vectors.MILESTONES` when its item is
held for the first time in the episode, `wood` 1 for each log gained, `climb` 1 for each
block of height; all of them 0.01 for each unit of `health`, so dying from full health
costs 0.01. (The paper's text says 0.01 a heart point; its code and curves say this.)

Death is terminal. A game that got lost is replaced by a new episode, marked `is_first`
without an `is_last` before.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dreamerv3_tf.envs.base import Action, Obs, signal_spaces, signals
from dreamerv3_tf.envs.minecraft.actions import BASIC, NAMES, Controls, repeated
from dreamerv3_tf.envs.minecraft.backend import Backend, Raw
from dreamerv3_tf.envs.minecraft.vectors import (
    HELD,
    INDEX,
    LOGGED,
    MILESTONE_INDEX,
    MILESTONES,
)
from dreamerv3_tf.spaces import Space

Goal = Literal["diamond", "wood", "climb"]

FLOAT = np.dtype(np.float32)
HEALTH = np.float32(0.01)  # reward units of one unit of health
PICTURE = 256  # pixels, of `render`

COUNTS = {f"log/inventory/{name}": INDEX[name] for name in LOGGED}
REACHED = tuple(f"log/max/milestone/{name}" for name in MILESTONES)
TOTAL = "log/max/milestones"
ZERO, ONE = np.zeros((), np.float32), np.ones((), np.float32)


class Minecraft:
    """Minecraft for an agent; see the module.

    Args:
        backend: the game.
        goal: what is paid.
        size: height and width of the picture, pixels.
        sticky_attack: steps that an attack holds its key.
        sticky_jump: steps that a jump holds its keys.
        pitch_limit: lowest and highest pitch, degrees.
        repeat: ticks of an action; after the first one only held keys count.
        logs: also observe counts and milestones under `log/`.
    """

    def __init__(
        self,
        backend: Backend,
        goal: Goal,
        *,
        size: tuple[int, int] = (64, 64),
        sticky_attack: int = 0,
        sticky_jump: int = 10,
        pitch_limit: tuple[float, float] = (-60, 60),
        repeat: int = 1,
        logs: bool = True,
    ):
        self.backend, self.goal, self.repeat = backend, goal, repeat
        self.logs = logs
        self.controls = Controls(sticky_attack, sticky_jump, pitch_limit)
        logged = (*COUNTS, *REACHED, TOTAL) if logs else ()
        self.obs_space = {
            "image": Space(np.dtype(np.uint8), (*size, 3)),
            "inventory": Space(FLOAT, (len(INDEX),), 0.0, np.inf),
            "inventory_max": Space(FLOAT, (len(INDEX),), 0.0, np.inf),
            "equipped": Space(FLOAT, (len(HELD),), 0.0, 1.0),
            "health": Space(FLOAT),
            "hunger": Space(FLOAT),
            "breath": Space(FLOAT),
            **{key: Space(FLOAT) for key in logged},
            **signal_spaces(),
        }
        count = len(NAMES) if goal == "diamond" else BASIC
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, count)}
        self._maximum = np.zeros(len(INDEX), np.float32)
        self._reached = -1  # milestones that the logged flags show
        self._flags: dict[str, np.ndarray] = {}
        self._done = np.float32(0)  # of the goal, in reward units
        self._health = np.float32(0)

    def reset(self) -> Obs:
        self.controls.reset()
        return self._observe(self.backend.reset(), first=True)

    def step(self, action: Action) -> Obs:
        command = self.controls.command(int(action["action"]))
        raw = self.backend.step(command)
        for _ in range(self.repeat - 1):
            if raw.dead or raw.lost:
                break
            raw = self.backend.step(repeated(command))
        return self.reset() if raw.lost else self._observe(raw)

    def render(self) -> np.ndarray:
        """Picture for people, with health and inventory where the game can show them.

        Raises:
            EnvError: the game has none.
        """
        return self.backend.picture(PICTURE)

    def close(self) -> None:
        self.backend.close()

    def snapshot(self) -> dict[str, np.ndarray]:
        """See `base.Env`.

        Raises:
            EnvError: the game can't save its state.
        """
        game = self.backend.snapshot()
        return {
            "task/controls": self.controls.state(),
            "task/inventory_max": self._maximum.copy(),
            "task/reward": np.array([self._done, self._health]),
            **{f"backend/{key}": value for key, value in game.items()},
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `base.Env`.

        Raises:
            EnvError: the game can't go on from it.
        """
        game = {k[8:]: v for k, v in state.items() if k.startswith("backend/")}
        self.backend.restore(game)
        self.controls.restore(state["task/controls"])
        self._maximum = state["task/inventory_max"].copy()
        self._reached = -1  # the flags may show others, though as many
        self._done, self._health = state["task/reward"].astype(np.float32)

    def _observe(self, raw: Raw, first: bool = False) -> Obs:
        inventory = raw.inventory.astype(np.float32)
        maximum = inventory if first else np.maximum(self._maximum, inventory)
        self._maximum = maximum
        held = maximum[MILESTONE_INDEX] > 0
        reached = int(np.count_nonzero(held))
        health = np.float32(raw.life / 20)
        done = self._progress(raw, reached)
        reward = 0.0 if first else self._reward(done, health)
        self._done, self._health = done, health
        flags = {"first": first, "last": raw.dead, "terminal": raw.dead}
        obs: dict[str, Any] = {**signals(float(reward), **flags)}
        obs["image"] = raw.image
        obs["inventory"] = inventory
        obs["inventory_max"] = maximum
        obs["equipped"] = HELD[raw.equipped]
        obs["health"] = health
        obs["hunger"] = np.float32(raw.food / 20)
        obs["breath"] = np.float32(raw.air / 300)
        if self.logs:
            for key, index in COUNTS.items():
                obs[key] = inventory[index]
            if first or reached != self._reached:
                self._flags = _flags(held, reached)
                self._reached = reached
            obs |= self._flags
        return obs

    def _progress(self, raw: Raw, reached: int) -> np.float32:
        """How far the goal is, in reward units; only changes are paid."""
        if self.goal == "diamond":
            return np.float32(reached)
        if self.goal == "wood":
            return np.float32(raw.inventory[INDEX["log"]])
        return np.float32(raw.position[1])

    def _reward(self, done: np.float32, health: np.float32) -> np.float32:
        # In float32, as the reference computes it.
        gain = done - self._done
        if self.goal == "wood" and gain < 0:
            gain = np.float32(0)
        return gain + HEALTH * (health - self._health)


def _flags(held: np.ndarray, reached: int) -> dict[str, np.ndarray]:
    """Logged milestones: which of them, and how many."""
    flags = {
        key: ONE if flag else ZERO
        for key, flag in zip(REACHED, held.tolist(), strict=True)
    }
    flags[TOTAL] = np.asarray(reached, np.float32)
    return flags
