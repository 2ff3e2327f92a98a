"""Ways through the voxels for a player who walks, jumps, falls, digs and swims: A*.

A node is the cell of the feet. A move goes to one of the four sides, on the level, one
up, or up to three down; in water also straight up. What is in the way is dug away.
"""

from __future__ import annotations

import math

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.oracle.passage import (
    DIG,
    JUMP,
    NEVER,
    RISE,
    WALK,
    clear_cost,
    get,
    is_among,
    stand_cost,
)

CELLS = st.SIZE * st.SIZE * st.HEIGHT
REACH = 44  # blocks from the start along x and z; all of it is in the window
GREED = (
    3.0  # weight of the way that is left; more finds a way sooner, less a better one
)

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))
CLIMBS = (0, 1, -1, -2, -3)
MOVES = np.array([(x, y, z) for x, z in SIDES for y in CLIMBS] + [(0, 1, 0)])
EXPANDED = 64  # added to the number of the move that led to a cell
G, STAND, CLEAR = range(3)  # planes of `work`: the way so far, and costs; 0 is unknown


def new_workspace() -> tuple[np.ndarray, np.ndarray]:
    """Memory for one search: the system hands out only the pages that are used."""
    return np.zeros((3, CELLS), np.float32), np.zeros(CELLS, np.int8)


@kernel()
def find_path(s, goals, tier, limit, work, came):
    """The cheapest way, roughly, from the player to the nearest of some cells.

    Args:
        s: the world.
        goals: int64 `[n, 3]`, cells for the feet, n > 0.
        tier: of the best pickaxe, -1 for none.
        limit: number of cells after which the search gives up.
        work: of `new_workspace`.
        came: of `new_workspace`.

    Returns:
        Cells of the feet, int64 `[m, 3]`, from where the player is to the goal; m is 0
        where there is no way.
    """
    start, vox, roof = np.array(feet(s)), s.vox, s.roof
    keys, places = np.empty(CELLS // 4, np.float32), np.empty(CELLS // 4, np.int64)
    size, seen = 1, 0
    keys[0], places[0] = 0.0, _place(start[0], start[1], start[2])
    work[G, places[0]] = 1.0
    while size > 0 and seen < limit:
        place = places[0]
        size = _pop(keys, places, size)
        x, y, z = _cell(place, start)
        if is_among(goals, x, y, z):
            return _trace(start, x, y, z, came)
        if came[place] >= EXPANDED:
            continue
        came[place] += EXPANDED
        seen += 1
        for move in range(MOVES.shape[0]):
            to_x, to_y, to_z = (
                x + MOVES[move, 0],
                y + MOVES[move, 1],
                z + MOVES[move, 2],
            )
            if _is_near(start, to_x, to_y, to_z):
                to = _place(to_x, to_y, to_z)
                if came[to] >= EXPANDED:
                    continue
                cost = work[G, place] + _move_cost(vox, roof, x, y, z, move, tier, work)
                if cost < NEVER and (work[G, to] == 0.0 or cost < work[G, to] - 0.01):
                    work[G, to] = cost
                    came[to] = move
                    left = _way_left(goals, to_x, to_y, to_z)
                    size = _push(keys, places, size, cost + left, to)
    return np.empty((0, 3), np.int64)


@inner
def feet(s):
    """Cell of the player's feet; a hair above a floor is on it."""
    return (
        np.int64(math.floor(s.body[st.X])),
        np.int64(math.floor(s.body[st.Y] + 0.02)),
        np.int64(math.floor(s.body[st.Z])),
    )


@inner
def _place(x, y, z):
    return (((x & 127) << 14) | ((z & 127) << 7)) | y


@inner
def _cell(place, start):
    """Cell of an index: the one of its kind that is nearest to the start."""
    x, z, y = place >> 14, (place >> 7) & 127, place & 127
    x = start[0] + ((x - start[0] + 64) & 127) - 64
    z = start[2] + ((z - start[2] + 64) & 127) - 64
    return x, y, z


@inner
def _is_near(start, x, y, z):
    return (
        1 <= y < st.HEIGHT - 2
        and abs(x - start[0]) <= REACH
        and abs(z - start[2]) <= REACH
    )


@inner
def _way_left(goals, x, y, z):
    """Cost of the way to the nearest goal, guessed."""
    best = NEVER
    for row in range(goals.shape[0]):
        dx, dz = abs(goals[row, 0] - x), abs(goals[row, 2] - z)
        dy = abs(goals[row, 1] - y)
        best = min(best, float(max(dx + dz, dy)))
    return best * WALK * GREED


@inner
def _move_cost(vox, roof, x, y, z, move, tier, work):
    dx, dy, dz = MOVES[move, 0], MOVES[move, 1], MOVES[move, 2]
    stand = _cached_stand(vox, roof, x + dx, y + dy, z + dz, work)
    if stand >= NEVER:
        return NEVER
    if dx == 0 and dz == 0:
        if not blocks.WATERY[get(vox, x, y, z)]:
            return NEVER
        return stand + RISE + _cached_clear(vox, x, y + 2, z, tier, work)
    cost = stand + WALK
    if dy == 1:
        cost += JUMP + _cached_clear(vox, x, y + 2, z, tier, work)
    for level in range(y + dy, max(y, y + dy) + 2):
        clear = _cached_clear(vox, x + dx, level, z + dz, tier, work)
        if clear >= DIG and level < y - 1:  # too deep to be dug from here
            return NEVER
        cost += clear
    return cost


@inner
def _cached_stand(vox, roof, x, y, z, work):
    place = _place(x, y, z)
    if work[STAND, place] == 0.0:
        work[STAND, place] = 1.0 + stand_cost(vox, roof, x, y, z)
    return work[STAND, place] - 1.0


@inner
def _cached_clear(vox, x, y, z, tier, work):
    place = _place(x, y, z)
    if work[CLEAR, place] == 0.0:
        work[CLEAR, place] = 1.0 + clear_cost(vox, x, y, z, tier)
    return work[CLEAR, place] - 1.0


@inner
def _trace(start, x, y, z, came):
    """The way that led to a cell, from the start on."""
    way = np.empty((2048, 3), np.int64)
    count = 0
    while count < way.shape[0]:
        way[count, 0], way[count, 1], way[count, 2] = x, y, z
        count += 1
        if x == start[0] and y == start[1] and z == start[2]:
            break
        move = came[_place(x, y, z)] % EXPANDED
        x, y, z = x - MOVES[move, 0], y - MOVES[move, 1], z - MOVES[move, 2]
    return way[:count][::-1].copy()


@inner
def _push(keys, places, size, key, place):
    """Adds to a binary heap; returns its new size (the same where it is full)."""
    if size >= keys.shape[0]:
        return size
    at = size
    while at > 0 and keys[(at - 1) >> 1] > key:
        keys[at], places[at] = keys[(at - 1) >> 1], places[(at - 1) >> 1]
        at = (at - 1) >> 1
    keys[at], places[at] = key, place
    return size + 1


@inner
def _pop(keys, places, size):
    """Takes the least off a binary heap; returns its new size."""
    size -= 1
    key, place = keys[size], places[size]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], places[at] = keys[child], places[child]
        at = child
    keys[at], places[at] = key, place
    return size
