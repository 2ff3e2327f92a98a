"""What the oracle needs next, from what it holds: its shopping list.

Nothing is remembered: whatever was lost or broke is made again.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import ITEM, USES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.oracle.limbs import PICKAXES

WOOD = 24  # planks before the first pickaxe, or what they went into: six logs
RESERVE = 4  # planks to burn, and for the sticks of the last pickaxe
COBBLE = 14  # three for the pickaxe, eight for the furnace, three to spare
WORN = 30  # uses left of a stone pickaxe, below which another is made
LOGS = ("log", "log2")


class Errand(NamedTuple):
    """One thing to do.

    Attributes:
        act: name of an action to take; empty to look for blocks.
        near: blocks, placed by the player, that must be near for the action.
        wanted: blocks to break.
        items: what to pick up on this errand.
    """

    act: str
    near: tuple[int, ...] = ()
    wanted: tuple[int, ...] = ()
    items: tuple[str, ...] = ()


TABLE, BOTH = (blocks.CRAFTING_TABLE,), (blocks.CRAFTING_TABLE, blocks.FURNACE)
GET_LOGS = Errand("", wanted=blocks.LOGS, items=LOGS)
GET_STONE = Errand(
    "", wanted=(blocks.STONE, blocks.COBBLESTONE), items=("cobblestone",)
)
GET_IRON = Errand("", wanted=(blocks.IRON_ORE,), items=("iron_ore",))
GET_DIAMOND = Errand("", wanted=(blocks.DIAMOND_ORE,), items=("diamond",))
REST = Errand("noop")


@dataclasses.dataclass(frozen=True)
class Bag:
    """What is held, and what of the player's stands nearby.

    Attributes:
        slots: int `[n, 3]`.
        fuel: ticks left in the furnace.
        has_table: whether a table is held or stands nearby.
        has_furnace: the same for a furnace.
    """

    slots: np.ndarray
    fuel: int
    has_table: bool
    has_furnace: bool

    def count(self, *names: str) -> int:
        """Pieces of some items."""
        return rules.count(self.slots, names)

    @property
    def wood(self) -> int:
        """Planks, those in logs included."""
        return self.count("planks") + 4 * self.count(*LOGS)

    @property
    def tier(self) -> int:
        """Of the best pickaxe, -1 for none."""
        held = [tier for tier, name in enumerate(PICKAXES) if self.count(name)]
        return max(held, default=-1)

    @property
    def iron(self) -> int:
        """Ingots, those in ore included."""
        return self.count("iron_ore", "iron_ingot")

    @property
    def uses(self) -> int:
        """What is left of all stone pickaxes."""
        slots = self.slots
        rows = slots[(slots[:, 0] == ITEM["stone_pickaxe"]) & (slots[:, 1] > 0)]
        return sum(USES["stone_pickaxe"] - int(row[2]) for row in rows)


def next_errand(bag: Bag) -> Errand:
    """What to do now on the way to a diamond."""
    if bag.count("diamond"):
        return REST
    if bag.tier == 2:
        return GET_DIAMOND
    if _lacks_wood(bag):
        return GET_LOGS
    if bag.count(*LOGS):
        return Errand("craft_planks")
    if bag.count("stick") < _sticks_needed(bag) and bag.count("planks") >= 2:
        return Errand("craft_stick")
    if not bag.has_table:
        return Errand("craft_crafting_table")
    if bag.tier < 1 or not bag.has_furnace:
        return _stone_errand(bag)
    return _iron_errand(bag)


def _lacks_wood(bag: Bag) -> bool:
    """Whether the planks won't do for what is left to make."""
    table, sticks = 4 * bag.has_table, bag.count("stick")
    if bag.tier < 0 and bag.count("cobblestone") < 3:
        return bag.wood + table + sticks / 2 < WOOD
    if bag.iron >= 3:
        return not _can_finish(bag)
    lacking = max(0, _sticks_needed(bag) - sticks)
    return bag.wood < RESERVE + (4 - table) + 2 * -(-lacking // 4)


def _sticks_needed(bag: Bag) -> int:
    """Sticks for the next two pickaxes; none while fuel may still burn them."""
    if bag.iron >= 3:
        return 2 if bag.count("iron_ingot") >= 3 else 0
    return 4


def _can_finish(bag: Bag) -> bool:
    """Whether fuel and sticks will do for the iron pickaxe, whatever burns first."""
    slots, fuel = bag.slots.copy(), bag.fuel
    while rules.count(slots, LOGS):
        rules.craft(slots, "planks")
    rules.remove(slots, ("crafting_table",), 1)  # it stands while things burn
    for _ in range(3 - bag.count("iron_ingot")):
        done, fuel = rules.smelt(slots, fuel)
        if not done:
            return False
    return rules.count(slots, ("stick",)) >= 2 or rules.count(slots, ("planks",)) >= 2


def _stone_errand(bag: Bag) -> Errand:
    """Towards a stone pickaxe and a furnace."""
    cobble = bag.count("cobblestone")
    if bag.tier < 0 and cobble < 3:
        return Errand("craft_wooden_pickaxe", TABLE)
    if bag.tier < 1:
        enough = COBBLE if bag.tier == 0 else 3
        return GET_STONE if cobble < enough else Errand("craft_stone_pickaxe", TABLE)
    return GET_STONE if cobble < 8 else Errand("craft_furnace", TABLE)


def _iron_errand(bag: Bag) -> Errand:
    """Towards an iron pickaxe."""
    if bag.iron < 3:
        can_make = bag.count("cobblestone") >= 3 and bag.count("stick") >= 2
        if bag.uses < WORN and can_make:
            return Errand("craft_stone_pickaxe", TABLE)
        return GET_IRON
    if bag.count("iron_ingot") < 3:
        return Errand("smelt_iron_ingot", BOTH)
    return Errand("craft_iron_pickaxe", TABLE)
