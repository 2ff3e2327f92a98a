"""Rules of MineRL's abstract commands, on slots and poses; every backend shares them.

Slots are int `[n, 3]`: item (index of `items.NAMES`), count, damage; a count of 0 is an
empty slot. The functions change slots in place, and only when they return success.

Source: mod source of MineRL 0.4.4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamerv3_tf.envs.minecraft.items import (
    AIR,
    BURN,
    INVENTORY,
    ITEM,
    NAMES,
    RECIPES,
    SMELT,
    STACK,
    YIELD,
)

HAND = ("planks", "stick", "crafting_table")
"""What `craft` makes without a table; `nearbyCraft` makes all of `RECIPES`."""

SMELTS = {"iron_ingot": "iron_ore"}
"""What `nearbySmelt` makes, and from what."""

NEAR = 5.0  # blocks from the head to the centre of a table or furnace
HEAD = 1.6  # blocks above the feet; the eye itself is at 1.62
CONE = 65.0  # degrees up, down and to each side: half of the field of view
ROUNDING = 1e-9  # so that exactly 5 blocks and exactly 65 degrees are inside

_FUEL = {ITEM[name]: ticks for name, ticks in BURN.items()}
_SIZE = {ITEM[name]: size for name, size in STACK.items()}
_COLUMN = np.array([INVENTORY.index("log" if n == "log2" else n) for n in NAMES])


def nearby(
    x: float, y: float, z: float, yaw: float, pitch: float, centre: Sequence[float]
) -> bool:
    """Whether a placed table or furnace is close enough and in view.

    Walls don't matter. The mod projects the block onto the planes of yaw and pitch with
    one factor cos(pitch) too many, so only a part of the sideways or upward component
    is removed when the player looks up or down; the same is done here.

    Args:
        x: of the feet, blocks.
        y: of the feet.
        z: of the feet.
        yaw: degrees, 0 looks along +z, 90 along -x.
        pitch: degrees, positive looks down.
        centre: of the block, `(x, y, z)`.
    """
    block = np.asarray(centre, np.float64) - (x, y + HEAD, z)
    if np.linalg.norm(block) > NEAR + ROUNDING:
        return False
    turn, tilt = np.radians(yaw), np.radians(pitch)
    c = np.cos(tilt)
    look = np.array([-np.sin(turn) * c, -np.sin(tilt), np.cos(turn) * c])
    sideways = np.array([-np.cos(turn), 0.0, -np.sin(turn)])
    upward = np.cross(sideways, look)
    if look @ block <= 0:
        return False
    upright = block - c * (sideways @ block) * sideways
    level = block - c * (upward @ block) * upward
    return _angle(upright, look) <= CONE and _angle(level, look) <= CONE


def _angle(one: np.ndarray, look: np.ndarray) -> float:
    """Degrees between a vector and a unit vector, less what rounding may add."""
    cosine = one @ look / np.linalg.norm(one)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) - ROUNDING


def counts(slots: np.ndarray) -> np.ndarray:
    """The observation of some slots: int32 `[391]`, where an empty slot is one `air`.

    Args:
        slots: int `[n, 3]`.
    """
    result = np.zeros(len(INVENTORY), np.int32)
    full = slots[:, 1] > 0
    np.add.at(result, _COLUMN[slots[full, 0]], slots[full, 1])
    result[_COLUMN[AIR]] += len(slots) - np.count_nonzero(full)
    return result


def count(slots: np.ndarray, names: Sequence[str]) -> int:
    """How many pieces of some items there are in all slots."""
    return int(slots[_holds(slots, names), 1].sum())


def add(slots: np.ndarray, item: int, amount: int, damage: int = 0) -> int:
    """Puts pieces into slots: on stacks with room first, then into empty slots.

    Args:
        slots: int `[n, 3]`, of those that may be filled.
        item: index of `items.NAMES`.
        amount: number of pieces.
        damage: of a tool, uses so far.

    Returns:
        Pieces that found no room.
    """
    limit = _SIZE.get(item, 64)
    while amount > 0:
        same = (slots[:, 0] == item) & (slots[:, 2] == damage) & (slots[:, 1] > 0)
        room = np.flatnonzero(same & (slots[:, 1] < limit))
        if not room.size:
            room = np.flatnonzero(slots[:, 1] <= 0)
        if not room.size:
            break
        row = slots[room[0]]
        held = max(0, int(row[1]))
        moved = min(amount, limit - held)
        row[:] = item, held + moved, damage
        amount -= moved
    return amount


def remove(slots: np.ndarray, names: Sequence[str], amount: int) -> bool:
    """Takes pieces slot by slot from slot 0 up; nothing where there are too few."""
    if count(slots, names) < amount:
        return False
    for index in np.flatnonzero(_holds(slots, names)).tolist():
        taken = min(amount, int(slots[index, 1]))
        _take(slots, index, taken)
        amount -= taken
    return True


def craft(slots: np.ndarray, product: str) -> bool:
    """Makes a product of `items.RECIPES`; shape and place are the caller's business.

    Returns:
        Whether the recipe exists and all ingredients were there.
    """
    bill = RECIPES.get(product, ())
    if not bill or any(count(slots, names) < amount for names, amount in bill):
        return False
    for names, amount in bill:
        remove(slots, names, amount)
    add(slots, ITEM[product], YIELD.get(product, 1))
    return True


def smelt(
    slots: np.ndarray, fuel: int, product: str = "iron_ingot"
) -> tuple[bool, int]:
    """Smelts one piece at once, with whatever burns, in the order of the slots.

    Args:
        slots: int `[n, 3]`.
        fuel: ticks left over from earlier smelting.
        product: what to make, of `SMELTS`.

    Returns:
        Whether it worked, and the ticks that are left over now.
    """
    source = SMELTS.get(product)
    if source is None or not count(slots, (source,)):
        return False, fuel
    if fuel + burn_time(slots) < SMELT:
        return False, fuel
    remove(slots, (source,), 1)
    fuel -= SMELT
    while fuel < 0:
        index = next(i for i, row in enumerate(slots) if _burns(row))
        fuel += _FUEL[int(slots[index, 0])]
        _take(slots, index, 1)
    add(slots, ITEM[product], 1)
    return True, fuel


def burn_time(slots: np.ndarray) -> int:
    """Ticks that everything in the slots would burn."""
    return sum(_FUEL[int(row[0])] * int(row[1]) for row in slots if _burns(row))


def equip(slots: np.ndarray, name: str) -> bool:
    """Swaps slot 0, the hand, with the first slot that holds the item."""
    found = np.flatnonzero(_holds(slots, (name,)))
    if not found.size:
        return False
    slots[[0, found[0]]] = slots[[found[0], 0]]
    return True


def _holds(slots: np.ndarray, names: Sequence[str]) -> np.ndarray:
    wanted = [ITEM[name] for name in names if name in ITEM]
    return np.isin(slots[:, 0], wanted) & (slots[:, 1] > 0)


def _burns(row: np.ndarray) -> bool:
    return int(row[1]) > 0 and int(row[0]) in _FUEL


def _take(slots: np.ndarray, index: int, amount: int) -> None:
    """Removes pieces of one slot; an empty slot is all zeros."""
    slots[index, 1] -= amount
    if slots[index, 1] <= 0:
        slots[index] = 0
