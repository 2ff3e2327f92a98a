"""DMLab's adapter against a fake of the native module; the real one can't be had here.

What the fake accepts and refuses is in `fakes/dmlab/deepmind_lab.py`.
"""

import ast
import importlib
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from dreamerv3_tf.envs import (
    EnvError,
    check_settings,
    dmlab,
    env_settings,
    make_env,
    text,
)
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.envs.dmlab import actions, runtimes
from dreamerv3_tf.envs.dmlab.levels import LEVELS
from dreamerv3_tf.envs.hooks import env_facts, env_requirements

FAKES = pathlib.Path(__file__).resolve().parent / "fakes" / "dmlab"
FORWARD, BACKWARD, RIGHT, FIRE = 0, 1, 7, 14
MAZE = "explore_goal_locations_small"
WORDS = "language_select_described_object"
WAYS = [
    {},
    {"runtime": "dmlab_gym"},
    {"python": sys.executable},
    {"python": sys.executable, "runtime": "dmlab_gym"},
]


@pytest.fixture
def lab(monkeypatch):
    """The fake module, in this process and in every new one."""
    monkeypatch.syspath_prepend(str(FAKES))
    path = os.pathsep.join([str(FAKES), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    module = importlib.import_module("deepmind_lab")
    yield module
    assert module.Lab.alive == 0, "a test left an engine behind"
    for name in ("deepmind_lab", "dmlab_gym"):
        sys.modules.pop(name, None)


@pytest.fixture
def make(lab):
    """Makes environments and closes them."""
    assert lab.Lab.alive == 0
    made = []

    def make(level=MAZE, seed=0, **settings):
        made.append(make_env(f"dmlab_{level}", seed=seed, **settings))
        return made[-1]

    yield make
    for env in made:
        env.close()


def act(number):
    return {"action": np.int32(number)}


def numbers(obs):
    """What the fake writes into its picture, by name."""
    names = ["episode", "frame", "seed", "distance", "angle", "mixer"]
    return dict(zip(names, obs["image"][0, :2].reshape(-1).tolist(), strict=True))


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_opened_as_the_engine_wants_it(lab, make, level):
    env = make(level)
    said = lab.made[-1]
    spoken = level.startswith("language_")
    trained = level.replace("_test", "_train")
    assert said["level"] == f"contributed/dmlab30/{trained}"
    assert said["names"] == ["RGB_INTERLEAVED", *(["INSTR"] if spoken else [])]
    assert said["config"] == {"width": "64", "height": "64", "logLevel": "WARN"}
    assert said["renderer"] == "software"
    assert ("instr" in env.obs_space) == spoken
    assert env.obs_space["image"].shape == (64, 64, 3)
    assert env.act_space["action"].classes == (15,)


def test_there_are_thirty_levels():
    assert len(set(LEVELS)) == 30
    assert sum(level.startswith("language_") for level in LEVELS) == 4


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", [MAZE, WORDS])
def test_the_contract_holds(make, level, way):
    assert find_problems(make(level, **way), steps=40) == []


@pytest.mark.parametrize(
    "level, played",
    [
        ("rooms_collect_good_objects_test", "rooms_collect_good_objects_test"),
        ("rooms_collect_good_objects_train", "rooms_collect_good_objects_train"),
        (MAZE, MAZE),
    ],
)
def test_evaluation_plays_what_training_holds_out(lab, make, level, played):
    make(level, evaluation=True)
    said = lab.made[-1]
    assert said["level"] == f"contributed/dmlab30/{played}"
    assert said["config"]["allowHoldOutLevels"] == "true"
    # 0x600D5EED = 0x600D · 65536 + 0x5EED = 24589 · 65536 + 24301
    assert said["config"]["mixerSeed"] == "1611489005"
    assert 24589 * 65536 + 24301 == 1611489005


def test_evaluation_plays_the_levels_of_training_on_request(lab, make):
    make("rooms_collect_good_objects_test", evaluation=True, held_out=False)
    said = lab.made[-1]
    assert said["level"].endswith("rooms_collect_good_objects_train")
    assert "mixerSeed" not in said["config"]


def test_only_suites_that_ask_are_told_of_evaluation():
    assert "evaluation" not in env_settings("dmlab")
    with pytest.raises(EnvError, match="no key 'evaluation'"):
        check_settings("dmlab", {"evaluation": True})
    make_env("dummy_disc", seed=0, evaluation=True).close()  # it does not ask


@pytest.mark.parametrize("evaluation", [False, True])
def test_the_program_tells_which_environments_are_for_evaluation(lab, evaluation):
    from dreamerv3_tf import presets
    from dreamerv3_tf.run.build import build_envs

    words = ["run.parallel=none", "run.envs=1", "run.eval_envs=1"]
    asked = presets.load("dmlab_rooms_collect_good_objects_test", ["debug"], words)
    envs = build_envs(asked, evaluation=evaluation)
    assert lab.made[-1]["level"].endswith("_test" if evaluation else "_train")
    envs.close()


def test_an_action_lasts_four_frames_and_rewards_are_added(make):
    env = make()
    env.reset()
    # Distances 4, 8, 12: the 10 that pays 1 is passed in the third step.
    rewards = [float(env.step(act(FORWARD))["reward"]) for _ in range(3)]
    assert rewards == [0, 0, 1]
    obs = env.step(act(RIGHT))  # 4 · 60 = 240
    assert (numbers(obs)["distance"], numbers(obs)["angle"]) == (12, 240)
    assert float(env.step(act(FIRE))["reward"]) == 4 * 0.25
    obs = env.step(act(BACKWARD))  # 12 - 4
    assert (numbers(obs)["distance"], numbers(obs)["frame"]) == (8, 24)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("episodic", [True, False])
def test_the_end_repeats_the_last_picture(make, way, episodic):
    env = make(episodic=episodic, **way)
    env.reset()
    trace = [env.step(act(FIRE)) for _ in range(13)]
    # 50 frames: twelve steps of 4, and one of 2 with the reward of 2 frames.
    assert [bool(obs["is_last"]) for obs in trace] == [False] * 12 + [True]
    assert float(trace[-1]["reward"]) == 2 * 0.25
    assert bool(trace[-1]["is_terminal"]) == episodic
    np.testing.assert_array_equal(trace[-1]["image"], trace[-2]["image"])
    assert numbers(env.reset())["frame"] == 0


def play(env, steps=40, seed=5):
    rng, trace = np.random.default_rng(seed), [env.reset()]
    for _ in range(steps):
        action = act(rng.integers(15))
        trace.append(env.reset() if trace[-1]["is_last"] else env.step(action))
    env.close()
    return trace


@pytest.mark.parametrize("way", WAYS[1:])
def test_every_runtime_plays_the_same_episodes(make, way):
    settings = {"size": [48, 72]}
    one, other = play(make(WORDS, **settings)), play(make(WORDS, **settings, **way))
    for left, right in zip(one, other, strict=True):
        assert set(left) == set(right)
        for key in left:
            np.testing.assert_array_equal(left[key], right[key], key)
    assert one[0]["image"].shape == (48, 72, 3)


def test_episodes_have_seeds_of_their_own_that_the_seed_determines(make):
    def seeds(seed):
        env = make(seed=seed)
        found = [numbers(env.reset())["seed"] for _ in range(12)]
        env.close()
        return found

    assert seeds(1) == seeds(1) != seeds(2)
    assert len(set(seeds(1))) > 6


def test_instructions_are_embedded_as_they_change(lab, make):
    env = make(WORDS)
    trace = [env.reset()] + [env.step(act(FIRE)) for _ in range(12)]
    # The fake says another sentence after 20 frames and after 40, that is, 5 and 10
    # steps; the first of them depends on the seed.
    order = [[i % 3, (i + 1) % 3, (i + 2) % 3] for i in range(3)]
    vectors = [text.embed(words) for words in lab.WORDS]
    found = [
        next(n for n, v in enumerate(vectors) if np.array_equal(v, obs["instr"]))
        for obs in trace
    ]
    assert [found[0], found[5], found[10]] in order
    assert found[0] == found[4] and found[5] == found[9] and found[10] == found[12]


def test_the_sets_of_actions_are_those_of_the_papers(make):
    popart, impala = actions.table("popart"), actions.table("impala")
    assert popart.shape == (15, 7) and impala.shape == (9, 7)
    assert popart.dtype == impala.dtype == np.intc
    for table, turns in ((popart, {0, 10, -10, 60, -60}), (impala, {0, 20, -20})):
        assert len({tuple(row) for row in table}) == len(table)
        assert set(table[:, 0].tolist()) == turns
        assert table[:, 4].sum() == 1  # one action fires, and none jumps or crouches
        assert not table[:, 5:].any()
    assert set(popart[:, 1].tolist()) == {0, 10, -10}
    env = make(actions="impala")
    assert env.act_space["action"].classes == (9,)
    env.reset()
    assert numbers(env.step(act(5)))["angle"] == 4 * 20  # to the right


def test_a_process_has_one_engine_at_a_time(make):
    first = make()
    with pytest.raises(EnvError, match="only once in a process.*run.parallel=process"):
        make()
    first.close()
    first.close()  # twice is fine
    make().reset()


def test_engines_of_other_interpreters_run_side_by_side(make):
    envs = [make(python=sys.executable, seed=seed) for seed in (0, 1)]
    assert [numbers(env.reset())["frame"] for env in envs] == [0, 0]


@pytest.mark.parametrize("way", [{}, {"python": sys.executable}])
def test_an_engine_that_refuses_to_start_says_why_in_one_line(
    make, lab, monkeypatch, way
):
    monkeypatch.setenv("FAKE_DMLAB_LEVELS", "elsewhere/")
    monkeypatch.setattr(lab, "LEVELS", "elsewhere/")
    with pytest.raises(
        EnvError, match="Failed to init environment.*docs/dmlab.md"
    ) as e:
        make(**way)
    assert "\n" not in str(e.value)
    monkeypatch.undo()


@pytest.mark.parametrize("way", [{}, {"python": sys.executable}])
@pytest.mark.parametrize(
    "runtime, package", [("native", "deepmind_lab"), ("dmlab_gym", "dmlab_gym")]
)
def test_what_is_missing_is_one_line_that_says_what_to_do(way, runtime, package):
    with pytest.raises(EnvError, match=f"'{package}'.*env.python") as error:
        make_env(f"dmlab_{MAZE}", seed=0, runtime=runtime, **way)
    assert "\n" not in str(error.value)
    # Nothing stays locked behind an engine that never was.
    assert runtimes.Local.alone.acquire(blocking=False)
    runtimes.Local.alone.release()


def test_a_package_that_pip_has_is_not_to_be_built():
    assert "-m pip install dm_env" in runtimes.absent("dm_env", "'python'")
    assert "build" not in runtimes.absent("dm_env", "'python'")


@pytest.mark.parametrize(
    "level, settings, words",
    [
        ("rooms_watermaz", {}, ["Did you mean 'rooms_watermaze'?", "natlab_fixed"]),
        ("watermaze", {}, ["no level 'watermaze'"]),
        (MAZE, {"runtime": "gym"}, ["env.runtime", "native, dmlab_gym"]),
        (MAZE, {"actions": "all"}, ["env.actions", "popart, impala"]),
        (MAZE, {"runtime": "dmlab_gym", "cache": "x"}, ["env.cache", "native"]),
        (MAZE, {"python": "/no/python"}, ["env.python is '/no/python'", "DMLab"]),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(level, settings, words):
    with pytest.raises(EnvError) as error:
        make_env(f"dmlab_{level}", seed=0, **settings)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


@pytest.mark.usefixtures("lab")
def test_an_interpreter_that_dies_is_told():
    env = dmlab.make(MAZE, seed=0, python=sys.executable)
    env.reset()
    os.kill(env.runtime.worker.process.pid, signal.SIGKILL)
    with pytest.raises(EnvError, match="killed by SIGKILL"):
        env.step(act(0))
    env.close()


@pytest.mark.usefixtures("lab")
def test_an_engine_that_breaks_in_another_interpreter_is_told_with_its_words():
    env = dmlab.make(MAZE, seed=0, python=sys.executable)
    env.reset()
    process = env.runtime.worker.process
    env.controls = env.controls[:, :3]  # which the engine refuses
    with pytest.raises(EnvError, match=r"(?s)must have shape \(7\).*Traceback"):
        env.step(act(0))
    assert process.poll() is not None


@pytest.mark.usefixtures("lab")
def test_closing_ends_the_other_interpreter():
    env = dmlab.make(MAZE, seed=0, python=sys.executable)
    env.reset()
    process = env.runtime.worker.process
    env.close()
    assert process.poll() is not None


@pytest.mark.parametrize("way", [{}, {"python": sys.executable}])
def test_compiled_maps_are_kept_and_used_again(make, tmp_path, way):
    folder = tmp_path / "maps"
    env = make(cache=str(folder), **way)
    env.reset(), env.reset()
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 2 and all(name.startswith("map_") for name in names)
    env.close()
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    make(cache=str(folder), **way).reset()  # the same seed, so the same first map
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == written


def test_scores_are_told_apart():
    assert env_facts("dmlab_x", {})["runtime"] == "native"
    assert "held-out" in env_facts("dmlab_x", {})["evaluation"]
    assert "training" in env_facts("dmlab_x", {"held_out": False})["evaluation"]


def test_requirements_name_what_is_missing():
    found = {f.name: f for f in env_requirements("dmlab_x", {})}
    assert (
        found["interpreter"].ok
        and "env.python is not set" in found["interpreter"].found
    )
    assert not found["deepmind_lab"].ok and found["deepmind_lab"].needed
    assert "env.python" in found["deepmind_lab"].advice
    assert "dmlab_gym" not in found
    found = env_requirements("dmlab_x", {"python": "/no/python"})
    assert not found[0].ok and "can't be run" in found[0].found


@pytest.mark.usefixtures("lab")
def test_requirements_look_into_the_interpreter_that_is_set():
    settings = {"python": sys.executable, "runtime": "dmlab_gym"}
    found = {f.name: f for f in env_requirements("dmlab_x", settings)}
    assert found["deepmind_lab"].ok and found["dmlab_gym"].ok
    # NumPy 2 is only worth knowing: the engine of dmlab_gym lives with it.
    assert found["numpy"].ok == (int(np.__version__[0]) < 2)
    assert not found["numpy"].needed


def test_the_engine_is_written_for_old_interpreters_and_stands_alone():
    tree = ast.parse(runtimes.GAME.read_text(), feature_version=(3, 7))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    roots = {getattr(n, "module", None) or n.names[0].name for n in names}
    roots = {root.partition(".")[0] for root in roots}
    packages = {"numpy", "deepmind_lab", "dmlab_gym"}
    assert roots - set(sys.stdlib_module_names) == packages


def test_people_see_the_picture(make):
    env = make()
    with pytest.raises(EnvError, match="no picture before"):
        env.render()
    np.testing.assert_array_equal(env.reset()["image"], env.render())


def test_the_fake_is_as_strict_as_the_real_one(lab):
    """Else the tests above would show nothing."""
    for wrong in ([], {"width": 64}):
        with pytest.raises(TypeError):
            lab.Lab("contributed/dmlab30/x", ["INSTR"], config=wrong)
    one = lab.Lab("contributed/dmlab30/x", ["INSTR"])
    with pytest.raises(RuntimeError, match="connect"):
        lab.Lab("contributed/dmlab30/x", [])
    with pytest.raises(RuntimeError, match="wrong status"):
        one.observations()
    with pytest.raises(ValueError, match="seed"):
        one.reset(seed=np.int64(3))
    one.reset(seed=3)
    for wrong in (np.zeros(7, np.int64), np.zeros(6, np.intc)):
        with pytest.raises(ValueError):
            one.step(wrong)
    one.step(np.zeros(7, np.intc), num_steps=50)
    with pytest.raises(RuntimeError, match="wrong status"):
        one.observations()
    one.close()
    assert subprocess.run([sys.executable, "-c", "import deepmind_lab"]).returncode == 0
