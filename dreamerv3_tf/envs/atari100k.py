"""Atari with the protocol of 400K frames (Kaiser et al. 2020): `atari100k_pong`.

The environment of `atari` with coloured pictures of 64 by 64 pixels, only the actions
that a game needs, and no sticky actions. `GAMES` are the 26 of the benchmark; any other
game runs as well.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from dreamerv3_tf.envs import atari
from dreamerv3_tf.envs.atari import requirements

__all__ = ["GAMES", "facts", "make", "requirements"]

GAMES = (
    "alien", "amidar", "assault", "asterix", "bank_heist", "battle_zone", "boxing",
    "breakout", "chopper_command", "crazy_climber", "demon_attack", "freeway",
    "frostbite", "gopher", "hero", "jamesbond", "kangaroo", "krull", "kung_fu_master",
    "ms_pacman", "pong", "private_eye", "qbert", "road_runner", "seaquest", "up_n_down",
)  # fmt: skip
"""The 26 games of the benchmark, as the published scores spell them."""

make = functools.partial(
    atari.make, size=(64, 64), gray=False, sticky=False, actions="needed"
)
"""As `atari.make`, with the defaults of this protocol."""


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `hooks.env_facts`."""
    return atari.changes("atari100k", settings)
