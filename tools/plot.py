"""Draws the learning curves of runs.

    python tools/plot.py RUN [RUN …] --out FILE.png [--metric NAME] [--bins 25]

RUN is the folder of a run. Scores of episodes come from its `scores.jsonl`, any other
metric from its `metrics.jsonl`. Points show single values; lines the mean of each bin
of environment frames. Needs matplotlib: `pip install '.[plot]'`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from dreamerv3_tf.record.jsonlines import read_jsonl  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a PNG file")
    parser.add_argument("--metric", default="episode/score")
    parser.add_argument("--bins", type=int, default=25)
    args = parser.parse_args(argv)
    try:
        curves = {str(run): load_curve(run, args.metric) for run in args.runs}
    except (OSError, ValueError) as error:
        print(f"plot: {error}", file=sys.stderr)
        return 2
    draw(curves, args.metric, args.bins, args.out)
    print(f"{args.out}: {args.metric} of {len(curves)} runs")
    return 0


def load_curve(run: pathlib.Path, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Frames and values of a metric, `[points]` each.

    Raises:
        ValueError: the run has no such metric.
        OSError: the folder holds no run.
    """
    path = run / ("scores.jsonl" if metric == "episode/score" else "metrics.jsonl")
    rows = [row for row in read_jsonl(path) if metric in row]
    if not rows:
        raise ValueError(f"{path} has no metric '{metric}'.")
    frames = np.array([row["step"] for row in rows])
    return frames, np.array([row[metric] for row in rows])


def binned(
    frames: np.ndarray, values: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the values in `bins` equal ranges of frames, empty ones left out."""
    edges = np.linspace(0, frames.max(), bins + 1)
    place = np.clip(np.digitize(frames, edges, right=True) - 1, 0, bins - 1)
    kept = np.unique(place)
    means = np.array([values[place == index].mean() for index in kept])
    return edges[kept + 1], means


def draw(curves: dict, metric: str, bins: int, path: pathlib.Path) -> None:
    """Writes the figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), dpi=120)
    for name, (frames, values) in curves.items():
        (line,) = axes.plot(
            *binned(frames, values, bins), label=pathlib.Path(name).name
        )
        axes.plot(frames, values, ".", color=line.get_color(), alpha=0.3, markersize=4)
    axes.set_xlabel("environment frames")
    axes.set_ylabel(metric)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
