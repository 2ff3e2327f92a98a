"""A scripted player that finds a diamond: it reads the world, but acts as agents do.

It shows that the task can be solved, finds bugs, and makes demonstrations. It sees
through walls; all that it does are the 25 actions of `minecraft_diamond`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.task import Minecraft
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.oracle.errands import REST, Errand, next_errand
from dreamerv3_tf.envs.minecraft.voxel.oracle.gathering import Gatherer
from dreamerv3_tf.envs.minecraft.voxel.oracle.limbs import ACTION, Limbs
from dreamerv3_tf.envs.minecraft.voxel.oracle.scouting import nearest_foe
from dreamerv3_tf.envs.minecraft.voxel.oracle.workshop import STATIONS, Workshop
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend

DANGER, SIGHT = 3.5, 16.0  # blocks at which a monster is met, or keeps from resting
WOUNDED, HEALED = 9.0, 15.0  # half hearts at which a rest begins and ends
FULL = 18.0  # half drumsticks that it takes to heal
STILL, SHAKES = 70, 12  # actions without any change; random ones that end that
SHAKE = ("forward", "back", "left", "right", "jump", "attack", "turn_left")


def find_task(env: Any) -> Minecraft:
    """The Minecraft inside of wrappers.

    Raises:
        TypeError: there is none, or it isn't the voxel world.
    """
    inside = env
    while not isinstance(inside, Minecraft):
        if not hasattr(inside, "env"):
            raise TypeError(f"{env} has no Minecraft in it.")
        inside = inside.env
    if not isinstance(inside.backend, VoxelBackend):
        raise TypeError(f"The oracle plays in the voxel world, not {inside.backend}.")
    return inside


class Oracle:
    """Plays episodes: `act` after each `reset` and `step` of the environment.

    Args:
        env: of `minecraft_diamond` with the backend `voxel`, wrapped or not.

    Raises:
        TypeError: it is another one.
    """

    def __init__(self, env: Any):
        self.task = find_task(env)
        self.backend: VoxelBackend = self.task.backend  # type: ignore[assignment]
        self.limbs = Limbs(self.backend, self.task.controls)
        self.workshop = Workshop(self.limbs)
        self.gatherer = Gatherer(self.limbs)
        self.reset()

    def reset(self) -> None:
        """Forgets the last episode."""
        self.gatherer.forget()
        self.errand = REST
        self.is_healing = False
        self.still, self.shakes, self.mark = 0, 0, ()
        self.chance = np.random.default_rng(0)

    def act(self, obs: Any = None) -> int:
        """Number of the next action.

        Args:
            obs: the last observation; only `is_first` is looked at.
        """
        if obs is not None and obs["is_first"]:
            self.reset()
        if self.shakes:
            self.shakes -= 1
            return ACTION[SHAKE[self.chance.integers(len(SHAKE))]]
        action = self._defend()
        if action is None and self._heals():
            return ACTION["noop"]
        if action is None:
            action = self._work()
        self._watch()
        return ACTION["noop"] if action is None else action

    def _defend(self) -> int | None:
        """Hits monsters that come too near."""
        foe = int(nearest_foe(self.limbs.state, DANGER))
        return None if foe < 0 or self.limbs.is_jumping else self.limbs.strike(foe)

    def _heals(self) -> bool:
        """Whether to wait until wounds have healed, which a full stomach does."""
        body = self.limbs.state.body
        rests = self.limbs.is_grounded and not self.limbs.is_wet
        is_safe = rests and nearest_foe(self.limbs.state, SIGHT) < 0
        goal = HEALED if self.is_healing else WOUNDED
        heals = body[st.FOOD] >= FULL and body[st.FIRE] == 0 and body[st.LIFE] < goal
        self.is_healing = bool(is_safe and heals)
        return self.is_healing

    def _work(self) -> int | None:
        bag = self.workshop.bag()
        errand = next_errand(bag)
        if errand != self.errand:
            self.errand = errand
            self.gatherer.stop()
            self.gatherer.shunned.clear()
        if errand.act:
            return self._craft(errand, bag.tier)
        if bag.tier < 2 and not self.limbs.is_jumping:
            action = self.workshop.pack()
            if action is not None:
                return action
        return self.gatherer.act(errand, bag.tier)

    def _craft(self, errand: Errand, tier: int) -> int | None:
        """Takes the action of an errand, once all that it needs is in view."""
        if not errand.near:
            return ACTION[errand.act]
        if self.limbs.is_jumping:
            return ACTION["back"]
        for block in errand.near:
            if not self.workshop.standing(block):
                held = rules.count(self.backend.state.slots, (STATIONS[block],))
                if not held:
                    return self.gatherer.pick_up(errand, tier)
                action = self.workshop.place(block)
                return self.gatherer.explore(errand, tier) if action is None else action
        turned = self.workshop.view(errand.near[-1])
        return ACTION[errand.act] if turned is None else turned

    def _watch(self) -> None:
        """Notes whether anything changes; after long without, it moves at random."""
        state = self.limbs.state
        broken, held = state.num[st.BLOCKS_BROKEN], state.slots[:, 1].sum()
        mark = (self.limbs.here, int(broken), int(held))
        self.still = self.still + 1 if mark == self.mark else 0
        self.mark = mark
        if self.still > STILL and self.errand != REST:
            self.still, self.shakes = 0, SHAKES
            self.gatherer.stop()
