"""MineRL's abstract commands as chat commands of the game.

The game knows no crafting by name, so we check the rules ourselves (`rules.py`) and
then take the ingredients and give the product. What happens shows in the inventory a
tick or two later, so an order is confirmed by what is observed then.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.craftground.names import Inventory
from dreamerv3_tf.envs.minecraft.items import ITEM, YIELD

Cell = tuple[int, int, int]


class Order(NamedTuple):
    """Chat commands, and how to see that they worked.

    Attributes:
        commands: without a slash, in order.
        item: name in 1.11 of what the order changes.
        before: its count until then, or -1 where the order puts it into the hand.
        fuel: ticks that are left in the furnace afterwards.
        station: table or furnace that is needed; it is gone where the order fails.
        placed: name and cell of what is placed.
    """

    commands: tuple[str, ...]
    item: str
    before: int = -1
    fuel: int | None = None
    station: Cell | None = None
    placed: tuple[str, Cell] | None = None

    def worked(self, inventory: Inventory) -> bool:
        """Whether the inventory shows that the order was carried out."""
        if self.before < 0:
            return inventory.held() == self.item
        now = inventory.count(self.item)
        return now < self.before if self.placed else now > self.before


def craft(
    inventory: Inventory, product: str, station: Cell | None = None
) -> Order | None:
    """Makes something of `items.RECIPES`; None where ingredients are missing.

    Args:
        inventory: what is there.
        product: name in 1.11.
        station: crafting table that must still be there.
    """
    slots = inventory.slots.copy()
    if not rules.craft(slots, product):
        return None
    return _exchange(inventory, slots, product, station, "crafting_table")


def smelt(inventory: Inventory, fuel: int, product: str, station: Cell) -> Order | None:
    """Smelts one piece; None where ore or fuel is missing.

    Args:
        inventory: what is there.
        fuel: ticks left over from earlier smelting.
        product: name in 1.11.
        station: furnace that must still be there.
    """
    slots = inventory.slots.copy()
    done, left = rules.smelt(slots, fuel, product)
    if not done:
        return None
    order = _exchange(inventory, slots, product, station, "furnace")
    return order._replace(fuel=left)


def equip(inventory: Inventory, name: str) -> Order | None:
    """Swaps the hand with the first slot that holds the item; None where there is none.

    The first slot of the ender chest, which nobody opens, lends its place.
    """
    if name not in ITEM:
        return None
    found = np.flatnonzero(
        (inventory.slots[:, 0] == ITEM[name]) & (inventory.slots[:, 1] > 0)
    )
    if not found.size or found[0] == 0:
        return None
    hand, slot, spare = "hotbar.0", _slot(int(found[0])), "enderchest.0"
    start = "item replace entity @p"
    if not inventory.ids[0]:
        moves = (f"{hand} from entity @p {slot}", f"{slot} with minecraft:air")
    else:
        moves = (
            f"{spare} from entity @p {hand}",
            f"{hand} from entity @p {slot}",
            f"{slot} from entity @p {spare}",
            f"{spare} with minecraft:air",
        )
    return Order(tuple(f"{start} {move}" for move in moves), name)


def place(inventory: Inventory, name: str, cell: Cell) -> Order | None:
    """Puts a block into a cell; None where there is none to put.

    The game itself checks that the cell is free. Taking the item comes first: had the
    block been placed before, the cell would not be free any more.
    """
    found = np.flatnonzero(
        (inventory.slots[:, 0] == ITEM.get(name, -1)) & (inventory.slots[:, 1] > 0)
    )
    if not found.size or not inventory.blocks[found[0]]:
        return None
    block = inventory.ids[found[0]]
    x, y, z = cell
    volume = f"type=!minecraft:item,x={x},y={y},z={z},dx=0,dy=0,dz=0"
    free = (
        f"execute if block {x} {y} {z} #minecraft:replaceable "
        f"unless entity @e[{volume}] run "
    )
    commands = (
        f"{free}clear @p minecraft:{block} 1",
        f"{free}setblock {x} {y} {z} minecraft:{block}",
    )
    return Order(commands, name, inventory.count(name), placed=(name, cell))


def _exchange(
    inventory: Inventory,
    slots: np.ndarray,
    product: str,
    station: Cell | None,
    block: str,
) -> Order:
    """The order that turns the inventory into `slots`, by one product more."""
    removed = _removed(inventory, slots)
    near = ""
    if station is not None:
        x, y, z = station
        near = f"execute if block {x} {y} {z} minecraft:{block} run "
    amount = YIELD.get(product, 1)
    given = _product(product, list(removed))
    commands = [f"clear @p minecraft:{name} {n}" for name, n in removed.items()]
    commands.append(f"give @p minecraft:{given} {amount}")
    return Order(
        tuple(near + command for command in commands),
        product,
        inventory.count(product),
        station=station,
    )


def _removed(inventory: Inventory, after: np.ndarray) -> Counter[str]:
    """How many pieces of each item of the game have to go."""
    removed: Counter[str] = Counter()
    for index, (old, new) in enumerate(zip(inventory.slots, after, strict=True)):
        kept = new[1] if old[0] == new[0] else 0
        if old[1] > kept:
            removed[inventory.ids[index]] += int(old[1] - kept)
    return removed


def _product(name: str, ingredients: list[str]) -> str:
    """Name of a product in the game; planks are of the wood they come from."""
    if name != "planks":
        return name
    wood = ingredients[0].removeprefix("stripped_")
    return f"{wood.rpartition('_')[0]}_planks"


def _slot(index: int) -> str:
    """Name of a slot in the game's commands."""
    if index < 9:
        return f"hotbar.{index}"
    if index < 36:
        return f"inventory.{index - 9}"
    armour = ("armor.feet", "armor.legs", "armor.chest", "armor.head")
    return (*armour, "weapon.offhand")[index - 36]
