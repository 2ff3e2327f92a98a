"""How the state of a run looks: a panel for a terminal, a line for a file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

LEVELS = "▁▂▃▄▅▆▇█"
COLORS = ("cyan", "magenta", "yellow", "green", "blue", "red")
SPARK = 32  # scores in the curve
LOSS = "loss/"


@dataclasses.dataclass(frozen=True)
class View:
    """What there is to see at one moment.

    Attributes:
        title: the task and what else tells runs apart.
        phase: what the run is doing.
        step: environment steps.
        total: environment steps of the whole run; `None` where there is no end.
        train_steps: train steps.
        env_speed: environment steps per second; NaN while unknown.
        train_speed: train steps per second; NaN while unknown.
        elapsed: seconds since this process began to train.
        scores: of the last training episodes, oldest first.
        episodes: training episodes since this process began.
        metrics: last value of each scalar.
    """

    title: str
    phase: str
    step: int
    total: int | None
    train_steps: int
    env_speed: float
    train_speed: float
    elapsed: float
    scores: Sequence[float]
    episodes: int
    metrics: Mapping[str, float]

    @property
    def remaining(self) -> float:
        """Seconds to the end at the present speed; NaN while unknown."""
        if self.total is None or not self.env_speed > 0:
            return math.nan
        return max(0, self.total - self.step) / self.env_speed

    @property
    def mean_score(self) -> float:
        """Mean of the last 10 scores; NaN before the first."""
        last = self.scores[-10:]
        return sum(last) / len(last) if last else math.nan

    @property
    def losses(self) -> dict[str, float]:
        """Losses by short name, in the order in which they are logged."""
        items = self.metrics.items()
        return {k.removeprefix(LOSS): v for k, v in items if k.startswith(LOSS)}

    @property
    def shares(self) -> list[tuple[str, float]]:
        """Parts of the loop and their share of the time, largest first."""
        found = [
            (name.split("/", 1)[1].removesuffix("/share"), value)
            for name, value in self.metrics.items()
            if name.startswith("time/") and name.endswith("/share")
        ]
        return sorted(found, key=lambda item: -item[1])


def number(value: float) -> str:
    """A number with three to four digits, of about constant width."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    digits = 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds; days and hours where it takes that long."""
    if not math.isfinite(seconds):
        return "-"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24:,} d {hours % 24} h"
    return f"{hours}:{minute:02d}:{second:02d}"


def line(view: View) -> str:
    """One line in ASCII that says how the run stands."""
    steps = f"{view.step:,}"
    if view.total:
        steps += f"/{view.total:,} ({view.step / view.total:.0%})"
    parts = [f"env steps {steps}", f"train steps {view.train_steps:,}"]
    if view.phase:
        parts.insert(0, view.phase)
    speed = f"{number(view.env_speed)} env/s {number(view.train_speed)} train/s"
    parts.append(speed)
    if view.scores:
        mean = number(view.mean_score)
        parts.append(f"score {number(view.scores[-1])} (mean of 10: {mean})")
    if "eval/score_mean" in view.metrics:
        parts.append(f"eval {number(view.metrics['eval/score_mean'])}")
    if view.losses:
        losses = " ".join(f"{k} {loss(x)}" for k, x in view.losses.items())
        parts.append(f"loss {losses}")
    if "replay/fill" in view.metrics:
        parts.append(f"replay {view.metrics['replay/fill']:.1%}")
    parts.append(f"elapsed {duration(view.elapsed)}")
    if view.total:
        parts.append(f"ETA {duration(view.remaining)}")
    return " | ".join(parts)


def loss(value: float) -> str:
    """A loss; unlike elsewhere NaN is said aloud."""
    return "NaN" if math.isnan(value) else number(value)


class RunPanel:
    """The run as a framed panel for rich; see `View`."""

    def __init__(self, view: View):
        self._view = view

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        view = self._view
        rows = Table.grid(padding=(0, 2), expand=True)
        rows.add_column(style="dim", justify="right", width=6)
        rows.add_column(ratio=1)
        rows.add_row("score", _score(view, options.ascii_only))
        if "eval/score_mean" in view.metrics:
            rows.add_row("eval", _eval(view.metrics))
        rows.add_row("speed", _speed(view))
        rows.add_row("loss", _losses(view))
        if view.shares:
            rows.add_row("time", _shares(view, options.ascii_only))
        rows.add_row("memory", _memory(view.metrics))
        body = Group(_progress(view), "", rows)
        yield Panel(
            Padding(body, (1, 1, 0, 1)),
            title=Text.assemble(("dreamerv3", "bold"), "  ", (view.title, "cyan")),
            title_align="left",
            subtitle=Text(view.phase, "yellow") if view.phase else None,
            subtitle_align="right",
            border_style="bright_black",
            width=min(100, options.max_width),
        )


def _progress(view: View) -> Group:
    counts = Text.assemble((f"{view.step:,}", "bold"))
    right = Text.assemble(("elapsed ", "dim"), duration(view.elapsed))
    below = Table.grid(padding=(0, 2), expand=True)
    below.add_column()
    below.add_column(justify="right")
    if not view.total:
        counts.append(" env steps", "dim")
        below.add_row(counts, right)
        return Group(below)
    counts.append(f" / {view.total:,} env steps", "dim")
    right.append("   ETA ", "dim").append(duration(view.remaining), "bold")
    below.add_row(counts, right)
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(ratio=1)
    bar.add_column(justify="right", width=7)
    done = ProgressBar(
        total=view.total,
        completed=min(view.step, view.total),
        complete_style="cyan",
        finished_style="green",
    )
    bar.add_row(done, Text(f"{view.step / view.total:.1%}", "bold cyan"))
    return Group(bar, below)


def _score(view: View, ascii_only: bool) -> Text:
    if not view.scores:
        return Text("no episode has ended yet", "dim")
    text = Text.assemble(
        (number(view.scores[-1]), "bold green"),
        ("   mean of 10 ", "dim"),
        (number(view.mean_score), "bold"),
        ("   episodes ", "dim"),
        f"{view.episodes:,}",
    )
    if not ascii_only and len(view.scores) > 1:
        text.append("   ").append(sparkline(view.scores[-SPARK:]), "green")
    return text


def sparkline(values: Sequence[float]) -> str:
    """A curve of one character per value, from the lowest to the highest."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(LEVELS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        LEVELS[round((x - low) * scale)] if math.isfinite(x) else " " for x in values
    )


def _eval(metrics: Mapping[str, float]) -> Text:
    text = Text(number(metrics["eval/score_mean"]), "bold green")
    if "eval/score_iqm" in metrics:
        text.append("   IQM ", "dim").append(number(metrics["eval/score_iqm"]))
    if "eval/episodes" in metrics:
        text.append(f"   over {metrics['eval/episodes']:.0f} episodes", "dim")
    return text


def _speed(view: View) -> Text:
    return Text.assemble(
        (number(view.env_speed), "bold"),
        (" env steps/s   ", "dim"),
        (number(view.train_speed), "bold"),
        (" train steps/s   ", "dim"),
        f"{view.train_steps:,}",
        (" train steps", "dim"),
    )


def _losses(view: View) -> Text | Columns:
    if not view.losses:
        return Text("training has not begun", "dim")
    cells = []
    for name, value in view.losses.items():
        style = "" if math.isfinite(value) else "bold white on red"
        cells.append(Text.assemble((f"{name} ", "dim"), (loss(value), style)))
    return Columns(cells, padding=(0, 3))


def _shares(view: View, ascii_only: bool) -> Text:
    bar, names = Text(no_wrap=True, overflow="ellipsis"), Text()
    left = 1.0
    for index, (name, share) in enumerate(view.shares[: len(COLORS)]):
        color = COLORS[index]
        width = round(20 * min(share, left))
        left = max(0.0, left - share)
        bar.append(("#" if ascii_only else "█") * width, color)
        names.append("  ").append(name, color).append(f" {share:.0%}")
    bar.append(("." if ascii_only else "░") * (20 - len(bar)), "dim")
    return bar.append(names)


def _memory(metrics: Mapping[str, float]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    if "replay/fill" in metrics:
        text.append(f"{metrics['replay/fill']:.1%}").append(" of replay   ", "dim")
    for name, label in (
        ("usage/ram_gb", "GB RAM"),
        ("usage/workers_ram_gb", "GB in workers"),
        ("usage/gpu_current_gb", "GB on GPU"),
        ("usage/logdir_gb", "GB on disk"),
    ):
        if name in metrics:
            text.append(number(metrics[name])).append(f" {label}   ", "dim")
    return text if text else Text("-", "dim")
