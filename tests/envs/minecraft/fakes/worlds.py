"""The voxel world with accidents, for both sides of a comparison."""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend


class Accidents(VoxelBackend):
    """Voxel worlds in which something happens at certain steps of the whole run.

    Args:
        drops: steps at which the player is lifted 60 blocks up, to fall to death.
        losses: steps at which the game is lost.
        gifts: items and counts that the player gets, by step.
        **settings: of `VoxelBackend`.
    """

    def __init__(self, *, drops=(), losses=(), gifts=None, **settings):
        super().__init__(**settings)
        self.drops, self.losses, self.gifts = set(drops), set(losses), gifts or {}
        self.steps = 0

    def step(self, command):
        self.steps += 1
        if self.steps in self.drops:
            self.state.body[st.Y] += 60
        for name, count in self.gifts.get(self.steps, ()):
            rules.add(self.state.slots, ITEM[name], count)
        raw = super().step(command)
        return raw._replace(lost=True) if self.steps in self.losses else raw


KIT = [("log", 12), ("cobblestone", 24), ("iron_ore", 4), ("coal", 1), ("dirt", 9)]
EVENTFUL = {
    "seed": 3,
    "drops": (230, 2300),
    "losses": (330, 1500),
    "gifts": {20: KIT, 100: [("diamond", 1)], 500: KIT, 1700: KIT},
}
"""Settings of `Accidents` for a run with deaths, losses and all milestones."""

CRAFTING = """
    turn_down turn_down turn_down craft_planks craft_planks craft_planks craft_stick
    craft_stick craft_crafting_table place_crafting_table craft_wooden_pickaxe
    craft_stone_pickaxe craft_furnace turn_left turn_left place_furnace noop
    smelt_iron_ingot smelt_iron_ingot smelt_iron_ingot turn_right turn_right
    craft_planks craft_stick craft_iron_pickaxe equip_iron_pickaxe equip_stone_pickaxe
    turn_up turn_up turn_up place_dirt
"""
"""What makes everything from the first `KIT` but the diamond."""
