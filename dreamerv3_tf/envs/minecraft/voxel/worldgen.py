"""The world: an unbounded plane of chunks, each a pure function of seed and place.

Climate -> heights and biomes -> layers -> pockets and ores -> ravines, caves, lava ->
trees -> plants -> snow and ice. Numbers: Minecraft 1.11.2.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import caves, ores, plants, trees
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel import terrain as te
from dreamerv3_tf.envs.minecraft.voxel.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.noise import draw, hash2, mix, salt
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT

BIOMES = cl.BIOMES
SPAWN_RANGE = 64  # chunks from the origin within which an episode begins
SPAWN_TRIES = 4000


@kernel("(int64, int64, int64, uint8[:, :, :], uint8[:, :])")
def generate(seed, cx, cz, vox, biome):
    """Writes the chunk at `(16 cx, 16 cz)`; the same one for the same arguments.

    Args:
        seed: int64, of the world.
        cx, cz: int64, coordinates of the chunk.
        vox: uint8 `[16, 16, 128]` by x, z, y, a view of any strides.
        biome: uint8 `[16, 16]` by x, z, likewise.
    """
    columns = te.make_columns(seed, cx, cz)
    cells = np.empty((CHUNK, CHUNK, HEIGHT), np.uint8)
    ravines = np.empty((caves.RAVINES, 8), np.float64)
    count = caves.find_ravines(seed, cx, cz, ravines)
    caves.mark_ravines(cx, cz, ravines, count, columns)
    te.limit_caves(columns)
    te.fill_ground(seed, cx, cz, columns, cells)
    hills = columns.facts[te.BIOME, 12, 12] == cl.B_EXTREME_HILLS
    ores.place_ores(seed, cx, cz, hills, cells)
    caves.carve_ravines(cx, cz, ravines, count, columns, cells)
    caves.carve_caves(seed, cx, cz, columns, cells)
    caves.place_springs(seed, cx, cz, cells)
    trees.place_trees(seed, cx, cz, columns, cells)
    plants.place_plants(seed, cx, cz, columns, cells)
    plants.freeze(columns, cells)
    for i in range(CHUNK):
        for j in range(CHUNK):
            biome[i, j] = columns.facts[te.BIOME, i + te.MARGIN, j + te.MARGIN]
            for y in range(HEIGHT):
                vox[i, j, y] = cells[i, j, y]


@kernel("int64(int64, int64, int64)")
def biome_at(seed, x, z):
    """Biome of a column; exact where its coordinates are multiples of 4."""
    field = np.empty((cl.NOISES, 1, 1), np.float64)
    cl.write_fields(seed, x, z, field, 0, 0)
    return cl.pick_biome(field[:, 0, 0], cl.ground(field[:, 0, 0]))


@kernel("UniTuple(int64, 2)(int64, int64, int64)")
def find_chunk(seed, biome, attempt):
    """A chunk `(cx, cz)` near the origin whose middle lies in a biome, by chance.

    Each attempt begins at another place. After `SPAWN_TRIES` it is the last one tried.
    """
    word = hash2(salt(seed, 81), attempt, biome)
    cx, cz = 0, 0
    for k in range(SPAWN_TRIES):
        word = mix(word + k)
        cx = draw(word, -SPAWN_RANGE, SPAWN_RANGE)
        cz = draw(mix(word + 1), -SPAWN_RANGE, SPAWN_RANGE)
        if biome_at(seed, cx * CHUNK + 8, cz * CHUNK + 8) == biome:
            break
    return cx, cz
