"""Atari for real: games, sticky actions, pooled frames, ends, snapshots, errors."""

import hashlib
import json
import pathlib
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("ale_py", reason="pip install ale-py")

import ale_py  # noqa: E402
from ale_py import roms  # noqa: E402

from dreamerv3_tf.envs import EnvError, atari, atari100k, base, make_env  # noqa: E402
from dreamerv3_tf.envs.atari.game import luminance  # noqa: E402
from dreamerv3_tf.envs.atari.roms import find_game  # noqa: E402
from dreamerv3_tf.envs.contract import find_problems  # noqa: E402
from dreamerv3_tf.envs.hooks import env_facts, env_requirements  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NOOP, FIRE = 0, 1


def act(number):
    return {"action": np.asarray(number, np.int32)}


def play(env, steps, seed=0, obs=None):
    """Observations of random steps from `obs` on, with a reset wherever one is due."""
    rng, high = np.random.default_rng(seed), env.act_space["action"].classes[0]
    trace = [obs or env.reset()]
    for number in rng.integers(high, size=steps):
        trace.append(env.reset() if trace[-1]["is_last"] else env.step(act(number)))
    return trace


def lose(env):
    """Observations of an episode of Breakout in which every ball is missed."""
    trace = [env.reset()]
    while not trace[-1]["is_last"]:
        trace.append(env.step(act(FIRE)))
    return trace


def fingerprint(trace):
    found = hashlib.sha256()
    for obs in trace:
        for key in sorted(obs):
            found.update(np.ascontiguousarray(obs[key]).tobytes())
    return found.hexdigest()


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], key)


class Recorder:
    """Passes everything on to an emulator and keeps the actions that it was given."""

    def __init__(self, emulator):
        self.emulator, self.given = emulator, []

    def act(self, action):
        self.given.append(action)
        return self.emulator.act(action)

    def __getattr__(self, name):
        return getattr(self.emulator, name)


def test_the_games_are_those_of_the_published_scores():
    published = json.loads((ROOT / "tools" / "data" / "published.json").read_text())
    assert sorted(published["scales"]["atari"]["bounds"]) == sorted(atari.GAMES)
    tasks = published["suites"]["atari100k"]["methods"]["dreamerv3"]["tasks"]
    assert sorted(tasks) == sorted(atari100k.GAMES)
    assert (len(atari.GAMES), len(atari100k.GAMES)) == (57, 26)
    assert set(atari100k.GAMES) < set(atari.GAMES)


@pytest.mark.parametrize("game", atari.GAMES)
def test_every_game_of_the_paper_is_there(game):
    assert find_game(game, roms.get_all_rom_ids()) == game
    path = pathlib.Path(roms.__path__[0]) / f"{game}.bin"
    assert ale_py.ALEInterface.isSupportedROM(path) == game


@pytest.mark.parametrize(
    "task",
    ["atari_montezuma_revenge", "atari_surround", "atari100k_up_n_down"],
)
def test_a_game_keeps_the_contract(task):
    assert find_problems(make_env(task, seed=0), steps=60) == []


@pytest.mark.parametrize(
    "name", ["jamesbond", "james_bond", "James Bond", "JAMESBOND", "Jamesbond"]
)
def test_the_spelling_of_a_name_is_free(name):
    assert find_game(name, roms.get_all_rom_ids()) == "jamesbond"


def test_the_two_protocols_are_those_of_the_paper():
    grey, colour = atari.make("pong", seed=0), atari100k.make("pong", seed=0)
    assert grey.obs_space["image"].shape == (96, 96, 1)
    assert grey.act_space["action"].classes == (18,)
    assert (grey.sticky, grey.repeat, grey.noops, grey.limit) == (True, 4, 30, 108000)
    assert colour.obs_space["image"].shape == (64, 64, 3)
    assert colour.act_space["action"].classes == (6,)
    assert (colour.sticky, colour.repeat) == (False, 4)
    assert (colour.noops, colour.limit) == (30, 108000)


def test_a_game_has_all_actions_or_those_that_it_needs():
    needed = atari.make("breakout", seed=0, actions="needed")
    assert needed.action_meanings == ("NOOP", "FIRE", "RIGHT", "LEFT")
    full = atari.make("breakout", seed=0)
    assert len(full.action_meanings) == 18
    assert full.action_meanings[-1] == "DOWNLEFTFIRE"
    assert len(atari.make("skiing", seed=0).action_meanings) == 9  # it has no fire
    needed.reset(), needed.step(act(3))
    needed.emulator = Recorder(needed.emulator)
    needed.sticky = False
    needed.step(act(3))  # LEFT, which is 4 for the emulator
    assert needed.emulator.given == [4, 4, 4, 4]


def test_a_frame_repeats_the_action_before_in_a_quarter_of_all_cases():
    env = atari.make("freeway", seed=0, noops=0, size=(8, 8), resize="nearest")
    env.emulator = Recorder(env.emulator)
    env.reset()
    chosen = [1 + step % 17 for step in range(2000)]  # changes with each step
    for number in chosen:
        assert not env.step(act(number))["is_last"]
    given = np.reshape(env.emulator.given, (2000, 4))
    stuck = given != np.reshape(chosen, (2000, 1))
    # The old action lasts for i frames with probability 0.25^i; three deviations are
    # 3 sqrt(0.25 · 0.75 / 2000) = 0.029.
    np.testing.assert_allclose(stuck.mean(0), 0.25 ** np.arange(1, 5), atol=0.029)
    before = np.concatenate([[NOOP], given.ravel()[:-1]]).reshape(2000, 4)
    assert (given == before)[stuck].all()


def test_a_new_game_forgets_the_action_of_the_game_before():
    env, first = atari.make("freeway", seed=0, noops=0), []
    env.emulator = Recorder(env.emulator)
    for _ in range(40):
        env.reset(), env.step(act(5))
        env.reset(), env.step(act(3))
        first.append(env.emulator.given[-4])
    assert set(first) == {NOOP, 3}


def test_without_sticky_actions_each_frame_has_the_chosen_action():
    env = atari100k.make("pong", seed=0, noops=0)
    env.emulator = Recorder(env.emulator)
    env.reset()
    for number in range(50):
        env.step(act(number % 6))
    repeated = [env.actions[number % 6] for number in range(50) for _ in range(4)]
    assert env.emulator.given == repeated


@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_the_picture_pools_the_last_two_frames(aggregate):
    settings = {"seed": 0, "sticky": False, "noops": 0}
    env = atari.make("asteroids", **settings, aggregate=aggregate)
    frame_by_frame = atari.make("asteroids", **settings, pooling=1, repeat=1)
    env.reset(), frame_by_frame.reset()
    differ = 0
    for step in range(60):
        env.step(act(step % 18))
        frames = []
        for _ in range(4):
            frame_by_frame.step(act(step % 18))
            frames.append(frame_by_frame.render().astype(int))
        third, fourth = frames[2:]
        both = (
            np.maximum(third, fourth) if aggregate == "max" else (third + fourth) // 2
        )
        np.testing.assert_array_equal(env.render(), both)
        differ += (third != fourth).any()
    assert differ > 30  # the game does flicker


def test_pooling_shows_what_every_other_frame_leaves_out():
    # Asteroids are drawn every other frame, so with 4 frames an action, always in those
    # that one frame of four never shows.
    lit = {}
    for pooling in (1, 2):
        env = atari.make("asteroids", seed=0, sticky=False, noops=0, pooling=pooling)
        env.reset()
        for _ in range(40):
            env.step(act(NOOP))
        lit[pooling] = env.render().any(-1).sum()
    assert lit[2] > 2 * lit[1]


def test_the_first_picture_is_not_mixed_with_the_game_before():
    env = atari.make("breakout", seed=0, noops=0, sticky=False)
    first = env.reset()["image"]
    for _ in range(30):
        env.step(act(FIRE))
    np.testing.assert_array_equal(env.reset()["image"], first)
    np.testing.assert_array_equal(env.frames[0], env.frames[1])
    np.testing.assert_array_equal(env.render(), env.frames[0])
    assert first.max() > 100


def test_a_game_starts_after_0_to_30_frames_of_nothing():
    env, counts = atari.make("pong", seed=0), set()
    for _ in range(200):
        env.reset()
        counts.add(env.emulator.getEpisodeFrameNumber())
        assert env.duration == 0
    # 31 numbers; of 200 draws one misses a given number once in 700.
    assert counts <= set(range(31)) and {0, 30} < counts and len(counts) > 28
    none = atari.make("pong", seed=0, noops=0)
    for _ in range(3):
        none.reset()
        assert none.emulator.getEpisodeFrameNumber() == 0


def test_the_limit_of_frames_cuts_a_game_and_is_not_terminal():
    env = make_env("atari_pong", seed=0, length=10)
    for _ in range(2):
        env.reset()
        trace = [env.step(act(NOOP)) for _ in range(3)]  # 4, 8 and 10 frames
        assert [bool(obs["is_last"]) for obs in trace] == [False, False, True]
        assert not trace[-1]["is_terminal"]


def test_a_game_that_is_over_is_terminal_even_at_the_limit():
    env = atari.make("breakout", seed=0, actions="needed")
    last = lose(env)[-1]
    assert last["is_last"] and last["is_terminal"]
    assert env.emulator.game_over() and env.emulator.lives() == 0
    limited = atari.make("breakout", seed=0, actions="needed", length=env.duration)
    last = lose(limited)[-1]
    assert limited.duration == limited.limit
    assert last["is_last"] and last["is_terminal"]


def test_lives_count_only_on_request():
    lengths = {}
    for lives in ("unused", "discount", "reset"):
        env = atari.make("breakout", seed=0, actions="needed", lives=lives)
        left, lengths[lives] = [], []
        for _ in range(5):
            trace = lose(env)
            assert trace[-1]["is_terminal"] and trace[0]["is_first"]
            assert not any(obs["is_first"] for obs in trace[1:])
            left.append(env.emulator.lives())
            lengths[lives].append(len(trace) - 1)
        # Breakout has five balls.
        expected = {"unused": [0] * 5, "discount": [4, 3, 2, 1, 0], "reset": [4] * 5}
        assert left == expected[lives]
    # The same seed and actions, so it is the same game in five parts.
    assert sum(lengths["discount"]) - lengths["unused"][0] in range(5)


def test_an_episode_that_goes_on_begins_where_the_last_ended():
    env = atari.make("breakout", seed=0, actions="needed", lives="discount")
    end = lose(env)[-1]["image"]
    np.testing.assert_array_equal(env.reset()["image"], end)
    # A reset in the middle is a new game, with five balls.
    env.step(act(NOOP)), env.reset()
    assert env.emulator.lives() == 5


def test_rewards_are_raw_and_clipped_on_request():
    raw = play(make_env("atari_ms_pacman", seed=0), 200)
    clipped = play(make_env("atari_ms_pacman", seed=0, clip_reward=True), 200)
    rewards = np.array([obs["reward"] for obs in raw])
    assert rewards.max() >= 10  # a pellet
    np.testing.assert_array_equal(np.sign(rewards), [obs["reward"] for obs in clipped])


def test_grey_is_the_luminance_rounded_down():
    # 0.299·10 + 0.587·20 + 0.114·30 = 18.15; 0.299·255 = 76.245; 0.587·255 = 149.685.
    colours = [[10, 20, 30], [255, 0, 0], [0, 255, 0], [255, 255, 255]]
    picture = np.array([colours], np.uint8)
    assert luminance(picture).tolist() == [[[18], [76], [149], [255]]]
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(luminance(greys), greys[..., :1])


def test_grey_and_colour_show_the_same():
    grey = atari.make("seaquest", seed=0).reset()["image"]
    colour = atari.make("seaquest", seed=0, gray=False).reset()["image"]
    np.testing.assert_array_equal(grey, luminance(colour))


def test_people_see_the_game_in_its_own_colours_and_size():
    env = make_env("atari_pong", seed=0)
    env.reset()
    picture = env.render()
    assert picture.shape == (210, 160, 3) and picture.dtype == np.uint8
    assert picture.std((0, 1)).min() > 0
    before = picture.copy()
    play(env, 20)
    np.testing.assert_array_equal(picture, before)  # not a window into the emulator


@pytest.mark.parametrize("task", ["atari_breakout", "atari100k_ms_pacman"])
def test_a_game_goes_on_from_a_snapshot_as_it_had(task):
    env, other = make_env(task, seed=0), make_env(task, seed=1)
    obs = env.reset()
    for number in range(12):
        obs = play(env, 23, seed=number, obs=obs)[-1]
        obs = env.reset() if obs["is_last"] else obs
        state = {key: value.copy() for key, value in env.snapshot().items()}
        picture = env.render()
        there = play(env, 60, seed=99, obs=obs)
        other.restore(state)
        np.testing.assert_array_equal(other.render(), picture)
        # Without the action that may stick, a third of these went another way.
        assert_same(there, play(other, 60, seed=99, obs=obs))
        np.testing.assert_array_equal(env.render(), other.render())
        obs = there[-1]


def test_a_snapshot_of_another_game_is_refused_in_plain_words():
    env, other = make_env("atari_pong", seed=0), make_env("atari_breakout", seed=0)
    env.reset(), other.reset()
    state = env.snapshot()
    with pytest.raises(EnvError, match="damaged, or of another game"):
        other.restore(state)
    other.reset()  # and nothing is broken
    cut = {**state, "atari/emulator": state["atari/emulator"][:100]}
    with pytest.raises(EnvError, match="damaged, or of another game"):
        env.restore(cut)


def continued(file):
    """Fingerprint of 200 steps from a snapshot in a file."""
    env = make_env("atari_breakout", seed=8)
    env.restore(dict(np.load(file)))
    return fingerprint(play(env, 200, obs=env.step(act(NOOP)))[1:])


def test_other_processes_play_the_same_games_and_say_nothing(request, tmp_path):
    env, file = make_env("atari_breakout", seed=5), tmp_path / "state.npz"
    whole = fingerprint(play(env, 150))
    env.reset(), env.step(act(FIRE))
    np.savez(file, **env.snapshot())
    code = (
        f"import sys; sys.path.insert(0, {str(request.path.parent)!r})\n"
        "from test_atari import continued, fingerprint, make_env, play\n"
        "print(fingerprint(play(make_env('atari_breakout', seed=5), 150)))\n"
        f"print(continued({str(file)!r}))\n"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert run.stdout.split() == [whole, continued(file)]


def test_other_seeds_play_other_games():
    # Also without sticky actions, since the number of no-ops differs.
    for task in ("atari_ms_pacman", "atari100k_ms_pacman"):
        found = {fingerprint(play(make_env(task, seed=n), 40)) for n in range(4)}
        assert len(found) == 4


def test_what_leaves_the_protocol_is_said_beside_every_score():
    assert env_facts("atari_pong", {"size": ["96", "96"], "sticky": "true"}) == {}
    assert env_facts("atari100k_pong", {"gray": "false", "noops": "30"}) == {}
    said = env_facts("atari100k_pong", {"sticky": "true", "lives": "reset"})
    assert said == {
        "protocol": "not the published one, env.lives=reset, env.sticky=true"
    }


@pytest.mark.parametrize("suite", ["atari", "atari100k"])
def test_the_package_is_a_requirement(suite):
    (found,) = env_requirements(f"{suite}_pong", {})
    assert found.ok and found.found.startswith("ale-py 0.")
    assert find_spec("ale_py") is not None


@pytest.mark.parametrize(
    "task, settings, words",
    [
        ("atari_poong", {}, ["'poong'", "Did you mean 'pong'?", "zaxxon"]),
        ("atari100k_alein", {}, ["'alein'", "Did you mean 'alien'?"]),
        ("atari_combat", {}, ["combat.bin", "no game for one player"]),
        ("atari_pong", {"lives": "some"}, ["env.lives", "unused, discount, reset"]),
        ("atari100k_pong", {"repeat": 0}, ["env.repeat of 'atari100k'", "at least 1"]),
        ("atari_pong", {"stiky": True}, ["'stiky'", "Did you mean 'sticky'?"]),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(task, settings, words):
    with pytest.raises(EnvError) as error:
        make_env(task, seed=0, **settings)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_folder_without_the_game_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ALE_ROMS_DIR", str(tmp_path))
    with pytest.raises(EnvError, match=r"pong\.bin .* unset ALE_ROMS_DIR"):
        atari.make("pong", seed=0)
    (tmp_path / "pong.bin").write_bytes(b"no game")
    with pytest.raises(EnvError, match=r"pong\.bin .* unset ALE_ROMS_DIR"):
        atari.make("pong", seed=0)


def test_a_missing_package_is_one_line_that_says_what_to_install(monkeypatch):
    def missing(name, *_):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(base.importlib, "import_module", missing)
    with pytest.raises(EnvError, match="pip install .*ale-py"):
        atari.make("pong", seed=0)
