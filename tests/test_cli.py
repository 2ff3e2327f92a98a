"""The command line: bad input is one line on stderr and status 2."""

import os
import subprocess
import sys

import pytest

import dreamerv3_tf
from dreamerv3_tf import main

TASK = ["--task", "dmc_cartpole_balance"]


def run(*arguments, cwd, script="-m"):
    """Runs the program as users do; returns status, stdout and stderr."""
    program = [script, "dreamerv3_tf.main"] if script == "-m" else [script]
    path = os.pathsep.join([str(cwd), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=cwd,
        env=dict(os.environ, PYTHONPATH=path) if script == "-m" else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments, parts",
    [
        ([], ["--task is missing", "SUITE_NAME", "--logdir"]),
        (["--tsk", "x"], ["no flag '--tsk'", "'--task'?", "--seed"]),
        (["--run.envs", "3"], ["no dashes: run.envs=VALUE"]),
        ([*TASK, "--task"], ["Missing value for flag --task"]),
        ([*TASK, "--mode", "trian"], ["--mode is 'trian'", "train_eval", "'train'?"]),
        ([*TASK, "--mode=export"], ["--mode export needs the --logdir of a run"]),
        ([*TASK, "--seed", "x"], ["seed is 'x', expected an integer"]),
        ([*TASK, "--seed=-1"], ["seed is '-1', expected an integer of at least 0"]),
        ([*TASK, "--dry_run=maybe"], ["--dry_run=maybe, expected true or false"]),
        ([*TASK, "--preset", "quik"], ["no preset 'quik'", "'quick'?", "debug"]),
        ([*TASK, "run.env=3"], ["no key 'env' in 'run'", "'envs'?", "Keys there"]),
        ([*TASK, "run.envs=many"], ["run.envs is 'many', expected an integer"]),
        ([*TASK, "nonsense"], ["'nonsense', expected section.key=value"]),
        ([*TASK, "--configs", "nowhere"], ["no defaults.yaml in nowhere"]),
        (["--task", "dm_walker"], ["no suite 'dm'", "'dmc'?", "crafter"]),
        ([*TASK, "env.repet=3"], ["command line", "no key 'repet'", "'repeat'?"]),
        ([*TASK, "env.repeat=x"], ["env.repeat", "'x', expected an integer"]),
        (["--logdir", "nowhere"], ["--task is missing"]),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, parts, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dreamerv3", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.cli()
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    assert err.startswith("dreamerv3: ") and err.count("\n") == 1
    for part in parts:
        assert part in err


def test_bad_input_is_refused_the_same_way_by_the_whole_program(root):
    status, out, err = run(*TASK, "agent.lamm=1", cwd=root)
    assert (status, out) == (2, "")
    assert err.startswith("dreamerv3: command line: no key 'lamm' in 'agent'.")
    assert err.count("\n") == 1


def test_flags_may_follow_settings(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dreamerv3", "run.envs=3", "--mode", "x", *TASK])
    with pytest.raises(SystemExit):
        main.cli()
    assert "--mode is 'x'" in capsys.readouterr().err


def test_the_file_can_be_run_as_a_script_from_any_folder(root, tmp_path):
    script = str(root / "dreamerv3_tf" / "main.py")
    status, out, err = run("--version", cwd=tmp_path, script=script)
    assert (status, err) == (0, "")
    assert out == f"dreamerv3_tf {dreamerv3_tf.__version__}\n"


def test_help_lists_every_flag(capsys):
    assert main.main(["dreamerv3", "--help"]) == 0
    out = capsys.readouterr().out
    for name in ("task", "preset", "logdir", "seed", "mode", "dry_run", "configs"):
        assert f"  --{name} " in out


def test_a_saved_run_needs_no_task(tmp_path):
    from dreamerv3_tf import presets

    config = presets.load("dmc_cartpole_balance", ["quick"])
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    arguments = main.parse(
        ["x", "--logdir", str(tmp_path), "--seed", "4", "run.steps=9"]
    )
    loaded = arguments.config()
    assert (loaded.task, loaded.seed, loaded.run.steps) == (config.task, 4, 9)
    assert loaded.agent == config.agent


def test_a_new_run_gets_a_folder_of_its_own():
    logdir = main.parse(["x", *TASK]).logdir("dmc_walker_walk")
    assert logdir.is_absolute() and logdir.parent.name == "dmc_walker_walk"
    assert logdir.parent.parent.name == "logdir"
