"""Draws the learning curves of runs.

    python tools/plot.py RUN [RUN …] --out FILE.png [FILE.svg] [--metric NAME[,NAME]]

RUN is the folder of a run, or one with runs in it. Scores of episodes come from their
`scores.jsonl`, any other metric from `metrics.jsonl`; `*` in a name stands for
anything, as in `loss/*`. Each task and metric has a panel. Runs that differ in their
seeds only make one line, the mean over seeds of the mean in each of `--bins` equal
ranges of environment frames, with a band; points are single values. Needs matplotlib:
`pip install '.[plot]'`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from curves import binning, pictures, runs  # noqa: E402
from curves.runs import Group, Points, RunError  # noqa: E402


class Line(NamedTuple):
    """One line of a panel.

    Attributes:
        group: the runs.
        seeds: points of each run that has the metric.
    """

    group: Group
    seeds: list[Points]


Panels = dict[tuple[str, str], list[Line]]
"""Lines by task and metric."""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    option = parser.add_argument
    option("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    option("--out", nargs="+", type=pathlib.Path, required=True, metavar="FILE")
    option("--metric", action="append", help=f"{runs.SCORE} by default")
    option("--bins", type=int, default=25, help="ranges of frames to average in")
    option("--band", choices=list(pictures.BANDS), default="std", help="over seeds")
    option("--folders", action="store_true", help="name lines by the runs' folders")
    option("--no-points", action="store_true", help="leave single values out")
    args = parser.parse_args(argv)
    args.metric = [
        name for text in args.metric or [runs.SCORE] for name in text.split(",")
    ]
    if args.bins < 1:
        parser.error(f"--bins is {args.bins}, expected at least 1")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    try:
        pictures.check_files(args.out)
        groups = runs.group_runs(runs.find_runs(args.runs))
        found = collect(groups, args.metric)
        draw(found, args.out, args.bins, args.band, not args.no_points, args.folders)
    except (RunError, OSError) as error:
        print(f"plot: {error}", file=sys.stderr)
        return 2
    for path in args.out:
        print(f"{path}: {len(found)} panels of {describe(groups)}")
    return 0


def describe(groups: Sequence[Group]) -> str:
    """How many runs there are, and how many after seeds were put together."""
    count = sum(len(group.runs) for group in groups)
    return f"{count} runs, {len(groups)} but for their seeds"


def collect(groups: Sequence[Group], metrics: Sequence[str]) -> Panels:
    """The lines of each panel. Runs without a `config.yaml` share one.

    Raises:
        RunError: a run has no such metric, or cannot be read.
    """
    found: Panels = {}
    for group in groups:
        points = [runs.read_points(run, metrics) for run in group.runs]
        for metric in dict.fromkeys(name for run in points for name in run):
            seeds = [run[metric] for run in points if metric in run]
            panel = found.setdefault((group.task or "", metric), [])
            panel.append(Line(group, seeds))
    return found


def draw(
    found: Panels,
    paths: Sequence[pathlib.Path],
    bins: int,
    band: str = "std",
    points: bool = True,
    folders: bool = False,
) -> None:
    """Writes the figure; with `folders`, lines are named by the folders of runs."""
    note = (
        f"lines: mean over seeds of the mean in each of {bins} equal ranges of frames"
    )
    several = any(len(line.seeds) > 1 for lines in found.values() for line in lines)
    parts = [note, pictures.BANDS[band] if several else ""]
    parts += ["points: single values"] if points else []
    with pictures.panels(
        len(found), paths, "; ".join(part for part in parts if part)
    ) as all_axes:
        for axes, ((task, metric), lines) in zip(all_axes, found.items(), strict=True):
            for line, color in zip(lines, colors(len(lines)), strict=True):
                name = line.group.runs[0].name if folders else title(line)
                draw_line(axes, line, name, bins, band, points, color)
            pictures.dress(axes, task, metric)


def title(line: Line) -> str:
    """What tells a line from the others of its panel, in words."""
    label = line.group.label.removeprefix(line.group.task or "").strip()
    count = f"{len(line.seeds)} seeds" if len(line.seeds) > 1 else ""
    return ", ".join(x for x in (label, count) if x) or line.group.runs[0].name


def draw_line(
    axes, line: Line, name: str, bins: int, band: str, points: bool, color: str
) -> None:
    """One group of seeds."""
    end = max(seed.frames.max() for seed in line.seeds)
    curve = binning.average(line.seeds, np.linspace(0, max(end, 1), bins + 1))
    pictures.draw_curve(axes, curve, color=color, label=name, band=band)
    for seed in line.seeds if points else []:
        pictures.draw_points(axes, seed.frames, seed.values, color)


def colors(count: int) -> list[str]:
    """So many colours, in turn."""
    return [pictures.COLORS[index % len(pictures.COLORS)] for index in range(count)]


if __name__ == "__main__":
    sys.exit(main())
