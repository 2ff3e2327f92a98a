"""Whether runs reach a share of a published score, or its spread over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .comparison import Row
from .published import Score
from .runs import RunError

Bound = Callable[[Row, Score], tuple[float, str]]
"""From a row and its published score: the least score that passes, and how it came."""


class Verdict(NamedTuple):
    """What a gate says about a run, or about the mean of its seeds.

    Attributes:
        ok: `None` where there was nothing to judge.
        text: what was compared with what, in words.
    """

    ok: bool | None
    text: str


def band(width: float) -> Bound:
    """The published mean minus so many standard deviations over its seeds."""

    def bound(row: Row, theirs: Score) -> tuple[float, str]:
        if not theirs.std or not theirs.seeds or theirs.seeds < 2:
            raise RunError(
                f"--band: the published score of {row.group.task} has no spread over "
                "seeds at these frames. Use --at-least instead."
            )
        least = theirs.mean - width * theirs.std
        return least, f"{theirs.mean:,.4g} − {width:g} × {theirs.std:,.4g}"

    return bound


def share(part: float) -> Bound:
    """A share of the published score.

    On suites with a scale its zero is where the share begins: for a game of Atari what
    a random player scores, so that a share has a meaning where scores are negative.
    """

    def bound(row: Row, theirs: Score) -> tuple[float, str]:
        zero = row.reference.bounds[0] if row.reference and row.reference.bounds else 0
        least = zero + part * (theirs.mean - zero)
        if not zero:
            return least, f"{part:.0%} of {theirs.mean:,.4g}"
        return least, f"{zero:,.4g} + {part:.0%} of the way to {theirs.mean:,.4g}"

    return bound


def judge(
    rows: Sequence[Row], bound: Bound, *, method: str, each: bool
) -> list[Verdict]:
    """Verdicts on all rows.

    Args:
        rows: of `compare`.
        bound: `band(...)` or `share(...)`.
        method: name of the published method, for the text.
        each: judge every run by itself; else the mean over the seeds of a row.

    Raises:
        RunError: there is no such bound for a row.
    """
    found = []
    for row in rows:
        if not (row.reference and row.span and row.theirs and row.ours):
            found.append(Verdict(None, f"NOT JUDGED: {row.group.label}: {row.reason}."))
            continue
        least, how = bound(row, row.theirs)
        place = f"at {row.span.low:,.0f}–{row.span.high:,.0f} frames"
        names = [str(run.folder) for run in row.group.runs]
        scores = list(row.scores)
        if not each:
            names, scores = [f"mean of {row.ours.seeds} seeds"], [row.ours.mean]
        for name, score in zip(names, scores, strict=True):
            who = f"{row.group.label}, {name}"
            limit = f"{least:,.4g} = {how} ({method}, published)"
            found.append(_verdict(who, score, least, place, limit))
    return found


def _verdict(
    who: str, score: float | None, least: float, place: str, limit: str
) -> Verdict:
    if score is None:
        return Verdict(None, f"NOT JUDGED: {who}: no episode ended {place}.")
    ok = score >= least  # so NaN lies below
    words = (
        "ok: {}: {:,.4g} {} reaches {}." if ok else "BELOW: {}: {:,.4g} {}, below {}."
    )
    return Verdict(ok, words.format(who, score, place, limit))
