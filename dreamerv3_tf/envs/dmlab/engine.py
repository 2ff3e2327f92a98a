"""DMLab itself, through `deepmind_lab` or through `dmlab_gym`.

This file runs in our interpreter, or in another one below `foreign_host.py`, since
DMLab wants NumPy < 2 and Python <= 3.11. So it imports nothing of ours, and it is
written for Python 3.7 or later.

Both classes have the same methods:

  reset(seed) -> observations                   a new episode
  step(controls, repeat) -> (reward, observations or None where the episode is over)
  close()
"""

# pyright: reportMissingImports=false
# DMLab is mostly in another interpreter than the one that checks types.

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

IMAGE, TEXT = "RGB_INTERLEAVED", "INSTR"


class Native:
    """The engine by its native module `deepmind_lab`.

    Args:
        level: path of the level's script.
        names: what to observe.
        config: settings of the engine, all of them strings.
        renderer: `software` or `hardware`.
        cache: folder for maps that were compiled; empty keeps none.
    """

    def __init__(
        self,
        level: str,
        names: Sequence[str],
        config: Mapping[str, str],
        renderer: str,
        cache: str,
    ):
        import deepmind_lab

        options = {"level_cache": LevelCache(cache)} if cache else {}
        self.lab = deepmind_lab.Lab(
            level, list(names), config=dict(config), renderer=renderer, **options
        )

    def reset(self, seed: int) -> dict[str, Any]:
        self.lab.reset(seed=int(seed))  # the module takes no integers of NumPy
        return self.lab.observations()

    def step(
        self, controls: Sequence[int], repeat: int
    ) -> tuple[float, dict[str, Any] | None]:
        import numpy as np

        reward = self.lab.step(np.array(controls, np.intc), num_steps=repeat)
        # After the end there is nothing to be observed, and asking is an error.
        observed = self.lab.observations() if self.lab.is_running() else None
        return float(reward), observed

    def close(self) -> None:
        self.lab.close()


class Gym:
    """The engine by `dmlab_gym`; arguments as of `Native`.

    It draws every frame, where the native module draws the last one of a step.

    Raises:
        ValueError: a cache is asked for, which it has not.
    """

    def __init__(
        self,
        level: str,
        names: Sequence[str],
        config: Mapping[str, str],
        renderer: str,
        cache: str,
    ):
        import dmlab_gym

        if cache:
            raise ValueError("dmlab_gym keeps no cache of levels")
        settings = dict(config)
        self.names = list(names)
        self.env = dmlab_gym.DmLabEnv(
            level,
            observations=self.names,
            renderer=renderer,
            width=int(settings.pop("width")),
            height=int(settings.pop("height")),
            **settings,
        )

    def reset(self, seed: int) -> dict[str, Any]:
        observed, _ = self.env.reset(seed=int(seed))
        return self._named(observed)

    def step(
        self, controls: Sequence[int], repeat: int
    ) -> tuple[float, dict[str, Any] | None]:
        import numpy as np

        action, total, observed = np.array(controls, np.intc), 0.0, None
        for _ in range(repeat):
            observed, reward, terminated, truncated, _ = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                return total, None
        return total, self._named(observed)

    def close(self) -> None:
        self.env.close()

    def _named(self, observed: Any) -> dict[str, Any]:
        # A single observation comes without its name.
        return {self.names[0]: observed} if len(self.names) == 1 else observed


class LevelCache:
    """Compiled maps in a folder, by the key that the engine gives them."""

    def __init__(self, folder: str):
        self.folder = os.path.expanduser(folder)
        os.makedirs(self.folder, exist_ok=True)

    def fetch(self, key: str, pk3_path: str) -> bool:
        """Puts a map where the engine wants it; whether there was one."""
        try:
            shutil.copyfile(os.path.join(self.folder, key), pk3_path)
        except FileNotFoundError:
            return False
        return True

    def write(self, key: str, pk3_path: str) -> None:
        """Keeps a map; other processes see all of it or nothing."""
        file, path = tempfile.mkstemp(dir=self.folder)
        os.close(file)
        shutil.copyfile(pk3_path, path)
        os.replace(path, os.path.join(self.folder, key))


RUNTIMES = {"native": Native, "dmlab_gym": Gym}


def start(settings: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """For `foreign_host.py`: an engine, and nothing to say about it."""
    options = dict(settings)
    return RUNTIMES[options.pop("runtime")](**options), {}


def answer(engine: Any, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """For `foreign_host.py`: does what a request asks for.

    Returns:
        `reward`, the shape of the picture (none where the episode is over) and the
        instruction; then the picture.
    """
    reward = 0.0
    if request["do"] == "reset":
        observed = engine.reset(request["seed"])
    else:
        reward, observed = engine.step(request["controls"], request["repeat"])
    if observed is None:
        return {"reward": reward, "shape": None}, b""
    image = observed[IMAGE]
    header = {"reward": reward, "shape": list(image.shape)}
    if TEXT in observed:
        header["text"] = observed[TEXT]
    return header, image.tobytes()


def probe() -> dict[str, Any]:
    """For `foreign_host.py`: versions of what is there, and what keeps it from working.

    Each package by itself, so that one that is missing does not hide the others.
    """
    import importlib

    found: dict[str, Any] = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("numpy", "deepmind_lab", "dmlab_gym"):
        try:
            module = importlib.import_module(name)
            found[name] = str(getattr(module, "__version__", "is there"))
        except Exception as error:  # whatever it is, it is what we ask for
            found["no " + name] = f"{type(error).__name__}: {error}"
    return found
