"""The window on an unbounded world: which chunks are in memory, and what was changed.

A chunk is what the generator makes of the seed, plus the edits that were made to it. So
worlds have no bounds, chunks come and go, and a snapshot needs the edits alone.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land import worldgen
from dreamerv3_tf.envs.minecraft.voxel.state import State

REACH = 3  # chunks in memory on each side of the one where the player is
NO_EDITS = np.zeros((0, 4), np.int32)


@kernel()
def join_chunk(s, cx, cz, edits):
    """Makes a generated chunk part of the window: its edits and heights.

    Args:
        s: the state.
        cx: chunk along x, cell coordinate divided by 16.
        cz: chunk along z.
        edits: int32 `[n, 4]`, `(x, y, z, block)` of the cells that were changed.
    """
    i, j = (cx & 7) * st.CHUNK, (cz & 7) * st.CHUNK
    for row in range(edits.shape[0]):
        x, y, z = edits[row, 0], edits[row, 1], edits[row, 2]
        s.vox[x & 127, z & 127, y] = edits[row, 3]
    s.chunks[cx & 7, cz & 7, 0] = cx
    s.chunks[cx & 7, cz & 7, 1] = cz
    for tile_i in range(i >> 3, (i >> 3) + 2):
        for tile_j in range(j >> 3, (j >> 3) + 2):
            _measure_tile(s, tile_i, tile_j)


@inner
def _measure_tile(s, tile_i, tile_j):
    """Heights of 8x8 columns."""
    highest, lowest = 0, st.HEIGHT
    for i in range(tile_i * 8, tile_i * 8 + 8):
        for j in range(tile_j * 8, tile_j * 8 + 8):
            top = st.HEIGHT
            while top > 0 and s.vox[i, j, top - 1] == blocks.AIR:
                top -= 1
            highest = max(highest, top)
            while top > 0 and not blocks.OPAQUE[s.vox[i, j, top - 1]]:
                top -= 1
            s.roof[i, j] = top
            lowest = min(lowest, top)
    s.tops[tile_i, tile_j] = highest
    s.lows[tile_i, tile_j] = lowest


@kernel()
def standing_height(s, x, z):
    """Height of feet on a column: above its highest solid block that is no tree.

    -1 where one would stand in a fluid or in a block.
    """
    i, j = x & 127, z & 127
    top = st.HEIGHT
    while top > 0:
        block = s.vox[i, j, top - 1]
        if blocks.SOLID[block] and not _of_tree(block):
            break
        top -= 1
    for y in range(top, min(top + 2, st.HEIGHT)):
        block = s.vox[i, j, y]
        if blocks.SOLID[block] or blocks.WATERY[block] or blocks.FIERY[block]:
            return -1
    return top


@inner
def _of_tree(block):
    return blocks.OAK_LOG <= block <= blocks.ACACIA_LEAVES


class World:
    """Keeps the chunks around the player in memory and remembers all edits.

    Args:
        state: the arrays; the world owns `vox`, heights and `chunks` of it.
    """

    def __init__(self, state: State):
        self.state = state
        self._edits: dict[tuple[int, int], dict[tuple[int, int, int], int]] = {}

    def clear(self) -> None:
        """Forgets all chunks and edits; what is not in memory is dark and empty."""
        self._edits.clear()
        state = self.state
        for array in (state.vox, state.biome, state.tops):
            array.fill(0)
        for array in (state.roof, state.lows):
            array.fill(255)
        state.chunks.fill(st.NOWHERE)
        self.state.num[st.LOGGED] = 0

    def look_around(self, cx: int, cz: int) -> None:
        """Makes a chunk the centre of the window, and loads what is missing."""
        num, chunks = self.state.num, self.state.chunks
        num[st.CENTRE_X], num[st.CENTRE_Z] = cx, cz
        for x in range(cx - REACH, cx + REACH + 1):
            for z in range(cz - REACH, cz + REACH + 1):
                held = chunks[x & 7, z & 7]
                if held[0] != x or held[1] != z:
                    self.load(x, z)

    def follow(self) -> None:
        """Moves the window along with the player."""
        body, num = self.state.body, self.state.num
        cx, cz = int(body[st.X] // st.CHUNK), int(body[st.Z] // st.CHUNK)
        if cx != num[st.CENTRE_X] or cz != num[st.CENTRE_Z]:
            self.look_around(cx, cz)

    def load(self, cx: int, cz: int) -> None:
        """Brings one chunk into memory."""
        i, j = (cx & 7) * st.CHUNK, (cz & 7) * st.CHUNK
        place = np.s_[i : i + st.CHUNK, j : j + st.CHUNK]
        state, made = self.state, self._edits.get((cx, cz))
        seed = int(state.num[st.SEED])
        worldgen.generate(seed, cx, cz, state.vox[place], state.biome[place])
        join_chunk(state, cx, cz, _rows(made) if made else NO_EDITS)

    def remember(self) -> list[tuple[int, int, int, int]]:
        """Takes over the edits that were logged; `(x, y, z, block)` in their order."""
        num = self.state.num
        count = int(num[st.LOGGED])
        if not count:
            return []
        num[st.LOGGED] = 0
        rows = [tuple(row) for row in self.state.edits[:count].tolist()]
        for x, y, z, block in rows:
            self._edits.setdefault((x >> 4, z >> 4), {})[x, y, z] = block
        return rows

    def snapshot(self) -> dict[str, np.ndarray]:
        """Edits, and which chunks are in memory."""
        rows = [_rows(made) for made in self._edits.values()]
        edits = np.concatenate(rows) if rows else NO_EDITS
        return {"edits": edits, "chunks": self.state.chunks.copy()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Loads the chunks of a snapshot; the seed must be in place."""
        self.clear()
        for x, y, z, block in saved["edits"].tolist():
            self._edits.setdefault((x >> 4, z >> 4), {})[x, y, z] = block
        for cx, cz in saved["chunks"].reshape(-1, 2).tolist():
            if cx != st.NOWHERE:
                self.load(cx, cz)


def _rows(made: dict[tuple[int, int, int], int]) -> np.ndarray:
    rows = [(*cell, block) for cell, block in made.items()]
    return np.array(rows, np.int32)
