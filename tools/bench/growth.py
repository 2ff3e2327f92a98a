"""What the points of the case `scale` say together: straight lines, and a picture."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from curves import pictures

TRAIN = re.compile(r"^scale/train_(\d+)x(\d+)_h(\d+)\w*/step$")
REPLAY = re.compile(r"^scale/replay_(\d+)/(insert|sample|update)$")
NOTE = (
    "Medians; bars from least to greatest. Lines: least squares. The batch is changed "
    "in its rows and in its length, each at the other one's base value."
)


class Line(NamedTuple):
    """A straight line through points.

    Attributes:
        fixed: seconds at zero.
        slope: seconds for each unit.
        worst: greatest distance of a point from the line, as a part of the line there.
    """

    fixed: float
    slope: float
    worst: float


def fit(points: Iterable[tuple[float, float]]) -> Line:
    """The line of least squares through `(x, seconds)`; two points at least."""
    x, y = np.array(sorted(points)).T
    slope, fixed = np.polyfit(x, y, 1)
    line = fixed + slope * x
    return Line(float(fixed), float(slope), float(np.max(np.abs(y / line - 1))))


def train_points(figures: list[dict]) -> dict[str, list[tuple[float, dict]]]:
    """Figures of train steps over trained steps of a batch, and over the horizon.

    The base point, of which all others differ in one number, is in both.
    """
    found = []
    for figure in figures:
        match = TRAIN.match(figure["name"])
        if match:
            found.append((*map(int, match.groups()), figure))
    if not found:
        return {}
    numbers = [row[:3] for row in found]
    base = [
        max({n[i] for n in numbers}, key=[n[i] for n in numbers].count)
        for i in range(3)
    ]
    batch = [(r * t, f) for r, t, h, f in found if h == base[2]]
    horizon = [(h, f) for r, t, h, f in found if [r, t] == base[:2]]
    return {"trained steps of a batch": batch, "imagined steps": horizon}


def replay_points(figures: list[dict]) -> dict[str, list[tuple[float, dict]]]:
    """Figures of the replay's operations over stored steps."""
    found: dict[str, list[tuple[float, dict]]] = {}
    for figure in figures:
        match = REPLAY.match(figure["name"])
        if match:
            found.setdefault(match[2], []).append((int(match[1]), figure))
    return found


def lines(figures: list[dict]) -> dict[str, dict]:
    """The straight lines of the train step, as JSON values."""
    result = {}
    for name, points in train_points(figures).items():
        if len(points) > 1:
            result[name] = fit((x, f["median"]) for x, f in points)._asdict()
    return result


def draw(figures: list[dict], paths: list[pathlib.Path]) -> None:
    """Train step over batch and horizon, and the replay's rates over its size.

    Raises:
        ValueError: there are no such figures.
    """
    trained, stored = train_points(figures), replay_points(figures)
    if not trained and not stored:
        raise ValueError("no figures of `--only scale` to draw")
    count = len(trained) + bool(stored)
    with pictures.panels(count, paths, NOTE) as panels:
        for axes, (label, points) in zip(panels, trained.items(), strict=False):
            draw_line(axes, label, points)
        if stored:
            draw_rates(panels[-1], stored)


def draw_line(axes, label: str, points: list[tuple[float, dict]]) -> None:
    """One panel of train steps."""
    bars(axes, points, pictures.COLORS[0], "measured")
    if len(points) > 1:
        line = fit((x, figure["median"]) for x, figure in points)
        end = 1.05 * max(x for x, _ in points)
        ends = [line.fixed, line.fixed + line.slope * end]
        text = f"{line.fixed:.3g} s + {1e3 * line.slope:.3g} ms each"
        axes.plot([0, end], ends, color=pictures.COLORS[1], label=text)
    axes.set_ylim(bottom=0)
    pictures.dress(axes, "train step", "seconds")
    axes.set_xlabel(label)


def draw_rates(axes, found: dict[str, list[tuple[float, dict]]]) -> None:
    """The panel of the replay."""
    for color, (name, points) in zip(pictures.COLORS, found.items(), strict=False):
        unit = points[0][1]["unit"]
        bars(axes, points, color, f"{name}, {unit}", "-")
    pictures.dress(axes, "replay", "per second")
    axes.set_xlabel("stored steps")
    axes.set_xscale("log")
    axes.set_yscale("log")


def bars(
    axes, points: list[tuple[float, dict]], color: str, label: str, line=""
) -> None:
    """Medians with their spread."""
    points = sorted(points, key=lambda point: point[0])
    x, middle = [x for x, _ in points], [f["median"] for _, f in points]
    low = [f["median"] - f["min"] for _, f in points]
    high = [f["max"] - f["median"] for _, f in points]
    axes.errorbar(
        x, middle, [low, high], fmt=f"o{line}", color=color, label=label, markersize=4
    )
