"""Places of items in the observed vectors."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY

MILESTONES: tuple[str, ...] = (
    "log", "planks", "stick", "crafting_table", "wooden_pickaxe", "cobblestone",
    "stone_pickaxe", "iron_ore", "furnace", "iron_ingot", "iron_pickaxe", "diamond",
)  # fmt: skip
"""Items on the way to a diamond, in the order in which most players get them."""

LOGGED: tuple[str, ...] = ("log", "cobblestone", "iron_ingot", "diamond")
"""Items whose counts are logged."""

INDEX: dict[str, int] = {name: index for index, name in enumerate(INVENTORY)}
"""Place of an item in `inventory` and `inventory_max`."""

MILESTONE_INDEX = np.array([INDEX[name] for name in MILESTONES])

HELD = np.eye(len(EQUIPPED), dtype=np.float32)
"""The observation `equipped` for each index of `items.EQUIPPED`."""

HELD.setflags(write=False)
