"""Environments of other libraries: spaces of every kind, time steps, masks."""

import collections

import dm_env
import gymnasium
import numpy as np
import pytest
from dm_env import specs
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from dreamerv3_tf.envs import EnvError, adapt, check_env, make_env, wrap
from dreamerv3_tf.envs.adapters import Gymnasium, TimeSteps
from dreamerv3_tf.envs.adapters.leaves import picture_axes
from dreamerv3_tf.envs.base import random_action, signal_spaces
from dreamerv3_tf.spaces import Space


class Echo(gymnasium.Env):
    """Shows samples of its space, or what it is told; asserts that actions fit."""

    def __init__(self, observation=None, action=None, infos=None, shows=None):
        vector, choice = spaces.Box(-1, 1, (3,)), spaces.Discrete(3)
        self.observation_space = vector if observation is None else observation
        self.action_space = choice if action is None else action
        self.infos, self.shows = infos or [{}], shows
        self.actions, self.count = [], 0

    def reset(self, *, seed=None, options=None):  # noqa: ARG002
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.count = 0
        return self.show(), self.infos[0]

    def step(self, action):
        assert self.action_space.contains(action), (self.action_space, action)
        self.actions.append(action)
        self.count += 1
        info = self.infos[min(self.count, len(self.infos) - 1)]
        return self.show(), 1.0, self.count == 3, False, info

    def show(self):
        self.shown = self.observation_space.sample() if self.shows is None else None
        return self.shows if self.shown is None else self.shown


class Steps(dm_env.Environment):
    """Shows one observation, and answers with the time steps it is told."""

    def __init__(self, observation, action, shown, answers=None):
        self.observation, self.action, self.shown = observation, action, shown
        self.answers = answers or [dm_env.transition(0.5, shown)]
        self.actions = []

    def observation_spec(self):
        return self.observation

    def action_spec(self):
        return self.action

    def reset(self):
        self.actions = []
        return dm_env.restart(self.shown)

    def step(self, action):
        self.actions.append(action)
        return self.answers[min(len(self.actions), len(self.answers)) - 1]


# Random spaces of gymnasium


def boxes(dtypes):
    return st.builds(
        box,
        st.sampled_from(dtypes),
        st.lists(st.integers(1, 3), max_size=4).map(tuple),
        st.integers(-50, 50),
        st.integers(1, 60),
        st.sampled_from(["both", "low", "high", "none", "max"]),
    )


def box(dtype, shape, low, width, bounded):
    if np.dtype(dtype).kind == "f":
        low, high = low / 7, (low + width) / 7  # not what float32 can represent
        low = {"high": -np.inf, "none": -np.inf}.get(bounded, low)
        high = {"low": np.inf, "none": np.inf}.get(bounded, high)
        if bounded == "max":
            high = np.finfo(dtype).max / 4  # beyond that, `sample` itself overflows
            low = -high
        return spaces.Box(low, high, shape, dtype)
    low = max(low, 0) if np.dtype(dtype).kind in "ub" else low
    high = 1 if dtype is bool else low + width
    return spaces.Box(0 if dtype is bool else low, high, shape, dtype)


DTYPES = ["float32", "float64", "int8", "int16", "int64", "uint8", "uint16", bool]
LEAVES = st.one_of(
    st.builds(
        lambda n, start: spaces.Discrete(n, start=start),
        st.integers(1, 9),
        st.integers(-3, 3),
    ),
    st.lists(st.integers(1, 5), min_size=1, max_size=3).map(spaces.MultiDiscrete),
    st.builds(lambda n: spaces.MultiDiscrete([[n, 2], [3, n]]), st.integers(1, 4)),
    st.integers(1, 4).map(spaces.MultiBinary),
    boxes(DTYPES),
)
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(spaces.Dict),
    ),
    max_leaves=4,
)


@given(space=NESTS, seed=st.integers(0, 99))
def test_every_sample_of_a_random_space_becomes_an_observation_that_fits(space, seed):
    env = wrap(Gymnasium(Echo(space), seed))  # raises for what doesn't fit
    assert {len(s.shape) <= 2 or s.image for s in env.obs_space.values()} == {True}
    env.reset()
    env.step({"action": np.int32(0)})


@given(space=NESTS, seed=st.integers(0, 99))
def test_every_random_action_is_contained_in_a_random_space(space, seed):
    rng = np.random.default_rng(seed)
    inner = Echo(action=space)
    env = wrap(Gymnasium(inner, 0, limit=100.0))
    obs = env.reset()
    for _ in range(3):
        obs = env.step(random_action(env.act_space, obs, rng))
    for end in (-1.0, 1.0):  # the ends are where rounding leaves the space
        env.reset()
        env.step(
            {
                key: np.asarray(rng.integers(0, s.high), s.dtype)
                if s.discrete
                else np.full(s.shape, end, np.float32)
                for key, s in env.act_space.items()
            }
        )


@given(space=LEAVES, seed=st.integers(0, 99))
def test_decoding_undoes_encoding_for_actions(space, seed):
    space.seed(seed)
    (leaf,) = Gymnasium(Echo(action=space), 0, limit=1e6).act_leaves.values()
    value = space.sample()
    if np.abs(np.asarray(value, float)).max() > 1e6:
        return  # beyond the limit
    again = leaf.decode(leaf.encode(value))
    assert space.contains(again)
    np.testing.assert_allclose(again, value, rtol=1e-5, atol=1e-5)


# Bounds of actions


def test_sides_without_a_bound_end_at_the_limit():
    # [-inf, inf] -> [-2, 2], [0, inf] -> [0, 2], [-5, inf] -> [-5, 2].
    low, high = np.array([-np.inf, 0, -5]), np.array([np.inf, np.inf, np.inf])
    inner = Echo(action=spaces.Box(low, high, dtype=np.float64))
    env = wrap(Gymnasium(inner, 0, limit=2.0))
    env.reset()
    env.step({"action": np.full(3, -1, np.float32)})
    env.step({"action": np.full(3, 1, np.float32)})
    np.testing.assert_array_equal(inner.actions, [[-2, 0, -5], [2, 2, 2]])


def test_a_range_beyond_the_limit_is_refused_with_the_setting_that_helps():
    space = spaces.Box(5, np.inf, (2,))
    with pytest.raises(EnvError, match="between 5 and 1; set a larger env.limit"):
        Gymnasium(Echo(action=space), 0)
    Gymnasium(Echo(action=space), 0, limit=10.0)


def test_the_largest_float_is_no_bound():
    most = np.finfo(np.float32).max
    env = Gymnasium(Echo(action=spaces.Box(-most, most, (2,))), 0)
    np.testing.assert_array_equal(env.act_space["action"].high, [1, 1])


def test_an_action_without_elements_is_refused_and_such_an_observation_left_out():
    empty = spaces.Box(-1, 1, (0,))
    with pytest.raises(EnvError, match="no elements"):
        Gymnasium(Echo(action=empty), 0)
    seen = spaces.Dict({"none": empty, "some": spaces.Discrete(2)})
    assert "none" not in Gymnasium(Echo(seen), 0).obs_space


# Pictures


@pytest.mark.parametrize(
    "shape, axes, channels",
    [
        ((64, 48), (0, 1), 1),
        ((64, 48, 3), (0, 1), 3),
        ((3, 64, 48), (1, 2), 3),
        ((64, 64, 64), (0, 1), 64),
        ((4, 64, 48, 3), (1, 2), 12),  # a stack of frames
        ((4, 3, 64, 48), (2, 3), 12),
        ((7, 7, 3), None, None),
        ((64, 3, 64), None, None),
        ((200,), None, None),
        ((2, 2, 2, 64, 64), None, None),
    ],
)
def test_two_large_axes_side_by_side_make_a_picture(shape, axes, channels):
    assert picture_axes(shape) == axes
    if axes:
        env = Gymnasium(Echo(spaces.Box(0, 255, shape, np.uint8)), 0)
        space = env.obs_space["image"]
        assert space.image and space.shape[2] == channels
        assert env.reset()["image"].flags.c_contiguous


@pytest.mark.parametrize(
    "low, high, dtype, value, expected",
    [
        (0, 1, "float32", 0.5, 128),  # 0.5 · 255 = 127.5, rounded to even
        (-1, 1, "float64", 0.0, 128),
        (0, 1, "float16", 1.0, 255),
        (0, 65535, "uint16", 257, 1),  # 257 / 65535 · 255 = 1
        (0, 1023, "int32", 1023, 255),
        (0, 255, "float32", 7.0, 7),
        (0, 1, "float32", 2.0, 255),  # strays from its bounds
    ],
)
def test_pictures_of_any_dtype_are_scaled_to_bytes(low, high, dtype, value, expected):
    shape = (32, 40, 3)
    shown = np.full(shape, value, dtype)
    env = Gymnasium(Echo(spaces.Box(low, high, shape, dtype), shows=shown), 0)
    image = env.reset()["image"]
    assert image.dtype == np.uint8 and (image == expected).all()


def test_a_picture_without_bounds_is_refused():
    space = spaces.Box(-np.inf, np.inf, (64, 64, 3))
    with pytest.raises(EnvError, match="picture without bounds.*such as 0 and 1"):
        Gymnasium(Echo(space), 0)


def test_frames_of_a_stack_stay_in_their_order():
    shown = np.stack([np.full((32, 32, 3), n, np.uint8) for n in range(4)])
    env = Gymnasium(Echo(spaces.Box(0, 255, shown.shape, np.uint8), shows=shown), 0)
    # Newest last: three channels of frame 0, three of frame 1, ...
    np.testing.assert_array_equal(
        env.reset()["image"][0, 0], np.repeat(np.arange(4), 3)
    )


def test_values_that_stray_are_kept_finite_and_nan_is_refused():
    shown = np.array([1e300, -np.inf, 3.0])
    space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
    seen = wrap(Gymnasium(Echo(space, shows=shown), 0)).reset()["observation"]
    most = np.finfo(np.float32).max
    np.testing.assert_array_equal(seen, np.float32([most, -most, 3]))
    env = wrap(Gymnasium(Echo(space, shows=np.array([np.nan, 0, 0])), 0))
    with pytest.raises(EnvError, match="'observation': it contains NaN"):
        env.reset()


@pytest.mark.parametrize("shows", [np.zeros(2, np.float32), None, {"x": 1}, "text"])
def test_an_observation_that_is_not_as_its_space_says_is_named(shows):
    env = Gymnasium(Echo(spaces.Box(-1, 1, (3,)), shows=shows), 0)
    if shows is None:
        env.env.show = lambda: None
    with pytest.raises(EnvError, match=r"'observation' is not as .* shape \(3,\)"):
        env.reset()


# dm_env

VECTOR = specs.Array((2,), np.float64)
CHOICE = specs.DiscreteArray(3)


def test_nested_specs_become_flat_keys_and_actions_nested_ones():
    Pair = collections.namedtuple("Pair", "left right")
    observation = {
        "arm": [specs.BoundedArray((), np.float64, 0, 1), VECTOR],
        "count": specs.BoundedArray((), np.int64, 2, 5),
        "on": specs.Array((), bool),
        "reward": specs.Array((), np.float32),
        "nothing": specs.Array((0,), np.float32),
        "camera": specs.BoundedArray((64, 64, 3), np.float32, 0, 1),
    }
    shown = {
        "arm": [np.float64(0.5), np.ones(2)],
        "count": 3,
        "on": np.True_,
        "reward": 7.0,
        "nothing": np.zeros(0),
        "camera": np.ones((64, 64, 3), np.float32),
    }
    torque = specs.BoundedArray((2,), np.float64, [-1.1, 0], [1.1, np.inf])
    inner = Steps(observation, {"p": Pair(torque, CHOICE)}, shown)
    env = wrap(adapt(inner))
    obs = env.reset()
    seen = {key: obs[key].tolist() for key in obs if key != "camera"}
    assert seen == {
        "arm_0": 0.5,
        "arm_1": [1, 1],
        "count": 1,  # counted from its smallest value
        "on": 1,
        "obs_reward": 7,
        "reward": 0,
        "is_first": True,
        "is_last": False,
        "is_terminal": False,
    }
    assert (obs["camera"] == 255).all()
    env.step({"p_0": np.float32([1, 1]), "p_1": np.int32(2)})
    done = inner.actions[0]["p"]
    assert type(done) is Pair and done.right == 2
    torque.validate(done.left)  # float32(1.1) lies above 1.1
    CHOICE.validate(done.right)
    check_env(adapt_fresh(observation, {"p": Pair(torque, CHOICE)}, shown), steps=20)


def adapt_fresh(*args):
    return wrap(adapt(Steps(*args)))


@pytest.mark.parametrize(
    "answer, last, terminal",
    [
        (dm_env.transition(2.0, np.zeros(2)), False, False),
        (dm_env.transition(2.0, np.zeros(2), 0.0), False, False),  # not the last one
        (dm_env.termination(2.0, np.zeros(2)), True, True),
        (dm_env.truncation(2.0, np.zeros(2)), True, False),
        (dm_env.truncation(2.0, np.zeros(2), 0.9), True, False),
    ],
)
def test_a_discount_of_zero_in_the_last_step_is_terminal(answer, last, terminal):
    env = wrap(adapt(Steps(VECTOR, CHOICE, np.zeros(2), [answer])))
    first = env.reset()
    assert first["is_first"] and first["reward"] == 0  # its reward is None
    obs = env.step({"action": np.int32(1)})
    assert (obs["is_last"], obs["is_terminal"], obs["reward"]) == (last, terminal, 2)


@pytest.mark.parametrize(
    "observation, action, words",
    [
        (specs.StringArray(()), CHOICE, "text and objects have no counterpart"),
        ({"a": specs.StringArray((2,))}, CHOICE, "observation 'a'.*embedding"),
        (VECTOR, specs.Array((2,), np.int32), "too many classes"),
        (specs.Array((2,), complex), CHOICE, "no counterpart"),
    ],
)
def test_specs_without_a_counterpart_are_refused(observation, action, words):
    with pytest.raises(EnvError, match=words) as error:
        adapt(Steps(observation, action, None))
    assert "\n" not in str(error.value)


def test_several_rewards_are_refused():
    env = Steps(VECTOR, CHOICE, np.zeros(2))
    env.reward_spec = lambda: specs.Array((2,), np.float32)
    with pytest.raises(EnvError, match="expected a single number"):
        adapt(env)


def test_pictures_on_demand_only_where_there_are_some():
    env = Steps(VECTOR, CHOICE, np.zeros(2))
    with pytest.raises(EnvError, match="no pictures"):
        adapt(env).render()
    env.render = lambda mode: np.full((4, 4, 3), len(mode), np.uint8)
    assert (adapt(env).render() == len("rgb_array")).all()


# Masks


def masked(space, action, value, source="auto"):
    seen = spaces.Dict({"x": spaces.Discrete(2), "action_mask": space})
    shown = {"x": 0, "action_mask": value}
    return wrap(Gymnasium(Echo(seen, action, shows=shown), 0, source))


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 1, (3,), np.int8),
        spaces.Box(0, 1, (3,), np.int64),
        spaces.Box(0, 1, (3,), bool),
        spaces.MultiBinary(3),
        spaces.MultiDiscrete([2, 2, 2]),
    ],
    ids=str,
)
def test_a_fitting_entry_of_the_observation_is_the_mask_of_the_action(space):
    value = np.asarray([0, 1, 1], space.dtype)
    env = masked(space, spaces.Discrete(3, start=5), value)
    assert repr(env.obs_space["action_mask"]) == repr(Space(np.dtype(bool), (3,)))
    assert env.reset()["action_mask"].tolist() == [False, True, True]


@pytest.mark.parametrize(
    "value, expected",
    [
        ([1, 0, 1, 1, 1], [[1, 0, 0], [1, 1, 1]]),  # 2 and 3 classes, in a row
        ([[1, 0, 1], [0, 0, 1]], [[1, 0, 0], [0, 0, 1]]),  # a class that is not there
    ],
)
def test_masks_of_several_actions_come_in_a_row_or_one_below_the_other(value, expected):
    value = np.asarray(value, np.int8)
    space = spaces.Box(0, 1, value.shape, np.int8)
    env = masked(space, spaces.MultiDiscrete([2, 3]), value)
    assert env.reset()["action_mask"].astype(int).tolist() == expected


@pytest.mark.parametrize(
    "space, action, source",
    [
        (spaces.Box(0, 1, (3,), np.int8), spaces.Discrete(3), "off"),
        (spaces.Box(0, 1, (4,), np.int8), spaces.Discrete(3), "auto"),
        (spaces.Box(0, 1, (3,)), spaces.Discrete(3), "auto"),
        (spaces.Box(0, 1, (3,), np.int8), spaces.Box(-1, 1, (3,)), "auto"),
    ],
    ids=["off", "other shape", "floats", "continuous action"],
)
def test_what_is_no_mask_gets_another_name(space, action, source):
    env = masked(space, action, space.sample(), source)
    assert "action_mask" not in env.obs_space and "obs_action_mask" in env.obs_space


def informed(action, *infos):
    return wrap(Gymnasium(Echo(action=action, infos=infos), 0, "info"))


def test_masks_in_the_info_become_observations():
    one, other = {"action_mask": np.int8([1, 0, 1])}, {"action_mask": (0, 1, 0)}
    env = informed(spaces.Discrete(3), one, other, one, {})
    assert env.reset()["action_mask"].tolist() == [True, False, True]
    step = {"action": np.int32(2)}
    assert env.step(step)["action_mask"].tolist() == [False, True, False]
    env.step(step)
    assert env.step(step)["action_mask"].all()  # the episode is over


def test_masks_in_the_info_nest_as_the_actions_do():
    action = spaces.Dict(
        {
            "go": spaces.Discrete(2),
            "use": spaces.Tuple([spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1)]),
            "say": spaces.Discrete(2),
        }
    )
    mask = {"go": np.int8([0, 1]), "use": ((np.int8([1, 0]), np.int8([0, 1, 1])), None)}
    env = informed(action, {"action_mask": mask})
    obs = env.reset()
    assert obs["go_mask"].tolist() == [False, True]
    assert obs["use_0_mask"].astype(int).tolist() == [[1, 0, 0], [0, 1, 1]]
    assert obs["say_mask"].all()  # nothing is said about it
    assert "use_1_mask" not in obs


@pytest.mark.parametrize(
    "info, words",
    [
        ({}, "info of reset.. .* no 'action_mask' .it has nothing"),
        ({"prob": 1}, "it has prob"),
        ({"action_mask": [1, 0]}, r"doesn't fit: its shape is \(2,\), expected \(3,\)"),
    ],
)
def test_a_mask_that_was_promised_and_is_not_there_is_an_error(info, words):
    with pytest.raises(EnvError, match=words):
        informed(spaces.Discrete(3), info).reset()


def test_there_is_no_mask_of_a_continuous_action():
    with pytest.raises(EnvError, match="no action of .* is discrete"):
        informed(spaces.Box(-1, 1, (2,)), {})
    with pytest.raises(EnvError, match="no info; let its observation have"):
        TimeSteps(Steps(VECTOR, CHOICE, np.zeros(2)), 0, "info")


def test_taxi_shows_its_masks_and_random_actions_always_move_it():
    env = make_env("gym_Taxi-v4", seed=0, mask="info")
    obs, rng = env.reset(), np.random.default_rng(0)
    for _ in range(50):
        before = obs["observation"]
        obs = env.step(random_action(env.act_space, obs, rng))
        if obs["is_last"]:
            obs = env.reset()
        else:  # Taxi's masks forbid what changes nothing
            assert obs["observation"] != before


# Which library it is


def test_an_environment_of_ours_is_left_alone():
    env = make_env("dummy_disc", seed=0)
    assert adapt(env) is env


def refused(**attributes):
    kind = type("Theirs", (), dict.fromkeys(("reset", "step"), lambda *_: None))
    env = kind()
    vars(env).update(attributes)
    return env


SPACES = {"observation_space": spaces.Discrete(2), "action_space": spaces.Discrete(2)}


@pytest.mark.parametrize(
    "env, words",
    [
        (Echo, "class Echo can't be used: call it"),
        (lambda: Echo(), "call it, and give what it returns"),
        (None, "NoneType is no environment that is known here"),
        (refused(), "Theirs is no environment"),
        (refused(**SPACES, num_envs=3), "vector of environments.*run.envs"),
        (refused(**SPACES, possible_agents=["a"]), "several agents"),
    ],
)
def test_what_is_no_single_environment_is_refused_in_plain_words(env, words):
    with pytest.raises(EnvError, match=words):
        adapt(env)


def test_results_of_the_old_gym_are_refused_in_plain_words():
    env = Echo()
    env.reset = lambda **_: np.zeros(3)
    with pytest.raises(EnvError, match="returned a ndarray; expected observation and"):
        Gymnasium(env, 0).reset()
    env = Echo()
    env.step = lambda _: (np.zeros(3), 0.0, False, {})
    with pytest.raises(EnvError, match="returned 4 values; expected observation, rew"):
        Gymnasium(env, 0).step({"action": np.int32(0)})


def test_an_object_with_the_right_methods_is_enough():
    env = refused(**SPACES)
    assert set(adapt(env).obs_space) == {"observation", *signal_spaces()}
