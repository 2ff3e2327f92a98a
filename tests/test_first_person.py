"""First-person worlds with words, trained from the command line for a few steps."""

import os
import pathlib
import sys

import numpy as np
import pytest

from dreamerv3_tf import main
from dreamerv3_tf.record.jsonlines import read_jsonl

pytestmark = pytest.mark.slow

FAKES = pathlib.Path(__file__).resolve().parent / "envs" / "fakes" / "dmlab"
SMALL = [
    "--preset=debug",
    "compute.device=cpu",
    "compute.xla=off",
    "compute.deterministic=false",  # it would hold for all tests that come after
    "run.envs=2",
    "run.prefill=4",
    "run.steps=200",
    "run.train_ratio=40",
    "run.eval_envs=1",
    "log.every=0.5",
    "agent.optimizer.lr=1e-3",  # so that a few steps are enough
    "agent.optimizer.warmup=10",
]


def train(task, logdir, *settings):
    """Metrics of a run, by name: all values, in order."""
    command = ["dreamerv3", f"--task={task}", f"--logdir={logdir}", *SMALL, *settings]
    assert main.main(command) == 0
    found = {}
    for line in read_jsonl(logdir / "metrics.jsonl"):
        for name, value in line.items():
            found.setdefault(name, []).append(value)
    return found


def check(metrics, *keys):
    """Everything is learned from, and the losses fall."""
    for key in keys:
        losses = metrics[f"loss/{key}"]
        assert np.isfinite(losses).all(), key
        assert losses[-1] < 0.95 * losses[0], (key, losses)
    assert metrics["progress/agent_steps"][-1] >= 200


def test_an_agent_learns_from_vizdoom(tmp_path):
    pytest.importorskip("vizdoom", reason="pip install vizdoom")
    metrics = train("vizdoom_basic_notifications", tmp_path / "run", "env.length=20")
    check(metrics, "image", "notifications")
    assert "loss/variables" in metrics and "episode/score" in metrics


def test_an_agent_learns_from_dmlab_and_is_evaluated_on_held_out_levels(
    tmp_path, monkeypatch, capsys
):
    path = os.pathsep.join([str(FAKES), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)  # for the other interpreter
    task = "dmlab_language_select_described_object"
    settings = [f"env.python={sys.executable}", "--mode=train_eval"]
    settings += ["eval.every=100", "eval.episodes=1"]
    metrics = train(task, tmp_path / "run", *settings)
    check(metrics, "image", "instr")
    assert "eval/score_mean" in metrics
    said = capsys.readouterr().out
    assert "Runtime: native." in said and "held-out" in said
