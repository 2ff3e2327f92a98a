"""The world: an unbounded plane of chunks, each a pure function of seed and place.

Climate -> heights and biomes -> layers -> pockets and ores -> ravines, caves, lava ->
trees -> plants -> snow and ice. Numbers: Minecraft 1.11.2.
"""

from __future__ import annotations

import numpy as np

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import caves, ores, plants, terrain, trees
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.noise import draw, hash2, mix, salt
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT, SEA

BIOMES = cl.BIOMES


@kernel("(int64, int64, int64, uint8[:, :, :], uint8[:, :])")
def generate(seed, cx, cz, vox, biome):
    """Writes the chunk at `(16 cx, 16 cz)`; the same one for the same arguments.

    Args:
        seed: int64, of the world.
        cx, cz: int64, coordinates of the chunk.
        vox: uint8 `[16, 16, 128]` by x, z, y, a view of any strides.
        biome: uint8 `[16, 16]` by x, z, likewise.
    """
    columns = terrain.make_columns(seed, cx, cz)
    cells = np.empty((CHUNK, CHUNK, HEIGHT), np.uint8)
    ravines = np.empty((4, 8))
    count = caves.find_ravines(seed, cx, cz, ravines)
    caves.mark_ravines(cx, cz, ravines, count, columns)
    tops = terrain.cave_tops(columns)
    terrain.fill_ground(seed, cx, cz, columns, cells)
    ores.place_ores(seed, cx, cz, ores.has_hills(columns.biome), cells)
    caves.carve_ravines(cx, cz, ravines, count, tops, cells)
    caves.carve_caves(seed, cx, cz, tops, cells)
    caves.place_springs(seed, cx, cz, cells)
    trees.place_trees(seed, cx, cz, columns, cells)
    plants.place_plants(seed, cx, cz, columns, cells)
    plants.freeze(columns, cells)
    for i in range(CHUNK):
        for j in range(CHUNK):
            biome[i, j] = columns.biome[i + terrain.MARGIN, j + terrain.MARGIN]
            for y in range(HEIGHT):
                vox[i, j, y] = cells[i, j, y]


@kernel("int64(int64, int64, int64)")
def biome_at(seed, x, z):
    """Biome of a column whose coordinates are multiples of 4."""
    field = np.empty((cl.FIELDS, 1, 1))
    cl.write_fields(seed, x, z, field, 0, 0)
    course, peak = field[cl.COURSE, 0, 0], field[cl.PEAK, 0, 0]
    land = terrain.cut_river(field[cl.LAND, 0, 0], course, peak)
    return cl.pick_biome(
        np.int64(np.floor(land)), course, field[cl.COAST, 0, 0],
        field[cl.WARMTH, 0, 0], field[cl.WET, 0, 0], peak
    )  # fmt: skip
