"""From what ran when to where the time of a step went."""

from __future__ import annotations

import collections
import statistics
from collections.abc import Mapping
from typing import NamedTuple

from .parts import TITLES, find_part, is_backward
from .trace import Span, Trace

PICO = 1e-12


class Share(NamedTuple):
    """Where time goes.

    Attributes:
        part: a key of `parts.TITLES`.
        backward: whether it is that part's gradient.
    """

    part: str
    backward: bool


Spent = dict[Share, float]


class Kernel(NamedTuple):
    """One operation.

    Attributes:
        share: its part.
        kernel: what ran.
        origin: the operation's full name.
        shape: of its result.
        seconds: its part of the wall time of a step, median over steps.
        calls: per step.
    """

    share: Share
    kernel: str
    origin: str
    shape: str
    seconds: float
    calls: float


class Breakdown(NamedTuple):
    """Where the time of steps went.

    Attributes:
        steps: wall seconds of each profiled step.
        parts: for each share of a step, seconds in each step; over all shares they add
            up to `steps`.
        kernels: the operations, those that take longest first.
    """

    steps: list[float]
    parts: dict[Share, list[float]]
    kernels: list[Kernel]

    def fraction(self, share: Share) -> float:
        """Of a typical step: medians over steps, scaled so that all add up to 1.

        Medians, as another program may stop a single step for a while.
        """
        return self._median(share) / sum(map(self._median, self.parts))

    def seconds(self, share: Share) -> float:
        """Of a step of median length; over all shares they add up to it."""
        return self.fraction(share) * statistics.median(self.steps)

    def _median(self, share: Share) -> float:
        times = self.parts.get(share, [0.0] * len(self.steps))
        pairs = zip(times, self.steps, strict=True)
        return statistics.median(time / step for time, step in pairs)


def break_down(trace: Trace) -> Breakdown:
    """Gives each moment of each step to what ran then.

    Where several threads run operations at once, the moment is shared equally between
    them, so the parts add up to the wall time. A moment without any operation is of
    part `fetch` while results are fetched, of `dispatch` while TensorFlow runs a
    function, else of `python`.
    """
    shares = [name_share(operation.origin) for operation in trace.operations]
    steps = [(end - start) * PICO for start, end in trace.steps]
    parts: dict[Share, list[float]] = {}
    kernels: dict[int, list[float]] = {}
    calls = collections.Counter[int]()
    for number, step in enumerate(trace.steps):
        spent, idle = sweep(trace.threads, step)
        for what, time in spent.items():
            kernels.setdefault(what, [0.0] * len(steps))[number] = time * PICO
        for share, time in add_idle(sum_parts(spent, shares), idle, trace).items():
            parts.setdefault(share, [0.0] * len(steps))[number] = time * PICO
        calls.update(count_calls(trace.threads, step))
    found = [
        Kernel(
            shares[what],
            *trace.operations[what],
            statistics.median(times),
            calls[what] / len(steps),
        )
        for what, times in kernels.items()
    ]
    found.sort(key=lambda kernel: -kernel.seconds)
    return Breakdown(steps, parts, found)


def sum_parts(spent: Mapping[int, float], shares: list[Share]) -> Spent:
    """Time of each share from that of each operation."""
    found: Spent = {}
    for what, time in spent.items():
        found[shares[what]] = found.get(shares[what], 0.0) + time
    return found


def add_idle(spent: Spent, idle: list[tuple[int, int]], trace: Trace) -> Spent:
    """The time of each share, with the time in which no operation ran."""
    fetching, running = overlap(idle, trace.fetches), overlap(idle, trace.runs)
    left = sum(end - start for start, end in idle) - fetching - running
    names = {"fetch": fetching, "dispatch": running, "python": left}
    return {**spent, **{Share(name, False): t for name, t in names.items()}}


def name_share(origin: str) -> Share:
    """The share that an operation's name tells."""
    part = find_part(origin) or "rest"
    return Share(part, is_backward(origin) and part in TITLES)


def sweep(threads: list[list[Span]], window: tuple[int, int]):
    """Goes through the moments of a step.

    Returns:
        `({what: picoseconds}, idle spans as (start, end))`.
    """
    begin, end = window
    moments = []
    for thread in threads:
        for span in thread:
            start, stop = max(span.start, begin), min(span.end, end)
            if start < stop:
                moments += [(start, 1, span.what), (stop, -1, span.what)]
    moments.sort()
    spent = collections.Counter[int]()
    active = collections.Counter[int]()
    idle, clock, running = [], begin, 0
    for moment, change, what in [*moments, (end, 0, -1)]:
        passed = moment - clock
        if passed and running:
            for name, times in active.items():
                spent[name] += passed * times / running
        elif passed:
            idle.append((clock, moment))
        clock = moment
        running += change
        active[what] += change
        if not active[what]:
            del active[what]
    return spent, idle


def overlap(spans: list[tuple[int, int]], others: list[tuple[int, int]]) -> int:
    """How much of the spans lies in others; no two of either overlap."""
    total = 0
    for start, end in others:
        total += sum(max(0, min(end, e) - max(start, s)) for s, e in spans)
    return total


def count_calls(threads: list[list[Span]], window: tuple[int, int]):
    """How often each operation began in a step."""
    begin, end = window
    count = collections.Counter[int]()
    for thread in threads:
        for span in thread:
            if span.first and begin <= span.start < end:
                count[span.what] += 1
    return count
