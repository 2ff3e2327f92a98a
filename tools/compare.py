"""Puts the scores of runs beside the published ones.

    python tools/compare.py RUN [RUN …] [--out FILE.png] [--json FILE]
        [--band K | --at-least SHARE] [--at FRAMES] [--method NAME]

RUN is the folder of a run, or one with runs in it; runs that differ in their seeds only
are put together. Prints a table by task and statistics by suite. With --band or
--at-least it is a gate. Exit status: 1 where a run lies below, 2 for bad input and
where there was nothing to compare or to judge.

Protocol, as in the paper: returns of training episodes; of each seed the mean over the
episodes that ended in a range of frames, then the mean over seeds. Once all seeds have
reached the budget of the suite, the range is the one of the paper's tables: the last
1/15 of it for DMC proprio, 1/25 for DMC vision, 1/40 for the others. Before, it is the
last of 20 equal parts of the budget that all seeds have behind them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from curves import (  # noqa: E402
    binning,
    comparison,
    gate,
    pictures,
    published,
    runs,
    tables,
)
from curves.comparison import Row  # noqa: E402
from curves.runs import RunError  # noqa: E402

RIVALS = (
    "#7fa8c9", "#d98c8c", "#8fbc8f", "#e0b060", "#a78bc9", "#6fb7b0", "#c98bb0",
    "#a0a0a0", "#c2a878",
)  # fmt: skip


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    option("--out", nargs="+", type=pathlib.Path, default=[], help="PNG, SVG or PDF")
    option("--json", type=pathlib.Path, help="file to write")
    option(
        "--method", default=published.METHOD, help="published method to compare with"
    )
    option("--at", type=float, help="compare at so many frames, not at the end")
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--band",
        type=float,
        metavar="K",
        help="fail below the published mean minus K standard deviations over its seeds",
    )
    limits.add_argument(
        "--at-least",
        type=float,
        metavar="SHARE",
        help="fail below this share of the published score, such as 0.9",
    )
    option(
        "--judge",
        choices=("run", "mean"),
        default="run",
        help="every run by itself, or the mean over the seeds of a task",
    )
    option("--resamples", type=int, default=5000, help="draws of the bootstrap")
    args = parser.parse_args(argv)
    for name in ("at", "at_least", "resamples"):
        value = getattr(args, name)
        if value is not None and not value > 0:
            option = name.replace("_", "-")
            parser.error(f"--{option} is {value}, expected a number above 0")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    try:
        pictures.check_files(args.out) if args.out else None
        groups = runs.group_runs(runs.find_runs(args.runs))
        rows = comparison.compare(groups, method=args.method, at=args.at)
        verdicts = judge(rows, args)
        summaries = comparison.summarise(rows, resamples=args.resamples)
        if args.out:
            draw(rows, args.method, args.out)
        if args.json:
            result = tables.to_json(rows, summaries, verdicts, args.method)
            text = json.dumps(result, indent=2, allow_nan=False) + "\n"
            args.json.write_text(text, encoding="utf-8")
    except (RunError, OSError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(tables.row_table(rows, args.method))
    if summaries:
        print(f"\n{tables.summary_table(summaries, args.method)}")
    if verdicts:
        print("\n" + "\n".join(verdict.text for verdict in verdicts))
    return status(rows, verdicts)


def judge(rows: Sequence[Row], args: argparse.Namespace) -> list[gate.Verdict]:
    """Verdicts, none without a gate.

    Raises:
        RunError: the published score of a row has no such bound.
    """
    if args.at_least is not None:
        bound = gate.share(args.at_least)
    elif args.band is not None:
        bound = gate.band(args.band)
    else:
        return []
    return gate.judge(rows, bound, method=args.method, each=args.judge == "run")


def status(rows: Sequence[Row], verdicts: Sequence[gate.Verdict]) -> int:
    """Exit status."""
    if any(verdict.ok is False for verdict in verdicts):
        return 1
    if any(verdict.ok is None for verdict in verdicts):
        return 2
    return 0 if any(row.theirs for row in rows) else 2


def draw(rows: Sequence[Row], method: str, paths: Sequence[pathlib.Path]) -> None:
    """Writes a panel for each task: our curves over the published ones."""
    tasks: dict[str, list[Row]] = {}
    for row in rows:
        tasks.setdefault(row.group.task or row.group.label, []).append(row)
    known = [row.reference.methods for row in rows if row.reference]
    rivals = dict.fromkeys(x for methods in known for x in methods if x != method)
    colors = dict(zip(rivals, itertools.cycle(RIVALS), strict=False))
    note = (
        "lines: mean over seeds of the mean return of training episodes in each "
        "twentieth of the budget; band: ± 1 standard deviation over seeds; points: "
        "episodes"
    )
    with pictures.panels(len(tasks), paths, note) as all_axes:
        for axes, (task, members) in zip(all_axes, tasks.items(), strict=True):
            draw_task(axes, task, members, method, colors)
        pictures.share_legend(all_axes)


def draw_task(
    axes, task: str, rows: Sequence[Row], method: str, colors: Mapping[str, str]
) -> None:
    """Our groups of one task, and what is published where it is comparable.

    Args:
        axes: to draw on.
        task: the task.
        rows: its groups.
        method: the published method that they are compared with.
        colors: of the other methods, by name.
    """
    known = next((row.reference for row in rows if row.reference), None)
    end = max(max(row.frames) for row in rows)
    width = known.budget / published.BINS if known else max(end, 1) / published.BINS
    if known:
        for name in (name for name in known.methods if name != method):
            color = colors[name]
            curve = published_curve(known.methods[name])
            pictures.draw_curve(
                axes, curve, color=color, label=name, band="none", linewidth=0.9
            )
        pictures.draw_curve(
            axes,
            published_curve(known.methods[method]),
            color=pictures.PAPER,
            label=f"{method}, published",
            linewidth=1.4,
        )
        axes.set_xlim(0, min(known.budget, max(1.25 * end, 4 * width)))
    for index, row in enumerate(rows):
        color = pictures.COLORS[index % len(pictures.COLORS)]
        draw_row(axes, row, width, color)
    marks = [row for row in rows if not row.reference]
    seeds = "/".join(str(len(row.group.runs)) for row in rows)
    title = f"{task}, {seeds} seed{'' if seeds == '1' else 's'}"
    title += "\nnot compared" if marks else ""
    pictures.dress(axes, title, "score", legend=False)


def draw_row(axes, row: Row, width: float, color: str) -> None:
    """Our curve, in bins of the published width; the last one ends with the run."""
    end = max(row.frames)
    edges = np.append(np.arange(0, end, width), end)
    seeds = [points for points in row.points if len(points.frames)]
    if not seeds:
        return
    for points in seeds:
        pictures.draw_points(axes, points.frames, points.values, color)
    label = row.group.label.removeprefix(row.group.task or "")
    curve = binning.average(seeds, edges)
    pictures.draw_curve(axes, curve, color=color, label=f"ours{label}", linewidth=1.8)


def published_curve(method: published.Method) -> binning.Curve:
    """A published method as a curve; bins without episodes are left out."""
    there = [(x, s) for x, s in zip(method.edges[1:], method.bins, strict=True) if s]
    frames = np.array([x for x, _ in there])
    mean = np.array([score.mean for _, score in there])
    std = np.array([score.std or 0.0 for _, score in there])
    seeds = np.array([score.seeds for _, score in there])
    return binning.Curve(frames, mean, std, mean - std, mean + std, seeds)


if __name__ == "__main__":
    sys.exit(main())
