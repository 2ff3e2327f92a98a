"""Atari, trained and evaluated from the command line for a few steps."""

import json

import numpy as np
import pytest

from dreamerv3_tf import main
from dreamerv3_tf.record.jsonlines import read_jsonl

pytest.importorskip("ale_py", reason="pip install ale-py")
pytestmark = pytest.mark.slow

SMALL = [
    "--preset=debug",
    "compute.device=cpu",
    "compute.xla=off",
    "compute.deterministic=false",  # it would hold for all tests that come after
    "run.envs=2",
    "run.prefill=4",
    "run.steps=200",
    "run.train_ratio=40",
    "log.every=0.5",
    "agent.optimizer.lr=1e-3",  # so that a few steps are enough
    "agent.optimizer.warmup=10",
]


@pytest.mark.parametrize("task", ["atari_pong", "atari100k_breakout"])
def test_an_agent_learns_what_a_game_looks_like(task, tmp_path, capsys):
    logdir = f"--logdir={tmp_path}"
    command = ["dreamerv3", f"--task={task}", logdir, *SMALL, "env.length=160"]
    assert main.main(command) == 0
    said = "Protocol: not the published one, env.length=160."
    assert said in capsys.readouterr().out
    lines = read_jsonl(tmp_path / "metrics.jsonl")
    losses = [line["loss/image"] for line in lines if "loss/image" in line]
    assert np.isfinite(losses).all() and losses[-1] < 0.5 * losses[0]
    # An action is 4 frames, so episodes are cut after 40 actions, which are 41 records.
    assert lines[-1]["progress/env_steps"] == 4 * lines[-1]["progress/agent_steps"]
    lengths = [line["episode/length"] for line in lines if "episode/length" in line]
    assert max(lengths) == 41

    command = ["dreamerv3", "--mode=eval", logdir, "eval.episodes=1", "eval.video=true"]
    assert main.main(command) == 0
    assert said in capsys.readouterr().out
    (report,) = (tmp_path / "eval").glob("*.json")
    assert json.loads(report.read_text())["lengths"] == [41]
    assert list((tmp_path / "eval").glob("*.gif"))
