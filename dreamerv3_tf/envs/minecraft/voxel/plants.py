"""Small plants, cactus, reeds, pumpkins, and snow and ice on top of everything."""

from __future__ import annotations

from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import climate as cl
from dreamerv3_tf.envs.minecraft.voxel.jit import inner
from dreamerv3_tf.envs.minecraft.voxel.noise import draw, hash2, mix, salt, unit
from dreamerv3_tf.envs.minecraft.voxel.state import CHUNK, HEIGHT, SEA
from dreamerv3_tf.envs.minecraft.voxel.terrain import MARGIN


@inner
def place_plants(seed, cx, cz, columns, vox):
    """Plants a chunk: each column by a hash of its own, where there is room."""
    seed = salt(seed, 71)
    patch = unit(hash2(seed, cx, cz)) < 0.04  # of pumpkins
    for i in range(CHUNK):
        for j in range(CHUNK):
            p, q = i + MARGIN, j + MARGIN
            y, biome = columns.height[p, q], columns.biome[p, q]
            word = hash2(seed, cx * CHUNK + i, cz * CHUNK + j)
            if y < SEA:
                _place_on_water(word, biome, y, vox[i, j])
            elif vox[i, j, y] == b.SAND:
                _place_on_sand(word, biome, columns, i, y, j, vox)
            elif vox[i, j, y] == b.GRASS or vox[i, j, y] == b.PODZOL:
                _place_on_soil(word, biome, columns, i, y, j, patch, vox)


@inner
def _place_on_water(word, biome, y, cells):
    shallow = y >= SEA - 3 and cells[SEA + 1] == b.AIR
    if biome == cl.B_SWAMP and shallow and unit(word) < 0.08:
        cells[SEA + 1] = b.LILY_PAD


@inner
def _place_on_sand(word, biome, columns, i, y, j, vox):
    cells = vox[i, j]
    if cells[y + 1] != b.AIR:
        return
    if _is_shore(columns, i, y, j) and unit(word) < 0.2:
        _stack(cells, y + 1, b.REEDS, draw(mix(word), 1, 4))
    elif biome == cl.B_DESERT:
        if unit(word) < 0.006 and _is_clear(columns, i, y, j, vox):
            _stack(cells, y + 1, b.CACTUS, draw(mix(word), 1, 4))
        elif unit(mix(word + 1)) < 0.006:
            cells[y + 1] = b.DEAD_BUSH


@inner
def _stack(cells, y, block, count):
    for k in range(y, min(HEIGHT, y + count)):
        if cells[k] != b.AIR:
            return
        cells[k] = block


@inner
def _is_shore(columns, i, y, j):
    """Whether a column at the level of the water has water beside it."""
    p, q = i + MARGIN, j + MARGIN
    lowest = min(
        min(columns.height[p - 1, q], columns.height[p + 1, q]),
        min(columns.height[p, q - 1], columns.height[p, q + 1]),
    )
    return y == SEA and lowest < SEA


@inner
def _is_clear(columns, i, y, j, vox):
    """Whether nothing is beside a cactus; never at the border of a chunk."""
    if i < 1 or j < 1 or i >= CHUNK - 1 or j >= CHUNK - 1:
        return False
    p, q = i + MARGIN, j + MARGIN
    for a, c in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        if columns.height[p + a, q + c] > y or vox[i + a, j + c, y + 1] != b.AIR:
            return False
    return True


@inner
def _place_on_soil(word, biome, columns, i, y, j, patch, vox):
    cells = vox[i, j]
    wood = columns.wood[i + MARGIN, j + MARGIN]
    if cells[y + 1] != b.AIR:
        return
    if _is_shore(columns, i, y, j) and unit(word) < 0.15:
        _stack(cells, y + 1, b.REEDS, draw(mix(word), 1, 4))
    elif patch and unit(word) < 0.04 and biome != cl.B_SNOWY_PLAINS:
        cells[y + 1] = b.PUMPKIN
    elif unit(word) < _grass_chance(biome, wood):
        _place_grass(mix(word), biome, y, cells)
    elif unit(mix(word + 1)) < 0.012:
        cells[y + 1] = _flower(mix(word + 2), biome)


@inner
def _grass_chance(biome, wood):
    """Share of columns that bear grass."""
    if biome == cl.B_PLAINS or biome == cl.B_SAVANNA:
        return min(0.5, max(0.04, 0.2 + 0.5 * wood))
    if biome == cl.B_JUNGLE:
        return 0.3
    if biome == cl.B_SNOWY_PLAINS:
        return 0.01
    return 0.08


@inner
def _place_grass(word, biome, y, cells):
    tall = unit(word) < 0.08 and y + 2 < HEIGHT and cells[y + 2] == b.AIR
    if tall and biome != cl.B_SNOWY_PLAINS:
        cells[y + 1], cells[y + 2] = b.DOUBLE_PLANT, b.DOUBLE_PLANT_TOP
    elif biome == cl.B_TAIGA or (biome == cl.B_JUNGLE and word & (1 << 50)):
        cells[y + 1] = b.FERN
    else:
        cells[y + 1] = b.TALL_GRASS


@inner
def _flower(word, biome):
    if biome == cl.B_TAIGA or biome == cl.B_SWAMP:
        return b.RED_MUSHROOM if unit(word) < 0.35 else b.BROWN_MUSHROOM
    return b.POPPY if unit(word) < 0.4 else b.DANDELION


@inner
def freeze(columns, vox):
    """Lays snow on what is under the open sky, and ice on water, where it is cold."""
    for i in range(CHUNK):
        for j in range(CHUNK):
            if columns.cold[i + MARGIN, j + MARGIN]:
                cells = vox[i, j]
                y = HEIGHT - 2
                while cells[y] == b.AIR:
                    y -= 1
                if cells[y] == b.WATER:
                    cells[y] = b.ICE
                elif b.OPAQUE[cells[y]]:
                    cells[y + 1] = b.SNOW_LAYER
