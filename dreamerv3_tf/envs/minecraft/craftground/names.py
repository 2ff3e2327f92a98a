"""Items of Minecraft 1.21 in the words of 1.11, which the task speaks.

A game of 1.21 names each kind of wood, stone and flower; 1.11 had one name for all of
a group. What has no counterpart is not observed, though it takes its slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import AIR, INVENTORY, ITEM, NAMES, SLOTS

MAIN = 36  # slots that things are picked up into, the hotbar first
ALL = 41  # with four of armour and the off-hand

SAME = {
    "raw_iron": "iron_ore",
    "raw_gold": "gold_ore",
    "cobbled_deepslate": "cobblestone",
    "grass_block": "grass",
    "podzol": "dirt",
    "coarse_dirt": "dirt",
    "rooted_dirt": "dirt",
    "granite": "stone",
    "diorite": "stone",
    "andesite": "stone",
    "deepslate": "stone",
    "tuff": "stone",
    "red_sand": "sand",
    "charcoal": "coal",
    "lapis_lazuli": "dye",
    "ink_sac": "dye",
    "bone_meal": "dye",
    "cocoa_beans": "dye",
    "short_grass": "tallgrass",
    "fern": "tallgrass",
    "tall_grass": "double_plant",
    "large_fern": "double_plant",
    "dead_bush": "deadbush",
    "dandelion": "yellow_flower",
    "poppy": "red_flower",
    "blue_orchid": "red_flower",
    "allium": "red_flower",
    "azure_bluet": "red_flower",
    "oxeye_daisy": "red_flower",
    "sugar_cane": "reeds",
    "lily_pad": "waterlily",
    "cobweb": "web",
    "snow": "snow_layer",
    "snow_block": "snow",
    "bricks": "brick_block",
    "stone_bricks": "stonebrick",
    "mossy_stone_bricks": "stonebrick",
    "terracotta": "hardened_clay",
    "magma_block": "magma",
    "cod": "fish",
    "salmon": "fish",
    "tropical_fish": "fish",
    "pufferfish": "fish",
    "cooked_cod": "cooked_fish",
    "cooked_salmon": "cooked_fish",
    "melon_slice": "melon",
    "melon": "melon_block",
    "carved_pumpkin": "pumpkin",
    "infested_stone": "monster_egg",
}
"""Names of 1.21 that are another in 1.11."""

GROUPS = (
    ("_log", "log"),
    ("_stem", "log"),
    ("_planks", "planks"),
    ("_leaves", "leaves"),
    ("_sapling", "sapling"),
    ("_tulip", "red_flower"),
    ("_wool", "wool"),
    ("_carpet", "carpet"),
    ("_bed", "bed"),
    ("_dye", "dye"),
    ("_terracotta", "stained_hardened_clay"),
)
"""Endings of 1.21 whose kinds share one name in 1.11."""


class Inventory(NamedTuple):
    """What the player holds, twice: in the words of 1.11, and in those of the game.

    Attributes:
        slots: int32 `[41, 3]`, item (index of `items.NAMES`), count, damage; what has
            no name in 1.11 looks like an empty slot.
        ids: names of the game by slot, without `minecraft:`; empty for empty slots.
        blocks: whether the slot holds something to build with.
    """

    slots: np.ndarray
    ids: tuple[str, ...]
    blocks: tuple[bool, ...]

    def counts(self) -> np.ndarray:
        """The observation, int32 `[391]`; `air` is scaled to MineRL's 365 slots."""
        result = rules.counts(self.slots)
        used = sum(bool(name) for name in self.ids)
        result[INVENTORY.index("air")] = SLOTS - used
        return result

    def count(self, name: str) -> int:
        """Pieces of an item of 1.11."""
        return rules.count(self.slots, (name,))

    def held(self) -> str:
        """Item of 1.11 in the hand: `air` for none, `other` without a name."""
        item, count, _ = self.slots[0].tolist()
        if count:
            return NAMES[item]
        return "other" if self.ids[0] else "air"


def item_of(name: str) -> str | None:
    """Name in 1.11 of an item of 1.21 (without `minecraft:`), or None."""
    if name in SAME:
        return SAME[name]
    if name in ITEM:
        return name
    bare = name.removeprefix("deepslate_")
    if bare in ITEM:
        return bare
    if name == "mushroom_stem":
        return None
    return next((old for ending, old in GROUPS if name.endswith(ending)), None)


def read_inventory(stacks: Iterable[Any]) -> Inventory:
    """The inventory in CraftGround's stacks.

    Args:
        stacks: 41 with `translation_key`, `count`, `durability`, `max_durability`.
    """
    slots, ids, blocks = np.zeros((ALL, 3), np.int32), [], []
    for slot, stack in zip(slots, stacks, strict=True):
        kind, _, name = stack.translation_key.rpartition(".")
        there = stack.count > 0 and name != NAMES[AIR]
        ids.append(name if there else "")
        blocks.append(there and kind.startswith("block"))
        item = item_of(name) if there else None
        if item is not None:
            damage = stack.max_durability - stack.durability
            slot[:] = ITEM[item], stack.count, damage
    return Inventory(slots, tuple(ids), tuple(blocks))
