"""ViZDoom (Wydmuch et al. 2018): Doom from the first person, in small scenarios.

`vizdoom_basic`, `vizdoom_deadly_corridor` and so on: the scenarios that come with the
package, with their own rewards. Not in the paper; here it is what DMLab would be if it
could be installed by pip: first-person pictures, words (`vizdoom_basic_notifications`
says which monster to shoot, once), and a choice of actions. It needs no display.

Death and the goal are terminal, the scenario's time limit is not.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import os
import tempfile
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs import text
from dreamerv3_tf.envs.base import (
    Action,
    Env,
    EnvError,
    Obs,
    require,
    signal_spaces,
    signals,
)
from dreamerv3_tf.envs.hooks import Finding
from dreamerv3_tf.envs.wrappers import ResizeImage, TimeLimit
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count, Natural

SCENARIOS = (
    "basic",
    "basic_notifications",
    "deadly_corridor",
    "deathmatch",
    "defend_the_center",
    "defend_the_line",
    "health_gathering",
    "health_gathering_supreme",
    "my_way_home",
    "predict_position",
    "rocket_basic",
    "simpler_basic",
    "take_cover",
)
"""Scenarios of the package for one player."""

INSTALL = "vizdoom"
FAMILIES = ("Doom", "Heretic", "Hexen", "Strife", "Chex")  # games of the engine
SEEDS = 2**31  # of episodes


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 4,
    size: tuple[Count, Count] = (64, 64),
    buttons: Count = 1,
    notifications: Literal["auto", "on", "off"] = "auto",
    variables: bool = True,
    length: Natural = 0,
) -> Env:
    """One scenario.

    Args:
        name: of the scenario.
        seed: of the seeds of episodes.
        index: not used.
        repeat: tics of an action, of 35 in a second; rewards are summed.
        size: height and width of the picture, pixels.
        buttons: how many may be pressed at once; each combination is an action, and so
            is none.
        notifications: show what the game says in a step as a vector `notifications`
            (`text.py`); `auto` does where the scenario was written for it.
        variables: show the numbers that the scenario offers, such as health and
            ammunition, as a vector `variables`.
        length: steps after which an episode is cut; 0 leaves it to the scenario.

    Raises:
        EnvError: unknown scenario, or the package is missing.
    """
    del index
    if name not in SCENARIOS:
        raise EnvError(
            f"Task 'vizdoom_{name}': ViZDoom has no scenario '{name}'."
            f"{values.nearest(name, SCENARIOS)} Scenarios: {', '.join(SCENARIOS)}."
        )
    game = require("vizdoom", INSTALL)
    env = VizDoom(
        game,
        name,
        seed=seed,
        repeat=repeat,
        buttons=buttons,
        notifications=notifications,
        variables=variables,
    )
    return ResizeImage(TimeLimit(env, length), size, "box")


def requirements(settings: Mapping[str, Any]) -> list[Finding]:
    """What is needed of this machine; see `hooks.env_requirements`."""
    del settings
    there = importlib.util.find_spec("vizdoom") is not None
    version = importlib.metadata.version("vizdoom") if there else "is not installed"
    advice = f"Install it: pip install {INSTALL}"
    return [Finding("vizdoom", there, f"vizdoom {version}", advice)]


class VizDoom:
    """A scenario of the package as one of ours; other arguments as in `make`.

    The game, a program of its own, starts with the first episode. After the end it has
    no state, so the last observation repeats the one before.

    Args:
        package: the module `vizdoom`.
        name: of the scenario.
    """

    def __init__(
        self,
        package: Any,
        name: str,
        *,
        seed: int,
        repeat: int,
        buttons: int,
        notifications: Literal["auto", "on", "off"],
        variables: bool,
    ):
        self.rng, self.repeat = np.random.default_rng(seed), repeat
        # The engine writes its settings and more into folders, by default into ours.
        self.folder = tempfile.TemporaryDirectory(prefix="dreamerv3_tf-vizdoom-")
        self.game = game = open_game(package, name, self.folder.name)
        if notifications != "auto":
            game.set_notifications_buffer_enabled(notifications == "on")
        game.set_notifications_buffer_size(repeat)
        self.keys = {"image": "screen_buffer"}
        height, width = game.get_screen_height(), game.get_screen_width()
        self.obs_space = {"image": Space(np.dtype(np.uint8), (height, width, 3))}
        count = game.get_available_game_variables_size()
        if variables and count:
            self.keys["variables"] = "game_variables"
            self.obs_space["variables"] = Space(np.dtype(np.float32), (count,))
        if game.is_notifications_buffer_enabled():
            self.keys["notifications"] = "notifications_buffer"
            self.obs_space["notifications"] = text.SPACE
        self.obs_space |= signal_spaces()
        self.choices = combinations(package, game.get_available_buttons(), buttons)
        self.act_space = {"action": Space(np.dtype(np.int32), (), 0, len(self.choices))}
        self.seen: Obs = {}

    def reset(self) -> Obs:
        self.game.set_seed(int(self.rng.integers(SEEDS)))
        if self.game.is_running():
            self.game.new_episode()
        else:
            self.game.init()
        self.seen = self._look()
        return self.seen | signals(first=True)

    def step(self, action: Action) -> Obs:
        choice = self.choices[int(action["action"])]
        reward = self.game.make_action(choice, self.repeat)
        over = self.game.is_episode_finished()
        if not over:
            self.seen = self._look()
        late = self.game.is_episode_timeout_reached()
        terminal = over and (self.game.is_player_dead() or not late)
        return self.seen | signals(reward, last=over, terminal=terminal)

    def render(self) -> np.ndarray:
        if not self.seen:
            raise EnvError("ViZDoom has no picture before the first episode.")
        return self.seen["image"]

    def close(self) -> None:
        self.game.close()
        self.folder.cleanup()

    def _look(self) -> Obs:
        state = self.game.get_state()
        obs = {key: getattr(state, name) for key, name in self.keys.items()}
        if "variables" in obs:
            obs["variables"] = np.array(obs["variables"], np.float32)
        if "notifications" in obs:
            obs["notifications"] = text.embed(said(obs["notifications"]))
        return obs


def open_game(package: Any, name: str, folder: str) -> Any:
    """The game with a scenario, not started yet.

    Args:
        package: the module `vizdoom`.
        name: of the scenario.
        folder: where the engine may write.
    """
    game = package.DoomGame()
    game.load_config(os.path.join(package.scenarios_path, f"{name}.cfg"))
    game.set_window_visible(False)
    game.set_mode(package.Mode.PLAYER)
    game.set_screen_format(package.ScreenFormat.RGB24)
    settings = os.path.join(folder, "settings.ini")
    with open(settings, "w") as file:
        # Where one of these is missing, the engine makes a folder in the current one.
        for family in FAMILIES:
            file.write(f"[{family}.AutoExec]\nPath={folder}/autoexec.cfg\n")
    game.set_doom_config_path(settings)
    return game


def combinations(package: Any, buttons: list[Any], most: int) -> list[list[bool]]:
    """States of all buttons for each action: none pressed, one pressed, and so on.

    Buttons with an amount (`..._DELTA`, like a mouse) are left alone.

    Args:
        package: the module `vizdoom`.
        buttons: those of the scenario.
        most: how many may be pressed at once.
    """
    places = [i for i, b in enumerate(buttons) if not package.is_delta_button(b)]
    pressed = [
        chosen
        for count in range(min(most, len(places)) + 1)
        for chosen in itertools.combinations(places, count)
    ]
    return [[i in chosen for i in range(len(buttons))] for chosen in pressed]


def said(notifications: str) -> str:
    """What the scenario said.

    The engine adds a banner with the name of the map where an episode begins, but for
    the first one; its lines have characters for bars and colours.
    """
    lines = notifications.split("\n")
    return " ".join(line for line in lines if line.isprintable()).strip()
