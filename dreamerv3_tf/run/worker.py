"""Life of a worker process, which owns one environment."""

from __future__ import annotations

import contextlib
import pickle
import signal
import traceback
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import NamedTuple

import numpy as np

from dreamerv3_tf.envs.base import Env, EnvError
from dreamerv3_tf.run.vector import Episodic, MakeEnv, Spaces

STEP, RENDER, CLOSE = b"s", b"r", b"c"  # what to do
DONE, RESULT, FAILED = b"d", b"r", b"f"  # how it went


class Layout(NamedTuple):
    """Where each array lies in the shared memory.

    Attributes:
        places: offset in bytes, dtype and shape `[N, ...]` of each key.
        nbytes: size of all.
    """

    places: dict[str, tuple[int, np.dtype, tuple[int, ...]]]
    nbytes: int

    def arrays(self, memory: SharedMemory) -> dict[str, np.ndarray]:
        return {
            key: np.ndarray(shape, dtype, memory.buf, offset)
            for key, (offset, dtype, shape) in self.places.items()
        }


def plan_memory(spaces: Spaces, num: int) -> Layout:
    places, offset = {}, 0
    for key, space in spaces.items():
        places[key] = (offset, space.dtype, (num, *space.shape))
        offset += -(-num * space.nbytes // 64) * 64  # each on a cache line of its own
    return Layout(places, max(offset, 1))


def work(pipe: Connection, make: MakeEnv, index: int) -> None:
    """Life of a worker process."""
    # The main process decides when to stop; a Ctrl-C reaches the workers too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    env = None
    try:
        env = make(index=index)
        _serve(pipe, env, index)
    except _ParentGone:
        pass
    except Exception as error:  # noqa: BLE001  (raised again by the main process)
        report = isinstance(error, EnvError), str(error), traceback.format_exc()
        with contextlib.suppress(OSError):
            pipe.send_bytes(FAILED + pickle.dumps(report))
    finally:
        if env is not None:
            env.close()


class _ParentGone(Exception):
    """The pipe to the main process has closed, or it says goodbye."""


def _serve(pipe: Connection, env: Env, index: int) -> None:
    _answer(pipe, RESULT + pickle.dumps((env.obs_space, env.act_space)))
    name, layout = pickle.loads(_next(pipe))
    memory = SharedMemory(name)
    arrays = layout.arrays(memory)
    cells = {key: arrays[key][index : index + 1] for key in env.obs_space}
    inputs = {key: arrays[key][index : index + 1] for key in env.act_space}
    episodic = Episodic(env)
    _answer(pipe, DONE)
    while True:
        if _next(pipe) == STEP:
            action = {key: array[0].copy() for key, array in inputs.items()}
            obs = episodic.advance(action)
            for key, cell in cells.items():
                cell[0] = obs[key]
            _answer(pipe, DONE)
        else:
            try:
                result = env.render()
            except EnvError as error:
                result = str(error)
            _answer(pipe, RESULT + pickle.dumps(result))


def _next(pipe: Connection) -> bytes:
    try:
        message = pipe.recv_bytes()
    except (EOFError, OSError) as error:
        raise _ParentGone from error
    if message == CLOSE:
        raise _ParentGone
    return message


def _answer(pipe: Connection, message: bytes) -> None:
    try:
        pipe.send_bytes(message)
    except OSError as error:
        raise _ParentGone from error
