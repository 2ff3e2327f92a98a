"""What the task asks of a Minecraft, and what it gets back; see `task.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

Command = Mapping[str, Any]
"""An action in MineRL's words: `camera` (pitch, yaw) in degrees, the keys `forward`,
`back`, `left`, `right`, `jump`, `sneak`, `attack` (0 or 1), and `place`, `equip`,
`craft`, `nearbyCraft`, `nearbySmelt` with the name of an item or `none`."""

KEYS = ("forward", "back", "left", "right", "jump", "sneak", "attack")
CHOICES = ("place", "equip", "craft", "nearbyCraft", "nearbySmelt")
NOOP: dict[str, Any] = {
    "camera": (0.0, 0.0),
    **dict.fromkeys(KEYS, 0),
    **dict.fromkeys(CHOICES, "none"),
}


class Raw(NamedTuple):
    """What a backend sees after a reset or a step.

    Attributes:
        image: uint8 `[size, size, 3]`, first person, without any display on it.
        inventory: int `[391]`, counts in the order of `items.INVENTORY`.
        equipped: index into `items.EQUIPPED` of what the hand holds.
        life: half hearts, 0 to 20.
        food: half drumsticks, 0 to 20.
        air: ticks of breath left, 300 where there is plenty.
        position: float64 `[5]`: x, y (of the feet), z, yaw, pitch; blocks and degrees.
        dead: the player has died.
        lost: the game was lost, not by the player's doing; a new episode must begin.
    """

    image: np.ndarray
    inventory: np.ndarray
    equipped: int
    life: float
    food: float
    air: float
    position: np.ndarray
    dead: bool = False
    lost: bool = False


class Backend(Protocol):
    """A Minecraft that speaks MineRL's words.

    Attributes:
        name: `voxel`, `minerl` or `craftground`.
    """

    name: str

    def reset(self) -> Raw:
        """A new episode in a new world."""
        ...

    def step(self, command: Command) -> Raw:
        """One tick, 1/20 s of the game."""
        ...

    def picture(self, size: int) -> np.ndarray:
        """Picture for people, uint8 `[size, size, 3]`, with a display where possible.

        Raises:
            EnvError: there is none.
        """
        ...

    def snapshot(self) -> dict[str, np.ndarray]:
        """All that is needed to go on from here, as arrays.

        Raises:
            EnvError: the backend can't.
        """
        ...

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a snapshot, of this process or another."""
        ...

    def close(self) -> None: ...
