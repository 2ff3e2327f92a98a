"""MineRL 0.4.4 without Minecraft: its modules, over any backend of ours.

`install(game)` puts `gym` and `minerl` into `sys.modules`. The specification that is
made must have exactly the handlers of the task; then `EnvSpec.make()` returns an
environment with MineRL's observations, and `game(size=, break_speed=)` plays.
"""

from __future__ import annotations

import contextlib
import re
import sys
import types

import numpy as np

from dreamerv3_tf.envs.minecraft.backend import NOOP
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY, NAMES

ALL_ITEMS = list(reversed(NAMES))  # MineRL's own list is not sorted either
KEYS = ("forward", "back", "left", "right", "jump", "sneak", "attack")
LOG = INVENTORY.index("log")


def handler_class(kind):
    """A handler that remembers what it was made with."""

    class Handler:
        def __init__(self, *args, **kwargs):
            self.args, self.kwargs = args, kwargs

    Handler.__name__ = kind
    return Handler


HANDLERS = {
    kind: handler_class(kind)
    for kind in [
        "POVObservation",
        "FlatInventoryObservation",
        "EquippedItemObservation",
        "ObservationFromCurrentLocation",
        "ObservationFromLifeStats",
        "KeybasedCommandAction",
        "CameraAction",
        "PlaceBlock",
        "EquipAction",
        "CraftAction",
        "CraftNearbyAction",
        "SmeltItemNearby",
        "DefaultWorldGenerator",
        "TimeInitialCondition",
        "SpawningInitialCondition",
        "ServerQuitWhenAnyAgentFinishes",
    ]
}


class BaseHandler:
    """`minerl.herobraine.hero.handler.Handler`."""

    def to_string(self):
        raise NotImplementedError

    def xml_template(self):
        raise NotImplementedError


class Box:
    """`gym.spaces.Box`, as far as it is looked at."""

    def __init__(self, low, high, shape=(), dtype=np.float32):
        self.low, self.high, self.shape, self.dtype = low, high, shape, np.dtype(dtype)


class Discrete:
    """`gym.spaces.Discrete`."""

    def __init__(self, n):
        self.n = n


class Enum:
    """MineRL's space of names."""

    def __init__(self, values):
        self.values = np.array(sorted(values))
        self.n = len(self.values)


class Dict:
    """`gym.spaces.Dict`."""

    def __init__(self, spaces):
        self.spaces = spaces

    def __getitem__(self, key):
        return self.spaces[key]


class EnvSpec:
    """`minerl.herobraine.env_spec.EnvSpec`; `game` makes the backend."""

    game = None

    def __init__(self, name):
        self.name = name
        for part in [
            "rewardables",
            "server_decorators",
            "mission_handlers",
            "monitors",
            "agent_handlers",
        ]:
            assert getattr(self, f"create_{part}")() == [], part
        assert isinstance(self.get_docstring(), str)
        assert self.determine_success_from_rewards([0.0]) is True
        assert self.is_from_folder("treechop") is False

    def make(self):
        size = self.check_observables()
        self.check_actionables()
        self.check_server()
        (speed,) = self.create_agent_start()
        text = speed.xml_template()
        if "{{" in text:  # a template over attributes of the handler
            text = re.sub(r"\{\{(\w+)\}\}", lambda m: str(getattr(speed, m[1])), text)
        found = re.fullmatch("<BreakSpeedMultiplier>(.*)</BreakSpeedMultiplier>", text)
        assert found, text
        return MineRLEnv(type(self).game(size=size, break_speed=float(found[1])), size)

    def check_observables(self):
        """Checks names, count and arguments; returns the size of the picture."""
        pov, inventory, equipped, place, life = self.create_observables()
        names = [type(h).__name__ for h in (pov, inventory, equipped, place, life)]
        assert names == [
            "POVObservation",
            "FlatInventoryObservation",
            "EquippedItemObservation",
            "ObservationFromCurrentLocation",
            "ObservationFromLifeStats",
        ]
        assert inventory.args[0] == equipped.args[0] == ALL_ITEMS
        assert equipped.kwargs == {"_default": "air", "_other": "other"}
        ((width, height),) = pov.args
        assert width == height
        return width

    def check_actionables(self):
        """Checks seven keys, the camera, and five choices among all items."""
        actions = self.create_actionables()
        keys, camera, choices = actions[:7], actions[7], actions[8:]
        assert [(h.args[0], h.args[1]) for h in keys] == [(k, f"<{k}>") for k in KEYS]
        assert type(camera).__name__ == "CameraAction"
        assert [type(h).__name__ for h in choices] == [
            "PlaceBlock",
            "EquipAction",
            "CraftAction",
            "CraftNearbyAction",
            "SmeltItemNearby",
        ]
        for choice in choices:
            assert list(choice.args[0]) == ["none", *ALL_ITEMS]
            assert choice.kwargs == {"_other": "none", "_default": "none"}

    def check_server(self):
        """Checks the world, its start, and its end."""
        (world,) = self.create_server_world_generators()
        assert type(world).__name__ == "DefaultWorldGenerator"
        assert world.kwargs == {"force_reset": True}
        time, spawning = self.create_server_initial_conditions()
        assert time.kwargs == {"allow_passage_of_time": True, "start_time": 0}
        assert spawning.kwargs == {"allow_spawning": True}
        (end,) = self.create_server_quit_producers()
        assert type(end).__name__ == "ServerQuitWhenAnyAgentFinishes"


class MineRLEnv:
    """What `EnvSpec.make()` returns, over a backend of ours.

    Args:
        game: the backend.
        size: height and width of the picture.
    """

    def __init__(self, game, size):
        self.game, self.done = game, True
        number, count = Box(-np.inf, np.inf), Box(0, 2304, (), np.int64)
        spaces = observation(lambda: number)
        spaces["pov"] = Box(0, 255, (size, size, 3), np.uint8)
        spaces["inventory"] = Dict({name: count for name in sorted(NAMES)})
        hand = {"damage": number, "maxDamage": number, "type": Enum(EQUIPPED)}
        spaces["equipped_items"] = Dict({"mainhand": Dict(hand)})
        self.observation_space = Dict(spaces)
        self.action_space = Dict({"attack": Discrete(2)})

    def reset(self):
        self.done = False
        return encode(self.game.reset())

    def step(self, action):
        assert not self.done, "Attempted to step an environment server with done=True"
        raw = self.game.step({key: action[key] for key in NOOP})
        if raw.lost:  # MineRL makes up an observation then
            self.done = True
            made_up = encode(raw)
            made_up["pov"] = 255 - made_up["pov"]
            return made_up, 0, True, {"error": "Connection timed out!"}
        self.done = raw.dead
        return encode(raw), 0.0, raw.dead, {}

    def close(self):
        self.game.close()


def observation(value):
    """The two groups of numbers in an observation, each number from `value()`."""
    place = ["xpos", "ypos", "zpos", "pitch", "yaw"]
    life = ["life", "food", "air", "saturation", "xp", "score", "is_alive"]
    return {
        "location_stats": Dict({key: value() for key in place}),
        "life_stats": Dict({key: value() for key in life}),
    }


def encode(raw):
    """MineRL's observation of a `Raw`; a third of the logs are of the other kind."""
    counts = dict(zip(INVENTORY, raw.inventory.tolist(), strict=True))
    counts["log2"] = counts["log"] // 3
    counts["log"] -= counts["log2"]
    x, y, z, yaw, pitch = raw.position
    return {
        "pov": raw.image,
        "inventory": {name: np.array(counts[name]) for name in sorted(NAMES)},
        "equipped_items": {
            "mainhand": {"type": EQUIPPED[raw.equipped], "damage": 0, "maxDamage": 0}
        },
        "location_stats": {
            "xpos": np.array(x),
            "ypos": np.array(y),
            "zpos": np.array(z),
            "pitch": np.array(pitch),
            "yaw": np.array(yaw),
        },
        "life_stats": {
            "life": np.array(raw.life),
            "food": np.array(raw.food),
            "air": np.array(raw.air),
            "saturation": np.array(5.0),
            "xp": np.array(0),
            "score": np.array(0),
            "is_alive": np.array(not raw.dead),
        },
    }


def modules(game):
    """The fake modules by name.

    Args:
        game: makes a backend from `size` and `break_speed`.
    """
    spec = type("EnvSpec", (EnvSpec,), {"game": staticmethod(game)})
    mc = {"ALL_ITEMS": ALL_ITEMS, "INVERSE_KEYMAP": {key: f"<{key}>" for key in KEYS}}
    contents = {
        "gym": {},
        "gym.spaces": {"Dict": Dict, "Box": Box, "Discrete": Discrete},
        "minerl": {},
        "minerl.herobraine": {},
        "minerl.herobraine.env_spec": {"EnvSpec": spec},
        "minerl.herobraine.hero": {},
        "minerl.herobraine.hero.handler": {"Handler": BaseHandler},
        "minerl.herobraine.hero.handlers": HANDLERS,
        "minerl.herobraine.hero.mc": mc,
    }
    made = {name: types.ModuleType(name) for name in contents}
    for name, content in contents.items():
        vars(made[name]).update(content)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, made[name])
    return made


def install(game):
    """Puts the fake modules in place; a `minerl` that is there keeps its file."""
    for name, module in modules(game).items():
        if name in sys.modules:
            vars(sys.modules[name]).update(
                {k: v for k, v in vars(module).items() if not k.startswith("__")}
            )
        else:
            sys.modules[name] = module


@contextlib.contextmanager
def installed(game):
    """The fake modules, for as long as the context lasts."""
    before = dict(sys.modules)
    sys.modules.update(modules(game))
    try:
        yield
    finally:
        for name in set(sys.modules) - set(before):
            if name.partition(".")[0] in ("gym", "minerl", "diamond_env"):
                del sys.modules[name]
        sys.modules.update(before)
