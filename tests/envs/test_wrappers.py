"""Wrappers, with values by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamerv3_tf.envs import EnvError
from dreamerv3_tf.envs.base import signal_spaces, signals
from dreamerv3_tf.envs.wrappers import (
    ActionRepeat,
    CheckSpaces,
    ClipAction,
    NormalizeAction,
    ResizeImage,
    TimeLimit,
    UnifyDtypes,
    Wrapper,
    resize,
    wrap,
)
from dreamerv3_tf.spaces import Space

F32, F64 = np.dtype("float32"), np.dtype("float64")
I32, I64 = np.dtype("int32"), np.dtype("int64")


class Recorder:
    """Remembers its actions, rewards the n-th step with n, ends after `length`."""

    def __init__(self, act_space=None, obs_space=None, extra=None, length=100):
        self.act_space = act_space or {"action": Space(F32, (), -1, 1)}
        self.obs_space = (obs_space or {"x": Space(F32)}) | signal_spaces()
        self.extra = extra or {"x": np.float32(0)}
        self.length = length
        self.actions = []
        self.count = 0

    def reset(self):
        self.count = 0
        return self.extra | signals(first=True)

    def step(self, action):
        self.actions.append(action)
        self.count += 1
        last = self.count == self.length
        return self.extra | signals(self.count, last=last, terminal=last)

    def render(self):
        return np.zeros((4, 4, 3), np.uint8)

    def close(self):
        self.count = -1


def zero(env):
    return {key: np.zeros(s.shape, s.dtype) for key, s in env.act_space.items()}


def test_a_wrapper_passes_everything_on():
    inner = Recorder()
    env = Wrapper(inner)
    assert env.obs_space is inner.obs_space and env.act_space is inner.act_space
    assert env.reset()["is_first"] and env.render().shape == (4, 4, 3)
    env.close()
    assert inner.count == -1


def test_a_time_limit_sets_is_last_and_never_is_terminal():
    env = TimeLimit(Recorder(), 3)
    for _ in range(2):  # the count starts again with each episode
        env.reset()
        flags = [env.step(zero(env)) for _ in range(3)]
        assert [bool(obs["is_last"]) for obs in flags] == [False, False, True]
        assert not any(obs["is_terminal"] for obs in flags)


def test_a_real_end_at_the_time_limit_stays_terminal():
    env = TimeLimit(Recorder(length=2), 2)
    env.reset()
    env.step(zero(env))
    assert env.step(zero(env))["is_terminal"]


def test_a_time_limit_of_zero_is_none():
    env = TimeLimit(Recorder(length=50), 0)
    env.reset()
    assert not any(env.step(zero(env))["is_last"] for _ in range(49))


def test_action_repeat_sums_rewards_and_stops_at_the_end():
    env = ActionRepeat(Recorder(length=5), 3)
    env.reset()
    first, second = env.step(zero(env)), env.step(zero(env))
    assert first["reward"] == 1 + 2 + 3 and not first["is_last"]
    assert second["reward"] == 4 + 5 and second["is_last"]
    assert second["reward"].dtype == np.float32
    assert len(env.env.actions) == 5


def test_actions_are_scaled_element_by_element():
    # [-1, 1] onto [0, 4]: 0 -> 2; onto [-2, 6]: 0.5 -> 4; without two bounds: kept.
    low, high = np.array([0, -2, -np.inf, 0]), np.array([4, 6, np.inf, np.inf])
    inner = Recorder({"action": Space(F64, (4,), low, high)})
    env = NormalizeAction(inner)
    space = env.act_space["action"]
    np.testing.assert_array_equal(space.low, [-1, -1, -np.inf, 0])
    np.testing.assert_array_equal(space.high, [1, 1, np.inf, np.inf])
    env.step({"action": np.array([0, 0.5, 7, 9])})
    np.testing.assert_array_equal(inner.actions[0]["action"], [2, 4, 7, 9])
    assert inner.actions[0]["action"].dtype == F64


def test_discrete_actions_are_not_scaled():
    inner = Recorder({"action": Space(I32, (), 0, 5)})
    NormalizeAction(inner).step({"action": np.int32(4)})
    assert inner.actions[0]["action"] == 4


@given(
    low=st.floats(-1e3, 1e3),
    width=st.floats(1e-3, 1e3),
    action=st.floats(-1, 1, width=32),
)
def test_scaled_actions_never_leave_the_range(low, width, action):
    inner = Recorder({"action": Space(F64, (), low, low + width)})
    env = wrap(inner)
    env.reset()
    env.step({"action": np.asarray(action, F32)})
    assert low <= inner.actions[0]["action"] <= low + width


def test_actions_are_clipped_also_where_there_is_no_bound():
    low, high = np.array([-1, -np.inf]), np.array([1, np.inf])
    inner = Recorder({"action": Space(F32, (2,), low, high), "b": Space(I32, (), 0, 3)})
    env = ClipAction(inner)
    np.testing.assert_array_equal(env.act_space["action"].high, [1, 1])
    env.step({"action": np.array([3, -5], F32), "b": np.int32(2)})
    np.testing.assert_array_equal(inner.actions[0]["action"], [1, -1])
    assert inner.actions[0]["b"] == 2


def test_dtypes_are_unified_on_the_way_out_and_cast_back_on_the_way_in():
    inner = Recorder(
        {"action": Space(F64, (2,), -1, 1), "choice": Space(I64, (), 0, 3)},
        {
            "double": Space(F64, (2,), -1e-3, 0.1),
            "long": Space(I64, (), 0, 9),
            "image": Space(np.dtype("uint8"), (4, 4, 3)),
            "flag": Space(np.dtype(bool)),
        },
        {
            "double": np.full(2, 0.1),
            "long": np.int64(7),
            "image": np.zeros((4, 4, 3), np.uint8),
            "flag": np.array(True),
        },
    )
    env = UnifyDtypes(inner)
    obs = env.reset()
    names = {key: obs[key].dtype.name for key in ("double", "long", "image", "flag")}
    assert names == dict(double="float32", long="int32", image="uint8", flag="bool")
    for key, space in env.obs_space.items():
        # The largest double of the range rounds to a float32 beyond it.
        assert space.problem(obs[key]) is None, key
    env.step({"action": np.zeros(2, F32), "choice": np.asarray(1, I32)})
    found = {key: value.dtype for key, value in inner.actions[0].items()}
    assert found == {"action": F64, "choice": I64}


@pytest.mark.parametrize(
    "action, words",
    [
        ({}, "lacks the key 'action'"),
        ({"action": np.float32(0), "b": np.float32(0)}, "keys that its space lacks: b"),
        ({"action": np.float32(2)}, "bad entry 'action': .*leave the range"),
        ({"action": np.float64(0)}, "'action': dtype is float64"),
        ({"action": np.zeros(2, F32)}, "'action': shape is"),
        ({"action": 0.5}, "'action': it is a Python float"),
    ],
)
def test_a_bad_action_is_named(action, words):
    env = CheckSpaces(Recorder())
    env.reset()
    with pytest.raises(EnvError, match=words):
        env.step(action)


@pytest.mark.parametrize(
    "extra, words",
    [
        ({}, r"observation of reset.. lacks the key 'x'"),
        ({"x": np.float32(np.nan)}, "'x': it contains NaN"),
        ({"x": np.float32(0), "y": np.float32(0)}, "keys that its space lacks: y"),
    ],
)
def test_a_bad_observation_is_named(extra, words):
    inner = Recorder()
    inner.extra = extra
    with pytest.raises(EnvError, match=words):
        CheckSpaces(inner).reset()


def test_infinities_of_both_signs_are_no_nan():
    space = {"x": Space(F32, (2,))}
    inner = Recorder(obs_space=space, extra={"x": np.array([np.inf, -np.inf], F32)})
    with np.errstate(invalid="ignore"):
        CheckSpaces(inner).reset()


def test_terminal_without_last_is_an_error():
    inner = Recorder()
    inner.extra = {"x": np.float32(0)}
    inner.step = lambda _: inner.extra | signals(terminal=True)
    env = CheckSpaces(inner)
    env.reset()
    with pytest.raises(EnvError, match="is_terminal and not is_last"):
        env.step(zero(env))


def test_a_clash_of_keys_is_an_error_at_construction():
    with pytest.raises(EnvError, match="'x' is both an observation and an action"):
        wrap(Recorder({"x": Space(F32)}))


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_pictures_are_resized_and_other_entries_left(channels):
    picture = Space(np.dtype("uint8"), (4, 4, channels))
    image = np.repeat(np.arange(16, dtype=np.uint8).reshape(4, 4, 1), channels, 2)
    extra = {"image": image, "x": np.float32(1)}
    env = ResizeImage(
        Recorder(obs_space={"image": picture, "x": Space(F32)}, extra=extra), (2, 8)
    )
    assert env.obs_space["image"].shape == (2, 8, channels)
    obs = env.reset()
    assert obs["image"].shape == (2, 8, channels) and obs["x"] == 1
    assert env.step(zero(env))["image"].dtype == np.uint8


def test_resizing_by_averages_gives_the_average():
    image = np.array([[0, 4], [8, 12]], np.uint8)[:, :, None]
    assert resize(image, (1, 1), "box").item() == 6
