"""The voxel world as a Minecraft: MineRL's commands in, pictures and counts out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.envs.base import EnvError
from dreamerv3_tf.envs.minecraft import items, rules
from dreamerv3_tf.envs.minecraft.backend import Command, Raw
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.land import worldgen
from dreamerv3_tf.envs.minecraft.voxel.land.world import World, standing_height
from dreamerv3_tf.envs.minecraft.voxel.nature.tick import (
    observe,
    place,
    settle,
    tick,
    turn,
)
from dreamerv3_tf.envs.minecraft.voxel.picture import hud
from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer

VERSION = 2
"""Of snapshots: one of another version is refused."""

STATIONS = (blocks.CRAFTING_TABLE, blocks.FURNACE)
ARRAYS = ("body", "slots", "ents", "num", "conf", "rng")
FRESH = {name: getattr(st.empty_state(), name) for name in ARRAYS}
"""The small arrays of a new episode."""


class VoxelBackend:
    """Episodes in worlds of our own, each with another seed.

    The world of episode `k` follows from `seed` and `k` alone. What happens in it
    follows from that and the commands.

    Args:
        seed: of all episodes of this environment.
        size: height and width of the picture, pixels.
        fov: field of view, degrees, up and sideways alike.
        view: how far one sees, blocks, at most 48.
        gamma: brightness setting of the game; 5 shows everything, day and night.
        break_speed: factor on the speed of breaking blocks.
        difficulty: 0 peaceful (no monsters) to 3 hard.
        entities: whether animals, monsters and items are in the picture.

    Raises:
        EnvError: a setting is out of its range.
    """

    name = "voxel"

    def __init__(
        self,
        *,
        seed: int,
        size: int = 64,
        fov: float = 130.0,
        view: int = 48,
        gamma: float = 5.0,
        break_speed: float = 100.0,
        difficulty: int = 2,
        entities: bool = True,
    ):
        if not 0 <= difficulty <= 3:
            raise EnvError(f"env.difficulty is {difficulty}, expected 0, 1, 2 or 3.")
        self.seed = seed
        self.episode = 0
        self.fov = fov
        self.state = st.empty_state()
        self.world = World(self.state)
        self.renderer = Renderer(size, fov, view, gamma, entities)
        self.settings = break_speed, difficulty
        self.fuel = 0  # ticks left in the furnace
        self.placed: dict[tuple[int, int, int], int] = {}  # tables and furnaces
        self.counts = np.zeros(len(items.INVENTORY), np.int32)

    def reset(self) -> Raw:
        """A new episode in a new world, at sunrise."""
        words = np.random.SeedSequence((self.seed, self.episode)).generate_state(4)
        self.episode += 1
        world, simulation = (int(a) << 32 | int(b) for a, b in (words[:2], words[2:]))
        self.begin(world >> 1, simulation)
        return self._raw()

    def begin(self, seed: int, simulation: int) -> None:
        """Starts in the world of a seed.

        Args:
            seed: of the generator, 63 bits.
            simulation: seed of all that happens, 64 bits.
        """
        state = self.state
        for name, array in FRESH.items():
            getattr(state, name)[...] = array
        state.num[st.SEED], state.rng[0] = seed, simulation
        state.conf[st.BREAK_SPEED], state.num[st.DIFFICULTY] = self.settings
        self.fuel = 0
        self.placed.clear()
        self.world.clear()
        x, y, z = self._spawn()
        state.body[[st.X, st.Y, st.Z]] = x + 0.5, y, z + 0.5
        settle(state)

    def step(self, command: Command) -> Raw:
        """One tick."""
        state = self.state
        pitch, yaw = command["camera"]
        if pitch or yaw:
            turn(state, float(yaw), float(pitch))
        for key, act in self._rare.items():
            name = command[key]
            if name != "none":
                act(self, name)
        tick(
            state,
            int(command["forward"]) - int(command["back"]),
            int(command["left"]) - int(command["right"]),
            bool(command["jump"]),
            bool(command["attack"]),
        )
        if state.num[st.LOGGED]:
            self._remember()
        self.world.follow()
        return self._raw()

    def picture(self, size: int) -> np.ndarray:
        """What a person would see, with the display of the game."""
        return hud.picture(self.state, size, self.fov)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything of the running episode, as arrays."""
        state, queued = self.state, int(self.state.num[st.QUEUED])
        placed = [(*cell, block) for cell, block in self.placed.items()]
        return {
            "version": np.array(VERSION),
            "backend": np.array([self.seed, self.episode, self.fuel], np.int64),
            "placed": np.array(placed, np.int32).reshape(-1, 4),
            "queue": state.queue[:queued].copy(),
            **self.world.snapshot(),
            **{name: getattr(state, name).copy() for name in ARRAYS},
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a snapshot.

        Raises:
            EnvError: it is of another version of the world.
        """
        if int(state["version"]) != VERSION:
            raise EnvError(
                f"The snapshot is of version {int(state['version'])} of the voxel "
                f"world, this is version {VERSION}; begin a new episode instead."
            )
        for name in ARRAYS:
            getattr(self.state, name)[...] = state[name]
        self.state.queue[: len(state["queue"])] = state["queue"]
        self.seed, self.episode, self.fuel = map(int, state["backend"])
        self.placed = {(x, y, z): b for x, y, z, b in state["placed"].tolist()}
        self.world.restore(dict(state))

    def close(self) -> None:
        """Nothing to free."""

    def _spawn(self) -> tuple[int, int, int]:
        """A cell for the feet: where the generator says, or the next one that is free.

        Raises:
            RuntimeError: there is none in the window.
        """
        x, z = map(int, worldgen.find_spawn(int(self.state.num[st.SEED])))
        self.world.look_around(x >> 4, z >> 4)
        for reach in range(40):
            for dx in range(-reach, reach + 1):
                for dz in range(-reach, reach + 1):
                    if max(abs(dx), abs(dz)) == reach:
                        y = standing_height(self.state, x + dx, z + dz)
                        if y > st.SEA:
                            self.world.look_around((x + dx) >> 4, (z + dz) >> 4)
                            return x + dx, int(y), z + dz
        raise RuntimeError(
            f"No place to stand near ({x}, {z}) in world {self.state.num[st.SEED]}."
        )

    def _remember(self) -> None:
        """Takes over edits; a table that was broken serves no more."""
        for x, y, z, block in self.world.remember():
            if self.placed.get((x, y, z), block) != block:
                del self.placed[x, y, z]

    def _raw(self) -> Raw:
        state = self.state
        counts = np.empty_like(self.counts)
        held = observe(state, counts)
        body = state.body
        return Raw(
            self.renderer.image(state),
            counts,
            int(held),
            float(body[st.LIFE]),
            float(body[st.FOOD]),
            float(body[st.BREATH]),
            body[[st.X, st.Y, st.Z, st.YAW, st.PITCH]],
            bool(state.num[st.DEAD]),
        )

    # The rare commands

    def _craft(self, name: str) -> None:
        rules.craft(self.state.slots, name)

    def _craft_nearby(self, name: str) -> None:
        if self._near(blocks.CRAFTING_TABLE):
            rules.craft(self.state.slots, name)

    def _smelt_nearby(self, name: str) -> None:
        if name == "iron_ingot" and self._near(blocks.FURNACE):
            _, self.fuel = rules.smelt(self.state.slots, self.fuel)

    def _equip(self, name: str) -> None:
        rules.equip(self.state.slots, name)

    def _place(self, name: str) -> None:
        slots = self.state.slots
        (found,) = np.nonzero((slots[:, 0] == items.ITEM[name]) & (slots[:, 1] > 0))
        block = blocks.PLACES.get(name)
        if not len(found) or block is None:
            return
        done, x, y, z = place(self.state, block)
        if done:
            slots[found[0], 1] -= 1
            self._remember()
            if block in STATIONS:
                self.placed[int(x), int(y), int(z)] = block

    def _near(self, station: int) -> bool:
        x, y, z, yaw, pitch = self.state.body[[st.X, st.Y, st.Z, st.YAW, st.PITCH]]
        return any(
            rules.nearby(x, y, z, yaw, pitch, (i + 0.5, j + 0.5, k + 0.5))
            for (i, j, k), block in self.placed.items()
            if block == station
        )

    _rare = {
        "craft": _craft,
        "nearbyCraft": _craft_nearby,
        "nearbySmelt": _smelt_nearby,
        "equip": _equip,
        "place": _place,
    }
