"""Where a block goes that the player places, from a pose and the block looked at.

CraftGround tells which block the crosshair is on, but not which of its faces.
"""

from __future__ import annotations

import numpy as np

Cell = tuple[int, int, int]

REACH = 4.5  # blocks
EYE, TALL, HALF = 1.62, 1.8, 0.3  # blocks: eye and head above the feet, half of a width


def free_cell(position: np.ndarray, target: Cell) -> Cell | None:
    """The cell before the face that the crosshair is on.

    Args:
        position: float64 `[5]`, x, y (of the feet), z, yaw, pitch.
        target: the block that the crosshair is on.

    Returns:
        None where the block is out of reach, or the player stands in the cell.
    """
    found = hit(position, target)
    if found is None or found[0] > REACH:
        return None
    x, y, z = (int(a) + int(b) for a, b in zip(target, found[1], strict=True))
    return None if _touches(position, (x, y, z)) else (x, y, z)


def hit(position: np.ndarray, target: Cell) -> tuple[float, np.ndarray] | None:
    """Distance to a block along the look, and the normal of the face that is hit.

    Args:
        position: as above.
        target: the block.

    Returns:
        None where the look misses the block; the normal is int64 `[3]`.
    """
    x, y, z, yaw, pitch = position
    turn, tilt = np.radians(yaw), np.radians(pitch)
    look = np.array(
        [-np.sin(turn) * np.cos(tilt), -np.sin(tilt), np.cos(turn) * np.cos(tilt)]
    )
    look = np.where(np.abs(look) < 1e-12, 1e-12, look)  # parallel to a face
    low = (np.asarray(target, np.float64) - (x, y + EYE, z)) / look
    high = low + 1 / look
    near, far = np.minimum(low, high), np.maximum(low, high)
    axis = int(np.argmax(near))
    if near[axis] > far.min() or far.min() < 0:
        return None
    normal = np.zeros(3, np.int64)
    normal[axis] = -int(np.sign(look[axis]))
    return max(0.0, float(near[axis])), normal


def _touches(position: np.ndarray, cell: Cell) -> bool:
    """Whether the player's box reaches into a cell."""
    x, y, z = position[:3]
    low = np.array([x - HALF, y, z - HALF])
    high = np.array([x + HALF, y + TALL, z + HALF])
    corner = np.asarray(cell, np.float64)
    return bool(((low < corner + 1) & (high > corner)).all())
