"""A meadow with animals and monsters; kernels that all its tests share."""

import numpy as np

from dreamerv3_tf.envs.minecraft.items import ITEM, NAMES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import mobs, spawning

GROUND = 64  # height of feet on the field
NOON, NIGHT = 6000, 16000  # ticks


@kernel()
def live(s, ticks, spawns):
    for _ in range(ticks):
        s.num[st.TIME] += 1
        s.body[st.HURT] = max(0.0, s.body[st.HURT] - 1.0)
        mobs.tick_mobs(s)
        if spawns:
            spawning.spawn_mobs(s)


@kernel()
def settle(s):
    spawning.settle(s)


@kernel()
def strike(s, row):
    return mobs.strike(s, row)


def field(time, difficulty=2):
    """A meadow on stone, without animals; the player stands in the middle."""
    s = st.empty_state()
    for x in range(-3, 4):
        for z in range(-3, 4):
            s.chunks[x & 7, z & 7] = x, z
    s.vox[:, :, : GROUND - 1] = blocks.STONE
    s.vox[:, :, GROUND - 1] = blocks.GRASS
    s.body[: st.Z + 1] = 8.5, GROUND, 8.5
    s.body[st.GROUND] = 1
    s.num[st.TIME], s.num[st.DIFFICULTY], s.rng[0] = time, difficulty, 7
    measure(s)
    return s


def measure(s):
    """Heights, after blocks were set by hand."""
    opaque = blocks.OPAQUE[s.vox]
    s.roof[:] = np.where(opaque.any(2), st.HEIGHT - opaque[:, :, ::-1].argmax(2), 0)
    s.lows[:] = s.roof.reshape(16, 8, 16, 8).min((1, 3))
    s.tops[:] = s.roof.reshape(16, 8, 16, 8).max((1, 3))


def fill(s, x, y, z, block):
    """Sets the cells of three slices; x and z count from the corner of the window."""
    s.vox[x, z, y] = block
    measure(s)


def add(s, kind, x, y, z, **columns):
    """A healthy mob that stands; its row of `ents`."""
    row = int(np.flatnonzero(s.ents[:, st.E_KIND] == 0)[0])
    mob = s.ents[row]
    mob[[st.E_KIND, st.E_X, st.E_Y, st.E_Z]] = kind, x, y, z
    mob[st.E_LIFE] = [10, 10, 8, 4, 20, 16, 20, 20][kind - st.COW]
    mob[st.E_GROUND] = 1
    for name, value in columns.items():
        mob[getattr(st, f"E_{name.upper()}")] = value
    return mob


def count(s, low, high):
    """Entities of the kinds from `low` to `high`."""
    return int(((s.ents[:, 0] >= low) & (s.ents[:, 0] <= high)).sum())


def monsters(s):
    return count(s, st.ZOMBIE, st.CREEPER)


def hold(s, name):
    s.slots[0] = ITEM[name], 1, 0


def lying(s):
    """Items on the ground: pieces by name."""
    rows = s.ents[s.ents[:, st.E_KIND] == st.ITEM]
    names = {NAMES[int(item)] for item in rows[:, st.E_ITEM]}
    return {
        name: int(rows[rows[:, st.E_ITEM] == ITEM[name], st.E_COUNT].sum())
        for name in names
    }


def distance(s, mob):
    return float(np.linalg.norm(mob[st.E_X : st.E_Z + 1] - s.body[: st.Z + 1]))
