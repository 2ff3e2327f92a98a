"""The actions of the agent, and how they become commands.

Source: `minecraft_flat.py` of the reference and diamond_env 1.0.3, which agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamerv3_tf.envs.minecraft.backend import NOOP, Command

ANGLE = 15  # degrees of one turn

ACTIONS: dict[str, Command] = {
    "noop": {},
    "attack": {"attack": 1},
    "turn_up": {"camera": (-ANGLE, 0)},
    "turn_down": {"camera": (ANGLE, 0)},
    "turn_left": {"camera": (0, -ANGLE)},
    "turn_right": {"camera": (0, ANGLE)},
    "forward": {"forward": 1},
    "back": {"back": 1},
    "left": {"left": 1},
    "right": {"right": 1},
    "jump": {"jump": 1, "forward": 1},
    "place_dirt": {"place": "dirt"},
    "craft_planks": {"craft": "planks"},
    "craft_stick": {"craft": "stick"},
    "craft_crafting_table": {"craft": "crafting_table"},
    "place_crafting_table": {"place": "crafting_table"},
    "craft_wooden_pickaxe": {"nearbyCraft": "wooden_pickaxe"},
    "craft_stone_pickaxe": {"nearbyCraft": "stone_pickaxe"},
    "craft_iron_pickaxe": {"nearbyCraft": "iron_pickaxe"},
    "equip_stone_pickaxe": {"equip": "stone_pickaxe"},
    "equip_wooden_pickaxe": {"equip": "wooden_pickaxe"},
    "equip_iron_pickaxe": {"equip": "iron_pickaxe"},
    "craft_furnace": {"nearbyCraft": "furnace"},
    "place_furnace": {"place": "furnace"},
    "smelt_iron_ingot": {"nearbySmelt": "iron_ingot"},
}
"""What each of the 25 actions changes of `backend.NOOP`, in their order."""

NAMES: tuple[str, ...] = tuple(ACTIONS)
"""Action `i` of the agent is `NAMES[i]`."""

BASIC = 12
"""The first so many actions serve the tasks without crafting."""

REPEATED = ("attack", "forward", "back", "left", "right")
"""Keys that stay pressed when an action is repeated."""

COMMANDS: tuple[Command, ...] = tuple({**NOOP, **change} for change in ACTIONS.values())
"""The whole command of each action."""


class Controls:
    """Turns actions into commands: keys that stick, and a limit on looking up and down.

    - An attack holds the key for `sticky_attack` steps and keeps jumps from beginning.
    - A jump holds jump and forward for `sticky_jump` steps, whatever else is chosen.
    - A turn that would bring the pitch out of its limit keeps its yaw part only. The
      pitch is a sum of our own, 0 after `reset`.

    Commands are made once and given out again; nobody may change them.

    Args:
        sticky_attack: steps; 0 or 1 does nothing.
        sticky_jump: steps; 0 or 1 does nothing but for `jump` itself.
        pitch_limit: lowest and highest pitch, degrees, positive looks down.
    """

    def __init__(
        self, sticky_attack: int, sticky_jump: int, pitch_limit: Sequence[float]
    ):
        self.sticky_attack, self.sticky_jump = sticky_attack, sticky_jump
        self.low, self.high = pitch_limit
        self.attack = self.jump = 0  # steps that the keys are still held
        self.pitch = 0.0
        self._known: dict[tuple[int, bool, bool, bool], Command] = {}

    def reset(self) -> None:
        """Lets go of all keys and looks straight ahead."""
        self.attack = self.jump = 0
        self.pitch = 0.0

    def command(self, index: int) -> Command:
        """The command for an action at this moment."""
        plain = COMMANDS[index]
        if plain["attack"]:
            self.attack = self.sticky_attack
        attacks = self.attack > 0
        self.attack -= attacks
        if plain["jump"] and not attacks:
            self.jump = self.sticky_jump
        jumps = self.jump > 0
        self.jump -= jumps
        turn = plain["camera"][0]
        refused = bool(turn) and not self.low <= self.pitch + turn <= self.high
        if not refused:
            self.pitch += turn
        if not (attacks or jumps or refused):
            return plain
        key = (index, attacks, jumps, refused)
        if key not in self._known:
            self._known[key] = _changed(plain, attacks, jumps, refused)
        return self._known[key]

    def state(self) -> np.ndarray:
        """Everything it remembers, float64 `[3]`."""
        return np.array([self.attack, self.jump, self.pitch], np.float64)

    def restore(self, state: np.ndarray) -> None:
        """Goes on from `state()`."""
        self.attack, self.jump, self.pitch = int(state[0]), int(state[1]), state[2]


def _changed(plain: Command, attacks: bool, jumps: bool, refused: bool) -> Command:
    command = dict(plain)
    if attacks:
        command |= {"attack": 1, "jump": 0}
    if jumps:
        command |= {"jump": 1, "forward": 1}
    if refused:
        command["camera"] = (0, command["camera"][1])
    return command


def repeated(command: Command) -> Command:
    """What is sent when a command is repeated: held keys, no turns and no crafting."""
    return {**NOOP, **{key: command[key] for key in REPEATED}}
