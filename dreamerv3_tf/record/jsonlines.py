"""Scalars as lines of JSON: `metrics.jsonl` and `scores.jsonl`."""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dreamerv3_tf.record.logger import Kind, Point

SCORE = "episode/score"
NOT_FINITE = ("NaN", "Infinity", "-Infinity")


class JSONLines:
    """Appends the scalars of every write to `metrics.jsonl`, one line per step.

    A line is `{"step": 1200, "loss/dyn": 3.1, ...}`. Where a name comes twice on one
    step, as when two episodes end together, the second begins a new line of that step.
    `scores.jsonl` has a line for each training episode, `{"step": ..., "episode/score":
    ...}`. JSON has no NaN and no infinity; they are the strings `"NaN"`, `"Infinity"`
    and `"-Infinity"`, which `float` and `read_jsonl` turn back.

    Lines are complete in the file when `write` returns, so a killed process loses at
    most the one being written; opening the file again cuts such a half line off. A run
    that goes on from a checkpoint may write steps again that were logged before the
    kill: of two lines of one step the later one counts.

    Args:
        directory: folder of the run; made where it does not exist.
        notice: told about a repaired file.
        facts: what every line says besides, in words, such as the backend of a game.
    """

    def __init__(
        self,
        directory: str | pathlib.Path,
        notice: Callable[[str], None] = print,
        facts: Mapping[str, str] | None = None,
    ):
        self._facts = dict(facts or {})
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._metrics = _open(directory / "metrics.jsonl", notice)
        self._scores = _open(directory / "scores.jsonl", notice)

    def write(self, points: Sequence[Point]) -> None:
        """Appends the scalars among the points."""
        scalars = [point for point in points if point.kind is Kind.SCALAR]
        scores = [point for point in scalars if point.name == SCORE]
        _append(self._metrics, self._lines(scalars))
        _append(self._scores, self._lines(scores))

    def close(self) -> None:
        """Closes both files."""
        os.close(self._metrics)
        os.close(self._scores)

    def _lines(self, points: Iterable[Point]) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        for point in points:
            line: dict[str, Any] = lines[-1] if lines else {}
            if not lines or line["step"] != point.step or point.name in line:
                line = {"step": point.step, **self._facts}
                lines.append(line)
            line[point.name] = _json_value(point.value)
        return lines


def read_jsonl(path: str | pathlib.Path) -> list[dict[str, float]]:
    """The numbers of a file that `JSONLines` wrote, with NaN and infinities restored.

    A half line at the end, of a run that was killed or is writing, is left out.

    Raises:
        ValueError: another line is no JSON object; names the file and the line.
    """
    lines = pathlib.Path(path).read_bytes().split(b"\n")[:-1]
    result = []
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            result.append({k: _number(v) for k, v in values.items() if _is_number(v)})
        except (ValueError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}: no JSON object.") from error
    return result


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) or value in NOT_FINITE


def _number(value: Any) -> float:
    return float(value) if isinstance(value, str) else value


def _json_value(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _append(descriptor: int, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
    data = memoryview(text.encode())
    while data:
        data = data[os.write(descriptor, data) :]


def _open(path: pathlib.Path, notice: Callable[[str], None]) -> int:
    """Opens the file for appending after cutting off a half line at its end."""
    if path.exists() and path.stat().st_size:
        size = path.stat().st_size
        end = _end_of_lines(path, size)
        if end < size:
            os.truncate(path, end)
            notice(
                f"{path}: the last line was cut off after {size - end} bytes, by a "
                "crash or a full disk; removed it."
            )
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def _end_of_lines(path: pathlib.Path, size: int) -> int:
    """Position after the last newline; 0 where there is none."""
    with path.open("rb") as file:
        end = size
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
