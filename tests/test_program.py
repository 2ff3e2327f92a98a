"""The whole program as a user starts it: files, signals, evaluation, no noise."""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import psutil
import pytest
from PIL import Image

from dreamerv3_tf import main
from dreamerv3_tf.record.glossary import describe
from dreamerv3_tf.record.jsonlines import read_jsonl

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = [
    "--preset=debug", "compute.device=cpu", "compute.xla=off", "run.prefill=4",
    "compute.deterministic=false", "env.length=10", "log.every=0.1",
]  # fmt: skip
SHARED = pathlib.Path("/dev/shm")
SCORES = "scores.jsonl"
WAIT = 240  # seconds; for machines that do other things besides


class Process:
    """The program in a process of its own."""

    def __init__(self, logdir, *arguments, **environ):
        command = [sys.executable, "-m", "dreamerv3_tf.main", f"--logdir={logdir}"]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environ = {"PYTHONPATH": path, **environ}
        self.logdir = logdir
        self.memory = set(SHARED.glob("psm_*"))
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            env={k: v for k, v in os.environ.items() if k[:3] != "TF_"} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.children = []

    def wait_until(self, condition):
        """Waits for it to come true while the program runs."""
        end = time.monotonic() + WAIT
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, "nothing happens"
            time.sleep(0.05)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def end(self):
        """Makes sure that it has ended."""
        self.process.kill()
        self.process.communicate()

    def finish(self):
        """Exit status, output and errors, after a check that nothing is left."""
        out, err = self.process.communicate(timeout=WAIT)
        gone, alive = psutil.wait_procs(self.children, timeout=20)
        assert not alive, alive
        assert set(SHARED.glob("psm_*")) <= self.memory
        return self.process.returncode, out, err


def lines(logdir):
    path = logdir / "metrics.jsonl"
    return read_jsonl(path) if path.exists() else []


def trained(logdir):
    """Train steps according to the log."""
    return max((x.get("progress/train_steps", 0) for x in lines(logdir)), default=0)


def frames(logdir):
    return max((line["step"] for line in lines(logdir)), default=0)


def checkpoints(logdir):
    return sorted(path.name for path in (logdir / "ckpt").glob("save-*"))


def run(*arguments):
    return main.main(["dreamerv3", *map(str, arguments)])


def digests(folder):
    """Checksum of each file of a run but for evaluations."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "eval"
    }


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A run that was killed and, started again, told to end; and what it said.

    Yields:
        The folder and for each process `(status, out, err, first frame, last frame)`.
    """
    logdir = tmp_path_factory.mktemp("run")
    command = ["--task=dummy_disc", *SMALL, "log.save_every=0.5"]
    ends = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        begin, saved = frames(logdir), checkpoints(logdir)[-1:]
        updates = trained(logdir)
        process = Process(logdir, *command)

        def goes_on(saved=saved, updates=updates):
            return trained(logdir) > updates + 20 and checkpoints(logdir)[-1:] != saved

        with contextlib.ExitStack() as stack:
            stack.callback(process.end)
            process.wait_until(goes_on)
            # One for each environment, and multiprocessing's own one.
            assert len(process.children) == 3, process.children
            process.process.send_signal(number)
            ends.append((*process.finish(), begin, frames(logdir)))
    return logdir, ends


def test_signals_are_told_and_end_with_their_status(interrupted):
    _, (killed, (status, out, *_)) = interrupted
    assert killed[0] == -signal.SIGKILL
    assert status == 128 + signal.SIGTERM
    assert "SIGTERM: saving after this step" in out
    assert out.splitlines()[-1].endswith("the same command goes on from here.")


def test_a_run_goes_on_where_it_was(interrupted):
    logdir, (killed, second) = interrupted
    # What the killed process did after its last checkpoint is done again.
    begin = int(second[1].split("going on at ")[1].split(" frames")[0])
    assert 0 < begin <= killed[4] < second[4]
    starts = json.loads((logdir / "manifest.json").read_text())["starts"]
    assert len(starts) == 2
    # The replay has kept the steps of all processes, those of the killed one as well.
    last = [line for line in lines(logdir) if "replay/steps" in line][-1]
    assert last["replay/steps"] >= last["progress/agent_steps"]
    updates = [x["opt/updates"] for x in lines(logdir) if "opt/updates" in x]
    assert updates[-1] > 40


def test_the_terminal_is_not_disturbed(interrupted):
    _, ends = interrupted
    for _, out, err, *_ in ends:
        assert err == ""
        said, *logged = out.splitlines()[:3]
        assert said.startswith("Size custom, ")
        assert logged[0].startswith("Training on CPU") and "float32" in logged[0]
        assert logged[1].startswith("env steps ") and "loss dyn" in out


def test_evaluation_changes_nothing_and_repeats_itself(interrupted, capsys):
    logdir, _ = interrupted
    before, results = digests(logdir), []
    for _ in range(2):
        changes = ["eval.episodes=3", "eval.mode=mode", "eval.video=true"]
        local = ["run.parallel=none"]
        assert run("--logdir", logdir, "--mode=eval", *changes, *local) == 0
        (path,) = (logdir / "eval").glob("*-mode.json")
        results.append(json.loads(path.read_text()))
    assert digests(logdir) == before
    assert results[0] == results[1]
    result = results[0]
    assert len(result["scores"]) == 3 and result["lengths"] == [11] * 3
    assert result["frames"] == frames(logdir)
    low, high = result["score_iqm_low"], result["score_iqm_high"]
    assert low <= result["score_iqm"] <= high
    interval = f"(95 % interval {low:.2f} to {high:.2f})"
    assert f"IQM {result['score_iqm']:.2f} {interval}" in capsys.readouterr().out
    with Image.open(path.with_name(f"{path.stem}-render.gif")) as picture:
        assert picture.n_frames > 1  # of equal pictures one is kept


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A run on pictures, with evaluations."""
    logdir = tmp_path_factory.mktemp("pictures")
    changes = ["--mode=train_eval", "eval.every=30", "run.steps=44"]
    changes += ["run.parallel=none", "log.report_every=1e-3", "log.every=1e-3"]
    assert run("--logdir", logdir, "--task=dummy_image", *SMALL, *changes) == 0
    return logdir


def test_tensorboard_shows_numbers_videos_and_settings(pictures):
    from tensorboard.backend.event_processing import event_accumulator as reader
    from tensorboard.util.tensor_util import make_ndarray

    events = reader.EventAccumulator(str(pictures), {reader.IMAGES: 0})
    events.Reload()
    tags = events.Tags()
    assert set(tags["images"]) == {"report/openloop/image", "episode/video/image"}
    video = events.Images("report/openloop/image")[-1]
    assert video.encoded_image_string[:4] == b"GIF8"
    scalars = {x for x in tags["tensors"] if not x.startswith("_hparams_")}
    assert {"loss/image", "opt/lr", "eval/score_mean", "config"} <= scalars
    for name in (*scalars, *tags["images"]):
        assert describe(name)
    scores = [
        (event.step, float(make_ndarray(event.tensor_proto)))
        for event in events.Tensors("episode/score")
    ]
    told = [(x["step"], x["episode/score"]) for x in read_jsonl(pictures / SCORES)]
    np.testing.assert_allclose(scores, told)
    plugin = events.SummaryMetadata("_hparams_/session_start_info").plugin_data
    assert plugin.plugin_name == "hparams" and b"agent.optimizer.lr" in plugin.content


def test_training_and_evaluation_alternate_and_share_no_name(pictures):
    evaluated = [line["step"] for line in lines(pictures) if "eval/score_mean" in line]
    assert evaluated == [0, 30]
    # Two environments, episodes of 11 records: at steps 22 and 44. None of evaluation.
    steps = [line["step"] for line in read_jsonl(pictures / SCORES)]
    assert steps == [22, 22, 44, 44]
    names = {name for line in lines(pictures) for name in line} - {"step"}
    assert all(describe(name) for name in names)


def test_an_environment_that_breaks_down_shows_where(tmp_path):
    pytest.importorskip("gymnasium")
    (tmp_path / "broken.py").write_text(
        "import gymnasium, numpy as np\n"
        "class Broken(gymnasium.Env):\n"
        "    observation_space = gymnasium.spaces.Box(-1, 1, (2,))\n"
        "    action_space = gymnasium.spaces.Discrete(2)\n"
        "    def reset(self, seed=None, options=None):\n"
        "        return np.zeros(2, np.float32), {}\n"
        "    def step(self, action):\n"
        "        return self.explode()\n"
        "    def explode(self):\n"
        "        raise ZeroDivisionError('no pixels left')\n"
        "gymnasium.register('Broken-v0', Broken)\n"
    )
    small = [x for x in SMALL if not x.startswith("env.")]
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    process = Process(
        tmp_path / "run", "--task=gym_broken:Broken-v0", *small, PYTHONPATH=path
    )
    status, _, err = process.finish()
    assert status == 1
    assert "in explode" in err and "ZeroDivisionError: no pixels left" in err
    assert "failed in step 2" in err


@pytest.mark.slow
def test_bad_input_is_one_line_and_status_2(tmp_path):
    status, _, err = Process(tmp_path, "--task=dummy_foo", *SMALL).finish()
    assert status == 2 and err.count("\n") == 1
    assert err.startswith("dreamerv3: Task 'dummy_foo'")


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_training_saves(tmp_path):
    process = Process(tmp_path, "--task=dummy_disc", *SMALL)
    with contextlib.ExitStack() as stack:
        stack.callback(process.end)
        process.wait_until(lambda: trained(tmp_path) > 5)
        process.process.send_signal(signal.SIGINT)
        status, out, err = process.finish()
    assert (status, err) == (130, "")
    assert "SIGINT: saving after this step" in out
    assert checkpoints(tmp_path)[-1].endswith(f"-step-{frames(tmp_path)}")


@pytest.mark.slow
def test_a_video_of_a_task_without_pictures_is_rendered(tmp_path):
    pytest.importorskip("dm_control")
    small = [x for x in SMALL if not x.startswith("env.")]
    start = ["--logdir", tmp_path, "--task=dmc_cartpole_balance", *small]
    assert run(*start, "run.steps=30", "run.prefill=9000") == 0
    video = ["eval.video=true", "eval.episodes=1"]
    assert run("--logdir", tmp_path, "--mode=eval", *video) == 0
    (path,) = (tmp_path / "eval").glob("*.gif")
    with Image.open(path) as picture:
        assert picture.n_frames > 100


@pytest.mark.slow
@pytest.mark.parametrize("task", ["gym_CartPole-v1", "crafter_reward"])
def test_tasks_of_other_packages_start_and_train(task, tmp_path):
    if not find_spec({"gym": "gymnasium"}.get(task[:3], "crafter")):
        pytest.skip("its package is not installed")
    small = [x for x in SMALL if not x.startswith("env.")]
    assert run("--logdir", tmp_path, f"--task={task}", *small, "run.steps=60") == 0
    assert trained(tmp_path) > 3
