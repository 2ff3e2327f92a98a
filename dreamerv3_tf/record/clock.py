"""When to do something, how often to train, and where the time goes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from typing import NamedTuple


class Every:
    """Whether so many seconds have passed since it last said yes.

    `0` means never and a negative number means on every call. Otherwise the first call
    starts the clock and says no. After a pause of several periods it says yes once.

    Source: LocalClock of the reference (ALGORITHM.md 13.5); its other clocks read 0
    and negative numbers the other way round, ours do not.

    Args:
        seconds: the period.
        now: source of the time, seconds.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic):
        self.seconds = seconds
        self._now = now
        self._previous: float | None = None

    def __call__(self) -> bool:
        if self.seconds <= 0:
            return self.seconds < 0
        now = self._now()
        if self._previous is None:
            self._previous = now
            return False
        if now < self._previous + self.seconds:
            return False
        self._previous = now
        return True


class Ratio:
    """How many train steps are due, so that there are `ratio` per step on average.

    The first call returns 1. Afterwards, with `p` the step paid for so far:

        n = ⌊(step − p) · ratio⌋,   p ← p + n / ratio

    Source: ALGORITHM.md 9.3.

    Args:
        ratio: train steps per agent step; 0 never trains.

    Raises:
        ValueError: `ratio` is negative.
    """

    def __init__(self, ratio: float):
        if not ratio >= 0:
            raise ValueError(f"Train steps per step must be 0 or more, not {ratio}.")
        self.ratio = ratio
        self._paid: float | None = None

    def __call__(self, step: int) -> int:
        if not self.ratio:
            return 0
        if self._paid is None:
            self._paid = float(step)
            return 1
        due = max(0, int((step - self._paid) * self.ratio))
        self._paid += due / self.ratio
        return due

    def state(self) -> dict[str, float | None]:
        """What a checkpoint keeps."""
        return {"paid": self._paid}

    def restore(self, state: dict[str, float | None]) -> None:
        """Goes on from `state()`; the ratio may have changed in between."""
        self._paid = state["paid"]


class Rate:
    """Events per second since the last question.

    Args:
        now: source of the time, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self._now = now
        self._start = now()
        self._count = 0

    def add(self, count: int = 1) -> None:
        """Counts `count` more events."""
        self._count += count

    def result(self, reset: bool = True) -> float:
        """Events per second; 0 where no time has passed."""
        now = self._now()
        elapsed = now - self._start
        rate = self._count / elapsed if elapsed > 0 else 0.0
        if reset:
            self._start, self._count = now, 0
        return rate


class Section(NamedTuple):
    """Time spent in a part of the program since the last reset.

    Attributes:
        share: part of the time that passed, 0 to 1; more where threads share a name.
        mean: seconds of one visit.
        longest: seconds of the longest visit.
        visits: visits that ended.
    """

    share: float
    mean: float
    longest: float
    visits: int


class Timer:
    """Where the time goes, by name of section.

        with timer("train"):
            agent.train(...)
        logger.add(timer.metrics(), prefix="time")

    A section that runs inside another counts in both. Threads may share a timer; a
    section of another thread may then run at the same time as the main one.

    Args:
        now: source of the time, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter):
        self._now = now
        self._lock = threading.Lock()
        self._start = now()
        self._spent: dict[str, list[float]] = {}  # total, longest, count

    @contextlib.contextmanager
    def __call__(self, name: str) -> Generator[None, None, None]:
        """A context manager that times its body, also where that raises."""
        start = self._now()
        try:
            yield
        finally:
            spent = self._now() - start
            with self._lock:
                total, longest, count = self._spent.get(name, (0.0, 0.0, 0))
                longest = max(longest, spent)
                self._spent[name] = [total + spent, longest, count + 1]

    def sections(self, reset: bool = True) -> dict[str, Section]:
        """Every section by name, those that took longest first.

        Args:
            reset: begin anew afterwards.
        """
        now = self._now()
        with self._lock:
            elapsed = max(now - self._start, 1e-9)
            spent = sorted(self._spent.items(), key=lambda item: -item[1][0])
            if reset:
                self._spent, self._start = {}, now
        return {
            name: Section(total / elapsed, total / count, longest, int(count))
            for name, (total, longest, count) in spent
        }

    def metrics(self, reset: bool = True) -> dict[str, float]:
        """`<section>/{share,mean,max,count}` as numbers for the log."""
        result = {}
        for name, section in self.sections(reset).items():
            result[f"{name}/share"] = section.share
            result[f"{name}/mean"] = section.mean
            result[f"{name}/max"] = section.longest
            result[f"{name}/count"] = float(section.visits)
        return result
