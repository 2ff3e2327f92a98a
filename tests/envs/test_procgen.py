"""Procgen: the published settings, the ends of levels, and a process left as it was."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.envs import EnvError, base, make_env
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.envs.hooks import env_requirements
from dreamerv3_tf.envs.procgen import GAMES, INSTALL, LIMITS, make

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("procgen") is None,
    reason=f"Procgen is not installed: pip install {INSTALL}",
)
NOTHING = 4  # the action without a key


def press(env, action):
    return env.step({"action": np.asarray(action, np.int32)})


def play(env, count, seed=0):
    """Observations of random steps, with a reset wherever one is due."""
    rng = np.random.default_rng(seed)
    trace = [env.reset()]
    for _ in range(count):
        action = rng.integers(15)
        trace.append(env.reset() if trace[-1]["is_last"] else press(env, action))
    return trace


@needs_package
@pytest.mark.parametrize("name", GAMES)
def test_each_game_keeps_the_contract(name):
    env = make_env(f"procgen_{name}", seed=1)
    assert find_problems(env, steps=200) == []
    assert env.obs_space["image"].shape == (64, 64, 3)
    assert env.act_space["action"].classes == (15,)
    env.close()
    env.close()


@needs_package
@pytest.mark.parametrize("name", GAMES)
def test_the_time_limits_are_those_of_the_games(name):
    # The state of a game holds, as 32-bit integers one after the other: the step at
    # which it cuts an episode, and the number of the level.
    env = make(name, seed=1)
    game = env.env.env
    level = game.get_info()[0]["level_seed"]
    wanted = np.asarray([LIMITS[name], level], "<i4").tobytes()
    assert wanted in game.get_state()[0]
    env.close()


@needs_package
def test_the_time_limit_is_not_terminal():
    env = make_env("procgen_leaper", seed=1)
    for _ in range(2):  # the count starts anew with each episode
        env.reset()
        trace = [press(env, NOTHING) for _ in range(LIMITS["leaper"])]
        assert trace[-1]["is_last"] and not trace[-1]["is_terminal"]
        assert not any(obs["is_last"] for obs in trace[:-1])


@needs_package
def test_the_end_of_a_level_is_terminal_and_shows_the_picture_before():
    env = make_env("procgen_bossfight", seed=1)
    obs, before = env.reset(), None
    while not obs["is_last"]:
        before, obs = obs, press(env, NOTHING)
    assert obs["is_terminal"] and obs["log/max/level_complete"] == 0
    np.testing.assert_array_equal(obs["image"], before["image"])
    assert (env.reset()["image"] != before["image"]).any()


@needs_package
def test_a_reset_in_the_middle_gives_up_the_level():
    env = make("coinrun", seed=1)
    env.reset()
    game = env.env.env
    first = game.get_info()[0]["level_seed"]
    press(env, NOTHING)
    env.reset()
    assert game.get_info()[0]["level_seed"] != first


@needs_package
def test_the_same_seed_is_the_same_game_and_another_index_another():
    runs = [
        [obs["image"] for obs in play(make_env("procgen_coinrun", **kw), 300)]
        for kw in ({"seed": 3}, {"seed": 3}, {"seed": 3, "index": 1})
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@needs_package
def test_one_level_is_always_the_same_and_all_levels_differ():
    one = make_env("procgen_maze", seed=3, levels=1, first_level=7)
    images = [one.reset()["image"] for _ in range(3)]
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])
    every = make_env("procgen_maze", seed=3)
    assert (every.reset()["image"] != every.reset()["image"]).any()


@needs_package
def test_other_sizes_come_from_the_large_picture():
    # The published size. Halved by plain means of 2 by 2, the 512 by 512 picture of the
    # game looks much like its 64 by 64 one, so they show the same moment.
    small = make_env("procgen_coinrun", seed=3)
    large = make_env("procgen_coinrun", seed=3, size=[96, 96])
    assert find_problems(large, steps=20) == []
    small.reset()
    image = make_env("procgen_coinrun", seed=3, size=[128, 128]).reset()["image"]
    assert image.shape == (128, 128, 3)
    halved = image.reshape(64, 2, 64, 2, 3).mean((1, 3))
    again = make_env("procgen_coinrun", seed=3).reset()["image"]
    assert np.abs(halved - again).mean() < 10
    other = make_env("procgen_coinrun", seed=4).reset()["image"]
    assert np.abs(halved - other).mean() > 20


@needs_package
def test_a_process_is_left_without_the_games_package_and_gym():
    code = (
        "import sys\n"
        "from dreamerv3_tf.envs import make_env\n"
        "make_env('procgen_maze', seed=0).reset()\n"
        "print([name for name in ('gym', 'procgen') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def test_the_published_settings_are_the_defaults_of_the_task():
    config = presets.load("procgen_coinrun")
    assert config.run.train_ratio == 64 and config.run.envs == 16
    assert config.env["difficulty"] == "hard" and list(config.env["size"]) == [96, 96]


def test_an_unknown_game_is_named_with_its_neighbours():
    with pytest.raises(EnvError, match="Did you mean 'coinrun'"):
        make_env("procgen_coinrunn", seed=0)


def test_where_the_package_is_missing_the_commands_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "procgen", None)  # makes its import fail
    monkeypatch.delitem(sys.modules, "procgen.env", raising=False)
    with pytest.raises(EnvError, match="pip install --no-deps procgen-mirror gym3 &&"):
        make("coinrun", seed=0)
    finding = env_requirements("procgen_coinrun", {})[0]
    assert not finding.ok and INSTALL in finding.advice


def test_a_part_of_a_package_is_imported_without_its_beginning(tmp_path, monkeypatch):
    (tmp_path / "pompous").mkdir()
    (tmp_path / "pompous" / "__init__.py").write_text("import not_there_at_all\n")
    (tmp_path / "pompous" / "part.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert base.require_part("pompous", "pompous.part", "pompous").value == 3
    assert "pompous" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        importlib.import_module("pompous")
    with pytest.raises(EnvError, match="pip install pompous"):
        base.require_part("pompous", "pompous.other", "pompous")
    del sys.modules["pompous.part"]
