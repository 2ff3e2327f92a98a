"""`check_env` says in plain language what is wrong."""

import numpy as np
import pytest

from dreamerv3_tf.envs import EnvError, check_env, make_env
from dreamerv3_tf.envs.base import signal_spaces, signals
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.spaces import Space

FLOAT, INT = np.dtype("float32"), np.dtype("int32")


class Good:
    """Three steps long, without a flaw."""

    def __init__(self):
        self.obs_space = {"vector": Space(FLOAT, (2,), -1, 1)} | signal_spaces()
        self.act_space = {"action": Space(INT, (), 0, 3)}
        self.count = 3

    def reset(self):
        self.count = 0
        return self.observe(signals(first=True))

    def step(self, _):
        assert self.count < 3, "over"
        self.count += 1
        last = self.count == 3
        return self.observe(signals(1.0, last=last, terminal=last))

    def observe(self, obs):
        return obs | {"vector": np.zeros(2, np.float32)}

    def render(self):
        return np.zeros((8, 8, 3), np.uint8)

    def close(self):
        pass


def change(**entries):
    """A Good whose observations have other entries."""

    class Changed(Good):
        def observe(self, obs):
            return super().observe(obs) | entries

    return Changed()


def lacking():
    class Lacking(Good):
        def observe(self, obs):
            return obs

    return Lacking()


def spaces(obs=None, act=None):
    env = Good()
    env.obs_space |= obs or {}
    env.act_space |= act or {}
    return env


def no_action():
    env = Good()
    env.act_space = None
    return env


def without(key):
    env = Good()
    del env.obs_space[key]
    return env


def reuses_an_array():
    class Reuses(Good):
        vector = np.zeros(2, np.float32)

        def observe(self, obs):
            self.vector += 0.01
            return obs | {"vector": self.vector}

    return Reuses()


def goes_on_after_the_end():
    class Goes(Good):
        def step(self, action):
            self.count = min(self.count, 2)
            return super().step(action)

    return Goes()


def writes_to_the_action():
    class Writes(Good):
        def step(self, action):
            action["action"] = action["action"] + 1
            return super().step(action)

    return Writes()


def rewards_a_reset():
    class Rewards(Good):
        def reset(self):
            return super().reset() | {"reward": np.float32(1)}

    return Rewards()


def four_results():
    class Four(Good):
        def step(self, action):
            return super().step(action), 0.0, False, {}

    return Four()


def raises():
    class Raises(Good):
        def step(self, _):
            raise KeyError("left")

    return Raises()


ENVS = {
    "missing flag": (without("is_first"), "is_first.*expected a scalar"),
    "missing reward": (without("reward"), "reward.*expected a scalar of dtype float32"),
    "nothing to see": (without("vector"), "nothing for the agent to see"),
    "same name": (spaces(act={"vector": Space(FLOAT)}), "both an observation and an"),
    "reserved": (spaces(obs={"deter": Space(FLOAT)}), "belongs to replay"),
    "slash": (spaces(obs={"a/b": Space(FLOAT)}), "slash"),
    "reward action": (spaces(act={"log/x": Space(FLOAT)}), "means something else"),
    "float64": (spaces(obs={"x": Space(np.dtype("float64"))}), "UnifyDtypes"),
    "start": (spaces(act={"x": Space(INT, (), 1, 3)}), "count from 0"),
    "one bound": (spaces(act={"x": Space(FLOAT, (), 0)}), "on one side only; give it"),
    "no space": (spaces(obs={"x": (3,)}), "no Space: x"),
    "no action": (no_action(), "act_space is None; expected a dict"),
    "dtype": (change(vector=np.zeros(2)), "dtype is float64, expected float32"),
    "shape": (change(vector=np.zeros(3, FLOAT)), r"shape is \(3,\), expected \(2,\)"),
    "bounds": (change(vector=np.full(2, 2, FLOAT)), "leave the range"),
    "nan": (change(vector=np.full(2, np.nan, FLOAT)), "NaN"),
    "python float": (change(reward=0.0), "Python float.*float32"),
    "reward dtype": (change(reward=np.float64(0)), "reward.*float64, expected float32"),
    "extra": (change(health=np.float32(1)), "'health'.*obs_space doesn't have"),
    "missing": (lacking(), "left out 'vector'"),
    "first": (change(is_first=np.array(True)), "is_first is True after step"),
    "not first": (change(is_first=np.array(False)), "is_first is False after reset"),
    "terminal": (
        change(is_terminal=np.array(True), is_last=np.array(False)),
        "is_terminal is set without is_last",
    ),
    "empty": (change(is_last=np.array(True)), "reset.. returned is_last"),
    "reuse": (reuses_an_array(), "changed the array 'vector'.*copy"),
    "after last": (goes_on_after_the_end(), "after is_last.*expected an error"),
    "reset reward": (rewards_a_reset(), "expected 0, no action was taken"),
    "tuple": (four_results(), "returned a tuple; expected a dict"),
    "raises": (raises(), "step.. number 1 raised KeyError: 'left'"),
    "action": (writes_to_the_action(), "changed the action 'action'"),
}


def test_a_good_environment_passes():
    env = Good()
    env.count = 0
    check_env(env, steps=20)


@pytest.mark.parametrize("name", ENVS)
def test_a_broken_environment_is_found_out(name):
    env, words = ENVS[name]
    with pytest.raises(EnvError, match=words):
        check_env(env, steps=20)


def test_all_findings_come_at_once_and_each_but_once():
    env = change(vector=np.zeros(3, FLOAT), reward=0.0, extra=np.float32(0))
    findings = find_problems(env, steps=20)
    assert len(findings) == 3
    with pytest.raises(EnvError, match=r"3 way\(s\):\n  1\. .*\n  2\. .*\n  3\. "):
        check_env(env, steps=20)


def test_what_make_env_returns_raises_after_the_end():
    env = make_env("dummy_disc", seed=0, length=1)
    action = {"act_disc": np.int32(0)}
    with pytest.raises(EnvError, match="before the first reset"):
        env.step(action)
    env.reset()
    env.step(action)
    with pytest.raises(EnvError, match="after is_last; call reset"):
        env.step(action)
