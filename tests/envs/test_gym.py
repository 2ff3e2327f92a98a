"""Environments of gymnasium, with one space of every kind."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dreamerv3_tf.envs import EnvError, check_env, make_env


class Echo(gymnasium.Env):
    """Observes samples of its space and remembers the actions; scripted ends."""

    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, observation=None, action=None, end=(), render_mode=None):
        self.observation_space = (
            spaces.Box(-1, 1, (3,)) if observation is None else observation
        )
        self.action_space = spaces.Discrete(2) if action is None else action
        self.render_mode = render_mode
        self.end = end
        self.seeds, self.actions, self.shown = [], [], None
        self.count = 0

    def reset(self, *, seed=None, options=None):  # noqa: ARG002
        super().reset(seed=seed)
        self.seeds.append(seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.count = 0
        self.shown = self.observation_space.sample()
        return self.shown, {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.actions.append(action)
        self.count += 1
        terminated, truncated = self.end if self.count == 3 and self.end else (0, 0)
        self.shown = self.observation_space.sample()
        return self.shown, 1, bool(terminated), bool(truncated), {}

    def render(self):
        return np.full((4, 6, 3), 7, np.uint8)


class Blind(Echo):
    metadata = {"render_modes": []}


gymnasium.register("Echo-v0", Echo)
gymnasium.register("Blind-v0", Blind)


def make(observation=None, action=None, end=(), **settings):
    options = {"observation": observation, "action": action, "end": end}
    env = make_env("gym_Echo-v0", seed=0, options=options, **settings)
    inner = env
    while hasattr(inner, "env") and not isinstance(inner, Echo):
        inner = inner.env
    return env, inner


def one_key(env):
    return [k for k in env.obs_space if not k.startswith("is_") and k != "reward"]


OBSERVATIONS = {
    "discrete": (spaces.Discrete(5), "int32", (), 5),
    "discrete from 3": (spaces.Discrete(5, start=3), "int32", (), 5),
    "multi": (spaces.MultiDiscrete([2, 3, 4]), "int32", (3,), 4),
    "multi of rank 2": (spaces.MultiDiscrete([[2, 3], [4, 5]]), "int32", (2, 2), 5),
    "multi from 1": (spaces.MultiDiscrete([2, 3], start=[1, 5]), "int32", (2,), 3),
    "binary": (spaces.MultiBinary(4), "int32", (4,), 2),
    "binary of rank 2": (spaces.MultiBinary([2, 3]), "int32", (2, 3), 2),
    "scalar": (spaces.Box(-1, 1, ()), "float32", (), None),
    "vector": (spaces.Box(-1, np.inf, (3,)), "float32", (3,), None),
    "double": (spaces.Box(-1, 1, (2, 3), np.float64), "float32", (2, 3), None),
    "half": (spaces.Box(-1, 1, (2,), np.float16), "float32", (2,), None),
    "rank 4": (spaces.Box(0, 1, (2, 3, 4, 5)), "float32", (120,), None),
    "board": (spaces.Box(-1, 1, (3, 3), np.int8), "int32", (3, 3), 3),
    "digits": (spaces.Box(0, 9, (2, 2, 3), np.uint8), "int32", (12,), 10),
    "boolean": (spaces.Box(0, 1, (3,), bool), "int32", (3,), 2),
    "wide integers": (
        spaces.Box(-(2**62), 2**62, (2,), np.int64),
        "float32",
        (2,),
        None,
    ),
    "memory": (spaces.Box(0, 255, (128,), np.uint8), "float32", (128,), None),
}


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_a_space_of_every_kind_becomes_an_observation(name):
    space, dtype, shape, classes = OBSERVATIONS[name]
    env, _ = make(space)
    (key,) = one_key(env)
    assert key == "observation"
    assert (env.obs_space[key].dtype, env.obs_space[key].shape) == (dtype, shape)
    if classes:
        assert max(env.obs_space[key].classes) == classes
    check_env(env, steps=30)


PICTURES = {
    "height width channels": ((64, 48, 3), (64, 48, 3), lambda x: x),
    "height width": ((64, 48), (64, 48, 1), lambda x: x[:, :, None]),
    "channels first": ((3, 64, 48), (64, 48, 3), lambda x: x.transpose(1, 2, 0)),
    "stack of frames": ((4, 64, 48), (64, 48, 4), lambda x: x.transpose(1, 2, 0)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_have_height_width_and_channels(name):
    shape, expected, same = PICTURES[name]
    env, inner = make(spaces.Box(0, 255, shape, np.uint8))
    assert one_key(env) == ["image"]
    assert env.obs_space["image"].image and env.obs_space["image"].shape == expected
    obs = env.reset()
    np.testing.assert_array_equal(obs["image"], same(inner.shown))
    check_env(env, steps=10)


def test_pictures_are_resized_on_request():
    env, _ = make(spaces.Box(0, 255, (40, 40, 3), np.uint8), size=[16, 8])
    assert env.reset()["image"].shape == (16, 8, 3)


def test_classes_count_from_zero_whatever_their_start():
    env, inner = make(spaces.Discrete(5, start=3))
    assert env.reset()["observation"] == inner.shown - 3


def test_nested_spaces_become_flat_keys():
    space = spaces.Dict(
        {
            "arm": spaces.Dict(
                {"angle": spaces.Box(-1, 1, (2,)), "on": spaces.Discrete(2)}
            ),
            "cams": spaces.Tuple([spaces.Box(0, 255, (64, 64, 3), np.uint8)] * 2),
            "a/b": spaces.Discrete(3),
            "reward": spaces.Box(-1, 1, ()),
        }
    )
    env, inner = make(space)
    keys = ["a_b", "arm_angle", "arm_on", "cams_0", "cams_1", "obs_reward"]
    assert sorted(one_key(env)) == keys
    obs = env.reset()
    np.testing.assert_array_equal(obs["arm_angle"], inner.shown["arm"]["angle"])
    np.testing.assert_array_equal(obs["cams_1"], inner.shown["cams"][1])
    check_env(env, steps=30)


def test_a_tuple_of_observations_is_numbered():
    env, _ = make(spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (2,))]))
    assert one_key(env) == ["observation_0", "observation_1"]


def test_keys_that_become_the_same_are_an_error():
    inner = spaces.Dict({"b": spaces.Discrete(2)})
    with pytest.raises(EnvError, match="both called 'a_b'"):
        make(spaces.Dict({"a": inner, "a_b": spaces.Discrete(2)}))


@pytest.mark.parametrize(
    "space",
    [
        spaces.Text(5),
        spaces.Sequence(spaces.Discrete(2)),
        spaces.Graph(spaces.Discrete(2), None),
        spaces.Dict({"words": spaces.Text(5)}),
    ],
    ids=lambda space: type(space).__name__,
)
def test_spaces_without_a_fixed_shape_are_refused_in_plain_words(space):
    with pytest.raises(EnvError, match="no fixed shape.*Wrap the environment"):
        make(space)
    with pytest.raises(EnvError, match="no fixed shape"):
        make(action=space)


ACTIONS = {
    "discrete": spaces.Discrete(4),
    "discrete from -2": spaces.Discrete(4, start=-2),
    "multi": spaces.MultiDiscrete([2, 3, 4]),
    "multi of rank 2": spaces.MultiDiscrete([[2, 3], [4, 5]]),
    "binary": spaces.MultiBinary(4),
    "box": spaces.Box(np.array([-1, 0]), np.array([3, 5]), dtype=np.float32),
    "double": spaces.Box(-2, 2, (2,), np.float64),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
    "integers": spaces.Box(-1, 2, (2,), np.int64),
    "dict": spaces.Dict(
        {
            "move": spaces.Box(-1, 1, (2,)),
            "use": spaces.Dict({"item": spaces.Discrete(3, start=1)}),
            "both": spaces.Tuple([spaces.Discrete(2), spaces.MultiBinary(2)]),
        }
    ),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_every_random_action_reaches_the_environment_as_one_of_its_own(name):
    env, inner = make(action=ACTIONS[name])
    check_env(env, steps=30)  # Echo asserts that its space contains the action
    assert len(inner.actions) == 30


def test_actions_reach_all_classes_and_both_bounds():
    env, inner = make(action=spaces.Discrete(4, start=-2))
    env.reset()
    for index in range(4):
        env.step({"action": np.int32(index)})
    assert inner.actions == [-2, -1, 0, 1]
    env, inner = make(action=ACTIONS["box"])
    env.reset()
    env.step({"action": np.array([-1, 1], np.float32)})
    np.testing.assert_array_equal(inner.actions, [[-1, 5]])


def test_an_action_called_like_an_observation_gets_another_name():
    env, _ = make(
        spaces.Dict({"x": spaces.Discrete(2)}), spaces.Dict({"x": spaces.Discrete(2)})
    )
    assert list(env.act_space) == ["act_x"]


def test_too_many_integers_are_refused_for_actions():
    with pytest.raises(EnvError, match="too many classes"):
        make(action=spaces.Box(0, 10**6, (2,), np.int64))


@pytest.mark.parametrize("end", [(True, False), (False, True), (True, True)])
def test_truncated_is_last_and_never_terminal(end):
    env, _ = make(end=end)
    env.reset()
    trace = [env.step({"action": np.int32(0)}) for _ in range(3)]
    assert [bool(obs["is_last"]) for obs in trace] == [False, False, True]
    assert bool(trace[-1]["is_terminal"]) == end[0]


def test_the_length_cuts_episodes_without_ending_them():
    env, _ = make(length=2)
    env.reset()
    env.step({"action": np.int32(0)})
    obs = env.step({"action": np.int32(0)})
    assert obs["is_last"] and not obs["is_terminal"]


def test_rewards_of_repeated_actions_add_up():
    env, inner = make(repeat=4)
    env.reset()
    obs = env.step({"action": np.int32(1)})
    assert obs["reward"] == 4 and obs["reward"].dtype == np.float32
    assert inner.actions == [1, 1, 1, 1]


def test_only_the_first_reset_is_seeded():
    env, inner = make(end=(True, False))
    env.reset()
    env.reset()
    assert inner.seeds[0] is not None and inner.seeds[1] is None


def test_a_module_before_the_colon_is_imported():
    env = make_env("gym_gymnasium.envs:CartPole-v1", seed=0)
    assert env.obs_space["observation"].shape == (4,)


def test_pictures_on_demand_where_the_environment_has_them():
    env, _ = make()
    env.reset()
    assert (env.render() == 7).all()
    with pytest.raises(EnvError, match="no pictures"):
        make_env("gym_Blind-v0", seed=0).render()
