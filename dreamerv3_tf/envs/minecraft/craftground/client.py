"""CraftGround's own client, with plain errors and a limit on how long it may wait."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import signal
import struct
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.envs.base import EnvError, require
from dreamerv3_tf.envs.minecraft import needs
from dreamerv3_tf.envs.minecraft.backend import Command
from dreamerv3_tf.envs.minecraft.craftground.names import Inventory, read_inventory

START = 3600.0  # seconds for a game to start; the first one is built by Gradle
STEP = 300.0  # seconds
PORT = 8000  # of the socket's name; the client takes the next one that is free
KEYS = ("forward", "back", "left", "right", "jump", "sneak", "attack")
BROKEN = (OSError, EOFError, RuntimeError, struct.error)
"""Errors of the client when the game is gone; a half message is a `struct.error`."""


class GameLost(Exception):
    """The game died, or does not answer."""


class Seen(NamedTuple):
    """What the game shows.

    Attributes:
        image: uint8 `[size, size, 3]`.
        inventory: what the player holds.
        position: float64 `[5]`, x, y (of the feet), z, yaw, pitch.
        life: half hearts.
        food: half drumsticks.
        dead: the player has died and is not back yet.
        submerged: the eyes are under water.
        target: the block that the crosshair is on, at any distance.
    """

    image: np.ndarray
    inventory: Inventory
    position: np.ndarray
    life: float
    food: float
    dead: bool
    submerged: bool
    target: tuple[int, int, int] | None


class Client:
    """A game of CraftGround that is started when it is first needed.

    Args:
        config: keyword arguments of its `InitialEnvironmentConfig`.
        difficulty: 0 peaceful to 3 hard.
        runtime: folder of its mod; empty takes the installed package.

    Raises:
        EnvError: the package is missing, or has no runtime there.
    """

    def __init__(self, config: dict[str, Any], difficulty: int, runtime: str):
        package = require("craftground", "craftground")
        setup = require("craftground.initial_environment_config", "craftground")
        actions = require("craftground.environment.action_space", "craftground")
        modes = require("craftground.screen_encoding_modes", "craftground")
        initial = setup.InitialEnvironmentConfig(
            gamemode=setup.GameMode.SURVIVAL,
            difficulty=setup.Difficulty(difficulty),
            world_type=setup.WorldType.DEFAULT,
            screen_encoding_mode=modes.ScreenEncodingMode.RAW,
            **config,
        )
        self.noop = actions.no_op_v2
        try:
            self.env = package.make(
                initial_env_config=initial,
                port=PORT,
                env_path=str(pathlib.Path(runtime).expanduser()) if runtime else None,
                action_space_version=actions.ActionSpaceVersion.V2_MINERL_HUMAN,
            )
        except (FileNotFoundError, ModuleNotFoundError) as error:
            settings = {"craftground_runtime": runtime}
            raise EnvError(
                f"CraftGround: {error}{needs.missing('craftground', settings)}"
            ) from error

    def start(self) -> Seen:
        """The first observation of a new world, in a game that is started for it.

        Raises:
            GameLost: it did not start.
        """
        # Games that start at once would take the same socket, and build the mod twice.
        with _one_at_a_time(), self._within(START):
            obs, _ = self.env.reset(options={"fast_reset": False})
            return read(obs)

    def restart(self, commands: Sequence[str]) -> Seen:
        """Kills the player, who comes back in the same world; then runs commands.

        What is returned may still show the moment of death.

        Raises:
            GameLost: the game is gone.
        """
        options = {"fast_reset": True, "extra_commands": list(commands)}
        with self._within(STEP):
            return read(self.env.reset(options=options)[0])

    def step(self, command: Command, chat: Sequence[str] = ()) -> Seen:
        """One tick, with chat commands before it.

        Raises:
            GameLost: the game is gone.
        """
        action = self.noop()
        action |= {key: bool(command[key]) for key in KEYS}
        pitch, yaw = command["camera"]
        action |= {"camera_pitch": float(pitch), "camera_yaw": float(yaw)}
        with self._within(STEP):
            if chat:
                self.env.add_commands(list(chat))
            return read(self.env.step(action)[0])

    def close(self) -> None:
        """Ends the game; another one may be started afterwards."""
        ipc = getattr(self.env, "ipc", None)
        channel = getattr(ipc, "sock", None)
        with contextlib.suppress(*BROKEN):
            self.env.terminate()
        if ipc is None or channel is None:
            return
        # After a crash the client leaves both behind, and would take the next name for
        # each game that follows.
        channel.close()
        pathlib.Path(f"/tmp/minecraftrl_{ipc.port}.sock").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Kills a game that takes too long, which makes the client give up waiting."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            if self.env.process is not None:
                with contextlib.suppress(OSError):
                    os.killpg(self.env.process.pid, signal.SIGKILL)

        timer = _Watch.after(seconds, expire)
        try:
            yield
        except BROKEN as error:
            self.close()
            late = f"no answer within {seconds:.0f} s"
            text = late if expired.is_set() else f"{type(error).__name__}: {error}"
            raise GameLost(text) from error
        finally:
            timer.stop()


class _Watch:
    """Calls a function unless it is stopped in time; one thread serves all."""

    running: list[_Watch] = []
    lock = threading.Lock()
    thread: threading.Thread | None = None

    def __init__(self, deadline: float, act: Any):
        self.deadline, self.act = deadline, act

    @classmethod
    def after(cls, seconds: float, act: Any) -> _Watch:
        """Begins to watch."""
        watch = cls(time.monotonic() + seconds, act)
        with cls.lock:
            cls.running.append(watch)
            if cls.thread is None:
                cls.thread = threading.Thread(target=cls._look, daemon=True)
                cls.thread.start()
        return watch

    def stop(self) -> None:
        """Ends watching."""
        with self.lock:
            if self in self.running:
                self.running.remove(self)

    @classmethod
    def _look(cls) -> None:
        while True:
            time.sleep(1.0)
            with cls.lock:
                late = [w for w in cls.running if w.deadline < time.monotonic()]
                cls.running[:] = [w for w in cls.running if w not in late]
            for watch in late:
                watch.act()


def read(obs: dict[str, Any]) -> Seen:
    """CraftGround's observation in our words."""
    full = obs["full"]
    hit = full.raycast_result
    block = hit.target_block if hit.type == hit.Type.BLOCK else None
    pose = [full.x, full.y, full.z, full.yaw, full.pitch]
    return Seen(
        image=np.ascontiguousarray(obs["pov"], np.uint8).copy(),
        inventory=read_inventory(full.inventory),
        position=np.array(pose, np.float64),
        life=float(full.health),
        food=float(full.food_level),
        dead=bool(full.is_dead),
        submerged=bool(full.submerged_in_water),
        target=(block.x, block.y, block.z) if block is not None else None,
    )


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Holds a lock that all games of this user on this machine share."""
    name = f"dreamerv3_tf-craftground-{os.getuid()}.lock"
    with open(pathlib.Path(tempfile.gettempdir()) / name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given up when the file is closed
        yield
