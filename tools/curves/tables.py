"""Comparisons as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dreamerv3_tf.envs.hooks import in_words

from . import comparison, published
from .comparison import Row, Summary
from .deviations import deviations
from .estimates import Interval
from .gate import Verdict
from .published import Score, Span

HEAD = ("task", "seeds", "frames", "score", "published", "share", "distance")


def row_table(rows: Sequence[Row], method: str) -> str:
    """A line for each group; below it what could not be compared, and why."""
    lines = [[*HEAD[:4], method, *HEAD[5:]]]
    for row in rows:
        lines.append(
            [
                row.group.label,
                str(len(row.group.runs)),
                span_text(row.span),
                score_text(row.ours),
                score_text(row.theirs),
                share_text(row),
                distance_text(row),
            ]
        )
    return "\n".join([columns(lines), *(note for row in rows for note in notes(row))])


def notes(row: Row) -> list[str]:
    """What must be known beside the numbers of a row."""
    run = row.group.runs[0]
    found = [text for text in (row.reason, in_words(run.facts)) if text]
    if row.reference and (other := deviations(run)):
        found.append(f"settings other than the paper's, which stand in (): {other}")
    return [f"{row.group.label}: {note}" for note in found]


def summary_table(summaries: Sequence[Summary], method: str) -> str:
    """A line for each suite and statistic."""
    lines = [
        [
            "suite",
            "tasks",
            "scale",
            "statistic",
            "ours",
            "seeds",
            "seeds, tasks",
            method,
        ]
    ]
    for summary in summaries:
        for name, value in summary.ours.items():
            theirs = summary.theirs.get(name)
            lines.append(
                [
                    summary.suite,
                    f"{summary.tasks} of {summary.of}",
                    summary.scale,
                    name,
                    number(value.value),
                    between(value.low, value.high),
                    between(value.tasks_low, value.tasks_high),
                    "" if theirs is None else number(theirs),
                ]
            )
    note = (
        "Seeds, and seeds and tasks: 95 % intervals of the bootstrap over them. "
        f"{method}: the same tasks at the same frames; an IQM needs every seed, which "
        "is not published."
    )
    return f"{columns(lines, left=4)}\n{note}" if summaries else ""


def span_text(span: Span | None) -> str:
    """`466,667–500,000`."""
    if span is None:
        return "–"
    low, high = f"{span.low:,.0f}", f"{span.high:,.0f}"
    return high if low == high else f"{low}–{high}"


def score_text(score: Score | None) -> str:
    """`936.1 ± 26.0 (5)`."""
    if score is None:
        return "–"
    spread = ""
    if score.std is not None:
        coarse = f"{score.std:,.0f}" if abs(score.mean) >= 1000 else f"{score.std:.1f}"
        spread = f" ± {coarse if abs(score.mean) >= 100 else number(score.std)}"
    seeds = f" ({score.seeds})" if score.seeds else ""
    return f"{number(score.mean)}{spread}{seeds}"


def share(row: Row) -> float | None:
    """Our score in published scores, from the zero of the suite's scale."""
    if not (row.ours and row.theirs and row.reference):
        return None
    zero = row.reference.bounds[0] if row.reference.bounds else 0
    whole = row.theirs.mean - zero
    return (row.ours.mean - zero) / whole if whole else None


def share_text(row: Row) -> str:
    """`87 %`."""
    found = share(row)
    return "" if found is None else f"{100 * found:.0f} %"


def distance(row: Row) -> float | None:
    """How far we are from the published mean, in its standard deviations."""
    if not (row.ours and row.theirs and row.theirs.std):
        return None
    return (row.ours.mean - row.theirs.mean) / row.theirs.std


def distance_text(row: Row) -> str:
    """`-1.2 std`."""
    found = distance(row)
    return "" if found is None else f"{found:+.1f} std"


def between(low: float | None, high: float | None) -> str:
    """`0.41 to 0.57`."""
    if low is None or high is None:
        return "–"
    return f"{number(low)} to {number(high)}"


def number(value: float) -> str:
    """Four significant digits at most, thousands with commas."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def columns(lines: Sequence[Sequence[str]], left: int = 1) -> str:
    """Cells in columns as wide as they need; the first `left` begin at the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def to_json(
    rows: Sequence[Row],
    summaries: Sequence[Summary],
    verdicts: Sequence[Verdict],
    method: str,
) -> dict[str, Any]:
    """Everything as JSON values; what is not a finite number is `None`."""
    return {
        "source": published.load()["about"],
        "protocol": " ".join(str(comparison.__doc__).split()),
        "method": method,
        "tasks": [_row(row) for row in rows],
        "suites": [_summary(summary) for summary in summaries],
        "gate": [{"ok": verdict.ok, "text": verdict.text} for verdict in verdicts],
    }


def _row(row: Row) -> dict[str, Any]:
    scores = row.scores or (None,) * len(row.group.runs)
    runs = zip(row.group.runs, row.frames, scores, strict=True)
    return {
        "label": row.group.label,
        "task": row.group.task,
        "reason": row.reason,
        "facts": dict(row.group.runs[0].facts),
        "deviations": deviations(row.group.runs[0]) if row.reference else None,
        "frames": [row.span.low, row.span.high] if row.span else None,
        "span": row.span.name if row.span else None,
        "runs": [
            {
                "folder": str(run.folder),
                "seed": run.seed,
                "frames": frames,
                "score": finite(score),
            }
            for run, frames, score in runs
        ],
        "score": _score(row.ours),
        "published": _score(row.theirs),
        "share": finite(share(row)),
        "distance_std": finite(distance(row)),
        "normalised": (
            finite(row.reference.normalise(row.ours.mean))
            if row.reference and row.reference.bounds and row.ours
            else None
        ),
    }


def _score(score: Score | None) -> dict[str, Any] | None:
    return score and {
        "mean": finite(score.mean),
        "std": finite(score.std),
        "seeds": score.seeds,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "suite": summary.suite,
        "scale": summary.scale,
        "tasks": summary.tasks,
        "of": summary.of,
        "complete": summary.complete,
        "ours": {name: _interval(value) for name, value in summary.ours.items()},
        "published": {name: finite(value) for name, value in summary.theirs.items()},
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: finite(value) for name, value in interval._asdict().items()}


def finite(value: float | None) -> float | None:
    """The value, `None` for NaN and infinities, which JSON has not."""
    return value if value is not None and math.isfinite(value) else None
