"""The world: an unbounded plane of chunks, each a pure function of seed and place.

Climate -> heights and biomes -> layers -> pockets and ores -> ravines, caves, lava ->
trees -> plants -> snow and ice. Numbers: Minecraft 1.11.2.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import inner, kernel
from dreamerv3_tf.envs.minecraft.voxel.land import caves, ores, plants, trees
from dreamerv3_tf.envs.minecraft.voxel.land import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.land import terrain as te
from dreamerv3_tf.envs.minecraft.voxel.land.noise import draw, hash2, mix, salt
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT

BIOMES = cl.BIOMES
SPAWN_RANGE = 64  # chunks from the origin within which an episode begins
SPAWN_TRIES = 4000
RARE = 0.1  # chance of a tree in a cell, at most, where an episode begins
CLEARING = np.array(((0, 0), (-32, 0), (32, 0), (0, -32), (0, 32)))  # blocks
SOILS = (b.GRASS, b.DIRT, b.PODZOL, b.SAND)
PASSABLE = ~(b.SOLID | b.WATERY | b.FIERY)


def generate(seed: int, cx: int, cz: int, vox: np.ndarray, biome: np.ndarray) -> None:
    """Writes the chunk at `(16 cx, 16 cz)`; the same one for the same arguments.

    Args:
        seed: of the world, an int64.
        cx, cz: coordinates of the chunk.
        vox: uint8 `[16, 16, 128]` by x, z, y, a view of any strides.
        biome: uint8 `[16, 16]` by x, z, likewise.
    """
    field = np.empty((cl.FIELDS, te.PADDED, te.PADDED), np.float64)
    facts = np.empty((te.FACTS, te.PADDED, te.PADDED), np.int64)
    lattice = np.empty((cl.NOISES, te.POINTS, te.POINTS), np.float64)
    ravines = np.empty((caves.RAVINES, 8), np.float64)
    noise = np.empty((3, 5, 5, caves.LAYERS), np.float64)
    cells = np.empty((CHUNK, CHUNK, HEIGHT), np.uint8)
    te.write_columns(seed, cx, cz, lattice, field, facts)
    count = caves.find_ravines(seed, cx, cz, ravines, facts)
    te.fill_ground(seed, cx, cz, facts, cells)
    ores.place_ores(seed, cx, cz, facts, cells)
    caves.carve_ravines(cx, cz, ravines, count, facts, cells)
    caves.carve_caves(seed, cx, cz, noise, facts, cells)
    caves.place_springs(seed, cx, cz, cells)
    trees.place_trees(seed, cx, cz, field, facts, cells)
    plants.place_plants(seed, cx, cz, field, facts, cells)
    vox[...] = cells
    inside = slice(te.MARGIN, te.MARGIN + CHUNK)
    biome[...] = facts[te.BIOME, inside, inside]


@kernel()
def find_chunk(seed, attempt, room):
    """A chunk whose middle is a clearing in land where an episode may begin.

    All `SPAWN_LANDS` are equally likely, and so are all such chunks of one of them.

    Args:
        seed: of the world.
        attempt: another number finds another chunk.
        room: float64 `[NOISES, 1, 1]`, to work in.

    Returns:
        `(cx, cz, biome, word)`: the chunk, its biome or -1 where none was found within
        `SPAWN_TRIES`, and a hash to choose a column by.
    """
    word = hash2(salt(seed, 81), attempt, 0)
    land = draw(word, 0, cl.SPAWN_LANDS)
    for k in range(SPAWN_TRIES):
        word = mix(word + k)
        cx = draw(word, -SPAWN_RANGE, SPAWN_RANGE)
        cz = draw(mix(word + 1), -SPAWN_RANGE, SPAWN_RANGE)
        x, z = cx * CHUNK + 8, cz * CHUNK + 8
        biome, _ = _survey(seed, x, z, room)
        if cl.SPAWN_LAND[biome] == land and _is_clearing(seed, x, z, room):
            return cx, cz, biome, mix(word + 2)
    return 0, 0, -1, word


@inner
def _survey(seed, x, z, room):
    """Biome of a column, and its chance of a tree."""
    cl.write_fields(seed, x, z, room, 0, 0)
    field = room[:, 0, 0]
    biome = cl.pick_biome(field, cl.ground(field))
    return biome, trees.density(biome, field[cl.WOOD])


@inner
def _is_clearing(seed, x, z, room):
    """Whether trees are rare at a column and some blocks from it, on all four sides."""
    for k in range(len(CLEARING)):
        _, chance = _survey(seed, x + CLEARING[k, 0], z + CLEARING[k, 1], room)
        if chance > RARE:
            return False
    return True


def find_spawn(seed: int) -> tuple[int, int]:
    """Column where an episode begins: `(x, z)`, in a clearing of a spawn biome.

    It is dry ground under the open sky, at most small plants on it.

    Raises:
        RuntimeError: the world holds none near its origin.
    """
    vox = np.empty((CHUNK, CHUNK, HEIGHT), np.uint8)
    biome = np.empty((CHUNK, CHUNK), np.uint8)
    room = np.empty((cl.NOISES, 1, 1), np.float64)
    for attempt in range(100):
        cx, cz, wanted, word = find_chunk(seed, attempt, room)
        generate(seed, cx, cz, vox, biome)
        x, z = np.nonzero((biome == wanted) & is_open(vox))
        if len(x):
            which = word % len(x)
            return cx * CHUNK + int(x[which]), cz * CHUNK + int(z[which])
    raise RuntimeError(f"World {seed} has no place to begin near its origin.")


def is_open(vox: np.ndarray) -> np.ndarray:
    """Which columns end in soil that bears nothing but small plants; bool `[n, n]`."""
    filled = ~PASSABLE[vox]
    top = HEIGHT - 1 - filled[:, :, ::-1].argmax(axis=2)
    block = np.take_along_axis(vox, top[:, :, None], axis=2)[:, :, 0]
    return np.isin(block, SOILS)
