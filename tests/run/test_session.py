"""What a session restores, and how it counts."""

import dataclasses

import numpy as np
import pytest
from trainings import settings

from dreamerv3_tf import presets
from dreamerv3_tf.record.checkpoint import CheckpointError
from dreamerv3_tf.run.build import build_envs
from dreamerv3_tf.run.device import set_up
from dreamerv3_tf.run.session import (
    Acting,
    agent_state,
    load_agent,
    open_session,
    restore_agent,
)


def build(folder, config, outputs=False):
    envs = build_envs(config)
    session = open_session(config, set_up(config.compute), folder, envs, outputs)
    envs.close()
    return session


@pytest.fixture
def session(tmp_path):
    return build(tmp_path, settings())


def values(session):
    return {key: value.numpy() for key, value in agent_state(session.agent).items()}


def test_the_x_axis_is_frames_after_action_repeat(tmp_path):
    pytest.importorskip("gymnasium")
    changes = ["env.repeat=4", "run.parallel=none", "log.outputs=[jsonl]"]
    config = presets.load("gym_CartPole-v1", ["debug"], changes)
    session = build(tmp_path, config, outputs=True)
    session.progress.step = 21
    session.logger.add({"x": 1.0})
    session.close()
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 84, "x": 1.0}\n'


def test_all_outputs_that_are_asked_for_are_made(tmp_path):
    names = ["Terminal", "JSONLines", "TensorBoard"]
    config = settings("log.outputs=[terminal, jsonl, tensorboard]")
    session = build(tmp_path, config, outputs=True)
    assert [type(x).__name__ for x in session.logger.outputs] == names
    session.close()
    assert not build(tmp_path, config).logger.outputs  # as for an evaluation


def test_an_agent_and_its_progress_are_loaded(session, tmp_path):
    progress = {"step": 40, "updates": 3}
    state = {"agent": agent_state(session.agent), "progress": progress, "more": {}}
    session.checkpoints.save(40, state)
    other = build(tmp_path, settings("seed=1"))
    before, saved = values(other), values(session)
    assert any((before[key] != saved[key]).any() for key in saved)
    load_agent(other)
    assert dataclasses.astuple(other.progress) == (1, 40, 3)
    for key, value in values(other).items():
        np.testing.assert_array_equal(value, saved[key], key)


def test_state_of_the_optimizer_and_the_normalisers_is_saved(session):
    names = " ".join(agent_state(session.agent))
    for part in ("rssm/", "slow_critic/", "return_norm/", "optimizer/"):
        assert part in names


@pytest.mark.parametrize("how", ["missing", "unknown", "shape"])
def test_a_checkpoint_of_another_agent_changes_nothing(session, how):
    before = values(session)
    saved = {key: value + 1 for key, value in before.items()}
    first, last = min(saved), max(saved)
    if how == "missing":
        del saved[last]
    elif how == "unknown":
        saved["more"] = saved[last]
    else:
        saved[last] = np.zeros(np.shape(saved[last]) + (2,))
    with pytest.raises(CheckpointError, match="another agent.*config.yaml") as error:
        restore_agent(session.agent, saved)
    assert ("more" if how == "unknown" else last) in str(error.value)
    assert first not in str(error.value)
    for key, value in values(session).items():
        np.testing.assert_array_equal(value, before[key], key)


def test_actions_depend_on_seed_and_call_alone(session):
    obs = {
        key: np.zeros((64, *space.shape), space.dtype)
        for key, space in session.agent.obs_space.items()
    }
    obs["is_first"][:] = True

    def act(seed, index):
        action, entries, _ = Acting(session.agent, seed, "sample")(None, obs, index)
        assert set(entries) == {"deter", "stoch"}
        return action["act_disc"].tolist()

    assert act(0, 0) == act(0, 0)
    assert len({tuple(act(*words)) for words in [(0, 0), (0, 1), (1, 0)]}) == 3
