"""How much a run acts and learns, by hand and by the trainer."""

import pytest
from trainings import settings, training

from dreamerv3_tf import presets
from dreamerv3_tf.run import budget


def test_the_budget_by_hand():
    config = presets.load(
        "dmc_walker_walk",
        [],
        ["run.steps=1000", "run.envs=3", "run.train_ratio=8", "run.prefill=10"]
        + ["replay.batch_size=4", "replay.batch_length=5", "log.report_length=5"],
    )
    # Sequences are 5 + 1 steps long: 5 + ⌈10 / 3⌉ = 9 turns until there are 10 of them
    # (12 start positions), so training begins at agent step 27. The run ends after
    # ⌈1000 / 3⌉ = 334 turns, 1002 agent steps of 2 frames. A train step is due every
    # 20 / 8 = 2.5 agent steps: 1 + ⌊(1002 - 27) / 2.5⌋ = 391, of 20 steps each.
    assert budget.first_training(config) == 27
    assert budget.budget(config) == (1002, 2004, 334, 391, 7820)


def test_a_run_that_never_fills_its_replay_never_trains():
    config = settings("run.steps=20")
    assert budget.budget(config)[3:] == (0, 0)


@pytest.mark.parametrize("changes", [(), ("run.envs=3", "run.prefill=7")])
def test_the_trainer_does_what_the_budget_says(tmp_path, changes):
    asked = ("run.steps=60", "run.train_ratio=10", *changes)
    expected = budget.budget(settings(*asked))
    with training(tmp_path, *asked) as trainer:
        calls = []
        trainer.train_step = lambda: calls.append(trainer.progress.step)
        while not trainer.done:
            trainer.driver.step()
        assert calls[0] == budget.first_training(trainer.config)
        assert len(calls) == expected.train_steps > 0
        assert trainer.progress.step == expected.agent_steps
        assert trainer.driver.index == expected.turns


def test_runs_without_end_are_cut():
    config = presets.load("bsuite_catch/0")
    assert budget.without_end(config) and not budget.without_end(budget.cut(config))
    assert budget.budget(budget.cut(config)).agent_steps == 1_000_000
