"""Blocks of the voxel world: numbers, and tables that compiled code looks up.

A block is a uint8. The constants are plain integers, which Numba compiles in; each
table has 256 entries, one for each number. Hardness, tools and drops: Minecraft 1.11.2.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.items import ITEM

AIR = 0
STONE, GRANITE, DIORITE, ANDESITE, COBBLESTONE, BEDROCK, OBSIDIAN = range(1, 8)
DIRT, GRASS, PODZOL, SAND, RED_SAND, GRAVEL, CLAY, SANDSTONE = range(8, 16)
SNOW, ICE, HARDENED_CLAY, MOSSY_COBBLESTONE = range(16, 20)
COAL_ORE, IRON_ORE, GOLD_ORE, REDSTONE_ORE, LAPIS_ORE, DIAMOND_ORE, EMERALD_ORE = range(
    20, 27
)
OAK_LOG, BIRCH_LOG, SPRUCE_LOG, JUNGLE_LOG, ACACIA_LOG = range(30, 35)
OAK_LEAVES, BIRCH_LEAVES, SPRUCE_LEAVES, JUNGLE_LEAVES, ACACIA_LEAVES = range(35, 40)
PLANKS, CRAFTING_TABLE, FURNACE, PUMPKIN, CACTUS = range(40, 45)
TALL_GRASS, FERN, DEAD_BUSH, DANDELION, POPPY = range(50, 55)
BROWN_MUSHROOM, RED_MUSHROOM, REEDS, SNOW_LAYER, VINE, LILY_PAD = range(55, 61)
DOUBLE_PLANT, DOUBLE_PLANT_TOP, SAPLING = range(61, 64)
# Fluids: a source, then what flows with falling level, then what falls.
WATER, WATER_1, WATER_7, WATER_FALL = 70, 71, 77, 78
LAVA, LAVA_1, LAVA_3, LAVA_FALL = 80, 81, 83, 84

LOGS = (OAK_LOG, BIRCH_LOG, SPRUCE_LOG, JUNGLE_LOG, ACACIA_LOG)
LEAVES = (OAK_LEAVES, BIRCH_LEAVES, SPRUCE_LEAVES, JUNGLE_LEAVES, ACACIA_LEAVES)
PLANTS = (
    TALL_GRASS, FERN, DEAD_BUSH, DANDELION, POPPY, BROWN_MUSHROOM, RED_MUSHROOM, REEDS,
    DOUBLE_PLANT, DOUBLE_PLANT_TOP, SAPLING, VINE, LILY_PAD,
)  # fmt: skip
"""What a body passes through, a crosshair meets, and that breaks at once."""

NAMES: dict[int, str] = {
    value: name.lower()
    for name, value in sorted(vars().items())
    if name.isupper() and isinstance(value, int)
}
"""Name of each block, for people and messages."""

HAND, PICKAXE = 0, 1
"""Which tool a block asks for."""


def _table(dtype, default, entries: dict) -> np.ndarray:
    table = np.full(256, default, dtype)
    for block, value in entries.items():
        table[block] = value
    table.setflags(write=False)
    return table


WATERS = tuple(range(WATER, WATER_FALL + 1))
LAVAS = tuple(range(LAVA, LAVA_FALL + 1))
FLUIDS = (*WATERS, *LAVAS)
_ROCKS = (STONE, GRANITE, DIORITE, ANDESITE)
_ORES = tuple(range(COAL_ORE, EMERALD_ORE + 1))

WATERY = _table(np.bool_, False, dict.fromkeys(WATERS, True))
"""Water, still or flowing."""

FIERY = _table(np.bool_, False, dict.fromkeys(LAVAS, True))
"""Lava, still or flowing."""

SOLID = _table(
    np.bool_, True, dict.fromkeys((AIR, SNOW_LAYER, *PLANTS, *FLUIDS), False)
)
"""Stops bodies; a full cube."""

OPAQUE = _table(
    np.bool_, True, dict.fromkeys((AIR, SNOW_LAYER, *PLANTS, *FLUIDS, ICE), False)
)
"""Stops light from the sky; leaves count (fast graphics)."""

REPLACEABLE = _table(
    np.bool_,
    False,
    dict.fromkeys((AIR, TALL_GRASS, FERN, DEAD_BUSH, VINE, SNOW_LAYER, *FLUIDS), True),
)
"""Falling blocks and flowing fluids may take its place."""

FALLS = _table(np.bool_, False, dict.fromkeys((SAND, RED_SAND, GRAVEL), True))
"""Falls when nothing is below."""

IS_LOG = _table(np.bool_, False, dict.fromkeys(LOGS, True))
IS_LEAVES = _table(np.bool_, False, dict.fromkeys(LEAVES, True))

HARDNESS = _table(
    np.float64,
    0.0,
    {
        **dict.fromkeys((DIRT, SAND, RED_SAND, PODZOL), 0.5),
        **dict.fromkeys((GRASS, GRAVEL, CLAY), 0.6),
        **dict.fromkeys(LEAVES, 0.2),
        **dict.fromkeys((*LOGS, PLANKS, COBBLESTONE, MOSSY_COBBLESTONE), 2.0),
        **dict.fromkeys(_ROCKS, 1.5),
        **dict.fromkeys(_ORES, 3.0),
        **dict.fromkeys((AIR, *FLUIDS, BEDROCK), -1.0),
        CRAFTING_TABLE: 2.5, FURNACE: 3.5, SANDSTONE: 0.8, OBSIDIAN: 50.0,
        HARDENED_CLAY: 1.25, ICE: 0.5, SNOW: 0.2, SNOW_LAYER: 0.1, CACTUS: 0.4,
        PUMPKIN: 1.0, VINE: 0.2,
    },
)  # fmt: skip
"""How long it takes to break; 0 breaks at once, -1 never does (or can't be hit)."""

TOOL = _table(
    np.uint8,
    HAND,
    dict.fromkeys(
        (*_ROCKS, *_ORES, COBBLESTONE, MOSSY_COBBLESTONE, OBSIDIAN, SANDSTONE, FURNACE,
         HARDENED_CLAY, ICE), PICKAXE,
    ),
)  # fmt: skip
"""Tool that is faster: `PICKAXE`, or `HAND` for none."""

LEVEL = _table(
    np.int8,
    -1,
    {
        **dict.fromkeys(
            (*_ROCKS, COBBLESTONE, MOSSY_COBBLESTONE, SANDSTONE, FURNACE, COAL_ORE,
             HARDENED_CLAY), 0,
        ),
        **dict.fromkeys((IRON_ORE, LAPIS_ORE), 1),
        **dict.fromkeys((GOLD_ORE, REDSTONE_ORE, DIAMOND_ORE, EMERALD_ORE), 2),
        OBSIDIAN: 3,
    },
)  # fmt: skip
"""Pickaxe that it takes to get something: 0 wooden, 1 stone, 2 iron; -1 none."""


class _Drops:
    item = np.full(256, -1, np.int16)
    low = np.zeros(256, np.uint8)
    high = np.zeros(256, np.uint8)
    chance = np.ones(256, np.float64)


def _drop(blocks, name: str, low: int = 1, high: int = 1, chance: float = 1.0) -> None:
    for block in blocks:
        _Drops.item[block], _Drops.chance[block] = ITEM[name], chance
        _Drops.low[block], _Drops.high[block] = low, high


_drop((STONE, COBBLESTONE), "cobblestone")
_drop((GRANITE, DIORITE, ANDESITE), "stone")
_drop((DIRT, GRASS, PODZOL), "dirt")
_drop((SAND, RED_SAND), "sand")
_drop((GRAVEL,), "gravel")  # or flint, see DROP_FLINT
_drop((CLAY,), "clay_ball", 4, 4)
_drop((COAL_ORE,), "coal")
_drop((IRON_ORE,), "iron_ore")
_drop((GOLD_ORE,), "gold_ore")
_drop((REDSTONE_ORE,), "redstone", 4, 5)
_drop((LAPIS_ORE,), "dye", 4, 8)
_drop((DIAMOND_ORE,), "diamond")
_drop((EMERALD_ORE,), "emerald")
_drop((OAK_LOG, BIRCH_LOG, SPRUCE_LOG, JUNGLE_LOG), "log")
_drop((ACACIA_LOG,), "log2")
_drop(LEAVES, "sapling", chance=0.05)
_drop((TALL_GRASS, FERN, DOUBLE_PLANT), "wheat_seeds", chance=0.125)
_drop((DEAD_BUSH,), "stick", 0, 2)
_drop((DANDELION,), "yellow_flower")
_drop((POPPY,), "red_flower")
for _name, _block in {
    "brown_mushroom": BROWN_MUSHROOM, "red_mushroom": RED_MUSHROOM, "reeds": REEDS,
    "cactus": CACTUS, "planks": PLANKS, "crafting_table": CRAFTING_TABLE,
    "furnace": FURNACE, "sandstone": SANDSTONE, "obsidian": OBSIDIAN,
    "pumpkin": PUMPKIN, "waterlily": LILY_PAD, "sapling": SAPLING,
    "mossy_cobblestone": MOSSY_COBBLESTONE, "hardened_clay": HARDENED_CLAY,
}.items():  # fmt: skip
    _drop((_block,), _name)
_drop((SNOW,), "snowball", 4, 4)

DROP_ITEM, DROP_CHANCE = _Drops.item, _Drops.chance
DROP_LOW, DROP_HIGH = _Drops.low, _Drops.high
"""What breaking gives: an item (-1: nothing), how many, and how likely."""

DROP_FLINT = 0.1  # of gravel, instead of itself
DROP_APPLE = 0.005  # of oak leaves, besides the sapling

PLACES: dict[str, int] = {
    "dirt": DIRT, "crafting_table": CRAFTING_TABLE, "furnace": FURNACE,
    "cobblestone": COBBLESTONE, "stone": STONE, "planks": PLANKS, "log": OAK_LOG,
    "log2": ACACIA_LOG, "sand": SAND, "gravel": GRAVEL, "sandstone": SANDSTONE,
}  # fmt: skip
"""Block that an item becomes when it is placed."""
