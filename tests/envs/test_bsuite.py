"""BSuite: all experiments, its log to the last digit, and what outlives a process."""

import gzip
import importlib

import numpy as np
import pytest

from dreamerv3_tf import envs
from dreamerv3_tf.envs.contract import find_problems
from dreamerv3_tf.envs.wrapper import give_progress, take_progress

pytest.importorskip("bsuite", reason="the suite is the package bsuite")

from bsuite import sweep  # noqa: E402
from bsuite.logging import csv_logging  # noqa: E402
from bsuite.utils import datasets  # noqa: E402

from dreamerv3_tf.envs import bsuite as suite  # noqa: E402

EXPERIMENTS = tuple(dict.fromkeys(x.partition("/")[0] for x in sweep.SWEEP))
KINDS = ("catch_noise", "memory_size", "cartpole_swingup", "deep_sea_stochastic")


def idx(values):
    """Bytes of the format IDX: two zeros, type 8, rank, sizes as big-endian, values."""
    head = bytes([0, 0, 8, values.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return head + sizes + values.tobytes()


@pytest.fixture(scope="session")
def mnist(tmp_path_factory):
    """A folder with all four files, of twelve random images."""
    folder, rng = tmp_path_factory.mktemp("mnist"), np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (12, 28, 28), np.uint8)
        labels = np.arange(12, dtype=np.uint8) % 10
        files = {"images-idx3": images, "labels-idx1": labels}
        for name, values in files.items():
            path = folder / f"{part}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(idx(values)))
    return folder


@pytest.fixture
def make(mnist):
    """Makes an environment by the name of its configuration."""

    def make_one(name, seed=1, **settings):
        if name.startswith("mnist"):
            settings["mnist_dir"] = str(mnist)
        return envs.make_env(f"bsuite_{name}", seed=seed, **settings)

    return make_one


def choices(env, count, seed=0):
    space = env.act_space["action"]
    rng = np.random.default_rng(seed)
    return [{"action": space.sample(rng)} for _ in range(count)]


def play(env, actions, over=True):
    """Observations that follow the actions; a new episode wherever one is due."""
    trace = []
    for action in actions:
        trace.append(env.reset() if over else env.step(action))
        over = trace[-1]["is_last"]
    return trace


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], key)


def refusal(*args, **kwargs):
    with pytest.raises(envs.EnvError) as error:
        envs.make_env(*args, seed=0, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_keeps_the_contract(experiment, make):
    env = make(experiment)
    assert find_problems(env, steps=60) == []
    spec = env.obs_space["observation"]
    assert spec.dtype == np.float32 and len(spec.shape) == 1
    assert env.act_space["action"].dtype == np.int32
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert 96 < max(picture.shape) <= 192


def test_a_name_is_a_configuration_and_without_a_number_the_first():
    assert len(EXPERIMENTS) == 23 and len(sweep.SWEEP) == 468
    assert [suite.full_name(name) for name in sweep.SWEEP] == list(sweep.SWEEP)
    assert suite.full_name("deep_sea") == "deep_sea/0"
    small, large = (envs.make_env(f"bsuite_deep_sea/{n}", seed=0) for n in (0, 20))
    # Sizes are 10, 12, ..., 50: 10 · 10 and 50 · 50 cells.
    assert small.obs_space["observation"].shape == (100,)
    assert large.obs_space["observation"].shape == (2500,)


def test_the_observation_is_the_flat_picture_and_the_end_is_terminal():
    env = envs.make_env("bsuite_catch", seed=0)
    trace = [env.reset()]
    while not trace[-1]["is_last"]:
        trace.append(env.step({"action": np.asarray(1, np.int32)}))
    # 10 rows of 5: the ball falls from row 0 to row 9, the paddle stays at 9 · 5 + 2.
    balls = [np.flatnonzero(obs["observation"][:45]) for obs in trace[:-1]]
    assert [int(ball[0]) // 5 for ball in balls] == list(range(9))
    assert all(obs["observation"][47] == 1 for obs in trace)
    assert trace[-1]["is_terminal"] and trace[-1]["reward"] in (-1, 1)


def test_the_reward_is_the_raw_one():
    # catch_scale/16 to 19 multiply by 1000.
    assert sweep.SETTINGS["catch_scale/19"]["reward_scale"] == 1000
    env = envs.make_env("bsuite_catch_scale/19", seed=0)
    rewards = {float(obs["reward"]) for obs in play(env, choices(env, 200))}
    assert rewards == {-1000.0, 0.0, 1000.0}


@pytest.mark.parametrize("name", KINDS)
def test_the_log_is_the_one_of_the_suite_to_the_last_digit(name, make, tmp_path):
    env = make(name, logdir=str(tmp_path / "ours"))
    theirs = csv_logging.wrap_environment(
        suite.load_env(f"{name}/0", envs.env_seed(1, 0)), f"{name}/0", str(tmp_path)
    )
    step, actions = None, choices(env, 1500)
    for action, seen in zip(actions, play(env, actions), strict=True):
        over = step is None or step.last()
        step = theirs.reset() if over else theirs.step(int(action["action"]))
        np.testing.assert_array_equal(step.observation.reshape(-1), seen["observation"])
    file = f"bsuite_id_-_{name}-0.csv"
    ours = (tmp_path / "ours" / "bsuite" / file).read_bytes()
    assert ours == (tmp_path / file).read_bytes() and ours.count(b"\n") > 2


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_snapshot_goes_on_in_the_middle_of_an_episode(experiment, make, tmp_path):
    first, second = (make(experiment, logdir=str(tmp_path / x)) for x in "ab")
    for env, count in ((first, 110), (second, 37)):
        if play(env, choices(env, count, seed=count))[-1]["is_last"]:
            env.reset()
    second.restore(first.snapshot())
    np.testing.assert_array_equal(first.render(), second.render())
    rest = choices(first, 160)
    assert_same(*(play(env, rest, over=False) for env in (first, second)))
    assert_same([take_progress(first)], [take_progress(second)])
    logs = [next((tmp_path / x / "bsuite").glob("*.csv"), None) for x in "ab"]
    texts = [log.read_bytes() if log else b"" for log in logs]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "name, cut, count",
    [
        ("catch_noise", 301, 700),
        ("mountain_car", 1501, 2600),  # its episodes have 1001 records
        ("bandit", 301, 700),
        ("mnist", 301, 700),
    ],
)
def test_an_episode_that_broke_off_leaves_no_trace(name, cut, count, make, tmp_path):
    whole, broken = (make(name, logdir=str(tmp_path / x)) for x in "ab")
    actions = choices(whole, count)
    trace = play(broken, actions[:cut])
    kept = take_progress(broken)
    ended = max(number for number, obs in enumerate(trace) if obs["is_last"]) + 1
    assert ended < len(trace)
    play(broken, choices(broken, 200, seed=5), over=False)  # then the process dies
    broken = make(name, seed=8, logdir=str(tmp_path / "b"))
    give_progress(broken, kept)
    play(broken, actions[ended:])
    play(whole, actions)
    logs = [next((tmp_path / x / "bsuite").glob("*.csv")) for x in "ab"]
    assert logs[0].read_bytes() == logs[1].read_bytes()


def test_rows_of_after_the_checkpoint_are_taken_back(make, tmp_path):
    env = make("bandit", logdir=str(tmp_path))
    path = tmp_path / "bsuite" / "bsuite_id_-_bandit-0.csv"
    fresh = take_progress(env)
    play(env, choices(env, 10))  # an episode is a reset and a step, so these are 5
    kept, text = take_progress(env), path.read_text()
    assert [row.split(",")[1] for row in text.splitlines()[1:]] == list("12345")
    play(env, choices(env, 30))
    assert path.read_text() != text
    again = make("bandit", logdir=str(tmp_path))
    give_progress(again, kept)
    assert path.read_text() == text
    give_progress(again, fresh)
    assert not path.exists()


def test_no_log_is_written_but_in_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = envs.make_env("bsuite_bandit", seed=0)
    play(env, choices(env, 10))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cartpole_noise", "deep_sea_stochastic", "mnist"])
def test_the_seed_decides_what_the_suite_leaves_to_chance(name, make):
    one, same, other = (make(name, seed=seed) for seed in (3, 3, 4))
    traces = [play(env, choices(env, 60)) for env in (one, same, other)]
    assert_same(*traces[:2])
    with pytest.raises(AssertionError):
        assert_same(traces[0], traces[2])


def test_the_noise_and_what_it_is_added_to_have_random_numbers_of_their_own():
    env = suite.load_env("catch_noise/0", 3)
    noise, inner = (part._rng.random_sample(9) for part in suite.state.parts(env))
    assert not np.isin(noise, inner).any()


def test_a_seed_that_belongs_to_the_configuration_stays():
    # memory_len sets none, but its loader has the default 0.
    one, other = (envs.make_env("bsuite_memory_len/5", seed=seed) for seed in (3, 4))
    assert_same(play(one, choices(one, 60)), play(other, choices(other, 60)))


def test_images_of_mnist_are_signed_bytes_as_in_the_suite(mnist):
    (images, labels), _ = datasets.load_mnist(str(mnist))
    ours = suite.mnist.read(mnist)
    np.testing.assert_array_equal(ours[0], images)
    np.testing.assert_array_equal(ours[1], labels)
    assert ours[0].dtype == np.int8 and ours[0].min() < 0
    env = envs.make_env("bsuite_mnist", seed=0, mnist_dir=str(mnist))
    seen = env.reset()["observation"]
    assert -128 / 255 <= seen.min() < 0 and seen.max() <= 127 / 255


def test_mnist_without_its_files_is_refused(mnist, tmp_path):
    text = refusal("bsuite_mnist_noise/3")
    assert "env.mnist_dir" in text and "train-images-idx3-ubyte.gz" in text
    assert "without" in refusal("bsuite_mnist", mnist_dir=str(tmp_path))
    names = suite.mnist.IMAGES, suite.mnist.LABELS
    good = {name: (mnist / name).read_bytes() for name in names}
    for name in names:
        for bad in (good[name][:-20], b"no gzip", gzip.compress(b"\0\0\x08\3\0\0")):
            for other in names:
                (tmp_path / other).write_bytes(good[other])
            (tmp_path / name).write_bytes(bad)
            assert "Copy it again" in refusal("bsuite_mnist", mnist_dir=str(tmp_path))
    (tmp_path / names[0]).write_bytes(good[names[0]])
    few = gzip.compress(idx(np.zeros(3, np.uint8)))
    (tmp_path / names[1]).write_bytes(few)
    assert "12 images and 3 labels" in refusal("bsuite_mnist", mnist_dir=str(tmp_path))


def test_what_does_not_exist_is_refused():
    assert "Did you mean 'catch'?" in refusal("bsuite_cath/0")
    assert "bsuite_catch/0 to bsuite_catch/19" in refusal("bsuite_catch/20")
    assert "bsuite_catch/0 to bsuite_catch/19" in refusal("bsuite_catch/x")
    assert "run.envs=1" in refusal("bsuite_catch", index=1)


def test_a_missing_package_is_named(monkeypatch):
    real = importlib.import_module

    def absent(name, *args):
        if name.partition(".")[0] == "bsuite":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", absent)
    assert "'bsuite' is missing" in refusal("bsuite_catch")


def test_a_run_has_the_episodes_of_the_suite_or_those_that_were_asked_for():
    found = [suite.episodes(name, {}) for name in ("catch", "cartpole/3", "deep_sea/9")]
    assert found == [10_000, 1000, 10_000]
    assert suite.episodes("catch", {"episodes": 7}) == 7
    assert suite.facts({"episodes": 7}) and not suite.facts({})
