"""The driver: order of things, masked actions, ends of episodes that don't coincide."""

import time

import numpy as np
import probes
import pytest

from dreamerv3_tf.run.driver import Driver, mask
from dreamerv3_tf.run.workers import LocalEnvs, ProcessEnvs


class Policy:
    """Acts by the number of the call and remembers what it saw."""

    def __init__(self, num):
        self.num = num
        self.seen = []

    def __call__(self, carry, obs, index):
        self.seen.append((carry, obs, index))
        action = {
            "action": np.full((self.num, 2), index % 9, np.int32),
            "push": np.ones(self.num, np.float32),
        }
        entries = {"deter": np.full((self.num, 3), index, np.float32)}
        return action, entries, index + 1


class Order:
    """Environments that write down what is done with them."""

    def __init__(self, log):
        self.inner, self.log = LocalEnvs(probes.Probe, 1), log
        self.num = 1
        self.obs_space, self.act_space = self.inner.obs_space, self.inner.act_space

    def recv(self):
        self.log.append("recv")
        return self.inner.recv()

    def send(self, action):
        self.log.append("send")
        self.inner.send(action)


def run(kind, steps, num=3, on_step=()):
    envs, policy = kind(probes.Probe, num), Policy(num)
    driver = Driver(envs, policy, on_step, carry=0)
    transitions = [driver.step() for _ in range(steps)]
    envs.close()
    return transitions, policy


def test_environments_get_their_action_before_the_callbacks_run():
    log = []
    calls = [lambda _: log.append("store"), lambda _: log.append("train")]
    policy = Policy(1)

    def logged(*args):
        log.append("policy")
        return policy(*args)

    driver = Driver(Order(log), logged, calls)
    driver.step()
    driver.step()
    assert log == ["recv", "policy", "send", "store", "train"] * 2


def test_actions_are_zero_where_the_episode_is_over():
    transitions, _ = run(LocalEnvs, 12)
    for index, step in enumerate(transitions):
        for env in range(3):
            expected = 0 if step["is_last"][env] else index % 9
            np.testing.assert_array_equal(step["action"][env], [expected] * 2)
            assert step["push"][env] == (not step["is_last"][env])
        assert step["action"].dtype == np.int32 and step["push"].dtype == np.float32


def test_the_observation_after_an_action_is_what_it_caused():
    transitions, _ = run(ProcessEnvs, 12)
    for before, after in zip(transitions, transitions[1:], strict=False):
        going = ~before["is_last"]
        np.testing.assert_array_equal(
            after["last_action"][going], before["action"][going]
        )
        np.testing.assert_array_equal(after["is_first"], before["is_last"])
        np.testing.assert_array_equal(after["reward"][~going], 0)


def test_the_policy_sees_everything_but_logs_and_its_carry_comes_back():
    transitions, policy = run(LocalEnvs, 3)
    assert [carry for carry, _, _ in policy.seen] == [0, 1, 2]
    assert [index for _, _, index in policy.seen] == [0, 1, 2]
    keys = set(policy.seen[0][1])
    assert "log/index" not in keys
    assert {"reward", "is_first", "is_last", "is_terminal", "count"} <= keys
    assert set(transitions[0]) == keys | {"log/index", "action", "push", "deter"}
    np.testing.assert_array_equal(transitions[2]["deter"], np.full((3, 3), 2))


def test_callbacks_get_the_transition_that_step_returns():
    got = []
    transitions, _ = run(LocalEnvs, 4, on_step=[got.append])
    assert all(one is other for one, other in zip(got, transitions, strict=True))


def test_results_do_not_depend_on_how_long_callbacks_take():
    slow, _ = run(ProcessEnvs, 10, on_step=[lambda _: time.sleep(0.02)])
    fast, _ = run(ProcessEnvs, 10)
    local, _ = run(LocalEnvs, 10)
    for one, two, three in zip(slow, fast, local, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], two[key], key)
            np.testing.assert_array_equal(one[key], three[key], key)


def test_a_driver_that_goes_on_counts_from_where_the_last_one_stopped():
    policy = Policy(1)
    driver = Driver(LocalEnvs(probes.Probe, 1), policy, index=7)
    driver.step()
    assert policy.seen[0][2] == 7 and driver.index == 8


def test_an_entry_that_overwrites_a_key_is_caught():
    def policy(carry, _, __):
        action = {"action": np.zeros((1, 2), np.int32), "push": np.zeros(1, np.float32)}
        return action, {"count": np.zeros(1)}, carry

    with pytest.raises(AssertionError, match="used twice"):
        Driver(LocalEnvs(probes.Probe, 1), policy).step()


def test_masks_keep_dtype_and_shape():
    action = {"a": np.ones((2, 3), np.int32), "b": np.array([np.inf, 1], np.float32)}
    masked = mask(action, np.array([False, True]))
    np.testing.assert_array_equal(masked["a"], [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(masked["b"], [0, 1])
    assert masked["a"].dtype == np.int32 and masked["b"].dtype == np.float32
