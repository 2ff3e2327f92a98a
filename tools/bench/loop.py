"""Cases of whole trainings: where the time of the loop goes, and how fast it learns.

Both run the program as a person does, and read what it wrote: `metrics.jsonl` says how
long each section of the loop took since the line before.
"""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dreamerv3_tf.record.jsonlines import SCORE, read_jsonl

from .memory import MemoryWatch
from .programs import ROOT, computing
from .stopwatch import Stopwatch

TASK = "dmc_cartpole_balance"
STEPS, QUICK_STEPS = 16_000, 400
"""Agent steps of a run of the case `loop`: long enough for a report, every 300 s."""

RUNS = 3
"""Runs of the case `loop`, one after the other; fewer where `--repeat` says so."""

LEARNING_STEPS = 24_000
MARKS = (4_000, 16_000, 24_000, 36_000, 48_000)
"""Environment frames at which the case `learning` takes the score."""

GROUPS = {
    "train_or_environments": ("train", "environment"),
    "train": ("train",),
    "environments": ("environment",),
    "waiting_for_data": ("batch",),
    "policy": ("policy",),
    "replay": ("store", "write_back"),
    "logging": ("log", "report"),
    "checkpoints": ("save",),
}
"""Sections of the loop by figure; each is a part of the wall time."""


class Window(NamedTuple):
    """Time between two lines of metrics.

    Attributes:
        seconds: that passed.
        spent: seconds in each section of the loop.
    """

    seconds: float
    spent: dict[str, float]


def loop(case: dict, watch: Stopwatch) -> None:
    """Parts of the wall time of a training, from its second line of metrics on.

    The line in which the first train step is, and those before, are left out: there the
    program starts and compiles. On an accelerator a train step goes on after `train`,
    and the wait for it is part of `replay`, where latents are fetched.
    """
    quick = case["quick"]
    steps = QUICK_STEPS if quick else STEPS
    settings = [f"run.steps={steps}", *(["log.every=0.5"] if quick else [])]
    shares: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {}
    for seed in range(1 if quick else min(case["repeats"], RUNS)):
        with training(case, [*settings, f"seed={seed}"]) as run:
            lines = read_jsonl(run.folder / "metrics.jsonl")
        found = find_shares(steady(windows(lines)))
        for name, share in found.items():
            shares.setdefault(name, []).append(share)
        for name, size in run.watch.peaks.items():
            peaks.setdefault(name, []).append(size)
    for name, values in shares.items():
        better = "high" if name in ("train_or_environments", "train") else "low"
        watch.values(f"share_{name}", values, "of wall time", better)
    for name, sizes in peaks.items():
        watch.values(f"peak_memory_{name}", [x / 2**20 for x in sizes], "MiB", "low")


def learning(case: dict, watch: Stopwatch) -> None:
    """Seconds that a training from the shell takes for 48k frames, and its scores."""
    seconds: list[float] = []
    scores: dict[int, list[float]] = {}
    for seed in case["seeds"]:
        with training(case, [f"run.steps={LEARNING_STEPS}", f"seed={seed}"]) as run:
            lines = read_jsonl(run.folder / "scores.jsonl")
        seconds.append(run.seconds)
        for mark in MARKS:
            scores.setdefault(mark, []).append(score_at(lines, mark))
    watch.values("seconds", seconds, "s", "low")
    for mark, values in scores.items():
        watch.values(f"score_{mark // 1000}k", values, "reward", "high")


class Training(NamedTuple):
    """A training that has ended.

    Attributes:
        folder: what it wrote.
        seconds: from the shell to its end.
        watch: its memory.
    """

    folder: pathlib.Path
    seconds: float
    watch: MemoryWatch


@contextlib.contextmanager
def training(case: dict, settings: Sequence[str]):
    """Trains with the preset `quick`, and gives the `Training`; its folder goes away
    afterwards.

    Raises:
        RuntimeError: the program fails; with the end of what it printed.
    """
    size = case["size"]
    presets = [f"size{size}" if size[:1].isdigit() else size, "quick"]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        command = [
            *(sys.executable, "-m", "dreamerv3_tf.main", "--task", TASK),
            *("--preset", ",".join(presets), "--logdir", folder),
            *(*computing(case), *settings, *case["settings"]),
        ]
        start = time.perf_counter()
        with (path / "output.txt").open("w") as output:
            program = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                with MemoryWatch(program.pid, interval=0.5, replay=True) as watch:
                    status = program.wait()
            finally:
                program.kill()
        seconds = time.perf_counter() - start
        if status:
            tail = (path / "output.txt").read_text()[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {status}: {tail}")
        yield Training(path, seconds, watch)


def windows(lines: Iterable[Mapping[str, float]]) -> list[Window]:
    """What each line of `metrics.jsonl` says about the time since the one before."""
    found = []
    for line in lines:
        names = [key.split("/")[1] for key in line if key.endswith("/share")]
        spent = {
            name: line[f"time/{name}/mean"] * line[f"time/{name}/count"]
            for name in names
        }
        if spent:
            longest = max(spent, key=lambda name: spent[name])
            found.append(Window(spent[longest] / line[f"time/{longest}/share"], spent))
    return found


def steady(found: Sequence[Window]) -> list[Window]:
    """What comes after the window with the first train step.

    Raises:
        RuntimeError: nothing does.
    """
    first = next((i for i, window in enumerate(found) if "train" in window.spent), None)
    if first is None or not found[first + 1 :]:
        raise RuntimeError("The run is too short: raise run.steps or lower log.every.")
    return list(found[first + 1 :])


def find_shares(found: Sequence[Window]) -> dict[str, float]:
    """Parts of the wall time of all windows together, by figure.

    `other` is what is left without the groups: sections that are in none, and what the
    loop does between its sections.
    """
    total = sum(window.seconds for window in found)
    shares = {
        name: sum(window.spent.get(x, 0.0) for window in found for x in sections)
        / total
        for name, sections in GROUPS.items()
    }
    grouped = {section for sections in GROUPS.values() for section in sections}
    spent = sum(window.spent.get(x, 0.0) for window in found for x in grouped)
    return {**shares, "other": 1 - spent / total}


def score_at(lines: Sequence[Mapping[str, float]], frames: int) -> float:
    """Mean score of the last ten episodes that had ended by then; NaN without any."""
    scores = [line[SCORE] for line in lines if line["step"] <= frames][-10:]
    return sum(scores) / len(scores) if scores else float("nan")
