"""Names of tasks, settings and seeds."""

import builtins

import pytest

from dreamerv3_tf import envs
from dreamerv3_tf.envs import EnvError, base, make_env, suite_of


@pytest.mark.parametrize(
    "task, expected",
    [
        ("dmc_cartpole_balance", ("dmc", "cartpole_balance")),
        ("dmc_vision_walker_walk", ("dmc_vision", "walker_walk")),
        ("gym_CartPole-v1", ("gym", "CartPole-v1")),
        ("gym_my_module:My_Env-v0", ("gym", "my_module:My_Env-v0")),
        ("crafter_reward", ("crafter", "reward")),
    ],
)
def test_the_suite_is_the_longest_prefix_that_is_a_file(task, expected):
    assert suite_of(task) == expected


@pytest.mark.parametrize(
    "task, settings, words",
    [
        ("crafer_reward", {}, ["'crafer'", "Did you mean 'crafter'?", "dummy"]),
        ("base_x", {}, ["no suite 'base'"]),
        ("dummy_dsc", {}, ["Did you mean 'disc'?", "mixed"]),
        ("dmc_walker_wolk", {}, ["Did you mean 'walker_walk'?", "cheetah_run"]),
        ("crafter_rewards", {}, ["crafter_noreward"]),
        ("gym_CartPol-v1", {}, ["gym_CartPol-v1", "CartPole"]),
        ("gym_no_such_module:X-v0", {}, ["no_such_module"]),
        ("dummy_disc", {"lenght": 3}, ["no key 'lenght'", "'length'?", "terminal"]),
        ("dummy_disc", {"length": "long"}, ["env.length", "'long'", "integer"]),
        ("dummy_disc", {"length": 0}, ["env.length", "at least 1"]),
        ("dummy_disc", {"terminal": 1}, ["env.terminal", "true or false"]),
        ("dummy_image", {"size": [64]}, ["env.size", "2 entries"]),
        ("gym_CartPole-v1", {"options": 3}, ["env.options", "key: value"]),
        ("gym_CartPole-v1", {"size": [1, 2, 3]}, ["height and width"]),
        ("gym_CartPole-v1", {"options": {"x": 1}}, ["gym_CartPole-v1", "'x'"]),
        ("dmc_walker_walk", {"proprio": False}, ["sees nothing"]),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(task, settings, words):
    with pytest.raises(EnvError) as error:
        make_env(task, seed=0, **settings)
    text = str(error.value)
    assert "\n" not in text
    for word in words:
        assert word in text


def test_settings_get_the_type_that_the_suite_asks_for():
    checked = envs.check_settings("dummy", {"length": "1e1", "size": [32, 48]})
    assert checked == {"length": 10, "size": (32, 48)}


def test_settings_of_a_suite_leave_out_what_the_program_gives():
    assert set(envs.env_settings("dummy")) == {"size", "length", "terminal"}
    assert envs.env_settings("dmc")["repeat"].default == 1


@pytest.mark.parametrize("task", ["crafter_reward", "dmc_walker_walk", "gym_X-v0"])
def test_a_missing_package_is_one_line_that_says_what_to_install(task, monkeypatch):
    def missing(name, *_):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(base.importlib, "import_module", missing)
    monkeypatch.setattr(
        envs,
        "_module",
        lambda suite: builtins.__import__(
            f"dreamerv3_tf.envs.{suite}", fromlist=["make"]
        ),
    )
    with pytest.raises(EnvError, match=r"pip install \w+") as error:
        make_env(task, seed=0)
    assert "\n" not in str(error.value)


def test_seeds_differ_between_environments_and_runs_and_stay_the_same():
    seeds = [envs.env_seed(seed, index) for seed in range(20) for index in range(20)]
    assert len(set(seeds)) == 400
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert envs.env_seed(0, 1) == envs.env_seed(0, 1)
