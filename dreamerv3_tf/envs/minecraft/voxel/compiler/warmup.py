"""Compiles the voxel world once, before environments are made.

Numba compiles one function at a time in a process, so two processes share the work;
their code lands in the cache (see `jit.py`), from where every other process takes it.
`python -m dreamerv3_tf.envs.minecraft.voxel.compiler.warmup GROUP ...` compiles some
groups.
"""

from __future__ import annotations

import gc
import hashlib
import os
import pathlib
import platform
import subprocess
import sys

import numba
import numpy as np
from llvmlite import binding

from dreamerv3_tf.cache import cache_root
from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft.voxel.compiler import jit

SHARES = (("player", "things"), ("world", "picture"))
"""What each process compiles, about the same work for both.

Groups of a share have functions in common, which are compiled once.
"""


def ready() -> bool:
    """Whether this machine's cache holds the code of this version."""
    return marker().exists()


def prepare() -> None:
    """Fills the cache; returns at once where it is full.

    Raises:
        EnvError: a kernel could not be compiled or the cache not be written.
    """
    if ready():
        return
    package = pathlib.Path(__file__).resolve().parents[5]
    path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", __spec__.name]
    processes = [
        subprocess.Popen(
            [*command, *groups],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for groups in SHARES
    ]
    errors = [process.communicate()[1] for process in processes]
    failed = [e for p, e in zip(processes, errors, strict=True) if p.returncode]
    if failed:
        raise EnvError(
            f"The voxel world could not be compiled into {cache_root()} (another "
            "folder: set DREAMERV3_TF_CACHE):\n" + "\n".join(failed)
        )
    marker().touch()


def marker() -> pathlib.Path:
    """File that says that everything is in the cache."""
    facts = [numba.__version__, np.__version__, platform.python_version()]
    facts += [binding.get_host_cpu_name()]
    facts += [
        file.read_text(encoding="utf-8") for file in sorted(jit.HERE.rglob("*.py"))
    ]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    return cache_root() / "numba" / f"ready-{digest}"


def compile_group(group: str) -> None:
    """Compiles one group by using it on a small world.

    Raises:
        ValueError: no such group.
    """
    from dreamerv3_tf.envs.minecraft.voxel import state as st

    state = st.empty_state()
    if group == "world":
        from dreamerv3_tf.envs.minecraft.voxel.land import world, worldgen

        worldgen.find_spawn(1)
        world.World(state).load(0, 0)
        world.standing_height(state, 0, 0)
    elif group == "things":
        from dreamerv3_tf.envs.minecraft.voxel.nature import tick

        tick.settle(state)
        tick.tick_world(state)
    elif group == "player":
        from dreamerv3_tf.envs.minecraft.voxel.nature import tick

        tick.tick_player(state, 0, 0, False, False)
        tick.turn(state, 0.0, 0.0)
        tick.place(state, 1)
        tick.observe(state, np.zeros(391, np.int32))
        tick.block_at(state, 0, 0, 0)
        tick.aim(state)
    elif group == "picture":
        from dreamerv3_tf.envs.minecraft.voxel.picture import render

        render.Renderer().image(state)
    else:
        groups = ", ".join(name for share in SHARES for name in share)
        raise ValueError(f"No group '{group}'. Groups: {groups}.")


if __name__ == "__main__":
    gc.disable()  # the compiler makes much and drops little
    for name in sys.argv[1:]:
        compile_group(name)
