"""Many runs from one file: what it asks for, what is done, what comes of it."""

import json
import subprocess
import sys

import pytest

from dreamerv3_tf.values import ConfigError


@pytest.fixture
def plan(root, monkeypatch):
    """The part of the tool that reads the file."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    from sweep import plan

    return plan


def write_plan(tmp_path, text):
    path = tmp_path / "sweep.yaml"
    path.write_text(text.replace("HERE", str(tmp_path / "runs")))
    return path


PLAN = """
logdir: HERE
tasks: [dummy_disc, gym_ALE/Pong-v5]
seeds: [0, 3]
preset: debug
settings:
  run: {steps: 300}
  agent.optimizer.lr: 1e-3
  replay.mixture: {uniform: 0.5, recency: 0.5}
jobs: 2
"""


def test_the_file_becomes_a_command_for_each_task_and_seed(plan, tmp_path):
    jobs = plan.make_jobs(plan.read_plan(write_plan(tmp_path, PLAN)))
    assert [job.name for job in jobs] == [
        "dummy_disc, seed 0",
        "dummy_disc, seed 3",
        "gym_ALE/Pong-v5, seed 0",
        "gym_ALE/Pong-v5, seed 3",
    ]
    folder = tmp_path / "runs" / "gym_ALE_Pong-v5" / "seed3"
    assert jobs[-1].command[1:] == (
        "-m",
        "dreamerv3_tf.main",
        *("--logdir", str(folder), "--mode", "train", "--preset", "debug"),
        *("--task", "gym_ALE/Pong-v5", "--seed", "3"),
        *("run.steps=300", "agent.optimizer.lr=1e-3"),
        *("replay.mixture.uniform=0.5", "replay.mixture.recency=0.5"),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("seeds:", "seed:", "Did you mean 'seeds'?"),
        ("tasks: [dummy_disc, gym_ALE/Pong-v5]", "", "tasks is 'None'"),
        ("[0, 3]", "[0, x]", "seeds has 'x'"),
        ("[0, 3]", "[3, 3]", "there twice"),
        ("jobs: 2", "jobs: 0", "at least 1"),
        ("jobs: 2", "mode: evaluate", "expected one of train"),
        ("logdir: HERE", "", "logdir is missing"),
        ("dummy_disc", "dumy_disc", "Did you mean 'dummy'?"),
        ("preset: debug", "preset: debugg", "Did you mean 'debug'?"),
        ("run: {steps: 300}", "run: {stepps: 300}", "Did you mean 'steps'?"),
        ("jobs: 2", "mode: eval", "no checkpoint to evaluate"),
    ],
)
def test_a_mistake_in_the_file_is_found_before_anything_runs(
    plan, tmp_path, before, after, expected
):
    assert before in PLAN
    path = write_plan(tmp_path, PLAN.replace(before, after))
    with pytest.raises(ConfigError) as caught:
        plan.make_jobs(plan.read_plan(path))
    assert expected in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_run_is_done_when_its_checkpoint_has_all_steps(plan, tmp_path):
    jobs = plan.make_jobs(plan.read_plan(write_plan(tmp_path, PLAN)))
    folder = tmp_path / "runs" / "dummy_disc" / "seed0" / "ckpt"
    (folder / "save-000001-step-299").mkdir(parents=True)
    assert not jobs[0].done()
    (folder / "save-000002-step-300").mkdir()
    assert jobs[0].done() and not jobs[1].done()


def test_a_task_with_a_number_of_episodes_is_done_after_them(plan, tmp_path):
    pytest.importorskip("bsuite", reason="the suite that counts episodes")
    text = PLAN.replace("dummy_disc, gym_ALE/Pong-v5", "bsuite_catch/0")
    text = text.replace("run: {steps: 300}", "env.episodes: 2")
    jobs = plan.make_jobs(plan.read_plan(write_plan(tmp_path, text)))
    folder = tmp_path / "runs" / "bsuite_catch_0" / "seed0"
    (folder / "ckpt" / "save-000001-step-20").mkdir(parents=True)
    line = '{"step": 10, "episode/score": 1.0}\n'
    (folder / "scores.jsonl").write_text(line)
    assert not jobs[0].done()
    (folder / "scores.jsonl").write_text(line * 2)
    assert jobs[0].done() and not jobs[1].done()


def test_a_folder_with_other_settings_is_refused(plan, tmp_path):
    from dreamerv3_tf import presets

    asked = plan.read_plan(write_plan(tmp_path, PLAN))
    folder = asked.folder("dummy_disc", 0)
    folder.mkdir(parents=True)
    saved = presets.load("dummy_disc", asked.preset, [*asked.settings, "run.envs=7"])
    (folder / "config.yaml").write_text(saved.to_yaml())
    with pytest.raises(ConfigError, match="run.envs: 7 -> 2"):
        plan.make_jobs(asked)
    saved = presets.load("dummy_disc", asked.preset, [*asked.settings, "run.steps=9"])
    (folder / "config.yaml").write_text(saved.to_yaml())
    assert len(plan.make_jobs(asked)) == 4  # longer runs go on


def test_the_example_is_a_sweep(root, plan):
    found = plan.read_plan(root / "tools" / "sweep" / "example.yaml")
    assert len(plan.make_jobs(found)) == 6


# The whole tool


@pytest.mark.slow
def test_runs_are_trained_then_evaluated_and_a_bad_one_is_named(root, tmp_path):
    text = (
        "logdir: HERE\ntasks: [dummy_disc, gym_NoSuch-v0]\nseeds: [0, 1]\n"
        "preset: debug\nsettings: {run.steps: 120, eval.episodes: 3}\njobs: 2\n"
    )
    train = run_sweep(root, write_plan(tmp_path, text))
    assert train.returncode == 1, train.stderr
    assert "FAILED: gym_NoSuch-v0, seed 1: status 2" in train.stdout
    assert "4 runs: 2 done, 2 failed." in train.stdout

    text = text.replace(", gym_NoSuch-v0", "")
    again = run_sweep(root, write_plan(tmp_path, text))
    assert again.returncode == 0 and "2 runs: 2 done before." in again.stdout
    path = tmp_path / "runs" / "summary-train.json"
    result = json.loads(path.read_text())
    assert [run["state"] for run in result["runs"]] == ["done before"] * 2

    judged = run_sweep(root, write_plan(tmp_path, text + "mode: eval\n"))
    assert judged.returncode == 0, judged.stdout + judged.stderr
    path = tmp_path / "runs" / "summary-eval.json"
    (task,) = json.loads(path.read_text())["tasks"]
    files = sorted((tmp_path / "runs").glob("dummy_disc/seed*/eval/*.json"))
    means = [json.loads(file.read_text())["score_mean"] for file in files]
    assert [run["score"] for run in task["runs"]] == means and len(means) == 2


def run_sweep(root, path):
    command = [sys.executable, "tools/sweep.py", str(path)]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, timeout=600
    )
