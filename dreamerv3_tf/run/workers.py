"""One process for each environment.

Observations and actions travel through one block of shared memory, the pipe carries
single bytes: what to do, and that it is done. Workers are spawned and never import
TensorFlow. They leave when their end of the pipe closes, so none survives this process,
however it ends.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing as mp
import os
import pickle
import signal
import time
from collections.abc import Iterator
from multiprocessing import util as mp_util
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Literal

import numpy as np

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.base import Action, EnvError, Obs
from dreamerv3_tf.envs.hooks import env_parallel
from dreamerv3_tf.run.threads import ThreadEnvs
from dreamerv3_tf.run.vector import (
    LocalEnvs,
    MakeEnv,
    VectorEnv,
    WorkerError,
    check_actions,
    failure,
    label,
    require_same_spaces,
)
from dreamerv3_tf.run.worker import (
    CLOSE,
    FAILED,
    RENDER,
    STEP,
    plan_memory,
    work,
)

__all__ = [
    "LocalEnvs",
    "ProcessEnvs",
    "ThreadEnvs",
    "VectorEnv",
    "WorkerError",
    "make_envs",
]

GRACE = 5.0
"""Seconds that workers have to finish their step and leave, before they are killed."""

ENVIRON = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # sets of strings in one order, for environments that care
}
"""Environment variables of workers, where they are not set already."""


def make_envs(
    task: str,
    *,
    num: int,
    seed: int,
    parallel: Literal["auto", "process", "thread", "none"] = "auto",
    evaluation: bool = False,
    logdir: str | None = None,
    **settings,
) -> VectorEnv:
    """`num` environments of one task.

    Args:
        task: `suite_name`.
        num: how many.
        seed: of the run; each environment derives its own.
        parallel: one process for each, threads of this process, or one after the
            other; `auto` takes what suits the suite.
        evaluation: whether they are for evaluation; see `make_env`.
        logdir: folder of the run that trains in them; see `make_env`.
        **settings: keyword arguments of the suite's `make`.

    Raises:
        EnvError: the task, a setting or an installation is wrong; one line.
        WorkerError: an environment could not be made for another reason.
    """
    make = functools.partial(
        make_env, task, seed=seed, evaluation=evaluation, logdir=logdir, **settings
    )
    kinds = {"process": ProcessEnvs, "thread": ThreadEnvs, "none": LocalEnvs}
    best = env_parallel(task, settings)
    chosen = best if parallel == "auto" else parallel
    if best == "none" != chosen:
        raise EnvError(
            f"Task '{task}': run.parallel is '{chosen}', but this suite counts over "
            "all episodes and has to run in the program itself; set run.parallel=auto."
        )
    return kinds[chosen](make, num, task)


class ProcessEnvs:
    """One process for each environment; see `VectorEnv`."""

    def __init__(self, make: MakeEnv, num: int, name: str = "environment"):
        self.num, self.name = num, name
        self._count = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._memory: SharedMemory | None = None
        self._processes: list[Any] = []
        self._pipes: list[Connection] = []
        self._busy = [True] * num
        # Runs before multiprocessing would terminate and join the workers at exit.
        self._leave = mp_util.Finalize(
            self, _shut_down, (self._processes, self._pipes), exitpriority=10
        )
        try:
            self._start(make)
        except BaseException:
            self.close()
            raise
        self._waiting = True

    def recv(self) -> Obs:
        assert self._waiting, "recv() needs a send() before it."
        self._waiting = False
        self._count += 1
        for index in range(self.num):
            if self._busy[index]:
                self._reply(index)
        return {key: self._arrays[key].copy() for key in self.obs_space}

    def send(self, action: Action) -> None:
        assert not self._waiting, "send() needs a recv() before it."
        check_actions(self.act_space, self.num, action)
        for key in self.act_space:
            self._arrays[key][...] = action[key]
        for index in range(self.num):
            self._busy[index] = True
            self._tell(index, STEP)
        self._waiting = True

    def render(self, index: int) -> np.ndarray:
        if self._busy[index]:
            self._reply(index)
        self._tell(index, RENDER)
        result = pickle.loads(self._reply(index))
        if isinstance(result, str):
            raise EnvError(result)
        return result

    def close(self) -> None:
        self._leave()
        self._arrays.clear()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _start(self, make: MakeEnv) -> None:
        context = mp.get_context("spawn")
        with _environ():
            for index in range(self.num):
                ours, theirs = context.Pipe()
                self._pipes.append(ours)
                process = context.Process(
                    target=work,
                    args=(theirs, make, index),
                    name=label(index, self.name),
                    daemon=True,
                )
                process.start()
                theirs.close()  # so that its end is ours to notice
                self._processes.append(process)
        spaces = [pickle.loads(self._reply(index)) for index in range(self.num)]
        self.obs_space, self.act_space = spaces[0]
        require_same_spaces(spaces, self.name)
        layout = plan_memory(self.obs_space | self.act_space, self.num)
        self._memory = SharedMemory(create=True, size=layout.nbytes)
        try:
            for index in range(self.num):
                self._tell(index, pickle.dumps((self._memory.name, layout)))
            for index in range(self.num):
                self._reply(index)
        finally:
            # All have it mapped; without a name nothing stays behind, come what may.
            self._memory.unlink()
        self._arrays = layout.arrays(self._memory)
        for index in range(self.num):
            self._tell(index, STEP)
        self._busy = [True] * self.num

    def _tell(self, index: int, message: bytes) -> None:
        try:
            self._pipes[index].send_bytes(message)
        except OSError as error:
            raise self._death(index) from error

    def _reply(self, index: int) -> bytes:
        """Payload of the next answer of a worker.

        Raises:
            EnvError: it reports an error of the environment, or it is dead.
        """
        try:
            message = self._pipes[index].recv_bytes()
        except (EOFError, OSError) as error:
            raise self._death(index) from error
        self._busy[index] = False
        if message[:1] != FAILED:
            return message[1:]
        plain, text, trace = pickle.loads(message[1:])
        made = bool(self._arrays)
        action = self._last_action(index)
        self.close()
        if not made:
            if plain:
                raise EnvError(text)
            raise WorkerError(f"{label(index, self.name)} could not be made:\n{trace}")
        where = failure(index, self.name, self._count, action)
        raise WorkerError(f"{where}: {text}" + ("" if plain else f"\n{trace}"))

    def _death(self, index: int) -> WorkerError:
        process, action = self._processes[index], self._last_action(index)
        process.join(GRACE)
        code = process.exitcode
        self.close()
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                how = f"was killed by {signal.Signals(-code).name} (exit code {code})"
        hint = (
            "Out of memory is the usual reason: take fewer environments (run.envs)."
            if code == -signal.SIGKILL
            else "What it said last is above, if it said anything."
        )
        where = failure(index, self.name, self._count, action)
        return WorkerError(f"{where}: its process {how}. {hint}")

    def _last_action(self, index: int) -> Action:
        if not self._arrays:
            return {}
        return {key: self._arrays[key][index].copy() for key in self.act_space}


@contextlib.contextmanager
def _environ() -> Iterator[None]:
    new = {key: value for key, value in ENVIRON.items() if key not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for key in new:
            del os.environ[key]


def _shut_down(processes: list, pipes: list[Connection]) -> None:
    for pipe in pipes:
        with contextlib.suppress(OSError):  # it is gone already
            pipe.send_bytes(CLOSE)
        pipe.close()
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
