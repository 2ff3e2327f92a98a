"""Worlds to take pictures of, laid by hand.

`python tests/envs/minecraft/scenes.py` takes the golden pictures anew.
"""

from __future__ import annotations

import itertools
import pathlib

import numpy as np

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks as b
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.land import climate

GOLDEN = pathlib.Path(__file__).parents[2] / "goldens" / "minecraft" / "views.npz"
NOON, MIDNIGHT = 6000, 18000
FLOOR = 64  # height of the ground


def meadow(ground=b.GRASS, biome=climate.B_PLAINS):
    """Flat ground, the player on it at (0.5, 64, 0.5), looking along +z at noon."""
    state = st.empty_state()
    for x, z in itertools.product(range(-4, 4), repeat=2):
        state.chunks[x & 7, z & 7] = x, z
    state.vox[:, :, : FLOOR - 1] = b.STONE
    state.vox[:, :, FLOOR - 1] = ground
    state.biome[:] = biome
    state.num[st.TIME] = NOON
    measure(state)
    return stand(state)


def measure(state):
    """Makes the heights of all columns true."""
    heights = np.arange(1, st.HEIGHT + 1)
    tops = ((state.vox != b.AIR) * heights).max(-1)
    state.roof[:] = (b.OPAQUE[state.vox] * heights).max(-1)
    state.tops[:] = tops.reshape(16, 8, 16, 8).max((1, 3))
    state.lows[:] = state.roof.reshape(16, 8, 16, 8).min((1, 3))
    return state


def stand(state, x=0.5, y=float(FLOOR), z=0.5, yaw=0.0, pitch=0.0):
    """Puts the player somewhere."""
    state.body[[st.X, st.Y, st.Z, st.YAW, st.PITCH]] = x, y, z, yaw, pitch
    return state


def fill(state, low, high, block):
    """Fills a box of cells, from `low` to `high` inclusive."""
    for x in range(low[0], high[0] + 1):
        for z in range(low[2], high[2] + 1):
            state.vox[x & 127, z & 127, low[1] : high[1] + 1] = block
    return measure(state)


def entity(state, row, kind, x, y, z, yaw=180.0, **values):
    """Puts an entity somewhere; `values` by the names of columns, as `item=3`."""
    state.ents[row] = 0
    state.ents[row, [st.E_KIND, st.E_X, st.E_Y, st.E_Z, st.E_YAW]] = kind, x, y, z, yaw
    for name, value in values.items():
        state.ents[row, getattr(st, f"E_{name.upper()}")] = value
    return state


def lake(deep=3):
    """A lake ahead, its ground of sand, `deep` blocks of water from z = 3 on."""
    state = fill(meadow(), (-20, FLOOR - deep - 1, 3), (20, FLOOR - 1, 40), b.SAND)
    return fill(state, (-20, FLOOR - deep, 3), (20, FLOOR - 1, 40), b.WATER)


def cave():
    """A room in the stone, far from the sky, with an ore of each kind."""
    state = fill(meadow(), (-60, FLOOR, -60), (60, FLOOR + 20, 60), b.STONE)
    fill(state, (-3, FLOOR, -2), (3, FLOOR + 3, 3), b.AIR)
    for place, ore in enumerate(range(b.COAL_ORE, b.EMERALD_ORE + 1)):
        fill(state, (place - 3, FLOOR + 1, 4), (place - 3, FLOOR + 1, 4), ore)
    return state


def garden():
    """Trees, plants, snow, stations: as many blocks as fit."""
    state = meadow(biome=climate.B_FOREST)
    fill(state, (-4, 67, 6), (0, 69, 9), b.OAK_LEAVES)
    fill(state, (-2, 64, 7), (-2, 68, 7), b.OAK_LOG)
    fill(state, (4, 64, 5), (4, 66, 5), b.BIRCH_LOG)
    plants = (b.TALL_GRASS, b.FERN, b.POPPY, b.DANDELION, b.DEAD_BUSH, b.SAPLING)
    for place, plant in enumerate(plants):
        fill(state, (place - 3, 64, 3), (place - 3, 64, 3), plant)
    cells = {
        (2, 64, 4): b.CRAFTING_TABLE, (3, 64, 4): b.FURNACE, (-5, 64, 4): b.CACTUS,
        (-4, 64, 5): b.PUMPKIN, (6, 64, 4): b.SNOW, (6, 65, 4): b.SNOW_LAYER,
        (4, 65, 4): b.VINE, (-6, 63, 4): b.LAVA,
    }  # fmt: skip
    for cell, block in cells.items():
        fill(state, cell, cell, block)
    return state


def herd():
    """An animal or monster of each kind, and some items, at midnight."""
    state = meadow()
    for place, kind in enumerate(range(st.COW, st.CREEPER + 1)):
        x = place % 4 * 2 - 3
        entity(state, place, kind, x, FLOOR, 4 + place // 4 * 3, 150 + 20 * place)
    for place, name in enumerate(("log", "diamond", "iron_pickaxe", "cobblestone")):
        item = ITEM[name]
        entity(state, 20 + place, st.ITEM, place - 1, FLOOR, 2, 20, item=item)
    state.num[st.TIME] = MIDNIGHT
    return state


def golden_views():
    """Worlds of the golden pictures, by name."""
    evening = stand(meadow(b.SAND), yaw=75, pitch=-15)
    evening.num[st.TIME] = 12500
    return {
        "garden": garden(),
        "herd": herd(),
        "lake": stand(lake(), pitch=15),
        "dive": stand(lake(5), z=8.5, y=60, yaw=30),
        "cave": cave(),
        "evening": evening,
    }


if __name__ == "__main__":
    from dreamerv3_tf.envs.minecraft.voxel.picture.render import Renderer

    views = golden_views()
    GOLDEN.parent.mkdir(exist_ok=True)
    images = {name: Renderer().image(state) for name, state in views.items()}
    np.savez_compressed(GOLDEN, allow_pickle=False, **images)
