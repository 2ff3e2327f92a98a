"""Which OpenGL backend MuJoCo gets, chosen so that nothing crashes.

A software renderer (Mesa) and TensorFlow in one process end in a segmentation fault,
even if the renderer is only imported, in either order. So the main process, which may
load TensorFlow sooner or later, loads MuJoCo without a renderer unless observations
need one; environment processes, which never load TensorFlow, get EGL.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import sys
from collections.abc import Iterator

from dreamerv3_tf.envs.base import EnvError

VARIABLE = "MUJOCO_GL"
OFF = ("disable", "disabled", "off", "false", "0")


def backend(needed: bool) -> str:
    """Value of `MUJOCO_GL` for this process.

    Args:
        needed: whether observations are rendered; if not, having no renderer is fine.

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
    chosen = os.environ.get(VARIABLE, "").lower()
    if not chosen:
        safe = needed or multiprocessing.parent_process() is not None
        chosen = "egl" if safe and _has_egl() else "disable"
    if needed and chosen in OFF:
        raise EnvError(
            "MuJoCo has no renderer for pictures; install one with 'apt install "
            "libegl1 libgl1', or set MUJOCO_GL=osmesa after 'apt install libosmesa6'."
        )
    return chosen


@contextlib.contextmanager
def renderer(needed: bool) -> Iterator[None]:
    """Sets `MUJOCO_GL` while MuJoCo is imported or renders.

    Raises:
        EnvError: as `backend`.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = backend(needed)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def _has_egl() -> bool:
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    return True
