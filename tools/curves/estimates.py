"""Statistics over tasks and seeds, with intervals.

Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
precipice": interquartile mean, stratified bootstrap. Unlike their library these take
tasks with different numbers of seeds: every task weighs the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Sample(NamedTuple):
    """Scores of tasks and seeds; `R` draws of it at once.

    Attributes:
        scores: float64 `[R, tasks, seeds]`.
        weights: the same shape; sums to 1 over the seeds of each task, 0 where a task
            has no such seed.
    """

    scores: np.ndarray
    weights: np.ndarray


class Interval(NamedTuple):
    """A statistic and its bounds.

    Attributes:
        value: of the scores as they are.
        low, high: with 95 % confidence over seeds, the tasks held fixed; `None` where
            no task has two seeds.
        tasks_low, tasks_high: over seeds and tasks, as if the tasks were drawn at
            random too; `None` where there are fewer than two tasks.
    """

    value: float
    low: float | None
    high: float | None
    tasks_low: float | None
    tasks_high: float | None


def task_means(sample: Sample) -> np.ndarray:
    """Mean over seeds, `[R, tasks]`."""
    return (sample.scores * sample.weights).sum(-1)


def mean(sample: Sample) -> np.ndarray:
    """Mean over tasks of the mean over seeds, `[R]`."""
    return task_means(sample).mean(-1)


def median(sample: Sample) -> np.ndarray:
    """Median over tasks of the mean over seeds, `[R]`."""
    return np.median(task_means(sample), -1)


def iqm(sample: Sample) -> np.ndarray:
    """Mean of the middle half of all scores of all tasks and seeds, `[R]`.

    Scores at the quartiles count in part, so it is exact for any number of scores; for
    a multiple of four it is the mean without the lowest and the highest quarter.
    """
    scores = sample.scores.reshape(len(sample.scores), -1)
    weights = sample.weights.reshape(scores.shape)
    weights = weights / weights.sum(-1, keepdims=True)
    order = np.argsort(scores, -1)
    scores = np.take_along_axis(scores, order, -1)
    ends = np.cumsum(np.take_along_axis(weights, order, -1), -1)
    starts = np.concatenate([np.zeros_like(ends[:, :1]), ends[:, :-1]], -1)
    inside = np.clip(np.minimum(ends, 0.75) - np.maximum(starts, 0.25), 0, None)
    return (scores * inside).sum(-1) / inside.sum(-1)


def capped_mean(sample: Sample) -> np.ndarray:
    """Mean over tasks of the mean over seeds, each cut off at 1, `[R]`.

    On a human-normalised scale no task counts for more than a human player.
    """
    return np.minimum(task_means(sample), 1.0).mean(-1)


STATISTICS: dict[str, Callable[[Sample], np.ndarray]] = {
    "mean": mean,
    "median": median,
    "iqm": iqm,
    "capped mean": capped_mean,
}


def estimate(
    tasks: Sequence[Sequence[float]], *, resamples: int = 5000, seed: int = 0
) -> dict[str, Interval]:
    """Statistics of the scores of tasks, with percentile bootstrap intervals.

    Stratified: each draw takes, of every task, as many seeds as it has, with
    replacement.

    Args:
        tasks: scores of the seeds of each task; at least one task, one seed each.
        resamples: draws.
        seed: of the draws.
    """
    if not tasks or not all(len(scores) for scores in tasks):
        raise ValueError("Every task needs a score.")
    counts = np.array([len(scores) for scores in tasks])
    table = np.zeros((len(tasks), counts.max()))
    for row, scores in zip(table, tasks, strict=True):
        row[: len(scores)] = scores
    rng = np.random.default_rng(seed)
    fixed = np.arange(len(tasks))[None]
    every = np.arange(counts.max())[None, None]
    whole = _pick(table, counts, fixed, every)
    seeds = tasks_too = None
    if counts.max() > 1:
        seeds = _draw(rng, table, counts, np.repeat(fixed, resamples, 0))
    if len(tasks) > 1:
        picked = rng.integers(len(tasks), size=(resamples, len(tasks)))
        tasks_too = _draw(rng, table, counts, picked)
    return {
        name: Interval(
            float(statistic(whole)[0]),
            *_bounds(statistic, seeds),
            *_bounds(statistic, tasks_too),
        )
        for name, statistic in STATISTICS.items()
    }


def _draw(
    rng: np.random.Generator, table: np.ndarray, counts: np.ndarray, picked: np.ndarray
) -> Sample:
    """Seeds drawn with replacement for tasks `picked`, `[R, tasks]`."""
    shape = (*picked.shape, table.shape[1])
    drawn = (rng.random(shape) * counts[picked][..., None]).astype(int)
    return _pick(table, counts, picked, drawn)


def _pick(
    table: np.ndarray, counts: np.ndarray, picked: np.ndarray, drawn: np.ndarray
) -> Sample:
    """Scores of seeds `drawn` of tasks `picked`; a task's surplus places weigh 0."""
    number = counts[picked][..., None]
    there = np.arange(table.shape[1]) < number
    return Sample(table[picked[..., None], drawn], there / number)


def _bounds(
    statistic: Callable[[Sample], np.ndarray], sample: Sample | None
) -> tuple[float | None, float | None]:
    if sample is None:
        return None, None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(statistic(sample), [tail, 1 - tail])
    return float(low), float(high)
