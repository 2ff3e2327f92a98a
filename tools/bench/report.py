"""The result: the machine, the figures as JSON and as a table."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform

import psutil

from dreamerv3_tf.run import manifest

from .references import REFERENCES, TITLE, factor

HEAD = ("figure", "unit", "median", "min", "max", "n", "CPU s", "others")
NOTES = f"""n: repetitions. CPU s: processor seconds of a call, all threads and workers.
others: cores that other programs kept busy meanwhile; well above 0.1 means noise.
reference: {TITLE}; × is how many times better than its best value."""


def describe_machine() -> dict:
    """Processor, memory, load, versions and commit, as JSON values."""
    return {
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "usable_cores": len(psutil.Process().cpu_affinity() if psutil.LINUX else [])
        or os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": manifest.versions(),
        "git": manifest.git_state(),
    }


def processor_name() -> str:
    """Model of the processor, as the system calls it."""
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def read_figures(path: pathlib.Path) -> dict[str, dict]:
    """Figures of a saved result, by name.

    Raises:
        ValueError: the file is no result of this tool.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
        return {figure["name"]: figure for figure in figures}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: expected JSON of tools/bench.py.") from error


def add_comparisons(figure: dict, variant: str, older: dict[str, dict]) -> dict:
    """The figure with the reference and an older result beside it.

    Args:
        figure: of a stopwatch.
        variant: end of the case's name that tells `--xla` and `--precision`.
        older: figures to compare with, by name.

    Returns:
        The figure with `reference` (values, or `None`), `reference_factor`, and `older`
        (its median) and `older_factor`; factors above 1 say that this one is better.
    """
    name = figure["name"].replace(variant, "", 1) if variant else figure["name"]
    known = REFERENCES.get(name)
    past = older.get(figure["name"])
    return {
        **figure,
        "reference": list(known) if known else None,
        "reference_factor": factor(figure, known) if known else None,
        "older": past["median"] if past else None,
        "older_factor": factor(figure, (past["median"],)) if past else None,
    }


def table(figures: list[dict], older: bool) -> str:
    """The figures as text; with a column for an older result where there is one."""
    head = [*HEAD, "reference", "× ref"] + (["older", "× older"] if older else [])
    lines = [head]
    for figure in figures:
        line = [figure["name"], figure["unit"]]
        line += [number(figure[key]) for key in ("median", "min", "max")]
        line += [str(figure["repeats"])]
        line += [number(figure[key]) for key in ("cpu_seconds", "other_cores")]
        line += ["–".join(number(x) for x in figure["reference"] or [None])]
        line += [number(figure["reference_factor"])]
        if older:
            line += [number(figure["older"]), number(figure["older_factor"])]
        lines.append(line)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    ]
    return "\n".join([*rows, "", NOTES])


def number(value: float | None) -> str:
    """Three significant digits, thousands with commas."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 or not value else f"{value:.1e}"
