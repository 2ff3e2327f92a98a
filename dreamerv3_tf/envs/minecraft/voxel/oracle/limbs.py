"""What the oracle's body can do in one action: turn, push, dig, take a tool in hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.actions import NAMES, Controls
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.nature.tick import aim, block_at
from dreamerv3_tf.envs.minecraft.voxel.oracle.aiming import (
    ANGLE,
    YAWS,
    aim_at,
    aim_at_mob,
)
from dreamerv3_tf.envs.minecraft.voxel.oracle.passage import NEVER
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend

Cell = tuple[int, int, int]

ACTION = {name: index for index, name in enumerate(NAMES)}
PICKAXES = ("wooden_pickaxe", "stone_pickaxe", "iron_pickaxe")
SLIDE, GLIDE = 2.2, 4.0  # ticks of speed that a body goes on, on the ground, in the air
KEYS = (("forward", 0), ("right", 90), ("back", 180), ("left", 270))  # and their yaws
CHARGED = 15  # ticks after which a pickaxe hits with nearly all its power
TREASURE = (blocks.IRON_ORE, blocks.DIAMOND_ORE, blocks.COAL_ORE)


class Limbs:
    """The player of a backend, moved by actions alone; what it reads is privileged.

    Args:
        backend: the game.
        controls: of the task, which tell what sticks.
    """

    def __init__(self, backend: VoxelBackend, controls: Controls):
        self.backend, self.controls = backend, controls

    @property
    def state(self) -> st.State:
        return self.backend.state

    @property
    def here(self) -> Cell:
        """Cell of the feet."""
        x, y, z = self.state.body[[st.X, st.Y, st.Z]].tolist()
        return math.floor(x), math.floor(y + 0.02), math.floor(z)

    @property
    def is_grounded(self) -> bool:
        return bool(self.state.body[st.GROUND])

    @property
    def is_wet(self) -> bool:
        """Whether there is water at the feet, or just below them."""
        x, y, z = self.here
        low = math.floor(self.state.body[st.Y] - 0.3)
        return any(blocks.WATERY[self.block((x, level, z))] for level in (low, y))

    @property
    def is_jumping(self) -> bool:
        """Whether the keys of a jump are still held."""
        return self.controls.jump > 0

    def block(self, cell: Cell) -> int:
        """Block of a cell; bedrock where nothing is loaded, air above the world."""
        x, y, z = cell
        if not 0 <= y < st.HEIGHT:
            return blocks.AIR if y > 0 else blocks.BEDROCK
        known = int(block_at(self.state, x, y, z))
        return known if known >= 0 else blocks.BEDROCK

    def error(self, cell: Cell) -> tuple[float, float]:
        """How far the middle of a cell is from where the body will come to rest."""
        body = self.state.body
        on = SLIDE if self.is_grounded else GLIDE
        x, z = body[st.X] + on * body[st.VX], body[st.Z] + on * body[st.VZ]
        return cell[0] + 0.5 - float(x), cell[2] + 0.5 - float(z)

    def turn(self, yaw: int, pitch: int) -> int | None:
        """Turns towards a direction, in steps of 15 degrees; None when it is there."""
        body = self.state.body
        around = (yaw - round(body[st.YAW] / ANGLE)) % YAWS
        if around:
            return ACTION["turn_right" if around <= YAWS // 2 else "turn_left"]
        tilt = pitch - round(body[st.PITCH] / ANGLE)
        if tilt:
            return ACTION["turn_down" if tilt > 0 else "turn_up"]
        return None

    def face(self, dx: int, dz: int) -> int | None:
        """Turns to one of the four sides; None when it is faced."""
        yaw = {(0, 1): 0, (-1, 0): 6, (0, -1): 12, (1, 0): 18}[dx, dz]
        return self.turn(yaw, round(self.state.body[st.PITCH] / ANGLE))

    def push(self, dx: float, dz: float) -> int:
        """The key that moves along the longer of two parts of a way."""
        east, north = dx > 0, dz <= 0
        wanted = (90, 270)[east] if abs(dx) > abs(dz) else (0, 180)[north]
        turn = (wanted - float(self.state.body[st.YAW])) % 360
        name, yaw = min(KEYS, key=lambda key: abs((turn - key[1] + 180) % 360 - 180))
        off = (turn - yaw + 180) % 360 - 180
        if abs(off) > ANGLE:
            return ACTION["turn_right" if off > 0 else "turn_left"]
        if self.is_jumping and name == "forward":
            name = "noop"  # the key is held already
        return ACTION[name]

    def dig(
        self, cells: Sequence[Cell], keep: Sequence[Cell], margin: float = 0.0
    ) -> int | None:
        """Goes on breaking some blocks; None where none of them can be aimed at.

        Args:
            cells: those to break.
            keep: those that must stay.
            margin: how much nearer than the reach they must be, blocks.
        """
        wanted, kept = as_cells(cells), as_cells(keep)
        cost, yaw, pitch = aim_at(self.state, wanted, kept, margin)
        if cost >= NEVER:
            return None
        turned = self.turn(yaw, pitch)
        if turned is not None:
            return turned
        hit, x, y, z, _ = aim(self.state)
        if not hit:
            return None
        tool = self.tool(self.block((int(x), int(y), int(z))))
        return ACTION["attack"] if tool is None else tool

    def strike(self, row: int) -> int | None:
        """Hits a mob with full force, waits for it; None where it is out of reach."""
        cost, yaw, pitch = aim_at_mob(self.state, row)
        if cost >= NEVER:
            return None
        turned = self.turn(yaw, pitch)
        if turned is not None:
            return turned
        for name in reversed(PICKAXES):
            if self.holds(name):
                if not self.has_in_hand(name):
                    return ACTION[f"equip_{name}"]
                break
        ready = self.state.body[st.CHARGE] >= CHARGED
        return ACTION["attack" if ready else "noop"]

    def holds(self, name: str) -> bool:
        """Whether an item is in some slot."""
        return rules.count(self.state.slots, (name,)) > 0

    def has_in_hand(self, name: str) -> bool:
        """Whether an item is in slot 0."""
        return rules.count(self.state.slots[:1], (name,)) > 0

    def tool(self, block: int) -> int | None:
        """Takes the humblest pickaxe that will do in hand; None when it is there."""
        if blocks.TOOL[block] != blocks.PICKAXE:
            return None
        level = int(blocks.LEVEL[block]) if block in TREASURE else 0
        for name in PICKAXES[level:]:
            if self.holds(name):
                return None if self.has_in_hand(name) else ACTION[f"equip_{name}"]
        return None


def as_cells(cells: Sequence[Cell]) -> np.ndarray:
    """Cells as an array, int64 `[n, 3]`."""
    return np.array(cells, np.int64).reshape(-1, 3)
