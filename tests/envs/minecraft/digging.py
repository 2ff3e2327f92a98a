"""A world to dig in, and the kernels that aim and hold the button in it."""

import itertools

import numpy as np

from dreamerv3_tf.envs.minecraft.items import ITEM
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import mining

FLOOR = 64
HEAD = FLOOR + 1  # height of the cell that the eyes are in


@kernel()
def hold(s, attacks, broken):
    """Holds or lets go of the button; writes the blocks broken so far, each tick."""
    for tick in range(len(attacks)):
        s.num[st.TIME] += 1
        s.num[st.LOGGED] = s.num[st.QUEUED] = 0
        mining.mine(s, attacks[tick])
        broken[tick] = s.num[st.BLOCKS_BROKEN]


@kernel()
def aim(s):
    return mining.target(s), mining.target_mob(s)


def world(tool="hand", speed=1.0, grounded=True):
    """The player on a floor of stone, looking south, with a tool in slot 0."""
    state = st.empty_state()
    for x, z in itertools.product(range(-4, 4), repeat=2):
        state.chunks[x & 7, z & 7] = x, z
    state.vox[:, :, :FLOOR] = blocks.STONE
    state.body[[st.X, st.Y, st.Z, st.GROUND]] = 0.5, FLOOR, 0.5, grounded
    state.conf[st.BREAK_SPEED] = speed
    state.num[st.DIFFICULTY] = 2
    if tool != "hand":
        state.slots[0] = ITEM[tool], 1, 0
    hold(state, np.zeros(1, np.bool_), np.zeros(1, np.int64))  # sees what it holds
    return state


def ahead(state, block, distance=2, length=1):
    """Lays blocks at eye height, southward."""
    state.vox[0, distance : distance + length, HEAD] = block


def attack(state, ticks):
    """Holds the button; returns the ticks, from 1, in which a block broke."""
    broken = np.zeros(ticks, np.int64)
    before = int(state.num[st.BLOCKS_BROKEN])
    hold(state, np.ones(ticks, np.bool_), broken)
    return (np.flatnonzero(np.diff(broken, prepend=before)) + 1).tolist()


def release(state, ticks=1):
    hold(state, np.zeros(ticks, np.bool_), np.zeros(ticks, np.int64))


def dropped(state):
    """Items that lie around, number by item."""
    rows = state.ents[state.ents[:, st.E_KIND] == st.ITEM]
    return {int(row[st.E_ITEM]): int(row[st.E_COUNT]) for row in rows}
