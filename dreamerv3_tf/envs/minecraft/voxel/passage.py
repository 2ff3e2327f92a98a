"""What it takes to get through a cell, or to stand in it: costs for the oracle, ticks.

Cells beside lava are out of the question, water is slow, and what lies loose above
falls down.
"""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import get, loaded

NEVER = 1e6  # ticks; more than any way takes
WALK, JUMP, RISE = 5.0, 8.0, 8.0
DIG, DIG_BARE, DIG_HARD, DIG_STATION = 7.0, 15.0, 300.0, 60.0
FLOOD, LOOSE, SWIM, DIVE, EDGE = 40.0, 8.0, 10.0, 60.0, 25.0


@inner
def has_tool(tier, block):
    """Whether the best pickaxe (-1: none) gets something out of a block."""
    return tier >= blocks.LEVEL[block]


@inner
def clear_cost(s, x, y, z, tier):
    """Ticks until a body can pass through a cell; `NEVER` where it must stay closed."""
    block = get(s, x, y, z)
    if blocks.FIERY[block]:
        return NEVER
    if not blocks.SOLID[block]:
        return SWIM if blocks.WATERY[block] else 0.0
    if blocks.HARDNESS[block] < 0.0:
        return NEVER
    cost = DIG if has_tool(tier, block) else DIG_BARE
    if block == blocks.OBSIDIAN or block == blocks.ICE:
        cost = DIG_HARD
    elif block == blocks.CRAFTING_TABLE or block == blocks.FURNACE:
        cost = DIG_STATION
    if blocks.FALLS[get(s, x, y + 1, z)]:
        cost += LOOSE
    return cost + _leak(s, x, y, z)


@inner
def _leak(s, x, y, z):
    """Cost of the fluids that would come through an opened cell."""
    cost = 0.0
    for side in range(6):
        block = _beside(s, x, y, z, side)
        if blocks.FIERY[block]:
            return NEVER
        if blocks.WATERY[block] and side != 2:
            cost = FLOOD
    return cost


@inner
def _beside(s, x, y, z, face):
    """Block on a face of a cell."""
    side = 1 if face & 1 else -1
    if face < 2:
        return get(s, x + side, y, z)
    if face < 4:
        return get(s, x, y + side, z)
    return get(s, x, y, z + side)


@inner
def stand_cost(s, x, y, z):
    """Ticks that a cell costs a body besides the way; `NEVER` where none can be.

    There must be a floor, or water around the feet; no lava beside feet or head, and
    better none near the floor.
    """
    if y < 1 or not loaded(s, x, z):
        return NEVER
    floor = get(s, x, y - 1, z)
    wet = blocks.WATERY[get(s, x, y, z)]
    if not wet and (not blocks.SOLID[floor] or floor == blocks.CACTUS):
        return NEVER
    cost = SWIM if wet else 0.0
    if blocks.WATERY[get(s, x, y + 1, z)]:
        cost += DIVE
    if not wet and blocks.FALLS[floor] and not blocks.SOLID[get(s, x, y - 2, z)]:
        cost += LOOSE
    for i in range(x - 1, x + 2):
        for k in range(z - 1, z + 2):
            cost += _danger(s, i, y, k, i == x or k == z)
    return cost if cost < NEVER else NEVER


@inner
def _danger(s, x, y, z, touches):
    """Cost of a column beside a body: lava and cactus at its height, lava below."""
    cost = 0.0
    for level in range(y - 1, y + 3):
        block = get(s, x, level, z)
        if blocks.FIERY[block]:
            cost += NEVER if touches and level >= y else EDGE
        elif block == blocks.CACTUS and touches:
            cost += EDGE
    return cost
