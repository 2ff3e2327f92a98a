"""MineRL 0.4.4 for `foreign_host.py`; runs in the interpreter that MineRL lives in.

MineRL needs NumPy < 1.24 and an old gym, so it can't share a process with the rest of
the program. This file runs there, on Python 3.7 or later, and imports nothing of ours.
"""

# pyright: reportMissingImports=false
# MineRL is in another interpreter than the one that checks types.

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

ATTEMPTS = 3  # how often a game is started for one episode
KEYS = ("forward", "back", "left", "right", "jump", "sneak", "attack")
CHOICES = (
    "PlaceBlock",
    "EquipAction",
    "CraftAction",
    "CraftNearbyAction",
    "SmeltItemNearby",
)


class Game:
    """One Minecraft, started when the first episode begins.

    Args:
        size: height and width of the picture, pixels.
        break_speed: factor on the speed of breaking blocks.
        options: entries of Minecraft's options.txt to set, by name.
    """

    def __init__(self, size: int, break_speed: float, options: Mapping[str, Any]):
        add_missing_names()
        from minerl.herobraine.hero import mc

        self.items = sorted(mc.ALL_ITEMS)
        self.spec = make_spec(size, break_speed)
        self.options = options
        self.env: Any = None

    def reset(self) -> dict[str, Any]:
        """First observation of a new episode; a broken game is started again.

        Raises:
            RuntimeError: it failed `ATTEMPTS` times.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with one_at_a_time():  # Minecrafts that start at once break each other
                    if self.env is None:
                        write_options(self.options)
                        self.env = self.spec.make()
                    return self.env.reset()
            except Exception:  # MineRL raises errors of every kind, socket errors first
                traceback.print_exc()
                print(f"Start {attempt} of {ATTEMPTS} failed.", file=sys.stderr)
                self.close()
        raise RuntimeError(f"Minecraft did not start in {ATTEMPTS} attempts")

    def step(self, command: Mapping[str, Any]) -> tuple[Any, bool, str]:
        """Observation, whether the episode is over, and why the game was lost, if so.

        MineRL answers a broken connection with a made-up observation and `error`.
        """
        action = dict(command, camera=tuple(command["camera"]))
        try:
            obs, _, done, info = self.env.step(action)
        except Exception as error:  # as above: then the game can't be used any more
            traceback.print_exc()
            self.close()
            return None, True, f"{type(error).__name__}: {error}"
        return obs, bool(done), str(info.get("error", "")) if info else ""

    def close(self) -> None:
        env, self.env = self.env, None
        if env is not None:
            try:
                env.close()
            except Exception:  # it is being thrown away; say so, and go on
                traceback.print_exc()

    def encode(self, obs: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Header and body of an observation: the picture, then int32 counts."""
        import numpy as np

        pov = np.ascontiguousarray(obs["pov"], dtype=np.uint8)
        held = [int(obs["inventory"][name]) for name in self.items]
        life, place = obs["life_stats"], obs["location_stats"]
        axes = ("xpos", "ypos", "zpos", "yaw", "pitch")
        header = {
            "shape": list(pov.shape),
            "equipped": str(obs["equipped_items"]["mainhand"]["type"]),
            "life": float(life["life"]),
            "food": float(life["food"]),
            "air": float(life["air"]),
            "position": [float(place[axis]) for axis in axes],
        }
        return header, pov.tobytes() + np.array(held, dtype="<i4").tobytes()


def add_missing_names() -> None:
    """Gives NumPy the old names that MineRL uses, where they are missing.

    Never `np.bool`: from NumPy 2 on that is a type of its own, and other packages in
    the same interpreter break if it is replaced.
    """
    import numpy as np

    for name, kind in (("float", float), ("int", int), ("object", object)):
        if name not in vars(np):
            setattr(np, name, kind)


def make_spec(size: int, break_speed: float) -> Any:
    """Specification for MineRL: survival in a new world, without any reward."""
    from minerl.herobraine.env_spec import EnvSpec
    from minerl.herobraine.hero import handler, handlers

    class BreakSpeed(handler.Handler):
        """Element of the mission that the mod multiplies dig speeds with."""

        def to_string(self):
            return "break_speed"

        def xml_template(self):
            return f"<BreakSpeedMultiplier>{break_speed}</BreakSpeedMultiplier>"

    # MineRL asks for these anew before each episode.
    parts = {
        "create_agent_start": lambda _: [BreakSpeed()],
        "create_observables": lambda _: observables(size),
        "create_actionables": lambda _: actionables(),
        "create_server_world_generators": lambda _: [
            handlers.DefaultWorldGenerator(force_reset=True)
        ],
        "create_server_initial_conditions": lambda _: [
            handlers.TimeInitialCondition(allow_passage_of_time=True, start_time=0),
            handlers.SpawningInitialCondition(allow_spawning=True),
        ],
        "create_server_quit_producers": lambda _: [
            handlers.ServerQuitWhenAnyAgentFinishes()
        ],
        "get_docstring": lambda _: "Survival in a new world.",
        "is_from_folder": lambda _, folder: folder == "none",
        "determine_success_from_rewards": lambda _, rewards: rewards is not None,
    }
    none = ("agent_handlers", "rewardables", "monitors", "mission_handlers")
    for name in (*none, "server_decorators"):
        parts[f"create_{name}"] = lambda _: []
    return type("DiamondSpec", (EnvSpec,), parts)(name="DreamerV3TF-v0")


def observables(size: int) -> list[Any]:
    """Handlers of all that is observed."""
    from minerl.herobraine.hero import handlers, mc

    items = mc.ALL_ITEMS
    return [
        handlers.POVObservation((size, size)),
        handlers.FlatInventoryObservation(items),
        handlers.EquippedItemObservation(items, _default="air", _other="other"),
        handlers.ObservationFromCurrentLocation(),
        handlers.ObservationFromLifeStats(),
    ]


def actionables() -> list[Any]:
    """Handlers of all that can be done: seven keys, the camera, five choices."""
    from minerl.herobraine.hero import handlers, mc

    press, names = handlers.KeybasedCommandAction, ["none", *mc.ALL_ITEMS]
    kinds = [getattr(handlers, kind) for kind in CHOICES]
    return [
        *(press(key, mc.INVERSE_KEYMAP[key]) for key in KEYS),
        handlers.CameraAction(),
        *(kind(names, _other="none", _default="none") for kind in kinds),
    ]


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a lock that all workers of this user on this machine share."""
    import fcntl

    name = f"dreamerv3_tf-minecraft-{os.getuid()}.lock"
    with open(os.path.join(tempfile.gettempdir(), name), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given up when the file is closed
        yield


def options_files() -> list[str]:
    """Files options.txt of the Minecraft inside of the package."""
    import minerl

    found = []
    for folder, _, names in os.walk(os.path.dirname(minerl.__file__)):
        if "options.txt" in names and os.path.basename(folder) == "run":
            found.append(os.path.join(folder, "options.txt"))
    return sorted(found)


def read_options(path: str) -> dict[str, str]:
    """Entries of an options.txt by name."""
    with open(path) as file:
        pairs = [line.rstrip("\n").partition(":") for line in file if ":" in line]
    return {key: value for key, _, value in pairs}


def write_options(options: Mapping[str, Any]) -> None:
    """Changes entries of options.txt, which each start of Minecraft copies.

    Raises:
        RuntimeError: there is no such file.
    """
    if not options:
        return
    paths = options_files()
    if not paths:
        raise RuntimeError("minerl has no run/options.txt to write the options to")
    for path in paths:
        entries = read_options(path)
        entries.update((key, str(value)) for key, value in options.items())
        with open(path, "w") as file:
            file.writelines(f"{key}:{value}\n" for key, value in entries.items())


def start(settings: Mapping[str, Any]) -> tuple[Game, dict[str, Any]]:
    """The game, and the items that it knows."""
    game = Game(**settings)
    return game, {"items": game.items}


def answer(game: Game, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Does what a request asks for; header and body of the reply."""
    done, lost = False, ""
    if request["do"] == "reset":
        obs = game.reset()
    else:
        obs, done, lost = game.step(request["command"])
    if lost:
        return {"lost": lost}, b""
    header, body = game.encode(obs)
    return dict(header, done=done), body


def probe() -> dict[str, Any]:
    """What this interpreter has: versions, and entries of options.txt."""
    found: dict[str, Any] = {"python": ".".join(map(str, sys.version_info[:3]))}
    try:
        import numpy

        found["numpy"] = numpy.__version__
        add_missing_names()
        import minerl.herobraine.env_spec  # noqa: F401  (the part that is used)

        found["minerl"] = version()
        paths = options_files()
        found["options"] = read_options(paths[0]) if paths else {}
    except Exception as error:  # whatever keeps it from working is what we ask for
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def version() -> str:
    """Version of MineRL as its installer wrote it down, or `unknown`."""
    import minerl

    folder = os.path.dirname(os.path.dirname(os.path.abspath(minerl.__file__)))
    for name in sorted(os.listdir(folder)):
        if name.startswith("minerl-") and name.endswith(("-info", ".egg")):
            return name.split("-")[1].rsplit(".dist", 1)[0].rsplit(".egg", 1)[0]
    return "unknown"
