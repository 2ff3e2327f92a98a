"""Means of metrics between two writes of the log, and statistics of episodes."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

RULES = ("mean", "sum", "max", "min", "last")
"""Ways to make one value out of many."""

MAX = "log/max/"
"""Beginning of entries of which the largest value in an episode counts."""


def stack_values(values: Sequence[Any]) -> np.ndarray:
    """Numbers or tensors of one shape `[...]` as one numpy array `[n, ...]`."""
    return np.stack([np.asarray(value) for value in values])


class Metrics:
    """Aggregates values by name until `result` is asked for.

    A value may be a number, an array, a tensor on a device or a string. Tensors are
    kept as they are: adding never waits for the device. Numbers are averaged, strings
    and arrays keep the last value, unless `how` asks for another of `RULES`.

        metrics.add({"loss/dyn": tensor})           # on every train step
        metrics.add({"time/stall": 0.2}, how="max")
        logger.add(metrics.result())                # every two minutes

    Args:
        stack: makes one numpy array `[n, ...]` of the `n` values collected under one
            name; `lambda values: tf.stack(values).numpy()` fetches them in one go.
        limit: values kept under one name before they are fetched ahead of time, so
            that a slow log cannot fill the memory of the device.
    """

    def __init__(
        self,
        stack: Callable[[Sequence[Any]], np.ndarray] = stack_values,
        limit: int = 1024,
    ):
        self._stack = stack
        self._limit = limit
        self._series: dict[str, _Series] = {}

    def add(
        self, values: Mapping[str, Any], prefix: str = "", how: str | None = None
    ) -> None:
        """Takes one more value of each name.

        Args:
            values: value by name.
            prefix: put before each name, with a slash.
            how: one of `RULES`; by default `mean` for numbers, `last` for the rest.

        Raises:
            ValueError: `how` is unknown, or differs from that of earlier values.
        """
        if how is not None and how not in RULES:
            raise ValueError(f"Unknown rule '{how}'. Rules: {', '.join(RULES)}.")
        for name, value in values.items():
            name = f"{prefix}/{name}" if prefix else name
            is_number = not isinstance(value, str) and getattr(value, "shape", ()) == ()
            rule = how or ("mean" if is_number else "last")
            series = self._series.setdefault(name, _Series(rule))
            if series.rule != rule:
                raise ValueError(
                    f"Metric '{name}' was aggregated by {series.rule} so far, "
                    f"now by {rule}. Use one rule per name, or two names."
                )
            if rule == "last":
                series.pending.clear()
            series.pending.append(value)
            if rule != "last" and len(series.pending) >= self._limit:
                series.fold(self._stack)

    def result(self, reset: bool = True) -> dict[str, Any]:
        """One value per name: a float, an array or a string. Waits for the device.

        Args:
            reset: begin anew afterwards.
        """
        result = {name: s.result(self._stack) for name, s in self._series.items()}
        if reset:
            self._series = {}
        return result


class _Series:
    """What was added under one name: fetched values in `total`, others pending."""

    def __init__(self, rule: str):
        self.rule = rule
        self.pending: list[Any] = []
        self.total: np.ndarray | None = None
        self.count = 0

    def fold(self, stack: Callable[[Sequence[Any]], np.ndarray]) -> None:
        values = np.asarray(stack(self.pending), np.float64)  # [n, ...]
        if self.total is not None:
            values = np.concatenate([self.total[None], values])
        reduce = {"max": np.max, "min": np.min}.get(self.rule, np.sum)
        self.total = np.asarray(reduce(values, axis=0))
        self.count += len(self.pending)
        self.pending.clear()

    def result(self, stack: Callable[[Sequence[Any]], np.ndarray]) -> Any:
        if self.rule == "last":
            value = self.pending[-1]
            return value if isinstance(value, str) else _plain(np.asarray(value))
        if self.pending:
            self.fold(stack)
        assert self.total is not None, self.rule
        mean = self.rule == "mean"
        return _plain(self.total / self.count if mean else self.total)


def _plain(value: np.ndarray) -> float | np.ndarray:
    return value if value.shape else float(value)


class Episode(NamedTuple):
    """An episode that ended.

    Attributes:
        env: index of the environment.
        score: sum of rewards, reward units.
        length: records including the first, so actions + 1.
        metrics: `score`, `length`, `reward_rate`, `log/<key>/{avg,max,sum}` and
            `maxima`; numbers, to be logged under `episode/`.
        videos: uint8 `[T, H, W, C]` by image key; of environment 0 only.
        maxima: largest value of each entry `log/max/<name>`, by `<name>`.
    """

    env: int
    score: float
    length: int
    metrics: dict[str, float]
    videos: dict[str, np.ndarray]
    maxima: dict[str, float]


class EpisodeStats:
    """Follows the episodes of `N` environments; a callback of the driver.

    Calling it with a transition, `{key: [N, ...]}`, returns the episodes that this
    transition ended. `reward_rate` is the share of steps on which the reward differs
    from that of the step before by at least 0.01; an episode of one record has none.
    An episode that was under way when the process began, or that breaks off (the next
    `is_first` comes without an `is_last`), is not counted; `abandoned` counts the
    latter. Of an entry `log/max/<name>` only the largest value counts, and it is called
    `<name>`: what is reached once in an episode, such as `milestone/log`.

    Source: embodied/run/train.py of the reference (ALGORITHM.md 13.3).

    Args:
        num_envs: `N`.
        video_frames: frames kept of an episode of environment 0, the last ones; 0
            turns videos off.
        window: episodes in the rolling mean of scores.
        on_episode: called with each episode that ends.

    Call raises:
        ValueError: the transition is not of `N` environments, or a `log/` entry is
            neither a number nor an image.
    """

    def __init__(
        self,
        num_envs: int,
        video_frames: int = 1000,
        window: int = 10,
        on_episode: Callable[[Episode], None] | None = None,
    ):
        self.num_envs = num_envs
        self.episodes = 0
        self.abandoned = 0
        self._recent: collections.deque[float] = collections.deque(maxlen=window)
        self._on_episode = on_episode
        self._video_frames = video_frames
        self._frames: dict[str, collections.deque[np.ndarray]] = {}
        self._active = np.zeros(num_envs, bool)
        self._length = np.zeros(num_envs, np.int64)
        self._score = np.zeros(num_envs, np.float64)
        self._changes = np.zeros(num_envs, np.int64)
        self._reward = np.zeros(num_envs, np.float32)
        self._keys: list[str] = []
        self._sums = np.zeros((0, num_envs))  # [keys, N]
        self._maxima = np.zeros((0, num_envs))

    @property
    def recent_score(self) -> float:
        """Mean score of the last `window` episodes; NaN before the first ends."""
        return float(np.mean(self._recent)) if self._recent else float("nan")

    def __call__(self, transition: Mapping[str, np.ndarray]) -> list[Episode]:
        first, last = transition["is_first"], transition["is_last"]
        reward = transition["reward"].astype(np.float32)
        if reward.shape != (self.num_envs,):
            raise ValueError(
                f"Transition with reward of shape {reward.shape}; episode statistics "
                f"were made for {self.num_envs} environments."
            )
        self.abandoned += int((first & self._active).sum())
        self._active |= first
        self._length = np.where(first, 0, self._length) + 1
        self._score = np.where(first, 0.0, self._score) + reward
        changed = ~first & (np.abs(reward - self._reward) >= 0.01)
        self._changes = np.where(first, 0, self._changes) + changed
        self._reward = reward
        self._add_entries(transition, first)
        finished = np.flatnonzero(last & self._active)
        episodes = [self._finish(int(env)) for env in finished]
        self._active &= ~last
        for episode in episodes:
            self.episodes += 1
            self._recent.append(episode.score)
            if self._on_episode:
                self._on_episode(episode)
        return episodes

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: the finished episodes, not those under way."""
        return {"episodes": self.episodes, "recent": list(self._recent)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state()` of an earlier process."""
        self.episodes = int(state["episodes"])
        self._recent.clear()
        self._recent.extend(state["recent"])

    def running(self) -> dict[str, float]:
        """Means over the episodes under way: `score` so far, and `log/max` entries.

        Nothing where no episode is under way.
        """
        active = self._active
        if not active.any():
            return {}
        result = {"score": float(self._score[active].mean())}
        for key, maximum in zip(self._keys, self._maxima, strict=True):
            if key.startswith(MAX):
                result[key.removeprefix(MAX)] = float(maximum[active].mean())
        return result

    def frames(self, count: int) -> dict[str, np.ndarray]:
        """The last `count` frames of the episode of environment 0 that is under way.

        Returns:
            uint8 `[count, H, W, C]` by image key; nothing where it has fewer so far.
        """
        return {
            key: np.stack(list(frames)[-count:])
            for key, frames in self._frames.items()
            if len(frames) >= count
        }

    def _add_entries(
        self, transition: Mapping[str, np.ndarray], first: np.ndarray
    ) -> None:
        keys = []
        for key, value in transition.items():
            if value.dtype == np.uint8 and value.ndim == 4:
                self._add_frame(key, value[0], bool(first[0]))
            elif key.startswith("log/"):
                if value.shape != (self.num_envs,):
                    raise ValueError(
                        f"Entry '{key}' has shape {value.shape[1:]} per environment; "
                        "entries under log/ are numbers or uint8 images [H, W, C]."
                    )
                keys.append(key)
        if not keys:
            return
        values = np.stack([transition[key] for key in keys]).astype(np.float64)
        if keys != self._keys:
            self._keys, self._maxima = keys, values
            self._sums = np.zeros_like(values)
        self._sums = np.where(first, 0.0, self._sums) + values
        self._maxima = np.where(first, values, np.maximum(self._maxima, values))

    def _add_frame(self, key: str, frame: np.ndarray, first: bool) -> None:
        if not self._video_frames:
            return
        if first or key not in self._frames:
            self._frames[key] = collections.deque(maxlen=self._video_frames)
        if self._active[0]:
            self._frames[key].append(frame.copy())  # the driver reuses its arrays

    def _finish(self, env: int) -> Episode:
        length, score = int(self._length[env]), float(self._score[env])
        metrics = {"score": score, "length": float(length)}
        if length > 1:
            metrics["reward_rate"] = float(self._changes[env] / (length - 1))
        maxima = {}
        for key, total, maximum in zip(
            self._keys, self._sums[:, env], self._maxima[:, env], strict=True
        ):
            if key.startswith(MAX):
                maxima[key.removeprefix(MAX)] = float(maximum)
                continue
            metrics[f"{key}/avg"] = float(total / length)
            metrics[f"{key}/max"] = float(maximum)
            metrics[f"{key}/sum"] = float(total)
        metrics |= maxima
        videos = {}
        if env == 0:
            videos = {key: np.stack(list(f)) for key, f in self._frames.items() if f}
            self._frames.clear()
        return Episode(env, score, length, metrics, videos, maxima)
