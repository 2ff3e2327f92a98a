"""Computes the scores of BSuite from logs of runs, beside the published ones.

    python tools/bsuite_score.py FOLDER [FOLDER …] [--out DIR] [--name NAME]

FOLDER holds the logs (`bsuite_id_-_catch-0.csv`), in itself or in folders below: of a
run, or of a sweep. Several folders are several seeds, and their scores are averaged.
Prints a table and writes `scores.json` and `radar.png` into DIR, by default the first
FOLDER. Needs bsuite and matplotlib: `pip install '.[bsuite]'`.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

PUBLISHED = pathlib.Path(__file__).resolve().parent / "data" / "bsuite_published.json"
PATTERN = "bsuite_id_-_*.csv"
ORDER = (
    "basic",
    "noise",
    "scale",
    "exploration",
    "credit_assignment",
    "memory",
    "generalization",
)
"""Categories in the order of the axes of the radar chart."""

LEAST = {"deep_sea_stochastic": 100}
"""Episodes before which the suite's analysis breaks down: it skips the first ones."""


class ScoreError(Exception):
    """The logs make no scores; the text says why, in one line."""


class Scores(NamedTuple):
    """Scores of one folder, all from 0 to 1.

    Attributes:
        experiments: by name; one that has too few episodes for a score is left out.
        categories: means over the experiments that carry a tag; those without are left
            out.
        finished: configurations of each experiment that had all their episodes.
    """

    experiments: dict[str, float]
    categories: dict[str, float]
    finished: dict[str, int]


def score(folder: pathlib.Path) -> Scores:
    """Scores by the suite's own analysis.

    Raises:
        ScoreError: there are no logs, or two of one configuration.
    """
    from bsuite import sweep
    from bsuite.logging import csv_load

    files = sorted(path for path in folder.rglob(PATTERN) if path.stat().st_size)
    if not files:
        raise ScoreError(f"{folder} holds no logs, expected {PATTERN} in it or below.")
    names = collections.Counter(path.name for path in files)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ScoreError(f"{folder} holds {twice[0]} more than once; give one seed.")
    with tempfile.TemporaryDirectory() as together, repaired() as analysis:
        for path in files:
            shutil.copy(path, together)
        frame: Any = csv_load.load_one_result_set(together)
        for name, least in LEAST.items():
            mine = frame["bsuite_env"] == name
            if frame[mine]["episode"].max() < least:
                frame = frame[~mine]
        if frame.empty:
            raise ScoreError(f"{folder} holds no log that is long enough.")
        table = analysis.bsuite_score(frame)
        means = analysis.ave_score_by_tag(table, None).dropna()
    finished = dict.fromkeys(table["bsuite_env"], 0)
    for identity, last in frame.groupby("bsuite_id")["episode"].max().items():
        finished[identity.partition("/")[0]] += int(last >= sweep.EPISODES[identity])
    return Scores(
        {row.bsuite_env: float(row.score) for row in table.dropna().itertuples()},
        {row.tag: float(row.score) for row in means.itertuples()},
        finished,
    )


@contextlib.contextmanager
def repaired() -> Iterator[Any]:
    """The suite's analysis, able to run with pandas 2 and later while this lasts.

    The score of deep_sea joins two series with `Series.append`, which pandas 2 took
    away. Importing the analysis sets styles of matplotlib for everybody; they are set
    back.
    """
    import matplotlib
    import pandas

    matplotlib.use("Agg")
    lent = not hasattr(pandas.Series, "append")
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the suite's code, not ours
        warnings.simplefilter("ignore", DeprecationWarning)
        from bsuite.experiments import summary_analysis

        if lent:
            joined = lambda one, other: pandas.concat([one, other])  # noqa: E731
            setattr(pandas.Series, "append", joined)  # noqa: B010
        try:
            yield summary_analysis
        finally:
            if lent:
                delattr(pandas.Series, "append")


def summarize(scores: Sequence[Scores]) -> dict[str, Any]:
    """Everything about some seeds, ready for JSON, with the published scores.

    Means are over seeds. `complete` says whether every seed has all 468 configurations:
    only then a mean stands beside a published one.
    """
    from bsuite import sweep

    counts = collections.Counter(name.partition("/")[0] for name in sweep.SWEEP)
    published = json.loads(PUBLISHED.read_text())
    columns, rows = published["columns"], published["rows"]

    def entry(row: str, values: list[float], **more) -> dict[str, Any]:
        mean = statistics.fmean(values) if values else None
        beside = dict(zip(columns, rows[row], strict=True))
        return {"score": mean, "scores": values, **more, "published": beside}

    experiments = {}
    for name, count in counts.items():
        found = [one.experiments[name] for one in scores if name in one.experiments]
        done = min(one.finished.get(name, 0) for one in scores)
        experiments[name] = entry(name, found, finished=done, configurations=count)
    categories = {}
    for tag in ORDER:
        found = [one.categories[tag] for one in scores if tag in one.categories]
        mine = [x for x, entry in experiments.items() if f"{x}/0" in sweep.TAGS[tag]]
        full = all(whole(experiments[name]) for name in mine)
        categories[tag] = entry(f"category_{tag}", found, complete=full)
    means = [statistics.fmean(one.experiments.values()) for one in scores]
    averages = [statistics.fmean(one.categories.values()) for one in scores]
    return {
        "seeds": len(scores),
        "complete": all(map(whole, experiments.values())),
        "experiments": experiments,
        "categories": categories,
        "task_mean": entry("task_mean", means),
        "category_mean": entry("category_mean", averages),
        "source": published["source"],
    }


def whole(entry: dict[str, Any]) -> bool:
    """Whether all configurations of an experiment are finished."""
    return entry["finished"] == entry["configurations"]


def table(summary: dict[str, Any], name: str) -> str:
    """The summary as text; `*` marks what is not complete."""
    columns = list(summary["task_mean"]["published"])
    heads = [name, "done", *columns]
    width = max(9, *(len(head) + 1 for head in heads))
    lines = [" " * 22 + "".join(f"{head:>{width}}" for head in heads)]

    def add(label: str, entry: dict[str, Any], done: str, full: bool) -> None:
        own = "-" if entry["score"] is None else f"{entry['score']:.2f}"
        cells = [own if full or own == "-" else f"{own}*", done]
        cells += [f"{entry['published'][column]:.2f}" for column in columns]
        lines.append(f"{label:<22}" + "".join(f"{cell:>{width}}" for cell in cells))

    for label, entry in summary["experiments"].items():
        done = f"{entry['finished']}/{entry['configurations']}"
        add(label, entry, done, whole(entry))
    lines.append("")
    for label, entry in summary["categories"].items():
        add(label, entry, "", entry["complete"])
    lines.append("")
    for label in ("task_mean", "category_mean"):
        add(label.replace("_", " "), summary[label], "", summary["complete"])
    if not summary["complete"]:
        lines += ["", "* not all of it was run to its end: not to be compared."]
    seeds = f"{summary['seeds']} seed{'s' * (summary['seeds'] > 1)}"
    return "\n".join([*lines, f"{name}: {seeds}. Others: {summary['source']}."])


def draw_radar(summary: dict[str, Any], name: str, path: pathlib.Path) -> None:
    """Writes the radar chart: one axis for each category, from 0 to 1."""
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot

    entries = [summary["categories"][tag] for tag in ORDER]
    lines = {
        "DreamerV3, published": [x["published"]["dreamer"] for x in entries],
        "Boot DQN, published": [x["published"]["boot_dqn"] for x in entries],
        name: [np.nan if x["score"] is None else x["score"] for x in entries],
    }
    angles = np.linspace(0, 2 * np.pi, len(ORDER), endpoint=False)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure, axes = pyplot.subplots(
            figsize=(7, 6), dpi=120, subplot_kw={"projection": "polar"}
        )
        colors = ("C7", "C2", "C0")
        for (label, values), color in zip(lines.items(), colors, strict=True):
            ring = [*values, values[0]]  # back to the first axis
            style: dict[str, Any] = {"color": color, "markersize": 4, "clip_on": False}
            axes.plot([*angles, 0], ring, "o-", label=label, **style)
            if not np.isnan(values).any():
                axes.fill(angles, values, color=color, alpha=0.1)
        labels = [
            tag.replace("_", "\n") + ("" if entry["complete"] else "*")
            for tag, entry in zip(ORDER, entries, strict=True)
        ]
        axes.set_xticks(angles, labels)
        for text, angle in zip(axes.get_xticklabels(), angles, strict=True):
            text.set_horizontalalignment("left" if np.cos(angle) > 0 else "right")
        axes.set_ylim(0, 1)
        axes.set_yticks([0.25, 0.5, 0.75, 1.0])
        notes = "" if summary["complete"] else "\n* not complete"
        axes.set_title(f"BSuite, {summary['seeds']} seed(s){notes}", pad=24)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.3, -0.16), fontsize=8)
        figure.savefig(path, bbox_inches="tight")
        pyplot.close(figure)


def report(folders: Sequence[pathlib.Path], out: pathlib.Path, name: str) -> str:
    """Scores folders, writes `scores.json` and `radar.png`; returns the table.

    Raises:
        ScoreError: as for `score`.
    """
    summary = summarize([score(folder) for folder in folders])
    out.mkdir(parents=True, exist_ok=True)
    (out / "scores.json").write_text(json.dumps(summary, indent=1) + "\n")
    draw_radar(summary, name, out / "radar.png")
    return table(summary, name)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--out", type=pathlib.Path, help="folder to write to")
    parser.add_argument("--name", default="ours", help="of the runs, in the table")
    args = parser.parse_args(argv)
    out = args.out or args.folders[0]
    try:
        print(report(args.folders, out, args.name))
    except ModuleNotFoundError as error:
        print(
            f"bsuite_score: The package '{error.name}' is missing; install it with: "
            "pip install '.[bsuite]'",
            file=sys.stderr,
        )
        return 2
    except ScoreError as error:
        print(f"bsuite_score: {error}", file=sys.stderr)
        return 2
    print(f"Written: {out / 'scores.json'} and {out / 'radar.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
