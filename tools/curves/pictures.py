"""Figures of panels: curves, bands over seeds, and a line that says what they are."""

from __future__ import annotations

import math
import pathlib
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .binning import Curve
from .runs import RunError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
BANDS = {
    "std": "band: ± 1 standard deviation over seeds",
    "range": "band: least to greatest seed",
    "none": "",
}
COLORS = (
    "#0b5fa5", "#d1495b", "#2e8b57", "#8e5ea2", "#e08e0b", "#17a2b8", "#7f4f24",
)  # fmt: skip
PAPER = "#222222"
"""Colour of the published method that runs are compared with."""


def check_files(paths: Sequence[pathlib.Path]) -> None:
    """Checks before the work that the files of a figure can be written.

    Raises:
        RunError: another kind of file, no such folder, or no matplotlib.
    """
    for path in paths:
        if path.suffix.lower() not in ENDINGS:
            kinds = ", ".join(ENDINGS)
            raise RunError(f"{path}: expected a file that ends with one of {kinds}.")
        if not path.parent.is_dir():
            raise RunError(f"{path}: no folder {path.parent}. Make it first.")
    try:
        import matplotlib  # noqa: F401  (only whether it is there)
    except ImportError as error:
        raise RunError(
            "Pictures need the package 'matplotlib'. Install it with "
            "`pip install '.[plot]'`."
        ) from error


@contextmanager
def panels(
    count: int, paths: Sequence[pathlib.Path], note: str
) -> Iterator[list[Axes]]:
    """Axes to draw on; written to all files in the end.

    Args:
        count: how many.
        paths: of `check_files`. The same curves make the same bytes.
        note: what stands at the foot of the picture.
    """
    import matplotlib

    style: dict[Any, Any] = {
        "svg.hashsalt": "curves",
        "svg.fonttype": "none",
        "font.size": 8,
    }
    with matplotlib.rc_context(style):
        figure, axes = _grid(count)
        yield axes
        lines = textwrap.wrap(note, int(19 * figure.get_figwidth()))
        text = "\n".join(lines)
        figure.supxlabel(text, x=0.01, ha="left", fontsize=7, color="#555555")
        for path in paths:
            dated = {".svg": "Date", ".pdf": "CreationDate"}.get(path.suffix.lower())
            figure.savefig(path, dpi=150, metadata={dated: None} if dated else None)


def _grid(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes, as near to a square as they make it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = min(count, max(2, math.ceil(math.sqrt(count)))) if count > 1 else 1
    height = math.ceil(count / width)
    size = (6.4, 4.2) if count == 1 else (3.4 * width, 2.7 * height + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(height, width, squeeze=False).flat)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def dress(axes: Axes, title: str, label: str, legend: bool = True) -> None:
    """Title, names of the axes, grid and legend."""
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("environment frames")
    axes.set_ylabel(label)
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if legend and axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=6.5, framealpha=0.85)


def share_legend(all_axes: Sequence[Axes]) -> None:
    """One legend for all panels, beside them; a name has one look in all of them."""
    names = {}
    for axes in all_axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            names.setdefault(name, handle)
    figure = all_axes[0].get_figure(root=True)
    if names and figure:
        figure.legend(
            list(names.values()), list(names), loc="outside right upper", fontsize=7
        )


def short_number(value: float) -> str:
    """`250K`, `1.5M`; for the labels of an axis."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def draw_curve(
    axes: Axes, curve: Curve, *, color: str, label: str, band: str = "std", **style
) -> None:
    """A line with a band around it where there are several seeds.

    Args:
        axes: to draw on.
        curve: what to draw.
        color: of line and band.
        label: for the legend.
        band: one of `BANDS`.
        **style: of the line.
    """
    mark = "o" if len(curve.frames) == 1 else None  # a line of one point is not seen
    axes.plot(curve.frames, curve.mean, color=color, label=label, marker=mark, **style)
    low, high = {
        "std": (curve.mean - curve.std, curve.mean + curve.std),
        "range": (curve.low, curve.high),
        "none": (curve.mean, curve.mean),
    }[band]
    if band != "none" and np.any(curve.seeds > 1):
        axes.fill_between(curve.frames, low, high, color=color, alpha=0.2, linewidth=0)


def draw_points(axes: Axes, frames: np.ndarray, values: np.ndarray, color: str) -> None:
    """Single values, faint and not too many for an SVG."""
    if len(frames) > 3000:
        kept = np.linspace(0, len(frames) - 1, 3000).astype(int)
        frames, values = frames[kept], values[kept]
    axes.plot(
        frames, values, ".", color=color, alpha=0.25, markersize=3, markeredgewidth=0
    )
