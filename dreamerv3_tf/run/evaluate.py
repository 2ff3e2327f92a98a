"""Episodes without learning, and what they say about the agent."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.record.metrics import Episode, EpisodeStats, Metrics
from dreamerv3_tf.run.driver import Driver
from dreamerv3_tf.run.session import Acting
from dreamerv3_tf.run.vector import VectorEnv

POLICY_SEED = 1 << 20  # added to the seed of the run: training never samples with it
RESAMPLES = 2000  # bootstrap draws of an interval


class Evaluation(NamedTuple):
    """What an evaluation found.

    Attributes:
        scores: float64 `[episodes]`, sums of rewards.
        lengths: int64 `[episodes]`, records with the first one.
        metrics: numbers to log under `eval/`.
        videos: uint8 `[T, H, W, C]` by name, of the first environment.
    """

    scores: np.ndarray
    lengths: np.ndarray
    metrics: dict[str, float]
    videos: dict[str, np.ndarray]


def evaluate(
    agent: Agent,
    envs: VectorEnv,
    *,
    episodes: int,
    mode: str,
    seed: int,
    video: bool = False,
    on_episode: Callable[[Episode], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    summarize: Callable[[dict[str, float]], dict[str, float]] = lambda _: {},
) -> Evaluation | None:
    """Runs episodes; the agent does not learn.

    Each environment contributes its first episodes, an equal number of them up to one,
    so short episodes do not count more often than long ones.

    Args:
        agent: the agent.
        envs: environments just made: they have not been stepped.
        episodes: how many.
        mode: `sample` or `mode`.
        seed: of the run.
        video: keep pictures of the first environment, rendered where the observation
            has none.
        on_episode: called with each episode that counts.
        stop: asked after each step whether to break off.
        summarize: gives more numbers that follow from the rates; see `env_summary`.

    Returns:
        What was found; `None` if it was broken off.
    """
    quota = np.full(envs.num, episodes // envs.num)
    quota[: episodes % envs.num] += 1
    counted: list[Episode] = []
    frames: list[np.ndarray] = []

    def keep(episode: Episode) -> None:
        if quota[episode.env] > 0:
            quota[episode.env] -= 1
            counted.append(episode)
            if on_episode:
                on_episode(episode)

    stats = EpisodeStats(envs.num, 1000 if video else 0, on_episode=keep)
    driver = Driver(envs, Acting(agent, seed + POLICY_SEED, mode), [stats])
    images = any(space.image for space in agent.obs_space.values())
    while quota.any():
        transition = driver.step()
        if stop():
            return None
        if video and not images and quota[0] > 0:
            if transition["is_first"][0]:
                frames.clear()  # as with images, the last episode is kept
            frames.append(envs.render(0))
    videos = {}
    for episode in counted:
        videos.update(episode.videos)
    if frames:
        videos["render"] = np.stack(frames[-1000:])
    scores = np.array([episode.score for episode in counted])
    lengths = np.array([episode.length for episode in counted])
    means = rates(counted)
    metrics = means | summarize(means) | summary(scores, lengths, seed)
    return Evaluation(scores, lengths, metrics, videos)


def rates(episodes: list[Episode]) -> dict[str, float]:
    """Means of what counts once in an episode: the rate of each milestone."""
    metrics = Metrics()
    for episode in episodes:
        metrics.add(episode.maxima)
    return metrics.result()


def summary(scores: np.ndarray, lengths: np.ndarray, seed: int) -> dict[str, float]:
    """Statistics of the scores of an evaluation.

    `score_iqm` is the mean of the middle half of the scores; `low` and `high` bound it
    with 95 % confidence (percentile bootstrap over episodes). Source: Agarwal et al.
    2021, "Deep RL at the edge of the statistical precipice".
    """
    rng = np.random.default_rng(seed)
    draws = rng.choice(scores, (RESAMPLES, len(scores)))
    low, high = np.quantile(interquartile_mean(draws), [0.025, 0.975])
    return {
        "episodes": float(len(scores)),
        "score_mean": float(scores.mean()),
        "score_median": float(np.median(scores)),
        "score_std": float(scores.std()),
        "score_min": float(scores.min()),
        "score_max": float(scores.max()),
        "score_iqm": float(interquartile_mean(scores)),
        "score_iqm_low": float(low),
        "score_iqm_high": float(high),
        "length_mean": float(lengths.mean()),
    }


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Mean of the middle half along the last axis, ends weighted in part.

    With four scores or fewer a quarter is less than one or exactly one score; the
    weights make the result exact for any count.
    """
    ordered = np.sort(scores, axis=-1)
    count = ordered.shape[-1]
    edges = np.arange(count + 1) / count
    inside = np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25)
    weights = np.maximum(inside, 0)
    return (ordered * weights).sum(-1) / weights.sum()


def save_json(path: pathlib.Path, result: Evaluation, facts: dict[str, Any]) -> None:
    """Writes an evaluation as JSON: statistics, every score, and how it was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {
        **facts,
        **result.metrics,
        "scores": result.scores.tolist(),
        "lengths": result.lengths.tolist(),
    }
    path.write_text(json.dumps(data, indent=2) + "\n")
