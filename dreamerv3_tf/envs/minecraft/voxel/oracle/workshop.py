"""How the oracle gets a table or a furnace placed and in view, and takes it along."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.oracle import pathfinding as ways
from dreamerv3_tf.envs.minecraft.voxel.oracle.aiming import (
    ANGLE,
    HIGHEST,
    YAWS,
    aim_for_placing,
)
from dreamerv3_tf.envs.minecraft.voxel.oracle.errands import Bag
from dreamerv3_tf.envs.minecraft.voxel.oracle.limbs import ACTION, Cell, Limbs
from dreamerv3_tf.envs.minecraft.voxel.oracle.passage import NEVER

NEAR = 4.6  # blocks to a table that still serves, or to a thing that lies around
STATIONS = {blocks.CRAFTING_TABLE: "crafting_table", blocks.FURNACE: "furnace"}
HAND_SLOTS = 64  # slots that are looked at; the oracle never fills more


class Workshop:
    """The tables and furnaces of the player, held, lying around, or placed.

    Args:
        limbs: the player.
    """

    def __init__(self, limbs: Limbs):
        self.limbs = limbs

    def bag(self) -> Bag:
        """What there is to work with."""
        backend = self.limbs.backend
        slots = backend.state.slots[:HAND_SLOTS]
        table, furnace = (
            bool(
                self.standing(block)
                or rules.count(slots, (name,))
                or self._lies_near(name)
            )
            for block, name in STATIONS.items()
        )
        return Bag(slots, backend.fuel, table, furnace)

    def standing(self, block: int) -> list[Cell]:
        """Cells of the placed tables or furnaces that are near."""
        x, y, z = self.limbs.here
        return [
            cell
            for cell, kind in self.limbs.backend.placed.items()
            if kind == block
            and np.linalg.norm((cell[0] - x, cell[1] - y - 1, cell[2] - z)) < NEAR
        ]

    def place(self, block: int) -> int | None:
        """Puts a table or a furnace where there is room, or makes room.

        None where it can do neither.
        """
        cost, yaw, pitch = aim_for_placing(self.limbs.state)
        if cost < NEVER:
            turned = self.limbs.turn(yaw, pitch)
            return ACTION[f"place_{STATIONS[block]}"] if turned is None else turned
        x, y, z = self.limbs.here
        stay = [*self.limbs.backend.placed, (x, y - 1, z)]
        for far in (1, 2):
            niches = [(x + far * dx, y + 1, z + far * dz) for dx, dz in ways.SIDES]
            closed = [c for c in niches if blocks.SOLID[self.limbs.block(c)]]
            action = self.limbs.dig([c for c in closed if c not in stay], stay)
            if action is not None:
                return action
        return None

    def view(self, block: int) -> int | None:
        """Turns until a placed block serves; None when it does."""
        body = self.limbs.state.body
        x, y, z, yaw, pitch = body[[st.X, st.Y, st.Z, st.YAW, st.PITCH]].tolist()
        centres = [tuple(v + 0.5 for v in cell) for cell in self.standing(block)]

        def serves(yaw: float, pitch: float) -> bool:
            return any(rules.nearby(x, y, z, yaw, pitch, c) for c in centres)

        if serves(yaw, pitch):
            return None
        for _, turn, tilt in _directions(round(yaw / ANGLE), round(pitch / ANGLE)):
            if serves(turn * ANGLE, tilt * ANGLE):
                return self.limbs.turn(turn, tilt)
        return self.limbs.push(centres[0][0] - x, centres[0][2] - z)

    def pack(self) -> int | None:
        """Breaks the tables and furnaces that stand near, to take them along."""
        x, y, z = self.limbs.here
        cells = [cell for block in STATIONS for cell in self.standing(block)]
        return self.limbs.dig(cells, [(x, y - 1, z)])

    def _lies_near(self, name: str) -> bool:
        state = self.limbs.state
        off = state.ents[:, st.E_X : st.E_Z + 1] - state.body[st.X : st.Z + 1]
        lies = (state.ents[:, st.E_KIND] == st.ITEM) & (abs(off).max(1) < NEAR)
        return bool((lies & (state.ents[:, st.E_ITEM] == ITEM[name])).any())


def _directions(yaw: int, pitch: int) -> list[tuple[int, int, int]]:
    """All directions, in steps, those that are reached soonest first."""
    found = []
    for turn in range(YAWS):
        around = (turn - yaw) % YAWS
        for tilt in range(-HIGHEST, HIGHEST + 1):
            actions = min(around, YAWS - around) + abs(tilt - pitch)
            found.append((actions, turn, tilt))
    return sorted(found)
