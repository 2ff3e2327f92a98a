"""Environments in a few threads of this process.

For environments that spend their time in compiled code without the interpreter's lock:
nothing is copied between processes, and all share one program in memory.
"""

from __future__ import annotations

import collections
import os
import queue
import threading
import time

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

GRACE = 5.0
"""Seconds that threads have to finish their step, before they are left behind."""


class ThreadEnvs(LocalEnvs):
    """A pool of threads that steps all environments; see `VectorEnv`.

    Which thread steps which environment is left to chance. Each environment is only
    ever touched by one thread at a time and each writes into rows of its own, so what
    comes out does not depend on it.

    A step cannot be broken off. `close` waits for the ones that run, but not for ever:
    a thread that hangs is left behind with its environment, and ends with the process.

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
        self._threads: list[threading.Thread] = []
        self._tasks: queue.SimpleQueue[collections.deque[int] | None]
        self._tasks = queue.SimpleQueue()
        self._done: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._busy = 0  # threads that have not said that they are done
        super().__init__(make, num, name)
        spaces = [(env.env.obs_space, env.env.act_space) for env in self._envs]
        try:
            require_same_spaces(spaces, name)
        except Exception:
            self.close()
            raise
        self._rows: Obs = {}
        self._errors: dict[int, Exception] = {}
        for number in range(threads or min(num, os.cpu_count() or 1)):
            thread = threading.Thread(
                target=self._serve, name=f"environments_{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
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
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        hanging = any(thread.is_alive() for thread in self._threads)
        self._threads = []
        if hanging:
            self._envs = []  # one of them is in use
        super().close()

    def _start(self, action: Action) -> None:
        """Lets the threads take a step of all environments."""
        self._action = action
        self._rows = {
            key: np.empty((self.num, *space.shape), space.dtype)
            for key, space in self.obs_space.items()
        }
        todo = collections.deque(range(self.num))
        self._busy = len(self._threads)
        for _ in self._threads:
            self._tasks.put(todo)

    def _serve(self) -> None:
        """Life of a thread."""
        while (todo := self._tasks.get()) is not None:
            self._work(todo)
            self._done.put(None)

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
        while self._busy:
            self._done.get()
            self._busy -= 1

    def _action_of(self, index: int) -> Action:
        return {key: value[index].copy() for key, value in (self._action or {}).items()}
