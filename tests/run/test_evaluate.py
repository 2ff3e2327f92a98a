"""Evaluation: which episodes count, and the numbers that are made of them."""

import functools
import json
import types

import numpy as np
import pytest
import tensorflow as tf
from trainings import settings

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.run import evaluate as module
from dreamerv3_tf.run.build import build_envs
from dreamerv3_tf.run.evaluate import evaluate, interquartile_mean, save_json, summary
from dreamerv3_tf.run.workers import LocalEnvs


class Coin:
    """Stands in for an agent: flips a coin by the seed, or always acts 0."""

    def __init__(self, envs, inputs=("token",)):
        self.obs_space = {k: envs.obs_space[k] for k in (*inputs, "reward")}
        self.model = types.SimpleNamespace(inputs={key: None for key in inputs})
        self.seeds = []

    def initial_policy(self, count):
        return count

    def policy(self, carry, obs, seed, mode):
        assert obs["is_first"].shape == (carry,)
        self.seeds.append(tuple(seed.numpy().tolist()))
        if mode == "mode":
            action = tf.zeros(carry, tf.int32)
        else:
            action = tf.random.stateless_uniform([carry], seed, 0, 5, tf.int32)
        return {"act_disc": action}, {}, carry


def run(episodes, *, num=2, task="dummy_disc", inputs=("token",), **options):
    make = functools.partial(make_env, task, seed=3, length=6)
    envs = LocalEnvs(make, num)
    options = {"mode": "sample", "seed": 0} | options
    agent = Coin(envs, inputs)
    result = evaluate(agent, envs, episodes=episodes, **options)
    envs.close()
    return result, agent


def test_the_interquartile_mean_by_hand():
    # 8 scores: the middle four, (3 + 4 + 5 + 6) / 4.
    assert interquartile_mean(np.array([8.0, 1, 7, 2, 6, 3, 5, 4])) == 4.5
    # 6 scores, a quarter is 1.5 of them: half of 2 and 5, all of 3 and 4:
    # (1 + 3 + 4 + 2.5) / 3, whatever the ends are.
    assert interquartile_mean(np.array([-99, 2.0, 3, 4, 5, 99])) == pytest.approx(3.5)
    # 3 scores, a quarter is 0.75: (¼ · 0 + 1 · 3 + ¼ · 9) / 1½.
    assert interquartile_mean(np.array([0.0, 3, 9])) == pytest.approx(5.25 / 1.5)
    assert interquartile_mean(np.array([7.0])) == 7
    np.testing.assert_allclose(interquartile_mean(np.array([[1.0, 1], [2, 4]])), [1, 3])


def test_statistics_by_hand():
    scores, lengths = np.array([1.0, 2, 3, 10]), np.array([5, 7, 9, 11])
    got = summary(scores, lengths, seed=0)
    assert got["episodes"] == 4 and got["length_mean"] == 8
    assert got["score_mean"] == 4 and got["score_median"] == got["score_iqm"] == 2.5
    assert got["score_min"] == 1 and got["score_max"] == 10
    assert got["score_std"] == pytest.approx(np.sqrt((9 + 4 + 1 + 36) / 4))


def test_the_interval_is_that_of_the_bootstrap():
    # Of two scores 0 and 1, a resample has the IQM 0, ½ or 1 with ¼, ½ and ¼.
    got = summary(np.array([0.0, 1]), np.array([2, 2]), seed=0)
    assert got["score_iqm_low"] == 0 and got["score_iqm_high"] == 1
    same = summary(np.full(5, 3.0), np.full(5, 2), seed=0)
    assert same["score_iqm_low"] == same["score_iqm_high"] == 3
    # Near normal for many: ± 1.96 times the error of the mean of the middle half.
    scores = np.random.default_rng(0).uniform(size=400)
    got = summary(scores, scores, seed=1)
    middle = np.sort(scores)[100:300]
    # Winsorised variance over the share that is left, n · 0.5².
    error = np.sqrt(np.clip(scores, middle[0], middle[-1]).var() / (400 * 0.25))
    width = got["score_iqm_high"] - got["score_iqm_low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_each_environment_contributes_equally():
    envs = []
    result, _ = run(5, on_episode=lambda episode: envs.append(episode.env))
    assert envs == [0, 1, 0, 1, 0]
    assert len(result.scores) == 5 and result.metrics["episodes"] == 5
    assert (result.lengths == 7).all()  # 6 actions and the first record


def test_the_likeliest_actions_score_the_same_twice_and_samples_by_seed():
    likeliest = [run(4, mode="mode", seed=seed)[0].scores for seed in (0, 1)]
    np.testing.assert_array_equal(*likeliest)
    sampled = [run(4, seed=seed)[0].scores for seed in (0, 0, 1)]
    np.testing.assert_array_equal(sampled[0], sampled[1])
    assert (sampled[0] != sampled[2]).any()


def test_evaluation_never_samples_with_the_seeds_of_training():
    _, agent = run(2, seed=7)
    assert {seed for seed, _ in agent.seeds} == {7 + module.POLICY_SEED}
    assert [index for _, index in agent.seeds] == list(range(7))


def test_evaluation_has_environments_of_other_seeds():
    tokens = []
    for options in ({}, {"evaluation": True}, {"start": 8}, {"evaluation": True}):
        envs = build_envs(settings(), **options)
        tokens.append(envs.recv()["token"].tolist())
        envs.close()
    assert tokens[1] == tokens[3]
    assert len({*map(tuple, tokens)}) == 3


def test_a_video_is_rendered_where_the_observation_has_none():
    result, _ = run(3, num=1, video=True)
    # The last episode: six pictures follow its seven records but for the last.
    assert result.videos["render"].shape == (7 - 1, 64, 64, 3)
    result, _ = run(3, num=1, task="dummy_image", inputs=("image",), video=True)
    assert set(result.videos) == {"image"} and len(result.videos["image"]) == 7
    assert not run(1)[0].videos


def test_an_evaluation_can_be_broken_off():
    result, agent = run(100, stop=lambda: True)
    assert result is None and len(agent.seeds) == 1


def test_the_json_has_statistics_and_every_score(tmp_path):
    result, _ = run(3)
    save_json(tmp_path / "eval" / "x.json", result, {"task": "dummy_disc"})
    saved = json.loads((tmp_path / "eval" / "x.json").read_text())
    assert saved["scores"] == result.scores.tolist() and saved["lengths"] == [7] * 3
    assert saved["score_iqm"] == result.metrics["score_iqm"]
    assert saved["task"] == "dummy_disc"
