"""What an agent can do in DMLab: a choice among fixed settings of seven controls.

The controls: look to the right (pixels per frame, negative is left), tilt the view
(pixels per frame), strafe to the right, move forward, fire, jump, crouch.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Name = Literal["popart", "impala"]

POPART = (
    (0, 0, 0, 1, 0, 0, 0),  # forward
    (0, 0, 0, -1, 0, 0, 0),  # backward
    (0, 0, -1, 0, 0, 0, 0),  # strafe left
    (0, 0, 1, 0, 0, 0, 0),  # strafe right
    (-10, 0, 0, 0, 0, 0, 0),  # look a little left
    (10, 0, 0, 0, 0, 0, 0),  # look a little right
    (-60, 0, 0, 0, 0, 0, 0),  # look left
    (60, 0, 0, 0, 0, 0, 0),  # look right
    (0, 10, 0, 0, 0, 0, 0),  # tilt one way
    (0, -10, 0, 0, 0, 0, 0),  # tilt the other way
    (-10, 0, 0, 1, 0, 0, 0),  # forward and a little left
    (10, 0, 0, 1, 0, 0, 0),  # forward and a little right
    (-60, 0, 0, 1, 0, 0, 0),  # forward and left
    (60, 0, 0, 1, 0, 0, 0),  # forward and right
    (0, 0, 0, 0, 1, 0, 0),  # fire
)
"""Hessel et al. 2018 (PopArt), also R2D2; the set of the 2025 paper's code."""

IMPALA = (
    (0, 0, 0, 1, 0, 0, 0),  # forward
    (0, 0, 0, -1, 0, 0, 0),  # backward
    (0, 0, -1, 0, 0, 0, 0),  # strafe left
    (0, 0, 1, 0, 0, 0, 0),  # strafe right
    (-20, 0, 0, 0, 0, 0, 0),  # look left
    (20, 0, 0, 0, 0, 0, 0),  # look right
    (-20, 0, 0, 1, 0, 0, 0),  # forward and left
    (20, 0, 0, 1, 0, 0, 0),  # forward and right
    (0, 0, 0, 0, 1, 0, 0),  # fire
)
"""Espeholt et al. 2018 (IMPALA); the set of the 2023 paper's code."""


def table(name: Name) -> np.ndarray:
    """Settings of the controls `np.intc [A, 7]`, a row for each action."""
    return np.array({"popart": POPART, "impala": IMPALA}[name], np.intc)
