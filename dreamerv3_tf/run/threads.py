"""Environments in a few threads of this process.

For environments that spend their time in compiled code without the interpreter's lock:
nothing is copied between processes, and all share one program in memory.
"""

from __future__ import annotations

import collections
import os
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from dreamerv3_tf.envs.base import Action, Obs
from dreamerv3_tf.run.vector import (
    LocalEnvs,
    MakeEnv,
    WorkerError,
    check_actions,
    failure,
    require_same_spaces,
)


class ThreadEnvs(LocalEnvs):
    """A pool of threads that steps all environments; see `VectorEnv`.

    Which thread steps which environment is left to chance. Each environment is only
    ever touched by one thread at a time and each writes into rows of its own, so what
    comes out does not depend on it.

    A step cannot be broken off: `close` waits for the one that runs.

    Args:
        make: makes an environment, called in this thread.
        num: how many.
        name: what environments are called in messages.
        threads: size of the pool; by default one for each core, but not more than
            environments.
    """

    def __init__(
        self, make: MakeEnv, num: int, name: str = "environment", threads: int = 0
    ):
        self._pool: ThreadPoolExecutor | None = None
        self._jobs: list[Future[None]] = []
        super().__init__(make, num, name)
        spaces = [(env.env.obs_space, env.env.act_space) for env in self._envs]
        try:
            require_same_spaces(spaces, name)
        except Exception:
            self.close()
            raise
        self._threads = threads or min(num, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._threads, "environments")
        self._rows: Obs = {}
        self._errors: dict[int, Exception] = {}
        self._start({})

    def recv(self) -> Obs:
        assert self._waiting, "recv() needs a send() before it."
        self._waiting = False
        self._count += 1
        self._wait()
        if self._errors:
            index, error = min(self._errors.items())
            action = self._action_of(index)
            self.close()
            where = failure(index, self.name, self._count, action)
            raise WorkerError(f"{where}: {error}") from error
        return self._rows

    def send(self, action: Action) -> None:
        assert not self._waiting, "send() needs a recv() before it."
        check_actions(self.act_space, self.num, action)
        self._start({key: value.copy() for key, value in action.items()})
        self._waiting = True

    def render(self, index: int) -> np.ndarray:
        self._wait()
        return super().render(index)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        super().close()

    def _start(self, action: Action) -> None:
        """Lets the pool take a step of all environments."""
        assert self._pool is not None
        self._action = action
        self._rows = {
            key: np.empty((self.num, *space.shape), space.dtype)
            for key, space in self.obs_space.items()
        }
        todo = collections.deque(range(self.num))
        self._jobs = [self._pool.submit(self._work, todo) for _ in range(self._threads)]

    def _work(self, todo: collections.deque[int]) -> None:
        """Steps environments until none is left; what goes wrong is kept for `recv`."""
        rows = self._rows
        while todo:
            try:
                index = todo.popleft()
            except IndexError:
                return  # another thread was faster
            try:
                obs = self._envs[index].advance(self._action_of(index))
                for key, row in rows.items():
                    row[index] = obs[key]
            except Exception as error:  # noqa: BLE001  (raised again by recv)
                self._errors[index] = error

    def _wait(self) -> None:
        for job in self._jobs:
            job.result()

    def _action_of(self, index: int) -> Action:
        return {key: value[index].copy() for key, value in (self._action or {}).items()}
