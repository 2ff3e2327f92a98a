"""ViZDoom for real: pictures, words, numbers, ends of episodes, and what is left."""

import hashlib
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("vizdoom", reason="pip install vizdoom")

from dreamerv3_tf.envs import EnvError, base, make_env, text  # noqa: E402
from dreamerv3_tf.envs import vizdoom as module  # noqa: E402
from dreamerv3_tf.envs.contract import find_problems  # noqa: E402
from dreamerv3_tf.envs.hooks import env_requirements  # noqa: E402

NOTHING, LEFT, RIGHT, ATTACK = range(4)


@pytest.fixture
def make():
    """Makes environments and closes them."""
    made = []

    def make(name, seed=0, **settings):
        made.append(make_env(f"vizdoom_{name}", seed=seed, **settings))
        return made[-1]

    yield make
    for env in made:
        env.close()


def act(number):
    return {"action": np.int32(number)}


def play(env, steps, seed=0):
    """Observations of random steps, with a reset wherever one is due."""
    rng, trace = np.random.default_rng(seed), [env.reset()]
    high = env.act_space["action"].classes[0]
    for _ in range(steps):
        action = act(rng.integers(high))
        trace.append(env.reset() if trace[-1]["is_last"] else env.step(action))
    return trace


def digest(name, steps=200):
    """Fingerprint of random play."""
    env, found = make_env(f"vizdoom_{name}", seed=5), hashlib.sha256()
    for obs in play(env, steps):
        for key in sorted(obs):
            found.update(np.ascontiguousarray(obs[key]).tobytes())
    env.close()
    return found.hexdigest()


@pytest.mark.parametrize("name", module.SCENARIOS)
def test_every_scenario_keeps_the_contract(make, name):
    env = make(name, notifications="on")
    assert find_problems(env, steps=60) == []
    assert env.obs_space["image"].shape == (64, 64, 3)
    assert env.obs_space["notifications"].shape == (1024,)


def test_the_same_seed_is_the_same_game_in_every_process(request):
    here, name = str(request.path.parent), "basic_notifications"
    command = f"import sys; sys.path.insert(0, {here!r}); "
    command += f"from test_vizdoom import digest; print(digest({name!r}))"
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == digest(name)


def test_episodes_differ_and_so_do_seeds(make):
    env = make("basic")
    first = [env.reset()["image"] for _ in range(4)]
    other = make("basic", seed=1).reset()["image"]
    assert len({image.tobytes() for image in [*first, other]}) > 3


def test_the_time_limit_of_a_scenario_is_not_terminal(make):
    env = make("basic")
    env.reset()
    count, obs = 0, {"is_last": False}
    while not obs["is_last"]:
        obs, count = env.step(act(NOTHING)), count + 1
    assert count == 300 / 4  # tics of the scenario, tics of an action
    assert not obs["is_terminal"]
    assert float(obs["reward"]) == -4  # -1 for each tic


def test_death_is_terminal(make):
    env = make("deadly_corridor")
    env.reset()
    trace = [env.step(act(NOTHING))]
    while not trace[-1]["is_last"]:
        trace.append(env.step(act(NOTHING)))
    assert trace[-1]["is_terminal"]
    assert float(trace[-1]["reward"]) == -100
    health = [float(obs["variables"][0]) for obs in trace]
    assert 0 < health[0] <= 100 and health == sorted(health, reverse=True)
    # After the end the game shows nothing, so the last observation is repeated.
    np.testing.assert_array_equal(trace[-1]["image"], trace[-2]["image"])


def test_the_goal_is_terminal_and_pays(make):
    env, rewards, ends = make("basic"), [], []
    for obs in play(env, 400):
        rewards.append(float(obs["reward"]))
        if obs["is_last"]:
            # The monster is worth 101, and each tic costs 1, a shot 5 more. The game
            # ends a tic after it, which may be in the next step.
            ends.append((bool(obs["is_terminal"]), max(rewards[-2:]) > 80))
    assert (True, True) in ends
    assert set(ends) <= {(True, True), (False, False)}


def test_a_length_cuts_the_episode_and_is_not_terminal(make):
    env = make("my_way_home", length=3)
    env.reset()
    trace = [env.step(act(NOTHING)) for _ in range(3)]
    assert [bool(obs["is_last"]) for obs in trace] == [False, False, True]
    assert not trace[-1]["is_terminal"]


def test_an_action_lasts_its_tics_and_rewards_are_added(make):
    for repeat in (1, 4, 6):
        env = make("basic", repeat=repeat)
        env.reset()
        assert float(env.step(act(NOTHING))["reward"]) == -repeat
        env.close()


def test_the_game_says_which_monster_to_shoot(make):
    sayings = {
        text.embed(f"Shoot: {name}").tobytes(): name
        for name in ("Demon", "DoomImp", "Cacodemon")
    }
    silence = text.embed("").tobytes()
    env, heard = make("basic_notifications"), set()
    for obs in play(env, 300):
        words = obs["notifications"].tobytes()
        assert words == silence or words in sayings
        heard.add(sayings.get(words))
    assert {"Demon", "DoomImp", "Cacodemon", None} == heard


@pytest.mark.parametrize(
    "raw, words",
    [
        ("Shoot: Demon\n", "Shoot: Demon"),
        ("", ""),
        ("Got a key.\nA door opens.\n", "Got a key. A door opens."),
        ("\n\x1d\x1e\x1e\x1f\n\n\x1c+map01 - Plant\n\nHello\n", "Hello"),
    ],
)
def test_the_banner_of_the_engine_is_no_word_of_the_scenario(raw, words):
    assert module.said(raw) == words


def test_words_are_shown_where_the_scenario_has_them_or_on_request(make):
    def shows(name, **settings):
        env = make(name, **settings)
        env.reset()
        return "notifications" in env.obs_space

    assert shows("basic_notifications") and not shows("basic")
    assert shows("basic", notifications="on")
    assert not shows("basic_notifications", notifications="off")
    assert "variables" not in make("basic", variables=False).obs_space


def test_actions_are_the_combinations_of_buttons(make):
    # 3 buttons: none, each, each two of them, all: 1 + 3 + 3 + 1.
    for most, count in ((1, 4), (2, 7), (3, 8), (9, 8)):
        assert make("basic", buttons=most).act_space["action"].classes == (count,)
    # Of the 20 of a deathmatch three are amounts, as of a mouse, which rest.
    assert make("deathmatch").act_space["action"].classes == (18,)


def test_turning_moves_the_picture_and_resting_does_not(make):
    env = make("my_way_home")
    before = env.reset()["image"].astype(int)
    rest = env.step(act(NOTHING))["image"].astype(int)
    turned = env.step(act(LEFT))["image"].astype(int)
    assert np.abs(rest - before).mean() < 3 < np.abs(turned - rest).mean()


def test_people_see_the_picture_of_the_game(make):
    env = make("basic")
    with pytest.raises(EnvError, match="no picture before"):
        env.render()
    env.reset()
    assert env.render().shape == (240, 320, 3)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory = {*os.listdir("/dev/shm")} if os.path.isdir("/dev/shm") else set()
    env = make_env("vizdoom_basic", seed=0)
    env.reset(), env.step(act(ATTACK))
    inner = env
    while not isinstance(inner, module.VizDoom):
        inner = inner.env
    folder = pathlib.Path(inner.folder.name)
    assert (folder / "settings.ini").exists()
    env.close()
    env.close()  # twice is fine
    assert os.listdir(tmp_path) == [] and not folder.exists()
    if memory:
        left = {*os.listdir("/dev/shm")} - memory
        assert not [name for name in left if name.startswith("ViZDoom")]


@pytest.mark.parametrize(
    "name, settings, words",
    [
        ("bassic", {}, ["no scenario 'bassic'", "Did you mean 'basic'?", "take_cover"]),
        ("basic", {"repeat": 0}, ["env.repeat", "at least 1"]),
        ("basic", {"notifications": "maybe"}, ["env.notifications", "auto, on, off"]),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(name, settings, words):
    with pytest.raises(EnvError) as error:
        make_env(f"vizdoom_{name}", seed=0, **settings)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_missing_package_is_one_line_that_says_what_to_install(monkeypatch):
    def missing(name, *_):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(base.importlib, "import_module", missing)
    with pytest.raises(EnvError, match="pip install .*vizdoom"):
        module.make("basic", seed=0)


def test_the_package_is_a_requirement():
    (found,) = env_requirements("vizdoom_basic", {})
    assert found.ok and found.found.startswith("vizdoom 1.")
