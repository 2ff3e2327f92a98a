"""Where the engine runs: in this process, or in an interpreter of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.dmlab import engine
from dreamerv3_tf.envs.foreign import Worker, WorkerLost

Name = Literal["native", "dmlab_gym"]

GAME = pathlib.Path(engine.__file__)
"""What `foreign_host.py` runs in the interpreter that has DMLab."""

START = 600.0  # seconds for an episode to begin; maps are compiled for it
STEP = 300.0  # seconds
STEPS = "docs/dmlab.md has the steps"


class View(NamedTuple):
    """What can be seen of a running episode.

    Attributes:
        image: picture uint8 `[height, width, 3]`.
        text: instruction of the level, where it is asked for.
    """

    image: np.ndarray
    text: str = ""


class Runtime(Protocol):
    """An engine, wherever it runs."""

    def reset(self, seed: int) -> View:
        """A new episode."""
        ...

    def step(self, controls: np.ndarray, repeat: int) -> tuple[float, View | None]:
        """Reward of `repeat` frames, and what is seen then, unless the end came."""
        ...

    def close(self) -> None:
        """Ends the engine; calling it twice is fine."""
        ...


def open_runtime(python: str, settings: Mapping[str, Any]) -> Runtime:
    """An engine.

    Args:
        python: interpreter that has it; empty takes our own, and this process.
        settings: keyword arguments of the classes in `engine.py`, and which of them
            in `runtime`.

    Raises:
        EnvError: it isn't installed, doesn't work, or this process has one already.
    """
    if python:
        return Remote(os.path.expanduser(python), settings)
    return Local(settings)


class Local:
    """An engine in this process; arguments as of `open_runtime`.

    Raises:
        EnvError: it can't be made, or this process has one already.
    """

    alone = threading.Lock()  # held while there is an engine

    def __init__(self, settings: Mapping[str, Any]):
        if not self.alone.acquire(blocking=False):
            raise EnvError(
                "DMLab runs only once in a process, and this one has it already; use "
                "run.parallel=process, or close the other environment first."
            )
        self.engine: Any = None
        try:
            with _problems_told(settings["runtime"], "this interpreter"):
                self.engine, _ = engine.start(settings)
        finally:
            if self.engine is None:
                self.alone.release()

    def reset(self, seed: int) -> View:
        observed = self.engine.reset(seed)
        return View(observed[engine.IMAGE], observed.get(engine.TEXT, ""))

    def step(self, controls: np.ndarray, repeat: int) -> tuple[float, View | None]:
        reward, observed = self.engine.step(controls, repeat)
        if observed is None:
            return reward, None
        return reward, View(observed[engine.IMAGE], observed.get(engine.TEXT, ""))

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()
            self.engine = None
            self.alone.release()


@contextlib.contextmanager
def _problems_told(runtime: str, where: str) -> Iterator[None]:
    """Turns what an engine raises when it is made into one line.

    Raises:
        EnvError: it raised.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise EnvError(absent(str(error.name), where)) from error
    except Exception as error:
        raise EnvError(unusable(runtime, where, error)) from error


def absent(package: str, where: str) -> str:
    """The message for an interpreter that lacks a package."""
    advice = f"install it there, '-m pip install {package}'."
    if package in ("deepmind_lab", "dmlab_gym"):
        advice = (
            "pip alone can't install DMLab: build it in an interpreter of its own "
            f"({STEPS}) and set env.python to that interpreter."
        )
    return f"DMLab: {where} has no package '{package}'; {advice}"


def unusable(runtime: str, where: str, error: object) -> str:
    """The message for an engine that is there and doesn't start."""
    text = " ".join(str(error).split())
    kind = f"{type(error).__name__}: " if isinstance(error, Exception) else ""
    return (
        f"DMLab ({runtime}) does not start in {where}: {kind}{text}. "
        f"--mode check_env says what it lacks; {STEPS}."
    )


class Remote:
    """An engine in an interpreter of its own.

    Args:
        python: the interpreter.
        settings: as of `open_runtime`.

    Raises:
        EnvError: there is no such interpreter, or DMLab isn't there or doesn't start.
    """

    def __init__(self, python: str, settings: Mapping[str, Any]):
        self.where = f"'{python}'"
        self.worker = Worker(python, GAME, setting="env.python", package="DMLab")
        header, _ = self._ask({"do": "make", "settings": dict(settings)}, START)
        if "error" in header:
            self.worker.close()
            if header["missing"]:
                raise EnvError(absent(header["missing"], self.where))
            runtime = settings["runtime"]
            raise EnvError(unusable(runtime, self.where, header["error"]))

    def reset(self, seed: int) -> View:
        _, view = self._played({"do": "reset", "seed": seed}, START)
        assert view is not None, "an episode begins with a picture"
        return view

    def step(self, controls: np.ndarray, repeat: int) -> tuple[float, View | None]:
        request = {"do": "step", "controls": controls.tolist(), "repeat": repeat}
        return self._played(request, STEP)

    def close(self) -> None:
        self.worker.close()

    def _played(
        self, request: Mapping[str, Any], timeout: float
    ) -> tuple[float, View | None]:
        header, body = self._ask(request, timeout)
        if "error" in header:
            words = self.worker.last_words()
            self.worker.close()
            raise EnvError(f"DMLab in {self.where}: {header['error']}.{words}")
        if header["shape"] is None:
            return header["reward"], None
        image = np.frombuffer(body, np.uint8).reshape(header["shape"])
        return header["reward"], View(image, header.get("text", ""))

    def _ask(
        self, request: Mapping[str, Any], timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        try:
            return self.worker.ask(request, timeout)
        except WorkerLost as error:
            raise EnvError(f"DMLab in {self.where}: {error}") from error
