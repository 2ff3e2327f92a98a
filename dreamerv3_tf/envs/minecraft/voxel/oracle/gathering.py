"""How the oracle gets at blocks and things: it picks up, reaches, walks, explores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamerv3_tf.envs.minecraft.items import NAMES as ITEMS
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.oracle import pathfinding as ways
from dreamerv3_tf.envs.minecraft.voxel.oracle.errands import Errand
from dreamerv3_tf.envs.minecraft.voxel.oracle.limbs import ACTION, Cell, Limbs, as_cells
from dreamerv3_tf.envs.minecraft.voxel.oracle.scouting import find_blocks, surface
from dreamerv3_tf.envs.minecraft.voxel.oracle.walking import Walker

NEAREST = 8  # blocks of a kind that ways are looked for to
TRIES = 4  # batches of them
LIMIT = 150_000  # cells that a search may look at
LYING = 6.0  # blocks to a thing that it goes for
FALLS, WAITS = 40, 30  # ticks until a thing has come to rest, or is given up
FAR = 36  # blocks that it goes at a time when nothing is in sight
ALWAYS = ("crafting_table", "furnace", "planks", "stick")
COURSES = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


class Gatherer:
    """Gets blocks and things, one action at a time; remembers where it is going.

    Args:
        limbs: the player.
    """

    def __init__(self, limbs: Limbs):
        self.limbs = limbs
        self.walker = Walker(limbs)
        self.forget()

    def forget(self) -> None:
        """Begins anew, with the same body."""
        self.stop()
        self.shunned: list[Cell] = []  # blocks and things that could not be reached
        self.course = 0  # index of COURSES
        self.waited = 0  # actions beside a thing that isn't picked up

    def stop(self) -> None:
        """Goes nowhere."""
        self.walker.stop()
        self.purpose: object = None

    def act(self, errand: Errand, tier: int) -> int | None:
        """The next action of an errand; None where there is nothing to be done.

        Args:
            errand: what is wanted.
            tier: of the best pickaxe, -1 for none.
        """
        for attempt in (self.pick_up, self._reach, self._walk, self.explore):
            action = attempt(errand, tier)
            if action is not None:
                return action
        return None

    def pick_up(self, errand: Errand, tier: int) -> int | None:
        """Goes for things that lie around."""
        cell = self._lying((*errand.items, *ALWAYS))
        if cell is None:
            return None
        x, y, z = cell
        goals = [(x, y, z), (x, y - 1, z)]
        action: int | None = ACTION["noop"]
        self.waited += 1
        if self.limbs.here not in goals or not self.limbs.is_grounded:
            self.waited = 0
            action = self._go(("thing", cell), goals, tier)
        if action is None or self.waited > WAITS:
            self.shunned.append(cell)
        return action

    def _lying(self, names: Sequence[str]) -> Cell | None:
        """Cell of the nearest thing of some kinds that has come to rest."""
        state = self.limbs.state
        things = state.ents[state.ents[:, st.E_KIND] == st.ITEM]
        best, found = LYING, None
        for row in things:
            rests = row[st.E_GROUND] > 0 or row[st.E_AGE] > FALLS
            if rests and ITEMS[int(row[st.E_ITEM])] in names:
                at = row[st.E_X : st.E_Z + 1]
                far = float(np.abs(at - state.body[st.X : st.Z + 1]).max())
                x, y, z = np.floor(at + (0, 0.1, 0)).astype(int).tolist()
                if far < best and (x, y, z) not in self.shunned:
                    best, found = far, (x, y, z)
        return found

    def _reach(self, errand: Errand, tier: int) -> int | None:
        """Breaks logs that are in reach, without going to each of them."""
        del tier
        if errand.wanted != blocks.LOGS or not self._rests():
            return None
        x, y, z = self.limbs.here
        logs = [
            (x + i, y + j, z + k)
            for i in range(-2, 3)
            for j in range(-1, 6)
            for k in range(-2, 3)
            if blocks.IS_LOG[self.limbs.block((x + i, y + j, z + k))]
        ]
        return self.limbs.dig(logs, [(x, y - 1, z)], 0.1)

    def _walk(self, errand: Errand, tier: int) -> int | None:
        """Goes to the nearest of the blocks that are wanted, through them."""
        action = self._go_on(errand)
        if action is not None:
            return action
        wanted = np.zeros(256, np.bool_)
        wanted[list(errand.wanted)] = True
        for _ in range(TRIES):
            shunned = as_cells(self.shunned)
            cells = find_blocks(self.limbs.state, wanted, shunned, NEAREST).tolist()
            if not cells:
                return None
            below = [(x, y - 1, z) for x, y, z in cells]
            action = self._go(errand, [*cells, *below], tier)
            if action is not None:
                return action
            self.shunned += [(x, y, z) for x, y, z in cells]
        return None

    def explore(self, errand: Errand, tier: int) -> int | None:
        """Goes on in one direction; in another one where that has no way."""
        del errand
        for turn in range(len(COURSES)):
            course = (self.course + turn) % len(COURSES)
            purpose = ("course", course)
            action = self._go_on(purpose)
            if action is None:
                action = self._go(purpose, self._horizon(*COURSES[course]), tier)
            if action is not None:
                self.course = course
                return action
        return None

    def _horizon(self, dx: int, dz: int) -> list[Cell]:
        """Cells to stand on, far away in a direction; in water if there is no land."""
        px, _, pz = self.limbs.here
        dry, wet = [], []
        for aside in range(-12, 13, 3):
            x, z = px + FAR * dx - aside * dz, pz + FAR * dz + aside * dx
            y, swims = surface(self.limbs.state, x, z)
            if y > 0:
                (wet if swims else dry).append((x, int(y), z))
        return dry or wet

    def _go(self, purpose: object, goals: Sequence, tier: int) -> int | None:
        """Follows the way to one of some cells, or looks for one; None without."""
        action = self._go_on(purpose)
        if action is not None or not goals:
            return action
        if not self._rests():
            return ACTION["back" if self.limbs.is_jumping else "noop"]
        work = ways.new_workspace()
        way = ways.find_path(self.limbs.state, as_cells(goals), tier, LIMIT, *work)
        self.purpose = purpose
        self.walker.follow([(x, y, z) for x, y, z in way.tolist()])
        return self.walker.act()

    def _go_on(self, purpose: object) -> int | None:
        return self.walker.act() if self.purpose == purpose else None

    def _rests(self) -> bool:
        """Whether the body is where a move may begin."""
        limbs = self.limbs
        return (limbs.is_grounded or limbs.is_wet) and not limbs.is_jumping
