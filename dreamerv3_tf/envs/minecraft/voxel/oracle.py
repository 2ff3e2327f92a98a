"""A scripted player that finds a diamond: it reads the world, but acts as agents do.

It shows that the task can be solved, finds bugs, and makes demonstrations. It sees
through walls; all that it does are the 25 actions of `minecraft_diamond`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamerv3_tf.envs.minecraft import rules
from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.items import NAMES as ITEMS
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import pathfinding as ways
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.aiming import (
    ANGLE,
    HIGHEST,
    YAWS,
    aim_for_placing,
)
from dreamerv3_tf.envs.minecraft.voxel.errands import REST, Bag, Errand, next_errand
from dreamerv3_tf.envs.minecraft.voxel.limbs import ACTION, Cell, Limbs, as_cells
from dreamerv3_tf.envs.minecraft.voxel.passage import NEVER
from dreamerv3_tf.envs.minecraft.voxel.scouting import find_blocks, nearest_foe, surface
from dreamerv3_tf.envs.minecraft.voxel.sim import VoxelBackend
from dreamerv3_tf.envs.minecraft.voxel.walking import Walker

NEAREST = 8  # blocks of a kind that ways are looked for to
TRIES = 4  # batches of them
LIMIT = 150_000  # cells that a search may look at
NEAR = 5  # blocks to a table that still serves, or to a thing to be picked up
FAR = 36  # blocks that it goes at a time when nothing is in sight
DANGER = 3.5  # blocks at which a monster is met
FALLS = 40  # ticks after which a thing lies or floats
STILL = 70  # actions without any change after which something else is tried
ALWAYS = ("crafting_table", "furnace", "planks", "stick")
STATIONS = {blocks.CRAFTING_TABLE: "crafting_table", blocks.FURNACE: "furnace"}
COURSES = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


class Oracle:
    """Plays one episode after the other; see the module.

    Args:
        env: of `minecraft_diamond` with the backend `voxel`, wrapped or not.

    Raises:
        TypeError: it is another one.
    """

    def __init__(self, env: Any):
        while not hasattr(env, "backend"):
            if not hasattr(env, "env"):
                raise TypeError(f"{env} has no Minecraft in it.")
            env = env.env
        if not isinstance(env.backend, VoxelBackend):
            raise TypeError(f"The oracle plays in the voxel world, not {env.backend}.")
        self.limbs = Limbs(env.backend, env.controls)
        self.walker = Walker(self.limbs)
        self.reset()

    def reset(self) -> None:
        """Forgets the episode."""
        self.walker.stop()
        self.errand = REST
        self.purpose: object = None  # what the way is for
        self.shunned: list[Cell] = []  # blocks and things that could not be reached
        self.course = 0  # index of COURSES
        self.still, self.shaking, self.mark = 0, 0, ()
        self.chance = np.random.default_rng(0)

    def act(self) -> int:
        """Number of the next action."""
        if self.shaking:
            self.shaking -= 1
            return self._shake()
        foe = int(nearest_foe(self.limbs.state, DANGER))
        action = None if foe < 0 or self.limbs.is_jumping else self.limbs.strike(foe)
        if action is not None:
            return action
        errand = next_errand(self._bag())
        if errand != self.errand:
            self.errand = errand
            self._drop_plan()
            self.shunned.clear()
        action = self._do(errand)
        self._watch()
        return action

    def _do(self, errand: Errand) -> int:
        if errand.act:
            return self._craft(errand)
        for attempt in (self._pack, self._pick_up, self._reach, self._walk):
            action = attempt(errand)
            if action is not None:
                return action
        return self._explore()

    def _bag(self) -> Bag:
        backend = self.limbs.backend
        slots = backend.state.slots[: 64]
        table, furnace = (
            bool(self._standing(block) or rules.count(slots, (name,)) or self._lies(name))
            for block, name in STATIONS.items()
        )
        return Bag(slots, backend.fuel, table, furnace)

    def _lies(self, name: str) -> bool:
        """Whether a thing of a kind lies near."""
        state = self.limbs.state
        off = state.ents[:, st.E_X : st.E_Z + 1] - state.body[st.X : st.Z + 1]
        lies = (state.ents[:, st.E_KIND] == st.ITEM) & (abs(off).max(1) < NEAR)
        return bool((lies & (state.ents[:, st.E_ITEM] == ITEM[name])).any())

    def _standing(self, block: int) -> list[Cell]:
        """Placed tables or furnaces that are near."""
        placed, (x, y, z) = self.limbs.backend.placed, self.limbs.here
        return [
            cell
            for cell, kind in placed.items()
            if kind == block
            and (cell[0] - x) ** 2 + (cell[1] - y - 1) ** 2 + (cell[2] - z) ** 2 < 21
        ]

    # Crafting

    def _craft(self, errand: Errand) -> int:
        """Takes the action of an errand, once all that it needs is in view."""
        if errand.near and self.limbs.is_jumping:
            return ACTION["back"]
        for block in errand.near:
            if not self._standing(block):
                return self._place(errand, block)
        if errand.near:
            turned = self._view(errand.near[-1])
            if turned is not None:
                return turned
        return ACTION[errand.act]

    def _place(self, errand: Errand, block: int) -> int:
        """Puts a table or a furnace where there is room, or makes room."""
        if not rules.count(self.limbs.state.slots, (STATIONS[block],)):
            action = self._pick_up(errand)
            return ACTION["noop"] if action is None else action
        cost, yaw, pitch = aim_for_placing(self.limbs.state)
        if cost < NEVER:
            turned = self.limbs.turn(yaw, pitch)
            return ACTION[f"place_{STATIONS[block]}"] if turned is None else turned
        x, y, z = self.limbs.here
        niche = [(x + dx, y + 1, z + dz) for dx, dz in ways.SIDES]
        beyond = [(x + 2 * dx, y + 1, z + 2 * dz) for dx, dz in ways.SIDES]
        stay = [*self.limbs.backend.placed, (x, y - 1, z)]
        for cells in (niche, beyond):
            closed = [c for c in cells if blocks.SOLID[self.limbs.block(c)]]
            closed = [c for c in closed if c not in stay]
            action = self.limbs.dig(closed, stay) if closed else None
            if action is not None:
                return action
        return self._explore()

    def _view(self, block: int) -> int | None:
        """Turns until a placed block serves; None when it does."""
        body = self.limbs.state.body
        x, y, z, yaw, pitch = body[[st.X, st.Y, st.Z, st.YAW, st.PITCH]].tolist()
        centres = [tuple(v + 0.5 for v in cell) for cell in self._standing(block)]
        if any(rules.nearby(x, y, z, yaw, pitch, centre) for centre in centres):
            return None
        options = [
            (min(i, YAWS - i) + abs(j - round(pitch / ANGLE)), i, j)
            for i in range(YAWS)
            for j in range(-HIGHEST, HIGHEST + 1)
        ]
        for _, i, j in sorted(options):
            turn = (round(yaw / ANGLE) + i) % YAWS
            if any(
                rules.nearby(x, y, z, turn * ANGLE, j * ANGLE, c) for c in centres
            ):
                return self.limbs.turn(turn, j)
        return self.limbs.push(centres[0][0] - x, centres[0][2] - z)

    # Gathering

    def _pack(self, errand: Errand) -> int | None:
        """Takes along a table or furnace that will be needed again."""
        if self._bag().tier == 2:
            return None
        del errand
        for block in STATIONS:
            cells = self._standing(block)
            if cells and not self.limbs.is_jumping:
                x, y, z = self.limbs.here
                action = self.limbs.dig(cells, [(x, y - 1, z)])
                if action is not None:
                    return action
        return None

    def _pick_up(self, errand: Errand) -> int | None:
        """Goes for things that lie around."""
        cell = self._lying((*errand.items, *ALWAYS))
        if cell is None:
            return None
        x, y, z = cell
        goals = [(x, y, z), (x, y - 1, z)]
        if self.limbs.here in goals and self.limbs.is_grounded:
            if self.still > 30:
                self.shunned.append(cell)
            return ACTION["noop"]
        action = self._go(("item", cell), lambda: goals)
        if action is None:
            self.shunned.append(cell)
        return action

    def _lying(self, names: tuple[str, ...]) -> Cell | None:
        """Cell of the nearest thing of some kinds that has come to rest."""
        state = self.limbs.state
        ents = state.ents[state.ents[:, st.E_KIND] == st.ITEM]
        ents = ents[(ents[:, st.E_GROUND] > 0) | (ents[:, st.E_AGE] > FALLS)]
        best, found = NEAR + 1.0, None
        place = state.body[[st.X, st.Y, st.Z]]
        for row in ents:
            if ITEMS[int(row[st.E_ITEM])] in names:
                at = row[[st.E_X, st.E_Y, st.E_Z]]
                far = float(np.abs(at - place).max())
                cell = tuple(np.floor(at + (0, 0.1, 0)).astype(int).tolist())
                if far < best and cell not in self.shunned:
                    best, found = far, cell
        return found

    def _reach(self, errand: Errand) -> int | None:
        """Breaks logs that are in reach, without going to each of them."""
        if errand.wanted != blocks.LOGS or self.limbs.is_jumping:
            return None
        if not (self.limbs.is_grounded or self.limbs.is_wet):
            return None
        x, y, z = self.limbs.here
        logs = [
            (x + i, y + j, z + k)
            for i in range(-2, 3)
            for j in range(-1, 6)
            for k in range(-2, 3)
            if blocks.IS_LOG[self.limbs.block((x + i, y + j, z + k))]
        ]
        return self.limbs.dig(logs, [(x, y - 1, z)], 0.1) if logs else None

    def _walk(self, errand: Errand) -> int | None:
        """Goes to the nearest of the blocks that are wanted, through them."""
        if not self.walker.is_done and self.purpose == errand:
            action = self.walker.act()
            if action is not None:
                return action
        wanted = np.zeros(256, np.bool_)
        wanted[list(errand.wanted)] = True
        for _ in range(TRIES):
            cells = find_blocks(
                self.limbs.state, wanted, as_cells(self.shunned), NEAREST
            )
            if not len(cells):
                return None
            goals = np.concatenate([cells, cells - [0, 1, 0]])
            action = self._go(errand, lambda goals=goals: goals.tolist())
            if action is not None:
                return action
            self.shunned += [tuple(cell) for cell in cells.tolist()]
        return None

    def _go(self, purpose: object, goals) -> int | None:
        """Follows the way to one of some cells, or looks for one; None without."""
        if self.purpose == purpose and not self.walker.is_done:
            action = self.walker.act()
            if action is not None:
                return action
        if not self._rests():
            return ACTION["back" if self.limbs.is_jumping else "noop"]
        self.purpose = purpose
        way = ways.find_path(
            self.limbs.state,
            as_cells(goals()),
            self._bag().tier,
            LIMIT,
            *ways.new_workspace(),
        )
        if not len(way):
            return None
        self.walker.follow([tuple(cell) for cell in way.tolist()])
        return self.walker.act()

    def _rests(self) -> bool:
        return self.limbs.is_grounded or self.limbs.is_wet

    def _explore(self) -> int:
        """Goes on in one direction; in another one where that has no way."""
        for turn in range(len(COURSES)):
            dx, dz = COURSES[(self.course + turn) % len(COURSES)]
            action = self._go(("course", dx, dz), lambda d=(dx, dz): self._horizon(*d))
            if action is not None:
                self.course = (self.course + turn) % len(COURSES)
                return action
        self.shaking = 20
        return self._shake()

    def _horizon(self, dx: int, dz: int) -> list[Cell]:
        """Cells to stand on, far away in a direction."""
        px, _, pz = self.limbs.here
        cells = []
        for aside in range(-12, 13, 3):
            x = px + FAR * dx - aside * dz
            z = pz + FAR * dz + aside * dx
            y, swims = surface(self.limbs.state, x, z)
            if y > 0:
                cells.append((x, int(y), z, bool(swims)))
        dry = [cell[:3] for cell in cells if not cell[3]]
        return dry or [cell[:3] for cell in cells] or [(px, -1, pz)]

    # Being stuck

    def _watch(self) -> None:
        """Notes whether anything changes; after long without, moves at random."""
        state = self.limbs.state
        mark = (self.limbs.here, int(state.num[st.BLOCKS_BROKEN]), int(state.slots[:, 1].sum()))
        self.still = self.still + 1 if mark == self.mark else 0
        self.mark = mark
        if self.still > STILL and self.errand != REST:
            self.still, self.shaking = 0, 12
            self._drop_plan()

    def _shake(self) -> int:
        names = ("forward", "back", "left", "right", "jump", "attack", "turn_left")
        return ACTION[names[self.chance.integers(len(names))]]

    def _drop_plan(self) -> None:
        self.walker.stop()
        self.purpose = None
