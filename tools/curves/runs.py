"""Runs as their folders show them, and the points of their metrics."""

from __future__ import annotations

import fnmatch
import json
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dreamerv3_tf import presets, values
from dreamerv3_tf.config import walk
from dreamerv3_tf.merging import read_file
from dreamerv3_tf.record.jsonlines import NOT_FINITE, read_jsonl
from dreamerv3_tf.values import ConfigError

SCORE = "episode/score"
FREE = (*presets.FREE_TO_CHANGE, "seed", "compute.*")
"""Settings that may differ between runs that are seeds of each other."""


class RunError(Exception):
    """A folder or file is not as a run leaves it; one line says which and why."""


class Run(NamedTuple):
    """What is known of a run.

    Attributes:
        folder: where it lies.
        task: `suite_name`; `None` where there is no `config.yaml`.
        seed: of the run, `None` likewise.
        settings: text of each setting by its full name; empty likewise.
        facts: what stands beside each of its scores, such as the backend of a game.
    """

    folder: pathlib.Path
    task: str | None
    seed: int | None
    settings: Mapping[str, str]
    facts: Mapping[str, str]

    @property
    def name(self) -> str:
        """Short name for people."""
        return self.folder.name


class Points(NamedTuple):
    """A metric of a run.

    Attributes:
        frames: int64 `[points]`, environment frames, not decreasing.
        values: float64 `[points]`.
    """

    frames: np.ndarray
    values: np.ndarray


class Group(NamedTuple):
    """Runs of one task that differ in their seeds only.

    Attributes:
        label: short name for people.
        runs: by seed.
    """

    label: str
    runs: tuple[Run, ...]

    @property
    def task(self) -> str | None:
        """Task of all the runs."""
        return self.runs[0].task


def find_runs(paths: Iterable[pathlib.Path]) -> list[Run]:
    """The runs in folders: each is a run, or has runs somewhere below it.

    Raises:
        RunError: there is none, or one cannot be read.
    """
    found: dict[pathlib.Path, Run] = {}
    for path in paths:
        folders = list(_folders_below(path))
        if not folders:
            raise RunError(
                f"{path}: no run, expected the --logdir of a run, which has "
                "scores.jsonl, or a folder with such folders in it."
            )
        for folder in folders:
            found.setdefault(folder.resolve(), read_run(folder))
    return list(found.values())


def _folders_below(path: pathlib.Path) -> Iterable[pathlib.Path]:
    """Folders with a `scores.jsonl`; not those inside of such a folder."""
    for folder, names, files in os.walk(path):
        if "scores.jsonl" in files:
            names.clear()
            yield pathlib.Path(folder)
        names.sort()


def read_run(folder: pathlib.Path) -> Run:
    """What the files of a run say about it.

    Raises:
        RunError: a file cannot be read.
    """
    facts = _read_facts(folder / "scores.jsonl")
    path = folder / "config.yaml"
    if not path.exists():
        return Run(folder, None, None, {}, facts)
    try:
        tree = read_file(path, str(path))
    except ConfigError as error:
        raise RunError(str(error)) from error
    if not isinstance(tree, dict) or not isinstance(tree.get("task"), str):
        raise RunError(f"{path}: no `task`, expected the settings of a run.")
    settings = {name: _text(value) for name, value in walk(tree)}
    seed = settings.get("seed", "")
    return Run(
        folder,
        str(tree["task"]),
        int(seed) if seed.isdigit() else None,
        settings,
        facts,
    )


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else values.to_text(value)


def _read_facts(path: pathlib.Path) -> dict[str, str]:
    """The words in the lines of a file, as `JSONLines` puts them in each.

    Raises:
        RunError: a line is no JSON, or two lines say different things.
    """
    facts: dict[str, str] = {}
    for number, line in enumerate(_whole_lines(path), 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RunError(f"{path}, line {number}: no JSON object.") from error
        for name, value in row.items():
            if not isinstance(value, str) or value in NOT_FINITE:
                continue
            if facts.setdefault(name, value) != value:
                raise RunError(
                    f"{path}, line {number}: {name} is '{value}', and '{facts[name]}' "
                    "in lines before. These are scores of different things."
                )
    return facts


def _whole_lines(path: pathlib.Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}).") from error


def read_points(run: Run, metrics: Sequence[str]) -> dict[str, Points]:
    """Metrics of a run by name.

    Args:
        run: the run.
        metrics: names, in which `*` stands for anything, as in `loss/*`.

    Raises:
        RunError: the run has none of that name; says which are near.
    """
    found: dict[str, Points] = {}
    for metric in metrics:
        file = "scores.jsonl" if metric == SCORE else "metrics.jsonl"
        rows = _read_rows(run.folder / file)
        known = dict.fromkeys(name for row in rows for name in row if name != "step")
        names = fnmatch.filter(known, metric)
        if not names:
            raise RunError(
                f"{run.folder / file} has no metric '{metric}'."
                f"{values.nearest(metric, known)}{_list(known)}"
            )
        found |= {name: _points(rows, name) for name in names}
    return found


def read_scores(run: Run) -> Points:
    """Returns of training episodes; none where none has ended yet.

    Raises:
        RunError: the file cannot be read.
    """
    return _points(_read_rows(run.folder / "scores.jsonl"), SCORE)


def read_frames(run: Run) -> int:
    """How many environment frames a run has logged.

    Raises:
        RunError: a file cannot be read.
    """
    files = [run.folder / name for name in ("scores.jsonl", "metrics.jsonl")]
    rows = [row for file in files if file.exists() for row in _read_rows(file)[-1:]]
    return max((int(row["step"]) for row in rows), default=0)


def _list(known: Iterable[str]) -> str:
    return f" It has: {', '.join(sorted(known))}." if known else " It has no lines yet."


def _points(rows: Sequence[Mapping[str, float]], name: str) -> Points:
    pairs = [(row["step"], row[name]) for row in rows if name in row]
    frames, numbers = np.array(pairs, float).reshape(-1, 2).T
    return Points(frames.astype(np.int64), numbers)


def _read_rows(path: pathlib.Path) -> list[dict[str, float]]:
    """Lines in the order of their frames, without those that were written again.

    A run that goes on from a checkpoint begins before the last lines of the process
    that was killed. Those lines lead nowhere: what came later counts.
    """
    try:
        rows = read_jsonl(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise RunError(str(error)) from error
    if missing := [row for row in rows if "step" not in row]:
        raise RunError(f"{path}: a line without `step`: {missing[0]}.")
    kept: list[dict[str, float]] = []
    for row in rows:
        if kept and row["step"] < kept[-1]["step"]:
            kept = [old for old in kept if old["step"] < row["step"]]
        kept.append(row)
    return kept


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Runs of the same task and settings put together, whatever their seeds.

    Groups of one task are named by what distinguishes them, else by the task.
    """
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        own = frozenset(
            pair for pair in run.settings.items() if not presets.is_free(pair[0], FREE)
        )
        alone = run.folder if run.task is None else None
        groups.setdefault((run.task, own, alone), []).append(run)
    ordered = sorted(groups.values(), key=lambda group: group[0].task or "")
    found = []
    for group in ordered:
        rivals = [other for other in ordered if other[0].task == group[0].task]
        group.sort(key=lambda run: (run.seed is None, run.seed, run.folder))
        found.append(Group(_label(group[0], [other[0] for other in rivals]), (*group,)))
    return found


def _label(run: Run, rivals: Sequence[Run]) -> str:
    """What distinguishes a run from the others of its task, in at most three settings.

    Args:
        run: one of `rivals`.
        rivals: one run of each group.
    """
    if run.task is None:
        return run.name
    if len(rivals) == 1:
        return run.task
    names = dict.fromkeys(name for rival in rivals for name in rival.settings)
    different = [
        name
        for name in names
        if not presets.is_free(name, (*FREE, "task"))
        and len({rival.settings.get(name) for rival in rivals}) > 1
    ]
    if len(different) > 3 and len({rival.settings.get("size") for rival in rivals}) > 1:
        different = ["size", *(x for x in different if not x.startswith("agent."))]
    shown = [f"{name}={run.settings.get(name, 'absent')}" for name in different[:3]]
    rest = " …" if len(different) > 3 else ""
    return f"{run.task} {' '.join(shown)}{rest}"
