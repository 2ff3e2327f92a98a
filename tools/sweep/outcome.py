"""What came of a sweep: the scores of all runs as rows, a table, and JSON."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from curves import comparison, tables
from curves.comparison import Row, Summary
from curves.published import METHOD, Span
from curves.runs import Group, Points, Run, RunError, group_runs, read_run

from dreamerv3_tf.values import ConfigError

from .plan import Plan, read_evaluation, saved_config
from .pool import Outcome

EVALUATED = "evaluation episodes; the published scores are of training episodes"


def score_rows(plan: Plan) -> tuple[list[Row], list[Summary]]:
    """Scores of the runs that are there, and statistics over tasks.

    Raises:
        RunError: a run cannot be read.
    """
    folders = [plan.folder(task, seed) for task in plan.tasks for seed in plan.seeds]
    runs = [read_run(path) for path in folders if (path / "scores.jsonl").exists()]
    groups = group_runs(runs)
    if plan.mode == "eval":
        rows = [row for group in groups if (row := _evaluated(plan, group))]
    else:
        rows = comparison.compare(groups)
    return rows, comparison.summarise(rows, alone=plan.mode == "eval")


def _evaluated(plan: Plan, group: Group) -> Row | None:
    """The row of a group whose scores are the means of its evaluations."""
    found = [(run, _evaluation(plan, run)) for run in group.runs]
    known = [(run, result) for run, result in found if result]
    if not known:
        return None
    row = Row(
        Group(group.label, tuple(run for run, _ in known)),
        tuple(_episodes(result) for _, result in known),
        tuple(int(result["frames"]) for _, result in known),
        reason=EVALUATED,
        scores=tuple(float(result["score_mean"]) for _, result in known),
    )
    span = Span(min(row.frames), max(row.frames), "evaluation")
    row = dataclasses.replace(row, span=span)
    try:
        return dataclasses.replace(row, reference=comparison.find(row.group.runs))
    except RunError:
        return row  # nothing is compared here: only the suite's scale is missing


def _evaluation(plan: Plan, run: Run) -> dict[str, Any] | None:
    try:
        return read_evaluation(run.folder, saved_config(plan, run.folder))
    except ConfigError as error:
        raise RunError(str(error)) from error


def _episodes(result: dict[str, Any]) -> Points:
    scores = np.array(result["scores"], float)
    return Points(np.full(len(scores), int(result["frames"])), scores)


def describe(
    outcomes: Sequence[Outcome], rows: Sequence[Row], summaries: Sequence[Summary]
) -> str:
    """The whole sweep as text: scores, statistics, and what did not get done."""
    parts = []
    if rows:
        parts.append(tables.row_table(rows, METHOD))
    if summaries:
        parts.append(tables.summary_table(summaries, METHOD))
    states = [outcome.state for outcome in outcomes]
    counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    parts.append(f"{len(outcomes)} runs: {', '.join(counts)}.")
    failed = [x for x in outcomes if x.state == "failed"]
    if failed:
        parts.append(
            "\n".join(f"FAILED: {x.name}: {x.reason} (see {x.log})" for x in failed)
        )
    return "\n\n".join(parts)


def save(
    path: pathlib.Path,
    plan: Plan,
    outcomes: Sequence[Outcome],
    rows: Sequence[Row],
    summaries: Sequence[Summary],
) -> None:
    """Writes everything as JSON."""
    result = {
        "sweep": {**plan._asdict(), "logdir": str(plan.logdir)},
        "runs": [{**vars(x), "log": str(x.log)} for x in outcomes],
        **tables.to_json(rows, summaries, [], METHOD),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")
