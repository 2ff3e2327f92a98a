"""From Python: train, load, act, evaluate and imagine, with nothing left behind."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import gymnasium
import numpy as np
import psutil
import pytest
import tensorflow as tf
from gymnasium import spaces

import dreamerv3_tf
from dreamerv3_tf import api, main
from dreamerv3_tf.api.dreamer import Carry
from dreamerv3_tf.envs import given
from dreamerv3_tf.values import ConfigError

SETTINGS = {
    "compute.device": "cpu",
    "compute.xla": "off",
    "compute.deterministic": False,  # it would hold for all tests that come after
    "agent.actor.outscale": 1.0,  # so that actions depend on observations
    "log.outputs": [],
    "run.prefill": 9000,  # it ends before it trains
    "run.parallel": "none",
}
LEARN = SETTINGS | {
    "run.prefill": 8,
    "replay.batch_size": 2,
    "replay.batch_length": 6,
    "log.video": False,
}


class Point(gymnasium.Env):
    """Nested observations and actions, with bounds and starts of their own."""

    observation_space = spaces.Dict(
        {
            "place": spaces.Box(-5, 5, (2,), np.float64),
            "more": spaces.Tuple((spaces.Discrete(4, start=1), spaces.MultiBinary(2))),
        }
    )
    action_space = spaces.Dict(
        {
            "push": spaces.Box(np.array([0, -4]), np.array([30, 4]), dtype=np.float64),
            "gear": spaces.Discrete(3, start=5),
        }
    )

    def reset(self, *, seed=None, options=None):
        del options
        super().reset(seed=seed)
        self.count = 0
        return self._see(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.count += 1
        return self._see(), float(action["gear"]), False, self.count >= 4, {}

    def _see(self):
        place = self.np_random.uniform(-5, 5, 2)
        return {"place": place, "more": (1 + self.count % 4, np.array([0, 1], np.int8))}


class Masked(gymnasium.Env):
    """Bare observation and action; the info says which actions are allowed."""

    observation_space = spaces.Box(-1, 1, (3,), np.float32)
    action_space = spaces.Discrete(4)

    def reset(self, *, seed=None, options=None):
        del options
        super().reset(seed=seed)
        return np.zeros(3, np.float32), {"action_mask": np.array([0, 0, 1, 0], np.int8)}

    def step(self, action):
        assert action == 2
        obs, info = self.reset()
        return obs, 1.0, False, False, info


def train(env_fn, *, steps=8, settings=(), **more):
    chosen = SETTINGS | dict(settings)
    return dreamerv3_tf.train(
        env_fn, steps=steps, preset="debug", settings=chosen, **more
    )


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory):
    """An agent that has acted in `Point` and learned nothing."""
    return train(lambda: Point(), logdir=tmp_path_factory.mktemp("point") / "run")


@pytest.fixture(scope="module")
def dummy(tmp_path_factory):
    """One that was made for a task, by its name."""
    return train("dummy_mixed", logdir=tmp_path_factory.mktemp("dummy") / "run")


def observations(count, seed=0):
    env = Point()
    found = [env.reset(seed=seed)[0]]
    while len(found) < count:
        found.append(env.step({"push": np.array([1.0, 0.0]), "gear": 5})[0])
    return found


def batch(rows):
    return {
        "place": np.stack([row["place"] for row in rows]),
        "more": tuple(np.stack([row["more"][i] for row in rows]) for i in range(2)),
    }


def assert_same(left, right):
    tf.nest.assert_same_structure(left, right)
    for one, other in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
        np.testing.assert_array_equal(one, other)


def refusal(function, *arguments, **more):
    with pytest.raises(ConfigError) as error:
        function(*arguments, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# The package


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, dreamerv3_tf\n"
        "light = len([x for x in sys.modules if x.startswith('dreamerv3_tf')])\n"
        "print(light, sorted(set(dreamerv3_tf.PUBLIC) - set(dir(dreamerv3_tf))))\n"
        "dreamerv3_tf.train, dreamerv3_tf.load, dreamerv3_tf.make_env\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["1 []", "False False"], done.stderr


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="trian"):
        _ = dreamerv3_tf.trian


# Acting


def test_an_action_is_one_of_the_environment(dreamer):
    action, carry = dreamer.act(observations(1)[0])
    assert Point.action_space.contains(action)
    assert type(action["gear"]) is int and action["push"].dtype == np.float64
    assert repr(carry) == "<Carry of 1 environments, step 1>"


def test_actions_reach_the_bounds_of_the_environment(dreamer):
    # The agent's 1 is 30 and 4, its -1 is 0 and -4, its 0.5 is 22.5 and 2.
    flat = {
        "push": np.array([[1, 1], [-1, -7], [0.5, 0.5]], np.float32),
        "gear": np.array([0, 1, 2], np.int32),
    }
    dreamer.conventions.observe(observations(1)[0])
    action = dreamer.conventions.act(flat, single=False)
    np.testing.assert_allclose(action["push"], [[30, 4], [0, -4], [22.5, 2]])
    np.testing.assert_array_equal(action["gear"], [5, 6, 7])
    back = dreamer.conventions.read_actions(action)
    np.testing.assert_allclose(back["push"], [[1, 1], [-1, -1], [0.5, 0.5]])
    np.testing.assert_array_equal(back["gear"], flat["gear"])


def test_acting_is_what_the_agent_does(dreamer):
    state, carry = dreamer.agent.initial_policy(1), None
    for index, row in enumerate(observations(3)):
        obs = {
            "place": row["place"][None].astype(np.float32),
            "more_0": np.array([row["more"][0] - 1], np.int32),
            "more_1": row["more"][1][None].astype(np.int32),
            "is_first": np.array([not index]),
        }
        flat, _, state = dreamer.agent.policy(state, obs, [7, index], "sample")
        action, carry = dreamer.act(row, carry, seed=7)
        push = np.clip(flat["push"][0].numpy().astype(np.float64), -1, 1)
        want = (push + 1) / 2 * [30, 8] + [0, -4]
        np.testing.assert_allclose(action["push"], want, rtol=1e-6, atol=1e-6)
        assert action["gear"] == int(flat["gear"][0]) + 5


def test_a_batch_of_observations_gets_a_batch_of_actions(dreamer):
    rows = observations(4)
    action, carry = dreamer.act(batch(rows), seed=3)
    assert action["push"].shape == (4, 2) and action["gear"].shape == (4,)
    again, _ = dreamer.act(batch(rows[::-1]), carry)
    assert again["push"].shape == (4, 2)
    # As the second step of the other rows begins with the same carry, so does a copy.
    same, _ = dreamer.act(batch(rows[::-1]), carry)
    assert_same(again, same)


def test_every_carry_samples_by_itself_and_a_seed_repeats_it(dreamer):
    row = observations(1)[0]
    pushes = {tuple(dreamer.act(row)[0]["push"]) for _ in range(8)}
    assert len(pushes) > 4
    pushes = {tuple(dreamer.act(row, seed=5)[0]["push"]) for _ in range(4)}
    assert len(pushes) == 1


def test_an_episode_starts_where_is_first_says_so(dreamer):
    rows = observations(3)
    pair, later = batch(rows[:2]), batch([rows[2], rows[2]])
    _, carry = dreamer.act(pair, seed=1)
    forgot = Carry(dreamer.agent.initial_policy(2), carry.seed, carry.step)
    fresh, _ = dreamer.act(later, forgot, is_first=True)
    mixed, _ = dreamer.act(later, carry, is_first=[True, False])
    kept, _ = dreamer.act(later, carry)
    np.testing.assert_array_equal(mixed["push"][0], fresh["push"][0])
    np.testing.assert_array_equal(mixed["push"][1], kept["push"][1])
    assert not np.array_equal(kept["push"][0], fresh["push"][0])


def test_the_flags_of_an_observation_of_ours_count(dummy):
    env = dreamerv3_tf.make_env("dummy_mixed", seed=0)
    first = env.reset()
    action, carry = dummy.act(first, seed=2)
    assert set(action) == set(env.act_space)
    second = env.step(action)
    ongoing, _ = dummy.act(second, carry)
    restart, _ = dummy.act({**second, "is_first": np.array(True)}, carry)
    told, _ = dummy.act(second, carry, is_first=True)
    assert_same(restart, told)
    assert not np.array_equal(ongoing["act_cont"], restart["act_cont"])


def test_masks_in_the_info_are_respected():
    dreamer = train(lambda: Masked(), settings={"env.mask": "info"})
    obs, info = Masked().reset()
    assert {dreamer.act(obs, info=info)[0] for _ in range(10)} == {2}
    masks = {"action_mask": np.array([[0, 0, 0, 1], [1, 0, 0, 0]])}
    action, _ = dreamer.act(np.stack([obs, obs]), info=masks)
    np.testing.assert_array_equal(action, [3, 0])
    assert "action_mask" in refusal(dreamer.act, obs)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"place": np.zeros(3)}, ["'place' has shape (3,)", "expected (2,)"]),
        ({"place": np.array([np.nan, 0])}, ["'place'", "NaN"]),
        ({"place": np.zeros((2, 2))}, ["differ in their number"]),
        ({"more": (9, np.zeros(2))}, ["'more_0'", "range"]),
        ({"more": (1,)}, ["without the entry 'more' -> 1"]),
    ],
)
def test_a_bad_observation_is_refused_in_one_line(dreamer, change, words):
    text = refusal(dreamer.act, {**observations(1)[0], **change})
    assert all(word in text for word in words), text


def test_a_bad_call_is_refused_in_one_line(dreamer):
    row = observations(1)[0]
    _, carry = dreamer.act(row)
    assert "of 1 environments" in refusal(dreamer.act, batch([row] * 2), carry)
    assert "'mean'" in refusal(dreamer.act, row, mode="mean")
    assert "without the entry 'more'" in refusal(dreamer.act, {"x": 1})
    assert "episodes is 0" in refusal(dreamer.evaluate, episodes=0)
    assert "other spaces" in refusal(dreamer.evaluate, "dummy_disc", episodes=1)


# Training and loading


def test_a_run_goes_on_and_is_loaded_as_it_was_left(dreamer, tmp_path):
    folder = shutil.copytree(dreamer.logdir, tmp_path / "run")

    def other_name():
        return Point()

    longer = train(other_name, steps=12, logdir=folder)
    assert (dreamer.steps, longer.steps) == (8, 12)
    np.random.seed(3)
    loaded = dreamerv3_tf.load(folder)  # the function is known in this process
    assert np.random.random() == np.random.RandomState(3).random_sample()
    row = observations(1)[0]
    assert_same(loaded.act(row, seed=4)[0], longer.act(row, seed=4)[0])
    text = refusal(train, other_name, logdir=folder, seed=1)
    assert "seed: 0 -> 1" in text


def test_a_function_that_is_gone_has_to_be_given(dreamer, monkeypatch):
    monkeypatch.setattr(given, "FUNCTIONS", {})
    text = refusal(dreamerv3_tf.load, dreamer.logdir)
    assert "'lambda'" in text and "env_fn" in text
    loaded = dreamerv3_tf.load(dreamer.logdir, lambda: Point())
    assert Point.action_space.contains(loaded.act(observations(1)[0])[0])


def test_a_temporary_run_ends_with_its_agent(tmp_path):
    dreamer = train(lambda: Point())
    folder, kept = dreamer.logdir, dreamer.save(tmp_path / "kept")
    assert (folder / "config.yaml").exists()
    del dreamer
    gc.collect()
    assert not folder.exists()
    assert dreamerv3_tf.load(kept).steps == 8


def test_an_interrupt_saves_and_is_passed_on(tmp_path):
    signals = [signal.SIGINT]

    class Interrupting(Point):
        def step(self, action):
            if signals:
                signal.raise_signal(signals.pop())
            return super().step(action)

    # Where tests run in the background, the signal may be ignored from the start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(lambda: Interrupting(), steps=1000, logdir=tmp_path)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert dreamerv3_tf.load(tmp_path).steps < 1000


def test_outside_of_the_main_thread_no_signal_is_touched():
    found = []
    thread = threading.Thread(target=lambda: found.append(train(lambda: Point())))
    thread.start()
    thread.join()
    assert found[0].steps == 8


def test_what_a_run_says_is_what_the_command_line_says(tmp_path, capsys):
    train(lambda: Point(), logdir=tmp_path, settings={"log.outputs": ["terminal"]})
    out = capsys.readouterr().out
    assert "Training on CPU" in out and f"Saved at 8 frames in {tmp_path}" in out


@pytest.mark.parametrize(
    "arguments, more, words",
    [
        ([], {}, ["env_fn is missing", "dmc_walker_walk"]),
        ([Point()], {}, ["env_fn is a Point", "lambda"]),
        ([lambda: 3], {}, ["int is no environment"]),
        (["dumy_disc"], {}, ["no suite 'dumy'", "'dummy'"]),
        (["dummy_disc"], {"settings": {"run.env": 3}}, ["no key 'env' in 'run'"]),
        (["dummy_disc"], {"settings": ["run.envs"]}, ["'run.envs'", "key=value"]),
        (["dummy_disc"], {"preset": "quik"}, ["no preset 'quik'", "'quick'"]),
        (["dummy_disc"], {"steps": 0}, ["run.steps"]),
    ],
)
def test_bad_arguments_are_refused_as_on_the_command_line(arguments, more, words):
    more = {"preset": ["debug"], "settings": SETTINGS, **more}
    text = refusal(dreamerv3_tf.train, *arguments, **more)
    assert all(word in text for word in words), text


def test_a_refused_training_leaves_no_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(api.tempfile, "tempdir", str(tmp_path))
    refusal(train, lambda: 3)
    assert not list(tmp_path.iterdir())


def test_a_process_of_an_environment_does_not_train(monkeypatch):
    process = api.multiprocessing.current_process()
    monkeypatch.setattr(process, "_name", "Environment 0 (dummy_disc)")
    assert "__main__" in refusal(train, "dummy_disc")


def leftovers():
    """Processes, threads and open files of this process; Python's own tracker aside."""
    here = psutil.Process()
    children = [
        child.pid
        for child in here.children(recursive=True)
        if "resource_tracker" not in " ".join(child.cmdline())
    ]
    return children, threading.enumerate(), sorted(x.path for x in here.open_files())


@pytest.mark.parametrize(
    "settings", [{}, pytest.param(LEARN, marks=pytest.mark.slow, id="learning")]
)
def test_processes_leave_nothing_behind(settings, tmp_path):
    from gymnasium.envs.classic_control import CartPoleEnv  # other processes find it

    gc.collect()
    before = leftovers()
    changes = {**settings, "run.parallel": "process", "env.length": 10}
    dreamer = train(CartPoleEnv, steps=30, settings=changes, logdir=tmp_path)
    assert leftovers() == before
    assert bool(dreamer.session.progress.updates) == bool(settings)
    result = dreamer.evaluate(episodes=2)
    assert leftovers() == before
    assert result.lengths.max() <= 11 and result.metrics["episodes"] == 2
    action, _ = dreamer.act(np.zeros(4, np.float32))
    assert action in (0, 1) and type(action) is int
    # Whoever has the module can go on with it: the task is its address.
    assert dreamerv3_tf.load(tmp_path).config.task.endswith("cartpole:CartPoleEnv")


def test_an_environment_that_fails_leaves_nothing_behind():
    class Failing(Point):
        def step(self, action):
            raise ZeroDivisionError(f"no ground below {action}")

    gc.collect()
    before = leftovers()
    with pytest.raises(Exception, match="no ground"):
        train(lambda: Failing())
    gc.collect()  # the traceback held some
    assert leftovers() == before


# Evaluating


def test_evaluating_is_what_the_command_line_does(dummy):
    result = dummy.evaluate(episodes=3)
    arguments = ["--mode", "eval", "--logdir", str(dummy.logdir), "eval.episodes=3"]
    assert main.main(["dreamerv3", *arguments]) == 0
    (path,) = (dummy.logdir / "eval").glob("*.json")
    saved = json.loads(path.read_text())
    assert saved["scores"] == result.scores.tolist()
    assert saved["score_iqm"] == result.metrics["score_iqm"]


def test_another_environment_of_the_same_kind_may_be_given(dreamer):
    class Rich(Point):
        def step(self, action):
            obs, reward, *more = super().step(action)
            return obs, reward + 100, *more

    poor = dreamer.evaluate(episodes=2, mode="mode").scores
    rich = dreamer.evaluate(lambda: Rich(), episodes=2, mode="mode").scores
    assert (poor < 4 * 8).all() and (rich > 4 * 100).all()
    again = dreamer.evaluate(episodes=2, mode="mode").scores
    np.testing.assert_array_equal(again, poor)


def test_other_seeds_give_other_episodes(dummy):
    scores = [dummy.evaluate(episodes=2, seed=seed).scores for seed in (5, 5, 6)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


# Imagining


def test_imagination_has_the_units_of_the_environment(dummy):
    env = dreamerv3_tf.make_env("dummy_mixed", seed=0)
    found = dummy.imagine(env.reset(), length=5)
    for key, space in env.obs_space.items():
        if key in dummy.agent.model.inputs:
            value = found.observations[key]
            assert value.shape == (5, *space.shape) and value.dtype == space.dtype
            assert space.problem(value[0]) is None or not space.discrete
    assert found.observations["image"].dtype == np.uint8
    assert (found.continues >= 0).all() and (found.continues <= 1).all()
    for value in (found.rewards, found.values, found.continues):
        assert value.shape == (5,) and value.dtype == np.float32


def test_the_policy_imagines_actions_of_the_environment(dreamer):
    found = dreamer.imagine(observations(1)[0])
    assert found.actions["gear"].shape == (3,)  # agent.imag_length of debug
    for push, gear in zip(found.actions["push"], found.actions["gear"], strict=True):
        assert Point.action_space.contains({"push": push, "gear": int(gear)})
    other = dreamer.imagine(observations(1)[0], seed=1)
    assert not np.array_equal(other.actions["push"], found.actions["push"])
    likely = [dreamer.imagine(observations(1)[0], mode="mode", seed=s) for s in (0, 1)]
    assert_same(likely[0], likely[1])


def test_given_actions_are_followed_and_only_the_past_counts(dreamer):
    start, push = observations(1)[0], np.array([[30, 4], [0, -4], [15, 0.0]])
    actions = [{"push": row, "gear": 5 + i} for i, row in enumerate(push)]
    found = dreamer.imagine(start, actions, mode="mode")
    np.testing.assert_allclose(found.actions["push"], push)
    stacked = {"push": push, "gear": np.array([5, 6, 7])}
    assert_same(found, dreamer.imagine(start, stacked, mode="mode"))
    shorter = dreamer.imagine(start, actions[:2], mode="mode")
    np.testing.assert_allclose(found.values[:2], shorter.values, rtol=1e-5)
    changed = [actions[0], {"push": push[0], "gear": 7}, actions[2]]
    other = dreamer.imagine(start, changed, mode="mode")
    place, there = (x.observations["place"] for x in (found, other))
    np.testing.assert_allclose(place[0], there[0], rtol=1e-5)
    assert not np.allclose(place[1], there[1], rtol=1e-4)


def test_a_context_is_observed_before_imagination_begins(dreamer):
    # By hand: two posterior steps, then one prior step, all most likely.
    rows, agent = observations(2), dreamer.agent
    actions = [{"push": np.array([20.0, 1.0]), "gear": g} for g in (6, 7)]
    found = dreamer.imagine(rows, actions, mode="mode")
    assert found.rewards.shape == (1,)
    obs, _ = dreamer.conventions.observe(batch(rows))
    flat = dreamer.conventions.read_actions(actions)
    model = agent.model
    tokens, latent = model.tokens(obs), model.rssm.initial(1)
    before = model.encode_action({k: np.zeros_like(x[:1]) for k, x in flat.items()})
    for index in range(2):
        latent, _ = model.rssm.observe_step(
            latent, tokens[index : index + 1], before, np.array([index == 0]), None
        )
        before = model.encode_action({k: x[index : index + 1] for k, x in flat.items()})
    last, _ = model.rssm.imagine(
        latent, lambda _, given: (given, ()), ((), before[None]), (), 1
    )
    place = model.decoder.vector_means(last)["place"].numpy()
    want = np.sign(place) * np.expm1(np.abs(place))  # symexp
    np.testing.assert_allclose(found.observations["place"], want, rtol=1e-4)
    feat = tf.concat([last.deter, tf.reshape(last.stoch, (1, -1))], -1)
    going_on = np.minimum(tf.sigmoid(model.cont(feat)) / model.discount, 1)
    np.testing.assert_allclose(found.continues, going_on, rtol=1e-4)
    stacked = dreamer.imagine(batch(rows), actions, mode="mode")
    assert_same(found, stacked)


def test_numbers_that_do_not_fit_are_refused(dreamer):
    rows, action = observations(3), {"push": np.array([1.0, 1.0]), "gear": 5}
    assert "2 actions between" in refusal(dreamer.imagine, rows, [action])
    assert "length" in refusal(dreamer.imagine, rows[0], [action], length=3)
    assert "length is 0" in refusal(dreamer.imagine, rows[0], length=0)
    bad = {"push": np.array([1.0, 1.0]), "gear": 9}
    assert "'gear'" in refusal(dreamer.imagine, rows[0], [bad])
    assert "'push'" in refusal(dreamer.imagine, rows[0], [{"gear": 5}])


# Exporting


@pytest.mark.slow
def test_an_exported_policy_acts_alike(dummy, tmp_path):
    folder = dummy.export(tmp_path / "policy")
    env = dreamerv3_tf.make_env("dummy_mixed", seed=0)
    obs = env.reset()
    policy = tf.saved_model.load(folder)
    carry = policy.initial(1)
    rows = {key: obs[key][None] for key in dummy.agent.model.inputs}
    action, _ = policy.step_mode(carry, rows, [True])
    seed = int(carry["seed"][0, 0])
    mine, _ = dummy.act(obs, seed=seed, mode="mode")
    np.testing.assert_allclose(
        np.clip(action["act_cont"][0], -1, 1), mine["act_cont"], rtol=1e-6
    )
    assert int(action["act_disc"][0]) == mine["act_disc"]


def run_script(text, folder, root):
    """Runs a script as users do; returns the finished process."""
    script = folder / "script.py"
    script.write_text(text)
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(root)),
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.slow
def test_every_example_of_the_documentation_runs(root, tmp_path):
    pytest.importorskip("tf_agents", reason="the last examples need Python 3.11")
    parts = (root / "docs" / "python.md").read_text().split("```")[1::2]
    assert all(part.startswith("python\n") for part in parts)
    blocks = [part.removeprefix("python\n") for part in parts]
    guarded = [block for block in blocks if "__main__" in block]
    assert len(guarded) == 1 and len(blocks) >= 8
    together = "\n".join(block for block in blocks if block not in guarded)
    for text in (together, *guarded):
        done = run_script(text, tmp_path, root)
        assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "pendulum" / "config.yaml").exists()


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so(root, tmp_path):
    settings = SETTINGS | {"run.parallel": "process"}
    call = f"train('dummy_disc', steps=8, preset='debug', settings={settings})"
    done = run_script(f"import dreamerv3_tf\ndreamerv3_tf.{call}\n", tmp_path, root)
    assert done.returncode and "imports your script" in done.stderr, done.stderr
