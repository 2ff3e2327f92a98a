"""Environments that misbehave, for the tests of workers and driver."""

import os
import signal
import sys
import time

import numpy as np

from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.envs.base import signal_spaces, signals
from dreamerv3_tf.spaces import Space

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)


class Probe:
    """Counts its steps and does `trick` when environment `which` takes step `when`.

    Episodes of environment `i` last `i + 2` steps.
    """

    def __init__(self, trick="", which=1, when=3, *, index):
        self.obs_space = signal_spaces() | {
            "episode": Space(FLOAT),
            "count": Space(FLOAT),
            "last_action": Space(INT, (2,), 0, 9),
            "log/index": Space(FLOAT),
        }
        self.act_space = {"action": Space(INT, (2,), 0, 9), "push": Space(FLOAT, ())}
        self.trick, self.active, self.when = trick, index == which, when
        self.index, self.length = index, index + 2
        self.episode = self.count = self.total = 0
        self.action = np.zeros(2, np.int32)
        self.tricks("make")

    def reset(self):
        self.episode += 1
        self.count = 0
        self.action = np.zeros(2, np.int32)
        return self.observe(signals(first=True))

    def step(self, action):
        self.count += 1
        self.total += 1
        self.action = action["action"]
        if self.total == self.when:
            self.tricks("step")
        last = self.count == self.length
        return self.observe(signals(self.count, last=last, terminal=last))

    def observe(self, obs):
        return obs | {
            "episode": np.float32(self.episode),
            "count": np.float32(self.count),
            "last_action": self.action,
            "log/index": np.float32(self.index),
        }

    def render(self):
        if self.trick == "no picture":
            raise EnvError("nothing to see")
        return np.full((4, 5, 3), self.count, np.uint8)

    def close(self):
        pass

    def tricks(self, where):
        trick = self.trick if self.active else ""
        if trick == f"raise in {where}":
            raise ZeroDivisionError("seven by nothing")
        if trick == f"complain in {where}":
            raise EnvError("the plain reason")
        if trick == f"die in {where}":
            os.kill(os.getpid(), signal.SIGKILL)
        if trick == f"exit in {where}":
            os._exit(3)
        if trick == f"hang in {where}":
            time.sleep(60)


class Loaded(Probe):
    """Fails if TensorFlow or Keras are loaded where it lives."""

    def __init__(self, *, index):
        super().__init__(index=index)
        heavy = {"tensorflow", "keras", "tf_keras", "tensorflow_probability"}
        found = heavy & set(sys.modules)
        if found:
            raise EnvError(f"loaded: {found}")
        make_env("dmc_cartpole_balance", seed=0).reset()


class Uneven(Probe):
    """Environment 1 has another space."""

    def __init__(self, *, index):
        super().__init__(index=index)
        if index:
            self.act_space["action"] = Space(INT, (2,), 0, 8)
