"""Minecraft 1.11.2 through MineRL 0.4.4, in an interpreter of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.foreign import Worker, WorkerLost
from dreamerv3_tf.envs.minecraft import needs
from dreamerv3_tf.envs.minecraft.backend import Command, Raw
from dreamerv3_tf.envs.minecraft.items import EQUIPPED, INVENTORY, NAMES
from dreamerv3_tf.envs.minecraft.losses import ClosedGame, Losses
from dreamerv3_tf.envs.minecraft.minerl import GAME

START = 3600.0  # seconds for a game to start; the first one is built by Gradle
STEP = 300.0  # seconds; MineRL itself gives up after 240
COLUMN = {name: index for index, name in enumerate(EQUIPPED)}


class MineRLBackend(ClosedGame):
    """The game of the paper.

    Each episode is in a new world, which the game draws at random; the seed of the run
    has no influence on it, as in the reference.

    Args:
        seed: not used.
        size: height and width of the picture, pixels.
        break_speed: factor on the speed of breaking blocks.
        minerl_python: interpreter that has MineRL; empty takes our own.
        minerl_options: entries of Minecraft's options.txt to set, by name.

    Raises:
        EnvError: the interpreter or MineRL is missing; the text says what to do.
    """

    name = "minerl"

    def __init__(
        self,
        *,
        seed: int,
        size: int = 64,
        break_speed: float = 100.0,
        minerl_python: str = "",
        minerl_options: Mapping[str, Any] = MappingProxyType({}),
    ):
        del seed
        self.python = os.path.expanduser(minerl_python) or sys.executable
        self.settings = {
            "size": size,
            "break_speed": break_speed,
            "options": dict(minerl_options),
        }
        self.losses = Losses(self.name)
        self.last: Raw | None = None
        self.worker: Worker | None = None
        self.worker = self._start()

    def reset(self) -> Raw:
        """A new episode in a new world; a game that broke down is started again.

        Raises:
            EnvError: no game starts.
        """
        while True:
            try:
                if self.worker is None:
                    self.worker = self._start()
                header, body = self.worker.ask({"do": "reset"}, START)
                break
            except WorkerLost as error:
                self.worker = None
                self.losses.note(str(error))
        self._check(header)
        self.last = self._raw(header, body)
        return self.last

    def step(self, command: Command) -> Raw:
        """One tick."""
        assert self.worker and self.last, "an episode begins with reset()"
        request = {"do": "step", "command": _plain(command)}
        try:
            header, body = self.worker.ask(request, STEP)
        except WorkerLost as error:
            self.worker = None
            return self._lose(str(error))
        self._check(header)
        if header.get("lost"):
            return self._lose(header["lost"])
        self.last = self._raw(header, body)
        return self.last

    def image(self) -> np.ndarray | None:
        """See `ClosedGame`."""
        return self.last.image if self.last else None

    def close(self) -> None:
        """Ends the game and its interpreter."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.close()

    def _start(self) -> Worker:
        """A worker that has MineRL ready.

        Raises:
            EnvError: something is missing.
        """
        worker = Worker(
            self.python, GAME, setting="env.minerl_python", package="MineRL 0.4.4"
        )
        request = {"do": "make", "settings": self.settings}
        try:
            header, _ = worker.ask(request, STEP)
        except WorkerLost as error:
            raise EnvError(
                f"'{self.python}' does not run MineRL: {error}"
                f"{needs.missing(self.name, {'minerl_python': self.python})}"
            ) from error
        if "error" in header:
            worker.close()
            raise EnvError(_unusable(self.python, header))
        if header["items"] != list(NAMES):
            worker.close()
            raise EnvError(
                f"MineRL of '{self.python}' knows {len(header['items'])} items, "
                f"expected the {len(NAMES)} of version 0.4.4; install minerl==0.4.4."
            )
        return worker

    def _check(self, header: Mapping[str, Any]) -> None:
        """Passes on what the worker could not mend.

        Raises:
            EnvError: there is something.
        """
        if "error" not in header:
            return
        words = self.worker.last_words() if self.worker else ""
        self.close()
        raise EnvError(
            f"MineRL: {header['error']}.{words}"
            f"{needs.missing(self.name, {'minerl_python': self.python})}"
        )

    def _lose(self, reason: str) -> Raw:
        self.losses.note(reason)
        assert self.last is not None
        return self.last._replace(lost=True)

    def _raw(self, header: Mapping[str, Any], body: bytes) -> Raw:
        shape = tuple(header["shape"])
        split = len(body) - 4 * len(NAMES)
        image = np.frombuffer(body[:split], np.uint8).reshape(shape)
        counts = np.frombuffer(body[split:], "<i4")
        held = header["equipped"]
        return Raw(
            image=image.copy(),
            inventory=merged(counts),
            equipped=COLUMN.get(held, COLUMN["other"]),
            life=header["life"],
            food=header["food"],
            air=header["air"],
            position=np.array(header["position"], np.float64),
            dead=header["done"],
        )


def merged(counts: np.ndarray) -> np.ndarray:
    """Counts int `[392]` by `items.NAMES` as `[391]`: `log2` is added to `log`."""
    log, log2 = NAMES.index("log"), NAMES.index("log2")
    result = np.delete(counts, log2).astype(np.int32)
    result[INVENTORY.index("log")] = counts[log] + counts[log2]
    return result


def _plain(command: Command) -> dict[str, Any]:
    """The command in types that JSON knows."""
    plain = {k: v if isinstance(v, str) else int(v) for k, v in command.items()
             if k != "camera"}  # fmt: skip
    return {**plain, "camera": [float(angle) for angle in command["camera"]]}


def _unusable(python: str, header: Mapping[str, Any]) -> str:
    """The message for an interpreter without a MineRL that works."""
    if header.get("missing"):
        return (
            f"The interpreter '{python}' has no package '{header['missing']}' "
            f"({header['error']}). Set env.minerl_python to one with MineRL 0.4.4 "
            "(docs/minecraft.md has the steps), or use --backend voxel."
        )
    return f"MineRL of '{python}' can't be used: {header['error']}"
