"""Environments of one's own: functions and classes by `module:name`."""

import os
import pathlib
import sys
import textwrap

import numpy as np
import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.envs import EnvError, check_settings, env_settings, make_env, suite_of
from dreamerv3_tf.run.workers import make_envs

MODULE = """
    from __future__ import annotations
    from typing import TYPE_CHECKING, Literal

    import gymnasium
    import numpy as np

    from dreamerv3_tf.envs.base import signal_spaces, signals
    from dreamerv3_tf.spaces import Space

    if TYPE_CHECKING:
        from nowhere import Odd


    class Tell(gymnasium.Env):
        '''Shows what it was told, in 48 by 64 pixels and as a number.'''

        def __init__(self, told=(), end=0):
            self.told, self.end = told, end
            self.observation_space = gymnasium.spaces.Dict({
                "image": gymnasium.spaces.Box(0, 255, (48, 64, 3), np.uint8),
                "seed": gymnasium.spaces.Box(-np.inf, np.inf, (), np.float64),
            })
            self.action_space = gymnasium.spaces.Discrete(2)

        def show(self):
            return {"image": np.zeros((48, 64, 3), np.uint8), "seed": self.seeds}

        def reset(self, *, seed=None, options=None):
            self.seeds = np.float64(seed or 0)
            return self.show(), {}

        def step(self, action):
            return self.show(), 1.0, False, False, {}


    def plain():
        return Tell()

    def told(goal: int, scale: float = 1, kind: Literal["a", "b"] = "a", free=None,
             deep: tuple[int, ...] = (), names: list[str] = (), table: dict = {},
             odd: int | None = None, *, seed, index, evaluation, logdir):
        return Tell((goal, scale, kind, free, deep, names, table, odd, seed, index,
                     evaluation, logdir))

    def hidden(odd: Odd = 3):
        return Tell((odd,))

    def anything(**kwargs):
        return Tell(tuple(sorted(kwargs.items())))

    def sized(size: int = 5):
        return Tell((size,))

    def number():
        return 3

    class Native:
        def __init__(self, seed):
            self.rng = np.random.default_rng(seed)
            self.obs_space = {"x": Space(np.dtype("float32"))} | signal_spaces()
            self.act_space = {"action": Space(np.dtype("int32"), (), 0, 2)}

        def reset(self):
            return {"x": np.float32(self.rng.normal())} | signals(first=True)

        def step(self, action):
            return {"x": np.float32(self.rng.normal())} | signals(1.0)

        def close(self):
            pass

    class Box:
        make = staticmethod(plain)

    VALUE = 7
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder of the user's module, which is the current one."""
    (tmp_path / "my_own_module.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.delitem(sys.modules, "my_own_module", raising=False)
    yield tmp_path
    sys.modules.pop("my_own_module", None)


def told(task, **settings):
    env = make_env(task, seed=4, **settings)
    while hasattr(env, "env"):
        env = env.env
    return env.told


@pytest.mark.parametrize(
    "task, expected",
    [
        ("my_module:make_env", ("own", "my_module:make_env")),
        ("dmc_like:make_env", ("own", "dmc_like:make_env")),
        ("a.b.c:D.e", ("own", "a.b.c:D.e")),
        ("gym_my_module:Env-v0", ("gym", "my_module:Env-v0")),
        ("own_gym_tricks:make_env", ("own", "gym_tricks:make_env")),
    ],
)
def test_a_colon_makes_a_task_your_own(task, expected):
    assert suite_of(task) == expected


def test_the_module_is_found_in_the_folder_of_the_start():
    env = make_env("my_own_module:plain", seed=0)
    assert env.obs_space["image"].shape == (48, 64, 3)
    assert sys.path[-1] == os.getcwd()  # last, so that it hides nothing


def test_functions_in_classes_and_classes_themselves_work():
    make_env("my_own_module:Box.make", seed=0)
    make_env("my_own_module:Tell", seed=0, end=3)


def test_the_seed_of_each_environment_reaches_its_reset_or_its_constructor():
    seeds = [
        make_env("my_own_module:plain", seed=0, index=i).reset()["seed"] for i in (0, 1)
    ]
    assert seeds[0] != seeds[1]
    one, same, other = (
        make_env("my_own_module:Native", seed=seed).reset()["x"] for seed in (1, 1, 2)
    )
    assert one == same != other


def test_arguments_are_settings_with_the_types_of_the_function():
    got = told(
        "my_own_module:told",
        index=2,
        evaluation=True,
        logdir="there",
        goal="3",
        scale="1e-1",
        kind="b",
        free="0.5",
        deep="1,2",
        names="x,y",
        table={"a": "1"},
        odd="null",
    )
    want = (3, 0.1, "b", 0.5, (1, 2), ("x", "y"), {"a": 1}, None)
    assert got[:8] == want and got[9:] == (2, True, "there")
    assert set(env_settings("own", "my_own_module:plain")) == {
        *("repeat", "size", "length", "mask", "limit", "options"),
    }


@pytest.mark.parametrize(
    "name, settings, words",
    [
        ("told", {"goal": "x"}, "env.goal.*'x', expected an integer"),
        ("told", {"goal": 1, "kind": "c"}, "expected one of a, b"),
        ("told", {}, "missing a required argument: 'goal'; set it with env.NAME=VAL"),
        ("told", {"goals": 1}, "no key 'goals'.*Did you mean 'goal'"),
        ("told", {"goal": 1, "options": {"x": 1}}, "unexpected keyword argument 'x'"),
        ("plain", {"size": [1]}, "expected height and width"),
        ("plain", {"mask": "on"}, "one of auto, info, off"),
        ("plane", {}, "my_own_module has no 'plane'. Did you mean 'plain'"),
        ("VALUE", {}, "VALUE is a int; expected a function"),
        ("number", {}, "The int is no environment that is known here"),
    ],
)
def test_mistakes_are_told_in_one_line(name, settings, words):
    with pytest.raises(EnvError, match=words) as error:
        make_env(f"my_own_module:{name}", seed=0, **settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "task, words",
    [
        ("no_such_module:make", "no module 'no_such_module' in .* PYTHONPATH"),
        ("my_own_module.inner:make", "no module 'my_own_module.inner'"),
        ("my_own_module.py:plain", "Write my_own_module:plain"),
        ("./my_own_module.py:", "Write my_own_module:make_env"),
        ("needs_more:make", "needs the package 'not_there', which is missing"),
    ],
)
def test_a_module_that_is_not_there_is_told_in_one_line(task, words, folder):
    (folder / "needs_more.py").write_text("import not_there")
    with pytest.raises(EnvError, match=words) as error:
        make_env(task, seed=0)
    assert "\n" not in str(error.value)


def test_an_error_inside_of_the_module_keeps_its_traceback(folder):
    (folder / "fails.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        make_env("fails:make", seed=0)


def test_types_that_settings_do_not_have_take_any_value():
    assert told("my_own_module:hidden", odd="7") == (7,)
    assert told("my_own_module:anything", options={"x": "1"}) == (("x", 1),)


def test_an_argument_of_the_function_comes_before_a_setting_of_the_same_name():
    assert told("my_own_module:sized", size="3") == (3,)
    assert told("my_own_module:sized") == (5,)


def test_pictures_lengths_and_repeats_are_settings():
    env = make_env("my_own_module:plain", seed=0, size=[32, 32], length=6, repeat=4)
    assert env.reset()["image"].shape == (32, 32, 3)
    step = {"action": np.int32(0)}
    first, second = env.step(step), env.step(step)
    assert (first["reward"], second["reward"]) == (4, 2)  # cut after 6
    assert second["is_last"] and not second["is_terminal"]


def test_configurations_have_a_file_for_such_tasks():
    config = presets.load("my_own_module:plain", overrides=["env.length=9"])
    assert config.run.train_ratio == 512 and config.task == "my_own_module:plain"
    assert check_settings("own", config.env, "my_own_module:plain") == {"length": 9}
    folder = pathlib.Path("own.yaml")
    folder.write_text("env@own: {length: 3}\nenv@gym: {length: 4}\n")
    config = presets.load("my_own_module:plain", [str(folder)])
    assert config.env == {"length": 3}


def test_workers_in_other_processes_find_the_module_too():
    envs = make_envs("my_own_module:plain", num=2, seed=0, parallel="process")
    try:
        seeds = envs.recv()["seed"]
    finally:
        envs.close()
    assert seeds[0] != seeds[1]
