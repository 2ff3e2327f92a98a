"""The games: their names, and an emulator with one of them in it."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterable
from typing import Any

from dreamerv3_tf import values
from dreamerv3_tf.envs.base import EnvError, require

INSTALL = "ale-py"

GAMES = (
    "alien", "amidar", "assault", "asterix", "asteroids", "atlantis", "bank_heist",
    "battle_zone", "beam_rider", "berzerk", "bowling", "boxing", "breakout",
    "centipede", "chopper_command", "crazy_climber", "defender", "demon_attack",
    "double_dunk", "enduro", "fishing_derby", "freeway", "frostbite", "gopher",
    "gravitar", "hero", "ice_hockey", "jamesbond", "kangaroo", "krull",
    "kung_fu_master", "montezuma_revenge", "ms_pacman", "name_this_game", "phoenix",
    "pitfall", "pong", "private_eye", "qbert", "riverraid", "road_runner", "robotank",
    "seaquest", "skiing", "solaris", "space_invaders", "star_gunner", "surround",
    "tennis", "time_pilot", "tutankham", "up_n_down", "venture", "video_pinball",
    "wizard_of_wor", "yars_revenge", "zaxxon",
)  # fmt: skip
"""The 57 games of the paper, as the published scores spell them."""


def load(name: str, seed: int) -> Any:
    """An emulator with a game in it, and without messages.

    The package brings the games; `ALE_ROMS_DIR` names another folder of them.

    Raises:
        EnvError: unknown game, the package is missing, or the file of the game is.
    """
    package = require("ale_py", INSTALL)
    roms = require("ale_py.roms", INSTALL)
    file = f"{find_game(name, roms.get_all_rom_ids())}.bin"
    folder = os.environ.get("ALE_ROMS_DIR") or roms.__path__[0]
    path = pathlib.Path(folder, file)
    interface = package.ALEInterface
    interface.setLoggerMode(package.LoggerMode.Error)
    if not path.is_file() or interface.isSupportedROM(path) is None:
        raise EnvError(
            f"{path} holds no game for one player that ale-py knows. Take another "
            "game, or unset ALE_ROMS_DIR to use the files of the package."
        )
    emulator = interface()
    emulator.setInt("random_seed", seed)
    emulator.setFloat("repeat_action_probability", 0.0)  # see `Atari`
    emulator.loadROM(path)
    return emulator


def find_game(name: str, known: Iterable[str]) -> str:
    """The name of a game as the package spells it: `James Bond` is `jamesbond`.

    Raises:
        EnvError: no such game.
    """
    games = {_letters(game): game for game in known}
    if _letters(name) not in games:
        raise EnvError(
            f"No Atari game '{name}'.{values.nearest(name, games.values())} "
            f"Games of the paper: {', '.join(GAMES)}."
        )
    return games[_letters(name)]


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
