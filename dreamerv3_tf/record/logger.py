"""Collects metrics with the step they belong to and hands them to the outputs.

What a metric is follows from its value:

    number, bool, array of rank 0     scalar
    string                            text
    uint8 [H, W, 1 or 3]              image
    uint8 [T, H, W, 1 or 3]           video
    other numbers of rank 1 and more  histogram of all elements
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class Kind(enum.Enum):
    """What a metric is."""

    SCALAR = "scalar"
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    HISTOGRAM = "histogram"


class Point(NamedTuple):
    """One value of one metric.

    Attributes:
        step: environment steps, after action repeat, when it was added.
        name: `part/name`.
        kind: which of the kinds `value` is.
        value: a float, a string or a numpy array.
    """

    step: int
    name: str
    kind: Kind
    value: Any


class Output(Protocol):
    """Where metrics go."""

    def write(self, points: Sequence[Point]) -> None:
        """Takes all points added since the last write, oldest first."""

    def close(self) -> None:
        """Completes and releases the output."""


class Logger:
    """Collects metrics and passes them on to every output at `write`.

        logger = Logger([JSONLines(logdir)], step=lambda: counter.frames)
        logger.add({"score": 12.0, "length": 201}, prefix="episode")
        logger.write()

    Adding a name twice keeps both: two episodes may end on one step.

    Args:
        outputs: where points go; each gets all of them.
        step: environment steps at this moment, after action repeat.
    """

    def __init__(self, outputs: Sequence[Output], step: Callable[[], int]):
        self.outputs = list(outputs)
        self._step = step
        self._points: list[Point] = []

    def add(self, metrics: Mapping[str, Any], prefix: str = "") -> None:
        """Takes metrics of the current step.

        Args:
            metrics: value by name. Tensors must have been fetched (`Metrics.result`).
            prefix: put before each name, with a slash.

        Raises:
            ValueError: a value is none of the kinds above.
        """
        step = int(self._step())
        for name, value in metrics.items():
            name = f"{prefix}/{name}" if prefix else name
            self._points.append(make_point(step, name, value))

    def write(self) -> None:
        """Hands over what was added since the last write."""
        points, self._points = self._points, []
        for output in self.outputs:
            output.write(points)

    def close(self) -> None:
        """Writes the rest and closes the outputs."""
        if self._points:
            self.write()
        for output in self.outputs:
            output.close()


def make_point(step: int, name: str, value: Any) -> Point:
    """The point for a value, with the kind that its type and shape say.

    Raises:
        ValueError: the value is of no kind that can be logged.
    """
    if isinstance(value, str):
        return Point(step, name, Kind.TEXT, value)
    array = np.asarray(value)
    if array.dtype.kind == "V":  # bfloat16 and its like
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Metric '{name}' is a {type(value).__name__} of dtype {array.dtype}. "
            "Metrics are numbers, strings, images, videos and arrays of numbers."
        )
    if not array.shape:
        return Point(step, name, Kind.SCALAR, float(array))
    if array.dtype != np.uint8:
        return Point(step, name, Kind.HISTOGRAM, array.reshape(-1))
    if array.ndim in (3, 4) and array.shape[-1] in (1, 3) and array.size:
        kind = Kind.IMAGE if array.ndim == 3 else Kind.VIDEO
        return Point(step, name, kind, array)
    raise ValueError(
        f"Metric '{name}' is uint8 of shape {array.shape}. uint8 is for images "
        "[H, W, 1 or 3] and videos [T, H, W, 1 or 3]; convert other arrays to float."
    )
