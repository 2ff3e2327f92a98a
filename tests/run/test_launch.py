"""From settings to exit status: what is refused, what is shown, what is left alone."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from trainings import SETTINGS

from dreamerv3_tf import main
from dreamerv3_tf.envs.dummy import Dummy
from dreamerv3_tf.run import launch
from dreamerv3_tf.run.train import Trainer
from dreamerv3_tf.run.workers import WorkerError
from dreamerv3_tf.values import ConfigError

ACTING = ["run.prefill=9000", "run.steps=8"]  # it ends before it trains
START = ["--task", "dummy_disc", "--preset", "debug", *SETTINGS, *ACTING]


def run(*arguments):
    return main.main(["dreamerv3", *map(str, arguments)])


def refusal(*arguments):
    with pytest.raises(ConfigError) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folder of a run that has a checkpoint."""
    folder = tmp_path_factory.mktemp("begun")
    assert run("--logdir", folder, *START) == 0
    return folder


@pytest.fixture
def copy(begun, tmp_path):
    """A copy of it, to be changed."""
    shutil.copytree(begun, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (["--task", "dummy_foo"], ["dummy_foo", "disc, cont"]),
        (["--task", "dummy_image", "env.size=[50,50]"], ["50 × 50 pixels", "size=64"]),
        (["--task", "crafter_reward"], ["crafter", "pip install"]),
        (["--mode", "eval"], ["--mode eval", "has no checkpoint"]),
        (["--mode", "export"], ["--mode export", "has no checkpoint"]),
        (["replay.capacity=40"], ["capacity"]),
    ],
)
def test_what_does_not_fit_leaves_no_run_behind(
    arguments, parts, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "crafter", None)
    crafter = "crafter_reward" in arguments
    start = [x for x in START if not (crafter and x.startswith("env."))]
    text = refusal("--logdir", tmp_path, *start, *arguments)
    assert all(part in text for part in parts), text
    assert run("--logdir", tmp_path, *START) == 0


def test_rendering_beside_tensorflow_is_refused(tmp_path):
    pytest.importorskip("dm_control")
    changes = ["run.parallel=none", "compute.deterministic=false"]
    task = ["--task", "dmc_vision_cartpole_balance", "--preset", "debug"]
    text = refusal("--logdir", tmp_path, *task, *changes)
    assert "run.parallel=process" in text


def test_a_run_keeps_its_settings_and_how_it_was_started(begun):
    assert "batch_size: 4 " in (begun / "config.yaml").read_text()
    (start,) = json.loads((begun / "manifest.json").read_text())["starts"]
    assert "--task dummy_disc" in start["command"]
    assert (start["precision"], start["xla"]) == ("float32", "off")


def test_a_finished_run_is_left_as_it_is(copy, capsys):
    checkpoints = sorted(os.listdir(copy / "ckpt"))
    assert run("--logdir", copy, *START, "log.outputs=[terminal]") == 0
    assert sorted(os.listdir(copy / "ckpt")) == checkpoints
    assert "All 8 of run.steps are done" in capsys.readouterr().out


def test_settings_that_matter_cannot_change(copy):
    text = refusal("--logdir", copy, *START, "replay.batch_size=3")
    assert "replay.batch_size: 4 -> 3" in text
    assert "seed: 0 -> 1" in refusal("--logdir", copy, *START, "--seed", 1)


def test_free_settings_may_change(copy):
    assert run("--logdir", copy, "run.steps=12", "compute.precision=float32") == 0
    starts = json.loads((copy / "manifest.json").read_text())["starts"]
    assert len(starts) == 2
    assert (copy / "ckpt" / "save-000002-step-12").exists()


def test_training_goes_on_in_the_precision_it_had(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["starts"][0]["precision"] = "bfloat16"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "precision: bfloat16 -> float32" in refusal("--logdir", copy, "run.steps=12")
    assert run("--logdir", copy, "--mode", "eval") == 0  # any machine may do that


def test_a_damaged_checkpoint_falls_back_and_the_last_one_is_an_error(copy, capsys):
    assert run("--logdir", copy, "run.steps=12") == 0
    capsys.readouterr()
    for number, folder in enumerate(sorted((copy / "ckpt").iterdir())[::-1]):
        data = bytearray((folder / "agent.bin").read_bytes())
        data[100] ^= 1
        (folder / "agent.bin").write_bytes(data)
        if not number:
            assert run("--logdir", copy, "run.steps=12") == 0
            assert "DAMAGED CHECKPOINT" in capsys.readouterr().out
            shutil.rmtree(copy / "ckpt" / "save-000003-step-12")
    assert "agent.bin" in refusal("--logdir", copy, "run.steps=16")


def test_a_replay_of_another_task_is_refused(begun, tmp_path):
    shutil.copytree(begun / "replay", tmp_path / "replay")
    start = ["dummy_cont" if x == "dummy_disc" else x for x in START]
    assert "act_" in refusal("--logdir", tmp_path, *start)


def test_an_environment_that_fails_ends_the_run(tmp_path, monkeypatch):
    def step(*_):
        raise ZeroDivisionError("no pixels left")

    monkeypatch.setattr(Dummy, "step", step)
    with pytest.raises(WorkerError, match="Environment 0.*no pixels left") as error:
        run("--logdir", tmp_path, *START)
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_a_fault_of_ours_is_not_taken_for_bad_input(tmp_path, monkeypatch):
    def store(*_):
        raise ValueError("a fault")

    monkeypatch.setattr(Trainer, "store", store)
    with pytest.raises(ValueError, match="a fault"):
        run("--logdir", tmp_path, *START)
    monkeypatch.undo()
    # Threads and locks are gone: the same command works in the same process.
    assert run("--logdir", tmp_path, *START) == 0


def test_a_dry_run_describes_and_writes_nothing(tmp_path, capsys):
    folder = tmp_path / "none"
    assert run("--logdir", folder, "--dry_run", *START) == 0
    out = capsys.readouterr().out
    for part in ("prefill: 9000", "# command line", "# configs/debug.yaml"):
        assert part in out
    for part in ("float32", "6,650 parameters", "replay (disk)", "estimate"):
        assert part in out
    assert not list(tmp_path.iterdir())


def test_only_chatter_is_kept_off_the_terminal(capfd):
    with launch.quiet_start():
        os.write(2, b"I0000 00:00:1 a.cc:1] hello\nSegmentation is near\nW0000 too\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "Segmentation is near\nafterwards\n"


def test_errors_during_the_start_are_shown(capfd):
    with pytest.raises(ImportError), launch.quiet_start():
        os.write(2, b"libfoo.so is missing\n")
        raise ImportError
    assert capfd.readouterr().err == "libfoo.so is missing\n"


def test_an_interrupt_before_training_shows_no_traceback(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "launch", interrupt)
    monkeypatch.setattr(sys, "argv", ["dreamerv3", *START])
    with pytest.raises(SystemExit) as caught:
        main.cli()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "dreamerv3: interrupted\n"


def test_bad_input_needs_no_tensorflow(tmp_path):
    code = (
        "import sys; from dreamerv3_tf import main\n"
        "try: main.main(sys.argv)\n"
        "except Exception as error: print(error, 'tensorflow' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, "--mode=eval", "--logdir", tmp_path, *START]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "has no checkpoint" in done.stdout and done.stdout.endswith(" False\n")
