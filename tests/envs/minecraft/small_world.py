"""A flat world to lay blocks and items into; kernels that all its tests share."""

import itertools

import numpy as np

from dreamerv3_tf.envs.minecraft.items import ITEM, NAMES
from dreamerv3_tf.envs.minecraft.voxel import blocks
from dreamerv3_tf.envs.minecraft.voxel import state as st
from dreamerv3_tf.envs.minecraft.voxel.compiler.jit import kernel
from dreamerv3_tf.envs.minecraft.voxel.nature import drops, updates

FLOOR = 64  # height of the ground: cells below are stone


@kernel()
def tick(s, ticks):
    for _ in range(ticks):
        s.num[st.TIME] += 1
        drops.tick_items(s)
        updates.tick_updates(s)


@kernel()
def put(s, x, y, z, block):
    st.put(s, x, y, z, block)


@kernel()
def look_at(s, x, y, z):
    st.later(s, x, y, z, 1)


@kernel()
def give(s, item, count):
    return drops.give(s, item, count)


@kernel()
def drop(s, x, y, z, item, count):
    drops.drop(s, x, y, z, item, count)


@kernel()
def harvest(s, block, times, counts):
    """Harvests blocks; counts how often each number of pieces came, `[item, n]`."""
    for _ in range(times):
        drops.drop_block(s, 0, FLOOR, 0, block)
        for row in range(4):
            if s.ents[row, st.E_KIND] > 0.0:
                item, count = int(s.ents[row, st.E_ITEM]), int(s.ents[row, st.E_COUNT])
                counts[item, count] += 1
                s.ents[row, st.E_KIND] = 0.0


class SmallWorld:
    """Stone below `FLOOR`, 64 blocks each way from the origin; the player is away."""

    def __init__(self, seed=0):
        self.state = st.empty_state()
        for x, z in itertools.product(range(-4, 4), repeat=2):
            self.state.chunks[x & 7, z & 7] = x, z
        self.state.vox[:, :, :FLOOR] = blocks.STONE
        self.state.rng[0] = seed
        self.stand(40.5, FLOOR, 40.5)

    def stand(self, x, y, z):
        self.state.body[[st.X, st.Y, st.Z]] = x, y, z

    def set(self, x, y, z, block):
        """Sets a cell as the generator does: nobody takes notice."""
        self.state.vox[x & 127, z & 127, y] = block

    def get(self, x, y, z):
        return int(self.state.vox[x & 127, z & 127, y])

    def put(self, x, y, z, block):
        """Changes a cell as the game does: its neighbours take notice."""
        put(self.state, x, y, z, block)

    def run(self, ticks):
        while ticks > 0:
            tick(self.state, min(ticks, 20))
            self.state.num[st.LOGGED] = 0  # the edits have been read
            ticks -= 20

    def lay(self, item, count=1, at=(0.5, FLOOR, 0.5), delay=0, age=0, row=0):
        """Lays an item at rest at a point; returns its row of `ents`."""
        ent = self.state.ents[row]
        ent[:] = 0
        ent[[st.E_KIND, st.E_ITEM, st.E_COUNT]] = st.ITEM, ITEM[item], count
        ent[[st.E_X, st.E_Y, st.E_Z]] = at
        ent[[st.E_DELAY, st.E_AGE]] = delay, age
        return ent

    def items(self):
        """Pieces that lie around, by name."""
        found = {}
        for ent in self.state.ents[self.state.ents[:, st.E_KIND] == st.ITEM]:
            name = NAMES[int(ent[st.E_ITEM])]
            found[name] = found.get(name, 0) + int(ent[st.E_COUNT])
        return found

    def held(self):
        """Slots in use: `{slot: (name, count)}`."""
        slots = self.state.slots
        used = np.flatnonzero(slots[:, 1])
        return {int(i): (NAMES[slots[i, 0]], int(slots[i, 1])) for i in used}
