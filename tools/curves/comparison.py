"""Runs beside published scores: one row for each group, one summary for each suite.

The protocol is that of the paper: returns of training episodes; of each seed the mean
over the episodes that ended in a range of frames; then the mean over seeds. At the
budget the range is the last 1/15 of it for DMC proprio, 1/25 for DMC vision, 1/40 for
the others; before, the last of 20 equal parts of the budget that all seeds have done.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from . import estimates, published
from .binning import mean_between
from .estimates import Interval
from .published import Reference, Score, Span
from .runs import Group, Points, Run, RunError, read_frames, read_scores

HUMAN, CAPPED = "human-normalised", "capped mean"


@dataclasses.dataclass(frozen=True)
class Row:
    """A group of seeds beside what is published.

    Attributes:
        group: the runs.
        points: scores of each run.
        frames: environment frames of each run.
        reference: what is published; `None` where nothing is that could be compared.
        reason: why there is no published score, in words; empty where there is one.
        span: frames of the scores: those that are compared, else the last tenth.
        scores: of each run there; `None` for one that ended no episode in it.
        theirs: published score there.
    """

    group: Group
    points: tuple[Points, ...]
    frames: tuple[int, ...]
    reference: Reference | None = None
    reason: str = ""
    span: Span | None = None
    scores: tuple[float | None, ...] = ()
    theirs: Score | None = None

    @property
    def known(self) -> list[float]:
        """Scores of the runs that have one."""
        return [score for score in self.scores if score is not None]

    @property
    def ours(self) -> Score | None:
        """Mean over the runs, with a deviation where there are two."""
        if not self.known:
            return None
        count = len(self.known)
        spread = float(np.std(self.known)) if count > 1 else None
        return Score(float(np.mean(self.known)), spread, count)


@dataclasses.dataclass(frozen=True)
class Summary:
    """Statistics over the tasks of a suite.

    Attributes:
        suite: title of the suite.
        scale: of the values, such as `human-normalised` or `raw`.
        tasks: how many went in.
        of: how many the published suite has.
        complete: all tasks are there and at their budget: comparable with the tables
            of the paper.
        ours: intervals by statistic.
        theirs: published values of the same tasks at the same frames; there is no IQM,
            which needs every seed.
    """

    suite: str
    scale: str
    tasks: int
    of: int
    complete: bool
    ours: dict[str, Interval]
    theirs: dict[str, float]


def compare(
    groups: Sequence[Group], *, method: str = published.METHOD, at: float | None = None
) -> list[Row]:
    """A row for each group.

    Args:
        groups: of `group_runs`.
        method: the published one to compare with.
        at: environment frames to compare at; as far as the runs are by default.

    Raises:
        RunError: a run cannot be read, or the method is not published for its task.
    """
    return [_compare(group, method, at) for group in groups]


def _compare(group: Group, method: str, at: float | None) -> Row:
    frames = tuple(read_frames(run) for run in group.runs)
    row = Row(group, tuple(read_scores(run) for run in group.runs), frames)
    row = _scored(row, Span(0.9 * min(frames), min(frames), "last tenth"))
    try:
        reference = find(group.runs)
    except RunError as error:
        return dataclasses.replace(row, reason=str(error))
    if method not in reference.methods:
        raise RunError(
            f"Nothing is published of '{method}' on {group.task}, only of "
            f"{', '.join(reference.methods)}. Choose one of them with --method."
        )
    return _beside(dataclasses.replace(row, reference=reference), reference, method, at)


def _beside(row: Row, reference: Reference, method: str, at: float | None) -> Row:
    """The row with the published score at the same frames, or the reason for none."""
    frames = min(row.frames)
    shortest = row.group.runs[row.frames.index(frames)].folder
    if at and frames < at:
        reason = f"too short: {frames:,} frames in {shortest}, asked for {at:,.0f}"
        return dataclasses.replace(row, reason=reason)
    span = reference.span(at or frames, method)
    if span is None:
        first = reference.methods[method].first
        reason = (
            f"too short: {at or frames:,.0f} frames in {shortest}, and the published "
            f"curve begins with the mean up to {first:,.0f}"
        )
        return dataclasses.replace(row, reason=reason)
    spans = [span, reference.last_tenth()] if span.name == "final" else [span]
    for span in spans:
        found = _scored(row, span)
        theirs = reference.score(span, method)
        if found.known and theirs:
            return dataclasses.replace(found, theirs=theirs)
    reason = f"no episode ended in {spans[0].low:,.0f}–{spans[0].high:,.0f} frames"
    return dataclasses.replace(row, reason=reason)


def find(runs: Sequence[Run]) -> Reference:
    """What is published about the task of some runs.

    Raises:
        RunError: nothing that could be compared with them.
    """
    task = runs[0].task
    if task is None:
        raise RunError(f"{runs[0].folder} has no config.yaml, so its task is unknown.")
    reference = published.find(task)
    for run in runs:
        if objection := reference.objection(run):
            raise RunError(f"Not comparable: {objection}")
    return reference


def _scored(row: Row, span: Span) -> Row:
    scores = tuple(mean_between(points, span.low, span.high) for points in row.points)
    return dataclasses.replace(row, span=span, scores=scores)


def summarise(
    rows: Sequence[Row], *, resamples: int = 5000, seed: int = 0, alone: bool = False
) -> list[Summary]:
    """Statistics over the tasks of each suite, on its scale.

    Rows that are not compared do not count. Runs with other settings are summed up
    apart: each is an agent of its own.

    Args:
        rows: of `compare`.
        resamples: bootstrap draws of the intervals.
        seed: of the draws.
        alone: count rows without a published score too, and leave those out.
    """
    agents: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.reference and row.ours and (row.theirs or alone):
            variant = row.group.label.removeprefix(row.group.task or "").strip()
            agents.setdefault((row.reference.suite, variant), []).append(row)
    return [
        _summary(variant, members, resamples, seed)
        for (_, variant), members in agents.items()
    ]


def _summary(variant: str, rows: list[Row], resamples: int, seed: int) -> Summary:
    reference = rows[0].reference
    assert reference, "only rows with one are summed up"
    whole = len(published.references(reference.suite))
    ours = estimates.estimate(
        [_normalised(row, row.known) for row in rows], resamples=resamples, seed=seed
    )
    if reference.scale != HUMAN:
        del ours[CAPPED]
    means = [_normalised(row, [row.theirs.mean]) for row in rows if row.theirs]
    theirs = estimates.estimate(means, resamples=1, seed=seed) if means else {}
    return Summary(
        suite=f"{reference.title} {variant}".strip(),
        scale=reference.scale or "raw",
        tasks=len(rows),
        of=whole,
        complete=len(rows) == whole and all(_at_budget(row) for row in rows),
        ours=ours,
        theirs={
            name: x.value
            for name, x in theirs.items()
            if name in ours and name != "iqm"
        },
    )


def _normalised(row: Row, scores: Sequence[float]) -> list[float]:
    assert row.reference, "only rows with one are normalised"
    return [row.reference.normalise(score) for score in scores]


def _at_budget(row: Row) -> bool:
    return row.span is not None and row.span.name != "bin"
