"""Repeated measurements: wall and CPU seconds, memory, and the noise of others."""

from __future__ import annotations

import math
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psutil

from .memory import MemoryWatch

MEBI = 2**20


class Skip(Exception):
    """The case cannot be measured here; the message says why."""


class Reading(NamedTuple):
    """Clocks at one moment, all in seconds.

    Attributes:
        wall: elapsed.
        own: CPU time of this process and the processes that it started.
        machine: CPU time of the whole machine.
    """

    wall: float
    own: float
    machine: float


class Stopwatch:
    """Collects the figures of one case, which has this process to itself.

    Args:
        name: of the case; begins the names of its figures.
        repeats: measurements of each figure.
        block: seconds that a measurement takes at least, by repeating short calls.
        memory: watches this process from the beginning of the case on.
    """

    def __init__(
        self,
        name: str,
        repeats: int,
        block: float,
        memory: MemoryWatch | None = None,
    ):
        self.name, self.repeats, self.block = name, repeats, block
        self.figures: list[dict[str, Any]] = []
        self.watch = memory

    def seconds(self, figure: str, call: Callable[[], Any], scale: str = "s") -> None:
        """Time of a call, in `s` or `ms`; `call` has been warmed up."""
        factor = {"s": 1.0, "ms": 1e3}[scale]
        self._measure(figure, call, scale, "low", lambda wall: wall * factor)

    def rate(self, figure: str, call: Callable[[], Any], unit: str, amount=1.0) -> None:
        """How many `unit` a second, where a call does `amount` of them."""
        self._measure(figure, call, f"{unit}/s", "high", lambda wall: amount / wall)

    def once(self, figure: str, call: Callable[[], Any]) -> Any:
        """Seconds of something that happens once in a process; returns its result."""
        start = read_clocks()
        result = call()
        self._add(figure, "s", "low", [lap(start)], 1, lambda wall: wall)
        return result

    def laps(self, figure: str, call: Callable[[], Any], repeats: int) -> None:
        """Seconds of something slow, such as a program; never repeated to fill time."""
        laps = []
        for _ in range(repeats):
            start = read_clocks()
            call()
            laps.append(lap(start))
        self._add(figure, "s", "low", laps, 1, lambda wall: wall)

    def values(self, figure: str, values: list[float], unit: str, better: str) -> None:
        """What was measured in another way; `better` is `low` or `high`."""
        self._record(figure, unit, better, values, {})

    def memory(self, figure: str = "peak_memory", size: int | None = None) -> None:
        """Largest resident memory so far of this process and its running children.

        Where memory is watched, a second figure `peak_anonymous…` is what no file
        backs: without code of libraries and pages of the replay, which the kernel may
        drop.
        """
        known = peak_memory() if size is None else size
        self.values(figure, [known / MEBI], "MiB", "low")
        if size is None and self.watch:
            self.watch.sample()
            name = figure.replace("peak_memory", "peak_anonymous")
            self.values(name, [self.watch.peaks["anonymous"] / MEBI], "MiB", "low")

    def _measure(self, figure, call, unit: str, better: str, value) -> None:
        calls = self._calls(call)
        laps = []
        for _ in range(self.repeats):
            start = read_clocks()
            for _ in range(calls):
                call()
            laps.append(lap(start))
        self._add(figure, unit, better, laps, calls, value)

    def _calls(self, call) -> int:
        """How many calls fill a block, by the fastest of a few."""
        once, begin = math.inf, time.perf_counter()
        for _ in range(10):
            start = time.perf_counter()
            call()
            now = time.perf_counter()
            once = min(once, now - start)
            if now - begin > self.block:
                break
        return max(1, min(10_000, math.ceil(self.block / max(once, 1e-7))))

    def _add(self, figure, unit, better, laps: list[Reading], calls: int, value):
        wall = [item.wall / calls for item in laps]
        total = sum(item.wall for item in laps)
        others = max(0.0, sum(item.machine - item.own for item in laps) / total)
        details = {
            "calls": calls,
            "wall_seconds": statistics.median(wall),
            "cpu_seconds": statistics.median(item.own / calls for item in laps),
            # The machine's clock ticks every 10 ms: too coarse for less than this.
            "other_cores": others if total >= 0.1 else None,
        }
        self._record(figure, unit, better, [value(x) for x in wall], details)

    def _record(self, figure, unit, better, values: list[float], details: dict):
        empty = dict.fromkeys(("calls", "wall_seconds", "cpu_seconds", "other_cores"))
        self.figures.append(
            {
                "name": f"{self.name}/{figure}",
                "unit": unit,
                "better": better,
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
                "repeats": len(values),
                **empty,
                **details,
            }
        )


def read_clocks() -> Reading:
    """The clocks now; the wall last, so that reading them costs a lap nothing."""
    own, machine = tree_seconds(), machine_seconds()
    return Reading(time.perf_counter(), own, machine)


def lap(start: Reading) -> Reading:
    """What passed since `start`."""
    wall = time.perf_counter()
    own, machine = tree_seconds(), machine_seconds()
    return Reading(wall - start.wall, own - start.own, machine - start.machine)


def tree_seconds() -> float:
    """CPU seconds of this process, its ended children and all running descendants."""
    times = psutil.Process().cpu_times()
    total = time.process_time() + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended since the list was made
        total += times.user + times.system
    return total


def machine_seconds() -> float:
    """CPU seconds of everything on this machine, since it started."""
    times = psutil.cpu_times()
    steps = ("user", "nice", "system", "irq", "softirq")
    return sum(getattr(times, step, 0.0) for step in steps)


def peak_memory() -> int:
    """Bytes: sum of the largest resident memory of this process and its children."""
    me = psutil.Process()
    return sum(process_peak(p) for p in [me, *me.children(recursive=True)])


def process_peak(process: psutil.Process) -> int:
    """Bytes of a process' largest resident memory; where not told, of its current one.

    `ru_maxrss` would not do: it begins with the memory of the process that forked.
    """
    path = pathlib.Path(f"/proc/{process.pid}/status")
    if not psutil.LINUX:
        return process.memory_info().rss
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended since the list was made
    peaks = [int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:"]
    return peaks[0] if peaks else 0
