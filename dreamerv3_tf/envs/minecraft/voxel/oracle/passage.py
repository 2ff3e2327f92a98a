"""What it takes to get through a cell, or to stand in it: costs for the oracle, ticks.

Cells beside lava are out of the question, water is slow, and what lies loose above
falls down.
"""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT

NEVER = 1e6  # ticks; more than any way takes
WALK, JUMP, RISE = 5.0, 8.0, 8.0
DIG, DIG_BARE, DIG_HARD, DIG_STATION = 7.0, 15.0, 300.0, 60.0
FLOOD, LOOSE, SWIM, DIVE, EDGE = 40.0, 8.0, 10.0, 60.0, 25.0
CAVE, OPEN = 50.0, 15.0  # in a cave, and for each side that is open to one
COVER = 8  # blocks below the open sky where a cave begins


@inner
def get(vox, x, y, z):
    """Block of a cell, air above the world; `y` is not negative.

    Like `state.get`, but handing on one array is much cheaper than a whole state.
    """
    return vox[x & 127, z & 127, y] if y < HEIGHT else blocks.AIR


@inner
def has_tool(tier, block):
    """Whether the best pickaxe (-1: none) gets something out of a block."""
    return tier >= blocks.LEVEL[block]


@inner
def clear_cost(vox, x, y, z, tier):
    """Ticks until a body can pass through a cell; `NEVER` where it must stay closed."""
    block = get(vox, x, y, z)
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
    if blocks.FALLS[get(vox, x, y + 1, z)]:
        cost += LOOSE
    return cost + _leak(vox, x, y, z)


@inner
def _leak(vox, x, y, z):
    """Cost of the fluids that would come through an opened cell."""
    cost = 0.0
    for side in range(6):
        block = _beside(vox, x, y, z, side)
        if blocks.FIERY[block]:
            return NEVER
        if blocks.WATERY[block] and side != 2:
            cost = FLOOD
    return cost


@inner
def _beside(vox, x, y, z, face):
    """Block on a face of a cell."""
    side = 1 if face & 1 else -1
    if face < 2:
        return get(vox, x + side, y, z)
    if face < 4:
        return get(vox, x, y + side, z)
    return get(vox, x, y, z + side)


@inner
def stand_cost(vox, roof, x, y, z):
    """Ticks that a cell costs a body besides the way; `NEVER` where none can be.

    There must be a floor, or water around the feet; no lava beside feet or head, and
    better none near the floor. Caves are full of monsters.
    """
    floor = get(vox, x, y - 1, z)
    wet = blocks.WATERY[get(vox, x, y, z)]
    if not wet and (not blocks.SOLID[floor] or floor == blocks.CACTUS):
        return NEVER
    cost = SWIM if wet else 0.0
    if blocks.WATERY[get(vox, x, y + 1, z)]:
        cost += DIVE
    covered = y + COVER < roof[x & 127, z & 127]
    if covered and not blocks.SOLID[get(vox, x, y, z)]:
        cost += CAVE
    if not wet and blocks.FALLS[floor] and not blocks.SOLID[get(vox, x, y - 2, z)]:
        cost += LOOSE
    for i in range(x - 1, x + 2):
        for k in range(z - 1, z + 2):
            touches = i == x or k == z
            cost += _danger(vox, i, y, k, touches)
            if covered and touches:
                cost += OPEN * _is_open(vox, i, y, k)
    if covered and not blocks.SOLID[get(vox, x, y + 2, z)]:
        cost += OPEN
    return cost if cost < NEVER else NEVER


@inner
def _is_open(vox, x, y, z):
    """Whether one can see through a cell or the one above."""
    feet, head = get(vox, x, y, z), get(vox, x, y + 1, z)
    return not (blocks.SOLID[feet] and blocks.SOLID[head])


@inner
def _danger(vox, x, y, z, touches):
    """Cost of a column beside a body: lava and cactus at its height, lava below."""
    cost = 0.0
    for level in range(y - 1, y + 3):
        block = get(vox, x, level, z)
        if blocks.FIERY[block]:
            cost += NEVER if touches and level >= y else EDGE
        elif block == blocks.CACTUS and touches:
            cost += EDGE
    return cost


@inner
def is_among(cells, x, y, z):
    """Whether a cell is in a list of cells, int64 `[n, 3]`."""
    for row in range(cells.shape[0]):
        if cells[row, 0] == x and cells[row, 1] == y and cells[row, 2] == z:
            return True
    return False
