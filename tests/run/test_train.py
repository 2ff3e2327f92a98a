"""A training: what it logs, that it repeats itself, and goes on where it was."""

import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf
from trainings import steps, training

from dreamerv3_tf.record.glossary import describe
from dreamerv3_tf.record.logger import Kind
from dreamerv3_tf.run.session import agent_state

COUNT = 20  # train steps that are compared


def weights(agent):
    return {key: variable.numpy() for key, variable in agent_state(agent).items()}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A whole run with everything that runs can have, then saved and gone on with."""
    folder = tmp_path_factory.mktemp("full")
    changes = [f"run.steps={2 * COUNT + 30}", "log.report_every=1e-3", "log.every=1e-3"]
    with training(folder / "a", *changes, evaluations=True) as trainer:
        assert trainer.run() is None
        trainer.traced = dict(trainer.agent.traces)
        shutil.copytree(folder / "a", folder / "b")
        trainer.copy = folder / "b"
        trainer.weights = weights(trainer.agent)
        yield trainer


def test_nothing_is_traced_twice(full):
    assert full.traced == {"train": 1, "policy": 1, "report": 1}


def test_every_metric_has_a_line_in_the_glossary(full):
    names = {point.name for point in full.points}
    assert {"loss/dyn", "opt/lr", "replay/fill", "speed/env_steps"} <= names
    assert {"episode/score", "episode/score_mean10", "progress/episodes"} <= names
    assert {"report/loss/dyn", "time/train/share", "usage/ram_gb"} <= names
    for name in names:
        assert describe(name), name


def test_evaluation_shares_no_metric_with_training(full):
    evaluated = [point for point in full.points if point.name.startswith("eval/")]
    steps_of_mean = [p.step for p in evaluated if p.name == "eval/score_mean"]
    assert steps_of_mean == [0, 40]  # eval.every = 40: before training and at 40
    scores = [p for p in full.points if p.name == "episode/score"]
    # 35 steps of 2 environments with episodes of 17 records: 2 each, all by training.
    assert len(scores) == 4 and full.episodes.episodes == 4


def test_train_steps_follow_the_train_ratio(full):
    # 40 replayed steps per agent step, 40 in a batch: one train step per agent step
    # from the one on at which 4 sequences of 11 steps were there, at 2 · 12 agent
    # steps: the first of these counts 1, the 23 rounds of two after it 46.
    assert full.progress.step == 2 * COUNT + 30 == 70
    assert full.progress.updates == 1 + (70 - 24)


def test_the_same_seed_gives_the_same_losses_in_processes_and_without(full, tmp_path):
    # Neither reports nor logs nor evaluations may change anything either.
    with training(tmp_path, "run.parallel=process") as other:
        assert steps(other, COUNT) == full.metrics.losses[:COUNT]


def test_another_seed_gives_other_weights_observations_and_actions(tmp_path):
    runs = []
    for seed in (0, 1):
        with training(
            tmp_path / str(seed), "run.prefill=9000", f"seed={seed}"
        ) as trainer:
            before = weights(trainer.agent)
            runs.append((before, [trainer.driver.step() for _ in range(12)]))
    (first, acted), (second, acted_too) = runs
    assert any((first[key] != second[key]).any() for key in first)
    for key in ("token", "act_disc"):
        pairs = zip(acted, acted_too, strict=True)
        assert any((a[key] != b[key]).any() for a, b in pairs), key


def test_a_restored_run_is_the_one_that_was_saved(full):
    with training(full.copy, evaluations=True) as other:
        other.restore(other.session.checkpoints.load().state)
        tf.nest.map_structure(
            np.testing.assert_array_equal, weights(other.agent), full.weights
        )
        assert other.progress == full.progress
        assert other.driver.index == full.driver.index
        assert other.ratio.state() == full.ratio.state()
        assert other.episodes.state() == full.episodes.state()
        assert other.next_evaluation == full.next_evaluation == 80
        batches = [other.loader.next(), full.loader.next()]
        tf.nest.map_structure(np.testing.assert_array_equal, *batches)
        start = len(full.metrics.losses)
        for trainer in (other, full):
            for _ in range(3):
                trainer.train_step()
        assert len(other.metrics.losses) == 3
        assert other.metrics.losses == full.metrics.losses[start:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_and_saves_it(number, tmp_path):
    with training(tmp_path, "run.prefill=9000") as trainer:
        trainer.driver.on_step.append(
            lambda _: (
                signal.raise_signal(number) if trainer.progress.step == 6 else None
            )
        )
        before = signal.getsignal(number)
        assert trainer.run() == number
        assert signal.getsignal(number) is before
        assert trainer.session.checkpoints.latest() == 6
        assert number.name in trainer.notices[0]
        with pytest.raises(KeyboardInterrupt):
            trainer.stop(signal.SIGINT, None)


def test_a_loss_that_is_not_finite_is_told(tmp_path):
    with training(tmp_path) as trainer:
        trainer.metrics.add({"opt/loss": 1.0})
        trainer.log()
        assert not trainer.notices
        trainer.metrics.add({"opt/loss": np.nan})
        trainer.log()
        assert "loss is nan at train step 0" in trainer.notices[0]
        logged = [p for p in trainer.points if p.name == "opt/loss"]
        assert all(point.kind is Kind.SCALAR for point in logged)


def test_fill_is_the_share_of_the_tighter_limit(tmp_path):
    with training(tmp_path, "replay.capacity_bytes=40MB") as trainer:
        stats = trainer.replay_stats()
        assert stats["fill"] == stats["steps"] / 1e4 == 0
        trainer.driver.step()
        stats = trainer.replay_stats()
        assert stats["fill"] == stats["bytes"] / 40e6 > 2 / 1e4
