"""A Minecraft 1.21 that understands a few chat commands, over the voxel world.

It moves, breaks and picks up as the voxel world does, but has an inventory of its own
in the names of 1.21, which only pickups and commands change. Like the real game it
shows the inventory a tick late, answers `fastreset` with the moment of death, and
ignores commands that don't apply. A command that it doesn't know is an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from worlds import Accidents

from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.items import NAMES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st

MODERN = {
    "log": "oak_log",
    "log2": "acacia_log",
    "planks": "oak_planks",
    "iron_ore": "raw_iron",
    "grass": "grass_block",
    "sapling": "oak_sapling",
    "dye": "lapis_lazuli",
    "tallgrass": "short_grass",
    "yellow_flower": "dandelion",
    "red_flower": "poppy",
    "reeds": "sugar_cane",
}
PLACES = {
    "oak_log": blocks.OAK_LOG,
    "oak_planks": blocks.PLANKS,
    "dirt": blocks.DIRT,
    "cobblestone": blocks.COBBLESTONE,
    "crafting_table": blocks.CRAFTING_TABLE,
    "furnace": blocks.FURNACE,
}
USES = {"wooden_pickaxe": 59, "stone_pickaxe": 131, "iron_pickaxe": 250}
SLOTS = {f"hotbar.{i}": i for i in range(9)}
SLOTS |= {f"inventory.{i}": 9 + i for i in range(27)} | {"enderchest.0": 41}


class Stack(NamedTuple):
    """One slot, as CraftGround tells it."""

    translation_key: str = "block.minecraft.air"
    count: int = 0
    durability: int = 0
    max_durability: int = 0

    @property
    def name(self):
        return self.translation_key.rpartition(".")[2]


EMPTY = Stack()


def stack(name, count=1):
    """A stack of an item of 1.21."""
    kind = "block" if name in PLACES or name.endswith(("_block", "sand")) else "item"
    uses = USES.get(name, 0)
    return Stack(f"{kind}.minecraft.{name}", count, uses, uses)


class ChatGame:
    """One game.

    Args:
        size: height and width of the picture.
        kit: items and counts that the player gets two ticks after each start.
        **world: settings of `Accidents`.
    """

    def __init__(self, size, kit=(), **world):
        self.world = Accidents(size=size, **world)
        self.kit = kit
        self.pending = []  # commands that wait for the player to be back
        self.log = []  # every command
        self.begin()

    def begin(self):
        """A new place, with empty hands."""
        self.raw = self.world.reset()
        self.slots = [EMPTY] * 42
        self.shown = list(self.slots)
        self.shift = np.zeros(3, np.int64)
        self.ticks = 0
        self.dead = False

    def act(self, command, chat=()):
        """One tick after some chat commands; returns what is observed."""
        if self.pending:
            self.begin()
            for text in self.pending:
                self.run(text)
            self.pending = []
        for text in chat:
            if text.startswith("fastreset "):
                self.pending = text.removeprefix("fastreset ").strip().split(";")
                self.dead = True
                return self.observe()  # of the moment of death
            self.run(text)
        if not self.dead:
            self.tick(command)
        return self.observe()

    def tick(self, command):
        """Lets the voxel world go on, with what the hand holds."""
        state, hand = self.world.state, self.slots[0]
        state.slots[:] = 0
        tool = hand.name in USES
        if tool:
            used = hand.max_durability - hand.durability
            state.slots[0] = NAMES.index(hand.name), 1, used
        self.raw = self.world.step({**NOOP, **command})
        self.dead = self.raw.dead
        self.ticks += 1
        for index, (item, count, damage) in enumerate(state.slots.tolist()):
            if tool and index == 0:
                left = hand.max_durability - damage
                self.slots[0] = hand._replace(durability=left) if count else EMPTY
            elif count:
                name = NAMES[item]
                self.give(MODERN.get(name, name), count)
        if self.ticks == 2:
            for name, count in self.kit:
                self.give(name, count)

    def observe(self):
        """What the mod tells, as a dictionary of its fields."""
        x, y, z, yaw, pitch = self.raw.position
        x, y, z = np.array([x, y, z]) + self.shift
        shown, self.shown = self.shown, list(self.slots)
        eye = np.floor(self.raw.position[:3] + (0, 1.62, 0)).astype(int)
        return {
            "image": self.raw.image,
            "pose": (x, y, z, yaw, pitch),
            "health": 0.0 if self.dead else self.raw.life,
            "food_level": self.raw.food,
            "is_dead": self.dead,
            "inventory": shown[:41],
            "target": self.look(),
            "submerged": self.block(*eye) in blocks.WATERS,
        }

    def look(self):
        """The first cell on the look that is neither air nor a fluid, or None."""
        x, y, z, yaw, pitch = self.raw.position
        turn, tilt = np.radians([yaw, pitch])
        look = np.array([-np.sin(turn), 0, np.cos(turn)]) * np.cos(tilt)
        look[1] = -np.sin(tilt)
        for distance in np.arange(0, 20, 0.01):
            cell = np.floor((x, y + 1.62, z) + look * distance).astype(int)
            if self.block(*cell) not in (blocks.AIR, *blocks.FLUIDS):
                return tuple((cell + self.shift).tolist())
        return None

    def block(self, x, y, z):
        """Block of a cell of the voxel world."""
        if not 0 <= y < st.HEIGHT:
            return blocks.AIR
        return int(self.world.state.vox[x & 127, z & 127, y])

    # Chat commands

    def run(self, text):
        """Carries out a command."""
        self.log.append(text)
        for pattern, method in self.COMMANDS:
            found = re.fullmatch(pattern, text)
            if found:
                getattr(self, method)(*found.groups())
                return
        raise ValueError(f"unknown command: {text}")

    def nothing(self, *_):
        """What changes nothing that is looked at here."""

    def clear(self, name=None, count=None):
        left = int(count) if count else 10**9
        for index, held in enumerate(self.slots[:41]):
            if held.count and name in (None, held.name) and left > 0:
                taken = min(left, held.count)
                left -= taken
                rest = held._replace(count=held.count - taken)
                self.slots[index] = rest if rest.count else EMPTY

    def give(self, name, count):
        left, limit = int(count), 1 if name in USES else 64
        for same in (True, False):
            for index in range(36):
                held = self.slots[index]
                if left and (held.name == name if same else not held.count):
                    added = min(left, limit - held.count)
                    self.slots[index] = stack(name, held.count + added)
                    left -= added

    def execute(self, x, y, z, kind, volume, command):
        cell = np.array([int(x), int(y), int(z)]) - self.shift
        block = self.block(*cell)
        if kind == "#minecraft:replaceable":
            fits = bool(blocks.REPLACEABLE[block]) or block == blocks.AIR
        else:
            fits = block == PLACES[kind.removeprefix("minecraft:")]
        if volume:
            wanted = f"type=!minecraft:item,x={x},y={y},z={z},dx=0,dy=0,dz=0"
            assert volume == wanted, volume
            low, body = cell, self.raw.position[:3]
            reach = np.array([0.3, 0, 0.3]), np.array([0.3, 1.8, 0.3])
            fits &= not ((body - reach[0] < low + 1) & (body + reach[1] > low)).all()
        if fits:
            self.run(command)

    def setblock(self, x, y, z, name):
        x, y, z = np.array([int(x), int(y), int(z)]) - self.shift
        state, i, j = self.world.state, x & 127, z & 127
        state.vox[i, j, y] = PLACES[name]
        state.roof[i, j] = max(state.roof[i, j], y + 1)
        state.tops[i >> 3, j >> 3] = max(state.tops[i >> 3, j >> 3], y + 1)

    def copy(self, slot, other):
        self.slots[SLOTS[slot]] = self.slots[SLOTS[other]]

    def empty(self, slot):
        self.slots[SLOTS[slot]] = EMPTY

    def spread(self, x, z):
        here = np.floor(self.raw.position[[0, 2]]).astype(np.int64)
        self.shift[[0, 2]] = np.array([int(x) + 7, int(z) - 3]) - here

    COMMANDS = (
        (r"attribute @p minecraft:player\.block_break_speed base set 100", "nothing"),
        (r"time set 0|weather clear|effect clear @p|spawnpoint @p", "nothing"),
        (r"clear @p", "clear"),
        (r"clear @p minecraft:(\w+) (\d+)", "clear"),
        (r"give @p minecraft:(\w+) (\d+)", "give"),
        (
            r"execute if block (-?\d+) (-?\d+) (-?\d+) (\S+)"
            r"(?: unless entity @e\[(.*?)\])? run (.*)",
            "execute",
        ),
        (r"setblock (-?\d+) (-?\d+) (-?\d+) minecraft:(\w+)", "setblock"),
        (r"item replace entity @p (\S+) from entity @p (\S+)", "copy"),
        (r"item replace entity @p (\S+) with minecraft:air", "empty"),
        (r"spreadplayers (-?\d+) (-?\d+) 0 200 false @p", "spread"),
    )
