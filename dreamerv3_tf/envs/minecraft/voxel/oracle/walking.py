"""How the oracle goes a way that `pathfinding` has found, action by action."""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel.oracle.limbs import ACTION, Cell, Limbs

CENTRED, AIMED = 0.2, 0.12  # blocks off the middle of a cell, along and across
PATIENCE = 80  # actions that one move may take


class Walker:
    """Goes along a way; digs, turns and jumps as each move asks for it.

    Args:
        limbs: the player.
    """

    def __init__(self, limbs: Limbs):
        self.limbs = limbs
        self.way: list[Cell] = []
        self.at = 0  # index of the move's end
        self.spent = 0  # actions of this move

    def follow(self, way: list[Cell]) -> None:
        """Starts on a way, whose first cell is where the player is."""
        self.way, self.at, self.spent = way, 1, 0

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.way)

    def stop(self) -> None:
        """Forgets the way."""
        self.way, self.at = [], 0

    def act(self) -> int | None:
        """The next action; None at the end of the way, or where it was lost."""
        if self.is_done:
            return None
        self._advance()
        if self.is_done:
            return None
        start, end = self.way[self.at - 1], self.way[self.at]
        self.spent += 1
        rests = self.limbs.is_grounded or self.limbs.is_wet
        strays = rests and not _is_near(self.limbs.here, start, end)
        if strays or self.spent > PATIENCE:
            self.stop()
            return None
        closed = [c for c in _passage(start, end) if blocks.SOLID[self.limbs.block(c)]]
        if closed:
            return self._open(start, end, closed)
        return self._move(start, end)

    def _advance(self) -> None:
        """Counts the moves that are done."""
        while not self.is_done:
            end = self.way[self.at]
            rests = self.limbs.is_grounded or self.limbs.is_wet
            if self.limbs.here != end or not rests or not self._may_go_on(end):
                return
            self.at, self.spent = self.at + 1, 0

    def _may_go_on(self, end: Cell) -> bool:
        """Whether the body lies well enough in a cell to begin the next move."""
        off = self.limbs.error(end)
        if self.at + 1 >= len(self.way):
            return max(map(abs, off)) < 0.45
        following = self.way[self.at + 1]
        along = 0 if following[0] != end[0] else 2
        straight = (
            following[along] - end[along] == end[along] - self.way[self.at - 1][along]
        )
        across = off[1] if along == 0 else off[0]
        if straight:
            return abs(across) < 0.3
        return max(map(abs, off)) < 0.3

    def _open(self, start: Cell, end: Cell, closed: list[Cell]) -> int | None:
        """Digs what is in the way, from the middle of the cell where it begins."""
        limbs = self.limbs
        if limbs.is_jumping:
            return _brake(limbs, start)
        floors = [(x, y - 1, z) for x, y, z in (start, end)]
        action = limbs.dig(closed, floors)
        if action is None:
            off = limbs.error(start)
            if max(map(abs, off)) > AIMED:
                return limbs.push(*off)
            self.stop()
        return action

    def _move(self, start: Cell, end: Cell) -> int:
        limbs = self.limbs
        dx, dy, dz = (b - a for a, b in zip(start, end, strict=True))
        if not dx and not dz:
            return _brake(limbs, end) if limbs.is_jumping else ACTION["jump"]
        off = limbs.error(end)
        along, across = (off[0], off[1]) if dx else (off[1], off[0])
        if dy > 0 or limbs.is_wet:
            return self._jump(start, end, across)
        if limbs.is_jumping:
            return _brake(limbs, end)
        if abs(across) > AIMED and (limbs.is_grounded or abs(across) > abs(along)):
            return limbs.push(0, across) if dx else limbs.push(across, 0)
        if abs(along) < 0.05:
            return ACTION["noop"]
        return limbs.push(along, 0) if dx else limbs.push(0, along)

    def _jump(self, start: Cell, end: Cell, across: float) -> int:
        """Jumps up a step, or swims."""
        limbs = self.limbs
        dx, dz = end[0] - start[0], end[2] - start[2]
        if limbs.is_jumping:
            if abs(across) > CENTRED:
                return limbs.push(0, across) if dx else limbs.push(across, 0)
            return _brake(limbs, end)
        turn = limbs.face(dx, dz)
        if turn is not None:
            return turn
        if not limbs.is_wet:
            if not limbs.is_grounded:
                return ACTION["noop"]
            if abs(across) > AIMED:
                return limbs.push(0, across) if dx else limbs.push(across, 0)
        return ACTION["jump"]


def _brake(limbs: Limbs, end: Cell) -> int:
    """While jump and forward are held: on towards the middle of a cell, or not."""
    off = limbs.error(end)
    if max(map(abs, off)) < 0.1:
        return ACTION["back"]
    return limbs.push(*off)


def _passage(start: Cell, end: Cell) -> list[Cell]:
    """Cells that a move needs to be open, the upper ones first."""
    x, y, z = end
    top = max(start[1], y) + 1
    cells = [(x, level, z) for level in range(top, y - 1, -1)]
    if y > start[1]:
        cells.insert(0, (start[0], start[1] + 2, start[2]))
    return cells


def _is_near(here: Cell, start: Cell, end: Cell) -> bool:
    """Whether a cell lies on a move."""
    low, high = min(start[1], end[1]), max(start[1], end[1])
    on = (here[0], here[2]) in ((start[0], start[2]), (end[0], end[2]))
    return on and low - 1 <= here[1] <= high + 1
