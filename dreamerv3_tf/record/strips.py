"""Entries of a vector, written beside the pictures of an open-loop report."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHOWN = 3  # sequences: all six would take megabytes
LINE = 10  # pixels of a line of text, at least
NAME, VALUE = 84, 28  # pixels: the columns of a strip
WHITE, GREEN, RED, GRAY = (240, 240, 240), (90, 220, 90), (255, 90, 90), (95, 95, 95)


def write_beside(
    video: np.ndarray, values: np.ndarray, legend: Mapping[str, int]
) -> np.ndarray:
    """The video of `agent.report.openloop_grid`, enlarged, with strips beside frames.

    The strip of the truth is white, that of the prediction green where it rounds to the
    truth and red elsewhere; what is rightly nothing is gray.

    Args:
        video: uint8 `[T', 3·h, B·w, 3]`, truth, prediction and error one above the
            other, `B` sequences side by side.
        values: float32 `[2, B, T, K]`, truth and prediction; `T` may be less than `T'`,
            later frames get no strip.
        legend: name and place `0 ... K - 1` of the entries to write.

    Returns:
        uint8 `[T', 3·h·f, b·(w·f + 112), 3]` of the first `b` = 3 sequences or less;
        the factor `f` makes room for the text.
    """
    width = video.shape[2] // values.shape[1]
    values = values[:, :SHOWN]
    columns, steps = values.shape[1:3]
    video = video[:, :, : columns * width]
    places = list(legend.values())
    factor = math.ceil(LINE * len(legend) * 3 / video.shape[1])
    frames = video.repeat(factor, 1).repeat(factor, 2)
    height = frames.shape[1] // 3
    names = [name.replace("_", " ") for name in legend]
    result = []
    for column, part in enumerate(np.split(frames, columns, axis=2)):
        strips = np.zeros((*part.shape[:2], NAME + VALUE, 3), np.uint8)
        for step in range(steps):
            truth, predicted = values[:, column, step, places]
            _fill(strips[step, :height], names, truth, truth)
            _fill(strips[step, height : 2 * height], names, predicted, truth)
        result += [part, strips]
    return np.concatenate(result, axis=2)


def _fill(
    area: np.ndarray, names: list[str], values: np.ndarray, truth: np.ndarray
) -> None:
    """Writes one line a name into `area`, uint8 `[h, NAME + VALUE, 3]`."""
    for row, (name, value, right) in enumerate(zip(names, values, truth, strict=True)):
        top = row * len(area) // len(names)
        line = area[top : (row + 1) * len(area) // len(names)]
        same = np.round(value) == np.round(right)  # never where it is not finite
        nothing = same and np.round(right) == 0
        exact = values is truth
        color = GRAY if nothing else WHITE if exact else GREEN if same else RED
        digits = f"{value:.0f}" if exact else f"{value:z.1f}"
        line[:, :NAME] = _text(name, color, NAME, len(line))
        line[:, NAME:] = _text(digits, color, VALUE, len(line))


@functools.lru_cache(maxsize=4096)
def _text(
    text: str, color: tuple[int, int, int], width: int, height: int
) -> np.ndarray:
    image = Image.new("RGB", (width, height))
    font = ImageFont.load_default()
    draw = ImageDraw.Draw(image)
    draw.text((3, height / 2), text, color, font, anchor="lm")
    return np.asarray(image)
