"""A breakdown as a table, as JSON and as a picture."""

from __future__ import annotations

import pathlib
import statistics

from curves import pictures

from .parts import TITLES
from .steps import Profile, slowdown
from .timeline import Breakdown, Kernel, Share

FORWARD_COLOR, BACKWARD_COLOR, IDLE_COLOR = "#0b5fa5", "#e08e0b", "#888888"
LEGEND = {
    FORWARD_COLOR: "forward",
    BACKWARD_COLOR: "backward",
    IDLE_COLOR: "no operation runs",
}
IDLE = ("fetch", "dispatch", "python")
"""Parts in which no operation runs."""

NOTE = (
    "Each moment of a step counts for the operation that runs then, shared equally "
    "between threads. What XLA fused out of several parts counts for the part of its "
    "result."
)


def used_parts(found: Breakdown) -> list[str]:
    """Parts that take any time, in their order."""
    return [
        part
        for part in TITLES
        if any(sum(times) for share, times in found.parts.items() if share.part == part)
    ]


def as_json(found: Profile) -> dict:
    """All numbers."""
    breakdown = found.breakdown
    return {
        "plain_ms": spread(found.plain),
        "profiled_ms": spread(breakdown.steps),
        "slowdown": slowdown(found),
        "parts": [
            {
                "part": share.part,
                "title": TITLES[share.part],
                "backward": share.backward,
                **spread(breakdown.parts[share]),
                "share": breakdown.fraction(share),
            }
            for part in used_parts(breakdown)
            for share in (Share(part, False), Share(part, True))
            if share in breakdown.parts
        ],
        "kernels": [as_row(kernel) for kernel in breakdown.kernels[:100]],
    }


def as_row(kernel: Kernel) -> dict:
    """One kernel as JSON values."""
    return {
        "part": kernel.share.part,
        "backward": kernel.share.backward,
        "ms": 1e3 * kernel.seconds,
        "calls": kernel.calls,
        "kernel": kernel.kernel,
        "shape": kernel.shape,
        "origin": kernel.origin,
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, least and greatest, milliseconds."""
    return {
        "median": 1e3 * statistics.median(seconds),
        "min": 1e3 * min(seconds),
        "max": 1e3 * max(seconds),
    }


def table(found: Profile, top: int = 0) -> str:
    """The parts as text, and the `top` operations that take longest."""
    breakdown = found.breakdown
    lines = [f"{'part':<32}{'forward':>10}{'backward':>10}{'both':>10}{'share':>8}"]
    used, step = used_parts(breakdown), 1e3 * statistics.median(breakdown.steps)
    forward, backward = times(breakdown, used)
    for part, x, y in zip(used, forward, backward, strict=True):
        lines.append(row(TITLES[part], x, y, step))
    lines.append(row("step", sum(forward), sum(backward), step))
    plain = 1e3 * statistics.median(found.plain)
    lines.append(
        f"\nStep with profiler {step:,.4g} ms, without {plain:,.4g} ms; "
        f"{len(breakdown.steps)} steps each. Times are ms, parts of a median step."
    )
    if top:
        lines.append(f"\n{'ms':>8}{'calls':>7}  operation")
        lines += [kernel_row(kernel) for kernel in breakdown.kernels[:top]]
    return "\n".join(lines)


def times(found: Breakdown, parts: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of parts, forward and backward."""
    forward = [1e3 * found.seconds(Share(part, False)) for part in parts]
    return forward, [1e3 * found.seconds(Share(part, True)) for part in parts]


def row(title: str, forward: float, backward: float, step: float) -> str:
    """One line of the table; times in milliseconds."""
    both = forward + backward
    text = f"{forward:>10.3f}{backward:>10.3f}{both:>10.3f}"
    return f"{title:<32}{text}{both / step:>8.1%}"


def kernel_row(kernel: Kernel) -> str:
    """One line of the table of operations."""
    what = " ".join(x for x in (kernel.kernel, kernel.shape) if x)
    origin = kernel.origin.replace("part.", "")
    return f"{1e3 * kernel.seconds:>8.3f}{kernel.calls:>7.4g}  {what}  {origin}"


def draw(found: Profile, title: str, paths: list[pathlib.Path]) -> None:
    """A bar for each part, forward and backward one after the other."""
    breakdown = found.breakdown
    used = used_parts(breakdown)
    forward, backward = times(breakdown, used)
    step = 1e3 * statistics.median(breakdown.steps)
    with pictures.panels(1, paths, NOTE) as (axes,):
        places = list(range(len(used)))
        colors = [IDLE_COLOR if part in IDLE else FORWARD_COLOR for part in used]
        axes.barh(places, forward, color=colors)
        axes.barh(places, backward, left=forward, color=BACKWARD_COLOR)
        widest = max(f + b for f, b in zip(forward, backward, strict=True))
        for place, x, y in zip(places, forward, backward, strict=True):
            text = f" {x + y:.3g} ms, {(x + y) / step:.1%}"
            axes.text(x + y, place, text, va="center", fontsize=7)
        axes.set_yticks(places, [TITLES[part] for part in used])
        axes.set_xlim(0, 1.28 * widest)
        axes.invert_yaxis()
        axes.set_xlabel("ms")
        axes.set_title(f"{title}: {step:.4g} ms a step", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.25, linewidth=0.6)
        for color, label in LEGEND.items():  # empty bars, for the legend alone
            axes.barh([0], [0], color=color, label=label)
        axes.legend(fontsize=7, loc="lower right")
