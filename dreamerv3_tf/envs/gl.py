"""Which OpenGL backend MuJoCo gets, chosen so that nothing crashes.

A software renderer (Mesa) and TensorFlow in one process end in a segmentation fault,
even if the renderer is only imported, in either order. So the main process, which may
load TensorFlow sooner or later, loads MuJoCo without a renderer unless observations
need one; environment processes, which never load TensorFlow, get EGL, or OSMesa where
only that is installed. Neither needs a screen or root.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import multiprocessing
import os
import sys
from collections.abc import Iterator
from typing import Literal

from dreamerv3_tf.envs.base import EnvError

Renderer = Literal["auto", "egl", "osmesa"]
"""What `MUJOCO_GL` says for `auto`; where it says nothing, what is installed."""

VARIABLE = "MUJOCO_GL"
OFF = ("disable", "disabled", "off", "false", "0")
PACKAGES = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}
"""What apt calls the libraries, in the order in which `auto` looks for them."""


def backend(needed: bool, asked: Renderer = "auto") -> str:
    """Value of `MUJOCO_GL` for this process.

    Args:
        needed: whether observations are rendered; if not, having no renderer is fine.
        asked: what the settings ask for.

    Raises:
        EnvError: pictures are needed and can't be had here; the text says what to do.
    """
    if "tensorflow" in sys.modules:
        if needed:
            raise EnvError(
                "MuJoCo can't render in a process that has loaded TensorFlow (the two "
                "crash each other); run environments in processes: run.parallel=process"
            )
        return "disable"
    chosen = os.environ.get(VARIABLE, "").lower() if asked == "auto" else asked
    if not chosen:
        safe = needed or multiprocessing.parent_process() is not None
        there = [name for name in PACKAGES if is_installed(name)] if safe else []
        chosen = there[0] if there else "disable"
    if needed:
        _check(chosen)
    return chosen


def is_installed(name: str) -> bool:
    """Whether this machine has the library of a backend, `egl` or `osmesa`."""
    if name == "osmesa":
        return ctypes.util.find_library("OSMesa") is not None
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    return True


@contextlib.contextmanager
def renderer(needed: bool, asked: Renderer = "auto") -> Iterator[None]:
    """Sets `MUJOCO_GL` while MuJoCo is imported or renders.

    Raises:
        EnvError: as `backend`, or the renderer doesn't start.
    """
    before = os.environ.get(VARIABLE)
    chosen = backend(needed, asked)
    os.environ[VARIABLE] = chosen
    try:
        yield
    except ImportError as error:  # a library is there, and no driver for it
        package = PACKAGES.get(chosen, PACKAGES["egl"])
        raise EnvError(
            f"MuJoCo's renderer '{chosen}' doesn't start: {error} Install its driver "
            f"with 'apt install {package}', or use another: {_others(chosen)}."
        ) from error
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def _check(chosen: str) -> None:
    """Raises where a backend can't render here."""
    if chosen in OFF:
        raise EnvError(
            "MuJoCo has no renderer for pictures; install one with 'apt install "
            f"{PACKAGES['egl']}', or use another: {_others('egl')}."
        )
    if chosen in PACKAGES and not is_installed(chosen):
        raise EnvError(
            f"MuJoCo's renderer '{chosen}' is not installed; install it with 'apt "
            f"install {PACKAGES[chosen]}', or use another: {_others(chosen)}."
        )
    # dm_control takes its renderer when it is imported, and keeps it.
    loaded = getattr(sys.modules.get("dm_control._render"), "BACKEND", None)
    if loaded and loaded != chosen:
        raise EnvError(
            f"MuJoCo was loaded with MUJOCO_GL={loaded} in this process and can't "
            f"change to '{chosen}'; run environments in processes of their own: "
            "run.parallel=process"
        )


def _others(chosen: str) -> str:
    """Other ways to pictures, in words; the last one needs no root."""
    ways = [
        f"env.renderer={name} after 'apt install {package}'"
        for name, package in PACKAGES.items()
        if name != chosen
    ]
    ways.append("env.renderer=warp for DMC after pip install 'dreamerv3_tf[warp]'")
    return ", or ".join(ways)
