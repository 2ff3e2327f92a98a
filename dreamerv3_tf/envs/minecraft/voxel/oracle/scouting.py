"""What the oracle sees without looking: where blocks of a kind lie in the window."""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.nature.fighting import sees
from dreamerv3_tf.envs.minecraft.voxel.oracle.passage import is_among
from dreamerv3_tf.envs.minecraft.voxel.state import HEIGHT, get, loaded

FAR = 43  # blocks from the player, along x and z


@kernel()
def find_blocks(s, wanted, forbidden, count):
    """The nearest blocks of some kinds, the nearest first.

    Args:
        s: the world.
        wanted: bool `[256]`, by block.
        forbidden: int64 `[m, 3]`, cells to leave out.
        count: how many at most.

    Returns:
        Cells, int64 `[n, 3]`.
    """
    found = np.empty((count, 3), np.int64)
    far = np.full(count, 1 << 30)
    px, py, pz = np.int64(np.floor(s.body[st.X])), s.body[st.Y], s.body[st.Z]
    py, pz = np.int64(np.floor(py)), np.int64(np.floor(pz))
    for x in range(px - FAR, px + FAR + 1):
        for z in range(pz - FAR, pz + FAR + 1):
            if not loaded(s, x, z):
                continue
            away = abs(x - px) + abs(z - pz)
            if away >= far[count - 1]:
                continue
            for y in range(1, HEIGHT):
                if wanted[s.vox[x & 127, z & 127, y]]:
                    distance = max(away, abs(y - py)) + (away + abs(y - py)) // 2
                    if distance < far[count - 1] and not is_among(forbidden, x, y, z):
                        _insert(found, far, x, y, z, distance)
    known = 0
    while known < count and far[known] < 1 << 30:
        known += 1
    return found[:known].copy()


@inner
def _insert(found, far, x, y, z, distance):
    at = far.shape[0] - 1
    while at > 0 and far[at - 1] > distance:
        far[at] = far[at - 1]
        found[at] = found[at - 1]
        at -= 1
    far[at] = distance
    found[at, 0], found[at, 1], found[at, 2] = x, y, z


@kernel()
def nearest_foe(s, reach):
    """Row of the nearest monster within a reach that sees the player; -1 for none."""
    body, best, found = s.body, reach, -1
    eye = body[st.Y] + st.EYE
    for row in range(st.ENTS):
        mob = s.ents[row]
        if mob[st.E_KIND] >= st.ZOMBIE and mob[st.E_ANGRY] > 0:
            x, y, z = mob[st.E_X], mob[st.E_Y], mob[st.E_Z]
            far = math.sqrt(
                (x - body[st.X]) ** 2
                + max(0.0, abs(y - body[st.Y]) - 1.0) ** 2
                + (z - body[st.Z]) ** 2
            )
            if far < best and sees(s, x, y + 1.0, z, body[st.X], eye, body[st.Z]):
                best, found = far, row
    return found


@kernel()
def surface(s, x, z):
    """Height of the feet of a body on a column, swimming or on the ground, not trees.

    Returns:
        Height, and whether it would swim; -1 and False where there is neither.
    """
    if not loaded(s, x, z):
        return -1, False
    for y in range(HEIGHT - 3, 0, -1):
        block = get(s, x, y - 1, z)
        if blocks.WATERY[block]:
            return y - 1, True
        if blocks.FIERY[block]:
            return -1, False
        if blocks.SOLID[block] and not blocks.OAK_LOG <= block <= blocks.ACACIA_LEAVES:
            return y, False
    return -1, False
