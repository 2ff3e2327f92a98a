"""Environments in processes and threads: as one by one, and clean when they fail."""

import functools
import multiprocessing
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import probes
import pytest

from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.run import threads, workers
from dreamerv3_tf.run.workers import (
    LocalEnvs,
    ProcessEnvs,
    ThreadEnvs,
    WorkerError,
    make_envs,
)

KINDS = [LocalEnvs, ProcessEnvs, ThreadEnvs]
HERE = pathlib.Path(__file__).resolve().parent


def memory_blocks():
    return {name for name in os.listdir("/dev/shm") if name.startswith("psm_")}


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = memory_blocks()
    yield
    assert multiprocessing.active_children() == []
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("environments")]
    assert memory_blocks() <= before


def sample(envs, rng):
    def stack(space):
        return np.stack([space.sample(rng) for _ in range(envs.num)])

    return {key: stack(space) for key, space in envs.act_space.items()}


def play(envs, steps, seed=0):
    """Observations of random steps; the environments are closed."""
    rng, trace = np.random.default_rng(seed), []
    for _ in range(steps):
        trace.append(envs.recv())
        envs.send(sample(envs, rng))
    trace.append(envs.recv())
    envs.close()
    return trace


def probe(trick="", **kwargs):
    return functools.partial(probes.Probe, trick, **kwargs)


@pytest.mark.parametrize(
    "task, settings",
    [
        ("dummy_mixed", {"length": 7, "size": [8, 8]}),
        ("dmc_cartpole_balance", {"repeat": 100}),
        ("crafter_reward", {}),
        ("gym_CartPole-v1", {}),
    ],
)
@pytest.mark.parametrize("parallel", ["process", "thread"])
def test_wherever_environments_are_they_agree_step_by_step(task, settings, parallel):
    local, apart = (
        make_envs(task, num=3, seed=5, parallel=kind, **settings)
        for kind in ("none", parallel)
    )
    assert list(local.obs_space) == list(apart.obs_space)
    for one, other in zip(play(local, 25), play(apart, 25), strict=True):
        assert list(one) == list(other)
        for key in one:
            assert one[key].dtype == other[key].dtype
            np.testing.assert_array_equal(one[key], other[key], key)


def test_pictures_of_the_control_suite_are_rendered_in_workers():
    envs = make_envs("dmc_vision_cartpole_balance", num=2, seed=0, size=[16, 16])
    trace = play(envs, 2)
    assert trace[0]["image"].shape == (2, 16, 16, 3)
    assert trace[0]["image"].std() > 1


def test_proprio_environments_render_on_demand_in_workers():
    envs = make_envs("dmc_cartpole_balance", num=1, seed=0, size=[16, 24])
    envs.recv()
    assert envs.render(0).shape == (16, 24, 3)
    envs.close()


@pytest.mark.parametrize("kind", KINDS)
def test_episodes_end_one_by_one_and_start_again(kind):
    # Environment i: i + 2 actions an episode, so i + 3 observations.
    trace = play(kind(probe(), 2), 7)
    flags = np.array([[obs["is_first"], obs["is_last"]] for obs in trace])
    np.testing.assert_array_equal(flags[:, 0, 0], [1, 0, 0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(flags[:, 1, 0], [0, 0, 1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(flags[:, 0, 1], [1, 0, 0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(flags[:, 1, 1], [0, 0, 0, 1, 0, 0, 0, 1])
    np.testing.assert_array_equal(trace[3]["episode"], [2, 1])
    np.testing.assert_array_equal(trace[3]["log/index"], [0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_each_environment_gets_its_own_action(kind):
    envs = kind(probe(), 3)
    envs.recv()
    action = np.array([[1, 2], [3, 4], [5, 6]], np.int32)
    push = np.zeros(3, np.float32)
    envs.send({"action": action, "push": push})
    action[:] = 0  # the caller may go on using its array
    np.testing.assert_array_equal(envs.recv()["last_action"], [[1, 2], [3, 4], [5, 6]])
    envs.close()


@pytest.mark.parametrize("kind", KINDS)
def test_observations_stay_as_they_were_when_others_follow(kind):
    trace = play(kind(probe(), 2), 6)
    counts = [obs["count"].tolist() for obs in trace]
    assert counts == [[0, 0], [1, 1], [2, 2], [0, 3], [1, 0], [2, 1], [0, 2]]


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_show_the_state_after_what_was_sent_last(kind):
    envs = kind(probe(), 2)
    envs.recv()
    assert (envs.render(1) == 0).all()
    if kind is not LocalEnvs:  # there nothing happens before recv()
        envs.send(sample(envs, np.random.default_rng(0)))
        assert (envs.render(1) == 1).all()
        np.testing.assert_array_equal(envs.recv()["count"], [1, 1])
    envs.close()


@pytest.mark.parametrize("kind", KINDS)
def test_an_environment_without_pictures_goes_on(kind):
    envs = kind(probe("no picture"), 1)
    envs.recv()
    with pytest.raises(EnvError, match="nothing to see"):
        envs.render(0)
    envs.send(sample(envs, np.random.default_rng(0)))
    assert envs.recv()["count"] == 1
    envs.close()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_step_tells_which_environment_when_and_why(kind):
    envs = kind(probe("raise in step"), 3, "probe_task")
    with pytest.raises(WorkerError) as error:
        play(envs, 10)
    text = str(error.value)
    assert "Environment 1 (probe_task) failed in step 4" in text
    assert "action=[" in text and "push=" in text
    assert "seven by nothing" in text
    if kind is ProcessEnvs:  # the worker's own traceback
        assert "probes.py" in text and "ZeroDivisionError" in text
    else:
        assert isinstance(error.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_contract_is_told_without_a_traceback(kind):
    with pytest.raises(WorkerError, match="Environment 1.*: the plain reason$"):
        play(kind(probe("complain in step"), 2), 10)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_construction_arrive(kind):
    with pytest.raises(WorkerError, match=r"Environment 1 \(x\) could not be made"):
        kind(probe("raise in make"), 3, "x")
    with pytest.raises(EnvError, match="^the plain reason$"):
        kind(probe("complain in make"), 3)


@pytest.mark.parametrize("parallel", ["none", "process", "thread"])
def test_a_wrong_setting_is_one_line_wherever_environments_live(parallel):
    with pytest.raises(EnvError, match="^env: no key 'lenght'.*'length'[^\n]*$"):
        make_envs("dummy_disc", num=2, seed=0, parallel=parallel, lenght=3)


@pytest.mark.parametrize(
    "trick, words",
    [
        ("die in step", "killed by SIGKILL.*exit code -9.*run.envs"),
        ("exit in step", "exit code 3"),
    ],
)
def test_a_worker_that_dies_takes_the_run_down_with_a_reason(trick, words):
    with pytest.raises(WorkerError, match=words) as error:
        play(ProcessEnvs(probe(trick), 3, "probe_task"), 10)
    assert "Environment 1 (probe_task) failed in step 4 after" in str(error.value)


def test_a_worker_that_dies_at_the_start_is_noticed():
    with pytest.raises(WorkerError, match="Environment 1.*killed by SIGKILL"):
        ProcessEnvs(probe("die in make"), 3)


def test_a_worker_that_hangs_is_killed_in_the_end(monkeypatch):
    monkeypatch.setattr(workers, "GRACE", 0.3)
    envs = ProcessEnvs(probe("hang in step", when=1), 2)
    envs.recv()
    envs.send(sample(envs, np.random.default_rng(0)))
    start = time.monotonic()
    envs.close()
    envs.close()  # twice is fine
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("kind", [ProcessEnvs, ThreadEnvs])
def test_environments_with_other_spaces_are_refused(kind):
    with pytest.raises(EnvError, match="Environment 1.*other spaces"):
        kind(probes.Uneven, 2)


def test_threads_take_environments_as_they_come_and_keep_their_order():
    # With two threads the slow environment 0 holds one of them up while the other
    # steps the rest.
    used = {}

    class Slow(probes.Probe):
        def step(self, action):
            used[self.index] = threading.current_thread().name
            time.sleep(0.2 if self.index == 0 else 0)
            return super().step(action)

    envs = ThreadEnvs(Slow, 4, threads=2)
    envs.recv()
    envs.send(sample(envs, np.random.default_rng(0)))
    np.testing.assert_array_equal(envs.recv()["log/index"], [0, 1, 2, 3])
    assert used[0] not in {used[1], used[2], used[3]}
    envs.close()


def test_a_thread_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(threads, "GRACE", 0.2)
    release = threading.Event()

    class Stuck(probes.Probe):
        def step(self, action):
            release.wait(30)
            return super().step(action)

    envs = ThreadEnvs(Stuck, 2, threads=1)
    envs.recv()
    envs.send(sample(envs, np.random.default_rng(0)))
    start = time.monotonic()
    envs.close()
    envs.close()  # twice is fine
    assert time.monotonic() - start < 5
    release.set()
    left = [x for x in threading.enumerate() if x.name.startswith("environments")]
    for thread in left:
        assert thread.daemon
        thread.join(5)


def test_the_first_environment_that_failed_is_told():
    class Failing(probes.Probe):
        def step(self, action):  # noqa: ARG002  (the signature of all)
            time.sleep(0.05 * (3 - self.index))  # later environments fail earlier
            raise ZeroDivisionError(f"in {self.index}")

    envs = ThreadEnvs(Failing, 3, threads=3)
    envs.recv()
    envs.send(sample(envs, np.random.default_rng(0)))
    with pytest.raises(WorkerError, match="Environment 0.*in 0"):
        envs.recv()


@pytest.mark.parametrize(
    "task, kind", [("dummy_disc", ProcessEnvs), ("minecraft", ThreadEnvs)]
)
def test_environments_run_as_their_suite_likes_it_best(task, kind, monkeypatch):
    made = []
    for name in ("ProcessEnvs", "ThreadEnvs"):
        monkeypatch.setattr(workers, name, lambda *_, name=name: made.append(name))
    make_envs(task, num=1, seed=0)
    assert made == [kind.__name__]


@pytest.mark.parametrize("kind", KINDS)
def test_calls_out_of_turn_and_wrong_actions_are_caught(kind):
    envs = kind(probe(), 1)
    action = sample(envs, np.random.default_rng(0))
    with pytest.raises(AssertionError):
        envs.send(action)
    envs.recv()
    with pytest.raises(AssertionError):
        envs.recv()
    with pytest.raises(AssertionError):
        envs.send({"action": action["action"]})
    with pytest.raises(AssertionError):
        envs.send(action | {"action": action["action"].astype(np.int64)})
    envs.close()


def test_tensorflow_is_never_loaded_in_a_worker(tmp_path):
    # A run loads TensorFlow inside main(); workers import the module of that main().
    script = tmp_path / "run_like.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "def main():\n"
        "    sys.modules['tensorflow'] = object()\n"
        "    import probes\n"
        "    from dreamerv3_tf.run.workers import ProcessEnvs\n"
        "    envs = ProcessEnvs(probes.Loaded, 2)\n"
        "    envs.recv(); envs.close(); print('fine')\n"
        "if __name__ == '__main__': main()\n"
    )
    run = run_python(str(script))
    assert run.stdout.strip() == "fine", run.stderr


def test_a_worker_imports_what_it_needs_in_less_than_a_second():
    code = (
        "import time; start = time.perf_counter()\n"
        "import dreamerv3_tf.run.worker\n"
        "from dreamerv3_tf.envs import make_env\n"
        "make_env('dummy_disc', seed=0)\n"
        "print(time.process_time())"
    )
    assert float(run_python("-c", code).stdout) < 1


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), 9)", "sys.exit()", "1 / 0"])
def test_workers_end_with_their_parent_however_it_ends(ending):
    code = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "import probes\n"
        "from dreamerv3_tf.run.workers import ProcessEnvs\n"
        "envs = ProcessEnvs(probes.Probe, 2)\n"
        "print(*[process.pid for process in envs._processes], flush=True)\n"
        f"envs.recv(); {ending}"
    )
    run = run_python("-c", code)
    pids = [int(word) for word in run.stdout.split()]
    deadline = time.monotonic() + 5
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(pids) == 2 and not any(map(is_alive, pids))
    assert "resource_tracker" not in run.stderr


def test_signals_for_everyone_leave_the_workers_to_their_parent():
    envs = ProcessEnvs(probe(), 2)
    envs.recv()
    for process in envs._processes:
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
    envs.send(sample(envs, np.random.default_rng(0)))
    np.testing.assert_array_equal(envs.recv()["count"], [1, 1])
    envs.close()


def test_what_workers_are_made_with_is_small():
    make = functools.partial(make_env, "dummy_disc", seed=0)
    assert len(pickle.dumps(make)) < 1000


def run_python(*args):
    command = [sys.executable, *args]
    paths = os.pathsep.join([str(HERE.parents[1]), *filter(None, sys.path)])
    env = os.environ | {"PYTHONPATH": paths}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return state[0] != "Z"
