"""Averages of points in ranges of frames, and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .runs import Points


class Curve(NamedTuple):
    """Values over frames.

    Attributes:
        frames: `[bins]`, right end of each bin.
        mean: `[bins]`, mean over seeds of the mean of each.
        std: `[bins]`, population standard deviation over seeds.
        low: `[bins]`, least value of a seed.
        high: `[bins]`, greatest one.
        seeds: int64 `[bins]`, seeds that have a value there.
    """

    frames: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: np.ndarray


def bin_means(points: Points, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and number of the values in each `(edges[i], edges[i + 1]]`.

    What is logged at frame 0, before the first step, counts in a bin that begins there.

    Returns:
        `[bins]` each; the mean of an empty bin is 0.
    """
    count = len(edges) - 1
    place = np.searchsorted(edges, points.frames, side="left") - 1
    place = np.where((points.frames == 0) & (edges[0] == 0), 0, place)
    inside = (place >= 0) & (place < count)
    place, numbers = place[inside], points.values[inside]
    counts = np.bincount(place, minlength=count)
    sums = np.bincount(place, weights=numbers, minlength=count)
    return sums / np.maximum(counts, 1), counts


def mean_between(points: Points, low: float, high: float) -> float | None:
    """Mean of the values in `(low, high]`, `None` where there are none."""
    means, counts = bin_means(points, np.array([low, high], float))
    return float(means[0]) if counts[0] else None


def average(seeds: Sequence[Points], edges: np.ndarray) -> Curve:
    """The curve of several seeds; bins in which none has a value are left out."""
    binned = [bin_means(points, edges) for points in seeds]
    means = np.array([mean for mean, _ in binned])
    there = np.array([count > 0 for _, count in binned])
    used = there.any(0)
    means, there = means[:, used], there[:, used]
    number = there.sum(0)
    mean = np.where(there, means, 0).sum(0) / number
    spread = np.where(there, (means - mean) ** 2, 0).sum(0) / number
    return Curve(
        frames=np.asarray(edges)[1:][used],
        mean=mean,
        std=np.sqrt(spread),
        low=np.where(there, means, np.inf).min(0),
        high=np.where(there, means, -np.inf).max(0),
        seeds=number,
    )
